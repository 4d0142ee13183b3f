"""What a data manager should look at before a survey is analysed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leopardpop.data.effort import running_intervals

if TYPE_CHECKING:
    from leopardpop.data.survey import Survey

__all__ = ["find_problems"]

COLUMNS = ["severity", "where", "found", "fix"]
Problem = tuple[str, str, str, str]


def find_problems(survey: Survey) -> pd.DataFrame:
    """List problems, gravest first: severity ("must fix", "should look", "note"), where, found, fix."""
    finders = (_without_effort, _two_sexes, _overlaps, _never_on, _unidentified, _one_flank)
    problems = [problem for find in finders for problem in find(survey)]
    order = {"must fix": 0, "should look": 1, "note": 2}
    return pd.DataFrame(sorted(problems, key=lambda problem: order[str(problem[0])]), columns=COLUMNS)


def _without_effort(survey: Survey) -> Iterator[Problem]:
    records, stations = survey.records, survey.stations["station"].tolist()
    on = running_intervals(survey.deployments, survey.failures, stations, survey.clock)
    station = pd.Index(stations).get_indexer(pd.Index(records["station"])).astype(np.intp)
    off = records[~on.at(station, survey.clock.instants(records["timestamp"]))]
    for name, rows in off.groupby("station"):
        first = rows.iloc[0]
        found = f"{len(rows)} records while no camera was on, first {first['timestamp']:%Y-%m-%d %H:%M}"
        where = f"station {name}, {first['source']} line {first['line']}"
        yield "must fix", where, found, 'correct deployments or failures, or on_zero_effort="drop"'


def _two_sexes(survey: Survey) -> Iterator[Problem]:
    known = survey.records.dropna(subset=["individual", "sex"]).groupby("individual")["sex"].nunique()
    for name in known.index[known > 1]:
        yield "must fix", f"individual {name}", "recorded as female and as male", "correct one, or leave it empty"


def _overlaps(survey: Survey) -> Iterator[Problem]:
    ordered = survey.deployments.sort_values(["station", "camera", "start"], ignore_index=True)
    before = ordered.shift()
    same = (ordered["station"] == before["station"]) & (ordered["camera"] == before["camera"])
    overlap = same & (ordered["start"] < before["end"])
    for name, previous in zip(ordered["deployment"][overlap], before["deployment"][overlap], strict=True):
        found = f"starts before deployment {previous} of the same camera ends"
        yield "should look", f"deployment {name}", found, "correct the times; they count once"


def _never_on(survey: Survey) -> Iterator[Problem]:
    deployed = set(survey.deployments["station"])
    for name in survey.stations["station"]:
        if name not in deployed:
            yield "should look", f"station {name}", "no deployment: it has no effort", "add it, or remove the station"


def _unidentified(survey: Survey) -> Iterator[Problem]:
    records = survey.records
    for species, rows in records.groupby("species"):
        named = rows["individual"].notna()
        if named.any() and not named.all():
            found = f"{int((~named).sum())} of {len(rows)} records without an identity"
            yield "note", f"species {species}", found, "identify them; capture-recapture leaves them out"


def _one_flank(survey: Survey) -> Iterator[Problem]:
    rows = survey.records.dropna(subset=["individual", "flank"])
    sides = rows.groupby("individual")["flank"].agg(frozenset)
    left, right = (int((sides == frozenset({side})).sum()) for side in ("left", "right"))
    if left and right:
        found = f"{left} identities from the left flank only, {right} from the right only"
        yield "note", "flanks", found, 'capture_history leaves them out; flank="left" counts every animal once'
