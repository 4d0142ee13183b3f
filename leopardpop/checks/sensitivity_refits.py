"""Fits that are made again because no weights could tell: one task each, the same wherever and whenever it is run."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leopardpop.checks.sensitivity_draws import Numbers, Spread
from leopardpop.errors import LeopardpopError
from leopardpop.inference.laplace import laplace_draws
from leopardpop.words import decimal

if TYPE_CHECKING:
    from leopardpop.models.likelihood.terms import Floats

__all__ = ["Outcome", "Progress", "Task", "run_task", "run_tasks"]

type Progress = Callable[[int, int], None]

MIN_RAW, MIN_ESS = 800, 200
NO_TIME = "the time was over before its refit: allow more seconds="


@dataclass(frozen=True, eq=False)
class Task:
    """One fit to be made again.

    Parameters
    ----------
    target
        The posterior.
    counter
        Law of N at its draws (S, P).
    seed
        Seed of its draws.
    """

    target: Any
    counter: Callable[[Floats], Numbers]
    seed: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a task: a posterior of N, or a reason why there is none."""

    spread: Spread | None = None
    reason: str = ""


def run_task(task: Task) -> Outcome:
    """Draw from the target and count animals.

    Parameters
    ----------
    task
        The task; in another process it needs nothing else.
    """
    try:
        drawn = laplace_draws(
            task.target, draws=1, chains=1, seed=task.seed, min_raw=MIN_RAW, min_ess=MIN_ESS, threads=1
        )
    except LeopardpopError as error:
        return Outcome(reason=f"its refit failed: {error}")
    fine = np.isfinite(drawn.raw_log_ratios)
    log_weights = drawn.raw_log_weights[fine] - np.logaddexp.reduce(drawn.raw_log_weights[fine])
    numbers = task.counter(drawn.raw[fine])
    spread = Spread(numbers.values(), log_weights, drawn.pareto_k, drawn.importance_ess)
    if not spread.trusted:
        return Outcome(reason=f"its refit has Pareto k {decimal(drawn.pareto_k)}: fit it with engine='nuts'")
    return Outcome(spread)


def run_tasks(
    tasks: list[Task], *, executor: Executor | None, seconds: float | None, progress: Progress | None
) -> list[Outcome]:
    """Run tasks in their order, here or by an executor; those that there is no time for say so.

    Parameters
    ----------
    tasks
        The tasks.
    executor
        As of :mod:`concurrent.futures`; None: one after the other, here.
    seconds
        Time after which none is begun (here) or waited for (executor); None: no limit.
    progress
        Called with the tasks done and all of them.
    """
    until = np.inf if seconds is None else time.monotonic() + seconds
    report = progress or _silent
    return _in_turn(tasks, until, report) if executor is None else _by_executor(tasks, executor, until, report)


def _in_turn(tasks: list[Task], until: float, report: Progress) -> list[Outcome]:
    outcomes = []
    for done, task in enumerate(tasks, 1):
        outcomes.append(run_task(task) if time.monotonic() < until else Outcome(reason=NO_TIME))
        report(done, len(tasks))
    return outcomes


def _by_executor(tasks: list[Task], executor: Executor, until: float, report: Progress) -> list[Outcome]:
    waiting = [executor.submit(run_task, task) for task in tasks]
    outcomes = []
    for done, future in enumerate(waiting, 1):
        outcomes.append(_wait(future, until))
        report(done, len(tasks))
    return outcomes


def _wait(future: Future[Outcome], until: float) -> Outcome:
    left = None if np.isinf(until) else max(0.0, until - time.monotonic())
    try:
        return future.result(left)
    except Late:
        future.cancel()
        return Outcome(reason=NO_TIME)


def _silent(done: int, total: int) -> None:
    return None
