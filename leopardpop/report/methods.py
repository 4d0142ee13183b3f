"""How the number was come by: the model of this very fit, in prose and equations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.components.classes import Mixture
from leopardpop.components.counts import parameters_of
from leopardpop.models.describe import effort_unit_of
from leopardpop.models.spatial_effects import SpatialEffect
from leopardpop.priors import Prior
from leopardpop.report.blocks import Block, Equation, Heading, Paragraph, Table
from leopardpop.report.equations import (
    count_equation,
    detection_equations,
    likelihood_equations,
    observation_equation,
)
from leopardpop.report.quantities import in_units, meaning, symbol
from leopardpop.words import counted, decimal, joined, whole

if TYPE_CHECKING:
    from leopardpop.models.prior_terms import PriorTerm
    from leopardpop.report.context import Context, FitContext

RESPONSES = {
    "b": "b: an animal differs after its first capture anywhere",
    "bk": "bk: an animal differs at a station where it was caught before",
    "B": "B: an animal differs on the occasion after a capture anywhere",
    "Bk": "Bk: an animal differs at a station on the occasion after a capture there",
}
"""Words of a formula for how animals respond to capture."""

__all__ = ["engine_text", "method_blocks", "prior_table"]

SHAPES = {
    "HalfNormal": "half-normal",
    "Exponential": "exponential",
    "HazardRate": "hazard-rate",
    "ProbabilityHalfNormal": "half-normal (of the probability)",
    "ProbabilityExponential": "exponential (of the probability)",
    "ProbabilityHazardRate": "hazard-rate (of the probability)",
}


FLANKS = (
    "Coats differ between the sides, and an animal that never showed both in one event is in the data as a left "
    "identity l, a right one r, or as both. Which of them are one animal is not known: the likelihood sums over all "
    "ways m to match some of them (Augustine et al. 2018), exactly. B are the animals known from both flanks. Which "
    "flank an event shows may differ between stations but not with where the animal lives, so that it cancels. "
    "Identities of different sex, and those that one animal could not both have left, are never matched. Where an "
    "animal lives is not seen, so the probability of a history w is summed over all cells. With p₀(x) the probability "
    "that an animal centred in x is never detected"
)


def method_blocks(context: Context) -> list[Block]:
    """Methods: process, detection, likelihood, number, priors, computation.

    Parameters
    ----------
    context
        What the report is about.
    """
    problem = context.problem
    detection = problem.model.detection
    equations = detection_equations(detection)
    blocks: list[Block] = [Heading("The model", "model"), Paragraph(_process(context)), _formulas(context)]
    blocks += [Paragraph(_detection(context, shipped=bool(equations))), *equations]
    bursts = problem.model.counts == "negbin"
    blocks += [Paragraph(_records(context)), observation_equation(context.history.detector, bursts=bursts)]
    blocks += [Paragraph(_likelihood(context)), *_likelihood_equations(context)]
    everywhere = all(row.whole for row in context.rows)
    told = _number(everywhere=everywhere, knows_animals=problem.knows_animals, ghosts=problem.model.ghosts)
    blocks += [Paragraph(told), count_equation(everywhere=everywhere)]
    blocks += [Paragraph(_priors(context)), prior_table(context)]
    return [*blocks, Paragraph(engine_text(context))]


# -- prose ------------------------------------------------------------------------------------------------------------
def _process(context: Context) -> str:
    problem = context.problem
    text = (
        "Spatial capture-recapture of a closed population. Each animal has an activity centre x in one of the cells of "
    )
    text += "the mask, which have areas a(x). Centres are a Poisson process with density D(x) per km²"
    text += _density(problem)
    if isinstance(problem.model.classes, Mixture):
        text += (
            "Animals belong to one of two latent classes, h2, whose members nobody knows and whose shares π in the "
            "population are estimated; every animal is summed over both. Class 2 is the one with the greater "
            "coefficient of h2, so that the names of the classes are settled. "
        )
    elif problem.column is not None:
        text += (
            f"Animals belong to classes by {problem.column} ({joined(list(problem.levels))}), whose shares π in the "
        )
        text += "population are estimated; where the class of a detected animal is unknown, it is summed over. "
    if len(problem.data) > 1:
        text += f"The {len(problem.data)} sessions are independent given the parameters. "
    return text.strip()


def _density(problem: Any) -> str:
    """What density follows: nothing, covariates, groups, a surface."""
    part = problem.layout["D"]
    if part.is_constant:
        return ", the same in all cells. "
    own = [each for each in problem.layout.effects if each.parameter == "D"]
    surfaces = [each for each in own if isinstance(each, SpatialEffect)]
    follows = ["the covariates"] if part.design.coefficients != ("Intercept",) else []
    follows += ["deviations of groups"] if len(own) > len(surfaces) else []
    follows += ["a smooth surface"] if surfaces else []
    text = f", log-linear in {joined(follows)} (formula below). "
    if surfaces:
        basis = surfaces[0].design.basis
        text += (
            f"The surface is a Gaussian process over the cells with mean 0 and covariance {basis.covariance.name}, as "
            f"a sum of {counted(len(basis.order), 'sine wave')} (Hilbert-space approximation). "
        )
    return text


def _formulas(context: Context) -> Table:
    problem, per = context.problem, context.history.effort_unit
    formulas = {"D": str(problem.model.density.D)}  # type: ignore[union-attr]
    formulas |= {p.name: p.formula for p in parameters_of(problem.model)}
    rows = [
        [symbol(p.name), meaning(p.name), formulas[p.name], p.link.name, effort_unit_of(p.unit, per) or "–"]
        for p in problem.layout.parts
    ]
    if problem.column is not None:
        rows.append([symbol("pmix"), f"{meaning('pmix')} by {problem.column}", "–", "logit", "–"])
    return Table(["Parameter", "What it is", "Formula", "Link", "Unit"], rows)


def _detection(context: Context, *, shipped: bool) -> str:
    detection, unit = context.problem.model.detection, context.history.effort_unit
    name = type(detection).__name__
    text = f"Detection falls with the distance d between an animal's centre and a station: {SHAPES.get(name, name)} "
    text += "detection function. "
    if context.problem.model.distance is not None:
        text += "d is measured along the cheapest way over land that resists and around barriers. "
    text += _responses(context)
    text += "λ is the hazard of detection "
    text += f"per unit of effort (one {unit})" + (":" if shipped else f", computed by the user's component {name}.")
    return text


def _responses(context: Context) -> str:
    """What the words for a response to capture stand for, where a formula has them."""
    formulas = " ".join(each.formula for each in parameters_of(context.problem.model))
    used = [told for word, told in RESPONSES.items() if re.search(rf"\b{word}\b", formulas)]
    if not used:
        return ""
    return f"{'; '.join(used)}. What is said of detection at the reference, p₀ too, is of animals not caught before. "


def _records(context: Context) -> str:
    kinds = {
        "count": "The number of detections of an animal at a station on an occasion, with effort T, is Poisson:",
        "proximity": "An animal may be detected at several stations on an occasion, once at each; with effort T:",
        "multi": "An animal is detected at one station at most on each occasion; stations compete for it:",
    }
    text = kinds[context.history.detector]
    if context.problem.model.counts == "negbin":
        text = (
            "Photographs come in bursts: the number of detections of an animal at a station on an occasion, with "
            "effort T, is negative binomial, a Poisson number of which the mean is a gamma process of size r per unit "
            "of effort, so that splitting an occasion changes nothing:"
        )
    removed = sum(int((d.exposure < d.effort.shape[1]).sum()) for d in context.problem.data)
    if removed:
        who = f"{counted(removed, 'animal')} died or {'was' if removed == 1 else 'were'} removed"
        text = f"{who}: later occasions do not count against {'it' if removed == 1 else 'them'}. {text}"
    return text


def _likelihood(context: Context) -> str:
    ends = ", for each session:" if len(context.problem.data) > 1 else ":"
    if not context.problem.knows_animals:
        return FLANKS + ends
    text = (
        "Where an animal lives is not seen, so the probability of its history w is summed over all cells. With p₀(x) "
    )
    if context.problem.model.ghosts:
        left = context.history.n_individuals - context.problem.history.n_individuals
        text = (
            "Identities that were recorded once may be misread ones of other animals (ghosts), and the "
            f"{counted(left, 'animal')} detected once {'is' if left == 1 else 'are'} left out (Kodi et al. 2024). "
            f"{text}"
        )
        text += "the probability that an animal centred in x is detected fewer than twice, and n animals detected more"
        text += " often"
    else:
        text += "the probability that an animal centred in x is never detected, and n animals detected"
    return text + ends


def _likelihood_equations(context: Context) -> tuple[Equation, ...]:
    model, detector = context.problem.model, context.history.detector
    return likelihood_equations(
        classes=context.problem.column is not None,
        bursts=model.counts == "negbin",
        without_singles=detector if model.ghosts else "",
        flanks=not context.problem.knows_animals,
    )


def _number(*, everywhere: bool, knows_animals: bool, ghosts: bool) -> str:
    text = "The number of animals N reported is the realised one. In each draw from the posterior, "
    if not knows_animals:
        text += "who is who is drawn, n being the whole animals and the identities less those that are matched, and "
    text += "the number of animals "
    never = "detected fewer than twice" if ghosts else "never detected"
    text += f"that were {never} is drawn from its Poisson distribution"
    if everywhere:
        return text + ":"
    return text + ", and each detected animal is placed by its posterior; R is the region:"


def engine_text(context: FitContext) -> str:
    """How the posterior was computed.

    Parameters
    ----------
    context
        What the report is about.
    """
    tree = context.fit.data_tree
    attrs, stats = tree.attrs, tree["sample_stats"].attrs if "sample_stats" in tree.children else {}
    shape = context.fit.posterior.sizes
    drawn = counted(shape["chain"] * shape["draw"], "draw")
    if "pareto_k" in attrs:
        raw = f"{whole(stats['n_raw'])} " if "n_raw" in stats else ""
        k, worth = decimal(float(attrs["pareto_k"])), whole(float(attrs["importance_ess"]))
        return (
            f'Computation: importance sampling around the modes of the posterior (engine "{attrs["engine"]}", seed '
            f"{attrs['seed']}). {raw}independent draws from a mixture of multivariate t distributions at the "
            "modes of the posterior (fitted again to the draws where these were of uneven weight) were weighted, with "
            f"Pareto-smoothed weights (Pareto k {k}; worth {worth} independent draws from the posterior), and "
            f"resampled to {drawn}. Intervals have equal tails of 2.5 %."
        )
    library = f"{attrs['inference_library']} {attrs.get('inference_library_version', '')}".strip()
    how = "Hamiltonian Monte Carlo (NUTS)" if attrs["engine"] == "nuts" else "draws made outside of leopardpop"
    return (
        f'Computation: {how} by {library} (engine "{attrs["engine"]}", seed {attrs["seed"]}), '
        f"{counted(shape['chain'], 'chain')} of {counted(shape['draw'], 'draw')}. Intervals have equal tails of 2.5 %."
    )


# -- priors -----------------------------------------------------------------------------------------------------------
def _priors(context: Context) -> str:
    terms = context.problem.priors.terms
    own = [term.label for term in terms if term.from_user]
    text = (
        "Priors. Those of the parameters hold on the natural scale, at the mean of covariates and the first level of "
    )
    text += "factors; those of effects on the scale of the link. "
    if len(own) < len(terms):
        text += (
            "Defaults come from the design alone, from the spacing and extent of the stations and from their effort: "
        )
        text += "never from the captures, nor from the area of the mask. "
    text += f"Chosen by the user: {joined(own)}." if own else "None was chosen by the user."
    return text


def prior_table(context: FitContext) -> Table:
    """Priors of all parameters and effects.

    Parameters
    ----------
    context
        What the report is about.
    """
    rows = [_prior_row(context, term) for term in context.problem.priors.terms]
    columns = ["Prior of", "Distribution", "Median and 95 %", "Unit", "From"]
    return Table(columns, rows)


def _prior_row(context: FitContext, term: PriorTerm) -> list[str]:
    unit = _unit(context, term)
    shown, units = "–", unit
    if isinstance(term.prior, Prior) and np.ndim(quantiles := term.prior.quantile([0.5, 0.025, 0.975])) == 1:
        shown, units = in_units(quantiles, unit)
    text = str(term.prior) if isinstance(term.prior, Prior) else repr(term.prior)
    return [_label(term), text, shown, units or "–", "user" if term.from_user else "design"]


def _label(term: PriorTerm) -> str:
    name, bracket, inside = term.label.partition("[")
    return f"{symbol(name)}{f' [{inside}' if bracket else ''}"


def _unit(context: FitContext, term: PriorTerm) -> str:
    if term.label == "N":
        return "animals"
    if not term.natural:
        return f"{context.problem.layout[term.parameter].link.name} scale"
    if term.parameter == "pmix":
        return ""
    return context.unit_of(term.parameter)
