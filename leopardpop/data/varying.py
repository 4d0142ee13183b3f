"""Covariates that vary by occasion, in the dataset of a capture history: by occasion, or by station and occasion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.covariates import covariate_table, from_coordinate, to_coordinate

if TYPE_CHECKING:
    import xarray as xr

    from leopardpop.data.parts import CheckedParts

__all__ = ["join_varying", "occasion_covariates", "occasion_table", "varying_names", "visit_covariates"]

DIMS = (("session", "occasion"), ("station", "occasion"))
OWN = frozenset({"effort", "occasion_label", "occasion_start"})
"""Variables of those dims that are no covariates."""

type Variables = dict[str, tuple[tuple[str, ...], NDArray[Any]]]


def join_varying(sessions: Sequence[CheckedParts]) -> Variables:
    """Return the covariates of occasions and of visits of all sessions, padded after a session's last occasion."""
    longest = max(len(part.occasions) for part in sessions)
    by_occasion = [
        {str(name): column.to_numpy()[None] for name, column in part.occasion_covariates.items()} for part in sessions
    ]
    rows = [len(part.stations) for part in sessions]
    return _join(by_occasion, [1] * len(sessions), longest, DIMS[0]) | _join(
        [dict(part.visit_covariates) for part in sessions], rows, longest, DIMS[1]
    )


def _join(tables: list[dict[str, Any]], rows: list[int], longest: int, dims: tuple[str, ...]) -> Variables:
    names = list(dict.fromkeys(name for table in tables for name in table))
    return {name: (dims, _stack([table.get(name) for table in tables], rows, longest)) for name in names}


def _stack(tables: list[Any], rows: list[int], longest: int) -> NDArray[Any]:
    """Stack one covariate over sessions: float64, or text if any of them says text."""
    text = any(table is not None and table.dtype != np.float64 for table in tables)
    missing = None if text else np.nan
    blocks = []
    for table, n in zip(tables, rows, strict=True):
        block = np.full((n, longest), missing, dtype=object if text else np.float64)
        if table is not None:
            block[:, : table.shape[1]] = _as_text(table) if text else table
        blocks.append(block)
    joined = np.concatenate(blocks)
    return to_coordinate(pd.Series(joined.ravel(), dtype=joined.dtype)).reshape(joined.shape)


def _as_text(table: NDArray[Any]) -> NDArray[Any]:
    if table.dtype != np.float64:
        return table
    words = [None if np.isnan(value) else f"{value:.15g}" for value in table.ravel()]
    return np.array(words, dtype=object).reshape(table.shape)


def varying_names(dataset: xr.Dataset) -> dict[str, tuple[str, ...]]:
    """Return the covariates of occasions and visits with their dims."""
    return {
        str(name): next(dims for dims in DIMS if set(dims) == set(values.dims))
        for name, values in dataset.coords.items()
        if set(values.dims) in map(set, DIMS) and name not in OWN
    }


def occasion_covariates(dataset: xr.Dataset, position: int, n_occasions: int) -> pd.DataFrame:
    """Return the covariates of the occasions of one session, one row an occasion."""
    names = [name for name, dims in varying_names(dataset).items() if dims == DIMS[0]]
    columns = {name: from_coordinate(dataset[name].values[position, :n_occasions]) for name in names}
    return covariate_table(columns, n_occasions)


def visit_covariates(dataset: xr.Dataset, stations: NDArray[np.intp], n_occasions: int) -> dict[str, NDArray[Any]]:
    """Return the covariates by station x occasion of some stations."""
    names = [name for name, dims in varying_names(dataset).items() if dims == DIMS[1]]
    return {name: from_coordinate(dataset[name].values[stations, :n_occasions]) for name in names}


def occasion_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Return one row an occasion of a session: session, occasion and covariates."""
    tables = []
    for position, session in enumerate(dataset["session"].values.tolist()):
        n_occasions = int(dataset["n_occasions"].values[position])
        labels = dataset["occasion_label"].values[position, :n_occasions].astype(object)
        table = pd.DataFrame({"session": np.full(n_occasions, session, dtype=object), "occasion": labels})
        tables.append(pd.concat([table, occasion_covariates(dataset, position, n_occasions)], axis=1))
    return pd.concat(tables, ignore_index=True)
