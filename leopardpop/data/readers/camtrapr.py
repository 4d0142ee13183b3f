"""Tables of the R package camtrapR: records, and cameras with the times when they did not work."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.column_roles import SYNONYMS, TOLD
from leopardpop.data.names import counted
from leopardpop.data.occasions import Clock
from leopardpop.data.readers.camtrapr_problems import clear_of_records
from leopardpop.data.readers.camtrapr_shifts import shift_times
from leopardpop.data.readers.record_parts import (
    PLACES,
    Periods,
    check_apart,
    check_order,
    failure_sheet,
    read_failures,
    reading_notes,
    stations_of,
)
from leopardpop.data.readers.record_rows import (
    merge_same_rows,
    record_table,
    settle,
    warn_of_dates,
    with_timestamp,
)
from leopardpop.data.readers.record_sheets import ColumnNames, Columns, Sheet, check_roles, read_sheet
from leopardpop.data.readers.record_times import Times, check_date_format, read_times, time_of_day
from leopardpop.data.selection import Ledger
from leopardpop.data.survey import Survey
from leopardpop.data.tables import TableSource
from leopardpop.data.vocabulary import nobody
from leopardpop.errors import DataError

__all__ = ["read_camtrapr"]

RECORDS = ColumnNames(
    {
        "station": ("Station",),
        "camera": ("Camera", "CameraID"),
        "species": ("Species", "metadata_Species", "speciesID", *SYNONYMS["species"]),
        "individual": ("Individual", "metadata_individual", "metadata_individualID", *SYNONYMS["individual"]),
        "timestamp": ("DateTimeOriginal", "DateTime"),
        "date": ("Date",),
        "time": ("Time",),
        "sex": ("sex", "metadata_sex", *SYNONYMS["sex"]),
        "life_stage": ("life_stage", "age", "metadata_age", "metadata_life_stage", *SYNONYMS["life_stage"]),
        "flank": ("flank", "side", "metadata_flank", "metadata_side", *SYNONYMS["flank"]),
        "count": ("count", "metadata_count", "metadata_number", "metadata_group_size", *SYNONYMS["count"]),
        "directory": ("Directory",),
        "file": ("FileName", "File"),
    },
    required=("station",),
    pattern=r"metadata.+",
    told=TOLD,
)
CAMERAS = ColumnNames(
    {
        "station": ("Station",),
        "camera": ("Camera", "CameraID"),
        "session": ("session", "season", "SessionID"),
        "start": ("Setup_date", "setup"),
        "end": ("Retrieval_date", "retrieval"),
        **PLACES,
    },
    required=("station", "start", "end"),
    rest=True,
)
PROBLEM = re.compile(r"problem(\d*)[\W_]?(from|to)", re.IGNORECASE)
ROLES = ("records", "cameras", "failures", "time_shifts")
DAY = pd.Timedelta(days=1)


def read_camtrapr(
    records: TableSource,
    cameras: TableSource,
    *,
    tz: str | None = None,
    date_format: str | None = None,
    crs: Any = None,
    columns: Columns = None,
    start_time: str = "12:00",
    end_time: str = "12:00",
    failures: TableSource | None = None,
    time_shifts: TableSource | None = None,
) -> Survey:
    """Read a record table and a camera table as the R package camtrapR has them.

    Parameters
    ----------
    records
        One row a record: Station, Species, DateTimeOriginal (or Date and Time) [, Individual] [, Camera] [, sex, age,
        side, count, also as ``metadata_...``]. Rows that are the same in every column are one record.
    cameras
        One row a camera and stretch of time: Station, Setup_date, Retrieval_date, utm_x and utm_y (m) or longitude and
        latitude (degrees) [, Camera, if a station has several] [, session or season] [, Problem1_from, Problem1_to,
        Problem2_from, ...]. Other columns are covariates of stations, or stay with the deployments where they change.
    tz
        These tables have no time zone. None: times are the cameras' own clock, which never changes to summer time;
        "UTC+08:00" or "Asia/Kuching": they are of that zone.
    date_format
        How dates are written that are not ISO 8601: "%d/%m/%Y". A time of day may follow ("14/05/2009 10:30").
    crs
        Reference system of utm_x and utm_y ("EPSG:32650"); for degrees the one to project to, None: the UTM zone.
    columns
        What the files call a column: ``{"records": {"Especie": "species"}, "cameras": {"Punto": "station"}}``.
    start_time, end_time
        Time of day of a setup and a retrieval that are dates. Noon is what camtrapR assumes since version 2.1; "00:00"
        and "24:00" count both days whole, as it did before. A problem that is given by dates lasts from the beginning
        of its first day to the end of its last one, but not beyond the deployment; where there are records on the first
        or the last day, the camera was working then: the problem begins after the last record of its first day, ends
        with the first one of its last day, and ``survey.notes`` says so.
    failures
        More times when cameras did not work: station or deployment, start, end.
    time_shifts
        The table of camtrapR's ``timeShiftImages``: Station [, camera], timeshift ("years:months:days
        hours:minutes:seconds"), sign; for records whose times were not corrected yet.

    Returns
    -------
    Survey
        Its ``audit`` has every row of `records` once; ``deployments`` keep the session.

    Raises
    ------
    DataError
        Naming file, line and value: a date in another format (with the one that fits), an end before the start, a
        station of records that has no camera, two rows of one camera at the same time.

    References
    ----------
    Niedballa, J. et al. (2016) camtrapR: an R package for efficient camera trap data management. Methods in Ecology and
    Evolution 7: 1457-1462. https://doi.org/10.1111/2041-210X.12600

    Examples
    --------
    >>> import pandas as pd
    >>> cameras = pd.DataFrame({
    ...     "Station": ["A", "B"], "utm_x": [526000, 523000], "utm_y": [604000, 606000],
    ...     "Setup_date": "02/04/2009", "Retrieval_date": "14/05/2009",
    ...     "Problem1_from": ["", "10/05/2009"], "Problem1_to": ["", "14/05/2009"],
    ... })
    >>> records = pd.DataFrame({
    ...     "Station": ["A"], "Species": ["PBE"], "Individual": ["1"], "DateTimeOriginal": ["2009-04-21 00:40:00"],
    ... })
    >>> survey = read_camtrapr(records, cameras, date_format="%d/%m/%Y")
    >>> survey.capture_history(occasion="42D").effort["effort"].tolist()
    [42.0, 37.5]
    """
    check_roles(columns, ROLES)
    check_date_format(date_format)
    start, end = time_of_day(start_time, "start_time"), time_of_day(end_time, "end_time")
    periods = Periods(Clock(tz), date_format, start, end)
    sheet = read_sheet(cameras, "cameras", CAMERAS, columns)
    problems = [name for name in sheet.columns if PROBLEM.fullmatch(name)]
    stations, others, system = stations_of(sheet, crs, [*CAMERAS.names, *problems])
    seen, broken, span = (
        read_sheet(records, "records", RECORDS, columns),
        failure_sheet(failures, columns),
        ("start", "end"),
    )
    periods = periods.with_offset_of((sheet, [*span, *problems]), (seen, ("timestamp", "time")), (broken, span))
    deployments, off = _deployments(sheet, others, periods)
    more = read_failures(failures, deployments, periods, columns)
    rows, audit = _records(seen, columns, stations["station"].tolist(), sheet.table.name, periods, time_shifts)
    off, assumed = clear_of_records(off, deployments, rows)
    return Survey(
        stations=stations,
        deployments=deployments,
        records=rows,
        failures=pd.concat([off, more], ignore_index=True) if more is not None else off,
        audit=audit,
        crs=system,
        tz=periods.clock.tz,
        notes=[
            *reading_notes(
                f"camtrapR tables: {counted(len(deployments), 'deployment')}", audit, periods, sheet, system, seen
            ),
            *assumed,
        ],
    )


def _deployments(sheet: Sheet, others: pd.DataFrame, periods: Periods) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Deployments, and the failures that the same table has."""
    station = sheet.needed("station")
    camera = sheet.needed("camera") if "camera" in sheet else pd.Series(["1"] * len(sheet), dtype=object)
    start = read_times(sheet, "start", periods.clock, periods.date_format, hour=periods.start)
    end = read_times(sheet, "end", periods.clock, periods.date_format, hour=periods.end)
    check_order(sheet, start.local, end.local, ("start", "end"))
    at = station if "camera" not in sheet else station + " " + camera
    advice = "Name the cameras in a column 'Camera', or remove one of the two rows."
    check_apart(sheet, at, start.local, end.local, advice)
    name = station + "-" + camera
    again = name.groupby(name).cumcount()
    name = name.where(again == 0, name + "-" + (again + 1).astype(str))
    table = pd.DataFrame({"deployment": name, "station": station, "camera": camera, "start": start.local})
    table["end"] = end.local
    if "session" in sheet:
        table["session"] = sheet.words("session").str.replace(r"\.0$", "", regex=True)
    return pd.concat([table, others, sheet.places()], axis=1), _problems(sheet, table, periods)


def _problems(sheet: Sheet, deployments: pd.DataFrame, periods: Periods) -> pd.DataFrame:
    """Failures of the columns ProblemN_from and ProblemN_to."""
    pairs: dict[int, dict[str, str]] = {}
    for name in sheet.columns:
        if match := PROBLEM.fullmatch(name):
            pairs.setdefault(int(match[1] or 0), {})[match[2].lower()] = name
    found = [_problem(sheet, deployments, periods, number, names) for number, names in sorted(pairs.items())]
    empty = pd.DataFrame({"deployment": [], "start": [], "end": []})
    return pd.concat(found, ignore_index=True) if found else empty


def _problem(
    sheet: Sheet, deployments: pd.DataFrame, periods: Periods, number: int, names: dict[str, str]
) -> pd.DataFrame:
    for word in ("from", "to"):
        if word not in names:
            missing = f"Problem{number or ''}_{word}"
            raise DataError(f"{sheet.table.name} has '{next(iter(names.values()))}' but no '{missing}'.")
    first = read_times(sheet, names["from"], periods.clock, periods.date_format, blank=True)
    last = read_times(sheet, names["to"], periods.clock, periods.date_format, hour=DAY, blank=True)
    for one, other, name in ((first, last, names["to"]), (last, first, names["from"])):
        lone = (one.local.notna() & other.local.isna()).to_numpy(bool)
        if lone.any():
            raise sheet.fail(lone, f"{name} is missing", "A problem needs its first and its last day.")
    check_order(sheet, first.local, last.local, (names["from"], names["to"]))
    start = _within(sheet, first, deployments, names["from"])
    end = _within(sheet, last, deployments, names["to"])
    there = (first.local.notna() & (end > start)).to_numpy(bool)
    table = pd.DataFrame({"deployment": deployments["deployment"], "start": start, "end": end})
    table["first_day"] = first.local.where(first.is_date)
    table["last_day"] = (last.local - DAY).where(last.is_date)
    return pd.concat([table, sheet.places()], axis=1)[there]


def _within(sheet: Sheet, times: Times, deployments: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Cut problems to their deployment; those of another day lie outside it, which is an error."""
    local, start, end = times.local, deployments["start"], deployments["end"]
    spare = pd.to_timedelta(np.where(times.is_date, DAY.value, 0))
    outside: NDArray[np.bool_] = ((local < start - spare) | (local > end + spare)).to_numpy(bool)
    if outside.any():
        row = int(outside.argmax())
        value = sheet.table.frame[name].iloc[row]
        found = f"{name} is '{value}', but the camera was there from {start[row]:%Y-%m-%d} to {end[row]:%Y-%m-%d}"
        raise sheet.fail(outside, found, "Correct the problem, the setup or the retrieval.")
    return local.where(local.isna() | (local > start), start).where(local.isna() | (local < end), end)


def _records(
    seen: Sheet,
    columns: Columns,
    stations: list[str],
    where: str,
    periods: Periods,
    shifts: TableSource | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Records, and what became of each row of their table."""
    sheet = with_timestamp(seen)
    ledger = Ledger(sheet.places())
    merge_same_rows(sheet, ledger, ("file", "timestamp"))
    rows = sheet.take(ledger.open)
    rows.known("station", stations, where)
    times = read_times(rows, "timestamp", periods.clock, periods.date_format)
    warn_of_dates(rows, times)
    reasons = nobody(rows.words("individual"))
    if shifts is not None:
        times, moved = shift_times(rows, times, shifts, columns, periods.clock)
        reasons = np.where(reasons == "", moved, np.where(moved == "", reasons, reasons + "; " + moved))
    extra = [name for name in rows.columns if name not in ("date", "time", "directory")]
    kept = record_table(rows, times, extra)
    settle(ledger, reasons)
    return kept, ledger.audit()
