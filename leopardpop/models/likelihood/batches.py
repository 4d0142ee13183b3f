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

from typing import NamedTuple

import numpy as np

from leopardpop.models.likelihood.centres import narrow, place_histories
from leopardpop.models.likelihood.elementary import compiled, part
from leopardpop.models.likelihood.places import (
    group_weights,
    kernels,
    log_bounds,
    log_hazards,
    product_hazards,
    ratios_of_hazards,
    ratios_of_probabilities,
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
    tiles: Ints
    """Tile t of the stations is members[tiles[t] : tiles[t + 1]]."""
    members: Ints
    """Stations by tile, (K,)."""
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


@part
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


@part
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


@part
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


@part
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


@part
def _take_logs(b, scale, fails, sums):
    """Logarithms of the sums of all histories; NaN where they underflow or the draw fails."""
    for h in range(len(scale)):
        together = 0.0
        for a in range(sums.shape[2]):
            together += sums[b, h, a]
        fails_here = fails or not together > SMALLEST_SUM
        for a in range(sums.shape[2]):
            sums[b, h, a] = np.nan if fails_here else np.log(sums[b, h, a]) + scale[h]


def _summing(kind):
    """Make the function that sums draws of one kind of ratio.

    The kind is a constant of what is compiled, so that only what this kind needs is: that halves the time it takes.
    """

    @compiled
    def sum_draws(plan, log_density, log_base, precision, rows, atom, log_total, numbers, unseen):
        nx, ny, n_slots, n_rows = len(plan.line_x), len(plan.line_y), len(plan.slot_station), len(rows)
        n_stations, n_vectors, n_groups = len(plan.station), len(plan.times), len(plan.silent)
        n_tables = 1 if kind == NO_RATIO else max(n_slots, 1) if plan.proximity else n_stations
        lines = nx if kind == NO_RATIO else min(nx, max(1, PLACES_IN_CACHE // (n_tables * ny)))
        along_x, along_y = np.empty((n_stations, nx)), np.empty((n_stations, ny))
        largest_tile = np.diff(plan.tiles).max()
        left, right = np.empty(largest_tile * nx), np.empty(largest_tile * ny)
        scaled, product = np.empty(largest_tile * nx), np.empty(nx * ny)
        hazards, quotient = np.empty((n_vectors, nx, ny)), np.empty((n_vectors, nx * ny))
        flat, line, cells = hazards.reshape((n_vectors, nx * ny)), np.empty(ny), np.empty(len(plan.area))
        intensity, total, silent, seen = np.empty(nx * ny), np.empty(nx * ny), np.empty(nx * ny), np.empty(nx * ny)
        weight, bounds, scale = np.empty((n_groups, nx * ny)), np.zeros(n_slots), np.empty(n_rows)
        factor_x, factor_y, across = np.empty((n_rows, nx)), np.empty((n_rows, ny)), np.empty((n_rows, ny))
        at, window = np.empty((n_rows, 2), np.int64), np.empty((n_rows, 4), np.int64)
        ratio, out = np.empty((n_tables, lines, ny)), np.empty((lines, ny))
        for b in range(len(log_density)):
            if kind != NO_RATIO:
                kernels(plan.line_x, plan.line_y, plan.station, log_base, precision, b, along_x, along_y)
            expected = spread(plan.place, plan.area, log_density, b, cells, intensity)
            if kind != OF_PROBABILITY:
                product_hazards(plan, log_base, precision, b, left, right, scaled, product, hazards)
            place_histories(plan, log_base, precision, b, rows, factor_x, factor_y, at, scale)
            if kind != NO_RATIO:
                log_bounds(plan.ratio == OF_PROBABILITY, plan, log_base, b, bounds)
                narrow(plan, rows, at, along_x, along_y, intensity, expected, bounds, factor_x, factor_y, window)
            log_total[b] = 0.0
            for first in range(0, nx, lines):
                n = min(lines, nx - first)
                if kind == OF_PROBABILITY:
                    log_hazards(not plan.proximity, plan.columns, first, n, along_x, along_y, ratio, hazards)
                group_weights(
                    plan.times, plan.silent, plan.visits, plan.visited, first * ny, (first + n) * ny, flat, intensity,
                    total, silent, seen, quotient, weight,
                )  # fmt: skip
                if kind == NO_RATIO:
                    _plain_sums(b, rows, plan.group, weight, factor_x, factor_y, atom, across, quotient[0], log_total)
                else:
                    if kind == OF_HAZARD:
                        ratios_of_hazards(plan.slot_station, plan.slot_effort, first, n, along_x, along_y, line, ratio)
                    elif plan.proximity:
                        ratios_of_probabilities(
                            plan.slot_station, plan.slot_effort, first, n, along_x, along_y, line, ratio
                        )
                    _sum_lines(
                        b, rows, first, n, plan.group, plan.start, plan.table, plan.number, window, ratio, weight, out,
                        factor_x, factor_y, atom, log_total,
                    )  # fmt: skip
            detected, largest = void(plan.place, b, intensity, total, silent, seen, atom, unseen)
            numbers[b, 0], numbers[b, 1] = expected, detected
            _take_logs(b, scale, kind != NO_RATIO and not largest < LARGEST_HAZARD, log_total)

    return sum_draws


_SUMMING = {kind: _summing(kind) for kind in (NO_RATIO, OF_HAZARD, OF_PROBABILITY)}


def sum_draws(
    plan: Plan,
    log_density: Floats,
    log_base: Floats,
    precision: Floats,
    rows: Ints,
    atom: Ints,
    log_total: Floats,
    numbers: Floats,
    unseen: Floats,
) -> None:
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
    _SUMMING[plan.ratio](plan, log_density, log_base, precision, rows, atom, log_total, numbers, unseen)
