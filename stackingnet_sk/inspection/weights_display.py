"""Picture of the weights, and of the reliability beside them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from stackingnet_sk.inspection.answers import require_models
from stackingnet_sk.inspection.canvas import (
    ROW,
    ModelsDisplay,
    inches,
    name_rows,
    shorten,
    size_ticks,
)

# Left end, bottom, width and height of the two panels, as shares of the axes.
_LEFT, _RIGHT = (0.0, 0.0, 0.6, 1.0), (0.66, 0.0, 0.34, 1.0)


class WeightsDisplay(ModelsDisplay):
    """Weights of the models as bars, and their reliability in a second panel.

    A weight depends on what the other models predict; reliability does not. A good
    model may have no weight beside a similar one.

    Parameters
    ----------
    model_names : ndarray of str of shape (n_models,)
        Names of the models.
    weights : ndarray of shape (n_models,)
        Weights of the models.
    reliability : ndarray of shape (n_models,)
        Reliability of the models.
    intercept : float or ndarray of shape (n_classes,)
        Constant that is added to the weighted sum.
    chance : float
        Reliability of a model that guesses.

    Attributes
    ----------
    ax_, figure_ : matplotlib.axes.Axes and matplotlib.figure.Figure
        Where it is drawn.
    axes_ : tuple of two matplotlib.axes.Axes
        The panels inside `ax_`: weights, reliability.

    See Also
    --------
    RankingDisplay : Reliability with intervals.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.inspection import WeightsDisplay
    >>> truth = np.linspace(0, 1, 50)
    >>> table = np.column_stack([truth**2, np.sqrt(truth), 1 - truth])
    >>> display = WeightsDisplay.from_predictions(truth, table)
    >>> display.ax_.figure is display.figure_
    True
    """

    def __init__(
        self,
        *,
        model_names: NDArray[Any],
        weights: NDArray[np.float64],
        reliability: NDArray[np.float64],
        intercept: Any,
        chance: float,
    ) -> None:
        self.model_names = model_names
        self.weights = weights
        self.reliability = reliability
        self.intercept = intercept
        self.chance = chance

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Draw the weights of a fitted estimator.

        Parameters
        ----------
        estimator : StackingNetRegressor or StackingNetClassifier
            Fitted.
        ax : matplotlib.axes.Axes, default=None
            As in `plot`.

        Returns
        -------
        WeightsDisplay
        """
        require_models(estimator)
        return cls(
            model_names=estimator.model_names_,
            weights=estimator.weights_,
            reliability=estimator.reliability_,
            intercept=estimator.intercept_,
            chance=1 / len(estimator.classes_) if is_classifier(estimator) else 0.0,
        ).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw both panels, with the largest weight on top.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default on a new figure.

        Returns
        -------
        WeightsDisplay
        """
        order = np.lexsort((-self.reliability, -self.weights))
        weights, names = self.weights[order], shorten(self.model_names[order])
        ends = f"{np.min(self.intercept):.3g}", f"{np.max(self.intercept):.3g}"
        intercept = " to ".join(dict.fromkeys(ends))
        title = f"Weights (intercept {intercept}), reliability"
        size, around = (4.5, ROW * len(names)), (inches(names) + 0.4, 0.8)
        text = self._begin(ax, title, size, around)
        self.ax_.set_axis_off()
        left, right = (self.ax_.inset_axes(place) for place in (_LEFT, _RIGHT))
        self.axes_ = left, right
        for panel, label in ((left, "weight"), (right, "reliability (dotted: chance)")):
            name_rows(panel, names, text)
            size_ticks(panel, text)
            panel.set_xlabel(label, loc="left", **text)
        right.tick_params("y", labelleft=False)
        right.locator_params("x", nbins=3)
        rows, edge = np.arange(len(names)), {"edgecolor": "black"}
        left.barh(rows, weights, 0.6, color="lightgrey", **edge)
        left.axvline(0, color="black", linewidth=0.8)
        style = {"textcoords": "offset points", "va": "center", **text}
        style["bbox"] = {"color": "white", "pad": 0.5}
        for row in rows[weights == 0]:
            left.annotate("not used", (0, row), (3, 0), **style)
        right.axvline(self.chance, color="black", linestyle=":")
        face = np.where(weights == 0, "white", "black")
        size = (0.7 * text["fontsize"]) ** 2
        right.scatter(self.reliability[order], rows, size, face, zorder=3, **edge)
        return self
