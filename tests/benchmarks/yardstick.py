"""A fixed piece of work on one thread, to tell times as ratios: 20 million exponentials, one 1000 x 1000 product."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numba
import numpy as np
from threadpoolctl import threadpool_limits


@numba.njit
def _exponentials(x: np.ndarray, repeats: int) -> float:
    total = 0.0
    for _ in range(repeats):
        for value in x:
            total += math.exp(-value)
    return total


def best(function: Callable[[], object], repeats: int) -> float:
    """Shortest time of several runs, s."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def yardstick(repeats: int = 5) -> float:
    """Seconds that this machine needs, right now, for the fixed piece of work."""
    rng = np.random.default_rng(0)
    x, a = rng.uniform(0, 20, 20_000), rng.standard_normal((1000, 1000))
    with threadpool_limits(1):
        _exponentials(x, 1)
        return best(lambda: _exponentials(x, 1000), repeats) + best(lambda: a @ a, repeats)
