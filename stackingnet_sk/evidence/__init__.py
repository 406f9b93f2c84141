"""What rows say, as sums of numbers and counts of votes that can be merged."""

from stackingnet_sk.evidence.answer_patterns import AnswerPatterns
from stackingnet_sk.evidence.counts import VoteCounts
from stackingnet_sk.evidence.device_moments import device_moments
from stackingnet_sk.evidence.imputation import (
    Imputation,
    PredictionModel,
    impute_moments,
)
from stackingnet_sk.evidence.moments import Moments
from stackingnet_sk.evidence.patterns import group_patterns

__all__ = [
    "AnswerPatterns",
    "Imputation",
    "Moments",
    "PredictionModel",
    "VoteCounts",
    "device_moments",
    "group_patterns",
    "impute_moments",
]
