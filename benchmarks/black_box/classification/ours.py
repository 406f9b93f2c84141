"""StackingNetClassifier: labelled rows only, with unlabelled rows, without labels."""

from __future__ import annotations

from typing import Any

from ..task import Given, Method, Unavailable

__all__ = ["DEFAULT", "LABELLED_ONLY", "OURS", "UNLABELLED"]


def classifier() -> Any:
    """Return the estimator for balanced accuracy, otherwise as a user gets it."""
    try:
        from stackingnet_sk import StackingNetClassifier
    except ImportError as error:
        raise Unavailable(str(error)) from error
    return StackingNetClassifier(class_weight="balanced")


def with_labels(given: Given) -> Any:
    return classifier().fit(given.P, given.y)


def with_both(given: Given) -> Any:
    return classifier().fit(given.P, given.y, X_unlabeled=given.unlabeled)


def without_labels(given: Given) -> Any:
    return classifier().fit(given.unlabeled)


UNLABELLED = Method("StackingNet, no labels", without_labels, labels=False)
LABELLED_ONLY = Method("StackingNet", with_labels)
DEFAULT = Method("StackingNet + U", with_both)
OURS = (UNLABELLED, LABELLED_ONLY, DEFAULT)
