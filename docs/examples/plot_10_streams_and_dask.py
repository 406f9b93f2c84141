"""
Streams and Dask
================

Weights need sums over the rows and nothing else, so rows may come in any blocks: from
an iterator, day by day, or from a Dask collection. The answer is that of one fit.
"""

from itertools import pairwise

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np

from stackingnet_sk import StackingNetRegressor
from stackingnet_sk.datasets import make_experts

judges = make_experts(
    100_000, 5, accuracy=[0.9, 0.8, 0.7, 0.6, 0.5], correlation=0.2, random_state=0
)
X, y = judges.X, judges.y
whole = StackingNetRegressor().fit(X, y)

# %%
# An iterator of blocks: the table is never held whole. Here it is cut from one that is.
blocks = ((X[i : i + 7000], y[i : i + 7000]) for i in range(0, len(X), 7000))
streamed = StackingNetRegressor().fit(blocks)
print(np.abs(streamed.weights_ - whole.weights_).max())

# %%
# Dask sums each chunk where it lies, by whichever scheduler is active, and predicts
# chunk by chunk.
P, labels = da.from_array(X, chunks=(20_000, 5)), da.from_array(y, chunks=20_000)
distributed = StackingNetRegressor().fit(P, labels)
print(np.abs(distributed.weights_ - whole.weights_).max())
combined = P.map_blocks(distributed.predict, drop_axis=1, dtype=float)
print(((combined - labels) ** 2).mean().compute())

# %%
# Two places that share sums, not rows.
north = StackingNetRegressor().fit(X[:50_000], y[:50_000])
south = StackingNetRegressor().fit(X[50_000:], y[50_000:])
print(np.abs(north.merge(south).weights_ - whole.weights_).max())

# %%
# Rows that come later: after each block the weights are those of all rows so far. The
# plain average and the best judge alone stay where they are.
model, seen, weights, errors = StackingNetRegressor(), [], [], []
edges = [0, 10, 20, 50, 100, 200, 500, 1000, 5000, 20_000]
for start, stop in pairwise(edges):
    model.partial_fit(X[start:stop], y[start:stop])
    seen.append(stop)
    weights.append(model.weights_)
    errors.append(np.mean((model.predict(X[50_000:]) - y[50_000:]) ** 2))

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
left.plot(seen, weights, "o-")
left.set(xscale="log", xlabel="rows seen", ylabel="weights")
right.plot(seen, errors, "o-", label="partial_fit")
average, alone = X[50_000:].mean(axis=1), X[50_000:, 0]
for name, predicted, color in (
    ("best judge alone", alone, "tab:red"),
    ("average", average, "tab:purple"),
):
    error = np.mean((predicted - y[50_000:]) ** 2)
    right.axhline(error, color=color, linewidth=1.5, label=name)
right.set(xscale="log", xlabel="rows seen", ylabel="mean squared error", ylim=(0, None))
right.legend()
