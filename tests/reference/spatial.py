"""A surface over places, written twice: this is the slow and obvious time, wave by wave and place by place."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import gamma


def wave(place: Sequence[float], order: Sequence[int], low: Sequence[float], side: Sequence[float]) -> float:
    """One eigenfunction of the Laplacian on a rectangle with corner ``low``, of unit square integral."""
    value = 1.0
    for d in range(2):
        value *= math.sqrt(2 / side[d]) * math.sin(order[d] * math.pi * (place[d] - low[d]) / side[d])
    return value


def spectral_density(name: str, frequency: float, length: float) -> float:
    """Of a stationary covariance in the plane with variance 1 (Rasmussen & Williams 2006, equations 4.11 and 4.15)."""
    if name == "exp_quad":
        return 2 * math.pi * length**2 * math.exp(-(length**2) * frequency**2 / 2)
    nu = 1.5
    scale = 4 * math.pi * gamma(nu + 1) * (2 * nu) ** nu / (gamma(nu) * length ** (2 * nu))
    return scale * (2 * nu / length**2 + frequency**2) ** (-(nu + 1))


def kernel(name: str, a: Sequence[float], b: Sequence[float], length: float) -> float:
    distance = math.hypot(a[0] - b[0], a[1] - b[1])
    if name == "exp_quad":
        return math.exp(-0.5 * (distance / length) ** 2)
    scaled = math.sqrt(3) * distance / length
    return (1 + scaled) * math.exp(-scaled)


def surface(
    name: str,
    places: np.ndarray,
    orders: np.ndarray,
    low: Sequence[float],
    side: Sequence[float],
    sd: float,
    length: float,
    z: np.ndarray,
) -> np.ndarray:
    """Values at places, less their mean."""
    values = np.zeros(len(places))
    for i, place in enumerate(places):
        for order, weight in zip(orders, z, strict=True):
            frequency = math.hypot(order[0] * math.pi / side[0], order[1] * math.pi / side[1])
            values[i] += (
                sd * math.sqrt(spectral_density(name, frequency, length)) * wave(place, order, low, side) * weight
            )
    return values - values.mean()
