"""The scripts in examples/ run as they are, from anywhere, and print what they promise."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import leopardpop as lp

EXAMPLES = Path(__file__).parent.parent / "examples"
SCRIPTS = {
    "from_two_tables.py": "Population: ",
    "how_many_leopards.py": "P(30 <= N <= 50 | data) = ",
    "tables_to_report.py": "Written: ",
    "camtrap_dp_to_occupancy.py": "breeding_sites",
    "several_years.py": "2024 to 2022: ",
    "plan_a_survey.py": "120 stations: P(RSE of N at most 20 %) after 6 weeks ",
}
pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not part of the package")


def run(*command, cwd):
    told = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def test_all_are_listed_and_short():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SCRIPTS)
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 60, path.name


LONG = ("plan_a_survey.py", "tables_to_report.py", "several_years.py", "how_many_leopards.py")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.verification if name in LONG else ()) for name in SCRIPTS]
)
def test_scripts(tmp_path, monkeypatch, name):
    paths = [str(EXAMPLES.parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in paths if path))
    told = run(sys.executable, EXAMPLES / name, cwd=tmp_path)
    assert SCRIPTS[name] in told
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {
        "how_many_leopards.py": {"report.html"},
        "tables_to_report.py": {"report.html", "fit.nc"},
    }.get(name, set())


def test_the_tables_are_those_of_the_bundled_survey():
    survey = lp.load_example("amur_leopard", seed=1)
    history = survey.capture_history(
        species="Panthera pardus", start="2024-02-01", end="2024-05-02", occasion="7D", flank="left"
    )
    again = lp.CaptureHistory.from_tables(
        captures=EXAMPLES / "survey" / "captures.csv",
        stations=EXAMPLES / "survey" / "stations.csv",
        effort=EXAMPLES / "survey" / "effort.csv",
        individuals=EXAMPLES / "survey" / "individuals.csv",
        effort_unit="day",
    )
    columns = ["individual", "station", "occasion", "count"]
    pd.testing.assert_frame_equal(again.detections[columns], history.detections[columns])
    assert again.individuals["sex"].tolist() == history.individuals["sex"].tolist()
    assert abs(again.dataset["effort"].values - history.dataset["effort"].values).max() < 1e-3


@pytest.mark.verification
def test_the_analysis_file(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES.parent))
    shutil.copytree(EXAMPLES / "survey", tmp_path / "survey")
    analysis = tmp_path / "survey" / "analysis.toml"
    text = analysis.read_text(encoding="utf-8")
    assert "checks = true" in text
    analysis.write_text(text.replace("checks = true", "checks = false"), encoding="utf-8")  # tested elsewhere, and slow
    told = run(sys.executable, "-m", "leopardpop", "fit", "survey/analysis.toml", cwd=tmp_path)
    assert "AICc" in told
    assert {"report.html"} <= {path.name for path in (tmp_path / "survey" / "results" / "sex").iterdir()}
