"""What is no path and no table is refused by every reader, in words."""

import inspect

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import DataError

READERS = sorted(name for name in lp.__all__ if name.startswith("read_"))


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("value", [None, 42, 3.5, b"x", ["a"], {}, pd.DataFrame({"a": [1]}), "", "a\x00b"])
def test_arguments_of_readers(name, value):
    reader = getattr(lp, name)
    needed = [each for each in inspect.signature(reader).parameters.values() if each.default is each.empty]
    with pytest.raises(DataError):
        reader(*(value for _ in needed))


@pytest.mark.parametrize("traps", [42, [None], {"1": None}, b"traps.txt"])
def test_traps_of_secr(tmp_path, traps):
    captures = tmp_path / "captures.txt"
    captures.write_text("1 F1 1 A\n")
    with pytest.raises(DataError, match=r"traps.*is a (int|NoneType|bytes); the path of a file is needed"):
        lp.read_secr(captures, traps)


def test_the_argument_is_named():
    with pytest.raises(DataError, match="captures= is a NoneType; the path of a file is needed"):
        lp.read_secr(None, None)
    with pytest.raises(DataError, match="path= is a int; a folder, a zip or a dict of tables is needed"):
        lp.read_wildlife_insights(42)


@pytest.mark.parametrize("value", [5, object(), [], [1, 2], {"a": 5}, {"a": {1, 2}}, np.zeros(3), True])
@pytest.mark.parametrize("word", ["sessions", "seasons", "covariates"])
def test_arguments_of_histories(word, value):
    """No bare TypeError of what is no rule and no table."""
    survey = lp.load_example()
    if word == "covariates" and isinstance(value, list) and not value:
        return  # no covariates are asked for
    make = survey.detection_history if word == "seasons" else survey.capture_history
    options = {} if word == "seasons" else {"flank": "left"}
    with pytest.raises(DataError, match=f"(?i){word.removesuffix('s')}"):
        make(species="Panthera pardus", **{word: value}, **options)


@pytest.mark.parametrize("day", ["2500-01-01", "1500-01-01", pd.Timestamp("1700-01-01")])
def test_days_that_no_camera_saw(day):
    with pytest.raises(DataError, match=r"is no date of a survey \(1900 to 2200\)"):
        lp.load_example().capture_history(species="Panthera pardus", flank="left", end=day)


def test_an_offset_where_cameras_have_none():
    with pytest.raises(DataError, match=r"start='2024-02-01 00:00\+03:00' has an offset"):
        naive().capture_history(species="a", start="2024-02-01 00:00+03:00")


def naive():
    """A survey by the clocks of its cameras."""
    stations = pd.DataFrame({"station": ["A"], "x": [5e5], "y": [5e6]})
    deployments = pd.DataFrame({"station": ["A"], "start": ["2024-01-01"], "end": ["2024-03-01"]})
    records = pd.DataFrame({"station": ["A"], "timestamp": ["2024-01-05 10:00"], "species": ["a"], "individual": ["i"]})
    return lp.read_records(records, deployments, stations, crs="EPSG:32652")


def test_the_nearest_species_of_a_figure():
    with pytest.raises(DataError, match="Did you mean 'Panthera pardus'"):
        lp.load_example().plot.map(species="Panthera pards")
