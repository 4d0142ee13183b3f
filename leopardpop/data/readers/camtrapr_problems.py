"""Problems of cameras that are given by dates, on days that have records: a camera that took one was working."""

from __future__ import annotations

from typing import Any

import pandas as pd

__all__ = ["clear_of_records"]

DAY = pd.Timedelta(days=1)
MOMENT = pd.Timedelta(seconds=1)


def clear_of_records(
    problems: pd.DataFrame, deployments: pd.DataFrame, records: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Let problems begin after the last record of their first day, and end with the first one of their last day.

    Only days that the table gives as dates are narrowed; records on the days between contradict the problem, and stay
    within it.

    Parameters
    ----------
    problems
        Columns deployment, start, end, and first_day and last_day: the dates, missing where a time was given.
    deployments
        Columns deployment, station, camera.
    records
        Columns station, timestamp [, camera].

    Returns
    -------
    failures : DataFrame
        The problems without first_day and last_day.
    notes : list of str
        What was assumed.
    """
    if not len(problems):
        return problems.drop(columns=["first_day", "last_day"], errors="ignore"), []
    owners, notes = deployments.set_index("deployment"), []
    result = problems.reset_index(drop=True)
    for row in result.index:
        times = _times(owners.loc[result["deployment"][row]], deployments, records)
        first, last = result["first_day"][row], result["last_day"][row]
        start, end = result["start"][row], result["end"][row]
        on_first = times[(times >= start) & (times < min(first + DAY, end))] if pd.notna(first) else times[:0]
        start = on_first.max() + MOMENT if len(on_first) else start
        on_last = times[(times >= max(last, start)) & (times < end)] if pd.notna(last) else times[:0]
        end = on_last.min() if len(on_last) else end
        if len(on_first) or len(on_last):
            result.loc[row, ["start", "end"]] = [start, end]
            notes.append(_note(str(result["deployment"][row]), start, end))
    kept = result[result["end"] > result["start"]]
    return kept.drop(columns=["first_day", "last_day"]), notes


def _times(owner: pd.Series[Any], deployments: pd.DataFrame, records: pd.DataFrame) -> pd.Series[Any]:
    """Times of the records of a camera; those that name no camera count where the station has one."""
    here = records["station"] == owner["station"]
    if deployments.loc[deployments["station"] == owner["station"], "camera"].nunique() > 1:
        here &= (records["camera"] == owner["camera"]) if "camera" in records else False
    times: pd.Series[Any] = records.loc[here, "timestamp"]
    return times


def _note(name: str, start: pd.Timestamp, end: pd.Timestamp) -> str:
    return (
        f"A problem of {name} is given by dates, on which there are records: the camera was working then, so the "
        f"problem is taken from {start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S}. Give times to be exact."
    )
