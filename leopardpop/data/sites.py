"""Sites of an occupancy survey: stations, or pools of stations, with the covariates that their stations have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import as_covariates
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.data.placing import NOT_COVARIATES
from leopardpop.data.tables import label
from leopardpop.errors import DataError, DataWarning

__all__ = ["Sites", "pool_stations"]


@dataclass(frozen=True)
class Sites:
    """Sites, in order of first appearance among the stations."""

    labels: NDArray[np.object_]
    """Their names, (n,)."""
    of_station: NDArray[np.intp]
    """Site of each station, (K,)."""
    xy: NDArray[np.float64]
    """Mean place of their stations in metres, (n, 2)."""
    covariates: pd.DataFrame
    """One row a site: means of numbers, and words on which all stations agree."""

    def __len__(self) -> int:
        return len(self.labels)

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean over the stations that have a value, (n,); NaN where none has."""
        known = np.isfinite(values)
        total = np.bincount(self.of_station[known], values[known], len(self))
        number = np.bincount(self.of_station[known], minlength=len(self))
        found: NDArray[np.float64] = np.divide(total, number, out=np.full(len(self), np.nan), where=number > 0)
        return found


def pool_stations(stations: pd.DataFrame, column: str) -> Sites:
    """Find the sites of a survey.

    Parameters
    ----------
    stations
        Columns station, x, y and covariates.
    column
        "station", or a column that names the site of each station.

    Returns
    -------
    Sites

    Raises
    ------
    DataError
        If the column does not exist, or a station has no site.

    Warns
    -----
    DataWarning
        If the stations of a site differ in a covariate that is text: it is left out.

    Examples
    --------
    >>> table = pd.DataFrame({"station": ["a", "b"], "x": [0, 8], "y": [0, 0], "block": ["n", "n"], "height": [3, 5]})
    >>> sites = pool_stations(table, "block")
    >>> sites.labels.tolist(), sites.xy.tolist(), sites.covariates["height"].tolist()
    (['n'], [[4.0, 0.0]], [4.0])
    """
    if column not in stations or column in {"x", "y"}:
        columns = [str(name) for name in stations.columns.drop(["x", "y"])]
        hint = did_you_mean(str(column), columns)
        raise DataError(f"sites={column!r} is no column of the stations; columns: {listed(columns)}.{hint}")
    names = pd.Series([label(value) if not pd.isna(value) else "" for value in stations[column]], dtype=object)
    if (names == "").any():
        name = stations["station"][int((names == "").argmax())]
        raise DataError(f"Station '{name}' has no site in column {column!r}. Fill it in.", offenders=[name])
    codes, labels = pd.factorize(names)
    used = [name for name in stations.columns if name in NOT_COVARIATES | {column}]
    bare = Sites(np.asarray(labels, dtype=object), codes.astype(np.intp), np.empty((0, 2)), pd.DataFrame())
    xy = np.column_stack([bare.mean(stations[axis].to_numpy(float)) for axis in ("x", "y")])
    table = as_covariates(stations.drop(columns=used), len(stations), "station")
    return Sites(bare.labels, bare.of_station, xy, _pooled(table, bare))


def _pooled(table: pd.DataFrame, sites: Sites) -> pd.DataFrame:
    """Covariates of stations as those of sites."""
    columns: dict[str, Any] = {}
    differ = []
    for name, values in table.items():
        if values.dtype == np.float64:
            columns[str(name)] = sites.mean(values.to_numpy())
            continue
        pairs = pd.DataFrame({"site": sites.of_station, "value": values}).dropna().drop_duplicates()
        if pairs["site"].duplicated().any():
            differ.append(str(name))
            continue
        words = np.full(len(sites), None, dtype=object)
        words[pairs["site"].to_numpy(np.intp)] = pairs["value"].to_numpy(object)
        columns[str(name)] = pd.Series(words, dtype=object)
    if differ:
        message = f"{listed(differ)} differ between stations of one site and are no covariates of sites. "
        notice(f"{message}Give each site one value, or drop the column.", DataWarning)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(sites)))
