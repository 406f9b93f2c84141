"""Non-negative weights that sum to one.

Method: solve a non-negative quadratic problem and normalize its solution; this is
exact, because the best length along a direction is monotone in its error. Strength: a
true duality gap. Limit: it cannot correct a common slope.
"""

from __future__ import annotations

import numpy as np

from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.minimum_norm import nonnegative_quadratic
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.shapes import Weights


def _optimize(
    objective: StackingObjective,
) -> tuple[Weights, int, bool]:
    """Minimize ``w'Cw`` over ``w >= 0, 1'w = 1``."""
    weights, iterations, unique = nonnegative_quadratic(
        objective.error, np.ones(objective.n_models), objective.scale
    )
    return weights / np.add.reduce(weights), iterations, unique


def _certify(objective: StackingObjective, weights: Weights) -> tuple[float, float]:
    """Duality gap ``w'g - min(g)`` with the gradient ``g`` (Frank and Wolfe, 1956).

    Stationarity and complementary slackness sum to the gap.
    """
    gradient = objective.error.dot(weights)
    least = min(gradient.tolist())
    gap = max(2.0 * (float(weights.dot(gradient)) - least) / objective.scale, 0.0)
    return gap, gap


SIMPLEX = ConstraintSet("simplex", _optimize, _certify, lower=0.0, total=1.0)
