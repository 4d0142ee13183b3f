"""The land of the synthetic Amur leopard survey: border, habitat, elevation, snow, density and stations.

The outlines are facts of geography (the border simplified to about 2 km, the habitat drawn by hand); elevation and snow
are smooth inventions, and no station is a real one. Lengths are kilometres from a local origin in UTM zone 52N unless a
name says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.layers import Surface
from leopardpop.data.projections import project
from leopardpop.data.space import cells_in

__all__ = ["CRS", "Layers", "amur_layers", "mask_cells", "relative_density", "station_lattice", "to_metres"]

Floats = NDArray[np.float64]

CRS = "EPSG:32652"
ORIGIN = np.array([610.0, 4680.0])
CELL = 2.0
"""Side of the cells in which activity centres are drawn."""

SNOW_EFFECT = -0.45
"""Change of log density per 6 cm of snow."""
CHINA_EFFECT = -0.035
"""Change of log density per kilometre into China."""

# Longitude and latitude of the border between Russia and China, from the mouth of the Tumen northwards.
BORDER = (
    *((130.691, 42.296), (130.560, 42.501), (130.618, 42.579), (130.605, 42.620), (130.539, 42.682), (130.459, 42.680)),
    *((130.405, 42.718), (130.638, 42.832), (130.771, 42.832), (130.819, 42.876), (131.015, 42.855), (131.046, 42.902)),
    *((131.123, 42.911), (131.105, 43.036), (131.211, 43.127), (131.191, 43.197), (131.261, 43.264), (131.311, 43.392)),
    *((131.304, 43.456), (131.189, 43.537), (131.221, 43.595), (131.199, 43.819), (131.246, 43.918), (131.247, 44.027)),
)

# Longitude and latitude of the outline of the habitat, anticlockwise from the south.
HABITAT = (
    *((130.64, 42.42), (130.78, 42.57), (130.92, 42.63), (131.08, 42.70), (131.20, 42.68), (131.30, 42.82)),
    *((131.38, 42.90), (131.48, 43.00), (131.55, 43.08), (131.66, 43.20), (131.72, 43.33), (131.80, 43.45)),
    *((131.74, 43.62), (131.62, 43.78), (131.40, 43.88), (131.24, 43.92), (131.02, 43.80), (130.84, 43.64)),
    *((130.66, 43.52), (130.62, 43.36), (130.68, 43.22), (130.76, 43.10), (130.78, 42.98), (130.78, 42.88)),
    *((130.60, 42.85), (130.48, 42.76), (130.48, 42.70), (130.56, 42.66), (130.60, 42.60), (130.55, 42.50)),
)


def to_metres(points: Floats) -> Floats:
    """Local kilometres, (n, 2), to metres of the projection."""
    metres: Floats = 1000.0 * (points + ORIGIN)
    return metres


def _to_km(degrees: tuple[tuple[float, float], ...]) -> Floats:
    longitude, latitude = np.array(degrees).T
    x, y = project(longitude, latitude, "EPSG:4326", CRS)
    return np.column_stack([x / 1000 - ORIGIN[0], y / 1000 - ORIGIN[1]])


@cache
def _border() -> Floats:
    return _to_km(BORDER)


@cache
def _habitat() -> Floats:
    return _to_km(HABITAT)


@cache
def _habitat_polygon() -> Any:
    import shapely

    return shapely.Polygon(_habitat())


def _inside(points: Floats) -> Floats:
    kept: Floats = points[cells_in(_habitat_polygon(), points[:, 0], points[:, 1])]
    return kept


def _east_of_border(points: Floats) -> Floats:
    """Kilometres east of the border, (n,): negative in China."""
    border = _border()[np.argsort(_border()[:, 1])]
    east: Floats = points[:, 0] - np.interp(points[:, 1], border[:, 1], border[:, 0])
    return east


def _distance_to_border(points: Floats) -> Floats:
    distance = np.full(len(points), np.inf)
    for start, end in zip(_border()[:-1], _border()[1:], strict=True):
        along = end - start
        share = np.clip(((points - start) @ along) / (along @ along), 0, 1)
        distance = np.minimum(distance, np.hypot(*(points - start - share[:, None] * along).T))
    return distance


def _in_china(points: Floats) -> NDArray[np.bool_]:
    return np.asarray(_east_of_border(points) < 0)


def _into_china(points: Floats) -> Floats:
    """Distance to the border in kilometres, positive in China, negative in Russia."""
    distance = _distance_to_border(points)
    return np.where(_in_china(points), distance, -distance)


def _elevation(points: Floats) -> Floats:
    """Metres: a low coast, a ridge along the border, mountains in the north-west."""
    east = _east_of_border(points)
    north = np.clip(points[:, 1] / 170, 0, 1)
    ridge = (180 + 420 * north) * np.exp(-((east / 18) ** 2))
    mountains = 700 * north / (1 + np.exp((east + 28) / 7))
    return np.asarray(40 + ridge + mountains)


def _snow(points: Floats) -> Floats:
    """Centimetres: more in the north, uphill and inland."""
    inland = np.clip(-_east_of_border(points), 0, None)
    return np.asarray(4 + 0.010 * _elevation(points) + 0.09 * np.clip(points[:, 1], 0, None) + 0.06 * inland)


def relative_density(points: Floats) -> Floats:
    """Density of activity centres, up to a constant, (n,)."""
    snow = (_snow(points) - 15) / 6
    return np.asarray(np.exp(SNOW_EFFECT * snow + CHINA_EFFECT * np.clip(_into_china(points), 0, None)))


def _lattice(spacing: float) -> Floats:
    """Points of the habitat on a square lattice that starts at its south-western corner, row by row."""
    low, high = _habitat().min(axis=0), _habitat().max(axis=0)
    x, y = (np.arange(a + spacing / 2, b, spacing) for a, b in zip(low, high, strict=True))
    return _inside(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))


@cache
def mask_cells() -> Floats:
    """Centres of the 2 km cells in which animals are placed, (n, 2)."""
    return _lattice(CELL)


@cache
def station_lattice() -> tuple[Floats, tuple[str, ...]]:
    """Places of the 120 stations, (120, 2), and the block that each is in.

    A lattice of 5 km, thinned to three blocks: Land of the Leopard in Russia, Hunchun along the border, Wangqing.
    """
    lattice = _lattice(5.0)
    china, to_border = _in_china(lattice), _distance_to_border(lattice)
    y = lattice[:, 1]
    core, hunchun, wangqing = _to_km(((131.30, 43.10), (130.95, 43.0), (130.82, 43.40)))
    blocks = {
        "LLNP": _nearest(lattice[~china & (y > 20) & (y < 150)], core, 78),
        "Hunchun": _nearest(lattice[china & (to_border < 16) & (y < 125)], hunchun, 26),
        "Wangqing": lattice[china & (np.hypot(*(lattice - wangqing).T) < 14)][:16],
    }
    names = tuple(name for name, places in blocks.items() for _ in places)
    return np.vstack(list(blocks.values())), names


def _nearest(points: Floats, centre: Floats, n: int) -> Floats:
    """Take the n points nearest a centre, distances north and south counting 0.6."""
    return np.asarray(points[np.argsort(np.hypot(*((points - centre) * [1, 0.6]).T))][:n])


class Layers(Mapping[str, Any]):
    """Layers by name, each made when it is first asked for.

    Parameters
    ----------
    makers
        Name -> function without arguments that makes the layer.

    Examples
    --------
    >>> layers = Layers({"flat": lambda: 0})
    >>> list(layers), layers["flat"]
    (['flat'], 0)
    """

    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers = dict(makers)
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __repr__(self) -> str:
        return f"Layers: {', '.join(self)}"


@dataclass(frozen=True)
class _InMetres:
    """A function of local kilometres, (n, 2), as one of x and y in metres: an object, so that it can be pickled."""

    function: Callable[[Floats], NDArray[Any]]

    def __call__(self, x: Floats, y: Floats) -> NDArray[Any]:
        points = np.column_stack([np.ravel(x), np.ravel(y)]) / 1000 - ORIGIN
        return self.function(points).reshape(np.shape(x))


def _surface(function: Callable[[Floats], NDArray[Any]], units: str) -> Callable[[], Surface]:
    return partial(Surface, _InMetres(function), CRS, units)


def _china(points: Floats) -> NDArray[np.int64]:
    return _in_china(points).astype(np.int64)


def _habitat_layer() -> Any:
    import geopandas
    import shapely

    return geopandas.GeoDataFrame({"name": ["habitat"]}, geometry=[shapely.Polygon(to_metres(_habitat()))], crs=CRS)


def _border_layer() -> Any:
    import geopandas
    import shapely

    return geopandas.GeoDataFrame({"name": ["border"]}, geometry=[shapely.LineString(to_metres(_border()))], crs=CRS)


def amur_layers() -> Layers:
    """Layers of the example: habitat and border as GeoDataFrames, the others as functions of x and y in metres."""
    return Layers(
        {
            "habitat": _habitat_layer,
            "border": _border_layer,
            "snow": _surface(_snow, "cm"),
            "elevation": _surface(_elevation, "m"),
            "border_distance": _surface(_into_china, "km"),
            "china": _surface(_china, ""),
        }
    )
