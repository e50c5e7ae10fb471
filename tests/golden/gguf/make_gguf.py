#!/usr/bin/env python3
"""Make the golden GGUF files from the golden checkpoints next to this folder.

    python make_gguf.py [NAME ...]

Made with Python 3.11, gguf 0.19.0, torch 2.15.0, transformers 5.24.0, tokenizers 0.23.3 and
sentencepiece 0.2.3; with accelerate, which transformers needs for GGUF files. Two runs write the same bytes.

    NAME.gguf             the checkpoint ../NAME as llama.cpp's converter would store it: tensor names
                          by the `gguf` package, queries and keys of Llamas with adjacent rotary
                          pairs, norms of Gemma with 1 added, fused projections in its order; f32
    NAME.safetensors      states and logits of the model in the file, if the format cannot represent a
                          setting of the checkpoint (Gemma's scale of scores follows from the head
                          width, and SmolLM3's blocks without positions from their number).
                          Otherwise ../NAME/oracle.safetensors is used.
    parts/                llama3-rope in several files, of nine tensors each
    types.gguf            a tensor of each supported type; types.safetensors has the values that the
                          `gguf` package reads
    tokens-KIND.gguf      tokenizers without a model, and tokens.json: the ids of some texts by the
                          tokenizers library, built like the tokenizer of the models in KIND, and by
                          sentencepiece

If transformers reads GGUF files of an architecture (`gguf_file=`), its logits are compared with those of the
checkpoint, and the difference is printed.
"""

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as T
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import make_checkpoints as golden  # noqa: E402

# The checkpoint, and the name of its architecture in GGUF files.
MODELS = {
    "llama3-rope": "llama",
    "llama-linear-rope": "llama",
    "llama-yarn": "llama",
    "mistral": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "gemma": "gemma",
    "gemma2": "gemma2",
    "gemma3": "gemma3",
    "gpt2-hub-names": "gpt2",
    "pythia": "gptneox",
    "neox-sequential": "gptneox",
    "phi": "phi2",
    "phi3": "phi3",
    "phi3-longrope": "phi3",
    "starcoder2": "starcoder2",
    "stablelm": "stablelm",
    "stablelm-parallel": "stablelm",
    "olmo": "olmo",
    "olmo2": "olmo2",
    "granite": "granite",
    "falcon": "falcon",
    "bloom": "bloom",
    "smollm3": "smollm3",
}
INTERLEAVED = ("llama", "granite", "olmo", "smollm3")


def interleave(weight, n_heads):
    """Reorders rotary pairs that are half a head apart, so that they are adjacent."""
    shape = weight.shape
    return weight.reshape(n_heads, 2, shape[0] // n_heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def by_kind(weight, n_heads):
    """All queries, all keys, all values of a tensor that stores them head by head."""
    shape = weight.shape
    return weight.reshape(n_heads, 3, shape[0] // n_heads // 3, *shape[1:]).swapaxes(0, 1).reshape(shape)


def of(config, *names, default=None):
    for name in names:
        if getattr(config, name, None) is not None:
            return getattr(config, name)
    return default


def add_rope(writer, config, arch, head_dim):
    rope = of(config, "rope_parameters", default={})
    if arch == "gemma3":
        writer.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])
        rope = rope["full_attention"]
    writer.add_rope_dimension_count(int(head_dim * rope.get("partial_rotary_factor", 1.0)))
    writer.add_rope_freq_base(rope["rope_theta"])
    kind = rope["rope_type"]
    if kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if kind == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if kind == "llama3":
        low, high = rope["low_freq_factor"], rope["high_freq_factor"]
        frequencies = 1.0 / rope["rope_theta"] ** (np.arange(0, head_dim, 2) / head_dim)
        turns = rope["original_max_position_embeddings"] * frequencies / (2 * np.pi)
        smooth = np.clip((turns - low) / (high - low), 0, 1)
        factors = 1 / ((1 - smooth) / rope["factor"] + smooth)
        writer.add_tensor("rope_freqs.weight", factors.astype(np.float32))
    if kind == "longrope":
        writer.add_rope_scaling_orig_ctx_len(config.original_max_position_embeddings)
        factor = config.max_position_embeddings / config.original_max_position_embeddings
        usual = (1 + np.log(factor) / np.log(config.original_max_position_embeddings)) ** 0.5
        writer.add_rope_scaling_attn_factors(float(rope.get("attention_factor") or usual))
        for length in ("long", "short"):
            factors = np.array(rope[f"{length}_factor"], dtype=np.float32)
            writer.add_tensor(f"rope_factors_{length}.weight", factors)


def add_metadata(writer, config, arch, head_dim):
    d_model = of(config, "hidden_size")
    n_heads = of(config, "num_attention_heads", "n_head")
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(of(config, "max_position_embeddings", "seq_length", default=2048))
    writer.add_embedding_length(d_model)
    writer.add_block_count(of(config, "num_hidden_layers", "n_layer"))
    mlp = of(config, "intermediate_size", "n_inner", "ffn_hidden_size", default=4 * d_model)
    writer.add_feed_forward_length(mlp)
    writer.add_head_count(n_heads)
    n_kv = of(config, "num_key_value_heads", default=n_heads)
    if arch == "falcon":
        n_kv = 1 if config.multi_query else n_heads
    writer.add_head_count_kv(n_kv)
    if head_dim != d_model // n_heads:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if (eps := of(config, "rms_norm_eps")) is not None:
        writer.add_layer_norm_rms_eps(eps)
    else:
        writer.add_layer_norm_eps(
            of(config, "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", default=1e-5)
        )
    if of(config, "sliding_window") and not arch.startswith("qwen"):
        writer.add_sliding_window(config.sliding_window)
    if arch == "gemma3":
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config.layer_types])
    if arch == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    if arch == "granite":
        writer.add_attention_scale(config.attention_multiplier)
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_logit_scale(config.logits_scaling)
    if arch in ("gptneox", "stablelm"):
        writer.add_parallel_residual(config.use_parallel_residual)
    if arch == "olmo":
        writer.add_clamp_kqv(config.clip_qkv)
    if arch == "bloom":
        writer.add_max_alibi_bias(8.0)
    if arch not in ("gpt2", "bloom"):
        add_rope(writer, config, arch, head_dim)
    return n_heads, n_kv


def convert(name, arch, parts_of=0):
    model = AutoModelForCausalLM.from_pretrained(HERE.parent / name, dtype=torch.float32)
    model.eval()
    config = model.config
    if arch in ("gemma2", "gemma3"):  # the format has no key for the scale of scores
        config.query_pre_attn_scalar = config.head_dim
        model = AutoModelForCausalLM.from_pretrained(HERE.parent / name, config=config, dtype=torch.float32)
        model.eval()
        ids = torch.arange(36).reshape(3, 12) % config.vocab_size
        save_file(golden.oracle(model, ids), HERE / f"{name}.safetensors")
    if arch == "smollm3":  # nor for the blocks with rotary positions: every fourth has none
        config.num_hidden_layers, config.no_rope_layers = 4, [1, 1, 1, 0]
        config.layer_types = ["full_attention"] * 4
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
        golden.randomise(model, 1)
        ids = torch.arange(36).reshape(3, 12) % config.vocab_size
        save_file(golden.oracle(model, ids), HERE / f"{name}.safetensors")
    n_heads = of(config, "num_attention_heads", "n_head")
    head_dim = of(config, "head_dim", default=config.hidden_size // n_heads)
    folder = HERE / "parts" if parts_of else HERE
    folder.mkdir(exist_ok=True)
    writer = gguf.GGUFWriter(folder / f"{name}.gguf", arch, split_max_tensors=parts_of)
    writer.add_type("model")
    writer.add_name(name)
    n_heads, n_kv = add_metadata(writer, config, arch, head_dim)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    n_layers = of(config, "num_hidden_layers", "n_layer")
    which = next(key for key, value in gguf.MODEL_ARCH_NAMES.items() if value == arch)
    names = gguf.get_tensor_name_map(which, n_layers)
    state = model.state_dict()
    tied = config.tie_word_embeddings
    for key, tensor in state.items():
        if tied and key in ("lm_head.weight", "embed_out.weight"):
            continue
        if key.endswith((".inv_freq", ".attention.bias", ".masked_bias", ".attn.bias")):
            continue
        data = tensor.numpy()
        if arch == "gpt2" and key.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
            data = data.T
        if arch in INTERLEAVED and "q_proj" in key:
            data = interleave(data, n_heads)
        if arch in INTERLEAVED and "k_proj" in key:
            data = interleave(data, n_kv)
        if "query_key_value" in key and (arch != "falcon" or n_kv == n_heads):
            data = by_kind(data, n_heads)
        if arch.startswith("gemma") and key.endswith("norm.weight"):
            data = data + 1
        key = key.removeprefix("transformer.") if arch == "bloom" else key
        to = names.get_name(key, try_suffixes=(".weight", ".bias"))
        assert to is not None, key
        writer.add_tensor(to, np.ascontiguousarray(data))
    write(writer)
    if not parts_of:
        compare(name, model)


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@torch.no_grad()
def compare(name, model):
    ids = torch.arange(36).reshape(3, 12) % model.config.vocab_size
    ours = model(ids).logits
    try:
        # With the config of the checkpoint, because transformers reads few of the keys.
        file = dict(gguf_file=f"{name}.gguf", config=model.config)
        theirs = AutoModelForCausalLM.from_pretrained(HERE, dtype=torch.float32, **file)
        theirs = theirs.eval()(ids).logits
    except Exception as error:  # an architecture or a key that transformers does not read
        print(f"{name}: transformers does not read it ({str(error).splitlines()[0][:80]})")
        return
    print(f"{name}: off by {(ours - theirs).abs().max().item():.1e} of {ours.abs().max().item():.1f}")


def make_types():
    """Two rows of 256 values in every type."""
    rng = np.random.default_rng(1)
    values = (rng.standard_normal((2, 256)) * 0.7).astype(np.float32)
    writer = gguf.GGUFWriter(HERE / "types.gguf", "llama")
    writer.add_name("types")
    truth = {}
    for kind in (T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.MXFP4):
        data = gguf.quants.quantize(values, kind)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        truth[kind.name] = gguf.quants.dequantize(data, kind)
    for kind in (T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K):
        block, size = gguf.GGML_QUANT_SIZES[kind]
        data = rng.integers(0, 256, (2, 256 // block * size), dtype=np.uint8)
        # Scales and minima of a plausible size, at the position of each type.
        places = {T.Q2_K: (80, 82), T.Q3_K: (108,), T.Q4_K: (0, 2), T.Q5_K: (0, 2), T.Q6_K: (208,)}[kind]
        for place in places:
            scale = rng.uniform(0.001, 0.02, 2).astype(np.float16)
            data[:, place : place + 2] = scale.view(np.uint8).reshape(2, 2)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        truth[kind.name] = gguf.quants.dequantize(data, kind)
    write(writer)
    truth = {name: torch.from_numpy(np.ascontiguousarray(v, dtype=np.float32)) for name, v in truth.items()}
    save_file(truth, HERE / "types.safetensors")


TEXTS = [
    "France, Mexico, Egypt, Japan, Brazil",
    "The capital of France is Paris. It's 12345 and 67!",
    "  two  spaces\n\nand lines\r\n\tend ",
    "caf\u00e9 na\u00efve \u4e2d\u6587 \U0001f600 \u0645\u0631\u062d\u0628\u0627",
    "don't DON'T we'll x=1+2; (a_b)[3]",
    "",
    "<|endoftext|> is no mark",
]


def make_tokenizers():
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers
    from tokenizers import pre_tokenizers as pre

    base = json.loads((HERE.parent / "llama-gqa" / "tokenizer.json").read_text())["model"]
    vocab = base["vocab"]
    merges = [tuple(pair) if isinstance(pair, list) else tuple(pair.split(" ")) for pair in base["merges"]]
    tokens = [text for text, _ in sorted(vocab.items(), key=lambda item: item[1])]
    contractions = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
    rest = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    raw, gpt2 = pre.ByteLevel(add_prefix_space=False, use_regex=False), pre.ByteLevel(add_prefix_space=False)
    cut = lambda pattern: pre.Split(Regex(pattern), "isolated")  # noqa: E731
    kinds = {
        "gpt-2": (gpt2, None),
        "smollm": (pre.Sequence([pre.Digits(individual_digits=True), gpt2]), None),
        "falcon": (
            pre.Sequence(
                [
                    pre.Punctuation("contiguous"),
                    gpt2,
                    pre.Digits(individual_digits=False),
                    cut("[0-9][0-9][0-9]"),
                ]
            ),
            None,
        ),
        "llama-bpe": (pre.Sequence([cut(contractions + r"\p{N}{1,3}" + rest), raw]), None),
        "qwen2": (pre.Sequence([cut(contractions + r"\p{N}" + rest), raw]), normalizers.NFC()),
        "olmo": (gpt2, normalizers.NFC()),
    }
    truth = {}
    for kind, (step, normalizer) in kinds.items():
        writer = gguf.GGUFWriter(HERE / f"tokens-{kind}.gguf", "llama")
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(kind)
        writer.add_token_list(tokens)
        writer.add_token_types([3 if text == golden.END else 1 for text in tokens])
        writer.add_token_merges([" ".join(pair) for pair in merges])
        writer.add_bos_token_id(0)
        writer.add_eos_token_id(0)
        write(writer)
        model = models.BPE(vocab, merges, ignore_merges=kind == "llama-bpe")
        reference = Tokenizer(model)
        reference.pre_tokenizer = step
        if normalizer is not None:
            reference.normalizer = normalizer
        reference.decoder = decoders.ByteLevel()
        truth[kind] = [reference.encode(text).ids for text in TEXTS]
    truth.update(make_pieces())
    (HERE / "tokens.json").write_text(json.dumps({"texts": TEXTS, "ids": truth}) + "\n")


def make_pieces():
    import sentencepiece

    truth = {}
    # As make_tokenizers.py trained them: with a space before the first word, or without.
    for kind, name, has_prefix in (("llama", "bpe-bytes", True), ("t5", "unigram-bytes", False)):
        folder = HERE.parent / "tokenizers"
        path = next(p for p in sorted(folder.rglob("*.model")) if name in str(p))
        model = sentencepiece.SentencePieceProcessor(str(path))
        n = model.vocab_size()
        pieces = [model.id_to_piece(i) for i in range(n)]
        tests = {2: model.is_unknown, 3: model.is_control, 5: model.is_unused, 6: model.is_byte}
        types = [next((code for code, test in tests.items() if test(i)), 1) for i in range(n)]
        for whole in ("<|mark|>", "\n"):
            if whole in pieces:
                types[pieces.index(whole)] = 4
        writer = gguf.GGUFWriter(HERE / f"tokens-{kind}.gguf", "llama")
        writer.add_tokenizer_model(kind)
        writer.add_tokenizer_pre("default")
        writer.add_token_list(pieces)
        writer.add_token_scores([model.get_score(i) for i in range(n)])
        writer.add_token_types(types)
        writer.add_add_space_prefix(has_prefix)
        writer.add_remove_extra_whitespaces(False)
        writer.add_bos_token_id(model.bos_id())
        writer.add_eos_token_id(model.eos_id())
        writer.add_unk_token_id(model.unk_id())
        write(writer)
        truth[kind] = [model.encode(text) for text in TEXTS]
    return truth


if __name__ == "__main__":
    torch.set_num_threads(1)
    chosen = sys.argv[1:]
    for name, arch in MODELS.items():
        if not chosen or name in chosen:
            convert(name, arch)
    if not chosen:
        convert("llama3-rope", "llama", parts_of=9)
        make_types()
        make_tokenizers()
