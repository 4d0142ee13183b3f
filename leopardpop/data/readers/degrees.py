"""Longitude and latitude as field teams write them: read, looked at for swaps, and projected to metres."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.covariates import MISSING_WORDS, as_number
from leopardpop.data.projections import check_metres, crs_text, try_project, utm_crs, wide_crs
from leopardpop.data.survey_problems_places import outliers
from leopardpop.data.tables import Table, label

__all__ = ["WGS84", "check_not_swapped", "check_within", "project_rows", "read_degrees", "spatial_box", "swapped_rows"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

WGS84 = "EPSG:4326"
NUMBER = r"\d+(?:[.,]\d+)?"
DEGREES_MINUTES = re.compile(
    rf"""^([NSEW]?)\s*(-?\d+)\s*(?:[°ºd:]|\s)\s*({NUMBER})\s*['′’m:]?\s*(?:({NUMBER})\s*["″”s]?)?\s*([NSEW]?)$""",
    re.IGNORECASE,
)
WITH_LETTER = re.compile(rf"^([NSEW]?)\s*(-?{NUMBER})\s*[°º]?\s*([NSEW]?)$", re.IGNORECASE)
CLEAR = 1.0
"""Degrees between longitude and latitude from which on it can be told which is which."""
EASTERN = 1_000_000.0
"""Eastings of a UTM zone end there."""
FARTHEST = 3e7
"""Metres: stands for a place that cannot be projected."""
REACH = 0.25
"""Degrees: a survey counts as at least so wide."""


def read_degrees(table: Table, column: str, most: float, called: str | None = None) -> Floats:
    """Read decimal degrees, with a decimal point or comma.

    Parameters
    ----------
    table
        The rows.
    column
        Its column.
    most
        180 for a longitude, 90 for a latitude.
    called
        What messages call the column; None: its name.

    Returns
    -------
    (n,) array [degrees]

    Raises
    ------
    DataError
        If one is missing, too large, or in degrees and minutes; it names the line and the number to write.
    """
    words = [label(value) for value in table.frame[column].tolist()]
    numbers = np.array([_number(word) for word in words], dtype=np.float64)
    bad = ~(np.abs(numbers) <= most)
    if bad.any():
        word = words[int(bad.argmax())]
        found = "missing" if word in MISSING_WORDS else f"'{word}'"
        raise table.fail(bad, f"{called or column} is {found}", _advice(word, most))
    return numbers


def _number(word: str) -> float:
    found = as_number(word, decimal_comma=True)
    return np.nan if found is None else found


def _advice(word: str, most: float) -> str:
    if found := DEGREES_MINUTES.match(word):
        minutes, seconds = (float((found[i] or "0").replace(",", ".")) for i in (3, 4))
        size = abs(int(found[2])) + minutes / 60 + seconds / 3600
        west = "-" if found[2].startswith("-") or (found[1] or found[5]).upper() in ("S", "W") else ""
        return f"That is in degrees and minutes. Write decimal degrees: {west}{size:.6f}."
    number = _number(word)
    if np.isnan(number) and (found := WITH_LETTER.match(word)):
        west = "-" if (found[1] or found[3]).upper() in ("S", "W") else ""
        return f"Write decimal degrees, a number alone: {west}{found[2].replace(',', '.')}."
    if most < abs(number) <= 180:
        return "Decimal degrees between -90 and 90 are needed. Are latitude and longitude swapped?"
    if abs(number) > 360:
        return "Degrees are needed, not metres: longitude and latitude of WGS 84."
    return f"Decimal degrees between {-most:g} and {most:g} are needed."


def swapped_rows(longitude: Floats, latitude: Floats) -> Booleans:
    """Which places lie far from the others, but among them with longitude and latitude swapped.

    Parameters
    ----------
    longitude, latitude
        Degrees, (n,).

    Returns
    -------
    (n,) bool array
        Nothing where longitude and latitude are too much alike to tell.

    Examples
    --------
    >>> swapped_rows(np.array([131.2, 43.1, 131.4]), np.array([43.2, 131.3, 43.0])).tolist()
    [False, True, False]
    """
    places, first, row = np.unique(
        np.column_stack([longitude, latitude]), axis=0, return_index=True, return_inverse=True
    )
    folded = np.sort(places, axis=1)  # the same for a place and its mirror image, so that the middle is one of both
    middle = np.median(folded, axis=0)
    gap = middle[1] - middle[0]
    near = np.abs(folded - middle).max(axis=1) < gap / 4
    if gap < CLEAR or not near.any():
        return np.zeros(len(row), dtype=bool)
    odd: Booleans = near & _fewer(places[:, 0] > places[:, 1], near, first)
    return (odd & _turned_in(places, places[~odd]))[row.ravel()] if odd.any() else odd[row.ravel()]


def _fewer(turned: Booleans, near: Booleans, first: NDArray[np.intp]) -> Booleans:
    """The rarer of two orders of coordinates; of equally many the one that does not come first."""
    share = float(turned[near].mean())
    if share == 0.5:
        leading = turned[near][int(first[near].argmin())]
        return np.asarray(turned != leading)
    return turned if share < 0.5 else ~turned


def _turned_in(places: Floats, others: Floats) -> Booleans:
    """Whether each place is far outside the others, and inside with its coordinates swapped."""
    low, high = others.min(axis=0), others.max(axis=0)
    reach = max(float((high - low).max()), REACH)
    away, turned = (np.maximum(low - each, each - high).max(axis=1) for each in (places, places[:, ::-1]))
    return np.asarray((away > 2 * reach) & (turned < reach / 2))


def check_not_swapped(table: Table, longitude: Floats, latitude: Floats) -> None:
    """Refuse rows whose longitude and latitude are swapped, as the other rows show.

    Raises
    ------
    DataError
        Naming the line of the first one.
    """
    bad = swapped_rows(longitude, latitude)
    if bad.any():
        found = f"{_place(longitude, latitude, bad)} is far from the others; with the two swapped it lies among them"
        raise table.fail(bad, found, "Swap latitude and longitude there.")


def _place(longitude: Floats, latitude: Floats, rows: Booleans) -> str:
    row = int(rows.argmax())
    return f"latitude {latitude[row]:g}, longitude {longitude[row]:g}"


def project_rows(
    table: Table, longitude: Floats, latitude: Floats, crs: Any = None, given: Any = WGS84
) -> tuple[Floats, Floats, str]:
    """Project the places of the rows of a table to metres.

    Parameters
    ----------
    table
        The rows, for messages.
    longitude, latitude
        Degrees, (n,).
    crs
        System to project to; None: the UTM zone of their middle, or equal areas around it if they are too far apart.
    given
        System of longitude and latitude.

    Returns
    -------
    x, y : (n,) arrays [m]
    crs : str

    Raises
    ------
    DataError
        If longitude and latitude of a row are swapped, or its place does not exist in the system.
    """
    check_not_swapped(table, longitude, latitude)
    wanted = check_metres(crs) or _system(longitude, latitude)
    x, y = try_project(longitude, latitude, given, wanted)
    bad = ~(np.isfinite(x) & np.isfinite(y))
    if bad.any():
        found = f"{_place(longitude, latitude, bad)} cannot be projected to {crs_text(wanted)}"
        advice = "Correct the place, or crs=." if crs is not None else "It is too far from the others: correct it."
        raise table.fail(bad, found, advice)
    return x, y, wanted


def _system(longitude: Floats, latitude: Floats) -> str:
    """The UTM zone of the middle, if all places that are not by themselves lie within reach of it."""
    known = (longitude != 0) | (latitude != 0)  # a place at 0, 0 lies in the sea: it was never filled in
    if known.any():
        longitude, latitude = longitude[known], latitude[known]
    zone = utm_crs(longitude, latitude)
    x, y = try_project(longitude, latitude, WGS84, zone)
    outside = ~((x >= 0) & (x <= EASTERN) & (y >= 0))
    if not outside.any():
        return zone
    wide = wide_crs(longitude, latitude)
    places, row = np.unique(np.column_stack([longitude, latitude]), axis=0, return_inverse=True)
    alone = np.zeros(len(places), dtype=bool)
    metres = np.column_stack(try_project(places[:, 0], places[:, 1], WGS84, wide))
    alone[outliers(np.nan_to_num(metres, posinf=FARTHEST))] = True
    return wide if (outside & ~alone[row.ravel()]).any() else zone


# -- what a descriptor says of the whole ------------------------------------------------------------------------------
def spatial_box(geometry: Any) -> tuple[Floats, Floats] | None:
    """Find the rectangle around a GeoJSON object.

    Parameters
    ----------
    geometry
        Whatever stands in the descriptor: a geometry, a feature, a collection.

    Returns
    -------
    (west, south), (east, north) : arrays [degrees], or None if there is no position in it.

    Examples
    --------
    >>> [edge.tolist() for edge in spatial_box({"type": "Polygon", "coordinates": [[[4, 50], [6, 50], [6, 51]]]})]
    [[4.0, 50.0], [6.0, 51.0]]
    """
    found: list[list[float]] = []
    open_: list[Any] = [geometry]
    while open_:  # no recursion: a descriptor may be nested as deeply as it likes
        each = open_.pop()
        if isinstance(each, dict):
            open_.extend(each.get(key) for key in ("coordinates", "geometry", "geometries", "features"))
        elif isinstance(each, list) and len(each) >= 2 and all(type(part) in (int, float) for part in each[:2]):
            found.append([float(part) for part in each[:2]])
        elif isinstance(each, list):
            open_.extend(each)
    points = np.array(found).reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    return (points.min(axis=0), points.max(axis=0)) if len(points) else None


def check_within(table: Table, longitude: Floats, latitude: Floats, spatial: Any, where: str) -> None:
    """Refuse places that are all swapped, as the area that a descriptor states shows.

    Parameters
    ----------
    table
        The rows.
    longitude, latitude
        Degrees, (n,).
    spatial
        The area as GeoJSON, or anything else, which says nothing.
    where
        What the descriptor is called.

    Raises
    ------
    DataError
        If all places lie outside the area, and all inside it with longitude and latitude swapped.
    """
    box = spatial_box(spatial)
    if box is None:
        return
    low, high = (
        edge + sign * np.maximum(0.1 * (box[1] - box[0]), 0.01) for edge, sign in zip(box, (-1, 1), strict=True)
    )
    places = np.column_stack([longitude, latitude])
    inside, turned = (((each >= low) & (each <= high)).all(axis=1) for each in (places, places[:, ::-1]))
    if turned.all() and not inside.any():
        found = f"{_place(longitude, latitude, turned)} is outside the area that {where} states (spatial), and inside "
        raise table.fail(turned, f"{found}with the two swapped", "Swap the columns latitude and longitude.")
