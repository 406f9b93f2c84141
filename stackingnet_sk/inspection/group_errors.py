"""Errors of a combination and of its models on each row, and the rows' groups."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length, column_or_1d

from stackingnet_sk._compat import count_rows
from stackingnet_sk._task import numbers_or_classes
from stackingnet_sk.ensemble.validation import check_labels
from stackingnet_sk.inspection.answers import ModelAnswers
from stackingnet_sk.predictions import (
    as_array,
    check_predictions,
    encode_votes,
    group_columns,
    is_labelled,
    sorted_classes,
)

Array = NDArray[Any]


def ask_models(
    estimator: Any, X: Any, y: Any, cv: Any = None
) -> tuple[Any, Array, Array | None]:
    """Predict with a fitted estimator and its models.

    Returns the models' names, a table (n_rows, n_models + 2), and the classes or None.
    Its columns are labels, combination and models: numbers or indices of classes, NaN
    where missing. Rows that are left out have no label there.
    """
    answers = ModelAnswers.of(estimator, X, y, labels=True, cv=cv)
    combined = answers.combined(estimator, X)
    if answers.classes is None:
        table = np.column_stack([answers.labels, combined, answers.table])
    else:
        codes = np.searchsorted(answers.classes, combined)
        table = np.column_stack([answers.labels, codes, answers.votes]).astype(
            np.float64
        )
        table[table < 0] = np.nan
    if answers.rows is not None:
        # Groups and weights have one entry per row of X.
        all_rows = np.full((count_rows(X), table.shape[1]), np.nan)
        all_rows[answers.rows] = table
        table = all_rows
    return answers.names, table, answers.classes


def read_predictions(
    predictions: Any, y: Any, models: Any, task: str
) -> tuple[Any, Array, Array | None]:
    """Read predictions, and return the same as `ask_models`."""
    predictions, labels = (
        column_or_1d(as_array(column)) for column in (predictions, y)
    )
    answers = np.empty((len(predictions), 0)) if models is None else as_array(models)
    check_consistent_length(labels, predictions, answers)
    if answers.ndim != 2 or answers.shape[1] == 1:
        raise ValueError("models= needs one column per model, and at least two models.")
    names = getattr(models, "columns", [f"model_{j}" for j in range(answers.shape[1])])
    columns = [labels, predictions, *answers.T]
    values = [v for column in columns for v in column[is_labelled(column)].tolist()]
    if task == "auto":
        task = numbers_or_classes(values) or task
    if task == "regression":
        labels = check_labels(predictions, y)
        table = np.column_stack([labels, predictions, answers]).astype(np.float64)
        check_predictions(table[:, 1:2], ["combination"])
        check_predictions(table[:, 2:], names, allow_missing=True)
        return names, table, None
    if task != "classification":
        raise ValueError(
            f"{task=}, but whole numbers can be ratings or classes: pass "
            "task='regression' or task='classification'."
        )
    classes = sorted_classes(np.array(values, dtype=object), "y or predictions")
    codes = [encode_votes(column[:, None], classes)[0] for column in columns]
    table = np.hstack(codes).astype(np.float64)
    table[table < 0] = np.nan
    unanswered = np.isnan(table[:, 1]) & ~np.isnan(table[:, 0])
    if unanswered.any():
        raise ValueError(f"No prediction at row {unanswered.argmax()}; drop such rows.")
    return names, table, classes


def read_groups(features: Any, rows: Array, crossings: bool) -> dict[str, Any]:
    """Read the groups of each column and crossing, and the group of each audited row.

    `rows` is a mask of the audited rows. Raises a ValueError if a column has one group
    only, or a group fewer than two audited rows.
    """
    texts: dict[str, Any] = dict(
        group_columns(features, np.ones(rows.shape, dtype=bool))
    )
    pairs = list(combinations(texts.items(), 2)) if crossings else []
    for (a, first), (b, second) in pairs:
        texts[f"{a} x {b}"] = [f"{g} x {h}" for g, h in zip(first, second, strict=True)]
    members_by_name = {}
    for name, values in texts.items():
        groups, members = np.unique(np.array(values, object), return_inverse=True)
        n_rows = np.bincount(members[rows], minlength=len(groups))
        if len(groups) < 2:
            raise ValueError(f"{name!r} has one group only; comparing takes two.")
        if n_rows.min() < 2:
            raise ValueError(
                f"Group {groups[n_rows.argmin()]!r} of {name!r} has {n_rows.min()} "
                "labelled rows, and two are needed; merge it with another, drop its "
                "rows or, if it belongs to a crossing, set crossings=False."
            )
        members_by_name[name] = groups, members[rows]
    return members_by_name


def row_errors(table: Array, classes: Array | None) -> tuple[Array, Array]:
    """Compute errors and signed errors of the combination, the average and the models.

    `table` is that of `ask_models`. The average is over the models that answer the row.
    An error is NaN if the prediction is missing.
    """
    truth, combination, models = table[:, :1], table[:, 1:2], table[:, 2:]
    if classes is None:
        answered = ~np.isnan(models)
        total = np.where(answered, models, 0.0).sum(axis=1, keepdims=True)
        n_answers = answered.sum(axis=1, keepdims=True)
        average = np.divide(
            total, n_answers, out=np.full_like(total, np.nan), where=n_answers > 0
        )[:, : models.shape[1]]
        signed = np.hstack([combination, average, models]) - truth
        return np.abs(signed), signed
    votes = np.array([(models == k).sum(axis=1) for k in range(len(classes))]).T
    tied = votes == votes.max(axis=1, keepdims=True)
    right = np.take_along_axis(tied, truth.astype(int), axis=1)
    average = (right / tied.sum(axis=1, keepdims=True))[:, : models.shape[1]]
    wrong = 1.0 - np.hstack([combination == truth, average, models == truth])
    wrong[:, 2:][np.isnan(models)] = np.nan
    # With two classes, an error on the second is a vote for the first.
    return wrong, wrong * (1 - 2 * truth if len(classes) == 2 else np.nan)
