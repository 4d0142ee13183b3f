"""Draws of an occupancy model in the one data tree that every engine returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from leopardpop.results.tree import (
    SAMPLE,
    coefficient_variables,
    effect_variables,
    log_prior_dataset,
    natural_variables,
    sample_coords,
    scaling_variables,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.problem import OccupancyProblem
    from leopardpop.models.states.run import SiteLikelihood

__all__ = ["occupancy_tree"]


def occupancy_tree(
    problem: OccupancyProblem,
    theta: Floats,
    pieces: SiteLikelihood,
    *,
    sample_stats: xr.Dataset,
    attrs: Mapping[str, Any],
    seed: int,
) -> xr.DataTree:
    """Put draws into the schema.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (chain, draw, P).
    pieces
        log Pr(visits of a site) of the draws in C order.
    sample_stats
        What the engine has to say of its draws.
    attrs
        Root attributes: text and numbers.
    seed
        Nothing here is drawn by chance.

    Returns
    -------
    xarray.DataTree
    """
    sites = {"site": list(problem.arrays.sites)}
    by_site = pieces.y.reshape(*theta.shape[:2], -1)
    groups = {
        "posterior": _posterior(problem, theta),
        "log_likelihood": xr.Dataset({"y": ((*SAMPLE, "site"), by_site)}, {**sample_coords(theta), **sites}),
        "log_prior": log_prior_dataset(problem, theta, np.zeros((*theta.shape[:2], 1))),
        "sample_stats": sample_stats,
        "observed_data": problem.history.dataset,
        "constant_data": xr.Dataset(scaling_variables(problem), coords=_coefficients(problem)),
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = dict(attrs)
    return tree


def _posterior(problem: OccupancyProblem, theta: Floats) -> xr.Dataset:
    """Group ``posterior``: parameters on the natural scale and coefficients."""
    factors = {name: list(levels) for p in problem.layout.parameters for name, levels in p.design.factors.items()}
    variables = natural_variables(problem, theta) | coefficient_variables(problem, theta)
    coords = {**sample_coords(theta), **_coefficients(problem), **factors, **problem.layout.effect_coords()}
    return xr.Dataset(variables | effect_variables(problem, theta), coords=coords)


def _coefficients(problem: OccupancyProblem) -> dict[str, list[str]]:
    return {f"{p.name}_coef": list(p.design.coefficients) for p in problem.layout.parameters}
