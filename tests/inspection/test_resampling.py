"""Rows drawn anew: how many, how often, and what of them is not random."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from stackingnet_sk.ensemble.number_rows import sum_rows
from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.inspection.answers import ModelAnswers
from stackingnet_sk.inspection.resampling import (
    draw_counts,
    number_replicates,
    percentile_interval,
    resampled_sums,
    student_tail,
    vote_replicates,
)
from stackingnet_sk.weights import VoterEstimates, reliability

law = settings(deadline=None, derandomize=True, max_examples=60)
FEW = np.array([1.0, 0.0, 2.0, 3.0, 0.0, 1.0, 1.0, 2.0])
MANY = np.array([100.0, 0.0, 30.0, 20.0])
FRACTIONS = np.array([0.5, 1.25, 0.0, 4.25])


@pytest.mark.parametrize("weights", [FEW, MANY, FRACTIONS])
def test_counts_of_draws(weights):
    """Rows by single row and by cell: means are the weights; the variance is that of a
    multinomial, n over n - 1 times, as of an unbiased estimate; all sum to the rows
    there are.
    """
    n_draws, total = 40_000, weights.sum()
    found = draw_counts(np.random.default_rng(0), weights, n_draws)
    assert found.shape == (n_draws, len(weights))
    assert_allclose(found.sum(axis=1), total, rtol=1e-12)
    assert_array_equal(found[:, weights == 0], 0)

    share = weights / total
    variance = total**2 * share * (1 - share) / (round(total) - 1)
    error = np.sqrt(variance / n_draws)
    assert (np.abs(found.mean(axis=0) - weights) <= 4 * error).all()
    assert_allclose(found.var(axis=0), variance, rtol=0.05, atol=1e-12)
    left, right = 0, -1
    together = np.cov(found[:, left], found[:, right])[0, 1]
    assert together == pytest.approx(
        -(total**2) * share[left] * share[right] / (round(total) - 1), rel=0.15
    )


@law
@given(
    weights=st.lists(st.integers(0, 9) | st.floats(0, 9), min_size=1, max_size=12),
    seed=st.integers(0, 2**20),
)
def test_as_many_rows_as_there_are(weights, seed):
    weights = np.array(weights, dtype=float)
    found = draw_counts(np.random.default_rng(seed), weights, 3)
    assert_allclose(found.sum(axis=1), weights.sum(), rtol=1e-9)
    assert (found >= 0).all()
    assert (found[:, weights == 0] == 0).all()


@pytest.mark.parametrize("weights", [np.zeros(0), np.zeros(3)])
def test_of_nothing_nothing_is_drawn(weights):
    found = draw_counts(np.random.default_rng(0), weights, 5)
    assert_array_equal(found, np.zeros((5, len(weights))))


def test_a_single_row_is_always_drawn():
    found = draw_counts(np.random.default_rng(0), np.array([0.0, 1.0]), 5)
    assert_array_equal(found, [[0, 1]] * 5)


def test_means_of_rows_drawn_anew():
    """Without bias, and with the variance of a mean of independent rows. Of more than
    2,000 rows blocks are drawn, not all of which have as many rows: sums are divided by
    those of a weight.
    """
    for n_rows in (6, 5000):
        terms = np.random.default_rng(1).normal([1.0, 5.0], size=(n_rows, 2))
        columns = np.column_stack([terms, np.ones(n_rows)])
        sums = resampled_sums(np.random.default_rng(0), columns, 4000)
        assert sums.shape == (4000, 3)
        means = sums[:, :2] / sums[:, 2:]
        spread = terms.std(axis=0, ddof=1) / np.sqrt(n_rows)
        assert (np.abs(means.mean(axis=0) - terms.mean(axis=0)) < spread / 15).all()
        assert_allclose(means.std(axis=0), spread, rtol=0.1)


def test_the_fewer_rows_the_further_out():
    """Student's quantile of four rows, 2.353, as a share of the normal distribution;
    with many rows the plain percentile. One row has no fewer degrees than one.
    """
    tails = student_tail(0.9, np.array([1, 2, 4, 10**6]))
    assert tails[0] == tails[1]
    assert tails[2] == pytest.approx(0.00931, abs=1e-5)
    assert tails[3] == pytest.approx(0.05, abs=1e-6)
    assert (np.diff(tails[1:]) > 0).all()


def test_percentiles_of_replicates_hold_the_estimate():
    """Each figure at its own share. Replicates that are NaN are left out, and a figure
    that is NaN has no interval.
    """
    draws = np.tile(np.arange(101.0)[:, None], 5)
    draws[:50, 2] = draws[:, 3] = np.nan
    value = np.array([50.0, 50.0, 75.0, np.nan, 200.0])
    tail = np.array([0.05, 0.1, 0.1, 0.1, 0.1])
    low, high = percentile_interval(value, draws, tail)
    assert_allclose(low, [5, 10, 55, np.nan, 10])
    assert_allclose(high, [95, 90, 95, np.nan, 200])
    for end in percentile_interval(value, draws[:0], tail):
        assert np.isnan(end).all()


def numbers(n_rows, n_labelled, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n_rows)
    table = truth[:, None] + rng.normal(size=(n_rows, 4)) * [0.3, 0.6, 1.0, 2.0]
    labels = np.where(np.arange(n_rows) < n_labelled, truth, np.nan)
    return ModelAnswers(np.array(list("abcd")), table, labels, None)


def votes(n_rows, n_labelled, seed=0, n_classes=2):
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_rows)
    right = rng.random((n_rows, 4)) < [0.9, 0.8, 0.7, 0.6]
    off = rng.integers(1, n_classes, size=right.shape)
    table = (truth[:, None] + np.where(right, 0, off)) % n_classes
    labels = np.where(np.arange(n_rows) < n_labelled, truth, -1)
    return VoteCounts.from_rows(table, labels, n_classes)


def imputed(answers):
    return sum_rows(answers.table, answers.labels, None, answers.names).imputed()


def replicates(kind, n_rows, n_labelled, n_draws=400, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "numbers":
        answers = numbers(n_rows, n_labelled)
        return number_replicates(answers, imputed(answers), rng, n_draws)
    return vote_replicates(votes(n_rows, n_labelled), rng, n_draws)


def estimate(kind, n_rows, n_labelled):
    if kind == "numbers":
        answers = numbers(n_rows, n_labelled)
        moments = imputed(answers)
        return reliability(moments.error_moments, moments.prediction_moments)
    return VoterEstimates.from_counts(votes(n_rows, n_labelled)).reliability


@pytest.mark.parametrize("kind", ["numbers", "votes"])
@pytest.mark.parametrize(("n_rows", "n_labelled"), [(300, 300), (300, 40), (300, 0)])
def test_replicates_are_about_the_estimate(kind, n_rows, n_labelled):
    found = replicates(kind, n_rows, n_labelled)
    values = estimate(kind, n_rows, n_labelled)
    assert found.shape == (400, 4)
    assert np.isfinite(found).all()
    assert (np.abs(found.mean(axis=0) - values) < found.std(axis=0) / 2).all()


@pytest.mark.parametrize("kind", ["numbers", "votes"])
def test_the_more_labels_the_narrower(kind):
    """What agreement says is doubted as so many labels as it counts for."""
    spread = [replicates(kind, 2000, n).std(axis=0).mean() for n in (0, 40, 400, 2000)]
    assert (np.diff(spread) < 0).all()


def test_without_labels_numbers_are_as_sure_as_twenty_rows_are():
    """Agreement on ever more rows is not ever more sure of the truth."""
    found = [replicates("numbers", n, 0, 1000) for n in (1000, 4000)]
    for each in found:
        z = np.arctanh(np.sign(each) * np.sqrt(np.abs(each)))
        assert_allclose(z.std(axis=0)[1:], 1 / np.sqrt(17), rtol=0.1)


def test_without_labels_votes_are_as_sure_as_the_trust_and_twenty_rows_a_class_are():
    """The trust is Beta(2.5, 0.67), one for all models; the rest is the models' own."""
    found = replicates("votes", 20_000, 0, 4000)
    a, b = 2.5, 0.67
    mean, variance = a / (a + b), a * b / (a + b) ** 2 / (a + b + 1)
    skill = (found.mean(axis=0) - 0.5) / mean
    accuracy = 0.5 + mean * skill
    own = (accuracy * (1 - accuracy) - skill**2 * variance) / 20 / 2
    expected = np.sqrt(skill**2 * variance + own)
    assert_allclose(found.std(axis=0), expected, rtol=0.1)


def test_with_labels_only_spread_is_that_of_the_correlation():
    """With many labels nothing else is left: known of two normal variables."""
    found = replicates("numbers", 5000, 5000, 1000)
    correlation = np.sqrt(1 / (1 + np.array([0.3, 0.6, 1.0, 2.0]) ** 2))
    expected = 2 * correlation * (1 - correlation**2) / np.sqrt(5000)
    assert_allclose(found.std(axis=0), expected, rtol=0.12)


def test_blocks_of_many_rows_are_as_good_as_rows():
    """From 2,000 rows on, rows are drawn in blocks, at random."""
    spread = [
        replicates("numbers", n, n, 500).std(axis=0) * np.sqrt(n) for n in (1900, 8000)
    ]
    assert_allclose(spread[1], spread[0], rtol=0.2)


def test_draws_of_a_class_do_not_reach_the_others():
    """With a label of each class in each replicate, no recall is missing."""
    rng = np.random.default_rng(0)
    table = rng.integers(3, size=(60, 4))
    labels = np.full(60, -1)
    labels[:5] = [0, 1, 1, 2, 2]
    counts = VoteCounts.from_rows(table, labels, 3)
    found = vote_replicates(counts, rng, 200)
    assert np.isfinite(found).all()
    assert (found > 0).all()
    assert (found < 1).all()


def test_a_model_that_never_answers_may_be_anything():
    """Its reliability is a guess, and replicates don't pretend to know better."""
    rng = np.random.default_rng(0)
    table = rng.integers(2, size=(50, 4))
    table[:, 2] = -1
    labels = rng.integers(2, size=50)
    found = vote_replicates(VoteCounts.from_rows(table, labels, 2), rng, 500)[:, 2]
    assert found.mean() == pytest.approx(0.5, abs=0.05)
    assert np.quantile(found, 0.05) < 0.2
    assert np.quantile(found, 0.95) > 0.8


def test_few_answers_say_little():
    """Of a model that answers three rows of a class hardly anything is known, whatever
    the panel's accuracy, to which its estimate is pulled.
    """
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=500)
    table = np.where(rng.random((500, 5)) < 0.8, labels[:, None], 1 - labels[:, None])
    spread = []
    for n_answers in (500, 50, 5):
        table[n_answers:, 4] = -1
        counts = VoteCounts.from_rows(table, labels, 2)
        spread.append(vote_replicates(counts, rng, 500)[:, 4].std())
    assert spread[0] < 0.03
    assert spread[1] > 1.5 * spread[0]
    assert spread[2] > 1.5 * spread[1]


def test_chunks_of_replicates_are_put_together(monkeypatch):
    """The memory that is held at a time changes which rows are drawn, and no more."""
    whole = replicates("votes", 300, 100, 2000)
    monkeypatch.setattr("stackingnet_sk.inspection.resampling._ELEMENTS", 7000)
    parts = replicates("votes", 300, 100, 2000)
    assert parts.shape == whole.shape
    assert_allclose(parts.mean(axis=0), whole.mean(axis=0), atol=0.01)
    assert_allclose(parts.std(axis=0), whole.std(axis=0), rtol=0.15)


@pytest.mark.parametrize("kind", ["numbers", "votes"])
def test_the_same_seed_gives_the_same_draws(kind):
    assert_array_equal(replicates(kind, 100, 30, 20), replicates(kind, 100, 30, 20))
    other = replicates(kind, 100, 30, 20, seed=1)
    assert (other != replicates(kind, 100, 30, 20)).any()


@pytest.mark.parametrize(("n_labelled", "least"), [(0, 0.3), (300, 0.9)])
def test_perfect_models(n_labelled, least):
    """Where an estimate reaches one, there still is something to draw from. Without
    labels even perfect agreement can be that of models that guess alike.
    """
    truth = np.repeat([0, 1, 2], 100)
    labels = np.where(np.arange(300) < n_labelled, truth, -1)
    counts = VoteCounts.from_rows(np.tile(truth[:, None], (1, 4)), labels, 3)
    found = vote_replicates(counts, np.random.default_rng(0), 100)
    assert found.min() > least
    assert found.max() <= 1.0
