"""Log loss of votes or of opinions, as a problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stackingnet_sk.weights.cvxpy_solver import import_cvxpy
from stackingnet_sk.weights.log_loss import LogLossObjective
from stackingnet_sk.weights.newton import minimize_log_loss
from stackingnet_sk.weights.problem import (
    Certificate,
    Combination,
    ConicProblem,
    LogLossProblem,
    Minimum,
)
from stackingnet_sk.weights.shapes import Point, Table
from stackingnet_sk.weights.structures import Shared, Structure
from stackingnet_sk.weights.user_constraints import UserConstraints, View
from stackingnet_sk.weights.vote_prior import margins, only_votes


@dataclass(frozen=True, eq=False)
class VotesProblem(LogLossProblem):
    """Penalized log loss of all rows.

    A point is the intercepts, followed by the coefficients.
    """

    objective: LogLossObjective

    @property
    def name(self) -> str:
        """Name of the structure."""
        return str(self.objective.structure.name)

    def minimize(self) -> Minimum:
        """Minimize by Newton steps; of several optima take centred intercepts."""
        point, iterations = minimize_log_loss(self.objective)
        if self.objective.strength == 0:
            # Raising all intercepts alike changes no probability.
            intercepts = slice(self.objective.n_classes)
            point[intercepts] -= point[intercepts].mean()
        return Minimum(point, iterations)

    def certify(self, point: Point) -> Certificate:
        """Certify intercepts and coefficients; the objective is per row."""
        gap, residual = self.objective.certify(point)
        violation = max(0.0, float((self.objective.lower - point).max()))
        value = self.value(point) / float(self.objective.labelled.sum())
        return Certificate(gap, residual, violation, value)

    def proof(self, certificate: Certificate) -> tuple[float, ...]:
        """Return the gap, which follows from the residual by strong convexity.

        Without a prior the gap is only the loss itself, which is never negative. Then
        either figure proves the optimum.
        """
        if self.objective.strength > 0:
            return (certificate.gap,)
        return (min(certificate.gap, certificate.residual),)

    def project(self, point: Point) -> Point:
        """Apply the bounds."""
        return np.maximum(point, self.objective.lower)

    def combination(self, point: Point) -> Combination:
        """Return the weights, the intercepts with the class prior, and the matrices."""
        intercepts, coefficients = np.split(point, [self.objective.n_classes])
        structure = self.objective.structure
        vote_weights = structure.vote_weights(coefficients)
        return Combination(
            margins(vote_weights),
            intercepts + self.objective.offset,
            vote_weights,
            structure.abstention(coefficients),
        )

    def point_of(self, combination: Combination) -> Point:
        """Return intercepts without the class prior, and coefficients."""
        structure, coefficients = self.objective.structure, combination.weights
        if not isinstance(structure, Shared):
            assert combination.vote_weights is not None
            evidence = only_votes(combination.vote_weights)
            if combination.abstention is not None:
                evidence[:, -1] = combination.abstention
            coefficients = structure.coefficients(evidence)
        intercepts = combination.intercept - self.objective.offset
        return np.concatenate([intercepts, coefficients])

    def conic(
        self, user_constraints: UserConstraints | None = None, unit: float | None = None
    ) -> ConicProblem:
        """Express the problem in cvxpy's terms, for objectives of about `unit`."""
        cp, objective = import_cvxpy(), self.objective
        unit = objective.scale if unit is None else unit
        variable = cp.Variable(len(objective.start))
        z = self._scores(variable, objective.structure)
        loss = objective.weights @ cp.log_sum_exp(z, axis=1)
        loss -= cp.sum(cp.multiply(objective.labelled, z))
        values, vectors = np.linalg.eigh(objective.prior_form())
        root = (vectors * np.sqrt(np.maximum(values, 0.0))).T
        loss += 0.5 * cp.sum_squares(root @ (variable - objective.start))
        bounded = np.isfinite(objective.lower)
        hard = []
        if bounded.any():
            hard.append(variable[bounded] >= objective.lower[bounded])
        return ConicProblem(
            variable,
            np.ones(len(objective.start)),
            loss / unit,
            hard,
            lambda point: objective.gradient(point) / unit,
            self._view(variable, user_constraints or UserConstraints()),
            unit,
        )

    def _scores(self, variable: Any, structure: Structure) -> Any:
        """Return the scores of the rows of a structure, in cvxpy's terms."""
        cp, objective = import_cvxpy(), self.objective
        n_classes = objective.n_classes
        # Scores are linear: their columns are those of the unit vectors.
        units = np.eye(len(objective.center))
        matrix = np.column_stack([structure.scores(unit).ravel() for unit in units])
        shape = (len(matrix) // n_classes, n_classes)
        linear = cp.reshape(matrix @ variable[n_classes:], shape, order="C")
        shift = cp.reshape(variable[:n_classes], (1, n_classes), order="C")
        return linear + np.ones((shape[0], 1)) @ shift + objective.offset[None, :]

    def _view(self, variable: Any, user_constraints: UserConstraints) -> View:
        """Express what user constraints can refer to."""
        cp, objective = import_cvxpy(), self.objective
        structure, n_classes = objective.structure, objective.n_classes
        units = np.eye(len(objective.center))
        columns = [margins(structure.vote_weights(unit)) for unit in units]

        def scores_of(design: Any) -> Any:
            kind: Any = type(structure)
            return self._scores(variable, kind(design, n_classes))

        def above_average(group: tuple[Any, Table]) -> Any:
            design, labelled = group
            total = labelled.sum(axis=1, keepdims=True)
            shares = labelled - total / n_classes
            return cp.sum(cp.multiply(shares, scores_of(design))) / labelled.sum()

        def log_loss(group: tuple[Any, Table]) -> Any:
            design, labelled = group
            z = scores_of(design)
            per_row = labelled.sum(axis=1) @ cp.log_sum_exp(z, axis=1)
            return (per_row - cp.sum(cp.multiply(labelled, z))) / labelled.sum()

        weights = np.column_stack(columns) @ variable[n_classes:]
        if user_constraints.models is not None:
            weights = user_constraints.embedding @ weights
        return View(
            cp,
            weights,
            variable[:n_classes] + objective.offset,
            user_constraints.names,
            lambda: user_constraints.per_group(above_average),
            lambda: user_constraints.per_group(log_loss),
            1.0,
        )
