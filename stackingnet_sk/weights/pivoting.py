"""Block pivoting for non-negative quadratic problems.

Method: Lawson and Hanson's active set with whole blocks entering and leaving (as in
Kim and Park, 2011), and Cholesky factors of the free block alone; scipy's compiled NNLS
for a handful of models. Strength: few active
of many models touch only their own rows, and nearly all active take a handful of
factorizations. Limit: it needs a positive definite free block and can cycle; both are
reported as failures, and `minimum_norm` solves the problem instead.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dposv, dpotrf, dpotrs
from scipy.optimize import nnls

from stackingnet_sk.weights.shapes import Array, Covariance, Models, Weights

# Number of models up to which a compiled solver on the whole problem costs less than a
# few pivots.
_TINY = 24
# Least share of a diagonal entry that a pivot must keep for the compiled solver, whose
# tolerance for zero is absolute.
_WELL_CONDITIONED = 1e-6
# Number of models up to which factorizing everything costs less than finding out what
# to factorize. With more, the search starts from the second number of models.
_SMALL = 64
_FIRST_BLOCK = 32
# Most systems to solve. Thousands of hard random problems needed at most 20.
_MAX_ITERATIONS = 60
# Rounding units within which a slack counts as zero.
_ROUNDING = 500.0
# Rounding units within which a slack may still be zero, so that the optimum may not be
# unique.
_TIE = 1e5
_EPS = float(np.finfo(float).eps)
_NO_TIES = np.empty(0, dtype=np.intp)


def rank_tolerance(n_models: int) -> float:
    """Share of the diagonal below which a pivot or an eigenvalue counts as zero."""
    return 16.0 * n_models * _EPS


def solve_pivoting(
    quadratic: Covariance, linear: Weights
) -> tuple[Weights | None, Models, int]:
    r"""Find ``z >= 0`` with ``s = Az - b >= 0`` and ``z's = 0``.

    These are the optimality conditions of ``min_{z >= 0} z'Az / 2 - b'z``. Return z, or
    None where a free block was not positive definite or the pivots did not settle;
    indices at which both z and the slack are zero up to rounding, so that the solution
    may not be unique; and the number of systems solved.
    """
    n = len(linear)
    ties = _NO_TIES
    if n <= _TINY and (tiny := _solve_tiny(quadratic, linear)) is not None:
        return tiny, ties, 1
    free = np.arange(n)
    diagonal = quadratic.diagonal()
    if n > _SMALL:
        # Start from the models that are best alone. A tie at the border costs a detour,
        # but not the answer.
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


def _solve_tiny(quadratic: Covariance, linear: Weights) -> Weights | None:
    """Solve as the NNLS problem of the Cholesky factor; None where that costs digits.

    Nearly singular problems would lose digits by the compiled solver's tolerance for
    zero. All others have a unique solution, so there are no ties to look for.
    """
    factor, info = dpotrf(quadratic.T, lower=0)
    if info:
        return None
    # For a few numbers, Python's min takes half the time of numpy's.
    pivots = np.square(factor.diagonal()) / quadratic.diagonal()
    if not min(pivots.tolist()) > _WELL_CONDITIONED:
        return None
    z: Array = dpotrs(factor, linear)[0]
    if min(z.tolist()) > 0:
        return z
    if not min(linear.tolist()) > 0:
        # Small positive entries would be lost in products with large negative ones.
        return None
    z, _ = nnls(factor, factor.dot(z), maxiter=100 * len(linear))
    return z
