#!/usr/bin/env python3
"""Make the golden tokenizers: small models in the published formats, with the ids of texts.

    python make_tokenizers.py [OUT]        (OUT: by default tokenizers/ next to this script)

Made with Python 3.11, sentencepiece 0.2.3, transformers 5.24.0 and tokenizers 0.23.3.

    NAME.model    a sentencepiece model
    byte-level/   vocab.json and merges.txt, which the tests read as GPT-2's and as Qwen2's
    ids.json      for each of these, `texts` (given once) as ids: sentencepiece's own for NAME, and those of
                  transformers' GPT2Tokenizer and Qwen2Tokenizer for byte-level/
"""

import io
import json
import os
import sys
import tempfile
from pathlib import Path

import sentencepiece
from transformers import GPT2Tokenizer, Qwen2Tokenizer

from make_checkpoints import CORPUS, INPUTS, make_tokenizer

TEXTS = INPUTS + [
    "",
    " ",
    "a",
    " two  spaces,   three",
    "ends in a space ",
    "line\nfeed\tand tab",
    "caf\u00e9 na\u00efve \u2603 \U0001f600 \u4f60\u597d",
    "\ufb01ne \u00bd \uff21\uff22 e\u0301",
    "<s> is text, </s> and <unk> as well",
    "<|mark|> stands for itself<|mark|><|mark|>",
    "12345 and 6,789.01",
    "Don't you'll THE'RE",
    "xyzzyxyzzy qqqqq",
]

# Rules: other blanks become spaces; a ligature, wide letters and a composed letter are replaced.
RULES = "9\t20\nA\t20\nFB01\t66 69\nFF21\t41\nFF22\t42\n65 301\tE9\n"

SENTENCEPIECE = {
    # Like OpenLLaMA: bytes for characters without a piece, spaces unchanged.
    "bpe-bytes": dict(
        model_type="bpe",
        byte_fallback=True,
        vocab_size=420,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
    ),
    # Like the default of sentencepiece, with a few of its thousand rules, and a symbol that is
    # never split.
    "bpe-rules": dict(
        model_type="bpe",
        vocab_size=150,
        user_defined_symbols=["<|mark|>", "\u2581\u2581"],
        normalization_rule_tsv="rules.tsv",
    ),
    "unigram-rules": dict(model_type="unigram", vocab_size=150, normalization_rule_tsv="rules.tsv"),
    # Like Gemma: no space before the first word.
    "unigram-bytes": dict(
        model_type="unigram",
        byte_fallback=True,
        vocab_size=390,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        user_defined_symbols=["<|mark|>", "\n"],
    ),
}


def main(out):
    out.mkdir(exist_ok=True)
    os.chdir(tempfile.mkdtemp())
    Path("rules.tsv").write_text(RULES, encoding="utf-8")
    ids = {"texts": TEXTS}
    for name, options in SENTENCEPIECE.items():
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS * 4),
            model_writer=model,
            character_coverage=1.0,
            hard_vocab_limit=False,
            num_threads=1,
            **options,
        )
        (out / f"{name}.model").write_bytes(model.getvalue())
        processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
        ids[name] = [processor.encode(text) for text in TEXTS]
    folder = out / "byte-level"
    folder.mkdir(exist_ok=True)
    model = json.loads(make_tokenizer().to_str())["model"]
    merges = [" ".join(merge) if isinstance(merge, list) else merge for merge in model["merges"]]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    files = dict(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    ids["gpt2"] = [GPT2Tokenizer(**files)(text).input_ids for text in TEXTS]
    ids["qwen2"] = [Qwen2Tokenizer(**files)(text).input_ids for text in TEXTS]
    (out / "ids.json").write_text(json.dumps(ids) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "tokenizers").resolve())
