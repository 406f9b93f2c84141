"""Rows of predictions with holes, summed up by which models answer.

Method: a mean and a scatter of the errors for each pattern of answers; what silent
models would add in expectation follows from these alone. Strength: rows are read once,
in blocks that any machine can sum and any order can merge; complete rows are a single
pattern. Limit: as many patterns as rows where every row has its own.
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

# Entries of the matrices that are kept, 4 GB.
_MOST_ENTRIES = 2**29


@dataclass(frozen=True, eq=False)
class AnswerPatterns:
    """Sums over the rows ``z_i = [P_i - y_i, y_i]``, by which models answer there.

    Parameters
    ----------
    answered : ndarray of bool of shape (n_patterns, n_models)
        Distinct patterns, in the order of their bits; those of several rows first.
    weight : ndarray of shape (n_patterns,)
        Total sample weight of the rows of each.
    n_rows : ndarray of int of shape (n_patterns,)
        Their number.
    weight_norm : ndarray of shape (n_patterns,)
        Euclidean norm of their weights.
    mean : ndarray of shape (n_patterns, n_models + 1)
        Weighted mean of ``scale * z - origin``, zero for silent models.
    scatter : ndarray of shape (n_repeated, n_models + 1, n_models + 1)
        Scatter about it, of the patterns that have several rows.
    origin : ndarray of shape (n_models + 1,)
        A point near the rows: of those far from zero means alone would be too coarse.
    scale : float, default=1.0
        Power of two, as in :class:`Moments`.
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
        """Sum up the rows of a table.

        Parameters
        ----------
        predictions : ndarray of shape (n_rows, n_models)
            A column a model, NaN where it is silent. Never written to.
        target : ndarray of shape (n_rows,), default=None
            Labels; by default zero, which leaves the predictions alone.
        sample_weight : ndarray of shape (n_rows,), default=None
            Non-negative weights of the rows.

        Returns
        -------
        AnswerPatterns
            ``is_finite`` is False if a prediction is infinite.

        Raises
        ------
        ValueError
            If there are more patterns than fit in memory.
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
        # Of each model what it says first, where that counts.
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
        """Take moments of rows on which every model answers.

        Parameters
        ----------
        moments : Moments
            Of the rows.

        Returns
        -------
        AnswerPatterns
        """
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
        return all(bool(np.isfinite(each).all()) for each in sums)

    @property
    def is_complete(self) -> bool:
        """Whether every model answers on every row."""
        return bool(self.answered.all())

    @property
    def n_models(self) -> int:
        """Number of models."""
        return int(self.answered.shape[1])

    @property
    def place(self) -> NDArray[np.float64]:
        """A point near ``scale`` times the predictions, of shape (n_models,)."""
        return np.asarray(self.origin[:-1] + self.origin[-1])

    def rescaled(self, scale: float) -> AnswerPatterns:
        """Express the same sums at another scale.

        Parameters
        ----------
        scale : float
            Power of two.

        Returns
        -------
        AnswerPatterns
        """
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
        """Combine with the sums of other rows.

        Parameters
        ----------
        other : AnswerPatterns
            Of the same models on other rows.

        Returns
        -------
        AnswerPatterns
            The sums over all rows, as if they had been read in one pass.

        Raises
        ------
        ValueError
            If there are more patterns than fit in memory.
        """
        if not len(other.weight) or not len(self.weight):
            return self if len(self.weight) else other
        own, theirs = (self, other) if self.weight.any() else (other, self)
        if not theirs.weight.any():
            # Rows that don't count may be anywhere, and of any size.
            mean, scatter = np.zeros_like(theirs.mean), np.zeros_like(theirs.scatter)
            theirs = replace(theirs, mean=mean, scatter=scatter, origin=own.origin)
            theirs = replace(theirs, scale=own.scale)
        scale = min(own.scale, theirs.scale)
        own, theirs = own.rescaled(scale), theirs.rescaled(scale)
        apart = (theirs.origin - own.origin) * _with_target(theirs.answered)
        parts = [own, replace(theirs, mean=theirs.mean + apart)]
        # Those with a scatter come first, of both.
        order = np.argsort(
            np.concatenate(
                [np.arange(len(each.weight)) >= len(each.scatter) for each in parts]
            ),
            kind="stable",
        )
        stacked: dict[str, Any] = {
            name: np.concatenate([getattr(each, name) for each in parts])[order]
            for name in ("answered", "weight", "n_rows", "weight_norm", "mean")
        }
        scatter = np.concatenate([each.scatter for each in parts])
        return _sum_up(replace(own, scatter=scatter, **stacked))

    def take(self, which: NDArray[np.bool_]) -> AnswerPatterns:
        """Take some of the patterns.

        Parameters
        ----------
        which : ndarray of bool of shape (n_patterns,)

        Returns
        -------
        AnswerPatterns
        """
        if which.all():
            return self
        taken: dict[str, Any] = {
            name: getattr(self, name)[which]
            for name in ("answered", "weight", "n_rows", "weight_norm", "mean")
        }
        return replace(self, scatter=self.scatter[which[: len(self.scatter)]], **taken)

    def subset(self, models: NDArray[np.intp]) -> AnswerPatterns:
        """Take some of the models.

        Parameters
        ----------
        models : ndarray of int
            Which models, in which order.

        Returns
        -------
        AnswerPatterns
        """
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
        """Take the predictions alone, ``z_i = [P_i, 0]``.

        Returns
        -------
        AnswerPatterns
        """
        mean, scatter = np.zeros_like(self.mean), np.zeros_like(self.scatter)
        origin, lost = two_sum(self.origin, self.origin[-1])
        origin[-1] = 0.0
        mean[:, :-1] = self.mean[:, :-1] + self.mean[:, -1:] + lost[:-1]
        mean[:, :-1] *= self.answered
        seen = self.answered[: len(scatter)]
        with_target = self.scatter[:, :-1, -1] + self.scatter[:, -1:, -1]
        scatter[:, :-1, :-1] = self.scatter[:, :-1, :-1]
        scatter[:, :-1, :-1] += self.scatter[:, :-1, -1:] + with_target[:, None]
        scatter[:, :-1, :-1] *= seen[:, :, None] & seen[:, None, :]
        found = replace(self, mean=mean, scatter=scatter, origin=origin)
        # Of a constant the labels' rounding is left, which would explain everything.
        center, variance = found.marginals()
        target = self.pooled(np.empty(0, dtype=np.intp))
        squares = self.marginals()[1] + target.scatter[0, 0] / (target.weight or 1.0)
        squares += CONSTANT * np.square(origin[:-1])
        models = np.flatnonzero(variance <= CONSTANT * squares)
        mean[:, models] = center[models] * self.answered[:, models]
        scatter[:, models] = scatter[:, :, models] = 0.0
        return found

    def pooled(self, models: NDArray[np.intp]) -> Moments:
        """Moments of models that answer on every row.

        Parameters
        ----------
        models : ndarray of int
            The models.

        Returns
        -------
        Moments
        """
        columns = np.append(models, self.n_models)
        scatter = self.scatter[:, columns[:, None], columns].sum(axis=0)
        return self._around(self.mean[:, columns], scatter, self.origin[columns])

    def _around(
        self,
        means: NDArray[np.float64],
        scatter: NDArray[np.float64],
        origin: NDArray[np.float64],
    ) -> Moments:
        """Moments of all rows, from means and the summed scatter of the patterns."""
        weight = float(self.weight.sum())
        center = np.zeros(means.shape[1])
        if len(means) == 1:
            center = means[0]
        elif weight > 0:
            center = self.weight @ means / weight
            off = (means - center) * np.sqrt(self.weight)[:, None]
            scatter = scatter + off.T @ off
        # Squares of tiny or huge weights are out of range.
        norm = hypot(*self.weight_norm)
        n_rows = int(self.n_rows.sum())
        mean, rest = two_sum(origin, center)
        return Moments(weight, n_rows, mean, scatter, norm, self.scale, rest)

    def marginals(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance of what each model says where it answers.

        Returns
        -------
        mean, variance : ndarray of shape (n_models,)
            Of predictions, where the sums are without labels; the mean from `place`.
        """
        weight = self.weight[:, None] * self.answered
        total = weight.sum(axis=0)
        total = np.where(total > 0, total, 1.0)
        own = self.mean[:, :-1]
        mean = (weight * own).sum(axis=0) / total
        squares = (weight * np.square(own - mean)).sum(axis=0)
        squares += np.einsum("qii->i", self.scatter)[:-1]
        return mean, squares / total

    def imputed_with(
        self,
        mean: NDArray[np.float64],
        covariance: NDArray[np.float64],
        *,
        conditional_covariance: bool,
    ) -> Moments:
        """Moments of all rows, silent models as the others suggest.

        Parameters
        ----------
        mean : ndarray of shape (n_models,)
            Of ``scale`` times the predictions, from `place`.
        covariance : ndarray of shape (n_models, n_models)
            And their covariance.
        conditional_covariance : bool
            Whether to add what the others leave open of a silent model to its variance.

        Returns
        -------
        Moments
        """
        n_models = self.n_models
        means = np.empty_like(self.mean)
        second = np.zeros((n_models + 1, n_models + 1))
        step = max(1, CHUNK // second.size)
        for start in range(0, len(self.weight), step):
            part = slice(start, start + step)
            seen = self.answered[part].astype(float)
            fill, rest = regression(covariance, seen)
            # Of errors and target: what is filled in is in units of the predictions.
            onto = np.zeros((len(seen), n_models + 1, n_models + 1))
            onto[:, :-1, :-1] = fill
            onto[:, -1, :-1] = fill.sum(axis=1) - 1.0
            onto[:, -1, -1] = 1.0
            means[part] = np.einsum("qi,qij->qj", self.mean[part], onto, optimize=True)
            means[part, :-1] += mean - mean @ fill
            repeated = self.scatter[part]
            onto = onto[: len(repeated)]
            second += (onto.swapaxes(1, 2) @ repeated @ onto).sum(axis=0)
            if conditional_covariance:
                second[:-1, :-1] += np.tensordot(self.weight[part], rest, 1)
        moments = self._around(means, 0.5 * (second + second.T), self.origin)
        np.fill_diagonal(moments.scatter, np.maximum(moments.scatter.diagonal(), 0.0))
        return moments


def _with_target(answered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.column_stack([answered, np.ones(len(answered), dtype=bool)])


def _sum_up(parts: AnswerPatterns) -> AnswerPatterns:
    """Let each pattern be there once, those of several rows first."""
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
    place = np.argsort(order)[pattern]
    by_pattern = np.argsort(place, kind="stable")
    groups = np.split(by_pattern, np.cumsum(np.bincount(place, minlength=len(order))))
    weight, squares = np.zeros(len(order)), np.zeros(len(order))
    np.add.at(weight, place, parts.weight)
    unit = parts.weight_norm.max(initial=0.0) or 1.0
    np.add.at(squares, place, np.square(parts.weight_norm / unit))
    mean = np.zeros((len(order), width))
    scatter = np.zeros((n_repeated, width, width))
    for q, own in enumerate(groups[:n_repeated]):
        known = own[own < len(parts.scatter)]
        if len(own) == 1:
            mean[q], scatter[q] = parts.mean[own[0]], parts.scatter[known[0]]
        elif weight[q] > 0:
            weights = parts.weight[own]
            mean[q] = weights @ parts.mean[own] / weight[q]
            off = (parts.mean[own] - mean[q]) * np.sqrt(weights)[:, None]
            scatter[q] = parts.scatter[known].sum(axis=0) + off.T @ off
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
