"""Replicates of reliability: rows drawn anew, by weights on what was read once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.inspection.answers import ModelAnswers
from stackingnet_sk.weights import VoterEstimates
from stackingnet_sk.weights.reliability import LABEL_FREE_ROWS as NUMBER_ROWS
from stackingnet_sk.weights.reliability import reliability_parts
from stackingnet_sk.weights.replicates import BlockMoments, replicated_votes
from stackingnet_sk.weights.vote_prior import LABEL_FREE_ROWS as VOTE_ROWS

# More rows than this are drawn in blocks.
_BLOCKS = 2000
# Correlations beyond are as good as one.
_EDGE = 0.999
# Rows' worth of what is known of a model that answers nothing.
_PRIOR_ROWS = 1.0
_POSSIBLE = 1e-6
# What its recall of a class may be: anything.
_UNKNOWN = 1.0, 1.0
# Numbers held at a time.
_ELEMENTS = 4_000_000


def draw_counts(
    random: np.random.Generator, weights: NDArray[np.float64], n_draws: int
) -> NDArray[np.float64]:
    """Draw rows with replacement, from cells of them.

    One row less than there are is drawn, and counted as many as there are: so many have
    the variance of the population, and not that of the rows, which with 5 rows is a
    fifth less (Rao and Wu, 1988).

    Parameters
    ----------
    random : Generator
        Source of the draws.
    weights : ndarray of shape (n_cells,)
        Rows in each cell.
    n_draws : int
        How often.

    Returns
    -------
    ndarray of shape (n_draws, n_cells)
        Rows drawn of each cell; they sum to the rows there are.
    """
    total = float(weights.sum())
    if total == 0:
        return np.zeros((n_draws, len(weights)))
    n_rows = round(total)
    n_drawn = max(n_rows - 1, 1)
    if n_rows > 4 * len(weights) or (weights != np.rint(weights)).any():
        found = random.multinomial(n_drawn, weights / total, n_draws)
    else:
        # Few rows a cell: rows are drawn faster than cells.
        cells = np.repeat(np.arange(len(weights)), weights.astype(int))
        drawn = cells[random.integers(n_rows, size=(n_draws, n_drawn))]
        drawn += len(weights) * np.arange(n_draws)[:, None]
        found = np.bincount(drawn.ravel(), minlength=n_draws * len(weights))
        found = found.reshape(n_draws, -1)
    return found.astype(np.float64) * (total / n_drawn)


def number_replicates(
    answers: ModelAnswers, random: np.random.Generator, n_draws: int
) -> NDArray[np.float64]:
    """Reliability of predictions of numbers on rows drawn anew.

    Labelled and other rows are drawn apart.

    Parameters
    ----------
    answers : ModelAnswers
        What the models say.
    random : Generator
        Source of the draws.
    n_draws : int
        How many replicates.

    Returns
    -------
    ndarray of shape (n_draws, n_models)
    """
    drawn = []
    for rows in (answers.labelled, ~answers.labelled):
        table, target = answers.table[rows], np.nan_to_num(answers.labels[rows])
        n_rows = len(table)
        block = np.arange(n_rows) % max(min(n_rows, _BLOCKS), 1)
        sums = BlockMoments.from_rows(
            table, target, np.ones(n_rows), random.permutation(block)
        )
        draws = draw_counts(random, np.ones(len(sums.products)), n_draws)
        drawn.append(sums.replicates(draws))
    found = []
    for own, rest in zip(*drawn, strict=True):
        prediction_moments = own.without_labels().merge(rest)
        known, free, share = reliability_parts(own, prediction_moments)
        # What agreement says counts for so many rows, and is as uncertain (Fisher's z).
        z = np.arctanh(np.clip(np.sign(free) * np.sqrt(np.abs(free)), -_EDGE, _EDGE))
        guessed = np.tanh(z + random.normal(size=len(z)) / np.sqrt(NUMBER_ROWS - 3.0))
        found.append(share * known + (1.0 - share) * guessed * np.abs(guessed))
    return np.array(found)


def vote_replicates(
    counts: VoteCounts, random: np.random.Generator, n_draws: int
) -> NDArray[np.float64]:
    """Reliability of votes on rows drawn anew.

    The labelled rows of each class, and the others, are drawn apart, so that no class
    vanishes.

    Parameters
    ----------
    counts : VoteCounts
        Distinct rows of votes.
    random : Generator
        Source of the draws.
    n_draws : int
        How many replicates.

    Returns
    -------
    ndarray of shape (n_draws, n_models)
    """
    counts = counts.effective()
    panel = VoterEstimates.from_counts(counts)
    found = []
    # What agreement says counts for so many rows in the blend, and is as uncertain as
    # these, or as the rows that the model answers, if they are fewer.
    answers = counts.answered[:, None] * panel.rates * counts.weight
    worth = VOTE_ROWS * answers / (answers + VOTE_ROWS) + _PRIOR_ROWS
    repeats = None
    for n in _chunks(n_draws, counts.labelled.size):
        labelled = np.stack([draw_counts(random, own, n) for own in counts.labelled.T])
        unlabelled = draw_counts(random, counts.unlabelled, n)
        joint, free, repeats = replicated_votes(
            counts, panel.label_free, labelled, unlabelled, repeats
        )
        right = joint.diagonal(axis1=2, axis2=3)
        # No estimate is so sure that there is no distribution about it.
        free = np.clip(free, _POSSIBLE, 1.0 - _POSSIBLE)
        guessed = VOTE_ROWS * random.beta(free * worth, (1.0 - free) * worth)
        rates = (right + guessed) / (joint.sum(axis=3) + VOTE_ROWS)
        rates[:, ~panel.answers] = random.beta(
            *_UNKNOWN, rates[:, ~panel.answers].shape
        )
        found.append(rates.mean(axis=2))
    return np.concatenate(found)


def _chunks(total: int, size: int) -> Iterator[int]:
    step = max(1, _ELEMENTS // max(size, 1))
    while total > 0:
        yield min(step, total)
        total -= step
