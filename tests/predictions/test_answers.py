"""What members of an ensemble are asked for, and how their answers are read."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier
from sklearn.multiclass import OutputCodeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

from stackingnet_sk.predictions import NUMBER, ClassAnswer

law = settings(max_examples=60, deadline=None, derandomize=True)
NAMES = np.array(["ant", "bee", "cat", "dog"])


class Fixed:
    """Answers with what it was made of, whatever it is asked about."""

    def __init__(self, classes=None, **answers):
        if classes is not None:
            self.classes_ = classes
        for name, answer in answers.items():
            setattr(self, name, lambda X, answer=answer: answer)


def ask(member, n_rows=2, classes=NAMES):
    return ClassAnswer(classes)("m", member, np.zeros((n_rows, 1)))


def data(n_classes, names):
    X, y = make_classification(
        200, 6, n_informative=4, n_classes=n_classes, random_state=0
    )
    return X, np.asarray(names)[y]


@pytest.mark.parametrize("names", [[3, 5, 9], ["b", "a", "cc"], [-1.0, 0.0, 7.0]])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "member",
    [
        LogisticRegression(),
        KNeighborsClassifier(),
        LinearSVC(random_state=0),
        RidgeClassifier(),
        Perceptron(random_state=0),
        SVC(),
        OutputCodeClassifier(LogisticRegression(), random_state=0),
    ],
    ids=lambda member: type(member).__name__,
)
def test_members_say_the_class_that_they_predict(member, n_classes, names):
    """Whichever way they are asked, rows sum to one, and the largest entry is what
    `predict` says (where it is the only one: neighbours can tie).
    """
    X, y = data(n_classes, names[:n_classes])
    member.fit(X, y)
    answer = ClassAnswer(np.unique(names))
    found = answer("m", member, X)

    assert found.shape == (200, *answer.shape) == (200, 3)
    assert found.dtype == np.float64
    assert (found >= 0).all()
    assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    clear = np.sort(found, axis=1)[:, -1] > np.sort(found, axis=1)[:, -2]
    assert clear.mean() > 0.9
    said = answer.classes[found.argmax(axis=1)]
    assert_array_equal(said[clear], member.predict(X)[clear])


def test_probabilities_come_first_then_scores_then_votes():
    probabilities = np.array([[0.2, 0.3, 0.1, 0.4], [1.0, 0.0, 0.0, 0.0]])
    scores = np.array([[1.0, 2.0, 3.0, -800.0], [0.0, 0.0, 0.0, 0.0]])
    votes = np.array(["dog", "bee"])
    everything = {"decision_function": scores, "predict": votes}
    found = ask(Fixed(NAMES, predict_proba=probabilities, **everything))
    assert_array_equal(found, probabilities)
    assert_allclose(ask(Fixed(NAMES, **everything)), softmax(scores, axis=1))
    assert_array_equal(ask(Fixed(NAMES, predict=votes)), np.eye(4)[[3, 1]])


@law
@given(st.floats(-1000, 1000))
def test_score_of_two_classes_is_a_log_odds(score):
    """The second class's, without overflow."""
    found = ask(Fixed(["bee", "dog"], decision_function=np.array([score, -score])))

    assert_allclose(found[0], [0, expit(-score), 0, expit(score)])
    assert_allclose(found[1], found[0][[0, 3, 2, 1]])


@law
@given(
    st.integers(0, 2**20),
    st.sampled_from(["predict_proba", "decision_function", "predict"]),
    st.integers(2, 4),
)
def test_columns_go_by_name(seed, how, n_own):
    """A member knows some of the classes, in an order of its own, and never says the
    others.
    """
    rng = np.random.default_rng(seed)
    own = rng.permutation(NAMES)[:n_own]
    places = np.searchsorted(NAMES, own)
    probabilities = rng.dirichlet(np.ones(n_own), 5)
    answer = {
        "predict_proba": probabilities,
        "decision_function": np.log(probabilities),
        "predict": own[probabilities.argmax(axis=1)],
    }[how]
    if how == "predict":
        probabilities = np.eye(n_own)[probabilities.argmax(axis=1)]
    found = ask(Fixed(own, **{how: answer}), 5)

    assert_allclose(found[:, places], probabilities, rtol=1e-12)
    assert_array_equal(np.delete(found, places, axis=1), 0)


@pytest.mark.parametrize("member", [LogisticRegression(), LinearSVC(random_state=0)])
def test_fitted_without_a_class(member):
    """As happens in a fold: its column is zero, not somebody else's."""
    X, y = data(3, ["a", "b", "c"])
    member.fit(X[y != "b"], y[y != "b"])
    classes = np.array(["a", "b", "c"])
    found = ClassAnswer(classes)("m", member, X)

    assert_array_equal(found[:, 1], 0)
    assert_array_equal(classes[found.argmax(axis=1)], member.predict(X))


@pytest.mark.parametrize(
    "member",
    [
        Fixed(["ant", "fox"], predict_proba=np.full((2, 2), 0.5)),
        Fixed(["ant", "fox"], decision_function=np.zeros(2)),
        Fixed(predict=np.array(["ant", "fox"])),
    ],
    ids=["predict_proba", "decision_function", "predict"],
)
def test_unknown_class_is_named(member):
    with pytest.raises(
        ValueError, match=r"'m' answers with the class 'fox'.*\['ant', "
    ):
        ask(member)


def test_class_that_is_known_but_never_said_is_no_error():
    """Votes are read for what they say; so a member may know more."""
    member = Fixed(["ant", "fox"], predict=np.array(["ant", "ant"]))
    assert_array_equal(ask(member), np.eye(4)[[0, 0]])


@pytest.mark.parametrize(
    "row",
    [[0.5, 0.6], [0.4, 0.4], [-0.1, 1.1], [np.nan, 1.0], [np.inf, 0.0], [0.0, 0.0]],
    ids=str,
)
def test_what_is_no_probability_is_shown(row):
    """The first such row."""
    table = np.array([[0.5, 0.5], row, [2.0, 2.0]])
    member = Fixed(["ant", "bee"], predict_proba=table)
    with pytest.raises(ValueError, match=rf"'m' gives {re.escape(str(row))} for a row"):
        ask(member, 3)


def test_rounding_is_no_error():
    """Single precision sums to one within a millionth; what is more is an error."""
    rng = np.random.default_rng(0)
    table = softmax(rng.normal(size=(1000, 4)).astype(np.float32) * 3, axis=1)
    assert table.dtype == np.float32
    found = ask(Fixed(NAMES, predict_proba=table), 1000)
    assert_array_equal(found, table)
    member = Fixed(["ant", "bee"], predict_proba=np.array([[0.5, 0.5 + 2e-6]]))
    with pytest.raises(ValueError, match="sum to 1"):
        ask(member, 1)


@pytest.mark.parametrize(
    "member",
    [
        Fixed(NAMES, predict_proba=np.full((2, 3), 1 / 3)),
        Fixed(NAMES, predict_proba=np.full((3, 4), 0.25)),
        Fixed(NAMES, predict_proba=[np.full((2, 2), 0.5)] * 2),
        Fixed(NAMES, decision_function=np.zeros(2)),
        Fixed(NAMES, decision_function=np.zeros((2, 6))),
        Fixed(NAMES[:2], decision_function=np.zeros((2, 1))),
        Fixed(predict=np.array(["ant"])),
        Fixed(predict=np.array([["ant", "bee"]] * 2)),
        Fixed(predict="ant"),
    ],
)
def test_other_shapes_name_the_member(member):
    with pytest.raises(ValueError, match=r"Member 'm' .*shape \(.* for 2 rows.*must"):
        ask(member)


def test_one_class():
    """All members agree."""
    constant = DummyClassifier().fit(np.zeros((3, 1)), ["ant"] * 3)
    for member in (constant, Fixed(predict=np.array(["ant", "ant"]))):
        assert_array_equal(ask(member, classes=NAMES[:1]), [[1], [1]])
        assert_array_equal(ask(member), np.eye(4)[[0, 0]])


def test_equal_numbers_are_the_same_class():
    """A member fitted on floats answers for the integers, one on booleans likewise."""
    classes = np.array([0, 1])
    for own in (np.array([0.0, 1.0]), np.array([False, True])):
        assert_array_equal(ask(Fixed(predict=own), classes=classes), np.eye(2))
        table = np.array([[0.3, 0.7], [0.6, 0.4]])
        member = Fixed(own, predict_proba=table)
        assert_array_equal(ask(member, classes=classes), table)


def test_no_rows():
    empty = np.empty((0, 4))
    for member in (Fixed(NAMES, predict_proba=empty), Fixed(predict=NAMES[:0])):
        assert ask(member, 0).shape == (0, 4)


def test_numbers_are_one_a_row():
    """The regressor's question, of the same kind."""
    X = np.zeros((2, 1))
    assert NUMBER.shape == ()
    assert_array_equal(NUMBER("m", Fixed(predict=[1, 2.5]), X), [1, 2.5])
    with pytest.raises(ValueError, match=r"'m' .*one number a row"):
        NUMBER("m", Fixed(predict=[1, 2, 3]), X)
