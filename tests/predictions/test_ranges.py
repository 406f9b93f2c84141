"""Laws and contract of the two transformers that share a range."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from stackingnet_sk.predictions import PredictionClipper, PredictionNormalizer

BOTH = pytest.mark.parametrize("Range", [PredictionClipper, PredictionNormalizer])

INSTANCES = [
    PredictionClipper(),
    PredictionClipper(per_column=False),
    PredictionClipper(-1, 1),
    PredictionClipper(low=-np.inf, high=0.5),
    PredictionNormalizer(),
    PredictionNormalizer(per_column=False),
    PredictionNormalizer(1, 10),
    PredictionNormalizer(low=-100),
]


@parametrize_with_checks(INSTANCES)
def test_sklearn_contract(estimator, check):
    check(estimator)


# A grid of 1e-6 keeps hypothesis away from ranges so narrow that a float cannot hold
# the normalized value; exact ties, zeros and constant columns stay common.
numbers = st.integers(-(10**9), 10**9).map(lambda i: i / 1e6)
tables = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.one_of(st.just(np.nan), numbers, st.sampled_from([-1.0, 0.0, 2.5])),
)
ranges = st.tuples(numbers, numbers).filter(lambda r: r[0] != r[1]).map(sorted)
bounds = st.one_of(ranges, ranges.map(lambda r: (None, max(r[1], 1e3))))
law = settings(max_examples=100, deadline=None)


@law
@given(tables, bounds)
def test_normalizer_inverse_restores_its_input(X, bounds):
    X[0] = np.nan_to_num(X[0])  # a learned bound needs a prediction
    before = X.copy()
    normalizer = PredictionNormalizer(*bounds).fit(X)
    unit = normalizer.transform(X)

    # The sum low + unit * width is rounded at the size of its terms.
    scale = np.nanmax(np.abs([*normalizer.low_, *normalizer.high_, *X.ravel()]))
    assert_allclose(
        normalizer.inverse_transform(unit), X, rtol=1e-12, atol=1e-12 * scale
    )
    assert_array_equal(np.isnan(unit), np.isnan(X))
    assert_array_equal(X, before)


@law
@given(tables, ranges)
def test_clipping_is_a_projection_on_the_range(X, bounds):
    before = X.copy()
    low, high = bounds
    clipper = PredictionClipper(low, high).fit(X)
    clipped = clipper.transform(X)
    seen = ~np.isnan(X)

    assert_array_equal(np.isnan(clipped), ~seen)
    assert np.all((low <= clipped[seen]) & (clipped[seen] <= high))
    assert_array_equal(clipper.transform(clipped), clipped)
    assert_array_equal(clipper.inverse_transform(clipped), clipped)
    inside = (low <= X) & (high >= X)
    assert_array_equal(clipped[inside], X[inside])
    counts = [sum(v < low or v > high for v in column) for column in X.T.tolist()]
    assert_array_equal(clipper.n_clipped_, counts)
    assert_array_equal(X, before)


@law
@given(tables, ranges, st.floats(0, 1e3))
def test_both_keep_the_order_of_predictions(X, bounds, step):
    for transformer in (PredictionClipper(*bounds), PredictionNormalizer(*bounds)):
        transformer.fit(X)
        rise = transformer.transform(X + step) - transformer.transform(X)
        assert np.all(rise[~np.isnan(X)] >= 0)


X = np.array([[0.0, 4.0], [np.nan, 6.0], [10.0, np.nan]])


@pytest.mark.parametrize(
    ("params", "low", "high"),
    [
        ({}, [0, 4], [10, 6]),
        ({"per_column": False}, [0, 0], [10, 10]),
        ({"low": 1, "high": 5}, [1, 1], [5, 5]),
        ({"low": [1, 2], "high": [3, 4]}, [1, 2], [3, 4]),
        ({"low": -1}, [-1, -1], [10, 6]),
        ({"high": [20, 30], "per_column": False}, [0, 0], [20, 30]),
    ],
)
@BOTH
def test_each_bound_is_given_or_learned(Range, params, low, high):
    transformer = clone(Range(**params)).fit(X)
    assert_array_equal(transformer.low_, np.array(low, dtype=float), strict=True)
    assert_array_equal(transformer.high_, np.array(high, dtype=float), strict=True)


def test_values():
    low, high = np.array([2.0, 5.0]), np.array([4.0, np.inf])
    clipper = PredictionClipper(low, high).fit(X)
    assert_array_equal(clipper.transform(X), [[2, 5], [np.nan, 6], [4, np.nan]])
    assert_array_equal(clipper.n_clipped_, [2, 1])

    normalizer = PredictionNormalizer(low, [4.0, 7.0]).fit(X)
    assert_array_equal(
        normalizer.transform(X), [[-1, -0.5], [np.nan, 0.5], [4, np.nan]]
    )


def test_transform_never_changes_state():
    clipper = PredictionClipper().fit(X)
    clipper.transform(X + 100)
    assert_array_equal(clipper.n_clipped_, [0, 0])
    assert_array_equal(clipper.high_, [10, 6])


def test_constant_learned_column_has_width_one():
    constant = [[3.0], [3.0]]
    normalizer = PredictionNormalizer().fit(constant)
    assert_array_equal(normalizer.transform([[3.0], [3.5]]), [[0], [0.5]])
    assert_array_equal(normalizer.inverse_transform([[0], [0.5]]), [[3], [3.5]])
    # one given bound that meets the learned one leaves no width either
    assert_array_equal(PredictionNormalizer(3).fit_transform(constant), [[0], [0]])
    assert_array_equal(PredictionClipper().fit_transform(constant), constant)


@BOTH
def test_float32_stays_float32_and_all_else_becomes_float64(Range):
    # 0.1 is no float32: rounding the bound must not count as clipping the value.
    table = np.array([[0.1], [0.7], [np.nan]], dtype=np.float32)
    transformer = Range(low=0.5, high=0.7).fit(table)
    out = transformer.transform(table)
    assert out.dtype == transformer.inverse_transform(out).dtype == np.float32
    if Range is PredictionClipper:
        assert_array_equal(transformer.n_clipped_, [1])
    for dtype in (np.float16, np.int32, bool):
        assert transformer.transform(np.ones((2, 1), dtype=dtype)).dtype == np.float64


@BOTH
def test_frames_keep_their_names(Range):
    frame = pd.DataFrame(X, columns=["tree", "net"], index=[7, 8, 9])
    transformer = Range().set_output(transform="pandas")
    out = transformer.fit_transform(frame)
    assert list(transformer.get_feature_names_out()) == ["tree", "net"]
    assert list(out.columns) == ["tree", "net"]
    assert list(out.index) == [7, 8, 9]
    # Neither a frame nor a bare array warns of feature names on the way back.
    assert_allclose(transformer.inverse_transform(out), X)
    assert_allclose(transformer.inverse_transform(out.to_numpy()), X)


@BOTH
def test_callers_bounds_are_copied(Range):
    low = np.array([1.0, 2.0])
    transformer = Range(low, [20.0, 20.0]).fit(X)
    low[:] = 50.0
    assert_array_equal(transformer.low_, [1, 2])


@pytest.mark.parametrize(
    ("transformer", "message"),
    [
        (
            PredictionNormalizer(10, 1),
            r"Column 'tree' has no valid range: low=10\.0 \(given\), high=1\.0 "
            r"\(given\)\. Give finite bounds with low < high\.",
        ),
        (
            PredictionNormalizer([0, 1], [1, 1]),
            r"Column 'net' .* low=1\.0 .* high=1\.0",
        ),
        (PredictionNormalizer(0, np.inf), r"high=inf \(given\)\. Give finite bounds"),
        (PredictionNormalizer(np.nan, 1), r"low=nan \(given\)"),
        (PredictionNormalizer(high=5, low=[0, 5]), r"Column 'net' .* high=5\.0"),
        (
            PredictionClipper(high=-1),
            r"Column 'tree' has no valid range: low=0\.0 \(learned\), high=-1\.0 "
            r"\(given\)\. Give low <= high; low=-inf or high=inf leaves a side open\.",
        ),
        (PredictionClipper([0, np.nan]), r"Column 'net' .* low=nan"),
        (PredictionClipper(np.inf, np.inf), r"low=inf"),
        (PredictionClipper(-np.inf, -np.inf), r"high=-inf"),
        (
            PredictionClipper(high=[1, 2, 3]),
            r"high=\[1, 2, 3\] has shape \(3,\) but X has 2 columns: give one number",
        ),
        (PredictionNormalizer(low=[[1, 2]]), r"low=.* has shape \(1, 2\)"),
    ],
)
def test_a_bad_range_is_an_error(transformer, message):
    with pytest.raises(ValueError, match=message):
        transformer.fit(pd.DataFrame(X, columns=["tree", "net"]))


@BOTH
def test_a_column_without_predictions_has_no_range_to_learn(Range):
    empty = np.column_stack([X, np.full(3, np.nan)])
    message = (
        "Column 2 has no prediction to learn low from: drop the column or give low"
    )
    with pytest.raises(ValueError, match=message):
        Range().fit(empty)
    with pytest.raises(ValueError, match="to learn high from"):
        Range(low=0).fit(empty)
    with pytest.raises(ValueError, match="Column 0 has no prediction"):
        Range(per_column=False).fit(np.full((3, 2), np.nan))

    for fine in (Range(0, 10), Range(per_column=False)):
        assert_array_equal(np.isnan(fine.fit_transform(empty)), np.isnan(empty))


@BOTH
def test_bad_tables_are_errors(Range):
    transformer = Range(0, 10)
    with pytest.raises(NotFittedError):
        transformer.inverse_transform(X)
    transformer.fit(X)
    for method in (
        transformer.fit,
        transformer.transform,
        transformer.inverse_transform,
    ):
        with pytest.raises(ValueError, match="infinity"):
            method([[np.inf, 0.0]])
    # one column would broadcast silently
    with pytest.raises(ValueError, match=r"X has 1 features, but .* expecting 2"):
        transformer.inverse_transform(X[:, :1])


def test_round_trip_as_the_target_of_a_regressor():
    rng = np.random.default_rng(0)
    features = rng.uniform(size=(30, 2))
    y = 1 + 9 * features.mean(axis=1)
    plain = LinearRegression().fit(features, y).predict(features)
    transformers = [
        PredictionNormalizer(1, 10),
        make_pipeline(PredictionClipper(1, 10), PredictionNormalizer(1, 10)),
    ]
    for transformer in transformers:
        model = TransformedTargetRegressor(LinearRegression(), transformer=transformer)
        assert_allclose(model.fit(features, y).predict(features), plain)
        unit = model.regressor_.predict(features)
        assert_allclose(unit, (plain - 1) / 9, atol=1e-12)


def test_clipped_targets_warn_unless_told_otherwise():
    model = TransformedTargetRegressor(
        LinearRegression(), transformer=PredictionClipper(0, 1)
    )
    features, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]
    with pytest.warns(UserWarning, match="not strictly inverse"):
        model.fit(features, y)
    model.set_params(check_inverse=False).fit(features, y)
    assert_allclose(model.predict(features), [1 / 6, 2 / 3, 7 / 6])


@pytest.mark.parametrize("kind", [PredictionClipper, PredictionNormalizer])
def test_blocks_need_given_bounds(kind):
    """A learned bound would be another one for each block: it is said, by name."""
    for learned in ({}, {"low": 0}, {"high": 9}):
        assert not hasattr(kind(**learned), "partial_fit")
        name = "high" if learned == {"low": 0} else "low"
        with pytest.raises(AttributeError, match=f"while {name} is learned"):
            kind(**learned).partial_fit([[1.0], [2.0]])


def test_blocks_add_up():
    rng = np.random.default_rng(0)
    X = rng.normal(5, 4, (100, 3))
    whole = PredictionClipper(0, 9).fit(X)
    part = PredictionClipper(0, 9)
    for start in range(0, 100, 30):
        part.partial_fit(X[start : start + 30])
    assert_array_equal(part.n_clipped_, whole.n_clipped_)
    assert_array_equal(part.transform(X), whole.transform(X))
    with pytest.raises(ValueError, match="2 features"):
        part.partial_fit(X[:, :2])
    scaled = PredictionNormalizer(0, 9).partial_fit(X[:10]).partial_fit(X[10:])
    assert_array_equal(scaled.transform(X), PredictionNormalizer(0, 9).fit_transform(X))
