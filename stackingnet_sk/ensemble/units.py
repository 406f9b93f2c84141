"""Whether predictions and labels are in the same units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk._compat import to_numpy
from stackingnet_sk.evidence import Moments

# So few labels can miss the range of the predictions by chance.
_FEW = 10
# Errors are predictions minus labels: 16 digits of the larger of the two.
_RESOLVED = 1e-5
# Rows of a first look, which nearly always is enough.
_LOOK = 1000

Interval = tuple[float, float]
_EMPTY: Interval = (np.inf, -np.inf)


@dataclass(frozen=True, eq=False)
class Extent:
    """Where the labels and the predictions of labelled rows lie.

    Parameters
    ----------
    labels : tuple of float
        Least and largest label.
    predictions : tuple of float
        Least and largest prediction; where those of the first rows have values in
        common with the labels, of these.
    first : ndarray of shape (n_models,)
        A prediction of each model; NaN where there is none.
    varies : ndarray of bool of shape (n_models,)
        Whether it ever says another thing.
    """

    labels: Interval
    predictions: Interval
    first: NDArray[np.float64]
    varies: NDArray[np.bool_]

    @classmethod
    def from_rows(
        cls, table: NDArray[np.floating], labels: NDArray[np.float64]
    ) -> Extent:
        """Look at the rows, at as few as will do.

        Parameters
        ----------
        table : ndarray of shape (n_rows, n_models)
            Predictions; NaN where a model is silent.
        labels : ndarray of shape (n_rows,)
            Their labels.

        Returns
        -------
        Extent
        """
        n_rows = table.shape[0]
        own, look = _range(labels), to_numpy(table[: min(n_rows, _LOOK), :])
        some = _range(look)
        if n_rows > _LOOK and not _overlap(own, some):
            some = _range(to_numpy(table))
        first = np.full(table.shape[1], np.nan)
        varies = np.zeros(table.shape[1], dtype=bool)
        for rows in (look, table):
            for m in np.flatnonzero(~varies):
                said = to_numpy(rows[:, int(m)])
                said = said[~np.isnan(said)]
                first[m] = said[0] if said.size else np.nan
                varies[m] = (said != first[m]).any()
        return cls(own, some, first, varies)

    def take(self, models: NDArray[np.intp]) -> Extent:
        """Look at some of the models only.

        Parameters
        ----------
        models : ndarray of int
            Which ones.

        Returns
        -------
        Extent
        """
        return replace(self, first=self.first[models], varies=self.varies[models])

    def merge(self, other: Extent) -> Extent:
        """Combine with that of other rows.

        Parameters
        ----------
        other : Extent
            Of the same models.

        Returns
        -------
        Extent
        """
        unheard = np.isnan(self.first)
        differ = ~unheard & ~np.isnan(other.first) & (self.first != other.first)
        return Extent(
            _hull(self.labels, other.labels),
            _hull(self.predictions, other.predictions),
            np.where(unheard, other.first, self.first),
            self.varies | other.varies | differ,
        )


def unit_warnings(
    extent: Extent, moments: Moments, names: NDArray[np.object_]
) -> Iterator[str]:
    """Say what suggests that predictions and labels are in different units.

    Parameters
    ----------
    extent : Extent
        Of the labelled rows.
    moments : Moments
        Their moments.
    names : ndarray of shape (n_models,)
        Names of the models.

    Yields
    ------
    str
        A sentence for the user.
    """
    own, some = extent.labels, extent.predictions
    # Normalized on one side only, ratings may still touch at the end of a scale.
    apart = not _overlap(own, some) and own != some
    if moments.n_rows >= _FEW and apart and some != _EMPTY:
        yield (
            f"The labels lie in {list(own)} and the predictions in {list(some)}: was "
            "only one of the two normalized? Put both in the same units, see "
            "PredictionNormalizer."
        )
    if moments.weight == 0:
        return
    variance = moments.predictions()[0].diagonal()
    target = moments.scatter[-1, -1] / moments.weight
    # What does not vary at all is a constant, and known to be one.
    dim = ((variance < _RESOLVED**2 * target) & extent.varies).nonzero()[0]
    if dim.size:
        yield (
            f"The predictions of {[str(names[j]) for j in dim[:5]]} vary less than "
            f"{_RESOLVED:g} times as much as the labels, too little for accurate "
            "weights: put them in the units of the labels, or drop them."
        )


def _range(values: NDArray[np.floating]) -> Interval:
    if not values.size or np.isnan(values).all():
        return _EMPTY
    return float(np.nanmin(values)), float(np.nanmax(values))


def _hull(one: Interval, other: Interval) -> Interval:
    return min(one[0], other[0]), max(one[1], other[1])


def _overlap(one: Interval, other: Interval) -> bool:
    return one[0] < other[1] and other[0] < one[1]
