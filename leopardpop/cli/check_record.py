"""What there is in a survey: the lines under FOR THE RECORD, and who ran when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leopardpop.cli.occasion_length import occasion_note
from leopardpop.data.detection_history import DetectionHistory
from leopardpop.data.effort import effort_days, running_intervals
from leopardpop.data.occasions import DAY, make_occasions
from leopardpop.data.survey_problems_effort import SILENT_DAYS, overlaps, silent_stretches
from leopardpop.data.survey_problems_places import nearest_distances
from leopardpop.data.survey_problems_tables import tables_of
from leopardpop.data.young import YOUNG, is_young
from leopardpop.words import counted, decimal, length

if TYPE_CHECKING:
    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.survey import Survey

__all__ = [
    "effort_lines",
    "history_choices",
    "history_record",
    "history_shape",
    "history_title",
    "silent_table",
    "survey_record",
]

SIGMA = {"Panthera pardus": "σ of a leopard: 3 to 7 km"}
MOST_REASONS = 8
STEPS = (1, 2, 7, 14, 28, 91, 364)
"""Days that a column of the effort chart may stand for."""


def silent_table(survey: Survey) -> pd.DataFrame | None:
    """List the stretches in which cameras recorded nothing; None if failures are given: then silence is told apart.

    Parameters
    ----------
    survey
        The survey.

    Returns
    -------
    pandas.DataFrame or None
        Columns station, deployment, camera, start, end, days.
    """
    if len(survey.failures):
        return None
    return silent_stretches(survey.deployments, survey.failures, survey.records, survey.clock)


def survey_record(survey: Survey) -> dict[str, str]:
    """Say what there is in a survey.

    Parameters
    ----------
    survey
        The survey.

    Returns
    -------
    dict
        Heading -> words: time, effort, stations, animals, cubs, records, and what the reader chose.

    Examples
    --------
    >>> import leopardpop as lp
    >>> survey_record(lp.load_example("amur_leopard", seed=1))["records"]
    '971 = 971 used + 0 unexplained'
    """
    table = occasion_note(survey)
    return (
        {
            "time": _time(survey),
            "effort": _effort(survey),
            "stations": _stations(survey),
            "animals": _animals(survey),
            "cubs": _cubs(survey),
            "records": _records(survey),
        }
        | ({"occasions": table} if table else {})
        | ({"reading": "\n".join(survey.notes[1:])} if len(survey.notes) > 1 else {})
    )


def _time(survey: Survey) -> str:
    deployments, wall = survey.deployments, survey.clock.wall
    ends = (wall(deployments["start"]).min(), wall(deployments["end"]).max())
    first, last = (f"{day.day} {day:%b %Y}" for day in ends)
    return f"{first} to {last}, tz = {survey.tz or 'camera clock'}"


def _effort(survey: Survey) -> str:
    tables = survey.deployments, survey.failures, survey.stations["station"].tolist(), survey.clock
    cameras, stations = (running_intervals(*tables, by_camera=each) for each in (True, False))
    camera_days, station_days = (float((on.end - on.start).sum() / DAY) for on in (cameras, stations))
    text = f"{decimal(camera_days, 1)} camera-days, {decimal(station_days, 1)} station-days; "
    text += f"{counted(len(survey.failures), 'failure')}, "
    overlapping = len(list(overlaps(tables_of(survey))))
    silent = silent_table(survey)
    text += counted(overlapping, "overlapping deployment")
    if silent is None or silent.empty:
        return text
    return f"{text}; {counted(len(silent), 'stretch', 'stretches')} of {SILENT_DAYS} days or more without any record"


def _stations(survey: Survey) -> str:
    nearest = nearest_distances(survey.stations[["x", "y"]].to_numpy(float))
    text = f"{len(nearest):,}{f', {survey.crs}' if survey.crs else ''}"
    if len(nearest) < 2:
        return text
    text += (
        f"; nearest pair {length(float(nearest.min()))}, median nearest distance {length(float(np.median(nearest)))}"
    )
    species = survey.records["species"].mode()
    sigma = SIGMA.get(str(species.iloc[0])) if len(species) else None
    return f"{text} ({sigma})" if sigma else text


def _animals(survey: Survey) -> str:
    records = survey.records
    named = records[records["individual"].notna()]
    counts = records["species"].value_counts()
    text = f"{counted(named['individual'].nunique(), 'identity', 'identities')} in {counted(len(named), 'record')}; "
    shown = ", ".join(f"{name} {n:,}" for name, n in counts.head(4).items())
    more = f", {len(counts) - 4} more" if len(counts) > 4 else ""
    return f"{text}{counted(len(counts), 'species', 'species')}{f': {shown}{more}' if shown else ''}"


def _cubs(survey: Survey) -> str:
    records = survey.records[survey.records["species"].notna()]
    young = int(is_young(records["life_stage"], YOUNG).sum())
    told = f"young in {counted(young, 'record')}; " if young else "no record of young; "
    stages = int(records["life_stage"].notna().sum())
    return f"{told}life stage known in {stages:,} of {len(records):,}, sex in {int(records['sex'].notna().sum()):,}"


def _records(survey: Survey) -> str:
    """Account for every row that was read: a sum that must come out."""
    audit = survey.audit
    kept = int((audit["action"] == "kept").sum())
    others = audit[audit["action"] != "kept"]
    reasons = others["reason"].fillna("").astype(str).str.strip()
    counts = reasons[reasons != ""].value_counts()
    parts = [f"{n:,} {reason}" for reason, n in counts.head(MOST_REASONS).items()]
    if len(counts) > MOST_REASONS:
        left = counts.iloc[MOST_REASONS:]
        parts.append(f"{left.sum():,} for {counted(len(left), 'other reason')}")
    unexplained = int((reasons == "").sum())
    sep = "\n+ " if len(parts) > 1 else " + "
    return sep.join([f"{len(audit):,} = {kept:,} used", *parts, f"{unexplained:,} unexplained"])


def history_record(history: CaptureHistory | DetectionHistory) -> dict[str, str]:
    """Say what there is in the history that an analysis asks for.

    Parameters
    ----------
    history
        The history.

    Returns
    -------
    dict
        ``history`` -> words.
    """
    if isinstance(history, DetectionHistory):
        return {"history": ", ".join(_visits(history))}
    parts = [
        counted(history.n_individuals, "animal"),
        counted(history.n_detections, "detection"),
        counted(history.n_recaptures, "recapture"),
        f"{counted(history.n_multi_station_individuals, 'animal')} at several stations",
    ]
    return {"history": ", ".join(parts)}


def _visits(history: DetectionHistory) -> list[str]:
    """Sizes of a history of visits."""
    y = history.dataset["y"]
    seen = (y > 0).any([name for name in y.dims if name != "site"])
    several = {"season": len(history.seasons), "species": len(history.species)}
    return [
        counted(history.n_sites, "site"),
        *(counted(n, of, {"species": "species"}.get(of)) for of, n in several.items() if n > 1),
        counted(history.n_visits, "visit"),
        counted(history.n_detections, "detection"),
        f"detected at {counted(int(seen.sum()), 'site')}",
    ]


def history_title(history: CaptureHistory | DetectionHistory) -> str:
    """Name the kind of a history."""
    return "detection history" if isinstance(history, DetectionHistory) else "capture history"


def history_choices(history: CaptureHistory | DetectionHistory | None) -> str:
    """Name what only its user knows of a history."""
    return "response, seasons, models" if isinstance(history, DetectionHistory) else "detector, effort, mask"


def history_shape(history: CaptureHistory | DetectionHistory) -> tuple[int, ...]:
    """Stations or sites [, seasons], then occasions."""
    table = history.dataset["y" if isinstance(history, DetectionHistory) else "effort"]
    return tuple(table.isel(species=0).shape if "species" in table.dims else table.shape)


# -- who ran when -----------------------------------------------------------------------------------------------------
def effort_lines(survey: Survey, width: int = 100) -> list[str]:
    """Draw who ran when: a row a station, a column some days.

    Parameters
    ----------
    survey
        The survey.
    width
        Characters of a line.

    Returns
    -------
    list of str
        ``█`` on, ``▒`` for a part of the time, ``x`` failed, ``·`` no camera.

    Examples
    --------
    >>> import leopardpop as lp
    >>> print(effort_lines(lp.load_example("amur_leopard", seed=1), width=40)[1])
    L001  ▒█████████████▒·    103 d
    """
    names = survey.stations["station"].tolist()
    label = max(map(len, names))
    first, last = (survey.clock.wall(survey.deployments[name]) for name in ("start", "end"))
    first, last = first.min().normalize(), last.max().ceil("D")
    step = _step((last - first).days, width - label - 12)
    occasions = make_occasions(first, last, pd.Timedelta(days=step), survey.clock)
    tables = names, survey.clock
    on, there = (
        effort_days(running_intervals(survey.deployments, failures, *tables), occasions, len(names))
        for failures in (survey.failures, survey.failures.iloc[:0])
    )
    marks = np.select([there == 0, on == 0, on < 0.999 * np.diff(occasions.edges) / DAY], ["·", "x", "▒"], "█")
    head = f"{'':<{label}}  {first.day} {first:%b %Y}, a column is {counted(step, 'day')}"
    key = "█ on   ▒ for a part of the time   x failed   · no camera"
    days = on.sum(axis=1)
    rows = [
        f"{name:<{label}}  {''.join(row)} {total:6.0f} d" for name, row, total in zip(names, marks, days, strict=True)
    ]
    return [head, *rows, key]


def _step(days: int, columns: int) -> int:
    """Days of a column, so that a line is long enough."""
    return next((step for step in STEPS if days / step <= columns), STEPS[-1])
