"""NUTS that keeps what it has drawn: killed, it goes on where it was, and the draws are those of an unbroken run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

import numpy as np
import pytest
import xarray as xr

import leopardpop as lp
from leopardpop.errors import DataError, FitError, ModelError
from leopardpop.inference import blocks
from tests.results import made

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.ConvergenceWarning")
GIVEN = {"engine": "nuts", "draws": 150, "chains": 2, "seed": 1, "tune": 80, "cores": 1}


def history():
    design = lp.DetectionHistory.from_tables(np.ones((40, 5)))
    return lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1).history


def fit(folder, **options):
    return lp.Occupancy().fit(history(), **{**GIVEN, **options}, folder=folder)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    return fit(folder), folder


def test_the_posterior_is_that_of_the_other_engine():
    laplace = lp.Occupancy().fit(history(), engine="laplace", seed=2).theta
    with tempfile.TemporaryDirectory() as folder:
        nuts = fit(f"{folder}/run", draws=1000).theta
    np.testing.assert_allclose(nuts.mean((0, 1)), laplace.mean((0, 1)), atol=0.15 * laplace.std((0, 1)).max())
    np.testing.assert_allclose(nuts.std((0, 1)), laplace.std((0, 1)), rtol=0.15)


def test_it_tells_what_a_sampler_tells(unbroken):
    stats = unbroken[0].data_tree["sample_stats"]
    assert set(blocks.STATS.values()) <= set(stats.data_vars)
    assert (stats["tree_depth"] >= 1).all()
    assert 0.5 < float(stats["acceptance_rate"].mean()) < 1.0
    quantities = unbroken[0].diagnostics()["quantity"].tolist()
    assert {"R-hat, largest", "divergences", "BFMI, smallest"} <= set(quantities)


def test_blocks_that_are_there_are_not_drawn_again(unbroken):
    made, folder = unbroken
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npz")}
    assert len(before) == 2 * 3
    xr.testing.assert_identical(fit(folder).posterior, made.posterior)
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npz")}


@pytest.mark.parametrize("gone", [["chain_01_00001", "chain_01_00002"], ["chain_00_00000"], ["chain_00_00002"]])
def test_lost_blocks_are_drawn_again_and_are_the_same(unbroken, tmp_path, gone):
    made, folder = unbroken
    copy = tmp_path / "run"
    copy.mkdir()
    for path in folder.iterdir():
        if path.stem not in gone:
            (copy / path.name).write_bytes(path.read_bytes())
    xr.testing.assert_identical(fit(copy).posterior, made.posterior)


def test_more_draws_go_on_with_those_that_are_there(unbroken, tmp_path):
    copy = tmp_path / "run"
    copy.mkdir()
    for path in unbroken[1].iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    longer = fit(copy, draws=400)
    np.testing.assert_array_equal(longer.theta[:, :150], unbroken[0].theta)
    np.testing.assert_array_equal(longer.theta, fit(tmp_path / "new", draws=400).theta)
    np.testing.assert_array_equal(fit(copy, draws=100).theta, unbroken[0].theta[:, :100])


@pytest.mark.skipif(sys.platform != "linux", reason="chains run one after the other where processes cannot be forked")
def test_processes_give_the_same(unbroken, tmp_path):
    np.testing.assert_array_equal(fit(tmp_path / "run", cores=2).theta, unbroken[0].theta)


@pytest.mark.skipif(sys.platform != "linux", reason="chains run one after the other where processes cannot be forked")
def test_a_chain_that_dies_is_told(tmp_path, monkeypatch):
    draw = blocks._draw_block

    def dies(step, point, plan, chain, block):
        if (chain, block) == (1, 1):
            os.kill(os.getpid(), signal.SIGKILL)
        return draw(step, point, plan, chain, block)

    monkeypatch.setattr(blocks, "_draw_block", dies)
    with pytest.raises(FitError, match=r"1 chain ended before the time \(exit code -9\).*call again with the same"):
        fit(tmp_path / "run", cores=2)
    assert sorted(path.stem for path in (tmp_path / "run").glob("chain_01*")) == ["chain_01_00000"]


def test_killed_it_goes_on_where_it_was(unbroken, tmp_path):
    script = textwrap.dedent("""
        import sys
        from tests.inference.test_blocks import fit
        fit(sys.argv[1], draws=100_000)
    """)
    folder = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script, str(folder)])
    until = time.monotonic() + 120
    while len(list(folder.glob("chain_00*.npz"))) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*.npz")}
    np.testing.assert_array_equal(fit(folder).theta, unbroken[0].theta)
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())


def test_reproduce_makes_them_again(unbroken, tmp_path):
    assert '"folder": true' in unbroken[0].data_tree.attrs["options_json"]
    assert lp.reproduce(unbroken[0].save(tmp_path / "fit.nc")).identical


def test_bad_input(unbroken, tmp_path):
    folder = unbroken[1]
    with pytest.raises(DataError, match="another run: seed differ"):
        fit(folder, seed=2)
    with pytest.raises(DataError, match="another run: option target_accept differ"):
        fit(folder, target_accept=0.95)
    with pytest.raises(DataError, match="another run: data_hash differ"):
        lp.Occupancy().fit(history().__class__.from_tables(np.eye(40, 5)), **GIVEN, folder=folder)
    with pytest.raises(ModelError, match="not those of 'nutpie'"):
        fit(tmp_path / "other", sampler="nutpie")
    with pytest.raises(ModelError, match="has no option 'folder'"):
        lp.Occupancy().fit(history(), engine="laplace", folder=folder)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="is a file"):
        fit(tmp_path / "file")


def test_a_block_that_was_cut_is_refused_by_name(unbroken, tmp_path):
    copy = tmp_path / "run"
    copy.mkdir()
    for path in unbroken[1].iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    block = copy / "chain_00_00001.npz"
    block.write_bytes(block.read_bytes()[:500])
    with pytest.raises(DataError, match=r"chain_00_00001.npz is damaged.*remove it"):
        fit(copy)


def test_a_block_with_any_bit_changed_is_refused(tmp_path):
    """The sums in a zip do not cover its headers: a shape that changed there would give other draws without a word."""
    path, chance = tmp_path / "chain_00_00000.npz", random.Random(1)
    numbers = np.random.default_rng(1)
    blocks._write(path, draws=numbers.random((100, 5)), stats=numbers.random((100, 8)), **{"step.x": 1.0})
    good = path.read_bytes()
    assert blocks._load(path)["draws"].shape == (100, 5)
    for i in range(600):
        changed = bytearray(good)
        if i % 3:
            changed[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
        else:
            del changed[chance.randrange(len(good)) :]
        path.write_bytes(changed)
        with pytest.raises(DataError, match="is damaged"):
            blocks._load(path)


def test_a_survey_of_animals_goes_on_too(tmp_path):
    """Capture-recapture: blocks that a kill has left, and none of them, give the same draws."""
    given = {"engine": "nuts", "draws": 60, "chains": 2, "seed": 3, "tune": 60, "cores": 1}
    data, mask = made.history("null"), made.mask()
    whole = lp.SCR().fit(data, mask, **given, folder=tmp_path / "whole")
    cut = tmp_path / "cut"
    cut.mkdir()
    for name in ("about.json", "chain_00_00000.npz"):
        (cut / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    again = lp.SCR().fit(data, mask, **given, folder=cut)
    xr.testing.assert_identical(again.posterior, whole.posterior)
    with pytest.raises(DataError, match="another run: model_json differ"):
        lp.SCR(detection=lp.Exponential()).fit(data, mask, **given, folder=cut)
