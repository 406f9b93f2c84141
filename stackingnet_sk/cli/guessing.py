"""What the columns of a table are, where nobody has said so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stackingnet_sk.cli.cells import MISSING, Cells, trimmed, with_numbers
from stackingnet_sk.cli.writing import is_text
from stackingnet_sk.datasets import PredictionTable, from_wide

_LABELS = (
    "label",
    "labels",
    "truth",
    "ground truth",
    "ground_truth",
    "gold",
    "target",
    "y",
    "y_true",
)
_ITEMS = ("id", "index", "item", "task", "row", "key", "uid", "uuid", "unnamed: 0", "")
# More columns than this are hardly models, and more whole numbers hardly classes.
_MOST_MODELS = 1000
_MOST_CLASSES = 7


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
    classes : sequence of str
        All classes, as they are written; empty to find them.
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
    classes: Sequence[str] = ()
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
            ignore=list(self.ignored),
            missing=["", *with_numbers(self.missing or ())],
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
    nested = [own.name for own in table.schema if pa.types.is_nested(own.type)]
    for name in nested:
        if name in (*given.models, label):
            raise ValueError(
                f"Column {name!r} has lists or objects; a cell is a number or a text."
            )
    candidates = list(given.models) or [name for name in names if name not in taken]
    if not given.models and len(candidates) > _MOST_MODELS:
        raise ValueError(
            f"{len(candidates)} columns would be models; name them with --use, or "
            "leave others out with --ignore. Is the table transposed?"
        )
    # from_wide names the nearest to what is missing.
    there = [name for name in (*candidates, label) if name in names]
    cells = {str(name): Cells.of(table.column(name)) for name in there}
    decimal = given.decimal
    if decimal is None:
        decimal, sentence = guess_decimal(cells.values())
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
        models, sentences = _models(answers, truth, task, nested)
        if not models:
            reasons = " ".join(["No column is left for a model.", *sentences])
            raise ValueError(f"{reasons} The task is {task} (--task).")
        said += sentences
    if task == "classification":
        said += _same_but_for_case(answers, truth, models)
    found = replace(given, label=label, models=models, missing=missing, task=task)
    return replace(found, decimal=decimal, said=said)


def _markers(cells: dict[str, Cells]) -> tuple[list[str], list[str]]:
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


def guess_decimal(columns: Iterable[Cells]) -> tuple[str, list[str]]:
    """Tell commas from points.

    Parameters
    ----------
    columns : iterable of Cells
        What may be numbers.

    Returns
    -------
    decimal : {".", ","}
    said : list of str
        What was guessed, if it was.
    """
    texts = [column.values for column in columns if is_text(column.values)]

    def some(pattern: str) -> bool:
        found = (pc.any(pc.match_substring_regex(cells, pattern)) for cells in texts)
        return any(one.as_py() for one in found)

    # 1,234 is more than a thousand to some.
    if some(r"^[+-]?\d*\.\d+$") or not some(r"^[+-]?\d*,(\d{1,2}|\d{4,})$"):
        return ".", []
    return ",", ["Decimals: behind commas (--decimal)."]


def _task(answers: dict[str, Cells], truth: Cells | None) -> tuple[str, str]:
    """Tell numbers from classes."""
    what = "answers"
    columns = [column for column in answers.values() if column.numeric == 1]
    if truth is not None and truth.total:
        # A few that are none are mistakes, which are named later.
        if truth.numeric < 0.5:
            _refuse_adorned([truth])
            return "classification", "labels are texts"
        what = "labels and answers"
        columns = [truth, *columns]
    elif 2 * sum(column.numeric > 0 for column in answers.values()) < len(answers):
        _refuse_adorned(answers.values())
        return "classification", "answers are texts"
    values: set[Any] = set()
    for column in columns:
        if len(column.values) > 50:
            return "regression", f"{what} are numbers"
        values |= column.classes
    # What is no number is named when it is read, and what is infinite.
    numbers = [v for v in values if isinstance(v, (int, float)) and isfinite(v)]
    if any(value != round(value) for value in numbers):
        return "regression", f"{what} are numbers"
    known = sorted(int(value) for value in numbers)
    from_zero = bool(known) and known[0] == 0 and known[-1] < _MOST_CLASSES
    if known in ([-1, 1], [1, 2]) or from_zero:
        listed = ", ".join(map(str, known[:6])) + (", ..." if len(known) > 6 else "")
        return "classification", f"{what} are {listed}"
    return "regression", f"{what} are whole numbers, too many for classes or not from 0"


def _refuse_adorned(columns: Iterable[Cells]) -> None:
    """Refuse numbers with units and the like, which would pass for classes."""
    for column in columns:
        texts = column.values.cast(pa.string())
        adorned = pc.match_substring_regex(texts, r"^\W*\d[\d.,\s]*(/\s*\d+)?\W*$")
        if len(texts) > _MOST_CLASSES and pc.mean(adorned).as_py() > 0.9:
            raise ValueError(
                f"{texts[0].as_py()!r} and the like seem to be numbers; write them "
                "plainly, without units, or insist on classes (--task classification)."
            )


def _models(
    answers: dict[str, Cells], truth: Cells | None, task: str, nested: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Leave out columns that are no model's, and say why."""
    left: dict[str, list[str]] = {}
    models = []
    classes = set() if truth is None else truth.classes
    for name, column in answers.items():
        lower = name.strip().lower()
        votes = task == "classification"
        if name in nested:
            left.setdefault("have lists or objects", []).append(name)
        elif not column.total:
            left.setdefault("are empty", []).append(name)
        elif lower in _ITEMS or lower.endswith("_id"):
            left.setdefault("name items", []).append(name)
        elif lower.startswith("group_"):
            left.setdefault("are groups (--group)", []).append(name)
        elif not votes and not column.numeric:
            left.setdefault("hold no number", []).append(name)
        elif votes and classes and not classes & column.classes:
            left.setdefault("name no class of the labels", []).append(name)
        elif votes and column.total > 3 and column.never_twice:
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


def _same_but_for_case(
    answers: dict[str, Cells], truth: Cells | None, models: Sequence[str]
) -> list[str]:
    columns = [answers[name] for name in models if name in answers]
    columns += [] if truth is None else [truth]
    texts = {str(value) for column in columns for value in column.classes}
    alike: dict[str, list[str]] = {}
    for text in sorted(texts):
        alike.setdefault(text.casefold(), []).append(text)
    return [
        f"{' and '.join(map(repr, own))} are different classes; write them alike if "
        "they are one."
        for own in alike.values()
        if len(own) > 1
    ]
