"""llama.cpp's server from the wheel xllamacpp. Usage: xllamacpp_server.py FILE.gguf PORT"""

import sys
import time

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path, params.hostnames, params.port = sys.argv[1], ["127.0.0.1"], int(sys.argv[2])
params.model_alias = {"smollm2"}
params.n_ctx = 2048
params.n_parallel = 1
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
while True:
    time.sleep(60)
