"""What people use to combine regressors, each as a solve on out-of-fold predictions.

The real ``VotingRegressor`` and ``StackingRegressor`` do the same arithmetic after
fitting their members; the protocol checks that their predictions agree.
To add a rival, add an entry to ``RIVALS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, RidgeCV

from ..task import Array, Predictor, Rival
from .greedy import greedy_weights

__all__ = ["RIVALS"]


@dataclass(frozen=True)
class WeightedMean:
    """The combination ``Q @ weights``, without intercept."""

    weights: Array

    def predict(self, Q: Array) -> Array:
        """Combine the columns of Q."""
        return Q @ self.weights


def mean_squared_errors(P: Array, y: Array) -> Array:
    return np.mean((P - y[:, None]) ** 2, axis=0)


def best_single_weights(P: Array, y: Array) -> Array:
    return np.eye(P.shape[1])[np.argmin(mean_squared_errors(P, y))]


def uniform_weights(P: Array, y: Array) -> Array:
    return np.full(P.shape[1], 1.0 / P.shape[1])


def inverse_error_weights(P: Array, y: Array) -> Array:
    """Return 1/MSE: optimal for unbiased members with uncorrelated errors."""
    precision = 1.0 / mean_squared_errors(P, y)
    return precision / precision.sum()


def weighted(weights: Callable[[Array, Array], Array]) -> Callable[..., Predictor]:
    return lambda P, y: WeightedMean(weights(P, y))


RIVALS = (
    Rival("constant (training mean)", lambda P, y: DummyRegressor().fit(P, y)),
    Rival("best single (out of fold)", weighted(best_single_weights)),
    Rival("VotingRegressor (uniform)", weighted(uniform_weights)),
    Rival("VotingRegressor (1/MSE)", weighted(inverse_error_weights)),
    Rival("greedy selection", weighted(greedy_weights)),
    Rival("StackingRegressor (OLS)", lambda P, y: LinearRegression().fit(P, y)),
    Rival("StackingRegressor (RidgeCV)", lambda P, y: RidgeCV().fit(P, y)),
    Rival(
        "StackingRegressor (NNLS)",
        lambda P, y: LinearRegression(positive=True).fit(P, y),
    ),
)
