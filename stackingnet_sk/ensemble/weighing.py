"""From what models say, and the parameters, to the problem that is solved."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.ensemble.class_labels import check_class_weight
from stackingnet_sk.ensemble.decision import opinions, shift_prior
from stackingnet_sk.ensemble.user_constraints import Columns, make_user_constraints
from stackingnet_sk.ensemble.validation import check_shrinkage
from stackingnet_sk.evidence import VoteCounts
from stackingnet_sk.predictions import ClassAnswers
from stackingnet_sk.weights import (
    Solution,
    VoterEstimates,
    solve_pool,
    solve_pool_unlabelled,
    solve_votes,
    solve_votes_unlabelled,
)

# Pseudo-observations of "auto". On real votes 30 to 100 serve from 1 % labels to 10 %.
# On probabilities of fitted members, from 20 labels to thousands, 50 to 150 serve for
# the evidence in them, which varies more, and 10 to 20 for the linear pool.
_AUTO = {"votes": 50.0, "proba": 100.0, "linear": 20.0}


def kind_of_input(pool: str, *answers: ClassAnswers) -> str:
    """Tell whether models give probabilities, or votes in whatever form.

    Parameters
    ----------
    pool : str
        The linear pool mixes probabilities in any case.
    *answers : ClassAnswers
        All answers.

    Returns
    -------
    {"votes", "proba"}
    """
    sure = all(each.sure for each in answers)
    return "votes" if sure and pool != "linear" else "proba"


def weigh(
    estimator: Any,
    counts: VoteCounts,
    answers: ClassAnswers | None = None,
    codes: NDArray[np.intp] | None = None,
    weights: NDArray[np.float64] | None = None,
    columns: Columns = (),
    *,
    constraint: Any = None,
) -> tuple[Solution, VoterEstimates, NDArray[np.float64]]:
    """Solve for the weights of a classifier.

    Parameters
    ----------
    estimator : StackingNetClassifier
        With its parameters, `classes_` and `input_`.
    counts : VoteCounts
        All rows of votes, labelled or not.
    answers : ClassAnswers, default=None
        Probabilities on the labelled rows, if models gave some.
    codes : ndarray of int of shape (n_labelled,), default=None
        Labels of these rows.
    weights : ndarray of shape (n_labelled,), default=None
        Their weights.
    columns : sequence of mapping of str to ndarray of int, default=()
        Which of these rows are of each group.
    constraint : Constraint or callable, default=None
        The user's limits.

    Returns
    -------
    solution : Solution
    panel : VoterEstimates
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
    panel = VoterEstimates.from_counts(counts)
    if isinstance(estimator.class_weight, str):
        prior = np.full(n_classes, 1.0 / n_classes)
    else:
        prior = panel.rates * class_weight
        prior /= prior.sum()
    linear = estimator.pool == "linear"
    given = answers is not None and estimator.input_ == "proba"
    center = panel.opinion_weights if given else panel.vote_weights
    if constraint is not None and not n_labelled.any():
        raise ValueError(
            f"constraint={constraint!r} needs labels: without, weights follow from the "
            "agreement of the models alone. Label some rows, or set constraint=None."
        )
    if not n_labelled.any():
        if linear:
            return solve_pool_unlabelled(panel, prior), panel, prior
        return solve_votes_unlabelled(panel, center, prior), panel, prior
    # Kish's effective number of rows, class weights included.
    total = float(n_labelled @ class_weight)
    share = total / float(n_labelled @ np.square(class_weight))
    row_weight = class_weight * share
    strength = check_shrinkage(estimator)
    if isinstance(strength, str):
        kind = "linear" if linear else "proba"
        strength = _AUTO[kind if given else "votes"]
    common: dict[str, Any] = {"shrinkage": strength, "solver": estimator.solver}
    if answers is None or codes is None:
        # Counts alone say neither probabilities nor which rows are of a group.
        answers, codes = ClassAnswers(counts.patterns[:0]), np.arange(0)
    linear = linear and given
    own_weights = np.ones(len(codes)) if weights is None else weights
    truth = np.eye(n_classes)[codes]
    if not given:
        rows = np.flatnonzero(counts.labelled.sum(axis=1))
        design: Any = counts.design[rows]
        labelled = counts.labelled[rows] * row_weight
    else:
        own = kish * row_weight[codes] * own_weights
        if linear:
            table = shift_prior(answers, prior / panel.rates, prior)
            design = table[np.arange(len(codes)), :, codes]
        else:
            design = opinions(answers, panel.rates).reshape(len(codes), -1)
            labelled = truth * own[:, None]

    heard: NDArray[np.bool_] = np.any(answers.given, axis=1)

    def facts(of: NDArray[np.intp]) -> tuple[Any, NDArray[np.float64]] | None:
        # Where nobody answers the prediction is the class prior, whatever the weights.
        of = of[heard[of] & (own_weights[of] > 0)]
        if not of.size:
            return None
        if linear:
            return design[of], own_weights[of]
        if given:
            return design[of], truth[of] * own_weights[of, None]
        votes = answers.votes[of]
        seen = VoteCounts.from_rows(votes, codes[of], n_classes, own_weights[of])
        return seen.design, seen.labelled

    if constraint is not None:
        names = estimator.model_names_
        common["user_constraints"] = make_user_constraints(
            constraint, names, columns, facts
        )
    if linear:
        return solve_pool(design, own, panel, prior, **common), panel, prior
    common["structure"] = estimator.structure
    solution = solve_votes(design, labelled, panel, center, prior, row_weight, **common)
    return solution, panel, prior
