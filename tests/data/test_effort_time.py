"""Effort and occasions on clocks that change, each answer worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leopardpop.data.survey import Survey
from leopardpop.errors import DataError, DataWarning

STATIONS = pd.DataFrame({"station": ["A"], "x": [500_000.0], "y": [4_700_000.0]})


def survey(start, end, *, times=(), tz=None, failures=None):
    records = pd.DataFrame({"timestamp": list(times) or [start], "station": "A", "individual": "F01"})
    cameras = pd.DataFrame({"station": ["A"], "start": [start], "end": [end]})
    return Survey(stations=STATIONS, deployments=cameras, records=records, failures=failures, tz=tz)


def hours(made, **options):
    """Effort of each occasion in hours, which capture and detection histories must agree on."""
    options = {"occasion": "1D", "effort_unit": "hour"} | options
    history = made.capture_history(**options)
    visits = made.detection_history(**options)
    assert history.effort_unit == visits.effort_unit == "hour"
    effort = history.effort["effort"].tolist()
    assert visits.dataset["effort"].values.ravel().tolist() == effort
    return effort


@pytest.mark.parametrize(
    ("tz", "start", "end", "occasion_start", "expected"),
    [
        ("Europe/Madrid", "2024-03-29 12:00", "2024-04-01 12:00", "12:00", [24, 23, 24]),  # 31 March, 02:00 -> 03:00
        ("Europe/Madrid", "2024-10-26 12:00", "2024-10-28 12:00", "12:00", [25, 24]),  # 27 October, 03:00 -> 02:00
        ("America/New_York", "2024-03-09", "2024-03-12", "00:00", [24, 23, 24]),  # 10 March
        ("America/New_York", "2024-11-02", "2024-11-05", "00:00", [24, 25, 24]),  # 3 November
        ("Africa/Cairo", "2024-04-25", "2024-04-28", "00:00", [24, 23, 24]),  # 26 April begins at 01:00
        ("Australia/Lord_Howe", "2024-04-06", "2024-04-09", "00:00", [24, 24.5, 24]),  # by half an hour
        ("Europe/Dublin", "2024-10-26 12:00", "2024-10-28 12:00", "12:00", [25, 24]),  # winter is its "summer time"
        ("Asia/Vladivostok", "2024-03-29 12:00", "2024-04-01 12:00", "12:00", [24, 24, 24]),  # never changes
        (None, "2024-03-29 12:00", "2024-04-01 12:00", "12:00", [24, 24, 24]),  # a camera does not know
        ("UTC+01:00", "2024-10-26 12:00", "2024-10-28 12:00", "12:00", [24, 24]),
    ],
)
def test_days_on_which_the_clocks_change(tz, start, end, occasion_start, expected):
    assert hours(survey(start, end, tz=tz), occasion_start=occasion_start) == expected


def test_hours_on_the_night_that_the_clocks_change():
    spring = survey("2024-03-31 00:00", "2024-03-31 05:00", tz="Europe/Madrid")
    assert hours(spring, occasion="1h", occasion_start="00:00") == [1, 1, 0, 1, 1]  # 02:00 does not exist
    autumn = survey("2024-10-27 00:00", "2024-10-27 05:00", tz="Europe/Madrid")
    assert hours(autumn, occasion="1h", occasion_start="00:00") == [1, 1, 2, 1, 1]  # 02:00 to 03:00 comes twice


def test_a_season_across_both_changes():
    year = survey("2024-01-01 12:00", "2025-01-01 12:00", tz="Europe/Madrid")
    # 91 days to 1 April 12:00, one hour short; 182 to 30 September; 91 to 30 December, one hour long; and two days
    assert hours(year, occasion="91D") == [91 * 24 - 1, 91 * 24, 91 * 24, 91 * 24 + 1, 48]


def test_a_failure_in_the_night_that_the_clocks_change():
    off = pd.DataFrame({"station": ["A"], "start": ["2024-03-31 00:00"], "end": ["2024-03-31 06:00"]})
    made = survey("2024-03-29 12:00", "2024-04-01 12:00", tz="Europe/Madrid", failures=off)
    assert hours(made) == [24, 23 - 5, 24]  # 00:00 to 06:00 were five hours
    assert hours(survey("2024-03-29 12:00", "2024-04-01 12:00", failures=off)) == [24, 18, 24]


def test_midnight_occasions_ten_hours_east():
    times = ["2024-01-01T13:59:59Z", "2024-01-01T14:00:00Z", "2024-01-02T23:59:59Z"]
    made = survey("2024-01-01T00:00Z", "2024-01-03T00:00Z", times=times, tz="UTC+10:00")  # 10:00 to 10:00, local
    assert hours(made, occasion_start="00:00") == [14, 24, 10]
    history = made.capture_history(occasion="1D", occasion_start="00:00")
    assert history.detections["occasion"].tolist() == ["1", "2", "3"]
    assert hours(made) == [2, 24, 22]  # from noon: local noon of 1 January is 02:00 in Greenwich


def test_a_survey_that_crosses_new_year():
    times = ["2023-12-31 23:59:59", "2024-01-01 00:00", "2024-01-01 12:00", "2024-01-10 00:00"]
    made = survey("2023-12-28 12:00", "2024-01-11 12:00", times=times)
    weeks = made.capture_history(occasion="7D", effort_unit="day")
    assert weeks.effort["effort"].tolist() == [7, 7]
    assert weeks.detections["occasion"].tolist() == ["1", "2"]
    years = made.capture_history(occasion="7D", sessions="year", detector="count")  # a day of 2023 ends at noon
    assert years.effort[["session", "effort"]].to_numpy().tolist() == [["2023", 4], ["2024", 7], ["2024", 3]]
    assert years.detections[["session", "occasion", "count"]].to_numpy().tolist() == [
        ["2023", "1", 1],  # a second apart: one event
        ["2024", "1", 1],
        ["2024", "2", 1],
    ]
    midnight = made.capture_history(occasion="7D", sessions="year", occasion_start="00:00", detector="count")
    assert midnight["2023"].effort["effort"].tolist() == [3.5]
    assert midnight["2023"].n_detections == 1


def test_the_own_clock_of_the_camera_and_a_zone():
    times = ["2024-03-31T11:30:00+01:00"]  # the camera was set in winter: it is 12:30 in Madrid
    made = {tz: survey("2024-03-30T12:00+01:00", "2024-04-01T12:00+01:00", times=times, tz=tz) for tz in
            (None, "Europe/Madrid")}  # fmt: skip
    assert hours(made[None]) == [24, 24]
    assert made[None].capture_history(occasion="1D").detections["occasion"].tolist() == ["1"]
    assert hours(made["Europe/Madrid"]) == [23, 24, 1]  # the camera stopped at 13:00, Madrid
    assert made["Europe/Madrid"].capture_history(occasion="1D").detections["occasion"].tolist() == ["2"]


def test_cameras_with_clocks_of_their_own():
    cameras = pd.DataFrame(
        {
            "station": ["A", "B"],
            "start": ["2024-01-01T12:00+10:00", "2024-01-01T12:00+08:00"],
            "end": ["2024-01-02T12:00+10:00", "2024-01-02T12:00+08:00"],
        }
    )
    stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 3000], "y": [0, 0]})
    records = pd.DataFrame({"timestamp": ["2024-01-01T23:00+08:00"], "station": ["B"], "individual": ["F01"]})
    own = Survey(stations=stations, deployments=cameras, records=records)
    assert own.capture_history(occasion="1D").effort["effort"].tolist() == [1, 1]
    one = Survey(stations=stations, deployments=cameras, records=records, tz="UTC+10:00")
    effort = one.capture_history(occasion="1D", effort_unit="hour").effort["effort"]
    assert effort.tolist() == [24, 0, 22, 2]  # B runs from 14:00 to 14:00


def test_an_offset_that_changes_within_a_deployment_is_said():
    with pytest.warns(DataWarning, match=r"row 0: the offset is \+01:00 at the start and \+02:00 at the end \(1 depl"):
        survey("2024-03-30T12:00+01:00", "2024-04-01T12:00+02:00")
    exact = survey("2024-03-30T12:00+01:00", "2024-04-01T12:00+02:00", tz="Europe/Madrid")
    assert hours(exact) == [23, 24]


def test_times_with_and_without_a_zone_do_not_mix():
    with pytest.raises(DataError, match=r"is at \+00:00 from UTC, its camera has none"):
        survey("2024-03-30T12:00", "2024-04-01T12:00", times=["2024-03-31T12:00", "2024-03-31T12:00Z"])


def test_partial_occasions_keep_their_effort():
    made = survey("2024-02-01 18:00", "2024-02-04 06:00")
    assert hours(made) == [18, 24, 18]
    assert hours(made, occasion="2D", start="2024-02-01", end="2024-02-04") == [42, 18]
    assert hours(made, start="2024-02-02", end="2024-02-03 13:00") == [24, 1]


def test_two_cameras_gaps_and_failures_at_one_station():
    when = pd.Timestamp("2024-02-01")
    cameras = pd.DataFrame(
        {
            "deployment": ["l1", "l2", "r1"],
            "station": "A",
            "camera": ["l", "l", "r"],
            "start": [when, when + pd.Timedelta("60h"), when + pd.Timedelta("12h")],
            "end": [when + pd.Timedelta("36h"), when + pd.Timedelta("96h"), when + pd.Timedelta("66h")],
        }
    )
    off = pd.DataFrame({"deployment": "r1", "start": [when + pd.Timedelta("30h")], "end": when + pd.Timedelta("54h")})
    records = pd.DataFrame({"timestamp": [when], "station": ["A"], "individual": ["F01"]})
    made = Survey(stations=STATIONS, deployments=cameras, records=records, failures=off)
    # left on 0-36 and 60-96, right on 12-30 and 54-66: together 0-36 and 54-96
    assert hours(made, occasion_start="00:00") == [24, 12, 18, 24]
    assert hours(made, occasion_start="00:00", cameras="sum") == [24 + 12, 12 + 6, 12 + 12, 24]


def test_any_length_of_an_occasion():
    made = survey("2024-02-01 12:00", "2024-05-01 12:00")
    for occasion, n in (("1h", 2160), ("7h", 309), ("1D", 90), ("1W", 13), ("30D", 3), ("90D", 1), ("365D", 1)):
        effort = hours(made, occasion=occasion)
        assert len(effort) == n
        assert np.sum(effort) == 2160
