"""The report of a plan: what a survey is expected to find, where its stations would be, and what it would tell."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from leopardpop._version import __version__
from leopardpop.data.names import listed
from leopardpop.design import Expected, Layout, More, Power, SitePrecision, Study
from leopardpop.errors import ModelError
from leopardpop.priors import Prior
from leopardpop.report.blocks import Block, Bullets, Heading, Paragraph, Report, Table
from leopardpop.report.figures import Pictures
from leopardpop.report.write import write_composed
from leopardpop.words import counted, equal_to, interval, percent, trimmed, whole_interval

__all__ = ["write_plan"]

RSE = 0.2
"""Relative standard error that is called good enough in the tables."""
TITLE = "What will the survey tell?"


def write_plan(
    path: str | os.PathLike[str],
    *results: Any,
    assumed: Mapping[str, Any] | None = None,
    coordinates: Literal["hidden", "exact"] = "hidden",
    title: str | None = None,
    note: str | None = None,
) -> Path:
    """Write a report of a plan; see :func:`leopardpop.design.report`."""
    wrong = [type(each).__name__ for each in results if type(each) not in SECTIONS]
    if wrong or not results:
        found = f"a {wrong[0]} is none" if wrong else "there is none"
        known = listed([kind.__name__ for kind in SECTIONS], most=len(SECTIONS))
        raise ModelError(f"results of planning: {found}. Give what lp.design returned: {known}.", offenders=wrong)
    if coordinates not in ("hidden", "exact"):
        raise ModelError(f'coordinates={coordinates!r}: it is "hidden" or "exact".', offenders=["coordinates"])
    pictures = Pictures()
    blocks: list[Block] = [] if note is None else [Paragraph(note)]
    blocks += _assumed(assumed)
    for kind, section in SECTIONS.items():
        for each in results:
            if type(each) is kind:
                blocks += section(each, pictures, exact=coordinates == "exact")
    blocks += _limits({type(each) for each in results})
    shown = "Positions are hidden." if coordinates == "hidden" else "This report shows positions: do not pass it on."
    return write_composed(Report(title or TITLE, blocks, f"{shown} leopardpop {__version__}."), Path(path))


def _assumed(assumed: Mapping[str, Any] | None) -> list[Block]:
    if assumed is None:
        return []
    rows = [(str(name), _value(each)) for name, each in assumed.items()]
    text = "Everything below follows from this. Densities are per km², σ in metres, λ0 and g0 per unit of effort."
    return [Heading("What is assumed", "assumed"), Paragraph(text), Table(["parameter", "value or prior"], rows)]


def _value(assumed: Any) -> str:
    if isinstance(assumed, Prior):
        low, high = (trimmed(float(each)) for each in assumed.quantile([0.025, 0.975]))
        return f"{low} to {high} in 95 of 100 cases: {assumed}"
    return trimmed(assumed) if isinstance(assumed, int | float) else str(assumed)


# -- sections ---------------------------------------------------------------------------------------------------------
def _expected(found: Expected, pictures: Pictures, *, exact: bool) -> list[Block]:
    good = found.probability(RSE)
    rows = [_of_design(found, name, times, part, float(good[name, times])) for (name, times), part in found.groups()]
    columns = ["design", "occasions", "animals", "recaptures", "elsewhere", "RSE, %"]
    of_draws = found.n_draws > 1
    columns += ["P"] if of_draws else []
    caption = "Expected numbers; elsewhere: recaptures at other stations."
    if of_draws:
        caption += (
            f" Medians and 95 % intervals over {counted(found.n_draws, 'draw')} of what is assumed; P: chance of "
        )
        caption += f"an RSE of at most {percent(RSE)}."
    blocks: list[Block] = [Heading("What it will find", "expected")]
    blocks.append(Table(columns, rows, numeric=range(1, len(columns)), caption=caption))
    blocks.append(
        Paragraph(
            "The relative standard error (RSE) of density is about 1/√min(E[n], E[r]), n the animals and r their "
            "recaptures: a rule for constant density and animals that are alike, which knows no priors."
        )
    )
    return blocks + [picture for name in found.designs for picture in _pdot(found, name, pictures, exact=exact)]


def _of_design(found: Expected, name: str, times: float, part: pd.DataFrame, good: float) -> list[str]:
    history = found.designs[name]
    occasions = times * float(np.mean(list(history.n_occasions.values())))
    numbers = [_number(part[column]) for column in ("n", "recaptures", "spatial_recaptures")]
    finite = 100 * part["rse"].to_numpy()[np.isfinite(part["rse"])]
    rse = _number(finite) if len(finite) else "no estimate"
    stations = counted(history.n_stations, "station")
    row = [name if name == stations else f"{name}: {stations}", trimmed(occasions), *numbers, rse]
    return [*row, equal_to(good).removeprefix("= ")] if found.n_draws > 1 else row


def _number(values: Any) -> str:
    draws = np.asarray(values, float)
    if len(draws) == 1:
        return trimmed(float(draws[0]), 2)
    low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975])
    return whole_interval(middle, low, high)


def _pdot(found: Expected, name: str, pictures: Pictures, *, exact: bool) -> list[Block]:
    if not exact:
        return []
    times = sorted({f for design, f in found.maps if design == name})
    return [pictures.picture(found.plot(name, effort=times[len(times) // 2]), f"detection_{len(name)}_{name[:12]}")]


def _layout(found: Layout, pictures: Pictures, *, exact: bool) -> list[Block]:
    heading = Heading("Where the stations would be", "layout")
    if exact:
        return [heading, pictures.picture(found.plot(coordinates="exact"), f"layout_{len(found.stations)}")]
    left_out = 'The map is left out, for stations can be found by it: coordinates="exact" shows it.'
    return [heading, Paragraph(f"{found!r}. {left_out}")]


def _study(found: Study, pictures: Pictures, *, exact: bool) -> list[Block]:
    failures = found.failures()
    rows = []
    for row in found.summary().to_dict("records"):
        pairs = [(100 * row[name], 100 * row[f"{name}_mcse"]) for name in ("relative_bias", "coverage", "rse")]
        numbers = [f"{value:.1f} (± {error:.1f})".replace("-", "−") for value, error in pairs]
        rows.append([str(row["scenario"]), str(row["quantity"]), *numbers, percent(row["failed"])])
    columns = ["scenario", "quantity", "bias, %", "95 % interval holds, %", "RSE, %", "failed"]
    caption = "Surveys simulated and analysed; in brackets the Monte Carlo standard error."
    bad = failures.loc[failures["verdict"] != "ok", "scenario"].astype(str).tolist()
    blocks: list[Block] = [Heading("What it would tell, by simulation", "study")]
    blocks.append(Table(columns, rows, numeric=range(2, 6), caption=caption))
    if bad:
        blocks.append(Paragraph(f"Replicates failed in {', '.join(bad)}: averages over the others flatter the design."))
    return [*blocks, pictures.picture(found.plot(), "study")]


def _power(found: Power, pictures: Pictures, *, exact: bool) -> list[Block]:
    summary = found.summary()
    declines = list(dict.fromkeys(summary["decline"]))
    rows = [
        [str(name), f"× {trimmed(float(str(times)))}", *(equal_to(p).removeprefix("= ") for p in part["power"])]
        for (name, times), part in summary.groupby(["design", "effort"], sort=False)
    ]
    columns = ["design", "effort", *(f"by {percent(share)}" for share in declines)]
    caption = (
        f"Probability that a decline over {counted(found.trend.years, 'year')}, by "
        f"{counted(len(found.trend.times), 'survey')}, is seen: P(decline | data) > {1 - found.trend.level:g}."
    )
    return [Heading("Would a decline be seen?", "power"), Table(columns, rows, range(2, len(columns)), caption)]


def _precision(found: SitePrecision, pictures: Pictures, *, exact: bool) -> list[Block]:
    summary = found.summary()
    quantities = list(dict.fromkeys(summary["quantity"]))
    rows = [
        [str(sites), str(visits), *(f"± {width / 2:.2f}" for width in part["width"])]
        for (sites, visits), part in summary.groupby(["sites", "visits"], sort=False)
    ]
    caption = "Half widths of 95 % intervals, from the information of one site; below about 50 sites they are hopeful."
    blocks: list[Block] = [Heading("Occupancy and breeding", "occupancy")]
    return [*blocks, Table(["sites", "visits", *quantities], rows, range(2 + len(quantities)), caption)]


def _more(found: More, pictures: Pictures, *, exact: bool) -> list[Block]:
    rows = [
        [
            f"{row['occasions']:g}",
            interval(*(row[f"n{end}"] for end in ("", "_lower", "_upper"))),
            interval(*(100 * row[f"rse{end}"] for end in ("", "_lower", "_upper"))),
            equal_to(row["assurance"]).removeprefix("= "),
        ]
        for row in found.summary().to_dict("records")
    ]
    columns = ["more occasions", "animals", "RSE, %", f"P(RSE ≤ {percent(found.rse)})"]
    said = f"So far {counted(found.n_now, 'animal')} and {counted(found.recaptures_now, 'recapture')}."
    return [Heading("How many more occasions?", "more"), Paragraph(said), Table(columns, rows, range(4))]


def _limits(kinds: set[type]) -> list[Block]:
    items = [
        "A plan is as good as what is assumed of density and movement. Take ranges, not points, and look at the worse "
        "end of the intervals.",
        "Cameras fail, animals are misread, cubs walk with their mothers: lp.design.Reality puts that into "
        "simulations; formulas know none of it.",
    ]
    if Expected in kinds and Study not in kinds:
        items.append("Nothing here was simulated: check the design that is chosen by lp.design.study.")
    if Layout in kinds:
        items.append(
            "The search heeds animals and recaptures only. A slope of density needs stations over the range of its "
            "covariate."
        )
    return [Heading("What this plan cannot say", "limits"), Bullets(items)]


type Section = Callable[..., Sequence[Block]]

SECTIONS: dict[type, Section] = {
    Expected: _expected,
    Layout: _layout,
    More: _more,
    Study: _study,
    Power: _power,
    SitePrecision: _precision,
}
"""Sections in their order, by the class of what they show."""
