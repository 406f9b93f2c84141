"""The groups of test items that a table names, a grouping a column ``group_*``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..black_box.data import GROUP, Table
from ..black_box.task import Array

__all__ = ["FEWEST", "read_groups"]

FEWEST = 20  # test items: a largest gap is mostly that of smaller groups


def read_groups(folder: Path, table: Table) -> dict[str, Array]:
    """Return each grouping of the test items; "" where an item has no such group."""
    frame = pd.read_csv(
        folder / f"{table.name}.csv",
        usecols=lambda column: column.startswith(GROUP),
        dtype=str,
        keep_default_na=False,
    )
    groupings = {}
    for name in frame:
        own = frame[name].str.strip().to_numpy(str)[table.test]
        groups, inverse, sizes = np.unique(own, return_inverse=True, return_counts=True)
        kept = (sizes >= FEWEST) & (groups != "")
        if kept.sum() > 1:
            groupings[name] = np.where(kept[inverse], own, "")
    return groupings
