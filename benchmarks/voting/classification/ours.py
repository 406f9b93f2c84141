"""StackingNetClassifier on a table: pools, structures, weights of classes, votes."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning

from stackingnet_sk import StackingNetClassifier

from ..task import Array, Combination, Rival
from .votes import votes

__all__ = ["BALANCED", "DEFAULT", "OURS"]

DEFAULT = "StackingNet (default)"
BALANCED = "StackingNet balanced"


def stackingnet(name: str, **parameters: Any) -> Rival:
    def solve(P: Array, y: Array) -> Combination:
        return StackingNetClassifier(**parameters).fit(P, y).predict_proba

    return Rival(name, solve)


def unshrunk(P: Array, y: Array) -> Combination:
    """Return the maximum of the likelihood, or what comes near where it has none."""
    with warnings.catch_warnings():
        # Out of fold some of the data sets are separable.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return StackingNetClassifier(shrinkage=0).fit(P, y).predict_proba


def on_votes(P: Array, y: Array) -> Combination:
    model = StackingNetClassifier().fit(votes(P), y)
    return lambda Q: model.predict_proba(votes(Q))


# The default comes first and is constructed without arguments, so that the row is
# what a user gets.
OURS = (
    stackingnet(DEFAULT),
    stackingnet("StackingNet linear pool", pool="linear"),
    stackingnet("StackingNet shared", structure="shared"),
    stackingnet("StackingNet full", structure="full"),
    Rival("StackingNet unshrunk", unshrunk),
    stackingnet(BALANCED, class_weight="balanced"),
    Rival("StackingNet on hard votes", on_votes),
)
