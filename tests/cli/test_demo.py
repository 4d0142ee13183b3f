import re

import pandas as pd
import pytest
from typer.testing import CliRunner

import leopardpop as lp
from leopardpop.cli.app import app

FILES = {
    "report.html",
    "population.csv",
    "summary.csv",
    "density.png",
    "population.png",
    "fit.nc",
    "analysis.toml",
    "audit.csv",
}


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "leopardpop-demo"


@pytest.fixture(scope="module")
def demo(folder):
    result = invoke("demo", "--folder", folder)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_says_first_that_it_is_synthetic(demo):
    assert demo.startswith("leopardpop 0.1.0 demo: the bundled, synthetic Amur leopard survey (seed 1; ")


def test_it_writes_the_files_it_names(demo, folder):
    assert {path.name for path in folder.iterdir()} == FILES
    assert all(name in demo for name in FILES)


def test_the_numbers_are_those_of_the_files(demo, folder):
    population = pd.read_csv(folder / "population.csv").set_index(["quantity", "sex"])
    row = population.loc[("realised", "all")]
    text = f"{row['median']:.0f}   (95 %: {row['eti95_lb']:.0f} to {row['eti95_ub']:.0f})"
    assert re.search(rf"Leopards in the habitat +{re.escape(text)} +the survey was simulated with 45", demo)
    sigma = pd.read_csv(folder / "summary.csv").set_index("parameter")["median"] / 1000
    assert f"{sigma['sigma[F]']:.1f} km" in demo
    assert f"{sigma['sigma[M]']:.1f} km" in demo


def test_the_records_add_up(demo, folder):
    total, kept, merged, dropped = map(
        int, re.search(r"(\d+) leopard records = (\d+) kept \+ (\d+) merged \+ (\d+) dropped", demo).groups()
    )
    assert total == kept + merged + dropped == len(pd.read_csv(folder / "audit.csv"))
    reasons = re.search(r"dropped \(([^)]*)\)", demo)[1]
    assert sum(map(int, re.findall(r"\d+", reasons))) == dropped


@pytest.mark.verification
def test_another_seed_is_another_survey(demo, folder, tmp_path):
    other = invoke("demo", "--seed", 2, "--folder", tmp_path / "other")
    assert other.exit_code == 0
    first, second = (pd.read_csv(path / "summary.csv")["mean"] for path in (folder, tmp_path / "other"))
    assert not first.equals(second)


@pytest.mark.verification
def test_its_file_makes_the_same_numbers(demo, folder, tmp_path):
    (tmp_path / "analysis.toml").write_bytes((folder / "analysis.toml").read_bytes())
    assert invoke("fit", tmp_path / "analysis.toml").exit_code == 0
    first, second = (pd.read_csv(path / "summary.csv") for path in (folder, tmp_path / "results"))
    pd.testing.assert_frame_equal(first, second)


def test_it_does_not_write_into_a_folder_of_something_else(tmp_path):
    (tmp_path / "thesis.doc").touch()
    result = invoke("demo", "--folder", tmp_path)
    assert result.exit_code == 1
    assert "was not written by leopardpop" in result.output


@pytest.mark.verification
@pytest.mark.filterwarnings("ignore::leopardpop.errors.LeopardpopWarning")
def test_over_its_seeds_the_answer_is_right_on_average_and_wide():
    """What the documentation says of the bundled survey, on the page about N."""
    medians, chances, held = [], [], 0
    for seed in range(1, 21):
        population, truth = population_of(seed)
        low, middle, high = population.realised.sum("sex").quantile([0.025, 0.5, 0.975]).values
        medians.append(middle)
        chances.append(population.probability(30, 50))
        held += low <= truth <= high
    assert held >= 17  # of 20; fewer has a probability below 2 % at a coverage of 95 %
    assert abs(sum(medians) / 20 - 45) < 4  # the standard error of this mean is 1.7
    assert min(chances) < 0.2
    assert max(chances) > 0.8


def population_of(seed):
    survey = lp.load_example("amur_leopard", seed=seed)
    history = survey.capture_history(
        species="Panthera pardus", start="2024-02-01", end="2024-05-02", occasion="7D", flank="left"
    )
    mask = lp.Mask.around(history, buffer=60_000, spacing=3_000, habitat=survey.layers["habitat"])
    mask = mask.with_covariates(snow=survey.layers["snow"])
    model = lp.SCR(density="~ snow", detection=lp.HalfNormal(lambda0="~ sex", sigma="~ sex"), classes="sex")
    return model.fit(history, mask, seed=1).population(), survey.truth.N
