"""Distributions of a share and of shares that sum to one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, override

import numpy as np
from numpy.typing import NDArray

from leopardpop.errors import PriorError
from leopardpop.priors.density import Density, Floats

__all__ = ["Beta", "Dirichlet"]


@dataclass(frozen=True)
class Beta(Density):
    """Beta distribution of a share."""

    support: ClassVar[tuple[float, float]] = (0.0, 1.0)
    positive: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    alpha: float
    beta: float

    @override
    def log_density(self, x: Floats) -> Floats:
        constant = math.lgamma(self.alpha + self.beta) - math.lgamma(self.alpha) - math.lgamma(self.beta)
        return constant + (self.alpha - 1) * np.log(x) + (self.beta - 1) * np.log1p(-x)

    @override
    def slope(self, x: Floats) -> Floats:
        return (self.alpha - 1) / x - (self.beta - 1) / (1.0 - x)

    @override
    def quantile(self, q: Floats) -> Floats:
        from scipy.special import betaincinv

        values: Floats = np.asarray(betaincinv(self.alpha, self.beta, q))
        return values

    @override
    def moments(self) -> tuple[float, float]:
        total = self.alpha + self.beta
        mean = self.alpha / total
        return mean, math.sqrt(mean * (1 - mean) / (total + 1))


@dataclass(frozen=True)
class Dirichlet(Density):
    """Shares that sum to one over the last axis; ``a`` has one concentration a class."""

    a: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.a) < 2 or not all(0 < value < math.inf for value in self.a):
            raise PriorError(f"Dirichlet: a={self.a} must be two or more finite numbers above 0.")

    @override
    def log_density(self, x: Floats) -> Floats:
        constant = math.lgamma(sum(self.a)) - sum(math.lgamma(value) for value in self.a)
        return constant + np.log(x) @ (np.array(self.a) - 1.0)

    @override
    def slope(self, x: Floats) -> Floats:
        return (np.array(self.a) - 1.0) / x

    @override
    def logpdf(self, x: Any) -> Any:
        values, inside = self._shares(x)
        return np.where(inside, self.log_density(values), -np.inf)[()]

    @override
    def derivative(self, x: Any) -> Any:
        values, inside = self._shares(x)
        return np.where(inside[..., None], self.slope(values), 0.0)

    def _shares(self, x: Any) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the shares with impossible ones replaced by equal ones, and which were possible."""
        values = np.asarray(x, float)
        if values.shape[-1:] != (len(self.a),):
            raise PriorError(f"Dirichlet of {len(self.a)} classes: found an array of shape {values.shape}.")
        inside = (values > 0).all(axis=-1) & (np.abs(values.sum(axis=-1) - 1.0) < 1e-8)
        return np.where(inside[..., None], values, 1.0 / len(self.a)), inside

    @override
    def quantile(self, q: Floats) -> Floats:
        """Return quantiles of each share on its own, (..., classes)."""
        total = sum(self.a)
        return np.stack([Beta(value, total - value).quantile(q) for value in self.a], axis=-1)

    @override
    def moments(self) -> tuple[Any, Any]:
        total = sum(self.a)
        pairs = [Beta(value, total - value).moments() for value in self.a]
        return np.array([mean for mean, _ in pairs]), np.array([sd for _, sd in pairs])

    @override
    def draw(self, rng: np.random.Generator, size: int | tuple[int, ...] | None) -> Any:
        return rng.dirichlet(self.a, size)
