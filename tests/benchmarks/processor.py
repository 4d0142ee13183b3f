"""Processor time: on a shared machine a clock on the wall says less."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path


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


def peak_mebibytes() -> float:
    """Largest memory that this process has had since it began, MiB.

    Linux's getrusage counts what the process that started this one had at that moment; the status of the process
    does not.
    """
    found = _status("VmHWM")
    if found is not None:
        return found
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1024)


def resident_mebibytes() -> float:
    """Memory that this process has now, MiB; where the system does not say it, the most that it has had."""
    found = _status("VmRSS")
    return peak_mebibytes() if found is None else found


def _status(key: str) -> float | None:
    """A number of Linux's status of this process, MiB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(key)) / 1024
