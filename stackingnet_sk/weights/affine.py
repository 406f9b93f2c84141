"""Weights that sum to one: Perrone and Cooper's closed form.

Method: one Cholesky solve, an eigendecomposition where the error covariance is
singular. Strength: closed form. Limit: weights of any sign and size, so it overfits
more easily than the other constraint sets.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy.linalg.lapack import dposv

from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.minimum_norm import equilibrated
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.pivoting import rank_tolerance
from stackingnet_sk.weights.shapes import Weights

# Share of the number of models: null directions whose sum is below it sum to zero, up
# to the rounding of an eigenvector.
_ALONG = 1e-12


def _optimize(
    objective: StackingObjective,
) -> tuple[Weights, int, bool]:
    """Solve ``w = C^-1 1 / (1'C^-1 1)`` (Perrone and Cooper, 1993).

    For a singular ``C`` with projector ``N`` on its null space: ``N1 / (1'N1)`` where
    that has no error, else the least-norm solution of the pseudo-inverse formula.
    """
    error = objective.error
    ones = np.ones(len(error))
    factor, z, info = dposv(error.T, ones, lower=1)
    if not info and np.all(
        factor.diagonal() ** 2 > rank_tolerance(len(error)) * error.diagonal()
    ):
        return z / z.sum(), 1, True
    values, vectors, unit = equilibrated(error)
    null = np.linalg.qr(vectors[:, values == 0] / unit[:, None])[0]
    candidates = []
    free = null @ null.sum(axis=0)
    errorless = float(free.sum()) > _ALONG * len(error)
    if errorless:
        candidates.append(free / free.sum())
    kept = values > 0
    inverse = vectors[:, kept] / unit[:, None]
    z = inverse @ ((ones @ inverse) / values[kept])
    z -= null @ (null.T @ z)
    if z.sum() > 0:
        candidates.append(z / z.sum())
    # If C is singular up to rounding only, take the better of the two formulas.
    best = min(candidates, key=lambda weights: abs(objective.value(weights)))
    single = errorless and null.shape[1] == 1 and best is candidates[0]
    return best, 1, single or not null.shape[1]


def _certify(objective: StackingObjective, weights: Weights) -> tuple[float, float]:
    """Residual of stationarity, ``Cw = l 1``.

    A gap would need the smallest eigenvalue of ``C``. The unit of an entry is that of
    Cauchy and Schwarz: a model with huge errors is measured by its own rounding.
    """
    gradient = objective.error @ weights
    multiplier = float(weights @ gradient)
    unit = np.sqrt(np.maximum(objective.error.diagonal(), objective.scale))
    stationarity = float((np.abs(gradient - multiplier) / unit).max())
    return np.inf, stationarity / sqrt(objective.scale)


AFFINE = ConstraintSet("affine", _optimize, _certify, lower=-np.inf, total=1.0)
