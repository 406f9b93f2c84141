"""What Displays share: axes as large as their texts need, and rows of names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from stackingnet_sk._task import numbers_or_classes
from stackingnet_sk.ensemble import StackingNetClassifier, StackingNetRegressor
from stackingnet_sk.predictions import as_array, is_labelled

# Height of a letter, in points, where there is room for it.
POINTS = 8.0
# Height of a row of text, in inches.
ROW = 0.2
# Longer names, in letters, lose their middle.
_LONGEST = 40


def size_ticks(ax: Any, text: dict[str, Any]) -> None:
    """Give the numbers at the ticks, and their power of ten, the size of the texts."""
    ax.tick_params(labelsize=text["fontsize"])
    for axis in (ax.xaxis, ax.yaxis):
        axis.offsetText.set_fontsize(text["fontsize"])


def name_rows(ax: Any, names: Sequence[str], text: dict[str, Any]) -> None:
    """Write a name at each row, the first on top, with a line to follow it."""
    ax.set_yticks(range(len(names)), names, **text)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params("y", length=0)
    ax.locator_params("x", nbins=5)
    ax.grid(axis="y", color="lightgrey", linewidth=0.5)
    ax.set_axisbelow(True)


def write_beside(
    ax: Any, columns: Mapping[str, Sequence[str]], text: dict[str, Any]
) -> None:
    """Write columns of texts to the right of the rows, each under its heading."""
    right = 0.8 * text["fontsize"]
    for heading, cells in columns.items():
        style = {"textcoords": "offset points", **text}
        ax.annotate(heading, (1, 1), (right, 6), "axes fraction", **style)
        for row, cell in enumerate(cells):
            place = ax.get_yaxis_transform()
            ax.annotate(cell, (1, row), (right, 0), place, va="center", **style)
        right += (72 * inches([heading, *cells]) / POINTS + 1) * text["fontsize"]


def shorten(names: Iterable[Any]) -> list[str]:
    """Leave out the middle of names of more than `_LONGEST` letters."""
    half = _LONGEST // 2
    return [
        name if len(name) <= _LONGEST else f"{name[: half - 1]}…{name[-half:]}"
        for name in map(str, names)
    ]


def inches(texts: Iterable[str]) -> float:
    """Return the width in inches of the widest text, in letters of `POINTS`."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=POINTS)
    sizes = (text_to_path.get_text_width_height_descent(t, font, False) for t in texts)
    return float(max(width for width, _, _ in sizes)) / 72.0


class Display:
    """Something that was computed, and its picture on the axes `ax_` of `figure_`.

    A subclass holds what was computed, and has `from_estimator` and `plot(ax=)`.
    """

    ax_: Any
    figure_: Any

    def _begin(
        self, ax: Any, title: str, inside: Sequence[float], around: Sequence[float]
    ) -> dict[str, Any]:
        """Take axes, or make a figure of the size that is needed, and set the title.

        `inside` is the width and height in inches of the area inside the axes, and
        `around` that of the area around them in letters of `POINTS`. Given axes may be
        smaller, and letters are smaller then. A new figure is at least as wide as its
        title. Returns the style of texts: their size, and that dollar signs do not
        start a formula.
        """
        wide, points = inches(title.splitlines()), POINTS
        if ax is None:
            from matplotlib import pyplot as plt

            size = max(inside[0], wide) + around[0], inside[1] + around[1]
            ax = plt.figure(figsize=size, layout="constrained").subplots()
            title_points = points
        else:
            given = ax.get_window_extent().size / ax.figure.dpi
            points *= min(1.0, *(given / inside))
            title_points = min(points, POINTS * given[0] / wide)
        ax.set_title(title, loc="left", fontsize=title_points, parse_math=False)
        text = {"fontsize": points, "parse_math": False}
        size_ticks(ax, text)
        self.ax_, self.figure_ = ax, ax.figure
        return text

    def _begin_rows(
        self,
        ax: Any,
        title: str,
        names: Sequence[str],
        columns: Mapping[str, Sequence[str]],
    ) -> dict[str, Any]:
        """Begin a picture of one row per name, with columns of texts on the right."""
        beside = sum(inches([heading, *cells]) for heading, cells in columns.items())
        around = inches(names) + beside + 0.6, 0.9
        text = self._begin(ax, title, (3.0, ROW * len(names)), around)
        name_rows(self.ax_, names, text)
        write_beside(self.ax_, columns, text)
        return text


class ModelsDisplay(Display):
    """A display of the models of a fitted estimator, or of the columns of a table.

    `from_estimator` of a subclass takes the estimator, and the rows if `_reads_rows`.
    """

    _reads_rows = False

    @classmethod
    def from_predictions(
        cls: Any,
        y_true: ArrayLike | None,
        table: Any,
        *,
        estimator: Any = None,
        ax: Any = None,
        **options: Any,
    ) -> Any:
        """Fit an estimator to a table of predictions, and draw its models.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,) or None
            Labels; NaN or None on rows without a label.
        table : array-like of shape (n_samples, n_models)
            Predictions or votes, one column per model.
        estimator : StackingNetRegressor or StackingNetClassifier, default=None
            A clone of it is fitted. By default a regressor if any label is a fraction,
            and a classifier for texts and for two classes.
        ax : matplotlib.axes.Axes, default=None
            As in `plot`.
        **options : object
            As in `from_estimator`.

        Returns
        -------
        object
            The display.

        Raises
        ------
        ValueError
            If the estimator cannot be fitted; without an estimator also if there are no
            labels, or more than two classes that are whole numbers.
        """
        if estimator is None:
            estimator = _estimator_for(y_true)
        fitted = clone(estimator).fit(table, y_true)
        rows = (table, y_true) if cls._reads_rows else ()
        return cls.from_estimator(fitted, *rows, ax=ax, **options)


class RowsDisplay(ModelsDisplay):
    """A display of what the models of a fitted estimator predict for rows.

    A subclass is constructed from the result of its `_compute`, and has `plot`.
    """

    _reads_rows = True
    _compute: ClassVar[Callable[..., Any]]

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        ax: Any = None,
        **options: Any,
    ) -> Self:
        """Compare the models of a fitted estimator on rows, and draw the result.

        Parameters
        ----------
        estimator, X, y : object
            As in the function that computes what is drawn, `rank_models` or
            `dependence`.
        ax : matplotlib.axes.Axes, default=None
            As in `plot`.
        **options : object
            As in that function.

        Returns
        -------
        object
            The display.
        """
        construct: Any = cls
        display: Self = construct(cls._compute(estimator, X, y, **options)).plot(ax)
        return display


def _estimator_for(y_true: ArrayLike | None) -> Any:
    """Choose a regressor or a classifier from the labels."""
    labels = np.empty(0) if y_true is None else as_array(y_true)
    labels = labels[is_labelled(labels)]
    if not len(labels):
        raise ValueError(
            "Without labels it is unknown whether numbers or classes are predicted; "
            "give an estimator."
        )
    task = numbers_or_classes(labels)
    if task is None:
        raise ValueError(
            "Whole numbers may be ratings or classes; pass "
            "estimator=StackingNetRegressor() or estimator=StackingNetClassifier()."
        )
    return StackingNetRegressor() if task == "regression" else StackingNetClassifier()
