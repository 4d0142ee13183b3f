"""Parameters for people: symbols, meanings, units."""

from __future__ import annotations

from typing import Any

import numpy as np

from leopardpop.words import interval, whole_interval

__all__ = ["in_units", "meaning", "symbol"]

SYMBOLS = {
    "lambda0": "λ₀",
    "g0": "g₀",
    "sigma": "σ",
    "pmix": "π",
    "E_N": "E[N]",
    "psi": "ψ",
    "gamma": "γ",
    "epsilon": "ε",
    "breeding": "R",
    "psi_next": "ψ′",
    "breeding_next": "R′",
    "p1": "p₁",
    "p2": "p₂",
    "delta": "δ",
    "p10": "p₁₀",
    "abundance": "λ",
}
MEANINGS = {
    "D": "density of activity centres",
    "lambda0": "hazard of detection at distance 0, per unit of effort",
    "g0": "probability of detection at distance 0, in one unit of effort",
    "sigma": "scale of movement, over which detection falls",
    "z": "shape of the fall",
    "size": "size of the negative binomial, per unit of effort (the greater, the nearer to Poisson)",
    "pmix": "share in the population",
    "E_N": "expected number of animals in the mask",
    "N": "number of animals in the mask",
}


def symbol(name: str) -> str:
    """Symbol of a parameter.

    Examples
    --------
    >>> symbol("lambda0"), symbol("kappa")
    ('λ₀', 'kappa')
    """
    return SYMBOLS.get(name, name)


def meaning(name: str) -> str:
    """What a parameter is; its name for one of a component of the user's own."""
    if name.endswith("_effect"):
        return f"deviation of a group from the middle, of {symbol(name.removesuffix('_effect'))}, on the same scale"
    parameter, between, group = name.partition("_sd_")
    if between and group == "gp":
        return f"sd of the surface of {symbol(parameter)}, on the scale of its link"
    if name.endswith("_length_gp"):
        return f"length scale of the surface of {symbol(name.removesuffix('_length_gp'))}"
    if between:
        return f"sd of {symbol(parameter)} between groups of {group}, on the scale of its link"
    return MEANINGS.get(name, name)


def in_units(values: Any, unit: str) -> tuple[str, str]:
    """Median and interval in units that people read.

    Parameters
    ----------
    values
        Median, lower and upper limit.
    unit
        Unit of the library: "m", "1/km²", "1/day" ...

    Returns
    -------
    tuple of str
        Text and unit.

    Examples
    --------
    >>> in_units([6292.0, 5170.0, 8040.0], "m"), in_units([0.00348, 0.0023, 0.0054], "1/km²")
    (('6.3 (5.2 to 8.0)', 'km'), ('0.35 (0.23 to 0.54)', 'per 100 km²'))
    """
    middle, low, high = (float(value) for value in np.asarray(values, float))
    if unit == "m" and middle >= 1000.0:
        return interval(middle / 1000, low / 1000, high / 1000), "km"
    if unit == "1/km²":
        return interval(100 * middle, 100 * low, 100 * high), "per 100 km²"
    if unit == "animals":
        return whole_interval(middle, low, high), unit
    return interval(middle, low, high), f"per {unit[2:]}" if unit.startswith("1/") else unit
