"""Sample weights reach the members and the weight solve."""

import numpy as np
import pandas as pd
import pytest
from example_members import Consuming, FirstFeature
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline

from stackingnet_sk import StackingNetRegressor

CONSTRAINTS = ("nonnegative", "simplex", "affine", "uniform")


@pytest.fixture
def counts(y):
    return np.random.default_rng(3).integers(0, 4, len(y))


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("shrinkage", ["auto", 0, 10.0])
def test_integer_weight_is_repetition_of_a_table_row(
    P, y, counts, constraint, shrinkage
):
    model = StackingNetRegressor(constraint=constraint, shrinkage=shrinkage)
    weighted = clone(model).fit(P, y, sample_weight=counts)
    repeated = clone(model).fit(np.repeat(P, counts, axis=0), np.repeat(y, counts))

    assert_allclose(weighted.weights_, repeated.weights_, rtol=1e-9, atol=1e-12)
    assert_allclose(weighted.intercept_, repeated.intercept_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shrinkage", ["auto", 0])
def test_integer_weight_is_repetition_with_members(X, y, counts, shrinkage):
    # Groups keep the repetitions of a row together, in and out of the fold.
    groups = np.arange(len(y)) // 10
    members = [("ridge", Ridge()), ("line", LinearRegression(fit_intercept=False))]
    model = StackingNetRegressor(members, cv=LeaveOneGroupOut(), shrinkage=shrinkage)
    weighted = clone(model).fit(X, y, sample_weight=counts, groups=groups)
    repeated = clone(model).fit(
        *(np.repeat(a, counts, axis=0) for a in (X, y)), groups=groups.repeat(counts)
    )

    assert_allclose(weighted.weights_, repeated.weights_, rtol=1e-7, atol=1e-9)
    assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_equal_weights_are_no_weights_without_a_prior(P, y, constraint):
    model = StackingNetRegressor(constraint=constraint, shrinkage=0)
    reference = clone(model).fit(P, y).weights_

    for weight in (1, 0.25, 1e-290, 1e290):
        omega = np.full(len(y), weight)
        weights = clone(model).fit(P, y, sample_weight=omega).weights_
        assert_allclose(weights, reference, rtol=1e-9, atol=1e-12)


def test_weights_whose_sum_no_float_can_hold_are_refused(P, y):
    # Never NaN, whatever else.
    with pytest.raises(ValueError, match="sample_weight"):
        StackingNetRegressor().fit(P, y, sample_weight=np.full(len(y), 1e308))


def test_rows_of_zero_weight_do_not_count(X, y, weighted):
    omega = (np.arange(len(y)) % 3 > 0).astype(float)
    spoiled = np.where(omega == 0, 100.0, y)
    cv = KFold(4)
    model = StackingNetRegressor(weighted, cv=cv).fit(X, y, sample_weight=omega)
    other = StackingNetRegressor(weighted, cv=cv).fit(X, spoiled, sample_weight=omega)

    # Neither in the members' fits nor in the solve.
    assert_allclose(other.weights_, model.weights_, rtol=1e-6, atol=1e-9)


def test_members_get_the_weights_of_their_own_rows(X, y):
    omega = np.random.default_rng(0).uniform(size=len(y))
    cv = KFold(3)
    column = np.empty(len(y))
    for train, test in cv.split(X):
        member = Consuming().fit(X[train], y[train], omega[train])
        column[test] = member.predict(X[test])
    given = StackingNetRegressor().fit(column[:, None], y, sample_weight=omega)
    model = StackingNetRegressor([("a", Consuming())], cv=cv)
    model.fit(X, y, sample_weight=omega)

    assert_array_equal(model.weights_, given.weights_)
    assert_array_equal(model.estimators_[0].seen_["sample_weight"], omega)


def test_weights_may_be_a_series_or_a_list(P, y, counts):
    reference = StackingNetRegressor().fit(P, y, sample_weight=counts).weights_

    for given in (pd.Series(counts, index=counts), counts.tolist()):
        weights = StackingNetRegressor().fit(P, y, sample_weight=given).weights_
        assert_array_equal(weights, reference)


@pytest.mark.parametrize("member", [FirstFeature(), make_pipeline(Ridge())], ids=str)
def test_a_member_without_support_is_named(X, y, member):
    members = [("ridge", Ridge()), ("deaf", member)]
    with pytest.raises(TypeError, match=r"'deaf' \(.*sample weights"):
        StackingNetRegressor(members).fit(X, y, sample_weight=np.ones(len(y)))
