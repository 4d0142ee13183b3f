r"""A smooth surface over places as a sum of sines: the Hilbert-space approximation of a Gaussian process.

Places lie in a rectangle of half sides :math:`L_1, L_2` around a centre. With the eigenfunctions of the Laplacian that
vanish on its edge, :math:`\phi_j(s) = \prod_d L_d^{-1/2} \sin(\omega_{jd} (s_d + L_d))`,
:math:`\omega_{jd} = \pi j_d / 2 L_d`, and S the spectral density of the covariance,

.. math::  f(s) = \sigma \sum_j \sqrt{S(|\omega_j|; \ell)}\, \phi_j(s)\, z_j, \qquad z_j \sim N(0, 1).

Two things are lost: waves shorter than the last of the sum, which matter if the length scale is short, and what the
edge does, which matters if it is long. Both are chosen from the range of the length scale: the last wave leaves out at
most :data:`LOST` of the variance at its lower end, and the edge is so far from all places that the correlation over
twice that way is :data:`LOST` at its upper end. The margin is the same in both directions, whatever the extent.

Solin & Särkkä (2020) doi:10.1007/s11222-019-09886-w; Riutort-Mayol et al. (2023) doi:10.1007/s11222-022-10167-2
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from math import pi
from typing import Any, ClassVar, override

import numpy as np
from numpy.typing import NDArray

__all__ = ["COVARIANCES", "LOST", "MOST", "Basis", "Covariance", "ExpQuad", "Matern32", "make_basis"]

Floats = NDArray[np.float64]

LOST = 0.05
"""Share of the variance that may be lost at either end of the range of the length scale."""
MOST = 250
"""Functions that a basis has at most, unless more are asked for."""


class Covariance(ABC):
    """Correlation of a surface at two places, and its spectral density in the plane."""

    name: ClassVar[str]
    reach: ClassVar[float]
    """Frequency times length scale beyond which :data:`LOST` of the variance lies."""
    width: ClassVar[float]
    """Distance over length scale at which the correlation is :data:`LOST`."""

    @abstractmethod
    def correlation(self, distance: Any, length: Any) -> Any:
        """Correlation over a distance, km, at a length scale, km."""

    @abstractmethod
    def log_spectrum(self, square: Any, log_length: Any) -> Any:
        """Log spectral density at squared frequencies, 1/km² (arrays or PyTensor variables)."""

    @abstractmethod
    def spectrum_slope(self, square: Any, log_length: Any) -> Any:
        """Its derivative with respect to the log of the length scale."""


@dataclass(frozen=True)
class ExpQuad(Covariance):
    r"""Squared exponential, :math:`\exp(-d^2 / 2\ell^2)`: 0.14 at twice, 0.01 at three times the length scale."""

    name: ClassVar[str] = "exp_quad"
    reach: ClassVar[float] = float(np.sqrt(-2 * np.log(LOST)))
    width: ClassVar[float] = float(np.sqrt(-2 * np.log(LOST)))

    @override
    def correlation(self, distance: Any, length: Any) -> Any:
        return np.exp(-0.5 * (distance / length) ** 2)

    @override
    def log_spectrum(self, square: Any, log_length: Any) -> Any:
        return float(np.log(2 * pi)) + 2 * log_length - 0.5 * np.exp(2 * log_length) * square

    @override
    def spectrum_slope(self, square: Any, log_length: Any) -> Any:
        return 2.0 - np.exp(2 * log_length) * square


@dataclass(frozen=True)
class Matern32(Covariance):
    r"""Matérn 3/2, :math:`(1 + \sqrt3 d/\ell) \exp(-\sqrt3 d/\ell)`: rougher, 0.14 at twice the length scale."""

    name: ClassVar[str] = "matern32"
    reach: ClassVar[float] = float(np.sqrt(3 * (LOST ** (-2 / 3) - 1)))
    width: ClassVar[float] = 4.743864518 / float(np.sqrt(3))

    @override
    def correlation(self, distance: Any, length: Any) -> Any:
        scaled = float(np.sqrt(3)) * distance / length
        return (1.0 + scaled) * np.exp(-scaled)

    @override
    def log_spectrum(self, square: Any, log_length: Any) -> Any:
        ratio = 3.0 + np.exp(2 * log_length) * square
        return float(np.log(6 * pi * 3**1.5)) + 2 * log_length - 2.5 * np.log(ratio)

    @override
    def spectrum_slope(self, square: Any, log_length: Any) -> Any:
        moved = np.exp(2 * log_length) * square
        return 2.0 - 5.0 * moved / (3.0 + moved)


COVARIANCES: dict[str, Covariance] = {each.name: each for each in (ExpQuad(), Matern32())}
"""Covariances by the names that brms gives them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Basis:
    """Sines over a rectangle, and the covariance whose surface they make."""

    covariance: Covariance
    centre: Floats
    """Middle of the rectangle, km, (2,)."""
    half: Floats
    """Half sides L of the rectangle, km, (2,)."""
    extent: Floats
    """Half sides of what the places fill, km, (2,)."""
    order: NDArray[np.intp] = field(repr=False)
    """Half waves east and north of each function, from 1, the longest waves first, (M, 2)."""

    @property
    def frequency(self) -> Floats:
        """ω of each function in both directions, 1/km, (M, 2)."""
        result: Floats = pi * self.order / (2 * self.half)
        return result

    @property
    def square(self) -> Floats:
        """Squared frequency of each function, 1/km², (M,)."""
        result: Floats = (self.frequency**2).sum(1)
        return result

    @property
    def shortest(self) -> float:
        """Length scale, km, below which more than :data:`LOST` of the variance is beyond the last function."""
        return self.covariance.reach / float(np.sqrt(self.square[-1]))

    @property
    def longest(self) -> float:
        """Length scale, km, above which the edge takes more than :data:`LOST` of the variance from some place."""
        return 2.0 * float((self.half - self.extent).min()) / self.covariance.width

    def evaluate(self, xy: Floats) -> Floats:
        """Values of the functions at places.

        Parameters
        ----------
        xy
            Places, km, (N, 2).

        Returns
        -------
        ndarray, (N, M)
            1/km.
        """
        moved = (np.asarray(xy, float) - self.centre + self.half)[:, None, :]
        result: Floats = np.prod(np.sin(self.frequency * moved) / np.sqrt(self.half), axis=-1)
        return result

    def outside(self, xy: Floats) -> NDArray[np.bool_]:
        """Whether places lie beyond the rectangle, where the sum means nothing, (N,)."""
        result: NDArray[np.bool_] = (np.abs(np.asarray(xy, float) - self.centre) > self.half).any(1)
        return result

    def beyond(self, xy: Floats) -> NDArray[np.bool_]:
        """Whether places lie beyond those that the basis was made for: east, west, north or south of all, (N,)."""
        away = np.abs(np.asarray(xy, float) - self.centre) - self.extent
        result: NDArray[np.bool_] = (away > 1e-9 * self.half).any(1)
        return result

    def log_amplitude(self, log_sd: Any, log_length: Any) -> Any:
        """Log of the sd of each coefficient, (..., M), of log sd and log length scale (..., 1)."""
        return log_sd + 0.5 * self.covariance.log_spectrum(self.square, log_length)


def make_basis(
    xy: Floats,
    *,
    shortest: float,
    longest: float,
    covariance: Covariance | None = None,
    boundary: float | None = None,
    functions: int | None = None,
    most: int = MOST,
) -> Basis:
    """Choose a rectangle and a number of functions for places and a range of the length scale.

    Parameters
    ----------
    xy
        Places, km, (N, 2).
    shortest, longest
        Range of the length scale, km.
    covariance
        None: the squared exponential.
    boundary
        Half of the longer side of the rectangle over that of the places; None: from ``longest``.
    functions
        Number of functions; None: from ``shortest``, and not more than ``most``.
    most
        Number of functions that are taken at most, unless ``functions`` says how many.

    Returns
    -------
    Basis

    Examples
    --------
    >>> places = np.stack(np.meshgrid(np.arange(0, 30, 3), np.arange(0, 15, 3)), -1).reshape(-1, 2)
    >>> basis = make_basis(places, shortest=4.0, longest=12.0)
    >>> len(basis.order), basis.half.round(1).tolist(), round(basis.shortest, 1), round(basis.longest, 1)
    (60, [28.2, 20.7], 4.0, 12.0)
    """
    chosen = covariance or COVARIANCES["exp_quad"]
    low, high = np.min(xy, axis=0), np.max(xy, axis=0)
    extent = 0.5 * (high - low)
    margin = 0.5 * chosen.width * longest if boundary is None else (boundary - 1.0) * extent.max()
    half = extent + margin
    order = _orders(half, chosen.reach / shortest, most) if functions is None else _orders(half, np.inf, functions)
    return Basis(covariance=chosen, centre=0.5 * (low + high), half=half, extent=extent, order=order)


def _orders(half: Floats, last: float, most: int) -> NDArray[np.intp]:
    """Numbers of half waves with a frequency up to the last, the longest waves first, not more than some number."""
    sides = np.clip(np.minimum(2 * half * last / pi, most), 1, None).astype(int)
    one, other = np.meshgrid(*(np.arange(1, n + 1) for n in sides), indexing="ij")
    order = np.stack([one.ravel(), other.ravel()], axis=1)
    square = ((pi * order / (2 * half)) ** 2).sum(1)
    chosen = np.argsort(square, kind="stable")[: max(1, min(most, int((square <= last**2).sum())))]
    result: NDArray[np.intp] = order[chosen].astype(np.intp)
    return result
