#!/usr/bin/env python3
"""Make the golden GGUF files of newer architectures, mixtures of experts among them.

    python make_newer.py [NAME ...]

Made with the versions that make_gguf.py names. Two runs write the same bytes. The weights are those of the
golden checkpoint ../NAME under their published names; the metadata are those that llama.cpp's converter
writes for the architecture, as far as surmise reads them.

    NAME.gguf         f32, tensor names by the `gguf` package; the experts of a block in a tensor for each map
    NAME.safetensors  states and logits of the model with the settings of llama.cpp, if the format has no key
                      for a setting of the checkpoint; otherwise ../NAME/oracle.safetensors is used
"""

import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import gguf
import numpy as np
import torch
from make_gguf import HERE, add_rope, golden, interleave, of, write
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

# The checkpoint, and the name of its architecture in GGUF files.
MODELS = {
    "mixtral": "llama",
    "arcee": "arcee",
    "olmo3": "olmo2",
    "olmoe": "olmoe",
    "qwen2-moe": "qwen2moe",
    "qwen3-moe": "qwen3moe",
    "granite-moe": "granitemoe",
    "granite-moe-shared": "granitemoe",
    "gpt-oss": "gpt-oss",
    "cohere": "command-r",
    "cohere-qk-norm": "command-r",
    "cohere2": "cohere2",
    "glm": "chatglm",
    "glm4": "glm4",
    "exaone": "exaone",
    "exaone4": "exaone4",
    "nemotron": "nemotron",
    "jais2": "jais2",
    "hunyuan-dense": "hunyuan-dense",
    "internlm2": "internlm2",
    "ernie4.5": "ernie4_5",
    "seed-oss": "seed_oss",
    "gpt-bigcode": "starcoder",
    "mpt": "mpt",
    "falcon-40b": "falcon",
    "qwen2-vl": "qwen2vl",
    "qwen3-vl": "qwen3vl",
}
# The rotary pairs of these are adjacent in the file.
INTERLEAVED = ("llama", "arcee", "granitemoe", "internlm2")
PROJECTIONS = {
    "w1": "gate",
    "w2": "down",
    "w3": "up",
    "gate_proj": "gate",
    "up_proj": "up",
    "down_proj": "down",
}


def changed(name):
    """The checkpoint with the settings of its GGUF file; None if they equal those of the checkpoint."""
    if name not in ("cohere2", "gpt-oss", "mpt", "qwen2-moe"):
        return None
    model = AutoModelForCausalLM.from_pretrained(HERE.parent / name, dtype=torch.float32)
    config = model.config
    if name == "cohere2":  # every fourth block has no window and no positions
        config.num_hidden_layers = 4
        config.layer_types = ["sliding_attention"] * 3 + ["full_attention"]
    if name == "gpt-oss":
        config.swiglu_limit = 7.0
    if name == "mpt":
        config.attn_config.softmax_scale = None
    if name == "qwen2-moe":
        config.use_sliding_window, config.mlp_only_layers = False, []
        config.layer_types = ["full_attention"] * config.num_hidden_layers
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    golden.randomise(model, 1)
    ids = torch.arange(36).reshape(3, 12) % config.vocab_size
    save_file(golden.oracle(model, ids), HERE / f"{name}.safetensors")
    return model


def load(name):
    """Config and published tensors of a checkpoint."""
    model = changed(name)
    if model is None:
        folder = HERE.parent / name
        return json.loads((folder / "config.json").read_text()), load_file(folder / "model.safetensors")
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        config = json.loads((Path(folder) / "config.json").read_text())
        return config, load_file(Path(folder) / "model.safetensors")


def add_metadata(writer, config, arch, state):
    d_model = of(config, "hidden_size", "n_embd", "d_model")
    n_heads = of(config, "num_attention_heads", "n_head", "n_heads")
    head_dim = of(config, "head_dim", default=d_model // n_heads)
    writer.add_context_length(of(config, "max_position_embeddings", "n_positions", "max_seq_len"))
    writer.add_embedding_length(d_model)
    n_layers = of(config, "num_hidden_layers", "n_layer", "n_layers")
    writer.add_block_count(n_layers)
    mlp = of(config, "intermediate_size", "n_inner", "ffn_hidden_size", default=4 * d_model)
    writer.add_feed_forward_length(mlp)
    writer.add_head_count(n_heads)
    n_kv = of(config, "num_key_value_heads", "num_kv_heads", default=n_heads)
    n_kv = 1 if of(config, "multi_query") and arch == "starcoder" else n_kv
    writer.add_head_count_kv(n_kv)
    if head_dim != d_model // n_heads:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if (eps := of(config, "rms_norm_eps")) is not None:
        writer.add_layer_norm_rms_eps(eps)
    else:
        writer.add_layer_norm_eps(of(config, "layer_norm_eps", "layer_norm_epsilon", "norm_eps"))
    if of(config, "sliding_window") and not arch.startswith("qwen"):
        writer.add_sliding_window(config.sliding_window)
    if arch in ("exaone4", "olmo2"):
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config.layer_types])
    if (experts := of(config, "num_experts", "num_local_experts")) is not None:
        writer.add_expert_count(experts)
        writer.add_expert_used_count(config.num_experts_per_tok)
    if (width := of(config, "moe_intermediate_size")) is not None:
        writer.add_expert_feed_forward_length(width)
    if arch == "gpt-oss":
        writer.add_expert_feed_forward_length(config.intermediate_size)
    shared = of(config, "shared_expert_intermediate_size", "shared_intermediate_size")
    if shared is not None:
        writer.add_expert_shared_feed_forward_length(shared)
    if arch == "granitemoe":
        writer.add_attention_scale(config.attention_multiplier)
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_logit_scale(config.logits_scaling)
    if arch in ("command-r", "cohere2"):
        writer.add_logit_scale(config.logit_scale)
    if arch == "mpt":
        writer.add_max_alibi_bias(8.0)
        writer.add_clamp_kqv(config.attn_config["clip_qkv"])
    if arch.endswith("vl"):
        writer.add_rope_dimension_sections([1, 1, 2, 0])
    if arch not in ("mpt", "starcoder"):
        rope = dict(of(config, "rope_parameters", "rope_scaling", default=None) or {})
        rope = rope.get("full_attention", rope)
        kind = rope.get("rope_type", rope.get("type", "default"))
        rope["rope_type"] = "default" if kind == "mrope" else kind
        rope.setdefault("rope_theta", of(config, "rope_theta"))
        if "alpha" in rope:  # the file has the stretched base
            rope["rope_theta"] *= rope.pop("alpha") ** (head_dim / (head_dim - 2))
            rope["rope_type"] = "default"
        partial = of(config, "partial_rotary_factor")
        if partial is not None:
            rope.setdefault("partial_rotary_factor", partial)
        add_rope(writer, SimpleNamespace(rope_parameters=rope), arch, head_dim)
    return n_layers, n_heads, n_kv, head_dim


def split_experts(state, arch):
    """The published tensors, with those of experts as gate, up and down of all experts of a block."""
    out, each = {}, {}
    for key, tensor in state.items():
        parts = key.split(".")
        if arch == "gpt-oss" and ".experts." in key:
            stem, end = key.rsplit(".", 1)
            bias, kind = end.endswith("_bias"), end.removesuffix("_bias")
            tensor = tensor if bias else tensor.transpose(1, 2)
            maps = (
                {"gate": tensor[:, 0::2], "up": tensor[:, 1::2]}
                if kind == "gate_up_proj"
                else {"down": tensor}
            )
            for which, values in maps.items():
                out[f"{stem}.{which}_proj.{'bias' if bias else 'weight'}"] = values
        elif ".experts." in key:  # one tensor for each expert
            at = parts.index("experts")
            stem, expert, which = ".".join(parts[:at]), int(parts[at + 1]), PROJECTIONS[parts[at + 2]]
            each.setdefault(f"{stem}.experts.{which}_proj.weight", {})[expert] = tensor
        elif key.endswith("block_sparse_moe.input_linear.weight"):
            gate, up = tensor.chunk(2, dim=1)
            stem = key.removesuffix("input_linear.weight")
            out[f"{stem}experts.gate_proj.weight"], out[f"{stem}experts.up_proj.weight"] = gate, up
        elif key.endswith("shared_mlp.input_linear.weight"):
            gate, up = tensor.chunk(2, dim=0)
            stem = key.removesuffix("shared_mlp.input_linear.weight")
            out[f"{stem}mlp.shared_expert.gate_proj.weight"] = gate
            out[f"{stem}mlp.shared_expert.up_proj.weight"] = up
        else:
            out[key] = tensor
    for key, experts in each.items():
        out[key] = torch.stack([experts[i] for i in range(len(experts))])
    return out


def split_qkv(state, arch, n_heads, n_kv, head_dim):
    """Grouped queries, keys and values: separate, or one kind after the other."""
    out = {}
    for key, tensor in state.items():
        if not key.endswith(("attention.wqkv.weight", "query_key_value.weight")):
            out[key] = tensor
            continue
        group = n_heads // n_kv
        parts = tensor.reshape(n_kv, group + 2, head_dim, -1)
        q, k, v = (
            p.reshape(-1, tensor.shape[1]) for p in (parts[:, :group], parts[:, group], parts[:, group + 1])
        )
        if arch == "falcon":
            out[key] = torch.cat([q, k, v])
        else:
            stem = key.removesuffix("wqkv.weight")
            for name, part in (("q", q), ("k", k), ("v", v)):
                out[f"{stem}w{name}.weight"] = part
    return out


def convert(name, arch):
    config, state = load(name)
    config = SimpleNamespace(**(config | config.get("text_config", {})))
    writer = gguf.GGUFWriter(HERE / f"{name}.gguf", arch)
    writer.add_type("model")
    writer.add_name(name)
    n_layers, n_heads, n_kv, head_dim = add_metadata(writer, config, arch, state)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    which = next(key for key, value in gguf.MODEL_ARCH_NAMES.items() if value == arch)
    names = gguf.get_tensor_name_map(which, n_layers)
    state = split_qkv(split_experts(state, arch), arch, n_heads, n_kv, head_dim)
    for key, tensor in sorted(state.items()):
        key = key.replace("model.language_model.", "model.").replace(
            "block_sparse_moe.experts", "mlp.experts"
        )
        if "visual" in key or (of(config, "tie_word_embeddings") and key == "lm_head.weight"):
            continue
        to = names.get_name(key, try_suffixes=(".weight", ".bias"))
        assert to is not None, key
        to = f"{to}.weight" if to.endswith("attn_sinks") else to
        data = tensor.numpy()
        if arch in INTERLEAVED and "attn_q." in to:
            data = interleave(data, n_heads)
        if arch in INTERLEAVED and "attn_k." in to:
            data = interleave(data, n_kv)
        if arch == "nemotron" and to.endswith("norm.weight"):
            data = data + 1
        if to.endswith("ffn_gate_inp_shexp.weight"):
            data = data[0]
        writer.add_tensor(to, np.ascontiguousarray(data))
    write(writer)
    print(name)


if __name__ == "__main__":
    torch.set_num_threads(1)
    chosen = sys.argv[1:]
    for name, arch in MODELS.items():
        if not chosen or name in chosen:
            convert(name, arch)
