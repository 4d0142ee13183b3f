# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
"""Where an animal can be, given the stations that saw it, compiled: factors along x and y, and the window that matters.

The product of half-normals at the stations of a history is a half-normal about their weighted mean, so that it is a
factor along x times one along y.
"""

from __future__ import annotations

from math import exp as exp_of_one
from math import log

from leopardpop.models.likelihood.elementary import exp, part
from leopardpop.models.likelihood.places import LARGEST_QUOTIENT

__all__ = ["narrow", "place_histories"]

LEFT_OUT = 1e-17


@part
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


@part
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


@part
def _factor(line, centre, total, h, factor):
    """Fill exp(least − total·(line − centre)²); return the least exponent and where it is."""
    at = _nearest(line, centre)
    d = line[at] - centre
    least = total * d * d
    for i in range(len(line)):
        d = line[i] - centre
        factor[h, i] = exp(least - total * d * d)
    return least, at


@part
def _window(factor, h, at, cut):
    """First and last + 1 of the places around ``at`` whose factor reaches the cut."""
    first, last = at, at + 1
    while first > 0 and not factor[h, first - 1] < cut:
        first -= 1
    while last < factor.shape[1] and not factor[h, last] < cut:
        last += 1
    return first, last


@part
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


@part
def place_histories(plan, log_base, precision, b, rows, factor_x, factor_y, at, scale):
    """Factors of the histories, places nearest to their centres (h, 2), and the log of what multiplies their sums."""
    for h in range(len(rows)):
        row = rows[h]
        x, y, total, base = _centre(
            plan.start[row], plan.start[row + 1], plan.entry_station, plan.number, plan.station, log_base, precision, b
        )
        least_x, at[h, 0] = _factor(plan.line_x, x, total, h, factor_x)
        least_y, at[h, 1] = _factor(plan.line_y, y, total, h, factor_y)
        scale[h] = base - least_x - least_y


@part
def narrow(plan, rows, at, along_x, along_y, intensity, expected, bounds, factor_x, factor_y, window):
    """Windows of the histories, (h, 4): first and last + 1 along x and y of the places that matter."""
    nx, ny = factor_x.shape[1], factor_y.shape[1]
    for h in range(len(rows)):
        row, at_x, at_y = rows[h], at[h, 0], at[h, 1]
        window[h, 0], window[h, 1], window[h, 2], window[h, 3] = 0, nx, 0, ny
        there = intensity[at_x * ny + at_y]
        if there <= 0.0:
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
