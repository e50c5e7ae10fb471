"""Writes the weights of a GGUF file as f32: WORK/f32.gguf for llama.cpp, WORK/hf for the other servers.

Usage: weights.py FILE.gguf WORK
"""

import os
import sys

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

source, work = sys.argv[1:]
reader = gguf.GGUFReader(source)


def field(name):
    return reader.fields[name].contents()


writer = gguf.GGUFWriter(os.path.join(work, "f32.gguf"), field("general.architecture"))
for name, value in reader.fields.items():
    if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
        continue
    kind, sub = value.types[0], value.types[-1] if len(value.types) > 1 else None
    writer.add_key_value(name, value.contents(), kind, sub_type=sub)
writer.add_file_type(gguf.LlamaFileType.ALL_F32)
for tensor in reader.tensors:
    values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
    writer.add_tensor(tensor.name, np.ascontiguousarray(values))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

folder, name = os.path.split(os.path.abspath(source))
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
# The values are now f32, so the file is no longer quantised.
model.config.__dict__.pop("quantization_config", None)
model.hf_quantizer = None
model.save_pretrained(os.path.join(work, "hf"))
AutoTokenizer.from_pretrained(folder, gguf_file=name).save_pretrained(os.path.join(work, "hf"))
