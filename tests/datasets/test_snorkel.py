"""Label matrices: -1 abstains, and nothing else does."""

import numpy as np
import pandas as pd
import pytest
from example_frames import cells, each_library
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.datasets import from_snorkel


@given(
    st.integers(1, 5).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(-1, 4), min_size=n, max_size=n), min_size=1, max_size=8
        )
    )
)
def test_minus_one_abstains_and_classes_stay(rows):
    found = from_snorkel(rows, y=[row[0] for row in rows])
    assert_array_equal(found.X, np.where(np.array(rows) == -1, np.nan, rows))
    labels = [None] * len(rows) if found.y is None else found.y
    assert [-1 if label is None else label for label in labels] == [r[0] for r in rows]


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, object])
def test_any_type_of_whole_numbers(dtype):
    matrix = np.array([[0, -1], [1, 1]], dtype=dtype)
    assert_array_equal(from_snorkel(matrix).X, [[0, np.nan], [1, 1]])


@each_library
def test_frames_keep_their_library_and_names(make):
    found = from_snorkel(make({"f": [0, -1, 1], "g": [1, 1, -1]}), y=[0, -1, 1])
    assert cells(found.X) == {"f": [0, None, 1], "g": [1, 1, None]}
    assert type(found.X) is type(make({"a": [1]}))
    assert found.models == ["f", "g"]
    assert list(found.y) == [0, None, 1]


def test_the_weights_are_those_of_missing_votes():
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=90)
    votes = np.where(
        rng.random((90, 4)) < 0.7, truth[:, None], rng.integers(3, size=(90, 4))
    )
    matrix = np.where(rng.random(votes.shape) < 0.2, -1, votes)
    labels = np.where(np.arange(90) < 30, truth, -1)
    found = from_snorkel(matrix, y=labels)
    direct = StackingNetClassifier().fit(
        np.where(matrix < 0, np.nan, matrix), np.where(labels < 0, np.nan, labels)
    )
    model = StackingNetClassifier().fit(found.X, found.y)
    assert_array_equal(model.weights_, direct.weights_)
    assert model.classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize("vote", [-2, 0.5, np.nan, np.inf, -np.inf])
def test_a_vote_that_is_no_class_is_named(vote):
    """A function that returns a probability, say, or one of another convention."""
    matrix = np.array([[0, 1], [0, vote]], dtype=float)
    with pytest.raises(ValueError, match=r"Row 1, column 1 of L"):
        from_snorkel(matrix)
    with pytest.raises(ValueError, match=r"Row 1 of y"):
        from_snorkel([[0], [1]], y=[0, vote])


def test_texts_are_no_votes():
    with pytest.raises(ValueError, match="whole numbers"):
        from_snorkel(pd.DataFrame({"f": ["spam", "ham"]}))


@pytest.mark.parametrize(
    ("matrix", "labels", "message"),
    [([0, 1], None, "1 dimensions"), ([[0], [1]], [0], "L has 2 rows and y has 1")],
)
def test_shapes_are_checked(matrix, labels, message):
    with pytest.raises(ValueError, match=message):
        from_snorkel(matrix, labels)


def test_input_is_not_changed():
    matrix = np.array([[0.0, -1.0]])
    from_snorkel(matrix)
    assert_array_equal(matrix, [[0.0, -1.0]])


def test_labels_of_which_none_is_known_are_no_labels():
    """As everywhere: `y` is None then, and estimators take it."""
    assert from_snorkel([[0, 1], [1, 1]], y=[-1, -1]).y is None
