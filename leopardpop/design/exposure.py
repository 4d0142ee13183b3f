r"""How much a design is met with by an animal, from each cell: the mathematics of expected numbers.

With :math:`p_{ko}(x)` the probability that station k detects an animal centred at x in occasion o,
:math:`H_k(x) = -\sum_o \log\{1 - p_{ko}(x)\}`, and f times as many occasions multiply H by f.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.errors import ModelError
from leopardpop.models.simulation import Encounters

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["Exposure", "Numbers", "check_naive_design", "exposure_of"]


class Numbers(NamedTuple):
    """Expected numbers of a survey, added up over cells, classes and sessions."""

    E_N: float
    """Animals in the mask."""
    n: float
    """Animals detected."""
    detections: float
    stations: float
    """Stations that detected the animal, added up over animals."""
    esa: float
    """Effective sampling area, km²."""


class Exposure(NamedTuple):
    """Minus log probabilities of not being detected, from each cell."""

    stations: Floats
    """At each station, (J, K)."""
    total: Floats
    """At all of them, (J,)."""
    detections: Floats
    """Expected number of detections, (J,)."""

    def pdot(self, times: float) -> Floats:
        """Probability of being detected at all if the occasions were so many times as many, (J,)."""
        return np.asarray(-np.expm1(-times * self.total))

    def visited(self, times: float) -> Floats:
        """Expected number of stations that detect the animal, (J,)."""
        return np.asarray(-np.expm1(-times * self.stations).sum(1))


def check_naive_design(problem: Problem) -> None:
    """Refuse a model in which a capture changes the next one: expected numbers then need simulation.

    Raises
    ------
    ModelError
        For behavioural responses.
    """
    if problem.detection.states.number > 1:
        raise ModelError(
            "detection depends on earlier captures (b, bk, B or Bk): expected numbers have no formula then. "
            "Use lp.design.study, which simulates."
        )


def exposure_of(problem: Problem, theta: Floats, s: int, code: int) -> Exposure:
    """Exposure of the animals of a class, from every cell of a session.

    Parameters
    ----------
    problem
        The model with the design.
    theta
        Coefficients, (P,).
    s
        Position of the session.
    code
        Position of the class.

    Returns
    -------
    Exposure
        A negative-binomial count is missed with probability {size / (size + mean)}^size.
    """
    data = problem.data[s]
    cells = np.arange(len(problem.masks[data.session].x))
    encounters = Encounters(problem, theta, s, cells, np.full(len(cells), code))
    stations = np.zeros((len(cells), len(data.stations)))
    total, detections = np.zeros(len(cells)), np.zeros(len(cells))
    for occasion, times in _kinds(problem, data.effort):
        hazard, size = encounters.hazard(occasion)
        part = _of_occasion(problem.history.detector, hazard, size, data.effort[:, occasion])
        stations += times * part.stations
        total += times * part.total
        detections += times * part.detections
    return Exposure(stations, total, detections)


def _kinds(problem: Problem, effort: Floats) -> list[tuple[int, int]]:
    """Occasions that differ, and how often each occurs."""
    if problem.detection.varies:
        return [(o, 1) for o in range(effort.shape[1])]
    _, first, times = np.unique(effort, axis=1, return_index=True, return_counts=True)
    return [(int(o), int(n)) for o, n in zip(first, times, strict=True)]


def _of_occasion(detector: str, hazard: Floats, size: Any, effort: Floats) -> Exposure:
    mean = hazard * effort
    if detector == "multi":
        return _one_station_at_most(mean)
    if size is not None:
        shape = np.broadcast_to(size * effort, mean.shape)
        missed = shape * np.log1p(mean / np.where(shape > 0, shape, 1.0))
        return Exposure(missed, missed.sum(1), mean.sum(1))
    found = mean if detector == "count" else -np.expm1(-mean)
    return Exposure(mean, mean.sum(1), found.sum(1))


def _one_station_at_most(mean: Floats) -> Exposure:
    """Multi-catch: at most one station an occasion, in proportion to its hazard."""
    total = mean.sum(1)
    caught = -np.expm1(-total)
    share = mean / np.where(total > 0, total, 1.0)[:, None]
    return Exposure(-np.log1p(-share * caught[:, None]), total, caught)
