"""Out-of-fold predictions are public, and nothing else knows of them."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = X @ [1.0, 2.0, 0.0] + RNG.normal(size=60)
LABELS = np.where(Y > 0, "up", "down").astype(object)
MEMBERS = [("ridge", Ridge()), ("near", KNeighborsRegressor(3))]
CLASSIFIERS = [("line", LogisticRegression()), ("bayes", GaussianNB())]
SHUFFLED = KFold(4, shuffle=True, random_state=0)


def public(model):
    names = ("out_of_fold_predictions_", "out_of_fold_rows_", "_training_rows_")
    return [name for name in names if hasattr(model, name)]


def test_of_numbers():
    model = StackingNetRegressor(MEMBERS, cv=SHUFFLED).fit(X, Y)

    assert_array_equal(model.out_of_fold_rows_, np.arange(60))
    for column, (_, member) in zip(
        model.out_of_fold_predictions_.T, MEMBERS, strict=True
    ):
        assert_array_equal(column, cross_val_predict(member, X, Y, cv=SHUFFLED))


def test_of_classes():
    model = StackingNetClassifier(CLASSIFIERS).fit(X, LABELS)

    assert model.out_of_fold_predictions_.shape == (60, 2, 2)
    expected = cross_val_predict(
        GaussianNB(), X, LABELS.astype(str), cv=StratifiedKFold(5),
        method="predict_proba",
    )  # fmt: skip
    assert_array_equal(model.out_of_fold_predictions_[:, 1], expected)


def test_rows_are_those_of_x():
    labels = np.where(np.arange(60) % 2, Y, np.nan)
    model = StackingNetRegressor(MEMBERS, cv=TimeSeriesSplit(2)).fit(X, labels)

    assert_array_equal(model.out_of_fold_rows_, np.arange(21, 60, 2))
    assert model.out_of_fold_predictions_.shape == (20, 2)


@pytest.mark.parametrize(
    "fit",
    [
        lambda: StackingNetRegressor().fit(X, Y),
        lambda: StackingNetClassifier().fit(LABELS[:, None], LABELS),
        lambda: StackingNetRegressor(
            [(name, clone(member).fit(X, Y)) for name, member in MEMBERS], cv="prefit"
        ).fit(X, Y),
        lambda: (
            StackingNetRegressor(MEMBERS)
            .fit(X, Y)
            .set_params(estimators=None)
            .fit(X, Y)
        ),
    ],
    ids=["numbers", "votes", "prefit", "refitted without"],
)
def test_none_where_no_member_is_fitted(fit):
    assert public(fit()) == []


def test_copies():
    model = StackingNetRegressor(MEMBERS).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))

    assert public(clone(model)) == []
    assert_array_equal(again.out_of_fold_rows_, model.out_of_fold_rows_)
    assert_array_equal(again.out_of_fold_predictions_, model.out_of_fold_predictions_)
    assert again._training_rows_.are_of(X)
