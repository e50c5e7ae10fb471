#!/usr/bin/env python3
"""Makes tests/golden/calibration/reference.json: regressions of scikit-learn on a small table with two nearly
equal columns.

    pip install scikit-learn==1.9.1 numpy
    python tests/golden/make_calibration.py
"""

import json
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, Ridge

random = np.random.default_rng(7)
n, p = 40, 5
x = random.normal(size=(n, p)) * [1, 10, 0.1, 3, 1] + [0, 100, -1, 0, 5]
x[:, 4] = x[:, 0] + 0.05 * random.normal(size=n)
y = 0.7 * x[:, 0] - 0.05 * x[:, 1] + 4 * x[:, 2] + 0.3 * random.normal(size=n)
share = 1 / (1 + np.exp(-(y - y.mean())))
weight = random.uniform(0.2, 2.0, size=n)

ols = LinearRegression().fit(x, y)
weighted = LinearRegression().fit(x, y, sample_weight=weight)
ridge = {penalty: Ridge(alpha=penalty, solver="svd").fit(x, y) for penalty in (0.1, 1.0, 30.0)}
z = (x - x.mean(axis=0)) / x.std(axis=0)
elastic = [
    (alpha, ratio, ElasticNet(alpha=alpha, l1_ratio=ratio, tol=1e-14, max_iter=1_000_000).fit(z, y))
    for alpha, ratio in ((0.3, 0.5), (0.05, 0.5), (0.02, 0.9))
]
pca = PCA().fit(x)
# A share s is a success with weight s and a failure with weight 1 - s.
logistic = {}
for penalty in (0.16, 2.0):
    model = LogisticRegression(C=1 / penalty, solver="newton-cholesky", tol=1e-14, max_iter=10_000)
    model.fit(
        np.vstack([z, z]),
        np.repeat([1, 0], n),
        sample_weight=np.concatenate([weight * share, weight * (1 - share)]),
    )
    logistic[penalty] = model


def line(model):
    return [float(np.ravel(model.intercept_)[0])] + np.ravel(model.coef_).tolist()


reference = {
    "x": x.tolist(),
    "y": y.tolist(),
    "share": share.tolist(),
    "weight": weight.tolist(),
    "ols": line(ols),
    "weighted": line(weighted),
    "ridge": [{"penalty": penalty, "line": line(model)} for penalty, model in ridge.items()],
    "elastic_net": [{"penalty": a, "l1_ratio": r, "line": line(model)} for a, r, model in elastic],
    "pca": {
        "variances": (pca.explained_variance_ * (n - 1) / n).tolist(),
        "components": pca.components_.tolist(),
    },
    "fractional": [{"penalty": penalty, "line": line(model)} for penalty, model in logistic.items()],
}


def other(rows, columns, noise, penalties):
    """A table of rank 3 with noise, and its elastic nets on standardised columns."""
    x = random.normal(size=(rows, 3)) @ random.normal(size=(3, columns)) + noise * random.normal(
        size=(rows, columns)
    )
    y = x[:, 0] - 0.5 * x[:, 1] + 0.2 * random.normal(size=rows)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    nets = [
        (a, ElasticNet(alpha=a, l1_ratio=0.5, tol=1e-15, max_iter=10_000_000).fit(z, y)) for a in penalties
    ]
    lines = [{"penalty": a, "l1_ratio": 0.5, "line": line(model)} for a, model in nets]
    return {"x": x.tolist(), "y": y.tolist(), "elastic_net": lines}


# Nearly collinear columns, and fewer rows than columns.
reference["collinear"] = other(30, 6, 1e-3, (0.3, 0.03, 0.01))
reference["few_rows"] = other(6, 8, 0.3, (0.3, 0.03))
path = Path(__file__).parent / "calibration" / "reference.json"
path.write_text(json.dumps(reference, indent=1) + "\n")
