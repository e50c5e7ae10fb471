"""Configs of the small golden checkpoints: the class that makes the model, and its settings.
Their order gives
the seeds: new ones go to the end of `newer_configs.py`."""

from older_dialects import GPT2_POSITIONS

VOCAB = 384
SHARED = dict(vocab_size=VOCAB, bos_token_id=0, eos_token_id=0, pad_token_id=None)
GPT2 = dict(n_embd=48, n_head=4, n_positions=GPT2_POSITIONS, **SHARED)
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

SMALL_VOCAB = 64
SMALL_IDS = dict(vocab_size=SMALL_VOCAB, bos_token_id=0, eos_token_id=0, pad_token_id=None)
SMALL_LLAMA = dict(
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    **SMALL_IDS,
)
SMALL_RMS = dict(rms_norm_eps=1e-5, tie_word_embeddings=False, **SMALL_LLAMA)
SMALL_QWEN = {
    **SMALL_LLAMA,
    "rms_norm_eps": 1e-6,
    "rope_parameters": dict(rope_type="default", rope_theta=1e6),
}
SMALL_GEMMA = dict(head_dim=16, **SMALL_LLAMA)
SMALL_SANDWICH = dict(sliding_window=5, query_pre_attn_scalar=24, **SMALL_GEMMA)
SMALL_NEOX = dict(
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    max_position_embeddings=64,
    rope_parameters=dict(rope_type="default", rope_theta=5000.0, partial_rotary_factor=0.5),
    **SMALL_IDS,
)
SMALL_OPT = {
    **SMALL_IDS,
    "hidden_size": 32,
    "ffn_dim": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 32,
    "pad_token_id": 1,
}
SMALL_STABLELM = dict(
    layer_norm_eps=1e-5,
    rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5),
    **SMALL_LLAMA,
)
SMALL_FALCON = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_hidden_size=48, **SMALL_IDS
)
SMALL_LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=500000.0,
    factor=32.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=16,
)
SMALL_YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=8.0, original_max_position_embeddings=16)
# Other bounds, without rounding, and a factor of cosines and sines from two scales.
SMALL_MSCALE = dict(beta_fast=8.0, beta_slow=0.5, truncate=False, mscale=1.0, mscale_all_dim=0.7)
SMALL_LONGROPE = dict(
    rope_type="longrope",
    rope_theta=10000.0,
    partial_rotary_factor=0.75,
    short_factor=[1.0, 1.2, 1.7],
    long_factor=[1.0, 2.0, 4.0],
    original_max_position_embeddings=32,
)
# Sizes of an image tower, which the tests do not use.
SMALL_IMAGES = dict(
    hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=4, patch_size=2
)
SMALL_QWEN_IMAGES = dict(
    depth=1, hidden_size=8, intermediate_size=8, out_hidden_size=32, num_heads=2, patch_size=2
)
SMALL_EXPERTS = {**SMALL_RMS, "intermediate_size": 24, "num_experts_per_tok": 2}
SMALL_MROPE = dict(rope_type="default", rope_theta=50000.0, mrope_section=[1, 1, 2])
SMALL = {
    "pythia": ("GPTNeoX", dict(use_parallel_residual=True, **SMALL_NEOX)),
    "neox-sequential": ("GPTNeoX", dict(use_parallel_residual=False, **SMALL_NEOX)),
    "llama3-rope": (
        "Llama",
        {**SMALL_RMS, "head_dim": 16, "tie_word_embeddings": True, "rope_parameters": SMALL_LLAMA3},
    ),
    "llama-linear-rope": (
        "Llama",
        dict(
            attention_bias=True,
            mlp_bias=True,
            rope_parameters=dict(rope_type="linear", rope_theta=20000.0, factor=4.0),
            **SMALL_RMS,
        ),
    ),
    "mistral": ("Mistral", dict(sliding_window=5, **SMALL_RMS)),
    "qwen2": (
        "Qwen2",
        dict(
            use_sliding_window=False,
            sliding_window=5,
            max_window_layers=1,
            tie_word_embeddings=True,
            **SMALL_QWEN,
        ),
    ),
    "qwen2-windows": (
        "Qwen2",
        dict(
            use_sliding_window=True,
            sliding_window=5,
            max_window_layers=1,
            tie_word_embeddings=False,
            **SMALL_QWEN,
        ),
    ),
    "qwen3": ("Qwen3", dict(head_dim=16, tie_word_embeddings=True, **SMALL_QWEN)),
    "gemma": ("Gemma", {**SMALL_GEMMA, "num_key_value_heads": 1}),
    "gemma2": ("Gemma2", dict(attn_logit_softcapping=5.0, final_logit_softcapping=8.0, **SMALL_SANDWICH)),
    "gemma3": (
        "Gemma3Text",
        {
            **SMALL_SANDWICH,
            "num_hidden_layers": 3,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
            "rope_parameters": {
                "full_attention": dict(rope_type="linear", factor=8.0, rope_theta=2e6),
                "sliding_attention": dict(rope_type="default", rope_theta=5000.0),
            },
        },
    ),
    "opt": ("OPT", SMALL_OPT),
    "opt-350m": ("OPT", dict(do_layer_norm_before=False, word_embed_proj_dim=24, **SMALL_OPT)),
    "olmo": ("Olmo", dict(clip_qkv=1.5, tie_word_embeddings=False, **SMALL_LLAMA)),
    "olmo2": ("Olmo2", {**SMALL_RMS, "rope_parameters": dict(rope_type="default", rope_theta=500000.0)}),
    "phi": ("Phi", {**SMALL_NEOX, "tie_word_embeddings": False, "layer_norm_eps": 1e-5}),
    "phi3": ("Phi3", dict(sliding_window=5, original_max_position_embeddings=128, **SMALL_RMS)),
    "phi3-longrope": (
        "Phi3",
        dict(original_max_position_embeddings=32, rope_parameters=SMALL_LONGROPE, **SMALL_RMS),
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
            **SMALL_IDS,
        ),
    ),
    "gptj": (
        "GPTJ",
        dict(n_embd=32, n_layer=2, n_head=4, n_positions=64, rotary_dim=4, n_inner=48, **SMALL_IDS),
    ),
    "bloom": ("Bloom", dict(hidden_size=24, n_layer=2, n_head=3, **SMALL_IDS)),
    "falcon": ("Falcon", dict(multi_query=True, parallel_attn=True, **SMALL_FALCON)),
    "falcon-sequential": (
        "Falcon",
        dict(multi_query=False, parallel_attn=False, bias=True, **SMALL_FALCON),
    ),
    "stablelm": ("StableLm", dict(use_qkv_bias=True, **SMALL_STABLELM)),
    "stablelm-parallel": ("StableLm", dict(use_parallel_residual=True, **SMALL_STABLELM)),
    "starcoder2": ("Starcoder2", dict(norm_epsilon=1e-4, sliding_window=5, use_bias=True, **SMALL_LLAMA)),
    "granite": (
        "Granite",
        {
            **SMALL_RMS,
            "embedding_multiplier": 6.0,
            "attention_multiplier": 0.2,
            "residual_multiplier": 0.3,
            "logits_scaling": 4.0,
        },
    ),
    "smollm3": (
        "SmolLM3",
        {
            **SMALL_RMS,
            "no_rope_layer_interval": 2,
            "rope_parameters": dict(rope_type="default", rope_theta=5e6),
        },
    ),
    # Their order gives the seeds: new ones come last.
    "llama-yarn": ("Llama", {**SMALL_RMS, "rope_parameters": SMALL_YARN}),
    "qwen3-yarn": (
        "Qwen3",
        dict(
            head_dim=16,
            tie_word_embeddings=True,
            **{**SMALL_QWEN, "rope_parameters": {**SMALL_YARN, **SMALL_MSCALE}},
        ),
    ),
    "llama-dynamic-rope": (
        "Llama",
        {**SMALL_RMS, "rope_parameters": dict(rope_type="dynamic", rope_theta=20000.0, factor=4.0)},
    ),
    "neox-linear-rope": (
        "GPTNeoX",
        {
            **SMALL_NEOX,
            "rope_parameters": dict(
                rope_type="linear", rope_theta=5000.0, partial_rotary_factor=0.5, factor=4.0
            ),
        },
    ),
}
