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
    """A set of feasible weights with its solver and its certificate.

    Parameters
    ----------
    name : str
        Value of the parameter ``constraint``.
    optimize : callable
        ``optimize(objective) -> (weights, iterations, unique)``: the optimal weights,
        shape (n_models,), and of several optima the one of least norm; the number of
        linear systems solved; whether there is only one optimum.
    certify : callable
        ``certify(objective, weights) -> (gap, residual)``, computed from the objective
        alone and from nothing that the solver kept. The gap bounds the distance to the
        optimal objective (infinity where there is no bound), and the residual is the
        largest violation of stationarity and complementary slackness. Both are relative
        to ``objective.scale``. Feasibility is not theirs to judge; see `violation`.
    lower : float
        Smallest weight allowed.
    total : float or None
        What the weights sum to; None where the sum is a free slope.
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
