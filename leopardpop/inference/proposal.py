"""Proposals for importance sampling: multivariate t laws, skewed by halves, and mixtures of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import lgamma, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from leopardpop.inference.mode import Mode, inverse_root

__all__ = ["Mixture", "SplitT", "laplace_mixture", "refit"]

Vector = NDArray[np.float64]
Evaluate = Callable[[Vector], Vector]

_RADII = (1.0, 2.0, 3.0)  # posterior sds at which the skewness is measured
_NARROWEST, _WIDEST = 0.8, 5.0  # of a half, against the curvature at the mode: the tails must be covered
_FEWEST_PER_PART = 4  # effective draws per parameter that a refitted part must rest on
_MOST_PARTS = 4
_KEPT, _WIDE = 0.20, 0.25  # shares of the first proposal and of a wide t beside the refitted parts
_STRETCH = 3.0  # of refitted scale matrices: a fit to draws knows the bulk, the weights need the tails


@dataclass(frozen=True, eq=False)
class SplitT:
    """A multivariate t law whose two halves along each axis may have different scales.

    With x = centre + root z, the density of z is that of a spherical t of ``z_j / up_j`` (or ``/ down_j`` below
    zero), continuous at the centre (Geweke's split t, but with more mass on the longer side).

    Parameters
    ----------
    centre
        Mode (P,).
    root
        Axes as columns (P, P).
    up, down
        Scales of the upper and lower half of each axis (P,).
    df
        Degrees of freedom.

    References
    ----------
    Geweke (1989), https://doi.org/10.2307/1913710

    Examples
    --------
    >>> import numpy as np
    >>> law = SplitT.symmetric(np.zeros(2), np.eye(2), df=5.0)
    >>> law.draw(np.random.default_rng(1), 4).shape, law.log_density(np.zeros((1, 2))).round(4)
    ((4, 2), array([-1.8379]))
    """

    centre: Vector
    root: Vector
    up: Vector
    down: Vector
    df: float

    @classmethod
    def symmetric(cls, centre: Vector, root: Vector, *, df: float) -> SplitT:
        """Return the ordinary t law with scale matrix ``root @ root.T``."""
        ones = np.ones(len(centre))
        return cls(centre, root, ones, ones, df)

    def draw(self, rng: np.random.Generator, size: int) -> Vector:
        """Independent draws (size, P)."""
        shape = (size, len(self.centre))
        radial = np.sqrt(rng.chisquare(self.df, size) / self.df)
        parts = np.abs(rng.standard_normal(shape)) / radial[:, None]
        above = rng.random(shape) < self.up / (self.up + self.down)
        drawn: Vector = self.centre + np.where(above, parts * self.up, -parts * self.down) @ self.root.T
        return drawn

    def log_density(self, points: Vector) -> Vector:
        """Log density (S,) at the rows of ``points`` (S, P)."""
        size = len(self.centre)
        logs: Vector = self._log_constant - 0.5 * (self.df + size) * np.log1p(self.squared_distance(points) / self.df)
        return logs

    def squared_distance(self, points: Vector) -> Vector:
        """Squared distance (S,) from the centre in scales."""
        along = (points - self.centre) @ self._inverse.T
        scaled = along / np.where(along > 0, self.up, self.down)
        distance: Vector = np.einsum("sp,sp->s", scaled, scaled)
        return distance

    @cached_property
    def _inverse(self) -> Vector:
        return np.linalg.inv(self.root)

    @cached_property
    def _log_constant(self) -> float:
        size, df = len(self.centre), self.df
        t = lgamma(0.5 * (df + size)) - lgamma(0.5 * df) - 0.5 * size * log(df * pi)
        return t - float(np.linalg.slogdet(self.root)[1] - np.log(2.0 / (self.up + self.down)).sum())


@dataclass(frozen=True, eq=False)
class Mixture:
    """Several laws with their shares, which sum to one."""

    shares: Vector
    parts: tuple[SplitT, ...]

    def draw(self, rng: np.random.Generator, size: int) -> Vector:
        """Independent draws (size, P), grouped by part."""
        sizes = rng.multinomial(size, self.shares)
        return np.concatenate([part.draw(rng, int(n)) for part, n in zip(self.parts, sizes, strict=True)])

    def log_density(self, points: Vector) -> Vector:
        """Log density (S,) at the rows of ``points`` (S, P)."""
        logs = [log(share) + part.log_density(points) for share, part in zip(self.shares, self.parts, strict=True)]
        mixed: Vector = np.logaddexp.reduce(logs, axis=0)
        return mixed


def laplace_mixture(modes: Sequence[Mode], evaluate: Evaluate, ceiling: float = 12.0) -> Mixture:
    """First proposal: at every mode that matters, half a t law and half a split t law that follows its skewness.

    Parameters
    ----------
    modes
        Distinct modes, the highest first.
    evaluate
        Log posterior (S,) at points (S, P); called once per mode, with 6 P points.
    ceiling
        Modes whose approximate mass is less than exp(-ceiling) of the largest are left out.

    Returns
    -------
    Mixture
    """
    mass = np.array([mode.log_mass for mode in modes])
    kept = [i for i in range(len(modes)) if mass[i] > mass.max() - ceiling]
    shares = np.maximum(np.exp(mass[kept] - mass[kept].max()), 0.2)  # the mass is a guess: no mode may starve
    parts = [part for i in kept for part in _around(modes[i], evaluate)]
    return Mixture(np.repeat(shares / (2.0 * shares.sum()), 2), tuple(parts))


def refit(draws: Vector, log_weights: Vector, first: Mixture, rng: np.random.Generator) -> Mixture:
    """Next proposal: a mixture of t laws fitted to weighted draws, with a wide part and the first proposal kept.

    Parameters
    ----------
    draws
        Draws (S, P) of all rounds.
    log_weights
        Their normalised log weights (S,).
    first
        The first proposal: it covers what the draws have missed.
    rng
        Chance of the initial centres.

    Returns
    -------
    Mixture

    References
    ----------
    Cappé, Douc, Guillin, Marin & Robert (2008), https://doi.org/10.1007/s11222-008-9059-x
    """
    n_parts, weights = _tempered(log_weights, draws.shape[1])
    shares, parts = _fit_mixture(draws, weights, n_parts, rng)
    centre, spread = _moments(draws, weights)
    wide = SplitT.symmetric(centre, _root(_STRETCH * spread), df=3.0)
    rest = 1.0 - _KEPT - _WIDE
    return Mixture(np.concatenate([rest * shares, [_WIDE], _KEPT * first.shares]), (*parts, wide, *first.parts))


def _df(size: int) -> float:
    """Degrees of freedom: heavier tails where they cost little, in few dimensions."""
    return 5.0 if size <= 6 else 7.0


def _around(mode: Mode, evaluate: Evaluate) -> tuple[SplitT, SplitT]:
    """Return a t law and a split t law at a mode, along the principal axes of its covariance."""
    root = _principal(inverse_root(mode.hessian))
    root, up, down = _halves(mode, root, evaluate)
    df = _df(len(mode.theta))
    return SplitT.symmetric(mode.theta, root, df=df), SplitT(mode.theta, root, up, down, df)


def _principal(root: Vector) -> Vector:
    """Return the same scale matrix by orthogonal axes."""
    axes, lengths, _ = np.linalg.svd(root)
    principal: Vector = axes * lengths
    return principal


def _halves(mode: Mode, root: Vector, evaluate: Evaluate) -> tuple[Vector, Vector, Vector]:
    """Axes and scales of their halves, from how far the log posterior falls along each."""
    root = root * _axis_lengths(mode, root, evaluate)
    falls = mode.value - np.array([_along(mode.theta, root, radius, evaluate) for radius in _RADII])
    with np.errstate(divide="ignore", invalid="ignore"):
        scales = np.array(_RADII)[:, None, None] / np.sqrt(2.0 * falls)
    scales = np.where(falls > 0, scales, _WIDEST).max(axis=0)
    up, down = np.clip(scales, _NARROWEST, _WIDEST)
    return root, up, down


def _axis_lengths(mode: Mode, root: Vector, evaluate: Evaluate) -> Vector:
    """Factors (P,) by which to stretch axes whose curvature misleads (a plateau, a singular Hessian), else one."""
    factors = np.ones(root.shape[1])
    for _ in range(40):
        fall = mode.value - _along(mode.theta, root * factors, 1.0, evaluate)
        steep, flat = fall.min(axis=0) > 8.0, fall.max(axis=0) < 0.02
        if not (steep | flat).any():
            break
        factors = np.where(steep, 0.5 * factors, np.where(flat, 2.0 * factors, factors))
    return factors


def _along(centre: Vector, root: Vector, radius: float, evaluate: Evaluate) -> Vector:
    """Log posterior (2, P) at ``radius`` axis lengths above and below the centre, one axis at a time."""
    return evaluate(np.concatenate([centre + radius * root.T, centre - radius * root.T])).reshape(2, -1)


def _tempered(log_weights: Vector, size: int) -> tuple[int, Vector]:
    """How many parts the weights can carry, and the weights, flattened until they carry one."""
    need = _FEWEST_PER_PART * (size + 1)
    for power in 0.7 ** np.arange(12):
        weights = np.exp(power * (log_weights - log_weights.max()))
        weights /= weights.sum()
        ess = 1.0 / float(weights @ weights)
        if ess >= need:
            break
    return int(np.clip(ess // need, 1, _MOST_PARTS)), weights


def _moments(draws: Vector, weights: Vector) -> tuple[Vector, Vector]:
    """Weighted mean (P,) and covariance (P, P)."""
    mean = weights @ draws
    away = draws - mean
    return mean, away.T @ (away * weights[:, None])


def _root(covariance: Vector) -> Vector:
    """Square root along the principal axes; no axis shorter than 1e-5 of the longest."""
    values, vectors = np.linalg.eigh(covariance)
    root: Vector = vectors * np.sqrt(np.maximum(values, 1e-10 * values[-1]))
    return root


def _fit_mixture(
    draws: Vector, weights: Vector, n_parts: int, rng: np.random.Generator
) -> tuple[Vector, tuple[SplitT, ...]]:
    """Mixture of t laws with fixed degrees of freedom, by weighted expectation-maximisation."""
    size = draws.shape[1]
    df = _df(size)
    centre, spread = _moments(draws, weights)
    spread = spread * (df - 2.0) / df
    first = _root(spread / n_parts ** (2.0 / size))
    centres = _centres(draws, weights, n_parts, first, rng) if n_parts > 1 else [centre]
    parts = tuple(SplitT.symmetric(c, first, df=df) for c in centres)
    shares = np.full(n_parts, 1.0 / n_parts)
    for _ in range(12):
        shares, parts = _improve(draws, weights, shares, parts, 1e-3 * spread)
    return shares, tuple(SplitT.symmetric(part.centre, sqrt(_STRETCH) * part.root, df=df) for part in parts)


def _centres(draws: Vector, weights: Vector, n_parts: int, root: Vector, rng: np.random.Generator) -> list[Vector]:
    """Centres far from each other, drawn by weight and squared distance (k-means++)."""
    white = draws @ np.linalg.inv(root).T
    chosen = [int(rng.choice(len(draws), p=weights))]
    nearest = np.full(len(draws), np.inf)
    while len(chosen) < n_parts:
        nearest = np.minimum(nearest, ((white - white[chosen[-1]]) ** 2).sum(axis=1))
        chance = weights * nearest
        chosen.append(int(rng.choice(len(draws), p=chance / chance.sum())))
    return [draws[i] for i in chosen]


def _improve(
    draws: Vector, weights: Vector, shares: Vector, parts: tuple[SplitT, ...], floor: Vector
) -> tuple[Vector, tuple[SplitT, ...]]:
    """One step of expectation-maximisation; ``floor`` keeps a part from shrinking to a point."""
    logs = np.array([log(share) + part.log_density(draws) for share, part in zip(shares, parts, strict=True)])
    duty = np.exp(logs - np.logaddexp.reduce(logs, axis=0)) * weights
    totals = duty.sum(axis=1) + 1e-12
    moved = tuple(_moved(draws, duty[i] / totals[i], part, floor) for i, part in enumerate(parts))
    return totals / totals.sum(), moved


def _moved(draws: Vector, duty: Vector, part: SplitT, floor: Vector) -> SplitT:
    """Return the part that best fits the draws it answers for; far draws count less, as the t law asks."""
    size = draws.shape[1]
    pull = duty * (part.df + size) / (part.df + part.squared_distance(draws))
    centre = pull @ draws / pull.sum()
    away = draws - centre
    return SplitT.symmetric(centre, _root(away.T @ (away * pull[:, None]) + floor), df=part.df)
