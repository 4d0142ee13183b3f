"""How a survey presents itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from leopardpop.data.effort import Running, running_intervals, survey_running
from leopardpop.data.occasions import DAY
from leopardpop.data.placing import NOT_COVARIATES
from leopardpop.data.young import YOUNG, is_young
from leopardpop.words import counted, trimmed, whole

if TYPE_CHECKING:
    from leopardpop.data.survey_base import SurveyTables

__all__ = ["html", "text"]


def text(survey: SurveyTables) -> str:
    """Describe a survey in a few lines."""
    rows = facts(survey)
    width = max(map(len, rows))
    title = "Synthetic survey" if survey.is_synthetic else "Survey"
    return "\n".join([title, *(f"  {name:<{width}}  {words}" for name, words in rows.items())])


def facts(survey: SurveyTables) -> dict[str, str]:
    """Say what is in a survey: heading -> words."""
    deployments, records = survey.deployments, survey.records
    start, end = survey.clock.wall(deployments["start"]), survey.clock.wall(deployments["end"])
    cameras = deployments[["station", "camera"]].drop_duplicates()
    span = f"{_day(start.min())} to {_day(end.max())}, " if len(deployments) else ""
    return {
        "stations": _stations(survey),
        "cameras": f"{whole(len(cameras))} in {counted(len(deployments), 'deployment')}",
        "time": f"{span}clock {survey.tz or 'of the cameras'}",
        "effort": _effort(survey),
        "failures": _failures(survey),
        "records": _records(records),
        "animals": _animals(records),
        "audit": _audit(survey.audit),
    }


def _day(time: pd.Timestamp) -> str:
    return f"{time.day} {time:%b %Y}"


def _stations(survey: SurveyTables) -> str:
    table = survey.stations
    width, height = ((table[axis].max() - table[axis].min()) / 1000 for axis in ("x", "y"))
    covariates = [str(name) for name in table.columns if name not in NOT_COVARIATES]
    named = f"; covariates {', '.join(covariates)}" if covariates else ""
    extent = f"{trimmed(width)} × {trimmed(height)} km"
    return f"{whole(len(table))} over {extent}{f', {survey.crs}' if survey.crs else ''}{named}"


def _effort(survey: SurveyTables) -> str:
    days = [_days(survey_running(survey, by_camera=by_camera)) for by_camera in (False, True)]
    return f"{counted(days[0], 'station-day')}, {counted(days[1], 'camera-day')}"


def _days(running: Running) -> float:
    return float((running.end - running.start).sum()) / DAY


def _failures(survey: SurveyTables) -> str:
    failures = survey.failures
    if not len(failures):
        return "none given"
    stations = survey.stations["station"].tolist()
    tables = survey.deployments, failures.iloc[:0], stations, survey.clock
    lost = _days(running_intervals(*tables, by_camera=True)) - _days(survey_running(survey, by_camera=True))
    stations_hit = counted(failures["station"].nunique(), "station")
    return f"{whole(len(failures))} at {stations_hit}, {counted(lost, 'camera-day')} lost"


def _records(records: pd.DataFrame) -> str:
    counts = records["species"].value_counts()
    named = [f"{name} {whole(count)}" for name, count in counts.head(4).items()]
    named += [f"{len(counts) - 4} more species"] if len(counts) > 4 else []
    missing = int(records["species"].isna().sum())
    named += [f"no species {whole(missing)}"] if missing and len(counts) else []
    return f"{whole(len(records))}{f': {", ".join(named)}' if named else ''}"


def _animals(records: pd.DataFrame) -> str:
    known = records[records["individual"].notna()]
    identities = counted(known["individual"].nunique(), "identity", "identities")
    words = [f"{identities} in {counted(len(known), 'record')}"]
    flanks = [f"{name} {whole(number)}" for name, number in known["flank"].value_counts().sort_index().items()]
    words += [f"flanks {', '.join(flanks)}"] if flanks else []
    young = int(is_young(records["life_stage"], YOUNG).sum())
    return "; ".join([*words, *([f"young in {counted(young, 'record')}"] if young else [])])


def _audit(audit: pd.DataFrame) -> str:
    counts = audit["action"].value_counts()
    words = [f"{whole(counts[name])} {name}" for name in ("kept", "merged", "dropped") if name in counts]
    return f"{counted(len(audit), 'row')} read{': ' if words else ''}{', '.join(words)}"


def html(survey: SurveyTables) -> str:
    """Describe a survey as an HTML table."""
    title = "Synthetic survey" if survey.is_synthetic else "Survey"
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(k)}</th><td style='text-align:left'>{escape(v)}</td></tr>"
        for k, v in facts(survey).items()
    )
    return f"<table><caption>{title}</caption><tbody>{cells}</tbody></table>"
