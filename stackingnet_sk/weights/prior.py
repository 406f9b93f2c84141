"""Shrinkage in pseudo-observations, toward a direction that needs no labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

# A given strength acts on the direction of the weights; the slope gets a twentieth.
_SLOPE_SHARE = 0.05

# Empirical Bayes, chosen on real ratings and faces from 5 labels up and on stacking of
# fitted members; flat around it. The slope times the spread of what it multiplies is a
# priori a quarter of the labels' spread, its variance that of the labels over six.
_SLOPE_CENTER = 0.25
_SLOPE_UNIT = 6.0
# Prior variances of the direction are that of the labels over this.
_DIRECTION_UNIT = 8.0
# Grid of factors on the direction's strength, and the standard deviation of their
# log-normal hyperprior: wide, so that it is only felt below some 50 labels.
_FACTORS = np.geomspace(0.01, 100.0, 9)
_FACTOR_SPREAD = 2.0
# Rows' worth of trust that the residual variance is that of the labels.
_NOISE_ROWS = 2.0
_NUGGET = 1e-12
_CANCELLED = 1e-9

# Models whose spreads are within this factor of the panel's speak in the same units.
_SAME_UNITS = 3.0
# Rows' worth of trust that all models have equally much in common.
_COMMON_ROWS = 10.0
# Beyond, a single model would take all on the word of an estimate.
_MOST_COMMON = 0.95


@dataclass(frozen=True, eq=False)
class ShrinkagePrior:
    r"""Gaussian prior on the weights, in pseudo-observations.

    Adds ``k |D (w - s u)|^2 + l g^2 (s - s_0)^2`` to the sum of squared errors, with
    ``D = diag(spread)``, ``s = u'D^2 w / u'D^2 u`` the slope of ``w`` along ``u`` and
    ``g^2`` the variance of the predictions combined by ``u``. The first term is
    quadratic and homogeneous in ``w``; the second is the squared error of one more
    observation.

    Parameters
    ----------
    spread : ndarray of shape (n_models,)
        Unit of each model's predictions, see :func:`common_spread`.
    direction : ndarray of shape (n_models,)
        ``u``, non-negative, sums to one.
    variance : float
        ``g^2 = u' Sigma u``.
    strength : float
        ``k``, on the direction.
    slope_strength : float
        ``l``, on the slope.
    slope : float
        ``s_0``, where the slope is pulled.
    """

    spread: NDArray[np.float64]
    direction: NDArray[np.float64]
    variance: float
    strength: float = 0.0
    slope_strength: float = 0.0
    slope: float = 0.0

    @classmethod
    def from_covariance(
        cls,
        covariance: NDArray[np.float64],
        strength: float = 0.0,
        n_rows: float = np.inf,
    ) -> ShrinkagePrior:
        """Center the prior on what the predictions alone say.

        Parameters
        ----------
        covariance : ndarray of shape (n_models, n_models)
            ``Sigma``: covariance of the predictions, labelled rows or not, with
            positive diagonal.
        strength : float, default=0.0
            ``k``; the slope gets a twentieth of it, toward zero.
        n_rows : float, default=inf
            Rows that the covariance is from.

        Returns
        -------
        ShrinkagePrior
        """
        own = np.sqrt(covariance.diagonal())
        scores = factor_scores(covariance / np.outer(own, own), n_rows)
        spread = common_spread(own)
        direction = scores / spread
        direction /= direction.sum()
        variance = float(direction @ covariance @ direction)
        apart = float(np.square(direction * own).sum())
        # Of models that cancel rounding is left, and no unit for a slope.
        variance = variance if variance > _CANCELLED * apart else apart
        return cls(spread, direction, variance, strength, _SLOPE_SHARE * strength)

    def with_evidence(
        self,
        covariance: NDArray[np.float64],
        covariance_with_target: NDArray[np.float64],
        target_variance: float,
        total_weight: float,
    ) -> ShrinkagePrior:
        r"""Set the strengths by empirical Bayes.

        In the model ``y = s g + P D^{-1} d + noise``, with ``v`` the variance of the
        labels, the slope has a Cauchy prior in units of the labels' spread, ``s g``
        about ``v^{1/2} / 4`` with scale ``(v / 6)^{1/2}``, and a weight in units of
        ``D`` deviates from its centre by about its own size,
        ``d ~ N(0, t^2 |q|^2 v / 8 M g^2)`` with ``q = Du``. The strengths are ratios of
        variances: the less noise there is to explain, the less the labels need the
        prior. The noise is the residual of the one-parameter fit along ``u``. That fit
        also says how far out on the Cauchy's tails the slope is, where it is pulled
        less (one step of iterated reweighting). The factor ``t`` is averaged over its
        posterior, the marginal likelihood of the labels times a wide hyperprior, so
        that it follows the labels where they are many and nothing jumps.

        Parameters
        ----------
        covariance : ndarray of shape (n_models, n_models)
            Covariance of the predictions on the labelled rows.
        covariance_with_target : ndarray of shape (n_models,)
            Their covariance with the labels.
        target_variance : float
            Variance of the labels.
        total_weight : float
            Total weight of the labelled rows.

        Returns
        -------
        ShrinkagePrior
        """
        explained = float(self.direction @ covariance_with_target)
        variance = float(self.direction @ covariance @ self.direction)
        residual = target_variance
        if variance > 0:
            residual -= explained**2 / variance
        noise = max(residual, 0.0) + _NOISE_ROWS / total_weight * target_variance
        # Constant labels say nothing about the noise: as much as there is to explain.
        share = noise / target_variance if target_variance > 0 else 1.0
        n_models = len(self.spread)
        length = float(np.square(self.spread * self.direction).sum())
        unit = _DIRECTION_UNIT * share * n_models * self.variance / length
        # In units of the labels' spread over that of the combined predictions.
        pull = _SLOPE_UNIT * share / total_weight
        away = 0.0
        if target_variance > 0:
            slope = explained / np.sqrt(target_variance * self.variance)
            information = variance / self.variance
            away = (slope - _SLOPE_CENTER * information) / (information + pull)
        centered = replace(
            self,
            strength=unit,
            slope_strength=2.0 * _SLOPE_UNIT * share / (1.0 + _SLOPE_UNIT * away**2),
            slope=_SLOPE_CENTER * float(np.sqrt(target_variance / self.variance)),
        )
        seen, label = centered.slope_observation()
        covariance = covariance + np.outer(seen, seen / total_weight)
        covariance_with_target = covariance_with_target + seen * label / total_weight
        left_at_most = target_variance + label**2 / total_weight
        toward = centered.penalty(total_weight)
        logs = np.log(_FACTORS)
        evidence = -0.5 * np.square(logs / _FACTOR_SPREAD)
        for j, factor in enumerate(_FACTORS):
            kernel = covariance + factor * toward
            # Duplicates on very many rows would leave the sum singular to rounding.
            kernel[np.diag_indices_from(kernel)] += _NUGGET * covariance.diagonal()
            cholesky, low = cho_factor(kernel, lower=True)
            fitted = float(
                covariance_with_target
                @ cho_solve((cholesky, low), covariance_with_target)
            )
            left = max(left_at_most - fitted, np.finfo(float).eps * noise) or 1.0
            determinant = 2.0 * np.log(cholesky.diagonal()).sum()
            evidence[j] -= 0.5 * (
                max(total_weight - 1.0, 0.0) * np.log(left)
                + determinant
                - (n_models - 1) * logs[j]
            )
        posterior = np.exp(evidence - evidence.max())
        factor = float(np.exp(posterior @ logs / posterior.sum()))
        return replace(centered, strength=unit * factor)

    def penalty(self, total_weight: float) -> NDArray[np.float64]:
        """Matrix ``K`` of the penalty ``w'Kw`` on the direction.

        Parameters
        ----------
        total_weight : float
            Total weight of the labelled rows: the penalty on the mean squared error
            fades as they come.

        Returns
        -------
        ndarray of shape (n_models, n_models)
        """
        along = self.spread * self.direction
        along = along / float(np.linalg.norm(along))
        kernel = np.outer(-self.strength * along, along)
        kernel[np.diag_indices_from(kernel)] += self.strength
        return self.spread[:, None] * kernel * (self.spread / total_weight)

    def slope_observation(self) -> tuple[NDArray[np.float64], float]:
        """Return the observation whose squared error is the penalty on the slope.

        It is for free slopes: where ``1'w = 1`` fixes the slope, shrinking it would
        only distort the direction.

        Returns
        -------
        predictions : ndarray of shape (n_models,)
            What the models predict there.
        label : float
            And what is true.
        """
        size = float(np.sqrt(self.slope_strength * self.variance))
        along = self.spread**2 * self.direction
        return size * along / float(along @ self.direction), size * self.slope


def common_spread(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Units of the models: the same for all whose spreads are of the same order.

    Parameters
    ----------
    spread : ndarray of shape (n_models,)
        Standard deviation of each model's predictions, positive.

    Returns
    -------
    ndarray of shape (n_models,)
        The panel's median spread; of a model that spreads over three times more or
        less, which then speaks in other units, its own, over or times three.

    Notes
    -----
    A standard deviation of a few rows is noise. And of models that speak in the units
    of the labels, those that use more of the range are no worse for it: on real ratings
    weights of the predictions as they come do better than weights of standardized
    ones, with 5 labels and with 200.
    """
    order: NDArray[np.float64] = np.log(spread)
    reach = float(np.log(_SAME_UNITS))
    off = order - np.median(order)
    return np.exp(order - np.clip(off, -reach, reach))


def factor_scores(
    correlation: NDArray[np.float64], n_rows: float = np.inf
) -> NDArray[np.float64]:
    r"""Label-free weights of standardized predictions under one common factor.

    The best linear predictor of the factor weighs model m by ``l_m / (1 - l_m^2)``,
    with the loadings ``l`` of :func:`common_variance`, of which ten rows say that they
    are equal, and which are at most 0.95. Where they are not to be had, uniform weights
    over the models that agree with the rest.

    Parameters
    ----------
    correlation : ndarray of shape (n_models, n_models)
        Correlation of the predictions.
    n_rows : float, default=inf
        Rows that it is from.

    Returns
    -------
    ndarray of shape (n_models,)
        Non-negative weights of the standardized predictions, not normalized.
    """
    agrees = correlation.sum(axis=0) - correlation.diagonal() > 0
    counted = agrees if agrees.any() else ~agrees
    uniform: NDArray[np.float64] = counted.astype(float)
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
    correlation: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    r"""Share of each model's variance that is common to all, without labels.

    If errors are independent given the target, the off-diagonal correlations are rank
    one, ``rho_mj = l_m l_j`` (the regression twin of Parisi et al., 2014). Spearman's
    closed form for the communality is ``l_m^2 = (A_m^2 - B_m) / (T - 2 A_m)`` with
    ``A_m`` and ``B_m`` the sums of the m-th row and of its squares, and ``T`` the sum
    of all, diagonal left out: no iterations, and no order of the models. Models that
    run against the others are turned around for it.

    Parameters
    ----------
    correlation : ndarray of shape (n_models, n_models)
        Correlation of the predictions.

    Returns
    -------
    ndarray of shape (n_models,) or None
        ``l_m |l_m|``, negative for a model that runs against the others; above one in a
        Heywood case. None for fewer than three models, of which only the product of
        loadings is identified, and where the closed form fails.
    """
    off = correlation - np.diag(correlation.diagonal())
    if len(off) < 3:
        return None
    signs = _sides(off)
    turned = off * np.outer(signs, signs)
    rows = turned.sum(axis=0)
    numerator = np.maximum(rows**2 - (turned**2).sum(axis=0), 0.0)
    denominator = rows.sum() - 2.0 * rows
    if not np.all(denominator > 0):
        return None
    common: NDArray[np.float64] = signs * np.sign(rows) * numerator / denominator
    return common


def _sides(off: NDArray[np.float64]) -> NDArray[np.float64]:
    """Signs of the models along what they have in common, most of them positive.

    They are those of the leading eigenvector. Sums of correlations, as they come, would
    take two copies of one model that runs against the others for a pair that agrees.
    """
    leading = np.linalg.eigh(off)[1][:, -1]
    # The root: a few that agree perfectly don't outvote many that agree well, nor do
    # many that agree with nobody.
    votes = float(np.sign(leading) @ np.sqrt(np.abs(leading)))
    return np.where((leading < 0) == (votes < 0), 1.0, -1.0)
