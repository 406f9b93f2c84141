"""Weights for rows on which some models give no prediction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.imputation import PredictionModel
from stackingnet_sk.evidence.moments import Moments
from stackingnet_sk.weights.solution import Solution
from stackingnet_sk.weights.solve import solve_moments
from stackingnet_sk.weights.user_constraints import UserConstraints


def error_due_to_missing(
    prediction_moments: Moments,
    answered: NDArray[np.bool_],
    share: NDArray[np.float64],
    weights: NDArray[np.float64],
    slopes: NDArray[np.float64],
) -> float:
    r"""Part of the mean squared error of a combination that is due to holes alone.

    With ``P = F + U``, what the others suggest and what they leave open, of covariance
    ``R``, and ``y = b + s'P + noise``, the error of ``w'F`` is above that of ``w'P`` by
    ``2 w'Rs - w'Rw``; for the best of all weights, ``w = s``, it is ``w'Rw``.

    Parameters
    ----------
    prediction_moments : Moments
        Moments of the predictions.
    answered : ndarray of bool of shape (n_patterns, n_models)
        Who answers on labelled rows.
    share : ndarray of shape (n_patterns,)
        Weight of the rows of each pattern.
    weights : ndarray of shape (n_models,)
        The combiner.
    slopes : ndarray of shape (n_models,)
        An estimate of ``s``.

    Returns
    -------
    float
        In squared units of the target.
    """
    model = PredictionModel.from_moments(prediction_moments)
    left = model.conditional_covariance(answered, share)
    due = float(weights @ left @ (2.0 * slopes - weights))
    return due / model.scale / model.scale


def solve_pattern(
    model: PredictionModel,
    solution: Solution,
    answered: NDArray[np.bool_],
    constraint: str,
    *,
    fit_intercept: bool = True,
    solver: str = "auto",
    user_constraints: UserConstraints | None = None,
) -> Solution:
    r"""Weights of those who answer: what all would say together, as well as they can.

    The best prediction of the target from what is seen is that of the full panel's
    combination, ``E[y | P_o] = E[w'P + b | P_o]``. Its weights need not be feasible:
    these are the feasible ones that come nearest, over all rows. The shrinkage is that
    of the panel.

    Parameters
    ----------
    model : PredictionModel
        How models go together.
    solution : Solution
        The combiner of all.
    answered : ndarray of bool of shape (n_models,)
        Who answers; at least one does.
    constraint : str
        Name of the constraint set, which holds here too.
    fit_intercept : bool, default=True
        Whether to add the intercept that makes up for those who are missing.
    solver : {"auto", "cvxpy"}, default="auto"
        The native solvers, or an independent one.
    user_constraints : UserConstraints, default=None
        The user's constraints, which hold here too.

    Returns
    -------
    Solution
        Weights are zero for silent models; `objective` is the mean squared difference
        from the combination of all, in squared units of the target.
    """
    weights = np.zeros(len(solution.weights))
    if not solution.weights[~answered].any():
        return replace(solution, objective=0.0)
    moments, models = model.combination(
        answered, solution.weights, float(solution.intercept)
    )
    own = solve_moments(
        moments,
        constraint,
        fit_intercept=fit_intercept,
        solver=solver,
        user_constraints=None
        if user_constraints is None
        else user_constraints.subset(models),
    )
    weights[models] = own.weights
    return replace(own, weights=weights, expected_error=np.nan)
