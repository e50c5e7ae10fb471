#!/usr/bin/env python3
"""Make the golden checkpoints: tiny random models with what PyTorch computes from them.

    python make_checkpoints.py [OUT]        (OUT: this script's own folder unless given)

Made with Python 3.11, torch 2.15.0, transformers 5.23.0, tokenizers 0.23.3 and
safetensors 0.8.0, on one CPU thread, in f32. Two runs on one machine write the same bytes.

Each folder is a complete checkpoint:

    config.json           as transformers 5 writes it (`rope_parameters`, `dtype`)
    config.hub.json       the same model in the older dialect that most published checkpoints
                          carry (`rope_theta`, `rope_scaling`, `torch_dtype`)
    model.safetensors     the weights, a tied head stored once
    tokenizer.json        byte-level BPE, 384 tokens, <|endoftext|> = 0
    tokenizer_config.json
    oracle.safetensors    input_ids (3, 12) i64; h_0 .. h_L (3, 12, width), the residual stream:
                          h_i enters block i, h_L leaves the last block, before the final norm;
                          logits (3, 12, 384)
    training.safetensors  (gpt2 and llama-gqa) one training step, dropout off:
                          loss          mean cross-entropy of tokens 1..11 given tokens 0..10
                          grad.<name>   its gradient for every weight of model.safetensors,
                                        before clipping
                          after.<name>  three of the weights after the step: gradients clipped to
                                        global norm 1, then AdamW (see `training_step`)
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, GPT2Config, LlamaConfig
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
        if parameter.ndim >= 2:
            if any(part in name for part in ("embed", "wte", "wpe")):
                scale = 0.5
            else:
                # Conv1D (GPT-2) stores its weight as (inputs, outputs), Linear the other way.
                transposed = isinstance(modules[name.rpartition(".")[0]], Conv1D)
                scale = 1.6 / parameter.shape[0 if transposed else -1] ** 0.5
            parameter.copy_(noise * scale)
        elif name.endswith("bias"):
            parameter.copy_(noise * 0.2)
        else:  # the weight of a norm
            parameter.copy_(1.0 + noise * 0.3)


def hub_config(config, name):
    """The configuration in the dialect of transformers 4."""
    old = config.to_dict()
    old["_name_or_path"] = name
    old["transformers_version"] = "4.40.0"
    old["torch_dtype"] = str(old.pop("dtype")).removeprefix("torch.")
    rope = old.pop("rope_parameters", None)
    if rope is not None:
        assert rope["rope_type"] == "default"
        old["rope_theta"] = rope["rope_theta"]
        old["rope_scaling"] = None
    kept_null = ("rope_scaling", "pad_token_id")
    return {key: value for key, value in old.items() if value is not None or key in kept_null}


def rename_as_on_hub(path):
    """Rewrite a GPT-2 weight file as published: no `transformer.` prefix, mask buffers kept."""
    weights = {key.removeprefix("transformer."): value for key, value in load_file(path).items()}
    mask = torch.ones(1, 1, GPT2["n_positions"], GPT2["n_positions"]).tril()
    for block in {key.split(".")[1] for key in weights if key.startswith("h.")}:
        weights[f"h.{block}.attn.bias"] = mask.clone()
    save_file(weights, path, metadata={"format": "pt"})


def load(folder, config="config.json"):
    """The checkpoint as a model in f32, dropout off, every weight taken from its file."""
    model, info = AutoModelForCausalLM.from_pretrained(
        folder,
        config=AutoConfig.from_pretrained(folder / config),
        attn_implementation="eager",
        dtype=torch.float32,
        output_loading_info=True,
    )
    assert not info["missing_keys"], info
    return model.eval()


def logits_of(model, ids):
    return model(ids, use_cache=False).logits


@torch.no_grad()
def oracle(model, ids):
    """Token ids, the raw residual stream around every block, and the logits."""
    blocks = model.transformer.h if hasattr(model, "transformer") else model.model.layers
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


def make(folder, config, seed, tokenizer, as_on_hub=False, shown=()):
    """Write one checkpoint; `shown` names the weights kept from its training step, if any."""
    print(folder.name)
    folder.mkdir(parents=True, exist_ok=True)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float()
    randomise(model, seed)
    model.tie_weights()
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if as_on_hub:
        rename_as_on_hub(folder / "model.safetensors")
    old = json.dumps(hub_config(model.config, folder.name), indent=1)
    (folder / "config.hub.json").write_text(old + "\n")

    tokenizer.save(str(folder / "tokenizer.json"))
    roles = {"eos_token": END, "bos_token": END, "unk_token": END}
    roles = {"tokenizer_class": "PreTrainedTokenizerFast", **roles}
    (folder / "tokenizer_config.json").write_text(json.dumps(roles, indent=1) + "\n")

    # Everything below is computed from the files.
    ids = encode_inputs(tokenizer)
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


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
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


if __name__ == "__main__":
    main()
