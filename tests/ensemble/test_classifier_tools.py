"""The classifier inside scikit-learn: members, pipelines, searches, few labels."""

import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.model_selection import LabelledKFold, labelled_scorer

MEMBERS = [
    ("logistic", make_pipeline(StandardScaler(), LogisticRegression())),
    ("tree", DecisionTreeClassifier(max_depth=2, random_state=0)),
    ("ridge", RidgeClassifier()),
]


class Recording(ClassifierMixin, BaseEstimator):
    """Votes for the first label that it was fitted with, and remembers all of them."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.seen_, self.weight_ = y, sample_weight
        return self

    def predict(self, X):
        return np.repeat(self.seen_[:1], len(X))


@pytest.fixture(scope="module")
def iris():
    bunch = load_iris()
    return bunch.data, bunch.target_names[bunch.target]


@pytest.fixture
def panel():
    """Votes of six models on 300 items as texts, the truth, and 40 labels."""
    rng = np.random.default_rng(0)
    truth = rng.choice(["ham", "spam"], size=300).astype(object)
    other = np.where(truth == "ham", "spam", "ham")
    right = rng.random((300, 6)) < np.linspace(0.55, 0.85, 6)
    votes = np.where(right, truth[:, None], other[:, None])
    return votes, truth, np.where(np.arange(300) < 40, truth, None)


@pytest.mark.parametrize("pool", ["logit", "linear"])
def test_members_are_combined(iris, pool):
    X, y = iris
    model = StackingNetClassifier(MEMBERS, pool=pool).fit(X, y)

    assert model.score(X, y) > 0.95
    assert model.transform(X).shape == (150, 9)
    assert model.get_feature_names_out()[4] == "stackingnetclassifier_tree_versicolor"
    assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    parallel = StackingNetClassifier(MEMBERS, pool=pool, n_jobs=2).fit(X, y)
    assert_array_equal(parallel.weights_, model.weights_)


def test_members_see_the_original_labels_and_weights(iris):
    X, y = iris
    members = [*MEMBERS[:2], ("recording", Recording())]
    model = StackingNetClassifier([members[1], members[2]])
    weight = np.linspace(1.0, 2.0, len(y))
    model.fit(X, y, sample_weight=weight)

    seen = model.named_estimators_["recording"]
    assert_array_equal(seen.seen_, y)
    assert_array_equal(seen.weight_, weight)


def test_a_class_missing_in_a_fold_is_aligned_by_name(iris):
    """The member of that fold never answers it; the columns of the others stay."""
    X, y = iris
    first, rest = np.flatnonzero(y != "setosa"), np.arange(150)
    folds = [(first, rest[::2]), (rest, rest[1::2])]
    members = [("tree", DecisionTreeClassifier(max_depth=3, random_state=0))]
    model = StackingNetClassifier(members, cv=folds).fit(X, y)

    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    # In half of the rows setosa is taken for something else.
    joint = model.counts_.joint(model.counts_.labelled)[0]
    assert joint[0, 0] == joint[0, 1:].sum() == 25
    assert model.score(X, y) > 0.9


def test_scores_of_pairs_of_classes_are_no_scores_of_classes(iris):
    """With three classes there are as many pairs: their predictions are votes."""
    X, y = iris
    pairs = SVC(decision_function_shape="ovo").fit(X, y)
    model = StackingNetClassifier([("pairs", pairs)], cv="prefit").fit(X, y)

    answered = model.classes_[model.transform(X).argmax(axis=1)]
    assert_array_equal(answered, pairs.predict(X))


def test_prefit_members_need_no_labels(iris):
    X, y = iris
    fitted = [(name, clone(member).fit(X, y)) for name, member in MEMBERS]
    model = StackingNetClassifier(fitted, cv="prefit").fit(X)

    assert model.classes_.tolist() == sorted(set(y))
    assert model.score(X, y) > 0.9
    frozen = [(name, FrozenEstimator(member)) for name, member in fitted]
    assert StackingNetClassifier(frozen).fit(X, y).score(X, y) > 0.9


def test_search_over_own_and_members_parameters(iris):
    X, y = iris
    search = GridSearchCV(
        make_pipeline(StandardScaler(), StackingNetClassifier(MEMBERS[1:])),
        {
            "stackingnetclassifier__structure": ["shared", "full"],
            "stackingnetclassifier__class_weight": [None, "balanced"],
            "stackingnetclassifier__tree__max_depth": [1, 3],
        },
        cv=3,
    ).fit(X, y)
    assert search.best_params_["stackingnetclassifier__tree__max_depth"] == 3
    dropped = StackingNetClassifier(MEMBERS).set_params(ridge="drop").fit(X, y)
    assert dropped.model_names_.tolist() == ["logistic", "tree"]


def test_transform_gives_frames_where_asked(panel):
    votes, _, known = panel
    model = StackingNetClassifier().set_output(transform="pandas").fit(votes, known)
    frame = model.transform(votes)
    assert list(frame.columns) == model.get_feature_names_out().tolist()


def test_predictions_of_a_repeated_row_count_once():
    """Five times the same folds are the same predictions, not five times the rows."""
    X, y = load_iris(return_X_y=True)
    folds = list(StratifiedKFold(3).split(X, y))
    members = [("tree", DecisionTreeClassifier(max_depth=1)), ("bayes", GaussianNB())]
    once = StackingNetClassifier(members, cv=folds).fit(X, y)
    often = StackingNetClassifier(members, cv=folds * 5).fit(X, y)

    assert_allclose(often.reliability_, once.reliability_, rtol=1e-8)
    assert_allclose(often.weights_, once.weights_, rtol=1e-6, atol=1e-8)


# ------------------------------------------------------------------- few labels


@pytest.mark.parametrize("kind", [int, bool])
def test_labels_that_are_objects_but_no_texts(kind):
    """None among them makes them objects; the folds that are tested have none."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=200)
    votes = np.where(rng.random((200, 5)) < 0.8, truth[:, None], 1 - truth[:, None])
    few = np.array([kind(t) if i < 40 else None for i, t in enumerate(truth)], object)
    scores = cross_val_score(
        StackingNetClassifier(),
        votes.astype(kind),
        few,
        cv=LabelledKFold(4),
        scoring=labelled_scorer("accuracy"),
        error_score="raise",
    )
    assert scores.mean() > 0.8


def test_rows_without_labels_can_come_either_way(panel):
    votes, truth, known = panel
    mixed = StackingNetClassifier().fit(votes, known)
    apart = StackingNetClassifier()
    apart.fit(votes[:40], truth[:40].tolist(), X_unlabeled=votes[40:])

    assert_array_equal(mixed.vote_weights_, apart.vote_weights_)
    assert mixed.score(votes, known) == apart.score(votes[:40], truth[:40].astype(str))


def test_cross_validation_on_partly_labelled_rows(panel):
    votes, _, known = panel
    folds = LabelledKFold(4, stratified=True)
    scores = cross_val_score(
        StackingNetClassifier(),
        votes,
        known,
        cv=folds,
        scoring=labelled_scorer("balanced_accuracy"),
    )
    assert len(scores) == 4
    assert scores.mean() > 0.75
    search = GridSearchCV(
        StackingNetClassifier(),
        {"structure": ["shared", "full"], "shrinkage": [5.0, 50.0]},
        cv=folds,
        scoring=labelled_scorer("neg_log_loss"),
    ).fit(votes, known)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    for _, test in folds.split(votes, known):
        assert len(set(known[test])) == 2


def test_unlabelled_rows_are_routed(panel):
    votes, truth, _ = panel
    labels = truth[:40].astype(str)
    with sklearn.config_context(enable_metadata_routing=True):
        model = StackingNetClassifier().set_fit_request(X_unlabeled=True)
        pipe = make_pipeline("passthrough", model)
        pipe.fit(votes[:40], labels, X_unlabeled=votes[40:])
        search = GridSearchCV(model, {"structure": ["shared", "full"]}, cv=3)
        search.fit(votes[:40], labels, X_unlabeled=votes[40:])
    alone = StackingNetClassifier().fit(votes[:40], labels, X_unlabeled=votes[40:])
    assert_array_equal(pipe[-1].vote_weights_, alone.vote_weights_)
    assert search.best_estimator_.counts_.weight == 300


def test_without_labels_the_best_model_is_beaten(panel):
    """And the majority vote; the log-likelihood and how it ended are there to see."""
    votes, truth, _ = panel
    model = StackingNetClassifier().fit(votes)
    most = np.where((votes == "spam").sum(axis=1) > 3, "spam", "ham")

    assert (model.predict(votes) == truth).mean() > (most == truth).mean()
    assert len(model.solution_.log_likelihood) == model.solution_.iterations
    assert np.argmax(model.reliability_) in (4, 5)


@pytest.mark.parametrize("n_labels", [0, 10])
def test_adversaries_are_the_least_reliable(n_labels):
    """A random voter and a copy of the best, turned around."""
    rng = np.random.default_rng(1)
    truth = np.tile([0, 1], 300)
    right = rng.random((600, 8)) < np.linspace(0.65, 0.9, 8)
    votes = np.where(right, truth[:, None], 1 - truth[:, None])
    votes[:, 0] = rng.integers(2, size=600)
    votes[:, 1] = 1 - votes[:, 7]
    y = np.where(np.arange(600) < n_labels, truth.astype(float), np.nan)
    model = StackingNetClassifier().fit(votes, y if n_labels else None)

    assert set(np.argsort(model.reliability_)[:2]) == {0, 1}
    assert model.reliability_[1] < 0.5


def test_the_leaderboard(panel, monkeypatch):
    votes, _, known = panel
    model = StackingNetClassifier().fit(votes, known)
    board = model.leaderboard()
    assert board["reliability"].is_monotonic_decreasing
    assert set(board["model"]) == {f"model_{j}" for j in range(6)}
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    assert model.leaderboard() == board.to_dict("records")
