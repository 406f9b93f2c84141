"""What is claimed of ours where predictions are missing at random."""

from __future__ import annotations

from collections.abc import Iterator

from ..black_box.claim import Claim
from .contestants import COMPLETE, ITERATIVE, MEAN, RENORMALIZED
from .masks import RANDOM
from .measure import MODES, Errors

__all__ = ["claims"]

FEW, LOSS = 10, 1.02  # percent of holes, and what they may cost


def claims(errors: Errors) -> Iterator[Claim]:
    """Yield ours over rivals at each rate, and over ours without holes at the least."""
    for mode in MODES:
        for rival in (MEAN, ITERATIVE, RENORMALIZED, COMPLETE):
            for key in errors.keys(mode):
                _, kind, rate = key
                if kind != RANDOM or (rival is COMPLETE and rate != FEW):
                    continue
                bound = LOSS if rival is COMPLETE else 1.0
                value = float(errors.ratio(key, rival))
                holds = value <= bound if rival is COMPLETE else value < bound
                most, where = errors.worst(key, rival)
                yield Claim(
                    f"{mode} at fit, {rate}% at random: ours / {rival.name}",
                    value,
                    bound,
                    holds,
                    f"s.e. over draws {errors.uncertainty(key, rival):.4f}; "
                    f"worst {where}, {most:.3f}",
                )
