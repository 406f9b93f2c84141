"""The same objectives through cvxpy: an independent solver, slower and less exact.

Method: second-order cone program by Clarabel. Strength: shares no code with the native
solvers. Limit: interior-point accuracy; rounding outside of the set is projected back.
"""

from __future__ import annotations

from warnings import catch_warnings, filterwarnings

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.constraint import ConstraintSet
from stackingnet_sk.weights.minimum_norm import equilibrated
from stackingnet_sk.weights.objective import StackingObjective

_TOLERANCE = 1e-11


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
    problem = cp.Problem(cp.Minimize(loss), limits)
    with catch_warnings():
        # What cvxpy warns of, the certificate measures.
        filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
        problem.solve(
            solver=cp.CLARABEL,
            tol_gap_abs=_TOLERANCE,
            tol_gap_rel=_TOLERANCE,
            tol_feas=_TOLERANCE,
        )
    if weights.value is None:
        raise RuntimeError(
            f"cvxpy found no weights: its solver ended with status "
            f"{problem.status!r}; use solver='auto'"
        )
    answer = np.maximum(weights.value, constraint.lower)
    if constraint.total is not None:
        answer = answer * (constraint.total / answer.sum())
    return answer, int(problem.solver_stats.num_iters or 0)
