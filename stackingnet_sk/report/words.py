"""Numbers and names as a report writes them, and what a certificate proves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from stackingnet_sk.weights import Solution, Status

# Value, lower and upper end; NaN or None for what is not known.
Triple = Sequence[float | None]

# Pairs of models that a page lists.
MOST_PAIRS = 10
MINUS = "−"
# A space at which no line breaks.
JOIN = "\u00a0"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def at(estimate: Any, place: Any) -> list[float]:
    """Take one value of an estimate, with its lower and upper end."""
    return [float(values[place]) for values in estimate]


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with so many significant digits, for people."""
    if value is None or math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(value)
    if size >= 1e9 or 0 < size < 1e-4:
        mantissa, power = f"{size:.1e}".split("e")
        text = f"{mantissa}{JOIN}×{JOIN}10{str(int(power)).translate(_RAISED)}"
    elif size >= 10**digits:
        text = f"{size:,.0f}"
    else:
        places = digits - 1 - math.floor(math.log10(size))
        text = f"{size:.{min(max(places, 0), 5)}f}"
    zero = not any(digit in text for digit in "123456789")
    return text if value >= 0 or zero else MINUS + text


def finite(value: float | None, digits: int = 3) -> str:
    """Write a number like `number`; one that is infinite is not known."""
    return number(value if value is None or math.isfinite(value) else None, digits)


def signed(value: float | None) -> str:
    """Write a difference with its sign."""
    text = finite(value)
    nothing = not any(digit in text for digit in "123456789")
    return text if nothing or text[0] == MINUS else f"+{text}"


def share(value: float | None, places: int = 1) -> str:
    """Write a share in percent."""
    if value is None or math.isnan(value):
        return "–"
    text = f"{100 * abs(value):.{places}f}"
    zero = not any(digit in text for digit in "123456789")
    return f"{'' if value >= 0 or zero else MINUS}{text}{JOIN}%"


def count(n: int, noun: str, plural: str = "") -> str:
    """Write a number of things; by default the plural takes an "s"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listed(names: list[str], most: int = 6) -> str:
    """Write some names, and how many more there are."""
    if len(names) > most:
        return ", ".join(names[:most]) + f" and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def fixed(value: float | None, places: int, *, sign: bool = False) -> str:
    """Write a number with so many decimals, and a plus if `sign` is set."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{abs(value):,.{places}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def figure(triple: Triple, is_number: bool, *, sign: bool = False) -> tuple[str, str]:
    """Write an estimate and its interval with the decimals that the interval allows.

    What is no number is a share, in percent; a difference of shares, with its `sign`,
    is in points without a unit.
    """
    value, low, high = (end if is_number else _percent(end) for end in triple)
    width = 0.0 if low is None or high is None else high - low
    places = 3 if is_number else 1
    if width > 0 and math.isfinite(width):
        # Two digits of the width.
        places = min(max(1 - math.floor(math.log10(width)), 0), 6 if is_number else 1)
    texts = [fixed(end, places, sign=sign) for end in (value, low, high)]
    unit = "" if is_number or sign else f"{JOIN}%"
    return texts[0] + unit, f"{texts[1]} to {texts[2]}{unit}"


def _percent(value: float | None) -> float | None:
    return None if value is None else 100.0 * value


def with_article(noun: str) -> str:
    """Put "a" or "an" before a noun."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def is_certified(solution: Solution) -> bool:
    """Tell whether a certificate proves that the weights are optimal."""
    return solution.status not in (
        Status.UNLABELLED,
        Status.CONVERGED,
        Status.NOT_CONVERGED,
        Status.INACCURATE,
    )


def proof(solution: Solution) -> str:
    """Say what the certificate proves, and what not."""
    status = solution.status
    if status is Status.UNLABELLED:
        return (
            "There is no certificate: without labels there is no error to be least. "
            "The weights are an average by what the models have in common."
        )
    if status is Status.NOT_CONVERGED:
        return (
            "There is no certificate: the estimate from agreement, or of the missing "
            "predictions, was still changing when it stopped. Treat the weights as "
            "approximate."
        )
    if status is Status.CONVERGED:
        return (
            "There is no certificate: what agreement shows is a local optimum of a "
            "likelihood, and another may explain the votes as well."
        )
    if status is Status.FEASIBLE:
        return (
            "There was nothing to optimize: the constraint leaves one set of weights."
        )
    if status is Status.INACCURATE:
        return (
            "The weights are not proven optimal: the certificate exceeds its "
            "tolerance. Treat them as approximate."
        )
    if solution.gap == 0:
        what = "No weights that the constraint allows have a lower objective."
    elif math.isfinite(solution.gap):
        what = (
            "No weights that the constraint allows have an objective lower by more "
            f"than {number(solution.gap)} of what a plain rival (the average, or the "
            "best model alone) has."
        )
    else:
        what = (
            "The conditions that only an optimum fulfils are violated by no more than "
            f"{number(solution.residual)}, relative to what a plain rival has."
        )
    return (
        f"{what} That is computed anew from the data, not reported by the solver. It "
        "proves that the arithmetic is right, not that the combination is good: this "
        "only labels held out can tell."
    )
