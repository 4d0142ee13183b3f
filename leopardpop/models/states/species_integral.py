r"""A community without its species: what each has of its own is integrated out, species by species.

Let u be the deviations of a species in its coefficients (of standardised covariates), normal with sds r, φ everything
else, and l(u) the log-likelihood of its visits. Near the middle of φ, l is bent by −H, which is found once, so that

.. math::  u \mid \phi \approx N(\hat u, A^{-1}), \qquad A = H + \mathrm{diag}(r^{-2}),

with û the mode at each φ. Importance samples of u come from a t law of that shape; weights and draws are exact whatever
H (:mod:`leopardpop.models.states.integrated`). The mode of φ, around which draws are proposed, rests on Laplace's
approximation with that H. The same laws say how Markov chains move best: a species that was seen often in its own
coefficients (w = 0 of :mod:`leopardpop.models.effects`), one that was hardly seen in units of the sd (w = 1).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leopardpop.models.states.at_places import place_effects
from leopardpop.models.states.clusters import Clusters
from leopardpop.models.states.integrated import Integrated, Settled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leopardpop.models.states.community import CommunityProblem

    Floats = NDArray[np.float64]

__all__ = ["SpeciesIntegral", "with_centring"]

STEP = 1e-4
"""Of the differences that give H."""
TILT_STEP = 1e-2
ITERATIONS, OUTER = 40, 25
ROUNDS = 8
"""Steps of the EM algorithm before a search begins."""
ROUGH, EXACT = 0.1, 1e-7
"""Steps, in sds, below which the way to û ends: for a proposal, and for a value whose slopes are wanted."""
LONGEST = 3.0
"""Step, in sds, that is taken at most."""
BELOW = 1.0
"""Posterior sds of the log of r, below the middle, at which the coordinates of chains are chosen."""
LARGEST = float(np.log(1000.0))
"""Of the log of r, either way."""


class SpeciesLaw(NamedTuple):
    """Normal laws of the deviations of all species given φ."""

    mean: Floats
    """û, (K, d)."""
    root: Floats
    """Lower Cholesky factors of A, (K, d, d)."""
    sd: Floats
    """r, (d,)."""

    def covariance(self) -> Floats:
        """A⁻¹, (K, d, d)."""
        inverse: Floats = np.linalg.inv(self.root)
        spread: Floats = np.einsum("kji,kjl->kil", inverse, inverse)
        return spread

    def log_root(self) -> Floats:
        """Half of log det A, (K,)."""
        total: Floats = np.log(np.diagonal(self.root, axis1=1, axis2=2)).sum(-1)
        return total


class SpeciesIntegral(Integrated):
    """What the engine "laplace" sees of a community.

    Parameters
    ----------
    problem
        The problem; deviations of the species are the last coordinates of theta.
    """

    def __init__(self, problem: CommunityProblem) -> None:
        effects = problem.layout.effects
        n_species, n_places = len(problem.species), len(problem.places)
        place = np.stack([np.arange(each.place.start, each.place.stop) for each in effects], axis=1)
        clusters = Clusters(
            place.astype(np.intp),
            np.arange(problem.n_sites),
            np.arange(n_species) * n_places,
            np.empty(0, np.intp),
        )
        super().__init__(problem, clusters)
        self._plain = problem.with_effects(place_effects(problem))
        self._scale = np.array([each.design.scale for each in effects])
        self._fixed = np.array([_coefficient(problem, each) for each in effects])
        self._start = problem.starts()[0][: self.size]
        self._origin, self._mean, self._push = self._start, np.zeros(place.shape), np.zeros(place.shape)
        self._bend = np.zeros((*place.shape, place.shape[1]))
        self.centre(self._start)
        for _ in range(ROUNDS):
            self.centre(self._nearer())

    def _nearer(self) -> Floats:
        """φ with the means and sds that the deviations have: a step of the EM algorithm, from the centre."""
        phi = np.array(self._start, float)
        law = self.law(phi)
        own, known = law.mean.mean(0), self._fixed >= 0
        phi[self._fixed[known]] += own[known]
        left = np.diagonal(law.covariance(), axis1=1, axis2=2)
        squares = ((law.mean - np.where(known, own, 0.0)) ** 2 + left).mean(0)
        phi[self._spreads] = 0.5 * np.log(squares) - np.log(self._scale)
        return phi

    def centre(self, phi: Floats) -> None:
        """Find H, and where û begins, at one φ."""
        mean = self._moved(phi)
        sd = self._sds(phi)
        for _ in range(OUTER):
            self._bend = self._curvature(phi, mean)
            push = self._slopes(phi, mean)[2]
            step, length = self._step(np.linalg.cholesky(self._curved_by(sd)), push - mean / sd**2)
            mean = mean + step
            if not length > 1e-3:
                break
        self._start, self._origin, self._mean = phi, phi, mean
        self._push = self._slopes(phi, mean)[2]

    # -- what an engine calls -----------------------------------------------------------------------------------------
    def starts(self) -> list[Floats]:
        """Where the search for the mode begins."""
        return [self._start]

    def value(self, phi: Floats) -> float:
        """Log posterior of φ by Laplace's approximation."""
        return self.gradient(phi)[0]

    def gradient(self, phi: Floats) -> tuple[float, Floats]:
        """Log posterior of φ by Laplace's approximation, and its slopes: û is a mode, and H is kept."""
        phi = np.asarray(phi, float)
        if self._absurd(phi):
            return -np.inf, np.zeros(self.size)
        law = self.law(phi, EXACT)
        value, slope, _ = self._slopes(phi, law.mean)
        prior, by_prior = self.problem.priors.log_density(self._padded(phi))
        scaled = (law.mean / law.sd) ** 2
        value += prior - 0.5 * float(scaled.sum()) - len(law.mean) * float(np.log(law.sd).sum())
        value -= float(law.log_root().sum())
        slope = slope + by_prior[: self.size]
        shrunk = np.diagonal(law.covariance(), axis1=1, axis2=2) / law.sd**2
        np.add.at(slope, self._spreads, (scaled + shrunk - 1.0).sum(0))
        return value, slope

    # -- how ----------------------------------------------------------------------------------------------------------
    def law(self, phi: Floats, enough: float = ROUGH) -> SpeciesLaw:
        """Laws of the deviations given φ."""
        sd = self._sds(phi)
        root = np.linalg.cholesky(self._curved_by(sd))
        pull = np.einsum("kij,kj->ki", self._bend, self._moved(phi)) + self._push
        mean = self._step(root, pull, np.inf)[0]
        for _ in range(ITERATIONS):
            step, length = self._step(root, self._slopes(phi, mean)[2] - mean / sd**2)
            mean = mean + step
            if not length > enough:
                break
        return SpeciesLaw(mean, root, sd)

    def centring(self, phi: Floats, covariance: Floats) -> Floats:
        """w of each species and deviation, (K, d): how much of the variance between species is left to it.

        It is that at sds somewhat below the middle: chains get stuck where sds are small sooner than where large.
        """
        low = np.array(phi, float)
        low[self._spreads] -= BELOW * np.sqrt(np.diagonal(covariance)[self._spreads])
        law = self.law(low)
        left: Floats = np.diagonal(law.covariance(), axis1=1, axis2=2) / law.sd**2
        return np.clip(left, 0.0, 1.0)

    def metric(self, phi: Floats, covariance: Floats, weight: Floats) -> tuple[Floats, Floats]:
        """Middle (P,) and covariance (P, P) of theta whose deviations have centring w (K, d)."""

        def middle(at: Floats) -> tuple[Floats, Floats, SpeciesLaw]:
            law = self.law(at, EXACT)
            unit = law.sd**-weight
            return (law.mean * unit).T.ravel(), unit, law

        centre, unit, law = middle(phi)
        steps = TILT_STEP * np.sqrt(np.diagonal(covariance))[:, None] * np.eye(self.size)
        slopes = [(middle(phi + s)[0] - middle(phi - s)[0]) / (2 * s.sum()) for s in steps]
        tilt = np.vstack([np.eye(self.size), np.stack(slopes, axis=1)])
        spread: Floats = tilt @ covariance @ tilt.T
        at = self.clusters.place
        own = unit[:, :, None] * law.covariance() * unit[:, None, :]
        spread[at[:, :, None], at[:, None, :]] += own
        return np.concatenate([phi, centre]), spread

    def _log_sites(self, theta: Floats) -> Floats:
        """log Pr(visits of a site) of each species."""
        return self.problem.evaluate(theta).forward.log_site

    def _settle(self, phis: Floats, enough: float) -> Settled:
        """Laws at many φ in units of the sds, which is how theta has them."""
        laws = [self.law(phi) for phi in phis if not self._absurd(phi)]
        each = iter(laws)
        settled = [self._in_units(None if self._absurd(phi) else next(each)) for phi in phis]
        mode, root, volume = (np.stack(parts) for parts in zip(*settled, strict=True))
        return Settled(mode, np.zeros(volume.shape), root, volume)

    def _in_units(self, law: SpeciesLaw | None) -> tuple[Floats, Floats, Floats]:
        """Mode (K, d), root of the covariance and log of its determinant, of z = u / r."""
        n, d = self.clusters.place.shape
        if law is None:
            return np.zeros((n, d)), np.broadcast_to(np.eye(d), (n, d, d)), np.zeros(n)
        root = np.swapaxes(np.linalg.inv(law.root), 1, 2) / law.sd[:, None]
        return law.mean / law.sd, root, -law.log_root() - np.log(law.sd).sum()

    def _step(self, root: Floats, push: Floats, longest: float = LONGEST) -> tuple[Floats, float]:
        """A⁻¹ push of each species, no longer than so many sds, and the length of the longest."""
        inverse = np.linalg.inv(root)
        white = np.einsum("kij,kj->ki", inverse, push)
        length = np.sqrt((white**2).sum(1, keepdims=True))
        white = white * np.minimum(1.0, longest / np.maximum(length, 1e-300))
        return np.einsum("kji,kj->ki", inverse, white), float(length.max())

    def _slopes(self, phi: Floats, mean: Floats) -> tuple[float, Floats, Floats]:
        """Log-likelihood, its slopes in φ (size,) and in u (K, d)."""
        theta = np.concatenate([phi, (mean / self._scale).T.ravel()])
        value, slope = self._plain.log_likelihood_gradient(theta)
        return value, slope[: self.size], slope[self.size :].reshape(mean.shape[::-1]).T / self._scale

    def _curvature(self, phi: Floats, mean: Floats) -> Floats:
        """H of all species, (K, d, d), without what bends upwards."""
        steps = STEP * np.eye(mean.shape[1])
        columns = [self._slopes(phi, mean - step)[2] - self._slopes(phi, mean + step)[2] for step in steps]
        bend = np.stack(columns, axis=1) / (2 * STEP)
        values, vectors = np.linalg.eigh(0.5 * (bend + np.swapaxes(bend, 1, 2)))
        curved: Floats = np.einsum("kij,kj,klj->kil", vectors, np.maximum(values, 0.0), vectors)
        return curved

    def _curved_by(self, sd: Floats) -> Floats:
        """A, (K, d, d)."""
        curved: Floats = self._bend + np.diag(sd**-2.0)
        return curved

    def _moved(self, phi: Floats) -> Floats:
        """Where û would be if species kept their coefficients while φ moves, (K, d)."""
        known = self._fixed >= 0
        moved: Floats = self._mean - np.where(known, (phi - self._origin)[self._fixed], 0.0)
        return moved

    def _sds(self, phi: Floats) -> Floats:
        """r, (d,)."""
        sd: Floats = np.exp(phi[self._spreads]) * self._scale
        return sd

    @property
    def _spreads(self) -> NDArray[np.intp]:
        """Where the log sds are in φ, (d,)."""
        return np.array([each.spread for each in self.problem.layout.effects])

    def _absurd(self, phi: Floats) -> bool:
        """Whether an sd is so large or small that nothing can be computed."""
        return bool((np.abs(phi[self._spreads] + np.log(self._scale)) > LARGEST).any())

    def _padded(self, phi: Floats) -> Floats:
        return np.concatenate([phi, np.zeros(self.clusters.place.size)])


def with_centring(problem: CommunityProblem, weight: Floats) -> Any:
    """The same problem with its deviations in other coordinates, w (K, d)."""
    effects = zip(problem.layout.effects, weight.T, strict=True)
    return problem.with_effects([replace(each, weight=w) for each, w in effects])


def _coefficient(problem: CommunityProblem, effects: Any) -> int:
    """Where in theta the mean of a deviation is; −1 if it is not there."""
    parameter = problem.layout[effects.parameter]
    names = parameter.design.coefficients
    column = effects.design.column
    return parameter.place.start + names.index(column) if column in names else -1
