"""Other weights from what is known already: no row is read, no member fitted."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.validation import check_is_fitted

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.constraints import bounded_disparity, max_weight
from stackingnet_sk.inspection import regularization_path

OPTIONS = [
    {"constraint": "simplex", "shrinkage": 0},
    {"constraint": "affine", "shrinkage": 7.0},
    {"fit_intercept": False},
    {"constraint": "nonnegative" & max_weight(0.3)},
]


def panel(seed=0, n_rows=300):
    rng = np.random.default_rng(seed)
    truth = rng.normal(5, 2, n_rows)
    P = truth[:, None] + rng.normal(0, [0.5, 0.8, 1.1, 2.0], (n_rows, 4))
    return np.where(rng.random(P.shape) < 0.1, np.nan, P), truth, rng


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_is_a_fit_under_other_parameters(options):
    P, y, _ = panel()
    known = np.where(np.arange(len(y)) % 2, y, np.nan)
    model = StackingNetRegressor().fit(P, known)
    before = model.weights_.copy()
    other = model.reweigh(**options)
    fresh = StackingNetRegressor(**options).fit(P, known)

    for name in ("weights_", "intercept_", "reliability_"):
        assert_array_equal(getattr(other, name), getattr(fresh, name))
    assert_array_equal(other.predict(P), fresh.predict(P))
    assert_array_equal(other.expected_error(P), fresh.expected_error(P))
    assert other.get_params()["shrinkage"] == fresh.shrinkage
    # The first one has not changed, not even through what the two share.
    assert_array_equal(model.weights_, before)
    assert model.constraint == "nonnegative"
    assert_allclose(model.predict(P), StackingNetRegressor().fit(P, known).predict(P))


def test_limits_on_groups_remember_the_groups():
    P, y, rng = panel()
    group = rng.choice(["a", "b"], len(y))
    limit = bounded_disparity(0.001)
    model = StackingNetRegressor().fit(P, y, sensitive_features=group)
    fresh = StackingNetRegressor(constraint=limit).fit(P, y, sensitive_features=group)

    assert_array_equal(model.reweigh(constraint=limit).weights_, fresh.weights_)


class Counting(RegressorMixin, BaseEstimator):
    """Counts its fits and the rows that it is asked about."""

    fits = 0
    asked = 0

    def fit(self, X, y):
        Counting.fits += 1
        self.coef_ = np.linalg.lstsq(X, y)[0]
        return self

    def predict(self, X):
        check_is_fitted(self)
        Counting.asked += len(X)
        return X @ self.coef_


def test_members_are_neither_fitted_nor_asked():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=60)
    members = [("own", Counting()), ("ridge", Ridge(100.0))]
    model = StackingNetRegressor(members).fit(X, y)
    fits, asked = Counting.fits, Counting.asked
    other = model.reweigh(constraint="simplex", shrinkage=0)

    assert (Counting.fits, Counting.asked) == (fits, asked)
    fresh = StackingNetRegressor(members, constraint="simplex", shrinkage=0).fit(X, y)
    assert_array_equal(other.predict(X), fresh.predict(X))


def test_what_the_rows_must_be_read_for_is_refused():
    P, y, _ = panel()
    model = StackingNetRegressor().fit(P, y)
    with pytest.raises(ValueError, match=r"\['cv', 'estimators'\] can't be changed"):
        model.reweigh(estimators=[("ridge", Ridge())], cv=3)
    with pytest.raises(ValueError, match="shrinkage=-1 is not a strength"):
        model.reweigh(shrinkage=-1)


def votes(seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 400)
    right = rng.random((400, 5)) < [0.9, 0.8, 0.7, 0.6, 0.4]
    return np.where(right, truth[:, None], rng.integers(0, 3, (400, 5))), truth


@pytest.mark.parametrize(
    "options", [{"structure": "full"}, {"class_weight": "balanced"}, {"shrinkage": 3.0}]
)
def test_votes_likewise(options):
    table, truth = votes()
    other = StackingNetClassifier().fit(table, truth).reweigh(**options)
    fresh = StackingNetClassifier(**options).fit(table, truth)

    assert_array_equal(other.vote_weights_, fresh.vote_weights_)
    assert_array_equal(other.predict_proba(table), fresh.predict_proba(table))


def test_probabilities_are_not_kept():
    table = np.random.default_rng(0).dirichlet([1.0, 1.0], size=(50, 3))
    model = StackingNetClassifier().fit(table, np.arange(50) % 2)
    with pytest.raises(ValueError, match="fit all of them again"):
        model.reweigh(shrinkage=1)


# ------------------------------------------------------------- the path of strengths


@pytest.mark.parametrize("constraint", ["nonnegative", "simplex", "affine"])
def test_path_is_of_fits(constraint):
    P, y, _ = panel(n_rows=40)
    strengths = [0.0, 3.0, 1e3]
    path = regularization_path(
        StackingNetRegressor(constraint=constraint).fit(P, y), strengths
    )
    for row, strength in enumerate(strengths):
        fresh = StackingNetRegressor(constraint=constraint, shrinkage=strength)
        assert_array_equal(path.weights[row], fresh.fit(P, y).weights_)
        assert path.error[row] == fresh.solution_.expected_error
    assert (path.gap < 1e-9).all()
    assert path.best == strengths[int(np.argmin(path.error))]
    assert "expected mean squared error" in str(path)
    assert list(path.to_frame().columns)[:3] == ["shrinkage", "error", "gap"]


def test_path_ends_at_the_prior():
    """A prior worth ever more rows leaves the labels ever less to say."""
    P, y, _ = panel(n_rows=40)
    path = regularization_path(
        StackingNetRegressor(constraint="simplex").fit(P, y), [1e8, 1e10]
    )
    assert_allclose(path.weights[0], path.weights[1], atol=1e-4)
    no_labels = StackingNetRegressor(constraint="simplex").fit(P)
    assert_allclose(path.weights[1], no_labels.weights_, atol=1e-3)


def test_path_of_votes_and_its_text():
    table, truth = votes()
    path = regularization_path(StackingNetClassifier().fit(table, truth), [1, 100])
    assert path.weights.shape == (2, 5)
    assert path.intercept.shape == (2, 3)
    assert "log loss" in str(path)
    assert str(path).count("*") == 2


def test_path_without_labels_or_strengths():
    P, y, _ = panel()
    with pytest.raises(ValueError, match="without labels"):
        regularization_path(StackingNetRegressor().fit(P))
    with pytest.raises(ValueError, match="not a list of strengths"):
        regularization_path(StackingNetRegressor().fit(P, y), 3.0)


# --------------------------------------------------- only who has a weight is asked


class Asked(LogisticRegression):
    """Counts how often it is asked."""

    times = 0

    def predict_proba(self, X):
        Asked.times += 1
        return super().predict_proba(X)


def test_members_without_weight_are_not_asked():
    X, y = make_classification(200, random_state=0)
    # It says the opposite of the truth, which no weight above zero can use.
    members = [("good", LogisticRegression()), ("bad", Asked()), ("none", "drop")]
    model = StackingNetClassifier(members, structure="shared", cv="prefit")
    model.estimators[0][1].fit(X, y)
    model.estimators[1][1].fit(X, 1 - y)
    model.fit(X, y)
    assert model.weights_[1] == 0
    Asked.times = 0
    found = model.predict_proba(X)

    assert Asked.times == 0
    everybody = model.combiner_.pool(model._answers(X))
    assert_array_equal(found, everybody)


def test_ties_ask_everybody():
    """Weightless, the most reliable of those who differ decides: so it is asked."""
    X, y = make_classification(200, random_state=0)
    members = [("prior", DummyClassifier()), ("bad", Asked())]
    model = StackingNetClassifier(members, structure="shared", cv="prefit")
    model.estimators[0][1].fit(X, y)
    model.estimators[1][1].fit(X, 1 - y)
    model.fit(X, y)
    Asked.times = 0
    proba = model.predict_proba(X)
    assert Asked.times >= 1
    assert np.isfinite(proba).all()
