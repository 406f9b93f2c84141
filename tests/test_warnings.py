"""Warnings name the line of the user's program, however deep they arise."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.model_selection import LabelledKFold
from stackingnet_sk.predictions import PredictionClipper

VOTES = np.array([["a", "b", "a"], ["b", "b", "a"], ["a", "a", "b"]] * 4)
UNKNOWN = VOTES.copy()
UNKNOWN[3, 1] = "other"
LABELS = np.array(["a", "b", "a"] * 4)
NUMBERS = np.arange(36.0).reshape(12, 3) % 7
NEVER = np.column_stack([NUMBERS, np.full(12, np.nan)])
TARGET = NUMBERS.mean(axis=1)


def classifier():
    return StackingNetClassifier(classes=["a", "b"])


def weight_of_a_block(X, y):
    return StackingNetRegressor().partial_fit(X[:6], y[:6]).partial_fit(X[6:], y[6:])


CALLS = {
    "classifier fit": lambda: classifier().fit(UNKNOWN, LABELS),
    "classifier fit without labels": lambda: classifier().fit(UNKNOWN),
    "classifier unlabelled rows": lambda: classifier().fit(
        VOTES, LABELS, X_unlabeled=UNKNOWN
    ),
    "classifier partial_fit": lambda: classifier().partial_fit(UNKNOWN, LABELS),
    "classifier stream": lambda: classifier().fit(iter([(UNKNOWN, LABELS)])),
    "classifier predict": lambda: classifier().fit(VOTES, LABELS).predict(UNKNOWN),
    "classifier predict_proba": lambda: (
        classifier().fit(VOTES, LABELS).predict_proba(UNKNOWN)
    ),
    "classifier decision_function": lambda: (
        classifier().fit(VOTES, LABELS).decision_function(UNKNOWN)
    ),
    "classifier transform": lambda: classifier().fit(VOTES, LABELS).transform(UNKNOWN),
    "classifier n_answers": lambda: classifier().fit(VOTES, LABELS).n_answers(UNKNOWN),
    "classifier score": lambda: classifier().fit(VOTES, LABELS).score(UNKNOWN, LABELS),
    "regressor fit": lambda: StackingNetRegressor().fit(NEVER, TARGET),
    "regressor partial_fit": lambda: weight_of_a_block(NEVER, TARGET),
    "regressor stream": lambda: StackingNetRegressor().fit(iter([(NEVER, TARGET)])),
    "regressor reweigh": lambda: quietly(
        StackingNetRegressor().fit, NEVER, TARGET
    ).reweigh(shrinkage=1.0),
    "regressor merge": lambda: quietly(StackingNetRegressor().fit, NEVER, TARGET).merge(
        quietly(StackingNetRegressor().fit, NEVER, TARGET)
    ),
    "pipeline": lambda: make_pipeline(
        PredictionClipper(0, 10), StackingNetRegressor()
    ).fit(NEVER, TARGET),
    "search": lambda: GridSearchCV(
        StackingNetRegressor(), {"shrinkage": [0.0, 1.0]}, cv=LabelledKFold(2)
    ).fit(NEVER, TARGET),
}


def quietly(call, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*arguments)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_the_users_line_is_named(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert caught
    assert {warning.filename for warning in caught} == {__file__}
