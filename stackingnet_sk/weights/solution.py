"""What a solver returns: the weights and the proof that they are optimal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

# Certificates above this are reported as INACCURATE.
CERTIFIED = 1e-9


class Status(Enum):
    """How a solve ended; the value is the message for people."""

    OPTIMAL = "optimal"
    MINIMUM_NORM = "optimal, of several optima the one of least norm"
    FEASIBLE = "feasible, nothing to optimize"
    UNLABELLED = "no labels: an average weighted by what the models have in common"
    INACCURATE = "not certified: the certificate exceeds its tolerance"


@dataclass(frozen=True, eq=False)
class Solution:
    """Weights with their certificate.

    Parameters
    ----------
    weights : ndarray of shape (n_models,)
        The combiner.
    intercept : float
        Additive constant, in the units of the target.
    objective : float
        Weighted mean squared error of the combination on the rows of the fit plus the
        prior's penalty, in squared units of the target. In-sample.
    gap : float
        Certified upper bound on ``objective - optimum``, divided by the objective of
        the uniform weights; infinity where no bound is known.
    residual : float
        Largest violation of the optimality (Karush-Kuhn-Tucker) conditions, divided by
        the objective of the uniform weights.
    iterations : int
        Number of linear systems solved (of solver iterations with cvxpy).
    status : Status
        How the solve ended.
    constraint : str
        Name of the constraint set.
    solver : str
        What solved it.
    shrinkage : float, default=0.0
        Strength of the prior on the direction of the weights, in pseudo-observations.
    """

    weights: NDArray[np.float64]
    intercept: float
    objective: float
    gap: float
    residual: float
    iterations: int
    status: Status
    constraint: str
    solver: str
    shrinkage: float = 0.0

    @property
    def certificate(self) -> float:
        """The sharper of the two proofs of optimality, relative."""
        return min(self.gap, self.residual)

    def __repr__(self) -> str:
        """One line that says all a bug report needs."""
        return (
            f"<Solution {self.constraint} by {self.solver}: {self.status.value}; "
            f"objective {self.objective:.6g}, gap {self.gap:.1e}, residual "
            f"{self.residual:.1e}, {self.iterations} iterations, "
            f"shrinkage {self.shrinkage:.3g}, "
            f"{np.count_nonzero(self.weights)} of {len(self.weights)} models>"
        )
