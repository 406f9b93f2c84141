"""Weights of votes from labels, without knowing how far to believe agreement.

Method: the weights are solved for under several priors. Each has its centre (what
agreement suggests, or labelled rows alone, equal weights, no weights, a single model)
and a strength, and each optimum is certified. The mixture weighs them by their
approximate leave-one-out log loss, whose centres do not see the row left out either. It
mixes logits, so that the answer is one set of vote weights. Strength: labels overrule
agreement where it misleads. Limit: leave-one-out is approximate, and its candidates
depend on the labels, so the beliefs are a guide, not a bound.

Exponential weights lose at most ``log(1 / belief) / n`` in mean log loss against the
best candidate, if the candidates do not depend on the labels. The log loss is convex in
the logits, so the loss of the mixture is at most the mean loss of the candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.special import softmax

from stackingnet_sk.weights.problem import UNDEFINED, Certificate, Combination
from stackingnet_sk.weights.shapes import Point, Rates, Table, Weights
from stackingnet_sk.weights.solution import CERTIFIED, Candidate, Solution, Status
from stackingnet_sk.weights.user_constraints import UserConstraints
from stackingnet_sk.weights.vote_prior import Center, log_odds, margins, only_votes
from stackingnet_sk.weights.vote_solve import (
    VoterEstimates,
    allowed_structures,
    solve_structure,
)

# Probability, before any label, that the centre from agreement is the best one, and the
# centre from labelled rows alone; the others share the rest. With each family of tables
# left out in turn (HELM, text, crowd, generated), the log loss of the other families,
# mean at 5, 20 and 100 labels, is least at these values or at 0.98 and 0.01. It is
# within 0.004 of that from 0.77 to 0.98, and from 0.001 to 0.03 for labels.
AGREEMENT = 0.96
LABELS = 0.02
# Strengths of the priors, in pseudo-observations. 50 was chosen on real votes; with 10,
# some twenty labels can contradict the centre.
STRENGTHS = (10.0, 50.0)
# Number of labelled rows, relative to the largest strength, beyond which all priors
# lead to nearly the same weights: they are worth a twentieth of the labels or less.
ENOUGH_LABELS = 20.0 * max(STRENGTHS)
# Number of single models that are centres, the most reliable ones.
_SINGLE_MODELS = 10
# Candidates with less belief are left out, so that few remain to be solved under user
# constraints and to be listed.
LEAST_BELIEF = 1e-3
# Centres under which a matrix per model is tried. With the second, that is logistic
# regression on the votes.
NO_WEIGHTS = "no weights"
_EVERY_STRUCTURE = ("agreement", "labels", NO_WEIGHTS)


class Prior(NamedTuple):
    """A centre, and how far it is believed before any label."""

    center: Center
    belief: float


def possible_priors(panel: VoterEstimates) -> list[Prior]:
    """List the centres: agreement, labels, equal weights, none, and single models."""
    agreement = panel.agreement
    answers = panel.answers * panel.label_free.shares
    size = np.abs(margins(agreement.vote_weights)).sum()
    equal = answers * size / max(float(answers.sum()), 1.0)
    others = [("equal weights", equal, 1.0), (NO_WEIGHTS, 0.0 * equal, 1.0)]
    # A model alone deserves all of its log-odds: it has no errors in common.
    alone = margins(log_odds(panel.confusion))
    ranked = np.sort(alone)[::-1]
    # Ties at the edge are all in, so that the order of the models does not matter.
    least = float(ranked[:_SINGLE_MODELS][-1])
    for model in np.flatnonzero((alone >= least) & (alone > 0)):
        weights = np.zeros(len(alone))
        weights[model] = alone[model]
        # Beside a model that hardly answers, this centre would say "no weights" again.
        belief = float(panel.answered[model])
        others.append((f"model {model} alone", weights, belief))
    share = (1.0 - AGREEMENT - LABELS) / len(others)
    result = [Prior(panel.agreement, AGREEMENT), Prior(panel.labels, LABELS)]
    for name, weights, belief in others:
        evidence = only_votes(weights[:, None, None] * np.eye(len(panel.rates)))
        result.append(Prior(Center(name, evidence), share * belief))
    return result


@dataclass(frozen=True, eq=False)
class MixtureProblem:
    """What a mixture can be certified by: its candidates, each by its own problem."""

    candidates: tuple[Candidate, ...]

    def point_of(self, combination: Combination) -> Point:
        """Return intercepts and vote weights as one vector."""
        assert combination.vote_weights is not None
        parts = [np.asarray(combination.intercept), combination.vote_weights.ravel()]
        if combination.abstention is not None:
            parts.append(combination.abstention.ravel())
        return np.concatenate(parts)

    def certify(self, point: Point) -> Certificate:
        """Recompute the certificate of each candidate, and return the worst.

        A point that is not the mixture of the candidates has no certificate.
        """
        mixed = self.point_of(mix(self.candidates))
        size = np.abs(mixed).max(initial=1.0)
        if len(point) != len(mixed) or np.abs(point - mixed).max() > CERTIFIED * size:
            return UNDEFINED
        parts = [c.solution.recheck() for c in self.candidates]
        beliefs = [candidate.belief for candidate in self.candidates]
        return Certificate(
            max(part.gap for part in parts),
            max(part.residual for part in parts),
            max(part.violation for part in parts),
            float(np.dot(beliefs, [part.objective for part in parts])),
        )


def mix(candidates: tuple[Candidate, ...]) -> Combination:
    """Mix the logits of the candidates by their beliefs."""

    def mean(part: str) -> Any:
        return sum(c.belief * np.asarray(getattr(c.solution, part)) for c in candidates)

    # The models of most candidates add nothing if they abstain.
    abstention: Any = None
    for candidate in candidates:
        part = candidate.solution.abstention
        if part is not None:
            abstention = candidate.belief * part + (
                0.0 if abstention is None else abstention
            )
    return Combination(
        mean("weights"), mean("intercept"), mean("vote_weights"), abstention
    )


def solve_mixture(
    design: Any,
    labelled: Table,
    panel: VoterEstimates,
    class_prior: Rates,
    row_weight: Rates,
    *,
    structure: str = "auto",
    solver: str = "auto",
    user_constraints: UserConstraints | None = None,
) -> Solution:
    """Solve for the weights of votes under log loss, as a mixture over priors.

    Parameters are those of :func:`solve_votes`. The candidates are weighed without the
    user constraints, and then solved under them; a mixture of weights that fulfil
    convex constraints fulfils them. The solution lists its candidates. Its gap is the
    worst of theirs, and its objective and expected error are their means.
    """
    names = allowed_structures(design, labelled.shape[1], structure)
    if structure == "auto" and user_constraints:
        names = names[:1]
    trials = [
        (center, strength, name, belief / len(STRENGTHS) / len(some))
        for center, belief in possible_priors(panel)
        # A centre of one weight per model is tried for one weight per model.
        for some in [names if center.name in _EVERY_STRUCTURE else names[:1]]
        for strength in STRENGTHS
        for name in some
    ]

    def solve(trial: Any, **options: Any) -> Solution:
        center, strength, name, _ = trial
        rows = design, labelled, center, class_prior, row_weight
        return solve_structure(name, *rows, shrinkage=strength, **options)

    solutions = [solve(trial) for trial in trials]
    errors = np.array([solution.expected_error for solution in solutions])
    chances = np.array([prior for *_, prior in trials])
    beliefs = _beliefs(chances, errors, float(labelled.sum()))
    candidates = []
    for trial, solution, belief in zip(trials, solutions, beliefs, strict=True):
        center, strength, name, _ = trial
        if belief >= LEAST_BELIEF:
            if user_constraints is not None or solver != "auto":
                options = {"solver": solver, "user_constraints": user_constraints}
                solution = solve(trial, **options)
            label = f"{center.name}, strength {strength:g}, {name}"
            candidates.append(Candidate(label, float(belief), solution))
    return _mixed(_certified(candidates), panel)


def _certified(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    """Leave out candidates that are not certified, if others are; beliefs sum to one.

    Interior points can end too early for one of many candidates.
    """
    accurate = [c for c in candidates if c.solution.status is not Status.INACCURATE]
    accurate = accurate or candidates
    total = sum(candidate.belief for candidate in accurate)
    return tuple(c._replace(belief=c.belief / total) for c in accurate)


def _beliefs(priors: Weights, errors: Weights, n_rows: float) -> Weights:
    """Weigh candidates by their leave-one-out log loss of all rows, in nats."""
    possible = np.isfinite(errors)
    if not possible.any():
        return priors
    gain = np.where(possible, -n_rows * (errors - errors[possible].min()), -np.inf)
    beliefs: Weights = softmax(np.log(priors) + gain)
    return beliefs


def _mixed(candidates: tuple[Candidate, ...], panel: VoterEstimates) -> Solution:
    """Describe a mixture as one solution, of the structure that is believed most."""
    structures: dict[str, float] = {}
    for candidate in candidates:
        name = candidate.solution.constraint
        structures[name] = structures.get(name, 0.0) + candidate.belief

    def mean(attribute: str) -> float:
        return float(sum(c.belief * getattr(c.solution, attribute) for c in candidates))

    def worst(attribute: str) -> float:
        return float(max(getattr(c.solution, attribute) for c in candidates))

    combination = mix(candidates)
    certified = all(c.solution.status is not Status.INACCURATE for c in candidates)
    return Solution(
        combination.weights,
        combination.intercept,
        mean("objective"),
        worst("gap"),
        worst("residual"),
        sum(c.solution.iterations for c in candidates),
        Status.MIXTURE if certified else Status.INACCURATE,
        max(structures, key=lambda name: structures[name]),
        candidates[0].solution.solver,
        shrinkage=mean("shrinkage"),
        expected_error=mean("expected_error"),
        vote_weights=combination.vote_weights,
        abstention=combination.abstention,
        log_likelihood=panel.label_free.log_likelihood,
        backend=candidates[0].solution.backend,
        violation=worst("violation"),
        problem=MixtureProblem(candidates),
        certificate=worst("certificate"),
        candidates=candidates,
    )
