"""Tasks on an executor: same results everywhere, nothing finished is lost, errors are collected."""

from __future__ import annotations

import json
import os
import signal
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leopardpop.errors import ConvergenceWarning, DataError, SparseDataWarning
from leopardpop.runs import ABOUT, MOST_WAITING, Outcome, run_tasks, seed_of


def spawned(workers: int) -> ProcessPoolExecutor:
    """Processes that share nothing with this one."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def normal(seed: int) -> dict[str, float]:
    return {"value": float(np.random.default_rng(seed).normal()), "pid": os.getpid()}


def root(value: float) -> dict[str, float]:
    if value < 0:
        raise ValueError(f"{value} has no root")
    return {"root": value**0.5}


def noisy(value: int) -> dict[str, int]:
    warnings.warn("few animals", SparseDataWarning, stacklevel=1)
    return {"value": value}


def counted_run(value: int, folder: str) -> dict[str, int]:
    """Leave a mark each time that it is run."""
    (Path(folder) / f"{value}-{time.monotonic_ns()}").touch()
    return {"value": value}


def killed(value: int, fatal: bool) -> dict[str, int]:
    if fatal:
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
    return {"value": value}


def tasks_of(n: int) -> dict[str, tuple[int]]:
    return {f"t{i:04d}": (seed_of(5, i),) for i in range(n)}


def test_the_same_whatever_runs_them():
    tasks = tasks_of(12)
    here = run_tasks(normal, tasks)
    with spawned(2) as two, ThreadPoolExecutor(3) as threads:
        processes, threaded = run_tasks(normal, tasks, executor=two), run_tasks(normal, tasks, executor=threads)
    values = [[o.value["value"] for o in found.values()] for found in (here, processes, threaded)]
    assert values[0] == values[1] == values[2]
    assert list(here) == list(processes) == list(tasks)
    assert os.getpid() not in {o.value["pid"] for o in processes.values()}


def test_errors_are_collected_with_their_class():
    found = run_tasks(root, {"a": (4.0,), "b": (-1.0,), "c": (9.0,)})
    assert found["a"] == Outcome("a", {"root": 2.0})
    assert found["b"] == Outcome("b", None, "ValueError: -1.0 has no root")
    assert found["c"].value == {"root": 3.0}


def test_what_json_cannot_hold_is_an_error_of_its_task():
    assert "TypeError" in run_tasks(dict, {"a": ({"x": {1, 2}},)})["a"].error


def test_finished_tasks_are_not_run_again(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    tasks = {f"t{i}": (i, str(marks)) for i in range(5)}
    first = run_tasks(counted_run, {k: tasks[k] for k in ("t0", "t3")}, folder=tmp_path / "run")
    again = run_tasks(counted_run, tasks, folder=tmp_path / "run")
    assert again["t3"] == first["t3"]
    assert sorted(p.name.split("-")[0] for p in marks.iterdir()) == ["0", "1", "2", "3", "4"]


def test_errors_are_kept_too_and_half_a_file_is_no_result(tmp_path):
    run_tasks(root, {"a": (-1.0,), "b": (4.0,)}, folder=tmp_path / "run")
    (tmp_path / "run" / "b.json").write_text('{"value": {"ro')
    found = run_tasks(root, {"a": (-1.0,), "b": (4.0,)}, folder=tmp_path / "run")
    assert found["a"].error == "ValueError: -1.0 has no root"
    assert found["b"].value == {"root": 2.0}
    assert json.loads((tmp_path / "run" / "b.json").read_text())["value"] == {"root": 2.0}
    assert not list((tmp_path / "run").glob(".*.part"))


def test_stored_and_fresh_are_the_same_to_the_last_digit(tmp_path):
    fresh = run_tasks(normal, tasks_of(6), folder=tmp_path / "run")
    assert run_tasks(normal, tasks_of(6), folder=tmp_path / "run") == fresh


def test_a_killed_worker_loses_none_of_the_finished(tmp_path):
    tasks = {f"t{i}": (i, i == 4) for i in range(8)}
    with spawned(1) as one, pytest.warns(ConvergenceWarning, match=r"4 tasks with them \(finished: 4 of 8, kept; call"):
        found = run_tasks(killed, tasks, executor=one, folder=tmp_path / "run")
    finished = [key for key, outcome in found.items() if outcome.value is not None]
    assert finished == ["t0", "t1", "t2", "t3"]
    assert all(found[key].lost for key in ("t4", "t5", "t6", "t7"))
    kept = {p.name for p in (tmp_path / "run").glob("t*.json")}
    assert kept == {f"{key}.json" for key in finished}
    healed = run_tasks(killed, {key: (i, False) for key, (i, _) in tasks.items()}, folder=tmp_path / "run")
    assert [o.value for o in healed.values()] == [{"value": i} for i in range(8)]


def test_without_a_folder_the_warning_says_what_would_have_helped():
    with (
        spawned(1) as one,
        pytest.warns(ConvergenceWarning, match=r"finished: 0 of 1, not kept"),
    ):
        assert run_tasks(killed, {"a": (1, True)}, executor=one)["a"].lost


def test_warnings_of_single_tasks_do_not_rain():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run_tasks(noisy, {"a": (1,)})["a"].value == {"value": 1}


def test_a_folder_of_another_run_is_refused(tmp_path):
    run_tasks(root, {"a": (4.0,)}, folder=tmp_path / "run", about={"seed": 1, "model": "x"})
    with pytest.raises(DataError, match=r"another run: seed differ") as caught:
        run_tasks(root, {"a": (4.0,)}, folder=tmp_path / "run", about={"seed": 2, "model": "x"})
    assert caught.value.offenders == ["seed"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(DataError, match=f"no {ABOUT}"):
        run_tasks(root, {"a": (4.0,)}, folder=tmp_path / "mine")
    with pytest.raises(DataError, match="is a file"):
        run_tasks(root, {"a": (4.0,)}, folder=tmp_path / "mine" / "thesis.txt")


@pytest.mark.parametrize("key", ["", "a/b", "../a", ".hidden", "ä"])
def test_a_key_is_a_file_name(key):
    with pytest.raises(DataError, match="letters, digits"):
        run_tasks(root, {key: (4.0,)})


def test_an_executor_must_submit():
    with pytest.raises(DataError, match="has no submit"):
        run_tasks(root, {"a": (4.0,)}, executor=2)  # type: ignore[arg-type]


def test_progress_is_told_once_a_task(capsys):
    told = []
    run_tasks(root, {"a": (4.0,), "b": (1.0,)}, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]
    run_tasks(root, {"a": (4.0,)}, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "1/1" in shown.err


def test_more_tasks_than_may_wait():
    n = 2 * MOST_WAITING + 3
    found = run_tasks(root, {f"t{i}": (float(i),) for i in range(n)})
    assert [o.value["root"] for o in found.values()] == [i**0.5 for i in range(n)]


def test_the_overhead_of_a_task_is_small(tmp_path):
    with spawned(1) as one:
        run_tasks(root, {"warm": (4.0,)}, executor=one)
        start = time.perf_counter()
        run_tasks(root, {f"t{i}": (1.0,) for i in range(200)}, executor=one, folder=tmp_path / "run")
        assert (time.perf_counter() - start) / 200 < 0.01


@given(st.integers(0, 2**40), st.lists(st.integers(0, 2**31), min_size=2, max_size=2, unique=True))
def test_seeds_of_other_places_differ(seed, places):
    one, other = (seed_of(seed, 0, place) for place in places)
    assert one != other
    assert 0 <= one < 2**63
