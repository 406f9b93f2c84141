"""Where the weights of votes are pulled: log-odds of confusion, errors in common.

The optimal weights of independent voters are log-odds (Shapley and Grofman, 1984).
Voters are not independent: models err together on the items that are hard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence import PairSums, VoteCounts, error_correlation
from stackingnet_sk.weights.dawid_skene import DawidSkene

# What the label-free estimate leaves of the correlation of errors is a third of it, as
# panels of language models show where labels are known (0.17 to 0.37 there): models
# that err together look the more reliable. Of independent voters nothing is left.
_ABSORBED = 3.0
# By how much agreement overstates what votes are worth, a unit of correlation: models
# that err together agree on their errors. On the same panels log-odds from agreement
# are best divided by 1.6 to 5; of independent voters by 1.
_OVERSTATED = 6.0
# Beyond, all but the best models would be given up on the word of an estimate.
_MOST_CORRELATION = 0.4
# Labelled answers, on each class, that the label-free estimate counts for.
LABEL_FREE_ROWS = 100.0


def blended_confusion(
    counts: VoteCounts, label_free: DawidSkene
) -> NDArray[np.float64]:
    r"""Confusion of each model from its labelled votes and from the agreement of all.

    ``C_mk = (n_mk F_mk + 100 D_mk) / (n_mk + 100)``: the frequencies F on the rows of
    class k that have a label and a vote of model m, blended with the estimate D of
    :func:`dawid_skene`, which is the posterior mean under a Dirichlet prior.

    Parameters
    ----------
    counts : VoteCounts
        Votes, some of them labelled.
    label_free : DawidSkene
        Estimate from all rows.

    Returns
    -------
    ndarray of shape (n_models, n_classes, n_classes)
        Entries above zero; rows sum to one.
    """
    joint = counts.joint(counts.labelled)
    known: NDArray[np.float64] = joint.sum(axis=2, keepdims=True)
    return (joint + LABEL_FREE_ROWS * label_free.confusion) / (known + LABEL_FREE_ROWS)


def blended_rates(counts: VoteCounts, label_free: DawidSkene) -> NDArray[np.float64]:
    """Rates of the classes, blended as :func:`blended_confusion`.

    Parameters
    ----------
    counts : VoteCounts
        Votes, some of them labelled.
    label_free : DawidSkene
        Estimate from all rows.

    Returns
    -------
    ndarray of shape (n_classes,)
        Above zero; they sum to one. A class that nobody has seen still has its share
        of one row.
    """
    rates = counts.n_labelled + LABEL_FREE_ROWS * label_free.class_prior
    rates += 1.0 / counts.n_classes
    return rates / float(rates.sum())


def blended_correlation(counts: VoteCounts, label_free: DawidSkene) -> float:
    """Correlation of two models' errors, mean over the pairs.

    The correlation that the labels show, blended as :func:`blended_confusion` with
    three times the correlation that is left in the label-free estimate, at most 0.4.
    A hundred rows of none keep the noise of few rows from passing for correlation.

    Parameters
    ----------
    counts : VoteCounts
        Votes, some of them labelled.
    label_free : DawidSkene
        Estimate from all rows.

    Returns
    -------
    float
        In [0, 0.4].
    """
    guessed = label_free.posterior * counts.unlabelled[:, None] + counts.labelled
    seen = _ABSORBED * _mean_correlation(counts, guessed)
    seen *= counts.weight / (counts.weight + LABEL_FREE_ROWS)
    with_labels = _mean_correlation(counts, counts.labelled)
    n_labelled = float(counts.labelled.sum())
    blend = n_labelled * with_labels + LABEL_FREE_ROWS * min(seen, _MOST_CORRELATION)
    return min(blend / (n_labelled + LABEL_FREE_ROWS), _MOST_CORRELATION)


def confidence(counts: VoteCounts, correlation: float) -> float:
    """How far evidence that is partly from agreement is to be believed.

    Parameters
    ----------
    counts : VoteCounts
        Votes, some of them labelled.
    correlation : float
        That of :func:`blended_correlation`.

    Returns
    -------
    float
        One with labels, ``1 / (1 + 6 rho)`` without, blended as
        :func:`blended_confusion`.
    """
    n_labelled = float(counts.labelled.sum())
    agreement = LABEL_FREE_ROWS / (1.0 + _OVERSTATED * correlation)
    return (n_labelled + agreement) / (n_labelled + LABEL_FREE_ROWS)


def _mean_correlation(counts: VoteCounts, weights: NDArray[np.float64]) -> float:
    """Correlation of being right, mean over the pairs of models, at least zero."""
    # Not centred on common rows, which would be right: the constants above were chosen
    # with this centring, and the prior keeps it until they are chosen again.
    sums = PairSums.from_counts(counts, weights, centred_on_common_rows=False)
    correlation = error_correlation(sums)
    pairs = correlation[np.triu_indices_from(correlation, 1)]
    pairs = pairs[np.isfinite(pairs)]
    return max(float(pairs.mean()), 0.0) if pairs.size else 0.0


def log_odds(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evidence of each vote for each class, as if voters were independent.

    Parameters
    ----------
    confusion : ndarray of shape (n_models, n_classes, n_classes)
        Entries above zero.

    Returns
    -------
    ndarray of shape (n_models, n_classes, n_classes)
        Entry ``[m, a, k]``: ``log C[m, k, a]``, less its mean over the classes k.
    """
    evidence = np.log(confusion).transpose(0, 2, 1)
    centred: NDArray[np.float64] = evidence - evidence.mean(axis=2, keepdims=True)
    return centred


def margins(vote_weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of each model as one number.

    Parameters
    ----------
    vote_weights : ndarray of shape (n_models, n_classes, n_classes)
        What a vote for class a adds to the score of class k, at ``[m, a, k]``.

    Returns
    -------
    ndarray of shape (n_models,)
        By how much a vote raises the class that it names above the mean of the others,
        mean over the classes; ``w`` for ``w`` times the identity.
    """
    n_classes = vote_weights.shape[1]
    named = np.trace(vote_weights, axis1=1, axis2=2)
    others = (vote_weights.sum(axis=(1, 2)) - named) / max(n_classes - 1, 1)
    # Adding zero turns the zero of a discounted negative margin into a plain one.
    margin: NDArray[np.float64] = (named - others) / n_classes + 0.0
    return margin


def common_errors(
    evidence: NDArray[np.float64], correlation: float
) -> NDArray[np.float64]:
    r"""Discount evidence that the models have in common.

    Where the errors of M voters have the same correlation rho, the best linear
    combination of standardized votes with margins t (Fisher's discriminant, with the
    error correlation ``(1 - rho) I + rho 11'`` inverted) has weights

    .. math:: \frac{1}{1 - \rho}\left(t_m - \frac{M \rho}{1 + (M - 1) \rho}
              \bar t\right)

    and not t: M equal voters count as the effective number ``M / (1 + (M - 1) rho)`` of
    them, and those below a share of the average add nothing but errors that the others
    make too. The evidence of each model is scaled by the weight so found over its
    margin, at least zero. The margin of a model that votes against the truth counts by
    its size: turned around, it is as good as another.

    Parameters
    ----------
    evidence : ndarray of shape (n_models, n_classes, n_classes)
        That of :func:`log_odds`; zero for models that never answer, which don't count.
    correlation : float
        ``rho``, in [0, 1).

    Returns
    -------
    ndarray of shape (n_models, n_classes, n_classes)
    """
    size = np.abs(margins(evidence))
    size[size <= 1e-9 * size.max(initial=0.0)] = 0.0
    n_models = np.count_nonzero(size)
    if not n_models:
        return evidence
    shared = n_models * correlation / (1.0 + (n_models - 1) * correlation)
    kept = np.maximum(size - shared * size.sum() / n_models, 0.0)
    scale = np.divide(kept, size, out=np.zeros_like(size), where=size > 0)
    scale /= 1.0 - correlation
    discounted: NDArray[np.float64] = evidence * scale[:, None, None]
    return discounted


def balanced_accuracy(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the diagonal of each confusion matrix.

    Parameters
    ----------
    confusion : ndarray of shape (n_models, n_classes, n_classes)
        Rows sum to one.

    Returns
    -------
    ndarray of shape (n_models,)
    """
    accuracy: NDArray[np.float64] = confusion.diagonal(axis1=1, axis2=2).mean(axis=1)
    return accuracy
