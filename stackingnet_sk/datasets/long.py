"""Tables with one row per answer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk._missing import is_missing
from stackingnet_sk.datasets.frames import (
    as_values,
    labels_or_none,
    make_frame,
    open_frame,
    pack,
    refuse_mixed,
    require_columns,
)
from stackingnet_sk.datasets.prediction_table import PredictionTable

Name = Hashable
# crowd-kit's names of the columns.
CROWD_KIT = {"item": "task", "model": "worker", "answer": "label"}


def from_long(
    frame: Any,
    *,
    item: Name | None = None,
    model: Name | None = None,
    answer: Name | None = None,
    label: Name | Mapping[Any, Any] | None = None,
    groups: Sequence[Name] = (),
    aggregate: str | Callable[[list[Any]], Any] | None = None,
) -> PredictionTable:
    """Read a frame with one row per answer.

    Parameters
    ----------
    frame : frame
        Of pandas, polars or pyarrow.
    item, model, answer : name, default=None
        Columns with the item that is answered, the model that answers and what it says.
        Without all three, crowd-kit's "task", "worker" and "label".
    label : name or mapping, default=None
        Column with the label of the row's item, or a mapping (a pandas series with the
        items as index) from item to label. Items need not have one.
    groups : sequence of names, default=()
        Columns with groups that items belong to.
    aggregate : {"mean", "median", "most_frequent", "first", "last"} or callable, \
default=None
        What to make of several answers of a model for an item: a callable gets their
        list, in the order of the rows. Where several are "most_frequent" the answer is
        missing. Missing answers do not count. By default several are an error.

    Returns
    -------
    PredictionTable
        Items and models in the order in which they occur; what nobody answered is
        missing. `X` is a frame of the same library.

    Raises
    ------
    ImportError
        If narwhals is not installed.
    TypeError
        If `frame` is none.
    ValueError
        If a column is missing, a row names no item or no model, a model answers an item
        twice without `aggregate`, an item has two labels or two groups, or answers are
        numbers and texts.

    See Also
    --------
    from_wide : From one column per model.

    Examples
    --------
    >>> import pandas as pd
    >>> from stackingnet_sk.datasets import from_long
    >>> frame = pd.DataFrame(
    ...     {
    ...         "task": ["q1", "q1", "q2", "q2", "q3"],
    ...         "worker": ["ann", "bob", "ann", "bob", "ann"],
    ...         "label": ["yes", "no", "no", "no", "yes"],
    ...     }
    ... )
    >>> table = from_long(frame, label={"q1": "yes"})
    >>> table
    3 items x 2 models, 1 labelled
    >>> table.X["bob"].isna().tolist()
    [False, False, True]
    >>> table.items.tolist(), table.y.tolist()
    (['q1', 'q2', 'q3'], ['yes', None, None])
    """
    combine = _aggregator(aggregate)
    opened = open_frame(frame)
    given = {"item": item, "model": model, "answer": answer}
    if all(name is None for name in given.values()):
        given = dict(CROWD_KIT)
    for what, name in given.items():
        if name is None:
            raise ValueError(f"Name the column of the {what}s: {what}=.")
        require_columns(opened, [name], f"{what}=")
    groups = [groups] if isinstance(groups, str) else list(groups)
    require_columns(opened, groups, "a group")
    items, rows = _number(opened[given["item"]], "item")
    models, columns = _number(opened[given["model"]], "model")
    answers = opened[given["answer"]].to_list()
    refuse_mixed(given["answer"], answers)
    if aggregate in ("mean", "median"):
        _refuse_texts(given["answer"], answers, aggregate)
    table = _fill((items, models), rows, columns, answers, combine)
    labels = None
    if label is not None and not isinstance(label, Hashable):
        if not hasattr(label, "get"):
            raise ValueError(
                "label= is the name of a column, or a mapping from items to labels; "
                f"this is a {type(label).__name__}."
            )
        labels = pack([_label_of(label, name) for name in items])
    elif label is not None:
        require_columns(opened, [label], "the label")
        labels = _of_items(opened[label], items, rows, "labels")
    names = list(map(str, models))
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"Two models are called {twice[0]!r} as a text; rename one.")
    group_values = {
        str(name): _of_items(opened[name], items, rows, "groups") for name in groups
    }
    backend = opened.implementation
    return PredictionTable(
        make_frame({name: table[:, m] for m, name in enumerate(names)}, backend),
        None if labels is None else labels_or_none(labels),
        pack(items),
        make_frame(group_values, backend) if group_values else None,
    )


def _number(column: Any, what: str) -> tuple[list[Any], NDArray[np.intp]]:
    """Give what occurs in a column numbers, in that order."""
    codes: dict[Any, int] = {}
    values = column.to_list()
    for row, value in enumerate(values):
        if is_missing(value):
            raise ValueError(
                f"Row {row} has no {what} in column {column.name!r}; fill it in or "
                "drop the row."
            )
        codes.setdefault(value, len(codes))
    numbers = np.fromiter((codes[value] for value in values), np.intp, len(values))
    return list(codes), numbers


def _fill(
    names: tuple[list[Any], list[Any]],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    answers: list[Any],
    combine: Callable[[list[Any]], Any] | None,
) -> NDArray[Any]:
    """Lay answers out, an item a row and a model a column."""
    items, models = names
    given = np.array([not is_missing(answer) for answer in answers], dtype=bool)
    cells = rows * len(models) + columns
    # Two missing answers for one cell do not contradict each other.
    counts = np.bincount(cells[given], minlength=len(items) * len(models))
    several = np.flatnonzero(counts > 1)
    if len(several) and combine is None:
        listed = [
            f"({items[cell // len(models)]!r}, {models[cell % len(models)]!r})"
            for cell in several[:5]
        ]
        more = f" and {len(several) - 5} more" if len(several) > 5 else ""
        raise ValueError(
            f"Several answers for {len(several)} pairs of item and model: "
            f"{', '.join(listed)}{more}. Drop them, or say what to make of them in "
            "aggregate=."
        )
    filled = np.empty(len(counts), dtype=object)
    values = np.empty(len(answers), dtype=object)
    values[:] = answers
    filled[cells[given]] = values[given]
    if combine is not None:
        lists: dict[int, list[Any]] = {int(cell): [] for cell in several}
        for row in np.flatnonzero(given & (counts[cells] > 1)):
            lists[int(cells[row])].append(answers[row])
        for cell, several_answers in lists.items():
            filled[cell] = combine(several_answers)
    table = filled.reshape(len(items), len(models))
    numeric = all(
        isinstance(value, (int, float, np.number)) or value is None for value in filled
    )
    return table.astype(np.float64) if numeric else table


def _aggregator(
    aggregate: str | Callable[[list[Any]], Any] | None,
) -> Callable[[list[Any]], Any] | None:
    if aggregate is None or callable(aggregate):
        return aggregate
    aggregators: dict[str | None, Callable[[list[Any]], Any]] = {
        "mean": np.mean,
        "median": np.median,
        "most_frequent": _most_frequent,
        "first": lambda values: values[0],
        "last": lambda values: values[-1],
    }
    if aggregate not in aggregators:
        raise ValueError(
            f"aggregate={aggregate!r} is none of {list(aggregators)}, nor a callable."
        )
    return aggregators[aggregate]


def _refuse_texts(name: Name, answers: list[Any], aggregate: object) -> None:
    for row, answer in enumerate(answers):
        if isinstance(answer, str):
            raise ValueError(
                f"aggregate={aggregate!r} is of numbers, and column {name!r} has the "
                f"text {answer!r} in row {row}; read numbers, or take 'most_frequent'."
            )


def _most_frequent(values: list[Any]) -> Any:
    counts = {value: values.count(value) for value in values}
    most = [value for value in counts if counts[value] == max(counts.values())]
    return most[0] if len(most) == 1 else None


def _label_of(labels: Any, item: Any) -> Any:
    label = labels.get(item)
    return None if is_missing(label) else label


def _of_items(
    column: Any, items: list[Any], rows: NDArray[np.intp], what: str
) -> NDArray[Any]:
    """Find the one value of each item, from the rows where it is given."""
    by_item: list[Any] = [None] * len(items)
    for row, value in zip(rows, as_values(column).tolist(), strict=True):
        if is_missing(value):
            continue
        if by_item[row] is not None and by_item[row] != value:
            raise ValueError(
                f"Item {items[row]!r} has two {what} in column {column.name!r}: "
                f"{by_item[row]!r} and {value!r}."
            )
        by_item[row] = value
    return pack(by_item)
