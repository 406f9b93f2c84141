"""What the command guesses, collected in one place."""

from __future__ import annotations

from collections.abc import Callable


class Guesses:
    """Collects the guesses of one run in `sentences`, and shows each as it is made."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self.sentences: list[str] = []
        self._show = show

    def add(self, sentence: str, option: str = "") -> None:
        """Add a guess and the option, if there is one, that decides otherwise."""
        if option:
            sentence = f"{sentence} ({option})."
        self.sentences.append(sentence)
        self._show(sentence)
