"""Measures the KSG estimator with the k-d trees of SciPy and scikit-learn on the sizes of
`cargo bench --bench estimators`, and public estimators on a folder of samples with known information.

cargo bench --bench estimators | python benches/peers_mi.py      the trees, and how many times faster `ksg` is
python benches/peers_mi.py FOLDER                                errors and seconds; if benchmark-mi is
                                                                 installed, also of MINE and InfoNCE

Needs numpy, scipy, scikit-learn and safetensors; set OMP_NUM_THREADS=1.
"""

import json
import sys
import time

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma
from sklearn.cross_decomposition import CCA
from sklearn.neighbors import KDTree


def scipy_ksg(x, y, k):
    z = np.hstack([x, y])
    d = np.nextafter(cKDTree(z).query(z, k + 1, p=np.inf)[0][:, -1], 0)
    count = lambda a: cKDTree(a).query_ball_point(a, d, p=np.inf, return_length=True)
    return digamma(k) + digamma(len(x)) - np.mean(digamma(count(x)) + digamma(count(y)))


def sklearn_ksg(x, y, k):
    z = np.hstack([x, y])
    d = np.nextafter(KDTree(z, metric="chebyshev").query(z, k + 1)[0][:, -1], 0)
    count = lambda a: KDTree(a, metric="chebyshev").query_radius(a, d, count_only=True)
    return digamma(k) + digamma(len(x)) - np.mean(digamma(count(x)) + digamma(count(y)))


def cca(x, y):
    k = min(x.shape[1], y.shape[1])
    u, v = CCA(n_components=k, max_iter=2000).fit_transform(x, y)
    r = [np.corrcoef(u[:, i], v[:, i])[0, 1] for i in range(k)]
    return -0.5 * np.sum(np.log1p(-np.square(r)))


if len(sys.argv) == 1:
    words = [line.split() for line in sys.stdin]
    ours = {int(row[0]): float(row[3]) for row in words if len(row) == 4 and row[0].isdigit()}
    print(
        "n = 5000, seconds of the processor (peers: best of five)\n"
        "  d_x + d_y     ksg   SciPy  scikit-learn  times faster"
    )
    for d in (1, 2, 3, 4, 5, 6):
        rng = np.random.default_rng(d)
        x, y = rng.standard_normal((5000, d)), rng.standard_normal((5000, d))
        row = [ours[d]]
        for peer in (scipy_ksg, sklearn_ksg):
            best = float("inf")
            for _ in range(5):
                start = time.process_time()
                peer(x, y, 3)
                best = min(best, time.process_time() - start)
            row.append(best)
        print(
            f"  {d} + {d}     {row[0]:.4f}  {row[1]:.3f}  {row[2]:.3f}   "
            f"{row[1] / row[0]:5.1f}  {row[2] / row[0]:5.1f}",
            flush=True,
        )
else:
    from safetensors.numpy import load_file

    truth = json.load(open(f"{sys.argv[1]}/truth.json"))
    peers = {
        "SciPy KSG-5": lambda x, y: scipy_ksg(x, y, 5),
        "SciPy KSG-10": lambda x, y: scipy_ksg(x, y, 10),
        "scikit-learn CCA": cca,
    }
    try:
        from bmi.estimators import InfoNCEEstimator, MINEEstimator

        for name, estimator in (
            ("benchmark-mi InfoNCE", InfoNCEEstimator),
            ("benchmark-mi MINE", MINEEstimator),
        ):
            peers[name] = lambda x, y, estimator=estimator: float(estimator(verbose=False).estimate(x, y))
    except ImportError:
        pass
    for name, peer in peers.items():
        errors, seconds = [], 0.0
        for case, value in truth.items():
            arrays = load_file(f"{sys.argv[1]}/{case}.safetensors")
            x, y = (a.reshape(len(a), -1).astype(float) for a in (arrays["x"], arrays["y"]))
            x, y = x / x.std(0), y / y.std(0)
            start = time.process_time()
            errors.append(abs(peer(x, y) - (value["mi_nats"] if isinstance(value, dict) else value)))
            seconds += time.process_time() - start
        print(
            f"{name:18s} mean {np.mean(errors):.3f} median {np.median(errors):.3f} "
            f"largest {np.max(errors):.3f} {seconds / len(errors):.2f} s",
            flush=True,
        )
