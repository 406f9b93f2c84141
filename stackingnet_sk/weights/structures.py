"""How votes become scores: one weight or one matrix per model, abstaining or not.

A structure maps coefficients to scores, ``z_i = H_i c``, linear in both. To add one,
write its class and put it into ``STRUCTURES``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from stackingnet_sk.weights.shapes import Array, Table, Vector, VoteWeights
from stackingnet_sk.weights.vote_prior import margins

Rows = NDArray[np.intp]


class Structure(Protocol):
    """What the log-loss objective needs of a structure."""

    name: ClassVar[str]
    lower: ClassVar[float]

    def of_rows(self, rows: Rows) -> Structure:
        """Return the same structure of some of the rows."""

    def coefficients(self, evidence: Array) -> Vector:
        """Coefficients nearest to the evidence in votes and in abstaining.

        Its shape is (n_models, n_classes + 1, n_classes); abstaining comes last.
        """

    def vote_weights(self, coefficients: Vector) -> VoteWeights:
        """Return one matrix per model."""

    def abstention(self, coefficients: Vector) -> Table | None:
        """Return what an abstaining model adds to each score, if anything."""

    def scores(self, coefficients: Vector) -> Table:
        """Return ``H_i c``, a column per class."""

    def scores_of(self, rows: Rows, coefficients: Table) -> Table:
        """Return ``H_i c_i`` of some rows, each with coefficients of its own."""

    def adjoint(self, slopes: Table) -> Vector:
        """Return ``sum_i H_i' s_i``."""

    def curvature(self, weights: Vector, probabilities: Table) -> Array:
        """Hessian of ``sum_i r_i logsumexp(b + H_i c)`` in ``(b, c)``."""

    def leverage(self, inverse: Array) -> Array:
        """Return ``[I, H_i] A [I, H_i]'``, shape (n_rows, n_classes, n_classes)."""


@dataclass(frozen=True, eq=False)
class Shared:
    """One weight per model, at least zero: ``z_ik = sum_m w_m h_imk``.

    The design (n_rows, n_models * n_classes) has votes or probabilities, with all
    classes of a model side by side.
    """

    design: Any
    n_classes: int
    name: ClassVar[str] = "shared"
    lower: ClassVar[float] = 0.0

    @cached_property
    def answers(self) -> Array:
        """The design as (n_rows, n_classes, n_models)."""
        design = _dense(self.design)
        table = design.reshape(len(design), -1, self.n_classes)
        return np.ascontiguousarray(table.transpose(0, 2, 1))

    def of_rows(self, rows: Rows) -> Shared:
        """Return the same structure of some of the rows."""
        return Shared(self.design[rows], self.n_classes)

    def coefficients(self, evidence: Array) -> Vector:
        """Return the margins, those below zero as zero."""
        return np.maximum(margins(evidence[:, :-1]), 0.0)

    def vote_weights(self, coefficients: Vector) -> VoteWeights:
        """Return the weights times the identity."""
        return coefficients[:, None, None] * np.eye(self.n_classes)

    def abstention(self, coefficients: Vector) -> Table | None:
        """Return None: abstaining adds nothing."""
        return None

    def scores(self, coefficients: Vector) -> Table:
        """Return ``H_i w``."""
        return self.answers @ coefficients

    def scores_of(self, rows: Rows, coefficients: Table) -> Table:
        """Return ``H_i w_i``."""
        scores: Array = np.einsum("ikm,im->ik", self.answers[rows], coefficients)
        return scores

    def adjoint(self, slopes: Table) -> Vector:
        """Return ``sum_i H_i' s_i``."""
        n_models = self.answers.shape[2]
        return slopes.ravel() @ self.answers.reshape(-1, n_models)

    def curvature(self, weights: Vector, probabilities: Table) -> Array:
        """Hessian of ``sum_i r_i logsumexp(b + H_i w)`` in ``(b, w)``."""
        n_classes, n_models = self.n_classes, self.answers.shape[2]
        mass = weights[:, None] * probabilities
        expected = np.einsum("ik,ikm->im", probabilities, self.answers)
        # Rows (i, k) of [I, H_i] less their expectation, times the root of the mass.
        unit = np.eye(n_classes)[None] - probabilities[:, None, :]
        rows = np.concatenate([unit, self.answers - expected[:, None, :]], axis=2)
        rows *= np.sqrt(mass)[:, :, None]
        rows = rows.reshape(-1, n_classes + n_models)
        curvature: Array = rows.T @ rows
        return curvature

    def leverage(self, inverse: Array) -> Array:
        """Return ``[I, H_i] A [I, H_i]'``."""
        n_rows, n_classes, _ = self.answers.shape
        unit = np.broadcast_to(np.eye(n_classes), (n_rows, n_classes, n_classes))
        rows = np.concatenate([unit, self.answers], axis=2)
        leverage: Array = rows @ inverse @ rows.transpose(0, 2, 1)
        return leverage


@dataclass(frozen=True, eq=False)
class Full:
    """A matrix per model, of any sign: ``z_ik = sum_m sum_a h_ima V_mak``.

    The design is that of :class:`Shared`.
    """

    design: Any
    n_classes: int
    name: ClassVar[str] = "full"
    lower: ClassVar[float] = -np.inf

    @cached_property
    def rows(self) -> Table:
        """``[1, H_i]``, dense: its products are faster than those of few entries."""
        design = _dense(self.design)
        return np.column_stack([np.ones(len(design)), design])

    def of_rows(self, rows: Rows) -> Full:
        """Return the same structure of some of the rows."""
        return Full(self.design[rows], self.n_classes)

    def coefficients(self, evidence: Array) -> Vector:
        """Return the matrices, entry by entry."""
        return evidence[:, :-1].ravel()

    def vote_weights(self, coefficients: Vector) -> VoteWeights:
        """Return the matrices."""
        return coefficients.reshape(-1, self.n_classes, self.n_classes)

    def abstention(self, coefficients: Vector) -> Table | None:
        """Return None: abstaining adds nothing."""
        return None

    def scores(self, coefficients: Vector) -> Table:
        """Return ``H_i c``."""
        scores: Array = self.design @ coefficients.reshape(-1, self.n_classes)
        return scores

    def scores_of(self, rows: Rows, coefficients: Table) -> Table:
        """Return ``H_i c_i``."""
        votes = self.rows[rows, 1:]
        per_vote = coefficients.reshape(len(votes), -1, self.n_classes)
        scores: Array = np.einsum("ia,iak->ik", votes, per_vote)
        return scores

    def adjoint(self, slopes: Table) -> Vector:
        """Return ``sum_i H_i' s_i``."""
        adjoint: Array = self.design.T @ slopes
        return adjoint.ravel()

    def curvature(self, weights: Vector, probabilities: Table) -> Array:
        """Hessian of ``sum_i r_i logsumexp(b + H_i c)`` in ``(b, c)``."""
        n_classes, n_columns = self.n_classes, self.rows.shape[1]
        blocks = np.empty((n_columns, n_classes, n_columns, n_classes))
        for k in range(n_classes):
            for j in range(k + 1):
                share = (k == j) - probabilities[:, j]
                mass = weights * probabilities[:, k] * share
                block = (self.rows.T * mass) @ self.rows
                blocks[:, k, :, j] = block
                blocks[:, j, :, k] = block.T
        size = n_columns * n_classes
        return blocks.reshape(size, size)

    def leverage(self, inverse: Array) -> Array:
        """Return ``[I, H_i] A [I, H_i]'``."""
        n_classes, (n_rows, size) = self.n_classes, self.rows.shape
        blocks = inverse.reshape(size, n_classes, size, n_classes)
        result = np.empty((n_rows, n_classes, n_classes))
        for k in range(n_classes):
            for j in range(n_classes):
                products = (self.rows @ blocks[:, k, :, j]) * self.rows
                result[:, k, j] = products.sum(axis=1)
        return result


def _dense(design: Any) -> Table:
    table: Table = design if isinstance(design, np.ndarray) else design.toarray()
    return table


@dataclass(frozen=True, eq=False)
class Abstaining:
    """A matrix per model, and what it says about the classes that a model abstains.

    Abstaining is one more answer. The design is that of :class:`Shared`, of votes: a
    row without a vote of a model is zero in all its columns.
    """

    design: Any
    n_classes: int
    name: ClassVar[str] = "abstaining"
    lower: ClassVar[float] = -np.inf

    @cached_property
    def answers(self) -> Full:
        """The votes, followed by a column per model that tells where it abstains."""
        votes = _dense(self.design)
        given = votes.reshape(len(votes), -1, self.n_classes).sum(axis=2)
        abstaining = np.where(self.voting, 1.0 - given, 0.0)
        return Full(np.column_stack([votes, abstaining]), self.n_classes)

    @cached_property
    def voting(self) -> NDArray[np.bool_]:
        """Whether each model votes on any row; else abstaining says nothing."""
        total = np.asarray(abs(self.design).sum(axis=0)).ravel()
        return np.asarray(total.reshape(-1, self.n_classes).any(axis=1))

    @property
    def _n_votes(self) -> int:
        """Number of coefficients of votes."""
        return int(self.design.shape[1]) * self.n_classes

    def of_rows(self, rows: Rows) -> Abstaining:
        """Return the same structure of some of the rows."""
        return Abstaining(self.design[rows], self.n_classes)

    def coefficients(self, evidence: Array) -> Vector:
        """Return the matrices, entry by entry, and then what abstaining adds."""
        abstaining = np.where(self.voting[:, None], evidence[:, -1], 0.0)
        return np.append(evidence[:, :-1].ravel(), abstaining.ravel())

    def vote_weights(self, coefficients: Vector) -> VoteWeights:
        """Return the matrices."""
        votes = coefficients[: self._n_votes]
        return votes.reshape(-1, self.n_classes, self.n_classes)

    def abstention(self, coefficients: Vector) -> Table | None:
        """Return what an abstaining model adds to each score."""
        return coefficients[self._n_votes :].reshape(-1, self.n_classes)

    def scores(self, coefficients: Vector) -> Table:
        """Return ``H_i c``."""
        return self.answers.scores(coefficients)

    def scores_of(self, rows: Rows, coefficients: Table) -> Table:
        """Return ``H_i c_i``."""
        return self.answers.scores_of(rows, coefficients)

    def adjoint(self, slopes: Table) -> Vector:
        """Return ``sum_i H_i' s_i``."""
        return self.answers.adjoint(slopes)

    def curvature(self, weights: Vector, probabilities: Table) -> Array:
        """Hessian of ``sum_i r_i logsumexp(b + H_i c)`` in ``(b, c)``."""
        return self.answers.curvature(weights, probabilities)

    def leverage(self, inverse: Array) -> Array:
        """Return ``[I, H_i] A [I, H_i]'``."""
        return self.answers.leverage(inverse)


STRUCTURES: dict[str, Any] = {kind.name: kind for kind in (Shared, Full, Abstaining)}
