"""Runs llama.cpp's server from the wheel xllamacpp. Usage: xllamacpp_server.py FILE.gguf PORT"""

import sys
import time

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path, params.hostnames, params.port = sys.argv[1], ["127.0.0.1"], int(sys.argv[2])
params.model_alias = {"smollm2"}
params.n_ctx = 2048
params.n_parallel = 1
# The default rounds keys and values to f16, which changes log-probabilities by up to 0.006.
params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
while True:
    time.sleep(60)
