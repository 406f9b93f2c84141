"""What the columns of a table are, where nobody has said so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import pyarrow as pa
import pyarrow.compute as pc

from stackingnet_sk._task import numbers_or_classes
from stackingnet_sk.cli.cells import MISSING, Cells, trimmed, without_missing
from stackingnet_sk.cli.guesses import Guesses
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
# Columns from which a table seems to be transposed.
_MOST_MODELS = 1000
# Whole numbers 0, 1, ... up to this many seem to be classes.
_MOST_CLASSES = 7
# A column with more distinct numbers than this is not looked at closer.
_MOST_VALUES = 50


@dataclass(frozen=True)
class Roles:
    """What is known of the columns; None and empty where it is to be guessed."""

    label: str | None = None
    item: str | None = None
    groups: Sequence[str] = ()
    models: Sequence[str] = ()
    ignored: Sequence[str] = ()
    # Texts that mark a missing answer, besides empty cells.
    missing: Sequence[str] | None = None
    decimal: str | None = None
    # All classes, as they are written.
    classes: Sequence[str] = ()
    task: str | None = None

    def read(self, table: pa.Table) -> PredictionTable:
        """Read the table in these roles."""
        cells = trimmed(table, self.decimal)
        return from_wide(
            without_missing(cells, self.missing or (), {*self.models, self.label}),
            label=self.label,
            models=list(self.models),
            item=self.item,
            groups=list(self.groups),
            ignore=list(self.ignored),
            task=self.task,  # type: ignore[arg-type]
        )


def guess_roles(
    table: pa.Table, given: Roles, guesses: Guesses, *, no_label: bool = False
) -> Roles:
    """Guess the roles that were not given, all models by name among them.

    A ValueError is raised if no column is left for a model, or far too many are.
    """
    names = table.column_names
    label = given.label if no_label else _label(names, given, guesses)
    taken = {*given.groups, *given.ignored, label, given.item}
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
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
    # from_wide reports a name that no column has, and offers the nearest.
    cells = {
        str(name): Cells.of(table.column(name))
        for name in (*candidates, label)
        if name in names
    }
    decimal = given.decimal or guess_decimal(cells.values(), guesses)
    cells = {name: column.with_points(decimal) for name, column in cells.items()}
    missing = _markers(cells, guesses) if given.missing is None else given.missing
    cells = {name: column.given(missing) for name, column in cells.items()}
    answers = {name: cells[name] for name in candidates if name in cells}
    truth = cells.get(label) if label is not None else None
    task = given.task
    if task is None:
        task, reason = _task(answers, truth)
        guesses.add(f"Task: {task}, as {reason}", "--task")
    models = candidates
    if not given.models:
        models = _models(answers, truth, task, nested, guesses)
    if task == "classification":
        _tell_same_but_for_case(answers, truth, models, guesses)
    return replace(
        given, label=label, models=models, missing=missing, task=task, decimal=decimal
    )


def _label(names: Sequence[str], given: Roles, guesses: Guesses) -> str | None:
    """Find the column of the labels by its name."""
    if given.label is not None:
        return given.label
    named = {*given.groups, *given.models, *given.ignored, given.item}
    label = next((n for n in names if n.lower() in _LABELS and n not in named), None)
    if label is not None:
        guesses.add(f"Labels: column {label!r}", "--label, --no-label")
    return label


def _markers(cells: dict[str, Cells], guesses: Guesses) -> list[str]:
    """Find the usual markers of missing answers."""
    counts: Counter[str] = Counter()
    for column in cells.values():
        counts.update(column.count_texts(MISSING))
    if counts:
        marks = (f"{mark!r} ({n} cells)" for mark, n in sorted(counts.items()))
        guesses.add(f"Missing, besides empty cells: {', '.join(marks)}", "--missing")
    return sorted(counts)


def guess_decimal(columns: Iterable[Cells], guesses: Guesses) -> str:
    """Tell whether a comma or a point separates the decimals of numbers."""
    texts = [column.values for column in columns if is_text(column.values)]

    def some(pattern: str) -> bool:
        return any(
            pc.any(pc.match_substring_regex(cells, pattern)).as_py() for cells in texts
        )

    # 1,234 is more than a thousand to some.
    if some(r"^[+-]?\d*\.\d+$") or not some(r"^[+-]?\d*,(\d{1,2}|\d{4,})$"):
        return "."
    guesses.add("Decimals: behind commas", "--decimal")
    return ","


def _task(answers: dict[str, Cells], truth: Cells | None) -> tuple[str, str]:
    """Guess the task from labels and answers, with the reason."""
    what = "answers"
    columns = [column for column in answers.values() if column.numeric == 1]
    if truth is not None and truth.total:
        # A few labels that are not numbers are mistakes, which are reported later.
        if truth.numeric < 0.5:
            _refuse_adorned([truth])
            return "classification", "labels are texts"
        what = "labels and answers"
        columns = [truth, *columns]
    elif 2 * sum(column.numeric > 0 for column in answers.values()) < len(answers):
        _refuse_adorned(answers.values())
        return "classification", "answers are texts"
    if any(len(column.values) > _MOST_VALUES for column in columns):
        return "regression", f"{what} are numbers"
    # Texts among numbers, and infinite numbers, are reported when the table is read.
    numbers = sorted(
        value
        for value in set().union(*(column.classes for column in columns))
        if isinstance(value, (int, float)) and isfinite(value)
    )
    task = numbers_or_classes(numbers) if numbers else None
    if task == "regression":
        return task, f"{what} are numbers"
    # The command guesses where whole numbers may be ratings or classes.
    if task is None and not (
        numbers and numbers[0] == 0 and numbers[-1] < _MOST_CLASSES
    ):
        return (
            "regression",
            f"{what} are whole numbers, too many for classes or not from 0",
        )
    more = ", ..." if len(numbers) > 6 else ""
    listed = ", ".join(f"{number:.0f}" for number in numbers[:6])
    return "classification", f"{what} are {listed}{more}"


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
    answers: dict[str, Cells],
    truth: Cells | None,
    task: str,
    nested: Sequence[str],
    guesses: Guesses,
) -> list[str]:
    """Leave out the columns that are no models, and say why."""
    left_out: dict[str, list[str]] = {}
    models = []
    for name, column in answers.items():
        reason = "have lists or objects" if name in nested else None
        if reason := reason or _no_model(name, column, truth, task):
            left_out.setdefault(reason, []).append(name)
        else:
            models.append(name)
    reasons = [
        f"Left out, as they {reason}: {', '.join(names)}"
        for reason, names in left_out.items()
    ]
    if not models:
        listed = " ".join(f"{reason} (--use)." for reason in reasons)
        raise ValueError(
            f"No column is left for a model. {listed} The task is {task} (--task)."
        )
    for reason in reasons:
        guesses.add(reason, "--use")
    for name in models:
        if name.lower() in _LABELS:
            guesses.add(f"Column {name!r} is taken for a model", "--ignore")
    return models


def _no_model(name: str, column: Cells, truth: Cells | None, task: str) -> str | None:
    """Say why a column is no model, or None if it is one."""
    lower, classes = name.strip().lower(), set() if truth is None else truth.classes
    if not column.total:
        return "are empty"
    if lower in _ITEMS or lower.endswith("_id"):
        return "name items"
    if lower.startswith("group_"):
        return "are groups (--group)"
    if task != "classification":
        return None if column.numeric else "hold no number"
    if classes and not classes & column.classes:
        return "name no class of the labels"
    if column.total > 3 and column.never_twice:
        return "never say the same twice"
    return None


def _tell_same_but_for_case(
    answers: dict[str, Cells],
    truth: Cells | None,
    models: Sequence[str],
    guesses: Guesses,
) -> None:
    columns = [answers[name] for name in models if name in answers]
    columns += [] if truth is None else [truth]
    texts = {str(value) for column in columns for value in column.classes}
    alike: dict[str, list[str]] = {}
    for text in sorted(texts):
        alike.setdefault(text.casefold(), []).append(text)
    for spellings in alike.values():
        if len(spellings) > 1:
            guesses.add(
                f"{' and '.join(map(repr, spellings))} are different classes; write "
                "them alike if they are one."
            )
