"""From votes to weights, certified where there are labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.counts import VoteCounts
from stackingnet_sk.weights.agreement import estimate_voters
from stackingnet_sk.weights.certified import solve_certified
from stackingnet_sk.weights.dawid_skene import DawidSkene, FullConfusion
from stackingnet_sk.weights.families import Families
from stackingnet_sk.weights.linear_pool import LinearPoolObjective
from stackingnet_sk.weights.log_loss import LogLossObjective, leave_one_out
from stackingnet_sk.weights.newton import LARGEST_HESSIAN
from stackingnet_sk.weights.pool_problem import PoolProblem
from stackingnet_sk.weights.shapes import (
    Array,
    Confusion,
    Rates,
    Table,
    VoteWeights,
    Weights,
)
from stackingnet_sk.weights.solution import Solution, Status
from stackingnet_sk.weights.structures import STRUCTURES, Abstaining, Full, Shared
from stackingnet_sk.weights.trust import Trust, believed, estimate_trust
from stackingnet_sk.weights.user_constraints import UserConstraints
from stackingnet_sk.weights.vote_prior import (
    Center,
    abstention,
    balanced_accuracy,
    blend,
    blended_correlation,
    blended_rates,
    confidence,
    error_discount,
    log_odds,
    margins,
    only_votes,
)
from stackingnet_sk.weights.votes_problem import VotesProblem

# Number of labelled rows beyond which one of them hardly moves the centre.
MANY_LABELS = 1000.0
# Number of elements of vote weights that are held at once.
_ELEMENTS = 2_000_000


@dataclass(frozen=True, eq=False)
class VoterEstimates:
    """What is known about the voters before any weight is fitted.

    `confusion` is the probability of each vote of a model that answers. `rates` are
    those of the classes, and `answered` is the share of rows that each model answers.
    `correlation` is that of two models' errors, the mean over the pairs. `confidence`
    is a factor on evidence that comes in part from agreement, and `label_free` is the
    estimate that labels were blended with. `labelled` are the labelled votes, and
    `expected` all votes, by model and by true class as far as it is known, see
    :meth:`VoteCounts.joint`; `labelled_rates` and `expected_rates` are the rows of each
    class.
    """

    confusion: Confusion
    rates: Rates
    answered: Weights
    correlation: float
    confidence: float
    label_free: DawidSkene
    answers_per_row: float
    labelled: Confusion
    labelled_rates: Rates
    expected: Confusion
    expected_rates: Rates
    trust: Trust

    @classmethod
    def from_counts(cls, counts: VoteCounts) -> VoterEstimates:
        """Estimate from votes, labels or not."""
        label_free = estimate_voters(counts)
        answered = counts.answered
        labelled = counts.joint(counts.labelled)
        confusion = blend(labelled, label_free.confusion)
        # Nothing is known about a model that never answers, so it counts as a guess.
        confusion[answered == 0] = 1.0 / counts.n_classes
        correlation = blended_correlation(counts, label_free)
        classes = label_free.posterior * counts.unlabelled[:, None] + counts.labelled
        voting = label_free.shares * (answered > 0)
        trust = estimate_trust(labelled, label_free.confusion, voting, correlation)
        return cls(
            confusion,
            blended_rates(counts, label_free),
            answered,
            correlation,
            confidence(counts, correlation),
            label_free,
            counts.answers_per_row(label_free.shares),
            labelled,
            counts.n_labelled,
            counts.joint(classes),
            classes.sum(axis=0),
            trust,
        )

    @property
    def answers(self) -> NDArray[np.bool_]:
        """Whether each model answers at all."""
        answers: NDArray[np.bool_] = self.answered > 0
        return answers

    @property
    def families(self) -> Families:
        """Family of each model; the members of a family are copies of one voter."""
        return self.label_free.families

    @property
    def believed(self) -> Confusion:
        """What is believed of each model: agreement counts as far as it is trusted.

        Weights follow from `confusion` instead, because what matters there are the
        proportions, and labels say how large they are.
        """
        label_free = believed(self.label_free.confusion, self.trust.mean)
        confusion = blend(self.labelled, label_free)
        confusion[~self.answers] = 1.0 / len(self.rates)
        return confusion

    @property
    def reliability(self) -> Weights:
        """Balanced accuracy of each model, as far as it is believed."""
        return balanced_accuracy(self.believed)

    @property
    def vote_weights(self) -> VoteWeights:
        """Log-odds of votes, discounted for errors in common, times `confidence`."""
        return self.agreement.vote_weights

    @property
    def agreement(self) -> Center:
        """The centre from all rows, blended with labels, times `confidence`."""

        def center(confusion: Array, expected: Array, rates: Array) -> Array:
            return self.confidence * self._evidence(confusion, expected, rates)

        def without(votes: Array, label: int) -> Array:
            expected, rates = take_away(
                self.expected, self.expected_rates, votes, label
            )
            labelled, _ = take_away(self.labelled, self.labelled_rates, votes, label)
            label_free, _ = self.label_free.structure.estimate(
                expected, rates, self.label_free.shares
            )
            return center(blend(labelled, label_free), expected, rates)

        evidence = center(self.confusion, self.expected, self.expected_rates)
        return Center("agreement", evidence, without)

    @property
    def labels(self) -> Center:
        """The centre from the labelled rows alone."""

        def center(labelled: Array, rates: Array) -> Array:
            shares = self.label_free.shares
            confusion, _ = FullConfusion().estimate(labelled, rates, shares)
            return self._evidence(confusion, labelled, rates)

        def without(votes: Array, label: int) -> Array:
            return center(*take_away(self.labelled, self.labelled_rates, votes, label))

        return Center("labels", center(self.labelled, self.labelled_rates), without)

    def _evidence(self, confusion: Array, joint: Array, rates: Array) -> Array:
        """Evidence in each answer, discounted for the errors in common of votes."""
        guess = 1.0 / len(self.rates)
        votes = log_odds(np.where(self.answers[:, None, None], confusion, guess))
        scale = error_discount(
            votes, self.correlation, self.answers_per_row, self.label_free.shares
        )
        abstaining = abstention(joint, rates)[..., None, :]
        answers: Array = np.concatenate([votes, abstaining], axis=-2)
        return answers * scale[..., None, None]

    @property
    def shares(self) -> Weights:
        """Weights of opinions, proportional to those of votes and of sum one.

        Opinions are evidence already, so only the proportions matter.
        """
        weights = np.maximum(margins(self.vote_weights), 0.0)
        if not weights.any():
            weights = np.ones(len(weights))
        return weights / float(weights.sum())

    @property
    def opinions(self) -> Center:
        """The centre for opinions: the same as one matrix per model."""
        weights = self.shares[:, None, None] * np.eye(len(self.rates))
        return Center("agreement", only_votes(weights))


def take_away(
    joint: Confusion, rates: Rates, votes: Array, label: int
) -> tuple[Array, Array]:
    """Take rows of a class away, one at a time, from votes and class rates.

    `votes` (n_rows, n_models, n_classes) are one-hot; the results have a first axis of
    n_rows.
    """
    row = np.zeros(len(rates))
    row[label] = 1.0
    left = np.maximum(joint - row[:, None] * votes[:, :, None, :], 0.0)
    rates = np.maximum(rates - row, 0.0)
    return left, np.broadcast_to(rates, (len(votes), len(rates)))


def solve_votes(
    design: Any,
    labelled: Table,
    panel: VoterEstimates,
    center: Center,
    class_prior: Rates,
    row_weight: Rates,
    *,
    shrinkage: float,
    structure: str = "auto",
    solver: str = "auto",
    user_constraints: UserConstraints | None = None,
) -> Solution:
    """Solve for the weights of votes, or of probabilities, under log loss.

    The rows of `design` are votes (one-hot) or the evidence in probabilities, and
    `labelled` (n_rows, n_classes) is the weight of each row with each label. `center`
    is the centre of the prior, `agreement` or `opinions` of the voters, and
    `row_weight` the weight of one row of each class, for leave-one-out. `shrinkage` is
    the strength of the prior in pseudo-observations.

    The structure "auto" is the one with the smallest approximate leave-one-out log
    loss. Structures with over a thousand coefficients are not tried, "abstaining" only
    if a model abstains, and under user constraints only "shared". The intercept of the
    solution includes the logarithm of the class prior.
    """
    names = allowed_structures(design, labelled.shape[1], structure)
    if structure == "auto" and (shrinkage == 0 or user_constraints):
        names = [Shared.name]
    solutions = [
        solve_structure(
            name,
            design,
            labelled,
            center,
            class_prior,
            row_weight,
            shrinkage=shrinkage,
            solver=solver,
            user_constraints=user_constraints,
        )
        for name in names
    ]
    # A tie, or no finite estimate, goes to the simpler structure.
    best = int(np.argmin([solution.expected_error for solution in solutions]))
    log_likelihood = panel.label_free.log_likelihood
    return replace(solutions[best], log_likelihood=log_likelihood)


def allowed_structures(design: Any, n_classes: int, structure: str) -> list[str]:
    """List the structures to try, the simpler one first.

    "auto" tries all that have not too many coefficients, and "abstaining" only for
    votes (a sparse design) of which some are missing.
    """
    if structure != "auto":
        return [structure]
    n_rows, n_votes = design.shape
    n_models = n_votes // n_classes
    complete = isinstance(design, np.ndarray)
    if not complete:
        n_voting = len(np.unique(design.indices // n_classes))
        complete = design.nnz == n_rows * n_voting
    sizes = {
        Shared.name: 0,
        Full.name: n_votes,
        Abstaining.name: np.inf if complete else n_votes + n_models,
    }
    return [
        name
        for name, size in sizes.items()
        if n_classes * (1 + size) <= LARGEST_HESSIAN
    ]


def solve_structure(
    name: str,
    design: Any,
    labelled: Table,
    center: Center,
    class_prior: Rates,
    row_weight: Rates,
    *,
    shrinkage: float,
    solver: str = "auto",
    user_constraints: UserConstraints | None = None,
) -> Solution:
    """Solve for the weights of one structure under one prior, see `solve_votes`."""
    n_classes = labelled.shape[1]
    structure = STRUCTURES[name](design, n_classes)
    start = structure.coefficients(center.evidence)
    objective = LogLossObjective(
        structure, labelled, np.log(class_prior), start, shrinkage
    )
    problem = VotesProblem(objective)
    solution = solve_certified(problem, user_constraints, solver)
    point = problem.point_of(solution.combination)

    def moved(rows: NDArray[np.intp], label: int) -> Table:
        """By how much the centre moves if one of these rows is left out."""
        assert center.without is not None
        votes = design[rows].toarray().reshape(len(rows), -1, n_classes)
        n_parts = 1 + votes.size * n_classes // _ELEMENTS
        centers = [
            structure.coefficients(evidence)
            for part in np.array_split(votes, n_parts)
            for evidence in center.without(part, label)
        ]
        return np.asarray(np.array(centers) - start)

    few = float(labelled.sum()) <= MANY_LABELS
    moves = moved if few and shrinkage > 0 and center.without is not None else None
    error = leave_one_out(objective, point, row_weight, moves)
    return replace(solution, shrinkage=shrinkage, expected_error=error)


def solve_pool(
    likelihood: Table,
    weights: Weights,
    panel: VoterEstimates,
    class_prior: Rates,
    *,
    shrinkage: float,
    solver: str = "auto",
    user_constraints: UserConstraints | None = None,
) -> Solution:
    """Solve for the weights of the linear opinion pool under log loss.

    `likelihood` (n_rows, n_models) is the probability that each model gives to the
    label of each row, and `weights` are those of the rows. Rows to which no model gives
    any probability do not count. A model that abstains counts as if it answered with
    the class prior.
    """
    possible = (weights > 0) & (likelihood.max(axis=1, initial=0.0) > 0)
    if not possible.all():
        likelihood, weights = likelihood[possible], weights[possible]
    unlabelled = solve_pool_unlabelled(panel, class_prior)
    if not len(weights):
        if user_constraints is not None:
            raise ValueError(
                "No labelled row has a model that gives its label any probability, so "
                "there is nothing to weigh under a constraint; label other rows."
            )
        return unlabelled
    center = unlabelled.weights
    objective = LinearPoolObjective(likelihood, weights, center, shrinkage)
    problem = PoolProblem(objective, len(panel.rates))
    solution = solve_certified(problem, user_constraints, solver)
    return replace(
        solution,
        shrinkage=shrinkage,
        log_likelihood=unlabelled.log_likelihood,
    )


def solve_votes_unlabelled(
    panel: VoterEstimates, center: Center, class_prior: Rates
) -> Solution:
    """Return the weights of votes or of evidence without labels.

    They are the centre of the prior. The objective is the negative log-likelihood of
    all votes. It is a local optimum, which has no duality gap.
    """
    vote_weights = center.vote_weights
    intercept = np.log(class_prior)
    return _label_free(panel, margins(vote_weights), vote_weights, intercept, "full")


def solve_pool_unlabelled(panel: VoterEstimates, class_prior: Rates) -> Solution:
    """Return the weights of the linear opinion pool without labels.

    They are proportional to the log-odds of accuracy, discounted for errors in common.
    """
    intercept = np.zeros(len(class_prior))
    return _label_free(
        panel, panel.shares, panel.opinions.vote_weights, intercept, "pool"
    )


def _label_free(
    panel: VoterEstimates,
    weights: Weights,
    vote_weights: VoteWeights,
    intercept: Rates,
    name: str,
) -> Solution:
    log_likelihood = panel.label_free.log_likelihood
    converged = panel.label_free.converged
    return Solution(
        weights,
        intercept,
        objective=-float(log_likelihood[-1]),
        gap=np.inf,
        residual=np.inf,
        iterations=len(log_likelihood),
        status=Status.CONVERGED if converged else Status.NOT_CONVERGED,
        constraint=name,
        solver="native",
        vote_weights=vote_weights,
        log_likelihood=log_likelihood,
    )
