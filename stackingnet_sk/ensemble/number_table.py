"""Tables of predicted numbers, with holes or without, to the moments of a fit."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk._compat import CALLER
from stackingnet_sk.ensemble.validation import of_unlabelled
from stackingnet_sk.predictions import check_predictions
from stackingnet_sk.weights import (
    AnswerPatterns,
    Moments,
    PredictionModel,
    complete,
)


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of a table.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_models)
        Predictions; NaN where a model is silent.
    weights : ndarray of shape (n_rows,) or None
        Weights of the rows.
    rows : ndarray of int of shape (n_rows,)
        Where they stand in the user's data.
    """

    table: NDArray
    weights: NDArray[np.float64] | None
    rows: NDArray[np.intp]

    def moments(self, target: NDArray | None = None) -> Moments:
        """Read the rows, against a target or against zero."""
        against = np.zeros(len(self.table)) if target is None else target
        return Moments.from_rows(self.table, against, self.weights)


@dataclass(frozen=True, eq=False)
class PanelMoments:
    """What the rows of a fit say of the models.

    Parameters
    ----------
    moments : Moments
        Of the labelled rows, silent models as the others suggest.
    everything : Moments
        Of the predictions alone, on all rows.
    table : ndarray of shape (n_kept, n_models)
        Predictions of the labelled rows, likewise.
    labels : ndarray of shape (n_kept,)
        Their labels.
    weights : ndarray of shape (n_kept,) or None
        Their weights.
    kept : ndarray of int of shape (n_kept,)
        Which of the labelled rows these are: those on which anybody answers.
    heard : ndarray of bool of shape (n_models,)
        Which models answer at all.
    constant : Moments
        Of all labels alone.
    patterns : ndarray of bool of shape (n_kept, n_models) or None
        Who answers on the labelled rows; None: all do.
    alone : dict of int to Moments
        Of each model that is silent somewhere, the moments of the labelled rows that it
        answers.
    """

    moments: Moments
    everything: Moments
    table: NDArray
    labels: NDArray[np.float64]
    weights: NDArray[np.float64] | None
    kept: NDArray[np.intp]
    heard: NDArray[np.bool_]
    constant: Moments
    patterns: NDArray[np.bool_] | None = None
    alone: dict[int, Moments] = field(default_factory=dict)

    def of_rows(self, rows: NDArray[np.intp]) -> Moments | None:
        """Moments of some of the labelled rows.

        Parameters
        ----------
        rows : ndarray of int
            Which of those that are kept.

        Returns
        -------
        Moments or None
            None where none of them has a weight.
        """
        share = None if self.weights is None else self.weights[rows]
        own = Moments.from_rows(self.table[rows], self.labels[rows], share)
        return own if own.weight > 0 else None


def read_blocks(
    labelled: Block,
    y: NDArray[np.float64],
    unlabelled: Block,
    more: Block | None,
    names: NDArray,
) -> PanelMoments:
    """Read the rows of a fit.

    Parameters
    ----------
    labelled : Block
        Rows with labels.
    y : ndarray of shape (n_labelled,)
        Their labels.
    unlabelled : Block
        Rows of `X` without.
    more : Block or None
        Rows of `X_unlabeled`.
    names : ndarray of shape (n_models,)
        Names of the models.

    Returns
    -------
    PanelMoments

    Raises
    ------
    ValueError
        If a prediction is infinite, or there is none at all.

    Warns
    -----
    UserWarning
        If a model never answers.
    """
    others = [unlabelled] if more is None else [unlabelled, more]
    moments = labelled.moments(y)
    everything = moments.without_labels()
    finite = moments.is_finite
    for block in others:
        own = block.moments()
        finite = finite and own.is_finite
        everything = everything.merge(own) if finite else everything
    if finite:
        heard = np.ones(len(names), dtype=bool)
        return PanelMoments(
            moments,
            everything,
            labelled.table,
            y,
            labelled.weights,
            np.arange(len(y)),
            heard,
            moments.subset(np.arange(0)),
        )
    blocks = [labelled, *others]
    for block in blocks:
        with of_unlabelled() if block is more else nullcontext():
            check_predictions(block.table, names, block.rows, allow_missing=True)
    if not any(np.isnan(block.table).any() for block in blocks):
        raise ValueError(
            "The sums over all rows overflow; divide sample_weight by its largest."
        )
    return _read_with_holes(labelled, y, blocks, names)


def _read_with_holes(
    labelled: Block, y: NDArray[np.float64], blocks: Sequence[Block], names: NDArray
) -> PanelMoments:
    rows = np.vstack([block.table for block in blocks])
    weights = np.concatenate(
        [
            np.ones(len(block.table)) if block.weights is None else block.weights
            for block in blocks
        ]
    )
    answered = ~np.isnan(rows)
    heard = answered[weights > 0].any(axis=0)
    if not heard.any():
        raise ValueError(
            "No model answers on any row: all predictions are NaN; give predictions."
        )
    if not heard.all():
        warnings.warn(
            f"{[str(name) for name in names[~heard][:5]]} never answer (of "
            f"{len(names)} models {np.count_nonzero(~heard)}): nothing is known of "
            "them, and they get no weight. Drop them.",
            UserWarning,
            stacklevel=CALLER + 2,
        )
    known = complete(AnswerPatterns.from_rows(rows[:, heard], weights))
    patterns = answered[: len(y)]
    # What nobody has answered says nothing of the models, and its label would pass for
    # an error of theirs.
    kept = patterns[:, heard].any(axis=1).nonzero()[0]
    kept = kept if kept.size else np.arange(len(y))
    own = Block(
        np.zeros((len(kept), len(names))),
        None if labelled.weights is None else labelled.weights[kept],
        labelled.rows[kept],
    )
    seen = labelled.table[kept]
    own.table[:, heard] = PredictionModel.from_moments(known).fill(seen[:, heard])
    alone = {}
    for m in np.flatnonzero(~patterns.all(axis=0)):
        rows = patterns[kept, m]
        share = None if own.weights is None else own.weights[rows]
        alone[int(m)] = Moments.from_rows(seen[rows][:, [m]], y[kept][rows], share)
    return PanelMoments(
        own.moments(y[kept]),
        _with_silent(known, heard),
        own.table,
        y[kept],
        own.weights,
        kept,
        heard,
        Moments.from_rows(np.empty((len(y), 0)), y, labelled.weights),
        patterns[kept],
        alone,
    )


def _with_silent(known: Moments, heard: NDArray[np.bool_]) -> Moments:
    """Add models of which nothing is known, constant at zero."""
    place = np.append(np.flatnonzero(heard), len(heard))
    mean = np.zeros(len(heard) + 1)
    scatter = np.zeros((len(mean), len(mean)))
    mean[place] = known.mean
    scatter[np.ix_(place, place)] = known.scatter
    return Moments(
        known.weight, known.n_rows, mean, scatter, known.weight_norm, known.scale
    )
