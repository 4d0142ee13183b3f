"""What the finders of problems look at: the tables of a survey, and what several finders need of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.effort import Running, running_intervals
from leopardpop.data.names import counted
from leopardpop.data.occasions import Clock, Instants

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = [
    "LOOK",
    "MUST",
    "NOTE",
    "Finder",
    "Problem",
    "Tables",
    "first_line",
    "known_line",
    "line_of",
    "sightings",
    "spelling",
    "when",
]

MUST, LOOK, NOTE = "must fix", "should look", "note"
RESET_YEARS = (1970, 1980, 2000)
"""Years that clocks begin at when their battery was empty."""
FIRST_YEAR = 1990
"""No camera trap wrote times before."""


class Problem(NamedTuple):
    """One finding: how grave it is, where it is, what was found, and what to do."""

    severity: str
    where: str
    found: str
    fix: str


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of a survey, read once.

    Parameters
    ----------
    stations, deployments, failures, records
        As those of :class:`leopardpop.Survey`.
    clock
        What the times are read on.
    crs
        System of the coordinates, or None.
    today
        Wall-clock time after which nothing can have been recorded.
    """

    stations: pd.DataFrame
    deployments: pd.DataFrame
    failures: pd.DataFrame
    records: pd.DataFrame
    clock: Clock
    crs: str | None
    today: pd.Timestamp

    @cached_property
    def names(self) -> list[str]:
        """Labels of the stations, (K,)."""
        return list(self.stations["station"])

    @cached_property
    def station(self) -> NDArray[np.intp]:
        """Station of each record, (n,): a row of the table of stations."""
        return pd.Index(self.names).get_indexer(pd.Index(self.records["station"])).astype(np.intp)

    @cached_property
    def instants(self) -> Instants:
        """Time of each record, (n,) nanoseconds."""
        return self.clock.instants(self.records["timestamp"])

    @cached_property
    def wall(self) -> pd.Series[Any]:
        """What the clock showed at each record, (n,)."""
        return self.clock.wall(self.records["timestamp"])

    @cached_property
    def reset_records(self) -> NDArray[np.bool_]:
        """Records of cameras whose clock had begun anew, (n,)."""
        return self._reset(self.wall)

    @cached_property
    def reset_deployments(self) -> NDArray[np.bool_]:
        """Deployments that begin in a year that clocks begin at, (m,)."""
        return self._reset(self.clock.wall(self.deployments["start"]))

    def _reset(self, wall: pd.Series[Any]) -> NDArray[np.bool_]:
        """Times in a year that clocks begin at, while the survey was not made in that year."""
        middle = self.clock.wall(self.deployments["start"]).median()
        apart = (wall - middle).abs() > pd.Timedelta(days=730)
        return np.asarray((wall.dt.year < FIRST_YEAR) | (wall.dt.year.isin(RESET_YEARS) & apart), dtype=bool)

    @cached_property
    def dated(self) -> pd.DataFrame:
        """Deployments whose start can be believed: what follows from a wrong year is no finding of its own."""
        return self.deployments[~self.reset_deployments]

    @cached_property
    def xy(self) -> NDArray[np.float64]:
        """Places of the stations in metres, (K, 2)."""
        return self.stations[["x", "y"]].to_numpy(float)

    @cached_property
    def degrees(self) -> NDArray[np.float64] | None:
        """Longitude and latitude of the stations, (K, 2): as they were read, else from the coordinates in metres."""
        names = ["longitude", "latitude"]
        if set(names) <= set(self.stations.columns):
            given: NDArray[np.float64] = self.stations[names].apply(pd.to_numeric, errors="coerce").to_numpy(float)
            return given
        if self.crs is None or not len(self.stations):
            return None
        from pyproj import Transformer

        inverse = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True).transform
        return np.column_stack(inverse(*self.xy.T))

    @cached_property
    def running(self) -> Running:
        """When each station was on."""
        return running_intervals(self.deployments, self.failures, self.names, self.clock)

    @cached_property
    def deployed(self) -> Running:
        """When each station had a camera, failed or not."""
        return running_intervals(self.deployments, self.failures.iloc[:0], self.names, self.clock)

    @cached_property
    def animal(self) -> NDArray[np.bool_]:
        """Which records are of an animal, (n,): all of them where no record names a species."""
        named = self.records["species"].notna().to_numpy(bool)
        return named if named.any() else np.ones(len(named), dtype=bool)

    @cached_property
    def lines(self) -> dict[str, str]:
        """Words for a deployment, or for a station -> the file and line that it comes from, where a reader said so."""
        known = self.deployments
        if not {"source", "line"} <= set(known.columns):
            return {}
        known = known.dropna(subset=["source", "line"])
        by_name = {f"deployment {row.deployment}": line_of(row) for row in known.itertuples()}
        first = known.drop_duplicates("station")
        return by_name | {f"station {row.station}": f"deployed in {line_of(row)}" for row in first.itertuples()}

    def column(self, table: str, *names: str) -> pd.Series[Any] | None:
        """Return the first of some columns that a table has, or None."""
        frame: pd.DataFrame = getattr(self, table)
        return next((frame[name] for name in names if name in frame), None)


Finder = Callable[[Tables], Iterator[Problem]]


def tables_of(survey: Survey, today: Any = None) -> Tables:
    """Read the tables of a survey; `today` is the current time if it is None."""
    now = pd.Timestamp.now(tz="UTC").tz_localize(None) if today is None else pd.Timestamp(today)
    return Tables(
        stations=survey.stations,
        deployments=survey.deployments,
        failures=survey.failures,
        records=survey.records,
        clock=survey.clock,
        crs=survey.crs,
        today=now + pd.Timedelta("1D"),  # clocks east of Greenwich are ahead
    )


# -- words ------------------------------------------------------------------------------------------------------------
def line_of(row: Any) -> str:
    """Say where a record stands: ``observations.csv:118``; of a DataFrame, ``records row 118``."""
    return f"{row.source}{':' if '.' in str(row.source) else ' row '}{row.line}"


def known_line(row: Any) -> str:
    """Say where a row stands, if a reader said so: `` (deployments.csv:3)``, else nothing."""
    source, line = getattr(row, "source", None), getattr(row, "line", None)
    return "" if source is None or line is None or pd.isna(source) or pd.isna(line) else f" ({line_of(row)})"


def first_line(rows: pd.DataFrame, other: str) -> str:
    """Say where the first of some rows stands, if a reader said so; else other words."""
    found = known_line(next(rows.itertuples())) if len(rows) else ""
    return found[2:-1] or other


def when(time: Any) -> str:
    """Write a time to the minute."""
    return f"{time:%Y-%m-%d %H:%M}"


def sightings(rows: pd.DataFrame) -> str:
    """Say how many records of what, the first with its time and line.

    Examples
    --------
    >>> rows = {"timestamp": pd.to_datetime(["2024-03-02 04:11"]), "species": "P. uncia", "source": "a.csv", "line": 7}
    >>> sightings(pd.DataFrame(rows))
    '1 record of P. uncia (2024-03-02 04:11, a.csv:7)'
    """
    first = rows.iloc[int(rows["timestamp"].to_numpy().argmin())]
    kinds = rows["species"].dropna().unique()
    of = f" of {kinds[0]}" if len(kinds) == 1 else f" of {len(kinds)} species" if len(kinds) else ""
    begin = "first " if len(rows) > 1 else ""
    return f"{counted(len(rows), 'record')}{of} ({begin}{when(first['timestamp'])}, {line_of(first)})"


def spelling(name: str) -> str:
    """Return what is left of a label without case, signs and leading zeros: labels that agree in it look the same.

    Examples
    --------
    >>> spelling("F07") == spelling("f-7"), spelling("F07") == spelling("F70")
    (True, False)
    """
    letters = "".join(c if c.isalnum() else " " for c in name.casefold())
    runs: list[str] = []
    for c in letters:
        if runs and c.isdigit() == runs[-1][-1].isdigit() and c != " " and runs[-1] != " ":
            runs[-1] += c
        else:
            runs.append(c)
    return " ".join(str(int(run)) if run.isdigit() and run.isascii() else run for run in runs if run != " ")
