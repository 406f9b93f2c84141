"""Metadata reaches who asks for it, through every wrapper of scikit-learn."""

import numpy as np
import pytest
import sklearn
from example_members import Consuming
from numpy.testing import assert_array_equal
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_validate
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from stackingnet_sk import StackingNetRegressor

# Its Pipeline routes nothing to the fit of a step in the middle, and its requests copy
# all parameters, which a generator does not survive.
OLD = parse_version(sklearn.__version__) < parse_version("1.9")


@pytest.fixture(autouse=True)
def _routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture
def omega(y):
    return np.random.default_rng(0).uniform(size=len(y))


@pytest.fixture
def groups(y):
    return np.arange(len(y)) // 6


def asks(**requests):
    return Consuming().set_fit_request(**requests)


def seen(model):
    return {name: model.named_estimators_[name].seen_ for name in model.model_names_}


def test_weights_reach_only_who_asks(X, y, omega):
    model = StackingNetRegressor(
        [
            ("yes", asks(sample_weight=True)),
            ("no", asks(sample_weight=False)),
            ("cannot", KNeighborsRegressor()),
        ]
    ).fit(X, y, sample_weight=omega)

    assert_array_equal(model.named_estimators_.yes.seen_["sample_weight"], omega)
    assert model.named_estimators_.no.seen_["sample_weight"] is None


def test_the_combiner_is_weighted_whoever_asks(X, y, omega):
    model = StackingNetRegressor([("no", asks(sample_weight=False))], cv=KFold(3))
    model.fit(X, y, sample_weight=omega)

    assert model.error_moments_.weight == pytest.approx(omega.sum())


def test_not_saying_whether_one_asks_is_an_error(X, y, omega):
    model = StackingNetRegressor([("a", Consuming())])

    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        model.fit(X, y, sample_weight=omega)


def test_an_alias_is_followed(X, y, omega):
    model = StackingNetRegressor([("a", asks(sample_weight="trust"))])
    model.fit(X, y, trust=omega)

    assert_array_equal(model.estimators_[0].seen_["sample_weight"], omega)


def test_groups_reach_only_the_splitter(X, y, groups):
    cv = GroupKFold(3)
    by_groups = StackingNetRegressor([("a", Consuming()), ("b", Ridge())], cv=cv)
    by_groups.fit(X, y, groups=groups)
    by_splits = StackingNetRegressor(
        by_groups.estimators, cv=list(cv.split(X, y, groups))
    ).fit(X, y)

    assert_array_equal(by_groups.weights_, by_splits.weights_)


def test_other_metadata_reaches_the_member_that_asks(X, y):
    flavour = np.linspace(0, 1, len(y))
    model = StackingNetRegressor([("a", asks(flavour=True)), ("b", Consuming())])
    with pytest.raises(UnsetMetadataPassedError, match="flavour"):
        model.fit(X, y, flavour=flavour)

    model.set_params(b=asks(flavour=False)).fit(X, y, flavour=flavour)
    assert_array_equal(model.named_estimators_.a.seen_["flavour"], flavour)
    assert model.named_estimators_.b.seen_["flavour"] is None


@pytest.mark.parametrize("as_members", [False, True])
def test_metadata_that_nobody_takes_is_an_error(X, P, y, omega, as_members):
    # A misspelt sample_weight that is silently dropped would be a wrong answer.
    model = StackingNetRegressor([("a", Ridge())] if as_members else None)

    with pytest.raises(TypeError, match="sample_wieght"):
        model.fit(X if as_members else P, y, sample_wieght=omega)


def test_a_table_takes_weights_and_ignores_groups(P, y, omega, groups):
    model = StackingNetRegressor().fit(P, y, sample_weight=omega, groups=groups)

    assert model.error_moments_.weight == pytest.approx(omega.sum())


def test_dropped_members_need_not_say_anything(X, y, omega):
    model = StackingNetRegressor(
        [("a", asks(sample_weight=True)), ("b", Consuming())]
    ).set_params(b="drop")

    assert_array_equal(
        model.fit(X, y, sample_weight=omega).estimators_[0].seen_["sample_weight"],
        omega,
    )


def test_prefit_members_need_not_say_anything(X, y, omega):
    fitted = Ridge().fit(X, y)
    model = StackingNetRegressor([("a", fitted)], cv="prefit")

    # Nobody's fit is called, so there is no request to make.
    model.fit(X, y, sample_weight=omega)
    assert model.error_moments_.weight == pytest.approx(omega.sum())


@pytest.mark.parametrize("form", ["list"] if OLD else ["list", "generator"])
def test_splits_given_one_by_one(X, y, omega, form):
    splits = list(KFold(3).split(X))
    members = [("a", asks(sample_weight=True))]
    reference = StackingNetRegressor(members, cv=KFold(3))
    cv = splits if form == "list" else (split for split in splits)
    model = StackingNetRegressor(members, cv=cv)

    # Looking up who wants what must not use up an iterator.
    assert_array_equal(
        model.fit(X, y, sample_weight=omega).weights_,
        reference.fit(X, y, sample_weight=omega).weights_,
    )


# --------------------------------------------------------------------------- wrappers


@pytest.fixture
def asking():
    """Consumes weights in fit and score, groups in its splitter."""
    model = StackingNetRegressor(
        [
            ("a", asks(sample_weight=True)),
            ("b", Ridge().set_fit_request(sample_weight=False)),
        ],
        cv=GroupKFold(2),
    )
    return model.set_fit_request(sample_weight=True).set_score_request(
        sample_weight=True
    )


def expected_scores(model, X, y, omega, groups, cv):
    scores = []
    for train, test in cv.split(X, y, groups):
        fitted = sklearn.clone(model).fit(
            X[train], y[train], sample_weight=omega[train], groups=groups[train]
        )
        scores.append(fitted.score(X[test], y[test], sample_weight=omega[test]))
    return scores


def test_cross_validate_routes_all(X, y, asking, omega, groups):
    cv = GroupKFold(3)
    params = {"sample_weight": omega, "groups": groups}
    found = cross_validate(asking, X, y, cv=cv, params=params)

    expected = expected_scores(asking, X, y, omega, groups, cv)
    assert_array_equal(found["test_score"], expected)


def test_grid_search_routes_all(X, y, asking, omega, groups):
    cv = GroupKFold(3)
    search = GridSearchCV(asking, {"shrinkage": [0.0]}, cv=cv)
    search.fit(X, y, sample_weight=omega, groups=groups)

    asking.set_params(shrinkage=0.0)
    expected = expected_scores(asking, X, y, omega, groups, cv)
    assert search.best_score_ == pytest.approx(np.mean(expected), rel=1e-12)
    inner = search.best_estimator_.named_estimators_.a
    assert_array_equal(inner.seen_["sample_weight"], omega)


@pytest.mark.parametrize("last", [True] if OLD else [True, False])
def test_pipeline_routes_all(X, y, asking, omega, groups, last):
    steps = [("scale", StandardScaler()), ("stack", asking)]
    steps[0][1].set_fit_request(sample_weight=False)
    if not last:
        steps.append(("final", Ridge().set_fit_request(sample_weight=False)))
    pipeline = Pipeline(steps).fit(X, y, sample_weight=omega, groups=groups)

    stack = pipeline.named_steps["stack"]
    assert_array_equal(stack.named_estimators_.a.seen_["sample_weight"], omega)
    scaled = pipeline.named_steps["scale"].transform(X)
    alone = sklearn.clone(asking).fit(scaled, y, sample_weight=omega, groups=groups)
    assert_array_equal(stack.weights_, alone.weights_)


def test_stack_inside_a_stack_routes_all(X, y, asking, omega, groups):
    outer = StackingNetRegressor([("inner", asking)], cv=GroupKFold(3))
    outer.fit(X, y, sample_weight=omega, groups=groups)

    inner = outer.named_estimators_.inner
    assert_array_equal(inner.named_estimators_.a.seen_["sample_weight"], omega)
