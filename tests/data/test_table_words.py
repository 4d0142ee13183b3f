"""Numbers and answers as people write them in tables of captures and stations."""

import warnings

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import DataError, DataWarning

STATIONS = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 500]})
CAPTURES = pd.DataFrame({"individual": ["F1", "F1", "M1"], "station": ["A", "B", "A"], "occasion": [1, 2, 1]})


def removed(died):
    history = lp.CaptureHistory.from_tables(CAPTURES.assign(died=died), STATIONS, occasions=3)
    return history.detections.set_index(["individual", "occasion"])["died"].to_dict()


@pytest.mark.parametrize(
    "died",
    [[0, 1, 0], ["no", "yes", "No"], ["n", "Y", ""], [False, True, False], ["False", "TRUE", None], ["0", "1", "NA"]],
)
def test_a_death_is_told_by_number_or_word(died):
    assert removed(died) == {("F1", "1"): 0, ("F1", "2"): 1, ("M1", "1"): 0}


def test_another_word_for_a_death_is_refused():
    with pytest.raises(DataError, match=r"captures row 1: died is 'maybe', neither 0 nor 1\. Write 1 or yes where"):
        removed([0, "maybe", 0])


def stations(tmp_path, text):
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    return lp.CaptureHistory.from_tables(None, tmp_path / "s.csv", occasions=2, crs="local").stations


@pytest.mark.parametrize("word", ["512,345.7", "512,345", "4.812.345,4", "512 345", "512'345.5"])
def test_separated_thousands_are_refused_with_what_to_write(tmp_path, word):
    with pytest.raises(DataError, match=r"s\.csv line 2: x is '.*'\. A number is needed\. Write numbers without sep"):
        stations(tmp_path, f'station,x,y\nA,"{word}",1\n')


def test_a_quoted_decimal_comma_is_one_in_coordinates_and_covariates(tmp_path):
    table = stations(tmp_path, 'station,x,y,elev\nA,"512,5","1,25","980,5"\nB,900,2000,"12,75"\n')
    assert table[["x", "y", "elev"]].to_numpy().tolist() == [[512.5, 1.25, 980.5], [900.0, 2000.0, 12.75]]


def test_a_covariate_that_stays_text_because_of_thousands_is_told(tmp_path):
    with pytest.warns(DataWarning, match=r"s\.csv: column 'elev' is text, for it has '1,234\.5'\. Write numbers"):
        table = stations(tmp_path, 'station,x,y,elev\nA,1,1,"1,234.5"\nB,900,2000,"980"\n')
    assert table["elev"].tolist() == ["1,234.5", "980"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stations(tmp_path, "station,x,y,trail\nA,1,1,12 km\nB,900,2000,road\n")
