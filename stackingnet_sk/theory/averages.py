"""What averages of numbers can reach: Breiman, Zhou, Perrone and Cooper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stackingnet_sk.theory.checks import check_error_covariance
from stackingnet_sk.weights import StackingObjective, solve


def uniform_error(error_covariance: ArrayLike) -> float:
    """Mean squared error of the plain average: ``1'C1 / M^2``.

    It equals the mean error of the models, ``tr C / M``, minus their ambiguity, which
    is the mean squared deviation from their average. It is never larger than the mean
    error.

    Parameters
    ----------
    error_covariance : array-like of shape (n_models, n_models)
        ``C_mj = E[(h_m - y)(h_j - y)]``, in squared units of the target. It is taken
        about zero, so it includes the biases.

    Returns
    -------
    float

    Notes
    -----
    The equation assumes only finite second moments. Source: Breiman, Machine Learning
    24, 1996, section 4.1; for the ambiguity, Krogh and Vedelsby, NIPS 7, 1995.

    Examples
    --------
    >>> from stackingnet_sk.theory import uniform_error
    >>> uniform_error([[1.0, 0.2], [0.2, 3.0]])
    1.1
    """
    return float(check_error_covariance(error_covariance).mean())


def correlated_error(n_models: int, correlation: float, error: float = 1.0) -> float:
    """Mean squared error of the average of equal models: ``e (1 + (M-1) rho) / M``.

    Parameters
    ----------
    n_models : int
        Number of models ``M``, at least 2.
    correlation : float
        Correlation ``rho`` of any two errors, in ``[-1 / (M-1), 1]``.
    error : float, default=1.0
        Mean squared error ``e`` of each model.

    Returns
    -------
    float

    Notes
    -----
    The equation assumes errors with mean zero, equal variances and one common
    correlation. Source: Zhou, Ensemble Methods, 2012, chapter 4.

    Examples
    --------
    >>> from stackingnet_sk.theory import correlated_error
    >>> correlated_error(4, 0.2)
    0.4
    """
    if error < 0:
        raise ValueError(f"error={error!r} is a mean square; give zero or more.")
    return error * _inflation(n_models, correlation) / n_models


def effective_number(n_models: int, correlation: float) -> float:
    """Count the uncorrelated models that average as well: ``M / (1 + (M-1) rho)``.

    For a positive correlation, the number is at least 1 and below ``1 / rho``, however
    many models there are. For a negative correlation it exceeds ``M``, and it is
    infinite for the lowest possible one. It is the reciprocal of
    :func:`correlated_error`, with the same assumptions and source.

    Parameters
    ----------
    n_models : int
        Number of models ``M``, at least 2.
    correlation : float
        Correlation ``rho`` of any two errors, in ``[-1 / (M-1), 1]``.

    Returns
    -------
    float

    Examples
    --------
    >>> from stackingnet_sk.theory import effective_number
    >>> effective_number(4, 0.2), round(effective_number(1000, 0.2), 2)
    (2.5, 4.98)
    """
    inflation = _inflation(n_models, correlation)
    return n_models / inflation if inflation else np.inf


def optimal_weights(error_covariance: ArrayLike) -> NDArray[np.float64]:
    """Weights of least error among those that sum to one: ``C^-1 1 / (1'C^-1 1)``.

    Parameters
    ----------
    error_covariance : array-like of shape (n_models, n_models)
        ``C``, as in :func:`uniform_error`; it may be singular.

    Returns
    -------
    ndarray of shape (n_models,)

    Notes
    -----
    The equation assumes that ``C`` is known. Source: Perrone and Cooper, When Networks
    Disagree, 1993, the generalized ensemble method.

    Examples
    --------
    >>> from stackingnet_sk.theory import optimal_weights
    >>> optimal_weights([[1.0, 0.0], [0.0, 3.0]])
    array([0.75, 0.25])
    """
    error = check_error_covariance(error_covariance)
    return solve(StackingObjective(error), "affine").weights


def optimal_error(error_covariance: ArrayLike) -> float:
    """Mean squared error of the :func:`optimal_weights`: ``1 / (1'C^-1 1)``.

    Assumptions and source are those of :func:`optimal_weights`. For an estimated ``C``
    this is the in-sample error, which is too low by :func:`in_sample_optimism`.

    Parameters
    ----------
    error_covariance : array-like of shape (n_models, n_models)
        ``C``, as in :func:`uniform_error`; it may be singular.

    Returns
    -------
    float

    Examples
    --------
    >>> from stackingnet_sk.theory import optimal_error
    >>> optimal_error([[1.0, 0.0], [0.0, 3.0]])
    0.75
    """
    error = check_error_covariance(error_covariance)
    return solve(StackingObjective(error), "affine").objective


@dataclass(frozen=True)
class Optimism:
    """Expected error of estimated weights, on the rows of the fit and on new rows.

    Parameters
    ----------
    in_sample, out_of_sample : float
        Mean squared error on the rows that the weights were fitted on, and on new rows.

    Examples
    --------
    >>> from stackingnet_sk.theory import in_sample_optimism
    >>> round(in_sample_optimism(100, 5).out_of_sample, 3)
    1.042
    """

    in_sample: float
    out_of_sample: float


def in_sample_optimism(n_samples: int, n_models: int, error: float = 1.0) -> Optimism:
    """How far :func:`optimal_error` of an estimated ``C`` is from the truth.

    Estimating the weights regresses the errors of one model on their differences from
    those of the others, with M - 1 coefficients. With n rows the expected error is
    ``e (n - M + 1) / n`` in-sample and ``e (n - 1) / (n - M)`` on new rows, where
    ``e = 1 / (1'C^-1 1)`` for the true ``C``.

    Parameters
    ----------
    n_samples : int
        Number ``n`` of labelled rows, more than `n_models`.
    n_models : int
        Number of models ``M``, at least 2.
    error : float, default=1.0
        Error ``e`` of the best weights.

    Returns
    -------
    Optimism

    Notes
    -----
    The equations assume independent rows, Gaussian errors with mean zero, and a regular
    ``C`` that is estimated by the mean of ``e e'``. Source: Muirhead, Aspects of
    Multivariate Statistical Theory, 1982, section 3.2; out of sample, Breiman and
    Freedman, JASA 78, 1983.

    Examples
    --------
    >>> from stackingnet_sk.theory import in_sample_optimism
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


def _inflation(n_models: int, correlation: float) -> float:
    """Return ``1 + (M - 1) rho``; raise a ValueError if no M models have this rho."""
    lowest = -1.0 / (n_models - 1) if n_models > 1 else np.nan
    if not lowest <= correlation <= 1:
        raise ValueError(
            f"correlation={correlation!r} of n_models={n_models} must be in "
            "[-1 / (n_models - 1), 1], of at least 2 models."
        )
    return 1.0 + (n_models - 1) * correlation if correlation > lowest else 0.0
