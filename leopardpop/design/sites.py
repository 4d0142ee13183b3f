"""Designs of occupancy surveys: sites and visits before anybody has been there."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from leopardpop.data.detection_history import DetectionHistory
from leopardpop.design.parameters import check_whole
from leopardpop.errors import DataWarning

if TYPE_CHECKING:
    type Sites = int | pd.DataFrame

__all__ = ["visits"]


def visits(
    sites: Sites,
    per_season: int,
    *,
    seasons: int = 1,
    response: Literal["binary", "count", "state"] = "binary",
    effort_unit: str | None = None,
) -> DetectionHistory:
    """Lay out an occupancy survey that has not been made: nothing was seen on any visit.

    Parameters
    ----------
    sites
        Number of sites; or a table of them, with a column ``site`` and covariates.
    per_season
        Visits of each site in each season.
    seasons
        Number of seasons.
    response
        What a visit will record: "binary", "count" or "state".
    effort_unit
        Unit of effort, such as "day".

    Returns
    -------
    DetectionHistory
        For :meth:`Occupancy.simulate` and :class:`Scenario`.

    Raises
    ------
    ModelError
        If there is no site, visit or season.

    Examples
    --------
    >>> visits(60, 5).n_sites
    60
    """
    check_whole("per_season", per_season)
    check_whole("seasons", seasons)
    if not isinstance(sites, pd.DataFrame):
        check_whole("sites", sites)
        width = len(str(sites))
        sites = pd.DataFrame({"site": [f"site {i + 1:0{width}d}" for i in range(sites)]})
    check_whole("sites", len(sites))
    y = pd.DataFrame(np.zeros((len(sites), seasons * per_season), int), index=sites["site"].astype(str).to_numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # that nothing was seen is the point
        return DetectionHistory.from_tables(y, sites, seasons=seasons, response=response, effort_unit=effort_unit)
