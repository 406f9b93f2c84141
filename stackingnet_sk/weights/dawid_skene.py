"""Confusion matrices of the models, without knowing the true classes.

Method: Dawid and Skene's expectation maximization (1979), started from the majority
vote. Each model's confusion matrix is shrunk toward that of one coin (one accuracy for
all classes, all errors equally likely), and each accuracy toward the mean of all
models. The class of a labelled row is taken as known. Strength: iterations are cheap,
as there are few distinct rows, and nothing is random. Limit: the optimum is a local one
near the majority vote, and models that share an error look reliable to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from scipy.special import entr, gammaln, logsumexp, softmax

from stackingnet_sk.evidence.counts import VoteCounts
from stackingnet_sk.weights.families import Families
from stackingnet_sk.weights.shapes import (
    Array,
    Confusion,
    Rates,
    Table,
    Vector,
    Weights,
)

# Number of answers, on each class, that the one coin counts for. It is at most the
# share below of the model's answers on a class, on average, as otherwise few answers
# would hardly count and similar classes would merge; and it is at least the number
# below. All three were chosen on real votes, on whole tables and on 100 to 1,000 rows
# of them. The results are flat around them.
_ONE_COIN_ROWS = 200.0
_ONE_COIN_SHARE = 0.25
_ONE_COIN_FEWEST = 5.0
# Number of answers that the mean accuracy of all models counts for.
_PANEL_ROWS = 50.0
# Number of further rows, shared by all classes equally, as a share of all rows. Without
# them, while the rates of the classes are unknown, a rare class can lose all its rows
# to a frequent one.
_EQUAL_CLASSES = 0.2

# Agreement of fewer models does not show which of them is right.
_IDENTIFIED = 3
# Largest skill (accuracy above chance, rescaled to at most 1) of one or two models. Two
# models that never disagree need not be perfect.
_MOST_SKILL = 0.99

# Smallest probability of an error, and of a right answer.
_POSSIBLE = 1e-12

_MAX_ITERATIONS = 2000
# Largest change of a posterior probability in the last iteration.
_TOLERANCE = 1e-7


class VoterStructure(Protocol):
    """How the voters' confusion and the rates of the classes are parametrized."""

    name: ClassVar[str]

    def estimate(
        self, joint: Confusion, rates: Rates, shares: Weights
    ) -> tuple[Confusion, Rates]:
        """Estimate confusion and class prior from the current class probabilities.

        `joint` is the weight of each model's votes by class, see
        :meth:`VoteCounts.joint`, and `rates` the weight of the rows of each class. The
        prior is the probability of each class before any vote is known. Both may have
        further axes in front, for several estimates at once. `shares` is what each
        model counts in means over the panel.
        """

    def log_evidence(self, joint: Confusion, rates: Rates) -> float:
        """Log-probability of votes and classes, with all parameters integrated out."""

    def class_rates(self, rates: Rates) -> Rates:
        """Rates of the classes, from the weight of the rows of each class."""


@dataclass(frozen=True, eq=False)
class DawidSkene:
    """Estimated confusion of each model and rates of the classes.

    `confusion` is the probability of each vote of a model that answers, and
    `class_prior` the rate of each class over all rows. `log_likelihood` is that of the
    votes, and of labels if there are any, at the start of each iteration, in nats; it
    leaves out the shrinkage, so it may fall a little. `converged` tells whether the
    last iteration changed no posterior probability by more than 1e-7; it is True for
    fewer than three models, which need no iteration. `posterior` is the probability of
    each class given each pattern of votes. `families` is the family of each model; the
    members of a family share one vote.
    """

    confusion: Confusion
    class_prior: Rates
    log_likelihood: Vector
    converged: bool
    posterior: Table
    structure: VoterStructure
    families: Families

    @property
    def shares(self) -> Weights:
        """Share of each model in the vote of its family."""
        return family_shares(self.families)

    def log_evidence(self, counts: VoteCounts) -> float:
        """Lower bound of the log-probability of all votes and labels, in nats.

        The evidence is convex in the counts, so its value at the expected counts, plus
        the entropy of the classes, is at most the logarithm of the sum over all classes
        (Jensen).
        """
        weights = self.posterior * counts.unlabelled[:, None] + counts.labelled
        evidence = self.structure.log_evidence(
            counts.joint(weights), weights.sum(axis=0)
        )
        return evidence + float(counts.unlabelled @ entr(self.posterior).sum(axis=1))


def dawid_skene(counts: VoteCounts) -> DawidSkene:
    """Estimate confusion matrices from votes, with or without labels.

    Raises a ValueError if the total weight is zero. If fewer than three models answer,
    agreement cannot tell which of them is right, so they count as equally accurate
    coins.

    Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM
    algorithm", Applied Statistics 28, 1979.

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
        raise ValueError(
            "the rows have no weight; give a positive one to at least one row"
        )
    if not identified(counts):
        return _one_or_two_models(counts)
    return maximize_expectation(counts, FullConfusion())


def maximize_expectation(
    counts: VoteCounts, structure: VoterStructure, families: Families | None = None
) -> DawidSkene:
    """Maximize the expectation from the majority vote, under a structure.

    Each model is its own family unless `families` says otherwise.
    """
    if families is None:
        families = np.arange(counts.n_models)
    share = family_shares(families)
    posterior = majority(counts, share)
    log_likelihood: list[float] = []
    converged = False
    while not converged and len(log_likelihood) < _MAX_ITERATIONS:
        weights = posterior * counts.unlabelled[:, None] + counts.labelled
        rates = weights.sum(axis=0)
        confusion, prior = structure.estimate(counts.joint(weights), rates, share)
        joint = log_votes(counts, confusion, share) + np.log(prior)
        evidence = logsumexp(joint, axis=1)
        log_likelihood.append(
            float(counts.unlabelled @ evidence + (counts.labelled * joint).sum())
        )
        updated = np.exp(joint - evidence[:, None])
        converged = bool(np.abs(updated - posterior).max() <= _TOLERANCE)
        posterior = updated
    trace = np.array(log_likelihood)
    class_rates = structure.class_rates(rates)
    return DawidSkene(
        confusion, class_rates, trace, converged, posterior, structure, families
    )


def identified(counts: VoteCounts) -> bool:
    """Tell whether at least three models answer: agreement then shows who is right."""
    return int((counts.patterns >= 0).any(axis=0).sum()) >= _IDENTIFIED


@dataclass(frozen=True)
class FullConfusion:
    """A confusion matrix per model, shrunk toward one coin per model."""

    name: ClassVar[str] = "full"

    def estimate(
        self, joint: Confusion, rates: Rates, shares: Weights
    ) -> tuple[Confusion, Rates]:
        """Shrink the frequencies of votes, and add some rows of all classes."""
        n_classes = rates.shape[-1]
        further = _EQUAL_CLASSES * rates.sum(axis=-1, keepdims=True) / n_classes
        prior = rates + np.maximum(further, _POSSIBLE)
        confusion = shrunk_confusion(joint, self._one_coin(joint), shares)
        return confusion, prior / prior.sum(axis=-1, keepdims=True)

    def class_rates(self, rates: Rates) -> Rates:
        """Return the share of each class in the rows."""
        return rates / float(rates.sum())

    def log_evidence(self, joint: Confusion, rates: Rates) -> float:
        """Evidence with the coins where they are estimated, and any weight of them.

        The weight is that of the estimate, a half of it, a quarter and so on. Each coin
        costs half the logarithm of the number of its answers (Schwarz, 1978).
        """
        most = self._one_coin(joint)[:, None, None]
        weights = 2.0 ** -np.arange(np.log2(most.max()))
        coin = most * one_coins(joint, np.ones(len(joint)))
        each = [dirichlet_evidence(joint, weight * coin) for weight in weights]
        costs = 0.5 * float(np.log1p(joint.sum(axis=(1, 2))).sum())
        evidence = float(logsumexp(each) - np.log(len(each))) - costs
        return evidence + dirichlet_evidence(rates, np.ones(len(rates)))

    @staticmethod
    def _one_coin(joint: Confusion) -> Array:
        """Return the number of answers on each class that each model's coin counts for.

        In a sparse table a model answers few of the rows.
        """
        rows = _ONE_COIN_SHARE * joint.sum(axis=(-2, -1)) / joint.shape[-1]
        return np.asarray(np.clip(rows, _ONE_COIN_FEWEST, _ONE_COIN_ROWS))


def dirichlet_evidence(counts: Array, prior: Array) -> float:
    """Log-probability of drawn classes, with Dirichlet priors on the last axis."""

    def normalizer(parameters: Array) -> float:
        parts = gammaln(parameters).sum(axis=-1) - gammaln(parameters.sum(axis=-1))
        return float(parts.sum())

    return normalizer(counts + prior) - normalizer(prior)


def _one_or_two_models(counts: VoteCounts) -> DawidSkene:
    """Estimate one accuracy for all models and classes.

    The votes of two models show only the product of their skills, that is, of their
    accuracy above chance. The votes of one model show nothing, so its log-odds are set
    to one.
    """
    n_classes = counts.n_classes
    weights = counts.labelled.sum(axis=1) + counts.unlabelled
    answered_by_two = weights * ((counts.patterns >= 0).sum(axis=1) > 1)
    skill = np.expm1(1.0) / (np.e + n_classes - 1.0)
    if answered_by_two.any() and n_classes > 1:
        ordered = np.sort(counts.patterns, axis=1)
        agree = ordered[:, -1] == ordered[:, -2]
        agreement = float(answered_by_two @ agree) / answered_by_two.sum()
        chance = 1.0 / n_classes
        skill = np.sqrt(max((agreement - chance) / (1.0 - chance), 0.0))
    accuracy = (1.0 + (n_classes - 1.0) * min(skill, _MOST_SKILL)) / n_classes
    confusion = coins(np.full(counts.n_models, accuracy), n_classes)
    posterior = softmax(log_votes(counts, confusion), axis=1)
    rates = (posterior * counts.unlabelled[:, None] + counts.labelled).sum(axis=0)
    rates /= rates.sum()
    joint = log_votes(counts, confusion) + np.log(rates + np.finfo(float).tiny)
    log_likelihood = counts.unlabelled @ logsumexp(joint, axis=1)
    log_likelihood += (counts.labelled * joint).sum()
    trace = np.array([log_likelihood])
    families = np.arange(counts.n_models)
    structure = FullConfusion()
    return DawidSkene(confusion, rates, trace, True, posterior, structure, families)


def family_shares(families: Families) -> Weights:
    """Share of each model in the vote of its family, all members equally."""
    shares: Weights = 1.0 / np.bincount(families)[families]
    return shares


def majority(counts: VoteCounts, share: Weights | None = None) -> Table:
    """Majority vote of each pattern, as probabilities of the classes.

    Classes with equally many votes share the row, and all classes share a row without
    votes. `share` is what a vote of each model counts, one by default.
    """
    if share is None:
        share = np.ones(counts.n_models)
    votes = counts.design @ np.kron(share[:, None], np.eye(counts.n_classes))
    # Shares such as thirds add up to whole votes up to rounding.
    votes = np.round(votes, 9)
    winners = votes == votes.max(axis=1, keepdims=True)
    chances: Array = winners / winners.sum(axis=1, keepdims=True)
    return chances


def shrunk_confusion(joint: Confusion, one_coin: Array, shares: Weights) -> Confusion:
    """Shrink confusion matrices toward one coin per model, and coins toward their mean.

    `joint` is the weight of each model's votes by true class, see
    :meth:`VoteCounts.joint`; the coin counts for `one_coin` answers on each class.
    Entries of the result, of the same shape, are above zero, and rows sum to one.
    """
    worth = one_coin[..., None, None]
    total: Array = joint.sum(axis=-1, keepdims=True) + worth
    return (joint + worth * one_coins(joint, shares)) / total


def one_coins(joint: Confusion, shares: Weights) -> Confusion:
    """Estimate one coin per model, shrunk toward the mean of all models.

    `shares` is what each model counts in that mean.
    """
    n_classes = joint.shape[-1]
    right = joint.diagonal(axis1=-2, axis2=-1).sum(axis=-1)
    answers = joint.sum(axis=(-2, -1))
    panel = (shares * right).sum(axis=-1, keepdims=True) + 1.0
    panel /= (shares * answers).sum(axis=-1, keepdims=True) + n_classes
    return coins((right + _PANEL_ROWS * panel) / (answers + _PANEL_ROWS), n_classes)


def coins(accuracy: Weights, n_classes: int) -> Confusion:
    """Return confusion matrices of coins: all errors are equally likely."""
    # Errors keep a positive probability, however many rows agree.
    accuracy = np.clip(accuracy, _POSSIBLE, 1.0 - _POSSIBLE)
    if n_classes == 1:
        accuracy = np.ones_like(accuracy)
    error = (1.0 - accuracy) / max(n_classes - 1, 1)
    right, wrong = accuracy[..., None, None], error[..., None, None]
    return np.where(np.eye(n_classes, dtype=bool), right, wrong)


def log_votes(
    counts: VoteCounts, confusion: Confusion, share: Weights | None = None
) -> Table:
    """Log-probability of each pattern's votes given each class.

    `share` is what the vote of each model counts, one by default.
    """
    n_classes = counts.n_classes
    log_confusion = np.log(confusion).transpose(0, 2, 1)
    if share is not None:
        log_confusion = log_confusion * share[:, None, None]
    scores: Array = counts.design @ log_confusion.reshape(-1, n_classes)
    return scores
