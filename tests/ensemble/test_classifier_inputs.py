"""What a classifier takes, and what it says of what it cannot take."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.weights import Status


@pytest.fixture
def truth():
    return np.random.default_rng(0).integers(3, size=60)


@pytest.fixture
def votes(truth):
    rng = np.random.default_rng(1)
    right = rng.random((60, 4)) < 0.7
    return np.where(right, truth[:, None], rng.integers(3, size=(60, 4)))


@pytest.fixture
def table(votes):
    """Probabilities that lean toward the votes, shape (60, 4, 3)."""
    noise = np.random.default_rng(2).dirichlet(np.ones(3), size=votes.shape)
    return 0.4 * noise + 0.6 * np.eye(3)[votes]


def is_sound(model, X):
    """Defined, finite, and its own arg-max."""
    shown = model.predict_proba(X)
    assert np.isfinite(shown).all()
    assert_allclose(shown.sum(axis=1), 1.0)
    assert_array_equal(model.classes_[shown.argmax(axis=1)], model.predict(X))
    for attribute in ("weights_", "vote_weights_", "intercept_", "reliability_"):
        assert np.isfinite(getattr(model, attribute)).all()
    return True


# ---------------------------------------------------------------------- votes

NAMES = np.array(["cat", "dog", "emu"], dtype=object)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("wrap", [np.array, pd.DataFrame, np.ndarray.tolist])
def test_texts_and_numbers_are_the_same_votes(votes, truth, missing, wrap):
    """And so are the ways to say nothing."""
    numbers = votes.astype(float)
    numbers[::9, 1] = np.nan
    texts = NAMES[votes]
    texts[::9, 1] = missing
    plain = StackingNetClassifier().fit(numbers, truth)
    named = StackingNetClassifier().fit(wrap(texts), NAMES[truth].tolist())

    assert_array_equal(named.vote_weights_, plain.vote_weights_)
    assert named.classes_.tolist() == NAMES.tolist()
    assert_array_equal(named.predict(wrap(texts)), NAMES[plain.predict(numbers)])


@pytest.mark.parametrize("dtype", ["Int64", "string", "category"])
def test_frames_of_any_type(votes, truth, dtype):
    source = votes if dtype == "Int64" else NAMES[votes]
    frame = pd.DataFrame(source, columns=list("abcd")).astype(dtype)
    labels = truth if dtype == "Int64" else NAMES[truth]
    model = StackingNetClassifier().fit(frame, labels)

    assert model.model_names_.tolist() == list("abcd")
    plain = StackingNetClassifier().fit(votes, truth)
    assert_array_equal(model.vote_weights_, plain.vote_weights_)


def test_without_labels_classes_are_the_votes(votes):
    assert StackingNetClassifier().fit(NAMES[votes]).classes_.tolist() == list(NAMES)


def test_unknown_votes_abstain_and_are_counted(votes, truth):
    strange = votes.copy()
    strange[[3, 5], 1] = 7
    strange[4, 2] = 9
    said = r"'model_1' votes 7 at row 3.*model_1: 2, model_2: 1, of 60 rows"
    with pytest.warns(UserWarning, match=said):
        model = StackingNetClassifier().fit(strange, truth)
    silent = votes.astype(float)
    silent[[3, 5], 1] = silent[4, 2] = np.nan
    plain = StackingNetClassifier().fit(silent, truth)
    assert_array_equal(model.vote_weights_, plain.vote_weights_)
    with pytest.raises(ValueError, match="'model_1' votes 7 at row 3"):
        StackingNetClassifier(unknown_vote="error").fit(strange, truth)


def test_inputs_are_not_written_to(votes, truth, table):
    copies = votes.copy(), truth.copy(), table.copy()
    StackingNetClassifier().fit(votes, truth).predict_proba(votes)
    for pool in ("logit", "linear"):
        StackingNetClassifier(pool=pool).fit(table, truth).predict_proba(table)
    for before, after in zip(copies, (votes, truth, table), strict=True):
        assert_array_equal(before, after)


# ---------------------------------------------------------------- probabilities


@pytest.mark.parametrize("pool", ["logit", "linear"])
def test_both_shapes_of_probabilities(table, truth, pool):
    deep = StackingNetClassifier(pool=pool, input="proba").fit(table, truth)
    flat = table.reshape(60, -1)
    names = [f"{m}_{label}" for m in ("gpt", "llama", "phi", "qwen") for label in "abc"]
    frame = pd.DataFrame(flat, columns=names)
    wide = StackingNetClassifier(pool=pool, input="proba").fit(frame, truth)

    assert_array_equal(wide.weights_, deep.weights_)
    assert wide.model_names_.tolist() == ["gpt", "llama", "phi", "qwen"]
    assert is_sound(wide, frame)
    assert_array_equal(wide.predict(frame), deep.predict(table))


@pytest.mark.parametrize("pool", ["logit", "linear"])
@pytest.mark.parametrize("labels", [True, False])
def test_columns_are_in_the_order_of_classes(table, truth, pool, labels):
    """Whoever lists low, mid, high has them in that order, not by the alphabet."""
    names = np.array(["low", "mid", "high"])
    model = StackingNetClassifier(pool=pool, classes=names)
    model.fit(table, names[truth] if labels else None)
    plain = StackingNetClassifier(pool=pool).fit(table, truth if labels else None)

    order = [2, 0, 1]  # high, low, mid
    assert model.classes_.tolist() == names[order].tolist()
    shown = plain.predict_proba(table)[:, order]
    assert_allclose(model.predict_proba(table), shown, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*counted as one:UserWarning")
def test_probabilities_stay_what_they_were_in_fit(table, votes, truth):
    """Two dimensions don't say what they hold; the fit does."""
    deep = StackingNetClassifier().fit(table, truth)
    flat = table.reshape(60, -1)
    assert_array_equal(deep.predict_proba(flat), deep.predict_proba(table))
    assert deep.n_answers(flat).tolist() == [4] * 60
    wide = np.tile(votes, 3)
    with pytest.raises(ValueError, match="but fit has seen votes"):
        StackingNetClassifier().fit(wide, truth).predict(table)


def test_scores_are_not_taken_for_votes_in_silence(table):
    with pytest.raises(ValueError, match="look like scores: give probabilities with"):
        StackingNetClassifier().fit(table.reshape(60, -1))
    halves = np.array([[0.5, 1.0], [1.0, 1.0], [0.5, 0.5]])
    model = StackingNetClassifier(classes=[0.5, 1.0]).fit(halves)
    assert model.classes_.tolist() == [0.5, 1.0]


def test_the_linear_pool_is_a_certified_mixture(table, truth):
    model = StackingNetClassifier(pool="linear").fit(table, truth)

    assert model.solution_.gap <= 1e-12
    assert model.weights_.min() >= 0
    assert_allclose(model.weights_.sum(), 1.0)
    mixed = np.einsum("imk,m->ik", table, model.weights_)
    assert_allclose(model.predict_proba(table), mixed)


def test_a_model_may_be_silent_on_a_row(table, truth):
    holes = table.copy()
    holes[5, 2] = np.nan
    holes[6] = np.nan
    for pool in ("logit", "linear"):
        model = StackingNetClassifier(pool=pool).fit(holes, truth)
        assert is_sound(model, holes)
        assert model.n_answers(holes)[4:7].tolist() == [4, 3, 0]
        assert_allclose(model.predict_proba(holes)[6], model.class_prior_, atol=1e-8)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([-0.1, 0.6, 0.5], "are not between 0 and 1"),
        ([0.5, 0.5, 0.00001], "sum to 1.00001; divide them"),
        ([np.nan, 0.5, 0.5], "miss some classes"),
    ],
)
def test_what_are_no_probabilities(table, truth, values, said):
    table[7, 1] = values
    with pytest.raises(ValueError, match=f"'model_1' at row 7.*{said}"):
        StackingNetClassifier().fit(table, truth)


def test_rounding_is_no_error(table, truth):
    StackingNetClassifier().fit(table * (1 + 5e-7), truth)


# ------------------------------------------------------------------- degenerate


def constant(votes, truth):
    return np.column_stack([votes, np.ones(60, dtype=int)])


def silent(votes, truth):
    return np.column_stack([votes, np.full(60, np.nan)])


def contrary(votes, truth):
    return np.column_stack([votes, (truth + 1) % 3])


def identical(votes, truth):
    return np.repeat(votes[:, :1], 5, axis=1)


def alone(votes, truth):
    return votes[:, :1]


def a_pair(votes, truth):
    return votes[:, :2]


@pytest.mark.parametrize(
    "spoil",
    [constant, silent, contrary, identical, alone, a_pair],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("structure", ["auto", "shared", "full"])
@pytest.mark.parametrize("labels", [0, 3, 60])
def test_odd_panels_have_defined_answers(votes, truth, spoil, structure, labels):
    X = spoil(votes, truth)
    y = np.where(np.arange(60) < labels, truth.astype(float), np.nan)
    model = StackingNetClassifier(classes=[0, 1, 2], structure=structure)
    model.fit(X, y if labels else None)

    assert is_sound(model, X)
    if labels:
        assert model.solution_.status is Status.MIXTURE
    else:
        assert model.solution_.status is Status.CONVERGED
    if spoil is identical:
        assert_allclose(model.weights_, model.weights_[0])
        assert_array_equal(model.predict(X), X[:, 0])
    if spoil is silent:
        assert model.weights_[-1] == 0
        assert_allclose(model.reliability_[-1], 1 / 3)
    if spoil is alone:
        assert_array_equal(model.predict(X), X[:, 0])


def test_one_class_one_row_and_more_classes_than_labels(votes, truth):
    one = StackingNetClassifier().fit(votes * 0, truth * 0)
    assert is_sound(one, votes * 0)
    row = StackingNetClassifier(classes=[0, 1, 2]).fit(votes[:1], truth[:1])
    assert is_sound(row, votes)
    few = StackingNetClassifier(classes=[0, 1, 2, 3], class_weight="balanced")
    assert is_sound(few.fit(votes[:2], truth[:2], X_unlabeled=votes), votes)


def test_a_hundred_classes_with_fifty_rows():
    rng = np.random.default_rng(0)
    truth = rng.integers(100, size=50)
    guesses = rng.integers(100, size=(50, 5))
    votes = np.where(rng.random((50, 5)) < 0.6, truth[:, None], guesses)
    model = StackingNetClassifier(classes=range(100)).fit(votes, None)
    assert is_sound(model, votes)
    assert (model.predict(votes) == truth).mean() > 0.8


@pytest.mark.parametrize(
    ("parameters", "y", "said"),
    [
        ({"classes": [0, 1]}, None, "The label 2 at row"),
        ({"classes": [0, 0, 1]}, None, "lists a class twice"),
        ({"classes": [0.0, 1.0, 2.0, np.nan]}, None, "has NaN, None or infinity"),
        ({"class_weight": {9: 1.0}}, None, "names the class 9"),
        ({"class_weight": {0: -1.0}}, None, "give a positive number"),
        ({"class_weight": "even"}, None, "neither None, 'balanced' nor a dict"),
        ({"pool": "log"}, None, "pool='log' is unknown"),
        ({"structure": "both"}, None, "structure='both' is unknown"),
        ({"shrinkage": -1}, None, "shrinkage=-1 is not a strength"),
        ({"pool": "linear", "input": "votes"}, None, "mixes probabilities"),
        ({}, [np.inf] + [0.0] * 59, "Input y contains infinity, first at row 0"),
        ({}, [np.nan] * 60, "label at least one row"),
        ({}, [0.5] * 60, "Unknown label type: continuous"),
        ({}, [0, "a"] * 30, "all texts or all numbers"),
    ],
)
def test_clear_errors(votes, truth, parameters, y, said):
    if isinstance(y, list) and "a" in y:
        y = np.array(y, dtype=object)
    with pytest.raises(ValueError, match=re.escape(said)):
        StackingNetClassifier(**parameters).fit(votes, truth if y is None else y)
