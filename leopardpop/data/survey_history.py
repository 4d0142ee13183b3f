"""From the records of a survey to a capture history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.effort import Running, effort_days, running_intervals
from leopardpop.data.events import first_of_each, independence_interval, independent_events
from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.occasions import DAY, Occasions
from leopardpop.data.parts import SessionParts
from leopardpop.data.selection import (
    Ledger,
    individual_sexes,
    keep_flank,
    keep_identified,
    keep_life_stage,
    records_of_species,
)
from leopardpop.data.sessions import SessionPlan, plan_sessions
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = ["HistoryOptions", "make_history"]

CHOICES: dict[str, tuple[str | None, ...]] = {
    "detector": ("proximity", "count", "multi"),
    "cameras": ("union", "sum"),
    "flank": (None, "left", "right"),
    "on_zero_effort": ("raise", "drop", "keep"),
}
NOT_COVARIATES = frozenset({"station", "x", "y", "longitude", "latitude", "lon", "lat"})


@dataclass(frozen=True, kw_only=True)
class HistoryOptions:
    """The keywords of :meth:`leopardpop.Survey.capture_history`, checked."""

    species: str | Sequence[str] | None
    occasion: Any
    start: Any
    end: Any
    detector: str
    occasion_start: str
    cameras: str
    independence: Any
    life_stage: Sequence[str] | None
    flank: str | None
    sessions: str | Mapping[str, tuple[Any, Any]] | None
    on_zero_effort: str

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                words = [choice for choice in choices if choice is not None]
                default = "None or " if None in choices else ""
                hint = did_you_mean(str(value), words)
                raise DataError(f"{name}={value!r} must be {default}one of {listed(words)}.{hint}", offenders=[value])


@dataclass(frozen=True)
class Placed:
    """Open records with their place and time: animal label, station, session and occasion, each (m,)."""

    row: NDArray[np.intp]
    individual: NDArray[np.object_]
    station: NDArray[np.intp]
    instant: NDArray[np.int64]
    session: NDArray[np.intp]
    occasion: NDArray[np.intp]


def make_history(survey: Survey, options: HistoryOptions) -> CaptureHistory:
    """Make a capture history: see :meth:`leopardpop.Survey.capture_history`."""
    ledger = records_of_species(survey.records, options.species)
    keep_life_stage(ledger, options.life_stage)
    keep_identified(ledger)
    keep_flank(ledger, options.flank)
    sexes = individual_sexes(ledger)
    plans = plan_sessions(survey, options)
    stations = survey.stations["station"].tolist()
    tables = survey.deployments, survey.failures, stations, survey.clock
    on = running_intervals(*tables)
    _drop_outside(ledger, survey, plans, options)
    _check_running(ledger, survey, on, options.on_zero_effort)
    placed = _place(ledger, survey, plans)
    _merge(ledger, placed, options)
    counted = on if options.cameras == "union" else running_intervals(*tables, by_camera=True)
    parts = [_part(survey, plan, i, counted, placed, ledger, sexes) for i, plan in enumerate(plans)]
    return history_from_parts(parts, detector=options.detector, effort_unit="day", crs=survey.crs, audit=ledger.audit())


def _where(ledger: Ledger, survey: Survey) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Station and instant of every record of a ledger, (n,)."""
    stations = pd.Index(survey.stations["station"]).get_indexer(pd.Index(ledger.records["station"]))
    return stations.astype(np.intp), survey.clock.instants(ledger.records["timestamp"])


def _drop_outside(ledger: Ledger, survey: Survey, plans: Sequence[SessionPlan], options: HistoryOptions) -> None:
    """Drop records outside the dates that the user asked for."""
    station, instant = _where(ledger, survey)
    if isinstance(options.sessions, Mapping):
        inside = np.logical_or.reduce([(instant >= p.first) & (instant < p.last) for p in plans])
        ledger.drop(~inside, "outside the sessions")
        return
    for plan in plans:
        here = np.isin(station, plan.stations)
        if options.start is not None:
            ledger.drop(here & (instant < plan.first), "before the start")
        if options.end is not None:
            ledger.drop(here & (instant >= plan.last), "after the end")


def _check_running(ledger: Ledger, survey: Survey, on: Running, on_zero_effort: str) -> None:
    """Deal with records that were made while no camera of their station was on."""
    station, instant = _where(ledger, survey)
    off = ledger.open & ~on.at(station, instant)
    if not off.any() or on_zero_effort == "keep":
        return
    if on_zero_effort == "drop":
        ledger.drop(off, "no camera was on")
        return
    offenders = ledger.records[off].sort_values("timestamp")
    first = offenders.iloc[0]
    here = int((offenders["station"] == first["station"]).sum())
    raise DataError(
        f"station '{first['station']}' has {here} detections while no camera was on (first: "
        f"{first['timestamp']:%Y-%m-%d %H:%M}, {first['source']} line {first['line']}; {len(offenders)} records at "
        f"{offenders['station'].nunique()} stations in all). Correct the deployments or failures, or pass "
        'on_zero_effort="drop".',
        offenders=offenders,
    )


def _place(ledger: Ledger, survey: Survey, plans: Sequence[SessionPlan]) -> Placed:
    """Find session and occasion of each open record; drop those that lie in none."""
    station, instant = _where(ledger, survey)
    session = np.full(len(station), -1, dtype=np.intp)
    occasion = np.zeros(len(station), dtype=np.intp)
    for i, plan in enumerate(plans):
        inside = (instant >= plan.first) & (instant < plan.last)
        if not plan.by_time:
            inside &= np.isin(station, plan.stations)
        session[inside] = i
        occasion[inside] = plan.occasions.find(instant[inside])
    ledger.drop(session < 0, "no camera was on, outside all occasions")
    rows = np.flatnonzero(ledger.open)
    individual = ledger.records["individual"].to_numpy(object)[rows]
    return Placed(rows, individual, station[rows], instant[rows], session[rows], occasion[rows])


def _merge(ledger: Ledger, placed: Placed, options: HistoryOptions) -> None:
    """Keep one record for each detection and merge the others with it."""
    animal = pd.factorize(placed.individual)[0]
    groups = [animal, placed.station, placed.session]
    if options.detector == "count":
        first = independent_events(groups, placed.instant, independence_interval(options.independence))
        reason = f"within {options.independence} of the record before"
    else:
        first = first_of_each([*groups, placed.occasion], placed.instant)
        reason = "same animal, station and occasion as an earlier record"
    kept = np.zeros(len(ledger.records), dtype=bool)
    kept[placed.row[first]] = True
    ledger.keep(kept)
    ledger.merge(np.ones(len(kept), dtype=bool), reason)


def _part(
    survey: Survey,
    plan: SessionPlan,
    number: int,
    running: Running,
    placed: Placed,
    ledger: Ledger,
    sexes: pd.Series[str],
) -> SessionParts:
    """Put one session together."""
    kept = (ledger.audit()["action"].to_numpy() == "kept")[placed.row] & (placed.session == number)
    table = survey.stations
    stations = np.union1d(plan.stations, placed.station[kept])
    detections = pd.DataFrame(
        {
            "individual": placed.individual[kept],
            "station": np.searchsorted(stations, placed.station[kept]),
            "occasion": placed.occasion[kept],
        }
    )
    rows = detections.value_counts(sort=False).reset_index(name="count")
    individuals = sorted(rows["individual"].unique())
    effort = effort_days(running, plan.occasions, len(table))[stations]
    _check_effort(effort, plan)
    effort = _with_effort(effort, rows, plan.occasions)
    sex = pd.DataFrame({"sex": sexes.reindex(individuals).to_numpy(object)})
    return SessionParts(
        session=plan.label,
        individuals=individuals,
        stations=table["station"].iloc[stations].tolist(),
        xy=table[["x", "y"]].to_numpy(float)[stations],
        effort=effort,
        individual=pd.Index(individuals, dtype=object).get_indexer(pd.Index(rows["individual"])),
        station=rows["station"].to_numpy(np.intp),
        occasion=rows["occasion"].to_numpy(np.intp),
        count=rows["count"].to_numpy(np.int64),
        occasion_start=plan.occasions.wall[:-1],
        station_covariates=table.drop(columns=[c for c in table if c in NOT_COVARIATES | plan.used]).iloc[stations],
        individual_covariates=sex if sexes.notna().any() else None,
    )


def _check_effort(effort: NDArray[np.float64], plan: SessionPlan) -> None:
    if effort.any():
        return
    start, end = (pd.Timestamp(time) for time in plan.occasions.wall[[0, -1]])
    raise DataError(
        f"session '{plan.label}': no camera was on between {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M}. "
        "Correct the dates, the deployments or the failures.",
        offenders=[plan.label],
    )


def _with_effort(effort: NDArray[np.float64], detections: pd.DataFrame, occasions: Occasions) -> NDArray[np.float64]:
    """Give effort to the detections that were kept without any: the smallest that occurs."""
    station, occasion = (detections[name].to_numpy(np.intp) for name in ("station", "occasion"))
    none = effort[station, occasion] == 0
    if none.any():
        smallest = float(np.diff(occasions.edges).max() / DAY) if not effort.any() else float(effort[effort > 0].min())
        effort[station[none], occasion[none]] = smallest
    return effort
