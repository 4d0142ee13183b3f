"""Every bad table of the issue: what, where, what was found, what to do, and the rows at fault."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from leopardpop.data.history import CaptureHistory
from leopardpop.errors import DataError
from tests.data import history_tables as tables

CAPTURES = pd.DataFrame({"individual": ["F1", "F1", "M1"], "station": ["A", "B", "B"], "occasion": [1, 3, 2]})
STATIONS = pd.DataFrame({"station": ["A", "B", "C"], "x": [0, 2000, 4000], "y": [0, 500, 0]})
EFFORT = pd.DataFrame({"station": ["A", "B", "C"], "1": [7, 7, 7], "2": [7, 7, 7], "3": [7, 7, 7]})


def refused(message: str, **changes) -> DataError:
    """Check that the tables are refused with a message, and return the error."""
    arguments = {"captures": CAPTURES, "stations": STATIONS} | changes
    with pytest.raises(DataError, match=message) as error:
        CaptureHistory.from_tables(**arguments)
    return error.value


def test_unknown_station():
    captures = CAPTURES.assign(station=["A", "b1", "B"])
    error = refused(r"captures row 1: station 'b1' is not in the station table\. Did you mean 'B'\?", captures=captures)
    assert error.offenders["station"].tolist() == ["b1"]


def test_unknown_station_in_a_file_is_named_by_line(tmp_path):
    CAPTURES.assign(station=["A", "Z9", "B"]).to_csv(tmp_path / "c.csv", index=False)
    refused(r"c\.csv line 3: station 'Z9'.*stations are 'A', 'B', 'C'", captures=tmp_path / "c.csv")


def test_station_of_another_session():
    captures = tables.captures()
    captures.loc[4, "station"] = "C"
    with pytest.raises(DataError, match=r"station 'C' is not in .* session '2023'\. It belongs to session '2022'"):
        tables.make(captures=captures)


def test_unknown_session():
    captures = tables.captures().replace({"session": {"2023": "2032"}})
    message = r"row 4: session '2032' is not in the station table\. Did you mean '202[23]'\?"
    with pytest.raises(DataError, match=message):
        tables.make(captures=captures)


@pytest.mark.parametrize("table", ["captures", "effort"])
def test_several_sessions_need_a_column(table):
    with pytest.raises(DataError, match=f"{table} has no column 'session', but there are sessions '2022', '2023'"):
        tables.make(**{table: getattr(tables, table)().drop(columns="session")})


def test_sessions_of_captures_without_sessions_of_stations():
    captures = CAPTURES.assign(session=["a", "a", "b"])
    refused(r"captures has sessions 'a', 'b', but stations has no column 'session'", captures=captures)


def test_a_dict_must_agree_with_its_tables():
    stations = {"2022": STATIONS.assign(session=["2022", "2022", "2021"])}
    refused(r"row 2: session is not '2022'.*given as stations\['2022'\]", captures=None, stations=stations)
    refused("has no session", captures=None, stations={})


def test_duplicate_stations():
    stations = STATIONS.assign(station=["A", "B", "A"])
    error = refused(r"stations row 0: station 'A' occurs more than once \(2 rows in all\)", stations=stations)
    assert error.offenders["line"].tolist() == [0, 2]


def test_no_stations():
    refused("stations has no stations", stations=STATIONS.iloc[:0])


@pytest.mark.parametrize(("value", "found"), [(np.nan, "missing"), ("north", "'north'"), (np.inf, "'inf'")])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_bad_coordinates(axis, value, found):
    stations = STATIONS.astype({axis: object})
    stations.loc[1, axis] = value
    refused(f"stations row 1: {axis} is {found}.* A number is needed", stations=stations)


@pytest.mark.parametrize(("value", "found"), [(-1, "'-1'"), ("x", "'x'"), (np.inf, "'inf'"), (np.nan, "missing")])
def test_bad_effort(value, found):
    effort = EFFORT.astype({"2": object})
    effort.loc[1, "2"] = value
    blank = "effort row 1: effort of station 'B' on occasion '2' is missing"
    refused(blank if found == "missing" else f"effort row 1: effort on occasion '2' is {found}", effort=effort)


@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_bad_effort_in_a_column_of_stations(value):
    refused("stations row 2: days is", stations=STATIONS.assign(days=[1, 2, value]), effort="days")


@pytest.mark.parametrize("value", [0, -1, 1.5, np.nan, "two"])
def test_bad_counts(value):
    captures = CAPTURES.assign(count=pd.Series([1, value, 1], dtype=object))
    refused("captures row 1: count is .* whole number is needed, at least 1", captures=captures, detector="count")


def test_degrees():
    stations = pd.DataFrame({"station": list("ABC"), "x": [131.02, 131.105, 131.2], "y": [43.01, 43.05, 43.11]})
    error = refused(r"look like degrees of longitude and latitude.*Project them.*crs=\"local\"", stations=stations)
    assert len(error.offenders) == 3
    refused("degrees", stations=stations, crs="EPSG:32652")
    refused("degree", stations=STATIONS, crs="EPSG:4326")
    refused("not a known coordinate reference system", stations=STATIONS, crs="EPSG:nonsense")
    one = pd.DataFrame({"station": ["A"], "x": [-62.155], "y": [-3.119]})
    refused("degrees", stations=one, captures=None, occasions=3)


def test_count_above_one_on_a_proximity_detector():
    repeats = pd.concat([CAPTURES, CAPTURES, CAPTURES.iloc[:1]], ignore_index=True)
    error = refused(r"4 repeated rows \(first: captures row 0, animal 'F1'\).*detector='count'\?", captures=repeats)
    assert error.offenders["individual"].tolist() == ["F1", "F1", "M1"]
    counted = CAPTURES.assign(count=[1, 2, 1])
    refused(r"count is 2 \(first: captures row 1", captures=counted)
    refused(r"on a multi detector", captures=counted, detector="multi")


def test_two_stations_in_an_occasion_on_a_multi_detector():
    captures = CAPTURES.assign(occasion=[1, 1, 1])
    assert tables.one_session(captures=captures).n_detections == 3
    error = refused(
        r"row 1: animal 'F1' is at station 'A' and at 'B' on one occasion.*detector='proximity'",
        captures=captures,
        detector="multi",
    )
    assert error.offenders["line"].tolist() == [1]


def test_detection_without_effort():
    effort = EFFORT.assign(**{"2": [7, 0, 7], "3": [7, 0, 7]})
    captures = CAPTURES.assign(occasion=[1, 3, 2])
    error = refused(
        r"station 'B' has 2 detections on occasions with no effort \(first: 3, captures row 1\)\. "
        r'Correct the effort, or pass on_zero_effort="drop"\.',
        captures=captures,
        effort=effort,
    )
    assert error.offenders["individual"].tolist() == ["F1", "M1"]
    refused("effort is 0 at every station", effort=EFFORT.assign(**dict.fromkeys("123", 0)), on_zero_effort="keep")


def test_detection_after_death():
    captures = CAPTURES.assign(died=[1, 0, 0])
    error = refused("row 1: animal 'F1' was detected after it died", captures=captures)
    assert error.offenders["line"].tolist() == [1]
    refused("row 0: died is '2', neither 0 nor 1", captures=CAPTURES.assign(died=[2, 0, 0]))


def test_the_same_animal_may_live_in_another_session():
    assert tables.make(captures=tables.captures().assign(died=[0, 0, 1, 1, 0])).n_individuals == 3


@pytest.mark.parametrize("column", ["individual", "station", "occasion"])
def test_missing_labels(column):
    captures = CAPTURES.astype(object)
    captures.loc[2, column] = None
    refused(f"captures row 2: {column} is missing", captures=captures)


@pytest.mark.parametrize("column", ["individual", "station", "occasion"])
def test_missing_columns_of_captures(column):
    refused(f"captures has no column '{column}'", captures=CAPTURES.drop(columns=column))


@pytest.mark.parametrize("column", ["station", "x", "y"])
def test_missing_columns_of_stations(column):
    refused(f"stations has no column '{column}'", stations=STATIONS.drop(columns=column))


def test_animals_that_were_never_captured():
    individuals = pd.DataFrame({"individual": ["F1", "M1", "F9"], "sex": ["F", "M", "F"]})
    error = refused("individuals row 2: animal 'F9' has no captures", individuals=individuals)
    assert error.offenders["individual"].tolist() == ["F9"]
    twice = pd.DataFrame({"individual": ["F1", "F1"], "sex": ["F", "M"]})
    refused("animal 'F1' occurs more than once", individuals=twice)


def test_effort_tables_that_do_not_fit():
    refused("effort has no row for station 'C'", effort=EFFORT.iloc[:2])
    refused("effort row 2: station 'Q' is not in the station table", effort=EFFORT.assign(station=["A", "B", "Q"]))
    refused("effort of station 'B' is given more than once", effort=EFFORT.assign(station=["A", "B", "B"]))
    refused("has no occasions", effort=EFFORT[["station"]])
    refused("has 3 occasions .*but occasions= says 4", effort=EFFORT, occasions=4)
    refused("has no effort on any occasion", effort=EFFORT.assign(**dict.fromkeys("123", np.nan)))


def test_long_effort_given_twice():
    effort = pd.DataFrame({"station": ["A", "A"], "occasion": [1, 1], "effort": [1, 2]})
    refused("effort of station 'A' is given more than once", effort=effort)


def test_unknown_column_of_effort():
    stations = STATIONS.assign(Effort=1.0)
    refused(r"effort='Efort' is not a column of stations.*Did you mean 'Effort'\?", stations=stations, effort="Efort")
    refused("there is no file 'efort.csv'", effort="efort.csv")


def test_occasions_that_do_not_exist():
    refused(r"captures row 1: occasion '3' is not one of the 2 occasions.*They are '1', '2'", occasions=2)
    weeks = CAPTURES.assign(occasion=["w1", "w9", "w1"])
    refused("occasion 'w9' is not one of the 2", captures=weeks, occasions=["w1", "w2"])
    refused("occasion 'w9' is not a number.*occasions=", captures=CAPTURES.assign(occasion=["1", "w9", "2"]))
    refused("occasion '0' is not a number from 1 up", captures=CAPTURES.assign(occasion=[0, 1, 2]))
    refused("occasion '1.5' is not a number", captures=CAPTURES.assign(occasion=[1.5, 1, 2]))
    refused("number of occasions is unknown.*Pass occasions=", captures=None)


@pytest.mark.parametrize("occasions", [0, -1, 2.5, True, "five", ["a", "a"], ["a", ""], []])
def test_occasions_that_are_none(occasions):
    refused("a whole number from 1 up is needed, or different labels", occasions=occasions)


def test_occasions_by_session_must_fit():
    refused(r"occasions= has session '2', or|session '2'; sessions are '1'", occasions={"2": 3})
    with pytest.raises(DataError, match="occasions= has no entry for session '2023'"):
        tables.make(effort=None, occasions={"2022": 3})


def test_options():
    refused(r"detector='proximty' is not known.*Did you mean 'proximity'\?", detector="proximty")
    refused("on_zero_effort='ignore' is not known", on_zero_effort="ignore")
    refused("effort_unit=''", effort_unit=" ")
    refused(r"columns= has 'capture'; it can have .*Did you mean 'captures'\?", columns={"capture": {"ID": "x"}})
    refused("columns= names 'Id', which captures does not have", columns={"captures": {"Id": "individual"}})


def test_every_error_is_also_a_value_error():
    with pytest.raises(ValueError, match="no column"):
        CaptureHistory.from_tables(CAPTURES.drop(columns="station"), STATIONS)


def test_a_column_named_effort_may_be_meant_as_the_effort():
    refused(r"covariate 'effort' .*If it is the effort, pass effort='effort'", stations=STATIONS.assign(effort=1.0))


@pytest.mark.parametrize("spacing,said", [(2.0, True), (0.5, True), (8.0, False), (2000.0, False)])
def test_coordinates_in_kilometres_are_noticed(spacing, said):
    line = [500.0 + spacing * i for i in range(4)]
    stations = pd.DataFrame([(f"{x}-{y}", x, y + 4000.0) for x in line for y in line], columns=["station", "x", "y"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CaptureHistory.from_tables(None, stations, occasions=3)
    assert any("in kilometres?" in str(each.message) for each in caught) == said
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CaptureHistory.from_tables(None, stations, occasions=3, crs="local")
