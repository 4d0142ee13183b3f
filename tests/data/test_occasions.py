from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leopardpop.data.effort import Running, effort_days, running_intervals
from leopardpop.data.events import first_of_each, independence_interval, independent_events
from leopardpop.data.occasions import DAY, Clock, clock_hour, make_occasions, moment, occasion_length
from leopardpop.errors import DataError

HOUR = DAY // 24
NOON = pd.Timedelta("12h")


def occasions(start, end, length="1D", tz=None):
    return make_occasions(pd.Timestamp(start), pd.Timestamp(end), occasion_length(length), Clock(tz))


def hours(made):
    return (np.diff(made.edges) / HOUR).tolist()


class TestClock:
    def test_the_cameras_own_clock_takes_times_as_they_are(self):
        clock = Clock()
        times = clock.local(["2024-03-31 02:30", None])
        assert times.tolist() == [pd.Timestamp("2024-03-31 02:30"), pd.NaT]
        assert clock.local(["2024-03-31 02:30+10:00"])[0] == pd.Timestamp("2024-03-31 02:30")

    def test_a_fixed_offset(self):
        clock = Clock("UTC+10:00")
        assert clock.local(["2024-01-01 00:00"])[0] == pd.Timestamp("2023-12-31 14:00", tz="UTC")
        assert clock.local(["2024-01-01 00:00+00:00"])[0].hour == 10
        assert clock.wall(clock.local(["2024-01-01 00:00+00:00"]))[0] == pd.Timestamp("2024-01-01 10:00")

    def test_a_named_zone_in_summer_and_winter(self):
        clock = Clock("Europe/Madrid")
        utc = clock.local(["2024-03-31 01:59", "2024-03-31 03:00"]).dt.tz_convert("UTC")
        assert [t.hour for t in utc] == [0, 1]

    def test_times_that_the_clocks_skip_or_repeat(self):
        clock = Clock("Europe/Madrid")
        skipped, repeated = clock.local(["2024-03-31 02:30", "2024-10-27 02:30"])
        assert skipped.isoformat() == "2024-03-31T03:00:00+02:00"
        assert repeated.isoformat() == "2024-10-27T02:30:00+02:00"

    @pytest.mark.parametrize("tz", ["Amur/Leopard", "UTC+ten", "/etc/passwd", "", "../UTC"])
    def test_unknown_zone(self, tz):
        with pytest.raises(DataError, match="is no time zone"):
            Clock(tz)

    @pytest.mark.parametrize("tz, seconds", [("UTC+10:00", 36_000), ("+0530", 19_800), ("GMT-3", -10_800)])
    def test_offsets(self, tz, seconds):
        assert Clock(tz).local(["2024-01-01"])[0].utcoffset() == dt.timedelta(seconds=seconds)


class TestOccasions:
    def test_weeks(self):
        made = occasions("2024-02-01 12:00", "2024-05-02 12:00", "7D")
        assert len(made) == 13
        assert made.wall[[0, 1, -1]].astype("datetime64[m]").astype(str).tolist() == [
            "2024-02-01T12:00",
            "2024-02-08T12:00",
            "2024-05-02T12:00",
        ]
        assert hours(made) == [168.0] * 13

    def test_start_is_included_and_end_is_not(self):
        made = occasions("2024-02-01 12:00", "2024-02-03 12:00")
        second = 1_000_000_000
        edges = made.edges
        instants = np.array([edges[0] - 1, edges[0], edges[1] - second, edges[1], edges[2] - 1, edges[2]])
        assert made.find(instants).tolist() == [-1, 0, 0, 1, 1, 2]

    def test_the_last_is_shorter_if_the_end_comes_first(self):
        assert hours(occasions("2024-02-01", "2024-02-11", "7D")) == [168.0, 72.0]
        assert len(occasions("2024-02-01", "2024-02-11", "30D")) == 1

    def test_summer_time_begins(self):
        assert hours(occasions("2024-03-30 12:00", "2024-04-01 12:00", tz="Europe/Madrid")) == [23.0, 24.0]
        assert hours(occasions("2024-03-31 00:00", "2024-03-31 06:00", "1h", "Europe/Madrid")) == [1, 1, 0, 1, 1, 1]
        made = occasions("2024-03-31 00:00", "2024-03-31 06:00", "1h", "Europe/Madrid")
        assert made.find(made.edges[2:3]).tolist() == [3]  # nothing can happen in an hour that does not exist

    def test_summer_time_ends(self):
        assert hours(occasions("2024-10-26 12:00", "2024-10-28 12:00", tz="Europe/Madrid")) == [25.0, 24.0]
        assert hours(occasions("2024-10-27 00:00", "2024-10-27 05:00", "1h", "Europe/Madrid")) == [1, 1, 2, 1, 1]

    def test_a_camera_clock_knows_no_summer_time(self):
        assert hours(occasions("2024-03-30 12:00", "2024-04-01 12:00")) == [24.0, 24.0]
        assert hours(occasions("2024-03-30 12:00", "2024-04-01 12:00", tz="UTC+01:00")) == [24.0, 24.0]

    def test_midnight_occasions_ten_hours_east_across_new_year(self):
        made = occasions("2023-12-31", "2024-01-02", tz="UTC+10:00")
        assert made.edges[0] == pd.Timestamp("2023-12-30 14:00").value
        instants = [pd.Timestamp(t).value for t in ("2023-12-31 13:59:59", "2023-12-31 14:00:00")]
        assert made.find(np.array(instants)).tolist() == [0, 1]

    @pytest.mark.parametrize(
        "start, end, length, message",
        [
            ("2024-02-02", "2024-02-02", "1D", "must be after start"),
            ("2024-02-02", "2024-02-01", "1D", "must be after start"),
            ("1924-02-02", "2024-02-01", "1min", "are too many"),
        ],
    )
    def test_refuses(self, start, end, length, message):
        with pytest.raises(DataError, match=message):
            occasions(start, end, length)

    @pytest.mark.parametrize(
        "value, days", [("7D", 7), ("12h", 0.5), ("1W", 7), (2, 2), (0.5, 0.5), (dt.timedelta(days=3), 3)]
    )
    def test_lengths(self, value, days):
        assert occasion_length(value) == pd.Timedelta(days=days)

    @pytest.mark.parametrize("value", ["a week", "0D", "-1D", 0, "NaT", None])
    def test_refuses_lengths(self, value):
        with pytest.raises(DataError, match="occasion="):
            occasion_length(value)

    @pytest.mark.parametrize("value", ["noon", "24:00", "12:60", 12])
    def test_refuses_times_of_day(self, value):
        with pytest.raises(DataError, match="must be a time of day"):
            clock_hour(value)


class TestMoment:
    @pytest.mark.parametrize("value", ["2024-02-01", dt.date(2024, 2, 1), pd.Timestamp("2024-02-01"), "20240201"])
    def test_a_date_begins_when_occasions_do(self, value):
        assert moment(value, NOON, Clock(), "start") == pd.Timestamp("2024-02-01 12:00")

    @pytest.mark.parametrize("value", ["2024-02-01 06:00", "2024-02-01T06:00", dt.datetime(2024, 2, 1, 6)])  # noqa: DTZ001
    def test_a_time_is_itself(self, value):
        assert moment(value, NOON, Clock(), "start") == pd.Timestamp("2024-02-01 06:00")

    def test_a_time_with_a_zone_is_converted(self):
        assert moment("2024-02-01 06:00+00:00", NOON, Clock("UTC+10:00"), "start") == pd.Timestamp("2024-02-01 16:00")

    @pytest.mark.parametrize("value", ["1 de febrero", "", None, "NaT", [1]])
    def test_refuses(self, value):
        with pytest.raises(DataError, match=r"end=.* is no date"):
            moment(value, NOON, Clock(), "end")


def deployments(*rows):
    table = pd.DataFrame(rows, columns=["station", "camera", "start", "end"])
    table["deployment"] = [f"d{i}" for i in range(len(table))]
    return table.assign(start=Clock().local(table["start"]), end=Clock().local(table["end"]))


def failures(*rows):
    table = pd.DataFrame(rows, columns=["deployment", "station", "start", "end"])
    return table.assign(start=Clock().local(table["start"]), end=Clock().local(table["end"]))


class TestEffort:
    week = occasions("2024-02-01", "2024-02-08")

    def effort(self, cameras, off=failures(), by_camera=False, made=week):  # noqa: B008
        running = running_intervals(cameras, off, ["A", "B"], Clock(), by_camera=by_camera)
        return effort_days(running, made, 2)

    def test_partial_days_keep_their_part(self):
        effort = self.effort(deployments(("A", "a", "2024-02-02 06:00", "2024-02-04 18:00")))
        assert effort.tolist() == [[0, 0.75, 1, 0.75, 0, 0, 0], [0] * 7]

    def test_gaps_between_deployments_are_no_effort(self):
        effort = self.effort(
            deployments(("A", "a", "2024-01-01", "2024-02-02"), ("A", "a", "2024-02-06 12:00", "2025-01-01"))
        )
        assert effort[0].tolist() == [1, 0, 0, 0, 0, 0.5, 1]

    def test_union_and_sum_of_two_cameras(self):
        cameras = deployments(("A", "l", "2024-02-01", "2024-02-04"), ("A", "r", "2024-02-03 12:00", "2024-02-05"))
        assert self.effort(cameras)[0].tolist() == [1, 1, 1, 1, 0, 0, 0]
        assert self.effort(cameras, by_camera=True)[0].tolist() == [1, 1, 1.5, 1, 0, 0, 0]

    def test_overlapping_deployments_of_one_camera_count_once(self):
        cameras = deployments(("A", "a", "2024-02-01", "2024-02-04"), ("A", "a", "2024-02-03", "2024-02-05"))
        for by_camera in (False, True):
            assert self.effort(cameras, by_camera=by_camera)[0].tolist() == [1, 1, 1, 1, 0, 0, 0]

    def test_failure_of_one_camera_and_of_a_station(self):
        cameras = deployments(("A", "l", "2024-02-01", "2024-02-08"), ("A", "r", "2024-02-01", "2024-02-08"))
        one = failures(("d0", "A", "2024-02-02", "2024-02-05"))
        assert self.effort(cameras, one)[0].tolist() == [1] * 7
        assert self.effort(cameras, one, by_camera=True)[0].tolist() == [2, 1, 1, 1, 2, 2, 2]
        both = failures((None, "A", "2024-02-02", "2024-02-05"), (None, "A", "2024-02-04", "2024-02-05 12:00"))
        assert self.effort(cameras, both)[0].tolist() == [1, 0, 0, 0, 0.5, 1, 1]
        assert self.effort(cameras, both, by_camera=True)[0].tolist() == [2, 0, 0, 0, 1, 2, 2]

    def test_failure_of_everything_and_of_nothing(self):
        cameras = deployments(("A", "a", "2024-02-01", "2024-02-08"), ("B", "b", "2024-02-01", "2024-02-08"))
        off = failures((None, "A", "2024-01-01", "2025-01-01"), (None, "B", "2023-01-01", "2024-02-01"))
        assert self.effort(cameras, off).tolist() == [[0] * 7, [1] * 7]

    def test_hours_lost_to_summer_time(self):
        clock = Clock("Europe/Madrid")
        cameras = deployments(("A", "a", "2024-03-30 12:00", "2024-04-01 12:00"))
        cameras = cameras.assign(start=clock.local(cameras["start"]), end=clock.local(cameras["end"]))
        running = running_intervals(cameras, failures(), ["A"], clock)
        made = occasions("2024-03-30 12:00", "2024-04-01 12:00", tz="Europe/Madrid")
        assert (24 * effort_days(running, made, 1)).tolist() == [[23.0, 24.0]]

    def test_running_at_a_moment(self):
        cameras = deployments(("B", "b", "2024-02-01", "2024-02-03"), ("A", "a", "2024-02-02", "2024-02-04"))
        running = running_intervals(
            cameras, failures((None, "A", "2024-02-03", "2024-02-03 12:00")), ["A", "B"], Clock()
        )
        times = Clock().local(["2024-02-01", "2024-02-02", "2024-02-03", "2024-02-03 12:00", "2024-02-04"])
        instants = Clock().instants(times)
        assert running.at(np.zeros(5, int), instants).tolist() == [False, True, False, True, False]
        assert running.at(np.ones(5, int), instants).tolist() == [True, True, False, False, False]

    def test_no_deployments(self):
        assert self.effort(deployments()).tolist() == [[0] * 7] * 2
        running = running_intervals(deployments(), failures(), ["A"], Clock())
        assert running.at(np.array([0]), np.array([0])).tolist() == [False]

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 100), st.integers(1, 60)), max_size=7),
        st.lists(st.tuples(st.integers(0, 1), st.integers(0, 100), st.integers(1, 40)), max_size=4),
        st.integers(1, 30),
    )
    def test_agrees_with_counting_hours(self, cameras, off, length):
        base = pd.Timestamp("2024-02-01")
        rows = [
            ("AB"[k], f"c{c}", base + pd.Timedelta(hours=s), base + pd.Timedelta(hours=s + n)) for k, c, s, n in cameras
        ]
        gone = [(None, "AB"[k], base + pd.Timedelta(hours=s), base + pd.Timedelta(hours=s + n)) for k, s, n in off]
        made = occasions(base, base + pd.Timedelta(hours=120), f"{length}h")
        on = np.zeros((2, 3, 200), dtype=int)
        for k, c, s, n in cameras:
            on[k, c, s : s + n] = 1
        for k, s, n in off:
            on[k, :, s : s + n] = 0
        edges = [*range(0, 120, length), 120]
        pairs = list(pairwise(edges))
        for by_camera in (False, True):
            effort = 24 * self.effort(deployments(*rows), failures(*gone), by_camera, made)
            hourly = on.sum(axis=1) if by_camera else on.max(axis=1)
            assert np.allclose(effort, np.stack([hourly[:, a:b].sum(axis=1) for a, b in pairs], axis=1))
        running = running_intervals(deployments(*rows), failures(*gone), ["A", "B"], Clock())
        instants = (base + pd.to_timedelta(np.arange(200), unit="h")).as_unit("ns").to_numpy().astype(np.int64)
        for k in (0, 1):
            assert (running.at(np.full(200, k), instants) == on[k].max(axis=0)).all()

    def test_many_intervals_are_done_in_blocks(self):
        n, rng = 500, np.random.default_rng(1)
        start = np.sort(rng.integers(0, 10**6, n)) * 10
        running = Running(np.zeros(n, dtype=np.intp), start, start + 5)
        made = make_occasions(pd.Timestamp(0), pd.Timestamp(10**7), pd.Timedelta(1000), Clock())
        assert effort_days(running, made, 1).sum() * DAY == pytest.approx(5 * n)


class TestEvents:
    def test_interval_since_the_record_before(self):
        minutes = np.array([0, 20, 45, 80, 81]) * 60 * 10**9
        same = np.zeros(5, dtype=int)
        interval = independence_interval("30min")
        assert independent_events([same], minutes, interval).tolist() == [True, False, False, True, False]
        assert independent_events([same], minutes, 0).all()

    def test_an_interval_exactly_long_enough_is_independent(self):
        instants = np.array([0, 30]) * 60 * 10**9
        assert independent_events([np.zeros(2)], instants, independence_interval("30min")).tolist() == [True, True]

    def test_groups_and_order(self):
        animal = np.array([1, 0, 0, 1])
        station = np.array([0, 0, 1, 0])
        instants = np.array([5, 4, 3, 1])
        assert independent_events([animal, station], instants, 10).tolist() == [False, True, True, True]

    def test_none(self):
        assert independence_interval(None) == independence_interval(0) == 0
        with pytest.raises(DataError, match="independence='soon'"):
            independence_interval("soon")
        assert independent_events([np.zeros(0)], np.zeros(0, np.int64), 5).tolist() == []

    def test_first_of_each(self):
        group = np.array([0, 0, 1, 0])
        assert first_of_each([group, group], np.array([3, 1, 9, 2])).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    "value", ["02/03/2024", "13/02/2024", "03.02.2024", "24-02-03", "today", "Feb 3 2024", 20240302, 2024.0, True]
)
def test_dates_that_could_be_several_are_refused(value):
    with pytest.raises(DataError, match=r'start=.* is no date, or could be several. Write "2024-02-01"'):
        moment(value, clock_hour("00:00"), Clock(), "start")


@pytest.mark.parametrize("value", ["2024-02-03", " 2024-02-03 ", "20240203", "2024-02-03T00:00", dt.date(2024, 2, 3)])
def test_dates_that_begin_with_the_year_are_read(value):
    assert moment(value, clock_hour("00:00"), Clock(), "start") == pd.Timestamp("2024-02-03")
