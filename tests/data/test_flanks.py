"""Flanks of detections, from tables and from surveys, kept wherever a history goes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leopardpop.data.flanks import FLANKS, event_flanks, known_flanks
from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.parts import SessionParts
from leopardpop.data.readers.secr import read_secr
from leopardpop.errors import DataError, DataWarning
from tests.data.test_survey import leopard, survey

STATIONS = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
CAPTURES = pd.DataFrame(
    [
        ("F1", "A", 1, "L"),
        ("F1", "A", 1, "right"),
        ("F1", "B", 2, "both"),
        ("M1", "B", 1, None),
        ("M1", "B", 3, "LEFT"),
    ],
    columns=["individual", "station", "occasion", "flank"],
)


def make(captures=CAPTURES, **options):
    return CaptureHistory.from_tables(captures, STATIONS, **{"occasions": 3, "crs": "local"} | options)


def shown(history):
    """Flanks by animal, station and occasion."""
    table = history.detections
    keys = zip(table["individual"], table["station"], table["occasion"], strict=True)
    return dict(zip(keys, table[list(FLANKS)].to_numpy().tolist(), strict=True))


EXPECTED = {
    ("F1", "A", "1"): [1, 1, 0],
    ("F1", "B", "2"): [0, 0, 1],
    ("M1", "B", "1"): [0, 0, 0],
    ("M1", "B", "3"): [1, 0, 0],
}


class TestTables:
    @pytest.mark.parametrize("detector", ["proximity", "multi", "count"])
    def test_each_detection_has_its_flanks(self, detector):
        history = make(detector=detector)
        assert shown(history) == EXPECTED
        assert history.n_detections == (5 if detector == "count" else 4)
        assert history.audit.empty
        assert history.arrays("1").flanks.tolist() == list(EXPECTED.values())

    def test_without_a_flank_there_is_none(self):
        history = make(CAPTURES.drop(columns="flank").drop(index=1))
        assert "left" not in history.detections
        assert history.arrays("1").flanks is None
        assert "flanks" not in repr(history)

    def test_counts(self):
        captures = CAPTURES.assign(count=[2, 1, 3, 1, 1])
        history = make(captures, detector="count")
        assert shown(history)["F1", "A", "1"] == [2, 1, 0]
        assert shown(history)["F1", "B", "2"] == [0, 0, 3]

    @pytest.mark.parametrize("again", ["left", None])
    def test_a_repeat_is_one_still(self, again):
        more = pd.concat([CAPTURES, CAPTURES.iloc[[0]].assign(flank=again)])
        with pytest.raises(DataError, match=r"2 repeated rows .*proximity detector"):
            make(more)

    def test_a_word_that_cannot_be_read(self):
        with pytest.warns(DataWarning, match="captures row 4: flank is 'lft'.*Did you mean 'left'"):
            history = make(CAPTURES.assign(flank=[*CAPTURES["flank"][:4], "lft"]))
        assert shown(history)["M1", "B", "3"] == [0, 0, 0]

    def test_more_flanks_than_records(self):
        captures = CAPTURES.drop(columns="flank").drop(index=1).assign(left=[2, 0, 0, 0])
        message = (
            "animal 'F1' at station 'A' on occasion '1': flanks are 2 left, 0 right, 0 both, but there is 1 detection"
        )
        with pytest.raises(DataError, match=message):
            make(captures)

    def test_detections_without_effort_that_are_dropped(self):
        effort = pd.DataFrame({"station": ["A", "B"], "1": [1, 0], "2": [1, 1], "3": [1, 1]})
        with pytest.warns(DataWarning, match="1 detection where effort is 0 dropped"):
            history = make(effort=effort, occasions=None, on_zero_effort="drop")
        assert shown(history) == {key: value for key, value in EXPECTED.items() if key != ("M1", "B", "1")}

    def test_words(self):
        said = "flanks: 1 left, 1 both, 1 left and right on different records, 1 detection of unknown flank"
        assert said in repr(make())
        assert "flanks: 1 left" in make()._repr_html_()

    def test_words_count_each_detection_once(self):
        flanks = pd.DataFrame({"left": [1, 0, 1, 1], "right": [0, 1, 1, 0], "both": [1, 0, 0, 0]})
        captures = pd.concat([CAPTURES.drop(columns="flank").drop(index=1).reset_index(drop=True), flanks], axis=1)
        assert "flanks: 1 left, 1 right, 1 both, 1 left and right on different records\n" in repr(make(captures))


@st.composite
def histories(draw):
    detector = draw(st.sampled_from(["proximity", "count"]))
    parts = []
    for session in draw(st.sampled_from([["1"], ["1", "2"]])):
        cells = draw(st.sets(st.sampled_from([(i, k, s) for i in range(2) for k in range(2) for s in range(3)])))
        rows = np.array(sorted(cells | {(0, 0, 0), (1, 0, 0)}))
        count = np.array([draw(st.integers(1, 3 if detector == "count" else 1)) for _ in rows])
        flanks = [[draw(st.integers(0, int(n))) for _ in range(3)] for n in count]
        names = {"individual": rows[:, 0], "station": rows[:, 1], "occasion": rows[:, 2]}
        parts.append(
            SessionParts(
                session=session,
                individuals=["a", "b"],
                stations=["A", "B"],
                xy=[[0, 0], [0, 1000]],
                effort=np.ones((2, 3)),
                count=count,
                flanks=draw(st.sampled_from([flanks, flanks, None])) if session == "2" else flanks,
                **names,
            )
        )
    return history_from_parts(parts, detector=detector, crs=None)


@settings(max_examples=25)
@given(history=histories(), seed=st.integers(0, 9))
def test_they_go_wherever_the_history_goes(history, seed):
    assert CaptureHistory.from_dataset(history.dataset) == history
    tables = history.detections.sample(frac=1, random_state=seed), history.stations, history.effort
    again = CaptureHistory.from_tables(*tables, detector=history.detector, occasions=3, crs="local")
    without = CaptureHistory(history.dataset.assign_attrs(crs="local"))
    assert again.data_hash == CaptureHistory(without.dataset.assign_attrs(crs=again.crs or "")).data_hash
    for session in history.sessions:
        own = history.detections["session"] == session
        pd.testing.assert_frame_equal(
            history[session].detections, history.detections[own].reset_index(drop=True), check_dtype=False
        )


@settings(max_examples=15)
@given(history=histories())
def test_files_of_secr_keep_them_in_a_comment(history, tmp_path_factory):
    folder = history.to_secr(tmp_path_factory.mktemp("secr"))
    again = CaptureHistory(read_secr(folder / "captures.txt").dataset.assign_attrs(crs=""))
    assert again.data_hash == history.data_hash
    assert again.detections.equals(history.detections) or not history.dataset["detection_left"].size


def test_files_of_secr_that_somebody_changed(tmp_path):
    make().to_secr(tmp_path)
    path = tmp_path / "captures.txt"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("F1 2 B", "F1 3 A"), encoding="utf-8")
    assert shown(read_secr(path)) == {
        ("F1", "A", "1"): [1, 1, 0],
        ("F1", "A", "3"): [0, 0, 0],
        ("M1", "B", "1"): [0, 0, 0],
        ("M1", "B", "3"): [1, 0, 0],
    }


def test_the_hash_knows_them():
    other = CAPTURES.assign(flank=["right", "left", "both", None, "right"])
    assert len({make().data_hash, make(other).data_hash, make(CAPTURES.iloc[1:]).data_hash}) == 3
    assert make(CAPTURES.iloc[::-1]).data_hash == make().data_hash


class TestSurvey:
    def test_events_of_a_detection(self):
        made = survey(
            [
                leopard("2024-02-02 03:00", flank="left"),
                leopard("2024-02-02 03:01", flank="right"),  # one event: both
                leopard("2024-02-02 20:00", flank="left"),
                leopard("2024-02-02 23:00"),
                leopard("2024-02-04 03:00", flank="right"),
                leopard("2024-02-05 03:00", station="B", individual="M1"),
            ]
        )
        history = made.capture_history(occasion="1D", occasion_start="00:00")
        assert history.detections["count"].tolist() == [1, 1, 1]
        assert history.detections[list(FLANKS)].to_numpy().tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
        counted = made.capture_history(occasion="1D", occasion_start="00:00", detector="count")
        assert counted.detections["count"].tolist() == [3, 1, 1]
        assert counted.detections[list(FLANKS)].to_numpy().tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
        apart = made.capture_history(occasion="1D", occasion_start="00:00", independence=None)
        assert apart.detections[list(FLANKS)].to_numpy().tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]

    def test_one_flank(self):
        history = survey().capture_history(species="Panthera pardus", flank="left")
        assert history.detections[list(FLANKS)].to_numpy().tolist() == [[1, 0, 1], [0, 0, 1]]

    def test_records_without_flanks(self):
        history = survey([leopard("2024-02-02 03:00")]).capture_history()
        assert history.arrays("1").flanks is None


@given(
    records=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from(["left", "right", "both", None])), max_size=12
    )
)
def test_event_flanks_by_hand(records):
    """The slow way: each event's set of words."""
    event = np.array([3 * row + step % 3 for row, step, _ in records], dtype=np.intp)
    row = np.array([each[0] for each in records], dtype=np.intp)
    flank = pd.Series([each[2] for each in records], dtype=object)
    expected = np.zeros((3, 3), dtype=int)
    for number in set(event.tolist()):
        words = {word for word, other in zip(flank, event, strict=True) if other == number} - {None}
        kind = "both" if "both" in words or len(words) == 2 else next(iter(words), None)
        if kind is not None:
            expected[number // 3, FLANKS.index(kind)] += 1
    assert event_flanks(flank, event, row, 3).tolist() == expected.tolist()
    assert known_flanks(flank).shape == (len(records), 3)
