"""Reliability again and again, on reweighted rows.

A replicate of the bootstrap is a vector of weights on cells of counts, or on blocks of
rows; no row is copied. Replicates are computed side by side, as products of matrices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from stackingnet_sk.evidence.counts import VoteCounts
from stackingnet_sk.weights.dawid_skene import DawidSkene, em_step, identified

# Beyond this share of a step repeated by the next, steps of EM are not extrapolated.
_SLOWEST = 0.9
# Replicates that take a third step, to see that share.
_THIRD_STEPS = 20


def replicated_votes(
    counts: VoteCounts,
    label_free: DawidSkene,
    labelled: NDArray[np.float64],
    unlabelled: NDArray[np.float64],
    repeats: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Count labelled votes, and estimate from agreement, under weights on the counts.

    The estimate takes two steps of expectation maximization from that of all rows. Near
    its fixed point each step repeats a share of the one before (Aitken), of each model
    another; the share is seen where some replicates take a third step, and the rest of
    the way is added.

    Parameters
    ----------
    counts : VoteCounts
        The distinct rows of votes.
    label_free : DawidSkene
        Their estimate.
    labelled : ndarray of shape (n_classes, n_replicates, n_patterns)
        Weight of each row of votes with each label.
    unlabelled : ndarray of shape (n_replicates, n_patterns)
        Weight of each without.
    repeats : ndarray of shape (n_models,), default=None
        The shares, where they are known.

    Returns
    -------
    joint : ndarray of shape (n_replicates, n_models, n_classes, n_classes)
        Weight of the labelled votes, by true class and class voted for.
    right : ndarray of shape (n_replicates, n_models, n_classes)
        Estimated probability that a model, when it answers, is right on each class.
    repeats : ndarray of shape (n_models,)
        Share of a step that the next one repeats.
    """
    n_models, n_classes = counts.n_models, counts.n_classes
    # Dense: products of matrices are worth more than the zeros they multiply.
    design: NDArray[np.float64] = counts.design.toarray()

    def count(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return (weights @ design).reshape(-1, n_models, n_classes)

    joint = np.stack([count(own) for own in labelled], axis=2)
    nothing = np.zeros(n_models)
    if not identified(counts):
        start = label_free.confusion.diagonal(axis1=1, axis2=2)
        return joint, np.repeat(start[None], len(unlabelled), axis=0), nothing
    known = labelled.sum(axis=2).T
    if not unlabelled.any():
        return joint, _maximize(joint, known)[0], nothing

    def step(
        guess: NDArray[np.float64], some: slice
    ) -> tuple[NDArray[np.float64], ...]:
        """Maximize, given probabilities of the (classes, replicates, rows)."""
        parts = [unlabelled[some] * own for own in guess]
        guessed = np.stack([count(part) for part in parts], axis=2)
        rates = np.stack([part.sum(axis=1) for part in parts], axis=1)
        return _maximize(joint[some] + guessed, known[some] + rates)

    def expect(
        confusion: NDArray[np.float64], prior: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return probabilities of the (classes, replicates, rows)."""
        votes = np.log(confusion).transpose(2, 0, 1, 3)
        votes = votes.reshape(n_classes, -1, design.shape[1])
        scores = votes @ design.T + np.log(prior.T)[:, :, None]
        shares: NDArray[np.float64] = softmax(scores, axis=0)
        return shares

    everywhere, some = slice(None), slice(_THIRD_STEPS)
    first, *found = step(label_free.posterior.T, everywhere)
    second, *found = step(expect(*found), everywhere)
    moved = second - first
    if repeats is None:
        third = step(expect(*(each[some] for each in found)), some)[0]
        along = (moved[some] * (third - second[some])).sum(axis=(0, 2))
        size = np.square(moved[some]).sum(axis=(0, 2))
        share = np.divide(along, size, out=nothing, where=size > 0)
        repeats = np.clip(share, 0.0, _SLOWEST)
    further = (repeats / (1.0 - repeats))[:, None]
    return joint, np.clip(second + further * moved, 0.0, 1.0), repeats


def _maximize(
    joint: NDArray[np.float64], rates: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Estimate right answers, confusion and prior of each replicate."""
    found = [em_step(own, rate) for own, rate in zip(joint, rates, strict=True)]
    confusion = np.array([confusion for confusion, _ in found])
    prior = np.array([prior for _, prior in found])
    return confusion.diagonal(axis1=2, axis2=3), confusion, prior
