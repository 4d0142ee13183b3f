"""Rows of a text file with fewer cells than its header: what a copy that broke off, or a lost comma, leaves behind."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.file_bounds import FileScan
from leopardpop.data.notices import notice
from leopardpop.errors import DataError, DataWarning
from leopardpop.words import counted

__all__ = ["check_short_rows"]

BLOCK = 1 << 20
QUOTE = ord('"')
WORD = re.compile(r'"[^"]*"|\S+')


def check_short_rows(
    path: Path,
    scan: FileScan,
    header_line: int,
    names: Sequence[str],
    separator: str,
    ending_blank: NDArray[np.bool_],
    lines: NDArray[np.int64],
) -> None:
    """Refuse a file that ends in the middle of a row; warn of other rows whose last cells lack.

    Parameters
    ----------
    path
        The file.
    scan
        Of the file.
    header_line
        Where the header is, from 0; -1: there is none.
    names
        Columns of the header; those without a name at its end need no cell.
    separator
        What separates columns; a regular expression for blanks.
    ending_blank
        Rows in which something stands, but nothing in the last column, (n,): only they can be short.
    lines
        Line of the file on which each row begins, (n,).

    Raises
    ------
    DataError
        If the last row is short and the file does not end with a line end.

    Warns
    -----
    DataWarning
        Naming the first short row.
    """
    if not ending_blank.any():
        return
    needed = max((i + 1 for i, name in enumerate(names) if name), default=0)
    cells = _cells(path, scan, separator)[header_line + 1 :]
    if len(cells) != len(lines):
        return  # quotes that do not pair: cells cannot be counted
    short = np.flatnonzero(ending_blank & (cells < needed))
    if not short.size:
        return
    last = int(short[-1])
    if last == len(lines) - 1 and not _ends_a_line(path, scan):
        raise DataError(
            f"{path.name} line {lines[last]} has {counted(int(cells[last]), 'cell')}, the header {needed}, and the "
            "file ends there: it was cut off in the middle of a row. Copy or export it again, to its end.",
            offenders=[int(lines[last])],
        )
    first = int(short[0])
    more = f" ({counted(len(short), 'such row')})" if len(short) > 1 else ""
    notice(
        f"{path.name} line {lines[first]} has {counted(int(cells[first]), 'cell')}, the header {needed}{more}: those "
        "that lack are taken as empty. Look whether a separator is missing.",
        DataWarning,
    )


def _ends_a_line(path: Path, scan: FileScan) -> bool:
    last = b""
    for block in _blocks(path, scan):
        last = block[-1:] or last
    return last in (b"\n", b"\r")


def _cells(path: Path, scan: FileScan, separator: str) -> NDArray[np.int64]:
    """Number of cells of each row, the header's among them; empty if they cannot be counted."""
    if separator == r"\s+":
        return _words(path, scan)
    mark = separator.encode()
    return _separated(path, scan, ord(mark)) if len(mark) == 1 else np.zeros(0, dtype=np.int64)


def _separated(path: Path, scan: FileScan, mark: int) -> NDArray[np.int64]:
    """Cells between separators that are not within quotes."""
    rows, total, inside = [np.zeros(1, dtype=np.int64)], 0, 0
    for block in _blocks(path, scan):
        data = np.frombuffer(block, dtype=np.uint8)
        marks = data[(data == ord("\n")) | (data == QUOTE) | (data == mark)]
        quotes = inside + np.cumsum(marks == QUOTE)
        outside = quotes % 2 == 0
        totals = total + np.cumsum((marks == mark) & outside)
        rows.append(totals[(marks == ord("\n")) & outside])
        if len(marks):
            total, inside = int(totals[-1]), int(quotes[-1] % 2)
    if not _ends_a_line(path, scan):
        rows.append(np.array([total], dtype=np.int64))
    ends = np.concatenate(rows)
    return ends[1:] - ends[:-1] + 1


def _words(path: Path, scan: FileScan) -> NDArray[np.int64]:
    """Cells between blanks; a quoted one may have blanks in it."""
    with path.open(encoding=scan.encoding, errors=scan.errors, newline=None) as file:
        return np.array([sum(1 for _ in WORD.finditer(line)) for line in file], dtype=np.int64)


def _blocks(path: Path, scan: FileScan) -> Iterator[bytes]:
    """The file in pieces in which a byte below 128 is a character; lines end with a line feed, whatever ends them."""
    lone = _lone_returns(path)
    decoder = codecs.getincrementaldecoder("utf-16")() if scan.encoding == "utf-16" else None
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            piece = block if decoder is None else decoder.decode(block).encode("utf-8", "replace")
            yield piece.replace(b"\r", b"\n") if lone else piece


def _lone_returns(path: Path) -> bool:
    """Whether lines end as on old computers: a carriage return and no line feed."""
    with path.open("rb") as file:
        return not any(b"\n" in block for block in iter(lambda: file.read(BLOCK), b""))
