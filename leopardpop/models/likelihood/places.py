# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
"""Tables of station x place and of group x place of one draw, compiled: hazards, ratios, weights, the void.

Every index begins at zero of its own axis or is unsigned, and nothing is sliced: compilers then see that loops
vectorise.
"""

from __future__ import annotations

from math import exp as exp_of_one
from math import log, sqrt

import numpy as np

from leopardpop.models.likelihood.elementary import (
    add_hazard,
    exp,
    expm1_quotient,
    expm1_series,
    log_ratios,
    one_minus_exp,
    part,
)

__all__ = [
    "LARGEST_QUOTIENT",
    "group_weights",
    "kernels",
    "log_bounds",
    "log_hazards",
    "product_hazards",
    "ratios_of_hazards",
    "ratios_of_probabilities",
    "spread",
    "void",
]

LARGEST_QUOTIENT = 1.3862943611198906
"""Of −log(1 − e)/e for e ≤ 1/2."""
SMALL_EXPECTED = 5e-3
"""Up to it five terms of (exp(Tλ) − 1)/(Tλ) are exact to double precision."""
REACH = 45.0
"""Of d²/2σ², beyond which exp(−d²/2σ²), 3e-20, is left out of sums over stations."""
SERIES = 0.3
"""Up to it :func:`expm1_series` is."""


@part
def kernels(line_x, line_y, station, log_base, precision, b, along_x, along_y):
    """exp(b − p dx²) and exp(−p dy²) of the stations, (K, nx) and (K, ny)."""
    for k in range(len(station)):
        base, p, x, y = log_base[b, k], precision[b, k], station[k, 0], station[k, 1]
        for i in range(len(line_x)):
            d = line_x[i] - x
            along_x[k, i] = exp(base - p * d * d)
        for j in range(len(line_y)):
            d = line_y[j] - y
            along_y[k, j] = exp(-p * d * d)


@part
def _between(line, low, high):
    """First and last + 1 of the numbers of a line that ascends within low and high."""
    first, last = 0, len(line)
    while first < last and line[first] < low:
        first += 1
    while last > first and line[last - 1] > high:
        last -= 1
    return first, last


@part
def _bells(line, station, members, precision, b, curve):
    """Fill exp(−p d²) of some stations along a line, (n, w)."""
    for k in range(len(members)):
        p, here = precision[b, members[k]], station[members[k]]
        for i in range(len(line)):
            d = line[i] - here
            curve[k, i] = exp(-p * d * d)


@part
def product_hazards(plan, log_base, precision, b, along_x, along_y, scaled, product, hazards):
    """H_v of a hazard half-normal, Σ_k W_vk e_k: a matrix product a vector and tile, where its stations reach."""
    hazards[:] = 0.0
    for t in range(len(plan.tiles) - 1):
        members = plan.members[plan.tiles[t] : plan.tiles[t + 1]]
        low_x, high_x, low_y, high_y = np.inf, -np.inf, np.inf, -np.inf
        for k in members:
            x, y, reach = plan.station[k, 0], plan.station[k, 1], sqrt(REACH / precision[b, k])
            low_x, high_x = min(low_x, x - reach), max(high_x, x + reach)
            low_y, high_y = min(low_y, y - reach), max(high_y, y + reach)
        i, last_x = _between(plan.line_x, low_x, high_x)
        j, last_y = _between(plan.line_y, low_y, high_y)
        n, nx, ny = len(members), last_x - i, last_y - j
        if nx == 0 or ny == 0:
            continue
        left, right = along_x[: n * nx].reshape((n, nx)), along_y[: n * ny].reshape((n, ny))
        weighted, total = scaled[: n * nx].reshape((n, nx)), product[: nx * ny].reshape((nx, ny))
        _bells(plan.line_x[i:last_x], plan.station[:, 0], members, precision, b, left)
        _bells(plan.line_y[j:last_y], plan.station[:, 1], members, precision, b, right)
        for v in range(len(plan.vectors)):
            for k in range(n):
                w = plan.vectors[v, members[k]] * exp_of_one(log_base[b, members[k]])
                for c in range(nx):
                    weighted[k, c] = w * left[k, c]
            np.dot(weighted.T, right, total)
            for r in range(nx):
                for c in range(ny):
                    hazards[v, i + r, j + c] += total[r, c]


@part
def log_hazards(kept, columns, first, n, along_x, along_y, ratio, hazards):
    """H_v of a probability half-normal, Σ_k W_vk · −log(1 − e_k), on n lines; its ratios −log(1 − e)/e with it."""
    ny = along_y.shape[1]
    for v in range(len(hazards)):
        for i in range(first, first + n):
            for j in range(ny):
                hazards[v, i, j] = 0.0
    for k in range(along_x.shape[0]):
        start, end, row = columns.start[k], columns.start[k + 1], k if kept else 0
        if start == end:
            continue
        for i in range(n):
            a, v, w = along_x[k, first + i], columns.vector[start], columns.weight[start]
            add_hazard(a, along_y, k, w, ratio, row, i, hazards, v, first + i)
            for p in range(start + 1, end):
                v, w = columns.vector[p], columns.weight[p] * a
                for j in range(ny):
                    hazards[v, first + i, j] += w * along_y[k, j] * ratio[row, i, j]


@part
def _over_effort(t, a, along_y, k, line, u, i, ratio):
    """Fill line (exp(x) − 1)/x for x = t·e·line, where line is λ/e."""
    ny = along_y.shape[1]
    largest = LARGEST_QUOTIENT * t * a
    if largest < SMALL_EXPECTED:
        for j in range(ny):
            x = t * a * along_y[k, j] * line[j]
            p = (((x / 720 + 1 / 120) * x + 1 / 24) * x + 1 / 6) * x + 1 / 2
            ratio[u, i, j] = line[j] * (p * x + 1.0)
    elif largest < SERIES:
        for j in range(ny):
            ratio[u, i, j] = line[j] * expm1_series(t * a * along_y[k, j] * line[j])
    else:
        for j in range(ny):
            ratio[u, i, j] = line[j] * expm1_quotient(t * a * along_y[k, j] * line[j])


@part
def ratios_of_hazards(slot_station, slot_effort, first, n, along_x, along_y, line, ratio):
    """(exp(Tλ) − 1)/(T e) of the slots of proximity detectors with λ = e on n lines, (U, n, ny)."""
    line[:] = 1.0
    for u in range(len(slot_station)):
        for i in range(n):
            k = slot_station[u]
            _over_effort(slot_effort[u], along_x[k, first + i], along_y, k, line, u, i, ratio)


@part
def ratios_of_probabilities(slot_station, slot_effort, first, n, along_x, along_y, line, ratio):
    """The same with λ = −log(1 − e)."""
    for u in range(len(slot_station)):
        k, t = slot_station[u], slot_effort[u]
        for i in range(n):
            a = along_x[k, first + i]
            if t == 1.0:
                for j in range(along_y.shape[1]):
                    ratio[u, i, j] = 1.0 / (1.0 - a * along_y[k, j])
            else:
                log_ratios(a, along_y, k, line)
                _over_effort(t, a, along_y, k, line, u, i, ratio)


@part
def spread(place, area, log_density, b, cells, intensity):
    """D a of the places of the lattice, (L,); returns their sum."""
    total = 0.0
    for c in range(len(area)):
        cells[c] = area[c] * exp(log_density[b, c])
        total += cells[c]
    intensity[:] = 0.0
    for c in range(len(place)):
        intensity[place[c]] = cells[c]
    return total


@part
def group_weights(times, powers, visits, visited, low, high, hazards, intensity, total, silent, seen, quotient, weight):
    """On the places low:high, H, exp(−H), 1 − exp(−H), and D a exp(−t·H + r·H + c·V(H)) of the groups."""
    low, high = np.uint64(low), np.uint64(high)
    for j in range(low, high):
        total[j] = 0.0
    for v in range(len(times)):
        t = times[v]
        if t != 0.0:
            for j in range(low, high):
                total[j] += t * hazards[v, j]
    for j in range(low, high):
        silent[j] = exp(-total[j])
        seen[j] = total[j] * one_minus_exp(total[j], silent[j])
    for v in visited:
        for j in range(low, high):
            h = hazards[v, j]
            quotient[v, j] = one_minus_exp(h, exp(-h))
    for g in range(len(weight)):
        for j in range(low, high):
            weight[g, j] = 0.0
        for v in range(len(times)):
            power = powers[g, v]
            if power != 0.0:
                for j in range(low, high):
                    weight[g, j] -= power * hazards[v, j]
        for j in range(low, high):
            weight[g, j] = intensity[j] * exp(weight[g, j])
        for v in visited:
            for _ in range(int(visits[g, v])):
                for j in range(low, high):
                    weight[g, j] *= quotient[v, j]


@part
def log_bounds(is_probability, plan, log_base, b, bounds):
    """log of the largest ratio of each slot, (U,): the one at the station."""
    for u in range(len(bounds)):
        e = exp_of_one(log_base[b, plan.slot_station[u]])
        hazard = -log(1.0 - e) if is_probability else e
        bounds[u] = log(hazard / e) + (plan.slot_effort[u] * hazard if plan.proximity else 0.0)


@part
def void(place, b, intensity, total, silent, seen, atom, unseen):
    """Expected number of undetected animals in each set; returns that of detected ones and the largest H."""
    detected, undetected, largest = 0.0, 0.0, 0.0
    for j in range(len(total)):
        detected += intensity[j] * seen[j]
        undetected += intensity[j] * silent[j]
        largest = max(largest, total[j] if intensity[j] > 0.0 else 0.0)
    unseen[b, :] = 0.0
    if unseen.shape[1] == 1:
        unseen[b, 0] = undetected
    else:
        for at in place:
            unseen[b, atom[at]] += intensity[at] * silent[at]
    return detected, largest
