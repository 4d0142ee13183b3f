"""The tables on which formulas are evaluated: cells for density, class x station for detection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.components.classes import COLUMN as LATENT
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.sexes import SEXES, is_sex
from leopardpop.data.tables import label
from leopardpop.errors import DataError, ModelError
from leopardpop.models.behaviour import FLAGS, LEVELS
from leopardpop.models.grouping import station_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.data.arrays import SessionArrays
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.models.behaviour import States
    from leopardpop.models.likelihood.terms import Floats

__all__ = [
    "class_codes",
    "class_levels",
    "density_origin",
    "density_table",
    "detection_table",
    "masks_by_session",
    "station_columns",
    "visit_table",
]

METRES = 1000.0
"""In a kilometre, the unit of ``x`` and ``y`` in formulas of density: squares of metres would have no digits left."""


def masks_by_session(history: CaptureHistory, mask: Mask | Mapping[str, Mask]) -> dict[str, Mask]:
    """One mask a session; a single mask serves all.

    Raises
    ------
    DataError
        If one of them is something else, a session has no mask, or a mask no session.
    """
    _check_kinds(history, mask)
    if not isinstance(mask, Mapping):
        return dict.fromkeys(history.sessions, mask)
    missing = [s for s in history.sessions if s not in mask]
    extra = [str(s) for s in mask if s not in history.sessions]
    said = [f"no mask for {listed(missing)}"] * bool(missing) + [f"no session for {listed(extra)}"] * bool(extra)
    if said:
        raise DataError(
            f"masks and sessions differ: {' and '.join(said)}. The sessions are {listed(history.sessions)}; give a "
            "dict with just these labels, or one mask for all.",
            offenders=missing or extra,
        )
    return {s: mask[s] for s in history.sessions}


def _check_kinds(history: object, mask: object) -> None:
    """Refuse what is no history or no mask, such as a survey or the two in the wrong order."""
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask

    if not isinstance(history, CaptureHistory):
        raise DataError(
            f"history is a {type(history).__name__}: give a CaptureHistory, such as survey.capture_history(...) or "
            "lp.CaptureHistory.from_tables(...), and then the mask."
        )
    wrong = [each for each in (mask.values() if isinstance(mask, Mapping) else [mask]) if not isinstance(each, Mask)]
    if wrong:
        raise DataError(
            f"mask is a {type(wrong[0]).__name__}: give an lp.Mask, such as lp.Mask.around(history, buffer=..., "
            "spacing=...), or a dict session -> mask."
        )


def session_covariates(sessions: list[SessionArrays]) -> pd.DataFrame:
    """Columns of the stations tables that are constant within every session, one row a session."""
    tables = [s.station_covariates for s in sessions]
    constant = [c for c in tables[0].columns if all(c in t and t[c].nunique(dropna=False) == 1 for t in tables)]
    return pd.DataFrame({c: [t[c].iloc[0] for t in tables] for c in constant}, index=[s.session for s in sessions])


def density_origin(masks: Mapping[str, Mask]) -> Floats:
    """Where ``x`` and ``y`` of a formula of density are 0: the mean of the cells of all sessions, m, (2,)."""
    return np.array([np.concatenate([getattr(mask, axis) for mask in masks.values()]).mean() for axis in "xy"])


def density_table(sessions: list[SessionArrays], masks: Mapping[str, Mask]) -> pd.DataFrame:
    """Cells of all sessions with their covariates, coordinates (km from the middle), session and its covariates."""
    shared, origin = session_covariates(sessions), density_origin(masks)
    parts = []
    for data in sessions:
        mask = masks[data.session]
        part = mask.covariates.reset_index(drop=True)
        x, y = (np.column_stack([mask.x, mask.y]) - origin).T / METRES
        given = {"x": x, "y": y, "session": data.session}
        of_session = {str(c): shared[c][data.session] for c in shared.columns}
        for name, values in {**given, **of_session}.items():
            if name not in part:
                part[name] = values
        parts.append(part.set_axis(_labels(range(len(part)), data.session, len(sessions))))
    table = _with_sessions(pd.concat(parts), sessions)
    of_stations = "is a column of the stations; density needs a covariate of the cells, mask.with_covariates(...)"
    of_animals = "is a column of the individuals; a class has no density of its own, but a share, pmix"
    of_occasions = "varies by occasion, and density does not; it belongs in a formula of detection"
    hints = {"station_covariates": of_stations, "individual_covariates": of_animals}
    hints |= dict.fromkeys(("occasion_covariates", "visit_covariates"), of_occasions)
    table = _with_hints(table, sessions, hints)
    own = {name: f"{name!r} {of_occasions}." for name in ("occasion", "trend", *FLAGS) if name not in table}
    table.attrs["elsewhere"] = own | table.attrs["elsewhere"]
    return table


def station_columns(sessions: list[SessionArrays]) -> set[str]:
    """Names of the columns of the stations tables: they go before names that a formula has for occasions."""
    return {str(name) for data in sessions for name in data.station_covariates.columns}


def detection_table(sessions: list[SessionArrays], column: str | None, levels: tuple[str, ...]) -> pd.DataFrame:
    """Class x station rows of all sessions (class varies slowest within a session)."""
    named = zip(sessions, station_names(sessions), strict=True)
    tables = [_named(data.station_covariates.reset_index(drop=True), names) for data, names in named]
    labels = [_labels(data.stations, data.session, len(sessions)) for data in sessions]
    parts = list(zip(tables, labels, strict=True))
    table = _by_class(sessions, parts, column, levels)
    return _with_visit_names(table, sessions)


def _named(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The table with the variable ``station``, unless it has a column of that name."""
    return table if "station" in table else table.assign(station=np.array(names, object))


def visit_table(
    sessions: list[SessionArrays], column: str | None, levels: tuple[str, ...], states: States, *, by_visit: bool
) -> pd.DataFrame:
    """Class x station [x occasion] x state rows of all sessions; the state varies fastest.

    Parameters
    ----------
    sessions
        The sessions.
    column, levels
        Column of the classes, and their levels.
    states
        States of animals that the formula tells apart.
    by_visit
        Whether there is a row for each occasion on which a station worked, or one a station.
    """
    parts = [
        _visits(data, names, states, by_visit, len(sessions))
        for data, names in zip(sessions, station_names(sessions), strict=True)
    ]
    table = _by_class(sessions, parts, column, levels)
    own = station_columns(sessions)
    if by_visit and "occasion" not in own:
        labels = [name for data in sessions for name in data.occasions]
        table["occasion"] = pd.Categorical(table["occasion"], categories=list(dict.fromkeys(labels)))
    for name in set(states.flags) - own:
        table[name] = pd.Categorical(table[name], categories=list(LEVELS))
    return _with_visit_names(table, sessions)


def _visits(
    data: SessionArrays, names: list[str], states: States, by_visit: bool, n_sessions: int
) -> tuple[pd.DataFrame, list[object]]:
    """Rows of a session but for the classes, and their labels."""
    n_stations = len(data.stations)
    pairs = np.nonzero(data.effort > 0) if by_visit else (np.arange(n_stations), np.zeros(n_stations, np.intp))
    station, occasion = (np.repeat(at, states.number) for at in pairs)
    table = _named(data.station_covariates, names).iloc[station].reset_index(drop=True)
    given: dict[str, Any] = {}
    if by_visit:
        given = {"occasion": np.array(data.occasions, object)[occasion], "trend": occasion.astype(float)}
        given |= {str(name): column.to_numpy()[occasion] for name, column in data.occasion_covariates.items()}
        given |= {name: values[station, occasion] for name, values in data.visit_covariates.items()}
    words = np.array(LEVELS, object)
    for j, flag in enumerate(states.flags):
        given[flag] = words[np.tile(states.table[:, j].astype(np.intp), len(pairs[0]))]
    for name, values in given.items():
        if name not in table:
            table[name] = values
    stations = _labels(data.stations, data.session, n_sessions)
    if not by_visit:
        return table, [stations[k] for k in station]
    return table, [f"{stations[k]} on {data.occasions[s]}" for k, s in zip(station, occasion, strict=True)]


def _by_class(
    sessions: list[SessionArrays],
    parts: list[tuple[pd.DataFrame, list[object]]],
    column: str | None,
    levels: tuple[str, ...],
) -> pd.DataFrame:
    """Repeat the rows of each session for every class, and add the session."""
    tables = [
        rows.assign(session=data.session, **({} if column is None else {column: level})).set_axis(names)
        for data, (rows, names) in zip(sessions, parts, strict=True)
        for level in levels
    ]
    table = _with_sessions(pd.concat(tables), sessions)
    if column is not None:
        table[column] = pd.Categorical(table[column], categories=list(levels))
    hint = "is a column of the individuals: name it in SCR(classes=...) to use it in the detection function"
    table = _with_hints(table, sessions, {"individual_covariates": hint})
    if LATENT not in table:
        latent = f"{LATENT!r} is the class of animals in a mixture: give SCR(classes=lp.Mixture(2)) to use it."
        table.attrs["elsewhere"].setdefault(LATENT, latent)
    return table


def _with_visit_names(table: pd.DataFrame, sessions: list[SessionArrays]) -> pd.DataFrame:
    """Note the names that a formula of detection could use as well, for its error."""
    names = {str(n): None for data in sessions for n in (*data.occasion_covariates, *data.visit_covariates)}
    table.attrs["also"] = [name for name in (*names, "occasion", "trend", *FLAGS) if name not in table]
    return table


def _labels(rows: Iterable[object], session: str, n_sessions: int) -> list[object]:
    """Label rows for messages: with the session if there are several."""
    return [f"{session}/{row}" for row in rows] if n_sessions > 1 else list(rows)


def _with_hints(table: pd.DataFrame, sessions: list[SessionArrays], hints: Mapping[str, str]) -> pd.DataFrame:
    """Note what to say of a name that belongs to another table, for the formula's error."""
    found = {str(name): hint for where, hint in hints.items() for s in sessions for name in getattr(s, where)}
    table.attrs["elsewhere"] = {name: f"{name!r} {hint}." for name, hint in found.items() if name not in table}
    return table


def _with_sessions(table: pd.DataFrame, sessions: list[SessionArrays]) -> pd.DataFrame:
    table["session"] = pd.Categorical(table["session"], categories=[s.session for s in sessions])
    return table


def class_levels(sessions: list[SessionArrays], column: str) -> tuple[str, ...]:
    """Sorted levels of the column of individuals that names the classes.

    Of sex they are F and M where fewer are known: a survey without captures, or with females only, has a posterior.

    Raises
    ------
    ModelError
        If there is no such column, or fewer than two levels of another one than sex.
    """
    columns = {c for s in sessions for c in s.individual_covariates.columns}
    if not any(len(s.individuals) for s in sessions):
        if is_sex(column):
            return SEXES
        raise ModelError(
            f"classes={column!r}: no animal was detected, so its levels are unknown. Those of 'sex' are F and M; leave "
            "other classes out."
        )
    if column not in columns:
        raise ModelError(
            f"classes={column!r}: the individuals have no such column, they have {sorted(columns) or 'none'}."
            f"{did_you_mean(column, sorted(columns))} Give it in the individuals table, or leave classes out.",
            offenders=[column],
        )
    values = pd.concat([s.individual_covariates[column] for s in sessions if column in s.individual_covariates])
    levels = tuple(sorted({label(v) for v in values.dropna()}))
    if is_sex(column) and set(levels) <= set(SEXES):
        return SEXES
    if len(levels) < 2:
        raise ModelError(
            f"classes={column!r}: {len(levels)} level{'' if len(levels) == 1 else 's'} among the detected animals "
            f"({', '.join(levels) or 'all are missing'}); at least two are needed. Leave classes out.",
            offenders=list(levels),
        )
    return levels


def class_codes(data: SessionArrays, column: str | None, levels: tuple[str, ...]) -> NDArray[np.intp]:
    """Class of each animal of a session, -1 where it is not known."""
    if column is None:
        return np.zeros(len(data.individuals), np.intp)
    if column not in data.individual_covariates:
        return np.full(len(data.individuals), -1, np.intp)
    values = data.individual_covariates[column]
    position = {level: c for c, level in enumerate(levels)}
    return np.array([position[label(v)] if pd.notna(v) else -1 for v in values], np.intp)
