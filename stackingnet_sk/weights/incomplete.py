"""Predictions with holes: what those who answer say of those who don't.

Method: a Gaussian model of the predictions, by expectation-maximization; rows are
summed up by which models answer, once, and each iteration works on the sums. Strength:
exact where nothing is missing, efficient where what is missing depends on what is seen
(missing at random). Limit: models that are silent where they would err most look better
than they are; an iteration inverts a small matrix for each pattern of answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.limits import Limits
from stackingnet_sk.weights.moments import Moments
from stackingnet_sk.weights.solution import Solution
from stackingnet_sk.weights.solve import solve_moments

# Rows' worth of trust that all models have equally much in common: what a model that
# answered three times has in common with the others is not certain.
_EXCHANGEABLE_ROWS = 10.0
# Largest change in the last iteration, in units of what a model has for itself, and
# most iterations.
_TOLERANCE = 1e-5
_MAX_ITERATIONS = 1000
# Of the diagonal: copies of a model would leave a singular matrix.
_NUGGET = 1e-13
# Entries of the matrices of the patterns that are in memory at once.
_CHUNK = 250_000


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
        step = max(1, _CHUNK // covariance.size)
        for start in range(0, len(self.weight), step):
            part = slice(start, start + step)
            seen, weight = self.answered[part].astype(float), self.weight[part]
            off = (self.mean[part] - mean) * seen
            around = weight[:, None, None] * off[:, :, None] * off[:, None, :]
            repeated = self.scatter[part]
            around[: len(repeated)] += repeated
            fill, rest = _regression(covariance, seen)
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


def _regression(
    covariance: NDArray[np.float64], seen: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Regress all models on those that are seen, for each pattern.

    The coefficients, one at a model that is seen itself, and the covariance of what
    they leave open.
    """
    index = np.arange(len(covariance))
    unseen = np.subtract(1.0, seen)
    unit = np.where(covariance.diagonal() > 0, covariance.diagonal(), 1.0)
    known = covariance * seen[:, :, None] * seen[:, None, :]
    known[:, index, index] += unit * np.where(seen > 0, _NUGGET, 1.0)
    cross = covariance * seen[:, :, None] * unseen[:, None, :]
    fill = np.asarray(np.linalg.solve(known, cross), dtype=np.float64)
    rest = covariance * unseen[:, :, None] * unseen[:, None, :]
    rest -= cross.swapaxes(1, 2) @ fill
    fill[:, index, index] += seen
    return fill, rest


def complete(patterns: AnswerPatterns) -> Moments:
    """Estimate the moments that a table would have without its holes.

    The maximum of the likelihood of a Gaussian model by expectation-maximization
    (Dempster, Laird and Rubin, 1977; Little and Rubin, 2019, chapter 11), with a prior
    worth ten rows that all models have equally much in common.

    Parameters
    ----------
    patterns : AnswerPatterns
        Of a table in which each model answers somewhere.

    Returns
    -------
    Moments
        Expected moments of the predictions, given what is seen.
    """
    mean, variance = patterns.marginals()
    covariance = np.diag(variance)
    for _ in range(_MAX_ITERATIONS):
        model = PredictionModel.from_moments(patterns.expectations(mean, covariance))
        unit = model.unique_spread()
        change = max(
            np.abs((model.mean - mean) / unit).max(),
            np.abs((model.covariance - covariance) / np.outer(unit, unit)).max(),
        )
        mean, covariance = model.mean, model.covariance
        if change <= _TOLERANCE:
            break
    return patterns.expectations(mean, covariance)


@dataclass(frozen=True, eq=False)
class PredictionModel:
    """Gaussian model of what the models of a panel predict.

    Parameters
    ----------
    mean : ndarray of shape (n_models,)
        Of ``scale`` times the predictions.
    covariance : ndarray of shape (n_models, n_models)
        And their covariance.
    scale : float
        Power of two.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    scale: float

    @classmethod
    def from_moments(cls, everything: Moments) -> PredictionModel:
        """Take mean and covariance, correlations pulled to their average.

        The average over all orders of the models is positive semidefinite itself.

        Parameters
        ----------
        everything : Moments
            Moments of the predictions, read with a target of 0.

        Returns
        -------
        PredictionModel
        """
        covariance = everything.predictions()[0]
        spread = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
        n_live = int(np.count_nonzero(spread))
        if n_live > 1:
            unit = np.where(spread > 0, spread, 1.0)
            total = float((covariance / np.outer(unit, unit)).sum())
            average = np.full_like(covariance, (total - n_live) / n_live / (n_live - 1))
            np.fill_diagonal(average, 1.0)
            average *= np.outer(spread, spread)
            rows = _EXCHANGEABLE_ROWS + everything.n_effective
            covariance = covariance + (_EXCHANGEABLE_ROWS / rows) * (
                average - covariance
            )
        return cls(everything.mean[:-1], covariance, everything.scale)

    def unique_spread(self) -> NDArray[np.float64]:
        """Measure the spread of each model given the others; one of constants."""
        variance = self.covariance.diagonal()
        own = np.where(variance > 0, variance, 1.0)
        root = np.sqrt(own)
        kernel = self.covariance / np.outer(root, root)
        kernel[np.diag_indices_from(kernel)] += np.where(variance > 0, _NUGGET, 1.0)
        return root / np.sqrt(np.maximum(np.linalg.inv(kernel).diagonal(), 1.0))

    def fill(self, predictions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Put what the others suggest where a model is silent.

        Parameters
        ----------
        predictions : ndarray of shape (n_rows, n_models)
            With NaN. Never written to.

        Returns
        -------
        ndarray of shape (n_rows, n_models)
        """
        filled = predictions.astype(np.float64)
        answered, pattern, counts = group_patterns(~np.isnan(filled))
        rows = np.split(np.argsort(pattern, kind="stable"), np.cumsum(counts))[:-1]
        mean = self.mean / self.scale
        for own, seen in zip(rows, answered, strict=True):
            if seen.all():
                continue
            onto, _ = _regression(self.covariance, seen[None].astype(float))
            off = filled[np.ix_(own, seen)] - mean[seen]
            guess = mean[~seen] + off @ onto[0][np.ix_(seen, ~seen)]
            filled[np.ix_(own, ~seen)] = guess
        return filled

    def left_open(
        self, answered: NDArray[np.bool_], weights: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Covariance of the predictions that those who answer leave open.

        Parameters
        ----------
        answered : ndarray of bool of shape (n_rows, n_models)
            Who answers on each row.
        weights : ndarray of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        ndarray of shape (n_models, n_models)
            Mean over the rows, in squared units of the predictions.
        """
        patterns, pattern, _ = group_patterns(answered)
        share = np.bincount(pattern, weights, len(patterns))
        left = np.zeros_like(self.covariance)
        step = max(1, _CHUNK // left.size)
        for start in range(0, len(patterns), step):
            part = slice(start, start + step)
            rest = _regression(self.covariance, patterns[part].astype(float))[1]
            left += np.tensordot(share[part], rest, 1)
        return left / share.sum() / self.scale / self.scale

    def combination(
        self, answered: NDArray[np.bool_], solution: Solution
    ) -> tuple[Moments, NDArray[np.intp]]:
        """Moments of those who answer against what all would say together.

        Parameters
        ----------
        answered : ndarray of bool of shape (n_models,)
            Who answers.
        solution : Solution
            The combiner of all.

        Returns
        -------
        moments : Moments
            Of errors against the combination, and of the combination.
        models : ndarray of int
            Who answers.
        """
        models = np.flatnonzero(answered)
        weights = solution.weights
        along = self.covariance @ weights
        variance = max(float(weights @ along), 0.0)
        center = float(self.mean @ weights) + float(solution.intercept) * self.scale
        scatter = np.empty((len(models) + 1, len(models) + 1))
        own = along[models]
        scatter[:-1, :-1] = self.covariance[np.ix_(models, models)]
        scatter[:-1, :-1] += variance - own[:, None] - own
        scatter[:-1, -1] = scatter[-1, :-1] = own - variance
        scatter[-1, -1] = variance
        mean = np.append(self.mean[models] - center, center)
        return Moments(1.0, 1, mean, scatter, 1.0, self.scale), models


def due_to_holes(
    everything: Moments,
    answered: NDArray[np.bool_],
    row_weights: NDArray[np.float64] | None,
    weights: NDArray[np.float64],
    slopes: NDArray[np.float64],
) -> float:
    r"""Part of the mean squared error of a combination that is due to holes alone.

    With ``P = F + U``, what the others suggest and what they leave open, of covariance
    ``R``, and ``y = b + s'P + noise``, the error of ``w'F`` is above that of ``w'P`` by
    ``2 w'Rs - w'Rw``; for the best of all weights, ``w = s``, it is ``w'Rw``.

    Parameters
    ----------
    everything : Moments
        Moments of the predictions.
    answered : ndarray of bool of shape (n_rows, n_models)
        Who answers on the labelled rows.
    row_weights : ndarray of shape (n_rows,) or None
        Weights of these rows.
    weights : ndarray of shape (n_models,)
        The combiner.
    slopes : ndarray of shape (n_models,)
        An estimate of ``s``.

    Returns
    -------
    float
        In squared units of the target.
    """
    model = PredictionModel.from_moments(everything)
    left = model.left_open(answered, row_weights)
    return float(weights @ left @ (2.0 * slopes - weights))


def solve_pattern(
    model: PredictionModel,
    solution: Solution,
    answered: NDArray[np.bool_],
    constraint: str,
    *,
    fit_intercept: bool = True,
    solver: str = "auto",
    limits: Limits | None = None,
) -> Solution:
    r"""Weights of those who answer: what all would say together, as well as they can.

    The best prediction of the target from what is seen is that of the full panel's
    combination, ``E[y | P_o] = E[w'P + b | P_o]``. Its weights need not be feasible:
    these are the feasible ones that come nearest, over all rows. The shrinkage is that
    of the panel.

    Parameters
    ----------
    model : PredictionModel
        How models go together.
    solution : Solution
        The combiner of all.
    answered : ndarray of bool of shape (n_models,)
        Who answers; at least one does.
    constraint : str
        Name of the constraint set, which holds here too.
    fit_intercept : bool, default=True
        Whether to add the intercept that makes up for those who are missing.
    solver : {"auto", "cvxpy"}, default="auto"
        The native solvers, or an independent one.
    limits : Limits, default=None
        The user's constraints, which hold here too.

    Returns
    -------
    Solution
        Weights are zero for silent models; `objective` is the mean squared difference
        from the combination of all, in squared units of the target.
    """
    weights = np.zeros(len(solution.weights))
    if not solution.weights[~answered].any():
        return replace(solution, objective=0.0)
    moments, models = model.combination(answered, solution)
    own = solve_moments(
        moments,
        constraint,
        fit_intercept=fit_intercept,
        solver=solver,
        limits=None if limits is None else limits.subset(models),
    )
    weights[models] = own.weights
    return replace(own, weights=weights, expected_error=np.nan)
