"""Record files of OpenAI's evals, as its own tool writes them: evals 3.0.1 with a completion function that
answers without a model, on an eval of six questions (`match`) and one that a model grades (`graded`). Python
3.11.

    python make_record.py      # writes match.jsonl and graded.jsonl next to itself

The command and the user are removed from the specification.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

FUNCTION = '''
from evals.api import CompletionFn, CompletionResult
from evals.record import record_sampling


class Result(CompletionResult):
    def __init__(self, text):
        self.text = text

    def get_completions(self):
        return [self.text]


class Answers(CompletionFn):
    def __init__(self, **_):
        pass

    def __call__(self, prompt, **_):
        asked = prompt if isinstance(prompt, str) else prompt[-1]["content"]
        if "BEGIN DATA" in asked:
            text = "maybe" if "Kenya" in asked else "Yes" if "Paris" in asked or "Lima" in asked else "No"
        else:
            text = {"France": "Paris", "Peru": "Lima", "Kenya": ""}.get(asked.split()[-1].strip("?"), "Rome")
        record_sampling(prompt=prompt, sampled=[text], model="answers-2026-01-01",
                        usage={"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10})
        return Result(text)
'''

EVALS = """
capitals:
  id: capitals.test.v0
  metrics: [accuracy]
capitals.test.v0:
  class: evals.elsuite.basic.match:Match
  args: {samples_jsonl: samples.jsonl}
judged:
  id: judged.test.v0
  metrics: [score]
judged.test.v0:
  class: evals.elsuite.modelgraded.classify:ModelBasedClassify
  args: {samples_jsonl: samples.jsonl, modelgraded_spec: golden}
"""

GRADER = """
golden:
  prompt: |-
    [BEGIN DATA] {input} ||| {completion} ||| {ideal} [END DATA] Is it right?
  choice_strings: ["Yes", "No"]
  choice_scores: {"Yes": 1.0, "No": 0.0}
  eval_type: classify
  input_outputs: {input: completion}
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        registry = here / "registry"
        for name in ["evals", "completion_fns", "modelgraded", "data"]:
            (registry / name).mkdir(parents=True)
        (here / "golden_answers.py").write_text(FUNCTION)
        (registry / "completion_fns/answers.yaml").write_text("answers:\n  class: golden_answers:Answers\n")
        (registry / "evals/capitals.yaml").write_text(EVALS)
        (registry / "modelgraded/golden.yaml").write_text(GRADER)
        pairs = [("France", "Paris"), ("Peru", "Lima"), ("Chile", "Santiago"), ("Kenya", "Nairobi")]
        samples = [
            {"input": f"What is the capital of {country}?", "ideal": city}
            for country, city in pairs + [("Fiji", "Suva"), ("Cuba", "Havana")]
        ]
        lines = "".join(json.dumps(sample) + "\n" for sample in samples)
        (registry / "data/samples.jsonl").write_text(lines)
        for eval_name, name in [("capitals", "match"), ("judged", "graded")]:
            record = here / f"{name}.jsonl"
            command = [str(pathlib.Path(sys.executable).with_name("oaieval")), "answers", eval_name]
            command += ["--registry_path", str(registry), "--record_path", str(record)]
            environment = {**os.environ, "PYTHONPATH": folder, "OPENAI_API_KEY": "unused",
                           "EVALS_SEQUENTIAL": "1", "EVALS_SHOW_EVAL_PROGRESS": ""}
            subprocess.run(command, cwd=folder, check=True, env=environment)
            lines = [json.loads(line) for line in record.read_text().splitlines()]
            spec = lines[0]["spec"]
            spec["created_by"] = ""
            spec["run_config"].pop("command")
            text = "".join(json.dumps(line) + "\n" for line in lines).replace(folder, "folder")
            (HERE / f"{name}.jsonl").write_text(text)


main()
