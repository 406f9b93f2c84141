"""The centre of the prior on vote weights: discounted log-odds of the confusion.

The optimal weights of independent voters are log-odds (Shapley and Grofman, 1984).
Models are not independent: they err together on the items that are hard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stackingnet_sk.evidence import PairSums, VoteCounts, error_correlation
from stackingnet_sk.weights.dawid_skene import DawidSkene
from stackingnet_sk.weights.shapes import (
    Array,
    Confusion,
    Rates,
    VoteWeights,
    Weights,
)

# Factor on the correlation of errors that the label-free estimate shows. Models that
# err together look more reliable there, so that only a share of the correlation is
# left: 0.17 to 0.37 on panels of language models with known labels, and nothing if
# voters are independent.
_ABSORBED = 3.0
# Log-odds from agreement are divided by one plus this times the correlation: models
# that err together agree on their errors, so agreement overstates the evidence. On the
# same panels the best divisor is 1.6 to 5, and 1 if voters are independent.
_OVERSTATED = 6.0
# Largest correlation. Above it, an estimate would discard all but the best models.
_MOST_CORRELATION = 0.4
# Number of voters, or of rows, that stands for none.
_LEAST = 1e-300
# Number of rows of each class that the share of all rows on which a model abstains
# counts for.
_ABSTAINING_ROWS = 10.0
# A smaller share of rows is rounding.
_ROUNDING = 1e-9
# Number of labelled answers, on each class, that the label-free estimate counts for.
LABEL_FREE_ROWS = 100.0


@dataclass(frozen=True, eq=False)
class Center:
    """Where the prior on vote weights, and on abstaining, is centred.

    `evidence` adds to the scores of the classes, for each model and answer: a vote for
    each class, and abstaining, which comes last. Its shape is (n_models, n_classes + 1,
    n_classes). `without` returns it as it is without one labelled row: given the
    one-hot votes (n_rows, n_models, n_classes) of rows of one class, and that class, it
    returns evidence with a first axis of n_rows. It is None if the centre does not
    depend on single labelled rows.
    """

    name: str
    evidence: Array
    without: Callable[[Array, int], Array] | None = None

    @property
    def vote_weights(self) -> VoteWeights:
        """Evidence of the votes alone."""
        return self.evidence[:, :-1]


def only_votes(vote_weights: Array) -> Array:
    """Evidence of votes, where abstaining says nothing."""
    abstaining = np.zeros_like(vote_weights[..., :1, :])
    return np.concatenate([vote_weights, abstaining], axis=-2)


def blend(joint: Confusion, label_free: Confusion) -> Confusion:
    """Blend the confusion on labelled votes with the label-free estimate.

    ``C_mk = (n_mk F_mk + 100 D_mk) / (n_mk + 100)``, with the frequencies F of model
    m's votes on the ``n_mk`` labelled rows of class k that it answers, and the estimate
    D of :func:`dawid_skene`. This is the posterior mean under a Dirichlet prior.
    Entries of the result are above zero, and rows sum to one. `joint` are the labelled
    votes, see :meth:`VoteCounts.joint`.
    """
    total: Array = joint.sum(axis=-1, keepdims=True) + LABEL_FREE_ROWS
    return (joint + LABEL_FREE_ROWS * label_free) / total


def blended_rates(counts: VoteCounts, label_free: DawidSkene) -> Rates:
    """Blend the rates of the classes as :func:`blend`.

    They are above zero and sum to one. One further row is
    shared by all classes, so that a class without any row keeps a rate.
    """
    rates = counts.n_labelled + LABEL_FREE_ROWS * label_free.class_prior
    rates += 1.0 / counts.n_classes
    return rates / float(rates.sum())


def blended_correlation(counts: VoteCounts, label_free: DawidSkene) -> float:
    """Mean over the pairs of models of the correlation of their errors, in [0, 0.4].

    The correlation on labelled rows is blended, as in :func:`blend`, with
    three times the correlation that remains in the label-free estimate, at most 0.4.
    The latter is shrunk by a hundred rows of no correlation, so that the noise of few
    rows does not pass for correlation. What counts is the number of rows that two
    models both answer, which is small if each item has few of many voters.
    """
    labelled_rows = counts.labelled.sum(axis=1)
    posterior = label_free.posterior * counts.unlabelled[:, None] + counts.labelled
    agreement = _ABSORBED * _mean_correlation(counts, posterior, label_free)
    n_common = counts.common_rows(labelled_rows + counts.unlabelled)
    agreement *= n_common / (n_common + LABEL_FREE_ROWS)
    labelled = _mean_correlation(counts, counts.labelled, label_free)
    n_labelled = counts.common_rows(labelled_rows)
    blend = n_labelled * labelled + LABEL_FREE_ROWS * min(agreement, _MOST_CORRELATION)
    return min(blend / (n_labelled + LABEL_FREE_ROWS), _MOST_CORRELATION)


def confidence(counts: VoteCounts, correlation: float) -> float:
    """Factor in (0, 1] on evidence that comes in part from agreement.

    It is one with labels and ``1 / (1 + 6 rho)`` without, blended as in
    :func:`blend`; ``rho`` is that of :func:`blended_correlation`.
    """
    n_labelled = float(counts.labelled.sum())
    agreement = LABEL_FREE_ROWS / (1.0 + _OVERSTATED * correlation)
    return (n_labelled + agreement) / (n_labelled + LABEL_FREE_ROWS)


def _mean_correlation(
    counts: VoteCounts, weights: Weights, label_free: DawidSkene
) -> float:
    """Correlation of being right, mean over the pairs of families, at least zero."""
    families, shares = label_free.families, label_free.shares
    # Not centred on common rows, which would be right: the constants above were chosen
    # with this centring, and the prior keeps it until they are chosen again.
    sums = PairSums.from_counts(counts, weights, centred_on_common_rows=False)
    correlation = error_correlation(sums)
    counted = np.outer(shares, shares) * np.isfinite(correlation)
    # Members of a family share a vote, so that their common errors count once anyway.
    counted[families[:, None] == families] = 0.0
    total = float(counted.sum())
    if total == 0:
        return 0.0
    return max(float((counted * np.nan_to_num(correlation)).sum()) / total, 0.0)


def log_odds(confusion: Confusion) -> VoteWeights:
    """Evidence of each vote for each class, as if voters were independent.

    Entry ``[m, a, k]`` of the result is ``log C[m, k, a]`` minus its mean over the
    classes k; entries of C are above zero.
    """
    evidence = np.log(confusion).swapaxes(-2, -1)
    centred: Array = evidence - evidence.mean(axis=-1, keepdims=True)
    return centred


def abstention(joint: Confusion, rates: Rates) -> Array:
    """Evidence in abstaining for each class, of shape (n_models, n_classes).

    It is the logarithm of the share of the rows of each class on which the model
    abstains, minus its mean over the classes. The share on all rows counts for ten rows
    of each class. `joint` are the votes and `rates` the rows of each class; both may
    have further axes in front.
    """
    rows = rates[..., None, :]
    abstaining = np.maximum(rows - joint.sum(axis=-1), 0.0)
    total = np.maximum(rows.sum(axis=-1, keepdims=True), _LEAST)
    overall = abstaining.sum(axis=-1, keepdims=True) / total
    share = (abstaining + _ABSTAINING_ROWS * overall) / (rows + _ABSTAINING_ROWS)
    evidence = np.log(share, out=np.zeros_like(share), where=overall > _ROUNDING)
    centred: Array = evidence - evidence.mean(axis=-1, keepdims=True)
    return centred


def margins(vote_weights: VoteWeights) -> Weights:
    """Weight of each model as one number.

    The margin is by how much a vote raises the score of the class
    that it names above the mean score of the others, averaged over the classes. It is
    ``w`` if the vote weights are ``w`` times the identity.
    """
    n_classes = vote_weights.shape[-1]
    named = np.trace(vote_weights, axis1=-2, axis2=-1)
    others = (vote_weights.sum(axis=(-2, -1)) - named) / max(n_classes - 1, 1)
    # Adding zero turns -0.0, from a discounted negative margin, into 0.0.
    margin: Array = (named - others) / n_classes + 0.0
    return margin


def common_errors(
    evidence: VoteWeights,
    correlation: float,
    n_answers: float = np.inf,
    shares: Weights | None = None,
) -> VoteWeights:
    r"""Discount the evidence of votes for errors that the models have in common.

    If the errors of all M voters have the same correlation rho, the best linear
    combination of standardized votes with margins t (Fisher's discriminant, with the
    error correlation ``(1 - rho) I + rho 11'`` inverted) has the weights

    .. math:: \frac{1}{1 - \rho}\left(t_m - \frac{M \rho}{1 + (M - 1) \rho}
              \bar t\right)

    instead of t. M equal voters then count as the effective number
    ``M / (1 + (M - 1) rho)`` of voters, and voters below a share of the average only
    add errors that the others make too. The evidence of each model is multiplied by
    that weight, at least zero, over its margin. A negative margin counts by its size: a
    model that votes against the truth is as good as another once it is turned around.

    `evidence` is that of :func:`log_odds`, and zero for models that never answer, which
    are not counted in M. `correlation` is ``rho``, in [0, 1). `n_answers` is the number
    of answers on a row, which replaces M if it is smaller: the errors of models that do
    not answer are not added. `shares` is the share of each model in the vote of its
    family, one by default; the voters are then the families, and the members of each
    share its weight. Evidence may have further axes in front.
    """
    scale = error_discount(evidence, correlation, n_answers, shares)
    discounted: Array = evidence * scale[..., None, None]
    return discounted


def error_discount(
    evidence: VoteWeights,
    correlation: float,
    n_answers: float = np.inf,
    shares: Weights | None = None,
) -> Weights:
    """Factor on the evidence of each model, see :func:`common_errors`."""
    size = np.abs(margins(evidence))
    size[size <= 1e-9 * size.max(axis=-1, initial=0.0, keepdims=True)] = 0.0
    voting = np.where(size > 0, 1.0 if shares is None else shares, 0.0)
    n_models = voting.sum(axis=-1, keepdims=True)
    n_voters = np.maximum(np.minimum(n_answers, n_models), 1.0)
    shared = n_voters * correlation / (1.0 + (n_voters - 1.0) * correlation)
    mean = (voting * size).sum(axis=-1, keepdims=True) / np.maximum(n_models, _LEAST)
    kept = np.maximum(size - shared * mean, 0.0)
    scale = np.divide(kept, size, out=np.zeros_like(size), where=size > 0)
    scale *= voting / (1.0 - correlation)
    # Without any margin there is nothing to discount.
    return np.where(n_models > 0, scale, 1.0)


def balanced_accuracy(confusion: Confusion) -> Weights:
    """Mean of the diagonal of each model's confusion matrix, whose rows sum to one."""
    accuracy: Array = confusion.diagonal(axis1=1, axis2=2).mean(axis=1)
    return accuracy
