"""A report of a community: the species, what each has of its own, and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, override

import numpy as np

from leopardpop.report.answer import notice_blocks, trust_blocks
from leopardpop.report.blocks import Block, Bullets, Card, Equation, Heading, Paragraph, Table
from leopardpop.report.estimates import check_blocks, diagnostic_blocks, reference_blocks
from leopardpop.report.methods import engine_text, prior_table
from leopardpop.report.site_context import SiteContext
from leopardpop.report.site_figures import SiteAlbum
from leopardpop.report.site_methods import formula_table, prior_sentences, site_parameter_table
from leopardpop.words import counted, estimate, interval, number, whole, whole_interval

if TYPE_CHECKING:
    from leopardpop.results.community_fit import CommunityFit

__all__ = ["CommunityContext", "community_blocks", "community_title"]

USED = Equation(
    r"z_{ki} \;\sim\; \mathrm{Bernoulli}(\psi_{ki}), \qquad y_{kij} \mid z_{ki} \;\sim\; "
    r"\mathrm{Bernoulli}(z_{ki}\, p_{kij})",
    "species k uses site i with probability psi, and visit j to a used site sees it with probability p",
)
SHARED = Equation(
    r"g(\psi_{ki}) = \sum_c x_{ic}\, \beta_{kc}, \qquad \beta_{kc} \;\sim\; \mathrm{Normal}(\mu_c,\ s_c^2)",
    "on the scale of the link, psi is a sum of covariates x times coefficients beta of the species; these are normal "
    "about the mean mu of the community with standard deviation s; p is made in the same way",
)
LIKELIHOOD = Equation(
    r"L = \prod_k \prod_i \{ \psi_{ki} \prod_j p_{kij}^{y_{kij}} (1 - p_{kij})^{1 - y_{kij}} "
    r"+ (1 - \psi_{ki})\,[y_{ki1} = y_{ki2} = \ldots = 0] \}",
    "the likelihood is the product over species and sites of the probability of what the visits saw if the site is "
    "used, plus, where nothing was seen, that of the site not being used",
)


class CommunityContext(SiteContext):
    """A fit of a community and what is asked of its report."""

    fit: CommunityFit

    @property
    @override
    def n_sites(self) -> int:
        return len(self.problem.places)

    @property
    def species(self) -> str:
        """Their number in words."""
        return counted(len(self.problem.species), "species", "species")


def community_title(context: CommunityContext) -> str:
    """Question that the report answers, unless the user gave a title."""
    return context.title or f"Which of {context.species} use the {context.sites}, and how many use each?"


def community_blocks(context: CommunityContext) -> list[Block]:
    """All of the report but its title.

    Parameters
    ----------
    context
        What it is about.
    """
    album, plot = SiteAlbum(context), context.fit.plot
    blocks: list[Block] = [*notice_blocks(context), *_answer(context), *trust_blocks(context)]
    blocks += [album.picture(plot.species("psi"), "species_psi"), album.picture(plot.species("p"), "species_p")]
    blocks += [*_data(context), *_methods(context)]
    blocks += [Heading("Estimates", "estimates"), site_parameter_table(context), *album.effects()]
    blocks += [*diagnostic_blocks(context), *check_blocks(context)]
    return [
        *blocks,
        Heading("What the data cannot say", "limits"),
        Bullets(_limits(context)),
        *reference_blocks(context),
    ]


def _answer(context: CommunityContext) -> list[Block]:
    states, table = context.fit.occupancy(), context.fit.species()
    mean = estimate(states.richness.mean("site").values.ravel())
    middle, _, limits = mean.rstrip(")").partition(" (")
    total, _, of_total = number(states.total.values.ravel()).rstrip(")").partition(" (")
    cards = [
        Card("Species at a site, on average", middle, f"median; 95 % probability: {limits}; over the {context.sites}"),
        Card("Species that use any of the sites", total, f"median; 95 % probability: {of_total}; of {context.species}"),
    ]
    rows = [
        [
            str(name),
            whole(row["seen_at"]),
            whole_interval(row["used_sites"], row["used_sites_lb"], row["used_sites_ub"]),
            interval(row["psi"], row["psi_lb"], row["psi_ub"]),
            interval(row["p"], row["p_lb"], row["p_ub"]),
        ]
        for name, row in table.iterrows()
    ]
    columns = ["Species", "Seen at", f"Uses, of {whole(context.n_sites)} sites", "ψ", "p"]
    caption = "Medians and 95 % intervals; ψ and p at the mean of covariates and the first level of factors."
    return [*cards, Table(columns, rows, numeric=range(1, 5), caption=caption)]


def _data(context: CommunityContext) -> list[Block]:
    made = context.problem.plain.visited
    seen = context.fit.occupancy().seen_where
    facts = {
        "Species": whole(len(context.problem.species)),
        "of which never recorded": whole(int((~seen.any(1)).sum())),
        "Sites": whole(context.n_sites),
        "of which never visited": whole(int((~made.any((1, 2))).sum())),
        "Visits": whole(int(made.sum())),
        "Most species seen at a site": whole(int(seen.sum(0).max(initial=0))),
    }
    text = "On each visit every species was seen (1) or not (0)."
    return [
        Heading("The data", "data"),
        Paragraph(text),
        Table(["", "Survey"], [[name, value] for name, value in facts.items()], numeric=(1,)),
    ]


def _methods(context: CommunityContext) -> list[Block]:
    process = (
        "Occupancy of several species at the same sites. Each species uses each site or not, which does not change "
        "during the survey and was not seen but for the detections; there are no false detections. Given the "
        "covariates, sites, visits and species are independent of each other:"
    )
    shared = (
        "Species are a sample of a community. What a species has of its own is normal about the mean of all, so that "
        "those that were hardly seen lean on the others:"
    )
    states = "The states are not drawn during the computation but summed over. Visits not made are left out:"
    drawn = (
        f"The numbers of sites and of species are of the {context.sites} and the {context.species} of the history: in "
        "each draw from the posterior the state of every species at every site is drawn given what was recorded there."
    )
    blocks: list[Block] = [Heading("The model", "model"), Paragraph(process), USED, Paragraph(shared), SHARED]
    blocks += [Paragraph("Parameters follow covariates by the formulas below."), formula_table(context)]
    blocks += [Paragraph(states), LIKELIHOOD, Paragraph(drawn)]
    return [*blocks, Paragraph(prior_sentences(context)), prior_table(context), Paragraph(engine_text(context))]


def _limits(context: CommunityContext) -> list[str]:
    never = int((~context.fit.occupancy().seen_where.any(1)).sum())
    found = [
        f"The {context.species} are those of the history. Species that nobody recorded and nobody listed are not "
        "counted: the total is not the number of species of the region.",
        f"The numbers are of the {context.sites} of the survey, and of other ground only if the sites were chosen at "
        "random from it, or through covariates.",
        "Species that were hardly seen lean on the others: their ψ and p are as much those of the community's middle "
        "as their own. A species unlike all others is drawn towards them.",
        "Species are taken to be independent of each other given the covariates: that one avoids another is not told.",
        "Use is taken not to change during the survey, and every record to be of the species that it names.",
        "Sites are taken to be alike in detection but for what the formulas say; if they are not, use is too low.",
    ]
    if never:
        found.append(f"{counted(never, 'species', 'species')} never recorded: what is said of them is the community's.")
    if np.asarray(context.problem.plain.visited).sum((1, 2)).max(initial=0) < 2:
        found.append("No site was visited twice: use and detection are told apart by the priors alone.")
    return found
