"""The posterior of a model, as a person holds it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from leopardpop.data.names import listed
from leopardpop.errors import ModelError
from leopardpop.results.fit_base import BaseFit
from leopardpop.results.fit_text import fit_html, fit_text
from leopardpop.results.model_json import model_from_json

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.models.problem import Problem
    from leopardpop.models.scr import SCR

__all__ = ["Fit"]

LEFT_OUT = ("capture", "n_detected", "station")
"""What can be left out of the data."""


class Fit(BaseFit):
    """A posterior with its diagnostics; made by :meth:`SCR.fit`, :meth:`SCR.from_posterior` or :func:`load_fit`.

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
        Classes of one's own that the model may be made of.

    Examples
    --------
    >>> import pandas as pd
    >>> import leopardpop as lp
    >>> axis = range(0, 6_000, 1_500)
    >>> stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_500, spacing=600)
    >>> sim = lp.SCR().simulate(design, mask, parameters={"D": 0.4, "lambda0": 0.2, "sigma": 1_000}, seed=2)
    >>> fit = lp.SCR().fit(sim.history, mask, seed=1)
    >>> fit.engine, fit.trusted, fit.summary().index.tolist()
    ('laplace', True, ['D', 'lambda0', 'sigma', 'E_N', 'N'])
    """

    _elsewhere: ClassVar[Mapping[str, str]] = {
        "occupancy": "it is of animals on ground; fit.population() counts them, and lp.Occupancy is a model of sites",
        "surface": "its surface is that of density: fit.density_surface()",
        "process_level": "it is of models of sites; fit.population() has the density of any region",
        "species": "it is of one species; lp.CommunityOccupancy is a model of several",
    }

    @staticmethod
    def _known_from(problem: Problem) -> dict[str, Any]:
        return {"problem": problem, "model": problem.model, "history": problem.given, "masks": problem.masks}

    # -- what it is made of -------------------------------------------------------------------------------------------
    @cached_property
    def model(self) -> SCR:
        """The model."""
        made: SCR = model_from_json(str(self._tree.attrs["model_json"]), self._components)
        return made

    @cached_property
    def history(self) -> CaptureHistory:
        """The capture history."""
        from leopardpop.data.history import CaptureHistory

        return CaptureHistory.from_dataset(self._tree["observed_data"].to_dataset(), self._audit())

    @cached_property
    def masks(self) -> dict[str, Mask]:
        """Mask of each session."""
        from leopardpop.results.stored_masks import masks_of

        self._need_positions()
        return masks_of(self._tree["constant_data"].to_dataset())

    @property
    def mask(self) -> Mask | dict[str, Mask]:
        """The mask where one serves all sessions, else that of each session."""
        first, *others = self.masks.values()
        return first if all(mask == first for mask in others) else dict(self.masks)

    @cached_property
    def problem(self) -> Problem:
        """The model with its data, ready to be evaluated."""
        from leopardpop.models.problem import Problem

        self._need_positions()
        return Problem(self.model, self.history, self.masks)

    # -- results ------------------------------------------------------------------------------------------------------
    def loo(self, unit: Literal["capture", "n_detected", "station"] = "capture", *, refit: bool = False) -> Any:
        """Leave-one-out predictive density: how well the rest of the data predict what is left out.

        The log-likelihood has two parts: what became of each detected animal, given that it was detected, and how many
        were detected in each session. The first tells of detection and of where animals live; the second of how many
        there are, and with one session nothing but the prior of density foresees it.

        Parameters
        ----------
        unit
            "capture": an animal's history, given that it is detected. "n_detected": the number of animals detected in
            a session. "station": what was met at a station, given what was at the others (from 1,000 draws at most).
        refit
            Whether the posterior without a unit is drawn from where importance weights cannot tell.

        Returns
        -------
        arviz.ELPDData
            As :func:`arviz.loo`. After refits ``pareto_k`` is theirs, and ``influence_pareto_k`` is what it was.

        Raises
        ------
        ModelError
            If nobody was detected, or a session has one station, and it is to be left out.

        Warns
        -----
        ConvergenceWarning
            If some unit cannot be left out; ``result.pareto_k`` tells which.

        References
        ----------
        Vehtari, Gelman & Gabry (2017), https://doi.org/10.1007/s11222-016-9696-4
        """
        if unit not in LEFT_OUT:
            raise ModelError(f"unit={unit!r} cannot be left out: it is one of {listed(LEFT_OUT)}.")
        if unit == "capture" and not self._tree["log_likelihood"].sizes["individual"]:
            raise ModelError("no animal was detected: there is none to leave out.")
        return self._loo(unit, refit=refit)

    def singletons(self) -> pd.DataFrame:
        """Compare the animals detected once with what those detected twice or more lead one to expect.

        Returns
        -------
        pandas.DataFrame
            Index session; columns observed, expected (mean), lower, upper (95 % of what such surveys show), probability
            (of as many or more) and ghosts: how many are too many.

        Raises
        ------
        ModelError
            If the model has not ``ghosts=True``: animals detected once are then part of what was fitted.
        """
        from leopardpop.results.singletons import singletons

        return singletons(self.problem, self.theta.reshape(-1, self.theta.shape[-1]))

    def population(self, regions: Any = None, by: str | None = None) -> Any:
        """Number of animals, in the mask or by region.

        Parameters
        ----------
        regions
            GeoDataFrame, polygon or path of a vector file; None: the whole mask.
        by
            Column of the regions that names them.

        Returns
        -------
        Population
            Expected and realised numbers, drawn jointly over the regions.
        """
        from leopardpop.results.population import population

        return population(self, regions=regions, by=by)

    def density_surface(
        self,
        *,
        quantiles: Sequence[float] = (0.025, 0.5, 0.975),
        exceeds: float | Sequence[float] | None = None,
        draws: int = 400,
    ) -> xr.Dataset:
        """Density of animals by cell.

        Parameters
        ----------
        quantiles
            Quantiles of D.
        exceeds
            Densities, animals per km², that D is compared with; None for none.
        draws
            Draws, evenly spread, that ``realised``, ``undetected`` and ``pdot`` are averaged over; those of D use all.

        Returns
        -------
        xarray.Dataset
            ``D_mean``, ``D_sd``, ``D_quantile`` (per km²), ``D_cv``, ``realised``, ``undetected`` (animals), ``pdot``
            and, with ``exceeds``, ``exceedance``, over ``cell``.
        """
        from leopardpop.results.surface import density_surface

        return density_surface(self, quantiles=quantiles, exceeds=exceeds, draws=draws)

    def activity_centres(self, *, draws: int = 200) -> xr.Dataset:
        """Where each detected animal's activity centre is likely to be.

        Parameters
        ----------
        draws
            Draws, evenly spread, that the probabilities are averaged over; they vary little from draw to draw.

        Returns
        -------
        xarray.Dataset
            ``probability (individual, cell)``, ``mean_x``, ``mean_y``, ``sd`` (m) and, with classes,
            ``class_probability``; see :func:`leopardpop.results.centres.activity_centres`.
        """
        from leopardpop.results.centres import activity_centres

        return activity_centres(self, draws=draws)

    def effect(
        self,
        parameter: str,
        variable: str,
        *,
        at: Mapping[str, Any] | None = None,
        span: tuple[float, float] | None = None,
        points: int = 60,
    ) -> pd.DataFrame:
        """How a parameter follows one covariate, others at their reference.

        Parameters
        ----------
        parameter, variable, at, span, points
            As for :func:`leopardpop.results.effect.effect_table`: ``fit.effect("D", "snow")``.

        Returns
        -------
        pandas.DataFrame
            One row a value of the covariate: mean, median, 95 % interval, and whether it lies outside of the data.
        """
        from leopardpop.results.effect import effect_table

        return effect_table(self, parameter, variable, at=at, span=span, points=points)

    def write_map(
        self,
        path: str | os.PathLike[str],
        *,
        session: str | None = None,
        exceeds: float | Sequence[float] | None = None,
        coordinates: Literal["hidden", "exact"] = "hidden",
    ) -> Path:
        """Write the density surface for a geographic information system.

        Parameters
        ----------
        path
            ``.tif`` (a band a quantity; ``pip install "leopardpop[raster]"``) or ``.gpkg`` (squares with columns).
        session
            Label of the session; not needed if there is one.
        exceeds
            Densities, animals per km², for the probability that D is larger.
        coordinates
            "hidden": mean, sd, cv, quantiles and exceedance of density, whose values tell of no camera, without the
            cells at the edge of the mask, which is made of arcs around the outer stations: the map ends at whole
            squares of a twelfth of its extent; "exact": all cells, the probability of detection and where animals are,
            too, and in a GeoPackage the stations and activity centres.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        DataError
            If the mask has no reference system.
        ModelError
            If the session or the suffix is unknown, or rasterio is not installed.
        """
        from leopardpop.results.density_map import write_density

        return write_density(self, path, session=session, exceeds=exceeds, coordinates=coordinates)

    # -- for people ---------------------------------------------------------------------------------------------------
    @property
    def plot(self) -> Any:
        """Figures of this fit: ``fit.plot.population()``, ``.density()``, ``.detection()``."""
        from leopardpop.plots.accessor import FitPlots

        return FitPlots(self)

    def _text(self) -> str:
        return fit_text(self)

    def _html(self) -> str:
        return fit_html(self)
