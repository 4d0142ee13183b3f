"""Problems of places: coordinates that are swapped, rounded, shared, missing, or far from all others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.names import listed
from leopardpop.data.survey_problems_tables import LOOK, MUST, NOTE, Problem, Tables

__all__ = ["FINDERS", "nearest_distances"]

FAR, TIMES = 25_000.0, 20.0
"""A station is far from all others if its nearest one is both farther than that (m) and this many times the median."""
ROUND_METRES, ROUND_STATIONS = 100.0, 5
DECIMALS = {0: 111.0, 1: 11.0, 2: 1.1, 3: 0.11}
"""Decimals of a degree -> kilometres that they mean."""


def nearest_distances(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each place to the nearest other one, (K,) metres; infinite for a single one."""
    if len(xy) < 2:
        return np.full(len(xy), np.inf)
    from scipy.spatial import cKDTree

    nearest: NDArray[np.float64] = cKDTree(xy).query(xy, k=2)[0][:, 1]
    return nearest


def far_away(tables: Tables) -> Iterator[Problem]:
    """Stations far from all others; where it helps, swapped coordinates are named as the cause."""
    for i in _outliers(tables.xy):
        km = np.hypot(*(np.delete(tables.xy, i, axis=0) - tables.xy[i]).T).min() / 1000
        where, found = f"station {tables.names[i]}", f"{km:,.0f} km from the nearest other station"
        if _zero(tables, i):
            yield Problem(MUST, where, f"{found}: its coordinates are 0", "fill them in")
        elif _swapped(tables, i):
            found += ": with its two coordinates swapped it is among the others"
            yield Problem(MUST, where, found, "swap them")
        else:
            yield Problem(LOOK, where, found, "correct its coordinates, or make it a survey of its own")


def _outliers(xy: NDArray[np.float64]) -> NDArray[np.intp]:
    nearest = nearest_distances(xy)
    if len(xy) < 4:
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(nearest > max(FAR, TIMES * float(np.median(nearest))))


def _zero(tables: Tables, i: int) -> bool:
    places = [tables.xy[i]] if tables.degrees is None else [tables.xy[i], tables.degrees[i]]
    return any(bool((np.abs(place) < 1e-9).all()) for place in places)


def _swapped(tables: Tables, i: int) -> bool:
    for places in (tables.xy, tables.degrees):
        if places is None:
            continue
        others = np.delete(places, _outliers(tables.xy), axis=0)
        low, high = others.min(axis=0), others.max(axis=0)
        margin = np.maximum(0.5 * (high - low), 1e-6)
        turned = places[i][::-1]
        if ((turned >= low - margin) & (turned <= high + margin)).all():
            return True
    return False


def shared_places(tables: Tables) -> Iterator[Problem]:
    """Stations with the same coordinates."""
    for _, rows in tables.stations[tables.stations.duplicated(["x", "y"], keep=False)].groupby(["x", "y"], sort=False):
        names = rows["station"].tolist()
        fix = "two cameras of a pair are one station: give them one label; else correct the coordinates"
        yield Problem(LOOK, f"stations {listed(names, 4)}".replace("'", ""), "have the same coordinates", fix)


def rounded(tables: Tables) -> Iterator[Problem]:
    """Coordinates with so few digits that distances are wrong."""
    names = ["longitude", "latitude"]
    if set(names) <= set(tables.stations.columns) and tables.degrees is not None:
        yield from _rounded_degrees(tables.degrees)
    elif len(tables.stations) >= ROUND_STATIONS and not np.mod(tables.xy, ROUND_METRES).any():
        found = f"all coordinates are multiples of {ROUND_METRES:.0f} m"
        yield Problem(NOTE, "stations", found, "rounded on purpose? Then σ cannot be trusted below that length")


def _rounded_degrees(values: NDArray[np.float64]) -> Iterator[Problem]:
    decimals = next((k for k in DECIMALS if np.allclose(values, np.round(values, k), rtol=0, atol=1e-9)), None)
    if decimals is None or len(values) < 3:
        return
    found = f"coordinates have {decimals} decimals of a degree: they are good to about {DECIMALS[decimals]:g} km"
    fix = "get the coordinates as they were measured; σ cannot be trusted below that length"
    yield Problem(LOOK if decimals < 3 else NOTE, "stations", found, fix)


FINDERS = (far_away, shared_places, rounded)
