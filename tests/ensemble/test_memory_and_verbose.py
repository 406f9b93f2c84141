"""Cached fits are not repeated; `verbose` prints one line per fit."""

import re
from pathlib import Path

import joblib
import numpy as np
import pytest
from example_members import Counting
from numpy.testing import assert_array_equal
from sklearn.linear_model import Ridge

from stackingnet_sk import StackingNetRegressor


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "fits"
    path.touch()
    return path


def n_fits(log):
    return len(Path(log).read_text().splitlines())


def cached(log, where, **options):
    members = [("count", Counting(str(log))), ("ridge", Ridge())]
    return StackingNetRegressor(members, cv=3, memory=where, **options)


@pytest.mark.parametrize("form", [str, Path, joblib.Memory])
def test_cached_fits_are_not_repeated(X, y, log, tmp_path, form):
    options = {"verbose": 0} if form is joblib.Memory else {}
    where = form(tmp_path / "cache", **options)
    first = cached(log, where).fit(X, y)
    assert n_fits(log) == 4, "three folds and all rows"

    second = cached(log, where).fit(X, y)
    assert n_fits(log) == 4
    assert_array_equal(second.weights_, first.weights_)
    assert_array_equal(second.predict(X), first.predict(X))


def test_parameters_of_the_combiner_need_no_new_fits(X, y, log, tmp_path):
    where = str(tmp_path / "cache")
    cached(log, where).fit(X, y)
    options = {"constraint": "simplex", "shrinkage": 0, "verbose": 1}
    cached(log, where, **options).fit(X, y)

    # What makes a search over them cheap.
    assert n_fits(log) == 4


def test_other_data_or_members_are_fitted_anew(X, y, log, tmp_path):
    where = str(tmp_path / "cache")
    cached(log, where).fit(X, y)
    cached(log, where).fit(X, y + 1)
    assert n_fits(log) == 8
    cached(log, where).set_params(count__spoil=np.abs).fit(X, y)
    assert n_fits(log) == 12
    cached(log, where).fit(X, y, sample_weight=None)
    assert n_fits(log) == 12


def test_without_memory_every_fit_is_done(X, y, log):
    for times in (1, 2):
        cached(log, None).fit(X, y)
        assert n_fits(log) == 4 * times


def test_other_kinds_of_memory_are_refused(X, y, log):
    with pytest.raises(ValueError, match=r"memory must be None, the path of a folder"):
        cached(log, 3).fit(X, y)
    assert n_fits(log) == 0


def test_verbose_prints_a_line_for_each_fit_that_is_read(X, y, log, tmp_path, capsys):
    for word in ("rows in", "taken from the cache"):
        cached(log, tmp_path, verbose=1).fit(X, y)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 8
        assert all(word in line for line in lines)


def test_verbose_prints_a_line_for_each_fit(X, y, members, capsys):
    StackingNetRegressor(members, cv=3, verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == 4 * len(members)
    for name, _ in members:
        rows = [
            int(match[1])
            for line in lines
            if (match := re.search(rf"\b{name}\b.* on (\d+) rows", line))
        ]
        assert sorted(rows) == [40, 40, 40, 60]


def test_quiet_by_default(X, y, members, capsys):
    StackingNetRegressor(members).fit(X, y).predict(X)
    captured = capsys.readouterr()

    assert captured.out == captured.err == ""
