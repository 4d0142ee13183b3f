"""Pareto-smoothed importance sampling: weights that can be trusted, and a number that says whether they can."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["importance_ess", "k_limit", "psis"]

Vector = NDArray[np.float64]

_SMALLEST_TAIL = 5
_PRIOR_DRAWS, _PRIOR_K = 10.0, 0.5  # weak prior on k of Vehtari et al. (2024), in equivalent draws
_PRIOR_SCALE = 3.0


def psis(log_ratios: ArrayLike) -> tuple[Vector, float]:
    """Smooth importance weights by a generalised Pareto fit to their upper tail.

    Parameters
    ----------
    log_ratios
        Log target minus log proposal density at each draw, up to a constant, (S,). Draws outside the support
        have -inf. Note the sign: some libraries want the negative.

    Returns
    -------
    log_weights : ndarray
        Smoothed log weights (S,); their exponentials sum to one.
    khat : float
        Shape of the tail, small when the weights are good: below 0.7 the estimates are reliable. -inf for weights
        without a tail (all largest ones equal), inf when no tail can be fitted.

    Raises
    ------
    ValueError
        If a ratio is NaN or +inf, or no ratio is finite.

    References
    ----------
    Vehtari, Simpson, Gelman, Yao & Gabry (2024), Journal of Machine Learning Research 25(72);
    Zhang & Stephens (2009), https://doi.org/10.1198/tech.2009.08017

    Examples
    --------
    >>> import numpy as np
    >>> log_weights, khat = psis(np.random.default_rng(1).exponential(0.8, 20_000))
    >>> bool(0.7 < khat < 1.0), round(float(np.exp(log_weights).sum()), 12)
    (True, 1.0)
    """
    ratios = np.array(log_ratios, dtype=float)
    if np.isnan(ratios).any() or not np.isfinite(ratios.max(initial=-np.inf)):
        raise ValueError("log_ratios must hold at least one finite number, and neither NaN nor +inf.")
    ratios -= ratios.max()
    khat = _smooth_tail(ratios)
    return ratios - _logsumexp(ratios), khat


def importance_ess(log_weights: Vector) -> float:
    """Effective number of draws, 1 / sum of squares of the normalised weights.

    Parameters
    ----------
    log_weights
        Normalised log weights (S,).

    Returns
    -------
    float
        Between 1 and S.

    Examples
    --------
    >>> import numpy as np
    >>> round(importance_ess(np.log(np.full(50, 0.02))))
    50
    """
    return float(1.0 / np.exp(2.0 * log_weights).sum())


def k_limit(n_draws: int) -> float:
    """Largest tail shape at which ``n_draws`` weighted draws are reliable: min(1 - 1/log10 S, 0.7).

    Examples
    --------
    >>> k_limit(2200)
    0.7
    >>> round(k_limit(500), 2)
    0.63
    """
    return min(1.0 - 1.0 / float(np.log10(max(n_draws, 2))), 0.7)


def _smooth_tail(ratios: Vector) -> float:
    """Replace the largest ratios by quantiles of the fitted tail, in place; returns k."""
    size = _tail_size(len(ratios))
    if size < _SMALLEST_TAIL:
        return np.inf
    order = np.argsort(ratios)
    tail, cut = order[-size:], np.exp(ratios[order[-size - 1]])
    excess = np.exp(ratios[tail]) - cut
    if np.ptp(ratios[tail]) < 1e-12:
        return -np.inf
    khat, sigma = _pareto_fit(excess)
    if np.isfinite(khat):
        with np.errstate(over="ignore"):  # a tail so heavy is cut at the largest ratio
            quantiles = _pareto_quantiles((np.arange(size) + 0.5) / size, khat, sigma)
        ratios[tail] = np.minimum(np.log(quantiles + cut), 0.0)
    return khat


def _tail_size(n_draws: int) -> int:
    return int(3.0 * np.sqrt(n_draws)) if n_draws > 225 else n_draws // 5


def _pareto_fit(excess: Vector) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto law for sorted excesses (n,), by Zhang & Stephens' posterior mean."""
    n = len(excess)
    quartile = excess[int(n / 4 + 0.5) - 1]
    if quartile <= excess[0]:
        return np.inf, np.nan  # a quarter of the tail in one point is no Pareto tail
    grid = _shape_grid(n, quartile, excess[-1])
    k = np.log1p(-grid[:, None] * excess).mean(axis=1)
    profile = n * (np.log(-grid / k) - k - 1.0)
    weight = np.exp(profile - _logsumexp(profile))
    kept = weight >= 10.0 * np.finfo(float).eps
    b = float((grid[kept] * weight[kept]).sum() / weight[kept].sum())
    shape = float(np.log1p(-b * excess).mean())
    if np.isnan(shape):
        return np.inf, np.nan
    return (n * shape + _PRIOR_DRAWS * _PRIOR_K) / (n + _PRIOR_DRAWS), -shape / b


def _shape_grid(n: int, quartile: float, largest: float) -> Vector:
    m = 30 + int(np.sqrt(n))
    steps = 1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))
    return steps / (_PRIOR_SCALE * quartile) + 1.0 / largest


def _pareto_quantiles(p: Vector, shape: float, scale: float) -> Vector:
    if shape == 0.0:
        return -scale * np.log1p(-p)
    return scale * np.expm1(-shape * np.log1p(-p)) / shape


def _logsumexp(x: Vector) -> float:
    top = x.max()
    return float(top + np.log(np.exp(x - top).sum()))
