"""Guess what a table is from the names of its columns; only `leopardpop init` guesses, and it shows what it guessed."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from leopardpop.errors import DataError

__all__ = ["SUFFIXES", "Table", "find_tables", "read_table", "typical_distances"]

ALIASES = {
    "individual": ("individual", "individualid", "animal", "animalid", "name", "id"),
    "station": (
        "station",
        "stationid",
        "trap",
        "trapid",
        "detector",
        "detectorid",
        "camera",
        "location",
        "locationid",
        "site",
    ),
    "occasion": ("occasion", "week", "visit", "samplingoccasion"),
    "session": ("session", "year", "area", "survey"),
    "count": ("count", "number"),
    "x": ("x", "easting", "utmx", "xcoord", "xutm"),
    "y": ("y", "northing", "utmy", "ycoord", "yutm"),
    "sex": ("sex", "gender"),
}
EFFORT = ("effort", "usage", "days", "trapdays", "nights", "trapnights", "operationaldays")
SUFFIXES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Table:
    """A table of the folder: its columns, by our names, and its rows.

    Parameters
    ----------
    path
        The file.
    header
        Its columns.
    rows
        Its rows, as text.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def role(self) -> str:
        """``captures``, ``stations``, ``individuals``, ``mask`` or an empty text."""
        names = set(self.names.values())
        if {"x", "y"} <= names:
            return "stations" if "station" in names else "mask"
        if {"individual", "station"} <= names:
            return "captures"
        return "individuals" if "individual" in names else ""

    @property
    def names(self) -> dict[str, str]:
        """The file's column -> our name, for the columns that have one."""
        found = {column: _our_name(column) for column in self.header}
        named = {column: name for column, name in found.items() if name}
        if {"x", "y"} <= set(named.values()) and "station" not in named.values():
            # in a table of places an "ID" is that of the place
            named = {column: "station" if name == "individual" else name for column, name in named.items()}
        return _first_of_each(named)

    @property
    def renamed(self) -> dict[str, str]:
        """The part of ``names`` where the file's name is not ours."""
        return {column: name for column, name in self.names.items() if column != name}

    @property
    def effort(self) -> str | None:
        """The column that looks like effort."""
        return next((column for column in self.header if _plain(column) in EFFORT), None)

    def column(self, name: str) -> list[str]:
        """Return the values of the column that has our name ``name``; empty if there is none."""
        for column, ours in self.names.items():
            if ours == name:
                position = self.header.index(column)
                return [row[position] for row in self.rows if len(row) > position]
        return []


def _plain(column: str) -> str:
    return "".join(character for character in column.lower() if character.isalnum())


def _our_name(column: str) -> str | None:
    plain = _plain(column)
    return next((name for name, aliases in ALIASES.items() if plain in aliases), None)


def _first_of_each(named: dict[str, str]) -> dict[str, str]:
    """Keep one column for each of our names: the one that comes first in the list of aliases."""

    def rank(column: str) -> int:
        aliases = ALIASES[named[column]]
        return aliases.index(_plain(column)) if _plain(column) in aliases else len(aliases)

    best = {name: min((c for c in named if named[c] == name), key=rank) for name in named.values()}
    return {column: name for column, name in named.items() if best[name] == column}


def read_table(path: Path) -> Table:
    r"""Read a text table; the separator is found in its first line.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Table
        Its header and rows.

    Raises
    ------
    DataError
        If the file is empty.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "t.csv")
    ...     _ = path.write_text("ID;trap;occasion\nF1;a;1\n")
    ...     read_table(path).role
    'captures'
    """
    lines = path.read_bytes().decode("utf-8-sig", errors="replace").splitlines()
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise DataError(f"{path.name} is empty.")
    separator = max(",;\t", key=lines[0].count)
    header, *rows = csv.reader(lines, delimiter=separator)
    return Table(path, tuple(name.strip() for name in header), tuple(map(tuple, rows)))


def find_tables(folder: Path) -> dict[str, list[Table]]:
    """Return the tables of a folder by their role.

    Parameters
    ----------
    folder
        Where to look; not in its subfolders.

    Returns
    -------
    dict
        ``captures``, ``stations``, ``individuals``, ``mask`` -> tables, in the order of their names.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     find_tables(Path(folder))
    {'captures': [], 'stations': [], 'individuals': [], 'mask': []}
    """
    found: dict[str, list[Table]] = {role: [] for role in ("captures", "stations", "individuals", "mask")}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and path.stat().st_size:
            table = read_table(path)
            found.get(table.role, []).append(table)
    return found


def typical_distances(x: Iterable[str], y: Iterable[str]) -> tuple[float, float] | None:
    """Return the median distance to the nearest station and the largest distance, in the units of x and y.

    Parameters
    ----------
    x, y
        Coordinates, as text.

    Returns
    -------
    tuple of float, or None
        None if there are fewer than two different places or a value is not a number.

    Examples
    --------
    >>> typical_distances(["0", "0", "0"], ["0", "1000", "3000"])
    (1000.0, 3000.0)
    """
    try:
        places = sorted({(float(a), float(b)) for a, b in zip(x, y, strict=True)})
    except ValueError:
        return None
    if len(places) < 2:
        return None
    distances = [sorted(math.dist(a, b) for b in places if b != a) for a in places]
    return sorted(row[0] for row in distances)[len(places) // 2], max(row[-1] for row in distances)
