"""The dataset of a history as long tables, and one session of it as a dense array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from leopardpop.data.dataset import covariates, session_parts
from leopardpop.data.flanks import flank_columns

if TYPE_CHECKING:
    from leopardpop.data.parts import CheckedParts

__all__ = ["dense_counts", "detection_table", "effort_table", "individual_table", "station_table"]


def dense_counts(part: CheckedParts) -> xr.DataArray:
    """Return the counts of one session, (individual, station, occasion)."""
    coords = {"individual": list(part.individuals), "station": list(part.stations), "occasion": list(part.occasions)}
    dense = np.zeros([len(labels) for labels in coords.values()], dtype=np.int64)
    dense[part.individual, part.station, part.occasion] = part.count
    return xr.DataArray(dense, coords=coords, dims=list(coords), name="count")


def individual_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Return one row an animal: session, individual and covariates."""
    labels = _columns(dataset, session="individual_session", individual="animal")
    return pd.concat([labels, covariates(dataset, "individual")], axis=1)


def station_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Return one row a station: session, station, x, y [m] and covariates."""
    labels = _columns(dataset, session="station_session", station="station_name", x="x", y="y")
    return pd.concat([labels, covariates(dataset, "station")], axis=1)


def _columns(dataset: xr.Dataset, **names: str) -> pd.DataFrame:
    arrays = {column: dataset[name].values for column, name in names.items()}
    return pd.DataFrame({k: v.astype(object) if v.dtype.kind == "U" else v.copy() for k, v in arrays.items()})


def detection_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Return one row an animal x station x occasion: session, individual, station, occasion, count, died, flanks."""
    data = {str(name): variable.values for name, variable in dataset.variables.items()}
    animal, station, occasion = (data[f"detection_{dim}"] for dim in ("individual", "station", "occasion"))
    session = dataset.indexes["session"].get_indexer(pd.Index(data["station_session"][station]))
    return pd.DataFrame(
        {
            "session": data["station_session"][station].astype(object),
            "individual": data["animal"][animal].astype(object),
            "station": data["station_name"][station].astype(object),
            "occasion": data["occasion_label"][session, occasion].astype(object),
            "count": data["detection_count"].copy(),
            "died": (data["removed"][animal] & (data["exposure"][animal] == occasion + 1)).astype(np.int64),
        }
        | flank_columns(dataset)
    )


def effort_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Return one row a station x occasion: session, station, occasion, effort (0 = off) and covariates."""
    tables = [_session_effort(dataset, session) for session in dataset["session"].values.tolist()]
    return pd.concat(tables, ignore_index=True)


def _session_effort(dataset: xr.Dataset, session: str) -> pd.DataFrame:
    part = session_parts(dataset, session)
    K, S = part.effort.shape
    return pd.DataFrame(
        {
            "session": np.full(K * S, session, dtype=object),
            "station": np.repeat(np.array(part.stations, dtype=object), S),
            "occasion": np.tile(np.array(part.occasions, dtype=object), K),
            "effort": part.effort.ravel(),
        }
        | {name: values.ravel() for name, values in part.visit_covariates.items()}
    )
