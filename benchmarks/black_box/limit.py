"""A time limit on a block of code, where the system has alarms."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from .task import Unavailable

__all__ = ["limit"]


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise `Unavailable` when the block takes longer.

    Call it in the main thread. Compiled code is interrupted when it returns.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise Unavailable(f"stopped after {seconds:.0f} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
