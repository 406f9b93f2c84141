"""Second moments of the models' errors and of the target, which can be merged.

The quadratic objective needs only an ``(M + 1) x (M + 1)`` matrix from ``n`` rows. Rows
can therefore be read at once, in blocks, or on several machines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.rounding import two_sum

# Entries of a block of rows, 0.64 MB in double precision. A block is read once and used
# three times (subtract, multiply, sum), and should stay in the second-level cache
# meanwhile. The time is flat between 0.5 and 1.5 MB; 3 MB take a fifth longer.
_BLOCK_ELEMENTS = 80_000

# Range of mean squares, in squared units of the target. Outside of it, the product of
# two second moments may over- or underflow, so the rows are read again, multiplied by a
# power of two.
_SAFE_SQUARES = (1e-60, 1e60)

# A variance of predictions below this share of the variances that it is computed from
# (those of the errors and the target) is rounding noise: the predictions are constant.
CONSTANT = 1e-13


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted mean and scatter of the rows ``z_i = [P_i - y_i, y_i]``.

    The errors ``P - y`` are formed row by row, before anything is squared. If the
    moments of ``P`` and ``y`` were summed instead, cancellation would lose errors that
    are small compared with the spread of the target.

    Parameters
    ----------
    weight : float
        Total sample weight, which is the number of rows if rows have no weights.
    n_rows : int
        Number of rows read.
    mean : ndarray of shape (n_models + 1,)
        Weighted mean of ``scale * z``.
    scatter : ndarray of shape (n_models + 1, n_models + 1)
        ``sum_i omega_i (scale z_i - mean)(scale z_i - mean)'``, not divided by
        anything.
    weight_norm : float
        Euclidean norm of the sample weights.
    scale : float, default=1.0
        Power of two by which the rows are multiplied. This is exact, and keeps squares
        of tiny or huge predictions from underflow and overflow.
    rounding : ndarray of shape (n_models + 1,), default=None
        The exact mean minus `mean`, where it is known. For rows far from zero, this
        rounding error is not small compared with the differences between rows.
    """

    weight: float
    n_rows: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]
    weight_norm: float
    scale: float = 1.0
    rounding: NDArray[np.float64] | None = None

    @classmethod
    def from_rows(
        cls,
        predictions: NDArray[np.floating],
        target: NDArray[np.floating],
        sample_weight: NDArray[np.floating] | None = None,
    ) -> Moments:
        """Read a table of predictions once; it has one column per model.

        The predictions are in the units of the target, and are never modified. Weights
        are non-negative, and an integer weight equals a repetition of the row.
        `is_finite` of the result is False if a prediction or a label is NaN or
        infinite.
        """

        def largest() -> float:
            sizes = (np.abs(array).max(initial=0.0) for array in (predictions, target))
            return float(max(sizes))

        return in_range(
            lambda scale: cls._scan(predictions, target, sample_weight, scale), largest
        )

    @classmethod
    def _scan(
        cls,
        predictions: NDArray[np.floating],
        target: NDArray[np.floating],
        sample_weight: NDArray[np.floating] | None,
        scale: float,
    ) -> Moments:
        """Compute the moments of ``scale`` times the rows, block by block."""
        n_rows, n_models = predictions.shape
        size = max(1, min(n_rows, _BLOCK_ELEMENTS // (n_models + 2)))
        # The border holds the target and a row of ones, whose products with the rest
        # are sums. The errors have an array of their own, so that they are contiguous.
        buffer, border = np.empty((size, n_models)), np.ones((2, size))
        squares, part = np.zeros((2, n_models, n_models))
        sums, corner = np.zeros((2, n_models)), np.zeros((2, 2))
        centred = True
        # Overflow and NaN raise no warning: they show in the result, see is_finite.
        with np.errstate(over="ignore", invalid="ignore"):
            shift = cls._near(predictions, target, sample_weight, size) * scale
            for start in range(0, n_rows, size):
                rows = slice(start, start + size)
                labels: Any = target[rows]
                edge, errors = border[:, : len(labels)], buffer[: len(labels)]
                # Compute in double precision, whatever the type of the table.
                np.multiply(labels, scale, out=edge[0], dtype=np.float64)
                read: Any = predictions[rows]
                if scale != 1.0:
                    read = np.multiply(read, scale, out=errors, dtype=np.float64)
                np.subtract(read, edge[0][:, None], out=errors, dtype=np.float64)
                if start == 0 and sample_weight is None:
                    # If no bias is large compared with the errors, centring them
                    # first is not needed, which saves a pass over them.
                    largest = np.square(errors).max(axis=0, initial=0.0)
                    centred = bool((4.0 * np.square(shift[:-1]) > largest).any())
                    shift[:-1] *= centred
                if centred:
                    errors -= shift[:-1]
                edge[0] -= shift[-1]
                edge[1] = 1.0
                if sample_weight is not None:
                    root = np.sqrt(sample_weight[rows])
                    errors *= root[:, None]
                    edge *= root
                # numpy computes one triangle of a product with the transpose.
                squares += np.dot(errors.T, errors, out=part)
                # Two matrix-vector products cost less than one with a thin matrix.
                sums[0] += edge[0] @ errors
                sums[1] += edge[1] @ errors
                corner += edge @ edge.T
            products = np.block([[squares, sums.T], [sums, corner]])
            return cls.from_products(products, shift, n_rows, sample_weight, scale)

    @classmethod
    def from_products(
        cls,
        products: NDArray[np.float64],
        shift: NDArray[np.float64],
        n_rows: int,
        sample_weight: NDArray[np.floating] | None,
        scale: float,
    ) -> Moments:
        """Centre sums of products.

        `products` is ``sum_i omega_i x_i x_i'`` of ``x_i = [scale z_i - shift, 1]``, of
        which only the upper triangle is read. `shift`, of shape (n_models + 1,), is a
        point near the rows.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            products = np.triu(products) + np.triu(products, 1).T
            weight = float(products[-1, -1])
            if weight == 0:
                zeros = np.zeros_like(products[:-1, :-1])
                return cls(0.0, n_rows, shift, zeros, 0.0, scale)
            offset = products[:-1, -1] / weight
            scatter = products[:-1, :-1] - weight * np.outer(offset, offset)
            # Rounding can make a sum of squares slightly negative after centring.
            np.fill_diagonal(scatter, np.maximum(scatter.diagonal(), 0.0))
            norm = float(np.sqrt(weight))
            if sample_weight is not None:
                # Divide first: squares of tiny or huge weights under- or overflow.
                norm = weight * float(np.linalg.norm(sample_weight / weight))
            mean, rounding = two_sum(shift, offset)
            return cls(weight, n_rows, mean, scatter, norm, scale, rounding)

    @staticmethod
    def _near(
        predictions: NDArray[np.floating],
        target: NDArray[np.floating],
        sample_weight: NDArray[np.floating] | None,
        size: int,
    ) -> NDArray[np.float64]:
        """Compute a point near the rows, to subtract before anything is squared.

        It only keeps the centring free of cancellation, so any point near the mean will
        do. Without weights it is the mean of the first block; with weights it is the
        mean of all rows, as the first block may have no weight.
        """
        n_rows = len(target)
        if sample_weight is None or not sample_weight.any():
            n_rows = min(size, n_rows)
            share = np.full(n_rows, 1.0 / max(n_rows, 1))
        else:
            share = sample_weight / sample_weight.sum()
        near = np.zeros(predictions.shape[1] + 1)
        for start in range(0, n_rows, size):
            rows = slice(start, min(start + size, n_rows))
            near[:-1] += share[rows] @ predictions[rows]
            near[-1] += share[rows] @ target[rows]
        near[:-1] -= near[-1]
        return near

    def _needs_scaling(self) -> bool:
        """Tell whether the largest mean square is out of range."""
        if self.weight == 0:
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            squares = self.scatter.diagonal() / self.weight + self.mean**2
        low, high = _SAFE_SQUARES
        return not (low < squares.max(initial=0.0) < high)

    @property
    def is_finite(self) -> bool:
        """Whether every row was finite, as the sums of products show."""
        return bool(
            np.isfinite(self.scatter.diagonal()).all() and np.isfinite(self.mean).all()
        )

    @property
    def n_models(self) -> int:
        """Number of models."""
        return len(self.mean) - 1

    @property
    def remainder(self) -> NDArray[np.float64]:
        """The exact mean minus `mean`, of shape (n_models + 1,); zero if not known."""
        return np.zeros_like(self.mean) if self.rounding is None else self.rounding

    @property
    def n_effective(self) -> float:
        """Number of rows against which the prior is weighed.

        It is the total weight, since an integer weight equals a repetition, but at
        least Kish's effective sample size: weights that sum to one do not mean that
        there is only one row.
        """
        if self.weight == 0:
            return 0.0
        return max(self.weight, (self.weight / self.weight_norm) ** 2)

    def merge(self, other: Moments) -> Moments:
        """Combine with the moments of other rows (Chan, Golub and LeVeque, 1979).

        The result is that of reading all rows in one pass. Raises a ValueError if the
        numbers of models differ.
        """
        if self.n_models != other.n_models:
            raise ValueError(
                f"cannot merge moments of {self.n_models} models with moments of "
                f"{other.n_models}; both blocks must have the same columns"
            )
        if other.weight == 0 or self.weight == 0:
            kept = self if other.weight == 0 else other
            return replace(kept, n_rows=self.n_rows + other.n_rows)
        scale = min(self.scale, other.scale)
        left, right = self.rescaled(scale), other.rescaled(scale)
        weight = left.weight + right.weight
        delta = (right.mean - left.mean) + (right.remainder - left.remainder)
        share = right.weight / weight
        mean, rounding = two_sum(left.mean, left.remainder + share * delta)
        return Moments(
            weight,
            left.n_rows + right.n_rows,
            mean,
            left.scatter + right.scatter + left.weight * share * np.outer(delta, delta),
            float(np.hypot(left.weight_norm, right.weight_norm)),
            scale,
            rounding,
        )

    def rescaled(self, scale: float) -> Moments:
        """Express the same moments at another scale, which is a power of two."""
        factor = scale / self.scale
        return replace(
            self,
            mean=self.mean * factor,
            scatter=self.scatter * factor**2,
            scale=scale,
            rounding=self.remainder * factor,
        )

    def subset(self, models: NDArray[np.intp]) -> Moments:
        """Restrict to some of the models, given by their indices, in that order."""
        kept = np.append(models, self.n_models)
        return replace(
            self,
            mean=self.mean[kept],
            scatter=self.scatter[np.ix_(kept, kept)],
            rounding=self.remainder[kept],
        )

    def without_labels(self) -> Moments:
        """Convert to moments of the predictions alone, ``z_i = [P_i, 0]``.

        They can be merged with the moments of unlabelled rows, read with a target of 0.
        """
        mean, lost = two_sum(self.mean, self.mean[-1])
        rounding = lost + self.remainder + self.remainder[-1]
        mean[-1] = rounding[-1] = 0.0
        scatter = np.zeros_like(self.scatter)
        if self.weight > 0:
            scatter[:-1, :-1] = self.predictions()[0] * self.weight
        return replace(self, mean=mean, scatter=scatter, rounding=rounding)

    def predictions(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute the covariance of the predictions, and theirs with the target.

        The shapes are (n_models, n_models) and (n_models,), in squared units of
        ``scale`` times the target. The precision suffices for a prior: for models that
        hardly vary compared with the target, only rounding noise remains.
        """
        scatter = self.scatter / self.weight
        with_target = scatter[:-1, -1] + scatter[-1, -1]
        covariance = scatter[:-1, :-1] + scatter[:-1, -1, None] + with_target
        return covariance, with_target

    def errors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute the weighted RMSE and the bias (mean error) of each model.

        Both have shape (n_models,) and the units of the target. They are NaN if no row
        has a weight.
        """
        if self.weight == 0:
            return np.full(self.n_models, np.nan), np.full(self.n_models, np.nan)
        bias = self.mean[:-1]
        squares = self.scatter.diagonal()[:-1] / self.weight + bias**2
        return np.sqrt(squares) / self.scale, bias / self.scale


def in_range(scan: Callable[[float], Moments], largest: Callable[[], float]) -> Moments:
    """Scan the rows; if their squares are out of range, scan them again, scaled.

    ``scan(scale)`` computes the moments of ``scale`` times the rows, and ``largest()``
    their largest absolute value, from which the scale (a power of two) follows.
    """
    moments = scan(1.0)
    if not moments._needs_scaling():
        return moments
    size = largest()
    if not np.isfinite(size) or size == 0:
        return moments
    # The largest power of two is 2^1023, though subnormal rows would need a larger one.
    return scan(float(np.ldexp(1.0, min(-int(np.frexp(size)[1]), 1023))))


def varying_models(moments: Moments, prediction_moments: Moments) -> NDArray[np.intp]:
    """List the models whose predictions vary by more than rounding noise.

    Predictions have rounding noise of their own. Their variance also has that of the
    errors and labels of the labelled rows (`moments`) that it is computed from. The
    `prediction_moments` of the rows in question must have the same scale.
    """
    variance = (
        prediction_moments.predictions()[0].diagonal() * prediction_moments.weight
    )
    squares = moments.scatter.diagonal()
    rounding = CONSTANT * (squares[:-1] + squares[-1])
    rounding += (
        np.square(CONSTANT * prediction_moments.mean[:-1]) * prediction_moments.weight
    )
    return np.flatnonzero(variance > rounding)
