"""Patterns of answers: which there are, and what one says of the silent models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Of the diagonal: copies of a model would leave a singular matrix.
NUGGET = 1e-13
# Entries of the matrices of the patterns that are in memory at once.
CHUNK = 250_000


def group_patterns(
    answered: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]:
    """List the distinct rows of a mask.

    Parameters
    ----------
    answered : ndarray of bool of shape (n_rows, n_models)
        Which models answer.

    Returns
    -------
    patterns : ndarray of bool of shape (n_patterns, n_models)
    pattern : ndarray of int of shape (n_rows,)
        Which of them each row has.
    counts : ndarray of int of shape (n_patterns,)
        Rows of each.
    """
    packed = np.ascontiguousarray(np.packbits(answered, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, pattern, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    return answered[first], pattern.ravel(), counts


def regression(
    covariance: NDArray[np.float64], seen: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Regress all models on those that are seen, for each pattern.

    Parameters
    ----------
    covariance : ndarray of shape (n_models, n_models)
        Covariance of the predictions.
    seen : ndarray of shape (n_patterns, n_models)
        One where a model answers, else zero.

    Returns
    -------
    fill : ndarray of shape (n_patterns, n_models, n_models)
        Coefficients, of those seen on all: one at a model that is seen itself.
    rest : ndarray of shape (n_patterns, n_models, n_models)
        Covariance of what they leave open.
    """
    index = np.arange(len(covariance))
    unseen = np.subtract(1.0, seen)
    unit = np.where(covariance.diagonal() > 0, covariance.diagonal(), 1.0)
    known = covariance * seen[:, :, None] * seen[:, None, :]
    known[:, index, index] += unit * np.where(seen > 0, NUGGET, 1.0)
    cross = covariance * seen[:, :, None] * unseen[:, None, :]
    fill = np.asarray(np.linalg.solve(known, cross), dtype=np.float64)
    rest = covariance * unseen[:, :, None] * unseen[:, None, :]
    rest -= cross.swapaxes(1, 2) @ fill
    fill[:, index, index] += seen
    return fill, rest


def ordered(
    rows: NDArray[np.float64],
    missing: NDArray[np.bool_],
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Order rows by their contents, whatever their order was.

    Sums depend on the order of their terms by rounding, and expectation-maximization
    can amplify rounding without limit where little is observed. The first keys are
    projections on multiples of the golden ratio, which different rows do not share.
    Each row is projected by itself, so rounding does not depend on where it stands.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_models + 1)
        Errors and target; zero errors where a prediction is missing.
    missing : ndarray of bool of shape (n_rows, n_models)
        Which predictions are missing.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.

    Returns
    -------
    rows, missing, weights : ndarray
        The same in another order.
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
