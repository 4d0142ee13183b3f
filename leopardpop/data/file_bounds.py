"""Looking at a file before it is read: how large it is, how it is encoded, on which line each row stands."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.notices import notice
from leopardpop.errors import DataError, DataWarning

__all__ = ["MOST_BYTES", "FileScan", "check_cells", "check_size", "check_widths", "row_lines", "scan_file"]

BLOCK = 1 << 20
MOST_BYTES = 4 << 30
"""The largest text file that is read, in bytes."""
MOST_CELLS = 300_000_000
"""The largest table that is read: its cells need eight bytes each, and their text."""
MOST_COLUMNS = 100_000
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
MIXED = "leopardpop-mixed"
"""Error handler for UTF-8 with bytes in between that Windows wrote."""
FOREIGN = re.compile(rb"[\x80-\xff]{3,}")
"""Three letters in a row with marks on them: no word of Western Europe, but any word of Cyrillic, Greek or Chinese."""


@dataclass(frozen=True, slots=True)
class FileScan:
    """What is known of a text file before it is parsed."""

    encoding: str
    errors: str
    """Error handler of the encoding."""
    n_lines: int


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Read bytes that are no UTF-8 as Windows (or Latin-1) writes them."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    try:
        return bad.decode("cp1252"), error.end
    except UnicodeDecodeError:
        return bad.decode("latin-1"), error.end


codecs.register_error(MIXED, _as_windows)


def check_size(path: Path) -> Path:
    """Refuse a file that is too large to be a table of a survey."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise DataError(
            f"{path.name} has {size / 1e9:,.1f} GB; at most {MOST_BYTES / 1e9:,.1f} GB are read. Split it, or remove "
            "columns that are not needed."
        )
    return path


def scan_file(path: Path, stated: str | None = None) -> FileScan:
    """Find the encoding (byte order mark, else UTF-8, else what is stated, else UTF-8 and Windows mixed), count lines.

    Raises
    ------
    DataError
        If the byte order mark promises UTF-16 and it is not.
    """
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        encoding = next((name for mark, name in MARKS.items() if start.startswith(mark)), "utf-8")
        decoder = codecs.getincrementaldecoder(encoding)()
        counts, valid, block = {b"\n": 0, b"\r": 0}, True, b""
        while more := file.read(BLOCK):
            block = more
            counts = {mark: n + block.count(mark) for mark, n in counts.items()}
            valid = valid and _decodes(decoder, block)
        valid = valid and _decodes(decoder, b"", final=True)
    if not valid and encoding == "utf-16":
        raise DataError(f"{path.name} begins as UTF-16 but is not. Save it again, as CSV in UTF-8.")
    unfinished = 0 if block.rstrip(b"\x00").endswith((b"\n", b"\r")) else 1
    if not valid and stated is not None and _is(path, stated):
        encoding, valid = stated, True
    if not valid:
        _warn_of_guess(path)
    return FileScan(encoding, "strict" if valid else MIXED, (counts[b"\n"] or counts[b"\r"]) + unfinished)


def _warn_of_guess(path: Path) -> None:
    """Say that a file was read as Windows-1252 where that is hardly what it is."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(BLOCK), b""), start=1):
            if word := next((word for word in FOREIGN.findall(line) if not _is_utf8(word)), None):
                notice(
                    f"{path.name} line {number}: the file is not UTF-8; it was read as Windows-1252 (Western Europe), "
                    f"and there '{word[:20].decode('cp1252', 'replace')}' stands, which looks like another alphabet. "
                    'Save the file again as "CSV UTF-8".',
                    DataWarning,
                )
                return


def _is_utf8(word: bytes) -> bool:
    return _decodes(codecs.getincrementaldecoder("utf-8")(), word, final=True)


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _is(path: Path, encoding: str) -> bool:
    """Whether a file can be in an encoding."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except (LookupError, ValueError):
        return False
    with path.open("rb") as file:
        return all(_decodes(decoder, block) for block in iter(lambda: file.read(BLOCK), b""))


def check_cells(path: Path, scan: FileScan, n_columns: int, n_wanted: int) -> None:
    """Refuse a table that would not fit into memory: too many columns, or too many cells in those that are wanted."""
    if n_columns > MOST_COLUMNS:
        raise DataError(f"{path.name} has {n_columns:,} columns; at most {MOST_COLUMNS:,} are read. Is it a table?")
    if scan.n_lines * n_wanted > MOST_CELLS:
        raise DataError(
            f"{path.name} has {scan.n_lines:,} lines and {n_wanted:,} columns that are read; at most "
            f"{MOST_CELLS:,} cells are. Split it, or remove what is not needed."
        )


def check_widths(path: Path, scan: FileScan, n_columns: int, separator: str) -> None:
    """Refuse a line far wider than the header: a parser would make room for as many cells in every row."""
    most = 2 * n_columns + 100
    one = separator if len(separator) == 1 else None  # None: blanks
    with path.open(encoding=scan.encoding, errors=scan.errors, newline=None) as file:
        for number, line in enumerate(file, start=1):
            may_be = len(line) > most and (line.count(one) if one else len(line.split())) >= most
            if may_be and (cells := _n_cells(line, separator)) > most:
                raise DataError(
                    f"{path.name} line {number} has {cells:,} cells, but the header has {n_columns:,}. "
                    "Remove what is too much, or save the table again.",
                    offenders=[number],
                )


def _n_cells(line: str, separator: str) -> int:
    bare = re.sub(r'"[^"]*"', "", line)
    return len(bare.split()) if separator == r"\s+" else bare.count(separator) + 1


def row_lines(path: Path, scan: FileScan, header_line: int, n_rows: int) -> NDArray[np.int64]:
    """Line of the file on which each row begins, (n_rows,): a quoted cell may go over several.

    Parameters
    ----------
    path
        The file.
    scan
        Of the file.
    header_line
        Where the header is, from 0; -1: there is none.
    n_rows
        How many rows were read.
    """
    simple = np.arange(n_rows, dtype=np.int64) + header_line + 2
    if scan.encoding == "utf-16" or scan.n_lines - header_line - 1 == n_rows:
        return simple
    starts = _row_starts(path)
    starts = starts[(starts > header_line + 1) & (starts <= scan.n_lines)]
    return starts if len(starts) == n_rows else simple


def _row_starts(path: Path) -> NDArray[np.int64]:
    """Lines, from 1, on which rows begin: after each line end that is not within quotes."""
    starts, line, inside = [np.ones(1, dtype=np.int64)], 1, 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            data = np.frombuffer(block, dtype=np.uint8)
            marks = data[(data == ord("\n")) | (data == ord('"'))]
            quotes = inside + np.cumsum(marks == ord('"'))
            ends = marks == ord("\n")
            lines = line + np.cumsum(ends)
            starts.append(lines[ends & (quotes % 2 == 0)])
            line, inside = int(lines[-1]) if len(lines) else line, int(quotes[-1] % 2) if len(quotes) else inside
    return np.concatenate(starts)
