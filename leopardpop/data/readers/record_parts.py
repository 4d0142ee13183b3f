"""The parts of a survey from tables: stations with their places, deployments, failures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import counted
from leopardpop.data.notices import notice
from leopardpop.data.occasions import Clock
from leopardpop.data.offsets import shared_offset
from leopardpop.data.projections import check_metres, check_place, is_geographic
from leopardpop.data.readers.degrees import WGS84, project_rows, read_degrees
from leopardpop.data.readers.record_sheets import ColumnNames, Columns, Sheet, read_sheet
from leopardpop.data.readers.record_times import read_times
from leopardpop.data.tables import TableSource
from leopardpop.errors import DataError, DataWarning

__all__ = [
    "OURS",
    "PLACES",
    "Periods",
    "check_apart",
    "check_order",
    "failure_sheet",
    "find_places",
    "read_failures",
    "reading_notes",
    "stations_of",
]

OURS = ("station", "deployment", "camera", "start", "end", "session", "source", "line")
"""Columns that are no covariates."""

SAME_PLACE = 100.0
"""Metres within which rows of a station may differ: positions are taken again on each visit."""

PLACES = {
    "x": ("utm_x", "x", "easting", "X_Coord", "coord_x"),
    "y": ("utm_y", "y", "northing", "Y_Coord", "coord_y"),
    "longitude": ("longitude", "long", "lon", "lng", "decimalLongitude", "gps_x", "coordinates_longitude"),
    "latitude": ("latitude", "lat", "decimalLatitude", "gps_y", "coordinates_latitude"),
}
FAILURES = ColumnNames(
    {
        "deployment": ("deployment_id", "deploymentID"),
        "station": ("Station", "placename", "locationID"),
        "start": ("from",),
        "end": ("to",),
    },
    required=("start", "end"),
)


@dataclass(frozen=True, slots=True)
class Periods:
    """What the user said of dates and clocks."""

    clock: Clock
    """The survey's."""
    date_format: str | None
    """Format of times that are not ISO 8601."""
    start: pd.Timedelta
    """Time of day of a deployment's start that is a date."""
    end: pd.Timedelta
    """Time of day of an end that is a date."""
    shared: bool = False
    """Whether the clock is the one offset that all times carry."""

    def with_offset_of(self, *sheets: tuple[Sheet | None, Sequence[str]]) -> Periods:
        """Take the one offset that all times of some columns carry for the clock, if the user named none."""
        if self.clock.tz is not None:
            return self
        there = ((sheet, name) for sheet, names in sheets if sheet is not None for name in names if name in sheet)
        found = shared_offset(sheet.table.frame[name] for sheet, name in there if len(sheet))
        return self if found is None else replace(self, clock=Clock(found), shared=True)


def reading_notes(
    title: str,
    audit: pd.DataFrame,
    periods: Periods,
    places: Sheet,
    system: str | None,
    records: Sheet,
    *,
    midnights: bool = False,
) -> list[str]:
    """Say what was read and what a reader decided, for ``survey.notes``.

    Parameters
    ----------
    title
        Format and number of deployments.
    audit
        Of the survey.
    periods
        How dates were read.
    places
        The table with the positions.
    system
        Reference system of the survey.
    records
        The table of records.
    midnights
        Whether starts or ends that are all at 00:00:00 are taken for dates.
    """
    degrees = not ("x" in places and "y" in places)
    where = f", projected to {system}" if degrees else ""
    used = int((audit["action"] == "kept").sum())
    notes = [f"{title}{where}, {counted(used, 'record')} used of {len(audit):,}"]
    minutes = [int(hour.total_seconds()) // 60 for hour in (periods.start, periods.end)]
    start, end = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in minutes)
    also = ", or all of whose kind are written at 00:00:00," if midnights else ""
    notes.append(f"A start that is a date{also} is taken at {start}, an end at {end}.")
    if periods.shared:
        notes.append(f"All times carry one offset: their clock is {periods.clock.tz}.")
    if periods.clock.tz is None:
        notes.append("Times are the cameras' own clock: these tables have no zone.")
    return [*notes, *records.notes]


def find_places(sheet: Sheet, crs: Any) -> tuple[pd.DataFrame, str | None]:
    """Find where each row of a table lies, in metres.

    Parameters
    ----------
    sheet
        With columns x and y (metres), or longitude and latitude (degrees).
    crs
        Reference system of x and y; for degrees the one to project to, None: the UTM zone of their middle.

    Returns
    -------
    places : DataFrame
        Columns x, y [m] and, if places are given so, longitude, latitude [degrees].
    crs : str or None

    Raises
    ------
    DataError
        If there is no such pair of columns, a value is no number, or cannot be a position.
    """
    if "x" in sheet and "y" in sheet:
        return _project(sheet, ("x", "y"), None, crs) if is_geographic(crs) else _in_metres(sheet, crs)
    if "longitude" not in sheet or "latitude" not in sheet:
        raise DataError(
            f"{sheet.table.name} does not say where stations are: it needs columns 'x' and 'y' (metres), or "
            "'longitude' and 'latitude' (degrees). columns= can say what they are called."
        )
    return _project(sheet, ("longitude", "latitude"), crs)


def _project(sheet: Sheet, names: tuple[str, str], crs: Any, given: Any = WGS84) -> tuple[pd.DataFrame, str | None]:
    """Project degrees to metres; a table without rows has no zone."""
    longitude, latitude = (
        read_degrees(sheet.table, name, most, sheet.name(name)) for name, most in zip(names, (180, 90), strict=True)
    )
    degrees = {"longitude": longitude, "latitude": latitude}
    if not len(sheet):
        return pd.DataFrame({"x": longitude, "y": latitude}), check_metres(crs)
    x, y, system = project_rows(sheet.table, longitude, latitude, crs, given)
    return pd.DataFrame({"x": x, "y": y} | degrees), system


def _in_metres(sheet: Sheet, crs: Any) -> tuple[pd.DataFrame, str | None]:
    x, y = sheet.numbers("x"), sheet.numbers("y")
    system = check_metres(crs)
    if system is not None and re.fullmatch(r"EPSG:32[67]\d\d", system):
        bad = (x < 0) | (x > 1_000_000) | (y < 0) | (y > 10_000_000)
        if bad.any():
            row = int(bad.argmax())
            swapped = " Are they swapped?" if y[row] <= 1_000_000 < x[row] <= 10_000_000 else ""
            found = f"{sheet.name('x')} is {x[row]:g} and {sheet.name('y')} {y[row]:g}, which {system} does not have"
            raise sheet.fail(bad, found, f"Eastings are from 0 to 1,000,000 m.{swapped}")
    check_place(x, y, crs, "station")
    return pd.DataFrame({"x": x, "y": y}), system


def stations_of(sheet: Sheet, crs: Any, used: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame, str | None]:
    """Make one row a station of a table that may have several, one a camera or visit.

    Parameters
    ----------
    sheet
        With columns station and those of :func:`find_places`.
    crs
        As there.
    used
        Columns that are no covariates.

    Returns
    -------
    stations : DataFrame
        station, x, y [m] [, longitude, latitude], and the columns that are the same in all rows of each station.
    others : DataFrame
        The columns that are not, (n,).
    crs : str or None
    """
    station = sheet.needed("station")
    if not len(sheet):
        raise DataError(f"{sheet.table.name} has no rows: the survey has no stations.")
    places, system = find_places(sheet, crs)
    first = station.map(pd.Series(range(len(station))).groupby(station).first()).to_numpy(np.intp).astype(np.intp)
    _check_same_place(sheet, station, places["x"].to_numpy(float), places["y"].to_numpy(float), first)
    rows = np.unique(first)
    covariates = sheet.table.covariates([*used, *PLACES, *OURS])
    covariates = covariates[[name for name in covariates if covariates[name].notna().any()]]
    constant = [name for name in covariates if _same(covariates[name], first)]
    stations = (
        pd.concat([station.rename("station"), places, covariates[constant]], axis=1).iloc[rows].reset_index(drop=True)
    )
    return stations, covariates.drop(columns=constant), system


def _same(column: pd.Series[Any], first: NDArray[np.intp]) -> bool:
    """Whether all rows have the value of their station's first row."""
    values, other = column.to_numpy(), column.to_numpy()[first]
    return bool(((values == other) | (pd.isna(values) & pd.isna(other))).all())


def _check_same_place(
    sheet: Sheet, station: pd.Series[Any], x: NDArray[np.float64], y: NDArray[np.float64], first: NDArray[np.intp]
) -> None:
    apart = np.hypot(x - x[first], y - y[first])
    far = apart > SAME_PLACE
    if far.any():
        row = int(far.argmax())
        there = sheet.table.where(int(first[row]))
        found = f"station '{station[row]}' is {apart[row]:,.0f} m from where {there} has it"
        raise sheet.fail(far, found, "A station has one place: correct it, or give the places names of their own.")
    moved = station[apart > 0.01].nunique()
    if moved:
        notice(
            f"{counted(moved, 'station')} of {sheet.table.name} differ by up to {apart.max():,.0f} m between rows; the "
            "first position of each is used.",
            DataWarning,
        )


def check_order(sheet: Sheet, start: pd.Series[Any], end: pd.Series[Any], names: tuple[str, str]) -> None:
    """Refuse rows that end before they start, or at the same time."""
    bad = (end <= start).to_numpy(bool)
    if bad.any():
        row = int(bad.argmax())
        known = [sheet.name(name) for name in names]
        found = f"{known[1]} ({end[row]:%Y-%m-%d %H:%M}) is not after {known[0]} ({start[row]:%Y-%m-%d %H:%M})"
        raise sheet.fail(bad, found, "Correct the dates, or date_format= if day and month are swapped.")


def check_apart(sheet: Sheet, camera: pd.Series[Any], start: pd.Series[Any], end: pd.Series[Any], advice: str) -> None:
    """Refuse two rows of one camera that overlap in time."""
    order = np.lexsort((start.to_numpy(), pd.factorize(camera)[0]))
    names, starts, ends = (column.iloc[order].to_numpy() for column in (camera, start, end))
    clash = np.flatnonzero((names[1:] == names[:-1]) & (starts[1:] < ends[:-1]))
    if clash.size:
        rows = np.maximum(order[clash], order[clash + 1])
        other = sheet.table.where(int(min(order[clash[0]], order[clash[0] + 1])))
        found = f"'{camera.iloc[rows[0]]}' is there twice at the same time: it overlaps with {other}"
        raise sheet.fail(rows, found, advice)


def failure_sheet(source: TableSource | None, columns: Columns) -> Sheet | None:
    """Read a table of failures, if there is one."""
    return None if source is None else read_sheet(source, "failures", FAILURES, columns)


def read_failures(
    source: TableSource | None, deployments: pd.DataFrame, periods: Periods, columns: Columns
) -> pd.DataFrame | None:
    """Read a table of failures: deployment or station, start, end; the end is not included.

    A date stands for 00:00. A missing start or end is that of the deployment.
    """
    sheet = failure_sheet(source, columns)
    if sheet is None:
        return None
    for name in ("deployment", "station"):
        if name in sheet and sheet.words(name).notna().any():
            there = sheet.take(sheet.words(name).notna().to_numpy(bool))
            there.known(name, deployments[name].tolist(), "the survey")
    nobody = (sheet.words("deployment").isna() & sheet.words("station").isna()).to_numpy(bool)
    if nobody.any():
        raise sheet.fail(nobody, "it names neither a deployment nor a station", "Say which cameras failed.")
    _check_places_agree(sheet, deployments)
    first = read_times(sheet, "start", periods.clock, periods.date_format, blank=True).local
    last = read_times(sheet, "end", periods.clock, periods.date_format, blank=True).local
    check_order(sheet, first, last, ("start", "end"))
    names = {name: sheet.words(name) for name in ("deployment", "station")}
    return pd.DataFrame({**names, "start": first, "end": last, **sheet.places()})


def _check_places_agree(sheet: Sheet, deployments: pd.DataFrame) -> None:
    """Refuse a failure of a deployment that is not at the station beside it."""
    deployment, station = sheet.words("deployment"), sheet.words("station")
    own = deployment.map(dict(zip(deployments["deployment"], deployments["station"], strict=True)))
    other = (deployment.notna() & station.notna() & (own != station)).to_numpy(bool)
    if other.any():
        at = int(other.argmax())
        found = f"deployment '{deployment.iloc[at]}' is not at station '{station.iloc[at]}'"
        raise sheet.fail(other, found, "Correct one, or leave the station out: the deployment says where it is.")
