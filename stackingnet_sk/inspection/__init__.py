"""Tools over fitted estimators: whom to trust, and what more labels would buy."""

from stackingnet_sk.inspection.dependence import (
    Dependence,
    EffectiveModels,
    dependence,
    effective_models,
)
from stackingnet_sk.inspection.disparity import (
    Disparity,
    Estimate,
    GroupDisparity,
    disparity,
)
from stackingnet_sk.inspection.disparity_display import DisparityDisplay
from stackingnet_sk.inspection.label_budget import LabelBudget, label_budget
from stackingnet_sk.inspection.next_model import MarginalChanges, next_model
from stackingnet_sk.inspection.pruning import PruningPath, ReliabilityPruner, prune
from stackingnet_sk.inspection.ranking import Ranking, rank_models

__all__ = [
    "Dependence",
    "Disparity",
    "DisparityDisplay",
    "EffectiveModels",
    "Estimate",
    "GroupDisparity",
    "LabelBudget",
    "MarginalChanges",
    "PruningPath",
    "Ranking",
    "ReliabilityPruner",
    "dependence",
    "disparity",
    "effective_models",
    "label_budget",
    "next_model",
    "prune",
    "rank_models",
]
