"""One session of a capture history while it is being built, and the checks that every one must pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leopardpop.data.covariates import LINE_BREAKS, as_covariates
from leopardpop.data.flanks import check_flanks
from leopardpop.errors import DataError
from leopardpop.words import counted

__all__ = ["DETECTORS", "SessionParts", "check_parts"]

DETECTORS = ("proximity", "count", "multi")
"""Kinds of data: seen or not, how often, and at one station at most in each occasion."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SessionParts:
    """One session as a reader hands it over: ``n`` animals, ``K`` stations, ``S`` occasions, ``m`` rows of detections.

    Positions count from 0 within the session. What is ``None`` gets its default from :func:`check_parts`.
    """

    session: str
    """Label of the session."""
    individuals: Sequence[str]
    """Animal labels, length n, all different."""
    stations: Sequence[str]
    """Station labels, length K, all different."""
    xy: ArrayLike
    """Station coordinates in metres, (K, 2)."""
    effort: ArrayLike
    """Effort in the history's unit, 0 = off, (K, S)."""
    individual: ArrayLike
    """Animal of each row of detections, (m,)."""
    station: ArrayLike
    """Station of each row, (m,)."""
    occasion: ArrayLike
    """Occasion of each row, (m,). No animal x station x occasion twice: add up the counts."""
    count: ArrayLike | None = None
    """Number of detections in each row, (m,). Default 1."""
    exposure: ArrayLike | None = None
    """Occasions that each animal lived through, (n,): S, or the 1-based occasion of its death. Default S."""
    removed: ArrayLike | None = None
    """Whether each animal died or was taken away, (n,). Default ``exposure < S``."""
    occasions: Sequence[str] | None = None
    """Occasion labels, length S. Default "1" ... "S"."""
    occasion_start: ArrayLike | None = None
    """Start of each occasion, (S,), datetime64, if known."""
    station_covariates: pd.DataFrame | None = None
    """One row a station, in the order of ``stations``."""
    individual_covariates: pd.DataFrame | None = None
    """One row an animal, in the order of ``individuals``."""
    occasion_covariates: pd.DataFrame | None = None
    """One row an occasion."""
    visit_covariates: Mapping[str, Any] | None = None
    """Covariates by station x occasion, (K, S) each; missing where the station was off, if you like."""
    flanks: ArrayLike | None = None
    """Records of each row that show the left flank, the right one, and both, (m, 3); None: of no row is it known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckedParts:
    """What :func:`check_parts` returns: the fields of :class:`SessionParts` in their final types."""

    session: str
    individuals: tuple[str, ...]
    stations: tuple[str, ...]
    xy: NDArray[np.float64]
    effort: NDArray[np.float64]
    individual: NDArray[np.intp]
    station: NDArray[np.intp]
    occasion: NDArray[np.intp]
    count: NDArray[np.int64]
    exposure: NDArray[np.intp]
    removed: NDArray[np.bool_]
    occasions: tuple[str, ...]
    occasion_start: NDArray[np.datetime64] | None
    station_covariates: pd.DataFrame
    individual_covariates: pd.DataFrame
    occasion_covariates: pd.DataFrame
    visit_covariates: Mapping[str, NDArray[Any]]
    flanks: NDArray[np.int64] | None = None


def check_parts(parts: SessionParts, detector: str) -> CheckedParts:
    """Fill in the defaults, bring the detections into order and check that everything fits together.

    Parameters
    ----------
    parts
        One session.
    detector
        "proximity", "count" or "multi".

    Returns
    -------
    CheckedParts
        Detections sorted by animal, occasion and station.

    Raises
    ------
    DataError
        If shapes or labels disagree, a number is impossible, or a detection contradicts the effort, the detector or
        a death.
    """
    checked = _with_types(parts)
    _check_labels(checked)
    _check_numbers(checked)
    _check_positions(checked)
    checked = _sorted(checked)
    _check_rows(checked, detector)
    _check_removals(checked)
    return checked


def _with_types(parts: SessionParts) -> CheckedParts:
    n, K = len(parts.individuals), len(parts.stations)
    effort = _array(parts, "effort", np.float64, (K, None))
    S = effort.shape[1]
    m = np.size(np.asarray(parts.individual))
    exposure = np.full(n, S) if parts.exposure is None else parts.exposure
    parts = replace(
        parts,
        count=np.ones(m) if parts.count is None else parts.count,
        exposure=exposure,
        removed=np.asarray(exposure) < S if parts.removed is None else parts.removed,
        occasions=[str(s + 1) for s in range(S)] if parts.occasions is None else parts.occasions,
    )
    return CheckedParts(
        session=str(parts.session),
        individuals=tuple(str(label) for label in parts.individuals),
        stations=tuple(str(label) for label in parts.stations),
        xy=_array(parts, "xy", np.float64, (K, 2)),
        effort=effort,
        individual=_array(parts, "individual", np.intp, (m,)),
        station=_array(parts, "station", np.intp, (m,)),
        occasion=_array(parts, "occasion", np.intp, (m,)),
        count=_array(parts, "count", np.int64, (m,)),
        exposure=_array(parts, "exposure", np.intp, (n,)),
        removed=_array(parts, "removed", np.bool_, (n,)),
        occasions=tuple(str(label) for label in parts.occasions or ()),
        occasion_start=None
        if parts.occasion_start is None
        else _array(parts, "occasion_start", np.dtype("datetime64[ns]"), (S,)),
        station_covariates=as_covariates(parts.station_covariates, K, "station"),
        individual_covariates=as_covariates(parts.individual_covariates, n, "individual"),
        occasion_covariates=as_covariates(parts.occasion_covariates, S, "occasion"),
        visit_covariates=_visit_covariates(parts, (K, S)),
        flanks=None if parts.flanks is None else _array(parts, "flanks", np.int64, (m, 3)),
    )


def _visit_covariates(parts: SessionParts, shape: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """Covariates by station and occasion in the two types of covariates."""
    given = {str(name): np.asarray(values) for name, values in (parts.visit_covariates or {}).items()}
    for name, values in given.items():
        if values.shape != shape:
            raise DataError(
                f"session '{parts.session}': visit covariate '{name}' has shape {values.shape}, but {shape} is needed."
            )
    table = pd.DataFrame({name: pd.Series(values.ravel()) for name, values in given.items()})
    clean = as_covariates(table if given else None, shape[0] * shape[1], "visit")
    return {str(name): clean[name].to_numpy().reshape(shape) for name in clean.columns}


def _array(parts: SessionParts, name: str, dtype: Any, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Return a copy of a field as an array, if it has the shape (None: any length)."""
    array = np.array(getattr(parts, name), dtype=dtype)
    fits = array.ndim == len(shape) and all(want in (None, have) for have, want in zip(array.shape, shape, strict=True))
    if not fits:
        raise DataError(f"session '{parts.session}': {name} has shape {array.shape}, but {shape} is needed.")
    return array


def _check_labels(parts: CheckedParts) -> None:
    for name, labels in (("individual", parts.individuals), ("station", parts.stations), ("occasion", parts.occasions)):
        twice = [label for label, times in Counter(labels).items() if times > 1]
        if twice:
            raise DataError(f"session '{parts.session}' has {name} '{twice[0]}' more than once.", offenders=twice)
        odd = [label for label in labels if not label or LINE_BREAKS.search(label)]
        if odd:
            raise DataError(f"{name} {odd[0]!r} is empty or has a line break in it. Rename it.", offenders=odd)
    if not parts.stations:
        raise DataError(f"session '{parts.session}' has no stations. Leave it out, or give its stations.")
    if not parts.occasions or len(parts.occasions) != parts.effort.shape[1]:
        raise DataError(
            f"session '{parts.session}' has {counted(len(parts.occasions), 'occasion label')} and "
            f"{counted(parts.effort.shape[1], 'column')} of effort. At least one occasion is needed, each with a label."
        )


def _check_numbers(parts: CheckedParts) -> None:
    bad = ~np.isfinite(parts.xy).all(axis=1)
    if bad.any():
        _raise_stations(parts, bad, "coordinates that are not finite numbers")
    bad = ~(np.isfinite(parts.effort) & (parts.effort >= 0)).all(axis=1)
    if bad.any():
        _raise_stations(parts, bad, "effort that is negative or not a finite number")


def _raise_stations(parts: CheckedParts, bad: NDArray[np.bool_], what: str) -> None:
    labels = [parts.stations[k] for k in np.flatnonzero(bad)]
    raise DataError(
        f"session '{parts.session}', station '{labels[0]}' has {what} ({counted(len(labels), 'station')} in "
        "all). Correct them.",
        offenders=labels,
    )


def _check_positions(parts: CheckedParts) -> None:
    limits = {
        "individual": len(parts.individuals),
        "station": len(parts.stations),
        "occasion": parts.effort.shape[1],
    }
    for name, limit in limits.items():
        positions = getattr(parts, name)
        if positions.size and not (positions.min() >= 0 and positions.max() < limit):
            raise DataError(f"session '{parts.session}': detections point to {name}s outside 0 ... {limit - 1}.")
    if parts.count.size and parts.count.min() < 1:
        raise DataError(f"session '{parts.session}': a row of detections has count {parts.count.min()}. At least 1.")
    seen = np.bincount(parts.individual, minlength=len(parts.individuals))
    if seen.size and seen.min() == 0:
        label = parts.individuals[int(seen.argmin())]
        raise DataError(
            f"session '{parts.session}': animal '{label}' has no detection. A history lists detected animals only."
        )


def _sorted(parts: CheckedParts) -> CheckedParts:
    order = np.lexsort((parts.station, parts.occasion, parts.individual))
    fields = ("individual", "station", "occasion", "count")
    flanks = None if parts.flanks is None else parts.flanks[order]
    return replace(parts, flanks=flanks, **{name: getattr(parts, name)[order] for name in fields})


def _check_rows(parts: CheckedParts, detector: str) -> None:
    """Check the sorted rows: none twice, none without effort, and what the detector allows."""
    same_occasion = (np.diff(parts.individual) == 0) & (np.diff(parts.occasion) == 0)
    if (same_occasion & (np.diff(parts.station) == 0)).any():
        raise DataError(f"session '{parts.session}': an animal x station x occasion occurs twice. Add up the counts.")
    if parts.flanks is not None:
        check_flanks(parts.flanks, parts.count, lambda row: _row_words(parts, row))
    off = parts.effort[parts.station, parts.occasion] == 0
    if off.any():
        _raise_rows(parts, off, "a detection without effort. Correct the effort")
    if detector == "multi" and same_occasion.any():
        _raise_rows(
            parts, np.append(False, same_occasion), "a second station in one occasion. Use detector='proximity'"
        )
    if detector != "count" and parts.count.size and parts.count.max() > 1:
        _raise_rows(parts, parts.count > 1, f"several detections on a {detector} detector. Use detector='count'")


def _row_words(parts: CheckedParts, row: int) -> str:
    animal, station = parts.individuals[parts.individual[row]], parts.stations[parts.station[row]]
    occasion = parts.occasions[parts.occasion[row]]
    return f"session '{parts.session}': animal '{animal}' at station '{station}' on occasion '{occasion}'"


def _raise_rows(parts: CheckedParts, bad: NDArray[np.bool_], what: str) -> None:
    rows = np.flatnonzero(bad)
    offenders = pd.DataFrame(
        {
            "individual": [parts.individuals[i] for i in parts.individual[rows]],
            "station": [parts.stations[k] for k in parts.station[rows]],
            "occasion": [parts.occasions[s] for s in parts.occasion[rows]],
            "count": parts.count[rows],
        }
    )
    first = offenders.iloc[0]
    raise DataError(
        f"session '{parts.session}': animal '{first['individual']}' at station '{first['station']}' on occasion "
        f"'{first['occasion']}' has {what} ({counted(len(rows), 'row')} in all).",
        offenders=offenders,
    )


def _check_removals(parts: CheckedParts) -> None:
    last = np.zeros(len(parts.individuals), dtype=np.intp)
    np.maximum.at(last, parts.individual, parts.occasion + 1)
    bad = (parts.exposure < last) | (parts.exposure > parts.effort.shape[1])
    bad |= ~parts.removed & (parts.exposure < parts.effort.shape[1])
    if bad.any():
        label = parts.individuals[int(bad.argmax())]
        raise DataError(
            f"session '{parts.session}': animal '{label}' is exposed for {parts.exposure[bad.argmax()]} occasions, but "
            f"its last detection is on occasion {last[bad.argmax()]} of {parts.effort.shape[1]}."
        )
