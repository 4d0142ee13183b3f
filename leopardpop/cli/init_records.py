"""``leopardpop init`` on tables of records: those of camtrapR, an export of Wildlife Insights, plain ones."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from leopardpop.cli.columns import Table
from leopardpop.cli.found import Found, Setting, also_found, format_settings, has_columns, values_of
from leopardpop.cli.init_package import DESCRIPTOR
from leopardpop.cli.init_plain import find_plain, tables_in
from leopardpop.data.files import read_text_table
from leopardpop.data.readers import camtrapr, wildlife_insights
from leopardpop.data.readers.export_files import open_export

__all__ = ["find_records"]


def find_records(path: Path) -> Found | None:
    """Find the tables of camtrapR, an export of Wildlife Insights, or plain tables of records.

    Parameters
    ----------
    path
        Folder, or zip.

    Returns
    -------
    Found or None
        None if there are no such tables.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     find_records(Path(folder)) is None
    True
    """
    if path.name == DESCRIPTOR or (path / DESCRIPTOR).exists():
        return None
    if _is_wildlife_insights(path):
        return _wildlife_insights(path)
    if not path.is_dir():
        return None
    tables = tables_in(path)
    return _camtrapr(path, tables) or find_plain(path, tables)


# -- Wildlife Insights ------------------------------------------------------------------------------------------------
def _is_wildlife_insights(path: Path) -> bool:
    """Whether there are tables of deployments and of images (or sequences), by name and by columns."""
    if path.is_dir() and not any(any(path.glob(each)) for each in ("deployments*", "*/deployments*")):
        return False  # before all files of all folders in it are listed
    if path.is_file() and not zipfile.is_zipfile(path):
        return False
    with open_export(path) as files:
        names = {name: Path(name).name.lower() for name in files.names}
        tables = [name for name, file in names.items() if file.startswith("deployments")]
        if not tables or not any(file.startswith(("images", "sequences")) for file in names.values()):
            return False
        header = read_text_table(files.file(tables[0]), "deployments", columns=()).header
    return has_columns(header, wildlife_insights.DEPLOYMENTS, ("deployment", "start", "end"))


def _wildlife_insights(path: Path) -> Found:
    where = Setting("path", "." if path.is_dir() else path.name, "the export: folder or zip")
    return Found(reader="wildlife_insights", settings=[where], base=path if path.is_dir() else path.parent)


# -- camtrapR ---------------------------------------------------------------------------------------------------------
def _camtrapr(folder: Path, tables: Sequence[Table]) -> Found | None:
    """The record table and the camera table that belong together."""
    cameras = [table for table in tables if has_columns(table.header, camtrapr.CAMERAS, camtrapr.CAMERAS.required)]
    records = [table for table in tables if table not in cameras and _is_records(table)]
    if not cameras or not records:
        return None
    seen, where = _pair(records, cameras)
    formats, doubts = _formats(seen, where)
    settings = [
        Setting("records", seen.path.name, "one row a record"),
        Setting("cameras", where.path.name, "one row a camera: setup, retrieval, problems"),
    ]
    others = also_found([*records, *cameras], (seen, where))
    return Found(reader="camtrapr", settings=[*settings, *formats], base=folder, others=others, doubts=doubts)


def _is_records(table: Table) -> bool:
    wanted = ("station", "species")
    times = (("timestamp",), ("date", "time"))
    return any(has_columns(table.header, camtrapr.RECORDS, (*wanted, *each)) for each in times)


def _pair(records: Sequence[Table], cameras: Sequence[Table]) -> tuple[Table, Table]:
    """The tables that fit: all stations of the records have cameras; records with identities come first."""
    known = sorted(records, key=lambda table: not has_columns(table.header, camtrapr.RECORDS, ["individual"]))
    for seen in known:
        stations = set(values_of(seen, camtrapr.RECORDS, "station"))
        for where in cameras:
            if stations <= set(values_of(where, camtrapr.CAMERAS, "station")):
                return seen, where
    return known[0], cameras[0]


def _formats(seen: Table, where: Table) -> tuple[list[Setting], list[tuple[str, str]]]:
    """How dates are written: those of the cameras, else of the records."""
    dates = values_of(where, camtrapr.CAMERAS, "start", "end")
    times = values_of(seen, camtrapr.RECORDS, "timestamp") or values_of(seen, camtrapr.RECORDS, "date")
    return format_settings(dates, times)
