"""Non-negative weights of any sum: the architecture of the paper.

Method: the simplex's, with ``a'w`` in place of ``1'w``; the sum of the weights is a
slope, fitted at the same time. Strength: corrects predictions that spread too much or
too little. Limit: needs labels to know the slope.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.minimum_norm import nonnegative_quadratic
from stackingnet_sk.weights.objective import StackingObjective

_ROUNDING = 64.0 * float(np.finfo(float).eps)


def _optimize(
    objective: StackingObjective,
) -> tuple[NDArray[np.float64], int, bool]:
    """Minimize ``w'Gw + sigma^2 (1 - a'w)^2`` over ``w >= 0``."""
    if objective.target == 0:
        # Nothing to explain: the least of all weights is optimal.
        return np.zeros(objective.n_models), 0, True
    return nonnegative_quadratic(
        objective.free_slope_error, objective.slopes, objective.target
    )


def _certify(
    objective: StackingObjective, weights: NDArray[np.float64]
) -> tuple[float, float]:
    r"""Duality gap through the slice ``a'w = 1``.

    Along a ray the best length leaves ``sigma^2 m / (sigma^2 + m)``, monotone in
    ``m = v'Gv`` with ``a'v = 1``. On that slice ``m* >= 2 l - m`` for every ``l`` with
    ``Gv - l a >= 0``, the simplex's gap with ``a`` in place of ones, so the bound needs
    neither strong convexity nor a bounded set.
    """
    # Where predictions spread far too much, weights of zero would pass otherwise.
    scale = min(objective.scale, objective.target or np.inf)
    gradient = objective.gradient(weights)
    residual = max(
        0.0,
        -float(gradient.min()) / scale,
        float(np.abs(weights * gradient).max()) / scale,
        -float(weights.min()),
    )
    gap = max(0.0, objective.value(weights) - _bound(objective, weights))
    return gap / scale, residual


def _bound(objective: StackingObjective, weights: NDArray[np.float64]) -> float:
    """Lower bound on the objective over the cone; zero at worst, as it is a square."""
    sigma2, slopes = objective.target, objective.slopes
    positive = slopes > 0
    if not positive.any():
        return sigma2
    along = float(slopes @ weights)
    if sigma2 == 0 or along <= 0:
        return 0.0
    direction = weights / along
    image = objective.free_slope_error @ direction
    multiplier = float((image[positive] / slopes[positive]).min())
    rounding = _ROUNDING * (np.abs(objective.free_slope_error) @ direction)
    if (image + rounding < multiplier * slopes)[~positive].any():
        return 0.0
    lower = max(2.0 * multiplier - float(direction @ image), 0.0)
    return sigma2 * lower / (sigma2 + lower)


NONNEGATIVE = ConstraintSet("nonnegative", _optimize, _certify, lower=0.0, total=None)
