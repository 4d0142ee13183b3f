"""``leopardpop init`` on tables of records: those of camtrapR, an export of Wildlife Insights."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leopardpop.cli.columns import SUFFIXES, Table, read_table
from leopardpop.cli.init_package import DESCRIPTOR, setting_line, survey_data, toml_value
from leopardpop.cli.run import collect_warnings
from leopardpop.data.column_roles import plain
from leopardpop.data.files import read_text_table
from leopardpop.data.readers import camtrapr, wildlife_insights
from leopardpop.data.readers.export_files import open_export
from leopardpop.data.readers.record_sheets import ColumnNames
from leopardpop.data.readers.record_times import fitting_formats

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = ["Records", "find_records"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Records:
    """A survey that was found in a folder, and the settings that read it.

    Parameters
    ----------
    survey
        What was read.
    data
        The lines under ``[data]``.
    """

    survey: Survey
    data: str


def find_records(path: Path) -> Records | None:
    """Find the tables of camtrapR, or an export of Wildlife Insights, and read them.

    Parameters
    ----------
    path
        Folder, or zip.

    Returns
    -------
    Records or None
        None if there are no such tables.

    Raises
    ------
    DataError
        If there are, and they cannot be read.

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
    return _camtrapr(path) if path.is_dir() else None


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
    return _has(header, wildlife_insights.DEPLOYMENTS, ("deployment", "start", "end"))


def _wildlife_insights(path: Path) -> Records:
    import leopardpop as lp

    with collect_warnings():
        survey = lp.read_wildlife_insights(path)
    where = "." if path.is_dir() else path.name
    head = [
        setting_line(
            'reader = "wildlife_insights"', "camtrap_dp | camtrapr | wildlife_insights | records | tables | secr"
        ),
        setting_line(f"path = {toml_value(where)}", "the export: folder or zip"),
    ]
    return Records(survey=survey, data=survey_data(survey, head))


# -- camtrapR ---------------------------------------------------------------------------------------------------------
def _camtrapr(folder: Path) -> Records | None:
    """The record table and the camera table that belong together."""
    import leopardpop as lp

    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES and file.stat().st_size]
    tables = [read_table(file) for file in files]
    cameras = [table for table in tables if _has(table.header, camtrapr.CAMERAS, camtrapr.CAMERAS.required)]
    records = [table for table in tables if table not in cameras and _is_records(table)]
    if not cameras or not records:
        return None
    seen, where = _pair(records, cameras)
    formats = _formats(seen, where)
    date_format = formats[0] if formats else None
    with collect_warnings():
        survey = lp.read_camtrapr(seen.path, where.path, date_format=date_format)
    head = [
        setting_line('reader = "camtrapr"', "camtrap_dp | camtrapr | wildlife_insights | records | tables | secr"),
        setting_line(f"records = {toml_value(seen.path.name)}", "one row a record"),
        setting_line(f"cameras = {toml_value(where.path.name)}", "one row a camera: setup, retrieval, problems"),
        *_format_line(formats),
        *_crs_line(survey),
        *_others([*records, *cameras], (seen, where)),
    ]
    return Records(survey=survey, data=survey_data(survey, head))


def _is_records(table: Table) -> bool:
    wanted = ("station", "species")
    times = (("timestamp",), ("date", "time"))
    return any(_has(table.header, camtrapr.RECORDS, (*wanted, *each)) for each in times)


def _has(header: Sequence[str], known: ColumnNames, names: Sequence[str]) -> bool:
    """Whether all of some columns are there, as the format calls them."""
    forms = {plain(column) for column in header}
    return all(forms & {plain(theirs) for theirs in known.names[name]} for name in names)


def _values(table: Table, known: ColumnNames, *names: str) -> list[str]:
    """What stands in some columns."""
    forms = {plain(theirs) for name in names for theirs in (name, *known.names[name])}
    at = [i for i, column in enumerate(table.header) if plain(column) in forms]
    return [row[i].strip() for row in table.rows for i in at if i < len(row) and row[i].strip()]


def _pair(records: Sequence[Table], cameras: Sequence[Table]) -> tuple[Table, Table]:
    """The tables that fit: all stations of the records have cameras; records with identities come first."""
    known = sorted(records, key=lambda table: not _has(table.header, camtrapr.RECORDS, ["individual"]))
    for seen in known:
        stations = set(_values(seen, camtrapr.RECORDS, "station"))
        for where in cameras:
            if stations <= set(_values(where, camtrapr.CAMERAS, "station")):
                return seen, where
    return known[0], cameras[0]


def _formats(seen: Table, where: Table) -> list[str]:
    """Formats that fit the dates: of the cameras, else of the records; none if all are ISO 8601."""
    dates = _values(where, camtrapr.CAMERAS, "start", "end")
    times = _values(seen, camtrapr.RECORDS, "timestamp") or _values(seen, camtrapr.RECORDS, "date")
    return next((found for found in (fitting_formats(dates), fitting_formats(times)) if found), [])


def _format_line(formats: Sequence[str]) -> list[str]:
    if not formats:
        return []
    others = f"; {' and '.join(formats[1:])} would fit, too: check" if formats[1:] else ", which fits all dates"
    return [setting_line(f"date_format = {toml_value(formats[0])}", f"a guess{others}")]


def _crs_line(survey: Survey) -> list[str]:
    if survey.crs is not None:
        return []
    return [setting_line('# crs = "EPSG:32650"', "system of the coordinates; masks of rasters and polygons need it")]


def _others(found: Sequence[Table], used: Sequence[Table]) -> list[str]:
    names = [table.path.name for table in found if table not in used]
    return [f"# also found: {', '.join(names)}"] if names else []
