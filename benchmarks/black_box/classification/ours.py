"""StackingNetClassifier: labelled rows only, with unlabelled rows, without labels."""

from __future__ import annotations

from stackingnet_sk import StackingNetClassifier

from ..task import Given, Method

__all__ = ["DEFAULT", "LABELLED_ONLY", "OURS", "UNLABELLED"]


def classifier() -> StackingNetClassifier:
    """Return the estimator for balanced accuracy, otherwise as a user gets it."""
    return StackingNetClassifier(class_weight="balanced")


def with_labels(given: Given) -> StackingNetClassifier:
    return classifier().fit(given.P, given.y)


def with_both(given: Given) -> StackingNetClassifier:
    return classifier().fit(given.P, given.y, X_unlabeled=given.unlabeled)


def without_labels(given: Given) -> StackingNetClassifier:
    return classifier().fit(given.unlabeled)


UNLABELLED = Method("StackingNet, no labels", without_labels, labels=False)
LABELLED_ONLY = Method("StackingNet", with_labels)
DEFAULT = Method("StackingNet + U", with_both)
OURS = (UNLABELLED, LABELLED_ONLY, DEFAULT)
