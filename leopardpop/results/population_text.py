"""How a population presents itself: plain words and numbers a person can quote."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from leopardpop.words import MEDIANS, decimal, interval, percent, span, trimmed, whole

if TYPE_CHECKING:
    import pandas as pd

    from leopardpop.results.population import Population

__all__ = ["population_html", "population_text"]

HEADINGS = ("", "N", "95 %", "expected N", "per 100 km²", "km²")

MEDIAN = ("median", "eti95_lb", "eti95_ub")


def population_text(population: Population) -> str:
    """Describe a population in lines of text."""
    rows = [HEADINGS, *_cells(population)]
    width = [max(len(row[k]) for row in rows) for k in range(len(HEADINGS))]
    lines = ["  " + "  ".join(cell.ljust(n) for cell, n in zip(row, width, strict=True)).rstrip() for row in rows]
    return "\n".join([_title(population), *lines, *_origins(population), *population.notes])


def population_html(population: Population) -> str:
    """Describe a population as an HTML table."""
    head = "".join(f"<th>{escape(text)}</th>" for text in HEADINGS)
    body = "".join(
        f"<tr><th style='text-align:left'>{escape(row[0])}</th>{''.join(f'<td>{escape(c)}</td>' for c in row[1:])}</tr>"
        for row in _cells(population)
    )
    notes = "<br>".join(escape(line.strip()) for line in [*_origins(population), *population.notes])
    top = f"<caption>{escape(_title(population))}</caption><thead><tr>{head}</tr></thead>"
    return f"<table>{top}<tbody>{body}</tbody></table><p>{notes}</p>"


def _title(population: Population) -> str:
    names = population.region_names
    return f"Population: animals in {names[0] if len(names) == 1 else f'{len(names)} regions'}. {MEDIANS}"


def _cells(population: Population) -> list[tuple[str, ...]]:
    """One row a session, region and class."""
    summary = population.summary()
    realised, expected = (summary[summary.index.get_level_values(0) == q] for q in ("realised", "expected"))
    if summary.index.nlevels == 1:
        labels = [population.region_name]
    else:
        labels = [_label(tuple(key)[1:]) for key in realised.index.to_list()]
    pairs = zip(realised.iterrows(), expected.iterrows(), strict=True)
    return [_row(label, number, mean) for label, ((_, number), (_, mean)) in zip(labels, pairs, strict=True)]


def _label(key: object) -> str:
    return " · ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _row(label: str, realised: pd.Series, expected: pd.Series) -> tuple[str, ...]:
    if not np.isfinite(realised["mean"]):
        return (label, "–", "", "", "", "none")
    middle, low, high = expected[list(MEDIAN)].astype(float)
    km2 = float(expected["area_km2"])
    per = 100.0 / km2
    return (
        label,
        whole(realised["median"]),
        span(realised["eti95_lb"], realised["eti95_ub"]),
        interval(middle, low, high),
        interval(per * middle, per * low, per * high),
        trimmed(km2, 4),
    )


def _origins(population: Population) -> list[str]:
    """The three numbers that N is made of on average, a line a session and region."""
    sources = population.sources
    share = np.ravel(np.asarray(population.share_extrapolated))
    lines = []
    for (key, row), part in zip(sources.iterrows(), share, strict=True):
        if not np.isfinite(part):
            continue
        who = f"{_label(key)}: " if len(sources) > 1 else ""
        numbers = (decimal(row[name], 1) for name in ("photographed", "near_cameras", "extrapolated"))
        words = zip(numbers, ("photographed", "estimated near cameras", "extrapolated"), strict=True)
        said = " · ".join(f"{number} {word}" for number, word in words)
        lines.append(f"  {who}{said}, on average ({percent(part)} of E[N] where detection is below 0.1)")
    return lines
