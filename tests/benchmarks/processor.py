"""Processor time: on a shared machine a clock on the wall says less."""

from __future__ import annotations

import time
from collections.abc import Callable


def cpu_seconds(function: Callable[[], object], repeats: int) -> float:
    """Least processor time of several runs, of all threads together, s."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def least_seconds(function: Callable[[], object], repeats: int) -> float:
    """Least time of several runs on the wall, s, or of the processor where that is less: there others were at work."""
    times = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        function()
        times.append(min(time.perf_counter() - wall, time.process_time() - processor))
    return min(times)
