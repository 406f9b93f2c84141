"""Votes: a column a model, a class 0 .. K - 1 or NaN where the model gave no answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit

from ..task import Array, Prepared

__all__ = [
    "WeightedVote",
    "balanced_accuracies",
    "balanced_accuracy",
    "draw",
    "imputed",
    "majority",
    "one_hot",
    "prepare",
    "recalls",
]


def prepare(P: Array, y: Array, pool: Array) -> Prepared:
    """Return classes as numbers; a vote for no class of the labels is no answer."""
    classes = np.unique(y)
    answered = ~np.isnan(P)
    known = np.isin(P, classes)
    counts = {
        "missing": int((~answered).sum()),
        "unknown": int((answered & ~known).sum()),
        "classes": len(classes),
    }
    votes = np.where(known, np.searchsorted(classes, P), np.nan)
    return Prepared(votes, np.searchsorted(classes, y), len(classes), counts)


def draw(y: Array, n: int, seed: int) -> Array:
    """Return the positions of n stratified labels, at least as many as classes."""
    n_classes = len(np.unique(y))
    n = max(n, n_classes)
    if n > len(y) - n_classes:  # a split would leave too few
        return np.arange(len(y))
    split = StratifiedShuffleSplit(n_splits=1, train_size=n, random_state=seed)
    return next(split.split(y, y))[0]


def one_hot(P: Array, n_classes: int) -> Array:
    """Return the votes as (n, M, K), all zero where there is no answer."""
    return (P[..., None] == np.arange(n_classes)).astype(float)


def imputed(P: Array, n_classes: int, seed: int) -> Array:
    """Return complete votes, random classes in place of missing answers."""
    draws = np.random.default_rng([seed, len(P)]).integers(n_classes, size=P.shape)
    return np.where(np.isnan(P), draws, P)


def majority(P: Array, n_classes: int) -> Array:
    """Return the majority vote; the first of tied classes wins."""
    return one_hot(P, n_classes).sum(axis=1).argmax(axis=1)


def recalls(P: Array, y: Array, n_classes: int) -> Array:
    """Return each model's recall of each class (M, K) on the rows it answered.

    NaN where it answered no row of a class.
    """
    truth = one_hot(y, n_classes)
    hits = np.einsum("nmk,nk->mk", one_hot(P, n_classes), truth)
    answered = (~np.isnan(P)).T @ truth
    return np.where(answered > 0, hits / np.maximum(answered, 1.0), np.nan)


def balanced_accuracies(P: Array, y: Array, n_classes: int) -> Array:
    """Return each model's mean recall; chance for a model without any answer."""
    found = recalls(P, y, n_classes)
    seen = ~np.isnan(found)
    sums = np.where(seen, found, 0.0).sum(axis=1)
    chance = 1.0 / n_classes
    return np.where(seen.any(axis=1), sums / np.maximum(seen.sum(axis=1), 1), chance)


def balanced_accuracy(y: Array, predicted: Array) -> float:
    """Return the mean recall over the classes of the labels, in percent."""
    return 100.0 * float(np.mean([np.mean(predicted[y == k] == k) for k in set(y)]))


@dataclass(frozen=True)
class WeightedVote:
    """The class with the greatest sum of weights; the first of tied ones wins.

    A missing answer abstains, or is a random class where there is a seed.
    """

    weights: Array
    n_classes: int
    seed: int | None = None

    def predict(self, Q: Array) -> Array:
        """Combine the columns of Q."""
        if self.seed is not None:
            Q = imputed(Q, self.n_classes, self.seed)
        return (self.weights @ one_hot(Q, self.n_classes)).argmax(axis=1)
