"""Correlation of errors: which rows count, and what they are compared with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from stackingnet_sk.evidence import PairSums, VoteCounts, error_correlation

law = settings(deadline=None, derandomize=True, max_examples=60)
both_ways = pytest.mark.parametrize("common", [False, True])


def correlation(votes, truth, n_classes, common):
    counts = VoteCounts.from_rows(votes, truth, n_classes)
    sums = PairSums.from_counts(counts, counts.labelled, centred_on_common_rows=common)
    return error_correlation(sums)


def right_in(votes, truth, k):
    """Whether votes are right on the rows of class k, NaN where one is missing."""
    rows = truth == k
    return np.where(votes[rows] >= 0, votes[rows] == k, np.nan)


def row_by_row(votes, truth, n_classes, common):
    """Deviations from means on common rows, or on all rows that a model answers."""
    n_models = votes.shape[1]
    sums = np.zeros((3, n_models, n_models))
    rows = np.zeros((n_models, n_models))
    for k in range(n_classes):
        right = right_in(votes, truth, k)
        for i in range(n_models):
            for j in range(n_models):
                both = ~np.isnan(right[:, [i, j]]).any(axis=1)
                if both.any():
                    pair = right[:, [i, j]]
                    mean = np.nanmean(pair[both] if common else pair, axis=0)
                    away = (pair - mean)[both]
                    sums[:, i, j] += [
                        *np.square(away).sum(axis=0),
                        np.prod(away, 1).sum(),
                    ]
                rows[i, j] += both.sum()
    first, second, product = sums
    if not common:
        # Each model's variance is that on all rows that it answers.
        variance = first.diagonal() / rows.diagonal()
        first, second = variance[:, None] * rows, variance * rows
    with np.errstate(invalid="ignore", divide="ignore"):
        return product / np.sqrt(first * second)


@law
@given(
    seed=st.integers(0, 2**20),
    n_models=st.integers(2, 5),
    n_classes=st.integers(2, 4),
    common=st.booleans(),
)
def test_it_is_that_of_the_rows(seed, n_models, n_classes, common):
    """Whether votes are right, within each class, on the rows that both answer."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=60)
    right = rng.random((60, n_models)) < 0.7
    votes = np.where(right, truth[:, None], rng.integers(n_classes, size=(60, 1)))
    votes[rng.random(votes.shape) < 0.2] = -1

    found = correlation(votes, truth, n_classes, common)
    expected = row_by_row(votes, truth, n_classes, common)
    assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_hard_rows_in_common_are_no_common_errors():
    """Two models answer the same hard rows, and each another half of the easy ones. On
    the hard rows they err independently, but both err more often than on average.
    """
    rng = np.random.default_rng(0)
    hard = np.arange(3000) < 1000
    truth = np.zeros(3000, dtype=int)
    wrong = rng.random((3000, 2)) > np.where(hard, 0.6, 0.97)[:, None]
    votes = wrong.astype(int)
    votes[1000:2000, 0] = votes[2000:, 1] = -1

    corrected = correlation(votes, truth, 2, True)[0, 1]
    assert corrected == pytest.approx(np.corrcoef(wrong[hard].T)[0, 1], rel=1e-9)
    assert abs(corrected) < 0.1
    assert correlation(votes, truth, 2, False)[0, 1] > corrected + 0.05


@both_ways
def test_perfect_models_have_none(common):
    """They make no errors, so these have nothing in common; no warning either."""
    truth = np.tile([0, 1], 50)
    votes = np.column_stack([truth, 1 - truth, truth, np.full(100, -1)])

    assert np.isnan(correlation(votes, truth, 2, common)).all()


def test_sums_of_parts_add_up():
    """That is what a jackknife over groups of rows subtracts."""
    rng = np.random.default_rng(0)
    truth, votes = rng.integers(2, size=200), rng.integers(-1, 2, size=(200, 4))
    parts = [
        PairSums.from_counts(counts, counts.labelled, centred_on_common_rows=True)
        for rows in (slice(80), slice(80, None))
        for counts in [VoteCounts.from_rows(votes[rows], truth[rows], 2)]
    ]
    merged = PairSums(*(one + other for one, other in zip(*parts, strict=True)))
    expected = correlation(votes, truth, 2, True)
    assert_allclose(error_correlation(merged), expected, rtol=1e-12)
