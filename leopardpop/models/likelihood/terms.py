r"""The data of one session in the form that the likelihood needs, prepared once.

Relative to the void (no detection at all), the probability of animal i's history given its centre x is

.. math::
    \log \Pr(w_i \mid x) = -\sum_v t_v H_v(x) + \sum_v r_{iv} H_v(x) + \sum_v c_{iv} V(H_v(x))
                           + \sum_u y_{iu} L_u(x) + \mathrm{const}_i,
    \qquad H_v(x) = \sum_k W_{vk} \lambda_k(x)

- *void vectors* v hold efforts W (V, K) and how often they occur (t). Occasions collapse: for counts and proximity
  detectors one vector holds the total effort; for multi-catch detectors there is one a distinct effort pattern.
  Here a station is a *unit*: where detection varies by occasion or behaviour a station is several of them.
- r gives back the void of the occasions after an animal's death; c counts the animal's occasions with a detection by
  pattern (multi-catch only), where V(H) = log((exp(H) - 1)/H). Behaviour adds vectors with t = 0: naive less own
  effort, which is given back, and an occasion's mix of naive and experienced units (see :mod:`.experience`).
- *slots* u are the distinct things that can be detected: a station (count, multi) or a station with an effort
  (proximity). L is log λ, or log((exp(T λ) - 1)/T) for a proximity detector; T itself is in the constant.

Animals with the same history (and class) share one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.arrays import SessionArrays
from leopardpop.models.likelihood.bursts import Bursts, bursts_of
from leopardpop.models.likelihood.experience import Experience, Vectors, with_experience
from leopardpop.models.likelihood.singles import Singles, singles_of

__all__ = ["Floats", "Ints", "SessionTerms", "Squares", "session_terms"]

type Floats = NDArray[np.float64]
type Ints = NDArray[np.intp]


class Squares(NamedTuple):
    """Squared distances between stations and cells that are not those of straight lines."""

    table: Floats
    """m², (stations, J)."""
    row: Ints
    """Row of the table for each unit, (K,)."""

    def block(self, cells: slice) -> Floats:
        """Squared distances of all units to some cells, (K, B)."""
        return self.table[self.row, cells]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SessionTerms:
    """The likelihood's view of one session; see the module's text for the symbols."""

    detector: str
    cells: Floats
    """Coordinates of the cells, m, (J, 2)."""
    area: Floats
    """Area of the cells, km², (J,)."""
    stations: Floats
    """Coordinates of the stations, m, (K, 2)."""
    weights: Any
    """Efforts of which the void vectors W are made, (P, K), dense or sparse."""
    combine: Any
    """Sparse (V, P): W = combine @ weights; None: W are the weights."""
    times: Floats
    """t, (V,)."""
    slot_station: Ints
    """Station of each slot, (U,)."""
    slot_effort: Floats
    """Effort of each slot, (U,); 1 where it is in the constant alone."""
    start: Ints
    """Entries of history h are start[h]:start[h + 1], (h + 1,)."""
    entry_slot: Ints
    """Slot of each entry, (E,)."""
    entry_count: Floats
    """y of each entry, (E,)."""
    given_back: Floats
    """r, (h, V)."""
    visits: Floats
    """c, (h, V)."""
    class_code: Ints
    """Class of each history, -1 unknown, (h,)."""
    multiplicity: Floats
    """Number of animals with each history, (h,)."""
    history: Ints
    """History of each animal, (n,)."""
    constant: Floats
    """Terms of each animal without parameters, (n,)."""
    squares: Squares | None = None
    """Squared distances where they are not those of straight lines."""
    bursts: Bursts | None = None
    """Single detections, where counts are negative binomial."""
    singles: Singles | None = None
    """What an animal detected once needs, where such animals are left out."""

    def constants(self, size: Floats | None) -> Floats:
        """Terms of each animal that no centre changes, (..., n), at the sizes of the stations (..., K)."""
        if self.bursts is None or size is None:
            return self.constant
        return self.constant + self.bursts.log_terms(size)

    def squared_distances(self, cells: slice = slice(None)) -> Floats:
        """Squared distances from all stations to some cells, m², (K, B)."""
        if self.squares is not None:
            return self.squares.block(cells)
        square, north = (self.stations[:, axis, None] - self.cells[None, cells, axis] for axis in (0, 1))
        square *= square
        north *= north
        square += north
        return square

    @property
    def n_animals(self) -> int:
        """Number of detected animals."""
        return len(self.history)

    @property
    def n_histories(self) -> int:
        """Number of distinct histories."""
        return len(self.multiplicity)

    def vectors(self, sums: Floats) -> Floats:
        """H of the void vectors, (V, L), from the sums that ``weights`` make of the hazards, (P, L)."""
        return sums if self.combine is None else np.asarray(self.combine @ sums)

    def sums(self, cotangent: Floats) -> Floats:
        """Derivatives with respect to those sums, (P, L), from those with respect to H, (V, L)."""
        return cotangent if self.combine is None else np.asarray(self.combine.T @ cotangent)

    @property
    def entry_history(self) -> Ints:
        """History of each entry, (E,)."""
        return np.repeat(np.arange(self.n_histories), np.diff(self.start))


def session_terms(
    data: SessionArrays,
    detector: str,
    cells: Floats,
    area: Floats,
    class_code: Ints | None = None,
    experience: Experience | None = None,
    squares: Squares | None = None,
    *,
    in_bursts: bool = False,
    without_singles: bool = False,
) -> SessionTerms:
    """Prepare a session.

    Parameters
    ----------
    data
        The session's arrays, its stations being units; effort is what naive animals meet.
    detector
        ``"count"``, ``"proximity"`` or ``"multi"``.
    cells
        (J, 2) coordinates of the mask's cells, m.
    area
        (J,) km².
    class_code
        (n,) class of each animal, -1 unknown; None: one class.
    experience
        How detected animals differ from naive ones; None without behaviour.
    squares
        Squared distances; None: those of straight lines.
    in_bursts
        Whether counts are negative binomial.
    without_singles
        Whether animals that were detected once are left out; ``data`` has none.

    Returns
    -------
    SessionTerms
    """
    codes = np.zeros(len(data.individuals), np.intp) if class_code is None else class_code
    effort = data.effort[data.station, data.occasion] if experience is None else experience.effort
    vectors, pattern = _void_vectors(data, detector)
    if experience is not None:
        vectors = with_experience(vectors, pattern, data.individual, experience)
    slot, slot_station, slot_effort = _slots(data, detector, effort)
    rows = _histories(data, slot, np.column_stack([codes, vectors.given_back, vectors.visits]))
    first, history, multiplicity, start, entry_slot, entry_count = rows
    return SessionTerms(
        detector=detector,
        cells=np.ascontiguousarray(cells, float),
        area=np.ascontiguousarray(area, float),
        stations=np.ascontiguousarray(data.xy, float),
        weights=vectors.weights,
        combine=vectors.combine,
        times=vectors.times,
        slot_station=slot_station,
        slot_effort=slot_effort,
        start=start,
        entry_slot=entry_slot,
        entry_count=entry_count,
        given_back=vectors.given_back[first],
        visits=vectors.visits[first],
        class_code=codes[first],
        multiplicity=multiplicity,
        history=history,
        constant=_constants(data, detector, np.ones_like(effort) if in_bursts else effort),
        squares=squares,
        bursts=bursts_of(data, effort) if in_bursts else None,
        singles=singles_of(data, detector) if without_singles else None,
    )


def _void_vectors(data: SessionArrays, detector: str) -> tuple[Vectors, Ints]:
    """W, t, r, c of the module's text for naive animals, and the vector of the occasion of each detection."""
    if detector == "multi":
        return _effort_patterns(data)
    n_occasions = data.effort.shape[1]
    gone = np.unique(data.exposure[data.exposure < n_occasions])
    weights = np.vstack([data.effort.sum(1), *(data.effort[:, e:].sum(1) for e in gone)])
    given_back = np.zeros((len(data.individuals), len(weights)))
    given_back[:, 1:] = data.exposure[:, None] == gone
    times = np.zeros(len(weights))
    times[0] = 1.0
    vectors = Vectors(weights, times, given_back, np.zeros_like(given_back))
    return vectors, np.zeros(len(data.occasion), np.intp)


def _effort_patterns(data: SessionArrays) -> tuple[Vectors, Ints]:
    """One void vector a distinct column of the effort table."""
    weights, pattern, times = np.unique(data.effort.T, axis=0, return_inverse=True, return_counts=True)
    pattern = pattern.reshape(-1)
    n, n_patterns = len(data.individuals), len(weights)
    visits = np.zeros((n, n_patterns))
    np.add.at(visits, (data.individual, pattern[data.occasion]), 1.0)
    occasions_of = np.zeros((len(pattern) + 1, n_patterns))
    occasions_of[np.arange(len(pattern)), pattern] = 1.0
    after = occasions_of[::-1].cumsum(0)[::-1]
    return Vectors(weights, times.astype(float), after[data.exposure], visits), pattern[data.occasion]


def _slots(data: SessionArrays, detector: str, effort: Floats) -> tuple[Ints, Ints, Floats]:
    """Slot of each detection; station and effort of each slot."""
    if detector != "proximity":
        stations, slot = np.unique(data.station, return_inverse=True)
        return slot, stations, np.ones(len(stations))
    pairs, slot = np.unique(np.column_stack([data.station, effort]), axis=0, return_inverse=True)
    return slot.reshape(-1), pairs[:, 0].astype(np.intp), np.ascontiguousarray(pairs[:, 1])


def _histories(data: SessionArrays, slot: Ints, traits: Floats) -> tuple[Ints, Ints, Floats, Ints, Ints, Floats]:
    """Distinct rows of (slots with counts, traits): first animal, inverse, multiplicity, and the entries."""
    n = len(data.individuals)
    n_slots = int(slot.max(initial=-1)) + 1
    cell, at = np.unique(data.individual * max(n_slots, 1) + slot, return_inverse=True)
    count = np.bincount(at, weights=data.count, minlength=len(cell)).astype(float)
    animal, entry = cell // max(n_slots, 1), cell % max(n_slots, 1)
    bounds = np.searchsorted(animal, np.arange(n + 1))
    seen: dict[tuple[bytes, bytes, bytes], int] = {}
    first: list[int] = []
    history = np.empty(n, np.intp)
    for i in range(n):
        part = slice(bounds[i], bounds[i + 1])
        key = (entry[part].tobytes(), count[part].tobytes(), traits[i].tobytes())
        if key not in seen:
            seen[key] = len(first)
            first.append(i)
        history[i] = seen[key]
    kept = np.array(first, np.intp)
    parts = [np.arange(bounds[i], bounds[i + 1]) for i in kept]
    entries = np.concatenate([*parts, np.empty(0, np.intp)]).astype(np.intp)
    start = np.concatenate([[0], np.cumsum([len(p) for p in parts])]).astype(np.intp)
    multiplicity = np.bincount(history, minlength=len(kept)).astype(float)
    return kept, history, multiplicity, start, entry[entries], count[entries]


def _constants(data: SessionArrays, detector: str, effort: Floats) -> Floats:
    """Σ [y log T − log y!] of each animal, over the history as supplied."""
    term = data.count * np.log(effort)
    if detector == "count":
        values, code = np.unique(data.count, return_inverse=True)
        term = term - np.array([lgamma(v + 1.0) for v in values])[code]
    return np.bincount(data.individual, weights=term, minlength=len(data.individuals)).astype(float)
