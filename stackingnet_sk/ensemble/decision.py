"""From what models say and their weights to probabilities; which class wins a tie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from stackingnet_sk.predictions import ClassAnswers

# Probabilities that differ by less, relative to the largest, are tied: sums in another
# order of the models differ by less still.
_TIE = 1e-9
# No probability counts as less: a model that says 0 may be wrong all the same.
_SURE = 3e-3


def pool_votes(
    answers: ClassAnswers,
    vote_weights: NDArray[np.float64],
    intercept: NDArray[np.float64],
    rates: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Probabilities of the classes by weighted votes, or opinions.

    Parameters
    ----------
    answers : ClassAnswers
        What the models say.
    vote_weights : ndarray of shape (n_models, n_classes, n_classes)
        What a vote of model m for class a adds to the score of class k.
    intercept : ndarray of shape (n_classes,)
        Scores without votes.
    rates : ndarray of shape (n_classes,) or None
        Of opinions the rates of the classes; None: of probabilities the votes count.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Softmax of the scores.
    """
    n_rows, n_classes = len(answers.votes), len(intercept)
    if rates is not None:
        vectors = opinions(answers, rates).reshape(n_rows, -1)
        scores = intercept + vectors @ vote_weights.reshape(-1, n_classes)
    else:
        scores = np.tile(intercept, (n_rows, 1))
        silence = np.zeros((1, n_classes))
        for own, votes in zip(vote_weights, answers.votes.T, strict=True):
            # Abstaining, -1, is the last row.
            scores += np.concatenate([own, silence])[votes]
    probabilities: NDArray[np.float64] = softmax(scores, axis=1)
    return probabilities


def opinions(answers: ClassAnswers, rates: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Evidence in probabilities, which is what is added up.

    ``log((p_k + e) / (r_k + e))`` less its mean over the classes, with ``e = 0.003``:
    what a model says beyond the rates r of the classes, which all models have seen and
    which must not count once for each. Weighted and added to the logarithm of the class
    prior it is the logarithmic opinion pool (Genest and Zidek, 1986).

    Parameters
    ----------
    answers : ClassAnswers
        Probabilities.
    rates : ndarray of shape (n_classes,)
        Rates of the classes.

    Returns
    -------
    ndarray of shape (n_rows, n_models, n_classes)
        Zeros where a model is silent.
    """
    evidence = np.log(answers.vectors(len(rates)) + _SURE)
    evidence -= np.log(rates + _SURE)
    evidence -= evidence.mean(axis=2, keepdims=True)
    evidence[~answers.given] = 0.0
    return evidence


def shift_prior(
    answers: ClassAnswers, shift: NDArray[np.float64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities of each model under another class prior.

    Parameters
    ----------
    answers : ClassAnswers
        What the models say.
    shift : ndarray of shape (n_classes,)
        The prior in force over the rates that the models have seen.
    prior : ndarray of shape (n_classes,)
        The prior in force: what a silent model is taken to say.

    Returns
    -------
    ndarray of shape (n_rows, n_models, n_classes)
        They sum to one for each row and model.
    """
    table = answers.vectors(len(prior))
    if np.ptp(shift) > 1e-12 * shift.max():
        table = table * shift
        total = table.sum(axis=2, keepdims=True)
        table = np.divide(table, total, out=table, where=total > 0)
    silent = ~answers.given
    return np.where(silent[:, :, None], prior, table) if silent.any() else table


def is_tied(probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell on which rows several classes are the most probable.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
        Rows sum to one.

    Returns
    -------
    ndarray of bool of shape (n_rows,)
    """
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

    A tie goes to the class of the largest prior, then to that of the most reliable
    model's vote among the tied, then to the first.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
        Rows sum to one.
    prior : ndarray of shape (n_classes,)
        Class prior in force.
    votes : ndarray of int of shape (n_rows, n_models)
        Index of the class voted for, -1 where a model abstains.
    reliability : ndarray of shape (n_models,)
        Reliability of the models.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Rows sum to one, and their largest entry is the class that wins.
    """
    rows = is_tied(probabilities).nonzero()[0]
    if not rows.size:
        return probabilities
    largest = probabilities.max(axis=1, keepdims=True)
    tied = probabilities >= largest * (1.0 - _TIE)
    left = tied[rows] & _largest(np.where(tied[rows], prior, -np.inf))
    supporters = np.full(left.shape, -np.inf)
    for model, trust in enumerate(reliability):
        own = votes[rows, model]
        gave = (own >= 0).nonzero()[0]
        best = np.maximum(supporters[gave, own[gave]], trust)
        supporters[gave, own[gave]] = best
    left &= _largest(np.where(left, supporters, -np.inf))
    settled = probabilities.copy()
    settled[rows, left.argmax(axis=1)] = largest[rows, 0] * (1.0 + _TIE)
    settled[rows] /= settled[rows].sum(axis=1, keepdims=True)
    return settled


def _largest(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Entries that are the largest of their row, up to rounding."""
    most: NDArray[np.float64] = values.max(axis=1, keepdims=True)
    return values >= most - _TIE
