"""Votes of any kind become numbers of classes; probabilities are checked."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.predictions import (
    ClassAnswers,
    check_probabilities,
    classes_of_votes,
    code_texts,
    encode_votes,
    names_of_blocks,
    sorted_classes,
)

law = settings(max_examples=60, deadline=None, derandomize=True)
CLASSES = {
    "int": np.array([-3, 0, 7]),
    "uint": np.array([1, 2, 250], dtype=np.uint8),
    "float": np.array([-0.5, 0.0, 2.0]),
    "str": np.array(["a", "bc", "nan"]),
    "bool": np.array([False, True]),
    "object": np.array(["a", "bc", "nan"], dtype=object),
}
UNKNOWN = {"int": 1, "uint": 249, "float": np.inf, "str": "b", "bool": 2, "object": "b"}
# No boolean is unknown.
WIDER = {"bool": np.int64}


def objects(rows):
    """A table of cells, whatever they are."""
    table = np.empty((len(rows), len(rows[0]) if len(rows) else 3), dtype=object)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            table[i, j] = cell
    return table


@law
@given(
    kind=st.sampled_from(sorted(CLASSES)),
    seed=st.integers(0, 2**20),
    n_rows=st.integers(0, 6),
    as_objects=st.booleans(),
)
def test_numbers_of_classes(kind, seed, n_rows, as_objects):
    """Cell by cell: the place of a class, -1 and a mark for what is none, -1 alone for
    what is missing. The same of a typed table and of one of objects.
    """
    rng = np.random.default_rng(seed)
    classes = CLASSES[kind]
    places = rng.integers(len(classes), size=(n_rows, 3))
    unknown = rng.random(places.shape) < 0.2
    missing = (rng.random(places.shape) < 0.2) & ~unknown
    table = objects(classes[places])
    table[unknown] = UNKNOWN[kind]
    if as_objects or kind == "object":
        nothing = np.array([None, np.nan, pd.NA, float("nan")], dtype=object)
        table[missing] = rng.choice(nothing, np.count_nonzero(missing))
    else:
        missing &= kind == "float"
        table[missing] = np.nan
        table = table.astype(WIDER.get(kind, classes.dtype))
    before = table.copy()
    votes, marks = encode_votes(table, classes)

    assert votes.dtype == np.int32
    assert_array_equal(votes, np.where(unknown | missing, -1, places))
    assert_array_equal(marks, unknown)
    pairs = zip(table.ravel(), before.ravel(), strict=True)
    assert all(a is b or a == b or np.isnan(a) for a, b in pairs)


@pytest.mark.parametrize(
    ("table", "classes", "expected"),
    [
        # Equal numbers are the same class, whatever their type.
        (np.array([[1.0, 0.0, 0.5]]), CLASSES["bool"], [1, 0, None]),
        (np.array([[True, False]]), np.array([0, 1]), [1, 0]),
        (np.array([[1.0, 2.5]], np.float32), np.array([1, 2]), [0, None]),
        (objects([[np.int8(7), 7.0, "7", True]]), CLASSES["int"], [2, 2, None, None]),
        # Texts are not numbers, and need not have the same length.
        (np.array([["1", "2"]]), np.array([1, 2]), [None, None]),
        (np.array([[1, 2]]), np.array(["1", "2"]), [None, None]),
        (np.array([["a long text", "bc"]]), CLASSES["str"], [None, 1]),
        # A text that looks missing is a text.
        (np.array([["nan", "None"]]), CLASSES["str"], [2, None]),
        # What no dictionary can hold is no class.
        (
            objects([[["a"], {}, np.array(["a"]), "a"]]),
            CLASSES["str"],
            [None] * 3 + [0],
        ),
    ],
)
def test_cells_of_other_types(table, classes, expected):
    votes, marks = encode_votes(table, classes)

    assert votes[0].tolist() == [-1 if place is None else place for place in expected]
    assert marks[0].tolist() == [place is None for place in expected]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (np.array([[3, 1], [1, 2]]), [1, 2, 3]),
        (np.array([[3.0, np.nan], [np.nan, 1.5]]), [1.5, 3.0]),
        (np.array([["b", "a"], ["b", "nan"]]), ["a", "b", "nan"]),
        (np.array([[True, True]]), [True]),
        (objects([["b", None, "a", np.nan, pd.NA]]), ["a", "b"]),
        (objects([[2, None, 1, np.nan, 1.0]]), [1, 2]),
        (objects([[True, False, None]]), [False, True]),
    ],
)
def test_classes_are_what_is_voted_for(table, expected):
    """Sorted, once each, nothing that is missing; they find themselves again."""
    classes = classes_of_votes(table)

    assert classes.tolist() == expected
    assert classes.dtype.kind != "O"
    votes, marks = encode_votes(table, classes)
    assert not marks.any()
    assert sorted(set(votes[votes >= 0])) == list(range(len(expected)))


@pytest.mark.parametrize(
    "table",
    [np.full((2, 2), np.nan), objects([[None, pd.NA]]), np.zeros((0, 2), int)],
    ids=["nan", "None", "no rows"],
)
def test_no_vote_is_an_error(table):
    with pytest.raises(ValueError, match="at least one vote"):
        classes_of_votes(table)


def test_texts_and_numbers_are_no_classes_together():
    """One of each is shown."""
    with pytest.raises(ValueError, match=r"texts or all numbers.*the votes.*'a' and 1"):
        classes_of_votes(objects([[1, "a", None]]))
    with pytest.raises(ValueError, match=r"y have both 'a' and 2\.0"):
        sorted_classes(np.array(["a", 2.0], dtype=object), "y")
    with pytest.raises(ValueError, match="cannot be sorted in y"):
        sorted_classes(objects([[[1], [2]]])[0], "y")


def simplex(rng, *shape):
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1])


BAD = {
    "are not between 0 and 1": [[-0.1, 0.5, 0.6], [np.inf, 0, 0], [np.inf, -np.inf, 1]],
    "sum to 1.00001; divide": [[0.5, 0.5, 1e-5]],
    "sum to 0.9; divide": [[0.4, 0.5, 0.0]],
    "sum to 0; divide": [[0.0, 0.0, 0.0]],
    "miss some classes": [[0.5, 0.5, np.nan], [np.nan, np.nan, 1.0], [np.nan, -1, 9]],
}


@pytest.mark.parametrize(
    ("problem", "values"),
    [(problem, values) for problem, rows in BAD.items() for values in rows],
    ids=str,
)
@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 1), (4, 2)])
def test_bad_probabilities_name_model_and_row(problem, values, row, column):
    """The first of two; a silent model before them is none."""
    table = simplex(np.random.default_rng(0), 6, 3, 3)
    table[:row, 0] = np.nan
    table[row, column] = table[5, 2] = values
    with pytest.raises(ValueError, match=re.escape(problem)) as caught:
        check_probabilities(table, ["gpt", "llama", "qwen"])

    message = str(caught.value)
    assert f"model {['gpt', 'llama', 'qwen'][column]!r} at row {row}," in message
    assert str([float(value) for value in values]) in message
    assert "(2 such in all)" in message


@pytest.mark.parametrize("off", [1e-5, 2e-6, -2e-6, 5e-7, -5e-7, 1e-9])
def test_sums_are_one_within_a_millionth(off):
    """What divides by a sum in single precision is off by less."""
    table = np.array([[[0.5, 0.5 + off]]])
    if abs(off) > 1e-6:
        with pytest.raises(ValueError, match="divide them by their sum"):
            check_probabilities(table, ["a"])
    else:
        assert check_probabilities(table, ["a"]) is table


def test_silent_models_say_zero_and_the_table_stays_as_it_is():
    table = simplex(np.random.default_rng(0), 5, 2, 3)
    assert check_probabilities(table, ["a", "b"]) is table
    table[2, 1] = table[4] = np.nan
    before = table.copy()
    table.flags.writeable = False
    found = check_probabilities(table, ["a", "b"])

    assert_array_equal(table, before)
    assert_array_equal(found, np.nan_to_num(before))
    empty = np.empty((0, 2, 3))
    assert check_probabilities(empty, ["a", "b"]).shape == (0, 2, 3)


def test_probabilities_vote_for_the_largest_and_ties_abstain():
    """As does who is silent; any largest is enough where it is the only one."""
    table = np.array(
        [
            [[0.2, 0.3, 0.5], [0.5, 0.5, 0.0]],
            [[0.4, 0.2, 0.4], [0.0, 0.0, 0.0]],
            [[1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]],
            [[0.0, 0.5 + 1e-15, 0.5 - 1e-15], [0.0, 1.0, 0.0]],
        ]
    )
    answers = ClassAnswers.from_probabilities(table)

    assert_array_equal(answers.votes, [[2, -1], [-1, -1], [0, -1], [1, 1]])
    assert answers.probabilities is table
    # Who prefers none answers all the same; who is silent doesn't.
    assert_array_equal(answers.given[:, 1], [True, False, True, True])
    assert answers.given[:, 0].all()
    assert answers.vectors(3) is table
    nobody = ClassAnswers.from_probabilities(np.empty((0, 2, 3)))
    assert nobody.votes.shape == nobody.given.shape == (0, 2)


def test_votes_as_vectors_and_some_of_the_rows():
    votes = np.array([[0, 2], [-1, 1], [2, -1]])
    answers = ClassAnswers(votes)
    vectors = np.zeros((3, 2, 3))
    for i, m in zip(*np.nonzero(votes >= 0), strict=True):
        vectors[i, m, votes[i, m]] = 1

    assert_array_equal(answers.vectors(3), vectors)
    assert_array_equal(answers.given, votes >= 0)
    assert_array_equal(ClassAnswers.from_probabilities(vectors).votes, votes)
    for rows in (np.array([2, 0]), np.array([True, False, True])):
        assert_array_equal(answers.take(rows).votes, votes[rows])
        assert answers.take(rows).probabilities is None
        both = ClassAnswers(votes, vectors).take(rows)
        assert_array_equal(both.probabilities, vectors[rows])


@pytest.mark.parametrize(
    ("columns", "n_classes", "expected"),
    [
        (["gpt_no", "gpt_yes", "llama_no", "llama_yes"], 2, ["gpt", "llama"]),
        (["m [0]", "m [1]", "n/0", "n/1"], 2, ["m", "n"]),
        (["gpt-4:a", "gpt-4:b", "gpt-4o:a", "gpt-4o:b"], 2, ["gpt-4", "gpt-4o"]),
        (["a", "b"], 1, ["a", "b"]),
        (["no", "yes"], 2, None),
        (["m_0", "m_1", "m_0", "m_1"], 2, None),
        (["_0", "_1"], 2, None),
        ([], 2, []),
    ],
)
def test_names_of_models_are_what_their_columns_share(columns, n_classes, expected):
    """Unless they share nothing, or two models the same."""
    assert names_of_blocks(columns, n_classes) == expected


def test_arrow_texts_are_coded_to_what_they_say():
    """Nulls, chunks that differ in their texts, columns that differ in theirs."""
    pa = pytest.importorskip("pyarrow")
    cells = {"a": ["x", None, "z", "x"], "b": ["y", "y", None, "w"]}
    chunked = pa.concat_tables([pa.table(cells).slice(0, 2), pa.table(cells).slice(2)])
    for table in (chunked, chunked.to_batches()[0], chunked.slice(4)):
        texts, codes = code_texts(table)
        expected = np.array(table.to_pandas(), dtype=object)
        expected[pd.isna(expected)] = None
        assert_array_equal(texts[codes], expected)
    assert code_texts(pa.table({"a": ["x"], "b": [1]})) is None, "a number"
    assert code_texts(chunked.to_pandas()) is None


def test_arrow_texts_are_voted_like_an_array_of_them():
    """Votes that are no class are named and abstain in both."""
    pa = pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    votes = rng.choice(
        np.array(["no", "yes", "hm", None]), size=(60, 3), p=[0.4, 0.4, 0.1, 0.1]
    )
    y = rng.choice(["no", "yes"], size=60)
    names = ["a", "b", "c"]
    frame = pd.DataFrame(votes, columns=names)
    message = "votes 'hm' at row .*, which is none of the classes"
    with pytest.warns(UserWarning, match=message) as plain:
        expected = StackingNetClassifier().fit(frame, y)
    with pytest.warns(UserWarning, match=message) as coded:
        found = StackingNetClassifier().fit(
            pa.table(dict(zip(names, votes.T, strict=True))), y
        )
    assert [str(w.message) for w in plain] == [str(w.message) for w in coded]
    assert_array_equal(found.weights_, expected.weights_)
    assert found.model_names_.tolist() == names
    with pytest.raises(ValueError, match="yet now missing"):
        found.predict(pa.table({"a": ["no"], "b": ["no"]}))
