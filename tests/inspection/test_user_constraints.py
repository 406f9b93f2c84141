"""Constraints of the user hold for every combination that is asked for."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.constraints import (
    bounded_disparity,
    budget,
    group_cap,
    max_weight,
)
from stackingnet_sk.datasets import make_experts
from stackingnet_sk.inspection import (
    ReliabilityPruner,
    next_model,
    prune,
    rank_models,
)

FEW = {"n_bootstrap": 50, "random_state": 0}
GROUPS = np.tile(["a", "b"], 150)


def panel(kind):
    judges = make_experts(
        300,
        5,
        n_classes=None if kind == "numbers" else 2,
        accuracy=[0.9, 0.8, 0.7, 0.6, 0.5],
        random_state=0,
    )
    return judges.X, judges.y


def estimator(kind, constraint):
    if kind == "votes":
        # Of a mixture the errors are as rough as the interior points of its candidates.
        return StackingNetClassifier(constraint=constraint, shrinkage=50.0)
    return StackingNetRegressor(constraint=constraint)


def expected_error(model):
    """In the unit of the answers."""
    error = model.solution_.expected_error
    return error if isinstance(model, StackingNetClassifier) else np.sqrt(error)


both = pytest.mark.parametrize("kind", ["numbers", "votes"])


def test_a_largest_weight_holds_along_the_path():
    """The path said .337, as if there were no limit. Three weights of at most a quarter
    do not sum to one, so that from there on no combination has an error.
    """
    X, y = panel("numbers")
    model = estimator("numbers", "simplex" & max_weight(0.25)).fit(X, y)
    assert expected_error(model) == pytest.approx(0.406, abs=5e-4)
    path = prune(model)
    assert path.error[0] == pytest.approx(expected_error(model), rel=1e-9)
    four = clone(model).fit(X[:, np.isin(model.model_names_, path.removed[1:])], y)
    assert path.error[1] == pytest.approx(expected_error(four), rel=1e-6)
    assert np.isinf(path.error[2:]).all()
    assert path.n_best == 0

    ranking = rank_models(model, X, y, **FEW)
    assert ranking.error == pytest.approx(path.error[0], rel=1e-9)
    names = ranking.model_names.tolist()
    first = ranking.drop_one[names.index(path.removed[0])]
    assert first == pytest.approx(path.error[1] - path.error[0], rel=1e-6)
    assert (ranking.drop_one > 0).all()


def test_what_is_not_feasible_is_infinite():
    """Dropping makes an infinite loss, and adding ends one; neither makes it finite,
    nothing is to be said.
    """
    X, y = panel("numbers")
    model = estimator("numbers", "simplex" & max_weight(0.3)).fit(X, y)
    four = next_model(model, ["model_0", "model_1", "model_2", "model_3"])
    assert np.isfinite(four.error)
    assert np.isposinf(four.change[:4]).all()
    assert np.isfinite(four.change[4])
    assert four.add == "model_4"
    three = next_model(model, ["model_0", "model_1", "model_2"])
    assert np.isposinf(three.error)
    assert np.isneginf(three.change[3:]).all()
    assert np.isnan(three.change[:3]).all()
    assert three.drop is None


@pytest.mark.parametrize(
    ("kind", "constraint", "plain"),
    [
        ("numbers", "affine" & max_weight(0.4), "affine"),
        ("numbers", max_weight(0.2), "nonnegative"),
        ("votes", max_weight(0.5), None),
    ],
)
def test_errors_are_those_of_refits(kind, constraint, plain):
    """A limit costs something, or nothing."""
    X, y = panel(kind)
    model = estimator(kind, constraint).fit(X, y)
    path = prune(model)
    finite = np.isfinite(path.error)
    assert np.count_nonzero(finite) >= 3
    for n, error in enumerate(path.error[finite]):
        left = np.isin(model.model_names_, path.removed[n:])
        refit = clone(model).fit(X[:, left], y)
        assert error == pytest.approx(expected_error(refit), rel=1e-6)
    assert (path.error >= prune(estimator(kind, plain).fit(X, y)).error - 1e-9).all()


def test_constraints_that_name_models_go_with_them():
    """A cap on a group of models, or their prices, hold for those that are left."""
    X, y = panel("numbers")
    families = {"model_0": "ours", "model_1": "ours"}
    names = ["model_0", "model_2"]
    for whole, part in (
        (
            group_cap({"ours": 0.3}, families=families),
            group_cap({"ours": 0.3}, families={"model_0": "ours"}),
        ),
        (budget([1, 2, 3, 4, 5], 1.5), budget([1, 3], 1.5)),
    ):
        model = estimator("numbers", "simplex" & whole).fit(X, y)
        table = pd.DataFrame(X[:, [0, 2]], columns=names)
        refit = estimator("numbers", "simplex" & part).fit(table, y)
        changes = next_model(model, names)
        assert changes.error == pytest.approx(expected_error(refit), rel=1e-6)


@both
def test_limits_on_groups_hold_along_the_path(kind):
    """The fit has kept what the groups say."""
    X, y = panel(kind)
    model = estimator(kind, bounded_disparity(0.02))
    model.fit(X, y, sensitive_features=GROUPS)
    path = prune(model)
    assert path.error[0] == pytest.approx(expected_error(model), rel=1e-9)
    for n, error in enumerate(path.error[:3]):
        left = np.isin(model.model_names_, path.removed[n:])
        refit = clone(model).fit(X[:, left], y, sensitive_features=GROUPS)
        assert error == pytest.approx(expected_error(refit), rel=1e-6)


@both
def test_rows_without_groups_do_not_tell_what_limits_on_groups_cost(kind):
    """NaN says so, where an error without the limits would be too low. All else is
    known: it is of the models alone.
    """
    X, y = panel(kind)
    model = estimator(kind, bounded_disparity(0.02))
    model.fit(X, y, sensitive_features=GROUPS)
    found = rank_models(model, X, y, **FEW)
    assert np.isnan(found.error)
    assert np.isnan(found.drop_one).all()
    plain = estimator(kind, None if kind == "votes" else "nonnegative").fit(X, y)
    expected = rank_models(plain, X, y, **FEW)
    assert found.model_names.tolist() == expected.model_names.tolist()
    for name in ("reliability", "low", "high", "quality"):
        assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9)
    assert found.group == expected.group
    assert "nan" in str(found)


def test_columns_are_chosen_under_a_constraint():
    """The reliability that decides is not about weights."""
    X, y = panel("numbers")
    pruner = ReliabilityPruner(
        estimator("numbers", "simplex" & max_weight(0.25)), n_models=3, **FEW
    )
    assert pruner.fit(X, y).get_support(indices=True).tolist() == [0, 1, 2]
