r"""Negative-binomial counts: photographs that come in bursts.

With hazard λ, effort T and size r (per unit of effort) a count is a Poisson number of which the mean is a gamma
process: mean Tλ, size rT, so that splitting an occasion in two changes nothing. Then

.. math::
    \log \Pr(y) = -T h + y \log\frac{\lambda}{1 + \lambda/r} + \sum_{j<y} \log(T + j/r) - \log y!,
    \qquad h = r \log(1 + \lambda/r)

where h takes the place of λ in the void, and the sum over j, which no centre changes, that of :math:`y \log T`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from leopardpop.data.arrays import SessionArrays
    from leopardpop.models.likelihood.terms import Floats, Ints

__all__ = ["Bursts", "Damped", "bursts_of", "damped"]


class Bursts(NamedTuple):
    """The single detections of a session, M of them: the j-th of a count each."""

    before: Floats
    """j, from 0, (M,)."""
    effort: Floats
    """T of its station and occasion, (M,)."""
    station: Ints
    """Station (unit) of each, (M,)."""
    by_animal: Any
    """Sums over those of each animal, sparse (n, M)."""

    def log_terms(self, size: Floats) -> Floats:
        """Σ log(T + j/r) of each animal, (..., n), at the sizes r of the stations (..., K)."""
        log_each = np.log(self.effort + self.before / size[..., self.station])
        return np.asarray((self.by_animal @ log_each.T).T)

    def slopes(self, size: Floats) -> Floats:
        """Derivatives of the sum over all animals with respect to log r of each station, (K,)."""
        share = self.before / size[self.station]
        return np.bincount(self.station, weights=-share / (self.effort + share), minlength=len(size))


def bursts_of(data: SessionArrays, effort: Floats) -> Bursts:
    """Single detections of a session.

    Parameters
    ----------
    data
        The session's arrays.
    effort
        Effort at each row of its detections.
    """
    from scipy.sparse import csr_array

    row = np.repeat(np.arange(len(data.count)), data.count.astype(np.intp))
    first = np.concatenate([[0], np.cumsum(data.count)[:-1]]) if len(data.count) else np.empty(0)
    before = np.arange(len(row)) - first[row]
    animal = data.individual[row]
    shape = len(data.individuals), len(row)
    by_animal = csr_array((np.ones(len(row)), (animal, np.arange(len(row)))), shape=shape)
    return Bursts(before.astype(float), effort[row], data.station[row], by_animal)


class Damped(NamedTuple):
    """What bursts make of hazards λ, (K, B)."""

    void: Floats
    """h = r log(1 + λ/r)."""
    log_excess: Floats
    """log(1 + λ/r)."""
    slope: Floats
    """1/(1 + λ/r): d log(λ/(1 + λ/r)) / d log λ; times λ, dh / d log λ."""


def damped(hazard: Floats, size: Floats) -> Damped:
    """Damp hazards (K, B) by sizes (K, 1)."""
    excess = hazard / size
    log_excess = np.log1p(excess)
    return Damped(size * log_excess, log_excess, 1.0 / (1.0 + excess))
