"""What the visits say of an occupancy fit before any engine has its word: findings with plain advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.models.effects import Effects
from leopardpop.models.states.clusters import find_clusters
from leopardpop.models.states.responses import certain_visits
from leopardpop.models.states.surface_integral import has_surface
from leopardpop.results.animal_checks import animal_findings
from leopardpop.results.findings import Finding
from leopardpop.results.formula_checks import collinear_findings
from leopardpop.results.group_checks import ALL_TOGETHER, group_finding
from leopardpop.results.occupancy_meaning import meaning_findings
from leopardpop.results.separation import separating_effects
from leopardpop.results.spatial_checks import spatial_findings
from leopardpop.words import counted, joined, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.problem import OccupancyProblem
    from leopardpop.models.states.run import SiteLikelihood

__all__ = ["large_effects", "missing_years", "occupancy_findings", "repeated"]

FEWEST_SITES_SEEN = 5
FEWEST_REPEATED = 0.2
FEWEST_CERTAIN = 10
LARGEST_EFFECT = 6.0
"""On the link scale, of a standardised covariate: the odds change four-hundred-fold within one sd of it."""
CUBS = (
    "A breeding site is not a breeding female: one family is seen at several sites, which are then not independent, "
    "so that intervals are too narrow (in the bundled survey errors about 1.8 times too small). Pool sites that one "
    "family uses, or give them a random effect."
)


def occupancy_findings(problem: OccupancyProblem, theta: Floats, pieces: SiteLikelihood) -> list[Finding]:
    """Whether there are detections and repeated visits, and what the numbers do not say.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    pieces
        The likelihood in pieces; not looked at.
    """
    found = [_seen(problem), repeated(problem), _empty_seasons(problem), large_effects(problem, theta)]
    found += [*_separated(problem), *collinear_findings(problem.layout.parts)]
    found += [_groups(problem, each) for each in problem.layout.effects if isinstance(each, Effects)]
    found += spatial_findings(problem, theta)
    found += meaning_findings(problem, theta)
    found += animal_findings(problem, theta)
    found += [_certain(problem)] if "p10" in problem.structure.homes else []
    return [*found, *([_breeding(problem)] if "breeding" in problem.structure.states else [])]


def _seen(problem: OccupancyProblem) -> Finding:
    data = problem.arrays
    n = len(np.unique(data.site[data.value > 0]))
    known = f"Seen at {n} of {counted(len(np.unique(data.site)), 'site')} that were visited"
    few = f"{known}: what is said of detection, and with it of the sites where nothing was seen, is mostly the priors'."
    enough = n >= FEWEST_SITES_SEEN
    every = n == len(np.unique(data.site)) and "psi" in problem.structure.homes and "p10" not in problem.structure.homes
    everywhere = f"{known}, all of them: ψ may be 1 as far as the data say, and its interval ends where the prior says."
    return Finding(
        quantity="sites with a detection",
        value=n,
        limit=FEWEST_SITES_SEEN,
        verdict=("note" if every else "ok") if enough else "warn",
        advice=(everywhere if every else f"{known}.") if enough else few,
        warning="" if enough else "SparseDataWarning",
    )


def repeated(problem: OccupancyProblem) -> Finding:
    """Whether enough of the sites were visited more than once."""
    visits = problem.arrays.n_visits
    made = visits[visits > 0]
    share = float((made > 1).mean()) if len(made) else 0.0
    units = "sites" if problem.shape[0] == 1 else "sites and seasons"
    known = f"{percent(share)} of the {units} that were visited were visited more than once"
    few = (
        f"{known}: whether a site was not used or its animals were overlooked cannot be told apart without repeated "
        "visits, and the priors decide. Split the visits into shorter occasions."
    )
    enough = share >= FEWEST_REPEATED
    return Finding(
        quantity="share visited repeatedly",
        value=share,
        limit=FEWEST_REPEATED,
        verdict="ok" if enough else "warn",
        advice=f"{known}." if enough else few,
        warning="" if enough else "SparseDataWarning",
    )


def _empty_seasons(problem: OccupancyProblem) -> Finding:
    empty = [s for s, made in zip(problem.arrays.seasons, problem.arrays.surveyed.any(0), strict=True) if not made]
    gap = f"Nobody looked in {', '.join(empty)}: the states of the sites then follow from the seasons around it."
    missing = missing_years(problem.arrays.seasons)
    if missing:
        gap = f"{gap} " if empty else ""
        gap += (
            f"There is no season {', '.join(missing)}: the step over it counts as one, and its gains and losses are "
            "those of several years. Give it as a season without visits."
        )
    return Finding(
        quantity="seasons without visits",
        value=len(empty) + len(missing),
        limit=1,
        verdict="warn" if missing else "note" if empty else "ok",
        advice=gap if empty or missing else "Every season has visits.",
        warning="DataWarning" if missing else "",
    )


def missing_years(seasons: Sequence[str]) -> list[str]:
    """Years between the first and the last season that are none themselves, where seasons are named by years.

    Examples
    --------
    >>> missing_years(["2021", "2022", "2024"]), missing_years(["wet 1", "dry 1"])
    (['2023'], [])
    """
    if not all(name.isdecimal() and len(name) == 4 for name in map(str, seasons)):
        return []
    years = [int(name) for name in seasons]
    every = range(min(years), max(years) + 1)
    return [str(year) for year in every if year not in set(years)] if len(every) <= 2 * len(years) else []


def large_effects(problem: OccupancyProblem, theta: Floats) -> Finding:
    """Effects so large that the data must separate perfectly: the prior alone keeps them finite."""
    deviations = set(problem.layout.effect_labels)
    slopes = [label for label in problem.labels if not label.endswith("[Intercept]") and label not in deviations]
    means = dict(zip(problem.labels, np.abs(theta.mean(0)), strict=True))
    largest = max(slopes, key=lambda label: means[label], default=None)
    value = 0.0 if largest is None else float(means[largest])
    verdict = "note" if value > LARGEST_EFFECT else "ok"
    advice = (
        f"The effect {largest!r} is so large that it separates the sites or visits perfectly: the data give it no "
        "upper end, the prior does. Say so, or pool levels of the factor."
    )
    return Finding(
        quantity="largest effect",
        value=value,
        limit=LARGEST_EFFECT,
        verdict=verdict,  # type: ignore[arg-type]
        advice=advice if verdict == "note" else f"No effect is above {LARGEST_EFFECT:g} on the scale of its link.",
    )


def _separated(problem: OccupancyProblem) -> list[Finding]:
    """Covariates whose effect has no end in the data; of very few sites the priors decide anyhow, as is said."""
    found = separating_effects(problem)
    if not found or _seen(problem).verdict == "warn":
        return []
    which = f"The {'effect' if len(found) == 1 else 'effects'} {joined([repr(label) for label in found])}"
    advice = (
        f"{which} {'separates' if len(found) == 1 else 'separate'} places with and without a detection perfectly: the "
        "likelihood rises without end along it, and the prior alone keeps the effect finite. Say so, or pool levels of "
        "the factor."
    )
    finding = Finding(
        quantity="perfect separation",
        value=len(found),
        limit=0.0,
        verdict="warn",
        advice=advice,
        warning="PriorWarning",
    )
    return [finding]


def _groups(problem: OccupancyProblem, effects: Effects) -> Finding:
    """How many groups tell the sd of a random effect, and how the engine "laplace" treats them."""
    if has_surface(problem):
        return group_finding(effects, "integrated out")
    clusters = find_clusters(problem)
    return group_finding(effects, "integrated out cluster by cluster" if clusters else ALL_TOGETHER)


def _certain(problem: OccupancyProblem) -> Finding:
    """Whether any detection is certain: else only p10 < p11 tells used sites from mistakes."""
    made = certain_visits(problem.model, problem.arrays)
    sure = np.zeros(len(problem.arrays.site), bool) if made is None else made & (problem.arrays.value > 0)
    n = int((sure | (problem.arrays.value == 2)).sum())
    known = f"{counted(n, 'certain detection')}"
    few = (
        f"{known}: true detections and mistakes are told apart by how often sites are seen, and by the prior of p10. "
        "Confirm some detections (b, response='state') or add visits by a method that makes no mistakes (certain)."
    )
    return Finding(
        quantity="certain detections",
        value=n,
        limit=FEWEST_CERTAIN,
        verdict="ok" if n >= FEWEST_CERTAIN else "warn",
        advice=f"{known} tell true detections from mistakes." if n >= FEWEST_CERTAIN else few,
        warning="" if n >= FEWEST_CERTAIN else "SparseDataWarning",
    )


def _breeding(problem: OccupancyProblem) -> Finding:
    data = problem.arrays
    n = len(np.unique(data.site[data.value == len(problem.structure.states) - 1]))
    known = f"Young were seen at {counted(n, 'site')}. {CUBS}"
    return Finding(
        quantity="sites where young were seen",
        value=n,
        limit=FEWEST_SITES_SEEN,
        verdict="note",
        advice=known,
    )
