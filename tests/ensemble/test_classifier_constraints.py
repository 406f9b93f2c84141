"""Limits that users set, on a classifier: that they hold, and nothing is better."""

import copy
import pickle

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.tree import DecisionTreeClassifier

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.constraints import (
    at_most_models,
    bounded_disparity,
    bounded_group_loss,
    budget,
    group_cap,
    max_weight,
)
from stackingnet_sk.inspection import (
    dependence,
    disparity,
    next_model,
    prune,
    rank_models,
)
from stackingnet_sk.weights import InfeasibleError, Status

NAMES = [f"model_{m}" for m in range(4)]
N_CLASSES = 3


def panel(seed=0, n_rows=240):
    """The best voter guesses in the north, where another is good."""
    rng = np.random.default_rng(seed)
    y = rng.integers(N_CLASSES, size=n_rows)
    group = np.where(rng.random(n_rows) < 0.4, "north", "south")
    skill = np.where(
        (group == "north")[:, None], [0.1, 0.5, 0.45, 0.8], [0.85, 0.6, 0.5, 0.3]
    )
    guess = rng.integers(N_CLASSES, size=(n_rows, 4))
    votes = np.where(rng.random((n_rows, 4)) < skill, y[:, None], guess)
    table = np.full((n_rows, 4, N_CLASSES), 0.15)
    np.put_along_axis(table, votes[:, :, None], 0.7, axis=2)
    table += 0.1 * rng.random(table.shape)
    return votes, table / table.sum(axis=2, keepdims=True), y, group


VOTES, TABLE, Y, GROUP = panel()
# How the architecture is asked for, and what it is fitted on.
WAYS = {
    "shared votes": ({"structure": "shared", "shrinkage": 50.0}, VOTES),
    "full votes": ({"structure": "full", "shrinkage": 50.0}, VOTES),
    "shared evidence": ({"structure": "shared"}, TABLE),
    "full evidence": ({"structure": "full"}, TABLE),
    "linear pool": ({"pool": "linear"}, TABLE),
    "balanced votes": (
        {"structure": "shared", "class_weight": "balanced", "shrinkage": 50.0},
        VOTES,
    ),
    "weighted pool": ({"pool": "linear", "class_weight": {0: 3.0, 1: 1, 2: 1}}, TABLE),
}
every_way = pytest.mark.parametrize("way", WAYS)


def fit(way, constraint=None, rows=slice(None), **passed):
    options, X = WAYS[way]
    model = StackingNetClassifier(constraint=constraint, **options)
    return model.fit(X[rows], Y[rows], **passed), X


def scores_of(model, X):
    """What bounded_disparity compares, from the public predictions."""
    p = model.predict_proba(X)
    rows = np.arange(len(Y))
    if model.pool == "linear":
        return p[rows, Y]
    scores = np.log(p)
    return scores[rows, Y] - scores.mean(axis=1)


def losses_of(model, X):
    return -np.log(model.predict_proba(X)[np.arange(len(Y)), Y])


def by_group(values, group=GROUP):
    return np.array([values[group == each].mean() for each in np.unique(group)])


def binding(way, builder):
    """A limit that the native weights break, and how much others do."""
    free, X = fit(way)
    largest = free.weights_.max()
    gap = np.ptp(by_group(scores_of(free, X)))
    loss = by_group(losses_of(free, X)).max()
    length = np.linalg.norm(free.weights_)
    most = free.weights_.argmax()
    costs = np.where(np.arange(4) == most, 2.0, 0.5)
    spent = float(costs @ free.weights_)
    family = free.model_names_[most]
    cap = 0.8 * largest if way.split()[1] != "pool" else 0.9 * largest

    def sizes(model):
        return model.weights_.max() - cap

    def families(model):
        return model.weights_[most] - cap

    def spends(model):
        return costs @ model.weights_ - 0.95 * spent

    def differs(model):
        return np.ptp(by_group(scores_of(model, X))) - 0.9 * gap

    def loses(model):
        return by_group(losses_of(model, X)).max() - 0.999 * loss

    def norm(weights, intercept, names):
        assert len(names) == 4
        return cp.norm(weights) + 0 * cp.sum(intercept) <= 0.95 * length

    def norms(model):
        return np.linalg.norm(model.weights_) - 0.95 * length

    return {
        "max_weight": (max_weight(cap), sizes),
        "group_cap": (group_cap({"us": cap}, families={family: "us"}), families),
        "budget": (budget(costs.tolist(), 0.95 * spent), spends),
        "bounded_disparity": (bounded_disparity(0.9 * gap), differs),
        "bounded_group_loss": (bounded_group_loss(0.999 * loss), loses),
        "callable": (norm, norms),
    }[builder]


BUILDERS = [
    "max_weight",
    "group_cap",
    "budget",
    "bounded_disparity",
    "bounded_group_loss",
    "callable",
]


@every_way
@pytest.mark.parametrize("builder", BUILDERS)
def test_it_holds_on_what_it_is_about(builder, way):
    """Measured from weights and predicted probabilities alone; met exactly, for the
    native weights break it; certified."""
    limit, excess = binding(way, builder)
    free, _ = fit(way)
    assert excess(free) > 0
    model, _ = fit(way, limit, sensitive_features=GROUP)
    solution = model.solution_
    assert abs(excess(model)) <= 1e-6
    assert solution.status is Status.OPTIMAL
    assert solution.solver == "cvxpy"
    assert solution.gap <= 1e-6
    assert solution.objective >= free.solution_.objective - 1e-9
    assert model.structure_ == free.structure_
    if model.pool == "linear":
        assert model.weights_.sum() == pytest.approx(1.0, abs=1e-9)
    if "full" not in way:
        assert model.weights_.min() >= 0


@every_way
def test_what_does_not_bind_changes_nothing(way):
    """The native solution, to the last bit, and it says so."""
    free, _ = fit(way)
    loose = max_weight(99) & bounded_disparity(9) & bounded_group_loss(9)
    loose = loose & budget([1, 1, 1, 1], 99) & (lambda w, b, names: cp.norm(w) <= 99)
    model, X = fit(way, loose, sensitive_features=GROUP)
    assert model.solution_.solver == "native"
    assert_array_equal(model.weights_, free.weights_)
    assert_array_equal(model.predict_proba(X), free.predict_proba(X))
    for name in ("objective", "gap", "residual", "status", "expected_error"):
        pair = [getattr(each.solution_, name) for each in (model, free)]
        assert pair[0] == pair[1] or np.isnan(pair).all()


@every_way
def test_looser_is_never_worse(way):
    free, _ = fit(way)
    largest = free.weights_.max()
    values = [
        fit(way, max_weight(share * largest))[0].solution_.objective
        for share in (0.6, 0.75, 0.9, 0.99, 1.01)
    ]
    assert np.all(np.diff(values) <= 1e-8)
    assert values[-1] == free.solution_.objective


def test_no_feasible_weights_do_better():
    """The linear pool without a prior: its log loss, from the table, at random shares
    under the cap."""
    model = StackingNetClassifier(
        pool="linear", shrinkage=0, constraint=max_weight(0.35), class_weight="balanced"
    ).fit(TABLE, Y)
    rng = np.random.default_rng(0)
    near = model.weights_ + np.array([[0.05], [0.5]]).repeat(
        1000, axis=0
    ) * rng.standard_normal((2000, 4))
    near = np.maximum(near, 1e-9)
    near /= near.sum(axis=1, keepdims=True)
    near = near[near.max(axis=1) <= 0.35]
    assert len(near) > 100
    best = losses_weighted(model, model.weights_)
    for weights in near:
        assert losses_weighted(model, weights) >= best - 1e-8


def losses_weighted(model, weights):
    other = copy.copy(model)
    other.weights_ = weights
    loss = losses_of(other, TABLE)
    return np.mean([loss[each == Y].mean() for each in range(N_CLASSES)])


@pytest.mark.parametrize("way", ["shared votes", "shared evidence", "full votes"])
def test_it_agrees_with_a_formulation_on_the_rows(way):
    """Without a prior, multinomial logistic regression on the rows under a cap, its
    class prior the offset, written down in cvxpy."""
    options, X = WAYS[way]
    options = {**options, "shrinkage": 0}
    model = StackingNetClassifier(constraint=max_weight(0.5), **options).fit(X, Y)
    scores = model.predict_proba(X)
    ways = "full" in way
    weights = cp.Variable(4)
    shift = cp.Variable(N_CLASSES)
    votes = np.eye(N_CLASSES)[VOTES]
    if way.endswith("evidence"):
        evidence = np.log(TABLE + 0.003) - np.log(model.class_rates_ + 0.003)
        votes = evidence - evidence.mean(axis=2, keepdims=True)
    own = sum(weights[m] * votes[:, m] for m in range(4))
    limits = [weights >= 0, weights <= 0.5]
    if ways:
        matrices = [cp.Variable((N_CLASSES, N_CLASSES)) for _ in range(4)]
        own = sum(votes[:, m] @ matrices[m] for m in range(4))
        # How much a vote raises its class above the others, mean over the classes.
        raised = [
            (cp.trace(each) - (cp.sum(each) - cp.trace(each)) / (N_CLASSES - 1))
            / N_CLASSES
            for each in matrices
        ]
        limits = [each <= 0.5 for each in raised]
    own = own + np.ones((len(Y), 1)) @ cp.reshape(shift, (1, N_CLASSES), order="C")
    truth = np.eye(N_CLASSES)[Y]
    loss = cp.sum(cp.log_sum_exp(own, axis=1)) - cp.sum(cp.multiply(truth, own))
    problem = cp.Problem(cp.Minimize(loss / len(Y)), limits)
    problem.solve(solver=cp.CLARABEL)
    assert losses_of(model, X).mean() == pytest.approx(problem.value, abs=1e-6)
    expected = np.exp(own.value)
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(scores, expected, atol=2e-3 if ways else 1e-4)


def test_several_columns_of_groups():
    other = np.arange(len(Y)) % 2
    limit = bounded_disparity(0.02)
    frame = pd.DataFrame({"place": GROUP, "time": other})
    model, X = fit("shared votes", limit, sensitive_features=frame)
    for column in (GROUP, other):
        assert np.ptp(by_group(scores_of(model, X), column)) <= 0.02 + 1e-6


@pytest.mark.parametrize("way", ["shared votes", "shared evidence", "linear pool"])
def test_sample_weight_weighs_groups_as_well(way):
    """A weight of two is the row twice."""
    twice = np.random.default_rng(0).integers(1, 3, len(Y))
    rows = np.repeat(np.arange(len(Y)), twice)
    limit = binding(way, "bounded_disparity")[0] & max_weight(5)
    one, X = fit(way, limit, sensitive_features=GROUP, sample_weight=twice)
    other, _ = fit(way, limit, rows, sensitive_features=GROUP[rows])
    assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-5)


@every_way
def test_the_order_of_the_models_does_not_matter(way):
    options, X = WAYS[way]
    order = [2, 0, 3, 1]
    limit, _ = binding(way, "max_weight")
    one = StackingNetClassifier(constraint=limit, **options).fit(X, Y)
    other = StackingNetClassifier(constraint=limit, **options).fit(X[:, order], Y)
    assert_allclose(other.weights_, one.weights_[order], atol=1e-5)


def test_automatic_structure_is_shared_under_limits():
    limit, _ = binding("shared votes", "max_weight")
    auto = StackingNetClassifier(constraint=limit, shrinkage=50.0).fit(VOTES, Y)
    shared, _ = fit("shared votes", limit)
    assert auto.structure_ == "shared"
    assert_array_equal(auto.weights_, shared.weights_)


def test_perfect_separation_needs_no_prior_under_a_cap():
    """Without a prior no weights of a perfect voter are best; under a cap, the cap."""
    votes = np.column_stack([Y, VOTES[:, 1:]])
    model = StackingNetClassifier(shrinkage=0, constraint=max_weight(2.0))
    model.fit(votes, Y)
    assert model.weights_[0] == pytest.approx(2.0, abs=1e-6)
    assert model.solution_.gap <= 1e-6


def test_binary_votes():
    y = (Y > 0).astype(int)
    votes = (VOTES > 0).astype(int)
    model = StackingNetClassifier(constraint=max_weight(0.5)).fit(votes, y)
    assert model.weights_.max() <= 0.5 + 1e-7
    proba = model.predict_proba(votes)
    assert_allclose(proba.sum(axis=1), 1)


def test_some_rows_without_labels_or_groups():
    """UserConstraints are about the labelled rows; others need no group."""
    labels = Y.astype(float)
    labels[::3] = np.nan
    group = GROUP.astype(object)
    group[::3] = None
    known = np.arange(len(Y)) % 3 != 0
    free = StackingNetClassifier(structure="shared").fit(VOTES, labels)
    gap = np.ptp(by_group(scores_of(free, VOTES)[known], GROUP[known]))
    model = StackingNetClassifier(constraint=bounded_disparity(gap / 2))
    model.fit(VOTES, labels, sensitive_features=group)
    left = np.ptp(by_group(scores_of(model, VOTES)[known], GROUP[known]))
    assert left == pytest.approx(gap / 2, abs=1e-6)


def test_blocks_of_votes_keep_limits():
    """Those on weights; counts say nothing of groups."""
    whole, X = fit("shared votes", max_weight(0.5))
    model = StackingNetClassifier(constraint=max_weight(0.5), structure="shared")
    for rows in np.array_split(np.arange(len(Y)), 3):
        model.partial_fit(X[rows], Y[rows], classes=range(N_CLASSES))
    assert_allclose(model.weights_, whole.weights_, atol=1e-6)
    with pytest.raises(ValueError, match=r"bounded_disparity.*sensitive_features="):
        StackingNetClassifier(constraint=bounded_disparity(0.1)).partial_fit(
            VOTES, Y, classes=range(N_CLASSES)
        )


@every_way
def test_infeasible_limits_are_named(way):
    with pytest.raises(
        InfeasibleError, match=r"bounded_group_loss\(0.001\) of 'north'"
    ):
        fit(way, bounded_group_loss(0.001), sensitive_features=GROUP)
    if WAYS[way][0].get("pool"):
        with pytest.raises(InfeasibleError, match=r"max_weight\(0.2\) can't hold"):
            fit(way, max_weight(0.2) & budget([1, 1, 1, 1], 5))


def test_infeasible_leaves_nothing_behind():
    model, X = fit("linear pool", max_weight(0.9))
    model.set_params(constraint=max_weight(0.2))
    with pytest.raises(InfeasibleError):
        model.fit(X, Y)
    assert not hasattr(model, "weights_")


@pytest.mark.parametrize("limit", [max_weight(0.3), bounded_group_loss(9)])
def test_limits_need_labels(limit):
    model = StackingNetClassifier(constraint=limit)
    with pytest.raises(ValueError, match=r"needs labels.*constraint=None"):
        model.fit(VOTES)
    with pytest.raises(ValueError, match="label"):
        model.fit(VOTES, np.full(len(Y), np.nan))


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("simplex", "names a constraint set"),
        ("simplex" & max_weight(0.3), "names a constraint set"),
        ("simplx", "unknown"),
        (at_most_models(2), "in regression only"),
        (max_weight(0.3) & at_most_models(2), "prune"),
        (budget({"gpt": 1.0}, 1), "'gpt', which is no model"),
        (budget([1, 2], 1), "costs are 2, but there are 4 models"),
        (bounded_disparity(0.1), "fit was given none"),
        (bounded_group_loss(0.1), "fit was given none"),
    ],
)
def test_what_does_not_fit_a_classifier(constraint, message):
    with pytest.raises(ValueError, match=message):
        StackingNetClassifier(constraint=constraint).fit(VOTES, Y)


@pytest.mark.parametrize("constraint", [3, [max_weight(0.3)]])
def test_no_constraint(constraint):
    with pytest.raises((TypeError, ValueError), match="constraint"):
        StackingNetClassifier(constraint=constraint).fit(VOTES, Y)


def test_a_callable_that_gives_something_else():
    def strange(weights, intercept, names):
        return intercept.shape

    with pytest.raises(TypeError, match=r"strange\[0\] gave 3, which is not a cvxpy"):
        fit("shared votes", strange)


def test_what_is_not_convex_is_named():
    def diverse(weights, intercept, names):
        return cp.norm(weights) >= 0.3

    with pytest.raises(ValueError, match=r"diverse\[0\] is not convex"):
        fit("shared votes", diverse)


def test_a_callable_sees_the_intercepts():
    """One a class, the logarithm of the class prior included, as `intercept_`."""

    def level(weights, intercept, names):
        return intercept == np.log([0.5, 0.25, 0.25])

    model, _ = fit("shared votes", level)
    assert_allclose(model.intercept_, np.log([0.5, 0.25, 0.25]), atol=1e-7)


def test_another_solver_stands_in(monkeypatch):
    expected, _ = fit("shared votes", max_weight(0.8))
    solve = cp.Problem.solve

    def breaks(self, *args, solver=None, **kwargs):
        if solver == "CLARABEL":
            raise cp.error.SolverError("CLARABEL broke down")
        return solve(self, *args, solver=solver, **kwargs)

    monkeypatch.setattr(cp.Problem, "solve", breaks)
    model, _ = fit("shared votes", max_weight(0.8))
    assert model.solution_.backend.startswith("SCS")
    assert "CLARABEL broke down" in model.solution_.backend
    assert_allclose(model.weights_, expected.weights_, atol=1e-4)


def test_no_solver_is_installed(monkeypatch):
    monkeypatch.setattr(cp, "installed_solvers", lambda: [])
    with pytest.raises(RuntimeError, match="pip install clarabel"):
        fit("shared votes", max_weight(0.8))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("infeasible", InfeasibleError),
        ("unbounded", RuntimeError),
        ("user_limit", RuntimeError),
    ],
)
def test_each_status_is_told_apart(status, error, monkeypatch):
    monkeypatch.setattr(cp.Problem, "status", property(lambda self: status))
    with pytest.raises(error):
        fit("shared votes", max_weight(0.8))


@every_way
def test_contract(way):
    """Clone, pickle, copies; the parameter is never rewritten; again the same."""
    limit, _ = binding(way, "bounded_disparity")
    model, X = fit(way, limit, sensitive_features=GROUP)
    assert model.constraint is limit
    assert clone(model).constraint == limit
    expected = model.predict_proba(X)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_array_equal(other.predict_proba(X), expected)
    again, _ = fit(way, limit, sensitive_features=GROUP)
    assert_array_equal(again.predict_proba(X), expected)


def test_they_go_into_a_grid():
    grid = {"constraint": [None, max_weight(0.4), max_weight(0.8) & budget([1] * 4, 3)]}
    search = GridSearchCV(StackingNetClassifier(), grid, cv=3).fit(VOTES, Y)
    assert search.best_params_["constraint"] in grid["constraint"]


def test_cross_validation_slices_the_groups():
    """With metadata routing and without: the fit of each fold sees its own groups."""
    limit = bounded_disparity(0.02)
    cv = KFold(3)
    expected = [
        fit("shared votes", limit, train, sensitive_features=GROUP[train])[0].score(
            VOTES[test], Y[test]
        )
        for train, test in cv.split(VOTES)
    ]
    model = StackingNetClassifier(structure="shared", shrinkage=50.0, constraint=limit)
    passed = {"cv": cv, "params": {"sensitive_features": GROUP}}
    assert_allclose(cross_val_score(model, VOTES, Y, **passed), expected)
    with sklearn.config_context(enable_metadata_routing=True):
        model.set_fit_request(sensitive_features=True)
        assert_allclose(cross_val_score(model, VOTES, Y, **passed), expected)


@pytest.mark.parametrize("pool", ["logit", "linear"])
def test_members_under_limits(pool):
    """On fitted members' probabilities, the limit holds on what they predict."""
    X = np.random.default_rng(0).normal(size=(len(Y), 3)) + Y[:, None] * [1, 0.5, 0]
    members = [
        ("logistic", LogisticRegression().fit(X, Y)),
        ("tree", DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, Y)),
    ]
    options = {"cv": "prefit", "pool": pool, "structure": "shared"}
    free = StackingNetClassifier(members, **options).fit(X, Y)
    bound = 0.9 * np.ptp(by_group(scores_of(free, X)))
    model = StackingNetClassifier(
        members, constraint=bounded_disparity(bound), **options
    )
    model.fit(X, Y, sensitive_features=GROUP)
    assert np.ptp(by_group(scores_of(model, X))) == pytest.approx(bound, abs=1e-6)
    crossed = StackingNetClassifier(
        members, pool=pool, constraint=max_weight(0.6), cv=3
    ).fit(X, Y, sensitive_features=GROUP)
    assert crossed.weights_.max() <= 0.6 + 1e-7


def test_tools_work_on_estimators_with_limits():
    model, X = fit("shared votes", max_weight(0.8))
    assert_allclose(sorted(model.leaderboard()["weight"]), sorted(model.weights_))
    assert np.isfinite(prune(model).error).all()
    assert next_model(model, NAMES[:3]).add in {None, "model_3"}
    ranking = rank_models(model, X, Y, n_bootstrap=20, random_state=0)
    assert set(ranking.to_frame()["model"]) == set(NAMES)
    assert str(dependence(model, X, Y)).startswith("4 models")
    limit = bounded_disparity(0.01) & budget(dict.fromkeys(NAMES, 1.0), 3.0)
    model, X = fit("shared votes", limit, sensitive_features=GROUP)
    assert np.isfinite(prune(model).error).all()
    assert next_model(model, NAMES[:3]).add in {None, "model_3"}
    found = disparity(
        model, Y, GROUP, X=X, n_bootstrap=20, n_permutations=20, min_group_size=5
    )
    assert "north" in str(found)


@pytest.mark.parametrize("way", ["shared votes", "linear pool"])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_group_without_weight_is_refused(way):
    weight = np.where(GROUP == "north", 0.0, 1.0)
    limit = bounded_disparity(0.001)
    with pytest.raises(ValueError, match="north"):
        fit(way, limit, sensitive_features=GROUP, sample_weight=weight)


def test_a_pool_that_explains_no_row_keeps_limits():
    table = np.zeros((9, 4, N_CLASSES))
    table[np.arange(9), :, (Y[:9] + 1) % N_CLASSES] = 1.0
    with pytest.raises(ValueError, match="nothing to weigh under a constraint"):
        StackingNetClassifier(pool="linear", constraint=max_weight(0.1)).fit(
            table, Y[:9]
        )


def test_the_expected_error_is_that_of_the_limited_weights():
    """Far from the optimum it is above, as the loss itself is."""
    free, _ = fit("shared votes")
    model, X = fit("shared votes", max_weight(0.05))
    assert losses_of(model, X).mean() > 1.3 * losses_of(free, X).mean()
    assert model.solution_.expected_error > 1.2 * free.solution_.expected_error


def test_rows_on_which_all_abstain_do_not_count():
    """They get the class prior, whatever the weights: no limit can move it."""
    votes = VOTES.astype(float)
    silent = (GROUP == "north") & (np.arange(len(Y)) % 2 == 0)
    votes[silent] = np.nan
    free = StackingNetClassifier(structure="shared", shrinkage=0).fit(votes, Y)
    own = losses_of(free, votes)
    bound = 0.95 * own[(GROUP == "north") & ~silent].mean()
    model = StackingNetClassifier(
        structure="shared", shrinkage=0, constraint=bounded_group_loss(bound)
    ).fit(votes, Y, sensitive_features=GROUP)
    own = losses_of(model, votes)
    assert own[(GROUP == "north") & ~silent].mean() <= bound + 1e-6
