"""How many animals there are: expected and realised, by region, session and class."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from leopardpop.errors import DataError, ModelError
from leopardpop.results.draws import flat_draws, generator
from leopardpop.results.numbers import expected_numbers, prior_expected, realised_numbers
from leopardpop.results.population_sources import RestsOn
from leopardpop.results.population_text import population_html, population_text
from leopardpop.results.regions import default_regions, named_regions
from leopardpop.results.statistics import summarise, table_of
from leopardpop.results.tree import SAMPLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.results.draws import HasDraws
    from leopardpop.results.regions import Regions

__all__ = ["Population", "population"]


def population(fit: HasDraws, *, regions: Any = None, by: str | None = None) -> Population:
    """Count the animals in one or several regions.

    Parameters
    ----------
    fit
        The fit.
    regions
        Path of a vector file, GeoDataFrame, polygon (metres, in the system of the stations) or mapping from name to
        polygon. None: the polygon that the mask was clipped to, or the cells of a mask that was given as a table; a
        mask that is only a buffer around the stations has no such region, and N is then that of the hull of the
        stations.
    by
        Column of names; rows with the same name are one region.

    Returns
    -------
    Population
        Regions are drawn jointly; where they overlap, the same animals count in both.

    Raises
    ------
    DataError
        If a region has no cell of the mask, or cannot be read.

    Warns
    -----
    DataWarning
        If the mask covers only part of a region.
    """
    if regions is None and by is not None:
        raise DataError(f"by={by!r} names a column of regions=, which was not given.")
    problem = fit.problem
    return Population(fit, default_regions(problem) if regions is None else named_regions(problem, regions, by))


class Population(RestsOn):
    r"""The posterior of the number of animals in a region.

    *Expected* numbers belong to the process that places animals, :math:`E[N] = \sum_x D(x)\,a(x)`; *realised* ones are
    those of the survey: the detected animals, each at a place drawn from its posterior, and a Poisson number of others,

    .. math::
        N = \sum_i 1\{x_i \in R\} + \mathrm{Poisson}\Big(\sum_{x \in R} p_0(x)\,D(x)\,a(x)\Big), \qquad
        x_i \sim \Pr(x \mid w_i, \theta)

    drawn once a posterior draw, so that regions that make up the mask add up to the N of the posterior. Animals have
    their activity centre in the region; dependent young are not among them. Made by ``fit.population()``.

    Parameters
    ----------
    fit
        The fit.
    regions
        The regions on its masks.

    References
    ----------
    Efford MG, Fewster RM (2013) Estimating population size by spatially explicit capture-recapture. Oikos 122,
    918-928. doi:10.1111/j.1600-0706.2012.20440.x

    Examples
    --------
    >>> import pandas as pd
    >>> import shapely
    >>> import leopardpop as lp
    >>> axis = range(0, 6_000, 1_500)
    >>> stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    >>> design = lp.CaptureHistory.from_tables(None, stations, occasions=10)
    >>> mask = lp.Mask.around(design, buffer=4_500, spacing=600)
    >>> sim = lp.SCR().simulate(design, mask, parameters={"D": 0.4, "lambda0": 0.2, "sigma": 1_000}, seed=2)
    >>> fit = lp.SCR().fit(sim.history, mask, seed=1)
    >>> halves = {"west": shapely.box(-3_000, -3_000, 2_400, 7_800), "east": shapely.box(2_400, -3_000, 7_800, 7_800)}
    >>> pop = fit.population(regions=halves)
    >>> pop.realised.dims
    ('chain', 'draw', 'region')
    >>> pop.summary().loc["realised"].index.tolist()
    ['west', 'east']
    >>> fit.population().region_name
    'the hull of the stations'
    """

    def __init__(self, fit: HasDraws, regions: Regions) -> None:
        self._fit, self._regions = fit, regions

    # -- where --------------------------------------------------------------------------------------------------------
    @property
    def region_names(self) -> tuple[str, ...]:
        """Names of the regions."""
        return self._regions.names

    @property
    def region_name(self) -> str:
        """Name of the region, or of all of them in one line."""
        return ", ".join(self._regions.names)

    @property
    def area_km2(self) -> float | xr.DataArray:
        """Area of the cells that belong to the region, km² ([session] [, region])."""
        return self._by_place([s.area for s in self._regions.sessions], "area", "km²")

    @property
    def covered(self) -> float | xr.DataArray:
        """Share of the region that the mask covers ([session] [, region]): of its habitat, if the mask has one."""
        return self._by_place([np.where(s.empty, 0.0, s.covered) for s in self._regions.sessions], "covered", "1")

    def _by_place(self, values: list[Floats], name: str, units: str) -> float | xr.DataArray:
        """Label one number a session and region; a plain number if there is one of each."""
        array = self._labelled(np.stack(values), over=()).rename(name)
        return float(array) if array.ndim == 0 else array.assign_attrs(units=units)

    # -- how many -----------------------------------------------------------------------------------------------------
    @cached_property
    def expected(self) -> xr.DataArray:
        """E[N] (chain, draw [, session] [, region] [, sex]); NaN where a session's mask has none of a region."""
        problem, theta = self._fit.problem, flat_draws(self._fit)
        total = expected_numbers(problem, self._regions, theta)[..., None]
        if problem.layout.shares is not None:
            total = total * np.exp(problem.layout.shares.log_shares(theta))[:, None, None, :]
        return self._labelled(self._blanked(total)).rename("expected").assign_attrs(units="animals")

    @cached_property
    def realised(self) -> xr.DataArray:
        """N (chain, draw [, session] [, region] [, sex]); NaN where a session's mask has none of a region."""
        numbers = realised_numbers(self._fit, self._regions)
        return self._labelled(self._blanked(numbers)).rename("realised").assign_attrs(units="animals")

    def _blanked(self, values: Any) -> Any:
        """NaN where a session has no cell of a region."""
        empty = np.stack([s.empty for s in self._regions.sessions])
        return np.where(empty[:, :, None], np.nan, values) if empty.any() else values

    def _labelled(self, values: Any, *, over: tuple[str, ...] = SAMPLE) -> xr.DataArray:
        """Label (S, session, R, C), without the dimensions that this population does not have; C of a sample only."""
        problem = self._fit.problem
        dims: dict[str, list[str]] = {"session": list(problem.history.sessions)}
        dims |= {"region": list(self._regions.names), self._column or "class": list(problem.levels)}
        present = [len(dims["session"]) > 1, self._regions.labelled, self._column is not None and over == SAMPLE]
        kept = {name: labels for (name, labels), is_in in zip(dims.items(), present, strict=True) if is_in}
        shape = np.shape(self._fit.theta)[:2] if over == SAMPLE else np.shape(values)[: len(over)]
        array = np.reshape(values, (*shape, *map(len, kept.values())))
        chains = {name: np.arange(n) for name, n in zip(over, shape, strict=True)}
        return xr.DataArray(array, {**chains, **kept}, [*chains, *kept])

    def _total(self, numbers: xr.DataArray) -> xr.DataArray:
        """Sum over classes."""
        column = self._column
        return numbers if column is None else numbers.sum(column, skipna=False, keep_attrs=True)

    @property
    def _column(self) -> str | None:
        """Dimension of the classes, if there are any."""
        column: str | None = self._fit.problem.column
        return column

    def density(self, per_km2: float = 100.0, *, by_class: bool = False) -> xr.DataArray:
        """Draws of the expected density.

        Parameters
        ----------
        per_km2
            Area that density is told for, km².
        by_class
            Whether classes are told apart; they add up to all together.

        Returns
        -------
        xarray.DataArray
            E[N] over the area of the region, animals per ``per_km2`` (chain, draw [, session] [, region] [, sex]).
        """
        if not (np.isfinite(per_km2) and per_km2 > 0):
            raise DataError(f"per_km2={per_km2!r} must be a positive number of km².")
        numbers = self.expected if by_class else self._total(self.expected)
        array = numbers * (per_km2 / self.area_km2)
        return array.rename("density").assign_attrs(units=f"1/({per_km2:g} km²)" if per_km2 != 1 else "1/km²")

    def exceedance(self, threshold: float, per_km2: float = 100.0) -> float | xr.DataArray:
        """Posterior probability that the density is above a threshold, all classes together.

        Parameters
        ----------
        threshold
            Animals per ``per_km2``.
        per_km2
            Area that the threshold is told for, km².

        Returns
        -------
        float or xarray.DataArray
            By session and region if there are several; ``fit.density_surface(exceeds=...)`` has it by cell, of a
            threshold per km², as its other columns are.
        """
        if not threshold >= 0:
            raise DataError(f"exceedance({threshold!r}): a density is a number of animals, 0 or more.")
        density = self.density(per_km2)
        above = (density > threshold).astype(float).where(density.notnull())
        return _plain(above.mean(["chain", "draw"], skipna=False).drop_attrs().rename("exceedance"))

    # -- what is said of it -------------------------------------------------------------------------------------------
    def summary(self) -> pd.DataFrame:
        """Mean, median, sd and 95 % interval of E[N], N and density.

        Returns
        -------
        pandas.DataFrame
            Rows ``expected``, ``realised`` (animals) and ``density`` (expected, per km²), by session, region and class
            where there are several (class "all": together); columns mean, median, sd, eti95_lb, eti95_ub, unit,
            area_km2, and region unless rows are by region.
        """
        return summarise(
            {"expected": self.expected, "realised": self.realised, "density": self.density(1.0)},
            area=self.area_km2,
            column=self._column,
            region=None if self._regions.labelled else self.region_name,
        )

    def probability(self, lower: float, upper: float) -> float | xr.DataArray:
        """Posterior probability of lower ≤ N ≤ upper, N realised and of all classes together.

        Parameters
        ----------
        lower, upper
            Numbers of animals, both included; ``upper`` may be infinite.

        Returns
        -------
        float or xarray.DataArray
            By session and region if there are several.

        Raises
        ------
        ModelError
            If no region was named and the mask is only a buffer.
        """
        self._check_question(lower, upper)
        numbers = self._total(self.realised)
        inside = ((numbers >= lower) & (numbers <= upper)).astype(float).where(numbers.notnull())
        return _plain(inside.mean(["chain", "draw"], skipna=False).rename("probability"))

    def prior_probability(self, lower: float, upper: float) -> float | xr.DataArray:
        """Probability of lower ≤ N ≤ upper before the data: what the prior alone says.

        Parameters
        ----------
        lower, upper
            Numbers of animals, both included.

        Returns
        -------
        float or xarray.DataArray
            By session and region if there are several.
        """
        self._check_question(lower, upper)
        from scipy.special import pdtr

        expected = self.prior_expected
        below = xr.apply_ufunc(pdtr, np.ceil(lower) - 1.0, expected) if lower > 0 else 0.0 * expected
        up_to = xr.apply_ufunc(pdtr, np.floor(upper), expected) if np.isfinite(upper) else 1.0 + 0.0 * expected
        return _plain((up_to - below).mean("draw", skipna=False).drop_attrs().rename("prior_probability"))

    @cached_property
    def prior_expected(self) -> xr.DataArray:
        """E[N] before the data (draw [, session] [, region]): 2,000 draws from the prior, of all classes together.

        The realised N of the prior is Poisson with these means. NaN where a session's mask has none of a region.
        """
        drawn = prior_expected(self._fit.problem, self._regions, generator(self._fit, "prior"))
        array = self._labelled(self._blanked(drawn[..., None]), over=("draw",))
        return array.rename("prior_expected").assign_attrs(units="animals")

    def probability_table(self, lower: float, upper: float) -> pd.DataFrame:
        """Posterior and prior probability of a range, side by side.

        Parameters
        ----------
        lower, upper
            Numbers of animals, both included.

        Returns
        -------
        pandas.DataFrame
            One row a session and region; columns lower, upper, probability, prior_probability. Where the prior alone is
            above one half, the answer was put in.
        """
        columns = {f.__name__: f(lower, upper) for f in (self.probability, self.prior_probability)}
        return table_of({"lower": lower, "upper": upper, **columns}, self.region_name)

    def _check_question(self, lower: float, upper: float) -> None:
        if not lower <= upper:
            raise DataError(f"probability({lower}, {upper}): the range must go from the smaller to the larger number.")
        if not self._regions.chosen:
            raise ModelError(
                "The mask is only a buffer around the stations, so its number of animals would grow with the buffer: "
                'say where, fit.population(regions="reserve.gpkg"), or clip the mask to the habitat, '
                "Mask.around(habitat=...)."
            )

    # -- for people ---------------------------------------------------------------------------------------------------
    def plot(
        self,
        ax: Any = None,
        *,
        claim: tuple[float, float] | None = None,
        truth: float | Mapping[str, float] | None = None,
    ) -> Any:
        """Draw the posterior of N with its prior; see :meth:`FitPlots.population`.

        Parameters
        ----------
        ax
            Axes to draw on, one a session and region; None: a new figure.
        claim
            Range to shade, ends included; its posterior and prior probability are written.
        truth
            True number, where the survey was simulated; a mapping from session or region if there are several.

        Returns
        -------
        matplotlib Axes or array of Axes
        """
        from leopardpop.plots.population import population_figure

        return population_figure(self._fit, population=self, claim=claim, truth=truth, ax=ax)

    # -- in words -----------------------------------------------------------------------------------------------------
    @property
    def made(self) -> str:
        """Sentence on how it was made, "" for the population of one fit."""
        return ""

    @property
    def notes(self) -> list[str]:
        """What to know before the number is quoted, a sentence each."""
        said = []
        if not self._regions.chosen:
            said.append(
                "The mask is only a buffer around the stations, so N of all of it would grow with the buffer. This is "
                f"N of {self.region_name}; name another place with regions=."
            )
        if not self._fit.problem.n_animals:
            said.append("No animal was detected: N is the priors', less what effort without a detection rules out.")
        if len(self._fit.problem.data) > 1:
            said.append("Sessions are counted apart: a sum over years would count residents twice.")
        said += [self.made] if self.made else []
        return [*said, "N counts independent animals centred in the region; dependent young are not in it."]

    def __repr__(self) -> str:
        return population_text(self)

    def _repr_html_(self) -> str:
        return population_html(self)


def _plain(array: xr.DataArray) -> float | xr.DataArray:
    return float(array) if array.ndim == 0 else array
