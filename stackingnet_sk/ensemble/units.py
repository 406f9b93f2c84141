"""Warnings about predictions and labels in different units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence import Extent, Moments
from stackingnet_sk.evidence.extent import EMPTY, overlap

# With fewer labels than this, their range can miss that of the predictions by chance.
_FEWEST_LABELS = 10
# Errors are predictions minus labels, which leaves 16 digits of the larger of the two.
_RESOLVED = 1e-5


def unit_warnings(
    extent: Extent, moments: Moments, names: NDArray[np.object_]
) -> Iterator[str]:
    """Yield sentences about predictions and labels that seem to have different units.

    `extent` is the range of the labelled rows, and `moments` are their moments.
    """
    labels, predictions = extent.labels, extent.predictions
    # Normalized on one side only, ratings may still touch at the end of a scale.
    apart = not overlap(labels, predictions) and labels != predictions
    if moments.n_rows >= _FEWEST_LABELS and apart and predictions != EMPTY:
        yield (
            f"The labels lie in {list(labels)} and the predictions in "
            f"{list(predictions)}: was only one of the two normalized? Put both in the "
            "same units, see PredictionNormalizer."
        )
    if moments.weight == 0:
        return
    variance = moments.predictions()[0].diagonal()
    target = moments.scatter[-1, -1] / moments.weight
    # A constant model is exact however few digits it has.
    unresolved = ((variance < _RESOLVED**2 * target) & extent.varies).nonzero()[0]
    if unresolved.size:
        yield (
            f"The predictions of {[str(names[j]) for j in unresolved[:5]]} vary less "
            f"than {_RESOLVED:g} times as much as the labels, too little for accurate "
            "weights: put them in the units of the labels, or drop them."
        )
