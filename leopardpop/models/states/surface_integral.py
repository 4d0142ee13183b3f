r"""A posterior without its surfaces: what a spatial effect adds to all sites is integrated out, at any sd and length.

Let z be the standardised coefficients of the surfaces (and of other random effects), f = S(φ) z their values at the
places (groups), and φ everything else. Given φ, z is taken as normal,

.. math::  z \mid \phi \approx N(\hat z, H^{-1}), \qquad H = I + S^T W S,

with ẑ and the diagonal W those of the normal law nearest to the posterior (in the sense of Kullback and Leibler; Opper
& Archambeau 2009, doi:10.1162/neco.2008.08-07-592): slopes and curvatures of the likelihood in each f, averaged over
what f may be. W is found once, in the middle of φ; ẑ at every φ. That law is where the z of an importance sample
come from: with z₁ … z_M of it, the mean of Pr(y | φ, z) p(z) / q(z) has the integral as its mean, whatever W. Weights
and draws are then exact, as for groups (:mod:`leopardpop.models.states.integrated`), and judged by the same
certificate. Only the mode of φ, around which draws are proposed, rests on the approximation.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from leopardpop.models.spatial_effects import SpatialEffect
from leopardpop.models.states.at_places import AtPlaces

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from leopardpop.models.states.problem import OccupancyProblem

    Floats = NDArray[np.float64]

__all__ = ["IntegratedSurface", "has_surface"]

DRAWS = 32
TILT_STEP = 1e-2
ITERATIONS, OUTER = 12, 30
ROUGH, EXACT = 0.3, 1e-6
"""Steps, in sds, below which the way to ẑ ends: for a proposal, and for a value whose slopes are wanted."""
SETTLED = 0.02
"""Change of the sds of f below which W is found."""
LARGEST = float(np.log(1000.0))
"""Of the log sd of an effect, on the scale of the link."""
LONGEST = 6.0
"""Step, in sds, that is taken at most."""
NODES, WEIGHTS = hermegauss(5)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


class Law(NamedTuple):
    """Normal law of z given φ."""

    mean: Floats
    """(M,)."""
    root: Floats
    """Lower Cholesky factor of H, (M, M)."""
    shape: Floats
    """S, (G, M)."""

    @property
    def log_root(self) -> float:
        """Half of log det H."""
        return float(np.log(np.diagonal(self.root)).sum())

    def inverse_root(self) -> Floats:
        """L⁻¹, (M, M)."""
        from scipy.linalg.lapack import dtrtri

        inverse: Floats = dtrtri(self.root, lower=1)[0]
        return inverse

    def halves(self, inverse: Floats) -> Floats:
        """S L⁻ᵀ, (G, M), with L⁻¹: its square is the covariance of the values f."""
        product: Floats = self.shape @ inverse.T
        return product


class IntegratedSurface:
    """What the engines see of a problem with spatial effects: its coordinates without the coefficients.

    Parameters
    ----------
    problem
        The problem; coefficients and deviations are the last coordinates of theta.
    """

    def __init__(self, problem: OccupancyProblem) -> None:
        from scipy.linalg import block_diag

        self.problem = problem
        effects = problem.layout.effects
        self.size = effects[0].place.start
        self.names = problem.names[: self.size]
        self._matrix = block_diag(*(each.matrix() for each in effects))
        self._places = AtPlaces(problem)
        self._known: dict[bytes, Floats] = {}
        self._start = problem.starts()[0][: self.size]
        self.centre(self._start)

    def centre(self, phi: Floats) -> None:
        """Find W, the sds of f and where ẑ begins at one φ."""
        self._start, n = phi, len(self._matrix)
        self._weight, self._spread, self._push = np.full(n, 0.1), np.ones(n), np.zeros(n)
        self._tilt, log_site = np.zeros((n, self.size)), self._places.at(phi)
        for _ in range(OUTER):
            self._bend = self._matrix.T @ (self._weight[:, None] * self._matrix)
            law = self.law(phi, 0.01)
            before, f = self._spread, law.shape @ law.mean
            self._spread = np.maximum(_lengths(law.halves(law.inverse_root())), 1e-6)
            slope, self._weight = self._smoothed(phi, log_site, f)
            self._push = self._weight * f + slope
            if float(np.abs(self._spread / before - 1.0).max()) < SETTLED:
                break
        self._bend = self._matrix.T @ (self._weight[:, None] * self._matrix)
        self._tilt = self._tilted(phi)

    def _tilted(self, phi: Floats) -> Floats:
        """Slopes of what ẑ begins with, W f + slope, in φ, (G, size)."""
        self._push = self._pushed(phi)
        steps = TILT_STEP * np.eye(self.size)
        return np.stack([(self._pushed(phi + s) - self._pushed(phi - s)) / (2 * TILT_STEP) for s in steps], axis=1)

    def _pushed(self, phi: Floats) -> Floats:
        law = self.law(phi, 0.001)
        f = law.shape @ law.mean
        result: Floats = self._weight * f + self._smoothed(phi, self._places.at(phi), f)[0]
        return result

    # -- what an engine calls -----------------------------------------------------------------------------------------
    def starts(self) -> list[Floats]:
        """Where the search for the mode begins."""
        return [self._start]

    def value(self, phi: Floats) -> float:
        """Log posterior of φ: prior and the lower bound of the integral that the normal law gives."""
        phi = np.asarray(phi, float)
        if self._absurd(phi):
            return -np.inf
        law = self.law(phi, EXACT)
        inverse = law.inverse_root()
        return self._bound(phi, law, inverse, _lengths(law.halves(inverse)))

    def gradient(self, phi: Floats) -> tuple[float, Floats]:
        """The same and its slopes.

        The bound is as large as it can be in ẑ, and W is kept, so that the others move the likelihood alone.
        """
        phi = np.asarray(phi, float)
        if self._absurd(phi):
            return -np.inf, np.zeros(self.size)
        law = self.law(phi, EXACT)
        inverse = law.inverse_root()
        halves = law.halves(inverse)
        f, spread = law.shape @ law.mean, _lengths(halves)
        likelihood = self._places.problem.log_likelihood_gradient
        slopes = np.stack([likelihood(np.concatenate([phi, f + spread * x]))[1] for x in NODES])
        slope = (WEIGHTS @ slopes)[: self.size] + self.problem.priors.log_density(self._padded(phi))[1][: self.size]
        by_scale = self._by_scale(law, inverse, WEIGHTS @ slopes[:, self.size :], halves, self._bent(slopes, spread))
        for each in self.problem.layout.effects:
            place = slice(each.place.start - self.size, each.place.stop - self.size)
            for at, moved in zip(each.scales, each.log_scale_slopes(self._padded(phi)), strict=True):
                slope[at] += by_scale[place] @ moved
        return self._bound(phi, law, inverse, spread), slope

    def _bound(self, phi: Floats, law: Law, inverse: Floats, spread: Floats) -> float:
        f = law.shape @ law.mean
        likelihood = float(WEIGHTS @ self._places.at(phi)(f + spread * NODES[:, None]).sum(-1))
        apart = 0.5 * (float((inverse**2).sum()) + float(law.mean @ law.mean) - len(law.mean)) + law.log_root
        return self._prior(phi) + likelihood - apart

    @staticmethod
    def _by_scale(law: Law, inverse: Floats, slope: Floats, halves: Floats, bend: Floats) -> Floats:
        """Slopes of the bound in the log scale of each coefficient, (M,).

        With C = H⁻¹ and D a change of the log scales, the mean of f moves by S D ẑ and its variances by those of
        2 S C D C Sᵀ, since C Sᵀ W S = I − C; the way to the prior by Σ D (1 − 2 C + C²).
        """
        covariance = inverse.T @ inverse
        spread = bend @ (halves @ inverse) ** 2
        variance = np.diagonal(covariance)
        result: Floats = law.mean * (slope @ law.shape) + spread - 1.0 + 2.0 * variance - (covariance**2).sum(1)
        return result

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
        scale = self._scale(phi)
        shape = self._matrix * scale
        root: Floats = np.linalg.cholesky(np.eye(len(scale)) + scale[:, None] * self._bend * scale)
        log_site = self._places.at(phi)
        z = _solve(root, shape.T @ (self._push + self._tilt @ (phi - self._start)))
        for _ in range(ITERATIONS):
            step = _solve(root, shape.T @ self._smoothed(phi, log_site, shape @ z)[0] - z)
            length = float(np.linalg.norm(root.T @ step))
            z = z + step * min(1.0, LONGEST / max(length, 1e-300))
            if not length > enough:
                break
        return Law(z, root, shape)

    def _smoothed(self, phi: Floats, log_site: Callable[[Floats], Floats], f: Floats) -> tuple[Floats, Floats]:
        """Slope of the log-likelihood in f and minus its curvature, both averaged over normal f, (G,)."""
        slopes = self._places.slopes(phi, log_site, f + self._spread * NODES[:, None])
        return WEIGHTS @ slopes, np.maximum(-self._bent(slopes, self._spread), 0.0)

    @staticmethod
    def _bent(slopes: Floats, spread: Floats) -> Floats:
        """Curvature of the likelihood averaged over normal f, (..., G), of slopes at the nodes (by parts)."""
        bend: Floats = (WEIGHTS * NODES) @ slopes[:, -len(spread) :] / spread
        return bend

    def _estimate(self, phi: Floats) -> float:
        prior = self._prior(phi)
        if not np.isfinite(prior) or self._absurd(phi):
            self._known[phi.tobytes()] = np.zeros(self._matrix.shape[1])
            return -np.inf
        rng = np.random.default_rng(zlib.crc32(phi.tobytes()))  # the same φ, the same coefficients
        law = self.law(phi)
        u = rng.standard_normal((DRAWS, len(law.mean)))
        z = law.mean + _solve_upper(law.root, u.T).T
        log_likelihood = self._places.at(phi)(z @ law.shape.T).sum(-1)
        log_weight = log_likelihood + 0.5 * ((u**2).sum(1) - (z**2).sum(1)) - law.log_root
        top = float(log_weight.max())
        weight = np.exp(log_weight - top) if np.isfinite(top) else np.ones(DRAWS)
        ladder = weight.cumsum()
        chosen = min(int((ladder <= rng.random() * ladder[-1]).sum()), DRAWS - 1)
        self._known[phi.tobytes()] = z[chosen]
        return prior + top + float(np.log(weight.mean()))

    def _prior(self, phi: Floats) -> float:
        return float(self.problem.priors.log_densities(self._padded(phi)[None])[0])

    def _absurd(self, phi: Floats) -> bool:
        """Whether an sd is so large that probabilities are 0 or 1 to the last bit, where nothing can be computed."""
        return any(phi[each.spread] > LARGEST for each in self.problem.layout.effects)

    def _padded(self, phi: Floats) -> Floats:
        return np.concatenate([phi, np.zeros(self._matrix.shape[1])])

    def _scale(self, phi: Floats) -> Floats:
        """Values of the effects per unit of z, (M,)."""
        theta = self._padded(phi)
        scale = np.concatenate([each.log_scale(theta) for each in self.problem.layout.effects])
        result: Floats = np.exp(np.minimum(scale, 50.0))
        return result


def has_surface(problem: OccupancyProblem) -> bool:
    """Whether a formula of a problem has a spatial effect."""
    return any(isinstance(each, SpatialEffect) for each in problem.layout.effects)


def _lengths(rows: Floats) -> Floats:
    """Root of the sum of squares of each row."""
    result: Floats = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return result


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
