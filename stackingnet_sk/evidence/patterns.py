"""Distinct patterns of answers, and regression on the models that answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Share of the diagonal that is added to it: copies of a model would otherwise make the
# covariance matrix singular.
NUGGET = 1e-13
# Number of entries of the matrices of all patterns that are in memory at once.
CHUNK = 250_000


def group_patterns(
    answered: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]:
    """List the distinct rows of a mask of shape (n_rows, n_models).

    Returns the distinct rows, the index among them of each row, and how often each
    occurs.
    """
    packed = np.ascontiguousarray(np.packbits(answered, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, pattern, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    return answered[first], pattern.ravel(), counts


def regression(
    covariance: NDArray[np.float64], answered: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Regress all models on the answering models, for each pattern of answers.

    `answered` of shape (n_patterns, n_models) is one where a model answers, and zero
    elsewhere. Both results have shape (n_patterns, n_models, n_models): the
    coefficients, from answering to all models (those of an answering model are one at
    itself), and the conditional covariance given the answering models.
    """
    index = np.arange(len(covariance))
    missing = np.subtract(1.0, answered)
    unit = np.where(covariance.diagonal() > 0, covariance.diagonal(), 1.0)
    given = covariance * answered[:, :, None] * answered[:, None, :]
    given[:, index, index] += unit * np.where(answered > 0, NUGGET, 1.0)
    cross = covariance * answered[:, :, None] * missing[:, None, :]
    fill = np.asarray(np.linalg.solve(given, cross), dtype=np.float64)
    conditional = covariance * missing[:, :, None] * missing[:, None, :]
    conditional -= cross.swapaxes(1, 2) @ fill
    fill[:, index, index] += answered
    return fill, conditional
