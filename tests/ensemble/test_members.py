"""Members: fitted before, frozen, dropped, set by name, nested."""

import numpy as np
import pytest
from example_members import Counting, FirstFeature
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from stackingnet_sk import StackingNetRegressor

# ------------------------------------------------------------------ fitted beforehand


@pytest.fixture
def fitted_members(X, y, members):
    return [(name, clone(m).fit(X[:30], y[:30])) for name, m in members]


def test_prefit_members_are_neither_cloned_nor_refitted(X, y, tmp_path):
    log = tmp_path / "fits"
    member = Counting(log).fit(X[:30], y[:30])
    model = StackingNetRegressor([("a", member)], cv="prefit").fit(X[30:], y[30:])

    assert model.estimators_[0] is member
    assert log.read_text().splitlines() == ["30"], "only our own fit above"


def test_prefit_weights_are_those_of_the_members_predictions(X, y, fitted_members):
    table = np.column_stack([m.predict(X[30:]) for _, m in fitted_members])
    given = StackingNetRegressor().fit(table, y[30:])
    model = StackingNetRegressor(fitted_members, cv="prefit").fit(X[30:], y[30:])

    assert_array_equal(model.weights_, given.weights_)
    assert_allclose(model.predict(X[30:]), given.predict(table))


def test_prefit_weighs_the_rows_even_if_a_member_could_not(X, y, fitted_members):
    omega = np.random.default_rng(0).uniform(size=30)
    table = np.column_stack([m.predict(X[30:]) for _, m in fitted_members])
    given = StackingNetRegressor().fit(table, y[30:], sample_weight=omega)
    model = StackingNetRegressor(fitted_members, cv="prefit")
    model.fit(X[30:], y[30:], sample_weight=omega)

    # Nothing is fitted, so KNeighborsRegressor need not take weights.
    assert_array_equal(model.weights_, given.weights_)


class Service:
    """Answers, and is no estimator of scikit-learn: it can't be fitted or cloned."""

    def predict(self, X):
        return X[:, 0]


def test_prefit_members_need_nothing_but_predict(X, y):
    model = StackingNetRegressor([("service", Service())], cv="prefit").fit(X, y)

    assert_array_equal(model.transform(X)[:, 0], X[:, 0])
    assert "service" in model._repr_html_()
    with pytest.raises(ValueError, match=r"'service'.* no fit"):
        StackingNetRegressor([("service", Service())], cv=3).fit(X, y)


@pytest.mark.parametrize("wrap", [lambda m: m, FrozenEstimator])
def test_unfitted_prefit_member_raises(X, y, fitted_members, wrap):
    late = [*fitted_members, ("late", wrap(Ridge()))]
    with pytest.raises(NotFittedError, match="late"):
        StackingNetRegressor(late, cv="prefit").fit(X, y)


def test_frozen_members_are_never_refitted(X, y, fitted_members):
    frozen = [(name, FrozenEstimator(m)) for name, m in fitted_members]
    model = StackingNetRegressor(frozen, cv=3).fit(X[30:], y[30:])
    prefit = StackingNetRegressor(fitted_members, cv="prefit").fit(X[30:], y[30:])

    # Their predictions are the same out of fold and in it.
    assert_array_equal(model.weights_, prefit.weights_)


def test_frozen_member_accepts_the_weights_it_has_no_use_for(X, y, fitted_members):
    omega = np.random.default_rng(0).uniform(size=30)
    frozen = [(name, FrozenEstimator(m)) for name, m in fitted_members]
    model = StackingNetRegressor(frozen, cv=3)
    model.fit(X[30:], y[30:], sample_weight=omega)
    prefit = StackingNetRegressor(fitted_members, cv="prefit")
    prefit.fit(X[30:], y[30:], sample_weight=omega)

    assert_array_equal(model.weights_, prefit.weights_)


def test_frozen_and_fitted_members_mix(X, y, fitted_members, members):
    mixed = [("frozen", FrozenEstimator(fitted_members[0][1])), *members]
    model = StackingNetRegressor(mixed, cv=3).fit(X, y)

    assert model.estimators_[0] is mixed[0][1]
    assert model.estimators_[1] is not mixed[1][1]


# ---------------------------------------------------------------------------- dropped


def test_dropping_a_member_is_never_having_listed_it(X, y, members):
    without = StackingNetRegressor([members[0], members[2]]).fit(X, y)
    dropped = StackingNetRegressor(members).set_params(tree="drop").fit(X, y)

    assert_array_equal(dropped.weights_, without.weights_)
    assert_array_equal(dropped.predict(X), without.predict(X))
    assert dropped.model_names_.tolist() == ["ridge", "near"]
    assert len(dropped.estimators_) == 2
    assert dropped.named_estimators_.tree == "drop"
    assert dropped.transform(X).shape == (len(y), 2)


def test_a_dropped_member_can_come_back(X, y, members):
    model = StackingNetRegressor(members).set_params(tree="drop").fit(X, y)
    model.set_params(tree=members[1][1]).fit(X, y)

    assert model.model_names_.tolist() == ["ridge", "tree", "near"]


def test_prefit_with_a_dropped_member(X, y, fitted_members):
    model = StackingNetRegressor(fitted_members, cv="prefit")
    model.set_params(ridge="drop").fit(X, y)

    assert model.estimators_ == [m for _, m in fitted_members[1:]]


# ---------------------------------------------------------------- names and parameters


def test_fitted_members_keep_order_and_names(X, y, members):
    model = StackingNetRegressor(members).fit(X, y)

    assert [type(e) for e in model.estimators_] == [type(m) for _, m in members]
    for (name, _), fitted in zip(members, model.estimators_, strict=True):
        assert model.named_estimators_[name] is fitted
    assert dict(model.named_estimators) == dict(members)


def test_a_members_parameter_is_set_from_outside(X, y, members):
    model = StackingNetRegressor(members)
    model.set_params(ridge__alpha=7.0, tree__max_depth=1)

    assert model.get_params()["ridge__alpha"] == 7.0
    model.fit(X, y)
    assert model.named_estimators_.ridge.alpha == 7.0
    assert model.named_estimators_.tree.get_depth() == 1


def test_unknown_member_or_parameter_cannot_be_set(members):
    with pytest.raises(ValueError, match="nobody"):
        StackingNetRegressor(members).set_params(nobody__alpha=1)
    with pytest.raises(ValueError, match="wrong"):
        StackingNetRegressor(members).set_params(ridge__wrong=1)


def test_table_mode_has_no_member_parameters():
    shallow = StackingNetRegressor().get_params(deep=False)
    assert StackingNetRegressor().get_params(deep=True) == shallow


# ------------------------------------------------------------------- kinds of members


@pytest.mark.parametrize(
    "member",
    [
        make_pipeline(StandardScaler(), Ridge()),
        GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2),
        StackingNetRegressor([("a", Ridge()), ("b", DummyRegressor())], cv=2),
    ],
    ids=lambda member: type(member).__name__,
)
def test_composite_members(X, y, member):
    model = StackingNetRegressor([("m", member), ("poor", FirstFeature())], cv=3)

    assert model.fit(X, y).score(X, y) > 0.5


def test_a_column_of_predictions_is_a_prediction(X, y):
    flat = StackingNetRegressor([("a", FirstFeature())], cv=3).fit(X, y)
    column = StackingNetRegressor([("a", FirstFeature(np.atleast_2d))], cv=3)
    column.set_params(a__spoil=lambda first: first[:, None]).fit(X, y)

    assert_array_equal(flat.weights_, column.weights_)


def test_input_tags_are_what_all_members_allow(members):
    sparse_ok = StackingNetRegressor([("ridge", Ridge())])
    not_ok = StackingNetRegressor([("ridge", Ridge()), ("a", FirstFeature())])

    assert get_tags(sparse_ok).input_tags.sparse
    assert not get_tags(not_ok).input_tags.sparse
    assert not get_tags(StackingNetRegressor()).input_tags.sparse
    assert not get_tags(StackingNetRegressor(members)).input_tags.allow_nan


def test_sparse_features_reach_members_that_take_them(X, y):
    from scipy.sparse import csr_array

    members = [
        ("ridge", Ridge(solver="cholesky", fit_intercept=False)),
        ("mean", DummyRegressor()),
    ]
    dense = StackingNetRegressor(members, cv=3).fit(X, y)
    sparse = StackingNetRegressor(members, cv=3).fit(csr_array(X), y)

    assert_allclose(sparse.weights_, dense.weights_, rtol=1e-9)
    assert_allclose(sparse.predict(csr_array(X)), dense.predict(X), rtol=1e-9)


def test_a_member_without_weight_is_not_asked(X, y):
    model = StackingNetRegressor(
        [("ridge", Ridge()), ("opposite", FirstFeature(np.negative))], cv=3
    ).fit(X, y)
    assert model.weights_[1] == 0
    model.named_estimators_.opposite.spoil = _refuse

    # Weights of zero are for pruning: the pruned model may be switched off.
    assert np.isfinite(model.predict(X)).all()


def _refuse(first):
    raise AssertionError("asked in vain")
