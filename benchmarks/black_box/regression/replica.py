"""The training of the StackingNet authors (Li et al., arXiv 2602.13792), in numpy.

Predictions and labels are normalized to [0, 1] by the range; weights start at 1/M and
the bias at 0; 100 steps of full-batch Adam (Kingma & Ba 2015) at rate 1e-3 on the mean
squared error, with weights and bias clamped at 0 after each step. Strength: it cannot
go far from the average, so few labels suffice. Limit: for the same reason more labels
hardly help, and a bias below 0, which five of six raters would need, is excluded.
"""

from __future__ import annotations

import numpy as np

from ..task import Given, Method
from .combination import Combination

__all__ = ["PUBLISHED", "REPLICA", "train"]

EPOCHS, RATE, DECAY, SQUARE_DECAY, EPSILON = 100, 1e-3, 0.9, 0.999, 1e-8

# Mean absolute errors at 1 %, seeds 0 to 4. Nothing else knows names of tables.
PUBLISHED = {"rating_ICLR2024": 0.957, "rating_NeurIPS2023": 0.600}


def train(given: Given) -> Combination:
    """Return the combination after the last epoch, in original units."""
    low, width = given.domain.low, given.domain.high - given.domain.low
    M = given.P.shape[1]
    # A column of ones: the bias is the last parameter, under the same clamp.
    A = np.column_stack([(given.P - low) / width, np.ones(len(given.y))])
    target = (given.y - low) / width
    theta = np.append(np.full(M, 1.0 / M), 0.0)
    mean, square = np.zeros(M + 1), np.zeros(M + 1)
    for step in range(1, EPOCHS + 1):
        gradient = 2.0 * A.T @ (A @ theta - target) / len(target)
        mean = DECAY * mean + (1.0 - DECAY) * gradient
        square = SQUARE_DECAY * square + (1.0 - SQUARE_DECAY) * gradient**2
        scale = np.sqrt(square / (1.0 - SQUARE_DECAY**step)) + EPSILON
        theta = theta - RATE * mean / (1.0 - DECAY**step) / scale
        theta = np.maximum(theta, 0.0)
    weights, bias = theta[:M], theta[M]
    return Combination(weights, low * (1.0 - weights.sum()) + bias * width)


REPLICA = Method("authors' training (replica)", train)
