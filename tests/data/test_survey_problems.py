"""Each finder of problems: a survey that has the problem, one that has not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leopardpop.data.occasions import Clock
from leopardpop.data.survey import Survey
from leopardpop.data.survey_problems import FINDERS, find_problems, problems_by_kind
from leopardpop.data.survey_problems_effort import silent_stretches
from leopardpop.data.survey_problems_places import nearest_distances
from leopardpop.data.survey_problems_tables import spelling
from leopardpop.errors import DataError, DataWarning

TODAY = "2025-01-01"
LEOPARD = "Panthera pardus"
STATIONS = pd.DataFrame(
    {"station": list("ABCDE"), "x": [1.0, 3_010, 6_020, 9_030, 12_040], "y": [5.0, 1_015, 25, 1_035, 45]}
)
DEPLOYMENTS = pd.DataFrame(
    {
        "deployment": ["A1", "B1", "C1", "D1", "E1"],
        "station": list("ABCDE"),
        "camera": ["c1", "c2", "c3", "c4", "c5"],
        "start": "2024-02-01 12:00",
        "end": "2024-02-11 12:00",
    }
)
COLUMNS = ["timestamp", "station", "species", "individual", "sex", "life_stage", "flank"]
RECORDS = [
    ("2024-02-02 03:00", "A", LEOPARD, "F01", "F", "adult", "both"),
    ("2024-02-05 22:00", "B", LEOPARD, "M01", "M", "adult", "both"),
    ("2024-02-08 01:00", "C", LEOPARD, "M01", "M", "adult", "right"),
    ("2024-02-06 04:00", "D", "Panthera tigris", "T01", "F", "adult", "left"),
    ("2024-02-06 05:00", "E", None, None, None, None, None),
]


def survey(*more, stations=STATIONS, deployments=DEPLOYMENTS, failures=None, records=RECORDS, **changes):
    table = pd.DataFrame([*records, *more], columns=COLUMNS).assign(source="obs.csv")
    table["line"] = np.arange(2, len(table) + 2)
    return Survey(
        stations=stations, deployments=deployments, failures=failures, records=table.assign(**changes), tz=None
    )


def record(when, station="A", individual="F01", species=LEOPARD, sex=None, stage=None, flank=None):
    return (when, station, species, individual, sex, stage, flank)


def deployed(row, **changes):
    table = DEPLOYMENTS.copy()
    for name, value in changes.items():
        table.loc[row, name] = value
    return table


def more_deployments(**new):
    return pd.concat([DEPLOYMENTS, pd.DataFrame([new])], ignore_index=True)


def kinds(found):
    return [kind for kind, _ in problems_by_kind(found, TODAY)]


def only(found, kind):
    """The one problem of a survey, which must be of this kind."""
    problems = problems_by_kind(found, TODAY)
    assert [name for name, _ in problems] == [kind]
    return problems[0][1]


def failed(start, end, station="A"):
    return pd.DataFrame({"station": [station], "start": [start], "end": [end]})


def test_a_clean_survey_has_none():
    table = find_problems(survey(), TODAY)
    assert table.empty
    assert table.columns.tolist() == ["severity", "where", "found", "fix"]


def test_a_cell_without_end_makes_no_text_without_end():
    endless = record("2024-02-03 03:00", "A", species="Panthera " + "pardus " * 20_000)
    twice = record("2024-02-03 04:00", "A", species="panthera " + "pardus " * 20_000)
    table = find_problems(survey(endless, twice), TODAY)
    assert len(table)
    assert table[["found", "fix"]].map(len).to_numpy().max() < 7_000


def test_every_finder_has_a_name_of_its_own_and_a_docstring():
    assert len({find.__name__ for find in FINDERS}) == len(FINDERS)
    assert all(find.__doc__ for find in FINDERS)


class TestLines:
    """Deployments that a reader read are named with their file and line."""

    read = DEPLOYMENTS.assign(source="deployments.csv", line=range(2, 7))

    def where(self, kind, **tables):
        found = problems_by_kind(survey(**tables), TODAY)
        return [(problem.where, problem.found) for name, problem in found if name == kind]

    def test_of_a_deployment(self):
        late = self.read.assign(start=["1970-01-01", *self.read["start"][1:]])
        assert self.where("reset_deployments", deployments=late)[0][0] == "deployment A1 (deployments.csv:2)"
        long = self.read.assign(end=[*self.read["end"][:4], "2027-02-11"])
        assert self.where("deployment_lengths", deployments=long)[0][0] == "deployment E1 (deployments.csv:6)"
        told = self.read.assign(timestampIssues=[False, True, False, False, False])
        assert self.where("stated_issues", deployments=told)[0][0] == "deployment B1 (deployments.csv:3)"

    def test_of_both_that_overlap(self):
        again = self.read.iloc[[1]].assign(deployment="B2", start="2024-02-05", line=9)
        (found,) = self.where("overlaps", deployments=pd.concat([self.read, again]))
        assert found == (
            "deployment B2 (deployments.csv:9)",
            "starts before deployment B1 (deployments.csv:3) of the same camera ends",
        )

    def test_of_a_station_whose_place_is_wrong(self):
        far = STATIONS.assign(x=[1.0, 3_010, 6_020, 9_030, 112_040])
        found = self.where("far_away", deployments=self.read, stations=far)
        assert found[0][0] == "station E (deployed in deployments.csv:6)"

    def test_of_clocks(self):
        spring = self.read.assign(start="2024-03-25 12:00", end=["2024-03-26 12:00", *["2024-04-05 12:00"] * 4])
        madrid = STATIONS.assign(longitude=[-3.71231, -3.71, -3.7, -3.7, -3.7], latitude=40.4)
        (found,) = self.where("summer_time", deployments=spring, stations=madrid, records=[])
        assert found[0] == "deployments.csv:3"  # the first one that runs across the change
        differ = self.read.assign(utc_offset=["+01:00", "+01:00", "+01:00", "+02:00", "+01:00"])
        (found,) = self.where("offsets_differ", deployments=differ)
        assert found[0] == "deployments.csv:5"  # the first of the rarer offset

    def test_rows_of_a_table_in_memory_are_no_lines_of_a_file(self):
        (found,) = self.where("without_effort", records=[record("2024-06-01")], source="records")
        assert "(2024-06-01 00:00, records row 2)" in found[1]

    def test_of_a_failure(self):
        gone = failed("2023-01-01", "2023-01-02").assign(source="failures.csv", line=4)
        (found,) = self.where("failures_outside", deployments=self.read, failures=gone)
        assert found[1] == (
            "a failure from 2023-01-01 00:00 to 2023-01-02 00:00 (failures.csv:4) lies outside its deployments"
        )


class TestEffort:
    def test_during_a_failure(self):
        found = only(survey(failures=failed("2024-02-02", "2024-02-03")), "without_effort")
        assert found.severity == "must fix"
        assert found.where == "station A"
        assert found.found == "1 record of Panthera pardus (2024-02-02 03:00, obs.csv:2) during a failure"
        assert 'on_zero_effort = "drop"' in found.fix

    def test_outside_the_deployments(self):
        found = only(survey(record("2024-02-11 12:00"), record("2024-02-11 11:59")), "without_effort")
        assert found.found == "1 record of Panthera pardus (2024-02-11 12:00, obs.csv:7) outside its deployments"

    def test_at_a_station_without_a_deployment(self):
        problems = problems_by_kind(survey(deployments=DEPLOYMENTS.iloc[1:]), TODAY)
        assert [kind for kind, _ in problems] == ["without_effort", "never_deployed"]
        assert problems[0][1].found.endswith("without a deployment")
        assert problems[1][1].where == "station A"

    def test_blank_images_outside_are_a_note(self):
        found = only(survey(record("2024-02-12", "E", None, None)), "blanks_outside")
        assert found.severity == "note"

    def test_outside_the_deployment_that_it_names(self):
        more = more_deployments(deployment="A2", station="A", camera="c6", start="2024-02-11", end="2024-02-21")
        late = survey(record("2024-02-13"), deployments=more, deployment=["A1", None, None, None, None, "A1"])
        found = only(late, "outside_own_deployment")
        assert found.where == "deployment A1"
        assert "1 record of Panthera pardus (2024-02-13 00:00, obs.csv:7) outside it" in found.found
        right = survey(record("2024-02-13"), deployments=more, deployment=["A1", None, None, None, None, "A2"])
        assert kinds(right) == []

    def test_overlap_of_one_camera(self):
        new = {"deployment": "A2", "station": "A", "camera": "c1", "end": "2024-02-20"}
        assert only(survey(deployments=more_deployments(**new, start="2024-02-11 11:59")), "overlaps").found == (
            "starts before deployment A1 of the same camera ends"
        )
        assert kinds(survey(deployments=more_deployments(**new, start="2024-02-11 12:00"))) == []
        pair = more_deployments(**new | {"camera": "c6", "end": "2024-02-12"}, start="2024-02-01")
        assert kinds(survey(deployments=pair)) == []

    def test_an_overlap_is_seen_past_a_short_deployment(self):
        short = {"deployment": ["A2", "A3"], "station": "A", "camera": "c1"}
        times = {"start": ["2024-02-02", "2024-02-08"], "end": ["2024-02-03", "2024-02-09"]}
        table = pd.concat([DEPLOYMENTS, pd.DataFrame(short | times)], ignore_index=True)
        assert kinds(survey(deployments=table)) == ["overlaps", "overlaps"]

    def test_a_camera_at_two_places(self):
        found = only(survey(deployments=deployed(1, camera="c1")), "two_places")
        assert found.where == "deployment B1"
        assert found.found == ("camera c1 is at B from 2024-02-01 12:00, at A until 2024-02-11 12:00, deployment A1")

    def test_labels_used_at_every_station_are_not_cameras(self):
        assert kinds(survey(deployments=DEPLOYMENTS.assign(camera="1"))) == []

    def test_never_on(self):
        found = problems_by_kind(survey(failures=failed(None, None, "E")), TODAY)
        assert [(kind, each.where) for kind, each in found] == [("never_on", "station E")]

    def test_a_failure_outside(self):
        assert kinds(survey(failures=failed("2024-02-10", "2024-02-20"))) == []
        found = only(survey(failures=failed("2023-02-02", "2023-02-03")), "failures_outside")
        assert found.found == "a failure from 2023-02-02 00:00 to 2023-02-03 00:00 lies outside its deployments"

    @pytest.mark.parametrize(
        ("start", "found"), [("2022-02-01", "lasts 740 days"), ("2024-02-11 11:30", "lasts 30 minutes")]
    )
    def test_lengths(self, start, found):
        problems = problems_by_kind(survey(deployments=deployed(4, start=start), records=RECORDS[:4]), TODAY)
        assert found in [each.found for kind, each in problems if kind == "deployment_lengths"]


class TestSilence:
    long = DEPLOYMENTS.assign(end="2024-03-02 12:00")  # 30 days

    def test_no_failures_given(self):
        found = only(survey(deployments=self.long), "no_failures")
        assert found.severity == "should look"
        assert found.found == (
            "none given, but 5 deployments had no record for more than 14 days "
            "(longest: A1, 29 days from 2024-02-02 03:00)"
        )

    def test_failures_given(self):
        assert kinds(survey(deployments=self.long, failures=failed("2024-02-20", "2024-02-21"))) == []

    def stretches(self, failures=None, days=14, **changes):
        s = survey(deployments=self.long, failures=failures, **changes)
        return silent_stretches(s.deployments, s.failures, s.records, s.clock, days)

    def test_the_table(self):
        table = self.stretches().set_index("deployment")
        assert table.columns.tolist() == ["station", "camera", "start", "end", "days"]
        assert table.loc["B1", "start"] == pd.Timestamp("2024-02-05 22:00")
        assert table.loc["B1", "end"] == pd.Timestamp("2024-03-02 12:00")
        assert table.loc["B1", "days"] == pytest.approx(25 + 14 / 24)

    def test_a_failure_is_not_silence(self):
        table = self.stretches(failed("2024-02-12", None, "B")).set_index("deployment")
        assert "B1" not in table.index
        kept = self.stretches(failed("2024-02-12", None, "B"), days=5).set_index("deployment")
        assert kept.loc["B1", "end"] == pd.Timestamp("2024-02-12")

    def test_a_record_belongs_to_its_camera(self):
        pair = pd.concat([self.long, self.long.iloc[[0]].assign(deployment="A2", camera="c6")], ignore_index=True)
        cameras = ["c6", "c2", "c3", "c4", "c5"]
        s = survey(deployments=pair, camera=cameras)
        table = silent_stretches(s.deployments, s.failures, s.records, s.clock).set_index("deployment")
        assert table.loc["A1", "days"] == 30
        assert table.loc["A2", "start"] == pd.Timestamp("2024-02-02 03:00")
        unknown = survey(deployments=pair)
        table = silent_stretches(unknown.deployments, unknown.failures, unknown.records, Clock())
        assert table.set_index("deployment").loc["A1", "start"] == pd.Timestamp("2024-02-02 03:00")

    def test_a_camera_without_any_record(self):
        table = self.stretches(records=RECORDS[:4]).set_index("deployment")
        assert table.loc["E1", "days"] == 30

    def test_with_a_zone(self):
        zone = "Asia/Vladivostok"
        s = survey(deployments=self.long)
        aware = Survey(stations=s.stations, deployments=s.deployments, records=s.records, tz=zone)
        table = silent_stretches(aware.deployments, aware.failures, aware.records, aware.clock)
        assert table["start"][0] == pd.Timestamp("2024-02-02 03:00", tz=zone)


class TestClock:
    def test_a_clock_that_was_reset(self):
        found = problems_by_kind(survey(record("2000-01-01 00:05"), record("2000-01-02 00:05")), TODAY)
        assert [kind for kind, _ in found] == ["reset_clock"]  # that nothing was on then follows from it
        assert found[0][1].found.startswith("2 records of Panthera pardus (first 2000-01-01 00:05, obs.csv:7)")

    def test_a_survey_of_the_year_2000_is_one(self):
        then = DEPLOYMENTS.assign(start="2000-02-01", end="2000-02-11")
        assert kinds(survey(deployments=then, records=[record("2000-02-02")])) == []

    def test_a_deployment_of_1970(self):
        found = problems_by_kind(survey(deployments=deployed(4, start="1970-01-01", end="1970-01-11")), TODAY)
        assert ("reset_deployments", "deployment E1") in [(kind, each.where) for kind, each in found]

    def test_what_follows_from_a_wrong_year_is_not_told(self):
        early = deployed(0, start="1970-01-01 12:00")
        assert kinds(survey(deployments=early, stations=self.madrid)) == ["reset_deployments"]

    def test_all_changes_of_the_clocks_are_one_finding(self):
        years = deployed(0, start="2020-05-01 12:00")
        problems = problems_by_kind(survey(deployments=years, stations=self.madrid, records=[]), TODAY)
        (found,) = [problem for kind, problem in problems if kind == "summer_time"]
        assert found.found == (
            "1 deployment on both sides of changes to or from summer time (25 October 2020, 28 March 2021, "
            "31 October 2021, …, 29 October 2023; 7 in all): read as the cameras' own clock, which never changes"
        )

    def test_the_future(self):
        found = problems_by_kind(survey(record("2033-02-02")), TODAY)
        assert [kind for kind, _ in found] == ["in_future"]
        ahead = survey(deployments=deployed(4, start="2033-02-01", end="2033-02-02"), records=RECORDS[:4])
        assert only(ahead, "in_future").where == "deployment E1"

    def test_issues_that_the_export_states(self):
        table = DEPLOYMENTS.assign(timestampIssues=["true", "false", None, "False", "0"])
        found = only(survey(deployments=table, deployment=["A1", None, None, None, None]), "stated_issues")
        assert found.where == "deployment A1"
        assert "the times of 1 record are" in found.found
        unsure = DEPLOYMENTS.assign(timestampIssues=["maybe", "n", None, "no", "0"])
        assert "timestampIssues is 'maybe'" in only(survey(deployments=unsure), "stated_issues").found

    def test_dates_without_a_time_of_day(self):
        days = [record(f"2024-02-{day:02d}", station) for day in range(3, 11) for station in "ABC"]
        dated = [each for each in days if each[1] == "A"]
        assert "dates_only" in kinds(survey(*days, records=[]))
        assert kinds(survey(*dated)) == []
        assert "dates_only" not in kinds(survey(*[(f"{each[0]} 13:00", *each[1:]) for each in days]))

    def test_offsets_that_differ(self):
        table = DEPLOYMENTS.assign(utc_offset=["+01:00", "+01:00", "+01:00", "+02:00", None])
        found = only(survey(deployments=table), "offsets_differ")
        assert found.found == "clocks differ: +01:00 in 3 deployments, +02:00 in 1 deployment"
        assert kinds(survey(deployments=DEPLOYMENTS.assign(utc_offset="+01:00"))) == []

    spring = DEPLOYMENTS.assign(start="2024-03-25 12:00", end="2024-04-05 12:00")
    autumn = DEPLOYMENTS.assign(start="2024-10-20 12:00", end="2024-10-30 12:00")
    madrid = STATIONS.assign(longitude=[-3.71231, -3.71, -3.7, -3.7, -3.7], latitude=40.4)

    def test_a_change_to_summer_time(self):
        found = only(survey(deployments=self.spring, stations=self.madrid, records=[]), "summer_time")
        assert found.found == (
            "5 deployments on both sides of 31 March 2024 (change to summer time): read as the cameras' own clock, "
            "which never changes"
        )

    def test_the_place_is_found_from_metres_too(self):
        far = STATIONS.assign(x=STATIONS["x"] + 440_000, y=STATIONS["y"] + 4_472_000)  # Madrid
        tables = {"stations": far, "deployments": self.spring, "records": pd.DataFrame([], columns=COLUMNS)}
        assert kinds(Survey(**tables, crs="EPSG:32630")) == ["summer_time"]
        assert kinds(Survey(**tables, crs="EPSG:32652")) == []  # the same metres in the Russian Far East
        assert kinds(Survey(**tables, crs="EPSG:32630", tz="UTC+01:00")) == ["summer_time"]
        assert kinds(Survey(**tables, crs="EPSG:32630", tz="Europe/Madrid")) == []

    def test_a_change_from_summer_time_in_america(self):
        place = STATIONS.assign(longitude=[-105.51231, -105, -105, -105, -105], latitude=40.0)
        late = DEPLOYMENTS.assign(start="2024-10-30", end="2024-11-09")
        found = only(survey(deployments=late, stations=place, records=[]), "summer_time")
        assert "5 deployments on both sides of 3 November 2024 (change from summer time)" in found.found

    def test_no_change(self):
        assert kinds(survey(deployments=self.autumn, stations=self.madrid, records=[])) == ["summer_time"]
        russia = STATIONS.assign(longitude=[131.01231, 131, 131, 131, 131], latitude=43.0)
        assert kinds(survey(deployments=self.spring, stations=russia, records=[])) == []
        early = DEPLOYMENTS.assign(end="2024-03-31 00:00", start="2024-03-25")
        assert kinds(survey(deployments=early, stations=self.madrid, records=[])) == []

    def test_the_hour_that_comes_twice(self):
        def of(times):
            table = pd.DataFrame([record(each) for each in times], columns=COLUMNS)
            return Survey(stations=STATIONS, deployments=self.autumn, records=table, tz="Europe/Madrid")

        assert only(of(["2024-10-27 02:30", "2024-10-27 03:30"]), "twice_told").found.startswith("1 record of")
        assert kinds(of(["2024-10-27 01:30"])) == []


class TestPlaces:
    def test_nearest_distances(self):
        assert nearest_distances(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 5.0]])).tolist() == [5, 1, 1]
        assert nearest_distances(np.zeros((1, 2))).tolist() == [np.inf]

    def test_far_away(self):
        far = STATIONS.assign(x=[1.0, 3_010, 6_020, 9_030, 112_040])
        found = only(survey(stations=far), "far_away")
        assert found == (
            "should look",
            "station E",
            "103 km from the nearest other station",
            "correct its coordinates, or make it a survey of its own",
        )

    def test_swapped(self):
        high = STATIONS.assign(y=STATIONS["y"] + 500_000)
        assert kinds(survey(stations=high)) == []
        high.loc[2, ["x", "y"]] = high.loc[2, ["y", "x"]].to_numpy()
        found = only(survey(stations=high, records=RECORDS[:1]), "far_away")
        assert (found.severity, found.where) == ("must fix", "station C")
        assert "swapped" in found.found

    def test_swapped_degrees(self):
        degrees = {"longitude": [4.71231, 4.72, 4.73, 4.74, 51.2], "latitude": [51.21231, 51.22, 51.19, 51.2, 4.75]}
        far = STATIONS.assign(x=[1.0, 3_010, 6_020, 9_030, 4_012_040], **degrees)
        assert "swapped" in only(survey(stations=far), "far_away").found

    def test_zero(self):
        far = STATIONS.assign(x=STATIONS["x"] + 500_000)
        far.loc[0, ["x", "y"]] = 0.0
        assert "its coordinates are 0" in only(survey(stations=far), "far_away").found

    def test_two_areas_are_no_outliers(self):
        two = STATIONS.assign(x=[1.0, 3_010, 6_020, 500_030, 503_040])
        assert kinds(survey(stations=two)) == []

    def test_shared(self):
        same = STATIONS.copy()
        same.loc[1, ["x", "y"]] = same.loc[0, ["x", "y"]].to_numpy()
        assert only(survey(stations=same), "shared_places").where == "stations A, B"

    def test_a_place_that_is_no_number_of_degrees(self):
        words = STATIONS.assign(longitude=["4°12'", "x", "", None, "4.7"], latitude="51.2")
        assert kinds(survey(stations=words)) == []

    def test_rounded_metres(self):
        assert only(survey(stations=STATIONS.round({"x": -2, "y": -2})), "rounded").severity == "note"

    @pytest.mark.parametrize(
        ("decimals", "found", "severity"),
        [(2, "2 decimals", "should look"), (3, "3 decimals", "note"), (4, None, None)],
    )
    def test_rounded_degrees(self, decimals, found, severity):
        places = {"longitude": [131.01234, 131.1, 131.2, 131.3, 131.4], "latitude": [43.01234, 43.1, 43.2, 43.3, 43.4]}
        s = survey(stations=STATIONS.assign(**pd.DataFrame(places).round(decimals)))
        if found is None:
            assert kinds(s) == []
        else:
            problem = only(s, "rounded")
            assert problem.severity == severity
            assert found in problem.found


class TestAnimals:
    def test_no_identity(self):
        found = only(survey(individual=None), "no_identities")
        assert (found.severity, found.where) == ("must fix", "obs.csv")
        assert found.found == "no individual in any of 4 records: occupancy is possible, capture-recapture is not"

    def test_two_sexes(self):
        found = only(survey(record("2024-02-03 03:00", sex="M")), "two_sexes")
        assert found.found == "recorded as F (obs.csv:2) and as M (obs.csv:7)"

    def test_too_fast(self):
        # A to E: 12.04 km; in 2 h 6 km/h, in 1 h 12 km/h, in 6 min 120 km/h
        assert kinds(survey(record("2024-02-02 05:00", "E"))) == []
        found = only(survey(record("2024-02-02 04:00", "E")), "too_fast")
        assert found.where == "individual F01"
        assert found.found == ("at A and E, 12.0 km apart, within 1 h 0 min (12 km/h; 2024-02-02 04:00, obs.csv:7)")
        assert only(survey(record("2024-02-02 03:06", "E")), "too_fast").severity == "must fix"
        assert "(at once; " in only(survey(record("2024-02-02 03:00", "E")), "too_fast").found

    def test_near_stations_are_no_journey(self):
        near = STATIONS.assign(x=[1.0, 800, 6_020, 9_030, 12_040], y=[5.0, 15, 25, 35, 45])
        assert kinds(survey(record("2024-02-02 03:01", "B"), stations=near)) == []

    def test_together(self):
        found = only(survey(record("2024-02-02 03:00", individual="M02", sex="M", stage="adult")), "together")
        assert found.where == "individuals F01 and M02"
        assert found.found == "in one image once, 2024-02-02 03:00 at A (obs.csv:2)"
        cub = record("2024-02-02 03:00", individual="K01", stage="juvenile")
        tiger = record("2024-02-02 03:00", individual="T02", species="Panthera tigris")
        assert kinds(survey(cub)) == ["young"]
        assert kinds(survey(tiger)) == []
        assert kinds(survey(record("2024-02-02 03:01", individual="M02"))) == []

    def test_two_flanks_at_once_may_be_one_animal(self):
        sides = [
            record("2024-02-03", individual=name, flank=flank) for name, flank in (("L1", "left"), ("R1", "right"))
        ]
        found = dict(problems_by_kind(survey(*sides), TODAY))["together"]
        assert found.found.startswith("left flank of one and right flank of the other once, 2024-02-03 00:00 at A")
        assert found.fix == "the same animal? Then give it one identity"

    def test_twice(self):
        found = only(survey(RECORDS[0]), "twice")
        assert found.found == "1 record of Panthera pardus (2024-02-02 03:00, obs.csv:7) there twice"
        assert kinds(survey(record("2024-02-02 03:00", flank="left"))) == []

    def test_species(self):
        more = [record("2024-02-03", species="Pantera pardus"), record("2024-02-04", species=f"{LEOPARD} orientalis")]
        found = only(survey(*more), "species_alike")
        assert found.found == (
            "'Panthera pardus' 3, 'Pantera pardus' 1, 'Panthera pardus orientalis' 1. The same species?"
        )
        assert found.fix == (
            'then say so: species = {"Panthera pardus": ["Panthera pardus", "Pantera pardus", '
            '"Panthera pardus orientalis"]}, or, of '
            'Camtrap DP, species_map = {"Pantera pardus": "Panthera pardus", '
            '"Panthera pardus orientalis": "Panthera pardus"}'
        )

    def test_a_genus_is_not_a_misspelling(self):
        more = [record("2024-02-03", species=name, individual=None) for name in ("Ardea", "Ardea cinerea", "Anas")]
        assert kinds(survey(*more)) == []

    def test_labels(self):
        found = only(survey(record("2024-02-03", individual="f-1")), "labels_alike")
        assert found.found == "'F01', 'f-1' look like one"
        places = STATIONS.assign(station=["CT1", "CT 01", "C", "D", "E"])
        cameras = DEPLOYMENTS.assign(station=places["station"])
        named = survey(stations=places, deployments=cameras, records=RECORDS[3:])
        assert only(named, "labels_alike").where == "stations"

    @pytest.mark.parametrize("label", ["Unknown male", "unid_2", "unknown1", "No ID 4"])
    def test_a_label_for_not_knowing(self, label):
        found = only(survey(record("2024-02-03", individual=label), record("2024-02-04", individual=label)), "nameless")
        assert found.where == f"individual {label}"
        assert found.found.endswith("under a label for not knowing: they count as one animal")
        made = survey(record("2024-02-03", individual=label))
        with pytest.warns(DataWarning, match="is counted as animals: if the label says that nobody knows"):
            made.capture_history(species=str(made.records["species"].iloc[-1]), occasion="7D")

    @pytest.mark.parametrize("label", ["UNID", "indet.", "unmarked", "no id"])
    def test_a_word_for_not_knowing_is_nobody(self, label):
        made = survey(record("2024-02-03", individual=label))
        assert label not in made.records["individual"].tolist()

    @pytest.mark.parametrize("label", ["F01, F02", "F01 & M01", "F01/F02", "F01 and M01"])
    def test_two_animals_in_a_label(self, label):
        found = only(survey(record("2024-02-03", individual=label)), "two_in_a_label")
        assert found.where == f"individual {label}"
        assert found.found.startswith("reads like 2 animals, 'F01', ")
        assert found.severity == ("must fix" if "M01" in label else "should look")
        made = survey(record("2024-02-03", individual=label))
        with pytest.warns(DataWarning, match="is counted beside the animals that the label names"):
            made.capture_history(species=str(made.records["species"].iloc[-1]), occasion="7D")
        assert "labels_alike" not in kinds(survey(record("2024-02-03", individual=label)))
        assert kinds(survey(record("2024-02-03", individual="Anna, north"))) == []

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [("F07", "f 7", True), ("F07", "F70", False), ("L1", "L10", False), ("", "", True), ("Ä1", "ä01", True)],
    )
    def test_spelling(self, one, other, same):
        assert (spelling(one) == spelling(other)) is same

    def test_unidentified(self):
        found = only(survey(record("2024-02-03", individual=None)), "unidentified")
        assert found.found == "1 of 4 records without an identity"

    def test_young(self):
        assert (
            "1 animal known as young only: 'K1'"
            in only(survey(record("2024-02-03", individual="K1", stage="juvenile")), "young").found
        )
        kid = only(survey(record("2024-02-03", individual="K1", stage="fawn")), "young")
        assert "1 animal known as young only: 'K1'" in kid.found
        year = only(survey(record("2024-02-03", individual="Y1", stage="yearling")), "young")
        assert year.found == "1 animal known as 'yearling' only: 'Y1'"
        assert '["adult", "subadult", "yearling"]' in year.fix
        assert "'F01': young in some" in only(survey(record("2024-02-03", stage="juvenile")), "young").found

    def test_flanks(self):
        left, right = (
            record("2024-02-03", individual="L1", flank="left"),
            record("2024-02-04", "C", "R1", flank="right"),
        )
        assert only(survey(right), "one_flank").found == (
            "1 animal known from the left flank only, 1 from the right only"  # T01 is the left one
        )
        assert kinds(survey(left)) == []


def test_gravest_first_and_many_are_counted():
    more = [record("2024-03-01"), record("2024-02-03", individual=None), record("2024-02-03", "B", sex="M")]
    severities = find_problems(survey(*more), TODAY)["severity"].tolist()
    assert severities == ["must fix", "must fix", "note"]


def test_a_survey_without_records():
    assert kinds(survey(records=[])) == []


LABELS = st.sampled_from(["F01", "f-1", "F1", "", "雪豹", "L\t1", "A" * 60, None])
TIMES = st.datetimes(pd.Timestamp("1970").to_pydatetime(), pd.Timestamp("2040").to_pydatetime())
ROWS = st.tuples(
    TIMES,
    st.sampled_from("ABCDE"),
    st.sampled_from([LEOPARD, "Pantera pardus", f"{LEOPARD} orientalis", "panthera PARDUS", "x", None]),
    LABELS,
    st.sampled_from(["F", "M", "?", None]),
    st.sampled_from(["adult", "juvenile", "old", None]),
    st.sampled_from(["left", "right", "both", None]),
)
PLACES = st.sampled_from([0.0, -1.0, 1e7, 43.5, 500_000.0])


@settings(max_examples=30, deadline=None)
@given(
    records=st.lists(ROWS, max_size=8),
    places=st.lists(st.tuples(PLACES, PLACES), min_size=5, max_size=5),
    starts=st.lists(st.tuples(TIMES, st.integers(1, 10_000)), min_size=5, max_size=5),
    off=st.lists(st.tuples(st.sampled_from("ABCDE"), TIMES, st.integers(1, 10_000)), max_size=3),
    tz=st.sampled_from([None, "UTC+10:00", "Europe/Madrid"]),
)
def test_whatever_the_survey_is_problems_are_found_and_ordered(records, places, starts, off, tz):
    hours = pd.Timedelta("1h")
    first = [start for start, _ in starts]
    cameras = DEPLOYMENTS.assign(start=first, end=[start + n * hours for start, n in starts])
    failures = pd.DataFrame([(s, t, t + n * hours) for s, t, n in off], columns=["station", "start", "end"])
    stations = STATIONS.assign(x=[x for x, _ in places], y=[y for _, y in places])
    table = pd.DataFrame(records, columns=COLUMNS)
    found = Survey(stations=stations, deployments=cameras, records=table, failures=failures, tz=tz)
    problems = find_problems(found, TODAY)
    order = ["must fix", "should look", "note"]
    assert problems["severity"].map(order.index).is_monotonic_increasing
    assert problems.notna().all(axis=None)
    assert problems["found"].str.len().gt(0).all()
    silent = silent_stretches(found.deployments, found.failures, found.records, found.clock)
    assert (silent["days"] >= 14).all()


def test_deployments_that_overlap_and_name_no_camera():
    twice = pd.concat([DEPLOYMENTS, DEPLOYMENTS.iloc[[0]].assign(deployment="A2")]).drop(columns="camera")
    found = only(survey(deployments=twice), "unnamed_pairs")
    assert found.found == "deployments overlap at 1 station ('A') and name no camera"
    apart = twice.assign(start=[*twice["start"][:-1], "2024-02-11 12:00"], end=[*twice["end"][:-1], "2024-02-21 12:00"])
    assert "unnamed_pairs" not in kinds(survey(deployments=apart))


def test_a_survey_has_metres():
    degrees = STATIONS.rename(columns={"x": "Longitude", "y": "latitude"})
    with pytest.raises(DataError, match=r"has x and y in metres. lp.read_records\(records, deployments="):
        survey(stations=degrees)


def test_records_of_a_camera_that_was_never_there():
    table = pd.DataFrame([*RECORDS], columns=COLUMNS).assign(camera=["c1", "c2", "c9", "c4", None])
    made = Survey(stations=STATIONS, deployments=DEPLOYMENTS, records=table, tz=None)
    found = only(made, "unknown_cameras")
    assert found.where == "station C"
    assert "of camera c9, which no deployment has at this station" in found.found


def test_words_of_life_stages_that_are_none_are_told():
    made = survey(record("2024-02-03", individual="Z9", stage="adult"))
    species = str(made.records["species"].iloc[-1])
    with pytest.warns(DataWarning, match=r"life_stage: no record has the life stage 'adlt'. Did you mean 'adult'"):
        made.capture_history(species=species, occasion="7D", life_stage=("adlt", "adult"))
    with pytest.warns(DataWarning, match=r"young: no record has the life stage 'cubb'. Did you mean 'cub'"):
        made.detection_history(species=species, occasion="7D", response="state", young=("cubb",))
    with pytest.raises(DataError, match="5 is no word"):
        made.capture_history(species=species, occasion="7D", life_stage=[5])


@pytest.mark.parametrize("species", [5, [LEOPARD, 3], {LEOPARD: 5}, b"P"])
def test_species_that_are_no_names(species):
    with pytest.raises(DataError, match=r"is no name\. Give text, or several"):
        survey(record("2024-02-03")).capture_history(species=species, occasion="7D")


def test_life_stages_that_are_no_words():
    with pytest.raises(DataError, match="life_stage=5 must be several words"):
        survey(record("2024-02-03")).capture_history(species=LEOPARD, occasion="7D", life_stage=5)


def test_counts_that_no_picture_shows():
    table = find_problems(survey(count=[1, 2, 1_000_000_000, 1, 1]), TODAY)
    told = table[table["found"].str.contains("animals in one record")]
    assert told[["where", "found"]].to_numpy().tolist() == [["obs.csv:4", "1,000,000,000 animals in one record"]]
    assert not find_problems(survey(), TODAY)["found"].str.contains("in one record").any()
