"""Tables of covariates joined to the visits of a detection history: by station or site, by season, visit or date."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.choices import one_or_several
from leopardpop.data.covariates import to_coordinate
from leopardpop.data.names import counted, did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.data.occasions import Clock, clock_hour, moment
from leopardpop.data.sessions import SessionPlan
from leopardpop.data.sites import Sites
from leopardpop.data.tables import Table, TableSource, load_table
from leopardpop.errors import DataError, DataWarning

__all__ = ["KEYS", "VisitLayout", "join_covariates", "join_table"]

KEYS = ("station", "site", "season", "visit", "date")
"""Columns that say what a row of covariates is about."""

DIMS = ("site", "season", "visit")
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class VisitLayout:
    """What covariates are joined to."""

    sites: Sites
    stations: Sequence[str]
    """Station labels, (K,)."""
    seasons: Sequence[SessionPlan]
    """Seasons with their visits, in order of time."""
    occasion_start: str
    """Time of day at which a date begins."""
    clock: Clock
    effort: NDArray[np.float64]
    """(site, season, visit)."""
    words: tuple[str, str] = ("season", "visit")
    """What tables call a season and a visit."""


@dataclass(frozen=True)
class _Joined:
    """Rows of a table with the cell that each belongs to: positions along the dims it has, each (m,)."""

    rows: Rows
    positions: dict[str, Rows]
    shape: tuple[int, ...] = field(default=())

    @property
    def dims(self) -> tuple[str, ...]:
        return tuple(self.positions)

    @property
    def cell(self) -> Rows:
        return np.ravel_multi_index(tuple(self.positions.values()), self.shape).astype(np.intp)


def join_covariates(
    sources: TableSource | Sequence[TableSource] | None, layout: VisitLayout, taken: Collection[str]
) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
    """Join tables of covariates to sites, seasons and visits.

    Parameters
    ----------
    sources
        A table or path, or several. Columns ``station`` or ``site``, ``season``, ``visit`` (from 1) or ``date`` say
        what a row is about, every other column is a covariate.
    layout
        Sites, seasons and visits.
    taken
        Names of covariates that there are already.

    Returns
    -------
    dict
        Name -> (dims, values), values (site), (site, season) or (site, season, visit). Of several rows in a cell, such
        as days of a visit or stations of a site, numbers are averaged; text must agree.

    Raises
    ------
    DataError
        If a table has none of these columns, names something unknown, or text disagrees.

    Warns
    -----
    DataWarning
        If a covariate is missing where there was effort.
    """
    found: dict[str, tuple[tuple[str, ...], NDArray[Any]]] = {}
    for source in one_or_several(sources):
        table = load_table(source, "covariates", known=KEYS)
        joined = _join(table, layout)
        for name, values in table.covariates(KEYS).items():
            if name in taken or name in found:
                raise DataError(f"covariate '{name}' is there twice. Rename one, or drop the column.", offenders=[name])
            dims, array = _values(values, joined, table)
            array = _by_site(dims, array, layout)
            _check_missing(str(name), array, layout)
            found[str(name)] = _full(dims), to_coordinate(pd.Series(array.ravel())).reshape(array.shape)
    return found


def join_table(source: TableSource, layout: VisitLayout) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
    """Join one table of covariates: name -> (dims that the table has, of site, season and visit; values).

    Parameters
    ----------
    source
        As of :func:`join_covariates`; seasons and visits are called as ``layout.words``.
    layout
        Sites, seasons and visits.

    Raises
    ------
    DataError
        As :func:`join_covariates`.

    Warns
    -----
    DataWarning
        If a covariate is missing where there was effort.
    """
    ours = dict(zip(layout.words, ("season", "visit"), strict=True))
    table = load_table(source, "covariates", known=("station", "date", *layout.words))
    table = replace(table, frame=table.frame.rename(columns=ours))
    joined = _join(table, layout)
    found = {}
    for name, values in table.covariates(KEYS).items():
        dims, array = _values(values, joined, table)
        _check_missing(str(name), _by_site(dims, array, layout), layout)
        found[str(name)] = dims, array
    return found


def _full(dims: tuple[str, ...]) -> tuple[str, ...]:
    """Dims of a covariate in a history: all up to the last that it varies over."""
    return DIMS if "visit" in dims else DIMS[:2] if "season" in dims else DIMS[:1]


# -- what each row is about -------------------------------------------------------------------------------------------
def _join(table: Table, layout: VisitLayout) -> _Joined:
    keys = [key for key in KEYS if key in table]
    if not keys:
        names = [str(name) for name in table.frame.columns]
        known = KEYS if layout.words == KEYS[2:4] else ("station", *layout.words, "date")
        hint = next((did_you_mean(name, known) for name in names if did_you_mean(name, known)), "")
        raise DataError(f"{table.name} has none of the columns {listed(known)}; it has {listed(names)}.{hint}")
    if {"station", "site"} <= set(keys) or {"visit", "date"} <= set(keys):
        raise DataError(f"{table.name} has the columns {listed(keys)}. Of station and site, visit and date, give one.")
    positions: dict[str, Rows] = {}
    if "station" in table or "site" in table:
        positions["site"] = _site(table, layout)
    if "season" in table:
        positions["season"] = _named(table, "season", [plan.label for plan in layout.seasons], layout.words[0])
    rows = np.arange(len(table), dtype=np.intp)
    if "date" in table:
        rows, positions = _by_date(table, layout, positions)
    elif "visit" in table:
        rows, positions = _by_visit(table, layout, positions)
    sizes = dict(zip(DIMS, layout.effort.shape, strict=True))
    ordered = {dim: positions[dim] for dim in DIMS if dim in positions}
    return _Joined(rows, ordered, tuple(sizes[dim] for dim in ordered))


def _site(table: Table, layout: VisitLayout) -> Rows:
    if "site" in table:
        return _named(table, "site", [str(name) for name in layout.sites.labels])
    return layout.sites.of_station[_named(table, "station", list(layout.stations))]


def _named(table: Table, column: str, known: list[str], called: str | None = None) -> Rows:
    labels = table.labels(column)
    codes = pd.Index(known, dtype=object).get_indexer(pd.Index(labels.names, dtype=object))
    rows = codes[labels.codes].astype(np.intp)
    if (rows < 0).any():
        value = labels.names[labels.codes[int((rows < 0).argmax())]]
        raise table.fail(
            rows < 0, f"unknown {called or column} '{value}'", f"Known: {listed(known)}.{did_you_mean(value, known)}"
        )
    return rows


def _by_visit(table: Table, layout: VisitLayout, positions: dict[str, Rows]) -> tuple[Rows, dict[str, Rows]]:
    visit = table.numbers("visit", whole=True, least=1).astype(np.intp) - 1
    n_visits, n_seasons = layout.effort.shape[2], len(layout.seasons)
    bad = visit >= n_visits
    if bad.any():
        word = layout.words[1]
        raise table.fail(bad, f"{word} {visit[bad.argmax()] + 1}", f"There are {n_visits} {word}s, counted from 1.")
    if "season" not in positions and n_seasons > 1:
        raise DataError(
            f"{table.name} has a column '{layout.words[1]}' and no '{layout.words[0]}', but there are {n_seasons} "
            f"{layout.words[0]}s. Add it."
        )
    rows = np.arange(len(table), dtype=np.intp)
    return rows, {"season": np.zeros(len(table), dtype=np.intp)} | positions | {"visit": visit}


def _by_date(table: Table, layout: VisitLayout, positions: dict[str, Rows]) -> tuple[Rows, dict[str, Rows]]:
    """Season and visit in which the dates lie; rows outside all of them are left out."""
    instant = _instants(table, layout)
    season = np.full(len(instant), -1, dtype=np.intp)
    visit = np.zeros(len(instant), dtype=np.intp)
    for number, plan in enumerate(layout.seasons):
        inside = (instant >= plan.first) & (instant < plan.last)
        season[inside], visit[inside] = number, plan.occasions.find(instant[inside])
    inside = season >= 0
    if "season" in positions:
        inside &= positions["season"] == season
    if not inside.any():
        raise DataError(f"{table.name}: no date lies in a visit. Correct the dates, or start and end of the history.")
    rows = np.flatnonzero(inside)
    return rows, {name: at[rows] for name, at in positions.items()} | {"season": season[rows], "visit": visit[rows]}


def _instants(table: Table, layout: VisitLayout) -> NDArray[np.int64]:
    """Instants of the dates, (n,); a date begins when occasions do."""
    codes, dates = pd.factorize(table.frame["date"].astype(object))
    if (codes < 0).any():
        raise table.fail(codes < 0, "the date is missing", "Fill it in, or remove the row.")
    hour = clock_hour(layout.occasion_start)
    wall = [moment(date, hour, layout.clock, f"{table.name}: date") for date in dates]
    return layout.clock.instants(layout.clock.local(pd.Series(wall, dtype="datetime64[ns]")))[codes]


# -- what the cells hold ----------------------------------------------------------------------------------------------
def _values(column: pd.Series[Any], joined: _Joined, table: Table) -> tuple[tuple[str, ...], NDArray[Any]]:
    """Value of each cell: mean of numbers, the word on which all rows agree; over the dims that the table has."""
    values, cell = column.to_numpy()[joined.rows], joined.cell
    size = int(np.prod(joined.shape))
    if column.dtype == np.float64:
        known = np.isfinite(values)
        total = np.bincount(cell[known], values[known], size)
        number = np.bincount(cell[known], minlength=size)
        result: NDArray[Any] = np.divide(total, number, out=np.full(size, np.nan), where=number > 0)
        return joined.dims, result.reshape(joined.shape)
    pairs = pd.DataFrame({"cell": cell, "value": values, "row": joined.rows}).dropna(subset=["value"])
    pairs = pairs.drop_duplicates(["cell", "value"])
    twice = pairs["cell"].duplicated()
    if twice.any():
        rows = pairs.loc[twice, "row"].to_numpy(np.intp)
        found = f"{column.name} is '{pairs.loc[twice, 'value'].iloc[0]}', which another row for the same visit says not"
        raise table.fail(rows, found, "Text cannot be averaged: give each one value.")
    words = np.full(size, None, dtype=object)
    words[pairs["cell"].to_numpy(np.intp)] = pairs["value"].to_numpy(object)
    return joined.dims, words.reshape(joined.shape)


def _by_site(dims: tuple[str, ...], array: NDArray[Any], layout: VisitLayout) -> NDArray[Any]:
    """Values along the dims of a covariate in a history, repeated along those that the table does not have."""
    full = _full(dims)
    index = tuple(slice(None) if dim in dims else np.newaxis for dim in full)
    return np.broadcast_to(array[index], layout.effort.shape[: len(full)]).copy()


def _check_missing(name: str, array: NDArray[Any], layout: VisitLayout) -> None:
    """Warn where a covariate is missing although there was effort."""
    visited = layout.effort > 0
    visited = visited.any(axis=tuple(range(array.ndim, 3))) if array.ndim < 3 else visited
    missing = np.asarray(pd.isna(array), dtype=bool) & visited
    if missing.any():
        what = ("site", f"site-{layout.words[0]}", layout.words[1])[array.ndim - 1]
        number = counted(int(missing.sum()), what)
        notice(
            f"covariate '{name}' is missing at {number} of {int(visited.sum()):,} with effort. Models that use it "
            "leave these out or refuse them; complete the table.",
            DataWarning,
        )
