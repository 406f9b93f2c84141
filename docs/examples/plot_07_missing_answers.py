"""
Missing answers
===============

Judges refuse, fail, or were added last month: holes in the table. Here holes are made
in a panel at random, more and more of them, in the rows to fit and in those to
predict.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.datasets import make_experts

judges = make_experts(
    1000,
    6,
    accuracy=[0.9, 0.85, 0.8, 0.7, 0.6, 0.5],
    bias=[0, 0.5, 0, -0.5, 0, 1],
    correlation=0.2,
    random_state=0,
)
truth, known = judges.truth, np.where(np.arange(1000) < 100, judges.truth, np.nan)


def predictions(X):
    """Predict all items; a hundred rows have a label."""
    with np.errstate(invalid="ignore"):
        mean = np.nansum(X, axis=1) / (~np.isnan(X)).sum(axis=1)
    mean[np.isnan(mean)] = np.nanmean(known)
    ridge = make_pipeline(SimpleImputer(), RidgeCV(np.logspace(-3, 3, 13)))
    return {
        "average of those who answer": mean,
        "column means, then ridge": ridge.fit(X[:100], truth[:100]).predict(X),
        "constant": np.full(1000, np.nanmean(known)),
        "StackingNet": StackingNetRegressor().fit(X, known).predict(X),
    }


# %%
# Weights of those who answer are not renormalized: a judge takes over from its like.
shares = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
errors = {}
for share in shares:
    rng = np.random.default_rng(0)
    X = np.where(rng.random(judges.X.shape) < share, np.nan, judges.X)
    for name, predicted in predictions(X).items():
        error = np.mean((predicted[100:] - truth[100:]) ** 2)
        errors.setdefault(name, []).append(error)

# %%
# ``expected_error`` says beforehand how far off a row may be, given who answers. On the
# right: rows of the table with 40 % holes, in groups of equal expected error.
X = np.where(np.random.default_rng(0).random(judges.X.shape) < 0.4, np.nan, judges.X)
model = StackingNetRegressor().fit(X, known)
expected = model.expected_error(X)[100:]
squared = (model.predict(X)[100:] - truth[100:]) ** 2
groups = np.array_split(np.argsort(expected), 9)

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for name, values in errors.items():
    left.plot(np.multiply(shares, 100), values, "o-", label=name)
left.set(xlabel="answers missing (%)", ylabel="mean squared error", ylim=(0, 1.5))
left.legend(loc="upper left")
right.plot(
    [expected[rows].mean() for rows in groups],
    [squared[rows].mean() for rows in groups],
    "o",
)
right.axline((0.3, 0.3), slope=1, color="gray", linewidth=1)
right.set(xlabel="expected_error, mean of the group", ylabel="squared error")
for name, values in errors.items():
    print(f"{name:30s}" + "".join(f"{value:7.3f}" for value in values))
