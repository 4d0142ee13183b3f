"""Covariates of sites and of visits, brought into the order of the sites and seasons of a detection history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import to_coordinate
from leopardpop.data.detection_checks import check_covariate_name
from leopardpop.data.detection_grid import Grid, find, visit_numbers
from leopardpop.data.detection_values import typed_column
from leopardpop.data.names import counted
from leopardpop.data.tables import Table
from leopardpop.errors import DataError

__all__ = ["Frame", "Variable", "long_covariate", "site_variables", "wide_covariate"]

Variable = tuple[tuple[str, ...], NDArray[Any]]
"""Dims and values."""

VISIT = ("site", "season", "visit")
POSITIONS = {"x": "easting", "y": "northing", "easting": "easting", "northing": "northing"}


@dataclass(frozen=True, slots=True)
class Frame:
    """Sites, seasons and visits that values are laid out on."""

    sites: tuple[str, ...]
    grid: Grid

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of sites, seasons and visits."""
        return len(self.sites), len(self.grid.seasons), self.grid.n_visits

    def empty(self, like: NDArray[Any], n_dims: int) -> NDArray[Any]:
        """Return an array of missing values for the first of the dims."""
        missing: Any = np.nan if like.dtype == np.float64 else None
        return np.full(self.shape[:n_dims], missing, dtype=like.dtype)

    def seasons_of(self, table: Table) -> NDArray[np.intp] | None:
        """Return the season of each row, ``None`` if the table does not say it."""
        return find(table, "season", self.grid.seasons, "the seasons of y") if "season" in table else None


def stored(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as a dataset holds them: missing text is ""."""
    flat = pd.Series(values.ravel(), dtype=values.dtype)
    return to_coordinate(flat).reshape(values.shape)


# -- of sites ---------------------------------------------------------------------------------------------------------
def site_variables(
    table: Table, site: NDArray[np.intp], names: Sequence[str], frame: Frame, *, repeats: bool = False
) -> dict[str, Variable]:
    """Return columns of a table as variables of sites, or of sites and seasons if they differ by season.

    Parameters
    ----------
    table
        The table, with a column "season" or not.
    site
        Site of each row.
    names
        Columns; x and y are the position in metres.
    frame
        Sites and seasons.
    repeats
        Whether a site may have several rows, which then must say the same.

    Raises
    ------
    DataError
        If a site occurs twice, or says different things.
    """
    season = frame.seasons_of(table)
    if not repeats:
        _check_once(table, site, season, frame)
    variables = {}
    for name in names:
        ours = POSITIONS.get(name, name)
        check_covariate_name(ours, "site", own=name in POSITIONS)
        values = table.numbers(name) if name in POSITIONS else typed_column(table, [name], name)[:, 0]
        variables[ours] = _by_site(table, values, name, site, season, frame)
    return variables


def _check_once(table: Table, site: NDArray[np.intp], season: NDArray[np.intp] | None, frame: Frame) -> None:
    key = site if season is None else site * len(frame.grid.seasons) + season
    twice = pd.Series(key).duplicated(keep=False).to_numpy()
    if twice.any():
        row = int(twice.argmax())
        where = f" in season '{frame.grid.seasons[season[row]]}'" if season is not None else ""
        raise table.fail(
            twice, f"site '{frame.sites[site[row]]}' occurs more than once{where}", "Keep one row of each site."
        )


def _by_site(
    table: Table,
    values: NDArray[Any],
    name: str,
    site: NDArray[np.intp],
    season: NDArray[np.intp] | None,
    frame: Frame,
) -> Variable:
    """Lay values out by site if each site has one value, else by site and season."""
    by_site = frame.empty(values, 1)
    by_site[site[::-1]] = values[::-1]  # the first row of a site is written last
    differs = ~_same(values, by_site[site])
    if not differs.any():
        return ("site",), stored(by_site)
    if season is None or name in POSITIONS:
        row = int(differs.argmax())
        found = f"{name} of site '{frame.sites[site[row]]}' is not what it is in an earlier row"
        advice = "Correct it" + ("." if name in POSITIONS else ", or give a column 'season' if it differs by season.")
        raise table.fail(differs, found, advice)
    both = frame.empty(values, 2)
    both[site[::-1], season[::-1]] = values[::-1]
    again = ~_same(values, both[site, season])
    if again.any():
        row = int(again.argmax())
        where = f"site '{frame.sites[site[row]]}' in season '{frame.grid.seasons[season[row]]}'"
        raise table.fail(
            again,
            f"{name} of {where} is not what it is in an earlier row",
            "Is it a covariate of visits? Name it there.",
        )
    return ("site", "season"), stored(both)


def _same(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = np.asarray(one == other, dtype=np.bool_)
    return same | np.asarray(pd.isna(one) & pd.isna(other), dtype=np.bool_)


# -- of visits --------------------------------------------------------------------------------------------------------
def wide_covariate(table: Table, site: NDArray[np.intp], name: str, frame: Frame) -> Variable:
    """Return a wide table of one covariate by site, season and visit.

    Parameters
    ----------
    table
        A column for each visit, as in the table of responses.
    site
        Site of each row.
    name
        What it is called.
    frame
        Sites, seasons and visits.

    Raises
    ------
    DataError
        If the number of columns is another one, a row occurs twice, or a cell cannot be.
    """
    columns = [column for column in table.frame.columns if column not in ("species", "site", "season")]
    season = frame.seasons_of(table)
    grid = frame.grid if season is None else Grid(frame.grid.seasons, frame.grid.blocks, by_row=True)
    if season is None and grid.by_row:
        grid = Grid(grid.seasons, grid.blocks)
    if len(columns) != grid.n_columns:
        raise DataError(
            f"{table.name} has {counted(len(columns), 'column')} of visits, but y has {grid.n_columns}. Give "
            f"'{name}' a column for each visit, blank where it is unknown.",
            offenders=columns,
        )
    _check_once(table, site, season, frame)
    values = _visit_values(table, columns, name)
    result = frame.empty(values, 3)
    block, visit = grid.columns()
    rows = np.zeros((len(table), 1), dtype=np.intp) + (block if season is None else season[:, None])
    result[site[:, None], rows, visit] = values
    return VISIT, stored(result)


def _visit_values(table: Table, columns: Sequence[str], name: str) -> NDArray[Any]:
    if name != "effort":
        return typed_column(table, columns, name)
    numbers = [
        table.numbers(
            column, least=0, blank=np.nan, called="effort" + (f" in column '{column}'" if len(columns) > 1 else "")
        )
        for column in columns
    ]
    return np.stack(numbers, axis=1)


def long_covariate(table: Table, site: NDArray[np.intp], column: str, name: str, frame: Frame) -> Variable:
    """Return a column of a table with a row for each visit by site, season and visit.

    Parameters
    ----------
    table
        Columns site [, season], visit and the covariate.
    site
        Site of each row.
    column
        The column.
    name
        What it is called.
    frame
        Sites, seasons and visits.

    Raises
    ------
    DataError
        If a visit says two things, y does not have it, or a cell cannot be.
    """
    season = frame.seasons_of(table)
    visit = visit_numbers(table)
    place = np.zeros(len(table), dtype=np.intp) if season is None else season
    beyond = visit >= frame.grid.n_visits
    if beyond.any():
        found = f"visit {visit[beyond][0] + 1} does not exist in y, which has {frame.grid.n_visits}"
        raise table.fail(beyond, found, "Correct its number, or remove the row.")
    values = _visit_values(table, [column], name)[:, 0]
    result = frame.empty(values, 3)
    result[site[::-1], place[::-1], visit[::-1]] = values[::-1]
    differs = ~_same(values, result[site, place, visit])
    if differs.any():
        found = (
            f"{name} of site '{frame.sites[site[int(differs.argmax())]]}' is not what an earlier row says of the visit"
        )
        raise table.fail(differs, found, "Keep one of them.")
    return VISIT, stored(result)
