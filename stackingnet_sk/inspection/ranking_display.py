"""Picture of a ranking: reliability with its intervals."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from stackingnet_sk.inspection.canvas import RowsDisplay, shorten
from stackingnet_sk.inspection.ranking import Ranking, rank_models


class RankingDisplay(RowsDisplay):
    """Reliability of the models with its intervals, the best on top.

    Parameters
    ----------
    ranking : Ranking
        What is drawn; `from_estimator` and `from_predictions` compute it.

    Attributes
    ----------
    ax_, figure_ : matplotlib.axes.Axes and matplotlib.figure.Figure
        Where it is drawn.

    See Also
    --------
    rank_models : The ranking, and what its columns mean.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.inspection import RankingDisplay
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=200)
    >>> judges = truth[:, None] + rng.normal(size=(200, 3)) * [0.3, 0.3, 2.0]
    >>> display = RankingDisplay.from_predictions(truth, judges)
    >>> display.ax_.figure is display.figure_
    True
    """

    _compute = staticmethod(rank_models)

    def __init__(self, ranking: Ranking) -> None:
        self.ranking = ranking

    def plot(self, ax: Any = None) -> Self:
        """Draw intervals and dots; a cross marks a model with evidence against it.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default on a new figure, as large as its texts need.

        Returns
        -------
        RankingDisplay
        """
        ranking, names = self.ranking, shorten(self.ranking.model_names)
        kind = (
            "Signed squared correlation" if ranking.is_number else "Balanced accuracy"
        )
        title = f"{kind}, {100 * ranking.confidence_level:.0f} % intervals"
        if ranking.mostly_agreement:
            title += f"\n{ranking.agreement:.0%} agreement: sure only of who errs alone"
        ranks = [
            f"{low}-{high}" if low < high else f"{low}"
            for low, high in zip(ranking.rank_low, ranking.rank_high, strict=True)
        ]
        columns = {"ranks": ranks, "group": ranking.group}
        text = self._begin_rows(ax, title, names, columns)
        self.ax_.axvline(ranking.chance, color="black", linestyle=":")
        rows, against = np.arange(len(names)), np.array(ranking.against) != ""
        self.ax_.hlines(rows, ranking.low, ranking.high, color="black")
        dot = {"marker": "o", "color": "white", "edgecolor": "black"}
        cross = {"marker": "X", "color": "black", "edgecolor": "white"}
        for models, share, style in ((~against, 0.6, dot), (against, 1.2, cross)):
            size = (share * text["fontsize"]) ** 2
            place = ranking.reliability[models], rows[models]
            self.ax_.scatter(*place, size, zorder=3, **style)
        label = "reliability (dotted: chance{})".format(
            "; cross: evidence against" if against.any() else ""
        )
        self.ax_.set_xlabel(label, loc="left", **text)
        return self
