"""Votes, counted: every distinct row of votes once, with how often it occurs.

What the models of a panel vote on a million items is a few thousand distinct rows.
Counts of (row, label) are all that any method here needs, and they merge exactly, so
rows can come at once, in blocks, or from several machines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

# Row keys stay below this, the largest power of two that an int64 holds.
_LARGEST_KEY = 2**62
# A vote that was not given.
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
        Euclidean norm of the weights of the rows.
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
        """Count rows.

        Parameters
        ----------
        votes : ndarray of int of shape (n_rows, n_models)
            Index of the class voted for, -1 where a model abstains.
        labels : ndarray of int of shape (n_rows,)
            Index of the class, -1 where there is no label.
        n_classes : int
            Number of classes.
        sample_weight : ndarray of shape (n_rows,), default=None
            Non-negative weights of the rows; an integer weight is a repetition.

        Returns
        -------
        VoteCounts
            Without the rows that have no weight.
        """
        if sample_weight is not None:
            counted = sample_weight > 0
            votes, labels = votes[counted], labels[counted]
            sample_weight = sample_weight[counted]
        first, pattern = _distinct_rows(votes)
        cell = pattern * (n_classes + 1) + labels + 1
        if sample_weight is not None:
            # Sums in an order of their own do not depend on that of the rows.
            order = np.lexsort((sample_weight, cell))
            cell, sample_weight = cell[order], sample_weight[order]
        size = len(first) * (n_classes + 1)
        table = np.bincount(cell, sample_weight, size).astype(np.float64)
        table = table.reshape(len(first), n_classes + 1)
        norm = float(np.sqrt(len(labels)))
        if sample_weight is not None:
            # Divided first: squares of tiny or huge weights are out of range.
            total = float(table.sum()) or 1.0
            norm = total * float(np.linalg.norm(np.sort(sample_weight) / total))
        return cls(votes[first], table[:, 1:].copy(), table[:, 0].copy(), norm)

    def merge(self, other: VoteCounts) -> VoteCounts:
        """Combine with the counts of other rows.

        Parameters
        ----------
        other : VoteCounts
            Counts of the same models and classes on other rows.

        Returns
        -------
        VoteCounts
            The counts of all rows, as if they had been read at once.

        Raises
        ------
        ValueError
            If the numbers of models or of classes differ.
        """
        if (self.n_models, self.n_classes) != (other.n_models, other.n_classes):
            raise ValueError(
                f"cannot merge votes of {self.n_models} models for {self.n_classes} "
                f"classes with votes of {other.n_models} models for "
                f"{other.n_classes}; both blocks must have the same columns and classes"
            )
        patterns = np.concatenate([self.patterns, other.patterns])
        first, place = _distinct_rows(patterns)
        labelled = np.zeros((len(first), self.n_classes))
        unlabelled = np.zeros(len(first))
        # Within a block no pattern occurs twice.
        for block, start in ((self, 0), (other, len(self.patterns))):
            own = place[start : start + len(block.patterns)]
            labelled[own] += block.labelled
            unlabelled[own] += block.unlabelled
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
        """Count some of the models only.

        Parameters
        ----------
        models : ndarray of int
            Which models, in which order.

        Returns
        -------
        VoteCounts
        """
        patterns = self.patterns[:, models]
        first, place = _distinct_rows(patterns)
        labelled = np.zeros((len(first), self.n_classes))
        np.add.at(labelled, place, self.labelled)
        unlabelled = np.zeros(len(first))
        np.add.at(unlabelled, place, self.unlabelled)
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
        """Rows that a unit of weight counts for.

        One, weights being repetitions, but more where that would be less rows than
        Kish's effective sample size: weights that sum to one don't claim that there is
        a single row.
        """
        if self.weight == 0:
            return 1.0
        share = self.weight / self.weight_norm / self.weight_norm
        # The norm is rounded, and merging rounds it otherwise than counting at once.
        return share if share > 1.0 + 1e-9 else 1.0

    def effective(self) -> VoteCounts:
        """Count in effective rows, see `kish`."""
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
        """One-hot votes, shape (n_patterns, n_models * n_classes), model-major."""
        rows, models = np.nonzero(self.patterns >= 0)
        columns = models * self.n_classes + self.patterns[rows, models]
        shape = (len(self), self.n_models * self.n_classes)
        return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)

    def joint(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Total weight of each model's votes, by true class.

        Parameters
        ----------
        weights : ndarray of shape (n_patterns, n_classes)
            Weight of each pattern with each true class.

        Returns
        -------
        ndarray of shape (n_models, n_classes, n_classes)
            Entry ``[m, k, a]``: the weight of the rows of class k on which model m
            votes for class a.
        """
        shape = (self.n_models, self.n_classes, self.n_classes)
        joint: NDArray[np.float64] = (self.design.T @ weights).reshape(shape)
        return joint.transpose(0, 2, 1)

    @property
    def answered(self) -> NDArray[np.float64]:
        """Share of all rows that each model answers."""
        rows = self.labelled.sum(axis=1) + self.unlabelled
        share: NDArray[np.float64] = rows @ (self.patterns >= 0) / self.weight
        return share

    @property
    def recalls(self) -> NDArray[np.float64]:
        """Share of right votes of each model on each class, on labelled rows.

        Shape (n_models, n_classes); NaN where a model answers none of a class. The mean
        over the classes is the balanced accuracy.
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
    """Index of an occurrence of each distinct row, ascending, and each row's place.

    The votes of a row are the digits of a number. Where it would become too large, the
    rows seen so far are ranked, and the ranks take the place of the numbers.
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
        # Few possible rows: counting them is faster than sorting.
        place = np.cumsum(np.bincount(keys, minlength=size) > 0) - 1
        inverse = place[keys]
        first = np.empty(place[-1] + 1, dtype=np.intp)
        first[inverse] = np.arange(len(votes))
        return first, inverse
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse
