"""How far each model can be trusted, which is not its weight."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.moments import Moments, varying_models
from stackingnet_sk.weights.prior import common_variance

# Labelled rows that the label-free estimate counts for. On real ratings and faces 20
# and 50 rank alike up to 20 labels, and 20 lets more of them speak.
LABEL_FREE_ROWS = 20.0


def reliability(
    labelled: Moments,
    prediction_moments: Moments | None = None,
    moments_per_model: Mapping[int, Moments] = MappingProxyType({}),
) -> NDArray[np.float64]:
    r"""Squared correlation of each model with the truth, signed.

    ``r_m = (n r_m^2 + 20 l_m^2) / (n + 20)``: the squared correlation with the labels,
    blended with the share of variance that the model has in common with the others, its
    factor loading against its residual variance. Bias and spread don't count: the
    combination corrects them.

    Parameters
    ----------
    labelled : Moments
        Moments of the labelled rows; their weight may be zero.
    prediction_moments : Moments, default=None
        Moments of the predictions on all rows, labelled or not.
    moments_per_model : mapping of int to Moments, default={}
        For models with missing predictions, the moments of the labelled rows that they
        answer.

    Returns
    -------
    ndarray of shape (n_models,)
        In [-1, 1]; negative for a model that runs against the truth.
    """
    with_labels, label_free, share = reliability_parts(
        labelled, prediction_moments, moments_per_model
    )
    return share * with_labels + (1.0 - share) * label_free


def reliability_parts(
    labelled: Moments,
    prediction_moments: Moments | None = None,
    moments_per_model: Mapping[int, Moments] = MappingProxyType({}),
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Compute what labels and what agreement say of each model.

    The parameters are those of :func:`reliability`. Returned are, each of shape
    (n_models,), the signed squared correlation with the labels, the signed share of
    variance in common with the other models, and the weight of the first.
    """
    with_labels, share = _with_labels(labelled)
    for m, moments in moments_per_model.items():
        (with_labels[m],), (share[m],) = _with_labels(moments)
    return with_labels, _in_common(labelled, prediction_moments), share


def _with_labels(
    labelled: Moments,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Signed squared correlation with the labels, and its weight against agreement."""
    squared = np.zeros(labelled.n_models)
    if labelled.weight == 0:
        return squared, np.zeros(labelled.n_models)
    covariance, with_target = labelled.predictions()
    variance = covariance.diagonal() * float(labelled.scatter[-1, -1] / labelled.weight)
    live = varying_models(labelled, labelled)
    squared[live] = np.divide(
        (with_target * np.abs(with_target))[live],
        variance[live],
        out=squared[live],
        where=variance[live] > 0,
    )
    share = labelled.n_effective / (labelled.n_effective + LABEL_FREE_ROWS)
    return np.clip(squared, -1.0, 1.0), np.full(labelled.n_models, share)


def _in_common(
    labelled: Moments, prediction_moments: Moments | None
) -> NDArray[np.float64]:
    """Signed share of each model's variance that it has in common with the others."""
    if prediction_moments is None:
        prediction_moments = labelled.without_labels()
    common = np.zeros(labelled.n_models)
    if prediction_moments.weight > 0:
        reference = prediction_moments
        if labelled.weight > 0:
            # One scale for both, at which neither overflows.
            scale = min(labelled.scale, prediction_moments.scale)
            reference = labelled.rescaled(scale)
            prediction_moments = prediction_moments.rescaled(scale)
        live = varying_models(reference, prediction_moments)
        covariance = prediction_moments.subset(live).predictions()[0]
        common[live] = _label_free(_correlation(covariance))
    return common


def _label_free(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    common = common_variance(correlation)
    if common is None:
        # Mean correlation with the others, in place of a loading; nobody contradicts
        # a model that is alone.
        others = max(len(correlation) - 1, 1)
        mean = (correlation.sum(axis=0) - correlation.diagonal()) / others
        common = mean if len(correlation) > 1 else np.ones(len(correlation))
    return np.clip(common, -1.0, 1.0)


def _correlation(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = np.sqrt(covariance.diagonal())
    correlation: NDArray[np.float64] = covariance / np.outer(spread, spread)
    return correlation
