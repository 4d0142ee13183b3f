"""How a survey presents itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from leopardpop.data.occasions import DAY

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
    deployments, failures, records = survey.deployments, survey.failures, survey.records
    start, end = survey.clock.wall(deployments["start"]), survey.clock.wall(deployments["end"])
    length = survey.clock.instants(deployments["end"]) - survey.clock.instants(deployments["start"])
    cameras = deployments[["station", "camera"]].drop_duplicates()
    return {
        "stations": f"{len(survey.stations):,}{f', {survey.crs}' if survey.crs else ''}",
        "cameras": f"{len(cameras):,} in {len(deployments):,} deployments, {length.sum() / DAY:,.0f} camera-days",
        "time": f"{start.min():%d %b %Y} to {end.max():%d %b %Y}, clock {survey.tz or 'of the cameras'}",
        "failures": f"{len(failures):,} at {failures['station'].nunique():,} stations",
        "records": _records(records),
        "animals": _animals(records),
    }


def _records(records: pd.DataFrame) -> str:
    counts = records["species"].value_counts()
    named = ", ".join(f"{name} {count:,}" for name, count in counts.head(4).items())
    more = f", {len(counts) - 4} more species" if len(counts) > 4 else ""
    return f"{len(records):,}{f': {named}{more}' if named else ''}"


def _animals(records: pd.DataFrame) -> str:
    stages = records.loc[records["individual"].notna(), ["individual", "life_stage"]]
    return f"{stages['individual'].nunique():,} identities in {len(stages):,} records"


def html(survey: SurveyTables) -> str:
    """Describe a survey as an HTML table."""
    title = "Synthetic survey" if survey.is_synthetic else "Survey"
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(k)}</th><td style='text-align:left'>{escape(v)}</td></tr>"
        for k, v in facts(survey).items()
    )
    return f"<table><caption>{title}</caption><tbody>{cells}</tbody></table>"
