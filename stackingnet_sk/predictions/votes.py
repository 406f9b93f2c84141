"""Tables of votes and of class probabilities."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk._missing import are_missing
from stackingnet_sk.predictions.answers import SUM_TOLERANCE

# The code of a missing vote.
ABSTAINS = -1


@dataclass(frozen=True, eq=False)
class ClassAnswers:
    """The answer of each model on each row: a vote, or class probabilities.

    Parameters
    ----------
    votes : ndarray of int of shape (n_rows, n_models)
        Index of the class voted for, -1 where a model abstains. A model with
        probabilities votes for the most probable class, and abstains if several are
        equally probable.
    probabilities : ndarray of shape (n_rows, n_models, n_classes) or None
        Class probabilities, if the models give them. They sum to one over the classes,
        or are zero where they are missing.
    """

    votes: NDArray[np.signedinteger]
    probabilities: NDArray[np.float64] | None = None

    @classmethod
    def from_probabilities(cls, table: NDArray[np.float64]) -> ClassAnswers:
        """Derive votes from checked probabilities, which are zero where missing."""
        votes = table.argmax(axis=2)
        largest = table == table.max(axis=2, keepdims=True, initial=0.0)
        votes[(largest.sum(axis=2) != 1) | ~np.any(table, axis=2)] = ABSTAINS
        return cls(votes, table)

    def take(self, rows: NDArray[Any]) -> ClassAnswers:
        """Restrict to some rows, given by indices or a mask."""
        table = self.probabilities
        return ClassAnswers(self.votes[rows], None if table is None else table[rows])

    @property
    def given(self) -> NDArray[np.bool_]:
        """Whether a model answers, of shape (n_rows, n_models)."""
        if self.probabilities is None:
            return self.votes >= 0
        given: NDArray[np.bool_] = np.any(self.probabilities, axis=2)
        return given

    @property
    def sure(self) -> bool:
        """Whether all answers are votes, or probabilities that are all 0 or 1."""
        table = self.probabilities
        return table is None or bool(((table == 0.0) | (table == 1.0)).all())

    def vectors(self, n_classes: int) -> NDArray[np.float64]:
        """Probabilities of shape (n_rows, n_models, n_classes), or one-hot votes."""
        if self.probabilities is not None:
            return self.probabilities
        one_hot = np.vstack([np.eye(n_classes), np.zeros(n_classes)])
        vectors: NDArray[np.float64] = one_hot[self.votes]
        return vectors


def encode_votes(
    table: NDArray[Any], classes: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Replace votes by the indices of their classes, which are sorted.

    NaN, None and pandas' NA abstain. The first result is -1 where a model abstains or
    votes for something that is not a class; the second is True in the latter case. Both
    have the shape of the table, (n_rows, n_models).
    """
    numbers = "biuf"
    kinds = {table.dtype.kind, classes.dtype.kind}
    if kinds <= set(numbers) or kinds == {"U"}:
        index = np.searchsorted(classes, table).astype(np.int32)
        np.minimum(index, len(classes) - 1, out=index)
        is_class = classes[index] == table
        unknown = ~(is_class | are_missing(table))
    else:
        index_of = {label: k for k, label in enumerate(classes.tolist())}
        cells = table.ravel().tolist()
        try:
            flat = _look_up(index_of, cells)
        except TypeError:
            flat = _look_up(index_of, [_hashable(cell) for cell in cells])
        index = flat.reshape(table.shape)
        is_class = index >= 0
        unknown = ~is_class
        unknown[unknown] = ~are_missing(table[unknown])
    return np.where(is_class, index, np.int32(ABSTAINS)), unknown


def code_texts(X: Any) -> tuple[NDArray[Any], NDArray[np.int32]] | None:
    """Replace the texts of an Arrow table by codes.

    This takes a tenth of the time of reading each text. Returns the sorted texts, with
    None as the last, and their indices in the table, of shape (n_rows, n_models).
    Returns None for anything but an Arrow table of texts.
    """
    if not type(X).__module__.startswith("pyarrow") or not hasattr(X, "num_columns"):
        return None
    import pyarrow as pa

    if not all(pa.types.is_string(kind) for kind in X.schema.types):
        return None
    columns = [pa.chunked_array(column).combine_chunks() for column in X.columns]
    coded = [column.dictionary_encode() for column in columns]
    dictionaries = [column.dictionary.to_pylist() for column in coded]
    texts = sorted(set().union(*dictionaries))
    code_of = {text: code for code, text in enumerate(texts)}
    codes = np.empty((len(X), len(dictionaries)), dtype=np.int32)
    for m, (column, names) in enumerate(zip(coded, dictionaries, strict=True)):
        recoded = np.array([*(code_of[name] for name in names), len(texts)], np.int32)
        codes[:, m] = recoded[column.indices.fill_null(len(names)).to_numpy()]
    return np.array([*texts, None], dtype=object), codes


def _look_up(index_of: dict[Any, int], cells: list[Any]) -> NDArray[np.int32]:
    """Look up the index of each cell's class, -1 if it has none."""
    codes = map(index_of.get, cells, repeat(ABSTAINS))
    return np.fromiter(codes, dtype=np.int32, count=len(cells))


def _hashable(cell: Any) -> Any:
    """Replace a cell that cannot be hashed, and so is no class, by None."""
    try:
        hash(cell)
    except TypeError:
        return None
    return cell


def classes_of_votes(table: NDArray[Any]) -> NDArray[Any]:
    """List the distinct votes, sorted; NaN, None and pandas' NA abstain.

    Raises a ValueError if there is no vote, or if votes are both texts and numbers.
    """
    if table.dtype.kind == "f":
        votes = np.unique(table)
        votes = votes[np.isfinite(votes)]
    else:
        votes = table[~are_missing(table)]
    if not votes.size:
        raise ValueError("No model votes on any row; give at least one vote.")
    return sorted_classes(votes, "the votes")


def sorted_classes(labels: NDArray[Any], what: str) -> NDArray[Any]:
    """List the distinct labels, none of which is missing, in order.

    Raises a ValueError, which names the labels `what`, if they are both texts and
    numbers or cannot be sorted.
    """
    if labels.dtype.kind == "O":
        kinds = {isinstance(label, str) for label in labels.tolist()}
        if len(kinds) > 1:
            text = next(x for x in labels.tolist() if isinstance(x, str))
            other = next(x for x in labels.tolist() if not isinstance(x, str))
            raise ValueError(
                f"Classes must be all texts or all numbers, but {what} have both "
                f"{text!r} and {other!r}; convert one kind."
            )
        try:
            return np.array(sorted(set(labels.tolist())))
        except TypeError as error:
            raise ValueError(f"Classes cannot be sorted in {what}: {error}.") from None
    return np.unique(labels)


def check_probabilities(
    table: NDArray[np.float64], names: Sequence[str] | NDArray[np.object_]
) -> NDArray[np.float64]:
    """Check probabilities, which are missing where all classes of a model are NaN.

    Returns them with zeros where missing: a copy, or the same array if nothing is
    missing. Raises a ValueError, which names the model and the row, if some are
    negative, infinite, missing for some classes only, or do not sum to one within 1e-6.
    """
    missing = np.isnan(table)
    no_answer = np.all(missing, axis=2)
    with np.errstate(invalid="ignore"):
        invalid = ~(np.abs(table.sum(axis=2) - 1.0) <= SUM_TOLERANCE)
        invalid |= ~(table >= 0).all(axis=2)
    invalid &= ~no_answer
    if invalid.any():
        row, column = (int(indices[0]) for indices in invalid.nonzero())
        values = table[row, column]
        if np.isnan(values).any():
            problem = "miss some classes; give all of them, or NaN for all"
        elif not (values >= 0).all() or np.isinf(values).any():
            problem = "are not between 0 and 1"
        else:
            problem = f"sum to {values.sum():.9g}; divide them by their sum"
        raise ValueError(
            f"The probabilities of model {names[column]!r} at row {row}, "
            f"{values.tolist()}, {problem} ({np.count_nonzero(invalid)} such in all)."
        )
    return np.where(no_answer[:, :, None], 0.0, table) if no_answer.any() else table


def names_of_blocks(columns: Sequence[str], n_classes: int) -> list[str] | None:
    """Name models by the common prefix of the names of their classes' columns.

    Columns are sorted by model, `n_classes` for each. Returns None if the columns of a
    model have no common prefix, or if two models have the same.
    """
    blocks = [
        columns[start : start + n_classes]
        for start in range(0, len(columns), n_classes)
    ]
    # Compare names letter by letter, not as parts of paths.
    common = [os.path.commonprefix(list(block)) for block in blocks]  # noqa: RUF071
    names = [name.rstrip(" _-.:/([") for name in common]
    return names if all(names) and len(set(names)) == len(names) else None
