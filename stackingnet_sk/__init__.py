"""Combine the predictions of independent models by certified convex optimization."""

from stackingnet_sk._version import __version__
from stackingnet_sk.ensemble import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.predictions import PredictionClipper, PredictionNormalizer

__all__ = [
    "PredictionClipper",
    "PredictionNormalizer",
    "StackingNetClassifier",
    "StackingNetRegressor",
    "__version__",
]
