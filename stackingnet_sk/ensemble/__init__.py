"""The estimators."""

from stackingnet_sk.ensemble.regressor import StackingNetRegressor

__all__ = ["StackingNetRegressor"]
