"""Detection history: what was seen at which site on which visit of which season."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from leopardpop.data.design import AUDIT_COLUMNS
from leopardpop.data.detection_dataset import adopt_detections
from leopardpop.data.fingerprint import detections_hash
from leopardpop.data.names import did_you_mean, listed
from leopardpop.errors import DataError

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
        """One row a site: site and covariates."""
        return pd.DataFrame({"site": self._dataset["site"].values.astype(object)})

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

    @cached_property
    def _visited(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether a visit was made, (site, season, visit)."""
        known = ~np.isnan(self._dataset["y"].values)
        return known if known.ndim == 3 else known.any(axis=0)

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of the content, whatever the order of sites and species."""
        return detections_hash(self._dataset)

    def to_array(self) -> xr.DataArray:
        """Return ``y``, with labels and covariates as coordinates: ([species,] site, season, visit), NaN = no visit."""
        return self._dataset["y"].copy()

    def __getitem__(self, label: str | tuple[str, ...]) -> DetectionHistory:
        names: Sequence[str] = label if isinstance(label, tuple) else (label,)
        chosen = self._dataset
        for name in names:
            chosen = _select(chosen, str(name))
        return DetectionHistory(chosen, self._audit)

    def __eq__(self, other: object) -> bool:
        return self._dataset.identical(other._dataset) if isinstance(other, DetectionHistory) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.data_hash)


def _select(dataset: xr.Dataset, name: str) -> xr.Dataset:
    """Return one season, or one species."""
    labels = {dim: dataset[dim].values.tolist() for dim in ("species", "season") if dim in dataset.dims}
    homes = [dim for dim, names in labels.items() if name in names]
    if len(homes) == 1:
        position = labels[homes[0]].index(name)
        return dataset.isel({homes[0]: [position] if homes[0] == "season" else position})
    if homes:
        raise DataError(f"'{name}' is both a season and a species. Select it in history.dataset, and use from_dataset.")
    every = [each for names in labels.values() for each in names]
    words = "; ".join(f"{'seasons' if dim == 'season' else dim} are {listed(names)}" for dim, names in labels.items())
    raise DataError(f"there is no season or species {name!r}; {words}.{did_you_mean(name, every)}", offenders=[name])
