"""Sums by pattern of answers: any split, any order and any grouping are one pass."""

import itertools
import math
import random
from functools import reduce

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import law, table

from stackingnet_sk.evidence import AnswerPatterns, Moments, answer_patterns

N_ROWS, N_MODELS = 40, 4


def rows(seed, n_rows=N_ROWS, n_models=N_MODELS, share=0.3):
    """Predictions with holes, also of whole rows, labels, and weights, some zero."""
    rng = np.random.default_rng(seed)
    predictions, target = table(seed, n_rows, n_models, slopes=True)
    predictions[rng.random(predictions.shape) < share] = np.nan
    weight = np.round(rng.exponential(size=n_rows), 1) * (rng.random(n_rows) < 0.8)
    return predictions, target, weight


def read(predictions, target, weight, which=slice(None)):
    return AnswerPatterns.from_rows(
        predictions[which],
        None if target is None else target[which],
        None if weight is None else weight[which],
    )


def by_hand(predictions, target=None, weight=None):
    """Two passes over the rows of each pattern, in exactly rounded sums."""
    target = np.zeros(len(predictions)) if target is None else target
    weight = np.ones(len(predictions)) if weight is None else weight
    answered = ~np.isnan(predictions)
    errors = np.where(answered, predictions, 0.0) - target[:, None] * answered
    z = np.column_stack([errors, target])
    found = {}
    for pattern in np.unique(answered, axis=0):
        own = (answered == pattern).all(axis=1)
        omega, total = weight[own], math.fsum(weight[own])
        unit = omega.max() or 1.0
        mean, scatter = np.zeros(z.shape[1]), np.zeros((z.shape[1], z.shape[1]))
        if total > 0:
            mean = np.array([math.fsum(omega / total * column) for column in z[own].T])
            off = z[own] - mean
            products = off[:, :, None] * off[:, None, :] * omega[:, None, None]
            scatter = np.array([[math.fsum(c) for c in r] for r in products.T])
        found[pattern.tobytes()] = {
            "weight": total,
            "n_rows": int(own.sum()),
            "weight_norm": unit * math.sqrt(math.fsum((omega / unit) ** 2)),
            "mean": mean,
            "scatter": scatter,
        }
    return found


def sums(patterns, scale=1.0):
    """Those of the code, keyed by pattern, with the rows in units of `scale`."""
    n_repeated = len(patterns.scatter)
    unit, width = patterns.scale * scale, patterns.n_models + 1
    found = {}
    for q, pattern in enumerate(patterns.answered):
        # Without weight a mean and a scatter say nothing.
        counts = patterns.weight[q] > 0
        mean = patterns.origin * np.append(pattern, True) + patterns.mean[q]
        scatter = patterns.scatter[q] if q < n_repeated else np.zeros((width, width))
        found[pattern.tobytes()] = {
            "weight": patterns.weight[q],
            "n_rows": patterns.n_rows[q],
            "weight_norm": patterns.weight_norm[q],
            "mean": mean / unit * counts,
            "scatter": scatter / unit**2 * counts,
        }
    assert len(found) == len(patterns.answered), "each pattern is there once"
    assert_array_equal(patterns.n_rows[:n_repeated] > 1, True)
    assert_array_equal(patterns.n_rows[n_repeated:] > 1, False)
    return found


def assert_same(found, expected, size, tolerance=1e-10):
    """Equal relative to the size of the column and the weight of the pattern."""
    assert found.keys() == expected.keys()
    square = np.outer(size, size)
    for pattern, own in expected.items():
        other = found[pattern]
        assert other["n_rows"] == own["n_rows"]
        for name in ("weight", "weight_norm"):
            assert_allclose(other[name], own[name], rtol=tolerance, err_msg=name)
        weight = own["weight"] or 1.0
        off = np.abs(other["mean"] - own["mean"]) / size
        assert off.max() <= tolerance
        off = np.abs(other["scatter"] / weight - own["scatter"] / weight) / square
        assert off.max() <= tolerance


def size_of(predictions, target):
    """Root mean square of the errors of each model, and of the target."""
    target = np.zeros(len(predictions)) if target is None else target
    z = np.column_stack([np.nan_to_num(predictions - target[:, None]), target])
    size = np.sqrt(np.mean(z**2, axis=0))
    return np.where(size > 0, size, 1.0)


cuts = st.lists(st.integers(0, N_ROWS), max_size=8)
orders = st.randoms(use_true_random=False)


def split(edges, order):
    """Blocks of rows, empty ones among them."""
    edges = [0, *sorted(edges), N_ROWS]
    blocks = [slice(a, b) for a, b in itertools.pairwise(edges)]
    order.shuffle(blocks)
    return blocks


# --------------------------------------------------------------------- what is summed


@law
@given(st.integers(0, 2**20), st.booleans(), st.booleans(), st.sampled_from([0, 0.3]))
def test_sums_of_each_pattern_are_those_of_its_rows(seed, weighted, labelled, share):
    predictions, target, weight = rows(seed, share=share)
    target = target if labelled else None
    weight = weight if weighted else None
    found = read(predictions, target, weight)

    assert found.is_finite
    assert found.is_complete == (share == 0)
    size = size_of(predictions, target)
    assert_same(sums(found), by_hand(predictions, target, weight), size)


def test_complete_rows_are_one_pattern_and_cost_what_moments_cost():
    predictions, target, weight = rows(0, share=0.0)
    found = read(predictions, target, weight)
    expected = Moments.from_rows(predictions, target, weight)

    assert found.answered.tolist() == [[True] * N_MODELS]
    assert_array_equal(found.scatter[0], expected.scatter)
    assert_array_equal(found.origin, expected.mean)
    assert_array_equal(found.mean[0], expected.rounding)
    assert found.weight_norm[0] == expected.weight_norm


@pytest.mark.parametrize("n_rows", [0, 1, 2])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_fewest_rows(n_rows, share):
    """A single row has no scatter, and none is kept; no row has no pattern."""
    predictions, target, weight = rows(3, n_rows, share=share)
    found = read(predictions, target, weight + 1.0)

    assert len(found.scatter) == (n_rows > 1 and share == 0)
    assert found.n_rows.sum() == n_rows
    assert found.n_models == N_MODELS
    assert found.is_finite


# -------------------------------------------------------------------------- merging


@law
@given(
    seed=st.integers(0, 2**20),
    edges=cuts,
    order=orders,
    weighted=st.booleans(),
    labelled=st.booleans(),
    share=st.sampled_from([0.0, 0.1, 0.5]),
)
def test_any_split_in_any_order_is_one_pass(
    seed, edges, order, weighted, labelled, share
):
    """Against sums by hand: blocks of no row, one row and weight zero are blocks."""
    predictions, target, weight = rows(seed, share=share)
    target = target if labelled else None
    weight = weight if weighted else None
    blocks = [read(predictions, target, weight, own) for own in split(edges, order)]
    merged = reduce(AnswerPatterns.merge, blocks)

    size = size_of(predictions, target)
    assert_same(sums(merged), by_hand(predictions, target, weight), size)


@law
@given(
    seed=st.integers(0, 2**20),
    edges=cuts,
    order=orders,
    scale=st.sampled_from([1e-200, 1e-100, 1e100, 1e200]),
    unit=st.sampled_from([1e-150, 1.0, 1e100]),
    share=st.sampled_from([0.0, 0.3]),
)
# The first row is a block without weight, whose size must not count.
@example(2, [1], random.Random(0), 1e-200, 1.0, 0.0)
@example(2, [1], random.Random(0), 1e200, 1.0, 0.3)
def test_squares_that_leave_the_range_of_floats(seed, edges, order, scale, unit, share):
    """Rows and weights of any size: powers of two and norms keep the squares."""
    predictions, target, weight = rows(seed, share=share)
    power = 2.0 ** np.round(np.log2(scale))
    blocks = [
        read(power * predictions, power * target, unit * weight, own)
        for own in split(edges, order)
    ]
    merged = reduce(AnswerPatterns.merge, blocks)

    assert merged.is_finite
    expected = by_hand(predictions, target, unit * weight)
    assert_same(sums(merged, power), expected, size_of(predictions, target))


@law
@given(seed=st.integers(0, 2**20), edges=cuts, order=orders)
def test_blocks_of_different_size(seed, edges, order):
    """Tiny rows next to huge ones: the answer is that of one pass over both."""
    predictions, target, weight = rows(seed)
    factor = np.random.default_rng(seed).choice([1e-150, 1.0, 1e150], size=N_ROWS)
    predictions, target = predictions * factor[:, None], target * factor
    whole = read(predictions, target, weight)
    blocks = [read(predictions, target, weight, own) for own in split(edges, order)]
    merged = reduce(AnswerPatterns.merge, blocks)

    power = 2.0 ** np.round(np.log2(factor.max()))
    size = size_of(predictions / power, target / power)
    assert_same(sums(merged, power), sums(whole, power), size)


@law
@given(seed=st.integers(0, 2**20), edges=st.lists(st.integers(0, N_ROWS), max_size=2))
def test_merging_is_associative_and_commutative(seed, edges):
    """So a chain, a tree and several machines agree."""
    predictions, target, weight = rows(seed)
    edges = [0, *sorted([*edges, 13, 27])[:2], N_ROWS]
    a, b, c = (
        read(predictions, target, weight, slice(*pair))
        for pair in itertools.pairwise(edges)
    )
    expected = sums(a.merge(b).merge(c))
    size = size_of(predictions, target)
    for merged in (a.merge(b.merge(c)), c.merge(a).merge(b), c.merge(b.merge(a))):
        assert_same(sums(merged), expected, size)


def test_rows_one_by_one():
    """The longest chain of merges: patterns of one row become patterns of several."""
    predictions, target, weight = rows(5, share=0.4)
    merged = read(predictions, target, weight, slice(0))
    for i in range(N_ROWS):
        merged = merged.merge(read(predictions, target, weight, slice(i, i + 1)))

    expected = by_hand(predictions, target, weight)
    assert_same(sums(merged), expected, size_of(predictions, target))


def test_an_empty_block_changes_nothing():
    predictions, target, weight = rows(6)
    own, nothing = (read(predictions, target, weight, slice(n)) for n in (N_ROWS, 0))

    assert own.merge(nothing) is own
    assert nothing.merge(own) is own
    assert not len(nothing.merge(nothing).weight)


def test_merging_leaves_both_as_they_were():
    predictions, target, weight = rows(7)
    a, b = (read(predictions, target, weight, own) for own in (slice(9), slice(9, 40)))
    before = [sums(each) for each in (a, b)]
    a.merge(b)

    for own, was in zip((a, b), before, strict=True):
        assert_same(sums(own), was, size_of(predictions, target), 0.0)


@pytest.mark.parametrize("offset", [1e6, 1e9])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_rows_far_from_zero_keep_their_scatter(offset, share):
    """A mean of 1e9 has 1e-7 of rounding, which must not get into the scatter."""
    predictions, target, weight = rows(8, share=share)
    # So that rounding the rows themselves loses nothing.
    predictions, target = (
        np.round(each * 2**20) / 2**20 for each in (predictions, target)
    )
    far, high = predictions + offset, target + offset
    assert_array_equal(far - offset, predictions)
    merged = reduce(
        AnswerPatterns.merge,
        [read(far, high, weight, slice(i, i + 8)) for i in range(0, N_ROWS, 8)],
    )
    found, expected = sums(merged), by_hand(predictions, target, weight)
    for pattern, own in expected.items():
        own["mean"][-1] += offset * (own["weight"] > 0)
        found[pattern]["mean"][-1] -= own["mean"][-1]
        own["mean"][-1] = 0.0
        # The mean itself is known to its last digit.
        assert abs(found[pattern]["mean"][-1]) <= 1e-15 * offset
        found[pattern]["mean"][-1] = 0.0
    assert_same(found, expected, size_of(predictions, target))


def test_errors_that_are_small_against_the_labels_keep_their_digits():
    """Nearly perfect models: errors are formed before anything is squared."""
    predictions, target, weight = rows(9)
    predictions = target[:, None] + 1e-7 * (predictions - target[:, None])
    merged = reduce(
        AnswerPatterns.merge,
        [read(predictions, target, weight, slice(i, i + 8)) for i in range(0, 40, 8)],
    )
    expected = by_hand(predictions, target, weight)
    assert_same(sums(merged), expected, size_of(predictions, target))


# ------------------------------------------------------------------ parts of the sums


@law
@given(
    seed=st.integers(0, 2**20),
    models=st.lists(
        st.integers(0, N_MODELS - 1), min_size=1, max_size=N_MODELS, unique=True
    ),
)
def test_a_subset_of_models_is_a_table_of_these_columns(seed, models):
    """In any order; patterns that differ elsewhere only become one."""
    predictions, target, weight = rows(seed)
    found = read(predictions, target, weight).subset(np.array(models))
    own = predictions[:, models]

    assert_same(sums(found), by_hand(own, target, weight), size_of(own, target))


@law
@given(st.integers(0, 2**20), st.integers(0, 2**20))
def test_patterns_that_are_taken_are_their_rows(seed, choice):
    predictions, target, weight = rows(seed)
    found = read(predictions, target, weight)
    which = np.random.default_rng(choice).random(len(found.weight)) < 0.5
    taken = found.take(which)

    patterns = {each.tobytes() for each in found.answered[which]}
    answered = ~np.isnan(predictions)
    own = np.array([each.tobytes() in patterns for each in answered], dtype=bool)
    expected = by_hand(predictions[own], target[own], weight[own])
    assert_same(sums(taken), expected, size_of(predictions, target))
    assert found.take(np.ones(len(which), dtype=bool)) is found


@law
@given(st.integers(0, 2**20), st.booleans())
def test_without_labels_is_a_table_without(seed, weighted):
    """They merge with those of rows that never had one."""
    predictions, target, weight = rows(seed)
    weight = weight if weighted else None
    found = read(predictions, target, weight, slice(25)).without_labels()
    found = found.merge(read(predictions, None, weight, slice(25, N_ROWS)))

    size = size_of(predictions, None)
    assert_same(sums(found), by_hand(predictions, None, weight), size)
    assert not found.mean[:, -1].any()
    assert not found.origin[-1]
    assert not found.scatter[:, -1].any()


@law
@given(
    seed=st.integers(0, 2**20),
    models=st.lists(
        st.integers(0, N_MODELS - 1), min_size=0, max_size=N_MODELS, unique=True
    ),
    weighted=st.booleans(),
    edges=cuts,
    order=orders,
)
def test_pooled_patterns_are_moments_of_the_rows_that_all_answer(
    seed, models, weighted, edges, order
):
    """No model at all leaves the moments of the labels."""
    predictions, target, weight = rows(seed)
    weight = weight + 0.1 if weighted else None
    blocks = [read(predictions, target, weight, own) for own in split(edges, order)]
    merged = reduce(AnswerPatterns.merge, blocks)
    models = np.array(models, dtype=int)
    found = merged.take(merged.answered[:, models].all(axis=1)).pooled(models)
    own = ~np.isnan(predictions[:, models]).any(axis=1)
    expected = Moments.from_rows(
        predictions[own][:, models],
        target[own],
        None if weight is None else weight[own],
    ).rescaled(found.scale)

    assert found.n_rows == expected.n_rows == own.sum()
    assert found.weight == pytest.approx(expected.weight, rel=1e-12)
    assert found.weight_norm == pytest.approx(expected.weight_norm, rel=1e-12)
    if own.any():
        size = size_of(predictions, target)[np.append(models, N_MODELS)]
        size, total = size * found.scale, expected.weight
        assert (np.abs(found.mean - expected.mean) <= 1e-10 * size).all()
        off = np.abs(found.scatter - expected.scatter) / np.outer(size, size) / total
        assert off.max() <= 1e-10


# -------------------------------------------------------------------- what cannot be


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_an_infinite_prediction_shows(bad, share):
    """Also after a merge, and beside holes, which are no infinities."""
    predictions, target, weight = rows(10, share=share)
    predictions[7, 2] = bad
    found = read(predictions, target, weight + 1.0)

    assert not found.is_finite
    assert read(*rows(11)).is_finite


def repeated(n_patterns):
    """Each pattern twice, of four models."""
    answered = (np.arange(n_patterns)[:, None] >> np.arange(N_MODELS)) % 2 == 0
    predictions = np.where(np.repeat(answered, 2, axis=0), 1.0, np.nan)
    return predictions + np.arange(2 * n_patterns)[:, None] ** 0.5


def test_too_many_patterns_are_an_error_that_says_how_many(monkeypatch):
    """Each has a matrix; an error beats a machine that swaps."""
    monkeypatch.setattr(answer_patterns, "_MOST_ENTRIES", 10 * (N_MODELS + 1) ** 2)
    AnswerPatterns.from_rows(repeated(10))
    with pytest.raises(ValueError, match=r"11 patterns.*of 4 models.*drop the models"):
        AnswerPatterns.from_rows(repeated(11))


def test_too_many_patterns_of_both_are_an_error(monkeypatch):
    """Single rows have no matrix, until a merge makes them several."""
    monkeypatch.setattr(answer_patterns, "_MOST_ENTRIES", 10 * (N_MODELS + 1) ** 2)
    some = repeated(11)
    once, again = (AnswerPatterns.from_rows(some[start::2]) for start in (0, 1))
    assert not len(once.scatter)
    with pytest.raises(ValueError, match="11 patterns"):
        once.merge(again)
    assert once.n_rows.sum() == 11
