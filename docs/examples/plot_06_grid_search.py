"""
Tuning in GridSearchCV
======================

Parameters of members and of the combination in one search. With ``memory=`` each
member is fitted once for each fold and each of its own parameters; parameters of the
combination cost milliseconds.
"""

from tempfile import TemporaryDirectory
from time import perf_counter

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor

from stackingnet_sk import StackingNetRegressor

X, y = load_diabetes(return_X_y=True)
members = [
    ("ridge", RidgeCV()),
    ("neighbours", KNeighborsRegressor()),
    ("trees", ExtraTreesRegressor(10, min_samples_leaf=3, random_state=0)),
]
grid = {
    "neighbours__n_neighbors": [5, 20],
    "constraint": ["nonnegative", "simplex"],
    "shrinkage": ["auto", 0],
}


def search(memory):
    return GridSearchCV(
        StackingNetRegressor(members, cv=3, memory=memory),
        grid,
        cv=3,
        scoring="neg_root_mean_squared_error",
    )


# %%
# The search with the cache and without it give the same scores.
seconds = {}
with TemporaryDirectory() as folder:
    begin = perf_counter()
    cached = search(folder).fit(X, y)
    seconds["with memory="] = perf_counter() - begin
begin = perf_counter()
plain = search(None).fit(X, y)
seconds["without"] = perf_counter() - begin
scores = [found.cv_results_["mean_test_score"] for found in (cached, plain)]
assert (scores[0] == scores[1]).all()
print(cached.best_params_)

# %%
# The larger part of the time is spent on members, which the cache fits once. On these
# data the choices matter less than the folds do (bars: standard deviation over folds).
results = pd.DataFrame(cached.cv_results_).sort_values("mean_test_score")
labels = [
    f"k={row.param_neighbours__n_neighbors}, {row.param_constraint}, "
    f"shrinkage={row.param_shrinkage}"
    for row in results.itertuples()
]
fig, (left, right) = plt.subplots(
    1, 2, figsize=(9, 3.5), width_ratios=[2, 1], layout="constrained"
)
left.errorbar(
    -results["mean_test_score"], labels, xerr=results["std_test_score"], fmt="o"
)
left.set_xlabel("RMSE in cross-validation")
bars = right.barh(list(seconds), list(seconds.values()))
right.bar_label(bars, fmt="%.2f s", padding=3)
right.margins(x=0.3)
right.set_xlabel("time of the search")
