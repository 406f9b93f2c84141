"""What the classifier computes from votes, and what makes no difference to it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, softmax
from sklearn.base import clone

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.weights import Status

ACCURACY = (0.9, 0.8, 0.7, 0.6, 0.5)


def panel(seed=0, n_rows=300, accuracy=ACCURACY, n_classes=3, silence=0.0):
    """Votes of independent models, NaN where one is silent, and the truth.

    A wrong vote is any other class with the same probability.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_rows)
    right = rng.random((n_rows, len(accuracy))) < np.array(accuracy)
    others = truth[:, None] + rng.integers(1, n_classes, size=right.shape)
    votes = np.where(right, truth[:, None], others % n_classes).astype(float)
    votes[rng.random(votes.shape) < silence] = np.nan
    return votes, truth


def with_few_labels(truth, n_labelled=30):
    return np.where(np.arange(len(truth)) < n_labelled, truth, np.nan)


@pytest.fixture
def votes():
    return panel(silence=0.15)[0]


@pytest.fixture
def truth():
    return panel(silence=0.15)[1]


@pytest.fixture(params=["many", "few", "none"])
def labels(request, truth):
    return {"many": truth, "few": with_few_labels(truth), "none": None}[request.param]


each_structure = pytest.mark.parametrize("structure", ["shared", "full", "auto"])
each_class_weight = pytest.mark.parametrize(
    "class_weight", [None, "balanced", {0: 1.0, 1: 2.0, 2: 5.0}], ids=str
)


def scores_by_hand(model, votes):
    """The formula of the class docstring, row by row and vote by vote."""
    scores = np.tile(model.intercept_, (len(votes), 1))
    place = {label: k for k, label in enumerate(model.classes_.tolist())}
    for i, m in np.ndindex(votes.shape):
        if votes[i, m] in place:
            scores[i] += model.vote_weights_[m, place[votes[i, m]]]
        else:
            scores[i] += model.abstention_weights_[m]
    return scores


# ------------------------------------------------------------- weights to predictions


@each_structure
@each_class_weight
def test_probabilities_are_the_softmax_of_added_votes(
    votes, labels, structure, class_weight
):
    """The fitted attributes are all there is: who has them can leave the package."""
    model = StackingNetClassifier(structure=structure, class_weight=class_weight)
    model.fit(votes, labels)
    answered = ~np.isnan(votes).all(axis=1)

    expected = softmax(scores_by_hand(model, votes[answered]), axis=1)
    assert_allclose(model.predict_proba(votes[answered]), expected, atol=1e-8)


@pytest.mark.parametrize("seed", range(60))
def test_the_prediction_is_the_arg_max_on_thousands_of_tables(seed):
    """Small panels, few labels and silence make ties common: a third of these rows."""
    rng = np.random.default_rng(seed)
    n_classes, n_models, n_rows = rng.integers([2, 1, 1], [5, 6, 12])

    def table():
        drawn = rng.integers(-1, n_classes, size=(n_rows, n_models))
        return np.where(drawn < 0, np.nan, drawn)

    y = [None, rng.integers(n_classes, size=n_rows)][seed % 2]
    model = StackingNetClassifier(
        classes=range(n_classes),
        structure=["auto", "shared", "full"][rng.integers(3)],
        class_weight=[None, "balanced"][rng.integers(2)],
    ).fit(table(), y)

    for _ in range(50):
        unseen = table()
        probabilities = model.predict_proba(unseen)
        assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
        prediction = model.predict(unseen)
        assert_array_equal(prediction, np.argmax(probabilities, axis=1))
        scores = model.decision_function(unseen)
        if n_classes == 2:
            assert_array_equal(prediction, scores > 0)
        else:
            assert_array_equal(prediction, scores.argmax(axis=1))


def test_decision_function_is_the_logarithm(votes, truth):
    model = StackingNetClassifier().fit(votes, truth)
    assert_allclose(softmax(model.decision_function(votes), axis=1).sum(axis=1), 1.0)
    assert_allclose(np.exp(model.decision_function(votes)), model.predict_proba(votes))

    two = truth < 2
    votes = np.where(votes < 2, votes, np.nan)
    model = StackingNetClassifier().fit(votes[two], truth[two])
    odds = model.predict_proba(votes)
    assert_allclose(model.decision_function(votes), np.log(odds[:, 1] / odds[:, 0]))


# ----------------------------------------------------------------------- known optima


@pytest.mark.parametrize("structure", ["shared", "full"])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0, 1: 1.0}], ids=str)
def test_one_voter_without_a_prior_is_calibrated(structure, class_weight):
    """Two free numbers for two kinds of rows: the optimum is each row's frequency."""
    votes, truth = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [60, 20, 30, 90], 0).T
    model = StackingNetClassifier(
        shrinkage=0, structure=structure, class_weight=class_weight
    ).fit(votes[:, None], truth)

    omega = {
        "None": [1, 1],
        "balanced": [200 / (2 * 90), 200 / (2 * 110)],
    }.get(str(class_weight), [3, 1])
    counts = np.array([[60, 20], [30, 90]]) * omega
    expected = counts / counts.sum(axis=1, keepdims=True)
    assert_allclose(model.predict_proba([[0], [1]]), expected, atol=1e-7)


@each_structure
@pytest.mark.parametrize("shrinkage", [0.5, 50.0, "auto"])
def test_intercepts_satisfy_their_optimality_condition(
    votes, truth, structure, shrinkage
):
    """``sum_i (p_ik - y_ik) + kappa b_k = 0`` where b is less the logarithm of the
    class prior: the gradient of the stated objective, from public attributes alone.
    """
    model = StackingNetClassifier(structure=structure, shrinkage=shrinkage)
    model.fit(votes, truth)
    hits = (votes[:, :, None] == np.arange(3)).astype(float)
    mixed = [candidate.solution for candidate in model.solution_.candidates]
    for solution in mixed or [model.solution_]:
        scores = np.einsum("ima,mak->ik", hits, solution.vote_weights)
        if solution.abstention is not None:
            scores += (1 - hits.sum(axis=2)) @ solution.abstention
        slopes = softmax(scores + solution.intercept, axis=1) - np.eye(3)[truth]
        b = solution.intercept - np.log(model.class_prior_)
        pull = solution.shrinkage * b
        assert_allclose(slopes.sum(axis=0) + pull, np.zeros(3), atol=1e-6)


@pytest.mark.parametrize("structure", ["shared", "full"])
def test_the_looser_the_prior_the_better_the_fit(votes, truth, structure):
    """A penalized optimum trades the loss against the prior, monotonically."""

    def loss(strength):
        model = StackingNetClassifier(structure=structure, shrinkage=strength)
        scores = scores_by_hand(model.fit(votes, truth), votes)
        return -log_softmax(scores, axis=1)[np.arange(len(truth)), truth].mean()

    losses = [loss(strength) for strength in (0.1, 1, 10, 100, 1e4, 1e9)]
    assert (np.diff(losses) > -1e-10).all()
    assert losses[0] < losses[-1]


@pytest.mark.parametrize("structure", ["shared", "full"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("labels", ["many", "few"], indirect=True)
def test_cvxpy_finds_the_same_weights(votes, labels, structure, class_weight):
    """It shares no line with the native solver."""
    native, other = (
        StackingNetClassifier(
            structure=structure,
            class_weight=class_weight,
            solver=solver,
            shrinkage=50.0,
        ).fit(votes, labels)
        for solver in ("auto", "cvxpy")
    )

    assert (native.solution_.solver, other.solution_.solver) == ("native", "cvxpy")
    assert_allclose(other.vote_weights_, native.vote_weights_, atol=1e-5)
    assert_allclose(other.intercept_, native.intercept_, atol=1e-5)


@each_structure
@pytest.mark.parametrize("labels", ["many", "few"], indirect=True)
def test_the_answer_is_certified(votes, labels, structure):
    solution = StackingNetClassifier(structure=structure).fit(votes, labels).solution_

    assert solution.status is Status.MIXTURE
    assert {c.solution.status for c in solution.candidates} == {Status.OPTIMAL}
    assert solution.gap < 1e-12
    assert solution.warning is None


# ------------------------------------------------------------------------- structure


def test_shared_weights_are_one_number_a_model(votes, truth):
    """At least zero: a model that runs against the truth is left out."""
    table = np.column_stack([votes, (truth + 1) % 3])
    model = StackingNetClassifier(structure="shared").fit(table, truth)

    assert (model.weights_ >= 0).all()
    assert model.weights_[-1] == 0 < model.weights_[0]
    identity = model.weights_[:, None, None] * np.eye(3)
    # The margin of w times the identity is w up to rounding.
    assert_allclose(model.vote_weights_, identity, rtol=1e-14)


def test_full_weights_turn_a_contrarian_around(votes, truth):
    """Who is always wrong in the same way is as good as who is always right."""
    weak = votes[:, 3:]
    model = StackingNetClassifier(structure="full")
    alone = clone(model).fit(weak, truth)
    table = np.column_stack([weak, (truth + 1) % 3])
    informed = clone(model).fit(table, truth)

    assert informed.weights_[-1] < 0
    assert informed.score(table, truth) == 1.0 > alone.score(weak, truth)


def test_auto_takes_matrices_where_models_take_one_class_for_another():
    """What one weight a model cannot say; it is the fit of that structure."""
    votes, truth = panel(n_rows=2000, accuracy=(0.8, 0.8, 0.8))
    votes = votes.copy()
    votes[:, 0] = np.where(truth == 2, 0, truth)
    votes[:, 1] = np.where(truth == 0, 1, truth)
    model = StackingNetClassifier().fit(votes, truth)

    assert model.structure_ == "full"
    same = StackingNetClassifier(structure="full").fit(votes, truth)
    assert_array_equal(model.vote_weights_, same.vote_weights_)


# ---------------------------------------------------------------------- class weights


def test_class_weight_counts_only_in_proportion(votes, labels):
    """It says how classes compare, not how many rows there are."""
    given = {0: 0.5, 2: 3.0}
    model = StackingNetClassifier(class_weight=given).fit(votes, labels)
    full = {0: 5.0, 1: 10.0, 2: 30.0}
    scaled = StackingNetClassifier(class_weight=full).fit(votes, labels)

    assert_allclose(scaled.vote_weights_, model.vote_weights_, atol=1e-9)
    assert_allclose(scaled.intercept_, model.intercept_, atol=1e-9)


def test_balanced_classes_need_no_balancing():
    rows, _ = panel(n_rows=300)
    truth = np.arange(300) % 3
    votes = (rows + (truth - panel(n_rows=300)[1])[:, None]) % 3
    plain = StackingNetClassifier().fit(votes, truth)
    balanced = StackingNetClassifier(class_weight="balanced").fit(votes, truth)

    assert_allclose(balanced.vote_weights_, plain.vote_weights_, atol=1e-3)
    assert_allclose(balanced.intercept_, plain.intercept_, atol=1e-3)


def test_class_weight_governs_the_prior_in_force(votes, labels):
    """Equal for "balanced"; else the rates of the classes times their weights."""
    rates = StackingNetClassifier().fit(votes, labels).class_prior_
    given = {0: 1.0, 1: 2.0, 2: 5.0}
    weighted = StackingNetClassifier(class_weight=given).fit(votes, labels)
    balanced = StackingNetClassifier(class_weight="balanced").fit(votes, labels)

    assert_allclose(balanced.class_prior_, np.full(3, 1 / 3), rtol=1e-12)
    expected = rates * [1, 2, 5] / (rates @ [1, 2, 5])
    assert_allclose(weighted.class_prior_, expected, rtol=1e-12)


def test_balancing_raises_balanced_accuracy_where_a_class_is_rare():
    """What the parameter is for, on rows that were not seen."""
    recall = []
    for seed in range(10):
        votes, truth = panel(seed, 4000, (0.75, 0.7, 0.65), 2)
        kept = (truth == 0) | (np.arange(4000) % 10 == 0)
        votes, truth = votes[kept], truth[kept]
        own, test = slice(0, None, 2), slice(1, None, 2)
        models = (StackingNetClassifier(class_weight=w) for w in (None, "balanced"))
        hits = [m.fit(votes[own], truth[own]).predict(votes[test]) for m in models]
        right = [hit == truth[test] for hit in hits]
        recall.append(
            [np.mean([r[truth[test] == k].mean() for k in (0, 1)]) for r in right]
        )
    plain, balanced = np.mean(recall, axis=0)

    assert balanced > plain + 0.05


# ------------------------------------------------------------------ fitted attributes


@each_structure
def test_shapes_and_ranges_of_what_is_fitted(votes, labels, structure):
    model = StackingNetClassifier(structure=structure).fit(votes, labels)

    assert model.classes_.tolist() == [0, 1, 2]
    assert model.weights_.shape == model.reliability_.shape == (5,)
    assert model.vote_weights_.shape == model.confusion_.shape == (5, 3, 3)
    assert model.intercept_.shape == model.class_prior_.shape == (3,)
    assert_allclose(model.confusion_.sum(axis=2), 1.0)
    assert (model.confusion_ > 0).all()
    assert model.class_prior_.sum() == pytest.approx(1.0, rel=1e-12)
    assert model.structure_ in ("shared", "full")
    diagonal = model.confusion_.diagonal(axis1=1, axis2=2)
    assert_allclose(model.reliability_, diagonal.mean(axis=1), rtol=1e-12)
    lift = model.vote_weights_.trace(axis1=1, axis2=2) * 1.5
    lift -= model.vote_weights_.sum(axis=(1, 2)) / 2
    # By how much a vote raises its class above the mean of the others, over classes.
    assert_allclose(model.weights_, lift / 3, atol=1e-12)


def test_n_answers_counts_those_who_speak(votes, truth):
    model = StackingNetClassifier().fit(votes, truth)

    assert_array_equal(model.n_answers(votes), (~np.isnan(votes)).sum(axis=1))
