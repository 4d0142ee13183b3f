"""Which sites share random effects: clusters that, given everything else, are independent of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leopardpop.models.spatial_effects import SpatialEffect

if TYPE_CHECKING:
    from leopardpop.models.states.problem import OccupancyProblem

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Clusters", "find_clusters", "sites_of"]

MOST_TOGETHER = 3
"""Deviations of one cluster that are integrated together; more are left to the engine."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """Deviations and sites by cluster."""

    place: Ints
    """Where the deviations of each cluster are in theta, (C, d)."""
    order: Ints
    """Sites with a random effect, one cluster after the other."""
    start: Ints
    """First of the sites of each cluster, (C,)."""
    alone: Ints
    """Sites without a random effect."""

    def sums(self, log_site: Floats) -> Floats:
        """Sum over the sites of each cluster, (..., C), of values (..., N)."""
        result: Floats = np.add.reduceat(log_site[..., self.order], self.start, axis=-1)
        return result


def find_clusters(problem: OccupancyProblem) -> Clusters | None:
    """Clusters of a problem with random effects.

    Returns
    -------
    Clusters or None
        None if a cluster has more deviations than can be integrated together, or another number than the others: as
        where groups cross, ``(1 | block) + (1 | season)``, or lie within each other.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if any(isinstance(each, SpatialEffect) for each in problem.layout.effects):
        return None  # a surface binds all sites together
    first = problem.layout.effects[0].place.start
    sites, deviations = _pairs(problem)
    n_sites, n = problem.n_sites, problem.layout.size - first
    links = coo_matrix((np.ones(len(sites)), (deviations - first, n + sites)), shape=(n + n_sites, n + n_sites))
    part = connected_components(links, directed=False)[1]
    sizes = np.bincount(part[:n])
    if sizes.max() > MOST_TOGETHER or len(set(sizes[sizes > 0].tolist())) > 1:
        return None
    place = np.argsort(part[:n], kind="stable").reshape(-1, sizes.max()) + first
    cluster = np.full(part.max() + 1, -1, np.intp)
    cluster[part[place[:, 0] - first]] = np.arange(len(place))
    of_site = cluster[part[n:]]
    order = np.argsort(of_site, kind="stable")[(of_site < 0).sum() :]
    start = np.searchsorted(of_site[order], np.arange(len(place)))
    return Clusters(place.astype(np.intp), order.astype(np.intp), start.astype(np.intp), np.flatnonzero(of_site < 0))


def sites_of(problem: OccupancyProblem, parameter: str, rows: int) -> Ints:
    """Site of each row of the table that a design of a parameter was built on."""
    at_visits = problem.structure.homes[parameter] == "visit"
    return problem.arrays.site if at_visits else np.arange(rows) % problem.n_sites


def _pairs(problem: OccupancyProblem) -> tuple[Ints, Ints]:
    """Sites, and the deviations that matter for them."""
    pairs = []
    for each in problem.layout.effects:
        site = sites_of(problem, each.parameter, len(each.design.level))
        pairs.append(np.stack([site, each.place.start + each.design.level]))
    found = np.unique(np.concatenate(pairs, axis=1), axis=1)
    return found[0].astype(np.intp), found[1].astype(np.intp)
