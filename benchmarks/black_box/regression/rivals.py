"""What people use to combine predictions of a number; none sees unlabelled rows.

To add a rival, add an entry to ``RIVALS``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.pipeline import make_pipeline

from stackingnet_sk import PredictionNormalizer, StackingNetRegressor

from ...voting.regression.rivals import error_of_mean
from ...voting.weighted import greedy as greedy_weights
from ..task import Array, Given, Method, Predictor
from .combination import Combination
from .replica import REPLICA

__all__ = ["ORACLE", "RIVALS"]


class Median:
    """The median of the models."""

    def predict(self, Q: Array) -> Array:
        """Combine the columns of Q."""
        return np.median(Q, axis=1)


def uniform(P: Array) -> Array:
    return np.full(P.shape[1], 1.0 / P.shape[1])


def average(P: Array, y: Array) -> Predictor:
    return Combination(uniform(P))


def unbiased_average(P: Array, y: Array) -> Predictor:
    return Combination(uniform(P), float(np.mean(y - P.mean(axis=1))))


def constant(P: Array, y: Array) -> Predictor:
    return Combination(np.zeros(P.shape[1]), float(y.mean()))


def best_single(P: Array, y: Array) -> Predictor:
    errors = np.abs(P - y[:, None]).mean(axis=0)
    return Combination(np.eye(P.shape[1])[np.argmin(errors)])


def greedy(P: Array, y: Array) -> Predictor:
    return Combination(greedy_weights(error_of_mean)(P, y))


def ridge(given: Given) -> Predictor:
    """Return ridge regression on predictions in [0, 1], which its grid is made for."""
    model = make_pipeline(
        PredictionNormalizer(given.domain.low, given.domain.high),
        RidgeCV(alphas=np.logspace(-3.0, 3.0, 13)),
    )
    return model.fit(given.P, given.y)


def perrone(P: Array, y: Array) -> Predictor:
    return StackingNetRegressor(constraint="affine", shrinkage=0).fit(P, y)


def on_labels(name: str, solve: Callable[[Array, Array], Predictor]) -> Method:
    return Method(name, lambda given: solve(given.P, given.y))


RIVALS = (
    on_labels("average", average),
    on_labels("average less mean bias", unbiased_average),
    on_labels("median", lambda P, y: Median()),
    on_labels("mean label (constant)", constant),
    on_labels("best single model", best_single),
    on_labels("LinearRegression", lambda P, y: LinearRegression().fit(P, y)),
    on_labels(
        "LinearRegression(positive)",
        lambda P, y: LinearRegression(positive=True).fit(P, y),
    ),
    Method("RidgeCV", ridge),
    REPLICA,
    on_labels("greedy selection", greedy),
    on_labels("Perrone (affine, unshrunk)", perrone),
)

# Given the test items themselves, see the protocol.
ORACLE = on_labels(
    "oracle (fit on the test items)", lambda P, y: LinearRegression().fit(P, y)
)
