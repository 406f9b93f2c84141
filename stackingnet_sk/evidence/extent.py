"""The range of labels and predictions, as needed to check that their units agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Number of rows to look at first: they nearly always show that the predictions overlap
# with the labels.
_FIRST_ROWS = 1000

Interval = tuple[float, float]
EMPTY: Interval = (np.inf, -np.inf)


@dataclass(frozen=True, eq=False)
class Extent:
    """Range of the labels and of the predictions of labelled rows.

    Parameters
    ----------
    labels : tuple of float
        Smallest and largest label.
    predictions : tuple of float
        Smallest and largest prediction. If the predictions of the first 1,000 rows
        overlap with the labels, the range is that of these rows.
    first : ndarray of shape (n_models,)
        First prediction of each model; NaN if all are missing.
    varies : ndarray of bool of shape (n_models,)
        Whether a model has at least two different predictions.
    """

    labels: Interval
    predictions: Interval
    first: NDArray[np.float64]
    varies: NDArray[np.bool_]

    @classmethod
    def from_rows(
        cls,
        table: Any,
        labels: NDArray[np.float64],
        read: Callable[[Any], NDArray[np.floating]] = np.asarray,
    ) -> Extent:
        """Determine the extent from as few rows as possible.

        Missing predictions in the table of shape (n_rows, n_models) are NaN. `read`
        turns a part of the table into a numpy array.
        """
        n_rows, n_models = table.shape
        labels_range = _range(labels)
        first_rows = read(table[: min(n_rows, _FIRST_ROWS), :])
        predictions_range = _range(first_rows)
        if n_rows > _FIRST_ROWS and not overlap(labels_range, predictions_range):
            predictions_range = _range(read(table))
        first = np.full(n_models, np.nan)
        varies = np.zeros(n_models, dtype=bool)
        for rows in (first_rows, table):
            for m in np.flatnonzero(~varies):
                predictions = read(rows[:, int(m)])
                predictions = predictions[~np.isnan(predictions)]
                first[m] = predictions[0] if predictions.size else np.nan
                varies[m] = (predictions != first[m]).any()
        return cls(labels_range, predictions_range, first, varies)

    def subset(self, models: NDArray[np.intp]) -> Extent:
        """Restrict to some of the models, given by their indices."""
        return replace(self, first=self.first[models], varies=self.varies[models])

    def merge(self, other: Extent) -> Extent:
        """Combine with the extent of other rows of the same models."""
        missing = np.isnan(self.first)
        differ = ~missing & ~np.isnan(other.first) & (self.first != other.first)
        return Extent(
            _hull(self.labels, other.labels),
            _hull(self.predictions, other.predictions),
            np.where(missing, other.first, self.first),
            self.varies | other.varies | differ,
        )


def overlap(first: Interval, second: Interval) -> bool:
    """Tell whether the interiors of two intervals overlap."""
    return first[0] < second[1] and second[0] < first[1]


def _range(values: NDArray[np.floating]) -> Interval:
    """Return the smallest and the largest value that is not NaN."""
    if not values.size or np.isnan(values).all():
        return EMPTY
    return float(np.nanmin(values)), float(np.nanmax(values))


def _hull(first: Interval, second: Interval) -> Interval:
    """Return the smallest interval that contains both."""
    return min(first[0], second[0]), max(first[1], second[1])
