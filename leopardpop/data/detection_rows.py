"""Sites, seasons and species of a table of responses, and the place of each of its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.detection_covariates import Frame
from leopardpop.data.detection_dataset import MOST_CELLS
from leopardpop.data.detection_grid import Grid, Seasons, column_grid, find, key_labels, long_grid, row_grid
from leopardpop.data.detection_sources import Responses
from leopardpop.data.names import counted, listed
from leopardpop.data.notices import notice
from leopardpop.data.tables import Table, positions
from leopardpop.errors import DataError, DataWarning

__all__ = ["Rows", "lay_out_rows"]


@dataclass(frozen=True, slots=True)
class Rows:
    """The table of responses with the place of each row."""

    found: Responses
    frame: Frame
    site: NDArray[np.intp]
    """Site of each row."""
    species: tuple[str, ...]
    """Labels; empty if the table does not say them."""
    of_species: NDArray[np.intp]
    """Species of each row."""

    @property
    def table(self) -> Table:
        """The table."""
        return self.found.table

    def first_species(self) -> NDArray[np.intp]:
        """Return the rows of the first species, whose order tables without labels follow."""
        return np.flatnonzero(self.of_species == 0)


def lay_out_rows(found: Responses, sites: Table | None, seasons: Seasons) -> tuple[Rows, NDArray[np.intp] | None]:
    """Find the sites, and the site of each row of either table.

    Parameters
    ----------
    found
        The table of responses.
    sites
        The table of sites, or None.
    seasons
        What the user says of seasons.

    Returns
    -------
    rows : Rows
        Of the table of responses.
    of_sites : numpy.ndarray or None
        Site of each row of the site table.

    Raises
    ------
    DataError
        If a site is not in the site table, or rows cannot be matched.

    Warns
    -----
    DataWarning
        If the site table has sites without a row of responses.
    """
    species, of_species = _species(found.table)
    labels = _row_labels(found, of_species, sites)
    order = _site_order(labels, sites, found, of_species)
    grid = _grid(found, seasons)
    cells = len(species or "1") * len(order) * len(grid.seasons) * grid.n_visits
    if cells > MOST_CELLS:
        raise DataError(f"y would have {cells:,} cells, more than the {MOST_CELLS:,} that are possible.")
    named = "site" in found.table
    place = find(found.table, "site", order, "the site table") if named else positions(labels, order)
    rows = Rows(found, Frame(order, grid), place, species, of_species)
    if sites is None:
        return rows, None
    of_table = find(sites, "site", order, "y") if "site" in sites else np.arange(len(sites), dtype=np.intp)
    _warn_absent(rows, sites)
    return rows, of_table


def _species(table: Table) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    if "species" not in table:
        return (), np.zeros(len(table), dtype=np.intp)
    labels = key_labels(table, "species")
    return tuple(labels.names.tolist()), labels.codes


def _row_labels(found: Responses, of_species: NDArray[np.intp], sites: Table | None) -> NDArray[np.object_]:
    """Return the site of each row of y: its label, else by position that of the site table, else the number."""
    if found.has_sites:
        labels = key_labels(found.table, "site")
        return np.asarray(labels.names[labels.codes], dtype=object)
    if "season" in found.table:
        raise DataError(f"{found.table.name} has a column 'season' and no column 'site'. Add it.")
    number = pd.Series(of_species).groupby(of_species).cumcount().to_numpy()
    n_rows = int(number.max()) + 1
    names = np.array([str(i + 1) for i in range(n_rows)], dtype=object)
    if sites is not None and "site" in sites:
        own = key_labels(sites, "site")
        names = np.asarray(own.names if "season" in sites else own.names[own.codes], dtype=object)
    if sites is not None and (len(names) if "site" in sites else len(sites)) != n_rows:
        found_rows = f"{found.table.name} has {counted(n_rows, 'row')} and {sites.name} {len(sites)}"
        raise DataError(f"{found_rows}, and {found.table.name} has no column 'site' to match them by. Add it.")
    return names[number]


def _site_order(
    labels: NDArray[np.object_], sites: Table | None, found: Responses, of_species: NDArray[np.intp]
) -> tuple[str, ...]:
    """Return the sites, in the order of the site table if there is one."""
    own = tuple(dict.fromkeys(labels.tolist()))
    if sites is None:
        return own
    if "site" in sites:
        return tuple(key_labels(sites, "site").names.tolist())
    if len(sites) != len(own):
        raise DataError(
            f"{sites.name} has {counted(len(sites), 'row')} and y {counted(len(own), 'site')}, and {sites.name} has no "
            f"column 'site' to match them by; its columns are {listed(sites.frame.columns)}. Add it, or say "
            "columns={'sites': {'their name': 'site'}}."
        )
    return own


def _grid(found: Responses, seasons: Seasons) -> Grid:
    if found.is_long:
        return long_grid(found.table, seasons)
    if "season" in found.table:
        return row_grid(found.table, len(found.columns), seasons)
    return column_grid(len(found.columns), seasons, found.table.name)


def _warn_absent(rows: Rows, sites: Table) -> None:
    absent = np.setdiff1d(np.arange(len(rows.frame.sites)), rows.site)
    if absent.size:
        names = listed(rows.frame.sites[i] for i in absent.tolist())
        found = f"{counted(absent.size, 'site')} of {sites.name} not in {rows.table.name}: {names}"
        notice(f"{found}. Kept as never visited.", DataWarning)
