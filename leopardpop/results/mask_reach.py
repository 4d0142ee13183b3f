r"""Whether the mask is wide and fine enough for the animals' movements.

The density estimate is close to n over the effective sampling area, :math:`\int p_\cdot(x)\,dx`. Ground beyond the
mask's edge, from where animals would still be detected, is missing in that integral, so that density is too high by
about the missing part. It is computed at the posterior mean of the coefficients *given* that sigma of the widest
class is at its 97.5 % quantile, over the ground farther from the stations than the buffer, as far as animals can be
detected, times the part of the ground within the buffer that the mask covers (habitat is assumed to go on as it is).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from leopardpop.components.counts import SIZE
from leopardpop.models.likelihood.bursts import damped

if TYPE_CHECKING:
    from leopardpop.data.mask import Mask
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["Scales", "buffer_effect", "posterior_scales", "spacing_of", "sufficient_buffer", "two_figures_up"]

QUANTILE = 0.975
NEIGHBOURS = 0.01
"""Share of the draws on either side of the quantile that are averaged."""
NEGLIGIBLE = 1e-6
FARTHEST = 20.0
"""Sigmas beyond the buffer at which a heavy tail is cut."""
MOST_POINTS = 15_000
MOST_PAIRS = 300_000


class Scales(NamedTuple):
    """Log (or other link) of sigma of naive animals by draw, session and class, averaged over stations."""

    eta: Floats
    """(S, session, class)."""

    def widest(self, session: int) -> int:
        """Class with the largest sigma."""
        return int(self.eta[:, session].mean(0).argmax())

    def looseness(self, session: int) -> float:
        """Upper 97.5 % limit of the widest sigma less its median, on the log scale."""
        low, high = np.quantile(self.eta[:, session, self.widest(session)], [0.5, 0.975])
        return float(high - low)

    def smallest(self) -> Floats:
        """Linear predictor of the smallest sigma by draw, (S,)."""
        flat = self.eta.reshape(len(self.eta), -1)
        result: Floats = flat[:, flat.mean(0).argmin()]
        return result


def posterior_scales(problem: Problem, theta: Floats) -> Scales:
    """Sigma of every class in every session.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    """
    parameter = problem.layout["sigma"]
    n_classes = len(problem.levels)
    bounds = np.cumsum([0, *parameter.splits])
    rows = [
        np.arange(a, b).reshape(n_classes, -1)[:, units.naive]
        for (a, b), units in zip(pairwise(bounds), problem.units, strict=True)
    ]
    means = [[parameter.mean_predictor(theta, of_class) for of_class in of_session] for of_session in rows]
    return Scales(np.moveaxis(np.array(means), -1, 0))


def spacing_of(mask: Mask) -> float:
    """Distance between the mask's cells, m; of irregular ones the side of a square of their median area."""
    return mask.spacing or 1000.0 * float(np.sqrt(np.median(mask.area)))


def buffer_effect(problem: Problem, theta: Floats) -> float:
    """Relative effect of the ground beyond the mask's edge on density: the largest over sessions.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).

    Returns
    -------
    float
        0.01 says that density is estimated about 1 % too high.
    """
    scales = posterior_scales(problem, theta)
    return max(_session_effect(problem, theta, scales, s) for s in range(len(problem.data)))


def sufficient_buffer(problem: Problem, theta: Floats, effect: float) -> float:
    """Smallest buffer that leaves out no more than a share of the sampling area, if all ground were habitat, m.

    Parameters
    ----------
    problem
        The model with its data.
    theta
        Draws (S, P).
    effect
        Area beyond the buffer over that within it.
    """
    scales = posterior_scales(problem, theta)
    return max(_session_buffer(problem, theta, scales, s, effect) for s in range(len(problem.data)))


def _session_buffer(problem: Problem, theta: Floats, scales: Scales, s: int, effect: float) -> float:
    data, c = problem.data[s], scales.widest(s)
    xy = data.xy[data.effort.sum(1) > 0]
    if not len(xy):
        return 0.0
    hazard = _Hazard.at(problem, _near_quantile(theta, scales.eta[:, s, c]), s, c)
    reach = hazard.reach(0.0)
    points, step, distance = _ground(xy, reach, float(hazard.parameters["sigma"].max()) / problem.stretch / 8.0)
    area = np.zeros(len(points))
    for part in np.array_split(np.arange(len(points)), 1 + len(points) * len(xy) // MOST_PAIRS):
        area[part] = hazard.evaluate(points[part])
    order = np.argsort(distance)
    within = np.cumsum(area[order])
    enough = int(np.searchsorted(within, within[-1] / (1.0 + effect)))
    return float(distance[order][enough] + step / 2.0)


def _session_effect(problem: Problem, theta: Floats, scales: Scales, s: int) -> float:
    data, mask = problem.data[s], problem.masks[problem.data[s].session]
    operating = data.effort.sum(1) > 0
    if not operating.any():
        return 0.0
    c = scales.widest(s)
    wide = _near_quantile(theta, scales.eta[:, s, c])
    hazard = _Hazard.at(problem, wide, s, c)
    covered = hazard.evaluate_mask(problem, wide, s, c) @ mask.area
    xy = data.xy[operating]
    width = mask.buffer or _width(mask, xy)
    missing = _beyond(hazard, xy, width)
    return missing * _coverage(mask, xy, width) / float(covered) if missing > 0 else 0.0


def _near_quantile(theta: Floats, values: Floats) -> Floats:
    """Mean of the draws around the quantile of a function of them, (P,)."""
    order = np.argsort(values, kind="stable")
    middle, half = QUANTILE * (len(order) - 1), max(NEIGHBOURS * len(order), 1.0)
    near = order[max(0, round(middle - half)) : round(middle + half) + 1]
    result: Floats = theta[near].mean(0)
    return result


class _Hazard(NamedTuple):
    """Total hazard of one class at any place."""

    problem: Problem
    parameters: dict[str, Floats]
    xy: Floats
    effort: Floats

    @classmethod
    def at(cls, problem: Problem, theta: Floats, s: int, c: int) -> _Hazard:
        data, n_classes = problem.units[s].arrays, len(problem.levels)
        on = data.effort.sum(1) > 0
        natural = {
            name: rows[s].reshape(n_classes, -1)[c][on] for name, rows in problem.natural(theta).items() if name != "D"
        }
        return cls(problem, natural, data.xy[on], data.effort.sum(1)[on])

    def evaluate_mask(self, problem: Problem, theta: Floats, s: int, c: int) -> Floats:
        """Probability of being in the data from each cell, (J,)."""
        return -np.expm1(-problem.evaluate(theta)[s].forwards[c].total_hazard)

    def evaluate(self, points: Floats) -> Floats:
        """Probability of being in the data from each point (M, 2)."""
        difference = self.xy[:, None, :] - points[None, :, :]
        total = self.total(np.einsum("kmd,kmd->km", difference, difference))
        if self.problem.model.ghosts:
            total -= np.log1p(total)  # of counts; out here, where hazards are small, of other detectors too
        return -np.expm1(-total)

    def total(self, d2: Floats) -> Floats:
        """Σ T λ over the stations at squared distances (K, M)."""
        columns = {name: values[:, None] for name, values in self.parameters.items()}
        size = columns.pop(SIZE) if self.problem.model.counts == "negbin" else None
        with np.errstate(all="ignore"):
            longer = self.problem.stretch**2 * d2  # beyond the mask ways are taken to be as winding as on it
            hazard = np.exp(self.problem.model.detection.log_hazard(longer, **columns))
            result: Floats = self.effort @ (hazard if size is None else damped(hazard, size).void)
        return result

    def reach(self, width: float) -> float:
        """Distance from the nearest station at which nothing is detected, by a bound: all stations that near."""
        step = float(self.parameters["sigma"].max()) / self.problem.stretch / 4.0
        distances = width + step * np.arange(4 * FARTHEST + 1)
        seen = self.total(np.broadcast_to(distances**2, (len(self.xy), len(distances)))) > NEGLIGIBLE
        return float(distances[np.flatnonzero(seen)[-1]] + step) if seen.any() else width


def _beyond(hazard: _Hazard, xy: Floats, width: float) -> float:
    """Sampling area beyond ``width`` of the stations, km²."""
    reach = hazard.reach(width)
    if reach <= width:
        return 0.0
    points, step, distance = _ground(xy, reach, float(hazard.parameters["sigma"].max()) / hazard.problem.stretch / 2.0)
    # A point stands for a square, of which only a part is beyond: the integrand is largest at that edge.
    part = np.clip((distance - width) / step + 0.5, 0.0, 1.0)
    ring = np.flatnonzero((part > 0) & (distance <= reach))
    thin = 1 + len(ring) * len(xy) // MOST_PAIRS
    return float(hazard.evaluate(points[ring[::thin]]) @ part[ring[::thin]]) * thin * (step / 1000.0) ** 2


def _ground(xy: Floats, reach: float, step: float) -> tuple[Floats, float, Floats]:
    """Lattice around the stations, its spacing, and the distance of each point to the nearest station."""
    from scipy.spatial import cKDTree

    low, high = xy.min(0) - reach, xy.max(0) + reach
    step = max(step, float(np.sqrt(np.prod(high - low) / MOST_POINTS)))
    x, y = (np.arange(a + step / 2, b, step) for a, b in zip(low, high, strict=True))
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return points, step, cKDTree(xy).query(points)[0]


def _to_station(mask: Mask, xy: Floats) -> Floats:
    """Distance of each cell to the nearest station, m."""
    from scipy.spatial import cKDTree

    distance: Floats = cKDTree(xy).query(np.column_stack([mask.x, mask.y]))[0]
    return distance


def _width(mask: Mask, xy: Floats) -> float:
    """Buffer of a mask that does not know it: where its share of the ground falls to half of what it is nearer."""
    cells = _to_station(mask, xy)
    band = 2.0 * spacing_of(mask)
    _, step, ground = _ground(xy, float(cells.max()) + band, band / 4.0)
    edges = np.arange(0.0, cells.max() + 2 * band, band)
    have = np.histogram(cells, edges, weights=mask.area)[0]
    full = np.histogram(ground, edges)[0] * (step / 1000.0) ** 2
    nearer = np.cumsum(have) / np.maximum(np.cumsum(full), 1e-12)
    low = np.flatnonzero(have[1:] < 0.5 * nearer[:-1] * full[1:])
    return float(edges[low[0] + 1]) if len(low) else float(cells.max())


def _coverage(mask: Mask, xy: Floats, width: float) -> float:
    """Share of the ground within the buffer that the mask covers."""
    _, step, ground = _ground(xy, width, width / 10.0)
    inside = np.clip((width - ground) / step + 0.5, 0.0, 1.0).sum() * (step / 1000.0) ** 2
    return float(min(1.0, mask.area[_to_station(mask, xy) <= width].sum() / max(inside, 1e-12)))


def two_figures_up(metres: float) -> float:
    """Round up to two figures; towards zero for negative ones.

    Examples
    --------
    >>> two_figures_up(5_730.0), two_figures_up(60.0)
    (5800.0, 60.0)
    """
    unit = 10.0 ** (math.floor(math.log10(abs(metres))) - 1)
    return unit * math.ceil(round(metres / unit, 9))
