"""From probabilities to votes, for rows that see nothing else."""

from __future__ import annotations

from ..task import Array

__all__ = ["votes"]


def votes(P: Array) -> Array:
    """Return the class of the largest probability, (n, M)."""
    return P.argmax(axis=2)
