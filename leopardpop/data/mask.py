"""The mask: cells of land in which an activity centre may lie."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data import mask_checks, mask_text
from leopardpop.data.covariates import as_covariates, from_coordinate, to_coordinate
from leopardpop.data.lattice import disc_lattice, lattice_spacing
from leopardpop.data.layers import sample
from leopardpop.data.mask_fit import HasStations, check_mask, stations_outside
from leopardpop.data.notices import notice
from leopardpop.data.projections import check_metres, crs_text, same_crs
from leopardpop.data.space import cells_in, read_layer, read_polygon
from leopardpop.data.tables import TableSource
from leopardpop.errors import DataError, ProjectionWarning

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from leopardpop.data.detection_history import DetectionHistory

__all__ = ["Mask", "check_mask", "stations_outside"]

Floats = NDArray[np.float64]

REGION_PIECE = 30_000
"""Characters of the region's outline per attribute: HDF5 holds at most 64 kB in one."""


class Mask:
    """Cells of land in which an activity centre may lie; immutable.

    Make one with :meth:`around` or :meth:`from_table`.

    Parameters
    ----------
    table
        One row a cell: ``x``, ``y`` (metres, the centre), ``area`` (km²), and covariates (numbers or text).
    crs
        Coordinate reference system of x and y, in metres; None if unknown.
    region
        Polygon that the cells were clipped to, the default region for the number of animals; None if there is none.
    buffer
        Distance in metres that the mask was laid around the stations; None if unknown.

    Raises
    ------
    DataError
        If a cell has no usable coordinates or area, or occurs twice.

    Examples
    --------
    >>> import pandas as pd
    >>> cells = pd.DataFrame({"x": [500, 1500, 500, 1500], "y": [500, 500, 1500, 1500], "area": 1.0})
    >>> Mask(cells)
    Mask: 4 cells of 1 km² (4 km²), spacing 1,000 m
    """

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        crs: Any = None,
        region: BaseGeometry | None = None,
        buffer: float | None = None,
    ) -> None:
        cells = mask_checks.check_cells(table)
        covariates = as_covariates(table.drop(columns=["x", "y", "area"]), len(cells), "cell")
        mask_checks.check_names(covariates.columns)
        table = pd.concat([cells, covariates], axis=1)
        self.__dict__.update(_table=table, crs=check_metres(crs), region=region, buffer=buffer)

    crs: str | None
    region: BaseGeometry | None
    buffer: float | None
    _table: pd.DataFrame

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A mask is immutable: {name!r} cannot be set. with_covariates returns another mask.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"A mask is immutable: {name!r} cannot be deleted.")

    @classmethod
    def around(
        cls,
        history: HasStations | DetectionHistory,
        *,
        buffer: float,
        spacing: float,
        habitat: Any = None,
        crs: Any = None,
    ) -> Mask:
        """Lay square cells around the stations, or the sites of a detection history.

        The centres lie on the lattice (i + ½, j + ½) · spacing of the coordinate reference system, wherever the
        stations are: masks of the same spacing fit together. A cell belongs to the mask if its centre is within
        `buffer` of a station of any session and inside the habitat; cells at the edge are not cut, as in secr.

        Parameters
        ----------
        history
            Capture history or survey: its stations are used; detection history: its sites, to map what is there.
        buffer
            Metres. An animal centred farther away should hardly ever meet a camera: 4 sigma of a half-normal.
        spacing
            Side of a cell in metres, at most 0.6 sigma.
        habitat
            Path of a vector file, GeoDataFrame or shapely polygon (then in the system of the stations); None: all land.
        crs
            Coordinate reference system of the stations, if the history does not know it.

        Returns
        -------
        Mask

        Raises
        ------
        DataError
            If a length is not a positive number of metres or looks like kilometres, the system is unknown or not in
            metres, or no cell is left.

        Warns
        -----
        DataWarning
            If the buffer is next to nothing beside the extent of the stations.
        ProjectionWarning
            If the habitat was projected, or its system was taken for that of the stations.

        Examples
        --------
        >>> import leopardpop as lp
        >>> survey = lp.load_example("amur_leopard")
        >>> lp.Mask.around(survey, buffer=10_000, spacing=5_000).n_cells
        251
        """
        xy = mask_checks.positions_of(history)
        mask_checks.check_lengths(buffer, spacing, xy)
        crs = _agreed_crs(history.crs, crs, habitat)
        region = None if habitat is None else read_polygon(habitat, crs, name="habitat")
        x, y = disc_lattice(xy, float(buffer), float(spacing))
        if region is not None:
            keep = cells_in(region, x, y)
            x, y = x[keep], y[keep]
            mask_checks.check_overlap(len(x), region, xy)
        table = pd.DataFrame({"x": x, "y": y, "area": (spacing / 1000) ** 2})
        return cls(table, crs=crs, region=region, buffer=float(buffer))

    @classmethod
    def from_table(
        cls,
        table: TableSource,
        *,
        cell_area: float | None = None,
        columns: Mapping[str, str] | None = None,
        crs: Any = None,
    ) -> Mask:
        """Read a mask from a table of cell centres.

        Parameters
        ----------
        table
            DataFrame or path of a CSV file with columns ``x`` and ``y`` (metres); others are covariates.
        cell_area
            Area of a cell in km²; None if the table has a column ``area`` in km².
        columns
            The table's name = our name, for example ``{"easting": "x"}``.
        crs
            Coordinate reference system of x and y; "local": metres with no place on the earth.

        Returns
        -------
        Mask

        Raises
        ------
        DataError
            If coordinates are missing, not numbers, in degrees or twice the same, or the area does not fit them.

        Examples
        --------
        >>> import pandas as pd
        >>> cells = pd.DataFrame({"x": [1000, 3000], "y": [0, 0], "snow": [12.5, 30]})
        >>> Mask.from_table(cells, cell_area=4)
        Mask: 2 cells of 4 km² (8 km²), spacing 2,000 m
          snow: 12.5 to 30
        """
        return cls(mask_checks.prepare(table, cell_area, columns or {}, crs), crs=crs)

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Mask:
        """Make the mask that :attr:`dataset` came from.

        Parameters
        ----------
        dataset
            Variables ``x``, ``y``, ``area`` and covariates over the dimension ``cell``.

        Returns
        -------
        Mask
        """
        import shapely

        names = ["x", "y", "area", *(n for n, v in dataset.variables.items() if v.dims == ("cell",))]
        columns = {str(n): from_coordinate(dataset[n].to_numpy()) for n in dict.fromkeys(names) if n != "cell"}
        attrs = dataset.attrs
        pieces = sorted((name for name in attrs if name.startswith("region_")), key=lambda name: int(name[7:]))
        outline = "".join(attrs[piece] for piece in pieces)
        region = shapely.from_wkt(outline) if outline else None
        return cls(pd.DataFrame(columns), crs=attrs.get("crs"), region=region, buffer=attrs.get("buffer"))

    def with_covariates(self, *, missing: Literal["raise", "keep"] = "raise", **covariates: Any) -> Mask:
        """Add covariates, or replace those of the same name.

        Parameters
        ----------
        missing
            What to do about cells without a value: ``"raise"``, or ``"keep"`` them as missing (a model that uses the
            covariate will refuse them).
        **covariates
            Name = path of a raster (the pixel at the cell's centre; needs ``pip install "leopardpop[raster]"``),
            function of x and y (arrays in metres), array or Series of one value a cell, or layer of polygons (path,
            GeoDataFrame: the column of that name in the first polygon over the centre; a plain polygon: 1 inside, 0
            outside).

        Returns
        -------
        Mask

        Raises
        ------
        DataError
            If a value is missing, or the source cannot be read.

        Examples
        --------
        >>> import pandas as pd
        >>> mask = Mask.from_table(pd.DataFrame({"x": [1000, 3000], "y": [0, 0]}), cell_area=4)
        >>> mask.with_covariates(east=lambda x, y: x / 1000).table["east"].tolist()
        [1.0, 3.0]
        """
        if missing not in {"raise", "keep"}:
            raise DataError(f'missing={missing!r} must be "raise" or "keep".')
        mask_checks.check_names(covariates)
        table = self.table
        for name, source in covariates.items():
            values = as_covariates(
                pd.DataFrame({name: sample(source, name, self.x, self.y, self.crs)}), len(table), "cell"
            )
            if missing == "raise":
                mask_checks.check_present(values[name], table)
            table[name] = values[name]
        return Mask(table, crs=self.crs, region=self.region, buffer=self.buffer)

    @property
    def table(self) -> pd.DataFrame:
        """One row a cell: x, y (m), area (km²) and covariates; a copy."""
        return self._table.copy()

    @property
    def covariates(self) -> pd.DataFrame:
        """Covariates alone, one row a cell; a copy."""
        return self._table.drop(columns=["x", "y", "area"])

    @cached_property
    def x(self) -> Floats:
        """Easting of the centres, (n_cells,) in metres; read-only."""
        return _read_only(self._table["x"])

    @cached_property
    def y(self) -> Floats:
        """Northing of the centres, (n_cells,) in metres; read-only."""
        return _read_only(self._table["y"])

    @cached_property
    def area(self) -> Floats:
        """Areas of the cells, (n_cells,) in km²; read-only."""
        return _read_only(self._table["area"])

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self._table)

    @property
    def total_area(self) -> float:
        """Area of all cells, km²."""
        return float(self.area.sum())

    @cached_property
    def spacing(self) -> float | None:
        """Distance between neighbouring centres in metres, if they lie on a square lattice; else None."""
        return lattice_spacing(self.x, self.y)

    @cached_property
    def mask_hash(self) -> str:
        """SHA-256 of the cells, their covariates, the coordinate reference system and the region."""
        content = hashlib.sha256(f"leopardpop mask|{self.crs}|{self._outline}".encode())
        for name in ["x", "y", "area", *sorted(self.covariates.columns)]:
            values = self._table[name]
            data = values.to_numpy("<f8").tobytes() if values.dtype == np.float64 else repr(values.tolist()).encode()
            content.update(f"|{name}|".encode() + data)
        return content.hexdigest()

    @property
    def dataset(self) -> xr.Dataset:
        """The mask as a Dataset over the dimension ``cell``; :meth:`from_dataset` is the way back."""
        units = {"x": "m", "y": "m", "area": "km²"}
        variables = {
            str(name): ("cell", to_coordinate(column), {"units": units[str(name)]} if name in units else {})
            for name, column in self._table.items()
        }
        coordinates = {name: variables.pop(name) for name in ("x", "y")}
        return xr.Dataset(variables, {"cell": np.arange(self.n_cells), **coordinates}, self._attrs())

    def _attrs(self) -> dict[str, Any]:
        known = {"crs": self.crs, "buffer": self.buffer, "spacing": self.spacing}
        attrs: dict[str, Any] = {name: value for name, value in known.items() if value is not None}
        starts = range(0, len(self._outline), REGION_PIECE)
        return attrs | {f"region_{k}": self._outline[i : i + REGION_PIECE] for k, i in enumerate(starts)}

    @cached_property
    def _outline(self) -> str:
        """The region as WKT with every digit, "" if there is none."""
        if self.region is None:
            return ""
        import shapely

        return str(shapely.to_wkt(self.region, rounding_precision=-1))

    def __len__(self) -> int:
        return self.n_cells

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mask) and self.mask_hash == other.mask_hash

    def __hash__(self) -> int:
        return hash(self.mask_hash)

    def __repr__(self) -> str:
        return mask_text.text(self)

    def _repr_html_(self) -> str:
        return mask_text.html(self)


def _read_only(column: pd.Series[Any]) -> Floats:
    values = np.array(column, dtype=np.float64)
    values.flags.writeable = False
    return values


def _agreed_crs(of_history: str | None, given: Any, habitat: Any) -> str | None:
    """Find the one coordinate reference system that stations and mask share."""
    if of_history is not None and given is not None and not same_crs(of_history, given):
        raise DataError(
            f"The stations are in {of_history}, not in {crs_text(given)}. crs= only says what they are in where that "
            "is unknown; leave it out."
        )
    crs = check_metres(of_history or given)
    if crs is not None or habitat is None or (layer := read_layer(habitat)).crs is None:
        return crs
    notice(
        f"The system of the stations is unknown; it was taken to be that of the habitat ({crs_text(layer.crs)}). "
        "Pass crs= if that is right.",
        ProjectionWarning,
    )
    return check_metres(layer.crs)
