"""From tables to the sessions of a capture history."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leopardpop.data.column_roles import warn_of_unused
from leopardpop.data.design import Design, OccasionOption, lay_out
from leopardpop.data.detections import ALIVE, Detections, read_detections
from leopardpop.data.flanks import FLANKS
from leopardpop.data.names import counted, did_you_mean, listed
from leopardpop.data.occasion_table import is_occasion_table, occasion_option
from leopardpop.data.parts import DETECTORS, SessionParts
from leopardpop.data.tables import Table, TableSource, concat_tables, load_table
from leopardpop.data.zero_effort import ZERO_EFFORT, settle_zero_effort
from leopardpop.errors import DataError, DataWarning

__all__ = ["BuildOptions", "Sources", "Tables", "build_sessions", "load_occasions", "load_tables"]

Sources = TableSource | Mapping[str, TableSource]
"""A table, or one for each session."""

KNOWN = {
    "captures": ("individual", "station", "occasion", "session", "count", "died", "flank", *FLANKS),
    "stations": ("station", "x", "y", "session"),
    "effort": ("station", "session"),
    "individuals": ("individual", "session"),
    "occasions": ("occasion", "session"),
}
REQUIRED = {
    "captures": ("individual", "station", "occasion"),
    "stations": ("station", "x", "y"),
    "effort": ("station",),
    "individuals": ("individual",),
    "occasions": ("occasion",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """What the data cannot say themselves; checked when it is made."""

    detector: str = "proximity"
    occasions: OccasionOption = None
    crs: str | None = None
    on_zero_effort: str = "raise"

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("detector", self.detector, DETECTORS),
            ("on_zero_effort", self.on_zero_effort, ZERO_EFFORT),
        ):
            if value not in choices:
                hint = did_you_mean(str(value), choices)
                raise DataError(f"{name}={value!r} is not known; choose one of {listed(choices)}.{hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables of a history under our names."""

    captures: Table | None
    stations: Table
    effort: Table | str | None
    individuals: Table | None


def load_tables(
    captures: Sources | None,
    stations: Sources,
    effort: Sources | None,
    individuals: Sources | None,
    columns: Mapping[str, Mapping[str, str]],
) -> Tables:
    """Read the tables, whatever each of them is given as."""
    unknown = [role for role in columns if role not in KNOWN]
    if unknown:
        raise DataError(
            f"columns= has '{unknown[0]}'; it can have {listed(KNOWN)}.{did_you_mean(unknown[0], KNOWN)}",
            offenders=unknown,
        )
    station_table = _gather(stations, "stations", columns)
    return Tables(
        captures=None if captures is None else _gather(captures, "captures", columns),
        stations=station_table,
        effort=_effort_source(effort, station_table, columns),
        individuals=None if individuals is None else _gather(individuals, "individuals", columns),
    )


def load_occasions(
    occasions: OccasionOption | Sources, columns: Mapping[str, Mapping[str, str]]
) -> tuple[OccasionOption, Table | None]:
    """Return the occasions asked for, and the table that they came from if it is one."""
    if not is_occasion_table(occasions):
        return occasions, None  # type: ignore[return-value]
    table = _gather(occasions, "occasions", columns)  # type: ignore[arg-type]
    return occasion_option(table), table


def _gather(source: Sources, role: str, columns: Mapping[str, Mapping[str, str]]) -> Table:
    """Read one table, or one a session with the session in a column."""
    names, known, required = columns.get(role, {}), KNOWN[role], REQUIRED[role]
    if not isinstance(source, Mapping):
        table = load_table(source, role, columns=names, known=known, required=required)
        _tell_unused(table, role)
        return table
    if not source:
        raise DataError(f"{role}={{}} has no session. Give at least one table.")
    tables = []
    for session, one in source.items():
        table = load_table(one, role, columns=names, known=known, required=required)
        _tell_unused(table, role)
        tables.append(_with_session(table, str(session), f"{role}[{session!r}]"))
    return concat_tables(tables)


def _tell_unused(table: Table, role: str) -> None:
    """Warn of counts and flanks under a name that is not known: each row would be one detection."""
    if role == "captures":
        unused = [str(name) for name in table.frame.columns if name not in KNOWN[role]]
        missing = [name for name in ("count", "flank") if name not in table]
        missing = [name for name in missing if name == "count" or not set(FLANKS) & set(table.frame.columns)]
        warn_of_unused(table.name, role, missing, unused, table.frame, kept=False)


def _with_session(table: Table, session: str, name: str) -> Table:
    if "session" not in table:
        table.frame.insert(0, "session", session)
        return table
    labels = table.labels("session")
    other = labels.names[labels.codes] != session
    if np.any(other):
        raise table.fail(np.asarray(other), f"session is not '{session}'", f"This table was given as {name}.")
    return table


def _effort_source(
    effort: Sources | None, stations: Table, columns: Mapping[str, Mapping[str, str]]
) -> Table | str | None:
    """Tell the name of a column of stations from the path of a table."""
    if effort is None or (isinstance(effort, str) and effort in stations):
        return effort if effort is None else str(effort)
    renamed = columns.get("stations", {}).get(effort) if isinstance(effort, str) else None
    if renamed is not None:
        return renamed
    if isinstance(effort, str) and "." not in effort:
        hint = did_you_mean(effort, stations.frame.columns)
        raise DataError(
            f"effort='{effort}' is not a column of {stations.name}; they are {listed(stations.frame.columns)}.{hint}"
        )
    return _gather(effort, "effort", columns)


def build_sessions(tables: Tables, options: BuildOptions) -> tuple[list[SessionParts], pd.DataFrame]:
    """Check tables against each other and take them apart into sessions.

    Parameters
    ----------
    tables
        What :func:`load_tables` returns.
    options
        What the data cannot say.

    Returns
    -------
    sessions : list of SessionParts
        In the order of the station table.
    audit : pandas.DataFrame
        What happened to each record that was not simply kept.

    Raises
    ------
    DataError
        At the first contradiction, naming the line.
    """
    design = lay_out(tables.stations, tables.effort, tables.captures, options.occasions, options.crs)
    found = read_detections(tables.captures, tables.individuals, design, options.detector)
    found, design, audit = settle_zero_effort(found, design, options.on_zero_effort)
    _warn_never_on(design)
    parts = [_session_parts(design, found, code) for code in range(len(design.sessions))]
    return parts, pd.concat([design.audit, found.audit, audit], ignore_index=True)


def _warn_never_on(design: Design) -> None:
    off = [np.flatnonzero(effort.max(axis=1) == 0) for effort in design.effort]
    labels = [design.station_label(code, row) for code, rows in enumerate(off) for row in rows.tolist()]
    if labels:
        warnings.warn(
            f"{counted(len(labels), 'station')} never on (effort 0 on every occasion): {listed(labels)}. "
            "Kept, but they add nothing.",
            DataWarning,
            stacklevel=4,
        )


def _session_parts(design: Design, found: Detections, code: int) -> SessionParts:
    rows, stations = found.session == code, design.rows(code)
    animals, individual = np.unique(found.animal[rows], return_inverse=True)
    return SessionParts(
        session=design.sessions[code],
        individuals=found.labels[animals].tolist(),
        stations=design.labels[stations].tolist(),
        xy=design.xy[stations],
        effort=design.effort[code],
        individual=individual,
        station=found.station[rows] - stations[0],
        occasion=found.occasion[rows],
        count=found.count[rows],
        exposure=np.minimum(found.exposure[animals], len(design.occasions[code])),
        removed=found.exposure[animals] < ALIVE,
        occasions=design.occasions[code],
        station_covariates=design.covariates.iloc[stations],
        individual_covariates=found.covariates.iloc[animals],
        visit_covariates=design.visits[code] if design.visits else None,
        flanks=None if found.flanks is None else found.flanks[rows],
    )
