r"""A posterior without its surfaces: what a spatial effect adds to all sites is integrated out, at any sd and length.

Let w be the coefficients of the surfaces (and of other random effects) in units that do not depend on sd and length
scale: w = D(φ) z with z standard normal, and φ everything else. Around one centre ŵ the log-likelihood has the slope g
and the curvature −B, so that given any φ

.. math::  z \mid \phi \approx N(\hat z, H^{-1}), \qquad H = I + D B D,

with ẑ found by Newton steps in the metric H. That law is where the z of an importance sample come from: with z₁ … z_M
of it, the mean of Pr(y | φ, z) p(z) / q(z) has the integral as its mean, whatever B. Weights and draws are then exact,
as for groups (:mod:`leopardpop.models.states.integrated`), and judged by the same certificate.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.models.spatial_effects import SpatialEffect

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.models.states.problem import OccupancyProblem

    Floats = NDArray[np.float64]

__all__ = ["IntegratedSurface", "has_surface"]

DRAWS = 16
STEP = 1e-3
SLOPE_STEP = 1e-3
ITERATIONS = 25
CENTRING = 8
ROUGH, EXACT = 0.05, 1e-5
"""Steps, in sds, below which the way to ẑ ends: for a proposal, and for a value whose slopes are wanted."""
LONGEST = 6.0
"""Step, in sds, that is taken at most."""


class Law(NamedTuple):
    """Normal law of z given φ."""

    mean: Floats
    """(M,)."""
    root: Floats
    """Lower Cholesky factor of H, (M, M)."""
    ratio: Floats
    """D, (M,)."""

    @property
    def log_root(self) -> float:
        """Half of log det H."""
        return float(np.log(np.diagonal(self.root)).sum())


class IntegratedSurface:
    """What the engines see of a problem with spatial effects: its coordinates without the coefficients.

    Parameters
    ----------
    problem
        The problem; coefficients and deviations are the last coordinates of theta.
    """

    def __init__(self, problem: OccupancyProblem) -> None:
        self.problem = problem
        self.size = problem.layout.effects[0].place.start
        self.names = problem.names[: self.size]
        self._unit = _unit(problem)
        self._known: dict[bytes, Floats] = {}
        self.centre(problem.starts()[0][: self.size])

    # -- the centre ---------------------------------------------------------------------------------------------------
    def centre(self, phi: Floats) -> None:
        """Take slope and curvature of the likelihood where its coefficients are most likely given φ."""
        self._start, ratio = phi, self.ratio(phi)
        w = np.zeros(len(ratio))
        for _ in range(CENTRING):
            slope, bend = self._slope(phi, w), self._bend(phi, w)
            root = np.linalg.cholesky(np.eye(len(w)) + ratio[:, None] * bend * ratio)
            new = ratio * _solve(root, ratio * (slope + bend @ w))
            moved, w = new - w, new
            if float(np.abs(moved / np.maximum(ratio, 1e-300)).max()) < 0.1:
                break
        bend = self._bend(phi, w)
        self._bend_there, self._push = bend, self._slope(phi, w) + bend @ w

    def _bend(self, phi: Floats, w: Floats) -> Floats:
        """Curvature B of the likelihood in w, (M, M), without what bends the other way."""
        steps = STEP * np.eye(len(w))
        rows = np.stack([self._slope(phi, w - s) - self._slope(phi, w + s) for s in steps]) / (2 * STEP)
        values, vectors = np.linalg.eigh(0.5 * (rows + rows.T))
        bend: Floats = (vectors * np.maximum(values, 0.0)) @ vectors.T
        return bend

    # -- what an engine calls -----------------------------------------------------------------------------------------
    def starts(self) -> list[Floats]:
        """Where the search for the mode begins: where the centre is."""
        return [self._start]

    def value(self, phi: Floats) -> float:
        """Log posterior of φ by Laplace's approximation with the curvature of the centre."""
        phi = np.asarray(phi, float)
        law = self.law(phi, EXACT)
        likelihood = self.problem.log_likelihood(self._coded(phi, law.ratio * law.mean))
        return self._prior(phi) + likelihood - 0.5 * float(law.mean @ law.mean) - law.log_root

    def gradient(self, phi: Floats) -> tuple[float, Floats]:
        """Log posterior of φ by that approximation, and its slopes, by differences."""
        steps = SLOPE_STEP * np.eye(self.size)
        slopes = [(self.value(phi + s) - self.value(phi - s)) / (2 * SLOPE_STEP) for s in steps]
        return self.value(phi), np.array(slopes)

    def batch_value(self, phis: Floats) -> Floats:
        """Log of the unbiased estimate of the posterior density at many φ (S, size)."""
        return np.array([self._estimate(np.ascontiguousarray(phi, float)) for phi in phis])

    def complete(self, phis: Floats) -> Floats:
        """Theta (S, P) with the coefficients that were drawn at φ (S, size)."""
        phis = np.ascontiguousarray(phis, float)
        for phi in phis:
            if phi.tobytes() not in self._known:
                self._estimate(phi)
        return np.stack([np.concatenate([phi, self._known[phi.tobytes()]]) for phi in phis])

    # -- how ----------------------------------------------------------------------------------------------------------
    def law(self, phi: Floats, enough: float = ROUGH) -> Law:
        """Normal law of z given φ."""
        ratio = self.ratio(phi)
        root = np.linalg.cholesky(np.eye(len(ratio)) + ratio[:, None] * self._bend_there * ratio)
        z = _solve(root, ratio * self._push)
        for _ in range(ITERATIONS):
            step = _solve(root, ratio * self._slope(phi, ratio * z) - z)
            length = float(np.linalg.norm(root.T @ step))
            z = z + step * min(1.0, LONGEST / max(length, 1e-300))
            if not length > enough:
                break
        return Law(z, root, ratio)

    def _estimate(self, phi: Floats) -> float:
        prior = self._prior(phi)
        if not np.isfinite(prior):
            self._known[phi.tobytes()] = np.zeros(len(self._unit) - self.size)
            return -np.inf
        rng = np.random.default_rng(zlib.crc32(phi.tobytes()))  # the same φ, the same coefficients
        law = self.law(phi)
        u = rng.standard_normal((DRAWS, len(law.mean)))
        z = law.mean + _solve_upper(law.root, u.T).T
        log_weight = self._likelihoods(phi, law.ratio * z) + 0.5 * ((u**2).sum(1) - (z**2).sum(1)) - law.log_root
        top = float(log_weight.max())
        weight = np.exp(log_weight - top) if np.isfinite(top) else np.ones(DRAWS)
        ladder = weight.cumsum()
        chosen = min(int((ladder <= rng.random() * ladder[-1]).sum()), DRAWS - 1)
        self._known[phi.tobytes()] = z[chosen]
        return prior + top + float(np.log(weight.mean()))

    def _prior(self, phi: Floats) -> float:
        return float(self.problem.priors.log_densities(self._padded(phi)[None])[0])

    def _padded(self, phi: Floats) -> Floats:
        return np.concatenate([phi, np.zeros(len(self._unit) - self.size)])

    def _likelihoods(self, phi: Floats, w: Floats) -> Floats:
        theta = np.stack([self._coded(phi, each) for each in w])
        step = self.problem.batch
        parts = [self.problem.pointwise(theta[i : i + step]).y.sum(-1) for i in range(0, len(theta), step)]
        return np.concatenate(parts)

    def _slope(self, phi: Floats, w: Floats) -> Floats:
        """Slope of the log-likelihood in w, (M,)."""
        slope: Floats = self.problem.log_likelihood_gradient(self._coded(phi, w))[1][self.size :]
        return slope

    def _coded(self, phi: Floats, w: Floats) -> Floats:
        """Theta whose effects are w, with sds and length scales of which w is the standardised form."""
        theta = self._unit.copy()
        theta[self._plain] = phi[self._plain]
        theta[self.size :] = w
        return theta

    @property
    def _plain(self) -> Any:
        """Coordinates of φ that are no sd and no length scale."""
        scales = [at for each in self.problem.layout.effects for at in each.scales]
        return np.setdiff1d(np.arange(self.size), scales)

    def ratio(self, phi: Floats) -> Floats:
        """D: w over z at φ, (M,)."""
        theta = self._padded(phi)
        with np.errstate(over="ignore"):
            log_ratios = [e.log_scale(theta) - e.log_scale(self._unit) for e in self.problem.layout.effects]
            ratio: Floats = np.exp(np.minimum(np.concatenate(log_ratios), 50.0))
        return ratio


def has_surface(problem: OccupancyProblem) -> bool:
    """Whether a formula of a problem has a spatial effect."""
    return any(isinstance(each, SpatialEffect) for each in problem.layout.effects)


def _unit(problem: OccupancyProblem) -> Floats:
    """Theta with sds of one, and length scales as short as the functions can tell apart."""
    theta = np.zeros(problem.layout.size)
    for each in problem.layout.effects:
        if isinstance(each, SpatialEffect):
            theta[each.reach] = np.log(each.design.basis.shortest)
    return theta


def _solve(root: Floats, values: Floats) -> Floats:
    """H⁻¹ v of the Cholesky factor of H."""
    from scipy.linalg import cho_solve

    solved: Floats = cho_solve((root, True), values, check_finite=False)
    return solved


def _solve_upper(root: Floats, values: Floats) -> Floats:
    """L⁻ᵀ v."""
    from scipy.linalg import solve_triangular

    solved: Floats = solve_triangular(root, values, lower=True, trans="T", check_finite=False)
    return solved
