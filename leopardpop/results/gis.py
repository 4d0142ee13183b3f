"""Maps for a geographic information system: GeoTIFF of the cells, GeoPackage of the cells and what stands on them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.paths import path_of
from leopardpop.errors import DataError, ModelError

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from leopardpop.data.mask import Mask

    type Floats = NDArray[np.float64]

__all__ = ["columns_of", "write_map"]

TELLING = ("realised", "undetected", "pdot")
"""Layers from which the places of cameras can be read."""
NO_DATA = np.nan
SUFFIXES = {".tif": "GeoTIFF", ".tiff": "GeoTIFF", ".gpkg": "GeoPackage"}


def write_map(
    path: str | PathLike[str],
    columns: Mapping[str, Floats],
    mask: Mask,
    *,
    points: Mapping[str, pd.DataFrame] | None = None,
) -> Path:
    """Write values of the cells of a mask.

    Parameters
    ----------
    path
        ``.tif`` (a band a column; needs ``pip install "leopardpop[raster]"``) or ``.gpkg`` (squares with all columns).
    columns
        Name -> value of each cell, (J,).
    mask
        The cells.
    points
        Further layers of a GeoPackage: name -> table with x and y in metres.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    DataError
        If the mask has no reference system, or no lattice where one is needed.
    ModelError
        If the suffix is another, or rasterio is not installed.
    """
    target = path_of(path, "path")
    if target.suffix.lower() not in SUFFIXES:
        raise ModelError(f"{target.name}: a map is written as .tif (GeoTIFF) or .gpkg (GeoPackage).")
    if mask.crs is None:
        raise DataError("The mask has no reference system, so that nobody would know where it lies: give it crs=.")
    if SUFFIXES[target.suffix.lower()] == "GeoTIFF":
        _geotiff(target, columns, mask)
    else:
        _geopackage(target, columns, mask, points or {})
    return target


def columns_of(surface: xr.Dataset, part: slice, *, hidden: bool) -> dict[str, Floats]:
    """Flat columns of a surface over cells: a quantile or threshold each its own.

    Parameters
    ----------
    surface
        Variables over ``cell`` and at most one other dimension.
    part
        Cells that are wanted.
    hidden
        Leave out what tells where cameras stand.

    Returns
    -------
    dict
        Name -> value of each cell: ``D_mean``, ``D_quantile_0.025`` ...
    """
    found: dict[str, Floats] = {}
    for name, variable in surface.data_vars.items():
        if "cell" not in variable.dims or (hidden and name in TELLING):
            continue
        others = [dim for dim in variable.dims if dim != "cell"]
        values = variable.transpose(*others, "cell").to_numpy().astype(float)[..., part]
        if not others:
            found[str(name)] = values
            continue
        for label, row in zip(surface[others[0]].to_numpy(), values, strict=True):
            found[f"{name}_{label:g}"] = row
    return found


def _geotiff(path: Path, columns: Mapping[str, Floats], mask: Mask) -> None:
    try:
        rasterio, transform = import_module("rasterio"), import_module("rasterio.transform")
    except ImportError as error:
        raise ModelError('A GeoTIFF needs rasterio: pip install "leopardpop[raster]". A .gpkg does not.') from error
    if mask.spacing is None:
        raise DataError("The cells of the mask form no regular grid, so there is no raster of them: write a .gpkg.")
    side = float(mask.spacing)
    west, north = float(mask.x.min()) - side / 2, float(mask.y.max()) + side / 2
    column = np.rint((mask.x - mask.x.min()) / side).astype(np.intp)
    row = np.rint((mask.y.max() - mask.y) / side).astype(np.intp)
    shape = (int(row.max()) + 1, int(column.max()) + 1)
    profile: dict[str, Any] = {"driver": "GTiff", "dtype": "float32", "nodata": NO_DATA, "count": len(columns)}
    profile |= {"height": shape[0], "width": shape[1], "crs": mask.crs, "compress": "deflate"}
    with rasterio.open(path, "w", transform=transform.from_origin(west, north, side, side), **profile) as raster:
        for band, (name, values) in enumerate(columns.items(), start=1):
            table = np.full(shape, NO_DATA, dtype=np.float32)
            table[row, column] = values
            raster.write(table, band)
            raster.set_band_description(band, name)


def _geopackage(path: Path, columns: Mapping[str, Floats], mask: Mask, points: Mapping[str, pd.DataFrame]) -> None:
    import geopandas as gpd
    import shapely

    half = np.full(mask.n_cells, 0.5 * mask.spacing) if mask.spacing is not None else 500.0 * np.sqrt(mask.area)
    squares = shapely.box(mask.x - half, mask.y - half, mask.x + half, mask.y + half)
    path.unlink(missing_ok=True)
    gpd.GeoDataFrame(dict(columns), geometry=squares, crs=mask.crs).to_file(path, layer="cells", driver="GPKG")
    for name, table in points.items():
        at = shapely.points(table["x"].to_numpy(float), table["y"].to_numpy(float))
        rest = table.drop(columns=["x", "y"])
        gpd.GeoDataFrame(rest, geometry=at, crs=mask.crs).to_file(path, layer=name, driver="GPKG")
