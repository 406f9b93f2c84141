"""Groups of rows: which columns there are, and whose each row is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.predictions.labels import as_array, is_labelled


def group_columns(features: Any, rows: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Read the groups of rows.

    Parameters
    ----------
    features : array-like of shape (n_samples,) or (n_samples, n_columns), or dict
        Groups, a column or several.
    rows : ndarray of bool of shape (n_samples,)
        Rows that need one.

    Returns
    -------
    dict of str to ndarray of str of shape (n_samples,)
        Group of each row, by the name of the column.

    Raises
    ------
    ValueError
        If lengths differ, a row has no group, or two columns have the same name.
    """
    if isinstance(features, dict) or hasattr(features, "columns"):
        names = list(getattr(features, "columns", features))
        if len(set(names)) < len(names):
            raise ValueError(f"Column names are not unique: {names}; rename one.")
        given = {name: features[name] for name in names}
    else:
        array = as_array(features)
        given = {getattr(features, "name", None) or "group": array}
        if array.ndim == 2:
            given = {f"group_{j}": column for j, column in enumerate(array.T)}
    texts = {}
    for name, column in given.items():
        values = as_array(column)
        if values.shape != rows.shape:
            raise ValueError(f"{name!r} has shape {values.shape}, y {rows.shape}.")
        own = np.array([str(value).strip() for value in values.tolist()], dtype=object)
        missing = rows & (~is_labelled(values) | (own == ""))
        if missing.any():
            raise ValueError(
                f"{name!r} has no group at row {missing.argmax()} ({missing.sum()} in "
                "all); drop such rows, or name their group, as 'unknown'."
            )
        texts[str(name)] = own
    return texts
