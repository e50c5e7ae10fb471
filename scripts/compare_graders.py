"""Grades the answers of tests/golden/grading with the graders of Inspect and lm-eval, and prints how often
they agree with the expected grades, which the tests of surmise check.

    python -m venv venv && venv/bin/pip install inspect_ai==0.3.285 lm_eval==0.4.13 numpy sacrebleu
    venv/bin/python scripts/compare_graders.py            # the table of docs/graders.md
    venv/bin/python scripts/compare_graders.py --list     # every answer on which the graders differ
    venv/bin/python scripts/compare_graders.py --forms    # the grades by form of the answer

A grade counts as right or not right: the other tools have no grade for an answer that cannot be read.
"""

import argparse
import csv
import re
import sys
from pathlib import Path
from types import SimpleNamespace

from inspect_ai.scorer._common import match_str
from inspect_ai.solver._multiple_choice import parse_answers
from lm_eval.api.metrics import exact_match_hf_evaluate
from lm_eval.filters.extraction import MultiChoiceRegexFilter, RegexFilter

TABLES = Path(__file__).resolve().parent.parent / "tests/golden/grading"


def letter(case):
    """The letter of the right answer."""
    choices = case["choices"].split("|")
    answer = case["answer"]
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[choices.index(answer)] if answer in choices else answer


def same(prediction, reference, **options):
    return bool(exact_match_hf_evaluate([prediction], [reference], **options)["exact_match"])


def inspect_match(location, **options):
    return lambda case: match_str(case["text"], case["answer"], location=location, **options)[1]


def inspect_includes(case):
    return case["answer"].casefold() in case["text"].casefold()


def inspect_choice(case):
    state = SimpleNamespace(
        output=SimpleNamespace(completion=case["text"]), choices=case["choices"].split("|"))
    return parse_answers(state, multiple_correct=False) == {letter(case)}


def inspect_pattern(case):
    found = re.search(pattern(case), case["text"], re.IGNORECASE)
    groups = [group for group in (found.groups() or [found.group()]) if group] if found else []
    return case["answer"].casefold() in [group.casefold() for group in groups]


def lm_eval_exact(case):
    return same(case["text"], case["answer"])


def lm_eval_choice(case):
    """The extraction of the lm-eval task gpqa_main_generative_n_shot."""
    choices = case["choices"].split("|")
    extract = MultiChoiceRegexFilter(
        regex_pattern=r"(\([A-Z]\))", group_select=-1, ignore_case=True, ignore_punctuation=True)
    found = extract.apply([[case["text"]]], [{"choices": choices}])[0][0]
    return same(found, f"({letter(case)})", ignore_case=True, ignore_punctuation=True)


def lm_eval_number(case):
    """The extraction `flexible-extract` of the lm-eval task gsm8k."""
    extract = RegexFilter(regex_pattern=r"(-?[$0-9.,]{2,})|(-?[0-9]+)", group_select=-1)
    found = extract.apply([[case["text"]]], [{}])[0][0]
    return same(found, case["answer"], regexes_to_ignore=[",", r"\$", r"(?s).*#### ", r"\.$"],
                ignore_case=True)


def lm_eval_regex(case):
    found = RegexFilter(regex_pattern=pattern(case), group_select=0).apply([[case["text"]]], [{}])[0][0]
    return same(found, case["answer"])


def pattern(case):
    return case["grader"].removeprefix("regex:").split(",number")[0].split(",contains")[0]


OTHERS = [
    ("exact", "lm-eval `exact_match`", lm_eval_exact),
    ("exact", "Inspect `match(\"exact\")`", inspect_match("exact")),
    ("prefix", "Inspect `match(\"begin\")`", inspect_match("begin")),
    ("contains", "Inspect `includes()`", inspect_includes),
    ("choice", "Inspect `choice()`", inspect_choice),
    ("choice", "lm-eval `multi_choice_regex`", lm_eval_choice),
    ("letter", "Inspect `match(\"begin\")`",
     lambda case: match_str(case["text"], letter(case), location="begin")[1]),
    ("number", "Inspect `match(numeric=True)`", inspect_match("end", numeric=True)),
    ("number", "lm-eval `flexible-extract`", lm_eval_number),
    ("regex", "Inspect `pattern()`", inspect_pattern),
    ("regex", "lm-eval `regex`", lm_eval_regex),
]


def forms():
    """Prints the grades by form of the answer: first of all text graders, then of each other grader."""
    marks = {"right": "✓", "wrong": "–", "unreadable": "?", "truncated": "cut", "empty": "empty"}
    tables = {}
    for path in TABLES.glob("*.csv"):
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        tables[path.stem] = {
            (row["text"], row["answer"], row["is_truncated"]): row for row in rows}
    code = lambda text: "`" + text.encode("unicode_escape").decode().replace("|", "\\|") + "`" \
        if any(ord(c) < 32 or 0x200b <= ord(c) <= 0x206f or ord(c) in (0xfeff, 0xad) for c in text) \
        else "`` " + text.replace("|", "\\|") + " ``"
    names = ["exact", "first-line", "prefix", "contains"]
    shared = [key for key in tables["exact"] if key[2] == "false" and key[1] == "Paris"]
    shared += [key for name in names[1:] for key in tables[name]
               if key not in shared and key[2] == "false" and key[1] == "Paris"]
    print("| answer (right: Paris) | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for key in shared:
        cells = [marks[tables[name][key]["expected"]] if key in tables[name] else "" for name in names]
        if sum(map(bool, cells)) > 1:
            print(f"| {code(key[0])} | " + " | ".join(cells) + " |")
    for name in ["choice", "letter", "number", "regex", "json"]:
        print(f"\n### {name}\n")
        for grade in marks:
            rows = [row for row in tables[name].values() if row["expected"] == grade]
            said = ", ".join(
                code(row["text"])
                + (f" (of {row['answer']})" if name == "number" and row["answer"] != "42" else "")
                + (" (cut)" if row["is_truncated"] == "true" else "") for row in rows)
            if rows:
                print(f"- {grade}: {said}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="list every answer on which the graders differ")
    parser.add_argument("--forms", action="store_true", help="print the grades by form of the answer")
    options = parser.parse_args()
    listed = options.list
    if options.forms:
        forms()
        return
    print("| grader | other grader | answers | same | only surmise right | only the other right |")
    print("|---|---|---|---|---|---|")
    for name, other, is_right in OTHERS:
        with open(TABLES / f"{name}.csv", newline="", encoding="utf-8") as file:
            cases = list(csv.DictReader(file))
        grades = [(case, case["expected"] == "right", is_right(case)) for case in cases]
        agree = sum(ours == theirs for _, ours, theirs in grades)
        only_ours = sum(ours and not theirs for _, ours, theirs in grades)
        only_theirs = sum(theirs and not ours for _, ours, theirs in grades)
        print(f"| `{name}` | {other} | {len(cases)} | {agree} ({agree / len(cases):.0%}) "
              f"| {only_ours} | {only_theirs} |")
        for case, ours, theirs in grades:
            if listed and ours != theirs:
                print(f"    {case['form']}: {case['text']!r} against {case['answer']!r}: "
                      f"surmise {case['expected']}, {other} {'right' if theirs else 'not right'}",
                      file=sys.stderr)


if __name__ == "__main__":
    main()
