"""Sessions and seasons of a survey: which stations and which occasions each has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.effort import Running, survey_running
from leopardpop.data.names import did_you_mean, listed
from leopardpop.data.occasions import Occasions, clock_hour, make_occasions, moment, occasion_length
from leopardpop.data.periods import CALENDAR, split_by_rule
from leopardpop.data.tables import label
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = ["PlanOptions", "SessionPlan", "Split", "counted_running", "plan_sessions"]

NO_SESSIONS = frozenset({"deployment", "station", "camera", "start", "end", "source", "line", "longitude", "latitude"})
"""Columns of deployments that are no sessions."""
Split = str | Mapping[str, tuple[Any, Any]] | Callable[[pd.Timestamp], Any] | None
"""How time is divided: label -> (start, end); a column or "year", "quarter", "month"; a rule day -> label; or not."""


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """The keywords that cut time into sessions (or seasons) and occasions."""

    split: Split
    start: Any
    end: Any
    occasion: Any
    occasion_start: str
    word: str = "session"
    """ "session", or "season": sites are the same in each, and a season without any camera is one."""


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
    own: NDArray[np.intp] | None = None
    """Positions of its deployments, if they say which session they are of; None: all."""
    running: Running | None = None
    """When its own deployments were on, if they say which session they are of."""

    @property
    def first(self) -> int:
        """Start in nanoseconds."""
        return int(self.occasions.edges[0])

    @property
    def last(self) -> int:
        """End in nanoseconds, not included."""
        return int(self.occasions.edges[-1])


def plan_sessions(survey: Survey, options: PlanOptions) -> list[SessionPlan]:
    """Find the sessions of a history.

    Parameters
    ----------
    survey
        The survey.
    options
        How time is divided.

    Returns
    -------
    list of SessionPlan
        In the order of the mapping, of first appearance in the column, or of time; seasons are in order of time. A
        column of stations comes before one of deployments, and that before a rule of the calendar.

    Raises
    ------
    DataError
        If the column does not exist, sessions overlap in time, or one has no deployment.
    """
    split = options.split
    if isinstance(split, Mapping):
        return _by_dates(survey, options, split)
    if callable(split):
        return _by_rule(survey, options, split)
    if isinstance(split, str):
        return _by_word(survey, options, split)
    if split is not None:
        raise DataError(
            f"{options.word}s={split!r} is of type {type(split).__name__}. Give a column or a word of the calendar "
            f'({listed(CALENDAR)}), {{"2022": (start, end), ...}}, or a function of the day.',
            offenders=[split],
        )
    occasions = _occasions(survey, options, survey.deployments, options.start, options.end, "")
    return [SessionPlan("1", occasions, np.arange(len(survey.stations), dtype=np.intp))]


def counted_running(survey: Survey, plans: Sequence[SessionPlan], cameras: str) -> list[Running]:
    """When the stations were on in each session, "union" of their cameras or "sum": one for each plan."""
    by_camera = cameras == "sum"
    if plans[0].own is None:
        return [survey_running(survey, by_camera=by_camera)] * len(plans)
    return [survey_running(survey, by_camera=by_camera, own=plan.own) for plan in plans]


def _by_word(survey: Survey, options: PlanOptions, word: str) -> list[SessionPlan]:
    """Sessions by a column of stations; else by the calendar."""
    of_stations = [str(name) for name in survey.stations.columns.drop(["station", "x", "y"])]
    of_deployments = [str(name) for name in survey.deployments.columns if name not in NO_SESSIONS]
    if options.word == "session" and word in of_stations:
        return _by_column(survey, options, word)
    if word in of_deployments:
        return _by_deployments(survey, options, word)
    if word in CALENDAR:
        return _by_rule(survey, options, CALENDAR[word])
    if options.word == "season":
        there = f"seasons={word!r} is no rule, and no column of deployments ({listed(of_deployments)}). "
        advice = f'Write one of {listed(CALENDAR)}, {{"2022": (start, end), ...}}, or a function of the day.'
        raise DataError(f"{there}{advice}{did_you_mean(str(word), [*of_deployments, *CALENDAR])}")
    hint = did_you_mean(str(word), [*of_stations, *of_deployments, *CALENDAR])
    raise DataError(
        f"The stations have no column {word!r} of sessions; columns: {listed(of_stations)}. Nor have the deployments; "
        f"columns: {listed(of_deployments)}. Sessions by the calendar are {listed(CALENDAR)}.{hint}"
    )


def _by_rule(survey: Survey, options: PlanOptions, rule: Callable[[pd.Timestamp], Any]) -> list[SessionPlan]:
    """Sessions by a rule that gives each day its label."""
    hour = clock_hour(options.occasion_start)
    start, end = _span(survey, options, survey.deployments, options.start, options.end)
    periods = split_by_rule(rule, start, end, hour, options.word)
    plans = []
    for name, (first, last) in periods.items():
        occasions = make_occasions(first, last, occasion_length(options.occasion), survey.clock, f"{name}: ")
        stations = _deployed(survey, int(occasions.edges[0]), int(occasions.edges[-1]))
        if stations.size or options.word == "season":
            plans.append(SessionPlan(name, occasions, stations, by_time=True))
    if not plans:
        raise DataError(f"{options.word}s=: no camera was deployed in any {options.word} that the rule makes.")
    return plans


def _by_dates(survey: Survey, options: PlanOptions, sessions: Mapping[Any, Any]) -> list[SessionPlan]:
    word = options.word
    if options.start is not None or options.end is not None:
        raise DataError(f"{word}s= says when each {word} starts and ends: leave out start= and end=.")
    if not sessions:
        raise DataError(f'{word}s={{}} is empty. Write {{"2022": ("2022-02-01", "2022-05-01"), ...}} or None.')
    plans = [_of_dates(survey, options, name, dates) for name, dates in sessions.items()]
    _check_apart(plans, word)
    return sorted(plans, key=lambda plan: plan.first) if word == "season" else plans


def _of_dates(survey: Survey, options: PlanOptions, name: Any, dates: Any) -> SessionPlan:
    if isinstance(dates, str) or not isinstance(dates, Sequence) or len(dates) != 2:
        message = f"{options.word.capitalize()} {name!r} needs a start and an end, not {dates!r}."
        raise DataError(message, offenders=[name])
    start, end = dates
    occasions = _occasions(survey, options, survey.deployments, start, end, f"{options.word} {name!r}: ")
    stations = _deployed(survey, int(occasions.edges[0]), int(occasions.edges[-1]))
    if not stations.size and options.word == "session":
        raise DataError(f"Session {name!r}: no camera was deployed between {start} and {end}.", offenders=[name])
    return SessionPlan(label(name), occasions, stations, by_time=True)


def _deployed(survey: Survey, first: int, last: int) -> NDArray[np.intp]:
    deployments = survey.deployments
    start, end = (survey.clock.instants(deployments[name]) for name in ("start", "end"))
    names = deployments["station"][(start < last) & (end > first)]
    return np.flatnonzero(survey.stations["station"].isin(names)).astype(np.intp)


def _check_apart(plans: list[SessionPlan], word: str) -> None:
    ordered = sorted(plans, key=lambda plan: plan.first)
    for one, other in pairwise(ordered):
        if other.first < one.last:
            raise DataError(
                f"{word.capitalize()}s '{one.label}' and '{other.label}' overlap in time: a detection would count "
                "twice.",
                offenders=[one.label, other.label],
            )


def _by_column(survey: Survey, options: PlanOptions, column: str) -> list[SessionPlan]:
    table = survey.stations
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


def _by_deployments(survey: Survey, options: PlanOptions, column: str) -> list[SessionPlan]:
    """Sessions by a column of deployments: each counts its own only, so that a station may serve several."""
    table = survey.deployments
    labels = pd.Series([label(value) for value in table[column]], dtype=object)
    if (labels == "").any():
        name = table["deployment"][int((labels == "").argmax())]
        raise DataError(
            f"Deployment '{name}' has no {options.word} in column {column!r}. Fill it in.", offenders=[name]
        )
    _check_one_at_a_time(survey, labels, options.word)
    plans = []
    for name in labels.unique():
        own = np.flatnonzero(labels == name).astype(np.intp)
        stations = np.flatnonzero(survey.stations["station"].isin(table["station"].iloc[own])).astype(np.intp)
        occasions = _own_occasions(survey, options, table.iloc[own], str(name))
        if occasions is not None:
            running = survey_running(survey, own=own)
            plans.append(SessionPlan(str(name), occasions, stations, own=own, running=running))
    if not plans:
        raise DataError(f"No camera was deployed between {options.start} and {options.end}. Correct the dates.")
    return sorted(plans, key=lambda plan: plan.first) if options.word == "season" else plans


def _own_occasions(survey: Survey, options: PlanOptions, own: pd.DataFrame, name: str) -> Occasions | None:
    """Occasions from the first start to the last end of a session's deployments, within the dates asked for."""
    hour, clock = clock_hour(options.occasion_start), survey.clock
    first, last = _span(survey, options, own, None, None)
    if options.start is not None:
        first = max(first, moment(options.start, hour, clock, "start"))
    if options.end is not None:
        last = min(last, moment(options.end, hour, clock, "end"))
    if not last > first:
        return None
    return make_occasions(first, last, occasion_length(options.occasion), clock, f"{options.word} {name!r}: ")


def _check_one_at_a_time(survey: Survey, labels: pd.Series[Any], word: str) -> None:
    """Refuse deployments of two sessions that were at one station at once: a detection would be of both."""
    table = survey.deployments
    order = np.lexsort((survey.clock.instants(table["start"]), table["station"]))
    last: dict[str, Any] = {}
    for i in order.tolist():
        row: Any = table.iloc[i]
        before = last.get(row["station"])
        if before is not None and row["start"] < table["end"].iloc[before] and labels[i] != labels[before]:
            raise DataError(
                f"Deployments '{table['deployment'].iloc[before]}' of {word} '{labels[before]}' and "
                f"'{row['deployment']}' of {word} '{labels[i]}' were at station '{row['station']}' at once: a "
                "detection would count twice. Correct their dates or the column.",
                offenders=[table["deployment"].iloc[before], row["deployment"]],
            )
        if before is None or row["end"] > table["end"].iloc[before]:
            last[row["station"]] = i


def _occasions(
    survey: Survey, options: PlanOptions, deployments: pd.DataFrame, start: Any, end: Any, name: str
) -> Occasions:
    """Occasions from start to end; without them from the first start of a deployment to the last end."""
    first, last = _span(survey, options, deployments, start, end)
    return make_occasions(first, last, occasion_length(options.occasion), survey.clock, name)


def _span(
    survey: Survey, options: PlanOptions, deployments: pd.DataFrame, start: Any, end: Any
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last moment on the wall clock; the first is the beginning of an occasion unless it was given."""
    hour, clock = clock_hour(options.occasion_start), survey.clock
    if not len(deployments) and (start is None or end is None):
        raise DataError("The survey has no deployments. Give start= and end=, or the deployments.")
    first = clock.wall(deployments["start"]).min() if start is None else moment(start, hour, clock, "start")
    last = clock.wall(deployments["end"]).max() if end is None else moment(end, hour, clock, "end")
    if start is None:
        first = (first - hour).normalize() + hour
    return first, last
