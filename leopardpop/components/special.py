"""The few elementwise functions that must work on NumPy arrays and on PyTensor variables alike.

``np.exp``, ``np.log``, ``np.log1p``, ``np.expm1`` and the operators dispatch by themselves; what does not is here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "TINY",
    "log_expm1_ratio",
    "log_normal_cdf",
    "log_one_minus_exp_ratio",
    "minimum",
    "normal_cdf",
    "normal_quantile",
]

ROOT_2 = 2.0**0.5

TINY = 1e-300
"""Added where a ratio tends to one as its argument tends to zero: 0/0 becomes 1, and nothing else changes."""


def minimum(x: Any, limit: float) -> Any:
    """Elementwise ``min(x, limit)``."""
    if isinstance(x, np.ndarray | float | int):
        return np.minimum(x, limit)
    from pytensor.tensor import minimum as symbolic_minimum

    return symbolic_minimum(x, limit)


def log_expm1_ratio(h: Any) -> Any:
    """log((exp(h) - 1) / h) for h >= 0: zero at zero, without overflow: h/2 + log(sinh(h/2) / (h/2))."""
    h = h + TINY
    return h + np.log(-np.expm1(-h) / h)


def log_one_minus_exp_ratio(u: Any) -> Any:
    """log((1 - exp(-u)) / u) for u >= 0: zero at zero."""
    u = u + TINY
    return np.log(-np.expm1(-u) / u)


def normal_cdf(x: Any) -> Any:
    """Distribution function of Normal(0, 1), with its relative precision in the left tail."""
    if isinstance(x, np.ndarray | float | int):
        from scipy.special import ndtr

        return ndtr(x)
    from pytensor.tensor import erfc

    return 0.5 * erfc(-x / ROOT_2)


def normal_quantile(q: Any) -> Any:
    """Quantile function of Normal(0, 1)."""
    if isinstance(q, np.ndarray | float | int):
        from scipy.special import ndtri

        return ndtri(q)
    from pytensor.tensor import erfcinv

    return -ROOT_2 * erfcinv(2.0 * q)


def log_normal_cdf(x: Any) -> Any:
    """Log of the distribution function of Normal(0, 1), finite far out in the left tail."""
    if isinstance(x, np.ndarray | float | int):
        from scipy.special import log_ndtr

        return log_ndtr(x)
    from pytensor.tensor import erfc, erfcx, log, log1p, switch

    left = log(0.5 * erfcx(-switch(x < 0.0, x, 0.0) / ROOT_2)) - 0.5 * x * x
    return switch(x < 0.0, left, log1p(-0.5 * erfc(x / ROOT_2)))
