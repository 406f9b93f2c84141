"""Reliability of models on many reweighted copies of the rows.

A bootstrap replicate is a vector of weights on the counts of votes or on blocks of
rows; no row is copied. All replicates are computed together, as products of matrices.
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from stackingnet_sk.evidence.counts import VoteCounts
from stackingnet_sk.weights.dawid_skene import DawidSkene, identified
from stackingnet_sk.weights.shapes import Array, Table, Weights

# Largest share of a step of expectation maximization that the next step is assumed to
# repeat. It bounds how far the steps are extrapolated.
_SLOWEST = 0.9
# Number of replicates that take a third step, from which that share is estimated.
_THIRD_STEPS = 20


def replicated_votes(
    counts: VoteCounts,
    label_free: DawidSkene,
    labelled: Array,
    unlabelled: Table,
    repeats: Weights | None = None,
) -> tuple[Array, Array, Weights]:
    """Count labelled votes, and estimate from agreement, under weights on the counts.

    The estimate takes two steps of expectation maximization from the estimate
    `label_free` of all rows. Near the fixed point each step repeats a share of the step
    before (Aitken), which differs between models. Some replicates take a third step to
    estimate that share (unless it is given as `repeats`), and the
    remaining way is extrapolated.

    `labelled`, of shape (n_classes, n_replicates, n_patterns), is the weight of each
    pattern with each label, and `unlabelled`, of shape (n_replicates, n_patterns), that
    without a label. Returns the weight of the labelled votes by true class and class
    voted for, of shape (n_replicates, n_models, n_classes, n_classes); the estimated
    probability that a model, when it answers, is right on each class, of shape
    (n_replicates, n_models, n_classes); and `repeats`.
    """
    n_models, n_classes = counts.n_models, counts.n_classes
    # The design is dense, as products of dense matrices are fast despite its zeros.
    design: Array = counts.design.toarray()

    def count(weights: Table) -> Array:
        """Sum weights of (replicates, patterns) by model and class voted for."""
        return (weights @ design).reshape(-1, n_models, n_classes)

    def maximize(joint: Array, rates: Table) -> tuple[Array, Array, Table]:
        """Estimate right answers, confusion and prior of each replicate."""
        confusion, prior = label_free.structure.estimate(
            joint, rates, label_free.shares
        )
        return confusion.diagonal(axis1=2, axis2=3), confusion, prior

    joint = np.stack([count(weights) for weights in labelled], axis=2)
    zeros = np.zeros(n_models)
    if not identified(counts):
        start = label_free.confusion.diagonal(axis1=1, axis2=2)
        return joint, np.repeat(start[None], len(unlabelled), axis=0), zeros
    labelled_rates = labelled.sum(axis=2).T
    if not unlabelled.any():
        return joint, maximize(joint, labelled_rates)[0], zeros

    def step(posterior: Array, replicates: slice) -> tuple[Array, ...]:
        """Maximize, given class probabilities of (classes, replicates, patterns)."""
        parts = [unlabelled[replicates] * probability for probability in posterior]
        expected = np.stack([count(part) for part in parts], axis=2)
        rates = np.stack([part.sum(axis=1) for part in parts], axis=1)
        return maximize(
            joint[replicates] + expected, labelled_rates[replicates] + rates
        )

    def expect(confusion: Array, prior: Table) -> Array:
        """Return class probabilities of (classes, replicates, patterns)."""
        votes = np.log(confusion) * label_free.shares[:, None, None]
        votes = votes.transpose(2, 0, 1, 3)
        votes = votes.reshape(n_classes, -1, design.shape[1])
        scores = votes @ design.T + np.log(prior.T)[:, :, None]
        shares: Array = softmax(scores, axis=0)
        return shares

    all_replicates, sample = slice(None), slice(_THIRD_STEPS)
    first, *estimates = step(label_free.posterior.T, all_replicates)
    second, *estimates = step(expect(*estimates), all_replicates)
    moved = second - first
    if repeats is None:
        third = step(expect(*(estimate[sample] for estimate in estimates)), sample)[0]
        along = (moved[sample] * (third - second[sample])).sum(axis=(0, 2))
        size = np.square(moved[sample]).sum(axis=(0, 2))
        share = np.divide(along, size, out=zeros, where=size > 0)
        repeats = np.clip(share, 0.0, _SLOWEST)
    further = (repeats / (1.0 - repeats))[:, None]
    return joint, np.clip(second + further * moved, 0.0, 1.0), repeats
