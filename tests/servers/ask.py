"""Runs all tasks against one server. Usage: ask.py SURMISE HERE OUT BASE_URL MODEL

The exit code and the end of stderr of each task are in OUT/runs.json.
"""

import json
import os
import re
import shutil
import subprocess
import sys

surmise, here, out, base_url, model = sys.argv[1:]
here, out = os.path.abspath(here), os.path.abspath(out)
chat, completions = "openai-chat", "openai-completions"
usage = subprocess.run([surmise, "collect", "--help"], capture_output=True, text=True).stdout
keeps_going = "--keep-going" in usage
reads = "contains" if re.search(r"(?m)^\s*- contains\b|[\[,] contains\b", usage) else "prefix"
tasks = {
    "completion": (["countries", "--shots", "1", "--items", "5"], completions),
    "chat": ([f"{here}/capitals.jsonl", "--grader", reads, "--max-tokens", "24"], chat),
    "responses": (
        [f"{here}/capitals.jsonl", "--grader", reads, "--max-tokens", "24"],
        "openai-responses",
    ),
    "letter": ([f"{here}/choices.jsonl", "--grader", "letter", "--max-tokens", "8", "--logprobs", "5"], chat),
    "logprob": ([f"{here}/choices.jsonl", "--grader", "logprob"], completions),
    "texts": ([f"texts:{here}/beginnings.jsonl", "--max-tokens", "24", "--keep-truncated"], completions),
    "semantic": (
        ["semantic", "--corpus", "countries", "--sets", "4", "--queries", "4", "--shots", "1"],
        completions,
    ),
}
runs = {}
environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
for name, (arguments, provider) in tasks.items():
    folder = f"{out}/{name}"
    shutil.rmtree(folder, ignore_errors=True)
    command = [surmise, "collect", *arguments, "--provider", provider, "--base-url", base_url]
    command += ["--api-model", model, "--no-budget", "--concurrency", "2", "--timeout-s", "120"]
    command += ["--idle-timeout-s", "60", "-o", folder]
    if keeps_going:
        command.append("--keep-going")
    ran = subprocess.run(command, capture_output=True, text=True, cwd=here, env=environment)
    runs[name] = {"code": ran.returncode, "stderr": ran.stderr[-1500:]}
    print(f"{name}: exit code {ran.returncode}", file=sys.stderr)
    if ran.returncode:
        print(ran.stderr[-600:], file=sys.stderr)
os.makedirs(out, exist_ok=True)
with open(f"{out}/runs.json", "w") as file:
    json.dump(runs, file, indent=1)
