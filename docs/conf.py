"""How the documentation becomes HTML: Markdown in, pages out, nothing from the network.

Formulae become MathML, which browsers draw by themselves: no script, no font and no server is needed to read them.
"""

from __future__ import annotations

from typing import Any, NoReturn

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

project = "simengine"
author = "The simengine developers"

extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "simengine"
html_copy_source = False
html_show_copyright = False
html_math_renderer = "mathml"


def setup(app: Any) -> None:
    """Let formulae be written by the functions below."""
    app.add_html_math_renderer("mathml", (_write_inline, None), (_write_block, None))


def _write_inline(writer: Any, node: nodes.Element) -> NoReturn:
    writer.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _write_block(writer: Any, node: nodes.Element) -> NoReturn:
    # A long formula scrolls by itself, not the page.
    formula = tex2mathml(node.astext(), as_block=True)
    writer.body.append(f'<div class="math" style="overflow-x: auto; overflow-y: hidden">{formula}</div>\n')
    raise nodes.SkipNode
