"""Block pivoting for non-negative quadratic problems.

Method: Lawson and Hanson's active set with whole blocks entering and leaving (as in
Kim and Park, 2011), and Cholesky factors of the free block alone; scipy's compiled NNLS
for a handful of models. Strength: few active
of many models touch only their own rows, and nearly all active take a handful of
factorizations. Limit: needs a positive definite free block and can cycle; both are
reported as failure, never as an answer (``minimum_norm`` takes over).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv, dpotrf, dpotrs
from scipy.optimize import nnls

# Up to here a compiled solver on the whole problem costs less than a few pivots.
_TINY = 24
_WELL_CONDITIONED = 1e-6
# Up to here factorizing everything costs less than finding out what to factorize.
_SMALL = 64
_FIRST_BLOCK = 32
# Thousands of hard random problems needed at most 20.
_MAX_ITERATIONS = 60
# Slack within so many rounding units of zero is rounding.
_ROUNDING = 500.0
# Slack below so many may still be zero: the optimum may not be unique.
_TIE = 1e5
_EPS = float(np.finfo(float).eps)
_NO_TIES = np.empty(0, dtype=np.intp)


def rank_tolerance(n_models: int) -> float:
    """Share of the diagonal below which a pivot or an eigenvalue counts as zero.

    Parameters
    ----------
    n_models : int
        Size of the matrix.

    Returns
    -------
    float
    """
    return 16.0 * n_models * _EPS


def solve_pivoting(
    quadratic: NDArray[np.float64], linear: NDArray[np.float64]
) -> tuple[NDArray[np.float64] | None, NDArray[np.intp], int]:
    r"""Find ``z >= 0`` with ``s = Az - b >= 0`` and ``z's = 0``.

    These are the optimality conditions of ``min_{z >= 0} z'Az / 2 - b'z``.

    Parameters
    ----------
    quadratic : ndarray of shape (n, n)
        ``A``, symmetric positive semidefinite.
    linear : ndarray of shape (n,)
        ``b``.

    Returns
    -------
    z : ndarray of shape (n,) or None
        The solution; None where a free block was not positive definite or the pivots
        did not settle.
    ties : ndarray of int
        Indices at which ``z`` is zero and so is the slack, as far as rounding lets one
        see: the solution may not be unique.
    iterations : int
        Number of systems solved.
    """
    n = len(linear)
    ties = _NO_TIES
    if n <= _TINY and (tiny := _solve_tiny(quadratic, linear)) is not None:
        return tiny, ties, 1
    free = np.arange(n)
    diagonal = quadratic.diagonal()
    if n > _SMALL:
        # The best models on their own; a tie at the border is no harm, only a detour.
        with np.errstate(divide="ignore", invalid="ignore"):
            alone = np.where(linear > 0, diagonal / linear**2, np.inf)
        best = np.sort(np.argpartition(alone, _FIRST_BLOCK)[:_FIRST_BLOCK])
        # Nearly independent models will nearly all be active: start from all.
        block = quadratic[np.ix_(best, best)]
        if np.add.reduce(block, None) > 2.0 * block.trace():
            free = best
    iterations = 0
    while iterations < _MAX_ITERATIONS:
        z = linear[:0]
        # Leave in blocks until the free variables are positive ...
        while free.size:
            iterations += 1
            # The transpose of a copy is what LAPACK may overwrite.
            block = quadratic.take(free, 0).take(free, 1).T
            factor, z, info = dposv(block, linear[free], lower=1, overwrite_a=1)
            if info:
                return None, ties, iterations
            if np.minimum.reduce(z) > 0:
                pivots = factor.diagonal() ** 2 / diagonal[free]
                if not np.minimum.reduce(pivots) > rank_tolerance(n):
                    return None, ties, iterations
                break
            free = free[z > 0]
            z = z[:0]
        solution = np.zeros(n)
        solution[free] = z
        if free.size == n:
            return solution, ties, iterations
        slack = z @ quadratic[free] - linear
        # By Cauchy and Schwarz |A_j z| <= sqrt(A_jj z'Az), and z'Az = b'z.
        unit = np.abs(linear) + np.sqrt(diagonal * max(float(linear[free] @ z), 0.0))
        unit *= _EPS
        slack[free] = np.inf
        # ... then enter in blocks, those that violate most.
        entering = (slack < -_ROUNDING * unit).nonzero()[0]
        if not entering.size:
            return solution, (slack <= _TIE * unit).nonzero()[0], iterations
        room = max(16, 2 * free.size)
        if entering.size > room:
            worst = slack[entering] / unit[entering]
            entering = entering[np.argpartition(worst, room)[:room]]
        free = np.sort(np.concatenate((free, entering)))
    return None, ties, iterations


def _solve_tiny(
    quadratic: NDArray[np.float64], linear: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Solve as the NNLS problem of the Cholesky factor; None where that costs digits.

    Nearly singular problems do, by the compiled solver's idea of zero. Elsewhere the
    solution is unique, so no ties need to be looked for.
    """
    factor, info = dpotrf(quadratic.T, lower=0)
    if info:
        return None
    pivots = np.square(factor.diagonal()) / quadratic.diagonal()
    if not np.minimum.reduce(pivots) > _WELL_CONDITIONED:
        return None
    z: NDArray[np.float64] = dpotrs(factor, linear)[0]
    if np.minimum.reduce(z) > 0:
        return z
    if not np.minimum.reduce(linear) > 0:
        # Beside large negative entries small positive ones drown in its products.
        return None
    z, _ = nnls(factor, factor.dot(z), maxiter=100 * len(linear))
    return z
