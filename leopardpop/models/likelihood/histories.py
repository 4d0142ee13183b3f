"""Three ways to sum the histories of a half-normal over a lattice; which one serves depends on the ratio exp(L)/e.

- :class:`PlainHistories`: the ratio is one (hazard half-normal, counts and multi-catch): matrix products by group.
- :class:`StoredRatios`: the ratios are a table of slot x place, multiplied history by history.
- :class:`CompiledRatios`: the same, compiled and line by line (probability half-normal).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from leopardpop.models.likelihood.tables import LatticeTables, outer_rows
from leopardpop.models.likelihood.terms import Floats, Ints, SessionTerms

__all__ = ["CompiledRatios", "Job", "PlainHistories", "Posterior", "StoredRatios", "Summation"]


class Job(NamedTuple):
    """What is summed: weight · Π ratio^count · factor_x · factor_y, for the histories ``rows``."""

    log_base: Floats
    """b of the stations, (K,)."""
    precision: Floats
    """1/2σ² of the stations, (K,)."""
    weight: Floats
    """D a exp(−H) and what depends on the history's group, (groups, L)."""
    rows: Ints
    group: Ints
    """Group of each of the rows, (h,)."""
    factor_x: Floats
    """(h, nx)."""
    factor_y: Floats
    """(h, ny)."""


class Posterior(NamedTuple):
    """Weighted sums over histories of Pr(place | history), and the slopes through the ratios."""

    by_group: Floats
    """(groups, L)."""
    by_x: Floats
    """Weight along x of each history, (h, nx)."""
    by_y: Floats
    """Weight along y of each history, (h, ny)."""
    base: Floats
    """Slope with respect to b_k, (K,)."""
    bent: Floats
    """Slope with respect to 1/2σ_k², (K,)."""


class Summation(Protocol):
    """One way to do it."""

    def sums(self, job: Job) -> Floats:
        """Σ over the lattice of each history, (h,)."""

    def weigh(self, job: Job, scaled: Floats) -> Posterior:
        """Sums weighted by ``scaled`` = weight of the history / its sum, (h,)."""

    def joint(self, job: Job, i: int) -> Floats:
        """Summands of the i-th of the rows, (L,)."""


class PlainHistories:
    """Histories without a ratio."""

    def __init__(self, tables: LatticeTables) -> None:
        self.tables = tables

    def sums(self, job: Job) -> Floats:
        """Σ over the lattice of each history."""
        across = np.empty_like(job.factor_y)
        for g, flat in enumerate(job.weight):
            here = job.group == g
            across[here] = job.factor_x[here] @ flat.reshape(self.tables.shape)
        return np.asarray((across * job.factor_y).sum(1))

    def weigh(self, job: Job, scaled: Floats) -> Posterior:
        """Weighted sums."""
        scaled_y = job.factor_y * scaled[:, None]
        by_group = np.zeros_like(job.weight)
        by_x, by_y = np.zeros_like(job.factor_x), np.zeros_like(job.factor_y)
        for g, flat in enumerate(job.weight):
            here, weight = job.group == g, flat.reshape(self.tables.shape)
            by_group[g] = (weight * (job.factor_x[here].T @ scaled_y[here])).reshape(-1)
            by_x[here] = job.factor_x[here] * (scaled_y[here] @ weight.T)
            by_y[here] = scaled_y[here] * (job.factor_x[here] @ weight)
        nothing = np.zeros_like(job.log_base)
        return Posterior(by_group, by_x, by_y, nothing, nothing)

    def joint(self, job: Job, i: int) -> Floats:
        """Summands of one history."""
        return job.weight[job.group[i]] * _factors(job, i)


class StoredRatios:
    """Histories with a table of ratios.

    Parameters
    ----------
    tables, terms, place
        The lattice's tables, the session, and its position among those that share the tables.
    ratio
        Ratios of all slots of the tables, (U, L).
    """

    def __init__(self, tables: LatticeTables, terms: SessionTerms, place: int, ratio: Floats) -> None:
        self.tables, self.terms, self.place = tables, terms, place
        self.ratio = ratio
        self.row_of_entry = tables.slot_rows[place][terms.entry_slot]

    def _product(self, job: Job, i: int) -> Floats:
        """Weight times the ratios of a history's detections, (L,)."""
        result = job.weight[job.group[i]].copy()
        row = job.rows[i]
        for entry in range(self.terms.start[row], self.terms.start[row + 1]):
            factor, count = self.ratio[self.row_of_entry[entry]], int(self.terms.entry_count[entry])
            for _ in range(count):  # a power of a float costs as much as forty products
                result *= factor
        return result

    def sums(self, job: Job) -> Floats:
        """Σ over the lattice of each history."""
        across = np.empty_like(job.factor_y)
        for i in range(len(job.rows)):
            across[i] = job.factor_x[i] @ self._product(job, i).reshape(self.tables.shape)
        return np.asarray((across * job.factor_y).sum(1))

    def joint(self, job: Job, i: int) -> Floats:
        """Summands of one history."""
        return self._product(job, i) * _factors(job, i)

    def weigh(self, job: Job, scaled: Floats) -> Posterior:
        """Weighted sums."""
        by_group = np.zeros_like(job.weight)
        by_slot = np.zeros((len(self.terms.slot_station), by_group.shape[1]))
        by_x, by_y = np.zeros_like(job.factor_x), np.zeros_like(job.factor_y)
        for i, row in enumerate(job.rows):
            flat = self.joint(job, i) * scaled[i]
            table = flat.reshape(self.tables.shape)
            by_x[i], by_y[i] = table.sum(1), table.sum(0)
            by_group[job.group[i]] += flat
            for entry in range(self.terms.start[row], self.terms.start[row + 1]):
                by_slot[self.terms.entry_slot[entry]] += self.terms.entry_count[entry] * flat
        base, bent = self.tables.ratio_slopes(job.log_base, job.precision, by_slot, self.place)
        return Posterior(by_group, by_x, by_y, base, bent)


class CompiledRatios:
    """Histories of a probability half-normal of at most 1/2, in compiled loops.

    Parameters
    ----------
    tables, terms
        The lattice's tables and the session.
    """

    def __init__(self, tables: LatticeTables, terms: SessionTerms) -> None:
        from leopardpop.models.likelihood import compiled

        self.tables, self.terms, self.loops = tables, terms, compiled
        self.slots = compiled.Slots(
            terms.slot_station,
            terms.slot_effort,
            terms.detector == "proximity",
            terms.start,
            terms.entry_slot,
            terms.entry_count,
        )

    def sums(self, job: Job) -> Floats:
        """Σ over the lattice of each history."""
        along_x, along_y = self.tables.along(job.log_base, job.precision)
        summed = np.empty(len(job.rows))
        self.loops.history_sums(
            along_x, along_y, self.slots, job.weight, job.group, job.rows, job.factor_x, job.factor_y, summed
        )
        return summed

    def weigh(self, job: Job, scaled: Floats) -> Posterior:
        """Weighted sums."""
        tables = self.tables
        along = tables.along(job.log_base, job.precision)
        arrays = (job.weight, job.factor_x, job.factor_y, job.log_base, job.log_base)
        result = Posterior(*(np.zeros_like(a) for a in arrays))
        self.loops.weigh_histories(
            *along, tables.square_x, tables.square_y, self.slots, job.weight, job.group, job.rows,
            job.factor_x, job.factor_y, scaled, *result,
        )  # fmt: skip
        return result

    def joint(self, job: Job, i: int) -> Floats:
        """Summands of one history."""
        along_x, along_y = self.tables.along(job.log_base, job.precision)
        first, last = self.terms.start[job.rows[i]], self.terms.start[job.rows[i] + 1]
        slots, counts = self.terms.entry_slot[first:last], self.terms.entry_count[first:last]
        stations, effort = self.terms.slot_station[slots], self.terms.slot_effort[slots, None]
        ratio = self.tables.ratio_of(outer_rows(along_x[stations], along_y[stations]), effort)
        joint: Floats = job.weight[job.group[i]] * _factors(job, i) * (ratio ** counts[:, None]).prod(0)
        return joint


def _factors(job: Job, i: int) -> Floats:
    return np.outer(job.factor_x[i], job.factor_y[i]).reshape(-1)
