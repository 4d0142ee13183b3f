"""Independent events out of records that are close in time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.occasions import Instants, occasion_length
from leopardpop.errors import DataError

__all__ = ["first_of_each", "independence_interval", "independent_events"]


def independence_interval(independence: Any) -> int:
    """Interval of independence in nanoseconds; None or 0 makes every record an event of its own.

    Examples
    --------
    >>> independence_interval("30min") / 60e9
    30.0
    """
    if independence is None or (isinstance(independence, int | float) and independence == 0):
        return 0
    try:
        return occasion_length(independence).value
    except DataError as error:
        raise DataError(f'independence={independence!r} is no length of time. Write "30min" or "1h".') from error


def independent_events(groups: list[NDArray[Any]], instants: Instants, interval: int) -> NDArray[np.bool_]:
    """Which records begin an independent event.

    A record belongs to the event of the record before it (same groups) if less than `interval` has passed since that
    record; so a leopard that rests in front of a camera all day is one event.

    Parameters
    ----------
    groups
        What must agree, each (n,): animal, station.
    instants
        Nanoseconds, (n,).
    interval
        Nanoseconds.

    Returns
    -------
    (n,) bool array
        True for the first record of each event.

    Examples
    --------
    >>> animal = np.zeros(3, dtype=int)
    >>> independent_events([animal], np.array([0, 20, 60]), 30).tolist()
    [True, False, True]
    """
    order = np.lexsort((instants, *groups))
    new = np.ones(len(order), dtype=bool)
    if len(order):
        ordered = [group[order] for group in groups]
        same = np.logical_and.reduce([values[1:] == values[:-1] for values in ordered])
        new[1:] = ~same | (np.diff(instants[order]) >= interval)
    result = np.empty(len(order), dtype=bool)
    result[order] = new
    return result


def first_of_each(groups: list[NDArray[Any]], instants: Instants) -> NDArray[np.bool_]:
    """Which record is the first in its group (animal x station x occasion), (n,)."""
    order = np.argsort(instants, kind="stable")
    later = pd.DataFrame(dict(enumerate(group[order] for group in groups))).duplicated().to_numpy()
    result = np.empty(len(order), dtype=bool)
    result[order] = ~later
    return result
