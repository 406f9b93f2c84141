"""Pictures of the errors of groups."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stackingnet_sk.inspection.canvas import ROW, Display, inches
from stackingnet_sk.inspection.disparity import Disparity, GroupDisparity, disparity

# Quantiles of a distribution: ends of the line, ends of the box, and the median.
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
# By default `disparity` draws no replicates, because no picture shows intervals.
_NO_DRAWS: dict[str, Any] = {"n_bootstrap": 0, "n_permutations": 0}


class DisparityDisplay(Display):
    """Errors of groups, as a heat map of the models or as distributions.

    Parameters
    ----------
    disparity : Disparity
        What is drawn; `from_estimator` and `from_predictions` compute it.

    Attributes
    ----------
    ax_, figure_ : matplotlib.axes.Axes and matplotlib.figure.Figure
        Where it is drawn.

    See Also
    --------
    stackingnet_sk.inspection.disparity : The computation, and what it assumes.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk.inspection import DisparityDisplay
    >>> rng = np.random.default_rng(0)
    >>> truth, region = rng.normal(size=200), ["north", "south"] * 100
    >>> judges = truth[:, None] + rng.normal(size=(200, 3))
    >>> display = DisparityDisplay.from_predictions(
    ...     truth, judges.mean(axis=1), region, models=judges
    ... )
    >>> [tick.get_text() for tick in display.ax_.get_xticklabels()]
    ['north (100)', 'south (100)', 'gap']
    """

    def __init__(self, disparity: Disparity) -> None:
        self.disparity = disparity

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        sensitive_features: Any,
        *,
        kind: str = "heatmap",
        grouping: str | None = None,
        ax: Any = None,
        **options: Any,
    ) -> Self:
        """Draw the disparity of a fitted estimator, and return the display.

        Parameters
        ----------
        estimator, X, y, sensitive_features : object
            As in `disparity`.
        kind, grouping, ax : object
            As in `plot`.
        **options : object
            As in `disparity`.

        Returns
        -------
        DisparityDisplay
        """
        result = disparity(estimator, y, sensitive_features, X=X, **_NO_DRAWS | options)
        return cls(result).plot(ax, kind=kind, grouping=grouping)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sensitive_features: Any,
        *,
        kind: str = "heatmap",
        grouping: str | None = None,
        ax: Any = None,
        **options: Any,
    ) -> Self:
        """Draw the disparity of given predictions, and return the display.

        Parameters
        ----------
        y_true, y_pred, sensitive_features : object
            Labels, predictions and groups.
        kind, grouping, ax : object
            As in `plot`.
        **options : object
            Other arguments of `disparity`, such as `models`.

        Returns
        -------
        DisparityDisplay
        """
        result = disparity(y_pred, y_true, sensitive_features, **_NO_DRAWS | options)
        return cls(result).plot(ax, kind=kind, grouping=grouping)

    def plot(
        self, ax: Any = None, *, kind: str = "heatmap", grouping: str | None = None
    ) -> Self:
        """Draw the errors; a star marks small groups.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default on a new figure, as large as its labels need.
        kind : {"heatmap", "distributions"}, default="heatmap"
            "heatmap" shows the error of each model in each group, with the largest gap
            on top. "distributions" shows the errors of the combination in each group: a
            line from the 5th to the 95th percentile, a box around the middle half, a
            bar at the median and a diamond at the mean; for classes, a bar as long as
            the error rate.
        grouping : str, default=None
            Column of groups, or crossing ``"a x b"``. By default the first column.

        Returns
        -------
        DisparityDisplay
        """
        kinds = {"heatmap": self._heatmap, "distributions": self._distributions}
        groupings = self.disparity.groupings
        name = next(iter(groupings)) if grouping is None else grouping
        for value, choices in ((kind, kinds), (name, groupings)):
            if value not in choices:
                raise ValueError(f"{value!r} is none of {list(choices)}.")
        kinds[kind](ax, name, groupings[name])
        return self

    def _heatmap(self, ax: Any, name: str, by_group: GroupDisparity) -> None:
        """Draw models by groups: gaps descending, then average and combination."""
        first = min(2, len(self.disparity.names))
        gap = by_group.gap.value
        order = [*(np.argsort(-gap[first:]) + first), *range(first)[::-1]]
        error = by_group.error.value[order]
        cells = _numbers(np.column_stack([error, gap[order]]))
        rows = self.disparity.names[order].tolist()
        columns = [*_groups(by_group), "gap"]
        width, label = inches(cells.ravel()), inches(columns)
        # Long names are rotated, because side by side they would fill a page.
        turned = label > width and label * len(columns) > 6
        width = 0.15 + (width if turned else max(width, label))
        size = len(columns) * width, len(rows) * ROW
        text = self._begin_groups(
            ax, f"by {name} (rows, * few)", size, rows, label * turned
        )
        image = self.ax_.imshow(error, cmap="Blues", aspect="auto")
        light = image.cmap(image.norm(error))[..., :3] @ [0.2126, 0.7152, 0.0722]
        for (row, column), cell in np.ndenumerate(cells):
            # A missing error is transparent and has luminance 0; the darkest blue has
            # more.
            dark = column < error.shape[1] and 0 < light[row, column] < 0.5
            style = {"color": "white" if dark else "black", "ha": "center", **text}
            self.ax_.text(column, row, cell, va="center", **style)
        self.ax_.axhline(len(rows) - first - 0.5, color="black", linewidth=0.8)
        self.ax_.set_xticks(range(len(columns)), columns, rotation=90 * turned, **text)
        self.ax_.set_yticks(range(len(rows)), rows, **text)
        self.ax_.set_xlim(-0.5, len(columns) - 0.5)

    def _distributions(self, ax: Any, name: str, by_group: GroupDisparity) -> None:
        """Draw one row per group."""
        rows, means = _groups(by_group), by_group.error.value[0]
        errors, weights = self.disparity.errors[:, 0], self.disparity.weights
        title = f"by {name} (rows, * few), mean on the right"
        hatch = np.where(by_group.small, "////", "")
        text = self._begin_groups(ax, title, (4.0, len(rows) * 0.3), rows, 0.0)
        for g, (mean, cell) in enumerate(zip(means, _numbers(means), strict=True)):
            in_group = by_group.members == g
            kind = {"weights": weights[in_group], "method": "inverted_cdf"}
            low, left, median, right, high = np.quantile(
                errors[in_group], _LEVELS, **kind
            )
            if self.disparity.task == "regression":
                self.ax_.hlines(g, low, high, color="black", zorder=0)
                self.ax_.vlines(median, g - 0.25, g + 0.25, color="black", linewidth=2)
                self.ax_.plot(mean, g, "D", color="white", markeredgecolor="black")
            else:
                left, right = 0.0, mean
            style = {"color": "lightgrey", "edgecolor": "black", "hatch": hatch[g]}
            self.ax_.barh(g, right - left, 0.5, left, **style)
            beside = self.ax_.get_yaxis_transform()
            self.ax_.text(1.02, g, cell, transform=beside, va="center", **text)
        self.ax_.set_yticks(range(len(rows)), rows, **text)
        self.ax_.tick_params("x", labelsize=text["fontsize"])
        self.ax_.set(xlim=(0, None), ylim=(len(rows) - 0.5, -0.5))

    def _begin_groups(
        self, ax: Any, title: str, size: Any, rows: Any, below: float
    ) -> dict[str, Any]:
        """Begin a picture of a size in inches, with room left of it and below."""
        kind = {"regression": "Absolute error", "classification": "Error rate"}
        title = f"{kind[self.disparity.task]} {title}"
        return self._begin(ax, title, size, (inches(rows) + 0.5, below + 0.6))


def _groups(by_group: GroupDisparity) -> list[str]:
    """Name the groups with their numbers of rows, and a star if they are small."""
    columns = zip(by_group.groups, by_group.n_rows, by_group.small, strict=True)
    return [f"{group} ({n}){'*' if small else ''}" for group, n, small in columns]


def _numbers(values: NDArray[np.float64]) -> NDArray[Any]:
    """Write numbers with as many decimals as show three digits of the largest."""
    digits = 2 - int(np.floor(np.log10(np.nanmax(np.abs(values)) or 1.0)))
    form = "{:.2e}" if abs(digits) > 5 else f"{{:.{max(0, digits)}f}}"
    texts = [form.format(v) if np.isfinite(v) else "–" for v in values.ravel()]
    return np.array(texts).reshape(values.shape)
