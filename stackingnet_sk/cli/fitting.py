"""From a file to a fitted model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.pipeline import make_pipeline

from stackingnet_sk import (
    PredictionClipper,
    StackingNetClassifier,
    StackingNetRegressor,
)
from stackingnet_sk.cli.cells import trimmed, without_markers
from stackingnet_sk.cli.guessing import Roles
from stackingnet_sk.cli.writing import is_text
from stackingnet_sk.datasets import PredictionTable, from_long

# With so many labels it is no coincidence that a model has them all right.
_SURELY = 20
# Interquartile ranges of all answers, from their median.
_FAR = 10
# Fewer items that all models answer rank nobody.
_FEWEST_COMPLETE = 10
# Fewer labels than this say little of anything.
_ROUGH = 10
# Of all answers that name a class without a label; labels that would show it.
_LEAST_SHARE = 0.02
_SURELY_SHOWN = 8
# Spreads of a model, of the median one.
_SCALES = 10


class TableClipper(PredictionClipper):
    """A clipper that hands on the names of the models."""

    def transform(self, X: Any) -> Any:
        """Clip answers.

        Parameters
        ----------
        X : pyarrow.Table
            Answers, a column a model.

        Returns
        -------
        pyarrow.Table
        """
        return pa.table(list(super().transform(X).T), names=X.column_names)


@dataclass(frozen=True)
class Long:
    """Columns of a table with a row an answer."""

    item: str
    model: str
    answer: str
    aggregate: str | None = None

    def widen(self, table: pa.Table, given: Roles) -> pa.Table:
        """Give each model a column.

        Parameters
        ----------
        table : pyarrow.Table
            A row an answer.
        given : Roles
            What is known of the other columns.

        Returns
        -------
        pyarrow.Table
            A row an item.
        """
        label, groups = given.label, list(given.groups)
        cells = without_markers(trimmed(table, given.decimal), given.missing)
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
        for name in wide.X.column_names:
            columns[name] = wide.X.column(name)
        if label is not None and wide.y is not None:
            columns[label] = pa.array(wide.y.tolist())
        for name in groups:
            columns[name] = wide.groups.column(name)
        n_columns = 1 + len(wide.models) + (label is not None) + len(groups)
        if len(columns) < n_columns:
            raise ValueError("A model has the name of another column; rename it.")
        return pa.table(columns)

    def _with_numbers(self, cells: pa.Table) -> pa.Table:
        """Read answers as numbers if they are; else what is none is named later."""
        if self.answer not in cells.column_names:
            return cells
        place = cells.column_names.index(self.answer)
        try:
            numbers = cells.column(place).cast(pa.float64())
        except pa.ArrowInvalid:
            return cells
        return cells.set_column(place, self.answer, numbers)


@dataclass(frozen=True)
class Fitted:
    """A table, its roles and the model fitted on it.

    Attributes
    ----------
    table : pyarrow.Table
        Cells as they are in the file; of a long one, laid out.
    data : PredictionTable
        As it was read.
    roles : Roles
        What the columns are.
    model : estimator
        The combination, behind a clipper where a range is given.
    """

    table: pa.Table
    data: PredictionTable
    roles: Roles
    model: Any

    @property
    def estimator(self) -> Any:
        """The combination alone."""
        return final_step(self.model)

    @property
    def answers(self) -> Any:
        """What the combination gets to see."""
        return seen_by_final_step(self.model, self.data.X)


def final_step(model: Any) -> Any:
    """Return the combination, without what clips before it.

    Parameters
    ----------
    model : estimator
        One, or a pipeline that ends in one.

    Returns
    -------
    estimator
    """
    return model[-1] if hasattr(model, "steps") else model


def seen_by_final_step(model: Any, X: Any) -> Any:
    """Clip answers if the model does.

    Parameters
    ----------
    model : estimator
        One, or a pipeline that ends in one.
    X : frame
        Answers.

    Returns
    -------
    frame or ndarray
    """
    return model[:-1].transform(X) if hasattr(model, "steps") else X


def build(
    task: str | None,
    *,
    low: float | None = None,
    high: float | None = None,
    constraint: str = "nonnegative",
    balanced: bool = False,
    classes: Sequence[Any] | None = None,
) -> Any:
    """Make the estimator that the options describe.

    Parameters
    ----------
    task : {"regression", "classification"}
        What is combined.
    low, high : float, default=None
        Range of numbers.
    constraint : str, default="nonnegative"
        Set of the weights of numbers.
    balanced : bool, default=False
        Whether all classes count the same.
    classes : sequence, default=None
        All classes, where labels do not show them.

    Returns
    -------
    estimator

    Raises
    ------
    ValueError
        If an option has no meaning for the task.
    """
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
    # A side that is open does not clip; None would learn it from the data.
    clipper = TableClipper(
        -np.inf if low is None else low, np.inf if high is None else high
    )
    return make_pipeline(clipper, combination)


def fit(table: pa.Table, roles: Roles, **options: Any) -> Fitted:
    """Fit the combination on all items.

    Parameters
    ----------
    table : pyarrow.Table
        Cells as they are, a row an item.
    roles : Roles
        What the columns are.
    **options : object
        For `build`.

    Returns
    -------
    Fitted
        What `roles` say has grown.
    """
    data = roles.read(table)
    said = list(roles.said)
    classes: Any = roles.classes
    if roles.task == "classification":
        classes, sentences = _all_classes(data, roles.classes)
        said += sentences
    if data.y is None:
        said.append("No item has a label: models are weighed by their agreement.")
    model = build(roles.task, classes=classes, **options).fit(data.X, data.y)
    fitted = Fitted(table, data, roles, model)
    return replace(fitted, roles=replace(roles, said=said + _doubts(fitted)))


def comparable(fitted: Fitted) -> tuple[pa.Table | None, Any, list[str]]:
    """Take items on which models can be compared.

    Parameters
    ----------
    fitted : Fitted
        A table and its model.

    Returns
    -------
    answers : pyarrow.Table or None
        What the combination gets to see; of numbers where all models answer. None if
        there are too few such items.
    labels : ndarray or None
        Of these items.
    said : list of str
        What was left out.
    """
    answers, labels = fitted.answers, fitted.data.y
    if fitted.roles.task == "classification":
        return answers, labels, []
    missing = np.isnan(np.array(answers.columns, dtype=np.float64))
    complete = np.all(~missing, axis=0)
    n_complete, n_items = np.count_nonzero(complete), len(answers)
    if n_complete == n_items:
        return answers, labels, []
    on = f"{n_complete} of {n_items} items"
    if n_complete < _FEWEST_COMPLETE:
        return None, None, [f"No intervals: all models answer on only {on}."]
    kept = None if labels is None else labels[complete]
    return (
        answers.filter(pa.array(complete)),
        kept,
        [f"Ranked on the {on} that all models answer."],
    )


def _doubts(fitted: Fitted) -> list[str]:
    """Say what looks like a mistake."""
    data, said = fitted.data, []
    numbers = fitted.roles.task == "regression"
    if len(data.models) == 1:
        said.append(
            f"There is one model, {data.models[0]!r}. Of a long table, a row an "
            "answer, name the columns: --item, --model, --answer."
        )
    if 0 < data.n_labelled < _ROUGH:
        said.append(
            f"Of {data.n_labelled} labels weights and errors are rough; some more are "
            "worth much."
        )
    if not numbers and data.y is not None and len(fitted.estimator.classes_) == 1:
        said.append(
            f"Every label is {data.y[data.labelled][0]!r}: other classes can't be told "
            "from it; name them all with --class."
        )
    if numbers and data.y is None:
        said += _different_scales(data)
    if data.n_labelled >= _SURELY:
        known = pa.array(data.labelled)
        labels = np.asarray(data.y)[data.labelled].tolist()
        said += [
            f"Model {name!r} agrees with the label in all {data.n_labelled} items that "
            "have one; leave it out if it is one too (--ignore)."
            for name in data.models
            if data.X.column(name).filter(known).to_pylist() == labels
        ]
    if numbers and fitted.model is fitted.estimator:
        answers = np.array(data.X.columns, dtype=np.float64)
        low, middle, high = np.nanquantile(answers, [0.25, 0.5, 0.75])
        away = abs(answers - middle)
        far = np.count_nonzero(away > _FAR * (high - low))
        if far and high > low:
            place = np.unravel_index(np.nanargmax(away), away.shape)
            said.append(
                f"Far from all others: {far} of {answers.size} answers, such as "
                f"{answers[place]:g} of {data.models[place[0]]!r}; clip them if they "
                "can't be true (--low, --high)."
            )
    return said


def _different_scales(data: PredictionTable) -> list[str]:
    """Without labels models that spread more than others look as if they knew more."""
    with np.errstate(invalid="ignore"):
        answers = np.array(data.X.columns, dtype=np.float64)
    spread = np.nanstd(answers, axis=1)
    usual = float(np.median(spread))
    far = np.flatnonzero(spread > _SCALES * usual) if usual > 0 else ()
    return [
        f"{data.models[m]!r} spreads {spread[m] / usual:.0f} times as much "
        "as models do: is it a prediction of the same kind (--ignore)?"
        for m in far
    ]


def _all_classes(data: PredictionTable, named: Sequence[str]) -> tuple[Any, list[str]]:
    """Find the classes, as they were read; and a word on those that no label shows.

    What half of the models say, in a share of their answers at which so few labels may
    miss it, is a class; if labels would have shown it, it is none.
    """
    if named:
        texts = any(is_text(column) for column in data.X.columns)
        return list(named) if texts else [_as_number(name) for name in named], []
    if data.y is None:
        return None, []
    known = set(data.y[data.labelled].tolist())
    shares: Counter[Any] = Counter()
    voters: Counter[Any] = Counter()
    for column in data.X.columns:
        votes = column.drop_null()
        values, counts = pc.value_counts(votes).flatten()
        for value, count in zip(values.to_pylist(), counts.to_pylist(), strict=True):
            # Not NaN, which parses from texts.
            if value == value:
                shares[_as_read(value)] += count
                voters[_as_read(value)] += 1
    total = sum(shares.values())
    unseen = [
        value
        for value, count in shares.items()
        if value not in known
        and 2 * voters[value] >= len(data.models)
        and count >= _LEAST_SHARE * total
        and count * data.n_labelled < _SURELY_SHOWN * total
    ]
    if not unseen:
        return None, []
    every = sorted({*known, *unseen}, key=str)
    new = ", ".join(sorted(repr(str(value)) for value in unseen))
    return every, [
        f"Classes: {', '.join(map(str, every))}; no label is {new}, yet models say so "
        "(--class, or --missing if it is no answer)."
    ]


def _as_read(value: Any) -> Any:
    """Return a number as labels are read: as a whole one where it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _as_number(name: str) -> Any:
    try:
        return _as_read(float(name))
    except ValueError:
        return name
