"""Tools over fitted estimators: whom to trust, and what more labels would buy."""

from stackingnet_sk.inspection.comparison import Comparison, compare
from stackingnet_sk.inspection.dependence import (
    Dependence,
    EffectiveModels,
    dependence,
    effective_models,
)
from stackingnet_sk.inspection.dependence_display import DependenceDisplay
from stackingnet_sk.inspection.disparity import (
    Disparity,
    Estimate,
    GroupDisparity,
    disparity,
)
from stackingnet_sk.inspection.disparity_display import DisparityDisplay
from stackingnet_sk.inspection.frontier import Frontier, frontier
from stackingnet_sk.inspection.frontier_display import FrontierDisplay
from stackingnet_sk.inspection.label_budget import LabelBudget, label_budget
from stackingnet_sk.inspection.label_budget_display import LabelBudgetDisplay
from stackingnet_sk.inspection.next_model import MarginalChanges, next_model
from stackingnet_sk.inspection.pruning import PruningPath, prune
from stackingnet_sk.inspection.pruning_display import PruningDisplay
from stackingnet_sk.inspection.ranking import Ranking, rank_models
from stackingnet_sk.inspection.ranking_display import RankingDisplay
from stackingnet_sk.inspection.regularization import (
    RegularizationPath,
    regularization_path,
)
from stackingnet_sk.inspection.reliability_pruner import ReliabilityPruner
from stackingnet_sk.inspection.weights_display import WeightsDisplay

__all__ = [
    "Comparison",
    "Dependence",
    "DependenceDisplay",
    "Disparity",
    "DisparityDisplay",
    "EffectiveModels",
    "Estimate",
    "Frontier",
    "FrontierDisplay",
    "GroupDisparity",
    "LabelBudget",
    "LabelBudgetDisplay",
    "MarginalChanges",
    "PruningDisplay",
    "PruningPath",
    "Ranking",
    "RankingDisplay",
    "RegularizationPath",
    "ReliabilityPruner",
    "WeightsDisplay",
    "compare",
    "dependence",
    "disparity",
    "effective_models",
    "frontier",
    "label_budget",
    "next_model",
    "prune",
    "rank_models",
    "regularization_path",
]
