"""What the command says on standard error: progress, notes and errors."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, Self

import click

from stackingnet_sk._text import harmless

# Arguments in Python that are options here.
_OPTIONS = {
    "missing=": "--missing",
    "classes=": "--class",
    "aggregate=": "--aggregate",
}


def say(sentence: str) -> None:
    """Say something on standard error, in a line of its own."""
    click.echo(harmless(sentence), err=True)


class Progress:
    """A bar of the named steps, shown on a terminal only."""

    def __init__(self, *names: str) -> None:
        self._waiting = iter(names)
        self._said: list[str] = []
        self._bar: Any = None
        if sys.stderr.isatty():
            self._bar = click.progressbar(length=len(names), file=sys.stderr)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)
            for sentence in self._said:
                say(sentence)

    def step(self) -> None:
        """Begin what is next."""
        if self._bar is not None:
            self._bar.label = next(self._waiting)
            self._bar.update(1)

    def say(self, sentence: str) -> None:
        """Say something, beneath the bar if there is one."""
        if self._bar is None:
            say(sentence)
        else:
            self._said.append(sentence)


@contextmanager
def spoken_errors() -> Iterator[None]:
    """Say what is wrong in a line, and warnings too, without a traceback."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            yield
        except BrokenPipeError:
            # The program that reads the pipe has ended; click then ends without a
            # message.
            raise
        except (ValueError, TypeError, OSError, ImportError) as error:
            _fail(error)
        finally:
            notes = [w.message for w in caught if issubclass(w.category, UserWarning)]
            # Both `fit` and `predict` may give the same warning.
            for line in dict.fromkeys(map(_in_a_line, notes)):
                say(f"Note: {line}")


class _UnusableError(click.ClickException):
    exit_code = 2


def _fail(error: Exception) -> NoReturn:
    if isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f"{error.filename}: "
        message = f"{place}{error.strerror}; nothing was written."
    else:
        message = _in_a_line(error)
    if isinstance(error, ImportError):
        message += " Install what is missing: pip install 'stackingnet_sk[cli]'."
    raise _UnusableError(harmless(message)) from error


def _in_a_line(message: object) -> str:
    """Say what Python is told, in the words of the command."""
    line = " ".join(str(message).split())
    for argument, option in _OPTIONS.items():
        line = line.replace(argument, option)
    if re.search(r"\brow \d", line):
        line += " (Rows are counted from 0, without the header.)"
    return line
