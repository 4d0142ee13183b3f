"""What an occupancy fit does not say: use and presence, seasons too long for closed states, neighbours alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.results.findings import Finding
from leopardpop.words import decimal, whole

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["meaning_findings", "neighbour_score"]

LONGEST_SEASON, LONGEST_WITH_YOUNG = 180.0, 120.0
"""Days. Cubs are hidden for two or three months, so that breeding states change within a longer season."""
NEIGHBOURS = 4
FEWEST_SITES = 20
ALIKE = 3.0
"""Standard errors by which neighbours are more alike than independent sites."""


def meaning_findings(problem: OccupancyProblem, theta: Floats) -> list[Finding]:
    """What is to be said of the states, where it applies.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    """
    found = [_use(problem), _length(problem), _neighbours(problem, theta)]
    return [each for each in found if each is not None]


def season_days(problem: OccupancyProblem) -> float | None:
    """Days from the first visit of a season to the end of its last one, of the longest season; None if not known."""
    data = problem.history.dataset
    if "visit_start" not in data.variables or data.sizes["visit"] < 2:
        return None
    days = (data["visit_start"].values - np.datetime64("1970-01-01", "ns")) / np.timedelta64(1, "D")
    days = np.where(np.isnat(data["visit_start"].values), np.nan, days)
    known = days[~np.isnan(days).all(axis=1)]
    if not len(known):
        return None
    steps = np.nanmedian(np.diff(known, axis=1))
    return float((np.nanmax(known, axis=1) - np.nanmin(known, axis=1)).max() + steps)


def _use(problem: OccupancyProblem) -> Finding | None:
    """Of cameras ψ is use, and grows with the length of the season."""
    if problem.history.effort_unit not in ("day", "hour") or "psi" not in problem.structure.homes:
        return None
    days = season_days(problem)
    span = "the season" if days is None else f"the {whole(days)} days of a season"
    advice = (
        f"ψ is use, not presence: a camera's site counts as used if an animal passed at least once in {span}, so that "
        "ψ grows with the season and with the size of home ranges, and says nothing of ground between the cameras."
    )
    return Finding(quantity="meaning of psi", value=days or np.nan, limit=np.nan, verdict="note", advice=advice)


def _length(problem: OccupancyProblem) -> Finding | None:
    """Whether the states can be taken as closed over a season."""
    days = season_days(problem)
    if days is None:
        return None
    young = "breeding" in problem.structure.states
    limit = LONGEST_WITH_YOUNG if young else LONGEST_SEASON
    known = f"A season is up to {whole(days)} days long"
    long = f"{known}, and the model takes the state of a site as constant within it. " + (
        "Cubs stay hidden for two or three months, so that breeding is not closed over so long: shorten the season."
        if young
        else "Animals that come and go raise ψ and lower p: shorten the season, or read ψ as use at some time."
    )
    return Finding(
        quantity="days of a season",
        value=days,
        limit=limit,
        verdict="note" if days > limit else "ok",
        advice=long if days > limit else f"{known}.",
    )


def _neighbours(problem: OccupancyProblem, theta: Floats) -> Finding | None:
    """Whether neighbouring sites are more alike than the model says."""
    score = neighbour_score(problem, theta.mean(0))
    if score is None:
        return None
    known = (
        f"Moran's I of what was seen beyond expectation at neighbouring sites is {decimal(score, 1)} standard errors"
    )
    alike = (
        f"{known} above independence: sites are clustered, as where one animal uses several of them, and the intervals "
        "are too narrow. Pool the sites that one animal uses, add a covariate, a spatial effect gp(x, y), or "
        "(1 | group) of neighbouring sites."
    )
    return Finding(
        quantity="neighbours alike",
        value=score,
        limit=ALIKE,
        verdict="note" if score > ALIKE else "ok",
        advice=alike if score > ALIKE else f"{known} from independence.",
    )


def neighbour_score(problem: OccupancyProblem, theta: Floats) -> float | None:
    """Moran's I of standardised residuals of "seen at least once" over the nearest sites, in its standard errors.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Coefficients (P,).

    Returns
    -------
    float or None
        None without positions, or with fewer than 20 sites that were visited.

    References
    ----------
    Cliff & Ord (1981) Spatial Processes, for the variance under normality.
    """
    data = problem.arrays
    visited = np.flatnonzero(data.surveyed.any(1))
    if data.xy is None or len(visited) < FEWEST_SITES:
        return None
    seen = np.bincount(data.site[data.value > 0], minlength=problem.n_sites)[visited] > 0
    unseen = np.exp(problem.nothing_seen(theta)[visited])
    spread = np.sqrt(unseen * (1.0 - unseen))
    residual = np.where(spread > 1e-6, (seen - (1.0 - unseen)) / np.maximum(spread, 1e-6), 0.0)
    return _moran(data.xy[visited], residual)


def _moran(xy: Floats, values: Floats) -> float | None:
    from scipy.sparse import csr_matrix
    from scipy.spatial import KDTree

    n = len(values)
    near = KDTree(xy).query(xy, k=NEIGHBOURS + 1)[1][:, 1:]
    weight = csr_matrix((np.ones(near.size), (np.repeat(np.arange(n), NEIGHBOURS), near.ravel())), (n, n))
    weight.setdiag(0.0)
    away = values - values.mean()
    if not away.any():
        return None
    total = float(weight.sum())
    moran = n / total * float(away @ (weight @ away)) / float(away @ away)
    both = weight + weight.T
    first, second = 0.5 * float((both.multiply(both)).sum()), float((np.asarray(both.sum(1)) ** 2).sum())
    expected = -1.0 / (n - 1)
    variance = (n**2 * first - n * second + 3 * total**2) / (total**2 * (n**2 - 1)) - expected**2
    return float((moran - expected) / variance**0.5)
