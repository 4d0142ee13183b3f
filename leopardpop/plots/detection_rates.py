r"""Rates of detection by distance, from the data with as little model as can be.

The distance between an animal and a station is that from its activity centre, which nobody saw. So each detection, and
each day at which a station could have made one, is spread over distances by the posterior of the animal's centre;
animals that were never detected count among those that could have been. That is one step of the EM algorithm: at the
maximum of the likelihood these rates lie on the curve, but for chance and a wrong shape of the curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leopardpop.results.draws import spread_draws

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.likelihood.session import Evaluation, SessionLikelihood
    from leopardpop.models.problem import Problem
    from leopardpop.results.draws import HasDraws

__all__ = ["Rates", "raw_rates"]

type Floats = NDArray[np.float64]

DRAWS = 16
"""Draws that the places of animals are averaged over: they vary little."""


@dataclass(frozen=True, eq=False)
class Rates:
    """Detections and effort by bin of distance, of one group of animals, (B,) each."""

    detections: Floats
    effort: Floats
    """Animal x station effort."""
    trials: Floats
    """Animal x station x occasions with effort."""
    binary: bool
    """Whether a station-occasion has one detection at most."""

    @property
    def rate(self) -> Floats:
        """Detections per unit of effort."""
        return self._hazard(self.detections)

    def interval(self) -> tuple[Floats, Floats]:
        """95 % interval of the rate: binomial (Clopper & Pearson) where detections are yes or no, else Poisson."""
        from scipy.special import betaincinv, gammaincinv

        y, tiny = self.detections, 1e-9
        if not self.binary:
            low = np.where(y > tiny, gammaincinv(np.maximum(y, tiny), 0.025), 0.0)
            return low / self.effort, gammaincinv(y + 1.0, 0.975) / self.effort
        n = np.maximum(self.trials, y + tiny)
        low = np.where(y > tiny, betaincinv(np.maximum(y, tiny), n - y + 1.0, 0.025), 0.0)
        high = betaincinv(y + 1.0, np.maximum(n - y, tiny), 0.975)
        return self._hazard(low * n), self._hazard(high * n)

    def _hazard(self, detections: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            if not self.binary:
                return detections / self.effort
            share = np.minimum(detections / np.maximum(self.trials, 1e-300), 1.0 - 1e-12)
            return -np.log1p(-share) * self.trials / self.effort


def raw_rates(fit: HasDraws, edges: Floats, *, sessions: list[str], by_class: bool) -> list[Rates]:
    """Rates of detection by bins of distance.

    Parameters
    ----------
    fit
        The fit.
    edges
        Edges of the bins, metres, (B + 1,).
    sessions
        Labels of the sessions to use.
    by_class
        Whether classes of animals are kept apart.

    Returns
    -------
    list of Rates
        One a class, or one.
    """
    problem, draws = fit.problem, spread_draws(fit, DRAWS)
    chosen = [s for s, data in enumerate(problem.data) if data.session in sessions]
    total = np.zeros((3, len(problem.levels), len(edges)))
    bins = {s: _bins(problem, s, edges) for s in chosen}
    for weight, theta in zip(draws.weight, draws.theta, strict=True):
        evaluations = problem.evaluate(theta)
        for s in chosen:
            total += weight * _tally(problem.data[s], problem.sessions[s], evaluations[s], bins[s], len(edges))
    if not by_class:
        total = total.sum(1, keepdims=True)
    binary = problem.history.detector == "proximity"
    return [Rates(y, effort, trials, binary) for y, effort, trials in total[:, :, :-1].swapaxes(0, 1)]


def _bins(problem: Problem, s: int, edges: Floats) -> NDArray[np.int16]:
    """Bin of the distance from each cell to each station, (J, K); the last one is beyond the edges."""
    cells, stations = problem.sessions[s].terms.cells, problem.data[s].xy
    result = np.empty((len(cells), len(stations)), np.int16)
    for k, place in enumerate(stations):  # a column at a time: no table of distances in floating point
        distance = np.hypot(*(cells - place).T) if problem.distances is None else problem.distances[s][k]
        result[:, k] = np.searchsorted(edges, distance, side="right") - 1
    return result


def _tally(data: SessionArrays, session: SessionLikelihood, evaluation: Evaluation, bins: Any, n_bins: int) -> Floats:
    """Detections, effort and trials by class and bin, the last one beyond the edges, given one draw, (3, C, B + 1)."""
    centres, classes = session.centres(evaluation), session.classes(evaluation)
    missed, lived = session.missed(evaluation), _lived(data)
    undetected = np.exp(evaluation.log_share)[:, None] * missed * evaluation.intensity
    there = (classes * lived[:, None]).T @ centres + undetected
    if session.terms.detector == "multi":
        caught = np.bincount(data.individual, _share_of_occasion(data)[data.occasion], len(lived))
        there -= (classes * caught[:, None]).T @ centres * (1.0 - _free(-np.log(missed) / data.effort.shape[1]))
    on = (data.effort > 0).sum(1)
    by_cell = np.zeros((2, len(bins), n_bins))
    rows = np.arange(len(bins))
    for k in range(bins.shape[1]):
        by_cell[0, rows, bins[:, k]] += data.effort[k].sum()
        by_cell[1, rows, bins[:, k]] += on[k]
    detections = np.zeros((classes.shape[1], n_bins))
    for (i, k), count in _pairs(data).items():
        detections += count * classes[i][:, None] * np.bincount(bins[:, k], centres[i], n_bins)
    return np.stack([detections, there @ by_cell[0], there @ by_cell[1]])


def _pairs(data: SessionArrays) -> dict[tuple[int, int], float]:
    """Detections by animal and station."""
    pairs: dict[tuple[int, int], float] = {}
    for i, k, count in zip(data.individual.tolist(), data.station.tolist(), data.count.tolist(), strict=True):
        pairs[i, k] = pairs.get((i, k), 0.0) + count
    return pairs


def _share_of_occasion(data: SessionArrays) -> Floats:
    """Share of all effort that falls in each occasion, (S,)."""
    by_occasion = data.effort.sum(0)
    return np.asarray(by_occasion / max(float(by_occasion.sum()), 1e-300))


def _lived(data: SessionArrays) -> Floats:
    """Share of the effort that each detected animal lived through, (n,)."""
    until = np.concatenate([[0.0], np.cumsum(_share_of_occasion(data))])
    return np.asarray(until[data.exposure])


def _free(hazard: Floats) -> Floats:
    """Mean share of an occasion that an animal was free before its capture, given that it was captured."""
    safe = np.maximum(hazard, 1e-6)
    return np.where(hazard > 1e-6, 1.0 / safe - 1.0 / np.expm1(np.minimum(safe, 700.0)), 0.5)
