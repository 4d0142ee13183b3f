"""What went into an occupancy fit: sites, visits, what was seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.report.blocks import Block, Heading, Paragraph, Table
from leopardpop.report.data import record_text
from leopardpop.words import trimmed, whole

if TYPE_CHECKING:
    from leopardpop.report.site_context import SiteContext

__all__ = ["site_blocks", "site_data_blocks"]

RESPONSES = {
    "binary": "On each visit the species was seen (1) or not (0).",
    "count": "On each visit a number was counted.",
    "state": "Each visit saw nothing (0), the species (1), or {} (2).",
}
MOST_SITES = 500


def site_data_blocks(context: SiteContext) -> list[Block]:
    """Summary of the data, without positions.

    Parameters
    ----------
    context
        What the report is about.
    """
    seasons = context.seasons
    columns = ["", *(seasons if len(seasons) > 1 else ["Survey"])]
    by_season = [_season(context, t) for t in range(len(seasons))]
    rows = [[name, *(facts[name] for facts in by_season)] for name in by_season[0]]
    blocks: list[Block] = [Heading("The data", "data"), Paragraph(_intro(context))]
    blocks.append(Table(columns, rows, numeric=range(1, len(columns))))
    records = record_text(context, context.arrays.sites)
    return [*blocks, *([Paragraph(records)] if records else [])]


def _intro(context: SiteContext) -> str:
    second = "young" if context.breeds else "the species, confirmed"
    text = RESPONSES[context.history.response].format(second)
    names = [str(name) for name in context.arrays.species]
    if names:
        text = f"Species: {', '.join(names)}. {text}"
    used = _covariates(context)
    return f"{text} Covariates in the model: {', '.join(used)}." if used else f"{text} The model has no covariates."


def _covariates(context: SiteContext) -> list[str]:
    """Variables of the formulas that the history has."""
    formulas = " ".join(context.formula(name) for name in context.structure.homes)
    table = context.arrays.visit_covariates
    known = {*table.columns, *context.arrays.season_covariates.columns, "effort", "visit", "season"}
    words = dict.fromkeys(re.findall(r"[^\W\d]\w*", formulas))
    return [word for word in words if word in known]


def _season(context: SiteContext, t: int) -> dict[str, str]:
    """Facts of one season: heading to text."""
    data = context.arrays
    here = data.season == t
    visits = np.bincount(data.site[here], minlength=context.n_sites)
    made, value = visits[visits > 0], data.value[here]
    facts = {
        "Sites": whole(context.n_sites),
        "of which never visited": whole(int((visits == 0).sum())),
        "Visits": whole(int(visits.sum())),
        "median per visited site": trimmed(float(np.median(made))) if len(made) else "–",
    }
    if "effort" in context.history.dataset:
        effort = float(np.nansum(data.effort[:, t][data.visited[:, t]]))
        facts[f"Effort, {data.effort_unit}s"] = trimmed(effort, 4)
    return facts | _seen(context, data.site[here], value)


def _seen(context: SiteContext, site: Any, value: Any) -> dict[str, str]:
    facts = {
        "Visits with a detection": whole(int((value > 0).sum())),
        "Sites with a detection": whole(len(np.unique(site[value > 0]))),
    }
    if context.history.response == "count":
        return facts | {"Sum of counts": whole(int(value.sum())), "largest count": whole(int(value.max(initial=0)))}
    if context.history.response == "state":
        what = "young" if context.breeds else "a confirmed detection"
        return facts | {f"Sites with {what}": whole(len(np.unique(site[value > 1])))}
    return facts


def site_blocks(context: SiteContext) -> list[Block]:
    """Table of the sites with their positions; only where exact coordinates were asked for.

    Parameters
    ----------
    context
        What the report is about.
    """
    data = context.arrays
    if context.hidden or data.xy is None:
        return []
    visits = np.bincount(data.site, minlength=context.n_sites)
    seen = np.bincount(data.site[data.value > 0], minlength=context.n_sites)
    rows = [
        [str(name), f"{x:.0f}", f"{y:.0f}", whole(float(n)), whole(float(k))]
        for name, (x, y), n, k in zip(data.sites, data.xy, visits, seen, strict=True)
    ]
    caption = f"Positions in metres, coordinate reference system {context.history.crs or 'not given'}."
    if len(rows) > MOST_SITES:
        caption += f" The first {MOST_SITES} of {whole(len(rows))}."
    columns = ["Site", "x, m", "y, m", "Visits", "with a detection"]
    return [Heading("Sites", "sites"), Table(columns, rows[:MOST_SITES], numeric=range(1, 5), caption=caption)]
