"""From the records of a survey to a detection history: what was seen at which site on which visit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from leopardpop.data.choices import check_choices
from leopardpop.data.covariates import to_coordinate
from leopardpop.data.detection_checks import check_covariate_name
from leopardpop.data.detection_history import DetectionHistory
from leopardpop.data.effort import EFFORT_UNITS, effort_in_unit, survey_running
from leopardpop.data.event_table import event_codes
from leopardpop.data.events import RULES, first_of_each, independence_interval, independent_events, merged_reason
from leopardpop.data.placing import (
    Placed,
    check_running,
    drop_outside,
    kept_reasons,
    place_records,
    where_and_when,
)
from leopardpop.data.selection import Ledger, keep_life_stage, records_of_several
from leopardpop.data.sessions import PlanOptions, SessionPlan, Split, counted_running, plan_sessions
from leopardpop.data.sites import Sites, pool_stations
from leopardpop.data.tables import TableSource
from leopardpop.data.visit_covariates import VisitLayout, join_covariates
from leopardpop.data.young import breeding_records, check_stages, company, is_young
from leopardpop.errors import DataError

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = ["DetectionOptions", "make_detections"]

CHOICES: dict[str, tuple[str | None, ...]] = {
    "response": ("binary", "count", "state"),
    "cameras": ("union", "sum"),
    "effort_unit": tuple(EFFORT_UNITS),
    "rule": RULES,
    "evidence": ("young", "family"),
    "on_zero_effort": ("raise", "drop", "keep"),
}
MERGED = {
    "binary": "same species, site and visit as an earlier record",
    "state": "same species, site and visit as another record, which shows no less",
}

Cells = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
"""Species, site, season and visit of records, each (m,)."""


@dataclass(frozen=True, kw_only=True)
class DetectionOptions:
    """The keywords of :meth:`leopardpop.Survey.detection_history`, checked."""

    species: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None
    occasion: Any
    start: Any
    end: Any
    seasons: Split
    sites: str
    response: str
    occasion_start: str
    cameras: str
    effort_unit: str
    independence: Any
    rule: str
    life_stage: Sequence[str] | None
    young: Sequence[str]
    evidence: str
    group_size: int | None
    covariates: TableSource | Sequence[TableSource] | None
    on_zero_effort: str

    def __post_init__(self) -> None:
        check_choices(self, CHOICES)

    @property
    def plan(self) -> PlanOptions:
        """How time is cut."""
        return PlanOptions(
            split=self.seasons,
            start=self.start,
            end=self.end,
            occasion=self.occasion,
            occasion_start=self.occasion_start,
            word="season",
        )


def make_detections(survey: Survey, options: DetectionOptions) -> DetectionHistory:
    """Make a detection history: see :meth:`leopardpop.Survey.detection_history`."""
    sites = pool_stations(survey.stations, options.sites)
    ledger, kind, names = records_of_several(survey.records, options.species)
    keep_life_stage(ledger, options.life_stage)
    plans = plan_sessions(survey, options.plan)
    on, place = survey_running(survey), where_and_when(ledger, survey)
    proof = _proof(ledger, place.instant, options)
    drop_outside(ledger, place, plans, options.plan)
    off = check_running(ledger, place, on, options.on_zero_effort)
    placed = place_records(ledger, place, plans)
    cells = kind[placed.row], sites.of_station[placed.station], placed.session, placed.occasion
    kept = _merge(ledger, placed, cells, proof[placed.row], off, options)
    counted = counted_running(survey, plans, options.cameras)
    effort = _effort(
        [
            effort_in_unit(on, p.occasions, len(survey.stations), options.effort_unit)
            for on, p in zip(counted, plans, strict=True)
        ],
        sites,
    )
    values = np.where(proof[placed.row], 2.0, 1.0) if options.response == "state" else np.ones(len(placed.row))
    y = _response(tuple(code[kept] for code in cells), values[kept], len(names), effort, options)
    dataset = _dataset(survey, options, sites, plans, y, effort, names)
    return DetectionHistory.from_dataset(dataset, audit=ledger.audit())


def _proof(ledger: Ledger, instant: NDArray[np.int64], options: DetectionOptions) -> NDArray[np.bool_]:
    """Which records prove breeding, (n,)."""
    young = is_young(ledger.records["life_stage"], options.young)
    check_stages("young", options.young, ledger.records["life_stage"])
    if options.response != "state":
        return np.zeros(len(young), dtype=bool)
    interval = independence_interval(options.independence)
    event = event_codes(ledger.records, instant, interval, options.rule)
    found = company(ledger.records, event, young)
    return breeding_records(young, event, found, options.evidence, options.group_size)


def _merge(
    ledger: Ledger,
    placed: Placed,
    cells: Cells,
    proof: NDArray[np.bool_],
    off: NDArray[np.bool_],
    options: DetectionOptions,
) -> NDArray[np.bool_]:
    """Keep one record for each detection and merge the others with it; which of the placed ones are kept, (m,)."""
    if options.response == "count":
        interval = independence_interval(options.independence)
        kept = independent_events([cells[0], placed.station, placed.session], placed.instant, interval, options.rule)
        reason = merged_reason(options.independence, options.rule)
    else:
        kept = first_of_each(cells, placed.instant, ~proof)
        reason = MERGED[options.response]
    ledger.settle(placed.row[kept], kept_reasons(off), reason)
    return kept


def _effort(by_station: Sequence[NDArray[np.float64]], sites: Sites) -> NDArray[np.float64]:
    """Effort of each site, the sum over its stations, (site, season, visit); 0 where a season has no such visit."""
    longest = max(effort.shape[1] for effort in by_station)
    total = np.zeros((len(sites), len(by_station), longest))
    for season, effort in enumerate(by_station):
        np.add.at(total[:, season, : effort.shape[1]], sites.of_station, effort)
    if not total.any():
        raise DataError("No camera was on in any visit. Correct the dates, the deployments or the failures.")
    return total


def _response(
    cells: Sequence[NDArray[np.intp]],
    values: NDArray[np.float64],
    n_species: int,
    effort: NDArray[np.float64],
    options: DetectionOptions,
) -> NDArray[np.float64]:
    """What was seen, (species, site, season, visit), NaN without effort; detections that are kept get some effort."""
    none = effort[tuple(cells[1:])] == 0
    effort[tuple(code[none] for code in cells[1:])] = effort[effort > 0].min()
    y = np.where(effort > 0, 0.0, np.nan)[np.newaxis].repeat(n_species, axis=0)
    gather = np.add if options.response == "count" else np.maximum
    gather.at(y, tuple(cells), values)
    return y


def _dataset(
    survey: Survey,
    options: DetectionOptions,
    sites: Sites,
    plans: Sequence[SessionPlan],
    y: NDArray[np.float64],
    effort: NDArray[np.float64],
    names: list[str],
) -> xr.Dataset:
    """Put the history together, as :meth:`leopardpop.DetectionHistory.from_dataset` takes it."""
    several = len(names) > 1
    dims = ("site", "season", "visit")
    coords: dict[str, Any] = {
        "site": sites.labels.astype(str),
        "season": np.array([plan.label for plan in plans], dtype=str),
        "easting": ("site", sites.xy[:, 0]),
        "northing": ("site", sites.xy[:, 1]),
        "visit_start": (("season", "visit"), _visit_starts(plans, y.shape[3])),
    }
    for name, column in sites.covariates.items():
        check_covariate_name(str(name), "site")
        coords[str(name)] = ("site", to_coordinate(column))
    layout = VisitLayout(
        sites, survey.stations["station"].tolist(), plans, options.occasion_start, survey.clock, effort
    )
    coords |= join_covariates(options.covariates, layout, taken=set(coords))
    if names[0] or several:
        coords["species"] = names if several else names[0]
    variables: dict[str, Any] = {"y": (("species", *dims), y) if several else (dims, y[0]), "effort": (dims, effort)}
    attributes = {"response": options.response, "effort_unit": options.effort_unit, "crs": survey.crs or ""}
    return xr.Dataset(variables, coords, attributes)


def _visit_starts(plans: Sequence[SessionPlan], n_visits: int) -> NDArray[np.datetime64]:
    """Wall-clock time at which each visit begins, (season, visit); NaT where a season has no such visit."""
    starts = np.full((len(plans), n_visits), np.datetime64("NaT", "ns"), dtype="datetime64[ns]")
    for season, plan in enumerate(plans):
        starts[season, : len(plan.occasions)] = plan.occasions.wall[:-1]
    return starts
