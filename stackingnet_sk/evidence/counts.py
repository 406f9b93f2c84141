"""Counts of votes: each distinct row of votes once, with its total weight.

The votes of several models on a million items are typically a few thousand distinct
rows. All methods here need only the counts of (row of votes, label). Counts merge
exactly, so rows can be read at once, in blocks, or on several machines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

# Row keys stay below this bound, the largest power of two that an int64 can hold.
_LARGEST_KEY = 2**62
# The code of a missing vote.
ABSTAINS = -1


@dataclass(frozen=True, eq=False)
class VoteCounts:
    """Distinct rows of votes, in ascending order, and their weights.

    Parameters
    ----------
    patterns : ndarray of int of shape (n_patterns, n_models)
        Distinct rows: the index of the class voted for, -1 where a model abstains.
    labelled : ndarray of shape (n_patterns, n_classes)
        Total weight of the rows with that pattern and that label.
    unlabelled : ndarray of shape (n_patterns,)
        Total weight of the rows with that pattern and no label.
    weight_norm : float
        Euclidean norm of the sample weights of the rows.
    """

    patterns: NDArray[np.signedinteger]
    labelled: NDArray[np.float64]
    unlabelled: NDArray[np.float64]
    weight_norm: float

    @classmethod
    def from_rows(
        cls,
        votes: NDArray[np.signedinteger],
        labels: NDArray[np.signedinteger],
        n_classes: int,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> VoteCounts:
        """Count rows of votes, leaving out rows without weight.

        Votes and labels are indices of classes; -1 marks a missing vote or label.
        Weights are non-negative, and an integer weight equals a repetition of the row.
        """
        if sample_weight is not None:
            counted = sample_weight > 0
            votes, labels = votes[counted], labels[counted]
            sample_weight = sample_weight[counted]
        first, pattern = _distinct_rows(votes)
        cell = pattern * (n_classes + 1) + labels + 1
        if sample_weight is not None:
            # Sorted weights give the same rounded sums for any order of the rows.
            order = np.lexsort((sample_weight, cell))
            cell, sample_weight = cell[order], sample_weight[order]
        size = len(first) * (n_classes + 1)
        table = np.bincount(cell, sample_weight, size).astype(np.float64)
        table = table.reshape(len(first), n_classes + 1)
        norm = float(np.sqrt(len(labels)))
        if sample_weight is not None:
            # Divide first: squares of tiny or huge weights under- or overflow.
            total = float(table.sum()) or 1.0
            norm = total * float(np.linalg.norm(np.sort(sample_weight) / total))
        return cls(votes[first], table[:, 1:].copy(), table[:, 0].copy(), norm)

    def merge(self, other: VoteCounts) -> VoteCounts:
        """Combine with the counts of other rows, as if all had been read at once.

        Raises a ValueError if the numbers of models or of classes differ.
        """
        if (self.n_models, self.n_classes) != (other.n_models, other.n_classes):
            raise ValueError(
                f"cannot merge votes of {self.n_models} models for {self.n_classes} "
                f"classes with votes of {other.n_models} models for "
                f"{other.n_classes}; both blocks must have the same columns and classes"
            )
        patterns = np.concatenate([self.patterns, other.patterns])
        first, index = _distinct_rows(patterns)
        labelled = np.zeros((len(first), self.n_classes))
        unlabelled = np.zeros(len(first))
        # No pattern occurs twice in a block, so plain += adds every count.
        for block, start in ((self, 0), (other, len(self.patterns))):
            rows = index[start : start + len(block.patterns)]
            labelled[rows] += block.labelled
            unlabelled[rows] += block.unlabelled
        norm = float(np.hypot(self.weight_norm, other.weight_norm))
        return VoteCounts(patterns[first], labelled, unlabelled, norm)

    @property
    def has_labels(self) -> bool:
        """Whether any row has a label."""
        return bool(self.labelled.any())

    @property
    def is_informative(self) -> bool:
        """Whether any row has a weight."""
        return len(self.patterns) > 0

    def subset(self, models: NDArray[np.intp]) -> VoteCounts:
        """Restrict to some of the models, given by their indices, in that order."""
        return self.with_votes(self.patterns[:, models])

    def with_votes(self, patterns: NDArray[np.signedinteger]) -> VoteCounts:
        """Replace the votes of each distinct row, and add up rows that become equal."""
        first, index = _distinct_rows(patterns)
        labelled = np.zeros((len(first), self.n_classes))
        np.add.at(labelled, index, self.labelled)
        unlabelled = np.zeros(len(first))
        np.add.at(unlabelled, index, self.unlabelled)
        return replace(
            self, patterns=patterns[first], labelled=labelled, unlabelled=unlabelled
        )

    @property
    def n_models(self) -> int:
        """Number of models."""
        return int(self.patterns.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.labelled.shape[1])

    @property
    def n_labelled(self) -> NDArray[np.float64]:
        """Total weight of the labelled rows of each class."""
        n_labelled: NDArray[np.float64] = self.labelled.sum(axis=0)
        return n_labelled

    @property
    def weight(self) -> float:
        """Total weight of all rows, labelled or not."""
        return float(self.labelled.sum() + self.unlabelled.sum())

    @property
    def kish(self) -> float:
        """Number of rows that one unit of weight counts for.

        It is one, since an integer weight equals a repetition. If the total weight is
        below Kish's effective sample size, it is that size divided by the total weight:
        weights that sum to one do not mean that there is only one row.
        """
        if self.weight == 0:
            return 1.0
        share = self.weight / self.weight_norm / self.weight_norm
        # The norm is rounded, and after a merge the rounding differs from that of
        # counting all rows at once.
        return share if share > 1.0 + 1e-9 else 1.0

    def effective(self) -> VoteCounts:
        """Scale the counts to effective rows, see `kish`."""
        kish = self.kish
        if kish == 1.0:
            return self
        counts = self.reweighted(self.labelled * kish, self.unlabelled * kish)
        return replace(counts, weight_norm=self.weight_norm * kish)

    def reweighted(
        self, labelled: NDArray[np.float64], unlabelled: NDArray[np.float64]
    ) -> VoteCounts:
        """Give the distinct rows other weights, such as those of a bootstrap."""
        return replace(self, labelled=labelled, unlabelled=unlabelled)

    @cached_property
    def design(self) -> csr_array:
        """One-hot votes of shape (n_patterns, n_models * n_classes), model by model."""
        rows, models = np.nonzero(self.patterns >= 0)
        columns = models * self.n_classes + self.patterns[rows, models]
        shape = (len(self), self.n_models * self.n_classes)
        return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)

    def joint(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum the weight of each model's votes, by true class.

        `weights` of shape (n_patterns, n_classes) is the weight of each pattern with
        each true class. Entry ``[m, k, a]`` of the result, of shape (n_models,
        n_classes, n_classes), is the weight of the rows of class k on which model m
        votes for class a.
        """
        shape = (self.n_models, self.n_classes, self.n_classes)
        joint: NDArray[np.float64] = (self.design.T @ weights).reshape(shape)
        return joint.transpose(0, 2, 1)

    @property
    def answered(self) -> NDArray[np.float64]:
        """Share of all rows that each model answers, by weight."""
        rows = self.labelled.sum(axis=1) + self.unlabelled
        share: NDArray[np.float64] = rows @ (self.patterns >= 0) / self.weight
        return share

    def answers_per_row(self, shares: NDArray[np.float64]) -> float:
        """Average the number of answers on a row over all answers; at least one.

        A row with more answers counts more often, because it holds more of them.
        `shares` is what an answer of each model counts.
        """
        rows = self.labelled.sum(axis=1) + self.unlabelled
        n_answers = (self.patterns >= 0) @ shares
        total = float(rows @ n_answers)
        return (
            max(float(rows @ np.square(n_answers)) / total, 1.0) if total > 0 else 1.0
        )

    def common_rows(self, weights: NDArray[np.float64]) -> float:
        """Weight of the rows that two models both answer, mean over pairs that answer.

        `weights` has shape (n_patterns,). The result is the total weight if every model
        answers every row or none, and zero for a single model.
        """
        given = self.patterns >= 0
        n_answers = given.sum(axis=1)
        n_models = int(given.any(axis=0).sum())
        n_pairs = n_models * (n_models - 1)
        return float(weights @ (n_answers * (n_answers - 1))) / max(n_pairs, 1)

    @property
    def recalls(self) -> NDArray[np.float64]:
        """Share of right votes of each model on each class, on labelled rows.

        The shape is (n_models, n_classes). An entry is NaN if the model answers no row
        of the class. The mean over the classes is the balanced accuracy.
        """
        joint = self.joint(self.labelled)
        answers = joint.sum(axis=2)
        right = joint.diagonal(axis1=1, axis2=2)
        nothing = np.full(answers.shape, np.nan)
        recalls: NDArray[np.float64] = np.divide(
            right, answers, out=nothing, where=answers > 0
        )
        return recalls

    def __len__(self) -> int:
        """Return the number of distinct rows."""
        return len(self.patterns)


def _distinct_rows(
    votes: NDArray[np.signedinteger],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find one occurrence of each distinct row, and the number of each row.

    The first array holds an index per distinct row, in ascending order of these rows;
    the second array maps each row to its distinct row. The votes of a row are the
    digits of one integer key. Before a key would exceed an int64, the keys so far are
    replaced by their ranks.
    """
    keys = np.zeros(len(votes), dtype=np.int64)
    if not len(votes):
        return keys, keys
    radix = int(votes.max(initial=ABSTAINS)) + 2
    size = 1
    for column in votes.T:
        if size > _LARGEST_KEY // radix:
            ranked, keys = np.unique(keys, return_inverse=True)
            size = len(ranked)
        keys = keys * radix + (column.astype(np.int64) + 1)
        size *= radix
    if size <= max(4 * len(votes), 2**16):
        # If few rows are possible, counting is faster than sorting.
        rank = np.cumsum(np.bincount(keys, minlength=size) > 0) - 1
        inverse = rank[keys]
        first = np.empty(rank[-1] + 1, dtype=np.intp)
        first[inverse] = np.arange(len(votes))
        return first, inverse
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse
