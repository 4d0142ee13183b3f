"""References of occupancy models, by what a fit really used."""

from __future__ import annotations

from typing import Any

from leopardpop.components.random_effects import brackets
from leopardpop.report.bibliography import Reference, article

__all__ = ["SURFACES", "site_references"]

ONE_SEASON = article(
    "mackenzie2002",
    "MacKenzie, D. I. and Nichols, J. D. and Lachman, G. B. and Droege, S. and Royle, J. A. and Langtimm, C. A.",
    2002,
    "Estimating site occupancy rates when detection probabilities are less than one",
    "Ecology",
    "83",
    "2248--2255",
    "10.1890/0012-9658(2002)083[2248:ESORWD]2.0.CO;2",
)
SEASONS = article(
    "mackenzie2003",
    "MacKenzie, D. I. and Nichols, J. D. and Hines, J. E. and Knutson, M. G. and Franklin, A. B.",
    2003,
    "Estimating site occupancy, colonization, and local extinction when a species is detected imperfectly",
    "Ecology",
    "84",
    "2200--2207",
    "10.1890/02-3090",
)
STATES = article(
    "nichols2007",
    "Nichols, J. D. and Hines, J. E. and MacKenzie, D. I. and Seamans, M. E. and Guti{\\'e}rrez, R. J.",
    2007,
    "Occupancy estimation and modeling with multiple states and state uncertainty",
    "Ecology",
    "88",
    "1395--1400",
    "10.1890/06-1474",
)
STATES_BY_SEASON = article(
    "mackenzie2009",
    "MacKenzie, D. I. and Nichols, J. D. and Seamans, M. E. and Guti{\\'e}rrez, R. J.",
    2009,
    "Modeling species occurrence dynamics with multiple states and imperfect detection",
    "Ecology",
    "90",
    "823--835",
    "10.1890/08-0141.1",
)
NICHOLS = article(
    "royle2003",
    "Royle, J. A. and Nichols, J. D.",
    2003,
    "Estimating abundance from repeated presence-absence data or point counts",
    "Ecology",
    "84",
    "777--790",
    "10.1890/0012-9658(2003)084[0777:EAFRPA]2.0.CO;2",
)
COUNTED = article(
    "royle2004",
    "Royle, J. A.",
    2004,
    "N-mixture models for estimating population size from spatially replicated counts",
    "Biometrics",
    "60",
    "108--115",
    "10.1111/j.0006-341X.2004.00142.x",
)
BARKER = article(
    "barker2018",
    "Barker, R. J. and Schofield, M. R. and Link, W. A. and Sauer, J. R.",
    2018,
    "On the reliability of {N}-mixture models for count data",
    "Biometrics",
    "74",
    "369--377",
    "10.1111/biom.12734",
)
MISTAKES = article(
    "royle2006",
    "Royle, J. A. and Link, W. A.",
    2006,
    "Generalized site occupancy models allowing for false positive and false negative errors",
    "Ecology",
    "87",
    "835--841",
    "10.1890/0012-9658(2006)87[835:GSOMAF]2.0.CO;2",
)
CERTAIN = article(
    "miller2011",
    "Miller, D. A. and Nichols, J. D. and McClintock, B. T. and Grant, E. H. C. and Bailey, L. L. and Weir, L. A.",
    2011,
    "Improving occupancy estimation when two types of observational error occur: non-detection and species "
    "misidentification",
    "Ecology",
    "92",
    "1422--1428",
    "10.1890/10-1396.1",
)
WAVES = article(
    "solin2020",
    'Solin, A. and S{\\"a}rkk{\\"a}, S.',
    2020,
    "{Hilbert} space methods for reduced-rank {Gaussian} process regression",
    "Statistics and Computing",
    "30",
    "419--446",
    "10.1007/s11222-019-09886-w",
)
WAVES_IN_PRACTICE = article(
    "riutort2023",
    'Riutort-Mayol, G. and B{\\"u}rkner, P.-C. and Andersen, M. R. and Solin, A. and Vehtari, A.',
    2023,
    "Practical {Hilbert} space approximate {Bayesian} {Gaussian} processes for probabilistic programming",
    "Statistics and Computing",
    "33",
    "17",
    "10.1007/s11222-022-10167-2",
)
INTEGRATED = article(
    "andrieu2009",
    "Andrieu, C. and Roberts, G. O.",
    2009,
    "The pseudo-marginal approach for efficient {Monte Carlo} computations",
    "The Annals of Statistics",
    "37",
    "697--725",
    "10.1214/07-AOS574",
)
COMMUNITY = article(
    "dorazio2005",
    "Dorazio, R. M. and Royle, J. A.",
    2005,
    "Estimating size and composition of biological communities by modeling the occurrence of species",
    "Journal of the American Statistical Association",
    "100",
    "389--398",
    "10.1198/016214505000000015",
)
SURFACES = [WAVES, WAVES_IN_PRACTICE]
"""Of a Gaussian process by sines."""
FAMILIES = {
    "CommunityOccupancy": [ONE_SEASON, COMMUNITY],
    "Occupancy": [ONE_SEASON],
    "DynamicOccupancy": [SEASONS],
    "MultistateOccupancy": [STATES],
    "DynamicMultistateOccupancy": [STATES_BY_SEASON],
    "RoyleNichols": [NICHOLS],
    "NMixture": [COUNTED, BARKER],
    "CountOccupancy": [ONE_SEASON],
    "FalsePositiveOccupancy": [MISTAKES],
}


def site_references(fit: Any) -> list[Reference]:
    """References of an occupancy model and of how its surfaces were computed.

    Parameters
    ----------
    fit
        The fit.

    Returns
    -------
    list of Reference
        None of methods that the fit did not use.
    """
    model = fit.model
    found = list(FAMILIES[type(model).__name__])
    if any(getattr(model, name, None) is not None for name in ("certain", "b")):
        found.append(CERTAIN)
    formulas = [str(getattr(model, name)) for name in model.structure.homes]
    if any(True for formula in formulas for _ in brackets(formula, "gp")):
        found += [*SURFACES, *([INTEGRATED] if "pareto_k" in fit.data_tree.attrs else [])]
    return found
