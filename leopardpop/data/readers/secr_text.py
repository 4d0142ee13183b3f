"""The text files of the R package secr and of DENSITY, line by line: comments, separators, quotes, slashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leopardpop.data.file_bounds import check_size, scan_file
from leopardpop.data.files import existing_file
from leopardpop.data.readers.secr_meta import META, read_meta
from leopardpop.errors import DataError

__all__ = ["Line", "SecrText", "quote", "read_secr_text"]

WORD = r'"((?:[^"]|"")*)"|([^\s"]+)'


@dataclass(frozen=True, slots=True)
class Line:
    """A line with data."""

    number: int
    """In the file, from 1."""
    cells: list[str]
    """What stands before a slash."""
    after_slash: list[str]
    """What stands after it: covariates of a station."""


@dataclass(slots=True)
class SecrText:
    """A file taken apart."""

    name: str
    lines: list[Line] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    """Names of the columns, if a comment or the first line gives them."""
    header_after_slash: list[str] = field(default_factory=list)
    """Names of the covariates after the slash."""
    meta: dict[str, Any] = field(default_factory=dict)
    """What :func:`leopardpop.data.export.write_secr` noted; empty for files from elsewhere."""

    def place(self, line: Line) -> str:
        """Say where a line stands."""
        return f"{self.name} line {line.number}"


def read_secr_text(path: Path, role: str, *, number_column: int, header_words: set[str]) -> SecrText:
    """Read a captures or a station file.

    Parameters
    ----------
    path
        The file; text after ``#`` and lines that begin with ``;`` are comments.
    role
        "captures" or "traps", for messages.
    number_column
        Position of a column of numbers; the first line is a header if it reaches there and has no number at all.
    header_words
        Words (lower case) that a comment must have to be taken for the header.

    Returns
    -------
    SecrText

    Raises
    ------
    DataError
        If the file is missing, empty, binary, or cut off in the middle of a character.
    """
    path = check_size(existing_file(path, role))
    scan = scan_file(path)
    text = SecrText(path.name)
    with path.open(encoding=scan.encoding, errors=scan.errors, newline=None) as file:
        rows = list(enumerate(file, start=1))
    separator = _separator(line for _, line in rows)
    for number, raw in rows:
        if raw.lstrip().startswith(("#", ";")):
            _note_comment(text, number, raw, header_words)
            continue
        line = _split(number, raw, separator)
        if not line.cells:
            continue
        if not text.lines and len(line.cells) > number_column and not any(map(_is_number, line.cells)):
            text.header, text.header_after_slash = line.cells, line.after_slash
        else:
            text.lines.append(line)
    if not text.lines and not text.meta:
        raise DataError(f"{path.name} has no rows of data.")
    return text


def _note_comment(text: SecrText, number: int, raw: str, header_words: set[str]) -> None:
    if raw.startswith(META):
        text.meta = read_meta(f"{text.name} line {number}", raw)
        return
    words = raw.lstrip().lstrip("#;")
    header = _split(0, words, "," if "," in words else r"\s")
    if header_words <= {cell.lower() for cell in header.cells}:
        text.header, text.header_after_slash = header.cells, header.after_slash


def _separator(lines: Iterator[str]) -> str:
    """Return the separator of the first line of data: a comma, semicolon or tab, else blanks."""
    for line in lines:
        code = re.sub(r'"[^"]*"', "", line).split("#")[0]
        if code.strip() and not code.lstrip().startswith(";"):
            return next((mark for mark in ",;\t" if mark in code.strip()), r"\s")
    return r"\s"


def _split(number: int, raw: str, separator: str) -> Line:
    """Split a line into cells, before and after the first slash that is a word of its own or follows the third cell."""
    if separator == r"\s" and not any(mark in raw for mark in '"#/'):  # nearly every line of a large file
        return Line(number, raw.split(), [])
    cells: list[str] = []
    after: list[str] = []
    target = cells
    for cell, quoted in _words(raw, separator):
        if not quoted and target is cells and len(cells) >= 3 and "/" in cell:
            before, _, rest = cell.partition("/")
            cells.extend([before.strip()] if before.strip() else [])
            after.extend([rest.strip()] if rest.strip() else [])
            target = after
        else:
            target.append(cell)
    return Line(number, _without_blank_ends(cells), _without_blank_ends(after))


def _words(raw: str, separator: str) -> Iterator[tuple[str, bool]]:
    """Yield each cell and whether it was quoted, up to a comment."""
    blank = separator == r"\s"
    pattern = WORD if blank else rf'\s*(?:"((?:[^"]|"")*)"|([^{separator}"]*?))\s*(?:{separator}|$)'
    end = _comment_start(raw)
    for match in re.finditer(pattern, raw[:end].strip()):
        if match[1] is not None:
            yield match[1].replace('""', '"'), True
        else:
            yield match[2], False


def _comment_start(raw: str) -> int:
    """Return where a comment begins, a # outside quotes, or the length of the line."""
    if "#" not in raw:
        return len(raw)
    inside = False
    for position, mark in enumerate(raw):
        inside ^= mark == '"'
        if mark == "#" and not inside:
            return position
    return len(raw)


def _without_blank_ends(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def quote(cell: str) -> str:
    """Return a cell as it must be written: in quotes if it is empty or has a mark that means something.

    Examples
    --------
    >>> quote("F1"), quote("Old mine"), quote('the "old" mine')
    ('F1', '"Old mine"', '"the ""old"" mine"')
    """
    if cell and not re.search(r'[\s",;/#]', cell):
        return cell
    return '"' + cell.replace('"', '""') + '"'
