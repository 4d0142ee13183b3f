from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from leopardpop.data.history import CaptureHistory, history_from_parts
from leopardpop.data.parts import SessionParts
from leopardpop.errors import DataError, DataWarning
from tests.data import history_tables as tables


@pytest.fixture
def history() -> CaptureHistory:
    return tables.make()


def test_counts(history):
    assert history.sessions == ("2022", "2023")
    assert (history.n_individuals, history.n_detections, history.n_stations) == (3, 5, 5)
    assert (history.n_recaptures, history.n_spatial_recaptures, history.n_multi_station_individuals) == (2, 1, 1)
    assert history.n_occasions == {"2022": 3, "2023": 2}
    assert history.occasions["2023"] == ("1", "2")
    assert (history.detector, history.effort_unit, history.crs) == ("proximity", "day", None)


def test_spatial_recaptures_count_stations_not_animals():
    captures = pd.DataFrame({"individual": "F1", "station": ["A", "B", "C", "A"], "occasion": [1, 1, 2, 3]})
    history = tables.one_session(captures=captures)
    assert (history.n_recaptures, history.n_spatial_recaptures, history.n_multi_station_individuals) == (3, 2, 1)


def test_arrays(history):
    arrays = history.arrays("2022")
    assert arrays.individuals == ("F1", "M1")
    assert arrays.stations == ("A", "B", "C")
    assert arrays.xy.tolist() == [[0, 0], [2000, 500], [4000, 0]]
    assert arrays.effort.tolist() == [[7, 7, 7], [3.5, 7, 7], [0, 7, 1]]
    rows = zip(arrays.individual, arrays.station, arrays.occasion, arrays.count, strict=True)
    assert [tuple(map(int, row)) for row in rows] == [(0, 0, 0, 1), (0, 1, 0, 1), (0, 0, 2, 1), (1, 1, 2, 1)]
    assert arrays.exposure.tolist() == [3, 3]
    assert arrays.station_covariates["snow"].tolist() == [10, 12.5, 9]
    assert arrays.station_covariates["lure"].tolist() == ["yes", "no", None]
    assert arrays.individual_covariates["sex"].tolist() == [None, "M"]
    other = history.arrays("2023")
    assert other.stations == ("A", "D")
    assert other.effort.tolist() == [[7, 0], [7, 7]]
    assert (other.individual.tolist(), other.station.tolist(), other.occasion.tolist()) == ([0], [1], [1])
    assert np.isnan(other.station_covariates["snow"].iloc[1])


def test_a_death_ends_exposure():
    captures = tables.captures().assign(died=[0, 1, 0, 0, 0], occasion=[1, 1, 3, 1, 2])
    captures.loc[3, "station"] = "C"
    effort = tables.effort()
    effort.loc[4, "1"] = 7.0
    arrays = tables.make(captures=captures, effort=effort).arrays("2022")
    assert arrays.exposure.tolist() == [1, 3]


def test_one_session_is_a_history_with_plain_labels(history):
    one = history["2022"]
    assert one.sessions == ("2022",)
    assert one.dataset.indexes["individual"].tolist() == ["F1", "M1"]
    assert history.dataset.indexes["individual"].tolist() == ["2022/F1", "2022/M1", "2023/F1"]
    assert one.arrays("2022").effort.tolist() == history.arrays("2022").effort.tolist()
    assert one.n_detections == 4
    assert list(history) == ["2022", "2023"]
    assert "2022" in history
    assert "2024" not in history


def test_an_unknown_session_offers_the_nearest(history):
    with pytest.raises(DataError, match=r"no session '2024'; sessions are '2022', '2023'\. Did you mean"):
        history["2024"]
    with pytest.raises(DataError, match="no session 2022"):
        history[2022]


def test_to_array(history):
    dense = history.to_array("2022")
    assert dense.dims == ("individual", "station", "occasion")
    assert dense.sel(individual="F1").sum("occasion").values.tolist() == [2, 1, 0]
    assert int(dense.sum()) == 4
    with pytest.raises(DataError, match="several sessions"):
        history.to_array()
    assert history["2023"].to_array().shape == (1, 2, 2)


def test_long_tables_make_the_same_history_again(history):
    again = CaptureHistory.from_tables(
        history.detections, history.stations, history.effort, history.individuals, effort_unit="day"
    )
    assert again == history
    assert again.data_hash == history.data_hash


def test_long_tables(history):
    assert history.detections.columns.tolist() == ["session", "individual", "station", "occasion", "count", "died"]
    assert history.detections["died"].tolist() == [0, 0, 0, 1, 0]
    assert history.effort["effort"].sum() == pytest.approx(7 * 3 + 3.5 + 14 + 8 + 21)
    assert len(history.effort) == 3 * 3 + 2 * 2
    assert history.individuals["individual"].tolist() == ["F1", "M1", "F1"]
    assert history.stations.columns.tolist() == ["session", "station", "x", "y", "snow", "lure"]


def test_dataset_schema(history):
    dataset = history.dataset
    assert dict(dataset.sizes) == {"individual": 3, "station": 5, "occasion": 3, "detection": 5, "session": 2}
    assert dataset.attrs == {"detector": "proximity", "effort_unit": "day", "crs": ""}
    assert dataset["animal"].values.tolist() == ["F1", "M1", "F1"]
    assert dataset["individual_session"].values.tolist() == ["2022", "2022", "2023"]
    assert dataset["station_name"].values.tolist() == ["A", "B", "C", "A", "D"]
    assert dataset["sex"].values.tolist() == ["", "M", ""]
    assert dataset["effort"].isel(station=3).values.tolist()[:2] == [7, 0]
    assert np.isnan(dataset["effort"].isel(station=3, occasion=2))
    assert dataset["detection_station"].values.tolist() == [0, 1, 0, 1, 4]
    assert dataset["removed"].values.tolist() == [False, True, False]
    assert dataset["effort"].attrs["units"] == "day"


def test_nothing_can_be_changed(history):
    before = history.data_hash
    with pytest.raises(ValueError, match="read-only"):
        history.dataset["effort"].values[0, 0] = 99
    with pytest.raises(ValueError, match="read-only"):
        history.arrays("2022").effort[0, 0] = 99
    dataset = history.dataset
    dataset["effort"] = 2 * dataset["effort"]
    table, audit = history.stations, history.audit
    table["x"] = 1.0
    audit["reason"] = "changed"
    assert history.stations["x"].tolist() == [0, 2000, 4000, 0, 2500]
    assert "changed" not in history.audit["reason"].tolist()
    assert CaptureHistory(history.dataset).data_hash == before
    with pytest.raises(AttributeError):
        history.detector = "count"


def test_the_tables_it_was_made_from_can_change():
    stations = tables.stations()
    history = tables.make(stations=stations)
    stations.loc[:, "x"] = 0.0
    assert history.stations["x"].tolist() == [0, 2000, 4000, 0, 2500]


def test_dataset_survives_a_file(history, tmp_path):
    history.dataset.to_netcdf(tmp_path / "history.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "history.nc", engine="h5netcdf") as dataset:
        again = CaptureHistory.from_dataset(dataset.load())
    xr.testing.assert_identical(again.dataset, history.dataset)
    assert again == history
    assert again.data_hash == history.data_hash
    assert {name: array.dtype for name, array in again.dataset.variables.items()} == {
        name: array.dtype for name, array in history.dataset.variables.items()
    }


def test_the_types_that_a_file_gives_are_mended(history):
    as_read = history.dataset.copy(deep=True)
    for name, array in as_read.variables.items():
        if array.dtype.kind == "U":
            as_read[name] = (array.dims, array.values.astype(object))
    as_read = as_read.reset_coords(["sex", "snow"]).set_coords(["sex", "snow"]).transpose("occasion", ...)
    again = CaptureHistory.from_dataset(as_read)
    assert again == history
    assert again.data_hash == history.data_hash
    assert again.individuals.equals(history.individuals)


def test_an_empty_design_survives_a_file(tmp_path):
    history = tables.one_session(captures=None, occasions=4)
    history.dataset.to_netcdf(tmp_path / "history.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "history.nc", engine="h5netcdf") as dataset:
        assert CaptureHistory.from_dataset(dataset.load()) == history


def test_pickle(history):
    assert pickle.loads(pickle.dumps(history)) == history


def test_equality_and_hash(history):
    assert history == tables.make()
    assert hash(history) == hash(tables.make())
    assert history != tables.make(effort_unit="hour")
    assert history != "history"


@pytest.mark.parametrize("table", ["captures", "stations", "effort", "individuals"])
def test_the_hash_does_not_depend_on_the_order_of_rows(history, table):
    shuffled = getattr(tables, table)().iloc[::-1]
    assert tables.make(**{table: shuffled}).data_hash == history.data_hash


@pytest.mark.parametrize(
    "changes",
    [
        {"captures": tables.captures().assign(died=0)},
        {"captures": tables.captures().iloc[:-1]},
        {"stations": tables.stations().assign(snow=1.0)},
        {"stations": tables.stations().assign(x=lambda table: table["x"] + 1)},
        {"effort": tables.effort().assign(**{"2": 6.0})},
        {"individuals": tables.individuals().assign(sex=["F", None])},
        {"effort_unit": "hour"},
        {"detector": "count"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_the_hash_sees_every_part(history, changes):
    assert tables.make(**changes).data_hash != history.data_hash


def test_files_and_dicts_of_sessions_give_the_same(history, tmp_path):
    names = ["captures", "stations", "effort", "individuals"]
    for name in names:
        getattr(tables, name)().to_csv(tmp_path / f"{name}.csv", index=False)
    from_files = tables.make(**{name: tmp_path / f"{name}.csv" for name in names})
    assert from_files == history
    by_session = {name: dict(list(getattr(tables, name)().groupby("session"))) for name in names[:3]}
    plain = {name: {k: v.drop(columns="session") for k, v in of.items()} for name, of in by_session.items()}
    assert tables.make(**plain).data_hash == history.data_hash


def test_numbers_stay_numbers_in_a_dict_of_sessions():
    stations = {"1": pd.DataFrame({"station": ["A"], "x": [0], "y": [0], "snow": [3]})}
    stations["2"] = stations["1"].assign(snow=2.5, lure="no")
    history = CaptureHistory.from_tables(None, stations, occasions=2)
    assert history.stations["snow"].tolist() == [3.0, 2.5]
    assert history.stations["lure"].tolist() == [None, "no"]


def test_sessions_without_detections_count():
    history = tables.make(captures=tables.captures().iloc[:4])
    assert history.sessions == ("2022", "2023")
    assert history["2023"].n_individuals == 0
    assert history.arrays("2023").exposure.shape == (0,)


def test_sessions_follow_the_station_table():
    stations = tables.stations().iloc[[3, 0, 4, 1, 2]]
    history = tables.make(stations=stations)
    assert history.sessions == ("2023", "2022")
    assert history.arrays("2022").stations == ("A", "B", "C")
    assert history.data_hash == tables.make().data_hash


def test_the_session_of_captures_names_the_only_session():
    captures = pd.DataFrame({"session": 2022, "individual": ["F1"], "station": ["A"], "occasion": [1]})
    assert tables.one_session(captures=captures).sessions == ("2022",)


def test_a_design_has_no_animals():
    design = tables.one_session(captures=None, occasions=4)
    assert (design.n_individuals, design.n_detections, design.n_recaptures, design.n_spatial_recaptures) == (0, 0, 0, 0)
    assert design.to_array().shape == (0, 3, 4)
    assert design.detections.empty
    header = pd.DataFrame(columns=["individual", "station", "occasion"])
    assert tables.one_session(captures=header, occasions=4) == design


def test_repeated_rows_of_a_count_add_up():
    captures = pd.DataFrame(
        {"individual": "F1", "station": ["A", "A", "B", "A"], "occasion": [1, 1, 1, 2], "count": [2, 3, 1, 1]}
    )
    history = tables.one_session(captures=captures, detector="count")
    assert history.detections["count"].tolist() == [5, 1, 1]
    assert history.n_detections == 7


def test_occasions_are_the_largest_of_the_captures_and_that_is_on_record():
    history = tables.one_session()
    assert history.n_occasions == {"1": 3}
    assert history.audit.loc[0, "reason"] == "number of occasions taken from the largest in the captures: 3"
    assert history.effort["effort"].eq(1).all()
    assert history.effort_unit == "occasion"
    assert tables.one_session(occasions=5).n_occasions == {"1": 5}


def test_occasions_by_session():
    history = tables.make(effort=None, occasions={"2022": 3, "2023": ["w1", "w2"]}, effort_unit=None)
    assert history.occasions == {"2022": ("1", "2", "3"), "2023": ("w1", "w2")}
    assert history.dataset.indexes["occasion"].tolist() == ["1", "2", "3"]
    assert history.detections["occasion"].tolist() == ["1", "1", "3", "3", "w2"]


@pytest.mark.parametrize("occasion", [[1, 3, 2], ["w1", "w3", "w2"], [1.0, 3.0, 2.0], ["01", "03", "02"]])
def test_labelled_occasions_by_label_or_number(occasion):
    captures = pd.DataFrame({"individual": ["F1", "F1", "M1"], "station": ["A", "B", "B"], "occasion": occasion})
    history = tables.one_session(captures=captures, occasions=["w1", "w2", "w3"])
    assert history.detections["occasion"].tolist() == ["w1", "w3", "w2"]


def test_a_number_is_a_label_where_labels_are_numbers():
    captures = pd.DataFrame({"individual": ["F1"], "station": ["A"], "occasion": [2023]})
    history = tables.one_session(captures=captures, occasions=[2021, 2023])
    assert history.arrays("1").occasion.tolist() == [1]


def test_dates_as_occasions():
    days = pd.date_range("2024-03-01", periods=3)
    effort = pd.DataFrame({"station": ["A", "B", "C"], **{day: [1, 1, 1] for day in days}})
    captures = pd.DataFrame({"individual": ["F1"], "station": ["A"], "occasion": [days[1]]})
    history = tables.one_session(captures=captures, effort=effort)
    assert history.occasions["1"] == ("2024-03-01", "2024-03-02", "2024-03-03")
    assert history.detections["occasion"].tolist() == ["2024-03-02"]


def test_effort_from_a_column_of_stations():
    stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500], "Effort": [30, 12.5]})
    captures = pd.DataFrame({"individual": ["F1"], "station": ["A"], "occasion": [1]})
    history = CaptureHistory.from_tables(captures, stations, "Effort", effort_unit="days")
    assert history.effort["effort"].tolist() == [30, 12.5]
    assert history.effort_unit == "day"
    assert "Effort" not in history.stations
    twice = CaptureHistory.from_tables(captures, stations, "Effort", occasions=2)
    assert twice.effort["effort"].tolist() == [30, 30, 12.5, 12.5]
    renamed = CaptureHistory.from_tables(captures, stations, "Effort", columns={"stations": {"Effort": "days"}})
    assert renamed.effort["effort"].tolist() == [30, 12.5]


def test_a_station_never_on_is_kept_with_a_warning():
    effort = pd.DataFrame({"station": ["A", "B", "C"], "1": [1, 1, 0], "2": [1, 1, 0], "3": [1, 1, 0]})
    with pytest.warns(DataWarning, match="1 station never on .*'C'") as caught:
        history = tables.one_session(effort=effort)
    assert len(caught) == 1
    assert caught[0].filename == tables.__file__
    assert history.n_stations == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert CaptureHistory.from_dataset(history.dataset)["1"] == history


ZERO = pd.DataFrame({"station": ["A", "B", "C"], "1": [7, 7, 7], "2": [7, 0, 7], "3": [3.5, 7, 7]})


def test_detections_without_effort_can_be_dropped():
    with pytest.warns(DataWarning, match="1 detection where effort is 0 dropped, and with them 1 animal") as caught:
        history = tables.one_session(effort=ZERO, on_zero_effort="drop")
    assert caught[0].filename == tables.__file__
    assert history.individuals["individual"].tolist() == ["F1"]
    assert history.audit.to_dict("records") == [
        {
            "source": "captures",
            "line": 2,
            "action": "dropped",
            "reason": "effort is 0 at this station on this occasion",
        }
    ]


def test_detections_without_effort_can_be_kept():
    with pytest.warns(DataWarning, match=r"1 detection where effort is 0 kept, with effort 3\.5 there"):
        history = tables.one_session(effort=ZERO, on_zero_effort="keep")
    assert history.arrays("1").effort[1].tolist() == [7, 3.5, 7]
    assert history.n_detections == 3
    assert history.audit.loc[0, "action"] == "kept"
    assert "set to 3.5" in history.audit.loc[0, "reason"]


def test_a_death_stays_when_its_record_is_dropped():
    captures = pd.DataFrame({"individual": "F1", "station": ["A", "B"], "occasion": [1, 2], "died": [0, 1]})
    with pytest.warns(DataWarning, match="dropped"):
        history = tables.one_session(captures=captures, effort=ZERO, on_zero_effort="drop")
    assert history.arrays("1").exposure.tolist() == [2]


def test_columns_of_captures_that_nothing_uses_are_on_record():
    captures = pd.DataFrame({"individual": ["F1"], "station": ["A"], "occasion": [1], "note": ["wet"]})
    assert "column 'note' of captures is not used" in tables.one_session(captures=captures).audit["reason"].tolist()


def test_animals_without_a_row_have_missing_covariates():
    history = tables.make(individuals=tables.individuals().iloc[:1])
    assert history.individuals["sex"].tolist() == [None, "M", None]
    assert np.array_equal(history.individuals["kg"], [np.nan, 60, np.nan], equal_nan=True)


@pytest.mark.parametrize("missing", ["", "NA", None, np.nan])
def test_what_a_missing_sex_can_be(missing):
    individuals = pd.DataFrame({"individual": ["F1", "M1"], "sex": [missing, "M"]})
    assert tables.one_session(individuals=individuals).individuals["sex"].tolist() == [None, "M"]


def test_individuals_by_session():
    individuals = pd.DataFrame(
        {"session": [2022, 2022, 2023], "individual": ["F1", "M1", "F1"], "age": [2, 5, 3], "sex": ["F", "M", "F"]}
    )
    assert tables.make(individuals=individuals).individuals["age"].tolist() == [2, 5, 3]


def test_a_reference_system_is_written_in_one_way():
    stations = pd.DataFrame({"station": ["A", "B", "C"], "x": [5e5, 502_000, 504_000], "y": 4.7e6})
    assert tables.one_session(stations=stations, crs="epsg:32652").crs == "EPSG:32652"


def test_small_arrays_in_metres_are_no_degrees():
    grid = pd.DataFrame({"station": list("ABC"), "x": [0, 10, 20], "y": [0, 10, 20]})
    assert tables.one_session(stations=grid).n_stations == 3
    tight = grid.assign(x=[0.55, 5.25, 10.85], y=[1.15, 1.25, 1.35])
    assert tables.one_session(stations=tight).n_stations == 3
    tiny = grid.assign(x=[0.15, 0.25, 0.35], y=[0.11, 0.12, 0.13])
    assert tables.one_session(stations=tiny, crs="local").crs is None


def parts(**changes):
    values = {
        "session": "s",
        "individuals": ["F1", "M1"],
        "stations": ["A", "B"],
        "xy": [[0, 0], [2000, 0]],
        "effort": np.ones((2, 3)),
        "individual": [1, 0],
        "station": [0, 1],
        "occasion": [2, 0],
    }
    return SessionParts(**(values | changes))


def test_history_from_parts():
    starts = pd.date_range("2024-02-01", periods=3, freq="7D").to_numpy()
    history = history_from_parts(
        [parts(occasion_start=starts, occasions=["a", "b", "c"])], detector="proximity", effort_unit="day"
    )
    assert history.dataset["occasion_start"].values.tolist() == starts.astype("datetime64[ns]").reshape(1, 3).tolist()
    assert history.occasions == {"s": ("a", "b", "c")}
    assert history.arrays("s").individual.tolist() == [0, 1]
    assert history == history["s"]
    assert history != history_from_parts([parts(occasions=["a", "b", "c"])], detector="proximity", effort_unit="day")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"xy": [[0, 0]]}, r"xy has shape \(1, 2\), but \(2, 2\) is needed"),
        ({"effort": np.ones(2)}, "effort has shape"),
        ({"count": [1]}, "count has shape"),
        ({"individuals": ["F1", "F1"]}, "individual 'F1' more than once"),
        ({"stations": ["A\nB", "B"]}, "has a line break in it"),
        ({"occasions": ["a", "b"]}, "2 occasion labels and 3 columns"),
        ({"xy": [[0, np.nan], [1, 1]]}, "station 'A' has coordinates that are not finite"),
        ({"effort": -np.ones((2, 3))}, "effort that is negative"),
        ({"station": [0, 2]}, r"point to stations outside 0 \.\.\. 1"),
        ({"count": [0, 1]}, "count 0"),
        ({"individual": [1, 1]}, "animal 'F1' has no detection"),
        ({"individual": [0, 0, 1], "station": [0, 0, 0], "occasion": [1, 1, 1]}, "occurs twice"),
        ({"count": [2, 1]}, "several detections on a proximity detector"),
        ({"effort": np.eye(2, 3)}, "animal 'F1' at station 'B' on occasion '1' has a detection without effort"),
        ({"exposure": [3, 2]}, "animal 'M1' is exposed for 2 occasions, but its last detection is on occasion 3"),
        ({"exposure": [3, 4]}, "exposed for 4"),
        ({"exposure": [2, 3], "removed": [False, False]}, "animal 'F1' is exposed for 2"),
        ({"stations": [], "xy": np.zeros((0, 2)), "effort": np.ones((0, 3)), "station": [], "individual": [],
          "occasion": [], "individuals": []}, "has no stations"),
        ({"station_covariates": pd.DataFrame({"a": [1]})}, "station covariates have 1 row, "),
    ],
)  # fmt: skip
def test_parts_that_contradict_themselves(changes, message):
    with pytest.raises(DataError, match=message):
        history_from_parts([parts(**changes)], detector="proximity")


def test_two_stations_of_an_occasion_in_parts():
    twice = parts(individual=[0, 0, 1], station=[0, 1, 0], occasion=[1, 1, 1])
    assert history_from_parts([twice], detector="proximity").n_detections == 3
    with pytest.raises(DataError, match="a second station in one occasion"):
        history_from_parts([twice], detector="multi")


def test_histories_need_sessions_of_different_names():
    with pytest.raises(DataError, match="different labels"):
        history_from_parts([parts(), parts()], detector="proximity")
    with pytest.raises(DataError, match="different labels"):
        history_from_parts([], detector="proximity")


def test_labels_that_collide_once_the_session_is_in_them():
    one = parts(session="a", individuals=["b/c", "d"])
    other = parts(session="a/b", individuals=["c", "d"])
    with pytest.raises(DataError, match="individual 'a/b/c' occurs twice"):
        history_from_parts([one, other], detector="proximity")


def test_not_any_dataset_is_a_history(history):
    with pytest.raises(DataError, match="it has no effort"):
        CaptureHistory.from_dataset(history.dataset.drop_vars("effort"))


def test_covariates_cannot_have_taken_names():
    for name, message in [("removed", "means something else"), ("km/h", "that a file cannot hold"), ("sex", "")]:
        stations = tables.stations().assign(**{name: 1.0})
        with pytest.raises(DataError, match=f"covariate '{name}' has a name .*{message}"):
            tables.make(stations=stations)
