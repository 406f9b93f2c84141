"""From differences that are sure to ranks, letters and the best."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.ranks import plain_ranks
from stackingnet_sk.inspection.rank_intervals import (
    different_pairs,
    groups,
    letter,
    probability_best,
    simultaneous_ranks,
)

law = settings(deadline=None, derandomize=True, max_examples=100)
seeds = st.integers(0, 2**20)
sizes = st.integers(2, 8)


def panel(seed, n_models, n_draws=60):
    """Values, some of them tied, and draws about them, some models moving together."""
    rng = np.random.default_rng(seed)
    values = rng.choice([0.5, 0.6, 0.65, 0.9], n_models) + rng.normal(0, 0.02, n_models)
    noise = rng.normal(size=(n_draws, n_models)) @ rng.normal(size=(n_models, n_models))
    return values, values + rng.choice([0.01, 0.05]) * noise


def test_two_models_are_a_plain_test():
    """Deviations of 1 to 10 hundredths, up and down: at 90 % only a difference above
    nine of them is sure.
    """
    away = np.repeat(np.arange(1, 11), 2) * np.tile([0.01, -0.01], 10)
    for difference, sure in ((0.089, False), (0.099, True)):
        values = np.array([0.5 + difference, 0.5])
        draws = np.column_stack([values[0] + away, np.full(20, 0.5)])
        better = different_pairs(values, draws, 0.9)
        assert_array_equal(better, [[False, sure], [False, False]])
        turned = different_pairs(values[::-1], draws[:, ::-1], 0.9)
        assert_array_equal(turned, better[::-1, ::-1])


def test_models_that_move_together_are_told_apart():
    """Only the spread of the difference counts, not that of either."""
    rng = np.random.default_rng(0)
    values = np.array([0.61, 0.60, 0.2])
    common = rng.normal(0, 0.2, (500, 1))
    draws = values + common + rng.normal(0, 0.001, (500, 3))
    better = different_pairs(values, draws, 0.9)
    assert_array_equal(better, np.triu(np.ones((3, 3), bool), 1))


def test_equal_models_never_differ():
    """Nor do models that never move, of which nothing is known."""
    rng = np.random.default_rng(0)
    draws = np.repeat(rng.normal(size=(100, 1)), 4, axis=1)
    assert not different_pairs(np.full(4, 0.3), draws, 0.5).any()
    assert not different_pairs(np.zeros(4), np.zeros((100, 4)), 0.5).any()


def test_nan_differs_from_nothing_and_does_not_reach_the_others():
    values, draws = panel(0, 5)
    alone = different_pairs(values[:4], draws[:, :4], 0.9)
    values[4] = draws[:, 4] = np.nan
    better = different_pairs(values, draws, 0.9)
    assert not better[4].any()
    assert not better[:, 4].any()
    assert_array_equal(better[:4, :4], alone)


@law
@given(seed=seeds, n_models=sizes)
def test_order_of_models_is_of_no_account(seed, n_models):
    values, draws = panel(seed, n_models)
    order = np.random.default_rng(seed).permutation(n_models)
    better = different_pairs(values, draws, 0.9)
    other = different_pairs(values[order], draws[:, order], 0.9)
    assert_array_equal(other, better[np.ix_(order, order)])


@law
@given(seed=seeds, n_models=sizes)
def test_the_better_has_the_larger_value(seed, n_models):
    values, draws = panel(seed, n_models)
    better = different_pairs(values, draws, 0.5)
    assert (better <= (values[:, None] > values)).all()


@law
@given(seed=seeds, n_models=sizes)
def test_the_surer_the_fewer(seed, n_models):
    values, draws = panel(seed, n_models)
    found = [different_pairs(values, draws, level) for level in (0.5, 0.9, 0.99)]
    assert (found[1] <= found[0]).all()
    assert (found[2] <= found[1]).all()


@law
@given(seed=seeds, n_models=sizes, unit=st.floats(-3, 3), shift=st.floats(-1, 1))
def test_units_are_of_no_account(seed, n_models, unit, shift):
    values, draws = panel(seed, n_models)
    better = different_pairs(values, draws, 0.9)
    other = different_pairs(10**unit * values + shift, 10**unit * draws + shift, 0.9)
    assert_array_equal(other, better)


def test_false_differences_are_as_rare_as_promised():
    """All five equal: in at most a tenth of cases is any pair told apart. Judged one by
    one, at 90 % each, it would be some pair in two cases of five.
    """
    rng = np.random.default_rng(0)
    spread = np.array([1.0, 1.0, 2.0, 0.5, 1.0])
    wrong = np.zeros((300, 2), dtype=bool)
    for case in wrong:
        values = rng.normal(size=5) * spread
        draws = values + rng.normal(size=(300, 5)) * spread
        case[0] = different_pairs(values, draws, 0.9).any()
        case[1] = any(
            different_pairs(values[[j, k]], draws[:, [j, k]], 0.9).any()
            for j in range(5)
            for k in range(j)
        )
    assert wrong[:, 0].mean() == pytest.approx(0.1, abs=0.04)
    assert wrong[:, 1].mean() > 0.3


def test_ranks_of_known_pairs():
    """Of a, b, c, d: a is above c and d, b is above d."""
    better = np.zeros((4, 4), dtype=bool)
    better[0, [2, 3]] = better[1, 3] = True
    low, high = simultaneous_ranks(better)
    assert low.tolist() == [1, 1, 2, 3]
    assert high.tolist() == [2, 3, 4, 4]
    nothing = simultaneous_ranks(np.zeros((3, 3), dtype=bool))
    assert_array_equal(nothing, [[1, 1, 1], [3, 3, 3]])


@law
@given(seed=seeds, n_models=sizes)
def test_ranks_contain_the_rank_of_the_values(seed, n_models):
    values, draws = panel(seed, n_models)
    low, high = simultaneous_ranks(different_pairs(values, draws, 0.5))
    rank = 1 + (values[None] > values[:, None]).sum(axis=1)
    assert (low >= 1).all()
    assert (low <= rank).all()
    assert (rank <= high).all()
    assert (high <= n_models).all()


def test_plain_ranks_of_known_draws():
    """The first is the best in three draws of four, the last is always so."""
    draws = np.array([[3.0, 2.0, 1.0]] * 3 + [[2.0, 3.0, 1.0]])
    low, high = plain_ranks(draws, 0.9)
    assert low.tolist() == [1, 1, 3]
    assert high.tolist() == [2, 2, 3]
    low, high = plain_ranks(draws, 0.2)
    assert (low.tolist(), high.tolist()) == ([1, 2, 3], [1, 2, 3])


@law
@given(seed=seeds, n_models=sizes, level=st.floats(0.05, 0.95))
def test_plain_ranks_are_ranks(seed, n_models, level):
    _, draws = panel(seed, n_models)
    low, high = plain_ranks(draws, level)
    assert (low >= 1).all()
    assert (low <= high).all()
    assert (high <= n_models).all()


def differing(pairs, n_models):
    better = np.zeros((n_models, n_models), dtype=bool)
    for j, k in pairs:
        better[j, k] = True
    return better


@pytest.mark.parametrize(
    ("pairs", "letters"),
    [
        ([], ["a", "a", "a", "a"]),
        ([(0, 1), (0, 2), (0, 3)], ["a", "b", "b", "b"]),
        ([(0, 2), (0, 3), (1, 3)], ["a", "ab", "bc", "c"]),
        ([(0, 3)], ["a", "ab", "ab", "b"]),
        (
            [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)],
            ["a", "b", "c", "d"],
        ),
        # A pair in the middle differs, those outside of it do not.
        ([(1, 2)], ["a", "a", "b", "b"]),
    ],
)
def test_letters_of_known_pairs(pairs, letters):
    order = np.arange(4)
    assert groups(order, differing(pairs, 4)) == letters
    # The models may come in any order of columns.
    order = np.array([2, 0, 3, 1])
    moved = np.empty((4, 4), dtype=bool)
    moved[np.ix_(order, order)] = differing(pairs, 4)
    found = groups(order, moved)
    assert [found[m] for m in order] == letters


@law
@given(seed=seeds, n_models=sizes)
def test_models_share_a_letter_if_no_two_from_one_to_the_other_differ(seed, n_models):
    """And only then; every model has one, and the letters ascend."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(n_models)
    better = np.triu(rng.random((n_models, n_models)) < rng.choice([0.05, 0.3]), 1)
    better = better[np.argsort(order)][:, np.argsort(order)]
    letters = groups(order, better)
    differ = (better | better.T)[np.ix_(order, order)]
    ordered = [letters[m] for m in order]
    assert all(ordered)
    for j in range(n_models):
        for k in range(j, n_models):
            alike = not differ[j : k + 1, j : k + 1].any()
            assert bool(set(ordered[j]) & set(ordered[k])) == alike
    every = [each for own in ordered for each in own]
    assert sorted(set(every)) == [letter(i) for i in range(len(set(every)))]
    assert [own[0] for own in ordered] == sorted(own[0] for own in ordered)


def test_beyond_the_alphabet():
    assert [letter(i) for i in (0, 25, 26, 53)] == ["a", "z", "a'", "b''"]
    every = np.triu(np.ones((30, 30), dtype=bool), 1)
    letters = groups(np.arange(30), every)
    assert len(set(letters)) == 30


def test_ties_share_being_the_best():
    draws = np.array([[2.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 5.0, 1.0]])
    assert_allclose(probability_best(draws), [1.5 / 3, 1.5 / 3, 0])


@law
@given(seed=seeds, n_models=sizes)
def test_one_model_is_the_best(seed, n_models):
    _, draws = panel(seed, n_models)
    found = probability_best(draws)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    order = np.random.default_rng(seed).permutation(n_models)
    assert_allclose(probability_best(draws[:, order]), found[order])
