"""Coefficients of each species of a community, and a table of them for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

if TYPE_CHECKING:
    from leopardpop.models.layout import Parameter
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.community import CommunityProblem
    from leopardpop.results.community_fit import CommunityFit

__all__ = ["reference_values", "species_coefficients", "species_table"]


def species_coefficients(fit: CommunityFit) -> xr.Dataset:
    """Coefficients of each species; see :meth:`CommunityFit.coefficients`."""
    problem = fit.problem
    coords: dict[str, Any] = {name: np.arange(n) for name, n in zip(("chain", "draw"), fit.theta.shape, strict=False)}
    coords["species"] = list(problem.species)
    variables = {}
    for parameter in problem.parts:
        names, values = _coefficients(problem, parameter, fit.theta)
        dim = f"{parameter.name}_coef"
        coords[dim] = names
        link = {"link": parameter.link.name}
        variables[f"{parameter.name}_beta"] = (("chain", "draw", "species", dim), values, link)
    return xr.Dataset(variables, coords)


def _coefficients(problem: CommunityProblem, parameter: Parameter, theta: Floats) -> tuple[list[str], Floats]:
    """Names and values (chain, draw, K, P); a deviation of a slope turns about the reference of its covariate."""
    effects: list[Any] = list(problem.effects_of(parameter.name))
    names = list(dict.fromkeys([*parameter.design.coefficients, *(each.design.column for each in effects)]))
    values: Any = np.zeros((*theta.shape[:2], len(problem.species), len(names)))
    values[..., : len(parameter.design.coefficients)] = parameter.to_beta(theta)[..., None, :]
    for each in effects:
        deviation = each.natural(theta)
        values[..., names.index(each.design.column)] += deviation
        if "Intercept" in names:
            values[..., names.index("Intercept")] -= deviation * _center(each.design)
    return names, values


def _center(design: Any) -> float:
    """Value of the column of a random effect at the reference."""
    center: float = design.owner.center[design.owner.coefficients.index(design.column)]
    return center


def reference_values(fit: CommunityFit, parameter: str) -> Floats:
    """A parameter of each species at the reference, natural scale, (draws, K)."""
    from leopardpop.results.predictor import Predictor

    problem, design = fit.problem, fit.problem.layout[parameter].design
    row = {**design.numeric, **{name: levels[0] for name, levels in design.factors.items()}}
    rows = pd.DataFrame({"species": list(problem.species), **row})
    theta = np.asarray(fit.theta, float).reshape(-1, fit.theta.shape[-1])
    return Predictor(fit, parameter, rows, theta, offset=False).block(slice(None))


def species_table(fit: CommunityFit) -> pd.DataFrame:
    """Table of the species; see :meth:`CommunityFit.species`."""
    states = fit.occupancy()
    columns: dict[str, Any] = {"seen_at": states.seen_where.sum(1)}
    used = states.used_sites.values.reshape(-1, len(fit.problem.species))
    draws = {name: reference_values(fit, name) for name in fit.problem.structure.homes}
    for name, values in {**draws, "used_sites": used}.items():
        ends = np.quantile(values, [0.5, 0.025, 0.975], axis=0)
        columns |= dict(zip((name, f"{name}_lb", f"{name}_ub"), ends, strict=True))
    return pd.DataFrame(columns, index=pd.Index(fit.problem.species, name="species"))
