"""Logs of Inspect, as its own tool writes them: inspect_ai 0.3.285 with its mock model on a task of five
questions, two epochs and two scorers. The second answer is truncated at the token limit, the third is
withheld by a filter, the fourth is missing for one scorer, and the fifth fails. The answers have
log-probabilities. Python 3.11.

    python make_logs.py      # writes capitals.eval, capitals.json and limited.eval next to itself

The events of the samples, which are most of the bytes, are removed, and so are tracebacks and the description
of the machine. The tool compresses entries with Zstandard; limited.eval is packed again with deflate, like in
older versions.
"""

import os
import pathlib
import tempfile
import zipfile

os.environ["INSPECT_DISPLAY"] = "none"

from inspect_ai import Task, eval, task
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, Logprob, Logprobs, ModelOutput
from inspect_ai.model import get_model
from inspect_ai.scorer import NOANSWER, Score, accuracy, match, scorer, stderr
from inspect_ai.solver import generate, solver

HERE = pathlib.Path(__file__).resolve().parent

ANSWERS = {
    "France": [("Paris", "stop"), ("Lyon", "stop")],
    "Peru": [("I think that the capital of", "max_tokens"), ("Lima", "max_tokens")],
    "Chile": [("", "content_filter"), ("", "content_filter")],
    "Kenya": [("none", "stop"), ("none", "stop")],
    "Fiji": [("Suva", "stop"), ("Suva", "stop")],
}


def output(text, why):
    content = [Logprob(token=text, logprob=-0.5, bytes=None, top_logprobs=None)] if text else []
    choice = ChatCompletionChoice(
        message=ChatMessageAssistant(content=text, model="mock-2026-01-01"),
        stop_reason=why,
        logprobs=Logprobs(content=content),
    )
    return ModelOutput(model="mock-2026-01-01", choices=[choice])


@solver
def answers():
    async def solve(state, generate):
        country = state.metadata["country"]
        if country == "Fiji":
            raise RuntimeError("the server has gone, key sk-proj-0123456789abcdefghijKLMN")
        text, why = ANSWERS[country][state.epoch - 1]
        state.output = output(text, why)
        state.messages.append(state.output.message)
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()])
def first_letter():
    async def score(state, target):
        text = state.output.completion
        if text == "none":
            return Score(value=NOANSWER, answer="")
        return Score(value=1 if text[:1] == target.text[:1] else 0, answer=text[:1])

    return score


@task
def capitals(fewshot: int = 2):
    dataset = [
        Sample(id=f"capital-{i}", input=f"What is the capital of {country}?", target=city,
               metadata={"country": country})
        for i, (country, city) in enumerate(
            [("France", "Paris"), ("Peru", "Lima"), ("Chile", "Santiago"), ("Kenya", "Nairobi"),
             ("Fiji", "Suva")]
        )
    ]
    return Task(dataset=dataset, solver=answers(), scorer=[match(), first_letter()], epochs=2)


def run(folder, name, **more):
    model = get_model("mockllm/model", custom_outputs=[])
    (log,) = eval(capitals(), model=model, log_dir=folder, fail_on_error=False, display="none",
                  score_display=False, log_realtime=False, **more)
    log = read_eval_log(log.location)
    log.eval.revision = log.eval.task_file = None
    for sample in log.samples:
        sample.events = []
        if sample.error:
            sample.error.traceback = sample.error.traceback_ansi = ""
    write_eval_log(log, str(HERE / name))
    return log


def main():
    with tempfile.TemporaryDirectory() as folder:
        log = run(folder, "capitals.eval")
        write_eval_log(log, str(HERE / "capitals.json"))
        run(folder, "limited.eval", limit=1)
        packed = HERE / "limited.eval"
        with zipfile.ZipFile(packed) as archive:
            entries = [(name, archive.read(name)) for name in archive.namelist()]
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in entries:
                archive.writestr(name, content)


main()
