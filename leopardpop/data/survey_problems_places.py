"""Problems of places: coordinates that are swapped, rounded, shared, missing, or far from all others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.names import counted, listed
from leopardpop.data.survey_problems_tables import LOOK, MUST, NOTE, Problem, Tables

__all__ = ["FINDERS", "nearest_distances", "outliers"]

FAR, TIMES = 25_000.0, 20.0
"""A station is far from all others if its nearest one is both farther than that (m) and this many times the median."""
ZERO = 1e-9
"""Coordinates up to that are 0: filled in by a program that had none."""
ROUND_METRES, ROUND_STATIONS = 100.0, 5
DECIMALS = {0: 111.0, 1: 11.0, 2: 1.1, 3: 0.11}
"""Decimals of a degree -> kilometres that they mean."""
EXACT, PROJECTED = 1e-9, 2e-5
"""Degrees within which a place is a round one: as it was read, and after it was projected to whole metres."""
NARROW = 100.0
"""Metres: no camera-trap survey is so small."""


def nearest_distances(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each place to the nearest other one, (K,) metres; infinite for a single one."""
    if len(xy) < 2:
        return np.full(len(xy), np.inf)
    from scipy.spatial import cKDTree

    nearest: NDArray[np.float64] = cKDTree(xy).query(xy, k=2)[0][:, 1]
    return nearest


def far_away(tables: Tables) -> Iterator[Problem]:
    """Stations far from all others; where it helps, swapped coordinates are named as the cause."""
    apart = _apart(tables)
    for i in apart:
        others = np.delete(tables.xy, apart if len(apart) < len(tables.xy) else i, axis=0)
        km = _distance(tables.xy[i], others) / 1000
        where, found = f"station {tables.names[i]}", f"{km:,.0f} km from the nearest other station"
        if _zero(tables, i):
            yield Problem(MUST, where, f"{found}: its coordinates are 0", "fill them in")
        elif _swapped(tables, i):
            found += ": with its two coordinates swapped it is among the others"
            yield Problem(MUST, where, found, "swap them")
        elif _signed(tables, i):
            found += ": with a coordinate of the other sign it is among the others"
            yield Problem(MUST, where, found, "correct the sign")
        else:
            yield Problem(LOOK, where, found, "correct its coordinates, or make it a survey of its own")


def outliers(xy: NDArray[np.float64]) -> NDArray[np.intp]:
    """Rows of the places (K, 2) in metres that lie far from all others; of three only one at 0, 0."""
    nearest = nearest_distances(xy)
    if len(xy) < 3:
        return np.empty(0, dtype=np.intp)
    if len(xy) == 3:
        zero = (np.abs(xy) < ZERO).all(axis=1)
        return np.flatnonzero(zero & (nearest > max(FAR, TIMES * float(nearest.min()))))
    return np.flatnonzero(nearest > max(FAR, TIMES * float(np.median(nearest))))


def _apart(tables: Tables) -> list[int]:
    """Stations far from all others, however few, if they lie at longitude and latitude 0: in the sea."""
    rows = set(outliers(tables.xy).tolist())
    zero = (
        np.zeros(len(tables.xy), dtype=bool) if tables.degrees is None else (np.abs(tables.degrees) < ZERO).all(axis=1)
    )
    if not zero.all():
        rows |= {int(i) for i in np.flatnonzero(zero) if _distance(tables.xy[i], tables.xy[~zero]) > FAR}
    return sorted(rows)


def _distance(place: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Metres from a place to the nearest of others."""
    return float(np.hypot(*(others - place).T).min())


def _zero(tables: Tables, i: int) -> bool:
    places = [tables.xy[i]] if tables.degrees is None else [tables.xy[i], tables.degrees[i]]
    return any(bool((np.abs(place) < ZERO).all()) for place in places)


def _swapped(tables: Tables, i: int) -> bool:
    return any(
        _among(tables, places, i, [places[i][::-1]]) for places in (tables.xy, tables.degrees) if places is not None
    )


def _signed(tables: Tables, i: int) -> bool:
    """Whether west was written as east, or south as north."""
    degrees = tables.degrees
    return degrees is not None and _among(
        tables, degrees, i, [degrees[i] * sign for sign in ([-1, 1], [1, -1], [-1, -1])]
    )


def _among(tables: Tables, places: NDArray[np.float64], i: int, instead: list[NDArray[np.float64]]) -> bool:
    """Whether a station would lie among the others at one of some other places."""
    others = np.delete(places, _apart(tables), axis=0)
    low, high = others.min(axis=0), others.max(axis=0)
    margin = np.maximum(0.5 * (high - low), 1e-6)
    return any(bool(((each >= low - margin) & (each <= high + margin)).all()) for each in instead)


def shared_places(tables: Tables) -> Iterator[Problem]:
    """Stations with the same coordinates."""
    for _, rows in tables.stations[tables.stations.duplicated(["x", "y"], keep=False)].groupby(["x", "y"], sort=False):
        names = rows["station"].tolist()
        fix = "two cameras of a pair are one station: give them one label; else correct the coordinates"
        yield Problem(LOOK, f"stations {listed(names, 4)}".replace("'", ""), "have the same coordinates", fix)


def too_near(tables: Tables) -> Iterator[Problem]:
    """Stations within a few steps of each other: degrees or kilometres, where metres are meant."""
    extent = np.ptp(tables.xy, axis=0)
    if 0 < extent.max() < NARROW:
        (west, east), (south, north) = ((column.min(), column.max()) for column in tables.xy.T)
        found = f"all within {extent.max():.3g} m (x {west:g} to {east:g}, y {south:g} to {north:g})"
        fix = "x and y are metres: are these degrees, or kilometres?"
        yield Problem(MUST, "stations", found, fix)


def rounded(tables: Tables) -> Iterator[Problem]:
    """Coordinates with so few digits that distances are wrong."""
    given = {"longitude", "latitude"} <= set(tables.stations.columns)
    many = len(tables.stations) >= ROUND_STATIONS
    if many and not np.mod(tables.xy, ROUND_METRES).any():
        found = f"all coordinates are multiples of {ROUND_METRES:.0f} m"
        yield Problem(NOTE, "stations", found, "rounded on purpose? Then σ cannot be trusted below that length")
    elif tables.degrees is not None and (given or many):
        yield from _rounded_degrees(tables.degrees, EXACT if given else PROJECTED)


def _rounded_degrees(values: NDArray[np.float64], precision: float) -> Iterator[Problem]:
    decimals = next((k for k in DECIMALS if np.allclose(values, np.round(values, k), rtol=0, atol=precision)), None)
    if decimals is None or len(values) < 3:
        return
    found = (
        f"coordinates have {counted(decimals, 'decimal')} of a degree: they are good to about {DECIMALS[decimals]:g} km"
    )
    fix = "get the coordinates as they were measured; σ cannot be trusted below that length"
    yield Problem(LOOK if decimals < 3 else NOTE, "stations", found, fix)


FINDERS = (far_away, too_near, shared_places, rounded)
