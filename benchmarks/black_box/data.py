"""Tables of predictions from a folder, and the split that the protocol fixes.

Every table whose name starts with the prefix of a family is read; no name is known
here. What becomes of odd and missing answers is the family's affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from .task import Array, Family

__all__ = ["Pair", "Table", "alone", "read_tables", "transfers"]

LABEL, GROUP = "label", "group_"
TEST_SIZE = 0.8


@dataclass(frozen=True)
class Table:
    """One file.

    Attributes
    ----------
    family : its prefix.
    P, y : prepared predictions (n, M) and labels, in file order.
    pool, test : the rows that can be labelled, and those that are predicted.
    domain, counts : see `Prepared`.
    """

    name: str
    family: str
    models: tuple[str, ...]
    P: Array
    y: Array
    pool: Array
    test: Array
    domain: Any
    counts: Mapping[str, int]

    @property
    def unlabeled(self) -> Array:
        """The predictions of the test items."""
        return self.P[self.test]

    @property
    def truth(self) -> Array:
        """The labels of the test items."""
        return self.y[self.test]

    def columns(self, models: Sequence[str]) -> Table:
        """Return the table with these models alone, in this order."""
        P = self.P[:, [self.models.index(model) for model in models]]
        return replace(self, models=tuple(models), P=P)


@dataclass(frozen=True)
class Pair:
    """Where labels are drawn (the pool of ``source``) and what is predicted."""

    source: Table
    target: Table


def read_tables(
    folder: Path, families: Iterable[Family], prefixes: Sequence[str] = ("",)
) -> list[Table]:
    """Read the tables of some families, of these only names with certain prefixes."""
    return [
        read(path, family)
        for family in families
        for path in sorted(folder.glob(f"{family.prefix}_*.csv"))
        if path.stem.startswith(tuple(prefixes))
    ]


def read(path: Path, family: Family) -> Table:
    # Only an empty cell is a missing answer: "NA" or "nan" would be a broken file.
    frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    models = [c for c in frame if c != LABEL and not c.startswith(GROUP)]
    y = frame[LABEL].to_numpy(float)
    if np.isnan(y).any():
        raise ValueError(f"{path}: row {np.isnan(y).argmax()} has no label")
    rows = np.arange(len(y))
    pool, test = train_test_split(rows, test_size=TEST_SIZE, random_state=0)
    made = family.prepare(frame[models].to_numpy(float), y, pool)
    return Table(
        path.stem,
        family.prefix,
        tuple(models),
        made.P,
        made.y,
        pool,
        test,
        made.domain,
        made.counts,
    )


def alone(tables: Iterable[Table]) -> list[Pair]:
    """Return each table as its own source."""
    return [Pair(table, table) for table in tables]


def transfers(tables: Sequence[Table]) -> list[Pair]:
    """Pair each table ``prefix_VENUEYEAR`` with another year of its venue, if any.

    The source is the nearest earlier year, else the nearest later one. Models are
    matched by name, and those that both years have are kept.
    """
    parts = [re.fullmatch(r"(.+?)(\d{4})", table.name) for table in tables]
    dated = [
        (match[1], int(match[2]), table)
        for match, table in zip(parts, tables, strict=True)
        if match
    ]
    pairs = []
    for venue, year, target in dated:
        others = [
            (other > year, abs(other - year), source)
            for name, other, source in dated
            if name == venue and other != year
        ]
        if others:
            source = min(others, key=lambda found: found[:2])[2]
            models = [model for model in target.models if model in source.models]
            if models:
                pairs.append(Pair(source.columns(models), target.columns(models)))
    return pairs
