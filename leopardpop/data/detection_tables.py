"""From tables to the dataset of a detection history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.detection_checks import cells_where, check_covariate_name, first_cell, missing_covariates
from leopardpop.data.detection_covariates import Frame, Variable, long_covariate, site_variables, wide_covariate
from leopardpop.data.detection_effort import settle_effort
from leopardpop.data.detection_grid import Seasons, find, visit_numbers
from leopardpop.data.detection_rows import Rows, lay_out_rows
from leopardpop.data.detection_sources import VisitSource, as_table, load_responses
from leopardpop.data.detection_values import response_columns
from leopardpop.data.names import counted, did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.data.tables import Table, TableSource
from leopardpop.data.zero_effort import ZERO_EFFORT
from leopardpop.errors import DataError, DataWarning

__all__ = ["DetectionOptions", "VisitCovariates", "build_detections", "warn_of_gaps"]

VisitCovariates = Mapping[str, Any] | Sequence[str] | TableSource
"""Covariate -> wide table, array or column of a long y; or columns of a long y; or a long table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionOptions:
    """What the tables cannot say themselves; checked when it is made."""

    seasons: Seasons = 1
    response: str | None = None
    visits: Sequence[str] | None = None
    effort_unit: str | None = None
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    crs: str | None = None
    on_zero_effort: str = "raise"

    def __post_init__(self) -> None:
        if self.on_zero_effort not in ZERO_EFFORT:
            hint = did_you_mean(str(self.on_zero_effort), ZERO_EFFORT)
            raise DataError(
                f"on_zero_effort={self.on_zero_effort!r} is not known; choose one of {listed(ZERO_EFFORT)}.{hint}"
            )


def build_detections(
    y: VisitSource | Mapping[str, VisitSource],
    sites: TableSource | None,
    covariates: VisitCovariates | None,
    options: DetectionOptions,
) -> tuple[xr.Dataset, pd.DataFrame]:
    """Check tables against each other and make the dataset of a detection history.

    Parameters
    ----------
    y, sites, covariates
        See :meth:`leopardpop.DetectionHistory.from_tables`.
    options
        What the tables cannot say.

    Returns
    -------
    dataset : xarray.Dataset
        Before :func:`leopardpop.data.detection_dataset.adopt_detections`.
    audit : pandas.DataFrame
        Visits that were not taken as they are.

    Raises
    ------
    DataError
        At the first contradiction, naming the line.
    """
    _check_roles(options, covariates)
    found = load_responses(y, options.visits, options.columns.get("y"))
    site_table = None if sites is None else as_table(sites, "sites", options.columns.get("sites"))
    rows, site_rows = lay_out_rows(found, site_table, options.seasons)
    values = _responses(rows, options.response)
    of_sites, of_visits = _site_variables(rows, site_table, site_rows), _visit_variables(rows, covariates, options)
    _check_apart(of_visits, of_sites, "the covariates of sites and those of visits")
    variables = of_sites | of_visits
    values, audit = settle_effort(values, variables, rows, options.on_zero_effort)
    dataset = _dataset(values, variables, rows, options)
    return dataset, audit


def _check_roles(options: DetectionOptions, covariates: VisitCovariates | None) -> None:
    roles = ["y", "sites", *(covariates if isinstance(covariates, Mapping) else ["visit_covariates"])]
    unknown = [role for role in options.columns if role not in roles]
    if unknown:
        hint = did_you_mean(unknown[0], roles)
        raise DataError(f"columns= has '{unknown[0]}'; it can have {listed(roles)}.{hint}", offenders=unknown)


# -- responses --------------------------------------------------------------------------------------------------------
def _responses(rows: Rows, response: str | None) -> NDArray[np.float64]:
    """Return y (species, site, season, visit), NaN = no visit."""
    found, frame = rows.found, rows.frame
    hint = ""
    if not found.is_long and not found.others:
        hint = " If it is no visit, say which columns are: visits=[...]; the others are then covariates of sites."
    cells = response_columns(found.table, found.columns, response, hint)
    season = frame.seasons_of(found.table)
    _check_repeats(rows, season)
    y = np.full((max(1, len(rows.species)), *frame.shape), np.nan)
    if found.is_long:
        place = np.zeros(len(cells), dtype=np.intp) if season is None else season
        y[rows.of_species, rows.site, place, visit_numbers(found.table)] = cells[:, 0]
        return y
    block, visit = frame.grid.columns()
    place = block[None, :] if season is None else season[:, None]
    y[rows.of_species[:, None], rows.site[:, None], place, visit] = cells
    return y


def _check_repeats(rows: Rows, season: NDArray[np.intp] | None) -> None:
    keys = {"species": rows.of_species, "site": rows.site}
    if season is not None:
        keys["season"] = season
    if rows.found.is_long:
        keys["visit"] = visit_numbers(rows.table)
    twice = pd.DataFrame(keys).duplicated(keep=False).to_numpy()
    if twice.any():
        name = rows.frame.sites[rows.site[int(twice.argmax())]]
        what = "visit" if rows.found.is_long else "season" if season is not None else "site"
        raise rows.table.fail(
            twice, f"site '{name}' has more than one row for the same {what}", f"Keep one row of each {what}."
        )
    _check_every_species(rows)


def _check_every_species(rows: Rows) -> None:
    """Refuse a site that one species has and another has not: it is the same visit."""
    if rows.found.is_long or len(rows.species) < 2:
        return
    present = np.zeros((len(rows.species), len(rows.frame.sites)), dtype=np.bool_)
    present[rows.of_species, rows.site] = True
    lacking = present.any(axis=0) & ~present
    if lacking.any():
        k, i = np.argwhere(lacking)[0]
        raise DataError(
            f"species '{rows.species[k]}' has no row for site '{rows.frame.sites[i]}', which other species have. Add "
            "it, with 0 where it was not seen.",
            offenders=[rows.frame.sites[j] for j in np.flatnonzero(lacking[k])],
        )


# -- covariates -------------------------------------------------------------------------------------------------------
def _site_variables(rows: Rows, sites: Table | None, site_rows: NDArray[np.intp] | None) -> dict[str, Variable]:
    variables: dict[str, Variable] = {}
    if sites is not None and site_rows is not None:
        names = [str(name) for name in sites.frame.columns if name not in ("site", "season")]
        variables = site_variables(sites, site_rows, names, rows.frame)
    if not rows.found.is_long:
        own = site_variables(rows.table, rows.site, rows.found.others, rows.frame, repeats=True)
        _check_apart(own, variables, f"{rows.table.name} and the site table")
        variables |= own
    return variables


def _check_apart(one: Mapping[str, Any], other: Mapping[str, Any], where: str) -> None:
    both = [name for name in one if name in other]
    if both:
        raise DataError(f"'{both[0]}' is in both {where}. Leave it out of one, or rename it.", offenders=both)


def _visit_variables(rows: Rows, covariates: VisitCovariates | None, options: DetectionOptions) -> dict[str, Variable]:
    if isinstance(covariates, (pd.DataFrame, str, PathLike)):
        return _long_table(as_table(covariates, "visit_covariates", options.columns.get("visit_covariates")), rows)
    if rows.found.is_long:
        return _of_long_responses(rows, covariates, options)
    if covariates is None:
        return {}
    if not isinstance(covariates, Mapping):
        raise DataError("visit_covariates= needs a dict: covariate -> table with a column for each visit.")
    return {str(name): _wide(source, str(name), rows, options) for name, source in covariates.items()}


def _long_table(table: Table, rows: Rows) -> dict[str, Variable]:
    if "site" not in table or "visit" not in table:
        raise DataError(
            f"{table.name} has no columns 'site' and 'visit'; its columns are {listed(table.frame.columns)}. For a "
            "table with a column for each visit give a dict: covariate -> table."
        )
    site = find(table, "site", rows.frame.sites, "the sites of y")
    names = [str(name) for name in table.frame.columns if name not in ("species", "site", "season", "visit")]
    return {name: _long(table, site, name, name, rows.frame) for name in names}


def _long(table: Table, site: NDArray[np.intp], column: str, name: str, frame: Frame) -> Variable:
    check_covariate_name(name, "visit", own=name == "effort")
    return long_covariate(table, site, column, name, frame)


def _of_long_responses(
    rows: Rows, covariates: VisitCovariates | None, options: DetectionOptions
) -> dict[str, Variable]:
    """Return the covariates of a long table of responses; columns that are not named are of sites."""
    others = rows.found.others
    sources = _named(covariates, others)
    own = {name: source for name, source in sources.items() if isinstance(source, str) and source in others}
    _check_exist(sources, own, rows)
    variables = {name: _long(rows.table, rows.site, column, name, rows.frame) for name, column in own.items()}
    variables |= {name: _wide(source, name, rows, options) for name, source in sources.items() if name not in own}
    rest = [name for name in others if name not in own.values()]
    of_sites = site_variables(rows.table, rows.site, rest, rows.frame, repeats=True)
    _check_apart(of_sites, variables, f"{rows.table.name} and the covariates of visits")
    return variables | of_sites


def _named(covariates: Any, others: Sequence[str]) -> dict[str, Any]:
    """Return covariate -> column or table: all columns that are no labels if nothing is said."""
    if covariates is None:
        return {name: name for name in others}
    if isinstance(covariates, Mapping):
        return {str(name): source for name, source in covariates.items()}
    if isinstance(covariates, Sequence):
        return {str(name): str(name) for name in covariates}
    raise DataError(f"visit_covariates= is a {type(covariates).__name__}; a list of columns or a dict is needed.")


def _check_exist(sources: Mapping[str, Any], own: Mapping[str, Any], rows: Rows) -> None:
    for name, source in sources.items():
        if name not in own and isinstance(source, str) and "." not in source:
            hint = did_you_mean(source, rows.found.others)
            raise DataError(
                f"visit_covariates= names '{source}', which is not a column of {rows.table.name}; they are "
                f"{listed(rows.found.others)}.{hint}",
                offenders=[source],
            )


def _wide(source: Any, name: str, rows: Rows, options: DetectionOptions) -> Variable:
    check_covariate_name(name, "visit", own=name == "effort")
    table = as_table(source, name, options.columns.get(name))
    if "site" in table:
        return wide_covariate(table, find(table, "site", rows.frame.sites, "the sites of y"), name, rows.frame)
    if rows.found.is_long:
        raise DataError(f"{table.name} has no column 'site'. Add it.")
    first = rows.first_species()
    if len(first) != len(table):
        raise DataError(
            f"{table.name} has {counted(len(table), 'row')} and y {len(first)}, and {table.name} has no column 'site' "
            "to match them by. Add it."
        )
    season = rows.frame.seasons_of(rows.table)
    if season is not None:
        table.frame.insert(0, "season", np.array(rows.frame.grid.seasons, dtype=object)[season[first]])
    return wide_covariate(table, rows.site[first], name, rows.frame)


# -- all of it --------------------------------------------------------------------------------------------------------
def _dataset(
    y: NDArray[np.float64], variables: Mapping[str, Variable], rows: Rows, options: DetectionOptions
) -> xr.Dataset:
    if np.isnan(y).all():
        raise DataError(
            f"{rows.table.name} has no visit: every cell is blank. Write 0 where nothing was seen on a visit."
        )
    dims: tuple[str, ...] = ("site", "season", "visit")
    data: dict[str, Any] = {"y": (("species", *dims), y) if rows.species else (dims, y[0])}
    data |= {name: each for name, each in variables.items() if "visit" in each[0]}
    coords: dict[str, Any] = {"site": list(rows.frame.sites), "season": list(rows.frame.grid.seasons)}
    coords["visit"] = np.arange(1, rows.frame.grid.n_visits + 1)
    coords |= {name: each for name, each in variables.items() if "visit" not in each[0]}
    if rows.species:
        coords["species"] = list(rows.species)
    attributes = {"response": options.response, "effort_unit": options.effort_unit, "crs": options.crs}
    dataset = xr.Dataset(data, coords=coords, attrs=attributes)
    warn_of_gaps(dataset)
    return dataset


def warn_of_gaps(dataset: xr.Dataset) -> None:
    """Warn if nothing was detected, and of each covariate that is missing somewhere.

    Parameters
    ----------
    dataset
        Of a detection history.
    """
    y = dataset["y"].values if "species" in dataset["y"].dims else dataset["y"].values[None]
    never = ~(y > 0).any(axis=(1, 2, 3))
    if never.any():
        of = f" of {listed(dataset['species'].values[never].tolist())}" if "species" in dataset.dims else ""
        notice(f"nothing was detected{of} at any site: y is 0 on all visits. Kept; such data say little.", DataWarning)
    made = ~np.isnan(y).all(axis=0)
    for name, missing in missing_covariates(dataset, made).items():
        every = int(made.sum()) if missing.ndim == 3 else missing.size
        of = {1: "sites", 2: "sites and seasons", 3: "visits made"}[missing.ndim]
        cells = cells_where(dataset, missing, [str(dim) for dim in dataset[name].dims])
        where = first_cell(cells, [str(dim) for dim in dataset[name].dims], total=False)
        notice(f"{name} is missing at {len(cells):,} of {every:,} {of} (first: {where}). Kept as missing.", DataWarning)
