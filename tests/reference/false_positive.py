"""Occupancy with mistakes, written twice: this is the slow and obvious time, event by event."""

from __future__ import annotations

import itertools

import numpy as np


def one_visit(y: int, used: int, p: float, p10: float, b: float | None, certain: bool) -> float:
    """Add up all that can happen on a visit: a true detection, a mistake, a confirmation."""
    total = 0.0
    for true, mistake, confirmed in itertools.product((0, 1), repeat=3):
        chance = (p if true else 1 - p) if used else float(not true)
        chance *= float(not mistake) if certain or true else (p10 if mistake else 1 - p10)
        sure = 1.0 if certain else (b if b is not None else 0.0)
        chance *= (sure if confirmed else 1 - sure) if true else float(not confirmed)
        seen = 2 if confirmed else int(true or mistake)
        if b is None:
            seen = min(seen, 1)
        total += chance * (seen == y)
    return total


def site_probability(y, psi, p, p10, b=None, certain=None) -> float:
    """Pr(visits to a site); vectors by visit, NaN in y where there was none."""
    total = 0.0
    for used, chance in ((0, 1 - psi), (1, psi)):
        for j, value in enumerate(y):
            if not np.isnan(value):
                chance *= one_visit(
                    int(value), used, p[j], p10[j], None if b is None else b[j], certain is not None and certain[j] == 1
                )
        total += chance
    return total
