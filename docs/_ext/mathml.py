"""Formulas as MathML, which browsers draw themselves: no script, no network.

docutils translates; a command that it does not know is a warning of the build.
"""

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def inline(writer, node):
    writer.body.append(translated(node, as_block=False))
    raise nodes.SkipNode


def block(writer, node):
    writer.body.append(f'<div class="formula">{translated(node, as_block=True)}</div>')
    raise nodes.SkipNode


def translated(node, *, as_block):
    text = node.astext()
    try:
        return tex2mathml(text, as_block)
    except MathError as error:
        logger.warning("%s in %r", error, text, location=node)
        return f"<code>{text}</code>"
