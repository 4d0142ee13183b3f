# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
"""The loops of the probability half-normal, compiled: what NumPy needs many passes over memory for.

They go through the lattice a few lines at a time (one x, all y), so that the tables stay in the cache and no table of
station x place is ever stored. They do the same as :class:`LatticeTables` and :class:`DenseForm` do in NumPy, and are
held to it by tests. The quotient −log(1 − e)/e is a polynomial in e that vectorises: through the Chebyshev nodes of
0 to 1/2, 0.3 or 0.05 with as many terms as double precision needs; on lines where e is small, as on most, four terms of
the power series.

Every index begins at zero of its own axis and nothing is sliced: compilers then see that loops vectorise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from leopardpop.models.likelihood.elementary import compiled, inlined
from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = [
    "Slots",
    "add_hazard",
    "hazard_slopes",
    "history_sums",
    "log_ratios",
    "multiply_ratios",
    "ratio_slopes",
    "station_hazards",
    "weigh_histories",
]

PAIRS_IN_CACHE = 48_000
MOST_PRODUCTS = 12
SMALL_HAZARD = 0.3
"""Up to it eleven terms of (1 − exp(−h))/h and seven of its logarithm's slope are exact to double precision."""
NEGLIGIBLE = 1e-16
"""Of it even the quotient −log(1 − e)/e is one to double precision."""
SMALL = 2e-4
"""Up to it four terms of the quotient's power series are exact to double precision."""
SMALL_EXPECTED = 5e-3
"""The same for Tλ and the series of the exponential."""


@inlined
def _series_4(e):
    return ((e / 4 + 1 / 3) * e + 1 / 2) * e + 1.0


@inlined
def _polynomial_9(e):
    """−log(1 − e)/e for e ≤ 0.05, through the Chebyshev nodes; summed in pairs, which do not wait for each other."""
    e2 = e * e
    e4 = e2 * e2
    a = (1.0 + 0.49999999999999406 * e) + (0.3333333333364993 + 0.24999999935169945 * e) * e2
    b = (0.20000006638852147 + 0.16666285722901966 * e) + (0.14298501592708282 + 0.12251845587782177 * e) * e2
    c = 0.13656375168197568
    return (a + b * e4) + c * (e4 * e4)


@inlined
def _polynomial_15(e):
    """The same for e ≤ 0.3."""
    e2 = e * e
    e4 = e2 * e2
    a = (1.0 + 0.49999999999997247 * e) + (0.33333333334016774 + 0.24999999933262593 * e) * e2
    b = (0.20000003402236086 + 0.166665625908305 * e) + (0.1428778329506863 + 0.12471947915139503 * e) * e2
    c = (0.11377978488334498 + 0.08194322590609775 * e) + (0.1778067222380613 - 0.20952143659671527 * e) * e2
    d = (0.7419252359525753 - 0.8644622295293458 * e) + 0.7267425879124448 * e2
    return (a + b * e4) + (c + d * e4) * (e4 * e4)


@inlined
def _polynomial_21(e):
    """The same for e ≤ 1/2."""
    e2 = e * e
    e4 = e2 * e2
    e8 = e4 * e4
    a = (1.0 + 0.49999999999999023 * e) + (0.3333333333361931 + 0.2499999996684111 * e) * e2
    b = (0.20000002031370526 + 0.16666590679409987 * e) + (0.14287606118661553 + 0.12466842774185391 * e) * e2
    c = (0.1153620293486034 + 0.05905289935040555 * e) + (0.3928002967931491 - 1.641118843588303 * e) * e2
    d = (7.760628433535017 - 26.68059902636099 * e) + (72.58379957646765 - 151.4655282034524 * e) * e2
    g = (239.6381824056025 - 277.58570995112507 * e) + (223.12436325902686 - 111.5016083008295 * e) * e2
    f = 26.45998799395012
    return (a + b * e4) + ((c + d * e4) + (g + f * e4) * e8) * e8


@compiled
def log_ratios(a, lines, k, q):
    """Fill q with −log(1 − e)/e for e = a·lines[k], where 0 ≤ lines ≤ 1 and a ≤ 1/2: as many terms as a needs."""
    n = lines.shape[1]
    if a < SMALL:
        for j in range(n):
            q[j] = _series_4(a * lines[k, j])
    elif a < 0.05:
        for j in range(n):
            q[j] = _polynomial_9(a * lines[k, j])
    elif a < 0.3:
        for j in range(n):
            q[j] = _polynomial_15(a * lines[k, j])
    else:
        for j in range(n):
            q[j] = _polynomial_21(a * lines[k, j])


@compiled
def add_hazard(a, lines, k, w, q, r, m, hazards, v, i):
    """Fill q[r, m] as :func:`log_ratios` does, and add w·e·q = −w log(1 − e) to hazards[v, i]."""
    n = lines.shape[1]
    if a < SMALL:
        for j in range(n):
            e = a * lines[k, j]
            ratio = _series_4(e)
            q[r, m, j] = ratio
            hazards[v, i, j] += w * e * ratio
    elif a < 0.05:
        for j in range(n):
            e = a * lines[k, j]
            ratio = _polynomial_9(e)
            q[r, m, j] = ratio
            hazards[v, i, j] += w * e * ratio
    elif a < 0.3:
        for j in range(n):
            e = a * lines[k, j]
            ratio = _polynomial_15(e)
            q[r, m, j] = ratio
            hazards[v, i, j] += w * e * ratio
    else:
        for j in range(n):
            e = a * lines[k, j]
            ratio = _polynomial_21(e)
            q[r, m, j] = ratio
            hazards[v, i, j] += w * e * ratio


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
    quotient = np.empty(ny)
    hazards[:] = 0.0
    for k in range(n_stations):
        for i in range(nx):
            a = along_x[k, i]
            if a < NEGLIGIBLE:
                continue
            log_ratios(a, along_y, k, quotient)
            for p in range(columns.start[k], columns.start[k + 1]):
                v, w = columns.vector[p], columns.weight[p] * a
                for j in range(ny):
                    hazards[v, i, j] += w * along_y[k, j] * quotient[j]


@compiled
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


@compiled
def _lines(n_slots, nx, ny):
    """Lines that are done together: as many as keep the tables in the cache."""
    return min(nx, max(1, PAIRS_IN_CACHE // (max(n_slots, 1) * ny)))


@compiled
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


@compiled
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


@inlined
def _one_minus_exp_ratio(h, silent):
    p = 1.0 - h / 9 * (1.0 - h / 10 * (1.0 - h / 11 * (1.0 - h / 12)))
    p = 1.0 - h / 5 * (1.0 - h / 6 * (1.0 - h / 7 * (1.0 - h / 8 * p)))
    small = 1.0 - h / 2 * (1.0 - h / 3 * (1.0 - h / 4 * p))
    return small if h < SMALL_HAZARD else (1.0 - silent) / h


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
                    weights[g, j] *= _one_minus_exp_ratio(hazards[v, j], silent[v, j])


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
