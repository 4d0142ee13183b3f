"""What the data cannot say, worked out from the fit: every sentence is there because it holds of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.components.random_effects import formula_names
from leopardpop.report.blocks import Block, Bullets, Heading
from leopardpop.words import counted, joined, median_and_interval, percent, span

if TYPE_CHECKING:
    from leopardpop.report.context import Context

__all__ = ["limit_blocks"]


def limit_blocks(context: Context) -> list[Block]:
    """List the limits of this survey and this model.

    Parameters
    ----------
    context
        What the report is about.
    """
    sentences = [
        *_claim(context),
        *_no_captures(context),
        *_extrapolation(context),
        *context.population.notes,
        *context.region_notes,
        *_closure(context),
        *_model(context),
        *_identity(context),
    ]
    return [Heading("What the data cannot say", "limits"), Bullets(list(dict.fromkeys(sentences)))]


def _claim(context: Context) -> list[str]:
    """Whether an edge of the claimed range lies where the posterior is."""
    if context.claim is None:
        return []
    found = []
    for row in context.rows:
        _, low, high = median_and_interval(row.draws)
        edges = [f"{edge:g}" for edge in context.claim if low <= edge <= high]
        if edges:
            where = f" of {row.label}" if row.label else ""
            found.append(
                f"The edge {joined(edges)} of the claimed range lies within the 95 % interval{where} ({span(low, high)}"
                "): such a survey cannot settle a claim that ends so close to the number of animals."
            )
    return found


def _no_captures(context: Context) -> list[str]:
    empty = [d.session for d in context.problem.data if not len(d.individuals)]
    if not empty:
        return []
    if len(empty) == len(context.problem.data):
        return [
            "No animal was detected. The numbers are those of the priors, thinned by the effort that found none: they "
            "say how many animals could have been missed, not how many there are."
        ]
    return [
        f"No animal was detected in {joined(empty)}: what is said there rests on the other sessions and the priors."
    ]


def _extrapolation(context: Context) -> list[str]:
    share = np.ravel(np.asarray(context.population.share_extrapolated))
    share = share[np.isfinite(share)]
    if not len(share) or share.max() < 0.005:
        return []
    part = percent(share[0]) if len(share) == 1 else f"{percent(share.min())} to {percent(share.max())}"
    formula = context.problem.model.density.D  # type: ignore[union-attr]
    return [
        f"{part} of the expected number lives where an animal is detected with a probability below 0.1. That part is "
        f"the model's extrapolation (density {formula}), not an observation; no diagnostic tests it."
    ]


def _closure(context: Context) -> list[str]:
    n = len(context.problem.data)
    text = (
        "The population is taken to be closed while the cameras ran: no births, deaths or moves of home. A survey of "
    )
    text += "months loses some animals, so that N is a little larger than the number alive on any one day. "
    if n == 1:
        return [text + "One survey is a snapshot: it says nothing of a trend."]
    formula: str = context.problem.model.density.D  # type: ignore[union-attr]
    if "session" in formula_names(formula, "D"):
        return [
            f"{text}The {n} sessions have densities of their own by the formula, and are otherwise taken to be "
            "independent: animals that live on from one to the next are not followed."
        ]
    return [text + f"The {n} sessions are taken to be independent; no change from one to the next is modelled."]


def _model(context: Context) -> list[str]:
    problem = context.problem
    found = []
    if problem.layout["D"].is_constant:
        found.append(
            "Density is the same everywhere by assumption: the fit cannot tell where animals are more or less."
        )
    alike = "Animals" if problem.column is None else f"Animals of the same {_class_word(problem)}"
    found.append(f"{alike} are taken to be alike in how they move and are detected; if they are not, N is too low.")
    if isinstance(problem.model.classes, str) and context.history.n_individuals:
        known = context.history.individuals[problem.column]
        unknown = int((known.isna() | (known.astype(str) == "")).sum())
        if unknown:
            found.append(
                f"The {problem.column} of {counted(unknown, 'detected animal')} is unknown, and taken to be missing at "
                "random given their histories."
            )
    learns = any(units.experience is not None for units in problem.units)
    later = "" if learns else "; a detection does not change later ones"
    if problem.model.distance is None:
        return [*found, f"Homes are taken to be round and to stay where they are{later}."]
    return [
        *found,
        f"Homes are taken to stay where they are{later}, and to follow the ways that the given resistance and barriers "
        "leave: these were put in, not estimated.",
    ]


def _class_word(problem: Any) -> str:
    return str(problem.column) if isinstance(problem.model.classes, str) else "class of the mixture"


def _identity(context: Context) -> list[str]:
    if not context.history.n_individuals:
        return []
    if not context.problem.knows_animals:
        return [
            "Identities of one flank are taken to be right, and links between flanks rest on where and when they were "
            "photographed: where homes overlap much, they stay uncertain, and N with them."
        ]
    if context.problem.model.ghosts:
        return [
            "Identities recorded more than once are taken to be right, and those recorded once are left out, right or "
            "wrong: a misread record that was given to another animal is not found."
        ]
    return ["Every identity is taken to be right: one animal taken for two makes N too large, two for one too small."]
