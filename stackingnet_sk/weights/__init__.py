"""The convex core: moments, constraint sets, certified solutions."""

from stackingnet_sk.weights.constraint import ConstraintSet
from stackingnet_sk.weights.moments import Moments
from stackingnet_sk.weights.objective import StackingObjective
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

__all__ = [
    "CONSTRAINTS",
    "SOLVERS",
    "ConstraintSet",
    "Moments",
    "ShrinkagePrior",
    "Solution",
    "StackingObjective",
    "Status",
    "factor_scores",
    "reliability",
    "solve",
    "solve_moments",
    "solve_unlabelled",
]
