"""Corrections of cameras' clocks, as camtrapR writes them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.occasions import Clock
from leopardpop.data.readers.record_sheets import ColumnNames, Columns, Sheet, read_sheet
from leopardpop.data.readers.record_times import Times
from leopardpop.data.tables import TableSource

__all__ = ["shift_times"]

SHIFTS = ColumnNames(
    {"station": ("Station",), "camera": ("camera",), "shift": ("timeshift", "time_shift"), "sign": ("sign",)},
    required=("station", "shift", "sign"),
)
SHIFT = re.compile(r"(\d{1,4}):(\d{1,4}):(\d{1,5})\s+(\d{1,5}):(\d{1,5}):(\d{1,5})")


def shift_times(
    records: Sheet, times: Times, source: TableSource, columns: Columns, clock: Clock
) -> tuple[Times, NDArray[np.object_]]:
    """Correct the times of records.

    Parameters
    ----------
    records
        With station [, camera].
    times
        Theirs.
    source
        Station [, camera], timeshift ("years:months:days hours:minutes:seconds"), sign ("+" or "-"). Years and months
        are those of the calendar: a year before 29 February 2012 is 28 February 2011.
    columns
        The user's map of column names.
    clock
        The survey's clock.

    Returns
    -------
    Times
        Corrected.
    (n,) array of str
        What was done to each.
    """
    sheet = read_sheet(source, "time_shifts", SHIFTS, columns)
    stations = records.words("station")
    sheet.known("station", stations.unique().tolist(), records.table.name)
    station, camera = sheet.words("station"), sheet.words("camera")
    wall = clock.wall(times.local)
    reasons = np.full(len(records), "", dtype=object)
    for row in range(len(sheet)):
        here = (stations == station[row]).to_numpy(bool)
        if camera[row] is not None:
            here = here & (records.words("camera") == camera[row]).to_numpy(bool)
        if not here.any():
            found = f"there is no record of camera '{camera[row]}' at '{station[row]}' in {records.table.name}"
            raise sheet.fail(np.array([row]), found, "Correct the name, or remove the row.")
        again = here & (reasons != "")
        if again.any():
            found = f"the clock of '{station[row]}' is corrected by an earlier row already"
            raise sheet.fail(np.array([row]), found, "Each station, or each of its cameras, has one row.")
        wall[here] = _shifted(sheet, row, wall[here])
        reasons[here] = f"time corrected by {sheet.words('sign')[row]}{sheet.words('shift')[row]}"
    return replace(times, local=clock.local(wall)), reasons


def _shifted(sheet: Sheet, row: int, wall: pd.Series[Any]) -> pd.Series[Any]:
    shift, sign = sheet.words("shift")[row], sheet.words("sign")[row]
    match = SHIFT.fullmatch(shift or "")
    if match is None or sign not in ("+", "-"):
        found = f"the correction is '{sign or ''}' '{shift or ''}'"
        advice = 'Write a sign, "+" or "-", and "years:months:days hours:minutes:seconds", such as "0:0:0 12:0:0".'
        raise sheet.fail(np.array([row]), found, advice)
    years, months, days, hours, minutes, seconds = (int(part) for part in match.groups())
    offset = pd.DateOffset(years=years, months=months)
    rest = pd.Timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    try:
        return wall + offset + rest if sign == "+" else wall - offset - rest
    except (ValueError, OverflowError) as error:
        raise sheet.fail(np.array([row]), f"'{sign}{shift}' leads out of the calendar", "Correct it.") from error
