"""A record of Every Eval Ever with its answers, as its own converter writes them: every-eval-ever 0.3.0 from
tests/golden/lm_eval. The model gets a developer, because a record needs one. Python 3.11, jsonschema 4.26.

    python make_records.py      # writes UUID.json and UUID_samples.jsonl next to itself
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def main():
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        for source in (HERE.parent / "lm_eval").glob("*_2026-*"):
            shutil.copy(source, here)
        (results,) = here.glob("results_*.json")
        value = json.loads(results.read_text())
        value["model_name"] = "example/dummy"
        value["model_source"] = "hf"
        value["config"]["model_args"] = "pretrained=example/dummy"
        results.write_text(json.dumps(value))
        command = [str(pathlib.Path(sys.executable).with_name("every_eval_ever")), "convert", "lm_eval"]
        command += ["--log_path", str(results), "--include_samples", "--output_dir", str(here / "data")]
        command += ["--source_organization_name", "example", "--evaluator_relationship", "third_party"]
        subprocess.run(command, check=True, cwd=folder)
        for old in [*HERE.glob("*.json"), *HERE.glob("*.jsonl")]:
            old.unlink()
        for made in (here / "data").rglob("*.json*"):
            shutil.copy(made, HERE)


main()
