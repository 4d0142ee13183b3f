"""Values of a covariate at points: from a function, an array, a raster or a layer of polygons."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.projections import crs_text, is_geographic, project, same_crs, say_projected
from leopardpop.data.space import read_layer
from leopardpop.errors import DataError, ModelError

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


def sample(source: Any, name: str, x: Floats, y: Floats, crs: str | None) -> NDArray[Any]:
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

    Returns
    -------
    (n,) array
        Numbers (NaN where there is no value) or text (None where there is none).

    Raises
    ------
    DataError
        If the source cannot be read or has another length.
    ModelError
        If a raster is given and rioxarray is not installed.
    """
    if callable(source):
        return _from_function(source, name, x, y, crs)
    if isinstance(source, str | PathLike):
        path = Path(source)
        if not path.exists():
            raise DataError(f"Covariate {name!r}: the file {path} does not exist.", offenders=[str(path)])
        layer_like = path.suffix.lower() in VECTOR_SUFFIXES
        return _from_layer(path, name, x, y, crs) if layer_like else _from_raster(path, name, x, y, crs)
    if hasattr(source, "geom_type"):
        return _from_layer(source, name, x, y, crs)
    return _from_values(source, name, len(x))


def _from_function(function: Any, name: str, x: Floats, y: Floats, crs: str | None) -> NDArray[Any]:
    own = getattr(function, "crs", None)
    if own is not None and crs is not None and not same_crs(own, crs):
        x, y = project(x, y, crs, own)
    values = np.asarray(function(x, y))
    if values.shape not in {(), x.shape}:
        raise DataError(
            f"Covariate {name!r}: the function returned an array of shape {values.shape} for {len(x)} cells. "
            "It takes two arrays x and y in metres and must return one value a cell."
        )
    return np.broadcast_to(values, x.shape).copy()


def _from_values(source: Any, name: str, n: int) -> NDArray[Any]:
    values = source.to_numpy() if isinstance(source, pd.Series) else np.asarray(source)
    if values.shape != (n,):
        raise DataError(
            f"Covariate {name!r} has shape {values.shape}; the mask has {n} cells. "
            "Give one value a cell in the order of mask.table, a function of x and y, or the path of a raster."
        )
    return values.copy()


def _from_layer(source: Any, name: str, x: Floats, y: Floats, crs: str | None) -> NDArray[Any]:
    """Value of the first polygon of a layer that covers each point."""
    import geopandas

    layer = read_layer(source, crs, name=f"layer of covariate {name!r}")
    column = _column(layer, name)
    points = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(x, y, crs=layer.crs))
    joined = geopandas.sjoin(points, layer, how="left", predicate="intersects")
    first = joined[~joined.index.duplicated()].sort_index()
    if column is None:
        return first["index_right"].notna().to_numpy(np.int64)
    right = column if column in first else f"{column}_right"
    return np.asarray(first[right].to_numpy())


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


def _from_raster(path: Path, name: str, x: Floats, y: Floats, crs: str | None) -> NDArray[Any]:
    """Value of the pixel that holds each point; NaN outside the raster and where it has no data."""
    raster = _open_raster(path, name)
    x, y = _to_raster(x, y, crs, raster.rio.crs, name)
    column, row = (np.floor(v).astype(int) for v in ~raster.rio.transform() * (x, y))
    inside = (column >= 0) & (row >= 0) & (column < raster.sizes["x"]) & (row < raster.sizes["y"])
    values = np.full(len(x), np.nan)
    if inside.any():
        left, top = column[inside].min(), row[inside].min()
        window = raster.isel(x=slice(left, column[inside].max() + 1), y=slice(top, row[inside].max() + 1))
        values[inside] = window.to_numpy()[row[inside] - top, column[inside] - left]
    raster.close()
    return values


def _open_raster(path: Path, name: str) -> Any:
    try:
        import rioxarray
    except ImportError as error:
        raise ModelError(
            f"Covariate {name!r} is a raster ({path.name}); reading it needs rioxarray: "
            'pip install "leopardpop[raster]". '
            "A function of x and y, or an array of one value a cell, needs nothing more."
        ) from error
    try:
        raster = rioxarray.open_rasterio(path, mask_and_scale=True)
    except Exception as error:  # rasterio's own class cannot be named without importing rasterio
        raise DataError(f"Covariate {name!r}: {path} cannot be read as a raster: {error}") from error
    bands = raster.sizes.get("band", 1)
    if bands != 1:
        raise DataError(f"Covariate {name!r}: {path} has {bands} bands. Export the one you need as a file of its own.")
    return raster.squeeze("band", drop=True)


def _to_raster(x: Floats, y: Floats, crs: str | None, raster_crs: Any, name: str) -> tuple[Floats, Floats]:
    if raster_crs is None or (crs is None and not is_geographic(raster_crs.to_wkt())):
        return x, y
    raster_crs = crs_text(raster_crs.to_wkt())
    if crs is None:
        raise DataError(
            f"The raster of covariate {name!r} is in degrees ({raster_crs}), and the coordinate reference system of "
            'the mask is unknown. Say what the stations are in: crs="EPSG:32652", for example.'
        )
    if same_crs(raster_crs, crs):
        return x, y
    say_projected(f"points of covariate {name!r}", crs, raster_crs)
    return project(x, y, crs, raster_crs)
