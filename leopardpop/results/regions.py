"""Where animals are counted: regions as sets of cells of each session's mask."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.mask_checks import span
from leopardpop.data.space import cells_in, hull, nearest_point
from leopardpop.data.space import regions as read_regions
from leopardpop.errors import DataError, DataWarning
from leopardpop.words import area, percent

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from leopardpop.data.mask import Mask
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.problem import Problem

__all__ = ["Regions", "SessionRegions", "default_regions", "named_regions"]

HABITAT, MASK, HULL, PLACES = "the habitat", "the mask", "the hull of the stations", "the cells with stations"

COVERED = 0.98
"""Share of a region below which its coverage is warned about."""
NUDGE = (0.0011, 0.0007)
"""Metres east and north: a centre on the border of two regions belongs to just one of them."""
MOST_POINTS = 300_000
"""Lattice points laid over a region to measure its coverage; a larger region is measured by its area."""


@dataclass(frozen=True, eq=False)
class SessionRegions:
    """R regions on the mask of one session, as A sets of cells (atoms) that lie in the same regions."""

    atom: Ints
    """Set of each cell, (J,)."""
    members: NDArray[np.bool_]
    """Which regions a set is in, (A, R)."""
    area: Floats
    """Area of the cells of each region, km², (R,); 0 where the mask has none."""
    covered: Floats
    """Share of each region that the mask covers, (R,)."""

    @property
    def whole(self) -> bool:
        """Whether there is one region and it has every cell."""
        return self.members.shape == (1, 1) and bool(self.members.all())

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Regions without a cell, (R,)."""
        return ~self.members.any(0)


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of a population, session by session."""

    names: tuple[str, ...]
    sessions: tuple[SessionRegions, ...]
    labelled: bool
    """Whether results have a dimension ``region``."""
    chosen: bool
    """False where N was asked for without a region, and the mask does not suggest one."""


def default_regions(problem: Problem) -> Regions:
    """Where animals are counted when nobody says where.

    The cells of a mask that was clipped to a polygon, or that was given cell by cell; the convex hull of the stations
    where the mask is only a buffer around them.
    """
    names, sessions = [], []
    for data in problem.data:
        mask = problem.masks[data.session]
        if mask.region is None and mask.buffer is not None:
            name, inside = _around_stations(mask, data.xy)
        else:
            name, inside = MASK if mask.region is None else HABITAT, np.ones(mask.n_cells, np.bool_)
        covered = 1.0 if mask.region is None else _covered(mask, mask.region, inside)
        _warn_default(data.session if len(problem.data) > 1 else None, covered, float(mask.area[inside].sum()))
        names.append(name)
        sessions.append(_session_regions(mask, inside[:, None], np.array([covered])))
    chosen = not {HULL, PLACES} & set(names)
    return Regions((" or ".join(dict.fromkeys(names)),), tuple(sessions), labelled=False, chosen=chosen)


def _around_stations(mask: Mask, xy: Floats) -> tuple[str, NDArray[np.bool_]]:
    """Cells within the hull of the stations, or the cells that hold them if there is no other."""
    outline = hull(xy[:, 0], xy[:, 1])
    inside = _inside(outline, mask) if outline.area > 0 else np.zeros(mask.n_cells, np.bool_)
    if inside.any():
        return HULL, inside
    inside[nearest_point(mask.x, mask.y, xy)[1]] = True
    return PLACES, inside


def named_regions(problem: Problem, source: Any, by: str | None) -> Regions:
    """Read regions and lay them over the masks.

    Parameters
    ----------
    problem
        The model with its data.
    source
        Path of a vector file, GeoDataFrame, polygon (in the system of the stations), or mapping from name to polygon.
    by
        Column of names; rows with the same name are one region.

    Raises
    ------
    DataError
        If a region has no cell in any session's mask.

    Warns
    -----
    DataWarning
        If the mask covers a region in part.
    """
    outlines: dict[str | None, dict[str, BaseGeometry]] = {}
    laid: dict[int, SessionRegions] = {}
    masks = [problem.masks[data.session] for data in problem.data]
    for mask in masks:
        if mask.crs not in outlines:
            outlines[mask.crs] = read_regions(source, by=by, to_crs=mask.crs)
        if id(mask) not in laid:
            laid[id(mask)] = _lay(mask, list(outlines[mask.crs].values()))
    sessions = [laid[id(mask)] for mask in masks]
    labelled = by is not None or isinstance(source, Mapping)
    found = tuple(next(iter(outlines.values())))
    names = found if labelled else (_name_of(source),)
    _check_cells(names, sessions, problem, list(outlines.values()))
    _warn_partial(names, sessions)
    return Regions(names, tuple(sessions), labelled=labelled, chosen=True)


def _name_of(source: Any) -> str:
    return Path(source).stem if isinstance(source, str | PathLike) else "the region"


def _lay(mask: Mask, outlines: list[BaseGeometry]) -> SessionRegions:
    """Regions on one mask."""
    inside = np.stack([_inside(outline, mask) for outline in outlines], axis=1)
    covered = [_covered(mask, outline, cells) for outline, cells in zip(outlines, inside.T, strict=True)]
    return _session_regions(mask, inside, np.array(covered))


def _inside(outline: BaseGeometry, mask: Mask) -> NDArray[np.bool_]:
    """Cells with their centre in a polygon, (J,)."""
    return cells_in(outline, mask.x + NUDGE[0], mask.y + NUDGE[1])


def _session_regions(mask: Mask, inside: NDArray[np.bool_], covered: Floats) -> SessionRegions:
    members, atom = np.unique(inside, axis=0, return_inverse=True)
    km2 = inside.T.astype(float) @ mask.area
    return SessionRegions(atom.reshape(-1).astype(np.intp), members, km2, covered)


def _covered(mask: Mask, outline: BaseGeometry, inside: NDArray[np.bool_]) -> float:
    """Share of a polygon (of the habitat in it, if the mask was clipped to one) that the mask covers.

    Measured with the points of the mask's own lattice, so that cut cells at the border do not count against it.
    """
    km2 = float(mask.area[inside].sum())
    points = _lattice_over(mask, outline)
    if points is None:
        return float(min(1.0, km2 / (outline.area / 1e6)))
    x, y = points[:, 0] + NUDGE[0], points[:, 1] + NUDGE[1]
    wanted = cells_in(outline, x, y)
    if mask.region is not None:
        wanted &= cells_in(mask.region, x, y)
    number = int(wanted.sum())
    return float(min(1.0, int(inside.sum()) / number) if number else inside.any())


def _lattice_over(mask: Mask, outline: BaseGeometry) -> Floats | None:
    """Points of the mask's lattice over the bounds of a polygon; None if there is no lattice or they are too many."""
    step = mask.spacing
    if step is None:
        return None
    west, south, east, north = outline.bounds
    lines = [
        origin + step * np.arange(np.ceil((low - origin) / step) - 1, np.floor((high - origin) / step) + 2)
        for origin, low, high in ((mask.x[0], west, east), (mask.y[0], south, north))
    ]
    if len(lines[0]) * len(lines[1]) > MOST_POINTS:
        return None
    return np.stack(np.meshgrid(*lines), axis=-1).reshape(-1, 2)


def _check_cells(
    names: tuple[str, ...], sessions: list[SessionRegions], problem: Problem, outlines: list[dict[str, BaseGeometry]]
) -> None:
    nowhere = np.all([s.empty for s in sessions], axis=0)
    bad = [name for name, is_bad in zip(names, nowhere, strict=True) if is_bad]
    if not bad:
        return
    first = list(outlines[0].values())[int(np.flatnonzero(nowhere)[0])]
    west, south, east, north = first.bounds
    mask = problem.masks[problem.data[0].session]
    more = f" (and {len(bad) - 1} more regions)" if len(bad) > 1 else ""
    raise DataError(
        f"No cell of the mask has its centre in {bad[0]!r}{more}, which has {area(first.area / 1e6)} and spans "
        f"x {west:.6g} to {east:.6g}, y {south:.6g} to {north:.6g}; {span('cells of the mask', mask.x, mask.y)}. "
        "Leave it out, use a mask that reaches it, or check its coordinate reference system.",
        offenders=bad,
    )


def _warn_partial(names: tuple[str, ...], sessions: list[SessionRegions]) -> None:
    """Say which regions are covered in part: by the best of the sessions, since each area may have its own."""
    shares = np.array([np.where(s.empty, 0.0, s.covered) for s in sessions])
    best, at = shares.argmax(axis=0), np.arange(shares.shape[1])
    covered, km2 = shares[best, at], np.array([s.area for s in sessions])[best, at]
    low = [
        f"{name} ({area(part)}, which is {percent(share)} of it)"
        for name, share, part in zip(names, covered, km2, strict=True)
        if share < COVERED
    ]
    if low:
        more = f" and {len(low) - 5} more" if len(low) > 5 else ""
        warnings.warn(
            f"The mask covers only part of {', '.join(low[:5])}{more}: N is of that part. A larger buffer covers more.",
            DataWarning,
            stacklevel=5,
        )


def _warn_default(session: str | None, covered: float, km2: float) -> None:
    if covered < COVERED:
        of = f" of session {session!r}" if session is not None else ""
        warnings.warn(
            f"The mask{of} covers {percent(covered)} of the polygon that it was clipped to (the rest is beyond the "
            f"buffer): N is of these {area(km2)}. Use a larger buffer, or say where with regions=.",
            DataWarning,
            stacklevel=5,
        )
