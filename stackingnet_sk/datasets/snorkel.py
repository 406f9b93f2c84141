"""Label matrices in which -1 abstains."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stackingnet_sk.datasets.frames import labels_or_none, make_frame, open_frame, pack
from stackingnet_sk.datasets.prediction_table import PredictionTable

ABSTAIN = -1


def from_snorkel(L: Any, y: ArrayLike | None = None) -> PredictionTable:
    """Read a label matrix of Snorkel's labeling functions.

    Parameters
    ----------
    L : array-like or frame of shape (n_items, n_functions)
        Classes 0, 1, ... that the functions vote for; -1 where one abstains.
    y : array-like of shape (n_items,), default=None
        Classes of the items; -1 on items without.

    Returns
    -------
    PredictionTable
        `X` has NaN where a function abstains, and is a frame if `L` is one.

    Raises
    ------
    ImportError
        If `L` is a frame and narwhals is not installed.
    ValueError
        If a vote is no whole number from -1 on, with its row and column, or `y` has
        another length.

    Examples
    --------
    >>> from stackingnet_sk.datasets import from_snorkel
    >>> table = from_snorkel([[0, -1], [1, 1], [-1, 0]], y=[0, 1, -1])
    >>> table.X
    array([[ 0., nan],
           [ 1.,  1.],
           [nan,  0.]])
    >>> table.y.tolist()
    [0, 1, None]
    """
    opened = open_frame(L) if hasattr(L, "columns") else None
    votes = np.asarray(L if opened is None else opened.to_numpy())
    if votes.ndim != 2:
        raise ValueError(
            "A label matrix has one row per item and one column per function; this "
            f"array has {votes.ndim} dimensions."
        )
    votes = _abstained(votes, "Row {}, column {} of L")
    labels = None
    if y is not None:
        classes = _abstained(np.asarray(y).reshape(-1, 1), "Row {} of y")[:, 0]
        if len(classes) != len(votes):
            raise ValueError(f"L has {len(votes)} rows and y has {len(classes)}.")
        labels = labels_or_none(
            pack([None if np.isnan(v) else int(v) for v in classes])
        )
    if opened is None:
        return PredictionTable(votes, labels)
    columns = {name: votes[:, m] for m, name in enumerate(opened.columns)}
    return PredictionTable(make_frame(columns, opened.implementation), labels)


def _abstained(votes: NDArray[Any], where: str) -> NDArray[np.float64]:
    """Put NaN where -1 stands; refuse what is no class."""
    try:
        numbers = votes.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Votes are whole numbers, -1 where none: {error}.") from None
    wrong = ~(numbers >= ABSTAIN) | (numbers != np.rint(numbers)) | np.isinf(numbers)
    if wrong.any():
        place = np.argwhere(wrong)[0]
        raise ValueError(
            f"{where.format(*place)} is {numbers[tuple(place)]:g}; a vote is a class "
            "0, 1, ... or -1 where a function abstains."
        )
    return np.where(numbers == ABSTAIN, np.nan, numbers)
