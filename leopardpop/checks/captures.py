"""Statistics of capture histories, of the survey and of all its replicates at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.checks.surveys import Surveyed

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.problem import Problem

__all__ = ["Totals", "capture_statistics", "freeman_tukey", "session_totals", "tabulate"]

BINS = 8
"""Distances that detections are added up by; each bin expects as many."""
OFTEN = 6
"""Number of detections from which animals are counted together."""
LEAST = 1e-10
"""Expected detections below which none are expected."""
LARGEST = ("most",)
"""Statistics that are the largest over sessions, not the sum."""


class Totals(NamedTuple):
    """What is known of one session, by row."""

    statistics: dict[str, Floats]
    """(R,) each."""
    frequencies: Floats
    """Animals by number of detections, 1, 2 ... OFTEN or more, (R, OFTEN)."""
    classes: Floats
    """Detected animals by class, (R, C)."""
    by_station: Floats
    """Detections, (R, K)."""
    by_occasion: Floats
    """Detections, (R, S)."""


def freeman_tukey(seen: Floats, expected: Floats) -> Floats:
    """Σ (√seen − √expected)² over the last axis.

    References
    ----------
    Freeman & Tukey (1950) Transformations related to the angular and the square root, doi:10.1214/aoms/1177729756

    Examples
    --------
    >>> float(freeman_tukey(np.array([4.0, 0.0]), np.array([1.0, 9.0])))
    10.0
    """
    total: Floats = ((np.sqrt(seen) - np.sqrt(expected)) ** 2).sum(-1)
    return total


def tabulate(row: Any, column: Any, weight: Any, shape: tuple[int, int]) -> Floats:
    """Sums of weights, or numbers, by row and column."""
    key = np.ravel(row * shape[1] + column)
    weights = None if weight is None else np.ravel(weight)
    return np.bincount(key, weights, shape[0] * shape[1]).reshape(shape).astype(float)


def session_totals(surveyed: Surveyed, effort: Floats, n_classes: int) -> Totals:
    """Look at one session.

    Parameters
    ----------
    surveyed
        Its rows.
    effort
        Effort of each station on each occasion, (K, S).
    n_classes
        Number of classes of animals.
    """
    rows, row, on = surveyed.rows, surveyed.row[surveyed.animal], effort > 0
    by_station = tabulate(row, surveyed.station, surveyed.number, (rows, len(on)))
    by_occasion = tabulate(row, surveyed.occasion, surveyed.number, (rows, on.shape[1]))
    of_animal = np.bincount(surveyed.animal, surveyed.number, len(surveyed.row)).astype(np.intp)
    seen = np.flatnonzero(of_animal)
    often = np.minimum(of_animal[seen], OFTEN) - 1
    frequencies = tabulate(surveyed.row[seen], often, None, (rows, OFTEN))
    detected, detections = frequencies.sum(1), by_station.sum(1)
    cells, deviance, moves, distances = _of_pairs(surveyed, row)
    working = (on.any(1) & (by_station == 0)).sum(1).astype(float)
    most = np.zeros(rows)
    np.maximum.at(most, surveyed.row, of_animal)
    places, times = _expected(surveyed)
    animals, inside = _of_animals(surveyed, seen, of_animal[seen])
    statistics = {
        "cells": cells,
        "deviance": deviance,
        "animals": animals,
        "inside": inside,
        "most": most,
        "stations": freeman_tukey(by_station, places),
        "places": _apart(by_station),
        "occasions": freeman_tukey(by_occasion, times),
        "trend": by_occasion @ np.linspace(-0.5, 0.5, on.shape[1]),
        "effort": np.bincount(row, surveyed.number * _relative(effort)[surveyed.station, surveyed.occasion], rows),
        "distances": distances,
        "detected": detected,
        "recaptures": detections - detected,
        "moves": moves - detected,
        "once": frequencies[:, 0],
        "silent": working,
        "zeros": on.sum() - _filled(surveyed, row, on.shape[1]),
    }
    classes = tabulate(surveyed.row[seen], surveyed.code[seen], None, (rows, n_classes))
    return Totals(statistics, frequencies, classes, by_station, by_occasion)


def _relative(effort: Floats) -> Floats:
    """Effort of station and occasion against the mean where it is on, less one, (K, S)."""
    on = effort > 0
    return effort / effort[on].mean() - 1.0 if on.any() else effort


def _animals_of(surveyed: Surveyed) -> Any:
    """Number of animals by row and unit, sparse (R, U)."""
    from scipy.sparse import csr_array

    shape = (surveyed.rows, len(surveyed.by_station))
    return csr_array((np.ones(len(surveyed.row)), (surveyed.row, surveyed.unit)), shape)


def _expected(surveyed: Surveyed) -> tuple[Floats, Floats]:
    """Expected detections by row and station (R, K), and by row and occasion (R, S), given where animals live."""
    number = _animals_of(surveyed)
    return np.asarray(number @ surveyed.by_station), np.asarray(number @ surveyed.by_occasion)


def _of_animals(surveyed: Surveyed, seen: Ints, number: Ints) -> tuple[Floats, Floats]:
    """Freeman-Tukey over the detected animals, and what was expected of those detected once, (R,) each."""
    row, expected = surveyed.row[seen], surveyed.by_station.sum(1)[surveyed.unit[seen]]
    apart = (np.sqrt(number) - np.sqrt(expected)) ** 2
    return tuple(np.bincount(row, each, surveyed.rows) for each in (apart, expected * (number == 1)))  # type: ignore[return-value]


def _of_pairs(surveyed: Surveyed, row: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    """Freeman-Tukey and deviance over animals x stations, number of such pairs, and Freeman-Tukey by distance."""
    n_stations, rows = surveyed.by_station.shape[1], surveyed.rows
    pair, which = np.unique(surveyed.animal * n_stations + surveyed.station, return_inverse=True)
    animal, station = np.divmod(pair, n_stations)
    y = np.bincount(which, surveyed.number, len(pair))
    at, unit = surveyed.row[animal], surveyed.unit[animal]
    expected = np.maximum(surveyed.by_station[unit, station], LEAST)
    detected = np.unique(animal)  # of the others nothing but the expectation is known
    total = np.bincount(surveyed.row[detected], surveyed.by_station.sum(1)[surveyed.unit[detected]], rows)
    cells = total + np.bincount(at, y - 2.0 * np.sqrt(y * expected), rows)
    deviance = 2.0 * (total + np.bincount(at, y * np.log(y / expected) - y, rows))
    bins, by_bin = _by_distance(surveyed)
    seen = tabulate(at, bins[unit, station], y, (rows, BINS))
    return cells, deviance, np.bincount(at, minlength=rows).astype(float), freeman_tukey(seen, by_bin)


def _by_distance(surveyed: Surveyed) -> tuple[Ints, Floats]:
    """Bin of each unit and station (U, K), and expected detections by row and bin (R, BINS)."""
    number = _animals_of(surveyed)
    weight = surveyed.by_station * np.asarray(number.sum(0))[:, None]
    matters = weight > 1e-6 * weight.sum(0, keepdims=True) + 1e-300
    distance = surveyed.distance[matters]
    order = np.argsort(distance)
    ladder = weight[matters][order].cumsum()
    if not len(ladder) or ladder[-1] <= 0:
        return np.zeros(surveyed.by_station.shape, np.intp), np.zeros((surveyed.rows, BINS))
    at = np.searchsorted(ladder, ladder[-1] * np.arange(1, BINS) / BINS)
    bins = np.searchsorted(distance[order][at], surveyed.distance, side="right")
    return bins, np.asarray(number @ _in_bins(bins, surveyed))


def _in_bins(bins: Ints, surveyed: Surveyed) -> Floats:
    unit = np.broadcast_to(np.arange(len(bins))[:, None], bins.shape)
    return tabulate(unit, bins, surveyed.by_station, (len(bins), BINS))


def _filled(surveyed: Surveyed, row: Ints, n_occasions: int) -> Floats:
    """Station x occasion cells with a detection, by row."""
    n_stations = surveyed.by_station.shape[1]
    cell = np.unique((row * n_stations + surveyed.station) * n_occasions + surveyed.occasion)
    return np.bincount(cell // (n_stations * n_occasions), minlength=surveyed.rows).astype(float)


def capture_statistics(problem: Problem, sessions: Sequence[Totals]) -> dict[str, Floats]:
    """Statistics of all sessions together, (R,) each.

    Parameters
    ----------
    problem
        The model with its data.
    sessions
        Totals of each session.
    """
    found = {
        name: parts.max(0) if name in LARGEST else parts.sum(0)
        for name in sessions[0].statistics
        for parts in [np.stack([each.statistics[name] for each in sessions])]
    }
    found |= _shares(found, np.sum([each.by_station.sum(1) for each in sessions], axis=0), problem)
    found["frequencies"] = _apart(np.sum([each.frequencies for each in sessions], axis=0))
    for name in ("once", "inside") if problem.model.ghosts else ():
        del found[name]
    if isinstance(problem.model.classes, str):
        found["classes"] = _apart(np.sum([each.classes for each in sessions], axis=0))
    if len(sessions) > 1:
        found["sessions"] = _apart(np.stack([each.statistics["detected"] for each in sessions], axis=-1))
    return found


def _shares(found: dict[str, Floats], detections: Floats, problem: Problem) -> dict[str, Floats]:
    """Means over detections, where there is something to average over; the sums they are made of are taken out."""
    sums = {name: found.pop(name) for name in ("trend", "effort")}
    worked = [data.effort[data.effort > 0] for data in problem.data]
    varied = any(len(each) and np.ptp(each) > 0 for each in worked)
    kept = {"trend": max(data.effort.shape[1] for data in problem.data) > 1, "effort": varied}
    return {name: sums[name] / np.maximum(detections, 1.0) for name in sums if kept[name]}


def _apart(numbers: Floats) -> Floats:
    """Freeman-Tukey from the mean of all rows, of which the survey is one, (R,)."""
    return freeman_tukey(numbers, numbers.mean(0))
