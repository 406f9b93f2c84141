"""Whom to drop: in which order, at which error, and as a step of a pipeline."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.inspection import ReliabilityPruner, prune, rank_models

SPREAD = np.array([0.6, 0.3, 3.0, 1.0, 0.6])
ACCURACY = np.array([0.8, 0.9, 0.55, 0.7, 0.8])


def numbers(n_rows=200, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n_rows)
    return truth[:, None] + rng.normal(size=(n_rows, 5)) * SPREAD, truth


def votes(n_rows=200, seed=0, n_classes=2):
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_rows)
    right = rng.random((n_rows, 5)) < ACCURACY
    off = rng.integers(1, n_classes, size=right.shape)
    table = (truth[:, None] + np.where(right, 0, off)) % n_classes
    return table.astype(float), truth


CASES = {
    "numbers": (StackingNetRegressor, numbers),
    "votes": (StackingNetClassifier, votes),
}
both = pytest.mark.parametrize("kind", CASES)
FAST = {"n_bootstrap": 100, "random_state": 0}
# Votes have two structures to choose from, which takes its time.
QUICK = {"numbers": {}, "votes": {"structure": "shared"}}


def adversary(kind, n_rows=200):
    """The third column is turned around."""
    X, y = CASES[kind][1](n_rows)
    X[:, 2] = -X[:, 1] if kind == "numbers" else 1 - X[:, 1]
    return X, y


@both
def test_the_least_reliable_goes_first(kind):
    estimator, rows = CASES[kind]
    X, y = rows(400)
    model = estimator().fit(X, y)
    path = prune(model)
    order = np.argsort(model.reliability_)
    assert path.removed.tolist() == model.model_names_[order].tolist()
    assert_allclose(path.reliability, np.sort(model.reliability_), rtol=1e-9)
    assert path.removed[0] == "model_2"
    assert path.removed[-1] == "model_1"


def test_equal_models_go_in_order_of_their_names():
    X, y = numbers()
    table = pd.DataFrame({"b": X[:, 0], "c": X[:, 1], "a": X[:, 0]})
    assert prune(StackingNetRegressor().fit(table, y)).removed.tolist() == [
        "a",
        "b",
        "c",
    ]


OPTIONS = {
    "numbers": [
        {},
        {"constraint": "simplex", "shrinkage": 5.0},
        {"constraint": "affine", "shrinkage": 0, "fit_intercept": False},
        {"constraint": "uniform"},
    ],
    "votes": [
        {},
        {"structure": "full", "shrinkage": 10.0},
        {"class_weight": "balanced"},
        {"class_weight": {0: 1.0, 1: 3.0}, "structure": "shared"},
    ],
}


@pytest.mark.parametrize(
    ("kind", "options"),
    [(kind, options) for kind, every in OPTIONS.items() for options in every],
)
@pytest.mark.parametrize("n_labelled", [60, 200])
def test_errors_along_the_path_are_those_of_refits(kind, options, n_labelled):
    """To rounding, from rows that the path has not read."""
    estimator, rows = CASES[kind]
    X, y = rows()
    some = np.where(np.arange(200) < n_labelled, y, np.nan)
    model = estimator(**options).fit(X, some)
    path = prune(model)
    for n, error in enumerate(path.error):
        left = np.isin(model.model_names_, path.removed[n:])
        refit = clone(model).fit(X[:, left], some).solution_.expected_error
        expected = np.sqrt(refit) if kind == "numbers" else refit
        assert error == pytest.approx(expected, rel=1e-9)


def test_weights_of_rows_and_rows_without_labels_are_kept():
    X, y = numbers(300)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 100)
    options = {"X_unlabeled": X[100:], "sample_weight": weights}
    model = StackingNetRegressor().fit(X[:100], y[:100], **options)
    path = prune(model)
    for n, error in enumerate(path.error):
        left = np.isin(model.model_names_, path.removed[n:])
        options["X_unlabeled"] = X[100:, left]
        refit = StackingNetRegressor().fit(X[:100, left], y[:100], **options)
        assert error == pytest.approx(np.sqrt(refit.solution_.expected_error))


def test_rows_that_come_in_blocks_are_all_on_the_path():
    X, y = votes()
    whole = StackingNetClassifier().fit(X, y)
    parts = StackingNetClassifier(classes=[0, 1])
    for rows in (slice(80), slice(80, None)):
        parts.partial_fit(X[rows], y[rows])
    assert_allclose(prune(parts).error, prune(whole).error, rtol=1e-9)


@both
def test_a_planted_adversary_goes_first_and_is_better_gone(kind):
    """Uniform weights need pruning; of votes 'shared' weights can't be negative."""
    X, y = adversary(kind)
    options = {"constraint": "uniform"} if kind == "numbers" else {"shrinkage": 1e4}
    model = CASES[kind][0](**options).fit(X, y)
    path = prune(model)
    assert path.removed[0] == "model_2"
    if kind == "numbers":
        assert path.n_best >= 1
        assert path.error[1] < path.error[0]


@both
def test_path_as_a_table(kind):
    X, y = adversary(kind)
    path = prune(CASES[kind][0]().fit(X, y))
    frame = path.to_frame()
    assert frame["n_models"].tolist() == [5, 4, 3, 2, 1]
    assert frame["next"].tolist() == path.removed.tolist()
    assert_array_equal(frame["error"], path.error)
    lines = str(path).splitlines()
    assert len(lines) == 7
    assert [line.count("*") for line in lines].index(1) == 1 + path.n_best
    assert path.unit in lines[-1]
    assert path.error[path.n_best] == path.error.min()


@both
def test_a_path_needs_labels(kind):
    estimator, rows = CASES[kind]
    X, y = rows()
    with pytest.raises(ValueError, match=r"without labels.*fit it with y on at least"):
        prune(estimator().fit(X))
    with pytest.raises(NotFittedError, match="not fitted"):
        prune(estimator())
    with pytest.raises(TypeError, match=r"give a fitted one .of a pipeline its last"):
        prune(make_pipeline(estimator()).fit(X, y))
    with pytest.raises(ValueError, match="comparing takes at least two"):
        prune(estimator().fit(X[:, :1], y))


@both
def test_how_many_to_keep(kind):
    """A number, a share rounded up, or those that do not surely hurt."""
    estimator, _ = CASES[kind]
    X, y = adversary(kind)

    def kept(**options):
        own = estimator(**QUICK[kind])
        pruner = ReliabilityPruner(own, **options, **FAST).fit(X, y)
        assert pruner.n_features_in_ == 5
        assert_array_equal(pruner.transform(X), X[:, pruner.get_support()])
        return pruner.get_support(indices=True).tolist()

    assert kept() == [0, 1, 3, 4]
    assert kept(n_models=5) == [0, 1, 2, 3, 4]
    assert kept(n_models=1) == [1]
    assert kept(n_models=np.int64(3)) == [0, 1, 4]
    assert kept(n_models=0.5) == [0, 1, 4]
    assert kept(n_models=0.01) == [1]
    assert kept(n_models=1.0) == [0, 1, 2, 3, 4]
    values = np.sort(estimator().fit(X, y).reliability_)
    assert kept(threshold=values[-1] - 1e-9) == [1]
    assert kept(threshold=values[-3] - 1e-9) == [0, 1, 4]
    assert kept(threshold=values[-3] - 1e-9, n_models=1) == [1]
    assert kept(threshold=-1.0) == [0, 1, 2, 3, 4]


@both
def test_auto_keeps_a_model_that_only_guesses(kind):
    """It may be right; dropping takes evidence."""
    estimator, rows = CASES[kind]
    X, y = rows()
    rng = np.random.default_rng(1)
    X[:, 2] = rng.normal(size=200) if kind == "numbers" else rng.integers(2, size=200)
    pruner = ReliabilityPruner(estimator(), **FAST).fit(X, y)
    assert pruner.get_support().all()
    model = estimator().fit(X, y)
    expected = rank_models(model, X, y, **FAST)
    assert pruner.ranking_.columns() == expected.columns()


@pytest.mark.parametrize("n_classes", [2, 7])
def test_a_model_that_never_answers_does_not_hurt(n_classes):
    """Nor does rounding make it: the mean of seven sevenths is less than one."""
    X, y = votes(400, n_classes=n_classes)
    X[:, 2] = np.nan
    pruner = ReliabilityPruner(StackingNetClassifier(), **FAST).fit(X, y)
    assert pruner.get_support().all()
    assert not any(pruner.ranking_.against)
    assert not pruner.ranking_.below_chance.any()


def test_a_constant_does_not_hurt():
    X, y = numbers()
    X[:, 2] = 3.0
    pruner = ReliabilityPruner(StackingNetRegressor(), **FAST).fit(X, y)
    assert pruner.get_support().all()


@both
def test_without_labels_agreement_decides(kind):
    X, _ = adversary(kind, 2000)
    pruner = ReliabilityPruner(CASES[kind][0](), n_models=4, **FAST).fit(X)
    assert pruner.get_support(indices=True).tolist() == [0, 1, 3, 4]


@both
def test_some_labels(kind):
    """NaN is a row without."""
    X, y = adversary(kind)
    some = np.where(np.arange(200) < 40, y, np.nan)
    pruner = ReliabilityPruner(CASES[kind][0](), **FAST).fit(X, some)
    assert pruner.ranking_.n_labelled == 40
    assert pruner.get_support(indices=True).tolist() == [0, 1, 3, 4]


@both
def test_in_a_pipeline_that_is_searched(kind):
    """The pruner has its own estimator, which can be searched, too."""
    estimator, _ = CASES[kind]
    X, y = adversary(kind)
    pipeline = Pipeline(
        [
            ("prune", ReliabilityPruner(estimator(**QUICK[kind]), **FAST)),
            ("combine", estimator(**QUICK[kind])),
        ]
    )
    search = GridSearchCV(
        pipeline,
        {"prune__n_models": [1, "auto"], "prune__estimator__shrinkage": [5, "auto"]},
        cv=2,
    ).fit(X, y)
    assert search.best_params_["prune__n_models"] == "auto"
    combined = search.best_estimator_
    assert combined.named_steps["combine"].n_features_in_ == 4
    names = combined[:-1].get_feature_names_out(list("abcde"))
    assert names.tolist() == list("abde")


@both
def test_names_of_columns(kind):
    estimator, _ = CASES[kind]
    X, y = adversary(kind)
    table = pd.DataFrame(X, columns=list("abcde"))
    pruner = ReliabilityPruner(estimator(), **FAST).fit(table, y)
    assert pruner.feature_names_in_.tolist() == list("abcde")
    assert pruner.get_feature_names_out().tolist() == list("abde")
    pruner.set_output(transform="pandas")
    found = pruner.transform(table)
    assert found.columns.tolist() == list("abde")
    assert_array_equal(found, X[:, [0, 1, 3, 4]])
    with pytest.raises(ValueError, match="feature names"):
        pruner.transform(table[list("edcba")])
    plain = ReliabilityPruner(estimator(), **FAST).fit(X, y)
    assert plain.get_feature_names_out().tolist() == ["x0", "x1", "x3", "x4"]


def test_missing_votes_pass():
    X, y = adversary("votes")
    X[::7, 0] = np.nan
    pruner = ReliabilityPruner(StackingNetClassifier(), **FAST).fit(X, y)
    assert_array_equal(pruner.transform(X), X[:, [0, 1, 3, 4]])


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("frame", [False, True])
def test_votes_as_texts_pass(frame, missing):
    X, y = adversary("votes")
    table = np.where(X == 1, "yes", "no").astype(object)
    if missing:
        table[::7, 0] = None
    given = pd.DataFrame(table, columns=list("abcde")) if frame else table
    labels = np.where(y == 1, "yes", "no")
    pruner = ReliabilityPruner(StackingNetClassifier(), **FAST).fit(given, labels)
    found = np.asarray(pruner.transform(given), dtype=object)
    expected = table[:, [0, 1, 3, 4]]
    assert_array_equal(pd.isna(found), pd.isna(expected))
    assert_array_equal(found[~pd.isna(found)], expected[~pd.isna(expected)])
    pipeline = make_pipeline(clone(pruner), StackingNetClassifier())
    assert pipeline.fit(given, labels).score(given, labels) > 0.8
    some = np.where(np.arange(200) < 40, labels, None)
    assert clone(pruner).fit(given, some).ranking_.n_labelled == 40


@both
def test_clone_has_the_parameters_and_nothing_fitted(kind):
    X, y = adversary(kind)
    inner = CASES[kind][0](shrinkage=7.0)
    pruner = ReliabilityPruner(inner, n_models=2, threshold=0.1, **FAST)
    fitted = clone(pruner).fit(X, y)
    again = clone(fitted)
    assert again.get_params()["estimator__shrinkage"] == 7.0
    assert again.get_params()["n_models"] == 2
    assert not hasattr(again, "support_")
    assert not hasattr(inner, "weights_")
    assert_array_equal(again.fit(X, y).support_, fitted.support_)


@both
def test_the_same_seed_gives_the_same_columns(kind):
    X, y = adversary(kind)
    rankings = [
        ReliabilityPruner(CASES[kind][0](), **FAST).fit(X, y).ranking_ for _ in range(2)
    ]
    assert rankings[0].columns() == rankings[1].columns()


@both
def test_asked_to_drop_all(kind):
    estimator, rows = CASES[kind]
    X, y = rows()
    pruner = ReliabilityPruner(estimator(), threshold=1.01, **FAST)
    with pytest.raises(ValueError, match="No model would be kept: the best, 'model_1'"):
        pruner.fit(X, y)
    with pytest.raises(ValueError, match="Lower threshold, or give the number"):
        pruner.fit(X, y)
    # All turned around, and no guess among them.
    X = np.delete(-X if kind == "numbers" else 1 - X, 2, axis=1)
    with pytest.raises(ValueError, match="give the number of models to keep"):
        ReliabilityPruner(estimator(), **FAST).fit(X, y)
    kept = ReliabilityPruner(estimator(), n_models=1, **FAST).fit(X, y)
    assert kept.get_support().sum() == 1


@both
@pytest.mark.parametrize("n_models", [0, 6, 0.0, 1.5, -1, True, "all", None])
def test_no_number_of_models(kind, n_models):
    X, y = adversary(kind)
    own = CASES[kind][0](**QUICK[kind])
    pruner = ReliabilityPruner(own, n_models=n_models, **FAST)
    with pytest.raises(ValueError, match="number of models from 1 to 5, nor a share"):
        pruner.fit(X, y)


def test_bad_input():
    X, y = numbers()
    members = StackingNetRegressor([("line", LinearRegression())])
    with pytest.raises(ValueError, match="give one with estimators=None"):
        ReliabilityPruner(members).fit(X, y)
    with pytest.raises(TypeError, match="is no StackingNetRegressor or"):
        ReliabilityPruner(LinearRegression()).fit(X, y)
    with pytest.raises(ValueError, match=r"1 feature.*at least two columns"):
        ReliabilityPruner(StackingNetRegressor()).fit(X[:, :1], y)
    with pytest.raises(ValueError, match="n_bootstrap=1 must be a whole number"):
        ReliabilityPruner(StackingNetRegressor(), n_bootstrap=1).fit(X, y)
    with pytest.raises(ValueError, match="between 0 and 1, such as"):
        ReliabilityPruner(StackingNetRegressor(), confidence_level=1).fit(X, y)
    with pytest.raises(NotFittedError, match="not fitted"):
        ReliabilityPruner(StackingNetRegressor()).transform(X)


@pytest.mark.parametrize("shrinkage", ["auto", 50.0])
@pytest.mark.parametrize("pool", ["logit", "linear"])
def test_probabilities_count_as_votes_with_all_models_too(pool, shrinkage):
    """Else the first error is of another kind than those that follow: with the linear
    pool it was NaN, and all models were always the best.
    """
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=200)
    table = rng.random((200, 4, 3))
    table += 2 * np.eye(3)[truth][:, None, :] * rng.random((200, 4, 1))
    table /= table.sum(axis=2, keepdims=True)
    of_votes = StackingNetClassifier(shrinkage=shrinkage)
    expected = prune(of_votes.fit(table.argmax(axis=2), truth))
    model = StackingNetClassifier(pool=pool, shrinkage=shrinkage).fit(table, truth)
    path = prune(model)

    assert_array_equal(path.removed, expected.removed)
    assert_allclose(path.error, expected.error, rtol=1e-12)
    fewer = model.combiner_.subset(np.array([0, 1]))
    assert not fewer.linear
