"""Members that misbehave, or that tell what happened to them."""

from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class FirstFeature(RegressorMixin, BaseEstimator):
    """Predicts the first feature; `spoil` changes the predictions."""

    def __init__(self, spoil=None):
        self.spoil = spoil

    def fit(self, X, y):
        self.n_rows_ = len(y)
        return self

    def predict(self, X):
        first = np.array(X)[:, 0]
        return first if self.spoil is None else self.spoil(first)


class Counting(FirstFeature):
    """Writes a line to the file `log` at each fit: counts in all processes."""

    def __init__(self, log=None, spoil=None):
        super().__init__(spoil)
        self.log = log

    def fit(self, X, y):
        with Path(self.log).open("a") as file:
            file.write(f"{len(y)}\n")
        return super().fit(X, y)


class Consuming(RegressorMixin, BaseEstimator):
    """Predicts a weighted mean and remembers the metadata of its `fit`."""

    def fit(self, X, y, sample_weight=None, flavour=None):
        self.seen_ = {"sample_weight": sample_weight, "flavour": flavour}
        self.mean_ = np.average(y, weights=sample_weight)
        if flavour is not None:
            assert len(flavour) == len(y), "metadata with a value a row is sliced"
            self.mean_ += np.mean(flavour)
        return self

    def predict(self, X):
        return self.mean_ + 0.1 * np.array(X)[:, 0]
