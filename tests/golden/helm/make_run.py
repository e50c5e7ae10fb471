"""A run folder of HELM, as its own tool writes it: crfm-helm 0.5.16 with its `simple/model1`, which repeats
the last word of the prompt, on its scenario `simple_mcqa` of six questions. Every prompt ends with "A", so
the model answers A. Python 3.11.

    python make_run.py      # writes the folder simple_mcqa next to itself

To save space, stats.json and per_instance_stats.json contain only the statistics of matches, instances and
perturbations, and prompts contain only their last 80 characters.
"""

import dataclasses
import json
import os
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KEPT = ["exact_match", "quasi_exact_match", "prefix_exact_match", "num_instances", "num_train_instances"]


def run(folder):
    os.chdir(folder)
    from helm.benchmark import run_spec_factory
    from helm.benchmark.run import main
    from helm.benchmark.run_specs import simple_run_specs

    made = run_spec_factory.get_run_spec_function("simple_mcqa")

    def ends_with_a():
        spec = made()
        adapter = dataclasses.replace(spec.adapter_spec, global_suffix=" A")
        return dataclasses.replace(spec, adapter_spec=adapter)

    run_spec_factory.get_run_spec_function = lambda name: ends_with_a
    entry = "simple_mcqa:model=simple/model1"
    sys.argv = ["helm-run", "--run-entries", entry, "--suite", "golden", "--max-eval-instances", "6"]
    main()
    return next(pathlib.Path(folder).glob("benchmark_output/runs/golden/simple_mcqa*"))


def short(stats):
    return [stat for stat in stats if stat["name"]["name"] in KEPT]


def main():
    with tempfile.TemporaryDirectory() as folder:
        made = run(folder)
        out = HERE / "simple_mcqa"
        out.mkdir(exist_ok=True)
        shutil.copy(made / "run_spec.json", out)
        stats = json.loads((made / "stats.json").read_text())
        (out / "stats.json").write_text(json.dumps(short(stats), indent=1))
        instances = json.loads((made / "per_instance_stats.json").read_text())
        for instance in instances:
            instance["stats"] = short(instance["stats"])
        (out / "per_instance_stats.json").write_text(json.dumps(instances))
        state = json.loads((made / "scenario_state.json").read_text())
        for request in state["request_states"]:
            request["request"]["prompt"] = request["request"]["prompt"][-80:]
        (out / "scenario_state.json").write_text(json.dumps(state))


main()
