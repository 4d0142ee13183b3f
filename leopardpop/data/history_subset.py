"""Part of a capture history: what some of its stations recorded, or what is known of some of its animals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.dataset import session_parts
from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.parts import CheckedParts, SessionParts
from leopardpop.errors import DataError

__all__ = ["at_stations", "of_animals"]


def at_stations(history: CaptureHistory, keep: Mapping[str, NDArray[np.bool_]]) -> CaptureHistory:
    """The history that some of the stations would have given: animals that were seen at no other are not in it.

    Parameters
    ----------
    history
        The history of all stations.
    keep
        Which stations are kept, by session, (K,) each.

    Returns
    -------
    CaptureHistory

    Raises
    ------
    DataError
        If a session is left without a station.

    Examples
    --------
    >>> import pandas as pd
    >>> stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
    >>> captures = pd.DataFrame({"individual": ["F1", "M1", "M2"], "station": list("AAB"), "occasion": 1})
    >>> part = at_stations(CaptureHistory.from_tables(captures, stations), {"1": np.array([True, False])})
    >>> part.n_individuals, part.n_stations
    (2, 1)
    """
    parts = []
    for session in history.sessions:
        if not keep[session].any():
            raise DataError(f"Session {session!r} has no station there.", offenders=[session])
        parts.append(_kept(session_parts(history.dataset, session), keep[session]))
    return history_from_parts(parts, detector=history.detector, effort_unit=history.effort_unit, crs=history.crs)


def of_animals(history: CaptureHistory, keep: Mapping[str, NDArray[np.bool_]]) -> CaptureHistory:
    """The history without some of its animals; stations and effort stay.

    Parameters
    ----------
    history
        The history of all animals.
    keep
        Which animals are kept, by session, (n,) each.

    Returns
    -------
    CaptureHistory

    Examples
    --------
    >>> import pandas as pd
    >>> stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
    >>> captures = pd.DataFrame({"individual": ["F1", "M1", "M2"], "station": list("AAB"), "occasion": 1})
    >>> part = of_animals(CaptureHistory.from_tables(captures, stations), {"1": np.array([True, False, True])})
    >>> part.individuals["individual"].tolist(), part.n_stations
    (['F1', 'M2'], 2)
    """
    parts = []
    for session in history.sessions:
        part = session_parts(history.dataset, session)
        rows = keep[session][part.individual]
        given: dict[str, Any] = {each.name: getattr(part, each.name) for each in fields(SessionParts)}
        parts.append(SessionParts(**given | _animals(part, np.flatnonzero(keep[session]), rows)))
    return history_from_parts(parts, detector=history.detector, effort_unit=history.effort_unit, crs=history.crs)


def _kept(part: CheckedParts, keep: NDArray[np.bool_]) -> SessionParts:
    rows = keep[part.station]
    seen = np.unique(part.individual[rows])
    given: dict[str, Any] = {each.name: getattr(part, each.name) for each in fields(SessionParts)}
    given |= {
        "stations": [name for name, kept in zip(part.stations, keep, strict=True) if kept],
        "xy": part.xy[keep],
        "effort": part.effort[keep],
        "station_covariates": part.station_covariates[keep].reset_index(drop=True),
        "visit_covariates": {name: values[keep] for name, values in part.visit_covariates.items()},
        **_animals(part, seen, rows),
        "station": (np.cumsum(keep) - 1)[part.station[rows]],
    }
    return SessionParts(**given)


def _animals(part: CheckedParts, kept: NDArray[np.intp], rows: NDArray[np.bool_]) -> dict[str, Any]:
    """What is known of the animals ``kept``, whose detections are ``rows``."""
    return {
        "individuals": [part.individuals[i] for i in kept],
        "individual_covariates": part.individual_covariates.iloc[kept].reset_index(drop=True),
        "individual": np.searchsorted(kept, part.individual[rows]),
        "station": part.station[rows],
        "occasion": part.occasion[rows],
        "count": part.count[rows],
        "exposure": part.exposure[kept],
        "removed": part.removed[kept],
        "flanks": None if part.flanks is None else part.flanks[rows],
    }
