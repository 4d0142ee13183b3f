"""Many tasks on any executor: each result kept as it comes, so that nothing finished is ever done twice."""

from __future__ import annotations

import json
import os
import queue
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leopardpop.data.paths import path_of
from leopardpop.errors import ConvergenceWarning, DataError, LeopardpopWarning
from leopardpop.words import counted, whole

__all__ = ["Outcome", "Progress", "open_folder", "run_tasks", "seed_of", "write_json"]

type Progress = bool | Callable[[int, int], None]

MOST_WAITING = 256
"""Tasks handed to the executor and not yet finished: more would only fill the memory."""
ABOUT = "about.json"
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Parameters
    ----------
    key
        Name of the task.
    value
        What the function returned; None if it raised an error or was lost.
    error
        The error as text, its class first.
    lost
        Whether its worker died before it was finished: it is done again by the next call with the same folder.
    """

    key: str
    value: dict[str, Any] | None
    error: str = ""
    lost: bool = False


def seed_of(seed: int, *places: int) -> int:
    """One seed for each place in a plan, the same wherever and in whatever order it is run.

    Parameters
    ----------
    seed
        Seed of the whole.
    *places
        Numbers of the scenario, of the replicate, and so on; not negative.

    Examples
    --------
    >>> seed_of(1, 0, 3) == seed_of(1, 0, 3), seed_of(1, 0, 3) == seed_of(1, 3, 0)
    (True, False)
    """
    return int(np.random.SeedSequence(seed, spawn_key=places).generate_state(1, np.uint64)[0] >> 1)


def run_tasks(
    function: Callable[..., Mapping[str, Any]],
    tasks: Mapping[str, tuple[Any, ...]],
    *,
    executor: Executor | None = None,
    folder: str | Path | None = None,
    about: Mapping[str, Any] | None = None,
    progress: Progress = False,
) -> dict[str, Outcome]:
    """Run a function once for each task.

    Errors are collected and not raised. If a worker dies, its tasks are told as lost, with a warning.

    Parameters
    ----------
    function
        Takes the arguments of a task and returns a mapping that JSON can hold (numbers, text, lists). Executors with
        other processes import it by name. What it returns may depend on its arguments alone.
    tasks
        Arguments by key; a key is made of letters, digits, ``.``, ``_`` and ``-``.
    executor
        Anything with ``submit`` as in :mod:`concurrent.futures`, also a ``dask.distributed`` client; None: one after
        the other, here.
    folder
        Where each result is written the moment it arrives, and read from when the same tasks are run again; None: kept
        in memory only.
    about
        What the results in the folder are of; a folder of something else is refused.
    progress
        True: a bar on standard error; or a function of the tasks done and all of them.

    Returns
    -------
    dict of str to Outcome
        In the order of the tasks.

    Raises
    ------
    DataError
        If the folder belongs to something else, or a key cannot be a file's name.

    Warns
    -----
    ConvergenceWarning
        If tasks were lost because their workers died.

    Examples
    --------
    >>> found = run_tasks(divmod_of, {"a": (7, 2), "b": (1, 0)})
    >>> found["a"].value, found["b"].error
    ({'quotient': 3, 'rest': 1}, 'ZeroDivisionError: integer division or modulo by zero')
    """
    store = Store(tasks, folder, about or {})
    todo = [key for key in tasks if key not in store.outcomes]
    with _reporting(progress, len(tasks)) as report, _quiet(), _pool(executor) as pool:
        report(len(store.outcomes), len(tasks))
        for outcome in _finished(function, {key: tasks[key] for key in todo}, pool):
            store.keep(outcome)
            report(len(store.outcomes), len(tasks))
    _tell_lost(store.outcomes, folder)
    return {key: store.outcomes[key] for key in tasks}


def divmod_of(a: int, b: int) -> dict[str, int]:
    """Quotient and rest: the smallest task there is, for the example and the tests."""
    quotient, rest = divmod(a, b)
    return {"quotient": quotient, "rest": rest}


class Store:
    """Outcomes of tasks, in memory and, if there is a folder, a file each.

    Parameters
    ----------
    tasks
        The tasks by key.
    folder, about
        As of :func:`run_tasks`.
    """

    def __init__(self, tasks: Mapping[str, Any], folder: str | Path | None, about: Mapping[str, Any]) -> None:
        if wrong := [key for key in tasks if not KEY.fullmatch(key)]:
            raise DataError(f"a task is called {wrong[0]!r}: letters, digits, '.', '_' and '-' only.", offenders=wrong)
        self.outcomes: dict[str, Outcome] = {}
        self.folder = None if folder is None else open_folder(folder, about)
        if self.folder is not None:
            self._read(self.folder, tasks)

    def _read(self, folder: Path, tasks: Mapping[str, Any]) -> None:
        for key in tasks:
            found = _json_of(folder / f"{key}.json")
            if found is not None and found.keys() == {"value", "error"}:
                self.outcomes[key] = Outcome(key, found["value"], found["error"])

    def keep(self, outcome: Outcome) -> None:
        """Keep an outcome; on disk, unless it was lost."""
        self.outcomes[outcome.key] = outcome
        if self.folder is not None and not outcome.lost:
            write_json(self.folder / f"{outcome.key}.json", {"value": outcome.value, "error": outcome.error})


def open_folder(folder: str | os.PathLike[str], about: Mapping[str, Any]) -> Path:
    """Make the folder of a run, or take it again if it is of the same one.

    Parameters
    ----------
    folder
        Its path.
    about
        What its files are of; JSON can hold it.

    Raises
    ------
    DataError
        If it is a file, or of something else.
    """
    place = path_of(folder, "folder", "the path of a folder")
    if place.exists() and not place.is_dir():
        raise DataError(f"folder={str(place)!r} is a file. Give the path of a folder.", offenders=[str(place)])
    place.mkdir(parents=True, exist_ok=True)
    wanted, known = json.loads(json.dumps(about)), _json_of(place / ABOUT)
    if known is None and any(place.iterdir()):
        raise DataError(
            f"folder={str(place)!r} has files, but no {ABOUT}: it is not of a run. Give a new folder.",
            offenders=[str(place)],
        )
    if known is not None and (differ := sorted(k for k in {*known, *wanted} if known.get(k) != wanted.get(k))):
        raise DataError(
            f"folder={str(place)!r} has the results of another run: {', '.join(differ)} differ. Give a new "
            "folder, or the same request.",
            offenders=differ,
        )
    if known is None:
        write_json(place / ABOUT, wanted)
    return place


def _json_of(path: Path) -> dict[str, Any] | None:
    """Content of a file; None if there is none, or only a part of one."""
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write beside the target and move: there is the whole file or none."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)


# -- running ----------------------------------------------------------------------------------------------------------
def _finished(
    function: Callable[..., Mapping[str, Any]], tasks: Mapping[str, tuple[Any, ...]], pool: Any
) -> Iterator[Outcome]:
    """Outcomes as they come; a few tasks wait at the executor at any time."""
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    waiting: dict[Any, str] = {}
    rest = iter(tasks.items())
    while True:
        for key, arguments in rest:
            try:
                future = pool.submit(_task, function, arguments)
            except BrokenExecutor as error:
                yield Outcome(key, None, _told(error), lost=True)
                continue
            waiting[future] = key
            future.add_done_callback(done.put)
            if len(waiting) >= MOST_WAITING:
                break
        if not waiting:
            return
        future = done.get()
        yield _outcome(waiting.pop(future), future)


def _task(function: Callable[..., Mapping[str, Any]], arguments: tuple[Any, ...]) -> str:
    """One task at the worker. JSON travels: a result that comes from a file is the same to the last digit."""
    with _quiet():
        return json.dumps(dict(function(*arguments)))


def _outcome(key: str, future: Any) -> Outcome:
    error = CancelledError("cancelled") if future.cancelled() else future.exception()
    if error is None:
        return Outcome(key, json.loads(future.result()))
    if isinstance(error, KeyboardInterrupt | SystemExit):
        raise error
    lost = isinstance(error, BrokenExecutor | CancelledError) or type(error).__name__ == "KilledWorker"  # dask's
    return Outcome(key, None, _told(error), lost=lost)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


@contextmanager
def _pool(executor: Executor | None) -> Iterator[Any]:
    """The executor, or a single thread that catches errors as any executor does."""
    if executor is not None:
        if not hasattr(executor, "submit"):
            raise DataError(
                f"executor={executor!r} has no submit. Give a concurrent.futures.ProcessPoolExecutor, or a client of "
                "dask.distributed.",
                offenders=["executor"],
            )
        yield executor
        return
    own = ThreadPoolExecutor(1)
    try:
        yield own
    finally:
        own.shutdown(cancel_futures=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings of one fit among thousands: the results say what was wrong with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)
        yield


def _tell_lost(outcomes: Mapping[str, Outcome], folder: str | Path | None) -> None:
    lost = [key for key, outcome in outcomes.items() if outcome.lost]
    if not lost:
        return
    done = f"finished: {whole(len(outcomes) - len(lost))} of {whole(len(outcomes))}"
    kept = "kept; call again with the same folder" if folder is not None else "not kept; next time, give a folder="
    message = f"Workers died and {counted(len(lost), 'task')} with them ({done}, {kept} and a new executor)."
    warnings.warn(message, ConvergenceWarning, stacklevel=3)


# -- progress ---------------------------------------------------------------------------------------------------------
@contextmanager
def _reporting(progress: Progress, total: int) -> Iterator[Callable[[int, int], None]]:
    """A function that is told how far things are."""
    if progress is False or callable(progress):
        with nullcontext():
            yield progress or _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        line = bar.add_task("", total=total)
        yield lambda done, _total: bar.update(line, completed=done)


def _silent(done: int, total: int) -> None:
    return None
