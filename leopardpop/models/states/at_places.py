"""The likelihood of sites as a function of what spatial and random effects add to them, all else being fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.models.states.clusters import sites_of

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.problem import OccupancyProblem

__all__ = ["AtPlaces", "PlaceEffect"]

STEP = 1e-4
"""Of the differences, on the scale of the link."""


@dataclass(frozen=True, eq=False)
class PlaceEffect:
    """An effect in the coordinates of its values, one a place or group."""

    parameter: str
    design: Any
    place: slice

    @property
    def labels(self) -> list[str]:
        """One a value."""
        return [f"{self.parameter}[{level}]" for level in self.design.levels]

    def natural(self, theta: Any) -> Any:
        """Values, (..., G)."""
        return theta[..., self.place]

    def pull(self, theta: Floats, by_natural: Floats, gradient: Floats) -> None:
        """Add slopes with respect to the values to a gradient."""
        gradient[self.place] += by_natural


class AtPlaces:
    """Log-likelihood of each site given the values f of all effects, (G,).

    What visits say of the states is computed once at each φ, unless an effect is one on detection.

    Parameters
    ----------
    problem
        The problem; coefficients and deviations are the last coordinates of theta.
    """

    def __init__(self, problem: OccupancyProblem) -> None:
        self.first = problem.layout.effects[0].place.start
        self.effects = _place_effects(problem)
        self.problem = problem.with_effects(self.effects)
        homes, names = problem.structure.homes, {each.parameter for each in self.effects}
        pairs = {name: pair for pair in problem.structure.choices for name in pair}
        self._moving = {other for name in names for other in pairs.get(name, (name,))}
        self._seen_once = all(homes[name] != "visit" for name in self._moving)

    def at(self, phi: Floats) -> Callable[[Floats], Floats]:
        """Function from values (K, G) to log Pr(visits of a site), (K, N), at φ."""
        if self._seen_once:
            theta = np.concatenate([phi, np.zeros(self._n_values)])
            run = self.problem.evaluate(theta)
            if run.emission:
                return lambda f: self.problem.evaluate_again(_joined(phi, f), run, self._moving)
        step = self.problem.batch
        return lambda f: np.concatenate(
            [self.problem.pointwise(_joined(phi, f[i : i + step])).y for i in range(0, len(f), step)]
        )

    def slopes(self, phi: Floats, log_site: Callable[[Floats], Floats], f: Floats) -> Floats:
        """Slopes of the log-likelihood in f at several f, (K, G), at φ, with the function of :meth:`at`."""
        if self._levels is None:
            thetas = _joined(phi, f)
            return np.stack([self.problem.log_likelihood_gradient(theta)[1][self.first :] for theta in thetas])
        moves = STEP * np.stack([each for each, _ in self._levels])
        both = log_site(np.concatenate([f[:, None] + moves, f[:, None] - moves]).reshape(-1, f.shape[1]))
        rise = np.diff(both.reshape(2, len(f), len(moves), -1)[::-1], axis=0)[0] / (2 * STEP)
        result: Floats = sum(
            (np.asarray(rise[:, e] @ sites) for e, (_, sites) in enumerate(self._levels)), np.zeros(f.shape)
        )
        return result

    @property
    def _n_values(self) -> int:
        return sum(len(each.design.levels) for each in self.effects)

    @cached_property
    def _levels(self) -> list[tuple[Floats, Any]] | None:
        """For each effect its values among all (G,), and which of them each site has (N, G); None if it has several."""
        from scipy.sparse import coo_matrix

        found = []
        for each in self.effects:
            site = sites_of(self.problem, each.parameter, len(each.design.level))
            value = each.design.level + each.place.start - self.first
            pairs = np.unique(np.column_stack([site, value]), axis=0)
            if len(np.unique(pairs[:, 0])) < len(pairs):
                return None
            ones, shape = np.ones(len(pairs)), (self.problem.n_sites, self._n_values)
            moves = np.zeros(self._n_values)
            moves[each.place.start - self.first : each.place.stop - self.first] = 1.0
            found.append((moves, coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape).tocsr()))
        return found


def _place_effects(problem: OccupancyProblem) -> list[PlaceEffect]:
    """The effects with their values as the last coordinates."""
    effects, at = [], problem.layout.effects[0].place.start
    for each in problem.layout.effects:
        effects.append(PlaceEffect(each.parameter, each.design, slice(at, at + len(each.design.levels))))
        at += len(each.design.levels)
    return effects


def _joined(phi: Floats, f: Floats) -> Floats:
    """Theta (K, P) of φ (size,) and values (K, G)."""
    return np.concatenate([np.broadcast_to(phi, (len(f), len(phi))), f], axis=1)
