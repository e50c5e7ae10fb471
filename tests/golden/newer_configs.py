"""Configs of the small golden checkpoints, continued: experts, images, and architectures of later years."""

from small_configs import (
    SMALL_EXPERTS,
    SMALL_FALCON,
    SMALL_IDS,
    SMALL_IMAGES,
    SMALL_LLAMA,
    SMALL_LLAMA3,
    SMALL_MROPE,
    SMALL_QWEN_IMAGES,
    SMALL_RMS,
    SMALL_SANDWICH,
    SMALL_YARN,
)

NEWER = {
    "mixtral": ("Mixtral", dict(num_local_experts=4, sliding_window=5, **SMALL_EXPERTS)),
    "qwen2-moe": (
        "Qwen2Moe",
        {
            **SMALL_EXPERTS,
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
        dict(head_dim=16, num_experts=4, moe_intermediate_size=16, norm_topk_prob=True, **SMALL_EXPERTS),
    ),
    "olmoe": ("Olmoe", dict(num_experts=4, norm_topk_prob=False, **SMALL_EXPERTS)),
    "granite-moe": (
        "GraniteMoe",
        {
            **SMALL_EXPERTS,
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
            **SMALL_EXPERTS,
            "num_local_experts": 4,
            "head_dim": 16,
            "sliding_window": 5,
            "swiglu_limit": 1.0,
            "rope_parameters": {**SMALL_YARN, "rope_theta": 150000.0, "truncate": False},
        },
    ),
    "olmo3": (
        "Olmo3",
        {
            **SMALL_RMS,
            "sliding_window": 5,
            "layer_types": ["sliding_attention", "full_attention"],
            "rope_parameters": {
                "full_attention": {**SMALL_YARN, "rope_theta": 500000.0},
                "sliding_attention": dict(rope_type="default", rope_theta=500000.0),
            },
        },
    ),
    "falcon-40b": ("Falcon", dict(new_decoder_architecture=True, num_kv_heads=2, **SMALL_FALCON)),
    "falcon-rw": (
        "Falcon",
        {
            **SMALL_FALCON,
            "num_attention_heads": 16,
            "alibi": True,
            "multi_query": False,
            "parallel_attn": False,
            "bias": True,
        },
    ),
    "gpt-bigcode": (
        "GPTBigCode",
        dict(n_embd=32, n_layer=2, n_head=4, n_positions=32, n_inner=48, **SMALL_IDS),
    ),
    "mpt": (
        "Mpt",
        dict(
            d_model=24,
            n_heads=3,
            n_layers=2,
            max_seq_len=32,
            attn_config=dict(clip_qkv=1.5, softmax_scale=0.3),
            **SMALL_IDS,
        ),
    ),
    "cohere": ("Cohere", dict(logit_scale=0.25, **SMALL_LLAMA)),
    "cohere-qk-norm": ("Cohere", dict(use_qk_norm=True, attention_bias=True, **SMALL_LLAMA)),
    "cohere2": (
        "Cohere2",
        dict(sliding_window=5, layer_types=["sliding_attention", "full_attention"], **SMALL_LLAMA),
    ),
    "gemma3-images": (
        "Gemma3",
        dict(
            text_config={
                **SMALL_SANDWICH,
                "layer_types": ["sliding_attention", "full_attention"],
                "rope_parameters": {
                    "full_attention": dict(rope_type="linear", factor=8.0, rope_theta=2e6),
                    "sliding_attention": dict(rope_type="default", rope_theta=5000.0),
                },
            },
            vision_config=dict(model_type="siglip_vision_model", **SMALL_IMAGES),
            mm_tokens_per_image=4,
        ),
    ),
    "llava": (
        "Llava",
        dict(
            text_config=dict(model_type="mistral", sliding_window=5, **SMALL_RMS),
            vision_config=dict(model_type="clip_vision_model", projection_dim=8, **SMALL_IMAGES),
        ),
    ),
    "qwen2-vl": (
        "Qwen2VL",
        dict(
            text_config={**SMALL_LLAMA, "rope_parameters": SMALL_MROPE},
            vision_config=dict(depth=1, embed_dim=8, hidden_size=32, num_heads=2, mlp_ratio=1, patch_size=2),
            tie_word_embeddings=True,
        ),
    ),
    "qwen2.5-vl": (
        "Qwen2_5_VL",
        dict(text_config={**SMALL_LLAMA, "rope_parameters": SMALL_MROPE}, vision_config=SMALL_QWEN_IMAGES),
    ),
    "qwen3-vl": (
        "Qwen3VL",
        dict(
            text_config={**SMALL_LLAMA, "head_dim": 8, "rope_parameters": SMALL_MROPE},
            vision_config=dict(num_position_embeddings=4, deepstack_visual_indexes=[0], **SMALL_QWEN_IMAGES),
        ),
    ),
    "mistral3": (
        "Mistral3",
        dict(
            text_config=dict(model_type="mistral", head_dim=16, sliding_window=None, **SMALL_RMS),
            vision_config=dict(model_type="pixtral", head_dim=4, **SMALL_IMAGES),
            tie_word_embeddings=False,
        ),
    ),
    "idefics3": (
        "Idefics3",
        dict(text_config=dict(model_type="llama", **SMALL_RMS), vision_config=SMALL_IMAGES),
    ),
    "smolvlm": (
        "SmolVLM",
        dict(text_config=dict(model_type="llama", **SMALL_RMS), vision_config=SMALL_IMAGES),
    ),
    "arcee": ("Arcee", SMALL_RMS),
    "helium": ("Helium", {**SMALL_RMS, "head_dim": 8, "attention_bias": True}),
    "ernie4.5": ("Ernie4_5", {**SMALL_LLAMA, "head_dim": 8, "use_bias": True}),
    "seed-oss": ("SeedOss", {**SMALL_RMS, "head_dim": 16, "attention_out_bias": True}),
    "ministral": (
        "Ministral",
        dict(head_dim=16, sliding_window=5, layer_types=["sliding_attention", "full_attention"], **SMALL_RMS),
    ),
    "ministral3": (
        "Ministral3",
        dict(
            head_dim=16,
            rope_parameters={
                **SMALL_YARN,
                "mscale": 1.0,
                "mscale_all_dim": 1.0,
                "llama_4_scaling_beta": 0.1,
                "max_position_embeddings": 128,
            },
            **SMALL_RMS,
        ),
    ),
    "cwm": (
        "Cwm",
        dict(
            head_dim=8,
            sliding_window=5,
            layer_types=["full_attention", "sliding_attention"],
            rope_parameters=SMALL_LLAMA3,
            **SMALL_RMS,
        ),
    ),
    "jais2": ("Jais2", dict(tie_word_embeddings=False, layer_norm_eps=1e-5, **SMALL_LLAMA)),
    "glm": ("Glm", dict(head_dim=8, **SMALL_RMS)),
    "glm4": ("Glm4", dict(head_dim=16, attention_bias=True, **SMALL_RMS)),
    "vaultgemma": (
        "VaultGemma",
        dict(attn_logit_softcapping=5.0, final_logit_softcapping=8.0, **SMALL_SANDWICH),
    ),
    "exaone": ("Exaone", SMALL_RMS),
    "exaone4": (
        "Exaone4",
        dict(sliding_window=5, layer_types=["sliding_attention", "full_attention"], **SMALL_RMS),
    ),
    "iquestcoder": ("IQuestCoder", dict(head_dim=16, **SMALL_RMS)),
    "flex-olmo": ("FlexOlmo", dict(num_experts=4, **SMALL_EXPERTS)),
    "granite-moe-shared": (
        "GraniteMoeShared",
        dict(num_local_experts=4, shared_intermediate_size=20, attention_multiplier=0.2, **SMALL_EXPERTS),
    ),
    "hyperclovax": (
        "HyperCLOVAX",
        dict(
            embedding_multiplier=6.0,
            attention_multiplier=0.2,
            residual_multiplier=0.3,
            logits_scaling=0.25,
            **SMALL_RMS,
        ),
    ),
    "internlm2": ("Llama", SMALL_RMS),
    "internlm3": ("InternLM3", {**SMALL_RMS, "head_dim": 8, "attention_bias": True, "mlp_bias": True}),
    "nemotron": ("Nemotron", dict(tie_word_embeddings=False, norm_eps=1e-5, **SMALL_LLAMA)),
    "dots1": (
        "Dots1",
        {
            **SMALL_EXPERTS,
            "num_hidden_layers": 3,
            "n_routed_experts": 5,
            "n_shared_experts": 2,
            "moe_intermediate_size": 16,
            "routed_scaling_factor": 1.7,
            "first_k_dense_replace": 1,
            "sliding_window": 5,
            "max_window_layers": 2,
        },
    ),
    "glm4-moe": (
        "Glm4Moe",
        {
            **SMALL_EXPERTS,
            "head_dim": 16,
            "attention_bias": True,
            "use_qk_norm": True,
            "n_routed_experts": 6,
            "moe_intermediate_size": 16,
            "n_group": 3,
            "topk_group": 2,
            "num_experts_per_tok": 3,
            "routed_scaling_factor": 2.5,
            "first_k_dense_replace": 0,
        },
    ),
    "minimax-m2": (
        "MiniMaxM2",
        {
            **SMALL_EXPERTS,
            "head_dim": 16,
            "num_local_experts": 5,
            "rope_parameters": dict(rope_type="default", rope_theta=5e6, partial_rotary_factor=0.5),
        },
    ),
    "ernie4.5-moe": (
        "Ernie4_5_Moe",
        {
            **SMALL_EXPERTS,
            "num_hidden_layers": 3,
            "moe_num_experts": 5,
            "moe_num_shared_experts": 2,
            "moe_intermediate_size": 16,
            "moe_layer_start_index": 1,
            "moe_layer_end_index": 1,
            "tie_word_embeddings": False,
        },
    ),
    "hunyuan-dense": (
        "HunYuanDenseV1",
        {
            **SMALL_RMS,
            "head_dim": 16,
            "attention_bias": True,
            "rope_parameters": dict(rope_type="dynamic", alpha=50.0, factor=1.0, rope_theta=10000.0),
        },
    ),
    "hunyuan-moe": ("HunYuanMoEV1", {**SMALL_EXPERTS, "head_dim": 8, "num_experts": 4}),
}
