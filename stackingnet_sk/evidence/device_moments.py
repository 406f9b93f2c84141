"""Moments of tables that lie on a device, such as a GPU.

Method: the products of blocks of rows, by the functions of the array API standard.
Strength: only a matrix of the size of the models comes back. Limit: complete rows; in
the floats that the device has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.moments import Moments, in_range

# Numbers of a block: enough to keep a device busy.
_BLOCK_ELEMENTS = 2**24


def device_moments(
    xp: Any,
    predictions: Any,
    target: Any,
    sample_weight: NDArray[np.floating] | None,
    put: Callable[[NDArray[np.floating]], Any],
    get: Callable[[Any], NDArray[np.floating]],
) -> Moments:
    """Read the rows of a table where they lie.

    Parameters
    ----------
    xp : module
        Namespace of the table.
    predictions : array of shape (n_rows, n_models)
        A column a model; at least one row.
    target : array of shape (n_rows,)
        Labels, on the same device, of the type to compute in.
    sample_weight : ndarray of shape (n_rows,) or None
        Weights of the rows, numpy's.
    put : callable
        Moves an array of numpy's to the device.
    get : callable
        Moves an array back.

    Returns
    -------
    Moments
        ``is_finite`` is False if a prediction or a label is NaN or infinite.
    """
    n_rows, n_models = predictions.shape
    size = max(1, _BLOCK_ELEMENTS // (n_models + 2))
    bounds = [(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]
    root = None
    if sample_weight is not None:
        root = xp.astype(put(np.sqrt(sample_weight)), target.dtype)

    def read(start: int, stop: int, scale: float) -> tuple[Any, Any]:
        """Return the rows ``[scale z, 1]`` of a block, and roots of their weights."""
        labels = scale * target[start:stop, None]
        errors = scale * xp.astype(predictions[start:stop, :], target.dtype) - labels
        ones = xp.ones_like(labels)
        own = ones if root is None else root[start:stop, None]
        return xp.concat([errors, labels, ones], axis=1), own

    def scan(scale: float) -> Moments:
        near: Any = 0.0
        # Of all rows where they have weights: the first may have none.
        for start, stop in bounds if root is not None else bounds[:1]:
            block, own = read(start, stop, scale)
            near = near + xp.sum(own**2 * block, axis=0)
        total = float(near[-1])
        shift = near / total if total > 0 else xp.zeros_like(near)
        shift[-1] = 0.0
        products: Any = 0.0
        for start, stop in bounds:
            block, own = read(start, stop, scale)
            block = (block - shift[None, :]) * own
            products = products + xp.matmul(block.T, block)
        sums, middle = (get(each).astype(np.float64) for each in (products, shift))
        return Moments.from_products(sums, middle[:-1], n_rows, sample_weight, scale)

    def largest() -> float:
        return max(float(xp.max(xp.abs(each))) for each in (predictions, target))

    # Where numpy is beneath: overflow and NaN show in the result.
    with np.errstate(over="ignore", invalid="ignore"):
        return in_range(scan, largest)
