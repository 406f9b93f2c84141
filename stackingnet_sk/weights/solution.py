"""What a solver returns: the weights and the proof that they are optimal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple

import numpy as np

from stackingnet_sk.weights.problem import (
    UNDEFINED,
    Certifiable,
    Certificate,
    Combination,
)
from stackingnet_sk.weights.shapes import (
    Models,
    Rates,
    Table,
    Vector,
    VoteWeights,
    Weights,
)

# Tolerances of a certificate, relative. The first is for native solvers, which end at
# 1e-12 or less on problems that rounding lets them solve. The second is for interior
# points, which end at 1e-7 or less.
CERTIFIED = 1e-9
CERTIFIED_CONIC = 1e-6


class Status(Enum):
    """How a solve ended; the value is the message to users."""

    OPTIMAL = "optimal"
    MINIMUM_NORM = "optimal, of several optima the one of least norm"
    FEASIBLE = "feasible, nothing to optimize"
    UNLABELLED = "no labels: an average weighted by what the models have in common"
    CONVERGED = "no labels: converged to a local optimum of the likelihood"
    NOT_CONVERGED = "not converged: the likelihood was still rising at the last step"
    BEST_SUBSET = "optimal over all subsets of so many models"
    BOUNDED_SUBSET = "best subset found; the gap bounds what another could gain"
    MIXTURE = "a mixture of optima under several priors, weighed by leave-one-out"
    INACCURATE = "not certified: the certificate exceeds its tolerance"


class Candidate(NamedTuple):
    """An optimum that a mixture weighs, and the share of it in the mixture.

    Attributes
    ----------
    name : str
        Centre, strength and structure of its prior.
    belief : float
        Weight of the candidate; those of a mixture sum to one.
    solution : Solution
        The optimum, with a certificate of its own.
    """

    name: str
    belief: float
    solution: Solution


@dataclass(frozen=True, eq=False)
class Solution:
    """Weights with their certificate.

    Parameters
    ----------
    weights : ndarray of shape (n_models,)
        Weight of each model in the combination.
    intercept : float or ndarray of shape (n_classes,)
        Additive constant, in the units of the target; for votes, one per class.
    objective : float
        Mean loss of the combination on the rows of the fit plus the prior's penalty,
        in-sample: squared error, in squared units of the target, or log loss, in nats.
        Without labels the negative log-likelihood of all votes.
    gap : float
        Certified upper bound on ``objective - optimum``, divided by a plain rival's
        objective (see the objective's `scale`), or by the objective itself where user
        constraints force one that is larger; infinity where no bound is known.
    residual : float
        Largest violation of the optimality (Karush-Kuhn-Tucker) conditions, feasibility
        included, divided by the same.
    iterations : int
        Number of linear systems solved (of solver iterations with cvxpy).
    status : Status
        How the solve ended.
    constraint : str
        Name of the constraint set; for votes, of the structure or the pool.
    solver : str
        "native" or "cvxpy".
    shrinkage : float, default=0.0
        Strength of the prior on the direction of the weights, in pseudo-observations.
    expected_error : float, default=nan
        Estimate of the loss on new rows, in the units of the objective: by generalized
        cross-validation for numbers, by approximate leave-one-out for votes. The latter
        keeps the prior that the row left out has helped to centre: with a few dozen
        labels and no other rows it is too low. NaN without labels and for the linear
        pool.
    vote_weights : ndarray of shape (n_models, n_classes, n_classes), default=None
        What a vote of model m for class a adds to the score of class k, at
        ``[m, a, k]``; only for votes.
    abstention : ndarray of shape (n_models, n_classes), default=None
        What model m adds to the score of class k if it abstains; None if nothing.
    log_likelihood : ndarray of shape (n_iterations,), default=None
        Log-likelihood of all votes in each iteration of the label-free estimate, in
        nats; only for votes.
    backend : str, default=""
        The solver behind cvxpy, and which solvers failed before it.
    violation : float, default=0.0
        Largest violation of a bound, of the sum of the weights, or of a user
        constraint.
    problem : Certifiable, default=None
        The problem that was solved, for `recheck`. It is not saved: a pickled, copied
        or loaded solution has none.
    models : ndarray of int, default=None
        Which of the weights the problem is about; by default all. The others are zero.
    certificate : float, default=inf
        Largest of the figures that prove optimality and of `violation`, which decides
        `status`. It is infinite where there is no proof.
    candidates : tuple of Candidate, default=()
        Of a mixture, the optima that it mixes and the belief in each. Gap, residual and
        violation are then the worst of theirs.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> model = StackingNetRegressor().fit([[1, 2], [2, 1], [4, 3]], [1, 2, 4])
    >>> model.solution_.status.value, model.solution_.certificate < 1e-9
    ('optimal', True)
    """

    weights: Weights
    intercept: float | Rates
    objective: float
    gap: float
    residual: float
    iterations: int
    status: Status
    constraint: str
    solver: str
    shrinkage: float = 0.0
    expected_error: float = float("nan")
    vote_weights: VoteWeights | None = None
    abstention: Table | None = None
    log_likelihood: Vector | None = None
    backend: str = ""
    violation: float = 0.0
    problem: Certifiable | None = None
    models: Models | None = None
    certificate: float = np.inf
    candidates: tuple[Candidate, ...] = ()

    def recheck(self, problem: Certifiable | None = None) -> Certificate:
        """Recompute the certificate of these weights from the problem.

        It uses nothing that the solver computed, so it is right for changed weights,
        too.

        Parameters
        ----------
        problem : Certifiable, default=None
            The problem; by default the one that was solved.

        Returns
        -------
        Certificate
            Gap, residual, violation and objective. All are infinite where they are not
            defined: without labels, for weights that are not those of the problem, and
            for a loaded solution, because problems are not saved. To check such a
            solution, pass the `problem` of the solution before it was saved.

        Examples
        --------
        >>> from stackingnet_sk import StackingNetRegressor
        >>> model = StackingNetRegressor().fit([[1, 2], [2, 1], [4, 3]], [1, 2, 4])
        >>> model.solution_.recheck().gap < 1e-9
        True
        """
        problem = self.problem if problem is None else problem
        if problem is None:
            return UNDEFINED
        weights = self.weights
        if self.models is not None:
            if np.delete(weights, self.models).any():
                return UNDEFINED
            weights = weights[self.models]
        combination = self.combination._replace(weights=weights)
        return problem.certify(problem.point_of(combination))

    @property
    def combination(self) -> Combination:
        """Weights, intercept, vote weights, and what abstaining adds."""
        return Combination(
            self.weights, self.intercept, self.vote_weights, self.abstention
        )

    def expanded(self, models: Models, n_models: int) -> Solution:
        """Give weights of zero to models that are not in the problem.

        Parameters
        ----------
        models : ndarray of int
            Which models the weights are of.
        n_models : int
            Number of all models.

        Returns
        -------
        Solution
        """
        weights = np.zeros(n_models)
        weights[models] = self.weights
        if self.models is not None:
            models = models[self.models]
        return replace(self, weights=weights, models=models)

    @property
    def warning(self) -> str | None:
        """A message to users where the solve did not end well, else None."""
        if self.status in (Status.INACCURATE, Status.NOT_CONVERGED):
            return f"The weights are not certified to be optimal: {self!r}"
        return None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is saved: everything but the problem, which may hold code."""
        return {**self.__dict__, "problem": None}

    def __repr__(self) -> str:
        """One line that says all a bug report needs."""
        return (
            f"<Solution {self.constraint} by {self.solver}: {self.status.value}; "
            f"objective {self.objective:.6g}, gap {self.gap:.1e}, residual "
            f"{self.residual:.1e}, {self.iterations} iterations, "
            f"shrinkage {self.shrinkage:.3g}, "
            f"{np.count_nonzero(self.weights)} of {len(self.weights)} models>"
        )
