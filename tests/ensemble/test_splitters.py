"""Every splitter gives the weights of the table of its out-of-fold predictions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

from stackingnet_sk import StackingNetRegressor


def table_by_hand(members, X, y, splits):
    """Rows and out-of-fold predictions, fold after fold."""
    rows, blocks = [], []
    for train, test in splits:
        rows.append(test)
        blocks.append(
            [clone(m).fit(X[train], y[train]).predict(X[test]) for _, m in members]
        )
    return np.concatenate(rows), np.concatenate([np.transpose(b) for b in blocks])


@pytest.mark.parametrize(
    "cv",
    [
        2,
        KFold(4, shuffle=True, random_state=0),
        TimeSeriesSplit(3),  # leaves rows out
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),  # repeats rows
        ShuffleSplit(4, test_size=0.3, random_state=0),  # does both, unevenly
        PredefinedSplit(np.arange(60) % 4 - 1),  # leaves rows out
    ],
    ids=lambda cv: type(cv).__name__,
)
@pytest.mark.parametrize("shrinkage", ["auto", 0])
def test_weights_are_those_of_the_table_with_each_row_counted_once(
    X, y, members, cv, shrinkage
):
    splitter = KFold(cv) if isinstance(cv, int) else cv
    rows, table = table_by_hand(members, X, y, splitter.split(X, y))
    counts = np.bincount(rows, minlength=len(y))[rows]
    given = StackingNetRegressor(shrinkage=shrinkage)
    given.fit(table, y[rows], sample_weight=1 / counts)
    fitted = StackingNetRegressor(members, cv=cv, shrinkage=shrinkage).fit(X, y)

    assert_allclose(fitted.weights_, given.weights_, rtol=1e-10, atol=1e-13)
    assert_allclose(fitted.intercept_, given.intercept_, rtol=1e-10, atol=1e-13)
    # The prior fades with the number of rows, not with that of predictions.
    assert_allclose(fitted.error_moments_.weight, len(np.unique(rows)))


def test_labels_neither_trained_on_nor_predicted_cannot_matter(X, y, members):
    cv = [(np.arange(15, 40), np.arange(40, 60))]
    model = StackingNetRegressor(members, cv=cv)
    weights = model.fit(X, y).weights_
    spoiled = np.where(np.arange(60) < 15, 10 * y, y)

    assert_array_equal(model.fit(X, spoiled).weights_, weights)


def test_leave_one_out(X, y, weighted):
    model = StackingNetRegressor(weighted, cv=LeaveOneOut()).fit(X[:12], y[:12])

    assert model.error_moments_.n_rows == 12


@pytest.mark.parametrize("cv", [GroupKFold(3), LeaveOneGroupOut()], ids=str)
def test_groups_reach_the_splitter(X, y, members, cv):
    groups = np.arange(len(y)) // 7
    by_groups = StackingNetRegressor(members, cv=cv).fit(X, y, groups=groups)
    by_splits = StackingNetRegressor(members, cv=list(cv.split(X, y, groups)))

    assert_array_equal(by_groups.weights_, by_splits.fit(X, y).weights_)


def splits_of(form, X):
    splits = list(KFold(3).split(X))
    if form == "generator":
        return (split for split in splits)
    if form == "masks":
        return [
            tuple(np.isin(np.arange(len(X)), part) for part in split)
            for split in splits
        ]
    if form == "lists":
        return [(train.tolist(), test.tolist()) for train, test in splits]
    return splits


@pytest.mark.parametrize("form", ["arrays", "lists", "generator", "masks"])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_splits_given_one_by_one(X, y, members, form, n_jobs):
    reference = StackingNetRegressor(members, cv=KFold(3)).fit(X, y)
    model = StackingNetRegressor(members, cv=splits_of(form, X), n_jobs=n_jobs)

    assert_array_equal(model.fit(X, y).weights_, reference.weights_)


def test_integer_cv_is_that_many_folds(X, y, members):
    reference = StackingNetRegressor(members, cv=KFold(3)).fit(X, y)

    model = StackingNetRegressor(members, cv=3).fit(X, y)
    assert_array_equal(model.weights_, reference.weights_)


def test_members_are_refitted_on_all_rows_whatever_the_splitter(X, y, members):
    cv = TimeSeriesSplit(2)
    model = StackingNetRegressor(members, cv=cv).fit(X, y)

    for (_, member), fitted in zip(members, model.estimators_, strict=True):
        assert_array_equal(fitted.predict(X), clone(member).fit(X, y).predict(X))
