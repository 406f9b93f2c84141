"""What people use to combine regressors, each as a solve on out-of-fold predictions.

The real ``VotingRegressor`` and ``StackingRegressor`` do the same arithmetic after
fitting their members; the protocol checks that their predictions agree.
To add a rival, add an entry to ``RIVALS``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, RidgeCV

from ..task import Array, Combination, Rival
from ..weighted import best, greedy, inverse, uniform, weighted

__all__ = ["RIVALS"]


def mean_squared_errors(P: Array, y: Array) -> Array:
    return np.mean((P - y[:, None]) ** 2, axis=0)


def error_of_mean(P: Array, y: Array) -> Callable[[Array], Array]:
    """Return the mean squared error of a mean of members, as a function of counts.

    With counts ``c`` that sum to k, and G the second moments of the members'
    residuals, it is ``c'Gc / k^2``: the data are read once.
    """
    residuals = P - y[:, None]
    G = residuals.T @ residuals / len(y)
    return lambda counts: ((counts @ G) * counts).sum(-1) / counts.sum(-1) ** 2


def trained(model: Any) -> Callable[[Array, Array], Combination]:
    return lambda P, y: model().fit(P, y).predict


# 1/MSE is optimal for unbiased members with uncorrelated errors.
RIVALS = (
    Rival("constant (training mean)", trained(DummyRegressor)),
    Rival("best single (out of fold)", weighted(best(mean_squared_errors))),
    Rival("VotingRegressor (uniform)", weighted(uniform)),
    Rival("VotingRegressor (1/MSE)", weighted(inverse(mean_squared_errors))),
    Rival("greedy selection", weighted(greedy(error_of_mean))),
    Rival("StackingRegressor (OLS)", trained(LinearRegression)),
    Rival("StackingRegressor (RidgeCV)", trained(RidgeCV)),
    Rival("StackingRegressor (NNLS)", trained(lambda: LinearRegression(positive=True))),
)
