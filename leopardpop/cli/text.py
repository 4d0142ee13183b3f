"""Numbers as people read them."""

from __future__ import annotations

import math

__all__ = ["count", "interval", "percent", "percent_interval", "probability", "rounded"]


def count(number: float) -> str:
    """Write a whole number with thousands separated.

    Parameters
    ----------
    number
        The number.

    Returns
    -------
    str
        Such as ``9,706``.

    Examples
    --------
    >>> count(9705.6)
    '9,706'
    """
    return f"{round(number):,}"


def rounded(number: float, digits: int = 2) -> str:
    """Write a number with some significant digits, and never with an exponent.

    Parameters
    ----------
    number
        The number.
    digits
        How many digits; digits before the decimal point are all kept.

    Returns
    -------
    str
        Such as ``0.014`` or ``1,234``.

    Examples
    --------
    >>> [rounded(x) for x in (0.01413, 4.0999, 1234.5, 0.0)]
    ['0.014', '4.1', '1,234', '0']
    """
    if number == 0 or not math.isfinite(number):
        return f"{number:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(number))))
    return f"{number:,.{decimals}f}"


def interval(middle: float, low: float, high: float, digits: int = 2) -> str:
    """Write an estimate with its interval, all three with the decimals of the middle one.

    Parameters
    ----------
    middle, low, high
        The estimate and the ends of its interval.
    digits
        Significant digits of the estimate.

    Returns
    -------
    str
        Such as ``4.1 (3.5 to 4.9)``.

    Examples
    --------
    >>> interval(4.12, 3.5, 4.91)
    '4.1 (3.5 to 4.9)'
    >>> interval(0.0141, 0.009, 0.0213)
    '0.014 (0.009 to 0.021)'
    """
    middle_text = rounded(middle, digits)
    decimals = len(middle_text.partition(".")[2])
    return f"{middle_text} ({low:,.{decimals}f} to {high:,.{decimals}f})"


def percent(change: float) -> str:
    """Write a relative change with its sign.

    Parameters
    ----------
    change
        The change; 0.07 is 7 % more.

    Returns
    -------
    str
        Such as ``−7 %``.

    Examples
    --------
    >>> percent(-0.068)
    '−7 %'
    """
    return f"{_signed(100 * change)} %"


def _signed(number: float) -> str:
    text = f"{abs(number):.0f}"
    if text == "0":
        return text
    return ("−" if number < 0 else "+") + text


def percent_interval(middle: float, low: float, high: float) -> str:
    """Write a relative change with its interval.

    Parameters
    ----------
    middle, low, high
        The change and the ends of its interval.

    Returns
    -------
    str
        Such as ``−7 % (−13 to −1)``.

    Examples
    --------
    >>> percent_interval(-0.07, -0.13, -0.01)
    '−7 % (−13 to −1)'
    """
    return f"{percent(middle)} ({_signed(100 * low)} to {_signed(100 * high)})"


def probability(value: float) -> str:
    """Write a probability, and never as certain.

    Parameters
    ----------
    value
        Between 0 and 1.

    Returns
    -------
    str
        Two decimals, or ``< 0.01``, ``> 0.99``.

    Examples
    --------
    >>> probability(0.786), probability(0.001), probability(1.0)
    ('0.79', '< 0.01', '> 0.99')
    """
    if value < 0.01:
        return "< 0.01"
    return "> 0.99" if value > 0.99 else f"{value:.2f}"
