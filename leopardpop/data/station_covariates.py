"""Covariates of stations: joined from a table, or sampled from rasters, layers and functions of place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leopardpop.data.covariates import as_covariates
from leopardpop.data.layers import sample
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.placing import NOT_COVARIATES
from leopardpop.data.tables import TableSource, load_table
from leopardpop.errors import DataError
from leopardpop.words import counted

__all__ = ["add_covariates"]


def add_covariates(
    stations: pd.DataFrame, crs: str | None, table: TableSource | None, sources: Mapping[str, Any], missing: str
) -> pd.DataFrame:
    """Add covariates to a table of stations: see :meth:`leopardpop.Survey.with_covariates`."""
    if missing not in {"raise", "keep"}:
        raise DataError(f'missing={missing!r} must be "raise" or "keep".')
    joined = {} if table is None else _joined(stations, table)
    twice = sorted(joined.keys() & sources.keys())
    if twice:
        raise DataError(f"covariate {twice[0]!r} is in the table and among the sources. Give it once.", offenders=twice)
    x, y = (stations[axis].to_numpy(float) for axis in ("x", "y"))
    found = joined | {name: sample(source, name, x, y, crs, of="station") for name, source in sources.items()}
    result = stations.copy()
    for name, values in found.items():
        if name in NOT_COVARIATES:
            raise DataError(f"A covariate of stations cannot be called {name!r}: the name has a meaning. Rename it.")
        column = as_covariates(pd.DataFrame({name: values}), len(stations), "station").iloc[:, 0]
        if missing == "raise":
            _check_present(column, stations["station"])
        result[name] = column
    return result


def _joined(stations: pd.DataFrame, source: TableSource) -> dict[str, Any]:
    """Columns of a table in the order of the stations."""
    table = load_table(source, "covariates", known=("station",), required=("station",))
    labels = table.labels("station")
    known = stations["station"].tolist()
    at = pd.Index(known).get_indexer(pd.Index(labels.names))[labels.codes]
    if (at < 0).any():
        name = labels.names[labels.codes[int((at < 0).argmax())]]
        raise table.fail(at < 0, f"unknown station '{name}'", f"Known: {listed(known)}.{did_you_mean(name, known)}")
    twice = pd.Series(at).duplicated().to_numpy(bool)
    if twice.any():
        raise table.fail(twice, f"station '{known[at[twice.argmax()]]}' is there already", "Each has one row.")
    columns = table.covariates(("station",)).set_axis(at, axis=0).reindex(np.arange(len(known)))
    return {str(name): column for name, column in columns.items()}


def _check_present(values: pd.Series[Any], stations: pd.Series[Any]) -> None:
    """Refuse a covariate that some stations do not have."""
    bad = (values.isna() | values.isin([np.inf, -np.inf])).to_numpy(bool)
    if bad.any():
        names = stations[bad].tolist()
        raise DataError(
            f"Covariate {values.name!r} is missing at {len(names)} of {counted(len(values), 'station')}: "
            f'{listed(names)}. Give a source that covers them, or pass missing="keep".',
            offenders=names,
        )
