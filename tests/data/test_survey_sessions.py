"""Sessions and seasons that a column of deployments says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leopardpop.errors import DataError
from tests.data.test_survey import DEPLOYMENTS, LEOPARD, leopard, reasons, survey


def test_by_a_column_of_deployments():
    cameras = pd.DataFrame(
        {
            "station": ["A", "A", "B", "B"],
            "start": ["2024-02-01 12:00", "2024-02-11 15:30", "2024-02-03 12:00", "2024-02-13 12:00"],
            "end": ["2024-02-11 15:30", "2024-02-21 12:00", "2024-02-13 12:00", "2024-02-23 12:00"],
            "season": [1.0, 2.0, 1.0, 2.0],
        }
    )
    # at A the second camera replaces the first one at 15:30; at B the first one is still on when A's second is
    times = ["2024-02-11 15:00", "2024-02-11 16:00", "2024-02-12 16:00", "2024-02-14 16:00"]
    records = [leopard(when, station=at) for when, at in zip(times, "AABB", strict=True)]
    made = survey(records, deployments=cameras)
    history = made.capture_history(occasion="1D", sessions="season")
    assert history.sessions == ("1", "2")
    assert history.n_occasions == {"1": 12, "2": 12}
    assert history["1"].detections[["station", "occasion"]].to_numpy().tolist() == [["A", "11"], ["B", "12"]]
    assert history["2"].detections[["station", "occasion"]].to_numpy().tolist() == [["A", "1"], ["B", "4"]]
    effort = history.effort.groupby(["session", "station"])["effort"].sum()
    assert effort.tolist() == [10 + 3.5 / 24, 10, 9 + 20.5 / 24, 10]
    both = made.capture_history(occasion="1D", sessions="season", cameras="sum")
    pd.testing.assert_frame_equal(both.effort, history.effort)
    early = made.capture_history(occasion="1D", sessions="season", end="2024-02-12")
    assert early.n_occasions == {"1": 11, "2": 1}
    assert reasons(early)[("dropped", "outside the sessions")] == 2
    visits = made.detection_history(occasion="1D", seasons="season")
    assert visits.seasons == ("1", "2")
    total = visits.dataset["effort"].sum(["site", "visit"]).to_numpy()
    np.testing.assert_allclose(total, [20 + 3.5 / 24, 19 + 20.5 / 24], rtol=1e-12)
    assert visits.dataset["y"].sum(["site", "visit"]).to_numpy().tolist() == [2, 2]


def test_a_deployment_without_a_session():
    blank = survey(deployments=DEPLOYMENTS.assign(year_=["1", "1", None, "2"]))
    with pytest.raises(DataError, match="Deployment 'B1' has no session in column 'year_'"):
        blank.capture_history(species=LEOPARD, sessions="year_")


def test_a_station_is_of_one_session_at_a_time():
    twice = pd.concat([DEPLOYMENTS.iloc[:1]] * 2).assign(part=["x", "y"], deployment=["1", "2"])
    made = survey([leopard("2024-02-03")], deployments=twice)
    with pytest.raises(DataError, match=r"'1' of session 'x' and '2' of session 'y' were at station 'A' at once"):
        made.capture_history(sessions="part")


def test_a_column_that_is_not_there():
    with pytest.raises(DataError, match=r"stations have no column 'aera' .* Did you mean 'area'"):
        survey().capture_history(species=LEOPARD, sessions="aera")
    with pytest.raises(DataError, match=r"seasons='quartal' is no rule, and no column of deploy.*mean 'quarter'"):
        survey().detection_history(species=LEOPARD, seasons="quartal")
