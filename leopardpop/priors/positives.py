"""Distributions of positive numbers and of numbers in an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, override

import numpy as np

from leopardpop.errors import PriorError
from leopardpop.priors.density import Density, Floats, check_bounds

__all__ = ["Exponential", "Gamma", "InverseGamma", "Uniform"]


@dataclass(frozen=True)
class Gamma(Density):
    """Gamma with shape alpha and rate beta."""

    support: ClassVar[tuple[float, float]] = (0.0, math.inf)
    positive: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    alpha: float
    beta: float

    @override
    def log_density(self, x: Floats) -> Floats:
        constant = self.alpha * math.log(self.beta) - math.lgamma(self.alpha)
        return constant + (self.alpha - 1) * np.log(x) - self.beta * x

    @override
    def slope(self, x: Floats) -> Floats:
        return (self.alpha - 1) / x - self.beta

    @override
    def quantile(self, q: Floats) -> Floats:
        from scipy.special import gammaincinv

        values: Floats = np.asarray(gammaincinv(self.alpha, q)) / self.beta
        return values

    @override
    def moments(self) -> tuple[float, float]:
        return self.alpha / self.beta, math.sqrt(self.alpha) / self.beta


@dataclass(frozen=True)
class InverseGamma(Density):
    """1/x ~ Gamma(alpha, beta)."""

    support: ClassVar[tuple[float, float]] = (0.0, math.inf)
    positive: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    alpha: float
    beta: float

    @override
    def log_density(self, x: Floats) -> Floats:
        constant = self.alpha * math.log(self.beta) - math.lgamma(self.alpha)
        return constant - (self.alpha + 1) * np.log(x) - self.beta / x

    @override
    def slope(self, x: Floats) -> Floats:
        return self.beta / x**2 - (self.alpha + 1) / x

    @override
    def quantile(self, q: Floats) -> Floats:
        from scipy.special import gammainccinv

        with np.errstate(divide="ignore"):
            values: Floats = self.beta / np.asarray(gammainccinv(self.alpha, q))
        return values

    @override
    def moments(self) -> tuple[float, float]:
        mean = self.beta / (self.alpha - 1) if self.alpha > 1 else math.inf
        return mean, mean / math.sqrt(self.alpha - 2) if self.alpha > 2 else math.inf


@dataclass(frozen=True)
class Exponential(Density):
    """Exponential with rate lam."""

    support: ClassVar[tuple[float, float]] = (0.0, math.inf)
    closed: ClassVar[bool] = True
    positive: ClassVar[tuple[str, ...]] = ("lam",)
    lam: float

    @override
    def log_density(self, x: Floats) -> Floats:
        return math.log(self.lam) - self.lam * x

    @override
    def slope(self, x: Floats) -> Floats:
        return np.full_like(x, -self.lam)

    @override
    def quantile(self, q: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            values: Floats = -np.log1p(-q) / self.lam
        return values

    @override
    def moments(self) -> tuple[float, float]:
        return 1 / self.lam, 1 / self.lam


@dataclass(frozen=True)
class Uniform(Density):
    """Uniform between lower and upper."""

    closed: ClassVar[bool] = True
    lower: float
    upper: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, self.lower, self.upper)
        if math.isinf(self.upper - self.lower):
            raise PriorError(f"Uniform: lower={self.lower:g} and upper={self.upper:g} must be finite.")

    @override
    def limits(self) -> tuple[float, float]:
        return self.lower, self.upper

    @override
    def log_density(self, x: Floats) -> Floats:
        return np.full_like(x, -math.log(self.upper - self.lower))

    @override
    def slope(self, x: Floats) -> Floats:
        return np.zeros_like(x)

    @override
    def quantile(self, q: Floats) -> Floats:
        return self.lower + (self.upper - self.lower) * q

    @override
    def moments(self) -> tuple[float, float]:
        return 0.5 * (self.lower + self.upper), (self.upper - self.lower) / math.sqrt(12)
