"""A fixed combination of models."""

from __future__ import annotations

from dataclasses import dataclass

from ..task import Array

__all__ = ["Combination"]


@dataclass(frozen=True)
class Combination:
    """The predictor ``Q @ weights + intercept``, in original units."""

    weights: Array
    intercept: float = 0.0

    def predict(self, Q: Array) -> Array:
        """Combine the columns of Q."""
        return Q @ self.weights + self.intercept
