"""The normal distribution and what is made of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, override

import numpy as np

from leopardpop.priors.density import Density, Floats, check_bounds

__all__ = ["CLogLogNormal", "HalfNormal", "LogNormal", "LogitNormal", "Normal", "StudentT", "TruncatedNormal"]

_LOG_2PI = math.log(2.0 * math.pi)


def log_normal_density(x: Floats, mu: float, sigma: float) -> Floats:
    """Return the log density of Normal(mu, sigma)."""
    return -0.5 * ((x - mu) / sigma) ** 2 - math.log(sigma) - 0.5 * _LOG_2PI


def ndtri(q: Floats) -> Floats:
    """Return the quantiles of Normal(0, 1)."""
    from scipy.special import ndtri as inverse

    values: Floats = np.asarray(inverse(q))
    return values


@dataclass(frozen=True)
class Normal(Density):
    """Normal distribution."""

    mu: float
    sigma: float

    @override
    def log_density(self, x: Floats) -> Floats:
        return log_normal_density(x, self.mu, self.sigma)

    @override
    def slope(self, x: Floats) -> Floats:
        return (self.mu - x) / self.sigma**2

    @override
    def quantile(self, q: Floats) -> Floats:
        return self.mu + self.sigma * ndtri(q)

    @override
    def moments(self) -> tuple[float, float]:
        return self.mu, self.sigma


@dataclass(frozen=True)
class LogNormal(Density):
    """log x ~ Normal(mu, sigma)."""

    support: ClassVar[tuple[float, float]] = (0.0, math.inf)
    mu: float
    sigma: float

    @override
    def log_density(self, x: Floats) -> Floats:
        return log_normal_density(np.log(x), self.mu, self.sigma) - np.log(x)

    @override
    def slope(self, x: Floats) -> Floats:
        return ((self.mu - np.log(x)) / self.sigma**2 - 1.0) / x

    @override
    def quantile(self, q: Floats) -> Floats:
        values: Floats = np.exp(self.mu + self.sigma * ndtri(q))
        return values

    @override
    def moments(self) -> tuple[float, float]:
        mean = math.exp(self.mu + 0.5 * self.sigma**2)
        return mean, mean * math.sqrt(math.expm1(self.sigma**2))


@dataclass(frozen=True)
class CLogLogNormal(Density):
    """log(-log(1 - x)) ~ Normal(mu, sigma): a probability whose hazard is log-normal."""

    support: ClassVar[tuple[float, float]] = (0.0, 1.0)
    mu: float
    sigma: float

    @override
    def log_density(self, x: Floats) -> Floats:
        hazard = -np.log1p(-x)
        return log_normal_density(np.log(hazard), self.mu, self.sigma) - np.log(hazard) + hazard

    @override
    def slope(self, x: Floats) -> Floats:
        hazard = -np.log1p(-x)
        return (1.0 + ((self.mu - np.log(hazard)) / self.sigma**2 - 1.0) / hazard) / (1.0 - x)

    @override
    def quantile(self, q: Floats) -> Floats:
        values: Floats = -np.expm1(-np.exp(self.mu + self.sigma * ndtri(q)))
        return values

    @override
    def moments(self) -> tuple[float, float]:
        nodes, weights = np.polynomial.hermite_e.hermegauss(100)
        values = -np.expm1(-np.exp(self.mu + self.sigma * nodes))
        mean = float(np.average(values, weights=weights))
        return mean, math.sqrt(float(np.average((values - mean) ** 2, weights=weights)))


@dataclass(frozen=True)
class LogitNormal(Density):
    """log(x / (1 - x)) ~ Normal(mu, sigma)."""

    support: ClassVar[tuple[float, float]] = (0.0, 1.0)
    mu: float
    sigma: float

    @override
    def log_density(self, x: Floats) -> Floats:
        log_x, log_rest = np.log(x), np.log1p(-x)
        return log_normal_density(log_x - log_rest, self.mu, self.sigma) - log_x - log_rest

    @override
    def slope(self, x: Floats) -> Floats:
        score = (self.mu - np.log(x) + np.log1p(-x)) / self.sigma**2
        return (score - 1.0) / x + (score + 1.0) / (1.0 - x)

    @override
    def quantile(self, q: Floats) -> Floats:
        from scipy.special import expit

        values: Floats = expit(self.mu + self.sigma * ndtri(q))
        return values

    @override
    def moments(self) -> tuple[float, float]:
        from scipy.special import expit

        nodes, weights = np.polynomial.hermite_e.hermegauss(100)
        values = expit(self.mu + self.sigma * nodes)
        mean = float(np.average(values, weights=weights))
        return mean, math.sqrt(float(np.average((values - mean) ** 2, weights=weights)))


@dataclass(frozen=True)
class HalfNormal(Density):
    """The absolute value of a Normal(0, sigma)."""

    support: ClassVar[tuple[float, float]] = (0.0, math.inf)
    closed: ClassVar[bool] = True
    sigma: float

    @override
    def log_density(self, x: Floats) -> Floats:
        return log_normal_density(x, 0.0, self.sigma) + math.log(2.0)

    @override
    def slope(self, x: Floats) -> Floats:
        return -x / self.sigma**2

    @override
    def quantile(self, q: Floats) -> Floats:
        return self.sigma * ndtri(0.5 + 0.5 * q)

    @override
    def moments(self) -> tuple[float, float]:
        return self.sigma * math.sqrt(2 / math.pi), self.sigma * math.sqrt(1 - 2 / math.pi)


@dataclass(frozen=True)
class TruncatedNormal(Density):
    """Normal(mu, sigma) between lower and upper."""

    closed: ClassVar[bool] = True
    mu: float
    sigma: float
    lower: float = -math.inf
    upper: float = math.inf

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, self.lower, self.upper)

    @override
    def limits(self) -> tuple[float, float]:
        return self.lower, self.upper

    def _mass(self) -> tuple[float, float, float, bool]:
        """Return standardised bounds and the mass between them, mirrored if that is where the digits are."""
        from scipy.special import ndtr

        low, high = (self.lower - self.mu) / self.sigma, (self.upper - self.mu) / self.sigma
        mirrored = low > 0
        low, high = (-high, -low) if mirrored else (low, high)
        return low, high, float(ndtr(high) - ndtr(low)), mirrored

    @override
    def log_density(self, x: Floats) -> Floats:
        return log_normal_density(x, self.mu, self.sigma) - math.log(self._mass()[2])

    @override
    def slope(self, x: Floats) -> Floats:
        return (self.mu - x) / self.sigma**2

    @override
    def quantile(self, q: Floats) -> Floats:
        from scipy.special import ndtr

        low, _, mass, mirrored = self._mass()
        z = ndtri(ndtr(low) + mass * (1.0 - q if mirrored else q))
        return np.clip(self.mu + self.sigma * (-z if mirrored else z), self.lower, self.upper)

    @override
    def moments(self) -> tuple[float, float]:
        low, high, mass, mirrored = self._mass()
        left, right = (math.exp(-0.5 * z**2) / math.sqrt(2 * math.pi) / mass for z in (low, high))
        shift = left - right
        edges = (low * left if left else 0.0) - (high * right if right else 0.0)
        mean = self.mu + self.sigma * (-shift if mirrored else shift)
        return mean, self.sigma * math.sqrt(max(1.0 + edges - shift**2, 0.0))


@dataclass(frozen=True)
class StudentT(Density):
    """Student's t with nu degrees of freedom, centre mu and scale sigma."""

    positive: ClassVar[tuple[str, ...]] = ("nu", "sigma")
    nu: float
    mu: float
    sigma: float

    @override
    def log_density(self, x: Floats) -> Floats:
        constant = math.lgamma((self.nu + 1) / 2) - math.lgamma(self.nu / 2) - 0.5 * math.log(self.nu * math.pi)
        z = (x - self.mu) / self.sigma
        return constant - math.log(self.sigma) - 0.5 * (self.nu + 1) * np.log1p(z**2 / self.nu)

    @override
    def slope(self, x: Floats) -> Floats:
        z = (x - self.mu) / self.sigma
        return -(self.nu + 1) * z / (self.nu + z**2) / self.sigma

    @override
    def quantile(self, q: Floats) -> Floats:
        from scipy.special import stdtrit

        values: Floats = self.mu + self.sigma * np.asarray(stdtrit(self.nu, q))
        return values

    @override
    def moments(self) -> tuple[float, float]:
        sd = self.sigma * math.sqrt(self.nu / (self.nu - 2)) if self.nu > 2 else math.inf
        return (self.mu, sd) if self.nu > 1 else (math.nan, math.nan)
