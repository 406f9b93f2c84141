"""The small rules that all rooms share: missing cells, the task, tables."""

import sys

import numpy as np
import pandas as pd
import pytest

from stackingnet_sk._missing import are_missing, is_missing
from stackingnet_sk._tables import as_frame, as_rows, text_table
from stackingnet_sk._task import numbers_or_classes

MISSING = [None, float("nan"), np.float32("nan"), np.float64("nan"), pd.NA, pd.NaT]
GIVEN = [0, 0.0, "", "nan", False, np.inf, np.float32(1), "None", (), -1]


def test_a_cell_and_an_array_are_missing_alike():
    cells = np.empty(len(MISSING + GIVEN), dtype=object)
    cells[:] = MISSING + GIVEN
    expected = [True] * len(MISSING) + [False] * len(GIVEN)
    assert [is_missing(cell) for cell in cells] == expected
    assert are_missing(cells).tolist() == expected
    assert are_missing(cells.reshape(2, -1)).ravel().tolist() == expected


@pytest.mark.parametrize("kind", ["f4", "f8", "i8", "bool", "U3"])
def test_missing_cells_of_any_type_of_array(kind):
    table = np.array([[1, 0], [0, 1]]).astype(kind)
    assert are_missing(table).shape == (2, 2)
    assert not are_missing(table).any()
    if kind.startswith("f"):
        table[1, 0] = np.nan
        assert are_missing(table).tolist() == [[False, False], [True, False]]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["yes", "no"], "classification"),
        (["1", "2", "3"], "classification"),
        ([True, False], "classification"),
        ([0, 1], "classification"),
        ([3.0, 7.0, 3.0], "classification"),
        ([0.5, 1.0], "regression"),
        ([1, 2.5, 3], "regression"),
        ([1, 2, 3], None),
        ([0.0, 1.0, 2.0], None),
    ],
)
def test_numbers_or_classes(values, task):
    assert numbers_or_classes(values) == task


def test_rows_are_the_same_with_and_without_pandas(monkeypatch):
    columns = {"model": ["a", "b"], "weight": [0.5, 0.25], "n": [1, 2]}
    rows = as_rows(as_frame(columns))
    assert isinstance(as_frame(columns), pd.DataFrame)
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert as_rows(as_frame(columns)) == as_rows(columns) == rows
    assert rows[1] == {"model": "b", "weight": 0.25, "n": 2}


def test_columns_of_text_are_aligned():
    lines = text_table([("model", "n", "note"), ("a", 12, ""), ("bb", 3, "x")], (0, 2))
    assert lines == ["model   n  note", "a      12", "bb      3  x"]
    assert text_table([("a", "bb"), ("ccc", "d")], left=()) == ["  a  bb", "ccc   d"]
