"""A fingerprint of the data that does not depend on the order of rows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.covariates import covariate_table
from leopardpop.data.dataset import session_parts

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from leopardpop.data.parts import CheckedParts

__all__ = ["detections_hash", "history_hash"]


def history_hash(dataset: xr.Dataset) -> str:
    """Return the SHA-256 of a history's content, the same for every order of sessions, stations, animals and rows."""
    digest = hashlib.sha256()
    for name in ("detector", "effort_unit", "crs"):
        _add_words(digest, [name, dataset.attrs[name]])
    for session in sorted(dataset["session"].values.tolist()):
        _add_session(digest, session_parts(dataset, session))
    return digest.hexdigest()


def _add_session(digest: Any, parts: CheckedParts) -> None:
    animals, stations = _order(parts.individuals), _order(parts.stations)
    _add_words(digest, [parts.session, *parts.occasions])
    _add_words(digest, [parts.stations[k] for k in stations])
    _add_array(digest, parts.xy[stations])
    _add_array(digest, parts.effort[stations])
    _add_table(digest, parts.station_covariates.iloc[stations])
    _add_words(digest, [parts.individuals[i] for i in animals])
    _add_array(digest, parts.exposure[animals])
    _add_array(digest, parts.removed[animals])
    _add_table(digest, parts.individual_covariates.iloc[animals])
    rank_i, rank_k = np.argsort(animals), np.argsort(stations)
    rows = np.array([rank_i[parts.individual], rank_k[parts.station], parts.occasion, parts.count])
    _add_array(digest, rows[:, np.lexsort(rows[::-1])])
    if parts.flanks is not None and parts.flanks.any():
        _add_words(digest, ["flanks"])
        _add_array(digest, parts.flanks[np.lexsort(rows[::-1])])
    if len(parts.occasion_covariates.columns):
        _add_table(digest, parts.occasion_covariates)
    visits = {name: values[stations].ravel() for name, values in parts.visit_covariates.items()}
    if visits:
        _add_table(digest, covariate_table(visits, parts.effort.size))
    if parts.occasion_start is not None:
        _add_words(digest, np.datetime_as_string(parts.occasion_start, unit="s").tolist())


def detections_hash(dataset: xr.Dataset) -> str:
    """Return the SHA-256 of a detection history's content, the same for every order of sites and species."""
    digest = hashlib.sha256()
    for name in ("response", "effort_unit", "crs"):
        _add_words(digest, [name, dataset.attrs[name]])
    order = {dim: _order(tuple(dataset[dim].values.tolist())) for dim in ("site", "species") if dim in dataset.dims}
    ordered = dataset.isel({dim: list(rows) for dim, rows in order.items()})
    for name in sorted(map(str, ordered.variables)):
        values = ordered[name].values
        _add_words(digest, [name, *map(str, ordered[name].dims)])
        if values.dtype.kind in "UM":
            _add_words(digest, values.astype(np.str_).ravel().tolist())
        else:
            _add_array(digest, values)
    return digest.hexdigest()


def _order(labels: tuple[str, ...]) -> NDArray[np.intp]:
    return np.array(sorted(range(len(labels)), key=labels.__getitem__), dtype=np.intp)


def _add_words(digest: Any, words: list[str]) -> None:
    digest.update(f"{len(words)}:".encode())
    for word in words:
        data = word.encode()
        digest.update(f"{len(data)}:".encode() + data)


def _add_array(digest: Any, array: NDArray[Any]) -> None:
    digest.update(str(array.shape).encode())
    # Adding 0.0 turns -0.0 into 0.0, the same number in another bit pattern; NaN has many, too.
    numbers = np.ascontiguousarray(array + 0.0, dtype="<f8")
    digest.update(np.where(np.isnan(numbers), np.nan, numbers).tobytes())


def _add_table(digest: Any, table: pd.DataFrame) -> None:
    for name in sorted(table.columns):
        _add_words(digest, [name])
        column = table[name]
        if column.dtype == np.float64:
            _add_array(digest, column.to_numpy())
        else:
            _add_words(digest, ["" if word is None else word for word in column])
