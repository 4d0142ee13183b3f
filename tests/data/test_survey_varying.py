"""Covariates of occasions that a capture history takes from a survey."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.errors import DataError, DataWarning
from tests.data.test_survey import DEPLOYMENTS, leopard, survey

# A has two cameras from 1 to 6 February, then the left one alone; B one for ten days; C one for seven and a half.
CAMERAS = DEPLOYMENTS.assign(lure=[1.0, 3.0, None, 2.0], model=["x", "y", "x", "z"])
RECORDS = [leopard("2024-02-02 03:00"), leopard("2024-02-08 03:00", station="C", individual="M1")]


def history(covariates, cameras=CAMERAS, **options):
    made = survey(RECORDS, deployments=cameras)
    return made.capture_history(**{"occasion": "5D", "covariates": covariates} | options)


def by_station(found, name, session="1"):
    return dict(
        zip(found[session].stations["station"], found.arrays(session).visit_covariates[name].tolist(), strict=True)
    )


class TestOccasions:
    def test_the_date(self):
        found = history(["day", "day_of_year", "month"])
        table = found.occasion_covariates
        assert table["day"].tolist() == [2.5, 7.5]
        assert table["day_of_year"].tolist() == [35, 40]  # 4 February at midnight, 9 February
        assert table["month"].tolist() == ["02", "02"]

    def test_the_share_of_effort(self):
        # second occasion: A 5 of 5 days, B 5, C 2.5
        assert history("effort_fraction").occasion_covariates["effort_fraction"].tolist() == [
            1,
            pytest.approx(12.5 / 15),
        ]
        hours = history("effort_fraction", effort_unit="hour")
        assert hours.occasion_covariates["effort_fraction"].tolist() == [1, pytest.approx(12.5 / 15)]

    def test_days_are_those_of_the_whole_history(self):
        sessions = {"a": ("2024-02-01", "2024-02-06"), "b": ("2024-02-06", "2024-02-11")}
        found = history("day", sessions=sessions)
        assert found.occasion_covariates["day"].tolist() == [2.5, 7.5]


class TestDeployments:
    def test_numbers_are_means_by_time(self):
        found = by_station(history("lure"), "lure")
        assert found["A"] == [2.0, 1.0]
        assert np.isnan(found["B"]).all()
        assert found["C"] == [2.0, 2.0]

    def test_words_are_those_of_the_longest(self):
        longer = CAMERAS.assign(start=["2024-02-02 12:00", *CAMERAS["start"][1:]])
        assert by_station(history("model", longer), "model") == {"A": ["y", "x"], "B": ["x", "x"], "C": ["z", "z"]}

    def test_missing_where_nothing_was_on(self):
        short = CAMERAS.assign(end=[*CAMERAS["end"][:3], "2024-02-06 12:00"])
        made = survey(RECORDS[:1], deployments=short)
        found = made.capture_history(occasion="5D", covariates=["lure", "model"])
        assert np.isnan(by_station(found, "lure")["C"][1])
        assert by_station(found, "model")["C"] == ["z", None]
        assert found.effort["model"].tolist()[:5] == ["x", "x", "x", "x", "z"]
        assert found.effort["model"].isna().tolist() == [False] * 5 + [True]

    def test_failures_are_no_time(self):
        off = pd.DataFrame({"deployment": ["A2"], "start": ["2024-02-01 12:00"], "end": ["2024-02-04 00:00"]})
        found = survey(RECORDS, deployments=CAMERAS, failures=off).capture_history(occasion="5D", covariates="lure")
        assert by_station(found, "lure")["A"][0] == pytest.approx((5 * 1 + 2.5 * 3) / 7.5)

    def test_of_the_session_of_the_deployment(self):
        cameras = pd.DataFrame(
            {
                "station": ["A", "A"],
                "start": ["2024-02-01 12:00", "2024-02-06 15:00"],
                "end": ["2024-02-06 15:00", "2024-02-11 12:00"],
                "year": ["1", "2"],
                "lure": [0.0, 1.0],
            }
        )
        made = survey(RECORDS[:1], deployments=cameras)
        found = made.capture_history(occasion="1D", sessions="year", covariates="lure")
        assert by_station(found, "lure", "1")["A"] == [0.0] * 6
        assert by_station(found, "lure", "2")["A"] == [1.0] * 5


class TestTables:
    def test_by_station_and_occasion(self):
        snow = pd.DataFrame({"station": [*"ABC"] * 2, "occasion": [1, 1, 1, 2, 2, 2], "snow": range(6)})
        assert by_station(history(snow), "snow") == {"A": [0, 3], "B": [1, 4], "C": [2, 5]}

    def test_by_date_alone_it_is_one_of_occasions(self, tmp_path):
        rain = pd.DataFrame({"date": ["2024-02-01", "2024-02-03", "2024-02-07"], "rain": [1, 2, 7]})
        rain.to_csv(tmp_path / "rain.csv", index=False)
        for source in (rain, tmp_path / "rain.csv", str(tmp_path / "rain.csv")):
            found = history(["day", source])
            assert found.occasion_covariates["rain"].tolist() == [1.5, 7.0]
            assert not found.arrays("1").visit_covariates

    def test_by_session(self):
        sessions = {"a": ("2024-02-01", "2024-02-06"), "b": ("2024-02-06", "2024-02-11")}
        table = pd.DataFrame({"session": ["a", "b"], "team": ["red", "blue"]})
        found = history(table, sessions=sessions)
        assert found["a"].stations["team"].tolist() == ["red"] * 3
        assert found["b"].stations["team"].tolist() == ["blue"] * 3

    def test_missing_where_there_was_effort(self):
        snow = pd.DataFrame({"station": ["A", "B"], "occasion": [1, 1], "snow": [1, 2]})
        with pytest.warns(DataWarning, match="covariate 'snow' is missing at 4 occasions of 6 with effort"):
            history(snow)

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ({"occasion": [3], "snow": [1]}, "occasion 3. There are 2 occasions, counted from 1"),
            ({"station": ["X"], "occasion": [1], "snow": [1]}, "unknown station 'X'"),
            ({"snow": [1]}, "none of the columns 'station', 'session', 'occasion', 'date'"),
            ({"occasion": [1, 2], "height": [1, 2]}, "covariate 'height' is there twice"),
        ],
    )
    def test_what_does_not_fit(self, table, message):
        with pytest.raises(DataError, match=message):
            history(pd.DataFrame(table))


def test_a_name_that_is_not_known():
    with pytest.raises(DataError, match=r"names 'lur', which is no column of .*\('lure', 'model'\).*mean 'lure'"):
        history("lur")
    with pytest.raises(DataError, match="covariate 'day' is there twice"):
        history(["day", "day"])


def test_a_model_takes_them():
    made = lp.load_example("amur_leopard", seed=1)
    options = {"species": "Panthera pardus", "start": "2024-02-01", "end": "2024-05-02", "flank": "left"}
    found = made.capture_history(**options, covariates=["day", "effort_fraction"])
    assert "covariates:" in repr(found)
    plain = made.capture_history(**options)
    assert plain.occasion_covariates.columns.tolist() == ["session", "occasion"]
    assert found.effort.equals(plain.effort)
    mask = lp.Mask.around(found, buffer=15_000, spacing=3_000)
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ day"))
    assert "day" in set(model.parameters(found, mask)["coefficient"])
