"""Makes samples with known information, of kinds that fool estimators.

For `cargo bench --bench estimators -- FOLDER NAME`:

    python tests/golden/make_mi_sets.py FOLDER [FIRST_SEED [SEEDS]]

writes `KIND-SEED.safetensors` with arrays `x` and `y`, and `truth.json`. Needs NumPy, SciPy and safetensors.

| kind | samples | truth |
|---|---|---|
| rotated-D-E | x uniform in D dimensions, y = x + U(-E, E), each side randomly rotated | closed form |
| zip-*, zinb-* | gamma latent; zero-inflated Poisson or negative binomial counts | sums, quadrature |
| rounded-R-D | normal pairs in D + D columns, rounded to steps of R | normal probabilities of the cells |
| image-KIND-RANK | RANK latent pairs with 1.5 nats, in 100 + 100 columns | of the pairs; log determinants |
| series-KIND | two independent autocorrelated series | 0 |
"""

import json
import sys
from pathlib import Path

import numpy as np
from numpy.polynomial.legendre import leggauss
from safetensors.numpy import save_file
from scipy import stats

NATS = 1.5


def turned(rng, d):
    q, r = np.linalg.qr(rng.normal(size=(d, d)))
    return q * np.sign(np.diag(r))


def rotated(rng, d, e, n=3000):
    x = rng.uniform(size=(n, d))
    y = x + rng.uniform(-e, e, size=(n, d))
    truth = d * (e - np.log(2 * e) if e <= 0.5 else 1 / (4 * e))
    return x @ turned(rng, d), y @ turned(rng, d), truth


def mutual(p):
    """The information of a table of probabilities."""
    p = p / p.sum()
    apart = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    seen = (p > 0) & (apart > 0)
    return float((p[seen] * np.log(p[seen] / apart[seen])).sum())


def gamma_grid(shape, points=4000):
    u, w = leggauss(points)
    u, w = 0.5 * (u + 1), 0.5 * w
    return stats.gamma(shape).ppf(u), w


def count_law(name, zero, scale, most):
    k = np.arange(most)

    def law(g):
        mean = scale * g[:, None]
        p = (
            stats.poisson.pmf(k, mean)
            if name == "poisson"
            else stats.nbinom.pmf(k, 2.0, 2.0 / (2.0 + mean))
        )
        p = (1 - zero) * p
        p[:, 0] += zero
        return p

    return law


def draw_counts(rng, name, zero, scale, g):
    mean = scale * g
    k = rng.poisson(mean) if name == "poisson" else rng.negative_binomial(2.0, 2.0 / (2.0 + mean))
    return np.where(rng.uniform(size=len(g)) < zero, 0, k)[:, None]


def mixed(rng, name, zero, scale, shape, n=2000):
    g, w = gamma_grid(shape)
    p = count_law(name, zero, scale, 400)(g)
    marginal = w @ p
    entropy = lambda p: -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(-1)
    x = rng.gamma(shape, size=n)
    return x[:, None], draw_counts(rng, name, zero, scale, x), float(entropy(marginal) - w @ entropy(p))


def counts(rng, name, zero, scale, shape, n=2000):
    g, w = gamma_grid(shape)
    p = count_law(name, zero, scale, 400)(g)
    x = rng.gamma(shape, size=n)
    draw = lambda: draw_counts(rng, name, zero, scale, x)
    return draw(), draw(), mutual((p * w[:, None]).T @ p)


def rounded(rng, step, d, r=0.8, n=2000):
    z = rng.normal(size=(n, d))
    y = r * z + np.sqrt(1 - r * r) * rng.normal(size=(n, d))
    if step < 0.05:
        truth = -0.5 * np.log(1 - r * r)
    else:
        edges = np.arange(-np.ceil(6 / step), np.ceil(6 / step)) * step + step / 2
        fine, w = leggauss(12)
        x = (edges[:-1, None] + edges[1:, None]) / 2 + step / 2 * fine
        cdf = stats.norm.cdf((edges - r * x[..., None]) / np.sqrt(1 - r * r))
        inner = np.diff(cdf, axis=-1) * (stats.norm.pdf(x) * step / 2 * w)[..., None]
        truth = mutual(inner.sum(1))
    return np.round(z / step) * step, np.round(y / step) * step, d * truth


def latent(rng, rank, n):
    r = np.sqrt(1 - np.exp(-2 * NATS / rank))
    z = rng.normal(size=(n, rank))
    return z, r * z + np.sqrt(1 - r * r) * rng.normal(size=(n, rank)), r


def image(rng, kind, rank, n=3000):
    a, b, r = latent(rng, rank, n)
    grid = np.stack(np.meshgrid(np.arange(10), np.arange(10)), -1).reshape(-1, 2) + 0.0

    def bumps(centres):
        return np.exp(-((grid - centres[..., None, :]) ** 2).sum(-1) / (2 * 2.0**2))

    if kind == "linear":
        s = 0.05
        w = [rng.normal(size=(rank, 100)) / np.sqrt(rank) for _ in range(2)]
        x, y = (z @ w + s * rng.normal(size=(n, 100)) for z, w in zip((a, b), w))
        cov = [w.T @ w + s * s * np.eye(100) for w in w]
        cross = r * w[0].T @ w[1]
        logdet = lambda m: np.linalg.slogdet(m)[1]
        truth = 0.5 * (
            logdet(cov[0]) + logdet(cov[1]) - logdet(np.block([[cov[0], cross], [cross.T, cov[1]]]))
        )
        return x, y, float(truth)
    if kind == "lights":
        # Fixed spots with latent values as brightness; noise of a thousandth.
        sides = []
        for z in (a, b):
            brightness = np.exp(0.5 * z)
            sides.append(
                brightness @ bumps(rng.uniform(1, 8, size=(rank, 2))) + 1e-3 * rng.normal(size=(n, 100))
            )
        return sides[0], sides[1], NATS
    # Moving spots: two latent values are the position of one spot.
    sides = []
    for z in (a, b):
        place = 9 * stats.norm.cdf(z).reshape(n, -1, 2)
        pixels = sum((1 + 0.5 * k) * bumps(place[:, k]) for k in range(place.shape[1]))
        sides.append(pixels + 1e-3 * rng.normal(size=(n, 100)))
    return sides[0], sides[1], NATS


def series(rng, kind, n=2000):
    def one():
        e = rng.normal(size=n + 500)
        if kind == "walk":
            return np.cumsum(e)[500:, None]
        if kind == "season":
            return (np.sin(np.arange(n) * 2 * np.pi / 24 + rng.uniform(0, 6)) + e[500:])[:, None]
        if kind == "volatility":
            v, out = 1.0, []
            for value in e:
                out.append(value * np.sqrt(v))
                v = 0.05 + 0.3 * out[-1] ** 2 + 0.65 * v
            return np.array(out)[500:, None]
        phi, out = float(kind), [0.0]
        for value in e:
            out.append(phi * out[-1] + value)
        return np.array(out)[501:, None]

    return one(), one(), 0.0


KINDS = {
    **{
        f"rotated-{d}-{e}": lambda rng, d=d, e=e: rotated(rng, d, e)
        for d, e in [(2, 0.25), (3, 0.25), (3, 0.6), (4, 0.4), (5, 0.3)]
    },
    "zip-mixed": lambda rng: mixed(
        rng, "poisson", rng.uniform(0.1, 0.5), rng.uniform(1, 4), rng.uniform(1, 3)
    ),
    "zinb-mixed": lambda rng: mixed(
        rng, "binomial", rng.uniform(0.1, 0.5), rng.uniform(2, 8), rng.uniform(1, 3)
    ),
    "zip-counts": lambda rng: counts(
        rng, "poisson", rng.uniform(0.1, 0.5), rng.uniform(1, 10), rng.uniform(1, 3)
    ),
    "zinb-counts": lambda rng: counts(
        rng, "binomial", rng.uniform(0.1, 0.5), rng.uniform(2, 20), rng.uniform(1, 3)
    ),
    **{
        f"rounded-{s}-{d}": lambda rng, s=s, d=d: rounded(rng, s, d)
        for s, d in [(0.01, 1), (0.1, 1), (0.5, 1), (0.1, 3)]
    },
    **{
        f"image-{k}-{r}": lambda rng, k=k, r=r: image(rng, k, r)
        for k, r in [
            ("linear", 3),
            ("linear", 8),
            ("lights", 2),
            ("lights", 4),
            ("moving", 2),
            ("moving", 4),
        ]
    },
    **{
        f"series-{k}": lambda rng, k=k: series(rng, k)
        for k in ["0.5", "0.9", "0.99", "-0.9", "walk", "season", "volatility"]
    },
}


def main(folder, first=0, seeds=1):
    folder.mkdir(parents=True, exist_ok=True)
    truth = {}
    for at, (kind, make) in enumerate(KINDS.items()):
        for seed in range(first, first + seeds):
            x, y, nats = make(np.random.default_rng([at, seed]))
            contiguous = lambda a: np.ascontiguousarray(a, dtype=np.float32)
            save_file({"x": contiguous(x), "y": contiguous(y)}, folder / f"{kind}-{seed}.safetensors")
            truth[f"{kind}-{seed}"] = {"mi_nats": nats}
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(value) for value in sys.argv[2:]))
