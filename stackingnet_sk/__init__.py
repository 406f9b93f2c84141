"""Combine the predictions of independent models by certified convex optimization."""

from stackingnet_sk._version import __version__
from stackingnet_sk.ensemble import StackingNetRegressor
from stackingnet_sk.predictions import PredictionClipper, PredictionNormalizer

__all__ = [
    "PredictionClipper",
    "PredictionNormalizer",
    "StackingNetRegressor",
    "__version__",
]
