# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
"""The loops of the probability half-normal, compiled: what NumPy needs many passes over memory for.

They go through the lattice a few lines at a time (one x, all y), so that the tables stay in the cache and no table of
station x place is ever stored. They do the same as :class:`LatticeTables` and :class:`DenseForm` do in NumPy, and are
held to it by tests. The logarithm is a polynomial that vectorises: with s = e/(2 − e), −log(1 − e) = 2 artanh(s), and
−log(1 − e)/e = 2 P(s²)/(2 − e), P(t) = Σ tⁿ/(2n + 1). Eighteen terms are exact to double precision for e ≤ 1/2, twelve
for 0.3, five for 0.05. Arrays are indexed rather than sliced: a slice counts references, which costs more than a line.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np

from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["Slots", "hazard_slopes", "history_sums", "station_hazards", "weigh_histories"]

PAIRS_IN_CACHE = 48_000
MOST_PRODUCTS = 12
NEGLIGIBLE = 1e-18
ORDERED = {"contract", "reassoc", "nsz", "arcp"}
compiled = nb.njit(cache=True, nogil=True, fastmath=ORDERED, error_model="numpy")
inlined = nb.njit(cache=True, nogil=True, fastmath=ORDERED, error_model="numpy", inline="always")


@inlined
def _series_5(t):
    return (((t / 9 + 1 / 7) * t + 1 / 5) * t + 1 / 3) * t + 1.0


@inlined
def _series_12(t):
    p = ((((((t / 23 + 1 / 21) * t + 1 / 19) * t + 1 / 17) * t + 1 / 15) * t + 1 / 13) * t + 1 / 11) * t + 1 / 9
    return (((p * t + 1 / 7) * t + 1 / 5) * t + 1 / 3) * t + 1.0


@inlined
def _series_18(t):
    p = (((((t / 35 + 1 / 33) * t + 1 / 31) * t + 1 / 29) * t + 1 / 27) * t + 1 / 25) * t + 1 / 23
    p = ((((((p * t + 1 / 21) * t + 1 / 19) * t + 1 / 17) * t + 1 / 15) * t + 1 / 13) * t + 1 / 11) * t + 1 / 9
    return (((p * t + 1 / 7) * t + 1 / 5) * t + 1 / 3) * t + 1.0


@compiled
def log_ratios(e, largest, q):
    """Fill q with −log(1 − e)/e for 0 ≤ e ≤ largest ≤ 1/2: as many terms as the largest needs."""
    if largest < NEGLIGIBLE:
        q[:] = 1.0
    elif largest < 0.05:
        for j in range(len(e)):
            r = 1.0 / (2.0 - e[j])
            q[j] = 2.0 * r * _series_5(e[j] * r * e[j] * r)
    elif largest < 0.3:
        for j in range(len(e)):
            r = 1.0 / (2.0 - e[j])
            q[j] = 2.0 * r * _series_12(e[j] * r * e[j] * r)
    else:
        for j in range(len(e)):
            r = 1.0 / (2.0 - e[j])
            q[j] = 2.0 * r * _series_18(e[j] * r * e[j] * r)


class Slots(NamedTuple):
    """Histories as the compiled loops read them; see :class:`SessionTerms` for the symbols."""

    station: Ints
    effort: Floats
    proximity: bool
    start: Ints
    slot: Ints
    number: Floats


@compiled
def station_hazards(along_x, along_y, weights, hazards):
    """Fill H (V, L): Σ_k W_vk · −log(1 − e_k)."""
    n_stations, nx = along_x.shape
    ny = along_y.shape[1]
    kernel, quotient = np.empty(ny), np.empty(ny)
    hazards[:] = 0.0
    for i in range(nx):
        for k in range(n_stations):
            a = along_x[k, i]
            if a < NEGLIGIBLE:
                continue
            for j in range(ny):
                kernel[j] = a * along_y[k, j]
            log_ratios(kernel, a, quotient)
            for v in range(len(weights)):
                w = weights[v, k]
                if w != 0.0:
                    line = hazards[v, i * ny : (i + 1) * ny]
                    for j in range(ny):
                        line[j] += w * kernel[j] * quotient[j]


@compiled
def _fill_ratios(first, last, along_x, along_y, slots, kernel, quotient, ratio, matters):
    """Kernel, −log(1 − e)/e and exp(L)/e of all slots on lines first to last, (U, lines·ny); which differ from one."""
    ny = along_y.shape[1]
    size = (last - first) * ny
    for u in range(len(slots.station)):
        k, t = slots.station[u], slots.effort[u]
        e, q, r = kernel[u, :size], quotient[u, :size], ratio[u]
        largest = 0.0
        for i in range(first, last):
            a, part = along_x[k, i], e[(i - first) * ny : (i - first + 1) * ny]
            largest = max(largest, a)
            for j in range(ny):
                part[j] = a * along_y[k, j]
        matters[u] = largest >= NEGLIGIBLE
        log_ratios(e, largest, q)
        if not slots.proximity:
            for j in range(size):
                r[j] = q[j]
        elif t == 1.0:
            for j in range(size):
                r[j] = 1.0 / (1.0 - e[j])
        else:
            for j in range(size):
                x = t * e[j] * q[j]
                r[j] = q[j] * (np.expm1(x) / x if x > 1e-300 else 1.0)


@compiled
def _lines(n_slots, ny):
    """Lines that are done together: as many as keep the tables in the cache."""
    return max(1, PAIRS_IN_CACHE // (max(n_slots, 1) * ny))


@compiled
def history_sums(along_x, along_y, slots, weight, group, rows, factor_x, factor_y, summed):
    """Σ over the lattice of weight · Π ratio^count · factors, for each of the histories ``rows``."""
    nx, ny, n_slots = along_x.shape[1], along_y.shape[1], len(slots.station)
    lines = _lines(n_slots, ny)
    kernel = np.empty((n_slots, lines * ny))
    quotient, ratio, out = np.empty_like(kernel), np.empty_like(kernel), np.empty(lines * ny)
    start, slot, count = slots.start, slots.slot, slots.number
    matters = np.empty(n_slots, np.bool_)
    summed[:] = 0.0
    for first in range(0, nx, lines):
        last = min(first + lines, nx)
        size = (last - first) * ny
        _fill_ratios(first, last, along_x, along_y, slots, kernel, quotient, ratio, matters)
        for h in range(len(rows)):
            g = group[h]
            for j in range(size):
                out[j] = weight[g, first * ny + j]
            for p in range(start[rows[h]], start[rows[h] + 1]):
                u, c = slot[p], count[p]
                if not matters[u]:
                    continue
                for _ in range(int(min(c, MOST_PRODUCTS))):
                    for j in range(size):
                        out[j] *= ratio[u, j]
                if c > MOST_PRODUCTS:
                    for j in range(size):
                        out[j] *= ratio[u, j] ** (c - MOST_PRODUCTS)
            for i in range(first, last):
                part, at = 0.0, (i - first) * ny
                for j in range(ny):
                    part += out[at + j] * factor_y[h, j]
                summed[h] += part * factor_x[h, i]


@compiled
def weigh_histories(
    along_x,
    along_y,
    square_x,
    square_y,
    slots,
    weight,
    group,
    rows,
    factor_x,
    factor_y,
    scaled,
    by_group,
    by_x,
    by_y,
    base,
    bent,
):
    """Weighted posterior sums by group and along x and y, and the slopes of b_k and 1/2σ_k² through the ratios."""
    nx, ny, n_slots = along_x.shape[1], along_y.shape[1], len(slots.station)
    lines = _lines(n_slots, ny)
    kernel = np.empty((n_slots, lines * ny))
    quotient, ratio, out = np.empty_like(kernel), np.empty_like(kernel), np.empty(lines * ny)
    start, slot, count = slots.start, slots.slot, slots.number
    matters = np.empty(n_slots, np.bool_)
    by_slot = np.empty_like(kernel)
    for first in range(0, nx, lines):
        last = min(first + lines, nx)
        size = (last - first) * ny
        _fill_ratios(first, last, along_x, along_y, slots, kernel, quotient, ratio, matters)
        by_slot[:] = 0.0
        for h in range(len(rows)):
            g = group[h]
            for j in range(size):
                out[j] = weight[g, first * ny + j]
            for p in range(start[rows[h]], start[rows[h] + 1]):
                u, c = slot[p], count[p]
                if not matters[u]:
                    continue
                for _ in range(int(min(c, MOST_PRODUCTS))):
                    for j in range(size):
                        out[j] *= ratio[u, j]
                if c > MOST_PRODUCTS:
                    for j in range(size):
                        out[j] *= ratio[u, j] ** (c - MOST_PRODUCTS)
            for i in range(first, last):
                f, part, at = factor_x[h, i] * scaled[h], 0.0, (i - first) * ny
                for j in range(ny):
                    out[at + j] *= f * factor_y[h, j]
                    part += out[at + j]
                    by_y[h, j] += out[at + j]
                by_x[h, i] = part
            for j in range(size):
                by_group[g, first * ny + j] += out[j]
            for p in range(start[rows[h]], start[rows[h] + 1]):
                u, c = slot[p], count[p]
                for j in range(size):
                    by_slot[u, j] += c * out[j]
        _add_ratio_slopes(first, last, square_x, square_y, slots, kernel, quotient, by_slot, base, bent)


@compiled
def _add_ratio_slopes(first, last, square_x, square_y, slots, kernel, quotient, by_slot, base, bent):
    """From slopes with respect to the log ratios on lines first to last to those of b_k and 1/2σ_k²."""
    ny = square_y.shape[1]
    for u in range(len(slots.station)):
        k, t = slots.station[u], slots.effort[u]
        for i in range(first, last):
            total, across, at = 0.0, 0.0, (i - first) * ny
            for j in range(ny):
                e, q, bend = kernel[u, at + j], quotient[u, at + j], 1.0
                if slots.proximity:
                    x = t * e * q
                    bend = -x / np.expm1(-x) if x > 1e-300 else 1.0
                pull = by_slot[u, at + j] * (bend / ((1.0 - e) * q) - 1.0)
                total += pull
                across += pull * square_y[k, j]
            base[k] += total
            bent[k] -= total * square_x[k, i] + across


@compiled
def hazard_slopes(along_x, along_y, square_x, square_y, weights, cotangent, base, bent):
    """Slopes of b_k and 1/2σ_k² through H_v(x)."""
    n_stations, nx = along_x.shape
    ny = along_y.shape[1]
    for i in range(nx):
        for k in range(n_stations):
            a, total, across = along_x[k, i], 0.0, 0.0
            for v in range(len(weights)):
                w = weights[v, k]
                if w != 0.0:
                    row = cotangent[v, i * ny : (i + 1) * ny]
                    for j in range(ny):
                        e = a * along_y[k, j]
                        pull = w * row[j] * e / (1.0 - e)
                        total += pull
                        across += pull * square_y[k, j]
            base[k] += total
            bent[k] -= total * square_x[k, i] + across
