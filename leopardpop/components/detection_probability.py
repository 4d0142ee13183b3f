"""Detection functions that give the probability of detection in one unit of effort, as secr's HN, EX and HR.

Their hazard is −log(1 − g), so that they compose with everything as the others do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leopardpop.components.detection import DetectionFunction, log_power, log_rate, parameter, share_of_rate
from leopardpop.components.special import TINY

__all__ = ["ProbabilityExponential", "ProbabilityHalfNormal", "ProbabilityHazardRate"]


@dataclass(frozen=True, kw_only=True)
class ProbabilityHalfNormal(DetectionFunction):
    r"""Half-normal detection *probability* in one unit of effort, as in secr's ``HN``.

    .. math:: g(d) = g_0 \exp\left(-\frac{d^2}{2\sigma^2}\right), \qquad \lambda(d) = -\log(1 - g(d))

    Effort T enters as :math:`1 - (1 - g)^T`.

    Parameters
    ----------
    g0
        Formula of the probability of detection at distance zero in one unit of effort.
    sigma
        Formula of the half-normal scale, m.

    References
    ----------
    Efford MG, Borchers DL, Byrom AE (2009) in Modeling Demographic Processes in Marked Populations, Springer, 255-269.
    doi:10.1007/978-0-387-78151-8_11

    Examples
    --------
    >>> round(float(ProbabilityHalfNormal().log_hazard(0.0, g0=0.5, sigma=1000.0)), 4)
    -0.3665
    """

    g0: str = parameter("~ 1", link="logit", unit="1/effort")
    sigma: str = parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2: Any, g0: Any, sigma: Any) -> Any:  # type: ignore[override]
        """log(−log(1 − g)), log g = log g0 − d²/2σ²."""
        return _hazard_of_probability(np.log(g0) - d2 / (2.0 * sigma**2))

    def log_slopes(self, d2: Any, g0: Any, sigma: Any) -> dict[str, Any]:  # type: ignore[override]
        """Slopes of log g times that of the log hazard with respect to log g."""
        slope = _slope_of_probability(np.log(g0) - d2 / (2.0 * sigma**2))
        return {"g0": slope, "sigma": slope * d2 / sigma**2}


@dataclass(frozen=True, kw_only=True)
class ProbabilityExponential(DetectionFunction):
    r"""Exponential detection *probability* in one unit of effort, as in secr's ``EX``.

    .. math:: g(d) = g_0 \exp\left(-\frac{d}{\sigma}\right), \qquad \lambda(d) = -\log(1 - g(d))

    Parameters
    ----------
    g0
        Formula of the probability of detection at distance zero in one unit of effort.
    sigma
        Formula of the scale, m.

    Examples
    --------
    >>> round(float(ProbabilityExponential().log_hazard(0.0, g0=0.5, sigma=1000.0)), 4)
    -0.3665
    """

    g0: str = parameter("~ 1", link="logit", unit="1/effort")
    sigma: str = parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2: Any, g0: Any, sigma: Any) -> Any:  # type: ignore[override]
        """log(−log(1 − g)), log g = log g0 − d/σ."""
        return _hazard_of_probability(np.log(g0) - np.sqrt(d2) / sigma)

    def log_slopes(self, d2: Any, g0: Any, sigma: Any) -> dict[str, Any]:  # type: ignore[override]
        """Slopes of log g times that of the log hazard with respect to log g."""
        distance = np.sqrt(d2) / sigma
        slope = _slope_of_probability(np.log(g0) - distance)
        return {"g0": slope, "sigma": slope * distance}


@dataclass(frozen=True, kw_only=True)
class ProbabilityHazardRate(DetectionFunction):
    r"""Hazard-rate detection *probability* in one unit of effort, as in secr's ``HR``.

    .. math:: g(d) = g_0 \left(1 - \exp\left(-(d/\sigma)^{-z}\right)\right), \qquad \lambda(d) = -\log(1 - g(d))

    The tail falls as a power of distance, so the mask must be wide: judge it by the estimate, not by a multiple of
    sigma.

    Parameters
    ----------
    g0
        Formula of the probability of detection at distance zero in one unit of effort.
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
    >>> round(float(ProbabilityHazardRate().log_hazard(1.0e6, g0=0.5, sigma=1000.0, z=4.0)), 4)
    -0.9679
    """

    g0: str = parameter("~ 1", link="logit", unit="1/effort")
    sigma: str = parameter("~ 1", link="log", unit="m")
    z: str = parameter("~ 1", link="log", unit="")

    def log_hazard(self, d2: Any, g0: Any, sigma: Any, z: Any) -> Any:  # type: ignore[override]
        """log(−log(1 − g)), log g = log g0 + log(1 − exp(−u)), u = (d/σ)^−z."""
        return _hazard_of_probability(np.log(g0) + log_rate(log_power(d2, sigma, z)))

    def log_slopes(self, d2: Any, g0: Any, sigma: Any, z: Any) -> dict[str, Any]:  # type: ignore[override]
        """Slopes of log g, those of the hazard-rate function, times that of the log hazard with respect to log g."""
        log_u = log_power(d2, sigma, z)
        slope, share = _slope_of_probability(np.log(g0) + log_rate(log_u)), share_of_rate(log_u)
        return {"g0": slope, "sigma": slope * z * share, "z": slope * log_u * share}


def _hazard_of_probability(log_g: Any) -> Any:
    """Log hazard log(−log(1 − g)) as log g plus a ratio that tends to one: finite where g underflows."""
    g = np.exp(log_g) + TINY
    return log_g + np.log(-np.log1p(-g) / g)


def _slope_of_probability(log_g: Any) -> Any:
    """Derivative of log(−log(1 − g)) with respect to log g."""
    g = np.exp(log_g) + TINY
    return g / ((g - 1.0) * np.log1p(-g))
