"""Moments of blocks of rows, from which the moments of any reweighting follow.

Bootstrap, jackknife and leave-one-out are three ways to choose weights of the blocks.
The moments of all replicates are computed together, as one product of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.moments import Moments


@dataclass(frozen=True, eq=False)
class BlockMoments:
    """Sums of products over blocks of rows.

    Parameters
    ----------
    shift : ndarray of shape (n_models + 1,)
        The point that was subtracted from the rows ``[P_i - y_i, y_i]``.
    products : ndarray of shape (n_blocks, n_models + 2, n_models + 2)
        Weighted sum over each block of ``z z'``, where ``z`` is a shifted row followed
        by a one.
    weight_norm : float
        Euclidean norm of the sample weights, divided by their sum.
    """

    shift: NDArray[np.float64]
    products: NDArray[np.float64]
    weight_norm: float

    @classmethod
    def from_rows(
        cls,
        predictions: NDArray[np.float64],
        target: NDArray[np.float64],
        sample_weight: NDArray[np.float64],
        block: NDArray[np.intp],
        n_blocks: int | None = None,
    ) -> BlockMoments:
        """Sum the rows of each block; no prediction may be missing.

        `block` holds the number of each row's block, counted from zero, and `target`
        may be all zeros. By default `n_blocks` is the largest number in `block`, plus
        one; blocks may be empty.
        """
        if n_blocks is None:
            n_blocks = int(block.max(initial=-1)) + 1
        rows = np.column_stack([predictions - target[:, None], target])
        total = float(sample_weight.sum())
        shift = sample_weight @ rows / total if total > 0 else np.zeros(rows.shape[1])
        rows = np.column_stack([rows - shift, np.ones(len(rows))])
        order = np.argsort(block, kind="stable")
        starts = np.searchsorted(block[order], np.arange(n_blocks))
        rows, weights = rows[order], sample_weight[order]
        weighted = np.split(rows * weights[:, None], starts[1:])
        parts = zip(weighted, np.split(rows, starts[1:]), strict=True)
        size = rows.shape[1]
        products = np.array([left.T @ right for left, right in parts])
        # Without rows and blocks, np.split returns one part instead of none.
        products = products.reshape(-1, size, size)[:n_blocks]
        norm = float(np.linalg.norm(weights / total)) if total > 0 else 0.0
        return cls(shift, products, norm)

    def reweighted(self, weights: NDArray[np.float64]) -> list[Moments]:
        """Compute one Moments per row of weights of shape (n_replicates, n_blocks)."""
        size = len(self.shift)
        flat = self.products.reshape(len(self.products), (size + 1) ** 2)
        replicates = []
        for sums in (weights @ flat).reshape(-1, size + 1, size + 1):
            total = float(sums[-1, -1])
            mean = sums[:-1, -1] / total if total > 0 else np.zeros(size)
            scatter = sums[:-1, :-1] - total * np.outer(mean, mean)
            scatter[np.diag_indices(size)] = np.maximum(scatter.diagonal(), 0.0)
            replicates.append(
                Moments(total, 0, mean + self.shift, scatter, total * self.weight_norm)
            )
        return replicates
