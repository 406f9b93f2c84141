"""Non-negative weights that sum to one.

Method: the direction of a non-negative quadratic problem, normalized; exact, because
the best length along a direction is monotone in its error. Strength: a true duality
gap. Limit: cannot correct a common slope.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.minimum_norm import nonnegative_quadratic
from stackingnet_sk.weights.objective import StackingObjective


def _optimize(
    objective: StackingObjective,
) -> tuple[NDArray[np.float64], int, bool]:
    """Minimize ``w'Cw`` over ``w >= 0, 1'w = 1``."""
    weights, iterations, unique = nonnegative_quadratic(
        objective.error, np.ones(objective.n_models), objective.scale
    )
    return weights / np.add.reduce(weights), iterations, unique


def _certify(
    objective: StackingObjective, weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Duality gap ``w'g - min(g)`` with the gradient ``g`` (Frank and Wolfe, 1956)."""
    gradient = objective.error.dot(weights)
    least = float(np.minimum.reduce(gradient))
    gap = max(2.0 * (float(weights.dot(gradient)) - least) / objective.scale, 0.0)
    # Complementary slackness sums to the gap; what remains is feasibility.
    total = float(np.add.reduce(weights))
    return gap, max(gap, abs(total - 1.0), -float(np.minimum.reduce(weights)))


SIMPLEX = ConstraintSet("simplex", _optimize, _certify, lower=0.0, total=1.0)
