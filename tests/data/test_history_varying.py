"""Covariates of occasions and of stations on occasions: in from tables, through the dataset, and out again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import leopardpop as lp
from leopardpop.errors import DataError, DataWarning

STATIONS = pd.DataFrame({"station": ["A", "B"], "x": [0.0, 2000.0], "y": [0.0, 500.0], "lure": ["yes", "no"]})
CAPTURES = pd.DataFrame({"individual": ["F1", "F1", "M1"], "station": ["A", "B", "A"], "occasion": [1, 3, 2]})
OCCASIONS = pd.DataFrame({"occasion": [1, 2, 3], "rain": [0.5, 2.0, 1.0], "moon": ["new", "full", None]})
EFFORT = pd.DataFrame(
    {
        "station": np.repeat(["A", "B"], 3),
        "occasion": [1, 2, 3] * 2,
        "effort": [7.0, 7.0, 0.0, 7.0, 5.0, 7.0],
        "bait": [1.0, 0.5, np.nan, 0.0, 0.25, 2.0],
        "angler": ["Ann", "Bo", None, "Bo", "Bo", "Ann"],
    }
)


def make(**changes: object) -> lp.CaptureHistory:
    given = {"effort": EFFORT, "occasions": OCCASIONS, "effort_unit": "day"} | changes
    return lp.CaptureHistory.from_tables(CAPTURES, STATIONS, **given)  # type: ignore[arg-type]


def test_in_the_arrays() -> None:
    data = make().arrays("1")
    assert data.occasions == ("1", "2", "3")
    assert data.occasion_covariates["rain"].tolist() == [0.5, 2.0, 1.0]
    assert data.occasion_covariates["moon"].tolist() == ["new", "full", None]
    np.testing.assert_array_equal(data.visit_covariates["bait"], [[1.0, 0.5, np.nan], [0.0, 0.25, 2.0]])
    assert data.visit_covariates["angler"].tolist() == [["Ann", "Bo", None], ["Bo", "Bo", "Ann"]]


def test_in_the_long_tables() -> None:
    history = make()
    assert history.occasion_covariates.columns.tolist() == ["session", "occasion", "rain", "moon"]
    assert history.effort.columns.tolist() == ["session", "station", "occasion", "effort", "bait", "angler"]
    again = make(effort=history.effort, occasions=history.occasion_covariates)
    assert again == history
    assert "covariates: lure, rain, moon, bait, angler" in repr(history)


def test_through_a_file(tmp_path: Path) -> None:
    history = make()
    history.dataset.to_netcdf(tmp_path / "history.nc")
    with xr.open_dataset(tmp_path / "history.nc") as dataset:
        again = lp.CaptureHistory.from_dataset(dataset.load())
    assert again == history
    assert again.data_hash == history.data_hash
    assert again["1"] == history


def test_part_of_the_hash() -> None:
    other = OCCASIONS.assign(rain=[0.5, 2.0, 1.5])
    assert make(occasions=other).data_hash != make().data_hash
    assert make(effort=EFFORT.assign(bait=0.0)).data_hash != make().data_hash
    shuffled = make(effort=EFFORT.sample(frac=1.0, random_state=1))
    assert shuffled.data_hash == make().data_hash


def test_sessions_of_different_length() -> None:
    stations = pd.concat([STATIONS.assign(session="2021"), STATIONS.assign(session="2022")])
    occasions = pd.DataFrame(
        {"session": ["2021", "2021", "2022", "2022", "2022"], "occasion": [1, 2, 1, 2, 3], "rain": [1.0, 2, 3, 4, 5]}
    )
    history = lp.CaptureHistory.from_tables(None, stations, occasions=occasions)
    assert history.n_occasions == {"2021": 2, "2022": 3}
    assert history.arrays("2021").occasion_covariates["rain"].tolist() == [1.0, 2.0]
    assert history["2022"].arrays("2022").occasion_covariates["rain"].tolist() == [3.0, 4.0, 5.0]
    one_each = {"2021": occasions[:2], "2022": occasions[2:]}
    assert lp.CaptureHistory.from_tables(None, stations, occasions=one_each) == history


def test_labels_of_the_effort_table_in_order() -> None:
    """An effort table with dates for columns, and occasions that are numbered."""
    effort = pd.DataFrame({"station": ["A", "B"], "1 May": [1, 1], "2 May": [1, 0], "3 May": [1, 1]})
    history = make(effort=effort)
    assert history.occasions["1"] == ("1 May", "2 May", "3 May")
    assert history.arrays("1").occasion_covariates["rain"].tolist() == [0.5, 2.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"occasions": OCCASIONS.drop(columns="occasion")}, r"occasions has no column 'occasion'"),
        ({"occasions": pd.concat([OCCASIONS, OCCASIONS[:1]])}, r"occasion '1' is given more than once"),
        ({"occasions": OCCASIONS.assign(lure=1)}, r"occasion covariate 'lure' has a name that means something else"),
        ({"occasions": OCCASIONS.rename(columns={"rain": "effort"})}, r"occasion covariate 'effort'"),
        ({"effort": EFFORT.assign(rain=1.0)}, r"visit covariate 'rain'"),
        ({"occasions": OCCASIONS[:2]}, r"has 3 occasions"),
        ({"occasions": "nowhere.csv"}, r"nowhere.csv"),
    ],
)
def test_contradictions(changes: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        make(**changes)


def test_through_the_files_of_secr(tmp_path: Path) -> None:
    """The comment holds them; the warning says that R does not see them."""
    history = make()
    with pytest.warns(DataWarning, match=r"vary by occasion \('rain', 'moon', 'bait', 'angler'\)"):
        history.to_secr(tmp_path)
    again = lp.read_secr(tmp_path / "captures.txt", tmp_path / "traps.txt", detector="proximity")
    assert again.data_hash == history.data_hash
