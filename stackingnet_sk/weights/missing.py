"""Weights for rows on which some models give no prediction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.evidence.imputation import PredictionModel
from stackingnet_sk.evidence.moments import Moments
from stackingnet_sk.weights.shapes import Vector, Weights
from stackingnet_sk.weights.solution import Solution
from stackingnet_sk.weights.solve import solve_moments
from stackingnet_sk.weights.user_constraints import UserConstraints


def error_due_to_missing(
    prediction_moments: Moments,
    answered: NDArray[np.bool_],
    share: Vector,
    weights: Weights,
    slopes: Weights,
) -> float:
    """Return the mean squared error that is due to missing predictions alone.

    With ``P = F + U``, the imputed predictions and their errors, of covariance ``R``,
    and ``y = b + s'P + noise``, the error of ``w'F`` is above that of ``w'P`` by ``2
    w'Rs - w'Rw``; for the best of all weights, ``w = s``, it is ``w'Rw``. `answered`
    and `share` are the patterns of the labelled rows and their weights, and `slopes` is
    an estimate of ``s``. The result is in squared units of the target.
    """
    model = PredictionModel.from_moments(prediction_moments)
    covariance = model.conditional_covariance(answered, share)
    error = float(weights @ covariance @ (2.0 * slopes - weights))
    return error / model.scale / model.scale


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
    """Solve for the weights of the models that answer.

    The best prediction of the target from the observed predictions is that of the
    combination of all models, ``E[y | P_o] = E[w'P + b | P_o]``. Its weights need not
    be feasible, so these are the feasible ones that come nearest, over all rows, under
    the same constraints and with the same shrinkage.

    Weights are zero for models that abstain. The objective is the mean squared
    difference from the combination of all, in squared units of the target. There is a
    problem for each pattern, so the solution keeps none, and `recheck` gives infinity.
    """
    if not solution.weights[~answered].any():
        return replace(solution, objective=0.0, problem=None)
    moments, models = model.combination(
        answered, solution.weights, float(solution.intercept)
    )
    nearest = solve_moments(
        moments,
        constraint,
        fit_intercept=fit_intercept,
        solver=solver,
        user_constraints=None
        if user_constraints is None
        else user_constraints.subset(models),
    )
    nearest = nearest.expanded(models, len(answered))
    return replace(nearest, expected_error=np.nan, problem=None)
