"""Prior of the length scale of a spatial effect, from the places alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leopardpop.errors import PriorError
from leopardpop.priors.defaults import random_sd_prior
from leopardpop.priors.prior import Prior

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["length_scale_prior", "length_scale_range", "surface_sd_prior"]

TAIL = 0.025
LEAST = 3.0
"""Least ratio of the ends of the range."""


def length_scale_range(places: NDArray[np.float64], resolution: float = 0.0) -> tuple[float, float]:
    """Range that the length scale of a surface over some places can be told in.

    Parameters
    ----------
    places
        Distinct places, (G, 2), in any unit.
    resolution
        Distance within which nothing can be told apart, in the same unit: of density the scale of an animal's range.

    Returns
    -------
    tuple
        Median distance to the nearest neighbour, or the resolution if that is more, and half of the longer side of
        what the places fill (three times the former at least), in the same unit.

    Examples
    --------
    >>> length_scale_range(np.array([[i, j] for i in range(11) for j in range(5)], float))
    (1.0, 5.0)
    """
    from scipy.spatial import KDTree

    spacing = max(float(np.median(KDTree(places).query(places, k=2)[0][:, 1])), resolution)
    return spacing, max(0.5 * float(np.ptp(places, axis=0).max()), LEAST * spacing)


def length_scale_prior(shortest: float, longest: float) -> Prior:
    """Prior of a length scale with 2.5 % below one value and 2.5 % above another.

    A surface cannot be told to vary within less than the spacing of the sites, nor to be flat over more than the
    survey; this keeps it from both.

    Parameters
    ----------
    shortest, longest
        The two values, in the unit of the length scale.

    Returns
    -------
    Prior
        InverseGamma.

    Raises
    ------
    PriorError
        Unless 0 < shortest < longest.

    Examples
    --------
    >>> length_scale_prior(3.0, 15.0).quantile([0.025, 0.975]).round(6)
    array([ 3., 15.])
    """
    from scipy.optimize import brentq
    from scipy.special import gammainccinv

    if not 0 < shortest < longest < np.inf:
        raise PriorError(f"length_scale_prior({shortest}, {longest}): give 0 < shortest < longest.")

    def excess(log_alpha: float) -> float:
        low, high = (float(gammainccinv(np.exp(log_alpha), q)) for q in (1 - TAIL, TAIL))
        return float(np.log(high / low) - np.log(longest / shortest))

    alpha = float(np.exp(brentq(excess, -2.0, 12.0, xtol=1e-12)))
    return Prior("InverseGamma", alpha=alpha, beta=shortest * float(gammainccinv(alpha, TAIL)))


def surface_sd_prior(parameter: str) -> Prior:
    """Prior of the sd of a surface, on the link scale.

    Parameters
    ----------
    parameter
        What the surface acts on: 0.7 for ``"D"``, else that of groups (:func:`random_sd_prior`).

    Returns
    -------
    Prior
        HalfNormal.

    Examples
    --------
    >>> surface_sd_prior("D"), surface_sd_prior("psi")
    (Prior("HalfNormal", sigma=0.7), Prior("HalfNormal", sigma=1))
    """
    return Prior("HalfNormal", sigma=0.7) if parameter == "D" else random_sd_prior(parameter)
