"""``leopardpop study scenarios.toml``."""

from __future__ import annotations

import pandas as pd
import pytest
from typer.testing import CliRunner

import leopardpop as lp
from leopardpop.cli.app import app
from leopardpop.cli.study import read_study
from leopardpop.errors import DataError, ModelError

SITES = """
[study]
replicates = 3
seed = 4
[design]
sites = 30
visits = 4
[model]
family = "Occupancy"
[parameters]
psi = 0.6
p = 0.4
[scenarios.few]
[scenarios.more]
design = { visits = 8 }
parameters = { psi = { from_range = [0.4, 0.8] } }
"""
STATIONS = """
[design]
grid = { rows = 3, columns = 4, spacing = 2000 }
occasions = 5
detector = "count"
[mask]
buffer = 4000
spacing = 1000
[model]
detection = { Exponential = { sigma = "~ 1" } }
[parameters]
D = 0.3
lambda0 = 0.2
sigma = 1000
"""


@pytest.fixture
def write(tmp_path):
    def writer(text):
        path = tmp_path / "scenarios.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return writer


def test_the_command_writes_tables_and_goes_on(write, tmp_path):
    path = write(SITES)
    result = CliRunner().invoke(app, ["study", str(path)])
    assert result.exit_code == 0, result.output
    assert "Study: 2 scenarios × 3 replicates" in result.output
    summary = pd.read_csv(tmp_path / "study" / "summary.csv")
    assert summary[["scenario", "quantity"]].apply(tuple, axis=1).tolist() == [
        ("few", "psi"), ("few", "p"), ("more", "psi"), ("more", "p"),
    ]  # fmt: skip
    assert len(list((tmp_path / "study" / "replicates").glob("*-0*.json"))) == 6
    path.write_text(SITES.replace("replicates = 3", "replicates = 4"))
    CliRunner().invoke(app, ["study", str(path)])
    kept = pd.read_csv(tmp_path / "study" / "estimates.csv")
    assert kept.groupby("scenario")["replicate"].nunique().tolist() == [4, 4]
    assert kept.query("scenario == 'few' and quantity == 'psi'")["truth"].unique() == pytest.approx([0.6])
    assert kept.query("scenario == 'more' and quantity == 'psi'")["truth"].nunique() == 4


def test_the_same_as_from_python(write):
    file = read_study(write(SITES))
    plan = lp.design.Scenario(model=lp.Occupancy(), design=lp.design.visits(30, 4), parameters={"psi": 0.6, "p": 0.4})
    assert file.scenarios["few"].fingerprint() == plan.fingerprint()
    assert file.scenarios["more"].design.n_visits == 240


def test_stations_on_a_grid(write):
    (plan,) = read_study(write(STATIONS)).scenarios.values()
    assert plan.design.n_stations == 12
    assert plan.design.detector == "count"
    assert plan.design.stations["x"].max() == 6_000
    assert isinstance(plan.model.detection, lp.Exponential)
    assert plan.mask.buffer == 4_000


def test_stations_from_a_file(write, tmp_path):
    pd.DataFrame({"station": ["a", "b"], "x": [0, 2000], "y": [0, 0]}).to_csv(tmp_path / "s.csv", index=False)
    text = STATIONS.replace("grid = { rows = 3, columns = 4, spacing = 2000 }", 'stations = "s.csv"')
    assert read_study(write(text)).scenarios["scenario"].design.n_stations == 2


@pytest.mark.parametrize(
    "text, message",
    [
        (SITES.replace("visits = 4", "vists = 4"), r"line 7, \[design\]: unknown key 'vists'. Did you mean 'visits'"),
        (SITES.replace("visits = 4\n", "").replace("visits = 8", ""), "visits is missing"),
        (SITES.replace("[scenarios.more]", "[scenarios.more]\nparametres = {}"), "Did you mean 'parameters'"),
        (SITES.replace('"Occupancy"', '"Ocupancy"'), "unknown family 'Ocupancy'. Did you mean 'Occupancy'"),
        (SITES.replace("[scenarios.more]", "[scenarios.'a b']"), "of a plain name"),
        (STATIONS.replace("buffer = 4000\n", ""), "buffer is missing"),
        (STATIONS.replace("rows = 3", "rows = 0"), "each above 0"),
        (STATIONS.split("[parameters]")[0], r"\[parameters\] is missing"),
        (STATIONS.replace("grid =", "grind ="), "Did you mean 'grid'"),
        (STATIONS.replace("grid = { rows = 3, columns = 4, spacing = 2000 }\n", ""), "give stations ="),
        ("study = 3", "must be a section"),
        ("[study", "is not TOML"),
    ],
)
def test_bad_input(write, text, message):
    with pytest.raises(DataError, match=message):
        read_study(write(text))


def test_what_happens_between_model_and_data(write):
    text = STATIONS + "[reality]\nghosts = 0.1\n[scenarios.plain]\n[scenarios.sexes]\n"
    text += 'generator = { family = "SCR", classes = "sex" }\nreality = { outage = 0.2 }\n'
    found = read_study(write(text)).scenarios
    assert found["plain"].reality == lp.design.Reality(ghosts=0.1)
    assert found["plain"].generator is None
    assert found["sexes"].reality == lp.design.Reality(ghosts=0.1, outage=0.2)
    assert found["sexes"].generator == lp.SCR(classes="sex")
    with pytest.raises(DataError, match=r"\[reality\]: unknown key 'ghost'. Did you mean 'ghosts'"):
        read_study(write(text.replace("ghosts", "ghost")))
    with pytest.raises(ModelError, match=r"^scenarios.toml, \[scenarios.plain\]: .*ghosts"):
        read_study(write(text.replace("ghosts = 0.1", "ghosts = 1.1")))
    wide = text.replace("D = 0.3", "D = { Normal = { mu = 0.0, sigma = 1.0 } }")
    with pytest.raises(ModelError, match=r"\[scenarios.plain\]: parameters: D is above 0, and its prior"):
        read_study(write(wide))


def test_errors_are_sentences(write, tmp_path):
    result = CliRunner().invoke(app, ["study", str(tmp_path / "none.toml")])
    assert result.exit_code == 1
    assert "error: there is no file" in result.output
    result = CliRunner().invoke(app, ["study", str(write(SITES.replace("psi = 0.6", "psi = 1.6")))])
    assert result.exit_code == 1
    assert "psi = 1.6 is outside its range" in result.output
