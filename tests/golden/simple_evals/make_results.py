"""Result files of OpenAI's simple-evals, by its own functions: `common.py` of its repository as of July 2025
renders the examples, aggregates them and makes the page. The eval has five questions and no model, because
the evals of the repository load data. Python 3.11, jinja2, numpy, requests, tqdm.

    python make_results.py FOLDER      # FOLDER contains the repository as a folder `simple_evals`
"""

import json
import pathlib
import sys

sys.path.insert(0, sys.argv[1])

from simple_evals import common
from simple_evals.types import SingleEvalResult

HERE = pathlib.Path(__file__).resolve().parent
STEM = "mmlu_gpt-4o-mini_20260131_120000"

ANSWERS = [
    ("Answer: B", "B", "B"),
    ("I think <b>C</b> & not D.\nAnswer: C", "C", "C"),
    ("Answer: A", "A", "D"),
    ("", None, "A"),
    ("<p>Score: 1.0</p>", None, "B"),
]


def example(number, text, extracted, right):
    asked = [{"role": "user", "content": f"Question {number}\nA) red\nB) blue\nC) green\nD) grey"}]
    score = 1.0 if extracted == right else 0.0
    html = common.jinja_env.from_string(common.HTML_JINJA).render(
        prompt_messages=asked,
        next_message={"content": text, "role": "assistant"},
        score=score,
        correct_answer=right,
        extracted_answer=extracted,
    )
    convo = asked + [{"content": text, "role": "assistant"}]
    return SingleEvalResult(html=html, score=score, metrics={"other": score}, convo=convo)


def main():
    result = common.aggregate_results([example(i, *answer) for i, answer in enumerate(ANSWERS)])
    (HERE / f"{STEM}.html").write_text(common.make_report(result))
    metrics = dict(sorted((result.metrics | {"score": result.score}).items()))
    (HERE / f"{STEM}.json").write_text(json.dumps(metrics, indent=2))
    everything = {
        "score": result.score,
        "metrics": result.metrics,
        "htmls": result.htmls,
        "convos": result.convos,
        "metadata": result.metadata,
    }
    (HERE / f"{STEM}_allresults.json").write_text(json.dumps(everything, indent=2))


main()
