"""Polygons and places: thin helpers over shapely and geopandas.

The libraries load inside the functions that need them, so that importing leopardpop stays light.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leopardpop.data.projections import crs_text, is_geographic, project, same_crs, say_projected, utm_crs
from leopardpop.errors import DataError

if TYPE_CHECKING:
    import geopandas
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "cells_in",
    "hull",
    "nearest_point",
    "open_layer",
    "project",
    "read_layer",
    "read_polygon",
    "regions",
    "utm_crs",
]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


def read_layer(source: Any, to_crs: Any = None, *, name: str = "layer") -> geopandas.GeoDataFrame:
    """Read a layer of polygons, in the wanted coordinate reference system.

    Parameters
    ----------
    source
        Path of any vector file, GeoDataFrame, GeoSeries or shapely geometry; one without a system is taken to be in
        `to_crs`.
    to_crs
        The system wanted; None keeps that of `source`.
    name
        What messages call the layer.

    Returns
    -------
    geopandas.GeoDataFrame

    Raises
    ------
    DataError
        If it cannot be read, or it is in degrees and `to_crs` is unknown.

    Warns
    -----
    ProjectionWarning
        If it was projected.
    """
    layer = open_layer(source)
    if layer.crs is None:
        return layer
    if to_crs is None:
        return _unprojected(layer, name)
    if same_crs(layer.crs, to_crs):
        return layer
    say_projected(name, layer.crs, to_crs)
    return layer.to_crs(to_crs)


def open_layer(source: Any) -> geopandas.GeoDataFrame:
    """Read a layer of any geometry as it is, in its own coordinate reference system."""
    import geopandas
    from shapely.geometry.base import BaseGeometry

    if isinstance(source, geopandas.GeoDataFrame):
        return source
    if isinstance(source, geopandas.GeoSeries):
        return geopandas.GeoDataFrame(geometry=source)
    if isinstance(source, BaseGeometry):
        return geopandas.GeoDataFrame(geometry=[source])
    if isinstance(source, str | PathLike):
        return _read_file(Path(source))
    raise DataError(
        f"A {type(source).__name__} is no layer. Give the path of a vector file, a GeoDataFrame or a shapely polygon."
    )


def _read_file(path: Path) -> geopandas.GeoDataFrame:
    import geopandas

    if not path.exists():
        raise DataError(f"The file {path} does not exist.", offenders=[str(path)])
    try:
        layer = geopandas.read_file(path)
    except Exception as error:  # the reader's own class depends on which library GeoPandas found
        raise DataError(f"{path} cannot be read as a vector file: {error}", offenders=[str(path)]) from error
    if not isinstance(layer, geopandas.GeoDataFrame):
        raise DataError(f"{path} holds a table without geometry. Give a layer of polygons.", offenders=[str(path)])
    return layer


def read_polygon(source: Any, to_crs: Any = None, *, name: str = "habitat") -> BaseGeometry:
    """Read polygons as one geometry, in the wanted coordinate reference system.

    Parameters
    ----------
    source
        Path of a vector file, GeoDataFrame or shapely geometry (taken to be in `to_crs`).
    to_crs
        The system wanted; None keeps that of `source`.
    name
        What messages call the polygon.

    Returns
    -------
    shapely geometry
        A polygon or multipolygon, made valid.

    Raises
    ------
    DataError
        If there is no polygon in it, or it is in degrees and `to_crs` is unknown.

    Warns
    -----
    ProjectionWarning
        If it was projected.
    """
    import shapely

    layer = read_layer(source, to_crs, name=name)
    geometry = shapely.union_all(shapely.make_valid(layer.geometry.dropna().to_numpy()))
    return _polygonal(geometry, name)


def _polygonal(geometry: BaseGeometry, name: str) -> BaseGeometry:
    """Keep the polygons of a geometry: make_valid may leave stray lines and points."""
    import shapely

    parts = shapely.get_parts(geometry)
    parts = shapely.get_parts(parts) if len(parts) and (shapely.get_type_id(parts) == 7).any() else parts
    polygons = [part for part in parts if part.area > 0]
    if not polygons:
        raise DataError(f"The {name} holds no polygon (found: {geometry.geom_type}). Give the outline as polygons.")
    return polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)


def _unprojected(layer: geopandas.GeoDataFrame, name: str) -> geopandas.GeoDataFrame:
    if is_geographic(layer.crs):
        raise DataError(
            f"The {name} is in degrees ({crs_text(layer.crs)}), and the coordinate reference system of the stations is "
            'unknown. Say what the stations are in: crs="EPSG:32652", for example.'
        )
    return layer


def regions(source: Any, *, by: str | None = None, to_crs: Any = None) -> dict[str, BaseGeometry]:
    """Read named regions.

    Parameters
    ----------
    source
        Path of a vector file, GeoDataFrame, shapely geometry, or a mapping from name to geometry.
    by
        Column of names; rows with the same name are one region. None: all is one region, "region".
    to_crs
        Coordinate reference system wanted.

    Returns
    -------
    dict
        Name -> polygon, in the order of first appearance.

    Raises
    ------
    DataError
        If `by` is not a column.

    Examples
    --------
    >>> import shapely
    >>> list(regions({"north": shapely.box(0, 1, 1, 2), "south": shapely.box(0, 0, 1, 1)}))
    ['north', 'south']
    """
    if isinstance(source, dict):
        return {str(name): read_polygon(part, to_crs, name=f"region {name!r}") for name, part in source.items()}
    if by is None:
        return {"region": read_polygon(source, to_crs, name="region")}
    layer = read_layer(source, to_crs, name="region")
    if by not in layer.columns:
        columns = ", ".join(map(str, layer.columns.drop(layer.geometry.name)))
        raise DataError(f"The regions have no column {by!r}. Columns: {columns or 'none'}.", offenders=[by])
    names = layer[by].astype(str)
    return {name: read_polygon(layer[names == name], name=f"region {name!r}") for name in names.unique()}


def cells_in(geometry: BaseGeometry, x: ArrayLike, y: ArrayLike) -> Booleans:
    """Which points lie inside a polygon (a point on its edge does not).

    Parameters
    ----------
    geometry
        Polygon, in the system of the points.
    x, y
        Coordinates, (n,).

    Returns
    -------
    (n,) bool array

    Examples
    --------
    >>> import shapely
    >>> cells_in(shapely.box(0, 0, 1, 1), [0.5, 2.0], [0.5, 0.5]).tolist()
    [True, False]
    """
    import shapely

    shapely.prepare(geometry)
    inside: Booleans = shapely.contains_xy(geometry, np.asarray(x, float), np.asarray(y, float))
    return inside


def hull(x: ArrayLike, y: ArrayLike) -> BaseGeometry:
    """Convex hull of points: a polygon, or a line or point if they do not span one.

    Examples
    --------
    >>> hull([0, 2, 2, 0, 1], [0, 0, 2, 2, 1]).area
    4.0
    """
    import shapely

    return shapely.MultiPoint(np.column_stack([x, y])).convex_hull


def nearest_point(x: ArrayLike, y: ArrayLike, points: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    """Distance from each of `points` (m, 2) to the nearest of (x, y), and which one it is."""
    from scipy.spatial import cKDTree

    distance, index = cKDTree(np.column_stack([x, y])).query(np.asarray(points, float).reshape(-1, 2))
    return np.asarray(distance, float), np.asarray(index, np.intp)
