from __future__ import annotations

import pandas as pd

from tests.data import history_tables as tables


def test_text_says_what_a_biologist_asks():
    text = repr(tables.make())
    assert text.splitlines()[0] == (
        "CaptureHistory, detector proximity: 3 animals (1 M, 2 sex unknown, 2 different, over 2 sessions), "
        "5 detections, 2 recaptures, 1 animal at more than one station"
    )
    assert "5 stations over 4 × 1.5 km; 2 to 3 occasions in 2 sessions" in text
    assert "effort 67.5 station-days, 7 on an occasion; stations were off on 15 % of occasions" in text
    assert "1 animal died or removed" in text
    assert "covariates: snow, lure, sex, kg" in text
    assert [line.split() for line in text.splitlines()[-2:]] == [
        ["2022", "2", "4", "2", "3", "3", "46.5"],
        ["2023", "1", "1", "0", "2", "2", "21"],
    ]


def test_one_session_has_no_table():
    text = repr(tables.one_session(occasions=1, captures=tables.captures().iloc[:1, 1:4], crs="local"))
    assert text.splitlines() == [
        "CaptureHistory, detector proximity: 1 animal, 1 detection, 0 recaptures, 0 animals at more than one station",
        "  3 stations over 4 × 0.5 km; 1 occasion",
        "  effort 3 station-occasions",
        "  coordinates: metres, reference system not given",
    ]


def test_a_design_has_no_animal():
    assert "no animal detected" in repr(tables.one_session(captures=None, occasions=2))


def test_html_says_the_same_and_escapes_labels():
    stations = pd.DataFrame({"station": ["A", "B"], "x": [0, 2000], "y": [0, 0], "<b>lure": ["x", "y"]})
    captures = pd.DataFrame({"individual": ["F1"], "station": ["A"], "occasion": [1]})
    sessions = {"<script>alert(1)": stations, "b": stations}
    html = tables.CaptureHistory.from_tables({"b": captures}, sessions)._repr_html_()
    assert "&lt;script&gt;alert(1)" in html
    assert "&lt;b&gt;lure" in html
    assert "<b>lure" not in html
    assert "<script>" not in html
    assert "detected or not at each station" in html
    assert html.count("<tr") == 3
