"""Places of a Camtrap DP: stations by their name, and where they are in metres."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import counted, did_you_mean, listed
from leopardpop.data.notices import notice
from leopardpop.data.readers.camtrap_dp_tags import tag_columns
from leopardpop.data.survey_tables import text
from leopardpop.data.tables import Table
from leopardpop.errors import DataError, DataWarning

__all__ = ["name_stations", "place_stations"]

NEAR = 100.0
"""Metres within which deployments of one station lie."""
PLACE_COLUMNS = ("habitat", "feature_type", "bait_use")
RESERVED = frozenset(
    (
        *(
            "individual",
            "station",
            "occasion",
            "session",
            "season",
            "cell",
            "species",
            "site",
            "visit",
            "state",
            "chain",
        ),
        *("draw", "detection", "deployment", "camera", "effort", "x", "y", "crs", "start", "end", "source", "line"),
        *("longitude", "latitude", "lon", "lat", "sex", "count", "timestamp"),
    )
)
"""Names that a covariate of stations must not take."""


def name_stations(table: Table, column: str, places: NDArray[np.float64]) -> tuple[pd.Series[Any], list[str]]:
    """Name the station of each deployment: by the column, else by locationName, else by its coordinates."""
    if column not in table and column != "locationID":
        hint = did_you_mean(column, table.frame.columns)
        raise DataError(
            f"station='{column}': {table.name} has no such column; it has {listed(table.frame.columns)}.{hint}",
            offenders=[column],
        )
    labels = text(table.frame[column]) if column in table else pd.Series([None] * len(table), dtype=object)
    empty = labels.isna()
    if not empty.any():
        return labels, [f"stations: by {column}"]
    names = text(table.frame["locationName"]) if "locationName" in table else labels
    coordinates = pd.Series([f"{lat:.5f} {lon:.5f}" for lon, lat in places], dtype=object)
    used = "locationName" if names[empty].notna().all() else "locationName or coordinates"
    used = "coordinates" if names[empty].isna().all() else used
    row = int(empty.to_numpy().argmax())
    words = f"{column} is empty in {int(empty.sum())} of {len(table)} deployments (first: {table.where(row)})"
    notice(f"{words}: their stations are named by {used}. Or name the column: station=.", DataWarning)
    return labels.where(~empty, names.where(names.notna(), coordinates)), [f"stations: by {used}, {words}"]


def place_stations(frame: pd.DataFrame, x: NDArray[np.float64], y: NDArray[np.float64]) -> pd.DataFrame:
    """Stations with their place in metres, the middle of those of their deployments, and what is the same in all."""
    spots = frame[["station", "longitude", "latitude"]].assign(x=x, y=y).drop_duplicates()
    middle = spots.groupby("station", sort=False)[["x", "y", "longitude", "latitude"]].mean()
    own = middle.loc[spots["station"]]
    apart = np.hypot(spots["x"].to_numpy() - own["x"].to_numpy(), spots["y"].to_numpy() - own["y"].to_numpy())
    _say_apart(spots["station"].to_numpy(), apart)
    covariates = _constant(frame)
    return pd.concat([middle[["x", "y", "longitude", "latitude"]], covariates.loc[middle.index]], axis=1).reset_index()


def _say_apart(stations: NDArray[np.object_], apart: NDArray[np.float64]) -> None:
    far = apart > NEAR
    if far.any():
        name, several = stations[apart.argmax()], counted(len(set(stations[far])), "station")
        notice(
            f"Deployments of station '{name}' lie {apart.max():,.0f} m from their middle, which is taken ({several} in "
            "all). Is it one place? Correct the coordinates, or name another column: station=.",
            DataWarning,
        )


def _constant(frame: pd.DataFrame) -> pd.DataFrame:
    """What is known of every station and the same in all of its deployments: habitat, groups and tags."""
    columns = {name: frame[name] for name in PLACE_COLUMNS if name in frame}
    for name in ("deployment_groups", "deployment_tags"):
        if name in frame:
            columns |= tag_columns(frame[name])
    safe = {f"group_{name}" if name in RESERVED else name: column for name, column in columns.items()}
    table = pd.DataFrame(safe, index=frame.index)
    by_station = table.groupby(frame["station"], sort=False)
    same = (by_station.nunique(dropna=False) == 1).all() & table.notna().any()
    return by_station.first()[list(same.index[same])]
