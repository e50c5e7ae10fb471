#!/usr/bin/env python3
"""Make the golden adapters: small LoRA adapters of golden checkpoints, with the results of peft.

    python make_adapters.py [OUT]        (OUT: by default adapters/ next to this script)

Made with Python 3.11, torch 2.15.0, transformers 5.24.0 and peft 0.21.2, in f32. The name of a folder is that
of its base. Each contains

    adapter_config.json, adapter_model.safetensors   written by peft
    oracle.safetensors                               input_ids (1, 6); h_0 .. h_L and logits of the base with
                                                     the adapter, as in make_checkpoints.py
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

from make_checkpoints import load, oracle

ADAPTERS = {
    # Maps that are stored as (in, out), one of them square.
    "gpt2": dict(
        r=3,
        lora_alpha=6,
        use_rslora=True,
        target_modules=["attn.c_attn", "attn.c_proj", "mlp.c_proj"],
        rank_pattern={"h.1.attn.c_proj": 2},
        alpha_pattern={"h.1.attn.c_proj": 5},
        fan_in_fan_out=True,
    ),
    "llama-gqa": dict(
        r=2,
        lora_alpha=16,
        target_modules=["q_proj", "k_proj", "down_proj", "lm_head"],
        alpha_pattern={r"layers\.[01]\.self_attn\.q_proj": 3},
    ),
}


def main(out):
    here = Path(__file__).parent
    for name, options in ADAPTERS.items():
        model = load(here / name)
        config = LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, base_model_name_or_path=name, **options)
        adapted = get_peft_model(model, config)
        generator = torch.Generator().manual_seed(7)
        for parameter_name, parameter in adapted.named_parameters():
            if "lora_" in parameter_name:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.data.copy_(noise * 0.2)
        adapted.eval()
        adapted.save_pretrained(out / name, save_embedding_layers=False)
        (out / name / "README.md").unlink(missing_ok=True)
        path = out / name / "adapter_config.json"
        written = json.loads(path.read_text()) | {"base_model_name_or_path": name}
        path.write_text(json.dumps(written, indent=1) + "\n")
        ids = torch.arange(6).mul(37).add(11).remainder(model.config.vocab_size)[None]
        save_file(oracle(adapted.base_model.model, ids), out / name / "oracle.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "adapters")
