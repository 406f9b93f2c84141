"""
A table of votes without labels
===============================

Nine made-up voters name one of three classes. Nobody has labelled anything: agreement
is all there is. Four of the voters are of one family and err together, more and more
from left to right in the picture. It shows where that is fatal.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import balanced_accuracy_score

from stackingnet_sk import StackingNetClassifier
from stackingnet_sk.datasets import make_experts

families = [0, 1, 2, 3, 4, 5, 5, 5, 5]


def crowd(correlation, seed):
    return make_experts(
        1000,
        9,
        n_classes=3,
        accuracy=[0.85, 0.75, 0.7, 0.65, 0.6, 0.5, 0.5, 0.5, 0.5],
        correlation=correlation,
        families=families,
        random_state=seed,
    )


def majority(votes):
    counts = (votes[:, :, None] == np.arange(3)).sum(axis=1)
    return counts.argmax(axis=1)


# %%
# Five crowds at each correlation. Two rivals have twenty labels: beside the other
# rows, on which ``y`` is None, or alone. The best single voter is chosen by the
# truth, which nobody knows here: it is a bound for those who pick one.
correlations = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
scores = {}
for correlation in correlations:
    for seed in range(5):
        table = crowd(correlation, seed)
        known = np.where(np.arange(1000) < 20, table.truth.astype(object), None)
        model = StackingNetClassifier().fit(table.X)
        beside = StackingNetClassifier().fit(table.X, known)
        twenty = StackingNetClassifier().fit(table.X[:20], table.truth[:20])
        alone = [balanced_accuracy_score(table.truth, votes) for votes in table.X.T]
        predicted = {
            "StackingNet, no labels": model.predict(table.X),
            "20 labels beside the other rows": beside.predict(table.X),
            "20 labels alone": twenty.predict(table.X),
            "majority vote": majority(table.X),
            "best single (by the truth)": table.X[:, np.argmax(alone)],
        }
        for name, classes in predicted.items():
            score = balanced_accuracy_score(table.truth, classes)
            scores.setdefault(name, []).append(score)
means = {name: np.reshape(s, (-1, 5)).mean(axis=1) for name, s in scores.items()}

# %%
# Up to a point the family is discounted. Beyond, its four members confirm each other so
# often that they pass for the truth, and the answer is worse than a majority vote. No
# label-free method can tell a conspiracy from knowledge, and twenty labels beside a
# thousand rows of it are too few. Where models are known to be of a family, keep one of
# them, or fit on the labelled rows alone.
#
# `reliability_`, on the right for one crowd in which the errors are independent,
# estimates each voter's balanced accuracy.
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for name, values in means.items():
    left.plot(correlations, values, "o-", label=name)
left.set(xlabel="correlation of errors in the family", ylabel="balanced accuracy")
left.legend(loc="lower left")
table = crowd(0, 0)
alone = [balanced_accuracy_score(table.truth, votes) for votes in table.X.T]
right.scatter(alone, StackingNetClassifier().fit(table.X).reliability_)
right.axline((0.5, 0.5), slope=1, color="gray", linewidth=1)
right.set(xlabel="true balanced accuracy", ylabel="reliability_, without labels")
for name, values in means.items():
    print(f"{name:32s}" + "".join(f"{value:7.3f}" for value in values))
