#!/usr/bin/env python3
"""Make real.json: a few results of Python libraries for two real GGUF files.

    python make_real.py FOLDER

FOLDER is the folder of `scripts/real-models`. Made with Python 3.11, gguf 0.19.0, torch 2.15.0,
transformers 5.24.0 with accelerate, tokenizers 0.23.3, sentencepiece 0.2.3 and protobuf.

For each file: token ids of `texts` (SmolLM2 by the steps that its published tokenizer.json has, over
the tokens and merges of the file; Gemma by sentencepiece itself over the pieces and scores of the
file), and of `ids` the residual stream of the last position at some depths (its first values and its
norm, before the final norm) and the five most likely next tokens, by transformers with `gguf_file=`.
"""

import json
import os
import sys
from pathlib import Path

import torch
from gguf import GGUFReader
from transformers import AutoModelForCausalLM

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from make_checkpoints import find  # noqa: E402

TEXTS = [
    "France, Mexico, Egypt, Japan, Brazil",
    "The capital of France is Paris. It's 12345 and 67!",
    "  two  spaces\n\nand lines\n\n\n\n\tend ",
    "caf\u00e9 na\u00efve \u4e2d\u6587 \U0001f600 \u0645\u0631\u062d\u0628\u0627 \u16a0",
    "don't DON'T we'll x=1+2; (a_b)[3]<b>bold</b>",
]
IDS = [17, 504, 3575, 281, 4649, 314, 7042, 30, 378, 1929, 282, 338]


def smollm2_ids(reader):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokens = reader.get_field("tokenizer.ggml.tokens").contents()
    merges = [tuple(m.split(" ")) for m in reader.get_field("tokenizer.ggml.merges").contents()]
    tokenizer = Tokenizer(models.BPE({text: i for i, text in enumerate(tokens)}, merges))
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [digits, pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return [tokenizer.encode(text).ids for text in TEXTS]


def gemma3_ids(reader):
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    fields = [
        reader.get_field(f"tokenizer.ggml.{key}").contents() for key in ("tokens", "scores", "token_type")
    ]
    model = sentencepiece_model_pb2.ModelProto()
    for i, (text, score, kind) in enumerate(zip(*fields)):
        kind = 2 if text == "<unk>" else kind
        model.pieces.add(piece=text, score=score, type=kind)
    model.trainer_spec.model_type = 2
    model.trainer_spec.byte_fallback = True
    model.trainer_spec.pad_id, model.trainer_spec.eos_id = 0, 1
    model.trainer_spec.bos_id, model.trainer_spec.unk_id = 2, 3
    model.normalizer_spec.add_dummy_prefix = False
    model.normalizer_spec.remove_extra_whitespaces = False
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
    return [processor.encode(text) for text in TEXTS]


@torch.no_grad()
def states(folder, name):
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=f"{name}.gguf", dtype=torch.float32).eval()
    stream = {}
    blocks = find(model, "model.layers")
    for depth in (1, len(blocks) // 2, len(blocks)):

        def keep(_module, _args, output, depth=depth):
            stream[depth] = (output[0] if isinstance(output, tuple) else output)[0, -1].double()

        blocks[depth - 1].register_forward_hook(keep)
    logits = model(torch.tensor([IDS])).logits[0, -1]
    return {
        "states": {
            str(depth): {"first": h[:4].tolist(), "norm": h.norm().item()} for depth, h in stream.items()
        },
        "top": logits.topk(5).indices.tolist(),
        "logits": logits.topk(5).values.tolist(),
    }


def main():
    folder = Path(sys.argv[1]).resolve()
    os.chdir(folder)  # a file of the same name in the current folder would take precedence
    out = {"texts": TEXTS, "ids": IDS}
    for name, ids in (("smollm2", smollm2_ids), ("gemma3", gemma3_ids)):
        reader = GGUFReader(folder / f"{name}.gguf")
        out[name] = {"token_ids": ids(reader), **states(folder, name)}
    (HERE / "real.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
