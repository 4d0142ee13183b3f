"""Numbers as people read them: one home for digits, intervals, percentages, units and plurals.

Where an estimate is told with an interval it is the posterior **median** with the 95 % interval of equal tails: N and
density are skewed, and the median is an end of an interval of the same kind. Tables have the mean beside it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = [
    "MEDIANS",
    "apart",
    "area",
    "below",
    "change",
    "counted",
    "decimal",
    "equal_to",
    "estimate",
    "interval",
    "joined",
    "length",
    "length_interval",
    "median_and_interval",
    "number",
    "percent",
    "probability",
    "rounded",
    "span",
    "trimmed",
    "whole",
    "whole_interval",
]

MEDIANS = "Medians with 95 % intervals."
"""What the numbers of a text are, where nothing else is said."""
ENDS = (0.025, 0.5, 0.975)


def median_and_interval(draws: Any) -> tuple[float, float, float]:
    """Median and the limits of the 95 % interval with equal tails.

    Examples
    --------
    >>> median_and_interval(np.arange(101.0))
    (50.0, 2.5, 97.5)
    """
    low, middle, high = np.quantile(np.asarray(draws, float), ENDS)
    return float(middle), float(low), float(high)


# -- one number -------------------------------------------------------------------------------------------------------
def rounded(value: float, digits: int = 2) -> str:
    """Write a number with some significant digits, and never with an exponent.

    Examples
    --------
    >>> [rounded(x) for x in (0.01413, 4.0999, 1234.5, 0.0, -0.0712, 0.0999)]
    ['0.014', '4.1', '1,234', '0', '−0.071', '0.10']
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


def whole(value: float) -> str:
    """Write a whole number with its thousands separated.

    Examples
    --------
    >>> whole(9705.6), whole(-3.0)
    ('9,706', '−3')
    """
    return _fixed(value, 0)


def decimal(value: float, decimals: int = 2) -> str:
    """Write a number with a set number of decimals.

    Examples
    --------
    >>> decimal(0.0729), decimal(-0.186), decimal(-0.001)
    ('0.07', '−0.19', '0.00')
    """
    return _fixed(value, decimals)


def _decimals(value: float, digits: int) -> int:
    """Decimals with which a number has some significant digits."""
    if value == 0 or not math.isfinite(value):
        return 0
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])  # of the rounded number: 0.0999 is 0.10
    return max(0, digits - 1 - exponent)


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return text.lstrip("-") if not text.strip("-0.,") else text.replace("-", "−")  # no minus before nothing but noughts


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


def equal_to(value: float) -> str:
    """Write a probability with the sign of equality that belongs before it.

    Examples
    --------
    >>> [equal_to(x) for x in (0.583, 0.003, 0.998)]
    ['= 0.58', '< 0.01', '> 0.99']
    """
    text = probability(value)
    return text if text[0] in "<>" else f"= {text}"


def apart(value: float, limit: float) -> tuple[str, str]:
    """Write two numbers with as many decimals as tell them apart, two at least.

    Examples
    --------
    >>> apart(0.72, 0.7), apart(0.7003, 0.7)
    (('0.72', '0.70'), ('0.7003', '0.7000'))
    """
    shown = ((decimal(value, n), decimal(limit, n)) for n in range(2, 9))
    return next((pair for pair in shown if pair[0] != pair[1]), (decimal(value, 8), decimal(limit, 8)))


def below(value: float, limit: float) -> str:
    """Write that a number is below its limit, with as many decimals as show it.

    Examples
    --------
    >>> below(0.33, 0.7), below(0.6984, 0.7)
    ('0.33 < 0.70', '0.698 < 0.700')
    """
    one, other = apart(value, limit)
    return f"{one} < {other}"


def percent(share: float) -> str:
    """Write a share in percent, and a small one not as none.

    Examples
    --------
    >>> [percent(x) for x in (0.304, 0.002, 0.0, 1.0)]
    ['30 %', '< 1 %', '0 %', '100 %']
    """
    return "< 1 %" if 0 < share < 0.005 else f"{whole(100 * share)} %"


def length(metres: float) -> str:
    """Write a length in m or km.

    Examples
    --------
    >>> length(29.4), length(6238.0), length(4_000.0)
    ('29 m', '6.2 km', '4 km')
    """
    return f"{trimmed(metres / 1000, 2)} km" if metres >= 1000 else f"{trimmed(metres, 2)} m"


def area(km2: float) -> str:
    """Write an area.

    Examples
    --------
    >>> area(7744.0), area(0.75), area(123456.7)
    ('7,744 km²', '0.75 km²', '123,457 km²')
    """
    return f"{trimmed(km2, 4)} km²"


def counted(n: float, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> counted(1, "animal"), counted(2400, "animal"), counted(67.5, "day")
    ('1 animal', '2,400 animals', '67.5 days')
    """
    text = trimmed(n)
    return f"{text} {noun if text == '1' else plural or noun + 's'}"


# -- a number with its interval ---------------------------------------------------------------------------------------
def interval(middle: float, low: float, high: float, digits: int = 2, unit: str = "") -> str:
    """Write an estimate with its interval, all three with the decimals of the middle one (of the width, if it is 0).

    An end that would be written as 0, or without its sign, gets up to two decimals more.

    Examples
    --------
    >>> interval(4.12, 3.5, 4.91), interval(41.0, 31.0, 56.0), interval(0.0, -0.42, 0.42)
    ('4.1 (3.5 to 4.9)', '41 (31 to 56)', '0.00 (−0.42 to 0.42)')
    >>> interval(0.051, 0.0012, 2.51), interval(-0.2, -0.4, -0.003)
    ('0.051 (0.001 to 2.510)', '−0.200 (−0.400 to −0.003)')
    >>> interval(4.12, 3.5, 4.91, unit="km")
    '4.1 km (3.5 to 4.9)'
    """
    width = high - low
    decimals = _decimals(middle if abs(middle) > 0.02 * width else width / 4, digits)
    decimals = max(decimals, *(min(_decimals(end, 1), decimals + 2) for end in (low, high)))
    named = f"{_fixed(middle, decimals)} {unit}".rstrip()
    return f"{named} ({_fixed(low, decimals)} to {_fixed(high, decimals)})"


def span(low: float, high: float) -> str:
    """Write a range of whole numbers.

    Examples
    --------
    >>> span(1030.0, 1250.0)
    '1,030 to 1,250'
    """
    return f"{whole(low)} to {whole(high)}"


def whole_interval(middle: float, low: float, high: float) -> str:
    """Write a number of animals with its interval.

    Examples
    --------
    >>> whole_interval(44.0, 33.0, 60.0)
    '44 (33 to 60)'
    """
    return f"{whole(middle)} ({span(low, high)})"


def length_interval(middle: float, low: float, high: float) -> str:
    """Write a length with its interval, in m or km.

    Examples
    --------
    >>> length_interval(6290.0, 5170.0, 8040.0), length_interval(310.0, 250.0, 400.0)
    ('6.3 km (5.2 to 8.0)', '310 m (250 to 400)')
    """
    if middle < 1000:
        return interval(middle, low, high, unit="m")
    return interval(middle / 1000, low / 1000, high / 1000, unit="km")


def change(middle: float, low: float, high: float, of: str = "") -> str:
    """Write a relative change with its interval, in percent with signs.

    Parameters
    ----------
    middle, low, high
        Relative changes: 0.07 is 7 % more.
    of
        What changes.

    Examples
    --------
    >>> change(-0.068, -0.134, -0.011, of="density"), change(0.004, -0.011, 0.0184)
    ('−7 % density (−13 to −1)', '+0.4 % (−1.1 to +1.8)')
    """
    decimals = 0 if abs(high - low) >= 0.05 else 1
    shown = [_signed(100 * value, decimals) for value in (middle, low, high)]
    return f"{f'{shown[0]} % {of}'.rstrip()} ({shown[1]} to {shown[2]})"


def _signed(value: float, decimals: int) -> str:
    text = _fixed(value, decimals)
    return f"+{text}" if value > 0 and text.strip("0.") else text


def estimate(draws: Any, digits: int = 2, unit: str = "") -> str:
    """Write the median of draws with its 95 % interval.

    Examples
    --------
    >>> estimate(np.linspace(2.0, 6.0, 401), unit="km")
    '4.0 km (2.1 to 5.9)'
    """
    return interval(*median_and_interval(draws), digits, unit)


def number(draws: Any) -> str:
    """Write the median number of animals with its 95 % interval.

    Examples
    --------
    >>> number(np.arange(1001))
    '500 (25 to 975)'
    """
    return whole_interval(*median_and_interval(draws))


# -- sentences --------------------------------------------------------------------------------------------------------
def joined(words: list[str]) -> str:
    """Join words as in a sentence.

    Examples
    --------
    >>> joined(["F", "M", "unknown"])
    'F, M and unknown'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
