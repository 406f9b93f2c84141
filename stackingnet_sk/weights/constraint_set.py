"""What a constraint set has to provide.

To add a constraint set, write one file with a `ConstraintSet`, and add one line to
`CONSTRAINTS` in `solve`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import fsum

from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.shapes import Weights


@dataclass(frozen=True)
class ConstraintSet:
    """A set of feasible weights, by name, with its solver and its certificate.

    ``optimize(objective) -> (weights, iterations, unique)`` gives the optimal weights,
    of several optima the one of least norm, the number of linear systems solved, and
    whether there is only one optimum.

    ``certify(objective, weights) -> (gap, residual)`` uses nothing that the solver
    kept. The gap bounds the distance to the optimal objective and is infinite where
    there is no bound. The residual is the largest violation of stationarity and
    complementary slackness. Both are relative to ``objective.scale``. Feasibility is
    left to `violation`.

    `lower` is the smallest weight allowed, and `total` is what the weights sum to, None
    where the sum is a free slope.
    """

    name: str
    optimize: Callable[[StackingObjective], tuple[Weights, int, bool]]
    certify: Callable[[StackingObjective, Weights], tuple[float, float]]
    lower: float
    total: float | None

    def violation(self, weights: Weights) -> float:
        """Return by how much weights violate the lower bound or the sum.

        The sum is rounded once, so rounding of many weights is not a violation.
        """
        values: list[float] = weights.tolist()
        worst = max(0.0, self.lower - min(values))
        if self.total is not None:
            worst = max(worst, abs(fsum(values) - self.total))
        return worst
