"""The objectives of the package in cvxpy's terms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.moments import Moments
from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.cvxpy_solver import ConvexProblem, import_cvxpy
from stackingnet_sk.weights.linear_pool import LinearPoolObjective
from stackingnet_sk.weights.log_loss import LogLossObjective
from stackingnet_sk.weights.minimum_norm import equilibrated
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.uniform import UNIFORM
from stackingnet_sk.weights.user_constraints import UserConstraints, View
from stackingnet_sk.weights.vote_prior import margins

# Where rounding ends; what is not reached is tried at ten times as much, and so on.
_TOLERANCE = 1e-11


def label_spread(moments: Moments) -> float:
    """Measure the spread of the labels, in the units of the moments; of none, one.

    Parameters
    ----------
    moments : Moments
        Of the labelled rows.

    Returns
    -------
    float
    """
    return float(np.sqrt(moments.scatter[-1, -1] / moments.weight)) or 1.0


def quadratic_problem(
    objective: StackingObjective,
    constraint: ConstraintSet,
    moments: Moments,
    user_constraints: UserConstraints,
    *,
    fit_intercept: bool,
) -> ConvexProblem:
    """Squared error; the point is weights, and how far the intercept is off the best.

    Parameters
    ----------
    objective : StackingObjective
        The objective, its intercept profiled out.
    constraint : ConstraintSet
        The set.
    moments : Moments
        Those of the labelled rows that it is from.
    user_constraints : UserConstraints
        The user's constraints.
    fit_intercept : bool
        Whether there is an intercept.

    Returns
    -------
    ConvexProblem
    """
    cp = import_cvxpy()
    free_slope = constraint.total is None
    n_models, scale = objective.n_models, np.sqrt(objective.scale)
    point = cp.Variable(n_models + 1)
    # The last is how far the intercept is off the best, for data may be far from zero,
    # and in units of the labels' spread, for solvers want numbers about one.
    unit = label_spread(moments)
    weights, away = point[:n_models], unit * point[n_models]
    quadratic = objective.free_slope_error if free_slope else objective.error
    loss = cp.sum_squares((_root(quadratic) / scale) @ weights)
    hard = []
    if constraint is UNIFORM:
        hard.append(weights == np.full(n_models, 1.0 / n_models))
    if free_slope:
        root = np.sqrt(objective.target) / scale
        loss += cp.square(root * (objective.slopes @ weights - 1.0))
    else:
        hard.append(cp.sum(weights) == constraint.total)
    if np.isfinite(constraint.lower):
        hard.append(weights >= constraint.lower)
    # The best intercept for given weights is start + along @ weights.
    start = float(moments.mean[-1])
    along = -(moments.mean[:-1] + start)
    if fit_intercept:
        loss += cp.square(away / scale)
        intercept = along @ weights + start + away
    else:
        hard.append(away == 0)
        along, start = np.zeros(n_models), 0.0
        intercept = away

    def gradient(at: NDArray[np.float64]) -> NDArray[np.float64]:
        slope = np.append(objective.gradient(at[:-1]), 0.0)
        if fit_intercept:
            slope[-1] = 2.0 * unit * (unit * at[-1])
        return slope / objective.scale

    spread = user_constraints.spread
    everyone = spread @ weights

    def mean(group: Moments) -> Any:
        own = group.rescaled(moments.scale)
        label = float(own.mean[-1])
        # Differences of means, so that data may be far from zero.
        slopes = (own.mean[:-1] + label) @ spread + along
        return (slopes / unit) @ weights + ((start - label) + away) / unit

    def residuals() -> list[dict[str, Any]]:
        return [
            {g: mean(each) for g, each in column.items()}
            for column in user_constraints.groups
        ]

    def errors() -> list[dict[str, Any]]:
        def squared(group: Moments) -> Any:
            own = group.rescaled(moments.scale)
            parts = cp.hstack([everyone, cp.sum(everyone) - 1.0])
            root = _root(own.scatter / own.weight) / unit
            return cp.sum_squares(root @ parts) + cp.square(mean(group))

        return [
            {g: squared(each) for g, each in column.items()}
            for column in user_constraints.groups
        ]

    view = View(
        cp,
        everyone,
        intercept / moments.scale,
        user_constraints.names,
        residuals,
        errors,
        unit / moments.scale,
    )
    return ConvexProblem(point, loss, hard, gradient, view, _TOLERANCE)


def plain_quadratic(
    objective: StackingObjective, constraint: ConstraintSet
) -> ConvexProblem:
    """Build the same without constraints of the user, and without an intercept.

    Parameters
    ----------
    objective : StackingObjective
        The objective.
    constraint : ConstraintSet
        The set.

    Returns
    -------
    ConvexProblem
    """
    size = objective.n_models + 1
    nothing = Moments(1.0, 1, np.zeros(size), np.zeros((size, size)), 1.0)
    limits = UserConstraints((), [str(m) for m in range(objective.n_models)])
    return quadratic_problem(
        objective, constraint, nothing, limits, fit_intercept=False
    )


def votes_problem(
    objective: LogLossObjective, user_constraints: UserConstraints
) -> ConvexProblem:
    """Log loss of votes or opinions; the point is intercepts, then coefficients.

    Parameters
    ----------
    objective : LogLossObjective
        The objective.
    user_constraints : UserConstraints
        The user's constraints.

    Returns
    -------
    ConvexProblem
    """
    cp = import_cvxpy()
    n_classes, size = objective.n_classes, len(objective.center)
    point = cp.Variable(n_classes + size)
    intercept, coefficients = point[:n_classes], point[n_classes:]

    def scores(structure: Any) -> Any:
        # Scores are linear: their columns are those of the unit vectors.
        columns = [structure.scores(unit).ravel() for unit in np.eye(size)]
        n_rows = len(columns[0]) // n_classes
        matrix = np.column_stack(columns)
        own = cp.reshape(matrix @ coefficients, (n_rows, n_classes), order="C")
        shift = cp.reshape(intercept, (1, n_classes), order="C")
        return own + np.ones((n_rows, 1)) @ shift + objective.offset[None, :]

    own = scores(objective.structure)
    loss = objective.weights @ cp.log_sum_exp(own, axis=1)
    loss -= cp.sum(cp.multiply(objective.labelled, own))
    form = objective.prior_form()
    values, vectors = np.linalg.eigh(form)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))).T
    loss += 0.5 * cp.sum_squares(root @ (point - objective.start))
    bounded = np.isfinite(objective.lower)
    hard = [point[bounded] >= objective.lower[bounded]] if bounded.any() else []
    structure = objective.structure
    sizes = [margins(structure.vote_weights(unit)) for unit in np.eye(size)]

    def of_groups(measure: Any) -> list[dict[str, Any]]:
        kind: Any = type(structure)
        return [
            {
                g: measure(scores(kind(design, n_classes)), labelled)
                for g, (design, labelled) in column.items()
            }
            for column in user_constraints.groups
        ]

    def above_average(own: Any, labelled: NDArray[np.float64]) -> Any:
        total = labelled.sum(axis=1, keepdims=True)
        return cp.sum(cp.multiply(labelled - total / n_classes, own)) / labelled.sum()

    def log_loss(own: Any, labelled: NDArray[np.float64]) -> Any:
        per_row = labelled.sum(axis=1) @ cp.log_sum_exp(own, axis=1)
        return (per_row - cp.sum(cp.multiply(labelled, own))) / labelled.sum()

    weights = np.column_stack(sizes) @ coefficients
    if user_constraints.models is not None:
        weights = user_constraints.spread @ weights
    view = View(
        cp,
        weights,
        intercept + objective.offset,
        user_constraints.names,
        lambda: of_groups(above_average),
        lambda: of_groups(log_loss),
        1.0,
    )
    return ConvexProblem(
        point,
        loss / objective.scale,
        hard,
        lambda at: objective.gradient(at) / objective.scale,
        view,
        _TOLERANCE,
    )


def pool_problem(
    objective: LinearPoolObjective, user_constraints: UserConstraints
) -> ConvexProblem:
    """Log loss of a linear opinion pool; the point is its weights.

    Parameters
    ----------
    objective : LinearPoolObjective
        The objective.
    user_constraints : UserConstraints
        The user's constraints.

    Returns
    -------
    ConvexProblem
    """
    cp = import_cvxpy()
    weights = cp.Variable(len(objective.center))
    share = objective.weights / objective.total
    loss = -(share @ cp.log(objective.likelihood @ weights))
    pull = 0.5 * objective.strength / objective.total
    loss += pull * cp.sum_squares(weights - objective.center)

    def of_groups(measure: Any) -> list[dict[str, Any]]:
        return [
            {
                g: (own / own.sum()) @ measure(table)
                for g, (table, own) in column.items()
            }
            for column in user_constraints.groups
        ]

    view = View(
        cp,
        weights,
        cp.Constant(0.0),
        user_constraints.names,
        lambda: of_groups(lambda table: table @ weights),
        lambda: of_groups(lambda table: -cp.log(table @ weights)),
        1.0,
    )
    return ConvexProblem(
        weights,
        loss,
        [weights >= 0, cp.sum(weights) == 1],
        objective.gradient,
        view,
        _TOLERANCE,
    )


def _root(quadratic: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors, unit = equilibrated(quadratic)
    return (np.sqrt(np.maximum(values, 0.0)) * vectors).T * unit
