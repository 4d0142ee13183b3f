"""Units: a station with one row of every detection design, the pseudo-stations of the likelihood.

Where a formula varies by occasion, a station is one unit for each of its distinct rows, and a unit works on its own
occasions only. Where it varies by behaviour, a station has naive units and experienced ones, which animals meet after
a capture. A station whose rows do not differ is one unit, so that a model without such terms has its stations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.models.behaviour import Memory, States
from leopardpop.models.likelihood.experience import Experience

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["Units", "all_units", "plain_units"]


@dataclass(frozen=True, eq=False)
class Units:
    """The units of one session: U of them."""

    arrays: SessionArrays
    """The session with units in the place of stations: effort (U, S) is what naive animals meet."""
    station: Ints
    """Station of each unit, (U,)."""
    naive: Any
    """Whether never detected animals meet the unit, (U,) bool."""
    experience: Experience | None
    """How the detected animals differ from naive ones; None without behaviour."""
    example: tuple[Ints, Ints, Ints]
    """Station, occasion and state of one place at which each unit is met, (U,) each."""


def plain_units(data: SessionArrays) -> Units:
    """Units of a session in which nothing varies but by station: the stations."""
    station = np.arange(len(data.stations))
    nothing = np.zeros_like(station)
    return Units(data, station, np.ones(len(station), bool), None, (station, nothing, nothing))


def all_units(data: SessionArrays, kind: Ints, states: States, detector: str) -> Units:
    """Units of a session.

    Parameters
    ----------
    data
        The session.
    kind
        Kind of the rows of all designs at each state, station and occasion, (Q, K, S); -1 where the station is off.
    states
        The states.
    detector
        Of the history.
    """
    on = np.broadcast_to(data.effort > 0, kind.shape)
    state, station, occasion = np.nonzero(on)
    key = station * (int(kind.max(initial=0)) + 1) + kind[on]
    _, first, code = np.unique(key, return_index=True, return_inverse=True)
    unit = np.full(kind.shape, -1, np.intp)
    unit[on] = code.reshape(-1)
    met, changes = (unit[0][data.station, data.occasion], _Changes())
    if states.number > 1:
        met, changes = _experience(data, unit, states)
    naive = np.unique(unit[0][data.effort > 0])
    used = np.unique(np.concatenate([naive, met, *changes.units]))
    place = np.full(len(first), -1, np.intp)
    place[used] = np.arange(len(used))
    example = station[first[used]], occasion[first[used]], state[first[used]]
    arrays = _with_units(data, example[0], _naive_effort(data, place[unit[0]], len(used)), place[met])
    experience = changes.compile(data, place, len(used), multi=detector == "multi") if states.number > 1 else None
    return Units(arrays, example[0], np.isin(used, naive), experience, example)


def _naive_effort(data: SessionArrays, unit: Ints, n_units: int) -> Floats:
    """Effort of the units that naive animals meet, (U, S)."""
    effort = np.zeros((n_units, data.effort.shape[1]))
    k, s = np.nonzero(data.effort > 0)
    effort[unit[k, s], s] = data.effort[k, s]
    return effort


def _with_units(data: SessionArrays, station: Ints, effort: Floats, met: Ints) -> SessionArrays:
    nothing = pd.DataFrame(index=pd.RangeIndex(len(station)))
    return replace(
        data,
        stations=tuple(data.stations[k] for k in station),
        xy=data.xy[station],
        effort=effort,
        station=met,
        station_covariates=data.station_covariates.iloc[station] if len(data.station_covariates) else nothing,
    )


class _Changes:
    """Where detected animals meet another unit than a naive animal would: one entry each."""

    def __init__(self) -> None:
        self.parts: list[tuple[Any, ...]] = []
        self.rows: list[tuple[Any, ...]] = []

    @property
    def units(self) -> list[Ints]:
        """Units that animals meet."""
        return [own for _, _, own, _ in self.parts]

    def add(self, animal: int, naive: Ints, own: Ints, effort: Floats) -> None:
        """Add places of an animal with the effort there."""
        self.parts.append((np.full(len(own), animal), naive, own, effort))

    def add_row(self, row: int, naive: Ints, own: Ints, effort: Floats) -> None:
        """Add places on the occasion of a row of detections."""
        self.rows.append((np.full(len(own), row), naive, own, effort))

    def compile(self, data: SessionArrays, place: Ints, n_units: int, *, multi: bool) -> Experience:
        """Bring the entries into two sparse tables over the units that are used."""
        effort = data.effort[data.station, data.occasion]
        given = _signed(self.parts, place, (len(data.individuals), n_units), -1.0)
        mixes = _signed(self.rows, place, (len(effort), n_units), 1.0) if multi else None
        return Experience(effort, given, mixes)


def _signed(parts: list[tuple[Any, ...]], place: Ints, shape: tuple[int, int], sign: float) -> Any:
    """Sparse table with ``sign`` times the effort at own units and minus that at naive ones."""
    from scipy.sparse import csr_array

    if not parts:
        return csr_array(shape)
    row, naive, own, effort = (np.concatenate(column) for column in zip(*parts, strict=True))
    values = np.concatenate([sign * effort, -sign * effort])
    at = (np.concatenate([row, row]), np.concatenate([place[own], place[naive]]))
    table = csr_array((values, at), shape=shape)
    table.sum_duplicates()
    table.eliminate_zeros()
    return table


def _experience(data: SessionArrays, unit: Ints, states: States) -> tuple[Ints, _Changes]:
    """Unit of each detection, and where each animal meets another one than a naive animal."""
    changes, met = _Changes(), np.empty(len(data.station), np.intp)
    bounds = np.searchsorted(data.individual, np.arange(len(data.individuals) + 1))
    on = data.effort > 0
    for i in range(len(data.individuals)):
        rows = np.arange(bounds[i], bounds[i + 1])
        own = _own_units(data, rows, unit, states)
        met[rows] = own[data.station[rows], data.occasion[rows]]
        differs = on & (own != unit[0])
        differs[:, data.exposure[i] :] = False
        k, s = np.nonzero(differs)
        changes.add(i, unit[0][k, s], own[k, s], data.effort[k, s])
        for row in rows:
            k = np.flatnonzero(differs[:, data.occasion[row]])
            s = data.occasion[row]
            changes.add_row(row, unit[0][k, s], own[k, s], data.effort[k, s])
    return met, changes


def _own_units(data: SessionArrays, rows: Ints, unit: Ints, states: States) -> Ints:
    """Unit that one animal meets at each station and occasion, (K, S)."""
    memory = Memory(states, 1, unit.shape[1])
    own, stations = np.empty(unit.shape[1:], np.intp), np.arange(unit.shape[1])
    for s in range(unit.shape[2]):
        own[:, s] = unit[memory.now()[0], stations, s]
        caught = np.zeros((1, unit.shape[1]), bool)
        caught[0, data.station[rows[data.occasion[rows] == s]]] = True
        memory.note(caught, data.effort[:, s])
    return own
