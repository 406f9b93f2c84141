"""Intervals of scores, and of differences of scores on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.inspection.disparity import Estimate
from stackingnet_sk.inspection.resampling import (
    draw_counts,
    percentile_interval,
    student_tail,
)

Array = NDArray[Any]

# More rows than this are drawn in blocks.
_BLOCKS = 2000
# Jeffreys' prior of being right or wrong is half a row each; the same over the four
# cases of two contenders.
_PRIOR = 0.25


def number_figures(
    errors: Array, random: np.random.Generator, n_draws: int, confidence_level: float
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Errors of numbers, and by how much the first contender's are smaller.

    Rows are drawn anew, the same for all contenders.

    Parameters
    ----------
    errors : ndarray of shape (n_rows, n_contenders)
        Prediction minus label.
    random : Generator
        Source of the draws.
    n_draws : int
        Number of replicates.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    scores, leads : dict of str to Estimate of shape (n_contenders,)
    """
    n_rows, n_contenders = errors.shape
    block = random.permutation(np.arange(n_rows) % min(n_rows, _BLOCKS))
    size = np.bincount(block).astype(np.float64)
    terms = np.hstack([np.abs(errors), np.square(errors)])
    sums = np.stack([np.bincount(block, own) for own in terms.T], axis=1)
    drawn = draw_counts(random, np.ones(len(sums)), n_draws)
    means = np.vstack([terms.mean(axis=0), (drawn @ sums) / (drawn @ size)[:, None]])
    absolute, squared = means[:, :n_contenders], means[:, n_contenders:]
    figures = {
        "mean absolute error": absolute,
        "root mean squared error": np.sqrt(squared),
    }
    tail = student_tail(confidence_level, n_rows)
    scores = {key: _estimate(each[0], each[1:], tail) for key, each in figures.items()}
    leads = {key: each - each[:, :1] for key, each in figures.items()}
    return scores, {
        key: _estimate(each[0], each[1:], tail) for key, each in leads.items()
    }


def class_figures(
    right: Array,
    labels: Array,
    random: np.random.Generator,
    n_draws: int,
    confidence_level: float,
) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """Shares that are right, and by how much the first contender's are larger.

    Drawn from the posterior under Jeffreys' prior, within each class: a bootstrap of
    three rows that are all right would call that certain.

    Parameters
    ----------
    right : ndarray of bool of shape (n_rows, n_contenders)
        Who is right.
    labels : ndarray of int of shape (n_rows,)
        Indices of the classes.
    random, n_draws, confidence_level
        As in :func:`number_figures`.

    Returns
    -------
    scores, leads : dict of str to Estimate of shape (n_contenders,)
    """
    classes = np.unique(labels)
    own, other = right[:, :1], right
    cases = [own & other, own & ~other, ~own & other, ~own & ~other]
    # (class, contender, case)
    counts = np.array(
        [[each[labels == k].sum(axis=0) for each in cases] for k in classes],
        dtype=np.float64,
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
        # Nobody is better than himself, though the prior allows for it.
        lead[:, 0] = 0.0
        theirs[:, 0] = both[:, 0, 0] + both[:, 0, 1]
        scores[key] = _estimate(theirs[0], theirs[1:], tail)
        leads[key] = _estimate(lead[0], lead[1:], tail)
    return scores, leads


def _estimate(value: Array, replicates: Array, tail: Any) -> Estimate:
    return Estimate(value, *percentile_interval(value, replicates, tail))
