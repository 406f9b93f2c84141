"""Out-of-fold predictions: each for a row its member has not seen, each row once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, ShuffleSplit

from stackingnet_sk.predictions import (
    OutOfFold,
    check_splits,
    collect_out_of_fold,
    task_names,
)

law = settings(max_examples=100, deadline=None)
rows_of_predictions = st.lists(st.integers(0, 20), min_size=1, max_size=60)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(40, 2))


@pytest.fixture
def y(X):
    return X @ [1.0, -1.0] + 5


class Memorizer(RegressorMixin, BaseEstimator):
    """Predicts 1 for a row that it was fitted on, else 0."""

    def fit(self, X, y, sample_weight=None):
        self.seen_ = {tuple(row) for row in X}
        self.sample_weight_ = sample_weight
        return self

    def predict(self, X):
        return np.array([float(tuple(row) in self.seen_) for row in X])


# ----------------------------------------------------------------------- weights


def _out_of_fold(rows):
    return OutOfFold([], np.array(rows), np.zeros((len(rows), 1)))


@law
@given(rows_of_predictions, st.randoms(use_true_random=False))
def test_weights_of_a_row_sum_to_its_sample_weight(rows, random):
    omega = np.array([random.randrange(100) / 32 for _ in range(21)])
    weights = _out_of_fold(rows).weights(omega)
    per_row = np.bincount(rows, weights=weights, minlength=21)

    predicted = np.unique(rows)
    assert_allclose(per_row[predicted], omega[predicted], rtol=1e-12)


@law
@given(rows_of_predictions)
def test_unweighted_rows_count_once_however_often_predicted(rows):
    weights = _out_of_fold(rows).weights(None)
    once = len(set(rows)) == len(rows)

    assert (weights is None) == once, "None where every prediction counts the same"
    if not once:
        assert_allclose(np.bincount(rows, weights=weights)[np.unique(rows)], 1)


@law
@given(rows_of_predictions)
def test_predictions_of_a_row_share_its_weight_equally(rows):
    weights = _out_of_fold(rows).weights(np.arange(21.0))

    for row in set(rows):
        assert len(set(weights[np.array(rows) == row])) == 1


# --------------------------------------------------------------------- collecting


@pytest.mark.parametrize("cv", [KFold(4), ShuffleSplit(5, test_size=0.4)], ids=str)
def test_no_prediction_is_for_a_row_of_its_fit(X, y, cv):
    found = collect_out_of_fold([("m", Memorizer())], X, y, cv.split(X), {"m": {}})

    assert not found.table.any()
    # While the member to keep has seen all.
    assert found.estimators[0].predict(X).all()


def test_rows_columns_and_estimators_line_up(X, y):
    members = [("ridge", Ridge()), ("mean", DummyRegressor()), ("flat", Ridge(1e6))]
    splits = [(np.arange(20), np.array([30, 25])), (np.arange(5, 30), np.array([3]))]
    found = collect_out_of_fold(members, X, y, splits, {n: {} for n, _ in members})

    assert found.rows.tolist() == [30, 25, 3]
    for j, (_, member) in enumerate(members):
        column = np.concatenate(
            [clone(member).fit(X[a], y[a]).predict(X[b]) for a, b in splits]
        )
        assert_array_equal(found.table[:, j], column)
        assert_array_equal(
            found.estimators[j].predict(X), clone(member).fit(X, y).predict(X)
        )
        assert found.estimators[j] is not member


def test_metadata_with_a_value_a_row_is_sliced_for_its_member_only(X, y):
    omega = np.arange(40.0)
    members = [("weighted", Ridge()), ("plain", Ridge())]
    params = {"weighted": {"sample_weight": omega}, "plain": {}}
    splits = [(np.arange(20), np.arange(20, 40))]
    found = collect_out_of_fold(members, X, y**2, splits, params)

    weighted = Ridge().fit(X[:20], y[:20] ** 2, sample_weight=omega[:20])
    assert_array_equal(found.table[:, 0], weighted.predict(X[20:]))
    plain = Ridge().fit(X[:20], y[:20] ** 2)
    assert_array_equal(found.table[:, 1], plain.predict(X[20:]))


def test_nothing_given_is_changed(X, y):
    X.flags.writeable = y.flags.writeable = False
    splits = list(KFold(3).split(X))
    member = Memorizer()
    collect_out_of_fold([("m", member)], X, y, splits, {"m": {}})

    assert not hasattr(member, "seen_")
    assert_array_equal(splits[0][1], next(KFold(3).split(X))[1])


@pytest.mark.parametrize("n_folds", [1, 3])
def test_tasks_are_named_in_the_order_of_the_fits(X, y, n_folds, capsys):
    members = [("a", Ridge()), ("b", DummyRegressor())]
    splits = [(np.arange(10 + k), np.arange(30, 40)) for k in range(n_folds)]
    names = task_names(members, n_folds)
    collect_out_of_fold(members, X, y, splits, {"a": {}, "b": {}}, verbose=1)
    fits = capsys.readouterr().out.splitlines()

    assert len(set(names)) == len(names) == len(fits) == 2 * (n_folds + 1)
    for name, fit in zip(names, fits, strict=True):
        assert f" {name}: " in fit


# ------------------------------------------------------------------------- splits


@law
@given(st.lists(st.booleans(), min_size=2, max_size=30), st.booleans())
def test_masks_are_the_rows_where_they_are_true(mask, as_list):
    train = np.array(mask)
    test = ~train
    if not (train.any() and test.any()):
        with pytest.raises(ValueError, match=r"Fold 0 .*no rows"):
            check_splits([(train, test)])
        return
    pair = (train.tolist(), test.tolist()) if as_list else (train, test)
    ((rows, held_out),) = check_splits([pair])

    assert_array_equal(rows, np.flatnonzero(train))
    assert_array_equal(held_out, np.flatnonzero(test))


def test_indices_keep_their_order_and_repetitions():
    ((train, test),) = check_splits([([3, 1, 1], (2, 0))])

    assert train.tolist() == [3, 1, 1]
    assert test.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ([([], [1])], "Fold 0 of cv has no rows to train on"),
        ([([1], [])], "Fold 0 of cv has no rows to predict"),
        ([([1], [2]), ([1], [])], "Fold 1 of cv has no rows to predict"),
        ([], "no folds"),
        (iter(()), "no folds"),
    ],
)
def test_empty_folds_are_refused(splits, message):
    with pytest.raises(ValueError, match=message):
        check_splits(splits)


def test_checked_splits_are_a_fixed_point():
    once = check_splits(KFold(3).split(np.zeros(7)))
    twice = check_splits(once)

    for (a, b), (c, d) in zip(once, twice, strict=True):
        assert_array_equal(a, c)
        assert_array_equal(b, d)
