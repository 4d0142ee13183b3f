"""Detection history: what was seen at which site on which visit of which season."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.design import AUDIT_COLUMNS
from leopardpop.data.detection_checks import missing_covariates
from leopardpop.data.detection_complete import complete_visits
from leopardpop.data.detection_dataset import adopt_detections, home_of, select
from leopardpop.data.detection_export import write_unmarked
from leopardpop.data.detection_grid import Seasons
from leopardpop.data.detection_long import naive_occupancy, site_table, summary_table, visit_table, visits_made
from leopardpop.data.detection_sources import VisitSource
from leopardpop.data.detection_tables import DetectionOptions, VisitCovariates, build_detections
from leopardpop.data.detection_text import detections_html, detections_text
from leopardpop.data.fingerprint import detections_hash
from leopardpop.data.occupancy_arrays import OccupancyArrays, occupancy_arrays
from leopardpop.data.tables import TableSource

if TYPE_CHECKING:
    from leopardpop.plots.visit_plots import VisitPlots

__all__ = ["DetectionHistory"]


class DetectionHistory:
    """What was seen at which site on which visit of which season: the data of occupancy models.

    A history is validated when it is made and does not change: its arrays are read-only, its tables copies. Make one
    with :meth:`from_tables`, :meth:`from_dataset`, :func:`leopardpop.read_unmarked` or the ``detection_history`` of a
    survey.

    Parameters
    ----------
    dataset
        ``y`` with dims site, visit [, season] [, species] in any order, alone or with covariates; see
        :attr:`dataset`.
    audit
        What happened to each record that was not simply kept: columns source, line, action, reason.

    Raises
    ------
    DataError
        If a value cannot be: it names the site, season and visit; ``offenders`` has all such cells.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> y = xr.DataArray([[0, 1, np.nan], [0, 0, 0]], dims=["site", "visit"], coords={"site": ["ridge", "river"]})
    >>> history = DetectionHistory(y)
    >>> history.n_sites, history.n_visits, history.n_detections
    (2, 5, 1)
    """

    def __init__(self, dataset: xr.Dataset | xr.DataArray, audit: pd.DataFrame | None = None) -> None:
        self._dataset = adopt_detections(dataset)
        self._audit = pd.DataFrame(columns=AUDIT_COLUMNS) if audit is None else audit[AUDIT_COLUMNS]
        self._audit = self._audit.reset_index(drop=True)

    @classmethod
    def from_tables(
        cls,
        y: VisitSource | Mapping[str, VisitSource],
        sites: TableSource | None = None,
        *,
        visit_covariates: VisitCovariates | None = None,
        seasons: Seasons = 1,
        response: str | None = None,
        visits: Sequence[str] | None = None,
        effort_unit: str | None = None,
        columns: Mapping[str, Mapping[str, str]] | None = None,
        crs: str | None = None,
        on_zero_effort: str = "raise",
    ) -> DetectionHistory:
        """Make a history from tables: DataFrames, paths or arrays.

        Parameters
        ----------
        y
            What was seen, blank (NaN) where there was no visit. A wide table: a row a site, a column a visit, the
            label of the site in a column "site" or the index. Or a long one: columns site, visit (1, 2, …), y
            [, season]; a row that is not there is no visit. Or an array (site, visit) or (site, season, visit). Several
            species: a dict species -> table, or a column "species".
        sites
            Columns site [, x, y in metres] [, season]; every other column is a covariate. Its sites count, visited or
            not, in its order. With a column "season" covariates may differ by season.
        visit_covariates
            Covariate -> wide table or array, laid out as ``y``; "effort" (0 = no visit) is one of them. Without a
            label of sites rows are those of ``y``. With a long ``y``: names of its columns, or covariate -> column
            (default all of them; columns that are not named are covariates of sites). Or a long table: site, visit
            [, season], covariates.
        seasons
            Number of seasons, equal blocks of columns; or their labels; or label -> number of columns, 0 for a season
            in which nobody looked. If a column "season" says them, their labels in order.
        response
            "binary" (0, 1), "count", or "state" (0 not seen, 1 seen, 2 seen with young). Default: "binary", and an
            error if there is anything above 1.
        visits
            Columns of a wide ``y`` that are visits, in order; its others are then covariates of sites. Default: all.
        effort_unit
            Unit of effort, such as "day". Default "occasion".
        columns
            What the files call a column: ``{"y": {"plot": "site"}, "sites": {...}}``.
        crs
            Reference system of x and y, projected, in metres: "EPSG:32652".
        on_zero_effort
            What to do with something seen where effort is 0: "raise", "drop" it, or "keep" it with the smallest
            positive effort. Nothing seen with effort 0 is no visit. ``audit`` says so.

        Returns
        -------
        DetectionHistory

        Raises
        ------
        DataError
            If the tables contradict themselves or each other, naming line and column; ``offenders`` has the rows.

        Warns
        -----
        DataWarning
            If nothing was detected, a covariate is missing, or a site has no row in ``y``.

        Examples
        --------
        >>> y = pd.DataFrame({"site": ["ridge", "river"], "v1": [0, 1], "v2": [0, 0], "v3": [None, 2]})
        >>> sites = pd.DataFrame({"site": ["ridge", "river"], "snow": [12.0, 3.5]})
        >>> days = pd.DataFrame({"site": ["ridge", "river"], "v1": [14, 14], "v2": [14, 9], "v3": [0, 14]})
        >>> history = DetectionHistory.from_tables(
        ...     y=y, sites=sites, visit_covariates={"effort": days}, response="state", effort_unit="day"
        ... )
        >>> print(history)
        DetectionHistory, response state: 2 sites, 5 visits, 2 detections
          up to 3 visits each, 83 % of them made
          naive occupancy 0.50 (1 of 2 sites visited); seen with young at 1 of them (0.50)
          visits by state: 0 (not seen) 3, 1 (seen) 1, 2 (seen with young) 1
          effort 65 site-days, 13 a visit on average
          covariates of sites: snow
          positions of the sites: not given
        """
        options = DetectionOptions(
            seasons=seasons,
            response=response,
            visits=visits,
            effort_unit=effort_unit,
            columns=columns or {},
            crs=crs,
            on_zero_effort=on_zero_effort,
        )
        return cls(*build_detections(y, sites, visit_covariates, options))

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset | xr.DataArray, audit: pd.DataFrame | None = None) -> DetectionHistory:
        """Make a history from xarray: your own arrays, or the ``observed_data`` of a saved fit.

        Parameters
        ----------
        dataset
            ``y`` with dims site, visit [, season] [, species] in any order; NaN is no visit. Every other variable is
            a covariate: of sites if its dims are among site and season, else of visits. ``effort`` (site [, season],
            visit), ``visit_start`` (season, visit; datetime), ``easting`` and ``northing`` (site; metres) have a
            meaning of their own. Attributes ``response`` ("binary", "count", "state"), ``effort_unit``, ``crs``.
        audit
            What happened to each record: source, line, action, reason.

        Returns
        -------
        DetectionHistory

        Raises
        ------
        DataError
            If a value, a dimension or a name cannot be.

        Examples
        --------
        >>> import xarray as xr
        >>> y = xr.DataArray([[0, 2], [0, 1]], dims=["site", "visit"], attrs={"response": "state"})
        >>> DetectionHistory.from_dataset(xr.Dataset({"y": y, "snow": ("site", [3.5, 8.0])})).response
        'state'
        """
        return cls(dataset, audit)

    @property
    def dataset(self) -> xr.Dataset:
        """The data, read-only arrays: dims [species,] site, season, visit.

        Data variables: ``y`` ([species,] site, season, visit), float, NaN = no visit; ``effort`` (site, season,
        visit), if known; covariates of visits (site, season, visit). Coordinates: labels (str) of species, site and
        season, visit from 1; covariates of sites (site) or (site, season); ``easting``, ``northing`` (site) in
        metres, if known; ``visit_start`` (season, visit), if known. Text that is missing is "". Attributes:
        ``response``, ``effort_unit``, ``crs`` ("" if unknown).
        """
        return self._dataset.copy(deep=False)

    @property
    def audit(self) -> pd.DataFrame:
        """What happened to each record that was not simply kept: source, line, action, reason."""
        return self._audit.copy()

    @property
    def response(self) -> str:
        """Kind of response: "binary" (0, 1), "count", or "state" (0, 1 seen, 2 seen with young)."""
        return str(self._dataset.attrs["response"])

    @property
    def effort_unit(self) -> str:
        """Unit of effort."""
        return str(self._dataset.attrs["effort_unit"])

    @property
    def crs(self) -> str | None:
        """Coordinate reference system of the sites, ``None`` if it was not said."""
        return self._dataset.attrs["crs"] or None

    @property
    def species(self) -> tuple[str, ...]:
        """Species; empty if there is one without a name."""
        if "species" not in self._dataset.coords:
            return ()
        return tuple(np.atleast_1d(self._dataset["species"].values).tolist())

    @property
    def sites(self) -> pd.DataFrame:
        """One row a site (and season, if a covariate differs by season): site, easting, northing [m], covariates."""
        return site_table(self._dataset)

    @property
    def visits(self) -> pd.DataFrame:
        """One row a [species x] site x season x visit, made or not: y (NaN = no visit), effort and covariates."""
        return visit_table(self._dataset)

    @property
    def seasons(self) -> tuple[str, ...]:
        """Season labels, in order of time."""
        return tuple(self._dataset["season"].values.tolist())

    @property
    def n_sites(self) -> int:
        """Number of sites, visited or not."""
        return self._dataset.sizes["site"]

    @property
    def n_visits(self) -> int:
        """Number of visits made: sites x seasons x visits where ``y`` is known for any species."""
        return int(self._visited.sum())

    @property
    def n_detections(self) -> int:
        """Number of visits on which something was seen, added up over species."""
        return int((self._dataset["y"].values > 0).sum())

    @property
    def naive_occupancy(self) -> xr.DataArray:
        """Share of visited sites where something was seen, ([species,] season): too low, as some were overlooked."""
        return naive_occupancy(self._dataset)

    @property
    def missing_covariates(self) -> pd.DataFrame:
        """Covariates and effort that are missing: covariate, missing, total, of ("sites" or "visits made")."""
        made = self._visited
        of = {1: "sites", 2: "sites and seasons", 3: "visits made"}
        rows = [
            (name, int(missing.sum()), int(made.sum()) if missing.ndim == 3 else missing.size, of[missing.ndim])
            for name, missing in missing_covariates(self._dataset, made).items()
        ]
        return pd.DataFrame(rows, columns=["covariate", "missing", "total", "of"])

    @cached_property
    def _visited(self) -> NDArray[np.bool_]:
        """Whether a visit was made, (site, season, visit)."""
        return visits_made(self._dataset)

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of the content, whatever the order of sites and species."""
        return detections_hash(self._dataset)

    def to_array(self) -> xr.DataArray:
        """Return ``y``, with labels and covariates as coordinates: ([species,] site, season, visit), NaN = no visit."""
        return self._dataset["y"].copy()

    def summary(self) -> pd.DataFrame:
        """Return one row a [species and] season: what was done and what was seen.

        Returns
        -------
        pandas.DataFrame
            Columns [species,] season; sites (visited), visits (made), detections (visits with y > 0), sites_detected,
            naive_occupancy; for counts total, for states sites_breeding and naive_breeding.

        Examples
        --------
        >>> history = DetectionHistory.from_tables([[0, 1, 0, 0], [0, 0, 1, 1]], seasons=["2021", "2022"])
        >>> history.summary()[["season", "detections", "naive_occupancy"]]
          season  detections  naive_occupancy
        0   2021           1              0.5
        1   2022           2              0.5
        """
        return summary_table(self._dataset)

    def arrays(self) -> OccupancyArrays:
        """Return the history as plain arrays, read-only, for the mathematics.

        Examples
        --------
        >>> history = DetectionHistory.from_tables([[0, 1, float("nan")], [0, 0, 0]])
        >>> arrays = history.arrays()
        >>> arrays.y[:, 0].tolist(), arrays.value.tolist(), arrays.n_visits.ravel().tolist()
        ([[0, 1, -1], [0, 0, 0]], [0, 1, 0, 0, 0], [2, 3])
        """
        return occupancy_arrays(self._dataset)

    def to_unmarked(self, path: str | PathLike[str]) -> Path:
        """Write the wide CSV of the R package unmarked: site, y.1 … y.J, covariates of sites, covariates of visits.

        Visits of several seasons stand one after another (``csvToUMF(path, type=..., numPrimary=T)``), covariates by
        season are repeated on each visit. What the table cannot say (labels of seasons, response, units, text that
        looks like numbers) goes to the file ``path`` + ".json" beside it.

        Parameters
        ----------
        path
            Where to write; folders are made.

        Returns
        -------
        pathlib.Path
            The table. :func:`leopardpop.read_unmarked` gives the same history back.

        Raises
        ------
        DataError
            If there are several species, or unmarked would misread the name of a covariate.
        """
        return write_unmarked(self._dataset, Path(path))

    @property
    def plot(self) -> VisitPlots:
        """Figures: ``history.plot.history()``, ``history.plot.map()``."""
        from leopardpop.plots.visit_plots import VisitPlots

        return VisitPlots(self)

    def select(self, *, species: str | None = None, season: str | None = None) -> DetectionHistory:
        """Return one species, one season, or both; ``history["2022"]`` is short for it.

        Parameters
        ----------
        species
            Label of a species; the history is then one of a single species.
        season
            Label of a season.

        Raises
        ------
        DataError
            If there is no such label.
        """
        return DetectionHistory(select(self._dataset, species=species, season=season), self._audit)

    def complete_visits(self, *covariates: str) -> DetectionHistory:
        """Leave out the visits on which covariates (none named: any) are missing, and warn of how many.

        Raises
        ------
        DataError
            If there is no such covariate.
        """
        return DetectionHistory(complete_visits(self._dataset, covariates), self._audit)

    def __getitem__(self, label: str | tuple[str, ...]) -> DetectionHistory:
        chosen = self._dataset
        for name in label if isinstance(label, tuple) else (label,):
            chosen = select(chosen, **{home_of(chosen, str(name)): str(name)})
        return DetectionHistory(chosen, self._audit)

    def __eq__(self, other: object) -> bool:
        return self._dataset.identical(other._dataset) if isinstance(other, DetectionHistory) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.data_hash)

    def __repr__(self) -> str:
        return detections_text(self)

    def _repr_html_(self) -> str:
        return detections_html(self)
