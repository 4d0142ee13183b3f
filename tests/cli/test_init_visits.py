"""`leopardpop init` and `check` on tables of visits to sites."""

import tomllib

import pytest
from typer.testing import CliRunner

import leopardpop as lp
from leopardpop.cli.analysis import read_analysis
from leopardpop.cli.app import app
from leopardpop.cli.check import check_source
from leopardpop.cli.init import write_analysis
from leopardpop.cli.run import read_inputs

Y = "site,v1,v2,v3,forest\na,0,1,NA,0.2\nb,0,0,1,0.4\nc,0,0,0,0.9\n"
CASES = {
    "unmarked": (
        {"y": "site,y.1,y.2,forest\na,0,1,0.2\nb,0,0,0.5\n"},
        {"reader": "unmarked", "path": "y.csv"},
        "Occupancy",
    ),
    "wide": ({"seen": Y}, {"reader": "tables", "y": "seen.csv", "visits": ["v1", "v2", "v3"]}, "Occupancy"),
    "states": ({"y": Y.replace("0,1,NA", "0,2,NA")}, {"response": "state"}, "MultistateOccupancy"),
    "counts": ({"y": Y.replace("0,1,NA", "0,7,NA")}, {"response": "count"}, "NMixture"),
    "effort": (
        {"y": Y, "camera_days": "v1,v2,v3\n7,7,0\n7,6,7\n5,7,7\n"},
        {"visit_covariates": {"effort": "camera_days.csv"}},
        "Occupancy",
    ),
    "covariates": (
        {"y": Y, "wind": "site,w1,w2,w3\na,2,1,NA\nb,3,1,2\nc,1,1,1\n", "sites": "site,snow\na,1\nb,2.5\nc,0\n"},
        {"visit_covariates": {"wind": "wind.csv"}, "sites": "sites.csv"},
        "Occupancy",
    ),
    "seasons": (
        {"y": "site,A1,A2,B1,B2\na,0,1,0,0\nb,0,0,1,0\nc,0,0,0,0\n"},
        {"seasons": 2, "visits": ["A1", "A2", "B1", "B2"]},
        "DynamicOccupancy",
    ),
    "other labels": (
        {"y": Y.replace("site", "Trap").replace("forest", "Site").replace("0.4", "0.2")},
        {"columns": {"y": {"Trap": "site", "Site": "area"}}},
        "Occupancy",
    ),
}


def write(folder, tables):
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_the_whole_way(tmp_path, monkeypatch, case):
    tables, expected, family = CASES[case]
    monkeypatch.chdir(tmp_path)
    before = check_source(write(tmp_path, tables))
    assert before.counts["must fix"] == 0, before.found
    analysis = tomllib.loads(write_analysis(tmp_path).read_text(encoding="utf-8"))
    assert {key: analysis["data"].get(key) for key in expected} == expected
    assert analysis["models"]["null"]["family"] == family
    inputs = read_inputs(read_analysis(tmp_path / "analysis.toml"), lambda step: None)
    assert isinstance(inputs.history, lp.DetectionHistory)
    after = check_source(tmp_path / "analysis.toml")
    assert after.record["history"] == before.record["history"]
    assert after.record["history"].startswith(f"{inputs.history.n_sites} sites, ")


def test_what_check_says_of_visits(tmp_path):
    write(tmp_path, {"y": Y})
    result = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "detection history" in result.output
    assert "3 sites, 8 visits, 2 detections, detected at 2 sites" in result.output
    assert "in which you choose response, seasons, models" in " ".join(result.output.split())


def test_a_survey_for_occupancy_is_checked(tmp_path):
    (tmp_path / "analysis.toml").write_text(
        'leopardpop = 1\n[data]\nreader = "example"\nname = "amur_leopard"\nspecies = "Panthera pardus"\n'
        'start = 2024-02-01\nend = 2024-05-02\noccasion = "7D"\n[models.null]\nfamily = "Occupancy"\n'
    )
    checked = check_source(tmp_path / "analysis.toml")
    assert checked.record["history"].startswith(f"{len(checked.survey.stations)} sites, ")


def test_what_is_not_told_apart_is_refused(tmp_path):
    """Rows without any label may be animals; effort alone is no detection."""
    (tmp_path / "h.csv").write_text("occ1,occ2\n1,0\n0,1\n")
    (tmp_path / "usage.csv").write_text("trap,1,2\na,0,2\nb,2,2\n")
    with pytest.raises(lp.errors.DataError, match=r"and visits \(a row a site, a column a visit"):
        write_analysis(tmp_path)


@pytest.mark.parametrize("name", ["weta", "amazon-ocelot-occupancy", "frogs_pcru", "grandskinks", "salamanders"])
def test_real_tables_of_visits(shared, name):
    checked = check_source(shared / "data" / name)
    assert checked.exit_code < 2
    assert isinstance(checked.history, lp.DetectionHistory)
