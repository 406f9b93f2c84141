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
    alone: Mapping[int, Moments] = MappingProxyType({}),
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
    alone : mapping of int to Moments, default={}
        Of models that are silent on labelled rows, the moments of those they answer.

    Returns
    -------
    ndarray of shape (n_models,)
        In [-1, 1]; negative for a model that runs against the truth.
    """
    known, free, common = reliability_parts(labelled, prediction_moments)
    share = np.full(len(known), common)
    for m, own in alone.items():
        (known[m],), _, share[m] = reliability_parts(own)
    return share * known + (1.0 - share) * free


def reliability_parts(
    labelled: Moments, prediction_moments: Moments | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Say what the labels say of each model, and what the other models say.

    Parameters
    ----------
    labelled : Moments
        Moments of the labelled rows; their weight may be zero.
    prediction_moments : Moments, default=None
        Moments of the predictions on all rows, labelled or not.

    Returns
    -------
    known : ndarray of shape (n_models,)
        Signed squared correlation with the labels.
    free : ndarray of shape (n_models,)
        Signed share of variance in common with the others.
    share : float
        Weight of the first.
    """
    if prediction_moments is None:
        prediction_moments = labelled.without_labels()
    free = np.zeros(labelled.n_models)
    if prediction_moments.weight > 0:
        seen = prediction_moments
        if labelled.weight > 0:
            # One scale for both, at which neither overflows.
            scale = min(labelled.scale, prediction_moments.scale)
            seen, prediction_moments = (
                labelled.rescaled(scale),
                prediction_moments.rescaled(scale),
            )
        live = varying_models(seen, prediction_moments)
        covariance = prediction_moments.subset(live).predictions()[0]
        free[live] = _label_free(_correlation(covariance))
    known = np.zeros(labelled.n_models)
    if labelled.weight == 0:
        return known, free, 0.0
    covariance, with_target = labelled.predictions()
    variance = covariance.diagonal() * float(labelled.scatter[-1, -1] / labelled.weight)
    live = varying_models(labelled, labelled)
    known[live] = np.divide(
        (with_target * np.abs(with_target))[live],
        variance[live],
        out=known[live],
        where=variance[live] > 0,
    )
    share = labelled.n_effective / (labelled.n_effective + LABEL_FREE_ROWS)
    return np.clip(known, -1.0, 1.0), free, share


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
