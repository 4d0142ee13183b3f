# mypy: disable-error-code="no-untyped-def, untyped-decorator"
"""What a straight line costs on a lattice of resistances, exactly, cell by cell; compiled at its first call."""

from __future__ import annotations

import numba as nb
import numpy as np

__all__ = ["line_costs"]

CORNER = 1e-9


@nb.njit(cache=True, nogil=True)
def line_costs(resistance, start, end, costs):
    """Integral of the resistance along segments.

    Parameters
    ----------
    resistance
        (X, Y), inf where nothing can go; cell (i, j) reaches from i - ½ to i + ½ and from j - ½ to j + ½.
    start, end
        Ends of the segments in cells, (M, 2).
    costs
        Result in cells, (M,): inf where a segment meets a cell that cannot be entered, leaves the lattice or slips
        between two such cells that touch at a corner.
    """
    for m in range(len(costs)):
        costs[m] = _line_cost(resistance, start[m, 0], start[m, 1], end[m, 0], end[m, 1])


@nb.njit(cache=True, nogil=True)
def _line_cost(resistance, x, y, to_x, to_y):
    n_x, n_y = resistance.shape
    i, j = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
    dx, dy = to_x - x, to_y - y
    length = np.hypot(dx, dy)
    step_i, step_j = (1 if dx > 0 else -1), (1 if dy > 0 else -1)
    # Share of the segment at which it leaves the cell through its sides along x and along y.
    next_x = (i + 0.5 * step_i - x) / dx if dx != 0.0 else np.inf
    next_y = (j + 0.5 * step_j - y) / dy if dy != 0.0 else np.inf
    cost, done = 0.0, 0.0
    while True:
        if i < 0 or j < 0 or i >= n_x or j >= n_y or np.isinf(resistance[i, j]):
            return np.inf
        until = min(next_x, next_y, 1.0)
        cost += (until - done) * length * resistance[i, j]
        done = until
        if done >= 1.0 - CORNER:
            return cost
        through_x, through_y = next_x <= until + CORNER, next_y <= until + CORNER
        if through_x and through_y:
            beside_x = 0 <= i + step_i < n_x and not np.isinf(resistance[i + step_i, j])
            beside_y = 0 <= j + step_j < n_y and not np.isinf(resistance[i, j + step_j])
            if not (beside_x or beside_y):
                return np.inf
        if through_x:
            i += step_i
            next_x += 1.0 / abs(dx)
        if through_y:
            j += step_j
            next_y += 1.0 / abs(dy)
