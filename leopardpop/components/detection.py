"""Detection functions: squared distance to log hazard, and nothing else.

A detection function is the first narrow waist of the house: whatever turns a squared distance (m²) and a few
parameters into the log hazard of detection per unit of effort composes with every detector, effort, class and engine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, Self

import numpy as np

from leopardpop.components.formula_syntax import nearest
from leopardpop.components.special import TINY, log_one_minus_exp_ratio, minimum
from leopardpop.errors import ModelError

__all__ = [
    "DetectionFunction",
    "DetectionParameter",
    "Exponential",
    "HalfNormal",
    "HazardRate",
    "log_power",
    "log_rate",
    "parameter",
    "share_of_rate",
]


class DetectionParameter(NamedTuple):
    """What a detection function declares of one of its parameters."""

    name: str
    formula: str
    link: str
    unit: str


def parameter(default: str = "~ 1", *, link: str = "log", unit: str = "") -> Any:
    """Declare a parameter of a detection function: its default formula, its link and its unit.

    Parameters
    ----------
    default
        Formula used when none is given.
    link
        ``"log"``, ``"logit"``, ``"cloglog"`` or ``"identity"``.
    unit
        Unit on the natural scale: ``"m"``, ``"1/effort"`` or empty.

    Returns
    -------
    dataclasses.Field
        A field for a frozen dataclass that derives from :class:`DetectionFunction`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Uniform(DetectionFunction):
    ...     lambda0: str = parameter("~ 1", link="log", unit="1/effort")
    ...     sigma: str = parameter("~ 1", link="log", unit="m")
    ...     def log_hazard(self, d2, lambda0, sigma):
    ...         return np.log(lambda0) - (d2 / sigma**2) ** 4
    >>> Uniform(sigma="~ sex").sigma
    '~ sex'
    """
    return field(default=default, metadata={"link": link, "unit": unit})


@dataclass(frozen=True, kw_only=True)
class DetectionFunction(ABC):
    """Base of all detection functions; derive a frozen dataclass and write :meth:`log_hazard`.

    Every field is a parameter: it holds the parameter's formula, and its declaration (:func:`parameter`) holds its
    link and unit. One of the fields must be ``sigma``, the spatial scale in metres.

    Examples
    --------
    >>> [p.name for p in HalfNormal().parameters()]
    ['lambda0', 'sigma']
    """

    def __new__(cls, *args: Any, **formulas: Any) -> Self:
        """Refuse a parameter that the function does not have, with the nearest name.

        Raises
        ------
        ModelError
            Naming the parameters.
        """
        names = [each.name for each in fields(cls)]
        unknown = [name for name in formulas if name not in names]
        if unknown:
            has = f"{', '.join(map(repr, names))}.{nearest(unknown[0], names)}"
            raise ModelError(f"{cls.__name__} has no parameter {unknown[0]!r}; it has {has}", offenders=unknown)
        return super().__new__(cls)

    @abstractmethod
    def log_hazard(self, d2: Any, **parameters: Any) -> Any:
        """Log hazard of detection per unit of effort.

        Parameters
        ----------
        d2
            Squared distance between activity centre and station, m².
        **parameters
            Natural-scale parameters, by name, broadcastable against ``d2``.

        Returns
        -------
        array or PyTensor variable
            log hazard, of the broadcast shape; it must be finite for every finite distance.
        """

    def parameters(self) -> list[DetectionParameter]:
        """Return the declared parameters with the formulas of this instance, in order."""
        return [
            DetectionParameter(f.name, getattr(self, f.name), f.metadata["link"], f.metadata["unit"])
            for f in fields(self)
        ]

    def log_slopes(self, d2: Any, **parameters: Any) -> dict[str, Any]:
        """Derivative of the log hazard with respect to the logarithm of each parameter.

        This default uses fourth-order central differences (about 1e-12), so that a detection function of one's own
        needs nothing but :meth:`log_hazard`; the shipped functions write theirs out.

        Parameters
        ----------
        d2
            Squared distance, m², any shape.
        **parameters
            The parameters on their natural scale, of shapes that broadcast with ``d2``.

        Returns
        -------
        dict
            Parameter -> derivative, of the broadcast shape.
        """
        step = 1e-3

        def at(name: str, shift: float) -> Any:
            return self.log_hazard(d2, **{**parameters, name: parameters[name] * np.exp(shift)})

        return {
            name: (8 * (at(name, step) - at(name, -step)) - (at(name, 2 * step) - at(name, -2 * step))) / (12 * step)
            for name in parameters
        }


@dataclass(frozen=True, kw_only=True)
class HalfNormal(DetectionFunction):
    r"""Half-normal hazard.

    .. math:: \log \lambda(d) = \log \lambda_0 - \frac{d^2}{2 \sigma^2}

    Parameters
    ----------
    lambda0
        Formula of the hazard at distance zero, per unit of effort.
    sigma
        Formula of the half-normal scale, m.

    References
    ----------
    Efford MG, Borchers DL, Byrom AE (2009) in Modeling Demographic Processes in Marked Populations, Springer, 255-269.
    doi:10.1007/978-0-387-78151-8_11

    Examples
    --------
    >>> HalfNormal(sigma="~ sex").log_hazard(0.0, lambda0=1.0, sigma=4000.0).item()
    0.0
    """

    lambda0: str = parameter("~ 1", link="log", unit="1/effort")
    sigma: str = parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2: Any, lambda0: Any, sigma: Any) -> Any:  # type: ignore[override]
        """log λ0 − d²/2σ²."""
        return np.log(lambda0) - d2 / (2.0 * sigma**2)

    def log_slopes(self, d2: Any, lambda0: Any, sigma: Any) -> dict[str, Any]:  # type: ignore[override]
        """1 and d²/σ²."""
        return {"lambda0": 1.0, "sigma": d2 / sigma**2}


@dataclass(frozen=True, kw_only=True)
class Exponential(DetectionFunction):
    r"""Exponential hazard; its sigma is not comparable with that of the half-normal.

    .. math:: \log \lambda(d) = \log \lambda_0 - \frac{d}{\sigma}

    Parameters
    ----------
    lambda0
        Formula of the hazard at distance zero, per unit of effort.
    sigma
        Formula of the scale, m.

    Examples
    --------
    >>> Exponential().log_hazard(4.0e6, lambda0=1.0, sigma=1000.0).item()
    -2.0
    """

    lambda0: str = parameter("~ 1", link="log", unit="1/effort")
    sigma: str = parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2: Any, lambda0: Any, sigma: Any) -> Any:  # type: ignore[override]
        """log λ0 − d/σ."""
        return np.log(lambda0) - np.sqrt(d2) / sigma

    def log_slopes(self, d2: Any, lambda0: Any, sigma: Any) -> dict[str, Any]:  # type: ignore[override]
        """1 and d/σ."""
        return {"lambda0": 1.0, "sigma": np.sqrt(d2) / sigma}


@dataclass(frozen=True, kw_only=True)
class HazardRate(DetectionFunction):
    r"""Hazard-rate function: a shoulder and a heavy tail.

    .. math:: \lambda(d) = \lambda_0 \left(1 - \exp\left(-(d/\sigma)^{-z}\right)\right)

    The tail falls as a power of distance, so the mask must be wide: judge it by the estimate, not by a multiple of
    sigma.

    Parameters
    ----------
    lambda0
        Formula of the hazard at distance zero, per unit of effort.
    sigma
        Formula of the scale, m.
    z
        Formula of the shape.

    References
    ----------
    Hayes RJ, Buckland ST (1983) Radial-distance models for the line-transect method. Biometrics 39, 29-42.
    doi:10.2307/2530804

    Examples
    --------
    >>> round(float(HazardRate().log_hazard(1.0e6, lambda0=1.0, sigma=1000.0, z=4.0)), 4)
    -0.4587
    """

    lambda0: str = parameter("~ 1", link="log", unit="1/effort")
    sigma: str = parameter("~ 1", link="log", unit="m")
    z: str = parameter("~ 1", link="log", unit="")

    def log_hazard(self, d2: Any, lambda0: Any, sigma: Any, z: Any) -> Any:  # type: ignore[override]
        """log λ0 + log(1 − exp(−u)), u = (d/σ)^−z."""
        return np.log(lambda0) + log_rate(log_power(d2, sigma, z))

    def log_slopes(self, d2: Any, lambda0: Any, sigma: Any, z: Any) -> dict[str, Any]:  # type: ignore[override]
        """1, z·u/(eᵘ − 1) and log(u)·u/(eᵘ − 1)."""
        log_u = log_power(d2, sigma, z)
        share = share_of_rate(log_u)
        return {"lambda0": 1.0, "sigma": z * share, "z": log_u * share}


def log_power(d2: Any, sigma: Any, z: Any) -> Any:
    """log u, u = (d/σ)^−z, capped at e⁵ where exp(−u) is 0 to machine precision."""
    return minimum(-z * (0.5 * np.log(d2 + TINY) - np.log(sigma)), 5.0)


def log_rate(log_u: Any) -> Any:
    """log(1 − exp(−u))."""
    return log_u + log_one_minus_exp_ratio(np.exp(log_u))


def share_of_rate(log_u: Any) -> Any:
    """u/(eᵘ − 1), the slope of log(1 − exp(−u)) with respect to log u."""
    u = np.exp(log_u) + TINY
    return u / np.expm1(u)
