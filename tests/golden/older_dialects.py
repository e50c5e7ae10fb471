"""Golden checkpoints in published forms: older keys of config.json, other names of tensors."""

import json

import torch
from safetensors.torch import load_file, save_file

GPT2_POSITIONS = 32


def hub_config(config, name):
    """The configuration in the dialect of transformers 4."""
    old = config.to_dict()
    old["_name_or_path"] = name
    old["transformers_version"] = "4.40.0"
    old["torch_dtype"] = str(old.pop("dtype")).removeprefix("torch.")
    if hasattr(config, "vision_config"):
        text = in_older_dialect(config.text_config.to_dict(), config.text_config.model_type)
        text.pop("dtype", None)
        if config.model_type in ("qwen2_vl", "qwen2_5_vl"):  # at the top
            del old["text_config"]
            return {**text, **old}
        return {**old, "text_config": text}
    return in_older_dialect(old, config.model_type)


def in_older_dialect(old, model_type):
    """The same with the earlier keys for rotary positions and kinds of blocks."""
    rope = old.pop("rope_parameters", None)
    is_kept = model_type in (
        "cwm",
        "exaone4",
        "gpt_oss",
        "ministral",
        "olmo3",
    )
    if model_type in ("cohere2", "gemma3_text"):
        old["sliding_window_pattern"] = old["layer_types"].index("full_attention") + 1
    if rope is not None and "full_attention" in rope:
        if model_type == "gemma3_text":
            old["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        rope = rope["full_attention"]
    if rope is not None:
        rope = dict(rope)
        base, share = ("rope_theta", "partial_rotary_factor")
        if model_type == "gpt_neox":
            base, share = ("rotary_emb_base", "rotary_pct")
        old[base] = rope.pop("rope_theta")
        if "partial_rotary_factor" in rope:
            old[share] = rope.pop("partial_rotary_factor")
        if "mrope_section" in rope and model_type != "qwen3_vl_text":
            rope = {"type": "mrope", "mrope_section": rope["mrope_section"]}
        old["rope_scaling"] = None if rope == {"rope_type": "default"} else rope
    if not is_kept:
        old.pop("layer_types", None)
    kept_null = ("rope_scaling", "pad_token_id", "sliding_window")
    return {key: value for key, value in old.items() if value is not None or key in kept_null}


def rename_as_on_hub(path):
    """Rewrite a GPT-2 weight file as published: no `transformer.` prefix, mask buffers kept."""
    weights = {key.removeprefix("transformer."): value for key, value in load_file(path).items()}
    mask = torch.ones(1, 1, GPT2_POSITIONS, GPT2_POSITIONS).tril()
    for block in {key.split(".")[1] for key in weights if key.startswith("h.")}:
        weights[f"h.{block}.attn.bias"] = mask.clone()
    save_file(weights, path, metadata={"format": "pt"})


def add_pythia_buffers(folder, config):
    """Add the buffers of published Pythia files; the rotary table is rounded to f16."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    positions = config.max_position_embeddings
    mask = torch.ones(1, 1, positions, positions, dtype=torch.bool).tril()
    pairs = torch.arange(config.hidden_size // config.num_attention_heads // 4)
    for block in range(config.num_hidden_layers):
        prefix = f"gpt_neox.layers.{block}.attention."
        weights[prefix + "bias"] = mask.clone()
        weights[prefix + "masked_bias"] = torch.tensor(-1e9)
        weights[prefix + "rotary_emb.inv_freq"] = (10000.0 ** (-pairs / len(pairs))).half()
    save_file(weights, path, metadata={"format": "pt"})


def rename_as_internlm2(folder):
    """Rewrite a Llama as an InternLM 2, which is not part of transformers: names, keys, and one map to
    queries, keys and values, one key head after the other."""
    path = folder / "model.safetensors"
    llama = load_file(path)
    config = json.loads((folder / "config.json").read_text())
    kv, dim = config["num_key_value_heads"], config["head_dim"]
    names = {
        "model.embed_tokens": "model.tok_embeddings",
        "lm_head": "output",
        "input_layernorm": "attention_norm",
        "post_attention_layernorm": "ffn_norm",
        "self_attn.o_proj": "attention.wo",
        "mlp.gate_proj": "feed_forward.w1",
        "mlp.up_proj": "feed_forward.w3",
        "mlp.down_proj": "feed_forward.w2",
    }
    weights = {}
    for name, tensor in llama.items():
        if "q_proj" in name:
            parts = [tensor, *(llama[name.replace("q_proj", other)] for other in ("k_proj", "v_proj"))]
            heads = [part.reshape(kv, -1, dim, part.shape[-1]) for part in parts]
            name = name.replace("self_attn.q_proj", "attention.wqkv")
            weights[name] = torch.cat(heads, 1).reshape(-1, tensor.shape[-1]).contiguous()
        elif "k_proj" not in name and "v_proj" not in name:
            for ours, theirs in names.items():
                name = name.replace(ours, theirs)
            weights[name] = tensor
    save_file(weights, path, metadata={"format": "pt"})
    for file in ("config.json", "config.hub.json"):
        config = json.loads((folder / file).read_text())
        for key in ("attention_bias", "mlp_bias", "head_dim"):
            config.pop(key)
        config |= {
            "model_type": "internlm2",
            "architectures": ["InternLM2ForCausalLM"],
            "auto_map": {"AutoModelForCausalLM": "modeling_internlm2.InternLM2ForCausalLM"},
            "bias": False,
        }
        (folder / file).write_text(json.dumps(config, indent=1) + "\n")
