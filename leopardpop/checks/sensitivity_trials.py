"""What is tried on a fit: each change with its reweighted answer, and the refit that could replace it."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.checks.sensitivity_draws import Base, Ground, Numbers, Spread, evaluate
from leopardpop.checks.sensitivity_masks import OtherMask, other_masks
from leopardpop.checks.sensitivity_priors import PriorChange, prior_changes
from leopardpop.checks.sensitivity_refits import Task
from leopardpop.checks.sensitivity_stations import are_independent, without_stations
from leopardpop.checks.sensitivity_targets import Adjusted, Counter, Plain, Rebased, all_but, rebased, stations_out
from leopardpop.components.detection import Exponential, HalfNormal, HazardRate
from leopardpop.components.detection_probability import (
    ProbabilityExponential,
    ProbabilityHalfNormal,
    ProbabilityHazardRate,
)
from leopardpop.data.history_subset import in_longer_occasions, without_animal
from leopardpop.errors import LeopardpopError
from leopardpop.models.problem import Problem
from leopardpop.priors import PriorSet
from leopardpop.words import counted

if TYPE_CHECKING:
    from leopardpop.components.detection import DetectionFunction
    from leopardpop.models.likelihood.terms import Floats

__all__ = ["Trial", "seed_of", "trials_of_animals", "trials_of_priors"]

SHIPPED = (
    HalfNormal,
    Exponential,
    HazardRate,
    ProbabilityHalfNormal,
    ProbabilityExponential,
    ProbabilityHazardRate,
)
BASELINES = ("lambda0", "g0")
TIMES = (2, 4)
STATION_DRAWS, MADE_DRAWS, MASK_DRAWS = 200, 100, 400
"""Draws that other stations and masks are tried on: each one is a likelihood of its own."""
OWN_LIKELIHOOD = "in this model each station left out takes a likelihood of its own: refit=True, and more seconds="


@dataclass(frozen=True, eq=False, kw_only=True)
class Trial:
    """One change, and what reweighting makes of it."""

    kind: str
    """buffer, mesh, prior, detection, occasions, station, animal or site."""
    subject: str
    """Which prior, which station ...; what is told together in a summary."""
    words: str
    """What was changed."""
    about: str = ""
    """What is known of the subject: so many detections."""
    before: Spread | None = None
    """Of the same draws and ground, without the change; None: all draws of the fit."""
    after: Spread | None = None
    reason: str = ""
    """Why there is no answer, or none by weights."""
    task: Callable[[], Task] | None = None
    """Makes the refit that answers where weights cannot."""
    exact: bool = False
    """Whether the answer needs no computation: the likelihood does not change."""


def trials_of_animals(base: Base, seed: int, seconds: float = np.inf) -> Iterator[Trial]:
    """All trials of a capture-recapture fit, in the order in which refits are worth their time.

    Parameters
    ----------
    base
        The fit.
    seed
        Its seed.
    seconds
        Time for stations that each need a likelihood of their own.
    """
    start = np.exp(base.draws.spread(base.pieces.numbers()).log_weights) @ base.draws.theta
    yield from _of_detection(base, seed)
    counter = Counter(base.problem, base.grounds)
    yield from trials_of_priors(base, base.pieces.numbers(), counter, start, seed)
    for other in other_masks(base.problem, base.grounds):
        yield _of_mask(base, other, start, seed)
    yield from _of_occasions(base, start, seed)
    yield from _of_animals(base, start, seed)
    yield from _of_stations(base, start, seed, seconds)


def seed_of(seed: int, *key: str) -> int:
    """Seed of one refit: the same whatever else is done."""
    return zlib.crc32("|".join((str(seed), *key)).encode())


# -- priors -----------------------------------------------------------------------------------------------------------
def trials_of_priors(
    base: Any, numbers: Numbers, counter: Callable[[Floats], Numbers], start: Floats, seed: int
) -> Iterator[Trial]:
    """Every prior weaker, stronger, and moved both ways."""
    for label, words, ratio in prior_changes(base.problem):
        after = base.draws.spread(numbers, _finite(ratio, base.draws.theta))
        yield Trial(
            kind="prior",
            subject=label,
            words=words,
            after=after,
            task=_adjusting(base.problem, ratio, counter, start, seed_of(seed, "prior", label, words)),
        )


def _finite(ratio: PriorChange, theta: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return ratio(theta)


def _adjusting(
    problem: Any, ratio: Callable[[Floats], Floats], counter: Callable[[Floats], Numbers], start: Floats, seed: int
) -> Callable[[], Task]:
    return lambda: Task(Adjusted(problem, ratio, start), counter, seed)


# -- detection function -----------------------------------------------------------------------------------------------
def _of_detection(base: Base, seed: int) -> Iterator[Trial]:
    own = base.problem.model.detection
    for kind in SHIPPED:
        if type(own) is kind:
            continue
        words = f"{kind.__name__} in place of {type(own).__name__}"
        made = _translated(own, kind)
        if isinstance(made, str):
            yield Trial(kind="detection", subject="detection function", words=words, reason=made)
        else:
            task = _another(base, made, seed_of(seed, "detection", kind.__name__))
            reason = "another detection function has other coefficients: that takes a refit"
            yield Trial(kind="detection", subject="detection function", words=words, reason=reason, task=task)


def _translated(own: DetectionFunction, kind: type[DetectionFunction]) -> DetectionFunction | str:
    """The same formulas in another function, or why there are none."""
    formulas = {p.name: p.formula for p in own.parameters()}
    baseline = next((formulas[name] for name in BASELINES if name in formulas), None)
    if baseline is None:
        return f"{type(own).__name__} has neither lambda0 nor g0 for the baseline of another function"
    wanted = {each.name for each in fields(kind)}
    chosen = dict.fromkeys(BASELINES, baseline) | {"sigma": formulas["sigma"]}
    if "z" in wanted and "z" in formulas:
        chosen["z"] = formulas["z"]
    return kind(**{name: formula for name, formula in chosen.items() if name in wanted})


def _another(base: Base, detection: DetectionFunction, seed: int) -> Callable[[], Task]:
    def make() -> Task:
        model = base.problem.model
        left = {p.name for p in (*model.detection.parameters(), *detection.parameters())}
        other = replace(model, detection=detection, priors=_priors_without(model.priors, left))
        problem = Problem(other, base.problem.history, base.problem.masks, levels=base.problem.levels)
        return Task(Plain(problem), Counter(problem, base.grounds), seed)

    return make


def _priors_without(priors: Any, parameters: set[str]) -> PriorSet | None:
    """Priors of what is not about detection: those of another function are its defaults."""
    if priors is None:
        return None
    given = priors if isinstance(priors, PriorSet) else PriorSet(priors)
    kept = {key: prior for key, prior in given.items() if key.partition("[")[0] not in parameters}
    return PriorSet(kept, optional=given.optional)


# -- masks and occasions ----------------------------------------------------------------------------------------------
def _of_mask(base: Base, other: OtherMask, start: Floats, seed: int) -> Trial:
    trial = Trial(kind=other.subject, subject=other.subject, words=other.words)
    if other.masks is None or other.theirs is None or other.ours is None:
        return replace(trial, reason=other.reason)
    try:
        target = rebased(base.problem, start, masks=other.masks)
    except LeopardpopError as error:
        return replace(trial, reason=str(error))
    rows = base.draws.thinned(MASK_DRAWS)
    theta = base.draws.theta[rows]
    before = base.pieces.numbers().part(rows)
    if other.ours is not base.grounds:
        before = evaluate(base.problem, other.ours, theta).numbers()
    return _compared(base, trial, target, other.theirs, before, rows, seed_of(seed, trial.kind, trial.words))


def _compared(
    base: Base, trial: Trial, target: Rebased, grounds: list[Ground], before: Numbers, rows: Any, seed: int
) -> Trial:
    """Fill in what the likelihood of other data or cells makes of some draws."""
    found = evaluate(target.other, grounds, target.theirs(base.draws.theta[rows]))
    given, theirs = base.pieces.log_likelihood[rows], found.log_likelihood
    ratio = np.zeros(len(given))  # a raw draw far out, where the pieces under- or overflow, has no weight anyway
    fine = np.isfinite(given)
    ratio[fine] = np.where(np.isfinite(theirs[fine]), theirs[fine] - given[fine], -np.inf)
    return replace(
        trial,
        before=base.draws.spread(before, rows=rows),
        after=base.draws.spread(found.numbers(), ratio, rows),
        task=lambda: Task(target, Counter(target.other, grounds, target), seed),
    )


def _of_occasions(base: Base, start: Floats, seed: int) -> Iterator[Trial]:
    most = max(base.problem.history.n_occasions.values())
    for times in TIMES:
        if most > times or (times == TIMES[0] and most == times):
            yield _longer(base, times, start, seed)


def _longer(base: Base, times: int, start: Floats, seed: int) -> Trial:
    problem = base.problem
    trial = Trial(kind="occasions", subject="occasions", words=f"{times} times as long")
    if reason := _why_not_longer(problem):
        return replace(trial, reason=reason)
    if problem.history.detector == "count":
        return replace(trial, exact=True)
    target = rebased(base.problem, start, history=in_longer_occasions(problem.history, times))
    rows = base.draws.thinned(MASK_DRAWS)
    seed = seed_of(seed, "occasions", trial.words)
    return _compared(base, trial, target, base.grounds, base.pieces.numbers().part(rows), rows, seed)


def _why_not_longer(problem: Problem) -> str:
    if problem.history.detector == "multi":
        return "an animal could be at two stations in a longer occasion, which the detector 'multi' does not allow"
    if problem.history.dataset["removed"].values.any():
        return "an animal died, on an occasion that must stay what it is"
    if any(len(units.station) != len(data.stations) for units, data in zip(problem.units, problem.data, strict=True)):
        return "detection varies by occasion or by what happened before: longer ones are another model"
    return ""


# -- animals and stations ---------------------------------------------------------------------------------------------
def _of_animals(base: Base, start: Floats, seed: int) -> Iterator[Trial]:
    problem, several = base.problem, len(base.problem.data) > 1
    for s, data in enumerate(problem.data):
        for i, label in enumerate(data.individuals):
            own = data.individual == i
            about = f"{counted(int(data.count[own].sum()), 'detection')} at "
            about += counted(len(np.unique(data.station[own])), "station")
            yield Trial(
                kind="animal",
                subject=f"{data.session}/{label}" if several else label,
                words="its record left out",
                about=about,
                after=base.draws.spread(base.pieces.numbers((s, i)), -base.pieces.log_animal[s][:, i]),
                task=_without_animal(base, s, i, start, seed_of(seed, "animal", data.session, label)),
            )


def _without_animal(base: Base, s: int, i: int, start: Floats, seed: int) -> Callable[[], Task]:
    def make() -> Task:
        problem = base.problem
        target = rebased(problem, start, history=without_animal(problem.history, problem.data[s].session, i))
        return Task(target, Counter(target.other, base.grounds, target), seed)

    return make


def _of_stations(base: Base, start: Floats, seed: int, seconds: float) -> Iterator[Trial]:
    until = time.monotonic() + seconds
    rows, problem = base.draws.thinned(STATION_DRAWS), base.problem
    theta = base.draws.theta[rows]
    pieces = type(base.pieces)(*([part[rows] for part in field] for field in base.pieces))
    before = base.draws.spread(pieces.numbers(), rows=rows)
    for s, data in enumerate(problem.data):
        found = without_stations(problem, base.grounds, s, theta) if are_independent(problem) else None
        for k in np.flatnonzero(data.effort.sum(1) > 0):
            trial = replace(_station(problem, s, int(k)), before=before)
            seed_k = seed_of(seed, "station", data.session, data.stations[k])
            if trial.reason:
                yield trial
            elif found is None and not time.monotonic() < until:
                yield replace(trial, reason=OWN_LIKELIHOOD)
            elif found is None:
                yield _made_without(base, trial, s, int(k), start, seed_k)
            else:
                after = base.draws.spread(found.numbers(int(k), s, pieces), found.log_ratio[:, k], rows)
                yield replace(trial, after=after, task=_without_station(base, s, int(k), start, seed_k))


def _station(problem: Problem, s: int, k: int) -> Trial:
    data = problem.data[s]
    own = data.station == k
    about = f"{counted(int(data.count[own].sum()), 'detection')} of "
    about += counted(len(np.unique(data.individual[own])), "animal")
    label = data.stations[k]
    subject = f"{data.session}/{label}" if len(problem.data) > 1 else label
    reason = "it is the only station of its session" if len(data.stations) == 1 else ""
    return Trial(kind="station", subject=subject, words="left out", about=about, reason=reason)


def _without_station(base: Base, s: int, k: int, start: Floats, seed: int) -> Callable[[], Task]:
    def make() -> Task:
        target = stations_out(base.problem, all_but(base.problem, s, k), start)
        return Task(target, Counter(target.other, base.grounds, target), seed)

    return make


def _made_without(base: Base, trial: Trial, s: int, k: int, start: Floats, seed: int) -> Trial:
    """The same by the history without the station, where tables do not serve."""
    try:
        target = stations_out(base.problem, all_but(base.problem, s, k), start)
    except LeopardpopError as error:
        return replace(trial, reason=str(error))
    rows = base.draws.thinned(MADE_DRAWS)
    return _compared(base, trial, target, base.grounds, base.pieces.numbers().part(rows), rows, seed)
