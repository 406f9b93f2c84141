"""Checks of tables: the place of what is wrong, and silence where nothing is."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from stackingnet_sk.predictions import check_predictions, one_column

law = settings(max_examples=100, deadline=None)
NAMES = list("abcde")


@law
@given(
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 4)), min_size=1, max_size=9),
    st.sampled_from([np.nan, np.inf, -np.inf]),
)
def test_the_worst_column_and_its_first_bad_row_are_named(n_rows, places, value):
    table = np.zeros((n_rows, 5))
    for row, column in places:
        table[row % n_rows, column] = value
    counts = (~np.isfinite(table)).sum(axis=0)
    rows = np.arange(n_rows) + 100
    with pytest.raises(ValueError, match="Input contains") as caught:
        check_predictions(table, NAMES, rows)

    message = str(caught.value)
    worst = NAMES.index(re.search(r"model '(\w)'", message)[1])
    first = int(re.search(r"first at row (\d+)", message)[1])
    assert counts[worst] == counts.max()
    assert f"{counts.max()} of {n_rows}" in message
    assert first == 100 + np.flatnonzero(~np.isfinite(table[:, worst]))[0]
    others = np.count_nonzero(counts) - 1
    assert (f"{others} more models" in message) == (others > 0)


@law
@given(st.integers(0, 5), st.integers(0, 4))
def test_finite_tables_pass(n_rows, n_models):
    largest = np.full((n_rows, n_models), np.finfo(float).max)

    assert check_predictions(largest, NAMES[:n_models]) is None


def test_infinity_is_worse_than_missing():
    # Missing has a remedy of its own later; infinity is always an error.
    table = np.array([[np.nan, 1.0], [np.nan, np.inf]])
    with pytest.raises(ValueError, match=r"infinity.*'b'"):
        check_predictions(table, NAMES[:2])


@pytest.mark.parametrize(
    "prediction",
    [
        [1, 2, 3],
        (1.0, 2.0, 3.0),
        np.array([1, 2, 3], dtype=np.float32),
        np.array([1, 2, 3], dtype=object),
        np.array([[1], [2], [3]]),
        pd.Series([1, 2, 3], index=[5, 5, 5]),
        pd.DataFrame({"p": [1, 2, 3]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_column_of_any_kind_is_a_column(prediction):
    column = one_column(prediction, 3, "m")

    assert column.dtype == np.float64
    assert_array_equal(column, [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "prediction",
    [
        [1.0, 2.0],
        [[1.0, 2.0, 3.0]],
        [[1.0, 2.0]] * 3,
        np.ones((3, 1, 1)),
        1.0,
        None,
        "high",
    ],
    ids=str,
)
def test_what_is_no_column_names_the_member_and_the_shape(prediction):
    with pytest.raises(ValueError, match=r"'m' predicts .*shape .* one number a row"):
        one_column(prediction, 3, "m")


@pytest.mark.parametrize("bad", ["high", {}, "1,5"])
def test_what_is_no_number_is_shown(bad):
    column = np.array([1.0, 2.0, bad], dtype=object)
    with pytest.raises(ValueError, match=rf"'m' .*{re.escape(repr(bad))}"):
        one_column(column, 3, "m")


def test_complex_numbers_are_no_predictions():
    # Dropping the imaginary part would be an answer to another question.
    with pytest.raises(ValueError, match="'m'"):
        one_column(np.ones(3) * 1j, 3, "m")
