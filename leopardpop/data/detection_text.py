"""What a detection history says of itself, as text and as HTML."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leopardpop.data.detection_checks import site_covariates, visit_covariates
from leopardpop.data.names import counted

if TYPE_CHECKING:
    from leopardpop.data.detection_history import DetectionHistory

__all__ = ["detections_html", "detections_text"]

MOST_ROWS = 20
STATES = {0: "not seen", 1: "seen", 2: "seen with young"}


def detections_text(history: DetectionHistory) -> str:
    """Return the text that ``print(history)`` shows."""
    lines = [_head(history), *(f"  {fact}" for fact in _facts(history))]
    table = _table(history)
    if len(table) > 1:
        lines += ["", *(f"  {line}" for line in table.to_string(index=False, max_rows=MOST_ROWS).splitlines())]
    return "\n".join(lines)


def detections_html(history: DetectionHistory) -> str:
    """Return the HTML that a notebook shows; labels are escaped."""
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in _facts(history))
    table = _table(history)
    rows = table.to_html(index=False, border=0, max_rows=MOST_ROWS) if len(table) > 1 else ""
    name, _, rest = _head(history).partition(",")
    return f"<div><strong>{name}</strong>,{escape(rest)}<ul>{facts}</ul>{rows}</div>"


def _head(history: DetectionHistory) -> str:
    seasons, species = history.seasons, history.species
    words = [f"DetectionHistory, response {history.response}", *([_species(species)] if species else [])]
    over = f" over {counted(len(seasons), 'season')}" if len(seasons) > 1 else ""
    seen = counted(history.n_detections, "detection")
    return f"{', '.join(words)}: {counted(history.n_sites, 'site')}, {counted(history.n_visits, 'visit')}{over}, {seen}"


def _species(species: tuple[str, ...]) -> str:
    return species[0] if len(species) == 1 else f"{len(species)} species"


def _facts(history: DetectionHistory) -> list[str]:
    facts = [_visits(history), *_occupancy(history), *_values(history), *_gaps(history.seasons)]
    if "effort" in history.dataset:
        facts.append(_effort(history))
    data = history.dataset
    for of, names in (("sites", site_covariates(data)), ("visits", visit_covariates(data))):
        if names:
            facts.append(f"covariates of {of}: {', '.join(names)}")
    missing = history.missing_covariates
    if len(missing):
        facts.append(f"missing: {'; '.join(_missing(row) for row in missing.to_dict('records'))}")
    return [*facts, *_place(history)]


def _missing(row: Mapping[Hashable, Any]) -> str:
    return f"{row['covariate']} at {row['missing']:,} of {row['total']:,} {row['of']}"


def _visits(history: DetectionHistory) -> str:
    made = history.to_array().notnull().values
    made = made if made.ndim == 3 else made.any(axis=0)
    places = made.shape[1] * made.shape[2]
    never = int((~made.any(axis=(1, 2))).sum())
    each = f"up to {counted(made.shape[2], 'visit')}" + (" a season" if made.shape[1] > 1 else " each")
    share = f"{100 * made.sum() / (len(made) * places):.0f} % of them made"
    return f"{each}, {share}" + (f"; {counted(never, 'site')} never visited (kept)" if never else "")


def _occupancy(history: DetectionHistory) -> list[str]:
    table = history.summary()
    if len(table) > 1:
        return []
    row = table.iloc[0]
    if not row["sites"]:
        return ["no site visited"]
    words = f"naive occupancy {row['naive_occupancy']:.2f} ({row['sites_detected']} of {row['sites']} sites visited)"
    if history.response == "state":
        words += f"; seen with young at {row['sites_breeding']} of them ({row['naive_breeding']:.2f})"
    return [words]


def _values(history: DetectionHistory) -> list[str]:
    y = history.to_array().values
    y = y[~np.isnan(y)]
    if history.response == "state":
        return [
            "visits by state: "
            + ", ".join(f"{state} ({word}) {int((y == state).sum()):,}" for state, word in STATES.items())
        ]
    if history.response == "count" and y.size:
        return [f"{int(y.sum()):,} counted, at most {int(y.max()):,} on a visit"]
    return []


def _gaps(seasons: tuple[str, ...]) -> list[str]:
    """Say which seasons are skipped, where their labels are years or numbers."""
    if not all(season.isdecimal() and len(season) < 6 for season in seasons):
        return []
    gaps = [str(year) for one, other in pairwise(map(int, seasons)) for year in range(one + 1, other)]
    if not gaps or len(gaps) > MOST_ROWS:
        return []
    return [f"no season {', '.join(gaps)}: for a model of change write it as a season without visits"]


def _effort(history: DetectionHistory) -> str:
    effort = history.dataset["effort"].values
    made = history.arrays().visited
    some = effort[made & ~np.isnan(effort)]
    mean = f", {_number(float(some.mean()))} a visit on average" if some.size else ""
    return f"effort {_number(float(some.sum()))} site-{history.effort_unit}s{mean}"


def _place(history: DetectionHistory) -> list[str]:
    data = history.dataset
    if "easting" not in data.coords:
        return ["positions of the sites: not given"]
    width, height = (np.ptp(data[axis].values) / 1000 for axis in ("easting", "northing"))
    where = history.crs or "metres, reference system not given"
    return [f"sites over {_number(float(width))} × {_number(float(height))} km; coordinates: {where}"]


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.3g}"


def _table(history: DetectionHistory) -> pd.DataFrame:
    """Return the summary with shares as people read them."""
    table = history.summary()
    names = {"sites_detected": "detected", "naive_occupancy": "naive occupancy"}
    names |= {"sites_breeding": "breeding", "naive_breeding": "naive breeding"}
    for column in ("naive_occupancy", "naive_breeding"):
        if column in table:
            table[column] = ["" if np.isnan(share) else f"{share:.2f}" for share in table[column]]
    return table.rename(columns=names)
