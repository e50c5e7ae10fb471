"""Makes data/public/epoch.csv from a checkout of https://github.com/epoch-research/benchmark-stitching (MIT).

    python scripts/public_table.py CHECKOUT > data/public/epoch.csv

There is one row for each model with at least two of the scores. A score is the best of the model's runs, as a
share of right answers; unknown scores are empty cells.
"""

import csv
import re
import sys
from pathlib import Path

# Epoch's own runs, and external tables with the column that Epoch's loader reads.
RUNS = {
    "GPQA diamond": "gpqa_diamond",
    "MATH level 5": "math_level_5",
    "OTIS Mock AIME 2024-2025": "otis_mock_aime",
    "FrontierMath-2025-02-28-Private": "frontiermath",
    "SWE-Bench verified": "swe_bench_verified",
}
TABLES = {
    "mmlu": ("mmlu", "EM"),
    "gsm8k": ("gsm8k", "EM"),
    "bbh": ("bbh", "Average"),
    "hellaswag": ("hellaswag", "Overall accuracy"),
    "winogrande": ("winogrande", "Accuracy"),
    "arc_challenge": ("arc_ai2", "Challenge score"),
    "piqa": ("piqa", "Score"),
    "openbookqa": ("openbookqa", "Accuracy"),
    "triviaqa": ("triviaqa", "EM"),
    "lambada": ("lambada", "Score"),
    "aider_polyglot": ("aider_polyglot", "Percent correct"),
    "arc_agi": ("arc_agi", "Score"),
    "balrog": ("balrog", "Average progress"),
    "fiction_livebench": ("fictionlivebench", "16k token score"),
    "geobench": ("geobench", "ACW Country %"),
    "livebench": ("livebench", "Global average"),
    "simplebench": ("simple_bench", "Score (AVG@5)"),
    "weirdml": ("weirdml", "Accuracy"),
}
# The developer of a model, by the beginning of its name.
DEVELOPERS = [
    ("Anthropic", "claude"),
    ("OpenAI", "gpt-|gpt2|o1|o3|o4|text-|code-davinci|chatgpt|davinci|curie|babbage|ada"),
    ("Google", "gemini|gemma|palm|lamda|t5|flan|ul2|chinchilla|gopher"),
    ("Meta", "llama|meta-llama|opt-|galactica"),
    ("xAI", "grok"),
    ("Amazon", "amazon"),
    ("NVIDIA", "nemotron|megatron"),
    ("Alibaba", "qwen|qwq"),
    ("Mistral", "mistral|mixtral|magistral|ministral|codestral|open-mi|pixtral"),
    ("DeepSeek", "deepseek"),
    ("Microsoft", "phi"),
    ("01.AI", "yi-"),
    ("EleutherAI", "gpt-neo|gpt-j|pythia"),
    ("TII", "falcon"),
    ("MosaicML", "mpt"),
    ("Baichuan", "baichuan"),
    ("InternLM", "internlm"),
    ("BigScience", "bloom"),
    ("Moonshot", "kimi"),
    ("Stability", "stablelm|stablebeluga"),
]
# Models whose weights are public although the table names no repository.
OPEN = re.compile(
    r"llama|open-mi|gpt-oss|qwen1\.5|qwen2|qwen3-\d|mistral-small-25|magistral-small|ministral-8b|gpt-neo|"
    r"gpt-j|"
    r"gpt2|opt-|pythia|falcon|mpt|bloom|baichuan|internlm|yi-|stablelm|gemma|phi|deepseek|t5|ul2|kimi-k2",
    re.IGNORECASE,
)


def read(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def developer(name):
    # Some names of EleutherAI's models begin like names of OpenAI's models, so they are matched first.
    for found, pattern in sorted(DEVELOPERS, key=lambda row: row[0] != "EleutherAI"):
        if re.match(pattern, name, re.IGNORECASE):
            return found
    return ""


def size(*names):
    """Billions of parameters in the name of a model; empty for a mixture of experts."""
    for name in names:
        found = re.search(r"(?<![x\d.])(\d+(?:\.\d+)?)\s?b(?![a-z])", name or "", re.IGNORECASE)
        if found and not re.search(r"\dx\d", name):
            return found.group(1)
    return ""


def main(checkout):
    data = Path(checkout) / "data"
    scores = {}

    def add(model, column, value):
        own = scores.setdefault(model, {})
        own[column] = max(value, own.get(column, 0.0))

    for row in read(data / "benchmarks_runs.csv"):
        if row["task"] in RUNS and row["Best score (across scorers)"]:
            add(row["model"], RUNS[row["task"]], float(row["Best score (across scorers)"]))
    for column, (table, field) in TABLES.items():
        for row in read(data / f"external_benchmark_{table}.csv"):
            value = row[field].rstrip("%")
            if value:
                add(row["Model version"], column, float(value) / 100)
    versions = {row["id"]: row for row in read(data / "model_versions.csv")}
    columns = list(RUNS.values()) + list(TABLES)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["model", "family", "weights", "released", "params_b", *columns])
    for model in sorted(scores):
        own, version = scores[model], versions.get(model, {})
        if not model or len(own) < 2:
            continue
        repository = version.get("Hugging Face developer id", "")
        is_open = bool(repository) or bool(OPEN.match(model))
        row = [
            model,
            developer(model) or repository,
            "open" if is_open else "closed",
            version.get("Version release date", ""),
            size(model, version.get("Model")) if is_open else "",
        ]
        cells = [f"{own[name]:.4f}".rstrip("0").rstrip(".") if name in own else "" for name in columns]
        writer.writerow(row + cells)


main(sys.argv[1])
