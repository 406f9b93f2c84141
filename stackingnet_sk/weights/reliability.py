"""How far each model can be trusted, which is not its weight."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from stackingnet_sk.evidence.moments import Moments, varying_models
from stackingnet_sk.weights.prior import common_variance
from stackingnet_sk.weights.shapes import Covariance, Weights

# Number of labelled rows that the label-free estimate counts for. On real ratings and
# faces with up to 20 labels, 20 and 50 rank the models equally well. A larger number of
# labels has more influence with 20.
LABEL_FREE_ROWS = 20.0


def reliability(
    labelled: Moments,
    prediction_moments: Moments | None = None,
    moments_per_model: Mapping[int, Moments] = MappingProxyType({}),
) -> Weights:
    """Compute the signed squared correlation of each model with the truth.

    ``r_m = (n r_m^2 + 20 l_m^2) / (n + 20)`` blends the squared correlation with the
    labels and the share of variance that the model has in common with the others, its
    squared factor loading. Bias and spread do not count, since the combination corrects
    them.

    `labelled` may have no weight; `prediction_moments` are those of all rows, labelled
    or not. `moments_per_model` has, for models with missing predictions, the moments of
    the labelled rows that they answer. The result is in [-1, 1] and negative for a
    model that runs against the truth.
    """
    with_labels, label_free, share = reliability_parts(
        labelled, prediction_moments, moments_per_model
    )
    return share * with_labels + (1.0 - share) * label_free


def reliability_parts(
    labelled: Moments,
    prediction_moments: Moments | None = None,
    moments_per_model: Mapping[int, Moments] = MappingProxyType({}),
) -> tuple[Weights, Weights, Weights]:
    """Compute what :func:`reliability` blends.

    These are the signed squared correlation with the labels, the signed share of
    variance in common with the other models, and the weight of the former.
    """
    with_labels, share = _with_labels(labelled)
    for m, moments in moments_per_model.items():
        (with_labels[m],), (share[m],) = _with_labels(moments)
    return with_labels, _in_common(labelled, prediction_moments), share


def _with_labels(
    labelled: Moments,
) -> tuple[Weights, Weights]:
    """Signed squared correlation with the labels, and its weight against agreement."""
    squared = np.zeros(labelled.n_models)
    if labelled.weight == 0:
        return squared, np.zeros(labelled.n_models)
    covariance, with_target = labelled.predictions()
    variance = covariance.diagonal() * float(labelled.scatter[-1, -1] / labelled.weight)
    varying = varying_models(labelled, labelled)
    squared[varying] = np.divide(
        (with_target * np.abs(with_target))[varying],
        variance[varying],
        out=squared[varying],
        where=variance[varying] > 0,
    )
    share = labelled.n_effective / (labelled.n_effective + LABEL_FREE_ROWS)
    return np.clip(squared, -1.0, 1.0), np.full(labelled.n_models, share)


def _in_common(labelled: Moments, prediction_moments: Moments | None) -> Weights:
    """Signed share of each model's variance that it has in common with the others."""
    if prediction_moments is None:
        prediction_moments = labelled.without_labels()
    common = np.zeros(labelled.n_models)
    if prediction_moments.weight > 0:
        reference = prediction_moments
        if labelled.weight > 0:
            # Neither overflows at the smaller of the two scales.
            scale = min(labelled.scale, prediction_moments.scale)
            reference = labelled.rescaled(scale)
            prediction_moments = prediction_moments.rescaled(scale)
        varying = varying_models(reference, prediction_moments)
        covariance = prediction_moments.subset(varying).predictions()[0]
        spread = np.sqrt(covariance.diagonal())
        common[varying] = _label_free(covariance / np.outer(spread, spread))
    return common


def _label_free(correlation: Covariance) -> Weights:
    """Signed share of common variance, or a substitute if it cannot be computed."""
    common = common_variance(correlation)
    if common is None:
        # The mean correlation with the others replaces the share. It is one for a
        # single model, which no other contradicts.
        others = max(len(correlation) - 1, 1)
        mean = (correlation.sum(axis=0) - correlation.diagonal()) / others
        common = mean if len(correlation) > 1 else np.ones(len(correlation))
    return np.clip(common, -1.0, 1.0)
