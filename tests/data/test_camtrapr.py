"""camtrapR's tables: its own sample, and what people do to such tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import DataError, DataWarning

CAMERAS = (
    "Station,utm_x,utm_y,Setup_date,Retrieval_date,Problem1_from,Problem1_to\n"
    "A,526000,604000,02/04/2009,14/05/2009,,\n"
    "B,523000,606000,03/04/2009,16/05/2009,10/05/2009,12/05/2009\n"
)
RECORDS = (
    "Station,Species,Individual,DateTimeOriginal,delta.time.secs,FileName\n"
    "A,cat,1,2009-04-21 00:40:00,0,a1.JPG\n"
    "B,cat,1,2009-04-22 20:19:00,0,b1.JPG\n"
    "B,cat,2,2009-04-22 20:21:00,120,b2.JPG\n"
)


@pytest.fixture
def read(tmp_path):
    """Write texts as files and read them."""

    def _read(records=RECORDS, cameras=CAMERAS, *, encoding="utf-8", date_format="%d/%m/%Y", **options):
        files = {"records.csv": records, "cameras.csv": cameras}
        for name in ("failures", "time_shifts"):
            if name in options:
                files[f"{name}.csv"] = options[name]
                options[name] = tmp_path / f"{name}.csv"
        for name, text in files.items():
            (tmp_path / name).write_bytes(text.encode(encoding))
        paths = tmp_path / "records.csv", tmp_path / "cameras.csv"
        return lp.read_camtrapr(*paths, date_format=date_format, **options)

    return _read


def days(survey) -> dict[str, float]:
    effort = survey.capture_history(occasion="1D", occasion_start="00:00", on_zero_effort="drop").effort
    return effort.groupby("station")["effort"].sum().to_dict()


# The sample of camtrapR: setup and retrieval are dates (noon), StationC was broken from 12 to 17 May, its last day.


@pytest.fixture
def sample(shared):
    folder = shared / "data" / "camtrapr-sample"

    def _sample(records, cameras, **options):
        return lp.read_camtrapr(folder / records, folder / cameras, date_format="%d/%m/%Y", **options)

    return _sample


def test_the_sample_with_a_problem(sample):
    survey = sample("recordTableIndividualSample.csv", "camtraps.csv")
    # 2 April noon to 14 May noon: 42; 3 April to 16 May: 43; 4 April to 17 May: 43, less 12 May 0:00 to 17 May 12:00
    assert days(survey) == {"StationA": 42.0, "StationB": 43.0, "StationC": 43.0 - 5.5}
    assert survey.failures["start"].tolist() == [pd.Timestamp("2009-05-12")]
    assert survey.failures["end"].tolist() == [pd.Timestamp("2009-05-17 12:00")]
    assert survey.records.groupby(["station", "individual"]).size().to_dict() == {
        ("StationA", "1"): 1,
        ("StationA", "2"): 3,
        ("StationB", "1"): 3,
        ("StationB", "2"): 4,
        ("StationB", "3"): 2,
        ("StationC", "1"): 6,
        ("StationC", "2"): 1,
        ("StationC", "3"): 1,
    }
    assert (survey.tz, survey.crs) == (None, None)
    assert survey.notes == (
        "camtrapR tables: 3 deployments, 21 records used of 21",
        "A start that is a date is taken at 12:00, an end at 12:00.",
        "Times are the cameras' own clock: these tables have no zone.",
        "Columns of recordTableIndividualSample.csv: without a role: 'delta.time.secs', 'delta.time.mins', "
        "'delta.time.hours', 'delta.time.days', 'HierarchicalSubject', 'Model', 'Make'.",
    )
    history = survey.capture_history(occasion="1D", occasion_start="00:00")
    assert history.n_individuals == 3
    effort = history.effort[history.effort["station"] == "StationC"].set_index("occasion")["effort"]
    assert effort[["2", "3", "4", "40", "41", "46"]].tolist() == [0, 0.5, 1, 1, 0, 0]  # occasion 1 is 2 April


def test_all_species_of_the_sample(sample):
    survey = sample("recordTableSample.csv", "camtraps.csv")
    assert survey.records["species"].value_counts().to_dict() == {"EGY": 6, "MNE": 2, "PBE": 18, "TRA": 8, "VTA": 5}
    assert survey.audit["action"].tolist() == ["kept"] * 39
    assert survey.audit["line"].tolist() == list(range(2, 41))


def test_the_sample_of_two_seasons(sample):
    survey = sample("recordTableSampleMultiSeason.csv", "camtrapsMultiSeason.csv")
    assert survey.deployments["session"].tolist() == ["2009"] * 3 + ["2010"] * 4
    assert survey.stations["station"].tolist() == ["StationA", "StationB", "StationC", "StationD"]
    assert len(survey.records) == 78
    on = (survey.deployments["end"] - survey.deployments["start"]) / pd.Timedelta("1D")
    assert on.tolist() == [42, 43, 43, 42, 43, 43, 74]
    off = (survey.failures["end"] - survey.failures["start"]) / pd.Timedelta("1D")
    seen = (2 * 3600 + 32 * 60 + 1) / 86_400  # StationC took an image at 2:32 on the first day, in both years
    assert off.tolist() == pytest.approx([5.5 - seen, 5.5 - seen, 11])  # StationD: 20 to 30 May, both days whole
    individuals = sample("recordTableIndividualSampleMultiSeason.csv", "camtrapsMultiSeason.csv")
    history = individuals.capture_history(
        occasion="10D",
        on_zero_effort="drop",
        sessions={"2009": ("2009-04-01", "2009-06-30"), "2010": ("2010-04-01", "2010-06-30")},
    )
    assert history["2009"].n_stations == 3
    assert history["2010"].n_stations == 4
    assert history["2010"].effort["effort"].sum() == 42 + 43 + 37.5 + 63
    by_column = individuals.capture_history(occasion="10D", on_zero_effort="drop", sessions="session")
    assert by_column.sessions == history.sessions
    for each in history.sessions:
        assert by_column[each].effort["effort"].sum() == history[each].effort["effort"].sum()
        assert by_column[each].n_individuals == history[each].n_individuals
    seasons = survey.detection_history(
        species="PBE", occasion="10D", on_zero_effort="drop", seasons="session", response="count"
    )
    assert seasons.seasons == ("2009", "2010")
    effort = float(seasons.dataset["effort"].sel(season="2010").sum())
    assert effort == pytest.approx(42 + 43 + 37.5 + seen + 63)


def test_clocks_of_the_sample_are_corrected(sample, shared):
    shifts = shared / "data" / "camtrapr-sample" / "timeShiftTable.csv"
    before = sample("recordTableSample.csv", "camtraps.csv").records
    after = sample("recordTableSample.csv", "camtraps.csv", time_shifts=shifts)
    moved = after.records["timestamp"] - before["timestamp"]
    assert moved.groupby(before["station"]).unique().map(list).to_dict() == {
        "StationA": [pd.Timedelta("-365D")],  # a year of the calendar, without 29 February
        "StationB": [pd.Timedelta("12h")],
        "StationC": [pd.Timedelta(0)],
    }
    reasons = after.audit.groupby("reason").size().to_dict()
    assert reasons == {"": 21, "time corrected by +0:0:0 12:0:0": 12, "time corrected by -1:0:0 0:0:0": 6}


# Days and times of day


@pytest.mark.parametrize(
    ("start_time", "end_time", "expected"),
    [
        ("12:00", "12:00", {"A": 42.0, "B": 43.0 - 3}),
        ("00:00", "24:00", {"A": 43.0, "B": 44.0 - 3}),
        ("06:00", "18:00", {"A": 42.5, "B": 43.5 - 3}),
    ],
)
def test_which_part_of_a_day_counts(read, start_time, end_time, expected):
    assert days(read(start_time=start_time, end_time=end_time)) == expected


def test_times_of_day_are_taken_as_they_are(read):
    cameras = CAMERAS.replace("02/04/2009", "02/04/2009 18:00").replace("12/05/2009", "12/05/2009 06:00")
    # A: 41.75 days; B: the problem begins at 0:00 of 10 May and ends at 6:00 of 12 May
    assert days(read(cameras=cameras)) == {"A": 41.75, "B": 43 - 2.25}


def test_a_problem_is_cut_to_its_deployment(read):
    cameras = CAMERAS.replace("10/05/2009,12/05/2009", "03/04/2009,16/05/2009")
    survey = read(cameras=cameras)
    assert survey.failures["start"][0] == survey.deployments["start"][1]
    assert survey.failures["end"][0] == survey.deployments["end"][1]
    assert read(cameras=CAMERAS.replace("_from", ".from").replace("_to", ".to")).failures.shape[0] == 1


def test_a_problem_without_a_number_is_one(read):
    unnumbered = CAMERAS.replace("Problem1_", "Problem_")
    assert days(read(cameras=unnumbered)) == days(read())
    with pytest.raises(DataError, match="has 'Problem_from' but no 'Problem_to'"):
        read(cameras=unnumbered.replace("Problem_to", "Trouble_to"))


def test_two_problems_and_a_table_of_failures(read):
    cameras = CAMERAS.replace("Problem1_to", "Problem1_to,Problem2_from,Problem2_to").replace(",,\n", ",,,,\n")
    cameras = cameras.replace("12/05/2009\n", "12/05/2009,14/05/2009,14/05/2009\n")
    survey = read(cameras=cameras, failures="station,start,end\nA,05/04/2009,06/04/2009\n")
    assert days(survey) == {"A": 41.0, "B": 43 - 3 - 1}
    assert survey.failures["source"].tolist() == ["cameras.csv", "cameras.csv", "failures.csv"]


# Stations, cameras, sessions


def test_two_cameras_at_a_station(read):
    cameras = (
        "Station,Camera,utm_x,utm_y,Setup_date,Retrieval_date,road\n"
        "A,left,0,0,2009-04-02,2009-04-12,yes\nA,right,0,0,2009-04-07,2009-04-17,yes\nB,1,9,0,2009-04-02,2009-04-12,no\n"
    )
    records = RECORDS.replace("2009-04-2", "2009-04-1").replace("Station,", "Camera,Station,")
    records = records.replace("\nA", "\nleft,A").replace("\nB", "\n1,B")
    survey = read(records, cameras, date_format=None)
    assert survey.deployments["deployment"].tolist() == ["A-left", "A-right", "B-1"]
    assert survey.records["camera"].tolist() == ["left", "1", "1"]
    assert survey.stations["road"].tolist() == ["yes", "no"]
    effort = {
        how: survey.capture_history(occasion="15D", cameras=how, on_zero_effort="drop").effort["effort"].tolist()
        for how in ("union", "sum")
    }
    assert effort == {"union": [15.0, 10.0], "sum": [20.0, 10.0]}


def test_covariates_that_change_stay_with_the_deployments(read):
    cameras = (
        "Station,utm_x,utm_y,Setup_date,Retrieval_date,season,lure,habitat\n"
        "A,0,0,2009-04-02,2009-04-12,1,no,forest\nA,0,0,2010-04-02,2010-04-12,2,yes,forest\n"
    )
    survey = read(RECORDS[: RECORDS.index("B,")], cameras, date_format=None)
    assert survey.stations.columns.tolist() == ["station", "x", "y", "habitat"]
    assert survey.deployments["lure"].tolist() == ["no", "yes"]
    assert survey.deployments["session"].tolist() == ["1", "2"]


def test_degrees_are_projected_and_the_zone_is_named(read):
    cameras = CAMERAS.replace("utm_x,utm_y", "long,lat").replace("526000,604000", "117.25,5.46")
    survey = read(cameras=cameras.replace("523000,606000", "117.22,5.48"))
    assert survey.crs == "EPSG:32650"
    a, b = survey.stations[["x", "y"]].to_numpy()
    assert np.hypot(*(a - b)) == pytest.approx(np.hypot(0.03 * 110_820, 0.02 * 110_590), rel=5e-3)  # degrees at 5.5° N


def test_positions_that_differ_a_little(read):
    cameras = CAMERAS + "A,526020,604000,02/04/2010,14/05/2010,,\n"
    with pytest.warns(DataWarning, match=r"1 station of cameras\.csv differ by up to 20 m"):
        survey = read(cameras=cameras)
    assert survey.stations["x"].tolist() == [526000, 523000]


# Columns and cells


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encodings_and_line_ends(read, encoding, line_end):
    records = RECORDS.replace(",cat,", ",Léopard,").replace("\n", line_end)
    survey = read(records, CAMERAS.replace("\n", line_end), encoding=encoding)
    assert survey.records["species"].tolist() == ["Léopard"] * 3
    assert survey.records["line"].tolist() == [2, 3, 4]


def test_semicolons_and_decimal_commas(read):
    cameras = CAMERAS.replace(",", ";").replace("526000", "526000,5")
    assert read(cameras=cameras).stations["x"].tolist() == [526000.5, 523000]


def test_date_and_time_in_two_columns(read):
    records = "Station,Species,Date,Time\nA,cat,2009-04-21,00:40:00\nA,cat,2009-04-22,01:40\n"
    assert read(records).records["timestamp"].tolist() == [
        pd.Timestamp("2009-04-21 00:40"),
        pd.Timestamp("2009-04-22 01:40"),
    ]
    records = records.replace("2009-04-21", "21/04/2009").replace("2009-04-22", "22/04/2009")
    assert read(records).records["timestamp"][1] == pd.Timestamp("2009-04-22 01:40")


def test_columns_of_metadata_tags(read):
    records = (
        "Station,DateTimeOriginal,metadata_Species,metadata_individual,metadata_sex,metadata_age,metadata_side,"
        "metadata_behaviour,metadata_count\n"
        "A,2009-04-21 00:40:00,cat,F1,female,Adult,L,resting,2\nA,2009-04-22 00:40:00,cat,,unknown,unknown,,,\n"
    )
    one, two = read(records).records.to_dict("records")
    assert [one[k] for k in ("species", "individual", "sex", "life_stage", "flank", "count")] == [
        *("cat", "F1", "F", "adult", "left", 2)
    ]
    assert one["metadata_behaviour"] == "resting"
    assert [two[k] for k in ("individual", "sex", "life_stage", "flank", "count")] == [None, None, None, None, 1]


def test_a_map_of_columns(read):
    records = RECORDS.replace("Station", "Punto").replace("Species", "Especie")
    names = {"records": {"Punto": "station", "Especie": "species"}}
    assert read(records, columns=names).records["species"].tolist() == ["cat"] * 3
    with pytest.raises(
        DataError, match=r"columns= names 'Ponto', which records\.csv does not have.*Did you mean 'Punto'"
    ):
        read(records, columns={"records": {"Ponto": "station"}})
    with pytest.raises(DataError, match=r"columns= has 'record'.*Did you mean 'records'"):
        read(records, columns={"record": {"Punto": "station"}})


def test_frames_are_like_files(read, tmp_path):
    survey = read()
    frames = (pd.read_csv(tmp_path / name) for name in ("records.csv", "cameras.csv"))
    again = lp.read_camtrapr(*frames, date_format="%d/%m/%Y")
    pd.testing.assert_frame_equal(again.stations, survey.stations)
    pd.testing.assert_frame_equal(
        again.deployments.drop(columns=["source", "line"]), survey.deployments.drop(columns=["source", "line"])
    )
    assert again.records["timestamp"].tolist() == survey.records["timestamp"].tolist()
    parsed = pd.read_csv(tmp_path / "cameras.csv", parse_dates=["Setup_date", "Retrieval_date"], dayfirst=True)
    dated = lp.read_camtrapr(tmp_path / "records.csv", parsed, date_format="%d/%m/%Y")
    assert dated.deployments["start"].tolist() == survey.deployments["start"].tolist()


def test_a_zone_for_the_clock(read):
    assert read(tz="Asia/Kuching").records["timestamp"][0].isoformat() == "2009-04-21T00:40:00+08:00"
    assert read(tz=None).records["timestamp"][0].tz is None
    zoned = RECORDS.replace("00:40:00", "00:40:00+09:00")
    with pytest.raises(DataError, match=r"records\.csv line 2: .*carries an offset from UTC"):
        read(zoned.replace("20:19:00", "20:19:00Z").replace("20:21:00", "20:21:00Z"))


# The audit


def test_rows_that_are_the_same_are_one_record(read):
    survey = read(RECORDS + RECORDS.splitlines()[2] + "\n")
    assert survey.audit.to_dict("list") == {
        "source": ["records.csv"] * 4,
        "line": [2, 3, 4, 5],
        "action": ["kept", "kept", "kept", "merged"],
        "reason": ["", "", "", "the same in every column as records.csv line 3"],
    }
    assert len(survey.records) == 3


def test_a_word_for_nobody_is_no_animal(read):
    survey = read(RECORDS.replace("cat,2,", "cat,Unknown,"))
    assert survey.records["individual"].tolist() == ["1", "1", None]
    assert survey.audit["reason"].tolist() == ["", "", "individual 'Unknown' is no identity"]
    assert survey.capture_history(occasion="10D").n_individuals == 1


def test_no_records_is_a_survey(read):
    survey = read(RECORDS.splitlines()[0] + "\n")
    assert (len(survey.records), len(survey.audit), len(survey.stations)) == (0, 0, 2)


def test_records_without_a_time_of_day(read):
    records = RECORDS.replace(" 00:40:00", "").replace(" 20:19:00", "").replace(" 20:21:00", "")
    with pytest.warns(DataWarning, match="has no time of day, so each record is taken at 00:00"):
        assert read(records).records["timestamp"][0] == pd.Timestamp("2009-04-21")


# What is wrong, where, and what to do


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"date_format": None},
            r"cameras\.csv line 2: Setup_date is '02/04/2009', not written as .* \(2 rows in all\)\. Several formats "
            r"fit all of them.* date_format='%d/%m/%Y' \(2 April 2009\) or '%m/%d/%Y' \(4 February 2009\)",
        ),
        (
            {"date_format": "%m/%d/%Y"},
            r"cameras\.csv line 2: Retrieval_date is '14/05/2009', which date_format='%m/%d/%Y' does not fit .*"
            r"Pass date_format='%d/%m/%Y', which fits all of them",
        ),
        ({"date_format": "dmy"}, r"date_format='dmy' is no format\. Write for example \"%d/%m/%Y\""),
        ({"date_format": "%d/%m/%Q"}, r"date_format='%d/%m/%Q' is no format"),
        ({"date_format": "%d/%m/%Y %z"}, r"reads a time zone. Leave it out; tz="),
        ({"tz": "Asia/Vladivostock"}, r"tz='Asia/Vladivostock' is no time zone"),
        ({"start_time": "25:00"}, r"start_time='25:00' is no time of day. Write \"00:00\" to \"24:00\""),
        (
            {"cameras": CAMERAS.replace("14/05/2009", "01/04/2009")},
            r"cameras\.csv line 2: Retrieval_date \(2009-04-01 12:00\) is not after Setup_date \(2009-04-02 12:00\)",
        ),
        (
            {"cameras": CAMERAS.replace("14/05/2009", "02/04/2009")},
            r"cameras\.csv line 2: Retrieval_date \(2009-04-02 12:00\) is not after",
        ),
        ({"cameras": CAMERAS.replace("14/05/2009", "")}, r"cameras\.csv line 2: Retrieval_date is missing"),
        (
            {"cameras": CAMERAS.replace("14/05/2009", "31/04/2009")},
            r"cameras\.csv line 2: Retrieval_date is '31/04/2009'",
        ),
        (
            {"cameras": CAMERAS.replace("14/05/2009", "14/05/9009")},
            r"cameras\.csv line 2: Retrieval_date is '14/05/9009'\. A year from 1900 to 2199",
        ),
        (
            {"cameras": CAMERAS.replace("12/05/2009", "09/05/2009")},
            r"cameras\.csv line 3: Problem1_to .* is not after Problem1_from",
        ),
        ({"cameras": CAMERAS.replace("12/05/2009", "")}, r"cameras\.csv line 3: Problem1_to is missing"),
        ({"cameras": CAMERAS.replace("10/05/2009", "")}, r"cameras\.csv line 3: Problem1_from is missing"),
        (
            {"cameras": CAMERAS.replace("12/05/2009", "18/05/2009")},
            r"cameras\.csv line 3: Problem1_to is '18/05/2009', but the camera was there from 2009-04-03 to 2009-05-16",
        ),
        (
            {"cameras": CAMERAS.replace("10/05/2009", "01/04/2009")},
            r"cameras\.csv line 3: Problem1_from is '01/04/2009', but the camera was there",
        ),
        (
            {"cameras": CAMERAS.replace("Problem1_to", "Remarks").replace("12/05/2009", "")},
            r"cameras\.csv has 'Problem1_from' but no 'Problem1_to'",
        ),
        (
            {"cameras": CAMERAS + "A,526000,604000,01/05/2009,20/05/2009,,\n"},
            r"cameras\.csv line 4: 'A' is there twice at the same time: it overlaps with cameras\.csv line 2\. Name "
            r"the cameras in a column 'Camera'",
        ),
        (
            {"cameras": CAMERAS + "A,526000,609000,01/06/2009,20/06/2009,,\n"},
            r"cameras\.csv line 4: station 'A' is 5,000 m from where cameras\.csv line 2 has it",
        ),
        (
            {"cameras": CAMERAS.replace("Setup_date", "Aufbau")},
            r"cameras\.csv has no column 'Setup_date' \(our name: start\)",
        ),
        (
            {"cameras": CAMERAS.replace("Setup_date", "Set_up_dates")},
            r"Is it 'Set_up_dates'\? Then pass columns=\{'cameras': \{'Set_up_dates': 'start'\}\}",
        ),
        ({"cameras": CAMERAS.replace("utm_x", "km_east")}, r"cameras\.csv does not say where stations are"),
        (
            {"cameras": CAMERAS.replace("526000", "12°30'")},
            r"cameras\.csv line 2: utm_x is '12°30''\. A number is needed",
        ),
        ({"cameras": CAMERAS.replace("526000", "")}, r"cameras\.csv line 2: utm_x is missing"),
        (
            {"cameras": CAMERAS.replace("526000,604000", "117.25,5.46").replace("523000,606000", "117.22,5.48")},
            r"look like degrees",
        ),
        (
            {"cameras": CAMERAS.replace("utm_x,utm_y", "lat,long").replace("526000,604000", "117.2,5.4")},
            r"cameras\.csv line 3: long is '606000'",
        ),
        (
            {
                "cameras": CAMERAS.replace("utm_x,utm_y", "lat,long")
                .replace("526000,604000", "117.2,5.4")
                .replace("523000,606000", "117.3,5.5")
            },
            r"cameras\.csv line 2: lat is '117\.2' .*Decimal degrees between -90 and 90 are needed\. Are latitude and",
        ),
        (
            {"cameras": CAMERAS.replace("526000,604000", "4760000,604000"), "crs": "EPSG:32650"},
            r"cameras\.csv line 2: utm_x is 4\.76e\+06 and utm_y 604000, which EPSG:32650 does not have\. .*swapped",
        ),
        ({"cameras": CAMERAS.splitlines()[0] + "\n"}, r"cameras\.csv has no rows: the survey has no stations"),
        ({"cameras": ""}, r"cameras\.csv is empty"),
        ({"records": ""}, r"records\.csv is empty"),
        (
            {"records": RECORDS.replace("\nA", "\nAA")},
            r"records\.csv line 2: Station 'AA' is not in cameras\.csv\. cameras\.csv has 'A', 'B'\. Did you mean 'A'",
        ),
        ({"records": RECORDS.replace("\nA", "\n")}, r"records\.csv line 2: Station is missing"),
        (
            {"records": RECORDS.replace("00:40:00", "24:40:00")},
            r"records\.csv line 2: DateTimeOriginal is '2009-04-21 24:40",
        ),
        ({"records": RECORDS.replace("2009-04-21 00:40:00", "now")}, r"records\.csv line 2: DateTimeOriginal is 'now'"),
        ({"records": RECORDS.replace("2009-04-21 00:40:00", "")}, r"records\.csv line 2: DateTimeOriginal is missing"),
        (
            {"records": RECORDS.replace("DateTimeOriginal", "When")},
            r"records\.csv has no column for the time of records",
        ),
        (
            {"records": RECORDS.replace("2009-04-21 00:40:00", "2009-04-21 00:40:00+08:00")},
            r"all with a zone or all without",
        ),
        (
            {"records": RECORDS.replace(",delta.time.secs", ",count").replace(",0,b1", ",two,b1")},
            r"records\.csv line 2: count is '0'|records\.csv line 3: count is 'two'",
        ),
        (
            {"time_shifts": "Station,timeshift,sign\nC,0:0:0 1:0:0,+\n"},
            r"time_shifts\.csv line 2: Station 'C' is not in",
        ),
        (
            {"time_shifts": "Station,timeshift,sign\nA,1 hour,+\n"},
            r"time_shifts\.csv line 2: the correction is '\+' '1 hour'\. Write a sign",
        ),
        (
            {"time_shifts": "Station,timeshift,sign\nA,9000:0:0 0:0:0,+\n"},
            r"time_shifts\.csv line 2: '\+9000:0:0 0:0:0' leads out of the calendar",
        ),
        (
            {"time_shifts": "Station,timeshift,sign\nA,0:0:0 1:0:0,+\nA,0:0:0 1:0:0,+\n"},
            r"time_shifts\.csv line 3: the clock of 'A' is corrected by an earlier row",
        ),
        (
            {"time_shifts": "Station,camera,timeshift,sign\nA,left,0:0:0 1:0:0,+\n"},
            r"time_shifts\.csv line 2: there is no record of camera 'left' at 'A' in records\.csv",
        ),
        ({"failures": "station,start,end\nQ,,\n"}, r"failures\.csv line 2: station 'Q' is not in the survey"),
        ({"failures": "station,start,end\n,01/05/2009,\n"}, r"failures\.csv line 2: it names neither a deployment nor"),
    ],
)
def test_bad_input(read, changes, message):
    with pytest.raises(DataError, match=message):
        read(**changes)


def test_a_missing_file_offers_the_nearest(tmp_path):
    (tmp_path / "cameras.csv").write_text(CAMERAS)
    with pytest.raises(DataError, match=r"there is no file .*Did you mean 'cameras\.csv'"):
        lp.read_camtrapr(pd.DataFrame({"Station": []}), tmp_path / "camera.csv")
    with pytest.raises(DataError, match="records is a list; a DataFrame or the path of a file is needed"):
        lp.read_camtrapr([], tmp_path / "cameras.csv", date_format="%d/%m/%Y")


def test_offenders_travel_with_the_error(read):
    with pytest.raises(DataError) as caught:
        read(records=RECORDS.replace("\nB", "\nX"))
    assert caught.value.offenders["line"].tolist() == [3, 4]
    assert caught.value.offenders["source"].tolist() == ["records.csv"] * 2


@pytest.mark.parametrize(
    ("times", "start", "end"),
    [
        (["2009-05-09 10:00"], "2009-05-10 00:00", "2009-05-13 00:00"),  # the day before: nothing to narrow
        (["2009-05-10 01:00", "2009-05-10 02:32"], "2009-05-10 02:32:01", "2009-05-13 00:00"),
        (["2009-05-12 15:00", "2009-05-12 20:00"], "2009-05-10 00:00", "2009-05-12 15:00"),
        (["2009-05-10 02:32", "2009-05-12 15:00"], "2009-05-10 02:32:01", "2009-05-12 15:00"),
    ],
)
def test_records_on_the_first_and_last_day_of_a_problem_by_dates(times, start, end):
    cameras = pd.DataFrame({
        "Station": ["A"], "utm_x": [0], "utm_y": [0], "Setup_date": ["2009-04-02"], "Retrieval_date": ["2009-06-14"],
        "Problem1_from": ["2009-05-10"], "Problem1_to": ["2009-05-12"],
    })  # fmt: skip
    records = pd.DataFrame({"Station": "A", "Species": "TRA", "DateTimeOriginal": [f"{time}:00" for time in times]})
    survey = lp.read_camtrapr(records, cameras)
    assert survey.failures["start"].tolist() == [pd.Timestamp(start)]
    assert survey.failures["end"].tolist() == [pd.Timestamp(end)]
    assert ("A problem of A-1 is given by dates" in survey.notes[-1]) == (len(survey.notes) == 4)
    assert survey.detection_history(occasion="1D").n_detections == len({time[:10] for time in times})


def test_a_record_in_the_middle_of_a_problem_stays_a_contradiction():
    cameras = pd.DataFrame({
        "Station": ["A"], "utm_x": [0], "utm_y": [0], "Setup_date": ["2009-04-02"], "Retrieval_date": ["2009-06-14"],
        "Problem1_from": ["2009-05-10"], "Problem1_to": ["2009-05-12"],
    })  # fmt: skip
    records = pd.DataFrame({"Station": "A", "Species": "TRA", "DateTimeOriginal": ["2009-05-11 10:00:00"]})
    with pytest.raises(DataError, match="station 'A' has 1 detection while no camera was on"):
        lp.read_camtrapr(records, cameras).detection_history(occasion="1D", occasion_start="00:00")
