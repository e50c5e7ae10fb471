"""A log of version 1 of Inspect's layout, as inspect_ai 0.3.5 of May 2024 writes it: one scorer, whose name
is only in the results. Four questions, a custom model; one answer is wrong and one is empty. Python
3.11, openai.

    python make_old_log.py      # writes version_1.json next to itself
"""

import os
import pathlib
import tempfile

os.environ["INSPECT_DISPLAY"] = "none"

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, modelapi
from inspect_ai.scorer import match
from inspect_ai.solver import generate

HERE = pathlib.Path(__file__).resolve().parent
CITIES = {"France": "Paris", "Peru": "Lima", "Chile": "Santiago", "Kenya": "Nairobi"}
ANSWERS = {"France": "Paris", "Peru": "It is Lima.", "Chile": "Valparaiso", "Kenya": ""}


@modelapi(name="mock")
class Mock(ModelAPI):
    def __init__(self, model_name, base_url=None, config=GenerateConfig(), **args):
        super().__init__(model_name, base_url, config)

    async def generate(self, input, tools, tool_choice, config):
        text = input[-1].content
        answer = next(answer for country, answer in ANSWERS.items() if country in text)
        return ModelOutput.from_content("mock-2026-01-01", answer)


def main():
    samples = [
        Sample(id=f"capital-{i}", input=f"What is the capital of {country}?", target=city)
        for i, (country, city) in enumerate(CITIES.items())
    ]
    dataset = MemoryDataset(samples, name="capitals")
    task = Task(dataset=dataset, plan=[generate()], scorer=match(), name="capitals")
    with tempfile.TemporaryDirectory() as folder:
        eval(task, model="mock/model", log_dir=folder, max_connections=1)
        (log,) = pathlib.Path(folder).iterdir()
        (HERE / "version_1.json").write_text(log.read_text())


main()
