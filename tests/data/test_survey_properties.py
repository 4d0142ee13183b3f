"""What must hold for every survey, whatever its cameras did and whoever walked by."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leopardpop.data.effort import survey_running
from leopardpop.data.survey import Survey
from leopardpop.errors import DataWarning

LEOPARD, BOAR = "Panthera pardus", "Sus scrofa"
START = pd.Timestamp("2024-03-28 07:00")  # the clocks of Madrid change on the third day
STATIONS = pd.DataFrame({"station": list("ABC"), "x": [0.0, 3e3, 9e3], "y": [0.0, 1e3, 0.0], "block": list("nns")})
COLUMNS = ["minute", "station", "species", "individual", "life_stage", "flank", "count"]
few = settings(max_examples=10, deadline=None)

cameras = st.lists(
    st.tuples(st.sampled_from("ABC"), st.sampled_from("lr"), st.integers(0, 120), st.integers(1, 120)),
    min_size=1, max_size=6,
)  # fmt: skip
failures = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 160), st.integers(1, 50)), max_size=3)
records = st.lists(
    st.tuples(
        st.integers(-10, 250).map(lambda hour: 37 * hour),
        st.sampled_from("ABC"),
        st.sampled_from([LEOPARD, LEOPARD, BOAR]),
        st.sampled_from(["F1", "F2", "M1", "C1", None]),
        st.sampled_from(["adult", "subadult", "juvenile", None]),
        st.sampled_from(["left", "right", "both", None]),
        st.integers(1, 3),
    ),
    max_size=25,
)  # fmt: skip
surveys = st.tuples(cameras, failures, records)


def timed(table, zero):
    """Start and length in hours as start and end."""
    hours = {"start": table["start"], "end": table["start"] + table["n"]}
    return table.assign(**{name: zero + pd.to_timedelta(n.astype("int64"), unit="h") for name, n in hours.items()})


def make(tables, *, tz=None, days=0, order=None):
    on, off, seen = tables
    zero = START + pd.Timedelta(days=days)
    deployed = pd.DataFrame(on, columns=["station", "camera", "start", "n"])
    deployed = deployed[deployed["station"].isin([station for station, *_ in on])]
    gone = pd.DataFrame(off, columns=["station", "start", "n"])
    gone = gone[gone["station"].isin(deployed["station"])].reset_index(drop=True)
    table = pd.DataFrame(seen, columns=COLUMNS).assign(line=np.arange(len(seen)))
    table = table.assign(timestamp=zero + pd.to_timedelta(table["minute"].astype("int64"), unit="min"))
    if order is not None:
        table = table.iloc[order]
    return Survey(
        stations=STATIONS,
        deployments=timed(deployed, zero),
        failures=timed(gone, zero),
        records=table,
        tz=tz,
    )


def quiet(method, **options):
    """Call a method that may say that names or identities are left out, and that it found no animal at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return method(**{"species": LEOPARD, "on_zero_effort": "drop"} | options)


def seconds(running):
    return float((running.end - running.start).sum()) / 1e9


def has_effort(made):
    return seconds(survey_running(made)) > 0


class TestEffort:
    @few
    @given(
        surveys,
        st.sampled_from(["1h", "5h", "11h", "1D", "30h", "7D", "60D"]),
        st.sampled_from(["00:00", "07:30", "12:00"]),
        st.sampled_from([None, "Europe/Madrid", "UTC+10:00"]),
        st.sampled_from(["union", "sum"]),
    )
    @pytest.mark.filterwarnings("ignore:.*a time that the clocks of:leopardpop.errors.DataWarning")
    def test_sums_to_the_time_that_cameras_ran(self, tables, occasion, occasion_start, tz, cameras):
        made = make((*tables[:2], []), tz=tz)
        if not has_effort(made):
            return
        total = seconds(survey_running(made, by_camera=cameras == "sum"))
        options = {"occasion": occasion, "occasion_start": occasion_start, "cameras": cameras, "effort_unit": "hour"}
        history = quiet(made.capture_history, **options)
        assert history.effort["effort"].sum() * 3600 == pytest.approx(total, rel=1e-12)
        visits = quiet(made.detection_history, sites="block", **options)
        assert visits.dataset["effort"].values.sum() * 3600 == pytest.approx(total, rel=1e-12)
        assert (visits.dataset["y"].isnull() == (visits.dataset["effort"] == 0)).all()

    @few
    @given(surveys)
    def test_of_a_year_by_months_is_that_of_the_year(self, tables):
        made = make((*tables[:2], []))
        if not has_effort(made):
            return
        months = quiet(made.detection_history, seasons="month", occasion="1D").dataset["effort"].values.sum()
        assert months == pytest.approx(seconds(survey_running(made)) / 86_400, rel=1e-12)


class TestAudit:
    @few
    @given(surveys, st.sampled_from(["proximity", "count"]), st.sampled_from([None, "left"]))
    def test_of_a_capture_history_adds_up(self, tables, detector, flank):
        made = make(tables)
        seen = made.records[made.records["species"] == LEOPARD]
        if not has_effort(made) or not _some_identified(seen):
            return
        history = quiet(made.capture_history, detector=detector, flank=flank if _flanks(seen) else None)
        assert history.audit["line"].tolist() == seen["line"].tolist()
        assert set(history.audit["action"]) <= {"kept", "merged", "dropped"}
        assert (history.audit["action"] == "kept").sum() == history.detections["count"].sum()

    @few
    @given(surveys, st.sampled_from(["binary", "count", "state"]), st.sampled_from(["station", "block"]))
    def test_of_a_detection_history_adds_up(self, tables, response, sites):
        made = make(tables)
        if not has_effort(made):
            return
        visits = quiet(made.detection_history, species=[LEOPARD, BOAR], response=response, sites=sites, occasion="1D")
        assert visits.audit["line"].tolist() == made.records["line"].tolist()
        kept = (visits.audit["action"] == "kept").sum()
        y = visits.dataset["y"].values
        assert kept == (np.nansum(y) if response == "count" else np.sum(y > 0))

    @few
    @given(surveys, st.sampled_from(["last_record", "last_independent"]), st.sampled_from(["0h", "1h", "20h"]))
    def test_every_record_is_in_one_event(self, tables, rule, independence):
        made = make(tables)
        interval = None if independence == "0h" else independence
        events = made.events(rule=rule, independence=interval)
        assert events["n_records"].sum() == len(made.records)
        assert (events["group_size"] >= events["n_young"]).all()
        assert events["start"].is_monotonic_increasing


class TestInvariance:
    @few
    @given(surveys, st.integers(-400, 400), st.sampled_from(["count", "state"]))
    def test_to_moving_everything_in_time(self, tables, days, response):
        made, moved = make(tables), make(tables, days=days)
        if not has_effort(made):
            return
        options = {"species": [LEOPARD, BOAR], "response": response, "occasion": "9h"}
        one, two = (quiet(each.detection_history, **options) for each in (made, moved))
        np.testing.assert_array_equal(one.dataset["y"], two.dataset["y"])
        np.testing.assert_array_equal(one.dataset["effort"], two.dataset["effort"])
        assert one.audit.equals(two.audit)
        assert made.events()["n_records"].equals(moved.events()["n_records"])

    @few
    @given(surveys, st.randoms(use_true_random=False), st.sampled_from(["binary", "count", "state"]))
    def test_to_the_order_of_records(self, tables, random, response):
        order = list(range(len(tables[2])))
        random.shuffle(order)
        made, mixed = make(tables), make(tables, order=order)
        if not has_effort(made):
            return
        one, two = (
            quiet(each.detection_history, response=response, species=[LEOPARD, BOAR], occasion="1D", group_size=2)
            for each in (made, mixed)
        )
        np.testing.assert_array_equal(one.dataset["y"], two.dataset["y"])
        assert one.audit["action"].value_counts().to_dict() == two.audit["action"].value_counts().to_dict()
        columns = ["station", "species", "individual", "start", "end", "n_records", "group_size", "n_young", "flank"]
        pd.testing.assert_frame_equal(made.events()[columns], mixed.events()[columns])

    @few
    @given(surveys, st.randoms(use_true_random=False), st.sampled_from(["proximity", "count"]))
    def test_of_capture_histories_to_the_order_of_records(self, tables, random, detector):
        order = list(range(len(tables[2])))
        random.shuffle(order)
        made, mixed = make(tables), make(tables, order=order)
        if not has_effort(made) or not _some_identified(made.records[made.records["species"] == LEOPARD]):
            return
        one, two = (quiet(each.capture_history, detector=detector, occasion="1D") for each in (made, mixed))
        assert one == two


class TestIdentity:
    @few
    @given(surveys)
    def test_dependent_cubs_never_become_individuals(self, tables):
        made = make(tables)
        seen = made.records[made.records["species"] == LEOPARD]
        if not has_effort(made) or not _some_identified(seen):
            return
        animals = set(quiet(made.capture_history).individuals["individual"])
        stages = seen.dropna(subset=["individual"]).groupby("individual")["life_stage"].agg(set)
        cubs = {name for name, found in stages.items() if "juvenile" in found and not found & {"adult", "subadult"}}
        assert not animals & cubs

    @few
    @given(surveys)
    def test_an_animal_known_from_one_flank_is_never_in_twice(self, tables):
        made = make(tables)
        seen = made.records[made.records["species"] == LEOPARD]
        if not has_effort(made) or not _some_identified(seen):
            return
        animals = set(quiet(made.capture_history, life_stage=None).individuals["individual"])
        sides = seen.dropna(subset=["individual", "flank"]).groupby("individual")["flank"].agg(set)
        left, right = ({name for name, found in sides.items() if found == {side}} for side in ("left", "right"))
        assert not (animals & left and animals & right)


def _some_identified(seen):
    """Whether a record is left that the history can use; it is an error if none is."""
    grown, young = seen["life_stage"].isin(["adult", "subadult"]), seen["life_stage"] == "juvenile"
    dependent = set(seen["individual"][young].dropna()) - set(seen["individual"][grown])
    usable = seen[~young & ~seen["individual"].isin(dependent)]
    return not len(usable) or usable["individual"].notna().any()


def _flanks(seen):
    usable = seen[seen["individual"].notna() & (seen["life_stage"] != "juvenile")]
    return usable["flank"].notna().any()
