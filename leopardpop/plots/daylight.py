"""When the sun rises and sets at a place, to shade the night in figures of activity."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["sun_hours"]

HORIZON = -0.833
"""Height of the sun's centre at sunrise, degrees: refraction and the radius of the disc."""


def sun_hours(
    longitude: float, latitude: float, day_of_year: ArrayLike, offset: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Hour of sunrise and of sunset on the clock, good to a few minutes between the polar circles.

    Parameters
    ----------
    longitude, latitude
        Degrees.
    day_of_year
        1 to 366, (n,).
    offset
        Hours that the clock is ahead of UTC, (n,).

    Returns
    -------
    rise, set : (n,) arrays
        Hours after midnight; NaN where the sun does not rise or does not set.

    References
    ----------
    Spencer JW (1971). Fourier series representation of the position of the sun. Search 2(5): 172.

    Examples
    --------
    >>> rise, set_ = sun_hours(0.0, 0.0, [80], 0.0)
    >>> float(rise[0].round(1)), float(set_[0].round(1))
    (6.1, 18.2)
    """
    day = 2 * np.pi * (np.asarray(day_of_year, float) - 1) / 365
    declination = _series(day, (0.006918, -0.399912, 0.070257, -0.006758, 0.000907, -0.002697, 0.00148))
    minutes = 229.18 * _series(day, (0.000075, 0.001868, -0.032077, -0.014615, -0.040849, 0.0, 0.0))
    phi = np.radians(latitude)
    cosine = (np.sin(np.radians(HORIZON)) - np.sin(phi) * np.sin(declination)) / (np.cos(phi) * np.cos(declination))
    half = np.degrees(np.arccos(np.where(np.abs(cosine) <= 1, cosine, np.nan))) / 15
    noon = 12 - longitude / 15 - minutes / 60 + np.asarray(offset, float)
    return noon - half, noon + half


def _series(day: NDArray[np.float64], c: tuple[float, ...]) -> NDArray[np.float64]:
    """Fourier series of an angle, radians."""
    waves = [c[2 * k - 1] * np.cos(k * day) + c[2 * k] * np.sin(k * day) for k in (1, 2, 3)]
    result: NDArray[np.float64] = c[0] + np.sum(waves, axis=0)
    return result
