"""Virtual surveys of sites: states drawn from the model, and what the visits would have seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from leopardpop.data.detection_history import DetectionHistory
from leopardpop.models.describe import beta_series, theta_of
from leopardpop.models.states.products import product_of, sum_of
from leopardpop.models.states.responses import decoded, possible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["OccupancySimulation", "OccupancyTruth", "Surveys", "simulate"]


@dataclass(frozen=True, eq=False)
class OccupancyTruth:
    """What a survey never knows."""

    z: xr.DataArray
    """State of each [species,] site and season: 0 absent, 1 used, 2 breeding; or the number of animals."""
    coefficients: pd.Series
    """Coefficients by label (link scale, covariates as given)."""


@dataclass(frozen=True, eq=False)
class OccupancySimulation:
    """A simulated survey with its truth."""

    history: DetectionHistory
    truth: OccupancyTruth

    def __repr__(self) -> str:
        """Say what was simulated."""
        seen, z = self.history.n_detections, self.truth.z
        if "species" in z.dims:
            used, species, sites = int((z > 0).any("site").sum()), z.sizes["species"], z.sizes["site"]
            found = f"{used} of {species} species use any of {sites} sites"
            return f"OccupancySimulation: {found}, {seen} detections (synthetic)"
        used, sites = int((self.truth.z.isel(season=-1) > 0).sum()), self.truth.z.sizes["site"]
        when = "" if self.truth.z.sizes["season"] == 1 else " in the last season"
        return f"OccupancySimulation: {used} of {sites} sites used{when}, seen on {seen} visits (synthetic)"


def simulate(
    problem: OccupancyProblem,
    *,
    parameters: Mapping[str, float] | pd.Series,
    seed: int | np.random.Generator | None = None,
) -> OccupancySimulation:
    """Draw states and visits; see :meth:`OccupancyModel.simulate`."""
    rng = np.random.default_rng(seed)
    theta = problem.layout.draw_effects(theta_of(problem, parameters), set(map(str, parameters.keys())), rng)
    data, surveys = problem.arrays, Surveys(problem, theta)
    states = surveys.states(rng)
    responses = surveys.responses(states, rng)
    y = np.full(data.visited.shape, np.nan)
    y[data.site, data.season, data.visit] = responses
    dataset = problem.history.dataset
    dataset = dataset.assign(y=_labelled(problem, y, "visit").drop_vars("season"))
    dataset = dataset.assign_attrs(response=problem.structure.response)
    z = _labelled(problem, states.T).rename("z")
    truth = OccupancyTruth(z, beta_series(problem, theta))
    return OccupancySimulation(DetectionHistory.from_dataset(dataset), truth)


def _labelled(problem: OccupancyProblem, values: NDArray[Any], *more: str) -> xr.DataArray:
    """Values by site, season and more, (sites, T, ...), of each species where there are several."""
    dims, coords = ["site", "season", *more], {"site": list(problem.places), "season": list(problem.arrays.seasons)}
    species = list(getattr(problem, "species", ()))
    if species:
        values, dims = values.reshape(len(species), -1, *values.shape[1:]), ["species", *dims]
        coords["species"] = species
    return xr.DataArray(values, coords, dims)


class Surveys:
    """Surveys of the sites of a problem at one set of coefficients, as many as are wanted.

    Parameters
    ----------
    problem
        The model with its data; what was seen is not looked at.
    theta
        Coefficients (P,).
    """

    def __init__(self, problem: OccupancyProblem, theta: Floats) -> None:
        self.problem, self.logs = problem, problem.evaluate(theta).logs

    @cached_property
    def law(self) -> Floats:
        """Pr(response | state) of each visit made, (Y, K, V), of models whose states are categories."""
        return _law_of_visits(self.problem, self.logs)

    def states(self, rng: np.random.Generator) -> NDArray[Any]:
        """Draw the state of each site, or its number of animals, (T, N)."""
        own = getattr(self.problem, "new_states", None)
        drawn: NDArray[Any] = _draw_states(self.problem, self.logs, rng) if own is None else own(self.logs, rng)
        return drawn

    def responses(self, states: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Draw the response of each visit made, given the states (T, N), (V,)."""
        data = self.problem.arrays
        at = states[data.season, data.site]
        own = getattr(self.problem, "new_visits", None)
        if own is not None:
            drawn: NDArray[Any] = own(self.logs, at, rng)
            return drawn
        return decoded(self.problem.model, draw_categories(self.law[:, at, np.arange(len(at))], rng))


def _draw_states(problem: OccupancyProblem, logs: dict[str, Any], rng: np.random.Generator) -> NDArray[np.int8]:
    """States (T, N), season by season."""
    n_seasons, n_sites = problem.shape
    law = np.stack([np.broadcast_to(np.exp(product_of(f, logs)), n_sites) for f in problem.structure.initial])
    seasons = [draw_categories(law, rng)]
    move = problem.transition(logs)
    for t in range(n_seasons - 1):
        laws = np.stack(
            [[np.broadcast_to(np.exp(move(t, j, k)), n_sites) for k in range(len(law))] for j in range(len(law))]
        )
        seasons.append(draw_categories(laws[seasons[-1], :, np.arange(n_sites)].T, rng))
    return np.stack(seasons)


def _law_of_visits(problem: OccupancyProblem, logs: dict[str, Any]) -> Floats:
    """Pr(response | state) of each visit made, by row of the outcomes and state, (Y, K, V)."""
    outcomes = problem.structure.outcomes
    law = np.zeros((len(outcomes), len(problem.structure.states), len(problem.kind)))
    for response, by_state in enumerate(outcomes):
        for k, factors in enumerate(by_state):
            if factors is not None:
                law[response, k] = np.exp(sum_of(factors, logs))[problem.kind] if factors else 1.0
    allowed = possible(problem.model, problem.arrays)
    return law if allowed is None else law * allowed[:, None]


def draw_categories(law: Floats, rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw one category of each column of probabilities (K, N)."""
    level = rng.random(law.shape[1]) * law.sum(0)
    return (level >= law.cumsum(0)[:-1]).sum(0).astype(np.int8)
