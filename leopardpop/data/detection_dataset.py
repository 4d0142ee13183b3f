"""The dataset inside a detection history: brought into one form, and checked."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.covariates import as_covariates, to_coordinate
from leopardpop.data.detection_checks import (
    DIMS,
    SEASON_DIMS,
    VISIT_DIMS,
    check_covariate_name,
    check_response,
    check_unique,
    check_values,
    clean_label,
)
from leopardpop.data.effort_table import unit_name
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.projections import LOCAL, check_metres, check_place
from leopardpop.errors import DataError

__all__ = ["MOST_CELLS", "adopt_detections", "home_of", "select"]

MOST_CELLS = 200_000_000
"""Cells of y that are taken for data and not for a mistake: 1.6 GB."""


def adopt_detections(data: xr.Dataset | xr.DataArray) -> xr.Dataset:
    """Bring a dataset into the form that a detection history has, and check it.

    Parameters
    ----------
    data
        ``y`` with dims site, visit [, season] [, species] in any order, alone or with covariates.

    Returns
    -------
    xarray.Dataset
        See :attr:`leopardpop.DetectionHistory.dataset`; read-only arrays.

    Raises
    ------
    DataError
        Naming the species, site, season and visit of the first value that cannot be.
    """
    source = data.to_dataset(name="y") if isinstance(data, xr.DataArray) else data
    dims = _dims(source)
    labels: dict[str, NDArray[Any]] = {dim: _labels(source, dim) for dim in dims if dim != "visit"}
    labels["visit"] = np.arange(1, source.sizes["visit"] + 1)
    shape = {dim: len(values) for dim, values in labels.items()}
    variables = {"y": (dims, _y(source, dims, shape))} | _others(source, shape)
    attributes = _attributes(source, variables["y"][1])
    made = _assemble(variables, labels, attributes, _one_species(source, dims))
    check_values(made)
    if "easting" in made.coords:  # "" says that the system is known to be none
        crs = source.attrs.get("crs")
        check_place(made["easting"].values, made["northing"].values, LOCAL if crs == "" else crs, "site")
    return made


# -- dims and labels --------------------------------------------------------------------------------------------------
def _dims(source: xr.Dataset) -> tuple[str, ...]:
    if "y" not in source.variables:
        raise DataError(
            f"this is not the dataset of a detection history: it has no variable 'y', only {listed(map(str, source))}. "
            "Name the detections 'y', or use DetectionHistory.from_tables for tables."
        )
    found = [str(dim) for dim in source["y"].dims]
    unknown = [dim for dim in found if dim not in DIMS]
    missing = [dim for dim in ("site", "visit") if dim not in found]
    if unknown or missing:
        fault = f"has the dimension '{unknown[0]}'" if unknown else f"has no dimension '{missing[0]}'"
        raise DataError(
            f"y {fault}; its dimensions are site and visit, and if there are several season and species. "
            "Rename them with rename().",
            offenders=unknown or missing,
        )
    if not all(source.sizes[dim] for dim in found):
        raise DataError(f"y is empty: {', '.join(f'{source.sizes[dim]} {dim}s' for dim in found)}.")
    return ("species", *VISIT_DIMS) if "species" in found else VISIT_DIMS


def _labels(source: xr.Dataset, dim: str) -> NDArray[np.str_]:
    """Return labels as str; "1", "2", … if there are none."""
    if dim not in source["y"].dims:  # one season, of which the label may be a scalar coordinate
        words = (
            [clean_label(source[dim].values.item(), dim)] if dim in source.coords and not source[dim].ndim else ["1"]
        )
    elif dim in source.coords:
        words = [clean_label(value, dim) for value in source[dim].values.tolist()]
    else:
        words = [str(i + 1) for i in range(source.sizes[dim])]
    check_unique(words, dim)
    return np.array(words, dtype=np.str_)


def _one_species(source: xr.Dataset, dims: tuple[str, ...]) -> str | None:
    """Return the species of a history of one, if it has a name."""
    if "species" in dims or "species" not in source.coords or source["species"].ndim:
        return None
    return clean_label(source["species"].values.item(), "species")


# -- values -----------------------------------------------------------------------------------------------------------
def _y(source: xr.Dataset, dims: tuple[str, ...], shape: dict[str, int]) -> NDArray[np.float64]:
    cells = int(np.prod([shape[dim] for dim in dims], dtype=float))
    if cells > MOST_CELLS:
        raise DataError(f"y would have {cells:,} cells, more than the {MOST_CELLS:,} that are possible.")
    try:
        values = source["y"].astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"y has values that are no numbers: {error}. Use NaN where there was no visit.") from error
    return _spread(values, dims, shape).copy()


def _spread(values: xr.DataArray, dims: tuple[str, ...], shape: dict[str, int]) -> NDArray[Any]:
    """Return values along some dims, repeated along those that they lack."""
    present = [dim for dim in dims if dim in values.dims]
    array = values.transpose(*present).values
    index = tuple(slice(None) if dim in present else np.newaxis for dim in dims)
    return np.broadcast_to(array[index], [shape[dim] for dim in dims])


def _others(source: xr.Dataset, shape: dict[str, int]) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
    """Return effort, positions, times and covariates, each along its own dims."""
    variables = {}
    for name, values in source.variables.items():
        if name in (*DIMS, "y") or not values.ndim:
            continue
        array = source[name]
        dims = _home(name, array)
        check_covariate_name(str(name), "visit" if "visit" in dims else "site", own=True)
        variables[str(name)] = (dims, _typed(str(name), _spread(array, dims, shape)))
    return variables


def _home(name: Hashable, array: xr.DataArray) -> tuple[str, ...]:
    """Return the dims that a variable has in a history."""
    unknown = [dim for dim in array.dims if dim not in VISIT_DIMS]
    if unknown:
        raise DataError(
            f"'{name}' has the dimension '{unknown[0]}'; beside y, a detection history has values by site, by site "
            "and season, and by site, season and visit.",
            offenders=[name],
        )
    if name == "visit_start":
        return ("season", "visit")
    if name in ("easting", "northing"):
        return ("site",)
    return (
        VISIT_DIMS
        if "visit" in array.dims or name == "effort"
        else SEASON_DIMS
        if "season" in array.dims
        else ("site",)
    )


def _typed(name: str, values: NDArray[Any]) -> NDArray[Any]:
    if name == "visit_start":
        return values.astype("datetime64[ns]")
    if name in ("effort", "easting", "northing") and values.dtype.kind not in "fiub":
        raise DataError(f"'{name}' has values that are no numbers. Give numbers.", offenders=[name])
    table = as_covariates(pd.DataFrame({name: values.ravel()}), values.size, "site")
    return to_coordinate(table[name]).reshape(values.shape)


# -- all of it --------------------------------------------------------------------------------------------------------
def _attributes(source: xr.Dataset, y: NDArray[np.float64]) -> dict[str, str]:
    given = source.attrs | (source["y"].attrs if "response" in source["y"].attrs else {})
    return {
        "response": check_response(given.get("response") or None, y),
        "effort_unit": unit_name(given.get("effort_unit")),
        "crs": check_metres(given.get("crs") or None) or "",
    }


def _assemble(
    variables: dict[str, tuple[tuple[str, ...], NDArray[Any]]],
    labels: dict[str, NDArray[Any]],
    attributes: dict[str, str],
    species: str | None,
) -> xr.Dataset:
    for _, array in variables.values():
        array.flags.writeable = False
    is_data = {name: "visit" in dims and name != "visit_start" for name, (dims, _) in variables.items()}
    coords: dict[str, Any] = {dim: (dim, values) for dim, values in labels.items()}
    coords |= {name: each for name, each in variables.items() if not is_data[name]}
    if species is not None:
        coords["species"] = species
    dataset = xr.Dataset(
        {name: each for name, each in variables.items() if is_data[name]}, coords=coords, attrs=attributes
    )
    for name, unit in (("easting", "m"), ("northing", "m"), ("effort", attributes["effort_unit"])):
        if name in dataset.variables:
            dataset[name].attrs["units"] = unit
    return dataset


# -- parts of it ------------------------------------------------------------------------------------------------------
def home_of(dataset: xr.Dataset, name: str) -> str:
    """Return whether a label is one of a "season" or of a "species".

    Raises
    ------
    DataError
        If it is neither, or both.
    """
    labels = {dim: dataset[dim].values.tolist() for dim in ("species", "season") if dim in dataset.dims}
    homes = [dim for dim, names in labels.items() if name in names]
    if len(homes) > 1:
        raise DataError(
            f"'{name}' is both a season and a species. Say which: history.select(season='{name}') or "
            f"history.select(species='{name}').",
            offenders=[name],
        )
    if not homes:
        words = "; ".join(f"{'seasons' if dim == 'season' else dim} are {listed(of)}" for dim, of in labels.items())
        hint = did_you_mean(name, [each for of in labels.values() for each in of])
        raise DataError(f"there is no season or species '{name}'; {words}.{hint}", offenders=[name])
    return homes[0]


def select(dataset: xr.Dataset, *, species: str | None = None, season: str | None = None) -> xr.Dataset:
    """Return one species (without its dim), one season (with it), or both.

    Raises
    ------
    DataError
        If there is no such label.
    """
    chosen = dataset
    for dim, name in (("species", species), ("season", season)):
        if name is None:
            continue
        names = np.atleast_1d(chosen[dim].values).tolist() if dim in chosen.coords else []
        if name not in names:
            hint = did_you_mean(str(name), names)
            raise DataError(f"there is no {dim} {name!r}; there is {listed(names)}.{hint}", offenders=[name])
        if dim in chosen.dims:
            position = names.index(name)
            chosen = chosen.isel({dim: [position] if dim == "season" else position})
    return chosen
