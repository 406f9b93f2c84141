"""Picture of a pruning path."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from stackingnet_sk.inspection.canvas import ModelsDisplay, shorten
from stackingnet_sk.inspection.pruning import PruningPath, prune


class PruningDisplay(ModelsDisplay):
    """Expected error of the combination as models are removed, from top to bottom.

    Parameters
    ----------
    path : PruningPath
        What is drawn; `from_estimator` and `from_predictions` compute it.

    Attributes
    ----------
    ax_, figure_ : matplotlib.axes.Axes and matplotlib.figure.Figure
        Where it is drawn.

    See Also
    --------
    prune : The path, and what its error is.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.inspection import PruningDisplay
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=200)
    >>> judges = truth[:, None] + rng.normal(size=(200, 3)) * [0.5, 1.0, 50.0]
    >>> display = PruningDisplay.from_predictions(truth, judges)
    >>> display.ax_.figure is display.figure_
    True
    """

    def __init__(self, path: PruningPath) -> None:
        self.path = path

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Prune the models of a fitted estimator, and draw the path.

        Parameters
        ----------
        estimator : StackingNetRegressor or StackingNetClassifier
            As in `prune`.
        ax : matplotlib.axes.Axes, default=None
            As in `plot`.

        Returns
        -------
        PruningDisplay
        """
        return cls(prune(estimator)).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw one row per removal, and a star at the least error.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default on a new figure, as large as its texts need.

        Returns
        -------
        PruningDisplay
        """
        error, best = self.path.error, self.path.n_best
        *removed, last = shorten(self.path.removed)
        names = ["all models", *(f"− {name}" for name in removed)]
        title = f"Models removed, the least reliable first\nlast of all: {last}"
        rows = np.arange(len(names))
        left = {"left": [str(len(names) - row) for row in rows]}
        text = self._begin_rows(ax, title, names, left)
        # Differences of less than a few percent are noise, so they must not fill the
        # picture.
        self.ax_.update_datalim([(1.05 * error[best], 0)])
        size, style = text["fontsize"], {"color": "black"}
        self.ax_.plot(error, rows, "o-", mfc="white", ms=0.7 * size, **style)
        self.ax_.plot(error[best], best, "*", ms=1.7 * size, **style)
        label = f"expected {self.path.unit} (star: the least)"
        self.ax_.set_xlabel(label, loc="left", **text)
        return self
