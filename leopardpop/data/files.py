"""Text files of every kind that field teams send: found out by looking, not by asking."""

from __future__ import annotations

import codecs
import csv
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.file_bounds import FileScan, check_cells, check_size, check_widths, row_lines, scan_file
from leopardpop.data.names import counted, did_you_mean, listed
from leopardpop.data.short_rows import check_short_rows
from leopardpop.errors import DataError

__all__ = ["TextTable", "existing_file", "read_text_table"]

BLOCK = 1 << 20
LONGEST_HEADER = 1 << 20
CHUNK_CELLS = 5_000_000
NONE = np.zeros(0, dtype=np.int64)
SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas", r"\s+": "blanks"}


@dataclass(frozen=True, slots=True)
class TextTable:
    """A file's cells as str, before anything is made of them."""

    frame: pd.DataFrame
    """Columns as the file names them; objects of type str."""
    lines: NDArray[np.int64]
    """Line of the file that each row stands on."""
    separator: str
    """What separates columns; a regular expression for blanks."""
    header: tuple[str, ...]
    """All columns of the file, wanted or not."""

    @property
    def decimal_comma(self) -> bool:
        """Whether "1,5" can be a number: commas do not separate columns."""
        return self.separator != ","

    @property
    def separator_name(self) -> str:
        """The separator in a word."""
        return SEPARATORS.get(self.separator, f"'{self.separator}'")


def existing_file(path: Path, role: str) -> Path:
    """Return the path if a text file is there.

    Raises
    ------
    DataError
        If there is no file, it is empty, or it is a spreadsheet or another binary file.
    """
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "no ordinary file"
        raise DataError(f"{role}: '{path}' is {what}. Give the path of a text file.", offenders=[str(path)])
    if not path.is_file():
        siblings = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"{role}: there is no file '{path}'.{did_you_mean(path.name, siblings)}", offenders=[str(path)])
    with path.open("rb") as file:
        head = file.read(BLOCK)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DataError(f"{path.name} is a spreadsheet or an archive, not text. Save the sheet as CSV.")
    if not head.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise DataError(f"{path.name} is empty: there is nothing to read in it. Was it saved or exported to its end?")
    if b"\x00" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"{path.name} is a binary file, not text. Save the table as CSV.")
    return path


def read_text_table(
    path: Path,
    role: str,
    *,
    columns: Collection[str] | None = None,
    header: Sequence[str] | None = None,
    encoding: str | None = None,
    separator: str | None = None,
) -> TextTable:
    """Read a delimited file: commas, semicolons, tabs or blanks; any usual encoding and line end.

    Parameters
    ----------
    path
        The file.
    role
        What the table is, for messages: "captures".
    columns
        The columns that are wanted, if they are there; None: all.
    header
        Columns of a file that goes on with a table and may have no header of its own; None: it must have one.
    encoding
        What somebody says that it is, used if it is no UTF-8.
    separator
        What separates columns; None: found out from the header.

    Returns
    -------
    TextTable
        Cells as str; blank lines are left out, a row that is too short ends in "".

    Raises
    ------
    DataError
        If the file cannot be read as a table with a header, is too large for one, or ends in the middle of a row.

    Warns
    -----
    DataWarning
        If a row has fewer cells than the header.
    """
    path = check_size(existing_file(path, role))
    scan = scan_file(path, encoding)
    header_line, found, separator = _header(path, scan, separator)
    names = [name.strip() for name in found]
    if header is not None and set(names) != set(header):
        header_line, names = -1, list(header)
    twice = next((name for name, times in Counter(names).items() if name and times > 1), None)
    if twice is not None:
        raise DataError(f"{path.name} has two columns '{twice}'. Rename one.", offenders=[twice])
    wanted = [i for i, name in enumerate(names) if columns is None or name in columns]
    check_cells(path, scan, len(names), len(wanted))
    check_widths(path, scan, len(names), separator)
    body = _body(_Layout(path, scan, header_line, names, separator), wanted)
    lines = row_lines(path, scan, header_line, body.n_rows)
    _check_overflow(lines[body.too_long], path.name, names)
    check_short_rows(path, scan, header_line, names, separator, body.ending_blank, lines)
    frame, lines = body.frame, np.delete(lines, body.blank)
    if columns is None:
        _check_separators(frame, lines, path.name, separator)
    used = [i for i in wanted if names[i]]  # a column without a name: R's row names, or a trailing separator
    return TextTable(frame[used].set_axis([names[i] for i in used], axis=1), lines, separator, tuple(names))


def _header(path: Path, scan: FileScan, stated: str | None) -> tuple[int, list[str], str]:
    """Return the header's line (from 0), its cells and the separator."""
    with path.open(encoding=scan.encoding, errors=scan.errors, newline=None) as file:
        for number, line in enumerate(iter(lambda: file.readline(LONGEST_HEADER), "")):
            if len(line) == LONGEST_HEADER:
                raise DataError(
                    f"{path.name} line {number + 1} has no end: it is no header of a table. Save it as CSV."
                )
            if match := re.fullmatch(r"sep=(.)\s*", line):  # a hint that Excel writes and reads
                stated = match[1]
            elif line.strip():
                separator = stated or _separator(line)
                return number, _cells(line.rstrip("\n"), separator), separator
    raise DataError(f"{path.name} is empty. A table needs a header line with the names of its columns.")


def _separator(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    counts = {mark: bare.count(mark) for mark in SEPARATORS}
    best = max((mark for mark in counts if len(mark) == 1), key=counts.__getitem__)
    if counts[best]:
        return best
    return r"\s+" if len(bare.split()) > 1 else ","


def _cells(header: str, separator: str) -> list[str]:
    if separator == r"\s+":
        return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', header)]
    return next(csv.reader([header], delimiter=separator, skipinitialspace=True))


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a file is to be cut into cells."""

    path: Path
    scan: FileScan
    header_line: int
    names: list[str]
    separator: str

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Rows, some at a time, with one column more than the header has, to see a row that is too long."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)  # of a row that is too long: we raise
            with pd.read_csv(
                self.path,
                sep=self.separator,
                header=None,
                names=range(len(self.names) + 1),
                index_col=False,
                skiprows=self.header_line + 1,
                skip_blank_lines=False,
                skipinitialspace=True,
                dtype=object,
                na_filter=False,
                encoding=self.scan.encoding,
                encoding_errors=self.scan.errors,
                chunksize=max(100, CHUNK_CELLS // len(self.names)),
            ) as reader:
                yield from reader


@dataclass(frozen=True, slots=True)
class _Body:
    """Rows of a file: the columns that are wanted of those that are not blank."""

    frame: pd.DataFrame
    n_rows: int
    """With the blank ones."""
    blank: NDArray[np.int64]
    """Positions of rows in which nothing stands."""
    too_long: NDArray[np.int64]
    """Positions of rows with more cells than the header."""
    ending_blank: NDArray[np.bool_]
    """Rows in which something stands, but nothing in the last column that has a name, (n_rows,)."""


def _body(layout: _Layout, wanted: list[int]) -> _Body:
    frames, blank, too_long, ending, n_rows = [], [], [], [], 0
    last = max((i for i, name in enumerate(layout.names) if name), default=0)
    try:
        for chunk in layout.chunks():
            empty = _blank_rows(chunk)
            blank.append(n_rows + np.flatnonzero(empty))
            too_long.append(n_rows + np.flatnonzero((chunk[len(layout.names)] != "").to_numpy(bool)))
            ending.append((chunk[last] == "").to_numpy(bool) & ~empty)
            frames.append(chunk.loc[~empty, wanted] if empty.any() else chunk[wanted])
            n_rows += len(chunk)
    except pd.errors.ParserError as error:
        raise DataError(
            f"{layout.path.name} cannot be read as a table with {len(layout.names)} columns separated by "
            f"{SEPARATORS.get(layout.separator, layout.separator)}: {_parser_words(str(error), len(layout.names))}"
        ) from error
    except pd.errors.EmptyDataError:
        frames.clear()  # a header and nothing else
    if not frames:
        frames, blank, too_long = [pd.DataFrame({i: pd.Series(dtype=object) for i in wanted})], [NONE], [NONE]
        ending = [NONE.astype(np.bool_)]
    frame = pd.concat(frames, ignore_index=True)
    return _Body(frame, n_rows, np.concatenate(blank), np.concatenate(too_long), np.concatenate(ending))


def _parser_words(text: str, n_columns: int) -> str:
    """What the parser of CSV stumbled over, by line and with the remedy."""
    if found := re.search(r"in line (\d+), saw (\d+)", text):
        line, cells = found.groups()
        return (
            f"line {line} has {cells} cells, and the header {n_columns}. Remove what is too much, or put a text that "
            "has the separator in it between quotation marks."
        )
    if found := re.search(r"inside string starting at row (\d+)", text):
        return f'a quotation mark (") that opens on line {int(found[1]) + 1} is never closed. Close it, or remove it.'
    return f"{text.split('C error: ')[-1].strip()}."


def _blank_rows(chunk: pd.DataFrame) -> NDArray[np.bool_]:
    blank = (chunk[0] == "").to_numpy(dtype=bool, copy=True)
    blank[blank] = (chunk[blank] == "").all(axis=1).to_numpy(dtype=bool)
    return blank


def _check_overflow(lines: NDArray[np.int64], file: str, names: list[str]) -> None:
    if lines.size:
        raise DataError(
            f"{file} line {lines[0]} has more cells than the header, whose columns are "
            f"{listed(names)} ({counted(lines.size, 'line')} in all). A decimal comma, or row names written by R?",
            offenders=lines.tolist(),
        )


def _check_separators(frame: pd.DataFrame, lines: NDArray[np.int64], file: str, separator: str) -> None:
    """Refuse rows that stand in one cell each, because something else separates them than the header."""
    if not len(frame) or frame.shape[1] < 3 or (frame.iloc[:, 1:] != "").to_numpy().any():
        return
    cells = frame[0]
    others = [mark for mark in (";", "\t", ",") if mark != separator]  # labels may have blanks in them
    other = next((mark for mark in others if cells.str.contains(mark).all()), None)
    if other is not None:
        raise DataError(
            f"{file} line {lines[0]} is {cells.iloc[0]!r}: {SEPARATORS.get(separator, separator)} separate the columns "
            f"of the header, {SEPARATORS[other]} those of the rows. Use one of them throughout.",
            offenders=lines.tolist(),
        )
