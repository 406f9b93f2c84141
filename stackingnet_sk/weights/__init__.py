"""The convex core: moments, constraint sets, certified solutions."""

from stackingnet_sk.weights.answer_patterns import AnswerPatterns
from stackingnet_sk.weights.constraint import ConstraintSet
from stackingnet_sk.weights.counts import VoteCounts
from stackingnet_sk.weights.dawid_skene import DawidSkene, dawid_skene
from stackingnet_sk.weights.device_moments import device_moments
from stackingnet_sk.weights.incomplete import (
    PredictionModel,
    complete,
    due_to_holes,
    solve_pattern,
)
from stackingnet_sk.weights.limits import InfeasibleError, Limits
from stackingnet_sk.weights.linear_pool import LinearPoolObjective
from stackingnet_sk.weights.log_loss import LogLossObjective
from stackingnet_sk.weights.moments import Moments
from stackingnet_sk.weights.objective import StackingObjective
from stackingnet_sk.weights.patterns import group_patterns
from stackingnet_sk.weights.prior import ShrinkagePrior, factor_scores
from stackingnet_sk.weights.reliability import reliability
from stackingnet_sk.weights.solution import Solution, Status
from stackingnet_sk.weights.solve import (
    CONSTRAINTS,
    SOLVERS,
    solve,
    solve_moments,
    solve_unlabelled,
)
from stackingnet_sk.weights.structures import STRUCTURES
from stackingnet_sk.weights.vote_solve import (
    Panel,
    solve_pool,
    solve_pool_unlabelled,
    solve_votes,
    solve_votes_unlabelled,
)

__all__ = [
    "CONSTRAINTS",
    "SOLVERS",
    "STRUCTURES",
    "AnswerPatterns",
    "ConstraintSet",
    "DawidSkene",
    "InfeasibleError",
    "Limits",
    "LinearPoolObjective",
    "LogLossObjective",
    "Moments",
    "Panel",
    "PredictionModel",
    "ShrinkagePrior",
    "Solution",
    "StackingObjective",
    "Status",
    "VoteCounts",
    "complete",
    "dawid_skene",
    "device_moments",
    "due_to_holes",
    "factor_scores",
    "group_patterns",
    "reliability",
    "solve",
    "solve_moments",
    "solve_pattern",
    "solve_pool",
    "solve_pool_unlabelled",
    "solve_unlabelled",
    "solve_votes",
    "solve_votes_unlabelled",
]
