"""Tables of votes from a folder; their names are read, not known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ..black_box.classification.votes import prepare
from ..black_box.data import Table, read_tables
from ..black_box.task import Family
from .case import Case, Trial

__all__ = ["PREFIXES", "cases"]

PREFIXES = ("helm", "text", "crowd")
MOST_ROWS = 2000  # of a table in one draw, so that large tables take no longer


def cases(folder: Path, names: Sequence[str] = ("",)) -> list[Case]:
    """Return the tables whose prefix is known and whose name starts as asked."""
    families = [Family(prefix, prepare) for prefix in PREFIXES]
    return [
        Case(table.name, table.family, partial(trial, table))
        for table in read_tables(folder, families, names)
    ]


def trial(table: Table, n_labels: int, seed: int) -> Trial:
    """Draw rows, label some of them at random, and predict all others."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(table.y))[:MOST_ROWS]
    labelled, others = rows[:n_labels], rows[n_labels:]
    return Trial(
        P=table.P[labelled],
        y=table.y[labelled],
        unlabeled=table.P[others],
        test=table.P[others],
        truth=table.y[others],
        n_classes=int(table.domain),
        seed=seed,
    )
