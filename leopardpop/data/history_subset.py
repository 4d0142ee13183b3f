"""Part of a capture history: what some of its stations recorded."""

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

__all__ = ["at_stations"]


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
        "individuals": [part.individuals[i] for i in seen],
        "individual_covariates": part.individual_covariates.iloc[seen].reset_index(drop=True),
        "individual": np.searchsorted(seen, part.individual[rows]),
        "station": (np.cumsum(keep) - 1)[part.station[rows]],
        "occasion": part.occasion[rows],
        "count": part.count[rows],
        "exposure": part.exposure[seen],
        "removed": part.removed[seen],
        "flanks": None if part.flanks is None else part.flanks[rows],
    }
    return SessionParts(**given)
