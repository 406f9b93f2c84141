"""How far to trust agreement: it overstates the accuracy of a whole panel.

Models that err on the same items agree on their errors, and take each other for more
accurate than they are. Of the accuracy above chance that agreement shows, a share is
real, the same share for all models of a panel: its trust. It has a prior, and the
labelled answers of all models together say more about it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stackingnet_sk.weights.shapes import Array, Confusion, Weights

# Parameters of the Beta prior: its mean is 0.79 and its standard deviation 0.2. That is
# what families of tables have on the mean and between tables: language models' answers
# 0.65, their judgements of texts 0.8, crowds 0.7, and generated independent voters 1.
# With one of the first three left out, the mean is 0.76 to 0.83.
_PRIOR = (2.5, 0.67)
_GRID = 101
# Number of rows of each class from which a model's accuracy would be as uncertain as it
# is from agreement, once the trust is known.
DOUBTFUL_ROWS = 20.0


class Trust(NamedTuple):
    """Shares of the accuracy above chance, and the probability of each."""

    shares: Weights
    beliefs: Weights

    @property
    def mean(self) -> float:
        """Posterior mean."""
        return float(self.shares @ self.beliefs)


def estimate_trust(
    labelled: Confusion,
    confusion: Confusion,
    voters: Weights,
    correlation: float,
) -> Trust:
    """Estimate how far agreement can be trusted, from the labelled votes of all models.

    `labelled` is the weight of labelled votes by model, true class and class voted for,
    and `confusion` what agreement shows. `voters` is what each model counts. Models
    that err together say less: their log-likelihood is divided by ``1 + (M - 1) rho``,
    as the variance of their mean is multiplied (Kish's design effect).
    """
    shares = (np.arange(_GRID) + 0.5) / _GRID
    a, b = _PRIOR
    log_belief = (a - 1.0) * np.log(shares) + (b - 1.0) * np.log1p(-shares)
    right = labelled.diagonal(axis1=1, axis2=2)
    wrong = labelled.sum(axis=2) - right
    hits = believed(confusion, shares[:, None, None, None]).diagonal(axis1=2, axis2=3)
    hits = np.clip(hits, 1e-12, 1.0 - 1e-12)
    likelihood = right * np.log(hits) + wrong * np.log1p(-hits)
    effect = 1.0 + max(float(voters.sum()) - 1.0, 0.0) * correlation
    log_belief = log_belief + (likelihood.sum(axis=2) @ voters) / effect
    beliefs = np.exp(log_belief - log_belief.max())
    return Trust(shares, beliefs / float(beliefs.sum()))


def believed(confusion: Array, trust: Array | float) -> Array:
    """Mix confusion matrices with guessing, with a trust below one."""
    mixed: Array = trust * confusion + (1.0 - trust) / confusion.shape[-1]
    return mixed
