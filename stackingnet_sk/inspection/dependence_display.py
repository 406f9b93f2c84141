"""Picture of which models err together."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from stackingnet_sk.inspection.canvas import (
    ROW,
    RowsDisplay,
    inches,
    shorten,
    size_ticks,
)
from stackingnet_sk.inspection.dependence import Dependence, dependence

# With more models there is no room for numbers in the cells.
_MOST_NUMBERS = 12
# Width of a cell with a number, in inches.
_CELL = 0.36
# Correlations below this have a minus sign, because small ones of either sign are
# equally pale.
_NEGATIVE = -0.1
# Cells with larger correlations, of either sign, are too dark for black letters.
_DARK = 0.65


class DependenceDisplay(RowsDisplay):
    """Correlation of the models' errors as a heat map, with boxes around families.

    Parameters
    ----------
    dependence : Dependence
        What is drawn; `from_estimator` and `from_predictions` compute it.

    Attributes
    ----------
    ax_, figure_ : matplotlib.axes.Axes and matplotlib.figure.Figure
        Where it is drawn.

    See Also
    --------
    RankingDisplay : How reliable each model is alone.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.inspection import DependenceDisplay
    >>> truth, twins = np.random.default_rng(0).normal(size=(2, 200))
    >>> table = np.column_stack([truth + twins, truth + 2 * twins, truth - twins])
    >>> display = DependenceDisplay.from_predictions(truth, table)
    >>> display.ax_.figure is display.figure_
    True
    """

    _compute = staticmethod(dependence)

    def __init__(self, dependence: Dependence) -> None:
        self.dependence = dependence

    def plot(self, ax: Any = None) -> Self:
        """Draw the correlations, with models that err together side by side.

        Up to 12 models have numbers in the cells; more have a scale, and a minus sign
        where the correlation is below -0.1. Unknown correlations are hatched.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default on a new figure, as large as its texts need.

        Returns
        -------
        DependenceDisplay
        """
        dependence, n_models = self.dependence, len(self.dependence.order)
        values = dependence.correlation[np.ix_(dependence.order, dependence.order)]
        places = range(n_models)
        numbers = [str(place + 1) for place in places]
        short = shorten(dependence.model_names[dependence.order])
        names = [f"{name}  {n}" for name, n in zip(short, numbers, strict=True)]
        few = n_models <= _MOST_NUMBERS
        given, bound = ("with", "") if dependence.labelled else ("without", "at most ")
        title = (
            f"Correlation of errors, {given} labels\n"
            f"{n_models} models are worth {bound}{dependence.effective}\n"
            f"boxes: families ({dependence.threshold:.2f} or more)"
        )
        if not few:
            title += f"; minus: below {_NEGATIVE}"
        side = n_models * (_CELL if few else ROW)
        around = inches(names) + (0.4 if few else 1.0), 1.0
        text = self._begin(ax, title, (side, side), around)
        self.ax_.patch.set(hatch="////", edgecolor="grey")
        image = self.ax_.imshow(values, cmap="RdBu_r", aspect="auto", vmin=-1, vmax=1)
        self.ax_.set_xticks(places, numbers, **text)
        self.ax_.set_yticks(places, names, **text)
        self.ax_.tick_params(length=0)
        self._outline(dependence.families[dependence.order])
        if few:
            self._write_numbers(values, text)
        else:
            self._mark_signs(values, text)
            bar = self.ax_.inset_axes((1.02, 0, 0.03, 1))
            self.figure_.colorbar(image, cax=bar)
            size_ticks(bar, text)
        return self

    def _outline(self, families: Any) -> None:
        """Draw a box around each family of two models or more."""
        from matplotlib.patches import Rectangle

        for family in np.flatnonzero(np.bincount(families) > 1):
            members = np.flatnonzero(families == family)
            corner, side = members[0] - 0.5, len(members)
            style: dict[str, Any] = {"fill": False, "lw": 2, "clip_on": False}
            self.ax_.add_patch(Rectangle((corner, corner), side, side, **style))

    def _write_numbers(self, values: Any, text: dict[str, Any]) -> None:
        """Write the correlations into their cells."""
        style = {"ha": "center", "va": "center", **text}
        for (row, column), value in np.ndenumerate(values):
            if row != column and np.isfinite(value):
                colour = "white" if abs(value) > _DARK else "black"
                self.ax_.text(column, row, f"{value:z.2f}", color=colour, **style)

    def _mark_signs(self, values: Any, text: dict[str, Any]) -> None:
        """Draw a minus sign on cells below `_NEGATIVE`."""
        rows, columns = np.nonzero(values < _NEGATIVE)
        size = (0.45 * text["fontsize"]) ** 2
        self.ax_.scatter(columns, rows, size, "black", marker="_")
