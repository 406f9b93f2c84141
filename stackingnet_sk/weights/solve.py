"""From moments or an objective to certified weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.moments import Moments, varying_models
from stackingnet_sk.weights.affine import AFFINE
from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.cvxpy_problems import plain_quadratic
from stackingnet_sk.weights.cvxpy_solver import minimize
from stackingnet_sk.weights.limited import LimitedProblem
from stackingnet_sk.weights.nonnegative import NONNEGATIVE
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.prior import ShrinkagePrior
from stackingnet_sk.weights.simplex import SIMPLEX
from stackingnet_sk.weights.solution import CERTIFIED, Solution, Status
from stackingnet_sk.weights.uniform import UNIFORM
from stackingnet_sk.weights.user_constraints import InfeasibleError, UserConstraints

CONSTRAINTS: dict[str, ConstraintSet] = {
    constraint.name: constraint
    for constraint in (AFFINE, NONNEGATIVE, SIMPLEX, UNIFORM)
}
SOLVERS = {"auto": "native", "cvxpy": "cvxpy"}

T = TypeVar("T")

# Share of the rows that the weights don't set below which it is rounding.
_NOTHING = 1e-6
# Scales beyond this ratio make squares of the one overflow in units of the other.
_SAME_UNITS = 2.0**-400


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
    solved_by = _choice("solver", solver, SOLVERS)
    backend = ""
    if solved_by == "cvxpy" and chosen is not UNIFORM:
        answer = minimize(plain_quadratic(objective, chosen))
        weights = np.maximum(answer.point[:-1], chosen.lower)
        if chosen.total is not None:
            weights = weights * (chosen.total / weights.sum())
        iterations, backend, unique = answer.iterations, answer.backend, True
    else:
        weights, iterations, unique = chosen.optimize(objective)
    gap, residual = chosen.certify(objective, weights)
    reached = min(gap, residual)
    if reached > CERTIFIED and reached > _roundoff(objective, weights):
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
        solved_by,
        backend=backend,
    )


def _roundoff(objective: StackingObjective, weights: NDArray[np.float64]) -> float:
    """Certificate that rounding alone can cost, relative.

    Weights whose errors nearly cancel are large against what is left of them.
    """
    size = np.abs(weights)
    terms = float(size @ np.abs(objective.error) @ size)
    return 10.0 * np.finfo(float).eps * objective.n_models * terms / objective.scale


def solve_moments(
    moments: Moments,
    constraint: str = "nonnegative",
    *,
    fit_intercept: bool = True,
    shrinkage: float | str = 0.0,
    solver: str = "auto",
    prediction_moments: Moments | None = None,
    user_constraints: UserConstraints | None = None,
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
    shrinkage : float or "auto", default=0.0
        Strength of the :class:`ShrinkagePrior` in pseudo-observations; "auto" sets it
        by empirical Bayes.
    solver : {"auto", "cvxpy"}, default="auto"
        The native solvers, or an independent one.
    prediction_moments : Moments, default=None
        Moments of the predictions on all rows, labelled or not, for the prior; by
        default those of the labelled rows.
    user_constraints : UserConstraints, default=None
        The user's constraints.

    Returns
    -------
    Solution
        In the units of the target.

    Raises
    ------
    ValueError
        If the constraint or the solver is unknown, or the total weight is zero.
    InfeasibleError
        If no weights fulfil the user's constraints.
    """
    if not moments.weight > 0:
        raise ValueError("the labelled rows have no weight; give at least one row some")
    chosen = _choice("constraint", constraint, CONSTRAINTS)
    free_slope = chosen.total is None
    shrinks = shrinkage != 0 and chosen is not UNIFORM
    whole = moments
    if prediction_moments is not None and shrinks:
        if prediction_moments.scale < _SAME_UNITS * moments.scale:
            raise ValueError(
                "the predictions on rows without labels are over 1e120 times as large "
                "as those on labelled rows; put both in the same units"
            )
        whole = prediction_moments.rescaled(moments.scale)
    live = np.arange(moments.n_models)
    if shrinks or (free_slope and fit_intercept):
        varying = varying_models(moments, whole if shrinks else moments)
        shrinks = shrinks and varying.size > 0
        live = varying if varying.size else live
    kept = moments.subset(live) if live.size < moments.n_models else moments
    prior = _prior(kept, whole.subset(live), shrinkage) if shrinks else None
    objective = StackingObjective.from_moments(
        kept, fit_intercept=fit_intercept, prior=prior, free_slope=free_slope
    )
    if (
        prior is None
        and free_slope
        and fit_intercept
        and not varying_models(kept, kept).size
    ):
        # Constant models explain nothing, exactly: their slopes are not rounding.
        variance = objective.target
        objective = StackingObjective(
            np.full((live.size, live.size), variance),
            np.full(live.size, -variance),
            variance,
        )
    if user_constraints is None:
        solution = solve(objective, constraint, solver)
    else:
        problem = LimitedProblem(
            objective,
            chosen,
            kept,
            user_constraints.subset(live),
            fit_intercept,
            lambda own: solve(own, constraint, solver),
        )
        try:
            solution = problem.solve()
        except InfeasibleError as failure:
            still = np.setdiff1d(np.arange(moments.n_models), live)
            if not still.size:
                raise
            names = [user_constraints.names[m] for m in still[:5]]
            raise InfeasibleError(
                f"{failure} (Predictions of {names} do not vary: such models have no "
                "weight.)"
            ) from None
    plain = StackingObjective.from_moments(kept, fit_intercept=fit_intercept)
    freedom = float(fit_intercept)
    if chosen is not UNIFORM:
        freedom += objective.degrees_of_freedom(plain, solution.weights, chosen.total)
    left = 1.0 - freedom / moments.n_effective
    error = max(plain.value(solution.weights), 0.0)
    weights = np.zeros(moments.n_models)
    weights[live] = solution.weights
    intercept = 0.0
    if fit_intercept:
        # ybar - Pbar'w, without forming Pbar.
        bias = float(moments.mean[:-1] @ weights)
        intercept = (1.0 - float(weights.sum())) * float(moments.mean[-1]) - bias
        if user_constraints is not None:
            # A constraint may have moved it.
            error += (float(solution.intercept) - intercept) ** 2
            intercept = float(solution.intercept)
    return replace(
        solution,
        weights=weights,
        intercept=intercept / moments.scale,
        objective=solution.objective / moments.scale / moments.scale,
        shrinkage=prior.strength if prior else 0.0,
        # Generalized cross-validation (Craven and Wahba, 1979).
        expected_error=(
            error / left / left / moments.scale / moments.scale
            if left > _NOTHING
            else np.inf
        ),
    )


def solve_unlabelled(
    prediction_moments: Moments,
    constraint: str = "simplex",
    user_constraints: UserConstraints | None = None,
) -> Solution:
    """Weights without any labels: the direction of the prior, as an average.

    Slope and bias cannot be seen, so the weights sum to one and the intercept is zero.
    It is what shrunk simplex weights tend to as labels become fewer.

    Parameters
    ----------
    prediction_moments : Moments
        Moments of the predictions, read with a target of 0.
    constraint : {"affine", "nonnegative", "simplex", "uniform"}, default="simplex"
        "uniform" weights stay uniform; for the others the answer is the same.
    user_constraints : UserConstraints, default=None
        The user's constraints: the nearest weights that fulfil them.

    Returns
    -------
    Solution
        Its objective is the penalty of the prior of strength one, zero at its centre.

    Raises
    ------
    ValueError
        If the total weight is zero.
    """
    if not prediction_moments.weight > 0:
        raise ValueError("the rows have no weight; give at least one row some")
    chosen = _choice("constraint", constraint, CONSTRAINTS)
    uniform = chosen is UNIFORM
    live = varying_models(prediction_moments, prediction_moments)
    weights = np.full(prediction_moments.n_models, 1.0 / prediction_moments.n_models)
    objective = StackingObjective(np.eye(prediction_moments.n_models))
    gap = residual = 0.0
    if live.size and not uniform:
        prior = _center(prediction_moments.subset(live), 1.0)
        weights = np.zeros(prediction_moments.n_models)
        weights[live] = prior.direction
        objective = StackingObjective(prior.penalty(1.0))
        gap, residual = SIMPLEX.certify(objective, prior.direction)
    if user_constraints is not None:
        own = (
            live
            if live.size and not uniform
            else np.arange(prediction_moments.n_models)
        )
        near = LimitedProblem(
            objective,
            UNIFORM if uniform else SIMPLEX,
            prediction_moments.subset(own),
            user_constraints.subset(own),
            False,
            lambda part: solve(part, "uniform" if uniform else "simplex"),
        ).solve()
        if near.solver != "native" or user_constraints.at_most is not None:
            weights = np.zeros(prediction_moments.n_models)
            weights[own] = near.weights
            return replace(near, weights=weights, intercept=0.0)
    return Solution(
        weights,
        0.0,
        0.0,
        gap,
        residual,
        0,
        Status.UNLABELLED,
        "uniform" if uniform else "simplex",
        "native",
    )


def _prior(
    moments: Moments, prediction_moments: Moments, shrinkage: float | str
) -> ShrinkagePrior:
    if shrinkage != "auto":
        return _center(prediction_moments, float(shrinkage))
    covariance, with_target = moments.predictions()
    return _center(prediction_moments).with_evidence(
        covariance,
        with_target,
        float(moments.scatter[-1, -1]) / moments.weight,
        moments.n_effective,
    )


def _center(prediction_moments: Moments, strength: float = 0.0) -> ShrinkagePrior:
    covariance = prediction_moments.predictions()[0]
    return ShrinkagePrior.from_covariance(
        covariance, strength, prediction_moments.n_effective
    )


def _choice(parameter: str, value: str, table: dict[str, T]) -> T:
    if not isinstance(value, str) or value not in table:
        raise ValueError(
            f"{parameter}={value!r} is unknown; choose one of {sorted(table)}"
        )
    return table[value]
