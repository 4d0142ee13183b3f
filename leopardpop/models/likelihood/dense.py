"""The likelihood on any set of cells with any detection function: every station meets every cell, block by block."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from leopardpop.components.counts import SIZE
from leopardpop.components.detection import DetectionFunction
from leopardpop.components.special import log_expm1_ratio
from leopardpop.models.likelihood.bursts import Damped, damped
from leopardpop.models.likelihood.form import (
    Forward,
    Parameters,
    Slopes,
    history_terms,
    history_void,
    void_cotangent,
)
from leopardpop.models.likelihood.terms import Floats, Ints, SessionTerms
from leopardpop.models.likelihood.together import Sets, Together

__all__ = ["DenseForm"]

PAIRS_IN_A_BLOCK = 32_768
CELLS_IN_A_BLOCK = 16
"""At least: with fewer the calls cost more than the pairs."""
PAIRS_KEPT = 5_000_000
HAZARDS_KEPT = 200_000
"""Pairs whose hazards the way back has from the way forward; of more they are worked out again."""


class Pairs(NamedTuple):
    """Pairs of stations and the cells of a block."""

    squares: Floats
    """Squared distances, m², (K, B)."""
    columns: dict[str, Floats]
    """Parameters of the detection function, (K, 1)."""
    log_hazard: Floats
    hazard: Floats
    bursts: Damped | None
    """What bursts make of the hazards, where counts are negative binomial."""

    @property
    def void(self) -> Floats:
        """What the void is a sum of."""
        return self.hazard if self.bursts is None else self.bursts.void


class State(NamedTuple):
    """What :meth:`DenseForm.backward` needs of the way forward."""

    parameters: Parameters
    hazards: Floats
    """H_v, (V, J)."""
    centres: Floats
    """Pr(cell | history), (h, J)."""
    odds: Floats
    """S of animals detected once where they are left out, else zero, (J,)."""
    pairs: dict[int, Pairs]
    """By block; empty where they are worked out again."""


class DenseForm:
    """Dense form: O(stations x cells) work and memory by blocks of cells.

    Parameters
    ----------
    terms
        The session.
    detection
        Any detection function.
    """

    def __init__(self, terms: SessionTerms, detection: DetectionFunction) -> None:
        self.terms, self.detection = terms, detection
        self.void = history_void(terms)
        self.log_area = np.log(terms.area)
        n_cells, n_stations, n_slots = len(terms.area), len(terms.stations), len(terms.slot_station)
        step = max(CELLS_IN_A_BLOCK, PAIRS_IN_A_BLOCK // max(n_stations, 1))
        self.blocks = [slice(i, min(i + step, n_cells)) for i in range(0, n_cells, step)]
        self.counts = csr_array((terms.entry_count, terms.entry_slot, terms.start), shape=(terms.n_histories, n_slots))
        ones = (np.ones(n_slots), (terms.slot_station, np.arange(n_slots)))
        self.station_of_slot = csr_array(ones, shape=(n_stations, n_slots))

    @cached_property
    def distances(self) -> dict[int, Floats]:
        """Squared distances of all pairs by block, kept if they are not too many."""
        few = self.n_pairs <= PAIRS_KEPT
        return {block.start: self.terms.squared_distances(block) for block in self.blocks} if few else {}

    @property
    def n_pairs(self) -> int:
        """Number of pairs of a station and a cell."""
        return len(self.terms.stations) * len(self.log_area)

    def _pairs(self, block: slice, parameters: Parameters) -> Pairs:
        kept = self.distances.get(block.start)
        d2 = self.terms.squared_distances(block) if kept is None else kept
        columns = {name: value[:, None] for name, value in parameters.items()}
        size = None if self.terms.bursts is None else columns.pop(SIZE)
        log_hazard = self.detection.log_hazard(d2, **columns)
        hazard = np.exp(log_hazard)
        return Pairs(d2, columns, log_hazard, hazard, None if size is None else damped(hazard, size))

    def forward(self, log_density: Floats, parameters: Parameters, rows: Ints) -> Forward:
        """Log totals of the histories ``rows``; see :class:`Form`."""
        terms, n_cells = self.terms, len(self.log_area)
        hazards = np.empty((len(terms.times), n_cells))
        log_weight = np.empty((len(rows), n_cells))
        counts, odds = self.counts[rows], np.zeros(n_cells)
        kept: dict[int, Pairs] = {}
        for block in self.blocks:
            pairs = self._pairs(block, parameters)
            if self.n_pairs <= HAZARDS_KEPT:
                kept[block.start] = pairs
            hazards[:, block] = terms.vectors(terms.weights @ pairs.void)
            log_weight[:, block] = counts @ self._log_slot(pairs)
            if terms.singles is not None and terms.singles.of_pairs:
                odds[block] = terms.singles.odds_of_pairs(pairs.hazard)
        total = terms.times @ hazards
        if terms.singles is not None and not terms.singles.of_pairs:
            odds = terms.singles.odds(terms.times, hazards)
        log_weight += (history_terms(self.void, hazards) + (log_density + self.log_area - total))[self.void.group[rows]]
        log_total = _normalise(log_weight)
        state = State(parameters, hazards, log_weight, odds, kept)
        return Forward(log_total, total - np.log1p(odds), rows, state)

    def together(self, log_density: Floats, parameters: Parameters, rows: Ints, sets: Sets) -> Together | None:
        """Draws are done one by one."""
        return None

    def _log_slot(self, pairs: Pairs) -> Floats:
        """L_u(x), (U, B)."""
        at = self.terms.slot_station
        log_slot: Floats = pairs.log_hazard[at]
        if pairs.bursts is not None:
            log_slot -= pairs.bursts.log_excess[at]
        elif self.terms.detector == "proximity":
            log_slot += log_expm1_ratio(self.terms.slot_effort[:, None] * pairs.hazard[at])
        return log_slot

    def _slot_slope(self, hazard: Floats) -> Any:
        """Derivative of L_u with respect to log λ: 1, or Tλ/(1 − exp(−Tλ))."""
        if self.terms.detector != "proximity":
            return 1.0
        expected = self.terms.slot_effort[:, None] * hazard[self.terms.slot_station] + 1e-300
        return -expected / np.expm1(-expected)

    def centres(self, forward: Forward) -> Floats:
        """Pr(cell | history); see :class:`Form`."""
        centres: Floats = forward.state.centres
        return centres

    def once(self, forward: Forward) -> Floats:
        """Probability of one detection; see :class:`Form`."""
        odds = forward.state.odds
        return np.asarray(np.exp(-forward.total_hazard) * odds / (1.0 + odds))

    def backward(self, forward: Forward, weights: Floats, rate: Floats) -> Slopes:
        """Derivatives; see :class:`Form`."""
        terms = self.terms
        parameters, hazards, centres, odds, kept = forward.state
        group = self.void.group[forward.rows]
        by_group = csr_array((weights, (group, np.arange(len(group)))), shape=(self.void.number, len(group)))
        by_vector, singles = void_cotangent(terms, self.void, hazards, by_group @ centres, rate), terms.singles
        if singles is not None and not singles.of_pairs:
            by_vector -= rate / (1.0 + odds) * singles.slopes(terms.times, hazards)
        cotangent = terms.sums(by_vector)
        counts = self.counts[forward.rows]
        counts.data *= np.repeat(weights, np.diff(counts.indptr))
        by_slot = counts.T.tocsr() @ centres
        result = {name: np.zeros(len(terms.stations)) for name in parameters}
        for block in self.blocks:
            pairs = kept.get(block.start) or self._pairs(block, parameters)
            by_void = terms.weights.T @ cotangent[:, block]
            seen = self.station_of_slot @ (by_slot[:, block] * self._slot_slope(pairs.hazard))
            pull = pairs.hazard * by_void + seen
            if singles is not None and singles.of_pairs:
                pull -= (rate / (1.0 + odds))[block] * singles.slopes_of_pairs(pairs.hazard)
            if pairs.bursts is not None:
                pull *= pairs.bursts.slope
                by_size = pairs.bursts.void * by_void + seen - pull
                result[SIZE] += by_size.sum(1)
            for name, slope in self.detection.log_slopes(pairs.squares, **pairs.columns).items():
                result[name] += np.einsum("kb,kb->k", pull, np.broadcast_to(slope, pull.shape))
        return Slopes(weights @ centres, result)


def _normalise(log_weight: Floats) -> Floats:
    """Log of the sum of each row, of which the entries become shares, in place."""
    top = log_weight.max(1, initial=-np.inf, keepdims=True)
    log_weight -= top
    np.exp(log_weight, out=log_weight)
    total = log_weight.sum(1)
    log_weight /= total[:, None]
    log_total: Floats = top[:, 0] + np.log(total)
    return log_total
