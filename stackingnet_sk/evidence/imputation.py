"""Tables with missing predictions: the moments that they would have if complete.

Method: a Gaussian model of the predictions, by expectation-maximization. Strength:
exact where nothing is missing, and efficient where what is missing depends on what is
observed (missing at random). Limit: models that abstain where they would err most look
better than they are; an iteration inverts a small matrix for each pattern of missing
entries.
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

# Weight of the prior that all correlations are equal, in rows: two models that both
# answered three times have a sample correlation that is far from certain.
_EXCHANGEABLE_ROWS = 10.0
# Largest change of mean and covariance in the last iteration, in units of the spread of
# a model given the others.
_TOLERANCE = 1e-5
_MAX_ITERATIONS = 1000
_EPSILON = np.finfo(float).eps
# Rounding of an iteration, relative to the spread. Where the covariance is smallest, at
# NUGGET, a coefficient is wrong by EPSILON / NUGGET, but there the predictions vary by
# no more than the root of NUGGET.
_ROUNDING = _EPSILON / np.sqrt(NUGGET)
# Variances below this underflow when they are multiplied by NUGGET or by rounding.
_NO_VARIANCE = np.finfo(float).tiny / NUGGET / _EPSILON


@dataclass(frozen=True, eq=False)
class Imputation:
    """Expected moments of the predictions, and how expectation-maximization ended.

    Parameters
    ----------
    moments : Moments
        Expected moments of the predictions, given the observed ones.
    converged : bool
        Whether the last iteration changed nothing that matters.
    """

    moments: Moments
    converged: bool


def impute_moments(patterns: AnswerPatterns) -> Imputation:
    """Estimate the moments that a table would have if no prediction were missing.

    This is the maximum of the likelihood of a Gaussian model by
    expectation-maximization (Dempster, Laird and Rubin, 1977; Little and Rubin, 2019,
    chapter 11), with a prior worth ten rows that all correlations are equal. If hardly
    any two models answer the same rows, the likelihood has no maximum: it rises as the
    covariance becomes singular, and the iteration does not converge. Each model answers
    some row.
    """
    mean, variance = patterns.marginals()
    covariance = np.diag(np.where(variance > _NO_VARIANCE, variance, 0.0))
    for _ in range(_MAX_ITERATIONS):
        expected = patterns.imputed_with(mean, covariance, conditional_covariance=True)
        model = PredictionModel.from_moments(expected)
        moved = model.away_from(patterns.reference)
        steps = np.abs(moved - mean), np.abs(model.covariance - covariance)
        mean, covariance = moved, model.covariance
        converged = _within(steps, model.unique_spread(), _TOLERANCE)
        if converged:
            break
    n_answers = (patterns.n_rows[:, None] * patterns.answered).sum(axis=0)
    if not converged and n_answers.min() > patterns.n_models:
        # Models that are nearly perfect differ by less than rounding lets one resolve.
        # With fewer answers than models the covariance is singular for another reason:
        # nothing determines it.
        converged = _within(steps, np.sqrt(covariance.diagonal()), _ROUNDING)
    moments = patterns.imputed_with(mean, covariance, conditional_covariance=True)
    return Imputation(moments, converged)


def _within(
    steps: tuple[NDArray[np.float64], NDArray[np.float64]],
    spread: NDArray[np.float64],
    tolerance: float,
) -> bool:
    """Say whether mean and covariance moved by no more, in units of the spread."""
    mean, covariance = steps
    within = (mean <= tolerance * spread).all()
    return bool(within and (covariance <= tolerance * np.outer(spread, spread)).all())


@dataclass(frozen=True, eq=False)
class PredictionModel:
    """Gaussian model of the predictions of several models.

    Parameters
    ----------
    mean : ndarray of shape (n_models,)
        Mean of ``scale`` times the predictions.
    covariance : ndarray of shape (n_models, n_models)
        Covariance of the same.
    scale : float
        Power of two.
    remainder : ndarray of shape (n_models,) or float, default=0.0
        What rounding took from the mean.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    scale: float
    remainder: NDArray[np.float64] | float = 0.0

    @classmethod
    def from_moments(cls, prediction_moments: Moments) -> PredictionModel:
        """Take mean and covariance, and pull the correlations to their average.

        The average over all orders of the models is positive semidefinite itself, so
        the result is. The moments are read with a target of 0.
        """
        covariance = prediction_moments.predictions()[0]
        spread = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
        # The variance of a constant model is rounding noise. Set it to zero, so that
        # the model does not explain the others.
        live = spread > _EPSILON * np.abs(prediction_moments.mean[:-1])
        live &= covariance.diagonal() > _NO_VARIANCE
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
        remainder = prediction_moments.remainder[:-1]
        return cls(
            prediction_moments.mean[:-1],
            covariance,
            prediction_moments.scale,
            remainder,
        )

    def rescaled(self, scale: float) -> PredictionModel:
        """Express the same model at another scale, a power of two."""
        factor = scale / self.scale
        return PredictionModel(
            self.mean * factor,
            self.covariance * factor**2,
            scale,
            self.remainder * factor,
        )

    def away_from(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean less a point near it, of shape (n_models,)."""
        return (self.mean - place) + self.remainder

    def unique_spread(self) -> NDArray[np.float64]:
        """Measure the spread of each model given the others; one for constants."""
        variance = self.covariance.diagonal()
        root = np.sqrt(np.where(variance > 0, variance, 1.0))
        kernel = self.covariance / np.outer(root, root)
        kernel[np.diag_indices_from(kernel)] += np.where(variance > 0, NUGGET, 1.0)
        return root / np.sqrt(np.maximum(np.linalg.inv(kernel).diagonal(), 1.0))

    def conditional_covariance(
        self, answered: NDArray[np.bool_], weights: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the covariance of the missing predictions given the observed ones.

        It is the mean over the rows of `answered` (n_rows, n_models), in squared units
        of ``scale`` times the predictions.
        """
        patterns, pattern, _ = group_patterns(answered)
        share = np.bincount(pattern, weights, len(patterns))
        total = np.zeros_like(self.covariance)
        step = max(1, CHUNK // total.size)
        for start in range(0, len(patterns), step):
            part = slice(start, start + step)
            open_ = regression(self.covariance, patterns[part].astype(float))[1]
            total += np.tensordot(share[part], open_, 1)
        return total / float(share.sum())

    def fill(
        self, table: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
        """Replace missing predictions (NaN) by their expectation given the others.

        Returns the filled table, the covariance that filling leaves out for each
        pattern of answers (n_patterns, n_models, n_models), and the pattern of each
        row.
        """
        answered = ~np.isnan(table)
        patterns, pattern, _ = group_patterns(answered)
        model = self.rescaled(1.0)
        mean = model.mean + model.remainder
        away = np.where(answered, table - mean, 0.0)
        filled = table.copy()
        conditional = np.empty((len(patterns), *model.covariance.shape))
        rows_of_patterns = np.split(
            np.argsort(pattern, kind="stable"), np.cumsum(np.bincount(pattern))[:-1]
        )
        step = max(1, CHUNK // model.covariance.size)
        for start in range(0, len(patterns), step):
            part = slice(start, start + step)
            fill, conditional[part] = regression(
                model.covariance, patterns[part].astype(float)
            )
            for rows, coefficients in zip(rows_of_patterns[part], fill, strict=True):
                filled[rows] = mean + away[rows] @ coefficients
        return np.where(answered, table, filled), conditional, pattern

    def combination(
        self,
        answered: NDArray[np.bool_],
        weights: NDArray[np.float64],
        intercept: float,
    ) -> tuple[Moments, NDArray[np.intp]]:
        """Return moments of the models that answer, with the combination as target.

        `weights` and `intercept` are those of the combination of all models. The second
        result lists the models that answer.
        """
        models = np.flatnonzero(answered)
        along = self.covariance @ weights
        variance = max(float(weights @ along), 0.0)
        center = float(self.mean @ weights) + intercept * self.scale
        with_target = along[models]
        scatter = np.empty((len(models) + 1, len(models) + 1))
        scatter[:-1, :-1] = self.covariance[np.ix_(models, models)]
        scatter[:-1, :-1] += variance - with_target[:, None] - with_target
        scatter[:-1, -1] = scatter[-1, :-1] = with_target - variance
        scatter[-1, -1] = variance
        # Errors below the rounding of the differences would make it indefinite.
        rounding = _EPSILON * (self.covariance.diagonal()[models] + variance)
        scatter[np.arange(len(models)), np.arange(len(models))] += rounding
        mean = np.append(self.mean[models] - center, center)
        return Moments(1.0, 1, mean, scatter, 1.0, self.scale), models
