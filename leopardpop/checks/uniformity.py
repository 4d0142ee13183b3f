"""Are ranks uniform? Empirical distribution functions with bands that hold everywhere at once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats

__all__ = ["ecdf_band", "ecdf_p", "grid_of"]

MOST_POINTS = 100
TRIALS = 10_000
"""Uniform samples by which the smallest of many tail chances is judged."""


def grid_of(n: int) -> Floats:
    """Where the distribution function of n ranks is looked at, (K,): up to a hundred places."""
    k = min(n, MOST_POINTS)
    return np.arange(1, k) / k


def ecdf_band(n: int, level: float = 0.95) -> tuple[Floats, Floats]:
    """Lower and upper ends of a band that holds the whole empirical distribution function of n uniform ranks.

    Parameters
    ----------
    n
        Number of ranks.
    level
        Chance that the function lies in the band at all places of :func:`grid_of` at once.

    Returns
    -------
    tuple of ndarray
        (K,) each, shares from 0 to 1.

    References
    ----------
    Säilynoja, Bürkner & Vehtari (2022) Graphical test for discrete uniformity and its applications in goodness-of-fit
    evaluation and multiple sample comparison, doi:10.1007/s11222-022-10090-6

    Examples
    --------
    >>> lower, upper = ecdf_band(200)
    >>> float((upper - lower).max().round(2))
    0.21
    """
    from scipy.stats import binom

    tail = float(np.quantile(_smallest(n), 1.0 - level)) / 2.0
    grid = grid_of(n)
    return binom.ppf(tail, n, grid) / n, binom.isf(tail, n, grid) / n


def ecdf_p(ranks: Floats) -> float:
    """Chance that uniform ranks depart as far from uniformity anywhere as these do.

    Parameters
    ----------
    ranks
        Between 0 and 1, (n,).

    Returns
    -------
    float
        Uniform where the ranks are; at least one over the number of trials.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> ecdf_p(rng.random(200)) > 0.05, ecdf_p(rng.random(200) ** 2) < 0.001
    (True, True)
    """
    n = len(ranks)
    if n < 2:
        return 1.0
    found = _tails(n)[np.arange(len(grid_of(n))), _counts(np.sort(ranks)[None], grid_of(n))[0]].min()
    return float((1 + (_smallest(n) <= found * (1.0 + 1e-9)).sum()) / (1 + TRIALS))


def _counts(ordered: Floats, grid: Floats) -> Any:
    """How many of the ranks of each row are at or below each place, (R, K)."""
    return np.stack([np.searchsorted(row, grid, side="right") for row in ordered])


@lru_cache(maxsize=8)
def _tails(n: int) -> Floats:
    """Two-sided tail chance of each count at each place, (K, n + 1)."""
    from scipy.stats import binom

    counts, grid = np.arange(n + 1), grid_of(n)[:, None]
    tails: Floats = 2.0 * np.minimum(binom.cdf(counts, n, grid), binom.sf(counts - 1, n, grid))
    return tails


@lru_cache(maxsize=8)
def _smallest(n: int) -> Floats:
    """Smallest tail chance over all places, of so many uniform samples of n; the same trials every time."""
    rng, grid = np.random.default_rng([n, 0xECDF]), grid_of(n)
    tails, places = _tails(n), np.arange(len(grid_of(n)))
    step = max(1, 1_000_000 // n)
    sizes = [min(step, TRIALS - begun) for begun in range(0, TRIALS, step)]
    return np.concatenate([tails[places, _counts(np.sort(rng.random((k, n)), axis=1), grid)].min(1) for k in sizes])
