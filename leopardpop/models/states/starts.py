"""Where to start looking for the mode: rare or common, hard or easy to see, stable or changing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["starting_points"]

LEVELS = (
    {"site": 0.5, "visit": 0.5, "change": 0.2},
    {"site": 0.8, "visit": 0.2, "change": 0.1},
    {"site": 0.3, "visit": 0.5, "change": 0.1},
    {"site": 0.7, "visit": 0.05, "change": 0.3},
    {"site": 0.2, "visit": 0.2, "change": 0.3},
    {"site": 0.9, "visit": 0.6, "change": 0.05},
)


def starting_points(problem: OccupancyProblem) -> list[Floats]:
    """Six points, the best first; slopes start at zero, but that a used site tends to stay used."""
    points = [_point(problem, levels) for levels in LEVELS]
    return sorted(points, key=lambda theta: -problem.value(theta))


def _point(problem: OccupancyProblem, levels: dict[str, float]) -> Floats:
    theta = np.zeros(problem.layout.size)
    for effects in problem.layout.effects:
        effects.begin(theta)
    for parameter in problem.parts:
        home = problem.structure.homes[parameter.name]
        changes = home in ("transition", "state")
        level = problem.start_level(parameter.name, levels["change" if changes else home])
        added = 0.0 if parameter.offset is None else float(parameter.offset.mean())
        eta = float(parameter.link.forward(level)) - added
        stay = float(parameter.link.forward(1.0 - levels["change"])) - added
        for j, coefficient in enumerate(parameter.design.coefficients, start=parameter.place.start):
            if coefficient == "Intercept" or not parameter.has_intercept:
                theta[j] = eta
            elif coefficient.startswith("state["):
                theta[j] = stay - eta
    return theta
