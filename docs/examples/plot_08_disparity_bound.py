"""
A bound on disparity
====================

Two groups of items; some judges are harsher on one of them. A limit on the gap
between the groups' mean residuals joins the objective; the frontier shows what it
costs.
"""

import matplotlib.pyplot as plt
import numpy as np

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.constraints import bounded_disparity
from stackingnet_sk.inspection import FrontierDisplay, frontier

rng = np.random.default_rng(0)
truth = rng.normal(5, 1, size=600)
group = rng.choice(["north", "south"], size=600)
# The two most precise judges are harsh on the south.
harsh = np.array([0.6, 0.4, 0.0, 0.0, -0.1])
noise = rng.normal(size=(600, 5)) * [0.4, 0.5, 0.8, 1.0, 1.2]
judges = truth[:, None] + noise - (group == "south")[:, None] * harsh
fit, test = slice(300), slice(300, None)

# %%
# Fitted on half of the rows, measured on the other half; the groups are needed for the
# fit only. Beside it the plain average, its bias removed, and the best single judge.


def gap_and_error(predicted):
    residual = predicted - truth[test]
    north, south = (residual[group[test] == name].mean() for name in ("north", "south"))
    return abs(north - south), np.mean(residual**2)


points = {}
for epsilon in (np.inf, 0.2, 0.1, 0.02):
    limits = "nonnegative" if epsilon == np.inf else bounded_disparity(epsilon)
    model = StackingNetRegressor(constraint=limits)
    model.fit(judges[fit], truth[fit], sensitive_features=group[fit])
    name = "no limit" if epsilon == np.inf else f"limit {epsilon}"
    points[name] = gap_and_error(model.predict(judges[test]))
    print(f"{name:10s}", model.weights_.round(2), model.solution_.status.value)
bias = (judges[fit] - truth[fit, None]).mean(axis=0)
points["average"] = gap_and_error((judges - bias)[test].mean(axis=1))
points["best single"] = gap_and_error((judges - bias)[test, 0])

fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, (gap, error) in points.items():
    ax.plot(gap, error, "o" if "limit" in name else "s")
    ax.annotate(name, (gap, error), xytext=(6, 4), textcoords="offset points")
ax.set(xlabel="gap between the groups, test rows", ylabel="mean squared error")
ax.set_xlim(0, 0.65)
ax.margins(y=0.1)

# %%
# `frontier` does the like out of fold, with the standard error of the change. The limit
# binds on the rows that are fitted; on new rows a gap of the size of the noise remains.
found = frontier(StackingNetRegressor(), judges, truth, sensitive_features=group)
print(found)
FrontierDisplay(found).plot()
