"""Shrinkage in pseudo-observations, toward a direction that needs no labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from stackingnet_sk.weights.shapes import Array, Covariance, Weights

# Strength on the slope, as a share of the strength on the direction that a user gives.
_SLOPE_SHARE = 0.05

# The constants of empirical Bayes were chosen on real ratings and faces, from 5 labels
# up, and on stacking of fitted members. The results are flat around them.

# Prior centre of the slope times the spread of the combined predictions, in units of
# the labels' standard deviation.
_SLOPE_CENTER = 0.25
# The squared scale of that prior is the variance of the labels divided by this.
_SLOPE_UNIT = 6.0
# The prior variance of the direction is the variance of the labels divided by this.
_DIRECTION_UNIT = 8.0
# Grid of factors on the strength on the direction.
_FACTORS = np.geomspace(0.01, 100.0, 9)
# Standard deviation of the factor's logarithm in its log-normal hyperprior. It is so
# wide that it only matters below some 50 labels.
_FACTOR_SPREAD = 2.0
# Number of rows that count for a residual variance equal to that of the labels.
_NOISE_ROWS = 2.0
# Share of the diagonal that is added to it before a Cholesky factorization.
_NUGGET = 1e-12
# A combination with less than this share of the variance that uncorrelated models would
# give it has only rounding noise left.
_CANCELLED = 1e-9

# Models whose spreads differ from the median by less than this factor use the same
# units.
_SAME_UNITS = 3.0
# Number of rows that count for equal communalities of all models.
_COMMON_ROWS = 10.0
# Largest communality. Above it, an estimate would give one model nearly all the weight.
_MOST_COMMON = 0.95


@dataclass(frozen=True, eq=False)
class ShrinkagePrior:
    """Gaussian prior on the weights, in pseudo-observations.

    It adds ``k |D (w - s u)|^2 + l g^2 (s - s_0)^2`` to the sum of squared errors. Here
    ``D = diag(spread)``, ``s = u'D^2 w / u'D^2 u`` is the slope of ``w`` along ``u``,
    and ``g^2`` is the variance of the predictions combined by ``u``. The first term is
    quadratic and homogeneous in ``w``; the second is the squared error of one more
    observation.

    `spread` is the unit of each model's predictions, see :func:`common_spread`;
    `direction` is ``u``, non-negative and of sum one; `variance` is
    ``g^2 = u' Sigma u``; `strength` and `slope_strength` are ``k`` and ``l``; and
    `slope` is ``s_0``, the value toward which the slope is pulled.
    """

    spread: Weights
    direction: Weights
    variance: float
    strength: float = 0.0
    slope_strength: float = 0.0
    slope: float = 0.0

    @classmethod
    def from_covariance(
        cls,
        covariance: Covariance,
        strength: float = 0.0,
        n_rows: float = np.inf,
    ) -> ShrinkagePrior:
        """Center the prior on a direction that the predictions alone determine.

        `covariance` is ``Sigma``, that of the predictions on `n_rows` rows, labelled or
        not; its diagonal is positive. `strength` is ``k``; the slope gets a twentieth
        of it and is pulled toward zero.
        """
        spreads = np.sqrt(covariance.diagonal())
        scores = factor_scores(covariance / np.outer(spreads, spreads), n_rows)
        spread = common_spread(spreads)
        direction = scores / spread
        direction /= direction.sum()
        variance = float(direction @ covariance @ direction)
        uncorrelated = float(np.square(direction * spreads).sum())
        # If the models cancel each other, their variance is rounding noise, which is no
        # unit for a slope.
        variance = variance if variance > _CANCELLED * uncorrelated else uncorrelated
        return cls(spread, direction, variance, strength, _SLOPE_SHARE * strength)

    def with_evidence(
        self,
        covariance: Covariance,
        covariance_with_target: Weights,
        target_variance: float,
        total_weight: float,
    ) -> ShrinkagePrior:
        """Set the strengths by empirical Bayes, from moments of the labelled rows.

        The model is ``y = s g + P D^{-1} d + noise``, and ``v`` is the variance of the
        labels. The product ``s g`` has a Cauchy prior with centre ``v^{1/2} / 4`` and
        scale ``(v / 6)^{1/2}``. A weight in units of ``D`` deviates from its centre by
        about its own size: ``d ~ N(0, t^2 |q|^2 v / 8 M g^2)`` with ``q = Du``. The
        strengths are ratios of variances: the less noise there is, the less the labels
        need the prior.

        The noise is the residual of the one-parameter fit along ``u``. That fit also
        shows how far out in the tails of the Cauchy prior the slope is, where it is
        pulled less (one step of iterated reweighting). The factor ``t`` is averaged
        over its posterior, which is the marginal likelihood of the labels times a wide
        hyperprior. It thus follows the labels where they are many, and changes
        smoothly.
        """
        explained = float(self.direction @ covariance_with_target)
        variance = float(self.direction @ covariance @ self.direction)
        residual = target_variance
        if variance > 0:
            residual -= explained**2 / variance
        noise = max(residual, 0.0) + _NOISE_ROWS / total_weight * target_variance
        # Constant labels do not show the noise: assume the variance of the labels.
        share = noise / target_variance if target_variance > 0 else 1.0
        n_models = len(self.spread)
        length = float(np.square(self.spread * self.direction).sum())
        strength = _DIRECTION_UNIT * share * n_models * self.variance / length
        # The slope is in units of the labels' spread over that of the combined
        # predictions.
        precision = _SLOPE_UNIT * share / total_weight
        distance = 0.0
        if target_variance > 0:
            slope = explained / np.sqrt(target_variance * self.variance)
            information = variance / self.variance
            distance = slope - _SLOPE_CENTER * information
            distance /= information + precision
        tail = 1.0 + _SLOPE_UNIT * distance**2
        centered = replace(
            self,
            strength=strength,
            slope_strength=2.0 * _SLOPE_UNIT * share / tail,
            slope=_SLOPE_CENTER * float(np.sqrt(target_variance / self.variance)),
        )
        observation, label = centered.slope_observation()
        covariance = covariance + np.outer(observation, observation / total_weight)
        with_target = covariance_with_target + observation * label / total_weight
        mean_square = target_variance + label**2 / total_weight
        penalty = centered.penalty(total_weight)
        logs = np.log(_FACTORS)
        evidence = -0.5 * np.square(logs / _FACTOR_SPREAD)
        for j, factor in enumerate(_FACTORS):
            kernel = covariance + factor * penalty
            # Duplicate models on very many rows make the sum numerically singular.
            kernel[np.diag_indices_from(kernel)] += _NUGGET * covariance.diagonal()
            cholesky, lower = cho_factor(kernel, lower=True)
            fitted = float(with_target @ cho_solve((cholesky, lower), with_target))
            unexplained = max(mean_square - fitted, np.finfo(float).eps * noise) or 1.0
            determinant = 2.0 * np.log(cholesky.diagonal()).sum()
            evidence[j] -= 0.5 * (
                max(total_weight - 1.0, 0.0) * np.log(unexplained)
                + determinant
                - (n_models - 1) * logs[j]
            )
        posterior = np.exp(evidence - evidence.max())
        factor = float(np.exp(posterior @ logs / posterior.sum()))
        return replace(centered, strength=strength * factor)

    def penalty(self, total_weight: float) -> Covariance:
        """Return the matrix ``K`` of the penalty ``w'Kw`` on the direction.

        It is divided by the total weight of the labelled rows, so that the penalty on
        the mean squared error fades as labels come.
        """
        along = self.spread * self.direction
        along = along / float(np.linalg.norm(along))
        kernel = np.outer(-self.strength * along, along)
        kernel[np.diag_indices_from(kernel)] += self.strength
        return self.spread[:, None] * kernel * (self.spread / total_weight)

    def slope_observation(self) -> tuple[Weights, float]:
        """Return the observation whose squared error is the penalty on the slope.

        It is made of predictions and a label. Use it only if the slope is free: where
        ``1'w = 1`` fixes the slope, shrinking it would only distort the direction.
        """
        size = float(np.sqrt(self.slope_strength * self.variance))
        along = self.spread**2 * self.direction
        return size * along / float(along @ self.direction), size * self.slope


def common_spread(spread: Weights) -> Weights:
    """Choose a unit of each model's predictions, one for all of similar spread.

    The unit is the median of the standard deviations `spread`, which are positive. If
    that of a model is over three times larger or smaller, the model uses other units,
    and its unit is its own spread divided or multiplied by three.

    A standard deviation of a few rows is noisy. And among models in the units of the
    labels, those that use more of the range are not worse for it: on real ratings,
    weights of the predictions as they are do better than weights of standardized
    predictions, with 5 labels and with 200.
    """
    logs: Array = np.log(spread)
    reach = float(np.log(_SAME_UNITS))
    deviation = logs - np.median(logs)
    return np.exp(logs - np.clip(deviation, -reach, reach))


def factor_scores(correlation: Covariance, n_rows: float = np.inf) -> Weights:
    """Compute label-free weights of standardized predictions, by one common factor.

    The best linear predictor of the factor weighs model m by ``l_m / (1 - l_m^2)``. The
    communalities ``l^2`` are those of :func:`common_variance`, shrunk toward their
    mean, which counts for ten rows against the `n_rows` of the correlation, and at most
    0.95. If they cannot be computed, the weights are uniform over the models that agree
    with the others. The weights are non-negative and not normalized.
    """
    agrees = correlation.sum(axis=0) - correlation.diagonal() > 0
    counted = agrees if agrees.any() else ~agrees
    uniform: Array = counted.astype(float)
    common = common_variance(correlation)
    if common is None or not agrees.any():
        return uniform
    common = np.clip(common, 0.0, 1.0)
    equal = _COMMON_ROWS / (_COMMON_ROWS + n_rows)
    common += equal * (common.mean() - common)
    common = np.minimum(common, _MOST_COMMON)
    scores = np.sqrt(common) / (1.0 - common)
    return scores if scores.any() else uniform


def common_variance(
    correlation: Covariance,
) -> Weights | None:
    """Share of each model's variance that is common to all, without labels.

    If errors are independent given the target, the off-diagonal correlations are rank
    one, ``rho_mj = l_m l_j`` (the regression twin of Parisi et al., 2014). Spearman's
    closed form for the communality is ``l_m^2 = (A_m^2 - B_m) / (T - 2 A_m)``. There,
    ``A_m`` and ``B_m`` are the sums of the m-th row and of its squares, and ``T`` is
    the sum of all entries, all without the diagonal. It needs no iterations and does
    not depend on the order of the models. Models that run against the others are turned
    around first.

    The result is ``l_m |l_m|``: negative for a model that runs against the others, and
    above one in a Heywood case. It is None for fewer than three models, which identify
    only the product of two loadings, and if the closed form fails.
    """
    correlations = correlation - np.diag(correlation.diagonal())
    if len(correlations) < 3:
        return None
    signs = _sides(correlations)
    turned = correlations * np.outer(signs, signs)
    rows = turned.sum(axis=0)
    numerator = np.maximum(rows**2 - (turned**2).sum(axis=0), 0.0)
    denominator = rows.sum() - 2.0 * rows
    if not np.all(denominator > 0):
        return None
    common: Array = signs * np.sign(rows) * numerator / denominator
    return common


def _sides(correlations: Covariance) -> Weights:
    """Signs of the models along their common factor, most of them positive.

    They are the signs of the leading eigenvector. Signs of sums of correlations would
    not do: two copies of a model that runs against the others would look like a pair
    that agrees.
    """
    leading = np.linalg.eigh(correlations)[1][:, -1]
    # Votes are weighed by square roots of loadings. A few models that agree perfectly
    # then do not outvote many that agree well, nor do many that agree with no other.
    votes = float(np.sign(leading) @ np.sqrt(np.abs(leading)))
    return np.where((leading < 0) == (votes < 0), 1.0, -1.0)
