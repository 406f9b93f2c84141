"""The solvers that people use for ``min w'Cw, w >= 0, 1'w = 1``, each called directly.

Constraints are built inside, cheaply: a caller has C and wants w. Solvers that stop at
a tolerance come with a ladder of them; the first that reaches the gap is raced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import clarabel
import daqp
import numpy as np
import piqp
import quadprog
from scipy import sparse
from scipy.optimize import nnls

from .problems import Matrix

__all__ = ["RIVALS", "Rival"]

# Interior points need these for relative gaps of 1e-9; None is the default.
TOLERANCES = (None, 1e-10, 1e-12, 1e-14)


@dataclass(frozen=True)
class Rival:
    """A solver under its name.

    Attributes
    ----------
    solve : (C, tolerance) -> weights.
    tolerances : from the default, None, to the tightest.
    """

    name: str
    solve: Callable[[Matrix, float | None], Matrix]
    tolerances: tuple[float | None, ...] = (None,)


def by_quadprog(C: Matrix, tolerance: float | None = None) -> Matrix:
    """Solve by Goldfarb and Idnani's dual active set."""
    M = len(C)
    constraints = np.eye(M, M + 1, 1)
    constraints[:, 0] = 1.0
    bounds = np.zeros(M + 1)
    bounds[0] = 1.0
    return quadprog.solve_qp(C, np.zeros(M), constraints, bounds, 1)[0]


def by_daqp(C: Matrix, tolerance: float | None) -> Matrix:
    """Solve by a dual active set with updated factors."""
    M = len(C)
    lower, upper = np.zeros(M + 1), np.full(M + 1, 1e30)
    lower[M] = upper[M] = 1.0
    sense = np.zeros(M + 1, np.int32)
    sense[M] = 5  # an equality
    settings = {} if tolerance is None else {"primal_tol": tolerance}
    return daqp.solve(C, np.zeros(M), np.ones((1, M)), upper, lower, sense, **settings)[
        0
    ]


def by_nnls(C: Matrix, tolerance: float | None = None) -> Matrix:
    """Solve by Lawson and Hanson's NNLS, after the exact reduction and a Cholesky."""
    M = len(C)
    rows = np.ones((M + 1, M))
    rows[:-1] = np.linalg.cholesky(C / (C.sum() / M**2)).T
    goal = np.zeros(M + 1)
    goal[M] = 1.0
    weights = nnls(rows, goal, maxiter=50 * M)[0]
    return weights / weights.sum()


def by_piqp(C: Matrix, tolerance: float | None) -> Matrix:
    """Solve by a proximal interior point."""
    M = len(C)
    solver = piqp.DenseSolver()
    if tolerance is not None:
        settings = solver.settings
        settings.eps_abs = settings.eps_rel = tolerance
        settings.eps_duality_gap_abs = settings.eps_duality_gap_rel = tolerance
    one = np.ones((1, M))
    solver.setup(C, np.zeros(M), one, one[0, :1], None, None, None, np.zeros(M), None)
    solver.solve()
    return _projected(solver.result.x)


def by_clarabel(C: Matrix, tolerance: float | None) -> Matrix:
    """Solve by a conic interior point."""
    M = len(C)
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    if tolerance is not None:
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
    # [1'; -I], column by column.
    entries = np.tile((1.0, -1.0), M)
    places = np.zeros(2 * M, np.int32)
    places[1::2] = np.arange(1, M + 1)
    constraints = sparse.csc_array(
        (entries, places, np.arange(0, 2 * M + 1, 2)), (M + 1, M)
    )
    goal = np.zeros(M + 1)
    goal[0] = 1.0
    cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(M)]
    quadratic = sparse.csc_array(np.triu(C))
    solver = clarabel.DefaultSolver(
        quadratic, np.zeros(M), constraints, goal, cones, settings
    )
    return _projected(solver.solve().x)


def _projected(weights: Matrix) -> Matrix:
    """Make the answer of an interior point feasible, to its favour."""
    weights = np.maximum(weights, 0.0)
    return weights / weights.sum()


RIVALS = (
    Rival("quadprog", by_quadprog),
    Rival("daqp", by_daqp, (None, 1e-9, 1e-12)),
    Rival("piqp", by_piqp, TOLERANCES),
    Rival("clarabel", by_clarabel, TOLERANCES),
    Rival("nnls", by_nnls),
)
