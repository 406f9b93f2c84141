"""Moments of blocks of rows, from which any reweighting of the blocks has its moments.

Bootstrap, jackknife and leave-one-out are choices of weights on the blocks. Replicates
are computed side by side, as a product of matrices.
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
        What was subtracted of the rows ``[P_i - y_i, y_i]``.
    products : ndarray of shape (n_blocks, n_models + 2, n_models + 2)
        Sums over each block of ``z z'``, with ``z`` a shifted row and a one.
    weight_norm : float
        Euclidean norm of the weights of the rows, over their sum.
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
        """Sum the rows of each block.

        Parameters
        ----------
        predictions : ndarray of shape (n_rows, n_models)
            Predictions, none of them missing.
        target : ndarray of shape (n_rows,)
            Labels, or zeros.
        sample_weight : ndarray of shape (n_rows,)
            Weights of the rows.
        block : ndarray of int of shape (n_rows,)
            The block of each row, from zero.
        n_blocks : int, default=None
            Number of blocks, some of which may have no rows; None: those with rows.

        Returns
        -------
        BlockMoments
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
        # Split, no rows are one part and not none.
        products = products.reshape(-1, size, size)[:n_blocks]
        norm = float(np.linalg.norm(weights / total)) if total > 0 else 0.0
        return cls(shift, products, norm)

    def reweighted(self, weights: NDArray[np.float64]) -> list[Moments]:
        """Compute the moments under weights on the blocks.

        Parameters
        ----------
        weights : ndarray of shape (n_replicates, n_blocks)
            How often each block counts.

        Returns
        -------
        list of Moments
            One per replicate.
        """
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
