"""Non-negative quadratic problems whose optimum is not unique.

Method: scipy's Lawson-Hanson NNLS on a rank-revealing factor, then the least-norm point
of the optimal face as a least distance problem (Lawson and Hanson, 1974, chapter 23),
again one NNLS. Strength: exact on duplicates, perfect models, more models than rows.
Limit: an eigendecomposition and a dense NNLS, so it serves degenerate problems only.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from stackingnet_sk.weights.pivoting import rank_tolerance, solve_pivoting
from stackingnet_sk.weights.shapes import Array, Covariance, Vector, Weights

# Share of its terms below which a slack may be zero. Models with such a slack can share
# the optimum.
_TIE = 1e-11
_EPS = float(np.finfo(float).eps)


def nonnegative_quadratic(
    quadratic: Covariance, slopes: Weights, weight: float
) -> tuple[Weights, int, bool]:
    r"""Minimize ``w'Gw + t (1 - a'w)^2`` over ``w >= 0``.

    By the optimality conditions ``w = t z / (1 + t a'z)`` where ``z`` solves the
    complementarity problem of ``G`` and ``a``, which does not contain ``t``: for a
    positive definite ``G`` no value of ``t`` harms the accuracy. For a singular one
    ``z`` can be unbounded, and the problem is solved by NNLS.

    Return the weights (of several optima those of least Euclidean norm), the number of
    linear systems solved, and whether there is only one optimum.
    """
    z, ties, iterations = solve_pivoting(quadratic, slopes)
    if z is not None:
        weights = z * (weight / (1.0 + weight * float(slopes.dot(z))))
        if not ties.size:
            return weights, iterations, True
        face = np.union1d(weights.nonzero()[0], ties)
    else:
        weights, n_active = _factored(quadratic, slopes, weight)
        iterations += n_active
        slack = quadratic @ weights + weight * slopes * (float(slopes @ weights) - 1.0)
        unit = np.abs(quadratic) @ weights + weight * np.abs(slopes)
        face = (slack <= _TIE * unit).nonzero()[0]
    if not face.size:
        return weights, iterations, True
    null = _null_space(quadratic[np.ix_(face, face)], slopes[face])
    if not null.shape[1]:
        return weights, iterations, True
    moved = weights.copy()
    moved[face] = _least_norm(weights[face], null)
    # The null space is one up to a tolerance; the best length along the ray makes what
    # is left of that error second-order.
    along = float(slopes @ moved)
    if along > 0:
        moved *= weight * along / (moved @ quadratic @ moved + weight * along**2)
    before, after = (
        float(w @ quadratic @ w) + weight * (1.0 - float(slopes @ w)) ** 2
        for w in (weights, moved)
    )
    rounding = 10.0 * _EPS * float(weights @ np.abs(quadratic) @ weights)
    rounding += weight * (100.0 * _EPS) ** 2
    # If the second solve fails, keep the optimum, although its norm is not the least.
    if after <= before * (1.0 + 1e-10) + rounding:
        weights = moved
    return weights, iterations + 1, False


def equilibrated(
    quadratic: Covariance,
) -> tuple[Vector, Array, Vector]:
    """Eigendecomposition with unit diagonal, so that rank does not depend on units.

    Without it one model with huge errors would make all others look singular. A zero on
    the diagonal marks a zero row. Return the eigenvalues, with those at rounding level
    set to zero, the eigenvectors, and the root of the diagonal (1 for zero rows), by
    which rows and columns were divided.
    """
    root = np.sqrt(np.maximum(quadratic.diagonal(), 0.0))
    unit = np.where(root > 0, root, 1.0)
    values, vectors = np.linalg.eigh(quadratic / unit[:, None] / unit)
    values[values < rank_tolerance(len(values)) * max(values[-1], 0.0)] = 0.0
    return values, vectors, unit


def _factored(
    quadratic: Covariance, slopes: Weights, weight: float
) -> tuple[Weights, int]:
    """Solve as NNLS, with as many rows as the rank of ``G``, plus one."""
    values, vectors, unit = equilibrated(quadratic)
    rank = values > 0
    # Divided by sqrt(weight), the last row and the target are 1 in size.
    rows = np.sqrt(values[rank] / weight)[:, None] * vectors[:, rank].T
    stacked = np.vstack((rows, slopes / unit))
    # Columns of size one, or a model with a tiny unit would be lost to rounding.
    size = np.linalg.norm(stacked, axis=0)
    size = np.where(size > 0, size, 1.0)
    goal = np.zeros(len(stacked))
    goal[-1] = 1.0
    scaled, _ = nnls(stacked / size, goal, maxiter=100 * len(slopes))
    return scaled / size / unit, int(np.count_nonzero(scaled))


def _null_space(quadratic: Covariance, slopes: Weights) -> Array:
    """Orthonormal directions along which neither ``Gw`` nor ``a'w`` changes."""
    values, vectors, unit = equilibrated(quadratic)
    null = vectors[:, values == 0] / unit[:, None]
    if not null.shape[1]:
        return null
    null = np.linalg.qr(null)[0]
    along = slopes @ null
    if np.linalg.norm(along) > 1e-8 * np.linalg.norm(slopes):
        # Together with one direction that changes a'w, the complement of a spans the
        # space.
        null = null @ np.linalg.qr(along[:, None], mode="complete")[0][:, 1:]
    # Rounding must not tie a model at its bound to directions that do not move it.
    null[np.abs(null) < 1e-13] = 0.0
    return null


def _least_norm(weights: Weights, null: Array) -> Weights:
    """Least-norm point of ``{weights + null z >= 0}``, a least distance problem."""
    scale = float(np.abs(weights).max(initial=0.0))
    if scale == 0:
        return weights
    fixed = (weights - null @ (null.T @ weights)) / scale
    stacked = np.vstack((null.T, -fixed))
    goal = np.zeros(len(stacked))
    goal[-1] = 1.0
    dual, _ = nnls(stacked, goal, maxiter=100 * len(weights))
    residual = stacked @ dual - goal
    moved: Array = fixed - null @ (residual[:-1] / residual[-1])
    return scale * np.maximum(moved, 0.0)
