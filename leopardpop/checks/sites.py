"""Surveys of sites and their statistics: row 0 is the survey with states drawn given the data, the others replicates.

All rows share the coefficients θ*, one draw from the posterior, random effects included. Each replicate has states of
its own, so that the data and the states of row 0 have the same joint law as those of any other row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.checks.captures import freeman_tukey, tabulate
from leopardpop.models.states.simulation import Surveys

if TYPE_CHECKING:
    from leopardpop.data.occupancy_arrays import OccupancyArrays
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["SiteSurveys", "site_statistics", "survey_sites"]

LONGEST = 6
"""Visits a season up to which every history is told apart; longer ones by their number of detections."""
NEIGHBOURS = 4


class SiteSurveys(NamedTuple):
    """What all rows saw on the visits made, V, and what was to be seen given the states."""

    values: Floats
    """Responses, (R, V)."""
    expected: Floats
    """Expected counts, or probabilities of a detection, given the states, (R, V)."""
    cell: Ints
    """Site x season of each visit, (V,): site T + season."""
    visit: Ints
    """Season x J + visit, (V,)."""
    shape: tuple[int, int, int]
    """Sites, seasons and visits of the longest season."""
    is_count: bool

    @property
    def seen(self) -> Floats:
        """What is added up: counts, or whether anything was seen, (R, V)."""
        return self.values if self.is_count else (self.values > 0).astype(float)

    def by(self, key: Ints, of: Floats, size: int) -> Floats:
        """Sums over the visits with the same key, (R, size)."""
        return tabulate(np.arange(len(of))[:, None], key, of, (len(of), size))


def survey_sites(problem: OccupancyProblem, theta: Floats, replicates: int, rng: np.random.Generator) -> SiteSurveys:
    """Survey the sites again and again.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Coefficients (P,).
    replicates
        Number of replicates; there is one row more.
    rng
        Source of chance.
    """
    surveys, data = Surveys(problem, theta), problem.arrays
    states = [np.asarray(problem.draw_states(theta, rng)), *(surveys.states(rng) for _ in range(replicates))]
    values = [data.value, *(surveys.responses(each, rng) for each in states[1:])]
    at = np.stack([each[data.season, data.site] for each in states])
    n_sites, n_seasons, n_visits = data.visited.shape
    return SiteSurveys(
        np.stack(values).astype(float),
        _expected(problem, surveys, at),
        data.site * n_seasons + data.season,
        data.season * n_visits + data.visit,
        (n_sites, n_seasons, n_visits),
        problem.structure.response == "count",
    )


def _expected(problem: OccupancyProblem, surveys: Surveys, state: Any) -> Floats:
    """Expected count, or probability of a detection, of each visit given the states (R, V), (R, V)."""
    logs, kind = surveys.logs, problem.kind
    match problem.structure.kind:
        case "states":
            missed = surveys.law[_nothing(problem)].sum(0)
            expected = 1.0 - missed[state, np.arange(state.shape[1])]
        case "detected animals":
            expected = -np.expm1(state * logs["r"][1][kind])
        case "counted animals":
            expected = state * np.exp(logs["p"][0])[kind]
        case "counts":
            expected = (state > 0) * np.exp(logs["rate"][0])[kind] * problem.exposure  # type: ignore[attr-defined]
    return np.asarray(expected, float)


def _nothing(problem: OccupancyProblem) -> Ints:
    """Rows of the outcomes in which nothing is seen."""
    from leopardpop.models.states.responses import decoded

    codes = np.arange(len(problem.structure.outcomes))
    return np.flatnonzero(decoded(problem.model, codes) == 0)


def site_statistics(surveys: SiteSurveys, data: OccupancyArrays) -> dict[str, Floats]:
    """Statistics of all rows, (R,) each.

    Parameters
    ----------
    surveys
        The rows.
    data
        The history.
    """
    n_sites, n_seasons, n_visits = surveys.shape
    n_cells, seen = n_sites * n_seasons, surveys.seen
    of_cell = surveys.by(surveys.cell, seen, n_cells)
    times = surveys.by(surveys.cell, (surveys.values > 0).astype(float), n_cells)
    of_visit = surveys.by(surveys.visit, seen, n_seasons * n_visits)
    found = {
        "sites": freeman_tukey(of_cell, surveys.by(surveys.cell, surveys.expected, n_cells)),
        "visits": freeman_tukey(of_visit, surveys.by(surveys.visit, surveys.expected, n_seasons * n_visits)),
        "seen": (times > 0).sum(1),
        "detections": seen.sum(1),
        "once": (times == 1).sum(1),
        "most": of_cell.max(1),
    }
    if n_visits > 1:
        found["in_a_row"] = _in_a_row(surveys)
    if data.xy is not None and n_sites > 2 * NEIGHBOURS:
        found["neighbours"] = _neighbours(of_cell.reshape(-1, n_sites, n_seasons), data.xy)
    if n_seasons > 1:
        found |= _changes((times > 0).reshape(-1, n_sites, n_seasons), data.surveyed)
    if surveys.is_count:
        found |= {
            "counts": freeman_tukey(seen, surveys.expected),
            "largest": seen.max(1, initial=0.0),
            "zeros": (seen == 0).sum(1),
        }
    else:
        found["histories"] = mackenzie_bailey(_histories(surveys))
    if data.response == "state":
        found["young"] = (surveys.values > 1).sum(1)
    return {name: np.asarray(values, float) for name, values in found.items()}


def _histories(surveys: SiteSurveys) -> Ints:
    """Number of the history of each site and season that was visited, with the visits that were made, (R, cells)."""
    n_visits = surveys.shape[2]
    base = int(surveys.values.max(initial=0)) + 2
    visit = surveys.visit % n_visits
    # A digit a visit, 0 where there was none; of long seasons the numbers of visits and of each response.
    if n_visits <= LONGEST:
        weight = (surveys.values + 1) * float(base) ** visit
    else:
        weight = float(n_visits + 1) ** (surveys.values + 1) * (surveys.values > 0) + 1.0
    key = surveys.by(surveys.cell, weight, surveys.shape[0] * surveys.shape[1])
    visited = key[:, (key > 0).any(0)]
    return np.unique(visited, return_inverse=True)[1].reshape(visited.shape)


def mackenzie_bailey(history: Ints) -> Floats:
    """Σ over histories of (observed − expected)² / expected, expected from all rows, (R,).

    Histories of which less than one is expected are one: alone, each would outweigh all others where it occurs.

    Parameters
    ----------
    history
        Number of the history of each site, (R, N).

    References
    ----------
    MacKenzie & Bailey (2004) Assessing the fit of site-occupancy models, doi:10.1198/108571104X3361

    Examples
    --------
    >>> mackenzie_bailey(np.array([[0, 0, 1], [0, 1, 1]])).round(4).tolist()
    [0.3333, 0.3333]
    """
    rows, size = len(history), int(history.max(initial=0)) + 1
    number = tabulate(np.arange(rows)[:, None], history, None, (rows, size))
    rare = number.mean(0) < 1.0
    number = np.column_stack([number[:, ~rare], number[:, rare].sum(1)])
    expected = number.mean(0)
    total: Floats = ((number - expected) ** 2 / np.maximum(expected, 1e-300)).sum(1)
    return total


def _in_a_row(surveys: SiteSurveys) -> Floats:
    """Detections after a detection on the visit before, of the same season."""
    after = (np.diff(surveys.cell) == 0) & (np.diff(surveys.visit) == 1)
    seen = surveys.values > 0
    return np.asarray((seen[:, 1:] & seen[:, :-1])[:, after].sum(1))


def _neighbours(of_cell: Floats, xy: Floats) -> Floats:
    """Mean product of the residuals of a site and of those nearest to it, (R,)."""
    from scipy.spatial import KDTree

    spread = of_cell.std(0)
    residual = (of_cell - of_cell.mean(0)) / np.where(spread > 0, spread, 1.0)
    near = KDTree(xy).query(xy, NEIGHBOURS + 1)[1][:, 1:]
    return np.asarray(sum((residual * residual[:, near[:, j]]).sum((1, 2)) for j in range(NEIGHBOURS)))


def _changes(seen: Any, surveyed: Any) -> dict[str, Floats]:
    """Sites seen in one of two seasons that follow each other and not in the other, where both were visited."""
    both = surveyed[:, 1:] & surveyed[:, :-1]
    before, after = seen[..., :-1] & both, seen[..., 1:] & both
    return {"gained": (after & ~before).sum((1, 2)), "lost": (before & ~after).sum((1, 2))}
