"""Real surveys: what they are known to hold is what we read."""

from __future__ import annotations

import json
import time

import pandas as pd
import pytest

from leopardpop.data.history import CaptureHistory
from leopardpop.data.readers.secr import read_secr
from leopardpop.errors import DataError


def as_list(value):
    return value if isinstance(value, list) else [value]


def read_plain(folder, **options):
    """Read a data set of layout (a): session "*" is every session."""
    meta = json.loads((folder / "meta.json").read_text())
    occasions = dict(zip(as_list(meta["sessions"]), as_list(meta["n_occasions"]), strict=True))
    stations = pd.read_csv(folder / "traps.csv", dtype={"session": str, "trap": str})
    by_session = {s: stations[stations["session"].isin(["*", s])].drop(columns="session") for s in occasions}
    history = CaptureHistory.from_tables(
        folder / "captures.csv",
        by_session,
        individuals=folder / "individuals.csv",
        detector=meta["detector"],
        occasions=occasions,
        columns={"captures": {"trap": "station"}, "stations": {"trap": "station"}},
        **options,
    )
    return history, meta


@pytest.mark.parametrize("name", ["captdata", "stoatCH", "ovenCH", "blackbearCH", "fortdrum_bears", "kruger_leopard"])
def test_surveys(shared, tmp_path, name):
    history, meta = read_plain(shared / "data" / name)
    assert history.sessions == tuple(as_list(meta["sessions"]))
    assert [history[s].n_individuals for s in history] == as_list(meta["n_individuals"])
    assert [history[s].n_detections for s in history] == as_list(meta["n_detections"])
    assert [history[s].n_stations for s in history] == as_list(meta["n_traps"])
    assert int(history.dataset["removed"].sum()) == meta["n_died"]
    folder = history.to_secr(tmp_path)
    assert read_secr(folder / "captures.txt") == history
    again = CaptureHistory.from_tables(
        history.detections,
        history.stations,
        history.effort,
        history.individuals,
        detector=history.detector,
    )
    assert again == history


def test_the_ovenbird_that_died(shared):
    history, _ = read_plain(shared / "data" / "ovenCH")
    arrays = history.arrays("2009")
    assert arrays.exposure[arrays.individuals.index("1911.52289")] == 3
    assert sum(arrays.exposure) == 10 * len(arrays.individuals) - 7


def test_the_snow_leopard_survey_with_a_column_map(shared):
    folder = shared / "data" / "snow-leopard-workflow-example"
    history = CaptureHistory.from_tables(
        folder / "captures.csv",
        folder / "traps.csv",
        "Effort",
        detector="count",
        effort_unit="day",
        columns={
            "captures": {"Session": "session", "ID": "individual", "trapID": "station"},
            "stations": {"Session": "session", "ID": "station"},
        },
    )
    known = json.loads((folder / "meta.json").read_text())["info"]["per_session"]
    assert history.sessions == ("1", "2", "3", "4", "5")
    for session, numbers in known.items():
        one = history[session]
        assert (one.n_individuals, one.n_detections, one.n_stations) == tuple(
            numbers[key] for key in ("n_ind", "n_det", "n_traps")
        )
        assert one.effort["effort"].sum() == numbers["effort"]
    assert {"camera_type", "lure_01", "habitat", "terrain"} <= set(history.stations.columns)
    assert "Effort" not in history.stations


@pytest.mark.parametrize(
    ("captures", "traps", "detector", "counts"),
    [
        ("capt.txt", "trap.txt", "multi", (76, 235, 100)),
        ("stoatcapt.txt", "stoattrap.txt", "multi", (20, 30, 94)),
        ("MRCHcapt.txt", "MRCHtrap.txt", "proximity", (70, 156, 36)),
        ("kruger_ch_capt.txt", "kruger_ch_trap.txt", "count", (64, 148, 62)),
        ("kruger_ch_capt.txt", "kruger_traps.txt", "count", (64, 148, 62)),
        ("kruger_capthist.csv", "kruger_traps_xy.csv", "count", (64, 148, 62)),
    ],
)
def test_text_files_of_secr(shared, tmp_path, captures, traps, detector, counts):
    folder = shared / "data" / "secr-text"
    history = read_secr(folder / captures, folder / traps, detector=detector)
    assert (history.n_individuals, history.n_detections, history.n_stations) == counts
    assert read_secr(history.to_secr(tmp_path) / "captures.txt") == history


def test_a_survey_is_the_same_from_text_and_from_tables(shared):
    text = shared / "data" / "secr-text"
    stoats, _ = read_plain(shared / "data" / "stoatCH")
    assert read_secr(text / "stoatcapt.txt", text / "stoattrap.txt", detector="multi").data_hash == stoats.data_hash
    plain, _ = read_plain(shared / "data" / "captdata")
    assert read_secr(text / "capt.txt", text / "trap.txt", detector="multi").data_hash == plain.data_hash


@pytest.mark.parametrize(
    ("captures", "traps"),
    [
        ("telemetrydemo.txt", "trap.txt"),
        ("capt.txt", "polygonexample1.txt"),
        ("capt.txt", "polygonexample2.txt"),
        ("capt.txt", "possumarea.txt"),
        ("Tm.txt", "trap.txt"),
        ("leftbank.txt", "trap.txt"),
    ],
)
def test_what_is_no_survey_with_stations_is_refused(shared, captures, traps):
    folder = shared / "data" / "secr-text"
    with pytest.raises(DataError, match=r"cannot be read|is needed|are needed"):
        read_secr(folder / captures, folder / traps)


def test_a_history_takes_milliseconds(shared):
    read_plain(shared / "data" / "captdata")  # imports and first calls
    started = time.perf_counter()
    for _ in range(3):
        read_plain(shared / "data" / "captdata")
    assert (time.perf_counter() - started) / 3 < 0.3  # 15 ms alone; other processes share the machine
