"""Covariates of the occasions of a survey, and of its stations in them: by name, of deployments, or from tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.choices import one_or_several
from leopardpop.data.covariates import as_covariates
from leopardpop.data.effort import EFFORT_UNITS, deployment_time
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.parts import SessionParts
from leopardpop.data.sessions import NO_SESSIONS, SessionPlan
from leopardpop.data.sites import pool_stations
from leopardpop.data.tables import TableSource
from leopardpop.data.visit_covariates import VisitLayout, join_table
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = ["OF_OCCASIONS", "CovariateOption", "with_covariates"]

CovariateOption = str | TableSource | Sequence[str | TableSource] | None
"""Names, tables or paths."""

OF_OCCASIONS = ("day", "day_of_year", "month", "effort_fraction")
"""Covariates that every survey has for its occasions."""


@dataclass(frozen=True)
class _Sessions:
    """Sessions with their effort, before they are put together."""

    survey: Survey
    plans: Sequence[SessionPlan]
    effort: Sequence[NDArray[np.float64]]
    """(K, S) each, of all stations."""
    stations: Sequence[NDArray[np.intp]]
    """Stations of each session, positions."""
    occasion_start: str
    effort_unit: str


def with_covariates(
    parts: Sequence[SessionParts],
    wanted: CovariateOption,
    survey: Survey,
    plans: Sequence[SessionPlan],
    effort: Sequence[NDArray[np.float64]],
    occasion_start: str,
    effort_unit: str,
) -> list[SessionParts]:
    """Add covariates to sessions: see ``covariates`` of :meth:`leopardpop.Survey.capture_history`.

    Parameters
    ----------
    parts
        The sessions; their stations are those of the survey.
    wanted
        Names, tables or paths.
    survey, plans, effort
        Where they come from; effort of all stations, (K, S) each.
    occasion_start
        Time of day at which a date begins.
    effort_unit
        "day" or "hour".

    Raises
    ------
    DataError
        If a name is unknown, or there twice, or a table cannot be joined.
    """
    each = one_or_several(wanted)
    index = pd.Index(survey.stations["station"])
    stations = [index.get_indexer(pd.Index(list(part.stations))).astype(np.intp) for part in parts]
    sessions = _Sessions(survey, plans, effort, stations, occasion_start, effort_unit)
    result = list(parts)
    for one in each:
        if isinstance(one, str) and one in OF_OCCASIONS:
            added = _of_occasions(one, sessions)
        elif isinstance(one, str) and one in _columns(survey):
            added = _of_deployments(one, sessions)
        else:
            _check_path(one, survey)
            added = _of_table(one, sessions)
        result = [_joined(part, new) for part, new in zip(result, added, strict=True)]
    return result


def _columns(survey: Survey) -> list[str]:
    return [str(name) for name in survey.deployments.columns if name not in NO_SESSIONS]


def _check_path(one: Any, survey: Survey) -> None:
    if not isinstance(one, str) or "." in one:
        return
    known = [*OF_OCCASIONS, *_columns(survey)]
    raise DataError(
        f"covariates= names {one!r}, which is no column of the deployments ({listed(_columns(survey))}), none of "
        f"{listed(OF_OCCASIONS)}, and no file.{did_you_mean(one, known)}",
        offenders=[one],
    )


Added = dict[str, tuple[str, Any]]
"""Name -> (of "station", "occasion" or "visit", values of the stations of a session)."""


def _joined(part: SessionParts, added: Added) -> SessionParts:
    """Add covariates to a session; one that is there already is refused."""
    tables = {"station": part.station_covariates, "occasion": part.occasion_covariates}
    taken = {str(name) for table in tables.values() if table is not None for name in table}
    twice = [name for name in added if name in taken or name in (part.visit_covariates or {})]
    if twice:
        raise DataError(f"covariate '{twice[0]}' is there twice. Rename one, or leave it out.", offenders=twice)
    new = {of: pd.DataFrame({name: v for name, (kind, v) in added.items() if kind == of}) for of in tables}
    visits = {name: values for name, (kind, values) in added.items() if kind == "visit"}
    return replace(
        part,
        station_covariates=_beside(part.station_covariates, new["station"]),
        occasion_covariates=_beside(part.occasion_covariates, new["occasion"]),
        visit_covariates={**(part.visit_covariates or {}), **visits},
    )


def _beside(table: pd.DataFrame | None, new: pd.DataFrame) -> pd.DataFrame | None:
    if not len(new.columns):
        return table
    return new if table is None else pd.concat([table.reset_index(drop=True), new], axis=1)


# -- of occasions -----------------------------------------------------------------------------------------------------
def _of_occasions(name: str, sessions: _Sessions) -> list[Added]:
    first = min(plan.occasions.wall[0] for plan in sessions.plans)
    return [{name: ("occasion", _occasion(name, sessions, i, first))} for i in range(len(sessions.plans))]


def _occasion(name: str, sessions: _Sessions, number: int, first: np.datetime64) -> Any:
    """One number, or a month, for each occasion of a session, (S,)."""
    occasions = sessions.plans[number].occasions
    if name == "effort_fraction":
        effort = sessions.effort[number][sessions.stations[number]]
        return effort.mean(axis=0) / (np.diff(occasions.edges) / EFFORT_UNITS[sessions.effort_unit])
    middle = occasions.wall[:-1] + np.diff(occasions.wall) // 2
    if name == "day":
        return (middle - first) / np.timedelta64(1, "D")
    time = pd.DatetimeIndex(middle)
    if name == "month":
        return np.array([f"{month:02d}" for month in time.month], dtype=object)
    return time.day_of_year.to_numpy(np.float64)


# -- of deployments ---------------------------------------------------------------------------------------------------
def _of_deployments(name: str, sessions: _Sessions) -> list[Added]:
    """What the cameras at a station had in each occasion, missing where none was on."""
    table = sessions.survey.deployments
    column = as_covariates(table[[name]], len(table), "deployment")[name]
    index = pd.Index(sessions.survey.stations["station"])
    station = index.get_indexer(pd.Index(table["station"])).astype(np.intp)
    added: list[Added] = []
    for plan, stations in zip(sessions.plans, sessions.stations, strict=True):
        time = deployment_time(sessions.survey, plan.occasions)
        if plan.own is not None:
            time[np.setdiff1d(np.arange(len(table)), plan.own)] = 0
        values = _weighted(column, station, time.astype(np.float64), len(index))
        added.append({name: ("visit", values[stations])})
    return added


def _weighted(
    column: pd.Series[Any], station: NDArray[np.intp], time: NDArray[np.float64], n_stations: int
) -> NDArray[Any]:
    """Numbers: mean of the cameras by their time; words: that of the camera that was on longest, (K, S)."""
    shape = (n_stations, time.shape[1])
    time = np.where(column.isna().to_numpy(bool)[:, None], 0.0, time)
    if column.dtype == np.float64:
        total, weight = np.zeros(shape), np.zeros(shape)
        np.add.at(total, station, np.nan_to_num(column.to_numpy(np.float64))[:, None] * time)
        np.add.at(weight, station, time)
        mean: NDArray[np.float64] = np.divide(total, weight, out=np.full(shape, np.nan), where=weight > 0)
        return mean
    words, longest = np.full(shape, None, dtype=object), np.zeros(shape)
    of_word = pd.DataFrame(time).groupby([station, column.to_numpy(object)], sort=True).sum()
    for (k, word), row in zip(of_word.index, of_word.to_numpy(), strict=True):
        more = row > longest[k]
        words[k, more], longest[k, more] = word, row[more]
    return words


# -- of tables --------------------------------------------------------------------------------------------------------
def _of_table(source: Any, sessions: _Sessions) -> list[Added]:
    survey = sessions.survey
    longest = max(effort.shape[1] for effort in sessions.effort)
    padded = [np.pad(effort, ((0, 0), (0, longest - effort.shape[1]))) for effort in sessions.effort]
    for effort, own in zip(padded, sessions.stations, strict=True):
        effort[np.setdiff1d(np.arange(len(effort)), own)] = 0
    layout = VisitLayout(
        pool_stations(survey.stations, "station"),
        survey.stations["station"].tolist(),
        sessions.plans,
        sessions.occasion_start,
        survey.clock,
        np.stack(padded, axis=1),
        words=("session", "occasion"),
    )
    found = join_table(source, layout)
    return [
        {name: _of_session(dims, values, sessions, i) for name, (dims, values) in found.items()}
        for i in range(len(sessions.plans))
    ]


def _of_session(dims: tuple[str, ...], values: NDArray[Any], sessions: _Sessions, number: int) -> tuple[str, Any]:
    """The part of a covariate that is about a session: of its stations, of its occasions, or of both."""
    stations, n_occasions = sessions.stations[number], len(sessions.plans[number].occasions)
    at: dict[str, Any] = {"site": stations, "season": number, "visit": slice(0, n_occasions)}
    own = xr.DataArray(values, dims=dims).isel({dim: at[dim] for dim in dims})
    kinds = {("site", "visit"): "visit", ("visit",): "occasion", ("site",): "station", (): "station"}
    kind = kinds[tuple(map(str, own.dims))]
    return kind, own.values if own.ndim else np.full(len(stations), own.item(), dtype=values.dtype)
