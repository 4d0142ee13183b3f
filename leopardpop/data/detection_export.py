"""Write detection histories as the wide CSV that the R package unmarked reads."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.detection_checks import site_covariates, visit_covariates
from leopardpop.data.names import listed
from leopardpop.errors import DataError

__all__ = ["NUMBERED", "facts_path", "write_unmarked"]

NUMBERED = re.compile(r"(.+)\.([1-9][0-9]{0,5})")
"""Names of columns that unmarked takes for one visit of a covariate."""


def facts_path(path: Path) -> Path:
    """Return the file beside a table that has what the table cannot say."""
    return path.with_name(path.name + ".json")


def write_unmarked(dataset: xr.Dataset, path: Path) -> Path:
    """Write the dataset of a detection history as site, y.1 … y.J, covariates of sites, covariates of visits.

    Parameters
    ----------
    dataset
        See :attr:`leopardpop.DetectionHistory.dataset`; of one species.
    path
        The table. The file beside it, ``path`` + ".json", has labels of seasons, units and types.

    Returns
    -------
    pathlib.Path
        The table.

    Raises
    ------
    DataError
        If there are several species, or unmarked would misread a name.
    """
    if "species" in dataset.dims:
        labels = dataset["species"].values.tolist()
        raise DataError(
            f"a table of unmarked has one species, here are {listed(labels)}. Write history['{labels[0]}']."
        )
    _check_names(dataset)
    columns = _columns(dataset)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(columns)
        csv.writer(file, lineterminator="\n").writerows(zip(*columns.values(), strict=True))
    facts_path(path).write_text(json.dumps(_facts(dataset), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def _check_names(dataset: xr.Dataset) -> None:
    for name in [*site_covariates(dataset), *visit_covariates(dataset)]:
        if re.search(r"\.[0-9]+$", name) and dataset[name].ndim == 1:
            raise DataError(
                f"unmarked would take the covariate of sites '{name}' for one visit of another covariate. Rename it, "
                "without a point before the number.",
                offenders=[name],
            )
        if re.match(r"y\.[0-9]", name):
            raise DataError(f"unmarked would take the covariate '{name}' for detections. Rename it.", offenders=[name])


def _columns(dataset: xr.Dataset) -> dict[str, list[str]]:
    """Return the columns in the order that unmarked wants."""
    y = dataset["y"].values.reshape(dataset.sizes["site"], -1)
    columns = {"site": dataset["site"].values.tolist()} | _numbered("y", y)
    names = [name for name in ("easting", "northing") if name in dataset.coords] + site_covariates(dataset)
    for name in names:
        if dataset[name].ndim == 1:
            columns[name] = _words(dataset[name].values)
    for name in names:
        if dataset[name].ndim == 2:  # unmarked has them by visit in this form
            columns |= _numbered(name, np.repeat(dataset[name].values, dataset.sizes["visit"], axis=1))
    for name in [*(["effort"] if "effort" in dataset else []), *visit_covariates(dataset)]:
        columns |= _numbered(name, dataset[name].values.reshape(y.shape))
    return columns


def _numbered(name: str, values: NDArray[Any]) -> dict[str, list[str]]:
    return {f"{name}.{j + 1}": _words(values[:, j]) for j in range(values.shape[1])}


def _words(values: NDArray[Any]) -> list[str]:
    """Return cells as text that reading gives exactly back, NA where nothing is known."""
    if values.dtype.kind == "U":
        return [word or "NA" for word in values.tolist()]
    return ["NA" if np.isnan(value) else _number(value) for value in values.tolist()]


def _number(value: float) -> str:
    return repr(int(value)) if value.is_integer() and abs(value) < 1e15 and str(value)[0] != "-" else repr(value)


def _facts(dataset: xr.Dataset) -> dict[str, Any]:
    names = [*site_covariates(dataset), *visit_covariates(dataset)]
    facts: dict[str, Any] = dict(dataset.attrs) | {
        "seasons": dataset["season"].values.tolist(),
        "text": [name for name in names if dataset[name].dtype.kind == "U"],
        "by_season": [name for name in names if dataset[name].ndim == 2],
    }
    if "species" in dataset.coords:
        facts["species"] = str(dataset["species"].values.item())
    if "visit_start" in dataset.coords:
        facts["visit_start"] = np.datetime_as_string(dataset["visit_start"].values, unit="ns").tolist()
    return facts
