"""A claim: the figure of this run, its bound and a verdict."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Claim"]


@dataclass(frozen=True)
class Claim:
    """A figure and its bound; ``where`` says what it comes from."""

    text: str
    value: float
    bound: float
    holds: bool
    where: str = ""

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "DOES NOT HOLD"
        where = f"\n  ({self.where})" if self.where else ""
        return (
            f"{self.text}: {self.value:.3f}, bound {self.bound:.3f}, {verdict}{where}"
        )
