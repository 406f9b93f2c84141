"""Equal weights: the average, to which every other constraint set is compared.

Method: none. Strength: it cannot overfit. Limit: a poor model counts as much as the
best.
"""

from __future__ import annotations

import numpy as np

from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.shapes import Weights


def _optimize(
    objective: StackingObjective,
) -> tuple[Weights, int, bool]:
    """Return ``1 / M`` for every model."""
    return np.full(objective.n_models, 1.0 / objective.n_models), 0, True


def _certify(objective: StackingObjective, weights: Weights) -> tuple[float, float]:
    """Measure the distance to the only feasible point."""
    distance = float(np.abs(weights - 1.0 / objective.n_models).max())
    return distance, distance


UNIFORM = ConstraintSet("uniform", _optimize, _certify, lower=0.0, total=1.0)
