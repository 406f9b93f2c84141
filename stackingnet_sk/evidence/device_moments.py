"""Moments of tables in the memory of a device, such as a GPU.

Method: products of blocks of rows, by functions of the array API standard. Strength:
only one small matrix, of n_models + 2 rows and columns, returns to the CPU. Limit: no
prediction may be missing, and the precision is that of the device's floats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.moments import Moments, in_range

# Entries of a block of rows: enough to keep a device busy.
_BLOCK_ELEMENTS = 2**24


def device_moments(
    xp: Any,
    predictions: Any,
    target: Any,
    sample_weight: NDArray[np.floating] | None,
    put: Callable[[NDArray[np.floating]], Any],
    get: Callable[[Any], NDArray[np.floating]],
) -> Moments:
    """Compute the moments of a table on its device, in blocks of rows.

    `xp` is the array namespace of the table, which has at least one row and one column
    per model. `target` is on the same device and has the type to compute in;
    `sample_weight` is numpy's. `put` moves a numpy array to the device, and `get` moves
    an array back. `is_finite` of the result is False if a prediction or a label is NaN
    or infinite.
    """
    n_rows, n_models = predictions.shape
    size = max(1, _BLOCK_ELEMENTS // (n_models + 2))
    bounds = [(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]
    root = None
    if sample_weight is not None:
        root = xp.astype(put(np.sqrt(sample_weight)), target.dtype)

    def read(start: int, stop: int, scale: float) -> tuple[Any, Any]:
        """Return rows ``[scale z, 1]`` of a block, and the roots of their weights."""
        labels = scale * target[start:stop, None]
        errors = scale * xp.astype(predictions[start:stop, :], target.dtype) - labels
        ones = xp.ones_like(labels)
        roots = ones if root is None else root[start:stop, None]
        return xp.concat([errors, labels, ones], axis=1), roots

    def scan(scale: float) -> Moments:
        """Compute the moments of ``scale`` times the rows."""
        center: Any = 0.0
        # The point near the rows is a mean of the first block. If rows have weights, it
        # is a mean of all blocks, as those of the first block may be zero.
        for start, stop in bounds if root is not None else bounds[:1]:
            block, roots = read(start, stop, scale)
            center = center + xp.sum(roots**2 * block, axis=0)
        total = float(center[-1])
        shift = center / total if total > 0 else xp.zeros_like(center)
        shift[-1] = 0.0
        products: Any = 0.0
        for start, stop in bounds:
            block, roots = read(start, stop, scale)
            block = (block - shift[None, :]) * roots
            products = products + xp.matmul(block.T, block)
        sums, point = (get(array).astype(np.float64) for array in (products, shift))
        return Moments.from_products(sums, point[:-1], n_rows, sample_weight, scale)

    def largest() -> float:
        """Return the largest absolute value of a prediction or label."""
        return max(float(xp.max(xp.abs(array))) for array in (predictions, target))

    # If the namespace is numpy's, it would warn. Overflow and NaN show in the result.
    with np.errstate(over="ignore", invalid="ignore"):
        return in_range(scan, largest)
