"""Rows of predicted numbers, on any device, to their statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk._compat import backend_of, to_numpy
from stackingnet_sk.evidence import (
    AnswerPatterns,
    Extent,
    PredictionStatistics,
    device_moments,
)
from stackingnet_sk.predictions import check_predictions


def sum_rows(
    table: Any,
    labels: NDArray[np.float64] | None,
    weights: NDArray[np.float64] | None,
    names: NDArray[np.object_],
    rows: NDArray[np.intp] | None = None,
) -> PredictionStatistics:
    """Sum the rows of a table on the device that holds them.

    `table` (n_rows, n_models) and `labels` (n_rows,) are NaN where an entry is missing.
    `rows` are the row numbers in the user's data, for messages. A ValueError is raised
    if a prediction is infinite, or if the sums overflow.
    """
    if labels is None:
        labels = np.full(len(table), np.nan)
    labelled = ~np.isnan(labels)
    sums, part = _sum_some(table, labelled, labels, weights)
    other_sums, _ = _sum_some(table, ~labelled, None, weights)
    extent = Extent.from_rows(part, labels[labelled], to_numpy)
    # torch calls its types torch.float32 and so on.
    dtype = str(table.dtype).rpartition(".")[2]
    statistics = PredictionStatistics(sums, other_sums, extent, dtype)
    if not statistics.is_finite:
        check_predictions(to_numpy(table), names, rows, allow_missing=True)
        statistics.refuse_overflow()
    return statistics


def sum_labelled_groups(
    table: Any,
    labels: NDArray[np.float64],
    weights: NDArray[np.float64] | None,
    rows: NDArray[np.intp],
    columns: Sequence[Mapping[str, NDArray[np.intp]]],
) -> list[dict[str, AnswerPatterns]]:
    """Sum up the rows of each group, for each column of groups.

    `rows` are the labelled rows of the table; a group lists which of them it has.
    """

    def sum_group(members: NDArray[np.intp]) -> AnswerPatterns:
        group = rows[members]
        group_weights = None if weights is None else weights[group]
        predictions = to_numpy(table)[group]
        return AnswerPatterns.from_rows(predictions, labels[group], group_weights)

    return [
        {name: sum_group(members) for name, members in column.items()}
        for column in columns
    ]


def _sum_some(
    table: Any,
    which: NDArray[np.bool_],
    labels: NDArray[np.float64] | None,
    weights: NDArray[np.float64] | None,
) -> tuple[AnswerPatterns, Any]:
    """Sum up some of the rows; return the sums and these rows."""
    if not which.any():
        no_rows = np.empty((0, table.shape[1]))
        return AnswerPatterns.from_rows(no_rows), no_rows
    backend = backend_of(table, always=True)
    row_weights = None if weights is None else weights[which]
    target = np.zeros(np.count_nonzero(which)) if labels is None else labels[which]
    part = table
    if not which.all():
        part = table[which if backend is None else backend.put(which)]
    if backend is None:
        return AnswerPatterns.from_rows(part, target, row_weights), part
    moments = device_moments(
        backend.xp,
        part,
        backend.xp.astype(backend.put(target), backend.floats[0]),
        row_weights,
        backend.put,
        to_numpy,
    )
    if moments.is_finite:
        return AnswerPatterns.of_complete(moments), part
    # Patterns of missing predictions are sorted on the CPU.
    part = to_numpy(part)
    return AnswerPatterns.from_rows(part, target, row_weights), part
