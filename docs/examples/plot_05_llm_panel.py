"""
A panel of language models, twenty labels
=========================================

Six language models score 600 texts from 1 to 10, say. They are made up here, with the
faults of real ones: most are too kind, they use little of the scale, they give whole
numbers, and two of one vendor share their errors. People have labelled twenty texts.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.inspection import RankingDisplay, compare, label_budget

rng = np.random.default_rng(0)
truth = np.clip(rng.normal(5.5, 1.5, size=600), 1, 10)
vendor = rng.normal(0, 1.2, size=600)  # errors that two models share
panel = pd.DataFrame(
    {
        "alpha large": 7.0
        + 0.6 * (truth - 5.5)
        + 0.5 * vendor
        + rng.normal(0, 0.5, 600),
        "alpha small": 7.3
        + 0.5 * (truth - 5.5)
        + 0.6 * vendor
        + rng.normal(0, 0.8, 600),
        "beta": 6.4 + 0.7 * (truth - 5.5) + rng.normal(0, 0.9, 600),
        "gamma": 6.0 + 0.3 * (truth - 5.5) + rng.normal(0, 1.0, 600),
        "delta": 4.9 + 0.6 * (truth - 5.5) + rng.normal(0, 1.2, 600),
        "epsilon": 8.0 + rng.normal(0, 0.8, 600),  # always pleased
    }
)
panel = panel.round().clip(1, 10)

# %%
# Twenty labels, and the other 580 rows without: their scores show which models agree.
known = np.where(np.arange(600) < 20, truth, np.nan)
model = StackingNetRegressor().fit(panel, known)
print(model.leaderboard())

# %%
# Whom to trust: reliability is the squared correlation with the truth, with intervals.
RankingDisplay.from_estimator(model, panel, known, random_state=0)

# %%
# Is it better than plain rivals? Judged by the twenty labels, held out in turn. With so
# few, a lead over a ridge, or over an average less its bias, may be luck.
print(compare(model, panel, known, random_state=0))

# %%
# What further labels would buy, from these twenty alone.
print(label_budget(model, panel, known, further=[20, 80], random_state=0))

# %%
# Against the truth of the other rows, over twenty draws of the labelled ones. The
# constant is the mean of the twenty labels, a rival that many panels lose to.


def predictions(rows):
    X = panel.to_numpy()
    bias = (X[rows] - truth[rows, None]).mean(axis=0)
    alone = ((X[rows] - bias - truth[rows, None]) ** 2).mean(axis=0)
    labels = np.where(np.isin(np.arange(600), rows), truth, np.nan)
    ridge = RidgeCV(np.logspace(-3, 3, 13)).fit(X[rows], truth[rows])
    return {
        "average": X.mean(axis=1),
        "constant": np.full(600, truth[rows].mean()),
        "best single, less bias": (X - bias)[:, alone.argmin()],
        "average, less bias": X.mean(axis=1) - bias.mean(),
        "ridge (CV)": ridge.predict(X),
        "StackingNet": StackingNetRegressor().fit(panel, labels).predict(panel),
    }


errors = {}
for seed in range(20):
    rows = np.random.default_rng(seed).permutation(600)[:20]
    others = np.setdiff1d(np.arange(600), rows)
    for name, predicted in predictions(rows).items():
        error = np.abs(predicted[others] - truth[others]).mean()
        errors.setdefault(name, []).append(error)

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for row, (name, values) in enumerate(errors.items()):
    ax.plot(values, np.full(20, row), "o", color="tab:blue", alpha=0.3)
    ax.plot(np.mean(values), row, "D", color="tab:blue")
    print(f"{name:24s}{np.mean(values):.3f}")
ax.set_yticks(range(len(errors)), errors)
ax.set_xlabel("mean absolute error, 20 draws of 20 labels (diamond: mean)")
