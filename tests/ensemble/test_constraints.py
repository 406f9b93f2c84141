"""Limits that users set, on a regressor: that they hold, and that nothing is better."""

import copy
import pickle
import subprocess
import sys
import warnings
from itertools import combinations

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.neighbors import KNeighborsRegressor

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.constraints import (
    at_most_models,
    bounded_disparity,
    bounded_group_loss,
    budget,
    group_cap,
    max_weight,
)
from stackingnet_sk.inspection import (
    ReliabilityPruner,
    dependence,
    disparity,
    label_budget,
    next_model,
    prune,
    rank_models,
)
from stackingnet_sk.weights import InfeasibleError, Status

NAMES = [f"model_{m}" for m in range(5)]
VENDORS = dict(zip(NAMES, ["us", "us", "eu", "eu", "cn"], strict=True))
COSTS = dict(zip(NAMES, [9.0, 4.0, 2.0, 1.0, 0.0], strict=True))
SETS = ["nonnegative", "simplex", "affine"]
every_set = pytest.mark.parametrize("chosen", SETS)


@pytest.fixture
def group(y):
    return np.where(np.random.default_rng(3).random(len(y)) < 0.4, "north", "south")


@pytest.fixture
def P(P, group):
    """The best models are off in the north, so that parity costs something."""
    return P + np.outer(group == "north", [0.6, 0.5, 0.0, -0.3, -0.9])


def fit(constraint, P, y, **options):
    """Nothing shrunk, so that the objective is the mean squared error."""
    given = {"sensitive_features", "sample_weight"} & set(options)
    passed = {name: options.pop(name) for name in given}
    options = {"shrinkage": 0, **options}
    return StackingNetRegressor(constraint=constraint, **options).fit(P, y, **passed)


def mse(P, y, weights, intercept):
    return np.mean((P @ weights + intercept - y) ** 2)


def by_group(values, group):
    return np.array([values[group == each].mean() for each in np.unique(group)])


def limits_of(P, y, group, chosen="nonnegative", **options):
    """Of each builder one that binds, with a check on the fitted estimator. Losses are
    those that the set leaves, or no weights would reach the bound."""

    def below_cap(model):
        return model.weights_.max() - 0.3

    def below_vendors(model):
        return model.weights_[:2].sum() - 0.4

    def below_budget(model):
        return np.dot(list(COSTS.values()), model.weights_) - 2.0

    def below_disparity(model):
        return np.ptp(by_group(model.predict(P) - y, group)) - 0.05

    def below_loss(model):
        return by_group((model.predict(P) - y) ** 2, group).max() - loss

    def below_norm(model):
        return np.linalg.norm(model.weights_) - 0.6

    def norm(weights, intercept, names):
        return cp.norm(weights) <= 0.6

    free = fit(chosen, P, y, **options)
    loss = 0.999 * by_group((free.predict(P) - y) ** 2, group).max()
    return {
        "max_weight": (max_weight(0.3), below_cap),
        "group_cap": (group_cap({"us": 0.4}, families=VENDORS), below_vendors),
        "budget": (budget(COSTS, 2.0), below_budget),
        "bounded_disparity": (bounded_disparity(0.05), below_disparity),
        "bounded_group_loss": (bounded_group_loss(loss), below_loss),
        "callable": (norm, below_norm),
    }


BUILDERS = [
    "max_weight",
    "group_cap",
    "budget",
    "bounded_disparity",
    "bounded_group_loss",
    "callable",
]
every_builder = pytest.mark.parametrize("builder", BUILDERS)


@pytest.mark.parametrize("shrinkage", [0, "auto"])
@every_set
@every_builder
def test_it_holds_on_what_it_is_about(builder, chosen, shrinkage, P, y, group):
    """Measured from the weights and the public predictions alone; at the optimum a
    limit that the native weights break is met exactly."""
    limit, excess = limits_of(P, y, group, chosen, shrinkage=shrinkage)[builder]
    native = fit(chosen, P, y, shrinkage=shrinkage)
    model = fit(
        chosen & max_weight(9) & limit,
        P,
        y,
        sensitive_features=group,
        shrinkage=shrinkage,
    )
    solution = model.solution_
    if excess(native) <= 0:
        assert solution.solver == "native"
        assert_array_equal(model.weights_, native.weights_)
        return
    assert solution.solver == "cvxpy"
    assert solution.status is Status.OPTIMAL
    assert solution.gap <= 1e-6
    assert solution.backend.startswith("CLARABEL")
    assert abs(excess(model)) <= 1e-7
    assert solution.objective >= native.solution_.objective
    if chosen != "nonnegative":
        assert model.weights_.sum() == pytest.approx(1.0, abs=1e-9)
    if chosen != "affine":
        assert model.weights_.min() >= 0


def on_the_rows(P, y, chosen, fit_intercept, limits):
    """The textbook's problem: no moments, no profiling."""
    weights = cp.Variable(P.shape[1])
    intercept = cp.Variable() if fit_intercept else cp.Constant(0.0)
    made = limits(weights, intercept)
    if chosen != "affine":
        made.append(weights >= 0)
    if chosen != "nonnegative":
        made.append(cp.sum(weights) == 1)
    loss = cp.sum_squares(P @ weights + intercept - y) / len(y)
    problem = cp.Problem(cp.Minimize(loss), made)
    problem.solve(
        solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11
    )
    return weights.value, problem.value


@pytest.mark.parametrize("fit_intercept", [True, False])
@every_set
@every_builder
def test_it_agrees_with_a_formulation_on_the_rows(
    builder, chosen, fit_intercept, P, y, group
):
    limits = limits_of(P, y, group, chosen, fit_intercept=fit_intercept)
    limit, _ = limits[builder]

    def limits(weights, intercept):
        residual = P @ weights + intercept - y
        south, north = (residual[group == each] for each in ("south", "north"))
        return {
            "max_weight": lambda: [weights <= 0.3],
            "group_cap": lambda: [weights[0] + weights[1] <= 0.4],
            "budget": lambda: [np.array(list(COSTS.values())) @ weights <= 2.0],
            "bounded_disparity": lambda: [
                cp.abs(cp.sum(south) / south.size - cp.sum(north) / north.size) <= 0.05
            ],
            "bounded_group_loss": lambda: [
                cp.sum_squares(each) / each.size <= limit.bound
                for each in (south, north)
            ],
            "callable": lambda: [cp.norm(weights) <= 0.6],
        }[builder]()

    model = fit(
        chosen & max_weight(9) & limit,
        P,
        y,
        sensitive_features=group,
        fit_intercept=fit_intercept,
    )
    weights, value = on_the_rows(P, y, chosen, fit_intercept, limits)
    assert_allclose(model.weights_, weights, atol=2e-5)
    own = mse(P, y, model.weights_, model.intercept_)
    assert own == pytest.approx(value, rel=1e-7)
    assert model.solution_.objective == pytest.approx(value, rel=1e-7)


def test_no_feasible_weights_do_better(P, y, group):
    """Random points of the set, those that keep all limits, with their best intercept:
    none has a smaller objective."""
    rng = np.random.default_rng(0)
    limit = "simplex" & max_weight(0.4) & budget(COSTS, 4.0)
    model = fit(limit, P, y)
    best = mse(P, y, model.weights_, model.intercept_)
    tried = 0
    for spread in (0.02, 0.1, 1.0):
        near = model.weights_ + spread * rng.standard_normal((4000, 5))
        near = np.maximum(near, 1e-12)
        near /= near.sum(axis=1, keepdims=True)
        kept = (near.max(axis=1) <= 0.4) & (near @ list(COSTS.values()) <= 4.0)
        tried += kept.sum()
        for weights in near[kept]:
            intercept = np.mean(y - P @ weights)
            assert mse(P, y, weights, intercept) >= best - 1e-9
    assert tried > 500


@every_set
@every_builder
def test_what_does_not_bind_changes_nothing(builder, chosen, P, y, group):
    """The native solution, to the last bit, and it says so."""
    loose = {
        "max_weight": max_weight(9),
        "group_cap": group_cap({"us": 9, "eu": 9}, families=VENDORS),
        "budget": budget(COSTS, 99),
        "bounded_disparity": bounded_disparity(9),
        "bounded_group_loss": bounded_group_loss(99),
        "callable": lambda weights, intercept, names: [cp.norm(weights) <= 9],
    }[builder]
    native = StackingNetRegressor(constraint=chosen).fit(P, y)
    model = StackingNetRegressor(constraint=chosen & (max_weight(9) & loose))
    model.fit(P, y, sensitive_features=group)
    assert model.solution_.solver == "native"
    assert_array_equal(model.weights_, native.weights_)
    assert model.intercept_ == pytest.approx(native.intercept_, abs=1e-14)
    given, expected = model.solution_, native.solution_
    for name in ("objective", "gap", "residual", "status"):
        assert getattr(given, name) == getattr(expected, name)
    assert given.expected_error == pytest.approx(expected.expected_error, rel=1e-12)


@every_set
def test_looser_is_never_worse(chosen, P, y, group):
    """Larger feasible sets; each rises above the native optimum alone."""
    families = {
        "cap": [max_weight(each) for each in (0.25, 0.3, 0.5, 0.8, 2.0)],
        "budget": [budget(COSTS, each) for each in (0.5, 2.0, 3.0, 5.0, 99.0)],
        "vendors": [
            group_cap({"us": each}, families=VENDORS) for each in (0.0, 0.3, 0.6, 2.0)
        ],
        "parity": [bounded_disparity(each) for each in (0.0, 0.01, 0.1, 0.4, 9.0)],
    }
    native = fit(chosen, P, y).solution_.objective
    for limits in families.values():
        values = [
            fit(
                chosen & max_weight(9) & limit, P, y, sensitive_features=group
            ).solution_.objective
            for limit in limits
        ]
        assert np.all(np.diff(values) <= 1e-7 * values[0])
        assert values[-1] == native
        assert values[0] > native * (1 + 1e-4)


def test_known_optimum_all_at_the_cap(y):
    """Five models at a cap of a fifth are the average."""
    P = y[:, None] + np.random.default_rng(0).normal(size=(len(y), 5))
    model = fit("simplex" & max_weight(0.2), P, y)
    assert_allclose(model.weights_, 0.2, atol=1e-8)


def test_known_optimum_of_two_models():
    """Errors of equal size that don't overlap: half each, unless a budget that only
    allows a quarter of the first says otherwise; then it is met exactly."""
    y = np.zeros(4)
    P = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    model = fit("simplex" & budget([1.0, 0.0], 0.25), P, y)
    assert_allclose(model.weights_, [0.25, 0.75], atol=1e-8)
    assert model.solution_.objective == pytest.approx((0.25**2 + 0.75**2) / 2)


def test_budget_of_nothing_leaves_the_free_models(P, y):
    model = fit("simplex" & budget([1, 1, 1, 0, 0], 0), P, y)
    own = fit("simplex", P[:, 3:], y)
    assert_allclose(model.weights_[:3], 0, atol=1e-8)
    assert_allclose(model.weights_[3:], own.weights_, atol=1e-6)


def test_parity_of_zero(P, y, group):
    """The mean residual is the same in all groups, and so zero in each."""
    model = fit(bounded_disparity(0), P, y, sensitive_features=group)
    assert_allclose(by_group(model.predict(P) - y, group), 0, atol=1e-7)


def test_parity_over_several_columns(P, y, group):
    """Each column by itself, as a table or an array; more columns, more limits."""
    other = np.arange(len(y)) % 3
    frame = pd.DataFrame({"place": group, "time": other})
    array = np.column_stack([group, other.astype(str)])
    limit = bounded_disparity(0.02)
    models = [fit(limit, P, y, sensitive_features=each) for each in (frame, array)]
    for column in (group, other):
        residual = models[0].predict(P) - y
        assert np.ptp(by_group(residual, column)) <= 0.02 + 1e-7
    assert_array_equal(models[0].weights_, models[1].weights_)
    one = fit(limit, P, y, sensitive_features=group)
    assert models[0].solution_.objective >= one.solution_.objective * (1 - 1e-7)


def test_sample_weight_weighs_groups_as_well(P, y, group):
    """A weight of two is the row twice."""
    twice = np.random.default_rng(0).integers(1, 3, len(y))
    rows = np.repeat(np.arange(len(y)), twice)
    limit = bounded_disparity(0.05) & max_weight(0.4)
    weighted = fit(limit, P, y, sensitive_features=group, sample_weight=twice)
    repeated = fit(limit, P[rows], y[rows], sensitive_features=group[rows])
    assert_allclose(weighted.weights_, repeated.weights_, atol=1e-6)
    assert weighted.intercept_ == pytest.approx(repeated.intercept_, abs=1e-6)


@pytest.mark.parametrize(("factor", "shift"), [(1e-3, 0.0), (1e4, 0.0), (1.0, 1e4)])
def test_units_of_the_labels_do_not_matter(factor, shift, P, y, group):
    limit = "simplex" & bounded_disparity(0.05) & max_weight(0.5)
    scaled = "simplex" & bounded_disparity(0.05 * factor) & max_weight(0.5)
    one = fit(limit, P, y, sensitive_features=group)
    other = fit(
        scaled, P * factor + shift, y * factor + shift, sensitive_features=group
    )
    assert other.solution_.status is Status.OPTIMAL
    assert_allclose(other.weights_, one.weights_, atol=1e-5)


@every_set
def test_the_order_of_the_models_does_not_matter(chosen, P, y, group):
    order = [3, 0, 4, 2, 1]
    frame = pd.DataFrame(P, columns=NAMES)
    limit = chosen & budget(COSTS, 3.0) & bounded_disparity(0.05)
    limit = limit & group_cap({"us": 0.7}, families=VENDORS) & max_weight(0.6)
    one = fit(limit, frame, y, sensitive_features=group)
    other = fit(limit, frame.iloc[:, order], y, sensitive_features=group)
    assert_allclose(other.weights_, one.weights_[order], atol=1e-6)


def test_joined_limits_all_hold(P, y, group):
    limit = max_weight(0.35) & budget(COSTS, 3) & bounded_disparity(0.02)
    model = fit("simplex" & limit, P, y, sensitive_features=group)
    assert model.weights_.max() <= 0.35 + 1e-8
    assert model.weights_ @ list(COSTS.values()) <= 3 + 1e-8
    assert np.ptp(by_group(model.predict(P) - y, group)) <= 0.02 + 1e-7
    assert model.solution_.gap <= 1e-6


def test_a_callable_sees_units_and_names(P, y):
    """Weights in the units of the table, the intercept in those of the labels, and the
    names as text."""
    seen = []

    def no_bias(weights, intercept, names):
        seen.append(names)
        return [intercept == 0.25, weights[names.index("model_2")] >= 0.4]

    model = fit(no_bias, P, y)
    assert seen == [NAMES]
    assert model.intercept_ == pytest.approx(0.25, abs=1e-8)
    assert model.weights_[2] >= 0.4 - 1e-8
    with_offset, _ = on_the_rows(
        P, y, "nonnegative", True, lambda w, b: [b == 0.25, w[2] >= 0.4]
    )
    assert_allclose(model.weights_, with_offset, atol=1e-5)


@pytest.mark.parametrize(
    "made",
    [
        lambda w: w <= 0.3,
        lambda w: [w <= 0.3],
        lambda w: (w <= 0.3,),
        lambda w: (each <= 0.3 for each in w),
    ],
)
def test_a_callable_gives_one_or_several(made, P, y):
    model = fit(lambda weights, intercept, names: made(weights), P, y)
    expected = fit(max_weight(0.3), P, y)
    assert_allclose(model.weights_, expected.weights_, atol=1e-6)


def test_a_callable_may_give_any_cone(P, y):
    norm = fit(lambda w, b, names: cp.norm(w - 0.2) <= 0.3, P, y)
    cone = fit(lambda w, b, names: cp.SOC(cp.Constant(0.3), w - 0.2), P, y)
    assert_allclose(cone.weights_, norm.weights_, atol=1e-5)
    below = fit(lambda w, b, names: cp.diag(w) << 0.3 * np.eye(5), P, y)
    assert_allclose(below.weights_, fit(max_weight(0.3), P, y).weights_, atol=1e-5)


@pytest.mark.parametrize("made", [None, True, "weights <= 0.3", 0.3, {"a": 1}, max])
def test_a_callable_that_gives_something_else(made, P, y):
    def strange(weights, intercept, names):
        return made

    with pytest.raises(TypeError, match=r"strange.*not a cvxpy constraint"):
        fit(strange, P, y)


def test_a_callable_that_gives_none_at_all(P, y):
    assert fit(lambda w, b, names: [], P, y).solution_.solver == "native"


def test_what_is_not_convex_is_named(P, y):
    def diverse(weights, intercept, names):
        return [weights <= 1, cp.norm(weights) >= 0.3]

    with pytest.raises(ValueError, match=r"diverse\[1\] is not convex"):
        fit(diverse, P, y)


def test_infeasible_limits_are_named(P, y, group):
    """With by how much they would have to give way; a fit that fails leaves nothing."""
    with pytest.raises(
        InfeasibleError, match=r"max_weight\(0.1\) can't hold"
    ) as raised:
        fit("simplex" & budget(COSTS, 50) & max_weight(0.1), P, y)
    assert isinstance(raised.value, ValueError)
    assert "budget" not in str(raised.value)
    assert "0.1" in str(raised.value)
    with pytest.raises(InfeasibleError, match=r"bounded_group_loss.*'north'"):
        fit(bounded_group_loss(1e-6), P, y, sensitive_features=group)
    with pytest.raises(InfeasibleError, match="budget"):
        fit("simplex" & budget([1, 1, 1, 1, 1], 0.9), P, y)
    with pytest.raises(InfeasibleError, match="max_weight"):
        fit("uniform" & max_weight(0.1), P, y)

    def half(weights, intercept, names):
        return [weights >= 0, weights[0] == -0.5]

    with pytest.raises(InfeasibleError, match=r"half\[1\]"):
        fit(half, P, y)
    model = fit("simplex", P, y).set_params(constraint="simplex" & max_weight(0.1))
    with pytest.raises(InfeasibleError):
        model.fit(P, y)
    assert not hasattr(model, "weights_")


def test_only_cones_that_cannot_hold(P, y):
    """Where no inequality can give way, all limits are named."""

    def far(weights, intercept, names):
        return cp.SOC(cp.Constant(0.1), weights + 1.0)

    with pytest.raises(InfeasibleError, match="far"):
        fit(far, P, y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: max_weight(0), "cap=0 "),
        (lambda: max_weight(-1), "cap=-1"),
        (lambda: max_weight(np.nan), "cap=nan"),
        (lambda: max_weight(np.inf), "cap=inf"),
        (lambda: max_weight("a"), "cap='a'"),
        (lambda: max_weight(True), "cap=True"),
        (lambda: budget([1, 2], -1), "total=-1"),
        (lambda: budget([1, -2], 1), r"costs\[1\]=-2"),
        (lambda: budget({"a": -2}, 1), r"costs\['a'\]=-2"),
        (lambda: budget({"a": None}, 1), r"costs\['a'\]=None"),
        (lambda: group_cap({"us": -1}, families=VENDORS), r"caps\['us'\]=-1"),
        (lambda: group_cap({"mars": 1}, families=VENDORS), "'mars'"),
        (lambda: bounded_disparity(-0.1), "epsilon=-0.1"),
        (lambda: bounded_group_loss(0), "bound=0"),
        (lambda: at_most_models(0), "k=0"),
        (lambda: at_most_models(1.5), "k=1.5"),
        (lambda: at_most_models(True), "k=True"),
    ],
)
def test_numbers_that_are_none(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (budget({**COSTS, "gpt": 1.0}, 3), "'gpt', which is no model"),
        (budget({"model_0": 1.0}, 3), r"no entry for the models \['model_1'"),
        (budget([1, 2, 3], 3), "costs are 3, but there are 5 models"),
        (group_cap({"us": 1}, families={"gpt": "us"}), "'gpt', which is no model"),
        ("simplex" & max_weight(1) & "affine", "names the sets"),
        ("simplx" & max_weight(1), "'simplx' is unknown"),
        ("simplx", "'simplx' is unknown"),
        (max_weight(1) & "", "'' is unknown"),
        ("uniform" & at_most_models(2), "uniform weights leave no choice"),
        (bounded_disparity(1), r"bounded_disparity\(1\).*sensitive_features="),
        (bounded_group_loss(1), r"bounded_group_loss\(1\).*sensitive_features="),
    ],
)
def test_what_does_not_fit_the_panel(constraint, message, P, y):
    with pytest.raises(ValueError, match=message):
        fit(constraint, P, y)


@pytest.mark.parametrize("constraint", [None, 3, [max_weight(0.3)], {"a": 1}])
def test_no_constraint(constraint, P, y):
    with pytest.raises(ValueError, match="is unknown"):
        fit(constraint, P, y)


def test_joining_with_something_else():
    for join in (lambda: max_weight(1) & 3, lambda: None & max_weight(1)):
        with pytest.raises(TypeError, match="is no constraint"):
            join()


@pytest.mark.parametrize("missing", [np.nan, None, "", pd.NA])
def test_rows_without_a_group(missing, P, y, group):
    features = group.astype(object)
    features[7] = missing
    with pytest.raises(ValueError, match="no group at row 7"):
        fit(bounded_disparity(0.1), P, y, sensitive_features=features)
    labels = y.copy()
    labels[7] = np.nan
    model = fit(bounded_disparity(0.1), P, labels, sensitive_features=features)
    keep = np.arange(len(y)) != 7
    assert np.ptp(by_group((model.predict(P) - y)[keep], group[keep])) <= 0.1 + 1e-7


def test_groups_that_nothing_is_known_of(P, y, group):
    labels = np.where(group == "north", np.nan, y)
    with pytest.raises(ValueError, match="'north' of 'group' has no labelled row"):
        fit(bounded_disparity(0.1), P, labels, sensitive_features=group)
    with pytest.raises(ValueError, match="shape"):
        fit(bounded_disparity(0.1), P, y, sensitive_features=group[1:])


JOINED = "simplex" & max_weight(0.3) & at_most_models(4) & budget(COSTS, 5.0)
EACH = [
    max_weight(0.3),
    group_cap({"us": 0.4}, families=VENDORS),
    budget(COSTS, 2.5),
    budget([1, 2, 3, 4, 5], 2),
    bounded_disparity(0.1),
    bounded_group_loss(2),
    at_most_models(3),
    JOINED,
]


@pytest.mark.parametrize("value", EACH, ids=repr)
def test_values_are_values(value):
    """A repr to read and to paste, equality by content, copies that are equal."""
    names = {type(each).__name__ for each in EACH}
    scope = {name: globals()[name] for name in names if name in globals()}
    assert eval(repr(value), scope) == value
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value
    assert value != max_weight(0.31)
    model = StackingNetRegressor(constraint=value)
    assert clone(model).constraint == value
    assert "".join(repr(value).split()) in "".join(repr(model).split())
    assert isinstance(model._repr_html_(), str)


def test_a_constraint_is_read_not_changed(P, y, group):
    limit = JOINED & bounded_disparity(0.3)
    before = pickle.dumps(limit)
    model = StackingNetRegressor(constraint=limit)
    model.fit(P, y, sensitive_features=group)
    assert model.constraint is limit
    assert model.get_params()["constraint"] is limit
    assert pickle.dumps(limit) == before
    again = model.weights_.copy()
    assert_array_equal(model.fit(P, y, sensitive_features=group).weights_, again)


def test_a_fitted_estimator_can_be_stored(P, y, group):
    hole = P.copy()
    hole[0, 0] = np.nan
    limit = "simplex" & bounded_disparity(0.1) & max_weight(0.6)
    model = fit(limit, P, y, sensitive_features=group)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(other.predict(hole), model.predict(hole))


def test_they_go_into_a_grid(P, y):
    grid = {"constraint": [max_weight(0.2), max_weight(0.5) & "simplex", "affine"]}
    search = GridSearchCV(StackingNetRegressor(), grid, cv=3).fit(P, y)
    assert search.best_params_["constraint"] in grid["constraint"]
    assert len(search.cv_results_["params"]) == 3


def test_cross_validation_slices_the_groups(P, y, group):
    """With metadata routing and without: the fit of each fold sees its own groups."""
    limit = bounded_disparity(0.02)
    cv = KFold(3)
    expected = []
    for train, test in cv.split(P):
        model = fit(
            limit, P[train], y[train], sensitive_features=group[train], shrinkage="auto"
        )
        expected.append(model.score(P[test], y[test]))
    params = {"sensitive_features": group}
    model = StackingNetRegressor(constraint=limit)
    assert_allclose(cross_val_score(model, P, y, cv=cv, params=params), expected)
    with sklearn.config_context(enable_metadata_routing=True):
        model.set_fit_request(sensitive_features=True)
        assert_allclose(cross_val_score(model, P, y, cv=cv, params=params), expected)


def test_grids_pass_groups_on(P, y, group):
    grid = {"constraint": [bounded_disparity(0.02), bounded_disparity(0.2)]}
    search = GridSearchCV(StackingNetRegressor(), grid, cv=3)
    search.fit(P, y, sensitive_features=group)
    residual = search.predict(P) - y
    assert np.ptp(by_group(residual, group)) <= 0.2 + 1e-7


@pytest.mark.parametrize("routing", [False, True])
def test_members_under_limits(routing, X, y, members):
    """Limits hold on out-of-fold predictions, from which the weights come; members
    never see the groups."""
    group = np.where(X[:, 1] > 0, "high", "low")
    with sklearn.config_context(enable_metadata_routing=routing):
        model = StackingNetRegressor(
            members, constraint="simplex" & max_weight(0.5) & bounded_disparity(0.3)
        )
        model.fit(X, y, sensitive_features=group)
    assert model.weights_.max() <= 0.5 + 1e-8
    prefit = StackingNetRegressor(
        [(name, each.fit(X, y)) for name, each in members],
        constraint=bounded_disparity(0.01),
        cv="prefit",
    ).fit(X, y, sensitive_features=group)
    assert np.ptp(by_group(prefit.predict(X) - y, group)) <= 0.01 + 1e-7


def test_rows_that_folds_leave_out_count_for_no_group(X, y):
    """The splitter tests the first rows only: groups are theirs."""
    group = np.where(X[:, 1] > 0, "high", "low")
    folds = [(np.arange(20, 60), np.arange(10)), (np.arange(20, 60), np.arange(10, 20))]
    near = KNeighborsRegressor(3).fit(X[20:], y[20:])
    ridge = Ridge().fit(X[20:], y[20:])
    limit = bounded_disparity(0.05)
    model = StackingNetRegressor(
        [("near", KNeighborsRegressor(3)), ("ridge", Ridge())],
        constraint=limit,
        cv=folds,
        shrinkage=0,
    ).fit(X, y, sensitive_features=group)
    table = np.column_stack([each.predict(X[:20]) for each in (near, ridge)])
    expected = fit(limit, table, y[:20], sensitive_features=group[:20])
    assert_allclose(model.weights_, expected.weights_, atol=1e-6)


def patterns_of(model, P):
    """Rows as the models that answer there are weighted, from the predictions."""
    rng = np.random.default_rng(0)
    for seen in rng.random((12, 5)) < 0.7:
        if not seen.any():
            continue
        rows = np.where(seen, np.vstack([np.zeros(5), np.eye(5)]), np.nan)
        found = model.predict(rows)
        yield seen, (found[1:] - found[0]) * seen


@pytest.mark.parametrize("labelled", [True, False])
def test_limits_hold_where_models_are_silent(labelled, P, y):
    holes = P.copy()
    rng = np.random.default_rng(1)
    holes[rng.random(P.shape) < 0.15] = np.nan
    limit = max_weight(0.5) & at_most_models(3)
    if labelled:
        limit = budget(COSTS, 6.0) & limit
    limit = "simplex" & limit
    model = StackingNetRegressor(constraint=limit).fit(holes, y if labelled else None)
    assert np.isfinite(model.predict(P)).all()
    for seen, weights in patterns_of(model, P):
        if seen.sum() < 2:
            continue
        assert weights.max() <= 0.5 + 1e-8
        assert weights.min() >= -1e-12
        assert weights.sum() == pytest.approx(1.0, abs=1e-8)
        assert (weights > 1e-9).sum() <= 3
        if labelled:
            assert weights @ list(COSTS.values()) <= 6.0 + 1e-7


def test_patterns_that_cannot_hold_are_named(P, y):
    model = fit("simplex" & max_weight(0.4), P, y)
    row = np.full((1, 5), np.nan)
    row[0, 1] = 1.0
    with pytest.raises(
        InfeasibleError, match=r"only \['model_1'\] answer.*max_weight\(0.4\)"
    ):
        model.predict(row)


def test_without_labels_the_nearest_average(P):
    """Weights on the simplex that keep the limit, nearest to those without it in the
    prior's own distance, which is what the objective says."""
    limit = max_weight(0.3)
    free = StackingNetRegressor().fit(P)
    model = StackingNetRegressor(constraint=limit).fit(P)
    assert free.weights_.max() > 0.3
    assert model.weights_.max() <= 0.3 + 1e-8
    assert model.weights_.sum() == pytest.approx(1.0, abs=1e-9)
    assert model.intercept_ == 0
    assert model.solution_.objective > 0
    assert model.solution_.gap <= 1e-6
    # A model that is capped is at its cap, the others share the rest.
    assert (model.weights_[free.weights_ > 0.3] > 0.3 - 1e-7).all()
    slack = StackingNetRegressor(constraint=max_weight(0.9)).fit(P)
    assert_allclose(slack.weights_, free.weights_, atol=1e-12)
    with pytest.raises(InfeasibleError, match="max_weight"):
        StackingNetRegressor(constraint=max_weight(0.1)).fit(P)


@every_set
def test_at_most_models_is_the_best_subset(chosen, P, y):
    """As trying all subsets finds it; with parity too."""
    model = fit(chosen & at_most_models(2), P, y)
    values = [
        fit(chosen, P[:, list(own)], y).solution_.objective
        for own in combinations(range(5), 2)
    ]
    assert np.count_nonzero(model.weights_) == 2
    assert model.solution_.objective == pytest.approx(min(values))
    assert model.solution_.status is Status.BEST_SUBSET


def test_the_best_subset_under_parity(P, y, group):
    model = fit(
        at_most_models(2) & bounded_disparity(0.05), P, y, sensitive_features=group
    )
    values = [
        fit(
            bounded_disparity(0.05), P[:, list(own)], y, sensitive_features=group
        ).solution_.objective
        for own in combinations(range(5), 2)
    ]
    assert np.count_nonzero(model.weights_) <= 2
    assert np.ptp(by_group(model.predict(P) - y, group)) <= 0.05 + 1e-7
    assert model.solution_.objective == pytest.approx(min(values), rel=1e-6)


def test_several_counts_the_least_holds(P, y):
    model = fit(at_most_models(3) & at_most_models(2), P, y)
    assert_array_equal(model.weights_, fit(at_most_models(2), P, y).weights_)


# What goes wrong behind cvxpy.


def failing(monkeypatch, *failing_solvers):
    """Solvers that break down, and a list of who was asked."""
    asked = []
    solve = cp.Problem.solve

    def breaks(self, *args, solver=None, **kwargs):
        asked.append(solver)
        if solver in failing_solvers:
            raise cp.error.SolverError(f"{solver} broke down")
        return solve(self, *args, solver=solver, **kwargs)

    monkeypatch.setattr(cp.Problem, "solve", breaks)
    return asked


def test_another_solver_stands_in(P, y, monkeypatch):
    """The answer is that of the other, to its accuracy, and says who failed."""
    expected = fit("simplex" & max_weight(0.3), P, y)
    asked = failing(monkeypatch, "CLARABEL")
    model = fit("simplex" & max_weight(0.3), P, y)
    assert "CLARABEL" in asked
    assert "SCS" in asked
    assert model.solution_.backend.startswith("SCS")
    assert "CLARABEL broke down" in model.solution_.backend
    assert_allclose(model.weights_, expected.weights_, atol=1e-5)


def test_all_solvers_fail(P, y, monkeypatch):
    failing(monkeypatch, "CLARABEL", "SCS", "ECOS", "MOSEK")
    with pytest.raises(RuntimeError, match=r"CLARABEL broke down.*SCS broke down"):
        fit("simplex" & max_weight(0.3), P, y)


def test_no_solver_is_installed(P, y, monkeypatch):
    monkeypatch.setattr(cp, "installed_solvers", lambda: ["HIGHS"])
    with pytest.raises(RuntimeError, match="pip install clarabel"):
        fit("simplex" & max_weight(0.3), P, y)


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        ("infeasible", InfeasibleError, "max_weight"),
        ("infeasible_inaccurate", InfeasibleError, "max_weight"),
        ("unbounded", RuntimeError, "unbounded"),
        ("unbounded_inaccurate", RuntimeError, "unbounded_inaccurate"),
        ("user_limit", RuntimeError, "user_limit"),
    ],
)
def test_each_status_is_told_apart(status, error, message, P, y, monkeypatch):
    """Only a proof that nothing is feasible blames the limits."""
    monkeypatch.setattr(cp.Problem, "status", property(lambda self: status))
    with pytest.raises(error, match=message):
        fit("simplex" & max_weight(0.3), P, y)


def test_inaccurate_answers_are_marked(P, y, monkeypatch):
    """They are used, for the certificate says how good they are."""
    expected = fit("simplex" & max_weight(0.3), P, y)
    status = property(lambda self: "optimal_inaccurate")
    monkeypatch.setattr(cp.Problem, "status", status)
    model = fit("simplex" & max_weight(0.3), P, y)
    assert "inaccurate" in model.solution_.backend
    assert_allclose(model.weights_, expected.weights_, atol=1e-5)


def test_an_answer_that_is_not_certified_warns(P, y, monkeypatch):
    """A solver that stops early: the gap, from the gradient alone, gives it away."""
    from stackingnet_sk.weights import cvxpy_solver

    solve = cvxpy_solver.minimize

    def sloppy(problem):
        answer = solve(problem)
        point = answer.point.copy()
        point[:5] = 0.2
        return answer._replace(point=point)

    monkeypatch.setattr(cvxpy_solver, "minimize", sloppy)
    with pytest.warns(ConvergenceWarning, match="not certified"):
        model = fit("simplex" & max_weight(0.4), P, y)
    assert model.solution_.status is Status.INACCURATE
    assert model.solution_.gap > 1e-3


def test_importing_does_not_load_cvxpy():
    """It takes a second: only a limit that is built needs it."""
    code = (
        "import sys, stackingnet_sk, stackingnet_sk.constraints as c\n"
        "'simplex' & c.max_weight(0.3) & c.budget([1.0], 1.0)\n"
        "stackingnet_sk.StackingNetRegressor().fit([[1.0], [2.0]], [1.0, 2.5])\n"
        "print('cvxpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


# The tools that look at an estimator.


def test_tools_work_on_estimators_with_limits(P, y, group):
    limit = "simplex" & max_weight(0.4) & bounded_disparity(0.2)
    model = fit(limit, P, y, sensitive_features=group, shrinkage="auto")
    board = model.leaderboard()
    assert_allclose(sorted(board["weight"]), sorted(model.weights_))
    assert set(filter(None, prune(model).removed)) <= set(NAMES)
    # Weights of at most 0.4 that sum to one take three models.
    assert np.isfinite(prune(model).error).tolist() == [True, True, True, False, False]
    assert next_model(model, NAMES[:3]).add in {None, *NAMES[3:]}
    ranking = rank_models(model, P, y, n_bootstrap=20, random_state=0)
    assert set(ranking.to_frame()["model"]) == set(NAMES)
    assert str(dependence(model, P, y)).startswith("5 models, 60 rows")
    found = disparity(
        model, y, group, X=P, n_bootstrap=20, n_permutations=20, min_group_size=5
    )
    assert "north" in str(found)


def test_the_label_budget_is_that_of_the_limits(P, y):
    """Refits on fewer labels, each under the limit."""
    model = fit("simplex" & max_weight(0.4), P, y, shrinkage="auto")
    assert label_budget(model, P, y, n_repeats=2, random_state=0) is not None


def test_a_pruner_around_limits(P, y):
    """The limit is on those that are kept, so that few may not fulfil it."""
    pruner = ReliabilityPruner(
        StackingNetRegressor(constraint="simplex" & max_weight(0.6)),
        n_models=3,
        n_bootstrap=20,
    ).fit(P, y)
    assert pruner.support_.sum() == 3
    assert pruner.transform(P).shape == (len(y), 3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pictures_of_estimators_with_limits(P, y):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from stackingnet_sk.inspection import PruningDisplay, WeightsDisplay

    model = fit("simplex" & max_weight(0.4), P, y)
    for display in (WeightsDisplay, PruningDisplay):
        display.from_estimator(model).plot()
    matplotlib.pyplot.close("all")


def test_nothing_warns(P, y, group):
    """Neither ours nor cvxpy's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(JOINED & bounded_disparity(0.2), P, y, sensitive_features=group)


def test_uniform_weights_without_labels_keep_limits_too(P):
    with pytest.raises(InfeasibleError, match="max_weight"):
        StackingNetRegressor(constraint="uniform" & max_weight(0.1)).fit(P)


def test_constant_predictions_without_labels_keep_limits_too():
    with pytest.raises(InfeasibleError, match="max_weight"):
        StackingNetRegressor(constraint=max_weight(0.1)).fit(np.ones((9, 3)))


def test_without_labels_a_limit_that_does_not_bind_changes_nothing(P):
    free = StackingNetRegressor().fit(P)
    slack = StackingNetRegressor(constraint=max_weight(0.9)).fit(P)
    assert slack.solution_.status is free.solution_.status


def test_a_callable_may_bring_variables(P, y):
    """The usual way to write a norm by hand."""

    def near(weights, intercept, names):
        bound = cp.Variable(5)
        return [cp.abs(weights - 0.2) <= bound, cp.sum(bound) <= 0.3]

    def norm(weights, intercept, names):
        return cp.norm1(weights - 0.2) <= 0.3

    assert_allclose(fit(near, P, y).weights_, fit(norm, P, y).weights_, atol=1e-5)


def test_integer_variables_are_not_convex(P, y):
    def chosen(weights, intercept, names):
        use = cp.Variable(5, boolean=True)
        return [weights <= use, cp.sum(use) <= 2]

    with pytest.raises(ValueError, match=r"chosen.*(convex|integer|boolean)"):
        fit(chosen, P, y)


@pytest.mark.parametrize("factor", [1e-6, 1e-9, 1e-12])
def test_limits_in_small_units_hold(factor, P, y, group):
    """Metres for nanometres; squares of labels are small before labels are."""
    free = fit("nonnegative", P, y)
    bound = 0.999 * by_group((free.predict(P) - y) ** 2, group).max()
    model = fit(
        bounded_group_loss(bound * factor**2),
        P * factor,
        y * factor,
        sensitive_features=group,
    )
    left = by_group((model.predict(P * factor) / factor - y) ** 2, group).max()
    assert left <= bound * (1 + 1e-6)


@pytest.mark.parametrize("shift", [1e6, 1e9])
def test_data_far_from_zero_are_certified(shift, P, y):
    model = fit(max_weight(0.3), P + shift, y + shift)
    assert model.solution_.status is Status.OPTIMAL


def test_a_group_without_weight_is_refused(P, y, group):
    weight = np.where(group == "north", 0.0, 1.0)
    with pytest.raises(ValueError, match="north"):
        fit(
            bounded_disparity(0.01),
            P,
            y,
            sensitive_features=group,
            sample_weight=weight,
        )


def test_constant_models_have_no_weight_and_the_error_says_so(P, y):
    """A sixth each would be feasible, but one of six always says 3."""
    table = np.column_stack([P, np.full(len(y), 3.0)])
    limit = "simplex" & max_weight(0.17)
    with pytest.raises(InfeasibleError, match=r"of \['model_5'\] do not vary"):
        StackingNetRegressor(constraint=limit).fit(table, y)


def test_a_class_instead_of_a_value(P, y):
    with pytest.raises((TypeError, ValueError), match=r"max_weight.*call"):
        fit(max_weight, P, y)


def test_families_that_are_numbers(P, y):
    limit = group_cap({"1": 0.1}, families={"model_0": 1})
    assert fit(limit, P, y).weights_[0] <= 0.1 + 1e-8


def test_costs_in_a_series_go_by_name(P, y):
    series = pd.Series(COSTS).iloc[::-1]
    one, other = (fit("simplex" & budget(each, 2.0), P, y) for each in (COSTS, series))
    assert_array_equal(one.weights_, other.weights_)


def test_costs_in_an_array_are_values():
    value = budget(np.array([1.0, 2.0]), 1.0)
    assert value == budget(np.array([1.0, 2.0]), 1.0)
    assert hash(value) == hash(budget([1.0, 2.0], 1.0))
    assert eval(repr(value)) == value


def test_models_without_use_have_no_weight(P, y):
    """As in the native solution: exactly none, for whoever counts or prunes."""
    weights = fit("simplex" & max_weight(0.9) & budget([0, 9, 9, 9, 9], 1), P, y)
    assert np.count_nonzero(weights.weights_ > 1e-7) == np.count_nonzero(
        weights.weights_
    )


def test_subsets_in_other_units(P, y):
    """Scores of a billion for labels of one: weights of one in a billion."""
    limit = at_most_models(2) & bounded_disparity(99)
    group = np.arange(len(y)) % 2
    one = fit(limit, P, y, sensitive_features=group)
    other = fit(limit, P * 1e9, y, sensitive_features=group)
    assert_allclose(other.weights_ * 1e9, one.weights_, atol=1e-6)


def test_by_how_much_parity_would_have_to_give_way(P, y, group):
    """Whichever of the groups is ahead."""
    off = np.ptp(by_group(P.mean(axis=1) - y, group))
    message = rf"bounded_disparity.*give way by {off - 0.001:.3g}"
    for sign in (1.0, -1.0):
        with pytest.raises(InfeasibleError, match=message):
            fit(
                "uniform" & bounded_disparity(0.001),
                sign * P,
                sign * y,
                sensitive_features=group,
            )


def test_what_no_subset_can_hold_is_named(P, y):
    """More models would not help: five at a tenth are a half."""
    with pytest.raises(InfeasibleError, match=r"max_weight\(0.1\)"):
        fit("simplex" & at_most_models(2) & max_weight(0.1), P, y)


def test_units_of_costs_do_not_matter(P, y):
    small = {name: 1e-10 * cost for name, cost in COSTS.items()}
    one = fit("simplex" & budget(COSTS, 2.0), P, y)
    other = fit("simplex" & budget(small, 2e-10), P, y)
    assert_allclose(other.weights_, one.weights_, atol=1e-5)


def test_a_row_that_no_weights_can_serve_is_named(P, y):
    """A cap of three tenths and a single model left: the message says where."""
    model = fit("simplex" & max_weight(0.3), P, y)
    table = P[:4].copy()
    table[2, 1:] = np.nan
    with pytest.raises(InfeasibleError, match=r"Row 2, where only \['model_0'\].*0\.7"):
        model.predict(table)


def test_groups_of_several_columns_say_whose_they_are(P, y, group):
    """Two columns may have values in common."""
    columns = {"region": group, "shift": np.roll(group, 1)}
    limit = "simplex" & bounded_disparity(0.0) & max_weight(0.2)
    with pytest.raises(InfeasibleError, match="between 'region=north' and"):
        fit(limit, P, y + (group == "north"), sensitive_features=columns)


def test_numbers_are_no_groups(P, y):
    """Pairs of a hundred values would be thousands of constraints."""
    with pytest.raises(ValueError, match=r"compares \d+ groups.*bin what is a number"):
        fit(bounded_disparity(0.1), P, y, sensitive_features=y)


def test_groups_without_any_label(P, group):
    with pytest.raises(ValueError, match="no row has a label"):
        StackingNetRegressor(constraint=bounded_disparity(0.1)).fit(
            P, sensitive_features=group
        )


def test_the_error_of_a_callable_names_it(P, y):
    def chained(weights, intercept, names):
        return [0 <= weights[0] <= 0.3]

    with pytest.raises(Exception, match="chain constraints") as caught:
        fit(chained, P, y)
    assert "chained" in caught.value.__notes__[0]
