"""Moments: one pass, many blocks, several machines and exact arithmetic agree."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import law, mean_squared_error, table

from stackingnet_sk.evidence import Moments
from stackingnet_sk.weights import StackingObjective


def reference(predictions, target, sample_weight=None):
    """Two passes in exactly rounded sums: means first, then products."""
    rows = np.column_stack((predictions - target[:, None], target))
    weight = np.ones(len(rows)) if sample_weight is None else sample_weight
    total = math.fsum(weight)
    mean = np.array([math.fsum(weight * column) / total for column in rows.T])
    centred = np.asarray(rows, np.longdouble) - mean
    scatter = np.array(
        [[math.fsum(weight * a * b) for a in centred.T] for b in centred.T]
    )
    return total, mean, scatter


def assert_same(found, expected, tolerance=1e-10):
    """Equal relative to the size of each column, so that no column hides another."""
    expected = expected.rescaled(found.scale)
    assert found.weight == pytest.approx(expected.weight, rel=tolerance)
    size = np.sqrt(expected.scatter.diagonal())
    spread = size / np.sqrt(expected.weight)
    assert (np.abs(found.mean - expected.mean) <= tolerance * (spread + 1e-300)).all()
    unit = np.outer(size, size) + 1e-300
    assert (np.abs(found.scatter - expected.scatter) / unit <= tolerance).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_one_pass_equals_two_exact_passes(weighted, offset):
    """A common offset of 1e4 standard deviations costs a naive one-pass 1e8."""
    predictions, target = table(0, 300, 4)
    predictions, target = predictions + offset, target + offset
    weight = np.random.default_rng(1).exponential(size=300) if weighted else None
    found = Moments.from_rows(predictions, target, weight)
    total, mean, scatter = reference(predictions, target, weight)
    assert found.weight == pytest.approx(total, rel=1e-13)
    assert_allclose(found.mean, mean, rtol=1e-13, atol=1e-13)
    size = np.sqrt(scatter.diagonal())
    assert np.abs((found.scatter - scatter) / np.outer(size, size)).max() < 1e-12
    assert_array_equal(found.scatter, found.scatter.T)


@law
@given(
    seed=st.integers(0, 2**20),
    cuts=st.lists(st.integers(0, 40), max_size=8),
    weighted=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_merging_any_split_in_any_order_is_one_pass(seed, cuts, weighted, order):
    """Blocks of no row, of one row and of weight zero are blocks like any other."""
    predictions, target = table(seed, 40, 3)
    weight = None
    if weighted:
        rng = np.random.default_rng(seed)
        weight = np.round(rng.exponential(size=40), 1) * (rng.random(40) < 0.7)
        weight[0] = 1.0
    edges = [0, *sorted(cuts), 40]
    blocks = [
        Moments.from_rows(
            predictions[a:b], target[a:b], None if weight is None else weight[a:b]
        )
        for a, b in itertools.pairwise(edges)
    ]
    order.shuffle(blocks)
    merged = blocks[0]
    for block in blocks[1:]:
        merged = merged.merge(block)
    assert merged.n_rows == 40
    assert_same(merged, Moments.from_rows(predictions, target, weight))


def test_rows_one_by_one():
    """The longest chain of merges: single rows have no scatter of their own."""
    predictions, target = table(3, 200, 4)
    merged = Moments.from_rows(predictions[:0], target[:0])
    for row in range(200):
        one = Moments.from_rows(predictions[row : row + 1], target[row : row + 1])
        assert not one.scatter.any()
        merged = merged.merge(one)
    assert_same(merged, Moments.from_rows(predictions, target))


def test_merge_is_a_tree_as_well_as_a_chain():
    predictions, target = table(4, 64, 3)
    level = [
        Moments.from_rows(predictions[i : i + 4], target[i : i + 4])
        for i in range(0, 64, 4)
    ]
    while len(level) > 1:
        level = [a.merge(b) for a, b in zip(level[::2], level[1::2], strict=True)]
    assert_same(level[0], Moments.from_rows(predictions, target))


def test_merge_of_different_scales():
    """Tiny rows next to huge ones: the answer is the huge ones', finite."""
    predictions, target = table(5, 30, 3)
    big = Moments.from_rows(1e150 * predictions, 1e150 * target)
    small = Moments.from_rows(1e-150 * predictions, 1e-150 * target)
    both = Moments.from_rows(
        np.vstack((1e150 * predictions, 1e-150 * predictions)),
        np.concatenate((1e150 * target, 1e-150 * target)),
    )
    for merged in (big.merge(small), small.merge(big)):
        assert merged.is_finite
        assert_same(merged, both)


def test_merge_rejects_other_models():
    predictions, target = table(0, 10, 3)
    with pytest.raises(ValueError, match="3 models with moments of 2"):
        Moments.from_rows(predictions, target).merge(
            Moments.from_rows(predictions[:, :2], target)
        )


def test_integer_weight_is_repetition():
    predictions, target = table(6, 50, 4)
    weight = np.random.default_rng(0).integers(0, 4, 50)
    found = Moments.from_rows(predictions, target, weight.astype(float))
    repeated = Moments.from_rows(
        np.repeat(predictions, weight, axis=0), np.repeat(target, weight)
    )
    assert_same(found, repeated, 1e-12)


@pytest.mark.parametrize("position", [0, 20, 49])
def test_row_of_weight_zero_is_no_row(position):
    """Also where it is a sentinel: no place may be centred on a row without weight."""
    predictions, target = table(7, 49, 3)
    with_row = np.insert(predictions, position, 1e10, axis=0)
    weight = np.insert(np.ones(49), position, 0.0)
    found = Moments.from_rows(with_row, np.insert(target, position, -1e10), weight)
    assert_same(found, Moments.from_rows(predictions, target))


def test_first_block_of_small_weight_far_away():
    """Internal blocks too: the first rows must not fix the centring of the others."""
    rng = np.random.default_rng(8)
    n_rows = 120_000
    target = rng.standard_normal(n_rows)
    predictions = target[:, None] + rng.standard_normal((n_rows, 3))
    weight = np.ones(n_rows)
    weight[:60_000] = 0.0
    expected = Moments.from_rows(predictions[60_000:], target[60_000:])
    predictions[:60_000] += 1e9
    target[:60_000] -= 1e9
    assert_same(Moments.from_rows(predictions, target, weight), expected)


def test_many_blocks_are_one():
    """More rows than one internal block holds, with a trend across the blocks."""
    rng = np.random.default_rng(9)
    target = rng.standard_normal(150_000) + np.linspace(0, 1e4, 150_000)
    predictions = target[:, None] + rng.standard_normal((150_000, 2))
    found = Moments.from_rows(predictions, target)
    rows = np.column_stack((predictions - target[:, None], target))
    centred = rows.astype(np.longdouble) - rows.astype(np.longdouble).mean(axis=0)
    scatter = (centred.T @ centred).astype(float)
    size = np.sqrt(scatter.diagonal())
    assert np.abs((found.scatter - scatter) / np.outer(size, size)).max() < 1e-10


@pytest.mark.parametrize("scale", [1e-307, 1e-150, 1e-40, 1e40, 1e150, 1e300])
def test_scale_of_the_rows_is_a_power_of_two(scale):
    """Exact scaling: the moments are those of the plain rows, to the last bits."""
    predictions, target = table(10, 40, 3)
    power = 2.0 ** np.round(np.log2(scale))
    plain = Moments.from_rows(predictions, target)
    found = Moments.from_rows(power * predictions, power * target)
    assert found.is_finite
    factor = found.scale * power
    assert_allclose(found.mean, plain.mean * factor, rtol=1e-14, atol=0)
    assert_allclose(found.scatter, plain.scatter * factor**2, rtol=1e-12)
    for ours, theirs in zip(found.errors(), plain.errors(), strict=True):
        assert_allclose(ours / power, theirs, rtol=1e-13)


def test_subnormal_rows_are_finite():
    """The smallest doubles there are: a power of two that is too large overflows."""
    predictions, target = table(11, 40, 3)
    assert Moments.from_rows(1e-312 * predictions, 1e-312 * target).is_finite


def test_small_model_spread_keeps_its_digits():
    """Errors of 1e-7 of the target's spread: residuals first, or the answer is lost."""
    rng = np.random.default_rng(12)
    target = 100.0 + rng.standard_normal(400)
    predictions = target[:, None] + 1e-7 * rng.standard_normal((400, 4))
    weights = rng.dirichlet(np.ones(4))
    exact = mean_squared_error(predictions, target, weights, 0.0)
    moments = Moments.from_rows(predictions, target)
    objective = StackingObjective.from_moments(moments, fit_intercept=False)
    assert objective.value(weights) == pytest.approx(exact, rel=1e-9)
    # The test can fail: the expanded Gram has none of these digits.
    gram = np.column_stack((predictions, target))
    gram = gram.T @ gram / 400
    signed = np.append(-weights, 1.0)
    assert abs(signed @ gram @ signed - exact) > 0.05 * exact


@pytest.mark.parametrize("weighted", [False, True])
def test_layout_does_not_matter_and_inputs_are_kept(weighted):
    predictions, target = table(13, 60, 4)
    weight = np.random.default_rng(0).random(60) if weighted else None
    plain = Moments.from_rows(predictions, target, weight)
    wide = np.zeros((120, 9))
    wide[::2, 1::2] = predictions
    long = np.zeros(180)
    long[::3] = target
    for variant, labels in (
        (np.asfortranarray(predictions), target),
        (wide[::2, 1::2], long[::3]),
        (predictions[::-1][::-1], target[::-1][::-1]),
    ):
        before = variant.copy(), labels.copy()
        variant.flags.writeable = labels.flags.writeable = False
        found = Moments.from_rows(variant, labels, weight)
        assert_same(found, plain, 1e-14)
        assert_array_equal(variant, before[0])
        assert_array_equal(labels, before[1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64, np.uint8])
def test_other_types_are_read_in_double_precision(dtype):
    """Differences taken in the input's own type would round, or wrap around."""
    rng = np.random.default_rng(14)
    predictions = rng.uniform(0, 9, (50, 3)).astype(dtype)
    target = rng.uniform(0, 9, 50).astype(dtype)
    found = Moments.from_rows(predictions, target)
    plain = Moments.from_rows(predictions.astype(float), target.astype(float))
    assert_array_equal(found.mean, plain.mean)
    assert_array_equal(found.scatter, plain.scatter)


@pytest.mark.parametrize("scale", [1e-40, 1e37])
def test_float32_at_its_limits(scale):
    predictions, target = table(15, 40, 3)
    predictions = (scale * predictions).astype(np.float32)
    target = (scale * target).astype(np.float32)
    found = Moments.from_rows(predictions, target)
    assert found.is_finite
    assert_same(
        found, Moments.from_rows(predictions.astype(float), target.astype(float))
    )


@law
@given(
    row=st.integers(0, 19),
    column=st.integers(0, 3),
    value=st.sampled_from([np.nan, np.inf, -np.inf]),
    weight=st.sampled_from([None, 1.0, 0.0]),
)
def test_anything_not_finite_shows(row, column, value, weight):
    """Column 3 is the target. A weight of zero hides nothing: 0 * inf is NaN."""
    predictions, target = table(16, 20, 3)
    rows = np.column_stack((predictions, target))
    assert Moments.from_rows(predictions, target).is_finite
    rows[row, column] = value
    weights = np.ones(20)
    if weight is not None:
        weights[row] = weight
    found = Moments.from_rows(
        rows[:, :3], rows[:, 3], None if weight is None else weights
    )
    assert not found.is_finite


def test_infinities_that_cancel_show():
    """Infinity minus infinity is NaN, not a perfect model."""
    predictions, target = table(17, 20, 3)
    predictions[4], target[4] = np.inf, np.inf
    assert not Moments.from_rows(predictions, target).is_finite


def test_no_weight_no_crash():
    predictions, target = table(18, 20, 3)
    for moments in (
        Moments.from_rows(predictions[:0], target[:0]),
        Moments.from_rows(predictions, target, np.zeros(20)),
    ):
        assert moments.weight == 0
        assert moments.is_finite


def test_errors_are_the_models_own():
    predictions, target = table(19, 80, 4)
    rmse, bias = Moments.from_rows(predictions, target).errors()
    errors = predictions - target[:, None]
    assert_allclose(rmse, np.sqrt((errors**2).mean(axis=0)), rtol=1e-13)
    assert_allclose(bias, errors.mean(axis=0), rtol=1e-12, atol=1e-15)
