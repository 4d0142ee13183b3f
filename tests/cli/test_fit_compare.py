"""`leopardpop fit` with models whose likelihoods are of different data."""

import pandas as pd
import pytest
from typer.testing import CliRunner

import leopardpop as lp
from leopardpop.cli.app import app

ANALYSIS = """
[data]
reader = "tables"
captures = "captures.csv"
stations = "stations.csv"
individuals = "individuals.csv"
occasions = 6
[mask]
buffer = 4000
spacing = 1000
[models.null]
family = "SCR"
[models.sex]
family = "SCR"
detection = { HalfNormal = { sigma = "~ sex" } }
classes = "sex"
[fit]
draws = 250
seed = 1
maximum_likelihood = true
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    axis = range(0, 6_000, 1_500)
    stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    design = lp.CaptureHistory.from_tables(None, stations, occasions=6)
    mask = lp.Mask.around(design, buffer=4_000, spacing=1_000)
    model = lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex")
    truth = {"D": 0.4, "lambda0": 0.3, "sigma": 1_000, "sigma[sex[M]]": 0.2, "pmix": 0.4}
    history = model.simulate(design, mask, parameters=truth, seed=1).history
    history.detections[["individual", "station", "occasion"]].to_csv(folder / "captures.csv", index=False)
    history.individuals[["individual", "sex"]].to_csv(folder / "individuals.csv", index=False)
    stations.to_csv(folder / "stations.csv", index=False)
    (folder / "analysis.toml").write_text(ANALYSIS, encoding="utf-8")
    return folder


@pytest.mark.verification
def test_models_of_different_data_are_fitted_and_not_ranked(folder):
    result = CliRunner().invoke(app, ["fit", str(folder / "analysis.toml")])
    assert result.exit_code == 0, result.output
    assert "not compared by AICc: 'sex' has classes='sex' and 'null' has not" in result.output
    assert "weight" not in result.output
    written = {path.name for path in (folder / "results").iterdir()}
    assert "comparison.csv" not in written
    assert {"summary.csv", "estimates.csv"} <= written
