"""Spatial effects in the engine's vector: the standardised coefficients of a surface, log sd and log length scale.

The coefficients z are standard normal, whatever the sd and the length scale (the non-centred form): what a visit says
of a surface is little, so that the posterior of the three is near to their prior's independence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.components.hsgp import COVARIANCES, make_basis
from leopardpop.components.random_effects import build_random
from leopardpop.components.spatial import KM, POSITIONS, SpatialDesign, split_spatial
from leopardpop.errors import ModelError
from leopardpop.models.effects import LOG_ROOT_2PI, START
from leopardpop.priors import Prior, length_scale_prior, length_scale_range, surface_sd_prior

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from leopardpop.components.random_effects import RandomDesign
    from leopardpop.components.spatial import SpatialPart
    from leopardpop.models.likelihood.terms import Floats

__all__ = ["LENGTH", "SpatialEffect", "build_effects"]

LENGTH = "length_gp"
"""Behind the name of a parameter: its length scale, km."""
FEWEST_PLACES = 4
TAILS = (0.025, 0.975)


@dataclass(frozen=True, eq=False, kw_only=True)
class SpatialEffect:
    """Coefficients of the surface of one parameter."""

    parameter: str
    """Parameter whose formula has it."""
    sd: str
    """Name of the parameter that is the sd of the surface."""
    length: str
    """Name of the parameter that is its length scale."""
    design: SpatialDesign
    spread: int
    """Where log sd is in theta."""
    reach: int
    """Where the log of the length scale is in theta."""
    place: slice
    """Where z is in theta, (M,)."""
    weight: Floats
    """One for each coefficient: what they are standardised by does not depend on the sd."""

    @property
    def label(self) -> str:
        """``"psi[gp(x, y)]"``."""
        return f"{self.parameter}[{self.design.label}]"

    @property
    def groups(self) -> list[str]:
        """``"gp[1,3]"``: half waves east and north."""
        return [f"gp[{i},{j}]" for i, j in self.design.basis.order.tolist()]

    @property
    def labels(self) -> list[str]:
        """Labels in theta: ``"psi[gp[1,3]]"``."""
        return [f"{self.parameter}[{group}]" for group in self.groups]

    @property
    def variable(self) -> str:
        """Name of the coefficients in the posterior."""
        return f"{self.parameter}_gp_weights"

    @property
    def dim(self) -> str:
        """Their dimension."""
        return f"{self.parameter}_gp_wave"

    def log_scale(self, theta: Floats) -> Floats:
        """Log of the coefficients of the functions over z, (M,)."""
        amplitude: Floats = self.design.basis.log_amplitude(theta[self.spread], theta[self.reach])
        return amplitude

    def log_scale_slopes(self, theta: Floats) -> tuple[Floats, ...]:
        """Its slopes in what :attr:`scales` has, (M,) each."""
        basis = self.design.basis
        return np.ones(len(basis.order)), 0.5 * basis.covariance.spectrum_slope(basis.square, theta[self.reach])

    def matrix(self) -> Floats:
        """Values at the places from coefficients of the functions, (G, M)."""
        return self.design.matrix

    @property
    def scales(self) -> tuple[int, ...]:
        """Where what scales the coefficients is in theta: log sd and log length scale."""
        return self.spread, self.reach

    def references(self) -> dict[str, Prior]:
        """Default priors of the sd and the length scale."""
        length = default_length(self.design.places, self.design.resolution)
        return {self.sd: surface_sd_prior(self.parameter), self.length: length}

    def begin(self, theta: Floats) -> None:
        """Put sd and length scale where a search begins."""
        theta[self.spread] = np.log(START)
        theta[self.reach] = np.log(np.sqrt(self.design.basis.shortest * self.design.basis.longest))

    def draw(self, theta: Floats, rng: np.random.Generator) -> None:
        """Draw the coefficients from their law."""
        theta[self.place] = rng.standard_normal(len(self.weight))

    def coefficients(self, theta: Any) -> Any:
        """Coefficients of the functions, (..., M); arrays or PyTensor variables."""
        log_sd, log_length = theta[..., self.spread, None], theta[..., self.reach, None]
        return np.exp(self.design.basis.log_amplitude(log_sd, log_length)) * theta[..., self.place]

    def natural(self, theta: Any) -> Any:
        """Surface at the places on the scale of the link, (..., G); arrays or PyTensor variables."""
        return self.coefficients(theta) @ self.design.matrix.T

    def reported(self, theta: Any) -> Any:
        """What the posterior has of it: z, (..., M)."""
        return theta[..., self.place]

    def standardised(self, theta: Floats, reported: Floats) -> Floats:
        """z of what the posterior has, which is z."""
        return reported

    def log_density(self, theta: Floats) -> Floats:
        """log Pr(z), (...)."""
        total: Floats = (-0.5 * theta[..., self.place] ** 2 - LOG_ROOT_2PI).sum(-1)
        return total

    def add_slopes(self, theta: Floats, gradient: Floats) -> float:
        """log Pr(z); its slopes are added to a gradient (P,)."""
        gradient[self.place] -= theta[self.place]
        return float(self.log_density(theta))

    def pull(self, theta: Floats, by_natural: Floats, gradient: Floats) -> None:
        """Add to a gradient (P,) what comes of slopes with respect to the surface at the places, (G,)."""
        basis, z = self.design.basis, theta[self.place]
        amplitude = np.exp(basis.log_amplitude(theta[self.spread], theta[self.reach]))
        by_z = (by_natural @ self.design.matrix) * amplitude
        gradient[self.place] += by_z
        gradient[self.spread] += by_z @ z
        gradient[self.reach] += by_z @ (z * self.log_scale_slopes(theta)[1])


def default_length(places: Floats, resolution: float = 0.0) -> Prior:
    """Default prior of the length scale over places, km."""
    return length_scale_prior(*length_scale_range(places, resolution))


def build_effects(
    formula: str,
    table: pd.DataFrame,
    parameter: str,
    rows: str,
    *,
    priors: Mapping[str, Any] | None,
    resolution: float = 0.0,
) -> tuple[str, tuple[RandomDesign | SpatialDesign, ...]]:
    """Build the random and spatial effects of a formula on a table.

    Parameters
    ----------
    formula
        For example ``"~ forest + (1 | valley) + gp(x, y)"``.
    table
        One row a place, with the variables of the formula.
    parameter
        The parameter that the formula describes.
    rows
        What a row of the table is, for messages.
    priors
        Priors that were given.
    resolution
        Distance within which the data tell nothing of the parameter apart, km.

    Returns
    -------
    tuple
        The formula without them, and their designs.
    """
    rest, surfaces = build_spatial(formula, table, parameter=parameter, priors=priors, resolution=resolution)
    fixed, groups = build_random(rest, table, parameter=parameter, rows=rows)
    return fixed, (*groups, *surfaces)


def build_spatial(
    formula: str, table: pd.DataFrame, *, parameter: str, priors: Mapping[str, Any] | None, resolution: float = 0.0
) -> tuple[str, tuple[SpatialDesign, ...]]:
    """Build the spatial effect of a formula on a table.

    Parameters
    ----------
    formula
        For example ``"~ forest + gp(x, y)"``.
    table
        Rows with easting and northing, m.
    parameter
        The parameter that the formula describes.
    priors
        Priors that were given: that of the length scale chooses the basis.
    resolution
        Distance within which the data tell nothing of the parameter apart, km.

    Returns
    -------
    tuple
        The formula without it, and its design, if there is one.

    Raises
    ------
    ModelError
        For a term that cannot be read, sites without positions, or too few different ones.
    """
    rest, part = split_spatial(formula, parameter)
    if part is None:
        return formula, ()
    if not set(POSITIONS[0]) <= set(table.columns):
        raise ModelError(
            f"formula {formula!r} of {parameter!r}: gp(x, y) needs the positions of the sites, and the history has "
            "none. Give the table of sites columns x and y, in metres, and crs=."
        )
    xy = table[list(POSITIONS[0])].to_numpy(float) / KM
    places, level = np.unique(xy, axis=0, return_inverse=True)
    if len(places) < FEWEST_PLACES or np.ptp(places, axis=0).max() <= 0:
        raise ModelError(
            f"formula {formula!r} of {parameter!r}: there are {len(places)} different places, and a surface needs "
            f"{FEWEST_PLACES} at least, and many more to be of use."
        )
    _check_priors(parameter, priors)
    given = (priors or {}).get(f"{parameter}_{LENGTH}")
    basis = _basis(part, places, given if isinstance(given, Prior) else default_length(places, resolution))
    return rest, (SpatialDesign(part, basis, places, level.reshape(-1).astype(np.intp), resolution),)


def _basis(part: SpatialPart, places: Floats, prior: Prior) -> Any:
    shortest, longest = (float(prior.quantile(q)) for q in TAILS)
    return make_basis(
        places,
        shortest=shortest,
        longest=longest,
        covariance=COVARIANCES[part.cov],
        boundary=part.boundary,
        functions=part.functions,
    )


def _check_priors(parameter: str, priors: Mapping[str, Any] | None) -> None:
    """Refuse a prior of metres: the length scale is in km."""
    given = (priors or {}).get(f"{parameter}_{LENGTH}")
    if isinstance(given, Prior) and float(given.quantile(0.5)) > 500.0:
        raise ModelError(
            f"the prior of {parameter}_{LENGTH!s} has its middle at {float(given.quantile(0.5)):.0f} km: length "
            "scales are in km. Give it in km."
        )
