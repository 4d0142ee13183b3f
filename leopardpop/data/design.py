"""Stations, sessions, occasions and effort: what a history has before any animal is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.effort_table import constant_effort, read_effort
from leopardpop.data.isolated import warn_of_isolated
from leopardpop.data.lattice import neighbour_distance
from leopardpop.data.names import listed, nearest
from leopardpop.data.notices import notice
from leopardpop.data.occasion_labels import (
    OccasionOption,
    largest_occasion,
    occasions_from_effort,
    wanted_occasions,
)
from leopardpop.data.projections import LOCAL, check_metres, check_place, looks_like_degrees
from leopardpop.data.tables import Labels, Table, positions
from leopardpop.errors import DataError, DataWarning

__all__ = ["AUDIT_COLUMNS", "Design", "OccasionOption", "lay_out", "session_codes"]

FEWEST_METRES = 4.0
"""Stations nearer to each other (median) are rather kilometres: the smallest grids, for voles, are of 5 to 10 m."""
AUDIT_COLUMNS = ["source", "line", "action", "reason"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Stations of all sessions under each other, sessions together, and the effort of each session."""

    sessions: list[str]
    """Labels, in order of appearance."""
    session: NDArray[np.intp]
    """Position in ``sessions`` of each station; ascending."""
    labels: NDArray[np.object_]
    """Station labels."""
    xy: NDArray[np.float64]
    """Coordinates in metres, (station, 2)."""
    covariates: pd.DataFrame
    """One row a station."""
    occasions: list[tuple[str, ...]]
    """Occasion labels of each session."""
    effort: list[NDArray[np.float64]]
    """Effort of each session, (station, occasion)."""
    visits: list[dict[str, NDArray[Any]]] = field(default_factory=list)
    """Covariates by station x occasion of each session; empty without any."""
    audit: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=AUDIT_COLUMNS))
    """What was assumed."""

    def rows(self, code: int) -> NDArray[np.intp]:
        """Return the positions of the stations of a session."""
        return np.flatnonzero(self.session == code)

    def station_label(self, code: int, row: int) -> str:
        """Return the label of a station of a session, with the session if there are several."""
        name = str(self.labels[self.rows(code)[row]])
        return f"{self.sessions[code]}/{name}" if len(self.sessions) > 1 else name

    def locate(self, session: NDArray[np.intp], stations: Labels) -> NDArray[np.intp]:
        """Return the position of each (session, station), -1 where there is no such station."""
        codes, names = pd.factorize(self.labels)
        keys = self.session * len(names) + codes
        name = positions(stations.names, names)[stations.codes]
        wanted = np.where(name < 0, -1, session * len(names) + name)
        return positions(wanted, keys)

    def require(self, table: Table, session: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the position of the station of each row of a table.

        Raises
        ------
        DataError
            If a row names a station that its session does not have.
        """
        stations = table.labels("station")
        rows = self.locate(session, stations)
        unknown = rows < 0
        if unknown.any():
            first = int(unknown.argmax())
            label, code = stations.names[stations.codes[first]], session[first]
            raise table.fail(unknown, self._no_station(label, code), self._alike(label, code))
        return rows

    def _no_station(self, label: str, code: int) -> str:
        where = f" in session '{self.sessions[code]}'" if len(self.sessions) > 1 else ""
        return f"station '{label}' is not in the station table{where}"

    def _alike(self, label: str, code: int) -> str:
        own = self.labels[self.rows(code)].tolist()
        elsewhere = [self.sessions[other] for other in self.session[self.labels == label]]
        if elsewhere:
            return f"It belongs to session {listed(elsewhere)}. Correct the session, or add the station to it."
        alike = nearest(label, own)
        return f"Did you mean '{alike}'?" if alike else f"Its stations are {listed(own)}. Correct the label, or add it."


def lay_out(
    stations: Table, effort: Table | str | None, captures: Table | None, occasions: OccasionOption, crs: str | None
) -> Design:
    """Read stations, sessions, occasions and effort.

    Parameters
    ----------
    stations, effort, captures
        Tables; ``effort`` may be the name of a column of ``stations``.
    occasions
        Number or labels of occasions, if they are given.
    crs
        Coordinate reference system that the coordinates are said to be in.

    Returns
    -------
    Design
    """
    if not len(stations):
        raise DataError(f"{stations.name} has no stations. Give one row for each, also for those without detections.")
    sessions, session = _sessions(stations, captures)
    order = np.argsort(session, kind="stable")
    stations, session = stations.take(order), session[order]
    labels = stations.labels("station")
    _check_unique(stations, session, labels)
    used = ["station", "session", "x", "y", *([effort] if isinstance(effort, str) else [])]
    base = Design(
        sessions=sessions,
        session=session,
        labels=labels.names[labels.codes],
        xy=_coordinates(stations, crs),
        covariates=stations.covariates(used),
        occasions=[],
        effort=[],
    )
    warn_of_isolated(base, stations)
    return _with_effort(base, stations, effort, captures, occasions)


def _sessions(stations: Table, captures: Table | None) -> tuple[list[str], NDArray[np.intp]]:
    if "session" in stations:
        labels = stations.labels("session")
        return labels.names.tolist(), labels.codes
    sessions = ["1"]
    if captures is not None and "session" in captures and len(captures):
        sessions = captures.labels("session").names.tolist()
    if len(sessions) > 1:
        raise DataError(
            f"{captures.name if captures else 'captures'} has sessions {listed(sessions)}, but {stations.name} has no "
            f"column 'session'. Add it, or give a table for each: stations={{'{sessions[0]}': …, '{sessions[1]}': …}}.",
            offenders=sessions,
        )
    return sessions, np.zeros(len(stations), dtype=np.intp)


def _check_unique(stations: Table, session: NDArray[np.intp], labels: Labels) -> None:
    twice = pd.Series(session * len(labels.names) + labels.codes).duplicated(keep=False).to_numpy()
    if twice.any():
        label = labels.names[labels.codes[twice.argmax()]]
        advice = "A station has one row in each session: remove the others, or rename them, or add a column 'session'."
        raise stations.fail(twice, f"station '{label}' occurs more than once", advice)


def _coordinates(stations: Table, crs: str | None) -> NDArray[np.float64]:
    xy = np.stack([stations.numbers("x"), stations.numbers("y")], axis=1)
    known = check_metres(crs)
    if known is not None:
        check_place(xy[:, 0], xy[:, 1], known, "station")
    elif crs != LOCAL and looks_like_degrees(xy[:, 0], xy[:, 1]) and _within_a_metre(xy):
        raise DataError(
            f"{stations.where(0)}: x = {xy[0, 0]:.6g}, y = {xy[0, 1]:.6g} look like degrees of longitude and latitude, "
            "and metres are needed. Project them, e.g. to UTM with leopardpop.data.projections.project; if they are "
            'metres of a tiny array, pass crs="local".',
            offenders=stations.offenders(np.arange(len(stations))),
        )
    elif crs != LOCAL and (apart := _apart(xy)) is not None and apart < FEWEST_METRES:
        notice(
            f"Stations of {stations.name} are {apart:.2g} m apart (median to the nearest): are x and y in kilometres? "
            'They must be metres, in which D, sigma and the mask are told. Multiply by 1000; pass crs="local" for a '
            "tiny array that is in metres.",
            DataWarning,
        )
    return xy


def _within_a_metre(xy: NDArray[np.float64]) -> bool:
    """Whether neighbours are typically less than 1 unit apart, as no stations in metres are and all in degrees."""
    apart = _apart(xy)
    return apart is None or apart < 1


def _apart(xy: NDArray[np.float64]) -> float | None:
    """Median distance from a station to the nearest at another place; None if there is one place."""
    places = np.unique(xy, axis=0)
    return float(np.median(neighbour_distance(places[:, 0], places[:, 1]))) if len(places) > 1 else None


def session_codes(table: Table, sessions: Sequence[str]) -> NDArray[np.intp]:
    """Return the session of each row of a table as a position in ``sessions``.

    Raises
    ------
    DataError
        If a session does not exist, or there are several and the table does not say which.
    """
    if "session" not in table:
        if len(sessions) > 1 and len(table):
            raise DataError(
                f"{table.name} has no column 'session', but there are sessions {listed(sessions)}. "
                "Add the column, or give a table for each session."
            )
        return np.zeros(len(table), dtype=np.intp)
    labels = table.labels("session")
    codes = positions(labels.names, sessions)[labels.codes]
    if (codes < 0).any():
        label = labels.names[labels.codes[(codes < 0).argmax()]]
        alike = nearest(label, sessions)
        advice = f"Did you mean '{alike}'?" if alike else f"Sessions are {listed(sessions)}."
        raise table.fail(codes < 0, f"session '{label}' is not in the station table", advice)
    return codes


def _with_effort(
    base: Design, stations: Table, effort: Table | str | None, captures: Table | None, option: OccasionOption
) -> Design:
    wanted = wanted_occasions(option, base.sessions)
    codes = range(len(base.sessions))
    if isinstance(effort, Table):
        table = read_effort(effort, base, session_codes(effort, base.sessions))
        occasions = occasions_from_effort(table, base, wanted)
        return replace(
            base,
            occasions=occasions,
            effort=[table.of_session(base, c, occasions[c]) for c in codes],
            visits=[table.covariates_of(base.rows(c), occasions[c]) for c in codes] if table.covariates else [],
        )
    value = np.ones(len(stations)) if effort is None else stations.numbers(effort, least=0)
    occasions, audit = (wanted, base.audit) if wanted is not None else _assumed_occasions(base, captures)
    arrays = [constant_effort(value[base.rows(c)], len(occasions[c])) for c in codes]
    if effort is not None and max(map(len, occasions)) > 1:
        total = sum(float(array.sum()) for array in arrays)
        reason = f"column '{effort}' is the effort on each occasion, not that of all: {total:,.6g} together"
        audit = pd.concat(
            [audit, pd.DataFrame([[stations.name, pd.NA, "assumed", reason]], columns=AUDIT_COLUMNS)], ignore_index=True
        )
    return replace(base, occasions=occasions, effort=arrays, audit=audit)


def _assumed_occasions(base: Design, captures: Table | None) -> tuple[list[tuple[str, ...]], pd.DataFrame]:
    S = largest_occasion(captures)
    _warn_of_one_for_all(base, captures, S)
    reason = f"number of occasions taken from the largest in the captures: {S}"
    audit = pd.DataFrame([[captures.name if captures else "captures", pd.NA, "assumed", reason]], columns=AUDIT_COLUMNS)
    return [tuple(str(s + 1) for s in range(S))] * len(base.sessions), audit


def _warn_of_one_for_all(base: Design, captures: Table | None, S: int) -> None:
    """Say that every session is taken to be as long as the longest, where the captures do not bear it out."""
    if captures is None or len(base.sessions) < 2:
        return
    session = session_codes(captures, base.sessions)
    largest = {
        name: largest_occasion(captures.take(rows)) if len(rows := np.flatnonzero(session == code)) else 0
        for code, name in enumerate(base.sessions)
    }
    if len({n for n in largest.values() if n}) > 1:
        told = ", ".join(f"'{name}' {n or 'no captures'}" for name, n in largest.items())
        notice(
            f"The number of occasions is not given: {S}, the largest in the captures of any session, is taken for each "
            f"of them (the largest by session: {told}). Occasions without a detection count as effort: pass "
            "occasions={session: number} or a table of effort.",
            DataWarning,
        )
