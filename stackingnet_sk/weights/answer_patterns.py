"""Rows of predictions with holes, summed up by which models answer.

Method: a mean and a scatter for each pattern of answers; what silent models would add
in expectation follows from these alone. Strength: rows are read once. Limit: as many
patterns as rows where every row has its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.moments import Moments

# Of the diagonal: copies of a model would leave a singular matrix.
NUGGET = 1e-13
# Entries of the matrices of the patterns that are in memory at once.
CHUNK = 250_000


@dataclass(frozen=True, eq=False)
class AnswerPatterns:
    """Sums over the rows of a table, by which models answer there.

    Parameters
    ----------
    answered : ndarray of bool of shape (n_patterns, n_models)
        Distinct patterns; those of several rows first.
    weight : ndarray of shape (n_patterns,)
        Total sample weight of the rows of each.
    mean : ndarray of shape (n_patterns, n_models)
        Weighted mean of ``scale`` times their predictions, zero for silent models.
    scatter : ndarray of shape (n_repeated, n_models, n_models)
        Scatter about it, of the patterns that have several rows.
    whole : Moments
        Those of all rows with zeros for the holes, against a target of 0: for the
        number of rows, their weights and their scale.
    """

    answered: NDArray[np.bool_]
    weight: NDArray[np.float64]
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]
    whole: Moments

    @classmethod
    def from_rows(
        cls,
        predictions: NDArray[np.floating],
        sample_weight: NDArray[np.floating] | None = None,
    ) -> AnswerPatterns:
        """Sum up the rows of a table.

        Parameters
        ----------
        predictions : ndarray of shape (n_rows, n_models)
            A column a model, NaN where it is silent. Never written to.
        sample_weight : ndarray of shape (n_rows,), default=None
            Non-negative weights of the rows.

        Returns
        -------
        AnswerPatterns
            ``whole.is_finite`` is False if a prediction is infinite.
        """
        missing = np.isnan(predictions)
        filled = np.where(missing, 0.0, predictions).astype(np.float64, copy=False)
        whole = Moments.from_rows(filled, np.zeros(len(filled)), sample_weight)
        filled *= whole.scale
        weights = np.ones(len(filled)) if sample_weight is None else sample_weight
        answered, pattern, counts = group_patterns(~missing)
        # Patterns of several rows first, each kind in the order of the patterns.
        order = np.argsort(counts == 1, kind="stable")
        rows = np.argsort(np.argsort(order)[pattern], kind="stable")
        ends = np.cumsum(counts[order])
        n_repeated = int(np.count_nonzero(counts > 1))
        single = rows[ends[n_repeated - 1] if n_repeated else 0 :]
        total = np.zeros(len(order))
        mean = np.zeros(answered.shape)
        scatter = np.zeros((n_repeated, *whole.scatter[:-1, :-1].shape))
        total[n_repeated:], mean[n_repeated:] = weights[single], filled[single]
        for q, own in enumerate(np.split(rows, ends[:n_repeated])[:n_repeated]):
            total[q] = weights[own].sum()
            if total[q] > 0:
                mean[q] = weights[own] @ filled[own] / total[q]
                off = (filled[own] - mean[q]) * np.sqrt(weights[own])[:, None]
                scatter[q] = off.T @ off
        return cls(answered[order], total, mean, scatter, whole)

    def marginals(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance of each model where it answers.

        Returns
        -------
        mean, variance : ndarray of shape (n_models,)
        """
        weight = self.weight[:, None] * self.answered
        total = weight.sum(axis=0)
        total = np.where(total > 0, total, 1.0)
        mean = (weight * self.mean).sum(axis=0) / total
        squares = (weight * np.square(self.mean - mean)).sum(axis=0)
        return mean, (squares + np.einsum("qii->i", self.scatter)) / total

    def expectations(
        self, mean: NDArray[np.float64], covariance: NDArray[np.float64]
    ) -> Moments:
        """Moments of all rows, silent models as the others suggest.

        Parameters
        ----------
        mean : ndarray of shape (n_models,)
            Of ``scale`` times the predictions.
        covariance : ndarray of shape (n_models, n_models)
            And their covariance.

        Returns
        -------
        Moments
            Against a target of 0. What the others leave open of a silent model is in
            its variance.
        """
        first = np.zeros(len(mean))
        second = np.zeros_like(covariance)
        step = max(1, CHUNK // covariance.size)
        for start in range(0, len(self.weight), step):
            part = slice(start, start + step)
            seen, weight = self.answered[part].astype(float), self.weight[part]
            off = (self.mean[part] - mean) * seen
            around = weight[:, None, None] * off[:, :, None] * off[:, None, :]
            repeated = self.scatter[part]
            around[: len(repeated)] += repeated
            fill, rest = regression(covariance, seen)
            first += np.einsum("q,qi,qij->j", weight, off, fill, optimize=True)
            second += (fill.swapaxes(1, 2) @ around @ fill).sum(axis=0)
            second += np.tensordot(weight, rest, 1)
        total = self.whole.weight
        shift = first / total
        second -= total * np.outer(shift, shift)
        scatter = np.zeros_like(self.whole.scatter)
        scatter[:-1, :-1] = 0.5 * (second + second.T)
        np.fill_diagonal(scatter, np.maximum(scatter.diagonal(), 0.0))
        return replace(self.whole, mean=np.append(mean + shift, 0.0), scatter=scatter)


def group_patterns(
    answered: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]:
    """List the distinct rows of a mask.

    Parameters
    ----------
    answered : ndarray of bool of shape (n_rows, n_models)
        Which models answer.

    Returns
    -------
    patterns : ndarray of bool of shape (n_patterns, n_models)
    pattern : ndarray of int of shape (n_rows,)
        Which of them each row has.
    counts : ndarray of int of shape (n_patterns,)
        Rows of each.
    """
    packed = np.ascontiguousarray(np.packbits(answered, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, pattern, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    return answered[first], pattern.ravel(), counts


def regression(
    covariance: NDArray[np.float64], seen: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Regress all models on those that are seen, for each pattern.

    Parameters
    ----------
    covariance : ndarray of shape (n_models, n_models)
        Covariance of the predictions.
    seen : ndarray of shape (n_patterns, n_models)
        One where a model answers, else zero.

    Returns
    -------
    fill : ndarray of shape (n_patterns, n_models, n_models)
        Coefficients, of those seen on all: one at a model that is seen itself.
    rest : ndarray of shape (n_patterns, n_models, n_models)
        Covariance of what they leave open.
    """
    index = np.arange(len(covariance))
    unseen = np.subtract(1.0, seen)
    unit = np.where(covariance.diagonal() > 0, covariance.diagonal(), 1.0)
    known = covariance * seen[:, :, None] * seen[:, None, :]
    known[:, index, index] += unit * np.where(seen > 0, NUGGET, 1.0)
    cross = covariance * seen[:, :, None] * unseen[:, None, :]
    fill = np.asarray(np.linalg.solve(known, cross), dtype=np.float64)
    rest = covariance * unseen[:, :, None] * unseen[:, None, :]
    rest -= cross.swapaxes(1, 2) @ fill
    fill[:, index, index] += seen
    return fill, rest
