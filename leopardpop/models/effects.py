r"""Random effects in the engine's vector: standardised deviations of groups, and the log of their sd.

The deviation b of a group is normal with sd s. The engine moves in log s and in z, where with r = s/s₀ (s₀ = 1 for an
intercept, one over the sd of the covariate for a slope)

.. math::  b = s_0\, r^{w} z, \qquad z \sim N(0,\ r^{1 - w}).

With w = 1 this is the non-centred form, good where the data say little of a group; with w = 0 the centred one, good
where they say much. Each group has its own w in between (Papaspiliopoulos et al. 2007, doi:10.1214/088342307000000014),
so that the posterior of log s and z is close to a normal law: the engines need that, the answer does not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.priors import random_sd_prior

if TYPE_CHECKING:
    from leopardpop.components.random_effects import RandomDesign
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.priors import Prior

__all__ = ["Effects"]

LOG_ROOT_2PI = 0.5 * float(np.log(2 * np.pi))
START = 0.5
"""Sd where a search begins, on the scale of the link."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Effects:
    """Deviations of the groups of one random effect."""

    parameter: str
    """Parameter whose formula has it."""
    sd: str
    """Name of the parameter that is the sd."""
    design: RandomDesign
    spread: int
    """Where log s is in theta."""
    place: slice
    """Where z is in theta, (G,)."""
    weight: Floats
    """w of each group, (G,)."""

    @property
    def label(self) -> str:
        """``"psi[1|block]"``."""
        return f"{self.parameter}[{self.design.label}]"

    @property
    def groups(self) -> list[str]:
        """``"1|block[north]"`` of each group."""
        return [f"{self.design.label}[{level}]" for level in self.design.levels]

    @property
    def labels(self) -> list[str]:
        """Labels in theta: ``"psi[1|block[north]]"``."""
        return [f"{self.parameter}[{group}]" for group in self.groups]

    @property
    def variable(self) -> str:
        """Name of the deviations in the posterior."""
        return f"{self.parameter}_effect"

    @property
    def dim(self) -> str:
        """Their dimension."""
        return f"{self.parameter}_level"

    def log_scale(self, theta: Floats) -> Floats:
        """Log of b over a standard normal deviation, up to a constant, (G,)."""
        return np.full(len(self.groups), theta[self.spread])

    def log_scale_slopes(self, theta: Floats) -> tuple[Floats, ...]:
        """Its slopes in what :attr:`scales` has, (G,) each."""
        return (np.ones(len(self.groups)),)

    def matrix(self) -> Floats:
        """Deviations from them in units of their sd, (G, G)."""
        return np.eye(len(self.groups))

    @property
    def scales(self) -> tuple[int, ...]:
        """Where what scales the deviations is in theta: log s."""
        return (self.spread,)

    def references(self) -> dict[str, Prior]:
        """Default prior of the sd."""
        return {self.sd: random_sd_prior(self.parameter, self.design.scale)}

    def begin(self, theta: Floats) -> None:
        """Put the sd where a search begins."""
        theta[self.spread] = np.log(START / self.design.scale)

    def draw(self, theta: Floats, rng: np.random.Generator) -> None:
        """Draw the deviations from their law."""
        natural = np.exp(theta[self.spread]) * rng.standard_normal(len(self.groups))
        theta[self.place] = self.standardised(theta, natural)

    def log_ratio(self, theta: Any) -> Any:
        """log(s / s₀), (..., 1)."""
        return theta[..., self.spread, None] + float(np.log(self.design.scale))

    def natural(self, theta: Any) -> Any:
        """Deviations b on the scale of the link, per unit of the covariate, (..., G); arrays or PyTensor variables."""
        return np.exp(self.weight * self.log_ratio(theta)) * theta[..., self.place] / self.design.scale

    def reported(self, theta: Any) -> Any:
        """What the posterior has of it: the deviations, (..., G)."""
        return self.natural(theta)

    def standardised(self, theta: Floats, natural: Floats) -> Floats:
        """z of deviations b, given log s in theta, (..., G)."""
        with np.errstate(over="ignore"):
            z: Floats = natural * self.design.scale * np.exp(-self.weight * self.log_ratio(theta))
        return z

    def log_density(self, theta: Floats) -> Floats:
        """log Pr(z | s) of all groups, (...)."""
        log_sd = (1.0 - self.weight) * self.log_ratio(theta)
        scaled = theta[..., self.place] * np.exp(-log_sd)
        total: Floats = (-0.5 * scaled**2 - log_sd - LOG_ROOT_2PI).sum(-1)
        return total

    def add_slopes(self, theta: Floats, gradient: Floats) -> float:
        """log Pr(z | s); its slopes are added to a gradient (P,)."""
        log_sd = (1.0 - self.weight) * self.log_ratio(theta)
        scaled = theta[self.place] * np.exp(-log_sd)
        gradient[self.place] -= scaled * np.exp(-log_sd)
        gradient[self.spread] += float(((1.0 - self.weight) * (scaled**2 - 1.0)).sum())
        return float(self.log_density(theta))

    def pull(self, theta: Floats, by_natural: Floats, gradient: Floats) -> None:
        """Add to a gradient (P,) what comes of slopes with respect to b, (G,)."""
        factor = np.exp(self.weight * self.log_ratio(theta)) / self.design.scale
        by_z = by_natural * factor
        gradient[self.place] += by_z
        gradient[self.spread] += float((by_z * self.weight * theta[self.place]).sum())
