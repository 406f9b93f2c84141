"""The same objectives through cvxpy: an independent solver, slower and less exact.

Method: second-order and exponential cone programs by Clarabel. Strength: shares no code
with the native solvers. Limit: interior-point accuracy; rounding outside of the set is
projected back.
"""

from __future__ import annotations

from typing import Any
from warnings import catch_warnings, filterwarnings

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.constraint import ConstraintSet
from stackingnet_sk.weights.linear_pool import LinearPoolObjective
from stackingnet_sk.weights.log_loss import LogLossObjective
from stackingnet_sk.weights.minimum_norm import equilibrated
from stackingnet_sk.weights.objective import StackingObjective

_TOLERANCE = 1e-11
# Interior points of the exponential cone lose their way below.
_EXPONENTIAL_TOLERANCE = 1e-10


def optimize_with_cvxpy(
    objective: StackingObjective, constraint: ConstraintSet
) -> tuple[NDArray[np.float64], int]:
    """Solve by cvxpy.

    Parameters
    ----------
    objective : StackingObjective
        The objective.
    constraint : ConstraintSet
        The set.

    Returns
    -------
    weights : ndarray of shape (n_models,)
        Feasible weights.
    iterations : int
        Iterations of the solver.

    Raises
    ------
    RuntimeError
        If the solver found no solution.
    """
    import cvxpy as cp  # takes a second to import: only when asked for

    free_slope = constraint.total is None
    quadratic = objective.free_slope_error if free_slope else objective.error
    values, vectors, unit = equilibrated(quadratic)
    factor = (np.sqrt(np.maximum(values, 0.0)) * vectors).T * unit
    scale = np.sqrt(objective.scale)
    weights = cp.Variable(objective.n_models)
    loss = cp.sum_squares((factor / scale) @ weights)
    limits = []
    if free_slope:
        root = np.sqrt(objective.target) / scale
        loss += cp.square(root * (objective.slopes @ weights - 1.0))
    else:
        limits.append(cp.sum(weights) == constraint.total)
    if np.isfinite(constraint.lower):
        limits.append(weights >= constraint.lower)
    value, iterations = _solved(cp, loss, limits, weights, _TOLERANCE)
    answer = np.maximum(value, constraint.lower)
    if constraint.total is not None:
        answer = answer * (constraint.total / answer.sum())
    return answer, iterations


def weigh_votes_with_cvxpy(
    objective: LogLossObjective,
) -> tuple[NDArray[np.float64], int]:
    """Minimize the log loss of weighted votes by cvxpy.

    Parameters
    ----------
    objective : LogLossObjective
        The objective.

    Returns
    -------
    point : ndarray of shape (n_classes + n_coefficients,)
        Feasible intercepts and coefficients.
    iterations : int
        Iterations of the solver.

    Raises
    ------
    RuntimeError
        If the solver found no solution.
    """
    import cvxpy as cp

    n_classes, size = objective.n_classes, len(objective.center)
    point = cp.Variable(n_classes + size)
    # Scores are linear: their columns are those of the unit vectors.
    zero = np.zeros(size)
    columns = [objective.structure.scores(unit).ravel() for unit in np.eye(size)]
    matrix = np.column_stack(columns) if size else np.zeros((0, 0))
    n_rows = len(objective.structure.scores(zero))
    scores = cp.reshape(matrix @ point[n_classes:], (n_rows, n_classes), order="C")
    shift = cp.reshape(point[:n_classes], (1, n_classes), order="C")
    scores = scores + np.ones((n_rows, 1)) @ shift + objective.offset[None, :]
    loss = objective.weights @ cp.log_sum_exp(scores, axis=1)
    loss -= cp.sum(cp.multiply(objective.labelled, scores))
    # The root of the prior's form, from its values on the unit vectors.
    form = objective.prior_form()
    values, vectors = np.linalg.eigh(form)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))).T
    loss += 0.5 * cp.sum_squares(root @ (point - objective.start))
    bounded = np.isfinite(objective.lower)
    limits = [point[bounded] >= objective.lower[bounded]] if bounded.any() else []
    value, iterations = _solved(
        cp, loss / objective.scale, limits, point, _EXPONENTIAL_TOLERANCE
    )
    return np.maximum(value, objective.lower), iterations


def pool_with_cvxpy(
    objective: LinearPoolObjective,
) -> tuple[NDArray[np.float64], int]:
    """Minimize the log loss of a linear opinion pool by cvxpy.

    Parameters
    ----------
    objective : LinearPoolObjective
        The objective.

    Returns
    -------
    weights : ndarray of shape (n_models,)
        Point of the simplex.
    iterations : int
        Iterations of the solver.

    Raises
    ------
    RuntimeError
        If the solver found no solution.
    """
    import cvxpy as cp

    weights = cp.Variable(len(objective.center))
    share = objective.weights / objective.total
    loss = -(share @ cp.log(objective.likelihood @ weights))
    pull = 0.5 * objective.strength / objective.total
    loss += pull * cp.sum_squares(weights - objective.center)
    limits = [weights >= 0, cp.sum(weights) == 1]
    value, iterations = _solved(cp, loss, limits, weights, _EXPONENTIAL_TOLERANCE)
    answer = np.maximum(value, 0.0)
    return answer / answer.sum(), iterations


def _solved(
    cp: Any, loss: Any, limits: list[Any], variable: Any, tolerance: float
) -> tuple[NDArray[np.float64], int]:
    problem = cp.Problem(cp.Minimize(loss), limits)
    with catch_warnings():
        # What cvxpy warns of, the certificate measures.
        filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
        problem.solve(
            solver=cp.CLARABEL,
            tol_gap_abs=tolerance,
            tol_gap_rel=tolerance,
            tol_feas=tolerance,
        )
    if variable.value is None:
        raise RuntimeError(
            f"cvxpy found no weights: its solver ended with status "
            f"{problem.status!r}; use solver='auto'"
        )
    return variable.value, int(problem.solver_stats.num_iters or 0)
