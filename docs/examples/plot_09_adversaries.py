"""
Adversaries
===========

Eight honest voters and more and more who say the opposite, or draw at random. No
labels. How many does it take to turn the answer around, and does `reliability_` find
them?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import balanced_accuracy_score

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.datasets import make_experts
from stackingnet_sk.inspection import RankingDisplay

honest = [0.85, 0.8, 0.75, 0.75, 0.7, 0.7, 0.65, 0.6]


def crowd(n_flipped, n_random, seed):
    return make_experts(
        600,
        8,
        n_classes=2,
        accuracy=honest,
        n_flipped=n_flipped,
        n_random=n_random,
        correlation=0.05,
        as_frame=True,
        random_state=seed,
    )


def score(table):
    """Score the majority vote, ours, and the best single voter by the truth."""
    votes, truth = table.X.to_numpy(), table.truth
    five = np.where(np.arange(len(votes)) < 5, truth.astype(object), None)
    predicted = [
        votes.mean(axis=1) > 0.5,
        StackingNetClassifier().fit(table.X).predict(table.X),
        StackingNetClassifier().fit(table.X, five).predict(table.X),
        max(votes.T, key=lambda one: balanced_accuracy_score(truth, one)),
    ]
    return [balanced_accuracy_score(truth, classes) for classes in predicted]


# %%
# Voters who know and lie are informative: their votes are turned around, as long as
# the honest are in the majority. Beyond that the liars are the majority, and
# agreement calls them right. Five labels tell who is who.
numbers = range(0, 11, 2)
liars = [np.mean([score(crowd(n, 0, s)) for s in range(4)], axis=0) for n in numbers]
noise = [np.mean([score(crowd(0, n, s)) for s in range(4)], axis=0) for n in numbers]
fig, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", sharey=True)
names = [
    "majority vote",
    "StackingNet, no labels",
    "StackingNet, 5 labels",
    "best single (by the truth)",
]
for ax, what, means in zip(
    axes, ("voters who lie", "voters at random"), (liars, noise), strict=True
):
    for name, values in zip(names, np.transpose(means), strict=True):
        ax.plot(numbers, values, "o-", label=name)
    ax.set_xlabel(f"{what}, beside 8 honest ones")
axes[0].set_ylabel("balanced accuracy")
axes[0].legend()
for n, scores in zip(numbers, liars, strict=True):
    print(n, scores.round(3))

# %%
# Whom to drop: three liars and three who draw at random, without labels. A cross marks
# those whose interval lies below chance.
table = crowd(3, 3, seed=0)
model = StackingNetClassifier().fit(table.X)
RankingDisplay.from_estimator(model, table.X, random_state=0)
