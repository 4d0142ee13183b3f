"""A slip of the pen in one cell is told, and does not fill the memory."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.data.projections import project, utm_crs

STATIONS = pd.DataFrame({"station": ["A", "B"], "x": [0.0, 900.0], "y": [0.0, 100.0]})


@pytest.mark.parametrize("occasion", ["20000000", "1000000000"])
def test_secr_text(tmp_path: Path, occasion: str) -> None:
    (tmp_path / "captures.txt").write_text(f"1 a 1 A\n1 b {occasion} B\n")
    (tmp_path / "traps.txt").write_text("A 0 0\nB 900 100\n")
    with pytest.raises(lp.errors.DataError, match=rf"captures\.txt line 2: occasion is '{occasion}'.*1 to 100000"):
        lp.read_secr(tmp_path / "captures.txt", tmp_path / "traps.txt", detector="multi")


def test_tables() -> None:
    captures = pd.DataFrame({"individual": ["a"], "station": ["A"], "occasion": [2_000_000_000]})
    with pytest.raises(lp.errors.DataError, match=r"row 0.*2000000000.*At most 100000"):
        lp.CaptureHistory.from_tables(captures, STATIONS)
    with pytest.raises(lp.errors.DataError, match=r"occasions=2000000000 are more than 100000"):
        lp.CaptureHistory.from_tables(None, STATIONS, occasions=2_000_000_000)


def test_oscr(tmp_path: Path) -> None:
    (tmp_path / "edf.csv").write_text("session,ind,occ,trap\n1,a,1,A\n1,b,1000000000,B\n")
    (tmp_path / "tdf.csv").write_text("trap,x,y\nA,0,0\nB,900,100\n")
    with pytest.raises(lp.errors.DataError, match=r"edf\.csv line 3: occasion is 1e\+09.*At most 100000"):
        lp.read_oscr(tmp_path / "edf.csv", tmp_path / "tdf.csv")


def test_a_survey_across_the_equator_has_positive_coordinates() -> None:
    """Middle north of it or south of it: in the southern zone both sides are positive."""
    for latitude in ([0.3, -0.05], [0.05, -0.3]):
        crs = utm_crs([10.0, 10.4], latitude)
        assert crs == "EPSG:32732"
        _, y = project([10.0, 10.4], latitude, "EPSG:4326", crs)
        assert (y > 0).all()
    assert utm_crs([10.0, 10.4], [0.3, 0.05]) == "EPSG:32632"
