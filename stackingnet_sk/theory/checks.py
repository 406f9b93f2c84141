"""Checks of arguments of the equations: symmetric matrices and probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def check_symmetric(name: str, matrix: ArrayLike, fewest: int) -> NDArray[np.float64]:
    """Raise a ValueError if a matrix is not symmetric; return it exactly symmetric."""
    array = np.asarray(matrix, dtype=np.float64)
    if array.ndim != 2 or len(array) != array.shape[1] or len(array) < fewest:
        raise ValueError(
            f"{name} of shape {array.shape} must be square, of {fewest} models or more."
        )
    atol = 1e-8 * np.abs(array).max()
    if not (np.isfinite(array).all() and np.allclose(array, array.T, 0.0, atol)):
        raise ValueError(
            f"{name} must be finite and symmetric; take it over rows that all models "
            "answered, without models that never vary."
        )
    return (array + array.T) / 2.0


def check_error_covariance(matrix: ArrayLike) -> NDArray[np.float64]:
    """Raise a ValueError if a matrix cannot be a covariance of errors."""
    error = check_symmetric("error_covariance", matrix, 2)
    values = np.linalg.eigvalsh(error)
    if values[0] < -1e-10 * abs(values[-1]):
        raise ValueError(
            "error_covariance is indefinite; take it over rows that all models answer."
        )
    return error


def check_probabilities(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Raise a ValueError if the values are not one probability per model."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or not np.all((array >= 0) & (array <= 1)):
        raise ValueError(f"{name} must be one probability a model, from 0 to 1.")
    return array
