"""The classifier as an estimator among others: copies, wrappers, routing, display."""

import copy
import io
import pickle
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from test_classifier import panel, with_few_labels
from test_classifier_members import Recording

from stackingnet_sk import StackingNetClassifier

FITTED = ("weights_", "vote_weights_", "intercept_", "confusion_", "class_prior_")
NAMES = np.array(["ant", "bee", "cat"], dtype=object)


@pytest.fixture
def votes():
    return panel(silence=0.1)[0]


@pytest.fixture
def truth():
    return panel(silence=0.1)[1]


@pytest.fixture
def iris():
    rows = np.random.default_rng(0).permutation(150)
    bunch = load_iris()
    return bunch.data[rows], bunch.target_names[bunch.target][rows]


@pytest.fixture
def members():
    return [
        ("bayes", GaussianNB()),
        ("tree", DecisionTreeClassifier(max_depth=2, random_state=0)),
    ]


@pytest.fixture
def problems(votes, truth, iris, members):
    """An estimator in each mode and what it is fitted on."""
    rng = np.random.default_rng(3)
    lean = 0.6 * np.eye(3)[truth] + 0.4 * rng.dirichlet(np.ones(3), (4, 300))
    table = lean.transpose(1, 0, 2)
    return {
        "votes": (StackingNetClassifier(), votes, truth),
        "unlabelled": (StackingNetClassifier(), votes, None),
        "probabilities": (StackingNetClassifier(), table, truth),
        "pool": (StackingNetClassifier(pool="linear"), table, truth),
        "members": (StackingNetClassifier(members, cv=3), *iris),
    }


LABELLED = ["votes", "probabilities", "pool", "members"]


@pytest.fixture(params=LABELLED)
def labelled_problem(request, problems):
    return problems[request.param]


@pytest.fixture(params=[*LABELLED, "unlabelled"])
def problem(request, problems):
    return problems[request.param]


def assert_same(model, other):
    for attribute in FITTED:
        assert_array_equal(getattr(model, attribute), getattr(other, attribute))


# ------------------------------------------------------------------ nothing rewritten


def test_init_only_stores():
    """What is wrong with a parameter is for `fit` to say."""
    arguments = {
        name: object() for name in StackingNetClassifier().get_params(deep=False)
    }
    model = StackingNetClassifier(**arguments)

    assert all(getattr(model, name) is value for name, value in arguments.items())


def test_fit_leaves_parameters_and_members_as_they_are(problem):
    model, data, y = problem
    before = model.get_params(deep=True)
    state = {name: repr(value) for name, value in before.items()}
    model.fit(data, y)

    after = model.get_params(deep=True)
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert after[name] is value, name
        assert repr(after[name]) == state[name], name
    for _, member in model.estimators or ():
        assert not [key for key in vars(member) if key.endswith("_")]


def test_the_callers_arrays_are_unchanged(problem):
    """In `fit` and after; read-only tables are taken."""
    model, data, y = problem
    omega = np.ones(len(data))
    arrays = [data, omega] if y is None else [data, y, omega]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    fitted = clone(model).fit(data, y, X_unlabeled=data, sample_weight=omega)
    for ask in (fitted.predict, fitted.decision_function, fitted.n_answers):
        ask(data)
    fitted.transform(data)[:] = 7.0
    fitted.leaderboard()

    for array, old in zip(arrays, before, strict=True):
        assert_array_equal(array, old)


def test_object_tables_are_unchanged(votes, truth):
    """None in, None after."""
    cells = np.array([[None if np.isnan(v) else v for v in row] for row in votes])
    frame = pd.DataFrame(cells)
    StackingNetClassifier().fit(cells, truth).predict(cells)
    StackingNetClassifier().fit(frame, truth).predict(frame)

    assert_array_equal(cells == None, np.isnan(votes))  # noqa: E711
    pd.testing.assert_frame_equal(frame, pd.DataFrame(cells))


def test_pickle_joblib_and_deepcopy_keep_the_answers(problem):
    model, data, y = problem
    model = clone(model).fit(data, y)
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)

    for other in (
        pickle.loads(pickle.dumps(model)),
        joblib.load(file),
        copy.deepcopy(model),
    ):
        assert_array_equal(other.predict_proba(data), model.predict_proba(data))
        assert repr(other.solution_) == repr(model.solution_)


def test_a_clone_is_not_fitted_and_equal_in_parameters(problem):
    model, data, y = problem
    other = clone(clone(model).fit(data, y))

    assert repr(other.get_params()) == repr(model.get_params())
    for method in ("predict", "predict_proba", "transform", "n_answers"):
        with pytest.raises(NotFittedError):
            getattr(other, method)(data)
    with pytest.raises(NotFittedError):
        other.leaderboard()


def test_a_refit_in_another_mode_leaves_nothing_stale(votes, truth, iris, members):
    model = StackingNetClassifier(members).fit(*iris)
    model.set_params(estimators=None).fit(votes, truth)
    fresh = StackingNetClassifier().fit(votes, truth)

    assert vars(model).keys() == vars(fresh).keys()
    assert_same(model, fresh)
    model.set_params(estimators=members).fit(*iris)
    assert vars(model).keys() == vars(StackingNetClassifier(members).fit(*iris)).keys()


# --------------------------------------------------------------------- names of classes


@pytest.mark.parametrize("n_labelled", [0, 40, 300])
def test_classes_may_be_called_anything(votes, truth, n_labelled):
    """In the same order, bit by bit; in another, to rounding."""
    labels = with_few_labels(truth, n_labelled) if n_labelled else None
    reference = StackingNetClassifier().fit(votes, labels)

    def renamed(names):
        def name(values):
            return [None if np.isnan(v) else names[int(v)] for v in values]

        table = np.array([name(row) for row in votes], dtype=object)
        y = None if labels is None else np.array(name(labels), dtype=object)
        return StackingNetClassifier().fit(table, y), table

    for names in (NAMES.tolist(), [-7, 0, 2**40], [False, 2, 9]):
        model, table = renamed(names)
        assert_same(model, reference)
        expected = [names[k] for k in reference.predict(votes).astype(int)]
        assert model.predict(table).tolist() == expected
    turn = [2, 0, 1]
    model, table = renamed(NAMES[turn].tolist())
    assert_allclose(model.weights_, reference.weights_, atol=1e-9)
    assert_allclose(
        model.vote_weights_[:, turn][:, :, turn], reference.vote_weights_, atol=1e-9
    )


# ------------------------------------------------------------------------ what is shown


def test_transform_shows_what_each_model_says(votes, truth):
    """One at the class voted for, zeros for silence, model after model."""
    frame = pd.DataFrame(votes, columns=list("abcde"))
    model = StackingNetClassifier().fit(frame, truth)
    shown = model.transform(frame)

    named = (votes[:, :, None] == np.arange(3)).reshape(300, 15)
    assert_array_equal(shown, named)
    expected = [f"stackingnetclassifier_{m}_{k}" for m in "abcde" for k in range(3)]
    assert model.get_feature_names_out().tolist() == expected


def test_leaderboard_shows_each_models_own_record(votes, truth, monkeypatch):
    """Balanced accuracy where it answers and has a label, and how often it answers."""
    few = with_few_labels(truth, 60)
    omega = np.random.default_rng(0).integers(1, 4, 300)
    model = StackingNetClassifier().fit(votes, few, sample_weight=omega)
    board = model.leaderboard()

    columns = ["model", "weight", "reliability", "balanced_accuracy", "answered"]
    assert board.columns.tolist() == columns
    assert board["reliability"].is_monotonic_decreasing
    board = board.set_index("model").loc[model.model_names_]
    assert_array_equal(board["weight"], model.weights_)
    assert_array_equal(board["reliability"], model.reliability_)
    given = ~np.isnan(votes)
    assert_allclose(board["answered"], np.average(given, axis=0, weights=omega))
    for m, found in enumerate(board["balanced_accuracy"]):
        own = [given[:, m] & (few == k) for k in range(3)]
        rates = [
            np.average(votes[rows, m] == k, weights=omega[rows])
            for k, rows in enumerate(own)
        ]
        assert found == pytest.approx(np.mean(rates))

    unlabelled = StackingNetClassifier().fit(votes)
    monkeypatch.setitem(sys.modules, "pandas", None)
    rows = model.leaderboard()
    assert [list(row) for row in rows] == [columns] * 5
    assert unlabelled.leaderboard()[0]["answered"] > 0.8


def test_html_shows_members_and_whether_it_is_fitted(problem):
    model, data, y = problem
    model = clone(model)
    assert "Not fitted" in model._repr_html_()
    html = model.fit(data, y)._repr_html_()

    assert "Not fitted" not in html
    for name, member in model.estimators or ():
        assert name in html
        assert type(member).__name__ in html
    for bad in ([], ["no pair"], 3):
        assert "StackingNetClassifier" in StackingNetClassifier(bad)._repr_html_()


# -------------------------------------------------------------------------- wrappers


def test_cross_validation_is_the_loop_that_one_would_write(labelled_problem):
    model, data, y = labelled_problem
    folds = StratifiedKFold(3)
    found = cross_val_score(model, data, y, cv=folds)
    shown = cross_val_predict(model, data, y, cv=folds, method="predict_proba")

    expected = []
    for train, test in folds.split(data, y):
        fitted = clone(model).fit(data[train], y[train])
        assert_array_equal(shown[test], fitted.predict_proba(data[test]))
        expected.append(accuracy_score(y[test], fitted.predict(data[test])))
    assert_array_equal(found, expected)


@pytest.mark.parametrize("scoring", ["roc_auc_ovr", "neg_log_loss", "f1_macro"])
def test_scorers_of_classifiers_take_it(labelled_problem, scoring):
    model, data, y = labelled_problem
    scores = cross_val_score(model, data, y, cv=3, scoring=scoring)
    assert (scores > (-0.7 if scoring == "neg_log_loss" else 0.7)).all()


def test_ensembles_and_calibrators_of_it(votes, truth, iris, members):
    """It bags (rows that abstain included), is calibrated, and votes among others."""
    bag = BaggingClassifier(StackingNetClassifier(), 5, random_state=0)
    calibrated = CalibratedClassifierCV(StackingNetClassifier(), cv=3)
    for model in (bag, calibrated):
        assert model.fit(votes, truth).score(votes, truth) > 0.85
    weights = np.array([model.weights_ for model in bag.estimators_])
    assert weights.std(axis=0).max() > 0
    stack = StackingNetClassifier(members, cv=2)
    voting = VotingClassifier([("stack", stack), *members], voting="soft")
    assert voting.fit(*iris).score(*iris) > 0.9


# --------------------------------------------------------------------------- metadata


@pytest.fixture
def book():
    Recording.book.clear()
    return Recording.book


@pytest.fixture
def _routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("_routing")
def test_metadata_reaches_who_asks_for_it(iris, book):
    """Sliced to the rows of each fit, the labelled ones alone; groups reach the
    splitter.
    """
    X, few = iris[0], np.where(np.arange(150) < 45, iris[1].astype(object), None)
    omega, flavour = np.arange(150) + 1.0, np.arange(150)
    asks = Recording().set_fit_request(sample_weight=True, flavour="taste")
    deaf = Recording().set_fit_request(sample_weight=False, flavour=False)
    groups = np.arange(150) // 3
    model = StackingNetClassifier([("asks", asks)], cv=StratifiedGroupKFold(3))
    model.fit(X, few, sample_weight=omega, taste=flavour, groups=groups)

    for fit in book:
        assert_array_equal(fit["weight"], fit["flavour"] + 1)
        if len(fit["y"]) < 45:
            assert len(np.unique(groups[fit["flavour"]])) == len(fit["y"]) // 3
    book.clear()
    model = StackingNetClassifier([("deaf", deaf)], cv=3)
    model.fit(X, few, sample_weight=omega)
    assert all(fit["weight"] is None for fit in book)
    assert model.counts_.weight == omega.sum()
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        StackingNetClassifier([("a", Recording())]).fit(X, few, sample_weight=omega)


@pytest.mark.usefixtures("_routing")
def test_pipeline_and_search_route_weights_and_groups(iris):
    """Through every wrapper, as one would by hand."""
    X, y = iris
    omega = np.random.default_rng(0).uniform(0.5, 2.0, 150)
    groups = np.arange(150) // 5
    bayes = GaussianNB().set_fit_request(sample_weight=True)
    scale = StandardScaler().set_fit_request(sample_weight=False)
    model = StackingNetClassifier([("bayes", bayes)], cv=GroupKFold(2))
    model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    pipeline = Pipeline([("scale", scale), ("vote", model)])
    folds = GroupKFold(3)
    search = GridSearchCV(pipeline, {"vote__shrinkage": [2.0]}, cv=folds)
    search.fit(X, y, sample_weight=omega, groups=groups)

    scores = []
    for train, test in folds.split(X, y, groups):
        scaler = StandardScaler().fit(X[train])
        alone = clone(model).set_params(shrinkage=2.0)
        alone.fit(
            scaler.transform(X[train]),
            y[train],
            sample_weight=omega[train],
            groups=groups[train],
        )
        held_out = scaler.transform(X[test])
        scores.append(alone.score(held_out, y[test], sample_weight=omega[test]))
    assert search.best_score_ == pytest.approx(np.mean(scores), rel=1e-12)


@pytest.mark.usefixtures("_routing")
def test_metadata_that_nobody_takes_is_an_error(problem):
    """A misspelt sample_weight that is silently dropped would be a wrong answer."""
    model, data, y = problem
    with pytest.raises(TypeError, match="sample_wieght"):
        model.fit(data, y, sample_wieght=np.ones(len(data)))
