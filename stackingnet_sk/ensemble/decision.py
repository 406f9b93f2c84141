"""From what models say and their weights to probabilities; which class wins a tie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from stackingnet_sk.predictions import ClassAnswers

# Probabilities that differ by less, relative to the largest, are tied: sums in another
# order of the models differ by less still.
_TIE = 1e-9
# Smaller probabilities count as this one, because a model that answers 0 may be wrong.
_SURE = 3e-3


def pool_votes(
    answers: ClassAnswers,
    vote_weights: NDArray[np.float64],
    intercept: NDArray[np.float64],
    rates: NDArray[np.float64] | None,
    abstention: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Combine votes or opinions into probabilities of shape (n_rows, n_classes).

    They are the softmax of ``intercept`` plus the sum of vote weights: entry ``[m, a,
    k]`` is what a vote of model m for class a adds to the score of class k, and ``[m,
    k]`` of `abstention` what it adds that the model abstains. With
    `rates` (n_classes,) the answers are opinions, see :func:`opinions`; with None they
    are votes.
    """
    n_rows, n_classes = len(answers.votes), len(intercept)
    if rates is not None:
        vectors = opinions(answers, rates).reshape(n_rows, -1)
        scores = intercept + vectors @ vote_weights.reshape(-1, n_classes)
    else:
        scores = np.tile(intercept, (n_rows, 1))
        if abstention is None:
            abstention = np.zeros((len(vote_weights), n_classes))
        # Abstaining, -1, is the last row.
        matrices = np.concatenate([vote_weights, abstention[:, None, :]], axis=1)
        for matrix, votes in zip(matrices, answers.votes.T, strict=True):
            scores += matrix[votes]
    probabilities: NDArray[np.float64] = softmax(scores, axis=1)
    return probabilities


def opinions(answers: ClassAnswers, rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the evidence in probabilities, of shape (n_rows, n_models, n_classes).

    It is ``log((p_k + e) / (r_k + e))`` minus its mean over the classes, with ``e =
    0.003``: what a model's answer adds to the rates r of the classes. All models have
    seen the rates, so these must not count once for each model. Weighted and added to
    the logarithm of the class prior, it is the logarithmic opinion pool (Genest and
    Zidek, 1986). It is zero where a model abstains.
    """
    evidence = np.log(answers.vectors(len(rates)) + _SURE)
    evidence -= np.log(rates + _SURE)
    evidence -= evidence.mean(axis=2, keepdims=True)
    evidence[~answers.given] = 0.0
    return evidence


def shift_prior(
    answers: ClassAnswers, shift: NDArray[np.float64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return each model's probabilities under another class prior.

    `shift` is the prior in force divided by the rates that the models have seen. A
    model that abstains counts as if it answered with the prior. The result has shape
    (n_rows, n_models, n_classes).
    """
    table = answers.vectors(len(prior))
    if np.ptp(shift) > 1e-12 * shift.max():
        table = table * shift
        total = table.sum(axis=2, keepdims=True)
        table = np.divide(table, total, out=table, where=total > 0)
    abstaining = ~answers.given
    return np.where(abstaining[:, :, None], prior, table) if abstaining.any() else table


def is_tied(probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell on which rows several classes are the most probable."""
    largest = probabilities.max(axis=1, keepdims=True)
    n_largest: NDArray[np.intp] = (probabilities >= largest * (1.0 - _TIE)).sum(axis=1)
    return n_largest > 1


def settle_ties(
    probabilities: NDArray[np.float64],
    prior: NDArray[np.float64],
    votes: NDArray[np.signedinteger],
    reliability: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Raise the class that wins a tie a little above the others.

    A tie goes to the class with the largest prior, then to the vote of the most
    reliable model among the tied classes, then to the first class. `votes` are indices
    of classes, -1 where a model abstains. The largest entry of each row of the result
    is the class that wins.
    """
    rows = is_tied(probabilities).nonzero()[0]
    if not rows.size:
        return probabilities
    largest = probabilities.max(axis=1, keepdims=True)
    tied = probabilities >= largest * (1.0 - _TIE)
    left = tied[rows] & _largest(np.where(tied[rows], prior, -np.inf))
    supporters = np.full(left.shape, -np.inf)
    for model, trust in enumerate(reliability):
        codes = votes[rows, model]
        voting = (codes >= 0).nonzero()[0]
        best = np.maximum(supporters[voting, codes[voting]], trust)
        supporters[voting, codes[voting]] = best
    left &= _largest(np.where(left, supporters, -np.inf))
    settled = probabilities.copy()
    settled[rows, left.argmax(axis=1)] = largest[rows, 0] * (1.0 + _TIE)
    settled[rows] /= settled[rows].sum(axis=1, keepdims=True)
    return settled


def _largest(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Entries that are the largest of their row, up to rounding."""
    most: NDArray[np.float64] = values.max(axis=1, keepdims=True)
    return values >= most - _TIE
