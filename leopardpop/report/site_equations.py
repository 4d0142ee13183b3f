"""The equations of an occupancy model: those of its own states and visits, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leopardpop.report.blocks import Equation

if TYPE_CHECKING:
    from leopardpop.report.site_context import SiteContext

__all__ = ["likelihood_equation", "state_equations", "visit_equations"]

USED = Equation(
    r"z_i \;\sim\; \mathrm{Bernoulli}(\psi_i)",
    "the state z of site i is 1, used, with probability psi, and 0 otherwise",
)
CHANGE = Equation(
    r"z_{i1} \;\sim\; \mathrm{Bernoulli}(\psi_i), \qquad "
    r"\Pr(z_{i,t+1} = 1 \mid z_{it}) = (1 - z_{it})\,\gamma_{it} + z_{it}\,(1 - \epsilon_{it})",
    "in the first season the state z of site i is 1 with probability psi; a site with z 0 has z 1 a season later with "
    "probability gamma, a site with z 1 keeps it with probability one minus epsilon",
)
BREEDING = Equation(
    r"\Pr(z_i = 0, 1, 2) = \{1 - \psi_i, \;\; \psi_i\,(1 - R_i), \;\; \psi_i\,R_i\}",
    "the state z of site i is 0, absent, with probability one minus psi; 1, used, with psi times one minus R; 2, used "
    "for breeding, with psi times R",
)
BREEDING_CHOSEN = Equation(
    r"\Pr(z_i = 0, 1, 2) \;\propto\; \{1, \;\; \psi_i / (1 - \psi_i), \;\; R_i / (1 - R_i)\}",
    "the probabilities of the states absent, used, breeding are in proportion to one, the odds of psi, the odds of R",
)
NEXT = Equation(
    r"\Pr(z_{i,t+1} = 0, 1, 2 \mid z_{it}) = \{1 - \psi^\prime_{it}, \;\; \psi^\prime_{it}\,(1 - R^\prime_{it}), \;\; "
    r"\psi^\prime_{it}\,R^\prime_{it}\}",
    "a season later the state is absent with probability one minus psi prime, used with psi prime times one minus R "
    "prime, breeding with psi prime times R prime",
)
NEXT_CHOSEN = Equation(
    r"\Pr(z_{i,t+1} = 0, 1, 2 \mid z_{it}) \;\propto\; \{1, \;\; \psi^\prime_{it} / (1 - \psi^\prime_{it}), \;\; "
    r"R^\prime_{it} / (1 - R^\prime_{it})\}",
    "a season later the probabilities of the states are in proportion to one, the odds of psi prime, the odds of R "
    "prime",
)
POISSON = Equation(
    r"n_i \;\sim\; \mathrm{Poisson}(\lambda_i)", "the number n of animals at site i is Poisson with mean lambda"
)
NEGBIN = Equation(
    r"n_i \;\sim\; \mathrm{NegBin}(\mathrm{mean}\ \lambda_i,\ \mathrm{size}\ s_i), \qquad "
    r"\mathrm{var}(n_i) = \lambda_i + \lambda_i^2 / s_i",
    "the number n of animals at site i is negative binomial with mean lambda, size s and variance lambda plus lambda "
    "squared over s",
)

SEEN = Equation(
    r"y_{ij} \mid z_i \;\sim\; \mathrm{Bernoulli}(z_i \, p_{ij})",
    "visit j to site i sees the species with probability z times p",
)
SEEN_BREEDING = (
    Equation(
        r"\Pr(y_{ij} = 0, 1, 2 \mid z_i = 1) = \{1 - p_1, \;\; p_1, \;\; 0\}",
        "a visit to a site in state 1 sees nothing with probability one minus p1, and the species with p1",
    ),
    Equation(
        r"\Pr(y_{ij} = 0, 1, 2 \mid z_i = 2) = \{1 - p_2, \;\; p_2\,(1 - \delta), \;\; p_2\,\delta\}",
        "a visit to a site in state 2 sees nothing with probability one minus p2, the species without young with p2 "
        "times one minus delta, and young with p2 times delta",
    ),
)
SEEN_CHOSEN = (
    SEEN_BREEDING[0],
    Equation(
        r"\Pr(y_{ij} = 0, 1, 2 \mid z_i = 2) \;\propto\; \{1, \;\; p_2 / (1 - p_2), \;\; \delta / (1 - \delta)\}",
        "the probabilities that a visit to a site in state 2 sees nothing, the species without young, or young are in "
        "proportion to one, the odds of p2, the odds of delta",
    ),
)
MISTAKEN = Equation(
    r"\Pr(y_{ij} = 1 \mid z_i = 0) = p_{10}, \qquad \Pr(y_{ij} = 1 \mid z_i = 1) = p + (1 - p)\,p_{10}",
    "a visit to a site that is not used has a detection by mistake with probability p10; one to a used site has one "
    "with p plus one minus p times p10",
)
CERTAIN = Equation(
    r"\Pr(y_{ij} = 1 \mid z_i) = z_i \, p \quad \mathrm{on\ visits\ without\ mistakes}",
    "on visits by a method that makes no mistakes a detection has probability z times p",
)
CONFIRMED = (
    Equation(
        r"\Pr(y_{ij} = 0, 1, 2 \mid z_i = 0) = \{1 - p_{10}, \;\; p_{10}, \;\; 0\}",
        "at a site that is not used a visit has an unconfirmed detection by mistake with probability p10",
    ),
    Equation(
        r"\Pr(y_{ij} = 0, 1, 2 \mid z_i = 1) = \{(1 - p)(1 - p_{10}), \;\; p\,(1 - b) + (1 - p)\,p_{10}, \;\; p\,b\}",
        "at a used site a visit sees nothing with probability one minus p times one minus p10, has a confirmed "
        "detection with p times b, and an unconfirmed one otherwise",
    ),
)
NICHOLS = Equation(
    r"y_{ij} \mid n_i \;\sim\; \mathrm{Bernoulli}\{1 - (1 - r_{ij})^{n_i}\}, \qquad \Pr(n_i > 0) = 1 - e^{-\lambda_i}",
    "visit j to site i sees the species with probability one minus one minus r to the power n; a site is used, with "
    "some animal, with probability one minus exp of minus lambda",
)
COUNTED = Equation(
    r"y_{ij} \mid n_i \;\sim\; \mathrm{Binomial}(n_i,\ p_{ij})",
    "visit j to site i counts each of n animals with probability p",
)
PASSES = Equation(
    r"y_{ij} \mid z_i \;\sim\; \mathrm{Poisson}(z_i \, T_{ij} \, \mathrm{rate}_{ij})",
    "the count of visit j to site i is Poisson with mean z times effort T times the rate",
)

LIKELIHOOD = Equation(
    r"L = \prod_i \, \sum_z \, \Pr(z_i = z) \, \prod_j \, \Pr(y_{ij} \mid z_i = z)",
    "the likelihood is the product over sites of the sum over states of the probability of the state times the product "
    "over visits of the probability of what was seen",
)
LIKELIHOOD_OF_NUMBERS = Equation(
    r"L = \prod_i \, \sum_n \, \Pr(n_i = n) \, \prod_j \, \Pr(y_{ij} \mid n_i = n)",
    "the likelihood is the product over sites of the sum over numbers of animals of their probability times the "
    "product over visits of the probability of what was recorded",
)
LIKELIHOOD_OF_SEASONS = Equation(
    r"L = \prod_i \, \sum_{z_1, \ldots, z_T} \, \Pr(z_{i1}) \, \prod_{t<T} \, \Pr(z_{i,t+1} \mid z_{it}) \, "
    r"\prod_{t,j} \, \Pr(y_{itj} \mid z_{it})",
    "the likelihood is the product over sites of the sum over all sequences of states of the probability of the first, "
    "of each change, and of what the visits of each season saw",
)


def state_equations(context: SiteContext) -> tuple[Equation, ...]:
    """Law of the states."""
    if context.animals:
        return (NEGBIN if "size" in context.structure.homes else POISSON,)
    if context.breeds:
        first, later = (BREEDING_CHOSEN, NEXT_CHOSEN) if context.multinomial else (BREEDING, NEXT)
        return (first, later) if context.structure.is_dynamic else (first,)
    return (CHANGE if context.structure.is_dynamic else USED,)


def visit_equations(context: SiteContext) -> tuple[Equation, ...]:
    """What a visit sees of a state."""
    kinds = {"detected animals": (NICHOLS,), "counted animals": (COUNTED,), "counts": (PASSES,)}
    if context.structure.kind in kinds:
        return kinds[context.structure.kind]
    if context.breeds:
        return SEEN_CHOSEN if context.multinomial else SEEN_BREEDING
    if not context.mistakes:
        return (SEEN,)
    seen = (MISTAKEN,) if context.fit.model.b is None else CONFIRMED
    return seen if context.fit.model.certain is None else (*seen, CERTAIN)


def likelihood_equation(context: SiteContext) -> Equation:
    """Likelihood, summed over what nobody saw."""
    if context.animals:
        return LIKELIHOOD_OF_NUMBERS
    return LIKELIHOOD_OF_SEASONS if context.structure.is_dynamic else LIKELIHOOD
