"""From votes to weights, certified where there are labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.counts import VoteCounts
from stackingnet_sk.weights.agreement import estimate_voters
from stackingnet_sk.weights.certified import solve_certified
from stackingnet_sk.weights.dawid_skene import DawidSkene
from stackingnet_sk.weights.families import Families
from stackingnet_sk.weights.linear_pool import LinearPoolObjective
from stackingnet_sk.weights.log_loss import LogLossObjective, leave_one_out
from stackingnet_sk.weights.newton import LARGEST_HESSIAN
from stackingnet_sk.weights.pool_problem import PoolProblem
from stackingnet_sk.weights.shapes import Confusion, Rates, Table, VoteWeights, Weights
from stackingnet_sk.weights.solution import Solution, Status
from stackingnet_sk.weights.structures import STRUCTURES, Shared
from stackingnet_sk.weights.user_constraints import UserConstraints
from stackingnet_sk.weights.vote_prior import (
    balanced_accuracy,
    blended_confusion,
    blended_correlation,
    blended_rates,
    common_errors,
    confidence,
    log_odds,
    margins,
)
from stackingnet_sk.weights.votes_problem import VotesProblem


@dataclass(frozen=True, eq=False)
class VoterEstimates:
    """What is known about the voters before any weight is fitted.

    `confusion` is the probability of each vote of a model that answers. `rates` are
    those of the classes, and `answers` tells which models answer at all. `correlation`
    is that of two models' errors, the mean over the pairs. `confidence` is a factor on
    evidence that comes in part from agreement, and `label_free` is the estimate that
    labels were blended with.
    """

    confusion: Confusion
    rates: Rates
    answers: NDArray[np.bool_]
    correlation: float
    confidence: float
    label_free: DawidSkene
    answers_per_row: float = np.inf

    @classmethod
    def from_counts(cls, counts: VoteCounts) -> VoterEstimates:
        """Estimate from votes, labels or not."""
        label_free = estimate_voters(counts)
        answers = np.any(counts.patterns >= 0, axis=0)
        confusion = blended_confusion(counts, label_free)
        # Nothing is known about a model that never answers, so it counts as a guess.
        confusion[~answers] = 1.0 / counts.n_classes
        rates = blended_rates(counts, label_free)
        correlation = blended_correlation(counts, label_free)
        factor = confidence(counts, correlation)
        n_answers = counts.answers_per_row(label_free.shares)
        return cls(
            confusion, rates, answers, correlation, factor, label_free, n_answers
        )

    @property
    def families(self) -> Families:
        """Family of each model; the members of a family are copies of one voter."""
        return self.label_free.families

    @property
    def reliability(self) -> Weights:
        """Balanced accuracy of each model."""
        return balanced_accuracy(self.confusion)

    @property
    def vote_weights(self) -> VoteWeights:
        """Log-odds of votes, discounted for errors in common, times `confidence`."""
        evidence = common_errors(
            log_odds(self.confusion),
            self.correlation,
            self.answers_per_row,
            self.label_free.shares,
        )
        return self.confidence * evidence

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
    def opinion_weights(self) -> VoteWeights:
        """The same as one matrix per model."""
        return self.shares[:, None, None] * np.eye(len(self.rates))


def solve_votes(
    design: Any,
    labelled: Table,
    panel: VoterEstimates,
    center: VoteWeights,
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
    is the centre of the prior, `vote_weights` or `opinion_weights` of the voters, and
    `row_weight` the weight of one row of each class, for leave-one-out. `shrinkage` is
    the strength of the prior in pseudo-observations.

    The structure "auto" is the one with the smaller approximate leave-one-out log loss;
    it is "shared" if "full" has over a thousand coefficients, or if there are user
    constraints. The intercept of the solution includes the logarithm of the class
    prior.
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

    "auto" tries all; only "shared" if a matrix per model has too many coefficients.
    """
    if structure != "auto":
        return [structure]
    size = n_classes + design.shape[1] * n_classes
    return [Shared.name] if size > LARGEST_HESSIAN else list(STRUCTURES)


def solve_structure(
    name: str,
    design: Any,
    labelled: Table,
    center: VoteWeights,
    class_prior: Rates,
    row_weight: Rates,
    *,
    shrinkage: float,
    solver: str = "auto",
    user_constraints: UserConstraints | None = None,
) -> Solution:
    """Solve for the weights of one structure under one prior, see `solve_votes`."""
    structure = STRUCTURES[name](design, labelled.shape[1])
    objective = LogLossObjective(
        structure,
        labelled,
        np.log(class_prior),
        structure.coefficients(center),
        shrinkage,
    )
    problem = VotesProblem(objective)
    solution = solve_certified(problem, user_constraints, solver)
    point = problem.point_of(solution.combination)
    error = leave_one_out(objective, point, row_weight)
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
    panel: VoterEstimates, center: VoteWeights, class_prior: Rates
) -> Solution:
    """Return the weights of votes or of evidence without labels.

    They are the centre of the prior. The objective is the negative log-likelihood of
    all votes. It is a local optimum, which has no duality gap.
    """
    return _label_free(panel, margins(center), center, np.log(class_prior), "full")


def solve_pool_unlabelled(panel: VoterEstimates, class_prior: Rates) -> Solution:
    """Return the weights of the linear opinion pool without labels.

    They are proportional to the log-odds of accuracy, discounted for errors in common.
    """
    intercept = np.zeros(len(class_prior))
    return _label_free(panel, panel.shares, panel.opinion_weights, intercept, "pool")


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
