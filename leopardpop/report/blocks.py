"""What a report is made of, whatever it is written as: headings, text, tables, figures, equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "Banner",
    "Block",
    "Bullets",
    "Card",
    "Equation",
    "Heading",
    "Paragraph",
    "Picture",
    "Report",
    "Table",
]


@dataclass(frozen=True)
class Heading:
    """Title of a section."""

    text: str
    anchor: str
    """Short name for links to it."""


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Banner:
    """Text that must not be overlooked."""

    text: str
    kind: Literal["note", "warn", "fail"] = "note"


@dataclass(frozen=True)
class Card:
    """An answer: a number, what it is of, and what to know beside it."""

    question: str
    value: str
    detail: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table of text; columns of numbers are set to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[int] = ()
    """Columns that hold numbers."""
    caption: str = ""
    verdicts: int | None = None
    """Column of verdicts (ok, note, warn, fail), which are marked."""


@dataclass(frozen=True)
class Equation:
    """An equation, as LaTeX that matplotlib can set too, and in words."""

    latex: str
    words: str


@dataclass(frozen=True)
class Picture:
    """A figure as PNG."""

    png: bytes
    caption: str
    alt_text: str
    name: str
    """Of its file, where it is one."""
    width_mm: float


type Block = Heading | Paragraph | Banner | Card | Bullets | Table | Equation | Picture


@dataclass(frozen=True)
class Report:
    """A report: its title and blocks from top to bottom."""

    title: str
    blocks: Sequence[Block]
    footer: str = field(default="")
