"""Mixtures over priors: what they are made of, and when labels overrule agreement."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import log_softmax
from weights_problems import law

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.constraints import max_weight
from stackingnet_sk.weights import ENOUGH_LABELS, Status

seeds = st.integers(0, 2**20)
few = settings(law, max_examples=15)


def crowd(seed, n_labels=30, accuracies=(0.8, 0.7, 0.6, 0.55), n_classes=3):
    """Independent voters; the first rows have labels."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=300)
    wrong = (truth[:, None] + rng.integers(1, n_classes, (300, len(accuracies)))) % (
        n_classes
    )
    right = rng.random((300, len(accuracies))) < accuracies
    votes = np.where(right, truth[:, None], wrong)
    return votes, np.where(np.arange(300) < n_labels, truth, np.nan), truth


def clique(seed, n_labels):
    """Three good voters, and five that repeat a coin on 75 % of the rows."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=600)
    good = np.where(rng.random((600, 3)) < 0.85, truth[:, None], 1 - truth[:, None])
    coin = rng.integers(2, size=(600, 1))
    copies = np.where(rng.random((600, 5)) < 0.75, coin, rng.integers(2, size=(600, 5)))
    labels = np.where(np.arange(600) < n_labels, truth, np.nan)
    return np.hstack([good, copies]), labels, truth


def scores(solution, votes):
    hits = np.eye(solution.vote_weights.shape[1])[votes]
    return np.einsum("ima,mak->ik", hits, solution.vote_weights) + solution.intercept


@few
@given(seed=seeds, n_labels=st.integers(1, 60))
def test_a_mixture_is_the_mean_of_its_candidates(seed, n_labels):
    """Of logits, so of weights, intercepts and matrices; beliefs sum to one."""
    votes, labels, _ = crowd(seed, n_labels)
    solution = StackingNetClassifier(classes=[0, 1, 2]).fit(votes, labels).solution_
    beliefs = np.array([candidate.belief for candidate in solution.candidates])

    assert solution.status is Status.MIXTURE
    assert beliefs.sum() == pytest.approx(1.0, abs=1e-12)
    assert beliefs.min() > 0
    mixed = sum(c.belief * scores(c.solution, votes) for c in solution.candidates)
    assert_allclose(scores(solution, votes), mixed, atol=1e-9)


@few
@given(seed=seeds, n_labels=st.integers(5, 60))
def test_the_loss_is_at_most_the_mean_loss_of_the_candidates(seed, n_labels):
    """On any rows: the log loss is convex in the logits."""
    votes, labels, truth = crowd(seed, n_labels)
    solution = StackingNetClassifier(classes=[0, 1, 2]).fit(votes, labels).solution_

    def loss(part):
        return -log_softmax(scores(part, votes), axis=1)[np.arange(300), truth].mean()

    mean = sum(c.belief * loss(c.solution) for c in solution.candidates)
    assert loss(solution) <= mean + 1e-12


def test_the_certificate_is_the_worst_of_the_candidates():
    votes, labels, _ = crowd(0)
    solution = StackingNetClassifier().fit(votes, labels).solution_
    parts = [candidate.solution for candidate in solution.candidates]

    assert solution.gap == max(part.gap for part in parts) < 1e-12
    assert solution.recheck().gap == pytest.approx(solution.gap, abs=1e-15)
    spoiled = replace(solution, vote_weights=1.01 * solution.vote_weights)
    assert spoiled.recheck().gap == np.inf
    # A candidate that is no optimum spoils the mixture, too.
    first = solution.candidates[0]
    moved = first.solution.intercept + np.array([0.1, 0.0, -0.1])
    worse = replace(first.solution, intercept=moved)
    problem = replace(
        solution.problem,
        candidates=(first._replace(solution=worse), *solution.candidates[1:]),
    )
    assert solution.recheck(problem).gap > 1e-6


@few
@given(seed=seeds, n_labels=st.sampled_from([1, 2, 5, 30]))
def test_the_order_of_the_models_does_not_matter(seed, n_labels):
    """A weight of zero is at its bound up to rounding, whichever model comes first."""
    votes, labels, _ = crowd(seed, n_labels)
    order = np.random.default_rng(seed).permutation(votes.shape[1])
    plain = StackingNetClassifier(classes=[0, 1, 2]).fit(votes, labels)
    moved = StackingNetClassifier(classes=[0, 1, 2]).fit(votes[:, order], labels)
    assert_allclose(moved.vote_weights_, plain.vote_weights_[order], atol=1e-8)


@pytest.mark.parametrize(("n_labels", "least"), [(20, 0.75), (100, 0.85)])
def test_labels_overrule_agreement_of_a_clique(n_labels, least):
    """The clique agrees, so it passes for the truth without labels. Under one prior at
    agreement it keeps most of the weight for 20 labels and more.
    """
    right, single = [], []
    for seed in range(8):
        votes, labels, truth = clique(seed, n_labels)
        for shrinkage, results in (("auto", right), (50.0, single)):
            model = StackingNetClassifier(shrinkage=shrinkage).fit(votes, labels)
            results.append(np.mean(model.predict(votes) == truth))
    assert np.mean(right) >= least
    assert np.mean(right) > np.mean(single)


def test_independent_voters_lose_next_to_nothing():
    """Where agreement is right, other centres take no more than a point."""
    right, single = [], []
    for seed in range(20):
        votes, labels, truth = crowd(seed, 10)
        for shrinkage, results in (("auto", right), (50.0, single)):
            model = StackingNetClassifier(classes=[0, 1, 2], shrinkage=shrinkage)
            model.fit(votes, labels)
            results.append(np.mean(model.predict(votes) == truth))
    assert np.mean(right) >= np.mean(single) - 0.01


def test_constraints_hold_and_change_nothing_where_they_do_not_bind():
    votes, labels, _ = crowd(1, 60)
    free = StackingNetClassifier(structure="shared").fit(votes, labels)
    cap = 0.8 * free.weights_.max()
    tight = StackingNetClassifier(structure="shared", constraint=max_weight(cap))
    loose = StackingNetClassifier(structure="shared", constraint=max_weight(99))

    assert tight.fit(votes, labels).weights_.max() <= cap + 1e-6
    assert tight.solution_.status is Status.MIXTURE
    assert_allclose(loose.fit(votes, labels).weights_, free.weights_, rtol=1e-12)


def test_many_labels_or_a_given_strength_need_no_mixture():
    votes, labels, truth = crowd(2)
    given = StackingNetClassifier(shrinkage=50.0).fit(votes, labels)
    n_copies = int(ENOUGH_LABELS // len(truth)) + 1
    rows = np.tile(np.arange(len(truth)), n_copies)
    many = StackingNetClassifier().fit(votes[rows], truth[rows])

    for model in (given, many):
        assert model.solution_.status is Status.OPTIMAL
        assert not model.solution_.candidates


def test_a_saved_mixture_lists_its_candidates():
    votes, labels, _ = crowd(3)
    model = StackingNetClassifier().fit(votes, labels)
    loaded = pickle.loads(pickle.dumps(model))
    pairs = zip(loaded.solution_.candidates, model.solution_.candidates, strict=True)

    assert all(a.name == b.name and a.belief == b.belief for a, b in pairs)
    assert all(c.solution.problem is None for c in loaded.solution_.candidates)
    assert_allclose(loaded.predict_proba(votes), model.predict_proba(votes))
