"""Weights that sum to one: Perrone and Cooper's closed form.

Method: one Cholesky solve, an eigendecomposition where the error covariance is
singular. Strength: closed form. Limit: weights of any sign and size, so it overfits
first of all constraint sets.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from stackingnet_sk.weights.constraint import ConstraintSet
from stackingnet_sk.weights.minimum_norm import equilibrated
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.pivoting import RANK_TOLERANCE


def _optimize(
    objective: StackingObjective,
) -> tuple[NDArray[np.float64], int, bool]:
    """Solve ``w = C^-1 1 / (1'C^-1 1)`` (Perrone and Cooper, 1993).

    For a singular ``C`` with projector ``N`` on its null space: ``N1 / (1'N1)`` where
    that has no error, else the least-norm solution of the pseudo-inverse formula.
    """
    error = objective.error
    ones = np.ones(len(error))
    factor, z, info = dposv(error.T, ones, lower=1)
    if not info and np.all(factor.diagonal() ** 2 > RANK_TOLERANCE * error.diagonal()):
        return z / z.sum(), 1, True
    values, vectors, unit = equilibrated(error)
    null = np.linalg.qr(vectors[:, values == 0] / unit[:, None])[0]
    if null.shape[1]:
        free = null @ null.sum(axis=0)
        total = float(free.sum())
        if total > 0:
            weights = free / total
            error_left = abs(objective.value(weights))
            if error_left <= RANK_TOLERANCE * objective.scale:
                return weights, 1, null.shape[1] == 1
    kept = values > 0
    inverse = vectors[:, kept] / unit[:, None]
    z = inverse @ ((ones @ inverse) / values[kept])
    z -= null @ (null.T @ z)
    return z / z.sum(), 1, not null.shape[1]


def _certify(
    objective: StackingObjective, weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Residual of the bordered system ``Cw = l 1, 1'w = 1``.

    A gap would need the smallest eigenvalue of ``C``.
    """
    gradient = objective.error @ weights
    multiplier = float(weights @ gradient)
    stationarity = float(np.abs(gradient - multiplier).max()) / objective.scale
    return np.inf, max(stationarity, abs(float(weights.sum()) - 1.0))


AFFINE = ConstraintSet("affine", _optimize, _certify, lower=-np.inf, total=1.0)
