"""What every density offers: value, slope, quantile, mean and sd, as formulas of NumPy.

A density is a record of its parameters, named as in PyMC. SciPy is imported where a special function is needed.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leopardpop.errors import PriorError

__all__ = ["Density", "Floats", "check_bounds"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Density(ABC):
    """A distribution of one number; ``x`` is inside of the support in all of its formulas."""

    support: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    closed: ClassVar[bool] = False
    """Whether the ends of the support belong to it."""
    positive: ClassVar[tuple[str, ...]] = ("sigma",)
    """Parameters that must be above 0."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if math.isnan(value) or (math.isinf(value) and each.name not in ("lower", "upper")):
                raise PriorError(f"{type(self).__name__}: {each.name}={value} is not a number. Give a finite one.")
            if each.name in self.positive and value <= 0:
                raise PriorError(f"{type(self).__name__}: {each.name}={value:g} must be above 0.")

    @abstractmethod
    def log_density(self, x: Floats) -> Floats:
        """Return the log density."""

    @abstractmethod
    def slope(self, x: Floats) -> Floats:
        """Return the derivative of the log density."""

    @abstractmethod
    def quantile(self, q: Floats) -> Floats:
        """Return the inverse of the distribution function."""

    @abstractmethod
    def moments(self) -> tuple[float, float]:
        """Return mean and standard deviation; infinite or NaN where there is none."""

    def limits(self) -> tuple[float, float]:
        """Return the ends of the support."""
        return self.support

    def logpdf(self, x: Any) -> Any:
        """Return the log density, -inf outside of the support."""
        values, inside = self._inside(x)
        return np.where(inside, self.log_density(values), -np.inf)[()]

    def derivative(self, x: Any) -> Any:
        """Return the derivative of the log density, 0 outside of the support."""
        values, inside = self._inside(x)
        return np.where(inside, self.slope(values), 0.0)[()]

    def draw(self, rng: np.random.Generator, size: int | tuple[int, ...] | None) -> Any:
        """Return random values, by the inverse of the distribution function."""
        # random() can be 0, where a normal is infinite.
        return self.quantile(np.clip(rng.random(size), 1e-300, None))[()]

    def _inside(self, x: Any) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the values with those outside of the support replaced by one inside, and which were inside."""
        values = np.asarray(x, float)
        low, high = self.limits()
        inside = (values > low) & (values < high)
        if self.closed:
            inside |= (values == low) | (values == high)
        harmless = 1.0 if math.isinf(high - low) else 0.5 * (low + high)
        return np.where(inside, values, harmless), inside


def check_bounds(density: Density, lower: float, upper: float) -> None:
    """Refuse bounds in the wrong order."""
    if not lower < upper:
        raise PriorError(f"{type(density).__name__}: lower={lower:g} must be below upper={upper:g}.")
