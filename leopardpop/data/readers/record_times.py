"""Times as tables write them: ISO 8601, or in a format that the user names; if neither fits, one that would."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.occasions import Clock
from leopardpop.data.offsets import ADVICE, offsets, say_skipped
from leopardpop.data.readers.record_sheets import Sheet, is_missing
from leopardpop.data.tables import label
from leopardpop.errors import DataError

__all__ = ["Times", "check_date_format", "fitting_formats", "read_times", "time_of_day"]

DATES = (
    *("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%Y:%m:%d", "%Y%m%d", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y", "%d %b %Y", "%d-%b-%Y"),
    *("%d-%b-%y", "%b %d %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y"),
)
CLOCKS = (" %H:%M:%S", " %H:%M", "", "T%H:%M:%S", " %H:%M:%S.%f")
HALF_DAYS = (" %I:%M:%S %p", " %I:%M %p")
ZONE = re.compile(r"(?<=:\d\d)(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)$")
NO_DAY = "The calendar has no such day. Correct it."
YEARS = 1900, 2199
"""Years that a clock can show; pandas has no nanoseconds far beyond them."""


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times."""

    local: pd.Series[Any]
    """On the survey's clock, NaT where missing."""
    is_date: NDArray[np.bool_]
    """Which have no time of day."""


def time_of_day(value: str, name: str) -> pd.Timedelta:
    """Read a time of day, from "00:00" to "24:00" (the end of the day).

    Examples
    --------
    >>> time_of_day("12:00", "start_time")
    Timedelta('0 days 12:00:00')
    """
    match = re.fullmatch(r"(\d{1,2}):(\d\d)", str(value))
    minutes = 60 * int(match[1]) + int(match[2]) if match and int(match[2]) < 60 else -1
    if not 0 <= minutes <= 1440:
        raise DataError(f'{name}={value!r} is no time of day. Write "00:00" to "24:00".', offenders=[value])
    return pd.Timedelta(minutes=minutes)


def check_date_format(date_format: str | None) -> None:
    """Refuse formats that mean nothing, or that read a zone: tz= says which clock it is."""
    if date_format is None:
        return
    if "%" not in str(date_format):
        raise DataError(f'date_format={date_format!r} is no format. Write for example "%d/%m/%Y" for 31/12/2024.')
    if "%z" in date_format or "%Z" in date_format:
        raise DataError(f"date_format={date_format!r} reads a time zone. Leave it out; tz= says which clock it is.")
    try:
        pd.to_datetime(["x"], format=date_format, errors="coerce")
    except (ValueError, TypeError, re.error) as error:
        raise DataError(f"date_format={date_format!r} is no format: {error}.", offenders=[date_format]) from error


def read_times(
    sheet: Sheet,
    column: str,
    clock: Clock,
    date_format: str | None = None,
    *,
    hour: pd.Timedelta | None = None,
    blank: bool = False,
    midnights: bool = False,
) -> Times:
    """Read the times of a column on the survey's clock.

    Parameters
    ----------
    sheet, column
        Where they are.
    clock
        The survey's: what a time without a zone is read on, and what one with a zone is converted to. The cameras' own
        clock (``tz=None``) takes what is shown and leaves the zone out.
    date_format
        As in :meth:`datetime.datetime.strptime`; a time of day may follow it. None: ISO 8601 only.
    hour
        Time of day that a date stands for; None: 00:00.
    blank
        Whether times may be missing.
    midnights
        Whether a column that has nothing but 00:00 holds dates.

    Returns
    -------
    Times

    Raises
    ------
    DataError
        With the value, its file and line, and a format that fits all of them if there is one.
    """
    values = sheet.table.frame[column]
    if isinstance(values.dtype, (pd.DatetimeTZDtype, np.dtype)) and values.dtype.kind == "M":
        parsed, missing = values, values.isna().to_numpy(bool)
        is_date = np.full(len(values), bool((parsed.dropna() == parsed.dropna().dt.normalize()).all()))
        words: list[str] = []
    else:
        words = [label(value) for value in values.tolist()]
        missing = is_missing(words)
        parsed = _parsed(sheet, column, words, missing, clock, date_format)
        is_date = np.fromiter((":" not in word for word in words), dtype=bool, count=len(words))
    if missing.any() and not blank:
        raise sheet.fail(missing, f"{sheet.name(column)} is missing", "Fill it in, or remove the row.")
    if clock.tz is None:
        _refuse_offsets(sheet, column, values)
    is_date &= ~missing
    if parsed.dt.tz is None:
        midnight = (parsed == parsed.dt.normalize()).to_numpy(bool)
        is_date = ~missing if midnights and midnight[~missing].all() else is_date & midnight
        parsed = parsed + pd.to_timedelta(np.where(is_date, (hour or pd.Timedelta(0)).value, 0))
    return Times(clock.local(parsed, lambda rows: _say_skipped(sheet, column, rows, clock)), is_date)


def _say_skipped(sheet: Sheet, column: str, rows: NDArray[np.bool_], clock: Clock) -> None:
    row = int(rows.argmax())
    value = label(sheet.table.frame[column].iloc[row])
    say_skipped(f"{sheet.table.where(row)}: {sheet.name(column)} is '{value}'", int(rows.sum()), clock.tz)


def _refuse_offsets(sheet: Sheet, column: str, values: pd.Series[Any]) -> None:
    """Refuse times with an offset where the survey has no zone: read off the clock they could be hours off others."""
    carried = pd.notna(offsets(values))
    if carried.any():
        found = f"{sheet.name(column)} is '{values.iloc[int(carried.argmax())]}': it carries an offset from UTC, and "
        raise sheet.fail(carried, f"{found}without tz= times are what the camera's clock showed", ADVICE)


def _parsed(
    sheet: Sheet, column: str, words: Sequence[str], missing: NDArray[np.bool_], clock: Clock, date_format: str | None
) -> pd.Series[Any]:
    there = np.flatnonzero(~missing)
    given = [word for word, none in zip(words, missing.tolist(), strict=True) if not none]
    result = _either(given, clock, date_format)
    if result is None:
        raise _misfit(sheet, column, there, given, date_format)
    years = result.dt.year
    wrong = ((years < YEARS[0]) | (years > YEARS[1])).to_numpy(bool)
    if wrong.any():
        found = f"{sheet.name(column)} is '{given[int(wrong.argmax())]}'"
        raise sheet.fail(there[wrong], found, f"A year from {YEARS[0]} to {YEARS[1]} is needed.")
    return result.set_axis(there).reindex(range(len(words))) if missing.any() else result


def _either(words: Sequence[str], clock: Clock, date_format: str | None) -> pd.Series[Any] | None:
    """Read the format that the user named, or else ISO 8601, where year, month and day cannot be mistaken."""
    if date_format is None:
        return _iso(words, clock)
    result = _in_format(words, date_format)
    if not result.isna().any():
        return result
    return None if date_format.startswith("%Y") else _iso(words, clock)


def _iso(words: Sequence[str], clock: Clock) -> pd.Series[Any] | None:
    """Read ISO 8601, with or without zones; None if something else is there."""
    if not all(word[:4].isdecimal() and word[4:5] == "-" for word in words):
        return None
    series = pd.Series(words, dtype=object)
    try:
        return pd.Series(pd.to_datetime(series, format="ISO8601"))
    except ValueError:
        return _zoned(series, clock)


def _zoned(series: pd.Series[Any], clock: Clock) -> pd.Series[Any] | None:
    """Read times of several zones: what the clocks showed, or the instants if the survey has a zone."""
    zoned = np.array([ZONE.search(word) is not None for word in series], dtype=bool)
    if not zoned.all():
        return None
    if clock.tz is None:
        series = pd.Series([ZONE.sub(r"\1", word) for word in series], dtype=object)
    try:
        return pd.Series(pd.to_datetime(series, format="ISO8601", utc=clock.tz is not None))
    except ValueError:
        return None


def _in_format(words: Sequence[str], date_format: str) -> pd.Series[Any]:
    """Read a format, with or without a time of day after it; NaT where it does not fit."""
    has_clock = any(mark in date_format for mark in ("%H", "%I", "%X", "%c", "%T"))
    result = pd.Series(pd.NaT, index=range(len(words)), dtype="datetime64[us]")
    series = pd.Series(words, dtype=object)
    numbers = np.fromiter((any(c.isdecimal() for c in word) for word in words), dtype=bool, count=len(words))
    for clock in ("",) if has_clock else CLOCKS:
        todo = np.flatnonzero(result.isna() & numbers)  # pandas reads "now" and "today" in every format
        if todo.size and (found := _one_format(series.iloc[todo], date_format + clock)) is not None:
            result.iloc[todo] = found.to_numpy("datetime64[us]")
    return result


def _one_format(series: pd.Series[Any], date_format: str) -> pd.Series[Any] | None:
    """Read one format, NaT where it does not fit; None if it does not fit the first few."""
    if len(series) > 1000 and pd.to_datetime(series.iloc[:100], format=date_format, errors="coerce").isna().all():
        return None
    return pd.Series(pd.to_datetime(series, format=date_format, errors="coerce"))


def fitting_formats(words: Sequence[str]) -> list[str]:
    """Return formats that fit all of some words: what `date_format` should be; none if they are ISO 8601.

    Examples
    --------
    >>> fitting_formats(["14/05/2009", "02/04/2009"]), fitting_formats(["2009-05-14"])
    (['%d/%m/%Y'], [])
    """
    return [] if _iso(words, Clock()) is not None else _fits(words)


def _fits(words: Sequence[str]) -> list[str]:
    """Formats that fit all of some words."""
    some = list(dict.fromkeys(words))[:500]
    dates = [date for date in DATES if some and _in_format(some, date).notna().all()]
    halves = [
        date + half for date in DATES for half in HALF_DAYS if some and _in_format(some, date + half).notna().all()
    ]
    return [each for each in (*dates, *halves) if _in_format(words, each).notna().all()]


def _misfit(
    sheet: Sheet, column: str, there: NDArray[np.intp], words: Sequence[str], date_format: str | None
) -> DataError:
    """Say which value does not fit, and what would."""
    fits = _fits(words)
    tried = [_in_format(words, each).isna().to_numpy(bool) for each in (date_format, "%Y-%m-%d") if each is not None]
    bad = next((each for each in (np.logical_and.reduce(tried), *tried) if each.any()), np.ones(len(words), dtype=bool))
    first = words[int(bad.argmax())]
    what = f"{sheet.name(column)} is '{first}'"
    wanted = (
        "not written as 2024-02-01 18:30:00"
        if date_format is None
        else f"which date_format={date_format!r} does not fit"
    )
    advice = NO_DAY if not fits and _no_day(first, date_format) else _advice(fits, words)
    return sheet.fail(there[bad], f"{what}, {wanted}", advice)


def _no_day(word: str, date_format: str | None) -> bool:
    """Whether a date is written as it should be, but the calendar does not have it: 31.02.2024."""
    date, shape = (re.split(r"[ T]", each)[0] for each in (word, date_format or "%Y-%m-%d"))
    turned = shape.replace("%d", "%D").replace("%m", "%d").replace("%D", "%m")
    written_so = re.sub(r"\d+", "1", date) == re.sub(r"%[dmyY]", "1", shape)
    return written_so and all(_in_format([date], each).isna().all() for each in (shape, turned))


def _advice(fits: Sequence[str], words: Sequence[str]) -> str:
    if not fits:
        return 'Write times as "2024-02-01 18:30:00", all with a zone or all without, or pass date_format=.'
    if len(fits) == 1:
        return f"Pass date_format={fits[0]!r}, which fits all of them."
    days = [(each, _in_format(words[:1], each)[0]) for each in fits[:3]]
    choice = " or ".join(f"{each!r} ({day.day} {day:%B %Y})" for each, day in days)
    return f"Several formats fit all of them, and only you know which is right: pass date_format={choice}."
