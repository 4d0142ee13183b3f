"""Detection histories out of the records of a survey, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leopardpop.data.survey import Survey
from leopardpop.errors import DataError, DataWarning

LEOPARD, BOAR = "Panthera pardus", "Sus scrofa"
STATIONS = pd.DataFrame(
    {
        "station": ["A", "B", "C"],
        "x": [500_000.0, 503_000.0, 510_000.0],
        "y": [4_700_000.0, 4_701_000.0, 4_702_000.0],
        "grid": ["north", "north", "south"],
        "height": [400, 600, 300],
        "forest": ["oak", "oak", "fir"],
    }
)
CAMERAS = pd.DataFrame(
    {
        "station": ["A", "A", "B"],
        "camera": ["l", "r", "b"],
        "start": ["2024-02-01 12:00", "2024-02-01 12:00", "2024-02-02 00:00"],
        "end": ["2024-02-05 12:00", "2024-02-03 12:00", "2024-02-04 12:00"],
    }
)
COLUMNS = ["timestamp", "station", "species", "life_stage"]
RECORDS = [
    ("2024-02-01 13:00", "A", LEOPARD, "adult"),
    ("2024-02-01 13:20", "A", LEOPARD, "adult"),
    ("2024-02-01 14:00", "A", LEOPARD, None),
    ("2024-02-03 11:59", "A", LEOPARD, "juvenile"),
    ("2024-02-03 12:00", "B", LEOPARD, "adult"),
    ("2024-02-03 12:00", "B", BOAR, "adult"),
    ("2024-02-04 11:00", "B", BOAR, None),
    ("2024-02-04 11:00", "B", None, None),
]
NAN = float("nan")


def survey(records=(), *, more=(), **changes):
    table = pd.DataFrame([*(records or RECORDS), *more], columns=COLUMNS)
    tables = {"stations": STATIONS, "deployments": CAMERAS, "records": table, "crs": "EPSG:32652"}
    return Survey(**tables | changes)


def history(made=None, **options):
    return (made or survey()).detection_history(**{"species": LEOPARD, "occasion": "1D"} | options)


def same(array, expected):
    np.testing.assert_array_equal(np.asarray(array), np.array(expected, dtype=float))


class TestResponses:
    def test_binary(self):
        visits = history()
        assert (visits.response, visits.effort_unit, visits.crs) == ("binary", "day", "EPSG:32652")
        assert visits.dataset["site"].values.tolist() == ["A", "B", "C"]
        same(visits.dataset["y"][:, 0], [[1, 1, 0, 0], [0, 0, 1, NAN], [NAN] * 4])
        same(visits.dataset["effort"][:, 0], [[1, 1, 1, 1], [0.5, 1, 1, 0], [0] * 4])
        starts = visits.dataset["visit_start"].values[0].astype("datetime64[h]").astype(str)
        assert starts.tolist() == ["2024-02-01T12", "2024-02-02T12", "2024-02-03T12", "2024-02-04T12"]
        assert visits.dataset["species"].item() == LEOPARD

    def test_counts_are_independent_events_at_a_station(self):
        same(history(response="count").dataset["y"][:, 0], [[2, 1, 0, 0], [0, 0, 1, NAN], [NAN] * 4])
        same(history(response="count", independence=None).dataset["y"][0, 0], [3, 1, 0, 0])
        same(history(response="count", independence="1h").dataset["y"][0, 0], [1, 1, 0, 0])

    def test_states(self):
        same(history(response="state").dataset["y"][:, 0], [[1, 2, 0, 0], [0, 0, 1, NAN], [NAN] * 4])

    def test_every_record_of_the_species_is_accounted_for(self):
        visits = history()
        assert visits.audit["line"].tolist() == [1, 2, 3, 4, 5]
        assert visits.audit["action"].tolist() == ["kept", "merged", "merged", "kept", "kept"]
        assert visits.audit["reason"][1] == "same species, site and visit as an earlier record"
        adults = history(life_stage=["adult"])
        assert adults.audit["action"].tolist() == ["kept", "merged", "merged", "dropped", "kept"]
        assert adults.audit["reason"][3] == "life stage juvenile"

    def test_longer_visits(self):
        visits = history(occasion="2D")
        same(visits.dataset["y"][:, 0], [[1, 0], [0, 1], [NAN, NAN]])
        same(visits.dataset["effort"][:, 0], [[2, 2], [1.5, 1], [0, 0]])

    def test_cameras_and_unit_of_effort(self):
        visits = history(occasion="2D", cameras="sum", effort_unit="hour")
        assert visits.effort_unit == "hour"
        same(visits.dataset["effort"][:, 0], [[96, 48], [36, 24], [0, 0]])


class TestSpecies:
    def test_several_at_once(self):
        visits = history(species=[BOAR, LEOPARD])
        assert visits.species == (BOAR, LEOPARD)
        assert visits.dataset["y"].dims == ("species", "site", "season", "visit")
        same(visits.dataset["y"][:, 1, 0], [[0, 0, 1, NAN], [0, 0, 1, NAN]])
        same(visits.dataset["y"][0, 0, 0], [0, 0, 0, 0])
        assert visits.audit["line"].tolist() == [1, 2, 3, 4, 5, 6, 7]

    def test_names_that_stand_for_one(self):
        visits = history(species={"pig": [BOAR], "any": LEOPARD})
        assert visits.species == ("pig", "any")
        one = history(species={"animal": [BOAR, LEOPARD]})
        assert one.species == ("animal",)
        same(one.dataset["y"][:, 0], [[1, 1, 0, 0], [0, 0, 1, NAN], [NAN] * 4])

    def test_one_that_was_never_seen_is_kept(self):
        with pytest.warns(DataWarning, match="No record is of 'Panthera tigris'"):
            visits = history(species=[LEOPARD, "Panthera tigris"])
        same(visits.dataset["y"][1, 0, 0], [0, 0, 0, 0])

    @pytest.mark.parametrize(
        ("species", "message"),
        [
            (None, "2 species: 'Panthera pardus', 'Sus scrofa'. Say which"),
            ("Panthera parduss", "Did you mean 'Panthera pardus'"),
            ([], "names no species"),
            ({"a": []}, "names no species"),
            ([LEOPARD, "panthera PARDUS"], "names 'Panthera pardus' twice"),
        ],
    )
    def test_refuses(self, species, message):
        with pytest.raises(DataError, match=message):
            history(species=species)

    def test_records_that_name_no_species(self):
        table = pd.DataFrame({"timestamp": ["2024-02-01 13:00"], "station": ["A"]})
        visits = survey(records=[RECORDS[0]]).detection_history(occasion="1D")
        bare = Survey(stations=STATIONS, deployments=CAMERAS, records=table).detection_history(occasion="1D")
        same(visits.dataset["y"], bare.dataset["y"])
        assert bare.species == ()


class TestSites:
    def test_a_column_pools_stations(self):
        visits = history(sites="grid")
        assert visits.dataset["site"].values.tolist() == ["north", "south"]
        same(visits.dataset["y"][:, 0], [[1, 1, 1, 0], [NAN] * 4])
        same(visits.dataset["effort"][:, 0], [[1.5, 2, 2, 1], [0] * 4])  # of both stations
        same(visits.dataset["height"], [500, 300])
        assert visits.dataset["forest"].values.tolist() == ["oak", "fir"]
        same(visits.dataset["easting"], [501_500, 510_000])
        same(visits.dataset["northing"], [4_700_500, 4_702_000])

    def test_pooled_counts_are_those_of_the_stations(self):
        more = [("2024-02-03 13:00", "A", LEOPARD, "adult")]
        same(history(survey(more=more), sites="grid", response="count").dataset["y"][0, 0], [2, 1, 2, 0])

    def test_a_text_on_which_the_stations_differ_is_left_out(self):
        made = survey(stations=STATIONS.assign(forest=["oak", "fir", "fir"]))
        with pytest.warns(DataWarning, match="'forest' differ between stations of one site") as caught:
            visits = history(made, sites="grid")
        assert caught[0].filename == __file__
        assert "forest" not in visits.dataset

    @pytest.mark.parametrize(
        ("grid", "sites", "message"),
        [
            (["a", None, "b"], "grid", "Station 'B' has no site in column 'grid'"),
            (["a", "a", "b"], "gird", "sites='gird' is no column of the stations.*Did you mean 'grid'"),
            (["a", "a", "b"], "x", "sites='x' is no column"),
        ],
    )
    def test_refuses(self, grid, sites, message):
        with pytest.raises(DataError, match=message):
            history(survey(stations=STATIONS.assign(grid=grid)), sites=sites)


class TestSeasons:
    dates = ("2024-02-01", "2024-02-03"), ("2024-02-03", "2024-02-06")

    def test_by_date(self):
        early, late = self.dates
        visits = history(seasons={2024: early, "late": late})
        assert visits.seasons == ("2024", "late")
        same(visits.dataset["y"][0], [[1, 1, NAN], [0, 0, NAN]])
        same(visits.dataset["y"][1], [[0, 0, NAN], [1, NAN, NAN]])
        same(visits.dataset["effort"][0], [[1, 1, 0], [1, 1, 0]])
        assert np.isnat(visits.dataset["visit_start"].values[0, 2])

    def test_are_in_order_of_time(self):
        early, late = self.dates
        assert history(seasons={"b": late, "a": early}).seasons == ("a", "b")

    def test_a_season_without_any_camera_is_unsurveyed(self):
        early, late = self.dates
        visits = history(seasons={"1": early, "2": late, "3": ("2024-05-01", "2024-05-03")})
        assert visits.seasons == ("1", "2", "3")
        assert np.isnan(visits.dataset["y"][:, 2]).all()

    def test_records_outside_are_dropped(self):
        visits = history(seasons={"1": self.dates[0]})
        assert visits.audit[["action", "reason"]].iloc[-1].tolist() == ["dropped", "outside the seasons"]

    def test_by_the_calendar_and_by_a_rule(self):
        made = survey(
            [("2023-12-31 11:00", "A", LEOPARD, None), ("2024-01-01 13:00", "A", LEOPARD, None)],
            deployments=CAMERAS.assign(start="2023-12-30 12:00", end="2024-01-02 12:00"),
        )
        year = history(made, seasons="year")
        assert year.seasons == ("2023", "2024")
        same(year.dataset["y"][0], [[1, 0], [1, NAN]])
        assert history(made, seasons="month").seasons == ("2023-12", "2024-01")
        assert history(made, seasons="quarter").seasons == ("2023Q4", "2024Q1")
        winter = history(made, seasons=lambda day: f"winter {day.year - (day.month < 7)}")
        assert winter.seasons == ("winter 2023",)
        assert winter.n_visits == 6
        some = history(made, seasons=lambda day: 1 if day.day == 31 else None)
        assert some.seasons == ("1",)
        same(some.dataset["y"][0], [[0]])
        assert some.audit["reason"].tolist() == ["outside the seasons"] * 2

    def test_a_rule_makes_the_sessions_of_a_capture_history_too(self):
        table = pd.DataFrame({"timestamp": ["2024-02-02 13:00"], "station": "A", "individual": "F1"})
        made = Survey(stations=STATIONS, deployments=CAMERAS, records=table)
        found = made.capture_history(sessions=lambda day: "even" if day.day == 2 else None, occasion="1D")
        assert found.sessions == ("even",)
        assert found.effort["effort"].tolist() == [1, 1]  # C had no camera
        assert made.capture_history(sessions="year").sessions == ("2024",)

    @pytest.mark.parametrize(
        ("seasons", "message"),
        [
            ("grid", "seasons='grid' is no rule"),
            ("yaer", "Did you mean 'year'"),
            ({}, "seasons={} is empty"),
            ({"1": "2024"}, "Season '1' needs a start and an end"),
            ({"a": ("2024-02-01", "2024-02-03"), "b": ("2024-02-02", "2024-02-05")}, "Seasons 'a' and 'b' overlap"),
            (lambda day: None, "gives no day from 2024-02-01 to 2024-02-05 a label"),
            (lambda day: day.day % 2, "season '1' would have a gap: it ends 2024-02-02 and begins again 2024-02-03"),
            (lambda day: [day], "must return a label or None, not list for 2024-02-01"),
        ],
    )
    def test_refuses(self, seasons, message):
        with pytest.raises(DataError, match=message):
            history(seasons=seasons)

    def test_dates_and_seasons_exclude_each_other(self):
        with pytest.raises(DataError, match="seasons= says when each season starts and ends: leave out start="):
            history(seasons={"1": self.dates[0]}, start="2024-02-01")
        both = history(seasons="year", start="2024-02-02", end="2024-02-04")  # a rule goes with dates
        assert both.dataset.sizes["visit"] == 2


class TestZeroEffort:
    late = ("2024-02-04 20:00", "B", LEOPARD, "adult")

    def test_raises(self):
        with pytest.raises(DataError, match=r"station 'B' has 1 detection while no camera was on.*records line 9"):
            history(survey(more=[self.late]))

    def test_drop(self):
        visits = history(survey(more=[self.late]), on_zero_effort="drop")
        same(visits.dataset["y"], history().dataset["y"])
        assert visits.audit[["action", "reason"]].iloc[-1].tolist() == ["dropped", "no camera was on"]

    def test_keep_gives_the_smallest_effort(self):
        visits = history(survey(more=[self.late]), on_zero_effort="keep")
        same(visits.dataset["y"][1, 0], [0, 0, 1, 1])
        same(visits.dataset["effort"][1, 0], [0.5, 1, 1, 0.5])
        assert visits.audit[["action", "reason"]].iloc[-1].tolist() == ["kept", "kept although no camera was on"]

    def test_keep_in_a_capture_history_says_so(self):
        records = pd.DataFrame({"timestamp": ["2024-02-04 20:00"], "station": ["B"], "individual": ["F1"]})
        made = Survey(stations=STATIONS, deployments=CAMERAS, records=records)
        audit = made.capture_history(occasion="1D", on_zero_effort="keep").audit
        assert audit[["action", "reason"]].to_numpy().tolist() == [["kept", "kept although no camera was on"]]

    def test_without_any_effort(self):
        with pytest.raises(DataError, match="No camera was on in any visit"):
            history(seasons={"1": ("2025-02-01", "2025-02-03")}, on_zero_effort="drop")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("response", "presence", "response='presence' must be one of 'binary', 'count', 'state'"),
        ("cameras", "both", "cameras='both' must be one of"),
        ("effort_unit", "week", "effort_unit='week' must be one of 'day', 'hour'"),
        ("evidence", "cub", "evidence='cub' must be one of 'young', 'family'"),
        ("rule", ["last_record"], r"rule=\['last_record'\] must be one of"),
        ("life_stage", "adult", "must be several words"),
        ("on_zero_effort", None, "on_zero_effort=None must be one of"),
    ],
)
def test_refuses(option, value, message):
    with pytest.raises(DataError, match=message):
        history(**{option: value})


def test_a_covariate_of_stations_whose_name_means_something_else():
    with pytest.raises(DataError, match="site covariate 'season' has a name that means something else"):
        history(survey(stations=STATIONS.assign(season=1)))


def test_the_bundled_survey():
    import leopardpop as lp

    made = lp.load_example("amur_leopard", seed=1)
    visits = made.detection_history(
        species=LEOPARD, response="state", start="2024-02-01", end="2024-05-02", occasion="7D"
    )
    table = visits.dataset["y"]
    records = made.records
    cubs = records[(records["life_stage"] == "juvenile") & (records["timestamp"] >= "2024-02-01 12:00+10:00")]
    assert set(table["site"].values[(table == 2).any(["season", "visit"]).values]) == set(cubs["station"])
    assert visits.dataset.sizes["visit"] == 13
    history = made.capture_history(species=LEOPARD, start="2024-02-01", end="2024-05-02", flank="left")
    assert history.effort["effort"].tolist() == visits.dataset["effort"].values.ravel().tolist()
