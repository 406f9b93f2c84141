"""Sums of numbers and counts of votes over rows, which can be merged."""

from stackingnet_sk.evidence.answer_patterns import AnswerPatterns
from stackingnet_sk.evidence.block_moments import BlockMoments
from stackingnet_sk.evidence.counts import VoteCounts
from stackingnet_sk.evidence.device_moments import device_moments
from stackingnet_sk.evidence.error_correlation import PairSums, error_correlation
from stackingnet_sk.evidence.extent import Extent
from stackingnet_sk.evidence.imputation import (
    Imputation,
    PredictionModel,
    impute_moments,
)
from stackingnet_sk.evidence.moments import Moments
from stackingnet_sk.evidence.patterns import group_patterns
from stackingnet_sk.evidence.prediction_statistics import (
    ImputedMoments,
    PredictionStatistics,
)

__all__ = [
    "AnswerPatterns",
    "BlockMoments",
    "Extent",
    "Imputation",
    "ImputedMoments",
    "Moments",
    "PairSums",
    "PredictionModel",
    "PredictionStatistics",
    "VoteCounts",
    "device_moments",
    "error_correlation",
    "group_patterns",
    "impute_moments",
]
