"""What a report says in sentences: the summary, the caveats, what is proven."""

from __future__ import annotations

import math
from typing import Any

from stackingnet_sk.weights import Solution, Status

Figures = dict[str, Any]

# Labels with which intervals are wide, and a class's with which its recall is a guess.
_FEW, _FEW_OF_CLASS = 30, 5
_MINUS = "−"
# A space at which no line breaks.
_JOIN = "\u00a0"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 3) -> str:
    """Write a number for people.

    Parameters
    ----------
    value : float or None
        None for what is not known.
    digits : int, default=3
        Significant ones.

    Returns
    -------
    str
    """
    if value is None or math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    size = abs(value)
    if size >= 1e9 or 0 < size < 1e-4:
        mantissa, power = f"{size:.1e}".split("e")
        text = f"{mantissa}{_JOIN}×{_JOIN}10{str(int(power)).translate(_RAISED)}"
    elif size >= 10**digits:
        text = f"{size:,.0f}"
    else:
        places = digits - 1 - math.floor(math.log10(size))
        text = f"{size:.{min(max(places, 0), 5)}f}"
    zero = not any(digit in text for digit in "123456789")
    return text if value >= 0 or zero else _MINUS + text


def signed(value: float | None) -> str:
    """Write a difference with its sign.

    Parameters
    ----------
    value : float or None
        None for what is not known.

    Returns
    -------
    str
    """
    text = number(value)
    nothing = not any(digit in text for digit in "123456789")
    return text if nothing or text[0] == _MINUS else f"+{text}"


def share(value: float | None, places: int = 1) -> str:
    """Write a share in percent.

    Parameters
    ----------
    value : float or None
        None for what is not known.
    places : int, default=1
        After the point.

    Returns
    -------
    str
    """
    if value is None or math.isnan(value):
        return "–"
    text = f"{100 * abs(value):.{places}f}"
    zero = not any(digit in text for digit in "123456789")
    return f"{'' if value >= 0 or zero else _MINUS}{text}{_JOIN}%"


def count(n: int, noun: str, plural: str = "") -> str:
    """Write a number of things.

    Parameters
    ----------
    n : int
        How many.
    noun, plural : str
        What; by default the plural takes an "s".

    Returns
    -------
    str
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listed(names: list[str], most: int = 6) -> str:
    """Write some names.

    Parameters
    ----------
    names : list of str
        Any.
    most : int, default=6
        More are counted.

    Returns
    -------
    str
    """
    if len(names) > most:
        return ", ".join(names[:most]) + f" and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def fixed(value: float | None, places: int, *, sign: bool = False) -> str:
    """Write a number with so many decimals.

    Parameters
    ----------
    value : float or None
        None for what is not known.
    places : int
        After the point.
    sign : bool, default=False
        Whether a number above zero gets its sign too.

    Returns
    -------
    str
    """
    if value is None or math.isnan(value):
        return "–"
    text = f"{abs(value):,.{places}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return (_MINUS if value < 0 else "+" if sign else "") + text


def figure(
    triple: list[float | None], is_number: bool, *, sign: bool = False
) -> tuple[str, str]:
    """Write an estimate and its interval with the decimals that the interval allows.

    Parameters
    ----------
    triple : list of float or None
        Value, lower and upper end.
    is_number : bool
        Whether it is no share, which is written in percent.
    sign : bool, default=False
        Whether it is a difference; one of shares is in points, without a unit.

    Returns
    -------
    value, ends : str
    """
    value, low, high = (each if is_number else _percent(each) for each in triple)
    width = 0.0 if low is None or high is None else high - low
    places = 3 if is_number else 1
    if width > 0 and math.isfinite(width):
        # Two digits of the width.
        places = min(max(1 - math.floor(math.log10(width)), 0), 6 if is_number else 1)
    texts = [fixed(each, places, sign=sign) for each in (value, low, high)]
    unit = "" if is_number or sign else f"{_JOIN}%"
    return texts[0] + unit, f"{texts[1]} to {texts[2]}{unit}"


def _percent(value: float | None) -> float | None:
    return None if value is None else 100.0 * value


def summary(figures: Figures) -> list[str]:
    """Say in a few sentences what the combination is worth.

    Parameters
    ----------
    figures : dict
        All that is known.

    Returns
    -------
    list of str
    """
    data, found = figures["data"], figures["comparison"]
    n_labelled, n_rows = data["n_labelled"], data["n_rows"]
    what = "a number" if figures["task"] == "regression" else "a class"
    lines = [
        f"{count(data['n_models'], 'model')} answered with {what} for "
        f"{count(n_rows, 'item')}. {_labels(n_labelled, n_rows)}"
    ]
    if "why" in found:
        lines.append(
            "How good the combination is cannot be measured here: "
            + (
                "without labels nothing tells right from wrong, and what follows rests "
                "on how far the models agree."
                if not n_labelled
                else "there are too few labels to hold some out."
            )
        )
    else:
        lines += _result(found)
    without = figures["weights"]["without_weight"]
    if without:
        lines.append(
            f"{count(len(without), 'model')} of {data['n_models']} "
            f"{'has' if len(without) == 1 else 'have'} no weight: {listed(without)}."
        )
    return lines


def _labels(n_labelled: int, n_rows: int) -> str:
    if not n_labelled:
        return "None of them has a label."
    if n_labelled == n_rows:
        return "All of them have a label."
    verb = "has" if n_labelled == 1 else "have"
    return f"{n_labelled:,} of them {verb} a label."


def _result(found: Figures) -> list[str]:
    is_number, metric = found["is_number"], found["metric"]
    level = f"{100 * found['confidence_level']:g}{_JOIN}% interval"
    ours, rival = found["rows"][0], found["rows"][found["best_rival"]]
    value, ends = figure(ours["scores"][metric], is_number)
    if is_number:
        line = f"On labels held out the combination is off by {value} on average"
    else:
        line = (
            f"On labels held out the combination has {with_article(metric)} of {value}"
        )
    return [f"{line} ({level} {ends}).", _against(rival, metric, is_number)]


def _against(rival: Figures, metric: str, is_number: bool) -> str:
    lead = rival["leads"][metric]
    theirs, _ = figure(rival["scores"][metric], is_number)
    size, ends = figure(lead, is_number, sign=True)
    size, unit = size.lstrip("+" + _MINUS), "" if is_number else " points"
    verb = "is off by" if is_number else "has"
    start = f"The best plain rival, {_the(rival['name'])}, {verb} {theirs}"
    if not any(digit in size for digit in "123456789"):
        return f"{start}: no difference to speak of ({ends}{unit})."
    word = "better" if lead[0] > 0 else "worse"
    luck = "may be luck" if "luck" in rival["verdict"] else "is more than luck"
    return f"{start}: the combination is {word} by {size}{unit} ({ends}), which {luck}."


def with_article(noun: str) -> str:
    """Put "a" or "an" before a noun.

    Parameters
    ----------
    noun : str
        As it is written.

    Returns
    -------
    str
    """
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _the(name: str) -> str:
    return name if name.split(" ")[0] in ("ridge", "logistic") else f"the {name}"


def caveats(figures: Figures) -> list[str]:
    """List what a reader should know before believing the figures.

    Parameters
    ----------
    figures : dict
        All that is known.

    Returns
    -------
    list of str
    """
    data, found = figures["data"], figures["comparison"]
    n_labelled, n_rows = data["n_labelled"], data["n_rows"]
    lines = []
    if 0 < n_labelled < _FEW:
        lines.append(
            f"Only {count(n_labelled, 'item has', 'items have')} a label. Intervals "
            "are wide, and leave out what other labels to learn from would change."
        )
    rare = [
        f"{each['name']} ({each['n_labelled']})"
        for each in data.get("classes", ())
        if n_labelled and each["n_labelled"] < _FEW_OF_CLASS
    ]
    if rare:
        lines.append(f"Classes with hardly any label: {listed(rare)}.")
    if "why" not in found and found["left_out"]:
        lines.append(
            f"The comparison uses {found['n_rows']:,} rows drawn at random of the "
            f"{n_rows:,}."
        )
    if figures["drawn"] < n_rows:
        lines.append(
            f"Ranking and dependence use {figures['drawn']:,} rows drawn at random of "
            f"the {n_rows:,}."
        )
    if "why" not in found and found["metric"] == "accuracy":
        lines += _rare_classes(found)
    ranking = figures["ranking"]
    if "why" not in ranking:
        lines += _doubts(ranking, n_labelled)
    nobody = figures["missing"]["nobody"]
    if nobody:
        lines.append(
            f"Nobody answers on {count(nobody, 'row')}; there the combination says "
            "what is most plausible without any answer."
        )
    if not figures["certificate"]["certified"] and n_labelled:
        lines.append(
            f"The weights are not certified: {figures['certificate']['status']}."
        )
    return [*lines, *figures["warnings"]]


def _rare_classes(found: Figures) -> list[str]:
    """Tell who does better by classes where the combination is after rows."""
    metric = "balanced accuracy"
    rows = [row for row in found["rows"][1:] if row["leads"][metric][2] < 0]
    if not rows:
        return []
    best = min(rows, key=lambda row: row["leads"][metric][0])
    ours, theirs = (
        figure(row["scores"][metric], False)[0] for row in (found["rows"][0], best)
    )
    return [
        f"Rare classes count little here: in {metric} {_the(best['name'])} is surely "
        f"ahead, {theirs} to {ours}. class_weight='balanced' makes all classes count "
        "the same."
    ]


def _doubts(ranking: Figures, n_labelled: int) -> list[str]:
    lines = []
    if ranking["mostly_agreement"]:
        what = "All" if not n_labelled else share(ranking["agreement"], 0)
        lines.append(
            f"{what} of the reliability of the models rests on their agreement, not on "
            "labels. Models that err together look reliable, and the intervals do not "
            "know of it."
        )
    if ranking["below_chance"]:
        lines.append(f"Surely worse than chance: {listed(ranking['below_chance'])}.")
    misled = [
        f"{row['model']} ({row['against']})"
        for row in ranking["rows"]
        if row["against"] and row["model"] not in ranking["below_chance"]
    ]
    if misled:
        lines.append(f"Evidence that a model misleads: {'; '.join(misled)}.")
    return lines


def proof(solution: Solution) -> str:
    """Say what the certificate proves, and what not.

    Parameters
    ----------
    solution : Solution
        Of the fit.

    Returns
    -------
    str
    """
    status = solution.status
    if status is Status.UNLABELLED:
        return (
            "There is no certificate: without labels there is no error to be least. "
            "The weights are an average by what the models have in common."
        )
    if status in (Status.CONVERGED, Status.NOT_CONVERGED):
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
            "The weights are not proven optimal: both proofs exceed their tolerance. "
            "Treat them as approximate."
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
