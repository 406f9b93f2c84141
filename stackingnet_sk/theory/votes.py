"""What votes can reach: Lam and Suen, Shapley and Grofman, Parisi and others."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stackingnet_sk.theory.checks import check_probabilities


def majority_accuracy(accuracies: ArrayLike) -> float:
    """Probability that the majority is right: ``P(k > M/2) + P(k = M/2) / 2``.

    The result is exact: the number ``k`` of right votes has a Poisson-binomial
    distribution, and a fair coin breaks ties. As the number of equal voters grows, it
    tends to 1 if they are better than chance and to 0 if they are worse.

    Parameters
    ----------
    accuracies : array-like of shape (n_models,)
        Probability that each voter is right.

    Returns
    -------
    float

    Notes
    -----
    The equation assumes two classes, and voters that err independently. Source: Lam and
    Suen, IEEE Transactions SMC-A 27, 1997.

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
    """Weights of the most accurate weighted vote: ``log(p (K-1) / (1-p))``.

    A weight is zero for a voter at chance, negative below chance, and infinite for a
    voter that is always or never right.

    Parameters
    ----------
    accuracies : array-like of shape (n_models,)
        Probability ``p`` that each voter is right.
    n_classes : int, default=2
        Number of classes ``K``.

    Returns
    -------
    ndarray of shape (n_models,)

    Notes
    -----
    The equation assumes that voters err independently, equally often on each class and
    toward each wrong class, and that the classes are equally probable (otherwise log
    priors add to the scores). Source: Shapley and Grofman, Public Choice 43, 1984; Lam
    and Suen, 1997.

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
    """Accuracy of the :func:`optimal_vote_weights`: ``sum_o max(P(o|+), P(o|-)) / 2``.

    The sum is exact, over all ``2^M`` outcomes ``o`` of at most 20 voters and two
    classes. No other vote is right more often. Assumptions and source are those of
    :func:`optimal_vote_weights`.

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
    # In reverse order each outcome is replaced by its opposite, which has the
    # probabilities given the other class.
    return min(float(np.maximum(outcome, outcome[::-1]).sum()) / 2.0, 1.0)


def vote_covariance(
    balanced_accuracies: ArrayLike, class_imbalance: float
) -> NDArray[np.float64]:
    """Covariance of votes coded +-1: ``(1 - b^2)(2 pi_m - 1)(2 pi_j - 1)``.

    The matrix has rank one. Its diagonal holds the part of each variance that the class
    explains, not the variances.

    Parameters
    ----------
    balanced_accuracies : array-like of shape (n_models,)
        Mean ``pi`` of the accuracies on the two classes.
    class_imbalance : float
        ``b = P(y = 1) - P(y = -1)``.

    Returns
    -------
    ndarray of shape (n_models, n_models)

    Notes
    -----
    The equation assumes votes that are independent given the class. Source: Parisi,
    Strino, Nadler and Kluger, PNAS 111, 2014.

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
