r"""One session surveyed many times over: row 0 is the survey itself, the others are replicates of it.

All rows share the coefficients θ*, one draw from the posterior. Row 0 has the centres and classes of the detected
animals, and the undetected ones, drawn given the data; each replicate has a population of its own. Then the data and
the population of row 0 have the same joint law as those of any other row.

Detections are events of a Poisson process (bursts of them, for negative-binomial counts), so that without responses to
earlier captures one draw of the number of events of each animal and one of the place of each event is a survey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.models.simulation import Encounters, draw_counts, place_animals

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.likelihood.session import Evaluation
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.problem import Problem

__all__ = ["Surveyed", "survey_session"]

BLOCK = 1_500_000
"""Animals x stations x occasions of one table of hazards."""


class Surveyed(NamedTuple):
    """What all rows of a session saw, and what they were expected to see of the animals where these live."""

    rows: int
    """Number of rows."""
    row: Ints
    """Row of each animal, (n,)."""
    code: Ints
    """Its class, (n,)."""
    unit: Ints
    """Its place in the tables below, (n,)."""
    by_station: Floats
    """Expected detections of a unit at each station, (U, K)."""
    by_occasion: Floats
    """Expected detections of a unit on each occasion, (U, S)."""
    distance: Floats
    """Distance of a unit from each station, m, (U, K)."""
    animal: Ints
    """Animal of each detection, (m,)."""
    station: Ints
    """(m,)."""
    occasion: Ints
    """(m,)."""
    number: Ints
    """Detections there and then, (m,)."""


class _Animals(NamedTuple):
    """Animals of all rows: detected ones of the survey first, in its order."""

    row: Ints
    cell: Ints
    code: Ints
    known: Ints
    """Occasions of which it is known what was seen of the animal: none in a replicate."""


class _Events(NamedTuple):
    animal: Any
    station: Any
    occasion: Any
    count: Any


def survey_session(
    problem: Problem, theta: Floats, s: int, evaluation: Evaluation, replicates: int, rng: np.random.Generator
) -> Surveyed:
    """Survey a session again and again.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Coefficients (P,).
    s
        Position of the session.
    evaluation
        The session at these coefficients.
    replicates
        Number of replicates R; there are R + 1 rows.
    rng
        Source of chance.
    """
    animals = _animals(problem, theta, s, evaluation, replicates, rng)
    if problem.detection.states.number > 1:
        return _one_occasion_after_the_other(problem, theta, s, animals, replicates, rng)
    return _all_at_once(problem, theta, s, animals, replicates, rng)


# -- who lives where --------------------------------------------------------------------------------------------------
def _animals(
    problem: Problem, theta: Floats, s: int, evaluation: Evaluation, replicates: int, rng: np.random.Generator
) -> _Animals:
    n_occasions = problem.data[s].effort.shape[1]
    missed = rng.poisson(problem.undetected(theta)[s])
    code, cell = (np.repeat(index, missed.ravel()) for index in np.indices(missed.shape).reshape(2, -1))
    seen_cell, seen_code = _places_of_detected(problem, s, evaluation, rng)
    number = rng.poisson(evaluation.expected, replicates)
    new_cell, new_code = place_animals(problem, theta, s, int(number.sum()), rng)
    before = len(seen_cell) + len(cell)
    known = [problem.data[s].exposure, np.full(len(cell), n_occasions), np.zeros(len(new_cell), np.intp)]
    return _Animals(
        np.concatenate([np.zeros(before, np.intp), np.repeat(np.arange(1, replicates + 1), number)]),
        np.concatenate([seen_cell, cell, new_cell]).astype(np.intp),
        np.concatenate([seen_code, code, new_code]).astype(np.intp),
        np.concatenate(known).astype(np.intp),
    )


def _places_of_detected(
    problem: Problem, s: int, evaluation: Evaluation, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Draw class and cell of each detected animal together, given its history."""
    session = problem.sessions[s]
    history = session.terms.history
    code = _draw_rows(session.classes(evaluation), rng)
    cell = np.zeros(len(history), np.intp)
    for c, forward in enumerate(evaluation.forwards):
        mine = np.flatnonzero(code == c)
        if len(mine):
            table = session.form.centres(forward)
            cell[mine] = _draw_rows(table[np.searchsorted(forward.rows, history[mine])], rng)
    return cell, code


def _draw_rows(law: Floats, rng: np.random.Generator) -> Ints:
    """One column of each row of probabilities."""
    ladder = law.cumsum(1)
    return np.asarray((ladder < (rng.random(len(law)) * ladder[:, -1])[:, None]).sum(1), np.intp)


# -- detection without memory -----------------------------------------------------------------------------------------
def _all_at_once(
    problem: Problem, theta: Floats, s: int, animals: _Animals, replicates: int, rng: np.random.Generator
) -> Surveyed:
    data, n_classes = problem.data[s], len(problem.levels)
    n_stations, n_occasions = data.effort.shape
    units, unit = np.unique(animals.cell * n_classes + animals.code, return_inverse=True)
    by_station, by_occasion = np.empty((len(units), n_stations)), np.empty((len(units), n_occasions))
    distance, found = np.empty_like(by_station), [_observed(data)]
    order = np.argsort(unit, kind="stable")
    step = max(1, BLOCK // (n_stations * n_occasions))
    for first in range(0, len(units), step):
        block = slice(first, min(first + step, len(units)))
        cell, code = np.divmod(units[block], n_classes)
        encounters = Encounters(problem, theta, s, cell, code)
        mean, rate, share = _hazards(encounters, data)
        expected = _expected(problem.history.detector, mean)
        by_station[block], by_occasion[block] = expected.sum(2), expected.sum(1)
        distance[block] = np.sqrt(encounters.d2)
        mine = order[slice(*np.searchsorted(unit[order], [block.start, block.stop]))]
        found.append(_draw_events(problem.history.detector, rate, share, mine, unit[mine] - first, rng))
    events = _Events(*(np.concatenate(column) for column in zip(*found, strict=True)))
    kept = np.arange(len(events.animal)) < len(data.individual)
    kept |= events.occasion >= animals.known[events.animal]
    if problem.model.ghosts:  # who was detected once is no part of the data
        kept &= np.bincount(events.animal[kept], events.count[kept], len(animals.row))[events.animal] > 1
    events = _Events(*(column[kept] for column in events))
    return Surveyed(replicates + 1, animals.row, animals.code, unit, by_station, by_occasion, distance, *events)


def _observed(data: SessionArrays) -> _Events:
    return _Events(data.individual, data.station, data.occasion, data.count)


def _hazards(encounters: Encounters, data: SessionArrays) -> tuple[Floats, Floats, Any]:
    """Expected hazard and rate of events (U, K, S); with bursts, the share of their law, else None."""
    pairs = [encounters.hazard(o) for o in range(data.effort.shape[1])]
    hazard = np.stack(np.broadcast_arrays(*(each for each, _ in pairs)), axis=-1)
    mean = hazard * data.effort
    if pairs[0][1] is None:
        return mean, mean, None
    size = np.stack([np.broadcast_to(each, hazard.shape[:2]) for _, each in pairs], axis=-1)
    return mean, size * data.effort * np.log1p(hazard / size), hazard / (hazard + size)


def _expected(detector: str, mean: Floats) -> Floats:
    """Expected detections from summed hazards, stations on the second axis."""
    if detector == "count":
        return mean
    if detector == "proximity":
        return np.asarray(-np.expm1(-mean))
    total = mean.sum(1, keepdims=True)
    return mean * np.divide(-np.expm1(-total), total, out=np.ones_like(total), where=total > 0)


def _draw_events(
    detector: str, rate: Floats, share: Any, animals: Ints, unit: Ints, rng: np.random.Generator
) -> _Events:
    """Detections of some animals whose rates (U, K, S) are known."""
    flat = rate.reshape(len(rate), -1)
    ladder = flat.ravel().cumsum()
    ends = ladder[flat.shape[1] - 1 :: flat.shape[1]]
    starts = np.concatenate([[0.0], ends[:-1]])
    number = rng.poisson((ends - starts)[unit])
    animal, unit = np.repeat(animals, number), np.repeat(unit, number)
    at = starts[unit] + rng.random(len(unit)) * (ends - starts)[unit]
    place = np.minimum(np.searchsorted(ladder, at, side="right"), len(ladder) - 1)
    station, occasion = np.divmod(place % flat.shape[1], rate.shape[2])
    weight = np.ones(len(place)) if share is None else rng.logseries(share.ravel()[place])
    return _detections(detector, _Events(animal, station, occasion, weight), rate.shape[1:])


def _detections(detector: str, events: _Events, shape: tuple[int, int]) -> _Events:
    """Events as the detector records them: added up, seen or not, or one of them."""
    within = events.occasion if detector == "multi" else events.station * shape[1] + events.occasion
    key, first, which = np.unique(
        events.animal * (shape[0] * shape[1]) + within, return_index=True, return_inverse=True
    )
    count = np.bincount(which, events.count, len(key)).astype(np.int64)
    return _Events(
        events.animal[first],
        events.station[first],  # of events alike but for the station the first is any of them
        events.occasion[first],
        count if detector == "count" else np.ones_like(count),
    )


# -- detection that remembers -----------------------------------------------------------------------------------------
def _one_occasion_after_the_other(
    problem: Problem, theta: Floats, s: int, animals: _Animals, replicates: int, rng: np.random.Generator
) -> Surveyed:
    data, detector = problem.data[s], problem.history.detector
    encounters = Encounters(problem, theta, s, animals.cell, animals.code)
    by_station = np.zeros(encounters.d2.shape)
    by_occasion, found = np.zeros((len(by_station), data.effort.shape[1])), []
    for o in range(data.effort.shape[1]):
        hazard, size = encounters.hazard(o)
        expected = _expected(detector, hazard * data.effort[:, o])
        by_station += expected
        by_occasion[:, o] = expected.sum(1)
        counts = draw_counts(detector, hazard, size, data.effort[:, o], rng)
        counts[animals.known > o] = 0
        seen = data.occasion == o
        counts[data.individual[seen], data.station[seen]] = data.count[seen]
        encounters.note(counts > 0, data.effort[:, o])
        i, k = np.nonzero(counts)
        found.append(_Events(i, k, np.full(len(i), o), counts[i, k]))
    events = _Events(*(np.concatenate(column) for column in zip(*found, strict=True)))
    unit = np.arange(len(animals.row))
    distance = np.sqrt(encounters.d2)
    return Surveyed(replicates + 1, animals.row, animals.code, unit, by_station, by_occasion, distance, *events)
