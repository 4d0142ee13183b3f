"""Virtual surveys of sites: states drawn from the model, and what the visits would have seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
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

__all__ = ["OccupancySimulation", "OccupancyTruth", "simulate"]


@dataclass(frozen=True, eq=False)
class OccupancyTruth:
    """What a survey never knows."""

    z: xr.DataArray
    """State of each site and season (site, season): 0 absent, 1 used, 2 breeding; or the number of animals."""
    coefficients: pd.Series
    """Coefficients by label (link scale, covariates as given)."""


@dataclass(frozen=True, eq=False)
class OccupancySimulation:
    """A simulated survey with its truth."""

    history: DetectionHistory
    truth: OccupancyTruth

    def __repr__(self) -> str:
        """Say what was simulated."""
        used, sites = int((self.truth.z.isel(season=-1) > 0).sum()), self.truth.z.sizes["site"]
        when = "" if self.truth.z.sizes["season"] == 1 else " in the last season"
        seen = self.history.n_detections
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
    logs = problem.evaluate(theta).logs
    states = problem.new_states(logs, rng) if hasattr(problem, "new_states") else _draw_states(problem, logs, rng)
    data = problem.arrays
    draw = problem.new_visits if hasattr(problem, "new_visits") else partial(_draw_visits, problem)
    responses = draw(logs, states[data.season, data.site], rng)
    y = np.full(data.visited.shape, np.nan)
    y[data.site, data.season, data.visit] = responses
    dataset = problem.history.dataset
    dataset = dataset.assign(y=(("site", "season", "visit"), y)).assign_attrs(response=problem.structure.response)
    z = xr.DataArray(states.T, {"site": list(data.sites), "season": list(data.seasons)}, ["site", "season"], name="z")
    truth = OccupancyTruth(z, beta_series(problem, theta))
    return OccupancySimulation(DetectionHistory.from_dataset(dataset), truth)


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


def _draw_visits(
    problem: OccupancyProblem, logs: dict[str, Any], state: NDArray[np.integer], rng: np.random.Generator
) -> NDArray[np.integer]:
    """Response of each visit made, given the state of its site then, (V,)."""
    law = np.zeros((len(problem.structure.outcomes), len(state)))
    for response, by_state in enumerate(problem.structure.outcomes):
        for k, factors in enumerate(by_state):
            visits = np.flatnonzero(state == k)
            if factors is not None:
                law[response, visits] = np.exp(sum_of(factors, logs)[problem.kind[visits]]) if factors else 1.0
    allowed = possible(problem.model, problem.arrays)
    return decoded(problem.model, draw_categories(law if allowed is None else law * allowed, rng))


def draw_categories(law: Floats, rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw one category of each column of probabilities (K, N)."""
    level = rng.random(law.shape[1]) * law.sum(0)
    return (level >= law.cumsum(0)[:-1]).sum(0).astype(np.int8)
