r"""Sums over the ways to pair two lists: which left-flank identity is the same animal as which right-flank one.

With weights R (L, R), :math:`Z = \sum_m \prod_{(l, r) \in m} R_{lr}` over all partial matchings m, the empty one
included. Z is a product over the connected components of the weights that matter, each summed exactly: the lists of the
longer side are taken one by one, for every subset of the shorter one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from leopardpop.errors import ModelError

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["Component", "Matchings", "sum_matchings"]

NEGLIGIBLE = 1e-8
"""Weights up to it count as none."""
LARGEST = 18
"""Identities on the shorter side of a component that are summed exactly."""
TOLERANCE = 1e-3
"""Largest error of log Z for which weights are left out to make components smaller."""


class Component(NamedTuple):
    """Identities that may be paired with each other, and the sums over what the last of them can do."""

    rows: Ints
    """Positions on the longer side, (b,)."""
    columns: Ints
    """Positions on the shorter side, (a,)."""
    flipped: bool
    """Whether the rows are right-flank identities."""
    weights: Floats
    """R between them, (b, a)."""
    rest: Floats
    """Sum over the matchings of rows t, t + 1 ... with the columns outside the subset, (b + 1, 2^a)."""

    @property
    def log_sum(self) -> float:
        """log Z of the component."""
        return float(np.log(self.rest[0, 0]))

    def probability(self) -> Floats:
        """Pr(row ~ column), (b, a)."""
        result = np.zeros_like(self.weights)
        before = np.zeros(self.rest.shape[1])
        before[0] = 1.0
        for t in range(len(self.rows)):
            after = before.copy()
            for j, weight in enumerate(self.weights[t]):
                if weight > 0.0:
                    step = weight * _without(before, j)
                    result[t, j] = (step * _with(self.rest[t + 1], j)).sum()
                    _with(after, j)[:] += step
            before = after
        result /= self.rest[0, 0]
        return result

    def draw(self, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
        """Draw one matching: pairs of positions (left, right)."""
        taken = 0
        for t, row in enumerate(self.rows):
            free = [j for j in range(len(self.columns)) if not taken >> j & 1]
            chances = [self.weights[t, j] * self.rest[t + 1, taken | 1 << j] for j in free]
            at = np.searchsorted(np.cumsum(chances), rng.random() * self.rest[t, taken], side="right")
            if at < len(free):
                taken |= 1 << free[at]
                pair = int(row), int(self.columns[free[at]])
                yield pair[::-1] if self.flipped else pair


class Matchings(NamedTuple):
    """All matchings of two lists, summed."""

    shape: tuple[int, int]
    components: list[Component]

    @property
    def log_sum(self) -> float:
        """log Z."""
        return sum(component.log_sum for component in self.components)

    def probability(self) -> Floats:
        """Pr(l ~ r) = R_lr Z without l and r / Z, (L, R): also the derivative of log Z by log R."""
        result = np.zeros(self.shape)
        for each in self.components:
            found = each.probability()
            rows, columns, table = (each.columns, each.rows, found.T) if each.flipped else (*each[:2], found)
            result[np.ix_(rows, columns)] = table
        return result

    def draw(self, rng: np.random.Generator) -> list[tuple[int, int]]:
        """Draw one matching: pairs (left, right)."""
        return [pair for component in self.components for pair in component.draw(rng)]


def sum_matchings(weights: Floats) -> Matchings:
    """Sum over all partial matchings of two lists.

    Where a component has more than 18 identities on both sides, its smallest weights are left out as long as log Z
    changes by less than 0.001 in all.

    Parameters
    ----------
    weights
        R, (L, R), not negative; 0 where two identities cannot be one animal.

    Returns
    -------
    Matchings
        ``log_sum``, ``probability()`` and ``draw(rng)``.

    Raises
    ------
    ModelError
        If that is not possible.

    Examples
    --------
    >>> found = sum_matchings(np.array([[2.0, 1.0], [0.0, 3.0]]))  # 1 + 2 + 1 + 3 + 2·3
    >>> round(float(np.exp(found.log_sum)), 9)
    13.0
    >>> found.probability().round(4).tolist()
    [[0.6154, 0.0769], [0.0, 0.6923]]
    """
    cut = NEGLIGIBLE
    while True:
        kept = np.where(weights > cut, weights, 0.0)
        members = _components(kept)
        largest = max((min(len(rows), len(columns)) for rows, columns in members), default=0)
        if largest <= LARGEST:
            return Matchings((weights.shape[0], weights.shape[1]), [_component(kept, *each) for each in members])
        cut *= 4.0
        # Every matching is one of kept pairs and one of dropped pairs, so this bounds the change of log Z.
        if np.log1p(weights[weights <= cut]).sum() > TOLERANCE:
            raise ModelError(
                f"{largest} left-flank identities may be any of {largest} right-flank ones or more, and all at once: "
                f"such sums are exact up to {LARGEST}. Fit one flank (flank='left'), or a part of the area at a time."
            )


def _components(weights: Floats) -> list[tuple[Ints, Ints]]:
    """Rows and columns of each connected component that has a pair."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_left, n = weights.shape[0], sum(weights.shape)
    left, right = np.nonzero(weights)
    graph = coo_array((np.ones(len(left)), (left, right + n_left)), shape=(n, n))
    label = connected_components(graph, directed=False)[1]
    paired = np.unique(label[left])
    return [
        (np.flatnonzero(label[:n_left] == which), np.flatnonzero(label[n_left:] == which)) for which in paired.tolist()
    ]


def _component(weights: Floats, rows: Ints, columns: Ints) -> Component:
    flipped = len(columns) > len(rows)
    table = weights[np.ix_(rows, columns)]
    if flipped:
        rows, columns, table = columns, rows, table.T
    rest = np.empty((len(rows) + 1, 1 << len(columns)))
    rest[-1] = 1.0
    for t in range(len(rows) - 1, -1, -1):
        rest[t] = rest[t + 1]
        for j in np.flatnonzero(table[t]):
            _without(rest[t], int(j))[:] += table[t, j] * _with(rest[t + 1], int(j))
    return Component(rows, columns, flipped, np.ascontiguousarray(table), rest)


def _without(by_subset: Floats, j: int) -> Floats:
    """Entries of the subsets without j: a view."""
    return by_subset.reshape(-1, 2, 1 << j)[:, 0]


def _with(by_subset: Floats, j: int) -> Floats:
    """Entries of the same subsets with j added."""
    return by_subset.reshape(-1, 2, 1 << j)[:, 1]
