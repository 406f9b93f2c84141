"""Regression data without a download: four bundled tables, eight generators.

Each generator is there for what it does to a combination: no member wins on all
of them, and on some (linear, tails) one member is nearly alone.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
    make_friedman1,
    make_friedman2,
    make_friedman3,
    make_regression,
)

from ..task import Array, DataSet

__all__ = ["DATASETS"]

XY = tuple[Array, Array]


def diabetes(seed: int) -> XY:
    return load_diabetes(return_X_y=True)


def wine(seed: int) -> XY:
    """Return alcohol as a function of the other twelve chemical measurements."""
    X = load_wine().data
    return X[:, 1:], X[:, 0]


def cancer(seed: int) -> XY:
    """Return the mean radius given all that doesn't measure size itself."""
    bunch = load_breast_cancer()
    size = ("radius", "perimeter", "area")
    shape = [not any(word in name for word in size) for name in bunch.feature_names]
    return bunch.data[:, shape], bunch.data[:, 0]


def digits(seed: int) -> XY:
    """Return the ink inside an 8 x 8 digit as a function of its border pixels."""
    images = load_digits().images
    border = np.ones((8, 8), dtype=bool)
    border[1:-1, 1:-1] = False
    return images[:, border], images[:, ~border].sum(axis=1)


def friedman1(seed: int) -> XY:
    return make_friedman1(800, noise=1.0, random_state=seed)


def small(seed: int) -> XY:
    """Few rows: 90 to train on, where weights are hard to estimate."""
    return make_friedman1(120, noise=1.0, random_state=seed)


def friedman2(seed: int) -> XY:
    return make_friedman2(600, noise=125.0, random_state=seed)


def friedman3(seed: int) -> XY:
    return make_friedman3(600, noise=0.1, random_state=seed)


def linear(seed: int) -> XY:
    """Sparse linear among irrelevant features, with noise."""
    return make_regression(
        400, 100, n_informative=5, noise=50.0, random_state=seed, coef=False
    )


def steps(seed: int) -> XY:
    """Piecewise constant: the home ground of trees."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(800, 6))
    y = 3.0 * (X[:, 0] > 0.5) + 2.0 * (X[:, 1] > 0.3) * (X[:, 2] < 0.6)
    return X, y - (X[:, 3] > 0.8) + rng.normal(size=len(X))


def tails(seed: int) -> XY:
    """Heteroscedastic Student t noise: the fourth moment does not exist."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(600, 8))
    noise = (0.5 + np.abs(X[:, 0])) * rng.standard_t(3, size=len(X))
    return X, 2.0 * X[:, 0] - X[:, 1] + 2.0 * np.sin(2.0 * X[:, 2]) + noise


def bumps(seed: int) -> XY:
    """Linear with local Gaussian bumps, on many rows: members complement each other."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1.0, 1.0, size=(4000, 5))
    centres = rng.uniform(-0.7, 0.7, size=(6, 2))
    heights = rng.choice([-4.0, 4.0], size=6)
    distances = ((X[:, None, :2] - centres) ** 2).sum(axis=-1)
    y = X @ np.array([3.0, -2.0, 1.0, 0.5, 0.0]) + np.exp(-distances / 0.05) @ heights
    return X, y + rng.normal(size=len(X))


DATASETS = (
    DataSet("diabetes", "bundled", diabetes, quick=True),
    DataSet("wine", "bundled; alcohol from the other columns", wine, quick=True),
    DataSet("cancer", "bundled breast cancer; mean radius from shape", cancer),
    DataSet("digits", "bundled; ink inside from the border pixels", digits),
    DataSet("friedman1", "generated", friedman1),
    DataSet("small", "generated; friedman1 with few rows", small, quick=True),
    DataSet("friedman2", "generated", friedman2),
    DataSet("friedman3", "generated", friedman3, quick=True),
    DataSet("linear", "generated; sparse, many irrelevant features", linear),
    DataSet("steps", "generated; piecewise constant", steps),
    DataSet("tails", "generated; heteroscedastic Student t noise", tails),
    DataSet("bumps", "generated; linear and local bumps, many rows", bumps),
)
