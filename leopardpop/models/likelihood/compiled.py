# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
"""The loops of the probability half-normal, compiled: what NumPy needs many passes over memory for.

They go through the lattice a few lines at a time (one x, all y), so that the tables stay in the cache and no table of
station x place is ever stored. They do the same as :class:`LatticeTables` and :class:`DenseForm` do in NumPy, and are
held to it by tests.

Every index begins at zero of its own axis and nothing is sliced: compilers then see that loops vectorise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from leopardpop.models.likelihood.elementary import add_hazard, compiled, log_ratios, one_minus_exp, part
from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = [
    "Slots",
    "hazard_slopes",
    "history_sums",
    "multiply_ratios",
    "ratio_slopes",
    "station_hazards",
    "weigh_histories",
]

PAIRS_IN_CACHE = 48_000
MOST_PRODUCTS = 12
SMALL_HAZARD = 0.3
"""Up to it seven terms of the slope of log((exp(h) − 1)/h) are exact to double precision."""
NEGLIGIBLE = 1e-16
"""Of it even the quotient −log(1 − e)/e is one to double precision."""
SMALL_EXPECTED = 5e-3
"""Up to it five terms of (exp(Tλ) − 1)/(Tλ) are exact to double precision."""


class Slots(NamedTuple):
    """Histories as the compiled loops read them; see :class:`SessionTerms` for the symbols."""

    station: Ints
    effort: Floats
    proximity: bool
    start: Ints
    slot: Ints
    number: Floats


@compiled
def station_hazards(along_x, along_y, columns, hazards):
    """Fill H (V, nx, ny): Σ_k W_vk · −log(1 − e_k), W by station."""
    n_stations, nx = along_x.shape
    ny = along_y.shape[1]
    quotient = np.empty((1, 1, ny))
    hazards[:] = 0.0
    for k in range(n_stations):
        for i in range(nx):
            a = along_x[k, i]
            for p in range(columns.start[k], columns.start[k + 1]):
                v, w = columns.vector[p], columns.weight[p]
                if p == columns.start[k]:
                    add_hazard(a, along_y, k, w, quotient, 0, 0, hazards, v, i)
                    continue
                for j in range(ny):
                    hazards[v, i, j] += w * a * along_y[k, j] * quotient[0, 0, j]


@part
def _fill_ratios(first, n, along_x, along_y, slots, quotient, ratio, matters):
    """exp(L)/e of all slots on n lines from the first, (U, n, ny), and which of them differ from one."""
    ny = along_y.shape[1]
    for u in range(len(slots.station)):
        k, t, largest = slots.station[u], slots.effort[u], 0.0
        for i in range(n):
            a = along_x[k, first + i]
            largest = max(largest, a)
            if slots.proximity and t == 1.0:
                for j in range(ny):
                    ratio[u, i, j] = 1.0 / (1.0 - a * along_y[k, j])
                continue
            log_ratios(a, along_y, k, quotient)
            if not slots.proximity:
                for j in range(ny):
                    ratio[u, i, j] = quotient[j]
            elif t * a < SMALL_EXPECTED:
                for j in range(ny):
                    x = t * a * along_y[k, j] * quotient[j]
                    p = (((x / 720 + 1 / 120) * x + 1 / 24) * x + 1 / 6) * x + 1 / 2
                    ratio[u, i, j] = quotient[j] * (p * x + 1.0)
            else:
                for j in range(ny):
                    x = t * a * along_y[k, j] * quotient[j]
                    ratio[u, i, j] = quotient[j] * (np.expm1(x) / x if x > 1e-300 else 1.0)
        matters[u] = largest >= NEGLIGIBLE


@part
def _lines(n_slots, nx, ny):
    """Lines that are done together: as many as keep the tables in the cache."""
    return min(nx, max(1, PAIRS_IN_CACHE // (max(n_slots, 1) * ny)))


@part
def _multiply(first, n, ratio, matters, slots, h, weight, g, out):
    """Fill out (n, ny) with weight · Π ratio^count of history h on n lines from the first."""
    ny = out.shape[1]
    for i in range(n):
        for j in range(ny):
            out[i, j] = weight[g, first + i, j]
    for p in range(slots.start[h], slots.start[h + 1]):
        u, c = slots.slot[p], slots.number[p]
        if not matters[u]:
            continue
        for _ in range(int(min(c, MOST_PRODUCTS))):
            for i in range(n):
                for j in range(ny):
                    out[i, j] *= ratio[u, i, j]
        if c > MOST_PRODUCTS:
            for i in range(n):
                for j in range(ny):
                    out[i, j] *= ratio[u, i, j] ** (c - MOST_PRODUCTS)


@compiled
def history_sums(along_x, along_y, slots, weight, group, rows, factor_x, factor_y, summed):
    """Σ over the lattice of weight · Π ratio^count · factors, for each of the histories ``rows``."""
    nx, ny, n_slots = along_x.shape[1], along_y.shape[1], len(slots.station)
    lines = _lines(n_slots, nx, ny)
    ratio, out, quotient = np.empty((n_slots, lines, ny)), np.empty((lines, ny)), np.empty(ny)
    matters = np.empty(n_slots, np.bool_)
    summed[:] = 0.0
    for first in range(0, nx, lines):
        n = min(lines, nx - first)
        _fill_ratios(first, n, along_x, along_y, slots, quotient, ratio, matters)
        for h in range(len(rows)):
            _multiply(first, n, ratio, matters, slots, rows[h], weight, group[h], out)
            for i in range(n):
                part = 0.0
                for j in range(ny):
                    part += out[i, j] * factor_y[h, j]
                summed[h] += part * factor_x[h, first + i]


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
    lines = _lines(n_slots, nx, ny)
    ratio, out, quotient = np.empty((n_slots, lines, ny)), np.empty((lines, ny)), np.empty(ny)
    matters, by_slot = np.empty(n_slots, np.bool_), np.empty((n_slots, lines, ny))
    for first in range(0, nx, lines):
        n = min(lines, nx - first)
        _fill_ratios(first, n, along_x, along_y, slots, quotient, ratio, matters)
        by_slot[:] = 0.0
        for h in range(len(rows)):
            _multiply(first, n, ratio, matters, slots, rows[h], weight, group[h], out)
            for i in range(n):
                f, part = factor_x[h, first + i] * scaled[h], 0.0
                for j in range(ny):
                    out[i, j] *= f * factor_y[h, j]
                    part += out[i, j]
                    by_y[h, j] += out[i, j]
                    by_group[group[h], first + i, j] += out[i, j]
                by_x[h, first + i] = part
            for p in range(slots.start[rows[h]], slots.start[rows[h] + 1]):
                u, c = slots.slot[p], slots.number[p]
                if matters[u]:
                    for i in range(n):
                        for j in range(ny):
                            by_slot[u, i, j] += c * out[i, j]
        _add_ratio_slopes(first, n, along_x, along_y, square_x, square_y, slots, quotient, by_slot, base, bent)


@part
def _add_ratio_slopes(first, n, along_x, along_y, square_x, square_y, slots, quotient, by_slot, base, bent):
    """From slopes with respect to the log ratios on n lines from the first to those of b_k and 1/2σ_k²."""
    ny = square_y.shape[1]
    for u in range(len(slots.station)):
        k, t = slots.station[u], slots.effort[u]
        for i in range(n):
            a, total, across = along_x[k, first + i], 0.0, 0.0
            if a < NEGLIGIBLE:
                continue
            log_ratios(a, along_y, k, quotient)
            if slots.proximity:
                for j in range(ny):
                    e = a * along_y[k, j]
                    x = t * e * quotient[j]
                    bend = -x / np.expm1(-x) if x > 1e-300 else 1.0
                    pull = by_slot[u, i, j] * (bend / ((1.0 - e) * quotient[j]) - 1.0)
                    total += pull
                    across += pull * square_y[k, j]
            else:
                for j in range(ny):
                    pull = by_slot[u, i, j] * (1.0 / ((1.0 - a * along_y[k, j]) * quotient[j]) - 1.0)
                    total += pull
                    across += pull * square_y[k, j]
            base[k] += total
            bent[k] -= total * square_x[k, first + i] + across


@compiled
def hazard_slopes(along_x, along_y, square_x, square_y, columns, cotangent, base, bent):
    """Slopes of b_k and 1/2σ_k² through H_v(x), from those with respect to H_v(x), (V, nx, ny)."""
    n_stations, nx = along_x.shape
    ny = along_y.shape[1]
    for k in range(n_stations):
        for i in range(nx):
            a, total, across = along_x[k, i], 0.0, 0.0
            for p in range(columns.start[k], columns.start[k + 1]):
                v, w = columns.vector[p], columns.weight[p]
                for j in range(ny):
                    e = a * along_y[k, j]
                    pull = w * cotangent[v, i, j] * e / (1.0 - e)
                    total += pull
                    across += pull * square_y[k, j]
            base[k] += total
            bent[k] -= total * square_x[k, i] + across


@compiled
def multiply_ratios(weights, hazards, silent, start, vector, power):
    """Multiply weights (G, L) by Π_v ((1 − exp(−H_v))/H_v)^c, entries of group g at start[g]:start[g + 1].

    ``silent`` is exp(−H), (V, L).
    """
    n = weights.shape[1]
    for g in range(len(weights)):
        for p in range(start[g], start[g + 1]):
            v = vector[p]
            for _ in range(int(power[p])):
                for j in range(n):
                    weights[g, j] *= one_minus_exp(hazards[v, j], silent[v, j])


@compiled
def ratio_slopes(hazards, silent, slopes):
    """Fill slopes (V, L) with the derivative of log((exp(h) − 1)/h): 1/(1 − exp(−h)) − 1/h."""
    for v in range(len(hazards)):
        for j in range(hazards.shape[1]):
            h = hazards[v, j]
            t = h * h
            p = ((((-691 / 1307674368000 * t + 1 / 47900160) * t - 1 / 1209600) * t + 1 / 30240) * t - 1 / 720) * t
            small = 0.5 + h * (p + 1 / 12)
            slopes[v, j] = small if h < SMALL_HAZARD else 1.0 / (1.0 - silent[v, j]) - 1.0 / h
