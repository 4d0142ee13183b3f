"""Numbers as people read them, for captions, figures and reports."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = [
    "counted",
    "estimate",
    "interval",
    "joined",
    "length",
    "number",
    "probability",
    "quantiles",
    "rounded",
    "trimmed",
]


def quantiles(draws: Any) -> tuple[float, float, float]:
    """Median and the limits of the 95 % interval with equal tails.

    Examples
    --------
    >>> quantiles(np.arange(101.0))
    (50.0, 2.5, 97.5)
    """
    low, middle, high = np.quantile(np.asarray(draws, float), [0.025, 0.5, 0.975])
    return float(middle), float(low), float(high)


def rounded(value: float, digits: int = 2) -> str:
    """Write a number with some significant digits, and never with an exponent.

    Examples
    --------
    >>> [rounded(x) for x in (0.01413, 4.0999, 1234.5, 0.0, -0.0712)]
    ['0.014', '4.1', '1,234', '0', '−0.071']
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return _fixed(value, _decimals(value, digits))


def trimmed(value: float, digits: int = 3) -> str:
    """Write a number with at most some significant digits.

    Examples
    --------
    >>> [trimmed(x) for x in (91.0, 5.25, 0.5, 9853.2)]
    ['91', '5.25', '0.5', '9,853']
    """
    text = rounded(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimals(value: float, digits: int) -> int:
    if value == 0 or not math.isfinite(value):
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def _fixed(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".replace("-", "−")


def interval(middle: float, low: float, high: float, digits: int = 2) -> str:
    """Write an estimate with its interval, all three with the decimals of the middle one (of the width, if it is 0).

    Examples
    --------
    >>> interval(4.12, 3.5, 4.91), interval(41.0, 31.0, 56.0), interval(0.0, -0.42, 0.42)
    ('4.1 (3.5 to 4.9)', '41 (31 to 56)', '0.00 (−0.42 to 0.42)')
    """
    width = high - low
    decimals = _decimals(middle if abs(middle) > 0.02 * width else width / 4, digits)
    return f"{_fixed(middle, decimals)} ({_fixed(low, decimals)} to {_fixed(high, decimals)})"


def estimate(draws: Any, digits: int = 2) -> str:
    """Median with its 95 % interval."""
    return interval(*quantiles(draws), digits)


def number(draws: Any) -> str:
    """Median number of animals with its 95 % interval."""
    return "{:,.0f} ({:,.0f} to {:,.0f})".format(*quantiles(draws))


def probability(value: float) -> str:
    """Write a probability with two digits, and never as certainty.

    Examples
    --------
    >>> [probability(x) for x in (0.583, 0.003, 0.998, 0.0)]
    ['0.58', '< 0.01', '> 0.99', '< 0.01']
    """
    if value < 0.005:
        return "< 0.01"
    return "> 0.99" if value > 0.995 else f"{value:.2f}"


def length(metres: float) -> str:
    """Write a length in m or km.

    Examples
    --------
    >>> length(29.4), length(6238.0)
    ('29 m', '6.2 km')
    """
    return f"{rounded(metres / 1000)} km" if metres >= 1000 else f"{rounded(metres)} m"


def counted(n: float, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> counted(1, "animal"), counted(2400, "animal")
    ('1 animal', '2,400 animals')
    """
    return f"{n:,.0f} {noun if n == 1 else plural or noun + 's'}"


def joined(words: list[str]) -> str:
    """Join words as in a sentence.

    Examples
    --------
    >>> joined(["F", "M", "unknown"])
    'F, M and unknown'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
