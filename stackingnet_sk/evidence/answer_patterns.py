"""Sums over rows of predictions, grouped by which models answer.

Method: one mean and one scatter matrix of the errors for each pattern of answers. The
expected contribution of missing predictions follows from these alone. Strength: rows
are read once, in blocks that any machine can sum and that merge in any order; all
complete rows share one pattern. Limit: if every row has a pattern of its own, there are
as many patterns as rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.moments import CONSTANT, Moments
from stackingnet_sk.evidence.patterns import CHUNK, group_patterns, ordered, regression
from stackingnet_sk.evidence.rounding import two_sum

# Largest number of entries in all scatter matrices together; as doubles they take 4 GB.
_MOST_ENTRIES = 2**29


@dataclass(frozen=True, eq=False)
class AnswerPatterns:
    """Sums over the rows ``z_i = [P_i - y_i, y_i]``, by which models answer there.

    Parameters
    ----------
    answered : ndarray of bool of shape (n_patterns, n_models)
        Distinct patterns. Patterns of several rows come first, otherwise the order is
        that of their bits.
    weight : ndarray of shape (n_patterns,)
        Total sample weight of the rows of each pattern.
    n_rows : ndarray of int of shape (n_patterns,)
        Number of rows of each pattern.
    weight_norm : ndarray of shape (n_patterns,)
        Euclidean norm of the sample weights of the rows of each pattern.
    mean : ndarray of shape (n_patterns, n_models + 1)
        Weighted mean of ``scale * z - origin``; zero for models that do not answer.
    scatter : ndarray of shape (n_repeated, n_models + 1, n_models + 1)
        Scatter about `mean` of the patterns that have several rows.
    origin : ndarray of shape (n_models + 1,)
        A point near the rows. For rows far from zero, means measured from zero would be
        too coarse.
    scale : float, default=1.0
        Power of two by which the rows are multiplied, as in :class:`Moments`.
    """

    answered: NDArray[np.bool_]
    weight: NDArray[np.float64]
    n_rows: NDArray[np.intp]
    weight_norm: NDArray[np.float64]
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]
    origin: NDArray[np.float64]
    scale: float = 1.0

    @classmethod
    def from_rows(
        cls,
        predictions: NDArray[np.floating],
        target: NDArray[np.floating] | None = None,
        sample_weight: NDArray[np.floating] | None = None,
    ) -> AnswerPatterns:
        """Sum the rows of a table, which has one column per model and is not modified.

        A missing prediction is NaN. By default the target is zero, so that the sums are
        those of the predictions. `is_finite` of the result is False if a prediction is
        infinite. Raises a ValueError if the patterns do not fit in memory.
        """
        labels = np.zeros(len(predictions)) if target is None else target
        moments = Moments.from_rows(predictions, labels, sample_weight)
        if moments.is_finite:
            return cls.of_complete(moments)
        missing = np.isnan(predictions)
        rows = np.empty((len(predictions), predictions.shape[1] + 1))
        rows[:, :-1] = np.where(missing, 0.0, predictions)
        rows[:, -1] = labels
        moments = Moments.from_rows(rows[:, :-1], labels, sample_weight)
        if not moments.is_finite:
            return cls.of_complete(moments)
        rows *= moments.scale
        rows[:, :-1] -= rows[:, -1:]
        ones = np.ones(len(rows))
        weights = ones if sample_weight is None else sample_weight.astype(np.float64)
        rows, missing, weights = ordered(rows, missing, weights)
        # The origin is each column's first entry that is not missing and has a weight.
        counts = _with_target(~missing) & (weights > 0)[:, None]
        first = counts.argmax(axis=0)
        origin = rows[first, np.arange(rows.shape[1])]
        rows -= origin
        rows[:, :-1][missing] = 0.0
        return _sum_up(
            cls(
                ~missing,
                weights,
                ones.astype(np.intp),
                weights,
                rows,
                np.empty((0, rows.shape[1], rows.shape[1])),
                origin,
                moments.scale,
            )
        )

    @classmethod
    def of_complete(cls, moments: Moments) -> AnswerPatterns:
        """Convert the moments of rows on which every model answers."""
        n_patterns = min(moments.n_rows, 1)
        return cls(
            np.ones((n_patterns, moments.n_models), dtype=bool),
            np.full(n_patterns, moments.weight),
            np.full(n_patterns, moments.n_rows),
            np.full(n_patterns, moments.weight_norm),
            np.repeat(moments.remainder[None], n_patterns, axis=0),
            np.repeat(moments.scatter[None], int(moments.n_rows > 1), axis=0),
            moments.mean,
            moments.scale,
        )

    @property
    def is_finite(self) -> bool:
        """Whether every prediction, label and sum was finite."""
        sums = (self.origin, self.mean, self.scatter)
        return all(bool(np.isfinite(array).all()) for array in sums)

    @property
    def is_complete(self) -> bool:
        """Whether every model answers on every row."""
        return bool(self.answered.all())

    @property
    def n_models(self) -> int:
        """Number of models."""
        return int(self.answered.shape[1])

    @property
    def reference(self) -> NDArray[np.float64]:
        """A point near ``scale`` times the predictions, of shape (n_models,)."""
        return np.asarray(self.origin[:-1] + self.origin[-1])

    def rescaled(self, scale: float) -> AnswerPatterns:
        """Express the same sums at another scale, which is a power of two."""
        if scale == self.scale:
            return self
        factor = scale / self.scale
        return replace(
            self,
            mean=self.mean * factor,
            scatter=self.scatter * factor**2,
            origin=self.origin * factor,
            scale=scale,
        )

    def merge(self, other: AnswerPatterns) -> AnswerPatterns:
        """Combine with the sums over other rows of the same models.

        The result is that of reading all rows in one pass. Raises a ValueError if the
        patterns do not fit in memory.
        """
        if not len(other.weight) or not len(self.weight):
            return self if len(self.weight) else other
        left, right = (self, other) if self.weight.any() else (other, self)
        if not right.weight.any():
            # Rows without weight may have values of any size, far from the origin.
            mean, scatter = np.zeros_like(right.mean), np.zeros_like(right.scatter)
            right = replace(right, mean=mean, scatter=scatter, origin=left.origin)
            right = replace(right, scale=left.scale)
        scale = min(left.scale, right.scale)
        left, right = left.rescaled(scale), right.rescaled(scale)
        offset = (right.origin - left.origin) * _with_target(right.answered)
        parts = [left, replace(right, mean=right.mean + offset)]
        # Patterns that have a scatter matrix come first, in both parts.
        order = np.argsort(
            np.concatenate(
                [np.arange(len(part.weight)) >= len(part.scatter) for part in parts]
            ),
            kind="stable",
        )
        stacked: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts])[order]
            for name in ("answered", "weight", "n_rows", "weight_norm", "mean")
        }
        scatter = np.concatenate([part.scatter for part in parts])
        return _sum_up(replace(left, scatter=scatter, **stacked))

    def take(self, selected: NDArray[np.bool_]) -> AnswerPatterns:
        """Restrict to some patterns, given by a mask of shape (n_patterns,)."""
        if selected.all():
            return self
        taken: dict[str, Any] = {
            name: getattr(self, name)[selected]
            for name in ("answered", "weight", "n_rows", "weight_norm", "mean")
        }
        scatter = self.scatter[selected[: len(self.scatter)]]
        return replace(self, scatter=scatter, **taken)

    def subset(self, models: NDArray[np.intp]) -> AnswerPatterns:
        """Restrict to some of the models, given by their indices, in that order."""
        kept = np.append(models, self.n_models)
        return _sum_up(
            replace(
                self,
                answered=self.answered[:, models],
                mean=self.mean[:, kept],
                scatter=self.scatter[:, kept[:, None], kept],
                origin=self.origin[kept],
            )
        )

    def without_labels(self) -> AnswerPatterns:
        """Convert to sums over the predictions alone, ``z_i = [P_i, 0]``."""
        mean, scatter = np.zeros_like(self.mean), np.zeros_like(self.scatter)
        origin, lost = two_sum(self.origin, self.origin[-1])
        origin[-1] = 0.0
        mean[:, :-1] = self.mean[:, :-1] + self.mean[:, -1:] + lost[:-1]
        mean[:, :-1] *= self.answered
        answered = self.answered[: len(scatter)]
        with_target = self.scatter[:, :-1, -1] + self.scatter[:, -1:, -1]
        scatter[:, :-1, :-1] = self.scatter[:, :-1, :-1]
        scatter[:, :-1, :-1] += self.scatter[:, :-1, -1:] + with_target[:, None]
        scatter[:, :-1, :-1] *= answered[:, :, None] & answered[:, None, :]
        unlabelled = replace(self, mean=mean, scatter=scatter, origin=origin)
        # A constant model has zero variance, but rounding noise of the labels remains
        # here. Set it to zero, or the model would pass for a perfect predictor.
        center, variance = unlabelled.marginals()
        target = self.pooled(np.empty(0, dtype=np.intp))
        squares = self.marginals()[1] + target.scatter[0, 0] / (target.weight or 1.0)
        squares += CONSTANT * np.square(origin[:-1])
        models = np.flatnonzero(variance <= CONSTANT * squares)
        mean[:, models] = center[models] * self.answered[:, models]
        scatter[:, models] = scatter[:, :, models] = 0.0
        return unlabelled

    def pooled(self, models: NDArray[np.intp]) -> Moments:
        """Compute the moments of models (indices) that answer on every row."""
        columns = np.append(models, self.n_models)
        scatter = self.scatter[:, columns[:, None], columns].sum(axis=0)
        return self._around(self.mean[:, columns], scatter, self.origin[columns])

    def _around(
        self,
        means: NDArray[np.float64],
        scatter: NDArray[np.float64],
        origin: NDArray[np.float64],
    ) -> Moments:
        """Pool the means and the summed scatter of the patterns over all rows."""
        weight = float(self.weight.sum())
        center = np.zeros(means.shape[1])
        if len(means) == 1:
            center = means[0]
        elif weight > 0:
            center = self.weight @ means / weight
            deviations = (means - center) * np.sqrt(self.weight)[:, None]
            scatter = scatter + deviations.T @ deviations
        # The squares of tiny or huge weights would under- or overflow; hypot avoids it.
        norm = hypot(*self.weight_norm)
        n_rows = int(self.n_rows.sum())
        mean, rounding = two_sum(origin, center)
        return Moments(weight, n_rows, mean, scatter, norm, self.scale, rounding)

    def marginals(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute mean and variance of each model over the rows that it answers.

        Both have shape (n_models,). They are those of the predictions if the sums are
        without labels, and of the errors otherwise; the mean of predictions is measured
        from `reference`.
        """
        weight = self.weight[:, None] * self.answered
        total = weight.sum(axis=0)
        total = np.where(total > 0, total, 1.0)
        pattern_means = self.mean[:, :-1]
        mean = (weight * pattern_means).sum(axis=0) / total
        squares = (weight * np.square(pattern_means - mean)).sum(axis=0)
        squares += np.einsum("qii->i", self.scatter)[:-1]
        return mean, squares / total

    def imputed_with(
        self,
        mean: NDArray[np.float64],
        covariance: NDArray[np.float64],
        *,
        conditional_covariance: bool,
    ) -> Moments:
        """Compute the moments of all rows, with missing predictions imputed.

        `mean` and `covariance` are those of ``scale`` times the predictions, the mean
        measured from `reference`. A missing prediction is replaced by its conditional
        mean given the models that answer; `conditional_covariance` adds its conditional
        covariance to the scatter.
        """
        n_models = self.n_models
        means = np.empty_like(self.mean)
        second = np.zeros((n_models + 1, n_models + 1))
        step = max(1, CHUNK // second.size)
        for start in range(0, len(self.weight), step):
            part = slice(start, start + step)
            answered = self.answered[part].astype(float)
            fill, conditional = regression(covariance, answered)
            # Predictions are imputed from predictions, but the sums are over errors and
            # the target: the last row and column convert between the two.
            onto = np.zeros((len(answered), n_models + 1, n_models + 1))
            onto[:, :-1, :-1] = fill
            onto[:, -1, :-1] = fill.sum(axis=1) - 1.0
            onto[:, -1, -1] = 1.0
            means[part] = np.einsum("qi,qij->qj", self.mean[part], onto, optimize=True)
            means[part, :-1] += mean - mean @ fill
            repeated = self.scatter[part]
            onto = onto[: len(repeated)]
            second += (onto.swapaxes(1, 2) @ repeated @ onto).sum(axis=0)
            if conditional_covariance:
                second[:-1, :-1] += np.tensordot(self.weight[part], conditional, 1)
        moments = self._around(means, 0.5 * (second + second.T), self.origin)
        np.fill_diagonal(moments.scatter, np.maximum(moments.scatter.diagonal(), 0.0))
        return moments


def _with_target(answered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Append a column of True, for the target."""
    return np.column_stack([answered, np.ones(len(answered), dtype=bool)])


def _sum_up(parts: AnswerPatterns) -> AnswerPatterns:
    """Merge equal patterns, and put patterns of several rows first."""
    answered, pattern, _ = group_patterns(parts.answered)
    n_rows = np.zeros(len(answered), dtype=np.intp)
    np.add.at(n_rows, pattern, parts.n_rows)
    order = np.argsort(n_rows == 1, kind="stable")
    n_repeated = int(np.count_nonzero(n_rows > 1))
    width = parts.mean.shape[1]
    if n_repeated * width**2 > _MOST_ENTRIES:
        raise ValueError(
            f"{n_repeated} patterns of missing predictions of {width - 1} models are "
            "too many to keep; drop the models that rarely answer, or take fewer rows."
        )
    index = np.argsort(order)[pattern]
    by_pattern = np.argsort(index, kind="stable")
    groups = np.split(by_pattern, np.cumsum(np.bincount(index, minlength=len(order))))
    weight, squares = np.zeros(len(order)), np.zeros(len(order))
    np.add.at(weight, index, parts.weight)
    unit = parts.weight_norm.max(initial=0.0) or 1.0
    np.add.at(squares, index, np.square(parts.weight_norm / unit))
    mean = np.zeros((len(order), width))
    scatter = np.zeros((n_repeated, width, width))
    for q, group in enumerate(groups[:n_repeated]):
        with_scatter = group[group < len(parts.scatter)]
        if len(group) == 1:
            mean[q], scatter[q] = parts.mean[group[0]], parts.scatter[with_scatter[0]]
        elif weight[q] > 0:
            weights = parts.weight[group]
            mean[q] = weights @ parts.mean[group] / weight[q]
            deviations = (parts.mean[group] - mean[q]) * np.sqrt(weights)[:, None]
            scatter[q] = parts.scatter[with_scatter].sum(axis=0)
            scatter[q] += deviations.T @ deviations
    mean[n_repeated:] = parts.mean[np.array(groups[n_repeated:-1], int).ravel()]
    return replace(
        parts,
        answered=answered[order],
        weight=weight,
        n_rows=n_rows[order],
        weight_norm=np.sqrt(squares) * unit,
        mean=mean,
        scatter=scatter,
    )
