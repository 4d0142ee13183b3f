"""The loops of the probability half-normal, compiled: what NumPy needs many passes over memory for.

They go through the lattice line by line (one x, all y), so that the tables of a line stay in the cache and no table of
station x place is ever stored. They do the same as :class:`LatticeTables` and :class:`SeparableForm` do in NumPy, and are held to it by tests. The
logarithm is a polynomial that vectorises: with s = e/(2 − e), −log(1 − e) = 2 artanh(s), and −log(1 − e)/e =
2 P(s²)/(2 − e), P(t) = Σ tⁿ/(2n + 1). Eighteen terms are exact to double precision for e ≤ 1/2.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np

from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["Slots", "hazard_slopes", "history_sums", "station_hazards", "weigh_histories"]

PAIRS_IN_CACHE = 12_000
MOST_PRODUCTS = 12
ORDERED = {"contract", "reassoc", "nsz", "arcp"}
C = tuple(1.0 / (2 * n + 1) for n in range(18))
C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16, C17 = C

compiled = nb.njit(cache=True, nogil=True, fastmath=ORDERED, error_model="numpy")


@nb.njit(cache=True, nogil=True, fastmath=ORDERED, error_model="numpy", inline="always")
def log_ratio(e):  # type: ignore[no-untyped-def]  # compiled: scalars
    """−log(1 − e)/e for 0 ≤ e ≤ 1/2."""
    r = 1.0 / (2.0 - e)
    s = e * r
    t = s * s
    p = C17 * t + C16
    p = p * t + C15
    p = p * t + C14
    p = p * t + C13
    p = p * t + C12
    p = p * t + C11
    p = p * t + C10
    p = p * t + C9
    p = p * t + C8
    p = p * t + C7
    p = p * t + C6
    p = p * t + C5
    p = p * t + C4
    p = p * t + C3
    p = p * t + C2
    p = p * t + C1
    p = p * t + C0
    return 2.0 * r * p


class Slots(NamedTuple):
    """Histories as the compiled loops read them; see :class:`SessionTerms` for the symbols."""

    station: Ints
    effort: Floats
    proximity: bool
    start: Ints
    slot: Ints
    count: Floats


@compiled
def station_hazards(along_x, along_y, weights, hazards):  # type: ignore[no-untyped-def]
    """Fill H (V, L): Σ_k W_vk · −log(1 − e_k)."""
    n_stations, nx = along_x.shape
    ny = along_y.shape[1]
    hazard = np.empty(ny)
    hazards[:] = 0.0
    for i in range(nx):
        first = i * ny
        for k in range(n_stations):
            a = along_x[k, i]
            for j in range(ny):
                e = a * along_y[k, j]
                hazard[j] = e * log_ratio(e)
            for v in range(len(weights)):
                w = weights[v, k]
                if w != 0.0:
                    line = hazards[v, first : first + ny]
                    for j in range(ny):
                        line[j] += w * hazard[j]


@compiled
def _fill_ratios(first, last, along_x, along_y, slots, kernel, quotient, ratio):  # type: ignore[no-untyped-def]
    """Kernel, −log(1 − e)/e and exp(L)/e of all slots on lines first to last, (U, lines·ny)."""
    ny = along_y.shape[1]
    size = (last - first) * ny
    for u in range(len(slots.station)):
        k, t = slots.station[u], slots.effort[u]
        e, q, r = kernel[u], quotient[u], ratio[u]
        for i in range(first, last):
            a, part = along_x[k, i], e[(i - first) * ny : (i - first + 1) * ny]
            for j in range(ny):
                part[j] = a * along_y[k, j]
        for j in range(size):
            q[j] = log_ratio(e[j])
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
def _joint(ratio, slots, a, b, out):  # type: ignore[no-untyped-def]
    """Multiply ``out`` by the ratios of entries a to b."""
    for p in range(a, b):
        row, c = ratio[slots.slot[p]], slots.count[p]
        if c > MOST_PRODUCTS:
            for j in range(len(out)):
                out[j] *= row[j] ** c
        else:
            for _ in range(int(c)):
                for j in range(len(out)):
                    out[j] *= row[j]


@compiled
def _lines(n_slots, ny):  # type: ignore[no-untyped-def]
    """Lines that are done together: as many as keep the tables in the cache."""
    return max(1, PAIRS_IN_CACHE // (max(n_slots, 1) * ny))


@compiled
def history_sums(along_x, along_y, slots, weight, group, rows, factor_x, factor_y, summed):  # type: ignore[no-untyped-def]
    """Σ over the lattice of weight · Π ratio^count · factors, for each of the histories ``rows``."""
    nx, ny, n_slots = along_x.shape[1], along_y.shape[1], len(slots.station)
    lines = _lines(n_slots, ny)
    kernel = np.empty((n_slots, lines * ny))
    quotient, ratio, work = np.empty_like(kernel), np.empty_like(kernel), np.empty(lines * ny)
    summed[:] = 0.0
    for first in range(0, nx, lines):
        last = min(first + lines, nx)
        out = work[: (last - first) * ny]
        _fill_ratios(first, last, along_x, along_y, slots, kernel, quotient, ratio)
        for h in range(len(rows)):
            out[:] = weight[group[h], first * ny : last * ny]
            _joint(ratio, slots, slots.start[rows[h]], slots.start[rows[h] + 1], out)
            for i in range(first, last):
                part, line = 0.0, out[(i - first) * ny : (i - first + 1) * ny]
                for j in range(ny):
                    part += line[j] * factor_y[h, j]
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
):  # type: ignore[no-untyped-def]
    """Weighted posterior sums by group and along x and y, and the slopes of b_k and 1/2σ_k² through the ratios."""
    nx, ny, n_slots = along_x.shape[1], along_y.shape[1], len(slots.station)
    lines = _lines(n_slots, ny)
    kernel = np.empty((n_slots, lines * ny))
    quotient, ratio, work = np.empty_like(kernel), np.empty_like(kernel), np.empty(lines * ny)
    by_slot = np.empty_like(kernel)
    for first in range(0, nx, lines):
        last = min(first + lines, nx)
        out = work[: (last - first) * ny]
        _fill_ratios(first, last, along_x, along_y, slots, kernel, quotient, ratio)
        by_slot[:] = 0.0
        for h in range(len(rows)):
            a, b = slots.start[rows[h]], slots.start[rows[h] + 1]
            out[:] = weight[group[h], first * ny : last * ny]
            _joint(ratio, slots, a, b, out)
            for i in range(first, last):
                f, part, line = factor_x[h, i] * scaled[h], 0.0, out[(i - first) * ny : (i - first + 1) * ny]
                for j in range(ny):
                    line[j] *= f * factor_y[h, j]
                    part += line[j]
                    by_y[h, j] += line[j]
                by_x[h, i] = part
            mine = by_group[group[h], first * ny : last * ny]
            for j in range(len(out)):
                mine[j] += out[j]
            for p in range(a, b):
                row, c = by_slot[slots.slot[p]], slots.count[p]
                for j in range(len(out)):
                    row[j] += c * out[j]
        _add_ratio_slopes(first, last, square_x, square_y, slots, kernel, quotient, by_slot, base, bent)


@compiled
def _add_ratio_slopes(first, last, square_x, square_y, slots, kernel, quotient, by_slot, base, bent):  # type: ignore[no-untyped-def]
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
def hazard_slopes(along_x, along_y, square_x, square_y, weights, cotangent, base, bent):  # type: ignore[no-untyped-def]
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
