"""Block pivoting for non-negative quadratic problems.

Method: Lawson and Hanson's active set with whole blocks entering and leaving (as in
Kim and Park, 2011), and Cholesky factors of the free block alone. Strength: few active
of many models touch only their own rows, and nearly all active take a handful of
factorizations. Limit: needs a positive definite free block and can cycle; both are
reported as failure, never as an answer (``minimum_norm`` takes over).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

# Up to here factorizing everything costs less than finding out what to factorize.
_SMALL = 128
_FIRST_BLOCK = 32
# Thousands of hard random problems needed at most 20.
_MAX_ITERATIONS = 60
# Pivots below this share of their diagonal mean numerically dependent models.
RANK_TOLERANCE = 1e-12
# Slack within so many rounding units of zero is rounding.
_ROUNDING = 500.0
# Slack below so many may still be zero: the optimum may not be unique.
_TIE = 1e7
_EPS = float(np.finfo(float).eps)


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
    diagonal = quadratic.diagonal()
    free = np.arange(n)
    ties = free[:0]
    if n > _SMALL:
        # The best models on their own; a tie at the border is no harm, only a detour.
        with np.errstate(divide="ignore", invalid="ignore"):
            alone = np.where(linear > 0, diagonal / linear**2, np.inf)
        free = np.sort(np.argpartition(alone, _FIRST_BLOCK)[:_FIRST_BLOCK])
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
            if z.min() > 0:
                pivots = factor.diagonal() ** 2 / diagonal[free]
                if not pivots.min() > RANK_TOLERANCE:
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
        unit = np.abs(linear) + np.sqrt(diagonal * float(linear[free] @ z))
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
