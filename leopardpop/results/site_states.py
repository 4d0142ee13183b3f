"""States of the sites of a detection history, drawn from their distribution given everything that was seen."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from leopardpop.data.names import did_you_mean
from leopardpop.errors import ModelError
from leopardpop.results.draws import BLOCK, generator
from leopardpop.results.summary import COLUMNS, summary_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.results.occupancy_fit import OccupancyFit

__all__ = ["SiteStates"]


class SiteStates:
    """Posterior of the states of the sites; made by :meth:`OccupancyFit.occupancy`.

    The states of all seasons of a site are drawn together for every draw of the parameters: forward filtering,
    backward sampling. They include what was seen: a site where the species was seen in a season is used in it, in
    every draw. Everything counts the sites of the history, visited or not, and no other ground.

    Parameters
    ----------
    fit
        The fit.

    Examples
    --------
    >>> import numpy as np
    >>> import leopardpop as lp
    >>> design = lp.DetectionHistory.from_tables(np.ones((50, 4)))
    >>> sim = lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1)
    >>> states = lp.Occupancy().fit(sim.history, seed=1).occupancy()
    >>> states.z.dims, states.pao.attrs["denominator"]
    (('chain', 'draw', 'site'), 50)
    >>> states.summary().index.tolist()
    ['psi', 'pao', 'used_sites']
    """

    def __init__(self, fit: OccupancyFit) -> None:
        self._fit, self._problem = fit, fit.problem
        self._sample = fit.theta.shape[:2]

    # -- by site ------------------------------------------------------------------------------------------------------
    @cached_property
    def z(self) -> xr.DataArray:
        """State of each site given what was seen, (chain, draw, site [, season]): 0 absent, 1 used, 2 breeding.

        Of a model of animals it is their number.
        """
        rng = generator(self._fit, "states of sites")
        theta = self._fit.theta.reshape(-1, self._fit.theta.shape[-1])
        parts = [self._problem.draw_states(theta[i : i + BLOCK], rng) for i in range(0, len(theta), BLOCK)]
        return self._array(np.concatenate(parts).swapaxes(-1, -2), "z", "1", states=str(self._problem.structure.states))

    @cached_property
    def psi(self) -> xr.DataArray:
        """Pr(used) of each site from its covariates alone, (chain, draw, site [, season])."""
        return self._array(self._laws[:, 0], "psi", "1")

    @cached_property
    def breeding(self) -> xr.DataArray:
        """Pr(used for breeding) of each site from its covariates alone, (chain, draw, site [, season])."""
        self._need_breeding("breeding")
        return self._array(self._laws[:, 1], "breeding", "1")

    @cached_property
    def _laws(self) -> NDArray[np.float64]:
        """Pr(state ≥ 1), Pr(state ≥ 2) ..., (S, K − 1, N, T)."""
        theta = self._fit.theta.reshape(-1, self._fit.theta.shape[-1])
        parts = []
        for i in range(0, len(theta), BLOCK):
            law = self._problem.state_probabilities(theta[i : i + BLOCK])
            parts.append(law[:, ::-1].cumsum(1)[:, -2::-1].swapaxes(-1, -2))
        return np.concatenate(parts)

    # -- over sites ---------------------------------------------------------------------------------------------------
    @property
    def used_sites(self) -> xr.DataArray:
        """Number of sites that are used, (chain, draw [, season])."""
        return self._total(self.z > 0, "used_sites", "sites")

    @property
    def pao(self) -> xr.DataArray:
        """Proportion of the sites that are used, (chain, draw [, season]); ``attrs["denominator"]`` sites."""
        sites = self._problem.n_sites
        share = (self.used_sites / sites).rename("pao")
        return share.assign_attrs(units="1", denominator=sites)

    @property
    def animals(self) -> xr.DataArray:
        """Number of animals at all sites together, (chain, draw); of :class:`RoyleNichols` and :class:`NMixture`.

        Raises
        ------
        ModelError
            If the model has no number of animals.
        """
        if not self._counts_animals:
            raise ModelError(
                f"{type(self._fit.model).__name__} counts no animals: lp.NMixture does of counts, lp.RoyleNichols of "
                "detections, and lp.SCR where animals are told apart."
            )
        return self._total(self.z, "animals", "animals")

    @property
    def breeding_sites(self) -> xr.DataArray:
        """Number of sites that are used for breeding, (chain, draw [, season]).

        Not the number of breeding females: one family uses several sites.

        Raises
        ------
        ModelError
            If the model has no breeding.
        """
        self._need_breeding("breeding_sites")
        return self._total(self.z > 1, "breeding_sites", "sites")

    # -- changes ------------------------------------------------------------------------------------------------------
    def changes(self, of: Literal["used", "breeding"] = "used") -> xr.Dataset:
        """Sites gained and lost from season to season, drawn given what was seen.

        Parameters
        ----------
        of
            Sites that are used, or used for breeding.

        Returns
        -------
        xarray.Dataset
            By (chain, draw, season), from the second season on: ``gains`` and ``losses`` (sites), ``turnover`` (share
            of the sites that were none the season before) and ``growth`` (their number over that of the season before);
            NaN where there is nothing to divide by.

        Raises
        ------
        ModelError
            For a model without seasons or breeding, or another kind of site.
        """
        self._need_seasons("changes")
        self._need_kind("changes", of)
        is_one = self.z > (of == "breeding")
        after = is_one.isel(season=slice(1, None))
        before = is_one.isel(season=slice(None, -1)).assign_coords(season=after["season"])
        number, earlier = after.sum("site"), before.sum("site")
        gains, losses = (~before & after).sum("site"), (before & ~after).sum("site")
        found = {
            "gains": gains.assign_attrs(units="sites"),
            "losses": losses.assign_attrs(units="sites"),
            "turnover": (gains / number.where(number > 0)).assign_attrs(units="1"),
            "growth": (number / earlier.where(earlier > 0)).assign_attrs(units="1"),
        }
        return xr.Dataset(found, attrs={"of": of})

    @cached_property
    def _of_used(self) -> xr.Dataset:
        return self.changes()

    @property
    def gains(self) -> xr.DataArray:
        """Number of sites that are used and were not the season before, (chain, draw, season)."""
        return self._of_used["gains"]

    @property
    def losses(self) -> xr.DataArray:
        """Number of sites that are not used and were the season before, (chain, draw, season)."""
        return self._of_used["losses"]

    @property
    def turnover(self) -> xr.DataArray:
        """Share of the used sites that were not used the season before, (chain, draw, season); NaN if none is used."""
        return self._of_used["turnover"]

    @property
    def growth(self) -> xr.DataArray:
        """Number of used sites over that of the season before, (chain, draw, season); NaN if there was none."""
        return self._of_used["growth"]

    def decline(
        self,
        share: float = 0.0,
        *,
        of: Literal["used", "breeding"] = "used",
        first: str | None = None,
        last: str | None = None,
    ) -> float:
        """Probability that the number of sites fell by more than a share between two seasons.

        Parameters
        ----------
        share
            0.2 asks for a decline by more than 20 %; 0 for any.
        of
            Sites that are used, or used for breeding.
        first, last
            Labels of the seasons; None: the first and the last.

        Returns
        -------
        float
            Share of the draws; one in which there was no such site in the first season has no decline.

        Raises
        ------
        ModelError
            For a share that is none, an unknown season, or a model without seasons or breeding.
        """
        self._need_seasons("decline")
        if not 0.0 <= share < 1.0:
            raise ModelError(f"decline({share!r}): give a share, such as 0.2 for more than 20 %.")
        self._need_kind("decline", of)
        number = self.used_sites if of == "used" else self.breeding_sites
        seasons = [str(label) for label in number["season"].values]
        ends = [_season(label, seasons) for label in (first or seasons[0], last or seasons[-1])]
        before, after = (number.sel(season=label) for label in ends)
        # The last bit of (1 - 0.2) * 5 must not decide whether 4 of 5 is a decline by more than 20 %.
        return float((after < (1.0 - share) * before - 1e-9).mean())

    @cached_property
    def equilibrium(self) -> xr.DataArray:
        """Pr(used) of each site in the long run, if changes go on as from the last season but one: (chain, draw, site).

        With colonisation γ and extinction ε it is γ/(γ + ε).
        """
        self._need_seasons("equilibrium")
        return self._by_site(1.0 - self._stationary[:, 0], "equilibrium")

    @property
    def equilibrium_breeding(self) -> xr.DataArray:
        """Pr(used for breeding) of each site in the long run, (chain, draw, site)."""
        self._need_seasons("equilibrium_breeding")
        self._need_breeding("equilibrium_breeding")
        return self._by_site(self._stationary[:, 2], "equilibrium_breeding")

    @cached_property
    def transitions(self) -> xr.DataArray:
        """Pr(state a season later | state) by the model, its mean over the sites: (chain, draw, season, before, after).

        The season is the one before the change.
        """
        self._need_seasons("transitions")
        theta = self._fit.theta.reshape(-1, self._fit.theta.shape[-1])
        parts = [self._mean_moves(theta[i : i + BLOCK]) for i in range(0, len(theta), BLOCK)]
        states = list(self._problem.structure.states)
        coords: dict[str, Any] = {"chain": np.arange(self._sample[0]), "draw": np.arange(self._sample[1])}
        coords |= {"season": list(self._problem.arrays.seasons)[:-1], "before": states, "after": states}
        shaped = np.concatenate(parts).reshape(*self._sample, *(len(each) for each in list(coords.values())[2:]))
        return xr.DataArray(shaped, coords, list(coords), name="transitions", attrs={"units": "1"})

    def _mean_moves(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transition probabilities averaged over the sites, (B, T − 1, K, K)."""
        move = self._problem.transition(self._problem.evaluate(theta).logs)
        states, steps = range(len(self._problem.structure.states)), range(self._problem.shape[0] - 1)
        sized = (len(theta), self._problem.n_sites)

        def mean(t: int, before: int, after: int) -> Any:
            return np.broadcast_to(np.exp(move(t, before, after)), sized).mean(-1)

        rows = [[[mean(t, j, k) for k in states] for j in states] for t in steps]
        return np.moveaxis(np.array(rows), -1, 0)

    @cached_property
    def _stationary(self) -> NDArray[np.float64]:
        """Stationary law of the states, (S, K, N)."""
        theta = self._fit.theta.reshape(-1, self._fit.theta.shape[-1])
        parts = [self._problem.stationary(theta[i : i + BLOCK]) for i in range(0, len(theta), BLOCK)]
        return np.concatenate(parts)

    def _by_site(self, values: NDArray[np.float64], name: str) -> xr.DataArray:
        coords: dict[str, Any] = {"chain": np.arange(self._sample[0]), "draw": np.arange(self._sample[1])}
        coords["site"] = list(self._problem.arrays.sites)
        shaped = values.reshape(*self._sample, -1)
        return xr.DataArray(shaped, coords, ["chain", "draw", "site"], name=name, attrs={"units": "1"})

    def summary(self) -> pd.DataFrame:
        """Posterior of the quantities over all sites.

        Returns
        -------
        pandas.DataFrame
            Rows psi (mean over the sites), pao, used_sites, and where the model has them breeding_sites, gains, losses,
            turnover, growth, by season, and equilibrium (mean over the sites); columns as of
            :meth:`OccupancyFit.summary`.
        """
        arrays = [self.psi.mean("site", keep_attrs=True), self.pao, self.used_sites]
        if self._counts_animals:
            arrays.append(self.animals)
        if self._breeds:
            arrays.append(self.breeding_sites)
        if self._problem.structure.is_dynamic:
            arrays += [self.gains, self.losses, self.turnover, self.growth]
            arrays.append(self.equilibrium.mean("site", keep_attrs=True))
        tables = [self._rows(array) for array in arrays]
        return pd.concat(tables)[COLUMNS]

    def _rows(self, array: xr.DataArray) -> pd.DataFrame:
        """Table of one quantity; draws in which it has no value do not count."""
        ess = self._fit.importance_ess
        if not np.isnan(array.values).any():
            return summary_table(array.to_dataset(), ess)
        flat = array.stack(sample=("chain", "draw"))
        rows = {
            f"{array.name}[{season}]": summary_table(
                xr.Dataset({"x": (("chain", "draw"), known[None], {"units": "1"})}), ess
            ).iloc[0]
            for season in array["season"].values.tolist()
            if (known := flat.sel(season=season).dropna("sample").values).size
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS)

    def __repr__(self) -> str:
        """Show the summary."""
        table = self.summary()[["median", "eti95_lb", "eti95_ub", "unit"]]
        head = f"States of {self._problem.n_sites} sites (the denominator of pao), drawn given what was seen there"
        return f"{head}\n{table.round(2).to_string()}"

    @property
    def _counts_animals(self) -> bool:
        return "abundance" in self._problem.structure.homes

    # -- helpers ------------------------------------------------------------------------------------------------------
    @property
    def _breeds(self) -> bool:
        return "breeding" in self._problem.structure.states

    def _need_breeding(self, what: str) -> None:
        if not self._breeds:
            raise ModelError(
                f"{type(self._fit.model).__name__} knows no breeding, so there is no {what}: use "
                "lp.MultistateOccupancy with a history of response 'state'."
            )

    def _need_seasons(self, what: str) -> None:
        if not self._problem.structure.is_dynamic:
            raise ModelError(
                f"{type(self._fit.model).__name__} is of one season, so there is no {what}: use lp.DynamicOccupancy."
            )

    def _need_kind(self, what: str, of: str) -> None:
        if of not in ("used", "breeding"):
            raise ModelError(f'{what}(of={of!r}): it is "used" or "breeding".')
        if of == "breeding":
            self._need_breeding(f"{what} of breeding")

    def _total(self, which: xr.DataArray, name: str, units: str) -> xr.DataArray:
        return which.sum("site").rename(name).assign_attrs(units=units)

    def _array(self, values: NDArray[Any], name: str, units: str, **attrs: str) -> xr.DataArray:
        """Label (S, N, T); the season is a dimension where there are several."""
        data = self._problem.arrays
        values = values.reshape(*self._sample, *values.shape[1:])
        coords = {"chain": np.arange(self._sample[0]), "draw": np.arange(self._sample[1]), "site": list(data.sites)}
        dims = ["chain", "draw", "site"]
        if len(data.seasons) == 1:
            values = values[..., 0]
        else:
            coords["season"], dims = list(data.seasons), [*dims, "season"]
        return xr.DataArray(values, coords, dims, name=name, attrs={"units": units, **attrs})


def _season(label: str, known: list[str]) -> str:
    if str(label) not in known:
        hint = did_you_mean(str(label), known)
        raise ModelError(f"there is no season {label!r}.{hint} There are {', '.join(known)}.", offenders=[label])
    return str(label)
