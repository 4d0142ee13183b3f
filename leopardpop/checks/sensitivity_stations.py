r"""The likelihood without each of the stations, all of them at once.

Where detections at stations are independent given the animal's centre x, leaving out station k divides the probability
of a history by that of what happened at k:

.. math:: L_i^{(-k)} = \sum_x D a\, e^{-H(x) + H_k(x)} \prod_{\text{detections elsewhere}} g(x), \qquad
          \Lambda^{(-k)} = \sum_x D a\,\{1 - e^{-H(x) + H_k(x)}\}

so that one table of hazards, cells by stations, serves all of them. Animals that were met nowhere else are not in the
data then. For competing cameras, bursts, behaviour, deaths and misread identities the history without the station is
made instead.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from leopardpop.checks.sensitivity_draws import Evaluated, Ground, Numbers, counted_law
from leopardpop.results.draws import in_blocks

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.problem import Problem

__all__ = ["StationsOut", "are_independent", "without_stations"]

LARGEST_HAZARD = 300.0
SMALL_HAZARD = 1e-6
"""Below which log(exp(h) − 1) is log h to machine precision."""


class StationsOut(NamedTuple):
    """What leaving out each of the K stations of one session does, draw by draw."""

    log_ratio: Floats
    """Change of the log-likelihood, (S, K)."""
    sure: Floats
    """Sure part of N of that session, (S, K)."""
    rate: Floats
    """Poisson part, (S, K)."""

    def numbers(self, station: int, session: int, pieces: Evaluated) -> Numbers:
        """Law of N in all sessions, without one station of one of them."""
        laws = [counted_law(i, u) for i, u in zip(pieces.inside, pieces.undetected, strict=True)]
        laws[session] = self.sure[:, station], self.rate[:, station]
        return Numbers(np.stack([a for a, _ in laws], 1), np.stack([b for _, b in laws], 1))


def are_independent(problem: Problem) -> bool:
    """Whether detections at different stations are independent given the animal's centre, and simply so."""
    plain = problem.history.detector in ("count", "proximity") and problem.model.counts == "poisson"
    plain = plain and not problem.model.ghosts  # without a station an animal may be one that was detected once
    stays = not problem.history.dataset["removed"].values.any()
    return plain and stays and all(units.experience is None for units in problem.units)


def without_stations(problem: Problem, grounds: list[Ground], s: int, theta: Floats) -> StationsOut | None:
    """Leave out every station of session s at draws (S, P); None where hazards are too large for it."""
    session = _Session.of(problem, grounds[s], s)
    with np.errstate(all="ignore"):
        blocks = list(in_blocks(partial(_block, problem, session), theta))
    found = [np.concatenate(part) for part in zip(*blocks, strict=True)]
    return StationsOut(*found) if all(np.isfinite(part).all() for part in found) else None


class _Session(NamedTuple):
    """One session as the tables need it."""

    s: int
    d2: Floats
    """Squared distances of units to cells, (U, J)."""
    station: Ints
    """Station of each unit, (U,)."""
    effort: Floats
    """(U,)."""
    slot_unit: Ints
    slot_effort: Floats
    proximity: bool
    elsewhere: Floats
    """Detections of each animal by slot, (n, Q)."""
    pair: Ints
    """Animal and station of each pair that met, (M, 2)."""
    met: Floats
    """Detections of each pair by slot, (M, Q)."""
    only: Ints
    """Station of the animals that were met at one alone, else -1, (n,)."""
    log_class: Floats
    """0 where an animal may be of a class, −inf where it is known not to be, (n, C)."""
    share: Floats
    """Share of each cell in the region, (J,)."""
    n_stations: int

    @classmethod
    def of(cls, problem: Problem, ground: Ground, s: int) -> _Session:
        units, data, terms = problem.units[s], problem.data[s], problem.sessions[s].terms
        rows = units.arrays
        cells = np.arange(problem.masks[data.session].n_cells)
        d2 = problem.squared_distances(s, cells).T[units.station]
        effort = rows.effort[rows.station, rows.occasion]
        slots, slot = np.unique(np.column_stack([rows.station, effort]), axis=0, return_inverse=True)
        counts = np.zeros((len(data.individuals), len(slots)))
        np.add.at(counts, (rows.individual, slot.reshape(-1)), rows.count)
        slot_unit = slots[:, 0].astype(np.intp)
        at = units.station[slot_unit]
        pair = np.unique(np.column_stack([rows.individual, units.station[rows.station]]), axis=0)
        met = np.where(at == pair[:, 1:], counts[pair[:, 0]], 0.0)
        times = np.bincount(pair[:, 0], minlength=len(data.individuals))
        only = np.full(len(data.individuals), -1)
        only[pair[:, 0]] = np.where(times[pair[:, 0]] == 1, pair[:, 1], -1)
        codes = terms.class_code[terms.history]
        classes = np.arange(len(problem.levels))
        log_class = np.where((codes[:, None] == classes) | (codes[:, None] < 0), 0.0, -np.inf)
        return cls(
            s, d2, units.station, rows.effort.sum(1), slot_unit, slots[:, 1], problem.history.detector == "proximity",
            counts, pair.astype(np.intp), met, only, log_class, ground.of_cell, len(data.stations),
        )  # fmt: skip


def _block(problem: Problem, session: _Session, theta: Floats) -> tuple[Floats, Floats, Floats]:
    with np.errstate(all="ignore"):
        rows = [_one(problem, session, each) for each in theta]
    log_ratio, sure, rate = (np.stack(part) for part in zip(*rows, strict=True))
    return log_ratio, sure, rate


class _Tables(NamedTuple):
    """One draw: classes and cells in one axis of length C · J."""

    log_void: Floats
    """log π D a − H, (CJ,)."""
    hazard: Floats
    """H_k, (K, CJ)."""
    log_slot: Floats
    """log g of each slot, (Q, CJ)."""


def _tables(problem: Problem, session: _Session, theta: Floats) -> _Tables:
    s, n_classes = session.s, len(problem.levels)
    values = problem.natural(theta)
    intensity = values["D"][s] + np.log(problem.sessions[s].terms.area)
    shares = np.zeros(1) if problem.layout.shares is None else problem.layout.shares.log_shares(theta)
    parts = []
    for c in range(n_classes):
        own = {name: v[s].reshape(n_classes, -1)[c][:, None] for name, v in values.items() if name != "D"}
        log_hazard = problem.model.detection.log_hazard(session.d2, **own)
        by_unit = session.effort[:, None] * np.exp(log_hazard)
        hazard = by_unit
        if len(session.station) != session.n_stations:
            hazard = np.zeros((session.n_stations, by_unit.shape[1]))
            np.add.at(hazard, session.station, by_unit)
        parts.append((shares[c] + intensity - hazard.sum(0), hazard, _log_slots(session, log_hazard)))
    return _Tables(*(np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)))


def _log_slots(session: _Session, log_hazard: Floats) -> Floats:
    """log of what multiplies a history for each detection, (Q, J): Tλ, or exp(Tλ) − 1 for a yes."""
    logs = log_hazard[session.slot_unit] + np.log(session.slot_effort)[:, None]
    if not session.proximity:
        return logs
    hazard = np.exp(logs)
    return np.where(hazard > SMALL_HAZARD, np.log(np.expm1(np.maximum(hazard, SMALL_HAZARD))), logs + 0.5 * hazard)


def _one(problem: Problem, session: _Session, theta: Floats) -> tuple[Floats, Floats, Floats]:
    """Log ratio, sure part and Poisson part at one draw, (K,) each."""
    tables = _tables(problem, session, theta)
    if not tables.hazard.max() < LARGEST_HAZARD:
        nothing = np.full(session.n_stations, np.nan)
        return nothing, nothing, nothing
    share = np.tile(session.share, len(problem.levels))
    back = np.exp(tables.hazard)
    void = np.exp(tables.log_void)
    unseen, unseen_here = back @ void, back @ (void * share)
    if not len(session.elsewhere):
        return unseen - void.sum(), np.zeros_like(unseen), unseen_here
    joint = session.elsewhere @ tables.log_slot + tables.log_void
    joint += np.repeat(session.log_class, len(session.share), axis=1)
    log_old, log_new, inside = _histories(session, tables, joint, back, share)
    there = session.only[:, None] != np.arange(session.n_stations)
    ratio = np.where(there, log_new - log_old[:, None], -log_old[:, None]).sum(0) + unseen - void.sum()
    sure, rate = counted_law(np.where(there, inside, 0.0).T, unseen_here)
    return ratio, sure, rate


def _histories(
    session: _Session, tables: _Tables, joint: Floats, back: Floats, share: Floats
) -> tuple[Floats, Floats, Floats]:
    """log L of each animal, (n,), without each station, (n, K), and the chance to be in the region then, (n, K)."""
    top = joint.max(1, keepdims=True)
    weight = np.exp(joint - top)
    total, here = weight @ back.T, (weight * share) @ back.T
    log_new = top + np.log(total)
    animal, station = session.pair.T
    less = joint[animal] - session.met @ tables.log_slot + tables.hazard[station]
    peak = less.max(1, keepdims=True)
    again = np.exp(less - peak)
    sums = again.sum(1)
    log_new[animal, station] = peak[:, 0] + np.log(sums)
    inside = here / total
    inside[animal, station] = again @ share / sums
    return top[:, 0] + np.log(weight.sum(1)), log_new, inside
