"""From figures to a page: the templates, and what they may call."""

from __future__ import annotations

import math
from pathlib import Path

from stackingnet_sk._tables import as_rows
from stackingnet_sk._text import harmless
from stackingnet_sk.report import charts, headline, sections, sentences, words
from stackingnet_sk.report.figures import Figures

_GLOBALS = (
    charts.comparison_chart,
    charts.disparity_chart,
    charts.heat_map,
    charts.lead_chart,
    charts.pruning_chart,
    charts.ranking_chart,
    charts.weights_chart,
    as_rows,
    headline.cards,
    sections.families,
    sentences.caveats,
    sentences.summary,
    words.count,
    words.figure,
    words.proof,
)
_FILTERS = {
    "at": words.at,
    "listed": words.listed,
    "number": words.finite,
    "share": words.share,
    "shortened": charts.shortened,
    "signed": words.signed,
    "with_article": words.with_article,
}


def render(figures: Figures) -> str:
    """Make a document that needs no other file; ImportError without jinja2."""
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
    environment.globals |= {function.__name__: function for function in _GLOBALS}
    environment.globals["most_pairs"] = words.MOST_PAIRS
    environment.filters |= _FILTERS
    environment.tests["finite"] = math.isfinite
    environment.tests["absent"] = lambda section: isinstance(section, sections.Absent)
    template = environment.get_template("page.html.j2")
    return harmless(template.render(vars(figures), figures=figures))
