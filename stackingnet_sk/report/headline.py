"""The headline figures of a report, a card each."""

from __future__ import annotations

from typing import Any

from stackingnet_sk.report.words import figure

Figures = dict[str, Any]
Card = dict[str, Any]


def cards(figures: Figures) -> list[Card]:
    """List the headline figures.

    Parameters
    ----------
    figures : dict
        All that is known.

    Returns
    -------
    list of dict
        ``label``, ``value`` and ``note`` each.
    """
    data, found = figures["data"], figures["comparison"]
    shown = [] if "why" in found else _score_cards(found)
    n_labelled, n_rows = data["n_labelled"], data["n_rows"]
    shown.append(_card("labels", (f"{n_labelled:,}", f"of {n_rows:,} items")))
    together = figures["dependence"]
    effective = None if "why" in together else together["effective"]
    if effective and effective[0] is not None:
        value, ends = figure(effective, True)
        bound = "" if together["labelled"] else "≤ "
        shown.append(
            _card(
                "independent models they are worth",
                (bound + value, f"{ends}, of {data['n_models']}"),
            )
        )
    return shown


def _score_cards(found: Figures) -> list[Card]:
    is_number, metric = found["is_number"], found["metric"]
    ours, rival = found["rows"][0], found["rows"][found["best_rival"]]
    constant = found["rows"][found["constant"]]
    shown = [
        {
            **_card(f"{metric}, held out", figure(ours["scores"][metric], is_number)),
            "main": True,
        }
    ]
    for row, label in (
        (rival, f"best plain rival: {rival['name']}"),
        (constant, "a constant"),
    ):
        if label == "a constant" and rival is constant:
            continue
        shown.append(_card(label, figure(row["scores"][metric], is_number)))
    lead, ends = figure(rival["leads"][metric], is_number, sign=True)
    points = "" if is_number else " points"
    note = f"{ends}: {rival['verdict']}"
    shown.append(_card("lead over the best rival", (lead + points, note)))
    return shown


def _card(label: str, texts: tuple[str, str]) -> Card:
    return {"label": label, "value": texts[0], "note": texts[1]}
