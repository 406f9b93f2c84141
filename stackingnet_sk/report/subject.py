"""What a report is about: a fitted combination, its table, and what is missing."""

from __future__ import annotations

import hashlib
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils import gen_batches, indexable
from sklearn.utils.validation import check_is_fitted

from stackingnet_sk._compat import count_rows, take_rows, to_numpy
from stackingnet_sk._missing import are_missing
from stackingnet_sk.ensemble.members import predict_unseen, without_members
from stackingnet_sk.inspection.comparison_folds import (
    draw_rows,
    name_models,
    split_pipeline,
)
from stackingnet_sk.predictions import (
    PredictionClipper,
    PredictionNormalizer,
    as_array,
    column_names,
    is_labelled,
    unmasked,
)

Array = NDArray[Any]

# If there are more rows than this with a label, or without, some are drawn.
MOST_ROWS = 50_000
_BATCH = 50_000


@dataclass(frozen=True, eq=False)
class RangeCount:
    """Predictions of each model below and above the range of one step of a pipeline."""

    step: str
    clips: bool
    low: Array
    high: Array
    below: Array
    above: Array

    @property
    def total(self) -> int:
        """Number of predictions beyond the range."""
        return int(self.below.sum() + self.above.sum())


@dataclass(frozen=True, eq=False)
class Subject:
    """A fitted combination and the rows that it is shown with.

    `whole` is the estimator as it was given: the combination, or a pipeline of `steps`
    that ends in one. `model` is the combination, fitted. `whole` takes `X`, and `model`
    takes `table`. `labels` are NaN or None where there is none.
    """

    whole: Any
    steps: Any
    model: Any
    X: Any
    table: Any
    labels: Array

    @classmethod
    def of(cls, estimator: Any, X: Any, y: Any) -> Subject:
        """Read what was given.

        A NotFittedError is raised if the estimator is not fitted, a TypeError if it
        does not combine models, and a ValueError if `y` does not have one value per
        row.
        """
        steps, model = split_pipeline(estimator)
        check_is_fitted(model)
        model = copy(model)
        name_models(steps, model)
        (X,) = indexable(unmasked(X))
        n_rows = count_rows(X)
        labels = np.full(n_rows, np.nan) if y is None else as_array(y)
        if labels.shape != (n_rows,):
            raise ValueError(
                f"y has shape {labels.shape}, but X has {n_rows} rows; give a label a "
                "row, NaN or None where there is none."
            )
        table = X if steps is None else steps.transform(X)
        return cls(estimator, steps, model, X, table, labels)

    @property
    def is_number(self) -> bool:
        """Whether predictions are numbers, not classes."""
        return not is_classifier(self.model)

    @property
    def names(self) -> list[str]:
        """Names of the models."""
        return [str(name) for name in self.model.model_names_]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which rows have a label."""
        return is_labelled(self.labels)

    @property
    def y(self) -> Array | None:
        """Labels as estimators take them: None where there is not any."""
        return self.labels if self.labelled.any() else None

    def take(self, rows: Array) -> Subject:
        """Keep the rows with these numbers."""
        return replace(
            self,
            X=take_rows(self.X, rows),
            table=take_rows(self.table, rows),
            labels=self.labels[rows],
        )

    def drawn(self, random_state: int) -> Subject:
        """Draw at most `MOST_ROWS` rows with a label, and as many without."""
        random = np.random.default_rng(random_state)
        rows = draw_rows(self.labelled, MOST_ROWS, random)
        return self if len(rows) == len(self.labels) else self.take(rows)

    def out_of_fold(self) -> Subject:
        """Replace members by their predictions out of fold, on the rows of their fit.

        The same subject is returned if members have not seen the rows, or if there are
        none.
        """
        unseen = predict_unseen(self.model, self.table)
        if unseen is None:
            return self
        rows, table = unseen
        combination = without_members(self.model)
        return Subject(combination, None, combination, table, table, self.labels[rows])

    def answered(self) -> NDArray[np.bool_]:
        """Tell which predictions are given, shape (n_rows, n_models)."""
        answered = []
        for batch in gen_batches(len(self.labels), _BATCH):
            rows = self.table
            if batch.start or batch.stop < len(self.labels):
                rows = take_rows(rows, np.arange(batch.start, batch.stop))
            predictions = np.asarray(to_numpy(self.model.transform(rows)))
            if self.is_number:
                answered.append(~np.isnan(predictions))
            else:
                votes = predictions.reshape(len(predictions), len(self.names), -1)
                answered.append(votes.any(axis=2))
        return np.concatenate(answered)

    def out_of_range(self) -> list[RangeCount]:
        """Count predictions beyond the ranges of the steps before the combination."""
        counts, table = [], self.X
        for name, step in self.steps.steps if self.steps is not None else ():
            if isinstance(step, (PredictionClipper, PredictionNormalizer)):
                values = np.asarray(to_numpy(unmasked(table)), dtype=np.float64)
                counts.append(
                    RangeCount(
                        str(name),
                        isinstance(step, PredictionClipper),
                        step.low_,
                        step.high_,
                        (values < step.low_).sum(axis=0),
                        (values > step.high_).sum(axis=0),
                    )
                )
            if hasattr(step, "transform"):
                table = step.transform(table)
        return counts

    def digest(self) -> str:
        """Hash names, cells and labels with SHA-256: same data, same digits."""
        sha = hashlib.sha256()
        for part in (*map(str, column_names(self.X)), "\x1e"):
            sha.update(part.encode() + b"\x1f")
        cells = as_array(self.X)
        _feed(sha, self.labels)
        if cells.ndim == 1:
            _feed(sha, cells)
        else:
            for column in np.moveaxis(cells.reshape(len(cells), -1), 1, 0):
                _feed(sha, column)
        return sha.hexdigest()


def _feed(sha: Any, column: Array) -> None:
    if column.dtype.kind in "iufb":
        numbers = column.astype(np.float64)
        # NaN has many bit patterns.
        numbers[np.isnan(numbers)] = np.nan
        sha.update(np.ascontiguousarray(numbers).tobytes())
    else:
        missing = are_missing(column)
        texts = [
            "" if gone else str(cell)
            for cell, gone in zip(column, missing, strict=True)
        ]
        sha.update("\x1f".join(texts).encode())
        sha.update(missing.tobytes())
