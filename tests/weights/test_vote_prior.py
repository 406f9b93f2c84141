"""The prior of the weights: blending, log-odds, margins, errors in common."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from weights_problems import law

from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.weights import VoterEstimates, dawid_skene
from stackingnet_sk.weights.vote_prior import (
    balanced_accuracy,
    blend,
    blended_correlation,
    blended_rates,
    common_errors,
    confidence,
    log_odds,
    margins,
)

seeds = st.integers(0, 2**20)
correlations = st.floats(0, 0.95)


def identity(sizes, n_classes=2):
    """Evidence with these margins."""
    return np.asarray(sizes)[:, None, None] * np.eye(n_classes)


def confusions(rng, n_models, n_classes):
    """Better than chance."""
    noise = rng.dirichlet(np.ones(n_classes), (n_models, n_classes))
    return 0.5 * noise + 0.5 * np.eye(n_classes)


def hard_items(seed, n_rows, n_models, correlation, accuracy=0.7):
    """Two classes; being right is the sign of equicorrelated normal scores."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=n_rows)
    score = np.sqrt(correlation) * rng.normal(size=(n_rows, 1))
    score = score + np.sqrt(1 - correlation) * rng.normal(size=(n_rows, n_models))
    wrong = score > np.quantile(score, accuracy)
    return np.where(wrong, 1 - truth[:, None], truth[:, None]), truth


@law
@given(
    seed=seeds,
    n_models=st.integers(1, 12),
    n_classes=st.integers(2, 5),
    correlation=correlations,
)
def test_equal_voters_count_as_their_effective_number(
    seed, n_models, n_classes, correlation
):
    """Result 2: ``M / (1 + (M - 1) rho)`` of M voters, so each by an M-th of that."""
    one = log_odds(confusions(np.random.default_rng(seed), 1, n_classes))
    evidence = np.repeat(one, n_models, axis=0)
    effective = n_models / (1 + (n_models - 1) * correlation)

    found = common_errors(evidence, correlation)
    assert_allclose(found.sum(axis=0), effective * one[0], rtol=1e-9, atol=1e-12)


@law
@given(
    seed=seeds,
    n_models=st.integers(3, 40),
    n_answers=st.integers(1, 3),
    correlation=correlations,
)
def test_voters_who_share_no_row_are_not_discounted_for_each_other(
    seed, n_models, n_answers, correlation
):
    """A few of many equal voters count as these few would without the others."""
    one = log_odds(confusions(np.random.default_rng(seed), 1, 3))
    evidence = np.repeat(one, n_models, axis=0)
    few = common_errors(evidence[:n_answers], correlation)
    many = common_errors(evidence, correlation, float(n_answers))

    assert_allclose(many[:n_answers], few, rtol=1e-9, atol=1e-12)


def test_a_sparse_crowd_is_no_worse_than_the_majority_vote():
    """461 workers with six answers an item kept next to no evidence: an item was
    discounted for the errors of all workers, and its answer was the largest class.
    """
    rng = np.random.default_rng(0)
    truth = rng.integers(5, size=300)
    table = np.full((300, 400), -1)
    for row, label in enumerate(truth):
        wrong = (label + rng.integers(1, 5, 6)) % 5
        votes = np.where(rng.random(6) < 0.6, label, wrong)
        table[row, rng.choice(400, 6, replace=False)] = votes
    counts = VoteCounts.from_rows(table, np.full(300, -1), 5)
    panel = VoterEstimates.from_counts(counts)

    def right(vote_weights):
        scores = (counts.design @ vote_weights.reshape(-1, 5))[None]
        place = counts.patterns[:, None, :] == table[None, :, :]
        row_of = place.all(axis=2).argmax(axis=0)
        return np.mean(scores[0][row_of].argmax(axis=1) == truth)

    assert panel.answers_per_row == 6.0
    plain = right(np.tile(np.eye(5), (400, 1, 1)))
    assert right(panel.vote_weights) >= plain - 0.01


@law
@given(seed=seeds, n_models=st.integers(1, 8), correlation=correlations)
def test_nothing_in_common_nothing_discounted(seed, n_models, correlation):
    """No correlation, or nobody to share it with; silent models are nobody."""
    rng = np.random.default_rng(seed)
    evidence = log_odds(confusions(rng, n_models, 3))
    assert_allclose(common_errors(evidence, 0.0), evidence, rtol=1e-12)
    one = evidence[:1]
    assert_allclose(common_errors(one, correlation), one, rtol=1e-12)
    among = np.concatenate([0 * evidence, one, 0 * evidence])
    assert_allclose(common_errors(among, correlation), among, rtol=1e-12)


@law
@given(seed=seeds, n_models=st.integers(2, 10), correlation=correlations)
def test_fishers_discriminant(seed, n_models, correlation):
    """``((1 - rho) I + rho 11')^-1 t`` where that is positive. Where it isn't, these
    models and no others are silenced.
    """
    sizes = np.random.default_rng(seed).uniform(0.5, 1.5, n_models)
    matrix = (1 - correlation) * np.eye(n_models) + correlation
    expected = np.linalg.solve(matrix, sizes)
    found = margins(common_errors(identity(sizes), correlation))

    assert_allclose(found, np.maximum(expected, 0), rtol=1e-9, atol=1e-9)


def test_fishers_discriminant_of_simulated_scores():
    """The weights that separate two classes best, estimated from what voters with
    equicorrelated errors say, with standard errors of half a percent.
    """
    rng = np.random.default_rng(0)
    sizes, correlation = np.array([1.0, 0.8, 0.7, 0.6]), 0.3
    sign = rng.choice([-1, 1], 200_000)
    errors = np.sqrt(correlation) * rng.normal(size=(200_000, 1))
    errors = errors + np.sqrt(1 - correlation) * rng.normal(size=(200_000, 4))
    scores = sign[:, None] * sizes + errors
    spread = np.cov((scores - sign[:, None] * sizes).T)
    expected = np.linalg.solve(spread, (sign[:, None] * scores).mean(axis=0))

    found = margins(common_errors(identity(sizes), correlation))
    assert_allclose(found, expected, atol=0.02)


@law
@given(seed=seeds, n_models=st.integers(2, 6), correlation=correlations)
def test_flipped_voter_keeps_its_size_and_turns_its_sign(seed, n_models, correlation):
    """Of two classes, a model that names the other one always is as good as before."""
    confusion = confusions(np.random.default_rng(seed), n_models, 2)
    flipped = confusion.copy()
    flipped[0] = flipped[0][:, ::-1]
    plain = common_errors(log_odds(confusion), correlation)
    turned = common_errors(log_odds(flipped), correlation)

    assert_allclose(turned[0], plain[0][::-1], rtol=1e-9, atol=1e-12)
    assert_allclose(turned[1:], plain[1:], rtol=1e-9, atol=1e-12)
    sign = np.where(np.arange(n_models) == 0, -1, 1)
    assert_allclose(margins(turned), sign * margins(plain), rtol=1e-9, atol=1e-12)


@law
@given(seed=seeds, n_classes=st.integers(1, 6))
def test_margins(seed, n_classes):
    """``w`` of ``w I``; what is added to all classes alike is no margin."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=5)
    assert_allclose(margins(identity(weights, n_classes)), weights, rtol=1e-12)
    if n_classes > 1:
        shifted = identity(weights, n_classes) + rng.normal(size=(5, n_classes, 1))
        assert_allclose(margins(shifted), weights, rtol=1e-9, atol=1e-12)


@law
@given(seed=seeds, n_classes=st.integers(2, 6))
def test_log_odds_of_a_coin(seed, n_classes):
    """Result 5: the margin is ``log(p (K - 1) / (1 - p))``; votes add up to posteriors
    by Bayes' rule.
    """
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.05, 0.95, 4)
    coins = np.repeat((1 - p) / (n_classes - 1), n_classes**2)
    coins = coins.reshape(4, n_classes, n_classes)
    coins[:, range(n_classes), range(n_classes)] = p[:, None]
    odds = np.log(p * (n_classes - 1) / (1 - p))
    assert_allclose(margins(log_odds(coins)), odds, rtol=1e-9, atol=1e-12)
    assert_allclose(balanced_accuracy(coins), p)

    confusion = confusions(rng, 4, n_classes)
    votes = rng.integers(n_classes, size=4)
    score = np.exp(log_odds(confusion)[range(4), votes].sum(axis=0))
    likelihood = confusion[range(4), :, votes].prod(axis=0)
    expected = likelihood / likelihood.sum()
    assert_allclose(score / score.sum(), expected, rtol=1e-9)


def test_blend_goes_from_agreement_to_frequencies():
    """``(n F + 100 D) / (n + 100)`` on each class: D without labels, F with many."""
    votes, truth = hard_items(0, 4000, 4, 0.0)
    before = np.inf
    for n_labelled in (0, 10, 100, 1000, 4000):
        labels = np.where(np.arange(4000) < n_labelled, truth, -1)
        counts = VoteCounts.from_rows(votes, labels, 2)
        free = dawid_skene(counts)
        found = blend(counts.joint(counts.labelled), free.confusion)
        rates = blended_rates(counts, free)
        assert_allclose(found.sum(axis=2), 1)
        assert (found > 0).all()
        assert rates.sum() == pytest.approx(1)
        seen = np.zeros((4, 2, 2))
        for m in range(4):
            np.add.at(seen[m], (truth[:n_labelled], votes[:n_labelled, m]), 1)
        n = seen.sum(axis=2, keepdims=True)
        assert_allclose(found, (seen + 100 * free.confusion) / (n + 100))
        if n_labelled:
            distance = np.abs(found - seen / n).max()
            assert distance < before
            before = distance
        else:
            assert_allclose(found, free.confusion, rtol=1e-12)
            assert_allclose(rates, (100 * free.class_prior + 0.5) / 101)
    # A hundred answers of 2,000 don't move frequencies by more.
    assert distance < 0.01


@pytest.mark.parametrize("n_labelled", [0, 10, 100, 1000])
def test_confidence(n_labelled):
    """Labels are believed, and agreement of voters without anything in common; else
    the less, the more the models err together, blended as confusion.
    """
    votes, truth = hard_items(2, 1000, 4, 0.3)
    labels = np.where(np.arange(1000) < n_labelled, truth, -1)
    counts = VoteCounts.from_rows(votes, labels, 2)
    found = [confidence(counts, correlation) for correlation in (0.0, 0.1, 0.4)]

    doubted = np.array([1, 1 / 1.6, 1 / 3.4])
    assert_allclose(found, (n_labelled + 100 * doubted) / (n_labelled + 100))


def test_class_that_nobody_has_seen_has_a_rate():
    votes, truth = hard_items(1, 200, 4, 0.0)
    counts = VoteCounts.from_rows(votes, truth, 5)

    rates = blended_rates(counts, dawid_skene(counts))
    assert (rates > 0).all()
    assert_allclose(rates[2:], 0.2 / 301)


def test_perfect_models_show_no_correlation():
    """They make no errors, so these have nothing in common; no warning either."""
    truth = np.tile([0, 1], 50)
    votes = np.column_stack([truth, 1 - truth, truth, np.full(100, -1)])
    counts = VoteCounts.from_rows(votes, truth, 2)

    assert blended_correlation(counts, dawid_skene(counts)) == 0


@pytest.mark.parametrize("labelled", [False, True])
def test_correlation_is_seen(labelled):
    """None in independent voters; in voters who find the same items hard, more, with
    labels or without; in copies the most that is believed.
    """
    found = []
    for correlation in (0.0, 0.3, 0.6):
        votes, truth = hard_items(3, 5000, 8, correlation)
        counts = VoteCounts.from_rows(votes, truth if labelled else 0 * truth - 1, 2)
        found.append(blended_correlation(counts, dawid_skene(counts)))
    assert found[0] < 0.03
    assert found[0] + 0.05 < found[1] < found[2] <= 0.4
    copies = VoteCounts.from_rows(np.tile(votes[:, :1], (1, 3)), truth, 2)
    assert blended_correlation(copies, dawid_skene(copies)) == 0.4


@law
@given(seed=seeds, correlation=correlations)
def test_order_is_of_no_account_and_inputs_are_not_written_to(seed, correlation):
    rng = np.random.default_rng(seed)
    evidence = log_odds(confusions(rng, 6, 3))
    before, order = evidence.copy(), rng.permutation(6)
    found = common_errors(evidence, correlation)

    assert_array_equal(evidence, before)
    permuted = common_errors(evidence[order], correlation)
    assert_allclose(permuted, found[order], rtol=1e-9, atol=1e-12)
