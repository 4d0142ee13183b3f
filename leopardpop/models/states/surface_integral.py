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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from leopardpop.models.spatial_effects import SpatialEffect

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.models.states.problem import OccupancyProblem

    Floats = NDArray[np.float64]

__all__ = ["IntegratedSurface", "by_place", "has_surface"]

DRAWS = 16
SLOPE_STEP = 1e-3
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


@dataclass(frozen=True, eq=False)
class PlaceEffect:
    """An effect in the coordinates of its values, one a place or group."""

    parameter: str
    design: Any
    place: slice

    @property
    def labels(self) -> list[str]:
        """One a value."""
        return [f"{self.parameter}[{level}]" for level in self.design.levels]

    def natural(self, theta: Any) -> Any:
        """Values, (..., G)."""
        return theta[..., self.place]

    def pull(self, theta: Floats, by_natural: Floats, gradient: Floats) -> None:
        """Add slopes with respect to the values to a gradient."""
        gradient[self.place] += by_natural


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
        from scipy.linalg import solve_triangular

        inverse: Floats = solve_triangular(self.root, np.eye(len(self.root)), lower=True, check_finite=False)
        return inverse

    def spread(self, inverse: Floats) -> Floats:
        """Sd of each value f, (G,), with L⁻¹."""
        sd: Floats = np.sqrt(((self.shape @ inverse.T) ** 2).sum(1))
        return sd


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
        self._places = by_place(problem)
        self._known: dict[bytes, Floats] = {}
        self._start = problem.starts()[0][: self.size]
        self.centre(self._start)

    def centre(self, phi: Floats) -> None:
        """Find W, the sds of f and where ẑ begins at one φ."""
        self._start, n = phi, len(self._matrix)
        self._weight, self._spread, self._push = np.full(n, 0.1), np.ones(n), np.zeros(n)
        for _ in range(OUTER):
            self._bend = self._matrix.T @ (self._weight[:, None] * self._matrix)
            law = self.law(phi, 0.01)
            before, f = self._spread, law.shape @ law.mean
            self._spread = np.maximum(law.spread(law.inverse_root()), 1e-6)
            slope, self._weight = self._smoothed(phi, f)
            self._push = self._weight * f + slope
            if float(np.abs(self._spread / before - 1.0).max()) < SETTLED:
                break
        self._bend = self._matrix.T @ (self._weight[:, None] * self._matrix)

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
        f, spread = law.shape @ law.mean, law.spread(inverse)
        theta = np.stack([np.concatenate([phi, f + spread * x]) for x in NODES])
        likelihood = float(WEIGHTS @ self._places.pointwise(theta).y.sum(-1))
        apart = 0.5 * (float((inverse**2).sum()) + float(law.mean @ law.mean) - len(law.mean)) + law.log_root
        return self._prior(phi) + likelihood - apart

    def gradient(self, phi: Floats) -> tuple[float, Floats]:
        """The same and its slopes; those for sds and length scales by differences.

        The bound is as large as it can be in ẑ, and W is kept, so that the others move the likelihood alone.
        """
        phi = np.asarray(phi, float)
        if self._absurd(phi):
            return -np.inf, np.zeros(self.size)
        law = self.law(phi, EXACT)
        f, spread = law.shape @ law.mean, law.spread(law.inverse_root())
        parts = [self._places.log_likelihood_gradient(np.concatenate([phi, f + spread * x]))[1] for x in NODES]
        slope = (WEIGHTS @ np.stack(parts))[: self.size] + self.problem.priors.log_density(self._padded(phi))[1][
            : self.size
        ]
        for at in (at for each in self.problem.layout.effects for at in each.scales):
            step = SLOPE_STEP * np.eye(self.size)[at]
            slope[at] = (self.value(phi + step) - self.value(phi - step)) / (2 * SLOPE_STEP)
        return self.value(phi), slope

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
        z = _solve(root, shape.T @ self._push)
        for _ in range(ITERATIONS):
            step = _solve(root, shape.T @ self._smoothed(phi, shape @ z)[0] - z)
            length = float(np.linalg.norm(root.T @ step))
            z = z + step * min(1.0, LONGEST / max(length, 1e-300))
            if not length > enough:
                break
        return Law(z, root, shape)

    def _smoothed(self, phi: Floats, f: Floats) -> tuple[Floats, Floats]:
        """Slope of the log-likelihood in f and minus its curvature, both averaged over normal f, (G,)."""
        slopes = np.stack([self._slope(phi, f + self._spread * x) for x in NODES])
        weight: Floats = -(WEIGHTS * NODES) @ slopes / self._spread
        return WEIGHTS @ slopes, np.maximum(weight, 0.0)

    def _slope(self, phi: Floats, f: Floats) -> Floats:
        """Slope of the log-likelihood in f, (G,)."""
        slope: Floats = self._places.log_likelihood_gradient(np.concatenate([phi, f]))[1][self.size :]
        return slope

    def _estimate(self, phi: Floats) -> float:
        prior = self._prior(phi)
        if not np.isfinite(prior) or self._absurd(phi):
            self._known[phi.tobytes()] = np.zeros(self._matrix.shape[1])
            return -np.inf
        rng = np.random.default_rng(zlib.crc32(phi.tobytes()))  # the same φ, the same coefficients
        law = self.law(phi)
        u = rng.standard_normal((DRAWS, len(law.mean)))
        z = law.mean + _solve_upper(law.root, u.T).T
        log_weight = self._likelihoods(phi, z @ law.shape.T) + 0.5 * ((u**2).sum(1) - (z**2).sum(1)) - law.log_root
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

    def _likelihoods(self, phi: Floats, f: Floats) -> Floats:
        theta = np.concatenate([np.broadcast_to(phi, (len(f), len(phi))), f], axis=1)
        step = self.problem.batch
        parts = [self._places.pointwise(theta[i : i + step]).y.sum(-1) for i in range(0, len(theta), step)]
        return np.concatenate(parts)

    def _scale(self, phi: Floats) -> Floats:
        """Values of the effects per unit of z, (M,)."""
        theta = self._padded(phi)
        scale = np.concatenate([each.log_scale(theta) for each in self.problem.layout.effects])
        result: Floats = np.exp(np.minimum(scale, 50.0))
        return result


def has_surface(problem: OccupancyProblem) -> bool:
    """Whether a formula of a problem has a spatial effect."""
    return any(isinstance(each, SpatialEffect) for each in problem.layout.effects)


def by_place(problem: OccupancyProblem) -> OccupancyProblem:
    """The same likelihood, with the values of the effects as its last coordinates."""
    effects, at = [], problem.layout.effects[0].place.start
    for each in problem.layout.effects:
        effects.append(PlaceEffect(each.parameter, each.design, slice(at, at + len(each.design.levels))))
        at += len(each.design.levels)
    return problem.with_effects(effects)


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
