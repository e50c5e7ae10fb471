#!/usr/bin/env python3
"""Make the golden checkpoints: tiny random models with the results of PyTorch for them.

    python make_checkpoints.py [OUT [NAME ...]]

By default OUT is the folder of this script. If names are given, only those checkpoints of SMALL are made.

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

forms/ contains the weights of llama-linear-rope in the other published forms (see `make_other_forms`).
"""

import json
import sys
from collections import OrderedDict
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText
from transformers import GPT2Config, LlamaConfig
from transformers.pytorch_utils import Conv1D

from newer_configs import NEWER
from older_dialects import (
    add_pythia_buffers,
    hub_config,
    rename_as_internlm2,
    rename_as_on_hub,
)
from small_configs import GPT2, LLAMA, SMALL, SMALL_VOCAB, VOCAB

SMALL = {**SMALL, **NEWER}  # their order gives the seeds

TOKENS = 12  # in every input row
END = "<|endoftext|>"

CORPUS = [
    "The capital of France is Paris. The capital of Mexico is Mexico City." " The capital of Egypt is Cairo.",
    "France, Mexico, Egypt, Japan, Brazil, Kenya, Norway, Peru, India, Ghana.",
    "Once upon a time, there was a little girl named Lily." " She loved to play outside in the park.",
    "one two three four five six seven eight nine ten",
    "apple, pear, banana, orange, grape, cherry, lemon",
    "the cat sat on the mat and the dog ran to the house",
]
INPUTS = [
    "France, Mexico, Egypt, Japan, Brazil",
    "The capital of France is Paris. The cat",
    "Once upon a time, there was a little girl na",
]


# One small checkpoint for each architecture and each of its own settings. The numbers are not defaults, and
# ignoring a setting changes the results within 12 tokens.


def auto_class(config):
    """The class of the model of a config, with or without images."""
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
    """The input rows, truncated to TOKENS; a shorter row is padded with tokens 300, 301, ..."""
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
                # The stacked experts of gpt-oss are also stored as (inputs, outputs).
                transposed |= parameter.ndim == 3 and model.config.model_type == "gpt_oss"
                scale = 1.6 / parameter.shape[-2 if transposed else -1] ** 0.5
            parameter.copy_(noise * scale)
        elif name.endswith("bias"):
            parameter.copy_(noise * 0.2)
        else:  # the weight of a norm, which Gemma and Nemotron store less 1
            is_less_one = model.config.model_type.startswith(("gemma", "nemotron", "vaultgemma"))
            centre = 0.0 if is_less_one else 1.0
            parameter.copy_(centre + noise * 0.3)
    for name, buffer in model.named_buffers():
        if name.endswith("correction_bias"):
            buffer.copy_(torch.randn(buffer.shape, generator=generator) * 0.2)


def load(folder, config="config.json"):
    """The checkpoint as a model in f32, dropout off, every weight taken from its file."""
    settings = AutoConfig.from_pretrained(folder / config)
    # The Falcon code adds ALiBi twice in "eager" attention, and once in its default attention.
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
    """The submodule at a dotted path; None if it does not exist."""
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
    """Compare the numbers of parameters in published.json with those of transformers."""
    for row in json.loads(path.read_text()):
        config = AutoConfig.for_model(**row["config"])
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
        model.tie_weights()
        n_params = sum(parameter.numel() for parameter in model.parameters())
        assert n_params == row["n_params"], (row["model"], n_params)


# Keys without a default in the class, or with inconsistent defaults.
WITHOUT_DEFAULT = {
    "dots1": dict(n_routed_experts=8, n_shared_experts=1, num_experts_per_tok=2),
    "glm4_moe": dict(head_dim=128),
}


def write_defaults(path):
    """Every key that transformers writes for each model type, with its default."""
    kinds = {
        json.loads((path.parent / name / "config.json").read_text())["model_type"]
        for name in names(path.parent)
    }
    kinds = sorted(kinds - {"internlm2"})
    rows = []
    for kind in kinds:
        config = transformers.AutoConfig.for_model(kind, **WITHOUT_DEFAULT.get(kind, {})).to_dict()
        rows.append({key: value for key, value in sorted(config.items()) if key != "transformers_version"})
    path.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def names(out):
    """The golden checkpoints of a folder."""
    return sorted(folder.parent.name for folder in out.glob("*/oracle.safetensors"))


def make_other_forms(out, name):
    """The weights of the checkpoint `name` in the other published forms.

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
        # A parameter and a view into a larger storage are pickled differently.
        half = OrderedDict((key, torch.nn.Parameter(weights[key].half())) for key in part)
        both = torch.stack([weights[part[0]], weights[part[0]]]).half()
        half[part[0]] = both[1]
        # A matrix in column-major order.
        matrix = next(key for key in part[1:] if weights[key].ndim == 2)
        half[matrix] = weights[matrix].half().t().contiguous().t()
        torch.save(half, folder / file)
    index(folder, "pytorch_model", "bin")


def make_small(out, names):
    """Make these checkpoints of SMALL."""
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
