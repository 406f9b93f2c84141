"""The shapes of arrays, by the names that the signatures of this room use.

M is the number of models, K the number of classes. Every array is of floats, except
`Models`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Any shape; a docstring gives it where it matters.
Array = NDArray[np.float64]
# (n,): one number per row, coefficient or iteration.
Vector = Array
# (n_rows, n_columns): a column per model or class, a row per item or pattern of votes.
Table = Array
# (M,): one number per model.
Weights = Array
# (M, M): one number per pair of models.
Covariance = Array
# (K,): one number per class.
Rates = Array
# (M, K, K): entry [m, k, a] is about the votes of model m for class a on items of class
# k. It is a weight of rows, or the probability of the vote, where rows sum to one.
Confusion = Array
# (M, K, K): entry [m, a, k] is what a vote of model m for class a adds to the score of
# class k.
VoteWeights = Array
# (n,): a point of a problem, whose class says what its entries are.
Point = Array
# (n,): numbers of models, from zero.
Models = NDArray[np.intp]
