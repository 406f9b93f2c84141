"""
A table of predictions, some rows with labels
=============================================

Without members, the columns of `X` are the predictions. Eight made-up judges score
800 items, two of them with a bias; the errors of any two have a correlation of 0.2.
How many labels does it take?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LinearRegression, RidgeCV

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.datasets import make_experts

judges = make_experts(
    800,
    8,
    accuracy=[0.8, 0.75, 0.7, 0.65, 0.6, 0.5, 0.4, 0.3],
    bias=[0, 1, 0, -1, 0, 0, 0, 0],
    correlation=0.2,
    random_state=0,
)
X, truth = judges.X, judges.truth


def best_single(rows):
    """Take the judge who is best on the labelled rows, his bias removed."""
    bias = (X[rows] - truth[rows, None]).mean(axis=0)
    error = ((X[rows] - bias - truth[rows, None]) ** 2).mean(axis=0)
    return (X - bias)[:, np.argmin(error)]


def predictions(rows):
    """Predict all items from the labels of some rows."""
    known = np.where(np.isin(np.arange(len(X)), rows), truth, np.nan)
    return {
        "StackingNet": StackingNetRegressor().fit(X, known).predict(X),
        "least squares": LinearRegression().fit(X[rows], truth[rows]).predict(X),
        "ridge (CV)": RidgeCV(np.logspace(-3, 3, 13))
        .fit(X[rows], truth[rows])
        .predict(X),
        "best single": best_single(rows),
        "average": X.mean(axis=1),
        "constant": np.full(len(X), truth[rows].mean()),
    }


# %%
# Errors are measured on the rows without a label, mean over 20 draws of which rows have
# one. Labels are rows of `y` that are not NaN: the others inform the prior.
budgets = [5, 10, 20, 50, 100, 200, 400]
errors = {}
for n_labels in budgets:
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(len(X))
        rows, others = order[:n_labels], order[n_labels:]
        for name, predicted in predictions(rows).items():
            error = np.mean((predicted[others] - truth[others]) ** 2)
            errors.setdefault(name, {}).setdefault(n_labels, []).append(error)

fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
for name, by_budget in errors.items():
    means = [np.mean(by_budget[n]) for n in budgets]
    width = 3 if name == "StackingNet" else 1.5
    ax.plot(budgets, means, "o-", label=name, linewidth=width)
ax.set(xscale="log", yscale="log", xlabel="labels", ylabel="mean squared error")
ax.set_xticks(budgets, budgets)
ax.minorticks_off()
ax.set_yticks([0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"])
ax.legend()

# %%
# With hundreds of labels and eight judges, least squares has all it needs, and is
# better by a hair: weights of any sign can subtract what all judges get wrong
# together. So can ours, with ``constraint="affine"``.
for name, by_budget in errors.items():
    cells = "".join(f"{np.mean(by_budget[n]):7.3f}" for n in budgets)
    print(f"{name:14s}{cells}")
