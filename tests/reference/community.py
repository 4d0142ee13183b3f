"""A community of species, written twice: this is the slow and obvious time.

The joint density of everything: each species' coefficients given the community's, and each visit given them, by loops
over species, sites and visits with scipy.stats.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import expit
from scipy.stats import bernoulli, norm

__all__ = ["log_effects", "log_site", "log_species"]


def log_species(y: np.ndarray, x: np.ndarray, w: np.ndarray, psi: np.ndarray, p: np.ndarray) -> list[float]:
    """log Pr(visits of a species to each site).

    ``y`` (site, visit), NaN without a visit; ``x`` (site, a) and ``w`` (site, visit, b) columns of the covariates;
    ``psi`` (a,) and ``p`` (b,) coefficients of the species.
    """
    found = []
    for i, visits in enumerate(y):
        used = expit(sum(x[i, a] * psi[a] for a in range(len(psi))))
        chances = []
        for z, weight in ((0, 1 - used), (1, used)):
            chance = weight
            for j, seen in enumerate(visits):
                if not np.isnan(seen):
                    chance *= bernoulli.pmf(int(seen), z * expit(sum(w[i, j, b] * p[b] for b in range(len(p)))))
            chances.append(chance)
        found.append(float(np.log(sum(chances))))
    return found


def log_site(
    y: Mapping[str, np.ndarray], x: np.ndarray, w: np.ndarray, species: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """log Pr(visits of all species to each site)."""
    return np.sum([log_species(y[name], x, w, *species[name]) for name in y], axis=0)


def log_effects(deviations: Mapping[str, np.ndarray], sds: Mapping[str, float]) -> float:
    """log density of the deviations of the species from the community, by coefficient."""
    return float(sum(norm.logpdf(value, 0.0, sds[name]) for name, values in deviations.items() for value in values))
