"""Sessions of a survey: which stations and which occasions each has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.occasions import Occasions, clock_hour, make_occasions, moment, occasion_length
from leopardpop.data.tables import label
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey
    from leopardpop.data.survey_history import HistoryOptions

__all__ = ["SessionPlan", "plan_sessions"]


@dataclass(frozen=True)
class SessionPlan:
    """A session before anything is counted."""

    label: str
    occasions: Occasions
    stations: NDArray[np.intp]
    """Positions in the table of stations, sorted."""
    by_time: bool = False
    """Whether sessions differ in time, so that a station may serve several."""
    used: frozenset[str] = frozenset()
    """Columns of stations that say the session: no covariates."""

    @property
    def first(self) -> int:
        """Start in nanoseconds."""
        return int(self.occasions.edges[0])

    @property
    def last(self) -> int:
        """End in nanoseconds, not included."""
        return int(self.occasions.edges[-1])


def plan_sessions(survey: Survey, options: HistoryOptions) -> list[SessionPlan]:
    """Find the sessions of a history.

    Parameters
    ----------
    survey
        The survey.
    options
        ``sessions``, ``start``, ``end``, ``occasion`` and ``occasion_start`` are used.

    Returns
    -------
    list of SessionPlan
        In the order of the mapping, or of first appearance in the column.

    Raises
    ------
    DataError
        If the column does not exist, sessions overlap in time, or one has no deployment.
    """
    if isinstance(options.sessions, Mapping):
        return _by_time(survey, options, options.sessions)
    if options.sessions is not None:
        return _by_column(survey, options, options.sessions)
    occasions = _occasions(survey, options, survey.deployments, options.start, options.end, "")
    return [SessionPlan("1", occasions, np.arange(len(survey.stations), dtype=np.intp))]


def _by_time(survey: Survey, options: HistoryOptions, sessions: Mapping[Any, Any]) -> list[SessionPlan]:
    if options.start is not None or options.end is not None:
        raise DataError("sessions= says when each session starts and ends: leave out start= and end=.")
    if not sessions:
        raise DataError('sessions={} is empty. Write {"2022": ("2022-02-01", "2022-05-01"), ...} or None.')
    plans = []
    for name, dates in sessions.items():
        if isinstance(dates, str) or len(dates) != 2:
            raise DataError(f"Session {name!r} needs a start and an end, not {dates!r}.", offenders=[name])
        start, end = dates
        occasions = _occasions(survey, options, survey.deployments, start, end, f"session {name!r}: ")
        stations = _deployed(survey, int(occasions.edges[0]), int(occasions.edges[-1]))
        if not stations.size:
            raise DataError(f"Session {name!r}: no camera was deployed between {start} and {end}.")
        plans.append(SessionPlan(label(name), occasions, stations, by_time=True))
    _check_apart(plans)
    return plans


def _deployed(survey: Survey, first: int, last: int) -> NDArray[np.intp]:
    deployments = survey.deployments
    start, end = (survey.clock.instants(deployments[name]) for name in ("start", "end"))
    names = deployments["station"][(start < last) & (end > first)]
    return np.flatnonzero(survey.stations["station"].isin(names)).astype(np.intp)


def _check_apart(plans: list[SessionPlan]) -> None:
    ordered = sorted(plans, key=lambda plan: plan.first)
    for one, other in pairwise(ordered):
        if other.first < one.last:
            raise DataError(
                f"Sessions '{one.label}' and '{other.label}' overlap in time: a detection would count twice.",
                offenders=[one.label, other.label],
            )


def _by_column(survey: Survey, options: HistoryOptions, column: str) -> list[SessionPlan]:
    table = survey.stations
    if column not in table or column in {"station", "x", "y"}:
        columns = [str(name) for name in table.columns.drop(["station", "x", "y"])]
        hint = did_you_mean(str(column), columns)
        raise DataError(f"The stations have no column {column!r} of sessions; columns: {listed(columns)}.{hint}")
    labels = pd.Series([label(value) for value in table[column]], dtype=object)
    if (labels == "").any():
        name = table["station"][int((labels == "").argmax())]
        raise DataError(f"Station '{name}' has no session in column {column!r}. Fill it in.", offenders=[name])
    plans = []
    for name in labels.unique():
        stations = np.flatnonzero(labels == name).astype(np.intp)
        own = survey.deployments[survey.deployments["station"].isin(table["station"].iloc[stations])]
        if not len(own):
            raise DataError(f"Session {name!r}: none of its {len(stations)} stations was deployed.", offenders=[name])
        occasions = _occasions(survey, options, own, options.start, options.end, f"session {name!r}: ")
        plans.append(SessionPlan(str(name), occasions, stations, used=frozenset({column})))
    return plans


def _occasions(
    survey: Survey, options: HistoryOptions, deployments: pd.DataFrame, start: Any, end: Any, name: str
) -> Occasions:
    """Occasions from start to end; without them from the first start of a deployment to the last end."""
    hour, clock = clock_hour(options.occasion_start), survey.clock
    if not len(deployments) and (start is None or end is None):
        raise DataError("The survey has no deployments. Give start= and end=, or the deployments.")
    first = clock.wall(deployments["start"]).min() if start is None else moment(start, hour, clock, "start")
    last = clock.wall(deployments["end"]).max() if end is None else moment(end, hour, clock, "end")
    if start is None:
        first = (first - hour).normalize() + hour
    return make_occasions(first, last, occasion_length(options.occasion), clock, name)
