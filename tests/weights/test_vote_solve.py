"""From votes to a solution: what it says, symmetries, the choice of the structure."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from weights_problems import law

from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.weights import (
    STRUCTURES,
    LogLossObjective,
    Status,
    VoterEstimates,
    solve_pool,
    solve_pool_unlabelled,
    solve_votes,
    solve_votes_unlabelled,
)
from stackingnet_sk.weights.log_loss import leave_one_out
from stackingnet_sk.weights.newton import minimize_log_loss
from stackingnet_sk.weights.vote_prior import Center, blend, margins

seeds = st.integers(0, 2**20)
few = settings(law, max_examples=20)
STRUCTURE = pytest.mark.parametrize("structure", [*STRUCTURES, "auto"])


def votes(seed, n_rows=80, n_models=4, n_classes=3, *, labelled=0.5):
    """Voters of unequal skill; a share of the rows has labels."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_rows)
    right = rng.random((n_rows, n_models)) < rng.uniform(0.4, 0.9, n_models)
    table = np.where(right, truth[:, None], rng.integers(n_classes, size=right.shape))
    table[rng.random(right.shape) < 0.1] = -1
    return table, np.where(rng.random(n_rows) < labelled, truth, -1)


def experts(n_rows=600):
    """Two models for each class that know it when they see it, and guess else."""
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=n_rows)
    table = rng.integers(3, size=(n_rows, 6))
    for m in range(6):
        table[truth == m // 2, m] = m // 2
    return table, truth


def solved(table, labels, n_classes=3, *, row_weight=None, shrinkage=50.0, **options):
    counts = VoteCounts.from_rows(table, labels, n_classes)
    row_weight = np.ones(n_classes) if row_weight is None else row_weight
    panel = VoterEstimates.from_counts(counts)
    rows = counts.labelled.any(axis=1)
    prior = panel.rates
    own = (counts.design[rows], counts.labelled[rows] * row_weight)
    known = (panel, panel.agreement, prior)
    return solve_votes(*own, *known, row_weight, shrinkage=shrinkage, **options), panel


def fits(table, labels, shrinkage=50.0):
    """Each structure's objective and its leave-one-out loss."""
    counts = VoteCounts.from_rows(table, labels, 3)
    panel = VoterEstimates.from_counts(counts)
    result = {}
    for name, kind in STRUCTURES.items():
        structure = kind(counts.design, 3)
        center = structure.coefficients(panel.agreement.evidence)
        objective = LogLossObjective(
            structure, counts.labelled, np.log(panel.rates), center, shrinkage
        )
        point, _ = minimize_log_loss(objective)
        result[name] = leave_one_out(objective, point, np.ones(3)), objective, point
    return result


@STRUCTURE
@few
@given(seed=seeds, n_models=st.integers(1, 6), n_classes=st.integers(1, 4))
def test_what_a_solution_says(structure, seed, n_models, n_classes):
    """Weights are the margins of the matrices, and the certificate is kept."""
    table, labels = votes(seed, 80, n_models, n_classes)
    solution, panel = solved(table, labels, n_classes, structure=structure)

    assert solution.status is Status.OPTIMAL
    assert solution.certificate <= 1e-12
    assert solution.warning is None
    assert solution.constraint == structure or structure == "auto"
    assert solution.solver == "native"
    assert solution.shrinkage == 50.0
    assert solution.vote_weights.shape == (n_models, n_classes, n_classes)
    assert solution.intercept.shape == (n_classes,)
    assert_array_equal(solution.weights, margins(solution.vote_weights))
    if solution.constraint == "shared":
        assert (solution.weights >= 0).all()
        identity = solution.weights[:, None, None] * np.eye(n_classes)
        assert_allclose(solution.vote_weights, identity, rtol=1e-14)
    assert_array_equal(solution.log_likelihood, panel.label_free.log_likelihood)


@given(seeds)
@few
def test_without_a_prior_intercepts_and_leave_one_out_are_determined(seed):
    """Raising all intercepts alike changes no probability: of these optima it is the
    one with centred intercepts, and the error is that with next to no prior.
    """
    table, labels = votes(seed, n_rows=150)
    none, panel = solved(table, labels, shrinkage=0.0)
    assume(none.objective > 0.1)  # Labels that votes separate have no finite optimum.
    little, _ = solved(table, labels, shrinkage=1e-6, structure="shared")
    free = none.intercept - np.log(panel.rates)
    assert free.mean() == pytest.approx(0.0, abs=1e-12)
    assert none.expected_error == pytest.approx(little.expected_error, rel=1e-4)


@pytest.mark.parametrize("structure", ["shared", "full"])
def test_it_is_the_optimum_of_the_objective(structure):
    """In nats a row; the intercept includes the log of the class prior."""
    table, labels = votes(3, labelled=1.0)
    solution, panel = solved(table, labels, structure=structure)
    _, objective, point = fits(table, labels)[structure]

    assert solution.objective == pytest.approx(objective.value(point) / 80)
    assert_allclose(solution.intercept, point[:3] + np.log(panel.rates), rtol=1e-9)
    expected = objective.structure.vote_weights(point[3:])
    assert_allclose(solution.vote_weights, expected, rtol=1e-9, atol=1e-12)


@STRUCTURE
@few
@given(seed=seeds, n_models=st.integers(1, 6))
def test_order_of_models_is_of_no_account(structure, seed, n_models):
    table, labels = votes(seed, n_models=n_models)
    order = np.random.default_rng(seed).permutation(n_models)
    plain, _ = solved(table, labels, structure=structure)
    other, _ = solved(table[:, order], labels, structure=structure)

    assert other.constraint == plain.constraint
    assert_allclose(other.weights, plain.weights[order], rtol=0, atol=1e-9)
    assert_allclose(other.vote_weights, plain.vote_weights[order], rtol=0, atol=1e-9)
    assert_allclose(other.intercept, plain.intercept, rtol=0, atol=1e-9)


@few
@given(seed=seeds)
def test_order_of_rows_is_of_no_account_to_the_last_bit(seed):
    table, labels = votes(seed)
    order = np.random.default_rng(seed).permutation(len(labels))
    plain, _ = solved(table, labels)
    other, _ = solved(table[order], labels[order])

    assert_array_equal(other.vote_weights, plain.vote_weights)
    assert_array_equal(other.intercept, plain.intercept)


def test_auto_is_the_structure_of_less_leave_one_out_loss():
    """Both win on some tables: `full` where models are experts for a class."""
    chosen = set()
    for seed in range(12):
        table, labels = votes(seed, labelled=1.0) if seed else experts()
        losses = {
            name: solved(table, labels, structure=name)[0].expected_error
            for name in STRUCTURES
        }
        solution, _ = solved(table, labels)
        assert solution.constraint == min(losses, key=losses.get)
        chosen.add(solution.constraint)
        if not seed:
            assert solution.constraint != "shared"
    assert chosen == {"shared", "full", "abstaining"}


@pytest.mark.parametrize("center", ["agreement", "labels"])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_centre_is_computed_without_the_row_left_out(structure, center):
    """Else the centre has seen the label: with a centre from the labels, the error is
    promised to be smaller than it is. A Newton step is within 4 % of refits, whose
    centre is that of the same rows less one.
    """
    table, labels = votes(3, n_rows=40, labelled=1.0)
    counts = VoteCounts.from_rows(table, labels, 3)
    panel = VoterEstimates.from_counts(counts)
    centre = getattr(panel, center)
    prior = np.full(3, 1 / 3)
    known = (prior, np.ones(3))
    options = {"shrinkage": 50.0, "structure": structure}
    rows = (counts.design, counts.labelled, panel)
    found = solve_votes(*rows, centre, *known, **options).expected_error
    losses = []
    for i, k in zip(*counts.labelled.nonzero(), strict=True):
        rest = counts.labelled.copy()
        rest[i, k] -= 1.0
        hits = counts.design[[i]].toarray().reshape(1, -1, 3)
        moved = Center(center, centre.without(hits, k)[0])
        refit = solve_votes(counts.design, rest, panel, moved, *known, **options)
        scores = refit.intercept + hits.ravel() @ refit.vote_weights.reshape(-1, 3)
        if refit.abstention is not None:
            scores = scores + (1 - hits[0].sum(axis=1)) @ refit.abstention
        losses.append((counts.labelled[i, k], logsumexp(scores) - scores[k]))
    weights, losses = np.transpose(losses)

    assert found == pytest.approx(np.average(losses, weights=weights), rel=0.04)
    seen = solve_votes(*rows, Center(center, centre.evidence), *known, **options)
    assert seen.expected_error < found


@pytest.mark.parametrize("center", ["agreement", "labels"])
def test_a_centre_without_a_row_is_the_centre_of_the_other_rows(center):
    """With a label on each row; correlation and confidence stay those of all rows."""
    table, labels = votes(4, n_rows=30, labelled=1.0)
    panel = VoterEstimates.from_counts(VoteCounts.from_rows(table, labels, 3))
    for row in (0, 7):
        hits = (table[row][:, None] == np.arange(3)).astype(float)[None]
        others = np.arange(30) != row
        rest = VoteCounts.from_rows(table[others], labels[others], 3)
        fewer = VoterEstimates.from_counts(rest)
        again = replace(
            fewer,
            correlation=panel.correlation,
            confidence=panel.confidence,
            answers_per_row=panel.answers_per_row,
            label_free=replace(fewer.label_free, structure=panel.label_free.structure),
        )
        if center == "agreement":
            structure = panel.label_free.structure
            free, _ = structure.estimate(
                again.expected, again.expected_rates, np.ones(4)
            )
            again = replace(again, confusion=blend(again.labelled, free))
        found = getattr(panel, center).without(hits, labels[row])[0]
        assert_allclose(found, getattr(again, center).evidence, rtol=1e-9, atol=1e-12)


def test_auto_is_the_simple_one_where_nothing_can_choose():
    """Without a prior there is no leave-one-out, and a thousand coefficients cost."""
    table, labels = votes(0)
    assert solved(table, labels, shrinkage=0.0)[0].constraint == "shared"
    many, labels = votes(1, n_models=12, n_classes=10)
    assert solved(many, labels, 10)[0].constraint == "shared"


@pytest.mark.parametrize("structure", ["shared", "full"])
def test_prior_fades_as_labels_come(structure):
    """With a huge one the centre is the answer, with none the labels alone."""
    table, labels = votes(2, 400, labelled=1.0)
    distances = []
    for shrinkage in (1e9, 1e3, 50.0, 1e-3):
        solution, panel = solved(
            table, labels, structure=structure, shrinkage=shrinkage
        )
        center = margins(panel.vote_weights)
        distances.append(np.abs(solution.weights - np.maximum(center, 0)).max())
    assert distances[0] < 1e-4
    assert distances == sorted(distances)


@pytest.mark.parametrize("structure", ["shared", "full"])
def test_class_weights_scale_rows(structure):
    """A class that counts double is as if its rows were there twice, but that the
    panel knows how many answers there are.
    """
    table, labels = votes(4, labelled=1.0)
    counts = VoteCounts.from_rows(table, labels, 3)
    panel = VoterEstimates.from_counts(counts)
    double = np.array([2.0, 1.0, 1.0])
    twice = counts.labelled * double
    options = {"shrinkage": 50.0, "structure": structure}
    known = (panel, panel.agreement, panel.rates)
    one = solve_votes(counts.design, twice, *known, double, **options)
    again = VoteCounts.from_rows(
        np.concatenate([table, table[labels == 0]]),
        np.concatenate([labels, labels[labels == 0]]),
        3,
    )
    other = solve_votes(again.design, again.labelled, *known, np.ones(3), **options)
    assert_allclose(one.vote_weights, other.vote_weights, rtol=1e-9, atol=1e-12)


def test_cvxpy_is_the_same_door():
    """Its answer carries a certificate that is measured, not believed."""
    table, labels = votes(5)
    for structure in ("shared", "full"):
        native, panel = solved(table, labels, structure=structure)
        other, _ = solved(table, labels, structure=structure, solver="cvxpy")
        assert other.solver == "cvxpy"
        assert 0 < other.certificate < 1e-6
        assert_allclose(other.vote_weights, native.vote_weights, atol=1e-3)
    likelihood = np.random.default_rng(0).beta(3, 1.5, size=(60, 4))
    arguments = (likelihood, np.ones(60), panel, panel.rates)
    native = solve_pool(*arguments, shrinkage=10.0)
    other = solve_pool(*arguments, shrinkage=10.0, solver="cvxpy")
    assert native.status is Status.OPTIMAL
    assert_allclose(other.weights, native.weights, atol=1e-4)


def test_without_labels_the_centre_is_the_answer():
    table, labels = votes(6, labelled=0.0)
    panel = VoterEstimates.from_counts(VoteCounts.from_rows(table, labels, 3))
    prior = np.array([0.5, 0.3, 0.2])
    solution = solve_votes_unlabelled(panel, panel.agreement, prior)
    assert_array_equal(solution.vote_weights, panel.vote_weights)
    assert_array_equal(solution.weights, margins(panel.vote_weights))
    assert_allclose(solution.intercept, np.log(prior))
    pooled = solve_pool_unlabelled(panel, prior)
    positive = np.maximum(solution.weights, 0)
    assert_allclose(pooled.weights, positive / positive.sum())
    for each in (solution, pooled):
        assert each.status is Status.CONVERGED
        assert each.gap == np.inf
        assert each.objective == -panel.label_free.log_likelihood[-1]
        assert each.iterations == len(panel.label_free.log_likelihood)


def test_doubt_is_put_into_words():
    """Where the iteration did not end, people hear of it; else nothing is said."""
    table, labels = votes(7, labelled=0.0)
    panel = VoterEstimates.from_counts(VoteCounts.from_rows(table, labels, 3))
    free = replace(panel.label_free, converged=False)
    solution = solve_votes_unlabelled(
        replace(panel, label_free=free), panel.agreement, panel.rates
    )

    assert solution.status is Status.NOT_CONVERGED
    assert repr(solution) in solution.warning


@pytest.mark.parametrize("labelled", [0.0, 0.5])
def test_model_that_never_answers_has_no_weight(labelled):
    """It is a guess, and the others are as if it were not there."""
    table, labels = votes(8, labelled=labelled)
    silent = np.insert(table, 2, -1, axis=1)
    panels = [
        VoterEstimates.from_counts(VoteCounts.from_rows(each, labels, 3))
        for each in (table, silent)
    ]
    assert_array_equal(panels[1].answers, [True, True, False, True, True])
    assert panels[1].reliability[2] == pytest.approx(1 / 3)
    assert (panels[1].vote_weights[2] == 0).all()
    assert_allclose(np.delete(panels[1].vote_weights, 2, 0), panels[0].vote_weights)
    if labelled:
        for structure in ("shared", "full"):
            assert solved(silent, labels, structure=structure)[0].weights[2] == 0
    nobody = VoterEstimates.from_counts(VoteCounts.from_rows(0 * table - 1, labels, 3))
    pooled = solve_pool_unlabelled(nobody, nobody.rates)
    assert_array_equal(pooled.weights, 0.25)


def test_a_bug_report_needs_one_line():
    table, labels = votes(9)
    solution, panel = solved(table, labels, structure="shared")
    likelihood = np.full((5, 4), 0.5)
    pooled = solve_pool(likelihood, np.ones(5), panel, panel.rates, shrinkage=10.0)
    free = solve_votes_unlabelled(panel, panel.agreement, panel.rates)

    for each, name in ((solution, "shared"), (pooled, "pool"), (free, "full")):
        assert repr(each).startswith(f"<Solution {name} by native: ")
        assert "\n" not in repr(each)
        assert f"{each.iterations} iterations" in repr(each)
