"""How unequally errors fall on groups of test items, in tables that name groups.

The figures are those of `stackingnet_sk.inspection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np

from stackingnet_sk.inspection.disparity import disparity

from ..black_box.classification.grid import grid
from ..black_box.data import Pair
from ..black_box.protocol import given
from ..black_box.task import Array
from .groups import FEWEST, read_groups
from .half import Audit, Half, drawn

__all__ = ["BUDGETS", "GAP", "WORST", "Disparities", "audit", "report"]

BUDGETS = ("20%", "5%")
ERROR, WORST, GAP, VARIATION = "error", "worst group", "largest gap", "variation"
FIGURES = (ERROR, WORST, GAP, VARIATION)
MODELS = "models, the mean of each"

Values = dict[str, dict[str, list[float]]]  # row -> figure -> draws and groupings


@dataclass
class Disparities:
    """``found`` maps measure -> budget -> table -> row -> figure -> values."""

    found: dict[str, dict[str, dict[str, Values]]] = field(default_factory=dict)

    def add(
        self, key: tuple[str, str, str], rows: Iterable[tuple[str, Sequence[float]]]
    ) -> None:
        """Add the figures of one draw and grouping."""
        measure, budget, table = key
        own = self.found.setdefault(measure, {}).setdefault(budget, {})
        values = own.setdefault(table, {})
        for row, figures in rows:
            for figure, value in zip(FIGURES, figures, strict=True):
                values.setdefault(row, {}).setdefault(figure, []).append(value)

    @property
    def tables(self) -> list[str]:
        """Return the tables that name groups."""
        budgets = next(iter(self.found.values()), {})
        return list(next(iter(budgets.values()), {}))

    def value(
        self, measure: str, budget: str, tables: Sequence[str], row: str, figure: str
    ) -> float:
        """Return the mean over tables, groupings and draws."""
        found = self.found[measure][budget]
        return float(np.mean([np.mean(found[table][row][figure]) for table in tables]))


def audit(
    half: Half, pairs: Mapping[str, Pair], folder: Path, seeds: int
) -> Disparities:
    """Measure every row on every table that names groups."""
    result = Disparities()
    methods = {m.name: m for measure in half.audits for m in measure.methods}
    for name, pair in pairs.items():
        groupings = read_groups(folder, pair.target)
        cases = product(BUDGETS, range(seeds)) if groupings else ()
        for budget, seed in cases:
            labelled = drawn(half.task, budget)(pair, seed)
            answers = {
                row: method.fit(
                    given(pair, labelled if method.labels else [], seed)
                ).predict(pair.target.unlabeled)
                for row, method in methods.items()
            }
            for measure, groups in product(half.audits, groupings.values()):
                rows = figures_of(half, measure, pair, groups, answers)
                result.add((measure.name, budget, name), rows)
    return result


def figures_of(
    half: Half, measure: Audit, pair: Pair, groups: Array, answers: Mapping[str, Array]
) -> Iterator[tuple[str, Sequence[float]]]:
    """Yield the name and the four figures of each row, that of the models first."""
    known = groups != ""
    table = pair.target
    y, groups = table.truth[known], groups[known]
    columns = np.column_stack([*answers.values(), table.unlabeled])[known]
    weigh = measure.row_weights
    found = disparity(
        columns[:, 0],
        y,
        groups,
        models=columns,
        task=half.task.name,
        sample_weight=None if weigh is None else weigh(groups, y),
        crossings=False,
        n_bootstrap=0,
        n_permutations=0,
    )
    (grouping,) = found.groupings.values()
    values = np.column_stack(
        [
            found.overall_error,
            grouping.worst_group_error.value,
            grouping.gap.value,
            grouping.variation.value,
        ]
    )[2:]  # after the combination and the average of all these columns
    yield MODELS, np.nanmean(values[len(answers) :], axis=0).tolist()
    own = {m.name for m in measure.methods}
    for name, row in zip(answers, values, strict=False):
        if name in own:
            yield name, row.tolist()


def report(measure: Audit, found: Disparities) -> Iterator[str]:
    """Yield the figures of each row at each budget, over all tables and one by one."""
    yield f"Disparity: {measure.name} by group of test items ({FEWEST} or more), mean"
    yield "  over draws and groupings; variation: standard deviation of the groups over"
    yield "  their mean"
    cells = list(product(BUDGETS, FIGURES))
    columns = [f"{budget}_{figure}".replace(" ", "_") for budget, figure in cells]
    scopes = {table: [table] for table in found.tables}
    if len(scopes) > 1:
        scopes = {"all": found.tables, **scopes}
    for scope, tables in scopes.items():
        rows = [
            (row, [found.value(measure.name, b, tables, row, f) for b, f in cells])
            for row in (MODELS, *(method.name for method in measure.methods))
        ]
        yield from grid(scope, columns, rows, digits=3)
