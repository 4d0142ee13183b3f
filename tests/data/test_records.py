"""Plain tables with a map of columns."""

from __future__ import annotations

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import DataError, DataWarning

RECORDS = (
    "timestamp,deployment,species,individual,behaviour\n"
    "2024-02-03 21:14,d1,leopard,F1,walks\n2024-02-04 05:00,d2,leopard,M1,\n"
)
DEPLOYMENTS = (
    "deployment,station,start,end,lure,model\nd1,A,2024-02-01,2024-03-02,1,x\nd2,B,2024-02-01,2024-03-02,0,y\n"
)
STATIONS = "station,x,y,snow\nA,0,0,12.5\nB,3000,500,8\n"


@pytest.fixture
def read(tmp_path):
    """Write texts as files and read them."""

    def _read(records=RECORDS, deployments=DEPLOYMENTS, stations=STATIONS, **options):
        files = {"records.csv": records, "deployments.csv": deployments, "stations.csv": stations}
        if "failures" in options:
            files["failures.csv"] = options["failures"]
            options["failures"] = tmp_path / "failures.csv"
        for name, text in files.items():
            if text is not None:
                (tmp_path / name).write_text(text, encoding="utf-8")
        third = () if stations is None else (tmp_path / "stations.csv",)
        return lp.read_records(tmp_path / "records.csv", tmp_path / "deployments.csv", *third, **options)

    return _read


def test_three_tables(read):
    survey = read()
    assert survey.stations.to_dict("list") == {
        "station": ["A", "B"],
        "x": [0, 3000],
        "y": [0, 500],
        "snow": [12.5, 8.0],
    }
    assert survey.records["station"].tolist() == ["A", "B"]
    assert survey.records["behaviour"].tolist() == ["walks", None]
    assert survey.deployments["lure"].tolist() == [1.0, 0.0]
    history = survey.capture_history(occasion="30D", occasion_start="00:00")
    assert history.effort["effort"].tolist() == [30.0, 30.0]
    assert survey.audit["action"].tolist() == ["kept", "kept"]


def test_two_tables_with_the_places_of_deployments(read):
    deployments = (
        "station,start,end,longitude,latitude,lure,rock\n"
        "A,2024-02-01,2024-02-11,131.0,43.0,1,0\nA,2024-02-21,2024-03-02,131.0,43.0,0,0\n"
    )
    records = "timestamp,station,species\n2024-02-03 21:14,A,leopard\n"
    survey = read(records, deployments, None)
    assert survey.deployments["deployment"].tolist() == ["A-1", "A-2"]
    assert survey.deployments["lure"].tolist() == [1.0, 0.0]
    assert survey.stations["rock"].tolist() == [0.0]
    assert survey.crs == "EPSG:32652"
    assert survey.stations["x"].round().tolist() == [663019.0]


@pytest.mark.parametrize(
    ("times", "days"), [(("00:00", "00:00"), 30), (("12:00", "12:00"), 30), (("00:00", "24:00"), 31)]
)
def test_dates_of_deployments(read, times, days):
    survey = read(start_time=times[0], end_time=times[1])
    assert ((survey.deployments["end"] - survey.deployments["start"]) / pd.Timedelta("1D")).tolist() == [days, days]


def test_failures_end_before_their_end(read):
    survey = read(failures="deployment,start,end\nd1,2024-02-10,2024-02-12\nd2,,2024-02-02\n")
    effort = survey.capture_history(occasion="30D", occasion_start="00:00").effort["effort"]
    assert effort.tolist() == [28.0, 29.0]


def test_a_map_of_columns(read):
    records = RECORDS.replace("timestamp", "wann").replace("individual", "Tier")
    survey = read(records, columns={"records": {"wann": "timestamp", "Tier": "individual"}})
    assert survey.records["individual"].tolist() == ["F1", "M1"]


def test_dates_in_another_format_everywhere(read):
    records = RECORDS.replace("2024-02-03", "03/02/2024").replace("2024-02-04", "04/02/2024")
    deployments = DEPLOYMENTS.replace("2024-02-01", "01/02/2024").replace("2024-03-02", "02/03/2024")
    survey = read(records, deployments, date_format="%d/%m/%Y")
    pd.testing.assert_frame_equal(survey.records, read().records)
    pd.testing.assert_frame_equal(survey.deployments, read().deployments)


@pytest.mark.parametrize(
    ("written", "date_format"), [("31.02.2024 20:00", "%d.%m.%Y"), ("2024-02-31", None), ("30/02/24", "%d/%m/%y")]
)
def test_a_day_that_the_calendar_lacks(read, written, date_format):
    records = RECORDS.replace("2024-02-04 05:00", written)
    with pytest.raises(DataError, match=r"csv line 3: timestamp is '.*'.* The calendar has no such day") as error:
        read(records, date_format=date_format)
    assert "pass date_format" not in str(error.value)


def test_a_share_above_one_is_named_with_its_line(read):
    records = RECORDS.replace("behaviour", "classification_probability").replace("walks", "0.9")
    with pytest.raises(DataError, match=r"^records\.csv line 3: classification_probability is 1\.7\. It lies"):
        read(records.replace("M1,", "M1,1.7"))


def test_the_same_wall_clock_in_summer_and_winter(read):
    records = RECORDS.replace("2024-02-04 05:00", "2024-07-04 05:00")
    deployments = DEPLOYMENTS.replace("2024-03-02", "2024-08-02")
    shown = [t.strftime("%H:%M %z") for t in read(records, deployments, tz="Europe/Madrid").records["timestamp"]]
    assert shown == ["21:14 +0100", "05:00 +0200"]
    zoned = records.replace("21:14", "21:14+01:00").replace("05:00", "05:00+02:00")
    with pytest.raises(DataError, match=r"records\.csv line 2: .*carries an offset from UTC"):
        read(zoned, deployments)
    there = read(zoned, deployments, tz="UTC+01:00").records["timestamp"]
    assert there.dt.strftime("%H:%M").tolist() == ["21:14", "04:00"]


def test_tables_in_memory_may_hold_anything(read, tmp_path):
    read()
    frame = pd.read_csv(tmp_path / "records.csv", parse_dates=["timestamp"]).assign(boxes=[[1, 2], None], n=[1, 2])
    frame.index = [7, 7]
    others = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("deployments", "stations"))
    survey = lp.read_records(frame, *others)
    assert survey.records["timestamp"].tolist() == read().records["timestamp"].tolist()
    assert survey.records["boxes"].tolist() == ["[1, 2]", None]
    assert survey.records[["source", "line"]].to_numpy().tolist() == [["records", 7], ["records", 7]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"records": RECORDS.replace(",d2,", ",d3,")},
            r"records\.csv line 3: deployment 'd3' is not in deployments\.csv",
        ),
        (
            {"records": RECORDS.replace("deployment", "where")},
            r"records\.csv has neither a column 'station' nor 'deployment'",
        ),
        (
            {"records": RECORDS.replace("species", "station").replace("leopard", "A")},
            r"records\.csv line 3: station 'A', but its deployment 'd2' is at 'B'\. Correct one of the two",
        ),
        (
            {"records": RECORDS.replace("timestamp", "wann")},
            r"no column for the time of records \(our name: timestamp\)",
        ),
        ({"deployments": DEPLOYMENTS.replace("d2", "d1")}, r"deployments\.csv line 3: deployment 'd1' is that of"),
        (
            {"deployments": DEPLOYMENTS.replace("B", "C")},
            r"deployments\.csv line 3: station 'C' is not in stations\.csv",
        ),
        (
            {"deployments": DEPLOYMENTS.replace("2024-03-02", "2024-01-02")},
            r"deployments\.csv line 2: end .* is not after start",
        ),
        ({"stations": STATIONS.replace("3000", "3 km")}, r"stations\.csv line 3: x is '3 km'\. A number is needed"),
        (
            {"stations": STATIONS + "A,900,0,1\n"},
            r"stations\.csv line 4: station 'A' is 900 m from where stations\.csv line 2",
        ),
        ({"stations": "station,lon\nA,1\n"}, r"stations\.csv does not say where stations are"),
        (
            {"failures": "deployment,start,end\nd1,2024-02-10,2024-02-10\n"},
            r"failures\.csv line 2: end .* is not after start",
        ),
        ({"failures": "deployment,start\nd1,2024-02-10\n"}, r"failures\.csv has no column 'to' \(our name: end\)"),
        ({"columns": {"recorde": {}}}, r"columns= has 'recorde'.*Did you mean 'records'"),
        (
            {"columns": {"records": {"species": "individual", "individual": "individual"}}},
            r"two names for 'individual'",
        ),
    ],
)
def test_bad_input(read, changes, message):
    with pytest.raises(DataError, match=message):
        read(**changes)


NAMES = "timestamp,deployment,{}\n2024-02-03 21:14,d1,leopard,F1,F,2\n2024-02-04 05:00,d2,tiger,,M,1\n"
OUR = ["species", "individual", "sex", "count"]


@pytest.mark.parametrize(
    "header",
    [
        "Species name,Individual ID,Gender,Number",
        "Scientific Name,animal_id,gender,number of animals",
        "common name,Name of individual,SEX,N",
        "Taxon,individual,sex,Individuals count",
        "VERNACULAR_NAME,AnimalID,sex of animal,no. of individuals",
    ],
)
def test_columns_under_the_names_that_people_give_them(read, header):
    survey = read(NAMES.format(header))
    assert survey.records[OUR].to_numpy().tolist() == [["leopard", "F1", "F", 2], ["tiger", None, "M", 1]]
    for theirs, ours in zip(header.split(","), OUR, strict=True):
        same = theirs.replace(" ", "").lower() == ours
        assert (f"'{theirs}' is read as {ours}" in survey.notes[-1]) is not same
    with pytest.raises(DataError, match="The records are of 2 species"):
        survey.capture_history(occasion="1D", occasion_start="00:00")


def test_columns_that_no_role_took_are_told_with_what_to_write(read):
    with pytest.warns(DataWarning) as caught:
        survey = read(NAMES.format("Latin,individual,S,count"))
    [warning] = [str(warning.message) for warning in caught]
    written = "columns={'records': {'Latin': 'species', 'S': 'sex'}}"
    assert "no column that is read as species and sex" in warning
    assert written in warning
    assert "all records count as one species" in warning
    assert survey.records[["Latin", "S"]].to_numpy().tolist() == [["leopard", "F"], ["tiger", "M"]]
    assert "without a role: 'Latin', 'S'" in survey.notes[-1]
    survey = read(NAMES.format("Latin,individual,S,count"), columns={"records": {"Latin": "species", "S": "sex"}})
    assert survey.records[["species", "sex"]].to_numpy().tolist() == [["leopard", "F"], ["tiger", "M"]]


def test_a_name_nearly_like_a_role_is_offered(read):
    with pytest.warns(
        DataWarning, match=r"columns=\{'records': \{'Speceis': 'species', 'Nr animals seen': 'count'\}\}"
    ):
        read(NAMES.format("Speceis,individual,sex,Nr animals seen"))


def test_other_columns_are_a_note_and_no_warning(read):
    survey = read("timestamp,deployment,species,comments,temperature\n2024-02-03 21:14,d1,leopard,ran,4\n")
    assert survey.notes[-1] == "Columns of records.csv: without a role: 'comments', 'temperature'."


def test_two_columns_for_one_role_are_named(read):
    survey = read("timestamp,deployment,common name,scientific name\n2024-02-03 21:14,d1,leopard,Panthera pardus\n")
    assert survey.records["species"].tolist() == ["Panthera pardus"]
    assert survey.records["common name"].tolist() == ["leopard"]
    assert "'common name' is not read, since 'scientific name' is the species" in survey.notes[-1]


def test_an_unknown_station_of_failures_begins_its_advice_with_a_capital(read):
    with pytest.raises(DataError, match=r"failures.csv line 2: station 'Z' is not in the survey. The survey has 'A'"):
        read(failures="station,start,end\nZ,2024-02-05,2024-02-06\n")


@pytest.mark.parametrize("count", ["1e30", "inf", "-2", "1.5"])
def test_counts_that_are_none(read, count):
    with pytest.raises(
        DataError, match=f"records.csv line 2: count is '{count}'. A whole number is needed, at least 1"
    ):
        read(f"timestamp,deployment,species,count\n2024-02-03 21:14,d1,leopard,{count}\n")


def test_a_failure_of_a_deployment_at_another_station(read):
    with pytest.raises(DataError, match=r"failures.csv line 2: deployment 'd1' is not at station 'B'"):
        read(failures="deployment,station,start,end\nd1,B,2024-02-05,2024-02-06\n")
    survey = read(failures="deployment,station,start,end\nd1,A,2024-02-05,2024-02-06\n")
    assert len(survey.failures) == 1
