"""A report as one page of HTML that needs nothing else: no network, no script."""

from __future__ import annotations

from base64 import b64encode
from functools import cache, singledispatch
from html import escape
from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

from leopardpop.report.blocks import (
    Banner,
    Block,
    Bullets,
    Card,
    Equation,
    Heading,
    Paragraph,
    Picture,
    Report,
    Table,
)

__all__ = ["to_html"]

# The page may show its own images and style, and nothing may be fetched or run: whatever a name in the data contains.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light; --ink: #1a1a1a; --soft: #5a5a5a; --line: #d9d9d9; --blue: #0072b2; --amber: #b26a00;
  --red: #b3261e; --green: #00704f; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 50rem; color: var(--ink); background: #fff;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; padding-top: .9rem; border-top: 1px solid var(--line); }
p, ul { margin: .6rem 0; }
li { margin: .3rem 0; }
nav { font-size: .85rem; margin: 0 0 1.2rem; }
nav a { color: var(--blue); margin-right: .75rem; text-decoration: none; white-space: nowrap; }
nav a:hover { text-decoration: underline; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: .9rem; margin: 1rem 0; }
.card { border: 1px solid var(--line); border-top: 4px solid var(--blue); border-radius: 4px; padding: .8rem 1rem; }
.card .q { font-size: .86rem; color: var(--soft); margin: 0; }
.card .v { font-size: 2rem; font-weight: 650; line-height: 1.2; margin: .15rem 0; font-variant-numeric: tabular-nums; }
.card .d { font-size: .9rem; margin: 0; }
.banner { border-left: 4px solid var(--soft); background: #f5f5f5; padding: .6rem .9rem; margin: .8rem 0; }
.banner.warn { border-color: var(--amber); background: #fff6e6; }
.banner.fail { border-color: var(--red); background: #fdecea; }
.scroll { overflow-x: auto; margin: .9rem 0; }
table { border-collapse: collapse; font-size: .88rem; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .86rem; padding-bottom: .35rem; }
th { text-align: left; font-weight: 600; border-bottom: 1.5px solid var(--ink); vertical-align: bottom; }
th, td { padding: .3rem .6rem .3rem 0; }
td { border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
td:first-child { overflow-wrap: break-word; }
th.n, td.n { text-align: right; overflow-wrap: normal; white-space: nowrap; padding: .3rem 1rem .3rem .4rem; }
table.narrow { width: auto; min-width: 24rem; }
.verdict { font-weight: 650; white-space: nowrap; }
.verdict.ok { color: var(--green); } .verdict.note { color: var(--soft); }
.verdict.warn { color: var(--amber); } .verdict.fail { color: var(--red); }
figure { margin: 1.4rem 0; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { font-size: .88rem; color: var(--soft); margin-top: .5rem; }
.equation { margin: .7rem 0 .7rem 1.2rem; overflow-x: auto; }
.equation img { display: block; max-width: none; }
footer { margin-top: 3rem; padding-top: .8rem; border-top: 1px solid var(--line); font-size: .82rem;
  color: var(--soft); overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; } nav { display: none; }
  figure, .card, tr { break-inside: avoid; } h2 { break-after: avoid; } .scroll { overflow: visible; } }
"""


def to_html(report: Report) -> str:
    """Write a report as a page.

    Parameters
    ----------
    report
        The report; every text in it is escaped.

    Returns
    -------
    str
        The page.

    Examples
    --------
    >>> page = to_html(Report("Who?", [Paragraph("<script>alert(1)</script>")]))
    >>> "<script>" in page, "&lt;script&gt;" in page
    (False, True)
    """
    headings = [block for block in report.blocks if isinstance(block, Heading)]
    links = " ".join(f'<a href="#{escape(each.anchor)}">{escape(each.text)}</a>' for each in headings)
    contents = f"<nav aria-label='Contents'>{links}</nav>" if links else ""
    body = "\n".join(_grouped(report.blocks))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(report.title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(report.title)}</h1>
{contents}
{body}
</main>
<footer>{escape(report.footer)}</footer>
</body>
</html>
"""


def _grouped(blocks: Any) -> list[str]:
    """Blocks one by one; cards that follow each other in one row."""
    written: list[str] = []
    cards: list[str] = []
    for block in [*blocks, None]:
        if isinstance(block, Card):
            cards.append(_html(block))
            continue
        if cards:
            written.append(f'<div class="cards">{"".join(cards)}</div>')
            cards = []
        if block is not None:
            written.append(_html(block))
    return written


@singledispatch
def _html(block: Block) -> str:
    raise TypeError(f"{type(block).__name__} is no block of a report.")


@_html.register
def _(block: Heading) -> str:
    return f'<h2 id="{escape(block.anchor)}">{escape(block.text)}</h2>'


@_html.register
def _(block: Paragraph) -> str:
    return f"<p>{escape(block.text)}</p>"


@_html.register
def _(block: Banner) -> str:
    return f'<div class="banner {block.kind}" role="note">{escape(block.text)}</div>'


@_html.register
def _(block: Card) -> str:
    lines = (("q", block.question), ("v", block.value), ("d", block.detail))
    return f'<div class="card">{"".join(f"""<p class="{c}">{escape(text)}</p>""" for c, text in lines)}</div>'


@_html.register
def _(block: Bullets) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in block.items)}</ul>"


@_html.register
def _(block: Table) -> str:
    head = "".join(f"<th{_class(block, j)} scope='col'>{escape(name)}</th>" for j, name in enumerate(block.columns))
    body = "".join(f"<tr>{''.join(_cell(block, j, text) for j, text in enumerate(row))}</tr>" for row in block.rows)
    caption = f"<caption>{escape(block.caption)}</caption>" if block.caption else ""
    narrow = ' class="narrow"' if len(block.columns) == 2 else ""
    return (
        f'<div class="scroll"><table{narrow}>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _class(block: Table, j: int) -> str:
    return ' class="n"' if j in block.numeric else ""


def _cell(block: Table, j: int, text: str) -> str:
    if j == block.verdicts:
        return f'<td><span class="verdict {escape(text)}">{escape(text)}</span></td>'
    return f"<td{_class(block, j)}>{escape(text)}</td>"


@_html.register
def _(block: Equation) -> str:
    svg, width, height = _set(block.latex)
    size = f'width="{width:.0f}" height="{height:.0f}"'
    return f'<div class="equation"><img alt="{escape(block.words)}" {size} src="data:image/svg+xml;base64,{svg}"></div>'


@_html.register
def _(block: Picture) -> str:
    source = b64encode(block.png).decode()
    width = f'style="width: {block.width_mm * 96 / 25.4 * 1.18:.0f}px"'
    image = f'<img alt="{escape(block.alt_text)}" {width} src="data:image/png;base64,{source}">'
    return f"<figure>{image}<figcaption>{escape(block.caption)}</figcaption></figure>"


# -- equations --------------------------------------------------------------------------------------------------------
SETTINGS: Any = {"mathtext.fontset": "stix", "svg.fonttype": "path", "svg.hashsalt": "leopardpop"}
POINTS = 13.0


@cache
def _set(latex: str) -> tuple[str, float, float]:
    """Set an equation: SVG in base64, width and height in pixels of a screen."""
    with matplotlib.rc_context(SETTINGS):
        box = MathTextParser("path").parse(f"${latex}$", dpi=72, prop=FontProperties(size=POINTS))
        width, total, depth = box.width + 2.0, box.height + 2.0, box.depth
        figure = Figure(figsize=(width / 72, total / 72))
        figure.text(1.0 / width, (depth + 1.0) / total, f"${latex}$", fontsize=POINTS, va="baseline", ha="left")
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return b64encode(buffer.getvalue()).decode(), width * 96 / 72, total * 96 / 72
