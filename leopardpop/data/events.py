"""Independent events out of records that are close in time: n log n, without a loop over records."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.occasions import Instants, occasion_length
from leopardpop.errors import DataError

__all__ = [
    "RULES",
    "check_rule",
    "event_numbers",
    "first_of_each",
    "independence_interval",
    "independent_events",
    "merged_reason",
]

NONE = re.compile(r"0+(\.0+)?\s*[A-Za-z]*")
"""No time at all, in whatever unit."""
RULES = ("last_record", "last_independent")
"""Since when the interval of independence is counted: the record before, or the first record of the event before."""


def independence_interval(independence: Any) -> int:
    """Interval of independence in nanoseconds; None, 0 or "0min" makes every record an event of its own.

    Examples
    --------
    >>> independence_interval("30min") / 60e9, independence_interval("0min")
    (30.0, 0)
    """
    if independence is None or (isinstance(independence, int | float) and independence == 0):
        return 0
    if isinstance(independence, str) and NONE.fullmatch(independence.strip()):
        return 0
    if isinstance(independence, dt.timedelta) and not independence:
        return 0
    if isinstance(independence, bool | int | float | np.number) or str(independence).strip().isdecimal():
        raise DataError(f'independence={independence!r}: of what? Write "{independence}min", for example.')
    try:
        return occasion_length(independence).value
    except DataError as error:
        raise DataError(f'independence={independence!r} is no length of time. Write "30min" or "1h".') from error


def check_rule(rule: str) -> str:
    """Return a rule of independence.

    Raises
    ------
    DataError
        If it is none of :data:`RULES`.
    """
    if rule not in RULES:
        raise DataError(f"rule={rule!r} must be one of {listed(RULES)}.{did_you_mean(str(rule), RULES)}")
    return rule


def merged_reason(independence: Any, rule: str) -> str:
    """Say in the audit why a record was merged with an earlier one."""
    before = "the record before" if rule == "last_record" else "the first record of the event"
    return f"within {independence} of {before}"


def independent_events(
    groups: Sequence[NDArray[Any]], instants: Instants, interval: int, rule: str = "last_record"
) -> NDArray[np.bool_]:
    """Which records begin an independent event.

    By the rule "last_record", a record belongs to the event of the record before it (same groups) if less than
    `interval` has passed since that record; so a leopard that rests in front of a camera all day is one event. By
    "last_independent", if less than `interval` has passed since the *first* record of the event; so the leopard that
    rests is an event each `interval`.

    Parameters
    ----------
    groups
        What must agree, each (n,): animal, station.
    instants
        Nanoseconds, (n,).
    interval
        Nanoseconds.
    rule
        "last_record" or "last_independent".

    Returns
    -------
    (n,) bool array
        True for the first record of each event.

    Examples
    --------
    >>> animal, instants = np.zeros(4, dtype=int), np.array([0, 20, 40, 80])
    >>> independent_events([animal], instants, 30).tolist()
    [True, False, False, True]
    >>> independent_events([animal], instants, 30, "last_independent").tolist()
    [True, False, True, True]
    """
    order, new = _begins(groups, instants, interval, rule)
    result = np.empty(len(order), dtype=bool)
    result[order] = new
    return result


def event_numbers(
    groups: Sequence[NDArray[Any]], instants: Instants, interval: int, rule: str = "last_record"
) -> NDArray[np.intp]:
    """Number of the event that each record belongs to, (n,): from 0, in order of group and time.

    Examples
    --------
    >>> event_numbers([np.array([1, 0, 1])], np.array([25, 0, 0]), 30).tolist()
    [1, 0, 1]
    """
    order, new = _begins(groups, instants, interval, rule)
    result = np.empty(len(order), dtype=np.intp)
    result[order] = np.cumsum(new) - 1
    return result


def _begins(
    groups: Sequence[NDArray[Any]], instants: Instants, interval: int, rule: str
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Order of records by group and time, and which of the ordered ones begin an event, each (n,)."""
    order = np.lexsort((instants, *groups))
    new = np.ones(len(order), dtype=bool)
    if len(order):
        ordered = [group[order] for group in groups]
        same = np.logical_and.reduce([values[1:] == values[:-1] for values in ordered])
        new[1:] = ~same | (np.diff(instants[order]) >= interval)
        if rule == "last_independent":
            new = _chained(instants[order], new, interval)
    return order, new


def _chained(instants: Instants, new: NDArray[np.bool_], interval: int) -> NDArray[np.bool_]:
    """Which records begin an event if the interval is counted from the first record of the event before.

    Each record points at the first one that is independent of it; those that can be reached from the start of a
    stretch without gaps begin events. Pointers are doubled, so the chain is followed in log n steps.
    """
    pointer = np.append(_next_independent(instants, new, interval), len(new))
    reached = np.append(new, False)
    while True:
        before = int(reached.sum())
        reached[pointer[reached]] = True
        reached[-1] = False
        pointer = pointer[pointer]
        if int(reached.sum()) == before:
            return reached[:-1]


def _next_independent(instants: Instants, new: NDArray[np.bool_], interval: int) -> NDArray[np.intp]:
    """First record at least `interval` after each one in its stretch; the end of the stretch if there is none, (n,)."""
    n = len(new)
    starts = np.append(np.flatnonzero(new), n)
    high = starts[np.cumsum(new)]
    low = np.arange(1, n + 1)
    while (low < high).any():  # a bisection of all stretches at once
        middle = (low + high) // 2
        late = instants[np.minimum(middle, n - 1)] - instants >= interval
        open_ = low < high
        high = np.where(open_ & late, middle, high)
        low = np.where(open_ & ~late, middle + 1, low)
    return high


def first_of_each(groups: Sequence[NDArray[Any]], *keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Which record is the first in its group (animal x station x occasion), (n,).

    Parameters
    ----------
    groups
        What must agree, each (n,).
    *keys
        What records are ordered by, the most important last, each (n,): their instants.
    """
    order = np.lexsort(keys)
    later = pd.DataFrame(dict(enumerate(group[order] for group in groups))).duplicated().to_numpy()
    result = np.empty(len(order), dtype=bool)
    result[order] = ~later
    return result
