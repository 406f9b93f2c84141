"""Who votes how on which class, without knowing the classes.

Method: Dawid and Skene's expectation maximization (1979) from the majority vote, each
model's confusion matrix shrunk toward that of one coin (one accuracy for all classes,
all errors equally likely), and each accuracy toward the panel's. Rows with labels are
taken as known. Strength: few distinct rows make an iteration cheap, and no draw is
random. Limit: a local optimum near the majority; models that share an error look
reliable to each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from stackingnet_sk.evidence.counts import VoteCounts

# Answers of one coin that count with a model's own on each class: so many, but not
# more than this share of the rows that a class has on average (few rows would be
# drowned, and classes that look alike then merge), and not less than a handful.
# Chosen on real votes, whole tables and 100 to 1,000 rows of them; flat around it.
_ONE_COIN_ROWS = 200.0
_ONE_COIN_SHARE = 0.25
_ONE_COIN_FEWEST = 5.0
# Answers of the panel's accuracy that count with a model's own.
_PANEL_ROWS = 50.0
# Share of further rows, equally of all classes, while the classes' rates are unknown:
# without them a rare class can lose all its rows to a frequent one.
_EQUAL_CLASSES = 0.2

# Fewer models don't show who is right.
_IDENTIFIED = 3
# Two models that never disagree are not known to be perfect.
_MOST_SKILL = 0.99

_POSSIBLE = 1e-12

_MAX_ITERATIONS = 2000
# Largest change of a posterior probability.
_TOLERANCE = 1e-7


@dataclass(frozen=True, eq=False)
class DawidSkene:
    """Estimated confusion of each model and rates of the classes.

    Parameters
    ----------
    confusion : ndarray of shape (n_models, n_classes, n_classes)
        Entry ``[m, k, a]``: probability that model m, when it answers, votes for class
        a on an item of class k.
    class_prior : ndarray of shape (n_classes,)
        Rate of each class over all rows.
    log_likelihood : ndarray of shape (n_iterations,)
        Log-likelihood of the votes (and labels, where there are some) at the start of
        each iteration, in nats. Shrinkage is not part of it, so it may fall a little.
    converged : bool
        Whether the last iteration changed no posterior probability by more than 1e-7;
        fewer than three models need no iteration.
    posterior : ndarray of shape (n_patterns, n_classes)
        Probability of each class given each row of votes.
    """

    confusion: NDArray[np.float64]
    class_prior: NDArray[np.float64]
    log_likelihood: NDArray[np.float64]
    converged: bool
    posterior: NDArray[np.float64]


def dawid_skene(counts: VoteCounts) -> DawidSkene:
    """Estimate confusion matrices from votes, labels or not.

    Parameters
    ----------
    counts : VoteCounts
        Rows of votes with positive total weight.

    Returns
    -------
    DawidSkene

    Raises
    ------
    ValueError
        If the total weight is zero.

    Notes
    -----
    Of fewer than three models that answer, agreement cannot tell who is right: they are
    taken for equally accurate coins.

    Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the
    EM algorithm", Applied Statistics 28, 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.evidence import VoteCounts
    >>> from stackingnet_sk.weights import dawid_skene
    >>> votes = np.repeat([[0, 0, 0], [1, 1, 1], [0, 0, 1], [1, 1, 0]], 50, axis=0)
    >>> counts = VoteCounts.from_rows(votes, np.full(200, -1), 2)
    >>> accuracy = dawid_skene(counts).confusion.diagonal(axis1=1, axis2=2).mean(axis=1)
    >>> bool(accuracy[0] > 0.9 and accuracy[2] < 0.6)
    True
    """
    total = counts.weight
    if not total > 0:
        raise ValueError("the rows have no weight; give at least one row some")
    if not identified(counts):
        return _one_or_two_models(counts)
    posterior = majority(counts)
    log_likelihood: list[float] = []
    converged = False
    while not converged and len(log_likelihood) < _MAX_ITERATIONS:
        weights = posterior * counts.unlabelled[:, None] + counts.labelled
        rates = weights.sum(axis=0)
        confusion, prior = em_step(counts.joint(weights), rates)
        joint = log_votes(counts, confusion) + np.log(prior)
        evidence = logsumexp(joint, axis=1)
        log_likelihood.append(
            float(counts.unlabelled @ evidence + (counts.labelled * joint).sum())
        )
        updated = np.exp(joint - evidence[:, None])
        converged = bool(np.abs(updated - posterior).max() <= _TOLERANCE)
        posterior = updated
    trace = np.array(log_likelihood)
    return DawidSkene(confusion, rates / total, trace, converged, posterior)


def identified(counts: VoteCounts) -> bool:
    """Tell whether agreement can show who is right.

    Parameters
    ----------
    counts : VoteCounts
        Votes.

    Returns
    -------
    bool
        Whether at least three models answer.
    """
    return int((counts.patterns >= 0).any(axis=0).sum()) >= _IDENTIFIED


def em_step(
    joint: NDArray[np.float64], rates: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimate again, from how probable each class is in each row.

    Parameters
    ----------
    joint : ndarray of shape (n_models, n_classes, n_classes)
        Weight of each model's votes by class, see :meth:`VoteCounts.joint`.
    rates : ndarray of shape (n_classes,)
        Weight of the rows of each class.

    Returns
    -------
    confusion : ndarray of shape (n_models, n_classes, n_classes)
    prior : ndarray of shape (n_classes,)
        Probability of each class before any vote.
    """
    n_classes, total = len(rates), float(rates.sum())
    one_coin = np.clip(
        _ONE_COIN_SHARE * total / n_classes, _ONE_COIN_FEWEST, _ONE_COIN_ROWS
    )
    prior = rates + _EQUAL_CLASSES * total / n_classes
    return shrunk_confusion(joint, one_coin), prior / prior.sum()


def _one_or_two_models(counts: VoteCounts) -> DawidSkene:
    """Take the models for equally accurate coins.

    Votes of two models only show the product of what they are better than chance, and
    those of one show nothing: its log-odds are taken to be one.
    """
    n_classes = counts.n_classes
    weights = counts.labelled.sum(axis=1) + counts.unlabelled
    both = weights * ((counts.patterns >= 0).sum(axis=1) > 1)
    skill = np.expm1(1.0) / (np.e + n_classes - 1.0)
    if both.any() and n_classes > 1:
        ordered = np.sort(counts.patterns, axis=1)
        agreement = float(both @ (ordered[:, -1] == ordered[:, -2])) / both.sum()
        chance = 1.0 / n_classes
        skill = np.sqrt(max((agreement - chance) / (1.0 - chance), 0.0))
    accuracy = (1.0 + (n_classes - 1.0) * min(skill, _MOST_SKILL)) / n_classes
    coin = np.full((n_classes, n_classes), (1.0 - accuracy) / max(n_classes - 1, 1))
    np.fill_diagonal(coin, accuracy)
    confusion = np.tile(coin, (counts.n_models, 1, 1))
    posterior = softmax(log_votes(counts, confusion), axis=1)
    rates = (posterior * counts.unlabelled[:, None] + counts.labelled).sum(axis=0)
    rates /= rates.sum()
    joint = log_votes(counts, confusion) + np.log(rates + np.finfo(float).tiny)
    log_likelihood = counts.unlabelled @ logsumexp(joint, axis=1)
    log_likelihood += (counts.labelled * joint).sum()
    trace = np.array([log_likelihood])
    return DawidSkene(confusion, rates, trace, True, posterior)


def majority(counts: VoteCounts) -> NDArray[np.float64]:
    """Majority vote of each pattern; classes with equally many votes share it.

    Parameters
    ----------
    counts : VoteCounts
        Votes.

    Returns
    -------
    ndarray of shape (n_patterns, n_classes)
        Rows sum to one; a row without votes is shared by all classes.
    """
    votes = counts.design @ np.tile(np.eye(counts.n_classes), (counts.n_models, 1))
    most = votes == votes.max(axis=1, keepdims=True)
    share: NDArray[np.float64] = most / most.sum(axis=1, keepdims=True)
    return share


def shrunk_confusion(
    joint: NDArray[np.float64], one_coin: float
) -> NDArray[np.float64]:
    """Confusion matrices, shrunk toward one coin a model, and coins toward the panel's.

    Parameters
    ----------
    joint : ndarray of shape (n_models, n_classes, n_classes)
        Weight of each model's votes by true class, see :meth:`VoteCounts.joint`.
    one_coin : float
        How many answers the coin counts for, on each class.

    Returns
    -------
    ndarray of shape (n_models, n_classes, n_classes)
        Entries above zero; rows sum to one.
    """
    n_classes = joint.shape[1]
    right = joint.diagonal(axis1=1, axis2=2).sum(axis=1)
    answers = joint.sum(axis=(1, 2))
    panel = (right.sum() + 1.0) / (answers.sum() + n_classes)
    accuracy = (right + _PANEL_ROWS * panel) / (answers + _PANEL_ROWS)
    # However many rows agree, an error stays possible.
    accuracy = np.clip(accuracy, _POSSIBLE, 1.0 - _POSSIBLE)
    if n_classes == 1:
        accuracy = np.ones_like(accuracy)
    error = (1.0 - accuracy) / max(n_classes - 1, 1)
    coin = np.repeat(error, n_classes**2).reshape(joint.shape)
    diagonal = np.arange(n_classes)
    coin[:, diagonal, diagonal] = accuracy[:, None]
    total: NDArray[np.float64] = joint.sum(axis=2, keepdims=True) + one_coin
    return (joint + one_coin * coin) / total


def log_votes(
    counts: VoteCounts, confusion: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log-probability of each pattern's votes given each class.

    Parameters
    ----------
    counts : VoteCounts
        Votes.
    confusion : ndarray of shape (n_models, n_classes, n_classes)
        Entries above zero.

    Returns
    -------
    ndarray of shape (n_patterns, n_classes)
    """
    n_classes = counts.n_classes
    said = np.log(confusion).transpose(0, 2, 1).reshape(-1, n_classes)
    scores: NDArray[np.float64] = counts.design @ said
    return scores
