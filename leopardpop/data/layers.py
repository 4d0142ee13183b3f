"""Values of a covariate at points: from a function, an array, a raster or a layer of polygons."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.notices import notice
from leopardpop.data.projections import crs_text, is_geographic, project, same_crs, say_projected
from leopardpop.data.space import read_layer
from leopardpop.errors import DataError, DataWarning, ModelError

if TYPE_CHECKING:
    import geopandas

__all__ = ["Surface", "sample"]

Floats = NDArray[np.float64]

VECTOR_SUFFIXES = frozenset({".fgb", ".geojson", ".gml", ".gpkg", ".json", ".kml", ".shp", ".zip"})


class _Function(Protocol):
    def __call__(self, x: Floats, y: Floats) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Surface:
    """A function of place that knows its coordinate reference system.

    Parameters
    ----------
    function
        Takes x and y, (n,) arrays in the units of `crs`, and returns (n,) values.
    crs
        System of x and y, as text.
    units
        Unit of the values.

    Examples
    --------
    >>> height = Surface(lambda x, y: 0.01 * x + 0 * y, "EPSG:32652", "m")
    >>> height([500_000.0], [0.0]).tolist()
    [5000.0]
    """

    function: _Function
    crs: str
    units: str = ""

    def __call__(self, x: Any, y: Any) -> NDArray[Any]:
        """Values at points (x, y), in the units of `crs`."""
        return np.asarray(self.function(np.asarray(x, float), np.asarray(y, float)))


def sample(source: Any, name: str, x: Floats, y: Floats, crs: str | None, *, of: str = "cell") -> NDArray[Any]:
    """Find the values of a covariate at points.

    Parameters
    ----------
    source
        Function of (x, y); array or Series, (n,); path of a raster; path of a vector file, GeoDataFrame or shapely
        polygon. A GeoDataFrame gives its column `name` (or its only column); a plain polygon gives 1 inside, 0 outside.
    name
        Name of the covariate, for messages and for the column of a layer.
    x, y
        Points, (n,) in the units of `crs`.
    crs
        System of the points, or None if unknown.
    of
        What messages call a point: "cell", "station".

    Returns
    -------
    (n,) array
        Numbers (NaN where there is no value) or text (None where there is none).

    Raises
    ------
    DataError
        If the source cannot be read or has another length.
    ModelError
        If a raster is given and rasterio is not installed.
    """
    if callable(source):
        return _from_function(source, name, x, y, crs, of)
    if isinstance(source, str | PathLike):
        path = Path(source)
        if not path.exists():
            raise DataError(f"Covariate {name!r}: the file {path} does not exist.", offenders=[str(path)])
        layer_like = path.suffix.lower() in VECTOR_SUFFIXES
        return _from_layer(path, name, x, y, crs, of) if layer_like else _from_raster(path, name, x, y, crs, of)
    if hasattr(source, "geom_type"):
        return _from_layer(source, name, x, y, crs, of)
    return _from_values(source, name, len(x), of)


def _from_function(function: Any, name: str, x: Floats, y: Floats, crs: str | None, of: str) -> NDArray[Any]:
    own = getattr(function, "crs", None)
    if own is not None and crs is not None and not same_crs(own, crs):
        x, y = project(x, y, crs, own)
    values = np.asarray(function(x, y))
    if values.shape not in {(), x.shape}:
        raise DataError(
            f"Covariate {name!r}: the function returned an array of shape {values.shape} for {len(x)} {of}s. "
            f"It takes two arrays x and y in metres and must return one value a {of}."
        )
    found: NDArray[Any] = np.broadcast_to(values, x.shape).copy()
    return found


def _from_values(source: Any, name: str, n: int, of: str) -> NDArray[Any]:
    values: NDArray[Any] = source.to_numpy() if isinstance(source, pd.Series) else np.asarray(source)
    if values.shape != (n,):
        raise DataError(
            f"Covariate {name!r} has shape {values.shape}; there are {n} {of}s. "
            f"Give one value a {of} in the order of the table, a function of x and y, or the path of a raster."
        )
    return values.copy()


def _from_layer(source: Any, name: str, x: Floats, y: Floats, crs: str | None, of: str) -> NDArray[Any]:
    """Value of the first polygon of a layer that covers each point."""
    import geopandas

    layer = read_layer(source, crs, name=f"layer of covariate {name!r}")
    if crs is None and layer.crs is not None:
        _say_taken(f"layer of covariate {name!r}", str(crs_text(layer.crs)), of)
    column = _column(layer, name)
    points = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(x, y, crs=layer.crs))
    joined = geopandas.sjoin(points, layer, how="left", predicate="intersects")
    first = joined[~joined.index.duplicated()].sort_index()
    if column is None:
        return np.asarray(first["index_right"].notna(), dtype=np.int64)
    return np.asarray(first[column])


def _column(layer: geopandas.GeoDataFrame, name: str) -> str | None:
    columns = [str(c) for c in layer.columns if c != layer.geometry.name]
    if name in columns or not columns:
        return name if columns else None
    if len(columns) == 1:
        return columns[0]
    raise DataError(
        f"The layer of covariate {name!r} has no column of that name. Columns: {', '.join(columns)}. "
        f"Name the covariate after one of them, or keep one column: layer[[{columns[0]!r}, 'geometry']].",
        offenders=[name],
    )


def _from_raster(path: Path, name: str, x: Floats, y: Floats, crs: str | None, of: str) -> NDArray[Any]:
    """Value of the pixel that holds each point; NaN outside the raster and where it has no data."""
    with _open_raster(path, name, of) as raster:
        x, y = _to_raster(x, y, crs, raster.crs, name, of)
        column, row = _pixels(raster.transform, x, y)
        inside = (column >= 0) & (row >= 0) & (column < raster.width) & (row < raster.height)
        values = np.full(len(x), np.nan)
        if inside.any():
            values[inside] = _read_pixels(raster, column[inside], row[inside])
    return values


def _read_pixels(raster: Any, column: NDArray[np.int64], row: NDArray[np.int64]) -> Floats:
    """Read the rectangle of pixels that is needed, no more: a raster may be of a continent."""
    left, top = column.min(), row.min()
    window = ((int(top), int(row.max()) + 1), (int(left), int(column.max()) + 1))
    pixels = raster.read(1, window=window, masked=True).astype(np.float64).filled(np.nan)
    found: Floats = pixels[row - top, column - left] * raster.scales[0] + raster.offsets[0]
    return found


def _pixels(transform: Any, x: Floats, y: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Column and row of the pixel that holds each point; rotated rasters included."""
    to_pixel = np.linalg.inv(np.array([[transform.a, transform.b], [transform.d, transform.e]]))
    column, row = np.floor(to_pixel @ np.stack([x - transform.c, y - transform.f])).astype(np.int64)
    return column, row


def _say_taken(what: str, own: str, of: str) -> None:
    """Warn that points of no known system are taken to be in that of a source."""
    advice = "If they are, say so with crs=; else the values are those of other places."
    notice(
        f"The {of}s have no coordinate reference system: they are taken to be in that of the {what}, {own}. {advice}",
        DataWarning,
    )


def _open_raster(path: Path, name: str, of: str) -> Any:
    try:
        rasterio = import_module("rasterio")
    except ImportError as error:
        raise ModelError(
            f'Covariate {name!r} is a raster ({path.name}); reading it needs: pip install "leopardpop[raster]". '
            f"A function of x and y, or an array of one value a {of}, needs nothing more."
        ) from error
    try:
        raster: Any = rasterio.open(path)
    except rasterio.RasterioIOError as error:
        raise DataError(f"Covariate {name!r}: {path} cannot be read as a raster: {error}") from error
    if raster.count != 1:
        raster.close()
        found = f"{path} has {raster.count} bands"
        raise DataError(f"Covariate {name!r}: {found}. Export the one you need as a file of its own.")
    return raster


def _to_raster(x: Floats, y: Floats, crs: str | None, raster_crs: Any, name: str, of: str) -> tuple[Floats, Floats]:
    own = None if raster_crs is None else crs_text(raster_crs.to_wkt())
    if own is None:
        notice(
            f"The raster of covariate {name!r} has no coordinate reference system: it is taken to be in that of the "
            f"{of}s{'' if crs is None else f', {crs}'}. If it is not, the values are those of other places.",
            DataWarning,
        )
        return x, y
    if crs is None and not is_geographic(own):
        _say_taken(f"raster of covariate {name!r}", own, of)
        return x, y
    if crs is None:
        raise DataError(
            f"The raster of covariate {name!r} is in degrees ({own}), and the coordinate reference system of the {of}s "
            'is unknown. Say what the stations are in: crs="EPSG:32652", for example.'
        )
    if same_crs(own, crs):
        return x, y
    say_projected(f"place of each {of} for covariate {name!r}", crs, own, "the raster")
    return project(x, y, crs, own)
