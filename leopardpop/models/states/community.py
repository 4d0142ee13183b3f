"""Several species at the same sites: each has sites of its own in the likelihood, and they share the laws of it.

Sites are told once for every species, ``"ocelot/site 7"``, so that the likelihood of one species serves for all; that
of the community is the product. What a species has of its own are random effects with the group ``species``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.components.formula_syntax import parse_formula
from leopardpop.components.offset import split_offset
from leopardpop.components.random_effects import split_random
from leopardpop.components.spatial import split_spatial
from leopardpop.data.occupancy_arrays import NO_VISIT
from leopardpop.errors import ModelError
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.models.states.run import SiteLikelihood
from leopardpop.models.states.tables import check_history

if TYPE_CHECKING:
    from collections.abc import Collection

    from leopardpop.data.occupancy_arrays import OccupancyArrays
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.rows import Rows

__all__ = ["SPECIES", "CommunityProblem", "community_formula", "stacked"]

SPECIES = "species"
"""Group of the random effects that make a community."""


class CommunityProblem(OccupancyProblem):
    """Likelihood, prior and posterior of a community for a detection history of several species.

    Its sites are species x sites, the species slowest: ``shape[1] == n_species * n_places``.

    Parameters
    ----------
    model
        The model.
    history
        The detection history.
    design_only
        Whether the responses will not be looked at.
    """

    def _data(self, design_only: bool) -> OccupancyArrays:
        name = type(self.model).__name__
        check_history(self.history, self.structure, name, any_response=design_only, several=True)
        self.plain = self.history.arrays()
        return stacked(self.plain)

    def lay_rows(self) -> None:
        """Find the distinct rows of all designs; those of a species stand together."""
        super().lay_rows()
        self._last: tuple[bytes, dict[str, Floats]] = (b"", {})
        for home in (self._rows, self._detection):
            home.update({name: replace(rows, random=species_rows(rows)) for name, rows in home.items()})

    def predictors(self, theta: Floats, names: Collection[str] = ()) -> dict[str, Floats]:
        """Linear predictors; those of the last theta are kept, for a gradient asks twice."""
        if names:
            return super().predictors(theta, names)
        key, (known, etas) = theta.tobytes(), self._last
        if key != known:
            etas = super().predictors(theta)
            self._last = (key, etas)
        return etas

    def formula(self, name: str) -> str:
        """Formula of a parameter, with what differs between species."""
        return community_formula(super().formula(name), name)

    @property
    def species(self) -> tuple[str, ...]:
        """Labels of the species, K."""
        return self.plain.species

    @property
    def places(self) -> tuple[str, ...]:
        """Labels of the sites, each once, N."""
        return self.plain.sites

    def pointwise(self, theta: Floats) -> SiteLikelihood:
        """Log-likelihood of each site, all species together, at theta (..., P)."""
        return SiteLikelihood(self.by_species(self.evaluate(theta).forward.log_site).sum(-2))

    def by_species(self, values: Any) -> Any:
        """From sites of species, (..., K N), to (..., K, N)."""
        return values.reshape(*values.shape[:-1], len(self.species), len(self.places))


@dataclass(frozen=True, eq=False)
class SpeciesRows:
    """All random effects of a parameter at once, on distinct rows that are in the order of the species."""

    effects: tuple[Any, ...]
    """Length d."""
    first: tuple[int, ...]
    """First row of each species, and the number of rows, length K + 1."""
    value: tuple[Floats, ...]
    """Values of the columns on the rows of each species, (d, rows) each."""

    def predictor(self, theta: Floats) -> Floats:
        """Share of the linear predictor, (..., U)."""
        natural = np.stack([each.natural(theta) for each in self.effects], axis=-1)
        eta = np.empty((*theta.shape[:-1], self.first[-1]))
        for k, value in enumerate(self.value):
            eta[..., self.first[k] : self.first[k + 1]] = natural[..., k, :] @ value
        return eta

    def pull(self, theta: Floats, slopes: Floats, gradient: Floats) -> None:
        """Add to the gradient (P,) what comes of slopes with respect to the linear predictor, (U,)."""
        by_natural = np.stack([v @ slopes[self.first[k] : self.first[k + 1]] for k, v in enumerate(self.value)])
        for each, pulls in zip(self.effects, by_natural.T, strict=True):
            each.pull(theta, pulls, gradient)


def species_rows(rows: Rows) -> tuple[SpeciesRows, ...]:
    """The random effects of distinct rows as one."""
    random = rows.random
    level, n_species = random[0].level, len(random[0].effects.design.levels)
    first = np.searchsorted(level, np.arange(n_species + 1))
    value = np.stack([each.value for each in random])
    parts = tuple(np.ascontiguousarray(value[:, a:b]) for a, b in pairwise(first))
    return (SpeciesRows(tuple(each.effects for each in random), tuple(first.tolist()), parts),)


def community_formula(formula: str, parameter: str) -> str:
    """A formula in which all coefficients differ between species, unless it says itself which do.

    Parameters
    ----------
    formula
        For example ``"~ snow"``.
    parameter
        The parameter that it describes, for messages.

    Raises
    ------
    ModelError
        For species as a covariate, groups other than species, or a spatial effect.

    Examples
    --------
    >>> community_formula("~ snow", "psi")
    '~ snow + (snow | species)'
    >>> community_formula("~ snow + (1 | species)", "psi")
    '~ snow + (1 | species)'
    """
    free, offsets = split_offset(formula, parameter)
    fixed, parts = split_random(split_spatial(free, parameter)[0], parameter)
    if split_spatial(free, parameter)[1] is not None:
        raise ModelError(
            f"formula {formula!r} of {parameter!r}: a community has no spatial effect gp(x, y), which would be one "
            "surface for each species. Use covariates of sites, or lp.Occupancy for one species at a time."
        )
    others = [part.group for part in parts if part.group != SPECIES]
    if others:
        raise ModelError(
            f"formula {formula!r} of {parameter!r}: the groups of a community are its species, and ({others[0]}) is "
            f"another. Use '{others[0]}' as a covariate, or lp.Occupancy for one species at a time.",
            offenders=others,
        )
    if SPECIES in parse_formula(fixed, parameter).variables:
        raise ModelError(
            f"formula {formula!r} of {parameter!r}: species is no covariate of a community, all coefficients differ "
            "between species as it is. Leave it out; (1 | species) says that the intercept alone does.",
            offenders=[SPECIES],
        )
    whole = free if parts else f"{fixed} + ({fixed.partition('~')[2].strip()} | {SPECIES})"
    return whole + "".join(f" + offset({each})" for each in offsets)


def stacked(arrays: OccupancyArrays) -> OccupancyArrays:
    """Arrays of several species, (K, N, ...), as those of one with K N sites.

    Positions become covariates, for sites of different species do not lie beside each other.

    Parameters
    ----------
    arrays
        The history.

    Examples
    --------
    >>> import leopardpop as lp
    >>> history = lp.DetectionHistory.from_tables({"lynx": [[0, 1]], "wolf": [[1, float("nan")]]})
    >>> made = stacked(history.arrays())
    >>> made.sites, made.value.tolist()
    (('lynx/1', 'wolf/1'), [0, 1, 1])
    """
    count, n_sites = len(arrays.species), len(arrays.sites)
    y = arrays.y.reshape(count * n_sites, *arrays.y.shape[2:])
    made = y != NO_VISIT
    site, season, visit = np.nonzero(made)
    number = np.full(arrays.visited.shape, -1)
    number[arrays.site, arrays.season, arrays.visit] = np.arange(len(arrays.site))
    rows = number[site % n_sites, season, visit]
    labels = np.array([f"{one}/{place}" for one in arrays.species for place in arrays.sites], object)
    n_seasons = len(arrays.seasons)
    of_site, of_season = np.arange(count * n_sites), np.arange(count * n_sites * n_seasons)
    return replace(
        arrays,
        species=(),
        sites=tuple(labels.tolist()),
        y=y,
        visited=made,
        effort=np.where(made, np.tile(arrays.effort, (count, 1, 1)), 0.0),
        site=site,
        season=season,
        visit=visit,
        value=y[site, season, visit],
        xy=None,
        site_covariates=_told(arrays, arrays.site_covariates, of_site % n_sites, of_site, labels),
        season_covariates=_told(
            arrays, arrays.season_covariates, of_season % (n_sites * n_seasons), of_season // n_seasons, labels
        ),
        visit_covariates=_told(arrays, arrays.visit_covariates, rows, site, labels),
    )


def _told(arrays: OccupancyArrays, table: pd.DataFrame, rows: Any, site: Any, labels: Any) -> pd.DataFrame:
    """Rows of a table of covariates, with the species, the site of the species and where it is."""
    made = table.iloc[rows].reset_index(drop=True)
    made["site"] = labels[site]
    n_sites = len(arrays.sites)
    order: list[str] = list(arrays.species)
    columns: dict[str, Any] = {SPECIES: pd.Categorical(np.array(order, object)[site // n_sites], categories=order)}
    if arrays.xy is not None:
        columns |= {name: arrays.xy[site % n_sites, axis] for axis, name in enumerate(("easting", "northing"))}
    told: pd.DataFrame = made.assign(**columns)
    return told
