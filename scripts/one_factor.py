"""The method of "A Rosetta Stone for AI Benchmarks" on data/public/epoch.csv: one capability for each model
and a difficulty and slope for each benchmark, score = sigmoid(slope * (capability - difficulty)), fitted by
least squares with a penalty of .1 as in the authors' fit.py. Needs numpy and scipy.

    python scripts/one_factor.py data/public/epoch.csv TARGET

The fit uses every score except those of closed models on TARGET. Prints the mean absolute error on these
scores: of the method, of the mean of the open models, and of a file of predictions, if it is given as the
third argument. In that file, a row without a prediction counts as the mean.
"""

import csv
import sys

import numpy as np
from scipy.optimize import least_squares

PENALTY = 0.1
NO_SCORES = {"model", "family", "weights", "released", "params_b"}


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -500, 500)))


def main(table, target, predictions=None):
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    benchmarks = [name for name in rows[0] if name not in NO_SCORES]
    asked = {i for i, row in enumerate(rows) if row["weights"] == "closed" and row[target]}
    cells = [
        (i, j, float(row[name]))
        for i, row in enumerate(rows)
        for j, name in enumerate(benchmarks)
        if row[name] and not (name == target and row["weights"] == "closed")
    ]
    at_model, at_benchmark = np.array([c[0] for c in cells]), np.array([c[1] for c in cells])
    scores, n, k = np.array([c[2] for c in cells]), len(rows), len(benchmarks)

    def residuals(x):
        capability, difficulty, slope = x[:n], x[n : n + k], x[n + k :]
        fitted = sigmoid(slope[at_benchmark] * (capability[at_model] - difficulty[at_benchmark]))
        penalty = np.sqrt(PENALTY / len(x)) * np.concatenate([capability, difficulty, slope - 1])
        return np.concatenate([fitted - scores, penalty])

    found = least_squares(residuals, np.concatenate([np.zeros(n + k), np.ones(k)])).x
    j = benchmarks.index(target)
    own = {i: sigmoid(found[n + k + j] * (found[i] - found[n + j])) for i in asked}
    truth = {i: float(rows[i][target]) for i in asked}
    middle = np.mean([float(row[target]) for row in rows if row["weights"] == "open" and row[target]])
    error = lambda guess: np.mean([abs(guess(i) - truth[i]) for i in sorted(asked)])
    print(f"{len(asked)} closed models; one factor {error(own.get):.4f}, mean {error(lambda i: middle):.4f}")
    if predictions:
        with open(predictions, encoding="utf-8", newline="") as file:
            said = {row["target_model"]: row for row in csv.DictReader(file)}
        known = {i: said[rows[i]["model"]] for i in asked}
        number = lambda i, name: float(known[i][name]) if known[i][name] else None
        answered = [i for i in sorted(asked) if number(i, "y_hat") is not None]
        at = lambda i: middle if number(i, "y_hat") is None else number(i, "y_hat")
        held = np.mean([number(i, "low") <= truth[i] <= number(i, "high") for i in answered])
        print(f"surmise {error(at):.4f} on all, {len(answered)} answered; intervals hold {held:.2f}")
        for name, guess in [("surmise", at), ("one factor", own.get), ("mean", lambda i: middle)]:
            print(f"  on the answered: {name} {np.mean([abs(guess(i) - truth[i]) for i in answered]):.4f}")
        sized = [i for i in answered if number(i, "baseline_size") is not None]
        if sized:
            size = np.mean([abs(number(i, "baseline_size") - truth[i]) for i in sized])
            print(f"  size, on {len(sized)}: {size:.4f}")


main(*sys.argv[1:])
