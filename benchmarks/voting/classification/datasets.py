"""Classification data without a download: four bundled tables, nine generators.

Each generator is there for what it does to a combination: classes that are rare, many
or mislabelled, few rows to learn from, borders that only some members can draw.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_blobs,
    make_circles,
    make_classification,
    make_moons,
)

from ..task import Array, DataSet

__all__ = ["DATASETS"]

XY = tuple[Array, Array]


def iris(seed: int) -> XY:
    return load_iris(return_X_y=True)


def wine(seed: int) -> XY:
    return load_wine(return_X_y=True)


def cancer(seed: int) -> XY:
    return load_breast_cancer(return_X_y=True)


def digits(seed: int) -> XY:
    return load_digits(return_X_y=True)


def three(seed: int) -> XY:
    """Three classes of two clusters each, a quarter of the features informative."""
    return make_classification(
        900, 20, n_informative=5, n_redundant=2, n_classes=3, random_state=seed
    )


def rare(seed: int) -> XY:
    """Nine rows of ten of one class."""
    return make_classification(
        1000, 20, n_informative=5, weights=[0.9], flip_y=0.02, random_state=seed
    )


def skewed(seed: int) -> XY:
    """Three classes at 80, 15 and 5 %."""
    return make_classification(
        1000,
        20,
        n_informative=6,
        n_classes=3,
        weights=[0.8, 0.15, 0.05],
        random_state=seed,
    )


def flipped(seed: int) -> XY:
    """Of three labels in ten a coin decides."""
    return make_classification(800, 20, n_informative=5, flip_y=0.3, random_state=seed)


def moons(seed: int) -> XY:
    return make_moons(600, noise=0.3, random_state=seed)


def circles(seed: int) -> XY:
    return make_circles(600, noise=0.2, factor=0.5, random_state=seed)


def many(seed: int) -> XY:
    """Twelve classes that overlap."""
    return make_classification(
        1500,
        20,
        n_informative=8,
        n_classes=12,
        n_clusters_per_class=1,
        random_state=seed,
    )


def small(seed: int) -> XY:
    """Few rows: 90 to train on, where weights are hard to estimate."""
    return make_classification(
        120, 10, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=seed
    )


def bent(seed: int) -> XY:
    """Overlapping blobs, features bent, on many rows: members complement each other."""
    X, y = make_blobs(4000, 4, centers=5, cluster_std=4.0, random_state=seed)
    bend = np.column_stack([X[:, 0] * X[:, 1] / 10.0, np.sin(X[:, 2])])
    return np.column_stack([X, bend]), y


DATASETS = (
    DataSet("iris", "bundled; 3 classes", iris, quick=True),
    DataSet("wine", "bundled; 3 classes", wine, quick=True),
    DataSet("cancer", "bundled; 2 classes", cancer),
    DataSet("digits", "bundled; 10 classes", digits),
    DataSet("three", "generated; 3 classes of two clusters", three),
    DataSet("rare", "generated; 2 classes at 90 and 10 %", rare, quick=True),
    DataSet("skewed", "generated; 3 classes at 80, 15 and 5 %", skewed),
    DataSet("flipped", "generated; 2 classes, label noise", flipped),
    DataSet("moons", "generated; 2 classes, noisy moons", moons, quick=True),
    DataSet("circles", "generated; 2 classes, noisy circles", circles),
    DataSet("many", "generated; 12 classes", many),
    DataSet("small", "generated; 3 classes, few rows", small, quick=True),
    DataSet("bent", "generated; 5 classes, many rows", bent),
)
