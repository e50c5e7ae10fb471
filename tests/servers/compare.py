"""Compares the results of all servers with those of `surmise serve`. Usage: compare.py RESULTS

Prints a row per server and task: the exit code, the accuracy, how many items differ in their grade or text,
and the largest difference of a log-probability. Greedy texts may differ after the first token with a near
tie.
"""

import csv
import json
import os
import sys

results = sys.argv[1]
reference = "surmise"


def rows(server, task, name):
    path = f"{results}/{server}/{task}/{name}"
    if not os.path.exists(path):
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file)) if name.endswith(".csv") else [json.loads(line) for line in file]


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def logprobs(server, task):
    if task == "semantic":
        found = {}
        for row in rows(server, task, "semantic.csv"):
            for column, value in row.items():
                if "nats" in column or "logprob" in column:
                    found[(row.get("corpus"), row.get("shots"), row.get("relation"), column)] = number(value)
        return found
    return {row["id"]: number(row["logprob_nats"]) for row in rows(server, task, "items.csv")}


def answers(server, task):
    if task == "texts":
        return {row["id"]: row["text"] for row in rows(server, task, "texts.jsonl")}
    keys = ("task", "shots", "id")
    return {tuple(r[k] for k in keys): (r["credit"], r["answer"]) for r in rows(server, task, "items.csv")}


print("server\ttask\tcode\tscored\taccuracy\titems\tdifferent\tlargest_logprob_difference")
for server in sorted(os.listdir(results), key=lambda name: (name != reference, name)):
    with open(f"{results}/{server}/runs.json") as file:
        runs = json.load(file)
    for task, run in runs.items():
        scores = rows(server, task, "scores.csv")
        scored = sum(int(row["n_scored"]) for row in scores)
        right = sum(float(row["accuracy"] or 0) * int(row["n_scored"]) for row in scores)
        here, there = answers(server, task), answers(reference, task)
        different = sum(here[key] != there.get(key) for key in here)
        ours, theirs = logprobs(server, task), logprobs(reference, task)
        both = [(ours[k], theirs[k]) for k in ours if ours[k] is not None and theirs.get(k) is not None]
        largest = f"{max(abs(a - b) for a, b in both):.1e}" if both else ""
        accuracy = f"{right / scored:.3f}" if scored else ""
        print(server, task, run["code"], scored, accuracy, len(here), different, largest, sep="\t")
