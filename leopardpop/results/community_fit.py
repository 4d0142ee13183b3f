"""The posterior of a community of species, as a person holds it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from leopardpop.errors import ModelError
from leopardpop.models.states.community import SPECIES
from leopardpop.results.occupancy_fit import OccupancyFit

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import xarray as xr

    from leopardpop.checks.model_check import ModelCheck
    from leopardpop.data.mask import Mask
    from leopardpop.models.states.community import CommunityProblem
    from leopardpop.plots.community_plots import CommunityPlots
    from leopardpop.results.community_states import CommunityStates

__all__ = ["CommunityFit"]


class CommunityFit(OccupancyFit):
    """A posterior of :class:`CommunityOccupancy`; made by its ``fit`` or ``from_posterior``, or by :func:`load_fit`.

    Rows of :meth:`summary` are the community's: ``psi`` and ``p`` of a species in its middle at the reference of the
    covariates, ``psi[snow]`` the mean of the species' slopes, ``psi_sd_species`` the sd between species.
    :meth:`species` has what each species has of its own.

    Parameters
    ----------
    data_tree
        The draws and where they came from.
    problem
        The model with its data, if it is at hand.
    laplace
        Result of the engine "laplace", with its raw draws.
    components
        Nothing that a community needs.

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables({f"species {k}": np.ones((30, 4)) for k in range(6)})
    >>> truth = {"psi": 0.5, "p": 0.4, "psi_sd_species": 1.0, "p_sd_species": 0.3}
    >>> sim = lp.CommunityOccupancy().simulate(design, parameters=truth, seed=1)
    >>> fit = lp.CommunityOccupancy().fit(sim.history, seed=1)
    >>> fit.summary().index.tolist()[:4]
    ['psi', 'p', 'psi_sd_species', 'p_sd_species']
    >>> fit.species().columns.tolist()[:4]
    ['seen_at', 'psi', 'psi_lb', 'psi_ub']
    """

    @cached_property
    def problem(self) -> CommunityProblem:
        """The model with its data, ready to be evaluated."""
        made: CommunityProblem = super().problem  # type: ignore[assignment]
        return made

    # -- species ------------------------------------------------------------------------------------------------------
    def coefficients(self) -> xr.Dataset:
        """Coefficients of each species on the link scale, of covariates as given.

        Returns
        -------
        xarray.Dataset
            ``psi_beta (chain, draw, species, psi_coef)`` and ``p_beta (chain, draw, species, p_coef)``; the intercept
            is where all covariates are 0.
        """
        from leopardpop.results.community_species import species_coefficients

        return species_coefficients(self)

    def species(self) -> pd.DataFrame:
        """What each species has of its own, at the reference of the covariates (their means, factors' first levels).

        Returns
        -------
        pandas.DataFrame
            One row a species: seen_at (number of sites); psi, psi_lb, psi_ub, p, p_lb, p_ub (median and 95 % interval
            on the natural scale); used_sites, used_sites_lb, used_sites_ub (sites used, given what was seen).
        """
        from leopardpop.results.community_species import species_table

        return species_table(self)

    # -- states -------------------------------------------------------------------------------------------------------
    def occupancy(self) -> CommunityStates:  # type: ignore[override]
        """Which species use which sites, given what was seen: sites used by each species, and species at each site.

        Returns
        -------
        CommunityStates
            ``z`` by species and site, ``used_sites``, ``pao``, ``richness``, ``total``; all of the same draws.
        """
        return self._states

    def richness(self) -> CommunityStates:
        """Number of species at each site and at all sites together, given what was seen: see :meth:`occupancy`.

        Only the species of the history are counted.

        Returns
        -------
        CommunityStates
            ``richness`` by site, ``total``, and ``table()`` with mean and interval of each site.
        """
        return self._states

    @cached_property
    def _states(self) -> CommunityStates:
        from leopardpop.results.community_states import CommunityStates

        return CommunityStates(self)

    # -- elsewhere ----------------------------------------------------------------------------------------------------
    def predict(self, parameter: str, table: pd.DataFrame) -> xr.DataArray:
        """Values of a parameter at new covariates, of all species or of those that a column ``species`` names.

        Parameters
        ----------
        parameter
            ``"psi"`` or ``"p"``.
        table
            One row a prediction, with the variables of the parameter's formula. With a column ``species`` each row is
            of that species, one that the history does not have being a new one of the community.

        Returns
        -------
        xarray.DataArray
            (chain, draw, species, row), natural scale; (chain, draw, row) with a column ``species``.
        """
        from leopardpop.results.community_surface import predict_species

        return predict_species(self, parameter, table)

    def surface(  # type: ignore[override]
        self,
        parameter: str,
        ground: Mask | xr.Dataset | pd.DataFrame,
        *,
        species: str,
        quantiles: Sequence[float] = (0.025, 0.5, 0.975),
        draws: int = 1000,
    ) -> xr.Dataset:
        """Map a parameter of one species over a mask, layers or a table of cells; see :func:`occupancy_surface`.

        Parameters
        ----------
        parameter
            ``"psi"`` or ``"p"``.
        ground
            Cells with the covariates of its formula: a mask, a Dataset of layers, a table.
        species
            Label of the species.
        quantiles
            Quantiles of the posterior.
        draws
            Draws, evenly spread, that are used.

        Returns
        -------
        xarray.Dataset
            ``{parameter}_mean``, ``_sd``, ``_quantile``, ``extrapolated`` by cell, ``total`` by draw.
        """
        from leopardpop.results.community_surface import species_surface

        return species_surface(self, parameter, ground, species=species, quantiles=quantiles, draws=draws)

    def richness_surface(
        self,
        ground: Mask | xr.Dataset | pd.DataFrame,
        *,
        quantiles: Sequence[float] = (0.025, 0.5, 0.975),
        draws: int = 1000,
    ) -> xr.Dataset:
        """Map the number of species over a mask, layers or a table of cells, where nobody looked.

        Parameters
        ----------
        ground
            Cells with the covariates of ψ.
        quantiles
            Quantiles of the posterior.
        draws
            Draws, evenly spread, that are used.

        Returns
        -------
        xarray.Dataset
            ``richness_mean``, ``_sd``, ``_quantile`` of the number of species of the history that use a cell,
            ``extrapolated`` by cell, ``total`` by draw (cells used, summed over species).
        """
        from leopardpop.results.community_surface import richness_surface

        return richness_surface(self, ground, quantiles=quantiles, draws=draws)

    def write_map(  # type: ignore[override]
        self, path: str | os.PathLike[str], parameter: str, mask: Mask, *, species: str
    ) -> Path:
        """Write a parameter of one species over a mask for a geographic information system.

        Parameters
        ----------
        path, parameter, mask
            As for :meth:`OccupancyFit.write_map`.
        species
            Label of the species.

        Returns
        -------
        pathlib.Path
            With mean, sd, quantiles and ``extrapolated``.
        """
        from leopardpop.results.gis import columns_of, write_map

        found = self.surface(parameter, mask, species=species)
        return write_map(path, columns_of(found, slice(None), hidden=True), mask)

    def effect(
        self,
        parameter: str,
        variable: str,
        *,
        species: str | None = None,
        at: Mapping[str, Any] | None = None,
        span: tuple[float, float] | None = None,
        points: int = 60,
    ) -> pd.DataFrame:
        """How a parameter of the community's middle, or of one species, follows one covariate.

        Parameters
        ----------
        parameter
            ``"psi"`` or ``"p"``.
        variable
            Covariate of its formula.
        species
            Label of a species; None: a species in the middle of the community.
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
        from leopardpop.results.community_surface import check_species
        from leopardpop.results.effect import effect_table

        group = None if species is None else {SPECIES: check_species(self, species)}
        return effect_table(self, parameter, variable, at=at, span=span, points=points, group=group)

    def kfold(self, *args: Any, **options: Any) -> Any:
        """Refuse: blocks are left out species by species.

        Raises
        ------
        ModelError
            Always.
        """
        raise ModelError(
            "kfold() takes one species at a time: fit lp.Occupancy to history.select(species=...) with the same "
            "formulas. fit.loo() compares communities."
        )

    # -- not for communities ------------------------------------------------------------------------------------------
    def check(self, *, replicates: int | None = None, seed: int | np.random.Generator | None = None) -> ModelCheck:
        """Refuse: goodness of fit is checked species by species.

        Raises
        ------
        ModelError
            Always.
        """
        raise ModelError(
            "check() takes one species at a time: fit lp.Occupancy to history.select(species=...) with the same "
            "formulas and check that. fit.loo() compares communities."
        )

    def sensitivity(self, **options: Any) -> Any:
        """Refuse: what the answer hangs on is asked species by species.

        Raises
        ------
        ModelError
            Always.
        """
        raise ModelError(
            "sensitivity() takes one species at a time: fit lp.Occupancy to history.select(species=...). Of a "
            "community, fit again with other priors of psi_sd_species and compare fit.species()."
        )

    @property
    def plot(self) -> CommunityPlots:  # type: ignore[override]
        """Figures of this fit: ``fit.plot.species()``, ``.effect()``."""
        from leopardpop.plots.community_plots import CommunityPlots

        return CommunityPlots(self)
