"""What further labels would buy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, RegressorMixin

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.inspection import label_budget


class Hyperbola(RegressorMixin, BaseEstimator):
    """Its error is ``2 + 6 / n`` whatever the data: the model of the projection."""

    def fit(self, X, y):
        self.error_ = 2.0 + 6.0 / np.count_nonzero(~np.isnan(y))
        return self

    def predict(self, X):
        return X[:, 0] + self.error_


def judges(n_labels, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=400)
    table = truth[:, None] + rng.normal(size=(400, 5)) * [0.5, 1, 1, 2, 2]
    return table, np.where(np.arange(400) < n_labels, truth, np.nan)


def test_a_curve_of_the_assumed_form_is_found_exactly():
    truth = np.arange(60.0)
    budget = label_budget(Hyperbola(), truth[:, None], truth, further=[60, 240])
    assert_allclose(budget.n_labels, [60, 120, 300])
    assert_allclose(budget.error, 2.0 + 6.0 / budget.n_labels)
    assert_allclose(budget.gain, 0.1 - 6.0 / budget.n_labels, atol=1e-12)
    assert_allclose(budget.low, budget.high)


def test_more_labels_gain_less_and_less():
    """By the form of the curve, for the mean over the repeats."""
    X, y = judges(30)
    budget = label_budget(
        StackingNetRegressor(), X, y, further=[10, 20, 30], random_state=0
    )
    assert budget.gain[0] == 0
    steps = np.diff(budget.gain)
    assert (steps > 0).all()
    assert (np.diff(steps) < 0).all()
    assert (budget.low <= budget.error).all()
    assert (budget.error <= budget.high).all()


def test_the_projection_is_near_the_truth():
    """The error with 120 labels, projected from 60, against that of real fits."""
    projected, real = [], []
    for seed in range(10):
        X, y = judges(400, seed)
        some = np.where(np.arange(400) < 60, y, np.nan)
        budget = label_budget(
            StackingNetRegressor(), X, some, further=[60], random_state=0, n_repeats=20
        )
        projected.append(budget.error[1])
        model = StackingNetRegressor().fit(X[:120], y[:120], X_unlabeled=X[120:])
        real.append(np.abs(model.predict(X[120:]) - y[120:]).mean())
    assert np.mean(projected) == pytest.approx(np.mean(real), rel=0.1)


def test_the_same_seed_gives_the_same_answer_however_many_jobs():
    X, y = judges(30)
    found = [
        label_budget(
            StackingNetRegressor(), X, y, random_state=0, n_repeats=6, n_jobs=n_jobs
        )
        for n_jobs in (None, 2)
    ]
    assert_allclose(found[0].error, found[1].error, rtol=0, atol=0)


def test_it_prints_a_line_a_budget():
    X, y = judges(20)
    budget = label_budget(StackingNetRegressor(), X, y, n_repeats=3, random_state=0)
    assert len(str(budget).splitlines()) == 1 + len(budget.n_labels)


def test_bad_input():
    X, y = judges(9)
    with pytest.raises(ValueError, match="9 rows of y have a label; at least 10"):
        label_budget(StackingNetRegressor(), X, y)
    X, y = judges(20)
    with pytest.raises(ValueError, match="further="):
        label_budget(StackingNetRegressor(), X, y, further=[0])


def test_classes_that_are_texts():
    """The error is one minus the accuracy, between nothing and all."""
    rng = np.random.default_rng(0)
    names = np.array(["no", "yes"])
    truth = rng.integers(2, size=120)
    votes = np.where(rng.random((120, 4)) < 0.75, truth[:, None], 1 - truth[:, None])
    some = np.where(np.arange(120) < 40, names[truth], None)
    budget = label_budget(
        StackingNetClassifier(), names[votes], some, n_repeats=5, random_state=0
    )
    assert ((budget.error > 0) & (budget.error < 0.5)).all()
    same = label_budget(
        StackingNetClassifier(),
        names[votes],
        some,
        n_repeats=5,
        scoring="accuracy",
        random_state=0,
    )
    assert (budget.error == same.error).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"n_repeats": 0}, "at least 1"), ({"further": [2.5]}, "whole numbers")],
)
def test_numbers_that_are_none(wrong, message):
    rng = np.random.default_rng(0)
    truth = rng.normal(size=50)
    table = truth[:, None] + rng.normal(size=(50, 3))
    with pytest.raises(ValueError, match=message):
        label_budget(StackingNetRegressor(), table, truth, **wrong)
