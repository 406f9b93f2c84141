"""What agreement shows about voters, in as much detail as the votes can bear.

Method: three structures are estimated by expectation maximization from the majority
vote: one coin for the panel, which amounts to the majority vote, one coin per model,
and a confusion matrix per model (Dawid and Skene). A lower bound of the evidence
chooses. Strength: with voters near chance, or many classes and few rows, the noise of
many parameters costs more than they are worth. Limit: models that share their errors
look reliable under each of the structures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import betaln

from stackingnet_sk.evidence.counts import VoteCounts
from stackingnet_sk.weights.dawid_skene import (
    DawidSkene,
    VoterStructure,
    coins,
    dawid_skene,
    dirichlet_evidence,
    family_shares,
    identified,
    maximize_expectation,
)
from stackingnet_sk.weights.families import (
    COPIES,
    merge_families,
    possible_families,
    same_errors,
)
from stackingnet_sk.weights.shapes import Confusion, Rates, Weights

# Number of answers that the mean accuracy of the panel counts for if each model has a
# coin of its own. Generated panels lose as little with 8, and more with 2; on the real
# tables here the choice is the same with all three.
_COIN_ROWS = 4.0
# Nats per row that the choice cannot matter for: a table with more rows than that has
# enough of them to estimate all confusion matrices.
_CHEAP = 0.01


@dataclass(frozen=True)
class _WithRates:
    """Rates of the classes that are equal, or are estimated."""

    equal_rates: bool

    def class_rates(self, rates: Rates) -> Rates:
        """Return equal rates, or the shares of the rows."""
        if self.equal_rates:
            return np.full(rates.shape, 1.0 / rates.shape[-1])
        shares: Rates = rates / rates.sum(axis=-1, keepdims=True)
        return shares

    def rates_evidence(self, rates: Rates) -> float:
        """Log-probability of the classes of all rows."""
        if self.equal_rates:
            return -float(rates.sum()) * float(np.log(len(rates)))
        return dirichlet_evidence(rates, np.ones(len(rates)))


@dataclass(frozen=True)
class Coins(_WithRates):
    """One probability of a right vote for each model; all errors are equally likely.

    The probabilities have a Beta prior around the mean of the panel, which counts for
    so many `answers`. If these are infinite, there is one coin for the panel.
    """

    answers: float
    name: ClassVar[str] = "coins"

    def estimate(
        self, joint: Confusion, rates: Rates, shares: Weights
    ) -> tuple[Confusion, Rates]:
        """Return posterior means."""
        right, wrong = _right_and_wrong(joint)
        mean = _panel_mean(shares * right, shares * wrong)
        if np.isinf(self.answers):
            accuracy = np.broadcast_to(mean, right.shape)
        else:
            accuracy = (right + self.answers * mean) / (right + wrong + self.answers)
        return coins(accuracy, rates.shape[-1]), self.class_rates(rates + 1.0)

    def log_evidence(self, joint: Confusion, rates: Rates) -> float:
        """Return the evidence; the mean of a prior costs half a ``log(n_models)``."""
        right, wrong = _right_and_wrong(joint)
        if np.isinf(self.answers):
            evidence = betaln(right.sum() + 1.0, wrong.sum() + 1.0)
        else:
            mean = _panel_mean(right, wrong)
            a, b = self.answers * mean, self.answers * (1.0 - mean)
            evidence = (betaln(right + a, wrong + b) - betaln(a, b)).sum()
            evidence -= 0.5 * np.log(len(right))
        which_error = wrong.sum() * np.log(max(len(rates) - 1, 1))
        return float(evidence - which_error) + self.rates_evidence(rates)


@dataclass(frozen=True)
class PanelConfusion(_WithRates):
    """One confusion matrix for all models.

    It shows whether votes for some classes are more often wrong than for others, of
    which coins know nothing. Its estimate is not used: on real votes it may take
    difficult items for a class of their own.
    """

    name: ClassVar[str] = "panel confusion"

    def estimate(
        self, joint: Confusion, rates: Rates, shares: Weights
    ) -> tuple[Confusion, Rates]:
        """Return posterior means."""
        joint = shares[:, None, None] * joint
        posterior = joint.sum(axis=-3, keepdims=True) + self._prior(joint)
        confusion = posterior / posterior.sum(axis=-1, keepdims=True)
        return np.broadcast_to(confusion, joint.shape), self.class_rates(rates + 1.0)

    def log_evidence(self, joint: Confusion, rates: Rates) -> float:
        """Return the evidence."""
        votes = dirichlet_evidence(joint.sum(axis=0), self._prior(joint)[0])
        return votes + self.rates_evidence(rates)

    @staticmethod
    def _prior(joint: Confusion) -> Confusion:
        """As many answers of the panel's coin on each class as there are classes."""
        n_classes = joint.shape[-1]
        mean = _panel_mean(*_right_and_wrong(joint))
        prior: Confusion = n_classes * coins(mean, n_classes)
        return prior


def _right_and_wrong(joint: Confusion) -> tuple[Weights, Weights]:
    """Weight of the right and of the wrong votes of each model."""
    right: Weights = joint.diagonal(axis1=-2, axis2=-1).sum(axis=-1)
    return right, np.maximum(joint.sum(axis=(-2, -1)) - right, 0.0)


def _panel_mean(right: Weights, wrong: Weights) -> Weights:
    """Posterior mean of the accuracy of one coin for the panel, of length one."""
    total = (right + wrong).sum(axis=-1, keepdims=True)
    mean: Weights = (right.sum(axis=-1, keepdims=True) + 1.0) / (total + 2.0)
    return mean


def estimate_voters(counts: VoteCounts) -> DawidSkene:
    """Estimate confusion and class rates from votes, with or without labels.

    Coins are preferred to the matrices of :func:`dawid_skene` if their evidence is
    above that of both kinds of matrices. Copies of one voter share its vote, see
    :mod:`~stackingnet_sk.weights.families`. Errors are those of :func:`dawid_skene`.
    """
    chosen, most = _choose_structure(counts)
    families = np.arange(counts.n_models)
    for group in possible_families(counts):
        trial = families.copy()
        trial[group] = group[0]
        trial = np.unique(trial, return_inverse=True)[1]
        merged, of_members = merge_families(counts, trial)
        if not identified(merged):
            continue
        fewer, evidence = _choose_structure(merged)
        in_families = np.count_nonzero(family_shares(trial) < 1.0)
        # Each member could be any of the models.
        evidence += of_members - in_families * np.log(counts.n_models)
        if evidence <= most:
            continue
        estimate = maximize_expectation(counts, fewer.structure, trial)
        classes = estimate.posterior * counts.unlabelled[:, None] + counts.labelled
        if same_errors(counts, classes, group) > COPIES:
            chosen, most, families = estimate, evidence, trial
    return chosen


def _choose_structure(counts: VoteCounts) -> tuple[DawidSkene, float]:
    """Estimate the structure with the most evidence, and return a bound of that."""
    full = dawid_skene(counts)
    bound = full.log_evidence(counts)
    if not identified(counts) or counts.n_classes == 1 or _is_ample(counts):
        return full, bound

    def estimates(*structures: VoterStructure) -> list[tuple[float, DawidSkene]]:
        found = [maximize_expectation(counts, each) for each in structures]
        return [(estimate.log_evidence(counts), estimate) for estimate in found]

    matrices = estimates(PanelConfusion(True), PanelConfusion(False))
    bound = max(bound, *(evidence for evidence, _ in matrices))
    best, evidence = full, bound
    for gained, estimate in estimates(
        Coins(True, np.inf),
        Coins(False, np.inf),
        Coins(True, _COIN_ROWS),
        Coins(False, _COIN_ROWS),
    ):
        if gained > evidence:
            best, evidence = estimate, gained
    return best, evidence


def _is_ample(counts: VoteCounts) -> bool:
    """Tell whether there are so many rows that all matrices can be estimated."""
    n_models, n_classes, rows = counts.n_models, counts.n_classes, counts.weight
    cost = 0.5 * n_models * n_classes * (n_classes - 1) * np.log(max(rows, 1.0))
    return bool(cost < _CHEAP * rows)
