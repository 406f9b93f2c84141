"""Numbers and names as a report writes them, and what a certificate proves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from stackingnet_sk.weights import Solution, Status

# Pairs of models that a page lists.
MOST_PAIRS = 10
MINUS = "−"
# A space at which no line breaks.
JOIN = "\u00a0"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


# Certificates that do not prove the weights to be optimal, and why.
_UNPROVEN = {
    Status.UNLABELLED: (
        "There is no certificate: without labels there is no error to be least. The "
        "weights are an average by what the models have in common."
    ),
    Status.NOT_CONVERGED: (
        "There is no certificate: the estimate from agreement, or of the missing "
        "predictions, was still changing when it stopped. Treat the weights as "
        "approximate."
    ),
    Status.CONVERGED: (
        "There is no certificate: what agreement shows is a local optimum of a "
        "likelihood, and another may explain the votes as well."
    ),
    Status.INACCURATE: (
        "The weights are not proven optimal: the certificate exceeds its tolerance. "
        "Treat them as approximate."
    ),
}


def at(estimate: Any, place: Any) -> list[float]:
    """Take one value of an estimate, with its lower and upper end."""
    return [float(values[place]) for values in estimate]


def number(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits, for people."""
    if math.isnan(value):
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
    return text if value >= 0 or is_zero(text) else MINUS + text


def is_zero(text: str) -> bool:
    """Tell whether no digit of a number is other than zero."""
    return not any(digit in text for digit in "123456789")


def finite(value: float, digits: int = 3) -> str:
    """Write a number like `number`; one that is infinite is not known."""
    return number(value if math.isfinite(value) else math.nan, digits)


def signed(value: float) -> str:
    """Write a difference with its sign."""
    text = finite(value)
    return text if is_zero(text) or text[0] == MINUS else f"+{text}"


def share(value: float, places: int = 1) -> str:
    """Write a share in percent."""
    if math.isnan(value):
        return "–"
    text = f"{100 * abs(value):.{places}f}"
    return f"{'' if value >= 0 or is_zero(text) else MINUS}{text}{JOIN}%"


def count(n: int, noun: str, plural: str = "") -> str:
    """Write a number of things; by default the plural takes an "s"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listed(names: list[str], most: int = 6) -> str:
    """Write some names, and how many more there are."""
    if len(names) > most:
        return ", ".join(names[:most]) + f" and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def fixed(value: float, places: int, *, sign: bool = False) -> str:
    """Write a number with so many decimals, and a plus if `sign` is set."""
    if not math.isfinite(value):
        return "–"
    text = f"{abs(value):,.{places}f}"
    if is_zero(text):
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def figure(
    triple: Sequence[float], is_number: bool, *, sign: bool = False
) -> tuple[str, str]:
    """Write an estimate and its interval with the decimals that the interval allows.

    What is no number is a share, in percent; a difference of shares, with its `sign`,
    is in points without a unit.
    """
    value, low, high = (end if is_number else 100.0 * end for end in triple)
    width = high - low
    places = 3 if is_number else 1
    if width > 0 and math.isfinite(width):
        # Two digits of the width.
        places = min(max(1 - math.floor(math.log10(width)), 0), 6 if is_number else 1)
    texts = [fixed(end, places, sign=sign) for end in (value, low, high)]
    unit = "" if is_number or sign else f"{JOIN}%"
    return texts[0] + unit, f"{texts[1]} to {texts[2]}{unit}"


def with_article(noun: str) -> str:
    """Put "a" or "an" before a noun."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def is_certified(solution: Solution) -> bool:
    """Tell whether a certificate proves that the weights are optimal."""
    return solution.status not in _UNPROVEN


def proof(solution: Solution) -> str:
    """Say what the certificate proves, and what not."""
    if not is_certified(solution):
        return _UNPROVEN[solution.status]
    if solution.status is Status.FEASIBLE:
        return (
            "There was nothing to optimize: the constraint leaves one set of weights."
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
    if solution.status is Status.MIXTURE:
        what = (
            f"The weights are a mixture of {len(solution.candidates)} optima, each "
            "under another prior, weighed by how well it predicts labels that it has "
            "not seen. No objective is higher than its optimum by more than "
            f"{number(solution.gap)} of what a plain rival has."
        )
    return (
        f"{what} That is computed anew from the data, not reported by the solver. It "
        "proves that the arithmetic is right, not that the combination is good: this "
        "only labels held out can tell."
    )
