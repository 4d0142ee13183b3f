"""Numbers of animals by region and class, draw by draw: expected, realised, and before the data."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.components.special import TINY
from leopardpop.models.likelihood.together import Sets
from leopardpop.models.prior_draws import draw_term, in_theta
from leopardpop.results.detected import detected_numbers, history_times
from leopardpop.results.draws import distinct_draws, flat_draws, generator, in_blocks

if TYPE_CHECKING:
    from leopardpop.models.layout import Parameter
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.problem import Problem
    from leopardpop.results.draws import HasDraws
    from leopardpop.results.regions import Regions

__all__ = ["expected_numbers", "prior_expected", "realised_numbers"]

ENTRIES = 2_000_000
"""Numbers in a table of draws x cells that are held at a time."""


# -- expected -------------------------------------------------------------------------------------------------------
def expected_numbers(problem: Problem, regions: Regions, theta: Floats) -> Floats:
    """Σ D a over the cells of each region, (S, session, R).

    Parameters
    ----------
    problem
        The model with its data.
    regions
        The regions.
    theta
        Draws (S, P); only the coefficients of density matter.
    """
    return np.stack([_expected(rows, area, theta) for rows, area in _designs(problem, regions)], axis=1)


def _designs(problem: Problem, regions: Regions) -> list[tuple[Parameter, Floats]]:
    """log D on its B distinct rows, and the area that each has in each region (B, R), by session."""
    parameter = problem.layout["D"]
    bounds = np.cumsum([0, *parameter.splits])
    result: list[tuple[Parameter, Floats]] = []
    for data, part, a, b in zip(problem.data, regions.sessions, bounds[:-1], bounds[1:], strict=True):
        rows, at = parameter.distinct(int(a), int(b))
        area = np.zeros((rows.splits[0], len(part.members)))
        np.add.at(area, (at, part.atom), problem.masks[data.session].area)
        result.append((rows, area @ part.members))
    return result


def _expected(rows: Parameter, area: Floats, theta: Floats) -> Floats:
    step = max(1, ENTRIES // len(area))
    parts = [np.exp(rows.predictor_of_rows(theta[i : i + step])) @ area for i in range(0, len(theta), step)]
    return np.concatenate(parts)


# -- realised -------------------------------------------------------------------------------------------------------
class _Chances(NamedTuple):
    """One session at one draw."""

    detected: Floats
    """Pr(class and set of cells | history), (h, C·A)."""
    undetected: Floats
    """Expected number of undetected animals, (C·A,)."""


def realised_numbers(fit: HasDraws, regions: Regions) -> Ints:
    """Number of animals in each region by class, drawn jointly, (S, session, R, C).

    In each draw every detected animal gets a class and a set of cells by their probability given its history; the
    undetected animals of the draw (those of the posterior's N, else a Poisson number) are spread over classes and
    sets by their expected numbers. So the regions of a partition add up to the N of the posterior.
    """
    problem, undetected = fit.problem, _undetected(fit)
    whole, n_classes = all(part.whole for part in regions.sessions), len(problem.levels)
    if undetected is not None and whole and n_classes == 1:
        return (undetected + detected_numbers(fit))[:, :, None, None]
    sets = [Sets(part.atom, len(part.members)) for part in regions.sessions]
    known = whole and all((session.terms.class_code >= 0).all() for session in problem.sessions)
    draws = distinct_draws(flat_draws(fit))
    blocks = in_blocks(partial(_known_classes if known else _block, problem, sets), draws.theta)
    rng, times = generator(fit, "population"), history_times(fit)
    repeats = np.split(np.argsort(draws.place, kind="stable"), np.cumsum(np.bincount(draws.place))[:-1])
    result = np.empty((len(draws.place), len(sets), len(regions.names), n_classes), np.int64)
    for places, chances in zip(repeats, chain.from_iterable(blocks), strict=True):
        for s, part in enumerate(regions.sessions):
            number = None if undetected is None else undetected[places, s]
            of_history = times[s] if times[s].ndim == 1 else times[s][places]
            found = _draw(rng, chances[s], of_history, len(places), number)
            result[places, s] = np.swapaxes(found.reshape(len(places), n_classes, -1) @ part.members, 1, 2)
    return result


def _undetected(fit: HasDraws) -> Ints | None:
    """Number of undetected animals in the mask of the fit's own draws, (S, session)."""
    posterior: Any = getattr(fit, "posterior", None)
    if posterior is None or "N" not in posterior:
        return None
    n_sessions = len(fit.problem.data)
    total = np.asarray(posterior["N"].transpose("chain", "draw", ...)).reshape(-1, n_sessions)
    number: Ints = total.astype(np.int64) - detected_numbers(fit)
    return number


def _block(problem: Problem, sets: list[Sets], thetas: Floats) -> list[list[_Chances]]:
    """Chances of every session at each draw of a block."""
    evaluations = problem.evaluate_many(thetas, sets)
    return _by_draw([(e.chances, e.undetected) for e in evaluations])


def _known_classes(problem: Problem, sets: list[Sets], thetas: Floats) -> list[list[_Chances]]:
    """The same for the whole mask where all classes are known: detected animals need no evaluation."""
    result, classes = [], np.arange(len(problem.levels))
    for session, e in zip(problem.sessions, problem.evaluate_many(thetas, sets, animals=False), strict=True):
        certain = (session.terms.class_code[:, None] == classes).astype(float)
        result.append((np.broadcast_to(certain, (len(thetas), *certain.shape)), e.undetected))
    return _by_draw(result)


def _by_draw(sessions: list[tuple[Floats, Floats]]) -> list[list[_Chances]]:
    """From tables by session with the draws first to chances by draw and session."""
    flat = [(a.reshape(*a.shape[:2], b[0].size), b.reshape(len(b), b[0].size)) for a, b in sessions]
    return [[_Chances(a[i], b[i]) for a, b in flat] for i in range(len(flat[0][1]))]


def _draw(rng: np.random.Generator, chances: _Chances, times: Ints, size: int, number: Ints | None) -> Ints:
    """Numbers by class and set in ``size`` draws, (size, C·A); ``times`` is how often each history is, (h,) by all."""
    if number is None:
        result = rng.poisson(chances.undetected, (size, len(chances.undetected)))
    else:
        rates = np.maximum(chances.undetected, TINY)
        result = rng.multinomial(number, rates / rates.sum())
    if len(chances.detected):
        share = chances.detected / chances.detected.sum(1, keepdims=True)
        result = result + rng.multinomial(np.broadcast_to(times, (size, len(share))), share).sum(1)
    return result


# -- before the data --------------------------------------------------------------------------------------------------
def prior_expected(problem: Problem, regions: Regions, rng: np.random.Generator, draws: int = 2000) -> Floats:
    """Expected numbers under the prior alone, (S, session, R).

    Parameters
    ----------
    problem
        The model with its data.
    regions
        The regions.
    rng
        Random numbers.
    draws
        Number of draws S.
    """
    parameter, number = problem.layout["D"], None
    effects = [each.effects for each in parameter.random]
    own = {"D", *(name for each in effects for name in each.references())}
    theta = np.zeros((draws, problem.layout.size))
    for term in problem.priors.terms:
        if term.label == "N":
            number = draw_term(term, rng, draws)
        elif term.parameter in own:
            theta[:, term.position] = in_theta(problem, term, draw_term(term, rng, draws))
    for each in effects:
        for row in theta:
            each.draw(row, rng)
    expected = expected_numbers(problem, regions, theta)
    if number is None:
        return expected
    step = max(1, ENTRIES // problem.masks[problem.data[0].session].n_cells)
    blocks = (parameter.predictor_of_rows(theta[i : i + step]) for i in range(0, draws, step))
    on_mask = np.concatenate([np.exp(rows) @ problem.sessions[0].terms.area for rows in blocks])
    scaled: Floats = expected * (number / on_mask)[:, None, None]
    return scaled
