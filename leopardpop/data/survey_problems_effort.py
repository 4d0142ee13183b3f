"""Problems of effort: records while nothing was on, failures that nobody wrote down, deployments that overlap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import counted, listed
from leopardpop.data.occasions import DAY, Clock
from leopardpop.data.survey_problems_tables import LOOK, MUST, NOTE, Problem, Tables, known_line, sightings, when

__all__ = ["FINDERS", "SILENT_DAYS", "silent_stretches"]

SILENT_DAYS = 14
"""Days without any record after which a camera counts as silent."""
SERIAL = 1 / 3
"""Share of camera labels at several stations at once up to which labels are taken for those of the cameras."""
LONG, SHORT = 400, 1 / 24
"""Days: a deployment that is longer, or shorter, was probably written down wrongly."""


def without_effort(tables: Tables) -> Iterator[Problem]:
    """Records of animals while no camera of their station was on, of clocks that can be believed."""
    believed = ~tables.reset_records & (tables.wall <= tables.today).to_numpy(bool)
    off = tables.animal & believed & ~tables.running.at(tables.station, tables.instants)
    failed = tables.deployed.at(tables.station, tables.instants)
    bare = ~np.isin(tables.station, tables.deployed.key)
    cause = np.select([bare, failed], ["without a deployment", "during a failure"], "outside its deployments")
    rows = tables.records[off].assign(cause=cause[off])
    fixes = {"during a failure": "correct the failure"}
    for (name, why), group in rows.groupby(["station", "cause"], sort=False):
        fix = f'{fixes.get(str(why), "correct the deployment or the clock")}, or set on_zero_effort = "drop"'
        yield Problem(MUST, f"station {name}", f"{sightings(group)} {why}", fix)


def outside_own_deployment(tables: Tables) -> Iterator[Problem]:
    """Records outside the deployment that they name, while another camera of the station was on."""
    ends = tables.deployments.set_index("deployment")[["start", "end"]]
    own = tables.records["deployment"]
    named = own.notna() & tables.animal
    rows = tables.records[named]
    start, end = (own[named].map(ends[name]) for name in ("start", "end"))
    outside = ((rows["timestamp"] < start) | (rows["timestamp"] >= end)).to_numpy(bool)
    covered = tables.deployed.at(tables.station[named], tables.instants[named])
    for name, group in rows[outside & covered].groupby("deployment", sort=False):
        fix = "correct its start and end, or the clock: they count, as another camera of the station was on"
        yield Problem(LOOK, f"deployment {name}", f"{sightings(group)} outside it", fix)


def overlaps(tables: Tables) -> Iterator[Problem]:
    """Deployments of one camera at one station that overlap."""
    for row, previous in _overlapping(tables.deployments, ["station", "camera"]):
        found = f"starts before deployment {previous.deployment}{known_line(previous)} of the same camera ends"
        yield Problem(LOOK, f"deployment {row.deployment}", found, "correct the times; they count once")


def unnamed_pairs(tables: Tables) -> Iterator[Problem]:
    """Deployments that overlap at a station and name no camera: they are taken for cameras of a pair."""
    unnamed = tables.deployments[_unnamed(tables)]
    stations = list(dict.fromkeys(row.station for row, _ in _overlapping(unnamed, ["station"])))
    if stations:
        found = f"deployments overlap at {counted(len(stations), 'station')} ({listed(stations, 4)}) and name no camera"
        fix = "they are taken for cameras of a pair; of one camera, correct the times, or name cameras in a column"
        yield Problem(NOTE, "deployments", found, fix)


def two_places(tables: Tables) -> Iterator[Problem]:
    """Cameras that were at two stations at once; not where labels such as "left" are used at every station."""
    found = [
        (row, previous)
        for row, previous in _overlapping(tables.deployments, ["camera"])
        if row.station != previous.station
    ]
    if len({row.camera for row, _ in found}) > SERIAL * tables.deployments["camera"].nunique():
        return
    for row, previous in found:
        told = f"camera {row.camera} is at {row.station} from {when(row.start)}, at {previous.station} "
        told += f"until {when(previous.end)}, deployment {previous.deployment}{known_line(previous)}"
        fix = "a camera is at one place at a time: correct the label or the times"
        yield Problem(LOOK, f"deployment {row.deployment}", told, fix)


def _overlapping(deployments: pd.DataFrame, keys: list[str]) -> Iterator[tuple[Any, Any]]:
    """Deployments that begin before an earlier one with the same keys has ended, each with that one."""
    ordered = deployments.sort_values([*keys, "start"], kind="stable", ignore_index=True)
    group = ordered.groupby(keys, sort=False).ngroup().to_numpy()
    longest = 0
    rows: list[Any] = list(ordered.itertuples())
    for i in range(1, len(rows)):
        same = group[i] == group[i - 1]
        longest = (longest if rows[longest].end >= rows[i - 1].end and same else i - 1) if same else i
        if same and rows[i].start < rows[longest].end:
            yield rows[i], rows[longest]


def _unnamed(tables: Tables) -> pd.Series[Any]:
    """Whether the camera of each deployment has the name that a survey gives where nobody did."""
    station = tables.deployments["station"]
    return tables.deployments["camera"] == station + "-" + (station.groupby(station).cumcount() + 1).astype(str)


def unknown_cameras(tables: Tables) -> Iterator[Problem]:
    """Records of a camera that was never at their station."""
    there = pd.MultiIndex.from_frame(tables.deployments[["station", "camera"]])
    bare = set(tables.deployments["station"][_unnamed(tables)])
    named = tables.records.dropna(subset=["camera"])
    named = named[~named["station"].isin(bare)]
    away = named[~pd.MultiIndex.from_frame(named[["station", "camera"]]).isin(there)]
    for (station, camera), group in away.groupby(["station", "camera"], sort=False):
        found = f"{sightings(group)} of camera {camera}, which no deployment has at this station"
        yield Problem(LOOK, f"station {station}", found, "correct the camera or the station; they count at the station")


def deployment_lengths(tables: Tables) -> Iterator[Problem]:
    """Deployments of more than a year, or of less than an hour."""
    start, end = (tables.clock.instants(tables.dated[name]) for name in ("start", "end"))
    days = (end - start) / DAY
    for row, length in zip(tables.dated.itertuples(), days, strict=True):
        where = f"deployment {row.deployment}"
        if length > LONG:
            yield Problem(LOOK, where, f"lasts {length:,.0f} days", "was its end forgotten, or a year mistyped?")
        elif length < SHORT:
            yield Problem(NOTE, where, f"lasts {length * 1440:.0f} minutes", "was it a test? Then leave it out")


def never_deployed(tables: Tables) -> Iterator[Problem]:
    """Stations that no deployment names."""
    for name in sorted(set(tables.names) - set(tables.deployments["station"]), key=tables.names.index):
        yield Problem(LOOK, f"station {name}", "no deployment: it has no effort", "add it, or remove the station")


def never_on(tables: Tables) -> Iterator[Problem]:
    """Stations that had failed for all of their deployments."""
    keys = np.setdiff1d(tables.deployed.key, tables.running.key)
    for key in keys:
        fix = "correct the failures, or leave it: a station without effort says nothing"
        yield Problem(LOOK, f"station {tables.names[key]}", "never on: its failures cover its deployments", fix)


def failures_outside(tables: Tables) -> Iterator[Problem]:
    """Failures that cut nothing out of any deployment."""
    failures, ends = tables.failures, tables.deployments[["start", "end"]].to_numpy()
    by_name = tables.deployments.groupby("deployment").indices
    by_place = tables.deployments.groupby("station").indices
    row: Any
    for row in failures.itertuples():
        whole = pd.isna(row.deployment)
        own = ends[by_place.get(row.station, []) if whole else by_name[row.deployment]]
        if not any(start < row.end and row.start < end for start, end in own):
            whose = f"station {row.station}" if whole else f"deployment {row.deployment}"
            found = f"a failure from {when(row.start)} to {when(row.end)}{known_line(row)} lies outside its deployments"
            yield Problem(LOOK, whose, found, "correct its dates; as it is, it changes nothing")


def no_failures(tables: Tables) -> Iterator[Problem]:
    """No failures given, although cameras were silent for long."""
    if len(tables.failures):
        return
    silent = silent_stretches(tables.dated, tables.failures, tables.records, tables.clock)
    if silent.empty:
        return
    n, longest = silent["deployment"].nunique(), silent.iloc[int(silent["days"].to_numpy().argmax())]
    found = f"none given, but {counted(n, 'deployment')} had no record for more than {SILENT_DAYS} days "
    found += f"(longest: {longest['deployment']}, {longest['days']:.0f} days from {when(longest['start'])})"
    fix = "if they had failed, p is biased low and N high: give failures = (deployment, start, end)"
    yield Problem(LOOK, "failures", found, fix)


# -- silence ----------------------------------------------------------------------------------------------------------
def silent_stretches(
    deployments: pd.DataFrame,
    failures: pd.DataFrame,
    records: pd.DataFrame,
    clock: Clock,
    days: float = SILENT_DAYS,
) -> pd.DataFrame:
    """Find the stretches in which a camera was deployed, had not failed, and recorded nothing at all.

    A record belongs to its deployment, else to its camera, else to every camera of its station.

    Parameters
    ----------
    deployments, failures, records
        Tables of a survey.
    clock
        The survey's clock.
    days
        Shortest stretch that is listed, days.

    Returns
    -------
    pandas.DataFrame
        Columns station, deployment, camera, start, end, days; in the order of the deployments.
    """
    start, end = (clock.instants(deployments[name]) for name in ("start", "end"))
    marks = _marks(deployments, records, clock)
    off = _failed(deployments, failures, clock)
    found: list[tuple[int, int, int]] = []
    for i in range(len(deployments)):
        inside = marks[i][(marks[i] > start[i]) & (marks[i] < end[i])]
        gaps = _gaps(np.unique([start[i], *inside, *np.clip(off[i].ravel(), start[i], end[i]), end[i]]), off[i])
        long = gaps[gaps[:, 1] - gaps[:, 0] >= days * DAY]
        found += [(i, int(low), int(high)) for low, high in long]
    row, low, high = np.array(found, dtype=np.int64).reshape(-1, 3).T
    table = deployments.iloc[row][["station", "deployment", "camera"]].reset_index(drop=True)
    for name, times in (("start", low), ("end", high)):
        table[name] = _times(times, clock)
    return table.assign(days=(high - low) / DAY)


def _times(instants: NDArray[np.int64], clock: Clock) -> pd.Series[Any]:
    wall = pd.Series(instants.astype("datetime64[ns]"))
    return wall if clock.tz is None else clock.local(wall.dt.tz_localize("UTC"))


def _marks(deployments: pd.DataFrame, records: pd.DataFrame, clock: Clock) -> list[NDArray[np.int64]]:
    """Times of the records that each deployment may have made."""
    instants = clock.instants(records["timestamp"])
    own = pd.Index(deployments["deployment"]).get_indexer(pd.Index(records["deployment"]))
    pairs = _pairs(deployments)
    camera = np.where(own < 0, pd.Index(pairs.unique()).get_indexer(pd.Index(_pairs(records))), -1)
    place = np.where((own < 0) & (camera < 0), _codes(deployments["station"], records["station"]), -1)
    by_own, by_camera, by_place = (_grouped(codes, instants) for codes in (own, camera, place))
    cameras = pd.Index(pairs.unique()).get_indexer(pd.Index(pairs))
    places = _codes(deployments["station"], deployments["station"])
    none = np.empty(0, dtype=np.int64)
    return [
        np.concatenate([by_own.get(i, none), by_camera.get(int(cameras[i]), none), by_place.get(int(places[i]), none)])
        for i in range(len(deployments))
    ]


def _pairs(table: pd.DataFrame) -> pd.Series[Any]:
    """Station and camera of each row, as one label."""
    return table["station"].astype(str) + "\0" + table["camera"].astype(str)


def _codes(known: pd.Series[Any], labels: pd.Series[Any]) -> NDArray[np.intp]:
    codes: NDArray[np.intp] = pd.Index(known.unique()).get_indexer(pd.Index(labels)).astype(np.intp)
    return codes


def _grouped(codes: NDArray[Any], values: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    """Values by code, without those of code -1."""
    order = np.argsort(codes, kind="stable")
    found, first = np.unique(codes[order], return_index=True)
    parts = np.split(values[order], first[1:]) if len(found) else []
    return {int(code): part for code, part in zip(found, parts, strict=True) if code >= 0}


def _failed(deployments: pd.DataFrame, failures: pd.DataFrame, clock: Clock) -> list[NDArray[np.int64]]:
    """Failures of each deployment, (m, 2)."""
    whole = failures["deployment"].isna()
    ends = np.column_stack([clock.instants(failures[name]) for name in ("start", "end")])
    by_name = failures[~whole].groupby("deployment").indices
    by_place = failures[whole].groupby("station").indices
    one, several = ends[~whole.to_numpy(bool)], ends[whole.to_numpy(bool)]
    empty = np.empty(0, dtype=np.intp)
    return [
        np.concatenate([one[by_name.get(name, empty)], several[by_place.get(station, empty)]])
        for name, station in zip(deployments["deployment"], deployments["station"], strict=True)
    ]


def _gaps(times: NDArray[np.int64], off: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stretches between times, (n, 2), without those that lie in a failure."""
    gaps = np.column_stack([times[:-1], times[1:]])
    middle = gaps[:, :1] + (gaps[:, 1:] - gaps[:, :1]) // 2
    failed = ((off[:, 0] <= middle) & (middle < off[:, 1])).any(axis=1)
    return gaps[~failed]


FINDERS = (
    without_effort,
    overlaps,
    unnamed_pairs,
    unknown_cameras,
    two_places,
    no_failures,
    outside_own_deployment,
    never_deployed,
    never_on,
    failures_outside,
    deployment_lengths,
)
