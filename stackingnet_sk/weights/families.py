"""Families of copies: models that repeat one vote, right or wrong.

Agreement alone does not show copies: two excellent models agree because both are right.
Models that agree beyond chance are taken for one voter if that makes all votes more
probable than independent voters do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster import hierarchy
from scipy.sparse import csr_array
from scipy.spatial.distance import squareform
from scipy.special import betaln

from stackingnet_sk.evidence.counts import ABSTAINS, VoteCounts
from stackingnet_sk.evidence.error_correlation import SPARSE, pair_sums
from stackingnet_sk.weights.shapes import Array, Table, Weights

# The family of each model, numbered from zero.
Families = NDArray[np.intp]

# Least agreement of copies beyond chance (Cohen's kappa), and least share of the same
# errors among their errors, both as means over the pairs. Copies of 97 % of the votes
# of a judge of 75 % have 0.97 and 0.93, copies of 90 % of them 0.9 and 0.8. On real
# panels the two models that agree most, both of 96 %, have 0.84; agreement says that
# they share 0.74 of their errors, and labels say 0.3.
_LEAST_KAPPA = 0.85
COPIES = 0.8
# Number of rows that two models both answer, below which they are no copies: among many
# pairs some agree on a few rows by chance.
_FEWEST_ROWS = 30.0
# Number of rows that are read at once.
_BLOCK = 65_536


def possible_families(counts: VoteCounts) -> Iterator[NDArray[np.intp]]:
    """List groups of models that agree beyond chance, the largest groups first."""
    if counts.n_models < 2 or counts.n_classes < 2:
        return
    distance = 1.0 - kappa(counts)
    np.fill_diagonal(distance, 0.0)
    tree = hierarchy.average(squareform(distance, checks=False))
    group = hierarchy.fcluster(tree, 1.0 - _LEAST_KAPPA, "distance")
    sizes = np.bincount(group)
    for number in np.argsort(-sizes, kind="stable"):
        if sizes[number] > 1:
            yield np.flatnonzero(group == number)


def kappa(counts: VoteCounts) -> Table:
    """Cohen's kappa of each pair of models, on the rows that both answer.

    It is zero for pairs with few common rows, and if it is below zero.
    """
    rows = counts.labelled.sum(axis=1) + counts.unlabelled
    shape = (counts.n_models, counts.n_models)
    agree, common = np.zeros(shape), np.zeros(shape)
    named = np.zeros((counts.n_classes, *shape))
    given = counts.patterns >= 0
    sparse = bool(np.count_nonzero(given) < SPARSE * given.size)
    for start in range(0, len(counts), _BLOCK):
        block = slice(start, start + _BLOCK)
        answered = _table(given[block], sparse)
        common += pair_sums(answered, rows[block], answered)
        for k in range(counts.n_classes):
            votes = _table(counts.patterns[block] == k, sparse)
            agree += pair_sums(votes, rows[block], votes)
            named[k] += pair_sums(votes, rows[block], answered)
    enough = common >= _FEWEST_ROWS
    common = np.maximum(common, _FEWEST_ROWS)
    by_chance = sum(votes * votes.T for votes in named) / np.square(common)
    beyond = np.zeros(shape)
    possible = enough & (by_chance < 1.0)
    beyond[possible] = (agree / common - by_chance)[possible]
    beyond[possible] /= 1.0 - by_chance[possible]
    return np.clip(beyond, 0.0, 1.0)


def _table(chosen: NDArray[np.bool_], sparse: bool) -> Any:
    return csr_array(chosen, dtype=float) if sparse else chosen.astype(float)


def same_errors(counts: VoteCounts, classes: Table, group: NDArray[np.intp]) -> float:
    """Share of the same errors among the errors of two members, the mean over pairs.

    `classes` (n_patterns, n_classes) is the weight of each pattern with each true
    class. An error of two members is the same if both vote for the same wrong class on
    a row that both answer. The share is zero if there is no error.
    """
    votes = counts.patterns[:, group]
    known = np.pad(classes, ((0, 0), (0, 1)))
    total = classes.sum(axis=1)
    right = np.take_along_axis(known, votes, axis=1)
    shares = []
    for first in range(len(group)):
        for second in range(first):
            both = (votes[:, first] >= 0) & (votes[:, second] >= 0)
            equal = both & (votes[:, first] == votes[:, second])
            correct = right[:, first] + np.where(equal, 0.0, right[:, second])
            errors = float((total - np.where(equal, correct, 0.0))[both].sum())
            same = float((total - right[:, first])[equal].sum())
            shares.append(same / errors if errors > 0 else 0.0)
    return float(np.mean(shares))


def merge_families(counts: VoteCounts, families: Families) -> tuple[VoteCounts, float]:
    """Let each family vote once, by its majority; it abstains where that is tied.

    Also returns the log-probability of the votes of all members, given those of the
    families. The shares of ties, and of members that deviate, are unknown; a member
    that deviates votes for any other class.
    """
    columns, evidence = [], 0.0
    rows = counts.labelled.sum(axis=1) + counts.unlabelled
    for family in range(int(families.max()) + 1):
        votes = counts.patterns[:, families == family]
        if votes.shape[1] == 1:
            columns.append(votes[:, 0])
            continue
        classes = range(counts.n_classes)
        tally = np.stack([(votes == k).sum(axis=1) for k in classes], axis=1)
        most = tally.max(axis=1)
        tied = (tally == most[:, None]).sum(axis=1) > 1
        columns.append(np.where(tied, ABSTAINS, tally.argmax(axis=1)))
        evidence += _evidence_of_members(
            rows, tally.sum(axis=1), most, tied, counts.n_classes
        )
    return counts.with_votes(np.column_stack(columns)), evidence


def _evidence_of_members(
    rows: Weights, n_answers: Array, most: Array, tied: Array, n_classes: int
) -> float:
    """Log-probability of the votes of the members, where at least two of them answer.

    `most` is the number of votes for the class that has most of them.
    """
    several: Array = np.where(n_answers > 1, rows, 0.0)
    decided: Array = np.where(tied, 0.0, several)
    n_decided = float(decided.sum())
    n_ties = float(several.sum()) - n_decided
    equal = float(decided @ most)
    deviating = float(decided @ (n_answers - most))
    evidence = betaln(n_ties + 1.0, n_decided + 1.0)
    evidence += betaln(equal + 1.0, deviating + 1.0)
    evidence -= deviating * np.log(n_classes - 1.0)
    # Two votes that are tied differ. More votes are tied in fewer ways than all.
    ways = n_answers * np.log(n_classes)
    ways[n_answers == 2] = np.log(n_classes * (n_classes - 1.0))
    return float(evidence - (several - decided) @ ways)
