"""What the mathematics sees of a detection history: plain arrays, no labels to look up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.detection_checks import site_covariates, visit_covariates
from leopardpop.data.detection_long import site_table, visit_table, visits_made

__all__ = ["NO_VISIT", "OccupancyArrays", "occupancy_arrays"]

NO_VISIT = -1
"""Stands in ``y`` where no visit was made: PyMC takes NaN for values to impute."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OccupancyArrays:
    """A detection history as arrays, read-only.

    ``N`` sites, ``T`` seasons, ``J`` visits of the longest season, ``V`` visits made, ``K`` species. With several
    species ``y`` and ``value`` have them as the first axis, ``(K, N, T, J)`` and ``(K, V)``.

    The dense arrays serve models that go through seasons in turn; the flat ones (``site``, ``season``, ``visit``,
    ``value``, rows of ``visit_table``) have the visits made one after another, by site, season and visit, so that a
    design matrix has no row for a visit that nobody made. ``value == y[..., site, season, visit]``.

    Nothing was seen at a site and season without a visit, and nothing can be said of it but by the model: its row of
    the likelihood is 1. A season without any visit is how a gap between seasons is written.
    """

    species: tuple[str, ...]
    """Labels of the species, empty if there is one without a name."""
    sites: tuple[str, ...]
    """Site labels, length N."""
    seasons: tuple[str, ...]
    """Season labels in order of time, length T."""
    response: str
    """Kind of response: "binary", "count" or "state"."""
    effort_unit: str
    """Unit of ``effort``."""
    y: NDArray[Any]
    """Responses, (N, T, J): int8, counts int32; -1 = no visit."""
    visited: NDArray[np.bool_]
    """Whether a visit was made (for any species), (N, T, J)."""
    effort: NDArray[np.float64]
    """Effort of each visit, (N, T, J): 1 if the history has none, NaN where it is missing, 0 without a visit."""
    site: NDArray[np.intp]
    """Site of each visit made, (V,)."""
    season: NDArray[np.intp]
    """Season of each visit made, (V,)."""
    visit: NDArray[np.intp]
    """Visit within the season of each visit made, from 0, (V,)."""
    value: NDArray[Any]
    """Response of each visit made, (V,), as in ``y``."""
    xy: NDArray[np.float64] | None
    """Positions of the sites in metres, (N, 2), if they are known."""
    site_covariates: pd.DataFrame
    """N rows: site, and covariates that do not differ by season."""
    season_covariates: pd.DataFrame
    """N x T rows, seasons of a site together: site, season and all covariates of sites."""
    visit_covariates: pd.DataFrame
    """V rows: site, season, visit (from 1), effort if known, covariates of visits and of sites."""

    @property
    def surveyed(self) -> NDArray[np.bool_]:
        """Whether a site was visited in a season, (N, T)."""
        return self.visited.any(axis=-1)

    @property
    def n_visits(self) -> NDArray[np.int64]:
        """Number of visits made to each site in each season, (N, T)."""
        return self.visited.sum(axis=-1)

    def tally(self, value: int) -> NDArray[np.int64]:
        """Return how often a response was had at each site in each season, ([K,] N, T).

        Where no covariate differs between visits these are all that the likelihood needs.

        Parameters
        ----------
        value
            The response: 0, 1, 2, …

        Examples
        --------
        >>> import leopardpop as lp
        >>> lp.DetectionHistory.from_tables([[0, 1, 1], [0, 0, float("nan")]]).arrays().tally(1).tolist()
        [[2], [0]]
        """
        return np.asarray((self.y == value).sum(axis=-1), dtype=np.int64)


def occupancy_arrays(dataset: xr.Dataset) -> OccupancyArrays:
    """Return the dataset of a detection history as arrays.

    Parameters
    ----------
    dataset
        See :attr:`leopardpop.DetectionHistory.dataset`.
    """
    made = visits_made(dataset)
    site, season, visit = np.nonzero(made)
    counts = dataset.attrs["response"] == "count"
    y = np.nan_to_num(dataset["y"].values, nan=NO_VISIT).astype(np.int32 if counts else np.int8)
    by_season = _season_covariates(dataset)
    arrays: dict[str, Any] = {
        "y": y,
        "visited": made,
        "effort": _effort(dataset, made),
        "site": site,
        "season": season,
        "visit": visit,
        "value": y[..., site, season, visit],
        "xy": _positions(dataset),
    }
    for array in arrays.values():
        if array is not None:
            array.flags.writeable = False
    return OccupancyArrays(
        **arrays,
        species=tuple(np.atleast_1d(dataset["species"].values).tolist()) if "species" in dataset.coords else (),
        sites=tuple(dataset["site"].values.tolist()),
        seasons=tuple(dataset["season"].values.tolist()),
        response=str(dataset.attrs["response"]),
        effort_unit=str(dataset.attrs["effort_unit"]),
        site_covariates=site_table(_without(dataset, [n for n in site_covariates(dataset) if dataset[n].ndim == 2])),
        season_covariates=by_season,
        visit_covariates=_visit_covariates(dataset, made, by_season),
    )


def _effort(dataset: xr.Dataset, made: NDArray[np.bool_]) -> NDArray[np.float64]:
    known = dataset["effort"].values if "effort" in dataset else np.ones(made.shape)
    return np.where(made, known, 0.0)


def _positions(dataset: xr.Dataset) -> NDArray[np.float64] | None:
    if "easting" not in dataset.coords:
        return None
    return np.stack([dataset["easting"].values, dataset["northing"].values], axis=1)


def _without(dataset: xr.Dataset, names: list[str]) -> xr.Dataset:
    return dataset.drop_vars([*names, *(name for name in ("easting", "northing") if name in dataset.coords)])


def _season_covariates(dataset: xr.Dataset) -> pd.DataFrame:
    """Return all covariates of sites, one row a site and season."""
    table = site_table(_without(dataset, []))
    if "season" in table:
        return table
    seasons = dataset["season"].values.astype(object)
    repeated: pd.DataFrame = table.loc[np.repeat(np.arange(len(table)), len(seasons))].reset_index(drop=True)
    repeated.insert(1, "season", np.tile(seasons, len(table)))
    return repeated


def _visit_covariates(dataset: xr.Dataset, made: NDArray[np.bool_], by_season: pd.DataFrame) -> pd.DataFrame:
    plain = dataset if dataset["y"].ndim == 3 else dataset.isel(species=0)
    rows = np.flatnonzero(made.ravel())
    names = ["site", "season", "visit", *(["effort"] if "effort" in dataset else []), *visit_covariates(dataset)]
    visits = visit_table(plain)[names].iloc[rows].reset_index(drop=True)
    of_site = by_season.iloc[rows // made.shape[-1]].drop(columns=["site", "season"]).reset_index(drop=True)
    return visits.join(of_site)
