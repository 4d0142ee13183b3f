r"""How the number of animals is distributed: from expected numbers to the log-likelihood of having detected n.

The likelihood of a session is :math:`\sum_i \log \int_x D\,\Pr(w_i \mid x) + f(n, \Lambda, E)`, where Λ is the
expected number of detected animals and E the expected number in the mask; only f differs.
"""

from __future__ import annotations

from math import lgamma, log
from typing import NamedTuple, Protocol

__all__ = ["BinomialN", "ConditionalOnN", "CountTerm", "NumberOfAnimals", "PoissonN"]


class CountTerm(NamedTuple):
    """f and its derivatives with respect to Λ and E."""

    value: float
    by_detected: float
    by_expected: float


class NumberOfAnimals(Protocol):
    """Distribution of N, summed over everything but the n detected animals."""

    def term(self, n: int, detected: float, expected: float) -> CountTerm:
        """Return f(n, Λ, E) and its derivatives."""


class PoissonN:
    """N is Poisson: f = −Λ − log n!."""

    def term(self, n: int, detected: float, expected: float) -> CountTerm:
        """Return f(n, Λ, E) and its derivatives."""
        return CountTerm(-detected - lgamma(n + 1.0), -1.0, 0.0)


class BinomialN:
    """N is the real number E, each animal detected with probability Λ/E.

    f = log Γ(E + 1) − log Γ(E − n + 1) − log n! + (E − n) log(1 − Λ/E) − n log E.
    """

    def term(self, n: int, detected: float, expected: float) -> CountTerm:
        """Return f(n, Λ, E) and its derivatives; −inf where E < n."""
        from scipy.special import digamma

        if expected <= n or detected >= expected:
            return CountTerm(float("-inf"), 0.0, 0.0)
        missed = log(1.0 - detected / expected)
        value = lgamma(expected + 1.0) - lgamma(expected - n + 1.0) - lgamma(n + 1.0)
        slope = -(expected - n) / (expected - detected)
        by_expected = digamma(expected + 1.0) - digamma(expected - n + 1.0) + missed - n / expected
        by_expected += (expected - n) * detected / (expected * (expected - detected))
        return CountTerm(value + (expected - n) * missed - n * log(expected), slope, float(by_expected))


class ConditionalOnN:
    """Conditional on the number detected: f = −n log Λ, free of density."""

    def term(self, n: int, detected: float, expected: float) -> CountTerm:
        """Return f(n, Λ, E) and its derivatives."""
        return CountTerm(-n * log(detected), -n / detected, 0.0) if n else CountTerm(0.0, 0.0, 0.0)
