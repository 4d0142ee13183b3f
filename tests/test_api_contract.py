"""The public interface line by line, on a survey of a few stations: every documented call runs and gives what it says.

Arguments stand here as the documentation writes them, names and order included, so that a renamed argument, column,
dimension or row breaks a test and not a user's script.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

import leopardpop as lp

WEST, SOUTH, GAP = 512_000.0, 4_812_000.0, 1_600.0
TRUTH = {"D": 0.7, "lambda0": 0.25, "sigma": 1_000.0}
BY_SEX = TRUTH | {"sigma[sex[M]]": 0.15, "pmix": 0.4}
SIZE: dict[str, Any] = {"draws": 250, "chains": 4, "seed": 1}
DRAWN = {"chain", "draw"}


def snow(x: Any, y: Any) -> Any:
    return (x - WEST) / 1000 + (y - SOUTH) / 3000


@cache
def stations(*sessions: str) -> pd.DataFrame:
    """Four by four stations; one column more if there are sessions."""
    rows = [(f"L{i}{j}", WEST + GAP * i, SOUTH + GAP * j, 30.0, 5.0 * i + j) for i in range(4) for j in range(4)]
    table = pd.DataFrame(rows, columns=["station", "x", "y", "days", "river"])
    return pd.concat([table.assign(session=s) for s in sessions], ignore_index=True) if sessions else table


@cache
def design(*sessions: str) -> lp.CaptureHistory:
    return lp.CaptureHistory.from_tables(None, stations(*sessions), effort=None, occasions=6, effort_unit="day")


@cache
def mask() -> lp.Mask:
    return lp.Mask.around(design(), buffer=5_000, spacing=900).with_covariates(snow=snow)


def model_of(kind: str) -> lp.SCR:
    if kind == "null":
        return lp.SCR()
    return lp.SCR(density="~ snow", detection=lp.HalfNormal(lambda0="~ 1", sigma="~ sex"), classes="sex")


@cache
def history_of(kind: str) -> lp.CaptureHistory:
    parameters = TRUTH if kind == "null" else BY_SEX
    return model_of(kind).simulate(design(), mask(), parameters=parameters, seed=1).history


@cache
def fit_of(kind: str) -> lp.Fit:
    return model_of(kind).fit(history_of(kind), mask(), **SIZE)


@cache
def reserves() -> Any:
    import geopandas

    halves = [
        shapely.box(WEST - 6_000, SOUTH - 6_000, WEST + 2_400, SOUTH + 12_000),
        shapely.box(WEST + 2_400, SOUTH - 6_000, WEST + 12_000, SOUTH + 12_000),
    ]
    return geopandas.GeoDataFrame({"name": ["west", "east"]}, geometry=halves, crs="EPSG:32652")


# -- 1 Data -----------------------------------------------------------------------------------------------------------
CAPTURES = pd.DataFrame(
    {
        "ID": ["F1", "F1", "M1", "F1", "M2"],
        "station": ["L00", "L01", "L01", "L00", "L22"],
        "occasion": [1, 2, 2, 1, 3],
        "session": ["2022", "2022", "2022", "2023", "2023"],
    }
)
SEXES = pd.DataFrame({"individual": ["F1", "M1", "M2"], "sex": ["F", "M", None]})


@pytest.fixture
def two_years() -> lp.CaptureHistory:
    return lp.CaptureHistory.from_tables(
        captures=CAPTURES,
        stations=stations("2022", "2023"),
        effort=None,
        individuals=SEXES,
        detector="proximity",
        occasions=3,
        effort_unit=None,
        columns={"captures": {"ID": "individual"}},
    )


def test_detection_history_of_a_survey():
    survey = lp.load_example("amur_leopard", seed=1)
    visits = survey.detection_history(
        species="Panthera pardus",
        occasion="14D",
        seasons={"early": ("2024-02-01", "2024-03-14"), "late": ("2024-03-14", "2024-05-02")},
        sites="station",
        response="state",
    )
    assert isinstance(visits, lp.DetectionHistory)
    assert dict(visits.dataset.sizes) == {"site": 120, "season": 2, "visit": 4}
    assert set(np.unique(visits.dataset["y"].to_series().dropna())) == {0, 1, 2}


def test_from_tables(two_years):
    assert two_years.sessions == ("2022", "2023")
    assert two_years.effort_unit == "occasion"
    assert two_years["2022"].n_individuals == 2
    counts = (two_years.n_individuals, two_years.n_detections, two_years.n_recaptures, two_years.n_spatial_recaptures)
    assert counts == (4, 5, 1, 1)
    assert two_years.to_array("2022").dims == ("individual", "station", "occasion")
    assert int(two_years.to_array("2022").sum()) == 3


def test_long_tables_of_a_history(two_years):
    assert {"session", "individual", "sex"} <= set(two_years.individuals.columns)
    assert {"session", "station", "x", "y", "river"} <= set(two_years.stations.columns)
    assert {"session", "individual", "station", "occasion", "count"} <= set(two_years.detections.columns)
    assert {"session", "station", "occasion", "effort"} <= set(two_years.effort.columns)
    assert two_years.stations["station"].map(type).eq(str).all()


def test_dataset_of_a_history(two_years):
    dataset = two_years.dataset
    assert {"individual", "station", "occasion", "detection"} <= set(dataset.dims)
    assert "session" in dataset.coords
    assert dataset["individual"].values.tolist()[0] == "2022/F1"
    assert dataset["animal"].values.tolist()[0] == "F1"


def test_from_tables_by_path_and_by_session(two_years, tmp_path):
    CAPTURES.to_csv(tmp_path / "captures.csv", index=False)
    stations("2022", "2023").to_csv(tmp_path / "stations.csv", index=False)
    SEXES.to_csv(tmp_path / "individuals.csv", index=False)
    options = {"occasions": 3, "columns": {"captures": {"ID": "individual"}}}
    files = lp.CaptureHistory.from_tables(
        tmp_path / "captures.csv", str(tmp_path / "stations.csv"), individuals=tmp_path / "individuals.csv", **options
    )
    by_session = lp.CaptureHistory.from_tables(
        {s: rows.drop(columns="session") for s, rows in CAPTURES.groupby("session")},
        {"2022": stations(), "2023": stations()},
        individuals=SEXES,
        **options,
    )
    assert files == two_years
    assert by_session == two_years


def test_effort_is_a_wide_table_or_a_column_of_stations():
    wide = stations()[["station"]].assign(**{"1": 30.0, "2": 30.0})
    table = lp.CaptureHistory.from_tables(None, stations(), effort=wide, effort_unit="day")
    column = lp.CaptureHistory.from_tables(None, stations(), effort="days", occasions=2, effort_unit="day")
    assert table.effort.equals(column.effort)
    assert table.effort["effort"].sum() == 16 * 60


def test_secr_files_and_back(tmp_path):
    (tmp_path / "captures.txt").write_text("1 F1 1 A\n1 F1 3 B\n1 M1 2 B\n")
    (tmp_path / "traps.txt").write_text("A 512000 4812000 111\nB 514000 4812500 011\n")
    files = tmp_path / "captures.txt", tmp_path / "traps.txt"
    history = lp.read_secr(*files, detector="proximity", effort_unit=None)
    folder = history.to_secr(tmp_path / "folder")
    assert lp.read_secr(folder / "captures.txt") == history


def test_masks(tmp_path):
    reserves().iloc[:1].to_file(tmp_path / "habitat.gpkg")
    habitat = str(tmp_path / "habitat.gpkg")
    west = lp.Mask.around(design(), buffer=4_000, spacing=900, habitat=habitat, crs="EPSG:32652")
    assert 0 < west.n_cells < mask().n_cells
    assert west.region is not None
    west.table.drop(columns="area").to_csv(tmp_path / "mask.csv", index=False)
    again = lp.Mask.from_table(tmp_path / "mask.csv", cell_area=0.81)
    pd.testing.assert_frame_equal(again.table, west.table)
    assert set(mask().dataset.dims) == {"cell"}
    assert {"x", "y", "area", "snow"} <= set(mask().table.columns)


def test_covariate_of_a_mask_from_a_raster(tmp_path):
    rasterio = pytest.importorskip("rasterio", reason='the extra "raster" is not installed')
    width = 40
    grid = rasterio.transform.from_origin(WEST - 8_000, SOUTH + 16_000, 600, 600)
    values = np.arange(width * width, dtype="float32").reshape(width, width)
    options = {"driver": "GTiff", "count": 1, "dtype": "float32", "height": width, "width": width}
    with rasterio.open(tmp_path / "snow.tif", "w", transform=grid, crs="EPSG:32652", **options) as file:
        file.write(values, 1)
    bare = lp.Mask.around(design(), buffer=4_000, spacing=900, crs="EPSG:32652")
    found = bare.with_covariates(snow=tmp_path / "snow.tif").table
    row = np.floor((SOUTH + 16_000 - found["y"]) / 600).astype(int)
    column = np.floor((found["x"] - WEST + 8_000) / 600).astype(int)
    assert found["snow"].tolist() == values[row, column].tolist()


def test_the_bundled_survey():
    survey = lp.load_example("amur_leopard", seed=1)
    assert survey.truth is not None
    assert {"habitat", "snow"} <= set(survey.layers)
    assert list(survey.audit.columns) == ["source", "line", "action", "reason"]
    assert {"severity", "where", "found", "fix"} <= set(survey.problems().columns)
    assert {"station", "x", "y"} <= set(survey.stations.columns)
    assert len(survey.deployments) > len(survey.stations)
    assert set(survey.records["sex"].dropna()) == {"F", "M"}
    history = survey.capture_history(
        species="Panthera pardus",
        occasion="7D",
        start="2024-02-01",
        end="2024-05-02",
        detector="proximity",
        occasion_start="12:00",
        cameras="union",
        independence="30min",
        life_stage=("adult", "subadult"),
        flank="left",
        sessions=None,
        on_zero_effort="raise",
    )
    assert history.n_occasions == {"1": 13}
    assert history.effort_unit == "day"


# -- 2 Model ----------------------------------------------------------------------------------------------------------
def test_a_model_is_a_record_of_words():
    model = lp.SCR(
        density="~ snow",
        detection=lp.HalfNormal(lambda0="~ sex", sigma="~ sex"),
        classes="sex",
        distribution="poisson",
        priors=lp.priors.big_cats() | {"D[snow]": lp.Prior("Normal", mu=0, sigma=0.5)},
    )
    assert model == lp.SCR(
        density=lp.LogLinear(D="~ snow"),
        detection=model.detection,
        classes="sex",
        priors=model.priors,
    )
    table = model.parameters(history_of("sex"), mask())
    assert list(table.columns)[:5] == ["name", "coefficient", "link", "unit", "prior"]
    assert table["name"].tolist() == ["D", "D", "lambda0", "lambda0", "sigma", "sigma", "pmix"]
    assert table.set_index(["name", "coefficient"]).loc[("D", "snow"), "prior"] == 'Prior("Normal", mu=0, sigma=0.5)'
    assert dict(zip(table["name"], table["unit"], strict=True)) == {
        "D": "1/km²",
        "lambda0": "1/day",
        "sigma": "m",
        "pmix": "",
    }


@pytest.mark.parametrize(
    ("detection", "names"),
    [
        (lp.HalfNormal(), ["lambda0", "sigma"]),
        (lp.Exponential(), ["lambda0", "sigma"]),
        (lp.HazardRate(z="~ 1"), ["lambda0", "sigma", "z"]),
        (lp.ProbabilityHalfNormal(), ["g0", "sigma"]),
        (lp.ProbabilityExponential(), ["g0", "sigma"]),
        (lp.ProbabilityHazardRate(), ["g0", "sigma", "z"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, lp.DetectionFunction) else "",
)
def test_each_detection_function(detection, names):
    assert [p.name for p in detection.parameters()] == names
    assert lp.SCR(detection=detection).parameters(design(), mask())["name"].tolist() == ["D", *names]
    lp.testing.check_detection(detection)


@pytest.mark.parametrize(
    ("key", "prior"),
    [
        ("sigma", lp.Prior("LogNormal", mu=7, sigma=0.5)),
        ("sigma[sex[M]]", lp.Prior("Normal", mu=0, sigma=0.2)),
        ("N", lp.priors.from_range(30, 50, mass=0.9)),
        ("D", lp.Prior("LogNormal", mu=0, sigma=1)),
    ],
)
def test_keys_of_priors(key, prior):
    model = lp.SCR(density="~ snow", detection=lp.HalfNormal(sigma="~ sex"), classes="sex", priors={key: prior})
    assert repr(prior) in model.parameters(history_of("sex"), mask())["prior"].tolist()


def test_a_prior_may_be_any_object_that_creates_a_variable():
    class Own:
        def create_variable(self, name: str) -> Any:
            import pymc as pm

            return pm.LogNormal(name, np.log(1_300), 0.03)

    table = lp.SCR(priors={"sigma": Own()}).fit(history_of("null"), mask(), **SIZE).summary()
    wider = fit_of("null").summary()
    assert table.loc["sigma", "sd"] < 0.7 * wider.loc["sigma", "sd"]
    assert table.loc["sigma", "mean"] == pytest.approx(1_300, rel=0.05)


def test_log_likelihood_of_named_values():
    model, history = model_of("sex"), history_of("sex")
    natural = model.log_likelihood(history, mask(), parameters=BY_SEX | {"D[snow]": 0.0})
    coefficients = pd.Series(
        {
            "D[Intercept]": np.log(TRUTH["D"]),
            "D[snow]": 0.0,
            "lambda0[Intercept]": np.log(TRUTH["lambda0"]),
            "sigma[Intercept]": np.log(TRUTH["sigma"]),
            "sigma[sex[M]]": 0.15,
            "pmix[M]": np.log(0.4 / 0.6),
        }
    )
    assert isinstance(natural, float)
    assert model.log_likelihood(history, mask(), parameters=coefficients) == pytest.approx(natural, abs=1e-9)


def test_simulate_ignores_the_captures_and_knows_the_truth():
    of_design, of_history = (
        model_of("null").simulate(history, mask(), parameters=TRUTH, seed=1)
        for history in (design(), history_of("null"))
    )
    assert of_design.history == of_history.history
    assert of_design.truth.N.sum() == len(of_design.truth.population) >= of_design.history.n_individuals


# -- 3 Fit ------------------------------------------------------------------------------------------------------------
def test_fit_and_whether_to_trust_it():
    fit = fit_of("sex")
    assert fit.engine == "laplace"
    assert fit.trusted is True
    assert fit.diagnostics().columns.tolist() == ["quantity", "value", "limit", "verdict", "advice"]
    assert isinstance(fit.posterior, xr.Dataset)
    assert isinstance(fit.data_tree, xr.DataTree)
    assert fit.posterior.sizes["chain"] == 4
    assert fit.posterior.sizes["draw"] == 250


def test_the_same_seed_gives_the_same_draws():
    again = model_of("null").fit(history_of("null"), mask(), engine="laplace", **SIZE)
    assert again.posterior.equals(fit_of("null").posterior)


def test_groups_of_the_data_tree():
    tree = fit_of("sex").data_tree
    posterior = tree["posterior"]
    dims = {name: tuple(values.dims[2:]) for name, values in posterior.data_vars.items()}
    assert dims == {
        "D": (),
        "D_beta": ("D_coef",),
        "lambda0": (),
        "lambda0_beta": ("lambda0_coef",),
        "sigma": ("sex",),
        "sigma_beta": ("sigma_coef",),
        "pmix": ("sex",),
        "E_N": ("session",),
        "N": ("session",),
    }
    assert posterior["sigma_coef"].values.tolist() == ["Intercept", "sex[M]"]
    assert posterior["sigma"].attrs["units"] == "m"
    likelihood = tree["log_likelihood"]
    assert likelihood["capture"].dims == ("chain", "draw", "individual")
    assert likelihood["n_detected"].dims == ("chain", "draw", "session")
    assert tree["sample_stats"]["log_weight"].dims == ("chain", "draw")
    assert tree["observed_data"].to_dataset().drop_attrs().equals(history_of("sex").dataset.drop_attrs())
    assert tree["constant_data"].sizes["cell"] == mask().n_cells
    assert len(tree["log_prior"].data_vars) > 0
    recorded = {"seed", "engine", "data_hash", "model_json", "pareto_k", "importance_ess", "effort_unit"}
    assert recorded <= set(tree.attrs)
    assert all(isinstance(value, (str, int, float)) for value in tree.attrs.values())


def test_maximum_likelihood():
    mle = model_of("sex").maximum_likelihood(history_of("sex"), mask())
    assert mle.converged
    assert mle.estimates.index.tolist() == ["D", "D[snow]", "lambda0", "sigma[F]", "sigma[M]", "pmix[F]", "pmix[M]"]
    assert mle.estimates.columns.tolist() == ["estimate", "se", "lower", "upper", "unit"]
    labels = ["D[Intercept]", "D[snow]", "lambda0[Intercept]", "sigma[Intercept]", "sigma[sex[M]]", "pmix[M]"]
    assert mle.coefficients.index.tolist() == labels
    n = history_of("sex").n_individuals
    assert mle.aic == pytest.approx(2 * 6 - 2 * mle.log_likelihood)
    assert mle.aicc == pytest.approx(mle.aic + 2 * 6 * 7 / (n - 7))
    at_maximum = mle.coefficients["estimate"]
    again = model_of("sex").log_likelihood(history_of("sex"), mask(), parameters=at_maximum)
    assert again == pytest.approx(mle.log_likelihood, abs=1e-8)


def test_summary():
    table = fit_of("sex").summary()
    assert table.columns.tolist() == ["mean", "median", "sd", "eti95_lb", "eti95_ub", "ess", "r_hat", "unit"]
    assert {"D", "D[snow]", "lambda0", "sigma[F]", "sigma[M]", "pmix[M]", "E_N", "N"} <= set(table.index)


def test_population(tmp_path):
    fit = fit_of("sex")
    reserves().to_file(tmp_path / "reserves.gpkg")
    with pytest.warns(lp.errors.DataWarning, match="covers"):  # the reserves are larger than the mask
        pop = fit.population(regions=str(tmp_path / "reserves.gpkg"), by="name")
    assert pop.expected.dims == ("chain", "draw", "region", "sex")
    assert pop.realised["region"].values.tolist() == ["west", "east"]
    assert pop.realised.sum(["region", "sex"]).equals(fit.posterior["N"].squeeze("session", drop=True).astype(float))
    probability = pop.probability(0, np.inf)
    assert probability.values.tolist() == [1.0, 1.0]
    assert pop.density(per_km2=100).attrs["units"] == "1/(100 km²)"
    assert {"mean", "median", "sd", "eti95_lb", "eti95_ub", "unit"} <= set(pop.summary().columns)


def test_population_without_regions():
    pop = fit_of("null").population()
    assert set(pop.realised.dims) == DRAWN
    with pytest.raises(lp.errors.ModelError, match="only a buffer"):
        pop.probability(30, 50)


def test_maps():
    surface = fit_of("null").density_surface()
    assert surface["D_mean"].dims == ("cell",)
    assert surface.sizes["cell"] == mask().n_cells
    centres = fit_of("null").activity_centres()
    assert set(centres.dims) == {"individual", "cell"}
    assert centres.sizes["individual"] == history_of("null").n_individuals


def test_predict():
    sigma = fit_of("sex").predict("sigma", pd.DataFrame({"sex": ["F", "M"]}))
    assert sigma.dims == ("chain", "draw", "row")
    assert sigma.attrs["units"] == "m"
    assert sigma.values == pytest.approx(fit_of("sex").posterior["sigma"].values)
    density = fit_of("sex").predict("D", pd.DataFrame({"snow": [0.0, 1.0]}))
    slope = fit_of("sex").posterior["D_beta"].sel(D_coef="snow").values
    assert np.log(density.values[..., 1] / density.values[..., 0]) == pytest.approx(slope)


def test_loo_and_compare():
    null = lp.SCR(classes="sex").fit(history_of("sex"), mask(), **SIZE)
    fits = {"null": null, "sex": fit_of("sex")}
    table = lp.compare(fits)
    assert set(table.index) == set(fits)
    assert float(fits["null"].loo().elpd) == pytest.approx(float(table.loc["null", "elpd"]), rel=0.01)
    maxima = {"null": lp.SCR(classes="sex"), "sex": model_of("sex")}
    by_aicc = lp.compare({name: m.maximum_likelihood(history_of("sex"), mask()) for name, m in maxima.items()})
    assert by_aicc["aicc"].is_monotonic_increasing
    assert by_aicc["weight"].sum() == pytest.approx(1.0)


def test_save_and_load(tmp_path):
    fit = fit_of("sex")
    path = fit.save(tmp_path / "fit.nc")
    again = lp.load_fit(path)
    xr.testing.assert_identical(again.data_tree, fit.data_tree)
    assert again.model == fit.model
    shared = lp.load_fit(fit.save(tmp_path / "shared.nc", coordinates="hidden"))
    assert shared.summary().equals(fit.summary())
    with pytest.raises(lp.errors.ModelError, match="positions were removed"):
        shared.density_surface()


def test_sessions_share_or_have_their_own_density():
    model = lp.SCR(density="~ session")
    history = model.simulate(design("2022", "2023"), {"2022": mask(), "2023": mask()}, parameters=TRUTH, seed=2).history
    fit = model.fit(history, {"2022": mask(), "2023": mask()}, **SIZE)
    assert fit.posterior["D"].dims == ("chain", "draw", "session")
    assert fit.population().realised.dims == ("chain", "draw", "session")
    assert fit.data_tree["log_likelihood"]["individual"].values.tolist()[0].startswith("2022/")


def test_figures():
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    fit, history = fit_of("null"), history_of("null")
    axes = [fit.plot.population(ax=None), fit.plot.density(), fit.plot.detection(), history.plot.map()]
    assert all(np.ravel(each)[0].figure is not None for each in axes)
    pyplot.close("all")


# -- 4 Extend ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Plateau(lp.DetectionFunction):
    """Flat around the centre, then falling with the fourth power of distance inside the exponent."""

    lambda0: str = lp.parameter("~ 1", link="log", unit="1/effort")
    sigma: str = lp.parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2, lambda0, sigma):
        return np.log(lambda0) - 0.25 * (d2 / sigma**2) ** 2


@cache
def plateau() -> lp.Fit:
    model = lp.SCR(detection=Plateau())
    wide = TRUTH | {"sigma": 1_200.0}
    return model.fit(model.simulate(design(), mask(), parameters=wide, seed=4).history, mask(), **SIZE)


def test_a_detection_function_of_ones_own_is_like_any_other():
    lp.testing.check_detection(Plateau())
    fit = plateau()
    assert fit.trusted
    table = fit.summary()
    assert table.loc["sigma", "eti95_lb"] < 1_200 < table.loc["sigma", "eti95_ub"]
    assert fit.population().realised.min() >= 0
    assert set(fit.activity_centres().dims) == {"individual", "cell"}


def test_a_fit_of_ones_own_function_loads_with_and_without_it(tmp_path):
    path = plateau().save(tmp_path / "fit.nc")
    without = lp.load_fit(path)
    xr.testing.assert_identical(without.data_tree, plateau().data_tree)
    assert without.summary().equals(plateau().summary())
    assert without.diagnostics().equals(plateau().diagnostics())
    assert without.history == plateau().history
    assert "Plateau" in repr(without)
    for needs_the_model in (without.population, without.density_surface, without.activity_centres):
        with pytest.raises(lp.errors.ModelError, match=r"pass components=\[Plateau\]"):
            needs_the_model()
    again = lp.load_fit(path, components=[Plateau])
    assert again.model == plateau().model
    assert again.population().realised.identical(plateau().population().realised)


def test_a_term_added_to_the_pymc_model():
    import pymc as pm

    model, history = model_of("null"), history_of("null")
    with model.build(history, mask()) as pm_model:  # a plain pymc.Model, named as the posterior
        pm.Potential("collars", pm.logp(pm.LogNormal.dist(np.log(1_300), 0.05), pm_model["sigma"]).sum())
    assert isinstance(pm_model, pm.Model)
    assert {"D", "sigma", "sigma_beta", "lambda0", "E_N"} <= set(pm_model.named_vars)
    tree = lp.laplace(pm_model, draws=250, chains=4, seed=1)
    fit = model.from_posterior(tree, history, mask())
    assert fit.engine == "external"
    alone, pulled = fit_of("null").summary(), fit.summary()
    assert pulled.loc["sigma", "mean"] > alone.loc["sigma", "mean"] + 0.5 * alone.loc["sigma", "sd"]
    assert pulled.loc["sigma", "sd"] < alone.loc["sigma", "sd"]
    assert set(fit.population().realised.dims) == DRAWN
    assert set(fit.posterior.data_vars) == set(fit_of("null").posterior.data_vars)


def test_paths_are_paths(tmp_path):
    assert isinstance(fit_of("null").save(str(tmp_path / "fit.nc")), Path)
