"""From figures to a page: the templates, and what they may call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stackingnet_sk._text import harmless
from stackingnet_sk.report import charts, headline, words

_CHARTS = (
    charts.comparison_chart,
    charts.disparity_chart,
    charts.heat_map,
    charts.lead_chart,
    charts.pruning_chart,
    charts.ranking_chart,
    charts.shortened,
    charts.weights_chart,
    headline.cards,
)
_WORDS = (
    words.count,
    words.figure,
    words.listed,
    words.number,
    words.share,
    words.signed,
    words.with_article,
)


def render(figures: dict[str, Any]) -> str:
    """Fill the templates.

    Parameters
    ----------
    figures : dict
        All that the page says.

    Returns
    -------
    str
        A document that needs nothing else.

    Raises
    ------
    ImportError
        If jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise ImportError(
            "A page is made with jinja2. Run python -m pip install "
            "'stackingnet_sk[report]' first."
        ) from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        # Names and cells are other people's texts: everything is escaped.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (*_CHARTS, *_WORDS):
        environment.globals[function.__name__] = function
    page = environment.get_template("page.html.j2").render(figures)
    return harmless(page)
