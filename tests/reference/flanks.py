"""The likelihood of two flanks written out: chances of the flanks included, every matching listed."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
from scipy.stats import poisson


def likelihood(rows, stations, effort, cells, area, parameters, chances, *, detector):
    """log L of one session with a hazard half-normal; animals labelled within their list.

    Parameters
    ----------
    rows
        Of each identity ("B" | "L" | "R", list of (station, occasion, counts left, right, both)).
    parameters
        D, lambda0, sigma.
    chances
        Chances of left, right, both at each station.
    """
    density, lambda0, sigma = parameters
    intensity = density * area

    def given(cell, listed):
        """Pr of these records, and of no other, for an animal centred in a cell."""
        seen = {(k, s): np.zeros(3, int) for k in range(len(stations)) for s in range(effort.shape[1])}
        for k, s, *counts in listed:
            seen[k, s] += np.array(counts)
        total = 1.0
        for (k, s), counts in seen.items():
            d2 = ((stations[k] - cells[cell]) ** 2).sum()
            mean = effort[k, s] * lambda0 * np.exp(-d2 / (2 * sigma**2))
            if detector == "count":
                factors = [poisson.pmf(counts[t], mean * chances[k][t]) for t in range(3)]
                total *= np.prod(factors)
            elif counts.sum() > 1:
                return 0.0
            else:
                total *= np.exp(-mean) if not counts.any() else (1 - np.exp(-mean)) * float(chances[k] @ counts)
        return total

    def summed(listed):
        return sum(intensity[x] * given(x, listed) for x in range(len(cells)))

    whole, left, right = ([listed for side, listed in rows if side == name] for name in "BLR")
    missed = sum(intensity[x] * given(x, []) for x in range(len(cells)))
    log_l = -(intensity.sum() - missed) + sum(np.log(summed(listed)) for listed in whole)
    total = 0.0
    for size in range(min(len(left), len(right)) + 1):
        for a in combinations(range(len(left)), size):
            for b in permutations(range(len(right)), size):
                product = np.prod([summed(left[i] + right[j]) for i, j in zip(a, b, strict=True)])
                product *= np.prod([summed(left[i]) for i in range(len(left)) if i not in a])
                product *= np.prod([summed(right[j]) for j in range(len(right)) if j not in b])
                total += product
    numbers = (len(whole), len(left), len(right))
    return log_l + np.log(total) - sum(np.log(np.arange(1, n + 1)).sum() for n in numbers)
