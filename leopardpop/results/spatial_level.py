"""A parameter with a spatial effect where no site is: at a place of the same process, anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.polynomial.hermite_e import hermegauss

from leopardpop.errors import ModelError
from leopardpop.models.spatial_effects import SpatialEffect
from leopardpop.results.draws import generator

if TYPE_CHECKING:
    from leopardpop.results.occupancy_fit import OccupancyFit

__all__ = ["process_level"]

NODES, WEIGHTS = hermegauss(21)


def process_level(fit: OccupancyFit, parameter: str) -> xr.DataArray:
    """Level of a parameter at a place that could be anywhere, covariates at their reference.

    The surface has mean 0 over the sites, so that the parameter in the summary is told of these sites. Had the sites
    lain elsewhere, or the animals, their mean would have been another one: it is drawn from the law of the surface, and
    what a single place may differ is averaged over.

    Parameters
    ----------
    fit
        The fit.
    parameter
        A parameter whose formula has ``gp(x, y)``.

    Returns
    -------
    xarray.DataArray
        Natural scale (chain, draw).

    Raises
    ------
    ModelError
        If its formula has none.
    """
    problem = fit.problem
    effects = [each for each in problem.layout.effects if each.parameter == parameter]
    surfaces = [each for each in effects if isinstance(each, SpatialEffect)]
    if not surfaces:
        known = [each.parameter for each in problem.layout.effects if isinstance(each, SpatialEffect)]
        raise ModelError(
            f"{parameter!r} has no spatial effect; {', '.join(known) or 'no parameter'} has. Read it from the summary.",
            offenders=[parameter],
        )
    theta = np.asarray(fit.theta, float)
    effect, known_parameter = surfaces[0], problem.layout[parameter]
    rows = known_parameter.reference_grid()[1][:1]
    eta = known_parameter.to_beta(theta) @ rows[0]
    values = _averaged(effect, known_parameter, theta, eta, generator(fit, f"level of {effect.label}"))
    coords = {name: np.arange(n) for name, n in zip(("chain", "draw"), theta.shape, strict=False)}
    return xr.DataArray(values, coords, ["chain", "draw"], name=parameter, attrs={"units": "1"})


def _averaged(effect: SpatialEffect, parameter: Any, theta: Any, eta: Any, rng: np.random.Generator) -> Any:
    """Mean over places of the natural value, with the level of the surface drawn."""
    log_sd, log_length = theta[..., effect.spread, None], theta[..., effect.reach, None]
    amplitude = np.exp(effect.design.basis.log_amplitude(log_sd, log_length))
    of_mean = np.sqrt(((amplitude * effect.design.mean) ** 2).sum(-1))
    middle = eta - of_mean * rng.standard_normal(of_mean.shape)
    around = middle[..., None] + np.exp(log_sd) * NODES
    return parameter.link.inverse(around) @ (WEIGHTS / WEIGHTS.sum())
