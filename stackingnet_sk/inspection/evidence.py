"""How reliable the models of a combination are, and what it loses without some.

Numbers and votes have the same interface.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.constraints import compares_groups, constraint_parts
from stackingnet_sk.ensemble.number_rows import sum_rows
from stackingnet_sk.ensemble.regression_combiner import RegressionCombiner
from stackingnet_sk.ensemble.vote_combiner import VoteCombiner
from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.inspection.answers import ModelAnswers, require_models
from stackingnet_sk.weights import InfeasibleError
from stackingnet_sk.weights.reliability import reliability_parts
from stackingnet_sk.weights.vote_prior import LABEL_FREE_ROWS

# Standard errors beyond which a one-sided test at the 5 % level rejects.
_SURE = 1.645


def _squared_by_chance(n_rows: float) -> float:
    """Squared correlation that so many rows show by chance (Fisher's z)."""
    return float(np.tanh(_SURE / np.sqrt(n_rows - 3.0)) ** 2) if n_rows > 3 else 1.0


@dataclass(frozen=True, eq=False)
class _CombinerEvidence(ABC):
    """What is the same for numbers and votes.

    `combiner` is the combination, fitted to the rows. `error_is_known` is False if
    constraints on groups are in force and the groups are unknown.
    """

    combiner: RegressionCombiner | VoteCombiner
    error_is_known: bool = True

    @property
    @abstractmethod
    def labelled(self) -> bool:
        """Whether any row has a label."""

    @property
    def of_probabilities(self) -> bool:
        """Whether the models gave probabilities, of which only the votes are kept."""
        return False

    @property
    def names(self) -> NDArray[np.object_]:
        """Names of the models."""
        return self.combiner.model_names

    @property
    def reliability(self) -> NDArray[np.float64]:
        """Signed squared correlation with the truth, or balanced accuracy."""
        return self.combiner.reliability

    def error(self, models: NDArray[np.intp]) -> float:
        """Return the expected loss of the combination of some models (indices).

        NaN without labels, or if the groups of a constraint are unknown; infinity if no
        weights of these models fulfil all constraints. Probabilities count as votes,
        also those of all models, so that the errors can be compared.
        """
        if not self.labelled or not self.error_is_known:
            return float("nan")
        combiner = self.combiner
        if len(models) < len(self.names) or self.of_probabilities:
            try:
                combiner = combiner.subset(models)
            except InfeasibleError:
                return float("inf")
        return float(combiner.solution.expected_error)


@dataclass(frozen=True, eq=False)
class NumberEvidence(_CombinerEvidence):
    """What predictions and labels tell about the models of a regressor."""

    combiner: RegressionCombiner
    unit: ClassVar[str] = "root mean squared error"
    # Reliability of a model that predicts at random.
    chance: ClassVar[float] = 0.0

    @property
    def labelled(self) -> bool:
        """Whether any row has a label."""
        return self.combiner.moments.error_moments.weight > 0

    @property
    def answered(self) -> NDArray[np.float64]:
        """Share of all rows that each model answers."""
        return self.combiner.statistics.answered

    @cached_property
    def _parts(self) -> tuple[NDArray[np.float64], ...]:
        moments = self.combiner.moments
        return reliability_parts(
            moments.error_moments, moments.prediction_moments, moments.moments_per_model
        )

    @property
    def agreement(self) -> float:
        """Share of the reliability that rests on agreement, mean over the models."""
        return float((1.0 - self._parts[2]).mean())

    def against(self) -> list[list[str]]:
        """Evidence that a model runs against the others, or against the labels."""
        with_labels, label_free, _ = self._parts
        moments = self.combiner.moments
        sentences: list[list[str]] = [[] for _ in self.names]
        bound = _squared_by_chance(moments.prediction_moments.n_effective)
        for m in np.flatnonzero(-label_free > bound):
            sentences[m].append(
                "runs against the other models (factor loading "
                f"{-np.sqrt(-label_free[m]):.2g})"
            )
        for model, squared in enumerate(-with_labels):
            if squared > _squared_by_chance(moments.of_model(model).n_effective):
                sentences[model].append(
                    f"runs against the labels (correlation {-np.sqrt(squared):.2g})"
                )
        return sentences

    def quality(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Root mean squared error and bias of each model alone."""
        return self.combiner.moments.errors()

    def error(self, models: NDArray[np.intp]) -> float:
        """Return the expected error of the combination of some models (indices).

        If none of the models ever answers, the combination is the mean of the labels.
        """
        never = not self.combiner.moments.answering[models].any()
        if never and self.labelled and self.error_is_known:
            return float(np.sqrt(self.combiner.without_answers()[1]))
        return float(np.sqrt(super().error(models)))


@dataclass(frozen=True, eq=False)
class VoteEvidence(_CombinerEvidence):
    """What votes and labels tell about the models of a classifier."""

    combiner: VoteCombiner
    unit: ClassVar[str] = "log loss"

    @property
    def of_probabilities(self) -> bool:
        """Whether the models gave probabilities, of which only the votes are kept."""
        return self.combiner.of_probabilities

    @property
    def counts(self) -> VoteCounts:
        """Distinct rows of votes."""
        return self.combiner.counts

    @property
    def labelled(self) -> bool:
        """Whether any row has a label."""
        return self.counts.has_labels

    @property
    def answered(self) -> NDArray[np.float64]:
        """Share of all rows that each model answers."""
        return self.counts.answered

    @property
    def chance(self) -> float:
        """Balanced accuracy of a model that votes at random."""
        return 1.0 / self.counts.n_classes

    @property
    def agreement(self) -> float:
        """Share of the reliability that rests on agreement, mean over the classes."""
        n_labelled = self.counts.effective().n_labelled
        return float((LABEL_FREE_ROWS / (n_labelled + LABEL_FREE_ROWS)).mean())

    def against(self) -> list[list[str]]:
        """Evidence that a model votes against the others, or against the labels."""
        counts, voters = self.counts.effective(), self.combiner.voters
        agreement = voters.label_free.confusion.diagonal(axis1=1, axis2=2)
        # The estimate from agreement counts for at most this many rows of each class.
        answers = counts.answered[:, None] * voters.rates * counts.weight
        rows = np.minimum(answers, LABEL_FREE_ROWS)
        labelled_rows = counts.joint(counts.labelled).sum(axis=2)
        sentences: list[list[str]] = [[] for _ in self.names]
        for m in np.flatnonzero(self._below(agreement, rows) & voters.answers):
            sentences[m].append(
                "agrees with the other models below chance (balanced accuracy "
                f"{agreement[m].mean():.3f} by agreement)"
            )
        for m in np.flatnonzero(self._below(counts.recalls, labelled_rows)):
            sentences[m].append(
                "below chance on the labels (balanced accuracy "
                f"{counts.recalls[m].mean():.3f})"
            )
        return sentences

    def _below(
        self, recalls: NDArray[np.float64], rows: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Tell which balanced accuracies are significantly below chance.

        `recalls` (n_models, n_classes) are estimated from as many `rows`.
        """
        # Add one right and one wrong row to each class. Otherwise a few answers that
        # are all wrong would have a standard error of zero.
        rate = (np.nan_to_num(recalls) * rows + 1.0) / (rows + 2.0)
        error = np.sqrt((rate * (1.0 - rate) / (rows + 2.0)).sum(axis=1))
        upper = recalls.mean(axis=1) + _SURE * error / recalls.shape[1]
        below: NDArray[np.bool_] = upper < self.chance
        return below

    def quality(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Balanced accuracy of each model alone, and NaN: classes have no bias."""
        return self.counts.recalls.mean(axis=1), np.full(len(self.names), np.nan)


Evidence: TypeAlias = NumberEvidence | VoteEvidence


def marginal_changes(
    evidence: Evidence, use: NDArray[np.bool_], error: float
) -> NDArray[np.float64]:
    """Return the change of the combination's error if each model is dropped, or added.

    `use` tells which models are combined now, with `error`; each of them is dropped in
    turn, and each other model added. The change is NaN if no model would be left.
    """
    change = np.full(len(use), np.nan)
    for m in range(len(use)):
        changed = use.copy()
        changed[m] = not use[m]
        if changed.any():
            change[m] = evidence.error(changed.nonzero()[0]) - error
    return change


def stored_evidence(estimator: Any, *, labels: bool = False) -> Evidence:
    """Return the evidence from the rows that an estimator was fitted to.

    Raises NotFittedError, TypeError or ValueError if the estimator is not fitted, does
    not combine at least two models, or was fitted without labels that are needed.
    """
    require_models(estimator)
    evidence = _of_combiner(estimator.combiner_)
    if labels and not evidence.labelled:
        raise ValueError(
            f"The {type(estimator).__name__} was fitted without labels, so the error "
            "of a combination is unknown; fit it with y on at least some rows."
        )
    return evidence


def evidence_of_rows(estimator: Any, answers: ModelAnswers) -> Evidence:
    """Return the evidence about the models of a fitted estimator from other rows.

    Probabilities count as votes for the most probable class. The groups of these rows
    are unknown: if a constraint compares groups, only its constraint set is kept.
    """
    combiner = estimator.combiner_
    constraint = combiner.parameters.constraint
    error_is_known = not compares_groups(constraint)
    if not error_is_known:
        sets = [part for part in constraint_parts(constraint) if isinstance(part, str)]
        default = None if answers.classes is not None else "nonnegative"
        parameters = combiner.parameters._replace(
            constraint=sets[0] if sets else default
        )
        combiner = replace(combiner, parameters=parameters)
    if answers.classes is not None:
        counts = VoteCounts.from_rows(
            answers.votes, answers.labels, len(answers.classes)
        )
        return _of_combiner(combiner.refitted(counts), error_is_known)
    statistics = sum_rows(answers.table, answers.labels, None, answers.names)
    return _of_combiner(combiner.refitted(statistics), error_is_known)


def _of_combiner(
    combiner: RegressionCombiner | VoteCombiner, error_is_known: bool = True
) -> Evidence:
    if isinstance(combiner, VoteCombiner):
        return VoteEvidence(combiner, error_is_known)
    return NumberEvidence(combiner, error_is_known)
