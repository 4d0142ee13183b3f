"""The first lines of a report of an occupancy model: how many sites, how sure, what must be read beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.report.answer import notice_blocks, trust_blocks
from leopardpop.report.blocks import Block, Card, Paragraph, Table
from leopardpop.words import counted, estimate, number, percent, probability, whole

if TYPE_CHECKING:
    from leopardpop.report.site_context import SiteContext

__all__ = ["site_answer_blocks", "site_title"]

QUANTILES = (0.5, 0.025, 0.975)


def site_title(context: SiteContext) -> str:
    """Question that the report answers, unless the user gave a title."""
    if context.title:
        return context.title
    if context.animals:
        return f"How many animals are at the {context.sites}?"
    parts = [f"How many of the {context.sites} are used"]
    parts += ["how many for breeding"] if context.breeds else []
    parts += ["how does that change"] if context.structure.is_dynamic else []
    return f"{', '.join(parts[:-1])}{', and ' if len(parts) > 1 else ''}{parts[-1]}?"


def site_answer_blocks(context: SiteContext) -> list[Block]:
    """The answer with what must be read beside it.

    Parameters
    ----------
    context
        What the report is about.
    """
    cards = [_table(context), *_decline(context)] if len(context.seasons) > 1 else _cards(context)
    return [*notice_blocks(context), *cards, Paragraph(_reading(context)), *trust_blocks(context)]


def _cards(context: SiteContext) -> list[Block]:
    states = context.states
    cards: list[Block] = []
    if context.animals:
        cards.append(_card("Animals at all sites together", states.animals, f"over the {context.sites}"))
    of = f"of {whole(context.n_sites)}, visited or not"
    cards.append(_card("Sites used", states.used_sites, of))
    if context.breeds:
        cards.append(_card("Sites used for breeding", states.breeding_sites, f"{of}; not the number of females"))
    share = estimate(states.pao.values.ravel())
    middle, _, limits = share.rstrip(")").partition(" (")
    return [*cards, Card("Share of the sites that are used", middle, f"median; 95 % probability: {limits}")]


def _card(question: str, array: Any, detail: str) -> Card:
    middle, _, limits = number(array.values.ravel()).rstrip(")").partition(" (")
    return Card(question, middle, f"median; 95 % probability: {limits}; {detail}")


def _table(context: SiteContext) -> Table:
    """States and changes by season."""
    states = context.states
    found = {"Sites used": states.used_sites, f"Share of {whole(context.n_sites)}": states.pao}
    if context.breeds:
        found["For breeding"] = states.breeding_sites
    if context.structure.is_dynamic:
        found |= {"Newly used": states.gains, "No longer used": states.losses}
    texts = {name: _texts(context, array) for name, array in found.items()}
    rows = [[season, *(texts[name].get(season, "–") for name in found)] for season in context.seasons]
    caption = "Sites by season: medians and 95 % intervals, given everything that was seen."
    return Table(["Season", *found], rows, numeric=range(1, len(found) + 1), caption=caption)


def _texts(context: SiteContext, array: Any) -> dict[str, str]:
    share = array.attrs.get("units") == "1"
    return {
        season: (estimate(draws) if share else number(draws)) if len(draws) else "–"
        for season, draws in context.by_season(array).items()
    }


def _decline(context: SiteContext) -> list[Block]:
    """Probability of a decline, of used sites and of breeding ones."""
    if not context.structure.is_dynamic:
        return []
    share = 0.0 if context.decline is None else context.decline
    than = f" by more than {percent(share)}" if share else ""
    first, last = context.seasons[0], context.seasons[-1]
    cards: list[Block] = []
    for of, words in (("used", "used sites"), *((("breeding", "breeding sites"),) if context.breeds else ())):
        chance = probability(context.states.decline(share, of=of))
        cards.append(Card(f"Probability that {words} fell{than}", chance, f"from season {first} to season {last}"))
    return cards


def _reading(context: SiteContext) -> str:
    """What was seen, beside what is estimated."""
    data = context.arrays
    visited, seen = len(np.unique(data.site)), len(np.unique(data.site[data.value > 0]))
    text = f"The species was recorded at {whole(seen)} of {counted(visited, 'visited site')}"
    text += " in some season" if len(context.seasons) > 1 else ""
    if context.breeds:
        text += f", young at {whole(len(np.unique(data.site[data.value > 1])))}"
    text += ". "
    if context.mistakes:
        text += "Some of these records may be mistakes: sites used are those that the model believes. "
    never = context.n_sites - visited
    if never:
        text += f"{counted(never, 'site')} without a visit {'is' if never == 1 else 'are'} predicted from covariates. "
    return f"{text}All numbers are of these {context.sites} and of no other ground."
