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


def ordered(
    rows: NDArray[np.float64],
    missing: NDArray[np.bool_],
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Order rows by their contents, whatever their order was.

    Sums depend on the order of their terms by rounding, and expectation-maximization
    can amplify rounding without limit where little is observed. The first keys are
    projections on multiples of the golden ratio, which different rows do not share.
    Each row is projected by itself, so rounding does not depend on its place. `rows`
    are errors and target (n_rows, n_models + 1), with zero errors where `missing`.
    """
    n_rows, width = rows.shape
    golden = 0.5 + np.sqrt(1.25)
    direction = np.mod(np.arange(1, width + 1) * golden, 1.0)
    keys = np.empty((2, n_rows))
    step = max(1, CHUNK // width)
    for start in range(0, n_rows, step):
        part = slice(start, start + step)
        keys[0, part] = (missing[part] * direction[:-1]).sum(axis=1)
        keys[1, part] = (rows[part] * direction).sum(axis=1)
    order = np.lexsort((weights, rows[:, -1], keys[1], keys[0]))
    return rows[order], missing[order], weights[order]
