"""Small surveys of sites with covariates at every place, for all models of the family, and the naive likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import leopardpop as lp
from leopardpop.models.states.problem import OccupancyProblem
from tests.reference.occupancy import INVERSE_LINKS, site_probability

N_SITES, N_VISITS = 7, 3
FORMULAS: dict[str, dict[str, str]] = {
    "Occupancy": {"psi": "~ height", "p": "~ wind"},
    "DynamicOccupancy": {"psi": "~ height", "gamma": "~ habitat", "epsilon": "~ season", "p": "~ wind * height"},
    "MultistateOccupancy": {"psi": "~ height", "breeding": "~ habitat", "p1": "~ wind", "delta": "~ wind"},
    "DynamicMultistateOccupancy": {
        "psi": "~ height",
        "psi_next": "~ state + height",
        "breeding_next": "~ state * habitat",
        "p1": "~ wind",
        "p2": "~ season",
    },
}
MODELS = tuple(FORMULAS)
LINKS = tuple(INVERSE_LINKS)


@dataclass(frozen=True)
class Case:
    """A model with data, and coefficients to look at it with."""

    model: Any
    problem: OccupancyProblem
    theta: np.ndarray
    sites: pd.DataFrame
    wind: np.ndarray

    @property
    def beta(self) -> pd.Series:
        return pd.Series(self.problem.to_beta(self.theta), self.problem.labels)

    def naive(self, i: int) -> float:
        """log Pr(visits to site i), state by state."""
        y = self.problem.history.dataset["y"].values
        return float(np.log(site_probability(type(self.model).__name__, y, i, self._probability)))

    def _probability(self, parameter: str, i: int, t: int, j: int, state: str) -> float:
        eta = 0.0
        for label, value in self.beta.items():
            name, _, term = str(label)[:-1].partition("[")
            if name == parameter:
                eta += value * np.prod([self._covariate(part, i, t, j, state) for part in term.split(":")])
        return float(INVERSE_LINKS[self.model.link](eta))

    def _covariate(self, part: str, i: int, t: int, j: int, state: str) -> float:
        name, _, level = part.removesuffix("]").partition("[")
        if name == "Intercept":
            return 1.0
        if name in ("height", "habitat"):
            value = self.sites[name].iloc[i]
            return float(value == level) if level else float(value)
        if name == "wind":
            return float(self.wind[i, t, j])
        return float({"state": state, "season": str(t + 1)}[name] == level)


def design(kind: str, *, n_sites: int = N_SITES, seasons: int = 4, seed: int = 1) -> tuple[Any, pd.DataFrame, Any]:
    """History in which nothing was seen, with missing visits, a site never visited and a season without visits."""
    rng = np.random.default_rng(seed)
    n_seasons = seasons if kind.startswith("Dynamic") else 1
    y = np.zeros((n_sites, n_seasons, N_VISITS))
    y[rng.random(y.shape) < 0.3] = np.nan
    y[2] = np.nan
    if n_seasons > 2:
        y[:, 1] = np.nan
    labels = [f"s{i}" for i in range(n_sites)]
    habitat = [("river", "forest")[i % 2] for i in range(n_sites)]
    sites = pd.DataFrame({"site": labels, "height": rng.normal(size=n_sites), "habitat": habitat})
    wind = rng.normal(size=y.shape)
    wide = pd.DataFrame(y.reshape(n_sites, -1)).assign(site=labels)
    history = lp.DetectionHistory.from_tables(
        wide,
        sites,
        visit_covariates={"wind": wind.reshape(n_sites, -1)},
        seasons=n_seasons,
        response="state" if "Multistate" in kind else "binary",
    )
    return history, sites, wind


@cache
def case(kind: str, link: str = "logit") -> Case:
    """A simulated survey of the model at random coefficients."""
    history, sites, wind = design(kind)
    model = getattr(lp, kind)(**FORMULAS[kind], link=link)
    empty = OccupancyProblem(model, history, design_only=True)
    theta = 0.5 * np.random.default_rng(3).normal(size=empty.layout.size)
    beta = pd.Series(empty.to_beta(theta), empty.labels)
    simulated = model.simulate(history, parameters=beta, seed=3).history
    return Case(model, OccupancyProblem(model, simulated), theta, sites, wind)
