# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
"""Many draws in one call, compiled: log totals of histories over sets of cells, and the animals that were not seen.

It computes what :class:`SeparableForm` does, draw by draw, in one call without Python: threads then run side by side.
Three things make a draw cheap. The lattice is done a few lines at a time (one x, all y), so that tables stay in the
cache. Logarithms serve the hazards and the ratios alike. And an animal is summed only where it can be: since
D a exp(−H) Π ratio ≤ D a Π R with R the ratio at the station, places whose factor is below a *cut* add less than
cut · ΣDa · ΠR, and the cut is so low that this is 1e-17 of the summand at the animal's centre.

Every index begins at zero of its own axis or is unsigned, and nothing is sliced in inner loops: compilers then see that
they vectorise.
"""

from __future__ import annotations

from math import exp as exp_of_one
from math import log
from typing import NamedTuple

import numpy as np

from leopardpop.models.likelihood.elementary import compiled, exp
from leopardpop.models.likelihood.places import (
    LARGEST_QUOTIENT,
    group_weights,
    kernels,
    log_bounds,
    log_hazards,
    product_hazards,
    slot_ratios,
    spread,
    void,
)
from leopardpop.models.likelihood.tables import Columns
from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["NO_RATIO", "OF_HAZARD", "OF_PROBABILITY", "Plan", "sum_draws"]

NO_RATIO, OF_HAZARD, OF_PROBABILITY = 0, 1, 2
PLACES_IN_CACHE = 96_000
MOST_PRODUCTS = 12
LARGEST_HAZARD = 500.0
SMALLEST_SUM = 1e-280
LEFT_OUT = 1e-17


class Plan(NamedTuple):
    """A session on a lattice as the loops read it; see :class:`SessionTerms` for the symbols."""

    line_x: Floats
    """(nx,)."""
    line_y: Floats
    """(ny,)."""
    place: Ints
    """Place of each cell on the lattice, (J,)."""
    area: Floats
    """(J,)."""
    station: Floats
    """Coordinates, (K, 2)."""
    ratio: int
    """Which ratio a history has."""
    proximity: bool
    vectors: Floats
    """W, (V, K)."""
    columns: Columns
    """W by station."""
    times: Floats
    """t, (V,)."""
    silent: Floats
    """t − r − c of each group of histories, (groups, V)."""
    visits: Floats
    """c of each group, (groups, V)."""
    visited: Ints
    """Vectors that any group visits."""
    slot_station: Ints
    slot_effort: Floats
    start: Ints
    """Entries of history h are at start[h]:start[h + 1]."""
    slot: Ints
    entry_station: Ints
    table: Ints
    """Row of each entry in the table of ratios: that of its station, or of its slot at proximity detectors."""
    number: Floats
    group: Ints
    """Group of each history, (h,)."""


@compiled
def _centre(first, last, at, number, station, log_base, precision, b):
    """Weighted mean of the stations of a history, Σ y/2σ², and Σ y (b − distance²/2σ²) about that mean."""
    total, x, y, scale = 0.0, 0.0, 0.0, 0.0
    for p in range(first, last):
        w = number[p] * precision[b, at[p]]
        total += w
        x += w * station[at[p], 0]
        y += w * station[at[p], 1]
    x /= total
    y /= total
    for p in range(first, last):
        k = at[p]
        dx, dy = station[k, 0] - x, station[k, 1] - y
        scale += number[p] * (log_base[b, k] - precision[b, k] * (dx * dx + dy * dy))
    return x, y, total, scale


@compiled
def _nearest(line, at):
    """Position of the number nearest to ``at`` in a line that ascends."""
    low, high = 0, len(line) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if line[middle] <= at:
            low = middle
        else:
            high = middle
    return low if abs(line[low] - at) <= abs(line[high] - at) else high


@compiled
def _factor(line, centre, total, h, factor):
    """Fill exp(least − total·(line − centre)²); return the least exponent and where it is."""
    at = _nearest(line, centre)
    d = line[at] - centre
    least = total * d * d
    for i in range(len(line)):
        d = line[i] - centre
        factor[h, i] = exp(least - total * d * d)
    return least, at


@compiled
def _window(factor, h, at, cut):
    """First and last + 1 of the places around ``at`` whose factor reaches the cut."""
    first, last = at, at + 1
    while first > 0 and not factor[h, first - 1] < cut:
        first -= 1
    while last < factor.shape[1] and not factor[h, last] < cut:
        last += 1
    return first, last


@compiled
def _least_log_weight(vectors, powers, visits, g, i, j, along_x, along_y):
    """A lower bound of log(weight/D a) of a history at a place, by Σ W e ≤ H ≤ Σ W e · 2 log 2."""
    result = 0.0
    for v in range(len(vectors)):
        if powers[g, v] == 0.0 and visits[g, v] == 0.0:
            continue
        hazard = 0.0
        for k in range(len(along_x)):
            hazard += vectors[v, k] * along_x[k, i] * along_y[k, j]
        result -= powers[g, v] * hazard * (LARGEST_QUOTIENT if powers[g, v] > 0.0 else 1.0)
        if visits[g, v] > 0.0:
            result -= visits[g, v] * log(1.0 + LARGEST_QUOTIENT * hazard)
    return result


@compiled
def _prepare(
    plan, log_base, precision, b, rows, along_x, along_y, intensity, expected, bounds, factor_x, factor_y, window, scale
):
    """Factors of the histories, their windows (h, 4), and the logarithm of what multiplies their sums (h,)."""
    nx, ny = len(plan.line_x), len(plan.line_y)
    for h in range(len(rows)):
        row = rows[h]
        x, y, total, base = _centre(
            plan.start[row], plan.start[row + 1], plan.entry_station, plan.number, plan.station, log_base, precision, b
        )
        least_x, at_x = _factor(plan.line_x, x, total, h, factor_x)
        least_y, at_y = _factor(plan.line_y, y, total, h, factor_y)
        scale[h] = base - least_x - least_y
        window[h, 0], window[h, 1], window[h, 2], window[h, 3] = 0, nx, 0, ny
        there = intensity[at_x * ny + at_y]
        if plan.ratio == NO_RATIO or there <= 0.0:
            continue
        log_cut = log(LEFT_OUT * there / expected)
        log_cut += _least_log_weight(
            plan.vectors, plan.silent, plan.visits, plan.group[row], at_x, at_y, along_x, along_y
        )
        for p in range(plan.start[row], plan.start[row + 1]):
            log_cut -= plan.number[p] * bounds[plan.slot[p]]
        cut = exp_of_one(log_cut)
        window[h, 0], window[h, 1] = _window(factor_x, h, at_x, cut)
        window[h, 2], window[h, 3] = _window(factor_y, h, at_y, cut)


@compiled
def _multiply(g, start, end, table, number, first, low, high, left, right, ratio, weight, out):
    """Fill out on lines low:high and places left:right with weight · Π ratio^count of a history, two at a time."""
    ny = out.shape[1]
    for i in range(low, high):
        at = np.uint64((first + i) * ny)
        for j in range(left, right):
            out[i, j] = weight[g, at + j]
    waiting = -1
    for p in range(start, end):
        u, c = table[p], number[p]
        for _ in range(int(min(c, MOST_PRODUCTS))):
            if waiting < 0:
                waiting = u
                continue
            for i in range(low, high):
                for j in range(left, right):
                    out[i, j] *= ratio[waiting, i, j] * ratio[u, i, j]
            waiting = -1
        if c > MOST_PRODUCTS:
            for i in range(low, high):
                for j in range(left, right):
                    out[i, j] *= ratio[u, i, j] ** (c - MOST_PRODUCTS)
    if waiting >= 0:
        for i in range(low, high):
            for j in range(left, right):
                out[i, j] *= ratio[waiting, i, j]


@compiled
def _add_sums(b, h, first, low, high, left, right, out, factor_x, factor_y, atom, sums):
    """Add weight · ratios · factors to the sums of the sets of cells."""
    ny = out.shape[1]
    for i in range(low, high):
        f = factor_x[h, first + i]
        if sums.shape[2] == 1:
            part = 0.0
            for j in range(left, right):
                part += out[i, j] * factor_y[h, j]
            sums[b, h, 0] += part * f
        else:
            at = np.uint64((first + i) * ny)
            for j in range(left, right):
                sums[b, h, atom[at + j]] += out[i, j] * factor_y[h, j] * f


@compiled
def _sum_lines(
    b, rows, first, n, group, start, table, number, window, ratio, weight, out, factor_x, factor_y, atom, sums
):
    """Add what n lines from the first have of each history, within its window."""
    for h in range(len(rows)):
        row, low, high = rows[h], max(window[h, 0] - first, 0), min(window[h, 1] - first, n)
        left, right = np.uint64(window[h, 2]), np.uint64(window[h, 3])
        _multiply(
            group[row], start[row], start[row + 1], table, number, first, low, high, left, right, ratio, weight, out
        )
        _add_sums(b, h, first, low, high, left, right, out, factor_x, factor_y, atom, sums)


@compiled
def _plain_sums(b, rows, group, weight, factor_x, factor_y, atom, across, inside, sums):
    """Sums of histories without ratios: a matrix product a group and set."""
    nx, ny = factor_x.shape[1], factor_y.shape[1]
    first = 0
    while first < len(rows):
        g, last = group[rows[first]], first + 1
        while last < len(rows) and group[rows[last]] == g:
            last += 1
        for a in range(sums.shape[2]):
            for j in range(nx * ny):
                inside[j] = weight[g, j] if atom[j] == a else 0.0
            np.dot(factor_x[first:last], inside.reshape((nx, ny)), across[first:last])
            for h in range(first, last):
                for j in range(ny):
                    sums[b, h, a] += across[h, j] * factor_y[h, j]
        first = last


@compiled
def _take_logs(b, scale, fails, sums):
    """Logarithms of the sums of all histories; NaN where they underflow or the draw fails."""
    for h in range(len(scale)):
        together = 0.0
        for a in range(sums.shape[2]):
            together += sums[b, h, a]
        fails_here = fails or not together > SMALLEST_SUM
        for a in range(sums.shape[2]):
            sums[b, h, a] = np.nan if fails_here else np.log(sums[b, h, a]) + scale[h]


@compiled
def sum_draws(plan, log_density, log_base, precision, rows, atom, log_total, numbers, unseen):
    """Fill, for B draws, what the likelihood of a class of animals needs.

    Parameters
    ----------
    plan
        The session.
    log_density
        log D of the cells, (B, J).
    log_base, precision
        b and 1/2σ² of the stations, (B, K).
    rows
        Histories that are asked for, (h,); those of a group stand together.
    atom
        Set of each place of the lattice, (L,), from 0 to A − 1.
    log_total
        Filled with the log totals of the histories in each set, (B, h, A); NaN where the dense form must answer.
    numbers
        Filled with the expected numbers of all and of the detected animals, (B, 2).
    unseen
        Filled with the expected number of undetected animals in each set, (B, A).
    """
    nx, ny, n_slots, n_rows = len(plan.line_x), len(plan.line_y), len(plan.slot_station), len(rows)
    n_stations, n_vectors, n_groups = len(plan.station), len(plan.times), len(plan.silent)
    n_tables = 1 if plan.ratio == NO_RATIO else max(n_slots, 1) if plan.proximity else n_stations
    lines = nx if plan.ratio == NO_RATIO else min(nx, max(1, PLACES_IN_CACHE // (n_tables * ny)))
    along_x, along_y, scaled = np.empty((n_stations, nx)), np.empty((n_stations, ny)), np.empty((n_stations, nx))
    hazards, quotient = np.empty((n_vectors, nx, ny)), np.empty((n_vectors, nx * ny))
    flat, line, cells = hazards.reshape((n_vectors, nx * ny)), np.empty(ny), np.empty(len(plan.area))
    intensity, total, silent, seen = np.empty(nx * ny), np.empty(nx * ny), np.empty(nx * ny), np.empty(nx * ny)
    weight, bounds, scale = np.empty((n_groups, nx * ny)), np.zeros(n_slots), np.empty(n_rows)
    factor_x, factor_y, across = np.empty((n_rows, nx)), np.empty((n_rows, ny)), np.empty((n_rows, ny))
    window, ratio, out = np.empty((n_rows, 4), np.int64), np.empty((n_tables, lines, ny)), np.empty((lines, ny))
    for b in range(len(log_density)):
        kernels(plan.line_x, plan.line_y, plan.station, log_base, precision, b, along_x, along_y)
        expected = spread(plan.place, plan.area, log_density, b, cells, intensity)
        if plan.ratio != OF_PROBABILITY:
            product_hazards(plan.vectors, along_x, along_y, scaled, hazards)
        if plan.ratio != NO_RATIO:
            log_bounds(
                plan.ratio == OF_PROBABILITY, plan.proximity, plan.slot_station, plan.slot_effort, log_base, b, bounds
            )
        _prepare(
            plan, log_base, precision, b, rows, along_x, along_y, intensity, expected, bounds, factor_x, factor_y,
            window, scale,
        )  # fmt: skip
        log_total[b] = 0.0
        for first in range(0, nx, lines):
            n = min(lines, nx - first)
            if plan.ratio == OF_PROBABILITY:
                log_hazards(not plan.proximity, plan.columns, first, n, along_x, along_y, ratio, hazards)
            group_weights(
                plan.times, plan.silent, plan.visits, plan.visited, first * ny, (first + n) * ny, flat, intensity,
                total, silent, seen, quotient, weight,
            )  # fmt: skip
            if plan.ratio == NO_RATIO:
                _plain_sums(b, rows, plan.group, weight, factor_x, factor_y, atom, across, quotient[0], log_total)
                continue
            if plan.proximity:
                is_probability = plan.ratio == OF_PROBABILITY
                slot_ratios(
                    is_probability, plan.slot_station, plan.slot_effort, first, n, along_x, along_y, line, ratio
                )
            _sum_lines(
                b, rows, first, n, plan.group, plan.start, plan.table, plan.number, window, ratio, weight, out,
                factor_x, factor_y, atom, log_total,
            )  # fmt: skip
        detected, largest = void(plan.place, b, intensity, total, silent, seen, atom, unseen)
        numbers[b, 0], numbers[b, 1] = expected, detected
        _take_logs(b, scale, plan.ratio != NO_RATIO and not largest < LARGEST_HAZARD, log_total)
