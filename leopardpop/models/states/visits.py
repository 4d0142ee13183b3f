"""What was seen on visits, reduced to what the likelihood needs: counts of responses by cell and kind of visit.

A *cell* is a site in a season, numbered season by season. Visits of a cell that have the same covariates and the same
response differ in nothing, so that they are one row with a count. No binomial coefficient comes of it: the data are
the visits as supplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leopardpop.models.states.structure import IMPOSSIBLE, Outcome

__all__ = ["VisitTerms", "visit_terms"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class VisitTerms:
    """Rows of visits, by cell."""

    shape: tuple[int, int]
    """Seasons and sites."""
    n_kinds: int
    """Kinds of visits, G: distinct rows of the designs of detection."""
    slot: Ints
    """response x G + kind of each row, (R,)."""
    count: Floats
    """Number of visits of each row, (R,)."""
    cell: Ints
    """Cells with a visit, in order, (C,)."""
    start: Ints
    """First row of each of these cells, (C,)."""
    row_cell: Ints
    """Cell of each row, (R,)."""
    barrier: Floats
    """0, or a very low number where a response is impossible, by state, (K, T, N)."""

    def emission(self, state: int, table: Floats) -> Floats:
        """log Pr(visits | state), (..., T, N), of log Pr(response | state) by response and kind, (..., Y G)."""
        rows = table[..., self.slot] * self.count
        sums = rows if len(self.start) == len(self.slot) else np.add.reduceat(rows, self.start, axis=-1)
        if len(self.cell) < self.shape[0] * self.shape[1]:
            full = np.zeros((*table.shape[:-1], self.shape[0] * self.shape[1]))
            full[..., self.cell] = sums
            sums = full
        result: Floats = sums.reshape(*table.shape[:-1], *self.shape) + self.barrier[state]
        return result

    def gather(self, probability: Floats, n_responses: int) -> Floats:
        """Σ over visits of Pr(state), (T, N), by response and kind, (Y, G): the transpose of :meth:`emission`."""
        weights = probability.reshape(-1)[self.row_cell] * self.count
        return np.bincount(self.slot, weights, n_responses * self.n_kinds).reshape(n_responses, self.n_kinds)


def visit_terms(
    *,
    cell: Ints,
    kind: Ints,
    value: NDArray[np.integer],
    shape: tuple[int, int],
    outcomes: Sequence[Sequence[Outcome]],
    n_kinds: int,
) -> VisitTerms:
    """Count visits that are alike.

    Parameters
    ----------
    cell
        Season x N + site of each visit, (V,).
    kind
        Kind of each visit, (V,).
    value
        Response of each visit, (V,).
    shape
        Seasons and sites.
    outcomes
        Which responses are possible in which state.
    n_kinds
        Number of kinds.
    """
    n_responses, n_states = len(outcomes), len(outcomes[0])
    code = (cell.astype(np.int64) * n_responses + value) * n_kinds + kind
    distinct, count = np.unique(code, return_counts=True)
    row_cell = (distinct // (n_responses * n_kinds)).astype(np.intp)
    cells, start = np.unique(row_cell, return_index=True)
    barrier = np.zeros((n_states, shape[0] * shape[1]))
    for response, by_state in enumerate(outcomes):
        for state, factors in enumerate(by_state):
            if factors is None:
                barrier[state, cell[value == response]] = IMPOSSIBLE
    return VisitTerms(
        shape=shape,
        n_kinds=n_kinds,
        slot=(distinct % (n_responses * n_kinds)).astype(np.intp),
        count=count.astype(float),
        cell=cells.astype(np.intp),
        start=start.astype(np.intp),
        row_cell=row_cell,
        barrier=barrier.reshape(n_states, *shape),
    )
