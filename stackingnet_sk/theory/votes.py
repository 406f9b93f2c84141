"""What votes can reach: Lam and Suen, Shapley and Grofman, Parisi and others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stackingnet_sk.theory.checks import check_probabilities


def majority_accuracy(accuracies: ArrayLike) -> float:
    r"""Probability that the majority is right: ``P(k > M/2) + P(k = M/2) / 2``.

    Exact: the number ``k`` of right votes is Poisson-binomial, and a coin breaks ties.
    With more equal voters it grows to 1 if they beat chance and falls to 0 below it.

    Parameters
    ----------
    accuracies : array-like of shape (n_models,)
        Probability that each voter is right.

    Returns
    -------
    float

    Notes
    -----
    Assumes two classes and voters that err independently. Source: Lam and Suen, IEEE
    Transactions SMC-A 27, 1997.

    Examples
    --------
    >>> from stackingnet_sk.theory import majority_accuracy
    >>> majority_accuracy([0.75]), majority_accuracy([0.75] * 3)
    (0.75, 0.84375)
    """
    right = np.ones(1)
    for p in check_probabilities("accuracies", accuracies):
        right = np.convolve(right, [1.0 - p, p])
    lead = 2 * np.arange(len(right)) - (len(right) - 1)
    return min(float(right[lead > 0].sum() + right[lead == 0].sum() / 2.0), 1.0)


def optimal_vote_weights(
    accuracies: ArrayLike, n_classes: int = 2
) -> NDArray[np.float64]:
    r"""Weights of the most accurate weighted vote: ``log(p (K-1) / (1-p))``.

    Zero at chance, negative below, infinite for voters never or always right.

    Parameters
    ----------
    accuracies : array-like of shape (n_models,)
        ``p``: probability that each voter is right.
    n_classes : int, default=2
        ``K``.

    Returns
    -------
    ndarray of shape (n_models,)

    Notes
    -----
    Assumes voters that err independently, equally often on each class and toward each
    wrong one, and classes equally probable (else log priors add to the scores). Source:
    Shapley and Grofman, Public Choice 43, 1984; Lam and Suen, 1997.

    Examples
    --------
    >>> from stackingnet_sk.theory import optimal_vote_weights
    >>> optimal_vote_weights([0.9, 0.5, 0.1]).round(3)
    array([ 2.197,  0.   , -2.197])
    """
    accuracy = check_probabilities("accuracies", accuracies)
    if n_classes < 2:
        raise ValueError(f"n_classes={n_classes} must be at least 2.")
    with np.errstate(divide="ignore"):
        return np.log(accuracy * (n_classes - 1)) - np.log1p(-accuracy)


def optimal_vote_accuracy(accuracies: ArrayLike) -> float:
    r"""Accuracy of the :func:`optimal_vote_weights`: ``sum_o max(P(o|+), P(o|-)) / 2``.

    Exact, over all ``2^M`` outcomes ``o`` of at most 20 voters and two classes; no vote
    is right more often. Assumptions and source are those of the weights.

    Parameters
    ----------
    accuracies : array-like of shape (n_models,)
        Probability that each voter is right.

    Returns
    -------
    float

    Examples
    --------
    >>> from stackingnet_sk.theory import optimal_vote_accuracy
    >>> optimal_vote_accuracy([0.75, 0.75, 0.25])
    0.84375
    """
    accuracy = check_probabilities("accuracies", accuracies)
    if len(accuracy) > 20:
        raise ValueError(f"{len(accuracy)} voters; give the 20 farthest from chance.")
    outcome = np.ones(1)
    for p in accuracy:
        outcome = np.outer(outcome, [p, 1.0 - p]).ravel()
    # Read backwards, all voters say the opposite: as if the other class were true.
    return min(float(np.maximum(outcome, outcome[::-1]).sum()) / 2.0, 1.0)


def vote_covariance(
    balanced_accuracies: ArrayLike, class_imbalance: float
) -> NDArray[np.float64]:
    r"""Covariance of votes coded +-1: ``(1 - b^2)(2 pi_m - 1)(2 pi_j - 1)``.

    Of rank one: the diagonal is what the class explains of the variances, not these.

    Parameters
    ----------
    balanced_accuracies : array-like of shape (n_models,)
        ``pi``: mean of the accuracies on the two classes.
    class_imbalance : float
        ``b = P(y = 1) - P(y = -1)``.

    Returns
    -------
    ndarray of shape (n_models, n_models)

    Notes
    -----
    Assumes votes that are independent given the class. Source: Parisi, Strino, Nadler
    and Kluger, PNAS 111, 2014.

    Examples
    --------
    >>> from stackingnet_sk.theory import vote_covariance
    >>> vote_covariance([1.0, 0.75, 0.25], 0.0)[0]
    array([ 1. ,  0.5, -0.5])
    """
    skill = 2.0 * check_probabilities("balanced_accuracies", balanced_accuracies) - 1.0
    if not -1 <= class_imbalance <= 1:
        raise ValueError(f"class_imbalance={class_imbalance!r} must be in [-1, 1].")
    return (1.0 - class_imbalance**2) * np.outer(skill, skill)
