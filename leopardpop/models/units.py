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

EVERYWHERE = {"b", "B"}
"""Flags that are the same at all stations."""


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
    naive = np.unique(unit[0][data.effort > 0])
    past = _Past(data, unit, states, by_occasion=detector == "multi") if states.number > 1 else None
    met = unit[0][data.station, data.occasion] if past is None else past.met
    used = naive if past is None else np.union1d(naive, past.used)
    place = np.full(len(first), -1, np.intp)
    place[used] = np.arange(len(used))
    example = station[first[used]], occasion[first[used]], state[first[used]]
    arrays = _with_units(data, example[0], _naive_effort(data, place[unit[0]], len(used)), place[met])
    experience = None if past is None else past.experience(place, len(used))
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


class _Rows:
    """Distinct sparse rows over units, as they are met."""

    def __init__(self) -> None:
        self.rows: list[tuple[Ints, Floats]] = []
        self.code: dict[tuple[bytes, bytes], int] = {}

    def add(self, unit: Ints, value: Floats) -> int:
        """Number of the row with these values added up by unit; -1 if nothing is left."""
        units, at = np.unique(unit, return_inverse=True)
        total = np.bincount(at.reshape(-1), weights=value, minlength=len(units))
        units, total = units[total != 0.0], total[total != 0.0]
        if not len(units):
            return -1
        key = units.tobytes(), total.tobytes()
        if key not in self.code:
            self.code[key] = len(self.rows)
            self.rows.append((units, total))
        return self.code[key]

    def table(self, place: Ints, n_units: int) -> Any:
        """All rows over the units that are used, sparse (rows, U)."""
        from scipy.sparse import csr_array

        start = np.cumsum([0, *(len(units) for units, _ in self.rows)])
        units = np.concatenate([np.empty(0, np.intp), *(place[units] for units, _ in self.rows)])
        values = np.concatenate([np.empty(0), *(values for _, values in self.rows)])
        return csr_array((values, units, start), shape=(len(self.rows), n_units))


class _Past:
    """What detected animals meet in the place of what naive ones do.

    Parameters
    ----------
    data
        The session.
    unit
        Unit of each state at each station and occasion, (Q, K, S).
    states
        The states.
    by_occasion
        Whether the mixes of units on occasions with a detection are wanted, as for multi-catch.
    """

    def __init__(self, data: SessionArrays, unit: Ints, states: States, *, by_occasion: bool) -> None:
        self.data, self.unit, self.states = data, unit, states
        self.given_back, self.mixes = _Rows(), _Rows()
        self.of_animal = np.full(len(data.individuals), -1, np.intp)
        self.of_row = np.full(len(data.station), -1, np.intp)
        self.met = np.empty(len(data.station), np.intp)
        known: dict[bytes, int] = {}
        bounds = np.searchsorted(data.individual, np.arange(len(data.individuals) + 1))
        for i in range(len(data.individuals)):
            rows = np.arange(bounds[i], bounds[i + 1])
            state = self._states(rows)
            key = np.append(state, data.exposure[i]).tobytes()
            own = np.take_along_axis(unit, np.broadcast_to(state, unit.shape[1:])[None], 0)[0]
            self.met[rows] = own[data.station[rows], data.occasion[rows]]
            if key not in known:
                known[key] = self._back(own, int(data.exposure[i]))
            self.of_animal[i] = known[key]
            if by_occasion:
                self.of_row[rows] = [self._mix(own[:, s], s) for s in data.occasion[rows]]

    def _states(self, rows: Ints) -> Ints:
        """State of an animal at each station and occasion, (K, S), or (1, S) where stations are alike."""
        data, everywhere = self.data, set(self.states.flags) <= EVERYWHERE
        effort = data.effort.max(0, keepdims=True) if everywhere else data.effort
        memory, states = Memory(self.states, 1, len(effort)), np.empty(effort.shape, np.intp)
        for s in range(effort.shape[1]):
            states[:, s] = memory.now()[0]
            caught = np.zeros((1, len(effort)), bool)
            here = rows[data.occasion[rows] == s]
            caught[0, np.zeros_like(here) if everywhere else data.station[here]] = True
            memory.note(caught, effort[:, s])
        return states

    def _back(self, own: Ints, exposure: int) -> int:
        """Row of naive less own effort over the occasions that an animal lived through."""
        differs = (self.data.effort > 0) & (own != self.unit[0])
        differs[:, exposure:] = False
        effort = self.data.effort[differs]
        return self.given_back.add(
            np.concatenate([self.unit[0][differs], own[differs]]), np.concatenate([effort, -effort])
        )

    def _mix(self, own: Ints, s: int) -> int:
        """Row of own less naive effort on an occasion."""
        differs = (self.data.effort[:, s] > 0) & (own != self.unit[0, :, s])
        effort = self.data.effort[differs, s]
        return self.mixes.add(
            np.concatenate([own[differs], self.unit[0, differs, s]]), np.concatenate([effort, -effort])
        )

    @property
    def used(self) -> Ints:
        """Units that animals meet."""
        rows = [units for units, _ in (*self.given_back.rows, *self.mixes.rows)]
        return np.unique(np.concatenate([self.met, *rows]))

    def experience(self, place: Ints, n_units: int) -> Experience:
        """The tables over the units that are used."""
        effort = self.data.effort[self.data.station, self.data.occasion]
        tables = self.given_back.table(place, n_units), self.mixes.table(place, n_units)
        return Experience(effort, tables[0], self.of_animal, tables[1], self.of_row)
