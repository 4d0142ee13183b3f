"""Simulation-based calibration: right is called right, wrong is caught, what is done is not done again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import leopardpop as lp
from leopardpop.checks import calibration
from leopardpop.checks.calibration_result import Calibration
from leopardpop.checks.uniformity import ecdf_band, ecdf_p, grid_of
from leopardpop.errors import DataError, ModelError
from leopardpop.runs import Outcome
from tests.design.designs import grid_design, mask_of

DESIGN = lp.DetectionHistory.from_tables(np.ones((40, 5)))


@cache
def found() -> Calibration:
    return lp.calibrate(lp.Occupancy(), DESIGN, replicates=60, draws=50, seed=3)


# -- uniformity -------------------------------------------------------------------------------------------------------
def test_the_p_value_of_uniform_ranks_is_uniform():
    rng = np.random.default_rng(5)
    p = [ecdf_p(rng.random(50)) for _ in range(400)]
    assert kstest(p, "uniform").pvalue > 0.001


@pytest.mark.parametrize("wrong", [lambda u: u**1.5, lambda u: 0.25 + 0.5 * u, lambda u: np.where(u < 0.5, u**2, u)])
def test_departures_are_found(wrong):
    assert ecdf_p(wrong(np.random.default_rng(2).random(300))) < 0.01


def test_the_band_holds_whole_functions_as_often_as_it_says():
    rng, grid = np.random.default_rng(3), grid_of(80)
    lower, upper = ecdf_band(80, 0.9)
    shares = [np.searchsorted(np.sort(rng.random(80)), grid, side="right") / 80 for _ in range(1_000)]
    inside = np.mean([((share >= lower - 1e-12) & (share <= upper + 1e-12)).all() for share in shares])
    assert 0.87 < inside < 0.93


# -- runs -------------------------------------------------------------------------------------------------------------
def test_a_right_model_is_called_right():
    assert found().holds
    table = found().table()
    assert table.index.tolist() == ["psi[Intercept]", "p[Intercept]", "log-likelihood", "used sites"]
    assert set(table["verdict"]) <= {"holds", "note"}
    assert (table["replicates"] == 60).all()
    text = repr(found())
    assert "60 surveys of truths drawn from the priors, 0 failures" in text
    assert "95 % interval holds" in found()._repr_html_()


def test_an_engine_whose_intervals_are_too_narrow_is_caught(monkeypatch):
    """Draws pulled half the way to their mean: ranks pile up at the ends."""
    ranks = calibration._ranks

    def narrow(fit, truth, rng):
        theta = fit.theta
        fit.__dict__["theta"] = theta.mean((0, 1)) + 0.4 * (theta - theta.mean((0, 1)))
        return ranks(fit, truth, rng)

    monkeypatch.setattr(calibration, "_ranks", narrow)
    wrong = lp.calibrate(lp.Occupancy(), DESIGN, replicates=60, draws=50, seed=3)
    assert not wrong.holds
    assert wrong.table().loc["p[Intercept]", "verdict"] == "FAILS"
    assert "FAILS: " in repr(wrong)


@pytest.mark.verification
def test_animals_with_two_workers_and_a_folder(tmp_path):
    design = grid_design(4)
    priors = {"D": lp.priors.from_range(0.02, 0.08), "sigma": lp.priors.from_range(1_500, 3_000)}
    given = {"replicates": 3, "draws": 50, "seed": 2}
    here = lp.calibrate(lp.SCR(priors=priors), design, mask_of(design, 1.0), **given)
    assert here.ranks.columns.tolist()[-3:] == ["log-likelihood", "E_N", "N"]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as two:
        there = lp.calibrate(
            lp.SCR(priors=priors), design, mask_of(design, 1.0), **given, executor=two, folder=tmp_path / "run"
        )
    pd.testing.assert_frame_equal(here.ranks, there.ranks, check_exact=True)
    with pytest.raises(DataError, match="another run: seed differ"):
        lp.calibrate(
            lp.SCR(priors=priors), design, mask_of(design, 1.0), **given | {"seed": 3}, folder=tmp_path / "run"
        )


SCRIPT = """
import sys, numpy as np, leopardpop as lp
design = lp.DetectionHistory.from_tables(np.ones((40, 5)))
lp.calibrate(lp.Occupancy(), design, replicates=2_000, draws=50, seed=3, folder=sys.argv[1])
"""


def test_killed_it_goes_on_where_it_was(tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", SCRIPT, str(folder)])
    until = time.monotonic() + 120
    while len(list(folder.glob("0*.json"))) < 5 and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("0*.json")}
    assert 5 <= len(kept) < 2_000
    number = len(kept) + 3
    again = lp.calibrate(lp.Occupancy(), DESIGN, replicates=number, draws=50, seed=3, folder=folder)
    assert again.asked == number
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items() if json.loads(path.read_bytes()))
    pd.testing.assert_frame_equal(again.ranks.head(8), found().ranks.head(8), check_exact=True)


# -- results ----------------------------------------------------------------------------------------------------------
def outcomes(ranks, failed=0):
    kept = {
        f"{i:06d}": {"ranks": {"a": float(u)}, "trusted": True, "rejected": 1, "seconds": 0.5}
        for i, u in enumerate(ranks)
    }
    made = {key: Outcome(key, value) for key, value in kept.items()}
    return made | {f"x{i}": Outcome(f"x{i}", None, "FitError: no mode") for i in range(failed)}


def test_coverage_by_hand():
    made = Calibration.of_outcomes(outcomes([0.01, 0.3, 0.5, 0.74, 0.98]), "a model", "laplace", 10, 1)
    row = made.table().loc["a"]
    assert row["coverage_95"] == pytest.approx(3 / 5)
    assert row["coverage_50"] == pytest.approx(3 / 5)
    assert "Left out before by the rule on the data: 5 surveys" in repr(made)


def test_failures_are_never_replaced():
    ranks = (np.arange(50) + 0.5) / 50
    made = Calibration.of_outcomes(outcomes(ranks, failed=5), "a model", "laplace", 10, 1)
    assert made.failed == 5
    assert made.table().loc["a", "verdict"] == "FAILS"
    assert made.table().loc["a", "coverage_95"] < 0.95 * 50 / 54
    assert Calibration.of_outcomes(outcomes(ranks), "a model", "laplace", 10, 1).holds


def test_saved_and_read(tmp_path):
    again = Calibration.load(found().save(tmp_path / "found.json"))
    pd.testing.assert_frame_equal(again.table(), found().table(), check_exact=False, atol=1e-4)
    (tmp_path / "other.json").write_text("[1]")
    with pytest.raises(DataError, match="holds no calibration"):
        Calibration.load(tmp_path / "other.json")


def test_figure():
    axes = np.ravel(found().plot())
    assert [axis.get_title() for axis in axes] == found().table().index.tolist()
    assert "Simulation-based calibration" in axes[0].figure.caption


def test_bad_requests():
    design = grid_design(3)
    with pytest.raises(ModelError, match="give a model, such as"):
        lp.calibrate("SCR", DESIGN)
    with pytest.raises(ModelError, match="engine='gibbs'"):
        lp.calibrate(lp.Occupancy(), DESIGN, engine="gibbs")
    with pytest.raises(ModelError, match="replicates=0 must be"):
        lp.calibrate(lp.Occupancy(), DESIGN, replicates=0)
    with pytest.raises(DataError, match="needs a mask"):
        lp.calibrate(lp.SCR(), design)
    with pytest.raises(DataError, match="needs a DetectionHistory"):
        lp.calibrate(lp.Occupancy(), design)
