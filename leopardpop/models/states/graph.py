"""An occupancy model as a PyTensor graph: for samplers, for extra terms, and as the reference of the fast form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from leopardpop.models.graph import (
    natural_variables,
    predictor_graph,
    report_coefficients,
    report_effects,
    theta_variable,
)
from leopardpop.models.likelihood_op import LikelihoodOp
from leopardpop.models.states.products import log_pairs, product_of, sum_of
from leopardpop.models.states.responses import coded

if TYPE_CHECKING:
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["build_model"]


def build_model(problem: OccupancyProblem, *, kernel: bool = False) -> pm.Model:
    """Build the PyMC model of an occupancy problem.

    Parameters
    ----------
    problem
        The model with its data.
    kernel
        Use the likelihood in NumPy as one operation instead of a graph of elementary operations.

    Returns
    -------
    pymc.Model
        Free variables are the prior terms; Deterministics carry the names of the posterior.
    """
    with pm.Model(coords=_coords(problem)) as model:
        theta = theta_variable(problem)
        natural_variables(problem, report_coefficients(problem, theta))
        report_effects(problem.layout, theta)
        if kernel:
            pm.Potential("log_likelihood_all", LikelihoodOp(problem)(theta)[0])
        else:
            pm.Potential("y", log_site(problem, theta), dims="site")
    return model


def _coords(problem: OccupancyProblem) -> dict[str, list[str]]:
    coords: dict[str, list[str]] = {"site": list(problem.arrays.sites)}
    for parameter in problem.layout.parameters:
        coords[f"{parameter.name}_coef"] = list(parameter.design.coefficients)
        coords |= {name: list(levels) for name, levels in parameter.design.factors.items()}
    return coords | problem.layout.effect_coords()


def log_site(problem: OccupancyProblem, theta: Any) -> Any:
    """log Pr(visits of a site), (N,), as a graph."""
    etas = {p.name: _predictor(problem, p, theta) for p in problem.parts}
    logs = log_pairs(problem.structure, etas, {p.name: p.link for p in problem.parts})
    emission = [_emission(problem, k, logs) for k in range(len(problem.structure.states))]
    law = [product_of(f, logs) + emission[k][0] for k, f in enumerate(problem.structure.initial)]
    for t in range(problem.shape[0] - 1):
        law = [
            pt.logsumexp(pt.stack([law[j] + _move(problem, logs, t, j, k) for j in range(len(law))]), axis=0)
            + emission[k][t + 1]
            for k in range(len(law))
        ]
    return pt.logsumexp(pt.stack(law), axis=0)


def _predictor(problem: OccupancyProblem, parameter: Any, theta: Any) -> Any:
    """Linear predictor on all rows: (N,), (T − 1, N), (K, T − 1, N) or (V,)."""
    n_seasons, n_sites = problem.shape
    before = (n_seasons - 1, n_sites)
    shapes = {"transition": before, "state": (len(problem.structure.states), *before)}
    shape = shapes.get(problem.structure.homes[parameter.name], (-1,))
    return predictor_graph(parameter, theta).reshape(shape)


def _emission(problem: OccupancyProblem, state: int, logs: dict[str, Any]) -> Any:
    """log Pr(visits | state), (T, N)."""
    total = pt.as_tensor(problem.visits.barrier[state]).reshape((-1,))
    data = problem.arrays
    cell = data.season * problem.shape[1] + data.site
    value = coded(problem.model, data)
    for response, by_state in enumerate(problem.structure.outcomes):
        visits = np.flatnonzero(value == response)
        factors = by_state[state]
        if factors and len(visits):
            total = pt.inc_subtensor(total[cell[visits]], sum_of(factors, logs)[visits])
    return total.reshape(problem.shape)


def _move(problem: OccupancyProblem, logs: dict[str, Any], t: int, before: int, after: int) -> Any:
    """log Pr(after | before) at a transition, (N,)."""
    factors = problem.structure.transitions[before][after]
    own = {}
    for name, _ in factors:
        by_state = problem.structure.homes[name] == "state"
        own[name] = tuple(values[before, t] if by_state else values[t] for values in logs[name])
    return product_of(factors, own)
