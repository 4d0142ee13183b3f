"""Times with an offset in a survey without a zone: taken at their camera's offset, or refused; never dropped."""

from __future__ import annotations

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.data.offsets import offsets
from leopardpop.errors import DataWarning

from . import camtrap_packages as packages

STATIONS = pd.DataFrame({"station": ["A", "B"], "x": [0.0, 3000.0], "y": [0.0, 500.0]})


def survey(times: list[str], starts: list[str], **options: object) -> lp.Survey:
    """Two stations, one deployment each for a month, and records at A with these times."""
    ends = [s.replace("2024-02-01", "2024-03-02") for s in starts]
    return lp.Survey(
        stations=STATIONS,
        deployments=pd.DataFrame({"deployment": ["a", "b"], "station": ["A", "B"], "start": starts, "end": ends}),
        records=pd.DataFrame({"timestamp": times, "station": "A", "individual": "F1"}),
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("word", "offset"),
    [
        ("2024-02-01T12:00:00Z", "+00:00"),
        ("2024-02-01T12:00:00.5+10:00", "+10:00"),
        ("2024-02-01 12:00-0330", "-03:30"),
        ("2024-02-01 12:00 +10", "+10:00"),
        ("2024-02-01 12:00", None),
        ("2024-02-01", None),
        ("2024-02", None),
    ],
)
def test_offset_of_a_word(word: str, offset: str | None) -> None:
    assert offsets(pd.Series([word])).tolist() == [offset]


def test_offsets_of_datetimes() -> None:
    aware = pd.to_datetime(pd.Series(["2024-02-01 12:00", "2024-07-01 12:00"])).dt.tz_localize("Europe/Madrid")
    assert offsets(aware).tolist() == ["+01:00", "+02:00"]
    assert offsets(aware.dt.tz_localize(None)).tolist() == [None, None]


def test_records_at_another_offset_than_their_camera_are_refused() -> None:
    """20:00 in London is 06:00 the next day at +10:00: half an hour before the second record, not ten hours."""
    times = ["2024-02-03T06:30:00+10:00", "2024-02-02T20:00:00Z"]
    starts = ["2024-02-01T12:00:00+10:00"] * 2
    with pytest.raises(lp.errors.DataError, match=r"row 1.*is at \+00:00 from UTC, its camera is at \+10:00.*tz="):
        survey(times, starts)
    read = survey(times, starts, tz="UTC+10:00").records["timestamp"]
    assert (read[0] - read[1]) == pd.Timedelta("30min")


def test_records_with_an_offset_beside_cameras_without_are_refused() -> None:
    with pytest.raises(lp.errors.DataError, match=r"row 0.*its camera has none"):
        survey(["2024-02-02T20:00:00Z"], ["2024-02-01 12:00"] * 2)


def test_records_at_the_offset_of_their_camera_are_on_its_clock() -> None:
    """Each camera has its own fixed clock: what it showed is what counts."""
    made = survey(["2024-02-02T20:00:00+10:00"], ["2024-02-01T12:00:00+10:00", "2024-02-01T12:00:00+11:00"])
    assert made.records["timestamp"][0] == pd.Timestamp("2024-02-02 20:00")
    assert made.tz is None


def test_plain_tables_with_offsets_need_a_zone() -> None:
    records = pd.DataFrame({"timestamp": ["2024-02-02T20:00:00Z"], "station": ["A"], "individual": ["F1"]})
    deployments = pd.DataFrame({"station": ["A", "B"], "start": "2024-02-01", "end": "2024-03-02"})
    with pytest.raises(lp.errors.DataError, match=r"'2024-02-02T20:00:00Z': it carries an offset.*tz="):
        lp.read_records(records, deployments, STATIONS)
    read = lp.read_records(records, deployments, STATIONS, tz="UTC+10:00").records["timestamp"][0]
    assert read.isoformat() == "2024-02-03T06:00:00+10:00"


DEPLOYMENTS = pd.DataFrame({"station": ["A", "B"], "start": "2024-02-01T12:00+10:00", "end": "2024-03-02T12:00+10:00"})


def read(times: list[str], deployments: pd.DataFrame = DEPLOYMENTS, **options: object) -> lp.Survey:
    records = pd.DataFrame({"timestamp": times, "station": "A", "individual": "F1"})
    return lp.read_records(records, deployments, STATIONS, **options)  # type: ignore[arg-type]


def test_one_offset_of_all_times_is_the_clock() -> None:
    """Whatever makes the survey: tables that a reader reads, or the tables themselves."""
    times = ["2024-02-03T06:30:00+10:00", "2024-02-02T20:00:00+10:00"]
    for made in (read(times), survey(times, ["2024-02-01T12:00+10:00"] * 2)):
        assert made.tz == "UTC+10:00"
        assert made.records["timestamp"][0].isoformat() == "2024-02-03T06:30:00+10:00"
        assert "All times carry one offset: their clock is UTC+10:00." in made.notes


def test_mixed_offsets_of_plain_tables_are_refused() -> None:
    with pytest.raises(lp.errors.DataError, match=r"start is .*carries an offset.*tz="):
        read(["2024-02-03T06:30:00+10:00", "2024-02-02T20:00:00Z"])
    with pytest.raises(lp.errors.DataError, match=r"start is .*carries an offset.*tz="):
        read(["2024-02-03T06:30:00"])


def test_failures_count_for_the_offset() -> None:
    failures = pd.DataFrame({"station": ["A"], "start": ["2024-02-03T00:00Z"], "end": ["2024-02-04T00:00Z"]})
    with pytest.raises(lp.errors.DataError, match="carries an offset"):
        read(["2024-02-03T06:30:00+10:00"], failures=failures)
    with pytest.raises(lp.errors.DataError, match=r"failures row 0: start 2024-02-03T00:00Z is at \+00:00.*has none"):
        survey(["2024-02-02 20:00"], ["2024-02-01 12:00"] * 2, failures=failures)


class TestSkippedHours:
    """On 31 March 2024 the clocks of Madrid go from 02:00 to 03:00."""

    DEPLOYMENTS = pd.DataFrame({"station": ["A"], "start": "2024-03-30 12:00", "end": "2024-04-01 12:00"})
    STATIONS = pd.DataFrame({"station": ["A"], "x": [500_000.0], "y": [4_700_000.0]})

    def records(self, *times):
        return pd.DataFrame({"timestamp": times, "station": "A"})

    def test_a_time_that_does_not_exist_is_said(self):
        tables = self.records("2024-03-31 01:30", "2024-03-31 02:30"), self.DEPLOYMENTS, self.STATIONS
        said = r"records row 1: timestamp is '2024-03-31 02:30', a time that the clocks of Europe/Madrid skip .*1 such"
        with pytest.warns(DataWarning, match=said):
            survey = lp.read_records(*tables, tz="Europe/Madrid")
        assert survey.records["timestamp"][1].isoformat() == "2024-03-31T03:00:00+02:00"
        with pytest.warns(DataWarning, match=said):
            lp.Survey(records=tables[0], deployments=tables[1], stations=tables[2], tz="Europe/Madrid")

    @pytest.mark.parametrize("tz", [None, "UTC+01:00"])
    def test_a_clock_that_nobody_changes_skips_nothing(self, tz):
        survey = lp.read_records(self.records("2024-03-31 02:30"), self.DEPLOYMENTS, self.STATIONS, tz=tz)
        assert survey.records["timestamp"][0].strftime("%H:%M") == "02:30"

    def test_a_package(self, tmp_path):
        deployments = packages.DEPLOYMENTS.replace("+10:00", "").replace("2024-02-11", "2024-04-11")
        rows = packages.OBSERVATIONS.replace("2024-02-03T21:00:00+10:00", "2024-03-31T02:30:00")
        rows = rows.replace("2024-02-03T21:00:30", "2024-03-31T03:30:30").replace("+10:00", "")
        folder = packages.write_package(tmp_path, deployments, rows.replace("Z", ""))
        with pytest.warns(DataWarning, match=r"the package has 2024-03-31T02:30:00, a time that the clocks of Eu"):
            lp.read_camtrap_dp(folder, tz="Europe/Madrid")
