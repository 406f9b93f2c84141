"""What a combination's rows say of its models: one interface for numbers and votes."""

from __future__ import annotations

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

# Number of standard errors that a one-sided test at the 5 % level requires.
_SURE = 1.645


def _by_chance(n_rows: float) -> float:
    """Correlation that so many rows show by chance (Fisher's z)."""
    return float(np.tanh(_SURE / np.sqrt(n_rows - 3.0))) if n_rows > 3.0 else 1.0


@dataclass(frozen=True, eq=False)
class NumberEvidence:
    """What predictions and labels tell about the models of a regressor.

    `combiner` is the combination, fitted to these rows. `error_is_known` is False if
    constraints on groups are in force and the groups are unknown.
    """

    combiner: RegressionCombiner
    error_is_known: bool = True
    unit: ClassVar[str] = "root mean squared error"

    @property
    def names(self) -> NDArray[np.object_]:
        """Names of the models."""
        return self.combiner.combined_names

    @property
    def labelled(self) -> bool:
        """Whether any row has a label."""
        return self.combiner.moments.error_moments.weight > 0

    @property
    def reliability(self) -> NDArray[np.float64]:
        """Signed squared correlation with the truth."""
        return self.combiner.reliability

    @property
    def answered(self) -> NDArray[np.float64]:
        """Share of all rows that each model answers."""
        return self.combiner.statistics.answered

    @property
    def chance(self) -> float:
        """Reliability of a model that knows nothing."""
        return 0.0

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
        bound = _by_chance(moments.prediction_moments.n_effective) ** 2
        for j in np.flatnonzero(-label_free > bound):
            sentences[j].append(
                "runs against the other models (factor loading "
                f"{-np.sqrt(-label_free[j]):.2g})"
            )
        for m, reasons in enumerate(sentences):
            against = -float(with_labels[m])
            if against > _by_chance(moments.of_model(m).n_effective) ** 2:
                reasons.append(
                    f"runs against the labels (correlation {-np.sqrt(against):.2g})"
                )
        return sentences

    def quality(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Root mean squared error and bias of each model alone."""
        return self.combiner.moments.errors()

    def error(self, models: NDArray[np.intp]) -> float:
        """Root of the squared error to expect of the combination of some models.

        NaN without labels, or if limits on groups are unknown here; infinity if no
        weights of these models fulfil all constraints. Of models that never answer, the
        mean of the labels is left.
        """
        never = not self.combiner.moments.answering[models].any()
        if never and self.labelled and self.error_is_known:
            return float(np.sqrt(self.combiner.without_answers()[1]))
        return float(np.sqrt(_expected_loss(self, models)))


@dataclass(frozen=True, eq=False)
class VoteEvidence:
    """What votes and labels tell about the models of a classifier.

    `combiner` is the combination, fitted to these rows. `error_is_known` is False if
    constraints on groups are in force and the groups are unknown.
    """

    combiner: VoteCombiner
    error_is_known: bool = True
    unit: ClassVar[str] = "log loss"

    @property
    def names(self) -> NDArray[np.object_]:
        """Names of the models."""
        return self.combiner.model_names

    @property
    def counts(self) -> VoteCounts:
        """Distinct rows of votes."""
        return self.combiner.counts

    @property
    def labelled(self) -> bool:
        """Whether any row has a label."""
        return self.counts.has_labels

    @property
    def reliability(self) -> NDArray[np.float64]:
        """Balanced accuracy."""
        return self.combiner.reliability

    @property
    def answered(self) -> NDArray[np.float64]:
        """Share of all rows that each model answers."""
        return self.counts.answered

    @property
    def chance(self) -> float:
        """Balanced accuracy of a model that knows nothing."""
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
        """Whether balanced accuracies are below chance by more than chance allows."""
        # One more row of each kind, because otherwise a few answers that are all wrong
        # would be taken for certain evidence.
        rate = (np.nan_to_num(recalls) * rows + 1.0) / (rows + 2.0)
        error = np.sqrt((rate * (1.0 - rate) / (rows + 2.0)).sum(axis=1))
        most: NDArray[np.float64] = (
            recalls.mean(axis=1) + _SURE * error / recalls.shape[1]
        )
        return most < self.chance

    def quality(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Balanced accuracy of each model alone, and NaN: classes have no bias."""
        return self.counts.recalls.mean(axis=1), np.full(len(self.names), np.nan)

    def error(self, models: NDArray[np.intp]) -> float:
        """Log loss to expect of the combination of the votes of some models.

        NaN without labels, or if limits on groups are unknown here; infinity if no
        weights of these models fulfil all constraints.
        """
        return _expected_loss(self, models)


Evidence: TypeAlias = NumberEvidence | VoteEvidence


def _expected_loss(evidence: Evidence, models: NDArray[np.intp]) -> float:
    if not evidence.labelled or not evidence.error_is_known:
        return float("nan")
    combiner = evidence.combiner
    if len(models) < len(evidence.names):
        try:
            combiner = combiner.subset(models)
        except InfeasibleError:
            return float("inf")
    return float(combiner.solution.expected_error)


def marginal_changes(
    evidence: Evidence, use: NDArray[np.bool_], error: float
) -> NDArray[np.float64]:
    """Return the change of the combination's error if each model is dropped, or added.

    `use` tells which models are combined now, with `error`. The change is NaN for a
    model that is combined alone.
    """
    change = np.full(len(use), np.nan)
    for m in range(len(use)):
        other = use.copy()
        other[m] = not other[m]
        if other.any():
            change[m] = evidence.error(other.nonzero()[0]) - error
    return change


def stored_evidence(estimator: Any, *, labels: bool = False) -> Evidence:
    """Return what a fitted estimator has kept of the rows of its fit.

    Raises NotFittedError, TypeError or ValueError if the estimator is not fitted, does
    not combine at least two models, or was fitted without labels that are needed.
    """
    require_models(estimator)
    evidence = _of_combiner(estimator.combiner_)
    if labels and not evidence.labelled:
        raise ValueError(
            f"The {type(estimator).__name__} was fitted without labels, so no "
            "combination's error is known; fit it with y on at least some rows."
        )
    return evidence


def evidence_of_rows(estimator: Any, answers: ModelAnswers) -> Evidence:
    """Return what rows say of the models of a fitted estimator.

    Probabilities count as votes for the most probable class.
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
