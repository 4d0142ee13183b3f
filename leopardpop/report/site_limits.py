"""What the data of an occupancy survey cannot say: every sentence is there because it holds of this fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leopardpop.report.blocks import Block, Bullets, Heading

if TYPE_CHECKING:
    from leopardpop.report.site_context import SiteContext

__all__ = ["site_limit_blocks"]

TOLD = (
    "meaning of psi",
    "days of a season",
    "neighbours alike",
    "sites where young were seen",
    "seasons without visits",
    "meaning of abundance",
    "law of abundance",
    "abundance apart from detection",
    "largest effect",
)
"""Diagnostics that are about what the numbers mean, wherever they have something to say."""


def site_limit_blocks(context: SiteContext) -> list[Block]:
    """List the limits of this survey and this model.

    Parameters
    ----------
    context
        What the report is about.
    """
    findings = [
        each.advice for each in context.fit.findings if each.quantity in TOLD and each.verdict in ("note", "warn")
    ]
    sentences = [*_nothing(context), *findings, *_ground(context), *_closure(context), *_model(context)]
    return [Heading("What the data cannot say", "limits"), Bullets(list(dict.fromkeys(sentences)))]


def _nothing(context: SiteContext) -> list[str]:
    if (context.arrays.value > 0).any():
        return []
    return [
        "The species was never recorded. The numbers are those of the priors, thinned by the visits that found nothing."
    ]


def _ground(context: SiteContext) -> list[str]:
    return [
        f"The numbers are of the {context.sites} of the survey. Of other ground they say something only if the sites "
        "were chosen at random from it, or through covariates (a map of ψ)."
        if not context.animals
        else f"The numbers are of the {context.sites} of the survey, and of no area: how much ground a site stands for "
        "is not in the data, so that they are no density."
    ]


def _closure(context: SiteContext) -> list[str]:
    if context.animals:
        return ["The animals of a site are taken to be the same on all visits, and no animal to belong to two sites."]
    state = "use and breeding" if context.breeds else "use"
    if not context.structure.is_dynamic:
        text = f"The {state} of a site {'are' if context.breeds else 'is'} taken not to change during the survey. "
        return [text + "One season is a snapshot: it says nothing of a trend."]
    text = f"The {state} of a site {'are' if context.breeds else 'is'} taken not to change within a season. "
    return [text + "Changes are those of sites: used sites may stay as many while animals become fewer."]


def _model(context: SiteContext) -> list[str]:
    found = []
    if context.breeds:
        found.append(
            "A site without young on record may still be one of breeding: cubs stay hidden for their first months, and "
            "δ is the chance to see them, the same for all breeding sites but for the covariates in its formula."
        )
    if context.mistakes:
        found += _mistakes(context)
    elif not context.animals:
        found.append(
            "Every record is taken to be of the species: one mistake at a site makes it used in every draw, and raises "
            "the number of used sites."
        )
    if context.structure.kind == "counts":
        found.append(
            "Counts are taken to be independent events: photographs of one passage counted several times make the "
            "intervals too narrow. The rate tells passages, not animals."
        )
    return [*found, _alike(context)]


def _alike(context: SiteContext) -> str:
    alike = "Sites are taken to be alike in detection but for what the formulas say; if they are not, "
    if context.animals:
        return f"{alike}that is taken for a difference in numbers of animals."
    return f"{alike}the number of used sites is {'wrong' if context.mistakes else 'too low'}."


def _mistakes(context: SiteContext) -> list[str]:
    model = context.fit.model
    if model.certain is None and model.b is None:
        return [
            "No detection is certain: that true detections are more frequent than mistakes is taken for granted, and "
            "is all that tells used sites from unused ones."
        ]
    return ["Certain detections are taken to be certain, and mistakes to be equally likely at used and unused sites."]
