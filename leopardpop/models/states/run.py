"""What comes of evaluating an occupancy model at its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leopardpop.models.states.forward import Forward

__all__ = ["Pair", "Run", "SiteLikelihood"]

Floats = NDArray[np.float64]
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
    emission: Sequence[Floats] = ()
    """log Pr(visits | state), by state, (..., T, N); none where states are numbers of animals."""
