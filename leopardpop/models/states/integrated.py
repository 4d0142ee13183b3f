r"""A posterior without its random effects: the deviations of the groups are integrated out, cluster by cluster.

Given all other coefficients φ the clusters are independent, and each has a handful of deviations z. With ẑ their mode,
t a multivariate t law around it with the curvature there, and z₁ … z_M drawn from t,

.. math::
    p(\phi, y) = p(\phi) \prod_c \int \Pr(y_c \mid \phi, z)\, p(z)\, dz \approx
    p(\phi) \prod_c \frac1M \sum_m \frac{\Pr(y_c \mid \phi, z_m)\, p(z_m)}{t(z_m)}.

The right-hand side has the left as its mean, whatever t is. So importance weights of φ with it, and one of the z_m of
each cluster in proportion to its term, are weights and draws of the joint posterior: exact, and judged by the same
certificate (Andrieu & Roberts 2009, doi:10.1214/07-AOS574). Only the mode of φ, around which draws are proposed, rests
on Laplace's approximation of the integral (Tierney & Kadane 1986, doi:10.1080/01621459.1986.10478240).
"""

from __future__ import annotations

import zlib
from itertools import combinations
from math import lgamma
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leopardpop.models.states.clusters import find_clusters

if TYPE_CHECKING:
    from leopardpop.models.states.clusters import Clusters
    from leopardpop.models.states.problem import OccupancyProblem

    Floats = NDArray[np.float64]

__all__ = ["Integrated", "integrated_form"]

STEP = 1e-3
"""Of the differences, in prior sds of a deviation."""
ITERATIONS = 12
ROUGH, EXACT = 0.03, 1e-6
"""Steps below which the way to a mode ends: for a proposal, and for a value whose slopes are wanted."""
LONGEST = 1.5
FLATTEST = 0.3
"""Least curvature that a Newton step trusts; that of the prior alone is 1."""
DF = 5.0
DRAWS = 16
SLOPE_STEP = 1e-4


class Settled(NamedTuple):
    """Conditional law of the deviations around their modes."""

    mode: Floats
    """(B, C, d)."""
    value: Floats
    """log Pr(y, z | φ) there, (B, C)."""
    root: Floats
    """Square root of the inverse curvature, (B, C, d, d)."""
    log_volume: Floats
    """Log of its determinant, (B, C)."""


class Integrated:
    """What the engine "laplace" sees of a problem with random effects.

    Parameters
    ----------
    problem
        The problem; its deviations are the last coordinates of theta.
    clusters
        Its clusters.
    """

    def __init__(self, problem: OccupancyProblem, clusters: Clusters) -> None:
        self.problem, self.clusters = problem, clusters
        self.size = problem.layout.effects[0].place.start
        self.names = problem.names[: self.size]
        self._known: dict[bytes, Floats] = {}
        self._offsets = _stencil(clusters.place.shape[1])

    # -- what an engine calls -----------------------------------------------------------------------------------------
    def value(self, phi: Floats) -> float:
        """Log posterior of φ by Laplace's approximation."""
        return float(self.approximate(np.asarray(phi, float)[None])[0])

    def gradient(self, phi: Floats) -> tuple[float, Floats]:
        """Log posterior of φ by Laplace's approximation, and its slopes, by differences."""
        steps = SLOPE_STEP * np.eye(self.size)
        values = self.approximate(np.concatenate([[phi], phi + steps, phi - steps]))
        return float(values[0]), (values[1 : self.size + 1] - values[self.size + 1 :]) / (2 * SLOPE_STEP)

    def starts(self) -> list[Floats]:
        """Points to start the search for the mode from."""
        return [theta[: self.size] for theta in self.problem.starts()]

    def batch_value(self, phis: Floats) -> Floats:
        """Log of the unbiased estimate of the posterior density at many φ (S, size)."""
        step = max(1, 4 * self.problem.batch // len(self._offsets))
        return np.concatenate([self._together(phis[i : i + step]) for i in range(0, len(phis), step)])

    def complete(self, phis: Floats) -> Floats:
        """Theta (S, P) with the deviations that were drawn at φ (S, size)."""
        phis = np.ascontiguousarray(phis, float)
        missing = np.array([row for row in phis if row.tobytes() not in self._known])
        if len(missing):
            self.batch_value(missing)
        return np.stack([np.concatenate([row, self._known[row.tobytes()]]) for row in phis])

    # -- how ----------------------------------------------------------------------------------------------------------
    def approximate(self, phis: Floats) -> Floats:
        """Laplace's approximation at many φ, (S,)."""
        with np.errstate(all="ignore"):
            settled = self._settle(phis, EXACT)
            constant = 0.5 * settled.mode.shape[-1] * np.log(2 * np.pi)
            value: Floats = self._rest(phis) + (settled.value + settled.log_volume + constant).sum(-1)
        return value

    def _together(self, phis: Floats) -> Floats:
        phis = np.ascontiguousarray(phis, float)
        with np.errstate(all="ignore"):
            settled = self._settle(phis, ROUGH)
            z, log_weight, rng = self._drawn(phis, settled)
            top = log_weight.max(1)
            weight = np.exp(log_weight - top[:, None])
            total = np.where(np.isfinite(top), top + np.log(weight.mean(1)), -np.inf)
            self._keep(phis, z, np.nan_to_num(weight), rng)
            value: Floats = self._rest(phis) + total.sum(-1)
        return value

    def _drawn(self, phis: Floats, settled: Settled) -> tuple[Floats, Floats, list[np.random.Generator]]:
        """Deviations (B, M, C, d) from t laws, their log weights (B, M, C), and where chance comes from."""
        rng = [np.random.default_rng(zlib.crc32(row.tobytes())) for row in phis]  # the same φ, the same deviations
        n, d = self.clusters.place.shape
        normal = np.stack([r.standard_normal((DRAWS, n, d)) for r in rng])
        radius = np.stack([r.chisquare(DF, (DRAWS, n)) for r in rng]) / DF
        u = normal / np.sqrt(radius)[..., None]
        z = settled.mode[:, None] + np.einsum("bcij,bmcj->bmci", settled.root, u)
        log_t = lgamma(0.5 * (DF + d)) - lgamma(0.5 * DF) - 0.5 * d * np.log(DF * np.pi)
        log_t = log_t - settled.log_volume[:, None] - 0.5 * (DF + d) * np.log1p((u**2).sum(-1) / DF)
        return z, self._joint(phis, z) - log_t, rng

    def _keep(self, phis: Floats, z: Floats, weight: Floats, rng: list[np.random.Generator]) -> None:
        """Choose one draw of each cluster in proportion to its weight, and remember it by its φ."""
        ladder = weight.cumsum(1)
        n = np.arange(z.shape[2])
        for row, draws, steps, r in zip(phis, z, ladder, rng, strict=True):
            chosen = np.minimum((steps <= r.random(len(n)) * steps[-1]).sum(0), DRAWS - 1)
            found = np.empty(self.problem.layout.size - self.size)
            found[self.clusters.place - self.size] = draws[chosen, n]
            self._known[row.tobytes()] = found

    def _settle(self, phis: Floats, enough: float) -> Settled:
        """Newton's way to the modes of the deviations, all clusters at once."""
        z = np.zeros((len(phis), *self.clusters.place.shape))
        for _ in range(ITERATIONS):
            _, slope, values, vectors = self._curved(phis, z)
            step = np.einsum("bcij,bcj,bckj,bck->bci", vectors, 1 / np.maximum(values, FLATTEST), vectors, slope)
            length = np.sqrt((step**2).sum(-1, keepdims=True))
            z = z + step * np.minimum(1.0, LONGEST / np.maximum(length, 1e-300))
            if not (length > enough).any():
                break
        value, _, values, vectors = self._curved(phis, z)
        values = np.maximum(values, FLATTEST)
        return Settled(z, value, vectors / np.sqrt(values)[..., None, :], -0.5 * np.log(values).sum(-1))

    def _curved(self, phis: Floats, z: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """log Pr(y, z | φ) of each cluster, its slope, and the eigenvalues and eigenvectors of minus its curvature."""
        d = z.shape[-1]
        around = self._joint(phis, z[:, None] + STEP * self._offsets[:, None])
        centre, up, down = around[:, 0], around[:, 1 : d + 1], around[:, d + 1 : 2 * d + 1]
        slope = np.moveaxis(up - down, 1, -1) / (2 * STEP)
        bend = np.zeros((*centre.shape, d, d))
        bend[..., range(d), range(d)] = -np.moveaxis(up + down - 2 * centre[:, None], 1, -1) / STEP**2
        for k, (i, j) in enumerate(combinations(range(d), 2)):
            corners = around[:, 2 * d + 1 + 4 * k : 2 * d + 5 + 4 * k]
            mixed = corners[:, 0] - corners[:, 1] - corners[:, 2] + corners[:, 3]
            bend[..., i, j] = bend[..., j, i] = -mixed / (4 * STEP**2)
        bend = np.where(np.isfinite(bend), bend, np.eye(d))
        values, vectors = np.linalg.eigh(bend)
        return centre, np.nan_to_num(slope), values, vectors

    def _joint(self, phis: Floats, z: Floats) -> Floats:
        """log Pr(y, z | φ) of each cluster, (B, K, C), at deviations (B, K, C, d)."""
        theta = self._thetas(phis, z)
        step = self.problem.batch
        parts = [self._log_sites(theta[i : i + step]) for i in range(0, len(theta), step)]
        prior = -0.5 * (z**2).sum(-1) - 0.5 * z.shape[-1] * np.log(2 * np.pi)
        joint: Floats = self.clusters.sums(np.concatenate(parts)).reshape(z.shape[:3]) + prior
        return joint

    def _log_sites(self, theta: Floats) -> Floats:
        """log Pr(visits of a site), (..., N), as the clusters count sites."""
        return self.problem.pointwise(theta).y

    def _thetas(self, phis: Floats, z: Floats) -> Floats:
        theta = np.empty((len(phis), z.shape[1], self.problem.layout.size))
        theta[..., : self.size] = phis[:, None]
        theta[..., self.clusters.place] = z
        return theta.reshape(-1, theta.shape[-1])

    def _rest(self, phis: Floats) -> Floats:
        """Log prior of φ, and the sites without a random effect."""
        theta = np.pad(phis, ((0, 0), (0, self.problem.layout.size - self.size)))
        rest = self.problem.priors.log_densities(theta)
        if len(self.clusters.alone):
            step = self.problem.batch
            parts = [self.problem.pointwise(theta[i : i + step]).y for i in range(0, len(theta), step)]
            rest = rest + np.concatenate(parts)[:, self.clusters.alone].sum(-1)
        return rest


def integrated_form(problem: OccupancyProblem) -> Integrated | None:
    """A problem without its random effects; None if it has none, or their groups cross.

    Returns
    -------
    Integrated or None
    """
    clusters = find_clusters(problem) if problem.layout.effects else None
    return None if clusters is None else Integrated(problem, clusters)


def _stencil(d: int) -> Floats:
    """Points (K, d) at which a function of d coordinates is looked at: centre, up, down, and corners of each pair."""
    unit = np.eye(d)
    corners = [
        a * unit[i] + b * unit[j] for i, j in combinations(range(d), 2) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))
    ]
    return np.array([np.zeros(d), *unit, *-unit, *corners])
