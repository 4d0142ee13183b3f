"""Exports of Wildlife Insights: deployments, and one or several tables of images or sequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leopardpop.data.names import counted, did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.data.occasions import Clock
from leopardpop.data.paths import path_of
from leopardpop.data.readers.export_files import open_export
from leopardpop.data.readers.record_parts import (
    PLACES,
    Periods,
    failure_sheet,
    read_failures,
    reading_notes,
    stations_of,
)
from leopardpop.data.readers.record_sheets import ColumnNames, Columns, Sheet, check_roles, concat_sheets, read_sheet
from leopardpop.data.readers.record_times import check_date_format, time_of_day
from leopardpop.data.readers.records import deployment_table, settle_records
from leopardpop.data.readers.wildlife_insights_taxa import drop_no_animals
from leopardpop.data.selection import Ledger
from leopardpop.data.survey import Survey
from leopardpop.data.tables import TableSource
from leopardpop.errors import DataError, DataWarning

__all__ = ["read_wildlife_insights"]

IMAGES = ColumnNames(
    {
        "deployment": ("deployment_id",),
        "timestamp": ("timestamp", "start_time"),
        "media": ("image_id",),
        "event": ("sequence_id",),
        "is_blank": ("is_blank",),
        "class": ("class",),
        "order": ("order",),
        "family": ("family",),
        "genus": ("genus",),
        "species": ("species",),
        "common_name": ("common_name",),
        "individual": ("individual_id",),
        "sex": ("sex",),
        "life_stage": ("age",),
        "flank": (),
        "count": ("number_of_objects", "group_size"),
        "behavior": ("behavior",),
        "classification_probability": ("cv_confidence",),
        "fuzzed": ("fuzzed",),
    },
    required=("deployment", "timestamp"),
    told=("individual", "sex", "life_stage", "count"),
)
DEPLOYMENTS = ColumnNames(
    {
        "deployment": ("deployment_id",),
        "station": ("placename",),
        "camera": ("camera_id",),
        "start": ("start_date",),
        "end": ("end_date",),
        **PLACES,
    },
    required=("deployment", "start", "end"),
    rest=True,
)
ROLES = ("images", "deployments", "failures")
WORKING = ("camera functioning", "functioning", "unknown")

ExportPath = str | PathLike[str] | Mapping[str, TableSource | Sequence[TableSource]]


def read_wildlife_insights(
    path: ExportPath,
    *,
    station: str = "placename",
    tz: str | None = None,
    date_format: str | None = None,
    crs: Any = None,
    columns: Columns = None,
    start_time: str = "00:00",
    end_time: str = "24:00",
    failures: TableSource | None = None,
) -> Survey:
    """Read an export of Wildlife Insights.

    Parameters
    ----------
    path
        Folder or zip with deployments.csv and images.csv, images_1.csv ... or sequences.csv; or the tables themselves:
        ``{"deployments": "deployments.csv", "images": ["images_1.csv", "images_2.csv"]}``. Tables of projects and
        cameras are not needed.
    station
        Column of deployments that names the place; cameras with the same name are at one station. Without a column
        placename each deployment is a station, and you are warned.
    tz
        The export has local times without a zone. None: they are the cameras' own clock; "UTC-05:00" or "America/Lima":
        they are of that zone.
    date_format
        How times are written that are not ISO 8601, as happens after a spreadsheet: "%m/%d/%Y".
    crs
        Reference system to project to; None: the UTM zone, which ``survey.crs`` names.
    columns
        What the files call a column: ``{"images": {"markings": "flank"}}``.
    start_time, end_time
        Time of day of a start and of an end that are dates (or all at 00:00:00, as the export writes them). The
        defaults count the first and the last day whole, since the last image is often of the last day.
    failures
        Times when cameras did not work, which the export has no field for: station or deployment, start, end.

    Returns
    -------
    Survey
        Its ``audit`` has every row of images once: blanks, people, vehicles and rows without an identification are
        dropped, rows that two files share are merged. Species are "genus species", or the lowest rank that is known.

    Raises
    ------
    DataError
        Naming file, line and value: an unknown deployment, a time in another format, a damaged archive.

    Warns
    -----
    DataWarning
        If deployments have no place name, positions are blurred, or a camera is said to have failed.

    Examples
    --------
    >>> import pandas as pd
    >>> deployments = pd.DataFrame({
    ...     "deployment_id": ["d1"], "placename": "L012", "longitude": 131.0, "latitude": 43.0,
    ...     "start_date": "2024-02-01 00:00:00", "end_date": "2024-02-10 00:00:00",
    ... })
    >>> images = pd.DataFrame({
    ...     "deployment_id": "d1", "image_id": ["a", "b"], "timestamp": "2024-02-10 21:14:00", "is_blank": [0, 1],
    ...     "genus": ["Panthera", ""], "species": ["pardus", ""], "individual_id": ["F1", ""],
    ... })
    >>> survey = read_wildlife_insights({"deployments": deployments, "images": images})
    >>> survey.records["species"].tolist(), survey.audit["action"].tolist(), survey.deployments["end"][0].isoformat()
    (['Panthera pardus'], ['kept', 'dropped'], '2024-02-11T00:00:00')
    """
    check_roles(columns, ROLES)
    check_date_format(date_format)
    start, end = time_of_day(start_time, "start_time"), time_of_day(end_time, "end_time")
    periods = Periods(Clock(tz), date_format, start, end)
    with _tables(path) as tables:
        sheet = _deployments(tables["deployments"], station, columns)
        images = _images(tables, columns)
    stations, others, system = stations_of(sheet, crs, tuple(DEPLOYMENTS.names))
    span, broken = ("start", "end"), failure_sheet(failures, columns)
    periods = periods.with_offset_of((sheet, span), (images, ("timestamp",)), (broken, span))
    cameras = deployment_table(sheet, others, periods, midnights=True)
    _warn(sheet, images)
    ledger = Ledger(images.places())
    named = drop_no_animals(images, ledger)
    rows, audit = settle_records(named, cameras, sheet.table.name, periods, ledger)
    return Survey(
        stations=stations,
        deployments=cameras,
        records=_with_probability(rows),
        failures=read_failures(failures, cameras, periods, columns),
        audit=audit,
        crs=system,
        tz=periods.clock.tz,
        notes=reading_notes(
            f"Wildlife Insights: {counted(len(cameras), 'deployment')}",
            audit,
            periods,
            sheet,
            system,
            images,
            midnights=True,
        ),
    )


@contextmanager
def _tables(path: ExportPath) -> Iterator[dict[str, list[TableSource]]]:
    """Find the tables by kind: deployments, images, sequences."""
    if isinstance(path, Mapping):
        for kind in path:
            if kind not in ("deployments", "images", "sequences"):
                hint = did_you_mean(str(kind), ("deployments", "images", "sequences"))
                raise DataError(f"path= has '{kind}'; tables are 'deployments', 'images' or 'sequences'.{hint}")
        given = {kind: _several(path.get(kind)) for kind in ("deployments", "images", "sequences")}
        yield _complete(given, "path=", [])
        return
    with open_export(path_of(path, "path", "a folder, a zip or a dict of tables")) as files:
        found: dict[str, list[TableSource]] = {
            kind: [files.file(name) for name in files.names if Path(name).name.lower().startswith(kind)]
            for kind in ("deployments", "images", "sequences")
        }
        yield _complete(found, files.name, files.names)


def _several(tables: Any) -> list[TableSource]:
    return [] if tables is None else list(tables) if isinstance(tables, (list, tuple)) else [tables]


def _complete(found: dict[str, list[TableSource]], where: str, names: Sequence[str]) -> dict[str, list[TableSource]]:
    records = "images" if found["images"] else "sequences"
    missing = "deployments" if not found["deployments"] else "images (or sequences)" if not found[records] else None
    if missing is None:
        return found
    has = f" It has {listed(names)}." if names else ""
    raise DataError(f"{where} has no table of {missing}, such as {missing.split()[0]}.csv.{has}")


def _deployments(tables: Sequence[TableSource], station: str, columns: Columns) -> Sheet:
    given = dict((columns or {}).get("deployments", {}))
    if station != "placename":
        given[station] = "station"
    sheets = [read_sheet(table, "deployments", DEPLOYMENTS, {"deployments": given}) for table in tables]
    sheet = concat_sheets(sheets)
    same = sheet.table.frame.duplicated().to_numpy(bool)  # each part of a large export has the same table
    sheet = sheet.take(~same)
    if "station" in sheet:
        return sheet
    notice(f"{sheet.table.name} has no column 'placename': each deployment is taken for a station.", DataWarning)
    return sheet.with_column("station", sheet.needed("deployment"))


def _images(tables: Mapping[str, Sequence[TableSource]], columns: Columns) -> Sheet:
    """Put all images, or sequences, under each other; those of one deployment are either."""
    sheets = {
        kind: concat_sheets([read_sheet(table, "images", IMAGES, columns) for table in tables[kind]])
        for kind in ("images", "sequences")
        if tables[kind]
    }
    if len(sheets) == 2:
        both = sheets["sequences"].words("deployment").isin(sheets["images"].words("deployment").unique())
        if both.any():
            advice = 'Give one of them: path={"deployments": ..., "images": ...}.'
            raise sheets["sequences"].fail(both.to_numpy(bool), "its deployment has images as well", advice)
    return concat_sheets(list(sheets.values()))


def _warn(sheet: Sheet, images: Sheet) -> None:
    """Warn of what the export says about its own quality."""
    if "camera_functioning" in sheet:
        state = sheet.words("camera_functioning").str.lower()
        failed = int((state.notna() & ~state.isin(WORKING)).sum())
        if failed:
            notice(
                f"{sheet.table.name}: {counted(failed, 'deployment')} had a camera that failed (camera_functioning); "
                "the export does not say when. Pass failures= or shorten them, else absence and failure look the same.",
                DataWarning,
            )
    if "fuzzed" in images and images.words("fuzzed").str.lower().isin(["true", "1", "1.0"]).any():
        notice(
            f"{images.table.name}: the positions of some records were blurred for publication (fuzzed). Distances "
            "between stations are then wrong: ask the owner for the exact export.",
            DataWarning,
        )


def _with_probability(rows: pd.DataFrame) -> pd.DataFrame:
    """Confidence of the classifier as a number from 0 to 1, NaN where there is none."""
    if "classification_probability" not in rows:
        return rows.drop(columns="is_blank", errors="ignore")
    numbers = pd.to_numeric(rows["classification_probability"], errors="coerce").to_numpy(np.float64)
    scale = 100.0 if np.nanmax(numbers, initial=0) > 1 else 1.0
    return rows.assign(classification_probability=numbers / scale)
