"""How the numbers of an occupancy fit were come by: the model of this very fit, in prose and equations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leopardpop.models.spatial_effects import SpatialEffect
from leopardpop.report.blocks import Block, Heading, Paragraph, Table
from leopardpop.report.estimates import effect_text
from leopardpop.report.methods import engine_text, prior_table
from leopardpop.report.quantities import in_units, symbol
from leopardpop.report.site_equations import likelihood_equation, state_equations, visit_equations
from leopardpop.words import counted, joined, whole

if TYPE_CHECKING:
    from leopardpop.models.layout import Effect
    from leopardpop.report.site_context import SiteContext

__all__ = ["formula_table", "prior_sentences", "site_method_blocks", "site_parameter_table"]

MEANINGS = {
    "psi": "probability that a site is used",
    "p": "probability that a visit to a used site sees the species",
    "gamma": "probability that a site that is not used is used a season later",
    "epsilon": "probability that a used site is not used a season later",
    "breeding": "probability that a used site is used for breeding",
    "psi_next": "probability that a site is used a season later, by its state",
    "breeding_next": "probability that a site used a season later is then used for breeding, by its state",
    "p1": "probability that a visit to a used site without breeding sees the species",
    "p2": "probability that a visit to a breeding site sees the species",
    "delta": "probability that a visit that sees the species at a breeding site sees young",
    "abundance": "mean number of animals at a site",
    "r": "probability that a visit sees one given animal of the site",
    "rate": "mean count at a used site, per unit of effort",
    "size": "size of the negative binomial (the greater, the nearer to Poisson)",
}
MISTAKEN = {
    "p": "probability that a visit to a used site truly sees the species",
    "p10": "probability that a visit that has not seen the species takes something else for it",
    "b": "probability that a true detection is confirmed",
}
CHOSEN = {
    "psi": "Pr(used without breeding), of sites that are that or absent",
    "breeding": "Pr(breeding), of sites that are that or absent",
    "psi_next": "Pr(used without breeding a season later), of sites that are then that or absent, by state",
    "breeding_next": "Pr(breeding a season later), of sites that are then that or absent, by state",
    "p2": "Pr(seen without young on a visit to a breeding site), of visits with that or nothing",
    "delta": "Pr(young seen on a visit to a breeding site), of visits with that or nothing",
}


def site_meaning(context: SiteContext, name: str) -> str:
    """What a parameter is, in this model."""
    for each in context.problem.layout.effects:
        if name == each.sd:
            return _meaning_of_sd(each)
        if name == getattr(each, "length", None):
            return f"length scale of the surface of {symbol(each.parameter)}"
    known = MEANINGS | (CHOSEN if context.multinomial else {}) | (MISTAKEN if context.mistakes else {})
    if context.animals and context.structure.response == "count":
        known = known | {"p": "probability that a visit counts one given animal of the site"}
    if context.structure.kind == "community" and name in known:
        return f"{known[name]}, of a species in the middle of the community"
    first = ", in the first season" if context.structure.is_dynamic and name in ("psi", "breeding") else ""
    return f"{known.get(name, name)}{first}"


def _meaning_of_sd(effect: Effect) -> str:
    what = "of the surface" if isinstance(effect, SpatialEffect) else f"between groups ({effect.design.label})"
    return f"sd {what} of {symbol(effect.parameter)}, on the scale of its link"


def site_method_blocks(context: SiteContext) -> list[Block]:
    """Methods: states, visits, likelihood, number of sites, priors, computation.

    Parameters
    ----------
    context
        What the report is about.
    """
    blocks: list[Block] = [Heading("The model", "model"), Paragraph(_process(context)), *state_equations(context)]
    blocks += [Paragraph(_visits(context)), *visit_equations(context)]
    blocks += [Paragraph("Parameters follow covariates by the formulas below."), formula_table(context)]
    blocks += [Paragraph(text) for text in _effects(context)]
    blocks += [Paragraph(_likelihood(context)), likelihood_equation(context)]
    blocks += [Paragraph(_number(context)), Paragraph(prior_sentences(context)), prior_table(context)]
    return [*blocks, Paragraph(engine_text(context))]


# -- prose ------------------------------------------------------------------------------------------------------------
def _process(context: SiteContext) -> str:
    if context.animals:
        law = "negative binomial" if "size" in context.structure.homes else "Poisson"
        return (
            f"Sites with numbers of animals that nobody tells apart. Each site i has n animals, a {law} number, that "
            f"does not change during the survey; sites are independent of each other given {_given(context)}. A site "
            "is used if it has at least one."
        )
    states = "absent (0), used (1) or used for breeding (2)" if context.breeds else "used (z = 1) or not (z = 0)"
    text = f"Occupancy of sites: each site i is {states}, and what it is was not seen but for the detections. "
    if not context.structure.is_dynamic:
        return f"{text}The state does not change during the survey; sites are independent given {_given(context)}."
    return (
        f"{text}The state does not change within a season t, and may change from one season to the next, at equal "
        f"steps of time; a season without visits is one of them. Sites are independent given {_given(context)}."
    )


def _given(context: SiteContext) -> str:
    """What sites are independent given: effects that several have in common are part of it."""
    effects = context.problem.layout.effects
    surface = any(isinstance(each, SpatialEffect) for each in effects)
    groups = any(not isinstance(each, SpatialEffect) for each in effects)
    more = [*(["the surface"] if surface else []), *(["the deviations of their groups"] if groups else [])]
    return joined(["their covariates", *more])


def _visits(context: SiteContext) -> str:
    kind = context.structure.kind
    if kind == "detected animals":
        return "A visit sees the species if it sees any of the animals of the site, each independently of the others:"
    if kind == "counted animals":
        return "A visit counts each animal of the site once or not at all, independently of the others:"
    if kind == "counts":
        unit = context.history.effort_unit
        return f"At a used site the count of visit j with effort T (in {unit}s) is Poisson; at another it is 0:"
    independent = "Given the state, visits j are independent:"
    if not context.mistakes:
        young = " Young are not mistaken for adults, nor adults for young." if context.breeds else ""
        return f"There are no false detections: at a site that is not used nothing is seen.{young} {independent}"
    text = f"A visit may take something else for the species. {independent}"
    if context.fit.model.certain is not None:
        text = f"{text[:-1]}; those with {context.fit.model.certain} = 1 make no mistakes:"
    return text


def formula_table(context: SiteContext) -> Table:
    """Parameters with what they are, their formulas, links and units.

    Parameters
    ----------
    context
        What the report is about.
    """
    chosen = {name for pair in context.structure.choices for name in pair}
    rows = []
    for name in context.structure.homes:
        link = "multinomial logit" if name in chosen else context.problem.layout[name].link.name
        unit = context.unit_of(name) or "–"
        rows.append([symbol(name), site_meaning(context, name), context.formula(name), link, unit])
    return Table(["Parameter", "What it is", "Formula", "Link", "Unit"], rows)


def _effects(context: SiteContext) -> list[str]:
    """A sentence for every random or spatial effect."""
    found = []
    for each in context.problem.layout.effects:
        owner = symbol(each.parameter)
        if isinstance(each, SpatialEffect):
            basis = each.design.basis
            found.append(
                f"gp(x, y) adds a smooth surface over the positions of the sites to the linear predictor of {owner}: a "
                f"Gaussian process with mean 0 and covariance {basis.covariance.name}, as a sum of "
                f"{counted(len(basis.order), 'sine wave')} (Hilbert-space approximation)."
            )
        else:
            groups = counted(len(each.groups), "group")
            found.append(
                f"({each.design.label.replace('|', ' | ')}) adds normal deviations of {groups} to the linear predictor "
                f"of {owner}; their sd is estimated."
            )
    return found


def _likelihood(context: SiteContext) -> str:
    what = "numbers of animals" if context.animals else "states"
    way = ", season by season (forward algorithm)" if context.structure.is_dynamic else ""
    return (
        f"The {what} are not drawn during the computation but summed over{way}. Visits that were not made are left out:"
    )


def _number(context: SiteContext) -> str:
    what = "number of animals" if context.animals else "state"
    way = "together for all seasons (backward sampling) " if context.structure.is_dynamic else ""
    text = (
        f"The number of sites used is that of the {context.sites} of the survey, not of an idealised population of "
        f"sites: in each draw from the posterior, the {what} of every site is drawn {way}from its distribution given "
        "everything that was recorded there. "
    )
    if context.mistakes:
        sure = context.fit.model.certain is not None or context.fit.model.b is not None
        only = "only a certain detection" if sure else "no detection"
        return f"{text}As detections may be mistakes, {only} makes a site used in every draw."
    text += "A site where the species was recorded is used in every draw"
    return f"{text} of that season." if context.structure.is_dynamic else f"{text}."


def prior_sentences(context: SiteContext) -> str:
    """On which scale priors hold, and whose they are.

    Parameters
    ----------
    context
        What the report is about.
    """
    terms = context.problem.priors.terms
    own = [term.label for term in terms if term.from_user]
    text = (
        "Priors. Those of the parameters hold on the natural scale, at the mean of covariates and the first level of "
        "factors; those of effects on the scale of the link, per unit of a covariate. "
    )
    if len(own) < len(terms):
        text += "Defaults come from the design alone, never from what was seen. "
    return text + (f"Chosen by the user: {joined(own)}." if own else "None was chosen by the user.")


# -- estimates --------------------------------------------------------------------------------------------------------
def site_parameter_table(context: SiteContext) -> Table:
    """Posterior of every parameter.

    Parameters
    ----------
    context
        What the report is about.
    """
    rows, left = [], 0
    for name, row in context.fit.summary().iterrows():
        parameter, bracket, inside = str(name).partition("[")
        if parameter.endswith("_effect") and context.hidden:
            left += 1  # groups may be places
            continue
        rows.append(_row(context, parameter, f" [{inside}" if bracket else "", row))
    caption = "Posterior of the parameters; those with covariates at the mean of these, effects per unit of them."
    if left:
        caption += f" The deviations of {whole(left)} groups are left out, for their names may tell places."
    return Table(["Parameter", "What it is", "Median and 95 %", "Unit"], rows, numeric=(2,), caption=caption)


def _row(context: SiteContext, parameter: str, bracket: str, row: object) -> list[str]:
    values: dict[str, float] = dict(row)  # type: ignore[call-overload]
    unit = "animals per site" if str(values["unit"]) == "animals" else str(values["unit"])
    shown, units = in_units([values["median"], values["eti95_lb"], values["eti95_ub"]], unit)
    if parameter.endswith("_effect"):
        what = f"deviation of a group, of {symbol(parameter.removesuffix('_effect'))}, on the scale of its link"
    elif unit.endswith("scale"):
        what = effect_text(parameter, bracket[2:-1], row)
    else:
        what = site_meaning(context, parameter)
    return [f"{symbol(parameter)}{bracket}", what, shown, units or "–"]
