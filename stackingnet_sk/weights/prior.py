"""Shrinkage in pseudo-observations, toward a direction that needs no labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Pseudo-observations on the direction of the weights; the slope gets a twentieth.
# One pair served every number of labels on real ratings.
DEFAULT_SHRINKAGE = 100.0
_SLOPE_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class ShrinkagePrior:
    r"""Gaussian prior on the weights, worth so many labelled rows.

    Adds ``k |D (w - s u)|^2 + (k / 20) g^2 s^2`` to the sum of squared errors, with
    ``D = diag(spread)``, ``s = u'D^2 w / u'D^2 u`` the slope of ``w`` along ``u`` and
    ``g^2`` the variance of the predictions combined by ``u``. It is quadratic and
    homogeneous in ``w``, and it does not change when a model's predictions are put in
    other units.

    Parameters
    ----------
    spread : ndarray of shape (n_models,)
        Standard deviation of each model's predictions.
    direction : ndarray of shape (n_models,)
        ``u``, non-negative, sums to one.
    variance : float
        ``g^2 = u' Sigma u``.
    strength : float
        ``k``, in rows of sample weight one.
    """

    spread: NDArray[np.float64]
    direction: NDArray[np.float64]
    variance: float
    strength: float

    @classmethod
    def from_covariance(
        cls, covariance: NDArray[np.float64], strength: float = DEFAULT_SHRINKAGE
    ) -> ShrinkagePrior:
        """Center the prior on what the predictions alone say.

        Parameters
        ----------
        covariance : ndarray of shape (n_models, n_models)
            ``Sigma``: covariance of the predictions, labelled rows or not, with
            positive diagonal.
        strength : float, default=100.0
            Pseudo-observations.

        Returns
        -------
        ShrinkagePrior
        """
        spread = np.sqrt(covariance.diagonal())
        standardized = factor_scores(covariance / np.outer(spread, spread))
        direction = standardized / spread
        direction /= direction.sum()
        return cls(
            spread, direction, float(direction @ covariance @ direction), strength
        )

    def penalty(self, total_weight: float, *, free_slope: bool) -> NDArray[np.float64]:
        """Matrix ``K`` of the penalty ``w'Kw`` on the mean squared error.

        Parameters
        ----------
        total_weight : float
            Total weight of the labelled rows: the penalty fades as they come.
        free_slope : bool
            Whether the slope is free; where ``1'w = 1`` fixes it, shrinking it to
            zero would only distort the direction.

        Returns
        -------
        ndarray of shape (n_models, n_models)
        """
        along = self.spread * self.direction
        length = float(np.linalg.norm(along))
        along = along / length
        slope = _SLOPE_SHARE * self.variance / length**2 if free_slope else 0.0
        kernel = np.outer((slope - 1.0) * along, along)
        kernel[np.diag_indices_from(kernel)] += 1.0
        return (self.strength / total_weight) * (
            self.spread[:, None] * kernel * self.spread
        )


def factor_scores(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Label-free weights of standardized predictions under one common factor.

    If errors are independent given the target, the off-diagonal correlations are rank
    one, ``rho_mj = l_m l_j`` (the regression twin of Parisi et al., 2014), and the
    best linear predictor of the common factor weighs model m by
    ``l_m / (1 - l_m^2)``. The loadings come from Spearman's closed form for the
    communality, ``l_m^2 = (A_m^2 - B_m) / (T - 2 A_m)`` with ``A_m`` and ``B_m`` the
    sums of the m-th row and of its squares, and ``T`` the sum of all, diagonal left
    out: no iterations, and no order of the models.

    Where that fails, uniform weights over the models that agree with the rest: fewer
    than three models, or a communality outside of [0, 1) (a Heywood case).

    Parameters
    ----------
    correlation : ndarray of shape (n_models, n_models)
        Correlation of the predictions.

    Returns
    -------
    ndarray of shape (n_models,)
        Non-negative weights of the standardized predictions, not normalized.
    """
    off = correlation - np.diag(correlation.diagonal())
    rows = off.sum(axis=0)
    agrees = rows > 0
    uniform = (agrees if agrees.any() else ~agrees).astype(float)
    if len(rows) < 3:
        return uniform
    numerator = rows**2 - (off**2).sum(axis=0)
    denominator = rows.sum() - 2.0 * rows
    if not (agrees.any() and np.all(denominator > 0)):
        return uniform
    communality = np.maximum(numerator, 0.0) / denominator
    # The closer to one, the more a single model would take all on the word of an
    # estimate that is no longer reliable there.
    if communality.max() >= 0.99:
        return uniform
    scores = np.where(agrees, np.sqrt(communality) / (1.0 - communality), 0.0)
    return scores if scores.any() else uniform
