"""Many surveys: each as if it were alone, errors told and not fatal, whoever computes them."""

from __future__ import annotations

import os
import signal
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import leopardpop as lp
from leopardpop.errors import ConvergenceWarning, DataError, LeopardpopWarning, ModelError
from leopardpop.runs import run_tasks, seed_of
from tests.results import made

FEW = {"engine": "laplace", "draws": 50}


def occupied(seed=1, sites=30):
    design = lp.design.visits(sites, 5)
    return lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=seed).history


def surveys():
    return {
        "leopards, 2022": (lp.SCR(), made.history("null"), made.mask()),
        "tigers/north": (lp.Occupancy(), occupied()),
        "not counts": (lp.NMixture(), occupied()),
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many") / "run"
    return lp.fit_many(surveys(), seed=4, folder=folder, **FEW), folder


def test_tables(found):
    many, _ = found
    assert many.surveys["survey"].tolist() == list(many) == list(surveys())
    assert many.surveys["status"].tolist() == ["ok", "ok", "failed"]
    assert many.surveys.loc[0, "n_individuals"] == made.history("null").n_individuals
    assert many.failures()["survey"].tolist() == ["not counts"]
    assert "binary" in many.failures()["error"].item()
    text = repr(many)
    assert "Fits of 3 surveys: 2 ok, 1 failed" in text
    assert "not counts: failed, DataError" in text
    assert "leopards, 2022: N " in text
    assert "tigers/north" in many._repr_html_()
    assert len(many) == 3


def test_each_is_the_fit_that_it_would_be_alone(found):
    many, _ = found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeopardpopWarning)
        alone = lp.SCR().fit(made.history("null"), made.mask(), seed=seed_of(4, *b"leopards, 2022"), **FEW)
    assert many["leopards, 2022"].posterior.identical(alone.posterior)
    told = many.estimates[many.estimates["survey"] == "leopards, 2022"].set_index("quantity")
    assert told["median"].to_dict() == alone.summary()["median"].to_dict()


def test_what_is_there_is_not_fitted_again_and_what_changed_is(found):
    many, folder = found
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    more = surveys() | {"one more": (lp.Occupancy(), occupied(2))}
    changed = more | {"tigers/north": (lp.Occupancy(), occupied(3))}
    again = lp.fit_many(changed, seed=4, folder=folder, **FEW)
    assert all(path.stat().st_mtime_ns == at for path, at in before.items() if path.is_file())
    assert again.surveys["status"].tolist() == ["ok", "ok", "failed", "ok"]
    assert not again["tigers/north"].posterior.identical(many["tigers/north"].posterior)
    assert again["leopards, 2022"].posterior.identical(many["leopards, 2022"].posterior)


def test_two_processes_say_the_same(found, tmp_path):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        side_by_side = lp.fit_many(surveys(), seed=4, executor=pool, folder=tmp_path / "two", **FEW)
    assert side_by_side.surveys.equals(found[0].surveys)
    assert side_by_side.estimates.equals(found[0].estimates)


def test_fits_that_are_not_there(found):
    many, _ = found
    with pytest.raises(DataError, match=r"no survey 'tigers'. Did you mean 'tigers/north'"):
        many["tigers"]
    with pytest.raises(DataError, match="'not counts' has no fit here: DataError"):
        many["not counts"]
    kept_nowhere = lp.fit_many({"a": (lp.Occupancy(), occupied())}, **FEW)
    with pytest.raises(DataError, match="the fits were not kept: give"):
        kept_nowhere["a"]
    with pytest.raises(DataError, match="no fit was kept"):
        kept_nowhere.to_zarr("draws.zarr")


@pytest.mark.parametrize("given", [{}, {"a": lp.SCR()}, {"a": (lp.SCR(),)}, {"a": (1, 2)}, {"a": (lp.SCR(), 2)}, [1]])
def test_what_is_no_survey(given):
    with pytest.raises(ModelError, match=r"(?i)give a dict .*\(model, history, mask\)"):
        lp.fit_many(given)


def test_all_draws_in_one_store(found, tmp_path):
    many, _ = found
    store = many.to_zarr(tmp_path / "draws.zarr")
    with xr.open_zarr(store, consolidated=False) as data:
        assert data["survey"].values.tolist() == list(many)
        own = data["draws"].sel(survey="leopards, 2022", quantity="N").values
        np.testing.assert_array_equal(own, many["leopards, 2022"].posterior["N"].sel(session="1"))
        assert np.isnan(data["draws"].sel(survey="tigers/north", quantity="N")).all()
        assert np.isnan(data["draws"].sel(survey="not counts")).all()
    with pytest.raises(DataError, match=r"exists. Give the path of a new store"):
        many.to_zarr(store)


# -- a cluster --------------------------------------------------------------------------------------------------------
def dies_once(value: int, mark: str) -> dict[str, int]:
    """Its process is killed by its own hand when the mark is there."""
    if value == 5 and os.path.exists(mark):  # noqa: PTH110
        os.unlink(mark)  # noqa: PTH108
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return {"value": value, "pid": os.getpid()}


@pytest.fixture
def cluster():
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    with (
        warnings.catch_warnings(),
        distributed.LocalCluster(processes=True, silence_logs=50, **options) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.mark.filterwarnings("ignore")  # what a cluster of several processes says while it starts and stops
def test_a_cluster_whose_worker_is_killed_loses_nothing(cluster, found, tmp_path):
    mark = tmp_path / "mark"
    mark.touch()
    tasks = {f"t{i:02d}": (i, str(mark)) for i in range(20)}
    outcomes = run_tasks(dies_once, tasks, executor=cluster, folder=tmp_path / "run")
    assert not mark.exists()
    assert [outcome.value["value"] for outcome in outcomes.values()] == list(range(20))  # the scheduler tried again
    assert len({outcome.value["pid"] for outcome in outcomes.values()}) >= 2
    many = lp.fit_many(surveys(), seed=4, executor=cluster, **FEW)
    assert many.estimates.equals(found[0].estimates)


def test_a_worker_that_dies_is_told(tmp_path):
    """A pool, unlike a cluster, does not try again."""
    mark = tmp_path / "mark"
    mark.touch()
    tasks = {f"t{i:02d}": (i, str(mark)) for i in range(8)}
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.warns(ConvergenceWarning, match="Workers died"),
    ):
        run_tasks(dies_once, tasks, executor=pool)


def test_a_fit_whose_file_is_gone_is_made_again(tmp_path):
    given = {"one": (lp.Occupancy(), occupied()), "two": (lp.Occupancy(p="~ 1"), occupied())}
    first = lp.fit_many(given, folder=tmp_path / "run", draws=100)
    kept, gone = first.files["one"], first.files["two"]
    before = kept.stat().st_mtime_ns
    gone.unlink()
    again = lp.fit_many(given, folder=tmp_path / "run", draws=100)
    assert kept.stat().st_mtime_ns == before
    assert again["two"].posterior.identical(lp.load_fit(gone).posterior)
    pd.testing.assert_frame_equal(again.estimates, first.estimates)
