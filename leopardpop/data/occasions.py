"""Time: what the cameras' clock says, and the occasions that it is cut into.

Occasions are intervals of *wall-clock* time, start included, end not. Lengths of time are exact: with a named zone an
occasion of one day lasts 23 or 25 hours when the clocks change.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.errors import DataError

__all__ = ["DAY", "Clock", "Occasions", "clock_hour", "make_occasions", "moment", "occasion_length"]

Instants = NDArray[np.int64]

DAY = 86_400_000_000_000
"""Nanoseconds in a day."""

MOST_OCCASIONS = 100_000
DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?([T ].*)?$|\d{8}$")
"""Begins with the year: the only order that nobody reads otherwise."""
FIRST_YEAR, LAST_YEAR = 1900, 2200
"""A date beyond is a slip; no camera was there."""
OFFSET = r"(?<=\d)(?:Z|[+-]\d{2}:?\d{2})$"
"""Offset from UTC at the end of a time as text."""


@dataclass(frozen=True)
class Clock:
    """The clock that a survey's times are read on.

    Parameters
    ----------
    tz
        None: the cameras' own clock, whose zone is unknown and which never changes. ``"UTC+10:00"``: a fixed offset.
        ``"Europe/Madrid"``: a named zone, with its summer time.

    Raises
    ------
    DataError
        If the zone is unknown.

    Examples
    --------
    >>> Clock("UTC+10:00").local(pd.Series(["2024-02-01 12:00"]))[0].isoformat()
    '2024-02-01T12:00:00+10:00'
    """

    tz: str | None = None

    def __post_init__(self) -> None:
        if self.tz is not None:
            zone(self.tz)

    def local(self, times: Any, on_skipped: Callable[[NDArray[np.bool_]], None] | None = None) -> pd.Series[Any]:
        """Read times as this clock's: without a zone they are its wall clock, with one they are converted.

        Parameters
        ----------
        times
            ISO 8601 text, datetimes or a Series of them, (n,); missing values stay missing.
        on_skipped
            Called with the rows (n,) whose wall-clock time does not exist in the zone, if there are any.

        Returns
        -------
        pandas.Series
            datetime64[ns], with the zone if there is one.
        """
        parsed = self._parse(pd.Series(times))
        if self.tz is None:
            plain: pd.Series[Any] = parsed.dt.tz_localize(None).astype("datetime64[ns]")
            return plain
        here = zone(self.tz)
        aware = parsed.dt.tz_convert(here) if parsed.dt.tz is not None else self._localise(parsed, on_skipped)
        exact: pd.Series[Any] = aware.dt.as_unit("ns")
        return exact

    def _parse(self, times: pd.Series[Any]) -> pd.Series[Any]:
        """Read times; text with different offsets as instants, or, if the clock has no zone, as what was shown."""
        try:
            return pd.Series(pd.to_datetime(times, format="ISO8601"))
        except ValueError:
            words = times.dropna().astype(str)
            if not len(words) or not words.str.contains(OFFSET).all():
                raise
        if self.tz is not None:
            return pd.Series(pd.to_datetime(times, format="ISO8601", utc=True))
        shown = times.where(times.isna(), times.astype(str).str.replace(OFFSET, "", regex=True))
        return pd.Series(pd.to_datetime(shown, format="ISO8601"))

    def _localise(self, wall: pd.Series[Any], on_skipped: Callable[[NDArray[np.bool_]], None] | None) -> pd.Series[Any]:
        """Wall-clock times as instants: those that the clocks skip move forward, of those that come twice the first."""
        first = np.ones(len(wall), dtype=bool)
        located: pd.Series[Any] = wall.dt.tz_localize(zone(self.tz), nonexistent="shift_forward", ambiguous=first)
        moved = ((located.dt.tz_localize(None) != wall) & wall.notna()).to_numpy(bool) if on_skipped else first[:0]
        if on_skipped and moved.any():
            on_skipped(moved)
        return located

    def instants(self, times: pd.Series[Any]) -> Instants:
        """Nanoseconds since 1970 of times from :meth:`local`, (n,): differences are exact lengths of time."""
        plain = times if times.dt.tz is None else times.dt.tz_convert("UTC").dt.tz_localize(None)
        return plain.to_numpy("datetime64[ns]").astype(np.int64)

    def wall(self, times: pd.Series[Any]) -> pd.Series[Any]:
        """Read off what the clock shows at times from :meth:`local`, without a zone."""
        shown: pd.Series[Any] = times.dt.tz_localize(None)
        return shown


def zone(tz: str | None) -> Any:
    """Zone of a name, or of a fixed offset such as ``"UTC+10:00"``."""
    offset = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", tz or "")
    if offset:
        sign, hours, minutes = offset[1], int(offset[2]), int(offset[3] or 0)
        return dt.timezone((1 if sign == "+" else -1) * dt.timedelta(hours=hours, minutes=minutes))
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(str(tz))
    except (KeyError, ValueError, OSError) as error:
        message = (
            f'tz={tz!r} is no time zone. Give a name such as "Asia/Vladivostok", or an offset such as "UTC+10:00".'
        )
        raise DataError(message, offenders=[tz]) from error


@dataclass(frozen=True)
class Occasions:
    """Occasions of one session, one after the other: S of them.

    Parameters
    ----------
    wall
        Wall-clock times of their edges, (S + 1,) datetime64[ns].
    edges
        The same as instants, (S + 1,) nanoseconds.
    """

    wall: NDArray[np.datetime64]
    edges: Instants

    def __len__(self) -> int:
        return len(self.edges) - 1

    def find(self, instants: Instants) -> NDArray[np.intp]:
        """Occasion of each instant, (n,): -1 before the first, S at or after the end of the last."""
        return np.searchsorted(self.edges, instants, side="right") - 1


def occasion_length(occasion: Any) -> pd.Timedelta:
    """Length of an occasion.

    Parameters
    ----------
    occasion
        ``"7D"``, ``"12h"``, ``"1W"``, a timedelta, or a number of days.

    Raises
    ------
    DataError
        If it is not a positive length of time.

    Examples
    --------
    >>> occasion_length("7D"), occasion_length(1)
    (Timedelta('7 days 00:00:00'), Timedelta('1 days 00:00:00'))
    """
    try:
        length = pd.Timedelta(occasion, unit="D") if isinstance(occasion, int | float) else pd.Timedelta(occasion)
    except ValueError as error:
        raise DataError(f'occasion={occasion!r} is no length of time. Write "7D", "1D" or "12h".') from error
    if not length > pd.Timedelta(0):
        raise DataError(f"occasion={occasion!r} must be longer than nothing.")
    return length.as_unit("ns")


def clock_hour(occasion_start: str) -> pd.Timedelta:
    """Time of day at which occasions begin, as the time since midnight.

    Examples
    --------
    >>> clock_hour("12:00")
    Timedelta('0 days 12:00:00')
    """
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", str(occasion_start))
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise DataError(f'occasion_start={occasion_start!r} must be a time of day such as "12:00".')
    return pd.Timedelta(hours=int(found[1]), minutes=int(found[2]))


def moment(value: Any, hour: pd.Timedelta, clock: Clock, name: str) -> pd.Timestamp:
    """Wall-clock time that a date or a time stands for: a date begins at `hour`, as the occasions do.

    Parameters
    ----------
    value
        Text, date, datetime or Timestamp; one with a zone is converted to the clock's.
    hour
        Time of day at which occasions begin.
    clock
        The survey's clock.
    name
        Name of the argument, for messages.

    Raises
    ------
    DataError
        For what is no date, or may be read in several ways ("02/03/2024").

    Examples
    --------
    >>> moment("2024-02-01", clock_hour("12:00"), Clock(), "start").isoformat()
    '2024-02-01T12:00:00'
    >>> moment("2024-02-01 00:00", clock_hour("12:00"), Clock(), "start").isoformat()
    '2024-02-01T00:00:00'
    """
    if isinstance(value, bool | int | float | np.number) or (isinstance(value, str) and not DATE.match(value.strip())):
        raise DataError(
            f'{name}={value!r} is no date, or could be several. Write "2024-02-01" or "2024-02-01 18:00".',
            offenders=[value],
        )
    try:
        time = pd.to_datetime(value.strip(), format="ISO8601") if isinstance(value, str) else pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise DataError(f'{name}={value!r} is no date. Write "2024-02-01" or "2024-02-01 18:00".') from error
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise DataError(f"{name}={value!r} is no date of a survey ({FIRST_YEAR} to {LAST_YEAR}).", offenders=[value])
    if time.tzinfo is not None:
        time = time.tz_convert(_zone_for(value, clock, name))
    time = time.tz_localize(None).as_unit("ns")
    return time + hour if _is_date(value, time) else time


def _zone_for(value: Any, clock: Clock, name: str) -> Any:
    """Zone in which a time with an offset is told; cameras on clocks of their own have none in common."""
    if clock.tz is None:
        raise DataError(
            f"{name}={value!r} has an offset, and this survey is told by the clocks of its cameras, without a zone. "
            'Leave the offset out, or give the survey its zone, tz="Asia/Vladivostok".',
            offenders=[value],
        )
    return zone(clock.tz)


def _is_date(value: Any, time: pd.Timestamp) -> bool:
    if isinstance(value, str):
        return not re.search(r"\d:\d|T\d", value)
    return time == time.normalize()


def make_occasions(
    start: pd.Timestamp, end: pd.Timestamp, length: pd.Timedelta, clock: Clock, name: str = ""
) -> Occasions:
    """Cut the time from `start` to `end` into occasions; the last is shorter if `end` comes first.

    Parameters
    ----------
    start, end
        Wall-clock times; `end` is not included.
    length
        Length of an occasion on the wall clock.
    clock
        The survey's clock.
    name
        What messages call the session.

    Raises
    ------
    DataError
        If there would be no occasion, or far too many.

    Examples
    --------
    >>> begin, end = pd.Timestamp("2024-03-30"), pd.Timestamp("2024-04-01")
    >>> made = make_occasions(begin, end, pd.Timedelta("1D"), Clock("Europe/Madrid"))
    >>> (np.diff(made.edges) / 3_600_000_000_000).tolist()
    [24.0, 23.0]
    """
    if not end > start:
        raise DataError(f"{name}end ({end}) must be after start ({start}); the end itself is not included.")
    n = int(np.ceil((end - start) / length))
    if n > MOST_OCCASIONS:
        raise DataError(f"{name}{n:,} occasions of {length} between {start} and {end} are too many. Use longer ones.")
    wall = np.append(
        (start.as_unit("ns").to_datetime64() + np.arange(n) * length.to_timedelta64()), end.to_datetime64()
    )
    wall = wall.astype("datetime64[ns]")
    edges = np.maximum.accumulate(clock.instants(clock.local(pd.Series(wall))))
    return Occasions(wall, edges)
