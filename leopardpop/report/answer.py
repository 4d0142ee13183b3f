"""The first lines of a report: the question, the answer, and whether it can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.report.blocks import Banner, Block, Bullets, Card, Paragraph, Table
from leopardpop.words import (
    area,
    counted,
    decimal,
    estimate,
    joined,
    median_and_interval,
    percent,
    probability,
    span,
    trimmed,
    whole,
)

if TYPE_CHECKING:
    from leopardpop.plots.population import Row
    from leopardpop.report.context import Context, FitContext

__all__ = ["answer_blocks", "notice_blocks", "title_of", "trust_blocks"]

SYNTHETIC = (
    "Synthetic survey: no animal, no camera and no position in this report is real. It shows what the method says of "
    "data whose truth is known, and nothing of a living population."
)
PER = 100.0
COLUMNS = ["photographed", "near_cameras", "extrapolated"]


def title_of(context: Context) -> str:
    """Question that the report answers, unless the user gave a title."""
    return context.title or f"How many animals live in {context.where}?"


def answer_blocks(context: Context) -> list[Block]:
    """The answer with what must be read beside it.

    Parameters
    ----------
    context
        What the report is about.
    """
    blocks = notice_blocks(context)
    blocks += _one(context, context.rows[0]) if len(context.rows) == 1 else _several(context)
    blocks += _claim_refused(context)
    return [*blocks, *trust_blocks(context), *_truth(context), *_sources(context)]


def notice_blocks(context: FitContext) -> list[Block]:
    """What must be read before any number: notes, that the survey is synthetic, that the fit failed.

    Parameters
    ----------
    context
        What the report is about.
    """
    notes = [context.note] if context.note else []
    if context.synthetic and "synthetic" not in " ".join(notes).lower():
        notes.insert(0, SYNTHETIC)
    blocks: list[Block] = [Banner(note) for note in notes]
    if not context.fit.trusted:
        failed = " ".join(each.advice for each in context.fit.findings if each.verdict == "fail")
        blocks.append(Banner(f"These numbers are not to be used: {failed}", "fail"))
    return blocks


def trust_blocks(context: FitContext) -> list[Block]:
    """Whether the numbers can be trusted, in short, and the warnings.

    Parameters
    ----------
    context
        What the report is about.
    """
    blocks: list[Block] = [Paragraph(_trust(context))]
    warned = [each.advice for each in context.fit.findings if each.verdict == "warn"]
    if warned:
        blocks += [Banner("Before these numbers are quoted:", "warn"), Bullets(warned)]
    return blocks


# -- numbers ----------------------------------------------------------------------------------------------------------
def _one(context: Context, row: Row) -> list[Block]:
    middle, low, high = median_and_interval(row.draws)
    density, _, limits = estimate(row.of(context.population.density(PER))).rstrip(")").partition(" (")
    where = f"in {context.where}, {area(float(row.of(context.population.area_km2)))}"
    cards: list[Block] = [
        Card("Number of animals, N", whole(middle), f"median; 95 % probability: {span(low, high)}, {where}"),
        Card(f"Density per {PER:g} km²", density, f"median; 95 % probability: {limits}"),
    ]
    if context.claim is not None and not context.put_in:
        posterior, prior = context.chances[0]
        question = f"Probability of {context.claim_text} animals"
        cards.append(Card(question, probability(posterior), f"by the prior alone {probability(prior)}"))
    return cards


def _several(context: Context) -> list[Block]:
    asked = context.claim is not None and not context.put_in
    by_region = "region" in context.rows[0].place  # an animal detected belongs to no region for sure
    columns = [*_place_names(context), "N", "95 %", f"per {PER:g} km²", "km²", *([] if by_region else ["Detected"])]
    columns += [f"P({context.claim_text})", "prior"] if asked else []
    densities = context.population.density(PER)
    rows = []
    for i, row in enumerate(context.rows):
        middle, low, high = median_and_interval(row.draws)
        cells = [*row.place.values(), whole(middle), span(low, high), estimate(row.of(densities))]
        cells += [trimmed(float(row.of(context.population.area_km2)), 4), *([] if by_region else [str(row.detected)])]
        cells += [probability(p) for p in context.chances[i]] if asked else []
        rows.append(cells)
    first = len(context.rows[0].place)
    caption = "Number of animals and density: medians and 95 % intervals. Rows are not added up."
    return [Table(columns, rows, numeric=range(first, len(columns)), caption=caption)]


def _place_names(context: Context) -> list[str]:
    return [name.capitalize() for name in context.rows[0].place]


def _claim_refused(context: Context) -> list[Block]:
    if not context.put_in:
        return []
    mass = max(prior for _, prior in context.chances)
    text = (
        f"No probability of {context.claim_text} animals is given here: the prior alone puts {probability(mass)} on "
        "that range, more than one half, so that the answer would be one that was put in. Fit with a prior that does "
        "not know the answer."
    )
    return [Banner(text, "warn")]


def _truth(context: Context) -> list[Block]:
    if context.truth is None:
        return []
    truth = context.truth
    said = (
        f"{truth:g} animals" if isinstance(truth, int | float) else joined([f"{v:g} in {k}" for k, v in truth.items()])
    )
    return [Paragraph(f"The survey was simulated with {said}.")]


# -- words ------------------------------------------------------------------------------------------------------------
def _trust(context: FitContext) -> str:
    findings = context.fit.findings
    first = [
        each.advice for each in findings if each.quantity in ("Pareto k", "R-hat", "importance ESS", "divergences")
    ]
    warned = sum(each.verdict == "warn" for each in findings)
    noted = sum(each.verdict == "note" for each in findings)
    text = f"Can it be trusted? {' '.join(first)} "
    if warned or noted:
        parts = [counted(n, word) for n, word in ((warned, "warning"), (noted, "note")) if n]
        return f"{text}Of {len(findings)} checks {joined(parts)} came up; all are in the table below."
    return f"{text}All {len(findings)} checks of {joined([*context.looked_at, 'the computation'])} passed."


def _sources(context: Context) -> list[Block]:
    """What N is made of: photographed, near cameras, extrapolated."""
    sources, shares = context.population.sources, np.ravel(np.asarray(context.population.share_extrapolated))
    kept = np.isfinite(shares)
    table, shares = sources[kept], shares[kept]
    means = [[decimal(value, 1) for value in row[COLUMNS]] for _, row in table.iterrows()]
    if len(means) == 1:
        photographed, near, far = means[0]
        text = f"What N rests on (means): {photographed} animals photographed, {near} estimated near cameras, {far} "
        text += "extrapolated to where an animal is detected with a probability below 0.1, where "
        return [Paragraph(f"{text}{percent(shares[0])} of the expected number lives.")]
    places = [list(row.place.values()) for row in context.rows]
    rows = [[*place, *mean, percent(share)] for place, mean, share in zip(places, means, shares, strict=True)]
    names = [*_place_names(context), "Photographed", "Estimated near cameras", "Extrapolated", "Share of E[N] there"]
    caption = "What N rests on: mean numbers of animals. Extrapolated: where detection has a probability below 0.1."
    return [Table(names, rows, numeric=range(len(names) - 4, len(names)), caption=caption)]
