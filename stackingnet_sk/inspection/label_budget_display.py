"""Picture of what further labels would buy."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from stackingnet_sk.inspection.canvas import Display
from stackingnet_sk.inspection.label_budget import LabelBudget, label_budget


class LabelBudgetDisplay(Display):
    """Expected error against the number of labels.

    Parameters
    ----------
    budget : LabelBudget
        What is drawn; `from_estimator` computes it.

    Attributes
    ----------
    ax_, figure_ : matplotlib.axes.Axes and matplotlib.figure.Figure
        Where it is drawn.

    See Also
    --------
    label_budget : The projection, and what it assumes.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.inspection import LabelBudgetDisplay
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=30)
    >>> judges = truth[:, None] + rng.normal(size=(30, 4))
    >>> display = LabelBudgetDisplay.from_estimator(
    ...     StackingNetRegressor(), judges, truth, random_state=0
    ... )
    >>> display.ax_.get_xlabel()
    'labels (vertical line: 30 at hand)'
    """

    def __init__(self, budget: LabelBudget) -> None:
        self.budget = budget

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: ArrayLike, *, ax: Any = None, **options: Any
    ) -> Self:
        """Project how the error would fall with further labels, and draw it.

        Parameters
        ----------
        estimator, X, y : object
            As in `label_budget`.
        ax : matplotlib.axes.Axes, default=None
            As in `plot`.
        **options : object
            As in `label_budget`.

        Returns
        -------
        LabelBudgetDisplay
        """
        return cls(label_budget(estimator, X, y, **options)).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the projected error as a dashed line, with a band for the gain.

        The band is the error with the labels at hand minus the 5th to 95th percentile
        of the gain. It leaves out how much the curves of the repeats differ in level.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default on a new figure.

        Returns
        -------
        LabelBudgetDisplay
        """
        budget = self.budget
        order = budget.n_labels.argsort()
        labels, error = budget.n_labels[order], budget.error[order]
        title = "Error with further labels, projected (grey: 5 to 95 % of the gain)"
        text = self._begin(ax, title, (4.0, 2.4), (0.8, 0.8))
        band = error[0] - np.array([budget.gain_high, budget.gain_low])[:, order]
        self.ax_.fill_between(labels, *band, color="lightgrey")
        self.ax_.plot(labels, error, "o--", color="black", markerfacecolor="white")
        self.ax_.axvline(budget.n_labelled, color="black", linewidth=0.8)
        # The error with the labels at hand is not projected, so this point is full.
        self.ax_.plot(labels[0], error[0], "o", color="black")
        label = f"labels (vertical line: {budget.n_labelled} at hand)"
        self.ax_.set_xlabel(label, **text)
        self.ax_.set_ylabel("expected error", **text)
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        return self
