"""Votes in blocks: exact in any split, bounded in memory, unharmed by a bad block."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from test_classifier import panel, with_few_labels

from stackingnet_sk import StackingNetClassifier

FITTED = (
    "vote_weights_",
    "weights_",
    "intercept_",
    "confusion_",
    "reliability_",
    "class_prior_",
)
CLASSES = [0, 1, 2]


@pytest.fixture
def votes():
    return panel(silence=0.1)[0]


@pytest.fixture
def truth():
    return panel(silence=0.1)[1]


@pytest.fixture(params=["many", "few", "none"])
def labels(request, truth):
    return {"many": truth, "few": with_few_labels(truth), "none": None}[request.param]


def assert_same(model, other):
    for attribute in FITTED:
        assert_array_equal(getattr(model, attribute), getattr(other, attribute))
    assert repr(model.solution_) == repr(other.solution_)


def assert_same_counts(counts, other):
    for attribute in ("patterns", "labelled", "unlabelled"):
        assert_array_equal(getattr(counts, attribute), getattr(other, attribute))


def given(labels, rows):
    """The labels of a block; None where it has none."""
    if labels is None or pd.isna(labels[rows]).all():
        return None
    return labels[rows]


# ------------------------------------------------------------------------- exactness


@pytest.mark.parametrize("seed", range(5))
def test_any_split_into_blocks_is_one_fit(votes, labels, seed):
    """Cut at random, served in any order: the same bits, for counts are integers."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(300)
    blocks = np.split(rows, np.sort(rng.choice(np.arange(1, 300), 6, replace=False)))
    parts = StackingNetClassifier()
    for block in blocks:
        parts.partial_fit(votes[block], given(labels, block), classes=CLASSES)
    whole = StackingNetClassifier(classes=CLASSES).fit(votes, labels)

    assert_same_counts(parts.counts_, whole.counts_)
    assert_same(parts, whole)
    unseen = panel(seed=9, n_rows=50, silence=0.3)[0]
    assert_array_equal(parts.predict_proba(unseen), whole.predict_proba(unseen))


def test_row_by_row(votes, truth):
    """The smallest blocks there are; each of them leaves a model that can answer."""
    parts = StackingNetClassifier(classes=CLASSES)
    for i in range(40):
        parts.partial_fit(votes[i : i + 1], truth[i : i + 1])
        assert np.isfinite(parts.predict_proba(votes)).all()

    whole = StackingNetClassifier(classes=CLASSES).fit(votes[:40], truth[:40])
    assert_same(parts, whole)


@pytest.mark.parametrize(
    "parameters",
    [
        {"structure": "shared"},
        {"structure": "full", "class_weight": "balanced"},
        {"class_weight": {0: 1.0, 1: 3.0, 2: 1.0}, "shrinkage": 3.0},
    ],
    ids=str,
)
def test_parameters_count_for_blocks_as_for_a_fit(votes, truth, parameters):
    parts = StackingNetClassifier(classes=CLASSES, **parameters)
    whole = clone(parts).fit(votes, truth)
    for rows in (slice(100), slice(100, 300)):
        parts.partial_fit(votes[rows], truth[rows])

    assert_same(parts, whole)


def test_blocks_without_labels_join_blocks_with(votes, truth):
    """A stream of labels that lags behind the votes."""
    parts = StackingNetClassifier(classes=CLASSES)
    parts.partial_fit(votes[200:]).partial_fit(votes[:30], truth[:30])
    parts.partial_fit(votes[30:200], None)

    holes = StackingNetClassifier(classes=CLASSES).fit(votes, with_few_labels(truth))
    assert_same(parts, holes)


def test_blocks_continue_a_fit_and_a_fit_forgets_them(votes, truth):
    model = StackingNetClassifier().fit(votes[:100], truth[:100])
    model.partial_fit(votes[100:], truth[100:])
    assert_same(model, StackingNetClassifier().fit(votes, truth))

    model.fit(votes[:100], truth[:100])
    assert_same(model, StackingNetClassifier().fit(votes[:100], truth[:100]))


def test_a_pickled_model_goes_on(votes, truth):
    """The counts travel with it: nobody need keep the rows."""
    model = StackingNetClassifier(classes=CLASSES).partial_fit(votes[:99], truth[:99])
    model = pickle.loads(pickle.dumps(model)).partial_fit(votes[99:], truth[99:])

    assert_same(model, StackingNetClassifier(classes=CLASSES).fit(votes, truth))


def test_texts_and_frames_come_in_blocks(votes, truth):
    """With the names of the columns, which are compared from then on."""
    names = np.array(["ant", "bee", "cat"])
    cells = [[None if np.isnan(v) else names[int(v)] for v in row] for row in votes]
    frame = pd.DataFrame(cells, columns=list("vwxyz"))
    parts = StackingNetClassifier()
    for rows in (slice(0, 120), slice(120, 300)):
        labels = names[truth[rows]]
        parts.partial_fit(frame[rows], labels, classes=["cat", "ant", "bee"])

    assert parts.classes_.tolist() == ["ant", "bee", "cat"]
    assert parts.model_names_.tolist() == list("vwxyz")
    assert_same(parts, StackingNetClassifier().fit(frame, names[truth]))
    with pytest.raises(ValueError, match="same order"):
        parts.partial_fit(frame[list("wvxyz")], names[truth])


# ------------------------------------------------------------------- weights are counts


def test_weights_in_blocks(votes, labels):
    """Any weights: sums in another order, so to rounding."""
    omega = np.random.default_rng(0).uniform(0.2, 3.0, size=300)
    whole = StackingNetClassifier(classes=CLASSES)
    whole.fit(votes, labels, sample_weight=omega)
    parts = StackingNetClassifier(classes=CLASSES)
    for rows in (slice(200, 300), slice(50), slice(50, 200)):
        y = given(labels, rows)
        parts.partial_fit(votes[rows], y, sample_weight=omega[rows])

    for attribute in FITTED:
        expected = getattr(whole, attribute)
        assert_allclose(getattr(parts, attribute), expected, atol=1e-9)


@pytest.mark.parametrize("structure", ["shared", "full", "auto"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_an_integer_weight_is_a_repetition(votes, labels, structure, class_weight):
    """Bit for bit, zero included: counts do not know where they come from."""
    times = np.random.default_rng(1).integers(0, 4, size=300)
    model = StackingNetClassifier(
        classes=CLASSES, structure=structure, class_weight=class_weight
    )
    weighted = clone(model).fit(votes, labels, sample_weight=times)
    rows = np.repeat(np.arange(300), times)
    repeated = clone(model).fit(votes[rows], given(labels, rows))

    assert_same_counts(weighted.counts_, repeated.counts_)
    for attribute in FITTED:
        assert_array_equal(getattr(weighted, attribute), getattr(repeated, attribute))


@pytest.mark.parametrize("unit", [0.5, 1e-3, 1e-100])
def test_weights_below_one_have_no_unit(votes, labels, unit):
    """Kish: shares of a whole say how rows compare, not how many there are."""
    omega = np.random.default_rng(2).uniform(0.1, 0.5, size=300)
    model = StackingNetClassifier(classes=CLASSES)
    plain = clone(model).fit(votes, labels, sample_weight=omega)
    scaled = clone(model).fit(votes, labels, sample_weight=unit * omega)

    for attribute in FITTED:
        expected = getattr(plain, attribute)
        assert_allclose(getattr(scaled, attribute), expected, atol=1e-8)


# ---------------------------------------------------------------------------- memory


def test_identical_rows_take_no_memory():
    """A hundred thousand rows of three models are at most 64 rows, with counts."""
    votes, truth = panel(n_rows=100_000, accuracy=(0.9, 0.7, 0.5), silence=0.1)
    model = StackingNetClassifier(classes=CLASSES)
    for rows in np.split(np.arange(100_000), 10):
        model.partial_fit(votes[rows], truth[rows])

    assert len(model.counts_) == 64
    assert model.counts_.weight == 100_000
    assert_array_equal(model.counts_.labelled.sum(axis=0), np.bincount(truth))


def test_counts_merge_in_any_order_and_grouping(votes, truth):
    """Which is what makes them exact over blocks, machines and restarts."""
    fits = [
        StackingNetClassifier(classes=CLASSES).fit(votes[rows], truth[rows]).counts_
        for rows in (slice(100), slice(100, 150), slice(150, 300))
    ]
    a, b, c = fits
    whole = StackingNetClassifier(classes=CLASSES).fit(votes, truth).counts_

    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b)):
        assert_same_counts(merged, whole)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_too_many_distinct_rows_are_an_error_that_says_how_many(votes, truth, method):
    n_distinct = len(np.unique(np.nan_to_num(votes, nan=-1), axis=0))
    fits = StackingNetClassifier(classes=CLASSES, max_patterns=n_distinct)
    getattr(fits, method)(votes, truth)
    model = StackingNetClassifier(classes=CLASSES, max_patterns=n_distinct - 1)

    said = f"{n_distinct} distinct rows.*max_patterns={n_distinct - 1}.*raise it"
    with pytest.raises(ValueError, match=said):
        getattr(model, method)(votes, truth)


# ------------------------------------------------------------------------ bad blocks


def spoiled_label(votes, truth):
    return votes, np.where(np.arange(len(truth)) == 3, 7, truth)


def spoiled_vote(votes, truth):
    return np.where(np.arange(len(truth))[:, None] == 3, 7, votes), truth


def fewer_models(votes, truth):
    return votes[:, :3], truth


def fewer_labels(votes, truth):
    return votes, truth[:-1]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoiled_label, "label 7 at row 3"),
        (spoiled_vote, "votes 7.0 at row 3"),
        (fewer_models, "3 features.*expecting 5"),
        (fewer_labels, "inconsistent numbers of samples"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_bad_block_leaves_the_model_as_it_was(votes, truth, spoil, said):
    """Half a block in the counts could never be taken out again."""
    model = StackingNetClassifier(classes=CLASSES, unknown_vote="error")
    model.partial_fit(votes[:100], truth[:100])
    with pytest.raises(ValueError, match=said):
        model.partial_fit(*spoil(votes[100:], truth[100:]))

    model.partial_fit(votes[100:], truth[100:])
    assert_same(model, StackingNetClassifier(classes=CLASSES).fit(votes, truth))


def test_a_block_too_many_leaves_the_model_as_it_was(votes, truth):
    model = StackingNetClassifier(classes=CLASSES, max_patterns=60)
    model.partial_fit(votes[:50], truth[:50])
    before = model.predict_proba(votes)
    with pytest.raises(ValueError, match="max_patterns=60"):
        model.partial_fit(votes[50:], truth[50:])

    assert_array_equal(model.predict_proba(votes), before)
    assert model.counts_.weight == 50


def test_unknown_votes_abstain_in_blocks_too(votes, truth):
    """Counted in the block where they are, at the caller's line."""
    model = StackingNetClassifier().partial_fit(votes, truth, classes=CLASSES)
    strange = votes.copy()
    strange[[1, 2], 4] = 9
    with pytest.warns(UserWarning, match="model_4: 2, of 300 rows") as caught:
        model.partial_fit(strange, truth)
    silent = np.where(strange == 9, np.nan, strange)
    other = StackingNetClassifier().partial_fit(votes, truth, classes=CLASSES)

    assert caught[0].filename == __file__
    assert_same(model, other.partial_fit(silent, truth))


def test_probabilities_cannot_be_counted(truth):
    """Said before anything is stored: the model stays one that was never fitted."""
    table = np.full((300, 2, 3), 1 / 3)
    for pool in ("logit", "linear"):
        model = StackingNetClassifier(pool=pool)
        with pytest.raises(ValueError, match=r"takes votes.*use fit"):
            model.partial_fit(table, truth, classes=CLASSES)
        assert not hasattr(model, "counts_")


def test_members_cannot_be_fitted_in_blocks():
    """So the method is not there, and wrappers can tell."""
    assert hasattr(StackingNetClassifier(), "partial_fit")
    members = [("logistic", LogisticRegression())]
    assert not hasattr(StackingNetClassifier(members), "partial_fit")
