"""What the values, labels and names of a detection history can be, and where they are not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.covariates import LINE_BREAKS
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.tables import label
from leopardpop.errors import DataError

__all__ = [
    "DIMS",
    "LARGEST",
    "OWN",
    "RESPONSES",
    "SEASON_DIMS",
    "VISIT_DIMS",
    "cells_where",
    "check_covariate_name",
    "check_response",
    "check_unique",
    "check_values",
    "clean_label",
    "first_cell",
    "missing_covariates",
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


SURROGATES = re.compile("[\ud800-\udfff]")
"""Halves of characters, which no encoding can write."""


# -- names ------------------------------------------------------------------------------------------------------------
def clean_label(value: Any, of: str) -> str:
    """Return a label of a site, season or species as text in one line.

    Raises
    ------
    DataError
        If there is nothing, or characters that no file can hold.
    """
    plain = isinstance(value, str) and value.isprintable()  # nearly always, and ten times as fast
    word = value.strip() if plain else LINE_BREAKS.sub(" ", label(value)).strip()
    if not word:
        raise DataError(f"a {of} has no label. Give each {of} a name.")
    if not plain and SURROGATES.search(word):
        raise DataError(f"{of} {word!r} has characters that cannot be written to a file. Rename it.", offenders=[word])
    return word


def check_unique(words: Sequence[str], of: str) -> None:
    """Refuse labels that occur twice."""
    if len(set(words)) < len(words):
        twice = [word for word, number in Counter(words).items() if number > 1]
        raise DataError(f"{of} '{twice[0]}' occurs more than once. Rename one, or remove it.", offenders=twice)


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


# -- values -----------------------------------------------------------------------------------------------------------
def check_values(dataset: xr.Dataset) -> None:
    """Check the values of a dataset in the form that :func:`leopardpop.data.detection_dataset.adopt_detections` gives.

    Raises
    ------
    DataError
        Naming the species, site, season and visit of the first value that cannot be.
    """
    _check_y(dataset)
    _check_finite(dataset)
    _check_positions(dataset)
    if "effort" in dataset:
        _check_effort(dataset)


def cells_where(
    dataset: xr.Dataset, wrong: NDArray[np.bool_], dims: Sequence[str], **values: NDArray[Any]
) -> pd.DataFrame:
    """Return where an array along some dims is true, one row a cell, with values of other arrays there."""
    at = np.nonzero(wrong)
    columns = {dim: dataset[dim].values[index] for dim, index in zip(dims, at, strict=True)}
    return pd.DataFrame(columns | {name: array[at] for name, array in values.items()})


def first_cell(cells: pd.DataFrame, dims: Sequence[str], *, total: bool = True) -> str:
    """Say where the first of some cells is: "site 'A', season '1', visit 2", and how many there are."""
    row = cells.iloc[0]
    words = [f"{dim} {row[dim]}" if dim == "visit" else f"{dim} '{row[dim]}'" for dim in dims]
    return ", ".join(words) + (f" ({len(cells):,} in all)" if total and len(cells) > 1 else "")


def _check_y(dataset: xr.Dataset) -> None:
    y, response = dataset["y"].values, dataset.attrs["response"]
    visited = ~np.isnan(y)
    wrong = visited & ~((y >= 0) & (y <= LARGEST[response]) & (y == np.round(y)))
    if wrong.any():
        dims = [str(dim) for dim in dataset["y"].dims]
        cells = cells_where(dataset, wrong, dims, y=y)
        raise DataError(
            f"y is {cells['y'].iloc[0]:g} at {first_cell(cells, dims)}; a {response} response can be "
            f"{RESPONSES[response]}, and NaN where there was no visit. Correct it, or pass another response.",
            offenders=cells,
        )


def _check_finite(dataset: xr.Dataset) -> None:
    for name in [*site_covariates(dataset), *visit_covariates(dataset), *_present(dataset)]:
        values, dims = dataset[name].values, [str(dim) for dim in dataset[name].dims]
        if values.dtype.kind == "f" and np.isinf(values).any():
            cells = cells_where(dataset, np.isinf(values), dims, **{name: values})
            raise DataError(
                f"'{name}' is infinite at {first_cell(cells, dims)}. Correct it, or leave it out.", offenders=cells
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
                f"{name} is missing at {first_cell(cells, ['site'])}. Give all sites positions, or none.",
                offenders=cells,
            )


def _check_effort(dataset: xr.Dataset) -> None:
    y = dataset["y"].values if dataset["y"].ndim == 3 else np.fmax.reduce(dataset["y"].values)
    effort = dataset["effort"].values
    if (effort < 0).any():
        cells = cells_where(dataset, effort < 0, VISIT_DIMS, effort=effort)
        raise DataError(
            f"effort is {cells['effort'].iloc[0]:g} at {first_cell(cells, VISIT_DIMS)}. It is 0 or more.",
            offenders=cells,
        )
    off = (effort == 0) & ~np.isnan(y)
    if off.any():
        cells = cells_where(dataset, off, VISIT_DIMS, y=y)
        raise DataError(
            f"effort is 0 at {first_cell(cells, VISIT_DIMS)}, where y is {cells['y'].iloc[0]:g}. Without effort there "
            "was no visit: y is NaN there. Correct one of them.",
            offenders=cells,
        )


def site_covariates(dataset: xr.Dataset) -> list[str]:
    """Return the names of the covariates of sites, by season or not, in order."""
    return [str(name) for name, values in dataset.coords.items() if name not in OWN and values.ndim]


def visit_covariates(dataset: xr.Dataset) -> list[str]:
    """Return the names of the covariates of visits, without effort, in order."""
    return [str(name) for name in dataset.data_vars if name not in OWN]


def missing_covariates(dataset: xr.Dataset, made: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Return where covariates and effort are missing: at sites, sites and seasons, or visits that were made.

    Parameters
    ----------
    dataset
        The dataset of a history.
    made
        Whether a visit was made, (site, season, visit).

    Returns
    -------
    dict
        Name -> (site), (site, season) or (site, season, visit); only those that are missing anywhere.
    """
    found = {}
    for name in [*site_covariates(dataset), *visit_covariates(dataset), *_present(dataset)]:
        values = dataset[name].values
        missing = values == "" if values.dtype.kind in "UO" else np.isnan(values)
        found[name] = missing & made if missing.ndim == 3 else missing
    return {name: missing for name, missing in found.items() if missing.any()}
