"""What agreement shows about models without labels: Parisi and others, Spearman."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stackingnet_sk.theory.checks import check_symmetric
from stackingnet_sk.weights.prior import common_variance

# Largest number of rounds in which a diagonal is completed. Real tables take some 20 to
# 200 rounds.
_ROUNDS = 1000


def rank_by_covariance(covariance: ArrayLike) -> NDArray[np.float64]:
    """Score models by balanced accuracy, without labels: ``sqrt(1-b^2) (2 pi - 1)``.

    The larger the score, the better the model. The factor ``sqrt(1-b^2)`` is unknown.
    One common sign is unknown, too, and is chosen such that the scores have a positive
    sum. The scores are the loadings of :func:`rank_one_departure` for votes coded +-1,
    under the assumptions of :func:`vote_covariance`.

    Parameters
    ----------
    covariance : array-like of shape (n_models, n_models)
        Covariance of votes coded +-1, of at least three models.

    Returns
    -------
    ndarray of shape (n_models,)

    Examples
    --------
    >>> from stackingnet_sk.theory import rank_by_covariance, vote_covariance
    >>> rank_by_covariance(vote_covariance([0.9, 0.75, 0.25], 0.6)).round(3)
    array([ 0.64,  0.4 , -0.4 ])
    """
    return rank_one_departure(covariance).loadings


@dataclass(frozen=True, eq=False)
class RankOneFit:
    """One common factor that explains the covariances of models.

    Parameters
    ----------
    loadings : ndarray of shape (n_models,)
        Loadings ``v`` on the factor; their sum is not negative.
    departure : float
        Share of the off-diagonal sum of squares that ``v v'`` does not explain, from 0
        to 1.
    residual : ndarray of shape (n_models, n_models)
        Covariance minus ``v v'``, zero on the diagonal. A large entry marks a pair of
        models that agree more, or less, than one factor explains.

    Examples
    --------
    >>> from stackingnet_sk.theory import rank_one_departure
    >>> fit = rank_one_departure([[1, 0.6, 0.2], [0.6, 1, 0.3], [0.2, 0.3, 1]])
    >>> fit.loadings.round(2)
    array([0.63, 0.95, 0.32])
    """

    loadings: NDArray[np.float64]
    departure: float
    residual: NDArray[np.float64]


def rank_one_departure(covariance: ArrayLike) -> RankOneFit:
    """Measure how far agreement departs from one common factor: ``C_mj = v_m v_j``.

    If models agree only because each follows the truth, the truth is the only factor.
    The diagonal is repeatedly replaced by that of the leading eigenpair, at most up to
    the variances, until it no longer changes. This is the least-squares fit off the
    diagonal.

    Parameters
    ----------
    covariance : array-like of shape (n_models, n_models)
        Covariance of votes coded +-1, or correlation of predictions, of at least three
        models.

    Returns
    -------
    RankOneFit

    Notes
    -----
    The equation assumes many rows: with n rows, a correlation has an error of
    ``1 / sqrt(n)``. Errors that are independent given the target cause no departure,
    for votes and for predictions that are linear in the target. One error that all
    models share causes none either. Source: Parisi et al., 2014.

    Examples
    --------
    >>> from stackingnet_sk.theory import rank_one_departure
    >>> fit = rank_one_departure([[1, 0.6, 0.2], [0.6, 1, 0.3], [0.2, 0.3, 1]])
    >>> fit.loadings.round(3), round(fit.departure, 9)
    (array([0.632, 0.949, 0.316]), 0.0)
    """
    total = check_symmetric("covariance", covariance, 3)
    variance = total.diagonal()
    off_diagonal = total - np.diag(variance)
    if np.any((variance <= 0) & off_diagonal.any(axis=0)):
        raise ValueError("the diagonal of covariance must hold the models' variances.")
    # The rounds converge slowly if one model dominates, so they start from Spearman's
    # closed form, which is exact on exact data.
    closed_form = common_variance(total)
    common = np.zeros(len(off_diagonal)) if closed_form is None else np.abs(closed_form)
    tolerance = 1e-12 * variance.max()
    for _ in range(_ROUNDS):
        # Without this bound, one model could take over a noisy factor, with more common
        # variance than it has variance.
        diagonal = np.minimum(common, variance)
        values, vectors = np.linalg.eigh(off_diagonal + np.diag(diagonal))
        loadings = np.sqrt(max(values[-1], 0.0)) * vectors[:, -1]
        common = loadings**2
        if np.abs(np.minimum(common, variance) - diagonal).max() <= tolerance:
            break
    residual = off_diagonal - np.outer(loadings, loadings)
    np.fill_diagonal(residual, 0.0)
    departure = float(
        np.square(residual).sum() / (np.square(off_diagonal).sum() or 1.0)
    )
    return RankOneFit(loadings * (-1 if loadings.sum() < 0 else 1), departure, residual)
