"""What maps are made of: the ground in metres or kilometres, cells, edges, hatching, scale bar and north."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from numpy.typing import NDArray

from leopardpop.plots.style import INK, SMALL, SOFT, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from leopardpop.data.mask import Mask

__all__ = ["Cells", "Coordinates", "Frame", "cells_of", "draw_edge", "draw_lines", "draw_values", "frame_of", "hatch"]

type Floats = NDArray[np.float64]
type Coordinates = Literal["hidden", "exact"]

MOST_PIXELS = 4_000_000
KILOMETRES_FROM = 3_000.0
"""Extent in metres from which maps are in kilometres."""
STRIP = 0.09
"""Height of the strip under the map for scale bar and north, as a share of the map's height."""
MARGIN = 0.02


# -- where ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Frame:
    """Limits of a map in metres, and the unit that it is drawn in."""

    west: float
    south: float
    east: float
    north: float

    @property
    def unit(self) -> str:
        """Unit of the axes: "km" or "m"."""
        return "km" if max(self.width, self.height) >= KILOMETRES_FROM else "m"

    @property
    def scale(self) -> float:
        """Metres to a unit of the axes."""
        return 1000.0 if self.unit == "km" else 1.0

    @property
    def width(self) -> float:
        """Metres from west to east."""
        return self.east - self.west

    @property
    def height(self) -> float:
        """Metres from south to north."""
        return self.north - self.south

    @property
    def ratio(self) -> float:
        """Height of a map over its width, with margins and the strip for the scale bar."""
        edge = 2 * MARGIN * max(self.width, self.height)
        return (self.height * (1 + STRIP) + edge) / (self.width + edge)

    def grown(self, width: float, height: float) -> Frame:
        """Frame of a wanted size with the same middle."""
        across, up = (width - self.width) / 2, (height - self.height) / 2
        return Frame(self.west - across, self.south - up, self.east + across, self.north + up)

    def points(self, ax: Axes) -> float:
        """Points of type to a unit of the axes, about: the layout is not final before the figure is drawn."""
        width, height = (side * 72 / figure_of(ax).dpi for side in (ax.bbox.width, ax.bbox.height))
        return float(min(width / self.width, height / self.height) * self.scale)

    def place(self, x: Any, y: Any) -> Floats:
        """Coordinates of points on the axes, (n, 2)."""
        return np.column_stack([np.ravel(x), np.ravel(y)]).astype(float) / self.scale

    def apply(self, ax: Axes, coordinates: Coordinates, *, north: bool = True) -> None:
        """Set limits, and either axes with coordinates or a scale bar without them."""
        strip = STRIP * self.height
        edge = MARGIN * max(self.width, self.height)
        ax.set_aspect("equal")
        ax.set_xlim((self.west - edge) / self.scale, (self.east + edge) / self.scale)
        ax.set_ylim((self.south - edge - strip) / self.scale, (self.north + edge) / self.scale)
        self._scale_bar(ax, (self.south - 0.75 * strip) / self.scale)
        if north:
            self._north(ax, (self.south - edge - strip) / self.scale)
        if coordinates == "exact":
            ax.spines[["top", "right"]].set_visible(True)
            ax.ticklabel_format(useOffset=False, style="plain")
            ax.set_xlabel(f"Easting ({self.unit})")
            ax.set_ylabel(f"Northing ({self.unit})")
        else:
            ax.set_axis_off()

    def _scale_bar(self, ax: Axes, y: float) -> None:
        size = nice_length(0.3 * self.width) / self.scale
        left = self.west / self.scale
        tick = 0.12 * STRIP * self.height / self.scale
        for x, low in ((left, y - tick), (left + size, y - tick)):
            ax.plot([x, x], [low, y + tick], color=INK, linewidth=0.9, solid_capstyle="butt")
        ax.plot([left, left + size], [y, y], color=INK, linewidth=0.9, solid_capstyle="butt")
        label = f"{size:g} {self.unit}"
        ax.text(left + size + 2 * tick, y, label, fontsize=SMALL, va="center", ha="left", color=INK)

    def _north(self, ax: Axes, y: float) -> None:
        top = y + 0.98 * STRIP * self.height / self.scale
        x = (self.east - 0.02 * self.width) / self.scale
        arrow = {"arrowstyle": "-|>,head_width=0.18,head_length=0.32", "color": INK, "linewidth": 0.8, "shrinkA": 0}
        ax.annotate("", xy=(x, top), xytext=(x, y), arrowprops={**arrow, "shrinkB": 0})
        offset: dict[str, Any] = {"textcoords": "offset points", "xytext": (-4, 0)}
        ax.annotate("N", xy=(x, (y + top) / 2), ha="right", va="center", fontsize=SMALL, color=INK, **offset)


def frame_of(x: Any, y: Any, pad: float = 0.0) -> Frame:
    """Frame around points, metres, with at least some extent either way."""
    west, east, south, north = np.min(x) - pad, np.max(x) + pad, np.min(y) - pad, np.max(y) + pad
    least = max(0.25 * max(east - west, north - south), 1.0)
    across, up = max(0.0, least - (east - west)) / 2, max(0.0, least - (north - south)) / 2
    return Frame(float(west - across), float(south - up), float(east + across), float(north + up))


def nice_length(metres: float) -> float:
    """Largest of 1, 2 or 5 times a power of ten that is not longer.

    Examples
    --------
    >>> nice_length(27_000.0), nice_length(310.0)
    (20000.0, 200.0)
    """
    power: float = 10.0 ** floor(log10(metres))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= metres * (1 + 1e-9))


# -- cells ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of a mask as squares: on a lattice, or each with its own side."""

    x: Floats
    y: Floats
    side: Floats
    """Side of each square, m, (J,)."""
    column: NDArray[np.intp] | None = None
    """Place on the lattice, (J,); None without one."""
    row: NDArray[np.intp] | None = None

    @property
    def frame(self) -> Frame:
        """Frame around all cells."""
        half = float(self.side.max()) / 2
        return frame_of(self.x, self.y, half)

    def grid(self, values: Any, empty: float = np.nan) -> Floats:
        """Values on the lattice (rows from the south, columns), ``empty`` where there is no cell."""
        if self.column is None or self.row is None:
            return np.empty((0, 0))
        table = np.full((self.row.max() + 1, self.column.max() + 1), empty)
        table[self.row, self.column] = values
        return table

    def squares(self, frame: Frame, chosen: Any = slice(None)) -> Floats:
        """Corners of cells on the axes, (n, 4, 2)."""
        corner = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
        centre = np.column_stack([self.x[chosen], self.y[chosen]])
        return np.asarray((centre[:, None, :] + self.side[chosen][:, None, None] * corner) / frame.scale)


def cells_of(mask: Mask) -> Cells:
    """Cells of a mask; those on a regular lattice are drawn as an image."""
    spacing = mask.spacing
    if spacing is None or mask.n_cells < 2:
        return Cells(mask.x, mask.y, 1000.0 * np.sqrt(mask.area))
    column, row = (np.rint((v - v.min()) / spacing).astype(np.intp) for v in (mask.x, mask.y))
    side = np.full(mask.n_cells, float(spacing))
    if (column.max() + 1) * (row.max() + 1) > MOST_PIXELS:
        return Cells(mask.x, mask.y, side)
    return Cells(mask.x, mask.y, side, column, row)


def draw_values(ax: Axes, cells: Cells, values: Any, frame: Frame, **style: Any) -> Any:
    """Colour each cell by its value; what a colour bar needs is returned."""
    if cells.column is None:
        squares = PolyCollection(list(cells.squares(frame)), array=np.asarray(values, float), linewidth=0, **style)
        return ax.add_collection(squares, autolim=False)
    west, south = (v.min() - cells.side[0] / 2 for v in (cells.x, cells.y))
    table = cells.grid(values)
    east, north = west + cells.side[0] * table.shape[1], south + cells.side[0] * table.shape[0]
    extent = tuple(v / frame.scale for v in (west, east, south, north))
    return ax.imshow(table, extent=extent, origin="lower", interpolation="nearest", **style)


def draw_edge(ax: Axes, cells: Cells, frame: Frame, chosen: Any = None, **style: Any) -> None:
    """Draw the outline of the cells, or of some of them; cells without a lattice have none."""
    if cells.column is None:
        return
    inside = np.ones(len(cells.x)) if chosen is None else np.asarray(chosen, float)
    segments = outline(cells.grid(inside, empty=0.0) > 0)
    origin = np.array([cells.x.min(), cells.y.min()]) - cells.side[0] / 2
    lines = (origin + segments * cells.side[0]) / frame.scale
    ax.add_collection(LineCollection(list(lines), capstyle="projecting", **style), autolim=False)


def outline(table: NDArray[np.bool_]) -> Floats:
    """Sides between cells that are in and cells that are not, in units of the lattice, (n, 2, 2) of (x, y).

    Examples
    --------
    >>> len(outline(np.array([[True, True]])))
    6
    """
    padded = np.pad(table, 1)
    row, column = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    upright = np.stack([np.column_stack([column, row]), np.column_stack([column, row + 1])], axis=1)
    row, column = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    level = np.stack([np.column_stack([column, row]), np.column_stack([column + 1, row])], axis=1)
    return np.concatenate([upright, level]).astype(float)


def hatch(ax: Axes, cells: Cells, frame: Frame, chosen: NDArray[np.bool_], *, color: str = SOFT) -> None:
    """Hatch some of the cells."""
    if chosen.any():
        path = Path.make_compound_path_from_polys(cells.squares(frame, chosen))
        ax.add_patch(PathPatch(path, facecolor="none", edgecolor=color, hatch="/////", linewidth=0))


def draw_lines(ax: Axes, layer: Any, crs: str | None, frame: Frame, **style: Any) -> None:
    """Draw the lines, or the outlines of polygons, of a layer.

    Parameters
    ----------
    ax
        The map.
    layer
        GeoDataFrame, path, shapely geometry, or a list of the latter.
    crs
        System of the map.
    frame
        Frame of the map.
    **style
        Colour, width, dashes.
    """
    lines = [np.asarray(line.coords)[:, :2] / frame.scale for line in _lines_of(_geometries(layer, crs))]
    collection = ax.add_collection(LineCollection(lines, **style), autolim=False)
    corner, size = (frame.west / frame.scale, frame.south / frame.scale), (frame.width, frame.height)
    window = Rectangle(corner, size[0] / frame.scale, size[1] / frame.scale, transform=ax.transData)
    collection.set_clip_path(window)  # the strip of the scale bar stays free


def _geometries(layer: Any, crs: str | None) -> list[Any]:
    if isinstance(layer, list):
        return layer
    from leopardpop.data.space import read_layer

    return list(read_layer(layer, crs, name="border").geometry)


def _lines_of(geometries: Iterable[Any]) -> Iterable[Any]:
    """Plain lines of any geometries."""
    for geometry in geometries:
        if geometry is None or geometry.is_empty:
            continue
        if hasattr(geometry, "geoms"):
            yield from _lines_of(geometry.geoms)
        elif geometry.geom_type == "Polygon":
            yield geometry.exterior
            yield from geometry.interiors
        elif geometry.geom_type in ("LineString", "LinearRing"):
            yield geometry
