#!/usr/bin/env python3
"""Write forms/mxfp4: a small gpt-oss with experts in MXFP4, like the published model.

    python make_mxfp4.py          (transformers 5.24, torch, on a CPU)

model.safetensors contains the experts as `_blocks` and `_scales`. oracle.safetensors contains the results of
PyTorch transformers, which dequantises the experts when it loads the folder: `input_ids`, `h_0` .. `h_L`
and `logits`, as in the other golden checkpoints.
"""

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GptOssConfig

from make_checkpoints import TOKENS, oracle, randomise
from newer_configs import NEWER
from small_configs import SMALL_VOCAB

GROUP = 32  # values that share a scale


def packed(shape, generator):
    """Random four-bit values of weights `(n, out, in)`, with scales of small weights."""
    n, out, width = shape
    blocks = torch.randint(256, (n, out, width // GROUP, GROUP // 2), generator=generator, dtype=torch.uint8)
    scales = torch.randint(122, 126, (n, out, width // GROUP), generator=generator, dtype=torch.uint8)
    return blocks, scales


def main():
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    folder = Path(__file__).resolve().parent / "forms/mxfp4"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {**NEWER["gpt-oss"][1], "intermediate_size": 64}
    config = GptOssConfig(**settings)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float()
    randomise(model, 7)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)

    path = folder / "model.safetensors"
    weights = load_file(path)
    generator = torch.Generator().manual_seed(8)
    ends = ("experts.gate_up_proj", "experts.down_proj")
    for name in sorted(name for name in weights if name.endswith(ends)):
        n, width, out = weights.pop(name).shape
        weights[f"{name}_blocks"], weights[f"{name}_scales"] = packed((n, out, width), generator)
    save_file(weights, path, metadata={"format": "pt"})
    written = json.loads((folder / "config.json").read_text())
    kept = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
    written["quantization_config"] = dict(modules_to_not_convert=kept, quant_method="mxfp4")
    (folder / "config.json").write_text(json.dumps(written, indent=1) + "\n")

    model, info = AutoModelForCausalLM.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32, output_loading_info=True
    )
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    assert all(parameter.dtype == torch.float32 for parameter in model.float().parameters())
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(SMALL_VOCAB, (3, TOKENS), generator=generator)
    save_file(oracle(model.eval(), ids), folder / "oracle.safetensors")


if __name__ == "__main__":
    main()
