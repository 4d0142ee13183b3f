"""Square lattices of cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leopardpop.errors import DataError

__all__ = ["disc_lattice", "lattice_spacing"]

Floats = NDArray[np.float64]

MOST_CELLS = 2_000_000
"""Larger masks are a mistake of units: a country at 1 km has about half a million cells."""


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
    reach = int(np.ceil(radius / spacing)) + 1
    base = np.unique(np.floor(points / spacing).astype(np.int64), axis=0)
    if len(base) * reach**2 > 50 * MOST_CELLS:
        raise _too_many(radius, spacing)
    low = base.min(axis=0) - reach
    width = int(base[:, 0].max() - low[0]) + reach + 1
    codes = np.unique(np.concatenate([_disc(point, radius, spacing, reach, low, width) for point in points]))
    if len(codes) > MOST_CELLS:
        raise _too_many(radius, spacing)
    return (codes % width + low[0] + 0.5) * spacing, (codes // width + low[1] + 0.5) * spacing


def _disc(
    point: Floats, radius: float, spacing: float, reach: int, low: NDArray[np.int64], width: int
) -> NDArray[np.int64]:
    """Codes (row · width + column) of the lattice points within `radius` of one point."""
    steps = np.arange(-reach, reach + 1)
    column, row = np.floor(point[:, None] / spacing).astype(np.int64) + steps
    dx2, dy2 = (((index + 0.5) * spacing - centre) ** 2 for index, centre in zip((column, row), point, strict=True))
    j, i = np.nonzero(dy2[:, None] + dx2 <= radius**2)
    codes: NDArray[np.int64] = (row[j] - low[1]) * width + (column[i] - low[0])
    return codes


def _too_many(radius: float, spacing: float) -> DataError:
    return DataError(
        f"buffer={radius:g} m and spacing={spacing:g} m make more than {MOST_CELLS:,} cells. Both are in metres: "
        "a spacing of about half of sigma (2,000 for a leopard) is fine enough."
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
