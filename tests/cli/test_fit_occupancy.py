"""`leopardpop fit` on occupancy models: from tables to numbers, the same analysis as Python, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import leopardpop as lp
from leopardpop.cli.app import app

TEXT = """
title = "Where are they?"
[data]
reader = "tables"
y = "y.csv"
sites = "sites.csv"
visit_covariates = { wind = "wind.csv" }
seasons = 3
[models.plain]
family = "DynamicOccupancy"
[models.snow]
family = "DynamicOccupancy"
gamma = "~ snow"
p = "~ wind"
[priors]
"gamma[snow]" = { Normal = { mu = 0, sigma = 0.5 } }
[fit]
engine = "laplace"
draws = 100
seed = 1
[occupancy]
decline = 0.2
"""


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("occupancy")
    rng = np.random.default_rng(1)
    names = [f"s{i}" for i in range(60)]
    sites = pd.DataFrame({"site": names, "snow": rng.normal(10, 3, 60)})
    wide = pd.DataFrame(np.ones((60, 9))).assign(site=names)
    wind = pd.DataFrame(rng.normal(size=(60, 9))).assign(site=names)
    design = lp.DetectionHistory.from_tables(wide, sites, visit_covariates={"wind": wind}, seasons=3)
    truth = {"psi": 0.6, "gamma": 0.2, "epsilon": 0.3, "p": 0.5}
    sim = lp.DynamicOccupancy().simulate(design, parameters=truth, seed=1).history
    y = sim.dataset["y"].values.reshape(60, 9)
    pd.DataFrame(y.astype(int)).assign(site=names).to_csv(place / "y.csv", index=False)
    sites.to_csv(place / "sites.csv", index=False)
    wind.to_csv(place / "wind.csv", index=False)
    (place / "analysis.toml").write_text(TEXT, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def run(folder):
    result = invoke("fit", folder / "analysis.toml")
    assert result.exit_code == 0, result.output
    return result


def test_output(run, folder):
    assert "P(used sites fell by more than 20 %, first season to last)" in run.output
    assert "Models by AICc" in run.output
    results = folder / "results"
    assert {path.name for path in (results / "snow").iterdir()} == {"fit.nc", "states.png", "report.html"}
    report = (results / "snow" / "report.html").read_text(encoding="utf-8")
    assert "Where are they?" in report
    assert "fell by more than 20 %" in report
    states = pd.read_csv(results / "occupancy.csv").set_index(["model", "quantity"])
    assert {"pao[1]", "turnover[3]", "equilibrium"} <= set(states.loc["plain"].index)
    fit = lp.load_fit(results / "plain" / "fit.nc")
    assert states.loc[("plain", "pao[1]"), "mean"] == pytest.approx(float(fit.occupancy().pao.sel(season="1").mean()))
    assert not (results / "population.csv").exists()
    assert {"summary.csv", "diagnostics.csv", "comparison.csv", "audit.csv"} <= {p.name for p in results.iterdir()}
    table = pd.read_csv(results / "summary.csv").set_index(["model", "parameter"])
    assert ("snow", "gamma[snow]") in table.index


def test_the_script_does_the_same(run, folder, monkeypatch, capsys):
    result = invoke("fit", folder / "analysis.toml", "--script")
    assert "mask" not in result.output
    assert "lp.DetectionHistory.from_tables(" in result.output
    assert "states[name].decline(0.2)" in result.output
    monkeypatch.chdir(folder)
    scope: dict[str, object] = {}
    exec(compile(result.output, "script", "exec"), scope)
    saved = lp.load_fit(folder / "results" / "plain" / "fit.nc")
    assert scope["fits"]["plain"].posterior.equals(saved.posterior)
    assert "turnover" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[priors]", "[mask]\nbuffer = 3\n[priors]", "has no section [mask]"),
        ("[occupancy]\ndecline = 0.2", "[population]\nprobability = [1, 2]", "has no section [population]"),
        ("decline = 0.2", "decline = 20", "give a share, such as 0.2"),
        ("decline = 0.2", "declin = 0.2", "Did you mean 'decline'"),
        ('gamma = "~ snow"', 'gama = "~ snow"', "Did you mean 'gamma'"),
        ('[models.snow]\nfamily = "DynamicOccupancy"', '[models.snow]\nfamily = "SCR"', "a file of its own"),
        ('family = "DynamicOccupancy"\ngamma', 'family = "DynamicOcupancy"\ngamma', "Did you mean 'DynamicOccupancy'"),
        ('reader = "tables"', 'reader = "secr"', "unknown reader 'secr'"),
        ("seasons = 3", "sesons = 3", "Did you mean 'seasons'"),
    ],
)
def test_refusals(folder, tmp_path, old, new, message):
    assert old in TEXT
    path = tmp_path / "analysis.toml"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")
    result = invoke("fit", path)
    assert result.exit_code != 0
    assert message in " ".join(result.output.split())


def test_scr_has_no_section_occupancy(tmp_path):
    path = tmp_path / "analysis.toml"
    path.write_text("[data]\nreader = 'tables'\n[mask]\nbuffer = 1\n[occupancy]\ndecline = 0.1\n", encoding="utf-8")
    assert "SCR has no section [occupancy]" in " ".join(invoke("fit", path).output.split())


@pytest.mark.verification
def test_models_with_random_effects_are_fitted_and_not_compared_by_aicc(folder, tmp_path):
    text = '[data]\nreader = "tables"\ny = "y.csv"\nsites = "sites.csv"\nseasons = 3\n'
    text += '[models.a]\nfamily = "DynamicOccupancy"\n[models.b]\nfamily = "DynamicOccupancy"\np = "~ (1 | season)"\n'
    text += '[fit]\nengine = "laplace"\ndraws = 50\nseed = 1\n'
    for name in ("y.csv", "sites.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "analysis.toml").write_text(text, encoding="utf-8")
    result = invoke("fit", tmp_path / "analysis.toml")
    assert "Models by AICc" not in result.output
    assert "(1 | season) of p has 3 groups" in result.output


def test_from_a_survey(tmp_path):
    text = """
[data]
reader = "example"
name = "amur_leopard"
seed = 1
occasion = "14D"
response = "state"
species = "Panthera pardus"
[models.states]
family = "MultistateOccupancy"
[fit]
engine = "laplace"
draws = 50
seed = 1
"""
    (tmp_path / "analysis.toml").write_text(text, encoding="utf-8")
    result = invoke("fit", tmp_path / "analysis.toml")
    assert (tmp_path / "results" / "states.png").exists(), result.output
    assert "A breeding site is not a breeding female" in " ".join(result.output.split())


def test_models_in_notebooks():
    html = lp.MultistateOccupancy(psi="~ a + (1 | b)", parametrisation="multinomial")._repr_html_()
    assert "<caption>MultistateOccupancy</caption>" in html
    assert "~ a + (1 | b)" in html
    assert "multinomial" in html
    assert "&lt;" in lp.Occupancy(psi="~ I(a < 3)")._repr_html_()
    assert "chosen: psi" in lp.Occupancy(priors={"psi": lp.Prior("Beta", alpha=1, beta=1)})._repr_html_()


def test_a_spatial_effect(tmp_path):
    """Through analysis.toml, with a prior of its own, beside another model: neither has estimates to compare."""
    rng = np.random.default_rng(2)
    names = [f"s{i}" for i in range(49)]
    xy = 2000.0 * np.array([(i % 7, i // 7) for i in range(49)]) + [500_000, 4_800_000]
    pd.DataFrame({"site": names, "x": xy[:, 0], "y": xy[:, 1]}).to_csv(tmp_path / "sites.csv", index=False)
    pd.DataFrame(rng.integers(0, 2, (49, 4))).assign(site=names).to_csv(tmp_path / "y.csv", index=False)
    text = """
[data]
reader = "tables"
y = "y.csv"
sites = "sites.csv"
crs = "EPSG:32652"
[models.plain]
family = "Occupancy"
[models.surface]
family = "Occupancy"
psi = "~ gp(x, y, functions=12)"
[priors]
psi_length_gp = { InverseGamma = { alpha = 4, beta = 20 } }
[fit]
engine = "laplace"
draws = 100
seed = 1
[output]
checks = false
"""
    (tmp_path / "analysis.toml").write_text(text, encoding="utf-8")
    result = invoke("fit", tmp_path / "analysis.toml")
    assert result.exit_code == 0, result.output
    summary = pd.read_csv(tmp_path / "results" / "summary.csv").set_index(["model", "parameter"])
    assert {"psi_sd_gp", "psi_length_gp"} <= set(summary.loc["surface"].index)
    assert "alpha=4" in (tmp_path / "results" / "surface" / "report.html").read_text(encoding="utf-8")


def test_a_community_of_species(tmp_path):
    """A table a species; what each has of its own is written, and read back by the script."""
    names, species = [f"s{i}" for i in range(30)], [f"cat {k}" for k in range(6)]
    looked = pd.DataFrame(np.ones((30, 4))).assign(site=names)
    design = lp.DetectionHistory.from_tables(dict.fromkeys(species, looked))
    truth = {"psi": 0.5, "p": 0.4, "psi_sd_species": 1.0, "p_sd_species": 0.3}
    y = lp.CommunityOccupancy().simulate(design, parameters=truth, seed=1).history.dataset["y"].values
    lines = []
    for k, name in enumerate(species):
        pd.DataFrame(y[k].reshape(30, 4).astype(int)).assign(site=names).to_csv(tmp_path / f"{k}.csv", index=False)
        lines.append(f'"{name}" = "{k}.csv"')
    text = '[data]\nreader = "tables"\n[data.y]\n' + "\n".join(lines)
    text += '\n[models.all]\nfamily = "CommunityOccupancy"\n[fit]\ndraws = 250\nseed = 1\n'
    (tmp_path / "analysis.toml").write_text(text, encoding="utf-8")
    result = invoke("fit", tmp_path / "analysis.toml")
    assert result.exit_code == 0, result.output
    written = pd.read_csv(tmp_path / "results" / "species.csv").set_index("species")
    fit = lp.load_fit(tmp_path / "results" / "fit.nc")
    pd.testing.assert_series_equal(written["psi"], fit.species()["psi"])
    assert {"report.html", "species.png"} <= {path.name for path in (tmp_path / "results").iterdir()}
    assert "lp.CommunityOccupancy()" in invoke("fit", tmp_path / "analysis.toml", "--script").output
