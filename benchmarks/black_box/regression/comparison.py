"""Our rows against the best rival, and on the way from a reference to the oracle."""

from __future__ import annotations

import numpy as np

from ..summary import Summary, standard_error
from ..task import Array, Method
from .replica import REPLICA
from .rivals import ORACLE

__all__ = ["REFERENCE", "best_rival", "difference", "ratio", "share"]

REFERENCE = REPLICA  # where the way to the oracle starts


def best_rival(summary: Summary, scope: str) -> Array:
    """Return the index of the best rival at each budget, chosen in hindsight.

    It is chosen on the test items, which no user could do: a hard comparison.
    """
    return summary.mean(scope)[: len(summary.task.rivals)].argmin(axis=0)


def ratio(summary: Summary, scope: str, method: Method) -> Array:
    """Return a row's mean error over the best rival's."""
    rivals = summary.mean(scope)[: len(summary.task.rivals)]
    return summary.row(scope, method) / rivals.min(axis=0)


def difference(summary: Summary, scope: str, method: Method) -> tuple[Array, Array]:
    """Return a row's error less the best rival's, and its paired standard error."""
    errors, budgets = summary.values(scope), np.arange(len(summary.budgets))
    best = errors[best_rival(summary, scope), budgets]
    differences = errors[summary.rows.index(method.name)] - best
    return differences.mean(axis=1), standard_error(differences)


def share(summary: Summary, scope: str, method: Method) -> Array:
    """Return the share of the way from reference to oracle that a row closes."""
    start = summary.row(scope, REFERENCE)
    way = start - summary.row(scope, ORACLE)
    return (start - summary.row(scope, method)) / way
