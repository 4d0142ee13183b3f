"""The likelihood on any set of cells with any detection function: every station meets every cell, block by block."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from leopardpop.components.detection import DetectionFunction
from leopardpop.components.special import log_expm1_ratio
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
PAIRS_KEPT = 5_000_000


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
        step = max(1, PAIRS_IN_A_BLOCK // max(n_stations, 1))
        self.blocks = [slice(i, min(i + step, n_cells)) for i in range(0, n_cells, step)]
        self.counts = csr_array((terms.entry_count, terms.entry_slot, terms.start), shape=(terms.n_histories, n_slots))
        ones = (np.ones(n_slots), (terms.slot_station, np.arange(n_slots)))
        self.station_of_slot = csr_array(ones, shape=(n_stations, n_slots))

    @cached_property
    def distances(self) -> dict[int, Floats]:
        """Squared distances of all pairs by block, kept if they are not too many."""
        few = len(self.terms.stations) * len(self.log_area) <= PAIRS_KEPT
        return {block.start: self.terms.squared_distances(block) for block in self.blocks} if few else {}

    def _hazard(self, block: slice, parameters: Parameters) -> tuple[Floats, Floats, dict[str, Floats]]:
        """Squared distances, log hazard of the pairs of a block, (K, B), and the parameters as columns."""
        kept = self.distances.get(block.start)
        d2 = self.terms.squared_distances(block) if kept is None else kept
        columns = {name: value[:, None] for name, value in parameters.items()}
        return d2, self.detection.log_hazard(d2, **columns), columns

    def forward(self, log_density: Floats, parameters: Parameters, rows: Ints) -> Forward:
        """Log totals of the histories ``rows``; see :class:`Form`."""
        terms, n_cells = self.terms, len(self.log_area)
        hazards = np.empty((len(terms.times), n_cells))
        log_weight = np.empty((len(rows), n_cells))
        counts = self.counts[rows]
        for block in self.blocks:
            _, log_hazard, _ = self._hazard(block, parameters)
            hazard = np.exp(log_hazard)
            hazards[:, block] = terms.vectors(terms.weights @ hazard)
            log_weight[:, block] = counts @ self._log_slot(log_hazard, hazard)
        total = terms.times @ hazards
        log_weight += (history_terms(self.void, hazards) + (log_density + self.log_area - total))[self.void.group[rows]]
        top = log_weight.max(1, initial=-np.inf, keepdims=True)
        log_total = top[:, 0] + np.log(np.exp(log_weight - top).sum(1))
        return Forward(log_total, total, rows, (hazards, log_weight, parameters))

    def together(self, log_density: Floats, parameters: Parameters, rows: Ints, sets: Sets) -> Together | None:
        """Draws are done one by one."""
        return None

    def _log_slot(self, log_hazard: Floats, hazard: Floats) -> Floats:
        """L_u(x), (U, B)."""
        at = self.terms.slot_station
        if self.terms.detector != "proximity":
            return log_hazard[at]
        log_slot: Floats = log_hazard[at] + log_expm1_ratio(self.terms.slot_effort[:, None] * hazard[at])
        return log_slot

    def _slot_slope(self, hazard: Floats) -> Any:
        """Derivative of L_u with respect to log λ: 1, or Tλ/(1 − exp(−Tλ))."""
        if self.terms.detector != "proximity":
            return 1.0
        expected = self.terms.slot_effort[:, None] * hazard[self.terms.slot_station] + 1e-300
        return -expected / np.expm1(-expected)

    def centres(self, forward: Forward) -> Floats:
        """Pr(cell | history); see :class:`Form`."""
        _, log_weight, _ = forward.state
        centres: Floats = np.exp(log_weight - forward.log_total[:, None])
        return centres

    def backward(self, forward: Forward, weights: Floats, rate: Floats) -> Slopes:
        """Derivatives; see :class:`Form`."""
        terms = self.terms
        hazards, _, parameters = forward.state
        weighted = self.centres(forward) * weights[:, None]
        group = self.void.group[forward.rows]
        by_group = csr_array(
            (np.ones(len(group)), (group, np.arange(len(group)))), shape=(self.void.number, len(group))
        )
        cotangent = terms.sums(void_cotangent(terms, self.void, hazards, by_group @ weighted, rate))
        by_slot = self.counts[forward.rows].T @ weighted
        result = {name: np.zeros(len(terms.stations)) for name in parameters}
        for block in self.blocks:
            d2, log_hazard, columns = self._hazard(block, parameters)
            hazard = np.exp(log_hazard)
            pull = hazard * (terms.weights.T @ cotangent[:, block])
            pull += self.station_of_slot @ (by_slot[:, block] * self._slot_slope(hazard))
            for name, slope in self.detection.log_slopes(d2, **columns).items():
                result[name] += (pull * slope).sum(1)
        return Slopes(weighted.sum(0), result)
