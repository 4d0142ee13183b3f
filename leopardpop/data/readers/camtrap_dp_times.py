"""Times of a Camtrap DP: instants, and the offset that each was written with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.occasions import Clock
from leopardpop.data.offsets import say_skipped
from leopardpop.data.survey_tables import text
from leopardpop.data.tables import Table

__all__ = ["CameraClocks", "Stamps", "offset_words", "read_stamps"]

MINUTE = 60_000_000_000
OFFSET = re.compile(r"(?:Z|([+-])(\d\d):?(\d\d)|(?<=:\d\d)([+-])(\d\d))$", re.IGNORECASE)
MOST_OFFSET = 18 * 60
FIRST, LAST = pd.Timestamp("1678-01-01", tz="UTC"), pd.Timestamp("2262-01-01", tz="UTC")
"""What nanoseconds can count."""
FORM = 'Times are written "2024-02-01T18:30:00+10:00".'


@dataclass(frozen=True)
class Stamps:
    """Times as they are written, each (n,)."""

    instants: NDArray[np.int64]
    """Nanoseconds since 1970; of a time without an offset those of its wall clock."""
    offset: NDArray[np.float64]
    """Minutes east of Greenwich; NaN if there is none."""
    missing: NDArray[np.bool_]
    """Whether nothing is written."""


def read_stamps(table: Table, column: str, *, missing: bool = False) -> Stamps:
    """Read a column of times.

    Parameters
    ----------
    table
        Text as the file has it.
    column
        Its name.
    missing
        Whether a time may be missing.

    Raises
    ------
    DataError
        If one is no time, naming its line.
    """
    codes, values = pd.factorize(text(table.frame[column]))
    parsed = pd.Series(pd.to_datetime(pd.Series(values, dtype=object), format="ISO8601", utc=True, errors="coerce"))
    offset = _offsets(pd.Series(values, dtype=object))
    bad = (parsed.isna() | (parsed < FIRST) | (parsed > LAST)).to_numpy(bool) | (np.abs(offset) > MOST_OFFSET)
    _refuse(table, column, codes, np.append(bad, not missing), [*values, ""])
    nanoseconds = parsed.where(~bad, FIRST).dt.tz_localize(None).to_numpy("datetime64[ns]").astype(np.int64)
    return Stamps(np.append(nanoseconds, 0)[codes], np.append(offset, np.nan)[codes], codes < 0)


def _refuse(table: Table, column: str, codes: NDArray[np.intp], bad: NDArray[np.bool_], values: list[str]) -> None:
    rows = bad[codes]
    if rows.any():
        value = values[codes[int(rows.argmax())]]
        found = f"{column} is '{value}', which is no time" if value else f"{column} is missing"
        raise table.fail(rows, found, FORM if value else "Fill it in.")


def _offsets(values: pd.Series[Any]) -> NDArray[np.float64]:
    """Minutes that times are east of Greenwich, NaN without an offset: their last characters are few."""
    codes, ends = pd.factorize(values.str[-9:])
    return np.array([*(_minutes(end) for end in ends), np.nan])[codes]


def _minutes(end: str) -> float:
    found = OFFSET.search(end)
    if not found:
        return np.nan
    sign, hours, minutes = found[1] or found[4], found[2] or found[5], found[3]
    return (-1 if sign == "-" else 1) * (60 * int(hours or 0) + int(minutes or 0))


def offset_words(offset: NDArray[np.float64]) -> NDArray[np.object_]:
    """Write offsets as ISO 8601 does, None where there is none, (n,).

    Examples
    --------
    >>> offset_words(np.array([600.0, -210.0, np.nan])).tolist()
    ['+10:00', '-03:30', None]
    """
    codes, values = pd.factorize(offset)
    words = [
        f"{'-' if minutes < 0 else '+'}{abs(int(minutes)) // 60:02d}:{abs(int(minutes)) % 60:02d}" for minutes in values
    ]
    return np.array([*words, None], dtype=object)[codes]


@dataclass(frozen=True)
class CameraClocks:
    """The clocks of the deployments, and the zone that times of the survey are in.

    Parameters
    ----------
    tz
        Zone of the survey; None: each camera's own clock.
    offset
        Minutes east of Greenwich of each deployment's clock, (d,); not used if the survey has a zone.
    unknown
        Whether these offsets mean nothing.
    """

    tz: str | None
    offset: NDArray[np.float64]
    unknown: bool = False

    @classmethod
    def of(cls, table: Table, start: Stamps, tz: str | None, *, own_clock: str | None = None) -> CameraClocks:
        """Take the clock of each deployment to be that of its start.

        Raises
        ------
        DataError
            If a start has no offset and no zone is given.
        """
        refuse_naive(table, "deploymentStart", start, tz)
        offsets = np.unique(start.offset[~np.isnan(start.offset)])
        if tz is None and len(offsets) == 1 and own_clock is None:
            tz = f"UTC{offset_words(offsets)[0]}"
        return cls(tz, start.offset, own_clock == "unknown")

    def times(self, stamps: Stamps, deployment: NDArray[np.intp]) -> pd.Series[Any]:
        """Times on the survey's clock.

        Parameters
        ----------
        stamps
            Times as they are written, (n,).
        deployment
            Position of the deployment of each, (n,).

        Returns
        -------
        pandas.Series
            (n,): in the survey's zone if it has one, else what the camera's own clock showed; NaT where missing.
        """
        naive = np.isnan(stamps.offset) | self.unknown
        instants = stamps.instants.copy()
        if self.tz is None:
            instants += np.where(naive, 0, self.offset[deployment]).astype(np.int64) * MINUTE
        elif naive.any():
            clock = Clock(self.tz)
            wall = pd.Series(instants[naive].view("datetime64[ns]"))
            instants[naive] = clock.instants(clock.local(wall, lambda rows: _say_skipped(wall, rows, clock)))
        result = pd.Series(instants.view("datetime64[ns]")).where(~stamps.missing)
        return result if self.tz is None else Clock(self.tz).local(result.dt.tz_localize("UTC"))


def _say_skipped(wall: pd.Series[Any], rows: NDArray[np.bool_], clock: Clock) -> None:
    first = wall.iloc[int(rows.argmax())]
    say_skipped(f"the package has {first:%Y-%m-%dT%H:%M:%S}", int(rows.sum()), clock.tz)


def refuse_naive(table: Table, column: str, stamps: Stamps, tz: str | None) -> None:
    """Refuse times without an offset, if no zone is given.

    Raises
    ------
    DataError
        Naming the first line.
    """
    naive = np.isnan(stamps.offset) & ~stamps.missing
    if tz is None and naive.any():
        value = str(table.frame[column].iloc[int(naive.argmax())]).strip()
        advice = (
            'Say which clock it is: tz="Asia/Vladivostok" for a place, tz="UTC+10:00" for a clock that never changes.'
        )
        raise table.fail(naive, f"{column} is '{value}', without an offset from UTC", advice)
