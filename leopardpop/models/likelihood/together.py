"""Many draws of a session together, where the compiled loops serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from leopardpop.models.likelihood.tables import Columns, Lattice, LatticeTables
from leopardpop.models.likelihood.terms import Floats, Ints, SessionTerms

if TYPE_CHECKING:
    from leopardpop.models.likelihood.batches import Plan
    from leopardpop.models.likelihood.form import HistoryVoid

__all__ = ["Sets", "Together", "make_plan", "one_set", "run_plan"]

IN_A_TILE = 256
"""Stations in a tile, on average: few enough to be near each other, enough for a matrix product."""
LANES = 8
"""Numbers that a processor handles at once: the lines of the lattice are filled up to a multiple of it."""
MOST_WASTE = 4
"""Entries of the table of efforts for each that is not zero, up to which products with all of it are quicker."""


class Sets(NamedTuple):
    """Sets of cells that do not overlap."""

    of_cell: Ints
    """Set of each cell, (J,), from 0; none is empty."""
    number: int


def one_set(n_cells: int) -> Sets:
    """All cells in one set."""
    return Sets(np.zeros(n_cells, np.intp), 1)


class Together(NamedTuple):
    """A class of animals at B draws; NaN in the log totals or numbers of draws that must be done otherwise."""

    log_total: Floats
    """log Σ_x D a Pr(w | x) over each set of the histories asked for, constants left out, (B, h, A)."""
    expected: Floats
    """Σ D a, (B,)."""
    detected: Floats
    """Σ D a (1 − exp(−H)), (B,)."""
    undetected: Floats
    """Σ D a exp(−H) over each set, (B, A)."""

    @property
    def failed(self) -> Ints:
        """Draws that must be done otherwise; there may be no history to tell them by."""
        return np.flatnonzero(np.isnan(self.log_total).any((1, 2)) | np.isnan(self.detected))


def make_plan(
    terms: SessionTerms, void: HistoryVoid, lattice: Lattice, tables: LatticeTables, place: int
) -> Plan | None:
    """What the compiled loops read of a session; None where they do not serve.

    They do not where experience makes vectors of mixtures of others, or where most entries of the vectors are zero.
    """
    from leopardpop.models.likelihood import batches

    weights = _dense(terms.weights)
    if terms.combine is not None or weights.size > MOST_WASTE * max(int(np.count_nonzero(weights)), 1):
        return None
    proximity = terms.detector == "proximity"
    line_y, cells = _filled_up(lattice)
    station = terms.slot_station[terms.entry_slot]
    ratio = batches.OF_HAZARD if proximity else batches.NO_RATIO
    columns = tables.columns_of[place]
    tiles, members = _tiles(terms.stations)
    return batches.Plan(
        line_x=_floats(lattice.x),
        line_y=line_y,
        place=cells,
        area=_floats(terms.area),
        station=_floats(terms.stations),
        tiles=tiles,
        members=members,
        ratio=batches.OF_PROBABILITY if tables.is_probability else ratio,
        proximity=proximity,
        vectors=weights,
        columns=Columns(_ints(columns.start), _ints(columns.vector), _floats(columns.weight)),
        times=_floats(terms.times),
        silent=_dense(void.silent),
        visits=_visits(void, len(terms.times)),
        visited=_ints(np.arange(len(terms.times))[void.visited]),
        slot_station=_ints(terms.slot_station),
        slot_effort=_floats(terms.slot_effort),
        start=_ints(terms.start),
        slot=_ints(terms.entry_slot),
        entry_station=_ints(station),
        table=_ints(terms.entry_slot if proximity else station),
        number=_floats(terms.entry_count),
        group=_ints(void.group),
    )


def run_plan(plan: Plan, log_density: Floats, log_base: Floats, precision: Floats, rows: Ints, sets: Sets) -> Together:
    """Evaluate B draws; see :func:`.batches.sum_draws` for the shapes."""
    from leopardpop.models.likelihood.batches import sum_draws

    order = np.argsort(plan.group[rows], kind="stable")
    atom = np.zeros(len(plan.line_x) * len(plan.line_y), np.int64)
    atom[plan.place] = sets.of_cell
    n = len(log_density)
    found, numbers = np.empty((n, len(rows), sets.number)), np.empty((n, 2))
    undetected = np.empty((n, sets.number))
    sum_draws(
        plan, _floats(log_density), _floats(log_base), _floats(precision), _ints(rows[order]), atom,
        found, numbers, undetected,
    )  # fmt: skip
    log_total = np.empty_like(found)
    log_total[:, order] = found
    return Together(log_total, numbers[:, 0], numbers[:, 1], undetected)


def _filled_up(lattice: Lattice) -> tuple[Floats, Ints]:
    """Coordinates along y with some more beyond the last, (ny,), and the places of the cells on that lattice, (J,)."""
    y, n = lattice.y, len(lattice.y)
    step = y[-1] - y[-2] if n > 1 else 1.0
    extra = y[-1] + step * np.arange(1, -n % LANES + 1)
    along_x, along_y = np.divmod(lattice.place, n)
    return _floats(np.concatenate([y, extra])), _ints(along_x * (n + len(extra)) + along_y)


def _tiles(stations: Floats) -> tuple[Ints, Ints]:
    """Squares of a grid that have stations: where each begins among the stations by square, and those, (K,)."""
    side = np.sqrt(np.prod(np.ptp(stations, axis=0)) * IN_A_TILE / len(stations))
    square = np.floor((stations - stations.min(0)) / max(side, 1e-9)).astype(np.int64)
    square = square if len(stations) > IN_A_TILE and side > 0 else np.zeros_like(square)
    _, code, size = np.unique(square, axis=0, return_inverse=True, return_counts=True)
    return _ints(np.concatenate([[0], np.cumsum(size)])), _ints(np.argsort(code.reshape(-1), kind="stable"))


def _visits(void: HistoryVoid, n_vectors: int) -> Floats:
    """c of each group at all vectors, (groups, V)."""
    result = np.zeros((void.number, n_vectors))
    result[:, void.visited] = _dense(void.visits)
    return result


def _dense(matrix: object) -> Floats:
    return _floats(matrix if isinstance(matrix, np.ndarray) else matrix.toarray())  # type: ignore[attr-defined]


def _floats(values: Floats) -> Floats:
    return np.ascontiguousarray(values, float)


def _ints(values: Ints) -> Ints:
    return np.ascontiguousarray(values, np.int64)
