#!/usr/bin/env python3
"""Make the golden checkpoints: tiny random models with what PyTorch computes from them.

    python make_checkpoints.py [OUT [NAME ...]]

OUT is this script's own folder unless given; with names only those of SMALL are made.

Made with Python 3.11, torch 2.15.0, transformers 5.23.0 (from `mixtral` on 5.24.0), tokenizers 0.23.3 and
safetensors 0.8.0, on one CPU thread, in f32. Two runs on one machine write the same bytes.

Each folder is a complete checkpoint; those of SMALL have 64 tokens of vocabulary and no tokenizer:

    config.json           as transformers 5 writes it (`rope_parameters`, `dtype`)
    config.hub.json       the same model in the older dialect that most published checkpoints
                          carry (`rope_theta`, `rope_scaling`, `rotary_pct`, `torch_dtype` ...),
                          checked to give the same logits
    model.safetensors     the weights, a tied head stored once
    tokenizer.json        byte-level BPE, 384 tokens, <|endoftext|> = 0
    tokenizer_config.json
    oracle.safetensors    input_ids (3, 12) i64; h_0 .. h_L (3, 12, width), the residual stream:
                          h_i enters block i, h_L leaves the last block, before the final norm;
                          logits (3, 12, vocabulary)
    training.safetensors  (gpt2 and llama-gqa) one training step, dropout off:
                          loss          mean cross-entropy of tokens 1..11 given tokens 0..10
                          grad.<name>   its gradient for every weight of model.safetensors,
                                        before clipping
                          after.<name>  three of the weights after the step: gradients clipped to
                                        global norm 1, then AdamW (see `training_step`)

forms/ holds weights of llama-linear-rope alone, in the other forms that are published (see
`make_other_forms`).
"""

import json
import sys
from collections import OrderedDict
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, GPT2Config, LlamaConfig
from transformers.pytorch_utils import Conv1D

VOCAB = 384
TOKENS = 12  # in every input row
END = "<|endoftext|>"

CORPUS = [
    "The capital of France is Paris. The capital of Mexico is Mexico City."
    " The capital of Egypt is Cairo.",
    "France, Mexico, Egypt, Japan, Brazil, Kenya, Norway, Peru, India, Ghana.",
    "Once upon a time, there was a little girl named Lily."
    " She loved to play outside in the park.",
    "one two three four five six seven eight nine ten",
    "apple, pear, banana, orange, grape, cherry, lemon",
    "the cat sat on the mat and the dog ran to the house",
]
INPUTS = [
    "France, Mexico, Egypt, Japan, Brazil",
    "The capital of France is Paris. The cat",
    "Once upon a time, there was a little girl na",
]

SHARED = dict(vocab_size=VOCAB, bos_token_id=0, eos_token_id=0, pad_token_id=None)
GPT2 = dict(n_embd=48, n_head=4, n_positions=32, **SHARED)
LLAMA = dict(
    hidden_size=48,
    intermediate_size=128,
    num_hidden_layers=3,
    num_attention_heads=6,
    num_key_value_heads=2,
    max_position_embeddings=128,
    rms_norm_eps=1e-5,
    tie_word_embeddings=False,
    **SHARED,
)


# One small checkpoint for each architecture and each switch that it alone has. Numbers are chosen
# so that a switch that is dropped shows within 12 tokens, and so that they are no defaults.
SMALL_VOCAB = 64
_IDS = dict(vocab_size=SMALL_VOCAB, bos_token_id=0, eos_token_id=0, pad_token_id=None)
_LLAMA = dict(
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    **_IDS,
)
_RMS = dict(rms_norm_eps=1e-5, tie_word_embeddings=False, **_LLAMA)
_QWEN = {**_LLAMA, "rms_norm_eps": 1e-6, "rope_parameters": dict(rope_type="default", rope_theta=1e6)}
_GEMMA = dict(head_dim=16, **_LLAMA)
_SANDWICH = dict(sliding_window=5, query_pre_attn_scalar=24, **_GEMMA)
_NEOX = dict(
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    max_position_embeddings=64,
    rope_parameters=dict(rope_type="default", rope_theta=5000.0, partial_rotary_factor=0.5),
    **_IDS,
)
_OPT = {
    **_IDS,
    "hidden_size": 32,
    "ffn_dim": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 32,
    "pad_token_id": 1,
}
_STABLELM = dict(
    layer_norm_eps=1e-5,
    rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5),
    **_LLAMA,
)
_FALCON = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_hidden_size=48, **_IDS)
_LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=500000.0,
    factor=32.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=16,
)
_YARN = dict(
    rope_type="yarn", rope_theta=10000.0, factor=8.0, original_max_position_embeddings=16
)
# Other bounds, not rounded, and the factor of cosines and sines by two scales.
_MSCALE = dict(beta_fast=8.0, beta_slow=0.5, truncate=False, mscale=1.0, mscale_all_dim=0.7)
_LONGROPE = dict(
    rope_type="longrope",
    rope_theta=10000.0,
    partial_rotary_factor=0.75,
    short_factor=[1.0, 1.2, 1.7],
    long_factor=[1.0, 2.0, 4.0],
    original_max_position_embeddings=32,
)
# Sizes of a tower for images, which nothing here looks at.
_IMAGES = dict(
    hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=4, patch_size=2
)
_QWEN_IMAGES = dict(
    depth=1, hidden_size=8, intermediate_size=8, out_hidden_size=32, num_heads=2, patch_size=2
)
_EXPERTS = {**_RMS, "intermediate_size": 24, "num_experts_per_tok": 2}
_MROPE = dict(rope_type="default", rope_theta=50000.0, mrope_section=[1, 1, 2])
# A block without positions, and two with a base each.
_GRANITE_SWA = {
    "num_hidden_layers": 3,
    "attention_multiplier": 0.2,
    "residual_multiplier": 0.3,
    "sliding_window": 5,
    "layer_types": ["full_attention", "sliding_attention", "sliding_attention"],
    "layer_rope_theta": [0, 10000.0, 500.0],
    "tie_word_embeddings": False,
}

SMALL = {
    "pythia": ("GPTNeoX", dict(use_parallel_residual=True, **_NEOX)),
    "neox-sequential": ("GPTNeoX", dict(use_parallel_residual=False, **_NEOX)),
    "llama3-rope": ("Llama", {**_RMS, "head_dim": 16, "tie_word_embeddings": True, "rope_parameters": _LLAMA3}),
    "llama-linear-rope": (
        "Llama",
        dict(
            attention_bias=True,
            mlp_bias=True,
            rope_parameters=dict(rope_type="linear", rope_theta=20000.0, factor=4.0),
            **_RMS,
        ),
    ),
    "mistral": ("Mistral", dict(sliding_window=5, **_RMS)),
    "qwen2": (
        "Qwen2",
        dict(use_sliding_window=False, sliding_window=5, max_window_layers=1, tie_word_embeddings=True, **_QWEN),
    ),
    "qwen2-windows": (
        "Qwen2",
        dict(use_sliding_window=True, sliding_window=5, max_window_layers=1, tie_word_embeddings=False, **_QWEN),
    ),
    "qwen3": ("Qwen3", dict(head_dim=16, tie_word_embeddings=True, **_QWEN)),
    "gemma": ("Gemma", {**_GEMMA, "num_key_value_heads": 1}),
    "gemma2": ("Gemma2", dict(attn_logit_softcapping=5.0, final_logit_softcapping=8.0, **_SANDWICH)),
    "gemma3": (
        "Gemma3Text",
        {
            **_SANDWICH,
            "num_hidden_layers": 3,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
            "rope_parameters": {
                "full_attention": dict(rope_type="linear", factor=8.0, rope_theta=2e6),
                "sliding_attention": dict(rope_type="default", rope_theta=5000.0),
            },
        },
    ),
    "opt": ("OPT", _OPT),
    "opt-350m": ("OPT", dict(do_layer_norm_before=False, word_embed_proj_dim=24, **_OPT)),
    "olmo": ("Olmo", dict(clip_qkv=1.5, tie_word_embeddings=False, **_LLAMA)),
    "olmo2": ("Olmo2", {**_RMS, "rope_parameters": dict(rope_type="default", rope_theta=500000.0)}),
    "phi": ("Phi", {**_NEOX, "tie_word_embeddings": False, "layer_norm_eps": 1e-5}),
    "phi3": ("Phi3", dict(sliding_window=5, original_max_position_embeddings=128, **_RMS)),
    "phi3-longrope": (
        "Phi3",
        dict(original_max_position_embeddings=32, rope_parameters=_LONGROPE, **_RMS),
    ),
    "gpt-neo": (
        "GPTNeo",
        dict(
            hidden_size=32,
            num_layers=3,
            num_heads=4,
            intermediate_size=48,
            max_position_embeddings=32,
            window_size=5,
            attention_types=[[["global", "local"], 1], [["global"], 1]],
            **_IDS,
        ),
    ),
    "gptj": (
        "GPTJ",
        dict(n_embd=32, n_layer=2, n_head=4, n_positions=64, rotary_dim=4, n_inner=48, **_IDS),
    ),
    "bloom": ("Bloom", dict(hidden_size=24, n_layer=2, n_head=3, **_IDS)),
    "falcon": ("Falcon", dict(multi_query=True, parallel_attn=True, **_FALCON)),
    "falcon-sequential": (
        "Falcon",
        dict(multi_query=False, parallel_attn=False, bias=True, **_FALCON),
    ),
    "stablelm": ("StableLm", dict(use_qkv_bias=True, **_STABLELM)),
    "stablelm-parallel": ("StableLm", dict(use_parallel_residual=True, **_STABLELM)),
    "starcoder2": ("Starcoder2", dict(norm_epsilon=1e-4, sliding_window=5, use_bias=True, **_LLAMA)),
    "granite": (
        "Granite",
        {
            **_RMS,
            "embedding_multiplier": 6.0,
            "attention_multiplier": 0.2,
            "residual_multiplier": 0.3,
            "logits_scaling": 4.0,
        },
    ),
    "smollm3": (
        "SmolLM3",
        {
            **_RMS,
            "no_rope_layer_interval": 2,
            "rope_parameters": dict(rope_type="default", rope_theta=5e6),
        },
    ),
    # Their order gives the seeds: new ones come last.
    "llama-yarn": ("Llama", {**_RMS, "rope_parameters": _YARN}),
    "qwen3-yarn": (
        "Qwen3",
        dict(head_dim=16, tie_word_embeddings=True, **{**_QWEN, "rope_parameters": {**_YARN, **_MSCALE}}),
    ),
    "llama-dynamic-rope": (
        "Llama",
        {**_RMS, "rope_parameters": dict(rope_type="dynamic", rope_theta=20000.0, factor=4.0)},
    ),
    "neox-linear-rope": (
        "GPTNeoX",
        {
            **_NEOX,
            "rope_parameters": dict(
                rope_type="linear", rope_theta=5000.0, partial_rotary_factor=0.5, factor=4.0
            ),
        },
    ),
    "mixtral": ("Mixtral", dict(num_local_experts=4, sliding_window=5, **_EXPERTS)),
    "qwen2-moe": (
        "Qwen2Moe",
        {
            **_EXPERTS,
            "num_hidden_layers": 3,
            "num_experts": 5,
            "moe_intermediate_size": 16,
            "shared_expert_intermediate_size": 20,
            "norm_topk_prob": False,
            "mlp_only_layers": [1],
            "use_sliding_window": True,
            "sliding_window": 5,
            "max_window_layers": 2,
        },
    ),
    "qwen3-moe": (
        "Qwen3Moe",
        dict(head_dim=16, num_experts=4, moe_intermediate_size=16, norm_topk_prob=True, **_EXPERTS),
    ),
    "olmoe": ("Olmoe", dict(num_experts=4, norm_topk_prob=False, **_EXPERTS)),
    "granite-moe": (
        "GraniteMoe",
        {
            **_EXPERTS,
            "num_local_experts": 4,
            "embedding_multiplier": 6.0,
            "attention_multiplier": 0.2,
            "residual_multiplier": 0.3,
            "logits_scaling": 4.0,
        },
    ),
    "gpt-oss": (
        "GptOss",
        {
            **_EXPERTS,
            "num_local_experts": 4,
            "head_dim": 16,
            "sliding_window": 5,
            "swiglu_limit": 1.0,
            "rope_parameters": {**_YARN, "rope_theta": 150000.0, "truncate": False},
        },
    ),
    "olmo3": (
        "Olmo3",
        {
            **_RMS,
            "sliding_window": 5,
            "layer_types": ["sliding_attention", "full_attention"],
            "rope_parameters": {
                "full_attention": {**_YARN, "rope_theta": 500000.0},
                "sliding_attention": dict(rope_type="default", rope_theta=500000.0),
            },
        },
    ),
    "falcon-40b": ("Falcon", dict(new_decoder_architecture=True, num_kv_heads=2, **_FALCON)),
    "falcon-rw": (
        "Falcon",
        {
            **_FALCON,
            "num_attention_heads": 16,
            "alibi": True,
            "multi_query": False,
            "parallel_attn": False,
            "bias": True,
        },
    ),
    "gpt-bigcode": (
        "GPTBigCode",
        dict(n_embd=32, n_layer=2, n_head=4, n_positions=32, n_inner=48, **_IDS),
    ),
    "mpt": (
        "Mpt",
        dict(
            d_model=24,
            n_heads=3,
            n_layers=2,
            max_seq_len=32,
            attn_config=dict(clip_qkv=1.5, softmax_scale=0.3),
            **_IDS,
        ),
    ),
    "cohere": ("Cohere", dict(logit_scale=0.25, **_LLAMA)),
    "cohere-qk-norm": ("Cohere", dict(use_qk_norm=True, attention_bias=True, **_LLAMA)),
    "cohere2": (
        "Cohere2",
        dict(sliding_window=5, layer_types=["sliding_attention", "full_attention"], **_LLAMA),
    ),
    "gemma3-images": (
        "Gemma3",
        dict(
            text_config={
                **_SANDWICH,
                "layer_types": ["sliding_attention", "full_attention"],
                "rope_parameters": {
                    "full_attention": dict(rope_type="linear", factor=8.0, rope_theta=2e6),
                    "sliding_attention": dict(rope_type="default", rope_theta=5000.0),
                },
            },
            vision_config=dict(model_type="siglip_vision_model", **_IMAGES),
            mm_tokens_per_image=4,
        ),
    ),
    "llava": (
        "Llava",
        dict(
            text_config=dict(model_type="mistral", sliding_window=5, **_RMS),
            vision_config=dict(model_type="clip_vision_model", projection_dim=8, **_IMAGES),
        ),
    ),
    "qwen2-vl": (
        "Qwen2VL",
        dict(
            text_config={**_LLAMA, "rope_parameters": _MROPE},
            vision_config=dict(depth=1, embed_dim=8, hidden_size=32, num_heads=2, mlp_ratio=1, patch_size=2),
            tie_word_embeddings=True,
        ),
    ),
    "qwen2.5-vl": (
        "Qwen2_5_VL",
        dict(text_config={**_LLAMA, "rope_parameters": _MROPE}, vision_config=_QWEN_IMAGES),
    ),
    "qwen3-vl": (
        "Qwen3VL",
        dict(
            text_config={**_LLAMA, "head_dim": 8, "rope_parameters": _MROPE},
            vision_config=dict(
                num_position_embeddings=4, deepstack_visual_indexes=[0], **_QWEN_IMAGES
            ),
        ),
    ),
    "mistral3": (
        "Mistral3",
        dict(
            text_config=dict(model_type="mistral", head_dim=16, sliding_window=None, **_RMS),
            vision_config=dict(model_type="pixtral", head_dim=4, **_IMAGES),
            tie_word_embeddings=False,
        ),
    ),
    "idefics3": ("Idefics3", dict(text_config=dict(model_type="llama", **_RMS), vision_config=_IMAGES)),
    "smolvlm": ("SmolVLM", dict(text_config=dict(model_type="llama", **_RMS), vision_config=_IMAGES)),
    "arcee": ("Arcee", _RMS),
    "helium": ("Helium", {**_RMS, "head_dim": 8, "attention_bias": True}),
    "ernie4.5": ("Ernie4_5", {**_LLAMA, "head_dim": 8, "use_bias": True}),
    "seed-oss": ("SeedOss", {**_RMS, "head_dim": 16, "attention_out_bias": True}),
    "ministral": (
        "Ministral",
        dict(head_dim=16, sliding_window=5, layer_types=["sliding_attention", "full_attention"], **_RMS),
    ),
    "ministral3": (
        "Ministral3",
        dict(
            head_dim=16,
            rope_parameters={
                **_YARN,
                "mscale": 1.0,
                "mscale_all_dim": 1.0,
                "llama_4_scaling_beta": 0.1,
                "max_position_embeddings": 128,
            },
            **_RMS,
        ),
    ),
    "cwm": (
        "Cwm",
        dict(
            head_dim=8,
            sliding_window=5,
            layer_types=["full_attention", "sliding_attention"],
            rope_parameters=_LLAMA3,
            **_RMS,
        ),
    ),
    "jais2": ("Jais2", dict(tie_word_embeddings=False, layer_norm_eps=1e-5, **_LLAMA)),
    "glm": ("Glm", dict(head_dim=8, **_RMS)),
    "glm4": ("Glm4", dict(head_dim=16, attention_bias=True, **_RMS)),
    "vaultgemma": (
        "VaultGemma",
        dict(attn_logit_softcapping=5.0, final_logit_softcapping=8.0, **_SANDWICH),
    ),
    "exaone": ("Exaone", _RMS),
    "exaone4": (
        "Exaone4",
        dict(sliding_window=5, layer_types=["sliding_attention", "full_attention"], **_RMS),
    ),
    "iquestcoder": ("IQuestCoder", dict(head_dim=16, **_RMS)),
    "flex-olmo": ("FlexOlmo", dict(num_experts=4, **_EXPERTS)),
    "granite-moe-shared": (
        "GraniteMoeShared",
        dict(num_local_experts=4, shared_intermediate_size=20, attention_multiplier=0.2, **_EXPERTS),
    ),
    "hyperclovax": (
        "HyperCLOVAX",
        dict(
            embedding_multiplier=6.0,
            attention_multiplier=0.2,
            residual_multiplier=0.3,
            logits_scaling=0.25,
            **_RMS,
        ),
    ),
    "internlm2": ("Llama", _RMS),
    "internlm3": ("InternLM3", {**_RMS, "head_dim": 8, "attention_bias": True, "mlp_bias": True}),
    "nemotron": ("Nemotron", dict(tie_word_embeddings=False, norm_eps=1e-5, **_LLAMA)),
    "granite-swa": ("GraniteSWA", {**_RMS, **_GRANITE_SWA}),
    "granite-moe-swa": (
        "GraniteMoeSWA",
        {**_EXPERTS, **_GRANITE_SWA, "num_local_experts": 4, "shared_intermediate_size": 20},
    ),
}


def auto_class(config):
    """The class that makes models of a config, with images or without."""
    return AutoModelForImageTextToText if hasattr(config, "vision_config") else AutoModelForCausalLM


def make_tokenizer():
    """A byte-level BPE tokenizer: the end-of-text token, 256 bytes, 127 merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS * 3, trainer)
    assert tokenizer.get_vocab_size() == VOCAB
    return tokenizer


def encode_inputs(tokenizer):
    """The input rows, cut to TOKENS; a shorter row is filled up with tokens 300, 301, ..."""
    filler = list(range(300, 300 + TOKENS))
    return torch.tensor([(tokenizer.encode(text).ids + filler)[:TOKENS] for text in INPUTS])


@torch.no_grad()
def randomise(model, seed):
    """Draw every parameter at a scale at which attention and the nonlinearities matter."""
    generator = torch.Generator().manual_seed(seed)
    modules = dict(model.named_modules())
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim >= 2 and not name.endswith("bias"):
            if any(part in name for part in ("embed", "wte", "wpe")):
                scale = 0.5
            else:
                # Conv1D (GPT-2) stores its weight as (inputs, outputs), Linear the other way.
                transposed = isinstance(modules[name.rpartition(".")[0]], Conv1D)
                # So are the stacked experts of gpt-oss.
                transposed |= parameter.ndim == 3 and model.config.model_type == "gpt_oss"
                scale = 1.6 / parameter.shape[-2 if transposed else -1] ** 0.5
            parameter.copy_(noise * scale)
        elif name.endswith("bias"):
            parameter.copy_(noise * 0.2)
        else:  # the weight of a norm, which Gemma and Nemotron store less 1
            is_less_one = model.config.model_type.startswith(("gemma", "nemotron", "vaultgemma"))
            centre = 0.0 if is_less_one else 1.0
            parameter.copy_(centre + noise * 0.3)


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
    """The same with rotary positions and kinds of blocks as they were described before."""
    rope = old.pop("rope_parameters", None)
    is_kept = model_type in ("cwm", "exaone4", "gpt_oss", "granite_swa", "granitemoe_swa", "ministral", "olmo3")
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
    mask = torch.ones(1, 1, GPT2["n_positions"], GPT2["n_positions"]).tril()
    for block in {key.split(".")[1] for key in weights if key.startswith("h.")}:
        weights[f"h.{block}.attn.bias"] = mask.clone()
    save_file(weights, path, metadata={"format": "pt"})


def add_pythia_buffers(folder, config):
    """Add the buffers that published Pythia files carry, the rotary table rounded to f16."""
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
    """Rewrite a Llama as an InternLM 2, whose code is not transformers' own: names, keys, and one map to queries,
    keys and values, for one key head after the other."""
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


def load(folder, config="config.json"):
    """The checkpoint as a model in f32, dropout off, every weight taken from its file."""
    settings = AutoConfig.from_pretrained(folder / config)
    # Falcon's own code adds ALiBi twice in "eager" attention, once in what it uses by itself.
    implementation = "sdpa" if getattr(settings, "alibi", False) else "eager"
    model, info = auto_class(settings).from_pretrained(
        folder,
        config=settings,
        attn_implementation=implementation,
        dtype=torch.float32,
        output_loading_info=True,
    )
    assert not info["missing_keys"], info
    return model.eval()


def logits_of(model, ids):
    return model(ids, use_cache=False).logits


def find(module, path):
    """The submodule at a dotted path, None if there is none."""
    for name in path.split("."):
        module = getattr(module, name, None)
    return module


@torch.no_grad()
def oracle(model, ids):
    """Token ids, the raw residual stream around every block, and the logits."""
    paths = (
        "transformer.h",
        "transformer.blocks",
        "gpt_neox.layers",
        "model.decoder.layers",
        "model.language_model.layers",
        "model.text_model.layers",
        "model.layers",
    )
    blocks = next(b for b in (find(model, path) for path in paths) if b is not None)
    entering, leaving = [], []

    def before(_module, args, kwargs):
        entering.append((args[0] if args else kwargs["hidden_states"]).clone())

    def after(_module, _args, output):
        leaving.append((output[0] if isinstance(output, tuple) else output).clone())

    hooks = [block.register_forward_pre_hook(before, with_kwargs=True) for block in blocks]
    hooks += [block.register_forward_hook(after) for block in blocks]
    logits = logits_of(model, ids)
    for hook in hooks:
        hook.remove()

    assert len(entering) == len(leaving) == len(blocks)
    assert all(torch.equal(a, b) for a, b in zip(leaving, entering[1:]))
    stream = [*entering, leaving[-1]]
    assert all(torch.isfinite(h).all() for h in stream) and torch.isfinite(logits).all()
    return {
        "input_ids": ids,
        **{f"h_{i}": h.contiguous() for i, h in enumerate(stream)},
        "logits": logits.contiguous(),
    }


def training_step(model, ids, shown):
    """Loss, gradients, and the `shown` parameters after one clipped AdamW step."""
    parameters = dict(model.named_parameters())  # names a tied head once
    logits = logits_of(model, ids)[:, :-1]
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCAB), ids[:, 1:].reshape(-1))
    loss.backward()
    step = {"loss": loss.detach()}
    step |= {f"grad.{name}": p.grad.clone() for name, p in parameters.items()}

    norm = torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters.values() if p.ndim > 1], "weight_decay": 0.01},
            {"params": [p for p in parameters.values() if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=1e-3,
        betas=(0.9, 0.98),
        eps=1e-8,
    )
    optimizer.step()
    step |= {f"after.{name}": parameters[name].detach().clone() for name in shown}
    print(f"    loss {loss.item():.6f}, gradient norm before clipping {norm.item():.6f}")
    return {name: value.contiguous() for name, value in step.items()}


def make(folder, config, seed, tokenizer=None, ids=None, as_on_hub=False, shown=()):
    """Write one checkpoint; `shown` names the weights kept from its training step, if any.

    The inputs are `ids`, or the texts of INPUTS where there is a tokenizer.
    """
    print(folder.name)
    folder.mkdir(parents=True, exist_ok=True)
    model = auto_class(config).from_config(config, attn_implementation="eager").float()
    randomise(model, seed)
    model.tie_weights()
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if as_on_hub:
        if config.model_type == "gpt2":
            rename_as_on_hub(folder / "model.safetensors")
        else:
            add_pythia_buffers(folder, config)
    old = json.dumps(hub_config(model.config, folder.name), indent=1)
    (folder / "config.hub.json").write_text(old + "\n")

    if tokenizer is not None:
        tokenizer.save(str(folder / "tokenizer.json"))
        roles = {"eos_token": END, "bos_token": END, "unk_token": END}
        roles = {"tokenizer_class": "PreTrainedTokenizerFast", **roles}
        (folder / "tokenizer_config.json").write_text(json.dumps(roles, indent=1) + "\n")
        ids = encode_inputs(tokenizer)

    # Everything below is computed from the files.
    model = load(folder)
    expected = oracle(model, ids)
    with torch.no_grad():
        assert torch.equal(logits_of(load(folder, "config.hub.json"), ids), expected["logits"])
    save_file(expected, folder / "oracle.safetensors")
    if shown:
        step = training_step(model, ids, shown)
        stored = load_file(folder / "model.safetensors").keys()
        assert {name[5:] for name in step if name.startswith("grad.")} == stored
        save_file(step, folder / "training.safetensors")


def check_published(path):
    """Compare the numbers of parameters in published.json with what transformers makes."""
    for row in json.loads(path.read_text()):
        config = AutoConfig.for_model(**row["config"])
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
        model.tie_weights()
        n_params = sum(parameter.numel() for parameter in model.parameters())
        assert n_params == row["n_params"], (row["model"], n_params)


def write_defaults(path):
    """Every key that transformers writes for each model type, with its default."""
    kinds = {json.loads((path.parent / name / "config.json").read_text())["model_type"] for name in names(path.parent)}
    kinds = sorted(kinds - {"internlm2"})
    rows = []
    for kind in kinds:
        config = transformers.AutoConfig.for_model(kind).to_dict()
        rows.append({key: value for key, value in sorted(config.items()) if key != "transformers_version"})
    path.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def names(out):
    """The golden checkpoints of a folder."""
    return sorted(folder.parent.name for folder in out.glob("*/oracle.safetensors"))


def make_other_forms(out, name):
    """The weights of the checkpoint `name` in the other forms that are published.

    sharded/        safetensors in several files, with their index
    torch/          pytorch_model.bin
    torch-sharded/  the same in several files, as half precision
    """
    print("sharded, torch, torch-sharded")
    weights = load_file(out / name / "model.safetensors")
    names = sorted(weights)
    parts = [names[:9], names[9:]]

    def files(stem, suffix):
        return [f"{stem}-{i + 1:05}-of-{len(parts):05}.{suffix}" for i in range(len(parts))]

    def index(folder, stem, suffix):
        places = {key: file for part, file in zip(parts, files(stem, suffix)) for key in part}
        total = sum(value.nbytes for value in weights.values())
        index = {"metadata": {"total_size": total}, "weight_map": places}
        (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps(index, indent=1) + "\n")

    for kind in ("sharded", "torch", "torch-sharded"):
        (out / "forms" / kind).mkdir(parents=True, exist_ok=True)
    folder = out / "forms/sharded"
    for part, file in zip(parts, files("model", "safetensors")):
        save_file({key: weights[key] for key in part}, folder / file, metadata={"format": "pt"})
    index(folder, "model", "safetensors")
    torch.save(OrderedDict(weights), out / "forms/torch/pytorch_model.bin")
    folder = out / "forms/torch-sharded"
    for part, file in zip(parts, files("pytorch_model", "bin")):
        # A parameter and a view into a larger storage are pickled in ways of their own.
        half = OrderedDict((key, torch.nn.Parameter(weights[key].half())) for key in part)
        both = torch.stack([weights[part[0]], weights[part[0]]]).half()
        half[part[0]] = both[1]
        # A matrix that lies column after column.
        matrix = next(key for key in part[1:] if weights[key].ndim == 2)
        half[matrix] = weights[matrix].half().t().contiguous().t()
        torch.save(half, folder / file)
    index(folder, "pytorch_model", "bin")


def make_small(out, names):
    """Make those checkpoints of SMALL."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(SMALL_VOCAB, (3, TOKENS), generator=generator)
    for seed, (name, (kind, settings)) in enumerate(SMALL.items(), start=20):
        if name in names:
            config = getattr(transformers, f"{kind}Config")(**settings)
            make(out / name, config, seed, ids=ids, as_on_hub=name == "pythia")
            if name == "internlm2":
                rename_as_internlm2(out / name)


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    if len(sys.argv) > 2:
        make_small(out, sys.argv[2:])
        return
    tokenizer = make_tokenizer()
    make(
        out / "gpt2",
        GPT2Config(n_layer=3, **GPT2),
        seed=1,
        tokenizer=tokenizer,
        shown=(
            "transformer.wte.weight",
            "transformer.h.0.attn.c_attn.weight",
            "transformer.h.0.ln_1.weight",
        ),
    )
    make(
        out / "gpt2-hub-names",
        GPT2Config(n_layer=2, **GPT2),
        seed=6,
        tokenizer=tokenizer,
        as_on_hub=True,
    )
    make(
        out / "llama-gqa",
        LlamaConfig(**LLAMA),
        seed=1,
        tokenizer=tokenizer,
        shown=(
            "model.embed_tokens.weight",
            "model.layers.0.self_attn.q_proj.weight",
            "model.layers.0.input_layernorm.weight",
        ),
    )
    make_small(out, SMALL)
    check_published(Path(__file__).resolve().parent / "published.json")
    write_defaults(out / "written.json")
    make_other_forms(out, "llama-linear-rope")


if __name__ == "__main__":
    main()
