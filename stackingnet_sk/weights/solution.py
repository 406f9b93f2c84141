"""What a solver returns: the weights and the proof that they are optimal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Certificates above this are reported as INACCURATE; the second, of interior points.
CERTIFIED = 1e-9
_CERTIFIED_CONIC = 1e-6


class Status(Enum):
    """How a solve ended; the value is the message for people."""

    OPTIMAL = "optimal"
    MINIMUM_NORM = "optimal, of several optima the one of least norm"
    FEASIBLE = "feasible, nothing to optimize"
    UNLABELLED = "no labels: an average weighted by what the models have in common"
    CONVERGED = "no labels: converged to a local optimum of the likelihood"
    NOT_CONVERGED = "no labels: the likelihood was still rising at the last iteration"
    BEST_SUBSET = "optimal over all subsets of so many models"
    BOUNDED_SUBSET = "best subset found; the gap bounds what another could gain"
    INACCURATE = "not certified: the certificate exceeds its tolerance"


@dataclass(frozen=True, eq=False)
class Solution:
    """Weights with their certificate.

    Parameters
    ----------
    weights : ndarray of shape (n_models,)
        The combiner.
    intercept : float or ndarray of shape (n_classes,)
        Additive constant, in the units of the target; of votes, one a class.
    objective : float
        Mean loss of the combination on the rows of the fit plus the prior's penalty,
        in-sample: squared error, in squared units of the target, or log loss, in nats.
        Without labels the negative log-likelihood of all votes.
    gap : float
        Certified upper bound on ``objective - optimum``, divided by a plain rival's
        objective (see the objective's `scale`); infinity where no bound is known.
    residual : float
        Largest violation of the optimality (Karush-Kuhn-Tucker) conditions, divided by
        the same.
    iterations : int
        Number of linear systems solved (of solver iterations with cvxpy).
    status : Status
        How the solve ended.
    constraint : str
        Name of the constraint set; of votes, of the structure or the pool.
    solver : str
        What solved it.
    shrinkage : float, default=0.0
        Strength of the prior on the direction of the weights, in pseudo-observations.
    expected_error : float, default=nan
        Estimate of the loss on new rows, in the units of the objective: of numbers by
        generalized cross-validation, of votes by approximate leave-one-out. The latter
        keeps the prior that the row left out has helped to centre: with a few dozen
        labels and no other rows it is too low. NaN without labels and for the linear
        pool.
    vote_weights : ndarray of shape (n_models, n_classes, n_classes), default=None
        What a vote of model m for class a adds to the score of class k, at
        ``[m, a, k]``; only of votes.
    log_likelihood : ndarray of shape (n_iterations,), default=None
        Log-likelihood of all votes in each iteration of the label-free estimate, in
        nats; only of votes.
    backend : str, default=""
        Of cvxpy the solver behind it, and which failed before.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> model = StackingNetRegressor().fit([[1, 2], [2, 1], [4, 3]], [1, 2, 4])
    >>> model.solution_.status.value, model.solution_.certificate < 1e-9
    ('optimal', True)
    """

    weights: NDArray[np.float64]
    intercept: float | NDArray[np.float64]
    objective: float
    gap: float
    residual: float
    iterations: int
    status: Status
    constraint: str
    solver: str
    shrinkage: float = 0.0
    expected_error: float = float("nan")
    vote_weights: NDArray[np.float64] | None = None
    log_likelihood: NDArray[np.float64] | None = None
    backend: str = ""

    @property
    def certificate(self) -> float:
        """The sharper of the two proofs of optimality, relative."""
        return min(self.gap, self.residual)

    @property
    def warning(self) -> str | None:
        """A sentence for people where the solve did not end well, else None."""
        if self.status in (Status.INACCURATE, Status.NOT_CONVERGED):
            return f"The weights are not certified to be optimal: {self!r}"
        return None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is saved; formats that run no code know no enumerations."""
        return {**self.__dict__, "status": self.status.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, status=Status[state["status"]])

    def __repr__(self) -> str:
        """One line that says all a bug report needs."""
        return (
            f"<Solution {self.constraint} by {self.solver}: {self.status.value}; "
            f"objective {self.objective:.6g}, gap {self.gap:.1e}, residual "
            f"{self.residual:.1e}, {self.iterations} iterations, "
            f"shrinkage {self.shrinkage:.3g}, "
            f"{np.count_nonzero(self.weights)} of {len(self.weights)} models>"
        )


def conic_status(gap: float) -> Status:
    """Say whether what an interior point found is certified.

    Parameters
    ----------
    gap : float
        Its duality gap, relative.

    Returns
    -------
    Status
    """
    return Status.OPTIMAL if gap <= _CERTIFIED_CONIC else Status.INACCURATE
