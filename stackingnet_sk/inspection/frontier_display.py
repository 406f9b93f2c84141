"""Picture of what a limit costs."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from stackingnet_sk.inspection.canvas import Display
from stackingnet_sk.inspection.frontier import Frontier, frontier

_AXIS = {
    "disparity": "largest gap between two groups, out of fold",
    "budget": "cost of the weights",
    "models": "models with a weight",
}


class FrontierDisplay(Display):
    """Error against what is limited.

    Parameters
    ----------
    frontier : Frontier
        What is drawn; `from_estimator` computes it.

    Attributes
    ----------
    ax_, figure_ : matplotlib.axes.Axes and matplotlib.figure.Figure
        Where it is drawn.

    See Also
    --------
    stackingnet_sk.inspection.frontier : The computation.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.inspection import FrontierDisplay
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=60)
    >>> judges = truth[:, None] + rng.normal(size=(60, 4))
    >>> display = FrontierDisplay.from_estimator(
    ...     StackingNetRegressor(), judges, truth, "models"
    ... )
    >>> display.ax_.get_xlabel()
    'models with a weight'
    """

    def __init__(self, frontier: Frontier) -> None:
        self.frontier = frontier

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        against: str = "disparity",
        *,
        ax: Any = None,
        **options: Any,
    ) -> Self:
        """Measure what a limit costs, and draw it.

        Parameters
        ----------
        estimator, X, y, against : object
            As in :func:`~stackingnet_sk.inspection.frontier`.
        ax : matplotlib.axes.Axes, default=None
            As in `plot`.
        **options : object
            As in :func:`~stackingnet_sk.inspection.frontier`.

        Returns
        -------
        FrontierDisplay
        """
        return cls(frontier(estimator, X, y, against, **options)).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the error, with bars of two standard errors of its change.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default on a new figure.

        Returns
        -------
        FrontierDisplay
        """
        frontier = self.frontier
        title = "Error under a limit (open: none; bars: 2 s.e. of the change)"
        text = self._begin(ax, title, (4.0, 2.4), (0.8, 0.8))
        drawn = np.isfinite(frontier.error)
        bars = 2.0 * frontier.standard_error[drawn]
        points = frontier.measured[drawn], frontier.error[drawn]
        style = {"fmt": "o-", "color": "black", "markersize": 4, "elinewidth": 0.8}
        self.ax_.errorbar(*points, bars, **style)
        unlimited = frontier.measured[-1], frontier.error[-1]
        self.ax_.plot(*unlimited, "o", color="black", mfc="white", ms=8, zorder=3)
        self.ax_.axhline(unlimited[1], color="lightgrey", linewidth=0.8, zorder=-1)
        if frontier.against == "models":
            self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.set_xlabel(_AXIS[frontier.against], **text)
        self.ax_.set_ylabel("out-of-fold error", **text)
        return self
