"""The statistics of predictions and labels that a fit of numbers needs.

Rows are summed once, by which models answer. The statistics of blocks of rows merge to
those of all rows, and they can be restricted to any subset of the models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.answer_patterns import AnswerPatterns
from stackingnet_sk.evidence.extent import Extent
from stackingnet_sk.evidence.imputation import PredictionModel, impute_moments
from stackingnet_sk.evidence.moments import Moments


@dataclass(frozen=True, eq=False)
class PredictionStatistics:
    """Sums over rows of predictions, labelled or not.

    Parameters
    ----------
    labelled : AnswerPatterns
        Sums over the labelled rows.
    unlabelled : AnswerPatterns
        Sums over the predictions of the unlabelled rows.
    extent : Extent
        Range of the labels, and of the predictions on labelled rows.
    dtype : str or None
        Type of the predictions, if all blocks must have the same type.
    """

    labelled: AnswerPatterns
    unlabelled: AnswerPatterns
    extent: Extent
    dtype: str | None = None

    def merge(self, other: PredictionStatistics) -> PredictionStatistics:
        """Combine with the statistics of other rows of the same models.

        Raises a ValueError if the types of the blocks differ, or if the sums overflow.
        """
        types = {block.dtype for block in (self, other) if block.dtype is not None}
        if len(types) > 1:
            raise ValueError(
                f"Some blocks are of {self.dtype} and others of {other.dtype}; convert "
                "all of them to one type."
            )
        merged = PredictionStatistics(
            self.labelled.merge(other.labelled),
            self.unlabelled.merge(other.unlabelled),
            self.extent.merge(other.extent),
            next(iter(types), None),
        )
        merged.refuse_overflow()
        return merged

    def subset(self, models: NDArray[np.intp]) -> PredictionStatistics:
        """Restrict to some of the models, given by their indices."""
        return replace(
            self,
            labelled=self.labelled.subset(models),
            unlabelled=self.unlabelled.subset(models),
            extent=self.extent.subset(models),
        )

    @property
    def n_models(self) -> int:
        """Number of models."""
        return self.labelled.n_models

    @property
    def is_finite(self) -> bool:
        """Whether all predictions, labels and sums are finite."""
        return self.labelled.is_finite and self.unlabelled.is_finite

    @property
    def has_labels(self) -> bool:
        """Whether any row has a label."""
        return bool(self.labelled.n_rows.any())

    @property
    def is_informative(self) -> bool:
        """Whether any row with a weight has a prediction."""
        return any(
            bool(sums.answered[sums.weight > 0].any())
            for sums in (self.labelled, self.unlabelled)
        )

    @property
    def answered(self) -> NDArray[np.float64]:
        """Share of all rows that each model answers, by weight."""
        sums = (self.labelled, self.unlabelled)
        weight = sum(float(part.weight.sum()) for part in sums)
        answered = sum(part.weight @ part.answered for part in sums)
        return np.asarray(answered / (weight or np.nan))

    def refuse_overflow(self) -> None:
        """Raise a ValueError if a sum overflows."""
        if not self.is_finite:
            raise ValueError(
                "The sums over all rows overflow; divide sample_weight by its largest."
            )

    def refuse_weightless(self) -> None:
        """Raise a ValueError if no row has a weight.

        If there are labels, only the labelled rows count.
        """
        sums = self.labelled if self.has_labels else self.unlabelled
        if not sums.weight.any():
            which = "labelled rows" if self.has_labels else "rows"
            raise ValueError(
                f"the {which} have no weight: sample_weight is zero on every row of "
                "them; give at least one row a weight"
            )

    def imputed(self) -> ImputedMoments:
        """Impute missing predictions from the predictions of the other models.

        Raises a ValueError if no model answers on any row.
        """
        labelled, all_models = self.labelled, np.arange(self.n_models)
        patterns = labelled.without_labels().merge(self.unlabelled)
        label_moments = labelled.pooled(all_models[:0])
        if patterns.is_complete:
            return ImputedMoments(
                labelled.pooled(all_models),
                patterns.pooled(all_models),
                np.ones(self.n_models, dtype=bool),
                label_moments,
            )
        answering = np.any(patterns.answered[patterns.weight > 0], axis=0)
        if not answering.any():
            raise ValueError(
                "No model answers on any row: all predictions are NaN; give "
                "predictions."
            )
        imputation = impute_moments(patterns.subset(answering.nonzero()[0]))
        imputed = ImputedMoments(
            label_moments,
            _with_constant_models(imputation.moments, answering),
            answering,
            label_moments,
            converged=imputation.converged,
        )
        answered_rows = imputed.with_an_answer(labelled)
        # Rows that no model answers carry no information about the models. If there
        # are no other labelled rows, use them nevertheless: a fit needs labelled rows.
        answered_rows = answered_rows if len(answered_rows.weight) else labelled
        return replace(
            imputed,
            error_moments=imputed.impute(answered_rows),
            moments_per_model={
                int(m): labelled.take(labelled.answered[:, m]).pooled(np.array([m]))
                for m in np.flatnonzero(~labelled.answered.all(axis=0))
            },
            patterns=answered_rows,
        )


@dataclass(frozen=True, eq=False)
class ImputedMoments:
    """Second moments that a fit needs, with missing predictions imputed.

    Parameters
    ----------
    error_moments : Moments
        Moments of ``[P - y, y]`` on the labelled rows.
    prediction_moments : Moments
        Moments of the predictions on all rows, including their conditional covariance,
        which imputed values alone leave out.
    answering : ndarray of bool of shape (n_models,)
        Whether a model answers any row.
    label_moments : Moments
        Moments of all labels, without any model.
    moments_per_model : mapping of int to Moments
        For each model with missing predictions, the moments of the labelled rows that
        it answers.
    patterns : AnswerPatterns or None
        Sums over the labelled rows that any model answers; None if nothing is missing.
    converged : bool, default=True
        Whether expectation-maximization converged.
    """

    error_moments: Moments
    prediction_moments: Moments
    answering: NDArray[np.bool_]
    label_moments: Moments
    moments_per_model: Mapping[int, Moments] = field(default_factory=dict)
    patterns: AnswerPatterns | None = None
    converged: bool = True

    def with_an_answer(self, rows: AnswerPatterns) -> AnswerPatterns:
        """Leave out rows that no model answers.

        They carry no information about the models, but if the predictions were imputed,
        the spread of their labels would count as errors.
        """
        return rows.take(np.any(rows.answered[:, self.answering], axis=1))

    def impute(self, rows: AnswerPatterns) -> Moments:
        """Compute the moments of labelled rows, missing predictions imputed."""
        # Leave out models that never answer, so that they do not change the other
        # models' moments, not even by rounding.
        models = self.answering.nonzero()[0]
        rows = rows if self.answering.all() else rows.subset(models)
        if rows.is_complete:
            moments = rows.pooled(np.arange(rows.n_models))
            return _with_constant_models(moments, self.answering)
        model = PredictionModel.from_moments(self.prediction_moments.subset(models))
        model = model.rescaled(rows.scale)
        moments = rows.imputed_with(
            model.away_from(rows.reference),
            model.covariance,
            conditional_covariance=False,
        )
        return _with_constant_models(moments, self.answering)

    def of_group(self, rows: AnswerPatterns) -> Moments | None:
        """Compute the moments of labelled rows; None if no answered row has weight."""
        moments = self.impute(self.with_an_answer(rows))
        return moments if moments.weight > 0 else None

    def of_model(self, model: int) -> Moments:
        """Return the moments of one model on the labelled rows that it answers."""
        moments = self.moments_per_model.get(model)
        if moments is None:
            moments = self.error_moments.subset(np.array([model]))
        return moments

    def errors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute RMSE and bias of each model on the labelled rows that it answers."""
        models = range(len(self.answering))
        columns = [self.of_model(m).errors() for m in models]
        rmse, bias = np.concatenate(columns, axis=1)
        return rmse, bias

    @property
    def answered(self) -> NDArray[np.float64]:
        """Share of the labelled rows that each model answers; NaN without labels."""
        weights = [self.of_model(m).weight for m in range(len(self.answering))]
        return np.array(weights) / (self.label_moments.weight or np.nan)


def _with_constant_models(moments: Moments, answering: NDArray[np.bool_]) -> Moments:
    """Insert models that never answer, as if they always predicted zero."""
    if answering.all():
        return moments
    columns = np.append(np.flatnonzero(answering), len(answering))
    onto: NDArray[Any] = np.zeros((len(answering) + 1, len(columns)))
    onto[columns, np.arange(len(columns))] = 1.0
    # The error of a model that predicts zero is minus the target.
    onto[np.flatnonzero(~answering), -1] = -1.0
    return replace(
        moments,
        mean=onto @ moments.mean,
        scatter=onto @ moments.scatter @ onto.T,
        rounding=onto @ moments.remainder,
    )
