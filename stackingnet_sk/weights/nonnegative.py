"""Non-negative weights of any sum: the architecture of the paper.

Method: that of the simplex, with ``a'w`` in place of ``1'w``; the sum of the weights is
a slope, fitted at the same time. Strength: it corrects predictions that spread too much
or too little. Limit: it needs labels to know the slope.
"""

from __future__ import annotations

import numpy as np

from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.minimum_norm import nonnegative_quadratic
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.shapes import Weights

# Rounding of a product of a row and weights, relative to the sum of its terms. It is
# the bound for 64 models; for more it is the usual size.
_ROUNDING = 64.0 * float(np.finfo(float).eps)
# Relative gap that is small enough, so that no second bound is computed.
_TIGHT = 1e-12


def _optimize(
    objective: StackingObjective,
) -> tuple[Weights, int, bool]:
    """Minimize ``w'Gw + sigma^2 (1 - a'w)^2`` over ``w >= 0``."""
    if objective.target == 0:
        # There is nothing to explain, so weights of zero are optimal.
        return np.zeros(objective.n_models), 0, True
    return nonnegative_quadratic(
        objective.free_slope_error, objective.slopes, objective.target
    )


def _certify(objective: StackingObjective, weights: Weights) -> tuple[float, float]:
    """Return the gap and the residual of the optimality conditions.

    The optimality conditions are ``min(w_m, g_m) = 0`` with the gradient ``g``. By
    Cauchy and Schwarz ``|g_m| <= 2 sqrt(P_mm f)`` for predictions of mean square
    ``P_mm``, which gives both their units. A model with huge errors is measured by its
    own rounding.
    """
    # Without this, weights of zero would pass if predictions spread far too much.
    scale = min(objective.scale, objective.target or np.inf)
    gradient = objective.gradient(weights)
    squares = objective.error.diagonal()
    if objective.error_target is not None:
        of_predictions = squares + 2.0 * objective.error_target + objective.target
        squares = np.maximum(squares, of_predictions)
    unit = np.sqrt(np.maximum(squares, scale))
    share = weights * unit / np.sqrt(objective.target or scale)
    slope = gradient / unit / np.sqrt(scale)
    residual = float(np.maximum.reduce(np.abs(np.minimum(share, slope))))
    value = objective.value(weights)
    gap = max(0.0, value - _slice_bound(objective, weights))
    if gap > _TIGHT * scale:
        gap = min(gap, value - _tangent_bound(objective, weights, value, gradient))
    return gap / scale, residual


def _tangent_bound(
    objective: StackingObjective,
    weights: Weights,
    value: float,
    gradient: Weights,
) -> float:
    """Return ``f(w) - w'g``, which the cone is above where ``g >= 0`` up to rounding.

    For every ``v >= 0``, ``f(v) >= f(w) + g'(v - w)`` by convexity.
    """
    size = np.abs(weights)
    terms = np.abs(objective.error) @ size
    if objective.error_target is not None:
        total = 1.0 + float(size.sum())
        terms += float(np.abs(objective.error_target) @ size)
        terms += total * (objective.target + np.abs(objective.error_target))
    if (gradient < -2.0 * _ROUNDING * terms).any():
        return 0.0
    return value - float(np.maximum(gradient, 0.0) @ weights)


def _slice_bound(objective: StackingObjective, weights: Weights) -> float:
    r"""Return a lower bound on the objective over the cone, zero at worst.

    Along a ray the best length leaves ``sigma^2 m / (sigma^2 + m)``, monotone in
    ``m = v'Gv`` with ``a'v = 1``. On that slice ``m* >= 2 l - m`` for every ``l`` with
    ``Gv - l a >= 0``, the simplex's gap with ``a`` in place of ones, so the bound needs
    neither strong convexity nor a bounded set.
    """
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
