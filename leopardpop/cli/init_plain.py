"""``leopardpop init`` on plain tables: records, deployments and stations, told by their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from leopardpop.cli.columns import SUFFIXES, Table, read_table
from leopardpop.cli.found import Found, Setting, also_found, format_settings, forms_of, has_columns, values_of
from leopardpop.data.column_roles import plain
from leopardpop.data.readers.record_sheets import ColumnNames
from leopardpop.data.readers.records import DEPLOYMENTS, RECORDS, STATIONS

__all__ = ["find_plain", "tables_in"]

ALIASES: Mapping[str, tuple[str, ...]] = {
    "station": ("site", "trap", "trap_id", "location", "location_id", "place", "station_name", "camera_station"),
    "individual": ("id", "name", "animal_name"),
    "timestamp": ("when", "observed", "eventStart"),
    "start": ("from", "begin", "on", "installed", "start_time", "deployed", "first_day"),
    "end": ("to", "until", "off", "removed", "end_time", "retrieved", "last_day"),
}
"""Our name -> what a column may be called that the reader does not take by itself; ``columns`` says it."""
NAMED = {
    "records": ("record", "observation", "capture", "detection", "sighting", "photo", "image"),
    "deployments": ("deploy", "camera", "effort", "operation", "trap"),
    "stations": ("station", "site", "trap", "location", "coordinate", "place"),
    "failures": ("fail", "problem", "outage", "malfunction", "gap"),
}
"""What tables are called: of several that could be it, the one with such a name."""
COMMENTS = {
    "records": "one row a record: time, station or deployment, species, individual ...",
    "deployments": "one row a camera and stretch of time: station, start, end",
    "stations": "one row a station: x and y in metres, or longitude and latitude",
    "failures": "when cameras did not work: station or deployment, start, end",
}
KNOWN = {"records": RECORDS, "deployments": DEPLOYMENTS, "stations": STATIONS, "failures": DEPLOYMENTS}


def tables_in(folder: Path) -> list[Table]:
    """Read the tables of a folder, without those in folders below it."""
    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES and file.is_file()]
    return [read_table(file) for file in files if file.stat().st_size]


def find_plain(folder: Path, tables: Sequence[Table]) -> Found | None:
    """Find tables of records and deployments [and stations] [and failures].

    Parameters
    ----------
    folder
        Where they are.
    tables
        All that are there.

    Returns
    -------
    Found or None
        None if there are none with these columns.

    Examples
    --------
    >>> find_plain(Path(), []) is None
    True
    """
    of_role = {role: [table for table in tables if _role(table) == role] for role in COMMENTS}
    used = {role: _best(of_role[role], role) for role in COMMENTS if of_role[role]}
    if not {"records", "deployments"} <= set(used) or not _has_places(used):
        return None
    settings = [Setting(role, table.path.name, COMMENTS[role]) for role, table in used.items()]
    if columns := {role: names for role, table in used.items() if (names := _renamed(table, KNOWN[role]))}:
        settings.append(Setting("columns", columns, "file's name = our name; check the guesses"))
    formats, doubts = format_settings(*_dates(used))
    others = also_found([table for several in of_role.values() for table in several], list(used.values()))
    return Found(reader="records", settings=[*settings, *formats], base=folder, others=others, doubts=doubts)


def _role(table: Table) -> str:
    """``records``, ``deployments``, ``stations``, ``failures`` or an empty text."""
    station = any(_has(table, STATIONS if name == "station" else RECORDS, name) for name in ("station", "deployment"))
    timed = _has(table, RECORDS, "timestamp") or _has(table, RECORDS, "date")
    if station and timed and any(_has(table, RECORDS, name) for name in ("species", "individual")):
        return "records"
    if station and _has(table, DEPLOYMENTS, "start") and _has(table, DEPLOYMENTS, "end"):
        return "failures" if _is_named(table, "failures") else "deployments"
    return "stations" if _has(table, STATIONS, "station") and _placed(table) else ""


def _has(table: Table, known: ColumnNames, name: str) -> bool:
    """Whether a column is there, as the reader or as people call it."""
    return bool(forms_of(table.header) & forms_of((name, *known.names[name], *ALIASES.get(name, ()))))


def _placed(table: Table) -> bool:
    pairs = (("x", "y"), ("longitude", "latitude"))
    return any(has_columns(table.header, STATIONS, pair) for pair in pairs)


def _has_places(used: Mapping[str, Table]) -> bool:
    return "stations" in used or _placed(used["deployments"])


def _is_named(table: Table, role: str) -> bool:
    return any(word in table.path.stem.lower() for word in NAMED[role])


def _best(tables: Sequence[Table], role: str) -> Table:
    """The table that is called so; of records those with identities first."""

    def rank(table: Table) -> tuple[bool, bool]:
        return role == "records" and not _has(table, RECORDS, "individual"), not _is_named(table, role)

    return min(tables, key=rank)


def _renamed(table: Table, known: ColumnNames) -> dict[str, str]:
    """The file's name -> ours, of the columns that the reader would not know."""
    found = {}
    for ours, aliases in ALIASES.items():
        if ours in known.names and not forms_of(table.header) & forms_of((ours, *known.names[ours])):
            theirs = next((name for word in aliases for name in table.header if plain(name) == plain(word)), None)
            if theirs is not None:
                found[theirs] = ours
    if "timestamp" in known.names and "timestamp" not in found.values() and not _timed(table):
        found |= {name: "timestamp" for name in table.header if plain(name) == "date"}
    return found


def _timed(table: Table) -> bool:
    """Whether the reader finds times: in a column of their own, or in one of dates and one of times."""
    return any(has_columns(table.header, RECORDS, names) for names in (["timestamp"], ["date", "time"]))


def _dates(used: Mapping[str, Table]) -> list[list[str]]:
    """What stands in the columns of dates: of deployments, then of records."""
    columns = []
    for role, names in (("deployments", ("start", "end")), ("records", ("timestamp",)), ("records", ("date",))):
        renamed = _renamed(used[role], KNOWN[role])
        given = [theirs for theirs, ours in renamed.items() if ours in names]
        at = [used[role].header.index(name) for name in given]
        more = [row[i].strip() for row in used[role].rows for i in at if i < len(row) and row[i].strip()]
        columns.append([*values_of(used[role], KNOWN[role], *names), *more])
    return columns
