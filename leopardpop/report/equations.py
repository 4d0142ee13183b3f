"""The equations of a model: those of its own detector, detection function and classes, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leopardpop.components.detection import Exponential, HalfNormal, HazardRate
from leopardpop.components.detection_probability import (
    ProbabilityExponential,
    ProbabilityHalfNormal,
    ProbabilityHazardRate,
)
from leopardpop.report.blocks import Equation

if TYPE_CHECKING:
    from leopardpop.components.detection import DetectionFunction

__all__ = ["count_equation", "detection_equations", "likelihood_equations", "observation_equation"]

HAZARD = Equation(
    r"\lambda_k(x) = -\log\{1 - g_k(x)\}", "the hazard lambda is minus the logarithm of one minus the probability g"
)
DETECTION: dict[type, tuple[Equation, ...]] = {
    HalfNormal: (
        Equation(
            r"\lambda_k(x) = \lambda_0 \, \exp\left(-\dfrac{d_k(x)^2}{2\sigma^2}\right)",
            "lambda of station k and place x is lambda0 times exp of minus d squared over two sigma squared",
        ),
    ),
    Exponential: (
        Equation(
            r"\lambda_k(x) = \lambda_0 \, \exp\left(-\dfrac{d_k(x)}{\sigma}\right)",
            "lambda of station k and place x is lambda0 times exp of minus d over sigma",
        ),
    ),
    HazardRate: (
        Equation(
            r"\lambda_k(x) = \lambda_0 \left[1 - \exp\left\{-\left(\dfrac{d_k(x)}{\sigma}\right)^{-z}\right\}\right]",
            "lambda of station k and place x is lambda0 times one minus exp of minus d over sigma to the power minus z",
        ),
    ),
    ProbabilityHalfNormal: (
        Equation(
            r"g_k(x) = g_0 \, \exp\left(-\dfrac{d_k(x)^2}{2\sigma^2}\right)",
            "g of station k and place x is g0 times exp of minus d squared over two sigma squared",
        ),
        HAZARD,
    ),
    ProbabilityExponential: (
        Equation(
            r"g_k(x) = g_0 \, \exp\left(-\dfrac{d_k(x)}{\sigma}\right)",
            "g of station k and place x is g0 times exp of minus d over sigma",
        ),
        HAZARD,
    ),
    ProbabilityHazardRate: (
        Equation(
            r"g_k(x) = g_0 \left[1 - \exp\left\{-\left(\dfrac{d_k(x)}{\sigma}\right)^{-z}\right\}\right]",
            "g of station k and place x is g0 times one minus exp of minus d over sigma to the power minus z",
        ),
        HAZARD,
    ),
}
OBSERVATION = {
    "count": Equation(
        r"y_{iks} \mid x_i \;\sim\; \mathrm{Poisson}\{T_{ks}\,\lambda_k(x_i)\}",
        "the count y of animal i at station k on occasion s is Poisson with mean effort T times lambda",
    ),
    "proximity": Equation(
        r"\Pr(y_{iks} = 1 \mid x_i) = 1 - \exp\{-T_{ks}\,\lambda_k(x_i)\}",
        "animal i is detected at station k on occasion s with probability one minus exp of minus effort T times lambda",
    ),
    "multi": Equation(
        r"\Pr(y_{iks} = 1 \mid x_i) = (1 - e^{-\Lambda_s(x_i)})\,\dfrac{T_{ks}\,\lambda_k(x_i)}{\Lambda_s(x_i)},"
        r"\qquad \Lambda_s(x) = \sum_k \, T_{ks}\,\lambda_k(x)",
        "animal i is detected on occasion s with probability one minus exp of minus the total hazard of that occasion, "
        "and then at station k in proportion to effort T times lambda",
    ),
}
BURSTS = Equation(
    r"y_{iks} \mid x_i \;\sim\; \mathrm{NegBin}\{\mathrm{mean}\ T_{ks}\,\lambda_k(x_i),\ \mathrm{size}\ r\,T_{ks}\}",
    "the count y of animal i at station k on occasion s is negative binomial with mean effort T times lambda and size "
    "effort T times r",
)
MISSED = Equation(
    r"p_0(x) = \exp\left\{-\sum_{k,s} \, T_{ks}\,\lambda_k(x)\right\}",
    "p0, the probability that an animal at x is never detected, is exp of minus the sum of T times lambda",
)
MISSED_BY_CLASS = Equation(
    r"p_0(x) = \sum_c \, \pi_c \, \exp\left\{-\sum_{k,s} \, T_{ks}\,\lambda_{kc}(x)\right\}",
    "p0, the probability that an animal at x is never detected, is the sum over classes c of the share pi times exp of "
    "minus the sum of T times lambda of that class",
)
MISSED_IN_BURSTS = Equation(
    r"p_0(x) = \prod_{k,s} \, \left\{1 + \dfrac{\lambda_k(x)}{r}\right\}^{-r\,T_{ks}}",
    "p0, the probability that an animal at x is never detected, is the product of one plus lambda over r to the power "
    "minus r times T",
)
MISSED_IN_BURSTS_BY_CLASS = Equation(
    r"p_0(x) = \sum_c \, \pi_c \, \prod_{k,s} \, \left\{1 + \dfrac{\lambda_{kc}(x)}{r}\right\}^{-r\,T_{ks}}",
    "p0, the probability that an animal at x is never detected, is the sum over classes c of the share pi times the "
    "product of one plus lambda of that class over r to the power minus r times T",
)
BY_CLASS = Equation(
    r"\Pr(w_i \mid x) = \pi_{c(i)} \, \Pr(w_i \mid x, c(i)) \quad \mathrm{or, class\ unknown,} \quad "
    r"\sum_c \, \pi_c \, \Pr(w_i \mid x, c)",
    "the probability of the history of an animal includes the share pi of its class; where the class is unknown it is "
    "summed over classes",
)
LIKELIHOOD = Equation(
    r"\log L = \sum_{i=1}^{n} \, \log \sum_x \, D(x)\,a(x) \, \Pr(w_i \mid x) \; - \; "
    r"\sum_x \, D(x)\,a(x)\,\{1 - p_0(x)\} \; - \; \log n!",
    "the log-likelihood is the sum over the n detected animals of the log of the sum over cells of D times a times the "
    "probability of the history, minus the expected number of detected animals, minus log n factorial",
)
LIKELIHOOD_OF_FLANKS = Equation(
    r"L = e^{-\Lambda} \, \prod_{i \in B} \, A_i \, \prod_{l} \, A_l \, \prod_{r} \, A_r \, "
    r"\sum_m \, \prod_{(l,r) \in m} \, \dfrac{A_{lr}}{A_l \, A_r} \; / \; (n_B! \, n_L! \, n_R!), \qquad "
    r"A_w = \sum_x \, D(x)\,a(x) \, \Pr(w \mid x), \quad \Lambda = \sum_x \, D(x)\,a(x)\,\{1 - p_0(x)\}",
    "the likelihood is exp of minus the expected number of detected animals, times A of each whole animal, each left "
    "and each right identity, times the sum over all partial matchings of the product over matched pairs of A of the "
    "pair as one animal over A of the two as two, divided by the factorials of the three numbers; A of a history is "
    "the sum over cells of D times a times the probability of the history",
)
REALISED = Equation(
    r"N = \sum_{i=1}^{n} \, 1\{x_i \in R\} + \mathrm{Poisson}\left\{\sum_{x \in R} \, p_0(x)\,D(x)\,a(x)\right\}",
    "N is the number of detected animals centred in the region plus a Poisson number of undetected ones with mean the "
    "sum over its cells of p0 times D times a",
)
REALISED_EVERYWHERE = Equation(
    r"N = n + \mathrm{Poisson}\left\{\sum_x \, p_0(x)\,D(x)\,a(x)\right\}",
    "N is the number of detected animals plus a Poisson number of undetected ones with mean the sum over cells of p0 "
    "times D times a",
)


def detection_equations(detection: DetectionFunction) -> tuple[Equation, ...]:
    """Equations of a detection function; none for one of the user's own."""
    return DETECTION.get(type(detection), ())


def observation_equation(detector: str, *, bursts: bool = False) -> Equation:
    """Distribution of one record."""
    return BURSTS if bursts else OBSERVATION[detector]


SINGLE = {
    "count": (r"\sum_{k,s} \, T_{ks}\,\lambda_k(x)", "the sum of T times lambda"),
    "proximity": (
        r"\sum_{k,s} \, (e^{T_{ks}\,\lambda_k(x)} - 1)",
        "the sum over stations and occasions of exp of T times lambda, less one",
    ),
    "multi": (
        r"\sum_s \, (e^{\Lambda_s(x)} - 1)",
        "the sum over occasions of exp of the total hazard of the occasion, less one",
    ),
}
"""What p1/p0 is, by detector."""


def fewer_than_two(detector: str, *, classes: bool) -> Equation:
    """Probability of fewer than two detections."""
    odds, words = SINGLE[detector]
    by = r"\sum_c \, \pi_c \, " if classes else ""
    k = "{kc}" if classes else "k"
    if classes:
        odds = odds.replace(r"\lambda_k", r"\lambda_{kc}").replace(r"\Lambda_s", r"\Lambda_{sc}")
    missed = rf"\exp\left\{{-\sum_{{k,s}} \, T_{{ks}}\,\lambda_{k}(x)\right\}}"
    return Equation(
        rf"p_0(x) = {by}{missed} \left\{{1 + {odds}\right\}}",
        f"p0, the probability that an animal at x is detected fewer than twice, is {
            'the sum over classes c of the share pi times ' if classes else ''
        }exp of minus the sum of T times lambda, times one plus {words}",
    )


def likelihood_equations(
    *, classes: bool, bursts: bool = False, without_singles: str = "", flanks: bool = False
) -> tuple[Equation, ...]:
    """Of the animals that were missed, and of the whole; ``without_singles``: the detector where these are left out."""
    if flanks:
        return (MISSED_BY_CLASS, BY_CLASS, LIKELIHOOD_OF_FLANKS) if classes else (MISSED, LIKELIHOOD_OF_FLANKS)
    if without_singles:
        return fewer_than_two(without_singles, classes=classes), *((BY_CLASS,) if classes else ()), LIKELIHOOD
    if classes:
        return MISSED_IN_BURSTS_BY_CLASS if bursts else MISSED_BY_CLASS, BY_CLASS, LIKELIHOOD
    return MISSED_IN_BURSTS if bursts else MISSED, LIKELIHOOD


def count_equation(*, everywhere: bool) -> Any:
    """Equation of the realised number, in the whole mask or in a region of it."""
    return REALISED_EVERYWHERE if everywhere else REALISED
