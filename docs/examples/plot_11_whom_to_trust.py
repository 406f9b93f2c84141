"""
Whom to trust, whom to drop
===========================

Four pictures of one panel of made-up judges: weights, errors in common, what dropping
models costs, and what further labels would buy.
"""

import numpy as np

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.datasets import make_experts
from stackingnet_sk.inspection import (
    DependenceDisplay,
    LabelBudgetDisplay,
    PruningDisplay,
    WeightsDisplay,
    next_model,
)

judges = make_experts(
    600,
    7,
    accuracy=[0.85, 0.8, 0.75, 0.75, 0.7, 0.6, 0.4],
    correlation=0.6,
    families=[0, 0, 1, 1, 2, 3, 4],
    n_random=1,
    n_labelled=60,
    as_frame=True,
    random_state=0,
)
model = StackingNetRegressor().fit(judges.X, judges.y)

# %%
# A weight falls when another judge says the same; reliability does not.
WeightsDisplay.from_estimator(model)

# %%
# Judges who err together, in boxes, measured on the sixty labelled rows.
DependenceDisplay.from_estimator(model, judges.X, judges.y)

# %%
# Expected error as the least reliable judges are removed. A short path to the same
# error saves the cost of asking.
PruningDisplay.from_estimator(model)

# %%
print(next_model(model, list(model.model_names_[:3])))

# %%
LabelBudgetDisplay.from_estimator(
    StackingNetRegressor(), judges.X, judges.y, further=[40, 140], random_state=0
)

# %%
# The truth is known here: what the projection stands against, and the rivals.
unlabelled = np.isnan(judges.y)
bias = (judges.X - judges.truth[:, None])[~unlabelled].mean()
alone = ((judges.X - bias).sub(judges.truth, axis=0)[~unlabelled] ** 2).mean()
predicted = {
    "StackingNet": model.predict(judges.X),
    "average": judges.X.mean(axis=1).to_numpy(),
    "best single": judges.X[alone.idxmin()].to_numpy(),
    "constant": np.full(600, judges.y[~unlabelled].mean()),
}
for name, values in predicted.items():
    error = np.mean((values - judges.truth)[unlabelled] ** 2)
    print(f"{name:14s}{error:.3f}")
