"""Records of a survey in space and time: at which station, in which session and occasion, and was a camera on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.effort import Running
from leopardpop.data.names import counted
from leopardpop.data.occasions import Instants
from leopardpop.data.selection import Ledger
from leopardpop.data.sessions import PlanOptions, SessionPlan
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = [
    "NOT_COVARIATES",
    "Place",
    "Placed",
    "check_running",
    "drop_outside",
    "kept_reasons",
    "place_records",
    "where_and_when",
]

NOT_COVARIATES = frozenset({"station", "x", "y", "longitude", "latitude", "lon", "lat"})
"""Columns of stations that say what and where they are."""

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Place:
    """Station (position in the table) and instant (ns) of every record of a ledger, each (n,)."""

    station: Rows
    instant: Instants


@dataclass(frozen=True)
class Placed:
    """Open records: row in the ledger, station, instant, session and occasion, each (m,)."""

    row: Rows
    station: Rows
    instant: Instants
    session: Rows
    occasion: Rows


def where_and_when(ledger: Ledger, survey: Survey) -> Place:
    """Find station and instant of every record of a ledger."""
    stations = pd.Index(survey.stations["station"]).get_indexer(pd.Index(ledger.records["station"]))
    return Place(stations.astype(np.intp), survey.clock.instants(ledger.records["timestamp"]))


def drop_outside(ledger: Ledger, place: Place, plans: Sequence[SessionPlan], options: PlanOptions) -> None:
    """Drop records outside the dates that the user asked for.

    Parameters
    ----------
    ledger
        The records; those that are dropped get the reason.
    place
        Where and when they were made.
    plans
        The sessions.
    options
        Whether sessions, a start or an end were asked for.
    """
    instant = place.instant
    if plans[0].by_time:
        inside = np.logical_or.reduce([(instant >= plan.first) & (instant < plan.last) for plan in plans])
        ledger.drop(~inside, f"outside the {options.word}s")
        return
    if plans[0].running is not None:  # sessions of deployments: each has dates of its own
        if options.start is not None or options.end is not None:
            ledger.drop(
                ~np.logical_or.reduce([_in_session(place, plan) for plan in plans]), f"outside the {options.word}s"
            )
        return
    for plan in plans:
        here = np.isin(place.station, plan.stations)
        if options.start is not None:
            ledger.drop(here & (instant < plan.first), "before the start")
        if options.end is not None:
            ledger.drop(here & (instant >= plan.last), "after the end")


def check_running(ledger: Ledger, place: Place, on: Running, on_zero_effort: str) -> NDArray[np.bool_]:
    """Deal with records that were made while no camera of their station was on.

    Parameters
    ----------
    ledger
        The records.
    place
        Where and when they were made.
    on
        When stations were on.
    on_zero_effort
        "raise"; "drop" the records; or "keep" them open.

    Returns
    -------
    (n,) bool array
        Which open records were made while no camera was on.

    Raises
    ------
    DataError
        If there is such a record and the choice is "raise"; ``offenders`` has all of them.
    """
    off = ledger.open & ~on.at(place.station, place.instant)
    if on_zero_effort == "drop":
        ledger.drop(off, "no camera was on")
    if on_zero_effort != "raise" or not off.any():
        return off
    raise _without_effort(ledger.records[off].sort_values("timestamp", kind="stable"))


def kept_reasons(off: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Reasons of records that are kept, (n,): none, unless no camera was on."""
    return np.where(off, "kept although no camera was on", "").astype(object)


def _without_effort(offenders: pd.DataFrame) -> DataError:
    first = offenders.iloc[0]
    here = counted(int((offenders["station"] == first["station"]).sum()), "detection")
    return DataError(
        f"station '{first['station']}' has {here} while no camera was on (first: {first['timestamp']:%Y-%m-%d %H:%M}, "
        f"{first['source']} line {first['line']}; {counted(len(offenders), 'record')} at "
        f"{counted(offenders['station'].nunique(), 'station')} in all). Correct the deployments or failures, or pass "
        'on_zero_effort="drop".',
        offenders=offenders,
    )


def _in_session(place: Place, plan: SessionPlan) -> NDArray[np.bool_]:
    """Whether records lie in the time of a session, and at its stations unless all are, (n,)."""
    inside: NDArray[np.bool_] = (place.instant >= plan.first) & (place.instant < plan.last)
    return inside if plan.by_time else inside & np.isin(place.station, plan.stations)


def place_records(ledger: Ledger, place: Place, plans: Sequence[SessionPlan]) -> Placed:
    """Find session and occasion of each open record; drop those that lie in none."""
    session = np.full(len(place.station), -1, dtype=np.intp)
    occasion = np.zeros(len(place.station), dtype=np.intp)
    for i, plan in enumerate(plans):
        inside = _in_session(place, plan)
        if plan.running is not None:  # the session whose camera made it; without any, the first
            inside &= (session < 0) | plan.running.at(place.station, place.instant)
        session[inside] = i
        occasion[inside] = plan.occasions.find(place.instant[inside])
    ledger.drop(session < 0, "no camera was on, outside all occasions")
    rows = np.flatnonzero(ledger.open)
    return Placed(rows, place.station[rows], place.instant[rows], session[rows], occasion[rows])
