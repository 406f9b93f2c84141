"""What rows say of models: one idea for numbers and for votes.

Everything that ranking and pruning need is in second moments or in counted votes, which
have sub-moments and sub-counts for any subset of the models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from stackingnet_sk.ensemble.user_constraints import split_constraint
from stackingnet_sk.ensemble.validation import check_shrinkage
from stackingnet_sk.ensemble.weighing import weigh
from stackingnet_sk.evidence import Moments, VoteCounts
from stackingnet_sk.inspection.answers import ModelAnswers, require_models
from stackingnet_sk.weights import VoterEstimates, reliability, solve_moments
from stackingnet_sk.weights.reliability import reliability_parts
from stackingnet_sk.weights.vote_prior import LABEL_FREE_ROWS

# Standard errors beyond which a one-sided finding is no accident, in 95 of 100 cases.
_SURE = 1.645


def _by_chance(n_rows: float) -> float:
    """Correlation that so many rows show by chance (Fisher's z)."""
    return float(np.tanh(_SURE / np.sqrt(n_rows - 3.0))) if n_rows > 3.0 else 1.0


@dataclass(frozen=True, eq=False)
class NumberEvidence:
    """Second moments of predictions.

    Parameters
    ----------
    estimator : StackingNetRegressor
        Says how weights are fitted.
    names : ndarray of shape (n_models,)
        Names of the models.
    moments : Moments
        Of the labelled rows.
    prediction_moments : Moments
        Of the predictions on all rows.
    """

    estimator: Any
    names: NDArray[Any]
    moments: Moments
    prediction_moments: Moments
    unit: ClassVar[str] = "root mean squared error"

    @classmethod
    def from_answers(cls, estimator: Any, answers: ModelAnswers) -> NumberEvidence:
        """Read rows.

        Parameters
        ----------
        estimator : StackingNetRegressor
            Fitted.
        answers : ModelAnswers
            What its models say.

        Returns
        -------
        NumberEvidence
        """
        known = answers.labelled
        own = Moments.from_rows(answers.table[known], answers.labels[known])
        rest = answers.table[~known]
        other = Moments.from_rows(rest, np.zeros(len(rest)))
        prediction_moments = own.without_labels().merge(other)
        return cls(estimator, answers.names, own, prediction_moments)

    @property
    def labelled(self) -> bool:
        """Whether any row has a label."""
        return self.moments.weight > 0

    @property
    def reliability(self) -> NDArray[np.float64]:
        """Signed squared correlation with the truth."""
        return reliability(self.moments, self.prediction_moments)

    @property
    def answered(self) -> NDArray[np.float64]:
        """Ones: a missing number is refused."""
        return np.ones(len(self.names))

    @property
    def chance(self) -> float:
        """Reliability of a model that knows nothing."""
        return 0.0

    @property
    def agreement(self) -> float:
        """Share of the reliability that rests on the agreement of the models."""
        return 1.0 - reliability_parts(self.moments, self.prediction_moments)[2]

    def against(self) -> list[list[str]]:
        """Evidence that a model runs against the others, or against the labels."""
        known, free, _ = reliability_parts(self.moments, self.prediction_moments)
        found: list[list[str]] = [[] for _ in self.names]
        for m in np.flatnonzero(
            -free > _by_chance(self.prediction_moments.n_effective) ** 2
        ):
            found[m].append(
                "runs against the other models (factor loading "
                f"{-np.sqrt(-free[m]):.2g})"
            )
        for m in np.flatnonzero(-known > _by_chance(self.moments.n_effective) ** 2):
            found[m].append(
                f"runs against the labels (correlation {-np.sqrt(-known[m]):.2g})"
            )
        return found

    def own(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Root mean squared error and bias of each model alone."""
        return self.moments.errors()

    def error(self, models: NDArray[np.intp]) -> float:
        """Root of the squared error to expect of the combination of some models.

        Parameters
        ----------
        models : ndarray of int
            At least one.

        Returns
        -------
        float
            NaN without labels.
        """
        if not self.labelled:
            return float("nan")
        solution = solve_moments(
            self.moments.subset(models),
            split_constraint(self.estimator.constraint)[0],
            fit_intercept=self.estimator.fit_intercept,
            shrinkage=check_shrinkage(self.estimator),
            prediction_moments=self.prediction_moments.subset(models),
        )
        return float(np.sqrt(solution.expected_error))


@dataclass(frozen=True, eq=False)
class VoteEvidence:
    """Counted votes.

    Parameters
    ----------
    estimator : StackingNetClassifier
        Says how weights are fitted.
    names : ndarray of shape (n_models,)
        Names of the models.
    counts : VoteCounts
        Distinct rows of votes.
    """

    estimator: Any
    names: NDArray[Any]
    counts: VoteCounts
    unit: ClassVar[str] = "log loss"

    @classmethod
    def from_answers(cls, estimator: Any, answers: ModelAnswers) -> VoteEvidence:
        """Read rows.

        Parameters
        ----------
        estimator : StackingNetClassifier
            Fitted.
        answers : ModelAnswers
            What its models say; of probabilities the most probable class counts.

        Returns
        -------
        VoteEvidence
        """
        n_classes = len(estimator.classes_)
        counts = VoteCounts.from_rows(answers.votes, answers.labels, n_classes)
        return cls(estimator, answers.names, counts)

    @property
    def labelled(self) -> bool:
        """Whether any row has a label."""
        return bool(self.counts.labelled.any())

    @property
    def reliability(self) -> NDArray[np.float64]:
        """Balanced accuracy."""
        return VoterEstimates.from_counts(self.counts.effective()).reliability

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
        known = self.counts.effective().n_labelled
        return float((LABEL_FREE_ROWS / (known + LABEL_FREE_ROWS)).mean())

    def against(self) -> list[list[str]]:
        """Evidence that a model votes against the others, or against the labels."""
        counts = self.counts.effective()
        panel = VoterEstimates.from_counts(counts)
        free = panel.label_free.confusion.diagonal(axis1=1, axis2=2)
        # What agreement says counts for so many rows of each class, at most.
        answers = counts.answered[:, None] * panel.rates * counts.weight
        worth = np.minimum(answers, LABEL_FREE_ROWS)
        known = counts.joint(counts.labelled).sum(axis=2)
        found: list[list[str]] = [[] for _ in self.names]
        for m in np.flatnonzero(self._below(free, worth) & panel.answers):
            found[m].append(
                "agrees with the other models below chance (balanced accuracy "
                f"{free[m].mean():.3f} by agreement)"
            )
        for m in np.flatnonzero(self._below(counts.recalls, known)):
            found[m].append(
                "below chance on the labels (balanced accuracy "
                f"{counts.recalls[m].mean():.3f})"
            )
        return found

    def _below(
        self, recalls: NDArray[np.float64], rows: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Whether balanced accuracies are below chance by more than chance allows."""
        # A row more of each kind, or few answers that are all wrong would be sure.
        rate = (np.nan_to_num(recalls) * rows + 1.0) / (rows + 2.0)
        error = np.sqrt((rate * (1.0 - rate) / (rows + 2.0)).sum(axis=1))
        most: NDArray[np.float64] = (
            recalls.mean(axis=1) + _SURE * error / recalls.shape[1]
        )
        return most < self.chance

    def own(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Balanced accuracy of each model alone, and NaN: classes have no bias."""
        return self.counts.recalls.mean(axis=1), np.full(len(self.names), np.nan)

    def error(self, models: NDArray[np.intp]) -> float:
        """Log loss to expect of the combination of some models.

        Parameters
        ----------
        models : ndarray of int
            At least one.

        Returns
        -------
        float
            NaN without labels.
        """
        if not self.labelled:
            return float("nan")
        return float(
            weigh(self.estimator, self.counts.subset(models))[0].expected_error
        )


Evidence: TypeAlias = NumberEvidence | VoteEvidence


def marginal_changes(
    known: Evidence, use: NDArray[np.bool_], error: float
) -> NDArray[np.float64]:
    """Change of the combination's error if a model is dropped, or added.

    Parameters
    ----------
    known : NumberEvidence or VoteEvidence
        What is known of the models.
    use : ndarray of bool of shape (n_models,)
        Which are combined now.
    error : float
        Error of their combination.

    Returns
    -------
    ndarray of shape (n_models,)
        NaN for the only one that is combined.
    """
    change = np.full(len(use), np.nan)
    for m in range(len(use)):
        other = use.copy()
        other[m] = not other[m]
        if other.any():
            change[m] = known.error(other.nonzero()[0]) - error
    return change


def stored_evidence(estimator: Any, *, labels: bool = False) -> Evidence:
    """Return what a fitted estimator has kept of the rows of its fit.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Fitted.
    labels : bool, default=False
        Whether labels are needed.

    Returns
    -------
    Evidence

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it does not combine models.
    ValueError
        If there are fewer than two models, or no labels where they are needed.
    """
    require_models(estimator)
    names = estimator.model_names_
    known: Evidence
    if is_classifier(estimator):
        known = VoteEvidence(estimator, names, estimator.counts_)
    else:
        moments, prediction_moments = (
            estimator.error_moments_,
            estimator.prediction_moments_,
        )
        known = NumberEvidence(estimator, names, moments, prediction_moments)
    if labels and not known.labelled:
        raise ValueError(
            f"The {type(estimator).__name__} was fitted without labels, so no "
            "combination's error is known; fit it with y on at least some rows."
        )
    return known


def evidence(estimator: Any, answers: ModelAnswers) -> Evidence:
    """Return what rows say of the models of a fitted estimator.

    Parameters
    ----------
    estimator : StackingNetRegressor or StackingNetClassifier
        Fitted.
    answers : ModelAnswers
        What its models say of the rows.

    Returns
    -------
    Evidence
    """
    if answers.classes is None:
        return NumberEvidence.from_answers(estimator, answers)
    return VoteEvidence.from_answers(estimator, answers)
