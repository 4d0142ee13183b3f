"""Offsets from UTC that times carry, where a survey has no zone: they must be those of the cameras."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import MISSING_WORDS
from leopardpop.data.names import counted
from leopardpop.data.notices import notice
from leopardpop.data.tables import Table
from leopardpop.errors import DataWarning

__all__ = ["ADVICE", "check_offsets", "offsets", "say_skipped", "shared_offset"]

OFFSET = re.compile(r"(?<=\d)\s*(?:(Z)|([+-]\d{2}):?(\d{2})?)$")
ADVICE = 'Pass tz="UTC+10:00" or tz="Asia/Vladivostok", for example: times with an offset are then converted to it.'


def offsets(column: pd.Series[Any]) -> NDArray[np.object_]:
    """Offset of each time, such as "+10:00"; None where it has none, (n,).

    Examples
    --------
    >>> offsets(pd.Series(["2024-02-01T12:00:00Z", "2024-02-01 12:00+1000", "2024-02-01"])).tolist()
    ['+00:00', '+10:00', None]
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        words = column.dt.strftime("%z").to_numpy(object)
    elif column.dtype.kind == "M":
        return np.full(len(column), None, dtype=object)
    else:
        words = np.array([str(value)[-7:] if _has_clock(str(value)) else "" for value in column.tolist()], dtype=object)
    codes, tails = pd.factorize(words)
    known = np.array([*(_offset(str(tail)) for tail in tails), None], dtype=object)
    found: NDArray[np.object_] = known[codes]
    return found


def shared_offset(columns: Iterable[pd.Series[Any]]) -> str | None:
    """Zone of the one offset that all times of a survey carry, such as "UTC+10:00"; None if they do not.

    Examples
    --------
    >>> shared_offset([pd.Series(["2024-02-01T12:00+10:00", None]), pd.Series(["2024-02-03T06:30+10:00"])])
    'UTC+10:00'
    >>> shared_offset([pd.Series(["2024-02-01T12:00+10:00"]), pd.Series(["2024-02-02"])]) is None
    True
    """
    found: set[str | None] = set()
    for column in columns:
        missing = [str(value).strip() in MISSING_WORDS for value in column.tolist()]
        there = column[~(column.isna().to_numpy(bool) | np.array(missing, dtype=bool))]
        found |= set(offsets(there).tolist())
        if len(found) > 1 or None in found:
            return None
    return f"UTC{found.pop()}" if found else None


def _has_clock(word: str) -> bool:
    return ":" in word[:-3] or word.endswith("Z")


def _offset(tail: str) -> str | None:
    found = OFFSET.search(f"0{tail}")
    if found is None:
        return None
    return "+00:00" if found[1] else f"{found[2]}:{found[3] or '00'}"


def check_offsets(
    table: Table,
    name: str,
    records: pd.DataFrame,
    deployments: pd.DataFrame,
    of_deployments: dict[str, str | None],
) -> None:
    """Refuse times at another offset than their cameras: read off the clock, they would be hours away from them.

    Parameters
    ----------
    table
        Records, or failures, as they were given.
    name
        Column of times.
    records
        The same with station and deployment.
    deployments
        With deployment and station.
    of_deployments
        Offset at the start of each deployment; None where it has none.
    """
    given = offsets(table.frame[name])
    if all(offset is None for offset in given):
        return
    by_station = deployments["deployment"].map(of_deployments).groupby(deployments["station"]).agg(_one_of)
    owner = records["deployment"].map(of_deployments)
    expected = owner.where(records["deployment"].notna(), records["station"].map(by_station)).to_numpy(object)
    known = pd.notna(given)
    bad = known & (given != np.where(pd.isna(expected), "", expected))
    if bad.any():
        row = int(bad.argmax())
        camera = "has none" if pd.isna(expected[row]) else f"is at {expected[row]}"
        found = f"{name} {table.frame[name][row]} is at {given[row]} from UTC, its camera {camera}"
        raise table.fail(bad, found, ADVICE)


def _one_of(values: pd.Series[Any]) -> Any:
    """Offset that all deployments of a station share, None if they differ."""
    return values.iloc[0] if values.nunique(dropna=False) == 1 else None


def say_skipped(where: str, n: int, tz: str | None) -> None:
    """Warn of times that the clocks of a zone skip, as summer time begins.

    Parameters
    ----------
    where
        The place and words of the first.
    n
        How many there are.
    tz
        The zone.
    """
    notice(
        f"{where}, a time that the clocks of {tz} skip as summer time begins ({counted(n, 'such time')}): the end of "
        'that hour is taken. Were the cameras\' clocks not changed? Then give their fixed zone: tz="UTC+01:00", say.',
        DataWarning,
    )
