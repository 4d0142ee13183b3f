"""A small survey in two sessions, for the tests of histories."""

from __future__ import annotations

from typing import Any

import pandas as pd

from leopardpop.data.history import CaptureHistory


def stations() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "session": ["2022", "2022", "2022", "2023", "2023"],
            "station": ["A", "B", "C", "A", "D"],
            "x": [0.0, 2000.0, 4000.0, 0.0, 2500.0],
            "y": [0.0, 500.0, 0.0, 0.0, 1500.0],
            "snow": [10.0, 12.5, 9.0, 11.0, None],
            "lure": ["yes", "no", None, "yes", "no"],
        }
    )


def captures() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("2022", "F1", "A", 1, 0),
            ("2022", "F1", "B", 1, 0),
            ("2022", "M1", "B", 3, 1),
            ("2022", "F1", "A", 3, 0),
            ("2023", "F1", "D", 2, 0),
        ],
        columns=["session", "individual", "station", "occasion", "died"],
    )


def effort() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "session": ["2023", "2023", "2022", "2022", "2022"],
            "station": ["D", "A", "A", "B", "C"],
            "1": [7.0, 7.0, 7.0, 3.5, 0.0],
            "2": [7.0, 0.0, 7.0, 7.0, 7.0],
            "3": [None, None, 7.0, 7.0, 1.0],
        }
    )


def individuals() -> pd.DataFrame:
    return pd.DataFrame({"individual": ["M1", "F1"], "sex": ["M", None], "kg": [60.0, None]})


def make(**changes: Any) -> CaptureHistory:
    """Make the history, with other tables or options where they are given."""
    arguments: dict[str, Any] = {
        "captures": captures(),
        "stations": stations(),
        "effort": effort(),
        "individuals": individuals(),
        "effort_unit": "day",
    }
    return CaptureHistory.from_tables(**(arguments | changes))


def one_session(**changes: Any) -> CaptureHistory:
    """Make a history of one session without effort, with other tables or options where they are given."""
    arguments: dict[str, Any] = {
        "captures": pd.DataFrame({"individual": ["F1", "F1", "M1"], "station": ["A", "B", "B"], "occasion": [1, 3, 2]}),
        "stations": pd.DataFrame({"station": ["A", "B", "C"], "x": [0, 2000, 4000], "y": [0, 500, 0]}),
    }
    return CaptureHistory.from_tables(**(arguments | changes))
