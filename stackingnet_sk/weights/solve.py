"""From moments or an objective to certified weights."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.affine import AFFINE
from stackingnet_sk.weights.constraint import ConstraintSet
from stackingnet_sk.weights.cvxpy_solver import optimize_with_cvxpy
from stackingnet_sk.weights.moments import Moments
from stackingnet_sk.weights.nonnegative import NONNEGATIVE
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.prior import ShrinkagePrior
from stackingnet_sk.weights.simplex import SIMPLEX
from stackingnet_sk.weights.solution import CERTIFIED, Solution, Status
from stackingnet_sk.weights.uniform import UNIFORM

CONSTRAINTS: dict[str, ConstraintSet] = {
    constraint.name: constraint
    for constraint in (AFFINE, NONNEGATIVE, SIMPLEX, UNIFORM)
}
SOLVERS = ("auto", "cvxpy")

T = TypeVar("T")

# Predictions whose variance is below this share of the target's are constant: what is
# left of it is rounding.
_CONSTANT = 1e-13


def solve(
    objective: StackingObjective, constraint: str = "simplex", solver: str = "auto"
) -> Solution:
    """Minimize an objective over a constraint set.

    Parameters
    ----------
    objective : StackingObjective
        What to minimize.
    constraint : {"affine", "nonnegative", "simplex", "uniform"}, default="simplex"
        The set of feasible weights.
    solver : {"auto", "cvxpy"}, default="auto"
        The native solvers, or an independent one.

    Returns
    -------
    Solution
        Its certificate is recomputed from the objective; intercept zero.

    Raises
    ------
    ValueError
        If the constraint or the solver is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.weights import StackingObjective, solve
    >>> solve(StackingObjective(np.diag([1.0, 3.0])), "simplex").weights
    array([0.75, 0.25])
    """
    chosen = _choice("constraint", constraint, CONSTRAINTS)
    if _choice("solver", solver, dict(zip(SOLVERS, SOLVERS, strict=True))) == "cvxpy":
        weights, iterations = optimize_with_cvxpy(objective, chosen)
        unique = True
    else:
        weights, iterations, unique = chosen.optimize(objective)
    gap, residual = chosen.certify(objective, weights)
    if min(gap, residual) > CERTIFIED:
        status = Status.INACCURATE
    elif chosen is UNIFORM:
        status = Status.FEASIBLE
    else:
        status = Status.OPTIMAL if unique else Status.MINIMUM_NORM
    return Solution(
        weights,
        0.0,
        max(objective.value(weights), 0.0),
        gap,
        residual,
        iterations,
        status,
        constraint,
        "native" if solver == "auto" else solver,
    )


def solve_moments(
    moments: Moments,
    constraint: str = "nonnegative",
    *,
    fit_intercept: bool = True,
    shrinkage: float = 0.0,
    solver: str = "auto",
) -> Solution:
    """Weights and intercept from the moments of the labelled rows.

    Models whose predictions do not vary get weight zero where the intercept or the
    prior makes them redundant.

    Parameters
    ----------
    moments : Moments
        Moments of the labelled rows.
    constraint : {"affine", "nonnegative", "simplex", "uniform"}, \
default="nonnegative"
        The set of feasible weights.
    fit_intercept : bool, default=True
        Whether to add the intercept that makes the combination unbiased.
    shrinkage : float, default=0.0
        Strength of the :class:`ShrinkagePrior` in pseudo-observations.
    solver : {"auto", "cvxpy"}, default="auto"
        The native solvers, or an independent one.

    Returns
    -------
    Solution
        In the units of the target.

    Raises
    ------
    ValueError
        If the constraint or the solver is unknown, or the total weight is zero.
    """
    if not moments.weight > 0:
        raise ValueError("the labelled rows have no weight; give at least one row some")
    chosen = _choice("constraint", constraint, CONSTRAINTS)
    free_slope = chosen.total is None
    if chosen is UNIFORM:
        shrinkage = 0.0
    covariance = _prediction_covariance(moments)
    noise = _CONSTANT * (moments.scatter.diagonal()[:-1] + moments.scatter[-1, -1])
    varies = covariance.diagonal() > noise / moments.weight
    prior = None
    live = np.arange(moments.n_models)
    if shrinkage > 0 or (free_slope and fit_intercept):
        if varies.any():
            live = varies.nonzero()[0]
        if shrinkage > 0 and varies.any():
            prior = ShrinkagePrior.from_covariance(
                covariance[np.ix_(live, live)], shrinkage
            )
    columns = np.append(live, moments.n_models)
    kept = moments
    if live.size < moments.n_models:
        kept = Moments(
            moments.weight,
            moments.n_rows,
            moments.mean[columns],
            moments.scatter[np.ix_(columns, columns)],
            moments.scale,
        )
    objective = StackingObjective.from_moments(
        kept, fit_intercept=fit_intercept, prior=prior, free_slope=free_slope
    )
    solution = solve(objective, constraint, solver)
    weights = np.zeros(moments.n_models)
    weights[live] = solution.weights
    intercept = 0.0
    if fit_intercept:
        # ybar - Pbar'w, without forming Pbar.
        bias = float(moments.mean[:-1] @ weights)
        intercept = (1.0 - float(weights.sum())) * float(moments.mean[-1]) - bias
    return Solution(
        weights,
        intercept / moments.scale,
        solution.objective / moments.scale / moments.scale,
        solution.gap,
        solution.residual,
        solution.iterations,
        solution.status,
        solution.constraint,
        solution.solver,
    )


def _prediction_covariance(moments: Moments) -> NDArray[np.float64]:
    """Covariance of the predictions, from that of the errors and the target."""
    scatter = moments.scatter
    with_target = scatter[:-1, -1]
    return (
        scatter[:-1, :-1] + with_target[:, None] + with_target + scatter[-1, -1]
    ) / moments.weight


def _choice(parameter: str, value: str, table: dict[str, T]) -> T:
    if not isinstance(value, str) or value not in table:
        raise ValueError(
            f"{parameter}={value!r} is unknown; choose one of {sorted(table)}"
        )
    return table[value]
