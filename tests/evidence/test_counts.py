"""Counts of votes against a dictionary; merging, order and edges."""

from collections import defaultdict
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import law

from stackingnet_sk.evidence import VoteCounts

seeds = st.integers(0, 2**20)
sizes = {
    "seed": seeds,
    "n_rows": st.integers(0, 60),
    "n_models": st.integers(1, 5),
    "n_classes": st.integers(1, 4),
}


def rows(seed, n_rows=40, n_models=3, n_classes=3):
    """Votes and labels, a quarter of each missing."""
    rng = np.random.default_rng(seed)
    votes = rng.integers(n_classes, size=(n_rows, n_models))
    votes[rng.random(votes.shape) < 0.25] = -1
    labels = rng.integers(n_classes, size=n_rows)
    labels[rng.random(n_rows) < 0.25] = -1
    return votes, labels


def counted(votes, labels, n_classes, weights):
    """The definition: a dictionary from (row, label) to weight."""
    table = defaultdict(float)
    for vote, label, weight in zip(votes.tolist(), labels, weights, strict=True):
        if weight > 0:
            table[tuple(vote), int(label)] += float(weight)
    patterns = sorted({pattern for pattern, _ in table})
    own = [[table[p, k] for k in range(n_classes)] for p in patterns]
    return patterns, own, [table[p, -1] for p in patterns]


def assert_same(one, other):
    """Bit by bit, but for the norm, whose squares merge with rounding."""
    assert_array_equal(one.patterns, other.patterns)
    assert_array_equal(one.labelled, other.labelled)
    assert_array_equal(one.unlabelled, other.unlabelled)
    assert one.weight_norm == pytest.approx(other.weight_norm, rel=1e-14)


@law
@given(**sizes, weighted=st.booleans())
def test_the_same_as_a_dictionary(seed, n_rows, n_models, n_classes, weighted):
    """Eighths add up without rounding, so equal means equal. Patterns ascend, which
    makes them a function of the set of rows.
    """
    votes, labels = rows(seed, n_rows, n_models, n_classes)
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 20, n_rows) / 8 if weighted else np.ones(n_rows)
    counts = VoteCounts.from_rows(
        votes, labels, n_classes, weights if weighted else None
    )
    patterns, own, free = counted(votes, labels, n_classes, weights)

    assert list(map(tuple, counts.patterns.tolist())) == patterns
    assert_array_equal(counts.labelled, np.reshape(own, (-1, n_classes)))
    assert_array_equal(counts.unlabelled, free)
    assert len(counts) == len(patterns)
    assert (counts.n_models, counts.n_classes) == (n_models, n_classes)
    assert counts.weight == weights.sum()
    known = [weights[labels == k].sum() for k in range(n_classes)]
    assert_array_equal(counts.n_labelled, known)
    assert counts.weight_norm == pytest.approx(np.linalg.norm(weights))


@law
@given(**sizes, n_blocks=st.integers(1, 5), weighted=st.booleans())
def test_blocks_merge_to_the_counts_of_all(
    seed, n_rows, n_models, n_classes, n_blocks, weighted
):
    """Chunks, streams and machines agree, in whichever order they report."""
    votes, labels = rows(seed, n_rows, n_models, n_classes)
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 4, n_rows).astype(float) if weighted else None
    block = rng.integers(n_blocks, size=n_rows)
    parts = [
        VoteCounts.from_rows(
            votes[block == j],
            labels[block == j],
            n_classes,
            weights[block == j] if weighted else None,
        )
        for j in rng.permutation(n_blocks)
    ]
    together = VoteCounts.from_rows(votes, labels, n_classes, weights)
    merged = reduce(VoteCounts.merge, parts)

    assert_same(merged, together)
    assert merged.kish == pytest.approx(together.kish, rel=1e-13)


@law
@given(**sizes)
def test_order_of_rows_is_of_no_account_to_the_last_bit(
    seed, n_rows, n_models, n_classes
):
    """Weights of 24 orders of magnitude, whose sums round differently in each order."""
    votes, labels = rows(seed, n_rows, n_models, n_classes)
    rng = np.random.default_rng(seed)
    weights = 10.0 ** rng.uniform(-12, 12, n_rows)
    order = rng.permutation(n_rows)
    plain = VoteCounts.from_rows(votes, labels, n_classes, weights)
    other = VoteCounts.from_rows(votes[order], labels[order], n_classes, weights[order])

    assert_same(plain, other)
    assert plain.weight_norm == other.weight_norm
    assert plain.kish == other.kish


@law
@given(seed=seeds)
def test_integer_weight_is_a_repetition(seed):
    votes, labels = rows(seed)
    times = np.random.default_rng(seed).integers(0, 4, len(votes))
    weighted = VoteCounts.from_rows(votes, labels, 3, times.astype(float))
    repeated = VoteCounts.from_rows(
        np.repeat(votes, times, axis=0), np.repeat(labels, times), 3
    )

    assert_array_equal(weighted.patterns, repeated.patterns)
    assert_array_equal(weighted.labelled, repeated.labelled)
    assert_array_equal(weighted.unlabelled, repeated.unlabelled)
    assert weighted.kish == pytest.approx(repeated.kish, rel=1e-14)


def test_rows_without_weight_are_not_there():
    votes, labels = rows(0)
    weights = np.random.default_rng(0).exponential(size=len(votes))
    more = np.concatenate([votes, np.full((1, 3), 2), votes])
    lighter = np.concatenate([weights, np.zeros(1 + len(votes))])
    everything = VoteCounts.from_rows(more, np.resize(labels, len(more)), 3, lighter)

    plain = VoteCounts.from_rows(votes, labels, 3, weights)
    assert_same(everything, plain)
    assert len(VoteCounts.from_rows(votes, labels, 3, 0 * weights)) == 0


@pytest.mark.parametrize(
    ("n_models", "n_classes", "n_rows"),
    [(20, 3, 50), (70, 2, 300), (70, 30, 300), (300, 500, 40), (1, 1000, 400)],
)
def test_many_models_and_classes(n_models, n_classes, n_rows):
    """The number that a row stands for would outgrow 64 bits, at 70 votes many times
    over. Most rows differ in the last votes only, so ranks must not be lost.
    """
    rng = np.random.default_rng(n_models)
    votes = rng.integers(-1, n_classes, size=(8, n_models))[
        rng.integers(8, size=n_rows)
    ]
    votes[:, -1] = rng.integers(-1, n_classes, size=n_rows)
    labels = rng.integers(-1, n_classes, size=n_rows)
    counts = VoteCounts.from_rows(votes, labels, n_classes)
    patterns, own, free = counted(votes, labels, n_classes, np.ones(n_rows))

    assert list(map(tuple, counts.patterns.tolist())) == patterns
    assert_array_equal(counts.labelled, own)
    assert_array_equal(counts.unlabelled, free)
    half = n_rows // 2
    one, other = (
        VoteCounts.from_rows(votes[part], labels[part], n_classes)
        for part in (slice(half), slice(half, None))
    )
    assert_same(one.merge(other), counts)
    assert_same(other.merge(one), counts)


def test_one_row():
    counts = VoteCounts.from_rows(np.array([[1, -1, 0]]), np.array([1]), 2)

    assert_array_equal(counts.patterns, [[1, -1, 0]])
    assert_array_equal(counts.labelled, [[0, 1]])
    assert_array_equal(counts.unlabelled, [0])
    assert counts.kish == 1


def test_one_class():
    counts = VoteCounts.from_rows(np.array([[0], [-1], [0]]), np.array([0, 0, -1]), 1)

    assert_array_equal(counts.patterns, [[-1], [0]])
    assert_array_equal(counts.labelled, [[1], [1]])
    assert_array_equal(counts.unlabelled, [0, 1])
    assert_array_equal(counts.joint(counts.labelled), [[[1]]])


def test_no_rows_are_neutral():
    votes, labels = rows(1)
    nothing = VoteCounts.from_rows(votes[:0], labels[:0], 3)
    counts = VoteCounts.from_rows(votes, labels, 3)

    assert len(nothing) == nothing.weight == 0
    assert nothing.kish == 1
    assert nothing.design.shape == (0, 9)
    assert_array_equal(nothing.joint(nothing.labelled), np.zeros((3, 3, 3)))
    assert_same(nothing.merge(counts), counts)
    assert_same(counts.merge(nothing), counts)
    assert len(nothing.merge(nothing)) == 0


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_inputs_are_not_written_to(dtype):
    """Read-only views of every second entry, of any integer type."""
    votes, labels = rows(2, 80)
    votes, labels = votes.astype(dtype), labels.astype(dtype)
    weights = np.random.default_rng(2).exponential(size=80)
    own = [each[::2] for each in (votes, labels, weights)]
    for each in own:
        each.flags.writeable = False
    counts = VoteCounts.from_rows(own[0], own[1], 3, own[2])
    copies = VoteCounts.from_rows(*(each.copy() for each in own[:2]), 3, own[2].copy())
    before = [each.copy() for each in (counts.patterns, counts.labelled)]
    counts.merge(copies)

    assert_same(counts, copies)
    assert_array_equal(counts.patterns, before[0])
    assert_array_equal(counts.labelled, before[1])


@law
@given(**sizes)
def test_design_is_one_hot_and_joint_is_a_sum(seed, n_rows, n_models, n_classes):
    votes, labels = rows(seed, n_rows, n_models, n_classes)
    counts = VoteCounts.from_rows(votes, labels, n_classes)
    weights = np.random.default_rng(seed).exponential(size=(len(counts), n_classes))
    design = np.zeros((len(counts), n_models, n_classes))
    joint = np.zeros((n_models, n_classes, n_classes))
    for i, pattern in enumerate(counts.patterns):
        for m, vote in enumerate(pattern):
            if vote >= 0:
                design[i, m, vote] = 1
                joint[m, :, vote] += weights[i]

    flat = design.reshape(len(counts), n_models * n_classes)
    assert_array_equal(counts.design.toarray(), flat)
    assert_allclose(counts.joint(weights), joint, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("unit", [1e-6, 0.01, 1.0, 30.0])
def test_kish(unit):
    """The weights count for ``(sum w)^2 / sum w^2`` rows, or for their sum if it is
    more; effective counts are in rows, whatever the unit of the weights.
    """
    votes, labels = rows(3)
    weights = unit * np.random.default_rng(3).exponential(size=len(votes))
    counts = VoteCounts.from_rows(votes, labels, 3, weights)
    effective = weights.sum() ** 2 / (weights**2).sum()

    rows_there = max(effective, weights.sum())
    assert counts.kish * weights.sum() == pytest.approx(rows_there)
    assert counts.effective().weight == pytest.approx(rows_there)
    assert counts.effective().kish == pytest.approx(1.0)


def test_kish_of_equal_weights_and_of_none():
    votes, labels = rows(4)
    tenth = VoteCounts.from_rows(votes, labels, 3, np.full(len(votes), 0.1))
    assert tenth.kish == pytest.approx(10)
    ones = VoteCounts.from_rows(votes, labels, 3)
    assert ones.kish == 1
    assert VoteCounts.from_rows(votes, np.full(len(votes), -1), 3).kish == 1


def test_other_columns_or_classes_do_not_merge():
    votes, labels = rows(5)
    counts = VoteCounts.from_rows(votes, labels, 3)
    for other in (
        VoteCounts.from_rows(votes[:, :2], labels, 3),
        VoteCounts.from_rows(votes, labels, 4),
    ):
        with pytest.raises(ValueError, match=r"cannot merge .* same columns and class"):
            counts.merge(other)
