"""Members make a table: out of fold of rows that they learn from, else as they are."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    RepeatedKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor

from stackingnet_sk.predictions import (
    ClassAnswer,
    FittedMembers,
    Metadata,
    cross_predict,
    restrict_splits,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = X @ [1.0, 2.0, 0.0] + RNG.normal(size=60)
CLASSES = np.array(["down", "level", "up"])
LABELS = CLASSES[np.digitize(Y, [-1.0, 1.0])]
GROUPS = np.repeat(np.arange(12), 5)
MEMBERS = [("ridge", Ridge()), ("near", KNeighborsRegressor(3))]
CLASSIFIERS = [("line", LogisticRegression()), ("bayes", GaussianNB())]


@pytest.mark.parametrize(
    ("cv", "reference"),
    [
        (None, KFold(5)),
        (3, KFold(3)),
        *[(KFold(4, shuffle=True, random_state=0),) * 2],
        *[(PredefinedSplit(np.arange(60) % 4),) * 2],
        (list(KFold(3).split(X)), KFold(3)),
    ],
)
def test_numbers_are_those_of_cross_val_predict(cv, reference):
    found = cross_predict(MEMBERS, X, Y, cv=cv)

    assert_array_equal(found.rows, np.arange(60))
    for column, (_, member) in zip(found.table.T, MEMBERS, strict=True):
        assert_array_equal(column, cross_val_predict(member, X, Y, cv=reference))


def test_classes_are_those_of_cross_val_predict():
    found = cross_predict(CLASSIFIERS, X, LABELS, answer=ClassAnswer(CLASSES))

    for m, (_, member) in enumerate(CLASSIFIERS):
        expected = cross_val_predict(
            member, X, LABELS, cv=StratifiedKFold(5), method="predict_proba"
        )
        assert_array_equal(found.table[:, m], expected)


def test_metadata_is_that_of_cross_val_predict():
    weight = RNG.random(60)
    metadata = Metadata({"ridge": {"sample_weight": weight}}, {"groups": GROUPS})
    found = cross_predict(MEMBERS, X, Y, cv=GroupKFold(4), metadata=metadata)

    ridge, near = (
        cross_val_predict(member, X, Y, cv=GroupKFold(4), groups=GROUPS, params=params)
        for (_, member), params in zip(
            MEMBERS, [{"sample_weight": weight}, None], strict=True
        )
    )
    assert_array_equal(found.table, np.column_stack([ridge, near]))


def test_members_learn_from_labelled_rows_only():
    """Rows, metadata and splits by row number are those of the whole table."""
    labelled = np.arange(60) % 3 > 0
    rows = labelled.nonzero()[0]
    weight = RNG.random(60)
    metadata = Metadata({"ridge": {"sample_weight": weight}}, {})
    cv = PredefinedSplit(np.arange(60) // 20)
    found = cross_predict(
        MEMBERS, X, np.where(labelled, Y, 1e9), cv=cv, labelled=labelled,
        metadata=metadata,
    )  # fmt: skip

    assert_array_equal(found.rows, rows)
    for test in np.split(rows, [np.sum(rows < 20), np.sum(rows < 40)]):
        train = np.setdiff1d(rows, test)
        ridge = clone(MEMBERS[0][1]).fit(X[train], Y[train], weight[train])
        assert_array_equal(found.table[np.isin(rows, test), 0], ridge.predict(X[test]))
    everything = clone(MEMBERS[0][1]).fit(X[rows], Y[rows], weight[rows])
    assert_array_equal(found.estimators[0].coef_, everything.coef_)


def test_rows_that_are_repeated_stay_together_and_once_takes_the_first():
    cv = RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)
    found = cross_predict(MEMBERS, X, Y, cv=cv)
    first = list(cv.split(X))[:3]

    assert_array_equal(found.rows, np.repeat(np.arange(60), 2))
    once = found.once()
    assert_array_equal(once.rows, np.arange(60))
    expected = cross_val_predict(Ridge(), X, Y, cv=first)
    assert_array_equal(once.table[:, 0], expected)


def test_rows_that_are_left_out_are_not_predicted():
    found = cross_predict(MEMBERS, X, Y, cv=TimeSeriesSplit(3))
    assert_array_equal(found.rows, np.arange(15, 60))


def test_fitted_members_are_asked():
    fitted = [clone(member).fit(X, Y) for _, member in MEMBERS]
    members = FittedMembers([name for name, _ in MEMBERS], fitted)

    expected = np.column_stack([member.predict(X) for member in fitted])
    assert_array_equal(members.ask(X), expected)
    assert_array_equal(members.ask(X, [1]), expected * [0, 1])
    assert members.ask(X[:0]).shape == (0, 2)


def test_no_row_is_predicted_by_a_fit_that_has_seen_it():
    labelled = np.arange(60) < 40
    found = cross_predict(
        MEMBERS, X, np.where(labelled, Y, 0), cv=TimeSeriesSplit(3), labelled=labelled
    )
    members = FittedMembers([name for name, _ in MEMBERS], found.estimators)
    with pytest.warns(UserWarning, match="10 of 60 rows are not used"):
        rows, table = members.predict_unseen(X, labelled.nonzero()[0], found)

    assert_array_equal(rows, np.arange(10, 60))
    assert_array_equal(table[:30], found.table)
    assert_array_equal(table[30:], members.ask(X[40:]))


def test_splits_are_restricted_to_rows_that_are_numbered_anew():
    splits = [([0, 1, 2], [3, 4]), (np.arange(5) > 2, np.arange(5) <= 2)]
    (train, test), (other_train, other_test) = restrict_splits(
        splits, np.array([1, 4]), 5
    )
    assert (train.tolist(), test.tolist()) == ([0], [1])
    assert (other_train.tolist(), other_test.tolist()) == ([1], [0])
