#!/usr/bin/env python3
"""Makes tests/golden/semantic/reference.json: macro and micro information of small random states with their
standard errors, computed from the definition with loops over prompts and with designs from which a query, a
set or a combination of both is removed.

pip install numpy scipy
python tests/golden/make_semantic.py
"""

import itertools
import json
from pathlib import Path

import numpy as np
from scipy.special import logsumexp

random = np.random.default_rng(3)
X, R, S, D = 4, 3, 6, 5
TAU = [0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1]

# A state is a mixture of its relation, its set, its query, and noise. A large coordinate represents the mean
# of the states of trained models.
y = (
    0.9 * random.normal(size=(1, R, 1, D))
    + 0.8 * random.normal(size=(1, 1, S, D))
    + 1.5 * random.normal(size=(X, 1, 1, D))
    + 0.7 * random.normal(size=(X, R, S, D))
)
y[..., 2] += 40
y = y.astype(np.float32).astype(float)
z = random.normal(size=y.shape).round(6)
left_out = np.zeros((X, R, R), bool)
left_out[1, 0, 2] = left_out[1, 2, 0] = True
keep = random.random((R, R, S, S)) < 0.7
keep[0, 1, 2] = False

spread = np.sqrt(y.reshape(-1, D).var(axis=0).sum())


def log_density(x, i, j, sign, sigma):
    """Log density of the noisy state of prompt i = (relation, set) at the state of prompt j, up to a
    constant."""
    noisy = y[x][i] + sign * sigma * z[x][i]
    return -((noisy - y[x][j]) ** 2).sum() / (2 * sigma**2)


def scores(b, queries, sets_of, kept=None):
    """The scores (tau, observation) and the micro terms of queries; `sets_of[x]` are the sets of query x."""
    sigma = b * spread
    found = {}
    for x in queries:
        sets, ratios, micro = sets_of[x], [], []
        for p, s, sign in itertools.product(range(R), sets, (1, -1)):
            a = {(r, t): log_density(x, (p, s), (r, t), sign, sigma) for r in range(R) for t in sets}
            micro.append(a[p, s] - logsumexp([a[p, t] for t in sets]) + np.log(len(sets)))
            for q in range(R):
                if q == p or left_out[x, p, q]:
                    continue
                others = [t for t in sets if t != s and (kept is None or kept[p, q, s, t])]
                if others:
                    ratios.append(logsumexp([a[q, t] for t in others]) - logsumexp([a[p, t] for t in others]))
        ratios = np.array(ratios)
        found[x] = np.array([np.log(2) - np.logaddexp(0, tau * ratios) for tau in TAU]), np.array(micro)
    return found


def information(found):
    total, n, micro = 0.0, 0, []
    for x in found:
        others = sum(found[o][0].sum(axis=1) for o in found if o != x)
        # The lowest of equally good temperatures; the first one scores 0.
        total += found[x][0][int(np.argmax(others))].sum()
        n += found[x][0].shape[1]
        micro.append(found[x][1])
    return np.array([total / n, np.concatenate(micro).mean()])


def jackknife(values):
    values = np.array(values)
    n = len(values)
    return (n - 1) / n * ((values - values.mean(axis=0)) ** 2).sum(axis=0)


def estimate(b, kept=None):
    everything, every_set = range(X), {x: list(range(S)) for x in range(X)}
    whole = scores(b, everything, every_set, kept)
    value = information(whole)
    without_set = [
        scores(b, everything, {x: [t for t in range(S) if t != s] for x in range(X)}, kept) for s in range(S)
    ]
    v_x = jackknife([information({o: whole[o] for o in whole if o != x}) for x in everything])
    v_s = jackknife([information(found) for found in without_set])
    v_xs = jackknife([information({**whole, x: without_set[s][x]}) for x in everything for s in range(S)])
    v = v_x + v_s - v_xs
    assert (v > 0).all(), (v_x, v_s, v_xs)
    return {
        "noise_scale": b,
        "macro_nats": value[0],
        "micro_nats": value[1],
        "macro_stderr": v[0] ** 0.5,
        "micro_stderr": v[1] ** 0.5,
    }


def half(b):
    parts = [information(scores(b, range(X), {x: sets for x in range(X)})) for sets in ([0, 1, 2], [3, 4, 5])]
    return np.mean(parts, axis=0).tolist()


reference = {
    "queries": X,
    "relations": R,
    "sets": S,
    "states": y.reshape(-1, D).tolist(),
    "noise": z.reshape(-1, D).tolist(),
    "left_out": left_out.ravel().tolist(),
    "keep": (keep & ~np.eye(S, dtype=bool)).ravel().tolist(),
    "estimates": [estimate(b) for b in (0.1, 0.25, 0.5)],
    "no_shared_answer": estimate(0.25, keep),
    "half_sets": half(0.25),
}
folder = Path(__file__).parent / "semantic"
folder.mkdir(exist_ok=True)
(folder / "reference.json").write_text(json.dumps(reference) + "\n")
print(json.dumps({k: reference[k] for k in ("estimates", "no_shared_answer", "half_sets")}, indent=1))
