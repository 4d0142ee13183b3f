"""Numbers of animals at sites, written twice: this is the slow and obvious time, by scipy.stats, animal by animal."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom, nbinom, poisson

MOST = 120


def royle_nichols(y, abundance, r) -> float:
    """Pr(visits to a site); r by visit, NaN in y where there was none."""
    total = 0.0
    for n in range(MOST):
        chance = poisson.pmf(n, abundance)
        for value, of_one in zip(y, r, strict=True):
            if not np.isnan(value):
                unseen = (1 - of_one) ** n
                chance *= 1 - unseen if value else unseen
        total += chance
    return total


def n_mixture(y, abundance, p, size=None) -> float:
    """Pr(counts of a site)."""
    total = 0.0
    law = poisson(abundance) if size is None else nbinom(size, size / (size + abundance))
    for n in range(MOST):
        chance = law.pmf(n)
        for value, of_one in zip(y, p, strict=True):
            if not np.isnan(value):
                chance *= binom.pmf(value, n, of_one)
        total += chance
    return total


def count_occupancy(y, psi, rate, effort) -> float:
    """Pr(counts of a site), rates and efforts by visit."""
    seen = [(value, r * t) for value, r, t in zip(y, rate, effort, strict=True) if not np.isnan(value)]
    return psi * np.prod([poisson.pmf(v, m) for v, m in seen]) + (1 - psi) * float(all(v == 0 for v, _ in seen))
