"""The estimators."""

from stackingnet_sk.ensemble.classifier import StackingNetClassifier
from stackingnet_sk.ensemble.regressor import StackingNetRegressor

__all__ = ["StackingNetClassifier", "StackingNetRegressor"]
