"""Tables with one column per model."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.datasets.frames import (
    as_values,
    labels_or_none,
    open_frame,
    pack,
    refuse_mixed,
    require_columns,
)
from stackingnet_sk.datasets.prediction_table import PredictionTable

Name = Hashable
Task = Literal["regression", "classification"]
# Neither 007 nor numbers with more digits than a double holds.
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,14})(\.0+)?$")


def from_wide(
    frame: Any,
    *,
    label: Name | None = None,
    models: Sequence[Name] | None = None,
    item: Name | None = None,
    groups: Sequence[Name] = (),
    ignore: Sequence[Name] = (),
    missing: Collection[Any] = (),
    task: Task | None = None,
) -> PredictionTable:
    """Read a frame with one row per item and one column per model.

    Parameters
    ----------
    frame : frame
        Of pandas, polars or pyarrow.
    label : name, default=None
        Column of the labels, empty where there is none.
    models : sequence of names, default=None
        Columns of the models; all that are nothing else by default.
    item : name, default=None
        Column with the names of the items.
    groups : sequence of names, default=()
        Columns with groups that items belong to; never an input.
    ignore : sequence of names, default=()
        Columns that are of no use.
    missing : collection, default=()
        What stands for a missing answer or label, besides NaN and null, such as
        ``["N/A", "refused"]``.
    task : {"regression", "classification"}, default=None
        "regression" reads texts as numbers, and refuses what is none; "classification"
        does so if all answers and labels are numbers, so that "1" and "1.0" are one
        class. By default texts stay texts.

    Returns
    -------
    PredictionTable
        With rows in the order of the frame.

    Raises
    ------
    ImportError
        If narwhals is not installed.
    TypeError
        If `frame` is none.
    ValueError
        If a column is missing, occurs twice or has two roles, a column has numbers and
        texts, there is no model, or a text is no number with ``task="regression"``.

    See Also
    --------
    from_long : From one row per answer.

    Examples
    --------
    >>> import pandas as pd
    >>> from stackingnet_sk.datasets import from_wide
    >>> frame = pd.DataFrame(
    ...     {"a": ["1", "refused", "3"], "b": ["2", "2", "4"], "human": ["1", "", ""]}
    ... )
    >>> table = from_wide(
    ...     frame, label="human", missing=["refused", ""], task="regression"
    ... )
    >>> table
    3 items x 2 models, 1 labelled
    >>> table.X
         a    b
    0  1.0  2.0
    1  NaN  2.0
    2  3.0  4.0
    """
    if task not in (None, "regression", "classification"):
        raise ValueError(f"task={task!r} is neither regression nor classification.")
    opened = open_frame(frame)
    label, item = (None if name is None else str(name) for name in (label, item))
    groups = [groups] if isinstance(groups, str) else list(map(str, groups))
    ignore = [ignore] if isinstance(ignore, str) else list(map(str, ignore))
    roles: dict[str, list[Name]] = {
        "the label": [] if label is None else [label],
        "the items": [] if item is None else [item],
        "a group": groups,
        "ignored": ignore,
    }
    for what, names in roles.items():
        require_columns(opened, names, what)
    taken = {name: what for what, names in roles.items() for name in names}
    if len(taken) < sum(map(len, roles.values())):
        raise ValueError("A column is only one of label, items, groups and ignored.")
    if models is None:
        models = [name for name in opened.columns if name not in taken]
    models = list(map(str, models))
    require_columns(opened, models, "a model")
    for name in models:
        if name in taken:
            raise ValueError(f"Column {name!r} is {taken[name]}, so it is no model.")
    if not models:
        raise ValueError("No column is left for a model.")
    if len(set(models)) < len(models):
        raise ValueError(f"A model is named twice in {models}.")
    answers = opened.select([*models, *roles["the label"]])
    answers = _without(answers, missing)
    if task is not None:
        answers = _read_numbers(answers, strict=task == "regression")
    for name in answers.columns:
        if not _is_typed(answers[name]):
            refuse_mixed(name, answers[name].to_list())
    labels = None if label is None else _as_labels(answers[label], task)
    return PredictionTable(
        answers.select(models).to_native(),
        None if labels is None else labels_or_none(labels),
        None if item is None else as_values(opened[item]),
        opened.select(groups).to_native() if groups else None,
    )


def _without(answers: Any, missing: Collection[Any]) -> Any:
    """Put nulls where a marker stands."""
    if isinstance(missing, str):
        raise ValueError(f"missing= is a list of markers; pass [{missing!r}].")
    if not missing:
        return answers
    import narwhals as nw

    columns = []
    for name in answers.columns:
        markers = _comparable(answers[name], missing)
        if markers:
            marked = nw.col(name).is_in(markers)
            columns.append(nw.when(~marked).then(nw.col(name)).alias(name))
    return answers.with_columns(columns) if columns else answers


def _comparable(column: Any, missing: Collection[Any]) -> list[Any]:
    """Take the markers that a column can have."""
    import narwhals as nw

    if not _is_typed(column):
        return list(missing)
    if column.dtype == nw.String:
        return [marker for marker in missing if isinstance(marker, str)]
    numbers = [marker for marker in missing if isinstance(marker, (int, float))]
    if column.dtype.is_float():
        return [float(number) for number in numbers]
    whole = column.dtype.is_integer()
    return [int(number) for number in numbers if whole and number == int(number)]


def _is_typed(column: Any) -> bool:
    """Tell whether the library vouches for one type in all of a column."""
    import narwhals as nw

    # pandas calls a column of objects a text column if most of its values are texts.
    return column.dtype != nw.Object and not (
        column.implementation.is_pandas() and column.to_native().dtype == object
    )


def _read_numbers(answers: Any, *, strict: bool) -> Any:
    """Read texts as numbers; without `strict` only if all of them are."""
    import narwhals as nw

    columns = []
    for name in answers.columns:
        column = answers[name]
        if column.dtype.is_float() or column.dtype.is_integer():
            continue
        if not strict and not _is_canonical(column):
            return answers
        try:
            columns.append(column.cast(nw.Float64).alias(name))
        except Exception as error:
            # Each library raises another exception for a text that is not a number.
            row, value = _first_text(column.to_list())
            if row is None:
                raise ValueError(
                    f"Column {name!r} of {column.dtype} can't be read as numbers."
                ) from error
            raise ValueError(
                f"Column {name!r} has {value!r} in row {row}, which is no number; name "
                "what stands for a missing answer in missing=, or leave the column out."
            ) from None
    return answers.with_columns(columns) if columns else answers


def _is_canonical(column: Any) -> bool:
    """Tell whether all texts are whole numbers that come back as they were."""
    values = column.drop_nulls().unique().to_list()
    return all(isinstance(value, str) and _WHOLE.match(value) for value in values)


def _first_text(values: list[Any]) -> tuple[int | None, Any]:
    for row, value in enumerate(values):
        try:
            float(np.nan if value is None else value)
        except (TypeError, ValueError):
            return row, value
    return None, None


def _as_labels(column: Any, task: Task | None) -> NDArray[Any]:
    labels = as_values(column)
    if task == "classification" and labels.dtype.kind == "f":
        whole = np.isnan(labels) | (labels == np.rint(labels))
        if whole.all():
            return pack([None if np.isnan(v) else int(v) for v in labels])
    return labels
