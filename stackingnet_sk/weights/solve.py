"""From moments or an objective to certified weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from stackingnet_sk.evidence.moments import CONSTANT, Moments, varying_models
from stackingnet_sk.weights.affine import AFFINE
from stackingnet_sk.weights.certified import SOLVERS, solve_certified
from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.nonnegative import NONNEGATIVE
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.prior import ShrinkagePrior
from stackingnet_sk.weights.quadratic_problem import QuadraticProblem
from stackingnet_sk.weights.shapes import Models
from stackingnet_sk.weights.simplex import SIMPLEX
from stackingnet_sk.weights.solution import Solution, Status
from stackingnet_sk.weights.subset import solve_subset
from stackingnet_sk.weights.uniform import UNIFORM
from stackingnet_sk.weights.user_constraints import InfeasibleError, UserConstraints

CONSTRAINTS: dict[str, ConstraintSet] = {
    constraint.name: constraint
    for constraint in (AFFINE, NONNEGATIVE, SIMPLEX, UNIFORM)
}

T = TypeVar("T")

# Share of the rows that weights do not determine, below which it is rounding.
_NOTHING = 1e-6
# Scales beyond this ratio make squares of the one overflow in units of the other.
_SAME_UNITS = 2.0**-400


class UnitsError(ValueError):
    """Predictions of `model`, a name or a number, are too large beside the labels."""

    def __init__(self, model: Any) -> None:
        self.model = model
        super().__init__(
            f"The predictions of model {model!r} are over 1e120 times as large as the "
            "labels; put them in the units of the labels, or drop the model."
        )


def solve(
    objective: StackingObjective, constraint: str = "simplex", solver: str = "auto"
) -> Solution:
    """Minimize an objective over a constraint set; the intercept is zero.

    Raises a ValueError if the constraint set or the solver is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.weights import StackingObjective, solve
    >>> solve(StackingObjective(np.diag([1.0, 3.0])), "simplex").weights
    array([0.75, 0.25])
    """
    chosen = _choice("constraint", constraint, CONSTRAINTS)
    _choice("solver", solver, SOLVERS)
    return solve_certified(QuadraticProblem(objective, chosen), solver=solver)


def _solve_constrained(
    problem: QuadraticProblem, user_constraints: UserConstraints, solver: str
) -> Solution:
    """Search subsets where the number of models is limited, else solve."""
    at_most = user_constraints.at_most
    if at_most is None or at_most >= problem.objective.n_models:
        return solve_certified(problem, user_constraints, solver)
    return solve_subset(problem, user_constraints, solver)


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
    """Solve for weights and intercept, in the units of the target.

    `moments` are those of the labelled rows, and `prediction_moments` those of the
    predictions on all rows, for the prior; by default those of the labelled rows.
    `shrinkage` is the strength of the :class:`ShrinkagePrior` in pseudo-observations,
    and "auto" sets it by empirical Bayes. Models whose predictions do not vary get
    weight zero if the intercept or the prior makes them redundant.

    A ValueError is raised if the constraint set or the solver is unknown, if the total
    weight is zero, or if predictions are over 1e120 times as large as the labels; an
    InfeasibleError if no weights fulfil the user's constraints.
    """
    if not moments.weight > 0:
        raise ValueError(
            "the labelled rows have no weight; give a positive one to at least one row"
        )
    chosen = _choice("constraint", constraint, CONSTRAINTS)
    _choice("solver", solver, SOLVERS)
    _check_units(moments)
    shrinks = shrinkage != 0 and chosen is not UNIFORM
    predictions = moments
    if prediction_moments is not None and shrinks:
        if prediction_moments.scale < _SAME_UNITS * moments.scale:
            raise ValueError(
                "the predictions on rows without labels are over 1e120 times as large "
                "as those on labelled rows; put both in the same units"
            )
        predictions = prediction_moments.rescaled(moments.scale)
    useful = varying_models(moments, predictions) if shrinks else np.arange(0)
    shrinks = useful.size > 0
    if not shrinks:
        useful = _useful_models(moments, chosen, fit_intercept=fit_intercept)
    live = useful if useful.size else np.arange(moments.n_models)
    kept = moments.subset(live) if live.size < moments.n_models else moments
    prior = _prior(kept, predictions.subset(live), shrinkage) if shrinks else None
    objective = StackingObjective.from_moments(
        kept,
        fit_intercept=fit_intercept,
        prior=prior,
        free_slope=chosen.total is None,
    )
    if not useful.size:
        # Constants beside an intercept, and zeros without one, explain nothing. Their
        # slopes on the target are rounding, so the exact objective replaces that.
        variance = objective.target
        objective = StackingObjective(
            np.full((live.size, live.size), variance),
            np.full(live.size, -variance),
            variance,
        )
    problem = QuadraticProblem(objective, chosen, kept, fit_intercept)
    solution = _solve_live(problem, user_constraints, live, moments.n_models, solver)
    expected_error = _expected_error(problem, solution)
    if live.size < moments.n_models:
        solution = solution.expanded(live, moments.n_models)
    return replace(
        solution,
        shrinkage=prior.strength if prior else 0.0,
        expected_error=expected_error,
    )


def _check_units(moments: Moments) -> None:
    """Refuse predictions beside which the squares of the labels would underflow."""
    sizes = np.hypot(moments.mean, np.sqrt(moments.scatter.diagonal() / moments.weight))
    largest = int(np.argmax(sizes))
    if 0 < sizes[-1] < _SAME_UNITS * sizes[largest]:
        raise UnitsError(largest)


def _useful_models(
    moments: Moments, constraint: ConstraintSet, *, fit_intercept: bool
) -> Models:
    """Find the models that can change the combination, without a prior.

    On the cone these are models that vary, beside an intercept, and models that differ
    from zero, without one: the weights of all others would be divisions of rounding by
    rounding. Predictions are sums of errors and labels, so their mean square is known
    up to the rounding of these. Where weights sum to one every model counts.
    """
    if constraint.total is not None:
        return np.arange(moments.n_models)
    if fit_intercept:
        return varying_models(moments, moments)
    variance = moments.predictions()[0].diagonal()
    squares = variance + np.square(moments.mean[:-1] + moments.mean[-1])
    parts = moments.scatter.diagonal() / moments.weight + np.square(moments.mean)
    return np.flatnonzero(squares > CONSTANT * (parts[:-1] + parts[-1]))


def _solve_live(
    problem: QuadraticProblem,
    user_constraints: UserConstraints | None,
    live: Models,
    n_models: int,
    solver: str,
) -> Solution:
    """Solve for the models that can have a weight; errors name those that cannot."""
    if user_constraints is None:
        return solve_certified(problem, solver=solver)
    try:
        return _solve_constrained(problem, user_constraints.subset(live), solver)
    except InfeasibleError as failure:
        dropped = np.setdiff1d(np.arange(n_models), live)
        if not dropped.size:
            raise
        names = [user_constraints.names[m] for m in dropped[:5]]
        raise InfeasibleError(
            f"{failure} (Predictions of {names} do not vary: such models have no "
            "weight.)"
        ) from None


def _expected_error(problem: QuadraticProblem, solution: Solution) -> float:
    """Estimate the error by generalized cross-validation (Craven and Wahba, 1979)."""
    moments, fit_intercept = problem.moments, problem.fit_intercept
    assert moments is not None
    plain = StackingObjective.from_moments(moments, fit_intercept=fit_intercept)
    freedom = float(fit_intercept)
    if problem.constraint is not UNIFORM:
        freedom += problem.objective.degrees_of_freedom(
            plain, solution.weights, problem.constraint.total
        )
    share = 1.0 - freedom / moments.n_effective
    if not share > _NOTHING:
        return np.inf
    error = max(plain.value(solution.weights), 0.0)
    # A user constraint may have moved the intercept from the best.
    point = problem.point_of(solution.combination)
    error += problem.split(point)[1] ** 2
    return error / share / share / moments.scale / moments.scale


def solve_unlabelled(
    prediction_moments: Moments,
    constraint: str = "simplex",
    user_constraints: UserConstraints | None = None,
) -> Solution:
    """Return weights without any labels: the direction of the prior, as an average.

    Slope and bias can't be estimated, so the weights sum to one and the intercept is
    zero. Shrunk simplex weights tend to these as labels become fewer. User constraints
    select the nearest weights that fulfil them, and "uniform" weights stay uniform. The
    objective is the penalty of the prior of strength one, which is zero at its centre.
    A ValueError is raised if the total weight is zero.
    """
    if not prediction_moments.weight > 0:
        raise ValueError(
            "the rows have no weight; give a positive one to at least one row"
        )
    chosen = _choice("constraint", constraint, CONSTRAINTS)
    chosen = UNIFORM if chosen is UNIFORM else SIMPLEX
    n_models = prediction_moments.n_models
    live = varying_models(prediction_moments, prediction_moments)
    if not live.size or chosen is UNIFORM:
        live = np.arange(n_models)
        center = np.full(n_models, 1.0 / n_models)
        objective = StackingObjective(np.eye(n_models))
    else:
        prior = _center(prediction_moments.subset(live), 1.0)
        center = prior.direction
        objective = StackingObjective(prior.penalty(1.0))
    problem = QuadraticProblem(objective, chosen, prediction_moments.subset(live))
    if user_constraints is not None:
        nearest = _solve_constrained(problem, user_constraints.subset(live), "auto")
        if nearest.solver != "native" or user_constraints.at_most is not None:
            nearest = replace(nearest, intercept=0.0)
            return nearest.expanded(live, n_models)
    certificate = problem.certify(center)
    solution = Solution(
        center,
        intercept=0.0,
        objective=0.0,
        gap=certificate.gap,
        residual=certificate.residual,
        iterations=0,
        status=Status.UNLABELLED,
        constraint=chosen.name,
        solver="native",
        problem=problem,
        certificate=max(certificate.gap, certificate.residual),
    )
    return solution.expanded(live, n_models)


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
