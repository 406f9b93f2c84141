"""Votes: models are ranked by balanced accuracy on the test items they answered."""

from __future__ import annotations

import numpy as np

from stackingnet_sk import StackingNetClassifier

from ..black_box.classification import CLASSIFICATION
from ..black_box.classification.adversaries import VOTES, plant_cases
from ..black_box.classification.ours import DEFAULT
from ..black_box.classification.rankers import (
    LABELLED,
    OURS,
    OURS_UNLABELLED,
    RANKERS,
    WEIGHTS,
)
from ..black_box.classification.reliability import FEW, few_labels, truth
from ..black_box.classification.replica import REPLICA
from ..black_box.classification.rivals import MAJORITY, single
from ..black_box.task import Array, Method
from .half import NONE, Audit, Half, drawn

__all__ = ["VOTING"]

SINGLE = Method("best single (on labels)", single(np.argmax))
# For error rates, in which all rows count the same: may predict one class throughout.
COUNTED = Method(
    "StackingNet + U, unweighted",
    lambda given: StackingNetClassifier().fit(
        given.P, given.y, X_unlabeled=given.unlabeled
    ),
)


def balanced(groups: Array, y: Array) -> Array:
    """Return weights that let all classes of a group count the same."""
    _, cells = np.unique(np.column_stack([groups, y]), axis=0, return_inverse=True)
    return 1.0 / np.bincount(cells)[cells]


VOTING = Half(
    task=CLASSIFICATION,
    truths={"balanced accuracy": truth},
    settings={
        "10%": drawn(CLASSIFICATION, "10%"),
        "5%": drawn(CLASSIFICATION, "5%"),
        FEW: few_labels,
        NONE: lambda pair, seed: [],
    },
    leads={"10%": 0.0, "5%": 0.0, FEW: 0.03, NONE: 0.03},
    rankers=RANKERS,
    ours=OURS,
    ours_unlabelled=OURS_UNLABELLED,
    planting=VOTES,
    plant_cases=plant_cases,
    path_labels=FEW,
    path=(LABELLED, WEIGHTS, OURS_UNLABELLED, OURS),
    combine=DEFAULT,
    audits=(
        Audit("error rate", MAJORITY, SINGLE, DEFAULT, (REPLICA, COUNTED)),
        Audit("balanced error", MAJORITY, SINGLE, DEFAULT, (REPLICA,), balanced),
    ),
)
