"""Members that are classifiers: what they see, what is made of their answers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris, make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier
from sklearn.model_selection import (
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from stackingnet_sk import StackingNetClassifier

FITTED = ("weights_", "vote_weights_", "intercept_", "reliability_")
N_LABELLED = 45


class Recording(ClassifierMixin, BaseEstimator):
    """Votes for the most frequent label; notes each fit in a list that clones share."""

    book = []  # noqa: RUF012

    def fit(self, X, y, sample_weight=None, flavour=None):
        self.book.append({"X": X, "y": y, "weight": sample_weight, "flavour": flavour})
        self.classes_, counts = np.unique(y, return_counts=True)
        self.most_ = self.classes_[counts.argmax()]
        return self

    def predict(self, X):
        return np.full(len(X), self.most_)


class InTurn(ClassifierMixin, BaseEstimator):
    """Votes for one class after the other."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.resize(self.classes_, len(X))


class Fixed(InTurn):
    """Answers what it is told to, a value a row."""

    def __init__(self, answer=None, classes=None):
        self.answer = answer
        self.classes = classes

    def fit(self, X, y):
        self.classes_ = np.unique(y) if self.classes is None else self.classes
        return self

    def predict_proba(self, X):
        return self.answer(len(X))


@pytest.fixture
def book():
    Recording.book.clear()
    return Recording.book


@pytest.fixture
def X():
    rows = np.random.default_rng(0).permutation(150)
    return load_iris().data[rows]


@pytest.fixture
def y():
    """Texts, in mixed order."""
    rows = np.random.default_rng(0).permutation(150)
    bunch = load_iris()
    return bunch.target_names[bunch.target][rows].astype(object)


@pytest.fixture
def few(y):
    return np.where(np.arange(150) < N_LABELLED, y, None)


@pytest.fixture
def members():
    return [
        ("bayes", GaussianNB()),
        ("tree", DecisionTreeClassifier(max_depth=2, random_state=0)),
        ("logistic", LogisticRegression(C=0.1)),
    ]


def assert_same(model, other):
    for attribute in FITTED:
        assert_array_equal(getattr(model, attribute), getattr(other, attribute))


# ------------------------------------------------------------- the two ways in agree


@pytest.mark.parametrize("pool", ["logit", "linear"])
@pytest.mark.parametrize("structure", ["shared", "full"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_members_are_the_table_of_their_cross_predictions(
    X, y, members, pool, structure, class_weight
):
    """What `cross_val_predict` gives, with 5 stratified folds unless told otherwise."""
    options = {"pool": pool, "structure": structure, "class_weight": class_weight}
    table = np.hstack(
        [cross_val_predict(m, X, y, cv=5, method="predict_proba") for _, m in members]
    )
    given = StackingNetClassifier(input="proba", **options).fit(table, y)
    model = StackingNetClassifier(members, **options).fit(X, y)

    for attribute in FITTED:
        # Folds stack in another order than rows.
        expected = getattr(given, attribute)
        assert_allclose(getattr(model, attribute), expected, atol=1e-9)
    refitted = np.hstack([clone(m).fit(X, y).predict_proba(X) for _, m in members])
    assert_array_equal(model.transform(X), refitted)
    expected = given.predict_proba(refitted)
    assert_allclose(model.predict_proba(X), expected, atol=1e-9)


def test_each_kind_of_answer_becomes_a_vector(X, y):
    """Probabilities as they are, scores through softmax, classes as votes; scores of
    two classes through the logistic function.
    """
    members = [GaussianNB(), RidgeClassifier(), InTurn()]
    fitted = [(type(m).__name__, m.fit(X, y)) for m in members]
    model = StackingNetClassifier(fitted, cv="prefit").fit(X, y)
    answers = model.transform(X).reshape(150, 3, 3)
    assert_array_equal(answers[:, 0], members[0].predict_proba(X))
    scores = members[1].decision_function(X)
    assert_allclose(answers[:, 1], softmax(scores, axis=1))
    assert_array_equal(answers[:, 2], np.tile(np.eye(3), (50, 1)))

    two = y != "setosa"
    ridge = RidgeClassifier().fit(X[two], y[two])
    model = StackingNetClassifier([("ridge", ridge)], cv="prefit").fit(X[two], y[two])
    expected = expit(ridge.decision_function(X))
    assert_allclose(model.transform(X), np.column_stack([1 - expected, expected]))


def test_unlabelled_rows_are_answered_by_members_fitted_on_the_others(X, y, few):
    """In `y` or beside it; no member ever fits one."""
    members = [("bayes", GaussianNB()), ("ridge", RidgeClassifier())]
    inside = StackingNetClassifier(members).fit(X, few)
    apart = StackingNetClassifier(members)
    apart.fit(X[:N_LABELLED], y[:N_LABELLED], X_unlabeled=X[N_LABELLED:])

    assert_same(inside, apart)
    alone = StackingNetClassifier(members).fit(X[:N_LABELLED], y[:N_LABELLED])
    assert_array_equal(inside.transform(X), alone.transform(X))
    assert not np.array_equal(inside.reliability_, alone.reliability_)
    assert inside.counts_.weight == 150


# ----------------------------------------------------------------- what members see


@pytest.mark.parametrize("labels", ["texts", "numbers", "flags", "some"])
def test_members_see_the_labels_as_given(X, y, few, book, labels):
    """Never codes: a member may know what "setosa" means. Rows without a label are not
    theirs to fit.
    """
    target, own = {
        "texts": (y, y),
        "numbers": (np.char.str_len(y.astype(str)) * 10,) * 2,
        "flags": (y == "setosa",) * 2,
        "some": (few, y[:N_LABELLED]),
    }[labels]
    model = StackingNetClassifier([("a", Recording())], cv=3).fit(X, target)

    assert len(book) == 4
    assert_array_equal(book[0]["y"], own)
    assert_array_equal(book[0]["X"], X[: len(own)])
    for fit in book:
        assert set(fit["y"].tolist()) <= set(own.tolist())
        assert type(fit["y"].tolist()[0]) is type(own.tolist()[0])
    assert sorted(len(fit["y"]) for fit in book[1:])[-1] < len(own)
    assert model.predict(X[:1]).dtype == model.classes_.dtype


def test_members_get_the_weights_of_their_own_rows(X, y, book):
    omega = np.random.default_rng(0).uniform(0.5, 2.0, 150)
    numbered = np.column_stack([X, np.arange(150)])
    model = StackingNetClassifier([("a", Recording()), ("b", GaussianNB())], cv=3)
    model.fit(numbered, y, sample_weight=omega)

    assert len(book[1]["weight"]) == 100
    for fit in book:
        rows = fit["X"][:, -1].astype(int)
        assert_array_equal(fit["weight"], omega[rows])
    plain = StackingNetClassifier(model.estimators, cv=3).fit(numbered, y)
    assert np.abs(model.vote_weights_ - plain.vote_weights_).max() > 1e-3


def test_a_member_that_takes_no_weights_is_named(X, y):
    model = StackingNetClassifier([("ok", GaussianNB()), ("k", KNeighborsClassifier())])
    with pytest.raises(TypeError, match=r"'k' \(KNeighborsClassifier\).*weights"):
        model.fit(X, y, sample_weight=np.ones(150))


# ------------------------------------------------------------------ folds and classes


@pytest.mark.parametrize(
    "cv",
    [
        KFold(3),
        StratifiedKFold(4, shuffle=True, random_state=0),
        TimeSeriesSplit(3),
        ShuffleSplit(1, test_size=0.4, random_state=0),
        PredefinedSplit(np.arange(150) % 3 - 1),
        [(np.arange(100), np.arange(100, 150))],
    ],
    ids=lambda cv: type(cv).__name__,
)
def test_any_splitter_says_which_rows_are_held_out(X, y, members, cv):
    """Rows that it never holds out train members, and count for no weight."""
    model = StackingNetClassifier(members, cv=cv).fit(X, y)

    splitter = cv if isinstance(cv, list) else cv.split(X, y)
    held_out = np.concatenate([test for _, test in splitter])
    assert model.counts_.weight == len(np.unique(held_out))
    assert model.score(X, y) > 0.9


def test_a_class_that_a_fold_has_not_seen_is_aligned_by_name(X, y, members):
    """The first blocks of a time series lack the last class; no column may shift."""
    order = np.argsort(y == "setosa", kind="stable")
    X, y = X[order], y[order]
    folds = list(TimeSeriesSplit(5).split(X))
    assert "setosa" not in y[folds[0][0]], "sorted first, the columns would shift"
    model = StackingNetClassifier(members, cv=folds).fit(X, y)

    blocks = []
    for train, test in folds:
        block = np.zeros((len(test), len(members), 3))
        for m, (_, member) in enumerate(members):
            fitted = clone(member).fit(X[train], y[train])
            columns = np.searchsorted(model.classes_, fitted.classes_.astype(str))
            block[:, m, columns] = fitted.predict_proba(X[test])
        blocks.append(block)
    held_out = np.concatenate([test for _, test in folds])
    given = StackingNetClassifier().fit(np.concatenate(blocks), y[held_out])
    assert_allclose(model.vote_weights_, given.vote_weights_, atol=1e-9)


def test_classes_that_no_label_names_have_their_columns(X, y, members):
    names = ["aster", *np.unique(y).tolist()]
    model = StackingNetClassifier(members, classes=names).fit(X, y)

    assert model.classes_.tolist() == names
    assert not model.transform(X).reshape(150, 3, 4)[:, :, 0].any()
    assert model.score(X, y) > 0.9


# ------------------------------------------------------------ fitted, frozen, dropped


@pytest.fixture
def fitted(X, y, members):
    return [(name, clone(m).fit(X[:75], y[:75])) for name, m in members]


def test_prefit_members_are_asked_and_not_fitted(X, y, few, fitted, book):
    """Their answers on the rows given are the table."""
    table = np.hstack([m.predict_proba(X[75:]) for _, m in fitted])
    given = StackingNetClassifier(input="proba").fit(table, y[75:])
    model = StackingNetClassifier(fitted, cv="prefit").fit(X[75:], y[75:])

    assert_same(model, given)
    assert all(a is b for a, (_, b) in zip(model.estimators_, fitted, strict=True))
    free = StackingNetClassifier(fitted, cv="prefit").fit(X[75:])
    assert free.classes_.tolist() == np.unique(y).tolist()
    assert free.score(X[75:], y[75:]) > 0.9
    some = StackingNetClassifier(fitted, cv="prefit").fit(X, few)
    assert some.counts_.labelled.sum() == N_LABELLED


def test_prefit_members_must_be_fitted_and_know_the_classes(X, y, fitted):
    late = [*fitted, ("late", GaussianNB())]
    with pytest.raises(NotFittedError, match="late"):
        StackingNetClassifier(late, cv="prefit").fit(X, y)
    two = y[75:] != "setosa"
    with pytest.raises(ValueError, match=r"'bayes'.*'setosa'.*classes="):
        StackingNetClassifier(fitted, cv="prefit").fit(X[75:][two], y[75:][two])


def test_without_labels_there_is_nothing_to_fit_members_with(X, members):
    with pytest.raises(ValueError, match=r"without labels.*cv='prefit'"):
        StackingNetClassifier(members).fit(X)


def test_frozen_members_are_as_prefit_ones(X, y, fitted):
    frozen = [(name, FrozenEstimator(m)) for name, m in fitted]
    model = StackingNetClassifier(frozen, cv=3).fit(X[75:], y[75:])
    prefit = StackingNetClassifier(fitted, cv="prefit").fit(X[75:], y[75:])

    assert_allclose(model.vote_weights_, prefit.vote_weights_, atol=1e-9)


def test_dropping_and_setting_members_by_name(X, y, members):
    model = StackingNetClassifier(members).set_params(tree="drop", logistic__C=0.5)
    model.fit(X, y)
    other = [members[0], ("logistic", LogisticRegression(C=0.5))]

    assert_same(model, StackingNetClassifier(other).fit(X, y))
    assert model.model_names_.tolist() == ["bayes", "logistic"]
    assert model.named_estimators_.tree == "drop"
    assert model.get_params()["logistic__C"] == 0.5
    model.set_params(tree=members[1][1]).fit(X, y)
    assert model.model_names_.tolist() == ["bayes", "tree", "logistic"]
    with pytest.raises(ValueError, match="nobody"):
        model.set_params(nobody__C=1)


# -------------------------------------------------------------------- kinds of members


def test_a_pipeline_before_or_inside_is_the_same(X, y):
    """Scaling is the same in each fold to rounding; nests of ensembles are members."""
    inside = make_pipeline(StandardScaler(), LogisticRegression())
    nest = StackingNetClassifier([("bayes", GaussianNB()), ("near", inside)], cv=2)
    before = make_pipeline(StandardScaler(), StackingNetClassifier([("nest", nest)]))

    assert before.fit(X, y).score(X, y) > 0.9
    model = StackingNetClassifier([("nest", nest), ("p", Perceptron())], cv=3)
    assert model.fit(X, y).score(X, y) > 0.9


def test_a_member_that_knows_nothing_has_no_weight(X, y, members):
    model = StackingNetClassifier([("guess", DummyClassifier()), *members]).fit(X, y)

    assert model.reliability_.argmin() == 0
    assert abs(model.weights_[0]) < 1e-6 < model.weights_[1:].min()


@pytest.mark.parametrize(
    ("answer", "classes", "words"),
    [
        (lambda n: np.full((n, 3), 0.5), None, r"'odd'.*no probabilities.*sum to 1"),
        (lambda n: np.tile([1.5, -0.5, 0], (n, 1)), None, r"'odd'.*no probabilities"),
        (lambda n: np.full((n, 2), 0.5), None, r"'odd'.*shape \(\d+, 2\).*3 classes"),
        (
            lambda n: np.full((n, 2), 0.5),
            ["setosa", "rose"],
            r"'odd'.*'rose'.*classes=",
        ),
    ],
    ids=["sum", "negative", "columns", "class"],
)
def test_answers_that_cannot_be_name_the_member(X, y, answer, classes, words):
    model = StackingNetClassifier(
        [("ok", GaussianNB()), ("odd", Fixed(answer, classes))]
    )
    with pytest.raises(ValueError, match=words) as caught:
        model.fit(X, y)

    assert any("odd" in note for note in caught.value.__notes__)


def test_ours_is_at_least_as_good_as_counting_members():
    """Against `VotingClassifier` of the same members, two of them poor, held out."""
    score = []
    for seed in range(4):
        X, y = make_classification(
            700, 12, n_informative=6, n_classes=3, random_state=seed
        )
        members = [
            ("logistic", LogisticRegression()),
            ("near", KNeighborsClassifier(7)),
            ("stump", DecisionTreeClassifier(max_depth=1, random_state=0)),
            ("guess", DecisionTreeClassifier(max_features=1, max_depth=2)),
        ]
        members[3][1].set_params(random_state=seed)
        rivals = (StackingNetClassifier(members), VotingClassifier(members))
        score.append([m.fit(X[:300], y[:300]).score(X[300:], y[300:]) for m in rivals])
    ours, theirs = np.mean(score, axis=0)

    assert ours > theirs
