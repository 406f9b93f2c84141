"""Answers in a range: what is outside is clipped, what is missing imputed.

A missing answer becomes the mean of its column over the pool, for all methods alike, so
that none is favoured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stackingnet_sk import PredictionClipper

from ..task import Array, Prepared

__all__ = ["Range"]


@dataclass(frozen=True)
class Range:
    """The range [low, high] of answers and labels, in original units."""

    low: float
    high: float

    def prepare(self, P: Array, y: Array, pool: Array) -> Prepared:
        """Return complete predictions in the range."""
        clipper = PredictionClipper(self.low, self.high).fit(P)
        P = clipper.transform(P)
        missing = np.isnan(P)
        counts = {
            "missing": int(missing.sum()),
            "clipped": int(clipper.n_clipped_.sum()),
        }
        return Prepared(np.where(missing, self.means(P[pool]), P), y, self, counts)

    def means(self, P: Array) -> Array:
        """Return column means; a model that is silent here gets the mid-range."""
        answered = ~np.isnan(P)
        sums, counts = np.where(answered, P, 0.0).sum(axis=0), answered.sum(axis=0)
        middle = (self.low + self.high) / 2.0
        return np.where(counts > 0, sums / np.maximum(counts, 1), middle)
