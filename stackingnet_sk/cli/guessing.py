"""What the columns of a table are, where nobody has said so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stackingnet_sk.cli.writing import NUMBER, is_text
from stackingnet_sk.datasets import PredictionTable, from_wide

MISSING = ("NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A")
_LABELS = ("label", "labels", "truth", "ground_truth", "gold", "target", "y_true")
_ITEMS = ("id", "index", "item", "task", "row", "key", "uid", "uuid", "unnamed: 0", "")
# More columns than this are hardly models.
_MOST_MODELS = 1000
_COMMA = r"^([+-]?\d*),(\d+)$"


@dataclass(frozen=True)
class Roles:
    """What is known of the columns.

    Attributes
    ----------
    label, item : str or None
        Columns of the labels and of the names of items.
    groups, models, ignored : sequence of str
        Columns of groups, of models (all others where there is none), of neither.
    missing : sequence of str or None
        What stands for no answer besides an empty cell; None to look for usual markers.
    decimal : {".", ","} or None
        What separates the decimals of a number.
    task : {"regression", "classification"} or None
        Whether answers are numbers or classes.
    said : list of str
        What was guessed, a sentence a guess, with the option that decides otherwise.
    """

    label: str | None = None
    item: str | None = None
    groups: Sequence[str] = ()
    models: Sequence[str] = ()
    ignored: Sequence[str] = ()
    missing: Sequence[str] | None = None
    decimal: str | None = None
    task: str | None = None
    said: list[str] = field(default_factory=list)

    def read(self, table: pa.Table) -> PredictionTable:
        """Read the table in these roles.

        Parameters
        ----------
        table : pyarrow.Table
            Cells as they are in the file.

        Returns
        -------
        PredictionTable
        """
        return from_wide(
            trimmed(table, self.decimal),
            label=self.label,
            models=list(self.models),
            item=self.item,
            groups=list(self.groups),
            missing=["", *(self.missing or ())],
            task=self.task,  # type: ignore[arg-type]
        )


def guess_roles(table: pa.Table, given: Roles, *, no_label: bool = False) -> Roles:
    """Guess what was not given.

    Parameters
    ----------
    table : pyarrow.Table
        Cells as they are in the file.
    given : Roles
        What was.
    no_label : bool, default=False
        Whether no column is the label.

    Returns
    -------
    Roles
        With all models named.

    Raises
    ------
    ValueError
        If no column is left for a model, or far too many are.
    """
    said = list(given.said)
    names = table.column_names
    named = {*given.groups, *given.models, *given.ignored, given.item}
    label = given.label
    if label is None and not no_label:
        label = next(
            (n for n in names if n.lower() in _LABELS and n not in named), None
        )
        if label is not None:
            said.append(f"Labels: column {label!r} (--label, --no-label).")
    taken = {*given.groups, *given.ignored, label, given.item}
    candidates = list(given.models) or [name for name in names if name not in taken]
    if not given.models and len(candidates) > _MOST_MODELS:
        raise ValueError(
            f"{len(candidates)} columns would be models; name them with --use, or "
            "leave others out with --ignore. Is the table transposed?"
        )
    # from_wide names the nearest to what is missing.
    there = [name for name in (*candidates, label) if name in names]
    cells = {str(name): _Cells.of(table.column(name)) for name in there}
    decimal = given.decimal
    if decimal is None:
        decimal, sentence = _decimal(cells.values())
        said += sentence
    cells = {name: column.with_points(decimal) for name, column in cells.items()}
    missing = given.missing
    if missing is None:
        missing, sentence = _markers(cells)
        said += sentence
    cells = {name: column.without(["", *missing]) for name, column in cells.items()}
    answers = {name: cells[name] for name in candidates if name in cells}
    truth = cells.get(label) if label is not None else None
    task = given.task
    if task is None:
        task, reason = _task(answers, truth)
        said.append(f"Task: {task}, as {reason} (--task).")
    models = candidates
    if not given.models:
        models, sentences = _models(answers, truth, task)
        said += sentences
    if not models:
        raise ValueError(
            "No column is left for a model; name them with --use"
            + (", or another --task." if given.task else ".")
        )
    found = replace(given, label=label, models=models, missing=missing, task=task)
    found = replace(found, decimal=decimal)
    return replace(found, said=said)


def trimmed(table: pa.Table, decimal: str | None = None) -> pa.Table:
    """Leave out the blanks around texts.

    Parameters
    ----------
    table : pyarrow.Table
        Any.
    decimal : {".", ","}, default=None
        What separates the decimals of a number; points do afterwards.

    Returns
    -------
    pyarrow.Table
    """
    columns = [
        _with_points(pc.utf8_trim_whitespace(column), decimal)
        if is_text(column)
        else column
        for column in map(_plain, table.columns)
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _plain(column: Any) -> Any:
    """Take categories and truth values for the texts that they are."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()) if pa.types.is_boolean(column.type) else column


def _with_points(column: Any, decimal: str | None) -> Any:
    if decimal != ",":
        return column
    return pc.replace_substring_regex(column, _COMMA, r"\1.\2")


@dataclass(frozen=True)
class _Cells:
    """What differs in a column, and how often it is there."""

    values: Any
    counts: Any

    @classmethod
    def of(cls, column: Any) -> _Cells:
        values, counts = pc.value_counts(_plain(column)).flatten()
        return cls(
            pc.utf8_trim_whitespace(values) if is_text(values) else values, counts
        )

    def with_points(self, decimal: str) -> _Cells:
        """Write numbers with points."""
        if not is_text(self.values):
            return self
        return replace(self, values=_with_points(self.values, decimal))

    def without(self, missing: Collection[str]) -> _Cells:
        """Leave out what is no answer."""
        given = self.values.is_valid()
        if is_text(self.values):
            marks = pa.array(list(missing), self.values.type)
            given = pc.and_(given, pc.invert(pc.is_in(self.values, value_set=marks)))
        elif pa.types.is_floating(self.values.type):
            given = pc.and_kleene(given, pc.invert(pc.is_nan(self.values)))
        return _Cells(self.values.filter(given), self.counts.filter(given))

    @property
    def total(self) -> int:
        return int(pc.sum(self.counts).as_py() or 0)

    @property
    def never_twice(self) -> bool:
        return bool(len(self.values) == self.total)

    @cached_property
    def numeric(self) -> float:
        """Share of numbers."""
        kind = self.values.type
        if not is_text(self.values):
            return float(pa.types.is_integer(kind) or pa.types.is_floating(kind))
        if not len(self.values):
            return 0.0
        try:
            self.values.cast(pa.float64())
        except pa.ArrowInvalid:
            numbers = pc.match_substring_regex(self.values, NUMBER)
            return float(
                (pc.sum(self.counts.filter(numbers)).as_py() or 0) / self.total
            )
        return 1.0

    @cached_property
    def classes(self) -> set[Any]:
        return {_value(value) for value in self.values.to_pylist()}


def _markers(cells: dict[str, _Cells]) -> tuple[list[str], list[str]]:
    """Find usual markers of missing answers."""
    found: Counter[str] = Counter()
    for column in cells.values():
        if is_text(column.values):
            marks = pa.array(MISSING, column.values.type)
            marked = pc.is_in(column.values, value_set=marks)
            values = column.values.filter(marked).to_pylist()
            for value, count in zip(values, column.counts.filter(marked), strict=True):
                found[value] += count.as_py()
    if not found:
        return [], []
    listed = ", ".join(f"{mark!r} ({n} cells)" for mark, n in sorted(found.items()))
    return sorted(found), [f"Missing, besides empty cells: {listed} (--missing)."]


def _decimal(columns: Iterable[_Cells]) -> tuple[str, list[str]]:
    """Tell commas from points."""
    texts = [column.values for column in columns if is_text(column.values)]

    def some(pattern: str) -> bool:
        found = (pc.any(pc.match_substring_regex(cells, pattern)) for cells in texts)
        return any(one.as_py() for one in found)

    # 1,234 is more than a thousand to some.
    if some(r"^[+-]?\d*\.\d+$") or not some(r"^[+-]?\d*,(\d{1,2}|\d{4,})$"):
        return ".", []
    return ",", ["Decimals: behind commas (--decimal)."]


def _task(answers: dict[str, _Cells], truth: _Cells | None) -> tuple[str, str]:
    """Tell numbers from classes."""
    what = "answers"
    columns = [column for column in answers.values() if column.numeric == 1]
    if truth is not None and truth.total:
        if truth.numeric < 1:
            return "classification", "labels are texts"
        what = "labels and answers"
        columns = [truth, *columns]
    elif 2 * sum(column.numeric > 0 for column in answers.values()) < len(answers):
        return "classification", "answers are texts"
    values: set[Any] = set()
    for column in columns:
        if len(column.values) > 50:
            return "regression", f"{what} are numbers"
        values |= column.classes
    if any(value != round(value) for value in values):
        return "regression", f"{what} are numbers"
    known = sorted(int(value) for value in values)
    if known in ([-1, 1], [1, 2]) or (known and known[0] == 0 and known[-1] <= 20):
        listed = ", ".join(map(str, known[:6])) + (", ..." if len(known) > 6 else "")
        return "classification", f"{what} are {listed}"
    return "regression", f"{what} are whole numbers that do not count from 0"


def _models(
    answers: dict[str, _Cells], truth: _Cells | None, task: str
) -> tuple[list[str], list[str]]:
    """Leave out columns that are no model's, and say why."""
    left: dict[str, list[str]] = {}
    models = []
    classes = set() if truth is None else truth.classes
    for name, column in answers.items():
        lower = name.strip().lower()
        votes = task == "classification"
        if not column.total:
            left.setdefault("are empty", []).append(name)
        elif (lower in _ITEMS or lower.endswith("_id")) and column.never_twice:
            left.setdefault("name items", []).append(name)
        elif lower.startswith("group_"):
            left.setdefault("are groups (--group)", []).append(name)
        elif not votes and not column.numeric:
            left.setdefault("hold no number", []).append(name)
        elif votes and classes and not classes & column.classes:
            left.setdefault("name no class of the labels", []).append(name)
        elif votes and column.total > 50 and column.never_twice:
            left.setdefault("never say the same twice", []).append(name)
        else:
            models.append(name)
    said = [
        f"Left out, as they {why}: {', '.join(own)} (--use)."
        for why, own in left.items()
    ]
    for name in models:
        if name.lower() in _LABELS:
            said.append(f"Column {name!r} is taken for a model (--ignore).")
    return models, said


def _value(cell: Any) -> Any:
    """Take "1" and "1.0" for the same class."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return cell
