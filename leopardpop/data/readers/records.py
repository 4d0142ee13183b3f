"""Plain tables: records, deployments and stations, with a map of what their columns are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from leopardpop.data.column_roles import SYNONYMS, TOLD
from leopardpop.data.names import counted, listed
from leopardpop.data.occasions import Clock
from leopardpop.data.readers.record_parts import (
    OURS,
    PLACES,
    Periods,
    check_order,
    failure_sheet,
    read_failures,
    reading_notes,
    stations_of,
)
from leopardpop.data.readers.record_rows import (
    LABELS,
    merge_same_rows,
    record_table,
    settle,
    warn_of_dates,
    with_timestamp,
)
from leopardpop.data.readers.record_sheets import ColumnNames, Columns, Sheet, check_roles, read_sheet
from leopardpop.data.readers.record_times import check_date_format, read_times, time_of_day
from leopardpop.data.selection import Ledger
from leopardpop.data.survey import Survey
from leopardpop.data.tables import TableSource
from leopardpop.data.vocabulary import nobody
from leopardpop.errors import DataError

__all__ = ["deployment_table", "read_records", "settle_records"]

STATION = ("station", "station_id", "station_name", "placename", "locationID")
DEPLOYMENT = ("deployment_id", "deploymentID")
CAMERA = ("camera_id", "cameraID")
RECORDS = ColumnNames(
    {
        "station": STATION,
        "deployment": DEPLOYMENT,
        "camera": CAMERA,
        "timestamp": ("datetime", "date_time", "DateTimeOriginal", "date_time_original", "date_and_time", "time_stamp"),
        "date": ("Date", "photo_date", "capture_date", "date_of_photo", "date_of_record", "record_date"),
        "time": ("Time", "photo_time", "capture_time", "time_of_photo", "time_of_record", "time_of_day", "record_time"),
        **SYNONYMS,
    },
    rest=True,
    told=TOLD,
)
DEPLOYMENTS = ColumnNames(
    {
        "station": STATION,
        "deployment": DEPLOYMENT,
        "camera": CAMERA,
        "session": ("season",),
        "start": ("start_date", "deploymentStart", "setup", "setup_date"),
        "end": ("end_date", "deploymentEnd", "retrieval", "retrieval_date"),
        **PLACES,
    },
    required=("station", "start", "end"),
    rest=True,
)
STATIONS = ColumnNames({"station": STATION, **PLACES}, required=("station",), rest=True)
SPAN = ("start", "end")
ROLES = ("records", "deployments", "stations", "failures")


def read_records(
    records: TableSource,
    deployments: TableSource,
    stations: TableSource | None = None,
    *,
    tz: str | None = None,
    date_format: str | None = None,
    crs: Any = None,
    columns: Columns = None,
    start_time: str = "00:00",
    end_time: str = "00:00",
    failures: TableSource | None = None,
) -> Survey:
    """Read plain tables of records, deployments and stations.

    Parameters
    ----------
    records
        One row a record: timestamp (or date and time), station or deployment [, camera] [, species] [, individual]
        [, sex] [, life_stage] [, flank] [, count]; other columns are kept. Rows that are the same in every column are
        one record.
    deployments
        One row a camera and stretch of time: station, start, end [, deployment] [, camera] [, session], and x and y
        (m), or longitude and latitude (degrees), if there is no table of stations. Other columns are kept: with the
        stations, as covariates, if they are the same for all deployments of each.
    stations
        One row a station: station, x and y or longitude and latitude; other columns are covariates.
    tz
        None: times are the cameras' own clock. "UTC+10:00" or "Asia/Vladivostok": they are of that zone.
    date_format
        How times are written that are not ISO 8601: "%d/%m/%Y". A time of day may follow.
    crs
        Reference system of x and y ("EPSG:32652"); for degrees the one to project to, None: the UTM zone.
    columns
        What the files call a column: ``{"records": {"ID": "individual"}, "deployments": {"from": "start"}}``.
    start_time, end_time
        Time of day of a start and of an end that are dates; the end is not included. "12:00" for cameras that are set
        up and taken down by day, "24:00" if the last day counts whole.
    failures
        Times when cameras did not work: station or deployment, start, end (not included).

    Returns
    -------
    Survey
        Its ``audit`` has every row of `records` once.

    Raises
    ------
    DataError
        Naming file, line and value, and what to do.

    Examples
    --------
    >>> import pandas as pd
    >>> records = pd.DataFrame({"when": ["03/02/2024 21:14"], "station": "B", "ID": "F01"})
    >>> deployments = pd.DataFrame({"station": ["A", "B"], "start": "01/02/2024", "end": "02/03/2024"})
    >>> stations = pd.DataFrame({"station": ["A", "B"], "longitude": [131.0, 131.04], "latitude": [43.0, 43.01]})
    >>> survey = read_records(
    ...     records, deployments, stations, date_format="%d/%m/%Y",
    ...     columns={"records": {"when": "timestamp", "ID": "individual"}},
    ... )
    >>> survey.crs, survey.records["timestamp"][0].isoformat()
    ('EPSG:32652', '2024-02-03T21:14:00')
    """
    check_roles(columns, ROLES)
    check_date_format(date_format)
    start, end = time_of_day(start_time, "start_time"), time_of_day(end_time, "end_time")
    periods = Periods(Clock(tz), date_format, start, end)
    sheet = read_sheet(deployments, "deployments", DEPLOYMENTS, columns)
    places = sheet if stations is None else read_sheet(stations, "stations", STATIONS, columns)
    table, others, system = stations_of(places, crs, tuple(DEPLOYMENTS.names) if stations is None else ())
    if stations is not None:
        sheet.known("station", table["station"].tolist(), places.table.name)
        others = sheet.table.covariates([*DEPLOYMENTS.names, *OURS])
    seen, broken = read_sheet(records, "records", RECORDS, columns), failure_sheet(failures, columns)
    periods = periods.with_offset_of((sheet, SPAN), (seen, ("timestamp", "time")), (broken, SPAN))
    cameras = deployment_table(sheet, others, periods)
    rows, audit = settle_records(seen, cameras, sheet.table.name, periods)
    return Survey(
        stations=table,
        deployments=cameras,
        records=rows,
        failures=read_failures(failures, cameras, periods, columns),
        audit=audit,
        crs=system,
        tz=periods.clock.tz,
        notes=reading_notes(f"tables: {counted(len(cameras), 'deployment')}", audit, periods, places, system, seen),
    )


def deployment_table(sheet: Sheet, others: pd.DataFrame, periods: Periods, *, midnights: bool = False) -> pd.DataFrame:
    """Make the deployments of a survey.

    Parameters
    ----------
    sheet
        With station, start, end [, deployment] [, camera] [, session].
    others
        Other columns to keep, (n,).
    periods
        How dates are read.
    midnights
        Whether a column that has nothing but 00:00 holds dates.

    Returns
    -------
    pandas.DataFrame
        As :class:`leopardpop.Survey` takes it.
    """
    columns: dict[str, Any] = {"station": sheet.needed("station")}
    for name, hour in (("start", periods.start), ("end", periods.end)):
        times = read_times(sheet, name, periods.clock, periods.date_format, hour=hour, midnights=midnights)
        columns[name] = times.local
    check_order(sheet, columns["start"], columns["end"], ("start", "end"))
    for name in (name for name in ("camera", "session") if name in sheet):
        columns[name] = sheet.words(name)
    columns["deployment"] = _names(sheet, columns["station"])
    return pd.concat([pd.DataFrame(columns), others, sheet.places()], axis=1)


def _names(sheet: Sheet, station: pd.Series[Any]) -> pd.Series[Any]:
    """Names of deployments: those of the table, which must differ, or station-1, station-2 ..."""
    if "deployment" not in sheet:
        return station + "-" + (station.groupby(station).cumcount() + 1).astype(str)
    names = sheet.needed("deployment")
    twice = names.duplicated().to_numpy(bool)
    if twice.any():
        first = sheet.table.where(int((names == names[int(twice.argmax())]).to_numpy().argmax()))
        found = f"{sheet.name('deployment')} '{names[int(twice.argmax())]}' is that of {first} already"
        raise sheet.fail(twice, found, "Each deployment has a name of its own.")
    return names


def settle_records(
    sheet: Sheet, deployments: pd.DataFrame, where: str, periods: Periods, ledger: Ledger | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the records of a survey, and say what became of each row.

    Parameters
    ----------
    sheet
        Rows with timestamp (or date and time), and station or deployment.
    deployments
        The survey's.
    where
        What messages call their table.
    periods
        How dates are read.
    ledger
        Of the rows, if some are dropped already.

    Returns
    -------
    records, audit : DataFrame
    """
    sheet = with_timestamp(sheet)
    ledger = Ledger(sheet.places()) if ledger is None else ledger
    merge_same_rows(sheet, ledger, ("media", "timestamp"))
    rows = sheet.take(ledger.open)
    if "deployment" not in rows and "station" not in rows:
        has = f"{rows.table.name} has neither a column 'station' nor 'deployment'"
        raise DataError(f"{has}: columns= can say what they are called. It has {listed(rows.columns)}.")
    for name in (name for name in ("deployment", "station") if name in rows):
        _check_known(rows, name, deployments[name].tolist(), where)
    _check_agree(rows, deployments)
    times = read_times(rows, "timestamp", periods.clock, periods.date_format)
    warn_of_dates(rows, times)
    hidden = ("date", "time", "timestamp", "source", "line", *LABELS)
    kept = record_table(rows, times, [name for name in rows.columns if name not in hidden])
    settle(ledger, nobody(rows.words("individual")))
    return kept, ledger.audit()


def _check_known(rows: Sheet, name: str, known: Sequence[str], where: str) -> None:
    """Names of deployments, or else of stations, must be there; a station may be left out if the deployment is not."""
    words = rows.words(name)
    other = rows.words("station" if name == "deployment" else "deployment")
    optional = (words.isna() & other.notna()).to_numpy(bool)
    there = rows.take(~optional) if optional.any() else rows
    there.known(name, known, where)


def _check_agree(rows: Sheet, deployments: pd.DataFrame) -> None:
    """Refuse records whose deployment is at another station."""
    if "deployment" not in rows or "station" not in rows:
        return
    owner = rows.words("deployment").map(dict(zip(deployments["deployment"], deployments["station"], strict=True)))
    station = rows.words("station")
    differ = (owner.notna() & station.notna() & (owner != station)).to_numpy(bool)
    if differ.any():
        row = int(differ.argmax())
        found = f"station '{station[row]}', but its deployment '{rows.words('deployment')[row]}' is at '{owner[row]}'"
        raise rows.fail(differ, found, "Correct one of the two.")
