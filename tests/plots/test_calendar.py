"""Figures of surveys and histories that show no place."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.dates import num2date

import leopardpop as lp
from leopardpop.errors import DataError
from leopardpop.plots.derived import is_synthetic
from tests.results import made


@cache
def example() -> lp.Survey:
    return lp.load_example("amur_leopard", seed=1)


def test_the_calendar_has_a_bar_a_deployment_and_a_mark_a_record():
    survey = example()
    ax = survey.plot.calendar(species="Panthera pardus")
    deployed, partly, failed = (c for c in ax.collections if isinstance(c, PolyCollection))
    assert len(deployed.get_paths()) == len(survey.deployments)
    assert len(failed.get_paths()) + len(partly.get_paths()) == len(survey.failures)
    marks, off = (next(each for each in ax.lines if each.get_marker() == marker) for marker in "|x")
    assert len(off.get_xdata()) == 0
    assert len(marks.get_xdata()) == (survey.records["species"] == "Panthera pardus").sum()
    assert ax.get_ylabel() == "120 stations"
    assert "Synthetic" in ax.figure.caption


def test_a_small_survey_has_the_names_of_its_stations():
    survey = lp.Survey(
        stations=pd.DataFrame({"station": ["A $", "B"], "x": [0, 3000], "y": [0, 500]}),
        deployments=pd.DataFrame({"station": ["A $", "B"], "start": "2023-12-01", "end": "2024-03-02"}),
        records=pd.DataFrame({"timestamp": ["2024-02-03 21:14"], "station": ["B"], "individual": ["F01"]}),
    )
    ax = survey.plot.calendar()
    assert [t.get_text() for t in ax.get_yticklabels()] == [r"A \$", "B"]
    assert ax.get_xlabel() == "Date"
    assert survey.plot.calendar().figure.alt_text.startswith("Calendar of 2 stations from 1 December 2023 to 2 March")


@pytest.mark.parametrize("tz", [None, "Asia/Vladivostok"])
def test_a_failure_of_one_camera_of_two_is_no_failure_of_the_station(tz):
    """Camera 2 fails for ten days; on the last three of them camera 1 has gone home."""
    cameras = pd.DataFrame(
        {"station": "A", "camera": ["1", "2"], "start": "2024-02-01", "end": ["2024-02-18", "2024-03-01"]}
    )
    survey = lp.Survey(
        stations=pd.DataFrame({"station": ["A"], "x": [0], "y": [0]}),
        deployments=cameras.assign(deployment=["A1", "A2"], start="2024-02-01"),
        records=pd.DataFrame({"timestamp": ["2024-02-16"], "station": ["A"], "camera": ["1"]}),
        failures=pd.DataFrame({"deployment": ["A2"], "start": ["2024-02-11"], "end": ["2024-02-21"]}),
        tz=tz,
    )
    ax = survey.plot.calendar()
    _, partly, dark = (c for c in ax.collections if isinstance(c, PolyCollection))
    (half,), (full,) = partly.get_paths(), dark.get_paths()
    days = [np.ptp(path.vertices, axis=0) for path in (half, full)]
    assert [round(float(day[0]), 6) for day in days] == [7.0, 3.0]
    assert days[0][1] < 0.5 * days[1][1]
    assert "failure of one camera: another was on" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_records_while_nothing_was_on_stand_out():
    survey = lp.Survey(
        stations=pd.DataFrame({"station": ["A", "B"], "x": [0, 3000], "y": [0, 500]}),
        deployments=pd.DataFrame({"station": ["A", "B"], "start": "2024-02-01", "end": "2024-03-02"}),
        records=pd.DataFrame({"timestamp": ["2024-02-03", "2024-03-01", "2024-02-04"], "station": ["A", "A", "B"]}),
        failures=pd.DataFrame({"station": ["A"], "start": ["2024-02-20"], "end": [None]}),
    )
    ax = survey.plot.calendar()
    on, off = (next(each for each in ax.lines if each.get_marker() == marker) for marker in "|x")
    assert on.get_ydata().tolist() == [0, 1]
    assert off.get_ydata().tolist() == [0]
    assert "1 of them while no camera of the station was on" in ax.figure.caption
    assert ax.get_legend().get_texts()[-1].get_text() == "record while no camera was on"


def test_records_soon_after_the_survey_are_in_sight():
    def right(time):
        survey = lp.Survey(
            stations=pd.DataFrame({"station": ["A"], "x": [0], "y": [0]}),
            deployments=pd.DataFrame({"station": ["A"], "start": ["2024-02-01"], "end": ["2024-02-21"]}),
            records=pd.DataFrame({"timestamp": [time], "station": ["A"]}),
        )
        return pd.Timestamp(num2date(survey.plot.calendar().get_xlim()[1])).tz_localize(None)

    assert right("2024-02-24") > pd.Timestamp("2024-02-24")
    assert right("2033-01-01") < pd.Timestamp("2024-02-22")


def test_a_species_that_was_never_seen_is_an_error():
    with pytest.raises(DataError, match="no record of Panthera uncia; species are"):
        example().plot.calendar(species="Panthera uncia")


def test_counts_are_those_of_the_history():
    history = made.history("sex")
    effort, animals = history.plot.counts(column="sex")
    assert effort.get_ylabel() == "Stations on"
    heights = np.array([[bar.get_height() for bar in group] for group in animals.containers])
    assert heights.sum() == history.n_individuals
    assert heights[:, 1:].sum() == history.n_multi_station_individuals
    assert heights.sum(1).tolist() == history.individuals["sex"].value_counts().sort_index().tolist()


def test_recaptures_are_those_of_the_history():
    history = made.history("sex")
    times, apart = history.plot.recaptures(column="sex")
    heights = np.array([[bar.get_height() for bar in group] for group in times.containers])
    detections = history.detections.groupby("individual")["count"].sum().value_counts()
    np.testing.assert_array_equal(heights.sum(0)[detections.index - 1], detections)
    assert sum(bar.get_height() for bar in apart.patches) == history.n_spatial_recaptures
    caption = times.figure.caption
    assert f"{detections[1]} detected once" in caption
    assert f"{history.n_spatial_recaptures} spatial recaptures, half of them within" in caption


def test_animals_at_one_station_only_have_no_distances():
    history = made.with_animals([("A", "River 2-2", 1), ("A", "River 2-2", 3), ("B", "River 0-0", 2)])
    _, apart = history.plot.recaptures()
    assert not apart.patches
    assert "0 spatial recaptures." in apart.figure.caption


def test_one_occasion_has_no_calendar():
    stations = made.stations("1").assign(days=30.0)
    history = lp.CaptureHistory.from_tables(None, stations, "days", effort_unit="day", occasions=1)
    assert len(history.plot.counts()) == 1


def test_the_example_is_known_to_be_synthetic():
    history = example().capture_history(species="Panthera pardus", start="2024-02-01", end="2024-05-02", flank="left")
    assert is_synthetic(history)
    assert not is_synthetic(made.history("null"))
    assert "Synthetic" in history.plot.counts().figure.caption
    assert "Synthetic" in history.plot.map(border=example().layers["border"]).figure.caption
