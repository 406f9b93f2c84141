"""Transformers of predictions that have a range: clip to it, or map it to [0, 1].

Each bound of a column (the predictions of one model) is given, or is learned in `fit`
as the smallest or largest prediction. A learned bound follows outliers, so give the
bounds wherever the task defines them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from stackingnet_sk.predictions.labels import unmasked

_CHECKS = {"dtype": (np.float64, np.float32), "ensure_all_finite": "allow-nan"}


class _RangeTransformer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator, ABC):
    """A range for each column; a subclass defines what is valid and what it does."""

    low_: NDArray[np.float64]
    high_: NDArray[np.float64]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    _remedy: str

    def __init__(
        self,
        low: ArrayLike | None = None,
        high: ArrayLike | None = None,
        *,
        per_column: bool = True,
    ) -> None:
        self.low = low
        self.high = high
        self.per_column = per_column

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Set the range of each column.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Predictions, one column per model.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        table = validate_data(self, unmasked(X), **_CHECKS)
        low = self._bound("low", np.fmin, table)
        high = self._bound("high", np.fmax, table)
        if not (valid := self._is_range(low, high)).all():
            j = valid.argmin()
            low_is, high_is = (
                "learned" if bound is None else "given"
                for bound in (self.low, self.high)
            )
            raise ValueError(
                f"{self._column(j)} has no valid range: low={low[j]} ({low_is}), "
                f"high={high[j]} ({high_is}). {self._remedy}"
            )
        self.low_, self.high_ = low, high
        self._summarize(table)
        return self

    @property
    def partial_fit(self) -> Callable[..., Self]:
        """Add a block of predictions, ``partial_fit(X, y=None)``; returns self.

        An AttributeError is raised if a bound is to be learned, because each block
        would get another bound than the blocks before.
        """
        for name in ("low", "high"):
            if getattr(self, name) is None:
                raise AttributeError(
                    f"{type(self).__name__} has no partial_fit while {name} is learned "
                    f"from the predictions: each block would get another {name}. Give "
                    f"{name}=; infinite, it leaves a side of a clipper open."
                )
        return self._add_block

    def _add_block(self, X: ArrayLike, y: Any = None) -> Self:
        """Fit on the first block, and count clipped predictions of further blocks."""
        if not hasattr(self, "low_"):
            return self.fit(X, y)
        self._summarize(self._validate(X), getattr(self, "n_clipped_", 0))
        return self

    @abstractmethod
    def _is_range(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Tell for each column whether its bounds make a valid range."""

    def _summarize(self, table: NDArray[Any], before: ArrayLike = 0) -> None:
        """Store statistics of the table, if any, added to those of former blocks."""

    def _bound(
        self, name: str, extreme: np.ufunc, table: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return the bound `name` of each column, given or learned from the table."""
        if (given := getattr(self, name)) is None:
            bound = extreme.reduce(table, axis=0 if self.per_column else None)
            if (empty := np.isnan(bound)).any():
                raise ValueError(
                    f"{self._column(empty.argmax())} has no prediction to learn "
                    f"{name} from: drop the column or give {name}."
                )
        else:
            try:
                bound = np.asarray(given, dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"{name}={given!r} is no number: give one for all columns, an "
                    "array of one a column, or None to learn it."
                ) from error
            if bound.shape not in {(), (self.n_features_in_,)}:
                raise ValueError(
                    f"{name}={given!r} has shape {bound.shape} but X has "
                    f"{self.n_features_in_} columns: give one number for all columns, "
                    "or an array of one a column."
                )
        return np.array(np.broadcast_to(bound, self.n_features_in_), dtype=np.float64)

    def _column(self, j: np.intp) -> str:
        """Name a column in an error message."""
        return f"Column {getattr(self, 'feature_names_in_', range(j + 1))[j]!r}"

    def _validate(self, X: ArrayLike) -> NDArray[Any]:
        """Check a table against the columns seen in `fit`."""
        check_is_fitted(self)
        table: NDArray[Any] = validate_data(self, unmasked(X), reset=False, **_CHECKS)
        return table

    def _validate_inverse(self, X: ArrayLike) -> NDArray[Any]:
        """Check a table of transformed predictions."""
        check_is_fitted(self)
        # validate_data would warn that X has no feature names, as the array that
        # `transform` returns has none.
        table: NDArray[Any] = check_array(unmasked(X), **_CHECKS)
        if table.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {table.shape[1]} features, but {type(self).__name__} is "
                f"expecting {self.n_features_in_} features as input."
            )
        return table

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class PredictionClipper(_RangeTransformer):
    """Clip predictions into the range from `low` to `high`; NaN stays NaN.

    Parameters
    ----------
    low, high : float, array-like of shape (n_features,) or None, default=None
        Bounds of the range: one number for all columns, one per column, or None to
        learn them in `fit`.
        ``low=-np.inf`` or ``high=np.inf`` leaves that side unbounded.
    per_column : bool, default=True
        Whether to learn one bound from each column, or one from the whole table.

    Attributes
    ----------
    low_, high_ : ndarray of shape (`n_features_in_`,)
        Bounds of each column.
    n_clipped_ : ndarray of shape (`n_features_in_`,)
        Number of predictions of each column, seen in `fit`, outside of the range.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; defined only when all of them are strings.

    See Also
    --------
    PredictionNormalizer : Map the range to [0, 1] without clipping.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.predictions import PredictionClipper
    >>> ratings = [[0.5, 4.0], [3.0, np.nan], [11.0, 12.0]]
    >>> clipper = PredictionClipper(1, 10).fit(ratings)
    >>> clipper.transform(ratings)
    array([[ 1.,  4.],
           [ 3., nan],
           [10., 10.]])
    >>> clipper.n_clipped_
    array([2, 1])
    """

    n_clipped_: NDArray[np.intp]
    _remedy = "Give low <= high; low=-inf or high=inf leaves a side open."

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Clip each column into its range.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Predictions.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        return self._clip(self._validate(X))

    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return X as it is: a value inside the range is its own pre-image.

        A clipped value cannot be restored. If `fit` of a `TransformedTargetRegressor`
        meets one, it warns, unless ``check_inverse=False``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Clipped predictions.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        return self._validate_inverse(X)

    def _is_range(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        return (low <= high) & (low < np.inf) & (high > -np.inf)

    def _summarize(self, table: NDArray[Any], before: ArrayLike = 0) -> None:
        changed = (self._clip(table) != table) & ~np.isnan(table)
        self.n_clipped_ = before + changed.sum(axis=0)

    def _clip(self, table: NDArray[Any]) -> NDArray[Any]:
        clipped: NDArray[Any] = np.clip(table, self.low_, self.high_)
        return clipped.astype(table.dtype, copy=False)


class PredictionNormalizer(_RangeTransformer):
    """Map the range from `low` to `high` linearly to [0, 1]; NaN stays NaN.

    Predictions outside of the range map outside of [0, 1]: nothing is clipped.

    Parameters
    ----------
    low, high : float, array-like of shape (n_features,) or None, default=None
        Bounds of the range: one number for all columns, one per column, or None to
        learn them in `fit`.
        A learned range of width 0 counts as one of width 1.
    per_column : bool, default=True
        Whether to learn one bound from each column, or one from the whole table.

    Attributes
    ----------
    low_, high_ : ndarray of shape (`n_features_in_`,)
        Bounds of each column.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns; defined only when all of them are strings.

    See Also
    --------
    PredictionClipper : Clip predictions into the range.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.predictions import PredictionNormalizer
    >>> ratings = [[1.0, 5.5], [10.0, np.nan]]
    >>> normalizer = PredictionNormalizer(1, 10).fit(ratings)
    >>> normalizer.transform(ratings)
    array([[0. , 0.5],
           [1. , nan]])
    >>> normalizer.inverse_transform([[0.5, 1.5]])
    array([[ 5.5, 14.5]])
    """

    _remedy = "Give finite bounds with low < high."

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Map the range of each column to [0, 1].

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Predictions.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        table = self._validate(X)
        unit = (table - self.low_) / self._width()
        return unit.astype(table.dtype, copy=False)

    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Map [0, 1] back to the range of each column.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Normalized predictions.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        unit = self._validate_inverse(X)
        table = unit * self._width() + self.low_
        return table.astype(unit.dtype, copy=False)

    def _is_range(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        learned = self.low is None or self.high is None
        wide = (low <= high) if learned else (low < high)
        return wide & np.isfinite(low) & np.isfinite(high)

    def _width(self) -> NDArray[np.float64]:
        return np.where(self.low_ == self.high_, 1.0, self.high_ - self.low_)
