"""Results and samples of the lm-evaluation-harness, as its own tool writes them: lm-eval 0.4.13 with its
`dummy` model (random log-probabilities, the answer "lol") on two tasks of a few lines. The description of the
machine is removed from the results. Python 3.11, datasets 5.2.0.

    python make_results.py      # writes results_*.json and samples_*.jsonl next to itself
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

CHOICE = """task: golden_mc
dataset_path: json
dataset_kwargs:
  data_files: {test: mc.jsonl}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{choices}}"
doc_to_target: gold
num_fewshot: 0
metric_list:
  - {metric: acc, higher_is_better: true}
  - {metric: acc_norm, higher_is_better: true}
metadata: {version: 1.0}
"""

GENERATE = """task: golden_gen
dataset_path: json
dataset_kwargs:
  data_files: {test: gen.jsonl}
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
num_fewshot: 2
fewshot_split: test
generation_kwargs: {until: ["\\n"], do_sample: false}
metric_list:
  - {metric: exact_match, higher_is_better: true}
filter_list:
  - name: strict-match
    filter: [{function: regex, regex_pattern: "^(lol)$"}, {function: take_first}]
  - name: first-letter
    filter: [{function: regex, regex_pattern: "^(.)"}, {function: take_first}]
metadata: {version: 2.0}
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        choices = ["red", "green", "dark blue"]
        documents = [{"question": f"Question {i}?", "choices": choices, "gold": i % 3} for i in range(12)]
        (here / "mc.jsonl").write_text("".join(json.dumps(d) + "\n" for d in documents))
        documents = [{"question": f"Say {i}.", "answer": "lol" if i % 4 else "other"} for i in range(8)]
        (here / "gen.jsonl").write_text("".join(json.dumps(d) + "\n" for d in documents))
        (here / "golden_mc.yaml").write_text(CHOICE)
        (here / "golden_gen.yaml").write_text(GENERATE)
        command = [sys.executable, "-m", "lm_eval", "--model", "dummy", "--tasks", "golden_mc,golden_gen"]
        command += ["--include_path", ".", "--output_path", "out", "--log_samples"]
        offline = {"HF_HOME": str(here / "cache"), "HF_HUB_OFFLINE": "1"}
        subprocess.run(command, cwd=here, check=True, env={**os.environ, **offline})
        for made in here.glob("out/*/*.json*"):
            text = made.read_text()
            if made.name.startswith("results_"):
                results = json.loads(text)
                results.pop("pretty_env_info")
                text = json.dumps(results, indent=2)
            (HERE / made.name).write_text(text)


main()
