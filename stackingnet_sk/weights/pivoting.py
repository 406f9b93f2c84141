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
_SMALL = 64
_FIRST_BLOCK = 32
# Thousands of hard random problems needed at most 20.
_MAX_ITERATIONS = 60
# Pivots below this share of their diagonal mean numerically dependent models.
RANK_TOLERANCE = 1e-12


def solve_pivoting(
    quadratic: NDArray[np.float64], linear: NDArray[np.float64]
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64], int]:
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
    slack : ndarray of shape (n,)
        ``s``, zero on the support; each entry divided by the size of its rounding
        unit, so that entries of a few thousand or less are zero in effect.
    iterations : int
        Number of systems solved.
    """
    n = len(linear)
    diagonal = quadratic.diagonal()
    if n <= _SMALL:
        free = np.arange(n)
    else:
        # The best models on their own; a tie at the border is no harm, only a detour.
        with np.errstate(divide="ignore", invalid="ignore"):
            alone = np.where(linear > 0, diagonal / linear**2, np.inf)
        free = np.sort(np.argpartition(alone, _FIRST_BLOCK)[:_FIRST_BLOCK])
    failed = np.empty(0)
    iterations = 0
    while iterations < _MAX_ITERATIONS:
        # Leave in blocks until the free variables are positive ...
        while free.size:
            iterations += 1
            factor, z, info = dposv(
                quadratic[free[:, None], free].T, linear[free], lower=1, overwrite_a=1
            )
            if info or (factor.diagonal() ** 2 < RANK_TOLERANCE * diagonal[free]).any():
                return None, failed, iterations
            positive = z > 0
            if positive.all():
                break
            free = free[positive]
        if not free.size:
            z = failed
        slack = z @ quadratic[free] - linear
        # By Cauchy and Schwarz |A_j z| <= sqrt(A_jj z'Az), and z'Az = b'z.
        unit = np.abs(linear) + np.sqrt(diagonal * max(float(linear[free] @ z), 0.0))
        unit *= np.finfo(float).eps
        slack[free] = 0.0
        slack /= np.where(unit > 0, unit, 1.0)
        # ... then enter in blocks, those that violate most.
        entering = (slack < -_ROUNDING).nonzero()[0]
        if not entering.size:
            solution = np.zeros(n)
            solution[free] = z
            return solution, slack, iterations
        room = max(16, 2 * free.size)
        if entering.size > room:
            entering = entering[np.argpartition(slack[entering], room)[:room]]
        free = np.sort(np.concatenate((free, entering)))
    return None, failed, iterations


# Slack within so many rounding units of zero is rounding.
_ROUNDING = 500.0
