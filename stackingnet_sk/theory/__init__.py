"""Theoretical limits of what a combination of models can reach.

Each function computes one result; its docstring has the equation, the assumptions and
the source. Arguments outside the domain of the equation raise a ValueError.
"""

from stackingnet_sk.theory.agreement import (
    RankOneFit,
    rank_by_covariance,
    rank_one_departure,
)
from stackingnet_sk.theory.averages import (
    Optimism,
    correlated_error,
    effective_number,
    in_sample_optimism,
    optimal_error,
    optimal_weights,
    uniform_error,
)
from stackingnet_sk.theory.votes import (
    majority_accuracy,
    optimal_vote_accuracy,
    optimal_vote_weights,
    vote_covariance,
)

__all__ = [
    "Optimism",
    "RankOneFit",
    "correlated_error",
    "effective_number",
    "in_sample_optimism",
    "majority_accuracy",
    "optimal_error",
    "optimal_vote_accuracy",
    "optimal_vote_weights",
    "optimal_weights",
    "rank_by_covariance",
    "rank_one_departure",
    "uniform_error",
    "vote_covariance",
]
