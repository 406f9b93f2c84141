"""Rows drawn anew, by weights on what was read once, and intervals from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import norm
from scipy.stats import t as student_t

from stackingnet_sk.evidence import (
    BlockMoments,
    ImputedMoments,
    Moments,
    PredictionModel,
    VoteCounts,
)
from stackingnet_sk.inspection.answers import ModelAnswers
from stackingnet_sk.weights import VoterEstimates
from stackingnet_sk.weights.reliability import LABEL_FREE_ROWS as NUMBER_ROWS
from stackingnet_sk.weights.reliability import reliability_parts
from stackingnet_sk.weights.replicates import replicated_votes
from stackingnet_sk.weights.trust import DOUBTFUL_ROWS
from stackingnet_sk.weights.vote_prior import LABEL_FREE_ROWS as VOTE_ROWS

# If there are more rows than this, blocks of rows are drawn.
_BLOCKS = 2000
# Largest correlation, so that Fisher's transform is finite.
_EDGE = 0.999
# Number of rows that the prior on a model's recall counts for.
_PRIOR_ROWS = 1.0
_POSSIBLE = 1e-6
# Beta distribution of the recall of a model that never answers: uniform.
_UNKNOWN = 1.0, 1.0
# Number of values that are in memory at once.
_ELEMENTS = 4_000_000


def draw_counts(
    random: np.random.Generator, weights: NDArray[np.float64], n_draws: int
) -> NDArray[np.float64]:
    """Draw rows with replacement from cells that hold `weights` rows, `n_draws` times.

    One row less than there are is drawn, and scaled to the number of rows. The variance
    of these replicates is that of the population; without this, it is that of the rows,
    which with 5 rows is a fifth smaller (Rao and Wu, 1988). The result has shape
    (n_draws, n_cells), and its rows sum to the number of rows.
    """
    total = float(weights.sum())
    if total == 0:
        return np.zeros((n_draws, len(weights)))
    n_rows = round(total)
    n_drawn = max(n_rows - 1, 1)
    if n_rows > 4 * len(weights) or (weights != np.rint(weights)).any():
        counts = random.multinomial(n_drawn, weights / total, n_draws)
    else:
        # If cells have few rows, drawing rows is faster than drawing cells.
        cells = np.repeat(np.arange(len(weights)), weights.astype(int))
        drawn = cells[random.integers(n_rows, size=(n_draws, n_drawn))]
        drawn += len(weights) * np.arange(n_draws)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n_draws * len(weights))
        counts = counts.reshape(n_draws, -1)
    return counts.astype(np.float64) * (total / n_drawn)


def resampled_sums(
    random: np.random.Generator, terms: NDArray[np.float64], n_draws: int
) -> NDArray[np.float64]:
    """Sum the columns of `terms` over rows that :func:`draw_counts` draws.

    `terms` has shape (n_rows, n_terms), and the result (n_draws, n_terms). If there are
    many rows, blocks of them are drawn, whose sizes differ by at most one. A mean is
    the sum of its terms divided by the sum of the weights, which are terms too.
    """
    n_blocks = min(len(terms), _BLOCKS)
    block = random.permutation(np.arange(len(terms)) % n_blocks)
    sums = np.stack([np.bincount(block, column, n_blocks) for column in terms.T], 1)
    ones = np.ones(n_blocks)
    parts = [
        draw_counts(random, ones, size) @ sums for size in _chunks(n_draws, n_blocks)
    ]
    return np.concatenate([np.empty((0, sums.shape[1])), *parts])


def student_tail(
    confidence_level: float, n_rows: NDArray[np.intp] | int
) -> NDArray[np.float64]:
    """Return the share of replicates beyond each end of an interval.

    Bootstrap percentiles are too short with few rows, by as much as normal quantiles
    are shorter than Student's. They are taken further out accordingly (Hesterberg,
    "What teachers should know about the bootstrap", The American Statistician 69,
    2015).
    """
    freedom = np.maximum(np.asarray(n_rows) - 1, 1)
    reach = student_t.ppf((1.0 + confidence_level) / 2.0, freedom)
    return np.asarray(norm.cdf(-reach))


def percentile_interval(
    value: NDArray[np.float64],
    replicates: NDArray[np.float64],
    tail: NDArray[np.float64] | float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take percentiles of replicates, at least as far out as the estimate.

    `replicates` has shape (n_draws, ...), and `tail` is the share of them beyond each
    end. Replicates are NaN, and left out, where the rows drawn do not determine the
    estimate; without replicates the ends are NaN.
    """
    low, high = np.full((2, *value.shape), np.nan)
    tails = np.broadcast_to(tail, value.shape)
    some = np.isnan(replicates).any(axis=0)
    # A quantile between infinite ratios is NaN.
    with np.errstate(invalid="ignore"):
        for share in np.unique(tails) if len(replicates) else ():
            for quantile, columns in ((np.quantile, ~some), (np.nanquantile, some)):
                which = columns & (tails == share) & ~np.isnan(value)
                if which.any():
                    drawn = replicates[:, which]
                    low[which], high[which] = quantile(drawn, [share, 1 - share], 0)
        # An interval contains its estimate, although a prior may pull the replicates
        # away.
        return np.minimum(low, value), np.maximum(high, value)


def number_replicates(
    answers: ModelAnswers,
    imputed: ImputedMoments,
    random: np.random.Generator,
    n_draws: int,
) -> NDArray[np.float64]:
    """Compute the reliability of models of numbers on rows drawn anew.

    Labelled and other rows are drawn separately. Missing predictions are imputed once,
    from all rows, whose moments are `imputed`. The result has shape (n_draws,
    n_models).
    """
    replicates = []
    for rows in (answers.labelled, ~answers.labelled):
        blocks = _RowBlocks.from_rows(
            answers.table[rows], np.nan_to_num(answers.labels[rows]), imputed, random
        )
        replicates.append(
            blocks.reweighted(draw_counts(random, np.ones(blocks.n_blocks), n_draws))
        )
    labelled, unlabelled = replicates
    precision = _precision_of_agreement(answers.table)
    reliability = []
    for r, (error_moments, other_moments) in enumerate(
        zip(labelled.errors, unlabelled.errors, strict=True)
    ):
        prediction_moments = error_moments.without_labels().merge(other_moments)
        for part in replicates:
            if part.conditional is not None:
                scatter = prediction_moments.scatter + part.conditional[r]
                prediction_moments = replace(prediction_moments, scatter=scatter)
        with_labels, label_free, share = reliability_parts(
            error_moments,
            prediction_moments,
            {m: moments[r] for m, moments in labelled.per_model.items()},
        )
        z = np.sign(label_free) * np.sqrt(np.abs(label_free))
        z = np.arctanh(np.clip(z, -_EDGE, _EDGE))
        guessed = np.tanh(z + random.normal(size=len(z)) / precision)
        reliability.append(
            share * with_labels + (1.0 - share) * guessed * np.abs(guessed)
        )
    return np.array(reliability)


def _precision_of_agreement(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the inverse standard deviation of what agreement says, as Fisher's z.

    Agreement counts for so many rows, and is as uncertain. Missing predictions are
    imputed in the same way in all replicates, which do not show how uncertain that is:
    for a model that never answers anything is possible; for others, the doubt is that
    of a correlation on the rows that they answer, times the share that is missing.
    """
    answered = ~np.isnan(table)
    variance = (1.0 - answered.mean(axis=0)) / np.maximum(answered.sum(axis=0) - 3.0, 1)
    precision: NDArray[np.float64] = np.sqrt(
        1.0 / (1.0 / (NUMBER_ROWS - 3.0) + variance)
    )
    return precision


class _Replicates(NamedTuple):
    """What each replicate of some rows has.

    Their moments, the scatter that imputing leaves out (None if nothing is missing),
    and the moments of models that do not answer all of the rows.
    """

    errors: list[Moments]
    conditional: NDArray[np.float64] | None
    per_model: dict[int, list[Moments]]


@dataclass(frozen=True, eq=False)
class _RowBlocks:
    """Rows with or without labels, imputed and summed up in blocks at random."""

    sums: BlockMoments
    conditional: NDArray[np.float64] | None
    per_model: dict[int, BlockMoments]

    @classmethod
    def from_rows(
        cls,
        table: NDArray[np.float64],
        target: NDArray[np.float64],
        imputed: ImputedMoments,
        random: np.random.Generator,
    ) -> _RowBlocks:
        answered = ~np.isnan(table) & imputed.answering
        if imputed.patterns is not None:
            # Rows that no model answers carry no information about the models.
            rows = answered.any(axis=1)
            table, target, answered = table[rows], target[rows], answered[rows]
        n_rows, n_models = table.shape
        n_blocks = min(n_rows, _BLOCKS)
        block = random.permutation(np.arange(n_rows) % max(n_blocks, 1))
        ones = np.ones(n_rows)
        if answered.all():
            return cls(BlockMoments.from_rows(table, target, ones, block), None, {})
        model = PredictionModel.from_moments(imputed.prediction_moments)
        filled, covariance, pattern = model.fill(np.where(answered, table, np.nan))
        size = (n_blocks, len(covariance))
        counts = csr_array((ones, (block, pattern)), shape=size)
        conditional = np.zeros((n_blocks, n_models + 1, n_models + 1))
        conditional[:, :-1, :-1] = (counts @ covariance.reshape(size[1], -1)).reshape(
            n_blocks, n_models, n_models
        )
        per_model = {
            int(m): BlockMoments.from_rows(
                table[rows][:, [m]], target[rows], ones[rows], block[rows], n_blocks
            )
            for m, rows in enumerate(answered.T)
            if not rows.all()
        }
        sums = BlockMoments.from_rows(filled, target, ones, block)
        return cls(sums, conditional, per_model)

    @property
    def n_blocks(self) -> int:
        return len(self.sums.products)

    def reweighted(self, weights: NDArray[np.float64]) -> _Replicates:
        """Compute the moments under weights on the blocks, for each replicate."""
        return _Replicates(
            self.sums.reweighted(weights),
            None
            if self.conditional is None
            else np.tensordot(weights, self.conditional, 1),
            {m: sums.reweighted(weights) for m, sums in self.per_model.items()},
        )


def vote_replicates(
    counts: VoteCounts, random: np.random.Generator, n_draws: int
) -> NDArray[np.float64]:
    """Compute the reliability of voters on rows drawn anew.

    The labelled rows of each class, and the unlabelled rows, are drawn separately, so
    that no class vanishes. The result has shape (n_draws, n_models).
    """
    counts = counts.effective()
    panel = VoterEstimates.from_counts(counts)
    draws = []
    # In the blend the estimate from agreement counts for VOTE_ROWS rows. It is more
    # uncertain than these: as an estimate from DOUBTFUL_ROWS of them, or from the rows
    # that the model answers if they are fewer.
    answers = counts.answered[:, None] * panel.rates * counts.weight
    worth = DOUBTFUL_ROWS * answers / (answers + DOUBTFUL_ROWS) + _PRIOR_ROWS
    repeats = None
    for n in _chunks(n_draws, counts.labelled.size):
        labelled = np.stack(
            [draw_counts(random, weights, n) for weights in counts.labelled.T]
        )
        unlabelled = draw_counts(random, counts.unlabelled, n)
        joint, free, repeats = replicated_votes(
            counts, panel.label_free, labelled, unlabelled, repeats
        )
        right = joint.diagonal(axis1=2, axis2=3)
        # The trust in agreement is drawn anew, one for all models.
        trust = random.choice(panel.trust.shares, n, p=panel.trust.beliefs)
        trust = trust[:, None, None]
        free = trust * free + (1.0 - trust) / counts.n_classes
        # Keep a beta distribution around every estimate possible.
        free = np.clip(free, _POSSIBLE, 1.0 - _POSSIBLE)
        guessed = VOTE_ROWS * random.beta(free * worth, (1.0 - free) * worth)
        rates = (right + guessed) / (joint.sum(axis=3) + VOTE_ROWS)
        rates[:, ~panel.answers] = random.beta(
            *_UNKNOWN, rates[:, ~panel.answers].shape
        )
        draws.append(rates.mean(axis=2))
    return np.concatenate(draws)


def _chunks(total: int, size: int) -> Iterator[int]:
    step = max(1, _ELEMENTS // max(size, 1))
    while total > 0:
        yield min(step, total)
        total -= step
