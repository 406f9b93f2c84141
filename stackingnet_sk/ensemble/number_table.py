"""Tables of predicted numbers, with holes or without, to the moments of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk._compat import backend_of, to_numpy
from stackingnet_sk.ensemble.units import Extent
from stackingnet_sk.evidence import (
    AnswerPatterns,
    Moments,
    PredictionModel,
    device_moments,
    impute_moments,
)
from stackingnet_sk.predictions import check_predictions


@dataclass(frozen=True, eq=False)
class PredictionStatistics:
    """All that a fit needs to know of rows, from any number of blocks.

    Parameters
    ----------
    labelled : AnswerPatterns
        Sums over the rows with labels.
    unlabelled : AnswerPatterns
        Sums over the predictions of the others.
    extent : Extent
        Where labelled predictions and labels lie.
    dtype : str or None
        Type of the predictions, where it matters that all have the same.
    """

    labelled: AnswerPatterns
    unlabelled: AnswerPatterns
    extent: Extent
    dtype: str | None = None

    def merge(self, other: PredictionStatistics) -> PredictionStatistics:
        """Combine with those of other rows.

        Parameters
        ----------
        other : PredictionStatistics
            Of the same models.

        Returns
        -------
        PredictionStatistics
            As if all rows had been read at once.

        Raises
        ------
        ValueError
            If the sums overflow, or some rows were rounded and others were not.
        """
        types = {each.dtype for each in (self, other) if each.dtype is not None}
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
        _refuse_overflow(merged.labelled, merged.unlabelled)
        return merged

    @property
    def has_labels(self) -> bool:
        """Whether any row has a label."""
        return bool(self.labelled.n_rows.any())

    @property
    def is_informative(self) -> bool:
        """Whether any row with a weight has a prediction."""
        return any(
            bool(each.answered[each.weight > 0].any())
            for each in (self.labelled, self.unlabelled)
        )

    def refuse_weightless(self) -> None:
        """Refuse rows of which none counts.

        Raises
        ------
        ValueError
            If no row, or no labelled one, has a weight.
        """
        own = self.labelled if self.has_labels else self.unlabelled
        if not own.weight.any():
            which = "labelled rows" if self.has_labels else "rows"
            raise ValueError(
                f"the {which} have no weight: sample_weight is zero on every row of "
                "them; give at least one row some"
            )

    def imputed(self) -> ImputedMoments:
        """Complete what silent models leave open.

        Returns
        -------
        ImputedMoments

        Raises
        ------
        ValueError
            If no model answers on any row.
        """
        labelled, everybody = self.labelled, np.arange(self.labelled.n_models)
        patterns = labelled.without_labels().merge(self.unlabelled)
        constant = labelled.pooled(everybody[:0])
        if patterns.is_complete:
            return ImputedMoments(
                labelled.pooled(everybody),
                patterns.pooled(everybody),
                np.ones(len(everybody), dtype=bool),
                constant,
            )
        answering = np.any(patterns.answered[patterns.weight > 0], axis=0)
        if not answering.any():
            raise ValueError(
                "No model answers on any row: all predictions are NaN; give "
                "predictions."
            )
        imputation = impute_moments(patterns.subset(answering.nonzero()[0]))
        known = _with_silent(imputation.moments, answering)
        panel = ImputedMoments(
            constant, known, answering, constant, converged=imputation.converged
        )
        alone = {
            int(m): labelled.take(labelled.answered[:, m]).pooled(np.array([m]))
            for m in np.flatnonzero(~labelled.answered.all(axis=0))
        }
        kept = panel.answered(labelled)
        # Labels alone say nothing of the models, but a fit must have some.
        kept = kept if len(kept.weight) else labelled
        return replace(
            panel, moments=panel.imputed_with(kept), alone=alone, patterns=kept
        )


@dataclass(frozen=True, eq=False)
class ImputedMoments:
    """What the rows of a fit say of the models.

    Parameters
    ----------
    moments : Moments
        Of the labelled rows, silent models as the others suggest.
    prediction_moments : Moments
        Of the predictions alone, on all rows.
    answering : ndarray of bool of shape (n_models,)
        Which models answer at all.
    constant : Moments
        Of all labels alone.
    alone : mapping of int to Moments
        Of each model that is silent somewhere, the moments of the labelled rows that it
        answers.
    patterns : AnswerPatterns or None
        Of the labelled rows on which anybody answers; None where nobody is silent.
    converged : bool, default=True
        Whether expectation-maximization did.
    """

    moments: Moments
    prediction_moments: Moments
    answering: NDArray[np.bool_]
    constant: Moments
    alone: Mapping[int, Moments] = field(default_factory=dict)
    patterns: AnswerPatterns | None = None
    converged: bool = True

    def answered(self, rows: AnswerPatterns) -> AnswerPatterns:
        """Leave out rows on which nobody answers.

        They say nothing of the models, and their labels would pass for errors of them.

        Parameters
        ----------
        rows : AnswerPatterns
            Of labelled rows.

        Returns
        -------
        AnswerPatterns
        """
        return rows.take(np.any(rows.answered[:, self.answering], axis=1))

    def imputed_with(self, rows: AnswerPatterns) -> Moments:
        """Moments of labelled rows, silent models as the others suggest.

        Parameters
        ----------
        rows : AnswerPatterns
            Of these rows.

        Returns
        -------
        Moments
        """
        # Silent models leave no trace, not even of rounding.
        models = self.answering.nonzero()[0]
        rows = rows if self.answering.all() else rows.subset(models)
        if rows.is_complete:
            return _with_silent(rows.pooled(np.arange(rows.n_models)), self.answering)
        model = PredictionModel.from_moments(self.prediction_moments.subset(models))
        model = model.rescaled(rows.scale)
        moments = rows.imputed_with(
            model.away_from(rows.place), model.covariance, conditional_covariance=False
        )
        return _with_silent(moments, self.answering)

    def of_rows(self, rows: AnswerPatterns) -> Moments | None:
        """Moments of some of the labelled rows.

        Parameters
        ----------
        rows : AnswerPatterns
            Of these rows.

        Returns
        -------
        Moments or None
            None where nobody answers on any, or none has a weight.
        """
        own = self.imputed_with(self.answered(rows))
        return own if own.weight > 0 else None


def read_rows(
    table: NDArray[Any],
    labels: NDArray[np.float64] | None,
    weights: NDArray[np.float64] | None,
    names: NDArray[np.object_],
    rows: NDArray[np.intp] | None = None,
) -> PredictionStatistics:
    """Read rows of a table once.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_models)
        Predictions; NaN where a model is silent.
    labels : ndarray of shape (n_rows,) or None
        Labels; NaN on rows without. None: no row has one.
    weights : ndarray of shape (n_rows,) or None
        Weights of the rows.
    names : ndarray of shape (n_models,)
        Names of the models.
    rows : ndarray of int of shape (n_rows,), default=None
        Where they stand in the user's data; by default at their own place.

    Returns
    -------
    PredictionStatistics

    Raises
    ------
    ValueError
        If a prediction is infinite, or the sums overflow.
    """
    if labels is None:
        labels = np.full(len(table), np.nan)
    known = ~np.isnan(labels)
    labelled, some = _sum_up(table, known, labels, weights)
    unlabelled, _ = _sum_up(table, ~known, None, weights)
    if not (labelled.is_finite and unlabelled.is_finite):
        check_predictions(to_numpy(table), names, rows, allow_missing=True)
        _refuse_overflow(labelled, unlabelled)
    return PredictionStatistics(
        labelled, unlabelled, Extent.from_rows(some, labels[known])
    )


def _sum_up(
    table: Any,
    which: NDArray[np.bool_],
    labels: NDArray[np.float64] | None,
    weights: NDArray[np.float64] | None,
) -> tuple[AnswerPatterns, Any]:
    """Sum up some of the rows, where they lie; and these rows."""
    if not which.any():
        nothing = np.empty((0, table.shape[1]))
        return AnswerPatterns.from_rows(nothing), nothing
    backend = backend_of(table, always=True)
    own = None if weights is None else weights[which]
    target = np.zeros(np.count_nonzero(which)) if labels is None else labels[which]
    some = table
    if not which.all():
        some = table[which if backend is None else backend.put(which)]
    if backend is None:
        return AnswerPatterns.from_rows(some, target, own), some
    goal = backend.xp.astype(backend.put(target), backend.floats[0])
    moments = device_moments(backend.xp, some, goal, own, backend.put, to_numpy)
    if moments.is_finite:
        return AnswerPatterns.of_complete(moments), some
    # Which models answer on which rows is sorted out on the CPU.
    some = to_numpy(some)
    return AnswerPatterns.from_rows(some, target, own), some


def _refuse_overflow(*sums: AnswerPatterns) -> None:
    if not all(each.is_finite for each in sums):
        raise ValueError(
            "The sums over all rows overflow; divide sample_weight by its largest."
        )


def _with_silent(known: Moments, answering: NDArray[np.bool_]) -> Moments:
    """Add models of which nothing is known, constant at zero."""
    if answering.all():
        return known
    place = np.append(np.flatnonzero(answering), len(answering))
    onto = np.zeros((len(answering) + 1, len(place)))
    onto[place, np.arange(len(place))] = 1.0
    # Their errors are minus the target.
    onto[np.flatnonzero(~answering), -1] = -1.0
    return replace(
        known,
        mean=onto @ known.mean,
        scatter=onto @ known.scatter @ onto.T,
        rest=onto @ known.remainder,
    )
