"""Sessions and seasons by a rule: a year, a quarter, or what a function of the day says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from leopardpop.data.tables import label
from leopardpop.errors import DataError

__all__ = ["CALENDAR", "split_by_rule"]

CALENDAR: Mapping[str, Callable[[pd.Timestamp], str]] = MappingProxyType(
    {
        "year": lambda day: f"{day.year}",
        "quarter": lambda day: f"{day.year}Q{day.quarter}",
        "month": lambda day: f"{day.year}-{day.month:02d}",
    }
)
"""Rules by name: the label of a day."""

MOST_DAYS = 100_000


def split_by_rule(
    rule: Callable[[pd.Timestamp], Any], start: pd.Timestamp, end: pd.Timestamp, hour: pd.Timedelta, word: str
) -> dict[str, tuple[pd.Timestamp, pd.Timestamp]]:
    """Divide time into stretches of days that a rule gives the same label.

    Parameters
    ----------
    rule
        Takes a day (midnight of its date) and returns a label, or None: in no session.
    start, end
        Wall-clock times; `end` is not included.
    hour
        Time of day at which days begin.
    word
        "session" or "season", for messages.

    Returns
    -------
    dict
        Label -> (start, end), in order of time.

    Raises
    ------
    DataError
        If there are too many days, no day has a label, or the days of a label do not follow each other.

    Examples
    --------
    >>> days = pd.Timestamp("2023-12-30"), pd.Timestamp("2024-01-03")
    >>> split = split_by_rule(CALENDAR["year"], *days, pd.Timedelta(0), "session")
    >>> {name: str(last - first) for name, (first, last) in split.items()}
    {'2023': '2 days 00:00:00', '2024': '2 days 00:00:00'}
    """
    days = _days(start, end, hour, word)
    labels = [_label(rule(day), day, word) for day in days]
    first = [i for i, name in enumerate(labels) if i == 0 or name != labels[i - 1]]
    stretches: dict[str, tuple[pd.Timestamp, pd.Timestamp]] = {}
    for i, after in zip(first, [*first[1:], len(days)], strict=True):
        name = labels[i]
        if name is None:
            continue
        if name in stretches:
            raise DataError(
                f"{word} '{name}' would have a gap: it ends {stretches[name][1]:%Y-%m-%d} and begins again "
                f"{days[i]:%Y-%m-%d}. Give each stretch of time a label of its own.",
                offenders=[name],
            )
        stretches[name] = max(start, days[i] + hour), end if after == len(days) else days[after] + hour
    if not stretches:
        raise DataError(f"{word}s=: the rule gives no day from {start:%Y-%m-%d} to {end:%Y-%m-%d} a label.")
    return stretches


def _days(start: pd.Timestamp, end: pd.Timestamp, hour: pd.Timedelta, word: str) -> pd.DatetimeIndex:
    """Dates of the days from start to end, each at midnight."""
    if not end > start:
        raise DataError(f"end ({end}) must be after start ({start}); the end itself is not included.")
    first = (start - hour).normalize()
    n = int(np.ceil((end - hour - first) / pd.Timedelta("1D")))
    if n > MOST_DAYS:
        raise DataError(f"{n:,} days between {start} and {end} are too many for {word}s by a rule. Give start=, end=.")
    return pd.date_range(first, periods=n, freq="D")


def _label(value: Any, day: pd.Timestamp, word: str) -> str | None:
    """Label that a rule returned, as text; None: the day is in no session."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if not isinstance(value, str | int | float | np.integer):
        found = f"{type(value).__name__} for {day:%Y-%m-%d}"
        raise DataError(f"{word}s=: the rule must return a label or None, not {found}.")
    return label(value) or None
