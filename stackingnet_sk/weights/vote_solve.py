"""From votes to certified weights; without labels, to weights all the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.counts import VoteCounts
from stackingnet_sk.weights.certified import solve_certified
from stackingnet_sk.weights.dawid_skene import DawidSkene, dawid_skene
from stackingnet_sk.weights.linear_pool import LinearPoolObjective
from stackingnet_sk.weights.log_loss import LogLossObjective, leave_one_out
from stackingnet_sk.weights.newton import LARGEST_HESSIAN
from stackingnet_sk.weights.pool_problem import PoolProblem
from stackingnet_sk.weights.problem import Combination
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
    """What is known of the voters before any weight is fitted.

    Parameters
    ----------
    confusion : ndarray of shape (n_models, n_classes, n_classes)
        Entry ``[m, k, a]``: probability that model m, when it answers, votes for class
        a on an item of class k.
    rates : ndarray of shape (n_classes,)
        Rates of the classes.
    answers : ndarray of bool of shape (n_models,)
        Which models answer at all.
    correlation : float
        Correlation of two models' errors, mean over the pairs.
    confidence : float
        Factor on evidence that is partly from agreement.
    label_free : DawidSkene
        The estimate that labels were blended with.
    """

    confusion: NDArray[np.float64]
    rates: NDArray[np.float64]
    answers: NDArray[np.bool_]
    correlation: float
    confidence: float
    label_free: DawidSkene

    @classmethod
    def from_counts(cls, counts: VoteCounts) -> VoterEstimates:
        """Estimate from votes, labels or not."""
        free = dawid_skene(counts)
        answers = np.any(counts.patterns >= 0, axis=0)
        confusion = blended_confusion(counts, free)
        # Nothing is known about a model that never answers, so it counts as a guess.
        confusion[~answers] = 1.0 / counts.n_classes
        rates = blended_rates(counts, free)
        correlation = blended_correlation(counts, free)
        trust = confidence(counts, correlation)
        return cls(confusion, rates, answers, correlation, trust, free)

    @property
    def reliability(self) -> NDArray[np.float64]:
        """Balanced accuracy of each model."""
        return balanced_accuracy(self.confusion)

    @property
    def vote_weights(self) -> NDArray[np.float64]:
        """Log-odds of the votes, errors in common discounted, as far as believed."""
        evidence = common_errors(log_odds(self.confusion), self.correlation)
        return self.confidence * evidence

    @property
    def shares(self) -> NDArray[np.float64]:
        """Weights of opinions that are evidence already: in proportion, sum one."""
        weights = np.maximum(margins(self.vote_weights), 0.0)
        if not weights.any():
            weights = np.ones(len(weights))
        return weights / float(weights.sum())

    @property
    def opinion_weights(self) -> NDArray[np.float64]:
        """The same as a matrix a model."""
        return _scaled_identity(self.shares, len(self.rates))


def solve_votes(
    design: Any,
    labelled: NDArray[np.float64],
    panel: VoterEstimates,
    center: NDArray[np.float64],
    class_prior: NDArray[np.float64],
    row_weight: NDArray[np.float64],
    *,
    shrinkage: float,
    structure: str = "auto",
    solver: str = "auto",
    user_constraints: UserConstraints | None = None,
) -> Solution:
    """Weights of votes, or of probabilities, under log loss.

    Parameters
    ----------
    design : array or sparse array of shape (n_rows, n_models * n_classes)
        Labelled rows of votes (one-hot) or of the evidence in probabilities,
        model-major.
    labelled : ndarray of shape (n_rows, n_classes)
        Weight of each row with each label.
    panel : VoterEstimates
        What agreement says of the models.
    center : ndarray of shape (n_models, n_classes, n_classes)
        Where the prior is centred: the panel's `vote_weights` or `opinion_weights`.
    class_prior : ndarray of shape (n_classes,)
        Class prior in force.
    row_weight : ndarray of shape (n_classes,)
        Weight of a single row of each class, for leave-one-out.
    shrinkage : float
        Strength of the prior in pseudo-observations.
    structure : {"shared", "full", "auto"}, default="auto"
        One weight a model, or a matrix; "auto" takes the one of less approximate
        leave-one-out log loss, and "shared" where "full" has over a thousand
        coefficients.
    solver : {"auto", "cvxpy"}, default="auto"
        The native solver, or an independent one.
    user_constraints : UserConstraints, default=None
        The user's constraints; "auto" is "shared" then.

    Returns
    -------
    Solution
        Its intercept includes the logarithm of the class prior.
    """
    n_classes = labelled.shape[1]
    names = [structure] if structure != "auto" else list(STRUCTURES)
    size = n_classes + design.shape[1] * n_classes
    if structure == "auto" and (
        size > LARGEST_HESSIAN or shrinkage == 0 or user_constraints
    ):
        names = [Shared.name]
    solutions = []
    errors = []
    for name in names:
        structure_of_name = STRUCTURES[name](design, n_classes)
        objective = LogLossObjective(
            structure_of_name,
            labelled,
            np.log(class_prior),
            structure_of_name.coefficients(center),
            shrinkage,
        )
        problem = VotesProblem(objective)
        solution = solve_certified(problem, user_constraints, solver)
        combination = Combination(
            solution.weights, solution.intercept, solution.vote_weights
        )
        point = problem.point_of(combination)
        solutions.append(solution)
        errors.append(leave_one_out(objective, point, row_weight))
    # A tie, or no finite estimate, goes to the simpler structure.
    best = int(np.argmin(errors))
    return replace(
        solutions[best],
        shrinkage=shrinkage,
        expected_error=errors[best],
        log_likelihood=panel.label_free.log_likelihood,
    )


def solve_pool(
    likelihood: NDArray[np.float64],
    weights: NDArray[np.float64],
    panel: VoterEstimates,
    class_prior: NDArray[np.float64],
    *,
    shrinkage: float,
    solver: str = "auto",
    user_constraints: UserConstraints | None = None,
) -> Solution:
    """Weights of the linear opinion pool under log loss.

    Parameters
    ----------
    likelihood : ndarray of shape (n_rows, n_models)
        Probability that each model gives to the label of each row.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    panel : VoterEstimates
        Where the prior is centred.
    class_prior : ndarray of shape (n_classes,)
        Class prior in force; what a silent model is taken to say.
    shrinkage : float
        Strength of the prior in pseudo-observations.
    solver : {"auto", "cvxpy"}, default="auto"
        The native solver, or an independent one.
    user_constraints : UserConstraints, default=None
        The user's constraints.

    Returns
    -------
    Solution
        Rows to which no model gives any probability don't count.
    """
    possible = (weights > 0) & (likelihood.max(axis=1, initial=0.0) > 0)
    if not possible.all():
        likelihood, weights = likelihood[possible], weights[possible]
    free = solve_pool_unlabelled(panel, class_prior)
    if not len(weights):
        if user_constraints is not None:
            raise ValueError(
                "No labelled row has a model that gives its label any probability, so "
                "there is nothing to weigh under a constraint; label other rows."
            )
        return free
    objective = LinearPoolObjective(likelihood, weights, free.weights, shrinkage)
    problem = PoolProblem(objective, len(panel.rates))
    solution = solve_certified(problem, user_constraints, solver)
    return replace(
        solution,
        shrinkage=shrinkage,
        log_likelihood=free.log_likelihood,
    )


def solve_votes_unlabelled(
    panel: VoterEstimates, center: NDArray[np.float64], class_prior: NDArray[np.float64]
) -> Solution:
    """Weights of votes or of evidence without labels: the centre of the prior.

    Parameters
    ----------
    panel : VoterEstimates
        What agreement says of the models.
    center : ndarray of shape (n_models, n_classes, n_classes)
        As in :func:`solve_votes`.
    class_prior : ndarray of shape (n_classes,)
        Class prior in force.

    Returns
    -------
    Solution
        Its objective is the negative log-likelihood of all votes; a local optimum
        has no duality gap.
    """
    return _label_free(panel, margins(center), center, np.log(class_prior), "full")


def solve_pool_unlabelled(
    panel: VoterEstimates, class_prior: NDArray[np.float64]
) -> Solution:
    """Weights of the linear opinion pool without labels.

    Parameters
    ----------
    panel : VoterEstimates
        What agreement says of the models.
    class_prior : ndarray of shape (n_classes,)
        Class prior in force; what a silent model is taken to say.

    Returns
    -------
    Solution
        Weights in proportion to the log-odds of accuracy, errors in common discounted.
    """
    nothing = np.zeros(len(class_prior))
    spread = panel.opinion_weights
    return _label_free(panel, panel.shares, spread, nothing, "pool")


def _label_free(
    panel: VoterEstimates,
    weights: NDArray[np.float64],
    vote_weights: NDArray[np.float64],
    intercept: NDArray[np.float64],
    name: str,
) -> Solution:
    free = panel.label_free
    return Solution(
        weights,
        intercept,
        -float(free.log_likelihood[-1]),
        np.inf,
        np.inf,
        len(free.log_likelihood),
        Status.CONVERGED if free.converged else Status.NOT_CONVERGED,
        name,
        "native",
        0.0,
        np.nan,
        vote_weights,
        free.log_likelihood,
    )


def _scaled_identity(
    weights: NDArray[np.float64], n_classes: int
) -> NDArray[np.float64]:
    return weights[:, None, None] * np.eye(n_classes)
