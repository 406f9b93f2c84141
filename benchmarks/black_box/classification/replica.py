"""The training of the StackingNet authors (Li et al., arXiv 2602.13792), in numpy.

One weight a model, on one-hot votes; missing answers are random classes. The loss is
the cross-entropy of the labelled rows with class weights n / n_k, plus 0.001 times the
weighted **counts** of unlabelled rows on which a model differs from the current
consensus (renewed each epoch), plus 100 (1 - |w|_1)^2; 200 steps of full-batch Adam
(Kingma & Ba 2015) at rate 1e-3, the weights clamped at 0 after each step. They start at
the labelled balanced accuracies over their sum. Without labels the cross-entropy is
absent, and they start from balanced accuracies against the majority vote, its ties
broken at random. Strength: it starts from, and stays near, sensible weights. Limit: the
200 epochs are the regularizer, and counts make the strength depend on the rows.
"""

from __future__ import annotations

import numpy as np

from ..task import Array, Given, Method
from .votes import WeightedVote, balanced_accuracies, imputed, one_hot

__all__ = ["PUBLISHED", "PUBLISHED_UNLABELLED", "REPLICA", "UNLABELLED"]

EPOCHS, RATE, DECAY, SQUARE_DECAY, EPSILON = 200, 1e-3, 0.9, 0.999, 1e-8
CONSENSUS, SUM = 1e-3, 100.0  # strengths of the two terms

# Balanced accuracies in percent. Nothing else knows names of tables.
PUBLISHED = {
    "helm_boolq": 89.15,
    "helm_civil_comments": 65.81,
    "helm_entity_matching": 96.21,
    "helm_legal_support": 65.08,
}
PUBLISHED_UNLABELLED = {
    "helm_boolq": 89.24,
    "helm_civil_comments": 65.80,
    "helm_entity_matching": 95.22,
    "helm_legal_support": 64.94,
}


class CrossEntropy:
    """The gradient of the balanced cross-entropy of labelled rows."""

    def __init__(self, P: Array, y: Array, n_classes: int) -> None:
        self.votes = one_hot(P, n_classes)
        self.targets = one_hot(y, n_classes)
        self.row_weights = 1.0 / np.bincount(y)[y]  # (n / n_k) / n

    def __call__(self, weights: Array) -> Array:
        scores = weights @ self.votes
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        residuals = odds / odds.sum(axis=1, keepdims=True) - self.targets
        return np.einsum(
            "nmk,nk,n->m", self.votes, residuals, self.row_weights, optimize=True
        )


class Consensus:
    """How often models differ from the consensus, over distinct unlabelled rows."""

    def __init__(self, Q: Array, n_classes: int) -> None:
        self.rows, self.counts = np.unique(Q, axis=0, return_counts=True)
        self.votes = one_hot(self.rows, n_classes)

    def __call__(self, weights: Array) -> Array:
        consensus = (weights @ self.votes).argmax(axis=1)
        return self.counts @ (self.rows != consensus[:, None])


def train(given: Given) -> WeightedVote:
    """Return the combination after the last epoch, trained with labels."""
    P = imputed(given.P, given.domain, given.seed)
    start = balanced_accuracies(P, given.y, given.domain)
    return descend(given, start, CrossEntropy(P, given.y, given.domain))


def train_unlabelled(given: Given) -> WeightedVote:
    """Return the combination after the last epoch, trained without labels."""
    Q = imputed(given.unlabeled, given.domain, given.seed)
    counts = one_hot(Q, given.domain).sum(axis=1)
    # Less than half a vote decides between ties, and nothing else.
    ties = np.random.default_rng(given.seed).uniform(0.0, 0.5, counts.shape)
    start = balanced_accuracies(Q, (counts + ties).argmax(axis=1), given.domain)
    return descend(given, start, None)


def descend(
    given: Given, start: Array, supervised: CrossEntropy | None
) -> WeightedVote:
    """Return the combination after all epochs from a start."""
    Q = imputed(given.unlabeled, given.domain, given.seed)
    disagreements = Consensus(Q, given.domain)
    weights = start / start.sum()
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, EPOCHS + 1):
        gradient = CONSENSUS * disagreements(weights)
        gradient -= 2.0 * SUM * (1.0 - weights.sum())
        if supervised is not None:
            gradient += supervised(weights)
        mean = DECAY * mean + (1.0 - DECAY) * gradient
        square = SQUARE_DECAY * square + (1.0 - SQUARE_DECAY) * gradient**2
        scale = np.sqrt(square / (1.0 - SQUARE_DECAY**step)) + EPSILON
        weights = weights - RATE * mean / (1.0 - DECAY**step) / scale
        weights = np.maximum(weights, 0.0)
    return WeightedVote(weights, given.domain, given.seed)


REPLICA = Method("authors' training (replica)", train)
UNLABELLED = Method(
    "authors' replica, no labels", train_unlabelled, labels=False, random=True
)
