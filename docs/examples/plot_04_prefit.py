"""
Members that are fitted already
===============================

``cv="prefit"`` takes classifiers as they are and learns the weights on rows that they
have not seen. Here each has learned from other rows of the digits, one from wrong
labels.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from stackingnet_sk import StackingNetClassifier

X, y = load_digits(return_X_y=True)
X_known, X_test, y_known, y_test = train_test_split(X, y, random_state=0)
X_members, X_weights, y_members, y_weights = train_test_split(
    X_known, y_known, test_size=200, random_state=0
)
parts = np.array_split(np.arange(len(X_members)), 4)
shuffled = np.random.default_rng(0).permutation(y_members)
members = [
    ("logistic", LogisticRegression(max_iter=2000), y_members),
    ("neighbours", KNeighborsClassifier(5), y_members),
    ("bayes", GaussianNB(), y_members),
    ("wrong labels", DecisionTreeClassifier(random_state=0), shuffled),
]
fitted = [
    (name, member.fit(X_members[rows], labels[rows]))
    for (name, member, labels), rows in zip(members, parts, strict=True)
]

# %%
# Two hundred further rows give the weights.
model = StackingNetClassifier(fitted, cv="prefit").fit(X_weights, y_weights)
print(model.leaderboard())
print(model.solution_)

# %%
# The best single member is chosen on the same two hundred rows; the constant has the
# rates of the classes on them. The rule of thumb of averaging probabilities is hurt
# by the member with wrong labels, and by the certainty of the naive Bayes classifier.
chosen = max(fitted, key=lambda named: named[1].score(X_weights, y_weights))[1]
rates = np.bincount(y_weights, minlength=10) / len(y_weights)
probabilities = {
    "constant": np.tile(rates, (len(X_test), 1)),
    "best single": chosen.predict_proba(X_test),
    "average": np.mean([m.predict_proba(X_test) for _, m in fitted], axis=0),
    "StackingNet": model.predict_proba(X_test),
}
accuracies = {
    name: accuracy_score(y_test, p.argmax(axis=1)) for name, p in probabilities.items()
}
losses = {name: log_loss(y_test, p) for name, p in probabilities.items()}

fig, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained", sharey=True)
for ax, what, values in zip(
    axes, ("test accuracy", "test log loss"), (accuracies, losses), strict=True
):
    bars = ax.barh(list(values), list(values.values()), color="tab:blue")
    ax.bar_label(bars, fmt="%.3f", padding=3)
    ax.set_xlabel(what)
    ax.margins(x=0.15)
