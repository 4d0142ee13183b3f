"""The records of a survey from tables: what each row says, and which rows are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import listed
from leopardpop.data.notices import notice
from leopardpop.data.readers.record_sheets import Sheet
from leopardpop.data.readers.record_times import Times
from leopardpop.data.selection import Ledger
from leopardpop.errors import DataError, DataWarning

__all__ = [
    "LABELS",
    "merge_same_rows",
    "record_table",
    "row_codes",
    "settle",
    "warn_of_dates",
    "with_timestamp",
]

LABELS = ("station", "deployment", "camera", "species", "individual", "sex", "life_stage", "flank")
"""Columns of records that are text."""


def row_codes(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Number the rows of a table such that rows with the same cells have the same number, (n,)."""
    code = np.zeros(len(frame), dtype=np.int64)
    for name in frame:
        cells = pd.factorize(frame[name].astype(object))[0]
        code = pd.factorize(code * (int(cells.max(initial=-1)) + 2) + cells)[0]
    return code


def merge_same_rows(sheet: Sheet, ledger: Ledger, ids: Sequence[str] = ()) -> None:
    """Merge open rows that say the same as an earlier one, in every column: the same image twice.

    Parameters
    ----------
    sheet
        The rows.
    ledger
        Theirs.
    ids
        Columns that are different in almost all rows: looked at first, to be quick.
    """
    frame = sheet.table.frame
    rows = np.flatnonzero(ledger.open)
    for name in (name for name in ids if name in sheet):
        rows = rows[frame[name].iloc[rows].duplicated(keep=False).to_numpy(bool)]
    _, first, code = np.unique(row_codes(frame.iloc[rows]), return_index=True, return_inverse=True)
    earlier = rows[first[code]] if rows.size else rows
    twice = rows != earlier
    if twice.any():
        places = sheet.places().iloc[earlier[twice]]
        where = places["source"].astype(str) + " line " + places["line"].astype(str)
        reason = np.full(len(frame), "", dtype=object)
        reason[rows[twice]] = "the same in every column as " + where.to_numpy(object)
        ledger.merge(reason != "", reason)


def with_timestamp(sheet: Sheet) -> Sheet:
    """Put date and time together if there is no column for both.

    Raises
    ------
    DataError
        If there are neither.
    """
    if "timestamp" in sheet:
        return sheet
    if "date" not in sheet or "time" not in sheet:
        have = listed(sheet.called.values())
        raise DataError(
            f"{sheet.table.name} has no column for the time of records (our name: timestamp), nor 'date' and 'time'; "
            f"those that are known are {have}. Pass columns={{'records': {{'their name': 'timestamp'}}}}."
        )
    joined = sheet.with_column("timestamp", sheet.needed("date") + " " + sheet.needed("time"))
    both = f"{sheet.name('date')} and {sheet.name('time')}"
    return replace(joined, called={**joined.called, "timestamp": both})


def record_table(sheet: Sheet, times: Times, extra: Sequence[str] = ()) -> pd.DataFrame:
    """Make the records of a survey of rows that are kept.

    Parameters
    ----------
    sheet
        Rows, with any of the columns of a survey's records.
    times
        Their times.
    extra
        Other columns that are kept.

    Returns
    -------
    pandas.DataFrame
        As :class:`leopardpop.Survey` takes it.
    """
    columns: dict[str, Any] = {"timestamp": times.local}
    for name in LABELS:
        if name in sheet:
            columns[name] = sheet.words(name)
    if "count" in sheet:
        columns["count"] = sheet.numbers("count", whole=True, least=1, blank=1)
    for name in extra:
        if name in sheet and name not in columns:
            columns[name] = sheet.words(name)
    return pd.DataFrame({**columns, **sheet.places()})


def settle(ledger: Ledger, reasons: NDArray[np.object_]) -> None:
    """Keep all open rows, with what there is to say of each."""
    every = np.full(len(ledger.records), "", dtype=object)
    every[ledger.open] = reasons
    ledger.keep(ledger.open, every)


def warn_of_dates(sheet: Sheet, times: Times) -> None:
    """Warn if records have dates only."""
    if len(times.is_date) and times.is_date.all():
        notice(
            f"{sheet.table.name}: {sheet.name('timestamp')} has no time of day, so each record is taken at 00:00. Use "
            'occasion_start="00:00" and whole days, or give times.',
            DataWarning,
        )
