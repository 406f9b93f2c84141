"""Tables of votes and of probabilities: what models say about classes."""

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

ABSTAINS = -1


@dataclass(frozen=True, eq=False)
class ClassAnswers:
    """What each model says about each row.

    Parameters
    ----------
    votes : ndarray of int of shape (n_rows, n_models)
        Index of the class voted for, -1 where a model abstains. Of probabilities the
        class of the largest; models that prefer none abstain.
    probabilities : ndarray of shape (n_rows, n_models, n_classes) or None
        Where models gave some: rows sum to one, or are zero where a model is silent.
    """

    votes: NDArray[np.signedinteger]
    probabilities: NDArray[np.float64] | None = None

    @classmethod
    def from_probabilities(cls, table: NDArray[np.float64]) -> ClassAnswers:
        """Read checked probabilities, zeros where a model is silent.

        Parameters
        ----------
        table : ndarray of shape (n_rows, n_models, n_classes)
            Probabilities.

        Returns
        -------
        ClassAnswers
        """
        votes = table.argmax(axis=2)
        largest = table == table.max(axis=2, keepdims=True, initial=0.0)
        votes[(largest.sum(axis=2) != 1) | ~np.any(table, axis=2)] = ABSTAINS
        return cls(votes, table)

    def take(self, rows: NDArray[Any]) -> ClassAnswers:
        """Answers about some of the rows.

        Parameters
        ----------
        rows : ndarray
            Which rows, numbers or a mask.

        Returns
        -------
        ClassAnswers
        """
        table = self.probabilities
        return ClassAnswers(self.votes[rows], None if table is None else table[rows])

    @property
    def given(self) -> NDArray[np.bool_]:
        """Whether a model answers, shape (n_rows, n_models)."""
        if self.probabilities is None:
            return self.votes >= 0
        given: NDArray[np.bool_] = np.any(self.probabilities, axis=2)
        return given

    @property
    def sure(self) -> bool:
        """Whether all answers are votes: none, or all, for each class."""
        table = self.probabilities
        return table is None or bool(((table == 0.0) | (table == 1.0)).all())

    def vectors(self, n_classes: int) -> NDArray[np.float64]:
        """Probabilities, or votes as one at the class voted for.

        Parameters
        ----------
        n_classes : int
            Number of classes.

        Returns
        -------
        ndarray of shape (n_rows, n_models, n_classes)
        """
        if self.probabilities is not None:
            return self.probabilities
        one_hot = np.vstack([np.eye(n_classes), np.zeros(n_classes)])
        vectors: NDArray[np.float64] = one_hot[self.votes]
        return vectors


def encode_votes(
    table: NDArray[Any], classes: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Replace votes by the numbers of their classes.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_models)
        Votes; NaN, None or pandas' NA abstains.
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    votes : ndarray of int of shape (n_rows, n_models)
        -1 where a model abstains or votes for what is no class.
    unknown : ndarray of bool of shape (n_rows, n_models)
        Where it votes for what is no class.
    """
    numbers = "biuf"
    kinds = {table.dtype.kind, classes.dtype.kind}
    if kinds <= set(numbers) or kinds == {"U"}:
        place = np.searchsorted(classes, table).astype(np.int32)
        np.minimum(place, len(classes) - 1, out=place)
        known = classes[place] == table
        unknown = ~(known | are_missing(table))
    else:
        numbered = {label: k for k, label in enumerate(classes.tolist())}
        cells = table.ravel().tolist()
        try:
            flat = _look_up(numbered, cells)
        except TypeError:
            flat = _look_up(numbered, [_hashable(cell) for cell in cells])
        place = flat.reshape(table.shape)
        known = place >= 0
        unknown = ~known
        unknown[unknown] = ~are_missing(table[unknown])
    return np.where(known, place, np.int32(ABSTAINS)), unknown


def code_texts(X: Any) -> tuple[NDArray[Any], NDArray[np.int32]] | None:
    """Code the texts of an Arrow table, which takes a tenth of reading each.

    Parameters
    ----------
    X : object
        Any table.

    Returns
    -------
    texts : ndarray of object of shape (n_texts,)
        Sorted; the last is None.
    codes : ndarray of int of shape (n_rows, n_models)
        Places in `texts`.
    None instead of both, if it is no Arrow table of texts.
    """
    if not type(X).__module__.startswith("pyarrow") or not hasattr(X, "num_columns"):
        return None
    import pyarrow as pa

    if not all(pa.types.is_string(kind) for kind in X.schema.types):
        return None
    columns = [pa.chunked_array(column).combine_chunks() for column in X.columns]
    coded = [column.dictionary_encode() for column in columns]
    own = [each.dictionary.to_pylist() for each in coded]
    texts = sorted(set().union(*own))
    place = {text: code for code, text in enumerate(texts)}
    codes = np.empty((len(X), len(own)), dtype=np.int32)
    for m, (each, names) in enumerate(zip(coded, own, strict=True)):
        places = np.array([*(place[name] for name in names), len(texts)], np.int32)
        codes[:, m] = places[each.indices.fill_null(len(names)).to_numpy()]
    return np.array([*texts, None], dtype=object), codes


def _look_up(numbered: dict[Any, int], cells: list[Any]) -> NDArray[np.int32]:
    codes = map(numbered.get, cells, repeat(ABSTAINS))
    return np.fromiter(codes, dtype=np.int32, count=len(cells))


def _hashable(cell: Any) -> Any:
    try:
        hash(cell)
    except TypeError:
        return None
    return cell


def classes_of_votes(table: NDArray[Any]) -> NDArray[Any]:
    """List the classes that are voted for.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_models)
        Votes; NaN, None or pandas' NA abstains.

    Returns
    -------
    ndarray of shape (n_classes,)
        Sorted.

    Raises
    ------
    ValueError
        If there is no vote, or votes are texts and numbers.
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
    """List the distinct values.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
        None of them missing.
    what : str
        Name of the values, for the error.

    Returns
    -------
    ndarray of shape (n_classes,)
        Sorted.

    Raises
    ------
    ValueError
        If they are texts and numbers, or cannot be sorted.
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
    """Check probabilities; a model whose probabilities are all NaN is silent.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_models, n_classes)
        Probabilities.
    names : sequence of str
        Names of the models.

    Returns
    -------
    ndarray of shape (n_rows, n_models, n_classes)
        A copy with zeros where a model is silent; the caller's array where none is.

    Raises
    ------
    ValueError
        If some are negative, infinite, missing in part, or do not sum to one within
        1e-6; it names the model and the row.
    """
    missing = np.isnan(table)
    silent = np.all(missing, axis=2)
    with np.errstate(invalid="ignore"):
        off = ~(np.abs(table.sum(axis=2) - 1.0) <= SUM_TOLERANCE)
        off |= ~(table >= 0).all(axis=2)
    off &= ~silent
    if off.any():
        row, column = (int(place[0]) for place in off.nonzero())
        values = table[row, column]
        if np.isnan(values).any():
            problem = "miss some classes; give all of them, or NaN for all"
        elif not (values >= 0).all() or np.isinf(values).any():
            problem = "are not between 0 and 1"
        else:
            problem = f"sum to {values.sum():.9g}; divide them by their sum"
        raise ValueError(
            f"The probabilities of model {names[column]!r} at row {row}, "
            f"{values.tolist()}, {problem} ({np.count_nonzero(off)} such in all)."
        )
    return np.where(silent[:, :, None], 0.0, table) if silent.any() else table


def names_of_blocks(columns: Sequence[str], n_classes: int) -> list[str] | None:
    """Name models after what the names of their classes' columns have in common.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns, model-major.
    n_classes : int
        Columns a model.

    Returns
    -------
    list of str or None
        None where the columns of a model have nothing in common, or two models the
        same.
    """
    blocks = [
        columns[start : start + n_classes]
        for start in range(0, len(columns), n_classes)
    ]
    # Letters are to be compared, not parts of paths.
    common = [os.path.commonprefix(list(block)) for block in blocks]  # noqa: RUF071
    names = [name.rstrip(" _-.:/([") for name in common]
    return names if all(names) and len(set(names)) == len(names) else None
