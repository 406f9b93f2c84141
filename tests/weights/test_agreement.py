"""What agreement shows: how much detail, and which models are copies."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import betaln, gammaln, logsumexp
from weights_problems import law

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.weights import VoterEstimates, estimate_voters
from stackingnet_sk.weights.agreement import Coins, PanelConfusion
from stackingnet_sk.weights.dawid_skene import FullConfusion, maximize_expectation
from stackingnet_sk.weights.families import kappa, merge_families, same_errors

seeds = st.integers(0, 2**20)
few = settings(law, max_examples=15)
structures = [
    Coins(True, np.inf),
    Coins(False, np.inf),
    Coins(True, 4.0),
    Coins(False, 4.0),
    PanelConfusion(True),
    PanelConfusion(False),
    FullConfusion(),
]
each_structure = pytest.mark.parametrize("structure", structures, ids=str)


def voters(rng, truth, accuracies, n_classes=2):
    """Independent coins."""
    shape = (len(truth), len(accuracies))
    wrong = (truth[:, None] + rng.integers(1, max(n_classes, 2), shape)) % n_classes
    return np.where(rng.random(shape) < accuracies, truth[:, None], wrong)


def copies(rng, source, n_copies, share, n_classes=2):
    """Columns that repeat one column on a share of the rows, and guess elsewhere."""
    shape = (len(source), n_copies)
    guess = rng.integers(n_classes, size=shape)
    return np.where(rng.random(shape) < share, source[:, None], guess)


def counted(votes, n_classes=2, labels=None):
    labels = np.full(len(votes), -1) if labels is None else labels
    return VoteCounts.from_rows(votes, labels, n_classes)


def expected(counts, posterior):
    weights = posterior * counts.unlabelled[:, None] + counts.labelled
    return counts.joint(weights), weights.sum(axis=0)


# -------------------------------------------------------------------- structures


def test_evidence_of_coins_is_that_of_beta_and_dirichlet_priors():
    """Of known classes: the probability of one vote after the other (Polya's urn)."""
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=30)
    votes = voters(rng, truth, [0.6, 0.8], 3)
    joint, rates = expected(counted(votes, 3, truth), np.zeros((1, 3)))
    urn, right, answers = 0.0, 1.0, 2.0
    for hit in (votes == truth[:, None]).T.ravel():
        urn += np.log((right if hit else answers - right) / answers)
        urn -= 0.0 if hit else np.log(2)
        right, answers = right + hit, answers + 1.0
    seen = np.ones(3)
    classes = 0.0
    for label in truth:
        classes += np.log(seen[label] / seen.sum())
        seen[label] += 1.0

    equal = -30 * np.log(3)
    assert Coins(True, np.inf).log_evidence(joint, rates) == pytest.approx(urn + equal)
    assert Coins(False, np.inf).log_evidence(joint, rates) == pytest.approx(
        urn + classes
    )
    hits = (votes == truth[:, None]).sum(axis=0)
    mean = (hits.sum() + 1) / (2 * 30 + 2)
    a, b = 4 * mean, 4 * (1 - mean)
    own = (betaln(hits + a, 30 - hits + b) - betaln(a, b)).sum() - 0.5 * np.log(2)
    own -= (60 - hits.sum()) * np.log(2)
    assert Coins(True, 4.0).log_evidence(joint, rates) == pytest.approx(own + equal)


@each_structure
@few
@given(seed=seeds, n_classes=st.integers(2, 3))
def test_the_bound_is_below_the_evidence(structure, seed, n_classes):
    """Of four rows all classes can be tried: the sum of the evidence over them is what
    any posterior bounds from below.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=4)
    counts = counted(voters(rng, truth, [0.9, 0.7, 0.6], n_classes), n_classes)
    every = np.indices([n_classes] * 4).reshape(4, -1).T
    votes = np.repeat(counts.patterns, counts.unlabelled.astype(int), axis=0)
    evidence = [
        structure.log_evidence(*expected(counted(votes, n_classes, classes), 0.0))
        if len(votes)
        else 0.0
        for classes in every
    ]
    found = maximize_expectation(counts, structure)
    assert found.log_evidence(counts) <= logsumexp(evidence) + 1e-9


@each_structure
def test_several_estimates_at_once_are_those_one_by_one(structure):
    rng = np.random.default_rng(1)
    joint, rates = rng.exponential(5, (4, 3, 2, 2)), rng.exponential(9, (4, 2))
    shares = np.array([1.0, 0.5, 0.5])
    confusion, prior = structure.estimate(joint, rates, shares)
    for b in range(4):
        one, own = structure.estimate(joint[b], rates[b], shares)
        assert_allclose(confusion[b], one, rtol=1e-12)
        assert_allclose(prior[b], own, rtol=1e-12)


@pytest.mark.parametrize(
    ("n_models", "accuracy", "n_classes"), [(50, 0.55, 2), (8, 0.3, 10), (15, 0.55, 2)]
)
def test_voters_near_chance_are_no_worse_than_the_majority(
    n_models, accuracy, n_classes
):
    """250 rows cannot tell such voters apart. A confusion matrix or a coin for each
    lost 5 to 18 points to the majority vote.
    """
    ours, majority = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        truth = rng.integers(n_classes, size=250)
        votes = voters(rng, truth, [accuracy] * n_models, n_classes)
        model = StackingNetClassifier(classes=range(n_classes)).fit(votes)
        tally = (votes[:, :, None] == np.arange(n_classes)).sum(axis=1)
        ours.append(np.mean(model.predict(votes) == truth))
        majority.append(np.mean(tally.argmax(axis=1) == truth))
        assert np.ptp(model.reliability_) < 0.05
    assert np.mean(ours) >= np.mean(majority) - 0.01


@pytest.mark.parametrize(
    ("accuracies", "answers"),
    [([0.7] * 8, np.inf), ([0.95, 0.9, 0.6, 0.6, 0.6, 0.3], 4.0)],
)
def test_evidence_finds_the_structure_of_coins(accuracies, answers):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        truth = rng.integers(2, size=400)
        found = estimate_voters(counted(voters(rng, truth, accuracies)))
        assert found.structure.answers == answers


def test_evidence_finds_confused_classes():
    """Half of the voters exchange classes 1 and 2, of which a coin knows nothing."""
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=600)
    votes = voters(rng, truth, [0.8] * 8, 3)
    votes[:, :4] = np.array([0, 2, 1])[votes[:, :4]]
    assert estimate_voters(counted(votes, 3)).structure == FullConfusion()


def test_many_rows_need_no_choice():
    """The matrices of all models are known then, and tell coins as well."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=20_000)
    votes = voters(rng, truth, [0.7] * 5)
    found = estimate_voters(counted(votes))
    assert found.structure == FullConfusion()
    accuracy = found.confusion.diagonal(axis1=1, axis2=2)
    assert_allclose(accuracy, 0.7, atol=0.03)


# ---------------------------------------------------------------------- families


def test_kappa_is_cohens():
    """One for equal columns, zero for independent ones, and by hand in between; the
    same sums from sparse tables as from dense ones.
    """
    rng = np.random.default_rng(0)
    votes = rng.integers(3, size=(4000, 3))
    votes[:, 2] = np.where(rng.random(4000) < 0.5, votes[:, 0], votes[:, 2])
    found = kappa(counted(np.column_stack([votes, votes[:, 0]]), 3))
    agree = np.mean(votes[:, 0] == votes[:, 2])
    rates = [np.bincount(votes[:, m], minlength=3) / 4000 for m in (0, 2)]
    chance = rates[0] @ rates[1]

    assert found[0, 3] == pytest.approx(1.0)
    assert found[0, 1] < 0.04
    assert found[0, 2] == pytest.approx((agree - chance) / (1 - chance))
    assert_array_equal(found, found.T)
    sparse = np.full((4000, 80), -1)
    sparse[:, :3] = votes
    assert_allclose(kappa(counted(sparse, 3))[:3, :3], found[:3, :3], atol=1e-12)


def test_few_common_rows_make_no_copies():
    votes = np.zeros((29, 2), dtype=int)
    assert kappa(counted(np.vstack([votes, votes + 1])[:29])).max() == 0.0


@few
@given(seed=seeds, n_copies=st.integers(2, 4), n_classes=st.integers(2, 3))
def test_votes_of_members_are_a_distribution(seed, n_copies, n_classes):
    """All answers that a family can give to one row, given its vote or a tie, are no
    more probable than one in total.
    """
    every = np.indices([n_classes] * n_copies).reshape(n_copies, -1).T
    family = np.zeros(n_copies, dtype=int)
    total = {}
    for answers in every:
        merged, evidence = merge_families(counted(answers[None], n_classes), family)
        vote = int(merged.patterns[0, 0])
        total[vote] = total.get(vote, 0.0) + np.exp(evidence)
    assert max(total[k] for k in range(n_classes)) + total.get(-1, 0.0) <= 1 + 1e-9


def panel_of_prompts(seed, share=1.0, n_rows=400):
    """Judges of .9, .85 and .8, and three prompts of one of .75."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=n_rows)
    judges = voters(rng, truth, [0.9, 0.85, 0.8])
    source = voters(rng, truth, [0.75])[:, 0]
    return np.hstack([judges, copies(rng, source, 3, share)]), truth


@pytest.mark.parametrize("share", [0.97, 1.0])
@pytest.mark.parametrize("n_labels", [0, 10, 30])
def test_prompts_of_one_judge_are_one_vote(share, n_labels):
    """As good as the panel with one of them, and said with their names. They were three
    votes of six, which agree, so that the other judges seemed to err.
    """
    three, one = [], []
    for seed in range(5):
        votes, truth = panel_of_prompts(seed, share)
        y = np.where(np.arange(400) < n_labels, truth, np.nan) if n_labels else None
        model = StackingNetClassifier(classes=[0, 1])
        with pytest.warns(UserWarning, match="'model_3', 'model_4', 'model_5' make"):
            model.fit(votes, y)
        assert_array_equal(model.families_, [0, 1, 2, 3, 3, 3])
        three.append(np.mean(model.predict(votes) == truth))
        model.fit(votes[:, :4], y)
        assert_array_equal(model.families_, range(4))
        one.append(np.mean(model.predict(votes[:, :4]) == truth))
    assert np.mean(three) >= np.mean(one) - 0.01
    assert np.mean(three) > 0.92


def test_excellent_judges_that_agree_are_no_copies():
    """Two judges of 98 % say the same on forty items because both are right."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        truth = rng.integers(2, size=40)
        votes = voters(rng, truth, [0.98, 0.98, 0.8, 0.75, 0.7])
        if not (votes[:, 0] == votes[:, 1]).all():
            continue
        assert_array_equal(estimate_voters(counted(votes)).families, range(5))
        assert_array_equal(estimate_voters(counted(votes, 2, truth)).families, range(5))


@few
@given(seed=seeds)
def test_members_share_the_weight_of_one_voter(seed):
    """Equal columns: each has a third of what the voter has alone, and the others are
    as in the panel with one of them.
    """
    votes, _ = panel_of_prompts(seed, 1.0)
    panel = VoterEstimates.from_counts(counted(votes))
    alone = VoterEstimates.from_counts(counted(votes[:, :4]))
    assume(panel.label_free.structure == alone.label_free.structure)
    assert_array_equal(panel.families, [0, 1, 2, 3, 3, 3])
    shared = panel.vote_weights[3:].sum(axis=0)
    assert_allclose(shared, alone.vote_weights[3], rtol=1e-4)
    assert_allclose(panel.vote_weights[:3], alone.vote_weights[:3], rtol=1e-4)


@few
@given(seed=seeds)
def test_the_order_of_models_does_not_matter(seed):
    votes, _ = panel_of_prompts(seed, 0.97, 200)
    order = np.random.default_rng(seed).permutation(6)
    plain = estimate_voters(counted(votes))
    moved = estimate_voters(counted(votes[:, order]))
    same = plain.families[:, None] == plain.families
    also = moved.families[:, None] == moved.families
    assert_array_equal(also, same[np.ix_(order, order)])
    assert_allclose(moved.confusion, plain.confusion[order], atol=1e-6)


def test_same_errors_by_hand():
    """Two members are wrong on three and two rows, and alike on one of them."""
    votes = np.array([[1, 1], [1, 0], [1, 0], [0, 1], [0, 0], [-1, 1]])
    counts = counted(votes, 2, np.zeros(6, dtype=int))
    both = np.array([0, 1])
    assert same_errors(counts, counts.labelled, both) == pytest.approx(1 / 4)
    right = counted(votes[4:5], 2, np.zeros(1, dtype=int))
    assert same_errors(right, right.labelled, both) == 0.0


def test_the_dirichlet_evidence_needs_no_more_than_gamma_functions():
    """Two classes with uniform priors: all counts of n draws are equally likely."""
    rates = np.array([3.0, 4.0])
    found = Coins(False, np.inf).rates_evidence(rates)
    assert found == pytest.approx(gammaln(4) + gammaln(5) - gammaln(9))
