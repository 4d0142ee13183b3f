"""The dataset of a detection history as tables: sites, visits, and a summary by season."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.covariates import from_coordinate
from leopardpop.data.detection_checks import site_covariates, visit_covariates

__all__ = ["naive_occupancy", "site_table", "summary_table", "visit_table", "visits_made"]

SITE, BY_SEASON = ("site",), ("site", "season")


def visits_made(dataset: xr.Dataset) -> NDArray[np.bool_]:
    """Return whether a visit was made for any species, (site, season, visit)."""
    known = ~np.isnan(dataset["y"].values)
    return known if known.ndim == 3 else known.any(axis=0)


def site_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Return one row a site, or a site and season if a covariate differs by season."""
    names = [name for name in ("easting", "northing") if name in dataset.coords] + site_covariates(dataset)
    dims = BY_SEASON if any(dataset[name].ndim == 2 for name in names) else SITE
    return _table(dataset, dims, names)


def visit_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Return one row a [species x] site x season x visit: y (NaN = no visit), effort, and covariates."""
    dims = tuple(str(dim) for dim in dataset["y"].dims)
    extra = [name for name in ("visit_start", "effort") if name in dataset.variables]
    names = [name for name in extra if name == "visit_start"] + ["y"] + [name for name in extra if name == "effort"]
    return _table(dataset, dims, [*names, *visit_covariates(dataset)])


def _table(dataset: xr.Dataset, dims: tuple[str, ...], names: list[str]) -> pd.DataFrame:
    shape = [dataset.sizes[dim] for dim in dims]
    columns: dict[str, Any] = {}
    for axis, dim in enumerate(dims):
        index = np.arange(int(np.prod(shape))) // int(np.prod(shape[axis + 1 :])) % shape[axis]
        columns[dim] = _plain(dataset[dim].values)[index]
    for name in names:
        own = [dim for dim in dims if dim in dataset[name].dims]
        values = dataset[name].transpose(*own).values[tuple(slice(None) if dim in own else None for dim in dims)]
        flat = np.broadcast_to(values, shape).ravel()
        columns[name] = from_coordinate(flat) if flat.dtype.kind in "Uf" else flat.copy()
    return pd.DataFrame({name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()})


def _plain(labels: NDArray[Any]) -> NDArray[Any]:
    return labels.astype(object) if labels.dtype.kind == "U" else labels


def naive_occupancy(dataset: xr.Dataset, at_least: int = 1) -> xr.DataArray:
    """Return the share of visited sites where something was seen, ([species,] season); NaN without a visit.

    Parameters
    ----------
    dataset
        The dataset of a history.
    at_least
        The smallest response that counts: 2 for breeding.
    """
    y = dataset["y"]
    visited = y.notnull().any("visit").sum("site")
    share: xr.DataArray = (y >= at_least).any("visit").sum("site") / visited.where(visited > 0)
    return share.drop_vars([str(name) for name in share.coords if name not in (*share.dims, "species")])


def summary_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Return one row a [species and] season: sites visited, visits made, detections, and the naive occupancy."""
    y, response = dataset["y"], dataset.attrs["response"]
    made = y.notnull()
    columns = {
        "sites": made.any("visit").sum("site"),
        "visits": made.sum(["site", "visit"]),
        "detections": (y > 0).sum(["site", "visit"]),
        "sites_detected": (y > 0).any("visit").sum("site"),
        "naive_occupancy": naive_occupancy(dataset),
    }
    if response == "count":
        columns["total"] = y.fillna(0).sum(["site", "visit"]).astype(np.int64)
    if response == "state":
        columns["sites_breeding"] = (y == 2).any("visit").sum("site")
        columns["naive_breeding"] = naive_occupancy(dataset, 2)
    dims = [dim for dim in ("species", "season") if dim in y.dims]
    shape = [dataset.sizes[dim] for dim in dims]
    labels = np.meshgrid(*(_plain(dataset[dim].values) for dim in dims), indexing="ij")
    table = {dim: each.ravel() for dim, each in zip(dims, labels, strict=True)}
    return pd.DataFrame(
        table | {name: values.transpose(*dims).values.reshape(shape).ravel() for name, values in columns.items()}
    )
