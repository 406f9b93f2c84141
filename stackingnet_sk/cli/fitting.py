"""From cells to a fitted model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.pipeline import make_pipeline

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.cli.cells import (
    MISSING,
    as_class,
    is_missing,
    trimmed,
    without_missing,
)
from stackingnet_sk.cli.clipper import TableClipper
from stackingnet_sk.cli.guesses import Guesses
from stackingnet_sk.cli.guessing import Roles
from stackingnet_sk.cli.writing import is_text
from stackingnet_sk.datasets import PredictionTable, from_long

# From this number of labels on, a model that has all of them right is suspicious.
_SURELY = 20
# Interquartile ranges between the median of all answers and one that is far off.
_FAR = 10
# With fewer labels, weights and errors are rough.
_ROUGH = 10
# A class without any label is mentioned if it has at least this share of the answers,
# and if fewer than this number of labels of it would be expected.
_LEAST_SHARE = 0.02
_SURELY_SHOWN = 8
# Without labels, a model whose spread is this many times the median spread is
# suspicious.
_SCALES = 10


@dataclass(frozen=True)
class Long:
    """Columns of a table with one row per answer."""

    item: str
    model: str
    answer: str
    aggregate: str | None = None

    def widen(self, table: pa.Table, given: Roles) -> pa.Table:
        """Give each model a column and each item a row."""
        label, groups = given.label, list(given.groups)
        cells = trimmed(table, given.decimal)
        markers = MISSING if given.missing is None else given.missing
        cells = without_missing(cells, markers, cells.column_names)
        if self.aggregate in ("mean", "median"):
            cells = self._with_numbers(cells)
        wide = from_long(
            cells,
            item=self.item,
            model=self.model,
            answer=self.answer,
            label=label,
            groups=groups,
            aggregate=self.aggregate,
        )
        columns = {self.item: pa.array(np.asarray(wide.items).tolist())}
        columns |= dict(zip(wide.X.column_names, wide.X.columns, strict=True))
        if label is not None and wide.y is not None:
            columns[label] = pa.array(wide.y.tolist())
        for name in groups:
            columns[name] = wide.groups.column(name)
        n_columns = 1 + len(wide.models) + (label is not None) + len(groups)
        if len(columns) < n_columns:
            raise ValueError("A model has the name of another column; rename it.")
        return pa.table(columns)

    def _with_numbers(self, cells: pa.Table) -> pa.Table:
        """Read answers as numbers if all are; from_long names those that are not."""
        try:
            place = cells.column_names.index(self.answer)
            numbers = cells.column(place).cast(pa.float64())
        except ValueError:
            # There is no such column, or a cell is not a number (ArrowInvalid).
            return cells
        return cells.set_column(place, self.answer, numbers)


@dataclass(frozen=True)
class Fitted:
    """A model and the table that it is fitted on (a long one laid out wide)."""

    table: pa.Table
    data: PredictionTable
    roles: Roles
    model: Any
    guesses: list[str]

    @property
    def estimator(self) -> Any:
        """The combination alone."""
        return final_step(self.model)


def final_step(model: Any) -> Any:
    """Return the combination, without what clips before it."""
    return model[-1] if hasattr(model, "steps") else model


def build(
    task: str | None,
    *,
    low: float | None = None,
    high: float | None = None,
    constraint: str = "nonnegative",
    balanced: bool = False,
    classes: Sequence[Any] | None = None,
) -> Any:
    """Make the estimator that the options describe; refuse those of another task."""
    if low is not None and high is not None and not low < high:
        raise ValueError(f"--low {low:g} is not below --high {high:g}.")
    ranged = low is not None or high is not None
    if task == "classification":
        if ranged or constraint != "nonnegative":
            raise ValueError(
                "--low, --high and --constraint are for numbers; this is "
                "classification (--task)."
            )
        return StackingNetClassifier(
            classes=classes,
            class_weight="balanced" if balanced else None,
        )
    if balanced or classes:
        option = "--balanced" if balanced else "--class"
        raise ValueError(f"{option} is for classes; this is regression (--task).")
    combination = StackingNetRegressor(constraint=constraint)
    if not ranged:
        return combination
    # Infinity does not clip; None would take the limit from the data.
    clipper = TableClipper(
        -np.inf if low is None else low, np.inf if high is None else high
    )
    return make_pipeline(clipper, combination)


def fit(table: pa.Table, roles: Roles, guesses: Guesses, **options: Any) -> Fitted:
    """Fit the combination, with options for `build`, on all items of a table."""
    data = roles.read(table)
    classes: Any = roles.classes
    if roles.task == "classification":
        classes = _all_classes(data, roles.classes, guesses)
    if data.y is None:
        guesses.add("No item has a label: models are weighed by their agreement.")
    model = build(roles.task, classes=classes, **options).fit(data.X, data.y)
    fitted = Fitted(table, data, roles, model, guesses.sentences)
    for warning in _warnings(fitted):
        guesses.add(warning)
    return fitted


def _warnings(fitted: Fitted) -> Iterator[str]:
    """Name what looks like a mistake."""
    data = fitted.data
    numbers = fitted.roles.task == "regression"
    if len(data.models) == 1:
        yield (
            f"There is one model, {data.models[0]!r}. Of a long table, a row an "
            "answer, name the columns: --item, --model, --answer."
        )
    if 0 < data.n_labelled < _ROUGH:
        yield (
            f"Of {data.n_labelled} labels weights and errors are rough; some more are "
            "worth much."
        )
    if not numbers and data.y is not None and len(fitted.estimator.classes_) == 1:
        yield (
            f"Every label is {data.y[data.labelled][0]!r}: other classes can't be told "
            "from it; name them all with --class."
        )
    if numbers and data.y is None:
        yield from _different_scales(data)
    if data.n_labelled >= _SURELY:
        yield from _copies_of_the_label(data)
    if numbers and fitted.model is fitted.estimator:
        yield from _far_answers(data)


def _copies_of_the_label(data: PredictionTable) -> Iterator[str]:
    labelled = pa.array(data.labelled)
    labels = np.asarray(data.y)[data.labelled].tolist()
    for name in data.models:
        if data.X.column(name).filter(labelled).to_pylist() == labels:
            yield (
                f"Model {name!r} agrees with the label in all {data.n_labelled} items "
                "that have one; leave it out if it is one too (--ignore)."
            )


def _far_answers(data: PredictionTable) -> Iterator[str]:
    answers = np.array(data.X.columns, dtype=np.float64)
    low, middle, high = np.nanquantile(answers, [0.25, 0.5, 0.75])
    distance = abs(answers - middle)
    n_far = np.count_nonzero(distance > _FAR * (high - low))
    if n_far and high > low:
        model, item = np.unravel_index(np.nanargmax(distance), distance.shape)
        yield (
            f"Far from all others: {n_far} of {answers.size} answers, such as "
            f"{answers[model, item]:g} of {data.models[model]!r}; clip them if they "
            "can't be true (--low, --high)."
        )


def _different_scales(data: PredictionTable) -> Iterator[str]:
    """Name models that spread more: without labels, they seem to know more."""
    with np.errstate(invalid="ignore"):
        answers = np.array(data.X.columns, dtype=np.float64)
    spread = np.nanstd(answers, axis=1)
    usual = float(np.median(spread))
    for m in np.flatnonzero(spread > _SCALES * usual) if usual > 0 else ():
        yield (
            f"{data.models[m]!r} spreads {spread[m] / usual:.0f} times as much "
            "as models do: is it a prediction of the same kind (--ignore)?"
        )


def _all_classes(data: PredictionTable, named: Sequence[str], guesses: Guesses) -> Any:
    """List all classes, as they were read, or None where labels show them all.

    A value that no label shows is a class if half of the models answer it, in a share
    of their answers that so few labels may miss.
    """
    if named:
        texts = any(is_text(column) for column in data.X.columns)
        return list(named) if texts else [_as_read(as_class(name)) for name in named]
    if data.y is None:
        return None
    shown = set(data.y[data.labelled].tolist())
    n_answers: Counter[Any] = Counter()
    n_models: Counter[Any] = Counter()
    for column in data.X.columns:
        votes = column.filter(pc.invert(is_missing(column, ())))
        values, counts = pc.value_counts(votes).flatten()
        for value, count in zip(values.to_pylist(), counts.to_pylist(), strict=True):
            n_answers[_as_read(value)] += count
            n_models[_as_read(value)] += 1
    total = sum(n_answers.values())
    unseen = [
        value
        for value, count in n_answers.items()
        if value not in shown
        and 2 * n_models[value] >= len(data.models)
        and count >= _LEAST_SHARE * total
        and count * data.n_labelled < _SURELY_SHOWN * total
    ]
    if not unseen:
        return None
    classes = sorted({*shown, *unseen}, key=str)
    new = ", ".join(sorted(repr(str(value)) for value in unseen))
    listed = ", ".join(map(str, classes))
    guesses.add(
        f"Classes: {listed}; no label is {new}, yet models say so",
        "--class, or --missing if it is no answer",
    )
    return classes


def _as_read(value: Any) -> Any:
    """Return a number as labels are read: as a whole one where it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
