"""The draws of a fit, one by one: what every derived quantity streams over."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats, Ints
    from leopardpop.models.problem import Problem

__all__ = ["DistinctDraws", "HasDraws", "distinct_draws", "flat_draws", "generator", "in_blocks", "spread_draws"]

BLOCK = 32
"""Draws a task; results do not depend on it."""
THREADS = 2
AHEAD = 4
"""Blocks that may wait to be used, so that memory stays bounded."""


class HasDraws(Protocol):
    """What a derived quantity needs of a fit."""

    @property
    def problem(self) -> Problem:
        """The model with its data."""

    @property
    def theta(self) -> Floats:
        """Draws of the engine's coefficients, (chain, draw, P)."""

    @property
    def seed(self) -> Any:
        """Seed of the fit, None if it had none."""


class HasSeed(Protocol):
    """What chance needs of a fit."""

    @property
    def seed(self) -> Any:
        """Seed of the fit, None if it had none."""


class DistinctDraws(NamedTuple):
    """Draws without repetition, in the order of their first appearance."""

    theta: Floats
    """(U, P)."""
    place: Ints
    """Which of them each draw is, (S,)."""

    @property
    def weight(self) -> Floats:
        """Share of the draws that each one stands for, (U,)."""
        return np.bincount(self.place, minlength=len(self.theta)) / len(self.place)


def flat_draws(fit: HasDraws) -> Floats:
    """Draws of all chains one after the other, (S, P)."""
    theta = np.asarray(fit.theta, float)
    return theta.reshape(-1, theta.shape[-1])


def distinct_draws(theta: Floats) -> DistinctDraws:
    """Find repeated draws: resampling repeats the good ones, and each is worth evaluating once.

    Examples
    --------
    >>> distinct_draws(np.array([[2.0], [1.0], [2.0]])).place.tolist()
    [0, 1, 0]
    """
    place: dict[bytes, int] = {}
    index = [place.setdefault(row.tobytes(), len(place)) for row in np.ascontiguousarray(theta)]
    first = np.unique(index, return_index=True)[1]
    return DistinctDraws(theta[first], np.array(index, np.intp))


def spread_draws(fit: HasDraws, most: int) -> DistinctDraws:
    """At most ``most`` draws, evenly spread over the chains, without repetition."""
    theta = flat_draws(fit)
    count = min(most, len(theta))
    chosen = (np.arange(count) + 0.5) * len(theta) / count
    return distinct_draws(theta[chosen.astype(np.intp)])


def generator(fit: HasSeed, purpose: str) -> np.random.Generator:
    """Random numbers that are the same each time that the same fit is asked for the same thing."""
    seed = fit.seed if isinstance(fit.seed, int | np.integer) else 0
    return np.random.default_rng([abs(int(seed)), zlib.crc32(purpose.encode())])


def in_blocks[T](function: Callable[[Floats], T], theta: Floats) -> Iterator[T]:
    """Results of ``function`` for consecutive blocks of draws, in their order, computed in two threads.

    Parameters
    ----------
    function
        Of a block of draws (b, P); must be safe to call from several threads.
    theta
        Draws (U, P).

    Yields
    ------
    T
        One result a block; only a few wait at a time.
    """
    from threadpoolctl import threadpool_limits

    blocks = iter([theta[i : i + BLOCK] for i in range(0, len(theta), BLOCK)])
    with threadpool_limits(1), ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[T]] = deque(pool.submit(function, block) for block in islice(blocks, AHEAD))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(function, block) for block in islice(blocks, 1))
