"""The part of a mask whose edge tells of no camera.

A mask made around the stations ends where they are a buffer away: its edge is made of arcs, whose centres are the outer
stations. What is passed on ends at large squares instead, those that lie wholly within reach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.data.mask import Mask

    Floats = NDArray[np.float64]

__all__ = ["coarse_side", "within_reach"]

SQUARES = 12
"""Squares that the longer side of a mask has at most."""
CELLS = 4.0
"""Cells that the side of a square has at least."""
STEPS = 16
"""Places along the side of a square that are looked at."""


def coarse_side(*masks: Mask) -> float:
    """Side in metres of squares by which no station can be found.

    Parameters
    ----------
    *masks
        Masks that are shown together.
    """
    extent = max(float(max(np.ptp(mask.x), np.ptp(mask.y))) for mask in masks)
    return max(extent / SQUARES, CELLS * max(1000.0 * float(np.sqrt(mask.area.max())) for mask in masks))


def within_reach(mask: Mask, stations: Floats, side: float) -> NDArray[np.bool_]:
    """Cells in squares of which no place is farther from the stations than every cell of the mask.

    Parameters
    ----------
    mask
        Cells, J.
    stations
        Places (K, 2), m.
    side
        Side of the squares, m.

    Returns
    -------
    ndarray of bool, (J,)
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(stations)
    places = np.column_stack([mask.x, mask.y])
    reach = float(tree.query(places)[0].max())
    squares, at = np.unique(np.floor(places / side), axis=0, return_inverse=True)
    steps = np.linspace(0.0, 1.0, STEPS)
    inside = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    away = tree.query(((squares[:, None] + inside) * side).reshape(-1, 2))[0].reshape(len(squares), -1)
    kept: NDArray[np.bool_] = (away <= reach).all(axis=1)[at.reshape(-1)]
    return kept
