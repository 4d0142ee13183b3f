"""The posterior of an occupancy model, as a person holds it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from leopardpop.results.fit_base import BaseFit
from leopardpop.results.fit_text import posterior_html, posterior_text
from leopardpop.results.model_json import model_from_json

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    import xarray as xr

    from leopardpop.data.detection_history import DetectionHistory
    from leopardpop.data.mask import Mask
    from leopardpop.models.occupancy_model import OccupancyModel
    from leopardpop.models.states.problem import OccupancyProblem
    from leopardpop.plots.occupancy_plots import OccupancyPlots
    from leopardpop.results.site_states import SiteStates

__all__ = ["OccupancyFit"]


class OccupancyFit(BaseFit):
    """A posterior of an occupancy model; made by its ``fit`` or ``from_posterior``, or by :func:`load_fit`.

    Everything is in :attr:`data_tree`; the other attributes are read from it.

    Parameters
    ----------
    data_tree
        The draws and where they came from.
    problem
        The model with its data, if it is at hand.
    laplace
        Result of the engine "laplace", with its raw draws.
    components
        Nothing that an occupancy model needs.

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((50, 4)))
    >>> sim = lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1)
    >>> fit = lp.Occupancy().fit(sim.history, seed=1)
    >>> fit.summary().index.tolist(), fit.summary().columns.tolist()[:3]
    (['psi', 'p'], ['mean', 'median', 'sd'])
    >>> fit.occupancy().pao.dims
    ('chain', 'draw')
    """

    _elsewhere: ClassVar[Mapping[str, str]] = {
        "population": "it is of sites, not of animals on ground; fit.occupancy() counts the sites that are used",
        "density_surface": "it is of sites, not of animals on ground; fit.surface(parameter, ground) maps a parameter",
        "activity_centres": "it knows no single animals; fit.occupancy().z has the state of each site",
        "singletons": "it knows no single animals; only capture-recapture has singletons",
    }

    @staticmethod
    def _known_from(problem: OccupancyProblem) -> dict[str, Any]:
        return {"problem": problem, "model": problem.model, "history": problem.history}

    @cached_property
    def model(self) -> OccupancyModel:
        """The model."""
        made: OccupancyModel = model_from_json(str(self._tree.attrs["model_json"]), self._components)
        return made

    @cached_property
    def history(self) -> DetectionHistory:
        """The detection history."""
        from leopardpop.data.detection_history import DetectionHistory

        return DetectionHistory.from_dataset(self._tree["observed_data"].to_dataset(), self._audit())

    @cached_property
    def problem(self) -> OccupancyProblem:
        """The model with its data, ready to be evaluated."""
        from leopardpop.models.states.kinds import occupancy_problem

        self._need_positions()
        return occupancy_problem(self.model, self.history)

    def loo(self, *, refit: bool = False) -> Any:
        """Leave-one-site-out predictive density of the visits to a site.

        Parameters
        ----------
        refit
            Whether the posterior without a site is drawn from where importance weights cannot tell.

        Returns
        -------
        arviz.ELPDData
            As :func:`arviz.loo` with ``var_name="y"``.

        Warns
        -----
        ConvergenceWarning
            If some site cannot be left out; ``result.pareto_k`` tells which.

        References
        ----------
        Vehtari, Gelman & Gabry (2017), https://doi.org/10.1007/s11222-016-9696-4
        """
        return self._loo("y", refit=refit)

    def occupancy(self) -> SiteStates:
        """States of the sites: which are used, how many, where there is breeding, what changed.

        Returns
        -------
        SiteStates
            ``psi``, ``pao``, ``z`` by site and season, ``breeding_sites``, ``turnover``; all of the same draws.
        """
        from leopardpop.results.site_states import SiteStates

        return SiteStates(self)

    def surface(
        self,
        parameter: str,
        ground: Mask | xr.Dataset | pd.DataFrame,
        *,
        quantiles: Sequence[float] = (0.025, 0.5, 0.975),
        draws: int = 1000,
    ) -> xr.Dataset:
        """Map a parameter over a mask, layers or a table of cells; see :func:`occupancy_surface`.

        Parameters
        ----------
        parameter
            ``"psi"``, ``"breeding"`` ...
        ground
            Cells with the covariates of its formula: a mask, a Dataset of layers, a table.
        quantiles
            Quantiles of the posterior.
        draws
            Draws, evenly spread, that are used.

        Returns
        -------
        xarray.Dataset
            ``{parameter}_mean``, ``_sd``, ``_quantile``, ``extrapolated`` by cell, ``total`` by draw.
        """
        from leopardpop.results.occupancy_surface import occupancy_surface

        return occupancy_surface(self, parameter, ground, quantiles=quantiles, draws=draws)

    def process_level(self, parameter: str = "psi") -> xr.DataArray:
        """Level of a parameter with a spatial effect at a place that could be anywhere; see :func:`process_level`.

        Parameters
        ----------
        parameter
            A parameter whose formula has ``gp(x, y)``.

        Returns
        -------
        xarray.DataArray
            (chain, draw): not of these sites, as in the summary, but of any that the same process could have had.
        """
        from leopardpop.results.spatial_level import process_level

        return process_level(self, parameter)

    def write_map(self, path: str | os.PathLike[str], parameter: str, mask: Mask) -> Path:
        """Write a parameter over a mask for a geographic information system.

        Parameters
        ----------
        path
            ``.tif`` (a band a quantity; ``pip install "leopardpop[raster]"``) or ``.gpkg`` (squares with columns).
        parameter
            ``"psi"``, ``"breeding"`` ...
        mask
            Cells with the covariates of its formula.

        Returns
        -------
        pathlib.Path
            With mean, sd, quantiles and ``extrapolated``, 1 where covariates lie outside of what the sites have.

        Raises
        ------
        DataError
            If the mask has no reference system.
        ModelError
            If the suffix is unknown, or rasterio is not installed.
        """
        from leopardpop.results.gis import columns_of, write_map

        return write_map(path, columns_of(self.surface(parameter, mask), slice(None), hidden=True), mask)

    def effect(
        self,
        parameter: str,
        variable: str,
        *,
        at: Mapping[str, Any] | None = None,
        span: tuple[float, float] | None = None,
        points: int = 60,
    ) -> pd.DataFrame:
        """How a parameter follows one covariate, others at their reference; see :func:`effect_table`.

        Parameters
        ----------
        parameter
            ``"psi"``, ``"p"`` ...
        variable
            Covariate of its formula.
        at
            Values of other covariates.
        span
            First and last value; None: what the history has.
        points
            Number of values.

        Returns
        -------
        pandas.DataFrame
            The variable, mean, median, eti95_lb, eti95_ub, extrapolated.
        """
        from leopardpop.results.effect import effect_table

        return effect_table(self, parameter, variable, at=at, span=span, points=points)

    @property
    def plot(self) -> OccupancyPlots:
        """Figures of this fit: ``fit.plot.effect()``, ``.surface()``, ``.states()``."""
        from leopardpop.plots.occupancy_plots import OccupancyPlots

        return OccupancyPlots(self)

    def _text(self) -> str:
        return posterior_text(self)

    def _html(self) -> str:
        return posterior_html(self)
