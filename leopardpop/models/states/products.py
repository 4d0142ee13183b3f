"""Laws as products of probabilities, and the logarithms that the products are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.components.link import link
from leopardpop.models.states.structure import Either, Factors, Structure

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats

__all__ = ["choice_slopes", "log_pairs", "product_of", "slopes_of", "sum_of"]


def product_of(factors: Factors, logs: dict[str, Any]) -> Any:
    """Log of a product of probabilities and complements."""
    parts = [logs[name][0 if success else 1] for name, success in factors]
    return sum(parts[1:], parts[0])


def sum_of(outcome: Factors | Either, logs: dict[str, Any]) -> Any:
    """Log of a product of probabilities, or of a sum of such products."""
    if not isinstance(outcome, Either):
        return product_of(outcome, logs)
    total, *others = (product_of(way, logs) for way in outcome.ways)
    for other in others:
        gap = np.abs(total - other)
        total = 0.5 * (total + other + gap) + np.log1p(np.exp(-gap))
    return total


def slopes_of(link: Any, eta: Floats) -> tuple[Any, Any]:
    """Slopes of both logs of a parameter with respect to its linear predictor; see :func:`log_pairs`."""
    if link.name == "log":
        return 1.0, -np.exp(eta)
    pair: tuple[Any, Any] = link.log_slopes(eta)
    return pair


def log_pairs(structure: Structure, etas: Mapping[str, Any], links: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """log x and log(1 − x) of every parameter, of its linear predictor; arrays or PyTensor variables.

    Of a mean, which has a log link, they are log x and −x: the log of the probability that a Poisson number is 0.

    Of a pair of a multinomial logit they are the log probabilities of its own category and of the base.
    """
    pairs = {
        name: (eta, -np.exp(eta)) if links[name].name == "log" else links[name].log_both(eta)
        for name, eta in etas.items()
    }
    for first, second in (pair for pair in structure.choices if pair[0] in etas):
        top = 0.5 * (etas[first] + etas[second] + np.abs(etas[first] - etas[second]))
        top = 0.5 * (top + np.abs(top))  # the largest of 0 and both
        base = -top - np.log(np.exp(-top) + np.exp(etas[first] - top) + np.exp(etas[second] - top))
        pairs[first], pairs[second] = (etas[first] + base, base), (etas[second] + base, base)
    return pairs


def choice_slopes(
    structure: Structure, etas: Mapping[str, Floats], counts: Mapping[str, Sequence[Floats]]
) -> dict[str, Floats]:
    """Slopes of the pairs of multinomial logits: expected number of the category less its share of all."""
    slopes: dict[str, Floats] = {}
    logits = log_pairs(structure, etas, dict.fromkeys(etas, link("logit"))) if structure.choices else {}
    for first, second in structure.choices:
        total = counts[first][0] + counts[first][1] + counts[second][1]
        slopes |= {name: counts[name][1] - total * np.exp(logits[name][0]) for name in (first, second)}
    return slopes
