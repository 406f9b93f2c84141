"""What agreement says of the models, without labels: Parisi and others, Spearman."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stackingnet_sk.theory.checks import check_symmetric
from stackingnet_sk.weights.prior import common_variance

# Of the completion of a diagonal; real tables take some 20 to 200 rounds.
_ROUNDS = 1000


def rank_by_covariance(covariance: ArrayLike) -> NDArray[np.float64]:
    r"""Score models by balanced accuracy, without labels: ``sqrt(1-b^2) (2 pi - 1)``.

    The larger the better; the factor is unknown, and so is one common sign, which is
    taken such that the sum is positive. The loadings of :func:`rank_one_departure`, for
    votes coded +-1, under the assumptions of :func:`vote_covariance`.

    Parameters
    ----------
    covariance : array-like of shape (n_models, n_models)
        Of votes coded +-1; of at least three models.

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
    """One common factor behind the covariances of models.

    Parameters
    ----------
    loadings : ndarray of shape (n_models,)
        ``v``; their sum is not negative.
    departure : float
        Share of the off-diagonal sum of squares that ``v v'`` leaves, from 0 to 1.
    residual : ndarray of shape (n_models, n_models)
        What it leaves, zero on the diagonal. Large entries name the pairs of models
        that agree more, or less, than one factor explains.

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
    r"""How far models are from agreeing through the truth alone: ``C_mj = v_m v_j``.

    The diagonal is completed by the leading eigenpair, at most up to the variances,
    until the two agree: the least-squares fit off the diagonal.

    Parameters
    ----------
    covariance : array-like of shape (n_models, n_models)
        Of votes coded +-1, or correlation of predictions; of at least three models.

    Returns
    -------
    RankOneFit

    Notes
    -----
    Assumes many rows: n leave an error of ``1 / sqrt(n)`` in a correlation. Errors
    independent given the target give no departure, of votes or of predictions linear in
    the target; but so does one error that all share. Source: Parisi et al., 2014.

    Examples
    --------
    >>> from stackingnet_sk.theory import rank_one_departure
    >>> fit = rank_one_departure([[1, 0.6, 0.2], [0.6, 1, 0.3], [0.2, 0.3, 1]])
    >>> fit.loadings.round(3), round(fit.departure, 9)
    (array([0.632, 0.949, 0.316]), 0.0)
    """
    total = check_symmetric("covariance", covariance, 3)
    variance = total.diagonal()
    off = total - np.diag(variance)
    if np.any((variance <= 0) & off.any(axis=0)):
        raise ValueError("the diagonal of covariance must hold the models' variances.")
    # Rounds make little headway where one model dominates: start from Spearman's closed
    # form, which is exact on exact data.
    closed = common_variance(total)
    common = np.zeros(len(off)) if closed is None else np.abs(closed)
    tolerance = 1e-12 * variance.max()
    for _ in range(_ROUNDS):
        # A share above the whole would let one model run off with a noisy factor.
        diagonal = np.minimum(common, variance)
        values, vectors = np.linalg.eigh(off + np.diag(diagonal))
        loadings = np.sqrt(max(values[-1], 0.0)) * vectors[:, -1]
        common = loadings**2
        if np.abs(np.minimum(common, variance) - diagonal).max() <= tolerance:
            break
    residual = off - np.outer(loadings, loadings)
    np.fill_diagonal(residual, 0.0)
    departure = float(np.square(residual).sum() / (np.square(off).sum() or 1.0))
    return RankOneFit(loadings * (-1 if loadings.sum() < 0 else 1), departure, residual)
