"""Text files of every kind that field teams send: found out by looking, not by asking."""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import did_you_mean, listed
from leopardpop.errors import DataError

__all__ = ["TextTable", "existing_file", "file_encoding", "read_text_table"]

BLOCK = 1 << 20
SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas", r"\s+": "blanks"}
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True, slots=True)
class TextTable:
    """A file's cells as str, before anything is made of them."""

    frame: pd.DataFrame
    """Columns as the file names them; objects of type str."""
    lines: NDArray[np.int64]
    """Line of the file that each row stands on."""
    separator: str
    """What separates columns; a regular expression for blanks."""

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
    if not path.is_file():
        siblings = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"{role}: there is no file '{path}'.{did_you_mean(path.name, siblings)}", offenders=[str(path)])
    with path.open("rb") as file:
        head = file.read(BLOCK)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DataError(f"{path.name} is a spreadsheet or an archive, not text. Save the sheet as CSV.")
    if not head.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise DataError(f"{path.name} is empty. A table needs a header line with the names of its columns.")
    if b"\x00" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"{path.name} is a binary file, not text. Save the table as CSV.")
    return path


def file_encoding(path: Path) -> str:
    """Return the encoding: what the byte order mark says, else UTF-8, else what Windows writes, else Latin-1."""
    with path.open("rb") as file:
        start = file.read(4)
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return encoding
    return next((encoding for encoding in ("utf-8", "cp1252") if _decodes(path, encoding)), "latin-1")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def read_text_table(path: Path, role: str) -> TextTable:
    """Read a delimited file: commas, semicolons, tabs or blanks; any usual encoding and line end.

    Parameters
    ----------
    path
        The file.
    role
        What the table is, for messages: "captures".

    Returns
    -------
    TextTable
        Cells as str; blank lines are left out, a row that is too short ends in "".

    Raises
    ------
    DataError
        If the file cannot be read as a table with a header.
    """
    path = existing_file(path, role)
    encoding = file_encoding(path)
    header_line, header, separator = _header(path, encoding)
    names = [name.strip() for name in header]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path.name} has two columns '{twice}'. Rename one.", offenders=[twice])
    frame = _body(path, encoding, header_line, len(names), separator)
    lines = np.arange(len(frame), dtype=np.int64) + header_line + 2
    frame, lines = _without_blank_rows(frame, lines)
    _check_overflow(frame, lines, path.name, names)
    _check_separators(frame, lines, path.name, separator)
    used = [
        i for i, name in enumerate(names) if name
    ]  # a column without a name: R's row names, or a trailing separator
    frame = frame[used].set_axis([names[i] for i in used], axis=1)
    return TextTable(frame.reset_index(drop=True), lines, separator)


def _header(path: Path, encoding: str) -> tuple[int, list[str], str]:
    """Return the header's line (from 0), its cells and the separator."""
    stated = None
    with path.open(encoding=encoding, newline=None) as file:
        for number, line in enumerate(file):
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


def _body(path: Path, encoding: str, header_line: int, n_columns: int, separator: str) -> pd.DataFrame:
    try:
        return pd.read_csv(
            path,
            sep=separator,
            header=None,
            names=range(n_columns + 1),  # one more than the header has, to see a row that is too long
            index_col=False,
            skiprows=header_line + 1,
            skip_blank_lines=False,
            skipinitialspace=True,
            dtype=object,
            na_filter=False,
            encoding=encoding,
        )
    except pd.errors.ParserError as error:
        raise DataError(
            f"{path.name} cannot be read as a table with {n_columns} columns separated by "
            f"{SEPARATORS.get(separator, separator)}: {str(error).split('C error: ')[-1].strip()}."
        ) from error
    except pd.errors.EmptyDataError:
        return pd.DataFrame({i: pd.Series(dtype=object) for i in range(n_columns + 1)})


def _without_blank_rows(frame: pd.DataFrame, lines: NDArray[np.int64]) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    maybe = np.flatnonzero((frame[0] == "").to_numpy())
    blank = maybe[(frame.iloc[maybe] == "").all(axis=1).to_numpy(dtype=bool)]
    if not blank.size:
        return frame, lines
    return frame.drop(index=frame.index[blank]), np.delete(lines, blank)


def _check_overflow(frame: pd.DataFrame, lines: NDArray[np.int64], file: str, names: list[str]) -> None:
    too_long = (frame[len(names)] != "").to_numpy(dtype=bool)
    if too_long.any():
        raise DataError(
            f"{file} line {lines[too_long.argmax()]} has more cells than the header, whose columns are "
            f"{listed(names)} ({int(too_long.sum())} lines in all). A decimal comma, or row names written by R?",
            offenders=lines[too_long].tolist(),
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
