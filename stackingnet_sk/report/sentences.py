"""What a report says in sentences: the summary and the caveats."""

from __future__ import annotations

from collections.abc import Iterator

from stackingnet_sk.inspection import Comparison, Ranking
from stackingnet_sk.report.figures import Figures
from stackingnet_sk.report.sections import Absent
from stackingnet_sk.report.words import (
    JOIN,
    MINUS,
    at,
    count,
    figure,
    is_certified,
    is_zero,
    listed,
    share,
    with_article,
)

# With fewer labels than this, intervals are wide.
_FEW = 30
# With fewer labels of a class than this, its recall is a guess.
_FEW_OF_CLASS = 5


def summary(figures: Figures) -> list[str]:
    """Say in a few sentences what the combination is worth."""
    data, comparison = figures.data, figures.comparison
    n_models = len(data.models)
    what = "a number" if figures.is_number else "a class"
    lines = [
        f"{count(n_models, 'model')} answered with {what} for "
        f"{count(data.n_rows, 'item')}. {_labels(data.n_labelled, data.n_rows)}"
    ]
    if not isinstance(comparison, Absent):
        lines += _result(comparison)
    else:
        reason = comparison.why
        if not data.n_labelled:
            reason = (
                "without labels nothing tells right from wrong, and what follows rests "
                "on how far the models agree."
            )
        lines.append(f"How good the combination is cannot be measured here: {reason}")
    without = figures.weights.without_weight
    if without:
        lines.append(
            f"{count(len(without), 'model')} of {n_models} "
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


def _result(comparison: Comparison) -> list[str]:
    metric = comparison.metric
    level = f"{100 * comparison.confidence_level:g}{JOIN}% interval"
    value, ends = figure(at(comparison.scores[metric], 0), comparison.is_number)
    if comparison.is_number:
        line = f"On labels held out the combination is off by {value} on average"
    else:
        line = (
            f"On labels held out the combination has {with_article(metric)} of {value}"
        )
    return [f"{line} ({level} {ends}).", _against_best_rival(comparison)]


def _against_best_rival(comparison: Comparison) -> str:
    metric, is_number = comparison.metric, comparison.is_number
    rival = comparison.best_rival
    lead = at(comparison.leads[metric], rival)
    theirs, _ = figure(at(comparison.scores[metric], rival), is_number)
    size, ends = figure(lead, is_number, sign=True)
    size, unit = size.lstrip("+" + MINUS), "" if is_number else " points"
    verb = "is off by" if is_number else "has"
    name = _the(comparison.names[rival])
    start = f"The best plain rival, {name}, {verb} {theirs}"
    if is_zero(size):
        return f"{start}: no difference to speak of ({ends}{unit})."
    word = "better" if lead[0] > 0 else "worse"
    luck = "luck" in comparison.verdict(rival)
    sure = "may be luck" if luck else "is more than luck"
    return f"{start}: the combination is {word} by {size}{unit} ({ends}), which {sure}."


def _the(name: str) -> str:
    return name if name.split(" ")[0] in ("ridge", "logistic") else f"the {name}"


def caveats(figures: Figures) -> list[str]:
    """List what a reader should know before believing the figures."""
    return [*_caveats(figures), *figures.warnings]


def _caveats(figures: Figures) -> Iterator[str]:
    data, comparison, ranking = figures.data, figures.comparison, figures.ranking
    if 0 < data.n_labelled < _FEW:
        yield (
            f"Only {count(data.n_labelled, 'item has', 'items have')} a label. "
            "Intervals are wide, and leave out what other labels to learn from would "
            "change."
        )
    rare = [f"{name} ({n})" for name, n in data.classes or () if n < _FEW_OF_CLASS]
    if rare and data.n_labelled:
        yield f"Classes with hardly any label: {listed(rare)}."
    if not isinstance(comparison, Absent) and comparison.left_out:
        yield (
            f"The comparison uses {comparison.n_rows:,} rows drawn at random of the "
            f"{data.n_rows:,}."
        )
    if figures.drawn < data.n_rows:
        yield (
            f"Ranking and dependence use {figures.drawn:,} rows drawn at random of "
            f"the {data.n_rows:,}."
        )
    if not isinstance(comparison, Absent) and comparison.metric == "accuracy":
        yield from _rare_classes(comparison)
    if not isinstance(ranking, Absent):
        yield from _ranking_caveats(ranking, data.n_labelled)
    if figures.missing.nobody:
        yield (
            f"Nobody answers on {count(figures.missing.nobody, 'row')}; there the "
            "combination says what is most plausible without any answer."
        )
    if data.n_labelled and not is_certified(figures.solution):
        yield f"The weights are not certified: {figures.solution.status.value}."


def _rare_classes(comparison: Comparison) -> Iterator[str]:
    """Name the rival that is surely ahead when all classes count the same."""
    metric = "balanced accuracy"
    scores, leads = comparison.scores[metric], comparison.leads[metric]
    ahead = [j for j in range(1, len(leads.high)) if leads.high[j] < 0]
    if ahead:
        best = min(ahead, key=lambda j: float(leads.value[j]))
        ours, theirs = (figure(at(scores, j), False)[0] for j in (0, best))
        yield (
            f"Rare classes count little here: in {metric} "
            f"{_the(comparison.names[best])} is surely ahead, {theirs} to {ours}. "
            "class_weight='balanced' makes all classes count the same."
        )


def _ranking_caveats(ranking: Ranking, n_labelled: int) -> Iterator[str]:
    if ranking.mostly_agreement:
        what = share(ranking.agreement, 0) if n_labelled else "All"
        yield (
            f"{what} of the reliability of the models rests on their agreement, not on "
            "labels. Models that err together look reliable, and the intervals do not "
            "know of it."
        )
    names, below = ranking.model_names.astype(str), ranking.below_chance
    if below.any():
        yield f"Surely worse than chance: {listed(names[below].tolist())}."
    misled = [
        f"{name} ({against})"
        for name, against, surely in zip(names, ranking.against, below, strict=True)
        if against and not surely
    ]
    if misled:
        yield f"Evidence that a model misleads: {'; '.join(misled)}."
