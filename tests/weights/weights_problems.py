"""Problems, and references written from the definitions rather than from the code."""

import math

import numpy as np
from hypothesis import settings

from stackingnet_sk.evidence import Moments
from stackingnet_sk.weights import ShrinkagePrior, solve_moments

law = settings(deadline=None, derandomize=True, max_examples=60)

CONSTRAINED = ("affine", "nonnegative", "simplex")


def table(seed, n_rows=60, n_models=5, *, rho=0.3, spread=0.4, slopes=False):
    """Models with correlated errors of unequal size and bias, and a target."""
    rng = np.random.default_rng(seed)
    target = 3.0 + 2.0 * rng.standard_normal(n_rows)
    common = rng.standard_normal((n_rows, 1))
    errors = np.sqrt(rho) * common
    errors = errors + np.sqrt(1 - rho) * rng.standard_normal((n_rows, n_models))
    errors *= np.exp(spread * rng.standard_normal(n_models))
    predictions = target[:, None] + errors + 0.3 * rng.standard_normal(n_models)
    if slopes:
        predictions *= rng.uniform(0.3, 3.0, n_models)
    return predictions, target


def fitted(predictions, target, constraint, *, sample_weight=None, **options):
    moments = Moments.from_rows(predictions, target, sample_weight)
    return solve_moments(moments, constraint, **options)


def weighted_mean(values, sample_weight=None):
    """Exactly rounded sums."""
    weight = np.ones(len(values)) if sample_weight is None else sample_weight
    return math.fsum(weight * values) / math.fsum(weight)


def residuals(predictions, target, weights, intercept=0.0):
    long = np.longdouble
    combined = np.asarray(predictions, long) @ np.asarray(weights, long)
    return np.asarray(target, long) - combined - long(intercept)


def best_intercept(predictions, target, weights, sample_weight=None):
    """The bias of the combination, whatever the weights."""
    left = residuals(predictions, target, weights).astype(float)
    return weighted_mean(left, sample_weight)


def mean_squared_error(predictions, target, weights, intercept, sample_weight=None):
    left = residuals(predictions, target, weights, intercept)
    return weighted_mean((left * left).astype(float), sample_weight)


def covariance(predictions, sample_weight=None):
    return np.atleast_2d(
        np.cov(predictions, rowvar=False, ddof=0, aweights=sample_weight)
    )


def center(predictions, sample_weight=None):
    """The units and the direction of the prior, and the covariance behind them."""
    sigma = covariance(predictions, sample_weight)
    total = len(predictions) if sample_weight is None else sample_weight.sum()
    prior = ShrinkagePrior.from_covariance(sigma, n_rows=total)
    return prior.spread, prior.direction, sigma


def penalty(predictions, weights, strength, *, free_slope, sample_weight=None):
    """``(k |D(w - s u)|^2 + k/20 g^2 s^2) / W``, term by term (DESIGN.md, 2)."""
    spread, direction, sigma = center(predictions, sample_weight)
    total = len(predictions) if sample_weight is None else sample_weight.sum()
    slope = (direction @ (spread**2 * weights)) / (direction @ (spread**2 * direction))
    away = strength * np.sum((spread * (weights - slope * direction)) ** 2)
    if free_slope:
        away += strength / 20 * (direction @ sigma @ direction) * slope**2
    return away / total


def penalized(predictions, target, weights, *, constraint, fit_intercept, shrinkage):
    """What a solver minimizes, from the rows, at the best intercept."""
    intercept = 0.0
    if fit_intercept:
        intercept = best_intercept(predictions, target, weights)
    value = mean_squared_error(predictions, target, weights, intercept)
    if shrinkage:
        value += penalty(
            predictions, weights, shrinkage, free_slope=constraint == "nonnegative"
        )
    return value


def long_gap(error, weights):
    """Duality gap on the simplex in extended precision, relative to the best of the
    uniform weights and the single models, so that no huge model can hide it.
    """
    exact = np.asarray(error, np.longdouble)
    weights = np.asarray(weights, np.longdouble)
    gradient = 2 * (exact @ weights)
    scale = min(exact.sum() / len(exact) ** 2, exact.diagonal().min())
    return float((weights @ gradient - gradient.min()) / scale)


def feasible_points(rng, constraint, n_models, n_points=15):
    """Random points, near-vertices and vertices of a constraint set."""
    points = [*np.eye(n_models), np.full(n_models, 1.0 / n_models)]
    points += list(rng.dirichlet(np.full(n_models, 0.5), n_points))
    if constraint == "affine":
        points += [
            point / point.sum()
            for point in 1.0 + rng.standard_normal((n_points, n_models)) / n_models
        ]
    if constraint == "nonnegative":
        points += [rng.uniform(0, 2) * point for point in points]
        points.append(np.zeros(n_models))
    return points


def random_covariance(rng, n_models, condition=10.0):
    """Random eigenvectors, eigenvalues evenly spread on a log scale."""
    basis = np.linalg.qr(rng.standard_normal((n_models, n_models)))[0]
    error = (basis * np.geomspace(1.0, 1.0 / condition, n_models)) @ basis.T
    return (error + error.T) / 2
