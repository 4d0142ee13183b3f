from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leopardpop.data.survey import Survey
from leopardpop.errors import DataError, DataWarning

STATIONS = pd.DataFrame(
    {
        "station": ["A", "B", "C"],
        "x": [500_000.0, 503_000.0, 506_000.0],
        "y": [4_700_000.0, 4_701_000.0, 4_702_000.0],
        "area": ["north", "north", "south"],
        "height": [400, 550, 300],
    }
)
DEPLOYMENTS = pd.DataFrame(
    {
        "deployment": ["A1", "A2", "B1", "C1"],
        "station": ["A", "A", "B", "C"],
        "camera": ["left", "right", "b", "c"],
        "start": "2024-02-01 12:00",
        "end": ["2024-02-11 12:00", "2024-02-06 12:00", "2024-02-11 12:00", "2024-02-09 00:00"],
    }
)
RECORDS = [
    # timestamp, station, species, individual, sex, life_stage, flank
    ("2024-02-02 03:00", "A", "Panthera pardus", "F01", "F", "adult", "both"),
    ("2024-02-02 03:01", "A", "Panthera pardus", "F01", "F", "adult", "left"),
    ("2024-02-02 11:59", "A", "Panthera pardus", "F01", "F", None, "right"),
    ("2024-02-02 12:00", "A", "Panthera pardus", "F01", None, "adult", "left"),
    ("2024-02-05 22:00", "B", "Panthera pardus", "M01", "M", "subadult", "both"),
    ("2024-02-08 01:00", "C", "Panthera pardus", "M01", "male", "adult", "right"),
    ("2024-02-02 03:02", "A", "Panthera pardus", "kit", None, "juvenile", None),
    ("2024-02-06 03:02", "A", "Panthera pardus", None, None, None, "left"),
    ("2024-02-06 04:00", "A", "Panthera tigris", "T1", "F", "adult", "both"),
    ("2024-02-06 05:00", "A", None, None, None, None, None),
]
COLUMNS = ["timestamp", "station", "species", "individual", "sex", "life_stage", "flank"]
LEOPARD = "Panthera pardus"


def survey(records=(), *, more=(), **changes):
    table = pd.DataFrame([*(records or RECORDS), *more], columns=COLUMNS)
    tables = {"stations": STATIONS, "deployments": DEPLOYMENTS, "records": table, "crs": "EPSG:32652"}
    return Survey(**tables | changes)


def leopard(timestamp, station="A", individual="F01", sex=None, life_stage="adult", flank=None, species=LEOPARD):
    return (timestamp, station, species, individual, sex, life_stage, flank)


def counts(history):
    return history.audit["action"].value_counts().to_dict()


def reasons(history):
    return history.audit.groupby(["action", "reason"], sort=False).size().to_dict()


class TestTables:
    def test_are_brought_into_one_form(self):
        s = survey()
        assert s.stations.columns.tolist() == ["station", "x", "y", "area", "height"]
        assert s.deployments.columns.tolist() == ["deployment", "station", "camera", "start", "end"]
        assert s.records.columns.tolist()[:12] == [
            *["timestamp", "station", "deployment", "camera", "species", "individual", "sex", "life_stage", "flank"],
            *["count", "source", "line"],
        ]
        assert s.records["sex"].tolist()[4:6] == ["M", "M"]
        assert s.records["line"].tolist() == list(range(1, 11))
        assert s.failures.empty
        assert s.audit["action"].unique().tolist() == ["kept"]
        assert (s.crs, s.tz, s.layers, s.truth, s.is_synthetic) == ("EPSG:32652", None, None, None, False)

    def test_are_copies(self):
        s = survey()
        for name in ("stations", "deployments", "records", "failures", "audit"):
            table = getattr(s, name)
            table["station"] = "elsewhere"
            assert "elsewhere" not in getattr(s, name).to_numpy().astype(str)
        with pytest.raises(AttributeError, match="immutable"):
            s.crs = "EPSG:32653"

    def test_labels_and_names_get_defaults(self):
        s = survey(deployments=DEPLOYMENTS[["station", "start", "end"]])
        assert s.deployments["deployment"].tolist() == ["A-1", "A-2", "B-1", "C-1"]
        assert s.deployments["camera"].tolist() == ["A-1", "A-2", "B-1", "C-1"]
        numbered = STATIONS.assign(station=[1, 2, 3])
        cameras = DEPLOYMENTS.assign(station=[1.0, 1.0, 2.0, 3.0])
        records = pd.DataFrame({"timestamp": ["2024-02-02 13:00"], "station": [2], "individual": [7]})
        s = Survey(stations=numbered, deployments=cameras, records=records)
        assert s.records[["station", "individual"]].iloc[0].tolist() == ["2", "7"]

    def test_words_for_sex_and_flank(self):
        table = pd.DataFrame(
            {
                "timestamp": "2024-02-02 13:00",
                "deployment": "B1",
                "sex": ["Female", "m", "unknown", None],
                "flank": ["L", "Right", "b", "tail"],
            }
        )
        with pytest.warns(DataWarning, match=r"records row 3: flank is 'tail', read as unknown \(1 row with"):
            s = Survey(stations=STATIONS, deployments=DEPLOYMENTS, records=table)
        assert s.records["sex"].tolist() == ["F", "M", None, None]
        assert s.records["flank"].tolist() == ["left", "right", "both", None]
        assert s.records["station"].tolist() == ["B"] * 4

    def test_failures_take_times_that_are_missing_from_the_deployment(self):
        off = pd.DataFrame(
            {"deployment": ["A2", None], "station": [None, "A"], "start": [None, "2024-02-03"], "end": None}
        )
        s = survey(failures=off)
        assert s.failures["station"].tolist() == ["A", "A"]
        assert s.failures["start"].astype(str).tolist() == ["2024-02-01 12:00:00", "2024-02-03 00:00:00"]
        assert s.failures["end"].astype(str).tolist() == ["2024-02-06 12:00:00", "2024-02-11 12:00:00"]
        zoned = survey(failures=off, tz="Europe/Madrid").failures
        assert zoned["end"].astype(str).tolist() == ["2024-02-06 12:00:00+01:00", "2024-02-11 12:00:00+01:00"]

    def test_without_records(self):
        s = survey(records=[RECORDS[0]])
        s = Survey(stations=s.stations, deployments=s.deployments, records=s.records.iloc[:0], crs=s.crs)
        history = s.capture_history()
        assert history.n_individuals == 0
        assert history.effort["effort"].sum() == pytest.approx(27.5)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"stations": STATIONS.iloc[:0]}, "no stations"),
            ({"stations": STATIONS.drop(columns="x")}, r"stations has no column 'x'"),
            ({"stations": STATIONS.assign(station="A")}, "row 1: station 'A' is there already"),
            ({"stations": STATIONS.assign(x=[1e5, np.nan, 1e5])}, "row 1: x is missing"),
            ({"stations": STATIONS.assign(y=["north", 1e5, 1e5])}, "row 0: y is 'north'"),
            ({"stations": STATIONS.assign(x=[131.021, 131.1, 131.2], y=[43.01, 43.1, 43.2])}, "look like degrees"),
            ({"stations": STATIONS.assign(x=[-5.0, 5e5, 5e5])}, "1 station has negative coordinates"),
            ({"crs": "EPSG:4326"}, "EPSG:4326 counts in units of 'degree'"),
            ({"tz": "Amur"}, "tz='Amur' is no time zone"),
            (
                {"deployments": DEPLOYMENTS.assign(station=["A", "A", "b", "C"])},
                "unknown station 'b'.*Did you mean 'B'",
            ),
            ({"deployments": DEPLOYMENTS.assign(deployment="A1")}, "row 1: its name is that of an earlier deployment"),
            ({"deployments": DEPLOYMENTS.assign(end="2024-01-01")}, "row 0: it ends .* before it starts"),
            ({"deployments": DEPLOYMENTS.assign(end=DEPLOYMENTS["start"])}, "before it starts"),
            ({"deployments": DEPLOYMENTS.assign(start=None)}, "row 0: start is missing"),
            ({"deployments": DEPLOYMENTS.assign(start="01/02/2024")}, r"start is '01/02/2024' \(4 rows in all\)"),
            ({"deployments": DEPLOYMENTS.drop(columns="end")}, "deployments has no column 'end'"),
            ({"failures": pd.DataFrame({"start": [], "end": []})}, "neither a column 'station' nor 'deployment'"),
            ({"failures": pd.DataFrame({"station": ["D"], "start": [None], "end": [None]})}, "unknown station 'D'"),
            (
                {"failures": pd.DataFrame({"deployment": ["A3"], "start": [None], "end": [None]})},
                "unknown deployment 'A3'",
            ),
            ({"failures": pd.DataFrame({"deployment": [None], "start": [None], "end": [None]})}, "station is missing"),
        ],
    )
    def test_refuses(self, change, message):
        with pytest.raises(DataError, match=message):
            survey(**change)

    @pytest.mark.parametrize(
        "record, message",
        [
            (leopard("2024-02-02 03:00", station="D"), "records row 0: unknown station 'D'"),
            (leopard("2024-02-02 03:00", station=None), "records row 0: the station is missing"),
            (leopard(None), "records row 0: timestamp is missing"),
            (leopard("yesterday"), "timestamp is 'yesterday'"),
        ],
    )
    def test_refuses_records(self, record, message):
        with pytest.raises(DataError, match=message):
            survey([record])

    def test_refuses_records_that_contradict_their_deployment(self):
        records = pd.DataFrame({"timestamp": ["2024-02-02"] * 2, "deployment": ["A1", "B1"], "station": ["A", "C"]})
        with pytest.raises(DataError, match="row 1: station 'C', but its deployment 'B1' is at 'B'"):
            Survey(stations=STATIONS, deployments=DEPLOYMENTS, records=records)

    def test_refuses_counts_and_mixed_zones(self):
        records = pd.DataFrame({"timestamp": ["2024-02-02"] * 2, "station": "A", "count": [1, 0]})
        with pytest.raises(DataError, match=r"row 1: count is '?0"):
            Survey(stations=STATIONS, deployments=DEPLOYMENTS, records=records)
        records = records.assign(count=1, timestamp=["2024-02-02", "2024-02-02T00:00+10:00"])
        with pytest.raises(DataError, match=r"row 1: .* is at \+10:00 from UTC, its camera has none"):
            Survey(stations=STATIONS, deployments=DEPLOYMENTS, records=records)
        with pytest.raises(DataError, match="mixes times with and without a zone"):
            Survey(stations=STATIONS, deployments=DEPLOYMENTS, records=records, tz="UTC+10:00")


class TestHistory:
    def test_proximity_by_day(self):
        history = survey().capture_history(species=LEOPARD, occasion="1D")
        assert history.detector == "proximity"
        assert history.effort_unit == "day"
        assert history.crs == "EPSG:32652"
        assert history.individuals[["individual", "sex"]].to_numpy().tolist() == [["F01", "F"], ["M01", "M"]]
        array = history.to_array()
        assert np.argwhere(array.to_numpy()).tolist() == [[0, 0, 0], [0, 0, 1], [1, 1, 4], [1, 2, 6]]
        effort = history.effort["effort"].to_numpy().reshape(3, 10)
        assert effort.tolist() == [[1] * 10, [1] * 10, [*[1] * 7, 0.5, 0, 0]]
        stations = history.stations
        assert stations[["area", "height"]].to_numpy().tolist() == [["north", 400], ["north", 550], ["south", 300]]

    def test_every_record_of_the_species_is_accounted_for(self):
        history = survey().capture_history(species=LEOPARD, occasion="1D")
        assert history.audit.columns.tolist() == ["source", "line", "action", "reason"]
        assert history.audit["line"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
        assert reasons(history) == {
            ("kept", ""): 4,
            ("merged", "same animal, station and occasion as an earlier record"): 2,
            ("dropped", "life stage juvenile"): 1,
            ("dropped", "not identified"): 1,
        }

    def test_counts_are_independent_events(self):
        more = [leopard("2024-02-02 03:25", flank="left"), leopard("2024-02-02 03:40", flank="left")]
        s = survey(more=more)
        history = s.capture_history(species=LEOPARD, occasion="1D", detector="count")
        counted = history.detections.set_index(["individual", "station", "occasion"])["count"]
        assert counted.to_dict() == {("F01", "A", "1"): 2, ("M01", "B", "5"): 1, ("M01", "C", "7"): 1}
        every = s.capture_history(species=LEOPARD, occasion="1D", detector="count", independence=None)
        assert every.n_detections == 8
        hour = s.capture_history(species=LEOPARD, occasion="1D", detector="count", independence="10min")
        assert hour.n_detections == 6
        assert ("merged", "within 10min of the record before") in reasons(hour)

    def test_an_event_belongs_to_the_occasion_of_its_first_record(self):
        s = survey([leopard("2024-02-02 11:50"), leopard("2024-02-02 12:10"), leopard("2024-02-02 12:50")])
        history = s.capture_history(occasion="1D", detector="count", independence="30min")
        assert history.detections[["occasion", "count"]].to_numpy().tolist() == [["1", 1], ["2", 1]]

    def test_union_and_sum_of_cameras(self):
        union = survey().capture_history(species=LEOPARD, occasion="5D")
        assert union.effort["effort"].tolist() == [5, 5, 5, 5, 5, 2.5]
        total = survey().capture_history(species=LEOPARD, occasion="5D", cameras="sum")
        assert total.effort["effort"].tolist() == [10, 5, 5, 5, 5, 2.5]
        assert total.n_detections == union.n_detections

    def test_failures_are_no_effort(self):
        off = pd.DataFrame({"station": ["B"], "start": ["2024-02-01 12:00"], "end": ["2024-02-04 00:00"]})
        history = survey(failures=off).capture_history(species=LEOPARD, occasion="5D")
        assert history.effort["effort"].tolist() == [5, 5, 2.5, 5, 5, 2.5]

    def test_dates_begin_at_the_start_of_an_occasion(self):
        history = survey().capture_history(species=LEOPARD, start="2024-02-02", end="2024-02-06", occasion="2D")
        assert history.n_occasions == {"1": 2}
        assert history.effort["effort"].tolist() == [4 / 2] * 6
        assert reasons(history)[("dropped", "before the start")] == 3
        assert reasons(history)[("dropped", "after the end")] == 1
        assert counts(history) == {"dropped": 6, "kept": 2}
        starts = history.dataset["occasion_start"].to_numpy().ravel().astype("datetime64[h]").astype(str)
        assert starts.tolist() == ["2024-02-02T12", "2024-02-04T12"]

    def test_start_is_included_and_end_is_not(self):
        s = survey([leopard("2024-02-03 12:00"), leopard("2024-02-04 12:00", individual="F02")])
        history = s.capture_history(start="2024-02-03", end="2024-02-04", occasion="1D")
        assert history.individuals["individual"].tolist() == ["F01"]

    def test_midnight_occasions(self):
        history = survey().capture_history(species=LEOPARD, occasion="1D", occasion_start="00:00")
        assert history.n_occasions == {"1": 11}
        assert history.effort["effort"].to_numpy().reshape(3, 11)[0].tolist() == [0.5, *[1] * 9, 0.5]

    def test_splitting_occasions_keeps_the_effort(self):
        days = survey().capture_history(species=LEOPARD, occasion="1D")
        for occasion in ("7h", "12h", "3D", "100D"):
            history = survey().capture_history(species=LEOPARD, occasion=occasion)
            assert history.effort["effort"].sum() == pytest.approx(days.effort["effort"].sum(), rel=1e-14)

    def test_order_of_records_changes_nothing(self):
        plain = survey().capture_history(species=LEOPARD, occasion="1D")
        mixed = survey(RECORDS[::-1]).capture_history(species=LEOPARD, occasion="1D")
        assert mixed == plain
        assert counts(mixed) == counts(plain)

    def test_moving_all_times_changes_nothing(self):
        def shift(table, *names):
            return table.assign(**{n: pd.to_datetime(table[n], format="ISO8601") + pd.Timedelta("333D") for n in names})

        s = survey()
        later = Survey(
            stations=STATIONS,
            deployments=shift(s.deployments, "start", "end"),
            records=shift(s.records, "timestamp"),
            crs=s.crs,
        )
        one, two = (each.capture_history(species=LEOPARD, occasion="1D") for each in (s, later))
        pd.testing.assert_frame_equal(one.detections, two.detections)
        pd.testing.assert_frame_equal(one.effort, two.effort)

    @pytest.mark.parametrize(
        "option, value, message",
        [
            ("detector", "proximty", r"detector='proximty' must be one of .*Did you mean 'proximity'"),
            ("cameras", "both", "cameras='both' must be one of 'union', 'sum'"),
            ("flank", "top", "flank='top' must be None or one of 'left', 'right'"),
            ("on_zero_effort", "ignore", "on_zero_effort='ignore' must be one of"),
            ("occasion", "a week", "occasion='a week' is no length of time"),
            ("occasion_start", "noon", "occasion_start='noon' must be a time of day"),
            ("start", "spring", "start='spring' is no date"),
            ("end", "2024-01-01", r"end \(2024-01-01 12:00:00\) must be after start"),
            ("life_stage", "adult", r"life_stage='adult' must be several words"),
            ("sessions", "reserve", "no column 'reserve' of sessions; columns: 'area', 'height'"),
            ("sessions", {}, "is empty"),
            ("sessions", {"1": "2024"}, "Session '1' needs a start and an end"),
            ("sessions", {"1": ("2024-02-01", "2024-02-05"), "2": ("2024-02-04", "2024-02-08")}, "overlap in time"),
            ("sessions", {"1": ("2022-02-01", "2022-02-05")}, "Session '1': no camera was deployed"),
        ],
    )
    def test_refuses(self, option, value, message):
        with pytest.raises(DataError, match=message):
            survey().capture_history(species=LEOPARD, **{option: value})

    def test_refuses_dates_without_any_effort(self):
        with pytest.raises(DataError, match="session '1': no camera was on between 2025-02-01 12:00 and"):
            survey().capture_history(species=LEOPARD, start="2025-02-01", end="2025-02-09")
        s = Survey(stations=STATIONS, deployments=DEPLOYMENTS.iloc[:0], records=survey().records.iloc[:0])
        with pytest.raises(DataError, match="no deployments"):
            s.capture_history()

    def test_sessions_and_dates_exclude_each_other(self):
        with pytest.raises(DataError, match="leave out start= and end="):
            survey().capture_history(species=LEOPARD, start="2024-02-01", sessions={"1": ("2024-02-01", "2024-02-05")})

    def test_multi_refuses_two_stations_at_once(self):
        s = survey([leopard("2024-02-02 13:00"), leopard("2024-02-02 23:00", station="B")])
        with pytest.raises(DataError, match="a second station in one occasion"):
            s.capture_history(occasion="1D", detector="multi")
        assert s.capture_history(occasion="6h", detector="multi").n_detections == 2

    def test_station_without_deployment_has_no_effort(self):
        history = survey(deployments=DEPLOYMENTS.iloc[:2], records=[RECORDS[0]]).capture_history(occasion="5D")
        assert history.effort["effort"].tolist() == [5, 5, 0, 0, 0, 0]

    def test_an_animal_of_two_sexes(self):
        more = [leopard("2024-02-03 03:00", sex="M")]
        with pytest.raises(DataError, match="Animal 'F01' has two sexes: F in records line 1, M in records line 11"):
            survey(more=more).capture_history(species=LEOPARD)

    def test_no_sex_no_covariate(self):
        history = survey([leopard("2024-02-02 13:00")]).capture_history()
        assert "sex" not in history.individuals
        some = survey([leopard("2024-02-02 13:00", sex="F"), leopard("2024-02-02 13:00", individual="X")])
        assert some.capture_history().individuals["sex"].tolist() == ["F", None]


class TestSpecies:
    def test_must_be_said_if_there_are_several(self):
        with pytest.raises(DataError, match=r"2 species: 'Panthera pardus', 'Panthera tigris'\. Say which"):
            survey().capture_history()
        assert survey(RECORDS[:4]).capture_history().n_individuals == 1

    def test_case_does_not_matter(self):
        assert survey().capture_history(species="panthera PARDUS", occasion="1D").n_detections == 4

    def test_misspelt(self):
        with pytest.raises(DataError, match=r"No record is of 'Pantera pardus'\. Did you mean 'Panthera pardus'\?"):
            survey().capture_history(species="Pantera pardus")

    def test_not_there(self):
        with pytest.warns(DataWarning, match="No record is of 'Lynx lynx'.*Species: 'Panthera pardus'") as caught:
            history = survey().capture_history(species="Lynx lynx")
        assert caught[0].filename == __file__
        assert history.n_individuals == 0
        assert len(history.audit) == 0

    def test_names_that_look_alike(self):
        more = [
            leopard("2024-02-03 13:00", individual="M07", species="Panthera pardus orientalis"),
            leopard("2024-02-03 13:00", individual="M08", species="Pantera pardus"),
        ]
        s = survey(more=more)
        with pytest.warns(
            DataWarning, match="2 records of 'Panthera pardus orientalis', 'Pantera pardus' are not counted"
        ):
            history = s.capture_history(species=LEOPARD)
        assert len(history.audit) == 10
        assert reasons(history)[("dropped", "species 'Pantera pardus'")] == 1
        both = s.capture_history(species=[LEOPARD, "Panthera pardus orientalis", "Pantera pardus"])
        assert both.individuals["individual"].tolist() == ["F01", "M01", "M07", "M08"]

    def test_nobody_identified(self):
        records = [leopard("2024-02-03 13:00", individual=None)] * 3
        with pytest.raises(DataError, match="individual is empty in all of 3 records: occupancy is possible"):
            survey(records).capture_history()


class TestLifeStage:
    records = (
        leopard("2024-02-03 13:00", individual="F01", life_stage="adult"),
        leopard("2024-02-03 13:00", individual="F01", life_stage="Juvenile"),
        leopard("2024-02-03 13:00", individual="kit", life_stage="juvenile"),
        leopard("2024-02-05 13:00", individual="kit", life_stage=None),
        leopard("2024-02-05 13:00", individual="M01", life_stage=None),
        leopard("2024-02-05 13:00", individual="M02", life_stage="Subadult"),
    )

    def test_cubs_never_become_individuals(self):
        history = survey(self.records).capture_history()
        assert history.individuals["individual"].tolist() == ["F01", "M01", "M02"]
        assert reasons(history) == {
            ("kept", ""): 3,
            ("dropped", "life stage juvenile"): 2,
            ("dropped", "life stage unknown, of an animal that is otherwise of another stage"): 1,
        }

    def test_other_stages_and_all(self):
        adults = survey(self.records).capture_history(life_stage=["Adult"])
        assert adults.individuals["individual"].tolist() == ["F01", "M01"]
        with pytest.warns(
            DataWarning, match=r"1 animal known as young only \(juvenile\) is counted as an individual: 'kit'\."
        ):
            everything = survey(self.records).capture_history(life_stage=None)
        assert everything.n_individuals == 4

    def test_all_that_is_not_known_as_grown_is_named(self):
        stages = {"K1": "kitten", "K2": "yearling", "K3": "calf", "K4": "chick", "M01": "adult", "M02": "old"}
        rows = [leopard("2024-02-03 13:00", individual=name, life_stage=stage) for name, stage in stages.items()]
        said = r"4 animals known as young only \(calf, chick, kitten, yearling\) .*: 'K1', 'K2', 'K3', 'K4'\."
        with pytest.warns(DataWarning, match=said):
            assert survey(rows).capture_history(life_stage=None).n_individuals == 6
        asked = survey(rows).capture_history(life_stage=["adult", "yearling"])
        assert asked.individuals["individual"].tolist() == ["K2", "M01"]


class TestFlank:
    records = (
        leopard("2024-02-02 13:00", individual="F01", flank="both"),
        leopard("2024-02-04 13:00", individual="F01", flank="left"),
        leopard("2024-02-06 13:00", individual="F01", flank="right"),
        leopard("2024-02-02 13:00", individual="M01", flank="left"),
        leopard("2024-02-04 13:00", individual="M01", flank="right"),
        leopard("2024-02-02 13:00", individual="M02", flank=None),
        leopard("2024-02-02 13:00", individual="L01", flank="left"),
        leopard("2024-02-05 13:00", individual="L01", flank="left"),
        leopard("2024-02-05 13:00", individual="R01", flank="right"),
    )

    def test_none_takes_whole_identities(self):
        with pytest.warns(
            DataWarning, match="2 identities are left out: 1 known from the left flank only, 1"
        ) as caught:
            history = survey(self.records).capture_history(occasion="1D")
        assert caught[0].filename == __file__
        assert str(caught[0].message).endswith(
            "1 identity whose flank is not told is counted as whole: say the flank if it is from one side."
        )
        assert history.individuals["individual"].tolist() == ["F01", "M01", "M02"]
        assert history.n_detections == 6
        assert reasons(history)[("dropped", "left flank only, never linked")] == 2
        assert reasons(history)[("dropped", "right flank only, never linked")] == 1

    def test_identities_of_one_flank_stay_where_no_animal_can_be_in_twice(self):
        history = survey(self.records[:8]).capture_history(occasion="1D")
        assert history.individuals["individual"].tolist() == ["F01", "L01", "M01", "M02"]
        assert set(history.audit["action"]) == {"kept"}

    @pytest.mark.parametrize(
        "flank, animals, detections", [("left", ["F01", "L01", "M01"], 5), ("right", ["F01", "M01", "R01"], 4)]
    )
    def test_one_flank_and_both(self, flank, animals, detections):
        history = survey(self.records).capture_history(occasion="1D", flank=flank)
        assert history.individuals["individual"].tolist() == animals
        assert history.n_detections == detections
        assert reasons(history)[("dropped", "flank unknown")] == 1

    def test_flank_of_records_that_have_none(self):
        with pytest.raises(DataError, match="no record says which flank it shows"):
            survey([leopard("2024-02-02 13:00")]).capture_history(flank="left")


class TestZeroEffort:
    late = leopard("2024-02-10 13:00", station="C", individual="M01", sex="M", flank="both")

    def test_raise_names_station_time_and_line(self):
        with pytest.raises(DataError) as error:
            survey(more=[self.late]).capture_history(species=LEOPARD)
        assert str(error.value) == (
            "station 'C' has 1 detection while no camera was on (first: 2024-02-10 13:00, records line 11; 1 record "
            'at 1 station in all). Correct the deployments or failures, or pass on_zero_effort="drop".'
        )
        assert error.value.offenders["line"].tolist() == [11]

    def test_drop(self):
        history = survey(more=[self.late]).capture_history(species=LEOPARD, occasion="1D", on_zero_effort="drop")
        assert history == survey().capture_history(species=LEOPARD, occasion="1D")
        assert reasons(history)[("dropped", "no camera was on")] == 1

    def test_keep_gives_the_smallest_effort(self):
        history = survey(more=[self.late]).capture_history(species=LEOPARD, occasion="1D", on_zero_effort="keep")
        effort = history.effort["effort"].to_numpy().reshape(3, 10)
        assert effort[2].tolist() == [*[1] * 7, 0.5, 0, 0.5]
        assert history.n_detections == 5

    def test_a_failure_is_no_effort_even_if_the_occasion_has_some(self):
        off = pd.DataFrame({"deployment": ["B1"], "start": ["2024-02-05 20:00"], "end": ["2024-02-05 23:00"]})
        with pytest.raises(DataError, match="station 'B' has 1 detection while no camera was on"):
            survey(failures=off).capture_history(species=LEOPARD)
        kept = survey(failures=off).capture_history(species=LEOPARD, on_zero_effort="keep")
        assert kept.n_detections == 3
        off = off.assign(deployment="A1", start="2024-02-02 02:00", end="2024-02-02 04:00")
        assert survey(failures=off).capture_history(species=LEOPARD).n_detections == 3  # the other camera was on

    @pytest.mark.parametrize("time", ["2024-01-20 13:00", "2024-02-20 13:00"])
    def test_outside_all_deployments(self, time):
        s = survey(more=[leopard(time)])
        with pytest.raises(DataError, match="while no camera was on"):
            s.capture_history(species=LEOPARD)
        kept = s.capture_history(species=LEOPARD, on_zero_effort="keep")
        assert reasons(kept)[("dropped", "no camera was on, outside all occasions")] == 1
        dated = s.capture_history(species=LEOPARD, start="2024-02-01", end="2024-02-11")
        assert sum(reason.endswith(("the start", "the end")) for reason in dated.audit["reason"]) == 1

    def test_keep_where_nothing_else_has_effort(self):
        off = pd.DataFrame({"station": ["A", "B", "C"], "start": None, "end": None})
        with pytest.raises(DataError, match="no camera was on between"):
            survey(failures=off).capture_history(species=LEOPARD, on_zero_effort="keep")


class TestSessions:
    def test_by_time(self):
        sessions = {"early": ("2024-02-01", "2024-02-05"), 2024: ("2024-02-07", "2024-02-11")}
        history = survey().capture_history(species=LEOPARD, occasion="2D", sessions=sessions)
        assert history.sessions == ("early", "2024")
        assert history.n_occasions == {"early": 2, "2024": 2}
        assert history["early"].effort["effort"].tolist() == [2] * 6
        assert history["2024"].effort["effort"].tolist() == [2, 2, 2, 2, 1.5, 0]
        assert history["2024"].individuals["individual"].tolist() == ["M01"]
        assert reasons(history)[("dropped", "outside the sessions")] == 1

    def test_stations_are_those_deployed_in_the_session(self):
        cameras = DEPLOYMENTS.assign(
            start=["2024-02-01", "2024-02-01", "2024-02-01", "2023-01-01"],
            end=["2024-03-01", "2024-03-01", "2024-03-01", "2023-02-01"],
        )
        s = survey([leopard("2023-01-05", station="C"), leopard("2024-02-05", station="A")], deployments=cameras)
        history = s.capture_history(
            sessions={"2023": ("2023-01-01", "2023-02-01"), "2024": ("2024-02-01", "2024-03-01")}
        )
        assert history["2023"].stations["station"].tolist() == ["C"]
        assert history["2024"].stations["station"].tolist() == ["A", "B"]
        assert history.n_individuals == 2

    def test_an_animal_of_both_sessions_counts_in_each(self):
        sessions = {"a": ("2024-02-01", "2024-02-06"), "b": ("2024-02-06", "2024-02-11")}
        history = survey().capture_history(species=LEOPARD, occasion="5D", sessions=sessions)
        assert history.dataset["individual"].to_numpy().tolist() == ["a/F01", "a/M01", "b/M01"]
        assert counts(history) == {"kept": 3, "merged": 3, "dropped": 2}

    def test_by_column(self):
        history = survey().capture_history(species=LEOPARD, occasion="1D", sessions="area")
        assert history.sessions == ("north", "south")
        assert history.n_occasions == {"north": 10, "south": 8}
        assert history["south"].individuals["individual"].tolist() == ["M01"]
        assert "area" not in history.stations

    def test_by_column_refuses(self):
        with pytest.raises(DataError, match="Station 'B' has no session in column 'area'"):
            survey(stations=STATIONS.assign(area=["n", None, "s"])).capture_history(species=LEOPARD, sessions="area")
        with pytest.raises(DataError, match="Session 'south': none of its 1 stations was deployed"):
            survey(RECORDS[:4], deployments=DEPLOYMENTS.iloc[:3]).capture_history(sessions="area")


class TestTime:
    def test_the_cameras_clock_and_a_zone_differ_when_the_clocks_change(self):
        cameras = pd.DataFrame({"station": ["A"], "start": ["2024-03-30 12:00"], "end": ["2024-04-01 12:00"]})
        records = pd.DataFrame({"timestamp": ["2024-03-31 11:30"], "station": ["A"], "individual": ["F01"]})
        for tz, days in [(None, [1, 1]), ("UTC+01:00", [1, 1]), ("Europe/Madrid", [23 / 24, 1])]:
            s = Survey(stations=STATIONS[:1], deployments=cameras, records=records, tz=tz)
            history = s.capture_history(occasion="1D")
            assert history.effort["effort"].tolist() == pytest.approx(days)
            assert history.detections["occasion"].tolist() == ["1"]

    def test_times_with_an_offset_are_converted_to_the_zone(self):
        cameras = pd.DataFrame(
            {"station": ["A"], "start": ["2024-01-01T00:00+00:00"], "end": ["2024-01-03T00:00+00:00"]}
        )
        records = pd.DataFrame({"timestamp": ["2024-01-01T01:59:59Z"], "station": ["A"], "individual": ["F01"]})
        s = Survey(stations=STATIONS[:1], deployments=cameras, records=records, tz="UTC+10:00")
        history = s.capture_history(occasion="1D")  # local noon of 1 January is 02:00 UTC
        assert history.effort["effort"].tolist() == pytest.approx([2 / 24, 1, 22 / 24])
        assert history.detections["occasion"].tolist() == ["1"]

    def test_across_new_year(self):
        cameras = DEPLOYMENTS.assign(start="2023-12-30 12:00", end="2024-01-02 12:00")
        s = survey([leopard("2024-01-01 00:00")], deployments=cameras)
        history = s.capture_history(occasion="1D", start="2023-12-30", end="2024-01-02")
        assert history.n_occasions == {"1": 3}
        assert history.detections["occasion"].tolist() == ["2"]


class TestProblems:
    def test_nothing_to_do(self):
        table = survey(RECORDS[:6]).problems()
        assert table.columns.tolist() == ["severity", "where", "found", "fix"]
        assert table.empty

    def test_gravest_first(self):
        cameras = pd.concat([DEPLOYMENTS.iloc[:3], DEPLOYMENTS.iloc[:1].assign(deployment="A3", start="2024-02-10")])
        more = [leopard("2024-02-20 13:00", sex="M"), leopard("2024-02-03 13:00", individual="L1", flank="left")]
        more.append(leopard("2024-02-03 13:00", individual="R1", flank="right"))
        found = survey([*RECORDS[:5], *RECORDS[7:8]], more=more, deployments=cameras).problems()
        assert found[["severity", "where"]].to_numpy().tolist() == [
            ["must fix", "station A"],
            ["must fix", "individual F01"],
            ["should look", "deployment A3"],
            ["should look", "station C"],
            ["should look", "individuals L1 and R1"],
            ["note", "species Panthera pardus"],
            ["note", "flanks"],
        ]
        assert (
            found["found"][0] == "1 record of Panthera pardus (2024-02-20 13:00, records row 7) outside its deployments"
        )


class TestText:
    def test_says_what_is_in_it(self):
        off = pd.DataFrame({"station": ["B"], "start": ["2024-02-02"], "end": ["2024-02-03"]})
        assert repr(survey(failures=off)).splitlines() == [
            "Survey",
            "  stations  3 over 6 × 2 km, EPSG:32652; covariates area, height",
            "  cameras   4 in 4 deployments",
            "  time      1 Feb 2024 to 11 Feb 2024, clock of the cameras",
            "  effort    26.5 station-days, 31.5 camera-days",  # A 10 (and 5), B 10 - 1, C 7.5
            "  failures  1 at 1 station, 1 camera-day lost",
            "  records   10: Panthera pardus 8, Panthera tigris 1, no species 1",
            "  animals   4 identities in 8 records; flanks both 3, left 2, right 2; young in 1 record",
            "  audit     10 rows read: 10 kept",
        ]

    def test_html_is_escaped(self):
        html = survey([leopard("2024-02-02 13:00", species="<script>")])._repr_html_()
        assert "&lt;script&gt;" in html
        assert "<script>" not in html
