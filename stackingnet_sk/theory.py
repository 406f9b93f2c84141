"""What theory says that a combination of models can reach.

Each function is one result with its equation, what it assumes and its source; outside
the domain of its equation it raises a ValueError.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stackingnet_sk.weights import StackingObjective, solve
from stackingnet_sk.weights.prior import common_variance

__all__ = [
    "Optimism",
    "RankOneFit",
    "correlated_error",
    "effective_number",
    "in_sample_optimism",
    "majority_accuracy",
    "optimal_error",
    "optimal_vote_accuracy",
    "optimal_vote_weights",
    "optimal_weights",
    "rank_by_covariance",
    "rank_one_departure",
    "uniform_error",
    "vote_covariance",
]

# Of the completion of a diagonal; real tables take some 20 to 200 rounds.
_ROUNDS = 1000


def uniform_error(error_covariance: ArrayLike) -> float:
    r"""Mean squared error of the plain average: ``1'C1 / M^2``.

    It is the mean error of the models, ``tr C / M``, less their ambiguity, the mean
    squared deviation from their average: never more than the former.

    Parameters
    ----------
    error_covariance : array-like of shape (n_models, n_models)
        ``C_mj = E[(h_m - y)(h_j - y)]``, in squared units, about zero: with the bias.

    Notes
    -----
    Assumes finite second moments only. Source: Breiman, Machine Learning 24, 1996,
    section 4.1; Krogh and Vedelsby, NIPS 7, 1995, for the ambiguity.

    Examples
    --------
    >>> uniform_error([[1.0, 0.2], [0.2, 3.0]])
    1.1
    """
    return float(_error_covariance(error_covariance).mean())


def correlated_error(n_models: int, correlation: float, error: float = 1.0) -> float:
    r"""Mean squared error of the average of equal models: ``e (1 + (M-1) rho) / M``.

    Parameters
    ----------
    n_models : int
        ``M``, at least 2.
    correlation : float
        ``rho`` of any two errors, in ``[-1 / (M-1), 1]``.
    error : float, default=1.0
        ``e``: mean squared error of each model.

    Notes
    -----
    Assumes errors of mean zero, equal variance and one common correlation. Source:
    Zhou, Ensemble Methods, 2012, chapter 4.

    Examples
    --------
    >>> correlated_error(4, 0.2)
    0.4
    """
    if error < 0:
        raise ValueError(f"error={error!r} is a mean square; give zero or more.")
    return error * _inflation(n_models, correlation) / n_models


def effective_number(n_models: int, correlation: float) -> float:
    r"""Count the uncorrelated models that average as well: ``M / (1 + (M-1) rho)``.

    At least 1, and below ``1 / rho`` however many models there are; above ``M`` for
    negative correlations, infinite for the lowest. Parameters, assumptions and source
    are those of :func:`correlated_error`, of which it is the reciprocal.

    Examples
    --------
    >>> effective_number(4, 0.2), round(effective_number(1000, 0.2), 2)
    (2.5, 4.98)
    """
    inflation = _inflation(n_models, correlation)
    return n_models / inflation if inflation else np.inf


def optimal_weights(error_covariance: ArrayLike) -> NDArray[np.float64]:
    r"""Weights of least error among those that sum to one: ``C^-1 1 / (1'C^-1 1)``.

    Parameters
    ----------
    error_covariance : array-like of shape (n_models, n_models)
        ``C``, as of :func:`uniform_error`; may be singular.

    Notes
    -----
    Assumes that ``C`` is known. Source: Perrone and Cooper, When Networks Disagree,
    1993, the generalized ensemble method.

    Examples
    --------
    >>> optimal_weights([[1.0, 0.0], [0.0, 3.0]])
    array([0.75, 0.25])
    """
    error = _error_covariance(error_covariance)
    return solve(StackingObjective(error), "affine").weights


def optimal_error(error_covariance: ArrayLike) -> float:
    r"""Mean squared error of the :func:`optimal_weights`: ``1 / (1'C^-1 1)``.

    Parameters, assumptions and source are theirs. Of an estimated ``C`` this is the
    in-sample error, too low by :func:`in_sample_optimism`.

    Examples
    --------
    >>> optimal_error([[1.0, 0.0], [0.0, 3.0]])
    0.75
    """
    error = _error_covariance(error_covariance)
    return solve(StackingObjective(error), "affine").objective


@dataclass(frozen=True)
class Optimism:
    """Expected error of estimated weights, on their own rows and on new ones."""

    in_sample: float
    out_of_sample: float


def in_sample_optimism(n_samples: int, n_models: int, error: float = 1.0) -> Optimism:
    r"""How far :func:`optimal_error` of an estimated ``C`` is from the truth.

    The M - 1 free weights regress one model's errors on its differences from the
    others: n rows leave ``e (n - M + 1) / n`` in-sample, and new ones cost
    ``e (n - 1) / (n - M)``, where ``e = 1 / (1'C^-1 1)`` of the true ``C``.

    Parameters
    ----------
    n_samples : int
        ``n``, labelled rows, more than `n_models`.
    n_models : int
        ``M``, at least 2.
    error : float, default=1.0
        ``e``: error of the best weights.

    Notes
    -----
    Assumes independent rows, Gaussian errors of mean zero, ``C`` regular and estimated
    by the mean of ``e e'``. Source: Muirhead, Aspects of Multivariate Statistical
    Theory, 1982, section 3.2; Breiman and Freedman, JASA 78, 1983, out of sample.

    Examples
    --------
    >>> in_sample_optimism(20, 10)
    Optimism(in_sample=0.55, out_of_sample=1.9)
    """
    if not 2 <= n_models < n_samples:
        raise ValueError(
            f"n_models={n_models} must be at least 2 and less than n_samples="
            f"{n_samples}; label more rows or combine fewer models."
        )
    spare = n_samples - n_models
    return Optimism(error * (spare + 1) / n_samples, error * (n_samples - 1) / spare)


def majority_accuracy(accuracies: ArrayLike) -> float:
    r"""Probability that the majority is right: ``P(k > M/2) + P(k = M/2) / 2``.

    Exact: the number ``k`` of right votes is Poisson-binomial, and a coin breaks ties.
    With more equal voters it grows to 1 if they beat chance and falls to 0 below it.

    Parameters
    ----------
    accuracies : array-like of shape (n_models,)
        Probability that each voter is right.

    Notes
    -----
    Assumes two classes and voters that err independently. Source: Lam and Suen, IEEE
    Transactions SMC-A 27, 1997.

    Examples
    --------
    >>> majority_accuracy([0.75]), majority_accuracy([0.75] * 3)
    (0.75, 0.84375)
    """
    right = np.ones(1)
    for p in _probabilities("accuracies", accuracies):
        right = np.convolve(right, [1.0 - p, p])
    lead = 2 * np.arange(len(right)) - (len(right) - 1)
    return min(float(right[lead > 0].sum() + right[lead == 0].sum() / 2.0), 1.0)


def optimal_vote_weights(
    accuracies: ArrayLike, n_classes: int = 2
) -> NDArray[np.float64]:
    r"""Weights of the most accurate weighted vote: ``log(p (K-1) / (1-p))``.

    Zero at chance, negative below, infinite for voters never or always right.

    Parameters
    ----------
    accuracies : array-like of shape (n_models,)
        ``p``: probability that each voter is right.
    n_classes : int, default=2
        ``K``.

    Notes
    -----
    Assumes voters that err independently, equally often on each class and toward each
    wrong one, and classes equally probable (else log priors add to the scores). Source:
    Shapley and Grofman, Public Choice 43, 1984; Lam and Suen, 1997.

    Examples
    --------
    >>> optimal_vote_weights([0.9, 0.5, 0.1]).round(3)
    array([ 2.197,  0.   , -2.197])
    """
    accuracy = _probabilities("accuracies", accuracies)
    if n_classes < 2:
        raise ValueError(f"n_classes={n_classes} must be at least 2.")
    with np.errstate(divide="ignore"):
        return np.log(accuracy * (n_classes - 1)) - np.log1p(-accuracy)


def optimal_vote_accuracy(accuracies: ArrayLike) -> float:
    r"""Accuracy of the :func:`optimal_vote_weights`: ``sum_o max(P(o|+), P(o|-)) / 2``.

    Exact, over all ``2^M`` outcomes ``o`` of at most 20 voters and two classes; no vote
    is right more often. Assumptions and source are those of the weights.

    Examples
    --------
    >>> optimal_vote_accuracy([0.75, 0.75, 0.25])
    0.84375
    """
    accuracy = _probabilities("accuracies", accuracies)
    if len(accuracy) > 20:
        raise ValueError(f"{len(accuracy)} voters; give the 20 farthest from chance.")
    outcome = np.ones(1)
    for p in accuracy:
        outcome = np.outer(outcome, [p, 1.0 - p]).ravel()
    # Read backwards, all voters say the opposite: as if the other class were true.
    return min(float(np.maximum(outcome, outcome[::-1]).sum()) / 2.0, 1.0)


def vote_covariance(
    balanced_accuracies: ArrayLike, class_imbalance: float
) -> NDArray[np.float64]:
    r"""Covariance of votes coded +-1: ``(1 - b^2)(2 pi_m - 1)(2 pi_j - 1)``.

    Of rank one: the diagonal is what the class explains of the variances, not these.

    Parameters
    ----------
    balanced_accuracies : array-like of shape (n_models,)
        ``pi``: mean of the accuracies on the two classes.
    class_imbalance : float
        ``b = P(y = 1) - P(y = -1)``.

    Notes
    -----
    Assumes votes that are independent given the class. Source: Parisi, Strino, Nadler
    and Kluger, PNAS 111, 2014.

    Examples
    --------
    >>> vote_covariance([1.0, 0.75, 0.25], 0.0)[0]
    array([ 1. ,  0.5, -0.5])
    """
    skill = 2.0 * _probabilities("balanced_accuracies", balanced_accuracies) - 1.0
    if not -1 <= class_imbalance <= 1:
        raise ValueError(f"class_imbalance={class_imbalance!r} must be in [-1, 1].")
    return (1.0 - class_imbalance**2) * np.outer(skill, skill)


def rank_by_covariance(covariance: ArrayLike) -> NDArray[np.float64]:
    r"""Score models by balanced accuracy, without labels: ``sqrt(1-b^2) (2 pi - 1)``.

    The larger the better; the factor is unknown, and so is one common sign, which is
    taken such that the sum is positive. The loadings of :func:`rank_one_departure`, for
    votes coded +-1, under the assumptions of :func:`vote_covariance`.

    Examples
    --------
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

    Notes
    -----
    Assumes many rows: n leave an error of ``1 / sqrt(n)`` in a correlation. Errors
    independent given the target give no departure, of votes or of predictions linear in
    the target; but so does one error that all share. Source: Parisi et al., 2014.

    Examples
    --------
    >>> fit = rank_one_departure([[1, 0.6, 0.2], [0.6, 1, 0.3], [0.2, 0.3, 1]])
    >>> fit.loadings.round(3), round(fit.departure, 9)
    (array([0.632, 0.949, 0.316]), 0.0)
    """
    total = _symmetric("covariance", covariance, 3)
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


def _inflation(n_models: int, correlation: float) -> float:
    lowest = -1.0 / (n_models - 1) if n_models > 1 else np.nan
    if not lowest <= correlation <= 1:
        raise ValueError(
            f"correlation={correlation!r} of n_models={n_models} must be in "
            "[-1 / (n_models - 1), 1], of at least 2 models."
        )
    return 1.0 + (n_models - 1) * correlation if correlation > lowest else 0.0


def _symmetric(name: str, matrix: ArrayLike, fewest: int) -> NDArray[np.float64]:
    array = np.asarray(matrix, dtype=np.float64)
    if array.ndim != 2 or len(array) != array.shape[1] or len(array) < fewest:
        raise ValueError(
            f"{name} of shape {array.shape} must be square, of {fewest} models or more."
        )
    atol = 1e-8 * np.abs(array).max()
    if not (np.isfinite(array).all() and np.allclose(array, array.T, 0.0, atol)):
        raise ValueError(
            f"{name} must be finite and symmetric; take it over rows that all models "
            "answered, without models that never vary."
        )
    return (array + array.T) / 2.0


def _error_covariance(matrix: ArrayLike) -> NDArray[np.float64]:
    error = _symmetric("error_covariance", matrix, 2)
    values = np.linalg.eigvalsh(error)
    if values[0] < -1e-10 * abs(values[-1]):
        raise ValueError(
            "error_covariance is indefinite; take it over rows that all models answer."
        )
    return error


def _probabilities(name: str, values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or not np.all((array >= 0) & (array <= 1)):
        raise ValueError(f"{name} must be one probability a model, from 0 to 1.")
    return array
