"""Input that cannot be, or hardly: an error that names the place, or a sound answer."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.exceptions import DataConversionWarning, NotFittedError
from test_classifier import panel

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.weights import Status

NAMES = np.array(["ant", "bee", "cat"], dtype=object)


@pytest.fixture
def votes():
    return panel()[0]


@pytest.fixture
def truth():
    return panel()[1]


def refused(words, function, *args, error=ValueError, **kwargs):
    """Assert that the call raises, with all the words in the message."""
    with pytest.raises(error) as caught:
        function(*args, **kwargs)
    missing = [word for word in words if not re.search(word, str(caught.value))]
    assert not missing, f"{missing} not in: {caught.value}"


def assert_sound(model, table):
    """Finite, summing to one, and its own arg-max."""
    shown = model.predict_proba(table)
    assert np.isfinite(shown).all()
    assert_allclose(shown.sum(axis=1), 1.0)
    assert_array_equal(model.classes_[np.argmax(shown, axis=1)], model.predict(table))
    for attribute in ("weights_", "vote_weights_", "confusion_", "reliability_"):
        assert np.isfinite(getattr(model, attribute)).all(), attribute
    single = Status.OPTIMAL if model.shrinkage != "auto" else Status.MIXTURE
    assert model.solution_.status in (single, Status.CONVERGED)


# ---------------------------------------------------------------- votes of mixed types


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([["ant", 1], ["bee", 2]], ["'ant'", "1", "all texts or all numbers"]),
        ([["1", 1], ["2", 2]], ["'1'", "1", "all texts or all numbers"]),
        ([[None, np.nan], [None, None]], ["No model votes", "at least one vote"]),
    ],
)
@pytest.mark.parametrize("wrap", [list, pd.DataFrame], ids=["list", "frame"])
def test_mixed_or_no_votes_leave_no_classes_to_find(cells, words, wrap):
    """Without labels nobody says whether "1" is the number."""
    refused(words, StackingNetClassifier().fit, wrap(cells))


def test_numbers_are_equal_whatever_their_type(votes, truth):
    """1, 1.0 and True are one class, in votes, labels and answers."""
    reference = StackingNetClassifier().fit(votes, truth)
    cells = votes.astype(int).astype(object)
    cells[::2] = votes[::2]
    for table, y in (
        (votes.astype(np.uint8), truth),
        (votes.astype(np.float32), truth.astype(np.int8)),
        (cells, truth.astype(float)),
        (cells.tolist(), truth.astype(object)),
        (pd.DataFrame(votes).astype("Int64"), pd.Series(truth).astype("Int64")),
    ):
        model = StackingNetClassifier().fit(table, y)
        assert_array_equal(model.vote_weights_, reference.vote_weights_)
        assert_array_equal(model.predict(table), reference.predict(votes))

    flags = StackingNetClassifier().fit(votes > 0, truth > 0)
    assert flags.classes_.dtype == bool
    numbers = StackingNetClassifier().fit((votes > 0).astype(int), truth > 0)
    assert_array_equal(numbers.vote_weights_, flags.vote_weights_)


def test_votes_of_another_type_than_the_labels_abstain(votes, truth):
    """The text "1" is not the class 1: said once, and answered by the prior."""
    table = votes.astype(int).astype(object)
    table[:, 1] = [str(vote) for vote in table[:, 1]]
    words = r"'model_1' votes '\d' at row 0.*\[0, 1, 2\].*model_1: 300, of 300 rows"
    with pytest.warns(UserWarning, match=words) as caught:
        model = StackingNetClassifier().fit(table, truth)

    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert model.weights_[1] == 0
    with pytest.warns(UserWarning, match="model_1: 300"):
        assert_sound(model, table)


@pytest.mark.parametrize("vote", [[1], {"a": 1}, b"ant", 3 + 4j, object()], ids=repr)
def test_things_that_are_no_label_abstain(truth, vote):
    """An answer of a program may be anything, also what cannot be looked up."""
    table = NAMES[panel()[0].astype(int)]
    silent = table.copy()
    table[4, 2] = vote
    silent[4, 2] = None
    with pytest.warns(UserWarning, match=r"'model_2' votes .* at row 4.*model_2: 1,"):
        model = StackingNetClassifier().fit(table, NAMES[truth])

    plain = StackingNetClassifier().fit(silent, NAMES[truth])
    assert_array_equal(model.vote_weights_, plain.vote_weights_)
    strict = StackingNetClassifier(unknown_vote="error")
    refused(["'model_2'", "row 4", "classes="], strict.fit, table, NAMES[truth])


@pytest.mark.filterwarnings("ignore:.*counted as one:UserWarning")
def test_unknown_votes_are_counted_for_each_column(votes, truth):
    """In one warning, the ten first columns by name, however many there are."""
    frame = pd.DataFrame(np.tile(votes, 3), columns=[f"m{j}" for j in range(15)])
    model = StackingNetClassifier().fit(frame, truth)
    strange = frame.astype(int).copy()
    for j in range(1, 13):
        strange.iloc[:j, j] = 99
    with pytest.warns(UserWarning, match="none of the classes") as caught:
        prediction = model.predict(strange)

    assert len(caught) == 1
    said = str(caught[0].message)
    assert "'m12' votes 99 at row 0" in said
    assert "(m1: 1, m2: 2, m3: 3," in said
    assert "m10: 10, and 2 more models, of 300 rows)" in said
    silent = strange.astype(float).replace(99.0, np.nan)
    assert_array_equal(prediction, model.predict(silent))
    model.set_params(unknown_vote="error")
    refused(["'m12' votes 99 at row 0"], model.predict, strange)


# -------------------------------------------------------------------- hardly an input


@pytest.mark.parametrize("structure", ["shared", "full", "auto"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_a_class_without_labelled_rows(votes, truth, structure, class_weight):
    """It stays one that can be voted for, and is found where the models say so."""
    few = np.where((truth < 2) & (np.arange(300) < 60), truth, np.nan)
    model = StackingNetClassifier(
        classes=[0, 1, 2], structure=structure, class_weight=class_weight
    ).fit(votes, few)

    assert_sound(model, votes)
    assert (model.class_prior_ > 0).all()
    assert model.predict([[2] * 5]).tolist() == [2]
    assert np.mean(model.predict(votes)[truth == 2] == 2) > 0.7


@pytest.mark.parametrize("n_labels", [0, 1, 2, 4])
def test_fewer_labels_than_classes(n_labels):
    """The prior does the work that they cannot."""
    votes, truth = panel(n_classes=5)
    labels = np.where(np.arange(300) < n_labels, truth, np.nan) if n_labels else None
    model = StackingNetClassifier(classes=range(5)).fit(votes, labels)

    assert_sound(model, votes)
    assert model.score(votes, truth) > np.mean(votes[:, 0] == truth) - 0.02


@pytest.mark.parametrize("structure", ["shared", "auto"])
@pytest.mark.parametrize("n_labels", [0, 10, 50])
def test_a_hundred_classes_on_fifty_rows(structure, n_labels):
    """More weights in a matrix than rows in the world: still an answer, and a good one
    where the votes are.
    """
    votes, truth = panel(n_rows=50, n_classes=20, accuracy=(0.8, 0.7, 0.6, 0.6))
    votes, truth = 5 * votes, 5 * truth
    labels = np.where(np.arange(50) < n_labels, truth, np.nan) if n_labels else None
    model = StackingNetClassifier(classes=range(100), structure=structure)
    model.fit(votes, labels)

    assert_sound(model, votes)
    assert model.vote_weights_.shape == (4, 100, 100)
    assert model.score(votes, truth) > np.mean(votes[:, 0] == truth) - 0.1


@pytest.mark.parametrize("n_labels", [0, 20, 300])
def test_one_who_contradicts_all_others(n_labels):
    """Of two classes: known for the least reliable, and never followed."""
    votes, truth = panel(n_classes=2, accuracy=(0.85, 0.8, 0.8, 0.75))
    most = votes.mean(axis=1) > 0.5
    table = np.column_stack([votes, ~most])
    labels = np.where(np.arange(300) < n_labels, truth, np.nan) if n_labels else None
    model = StackingNetClassifier().fit(table, labels)

    assert_sound(model, table)
    assert model.reliability_.argmin() == 4
    assert model.reliability_[4] < 0.5
    assert model.weights_[4] <= 0.1
    assert model.score(table, truth) > 0.8


@pytest.mark.parametrize("n_labels", [0, 20, 300])
def test_one_who_always_answers_the_same(votes, truth, n_labels):
    """It is worth next to nothing, and its balanced accuracy is one in K."""
    table = np.column_stack([votes, np.ones(300)])
    labels = np.where(np.arange(300) < n_labels, truth, np.nan) if n_labels else None
    model = StackingNetClassifier().fit(table, labels)

    assert_sound(model, table)
    assert abs(model.weights_[-1]) < 0.2 < model.weights_[0]
    assert model.reliability_[-1] == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("labels", ["same", "other", "none"])
def test_all_who_always_answer_the_same(truth, labels):
    table = np.ones((300, 3))
    y = {"same": np.ones(300), "other": truth, "none": None}[labels]
    model = StackingNetClassifier().fit(table, y)

    assert_sound(model, table)
    assert (model.predict(table) == (truth if labels == "other" else 1)).mean() > 0.3


@pytest.mark.parametrize("labels", [True, False])
def test_nobody_who_answers(truth, labels):
    """The prior is all that is left: of the labels, else uniform."""
    silence = np.full((300, 4), np.nan)
    model = StackingNetClassifier(classes=[0, 1, 2])
    model.fit(silence, truth if labels else None)

    assert_sound(model, silence)
    assert not model.weights_.any()
    rates = np.bincount(truth) / 300 if labels else np.full(3, 1 / 3)
    assert_allclose(model.predict_proba(silence[:1])[0], rates, atol=0.01)


@pytest.mark.parametrize("n_models", [1, 2, 5])
@pytest.mark.parametrize("label", [0, 1, None])
def test_a_single_row(n_models, label):
    """A panel of one item, agreed on: followed, unless its label says otherwise."""
    row = np.zeros((1, n_models))
    model = StackingNetClassifier(classes=[0, 1])
    model.fit(row, None if label is None else [label])

    assert_sound(model, row)
    if label != 1:
        assert model.predict(row).tolist() == [0]


def test_copied_rows_are_rows(votes, truth):
    """Duplicates are what tables of votes are made of; here of a single row."""
    once = StackingNetClassifier(classes=[0, 1, 2]).fit(votes[:1], truth[:1])
    often = StackingNetClassifier(classes=[0, 1, 2])
    often.fit(votes[[0] * 500], truth[[0] * 500])

    assert_sound(often, votes)
    assert often.counts_.weight == 500
    shown = [model.predict_proba(votes[:1])[0, truth[0]] for model in (once, often)]
    assert shown[0] < shown[1]


@pytest.mark.parametrize("shrinkage", [1e-12, 1e12])
@pytest.mark.parametrize("structure", ["shared", "full"])
def test_extreme_priors(votes, truth, shrinkage, structure):
    model = StackingNetClassifier(shrinkage=shrinkage, structure=structure)
    assert_sound(model.fit(votes, truth), votes)


# ------------------------------------------------------------------ not an input at all


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (lambda y: y[:-1], ["inconsistent numbers of samples", "300", "299"]),
        (lambda y: np.column_stack([y, y]), ["1d array", r"\(300, 2\)"]),
        (lambda y: y + 0.5, ["continuous"]),
        (lambda y: y + 1j, ["[Cc]omplex"]),
        (lambda y: np.where(y == 1, np.inf, y), ["infinity", "row", "NaN"]),
        (lambda y: np.full(300, np.nan), ["NaN only", "y=None"]),
        (lambda y: [None] * 300, ["NaN only", "y=None"]),
        (lambda y: np.where(y == 1, "b", y).astype(object), []),
    ],
    ids=["short", "wide", "real", "complex", "infinite", "NaN", "None", "text"],
)
@pytest.mark.filterwarnings("ignore:Model '.*none of the classes")
def test_labels_that_cannot_be(votes, truth, labels, words):
    y = labels(truth)
    if words:
        refused(words, StackingNetClassifier().fit, votes, y)
    else:
        # All texts: votes that are numbers abstain.
        assert not StackingNetClassifier().fit(votes, y).weights_.any()


def test_a_column_of_labels_warns(votes, truth):
    """As everywhere in scikit-learn."""
    with pytest.warns(DataConversionWarning, match="ravel"):
        model = StackingNetClassifier().fit(votes, truth[:, None])

    plain = StackingNetClassifier().fit(votes, truth)
    assert_array_equal(model.vote_weights_, plain.vote_weights_)


@pytest.mark.parametrize(
    ("table", "words", "error"),
    [
        (lambda v: v[0], ["2D array", "1D array"], ValueError),
        (lambda v: v[:0], ["0 sample"], ValueError),
        (lambda v: v[:, :0], ["0 feature"], ValueError),
        (lambda v: v[None, None], ["dim 4"], ValueError),
        (csr_array, ["[Ss]parse"], TypeError),
        (
            lambda v: pd.DataFrame(v, columns=list("abcda")),
            ["unique", "'a'"],
            ValueError,
        ),
    ],
    ids=["row", "no-rows", "no-columns", "deep", "sparse", "names"],
)
def test_tables_that_cannot_be(votes, table, words, error):
    refused(words, StackingNetClassifier().fit, table(votes), error=error)


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (np.where(np.arange(300) == 7, -1.0, 1.0), ["negative", "row 7", "-1"]),
        (np.where(np.arange(300) == 7, np.nan, 1.0), ["NaN", "row 7"]),
        (np.where(np.arange(300) == 7, np.inf, 1.0), ["infinity", "row 7"]),
        (np.zeros(300), ["zero on every row"]),
        (np.ones(299), [r"\(299,\)", r"\(300,\)"]),
        (np.ones((300, 1)), [r"\(300, 1\)", "one weight a row"]),
    ],
    ids=["negative", "NaN", "infinite", "zero", "short", "column"],
)
def test_weights_that_cannot_be(votes, truth, weight, words):
    fit = StackingNetClassifier().fit
    refused(words, fit, votes, truth, sample_weight=weight)
    refused(words, fit, votes, sample_weight=weight)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"classes": []}, ["classes=", "at least one"]),
        ({"classes": 3}, ["classes=3", "list"]),
        ({"classes": ["ant", "bee"]}, ["label 2 at row 0", "'ant'", "unlabelled"]),
        ({"classes": [0, 1, None]}, ["sorted|classes"]),
        ({"class_weight": {0: np.nan}}, ["class_weight of 0", "positive"]),
        ({"class_weight": {1: np.inf}}, ["class_weight of 1", "positive"]),
        ({"class_weight": [1, 2, 3]}, ["class_weight", "dict"]),
        ({"shrinkage": np.nan}, ["shrinkage=nan", "finite"]),
        ({"shrinkage": True}, ["shrinkage=True"]),
        ({"shrinkage": "strong"}, ["'strong'", "'auto'"]),
        ({"input": "probabilities"}, ["input=", "'proba'"]),
        ({"unknown_vote": None}, ["unknown_vote=None", "'abstain'"]),
        ({"solver": "scs"}, ["solver='scs'", "'cvxpy'"]),
        ({"pool": ["logit"]}, ["pool=", "'linear'"]),
    ],
    ids=str,
)
def test_parameters_that_cannot_be(votes, truth, parameters, words):
    """Also in blocks; the message shows the value and what to give."""
    model = StackingNetClassifier(**parameters)
    refused(words, model.fit, votes, truth)
    given = {} if "classes" in parameters else {"classes": [0, 1, 2]}
    refused(words, model.partial_fit, votes, truth, **given)


def test_other_columns_than_those_of_the_fit(votes, truth):
    frame = pd.DataFrame(votes, columns=list("abcde"))
    model = StackingNetClassifier().fit(frame, truth)

    for method in ("predict", "predict_proba", "transform", "n_answers"):
        ask = getattr(model, method)
        refused(["- d", "- e"], ask, frame[list("abc")])
        refused(["same order"], ask, frame[list("bacde")])
        refused(["- z", "- a"], ask, frame.rename(columns={"a": "z"}))
    with pytest.raises(NotFittedError):
        StackingNetClassifier().predict(votes)


@pytest.mark.parametrize("wrong", ["label", "weight", "vote"])
def test_a_failed_refit_leaves_no_weights_behind(votes, truth, wrong):
    """Those of a to e say nothing about v to z."""
    model = StackingNetClassifier(classes=[0, 1, 2], unknown_vote="error")
    model.fit(pd.DataFrame(votes, columns=list("abcde")), truth)
    table = pd.DataFrame(votes, columns=list("vwxyz"))
    omega = np.where(wrong == "weight", -1.0, np.ones(300))
    if wrong == "vote":
        table.loc[3, "x"] = 7
    y = np.where(wrong == "label", 7, truth)
    with pytest.raises(ValueError, match=r"row|weight"):
        model.fit(table, y, sample_weight=omega)

    with pytest.raises(NotFittedError):
        model.predict(table)
