"""What a table of stations is warned of: one that is far from all others, and occasions that nobody gave."""

import warnings

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import DataWarning

SQUARE = pd.DataFrame({"station": list("ABCD"), "x": [0, 2_000, 0, 2_000], "y": [0, 0, 2_000, 2_000]})


def design(stations):
    return lp.CaptureHistory.from_tables(None, stations, occasions=3)


def test_a_station_500_km_away_is_told_with_its_line(tmp_path):
    far = pd.concat([SQUARE, pd.DataFrame({"station": ["E"], "x": [502_000], "y": [2_000]})])
    far.to_csv(tmp_path / "stations.csv", index=False)
    said = r"1 station far from all others.*'E' \(stations\.csv line 6: 500 km\)\. A mistyped coordinate\?"
    with pytest.warns(DataWarning, match=said):
        assert design(tmp_path / "stations.csv").n_stations == 5


def test_it_is_told_by_session():
    first = pd.concat([SQUARE, pd.DataFrame({"station": ["E"], "x": [0], "y": [90_000]})], ignore_index=True).assign(
        session="2021"
    )
    second = SQUARE.assign(session="2022", y=SQUARE["y"] + 90_000)
    with pytest.warns(DataWarning, match=r"'2021/E' \(stations row 4: 88 km\)"):
        design(pd.concat([first, second]))


def test_clusters_and_sparse_surveys_are_not_far():
    clusters = pd.concat([SQUARE, SQUARE.assign(station=list("EFGH"), x=SQUARE["x"] + 500_000)])
    sparse = SQUARE.assign(x=SQUARE["x"] * 20, y=SQUARE["y"] * 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        design(clusters)
        design(sparse)
        design(SQUARE.iloc[:1])


def captures(last):
    return pd.DataFrame({"individual": ["X", "Y"], "station": "A", "session": ["2021", "2022"], "occasion": [8, last]})


BOTH = pd.concat([SQUARE.assign(session="2021"), SQUARE.assign(session="2022")])


def test_sessions_of_unknown_length_are_as_long_as_the_longest_and_it_is_told():
    said = r"8, the largest in the captures of any session, is taken for each .*: '2021' 8, '2022' 5\)"
    with pytest.warns(DataWarning, match=said):
        history = lp.CaptureHistory.from_tables(captures(5), BOTH)
    assert history.n_occasions == {"2021": 8, "2022": 8}


def test_sessions_of_known_or_equal_length_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lp.CaptureHistory.from_tables(captures(8), BOTH)
        lp.CaptureHistory.from_tables(captures(8).iloc[:1], BOTH)
        lp.CaptureHistory.from_tables(captures(5), BOTH, occasions={"2021": 8, "2022": 6})
