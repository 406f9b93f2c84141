"""The aggregators of crowd-kit (Toloka), an optional extra, with their defaults.

A missing answer is left out. Not here because they have no column of their own kind of
data: those for texts, images and pairs. An aggregator that cannot run, does not know
the number of classes, or exceeds the time limit is skipped, and the report says why.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..task import Array, Given, Method, Unavailable

__all__ = ["CROWD", "dawid_skene_skills"]

UNLABELLED = (
    "MajorityVote",
    "Wawa",
    "ZeroBasedSkill",
    "DawidSkene",
    "OneCoinDawidSkene",
    "GLAD",
    "MACE",
    "MMSR",
    "KOS",
)


@dataclass(frozen=True)
class Known:
    """The answers for the rows that were aggregated."""

    answers: Array

    def predict(self, Q: Array) -> Array:
        """Return the answers: Q is the table that was aggregated."""
        return self.answers


def long(P: Array) -> pd.DataFrame:
    """Return a line an answer: task, worker, label."""
    tasks, workers = np.nonzero(~np.isnan(P))
    labels = P[tasks, workers].astype(int)
    return pd.DataFrame({"task": tasks, "worker": workers, "label": labels})


def call(name: str, verb: str, P: Array, *truth: Any) -> Any:
    """Return what a method of an aggregator says of a table."""
    try:
        from crowdkit import aggregation
    except ImportError as error:
        raise Unavailable(f"crowd-kit: {error}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(getattr(aggregation, name)(), verb)(long(P), *truth)
    except Unavailable:  # out of time
        raise
    except Exception as error:
        # Without its name, so that aggregators with one trouble share a line.
        reason = " ".join(str(error).replace(f"{name!r} ", "").split())
        raise Unavailable(f"{type(error).__name__}: {reason[:72]}") from error


def aggregate(name: str, P: Array, *truth: Any) -> Array:
    """Return a class for each row; the first class where nobody answered."""
    labels = call(name, "fit_predict", P, *truth)
    return labels.reindex(range(len(P))).fillna(0).to_numpy(int)


def unlabelled(name: str) -> Callable[[Given], Known]:
    return lambda given: Known(aggregate(name, given.unlabeled))


def gold(given: Given) -> Known:
    """Weigh votes by accuracy on the labelled rows, which come first in the table."""
    n = len(given.y)
    P = np.vstack([given.P, given.unlabeled])
    truth = pd.Series(given.y, index=range(n))
    return Known(aggregate("GoldMajorityVote", P, truth)[n:])


def dawid_skene_skills(Q: Array, n_classes: int) -> Array:
    """Return the mean diagonal of each model's confusion; chance where it is silent."""
    errors = call("DawidSkene", "fit", Q).errors_  # (worker, answer) x truth
    skills = np.full(Q.shape[1], 1.0 / n_classes)
    for worker, table in errors.groupby(level=0):
        square = table.droplevel(0).reindex(
            index=range(n_classes), columns=range(n_classes), fill_value=0.0
        )
        skills[worker] = np.diag(square.fillna(0.0)).mean()
    return skills


CROWD = (
    *(
        Method(f"crowd-kit {name}", unlabelled(name), labels=False)
        for name in UNLABELLED
    ),
    Method("crowd-kit GoldMajorityVote", gold),
)
