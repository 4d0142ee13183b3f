"""What a mask must be: each check raises a :class:`~leopardpop.errors.DataError` that says which cell is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.lattice import lattice_spacing, neighbour_distance
from leopardpop.data.names import listed
from leopardpop.data.notices import notice
from leopardpop.data.projections import check_place
from leopardpop.data.tables import Table, TableSource, load_table
from leopardpop.errors import DataError, DataWarning
from leopardpop.words import counted, length

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]

RESERVED = frozenset({"x", "y", "area", "cell", "cell_session", "session", "chain", "draw"})
"""Names that a covariate of cells cannot have."""

LEAST_REACH = 0.1
"""Smallest buffer in distances between neighbouring stations: an animal's range is about as wide as a buffer."""
LEAST_WIDTH = 0.001
"""Smallest buffer in widths of the survey that is not doubted: stations may stand in tight clusters far apart."""

MOST_KILOMETRES = 200
"""Largest buffer that could have been meant in kilometres."""


def prepare(source: TableSource, cell_area: float | None, columns: Mapping[str, str], crs: Any) -> pd.DataFrame:
    """Bring a user's table into the form x, y, area, covariates; x and y must be metres of `crs`."""
    table = load_table(source, "mask", columns=columns, known=("x", "y", "area"), required=("x", "y"))
    _check_one_session(table)
    cells = pd.DataFrame({name: table.numbers(name) for name in ("x", "y")})
    check_place(cells["x"], cells["y"], crs, "cell")
    twice = cells.duplicated().to_numpy()
    if twice.any():
        x, y = cells.loc[twice.argmax()]
        raise table.fail(twice, f"a cell at x={x:g}, y={y:g} is there already", "Remove it.")
    cells["area"] = _areas(table, cell_area)
    return pd.concat([cells, table.covariates(("x", "y", "area", "session"))], axis=1)


def _check_one_session(table: Table) -> None:
    labels = table.labels("session").names.tolist() if "session" in table and len(table) else []
    if len(labels) > 1:
        raise DataError(
            f"The mask holds {len(labels)} sessions ({listed(labels)}). Make one for each and pass a dict: "
            '{label: Mask.from_table(part, ...) for label, part in table.groupby("session")}.',
            offenders=labels,
        )


def _areas(table: Table, cell_area: float | None) -> float | Floats:
    if cell_area is None and "area" not in table:
        raise DataError("The mask has no column 'area'. Pass cell_area= in km² (1 ha = 0.01 km²).", offenders=["area"])
    if cell_area is None:
        return table.numbers("area", least=0)
    if not is_positive(cell_area):
        raise DataError(f"cell_area={cell_area!r} must be a positive number of km².")
    return float(cell_area)


def check_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return x, y and area as float64, if every cell has them and none occurs twice."""
    if missing := [name for name in ("x", "y", "area") if name not in table]:
        raise DataError(f"A mask needs columns x, y and area; {missing[0]!r} is not there.", offenders=missing)
    if not len(table):
        raise DataError("The mask has no cells. A larger buffer, a smaller spacing or another habitat gives some.")
    numbers = {name: pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64) for name in ("x", "y", "area")}
    cells = pd.DataFrame(numbers)
    _refuse(cells, ~np.isfinite(cells.to_numpy()).all(axis=1), "a coordinate or an area that is not a number")
    _refuse(cells, cells["area"] <= 0, "an area that is not positive")
    _refuse(cells, cells.duplicated(["x", "y"]), "the coordinates of an earlier cell")
    _check_areas(cells)
    return cells


def _refuse(cells: pd.DataFrame, bad: Any, what: str) -> None:
    rows = np.flatnonzero(np.asarray(bad, dtype=bool))
    if rows.size:
        x, y, area = cells.iloc[rows[0]]
        raise DataError(
            f"{counted(rows.size, 'cell')} of the mask {'has' if rows.size == 1 else 'have'} {what} "
            f"(first: row {rows[0] + 1}, x={x:g}, y={y:g}, area={area:g}).",
            offenders=rows.tolist(),
        )


def _check_areas(cells: pd.DataFrame) -> None:
    """Refuse cells that overlap: the area is in another unit than km², or the coordinates are not metres."""
    if len(cells) < 2:
        return
    x, y = cells["x"].to_numpy(), cells["y"].to_numpy()
    lattice = lattice_spacing(x, y)
    step = lattice or float(np.median(neighbour_distance(x, y)))
    room, area = (step / 1000) ** 2, float(cells["area"].median())
    if area > (1.02 if lattice else 25) * room:  # irregular points may be much nearer than the size of their cells
        raise DataError(
            f"The cells overlap: their centres are {step:g} m apart, which is {room:.4g} km² a cell, but their area is "
            f"{area:g} km². Coordinates must be metres (not degrees or kilometres) and areas km² (1 ha = 0.01 km²)."
        )


def check_names(names: Iterable[Any]) -> None:
    """Refuse covariates whose name is taken or that NetCDF cannot hold."""
    bad = [name for name in names if not str(name) or str(name) in RESERVED or "/" in str(name)]
    bad += [name for name in names if str(name).startswith("region_") and str(name)[7:].isdigit()]
    if bad:
        raise DataError(
            f"A covariate of cells cannot be called {bad[0]!r}: the name has a meaning. Rename it.", offenders=bad
        )


def check_present(values: pd.Series[Any], table: pd.DataFrame) -> None:
    """Refuse a covariate that some cells do not have."""
    rows = np.flatnonzero(values.isna() | values.isin([np.inf, -np.inf]))
    if rows.size:
        places = ", ".join(f"({x:.0f}, {y:.0f})" for x, y in table.loc[rows[:3], ["x", "y"]].to_numpy())
        raise DataError(
            f"Covariate {values.name!r} is missing on {rows.size} of {len(values)} cells (first at x, y = {places}). "
            'Give a source that covers the mask, cut the mask to it with habitat=, or pass missing="keep".',
            offenders=rows.tolist(),
        )


def is_positive(value: Any) -> bool:
    """Whether something is a finite number above 0."""
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value) and value > 0)


def check_lengths(buffer: float, spacing: float, xy: Floats) -> None:
    """Refuse lengths that are not positive, or that can hardly be metres."""
    for name, value in (("buffer", buffer), ("spacing", spacing)):
        if not is_positive(value):
            raise DataError(f"{name}={value!r} must be a positive number of metres.")
    if spacing > buffer:
        meant = f": if {buffer:g} km was meant, pass buffer={1000 * buffer:_g}" if buffer < MOST_KILOMETRES else ""
        raise DataError(f"spacing={spacing:g} m is larger than buffer={buffer:g} m. Both are in metres{meant}.")
    if not len(xy):
        raise DataError("There are no stations to lay a mask around.")
    _check_reach(buffer, spacing, xy)


def _check_reach(buffer: float, spacing: float, xy: Floats) -> None:
    """Refuse a buffer in which no animal could meet two stations, and doubt one that vanishes beside the survey."""
    places = np.unique(xy, axis=0)
    if len(places) < 2 or buffer >= MOST_KILOMETRES:
        return
    apart, extent = float(np.median(neighbour_distance(*places.T))), float(np.ptp(places, axis=0).max())
    meant = (
        f"Lengths are in metres: if kilometres were meant, pass buffer={1000 * buffer:_g}, spacing={1000 * spacing:_g}."
    )
    if buffer < LEAST_REACH * apart:
        raise DataError(
            f"buffer={buffer:g} m, but the stations are {length(apart)} from each other (median distance to the "
            f"nearest), so that no animal could meet two of them. {meant}"
        )
    if buffer < LEAST_WIDTH * extent:
        notice(f"buffer={buffer:g} m is next to nothing beside stations over {length(extent)}. {meant}", DataWarning)


def check_overlap(n_cells: int, region: BaseGeometry, xy: Floats) -> None:
    """Refuse a habitat that has no cell near a station."""
    if n_cells:
        return
    west, south, east, north = region.bounds
    raise DataError(
        f"No cell lies in the habitat and within the buffer. The habitat spans x {west:.6g} to {east:.6g}, "
        f"y {south:.6g} to {north:.6g}; {span('stations', xy[:, 0], xy[:, 1])}. "
        "Are both in the same coordinate reference system? A GeoDataFrame with its crs set is projected for you."
    )


def span(what: str, x: NDArray[Any], y: NDArray[Any]) -> str:
    """Say where things lie."""
    return f"the {what} span x {x.min():.6g} to {x.max():.6g}, y {y.min():.6g} to {y.max():.6g}"


def positions_of(history: Any) -> NDArray[np.float64]:
    """Positions (K, 2), m, of the stations of a history or a survey, or of the sites of a detection history.

    Parameters
    ----------
    history
        What has them.

    Raises
    ------
    DataError
        If it has none.
    """
    if hasattr(history, "stations"):
        found: NDArray[np.float64] = history.stations[["x", "y"]].to_numpy(float)
        return found
    xy = history.arrays().xy if hasattr(history, "arrays") else None
    if xy is None:
        kind = type(history).__name__
        raise DataError(
            f"a mask is laid around stations or sites, and this {kind} has no positions. Give a capture history, a "
            "survey, or a detection history whose table of sites has columns x and y in metres (crs= names the system)."
        )
    return np.asarray(xy, float)
