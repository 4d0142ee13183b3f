"""Problems of time: clocks that were reset, that run in the future, that change with the season, that differ."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from leopardpop.data.names import counted, listed
from leopardpop.data.occasions import zone
from leopardpop.data.survey_problems_tables import (
    FIRST_YEAR,
    LOOK,
    MUST,
    NOTE,
    Problem,
    Tables,
    first_line,
    sightings,
    when,
)

__all__ = ["FINDERS"]

OFFSETS = ("utc_offset", "offset", "tz_offset")
ISSUES = ("timestamp_issues", "timestampIssues")
FINE = ("", "false", "0", "0.0", "no", "n", "f", "none", "nan")
"""What is written where the times of a deployment are right; anything else says that they may not be."""
SUMMER_TIME = {
    "Europe/Paris": (-11, 35, 32, 71),
    "America/New_York": (-125, 33, -60, 60),
    "Australia/Sydney": (138, -44, 154, -29),
}
"""A zone with the rule -> west, south, east, north in degrees: coarse, for a hint only."""
DATES_ONLY, FEW = 0.9, 20
MOST_DAYS = 4
"""Changes of the clocks that are named one by one."""


def reset_clock(tables: Tables) -> Iterator[Problem]:
    """Records of cameras whose clock had begun anew."""
    bad = tables.reset_records
    for (name, _), rows in tables.records[bad].groupby(["station", tables.wall[bad].dt.year], sort=False):
        found = f"{sightings(rows)}: the clock had been reset"
        fix = "shift its times by what a photo of known time says, or leave them out"
        yield Problem(MUST, f"station {name}", found, fix)


def reset_deployments(tables: Tables) -> Iterator[Problem]:
    """Deployments that begin in a year in which clocks begin, far from all others."""
    for row in tables.deployments[tables.reset_deployments].itertuples():
        found = f"starts {when(row.start)}: the clock had been reset, or nobody filled it in"
        yield Problem(MUST, f"deployment {row.deployment}", found, "correct its start and end")


def in_future(tables: Tables) -> Iterator[Problem]:
    """Records, and starts of deployments, that lie in the future."""
    late = tables.wall > tables.today
    for name, rows in tables.records[late].groupby("station", sort=False):
        yield Problem(MUST, f"station {name}", f"{sightings(rows)} in the future", "correct the clock")
    starts = tables.clock.wall(tables.deployments["start"]) > tables.today
    for row in tables.deployments[starts].itertuples():
        found = f"starts {when(row.start)}, in the future"
        yield Problem(MUST, f"deployment {row.deployment}", found, "correct its dates")


def stated_issues(tables: Tables) -> Iterator[Problem]:
    """Deployments of which the export itself says that their times are wrong."""
    column = tables.column("deployments", *ISSUES)
    if column is None:
        return
    words = column.where(column.notna(), "").astype(str).str.strip().str.lower()
    said = words.loc[lambda each: ~each.isin(FINE)]
    for row, word in zip(tables.deployments.loc[said.index].itertuples(), said, strict=True):
        n = int((tables.records["deployment"] == row.deployment).sum())
        found = f"timestampIssues is {word[:40]!r}: the times of {counted(n, 'record')} are not to be trusted"
        yield Problem(LOOK, f"deployment {row.deployment}", found, "correct the times, or leave the deployment out")


def dates_only(tables: Tables) -> Iterator[Problem]:
    """Times of day that are missing: nearly all records at midnight."""
    midnight = tables.wall == tables.wall.dt.normalize()
    if len(midnight) >= FEW and midnight.mean() >= DATES_ONLY:
        found = f"{int(midnight.sum()):,} of {len(midnight):,} are at 00:00: the time of day is missing"
        fix = 'read date and time; until then use occasion_start = "00:00" and occasions of days'
        yield Problem(LOOK, "records", found, fix)


def offsets_differ(tables: Tables) -> Iterator[Problem]:
    """Cameras whose clocks were set to different offsets from UTC."""
    column = tables.column("deployments", *OFFSETS)
    counts = pd.Series(dtype=int) if column is None else column.dropna().astype(str).value_counts()
    if column is None or len(counts) < 2:
        return
    where = first_line(tables.deployments[column.astype(str) == counts.index[-1]], "deployments")
    found = f"clocks differ: {', '.join(f'{offset} in {counted(n, "deployment")}' for offset, n in counts.items())}"
    fix = "each camera's own clock is read; if activity by hour matters, give tz = the zone of the place"
    yield Problem(LOOK, where, found, fix)


def summer_time(tables: Tables) -> Iterator[Problem]:
    """Deployments that run across a change to or from summer time, read as clocks that never change."""
    name = _zone_of(tables) if _fixed(tables.clock.tz) else None
    start, end = (tables.clock.wall(tables.dated[each]) for each in ("start", "end"))
    crossed = [(day, words, (start < day) & (end > day)) for day, words in _changes(tables, name)]
    crossed = [each for each in crossed if each[2].any()]
    if crossed:
        across = np.any([each[2] for each in crossed], axis=0)
        where = first_line(tables.dated[across], "deployments")
        found = f"{counted(int(across.sum()), 'deployment')} on both sides of {_told([each[:2] for each in crossed])}"
        found += (
            f": read as the cameras' own clock{f', {tables.clock.tz}' if tables.clock.tz else ''}, which never changes"
        )
        fix = f'if somebody set the clocks, give the zone of the place: tz = "{name}" or the like'
        yield Problem(LOOK, where, found, fix)


def _told(changes: list[tuple[pd.Timestamp, str]]) -> str:
    """Name the days of changes: all if they are few."""
    days = [f"{day.day} {day:%B %Y}" for day, _ in changes]
    if len(days) == 1:
        return f"{days[0]} ({changes[0][1]})"
    shown = ", ".join(days) if len(days) <= MOST_DAYS else f"{', '.join(days[:3])}, …, {days[-1]}; {len(days)} in all"
    return f"changes to or from summer time ({shown})"


def _fixed(tz: str | None) -> bool:
    return tz is None or isinstance(zone(tz), dt.timezone)


def _zone_of(tables: Tables) -> str | None:
    """A zone that changes its clocks as they do at the place of the survey, or None."""
    if tables.degrees is None or not np.isfinite(tables.degrees).all(axis=1).any():
        return None
    lon, lat = np.nanmedian(tables.degrees, axis=0)
    boxes = SUMMER_TIME.items()
    return next((name for name, (w, s, e, n) in boxes if w <= lon <= e and s <= lat <= n), None)


def _changes(tables: Tables, name: str | None) -> Iterator[tuple[pd.Timestamp, str]]:
    """Days within the survey on which the clocks of a zone change."""
    if name is None or tables.dated.empty:
        return
    first = tables.clock.wall(tables.dated["start"]).min().normalize()
    last = min(tables.clock.wall(tables.dated["end"]).max(), tables.today)
    days = pd.date_range(max(first, pd.Timestamp(FIRST_YEAR, 1, 1)), last, freq="D")
    noon = pd.Series(days + pd.Timedelta("12h")).dt.tz_localize(zone(name))
    offset = (noon.dt.tz_localize(None) - noon.dt.tz_convert("UTC").dt.tz_localize(None)).dt.total_seconds().to_numpy()
    for i in np.flatnonzero(np.diff(offset)).tolist():
        yield days[i + 1], "change to summer time" if offset[i + 1] > offset[i] else "change from summer time"


def twice_told(tables: Tables) -> Iterator[Problem]:
    """Records in the hour that comes twice when summer time ends: of the two times the first was taken."""
    if _fixed(tables.clock.tz):
        return
    wall = tables.wall
    here: Any = zone(tables.clock.tz)
    first, second = (
        wall.dt.tz_localize(here, ambiguous=np.full(len(wall), flag), nonexistent="shift_forward")
        for flag in (True, False)
    )
    rows = tables.records[(first != second).to_numpy(bool)]
    if len(rows):
        found = f"{sightings(rows)} in an hour that comes twice, as summer time ends"
        yield Problem(NOTE, "records", found, "times without an offset are taken for the first of the two")


def blanks_outside(tables: Tables) -> Iterator[Problem]:
    """Species-free records far before the first or after the last deployment of the whole survey."""
    start, end = tables.deployments["start"].min(), tables.deployments["end"].max()
    rows = tables.records[~tables.animal]
    rows = rows[(rows["timestamp"] < start) | (rows["timestamp"] >= end)]
    if len(rows):
        found = f"{sightings(rows)} without an animal, outside the whole survey"
        yield Problem(NOTE, f"stations {listed(rows['station'].unique(), 4)}", found, "look at the clocks")


FINDERS = (
    reset_clock,
    reset_deployments,
    in_future,
    stated_issues,
    dates_only,
    offsets_differ,
    summer_time,
    twice_told,
    blanks_outside,
)
