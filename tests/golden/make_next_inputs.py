#!/usr/bin/env python3
"""Makes tests/golden/semantic/next_inputs.safetensors: the input of the next block of a golden checkpoint at
the last token of its input ids: the input of the first linear map of attention in block 2, 3, ... and of the
head, recorded with hooks on PyTorch transformers.

`NAME.l` is `(rows, width)` after block `l`; the last one is the input of the head (of the projection before
it, if there is one).

    pip install torch transformers safetensors
    python tests/golden/make_next_inputs.py
"""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

GOLDEN = Path(__file__).parent
# Checkpoint: blocks, first linear map of attention, the module before the head.
READS = {
    "gpt2": ("transformer.h", "attn.c_attn", "lm_head"),
    "llama-gqa": ("model.layers", "self_attn.q_proj", "lm_head"),
    "gemma3": ("model.layers", "self_attn.q_proj", "lm_head"),
    "pythia": ("gpt_neox.layers", "attention.query_key_value", "embed_out"),
    "olmo2": ("model.layers", "self_attn.q_proj", "lm_head"),
    "opt-350m": ("model.decoder.layers", "self_attn.q_proj", "model.decoder.project_out"),
}

found = {}
for name, (blocks, first, head) in READS.items():
    folder = GOLDEN / name
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        config=AutoConfig.from_pretrained(folder / "config.json"),
        attn_implementation="eager",
        dtype=torch.float32,
    ).eval()
    reads = [block.get_submodule(first) for block in model.get_submodule(blocks)][1:]
    reads.append(model.get_submodule(head) if head != "embed_out" else model.get_output_embeddings())
    seen = []
    hooks = [module.register_forward_pre_hook(lambda _module, args: seen.append(args[0])) for module in reads]
    with torch.no_grad():
        model(load_file(folder / "oracle.safetensors")["input_ids"], use_cache=False)
    assert len(seen) == len(reads), name
    for l, x in enumerate(seen, start=1):
        found[f"{name}.{l}"] = x[:, -1].clone().contiguous()
save_file(found, GOLDEN / "semantic" / "next_inputs.safetensors")
print({key: tuple(value.shape) for key, value in found.items()})
