"""A regressor in blocks: whatever the split and the order, the weights of one fit."""

import copy
import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from test_classifier import panel as votes_panel

from stackingnet_sk import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.constraints import bounded_disparity, max_weight

law = settings(deadline=None, derandomize=True, max_examples=25)
CONSTRAINTS = ("nonnegative", "simplex", "affine", "uniform")
each_constraint = pytest.mark.parametrize("constraint", CONSTRAINTS)
each_shrinkage = pytest.mark.parametrize("shrinkage", ["auto", 0, 5.0])
N_ROWS = 120


def panel(seed=0, n_rows=N_ROWS, share=0.0):
    """Truth, and models with errors that are partly in common, some of them silent."""
    rng = np.random.default_rng(seed)
    truth = 1.0 + rng.normal(size=n_rows)
    noise = 0.8 * rng.normal(size=(n_rows, 5)) + 0.6 * rng.normal(size=(n_rows, 1))
    table = truth[:, None] + noise * [0.3, 0.5, 0.8, 1.0, 1.5] + 0.2
    return np.where(rng.random(table.shape) < share, np.nan, table), truth


def cut(rng, n_blocks, n_rows=N_ROWS):
    """Rows in any order, cut anywhere. The first block is one that can be weighed."""
    rows = rng.permutation(n_rows)
    edges = np.sort(rng.choice(np.arange(20, n_rows), n_blocks - 1, replace=False))
    return np.split(rows, edges)


def in_blocks(model, blocks, table, labels=None, weights=None):
    for rows in blocks:
        own = None if labels is None else labels[rows]
        omega = None if weights is None else weights[rows]
        model.partial_fit(table[rows], own, sample_weight=omega)
    return model


def answers(model, table):
    """All that it says, in units of the labels."""
    return {
        "weights_": model.weights_,
        "intercept_": model.intercept_,
        "error of all": model.solution_.expected_error,
        "reliability_": model.reliability_,
        "predict": model.predict(table),
        "expected_error": model.expected_error(table),
    }


def assert_same(model, other, table, rtol=1e-10):
    """To `rtol`; against the largest of its kind, where it may be zero by chance."""
    here, there = answers(model, table), answers(other, table)
    for name, expected in there.items():
        # What is added to predictions is as exact as these.
        kind = there["predict" if name == "intercept_" else name]
        size = np.nanmax(np.abs(kind)) if np.isfinite(kind).any() else 1.0
        options = {"rtol": rtol, "atol": 1e-2 * rtol * size, "err_msg": name}
        assert_allclose(here[name], expected, **options)
    assert_array_equal(model.n_answers(table), other.n_answers(table))
    assert model.model_names_.tolist() == other.model_names_.tolist()
    assert model.solution_.status == other.solution_.status
    assert model.moments_per_model_.keys() == other.moments_per_model_.keys()
    pd.testing.assert_frame_equal(
        model.leaderboard(), other.leaderboard(), rtol=rtol, atol=rtol
    )


def assert_identical(model, other, table):
    here, there = answers(model, table), answers(other, table)
    for name, expected in there.items():
        assert_array_equal(here[name], expected, err_msg=name)


# ------------------------------------------------------------------------- exactness


@each_constraint
@each_shrinkage
@pytest.mark.parametrize("share", [0.0, 0.2], ids=["complete", "holes"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("known", [1.0, 0.5], ids=["labelled", "partly"])
def test_blocks_are_one_fit(constraint, shrinkage, share, weighted, known):
    rng = np.random.default_rng(1)
    table, truth = panel(share=share)
    labels = np.where(rng.random(N_ROWS) < known, truth, np.nan)
    weights = rng.exponential(size=N_ROWS) * (rng.random(N_ROWS) < 0.9)
    weights = weights if weighted else None
    whole = StackingNetRegressor(constraint=constraint, shrinkage=shrinkage)
    parts = in_blocks(clone(whole), cut(rng, 5), table, labels, weights)
    whole.fit(table, labels, sample_weight=weights)

    unseen = panel(9, 40, share=0.3)[0]
    assert_same(parts, whole, unseen)


@law
@given(
    seed=st.integers(0, 2**20),
    n_blocks=st.integers(2, 8),
    share=st.sampled_from([0.0, 0.3]),
    known=st.sampled_from([0.3, 1.0]),
    weighted=st.booleans(),
    fit_intercept=st.booleans(),
)
def test_any_split_in_any_order_is_one_fit(
    seed, n_blocks, share, known, weighted, fit_intercept
):
    rng = np.random.default_rng(seed)
    table, truth = panel(seed, share=share)
    labels = np.where(rng.random(N_ROWS) < known, truth, np.nan)
    weights = np.round(rng.exponential(size=N_ROWS), 1) if weighted else None
    whole = StackingNetRegressor(fit_intercept=fit_intercept)
    parts = in_blocks(clone(whole), cut(rng, n_blocks), table, labels, weights)

    whole.fit(table, labels, sample_weight=weights)
    assert_same(parts, whole, table)


@pytest.mark.parametrize("share", [0.0, 0.2], ids=["complete", "holes"])
def test_row_by_row(share):
    """The smallest blocks there are; each of them leaves a model that can answer."""
    table, truth = panel(3, 40, share)
    # Everybody is heard on the first row, else there would be warnings.
    table[0] = truth[0] + np.arange(5) / 10
    parts = StackingNetRegressor()
    for i in range(40):
        parts.partial_fit(table[i : i + 1], truth[i : i + 1])
        assert np.isfinite(parts.predict(table)).all()

    assert_same(parts, StackingNetRegressor().fit(table, truth), table)


@each_constraint
@pytest.mark.parametrize("share", [0.0, 0.2], ids=["complete", "holes"])
def test_blocks_without_labels_count_for_the_prior(constraint, share):
    """With y=None, or a label that is NaN on each row: before, between and after."""
    table, truth = panel(4, share=share)
    parts = StackingNetRegressor(constraint=constraint)
    parts.partial_fit(table[60:80]).partial_fit(table[:15], truth[:15])
    parts.partial_fit(table[80:100], np.full(20, np.nan))
    parts.partial_fit(table[15:30], truth[15:30]).partial_fit(table[30:60], None)
    parts.partial_fit(table[100:], [None] * 20)
    labels = np.where(np.arange(N_ROWS) < 30, truth, np.nan)
    whole = StackingNetRegressor(constraint=constraint).fit(table, labels)
    apart = StackingNetRegressor(constraint=constraint)
    apart.fit(table[:30], truth[:30], X_unlabeled=table[30:])

    for other in (whole, apart):
        assert_same(parts, other, table)
    alone = StackingNetRegressor(constraint=constraint).fit(table[:30], truth[:30])
    if constraint != "uniform":
        assert np.abs(parts.weights_ - alone.weights_).max() > 1e-4


@each_constraint
def test_no_label_at_all(constraint):
    table, _ = panel(5, share=0.1)
    parts = StackingNetRegressor(constraint=constraint)
    in_blocks(parts, cut(np.random.default_rng(0), 4), table)
    whole = StackingNetRegressor(constraint=constraint).fit(table)

    assert_same(parts, whole, table)


def test_a_block_without_weight_is_no_block():
    """Also where it comes first: an order must not matter."""
    table, truth = panel(6)
    table[:30] += 1e6
    weights = np.where(np.arange(N_ROWS) < 30, 0.0, 1.0)
    whole = StackingNetRegressor().fit(table, truth, sample_weight=weights)
    for order in ([1, 0], [0, 1]):
        blocks = [[np.arange(30), np.arange(30, N_ROWS)][k] for k in order]
        parts = in_blocks(StackingNetRegressor(), blocks, table, truth, weights)
        assert_same(parts, whole, table[30:])


def test_single_precision_counts_as_it_is_and_is_summed_in_double():
    table, truth = panel(7, share=0.1)
    single = table.astype(np.float32)
    blocks = cut(np.random.default_rng(0), 5)
    parts = in_blocks(StackingNetRegressor(), blocks, single, truth)

    whole = StackingNetRegressor().fit(single, truth)
    assert_same(parts, whole, single.astype(float), 1e-9)
    assert_allclose(parts.weights_, whole.weights_, rtol=1e-10)
    double = StackingNetRegressor().fit(single.astype(float), truth)
    assert_allclose(parts.weights_, double.weights_, rtol=1e-10)


def test_frames_come_in_blocks():
    """With the names of the columns; whole numbers are floats."""
    table, truth = panel(8)
    frame = pd.DataFrame(np.round(table * 10), columns=list("vwxyz"))
    parts = StackingNetRegressor().partial_fit(frame[:50], pd.Series(truth[:50]))
    parts.partial_fit(frame[50:90].astype(int), truth[50:90].tolist())
    parts.partial_fit(frame[90:], truth[90:])
    whole = StackingNetRegressor().fit(frame, truth)

    assert parts.model_names_.tolist() == list("vwxyz")
    assert parts.feature_names_in_.tolist() == list("vwxyz")
    assert_same(parts, whole, frame)


@pytest.mark.parametrize("offset", [1e6, 1e9])
@each_constraint
@pytest.mark.parametrize("share", [0.0, 0.2], ids=["complete", "holes"])
def test_labels_far_from_zero(offset, constraint, share):
    """Times in seconds since 1970 are 1e9, and what counts are minutes."""
    table, truth = panel(10, share=share)
    table, truth = table + offset, truth + offset
    whole = StackingNetRegressor(constraint=constraint)
    parts = in_blocks(clone(whole), cut(np.random.default_rng(0), 5), table, truth)
    whole.fit(table, truth)

    assert_allclose(parts.weights_, whole.weights_, rtol=1e-10, atol=1e-12)
    # An answer has 16 digits of 1e9, whoever gives it.
    assert_allclose(parts.predict(table), whole.predict(table), rtol=1e-15 * 20)
    found, expected = (each.solution_.expected_error for each in (parts, whole))
    assert found == pytest.approx(expected, rel=1e-10)
    assert_allclose(parts.reliability_, whole.reliability_, rtol=1e-10)


def nearly_perfect(share=0.0):
    table, truth = panel(11, share=share)
    return truth[:, None] + 1e-7 * (table - truth[:, None]), truth


@each_constraint
@each_shrinkage
def test_nearly_perfect_models(constraint, shrinkage):
    """Errors of 1e-7 of the labels' spread: squares of the labels would lose them."""
    table, truth = nearly_perfect()
    whole = StackingNetRegressor(constraint=constraint, shrinkage=shrinkage)
    parts = in_blocks(clone(whole), cut(np.random.default_rng(0), 5), table, truth)
    whole.fit(table, truth)

    assert_allclose(parts.weights_, whole.weights_, rtol=1e-10, atol=1e-12)
    assert_allclose(parts.reliability_, whole.reliability_, rtol=1e-10)
    assert_allclose(parts.predict(table), whole.predict(table), rtol=0, atol=1e-14)


@pytest.mark.parametrize("constraint", ["nonnegative", "simplex"])
@pytest.mark.parametrize("shrinkage", ["auto", 0])
def test_nearly_perfect_models_with_holes(constraint, shrinkage):
    """What a silent one would have said is known to a few digits of its error only.

    Without a prior the weights depend on it, in one fit also on the order of its rows;
    what is said differs by less than the models' errors.
    """
    table, truth = nearly_perfect(0.2)
    whole = StackingNetRegressor(constraint=constraint, shrinkage=shrinkage)
    parts = in_blocks(clone(whole), cut(np.random.default_rng(0), 3), table, truth)
    whole.fit(table, truth)

    if shrinkage == "auto":
        assert_allclose(parts.weights_, whole.weights_, rtol=1e-10, atol=1e-12)
    off = np.abs(parts.predict(table) - whole.predict(table))
    assert off.max() <= 0.1 * 1e-7


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_numbers_whose_squares_leave_the_range(scale):
    table, truth = panel(12, share=0.1)
    blocks = cut(np.random.default_rng(0), 5)
    whole = StackingNetRegressor().fit(table * scale, truth * scale)
    parts = in_blocks(StackingNetRegressor(), blocks, table * scale, truth * scale)

    assert_allclose(parts.weights_, whole.weights_, rtol=1e-10)
    assert_allclose(parts.intercept_, whole.intercept_, rtol=1e-10)
    assert_allclose(parts.predict(table * scale), whole.predict(table * scale))


@pytest.mark.parametrize("constraint", ["simplex" & max_weight(0.4), max_weight(0.3)])
def test_limits_that_know_no_groups_hold_in_blocks(constraint):
    """The conic solver's own tolerance is all that may differ."""
    table, truth = panel(13)
    whole = StackingNetRegressor(constraint=constraint)
    parts = in_blocks(clone(whole), cut(np.random.default_rng(0), 3), table, truth)

    assert_allclose(parts.weights_, whole.fit(table, truth).weights_, atol=1e-7)


# --------------------------------------------------------------------- going on


def test_blocks_continue_a_fit_and_a_fit_forgets_them():
    table, truth = panel(14, share=0.1)
    model = StackingNetRegressor().fit(table[:50], truth[:50])
    model.partial_fit(table[50:], truth[50:])
    assert_same(model, StackingNetRegressor().fit(table, truth), table)

    model.fit(table[:50], truth[:50])
    fresh = StackingNetRegressor().fit(table[:50], truth[:50])
    assert_identical(model, fresh, table)


def test_the_answers_of_before_are_not_those_of_now():
    """Weights of patterns are remembered between calls, and forgotten with a block."""
    table, truth = panel(15, share=0.3)
    model = StackingNetRegressor().fit(table[:50], truth[:50])
    before = model.predict(table)
    model.partial_fit(table[50:], truth[50:])

    assert np.abs(model.predict(table) - before).max() > 1e-3
    assert_same(model, StackingNetRegressor().fit(table, truth), table)


def test_a_parameter_set_in_between_holds_from_the_next_block():
    table, truth = panel(16)
    model = StackingNetRegressor().partial_fit(table[:50], truth[:50])
    model.set_params(constraint="simplex", shrinkage=0)
    model.partial_fit(table[50:], truth[50:])
    expected = StackingNetRegressor(constraint="simplex", shrinkage=0)

    assert_same(model, expected.fit(table, truth), table)


def test_pickles_go_on_and_clones_start_anew():
    """The sums travel with the model: nobody need keep the rows."""
    table, truth = panel(17, share=0.2)
    model = StackingNetRegressor().partial_fit(table[:50], truth[:50])
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert_identical(other, model, table)
        other.partial_fit(table[50:], truth[50:])
        assert_same(other, StackingNetRegressor().fit(table, truth), table)
    assert model.error_moments_.n_rows < 51, "a copy has sums of its own"

    fresh = clone(model)
    assert not hasattr(fresh, "statistics_")
    fresh.partial_fit(table[50:], truth[50:])
    alone = StackingNetRegressor().fit(table[50:], truth[50:])
    assert_identical(fresh, alone, table)


def test_the_table_is_neither_kept_nor_written_to():
    table, truth = panel(18, 3000)
    table.flags.writeable = truth.flags.writeable = False
    model = StackingNetRegressor().partial_fit(table, truth)

    assert len(pickle.dumps(model)) < table.nbytes / 10


# ------------------------------------------------------------------------ bad blocks


def infinite(table):
    return np.where(table == table[3, 1], np.inf, table)


def named(table, columns):
    return pd.DataFrame(table, columns=list(columns))


# What becomes of the second block, and what is said.
BAD = {
    "an infinity": (lambda t, y: (infinite(t), y), r"infinity.*'b'.*row 3"),
    "fewer columns": (lambda t, y: (named(t[:, :4], "abcd"), y), "missing"),
    "fewer columns, no names": (lambda t, y: (t[:, :4], y), "4 features.*expecting 5"),
    "other names": (lambda t, y: (named(t, "abcdf"), y), "unseen at fit time"),
    "other order": (lambda t, y: (named(t, "bacde"), y), "same order"),
    "a name twice": (lambda t, y: (named(t, "aacde"), y), "not unique"),
    "another type": (lambda t, y: (named(t.astype("f"), "abcde"), y), "float32"),
    "texts": (lambda t, y: (named(np.where(t == t[3, 1], "?", t.astype("O")), "abcde"),
                            y), r"'b' holds '\?' at row 3"),
    "fewer labels": (lambda t, y: (named(t, "abcde"), y[:-1]), "inconsistent"),
    "infinite label": (lambda t, y: (named(t, "abcde"), np.where(y == y[3], np.inf, y)),
                       "infinity.*row 3"),
    "a text as label": (lambda t, y: (named(t, "abcde"), ["?", *y[1:]]), "row 0"),
    "no rows": (lambda t, y: (named(t, "abcde")[:0], y[:0]), "0 sample"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("share", [0.0, 0.2], ids=["complete", "holes"])
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_a_bad_block_changes_nothing(spoil, said, share):
    """Half a block in the sums could never be taken out again."""
    table, truth = panel(19, share=share)
    table[53, 1] = 0.123
    frame = named(table, "abcde")
    model = StackingNetRegressor().partial_fit(frame[:50], truth[:50])
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match=f"(?s){said}"):
        model.partial_fit(*spoil(table[50:], truth[50:]))

    assert vars(model).keys() == vars(before).keys()
    assert_identical(model, before, frame)
    assert model.model_names_.tolist() == list("abcde")
    model.partial_fit(frame[50:], truth[50:])
    assert_same(model, StackingNetRegressor().fit(frame, truth), frame)


@pytest.mark.parametrize(
    ("weight", "said"),
    [(-1.0, "negative.*row 2"), (np.nan, "row 2"), (np.inf, "row 2"), (None, "shape")],
    ids=str,
)
def test_a_bad_weight_changes_nothing(weight, said):
    table, truth = panel(20)
    model = StackingNetRegressor().partial_fit(table[:50], truth[:50])
    before = copy.deepcopy(model)
    omega = np.ones(69 if weight is None else 70)
    omega[2] = 1.0 if weight is None else weight
    with pytest.raises(ValueError, match=said):
        model.partial_fit(table[50:], truth[50:], sample_weight=omega)

    assert_identical(model, before, table)


def test_names_that_are_numbers_are_compared_too():
    """Years are names: columns in another order would be other models' predictions."""
    table, truth = panel(21)
    frame = pd.DataFrame(table, columns=range(2020, 2025))
    model = StackingNetRegressor().partial_fit(frame[:50], truth[:50])
    with pytest.raises(ValueError, match="2020"):
        model.partial_fit(frame[50:][frame.columns[::-1]], truth[50:])

    model.partial_fit(frame[50:], truth[50:])
    assert_same(model, StackingNetRegressor().fit(frame, truth), frame)


def test_a_bad_first_block_leaves_a_model_that_was_never_fitted():
    """Of other columns even: the next block says how many there are."""
    table, truth = panel(22)
    model = StackingNetRegressor()
    with pytest.raises(ValueError, match="infinity"):
        model.partial_fit(np.full((3, 2), np.inf), [1.0, 2.0, 3.0])
    with pytest.raises(NotFittedError):
        model.predict(table)

    model.partial_fit(table, truth)
    assert_identical(model, StackingNetRegressor().fit(table, truth), table)


def test_weights_that_cannot_be_found_change_nothing():
    """A limit that nothing fulfils, set in between: the block does not count."""
    table, truth = panel(23)
    model = StackingNetRegressor().partial_fit(table[:50], truth[:50])
    before = copy.deepcopy(model)
    model.set_params(constraint="simplex" & max_weight(0.1))
    with pytest.raises(ValueError, match="max_weight"):
        model.partial_fit(table[50:], truth[50:])

    assert_identical(model, before, table)
    assert model.statistics_.labelled.n_rows.sum() == 50
    model.set_params(constraint="nonnegative").partial_fit(table[50:], truth[50:])
    assert_same(model, StackingNetRegressor().fit(table, truth), table)


def test_limits_on_groups_need_all_rows_at_once():
    table, truth = panel(24)
    model = StackingNetRegressor(constraint=bounded_disparity(0.1))
    with pytest.raises(ValueError, match="partial_fit takes none"):
        model.partial_fit(table, truth)
    with pytest.raises(TypeError, match="sensitive_features"):
        model.partial_fit(table, truth, sensitive_features=truth > 1)


@pytest.mark.parametrize("parameter", ["constraint", "shrinkage", "solver"])
def test_parameters_are_checked_at_each_block(parameter):
    table, truth = panel(25)
    model = StackingNetRegressor().partial_fit(table, truth)
    with pytest.raises(ValueError, match=parameter):
        model.set_params(**{parameter: "no such"}).partial_fit(table, truth)


def test_different_units_are_doubted_as_in_fit():
    """Said of all rows so far, at the caller's line."""
    table, truth = panel(26)
    with pytest.warns(UserWarning, match="normalized") as expected:
        StackingNetRegressor().fit(table + 1000, truth)
    model = StackingNetRegressor()
    with pytest.warns(UserWarning, match="normalized"):
        model.partial_fit(table[50:] + 1000, truth[50:])
    with pytest.warns(UserWarning, match="normalized") as caught:
        model.partial_fit(table[:50] + 1000, truth[:50])

    assert str(caught[0].message) == str(expected[0].message)
    assert caught[0].filename == __file__
    # A block that puts it right ends the doubt.
    model.partial_fit([[1000.0] * 5], [1001.0])


def test_a_model_that_hardly_varies_is_doubted_as_in_fit():
    table, truth = panel(27)
    table[:, 2] *= 1e-7
    with pytest.warns(UserWarning, match=r"'model_2'.*vary less") as expected:
        StackingNetRegressor().fit(table, truth)
    model = StackingNetRegressor()
    with pytest.warns(UserWarning, match="vary less"):
        model.partial_fit(table[:50], truth[:50])
    with pytest.warns(UserWarning, match="vary less") as caught:
        model.partial_fit(table[50:], truth[50:])

    assert str(caught[0].message) == str(expected[0].message)


def test_a_constant_in_each_block_is_none_where_blocks_differ():
    """One value a block is how a slow model comes; it is a constant in each of them."""
    table, truth = panel(28)
    table[:, 2] = 1e-7 * (np.arange(N_ROWS) >= 50)
    model = StackingNetRegressor().partial_fit(table[:50], truth[:50])
    with pytest.warns(UserWarning, match=r"'model_2'.*vary less"):
        model.partial_fit(table[50:], truth[50:])


def test_a_model_that_was_never_heard_is_named_until_it_is():
    table, truth = panel(29)
    silent = table.copy()
    silent[:60, 3] = np.nan
    model = StackingNetRegressor()
    with pytest.warns(UserWarning, match=r"\['model_3'\] never answer") as caught:
        model.partial_fit(silent[:60], truth[:60])
    assert caught[0].filename == __file__
    assert model.weights_[3] == 0

    model.partial_fit(silent[60:], truth[60:])
    assert_same(model, StackingNetRegressor().fit(silent, truth), table)


# ----------------------------------------------------------------------------- merge


@each_constraint
@pytest.mark.parametrize("share", [0.0, 0.2], ids=["complete", "holes"])
def test_fits_on_two_machines_are_one(constraint, share):
    rng = np.random.default_rng(2)
    table, truth = panel(30, share=share)
    labels = np.where(rng.random(N_ROWS) < 0.7, truth, np.nan)
    weights = rng.exponential(size=N_ROWS)
    whole = StackingNetRegressor(constraint=constraint)
    fits = [
        clone(whole).fit(table[r], labels[r], sample_weight=weights[r])
        for r in cut(rng, 2)
    ]
    here, there = fits
    before = copy.deepcopy(there)
    assert here.merge(there) is here

    whole.fit(table, labels, sample_weight=weights)
    assert_same(here, whole, table)
    assert vars(there).keys() == vars(before).keys()
    assert_identical(there, before, table)


def test_merging_is_a_tree_as_well_as_a_chain():
    table, truth = panel(31, share=0.2)
    whole = StackingNetRegressor().fit(table, truth)
    fits = [
        StackingNetRegressor().fit(table[i : i + 30], truth[i : i + 30])
        for i in range(0, N_ROWS, 30)
    ]
    for order in itertools.islice(itertools.permutations(range(4)), 0, 24, 7):
        a, b, c, d = (copy.deepcopy(fits[k]) for k in order)
        assert_same(a.merge(b).merge(c.merge(d)), whole, table)
    a, b, c, d = fits
    assert_same(a.merge(b).merge(c).merge(d), whole, table)


def test_merge_partial_fit_and_unlabelled_rows_mix():
    table, truth = panel(32)
    here = StackingNetRegressor().partial_fit(table[:20], truth[:20])
    there = StackingNetRegressor().fit(
        table[20:50], truth[20:50], X_unlabeled=table[80:]
    )
    here.merge(there).partial_fit(table[50:80])
    labels = np.where(np.arange(N_ROWS) < 50, truth, np.nan)

    assert_same(here, StackingNetRegressor().fit(table, labels), table)


def test_a_fit_without_labels_merges_with_one_with():
    table, truth = panel(33)
    here = StackingNetRegressor().fit(table[40:])
    here.merge(StackingNetRegressor().fit(table[:40], truth[:40]))
    labels = np.where(np.arange(N_ROWS) < 40, truth, np.nan)

    assert_same(here, StackingNetRegressor().fit(table, labels), table)


def test_merged_with_itself_is_everything_twice():
    table, truth = panel(34)
    model = StackingNetRegressor().fit(table, truth)
    twice = StackingNetRegressor().fit(np.tile(table, (2, 1)), np.tile(truth, 2))

    assert_same(model.merge(model), twice, table)


def test_parameters_of_the_one_that_merges_hold():
    table, truth = panel(35)
    here = StackingNetRegressor(constraint="simplex").fit(table[:50], truth[:50])
    here.merge(StackingNetRegressor(shrinkage=0).fit(table[50:], truth[50:]))

    whole = StackingNetRegressor(constraint="simplex").fit(table, truth)
    assert_same(here, whole, table)


class Other(StackingNetRegressor):
    pass


def test_merging_refuses_what_is_not_alike():
    table, truth = panel(36)
    frame = named(table, "abcde")
    model = StackingNetRegressor().fit(frame, truth)
    votes, classes = votes_panel()
    before = copy.deepcopy(model)
    fitted = StackingNetRegressor()
    for other, said in (
        (StackingNetClassifier().fit(votes, classes), "cannot be merged with a Stack"),
        (Other().fit(frame, truth), "cannot be merged with a Other"),
        (LinearRegression().fit(table, truth), "cannot be merged with a Linear"),
        (None, "cannot be merged"),
        (clone(fitted).fit(frame[list("bacde")], truth), "model names.*'b', 'a'"),
        (clone(fitted).fit(named(table, "abcdf"), truth), "model names"),
        (clone(fitted).fit(frame[list("abcd")], truth), "model names"),
        (clone(fitted).fit(table, truth), "model names.*model_0"),
        (clone(fitted).fit(frame.astype("f"), truth), "float32"),
    ):
        with pytest.raises(ValueError, match=said):
            model.merge(other)
        assert_identical(model, before, frame)
    with pytest.raises(NotFittedError):
        model.merge(StackingNetRegressor())
    with pytest.raises(NotFittedError):
        StackingNetRegressor().merge(model)


def test_merging_doubts_as_a_fit_does():
    table, truth = panel(37)
    fits = []
    for rows in (slice(60), slice(60, N_ROWS)):
        with pytest.warns(UserWarning, match="normalized"):
            fits.append(StackingNetRegressor().fit(table[rows] + 1000, truth[rows]))
    with pytest.warns(UserWarning, match="normalized") as caught:
        fits[0].merge(fits[1])

    assert caught[0].filename == __file__


def test_merging_what_cannot_be_weighed_changes_nothing():
    table, truth = panel(38)
    here, there = (
        StackingNetRegressor().fit(table[r], truth[r])
        for r in cut(np.random.default_rng(0), 2)
    )
    before = copy.deepcopy(here)
    here.set_params(constraint="simplex" & max_weight(0.1))
    with pytest.raises(ValueError, match="max_weight"):
        here.merge(there)

    assert_identical(here, before, table)
    assert here.statistics_.labelled.n_rows.sum() < N_ROWS


# --------------------------------------------------------------------------- members


def test_members_cannot_be_fitted_in_blocks():
    """So the methods are not there, and wrappers can tell."""
    for kind in (StackingNetRegressor, StackingNetClassifier):
        for method in ("partial_fit", "merge"):
            assert hasattr(kind(), method)
            assert not hasattr(kind([("ridge", Ridge())]), method)


@pytest.mark.parametrize("method", ["partial_fit", "merge"])
def test_a_fit_with_members_is_no_block_of_a_table(method, X, y):
    """Their predictions are out of fold, of features: nobody's block of a table.

    With as many members as features, a table would pass for more of the same.
    """
    members = [(name, Ridge(k)) for k, name in enumerate("abc")]
    model = StackingNetRegressor(members).fit(X, y).set_params(estimators=None)
    table = y[:, None] + X
    plain = StackingNetRegressor().fit(named(table, "abc"), y)
    given = (table, y) if method == "partial_fit" else (plain,)
    with pytest.raises(ValueError, match="members"):
        getattr(model, method)(*given)
    if method == "merge":
        with pytest.raises(ValueError, match="members"):
            plain.merge(model)


# ------------------------------------------------------------------------ classifier


@pytest.mark.parametrize("known", [0.0, 0.2, 1.0])
def test_classifiers_merge_bit_for_bit(known):
    """Counts are integers, so nothing is rounded."""
    votes, truth = votes_panel(silence=0.1)
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(300) < known, truth, np.nan)
    fits = []
    for rows in np.split(rng.permutation(300), [120]):
        own = None if np.isnan(labels[rows]).all() else labels[rows]
        fits.append(StackingNetClassifier(classes=[0, 1, 2]).fit(votes[rows], own))
    before = copy.deepcopy(fits[1])
    assert fits[0].merge(fits[1]) is fits[0]
    whole = StackingNetClassifier(classes=[0, 1, 2])
    whole.fit(votes, None if known == 0 else labels)

    for name in ("vote_weights_", "weights_", "intercept_", "confusion_",
                 "reliability_", "class_prior_"):  # fmt: skip
        assert_array_equal(getattr(fits[0], name), getattr(whole, name))
        assert_array_equal(getattr(fits[1], name), getattr(before, name))
    assert_array_equal(fits[0].predict_proba(votes), whole.predict_proba(votes))
    fits[0].partial_fit(votes, truth)
    assert fits[0].counts_.weight == 600


def test_classifiers_of_other_classes_or_of_probabilities_do_not_merge():
    """Codes of votes would mean other classes; probabilities are not counted."""
    votes, truth = votes_panel()
    fitted = StackingNetClassifier(classes=[0, 1, 2]).fit(votes, truth)
    before = fitted.predict_proba(votes)
    others = {
        "classes.*3": StackingNetClassifier(classes=[0, 1, 2, 3]).fit(votes, truth),
        "classes.*'0'": StackingNetClassifier().fit(
            votes.astype(int).astype(str), truth.astype(str)
        ),
        "model names": StackingNetClassifier().fit(votes[:, :4], truth),
    }
    for said, other in others.items():
        with pytest.raises(ValueError, match=said):
            fitted.merge(other)
    rng = np.random.default_rng(0)
    table = rng.dirichlet(np.ones(3), size=(300, 5))
    soft = StackingNetClassifier().fit(table, truth)
    for pair in ((fitted, soft), (soft, fitted), (soft, soft)):
        with pytest.raises(ValueError, match="probabilities"):
            pair[0].merge(pair[1])
    with pytest.raises(NotFittedError):
        fitted.merge(StackingNetClassifier())

    assert_array_equal(fitted.predict_proba(votes), before)
