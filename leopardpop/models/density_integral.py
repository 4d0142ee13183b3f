r"""The posterior of a capture-recapture model without its surface of density, which is integrated out.

Let z be the standardised coefficients of the surface, f = Φ S z its values at the places of the mask, and φ everything
else. At a φ the chances :math:`q_i(x)` that animal i, if it lives where the model without a surface puts it, is centred
at x, and the expected number :math:`v(x)` of animals there that are detected, are known once and for all:

.. math::  \log L(z) = \log L(0) + \sum_i \log \sum_x q_i(x) e^{f(x)} - \sum_x v(x) (e^{f(x)} - 1).

So any z costs two products of matrices. Given φ, z is proposed from N(ẑ, H⁻¹) with ẑ the maximum of L(z) p(z) and
H = I + S B S, where B is the curvature of the likelihood in the coefficients of the functions, found once, in the
middle of φ. With z₁ … z_K of it, the mean of L(z) p(z) / q(z) has the integral as its mean, whatever B: weights and
draws are exact, and judged by the same certificate as any. Only the mode of φ, around which draws are proposed, rests
on the approximation.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from leopardpop.models.effects import LOG_ROOT_2PI
from leopardpop.models.spatial_effects import SpatialEffect

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.problem import Problem

__all__ = ["IntegratedDensity", "surface_of"]

DRAWS = 16
STEPS = 60
ROUGH, EXACT = 0.02, 1e-7
"""Steps, in sds, below which the way to ẑ ends: for a proposal, and for a value whose slopes are wanted."""
LONGEST = 3.0
"""Step, in sds, that is taken at most."""
LARGEST = float(np.log(100.0))
"""Of the log sd of the surface: beyond, density is nothing but a few cells."""


class Chances(NamedTuple):
    """What the likelihood of a surface is made of, at one φ."""

    centred: Floats
    """q: Pr(place | history) of each animal where the surface is 0, (n, G)."""
    seen: Floats
    """v: expected number of detected animals at each place there, (G,)."""
    living: Floats
    """Expected number of animals at each place there, (G,)."""
    value: float
    """Log posterior density of φ and z = 0."""


class Law(NamedTuple):
    """Normal law of z given φ."""

    mean: Floats
    """(M,)."""
    root: Floats
    """Lower Cholesky factor of H, (M, M)."""
    scale: Floats
    """Diagonal of S, (M,)."""


def surface_of(problem: Problem) -> SpatialEffect | None:
    """The surface of density, if there is one."""
    return next((each for each in problem.layout.effects if isinstance(each, SpatialEffect)), None)


class IntegratedDensity:
    """What the engines see of a problem with a surface of density: its coordinates without the coefficients.

    Parameters
    ----------
    problem
        The problem.
    surface
        Its surface.
    """

    def __init__(self, problem: Problem, surface: SpatialEffect) -> None:
        self.problem, self.surface = problem, surface
        self.rest = np.setdiff1d(np.arange(len(problem.names)), np.arange(*surface.place.indices(len(problem.names))))
        self.size = len(self.rest)
        self.names = tuple(problem.names[j] for j in self.rest)
        self._functions = surface.matrix()
        self._known: dict[bytes, Floats] = {}
        self._start = problem.starts()[0][self.rest]
        self._begin = np.zeros(self._functions.shape[1])
        self.centre(self._start)

    def centre(self, phi: Floats) -> None:
        """Find the curvature B, and where ẑ begins, at one φ."""
        self._start, chances = phi, self.chances(phi)
        for _ in range(3):
            scale = self._scale(phi)
            self._bend = self._curvature(chances, self._begin * scale)
            self._begin = self._law(phi, chances, ROUGH).mean

    # -- what an engine calls -----------------------------------------------------------------------------------------
    def starts(self) -> list[Floats]:
        """Where the search for the mode begins."""
        return [self._start]

    def value(self, phi: Floats) -> float:
        """Log posterior of φ: Laplace's approximation of the integral over z."""
        phi = np.asarray(phi, float)
        if self._absurd(phi):
            return -np.inf
        law = self.law(phi, EXACT)
        return self.problem.value(self.together(phi, law.mean)) + self._log_volume(law)

    def gradient(self, phi: Floats) -> tuple[float, Floats]:
        """The same and its slopes: ẑ is a maximum, so that only H moves with φ beside what φ does itself."""
        phi = np.asarray(phi, float)
        if self._absurd(phi):
            return -np.inf, np.zeros(self.size)
        law = self.law(phi, EXACT)
        value, slope = self.problem.gradient(self.together(phi, law.mean))
        slope = slope[self.rest]
        told = 1.0 - (self._inverse_root(law) ** 2).sum(0)  # of each coefficient, what is not its prior's
        slope[self._at(self.surface.spread)] -= told.sum()
        basis, theta = self.surface.design.basis, self.together(phi, law.mean)
        slope[self._at(self.surface.reach)] -= told @ (
            0.5 * basis.covariance.spectrum_slope(basis.square, theta[self.surface.reach])
        )
        return value + self._log_volume(law), slope

    def batch_value(self, phis: Floats) -> Floats:
        """Log of the unbiased estimate of the posterior density at many φ (S, size)."""
        return np.array([self._estimate(np.ascontiguousarray(phi, float)) for phi in phis])

    def complete(self, phis: Floats) -> Floats:
        """Theta (S, P) with the coefficients that were drawn at φ (S, size)."""
        phis = np.ascontiguousarray(phis, float)
        for phi in phis:
            if phi.tobytes() not in self._known:
                self._estimate(phi)
        return np.stack([self.together(phi, self._known[phi.tobytes()]) for phi in phis])

    # -- how ----------------------------------------------------------------------------------------------------------
    def together(self, phi: Floats, z: Floats) -> Floats:
        """Theta, (P,)."""
        theta = np.empty(len(self.problem.names))
        theta[self.rest], theta[self.surface.place] = phi, z
        return theta

    def law(self, phi: Floats, enough: float = ROUGH) -> Law:
        """Normal law of z given φ."""
        return self._law(phi, self.chances(phi), enough)

    def chances(self, phi: Floats) -> Chances:
        """What the likelihood of a surface is made of, at φ."""
        theta, problem, at, centred = self.together(phi, np.zeros(len(self._begin))), self.problem, 0, []
        level, seen, living = self.surface.design.level, np.zeros(len(self._functions)), np.zeros(len(self._functions))
        evaluations = problem.evaluate(theta)
        for session, each in zip(problem.sessions, evaluations, strict=True):
            places = level[at : at + len(each.intensity)]
            at += len(places)
            missed = np.exp(each.log_share) @ session.missed(each)
            seen += np.bincount(places, each.intensity * (1.0 - missed), len(seen))
            living += np.bincount(places, each.intensity, len(seen))
            own = np.zeros((session.terms.n_animals, len(seen)))
            own[:, places] = session.centres(each)
            centred.append(own)
        return Chances(np.concatenate(centred), seen, living, problem.posterior_of(theta, evaluations))

    def _law(self, phi: Floats, chances: Chances, enough: float) -> Law:
        scale = self._scale(phi)
        root: Floats = np.linalg.cholesky(np.eye(len(scale)) + scale[:, None] * self._bend * scale)
        z, value, last, longest = self._begin, -np.inf, np.zeros_like(self._begin), LONGEST
        for _ in range(STEPS):
            now, slope = self._climb(chances, scale, z)
            if now < value - 1e-9:  # too far: half the way back
                last, longest = 0.5 * last, 0.5 * longest
                z = z - last
                continue
            value, step = now, _solve(root, slope)
            length = float(np.linalg.norm(root.T @ step))
            last = step * min(1.0, longest / max(length, 1e-300))
            z = z + last
            if not length > enough:
                break
        return Law(z, root, scale)

    def _climb(self, chances: Chances, scale: Floats, z: Floats) -> tuple[float, Floats]:
        """Log density of z up to a constant, and its slopes, (M,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            swell = np.exp(self._functions @ (scale * z))
            weights = chances.centred * swell
            total = weights.sum(1)
            pull = (weights / total[:, None]).sum(0) - chances.seen * swell
            value = float(np.log(total).sum() - chances.seen @ swell - 0.5 * z @ z)
        return value, scale * (pull @ self._functions) - z

    def _curvature(self, chances: Chances, coefficients: Floats) -> Floats:
        """Minus the second derivatives of the log-likelihood in the coefficients, no eigenvalue below 0, (M, M)."""
        swell = np.exp(self._functions @ coefficients)
        weights = chances.centred * swell
        weights /= weights.sum(1, keepdims=True)
        means = weights @ self._functions
        diagonal = chances.seen * swell - weights.sum(0)
        bend = (self._functions * diagonal[:, None]).T @ self._functions + means.T @ means
        eigenvalues, vectors = np.linalg.eigh(0.5 * (bend + bend.T))
        result: Floats = (vectors * np.maximum(eigenvalues, 0.0)) @ vectors.T
        return result

    def _estimate(self, phi: Floats) -> float:
        self._known[phi.tobytes()] = np.zeros(len(self._begin))
        chances = None if self._absurd(phi) else self.chances(phi)
        if chances is None or not np.isfinite(chances.value):
            return -np.inf
        rng = np.random.default_rng(zlib.crc32(phi.tobytes()))  # the same φ, the same coefficients
        law = self._law(phi, chances, ROUGH)
        u = rng.standard_normal((DRAWS, len(law.mean)))
        z = law.mean + _solve_upper(law.root, u.T).T
        log_weight = self._gains(chances, z * law.scale) + 0.5 * ((u**2).sum(1) - (z**2).sum(1))
        top = float(log_weight.max())
        if not np.isfinite(top):
            return -np.inf
        ladder = np.exp(log_weight - top).cumsum()
        chosen = min(int((ladder <= rng.random() * ladder[-1]).sum()), DRAWS - 1)
        self._known[phi.tobytes()] = z[chosen]
        return chances.value + self._log_volume(law) + top + float(np.log(ladder[-1] / DRAWS))

    def _gains(self, chances: Chances, coefficients: Floats) -> Floats:
        """Log posterior at surfaces (K, M) over that at none, without p(z), (K,)."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            swell = np.exp(coefficients @ self._functions.T)
            gain = np.log(chances.centred @ swell.T).sum(0) - (swell - 1.0) @ chances.seen
        number = self.problem.priors.log_density_number
        if self.problem.priors.number is not None:
            before = number(float(chances.living.sum()))[0]
            gain = gain + np.array([number(float(chances.living @ each))[0] - before for each in swell])
        result: Floats = np.where(np.isfinite(gain), gain, -np.inf)
        return result

    def _log_volume(self, law: Law) -> float:
        """Of the law: log of (2π)^(M/2) |H|^(−1/2)."""
        return LOG_ROOT_2PI * len(law.mean) - float(np.log(np.diagonal(law.root)).sum())

    def _inverse_root(self, law: Law) -> Floats:
        """L⁻¹, (M, M): its squares by column add up to the diagonal of H⁻¹."""
        from scipy.linalg import solve_triangular

        inverse: Floats = solve_triangular(law.root, np.eye(len(law.root)), lower=True, check_finite=False)
        return inverse

    def _scale(self, phi: Floats) -> Floats:
        scale: Floats = np.exp(self.surface.log_scale(self.together(phi, self._begin)))
        return scale

    def _at(self, position: int) -> int:
        """Place in φ of a coordinate of theta."""
        return int(np.searchsorted(self.rest, position))

    def _absurd(self, phi: Floats) -> bool:
        """Whether the sd is so large that nothing can be computed."""
        return bool(phi[self._at(self.surface.spread)] > LARGEST)


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
