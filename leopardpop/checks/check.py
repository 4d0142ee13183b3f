"""``fit.check()``: could this model have made these data?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from leopardpop.checks.captures import capture_statistics, session_totals
from leopardpop.checks.directed import directed_scores
from leopardpop.checks.directed_words import DIRECTED
from leopardpop.checks.model_check import ModelCheck
from leopardpop.checks.ranks import family_p, p_values, uniform_ranks
from leopardpop.checks.sites import site_statistics, survey_sites
from leopardpop.checks.statistic import CAPTURES, SITES
from leopardpop.checks.surveys import survey_session
from leopardpop.errors import ModelError
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.results.draws import flat_draws, generator

if TYPE_CHECKING:
    from leopardpop.checks.captures import Totals
    from leopardpop.checks.statistic import Statistic
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["check_fit"]

FEWEST = 99
REPLICATES = 999
WITH_MEMORY = 1_500_000
"""Animals x stations of all replicates of a model with responses to earlier captures: those are drawn in turn."""
OF_SITES = 2_000_000
"""Visits of all replicates."""


def check_fit(fit: Any, *, replicates: int | None = None, seed: int | np.random.Generator | None = None) -> ModelCheck:
    """Compare the survey with replicates of it at one draw from the posterior; see :meth:`Fit.check`.

    Parameters
    ----------
    fit
        A posterior of any model.
    replicates
        Number of replicates; None: 999, fewer where that would take long.
    seed
        Seed or generator; None: one that follows from the fit's, so that the answer is the same each time.

    Returns
    -------
    ModelCheck

    Raises
    ------
    ModelError
        For fewer than 99 replicates, or a fit without positions.
    """
    given: Any = replicates
    if given is not None and not (isinstance(given, int | np.integer) and given >= FEWEST):
        raise ModelError(
            f"replicates={replicates!r}: with several statistics looked at, fewer than {FEWEST} replicates can flag "
            f"nothing. Give {FEWEST} or more, or leave it out."
        )
    problem = fit.problem
    rng = generator(fit, "check") if seed is None else np.random.default_rng(seed)
    draws = flat_draws(fit)
    theta = draws[rng.integers(len(draws))]
    if isinstance(problem, OccupancyProblem):
        return _check_sites(problem, theta, replicates, rng)
    return _check_captures(problem, theta, replicates, rng)


# -- capture histories ------------------------------------------------------------------------------------------------
def _check_captures(problem: Problem, theta: Floats, replicates: int | None, rng: np.random.Generator) -> ModelCheck:
    evaluations = problem.evaluate(theta)
    number = replicates or _enough(problem, sum(e.expected for e in evaluations))
    totals, surveys = [], []
    for s, (data, evaluation) in enumerate(zip(problem.data, evaluations, strict=True)):
        surveyed = survey_session(problem, theta, s, evaluation, number, rng)
        totals.append(session_totals(surveyed, data.effort, len(problem.levels)))
        surveys.append(surveyed)
    values = capture_statistics(problem, totals) | directed_scores(problem, theta, surveys, rng)
    predictive = _predictive(problem, totals)
    return _ranked(CAPTURES | DIRECTED, values, _residuals_of_captures(problem, totals, rng), predictive, rng)


def _enough(problem: Problem, expected: float) -> int:
    """Replicates that do not take long."""
    if problem.detection.states.number == 1:
        return REPLICATES
    largest = max(len(data.stations) for data in problem.data)
    return int(np.clip(WITH_MEMORY / (largest * max(expected, 1.0)), FEWEST, REPLICATES))


def _residuals_of_captures(problem: Problem, totals: list[Totals], rng: np.random.Generator) -> xr.Dataset:
    """Residuals by station and by session and occasion."""
    dataset = problem.history.dataset
    of_station = np.concatenate([_normal(each.by_station, rng) for each in totals])
    longest = max(each.by_occasion.shape[1] for each in totals)
    of_occasion = np.full((len(totals), longest), np.nan)
    for s, each in enumerate(totals):
        of_occasion[s, : each.by_occasion.shape[1]] = _normal(each.by_occasion, rng)
    on = np.concatenate([(data.effort > 0).any(1) for data in problem.data])
    coordinates = {
        name: ("station", dataset[name].to_numpy())
        for name in ("station", "station_session", "x", "y")
        if name in dataset.coords
    }
    return xr.Dataset(
        {
            "station_residual": ("station", np.where(on, of_station, np.nan), {"units": "sd"}),
            "occasion_residual": (("session", "occasion"), of_occasion, {"units": "sd"}),
        },
        {**coordinates, "session": list(problem.history.sessions), "occasion": np.arange(1, longest + 1)},
        {"crs": problem.history.crs or ""},
    )


def _predictive(problem: Problem, totals: list[Totals]) -> xr.Dataset:
    """Numbers of animals and recaptures of the replicates, by session; the survey is not among them."""
    variables: dict[str, Any] = {
        name: (("replicate", "session"), np.stack([each.statistics[key][1:] for each in totals], axis=-1).astype(int))
        for name, key in {"n": "detected", "recaptures": "recaptures", "spatial_recaptures": "moves"}.items()
    }
    frequencies = np.stack([each.frequencies[1:] for each in totals], axis=1).astype(int)
    variables["frequencies"] = (("replicate", "session", "detections"), frequencies)
    return xr.Dataset(
        variables, {"session": list(problem.history.sessions), "detections": np.arange(1, frequencies.shape[-1] + 1)}
    )


# -- sites ------------------------------------------------------------------------------------------------------------
def _check_sites(
    problem: OccupancyProblem, theta: Floats, replicates: int | None, rng: np.random.Generator
) -> ModelCheck:
    most = int(np.clip(OF_SITES / max(len(problem.arrays.site), 1), FEWEST, REPLICATES))
    surveys = survey_sites(problem, theta, replicates or most, rng)
    values = site_statistics(surveys, problem.arrays)
    n_sites, n_seasons, n_visits = surveys.shape
    of_site = surveys.by(surveys.cell, surveys.seen, n_sites * n_seasons)
    of_visit = surveys.by(surveys.visit, surveys.seen, n_seasons * n_visits)
    visited = problem.arrays.visited
    by_site = np.where(visited.any(2), _normal(of_site, rng).reshape(n_sites, n_seasons), np.nan)
    by_visit = np.where(visited.any(0), _normal(of_visit, rng).reshape(n_seasons, n_visits), np.nan)
    positions = {} if problem.arrays.xy is None else dict(zip("xy", problem.arrays.xy.T, strict=True))
    residuals = xr.Dataset(
        {
            "site_residual": (("site", "season"), by_site, {"units": "sd"}),
            "visit_residual": (("season", "visit"), by_visit, {"units": "sd"}),
        },
        {
            "site": list(problem.arrays.sites),
            "season": list(problem.arrays.seasons),
            "visit": np.arange(1, n_visits + 1),
            **{name: ("site", at) for name, at in positions.items()},
        },
    )
    numbers = {name: ("replicate", values[name][1:].astype(int)) for name in ("seen", "detections", "once")}
    return _ranked(SITES, values, residuals, xr.Dataset(numbers), rng)


# -- both -------------------------------------------------------------------------------------------------------------
def _normal(totals: Floats, rng: np.random.Generator) -> Floats:
    """Randomised quantile residuals of row 0, by column."""
    from scipy.special import ndtri

    return np.asarray(ndtri(uniform_ranks(totals, rng)[0]))


def _ranked(
    known: dict[str, Statistic],
    values: dict[str, Floats],
    residuals: xr.Dataset,
    predictive: xr.Dataset,
    rng: np.random.Generator,
) -> ModelCheck:
    chosen = {name: known[name] for name in known if name in values}
    table = np.stack([values[name] for name in chosen], axis=-1)
    p = p_values(table, [each.two_sided for each in chosen.values()], rng)
    return ModelCheck(
        statistics=chosen,
        values=table,
        p=p[0],
        family_p=family_p(p),
        residuals=residuals,
        posterior_predictive=predictive,
    )
