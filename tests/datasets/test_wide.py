"""Tables with one column per model: roles, markers, numbers in texts, refusals."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from example_frames import LIBRARIES, cells, each_library, none
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.datasets import from_long, from_wide

law = settings(max_examples=60, deadline=None)
TABLE = {
    "a": [1.0, 2.0, None, 4.0],
    "name": ["p", "q", "r", "s"],
    "b": [1.5, None, 3.5, 4.5],
    "truth": [1.0, None, None, 4.0],
    "site": ["x", "y", "x", "y"],
}
ROLES = {"label": "truth", "item": "name", "groups": ["site"]}


@each_library
def test_columns_go_to_their_roles(make):
    found = from_wide(make(TABLE), **ROLES)
    assert cells(found.X) == {name: TABLE[name] for name in "ab"}
    assert type(found.X) is type(make(TABLE)), "a frame of the same library"
    assert [none(label) for label in found.y] == TABLE["truth"]
    assert found.items.tolist() == TABLE["name"]
    assert cells(found.groups) == {"site": TABLE["site"]}
    assert (len(found), found.models, found.n_labelled) == (4, ["a", "b"], 2)
    assert found.labelled.tolist() == [True, False, False, True]
    assert repr(found) == "4 items x 2 models, 2 labelled"


@each_library
def test_models_can_be_named(make):
    """Then all other columns are none, and the models' order is the one given."""
    found = from_wide(make(TABLE), models=["b", "a"])
    assert cells(found.X) == {name: TABLE[name] for name in "ba"}
    assert found.models == ["b", "a"]
    assert found.y is found.items is found.groups is None
    assert repr(found) == "4 items x 2 models, no labels"


@each_library
def test_a_single_group_needs_no_list(make):
    one = from_wide(make(TABLE), label="truth", item="name", groups="site")
    assert cells(one.groups) == {"site": TABLE["site"]}


@each_library
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "trut"}, "no column 'trut' for the label.*nearest are 'truth'"),
        ({"label": "TRUTH"}, "no column 'TRUTH'.*nearest are 'truth'"),
        ({"label": "zzz"}, "no column 'zzz' .*first are 'a', 'name', 'b'"),
        ({"models": ["a", "c"]}, "no column 'c' for a model"),
        ({"groups": ["sites"]}, "no column 'sites' for a group.*'site'"),
        ({"item": "names"}, "no column 'names' for the items.*'name'"),
        (
            {"label": "truth", "models": ["a", "truth"]},
            "'truth' is the label.*no model",
        ),
        ({"groups": ["site"], "models": ["site"]}, "'site' is a group.*no model"),
        (
            {"label": "truth", "groups": ["truth"]},
            "only one of label, items, groups and ignored",
        ),
        ({"models": ["a", "a"]}, "named twice"),
        ({"models": []}, "No column is left"),
        ({"task": "ranking"}, "task"),
        ({"missing": "N/A"}, r"list of markers; pass \['N/A'\]"),
    ],
)
def test_wrong_roles_are_refused(make, options, message):
    with pytest.raises(ValueError, match=message):
        from_wide(make(TABLE), **options)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame([[1, 2], [3, 4]], columns=["m", "m"]),
        pa.table([[1, 3], [2, 4]], names=["m", "m"]),
    ],
    ids=["pandas", "pyarrow"],
)
def test_duplicate_columns_are_named(frame):
    """Polars makes none."""
    with pytest.raises(ValueError, match=r"\['m'\] occur more than once"):
        from_wide(frame)


@pytest.mark.parametrize("label", [None, 2])
def test_columns_named_by_numbers(label):
    """As pandas names them where nobody else does."""
    predictions = np.random.default_rng(0).normal(size=(20, 3))
    found = from_wide(pd.DataFrame(predictions), label=label)
    n_models = 3 if label is None else 2
    assert len(found.models) == n_models
    model = StackingNetRegressor().fit(found.X, found.y)
    expected = StackingNetRegressor().fit(
        predictions[:, :n_models], None if label is None else predictions[:, 2]
    )
    assert_allclose(model.weights_, expected.weights_, rtol=1e-12)


def test_lazy_frames_are_refused_with_what_to_do():
    with pytest.raises(TypeError, match=r"LazyFrame.*collect\(\)"):
        from_wide(pl.LazyFrame({"a": [1]}))


# --------------------------------------------------------------------------- missing


@each_library
def test_markers_are_missing_in_answers_and_labels_alone(make):
    """An item may be called "refused"."""
    frame = make(
        {
            "name": ["refused", "q", "r"],
            "a": ["x", "refused", "y"],
            "b": ["N/A", "x", "y"],
            "truth": ["x", "N/A", "refused"],
        }
    )
    found = from_wide(frame, label="truth", item="name", missing=["refused", "N/A"])
    assert cells(found.X) == {"a": ["x", None, "y"], "b": [None, "x", "y"]}
    assert list(found.y) == ["x", None, None]
    assert found.items.tolist() == ["refused", "q", "r"]


@each_library
def test_markers_can_be_numbers(make):
    """Of numbers only: the text "-9" is another thing."""
    frame = make({"a": [1, -9, 3], "b": [1.5, -9.0, 3.5], "c": ["-9", "x", "y"]})
    found = from_wide(frame, missing=[-9])
    assert cells(found.X) == {
        "a": [1, None, 3],
        "b": [1.5, None, 3.5],
        "c": ["-9", "x", "y"],
    }


@each_library
def test_numbers_in_texts_are_read_where_the_task_says_so(make):
    columns = {
        "a": ["1", "2.5", ""],
        "b": ["-3e2", " 4", None],
        "truth": ["1", "", "2"],
    }
    frame = make({**columns, "b": ["-3e2", "4", None]})
    found = from_wide(frame, label="truth", missing=[""], task="regression")
    assert cells(found.X) == {"a": [1.0, 2.5, None], "b": [-300.0, 4.0, None]}
    assert [none(label) for label in found.y] == [1.0, None, 2.0]
    plain = from_wide(frame, label="truth", missing=[""])
    assert cells(plain.X) == {"a": ["1", "2.5", None], "b": ["-3e2", "4", None]}


@each_library
@pytest.mark.parametrize("text", ["7/10", "five", "1,5", "85%"])
def test_a_text_that_is_no_number_is_named(make, text):
    frame = make({"a": ["1", "2", text], "b": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match=r"'a' has .* in row 2.*missing=") as caught:
        from_wide(frame, task="regression")
    assert repr(text) in str(caught.value)


@each_library
@pytest.mark.parametrize("votes", [["1", "0", "1"], ["1.0", "0.0", "1.0"], [1, 0, 1]])
def test_one_class_however_its_number_is_written(make, votes):
    frame = make({"a": votes, "b": [1.0, 0.0, 0.0], "truth": ["1", "0", None]})
    found = from_wide(frame, label="truth", task="classification")
    assert cells(found.X)["a"] == [1, 0, 1]
    assert list(found.y) == [1, 0, None]
    assert StackingNetClassifier().fit(found.X, found.y).classes_.tolist() == [0, 1]


@each_library
def test_classes_stay_texts_where_one_is_a_text(make):
    """Also the numbers among them, in all columns: "1" is one class."""
    frame = make(
        {"a": ["1", "0", "1"], "b": ["1", "?", "0"], "truth": ["1", "0", None]}
    )
    found = from_wide(frame, label="truth", task="classification")
    assert cells(found.X) == {"a": ["1", "0", "1"], "b": ["1", "?", "0"]}
    assert list(found.y) == ["1", "0", None]


@pytest.mark.parametrize("role", ["a model", "the label"])
def test_numbers_and_texts_in_one_column_are_refused(role):
    """The estimator could not tell whether "1" is 1."""
    mixed, other = ["a", "b"] if role == "a model" else ["b", "a"]
    frame = pd.DataFrame({mixed: [1, "x", None], other: [1, 2, 3]})
    with pytest.raises(ValueError, match=rf"'{mixed}' has a number in row 0 .*row 1"):
        from_wide(frame, label="b")


@pytest.mark.parametrize(
    "column",
    [
        pd.Categorical(["x", None, "y"]),
        pd.array(["x", None, "y"], dtype="string"),
        np.array(["x", None, "y"], dtype=object),
    ],
    ids=lambda column: str(column.dtype),
)
def test_kinds_of_pandas_texts(column):
    frame = pd.DataFrame({"a": ["x", "y", "y"], "b": column, "truth": column})
    found = from_wide(frame, label="truth")
    assert cells(found.X)["b"] == ["x", None, "y"]
    assert list(found.y) == ["x", None, "y"]
    assert found.n_labelled == 2


def test_kinds_of_pandas_numbers():
    """Nullable whole numbers among them."""
    column = pd.array([1, None, 3], dtype="Int64")
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": column, "truth": column})
    found = from_wide(frame, label="truth")
    assert [none(label) for label in found.y] == [1, None, 3]
    reference = StackingNetRegressor().fit(
        [[1.0, 1.0], [2.0, np.nan], [3.0, 3.0]], [1, np.nan, 3]
    )
    model = StackingNetRegressor().fit(found.X, found.y)
    assert_allclose(model.weights_, reference.weights_, rtol=1e-12)


def test_input_is_not_changed():
    frame = pd.DataFrame({"a": ["1", "N/A"], "truth": ["1", ""]})
    before = frame.copy(deep=True)
    from_wide(frame, label="truth", missing=["", "N/A"], task="regression")
    pd.testing.assert_frame_equal(frame, before)


# ----------------------------------------------------------------------- round trips


@law
@given(st.data(), st.sampled_from(list(LIBRARIES)), st.booleans())
def test_wide_to_long_and_back(data, library, of_texts):
    """A table is its answers, if each item and each model has one."""
    n_items, n_models = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 4))
    known = st.sampled_from(["x", "y", "z"]) if of_texts else st.floats(-9, 9)
    # The first row and column are full, so that all names occur, in order.
    columns = {
        f"m{m}": [
            data.draw(known if row == 0 or m == 0 else st.none() | known)
            for row in range(n_items)
        ]
        for m in range(n_models)
    }
    labels = data.draw(st.lists(st.none() | known, min_size=n_items, max_size=n_items))
    make = LIBRARIES[library]
    if not any(label is not None for label in labels):
        labels[0] = columns["m0"][0]
    items = [f"t{row}" for row in range(n_items)]
    wide = from_wide(
        make({"item": items, **columns, "y": labels}), label="y", item="item"
    )
    rows = [
        (item, name, said, label)
        for row, (item, label) in enumerate(zip(items, labels, strict=True))
        for name, said in ((name, column[row]) for name, column in columns.items())
        if said is not None
    ]
    answers = dict(
        zip(["item", "who", "said", "y"], zip(*rows, strict=True), strict=True)
    )
    long = from_long(
        make({name: list(column) for name, column in answers.items()}),
        item="item",
        model="who",
        answer="said",
        label="y",
    )

    assert cells(long.X) == cells(wide.X) == columns
    assert long.items.tolist() == wide.items.tolist() == items
    for table in (long, wide):
        assert [none(label) for label in table.y] == labels
        assert table.n_labelled == sum(label is not None for label in labels)
