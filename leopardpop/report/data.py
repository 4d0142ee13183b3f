"""What went into the fit: the survey, what became of its records, the mask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.models.flank_lists import sides
from leopardpop.report.blocks import Block, Heading, Paragraph, Table
from leopardpop.words import counted, joined, trimmed, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leopardpop.data.history import CaptureHistory
    from leopardpop.data.mask import Mask
    from leopardpop.report.context import Context, FitContext

__all__ = ["data_blocks", "record_text", "station_blocks"]

DETECTORS = {
    "proximity": "proximity: an animal is detected at a station on an occasion, or not",
    "count": "count: independent detections are counted",
    "multi": "multi-catch: at one station at most on each occasion",
}
UNKNOWN = "unknown"
MOST_STATIONS = 500
KNOWN = ("kept", "merged", "dropped")


def data_blocks(context: Context) -> list[Block]:
    """Summary of the data, without positions.

    Parameters
    ----------
    context
        What the report is about.
    """
    history = context.history
    columns = ["", *(history.sessions if len(history.sessions) > 1 else ["Survey"])]
    by_session = [_session(context, s) for s in history.sessions]
    rows = [[name, *(column[name] for column in by_session)] for name in by_session[0]]
    blocks: list[Block] = [Heading("The data", "data")]
    blocks.append(Paragraph(_intro(context)))
    blocks.append(Table(columns, rows, numeric=range(1, len(columns))))
    records = record_text(context, context.history.stations["station"])
    return [*blocks, *([Paragraph(records)] if records else [])]


def _intro(context: Context) -> str:
    history = context.history
    text = f"Detector {DETECTORS[history.detector]}. Effort is in {history.effort_unit}s. "
    classes = context.problem.column
    if classes is not None:
        values = history.individuals.get(classes, pd.Series(dtype=object))  # no column where no animal was detected
        named = values.astype(object).where(values.notna() & (values.astype(str) != ""), UNKNOWN)
        tally = named.value_counts().sort_index()
        text += f"Animals by {classes}: {joined([f'{n} {name}' for name, n in tally.items()])}. " if len(tally) else ""
    if len(history.sessions) > 1:
        text += f"{len(history.sessions)} sessions, analysed together. "
    return text.strip()


def _session(context: Context, session: str) -> dict[str, str]:
    """Facts of one session: heading to text."""
    history, mask = context.history[session], context.problem.masks[session]
    effort = context.history.arrays(session).effort.sum(1)
    on = effort[effort > 0]
    facts = {
        "Stations": whole(history.n_stations),
        "of which never on": whole(int((effort == 0).sum())),
        f"Effort, station-{history.effort_unit}s": whole(effort.sum()),
        "median of a station that was on": trimmed(float(np.median(on))) if len(on) else "–",
        "Occasions": _occasions(history),
        **_who(context, session),
        "Detections": whole(history.n_detections),
        "Recaptures": whole(history.n_recaptures),
        "Spatial recaptures": whole(history.n_spatial_recaptures),
        f"{_nouns(context)} at two or more stations": whole(history.n_multi_station_individuals),
    }
    return {**facts, **_mask(mask, context)}


def _nouns(context: Context) -> str:
    """What an individual of the history is."""
    return "Animals" if context.problem.knows_animals else "Identities"


def _who(context: Context, session: str) -> dict[str, str]:
    """How many individuals there are; of two flanks, by what is known of them."""
    number = whole(context.history[session].n_individuals)
    if context.problem.knows_animals:
        return {"Animals detected": number}
    _, left, right = sides(context.history.arrays(session))
    return {"Identities": number, "of the left flank only": whole(len(left)), "of the right only": whole(len(right))}


def _occasions(history: CaptureHistory) -> str:
    """Number of occasions, and the first day if it is known."""
    text = whole(next(iter(history.n_occasions.values())))
    if "occasion_start" not in history.dataset:
        return text
    first: Any = pd.Timestamp(history.dataset["occasion_start"].values.ravel()[0])
    return text if pd.isnull(first) else f"{text}, from {first.day} {first:%B %Y}"


def _mask(mask: Mask, context: Context) -> dict[str, str]:
    facts = {"Mask, km²": trimmed(mask.total_area, 4), "Cells": whole(mask.n_cells)}
    facts["Spacing of cells, m"] = "–" if mask.spacing is None else trimmed(mask.spacing, 6)
    facts["Buffer around stations, m"] = "–" if mask.buffer is None else trimmed(mask.buffer, 6)
    facts["Clipped to habitat"] = "no" if mask.region is None else "yes"
    used = re.findall(r"[^\W\d]\w*", str(context.problem.model.density.D))  # type: ignore[union-attr]
    for name in dict.fromkeys(used):
        if name in mask.covariates and mask.covariates[name].dtype == np.float64:
            values = mask.covariates[name]
            facts[f"{name}, range"] = f"{trimmed(values.min())} to {trimmed(values.max())}"
    return facts


# -- records ----------------------------------------------------------------------------------------------------------
def record_text(context: FitContext, names: Iterable[Any]) -> str:
    """What became of the records, from the audit.

    Parameters
    ----------
    context
        What the report is about.
    names
        Names of the places of the records, which are not told where positions are hidden.
    """
    audit = context.history.audit
    if audit.empty:
        return ""
    numbers = audit["action"].value_counts()
    actions = sorted(numbers.index, key=lambda action: KNOWN.index(action) if action in KNOWN else len(KNOWN))
    kinds = [f"{whole(numbers[action])} {action}" for action in actions]
    text = f"The audit has {counted(len(audit), 'entry', 'entries')}: {joined(kinds)}."
    reasons = _reasons(
        context, names, audit.loc[audit["action"] == "dropped", "reason"].astype(str).value_counts(sort=False)
    )
    if reasons:
        most = sorted(reasons, key=lambda reason: -reasons[reason])[:8]
        text += f" Dropped for: {joined([f'{reason} ({whole(reasons[reason])})' for reason in most])}."
    return text


def _reasons(context: FitContext, names: Iterable[Any], tally: pd.Series[int]) -> dict[str, int]:
    """How often each reason occurs; those that name a place that is to be hidden are put together."""
    named = "|".join(sorted({re.escape(str(name)) for name in names}))
    told: dict[str, int] = {}
    for reason, n in tally.items():
        secret = context.hidden and re.search(rf"(?<!\w)({named})(?!\w)", str(reason))
        shown = "other reasons" if secret else str(reason)
        told[shown] = told.get(shown, 0) + int(n)
    return told


# -- stations ---------------------------------------------------------------------------------------------------------
def station_blocks(context: Context) -> list[Block]:
    """Table of the stations with their positions; only where exact coordinates were asked for.

    Parameters
    ----------
    context
        What the report is about.
    """
    if context.hidden:
        return []
    table = context.history.stations
    several = len(context.history.sessions) > 1
    columns = [*(["Session"] if several else []), "Station", "x, m", "y, m", "Effort", "Animals", "Detections"]
    rows: list[list[str]] = []
    for session in context.history.sessions:
        data = context.history.arrays(session)
        detections = np.bincount(data.station, data.count, len(data.stations))
        pairs = np.unique(np.column_stack([data.individual, data.station]), axis=0)
        animals = np.bincount(pairs[:, 1].astype(np.intp), minlength=len(data.stations))
        for k, name in enumerate(data.stations):
            place = [f"{data.xy[k, 0]:.0f}", f"{data.xy[k, 1]:.0f}", trimmed(float(data.effort[k].sum()))]
            rows.append([*([session] if several else []), str(name), *place, str(animals[k]), whole(detections[k])])
    crs = context.history.crs or "not given"
    caption = f"Positions in metres, coordinate reference system {crs}; effort in {context.history.effort_unit}s."
    if len(table) > MOST_STATIONS:
        caption += f" The first {MOST_STATIONS} of {whole(len(table))}."
    numeric: Any = range(len(columns) - 5, len(columns))
    return [Heading("Stations", "stations"), Table(columns, rows[:MOST_STATIONS], numeric=numeric, caption=caption)]
