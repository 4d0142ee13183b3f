"""Camtrap DP: what is written is valid by the schemas of the format, and reading gives the same survey back."""

import json
import math
import re
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import leopardpop as lp
from leopardpop.data.readers.camtrap_dp_fields import DEPLOYMENTS, MEDIA, OBSERVATIONS
from leopardpop.errors import DataError, DataWarning
from tests.data.camtrap_packages import write_package

pytestmark = pytest.mark.filterwarnings("ignore:Times are the cameras' own clocks")
HISTORY = {"species": "Panthera pardus", "start": "2024-02-01", "end": "2024-05-02", "flank": "left"}
NOT_KEPT = ["source", "line"]
"""Where a record stands is another place in another file."""


@pytest.fixture(scope="module")
def amur():
    return lp.load_example("amur_leopard", seed=1)


@pytest.fixture(scope="module")
def folder(amur, tmp_path_factory):
    return amur.to_camtrap_dp(tmp_path_factory.mktemp("amur"))


@pytest.fixture(scope="module")
def read(folder):
    return lp.read_camtrap_dp(folder)


def assert_same_tables(again, survey, skipped=()):
    """Every column of the survey in which anything stands is in the other one, exactly; the other may have more."""
    for name in ("stations", "deployments", "records", "failures"):
        ours, theirs = getattr(survey, name), getattr(again, name)
        known = ours.columns[ours.notna().any().to_numpy(bool)]
        columns = [column for column in known if column not in [*NOT_KEPT, *skipped]]
        pd.testing.assert_frame_equal(theirs[columns], ours[columns], check_exact=True, check_dtype=False, obj=name)
    assert (again.crs, again.tz) == (survey.crs, survey.tz)


class TestAmur:
    @pytest.mark.filterwarnings("ignore:8 animals known as young")
    @pytest.mark.parametrize(
        "keywords",
        [
            HISTORY,
            HISTORY | {"flank": "right", "detector": "count", "cameras": "sum", "occasion": "1D"},
            HISTORY | {"life_stage": None, "sessions": "block"},
        ],
    )
    def test_the_same_history(self, amur, read, keywords):
        xr.testing.assert_identical(read.capture_history(**keywords).dataset, amur.capture_history(**keywords).dataset)

    def test_the_same_tables(self, amur, read):
        again = read
        assert_same_tables(again, amur, skipped=["deployment"])  # the camera says it, which the example leaves out
        assert again.records["deployment"].str[:5].equals(again.records["camera"])
        assert again.audit["action"].value_counts().to_dict() == {"kept": len(amur.records)}
        assert (again.records["life_stage"] == "juvenile").sum() == 8
        assert len(again.failures) == 52

    def test_written_again_it_is_the_same_to_the_byte(self, read, folder, tmp_path):
        read.to_camtrap_dp(tmp_path)
        for name in ("deployments", "media", "failures", "stations"):
            assert (tmp_path / f"{name}.csv").read_bytes() == (folder / f"{name}.csv").read_bytes()
        again = lp.read_camtrap_dp(tmp_path)
        assert_same_tables(again, read)

    def test_a_reason_keeps_its_line_breaks(self, tmp_path):
        survey = lp.Survey(
            stations=pd.DataFrame({"station": ["A"], "x": [500_000.0], "y": [4_700_000.0]}),
            deployments=pd.DataFrame({"station": ["A"], "start": ["2024-01-01"], "end": ["2024-02-01"]}),
            failures=pd.DataFrame(
                {"station": ["A"], "start": ["2024-01-05"], "end": ["2024-01-06"], "reason": ["stolen,\nfound again"]}
            ),
            records=pd.DataFrame({"station": ["A"], "timestamp": ["2024-01-08 10:00"], "species": ["Sus scrofa"]}),
            tz="Asia/Vladivostok",
            crs="EPSG:32652",
        )
        again = lp.read_camtrap_dp(survey.to_camtrap_dp(tmp_path))
        assert again.failures["reason"].tolist() == ["stolen,\nfound again"]

    def test_single_cameras(self, tmp_path):
        survey = lp.load_example("amur_leopard", seed=2, variant="single_cameras")
        again = lp.read_camtrap_dp(survey.to_camtrap_dp(tmp_path))
        xr.testing.assert_identical(again.capture_history(**HISTORY).dataset, survey.capture_history(**HISTORY).dataset)

    def test_others_read_it_without_our_notes(self, amur, folder, tmp_path):
        about = json.loads((folder / "datapackage.json").read_text())
        texts = [(folder / f"{name}.csv").read_text() for name in ("deployments", "observations", "media")]
        del about["leopardpop"]
        about["resources"] = about["resources"][:3]
        again = lp.read_camtrap_dp(write_package(tmp_path, *texts, description=about))
        ours = amur.stations[["x", "y"]].to_numpy()
        assert (
            np.abs(again.stations.set_index("station").loc[amur.stations["station"], ["x", "y"]] - ours).max().max()
            < 2e-3
        )
        assert again.records["timestamp"].equals(amur.records["timestamp"])
        assert again.records["flank"].equals(amur.records["flank"])


# -- the schemas of the format ----------------------------------------------------------------------------------------
def violations(table: pd.DataFrame, schema: dict) -> list[str]:
    """What a table does wrong by a Table Schema: the parts of it that Camtrap DP uses."""
    fields = {field["name"]: field for field in schema["fields"]}
    wrong = [f"unknown column {name}" for name in table.columns if name not in fields]
    order = [name for name in fields if name in table.columns]
    wrong += [] if list(table.columns) == order else ["order of columns"]
    for name, field in fields.items():
        rules = field.get("constraints", {})
        if name not in table.columns:
            wrong += [f"no column {name}"] if rules.get("required") else []
            continue
        cells = [cell for cell in table[name] if cell not in schema["missingValues"]]
        if rules.get("required") and len(cells) < len(table):
            wrong.append(f"{name} is missing")
        if rules.get("unique") and len(set(cells)) < len(cells):
            wrong.append(f"{name} is not unique")
        wrong += [f"{name}: {cell}" for cell in cells if not fits(cell, field, rules)]
    return wrong


def fits(cell: str, field: dict, rules: dict) -> bool:
    if field["type"] in ("integer", "number"):
        number = int(cell) if field["type"] == "integer" else float(cell)
        return math.isfinite(number) and rules.get("minimum", -math.inf) <= number <= rules.get("maximum", math.inf)
    if field["type"] == "boolean":
        return cell in ("true", "false")
    if field["type"] == "datetime":
        return bool(
            re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", cell) and datetime.fromisoformat(cell)
        )
    return cell in rules.get("enum", [cell]) and re.search(rules.get("pattern", ""), cell) is not None


def assert_valid(folder, shared):
    official = shared / "data" / "camtrapdp-example"
    tables = {}
    for name in ("deployments", "media", "observations"):
        schema = json.loads((official / f"{name}-table-schema.json").read_text())
        tables[name] = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
        assert violations(tables[name], schema) == []
        assert list(tables[name]) == [field["name"] for field in schema["fields"]]  # some tools read by position
    assert set(tables["observations"]["deploymentID"]) <= set(tables["deployments"]["deploymentID"])
    assert_valid_descriptor(json.loads((folder / "datapackage.json").read_text()), official)


def assert_valid_descriptor(about, official):
    profile = json.loads((official / "camtrap-dp-profile.json").read_text())
    rules = profile["allOf"][1]
    assert set(rules["required"]) <= set(about)
    project = rules["properties"]["project"]
    assert set(project["required"]) <= set(about["project"])
    assert about["project"]["samplingDesign"] in project["properties"]["samplingDesign"]["enum"]
    assert set(about["project"]["observationLevel"]) <= set(project["properties"]["observationLevel"]["items"]["enum"])
    by_name = {each["name"]: each for each in about["resources"]}
    for name in ("deployments", "media", "observations"):
        assert by_name[name]["profile"] == "tabular-data-resource"
        assert re.search(profile["$defs"]["version"]["pattern"], by_name[name]["schema"])
    datetime.strptime(about["created"], "%Y-%m-%dT%H:%M:%S%z")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", about["temporal"]["start"])
    assert all(person["title"] for person in about["contributors"])


class TestValid:
    def test_the_checker_finds_what_is_wrong(self, shared):
        """The official example passes, and fails where it is spoilt."""
        official = shared / "data" / "camtrapdp-example"
        table = pd.read_csv(official / "deployments.csv", dtype=str, keep_default_na=False)
        schema = json.loads((official / "deployments-table-schema.json").read_text())
        assert violations(table, schema) == []
        spoilt = table.assign(latitude="91", featureType="path", score="1")
        assert len(violations(spoilt, schema)) == 1 + 1 + 4 + 4  # column, order, latitudes, features
        assert violations(table.drop(columns="deploymentID"), schema) == ["no column deploymentID"]

    def test_amur(self, folder, shared):
        assert_valid(folder, shared)

    def test_the_official_example_written_again(self, shared, tmp_path):
        survey = lp.read_camtrap_dp(shared / "data" / "camtrapdp-example")
        folder = survey.to_camtrap_dp(tmp_path)
        assert_valid(folder, shared)
        assert_same_tables(lp.read_camtrap_dp(folder), survey)

    def test_fields_are_those_of_the_format(self, shared):
        for name, fields in (("deployments", DEPLOYMENTS), ("media", MEDIA), ("observations", OBSERVATIONS)):
            schema = json.loads((shared / "data" / "camtrapdp-example" / f"{name}-table-schema.json").read_text())
            kinds = {"string": "text", "any": "text", "datetime": "time"}
            assert [field["name"] for field in schema["fields"]] == list(fields)
            for field in schema["fields"]:
                ours, rules = fields[field["name"]], field["constraints"]
                assert ours.kind == kinds.get(field["type"], field["type"])
                assert list(ours.words) == rules.get("enum", [])
                assert ours.most == rules.get("maximum", math.inf)
                assert ours.least == pytest.approx(rules.get("minimum", -math.inf), abs=1e-12)


class TestMetadata:
    def test_is_added(self, amur, tmp_path):
        people = [{"title": "A. Ranger", "role": "contact"}]
        amur.to_camtrap_dp(tmp_path, metadata={"title": "Leopards", "contributors": people})
        about = json.loads((tmp_path / "datapackage.json").read_text())
        assert (about["title"], about["contributors"], about["project"]["individualAnimals"]) == (
            "Leopards",
            people,
            True,
        )

    def test_a_synthetic_survey_says_so(self, folder):
        assert "synthetic" in json.loads((folder / "datapackage.json").read_text())["title"]


class TestRefuses:
    def test_no_place_on_earth(self, tmp_path):
        with pytest.raises(DataError, match=r"has no coordinate reference system"):
            made().to_camtrap_dp(tmp_path)

    def test_records_without_a_deployment(self, tmp_path):
        lone = made(stations=STATIONS.assign(crs=None).drop(columns="crs"), crs="EPSG:32652", station="C")
        with pytest.raises(DataError, match=r"station 'C' has 1 record .records line 1. but no deployment"):
            lone.to_camtrap_dp(tmp_path)

    def test_places_that_somebody_moved(self, folder, tmp_path):
        texts = [(folder / f"{name}.csv").read_text() for name in ("deployments", "observations", "media")]
        package = write_package(tmp_path, *texts, description=(folder / "datapackage.json").read_text())
        for name in ("stations", "failures"):
            (package / f"{name}.csv").write_bytes((folder / f"{name}.csv").read_bytes())
        (package / "deployments.csv").write_text(texts[0].replace("43.106172655", "43.116172655"))
        with pytest.warns(DataWarning, match=r"stations.csv does not agree with the deployments about 'L001'"):
            survey = lp.read_camtrap_dp(package)
        assert survey.stations["y"][0] == pytest.approx(4_775_212.8 + 1111, abs=5)


STATIONS = pd.DataFrame(
    {"station": ["A", "B", "C"], "x": [650_000.123456789, 653_000, 656_000], "y": [4_770_000.1, 4_771_000, 4_772_000]}
)


def made(stations=STATIONS, crs=None, station="A", tz=None, **columns):
    deployments = pd.DataFrame(
        {"station": ["A", "A", "B"], "start": "2024-03-20 12:00:00.25", "end": "2024-04-20 12:00"}
    )
    records = pd.DataFrame({"timestamp": ["2024-03-31 01:30:00.123456789"], "station": [station]})
    return lp.Survey(stations=stations, deployments=deployments, records=records.assign(**columns), crs=crs, tz=tz)


class TestWhatHasNoField:
    def test_a_clock_of_no_known_offset_is_said(self, tmp_path):
        with pytest.warns(DataWarning, match=r"own clocks, whose offset from UTC is not known: \+00:00 stands"):
            made(crs="EPSG:32652").to_camtrap_dp(tmp_path)
        about = json.loads((tmp_path / "datapackage.json").read_text())
        assert "is no UTC" in about["description"]
        assert lp.read_camtrap_dp(tmp_path).tz is None

    @pytest.mark.parametrize("tz", [None, "UTC+03:30", "Europe/Madrid"])
    def test_clocks_and_parts_of_seconds(self, tmp_path, tz):
        survey = made(crs="EPSG:32652", tz=tz)
        assert_same_tables(lp.read_camtrap_dp(survey.to_camtrap_dp(tmp_path)), survey)

    def test_words_numbers_and_guesses(self, tmp_path):
        survey = made(
            crs="EPSG:32652",
            life_stage="kitten",
            score=0.1 + 0.2,
            note="a | b: %7C",
            good=True,
            tags="sharp",
            camera="X",
        )
        again = lp.read_camtrap_dp(survey.to_camtrap_dp(tmp_path))
        assert_same_tables(again, survey)
        row = again.records.iloc[0]
        assert (row["score"], row["note"], row["good"]) == (0.1 + 0.2, "a | b: %7C", True)
        assert row["deployment"] is None


LABEL = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
WORDS = st.none() | LABEL
TIME = st.integers(0, 60 * 86_400 * 10**9).map(lambda ns: pd.Timestamp("2024-03-01") + pd.Timedelta(ns, "ns"))


@st.composite
def surveys(draw):
    names = draw(st.lists(LABEL.filter(lambda name: name not in MISSING), min_size=1, max_size=4, unique=True))
    metres = st.floats(0, 30_000).map(lambda more: 600_000 + more)
    stations = pd.DataFrame(
        {
            "station": names,
            "x": draw(st.lists(metres, min_size=len(names), max_size=len(names))),
            "y": [4_700_000 + draw(st.floats(0, 30_000)) for _ in names],
            "snow": [draw(st.none() | st.floats(-5, 5)) for _ in names],
        }
    )
    n = draw(st.integers(1, 4))
    deployments = pd.DataFrame(
        {
            "deployment": [f"d{i}" for i in range(n)],
            "station": [draw(st.sampled_from(names)) for _ in range(n)],
            "start": [draw(TIME) for _ in range(n)],
            "end": pd.Timestamp("2024-05-01"),
            "habitat": [draw(WORDS) for _ in range(n)],
        }
    )
    m = draw(st.integers(0, 6))
    records = pd.DataFrame(
        {
            "timestamp": pd.Series([draw(TIME) for _ in range(m)], dtype="datetime64[ns]"),
            "deployment": pd.Series(
                [draw(st.sampled_from(deployments["deployment"].tolist())) for _ in range(m)], dtype=object
            ),
            "species": pd.Series([draw(WORDS) for _ in range(m)], dtype=object),
            "individual": pd.Series([draw(WORDS) for _ in range(m)], dtype=object),
            "sex": pd.Series([draw(st.sampled_from(["F", "M", None])) for _ in range(m)], dtype=object),
            "life_stage": pd.Series(
                [draw(st.sampled_from(["adult", "juvenile", "cub", None])) for _ in range(m)], dtype=object
            ),
            "flank": pd.Series(
                [draw(st.sampled_from(["left", "right", "both", None])) for _ in range(m)], dtype=object
            ),
            "count": [draw(st.integers(1, 9)) for _ in range(m)],
            "note": pd.Series([draw(WORDS) for _ in range(m)], dtype=object),
        }
    )
    tz = draw(st.sampled_from([None, "UTC+10:00", "Europe/Madrid", "America/St_Johns"]))
    return lp.Survey(stations=stations, deployments=deployments, records=records, crs="EPSG:32652", tz=tz)


MISSING = {"", "NA", "N/A", "NaN", "nan", "<NA>"}


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(survey=surveys())
def test_whatever_is_written_is_read_back(survey, tmp_path_factory):
    again = lp.read_camtrap_dp(survey.to_camtrap_dp(tmp_path_factory.mktemp("any")))
    keep = [name for name in survey.stations["station"] if name in set(survey.deployments["station"])]
    assert set(keep) <= set(again.stations["station"])
    assert_same_tables(again, survey, skipped=["camera"])


@pytest.mark.parametrize("word", ["NA", "nan", "<NA>", "\xa0", " forest"])
@pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")
def test_words_that_a_reader_would_take_for_nothing(word, tmp_path):
    stations = pd.DataFrame({"station": ["A"], "x": [6e5], "y": [4.7e6]})
    deployments = pd.DataFrame({"deployment": ["d"], "station": ["A"], "start": ["2024-03-01"], "end": ["2024-05-01"]})
    records = pd.DataFrame({"station": ["A"], "timestamp": ["2024-03-08 10:00"], "species": ["Sus scrofa"]})
    deployments["habitat"] = word
    survey = lp.Survey(stations=stations, deployments=deployments, records=records, crs="EPSG:32652")
    known = survey.deployments["habitat"]
    assert_same_tables(lp.read_camtrap_dp(survey.to_camtrap_dp(tmp_path / "p")), survey, skipped=["camera"])
    assert known.notna().all()
