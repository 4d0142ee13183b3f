"""Effort: how long cameras were on, exactly.

A camera is on from the start of its deployment (included) to the end (not included), except during failures. Stations
with several cameras are on while any of them is (``union``), or count each of them (``sum``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.occasions import DAY, Clock, Instants, Occasions

if TYPE_CHECKING:
    from leopardpop.data.survey_base import SurveyTables

__all__ = [
    "EFFORT_UNITS",
    "Running",
    "deployment_time",
    "effort_days",
    "effort_in_unit",
    "running_intervals",
    "survey_running",
]

EFFORT_UNITS = {"day": DAY, "hour": DAY // 24}
"""Units of effort, in nanoseconds."""

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Running:
    """When stations were on: intervals that do not overlap within a key, sorted by key and start.

    Parameters
    ----------
    key
        Station, or camera, of each interval, (m,): positions from 0.
    start, end
        Nanoseconds; the end is not included.
    """

    key: Rows
    start: Instants
    end: Instants

    def at(self, key: Rows, instants: Instants) -> NDArray[np.bool_]:
        """Whether each key was on at an instant, (n,).

        Examples
        --------
        >>> on = Running(np.array([0, 0]), np.array([0, 20]), np.array([10, 30]))
        >>> on.at(np.array([0, 0, 0]), np.array([0, 10, 29])).tolist()
        [True, False, True]
        """
        found = np.zeros(len(key), dtype=bool)
        order = np.argsort(key, kind="stable")
        bounds = np.searchsorted(key[order], np.arange(self.key.max(initial=-1) + 2))
        own = np.searchsorted(self.key, np.arange(self.key.max(initial=-1) + 2))
        for k in range(len(bounds) - 1):
            rows = order[bounds[k] : bounds[k + 1]]
            start, end = self.start[own[k] : own[k + 1]], self.end[own[k] : own[k + 1]]
            last = np.searchsorted(start, instants[rows], side="right") - 1
            found[rows] = (last >= 0) & (instants[rows] < np.append(end, -1)[last])
        return found


def running_intervals(
    deployments: pd.DataFrame, failures: pd.DataFrame, stations: Sequence[str], clock: Clock, *, by_camera: bool = False
) -> Running:
    """Find when stations (or cameras) were on.

    Parameters
    ----------
    deployments
        Columns deployment, station, camera, start, end.
    failures
        Columns deployment, station, start, end: of one deployment, or of every camera of a station.
    stations
        Station labels, (K,): a key is a position in it.
    clock
        The survey's clock.
    by_camera
        Whether cameras of a station are kept apart: a key is then still the station's, but its intervals may overlap.

    Returns
    -------
    Running

    Examples
    --------
    >>> when = pd.to_datetime(["2024-02-01", "2024-02-11", "2024-02-04", "2024-02-05"])
    >>> cameras = pd.DataFrame({"deployment": "a", "station": "A", "camera": "a", "start": when[:1], "end": when[1:2]})
    >>> off = pd.DataFrame({"deployment": None, "station": "A", "start": when[2:3], "end": when[3:]})
    >>> on = running_intervals(cameras, off, ["A"], Clock())
    >>> ((on.end - on.start) / DAY).tolist()
    [3.0, 6.0]
    """
    start, end = (clock.instants(deployments[name]) for name in ("start", "end"))
    key = pd.Index(stations).get_indexer(pd.Index(deployments["station"])).astype(np.intp)
    camera = pd.factorize(deployments["station"].astype(str) + "\0" + deployments["camera"].astype(str))[0]
    row, start, end = _without_failures(deployments, failures, start, end, clock)
    group = camera[row].astype(np.intp) if by_camera else key[row]
    merged = _union(group, start, end)
    if not by_camera:
        return merged
    station_of = np.zeros(camera.max(initial=-1) + 1, dtype=np.intp)
    station_of[camera] = key
    order = np.argsort(station_of[merged.key], kind="stable")
    return Running(station_of[merged.key][order], merged.start[order], merged.end[order])


def _without_failures(
    deployments: pd.DataFrame, failures: pd.DataFrame, start: Instants, end: Instants, clock: Clock
) -> tuple[Rows, Instants, Instants]:
    """Cut failures out of deployments: the deployment of each piece that is left, its start and its end."""
    pieces = {row: [(int(start[row]), int(end[row]))] for row in range(len(deployments))}
    by_name = pd.Series(range(len(deployments)), index=deployments["deployment"])
    by_station = deployments.groupby("station", sort=False).indices
    off_start, off_end = (clock.instants(failures[name]) for name in ("start", "end"))
    for i, (deployment, station) in enumerate(zip(failures["deployment"], failures["station"], strict=True)):
        rows = by_station.get(station, ()) if pd.isna(deployment) else (by_name[deployment],)
        for row in rows:
            pieces[row] = [p for piece in pieces[row] for p in _cut(piece, int(off_start[i]), int(off_end[i]))]
    flat = [(row, *piece) for row, several in pieces.items() for piece in several]
    table = np.array(flat, dtype=np.int64).reshape(-1, 3)
    return table[:, 0].astype(np.intp), table[:, 1], table[:, 2]


def _cut(piece: tuple[int, int], start: int, end: int) -> list[tuple[int, int]]:
    """Take [start, end) out of an interval."""
    low, high = piece
    return [(a, b) for a, b in ((low, min(high, start)), (max(low, end), high)) if a < b]


def _union(key: Rows, start: Instants, end: Instants) -> Running:
    """Join intervals of the same key that overlap or touch."""
    order = np.lexsort((start, key))
    key, start, end = key[order], start[order], end[order]
    reach = _furthest(key, end)
    first = np.ones(len(key), dtype=bool)
    first[1:] = (key[1:] != key[:-1]) | (start[1:] > reach[:-1])
    last = np.append(first[1:], True)[: len(key)]
    return Running(key[first], start[first], reach[last])


def _furthest(key: Rows, end: Instants) -> Instants:
    """Largest end so far within each key, (m,): by rank, so that one running maximum serves all keys."""
    ends, rank = np.unique(end, return_inverse=True)
    floor = key.astype(np.int64) * len(ends)
    return ends[np.maximum.accumulate(floor + rank) - floor] if len(end) else end


def survey_running(survey: SurveyTables, *, by_camera: bool = False, own: Rows | None = None) -> Running:
    """Find when the stations of a survey were on: see :func:`running_intervals`; `own`: by some deployments only."""
    stations = survey.stations["station"].tolist()
    deployments, failures = survey.deployments, survey.failures
    if own is not None:
        deployments = deployments.iloc[own].reset_index(drop=True)
        of_others = failures["deployment"].notna() & ~failures["deployment"].isin(deployments["deployment"])
        failures = failures[~of_others]
    return running_intervals(deployments, failures, stations, survey.clock, by_camera=by_camera)


def deployment_time(survey: SurveyTables, occasions: Occasions) -> Instants:
    """Nanoseconds that each deployment was on in each occasion, without failures, (n, S)."""
    table, clock = survey.deployments, survey.clock
    start, end = (clock.instants(table[name]) for name in ("start", "end"))
    return _time_on(Running(*_without_failures(table, survey.failures, start, end, clock)), occasions, len(table))


def effort_in_unit(running: Running, occasions: Occasions, n_stations: int, unit: str) -> NDArray[np.float64]:
    """Time that each station was on in each occasion, (K, S), in a unit of :data:`EFFORT_UNITS`."""
    return _time_on(running, occasions, n_stations) / EFFORT_UNITS[unit]


def effort_days(running: Running, occasions: Occasions, n_stations: int) -> NDArray[np.float64]:
    """Days that each station was on in each occasion, (K, S).

    Parameters
    ----------
    running
        When the stations were on; intervals that overlap count each.
    occasions
        The occasions of a session.
    n_stations
        K.

    Returns
    -------
    (K, S) array
        Days.
    """
    return _time_on(running, occasions, n_stations) / DAY


def _time_on(running: Running, occasions: Occasions, n_stations: int) -> Instants:
    """Nanoseconds that each station was on in each occasion, (K, S)."""
    effort = np.zeros((n_stations, len(occasions)), dtype=np.int64)
    low, high = occasions.edges[:-1], occasions.edges[1:]
    block = max(1, 4_000_000 // len(occasions))
    for i in range(0, len(running.key), block):
        part = slice(i, i + block)
        start, end = running.start[part, None], running.end[part, None]
        overlap = np.minimum(end, high) - np.maximum(start, low)
        np.add.at(effort, running.key[part], np.maximum(overlap, 0))
    return effort
