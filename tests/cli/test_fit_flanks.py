"""`leopardpop fit` of two flanks, from the file to the numbers and the report."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import leopardpop as lp
from leopardpop.cli.app import app

FILE = """
leopardpop = 1
title = "Two flanks"

[data]
reader = "tables"
captures = "captures.csv"
stations = "stations.csv"
occasions = 12

[mask]
buffer = 3000
spacing = 750

[models.flanks]
family = "TwoFlanks"
density = "~ 1"

[fit]
draws = 100
chains = 2
seed = 1
engine = "laplace"

[output]
report = "report.html"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("flanks")
    axis = [1500.0 * i for i in range(4)]
    stations = pd.DataFrame([(f"{x:g}-{y:g}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    design = lp.CaptureHistory.from_tables(None, stations, occasions=12)
    mask = lp.Mask.around(design, buffer=3_000, spacing=750)
    truth = {"D": 0.2, "lambda0": 0.15, "sigma": 1_500}
    history = lp.TwoFlanks().simulate(design, mask, parameters=truth, both=0.3, seed=4).history
    history.detections.to_csv(made / "captures.csv", index=False)
    stations.to_csv(made / "stations.csv", index=False)
    (made / "analysis.toml").write_text(FILE, encoding="utf-8")
    result = CliRunner().invoke(app, ["fit", str(made / "analysis.toml")])
    assert result.exit_code == 0, result.output
    return made / "results"


def test_tables_have_the_pairs(folder):
    matches = pd.read_csv(folder / "matches.csv")
    assert {"model", "left", "right", "probability"} <= set(matches)
    assert matches["probability"].between(0, 1).all()
    assert not (folder / "checks.csv").exists()
    assert "n_matched" in pd.read_csv(folder / "summary.csv")["parameter"].tolist()


def test_report_tells_the_method(folder):
    text = next(Path(folder).rglob("report.html")).read_text(encoding="utf-8")
    assert "Who is who?" in text
    assert "sums over all ways m to match some of them" in text
    assert "10.1214/17-AOAS1091" in text
    assert "who is who is drawn" in text
    assert "Animals detected" not in text


def test_fit_can_be_loaded(folder):
    fit = lp.load_fit(next(Path(folder).rglob("fit.nc")))
    assert isinstance(fit, lp.TwoFlankFit)
    assert fit.plot.population() is not None
    assert fit.cite().count("augustine2018") == 1
