"""What a capture history says of itself, as text and as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leopardpop.data.flanks import flank_words
from leopardpop.words import counted, percent, trimmed

if TYPE_CHECKING:
    from leopardpop.data.history import CaptureHistory

__all__ = ["history_html", "history_text", "session_table"]

DETECTOR_WORDS = {
    "proximity": "detected or not at each station",
    "count": "counted at each station",
    "multi": "at one station at most on each occasion",
}


def history_text(history: CaptureHistory) -> str:
    """Return the text that ``print(history)`` shows."""
    lines = [
        f"CaptureHistory, detector {history.detector}: {_seen(history)}",
        *(f"  {line}" for line in _facts(history)),
    ]
    if len(history.sessions) > 1:
        table = session_table(history).to_string(index=False, max_rows=20)
        lines += ["", *(f"  {line}" for line in table.splitlines())]
    return "\n".join(lines)


def history_html(history: CaptureHistory) -> str:
    """Return the HTML that a notebook shows; labels are escaped."""
    facts = "".join(f"<li>{escape(line)}</li>" for line in _facts(history))
    table = session_table(history).to_html(index=False, border=0, max_rows=20) if len(history.sessions) > 1 else ""
    detector = f"{history.detector} ({DETECTOR_WORDS[history.detector]})"
    return (
        f"<div><strong>CaptureHistory</strong>, detector {escape(detector)}<br>{escape(_seen(history))}"
        f"<ul>{facts}</ul>{table}</div>"
    )


def session_table(history: CaptureHistory) -> pd.DataFrame:
    """Return one row a session: animals, detections, recaptures, stations, occasions, effort."""
    one = [history[session] for session in history.sessions]
    return pd.DataFrame(
        {
            "session": history.sessions,
            "animals": [part.n_individuals for part in one],
            "detections": [part.n_detections for part in one],
            "recaptures": [part.n_recaptures for part in one],
            "stations": [part.n_stations for part in one],
            "occasions": list(history.n_occasions.values()),
            f"station-{history.effort_unit}s": [trimmed(_total_effort(part)) for part in one],
        }
    )


def _seen(history: CaptureHistory) -> str:
    if not history.n_individuals:
        return "no animal detected"
    return (
        f"{counted(history.n_individuals, 'animal')}{_kinds(history)}, {counted(history.n_detections, 'detection')}, "
        f"{counted(history.n_recaptures, 'recapture')}, {counted(history.n_multi_station_individuals, 'animal')} at "
        "more than one station"
    )


def _kinds(history: CaptureHistory) -> str:
    """Say how many of each sex, and how many different animals if some were detected in several sessions."""
    individuals = history.individuals
    words = []
    if "sex" in individuals and individuals["sex"].dtype == object:
        counts = individuals["sex"].fillna("sex unknown").value_counts()
        words = [f"{counts[sex]} {sex}" for sex in sorted(counts.index, key=lambda sex: (sex == "sex unknown", sex))]
    different = individuals["individual"].nunique()
    if different < history.n_individuals:
        words.append(f"{different} different, over {len(history.sessions)} sessions")
    return f" ({', '.join(words)})" if words else ""


def _facts(history: CaptureHistory) -> list[str]:
    never_on = int((np.nan_to_num(history.dataset["effort"].values).max(axis=1) == 0).sum())
    off = f" ({never_on} never on)" if never_on else ""
    facts = [
        f"{counted(history.n_stations, 'station')}{off} over {_extent(history)}; {_occasions(history)}",
        f"effort {_effort(history)}{_each(history)}{_off_share(history)}",
    ]
    flanks = flank_words(history.dataset)
    if flanks:
        facts.append(f"flanks: {flanks}")
    removed = int(history.dataset["removed"].values.sum())
    if removed:
        facts.append(f"{counted(removed, 'animal')} died or removed")
    covariates = [*history.stations.columns[4:], *history.individuals.columns[2:]]
    covariates += [*history.occasion_covariates.columns[2:], *history.effort.columns[4:]]
    if covariates:
        facts.append(f"covariates: {', '.join(covariates)}")
    return [*facts, f"coordinates: {history.crs or 'metres, reference system not given'}"]


def _extent(history: CaptureHistory) -> str:
    stations = history.stations
    width, height = ((stations[axis].max() - stations[axis].min()) / 1000 for axis in "xy")
    return f"{trimmed(width)} × {trimmed(height)} km"


def _occasions(history: CaptureHistory) -> str:
    numbers = sorted(set(history.n_occasions.values()))
    if len(numbers) == 1:
        per_session = " in each of " + counted(len(history.sessions), "session") if len(history.sessions) > 1 else ""
        return f"{counted(numbers[0], 'occasion')}{per_session}"
    return f"{numbers[0]} to {numbers[-1]} occasions in {len(history.sessions)} sessions"


def _effort(history: CaptureHistory) -> str:
    return counted(_total_effort(history), f"station-{history.effort_unit}")


def _total_effort(history: CaptureHistory) -> float:
    return float(np.nansum(history.dataset["effort"].values))


def _each(history: CaptureHistory) -> str:
    """Effort of a station on one of several occasions: a total that was taken for it shows here."""
    effort = history.dataset["effort"].values
    if effort.ndim < 2 or max(history.n_occasions.values()) < 2 or history.effort_unit == "occasion":
        return ""
    return f", {trimmed(float(np.median(effort[effort > 0])))} on an occasion" if (effort > 0).any() else ""


def _off_share(history: CaptureHistory) -> str:
    effort = history.dataset["effort"].values
    share = float(np.sum(effort == 0) / np.sum(~np.isnan(effort)))
    return f"; stations were off on {percent(share)} of occasions" if share else ""
