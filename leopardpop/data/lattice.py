"""Square lattices of cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leopardpop.errors import DataError

__all__ = ["disc_lattice", "lattice_spacing"]

Floats = NDArray[np.float64]

MOST_CELLS = 2_000_000
"""Larger masks are a mistake of units: a country at 1 km has about half a million cells."""
MOST_PLACES = 50_000_000
"""Lattice points in the rectangle around all stations."""


def disc_lattice(points: Floats, radius: float, spacing: float) -> tuple[Floats, Floats]:
    """Lattice points (i + ½, j + ½) · spacing within `radius` of any of `points`, row by row from the south-west.

    Parameters
    ----------
    points
        (K, 2) in metres.
    radius, spacing
        Metres.

    Returns
    -------
    x, y : (n,) arrays in metres.

    Raises
    ------
    DataError
        If there would be millions of cells.

    Examples
    --------
    >>> x, y = disc_lattice(np.array([[0.0, 0.0]]), 1.0, 1.0)
    >>> list(zip(x.tolist(), y.tolist()))
    [(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)]
    """
    low = np.floor((points.min(axis=0) - radius) / spacing).astype(np.int64)
    high = np.floor((points.max(axis=0) + radius) / spacing).astype(np.int64)
    width, height = (high - low + 1).tolist()
    if width * height > MOST_PLACES or np.pi * (radius / spacing) ** 2 > MOST_CELLS:
        raise _too_many(radius, spacing)
    near = np.zeros((height, width), dtype=bool)
    x, y = ((np.arange(n) + start + 0.5) * spacing for n, start in zip((width, height), low, strict=True))
    for east, north in points:
        columns, rows = (slice(*np.searchsorted(v, [c - radius, c + radius])) for v, c in ((x, east), (y, north)))
        near[rows, columns] |= (x[columns] - east) ** 2 + (y[rows, None] - north) ** 2 <= radius**2
    row, column = np.nonzero(near)
    if len(row) > MOST_CELLS:
        raise _too_many(radius, spacing)
    return x[column], y[row]


def _too_many(radius: float, spacing: float) -> DataError:
    meant = f" (if {spacing:g} km was meant, spacing={1000 * spacing:_g})" if 1000 * spacing <= radius else ""
    return DataError(
        f"buffer={radius:g} m and spacing={spacing:g} m make more than {MOST_CELLS:,} cells. Both are in "
        f"metres{meant}: a spacing of about half of sigma (2,000 for a leopard) is fine enough. Areas far apart: one "
        "mask each."
    )


def lattice_spacing(x: Floats, y: Floats) -> float | None:
    """Spacing of the square lattice that points lie on, or None if they do not.

    Examples
    --------
    >>> lattice_spacing(np.array([0.0, 2.0, 0.0]), np.array([0.0, 0.0, 6.0]))
    2.0
    """
    if len(x) < 2:
        return None
    distance = neighbour_distance(x, y)
    step = float(np.median(distance))
    for values in (x, y):
        index = np.round((values - values.min()) / step)
        span = index.max() or 1.0
        exact = (values.max() - values.min()) / span if index.max() else step  # the whole extent gives it to a rounding
        if np.abs(values - values.min() - index * exact).max() > 1e-3 * step or abs(exact / step - 1) > 1e-3:
            return None
    return step


def neighbour_distance(x: Floats, y: Floats) -> Floats:
    """Distance from each point to its nearest neighbour, (n,)."""
    from scipy.spatial import cKDTree

    points = np.column_stack([x, y])
    return np.asarray(cKDTree(points).query(points, k=2)[0][:, 1], float)
