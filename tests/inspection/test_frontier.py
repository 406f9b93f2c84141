"""What a limit costs: tighter limits hold, out of fold, and the price is told."""

import numpy as np
import pytest
from pictures import assert_readable
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.constraints import max_weight
from stackingnet_sk.inspection import FrontierDisplay, frontier

matplotlib = pytest.importorskip("matplotlib")
# No window, wherever the tests run.
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def panel():
    """The best model is off for the second group, the others are noisy for both."""
    rng = np.random.default_rng(0)
    groups = rng.choice(["a", "b"], size=400)
    y = rng.normal(size=400)
    P = y[:, None] + rng.normal(size=(400, 4)) * [0.3, 0.9, 1.0, 1.1]
    P[groups == "b", 0] += 1.0
    return P, y, groups


@pytest.fixture
def votes(panel):
    P, y, groups = panel
    return (P > 0).astype(int), (y > 0).astype(int), groups


def test_disparity_falls_with_the_limit(panel):
    """Out of fold the gap follows the limit, within what 400 rows say of a mean, and
    the limit that is none is the estimator as it is."""
    P, y, groups = panel
    found = frontier(StackingNetRegressor(), P, y, sensitive_features=groups)
    assert np.isinf(found.limit[-1])
    assert found.change[-1] == 0
    assert (np.diff(found.limit) > 0).all()
    assert np.abs(found.measured[:-1] - found.limit[:-1]).max() < 0.05
    free = StackingNetRegressor().fit(P, y)
    np.testing.assert_array_equal(found.weights[-1], free.weights_)
    # The model that is unfair is the best: fairness costs, and the table says so.
    assert found.change[0] > 2 * found.standard_error[0] > 0


def test_default_limits_start_where_weights_can_follow(panel):
    """Averages cannot close the gap of a group whose labels are off by what no model
    sees: there is a least disparity."""
    P, y, groups = panel
    y = y + 2.0 * (groups == "b")
    estimator = StackingNetRegressor(constraint="simplex")
    found = frontier(estimator, P[:, 1:], y, sensitive_features=groups)
    assert found.limit[0] > 0
    assert np.isfinite(found.weights).all()


def test_limits_that_nobody_fulfils_are_nan(panel):
    P, y, _ = panel
    estimator = StackingNetRegressor(constraint="simplex")
    found = frontier(estimator, P, y, "budget", values=[1, 5], costs=[4, 3, 2, 2])
    assert np.isnan(found.error[0])
    assert np.isfinite(found.error[1:]).all()
    assert "nan" in str(found).splitlines()[1]


def test_budget_and_models(panel):
    """Costs stay within the budget; numbers of models within their limit."""
    P, y, _ = panel
    costs = {f"model_{j}": cost for j, cost in enumerate([4.0, 1.0, 1.0, 1.0])}
    found = frontier(StackingNetRegressor(), P, y, "budget", costs=costs)
    assert (found.measured <= found.limit + 1e-8).all()
    np.testing.assert_allclose(found.measured, found.weights @ list(costs.values()))
    found = frontier(StackingNetRegressor(), P, y, "models")
    assert found.limit.tolist() == [1, 2, 3, 4, np.inf]
    assert (found.measured <= found.limit).all()
    assert found.to_frame()["limit"].tolist() == found.limit.tolist()


def test_own_constraint_stays_in_force(panel):
    P, y, _ = panel
    estimator = StackingNetRegressor(constraint="simplex" & max_weight(0.6))
    found = frontier(estimator, P, y, "budget", costs=[2, 1, 1, 1], values=[1.3, 1.5])
    assert found.weights.max() <= 0.6 + 1e-8
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0)


@pytest.mark.parametrize("pool", ["logit", "linear"])
def test_classes(votes, pool):
    table, y, groups = votes
    estimator = StackingNetClassifier(pool=pool)
    if pool == "linear":
        table = np.eye(2)[table] * 0.8 + 0.1
    found = frontier(estimator, table, y, sensitive_features=groups, values=[0.0, 0.1])
    assert found.measured[0] < found.measured[-1]
    assert found.error[0] >= found.error[-1]


def test_rows_without_labels_are_left_out(panel):
    """They have no loss, and need no group."""
    P, y, groups = panel
    part = np.where(np.arange(400) < 200, y, np.nan)
    shown = np.where(np.arange(400) < 200, groups, None)
    options = {"values": [0.1], "n_splits": 3}
    some = frontier(
        StackingNetRegressor(), P, part, sensitive_features=shown, **options
    )
    own = frontier(
        StackingNetRegressor(),
        P[:200],
        y[:200],
        sensitive_features=groups[:200],
        **options,
    )
    np.testing.assert_array_equal(some.error, own.error)


def test_members_are_refitted(panel):
    P, y, _ = panel
    members = [
        ("line", LinearRegression()),
        ("tree", DecisionTreeRegressor(max_depth=3, random_state=0)),
    ]
    found = frontier(StackingNetRegressor(members), P, y, "models")
    assert found.names.tolist() == ["line", "tree"]
    assert np.isfinite(found.error).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"against": "speed"}, "'speed' is unknown"),
        ({}, "needs sensitive_features="),
        ({"against": "budget"}, "needs costs="),
        ({"against": "budget", "costs": {"model_0": 1}}, "no entry for .*model_1"),
        ({"against": "budget", "costs": [1, 2]}, "costs are 2, but there are 4"),
    ],
)
def test_bad_input(panel, options, words):
    P, y, _ = panel
    with pytest.raises(ValueError, match=words):
        frontier(StackingNetRegressor(), P, y, **options)


@pytest.mark.parametrize("against", ["disparity", "budget", "models"])
def test_display(panel, against):
    """Every limit that can be held is a point, the open one is without."""
    P, y, groups = panel
    given = {"disparity": {"sensitive_features": groups}, "budget": {"costs": range(4)}}
    display = FrontierDisplay.from_estimator(
        StackingNetRegressor(), P, y, against, **given.get(against, {})
    )
    line = display.ax_.lines[0]
    found = display.frontier
    np.testing.assert_array_equal(line.get_xdata(), found.measured)
    np.testing.assert_array_equal(line.get_ydata(), found.error)
    assert_readable(display)
    assert display.ax_.get_ylabel() == "out-of-fold error"
