"""Where to start looking for the mode: several scales, for each the best baseline, density in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from leopardpop.components.classes import Mixture
from leopardpop.models.latent import latent_starts

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["recapture_scale", "recapture_spread", "starting_points"]

SCALE_FACTORS = (1.0, 0.5, 2.0, 0.75, 1.4)
LOG_EXPECTED = np.linspace(-4.0, 3.0, 6)


def recapture_scale(problem: Problem) -> float | None:
    """Root mean squared distance of detections from the mean location of their animal, per coordinate, m."""
    square, freedom = recapture_spread(problem.data)
    return float(np.sqrt(square / freedom)) if square > 0 else None


def recapture_spread(sessions: Sequence[SessionArrays]) -> tuple[float, float]:
    """Sum of the squared distances of detections from the mean location of their animal, m², and its freedom."""
    square, freedom = 0.0, 0.0
    for data in sessions:
        n = len(data.individuals)
        total = np.bincount(data.individual, weights=data.count, minlength=n)
        for axis in range(2):
            at = data.xy[data.station, axis]
            mean = np.bincount(data.individual, weights=data.count * at, minlength=n) / np.maximum(total, 1)
            square += float((data.count * (at - mean[data.individual]) ** 2).sum())
            freedom += float(np.maximum(total - 1, 0).sum())
    return square, freedom


def starting_points(problem: Problem) -> list[Floats]:
    """At least five points, the best first; slopes and log ratios start at zero.

    The scale starts from the spread of recaptures (or half the distance between stations), times several factors; the
    baseline is the best of a coarse profile; density is n over the effective sampling area.
    """
    layout = problem.layout
    names = [p.name for p in layout.parts]
    baseline = next(name for name in names if name not in {"D", "sigma", "z", "size"})
    effort = np.concatenate([d.effort.sum(1) for d in problem.data])
    mean_effort = float(effort[effort > 0].mean()) if (effort > 0).any() else 1.0
    scale = problem.stretch * (recapture_scale(problem) or _half_gap(problem))
    found = []
    for factor in SCALE_FACTORS:
        best: tuple[float, Floats] | None = None
        for log_expected in LOG_EXPECTED:
            theta = _point(problem, baseline, scale * factor, log_expected - np.log(mean_effort), 1.0 / mean_effort)
            value = problem.value(theta)
            if best is None or value > best[0]:
                best = (value, theta)
        if best is not None:
            found.append(best)
    found.sort(key=lambda pair: -pair[0])
    thetas = [theta for _, theta in found]
    return latent_starts(problem, thetas) if isinstance(problem.model.classes, Mixture) else thetas


def _point(problem: Problem, baseline: str, sigma: float, log_hazard: float, size: float) -> Floats:
    """Coefficients at a scale and a log hazard at distance zero, with density in closed form."""
    layout = problem.layout
    theta = np.zeros(layout.size)
    hazard = float(np.exp(log_hazard))
    natural = {"sigma": sigma, "z": 5.0, "size": size, baseline: hazard}
    for each in layout.effects:
        each.begin(theta)
    for parameter in layout.parts:
        if parameter.name == "D":
            continue
        value = natural.get(parameter.name, 1.0)
        if parameter.link.name in {"logit", "cloglog"}:
            value = float(-np.expm1(-value)) if parameter.name == baseline else 0.5
        _set_level(theta, parameter.place, parameter.has_intercept, float(parameter.link.forward(value)))
    density = layout["D"]
    _set_level(theta, density.place, density.has_intercept, 0.0)
    detected = sum(e.detected for e in problem.evaluate(theta))
    level = float(np.log(max(problem.n_animals, 0.5) / max(detected, 1e-300)))
    _set_level(theta, density.place, density.has_intercept, level)
    return theta


def _set_level(theta: Floats, place: slice, has_intercept: bool, value: float) -> None:
    """Set the intercept, or every coefficient if there is none."""
    if has_intercept:
        theta[place.start] = value
    else:
        theta[place] = value


def _half_gap(problem: Problem) -> float:
    """Half the median distance between neighbouring stations, m."""
    from scipy.spatial import cKDTree

    gaps = [cKDTree(d.xy).query(d.xy, k=2)[0][:, 1] for d in problem.data if len(d.xy) > 1]
    together = np.concatenate([*gaps, np.empty(0)])
    together = together[together > 0]
    return 0.5 * float(np.median(together)) if len(together) else 1000.0
