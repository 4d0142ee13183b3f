"""Links between a parameter's natural scale and the scale on which covariates act linearly.

Every function is written with NumPy functions that PyTensor variables understand too, so that the same line serves
the likelihood, the graph and the tests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, override

import numpy as np

from leopardpop.components.formula_syntax import nearest
from leopardpop.components.special import (
    TINY,
    log_normal_cdf,
    log_one_minus_exp_ratio,
    normal_cdf,
    normal_quantile,
)
from leopardpop.errors import ModelError

__all__ = ["CLogLog", "Identity", "Link", "Log", "Logit", "Probit", "link"]

LOG_ROOT_2PI = 0.5 * float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class Link(ABC):
    """A monotone function from the natural scale ``x`` to the linear predictor ``eta``."""

    name: ClassVar[str]

    @abstractmethod
    def forward(self, x: Any) -> Any:
        """Return ``eta`` of a natural value (array or PyTensor variable)."""

    @abstractmethod
    def inverse(self, eta: Any) -> Any:
        """Return the natural value of a linear predictor (array or PyTensor variable)."""

    @abstractmethod
    def inverse_derivative(self, eta: Any) -> Any:
        """Return ``dx/d eta`` at a linear predictor (array or PyTensor variable)."""

    def log_inverse(self, eta: Any) -> Any:
        """Return ``log x`` of a linear predictor; finite where ``x`` underflows, for links of a probability."""
        return np.log(self.inverse(eta))

    def log_complement(self, eta: Any) -> Any:
        """Return ``log(1 - x)`` of a linear predictor; finite where ``x`` rounds to 1, for links of a probability."""
        return np.log1p(-self.inverse(eta))

    def log_both(self, eta: Any) -> tuple[Any, Any]:
        """Return ``log x`` and ``log(1 - x)`` of a linear predictor (array or PyTensor variable)."""
        return self.log_inverse(eta), self.log_complement(eta)

    def log_slopes(self, eta: Any) -> tuple[Any, Any]:
        """Return ``d log x / d eta`` and ``d log(1 - x) / d eta`` at a linear predictor (array)."""
        x, slope = self.inverse(eta), self.inverse_derivative(eta)
        return slope / x, -slope / (1.0 - x)


@dataclass(frozen=True)
class Identity(Link):
    """``eta = x``."""

    name: ClassVar[str] = "identity"

    @override
    def forward(self, x: Any) -> Any:
        return x

    @override
    def inverse(self, eta: Any) -> Any:
        return eta

    @override
    def inverse_derivative(self, eta: Any) -> Any:
        return 0.0 * eta + 1.0


@dataclass(frozen=True)
class Log(Link):
    """``eta = log x`` for ``x > 0``."""

    name: ClassVar[str] = "log"

    @override
    def forward(self, x: Any) -> Any:
        return np.log(x)

    @override
    def inverse(self, eta: Any) -> Any:
        with np.errstate(over="ignore"):
            return np.exp(eta)

    @override
    def inverse_derivative(self, eta: Any) -> Any:
        return self.inverse(eta)


@dataclass(frozen=True)
class Logit(Link):
    """``eta = log(x / (1 - x))`` for a probability ``x``.

    The inverse keeps its relative precision in both tails: ``inverse(-40)`` is ``4.2e-18``, not 0.
    """

    name: ClassVar[str] = "logit"

    @override
    def forward(self, x: Any) -> Any:
        return np.log(x) - np.log1p(-x)

    @override
    def inverse(self, eta: Any) -> Any:
        # The numerator is exp(min(eta, 0)); minimum() does not reach PyTensor, abs() does.
        return np.exp(0.5 * (eta - np.abs(eta))) / (1.0 + np.exp(-np.abs(eta)))

    @override
    def inverse_derivative(self, eta: Any) -> Any:
        tail = np.exp(-np.abs(eta))
        return tail / (1.0 + tail) ** 2

    @override
    def log_inverse(self, eta: Any) -> Any:
        return 0.5 * (eta - np.abs(eta)) - np.log1p(np.exp(-np.abs(eta)))

    @override
    def log_complement(self, eta: Any) -> Any:
        return self.log_inverse(-eta)

    @override
    def log_both(self, eta: Any) -> tuple[Any, Any]:
        size = np.abs(eta)
        rest = np.log1p(np.exp(-size))
        return 0.5 * (eta - size) - rest, -0.5 * (eta + size) - rest

    @override
    def log_slopes(self, eta: Any) -> tuple[Any, Any]:
        x = self.inverse(eta)
        return 1.0 - x, -x


@dataclass(frozen=True)
class Probit(Link):
    """``eta`` is the quantile of Normal(0, 1) at a probability ``x``."""

    name: ClassVar[str] = "probit"

    @override
    def forward(self, x: Any) -> Any:
        return normal_quantile(x)

    @override
    def inverse(self, eta: Any) -> Any:
        return normal_cdf(eta)

    @override
    def inverse_derivative(self, eta: Any) -> Any:
        return np.exp(-0.5 * eta * eta - LOG_ROOT_2PI)

    @override
    def log_inverse(self, eta: Any) -> Any:
        return log_normal_cdf(eta)

    @override
    def log_complement(self, eta: Any) -> Any:
        return log_normal_cdf(-eta)

    @override
    def log_slopes(self, eta: Any) -> tuple[Any, Any]:
        # As a difference of logarithms: far out density and probability both underflow, their ratio does not.
        density = -0.5 * eta * eta - LOG_ROOT_2PI
        return np.exp(density - self.log_inverse(eta)), -np.exp(density - self.log_complement(eta))


@dataclass(frozen=True)
class CLogLog(Link):
    """``eta = log(-log(1 - x))``: the log of the hazard of which ``x`` is the probability."""

    name: ClassVar[str] = "cloglog"

    @override
    def forward(self, x: Any) -> Any:
        return np.log(-np.log1p(-x))

    @override
    def inverse(self, eta: Any) -> Any:
        with np.errstate(over="ignore"):
            return -np.expm1(-np.exp(eta))

    @override
    def inverse_derivative(self, eta: Any) -> Any:
        with np.errstate(over="ignore"):
            return np.exp(eta - np.exp(eta))

    @override
    def log_inverse(self, eta: Any) -> Any:
        return eta + log_one_minus_exp_ratio(np.exp(eta))

    @override
    def log_complement(self, eta: Any) -> Any:
        return -np.exp(eta)

    @override
    def log_slopes(self, eta: Any) -> tuple[Any, Any]:
        with np.errstate(over="ignore"):
            hazard = np.exp(np.minimum(eta, 700.0)) + TINY
            return hazard / np.expm1(hazard), -hazard


_LINKS: dict[str, Link] = {each.name: each for each in (CLogLog(), Identity(), Log(), Logit(), Probit())}


def link(name: str) -> Link:
    """Return the link of a given name.

    Parameters
    ----------
    name
        ``"log"``, ``"logit"``, ``"probit"``, ``"cloglog"`` or ``"identity"``.

    Returns
    -------
    Link
        With ``forward``, ``inverse`` and ``inverse_derivative``.

    Raises
    ------
    ModelError
        For any other name.

    Examples
    --------
    >>> float(link("logit").inverse(0.0))
    0.5
    """
    if name not in _LINKS:
        known = ", ".join(_LINKS)
        raise ModelError(f"unknown link {name!r}: it is one of {known}.{nearest(str(name), _LINKS)}", offenders=[name])
    return _LINKS[name]
