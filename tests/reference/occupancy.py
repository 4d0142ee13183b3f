"""Occupancy, written twice: this is the slow and obvious time.

Every sequence of states that a site can pass through is listed, and the probability of what was seen is added up over
them, visit by visit with scipy.stats. Nothing is collapsed, grouped or shared with the library.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.special import expit
from scipy.stats import bernoulli, norm

INVERSE_LINKS: dict[str, Callable[[float], float]] = {
    "logit": expit,
    "probit": norm.cdf,
    "cloglog": lambda eta: 1.0 - np.exp(-np.exp(eta)),
}

type Law = Sequence[float]
type Probability = Callable[[str, int, int, int, str], float]
"""(parameter, site, season, visit, state before) -> probability; indices from 0, -1 or "" where they say nothing."""


def first_season(kind: str, value: Mapping[str, float]) -> Law:
    psi = value["psi"]
    if kind in ("Occupancy", "DynamicOccupancy"):
        return [1 - psi, psi]
    return [1 - psi, psi * (1 - value["breeding"]), psi * value["breeding"]]


def next_season(kind: str, before: int, value: Callable[[str], float]) -> Law:
    if kind == "DynamicOccupancy":
        return [1 - value("gamma"), value("gamma")] if before == 0 else [value("epsilon"), 1 - value("epsilon")]
    psi, breeding = value("psi_next"), value("breeding_next")
    return [1 - psi, psi * (1 - breeding), psi * breeding]


def one_visit(kind: str, y: int, state: int, value: Callable[[str], float]) -> float:
    if kind in ("Occupancy", "DynamicOccupancy"):
        return float(bernoulli.pmf(y, state * value("p")))
    if state == 0:
        return float(y == 0)
    if state == 1:
        return float(bernoulli.pmf(y, value("p1")))
    seen = float(bernoulli.pmf(min(y, 1), value("p2")))
    return seen if y == 0 else seen * float(bernoulli.pmf(y - 1, value("delta")))


def site_probability(kind: str, visits: np.ndarray, i: int, probability: Probability) -> float:
    """Pr(all visits of site i); visits (site, season, visit) with NaN where there was none."""
    n_states = 2 if kind in ("Occupancy", "DynamicOccupancy") else 3
    names = ("absent", "used", "breeding")
    total = 0.0
    first = {name: probability(name, i, 0, -1, "") for name in ("psi", "breeding") if name == "psi" or n_states == 3}
    for path in itertools.product(range(n_states), repeat=visits.shape[1]):
        chance = first_season(kind, first)[path[0]]
        for t in range(visits.shape[1]):
            if t:
                before = path[t - 1]
                chance *= next_season(
                    kind, before, lambda name, t=t, b=before: probability(name, i, t - 1, -1, names[b])
                )[path[t]]
            for j, y in enumerate(visits[i, t]):
                if not np.isnan(y):
                    chance *= one_visit(kind, int(y), path[t], lambda name, t=t, j=j: probability(name, i, t, j, ""))
        total += chance
    return total
