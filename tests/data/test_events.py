"""Events: independence by two rules, who was with whom, and what shows that a species breeds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leopardpop.data.events import event_numbers, independence_interval, independent_events
from leopardpop.data.survey import Survey
from leopardpop.errors import DataError

LEOPARD = "Panthera pardus"
STATIONS = pd.DataFrame({"station": ["A", "B"], "x": [500_000.0, 503_000.0], "y": [4_700_000.0, 4_701_000.0]})
CAMERAS = pd.DataFrame({"station": ["A", "B"], "start": "2024-02-01 12:00", "end": "2024-02-11 12:00"})
COLUMNS = ["timestamp", "station", "species", "individual", "sex", "life_stage", "flank", "count"]
FAMILY = [
    ("2024-02-02 21:00", "A", LEOPARD, "F01", "F", "adult", "left", 1),
    ("2024-02-02 21:05", "A", LEOPARD, None, None, "juvenile", None, 2),
    ("2024-02-02 21:06", "A", LEOPARD, "F01", "F", "adult", "right", 1),
    ("2024-02-02 21:40", "A", LEOPARD, "C1", None, "Juvenile", None, 1),
    ("2024-02-04 01:00", "B", LEOPARD, None, None, "juvenile", None, 1),
    ("2024-02-05 01:00", "B", LEOPARD, "M01", "M", None, "both", 1),
    ("2024-02-05 01:00", "B", LEOPARD, "F02", "F", None, "both", 1),
    ("2024-02-05 01:10", "B", "Sus scrofa", None, None, "juvenile", None, 7),
]


def survey(rows=FAMILY, **changes):
    records = pd.DataFrame(list(rows), columns=COLUMNS[: len(rows[0])])
    return Survey(**{"stations": STATIONS, "deployments": CAMERAS, "records": records} | changes)


def minutes(*times, station="A", individual="F01"):
    start = pd.Timestamp("2024-02-02")
    return [(start + pd.Timedelta(minutes=m), station, LEOPARD, individual) for m in times]


def simple_rule(groups, instants, interval, rule):
    """Both rules as one would write them: for each group, the time that the next record is compared with."""
    since: dict = {}
    begins = {}
    for i in np.lexsort((instants, groups)):
        group = groups[i]
        begins[i] = group not in since or instants[i] - since[group] >= interval
        if begins[i] or rule == "last_record":
            since[group] = instants[i]
    return np.array([begins[i] for i in range(len(groups))], dtype=bool)


class TestRules:
    def test_several_names_of_one_species_are_one(self):
        rows = [*minutes(0), ("2024-02-02 00:10", "A", "Panthera pardus orientalis", "F01")]
        names = [LEOPARD, "Panthera pardus orientalis"]
        events = survey(rows).events(species={"leopard": names}, independence="30min")
        assert events[["species", "n_records"]].to_numpy().tolist() == [["leopard", 2]]
        assert len(survey(rows).events(species=names, independence="30min")) == 2

    def test_since_the_last_record_and_since_the_last_independent_record(self):
        made = survey(minutes(0, 20, 40, 60, 89, 90))
        last = made.events(independence="30min")
        assert last[["n_records"]].to_numpy().tolist() == [[6]]  # an animal that rests is one event
        since = made.events(independence="30min", rule="last_independent")
        assert since["n_records"].tolist() == [2, 2, 2]  # 0 20, 40 60, 89 90

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), max_size=40),
        st.integers(0, 20),
        st.sampled_from(["last_record", "last_independent"]),
    )
    def test_agree_with_the_rule_written_as_a_loop(self, rows, interval, rule):
        rows = list(dict.fromkeys(rows))
        groups, instants = np.array(rows, dtype=np.int64).reshape(-1, 2).T
        found = independent_events([groups], instants, interval, rule)
        assert found.tolist() == simple_rule(groups, instants, interval, rule).tolist()
        numbers = event_numbers([groups], instants, interval, rule)
        assert len(np.unique(numbers)) == found.sum()
        assert np.unique(numbers[found]).size == found.sum()

    def test_counts_of_both_histories_follow_the_rule(self):
        made = survey(minutes(0, 20, 40, 60))
        for rule, n in (("last_record", 1), ("last_independent", 2)):
            history = made.capture_history(occasion="1D", detector="count", rule=rule)
            visits = made.detection_history(occasion="1D", response="count", rule=rule)
            assert history.n_detections == np.nansum(visits.dataset["y"]) == n
            reason = {"last_record": "the record before", "last_independent": "the first record of the event"}[rule]
            merged = history.audit[history.audit["action"] == "merged"]
            assert merged["reason"].tolist() == [f"within 30min of {reason}"] * (4 - n)


class TestEvents:
    def test_by_station_species_and_individual(self):
        events = survey().events()
        assert events["event"].tolist() == [1, 2, 3, 4, 5, 6, 7]
        assert events[["station", "individual", "n_records"]].to_numpy(object).tolist() == [
            ["A", "F01", 2],
            ["A", None, 1],
            ["A", "C1", 1],
            ["B", None, 1],
            ["B", "F02", 1],
            ["B", "M01", 1],
            ["B", None, 1],
        ]
        first = events.iloc[0]
        assert (first["start"], first["end"]) == (pd.Timestamp("2024-02-02 21:00"), pd.Timestamp("2024-02-02 21:06"))
        assert first[["flank", "sex", "life_stage", "line"]].tolist() == ["both", "F", "adult", 1]
        assert events["with_young"].tolist() == [True, True, True, True, False, False, True]

    def test_all_animals_of_a_station_together(self):
        events = survey().events(species=LEOPARD, by="station")
        assert events[["station", "n_records", "group_size", "n_young"]].to_numpy(object).tolist() == [
            ["A", 3, 3, 2],  # F01 and two juveniles in one picture
            ["A", 1, 1, 1],  # 34 minutes after the last record
            ["B", 1, 1, 1],
            ["B", 2, 2, 0],  # two animals at one time
        ]
        assert events["sex"].tolist() == ["F", None, None, None]  # unknown, or they differ
        assert events["flank"].tolist() == ["both", None, None, "both"]
        hour = survey().events(species=LEOPARD, by="station", independence="1h")
        assert hour[["n_records", "group_size", "n_young"]].iloc[0].tolist() == [4, 3, 2]

    def test_every_record_is_in_one_event(self):
        for rule in ("last_record", "last_independent"):
            for by in ("station", ["species"], ["station", "sex"]):
                assert survey().events(by=by, rule=rule, independence="2h")["n_records"].sum() == len(FAMILY)

    def test_without_records(self):
        made = survey()
        empty = Survey(stations=STATIONS, deployments=CAMERAS, records=made.records.iloc[:0])
        assert empty.events().columns.tolist() == made.events().columns.tolist()
        assert len(empty.events()) == 0

    def test_order_of_records_changes_nothing(self):
        there, back = survey().events(), survey(FAMILY[::-1]).events()
        pd.testing.assert_frame_equal(there.drop(columns="line"), back.drop(columns="line"))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"by": "statoin"}, "no column 'statoin'.*Did you mean 'station'"),
            ({"by": []}, "no column is named"),
            ({"rule": "first"}, "rule='first' must be one of 'last_record', 'last_independent'"),
            ({"independence": "soon"}, "independence='soon' is no length of time"),
            ({"young": "cub"}, r"young='cub' must be several words: \(\"cub\",\)"),
            ({"species": "Pantera pardus"}, "Did you mean 'Panthera pardus'"),
        ],
    )
    def test_refuses(self, change, message):
        with pytest.raises(DataError, match=message):
            survey().events(**change)


class TestBreeding:
    def states(self, rows=FAMILY, **options):
        visits = survey(rows).detection_history(species=LEOPARD, response="state", occasion="1D", **options)
        return visits.dataset["y"].values[:, 0].astype(int).tolist()

    def test_young_show_it(self):
        assert self.states() == [[0, 2, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 2, 1, 0, 0, 0, 0, 0, 0]]

    def test_young_with_an_adult_female(self):
        assert self.states(evidence="family") == [[0, 2, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0, 0, 0]]

    def test_a_group_of_a_species_that_lives_alone(self):
        assert self.states(group_size=2)[1] == [0, 0, 2, 2, 0, 0, 0, 0, 0, 0]
        assert self.states(group_size=3)[1] == [0, 0, 2, 1, 0, 0, 0, 0, 0, 0]
        assert self.states(group_size=2, young=())[0] == [0, 2, 0, 0, 0, 0, 0, 0, 0, 0]

    def test_words_for_young(self):
        assert self.states(young=["Cub"]) == [[0, 1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0, 0, 0]]

    def test_young_of_another_species_show_nothing(self):
        rows = [FAMILY[5], FAMILY[7]]
        assert self.states(rows)[1] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]

    @pytest.mark.parametrize("size", [1, 0, 2.5, True])
    def test_refuses_a_group_of_one(self, size):
        with pytest.raises(DataError, match=r"group_size=.* must be a whole number from 2"):
            self.states(group_size=size)

    def test_the_audit_keeps_the_record_that_shows_the_state(self):
        visits = survey().detection_history(species=LEOPARD, response="state", occasion="1D")
        kept = visits.audit[visits.audit["action"] == "kept"]
        assert kept["line"].tolist() == [2, 5, 6]
        assert len(visits.audit) == 7

    def test_cubs_with_an_identity_are_no_individuals(self):
        history = survey().capture_history(species=LEOPARD, occasion="1D")
        assert history.individuals["individual"].tolist() == ["F01", "F02", "M01"]


@pytest.mark.parametrize("value", ["30", 30, 1.5, True])
def test_an_interval_without_a_unit_is_refused(value):
    with pytest.raises(DataError, match=rf'independence={value!r}: of what\? Write "{value}min"'):
        independence_interval(value)


@pytest.mark.parametrize("value", [None, 0, "0min", "0 h", pd.Timedelta(0)])
def test_no_interval_makes_every_record_an_event(value):
    assert independence_interval(value) == 0
