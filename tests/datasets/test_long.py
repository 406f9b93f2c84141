"""Tables with one row per answer: what they become, and what is refused."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from example_frames import (
    LIBRARIES,
    cells,
    each_library,
    long,
    none,
    numbers,
    votes,
    wide,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.datasets import from_long, from_wide

COLUMNS = {"item": "text", "model": "who", "answer": "said"}
law = settings(max_examples=60, deadline=None)


def read(frame, **options):
    return from_long(frame, **COLUMNS, **options)


def twice(answers, make):
    """One model that answers each of the items "a" and "b" several times."""
    known = [answer for own in answers for answer in own]
    items = [item for item, own in zip("ab", answers, strict=True) for _ in own]
    return make({"text": items, "who": ["m"] * len(known), "said": known})


# ------------------------------------------------------------------ the same in all


@each_library
@pytest.mark.parametrize("source", [votes, numbers])
def test_every_library_gives_the_same_table(make, source):
    table, labels = source()
    found = read(make(long(table, labels)), label="truth", groups=["site"])

    assert type(found.X) is type(make({"a": [1]})), "a frame of the same library"
    expected = wide(table, labels)
    assert cells(found.X) == {name: expected[name] for name in found.models}
    assert found.models == [f"model {m}" for m in range(5)]
    assert found.items.tolist() == expected["text"]
    assert [none(label) for label in found.y] == expected["truth"]
    assert cells(found.groups) == {"site": expected["site"]}


@each_library
@pytest.mark.parametrize(
    ("source", "estimator"),
    [(votes, StackingNetClassifier), (numbers, StackingNetRegressor)],
)
def test_long_and_wide_give_the_same_weights(make, source, estimator):
    """The format is not part of the problem."""
    table, labels = source()
    from_rows = read(make(long(table, labels)), label="truth")
    from_columns = from_wide(
        make(wide(table, labels)), label="truth", item="text", groups=["site"]
    )

    direct = estimator().fit(table, labels)
    for data in (from_rows, from_columns):
        model = estimator().fit(data.X, data.y)
        # Frames are stored by columns, so that sums may round otherwise.
        assert_allclose(model.weights_, direct.weights_, rtol=1e-12)
        assert list(model.model_names_) == data.models


@pytest.mark.parametrize(
    ("source", "estimator"),
    [(votes, StackingNetClassifier), (numbers, StackingNetRegressor)],
)
def test_the_order_of_rows_does_not_matter_for_the_weights(source, estimator):
    """Answers are a set; items and models come in another order, and that is all."""
    frame = pd.DataFrame(long(*source()))
    reference = read(frame, label="truth")
    fitted = estimator().fit(reference.X, reference.y)
    expected = dict(zip(reference.models, fitted.weights_, strict=True))
    for seed in range(3):
        mixed = read(frame.sample(frac=1, random_state=seed), label="truth")
        assert mixed.models != reference.models, "the test would show nothing"
        model = estimator().fit(mixed.X, mixed.y)
        found = dict(zip(mixed.models, model.weights_, strict=True))
        # Sums in another order round otherwise.
        assert_allclose(
            [found[name] for name in expected], list(expected.values()), atol=1e-9
        )


@law
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 9), st.sampled_from("xyz")),
        st.sampled_from(["yes", "no", "perhaps"]),
        min_size=1,
    ),
    st.sampled_from(list(LIBRARIES)),
)
def test_answers_go_to_their_cell_and_nowhere_else(answers, library):
    """What comes out, cell by cell, is the set of answers that went in."""
    items, models = zip(*answers, strict=True)
    frame = LIBRARIES[library](
        {"text": list(items), "who": list(models), "said": list(answers.values())}
    )
    found = read(frame)

    assert found.items.tolist() == list(dict.fromkeys(items))
    assert found.models == list(dict.fromkeys(models))
    back = {
        (item, model): said
        for model, column in cells(found.X).items()
        for item, said in zip(found.items.tolist(), column, strict=True)
        if said is not None
    }
    assert back == answers


# --------------------------------------------------------------------------- labels


@each_library
def test_labels_come_from_a_column_a_dict_or_a_series(make):
    """All three say the same of the same items."""
    table, labels = votes()
    frame = make(long(table, labels))
    known = {f"text {row}": label for row, label in enumerate(labels) if label}
    expected = read(frame, label="truth").y
    assert_array_equal(read(frame, label=known).y, expected)
    assert_array_equal(read(frame, label=pd.Series(known)).y, expected)
    # Gaps that are spelt out, and items that nobody answered, change nothing.
    more = {**dict.fromkeys(read(frame).items.tolist()), **known, "elsewhere": "ant"}
    assert_array_equal(read(frame, label=more).y, expected)
    assert read(frame).y is None


@each_library
def test_labels_on_one_of_an_items_rows_are_enough(make):
    frame = make(
        {
            "text": ["a", "a", "b", "b"],
            "who": ["m", "n", "m", "n"],
            "said": [1.0, 2.0, 3.0, 4.0],
            "truth": [None, 1.5, None, None],
        }
    )
    assert_array_equal(read(frame, label="truth").y, [1.5, np.nan])


@each_library
@pytest.mark.parametrize(
    ("column", "what"), [("label", "labels"), ("groups", "groups")]
)
def test_an_item_has_one_label_and_one_group(make, column, what):
    frame = make(
        {
            "text": ["a", "a", "b"],
            "who": ["m", "n", "m"],
            "said": [1, 2, 3],
            "truth": ["x", "y", "x"],
        }
    )
    with pytest.raises(ValueError, match=rf"Item 'a' has two {what}.*'x' and 'y'"):
        read(frame, **{column: "truth"})


def test_labels_are_a_column_or_a_mapping():
    """A list says nothing of which item it means."""
    frame = pd.DataFrame({"text": ["a", "b"], "who": ["m", "m"], "said": [1, 2]})
    with pytest.raises((TypeError, ValueError), match="label"):
        read(frame, label=[1.0, 2.0])


# ----------------------------------------------------------------------- duplicates


@each_library
def test_an_error_lists_duplicates(make):
    """All pairs where they are few, the first five and their number where many."""
    frame = twice([["x", "y"], ["x"]], make)
    with pytest.raises(ValueError, match=r"1 pair.*\('a', 'm'\)\. .*aggregate="):
        read(frame)
    many = make(
        {
            "text": [f"t{row}" for row in range(8)] * 2,
            "who": ["m"] * 16,
            "said": ["x"] * 16,
        }
    )
    with pytest.raises(ValueError, match=r"8 pairs") as caught:
        read(many)
    assert len(re.findall(r"\('t\d', 'm'\)", str(caught.value))) == 5
    assert "and 3 more" in str(caught.value)


@each_library
@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("mean", [3.0, 7.0]),
        ("median", [2.0, 7.0]),
        ("most_frequent", [2.0, 7.0]),
        ("first", [2.0, 7.0]),
        ("last", [6.0, 7.0]),
        (max, [6.0, 7.0]),
        (lambda values: None, [None, 7.0]),
    ],
)
def test_aggregates_of_numbers(make, aggregate, expected):
    frame = twice([[2.0, 2.0, 2.0, 6.0], [7.0]], make)
    assert cells(read(frame, aggregate=aggregate).X) == {"m": expected}


@each_library
@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("most_frequent", ["y", "x"]),
        ("first", ["x", "x"]),
        ("last", ["y", "x"]),
        (lambda values: "".join(values), ["xyy", "x"]),
    ],
)
def test_aggregates_of_texts(make, aggregate, expected):
    frame = twice([["x", "y", "y"], ["x"]], make)
    assert cells(read(frame, aggregate=aggregate).X) == {"m": expected}


@each_library
@pytest.mark.parametrize("answers", [["x", "y"], ["x", "y", "y", "x", "z"]])
def test_a_tie_of_the_most_frequent_is_no_answer(make, answers):
    """Else the order of rows would decide."""
    found = read(twice([answers, ["x"]], make), aggregate="most_frequent")
    assert cells(found.X) == {"m": [None, "x"]}


@pytest.mark.parametrize("aggregate", ["mean", "median"])
def test_texts_have_no_mean(aggregate):
    """The error speaks of the option, not of numpy's types."""
    frame = twice([["x", "y"], ["x"]], pd.DataFrame)
    with pytest.raises((TypeError, ValueError), match="aggregate=") as caught:
        read(frame, aggregate=aggregate)
    assert "dtype" not in str(caught.value)


@pytest.mark.parametrize("answers", [[["x", "y"], ["x"]], [["x"], ["x"]]])
def test_an_unknown_aggregate_is_refused_with_duplicates_and_without(answers):
    """It is wrong before the data have a say."""
    with pytest.raises(ValueError, match=r"aggregate='mode'.*most_frequent"):
        read(twice(answers, pd.DataFrame), aggregate="mode")


@each_library
def test_missing_answers_are_no_duplicates(make):
    """A model that was asked again after it failed has answered once."""
    found = read(twice([[None, "x", None], [None, None]], make))
    assert cells(found.X) == {"m": ["x", None]}


# ------------------------------------------------------------------- what is refused


@each_library
def test_crowd_kit_names_are_the_default(make):
    columns = {"task": ["a", "a", "b"], "worker": ["m", "n", "m"], "label": [1, 2, 1]}
    found = from_long(make(columns))
    assert cells(found.X) == {"m": [1.0, 1.0], "n": [2.0, None]}
    # A part of the names is a mistake, not a mix of conventions.
    with pytest.raises(ValueError, match="model="):
        from_long(make(columns), item="task", answer="label")


@pytest.mark.parametrize("column", ["text", "who"])
@pytest.mark.parametrize("missing", [None, np.nan])
def test_an_answer_belongs_to_an_item_and_a_model(column, missing):
    columns = {"text": ["a", "b", "c"], "who": ["m", "m", "n"], "said": [1, 2, 3]}
    columns[column] = [columns[column][0], missing, columns[column][2]]
    with pytest.raises(ValueError, match=rf"Row 1 has no .*'{column}'"):
        read(pd.DataFrame(columns))


@each_library
def test_a_missing_column_is_an_error_with_the_nearest(make):
    frame = make({"texts": ["a"], "who": ["m"], "said": [1]})
    with pytest.raises(ValueError, match=r"no column 'text'.*nearest are 'texts'"):
        read(frame)


def test_numbers_and_texts_in_one_column_are_refused():
    frame = pd.DataFrame({"text": ["a", "b"], "who": ["m", "m"], "said": [1, "x"]})
    with pytest.raises(
        ValueError, match=r"number in row 0 \(1\).*text in row 1 \('x'\)"
    ):
        read(frame)


def test_models_whose_names_look_alike_are_not_mixed_up():
    """1 and "1" are two models; if a frame can't name them, it is an error."""
    frame = pd.DataFrame(
        {"text": ["a", "a", "b"], "who": [1, "1", 1], "said": ["x", "y", "z"]}
    )
    try:
        found = read(frame)
    except ValueError:
        return
    assert len(found.models) == 2
    assert list(cells(found.X).values()) == [["x", "z"], ["y", None]]


@each_library
def test_names_that_are_numbers_become_texts(make):
    """Items keep their type; columns of a frame are named by texts."""
    frame = make({"text": [7, 7, 3], "who": [1, 2, 1], "said": ["x", "y", "z"]})
    found = read(frame)
    assert found.models == ["1", "2"]
    assert found.items.tolist() == [7, 3]


def test_input_is_not_changed():
    frame = pd.DataFrame(long(*votes()))
    before = frame.copy(deep=True)
    read(frame, label="truth", groups=["site"])
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    "thing",
    [{"text": ["a"]}, [[1, 2]], np.zeros((2, 2)), "t.csv", pl.LazyFrame()],
    ids=type,
)
def test_what_is_no_frame_is_refused(thing):
    with pytest.raises(TypeError, match="pandas, polars or pyarrow"):
        read(thing)
