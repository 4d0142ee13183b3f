"""Tables of station x place of a lattice, shared by the sessions that have the same stations and cells.

For a half-normal the kernel e_k(x) = exp(b_k − d²/2σ_k²) is a product of a function of x and one of y. The tables hold
what does not stay a product: the summed hazards H_v(x).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import local
from typing import Any, NamedTuple

import numpy as np

from leopardpop.models.likelihood.terms import Floats, Ints, SessionTerms

__all__ = [
    "LOG_LARGEST_KERNEL",
    "Columns",
    "Lattice",
    "LatticeTables",
    "by_station",
    "hazard_of",
    "lattice_of",
    "outer_rows",
]

MINIMUM_FILL = 0.3
PAIRS_IN_A_BLOCK = 32_768
SETS_KEPT = 8
LOG_LARGEST_KERNEL = float(np.log(0.5))


class Lattice(NamedTuple):
    """Cells as places on the product of two sets of coordinates."""

    x: Floats
    y: Floats
    place: Ints
    """Index of each cell in the flattened (x, y) table, (J,)."""

    @property
    def shape(self) -> tuple[int, int]:
        """Number of coordinates along x and y."""
        return len(self.x), len(self.y)


def lattice_of(cells: Floats) -> Lattice | None:
    """Return the lattice that the cells fill to at least 30 %, or None."""
    if len(cells) == 0:
        return None
    scale = max(np.ptp(cells[:, 0]), np.ptp(cells[:, 1]), 1.0)
    keys = np.round(cells / (scale * 1e-9)).astype(np.int64)
    _, first_x, at_x = np.unique(keys[:, 0], return_index=True, return_inverse=True)
    _, first_y, at_y = np.unique(keys[:, 1], return_index=True, return_inverse=True)
    place = at_x * len(first_y) + at_y
    if len(cells) < MINIMUM_FILL * len(first_x) * len(first_y) or len(np.unique(place)) < len(cells):
        return None
    return Lattice(cells[first_x, 0], cells[first_y, 1], place)


class _OfThread(local):
    """What a thread has made; neither copies nor other processes get it, they make their own."""

    def __init__(self) -> None:
        self.kept: dict[tuple[Any, ...], Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()


class LatticeTables:
    """Hazards of one or more sessions on the same stations and lattice.

    Parameters
    ----------
    lattice
        The lattice.
    sessions
        Terms of the sessions; their stations and cells are the same.
    is_probability
        Whether the kernel is a probability (λ = −log(1 − e)) or the hazard itself.
    """

    def __init__(self, lattice: Lattice, sessions: Sequence[SessionTerms], *, is_probability: bool) -> None:
        first = sessions[0]
        self.shape, self.is_probability = lattice.shape, is_probability
        self.weights, self.vector_rows = _union([s.weights for s in sessions])
        self.chosen = [_whole(rows, self.weights.shape[0]) for rows in self.vector_rows]
        self.columns = by_station(self.weights)
        self.columns_of = [by_station(self.weights[rows]) for rows in self.vector_rows]
        self.parts = [_entries(self.weights, v) for v in range(self.weights.shape[0])]
        self.square_x = (lattice.x - first.stations[:, :1]) ** 2
        self.square_y = (lattice.y - first.stations[:, 1:]) ** 2
        step = max(1, PAIRS_IN_A_BLOCK // (self.shape[0] * self.shape[1]))
        self.blocks = [slice(i, i + step) for i in range(0, len(first.stations), step)]
        self._own = _OfThread()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what each thread keeps for itself: it does not travel between processes."""
        return {name: value for name, value in self.__dict__.items() if name != "_local"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin with nothing kept."""
        self.__dict__.update(state, _local=local())

    def runs_compiled(self, log_base: Floats) -> bool:
        """Whether the compiled loops answer: for a probability of at most 1/2 everywhere."""
        return self.is_probability and bool(log_base.max() <= LOG_LARGEST_KERNEL)

    def along(self, log_base: Floats, precision: Floats) -> tuple[Floats, Floats]:
        """exp(b − p dx²) and exp(−p dy²) of the stations, (K, nx) and (K, ny)."""
        return self._kept("along", log_base, precision, self._along)

    def _along(self, log_base: Floats, precision: Floats) -> tuple[Floats, Floats]:
        along_x = self.square_x * -precision[:, None]
        along_x += log_base[:, None]
        along_y = self.square_y * -precision[:, None]
        return np.exp(along_x, out=along_x), np.exp(along_y, out=along_y)

    def _kept[T](self, what: str, log_base: Floats, precision: Floats, make: Callable[[Floats, Floats], T]) -> T:
        """Make something of these parameters, or return what this thread made of them just now."""
        kept: dict[tuple[Any, ...], T] = self._own.kept
        key = what, log_base.tobytes(), precision.tobytes()
        if key not in kept:
            if len(kept) >= SETS_KEPT:
                kept.pop(next(iter(kept)))
            kept[key] = make(log_base, precision)
        return kept[key]

    def hazards(self, log_base: Floats, precision: Floats, session: int) -> Floats:
        """H of the session's void vectors, (V, L); sessions that share the tables share the work."""
        hazards: Floats = self._kept("hazards", log_base, precision, self._compute)[self.chosen[session]]
        return hazards

    def _compute(self, log_base: Floats, precision: Floats) -> Floats:
        """H of all void vectors, (V, L)."""
        if self.is_probability:
            return self._compute_probability(log_base, precision)
        along_x, along_y = self.along(log_base, precision)
        hazards = [(along_x[at] * w[:, None]).T @ along_y[at] for at, w in self.parts]
        return np.stack(hazards).reshape(len(hazards), -1)

    def _compute_probability(self, log_base: Floats, precision: Floats) -> Floats:
        """Σ_k W_vk · −log(1 − e_k), (V, L)."""
        along_x, along_y = self.along(log_base, precision)
        hazards = np.zeros((self.weights.shape[0], self.shape[0] * self.shape[1]))
        if self.runs_compiled(log_base):
            from leopardpop.models.likelihood.compiled import station_hazards

            station_hazards(along_x, along_y, self.columns, hazards.reshape(-1, *self.shape))
            return hazards
        for block in self.blocks:
            hazards += self.weights[:, block] @ hazard_of(outer_rows(along_x[block], along_y[block]))
        return hazards

    # -- the way back ----
    def hazard_slopes(
        self, log_base: Floats, precision: Floats, cotangent: Floats, session: int
    ) -> tuple[Floats, Floats]:
        """Slopes with respect to b_k and to p_k = 1/2σ_k² through H, (K,) each.

        Parameters
        ----------
        log_base, precision
            b and p, (K,).
        cotangent
            Slopes with respect to the session's own H_v(x), (V, L).
        session
            Position of the session among those that share the tables.
        """
        along_x, along_y = self.along(log_base, precision)
        rows = self.vector_rows[session]
        if not self.is_probability:
            return self._product_slopes(along_x, along_y, rows, cotangent)
        weights, base, bent = self.weights[rows], np.zeros(len(log_base)), np.zeros(len(log_base))
        if self.runs_compiled(log_base):
            from leopardpop.models.likelihood.compiled import hazard_slopes

            tables = cotangent.reshape(-1, *self.shape)
            of_session = self.columns_of[session]
            hazard_slopes(along_x, along_y, self.square_x, self.square_y, of_session, tables, base, bent)
            return base, bent
        for block in self.blocks:
            kernel = outer_rows(along_x[block], along_y[block])
            pull = (weights[:, block].T @ cotangent) * (kernel / (1.0 - kernel))
            table = pull.reshape(-1, *self.shape)
            by_x, by_y = table.sum(2), table.sum(1)
            base[block] = by_x.sum(1)
            bent[block] = -(by_x * self.square_x[block]).sum(1) - (by_y * self.square_y[block]).sum(1)
        return base, bent

    def _product_slopes(self, along_x: Floats, along_y: Floats, rows: Ints, cotangent: Floats) -> tuple[Floats, Floats]:
        """Slopes through H_v where it is a matrix product."""
        base, bent = np.zeros(len(along_x)), np.zeros(len(along_x))
        for v, table in zip(rows, cotangent.reshape(-1, *self.shape), strict=True):
            at, effort = self.parts[v]
            left, right = along_x[at], along_y[at]
            row = left * (right @ table.T)
            base[at] += effort * row.sum(1)
            across = left * ((right * self.square_y[at]) @ table.T)
            bent[at] -= effort * ((row * self.square_x[at]).sum(1) + across.sum(1))
        return base, bent


def hazard_of(kernel: Floats) -> Floats:
    """−log(1 − e)."""
    hazard = np.negative(kernel)
    np.log1p(hazard, out=hazard)
    return np.negative(hazard, out=hazard)


def outer_rows(left: Floats, right: Floats) -> Floats:
    """Products of the rows of two tables, (n, a) and (n, b) to (n, a·b)."""
    return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)


def _whole(rows: Ints, n: int) -> Any:
    """A slice for all rows in their order: they are then not copied."""
    return slice(None) if np.array_equal(rows, np.arange(n)) else rows


class Columns(NamedTuple):
    """Weights by station: entries of station k are start[k]:start[k + 1]."""

    start: Ints
    vector: Ints
    weight: Floats


def by_station(weights: Any) -> Columns:
    """Return the entries of weights (V, K), dense or sparse, that are not zero."""
    if isinstance(weights, np.ndarray):
        station, vector = np.nonzero(weights.T)
        start = np.searchsorted(station, np.arange(weights.shape[1] + 1))
        return Columns(start.astype(np.intp), vector.astype(np.intp), weights[vector, station])
    table = weights.tocsc()
    return Columns(table.indptr.astype(np.intp), table.indices.astype(np.intp), table.data.astype(float))


def _entries(weights: Any, v: int) -> tuple[Any, Floats]:
    """Stations of a vector (all of them for a dense one), and its weights there."""
    if isinstance(weights, np.ndarray):
        return slice(None), weights[v]
    part = slice(weights.indptr[v], weights.indptr[v + 1])
    return weights.indices[part], weights.data[part]


def _union(tables: Sequence[Any]) -> tuple[Any, list[Ints]]:
    """Distinct rows of several tables, and where each table's rows are among them."""
    bounds = np.cumsum([table.shape[0] for table in tables])[:-1]
    if all(isinstance(table, np.ndarray) for table in tables):
        distinct, inverse = np.unique(np.vstack(tables), axis=0, return_inverse=True)
        return distinct, np.split(inverse.reshape(-1), bounds)
    from scipy.sparse import csr_array, vstack

    together = vstack([csr_array(table) for table in tables], format="csr")
    seen: dict[tuple[bytes, bytes], int] = {}
    code, first = np.empty(together.shape[0], np.intp), []
    for row in range(together.shape[0]):
        at, weight = _entries(together, row)
        key = at.tobytes(), weight.tobytes()
        if key not in seen:
            seen[key] = len(seen)
            first.append(row)
        code[row] = seen[key]
    return together[np.array(first, np.intp)], np.split(code, bounds)
