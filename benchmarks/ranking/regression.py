"""Ratings: models are ranked by signed squared correlation with the truth.

Bias does not count, for the combination corrects it; a second truth is the mean
absolute error, in which it does.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..black_box.classification.adversaries import (
    MARGIN,
    PLANTED,
    Found,
    Planting,
    try_case,
)
from ..black_box.data import Pair, Table
from ..black_box.regression import REGRESSION
from ..black_box.regression.ours import DEFAULT
from ..black_box.regression.replica import REPLICA
from ..black_box.regression.rivals import (
    average,
    best_single,
    on_labels,
    unbiased_average,
)
from ..black_box.task import Array
from .half import NONE, Audit, Half, drawn
from .ratings import LABELLED, OURS, OURS_UNLABELLED, RANKERS, WEIGHTS, correlations

__all__ = ["RATING"]

Rng = np.random.Generator
NOISE = 0.05  # of a constant rater, as a share of the range


def correlation(table: Table) -> Array:
    """Return each model's correlation with the truth on the test items."""
    return correlations(table.unlabeled, table.truth)


def squared_correlation(table: Table) -> Array:
    r = correlation(table)
    return r * np.abs(r)


def closeness(table: Table) -> Array:
    """Return the negative mean absolute error of each model."""
    return -np.abs(table.unlabeled - table.truth[:, None]).mean(axis=0)


def shuffled(table: Table, models: Array, best: int, rng: Rng) -> Array:
    """Return their own ratings, each of another item."""
    return rng.permuted(table.P[:, models], axis=0)


def flipped(table: Table, models: Array, best: int, rng: Rng) -> Array:
    """Return the best model's ratings, mirrored in the range."""
    mirrored = table.domain.low + table.domain.high - table.P[:, best]
    return np.repeat(mirrored[:, None], len(models), axis=1)


def constant(table: Table, models: Array, best: int, rng: Rng) -> Array:
    """Return one rating each, with a little noise."""
    low, high = table.domain.low, table.domain.high
    noise = NOISE * (high - low) * rng.standard_normal((len(table.y), len(models)))
    return np.clip(rng.uniform(low, high, len(models)) + noise, low, high)


PLANTING = Planting(
    kinds={"shuffled": shuffled, "flipped best": flipped, "constant + noise": constant},
    truth=correlation,
    margin=MARGIN,
    rankers=RANKERS,
    labelled=drawn(REGRESSION, "10"),
)


def plant_cases(pairs: Mapping[str, Pair], seeds: int) -> Found:
    """Replace the worst models: the honest ones of these tables know so little.

    Three of them, or two where three would be half.
    """
    found = Found()
    for pair in pairs.values():
        order = np.argsort(correlation(pair.target))
        models = order[: min(PLANTED, (len(order) - 1) // 2)]
        for kind in PLANTING.kinds if len(models) else ():
            for seed in range(seeds):
                try_case(found, PLANTING, pair, kind, models, order[-1], seed)
    return found


AVERAGE = on_labels("average", average)
SINGLE = on_labels("best single (on labels)", best_single)

RATING = Half(
    task=REGRESSION,
    truths={"signed squared correlation": squared_correlation, "-MAE": closeness},
    settings={
        **{budget: drawn(REGRESSION, budget) for budget in ("10%", "5%")},
        **{f"{n} labels": drawn(REGRESSION, n) for n in ("10", "5")},
        NONE: lambda pair, seed: [],
    },
    leads={"10%": 0.0, "5%": 0.0, "10 labels": 0.03, "5 labels": 0.03, NONE: 0.03},
    rankers=RANKERS,
    ours=OURS,
    ours_unlabelled=OURS_UNLABELLED,
    planting=PLANTING,
    plant_cases=plant_cases,
    path_labels="10 labels",
    path=(LABELLED, WEIGHTS, OURS_UNLABELLED, OURS),
    combine=DEFAULT,
    audits=(
        Audit(
            "absolute error",
            AVERAGE,
            SINGLE,
            DEFAULT,
            (on_labels("average less mean bias", unbiased_average), REPLICA),
        ),
    ),
)
