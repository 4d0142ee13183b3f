"""Scores of what capture itself changes: detections at a place after the first one there, and too many singletons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from leopardpop.models.simulation import Encounters

if TYPE_CHECKING:
    from leopardpop.checks.pooled import Pooled
    from leopardpop.checks.surveys import Surveyed
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.problem import Problem

__all__ = ["responses", "singletons_against"]

LARGEST = 20_000_000
"""Cells x stations of one table, for all classes."""


def responses(problem: Problem, theta: Floats, pooled: Pooled) -> dict[str, Floats]:
    """Score of a response to capture at the same station (bk): detections after the first less those expected then.

    Parameters
    ----------
    problem
        The model, for the pooled animals.
    theta
        Its coefficients (P,).
    pooled
        The animals.

    Returns
    -------
    dict
        "response", (n, 1). Nothing where the model has a response already, there is one occasion, an animal can be
        caught once, or the tables would be too large.
    """
    size = max(len(s.terms.area) * len(d.stations) for s, d in zip(problem.sessions, problem.data, strict=True))
    occasions = max(data.effort.shape[1] for data in problem.data)
    if problem.detection.states.number > 1 or occasions < 2 or size * len(problem.levels) > LARGEST:
        return {}
    return {
        "response": np.concatenate([_after_the_first(problem, theta, s) for s in range(len(problem.data))])[:, None]
    }


def _after_the_first(problem: Problem, theta: Floats, s: int) -> Floats:
    """Detections of each animal after the first at a station, less those expected given its history, (n,)."""
    data, n = problem.data[s], len(problem.data[s].individuals)
    pair = data.individual * len(data.stations) + data.station
    pairs, which = np.unique(pair, return_inverse=True)
    first = np.full(len(pairs), data.effort.shape[1])
    np.minimum.at(first, which, data.occasion)
    animal, station = np.divmod(pairs, len(data.stations))
    number = np.bincount(which, data.count * (data.occasion > first[which]), len(pairs))
    later = data.effort.sum(1, keepdims=True) - data.effort.cumsum(1)  # effort after each occasion
    expected = later[station, first] * _rates(problem, theta, s)[animal, station]
    return np.bincount(animal, number - expected, n)


def _rates(problem: Problem, theta: Floats, s: int) -> Floats:
    """Hazard per unit of effort of each animal at each station, given its history, (n, K)."""
    cells = np.arange(len(problem.sessions[s].terms.area))
    session, evaluation = problem.sessions[s], problem.evaluate(theta)[s]
    place, share = session.centres(evaluation), session.classes(evaluation)
    rates = np.zeros((len(place), len(problem.data[s].stations)))
    for c in range(len(problem.levels)):
        rates += share[:, c, None] * np.matmul(place, _mean_hazard(problem, theta, s, cells, c))
    return rates


def _mean_hazard(problem: Problem, theta: Floats, s: int, cells: Ints, c: int) -> Floats:
    """Hazard per unit of effort at each station for a centre in each cell, over the effort there, (J, K)."""
    encounters, effort = Encounters(problem, theta, s, cells, np.full(len(cells), c)), problem.data[s].effort
    total = np.zeros((len(cells), len(effort)))
    for o in range(effort.shape[1]):
        total += encounters.hazard(o)[0] * effort[:, o]
    return total / np.maximum(effort.sum(1), 1e-300)


def singletons_against(sessions: Sequence[Surveyed]) -> Floats:
    """Score of ghosts: detections that get an identity of their own, wherever there are detections.

    A singleton at a station counts by how much likelier it is there if detections become ghosts than if animals are
    detected once: the share of all detections over the share of singletons, both from all rows.

    Parameters
    ----------
    sessions
        Rows of each session.

    Returns
    -------
    ndarray
        (R, 1).
    """
    return np.sum([_against(each) for each in sessions], axis=0)[:, None]


def _against(surveyed: Surveyed) -> Floats:
    n_stations = surveyed.by_station.shape[1]
    of_animal = np.bincount(surveyed.animal, surveyed.number, len(surveyed.row))
    once = of_animal[surveyed.animal] == 1
    detections = np.bincount(surveyed.station, surveyed.number, n_stations) + 1.0
    singles = np.bincount(surveyed.station[once], minlength=n_stations) + 1.0
    ratio = detections / singles * (singles.sum() / detections.sum())
    return np.bincount(surveyed.row[surveyed.animal[once]], ratio[surveyed.station[once]], surveyed.rows)
