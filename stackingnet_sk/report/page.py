"""The report itself: results that were measured once, and the page made of them."""

from __future__ import annotations

import copy
import html
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from stackingnet_sk._files import whole_file
from stackingnet_sk.report.as_json import to_dict
from stackingnet_sk.report.figures import Figures, collect
from stackingnet_sk.report.render import render
from stackingnet_sk.report.subject import Subject


@dataclass(frozen=True, eq=False)
class Report:
    """A page about a combination.

    Parameters
    ----------
    content : Figures
        Results of the inspection tools, and what else the page says.

    Examples
    --------
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.datasets import make_experts
    >>> from stackingnet_sk.report import report
    >>> judges = make_experts(60, 3, random_state=0)
    >>> model = StackingNetRegressor().fit(judges.X, judges.y)
    >>> page = report(model, judges.X, judges.y)
    >>> page.figures["certificate"]["status"]
    'optimal'
    """

    content: Figures

    @cached_property
    def figures(self) -> Mapping[str, Any]:
        """All that the page says, as JSON has it."""
        return to_dict(self.content)

    def to_dict(self) -> dict[str, Any]:
        """Return all figures, as texts, numbers, lists and dictionaries.

        Returns
        -------
        dict
            None stands for what is not known, or not finite.
        """
        return copy.deepcopy(dict(self.figures))

    def to_html(self) -> str:
        """Make the page.

        Returns
        -------
        str
            A document that needs no other file and no network.

        Raises
        ------
        ImportError
            If jinja2 is not installed.
        """
        return render(self.content)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the page to a file, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            Where to.
        overwrite : bool, default=False
            Whether a file that is there may be replaced.

        Returns
        -------
        Path
            Where it is.

        Raises
        ------
        FileExistsError
            If there is a file already.
        ImportError
            If jinja2 is not installed.
        """
        place = Path(path)
        if place.exists() and not overwrite:
            raise FileExistsError(
                f"{place} exists; give another name, or overwrite=True to replace it."
            )
        text = self.to_html()
        with whole_file(place) as file:
            file.write(text.encode())
        return place

    def _repr_html_(self) -> str:
        page = html.escape(self.to_html(), quote=True)
        return (
            f'<iframe sandbox srcdoc="{page}" title="report" '
            'style="width:100%;height:48rem;border:1px solid #8888"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Report {self.figures['title']!r}: " + " ".join(
            [*self.figures["summary"], "save(path) writes the page.>"]
        )


def report(
    model: Any,
    X: Any,
    y: ArrayLike | None = None,
    *,
    groups: Any = None,
    fit_params: Mapping[str, Any] | None = None,
    title: str | None = None,
    source: str | None = None,
    settings: Mapping[str, Any] | None = None,
    confidence_level: float = 0.95,
    random_state: int = 0,
) -> Report:
    """Measure what can be said of a fitted combination, for one page.

    The combination is fitted anew on parts of the labels and compared with plain rivals
    on the others (:func:`~stackingnet_sk.inspection.compare`); weights, certificate and
    pruning path are those of `model`. Where a figure cannot be had, the page says why.

    Parameters
    ----------
    model : StackingNetRegressor, StackingNetClassifier or Pipeline that ends in one
        Fitted.
    X : array-like
        What it predicts from. With members, give the table that they were fitted on:
        they are judged by their predictions out of fold.
    y : array-like of shape (n_samples,), default=None
        Labels; NaN or None on rows without.
    groups : frame or mapping of str to array-like, default=None
        Groupings of the rows, between which errors are compared.
    fit_params : mapping of str to object, default=None
        What `fit` of the model received besides `X` and `y`, such as ``groups`` of its
        splitter and ``sample_weight``. The comparison fits it in the same way.
    title : str, default=None
        Of the page.
    source : str, default=None
        Where the table is from.
    settings : mapping, default=None
        What else it takes to reproduce the page.
    confidence_level : float, default=0.95
        Of the intervals of scores and leads; those of the inspection tools have 90 %.
    random_state : int, default=0
        Seed of everything that is drawn.

    Returns
    -------
    Report

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    TypeError
        If it does not combine models.
    ValueError
        If X cannot be read, or y has not a value a row.

    Notes
    -----
    Of more than 50,000 rows with a label, or without, so many are drawn at random for
    comparison, ranking and dependence.

    Examples
    --------
    >>> import numpy as np
    >>> from stackingnet_sk import StackingNetRegressor
    >>> from stackingnet_sk.report import report
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=200)
    >>> judges = truth[:, None] + rng.normal(size=(200, 3)) * [0.3, 0.6, 2.0]
    >>> y = np.where(np.arange(200) < 50, truth, np.nan)
    >>> page = report(StackingNetRegressor().fit(judges, y), judges, y)
    >>> page.figures["summary"][0]
    '3 models answered with a number for 200 items. 50 of them have a label.'
    """
    subject = Subject.of(model, X, y)
    return Report(
        collect(
            subject,
            groups=groups,
            fit_params=fit_params,
            title=title,
            source=source,
            settings=settings,
            confidence_level=confidence_level,
            random_state=random_state,
        )
    )
