"""Coordinate reference systems and projections: thin helpers over pyproj, which loads where it is first used."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leopardpop.data.names import counted
from leopardpop.data.notices import notice
from leopardpop.errors import DataError, ProjectionWarning

__all__ = [
    "LOCAL",
    "check_metres",
    "check_place",
    "crs_text",
    "is_geographic",
    "looks_like_degrees",
    "project",
    "same_crs",
    "say_projected",
    "try_project",
    "utm_crs",
    "wide_crs",
]

Floats = NDArray[np.float64]

POLAR = ("EPSG:32761", "EPSG:32661")
"""Polar stereographic, of the south and of the north."""
LOCAL = "local"
"""Says in place of a coordinate reference system: metres, with no place on the earth."""


def crs_text(crs: Any) -> str | None:
    """Write a coordinate reference system as text: ``"EPSG:32652"``, or ``+proj=...`` or WKT without a code.

    Parameters
    ----------
    crs
        Anything that pyproj understands, or None.

    Returns
    -------
    str or None

    Raises
    ------
    DataError
        If pyproj does not know it.

    Examples
    --------
    >>> crs_text("epsg:32652"), crs_text(32652), crs_text(None)
    ('EPSG:32652', 'EPSG:32652', None)
    """
    if crs is None or (isinstance(crs, str) and crs == LOCAL):
        return None
    found = _crs(crs)
    authority = found.to_authority(min_confidence=100)
    if authority:
        return ":".join(authority)
    return crs if isinstance(crs, str) and crs.startswith("+proj=") else str(found.to_wkt())


def _crs(crs: Any) -> Any:
    import pyproj

    try:
        return pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        message = f'crs={crs!r} is not a known coordinate reference system. Give for example crs="EPSG:32652".'
        raise DataError(message, offenders=[crs]) from error


def is_geographic(crs: Any) -> bool:
    """Whether a coordinate reference system counts in degrees of longitude and latitude.

    Examples
    --------
    >>> is_geographic("EPSG:4326"), is_geographic("EPSG:32652"), is_geographic(None)
    (True, False, False)
    """
    return crs is not None and bool(_crs(crs).is_geographic)


def same_crs(one: Any, other: Any) -> bool:
    """Whether two coordinate reference systems are the same, whatever they are written as.

    Examples
    --------
    >>> same_crs("EPSG:32652", 32652), same_crs("EPSG:32652", None)
    (True, False)
    """
    if one is None or other is None:
        return one is other
    return bool(one == other) or bool(_crs(one).equals(_crs(other), ignore_axis_order=True))


def check_metres(crs: Any) -> str | None:
    """Check that a coordinate reference system counts in metres, and write it as text.

    Raises
    ------
    DataError
        If its unit is not the metre (degrees, feet).

    Examples
    --------
    >>> check_metres("EPSG:32652")
    'EPSG:32652'
    """
    text = crs_text(crs)
    if text is None:
        return None
    axis = _crs(text).axis_info[0]
    if axis.unit_name not in {"metre", "meter"}:
        raise DataError(
            f"{text} counts in units of {axis.unit_name!r}; distances are needed in metres. "
            "Project the coordinates first, for example to the UTM zone (leopardpop.data.space.utm_crs finds it)."
        )
    return text


def utm_crs(longitude: ArrayLike, latitude: ArrayLike) -> str:
    """Choose the UTM zone (WGS 84) of the middle of some points.

    Parameters
    ----------
    longitude, latitude
        Degrees.

    Returns
    -------
    str
        An EPSG code, 326zz north of the equator and 327zz south of it or across it.

    Raises
    ------
    DataError
        If the middle lies beyond 84° N or 80° S, or nowhere.

    Examples
    --------
    >>> utm_crs([130.6, 131.6], [42.5, 43.9])
    'EPSG:32652'
    >>> utm_crs(31.5, -24.5), utm_crs([179.6, -179.0], [66.0, 66.2])
    ('EPSG:32736', 'EPSG:32601')
    """
    east = np.atleast_1d(np.asarray(longitude, float))
    lon, lat = float(np.median(east)), float(np.median(np.asarray(latitude, float)))  # one place at 0, 0 moves no zone
    if 180 < np.ptp(east) <= 360 and np.abs(east).max() <= 180:  # on both sides of 180°: their middle is not at 0°
        lon = float(np.median(np.where(east < 0, east + 360, east)))
        lon -= 360 if lon > 180 else 0
    if -180 <= lon <= 180 and 80 < abs(lat) <= 90 and not 80 < lat <= 84:
        raise DataError(
            f"Latitude {lat:g} (longitude {lon:g}) is beyond the UTM zones, from 80° S to 84° N. Near a pole, choose a "
            f'system: crs="{POLAR[lat > 0]}". Else: are latitude and longitude swapped?'
        )
    if not (-180 <= lon <= 180 and -80 <= lat <= 84):
        raise DataError(f"Longitude {lon:g} and latitude {lat:g} lie in no UTM zone. Are they swapped, or in metres?")
    zone = min(int((lon + 180) // 6) + 1, 60)
    across = 0 <= lat < 10 and np.asarray(latitude, float).min() < 0  # southern coordinates are positive on both sides
    return f"EPSG:{(32700 if lat < 0 or across else 32600) + zone}"


def wide_crs(longitude: ArrayLike, latitude: ArrayLike) -> str:
    """Choose a projection for places that are too far apart for a UTM zone: equal areas around their middle.

    Areas, and with them densities, are exact; 1,000 km from the middle distances are wrong by 0.3 %, where those of a
    UTM zone are by 1.2 %.

    Examples
    --------
    >>> wide_crs([88.0, 104.24, 120.0], [45.0, 46.0, 47.0])
    '+proj=laea +lat_0=46 +lon_0=104.2 +datum=WGS84 +units=m +no_defs'
    """
    lon, lat = (float(np.round(np.median(np.asarray(each, float)), 1)) for each in (longitude, latitude))
    return f"+proj=laea +lat_0={lat:g} +lon_0={lon:g} +datum=WGS84 +units=m +no_defs"


def project(x: ArrayLike, y: ArrayLike, from_crs: Any, to_crs: Any) -> tuple[Floats, Floats]:
    """Project points from one coordinate reference system to another.

    Parameters
    ----------
    x, y
        Coordinates, (n,): metres, or longitude and latitude in degrees.
    from_crs, to_crs
        Coordinate reference systems.

    Returns
    -------
    x, y : (n,) arrays in the units of `to_crs`.

    Raises
    ------
    DataError
        If a point cannot be projected.

    Examples
    --------
    >>> x, y = project([131.0], [43.0], "EPSG:4326", "EPSG:32652")
    >>> float(x[0].round()), float(y[0].round())
    (663019.0, 4762756.0)
    """
    new_x, new_y = try_project(x, y, from_crs, to_crs)
    bad = np.flatnonzero(~(np.isfinite(new_x) & np.isfinite(new_y)))
    if bad.size:
        raise DataError(
            f"{counted(bad.size, 'point')} cannot be projected from {crs_text(from_crs)} to {crs_text(to_crs)} "
            f"(first: row {bad[0] + 1}). Check that longitude and latitude are not swapped.",
            offenders=bad.tolist(),
        )
    return new_x, new_y


def try_project(x: ArrayLike, y: ArrayLike, from_crs: Any, to_crs: Any) -> tuple[Floats, Floats]:
    """Project points as :func:`project` does; infinite where that is impossible."""
    from pyproj import Transformer

    transform = Transformer.from_crs(_crs(from_crs), _crs(to_crs), always_xy=True).transform
    new_x, new_y = transform(np.asarray(x, float), np.asarray(y, float))
    return np.asarray(new_x, float), np.asarray(new_y, float)


def looks_like_degrees(x: ArrayLike, y: ArrayLike, crs: Any = None) -> bool:
    """Guess whether coordinates that should be metres are longitude and latitude.

    With a coordinate reference system in metres, anything within 180 and 90 is taken for degrees;
    without one a small local grid in whole metres is possible, so decimals are asked for as well.

    Examples
    --------
    >>> looks_like_degrees([131.02, 131.11], [43.05, 43.1])
    True
    >>> looks_like_degrees([0, 10, 20], [0, 10, 20])
    False
    """
    points = np.column_stack([np.asarray(x, float), np.asarray(y, float)])
    if not len(points) or (np.abs(points) > [180, 90]).any():
        return False
    if crs is not None:
        return True
    fine = (np.abs(points - np.round(points)) > 1e-6).any(axis=1)
    return bool(fine.mean() >= 0.5 and np.ptp(points, axis=0).max() < 30)


def check_place(x: ArrayLike, y: ArrayLike, crs: Any, what: str) -> None:
    """Check that coordinates can be metres of their system.

    Parameters
    ----------
    x, y
        Coordinates, (n,).
    crs
        System that they are said to be in; None if unknown, "local" if they have no place on the earth.
    what
        What messages call a point: "station", "cell".

    Raises
    ------
    DataError
        If they look like degrees, or a point is outside its UTM zone; ``offenders`` has the rows (from 0).

    Examples
    --------
    >>> check_place([500_000.0], [4_700_000.0], "EPSG:32652", "station")
    """
    if crs == LOCAL:
        return
    if looks_like_degrees(x, y, crs):
        raise DataError(
            f"The {what} coordinates look like degrees of longitude and latitude (first: x={np.ravel(x)[0]:g}, "
            f"y={np.ravel(y)[0]:g}); metres are needed. Project them first, for example to {_utm_hint(x, y)}."
        )
    if crs is None or not re.fullmatch(r"EPSG:32[67]\d\d", str(crs)):
        return
    bad = np.flatnonzero((np.asarray(x, float) < 0) | (np.asarray(y, float) < 0))
    if bad.size:
        first, have = int(bad[0]), "has" if bad.size == 1 else "have"
        raise DataError(
            f"{counted(bad.size, what)} {have} negative coordinates, which {crs} does not have (first: row "
            f"{first + 1}, x={np.ravel(x)[first]:g}, y={np.ravel(y)[first]:g}). Correct them, or crs=.",
            offenders=bad.tolist(),
        )


def _utm_hint(x: ArrayLike, y: ArrayLike) -> str:
    latitude = float(np.asarray(y, float).mean())
    return utm_crs(x, y) if -80 <= latitude <= 84 else "the UTM zone"


def say_projected(name: str, from_crs: Any, to_crs: Any, owner: str = "the stations") -> None:
    """Warn that something was projected to the system of `owner`."""
    message = f"The {name} was projected from {crs_text(from_crs)} to {crs_text(to_crs)}, the system of {owner}."
    notice(message, ProjectionWarning)
