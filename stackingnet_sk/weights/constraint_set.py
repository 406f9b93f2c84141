"""What a constraint set has to provide, and the table of those that exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.objective import StackingObjective


@dataclass(frozen=True)
class ConstraintSet:
    """A set of feasible weights with its solver and its certificate.

    Parameters
    ----------
    name : str
        Value of the parameter ``constraint``.
    optimize : callable
        ``optimize(objective) -> (weights, iterations, unique)``: the optimal weights,
        shape (n_models,), of several optima the one of least norm; the number of
        linear systems solved; whether there is one optimum only.
    certify : callable
        ``certify(objective, weights) -> (gap, residual)``, computed from the objective
        alone and from nothing that the solver kept: a bound on the distance to the
        optimal objective (infinity where there is none) and the largest violation of
        the optimality conditions, both relative to ``objective.scale``.
    lower : float
        Smallest weight allowed.
    total : float or None
        What the weights sum to; None where the sum is a free slope.
    """

    name: str
    optimize: Callable[[StackingObjective], tuple[NDArray[np.float64], int, bool]]
    certify: Callable[[StackingObjective, NDArray[np.float64]], tuple[float, float]]
    lower: float
    total: float | None
