"""What one evaluation of the likelihood of sites gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats
    from leopardpop.models.states.forward import Forward

__all__ = ["Pair", "Run", "SiteLikelihood"]

type Pair = tuple[Floats, Floats]


class SiteLikelihood(NamedTuple):
    """The log-likelihood in the pieces that leave-one-out needs."""

    y: Floats
    """log Pr(all visits of a site), (..., N)."""


class Run(NamedTuple):
    """The likelihood at one set of parameters, or at a batch of them."""

    forward: Forward
    logs: dict[str, Pair]
    """log x and log(1 − x) of every parameter on its places (transitions and sites) or kinds of visits."""
