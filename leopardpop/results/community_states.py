"""Which species use which sites of a detection history, drawn from their distribution given what was seen."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from leopardpop.results.draws import BLOCK, generator
from leopardpop.results.summary import COLUMNS, summary_table
from leopardpop.words import counted, median_and_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.results.community_fit import CommunityFit

__all__ = ["CommunityStates"]

OF_THESE = "Species of the history alone: one that was never recorded is in no number here"


class CommunityStates:
    """Posterior of which species use which sites; made by ``occupancy`` or ``richness`` of a :class:`CommunityFit`.

    The states of all species are drawn given what was seen, for every draw of the parameters: a species that was seen
    at a site uses it in every draw. Richness counts the species of the history and the sites of the history, visited
    or not; species that were never recorded are not asked for.

    Parameters
    ----------
    fit
        The fit.

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables({f"species {k}": np.ones((30, 4)) for k in range(6)})
    >>> truth = {"psi": 0.5, "p": 0.4, "psi_sd_species": 1.0, "p_sd_species": 0.3}
    >>> sim = lp.CommunityOccupancy().simulate(design, parameters=truth, seed=1)
    >>> states = lp.CommunityOccupancy().fit(sim.history, seed=1).richness()
    >>> states.richness.dims, states.total.dims, bool(states.richness.max() <= 6)
    (('chain', 'draw', 'site'), ('chain', 'draw'), True)
    """

    def __init__(self, fit: CommunityFit) -> None:
        self._fit, self._problem = fit, fit.problem

    @cached_property
    def z(self) -> xr.DataArray:
        """Whether each species uses each site given what was seen, (chain, draw, species, site), 0 or 1."""
        rng = generator(self._fit, "states of sites")
        theta = self._fit.theta.reshape(-1, self._fit.theta.shape[-1])
        parts = [self._problem.draw_states(theta[i : i + BLOCK], rng)[:, 0] for i in range(0, len(theta), BLOCK)]
        drawn = self._problem.by_species(np.concatenate(parts))
        return self._array(drawn, "z", species=self._problem.species, site=self._problem.places)

    @property
    def richness(self) -> xr.DataArray:
        """Number of species that use each site, (chain, draw, site)."""
        return self.z.sum("species", dtype=np.int32).rename("richness").assign_attrs(units="species")

    @property
    def total(self) -> xr.DataArray:
        """Number of species that use any of the sites, (chain, draw)."""
        return (self.z > 0).any("site").sum("species").rename("total").assign_attrs(units="species")

    @property
    def used_sites(self) -> xr.DataArray:
        """Number of sites that each species uses, (chain, draw, species)."""
        return self.z.sum("site", dtype=np.int32).rename("used_sites").assign_attrs(units="sites")

    @property
    def pao(self) -> xr.DataArray:
        """Proportion of the sites that each species uses, (chain, draw, species)."""
        sites = len(self._problem.places)
        return (self.used_sites / sites).rename("pao").assign_attrs(units="1", denominator=sites)

    @property
    def seen(self) -> pd.Series:
        """Number of species that were seen at each site."""
        return pd.Series(self.seen_where.sum(0), index=pd.Index(self._problem.places, name="site"), name="seen")

    @cached_property
    def seen_where(self) -> NDArray[np.bool_]:
        """Whether each species was seen at each site, (K, N)."""
        data = self._problem.arrays
        seen = np.bincount(data.site[data.value > 0], minlength=len(data.sites)) > 0
        known: NDArray[np.bool_] = self._problem.by_species(seen)
        return known

    def table(self) -> pd.DataFrame:
        """Return the number of species at each site.

        Returns
        -------
        pandas.DataFrame
            One row a site: seen (species that were seen there), mean, median, sd, eti95_lb, eti95_ub (95 %, equal
            tails).
        """
        draws = self.richness.values.reshape(-1, len(self._problem.places))
        rows = [(*median_and_interval(column),) for column in draws.T]
        found = pd.DataFrame(rows, index=self.seen.index, columns=["median", "eti95_lb", "eti95_ub"])
        spread = draws.std(0, ddof=1) if len(draws) > 1 else np.zeros(draws.shape[1])
        found = found.assign(seen=self.seen, mean=draws.mean(0), sd=spread)
        return found[["seen", "mean", "median", "sd", "eti95_lb", "eti95_ub"]]

    def summary(self) -> pd.DataFrame:
        """Return a table of everything.

        Returns
        -------
        pandas.DataFrame
            Rows richness (mean over the sites), total, and used_sites by species; columns as of
            :meth:`CommunityFit.summary`.
        """
        mean = self.richness.mean("site").assign_attrs(units="species")
        arrays = [mean, self.total, self.used_sites]
        tables = [summary_table(array.to_dataset(), self._fit.importance_ess) for array in arrays]
        return pd.concat(tables)[COLUMNS]

    def __repr__(self) -> str:
        """Show the summary."""
        table = self.summary()[["median", "eti95_lb", "eti95_ub", "unit"]]
        species, sites = len(self._problem.species), len(self._problem.places)
        head = f"{counted(species, 'species', 'species')} at {counted(sites, 'site')}, drawn given what was seen there"
        return f"{head}\n{table.round(2).to_string()}\n{OF_THESE}"

    def _array(self, values: Any, name: str, **coords: Any) -> xr.DataArray:
        sample = self._fit.theta.shape[:2]
        own = {"chain": np.arange(sample[0]), "draw": np.arange(sample[1])}
        known = {dim: list(labels) for dim, labels in coords.items()}
        return xr.DataArray(
            values.reshape(*sample, *values.shape[1:]),
            {**own, **known},
            ["chain", "draw", *known],
            name=name,
            attrs={"units": "1"},
        )
