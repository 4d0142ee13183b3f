"""Three ways to sum the histories of a half-normal over a lattice; which one serves depends on the ratio exp(L)/e.

- :class:`PlainHistories`: the ratio is one (hazard half-normal, counts and multi-catch): matrix products by group.
- :class:`SeriesRatios`: its logarithm is a short series of separable terms (hazard half-normal, proximity).
- :class:`CompiledRatios`: it is computed place by place in compiled loops (probability half-normal).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import factorial
from typing import NamedTuple, Protocol

import numpy as np

from leopardpop.components.special import TINY
from leopardpop.models.likelihood.tables import LatticeTables, hazard_of, outer_rows
from leopardpop.models.likelihood.terms import Floats, Ints, SessionTerms

__all__ = ["CompiledRatios", "Job", "PlainHistories", "Posterior", "SeriesRatios", "Summation"]


PAIRS_AT_ONCE = 32_768
EXPONENTS = np.array([1.0, *range(2, 24, 2)])
BERNOULLI = [
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
    854513 / 138,
]
COEFFICIENTS = np.array([0.5, *(b / (2 * k * factorial(2 * k)) for k, b in enumerate(BERNOULLI, start=1))])
"""Of h, h², h⁴ ... h²²: exact to double precision for h ≤ 1."""
SMALLEST_TERM = 1e-17
"""Terms of a logarithm that are smaller are left out."""


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

    def serves(self, log_base: Floats) -> bool:
        """Whether it is exact for these log baselines, (K,)."""

    def sums(self, job: Job) -> Floats:
        """Σ over the lattice of each history, (h,)."""

    def weigh(self, job: Job, scaled: Floats) -> Posterior:
        """Sums weighted by ``scaled`` = weight of the history / its sum, (h,)."""

    def joints(self, job: Job) -> Iterator[Floats]:
        """Summands of each of the rows, (L,)."""


class PlainHistories:
    """Histories without a ratio."""

    def __init__(self, tables: LatticeTables) -> None:
        self.tables = tables

    def serves(self, log_base: Floats) -> bool:
        """Always."""
        return True

    def sums(self, job: Job) -> Floats:
        """Σ over the lattice of each history."""
        across = np.empty_like(job.factor_y)
        for g, weight in enumerate(job.weight):
            here = job.group == g
            across[here] = job.factor_x[here] @ weight.reshape(self.tables.shape)
        return np.asarray((across * job.factor_y).sum(-1))

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

    def joints(self, job: Job) -> Iterator[Floats]:
        """Summands of each history."""
        for i in range(len(job.rows)):
            yield job.weight[job.group[i]] * _factors(job, i)


class SeriesRatios:
    r"""Histories of a hazard half-normal at proximity detectors: log((exp(h) − 1)/h) as a series in h = Te ≤ 1.

    .. math:: \log\frac{e^h - 1}{h} = \frac{h}{2} + \sum_{k \ge 1} \frac{B_{2k}}{2k\,(2k)!} h^{2k}

    with the Bernoulli numbers B. Every power of e separates, so that the series is a matrix product too.

    Parameters
    ----------
    tables, terms
        The lattice's tables and the session.
    """

    def __init__(self, tables: LatticeTables, terms: SessionTerms) -> None:
        self.tables, self.terms = tables, terms
        self.square_x = tables.square_x[terms.slot_station]
        self.square_y = tables.square_y[terms.slot_station]
        self.length = np.diff(terms.start)

    def serves(self, log_base: Floats) -> bool:
        """Whether every Te is at most one."""
        return self._largest(log_base) <= 1.0

    def _largest(self, log_base: Floats) -> float:
        expected = self.terms.slot_effort * np.exp(log_base[self.terms.slot_station])
        return float(expected.max(initial=0.0))

    def _powers(self, job: Job) -> tuple[Floats, Floats, Floats]:
        """Exponents m, (M,); c_m T^m e_x^m, (M, U, nx); e_y^m, (M, U, ny); m = 1, 2, 4, 6 ... one by one."""
        largest = max(self._largest(job.log_base), 1e-12)
        used = 1 + int(np.argmax(np.abs(COEFFICIENTS) * largest**EXPONENTS < SMALLEST_TERM))
        along_x, along_y = self.tables.along(job.log_base, job.precision)
        seen_x = along_x[self.terms.slot_station] * self.terms.slot_effort[:, None]
        by_x, by_y = (_ladder(first, used) for first in (seen_x, along_y[self.terms.slot_station]))
        by_x *= COEFFICIENTS[:used, None, None]
        return EXPONENTS[:used], by_x, by_y

    def _chunks(self, job: Job) -> Iterator[tuple[Ints, Ints]]:
        """Some of the rows with the same number of entries, and their entries, (n,) and (n, d)."""
        length = self.length[job.rows]
        step = max(1, PAIRS_AT_ONCE // job.weight.shape[-1])
        for d in np.unique(length):
            members = np.flatnonzero(length == d)
            for i in range(0, len(members), step):
                chunk = members[i : i + step]
                yield chunk, self.terms.start[job.rows[chunk]][:, None] + np.arange(d)

    def _operands(self, entries: Ints, along_x: Floats, along_y: Floats) -> tuple[Floats, Floats]:
        """Factors of the series of each history: (n, M·d, nx), counts included, and (n, M·d, ny)."""
        slots, counts = self.terms.entry_slot[entries], self.terms.entry_count[entries]
        left = (along_x[:, slots] * counts[:, :, None]).swapaxes(0, 1)
        right = along_y[:, slots].swapaxes(0, 1)
        n = len(entries)
        return left.reshape(n, -1, left.shape[-1]), right.reshape(n, -1, right.shape[-1])

    def _weighted(self, job: Job, chunk: Ints, left: Floats, right: Floats) -> Floats:
        """Weight times ratios, (n, nx, ny)."""
        table: Floats = np.matmul(left.swapaxes(1, 2), right)
        np.exp(table, out=table)
        table *= job.weight[job.group[chunk]].reshape(table.shape)
        return table

    def sums(self, job: Job) -> Floats:
        """Σ over the lattice of each history."""
        _, along_x, along_y = self._powers(job)
        summed = np.empty(len(job.rows))
        for chunk, entries in self._chunks(job):
            table = self._weighted(job, chunk, *self._operands(entries, along_x, along_y))
            across = np.matmul(job.factor_x[chunk, None, :], table)[:, 0]
            summed[chunk] = (across * job.factor_y[chunk]).sum(-1)
        return summed

    def weigh(self, job: Job, scaled: Floats) -> Posterior:
        """Weighted sums."""
        exponent, along_x, along_y = self._powers(job)
        arrays = (job.weight, job.factor_x, job.factor_y, job.log_base, job.log_base)
        result = Posterior(*(np.zeros_like(a) for a in arrays))
        for chunk, entries in self._chunks(job):
            left, right = self._operands(entries, along_x, along_y)
            table = self._weighted(job, chunk, left, right)
            table *= (job.factor_x[chunk] * scaled[chunk, None])[:, :, None]
            table *= job.factor_y[chunk][:, None, :]
            result.by_x[chunk], result.by_y[chunk] = table.sum(2), table.sum(1)
            for g in np.unique(job.group[chunk]):
                result.by_group[g] += table[job.group[chunk] == g].sum(0).reshape(-1)
            self._add_slopes(self.terms.entry_slot[entries], exponent, table, left, right, result)
        return result

    def _add_slopes(
        self, slots: Ints, exponent: Floats, table: Floats, left: Floats, right: Floats, result: Posterior
    ) -> None:
        """Slopes of Σ table · series with respect to b and 1/2σ² of the stations, in place."""
        shape = (len(slots), len(exponent), slots.shape[1], -1)
        by_x = (np.matmul(right, table.transpose(0, 2, 1)) * left).reshape(shape)
        bent_y = right.reshape(shape) * self.square_y[slots][:, None]
        by_y = np.matmul(bent_y.reshape(right.shape), table.transpose(0, 2, 1)) * left
        power = exponent[:, None]
        total = (power * by_x.sum(-1)).sum(1)
        square = (by_x * self.square_x[slots][:, None]).sum(-1) + by_y.reshape(shape).sum(-1)
        stations = self.terms.slot_station[slots]
        np.add.at(result.base, stations, total)
        np.subtract.at(result.bent, stations, (power * square).sum(1))

    def joints(self, job: Job) -> Iterator[Floats]:
        """Summands of each history."""
        _, along_x, along_y = self._powers(job)
        for i, row in enumerate(job.rows):
            entries = np.arange(self.terms.start[row], self.terms.start[row + 1])[None]
            table = self._weighted(job, np.array([i]), *self._operands(entries, along_x, along_y))
            yield table.reshape(-1) * _factors(job, i)


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

    def serves(self, log_base: Floats) -> bool:
        """Whether every g0 is at most 1/2."""
        return self.tables.runs_compiled(log_base)

    def sums(self, job: Job) -> Floats:
        """Σ over the lattice of each history."""
        along_x, along_y = self.tables.along(job.log_base, job.precision)
        summed = np.empty(len(job.rows))
        weight = job.weight.reshape(-1, *self.tables.shape)
        self.loops.history_sums(
            along_x, along_y, self.slots, weight, job.group, job.rows, job.factor_x, job.factor_y, summed
        )
        return summed

    def weigh(self, job: Job, scaled: Floats) -> Posterior:
        """Weighted sums."""
        tables = self.tables
        along = tables.along(job.log_base, job.precision)
        arrays = (job.weight, job.factor_x, job.factor_y, job.log_base, job.log_base)
        result = Posterior(*(np.zeros_like(a) for a in arrays))
        weight, by_group = (a.reshape(-1, *tables.shape) for a in (job.weight, result.by_group))
        self.loops.weigh_histories(
            *along, tables.square_x, tables.square_y, self.slots, weight, job.group, job.rows,
            job.factor_x, job.factor_y, scaled, by_group, *result[1:],
        )  # fmt: skip
        return result

    def joints(self, job: Job) -> Iterator[Floats]:
        """Summands of each history."""
        along_x, along_y = self.tables.along(job.log_base, job.precision)
        for i, row in enumerate(job.rows):
            entries = slice(self.terms.start[row], self.terms.start[row + 1])
            slots, counts = self.terms.entry_slot[entries], self.terms.entry_count[entries]
            stations, effort = self.terms.slot_station[slots], self.terms.slot_effort[slots, None]
            ratio = self._ratio(outer_rows(along_x[stations], along_y[stations]), effort)
            yield job.weight[job.group[i]] * _factors(job, i) * (ratio ** counts[:, None]).prod(0)

    def _ratio(self, kernel: Floats, effort: Floats) -> Floats:
        """(exp(Tλ) − 1)/(T e) for a proximity detector, λ/e otherwise, (U, L)."""
        hazard = hazard_of(kernel)
        ratio: Floats
        if self.terms.detector == "proximity":
            ratio = np.expm1(effort * (hazard + TINY)) / (effort * (kernel + TINY))
        else:
            ratio = (hazard + TINY) / (kernel + TINY)
        return ratio


def _ladder(first: Floats, n: int) -> Floats:
    """Powers 1, 2, 4, 6 ... of a table, n of them: (U, L) to (n, U, L)."""
    powers = np.empty((n, *first.shape))
    powers[0] = first
    square = first * first if n > 1 else first
    for m in range(1, n):
        powers[m] = square if m == 1 else powers[m - 1] * square
    return powers


def _factors(job: Job, i: int) -> Floats:
    return np.outer(job.factor_x[i], job.factor_y[i]).reshape(-1)
