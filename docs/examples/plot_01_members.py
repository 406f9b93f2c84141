"""
Members that are fitted
=======================

Four regressors, cross-predicted and weighed. Ten random splits of the diabetes data
that scikit-learn bundles; the rivals get the same members.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor, StackingRegressor, VotingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, ShuffleSplit, cross_val_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeRegressor

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.inspection import WeightsDisplay

X, y = load_diabetes(return_X_y=True)
members = [
    ("ridge", RidgeCV()),
    ("neighbours", KNeighborsRegressor(10)),
    ("forest", RandomForestRegressor(10, random_state=0)),
    ("tree", DecisionTreeRegressor(max_depth=4, random_state=0)),
]
model = StackingNetRegressor(members).fit(X, y)
WeightsDisplay.from_estimator(model)
print(model.leaderboard())
print(model.solution_)

# %%
# The best single member is chosen by cross-validation on the training rows, as a user
# would; the constant is their mean label.
best_single = GridSearchCV(
    Pipeline([("member", members[0][1])]),
    {"member": [member for _, member in members]},
    scoring="neg_mean_squared_error",
)
rivals = {
    "constant": DummyRegressor(),
    "best single": best_single,
    "VotingRegressor": VotingRegressor(members),
    "StackingRegressor": StackingRegressor(members),
    "StackingNetRegressor": StackingNetRegressor(members),
}
splits = ShuffleSplit(10, test_size=0.3, random_state=0)
errors = {
    name: -cross_val_score(
        rival, X, y, cv=splits, scoring="neg_root_mean_squared_error"
    )
    for name, rival in rivals.items()
}

# %%
# Splits differ more than methods do, so what is drawn is the difference on each
# split. On these data the weights matter little: a ridge alone is not beaten, and the
# two stacking methods are within each other's noise. The average is dragged down by
# the tree.
ours = errors["StackingNetRegressor"]
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
names = [name for name in errors if name not in ("constant", "StackingNetRegressor")]
for row, name in enumerate(names):
    more = errors[name] - ours
    ax.plot(more, np.full(len(more), row), "o", color="tab:blue", alpha=0.4)
    ax.plot(more.mean(), row, "D", color="tab:blue")
ax.axvline(0, color="black", linewidth=1)
ax.set_yticks(range(len(names)), names)
ax.set_xlabel("test RMSE minus that of StackingNetRegressor (diamond: mean)")
for name, error in errors.items():
    print(f"{name:22s} {error.mean():6.2f}")
