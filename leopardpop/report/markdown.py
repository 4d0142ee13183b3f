"""A report as Markdown, with its figures as files beside it."""

from __future__ import annotations

import re
from functools import singledispatch

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

__all__ = ["to_markdown"]

SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~$])")


def to_markdown(report: Report, folder: str) -> str:
    r"""Write a report as Markdown.

    Parameters
    ----------
    report
        The report; every text in it is escaped.
    folder
        Where its figures are, relative to the file.

    Returns
    -------
    str
        Text.

    Examples
    --------
    >>> print(to_markdown(Report("Who?", [Paragraph("<b>a*b"), Bullets(["one"])]), "figures"))
    # Who?
    <BLANKLINE>
    \<b\>a\*b
    <BLANKLINE>
    - one
    <BLANKLINE>
    """
    blocks = [_picture(block, folder) if isinstance(block, Picture) else _text(block) for block in report.blocks]
    parts = [f"# {_plain(report.title)}", *blocks]
    if report.footer:
        parts.append(f"---\n\n{_plain(report.footer)}")
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _picture(block: Picture, folder: str) -> str:
    return f"![{_plain(block.alt_text)}]({folder}/{block.name}.png)\n\n{_plain(block.caption)}"


@singledispatch
def _text(block: Block) -> str:
    raise TypeError(f"{type(block).__name__} is no block of a report.")


@_text.register
def _(block: Heading) -> str:
    return f"## {_plain(block.text)}"


@_text.register
def _(block: Paragraph) -> str:
    return _plain(block.text)


@_text.register
def _(block: Banner) -> str:
    return f"> **{block.kind}** {_plain(block.text)}"


@_text.register
def _(block: Card) -> str:
    return f"**{_plain(block.question)} {_plain(block.value)}**  \n{_plain(block.detail)}"


@_text.register
def _(block: Bullets) -> str:
    return "\n".join(f"- {_plain(item)}" for item in block.items)


@_text.register
def _(block: Table) -> str:
    rule = ["---:" if j in block.numeric else "---" for j in range(len(block.columns))]
    rows = [[_plain(text) for text in block.columns], rule, *([_plain(text) for text in row] for row in block.rows)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*([_plain(block.caption), ""] if block.caption else []), *lines])


@_text.register
def _(block: Equation) -> str:
    return f"$$\n{block.latex}\n$$"
