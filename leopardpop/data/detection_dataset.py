"""The dataset inside a detection history: brought into one form, and checked."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.covariates import LINE_BREAKS, as_covariates, to_coordinate
from leopardpop.data.effort_table import unit_name
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.projections import LOCAL, check_metres, check_place
from leopardpop.data.tables import label
from leopardpop.errors import DataError

__all__ = [
    "LARGEST",
    "OWN",
    "RESPONSES",
    "adopt_detections",
    "cells_where",
    "check_covariate_name",
    "check_response",
    "check_unique",
    "clean_label",
    "site_covariates",
    "visit_covariates",
]

RESPONSES = {"binary": "0 or 1", "count": "whole numbers from 0", "state": "0, 1 (seen) or 2 (seen with young)"}
"""Kinds of response, and what y can be."""

LARGEST = {"binary": 1.0, "count": float(2**31 - 1), "state": 2.0}
DIMS = ("species", "site", "season", "visit")
VISIT_DIMS, SEASON_DIMS = ("site", "season", "visit"), ("site", "season")
OWN = frozenset({*DIMS, "y", "effort", "visit_start", "easting", "northing"})
RESERVED = OWN | {"state", "chain", "draw", "cell", "x"}
"""Names that a covariate cannot have."""

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
    _check_y(made)
    _check_finite(made)
    _check_positions(made)
    if "effort" in made:
        _check_effort(made)
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


def clean_label(value: Any, of: str) -> str:
    """Return a label of a site, season or species as text in one line.

    Raises
    ------
    DataError
        If there is nothing, or characters that no file can hold.
    """
    word = LINE_BREAKS.sub(" ", label(value)).strip()
    if not word:
        raise DataError(f"a {of} has no label. Give each {of} a name.")
    if any("\ud800" <= letter <= "\udfff" for letter in word):
        raise DataError(f"{of} {word!r} has characters that cannot be written to a file. Rename it.", offenders=[word])
    return word


def check_unique(words: Sequence[str], of: str) -> None:
    """Refuse labels that occur twice."""
    index = pd.Index(words, dtype=object)
    if not index.is_unique:
        twice = index[index.duplicated()].unique().tolist()
        raise DataError(f"{of} '{twice[0]}' occurs more than once. Rename one, or remove it.", offenders=twice)


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


def check_covariate_name(name: str, of: str, *, own: bool = False) -> None:
    """Refuse names of covariates that mean something else, or that a file cannot hold.

    Parameters
    ----------
    name
        Name of a covariate.
    of
        "site" or "visit", for the message.
    own
        Whether it may be a variable of the history itself, such as "effort".
    """
    if own and name in OWN:
        return
    if not name.strip() or "/" in name or name in RESERVED or name != LINE_BREAKS.sub(" ", name).strip():
        why = "means something else in a history" if name in RESERVED else "a file cannot hold"
        better = f"{of}_{'_'.join(name.replace('/', ' per ').split())}"
        raise DataError(f"{of} covariate '{name}' has a name that {why}. Rename it, e.g. '{better}'.", offenders=[name])


# -- all of it --------------------------------------------------------------------------------------------------------
def _attributes(source: xr.Dataset, y: NDArray[np.float64]) -> dict[str, str]:
    given = source.attrs | (source["y"].attrs if "response" in source["y"].attrs else {})
    return {
        "response": check_response(given.get("response") or None, y),
        "effort_unit": unit_name(given.get("effort_unit")),
        "crs": check_metres(given.get("crs") or None) or "",
    }


def check_response(response: str | None, y: NDArray[np.float64]) -> str:
    """Return the kind of response; what is only 0 and 1 is "binary" unless another is said.

    Raises
    ------
    DataError
        If it is unknown, or not said where y can be counts or states.
    """
    if response is not None and response not in RESPONSES:
        hint = did_you_mean(str(response), RESPONSES)
        raise DataError(f"response={response!r} is not known; choose one of {listed(RESPONSES)}.{hint}")
    if response is None and np.nanmax(y, initial=0.0) > 1:
        raise DataError(
            f'y has values up to {np.nanmax(y):g}, which may be counts or states. Say which: response="count", or '
            'response="state" (0 not seen, 1 seen, 2 seen with young); for detected or not write 1 for them.'
        )
    return response or "binary"


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


def cells_where(
    dataset: xr.Dataset, wrong: NDArray[np.bool_], dims: Sequence[str], **values: NDArray[Any]
) -> pd.DataFrame:
    """Return where an array along some dims is true, one row a cell, with values of other arrays there."""
    at = np.nonzero(wrong)
    columns = {dim: dataset[dim].values[index] for dim, index in zip(dims, at, strict=True)}
    return pd.DataFrame(columns | {name: array[at] for name, array in values.items()})


def _first(cells: pd.DataFrame, dims: Sequence[str]) -> str:
    """Say where the first of some cells is: "site 'A', season '1', visit 2"."""
    row = cells.iloc[0]
    words = [f"{dim} {row[dim]}" if dim == "visit" else f"{dim} '{row[dim]}'" for dim in dims]
    return ", ".join(words) + (f" ({len(cells):,} in all)" if len(cells) > 1 else "")


def _check_y(dataset: xr.Dataset) -> None:
    y, response = dataset["y"].values, dataset.attrs["response"]
    visited = ~np.isnan(y)
    wrong = visited & ~((y >= 0) & (y <= LARGEST[response]) & (y == np.round(y)))
    if wrong.any():
        dims = [str(dim) for dim in dataset["y"].dims]
        cells = cells_where(dataset, wrong, dims, y=y)
        raise DataError(
            f"y is {cells['y'].iloc[0]:g} at {_first(cells, dims)}; a {response} response can be "
            f"{RESPONSES[response]}, and NaN where there was no visit. Correct it, or pass another response.",
            offenders=cells,
        )


def _check_finite(dataset: xr.Dataset) -> None:
    for name in [*site_covariates(dataset), *visit_covariates(dataset), *_present(dataset)]:
        values, dims = dataset[name].values, [str(dim) for dim in dataset[name].dims]
        if values.dtype.kind == "f" and np.isinf(values).any():
            cells = cells_where(dataset, np.isinf(values), dims, **{name: values})
            raise DataError(
                f"'{name}' is infinite at {_first(cells, dims)}. Correct it, or leave it out.", offenders=cells
            )


def _present(dataset: xr.Dataset) -> list[str]:
    return [name for name in ("effort", "easting", "northing") if name in dataset.variables]


def _check_positions(dataset: xr.Dataset) -> None:
    axes = [name for name in ("easting", "northing") if name in dataset.coords]
    if len(axes) == 1:
        raise DataError(f"sites have {axes[0]} only. Give both easting and northing (m), or none.", offenders=axes)
    for name in axes:
        missing = np.isnan(dataset[name].values)
        if missing.any():
            cells = cells_where(dataset, missing, ["site"])
            raise DataError(
                f"{name} is missing at {_first(cells, ['site'])}. Give all sites positions, or none.", offenders=cells
            )
    if axes:
        check_place(*(dataset[name].values for name in axes), dataset.attrs["crs"] or LOCAL, "site")


def _check_effort(dataset: xr.Dataset) -> None:
    y = dataset["y"].values if dataset["y"].ndim == 3 else np.fmax.reduce(dataset["y"].values)
    effort = dataset["effort"].values
    if (effort < 0).any():
        cells = cells_where(dataset, effort < 0, VISIT_DIMS, effort=effort)
        raise DataError(
            f"effort is {cells['effort'].iloc[0]:g} at {_first(cells, VISIT_DIMS)}. It is 0 or more.", offenders=cells
        )
    off = (effort == 0) & ~np.isnan(y)
    if off.any():
        cells = cells_where(dataset, off, VISIT_DIMS, y=y)
        raise DataError(
            f"effort is 0 at {_first(cells, VISIT_DIMS)}, where y is {cells['y'].iloc[0]:g}. Without effort there was "
            "no visit: y is NaN there. Correct one of them.",
            offenders=cells,
        )


def site_covariates(dataset: xr.Dataset) -> list[str]:
    """Return the names of the covariates of sites, by season or not, in order."""
    return [str(name) for name, values in dataset.coords.items() if name not in OWN and values.ndim]


def visit_covariates(dataset: xr.Dataset) -> list[str]:
    """Return the names of the covariates of visits, without effort, in order."""
    return [str(name) for name in dataset.data_vars if name not in OWN]
