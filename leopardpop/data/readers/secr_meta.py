"""The comment in which ``to_secr`` notes what secr's text files have no place for; each key is checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from leopardpop.data.names import counted
from leopardpop.errors import DataError

__all__ = ["META", "check_lengths", "read_meta"]

META = "# leopardpop: "
"""Starts a comment line that carries as JSON what the format has no place for."""
ADVICE = "Correct the key, or remove it, or write the files again with to_secr."
FILE = re.compile(r"[^/\\\x00-\x1f]*[^/\\\x00-\x1f.]")
"""Name of a file in the same folder."""
MOST = 10**9
"""Largest number of records or occasions that is believed."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_occasions(value: Any) -> bool:
    return _is_names(value) and bool(value) and all(value) and len(set(value)) == len(value)


def _is_files(value: Any) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    return all(
        isinstance(file, str) and re.fullmatch(r"[^/\\\x00-\x1f]*[^/\\\x00-\x1f.]", file) for file in value.values()
    )


def _is_flanks(value: Any) -> bool:
    if not isinstance(value, dict) or not all(isinstance(rows, list) for rows in value.values()):
        return False
    return all(_is_flank_row(row) for rows in value.values() for row in rows)


def _is_flank_row(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 6 and _is_names(row[:2]) and all(_is_number(n) for n in row[2:])


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST


def _is_times(value: Any) -> bool:
    return _is_names(value) and all(_is_time(word) for word in value)


def _is_time(word: str) -> bool:
    """Whether a word is an ISO time, of a year that nanoseconds can hold."""
    if not re.fullmatch(r"(1[7-9]|20|21)\d\d-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?)?", word, re.ASCII):
        return False
    try:
        np.datetime64(word, "ns")
    except ValueError:
        return False
    return True


def _is_varying(value: Any) -> bool:
    return isinstance(value, dict) and all(name and _is_column(column) for name, column in value.items())


def _is_column(column: Any) -> bool:
    """Whether there is a cell for each occasion, or a list of them for each station, all as long."""
    if not isinstance(column, list) or not column:
        return False
    if not isinstance(column[0], list):
        return _is_cells(column)
    return all(isinstance(row, list) and _is_cells(row) and len(row) == len(column[0]) for row in column)


def _is_cells(row: Sequence[Any]) -> bool:
    """Whether cells are numbers or words, not both, null where one is missing."""
    known = [cell for cell in row if cell is not None]
    words = sum(isinstance(cell, str) for cell in known)
    numbers = sum(isinstance(cell, (int, float)) and abs(cell) < np.finfo(float).max for cell in known)
    return words == len(known) or numbers == len(known)


SHAPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "detector": (_is_text, "a word"),
    "effort_unit": (_is_text, "a word"),
    "crs": (_is_text, "a word"),
    "noncapt": (_is_text, "a word"),
    "text": (_is_names, "a list of names of columns"),
    "traps": (_is_files, "an object: session -> name of a file beside this one"),
    "occasions": (_is_occasions, "a list of different names"),
    "occasion_start": (_is_times, 'a list of times such as "2024-02-01T12:00"'),
    "varying": (_is_varying, "an object: name -> a list by occasion, or a list of stations' lists by occasion"),
    "flanks": (_is_flanks, "an object: session -> rows of animal, station, occasion, left, right, both"),
}
"""Key -> whether a value is of its shape, and the shape in words."""


def read_meta(where: str, raw: str) -> dict[str, Any]:
    """Read the comment.

    Parameters
    ----------
    where
        File and line, for messages.
    raw
        The line.

    Returns
    -------
    dict
        Key -> value, of its shape.

    Raises
    ------
    DataError
        Naming file, line, key, and what was found.

    Examples
    --------
    >>> read_meta("traps.txt line 1", '# leopardpop: {"occasions": ["1", "2"]}')
    {'occasions': ['1', '2']}
    """
    try:
        meta = json.loads(raw[len(META) :])
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: the line '{META}…' is damaged. Remove it, or write the file again.") from error
    if not isinstance(meta, dict):
        raise DataError(
            f"{where}: the line '{META}…' holds {_shown(meta)}, not an object. Remove it, or write it again."
        )
    for key, (fits, shape) in SHAPES.items():
        if key in meta and not fits(meta[key]):
            found = f"{where}: in the comment '{META}…' the key '{key}' is {_shown(meta[key])}, not {shape}"
            raise DataError(f"{found}. {ADVICE}", offenders=[key])
    return meta


def _shown(value: Any) -> str:
    words = json.dumps(value, ensure_ascii=False)
    return words if len(words) <= 80 else f"{words[:80]}…"


def check_lengths(name: str, meta: Mapping[str, Any], n_stations: int, n_occasions: int) -> None:
    """Check that what was noted is of these stations and occasions.

    Parameters
    ----------
    name
        The file.
    meta
        Its comment.
    n_stations, n_occasions
        How many there are.

    Raises
    ------
    DataError
        Naming the key.
    """
    starts = {"occasion_start": meta["occasion_start"]} if "occasion_start" in meta else {}
    for key, values in (starts | meta.get("varying", {})).items():
        by_visit = isinstance(values[0], list) if values else False
        found = (len(values), len(values[0])) if by_visit else (len(values),)
        if found != ((n_stations, n_occasions) if by_visit else (n_occasions,)):
            has = " × ".join(str(n) for n in found)
            there = f"{counted(n_stations, 'station')} and {counted(n_occasions, 'occasion')}"
            raise DataError(f"{name}: the comment '{META}…' has {has} values of '{key}' for {there}. {ADVICE}")
