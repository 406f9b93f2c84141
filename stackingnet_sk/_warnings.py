"""Warnings that name the line of the user's program."""

from __future__ import annotations

import sys
import warnings

# A call passes through these on its way here: scikit-learn's pipelines, searches and
# decorators, joblib's loops, the context managers of the standard library.
_PASSED_THROUGH = ("stackingnet_sk", "sklearn", "joblib", "contextlib")


def warn_user(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's program that led here.

    `category` is ignored if `message` is a warning itself.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_passed_through(frame.f_globals):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_passed_through(module: dict[str, object]) -> bool:
    return str(module.get("__name__")).partition(".")[0] in _PASSED_THROUGH
