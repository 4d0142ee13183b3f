"""Part of a capture history: some of its stations, some of its animals, or longer occasions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.data.dataset import session_parts
from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.parts import CheckedParts, SessionParts
from leopardpop.errors import DataError

__all__ = ["at_stations", "in_longer_occasions", "of_animals", "without_animal"]


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
    return _like(history, parts)


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
    return _like(history, parts)


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


def without_animal(history: CaptureHistory, session: str, position: int) -> CaptureHistory:
    """The history without the record of one animal, as if nobody had ever photographed it.

    Parameters
    ----------
    history
        The history.
    session
        Label of the session.
    position
        Which of the session's animals.

    Returns
    -------
    CaptureHistory

    Examples
    --------
    >>> import pandas as pd
    >>> stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
    >>> captures = pd.DataFrame({"individual": ["F1", "M1", "M2"], "station": list("AAB"), "occasion": 1})
    >>> whole = CaptureHistory.from_tables(captures, stations)
    >>> without_animal(whole, "1", 0).individuals["individual"].tolist()
    ['M1', 'M2']
    """
    sizes = {each: len(history.arrays(each).individuals) for each in history.sessions}
    keep = {each: np.ones(size, np.bool_) for each, size in sizes.items()}
    keep[session][position] = False
    return of_animals(history, keep)


def in_longer_occasions(history: CaptureHistory, times: int) -> CaptureHistory:
    """The history that occasions of several times the length would have given; the last one may be shorter.

    Effort and counts add up; a detector that says yes or no says yes if it did in any of them. Covariates by occasion
    are those of the first.

    Parameters
    ----------
    history
        The history; of a detector "multi" only where no animal is at two stations in one of the longer occasions.
    times
        How many occasions become one.

    Returns
    -------
    CaptureHistory

    Raises
    ------
    DataError
        If an animal would be at two stations of a detector "multi".

    Examples
    --------
    >>> import pandas as pd
    >>> stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
    >>> captures = pd.DataFrame({"individual": ["F1", "F1"], "station": ["A", "A"], "occasion": [1, 2]})
    >>> long = in_longer_occasions(CaptureHistory.from_tables(captures, stations, occasions=4), 2)
    >>> long.n_detections, long.n_occasions, long.effort["effort"].sum().item()
    (1, {'1': 2}, 8.0)
    """
    parts = [_longer(session_parts(history.dataset, each), times, history.detector) for each in history.sessions]
    return _like(history, [_given(part) for part in parts])


def _longer(part: CheckedParts, times: int, detector: str) -> CheckedParts:
    first = np.arange(0, part.effort.shape[1], times)
    rows = np.column_stack([part.individual, part.station, part.occasion // times])
    distinct, at = np.unique(rows, axis=0, return_inverse=True)
    count = np.bincount(at.reshape(-1), part.count, len(distinct)).astype(np.int64)
    return replace(
        part,
        effort=np.add.reduceat(part.effort, first, axis=1),
        individual=distinct[:, 0],
        station=distinct[:, 1],
        occasion=distinct[:, 2],
        count=count if detector == "count" else np.minimum(count, 1),
        exposure=-(-part.exposure // times),
        occasions=tuple(part.occasions[s] for s in first),
        occasion_start=None if part.occasion_start is None else part.occasion_start[first],
        occasion_covariates=part.occasion_covariates.iloc[first].reset_index(drop=True),
        visit_covariates={name: values[:, first] for name, values in part.visit_covariates.items()},
        flanks=None,
    )


def _given(part: CheckedParts) -> SessionParts:
    return SessionParts(**{each.name: getattr(part, each.name) for each in fields(SessionParts)})


def _like(history: CaptureHistory, parts: list[SessionParts]) -> CaptureHistory:
    return history_from_parts(parts, detector=history.detector, effort_unit=history.effort_unit, crs=history.crs)
