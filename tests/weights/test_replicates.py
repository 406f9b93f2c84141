"""Reweighted rows against rows that are really drawn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import law, table

from stackingnet_sk.evidence import BlockMoments, Moments, VoteCounts
from stackingnet_sk.weights import dawid_skene
from stackingnet_sk.weights.dawid_skene import FullConfusion
from stackingnet_sk.weights.replicates import replicated_votes

seeds = st.integers(0, 2**20)


def assert_same(found, expected, rtol=1e-9):
    """Up to rounding of the sums that each is a difference of."""
    assert found.weight == pytest.approx(expected.weight, rel=1e-12)
    size = np.sqrt(expected.scatter.diagonal() / expected.weight)
    assert np.abs(found.mean - expected.mean).max() <= rtol * (
        size.max() + np.abs(expected.mean).max()
    )
    unit = np.maximum(np.outer(size, size) * expected.weight, 1e-300)
    assert (np.abs(found.scatter - expected.scatter) / unit).max() <= rtol


@law
@given(
    seed=seeds,
    n_rows=st.integers(2, 60),
    n_models=st.integers(1, 5),
    n_blocks=st.integers(1, 60),
    weighted=st.booleans(),
)
def test_a_replicate_is_its_rows_repeated(seed, n_rows, n_models, n_blocks, weighted):
    """Whatever the blocks, and in whichever order their rows come."""
    predictions, target = table(seed, n_rows, n_models)
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.5, 2.0, n_rows) if weighted else np.ones(n_rows)
    block = np.unique(rng.integers(n_blocks, size=n_rows), return_inverse=True)[1]
    blocks = BlockMoments.from_rows(predictions, target, weights, block)
    n_blocks = block.max() + 1
    times = rng.integers(0, 4, size=(3, n_blocks)).astype(float)
    times[:, 0] = 2.0
    # A single row, or copies of it, have no scatter but rounding.
    times[0] = 1.0

    for found, drawn in zip(blocks.reweighted(times), times, strict=True):
        rows = np.repeat(np.arange(n_rows), drawn[block].astype(int))
        expected = Moments.from_rows(predictions[rows], target[rows], weights[rows])
        if len(np.unique(rows)) > 1:
            assert_same(found, expected)


@pytest.mark.parametrize("block", [np.zeros(40, int), np.arange(40), np.arange(40) % 7])
def test_once_each_is_the_plain_moments(block):
    predictions, target = table(0, 40, 4)
    blocks = BlockMoments.from_rows(predictions, target, np.ones(40), block)
    (found,) = blocks.reweighted(np.ones((1, block.max() + 1)))
    expected = Moments.from_rows(predictions, target)
    assert_same(found, expected, 1e-12)
    assert found.weight_norm == pytest.approx(expected.weight_norm)
    assert found.n_effective == pytest.approx(expected.n_effective)
    assert found.scale == 1.0


@pytest.mark.parametrize("unit", [1e-60, 1e-3, 1e6, 1e60])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_extremes_of_scale(unit, offset):
    """What is far from zero is shifted before it is squared."""
    predictions, target = table(1, 50, 3)
    predictions, target = unit * (predictions + offset), unit * (target + offset)
    rng = np.random.default_rng(0)
    times = rng.multinomial(50, np.full(50, 1 / 50), 5).astype(float)
    blocks = BlockMoments.from_rows(predictions, target, np.ones(50), np.arange(50))
    for found, drawn in zip(blocks.reweighted(times), times, strict=True):
        rows = np.repeat(np.arange(50), drawn.astype(int))
        expected = Moments.from_rows(predictions[rows], target[rows])
        assert_same(found, expected.rescaled(1.0), 1e-8)


def test_no_rows_have_no_moments():
    """As of labels where there are none."""
    nothing = BlockMoments.from_rows(
        np.zeros((0, 3)), np.zeros(0), np.zeros(0), np.zeros(0, int)
    )
    found = nothing.reweighted(np.zeros((2, 0)))
    assert len(found) == 2
    assert [each.weight for each in found] == [0.0, 0.0]
    predictions, target = table(0, 20, 3)
    own = Moments.from_rows(predictions, target)
    assert own.merge(found[0]).weight == 20


def test_blocks_that_are_never_drawn_have_no_weight():
    predictions, target = table(0, 20, 3)
    blocks = BlockMoments.from_rows(predictions, target, np.ones(20), np.arange(20))
    (found,) = blocks.reweighted(np.zeros((1, 20)))
    assert found.weight == 0
    assert_array_equal(found.scatter, 0)


def panel(seed, n_rows, n_classes=2, n_models=4, labelled=0.0, missing=0.0):
    """Independent voters, counted."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_rows)
    right = rng.random((n_rows, n_models)) < np.linspace(0.9, 0.6, n_models)
    off = rng.integers(1, n_classes, size=right.shape)
    votes = (truth[:, None] + np.where(right, 0, off)) % n_classes
    votes[rng.random(votes.shape) < missing] = -1
    labels = np.where(rng.random(n_rows) < labelled, truth, -1)
    return VoteCounts.from_rows(votes, labels, n_classes)


def drawn(counts, n_draws, seed=0):
    """Rows drawn with replacement: weights of the labelled cells, and of the others."""
    rng = np.random.default_rng(seed)
    cells = np.column_stack([counts.labelled, counts.unlabelled])
    found = rng.multinomial(
        int(cells.sum()), cells.ravel() / cells.sum(), n_draws
    ).reshape(n_draws, *cells.shape)
    found = found.astype(float)
    return found[:, :, :-1].transpose(2, 0, 1), found[:, :, -1]


def again(counts, labelled, unlabelled):
    """The estimate from scratch, on each draw."""
    return np.array(
        [
            dawid_skene(
                replace(counts, labelled=labelled[:, b].T, unlabelled=unlabelled[b])
            ).confusion.diagonal(axis1=1, axis2=2)
            for b in range(len(unlabelled))
        ]
    )


@pytest.mark.parametrize("labelled", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_row_once_gives_the_estimate_back(n_classes, labelled):
    """It is the fixed point of a step, up to the tolerance of the iteration."""
    counts = panel(0, 200, n_classes, labelled=labelled, missing=0.1)
    free = dawid_skene(counts)
    joint, right, _ = replicated_votes(
        counts, free, counts.labelled.T[:, None, :], counts.unlabelled[None]
    )
    assert_allclose(
        right[0], free.confusion.diagonal(axis1=1, axis2=2), rtol=0, atol=1e-5
    )
    assert_allclose(joint[0], counts.joint(counts.labelled), atol=1e-12)


@pytest.mark.parametrize(
    ("n_classes", "n_models", "n_rows", "labelled"),
    [(2, 4, 150, 0.0), (2, 6, 300, 0.1), (3, 5, 300, 0.0), (3, 4, 300, 0.2)],
)
def test_replicates_are_near_estimates_from_scratch(
    n_classes, n_models, n_rows, labelled
):
    """As wide, and each near its own: of balanced accuracy, which ranks are made of."""
    counts = panel(1, n_rows, n_classes, n_models, labelled)
    weights = drawn(counts, 50)
    expected = again(counts, *weights).mean(axis=2)
    _, right, repeats = replicated_votes(counts, dawid_skene(counts), *weights)
    found = right.mean(axis=2)

    assert (repeats >= 0).all()
    assert (repeats < 0.9).all()
    assert_allclose(found.std(axis=0) / expected.std(axis=0), 1, atol=0.25)
    for one, other in zip(found.T, expected.T, strict=True):
        assert np.corrcoef(one, other)[0, 1] > 0.9


def test_a_known_share_is_taken_as_it_is():
    """So that blocks of replicates are extrapolated alike."""
    counts = panel(1, 150)
    free = dawid_skene(counts)
    labelled, unlabelled = drawn(counts, 60)
    _, right, repeats = replicated_votes(counts, free, labelled, unlabelled)
    parts = [
        replicated_votes(counts, free, labelled[:, own], unlabelled[own], repeats)
        for own in (slice(25), slice(25, None))
    ]
    assert_allclose(np.concatenate([part[1] for part in parts]), right, rtol=1e-12)
    for part in parts:
        assert_array_equal(part[2], repeats)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_where_all_rows_are_labelled_no_step_is_missing(n_classes):
    """Nothing is guessed, so nothing is iterated."""
    counts = panel(2, 200, n_classes, labelled=1.0)
    labelled, unlabelled = drawn(counts, 20)
    joint, right, repeats = replicated_votes(
        counts, dawid_skene(counts), labelled, unlabelled
    )
    assert_array_equal(repeats, 0)
    assert_allclose(right, again(counts, labelled, unlabelled), rtol=1e-9)
    for b in range(20):
        assert_allclose(joint[b], counts.joint(labelled[:, b].T), atol=1e-12)
        step = FullConfusion().estimate(
            joint[b], labelled[:, b].sum(axis=1), np.ones(len(joint[b]))
        )[0]
        assert_allclose(right[b], step.diagonal(axis1=1, axis2=2))


@pytest.mark.parametrize("n_models", [1, 2])
def test_agreement_of_fewer_than_three_models_is_not_drawn_anew(n_models):
    """Agreement does not show who is right: the same coins in all replicates, while
    the labelled votes are counted all the same.
    """
    counts = panel(3, 100, n_models=n_models, labelled=0.3)
    free = dawid_skene(counts)
    labelled, unlabelled = drawn(counts, 10)
    joint, right, _ = replicated_votes(counts, free, labelled, unlabelled)
    diagonal = free.confusion.diagonal(axis1=1, axis2=2)
    assert_array_equal(right, np.repeat(diagonal[None], 10, axis=0))
    for b in range(10):
        assert_allclose(joint[b], counts.joint(labelled[:, b].T))


@law
@given(
    seed=seeds,
    n_classes=st.integers(1, 4),
    n_models=st.integers(1, 5),
    labelled=st.sampled_from([0.0, 0.2, 1.0]),
    missing=st.sampled_from([0.0, 0.4, 1.0]),
)
def test_probabilities_whatever_the_votes(seed, n_classes, n_models, labelled, missing):
    """Also where nobody votes, or there is one class."""
    rng = np.random.default_rng(seed)
    votes = rng.integers(n_classes, size=(30, n_models))
    votes[rng.random(votes.shape) < missing] = -1
    labels = rng.integers(n_classes, size=30)
    labels[rng.random(30) >= labelled] = -1
    counts = VoteCounts.from_rows(votes, labels, n_classes)
    _, right, repeats = replicated_votes(
        counts, dawid_skene(counts), *drawn(counts, 5, seed)
    )
    assert right.shape == (5, n_models, n_classes)
    assert (right >= 0).all()
    assert (right <= 1).all()
    assert (repeats >= 0).all()
    assert (repeats <= 0.9).all()


subsets = {
    "seed": seeds,
    "n_rows": st.integers(1, 60),
    "n_models": st.integers(1, 5),
    "n_classes": st.integers(1, 4),
}


def rows(seed, n_rows, n_models, n_classes):
    rng = np.random.default_rng(seed)
    votes = rng.integers(n_classes, size=(n_rows, n_models))
    votes[rng.random(votes.shape) < 0.25] = -1
    labels = rng.integers(-1, n_classes, size=n_rows)
    return votes, labels, rng


@law
@given(**subsets, weighted=st.booleans())
def test_counts_of_a_subset_are_those_of_its_columns(
    seed, n_rows, n_models, n_classes, weighted
):
    """In the order that was asked for. Eighths add up without rounding."""
    votes, labels, rng = rows(seed, n_rows, n_models, n_classes)
    weights = rng.integers(0, 20, n_rows) / 8 if weighted else None
    models = rng.permutation(n_models)[: rng.integers(1, n_models + 1)]
    counts = VoteCounts.from_rows(votes, labels, n_classes, weights)
    found = counts.subset(models)
    expected = VoteCounts.from_rows(votes[:, models], labels, n_classes, weights)
    for name in ("patterns", "labelled", "unlabelled"):
        assert_array_equal(getattr(found, name), getattr(expected, name))
    assert found.weight_norm == expected.weight_norm


@law
@given(**subsets)
def test_answered_and_recalls_by_hand(seed, n_rows, n_models, n_classes):
    votes, labels, _ = rows(seed, n_rows, n_models, n_classes)
    counts = VoteCounts.from_rows(votes, labels, n_classes)
    assert_allclose(counts.answered, (votes >= 0).mean(axis=0), rtol=1e-12)
    for m in range(n_models):
        for k in range(n_classes):
            own = votes[(labels == k) & (votes[:, m] >= 0), m] == k
            expected = own.mean() if len(own) else np.nan
            assert_allclose(counts.recalls[m, k], expected, rtol=1e-12)


def test_answered_and_recalls_weigh_rows():
    votes = np.array([[0, 1], [1, -1], [1, 1]])
    counts = VoteCounts.from_rows(
        votes, np.array([0, 0, -1]), 2, np.array([3.0, 1.0, 4.0])
    )
    assert_allclose(counts.answered, [1, 7 / 8])
    assert_allclose(counts.recalls, [[3 / 4, np.nan], [0, np.nan]])
