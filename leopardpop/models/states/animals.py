r"""Sites with a number of animals: the number is the hidden state, and it is summed over.

With f the law of the number n at a site and e(n) the probability of its visits given n,

.. math::  L = \sum_{n=0}^{K} f(n)\, e(n).

K follows the parameters: it grows until the last term is falling and below 1e-14 of the sum at every site.
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import digamma, gammaln

from leopardpop.models.states.counted import CountTerms, count_terms
from leopardpop.models.states.forward import Forward
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.models.states.run import Run
from leopardpop.models.states.visits import VisitTerms, visit_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.models.likelihood.terms import Floats

    type Pair = tuple[Floats, Floats]

__all__ = ["LARGEST", "AnimalsProblem", "MixtureProblem", "NicholsProblem"]

LARGEST = 3000
"""Number of animals at a site beyond which no sum goes."""
TAIL = -32.0
"""Log of the share of the last term of a sum."""
CELLS = 3_000_000
"""Elements of the largest array of terms."""


class AnimalsProblem(OccupancyProblem):
    """A model with a number of animals at each site meets its data; see :class:`OccupancyProblem`."""

    # -- the sum over the number of animals ---------------------------------------------------------------------------
    def evaluate(self, theta: Floats) -> Run:
        """Evaluate all sites at theta (P,), or at a batch (B, P)."""
        theta = np.asarray(theta, float)
        with np.errstate(all="ignore"):
            logs = self._logs(theta)
            if theta.ndim > 1 and len(theta) > 1 and self._first_bound(logs) * theta.shape[0] * self.n_sites > CELLS:
                parts = [self.evaluate(half) for half in np.array_split(theta, 2)]
                return Run(Forward(np.concatenate([part.forward.log_site for part in parts]), [], []), logs)
            return Run(Forward(_log_sum(self.joint(logs)), [], []), logs)

    def joint(self, logs: dict[str, Pair]) -> Floats:
        """log Pr(n animals, visits of a site), (..., K, N)."""
        bound = self._first_bound(logs)
        while True:
            terms = self._terms(logs, np.arange(bound, dtype=float)[:, None])
            if bound >= LARGEST or not _open(terms):
                return terms
            bound = min(2 * bound, LARGEST)

    def _first_bound(self, logs: dict[str, Pair]) -> int:
        mean = float(np.nanmin([-float(np.min(logs["abundance"][1])), LARGEST]))
        return int(min(self._least + mean + 8.0 * mean**0.5 + 20.0, LARGEST))

    def _terms(self, logs: dict[str, Pair], n: Floats) -> Floats:
        total: Floats = self._seen_given(logs, n) + self._law(logs, n)
        return total

    def _law(self, logs: dict[str, Pair], n: Floats) -> Floats:
        """log Pr(n animals) by the covariates, (..., K, N) or (..., K, 1)."""
        log_mean, minus_mean = (each[..., None, :] for each in logs["abundance"])
        base: Floats = n * log_mean - gammaln(n + 1.0)
        if "size" not in logs:
            return base + minus_mean
        size = -logs["size"][1][..., None, :]
        both = np.log(size - minus_mean)
        spread: Floats = base + gammaln(n + size) - gammaln(size) - size * np.log1p(-minus_mean / size) - n * both
        return spread

    @property
    def _least(self) -> int:
        """Animals that are there for certain at the site with most."""
        return 1

    def _seen_given(self, logs: dict[str, Pair], n: Floats) -> Floats:
        """log Pr(visits of a site | n), (..., K, N)."""
        raise TypeError(f"{type(self).__name__} does not say what visits see of n animals")

    def _detection_events(self, logs: dict[str, Pair], weight: Floats, mean: Floats) -> dict[str, list[Any]]:
        raise TypeError(f"{type(self).__name__} does not say what visits see of n animals")

    # -- gradient -----------------------------------------------------------------------------------------------------
    def log_likelihood_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Log-likelihood and its gradient (P,)."""
        theta = np.asarray(theta, float)
        with np.errstate(all="ignore"):
            logs = self._logs(theta)
            terms = self.joint(logs)
            log_site = _log_sum(terms)
            weight = np.exp(terms - log_site)
            mean: Floats = np.arange(len(weight), dtype=float) @ weight
            events = self._law_events(logs, weight, mean) | self._detection_events(logs, weight, mean)
            return float(log_site.sum()), self._pull(theta, events)

    def _law_events(self, logs: dict[str, Pair], weight: Floats, mean: Floats) -> dict[str, list[Any]]:
        """Expected animals, and what takes the place of exposure, at each site."""
        if "size" not in logs:
            return {"abundance": [np.ones(self.n_sites), mean]}
        expected, size = (np.broadcast_to(-logs[name][1], self.n_sites) for name in ("abundance", "size"))
        share = (mean + size) / (expected + size)
        n = np.arange(len(weight))[:, None]
        slope = (digamma(n + size) * weight).sum(0) - digamma(size) - np.log1p(expected / size) + 1.0 - share
        return {"abundance": [share, mean], "size": [np.zeros(self.n_sites), size * slope]}

    # -- what is derived from draws -----------------------------------------------------------------------------------
    @cached_property
    def batch(self) -> int:
        """Number of draws that are best evaluated together; large ones are split further."""
        return 16

    def numbers_reach(self, theta: Floats) -> bool:
        """Whether the sum at theta (P,) ends before its terms have vanished."""
        with np.errstate(all="ignore"):
            return _open(self.joint(self._logs(np.asarray(theta, float))))

    def draw_states(self, theta: Floats, rng: np.random.Generator) -> NDArray[Any]:
        """Draw the number of animals at all sites given the data, (..., 1, N)."""
        if theta.ndim > 1:
            return np.stack([self.draw_states(row, rng) for row in theta])
        with np.errstate(all="ignore"):
            terms = self.joint(self._logs(theta))
            ladder = np.exp(terms - terms.max(0)).cumsum(0)
        return np.asarray((ladder <= rng.random(self.n_sites) * ladder[-1]).sum(0, dtype=np.int32)[None])

    def state_probabilities(self, theta: Floats) -> Floats:
        """Pr(no animal) and Pr(some) at each site from the covariates alone, (..., 2, 1, N)."""
        theta = np.asarray(theta, float)
        none = np.exp(self._law(self._logs(theta), np.zeros((1, 1))))
        none = np.broadcast_to(none, (*theta.shape[:-1], 1, self.n_sites))
        return np.stack([none, 1.0 - none], axis=-3)

    def new_states(self, logs: dict[str, Pair], rng: np.random.Generator) -> NDArray[Any]:
        """Draw the number of animals at each site, (1, N)."""
        mean = np.broadcast_to(-logs["abundance"][1], self.n_sites)
        if "size" in logs:
            size = np.broadcast_to(-logs["size"][1], self.n_sites)
            mean = rng.gamma(size, mean / size)
        return rng.poisson(mean)[None].astype(np.int32)

    def graph(self, *, kernel: bool = True) -> Any:
        """Build the PyMC model; the likelihood is always one operation, since its sum has no fixed length."""
        return super().graph(kernel=True)


class NicholsProblem(AnimalsProblem):
    """Royle and Nichols' model: a visit sees the species if it sees any of n animals."""

    visits: VisitTerms

    def _visit_terms(self, design_only: bool) -> VisitTerms:
        data = self.arrays
        return visit_terms(
            cell=data.site,
            kind=self.kind,
            value=np.zeros(len(data.site), np.intp) if design_only else data.value.astype(np.intp),
            shape=self.shape,
            outcomes=(((),), ((),)),
            n_kinds=len(next(iter(self._detection.values())).matrix),
        )

    def _seen_given(self, logs: dict[str, Pair], n: Floats) -> Floats:
        unseen = n * logs["r"][1][..., None, :]
        table = np.concatenate([unseen, np.log(-np.expm1(unseen))], axis=-1)
        return self.visits.emission(0, table)[..., 0, :]

    def _detection_events(self, logs: dict[str, Pair], weight: Floats, mean: Floats) -> dict[str, list[Any]]:
        missed = self.visits.gather(mean[None], 2)[0]
        for n in np.flatnonzero(weight.max(1) > 1e-16):
            if n:
                odds = n / np.expm1(-n * logs["r"][1])
                missed = missed - self.visits.gather(weight[n][None], 2)[1] * odds
        return {"r": [missed, np.zeros_like(missed)]}

    def start_level(self, name: str, level: float) -> float:
        """Natural value where a search starts."""
        return float(-np.log1p(-level)) if name == "abundance" else level

    def new_visits(self, logs: dict[str, Pair], state: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Draw whether each visit sees the species, (V,)."""
        return rng.random(len(state)) < -np.expm1(state * logs["r"][1][self.kind])


class MixtureProblem(AnimalsProblem):
    """N-mixture: a visit counts each of n animals with probability p."""

    visits: CountTerms  # type: ignore[assignment]
    _ways: dict[int, Floats]

    def _visit_terms(self, design_only: bool) -> CountTerms:  # type: ignore[override]
        data = self.arrays
        value = np.zeros(len(data.site)) if design_only else data.value.astype(float)
        n_kinds = len(next(iter(self._detection.values())).matrix)
        return count_terms(
            cell=data.site, kind=self.kind, value=value, exposure=np.ones(len(value)), shape=self.shape, n_kinds=n_kinds
        )

    def nothing_seen(self, theta: Floats) -> Floats:
        """log Pr(no animal is counted on any visit of a site) at theta (P,), (N,)."""
        unseen = copy(self)
        unseen.visits, unseen._ways = self._visit_terms(design_only=True), {}  # noqa: SLF001
        return unseen.evaluate(theta).forward.log_site

    @property
    def _least(self) -> int:
        return int(self.visits.largest.max(initial=0))

    def _seen_given(self, logs: dict[str, Pair], n: Floats) -> Floats:
        counted, missed = logs["p"]
        odds = self.visits.totals(counted - missed)[..., None, :]
        return self._log_ways(n) + odds + n * self.visits.exposures(missed)[..., None, :]

    def _log_ways(self, n: Floats) -> Floats:
        """Σ over visits of log C(n, y), (K, N)."""
        known: dict[int, Floats] = self.__dict__.get("_ways", {})
        if len(n) not in known:
            known = {len(n): self.visits.log_ways(n)}
            self._ways = known  # another thread may put its own there: go on with this one
        return known[len(n)]

    def _detection_events(self, logs: dict[str, Pair], weight: Floats, mean: Floats) -> dict[str, list[Any]]:
        counted = self.visits.gather_totals(np.ones(self.n_sites))
        return {"p": [self.visits.gather_exposures(mean) - counted, counted]}

    def start_level(self, name: str, level: float) -> float:
        """Natural value where a search starts: of abundance, some multiple of the counts."""
        if name == "abundance":
            return float(self.visits.largest.mean() + 0.2) / (1.0 - level)
        return 5.0 * level if name == "size" else level

    def new_visits(self, logs: dict[str, Pair], state: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Draw the count of each visit, (V,)."""
        return np.asarray(rng.binomial(state, np.exp(logs["p"][0])[self.kind]))


def _log_sum(terms: Floats) -> Floats:
    top = terms.max(-2)
    total: Floats = top + np.log(np.exp(terms - top[..., None, :]).sum(-2))
    return total


def _open(terms: Floats) -> bool:
    """Whether the last term of a sum still matters, or does not fall yet."""
    last, before = terms[..., -1, :], terms[..., -2, :]
    return bool(((last - _log_sum(terms) > TAIL) | (last > before)).any())
