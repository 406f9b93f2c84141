"""Predictions with holes: what those who answer say of those who don't.

Method: a Gaussian model of the predictions, by expectation-maximization. Strength:
exact where nothing is missing, efficient where what is missing depends on what is seen
(missing at random). Limit: models that are silent where they would err most look better
than they are; an iteration inverts a small matrix for each pattern of answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.answer_patterns import AnswerPatterns
from stackingnet_sk.evidence.moments import Moments
from stackingnet_sk.evidence.patterns import (
    CHUNK,
    NUGGET,
    group_patterns,
    regression,
)

# Rows' worth of trust that all models have equally much in common: what a model that
# answered three times has in common with the others is not certain.
_EXCHANGEABLE_ROWS = 10.0
# Largest change in the last iteration, in units of what a model has for itself, and
# most iterations.
_TOLERANCE = 1e-5
_MAX_ITERATIONS = 1000
_EPSILON = np.finfo(float).eps


def impute_moments(patterns: AnswerPatterns) -> Moments:
    """Estimate the moments that a table would have without its holes.

    The maximum of the likelihood of a Gaussian model by expectation-maximization
    (Dempster, Laird and Rubin, 1977; Little and Rubin, 2019, chapter 11), with a prior
    worth ten rows that all models have equally much in common.

    Parameters
    ----------
    patterns : AnswerPatterns
        Of predictions without labels, among which each model answers somewhere.

    Returns
    -------
    Moments
        Expected moments of the predictions, given what is seen.
    """
    mean, variance = patterns.marginals()
    covariance = np.diag(variance)
    for _ in range(_MAX_ITERATIONS):
        expected = patterns.imputed_with(mean, covariance, conditional_covariance=True)
        model = PredictionModel.from_moments(expected)
        found = model.away_from(patterns.reference)
        unit = model.unique_spread()
        change = max(
            np.abs((found - mean) / unit).max(),
            np.abs((model.covariance - covariance) / np.outer(unit, unit)).max(),
        )
        mean, covariance = found, model.covariance
        if change <= _TOLERANCE:
            break
    return patterns.imputed_with(mean, covariance, conditional_covariance=True)


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
    rest : ndarray of shape (n_models,) or float, default=0.0
        What rounding took from the mean.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    scale: float
    rest: NDArray[np.float64] | float = 0.0

    @classmethod
    def from_moments(cls, prediction_moments: Moments) -> PredictionModel:
        """Take mean and covariance, correlations pulled to their average.

        The average over all orders of the models is positive semidefinite itself.

        Parameters
        ----------
        prediction_moments : Moments
            Moments of the predictions, read with a target of 0.

        Returns
        -------
        PredictionModel
        """
        covariance = prediction_moments.predictions()[0]
        spread = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
        # Of constants only rounding is left.
        live = spread > _EPSILON * np.abs(prediction_moments.mean[:-1])
        spread, covariance = spread * live, covariance * np.outer(live, live)
        n_live = int(np.count_nonzero(spread))
        if n_live > 1:
            unit = np.where(spread > 0, spread, 1.0)
            total = float((covariance / np.outer(unit, unit)).sum())
            average = np.full_like(covariance, (total - n_live) / n_live / (n_live - 1))
            np.fill_diagonal(average, 1.0)
            average *= np.outer(spread, spread)
            rows = _EXCHANGEABLE_ROWS + prediction_moments.n_effective
            covariance = covariance + (_EXCHANGEABLE_ROWS / rows) * (
                average - covariance
            )
        rest = prediction_moments.remainder[:-1]
        return cls(
            prediction_moments.mean[:-1], covariance, prediction_moments.scale, rest
        )

    def rescaled(self, scale: float) -> PredictionModel:
        """Express the same model at another scale.

        Parameters
        ----------
        scale : float
            Power of two.

        Returns
        -------
        PredictionModel
        """
        factor = scale / self.scale
        return PredictionModel(
            self.mean * factor,
            self.covariance * factor**2,
            scale,
            self.rest * factor,
        )

    def away_from(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        """Say how far the mean is from a point near it.

        Parameters
        ----------
        place : ndarray of shape (n_models,)
            The point.

        Returns
        -------
        ndarray of shape (n_models,)
        """
        return (self.mean - place) + self.rest

    def unique_spread(self) -> NDArray[np.float64]:
        """Measure the spread of each model given the others; one of constants."""
        variance = self.covariance.diagonal()
        own = np.where(variance > 0, variance, 1.0)
        root = np.sqrt(own)
        kernel = self.covariance / np.outer(root, root)
        kernel[np.diag_indices_from(kernel)] += np.where(variance > 0, NUGGET, 1.0)
        return root / np.sqrt(np.maximum(np.linalg.inv(kernel).diagonal(), 1.0))

    def conditional_covariance(
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
            Mean over the rows, in squared units of ``scale`` times the predictions.
        """
        patterns, pattern, _ = group_patterns(answered)
        share = np.bincount(pattern, weights, len(patterns))
        left = np.zeros_like(self.covariance)
        step = max(1, CHUNK // left.size)
        for start in range(0, len(patterns), step):
            part = slice(start, start + step)
            rest = regression(self.covariance, patterns[part].astype(float))[1]
            left += np.tensordot(share[part], rest, 1)
        return left / float(share.sum())

    def fill(
        self, table: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
        """Replace missing predictions by what the others suggest.

        Parameters
        ----------
        table : ndarray of shape (n_rows, n_models)
            Predictions, NaN where one is missing; in the units of the rows.

        Returns
        -------
        filled : ndarray of shape (n_rows, n_models)
        conditional : ndarray of shape (n_patterns, n_models, n_models)
            Covariance that filling leaves out, for each pattern of answers.
        pattern : ndarray of int of shape (n_rows,)
            Pattern of each row.
        """
        answered = ~np.isnan(table)
        patterns, pattern, _ = group_patterns(answered)
        model = self.rescaled(1.0)
        mean = model.mean + model.rest
        away = np.where(answered, table - mean, 0.0)
        filled = table.copy()
        conditional = np.empty((len(patterns), *model.covariance.shape))
        step = max(1, CHUNK // model.covariance.size)
        for start in range(0, len(patterns), step):
            part = slice(start, start + step)
            fill, conditional[part] = regression(
                model.covariance, patterns[part].astype(float)
            )
            for number, coefficients in enumerate(fill, start):
                rows = pattern == number
                filled[rows] = mean + away[rows] @ coefficients
        return np.where(answered, table, filled), conditional, pattern

    def combination(
        self,
        answered: NDArray[np.bool_],
        weights: NDArray[np.float64],
        intercept: float,
    ) -> tuple[Moments, NDArray[np.intp]]:
        """Moments of those who answer against what all would say together.

        Parameters
        ----------
        answered : ndarray of bool of shape (n_models,)
            Who answers.
        weights : ndarray of shape (n_models,)
            Weights of the combination of all models.
        intercept : float
            Its intercept, in the units of the target.

        Returns
        -------
        moments : Moments
            Of errors against the combination, and of the combination.
        models : ndarray of int
            Who answers.
        """
        models = np.flatnonzero(answered)
        along = self.covariance @ weights
        variance = max(float(weights @ along), 0.0)
        center = float(self.mean @ weights) + intercept * self.scale
        scatter = np.empty((len(models) + 1, len(models) + 1))
        own = along[models]
        scatter[:-1, :-1] = self.covariance[np.ix_(models, models)]
        scatter[:-1, :-1] += variance - own[:, None] - own
        scatter[:-1, -1] = scatter[-1, :-1] = own - variance
        scatter[-1, -1] = variance
        # Errors below the rounding of the differences would make it indefinite.
        rounding = _EPSILON * (self.covariance.diagonal()[models] + variance)
        scatter[np.arange(len(models)), np.arange(len(models))] += rounding
        mean = np.append(self.mean[models] - center, center)
        return Moments(1.0, 1, mean, scatter, 1.0, self.scale), models
