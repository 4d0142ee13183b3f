from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import shapely

from leopardpop.data import amur
from leopardpop.data.example import load_example
from leopardpop.data.mask import Mask
from leopardpop.data.space import project
from leopardpop.data.survey import Survey
from leopardpop.errors import DataError, DataWarning

LEOPARD = "Panthera pardus"
DATES = {"start": "2024-02-01", "end": "2024-05-02", "species": LEOPARD}
TABLES = ("stations", "deployments", "records", "failures", "audit")


@pytest.fixture(scope="module")
def survey():
    return load_example("amur_leopard", seed=1)


@pytest.fixture(scope="module")
def single():
    return load_example("amur_leopard", seed=1, variant="single_cameras")


@pytest.fixture
def spec(shared):
    return shared / "data" / "synthetic-amur-spec"


def true_animals(survey):
    """Label in the records -> animal."""
    table = survey.truth.individuals
    pairs = [
        table[["animal", name]].set_axis(["animal", "label"], axis=1) for name in ("label", "left_label", "right_label")
    ]
    return pd.concat(pairs).dropna().set_index("label")["animal"]


def leopards(survey):
    records = survey.records
    return records[(records["species"] == LEOPARD) & (records["life_stage"] != "juvenile")]


def all_knowing(survey):
    """History of the animals as they are, whatever flank was seen."""
    records = leopards(survey)
    records = records.assign(individual=records["individual"].map(true_animals(survey)), flank=None)
    tables = {"stations": survey.stations, "deployments": survey.deployments, "failures": survey.failures}
    return Survey(**tables, records=records, crs=survey.crs, tz=survey.tz).capture_history(**DATES)


class TestSeeds:
    def test_same_seed_same_survey(self, survey):
        again = load_example("amur_leopard", seed=np.random.default_rng(1))
        for name in TABLES:
            pd.testing.assert_frame_equal(getattr(again, name), getattr(survey, name))
        pd.testing.assert_frame_equal(again.truth.individuals, survey.truth.individuals)
        pd.testing.assert_frame_equal(load_example().records, survey.records)

    def test_another_seed_another_population_at_the_same_stations(self, survey):
        other = load_example(seed=2)
        pd.testing.assert_frame_equal(other.stations, survey.stations)
        assert not np.isin(other.truth.individuals["x"], survey.truth.individuals["x"]).any()
        assert len(other.records) != len(survey.records)

    @pytest.mark.parametrize("kwargs", [{"name": "amur_tiger"}, {"variant": "single"}])
    def test_refuses_what_it_does_not_have(self, kwargs):
        with pytest.raises(DataError, match=r"amur_leopard|single_cameras"):
            load_example(**kwargs)


def test_is_light_and_fast():
    code = """if True:
        import sys, time
        from leopardpop.data.example import load_example
        first = time.process_time(); load_example(); first = time.process_time() - first
        second = time.process_time(); load_example(seed=2); second = time.process_time() - second
        heavy = {"geopandas", "matplotlib", "pymc", "scipy.optimize", "scipy.stats"} & set(sys.modules)
        print(first, second, *heavy)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second, *heavy = done.stdout.split()
    assert heavy == []
    assert float(second) < 0.3
    assert float(first) < 1.0  # shapely and pyproj are imported here


class TestSpecification:
    def test_stations(self, spec, survey):
        expected = pd.read_csv(spec / "stations.csv")
        places, blocks = amur.station_lattice()
        assert np.abs(places - expected[["x_km", "y_km"]].to_numpy()).max() < 0.00501
        assert list(blocks) == expected["block"].tolist()
        assert survey.stations["station"].tolist() == expected["station"].tolist()
        assert survey.stations["x"].to_numpy() == pytest.approx(1000 * (expected["x_km"] + 610), abs=5.01)
        assert survey.stations["y"].to_numpy() == pytest.approx(1000 * (expected["y_km"] + 4680), abs=5.01)
        assert survey.stations["cameras"].unique().tolist() == [2]

    def test_outlines(self, spec, survey):
        border, habitat = survey.layers["border"], survey.layers["habitat"]
        for layer, file in [(border, "border_line.csv"), (habitat, "habitat_polygon.csv")]:
            expected = pd.read_csv(spec / file)
            degrees = shapely.get_coordinates(layer.to_crs(4326).geometry)[: len(expected)]
            assert degrees == pytest.approx(expected[["lon", "lat"]].to_numpy(), abs=1e-9)
        assert habitat.area.sum() / 1e6 == pytest.approx(9605, abs=0.5)

    def test_cells_covariates_and_density(self, spec, survey):
        expected = pd.read_csv(spec / "mask_2km.csv")
        cells = amur.mask_cells()
        assert cells.shape == (2401, 2)
        assert np.abs(cells - expected[["x_km", "y_km"]].to_numpy()).max() < 0.00501
        x, y = amur.to_metres(cells).T
        mask = Mask.from_table(pd.DataFrame({"x": x, "y": y}), cell_area=4, crs="EPSG:32652")
        names = ("snow", "elevation", "border_distance", "china")
        table = mask.with_covariates(**{name: survey.layers[name] for name in names}).table
        assert mask.spacing == pytest.approx(2_000)
        assert mask.total_area == 9_604 == survey.truth.area
        columns = {"snow": ("snow_cm", 0.0501), "elevation": ("elev_m", 0.501), "china": ("china", 0)}
        for name, (column, tolerance) in (columns | {"border_distance": ("border_signed_km", 0.0501)}).items():
            assert np.abs(table[name] - expected[column]).max() <= tolerance
        truth = survey.truth.density
        log_density = truth["snow"] * table["snow"] + truth["border_distance"] * table["border_distance"].clip(lower=0)
        density = np.exp(log_density)
        density *= survey.truth.N / (density * mask.area).sum()
        assert np.abs(100 * density - expected["D_per100km2"]).max() < 0.000501

    def test_a_mask_of_the_whole_habitat(self, survey):
        mask = Mask.around(survey, buffer=60_000, spacing=2_000, habitat=survey.layers["habitat"])
        assert abs(mask.n_cells - 2401) < 10
        assert mask.total_area == pytest.approx(9605, rel=0.005)
        assert mask.region.area / 1e6 == pytest.approx(9605, abs=0.5)

    def test_layers_in_another_system(self, survey):
        x, y = amur.to_metres(amur.mask_cells()[::50]).T
        x53, y53 = project(x, y, "EPSG:32652", "EPSG:32653")
        mask = Mask.from_table(pd.DataFrame({"x": x53, "y": y53}), cell_area=4, crs="EPSG:32653")
        snow = mask.with_covariates(snow=survey.layers["snow"]).table["snow"]
        assert snow.to_numpy() == pytest.approx(survey.layers["snow"](x, y), abs=1e-4)

    def test_surveys_are_like_those_of_the_specification(self, spec):
        expected = pd.read_csv(spec / "simulated_60seeds.csv")[:30]
        rows = []
        for seed in range(30):  # the same seed has the same animals there, so that differences are small
            survey = load_example(seed=seed)
            history = all_knowing(survey)
            detections = history.detections.merge(history.stations[["station", "block"]], on="station")
            animals, sex = survey.truth.individuals, history.individuals["sex"]
            rows.append(
                {
                    "n": history.n_individuals,
                    "nF": (sex == "F").sum(),
                    "nM": (sex == "M").sum(),
                    "det": history.n_detections,
                    "multi": history.n_multi_station_individuals,
                    "cn": detections.loc[detections["block"] != "LLNP", "individual"].nunique(),
                    "naive_site": detections["station"].nunique() / 120,
                    "breedF": animals["breeding"].sum(),
                    "effort": history.effort["effort"].sum() / (120 * 91),
                }
            )
        found = pd.DataFrame(rows)
        difference = found - expected[found.columns]
        error = difference.std() / np.sqrt(len(found))
        assert (difference.mean().abs() < 3.5 * error).all(), (difference.mean() / error).to_dict()
        assert (error / expected[found.columns].std()).max() < 0.3  # the test can fail


class TestTruth:
    def test_parameters(self, survey):
        truth = survey.truth
        assert truth.N == 45 == len(truth.individuals)
        assert dict(truth.sigma) == {"F": 4_000, "M": 6_500}
        assert dict(truth.lambda0_week) == {"F": 0.10, "M": 0.15}
        assert truth.lambda0["M"] == pytest.approx(0.15 / 7)
        assert sum(truth.pmix.values()) == 1
        assert truth.density["snow"] == pytest.approx(-0.075)
        assert survey.is_synthetic
        assert repr(survey).startswith("Synthetic survey\n")
        with pytest.raises(AttributeError):
            truth.N = 50
        with pytest.raises(TypeError):
            truth.sigma["F"] = 1

    def test_animals_live_in_the_habitat(self, survey):
        habitat = survey.layers["habitat"].geometry.buffer(1_500).union_all()
        animals = survey.truth.individuals
        assert shapely.contains_xy(habitat, animals["x"], animals["y"]).all()
        assert animals.loc[animals["breeding"], "sex"].unique().tolist() == ["F"]

    def test_a_label_is_one_animal_of_the_right_sex(self, survey, single):
        for each in (survey, single):
            animals = true_animals(each)
            assert animals.index.is_unique
            records = leopards(each).assign(animal=leopards(each)["individual"].map(animals))
            assert records["animal"].notna().all()
            sexes = each.truth.individuals.set_index("animal")["sex"]
            assert (records["animal"].map(sexes) == records["sex"]).all()

    def test_flanks_agree_with_labels(self, single):
        records = leopards(single)
        flanks = records.groupby("individual")["flank"].agg(set)
        table = single.truth.individuals
        assert all("both" in flanks[label] for label in table["label"].dropna())
        for side in ("left", "right"):
            labels = table[f"{side}_label"].dropna()
            assert labels.str.startswith(side[0].upper()).all()
            assert all(flanks[label] == {side} for label in labels)
        assert table["label"].notna().sum() > 10
        assert not (table["label"].notna() & (table["left_label"].notna() | table["right_label"].notna())).any()

    def test_share_of_passes_that_show_both_flanks(self):
        passes = pd.concat(
            [
                leopards(load_example(seed=s))
                .drop_duplicates(["individual", "station", "flank", "timestamp"])
                .assign(seed=s)
                for s in range(8)
            ]
        )
        first = passes[
            passes.groupby(["seed", "individual", "station"])["timestamp"].diff().dt.total_seconds().fillna(1e9) > 60
        ]
        share = (first["flank"] == "both").mean()
        assert share == pytest.approx(0.72, abs=4 * np.sqrt(0.72 * 0.28 / len(first)))


class TestHistory:
    def test_records_add_up(self, survey):
        history = survey.capture_history(**DATES, flank="left")
        action = history.audit["action"].value_counts()
        assert action.sum() == (survey.records["species"] == LEOPARD).sum()
        assert action["kept"] == history.n_detections
        reasons = history.audit.groupby("reason").size()
        assert reasons["life stage juvenile"] == (survey.records["life_stage"] == "juvenile").sum() > 0
        assert reasons["flank right"] > 0
        assert reasons["before the start"] > 0
        assert reasons["after the end"] > 0

    def test_thirteen_weeks_from_noon(self, survey):
        history = survey.capture_history(**DATES, flank="left")
        assert history.n_occasions == {"1": 13}
        assert history.crs == "EPSG:32652"
        assert history.effort_unit == "day"
        effort = history.effort["effort"]
        assert effort.max() == 7
        assert ((effort > 0) & (effort < 7)).any()
        assert 0.8 < effort.sum() / (120 * 91) < 0.97
        assert (history.effort.groupby("station")["effort"].sum() > 0).all()
        assert {"block", "cameras"} <= set(history.stations.columns)

    def test_no_cub_and_no_other_species_becomes_an_individual(self, survey):
        history = survey.capture_history(**DATES, flank="left")
        assert set(history.individuals["individual"]) <= set(true_animals(survey).index)
        assert survey.records["species"].nunique() > 4
        with pytest.raises(DataError, match="7 species"):
            survey.capture_history()

    def test_whole_identities_and_one_flank(self, single):
        with pytest.warns(
            DataWarning, match="2 identities are left out: 1 known from the left flank only, 1 from the right"
        ):
            whole = single.capture_history(**DATES)
        left = single.capture_history(**DATES, flank="left")
        truth = single.truth.individuals
        assert set(whole.individuals["individual"]) <= set(truth["label"].dropna())
        assert set(left.individuals["individual"]) <= set(truth["label"].dropna()) | set(truth["left_label"].dropna())
        assert left.n_detections < whole.n_detections

    def test_occasions_of_any_length_see_the_same_records(self, survey):
        days = survey.capture_history(**DATES, flank="left", occasion="1D")
        weeks = survey.capture_history(**DATES, flank="left")
        assert days.n_occasions == {"1": 91}
        assert days.effort["effort"].sum() == pytest.approx(weeks.effort["effort"].sum())
        assert days.n_detections >= weeks.n_detections
        assert days.individuals.equals(weeks.individuals)

    def test_two_cameras_count_twice_if_they_are_added(self, survey, single):
        def total(each, cameras):
            return each.capture_history(**DATES, flank="left", cameras=cameras).effort["effort"].sum()

        assert total(survey, "sum") == pytest.approx(2 * total(survey, "union"))
        assert total(single, "union") == pytest.approx(total(survey, "union"))
        assert total(single, "sum") < 1.7 * total(single, "union")

    def test_nothing_to_fix(self, survey):
        assert not (survey.problems()["severity"] == "must fix").any()


class TestSingleCameras:
    def test_is_the_same_survey_with_fewer_cameras(self, survey, single):
        columns = ["animal", "sex", "x", "y", "breeding"]
        pd.testing.assert_frame_equal(single.truth.individuals[columns], survey.truth.individuals[columns])
        pd.testing.assert_frame_equal(single.failures, survey.failures)
        assert (single.stations["cameras"] == 1).sum() == 50
        assert len(single.deployments) == 240 - 50
        assert all_knowing(single).detections.equals(all_knowing(survey).detections)

    def test_one_camera_sees_one_flank(self, single):
        records = leopards(single).merge(single.stations[["station", "cameras"]], on="station")
        assert set(records.loc[records["cameras"] == 1, "flank"]) == {"left", "right"}
        assert records.loc[records["cameras"] == 1, "camera"].str.endswith("A").all()
        assert "both" in set(records.loc[records["cameras"] == 2, "flank"])

    def test_leaves_more_animals_unresolved(self):
        def unresolved(variant):
            truths = [load_example(seed=seed, variant=variant).truth.individuals for seed in range(12)]
            return np.mean([table[["left_label", "right_label"]].notna().any(axis=1).sum() for table in truths])

        assert 0.5 < unresolved(None) < 2.5
        assert unresolved("single_cameras") > unresolved(None) + 1


def test_default_history_warns_only_about_flanks():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DataWarning)
        for seed in range(3):
            load_example(seed=seed).capture_history(**DATES)


def test_the_truth_is_a_few_lines():
    lines = repr(load_example("amur_leopard", seed=1).truth).splitlines()
    assert lines[0].startswith("Truth of a synthetic survey: 45 animals (")
    assert lines[0].endswith(" on 9,604 km²")
    assert "  sigma    4,000 F, 6,500 M m" in lines
    assert max(map(len, lines)) < 100
