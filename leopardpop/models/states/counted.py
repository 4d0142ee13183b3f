"""Counts of visits, reduced to sums by site and kind of visit, and the model in which a used site has a rate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammaln

from leopardpop.components.formula_syntax import formula_variables
from leopardpop.components.offset import split_offset
from leopardpop.errors import DataError, ModelError
from leopardpop.models.states.problem import DRAWS_TIMES_ROWS, OccupancyProblem
from leopardpop.models.states.structure import IMPOSSIBLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.models.likelihood.terms import Floats

    type Ints = NDArray[np.intp]

__all__ = ["CountProblem", "CountTerms", "count_terms"]


@dataclass(frozen=True, eq=False, kw_only=True)
class CountTerms:
    """Counts by cell (season x N + site) and kind of visit."""

    total: Any
    """Σ of counts, sparse (T N, G)."""
    exposure: Any
    """Σ of exposures, sparse (T N, G)."""
    largest: Floats
    """Largest count of each cell, (T N,)."""
    cell: Ints
    """Cell of each visit, (V,)."""
    value: Floats
    """Count of each visit, (V,)."""

    def totals(self, by_kind: Floats) -> Floats:
        """Σ of counts times a value of their kind, (..., T N)."""
        return _times(self.total, by_kind)

    def exposures(self, by_kind: Floats) -> Floats:
        """Σ of exposures times a value of their kind, (..., T N)."""
        return _times(self.exposure, by_kind)

    def gather_totals(self, by_cell: Floats) -> Floats:
        """Σ of counts times a value of their cell, (G,)."""
        return np.asarray(self.total.T @ by_cell)

    def gather_exposures(self, by_cell: Floats) -> Floats:
        """Σ of exposures times a value of their cell, (G,)."""
        return np.asarray(self.exposure.T @ by_cell)

    def log_ways(self, n: Floats) -> Floats:
        """Σ over visits of log C(n, y), (K, T N), of n (K, 1); −inf where n is below a count."""
        ways = np.zeros((len(n), len(self.largest)))
        for y in np.unique(self.value[self.value > 0]):
            times = np.bincount(self.cell[self.value == y], minlength=len(self.largest))
            with np.errstate(all="ignore"):
                chosen = gammaln(n + 1.0) - gammaln(y + 1.0) - gammaln(n - y + 1.0)
            ways += np.where(times > 0, np.where(n >= y, chosen, -np.inf) * np.maximum(times, 1), 0.0)
        return ways


def _times(matrix: Any, by_kind: Floats) -> Floats:
    flat = by_kind.reshape(-1, by_kind.shape[-1])
    return np.asarray((matrix @ flat.T).T).reshape(*by_kind.shape[:-1], -1)


def count_terms(
    *, cell: Ints, kind: Ints, value: Floats, exposure: Floats, shape: tuple[int, int], n_kinds: int
) -> CountTerms:
    """Sum counts of visits that are alike.

    Parameters
    ----------
    cell, kind, value, exposure
        Of each visit, (V,).
    shape
        Seasons and sites.
    n_kinds
        Number of kinds.
    """
    from scipy.sparse import csr_matrix

    size = (shape[0] * shape[1], n_kinds)
    largest = np.zeros(size[0])
    np.maximum.at(largest, cell, value)
    total, covered = (csr_matrix((weight, (cell, kind)), size) for weight in (value, exposure))
    return CountTerms(total=total, exposure=covered, largest=largest, cell=cell, value=value)


class CountProblem(OccupancyProblem):
    """Counts at a rate per unit of effort at used sites meet their data; see :class:`OccupancyProblem`."""

    visits: CountTerms  # type: ignore[assignment]

    def formula(self, name: str) -> str:
        """Formula of a parameter; effort is in the rate as it is."""
        text = super().formula(name)
        if name == "rate" and any("effort" in formula_variables(f"~ 0 + I({each})") for each in split_offset(text)[1]):
            raise ModelError(
                f"formula {text!r} of 'rate': the rate is one per unit of effort as it is, and the offset would count "
                "effort twice. Leave it out.",
                offenders=[text],
            )
        return text

    def _visit_terms(self, design_only: bool) -> CountTerms:  # type: ignore[override]
        data = self.arrays
        value = np.zeros(len(data.site)) if design_only else data.value.astype(float)
        fixed = value * np.log(self.exposure) - gammaln(value + 1.0)
        self._fixed: Floats = np.bincount(data.site, fixed, self.n_sites)
        n_kinds = len(next(iter(self._detection.values())).matrix)
        return count_terms(
            cell=data.site, kind=self.kind, value=value, exposure=self.exposure, shape=self.shape, n_kinds=n_kinds
        )

    @property
    def exposure(self) -> Floats:
        """Effort of each visit, (V,).

        Raises
        ------
        DataError
            If it is missing, or 0.
        """
        data = self.arrays
        effort: Floats = data.effort[data.site, data.season, data.visit]
        wrong = np.flatnonzero(~(effort > 0))
        if len(wrong):
            at = wrong[0]
            raise DataError(
                f"the effort of visit {data.visit[at] + 1} to site {data.sites[data.site[at]]!r} is {effort[at]:g}: a "
                "count needs the effort of its visit, above 0. Give it, or leave the response of that visit missing.",
                offenders=[data.sites[data.site[at]]],
            )
        return effort

    @cached_property
    def batch(self) -> int:
        """Number of draws that are best evaluated together."""
        return int(np.clip(DRAWS_TIMES_ROWS // max(self.visits.total.nnz, self.n_sites), 1, 64))

    def _emission(self, state: int, logs: dict[str, Any], lead: tuple[int, ...]) -> Floats:
        """log Pr(counts | state), (..., 1, N)."""
        if state == 0:
            return np.where(self.visits.largest > 0, IMPOSSIBLE, 0.0)[None]
        log_rate, minus_rate = logs["rate"]
        total = self.visits.totals(log_rate) + self.visits.exposures(minus_rate) + self._fixed
        return total[..., None, :]

    def _add_visits(
        self, events: dict[str, list[Floats]], state: int, probability: Floats, logs: dict[str, Any]
    ) -> None:
        if state == 1:
            events["rate"][1] += self.visits.gather_totals(probability[0])
            events["rate"][0] += self.visits.gather_exposures(probability[0])

    def _none(self, name: str) -> Floats:
        return np.zeros(self._rows[name].shape if name in self._rows else len(self._detection[name].matrix))

    def start_level(self, name: str, level: float) -> float:
        """Natural value where a search starts: of the rate, some multiple of the counts per effort."""
        if name != "rate":
            return level
        return 2.0 * level * (float(self.visits.total.sum()) + 0.2) / (float(self.exposure.sum()) + 1e-12)

    def new_visits(self, logs: dict[str, Any], state: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """Draw the count of each visit, (V,)."""
        return np.asarray(rng.poisson(state * np.exp(logs["rate"][0])[self.kind] * self.exposure))

    def graph(self, *, kernel: bool = True) -> Any:
        """Build the PyMC model; the likelihood is one operation with its gradient."""
        return super().graph(kernel=True)
