"""Parisi, Strino, Nadler & Kluger (PNAS 2014): the agreement of voters is rank one.

With one coin a model and uniform errors the chance-corrected agreement rates
``B = (K A - 1) / (K - 1)`` are ``r_m r_j`` off the diagonal, r the chance-corrected
accuracies. The diagonal is completed until it is that of the leading eigenpair. The
eigenvector keeps its signs, so that a flipped model gets a negative weight; that most
models beat chance fixes the common sign. Strength: no labels, no start. Limit: classes
of unequal size leave an agreement that this model takes for skill.
"""

from __future__ import annotations

import numpy as np

from ..task import Array, Given, Method
from .votes import WeightedVote, one_hot

__all__ = ["SPECTRAL", "skills"]

ROUNDS, TOLERANCE = 500, 1e-10
LARGEST = 0.99  # skill, so that log-odds are finite


def agreement(Q: Array, n_classes: int) -> Array:
    """Return B; NaN where two models answered no common row."""
    votes = one_hot(Q, n_classes).reshape(len(Q), Q.shape[1], n_classes)
    same = np.einsum("nmk,njk->mj", votes, votes, optimize=True)
    answered = (~np.isnan(Q)).astype(float)
    both = answered.T @ answered
    rates = np.where(both > 0, same / np.maximum(both, 1.0), np.nan)
    return (n_classes * rates - 1.0) / (n_classes - 1.0)


def skills(Q: Array, n_classes: int) -> Array:
    """Return the chance-corrected accuracy of each model."""
    B = agreement(Q, n_classes)
    free = np.isnan(B) | np.eye(len(B), dtype=bool)
    B = np.where(free, 0.0, B)
    for _ in range(ROUNDS):
        values, vectors = np.linalg.eigh(B)
        vector = np.sqrt(max(values[-1], 0.0)) * vectors[:, -1]
        completed = np.where(free, np.outer(vector, vector), B)
        change, B = np.abs(completed - B).max(), completed
        if change < TOLERANCE:
            break
    sign = 1.0 if np.sum(np.sign(vector)) >= 0 else -1.0
    return sign * vector


def spectral(given: Given) -> WeightedVote:
    """Return the vote weighted by the log-odds that the skills imply."""
    K = given.domain
    skill = np.clip(skills(given.unlabeled, K), -LARGEST, LARGEST)
    accuracy = np.maximum((1.0 + (K - 1.0) * skill) / K, (1.0 - LARGEST) / K)
    odds = accuracy * (K - 1.0) / (1.0 - accuracy)
    return WeightedVote(np.log(odds), K)


SPECTRAL = Method("spectral", spectral, labels=False)
