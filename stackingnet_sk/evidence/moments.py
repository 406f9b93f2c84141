"""Mergeable second moments of the models' errors and the target.

Everything that the quadratic objective needs from ``n`` rows is an
``(M + 1) x (M + 1)`` matrix, so rows can come at once, in blocks, or from several
machines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk

from stackingnet_sk.evidence.rounding import two_sum

# A block of rows is read once and used three times (subtract, multiply, sum); 0.8 MB
# stay in a processor's second cache meanwhile. Between 0.5 and 1.5 MB it makes no
# difference there; 3 MB take a fifth longer.
_BLOCK_ELEMENTS = 100_000

# Second moments outside of this range make products of two of them over- or
# underflow; the rows are then read again, multiplied by a power of two.
_SAFE_SQUARES = (1e-60, 1e60)

# Predictions whose variance is below this share of the target's are constant: what is
# left of it is rounding.
CONSTANT = 1e-13


@dataclass(frozen=True, eq=False)
class Moments:
    r"""Weighted mean and scatter of the rows ``z_i = [P_i - y_i, y_i]``.

    The errors ``P - y`` are formed row by row, before anything is squared: with
    moments of ``P`` and ``y`` themselves, the error of a model whose errors are small
    against the spread of the target would be lost to cancellation.

    Parameters
    ----------
    weight : float
        Total sample weight; the number of rows where rows are not weighted.
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
        Power of two by which the rows were multiplied (exactly), so that squares of
        tiny or huge predictions neither underflow nor overflow.
    rest : ndarray of shape (n_models + 1,), default=None
        What rounding took from `mean`: of rows far from zero it is not little beside
        their differences.
    """

    weight: float
    n_rows: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]
    weight_norm: float
    scale: float = 1.0
    rest: NDArray[np.float64] | None = None

    @classmethod
    def from_rows(
        cls,
        predictions: NDArray[np.floating],
        target: NDArray[np.floating],
        sample_weight: NDArray[np.floating] | None = None,
    ) -> Moments:
        """Read the rows of a table of predictions once.

        Parameters
        ----------
        predictions : ndarray of shape (n_rows, n_models)
            A column a model, in the units of the target. Never written to.
        target : ndarray of shape (n_rows,)
            Labels.
        sample_weight : ndarray of shape (n_rows,), default=None
            Non-negative weights of the rows; an integer weight is a repetition.

        Returns
        -------
        Moments
            ``is_finite`` is False if a prediction or a label is NaN or infinite.
        """

        def largest() -> float:
            sizes = (np.abs(each).max(initial=0.0) for each in (predictions, target))
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
        n_rows, n_models = predictions.shape
        size = max(1, min(n_rows, _BLOCK_ELEMENTS // (n_models + 2)))
        # The target, and ones, whose products are the sums. Errors are apart: passes
        # over them have no gaps to jump.
        buffer, border = np.empty((size, n_models)), np.ones((2, size))
        products = np.zeros((n_models + 2, n_models + 2))
        # BLAS adds to the upper triangle in place, and errors are not copied for it.
        squares = np.zeros((n_models, n_models), order="F")
        # Overflow and NaN are wanted here: they show in the result, see is_finite.
        with np.errstate(over="ignore", invalid="ignore"):
            shift = cls._near(predictions, target, sample_weight, size) * scale
            for start in range(0, n_rows, size):
                rows = slice(start, start + size)
                edge = border[:, : len(target[rows])]
                errors = buffer[: edge.shape[1]]
                # In double precision, whatever the type of the table.
                np.multiply(target[rows], scale, out=edge[0], dtype=np.float64)
                read: Any = predictions[rows]
                if scale != 1.0:
                    read = np.multiply(read, scale, out=errors, dtype=np.float64)
                np.subtract(read, edge[0][:, None], out=errors, dtype=np.float64)
                if start == 0 and sample_weight is None:
                    # Where no bias exceeds the errors, a pass over them is saved.
                    largest = np.square(errors).max(axis=0, initial=0.0)
                    if (4.0 * np.square(shift[:-1]) <= largest).all():
                        shift[:-1] = 0.0
                if shift[:-1].any():
                    errors -= shift[:-1]
                edge[0] -= shift[-1]
                edge[1] = 1.0
                if sample_weight is not None:
                    root = np.sqrt(sample_weight[rows])
                    errors *= root[:, None]
                    edge *= root
                if n_models:
                    dsyrk(1.0, errors.T, beta=1.0, c=squares, overwrite_c=1)
                products[:-2, -2:] += (edge @ errors).T
                products[-2:, -2:] += edge @ edge.T
            products[:-2, :-2] = squares
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

        Parameters
        ----------
        products : ndarray of shape (n_models + 2, n_models + 2)
            ``sum_i omega_i x_i x_i'`` of ``x_i = [scale z_i - shift, 1]``; only the
            upper triangle is read.
        shift : ndarray of shape (n_models + 1,)
            Point near the rows.
        n_rows : int
            Their number.
        sample_weight : ndarray of shape (n_rows,) or None
            Their weights.
        scale : float
            Power of two.

        Returns
        -------
        Moments
        """
        with np.errstate(over="ignore", invalid="ignore"):
            products = np.triu(products) + np.triu(products, 1).T
            weight = float(products[-1, -1])
            if weight == 0:
                nothing = np.zeros_like(products[:-1, :-1])
                return cls(0.0, n_rows, shift, nothing, 0.0, scale)
            offset = products[:-1, -1] / weight
            scatter = products[:-1, :-1] - weight * np.outer(offset, offset)
            # The centring can leave a tiny negative sum of squares.
            np.fill_diagonal(scatter, np.maximum(scatter.diagonal(), 0.0))
            norm = float(np.sqrt(weight))
            if sample_weight is not None:
                # Divided first: squares of tiny or huge weights are out of range.
                norm = weight * float(np.linalg.norm(sample_weight / weight))
            mean, rest = two_sum(shift, offset)
            return cls(weight, n_rows, mean, scatter, norm, scale, rest)

    @staticmethod
    def _near(
        predictions: NDArray[np.floating],
        target: NDArray[np.floating],
        sample_weight: NDArray[np.floating] | None,
        size: int,
    ) -> NDArray[np.float64]:
        """Point near the rows, to subtract before anything is squared.

        Any is as good as the mean: it only keeps the centring free of cancellation. The
        first block is near the rows that count unless rows have weights.
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
        if self.weight == 0:
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            squares = self.scatter.diagonal() / self.weight + self.mean**2
        low, high = _SAFE_SQUARES
        return not (low < squares.max(initial=0.0) < high)

    @property
    def is_finite(self) -> bool:
        """Whether every row was finite, read off the products."""
        return bool(
            np.isfinite(self.scatter.diagonal()).all() and np.isfinite(self.mean).all()
        )

    @property
    def n_models(self) -> int:
        """Number of models."""
        return len(self.mean) - 1

    @property
    def remainder(self) -> NDArray[np.float64]:
        """What rounding took from the mean, zero where nobody knows."""
        return np.zeros_like(self.mean) if self.rest is None else self.rest

    @property
    def n_effective(self) -> float:
        """Rows that the prior is weighed against.

        The total weight, weights being repetitions, but not below Kish's effective
        sample size: weights that sum to one don't claim that there is a single row.
        """
        if self.weight == 0:
            return 0.0
        return max(self.weight, (self.weight / self.weight_norm) ** 2)

    def merge(self, other: Moments) -> Moments:
        """Combine with the moments of other rows (Chan, Golub and LeVeque, 1979).

        Parameters
        ----------
        other : Moments
            Moments of the same models on other rows.

        Returns
        -------
        Moments
            The moments of all rows, as if they had been read in one pass.

        Raises
        ------
        ValueError
            If the numbers of models differ.
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
        mean, rest = two_sum(left.mean, left.remainder + share * delta)
        return Moments(
            weight,
            left.n_rows + right.n_rows,
            mean,
            left.scatter + right.scatter + left.weight * share * np.outer(delta, delta),
            float(np.hypot(left.weight_norm, right.weight_norm)),
            scale,
            rest,
        )

    def rescaled(self, scale: float) -> Moments:
        """Express the same moments at another scale.

        Parameters
        ----------
        scale : float
            Power of two.

        Returns
        -------
        Moments
        """
        factor = scale / self.scale
        return replace(
            self,
            mean=self.mean * factor,
            scatter=self.scatter * factor**2,
            scale=scale,
            rest=self.remainder * factor,
        )

    def subset(self, models: NDArray[np.intp]) -> Moments:
        """Moments of some of the models.

        Parameters
        ----------
        models : ndarray of int
            Which models, in which order.

        Returns
        -------
        Moments
        """
        kept = np.append(models, self.n_models)
        return replace(
            self,
            mean=self.mean[kept],
            scatter=self.scatter[np.ix_(kept, kept)],
            rest=self.remainder[kept],
        )

    def without_labels(self) -> Moments:
        """Moments of the predictions alone, ``z_i = [P_i, 0]``.

        They can be merged with those of rows without labels, read with a target of 0.

        Returns
        -------
        Moments
        """
        mean, lost = two_sum(self.mean, self.mean[-1])
        rest = lost + self.remainder + self.remainder[-1]
        mean[-1] = rest[-1] = 0.0
        scatter = np.zeros_like(self.scatter)
        if self.weight > 0:
            scatter[:-1, :-1] = self.predictions()[0] * self.weight
        return replace(self, mean=mean, scatter=scatter, rest=rest)

    def predictions(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Covariance of the predictions, from that of the errors and the target.

        Good enough for a prior; what is left of models that hardly vary against the
        target is rounding.

        Returns
        -------
        covariance : ndarray of shape (n_models, n_models)
            Covariance of the predictions, in squared units of ``scale`` times the
            target.
        with_target : ndarray of shape (n_models,)
            Their covariance with the target.
        """
        scatter = self.scatter / self.weight
        with_target = scatter[:-1, -1] + scatter[-1, -1]
        covariance = scatter[:-1, :-1] + scatter[:-1, -1, None] + with_target
        return covariance, with_target

    def errors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Each model's own error, in the units of the target.

        Returns
        -------
        root_mean_squared_error : ndarray of shape (n_models,)
            Weighted root mean squared error of each model alone.
        bias : ndarray of shape (n_models,)
            Weighted mean of prediction minus label.

        Both are NaN where no row has weight.
        """
        if self.weight == 0:
            return np.full(self.n_models, np.nan), np.full(self.n_models, np.nan)
        bias = self.mean[:-1]
        squares = self.scatter.diagonal()[:-1] / self.weight + bias**2
        return np.sqrt(squares) / self.scale, bias / self.scale


def in_range(scan: Callable[[float], Moments], largest: Callable[[], float]) -> Moments:
    """Read rows, multiplied by a power of two where their squares are out of range.

    Parameters
    ----------
    scan : callable
        ``scan(scale)`` reads them.
    largest : callable
        Their largest absolute value.

    Returns
    -------
    Moments
    """
    moments = scan(1.0)
    if not moments._needs_scaling():
        return moments
    size = largest()
    if not np.isfinite(size) or size == 0:
        return moments
    # The largest power of two is 2^1023; subnormal rows would need a larger one.
    return scan(float(np.ldexp(1.0, min(-int(np.frexp(size)[1]), 1023))))


def varying_models(moments: Moments, prediction_moments: Moments) -> NDArray[np.intp]:
    """Which models' predictions vary at all, more than by rounding.

    It is that of the predictions themselves, and of the labelled errors and labels from
    which their variance is computed.

    Parameters
    ----------
    moments : Moments
        Moments of the labelled rows.
    prediction_moments : Moments
        Moments of the rows in question, at the same scale.

    Returns
    -------
    ndarray of int
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
