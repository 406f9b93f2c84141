"""Constraint sets, objectives, priors and certified solutions."""

from stackingnet_sk.weights.agreement import estimate_voters
from stackingnet_sk.weights.certified import SOLVERS
from stackingnet_sk.weights.constraint_set import ConstraintSet
from stackingnet_sk.weights.dawid_skene import DawidSkene, dawid_skene
from stackingnet_sk.weights.linear_pool import LinearPoolObjective
from stackingnet_sk.weights.log_loss import LogLossObjective
from stackingnet_sk.weights.missing import error_due_to_missing, solve_pattern
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.prior import ShrinkagePrior, factor_scores
from stackingnet_sk.weights.problem import Certificate
from stackingnet_sk.weights.reliability import reliability
from stackingnet_sk.weights.solution import Candidate, Solution, Status
from stackingnet_sk.weights.solve import (
    CONSTRAINTS,
    UnitsError,
    solve,
    solve_moments,
    solve_unlabelled,
)
from stackingnet_sk.weights.structures import STRUCTURES, Abstaining
from stackingnet_sk.weights.user_constraints import InfeasibleError, UserConstraints
from stackingnet_sk.weights.vote_mixture import ENOUGH_LABELS, solve_mixture
from stackingnet_sk.weights.vote_solve import (
    VoterEstimates,
    solve_pool,
    solve_pool_unlabelled,
    solve_votes,
    solve_votes_unlabelled,
)

__all__ = [
    "CONSTRAINTS",
    "ENOUGH_LABELS",
    "SOLVERS",
    "STRUCTURES",
    "Abstaining",
    "Candidate",
    "Certificate",
    "ConstraintSet",
    "DawidSkene",
    "InfeasibleError",
    "LinearPoolObjective",
    "LogLossObjective",
    "ShrinkagePrior",
    "Solution",
    "StackingObjective",
    "Status",
    "UnitsError",
    "UserConstraints",
    "VoterEstimates",
    "dawid_skene",
    "error_due_to_missing",
    "estimate_voters",
    "factor_scores",
    "reliability",
    "solve",
    "solve_mixture",
    "solve_moments",
    "solve_pattern",
    "solve_pool",
    "solve_pool_unlabelled",
    "solve_unlabelled",
    "solve_votes",
    "solve_votes_unlabelled",
]
