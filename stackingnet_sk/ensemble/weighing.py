"""From what models say, and the parameters, to the problem that is solved."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.ensemble.class_labels import check_class_weight
from stackingnet_sk.ensemble.decision import shift_prior
from stackingnet_sk.ensemble.validation import check_shrinkage
from stackingnet_sk.predictions import ClassAnswers
from stackingnet_sk.weights import (
    Panel,
    Solution,
    VoteCounts,
    solve_pool,
    solve_pool_unlabelled,
    solve_votes,
    solve_votes_unlabelled,
)

# Pseudo-observations of "auto". On real votes 30 to 100 serve from 1 % labels to 10 %;
# probabilities are finer, and 10 to 20 serve from 20 labels to thousands.
_AUTO_VOTES = 50.0
_AUTO_PROBABILITIES = 20.0


def weigh(
    estimator: Any,
    counts: VoteCounts,
    answers: ClassAnswers | None = None,
    codes: NDArray[np.intp] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> tuple[Solution, Panel, NDArray[np.float64]]:
    """Solve for the weights of a classifier.

    Parameters
    ----------
    estimator : StackingNetClassifier
        With its parameters and `classes_`.
    counts : VoteCounts
        All rows of votes, labelled or not.
    answers : ClassAnswers, default=None
        Probabilities on the labelled rows, if models gave some.
    codes : ndarray of int of shape (n_labelled,), default=None
        Labels of these rows.
    weights : ndarray of shape (n_labelled,), default=None
        Their weights.

    Returns
    -------
    solution : Solution
    panel : Panel
        What is known of the models.
    class_prior : ndarray of shape (n_classes,)
        Class prior in force.

    Raises
    ------
    ValueError
        If there are more distinct rows of votes than `max_patterns`.
    """
    if len(counts) > estimator.max_patterns:
        raise ValueError(
            f"There are {len(counts)} distinct rows of votes, more than "
            f"max_patterns={estimator.max_patterns}; raise it if memory allows, or "
            "combine fewer models."
        )
    kish, counts = counts.kish, counts.effective()
    n_classes = counts.n_classes
    n_labelled = counts.n_labelled
    class_weight = check_class_weight(
        estimator.class_weight, estimator.classes_, n_labelled
    )
    panel = Panel.from_counts(counts)
    if isinstance(estimator.class_weight, str):
        prior = np.full(n_classes, 1.0 / n_classes)
    else:
        prior = panel.rates * class_weight
        prior /= prior.sum()
    linear = estimator.pool == "linear"
    if not n_labelled.any():
        free = solve_pool_unlabelled if linear else solve_votes_unlabelled
        return free(panel, prior), panel, prior
    # Kish's effective number of rows, class weights included.
    total = float(n_labelled @ class_weight)
    share = total / float(n_labelled @ np.square(class_weight))
    row_weight = class_weight * share
    strength = check_shrinkage(estimator)
    given = answers is not None and answers.probabilities is not None
    if isinstance(strength, str):
        strength = _AUTO_PROBABILITIES if given else _AUTO_VOTES
    common: dict[str, Any] = {"shrinkage": strength, "solver": estimator.solver}
    if answers is None or answers.probabilities is None or codes is None:
        rows = np.flatnonzero(counts.labelled.sum(axis=1))
        design: Any = counts.design[rows]
        labelled = counts.labelled[rows] * row_weight
    else:
        own = kish * row_weight[codes]
        own = own if weights is None else own * weights
        if linear:
            table = shift_prior(answers, prior / panel.rates, prior)
            likelihood = table[np.arange(len(codes)), :, codes]
            return solve_pool(likelihood, own, panel, prior, **common), panel, prior
        design = answers.probabilities.reshape(len(codes), -1)
        labelled = np.eye(n_classes)[codes] * own[:, None]
    common["structure"] = estimator.structure
    solution = solve_votes(design, labelled, panel, prior, row_weight, **common)
    return solution, panel, prior
