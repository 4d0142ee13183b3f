r"""The half-normal on a lattice: exp(−d²/2σ²) = e_x e_y, so that sums over stations are matrix products.

With the log baseline b (log λ0 or log g0) of station k, the *kernel* is e_k(x) = exp(b_k − d²/2σ_k²); a hazard
half-normal has λ = e, a probability half-normal λ = −log(1 − e). The product over an animal's detections is again a
product of two functions of one coordinate each, centred on the (weighted) mean of its stations. What is left is the
*ratio* exp(L_u)/e (one for counts of a hazard half-normal), which is bounded and smooth.

Sums are formed on the linear scale; where a history's sum underflows or a ratio overflows, the dense form answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from leopardpop.components.detection import DetectionFunction, HalfNormal, ProbabilityHalfNormal
from leopardpop.models.likelihood.dense import DenseForm
from leopardpop.models.likelihood.form import (
    Form,
    Forward,
    Parameters,
    Slopes,
    history_terms,
    history_void,
    void_cotangent,
)
from leopardpop.models.likelihood.tables import Lattice, LatticeTables, lattice_of
from leopardpop.models.likelihood.terms import Floats, Ints, SessionTerms

__all__ = ["SeparableForm", "make_forms"]

PAIRS_AT_MOST = 20_000_000
SMALLEST_SUM = 1e-280


class State(NamedTuple):
    """What :meth:`SeparableForm.backward` needs of the way forward."""

    parameters: Parameters
    hazards: Floats
    """H_v, (V, L)."""
    weight: Floats
    """D a exp(−H) and what depends on the history's group, (groups, L)."""
    marginals: tuple[Floats, Floats]
    """Factors of the histories, (h, nx) and (h, ny)."""
    ratio: Floats | None
    """exp(L_u)/e_u, (U, L)."""
    summed: Floats
    fallback: Forward | None


class Posterior(NamedTuple):
    """Weighted sums over histories of Pr(place | history)."""

    by_group: Floats
    """(groups, L)."""
    by_x: Floats
    """Weight along x of each history, (h, nx)."""
    by_y: Floats
    """Weight along y of each history, (h, ny)."""
    by_slot: Floats | None
    """Σ y·weight·Pr(place | history), (U, L)."""


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
    lattice = lattice_of(sessions[0].cells) if type(detection) in (HalfNormal, ProbabilityHalfNormal) else None
    if lattice is None:
        return None
    is_probability = type(detection) is ProbabilityHalfNormal
    tables = LatticeTables(lattice, sessions, is_probability=is_probability)
    if tables.has_ratio and len(tables.slot_station) * lattice.shape[0] * lattice.shape[1] > PAIRS_AT_MOST:
        return None
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
        self.log_area = np.log(terms.area)
        self.shape = lattice.shape
        self.entry_station = terms.slot_station[terms.entry_slot]
        self.entry_history = terms.entry_history
        bounds = list(zip(terms.start[:-1], terms.start[1:], strict=True))
        rows = tables.slot_rows[place][terms.entry_slot]
        self.entries = [(rows[a:b].tolist(), terms.entry_count[a:b].tolist()) for a, b in bounds]

    def forward(self, log_density: Floats, parameters: Parameters, rows: Ints) -> Forward:
        """Log totals of the histories ``rows``; see :class:`Form`."""
        log_base, precision = np.log(parameters[self.baseline]), 0.5 / parameters["sigma"] ** 2
        hazards, ratio = self.tables.get(log_base, precision)
        hazards = hazards[self.tables.vector_rows[self.place]]
        total, place = self.terms.times @ hazards, self.lattice.place
        base = np.full(total.shape, -np.inf)
        base[place] = log_density + self.log_area - total[place]
        weight = np.exp(history_terms(self.void, hazards) + base)
        factor_x, factor_y, log_scale = self._marginals(log_base, precision, rows)
        summed = self._sums(rows, weight, factor_x, factor_y, ratio)
        log_total = np.log(summed) + log_scale
        fallback = None
        if not (summed > SMALLEST_SUM).all() or not np.isfinite(log_total).all():
            fallback = self.dense.forward(log_density, parameters, rows)
            log_total = fallback.log_total
        state = State(parameters, hazards, weight, (factor_x, factor_y), ratio, summed, fallback)
        return Forward(log_total, total[place], rows, state)

    # -- histories ------------------------------------------------------------------------------------------------------
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
            least = exponent.min(1)
            factors.append(np.exp(least[:, None] - exponent))
            log_scale[rows] -= least
            log_scale -= self._by_history(weight * (at - centre[of]) ** 2)
        return factors[0], factors[1], log_scale[rows]

    def _by_history(self, values: Floats) -> Floats:
        return np.bincount(self.entry_history, weights=values, minlength=self.terms.n_histories).astype(float)

    def _product(self, row: int, weight: Floats, ratio: Floats) -> Floats:
        """Weight times the ratios of a history's detections, (L,)."""
        slots, counts = self.entries[row]
        result = weight * (ratio[slots[0]] if counts[0] == 1.0 else ratio[slots[0]] ** counts[0])
        for slot, count in zip(slots[1:], counts[1:], strict=True):
            result *= ratio[slot] if count == 1.0 else ratio[slot] ** count
        return result

    def _sums(
        self, rows: Ints, weight: Floats, factor_x: Floats, factor_y: Floats, ratio: Floats | None
    ) -> Floats:
        """Σ over the lattice for each history, (h,)."""
        group = self.void.group[rows]
        along = np.empty_like(factor_y)
        if ratio is None:
            for g in range(len(weight)):
                along[group == g] = factor_x[group == g] @ weight[g].reshape(self.shape)
        else:
            for i, row in enumerate(rows):
                along[i] = factor_x[i] @ self._product(row, weight[group[i]], ratio).reshape(self.shape)
        summed: Floats = (along * factor_y).sum(1)
        return summed

    def centres(self, forward: Forward) -> Floats:
        """Pr(cell | history); see :class:`Form`."""
        state: State = forward.state
        if state.fallback is not None:
            return self.dense.centres(state.fallback)
        group = self.void.group[forward.rows]
        result = np.empty((len(group), len(self.lattice.place)))
        for i, row in enumerate(forward.rows):
            weight = state.weight[group[i]]
            weight = weight if state.ratio is None else self._product(row, weight, state.ratio)
            joint = weight.reshape(self.shape) * np.outer(state.marginals[0][i], state.marginals[1][i])
            result[i] = joint.reshape(-1)[self.lattice.place] / state.summed[i]
        return result

    # -- the way back -----------------------------------------------------------------------------------------------------
    def backward(self, forward: Forward, weights: Floats, rate: Floats) -> Slopes:
        """Derivatives; see :class:`Form`."""
        state: State = forward.state
        if state.fallback is not None:
            return self.dense.backward(state.fallback, weights, rate)
        scaled = weights / state.summed
        posterior = self._weigh(state, forward.rows, scaled) if state.ratio is None else self._weigh_products(
            state, forward.rows, scaled
        )
        on_lattice = np.zeros(posterior.by_group.shape[1])
        on_lattice[self.lattice.place] = rate
        cotangent = void_cotangent(self.terms, self.void, state.hazards, posterior.by_group, on_lattice)
        log_base, precision = np.log(state.parameters[self.baseline]), 0.5 / state.parameters["sigma"] ** 2
        base, bent = self.tables.slopes(log_base, precision, cotangent, posterior.by_slot, self.place)
        seen, spread = self._detection_slopes(forward.rows, posterior)
        log_sigma = -2.0 * precision * (bent + spread)
        by_cell = posterior.by_group.sum(0)[self.lattice.place]
        return Slopes(by_cell, {self.baseline: base + seen, "sigma": log_sigma})

    def _weigh(self, state: State, rows: Ints, scaled: Floats) -> Posterior:
        """Posterior sums without a ratio: matrix products by group."""
        group, (factor_x, factor_y) = self.void.group[rows], state.marginals
        scaled_y = factor_y * scaled[:, None]
        by_group = np.zeros_like(state.weight)
        by_x, by_y = np.zeros_like(factor_x), np.zeros_like(factor_y)
        for g, flat in enumerate(state.weight):
            here, weight = group == g, flat.reshape(self.shape)
            by_group[g] = (weight * (factor_x[here].T @ scaled_y[here])).reshape(-1)
            by_x[here] = factor_x[here] * (scaled_y[here] @ weight.T)
            by_y[here] = scaled_y[here] * (factor_x[here] @ weight)
        return Posterior(by_group, by_x, by_y, None)

    def _weigh_products(self, state: State, rows: Ints, scaled: Floats) -> Posterior:
        """Posterior sums with a ratio: history by history."""
        group, (factor_x, factor_y) = self.void.group[rows], state.marginals
        by_group = np.zeros_like(state.weight)
        by_slot = np.zeros((len(self.terms.slot_station), by_group.shape[1]))
        by_x, by_y = np.zeros_like(factor_x), np.zeros_like(factor_y)
        for i, row in enumerate(rows):
            product = self._product(row, state.weight[group[i]], state.ratio).reshape(self.shape)  # type: ignore[arg-type]
            joint = product * np.outer(factor_x[i] * scaled[i], factor_y[i])
            by_x[i], by_y[i] = joint.sum(1), joint.sum(0)
            flat = joint.reshape(-1)
            by_group[group[i]] += flat
            for entry in range(self.terms.start[row], self.terms.start[row + 1]):
                slot, count = self.terms.entry_slot[entry], self.terms.entry_count[entry]
                by_slot[slot] += flat if count == 1.0 else count * flat
        return Posterior(by_group, by_x, by_y, by_slot)

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
