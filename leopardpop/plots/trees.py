"""The shortest tree that joins the stations of an animal: its lines on the map, its spatial recaptures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays

__all__ = ["animal_stations", "shortest_tree", "spatial_recaptures"]


def animal_stations(data: SessionArrays) -> list[NDArray[np.intp]]:
    """Stations at which each animal was detected, in order of their index."""
    return [np.unique(data.station[data.individual == i]) for i in range(len(data.individuals))]


def shortest_tree(xy: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs of points that are joined so that all are connected and the total length is least (Prim's method).

    Parameters
    ----------
    xy
        Points (n, 2).

    Returns
    -------
    list of tuple
        n − 1 pairs of indices.

    Examples
    --------
    >>> shortest_tree(np.array([[0.0, 0.0], [5.0, 0.0], [1.0, 0.0]]))
    [(0, 2), (2, 1)]
    """
    n = len(xy)
    near, distance = np.zeros(n, np.intp), np.full(n, np.inf)
    left, latest, edges = np.ones(n, bool), 0, []
    for _ in range(n - 1):
        left[latest] = False
        new = np.hypot(*(xy - xy[latest]).T)
        closer = left & (new < distance)
        near[closer], distance[closer] = latest, new[closer]
        latest = int(np.argmin(np.where(left, distance, np.inf)))
        edges.append((int(near[latest]), latest))
    return edges


def spatial_recaptures(data: SessionArrays) -> list[NDArray[np.float64]]:
    """Lengths of each animal's tree, metres: as many as it has stations beside its first.

    Parameters
    ----------
    data
        A session.

    Returns
    -------
    list of (k,) arrays
        One an animal.
    """
    lengths = []
    for stations in animal_stations(data):
        xy = data.xy[stations]
        lengths.append(np.array([np.hypot(*(xy[a] - xy[b])) for a, b in shortest_tree(xy)], float))
    return lengths
