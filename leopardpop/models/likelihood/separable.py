r"""The half-normal on a lattice: exp(−d²/2σ²) = e_x e_y, so that sums over stations are matrix products.

With the log baseline b (log λ0 or log g0) of station k, the *kernel* is e_k(x) = exp(b_k − d²/2σ_k²); a hazard
half-normal has λ = e, a probability half-normal λ = −log(1 − e). The product over an animal's detections is again a
product of two functions of one coordinate each, centred on the (weighted) mean of its stations. What is left is the
*ratio* exp(L_u)/e (one for counts of a hazard half-normal), which is bounded and smooth.

Sums are formed on the linear scale; where a history's sum underflows or a ratio overflows, the dense form answers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from leopardpop.components.detection import DetectionFunction, HalfNormal, ProbabilityHalfNormal
from leopardpop.components.special import TINY
from leopardpop.models.likelihood.dense import DenseForm
from leopardpop.models.likelihood.form import (
    Forward,
    Parameters,
    Slopes,
    history_terms,
    history_void,
    void_cotangent,
)
from leopardpop.models.likelihood.terms import Floats, Ints, SessionTerms

__all__ = ["SeparableForm", "choose_form", "lattice_of"]

MINIMUM_FILL = 0.3
PAIRS_AT_MOST = 20_000_000
SMALLEST_SUM = 1e-280


class Lattice(NamedTuple):
    """Cells as places on the product of two sets of coordinates."""

    x: Floats
    y: Floats
    place: Ints
    """Index of each cell in the flattened (x, y) table, (J,)."""


class Kernels(NamedTuple):
    """Tables of station (or slot) x cell of the lattice; None where the matrix products do without them."""

    station: Floats | None
    """e_k(x) of a probability half-normal, (K, L)."""
    hazard: Floats | None
    """λ_k(x) of a probability half-normal, (K, L)."""
    slot: Floats | None
    """e_u(x), (U, L)."""
    slot_hazard: Floats | None
    """λ_u(x), (U, L)."""


class State(NamedTuple):
    """What :meth:`SeparableForm.backward` needs of the way forward."""

    parameters: Parameters
    hazards: Floats
    along: tuple[Floats, Floats]
    kernels: Kernels
    posterior: Floats
    """Unnormalised Pr(cell | history) without the marginal factors: (h, cells), or a row a group if there is no ratio."""
    marginals: tuple[Floats, Floats]
    summed: Floats
    fallback: Forward | None


def lattice_of(cells: Floats) -> Lattice | None:
    """Return the lattice that the cells fill to at least 30 %, or None."""
    if len(cells) == 0:
        return None
    scale = max(np.ptp(cells[:, 0]), np.ptp(cells[:, 1]), 1.0)
    keys = np.round(cells / (scale * 1e-9)).astype(np.int64)
    _, first_x, at_x = np.unique(keys[:, 0], return_index=True, return_inverse=True)
    _, first_y, at_y = np.unique(keys[:, 1], return_index=True, return_inverse=True)
    place = at_x * len(first_y) + at_y
    if len(cells) < MINIMUM_FILL * len(first_x) * len(first_y) or len(np.unique(place)) < len(cells):
        return None
    return Lattice(cells[first_x, 0], cells[first_y, 1], place)


def choose_form(terms: SessionTerms, detection: DetectionFunction) -> DenseForm | SeparableForm:
    """Separable where it applies (a half-normal on a lattice), else dense."""
    lattice = lattice_of(terms.cells) if type(detection) in (HalfNormal, ProbabilityHalfNormal) else None
    if lattice is None:
        return DenseForm(terms, detection)
    size = len(lattice.x) * len(lattice.y)
    plain = type(detection) is HalfNormal and terms.detector != "proximity"
    pairs = 0 if plain else size * max(len(terms.slot_station), len(terms.stations), terms.n_histories)
    return DenseForm(terms, detection) if pairs > PAIRS_AT_MOST else SeparableForm(terms, detection, lattice)


class SeparableForm:
    """Separable form of the two half-normals.

    Parameters
    ----------
    terms
        The session.
    detection
        :class:`HalfNormal` or :class:`ProbabilityHalfNormal`.
    lattice
        The lattice of the mask's cells.
    """

    def __init__(self, terms: SessionTerms, detection: DetectionFunction, lattice: Lattice) -> None:
        self.terms, self.lattice = terms, lattice
        self.is_probability = isinstance(detection, ProbabilityHalfNormal)
        self.baseline = "g0" if self.is_probability else "lambda0"
        self.has_ratio = self.is_probability or terms.detector == "proximity"
        self.void = history_void(terms)
        self.dense = DenseForm(terms, detection)
        self.dense.distances = None
        self.log_area = np.log(terms.area)
        self.square_x = (lattice.x - terms.stations[:, :1]) ** 2
        self.square_y = (lattice.y - terms.stations[:, 1:]) ** 2
        self.shape = (len(lattice.x), len(lattice.y))
        self.entry_station = terms.slot_station[terms.entry_slot]
        self.entry_history = terms.entry_history

    def forward(self, log_density: Floats, parameters: Parameters, rows: Ints) -> Forward:
        """Log totals of the histories ``rows``; see :class:`Form`."""
        log_base, precision = np.log(parameters[self.baseline]), 0.5 / parameters["sigma"] ** 2
        along_x = np.exp(log_base[:, None] - self.square_x * precision[:, None])
        along_y = np.exp(-self.square_y * precision[:, None])
        kernels = self._kernels(along_x, along_y)
        hazards = self._hazards(along_x, along_y, kernels.hazard)
        total, place = self.terms.times @ hazards, self.lattice.place
        base = np.full(total.shape, -np.inf)
        base[place] = log_density + self.log_area - total[place]
        weight = np.exp(history_terms(self.void, hazards) + base)
        factor_x, factor_y, log_scale = self._marginals(log_base, precision, rows)
        posterior, summed = self._sums(rows, weight, factor_x, factor_y, self._ratio(kernels))
        log_total = np.log(summed) + log_scale
        fallback = None
        if not (summed > SMALLEST_SUM).all() or not np.isfinite(log_total).all():
            fallback = self.dense.forward(log_density, parameters, rows)
            log_total = fallback.log_total
        state = State(
            parameters, hazards, (along_x, along_y), kernels, posterior, (factor_x, factor_y), summed, fallback
        )
        return Forward(log_total, total[place], rows, state)

    def _kernels(self, along_x: Floats, along_y: Floats) -> Kernels:
        """Tables that do not separate: all stations for a probability, the slots for a proximity detector."""
        at = self.terms.slot_station
        if self.is_probability:
            station = _outer(along_x, along_y)
            hazard = -np.log1p(-station)
            return Kernels(station, hazard, station[at], hazard[at])
        if self.has_ratio:
            slot = _outer(along_x[at], along_y[at])
            return Kernels(None, None, slot, slot)
        return Kernels(None, None, None, None)

    def _hazards(self, along_x: Floats, along_y: Floats, hazard: Floats | None) -> Floats:
        """H_v(x), (V, L)."""
        if hazard is not None:
            return self.terms.weights @ hazard
        return np.stack([((along_x * w[:, None]).T @ along_y).reshape(-1) for w in self.terms.weights])

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
        return np.bincount(self.entry_history, weights=values, minlength=self.terms.n_histories)

    def _ratio(self, kernels: Kernels) -> Floats | None:
        """exp(L_u)/e_u, (U, L): (exp(Tλ) − 1)/(T e) for proximity, λ/e otherwise; None if it is one."""
        if kernels.slot is None or kernels.slot_hazard is None:
            return None
        below = kernels.slot + TINY
        if self.terms.detector != "proximity":
            return (kernels.slot_hazard + TINY) / below
        effort = self.terms.slot_effort[:, None]
        ratio: Floats = np.expm1(effort * (kernels.slot_hazard + TINY)) / (effort * below)
        return ratio

    def _sums(
        self, rows: Ints, weight: Floats, factor_x: Floats, factor_y: Floats, ratio: Floats | None
    ) -> tuple[Floats, Floats]:
        """Σ over the lattice for each history, and what it sums without the marginal factors."""
        group = self.void.group[rows]
        if ratio is None:
            along = np.empty_like(factor_y)
            for g in range(len(weight)):
                along[group == g] = factor_x[group == g] @ weight[g].reshape(self.shape)
            return weight, (along * factor_y).sum(1)
        product = weight[group]
        for i, row in enumerate(rows):
            for entry in range(self.terms.start[row], self.terms.start[row + 1]):
                factor, count = ratio[self.terms.entry_slot[entry]], self.terms.entry_count[entry]
                product[i] *= factor if count == 1.0 else factor**count
        along = np.matmul(factor_x[:, None, :], product.reshape(-1, *self.shape))[:, 0]
        return product, (along * factor_y).sum(1)

    def _normalised(self, forward: Forward) -> Floats:
        """Pr(place of the lattice | history), (h, L)."""
        state = forward.state
        rows = state.posterior if self.has_ratio else state.posterior[self.void.group[forward.rows]]
        factor_x, factor_y = state.marginals
        result: Floats = rows * _outer(factor_x / state.summed[:, None], factor_y)
        return result

    def centres(self, forward: Forward) -> Floats:
        """Pr(cell | history); see :class:`Form`."""
        if forward.state.fallback is not None:
            return self.dense.centres(forward.state.fallback)
        return self._normalised(forward)[:, self.lattice.place]

    def backward(self, forward: Forward, weights: Floats, rate: Floats) -> Slopes:
        """Derivatives; see :class:`Form`."""
        state: State = forward.state
        if state.fallback is not None:
            return self.dense.backward(state.fallback, weights, rate)
        weighted = self._normalised(forward) * weights[:, None]
        on_lattice = np.zeros(weighted.shape[1])
        on_lattice[self.lattice.place] = rate
        by_group = np.zeros((len(self.void.visits), weighted.shape[1]))
        np.add.at(by_group, self.void.group[forward.rows], weighted)
        cotangent = void_cotangent(self.terms, self.void, state.hazards, by_group, on_lattice)
        base, precision = self._detection_slopes(forward.rows, weighted)
        for part in (self._void_slopes(state, cotangent), self._ratio_slopes(state, forward.rows, weighted)):
            base += part[0]
            precision += part[1]
        log_sigma = -precision / state.parameters["sigma"] ** 2
        by_cell = weighted.sum(0)[self.lattice.place]
        return Slopes(by_cell, {self.baseline: base, "sigma": log_sigma})

    def _detection_slopes(self, rows: Ints, weighted: Floats) -> tuple[Floats, Floats]:
        """Slopes of Σ y log e with respect to b_k and to 1/2σ_k²: counts, and minus expected squared distances."""
        position = np.full(self.terms.n_histories, -1)
        position[rows] = np.arange(len(rows))
        used = position[self.entry_history] >= 0
        at, station = position[self.entry_history[used]], self.entry_station[used]
        table = weighted.reshape(-1, *self.shape)
        by_x, by_y, count = table.sum(2), table.sum(1), self.terms.entry_count[used]
        square = (by_x[at] * self.square_x[station]).sum(1) + (by_y[at] * self.square_y[station]).sum(1)
        n = len(self.terms.stations)
        return (
            np.bincount(station, weights=count * by_x.sum(1)[at], minlength=n),
            -np.bincount(station, weights=count * square, minlength=n),
        )

    def _void_slopes(self, state: State, cotangent: Floats) -> tuple[Floats, Floats]:
        """Slopes through H_v."""
        if state.kernels.station is not None:
            pull = (self.terms.weights.T @ cotangent) * (state.kernels.station / (1.0 - state.kernels.station))
            return self._kernel_slopes(pull)
        along_x, along_y = state.along
        base, precision = np.zeros(len(along_x)), np.zeros(len(along_x))
        for effort, table in zip(self.terms.weights, cotangent.reshape(-1, *self.shape), strict=True):
            row = along_x * (along_y @ table.T)
            base += effort * row.sum(1)
            across = along_x * ((along_y * self.square_y) @ table.T)
            precision -= effort * ((row * self.square_x).sum(1) + across.sum(1))
        return base, precision

    def _ratio_slopes(self, state: State, rows: Ints, weighted: Floats) -> tuple[Floats, Floats] | tuple[float, float]:
        """Slopes through the ratio."""
        kernel, hazard = state.kernels.slot, state.kernels.slot_hazard
        if kernel is None or hazard is None:
            return 0.0, 0.0
        slope: Any = 1.0
        if self.terms.detector == "proximity":
            expected = self.terms.slot_effort[:, None] * hazard + TINY
            slope = -expected / np.expm1(-expected)
        if self.is_probability:
            slope = slope * (kernel + TINY) / ((1.0 - kernel) * (hazard + TINY))
        by_slot = self.dense.counts[rows].T @ weighted
        return self._kernel_slopes(self.dense.station_of_slot @ (by_slot * (slope - 1.0)))

    def _kernel_slopes(self, pull: Floats) -> tuple[Floats, Floats]:
        """From slopes with respect to log e_k(x), (K, L), to those with respect to b_k and 1/2σ_k²."""
        table = pull.reshape(-1, *self.shape)
        by_x, by_y = table.sum(2), table.sum(1)
        return by_x.sum(1), -((by_x * self.square_x).sum(1) + (by_y * self.square_y).sum(1))


def _outer(left: Floats, right: Floats) -> Floats:
    """Products of the rows of two tables, (n, a) and (n, b) to (n, a·b)."""
    return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)
