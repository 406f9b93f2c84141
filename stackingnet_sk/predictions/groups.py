"""Groups of rows: the columns of groups, and the group of each row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.predictions.labels import as_array, is_labelled


def group_columns(features: Any, rows: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Read the group of each row, by the name of the column of groups.

    `features` is one column or several: an array, a frame, or a dict of columns. The
    groups are texts, in arrays of shape (n_samples,). `rows` is a mask of the rows that
    need a group. Raises a ValueError if lengths differ, if one of these rows has no
    group, or if two columns have the same name.
    """
    if isinstance(features, dict) or hasattr(features, "columns"):
        names = list(getattr(features, "columns", features))
        if len(set(names)) < len(names):
            raise ValueError(f"Column names are not unique: {names}; rename one.")
        columns = {name: features[name] for name in names}
    else:
        array = as_array(features)
        columns = {getattr(features, "name", None) or "group": array}
        if array.ndim == 2:
            columns = {f"group_{j}": column for j, column in enumerate(array.T)}
    texts = {}
    for name, column in columns.items():
        values = as_array(column)
        if values.shape != rows.shape:
            raise ValueError(f"{name!r} has shape {values.shape}, y {rows.shape}.")
        names_of_groups = [str(value).strip() for value in values.tolist()]
        groups = np.array(names_of_groups, dtype=object)
        missing = rows & (~is_labelled(values) | (groups == ""))
        if missing.any():
            raise ValueError(
                f"{name!r} has no group at row {missing.argmax()} ({missing.sum()} in "
                "all); drop such rows, or name their group, as 'unknown'."
            )
        texts[str(name)] = groups
    return texts
