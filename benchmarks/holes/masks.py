"""Which predictions are removed: at random, or where a model is worst.

Holes are independent given a seed, those of a lower rate are among those of a higher
one, and they do not depend on which rows are labelled.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import rankdata

from ..black_box.data import Table
from ..black_box.task import Array

__all__ = ["KINDS", "MOST", "RANDOM", "punch"]

MOST = 50  # percent: beyond it, the worst prediction would be removed more than surely


def uniform(P: Array, y: Array) -> Array:
    return np.ones(P.shape)


def by_error(P: Array, y: Array) -> Array:
    """Return the ranks of each model's absolute errors about its bias, of mean one."""
    errors = P - y[:, None]
    ranks = rankdata(np.abs(errors - errors.mean(axis=0)), axis=0)
    return 2.0 * ranks / (len(P) + 1)


RANDOM = "random"
# Name -> how likely each prediction is removed, against the others of its model.
KINDS: Mapping[str, Callable[[Array, Array], Array]] = {
    RANDOM: uniform,
    "worst": by_error,
}


def punch(table: Table, kind: str, rate: int, seed: int) -> Array:
    """Return the table's predictions, about so many percent of each model's NaN."""
    rng = np.random.default_rng([zlib.crc32(table.name.encode()), seed])
    likely = KINDS[kind](table.P, table.y) * rate / 100.0
    return np.where(rng.random(table.P.shape) < likely, np.nan, table.P)
