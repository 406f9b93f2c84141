"""Intervals of scores, and of differences of scores on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.inspection.disparity import Estimate
from stackingnet_sk.inspection.resampling import (
    percentile_interval,
    resampled_sums,
    student_tail,
)

Array = NDArray[Any]

# Rows that the prior adds to each of four cases: the first contender is right or wrong,
# and so is the other. For one contender, right and wrong then have half a row each,
# which is Jeffreys' prior.
_PRIOR = 0.25


def number_figures(
    errors: Array,
    random: np.random.Generator,
    n_draws: int,
    confidence_level: float,
    weights: Array | None = None,
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Estimate errors of numbers, and by how much the first contender's are smaller.

    `errors` are predictions minus labels (n_rows, n_contenders). The same rows are
    drawn for all contenders. `weights` count in means; they do not change how many rows
    there are. Returns scores and leads, each by name an Estimate of shape
    (n_contenders,).
    """
    n_rows, n_contenders = errors.shape
    weights = np.ones(n_rows) if weights is None else weights
    terms = np.column_stack([np.abs(errors), np.square(errors), np.ones(n_rows)])
    terms *= weights[:, None]
    sums = np.vstack([terms.sum(axis=0), resampled_sums(random, terms, n_draws)])
    means = sums[:, :-1] / sums[:, -1:]
    absolute, squared = means[:, :n_contenders], means[:, n_contenders:]
    figures = {
        "mean absolute error": absolute,
        "root mean squared error": np.sqrt(squared),
    }
    tail = student_tail(confidence_level, n_rows)
    leads = {key: error - error[:, :1] for key, error in figures.items()}
    scores, differences = (
        {key: _estimate(values[0], values[1:], tail) for key, values in of.items()}
        for of in (figures, leads)
    )
    return scores, differences


def class_figures(
    right: Array,
    labels: Array,
    random: np.random.Generator,
    n_draws: int,
    confidence_level: float,
    weights: Array | None = None,
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Estimate shares that are right, and by how much the first contender's are larger.

    `right` is (n_rows, n_contenders), and `labels` are indices of classes. Shares are
    drawn from the posterior under Jeffreys' prior within each class: a bootstrap of
    three rows that are all right would call that certain. Intervals are those of Kish's
    effective number of rows. Returns scores and leads as :func:`number_figures`.
    """
    classes = np.unique(labels)
    weights = np.ones(len(labels)) if weights is None else weights
    weights = weights * (weights.sum() / np.square(weights).sum())
    first, other = right[:, :1], right
    cases = [first & other, first & ~other, ~first & other, ~first & ~other]
    # (class, contender, case)
    counts = np.array(
        [
            [(case * weights[:, None])[labels == k].sum(axis=0) for case in cases]
            for k in classes
        ]
    ).swapaxes(1, 2)
    tail = (1.0 - confidence_level) / 2.0
    scores, leads = {}, {}
    for key, strata in (
        ("balanced accuracy", counts),
        ("accuracy", counts.sum(axis=0, keepdims=True)),
    ):
        drawn = random.gamma(strata + _PRIOR, size=(n_draws, *strata.shape))
        drawn /= drawn.sum(axis=-1, keepdims=True)
        share = strata / strata.sum(axis=-1, keepdims=True)
        both = np.concatenate([share[None], drawn]).mean(axis=1)
        theirs, lead = both[..., 0] + both[..., 2], both[..., 1] - both[..., 2]
        # The first contender is no better than itself, though the prior allows for it.
        lead[:, 0] = 0.0
        theirs[:, 0] = both[:, 0, 0] + both[:, 0, 1]
        scores[key] = _estimate(theirs[0], theirs[1:], tail)
        leads[key] = _estimate(lead[0], lead[1:], tail)
    return scores, leads


def _estimate(value: Array, replicates: Array, tail: Any) -> Estimate:
    return Estimate(value, *percentile_interval(value, replicates, tail))
