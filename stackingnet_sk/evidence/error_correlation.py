"""Correlation of errors, over the rows that two models answer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from stackingnet_sk.evidence.counts import VoteCounts

Array = NDArray[Any]

# Share of answers below which a table of votes is read as a sparse one.
SPARSE = 0.1
# Distinct rows of votes at a time.
_BLOCK = 16384
# What is below this is rounding: a variance, of outcomes between 0 and 1 or of variance
# one, and a number of rows that is left when others are subtracted.
_ROUNDING = 1e-12
_TINY = float(np.finfo(float).tiny)


class PairSums(NamedTuple):
    """Sums over the rows that two models answer, for each class and pair of models.

    An outcome is an error, or whether a vote is right. Sums of different rows add up.

    Parameters
    ----------
    products : ndarray of shape (..., n_classes, n_models, n_models)
        Sums of products of the outcomes of the two models.
    rows : ndarray of shape (..., n_classes, n_models, n_models)
        Weight of the rows.
    outcomes, squares : ndarray of shape (..., n_classes, n_models, n_models) or None
        Sums of the outcomes of the first model, and of their squares, where the second
        one answers, too. None if outcomes are already deviations from a mean.
    """

    products: Array
    rows: Array
    outcomes: Array | None = None
    squares: Array | None = None

    @classmethod
    def from_counts(
        cls,
        counts: VoteCounts,
        weights: NDArray[np.float64],
        *,
        centred_on_common_rows: bool,
    ) -> PairSums:
        """Sum whether votes are right, by true class.

        `weights` (n_patterns, n_classes) is the weight of each pattern with each true
        class. A vote is compared with the model's share of right votes, either on the
        rows that both models of a pair answer, or on all rows that the model answers.
        """
        n_models, n_classes = counts.n_models, counts.n_classes
        products, rows, outcomes = np.zeros((3, n_classes, n_models, n_models))
        mean = np.zeros((n_models, n_classes))
        if not centred_on_common_rows:
            joint = counts.joint(weights)
            answers = joint.sum(axis=2)
            mean = joint.diagonal(axis1=1, axis2=2) / np.maximum(answers, _TINY)
        for start in range(0, len(counts), _BLOCK):
            votes = counts.patterns[start : start + _BLOCK]
            given = votes >= 0
            # A crowd answers few of its items, and has many pairs of workers.
            sparse = np.count_nonzero(given) < SPARSE * given.size
            for k, weight in enumerate(weights[start : start + _BLOCK].T):
                if not weight.any():
                    continue
                right: Any = np.where(given, (votes == k) - mean[:, k], 0.0)
                answered: Any = given.astype(np.float64)
                if sparse:
                    right, answered = csr_array(right), csr_array(answered)
                products[k] += pair_sums(right, weight, right)
                rows[k] += pair_sums(answered, weight, answered)
                if centred_on_common_rows:
                    outcomes[k] += pair_sums(right, weight, answered)
        if not centred_on_common_rows:
            return cls(products, rows)
        # Being right is one or zero, so it is its own square.
        return cls(products, rows, outcomes, outcomes)


def pair_sums(left: Any, weights: Array, right: Any) -> Array:
    """Return ``left' diag(weights) right`` of two tables, sparse or not."""
    if isinstance(left, np.ndarray):
        return np.asarray((left.T * weights) @ right)
    return np.asarray((left.multiply(weights[:, None]).T @ right).toarray())


def error_correlation(sums: PairSums) -> Array:
    """Correlate the outcomes of each pair of models within the classes.

    There are two ways of centring, which agree if no answer is missing. Both take the
    products over the rows that both models answer. With sums of outcomes, these are
    compared with the mean, and divided by the spread, of the model on the same rows:
    the usual correlation on them. Outcomes that are deviations already are divided by
    the spread on all rows that the model answers. If their mean is that on all these
    rows, two models seem to err together if both answer what is hard and each answers
    an easy part of the other rows.

    The result has shape (..., n_models, n_models). It is NaN for models whose outcomes
    do not vary within any class, such as models that are always right, and for pairs
    that answer no common row.
    """
    products, rows, outcomes, squares = sums
    total = rows.sum(axis=-3)
    if outcomes is not None and squares is not None:
        mean = outcomes / np.maximum(rows, _ROUNDING)
        covariance = (products - mean * outcomes.swapaxes(-1, -2)).sum(axis=-3)
        variance = (squares - mean * outcomes).sum(axis=-3)
        variance[variance <= _ROUNDING * total] = np.nan
        spread = np.sqrt(variance * variance.swapaxes(-1, -2))
        on_common_rows: Array = np.clip(covariance / spread, -1.0, 1.0)
        return on_common_rows
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = products.sum(axis=-3) / total
        variance = covariance.diagonal(axis1=-2, axis2=-1)
        spread = np.sqrt(np.where(variance > _ROUNDING, variance, np.nan))
        correlation: Array = covariance / (spread[..., None] * spread[..., None, :])
    return correlation
