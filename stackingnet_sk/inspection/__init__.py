"""Tools over fitted estimators: whom to trust, and what more labels would buy."""

from stackingnet_sk.inspection.label_budget import LabelBudget, label_budget

__all__ = ["LabelBudget", "label_budget"]
