r"""The half-normal on a lattice: exp(−d²/2σ²) = e_x e_y, so that sums over stations are matrix products.

With the log baseline b (log λ0 or log g0) of station k, the *kernel* is e_k(x) = exp(b_k − d²/2σ_k²); a hazard
half-normal has λ = e, a probability half-normal λ = −log(1 − e). The product over an animal's detections is again a
product of two functions of one coordinate each, centred on the (weighted) mean of its stations. What is left is the
*ratio* exp(L_u)/e (one for counts of a hazard half-normal), which is bounded and smooth: see :mod:`.histories`.

Sums are formed on the linear scale; where a history's sum underflows, or the baseline is so high that the way to form
the ratio is not exact, the dense form answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from leopardpop.components.detection import DetectionFunction, HalfNormal
from leopardpop.components.detection_probability import ProbabilityHalfNormal
from leopardpop.models.likelihood.dense import DenseForm
from leopardpop.models.likelihood.form import (
    Form,
    Forward,
    Parameters,
    Slopes,
    group_weights,
    history_void,
    void_cotangent,
)
from leopardpop.models.likelihood.histories import (
    CompiledRatios,
    Job,
    PlainHistories,
    Posterior,
    SeriesRatios,
    Summation,
)
from leopardpop.models.likelihood.singles import KernelSeries
from leopardpop.models.likelihood.tables import LOG_LARGEST_KERNEL, Lattice, LatticeTables, lattice_of
from leopardpop.models.likelihood.terms import Floats, Ints, SessionTerms
from leopardpop.models.likelihood.together import Sets, Together, make_plan, run_plan

if TYPE_CHECKING:
    from leopardpop.models.likelihood.batches import Plan

__all__ = ["SeparableForm", "make_forms"]

SMALLEST_SUM = 1e-280
LARGEST_HAZARD = 500.0
"""Above it exp(−H) comes near the smallest double, while ratios may be as large as exp(H)."""


class State(NamedTuple):
    """What :meth:`SeparableForm.backward` needs of the way forward."""

    parameters: Parameters
    hazards: Floats
    """H_v, (V, L)."""
    job: Job
    summed: Floats
    odds: Floats
    """S of animals detected once where they are left out, else zero, (L,)."""


class Fallback(NamedTuple):
    """The dense form answered."""

    forward: Forward


def make_forms(sessions: Sequence[SessionTerms], detection: DetectionFunction) -> list[Form]:
    """One form a session: separable where it applies (a half-normal on a lattice), else dense.

    Sessions with the same stations and cells share their tables.
    """
    forms: dict[int, Form] = {}
    groups: dict[tuple[bytes, bytes], list[int]] = {}
    for s, terms in enumerate(sessions):
        groups.setdefault((terms.stations.tobytes(), terms.cells.tobytes()), []).append(s)
    for members in groups.values():
        together = [sessions[s] for s in members]
        tables = _tables(together, detection)
        for place, s in enumerate(members):
            if tables is None:
                forms[s] = DenseForm(sessions[s], detection)
            else:
                forms[s] = SeparableForm(sessions[s], detection, *tables, place)
    return [forms[s] for s in range(len(sessions))]


def _tables(sessions: list[SessionTerms], detection: DetectionFunction) -> tuple[Lattice, LatticeTables] | None:
    """Lattice and tables of sessions on the same stations and cells; None if the dense form must do."""
    if sessions[0].bursts is not None:
        return None
    separable = type(detection) in (HalfNormal, ProbabilityHalfNormal) and sessions[0].squares is None
    lattice = lattice_of(sessions[0].cells) if separable else None
    if lattice is None:
        return None
    is_probability = type(detection) is ProbabilityHalfNormal
    tables = LatticeTables(lattice, sessions, is_probability=is_probability)
    return lattice, tables


class SeparableForm:
    """Separable form of the two half-normals.

    Parameters
    ----------
    terms
        The session.
    detection
        :class:`HalfNormal` or :class:`ProbabilityHalfNormal`.
    lattice, tables
        The lattice of the mask's cells, and its tables.
    place
        Position of the session among those that share the tables.
    """

    def __init__(
        self, terms: SessionTerms, detection: DetectionFunction, lattice: Lattice, tables: LatticeTables, place: int
    ) -> None:
        self.terms, self.lattice, self.tables, self.place = terms, lattice, tables, place
        self.baseline = "g0" if tables.is_probability else "lambda0"
        self.void = history_void(terms)
        self.dense = DenseForm(terms, detection)
        self.shape = lattice.shape
        self.entry_station = terms.slot_station[terms.entry_slot]
        self.entry_history = terms.entry_history
        self.has_ratio = tables.is_probability or terms.detector == "proximity"
        self.summation = self._summation()
        self.series = self._series()

    def _series(self) -> KernelSeries | None:
        """The series of animals detected once; None where they are in the data, or need the void alone."""
        singles = self.terms.singles
        if singles is None or not singles.of_pairs:
            return None
        return KernelSeries(singles, len(self.terms.stations), is_probability=self.tables.is_probability)

    def _summation(self) -> Summation:
        if self.tables.is_probability:
            return CompiledRatios(self.tables, self.terms)
        if self.terms.detector == "proximity":
            return SeriesRatios(self.tables, self.terms)
        return PlainHistories(self.tables)

    def forward(self, log_density: Floats, parameters: Parameters, rows: Ints) -> Forward:
        """Log totals of the histories ``rows``; see :class:`Form`."""
        log_base, precision = np.log(parameters[self.baseline]), 0.5 / parameters["sigma"] ** 2
        if not (self.summation.serves(log_base) and self.counts_singles(log_base)):
            return self._fall_back(log_density, parameters, rows)
        hazards = self.terms.vectors(self.tables.hazards(log_base, precision, self.place))
        total, place = self.terms.times @ hazards, self.lattice.place
        if self.has_ratio and not total[place].max(initial=0.0) < LARGEST_HAZARD:
            return self._fall_back(log_density, parameters, rows)
        weight = group_weights(self.void, hazards)
        if self._may_overflow(weight):
            return self._fall_back(log_density, parameters, rows)
        weight *= self._on_lattice(np.exp(log_density) * self.terms.area)
        factor_x, factor_y, log_scale = self._marginals(log_base, precision, rows)
        job = Job(log_base, precision, weight, rows, self.void.group[rows], factor_x, factor_y)
        summed = self.summation.sums(job)
        if not (summed > SMALLEST_SUM).all() or not np.isfinite(log_scale).all():
            return self._fall_back(log_density, parameters, rows)
        odds = self.odds(hazards, log_base, precision)
        state = State(parameters, hazards, job, summed, odds)
        return Forward(np.log(summed) + log_scale, (total - np.log1p(odds))[place], rows, state)

    def counts_singles(self, log_base: Floats) -> bool:
        """Whether :meth:`odds` is exact at these baselines."""
        return self.series is None or self.series.n_terms(log_base) > 0

    def odds(self, hazards: Floats, log_base: Floats, precision: Floats) -> Floats:
        """S on the lattice, (L,), from the void vectors (V, L) or the kernels; zero where singles are in the data."""
        if self.terms.singles is None:
            return np.zeros(hazards.shape[1])
        if self.series is None:
            return self.terms.singles.odds(self.terms.times, hazards)
        return self.series.odds(*self.tables.along(log_base, precision), self.series.n_terms(log_base))

    def _may_overflow(self, weight: Floats) -> bool:
        """Whether experienced animals meet hazards of hundreds: their ratios are then as large as exp(H)."""
        has_past = self.void.gains and self.terms.detector == "proximity"
        return has_past and bool(weight[:, self.lattice.place].min(initial=1.0) < np.exp(-LARGEST_HAZARD))

    def _on_lattice(self, cells: Floats) -> Floats:
        """Values of the cells at their places, zero elsewhere, (J,) to (L,)."""
        table = np.zeros(self.shape[0] * self.shape[1])
        table[self.lattice.place] = cells
        return table

    def _fall_back(self, log_density: Floats, parameters: Parameters, rows: Ints) -> Forward:
        """The answer of the dense form, which always holds."""
        forward = self.dense.forward(log_density, parameters, rows)
        return forward._replace(state=Fallback(forward))

    def _marginals(self, log_base: Floats, precision: Floats, rows: Ints) -> tuple[Floats, Floats, Floats]:
        """Π_u e_u(x)^y of the histories: a normal curve about the weighted mean of the stations, by coordinate."""
        terms, of = self.terms, self.entry_history
        weight = terms.entry_count * precision[self.entry_station]
        total = self._by_history(weight)
        log_scale = self._by_history(terms.entry_count * log_base[self.entry_station])
        factors = []
        for axis, line in enumerate((self.lattice.x, self.lattice.y)):
            at = terms.stations[self.entry_station, axis]
            centre = self._by_history(weight * at) / total
            exponent = total[rows, None] * (line - centre[rows, None]) ** 2
            least = exponent.min(-1)
            factors.append(np.exp(least[:, None] - exponent))
            log_scale[rows] -= least
            log_scale -= self._by_history(weight * (at - centre[of]) ** 2)
        return factors[0], factors[1], log_scale[rows]

    def _by_history(self, values: Floats) -> Floats:
        """Sums over the entries of each history, (E,) to (h,)."""
        if not self.terms.n_histories:
            return np.zeros(0)
        return np.add.reduceat(values, self.terms.start[:-1])

    def together(self, log_density: Floats, parameters: Parameters, rows: Ints, sets: Sets) -> Together | None:
        """Many draws in one call, where the compiled loops serve; see :class:`Form`."""
        if self.plan is None:
            return None
        log_base, precision = np.log(parameters[self.baseline]), 0.5 / parameters["sigma"] ** 2
        found = run_plan(self.plan, log_density, log_base, precision, rows, sets)
        if self.tables.is_probability:
            found.detected[log_base.max(-1) > LOG_LARGEST_KERNEL] = np.nan
        if self.terms.singles is not None:
            self._leave_out_singles(found, log_density, log_base, precision, sets)
        return found

    def _leave_out_singles(
        self, found: Together, log_density: Floats, log_base: Floats, precision: Floats, sets: Sets
    ) -> None:
        """Move the animals that are detected once from the detected to the others, draw by draw."""
        place = self.lattice.place
        for b in range(len(log_density)):
            if not self.counts_singles(log_base[b]):
                found.detected[b] = np.nan
                continue
            hazards = self.terms.vectors(self.tables.hazards(log_base[b], precision[b], self.place))
            odds = self.odds(hazards, log_base[b], precision[b])[place]
            once = np.exp(log_density[b] - (self.terms.times @ hazards)[place]) * self.terms.area * odds
            found.detected[b] -= once.sum()
            found.undetected[b] += np.bincount(sets.of_cell, once, sets.number)

    @cached_property
    def plan(self) -> Plan | None:
        """What the compiled loops read."""
        return make_plan(self.terms, self.void, self.lattice, self.tables, self.place)

    def centres(self, forward: Forward) -> Floats:
        """Pr(cell | history); see :class:`Form`."""
        state: State | Fallback = forward.state
        if isinstance(state, Fallback):
            return self.dense.centres(state.forward)
        result = np.empty((len(forward.rows), len(self.lattice.place)))
        for i, joint in enumerate(self.summation.joints(state.job)):
            result[i] = joint[self.lattice.place] / state.summed[i]
        return result

    def once(self, forward: Forward) -> Floats:
        """Probability of one detection; see :class:`Form`."""
        state: State | Fallback = forward.state
        if isinstance(state, Fallback):
            return self.dense.once(state.forward)
        odds = state.odds[self.lattice.place]
        return np.asarray(np.exp(-forward.total_hazard) * odds / (1.0 + odds))

    def backward(self, forward: Forward, weights: Floats, rate: Floats) -> Slopes:
        """Derivatives; see :class:`Form`."""
        state: State | Fallback = forward.state
        if isinstance(state, Fallback):
            return self.dense.backward(state.forward, weights, rate)
        posterior = self.summation.weigh(state.job, weights / state.summed)
        by_group, rate = posterior.by_group, self._on_lattice(rate)
        cotangent = void_cotangent(self.terms, self.void, state.hazards, by_group, rate)
        singles, once = self.terms.singles, -rate / (1.0 + state.odds)
        if singles is not None and not singles.of_pairs:
            cotangent += once * singles.slopes(self.terms.times, state.hazards)
        cotangent = self.terms.sums(cotangent)
        log_base, precision = state.job.log_base, state.job.precision
        base, bent = self.tables.hazard_slopes(log_base, precision, cotangent, self.place)
        if self.series is not None:
            along, squares = self.tables.along(log_base, precision), (self.tables.square_x, self.tables.square_y)
            of_singles = self.series.slopes(along, squares, once, self.series.n_terms(log_base))
            base, bent = base + of_singles[0], bent + of_singles[1]
        seen, spread = self._detection_slopes(forward.rows, posterior)
        log_sigma = -2.0 * precision * (bent + posterior.bent + spread)
        by_cell = by_group.sum(0)[self.lattice.place]
        return Slopes(by_cell, {self.baseline: base + posterior.base + seen, "sigma": log_sigma})

    def _detection_slopes(self, rows: Ints, posterior: Posterior) -> tuple[Floats, Floats]:
        """Slopes of Σ y log e with respect to b_k and to 1/2σ_k²: counts, and minus expected squared distances."""
        position = np.full(self.terms.n_histories, -1)
        position[rows] = np.arange(len(rows))
        used = position[self.entry_history] >= 0
        at, station = position[self.entry_history[used]], self.entry_station[used]
        by_x, by_y, count = posterior.by_x[at], posterior.by_y[at], self.terms.entry_count[used]
        square = (by_x * self.tables.square_x[station]).sum(1) + (by_y * self.tables.square_y[station]).sum(1)
        n = len(self.terms.stations)
        return (
            np.bincount(station, weights=count * by_x.sum(1), minlength=n),
            -np.bincount(station, weights=count * square, minlength=n),
        )
