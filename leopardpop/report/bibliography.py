"""The bibliography: entries of methods and software, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from unicodedata import normalize

__all__ = ["Reference", "article", "plain_text", "software"]

ACCENT = re.compile(r"""\\(["'`^~])\{?(\w)\}?""")
"""A letter with an accent as TeX writes it."""


@dataclass(frozen=True)
class Reference:
    """One entry of a bibliography."""

    key: str
    kind: str
    fields: Mapping[str, str]

    @property
    def text(self) -> str:
        """The entry as a line of a list."""
        get = {name: plain_text(value) for name, value in self.fields.items()}
        authors = get["author"].replace(" and others", " et al.").replace(" and ", ", ")
        place = get.get("journal") or get.get("booktitle") or get.get("publisher") or ""
        number = f" {get['volume']}" if "volume" in get else ""
        pages = f", {get['pages']}" if "pages" in get else ""
        year = f" ({get['year']})" if "year" in get else ""
        version = f", version {get['version']}" if "version" in get else ""
        link = f" https://doi.org/{get['doi']}" if "doi" in get else f" {get['url']}" if "url" in get else ""
        return f"{authors}{year}: {get['title']}{version}.{f' {place}{number}{pages}.' if place else ''}{link}"

    @property
    def bibtex(self) -> str:
        """The entry for BibTeX."""
        lines = "".join(f"  {name} = {{{value}}},\n" for name, value in self.fields.items())
        return f"@{self.kind}{{{self.key},\n{lines}}}"


def plain_text(value: str) -> str:
    r"""Text of a BibTeX field: accents as letters, without braces.

    Examples
    --------
    >>> plain_text(r"S{\"a}rkk{\"a} and Guti{\'e}rrez, 1--2")
    'Särkkä and Gutiérrez, 1–2'
    """
    marks = {'"': "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303"}
    decoded = ACCENT.sub(lambda match: normalize("NFC", match[2] + marks[match[1]]), value)
    return decoded.replace("{", "").replace("}", "").replace("--", "–")


def article(key: str, author: str, year: int, title: str, journal: str, volume: str, pages: str, doi: str) -> Reference:
    """Entry of an article; the DOI may be an address."""
    fields = {"author": author, "year": str(year), "title": title, "journal": journal, "volume": volume}
    link = {"doi": doi} if doi.startswith("10.") else {"url": doi}
    return Reference(key, "article", {**fields, "pages": pages, **link})


def software(name: str, version: str, authors: str = "") -> Reference:
    """Entry of a package; its name and version come from a file and are cut to what BibTeX can bear."""
    clean, number = (re.sub(r"[^\w.+ -]", "", text)[:60] for text in (name, version))
    title = f"{clean}: Bayesian spatial capture-recapture for camera traps" if authors else clean
    fields = {"author": f"{{{authors or f'The {clean} developers'}}}", "title": f"{{{title}}}", "version": number}
    return Reference(re.sub(r"\W", "", clean) or "software", "software", fields)
