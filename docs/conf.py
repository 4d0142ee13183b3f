"""Configuration of the documentation; it is built, and read, without a network."""

import shutil
from pathlib import Path

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.errors import SphinxError

from leopardpop._version import __version__

project = "leopardpop"
author = "The leopardpop developers"
copyright = "2026, The leopardpop developers"
version = release = __version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
]
exclude_patterns = ["_build", "paper"]
nb_execution_mode = "off"  # the notebooks are saved with their outputs, and executed by .ci/run
nb_mime_priority_overrides = [("html", "text/html", 0), ("html", "image/png", 1), ("html", "text/plain", 2)]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3

html_math_renderer = "mathml"  # browsers set it themselves: no script, nothing to fetch
autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say type, shape and unit
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "leopardpop"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}
templates_path = ["_templates"]


HERE = Path(__file__).parent
shutil.rmtree(HERE / "notebooks", ignore_errors=True)
shutil.copytree(HERE.parent / "notebooks", HERE / "notebooks", ignore=shutil.ignore_patterns("*.py"))


def mathml(node, *, block):
    """An equation as MathML; one that cannot be understood stops the build."""
    try:
        return LatexToMathML().convert_with_local_state(node.astext(), displaystyle=block)
    except LatexError as error:
        raise SphinxError(f"{node.source}: {error} in {node.astext()!r}") from error


def visit_math(self, node):
    self.body.append(f'<span class="math notranslate nohighlight">{mathml(node, block=False)}</span>')
    raise nodes.SkipNode


def visit_displaymath(self, node):
    wide = '<math style="min-width: 100%; width: max-content"'  # a long one can be scrolled to its beginning
    equation = mathml(node, block=True).replace("<math", wide, 1)
    self.body.append(
        f'<div class="math notranslate nohighlight" style="margin: 1em 0; overflow-x: auto">{equation}</div>'
    )
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    return {"parallel_read_safe": True}
