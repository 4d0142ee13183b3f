"""The draws that sensitivity is told from: weights, the number of animals at each, and what reweighting makes of it."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.inference.psis import importance_ess, k_limit, psis
from leopardpop.models.likelihood.together import Sets
from leopardpop.results.draws import in_blocks, spread_draws

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["Draws", "Evaluated", "Ground", "Numbers", "Spread", "draws_of", "evaluate", "ground_of"]

MOST_DRAWS = 2200
REPEATS = 4
"""Numbers of animals a draw of the parameters: the noise of single ones would hide small effects."""
FEWEST_EFFECTIVE = 200
"""Effective draws below which a reweighted median is not told."""
GOLDEN, PLASTIC = 0.6180339887498949, 0.7548776662466927
QUANTILES = (0.025, 0.5, 0.975)


class Numbers(NamedTuple):
    """Law of the number of animals at each draw: a sure part and a Poisson part (a share of sites: the first alone)."""

    sure: Floats
    """(S, places): sessions, or seasons."""
    rate: Floats | None = None
    """Mean of the Poisson part, (S, places)."""

    def values(self) -> Floats:
        """Numbers drawn with the same chance at every call, ``REPEATS`` of them a draw, (S · REPEATS, places).

        A whole number k stands for the range k − ½ to k + ½, so that medians move smoothly.
        """
        sure = np.repeat(self.sure, REPEATS, axis=0)
        if self.rate is None:
            return sure
        rate = np.repeat(self.rate, REPEATS, axis=0)
        steps = np.arange(len(rate))[:, None] * GOLDEN + np.arange(rate.shape[1]) * PLASTIC
        return sure + _smooth_poisson((steps + 0.5) % 1.0, rate)

    def part(self, rows: Any) -> Numbers:
        """Those of some draws."""
        return Numbers(self.sure[rows], None if self.rate is None else self.rate[rows])


def _smooth_poisson(u: Floats, rate: Floats) -> Floats:
    """Quantiles of a Poisson number with each whole number spread over its range."""
    number, below, upto = _poisson_quantile(u, rate)
    result: Floats = number - 0.5 + np.clip((u - below) / np.maximum(upto - below, 1e-300), 0.0, 1.0)
    return result


def _poisson_quantile(u: Floats, rate: Floats) -> tuple[Floats, Floats, Floats]:
    """Smallest number k with P(≤ k) ≥ u, P(≤ k − 1) and P(≤ k): from where a normal law has it, then step by step."""
    from scipy.special import ndtri, pdtr

    z = ndtri(u)
    number = np.maximum(np.floor(rate + z * np.sqrt(rate) + (z**2 - 1.0) / 6.0 + 0.5), 0.0)
    upto = pdtr(number, rate)
    below = np.where(number > 0, pdtr(np.maximum(number - 1.0, 0.0), rate), 0.0)
    while (high := below >= u).any():
        number[high], upto[high] = number[high] - 1.0, below[high]
        below[high] = np.where(number[high] > 0, pdtr(np.maximum(number[high] - 1.0, 0.0), rate[high]), 0.0)
    while (low := upto < u).any():
        number[low], below[low] = number[low] + 1.0, upto[low]
        upto[low] = pdtr(number[low], rate[low])
    return number, below, upto


class Spread(NamedTuple):
    """A posterior of the number of animals by place, as weighted values."""

    values: Floats
    """(M, places)."""
    log_weights: Floats
    """Normalised, of the draws, (S,); M is a multiple of S."""
    pareto_k: float = np.nan
    ess: float = np.nan

    @property
    def trusted(self) -> bool:
        """Whether the weights can be trusted."""
        return bool(self.pareto_k < k_limit(len(self.log_weights)) and self.ess >= self.least)

    @property
    def least(self) -> float:
        """Effective draws that are asked for: half of those there are, if they are few."""
        return min(FEWEST_EFFECTIVE, 0.5 * len(self.log_weights))

    @property
    def weights(self) -> Floats:
        """Of the values, (M,), adding up to one."""
        each = len(self.values) // len(self.log_weights)
        return np.asarray(np.repeat(np.exp(self.log_weights), each) / each)

    def quantiles(self) -> Floats:
        """Lower end, median and upper end of the 95 % interval, (3, places)."""
        return np.stack([_weighted_quantiles(column, self.weights) for column in self.values.T], axis=1)

    def mean(self) -> Floats:
        """(places,)."""
        result: Floats = self.weights @ self.values
        return result

    def sd(self) -> Floats:
        """(places,)."""
        result: Floats = np.sqrt(self.weights @ (self.values - self.mean()) ** 2)
        return result


def _weighted_quantiles(values: Floats, weights: Floats) -> Floats:
    order = np.argsort(values, kind="stable")
    middle = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.asarray(np.interp(QUANTILES, middle, values[order]))


class Draws(NamedTuple):
    """Draws of a posterior with what their weights come from."""

    theta: Floats
    """(S, P)."""
    log_ratios: Floats
    """Log posterior less log proposal, up to a constant, (S,)."""

    def thinned(self, most: int) -> Any:
        """Rows of at most ``most`` draws, evenly spread: an index."""
        step = max(1, -(-len(self.theta) // most))
        return slice(None, None, step)

    def spread(self, numbers: Numbers, log_ratio: Floats | None = None, rows: Any = slice(None)) -> Spread:
        """What becomes of the numbers if the posterior is multiplied by exp(log_ratio), (S,) of the rows."""
        total = self.log_ratios[rows] if log_ratio is None else self.log_ratios[rows] + log_ratio
        clean = np.where(np.isnan(total), -np.inf, total)
        if np.isfinite(clean).sum() < 25:
            return Spread(numbers.values(), np.full(len(clean), -np.log(len(clean))), np.inf, 0.0)
        log_weights, k = psis(clean)
        return Spread(numbers.values(), log_weights, k, importance_ess(log_weights))


def draws_of(fit: Any) -> Draws:
    """Raw draws of a fit with their weights; of chains, and of fits from files, the draws themselves."""
    known = fit.laplace
    if known is not None:
        fine = np.isfinite(known.raw_log_ratios)
        return Draws(known.raw[fine], known.raw_log_ratios[fine])
    draws = spread_draws(fit, MOST_DRAWS)
    return Draws(draws.theta[draws.place], np.zeros(len(draws.place)))


# -- the ground, and one pass over the draws --------------------------------------------------------------------------
class Ground(NamedTuple):
    """A region on the mask of one session."""

    sets: Sets
    share: Floats
    """Share of the cells of each set that is in the region, (A,)."""

    @property
    def of_cell(self) -> Floats:
        """Share of each cell, (J,)."""
        result: Floats = self.share[self.sets.of_cell]
        return result

    @property
    def whole(self) -> bool:
        """Whether it has every cell."""
        return bool((self.share == 1.0).all())


def ground_of(share: Floats) -> Ground:
    """Region of which each cell has a share, (J,)."""
    values, of_cell = np.unique(np.asarray(share, float), return_inverse=True)
    return Ground(Sets(of_cell.reshape(-1).astype(np.intp), len(values)), values)


class Evaluated(NamedTuple):
    """The likelihood at every draw, in the pieces that leaving something out needs; by session."""

    log_animal: list[Floats]
    """log L_i of each animal, (S, n)."""
    inside: list[Floats]
    """Chance that the animal is centred in the region, (S, n)."""
    undetected: list[Floats]
    """Expected number of undetected animals in the region, (S,)."""
    detected: list[Floats]
    """Λ, (S,)."""

    @property
    def log_likelihood(self) -> Floats:
        """Log-likelihood but for the constant −log n!, (S,)."""
        parts = (a.sum(1) - b for a, b in zip(self.log_animal, self.detected, strict=True))
        return np.asarray(sum(parts, np.zeros(len(self.detected[0]))))

    def numbers(self, left_out: tuple[int, int] | None = None) -> Numbers:
        """Law of N in the region by session, without one animal (session, position) if that is asked for."""
        pairs = [self._of_session(s, left_out) for s in range(len(self.detected))]
        return Numbers(np.stack([a for a, _ in pairs], 1), np.stack([b for _, b in pairs], 1))

    def _of_session(self, s: int, left_out: tuple[int, int] | None) -> tuple[Floats, Floats]:
        inside = self.inside[s]
        if left_out is not None and left_out[0] == s:
            inside = np.delete(inside, left_out[1], axis=1)
        return counted_law(inside, self.undetected[s])


def counted_law(inside: Floats, undetected: Floats) -> tuple[Floats, Floats]:
    """Sure and Poisson part with the mean and the variance of Σ 1{inside} + Poisson; exact for a whole mask."""
    return (inside**2).sum(-1), (inside * (1.0 - inside)).sum(-1) + undetected


def evaluate(problem: Problem, grounds: list[Ground], theta: Floats) -> Evaluated:
    """Evaluate draws (S, P), in two threads."""
    blocks = list(in_blocks(partial(_block, problem, grounds), theta))
    columns = [list(zip(*sessions, strict=True)) for sessions in zip(*blocks, strict=True)]
    by_session = [[np.concatenate(part) for part in fields] for fields in columns]
    return Evaluated(*(list(field) for field in zip(*by_session, strict=True)))


def _block(problem: Problem, grounds: list[Ground], theta: Floats) -> list[tuple[Floats, ...]]:
    found = problem.evaluate_many(theta, [ground.sets for ground in grounds])
    result: list[tuple[Floats, ...]] = []
    with np.errstate(all="ignore"):
        for session, ground, e in zip(problem.sessions, grounds, found, strict=True):
            terms = session.terms
            log_animal = e.log_history[:, terms.history] + terms.constants(e.size)
            inside = (e.chances.sum(2) @ ground.share)[:, terms.history]
            result.append((log_animal, inside, e.undetected.sum(1) @ ground.share, e.detected))
    return result


class Base:
    """A capture-recapture fit as sensitivity sees it."""

    def __init__(self, fit: Any, grounds: list[Ground]) -> None:
        self.problem: Problem = fit.problem
        self.grounds = grounds
        self.draws = draws_of(fit)

    @cached_property
    def pieces(self) -> Evaluated:
        """All draws evaluated once."""
        return evaluate(self.problem, self.grounds, self.draws.theta)
