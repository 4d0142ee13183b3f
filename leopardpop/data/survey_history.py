"""From the records of a survey to a capture history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leopardpop.data.choices import check_choices
from leopardpop.data.effort import EFFORT_UNITS, effort_in_unit, survey_running
from leopardpop.data.events import (
    RULES,
    event_numbers,
    first_of_each,
    independence_interval,
    independent_events,
    merged_reason,
)
from leopardpop.data.flanks import FLANKS, event_flanks
from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.occasion_covariates import CovariateOption, with_covariates
from leopardpop.data.parts import SessionParts
from leopardpop.data.placing import (
    NOT_COVARIATES,
    Placed,
    check_running,
    drop_outside,
    kept_reasons,
    place_records,
    where_and_when,
)
from leopardpop.data.selection import (
    Ledger,
    individual_sexes,
    keep_flank,
    keep_identified,
    keep_life_stage,
    records_of_species,
)
from leopardpop.data.sessions import PlanOptions, SessionPlan, Split, counted_running, plan_sessions
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = ["HistoryOptions", "make_history"]

FOREVER = 1 << 62
"""Nanoseconds: all records of a group are one."""
CHOICES: dict[str, tuple[str | None, ...]] = {
    "detector": ("proximity", "count", "multi"),
    "cameras": ("union", "sum"),
    "effort_unit": tuple(EFFORT_UNITS),
    "rule": RULES,
    "flank": (None, "left", "right", "each"),
    "on_zero_effort": ("raise", "drop", "keep"),
}


@dataclass(frozen=True, kw_only=True)
class HistoryOptions:
    """The keywords of :meth:`leopardpop.Survey.capture_history`, checked."""

    species: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None
    occasion: Any
    start: Any
    end: Any
    detector: str
    occasion_start: str
    cameras: str
    effort_unit: str
    independence: Any
    rule: str
    life_stage: Sequence[str] | None
    flank: str | None
    sessions: Split
    on_zero_effort: str
    covariates: CovariateOption = None

    def __post_init__(self) -> None:
        check_choices(self, CHOICES)

    @property
    def plan(self) -> PlanOptions:
        """How time is cut."""
        return PlanOptions(
            split=self.sessions,
            start=self.start,
            end=self.end,
            occasion=self.occasion,
            occasion_start=self.occasion_start,
        )


def make_history(survey: Survey, options: HistoryOptions) -> CaptureHistory:
    """Make a capture history: see :meth:`leopardpop.Survey.capture_history`."""
    ledger = records_of_species(survey.records, options.species)
    keep_life_stage(ledger, options.life_stage)
    keep_identified(ledger, asked=options.life_stage or ())
    keep_flank(ledger, options.flank)
    sexes = individual_sexes(ledger)
    plans = plan_sessions(survey, options.plan)
    on = survey_running(survey)
    place = where_and_when(ledger, survey)
    drop_outside(ledger, place, plans, options.plan)
    off = check_running(ledger, place, on, options.on_zero_effort)
    placed = place_records(ledger, place, plans)
    seen = _merge(ledger, placed, off, options)
    counted = counted_running(survey, plans, options.cameras)
    effort = [
        effort_in_unit(on, p.occasions, len(survey.stations), options.effort_unit)
        for on, p in zip(counted, plans, strict=True)
    ]
    parts = [_part(survey, p, effort[i], seen[seen["session"] == i], sexes) for i, p in enumerate(plans)]
    if options.covariates is not None:
        when, unit = options.occasion_start, options.effort_unit
        parts = with_covariates(parts, options.covariates, survey, plans, effort, when, unit)
    return history_from_parts(
        parts, detector=options.detector, effort_unit=options.effort_unit, crs=survey.crs, audit=ledger.audit()
    )


def _merge(ledger: Ledger, placed: Placed, off: NDArray[np.bool_], options: HistoryOptions) -> pd.DataFrame:
    """Keep one record for each detection and merge the others with it.

    Returns
    -------
    pandas.DataFrame
        One row a detection: session, individual (label), station, occasion (positions); left, right, both (numbers of
        events), if any record says its flank.
    """
    individual = ledger.records["individual"].to_numpy(object)[placed.row]
    groups = [pd.factorize(individual)[0], placed.station, placed.session]
    if options.detector == "count":
        interval = independence_interval(options.independence)
        first = independent_events(groups, placed.instant, interval, options.rule)
        reason = merged_reason(options.independence, options.rule)
    else:
        first = first_of_each([*groups, placed.occasion], placed.instant)
        reason = "same animal, station and occasion as an earlier record"
    ledger.settle(placed.row[first], kept_reasons(off), reason)
    columns = {"session": placed.session, "station": placed.station, "occasion": placed.occasion}
    seen = pd.DataFrame({"individual": individual} | columns)[first]
    flank = ledger.records["flank"].iloc[placed.row]
    if flank.notna().any():
        seen[list(FLANKS)] = _flanks_seen(flank, groups, placed, first, options)
    return seen


def _flanks_seen(
    flank: pd.Series[Any],
    groups: Sequence[NDArray[Any]],
    placed: Placed,
    first: NDArray[np.bool_],
    options: HistoryOptions,
) -> NDArray[np.int64]:
    """Flanks that each detection shows, with the records that were merged with it, (m, 3)."""
    counts = options.detector == "count"
    groups = groups if counts else [*groups, placed.occasion]
    event = event_numbers(groups, placed.instant, independence_interval(options.independence), options.rule)
    detection = event if counts else event_numbers(groups, placed.instant, FOREVER)
    kept = np.flatnonzero(first)
    position = np.empty(len(kept), dtype=np.intp)
    position[detection[kept]] = np.arange(len(kept))
    flanks = event_flanks(flank, event, position[detection], len(kept))
    return flanks if counts else np.minimum(flanks, 1)


def _part(
    survey: Survey, plan: SessionPlan, effort: NDArray[np.float64], seen: pd.DataFrame, sexes: pd.Series[str]
) -> SessionParts:
    """Put one session together."""
    table = survey.stations
    stations = np.union1d(plan.stations, seen["station"].to_numpy(np.intp))
    detections = seen.groupby(["individual", "station", "occasion"], sort=False)
    rows = detections.size().reset_index(name="count")
    told = set(FLANKS) <= set(seen.columns)
    individuals = sorted(rows["individual"].unique())
    station = np.searchsorted(stations, rows["station"].to_numpy(np.intp))
    occasion = rows["occasion"].to_numpy(np.intp)
    sex = pd.DataFrame({"sex": sexes.reindex(individuals).to_numpy(object)})
    _check_effort(effort[stations], plan)
    return SessionParts(
        session=plan.label,
        individuals=individuals,
        stations=table["station"].iloc[stations].tolist(),
        xy=table[["x", "y"]].to_numpy(float)[stations],
        effort=_with_effort(effort[stations], station, occasion),
        individual=pd.Index(individuals, dtype=object).get_indexer(pd.Index(rows["individual"])),
        station=station,
        occasion=occasion,
        count=rows["count"].to_numpy(np.int64),
        occasion_start=plan.occasions.wall[:-1],
        station_covariates=table.drop(columns=[c for c in table if c in NOT_COVARIATES | plan.used]).iloc[stations],
        individual_covariates=sex if sexes.notna().any() else None,
        flanks=detections[list(FLANKS)].sum().to_numpy(np.int64).reshape(-1, 3) if told else None,
    )


def _check_effort(effort: NDArray[np.float64], plan: SessionPlan) -> None:
    if effort.any():
        return
    start, end = (pd.Timestamp(time) for time in plan.occasions.wall[[0, -1]])
    raise DataError(
        f"session '{plan.label}': no camera was on between {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M}. "
        "Correct the dates, the deployments or the failures.",
        offenders=[plan.label],
    )


def _with_effort(
    effort: NDArray[np.float64], station: NDArray[np.intp], occasion: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Give effort to the detections that were kept without any: the smallest that occurs."""
    none = effort[station, occasion] == 0
    if none.any():
        effort[station[none], occasion[none]] = float(effort[effort > 0].min())
    return effort
