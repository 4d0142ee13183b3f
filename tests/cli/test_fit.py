"""`leopardpop fit` on the example of the documentation, from the file to the numbers."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from leopardpop.cli.app import app
from leopardpop.results.fit import Fit

PAGE = Path(__file__).parents[2] / "docs" / "analysis-toml.md"
PER_100_KM2 = 100.0


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def example(shared, tmp_path_factory):
    """The folder of the example survey, with the analysis.toml that the documentation shows."""
    if not PAGE.exists():
        pytest.skip("the documentation is not part of the wheel")
    folder = tmp_path_factory.mktemp("example")
    for path in (shared / "data" / "snow-leopard-workflow-example").glob("*.csv"):
        shutil.copy(path, folder)
    text = PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    (folder / "analysis.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(example):
    """One run of it."""
    result = invoke("fit", example / "analysis.toml")
    assert result.exit_code == 0, result.output
    return result


def read(example, name):
    return pd.read_csv(example / "results" / name, keep_default_na=False, na_values=[""])  # "null" is a name


def test_the_null_model_is_the_published_one(run, example):
    table = read(example, "estimates.csv").set_index(["model", "parameter"]).loc["null"]
    assert table.loc["D", "estimate"] * PER_100_KM2 == pytest.approx(0.347878159910296, rel=1e-4)
    assert table.loc["D", "lower"] * PER_100_KM2 == pytest.approx(0.226922047897947, rel=2e-3)
    assert table.loc["D", "upper"] * PER_100_KM2 == pytest.approx(0.533307429858022, rel=2e-3)
    assert table.loc["lambda0", "estimate"] == pytest.approx(0.01173, abs=5e-6)
    assert table.loc["sigma", "estimate"] == pytest.approx(6292, abs=0.5)


def test_the_effects_of_covariates_are_in_the_tables(run, example):
    estimates = read(example, "estimates.csv").set_index(["model", "parameter"])
    own = estimates.loc[("elevation", "D[std_elev]")]
    assert own["unit"] == "log scale"
    assert own["lower"] < own["estimate"] < own["upper"]
    assert ("elevation", "D[std_elev]") in read(example, "summary.csv").set_index(["model", "parameter"]).index
    assert re.search(r"D\[std_elev\] +\S+ \(.* to .*\) log scale", run.output)


def test_the_models_have_the_published_order(run, example):
    table = read(example, "comparison.csv").set_index("model")
    assert list(table.index) == ["elevation", "null"]
    assert table.loc["null", "delta"] == pytest.approx(14.709, abs=2e-3)
    assert "elevation  AICc" in run.output


def test_the_posterior_stands_beside_it(run, example):
    table = read(example, "summary.csv").set_index(["model", "parameter"])
    assert 0.25 < table.loc[("null", "D"), "mean"] * PER_100_KM2 < 0.45
    assert {"null", "elevation"} == set(read(example, "population.csv")["model"])
    told = read(example, "diagnostics.csv")
    warned = told[~told["verdict"].isin(["ok", "note"])]
    assert warned[["model", "quantity"]].to_numpy().tolist() == [["elevation", "prior shift"]]  # of session 5


@pytest.mark.parametrize("name", ["null", "elevation"])
def test_every_model_has_its_files(run, example, name):
    found = {path.name for path in (example / "results" / name).iterdir()}
    assert found == {"fit.nc", "density.png", "population.png", "detection.png", "survey.png", "report.html"}


def test_the_file_that_made_the_results_is_with_them(run, example):
    assert (example / "results" / "analysis.toml").read_bytes() == (example / "analysis.toml").read_bytes()
    audit = read(example, "audit.csv")
    assert list(audit.columns) == ["source", "line", "action", "reason"]
    assert "number of occasions" in audit["reason"].iloc[0]


def test_what_is_printed_is_what_is_written(run, example):
    table = read(example, "population.csv")
    realised = table[(table["quantity"] == "realised") & (table["model"] == "null")].set_index("session")
    for session, row in realised.iterrows():
        assert f"{row['median']:,.0f}" in run.output, session
    assert "P(30 ≤ N ≤ 50)" in run.output
    assert "by the prior alone" in run.output
    assert "fit.nc keeps where the cameras stood" in run.output


def test_a_second_run_needs_overwrite(run, example):
    before = (example / "results" / "summary.csv").stat().st_mtime_ns
    result = invoke("fit", example / "analysis.toml")
    assert result.exit_code == 1
    assert "pass --overwrite" in result.output
    assert "Traceback" not in result.output
    assert (example / "results" / "summary.csv").stat().st_mtime_ns == before


@pytest.mark.filterwarnings("ignore:1 station lies outside the mask:leopardpop.errors.DataWarning")  # it is so
@pytest.mark.filterwarnings("ignore:Moving the prior of 'D:leopardpop.errors.PriorWarning")  # so is this
def test_the_script_runs_and_gives_the_same_numbers(run, example, monkeypatch):
    printed = invoke("fit", example / "analysis.toml", "--script")
    assert printed.exit_code == 0
    monkeypatch.chdir(example)
    namespace = {}
    exec(compile(printed.output, "script", "exec"), namespace)
    written = read(example, "summary.csv").set_index(["model", "parameter"])
    for name, fit in namespace["fits"].items():
        table = fit.summary()
        pd.testing.assert_series_equal(table["mean"], written.loc[name, "mean"], check_names=False, rtol=1e-12)
    estimates = read(example, "estimates.csv").set_index(["model", "parameter"])
    for name, fit in namespace["estimates"].items():
        ours = fit.estimates["estimate"]
        pd.testing.assert_series_equal(ours, estimates.loc[name, "estimate"], check_names=False, rtol=1e-12)


SMALL = """
[data]
reader = "tables"
captures = "captures.csv"
stations = "stations.csv"
occasions = 10
[mask]
buffer = 4000
spacing = 800
[priors]
"D[elevaton]" = { Normal = { mu = 0, sigma = 1 } }
"""


@pytest.fixture
def small(tmp_path):
    """A survey that takes a second."""
    stations = "".join(f"{x}-{y},{x},{y}\n" for x in range(0, 6000, 1500) for y in range(0, 6000, 1500))
    captures = "".join(
        f"F{n},{x}-{y},{n % 10 + 1}\n" for n in range(12) for x, y in ((1500 * (n % 4), 0), (1500 * (n % 3), 1500))
    )
    (tmp_path / "stations.csv").write_text("station,x,y\n" + stations)
    (tmp_path / "captures.csv").write_text("individual,station,occasion\n" + captures)
    return tmp_path


def test_a_prior_that_no_model_has_is_an_error(small):
    (small / "analysis.toml").write_text(SMALL)
    result = invoke("fit", small / "analysis.toml")
    assert result.exit_code == 1
    assert "'D[elevaton]': no model has it" in result.output
    assert not (small / "results").exists()


def test_one_model_writes_one_folder(small):
    (small / "analysis.toml").write_text(SMALL.split("[priors]")[0])
    result = invoke("fit", small / "analysis.toml")
    assert result.exit_code == 0, result.output
    names = {path.name for path in (small / "results").iterdir()}
    assert {"fit.nc", "density.png", "report.html", "summary.csv", "population.csv"} <= names
    assert "estimates.csv" not in names
    assert "AICc" not in result.output
    assert "Medians with 95 % intervals." in result.output
    assert re.search(r"ok     \d+ checks passed: .*raw draws", result.output), "what is well is not taken for a fault"
    assert not re.search(r" +$", result.output, flags=re.MULTILINE)


@pytest.mark.verification
def test_overwriting_leaves_nothing_of_the_earlier_run_and_all_else(small):
    (small / "analysis.toml").write_text(
        SMALL.split("[priors]")[0] + "[models.a]\n[models.b]\ndetection = { Exponential = {} }\n"
    )
    assert invoke("fit", small / "analysis.toml").exit_code == 0
    assert (small / "results" / "b" / "fit.nc").exists()
    (small / "results" / "notes.txt").write_text("mine")
    (small / "analysis.toml").write_text(SMALL.split("[priors]")[0])
    assert invoke("fit", small / "analysis.toml", "--overwrite").exit_code == 0
    names = {str(path.relative_to(small / "results")) for path in (small / "results").rglob("*") if path.is_file()}
    tables = {"summary.csv", "population.csv", "diagnostics.csv", "checks.csv", "audit.csv", "analysis.toml"}
    pictures = {"survey.png", "detection.png", "density.png", "population.png", "report.html"}
    assert names == tables | pictures | {"fit.nc", "notes.txt"}


@pytest.mark.verification
def test_what_n_hangs_on_is_written_if_it_is_asked_for(small):
    (small / "analysis.toml").write_text(SMALL.split("[priors]")[0] + "[output]\nsensitivity = true\n")
    assert invoke("fit", small / "analysis.toml").exit_code == 0
    table = pd.read_csv(small / "results" / "sensitivity.csv")
    assert {"model", "kind", "change", "percent", "verdict"} <= set(table.columns)
    assert {"prior", "animal", "station", "buffer"} <= set(table["kind"])


def test_a_fit_that_is_not_trusted_is_written_and_has_its_own_exit_code(small, monkeypatch):
    monkeypatch.setattr(Fit, "trusted", property(lambda self: False))
    (small / "analysis.toml").write_text(SMALL.split("[priors]")[0] + '[fit]\nengine = "laplace"\n')
    assert invoke("fit", small / "analysis.toml").exit_code == 3
    assert (small / "results" / "fit.nc").exists()


def test_an_error_of_the_data_is_a_sentence(small):
    (small / "analysis.toml").write_text(SMALL.split("[priors]")[0].replace("stations.csv", "station.csv"))
    result = invoke("fit", small / "analysis.toml")
    assert result.exit_code == 1
    assert result.output.startswith("error: ")
    assert "Traceback" not in result.output


@pytest.mark.verification
def test_a_fence_is_a_file_beside_the_analysis(small):
    import geopandas
    import shapely

    fence = shapely.LineString([(-20_000, 2_250), (20_000, 2_250)])
    geopandas.GeoDataFrame(geometry=[fence], crs="EPSG:32652").to_file(small / "fence.gpkg")
    text = SMALL.split("[priors]")[0]
    section = "[models.fence]\ndistance = { LeastCost = { barriers = 'fence.gpkg' } }\n"
    (small / "analysis.toml").write_text(text + section)
    script = invoke("fit", small / "analysis.toml", "--script")
    assert re.search(r"distance=lp\.LeastCost\(barriers=.*fence\.gpkg", script.output)
    result = invoke("fit", small / "analysis.toml")
    assert result.exit_code == 0, result.output
    (small / "analysis.toml").write_text(text + section.replace("barriers", "barrier"))
    refused = invoke("fit", small / "analysis.toml", "--overwrite")
    assert "unknown key 'barrier'. Did you mean 'barriers'" in refused.output


@pytest.mark.parametrize("detections", [0, pytest.param(1, marks=pytest.mark.verification)])
def test_a_posterior_is_written_where_the_likelihood_has_no_maximum(small, detections):
    captures = small / "captures.csv"
    rows = ["individual,station,occasion", "F1,0-0,1", "F1,0-0,2"]
    captures.write_text("\n".join(rows[: 1 + detections]) + "\n")
    models = "[models.a]\n[models.b]\ndetection = { Exponential = {} }\n"
    (small / "analysis.toml").write_text(SMALL.split("[priors]")[0] + models)
    result = invoke("fit", small / "analysis.toml")
    assert result.exit_code in (0, 3), result.output
    assert result.output.count("No estimates by maximum likelihood: ") == 2
    assert "The models are not compared by AICc: a and b have no maximum." in result.output
    assert (small / "results" / "b" / "fit.nc").exists()
    assert not (small / "results" / "estimates.csv").exists()


def test_a_likelihood_that_is_all_but_flat_has_estimates_without_an_end(small):
    (small / "captures.csv").write_text("individual,station,occasion\nF1,0-0,1\nF1,0-0,2\n")
    (small / "analysis.toml").write_text(SMALL.split("[priors]")[0] + "[fit]\nmaximum_likelihood = true\n")
    result = invoke("fit", small / "analysis.toml")
    assert result.exit_code in (0, 3), result.output
    assert (small / "results" / "fit.nc").exists()


@pytest.mark.parametrize("given", ["[50, 30]", "[-1, 3]", "[true, 2]", '["30", "50"]', "[30]"])
def test_a_range_that_is_none_is_refused_before_the_fits(small, given):
    (small / "analysis.toml").write_text(SMALL.split("[priors]")[0] + f"[population]\nprobability = {given}\n")
    result = invoke("fit", small / "analysis.toml")
    assert result.exit_code == 1
    assert "line 11, [population]: give two numbers from the smaller to the larger" in result.output
    assert not (small / "results").exists()
