"""Detection histories from tables: every form that they come in, with answers counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from leopardpop.data.detection_history import DetectionHistory
from leopardpop.errors import DataError, DataWarning

NAN = np.nan
Y = pd.DataFrame({"site": ["ridge", "river", "pass"], "v1": [0, 1, NAN], "v2": [0, 0, 2], "v3": [NAN, 2, 1]})
SITES = pd.DataFrame(
    {"site": ["ridge", "river", "pass"], "x": [0, 9000, 4000], "y": [0, 500, 7000], "snow": [12.0, 3, 8]}
)
DAYS = pd.DataFrame({"site": ["pass", "ridge", "river"], "v1": [0, 14, 14], "v2": [14, 14, 7], "v3": [9, 0, 14]})


def make(**changes) -> DetectionHistory:
    arguments = {"y": Y, "sites": SITES, "response": "state", "effort_unit": "days", "crs": "local"} | changes
    return DetectionHistory.from_tables(**arguments)


def y_of(history) -> list:
    """Responses by site, season and visit, -1 where there was no visit."""
    return history.arrays().y.tolist()


def test_a_wide_table():
    history = make(visit_covariates={"effort": DAYS})
    assert y_of(history) == [[[0, 0, -1]], [[1, 0, 2]], [[-1, 2, 1]]]
    assert (history.n_sites, history.n_visits, history.n_detections) == (3, 7, 4)
    assert history.seasons == ("1",)
    assert history.species == ()
    assert history.effort_unit == "day"
    assert history.dataset["effort"].values[:, 0].tolist() == [[14, 14, 0], [14, 7, 14], [0, 14, 9]]
    assert history.sites["easting"].tolist() == [0, 9000, 4000]
    assert history.summary().iloc[0].to_dict() == {
        "season": "1",
        "sites": 3,
        "visits": 7,
        "detections": 4,
        "sites_detected": 2,
        "naive_occupancy": 2 / 3,
        "sites_breeding": 2,
        "naive_breeding": 2 / 3,
    }


def test_labels_may_be_the_index_and_rows_in_another_order():
    indexed = Y.set_index("site")
    assert make(y=indexed) == make()
    assert make(y=Y.iloc[::-1]) == make()  # the site table gives the order


def test_arrays_have_the_sites_of_the_site_table():
    values = Y[["v1", "v2", "v3"]].to_numpy()
    assert make(y=values) == make()
    assert make(y=values.tolist()) == make()
    assert make(y=values, sites=None).sites["site"].tolist() == ["1", "2", "3"]
    days = DAYS.set_index("site").loc[Y["site"]].to_numpy()
    assert make(y=values, visit_covariates={"effort": days}) == make(visit_covariates={"effort": DAYS})


def test_two_seasons_are_equal_blocks_of_columns():
    y = [[0, 1, 1, NAN], [0, 0, NAN, 1]]
    history = make(y=y, sites=None, seasons=2)
    assert y_of(history) == [[[0, 1], [1, -1]], [[0, 0], [-1, 1]]]
    assert make(y=np.array(y).reshape(2, 2, 2), sites=None, seasons=2) == history
    assert history.naive_occupancy.values.tolist() == [0.5, 1.0]
    assert make(y=y, sites=None, seasons=["2021", "2022"]).seasons == ("2021", "2022")


def test_seasons_of_different_length_and_one_without_visits():
    history = make(y=[[0, 1, 1], [0, 0, NAN]], sites=None, seasons={2021: 2, 2022: 0, 2023: 1})
    assert y_of(history) == [[[0, 1], [-1, -1], [1, -1]], [[0, 0], [-1, -1], [-1, -1]]]
    assert history.arrays().surveyed.tolist() == [[True, False, True], [True, False, False]]
    assert history.arrays().n_visits.tolist() == [[2, 0, 1], [2, 0, 0]]
    assert np.isnan(history.naive_occupancy.sel(season="2022"))


def test_rows_may_say_the_season():
    y = pd.DataFrame({"site": ["a", "b", "a"], "season": [2022, 2021, 2021], "v1": [1, 0, 0], "v2": [0, 0, 1]})
    history = make(y=y, sites=None)
    assert history.seasons == ("2021", "2022")  # years in order, not by first row
    assert y_of(history) == [[[0, 1], [1, 0]], [[0, 0], [-1, -1]]]
    wind = pd.DataFrame({"site": ["a", "b", "a"], "season": [2022, 2021, 2021], "w1": [1.5, 2, 3], "w2": [4, 5, 6]})
    covered = make(y=y, sites=None, visit_covariates={"wind": wind, "rain": [[1, 2], [3, 4], [5, 6]]})
    data = covered.dataset
    assert data["wind"].sel(site="a").values.tolist() == [[3, 6], [1.5, 4]]
    assert data["rain"].sel(site="a").values.tolist() == [[5, 6], [1, 2]]
    gap = make(y=y, sites=None, seasons=["2020", "2021", "2022"])
    assert gap.summary()["visits"].tolist() == [0, 4, 2]


LONG = pd.DataFrame(
    {
        "site": ["a", "a", "b", "b"],
        "season": ["s1", "s2", "s1", "s1"],
        "visit": [1, 1, 2, 1],
        "y": [0, 1, 1, 0],
        "observer": ["Ann", "Bo", "Bo", None],
        "elevation": [300, 300, 450, 450],
    }
)


def test_a_long_table():
    with pytest.warns(
        DataWarning, match=r"observer is missing at 1 of 4 visits made \(first: site 'b', season 's1', visit 1"
    ):
        history = make(y=LONG, sites=None, visit_covariates=["observer"])
    assert y_of(history) == [[[0, -1], [1, -1]], [[0, 1], [-1, -1]]]
    assert history.dataset["observer"].values.tolist() == [[["Ann", ""], ["Bo", ""]], [["", "Bo"], ["", ""]]]
    assert history.sites["elevation"].tolist() == [300, 450]
    missing = history.missing_covariates
    assert missing.to_dict("records") == [{"covariate": "observer", "missing": 1, "total": 4, "of": "visits made"}]


def test_all_columns_of_a_long_table_are_of_visits_unless_said():
    history = make(y=LONG.drop(columns="observer"), sites=None)
    assert history.dataset["elevation"].dims == ("site", "season", "visit")
    renamed = make(y=LONG.drop(columns="observer"), sites=None, visit_covariates={"height": "elevation"})
    assert renamed.dataset["height"].dims == ("site", "season", "visit")


def test_covariates_of_visits_may_be_a_long_table_of_their_own(tmp_path):
    table = LONG[["site", "season", "visit", "elevation"]]
    table.to_csv(tmp_path / "covariates.csv", index=False)
    y = LONG[["site", "season", "visit", "y"]]
    one = make(y=y, sites=None, visit_covariates=tmp_path / "covariates.csv")
    assert one == make(y=y, sites=None, visit_covariates=table)
    assert one.dataset["elevation"].sel(site="b", season="s1").values.tolist() == [450, 450]


def test_several_species_as_dict_or_column():
    other = Y.assign(v1=[0, 0, NAN], v2=[1, 0, 0], v3=[NAN, 0, 0])
    history = make(y={"tiger": Y, "leopard": other})
    assert history.species == ("tiger", "leopard")
    assert history.dataset["y"].dims == ("species", "site", "season", "visit")
    assert (history.n_visits, history.n_detections) == (7, 5)
    stacked = pd.concat([Y.assign(species="tiger"), other.assign(species="leopard")])
    assert make(y=stacked) == history
    one = history["leopard"]
    assert one.species == ("leopard",)
    assert y_of(one) == [[[0, 1, -1]], [[0, 0, 0]], [[-1, 0, 0]]]
    assert history.arrays().value.shape == (2, 7)
    assert history.summary()["detections"].tolist() == [4, 1]
    assert history["tiger", "1"] == history.select(species="tiger", season="1")


def test_site_covariates_by_season():
    sites = pd.DataFrame(
        {"site": ["a", "a", "b", "b"], "season": [1, 2, 1, 2], "cut": [0, 1, 0, 0], "river": [5, 5, 9, 9]}
    )
    history = make(y=[[0, 1, 0, 0], [0, 0, 1, 0]], seasons=2, sites=sites)
    data = history.dataset
    assert data["cut"].dims == ("site", "season")
    assert data["cut"].values.tolist() == [[0, 1], [0, 0]]
    assert data["river"].dims == ("site",)
    assert history.sites.columns.tolist() == ["site", "season", "cut", "river"]
    assert history.arrays().season_covariates["river"].tolist() == [5, 5, 9, 9]
    assert history.arrays().site_covariates.columns.tolist() == ["site", "river"]
    assert history.arrays().visit_covariates["cut"].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_other_columns_of_a_wide_table_are_of_sites():
    table = Y.drop(columns="site").assign(plot=Y["site"], Browsed=["TRUE", "FALSE", "TRUE"], X=1, Y=2)
    history = make(y=table, sites=None, visits=["v1", "v2", "v3"], columns={"y": {"plot": "site"}})
    assert history.sites.columns.tolist() == ["site", "easting", "northing", "Browsed"]
    assert history.sites["Browsed"].tolist() == [1, 0, 1]


def test_files_with_semicolons_decimal_commas_and_a_byte_order_mark(tmp_path):
    (tmp_path / "y.csv").write_bytes("\ufeffSITE;v1;v2\r\nHöhle;1;\r\nFluss;0;-\r\n".encode())
    (tmp_path / "sites.csv").write_text("Site;schnee\nHöhle;1,5\nFluss;2,25\n", encoding="latin-1")
    (tmp_path / "effort.csv").write_text("site;v1;v2\nHöhle;7,5;0\nFluss;6;0\n", encoding="utf-16")
    history = make(
        y=tmp_path / "y.csv", sites=tmp_path / "sites.csv", visit_covariates={"effort": tmp_path / "effort.csv"}
    )
    assert y_of(history) == [[[1, -1]], [[0, -1]]]
    assert history.sites["schnee"].tolist() == [1.5, 2.25]
    assert history.dataset["effort"].values.ravel().tolist() == [7.5, 0, 6, 0]


@pytest.mark.parametrize("mark", ["-", ".", "NA", "", None])
def test_marks_of_no_visit(mark):
    history = make(y=pd.DataFrame({"site": ["a", "b"], "v1": ["1", mark], "v2": ["0", "TRUE"]}), sites=None)
    assert y_of(history) == [[[1, 0]], [[-1, 1]]]


def test_a_site_that_was_never_visited_is_kept():
    sites = pd.concat([SITES, SITES.iloc[:1].assign(site="far")])
    with pytest.warns(DataWarning, match="1 site of sites not in y: 'far'. Kept as never visited"):
        history = make(sites=sites)
    assert history.n_sites == 4
    assert history.summary()["sites"].tolist() == [3]
    assert "1 site never visited (kept)" in repr(history)


def test_nothing_detected_is_valid_and_said():
    with pytest.warns(DataWarning, match="nothing was detected at any site"):
        history = make(y=[[0, 0], [0, NAN]], sites=None)
    assert history.n_detections == 0
    with pytest.warns(DataWarning, match="nothing was detected of 'b' at any site"):
        make(y={"a": [[0, 1]], "b": [[0, 0]]}, sites=None)


def test_nothing_seen_without_effort_is_no_visit():
    days = DAYS.assign(v2=[14, 0, 7])  # at the ridge, where y is 0
    with pytest.warns(DataWarning, match="1 visit with effort 0 and a value of y: see history.audit"):
        history = make(visit_covariates={"effort": days})
    assert y_of(history)[0] == [[0, -1, -1]]
    assert history.audit.to_dict("records") == [
        {
            "source": "y",
            "line": "site ridge, season 1, visit 2",
            "action": "dropped",
            "reason": "nothing seen and effort 0: no visit",
        }
    ]


def test_something_seen_without_effort_is_refused_dropped_or_kept():
    days = DAYS.assign(v1=[0, 14, 0])  # at the river, where y is 1
    with pytest.raises(
        DataError, match=r"site 'river' has y = 1 on visit 1 of season '1', where effort is 0\. Correct"
    ) as error:
        make(visit_covariates={"effort": days})
    assert error.value.offenders["site"].tolist() == ["river"]
    with pytest.warns(DataWarning):
        dropped = make(visit_covariates={"effort": days}, on_zero_effort="drop")
    assert y_of(dropped)[1] == [[-1, 0, 2]]
    assert dropped.audit["action"].tolist() == ["dropped"]
    with pytest.warns(DataWarning):
        kept = make(visit_covariates={"effort": days}, on_zero_effort="keep")
    assert y_of(kept)[1] == [[1, 0, 2]]
    assert kept.dataset["effort"].values[1, 0].tolist() == [7, 7, 14]  # 7 is the smallest
    assert kept.audit["action"].tolist() == ["kept"]


# -- the object -------------------------------------------------------------------------------------------------------
def test_it_does_not_change():
    history = make(visit_covariates={"effort": DAYS})
    for name in ("y", "effort", "snow", "easting"):
        with pytest.raises(ValueError, match="read-only"):
            history.dataset[name].values[0] = 1
    history.dataset.attrs["response"] = "count"
    assert history.response == "state"
    table = history.visits
    table["y"] = 9
    assert history.visits["y"].max() == 2
    with pytest.raises(ValueError, match="read-only"):
        history.arrays().y[0] = 1


def test_what_was_given_is_not_touched():
    y = xr.DataArray(np.array([[0.0, 1.0]]), dims=["site", "visit"])
    history = DetectionHistory(y)
    y.values[0, 0] = 1
    assert history.n_detections == 1


def test_the_hash_is_of_the_content_and_not_of_the_order():
    history = make(visit_covariates={"effort": DAYS})
    again = make(visit_covariates={"effort": DAYS}, sites=SITES.iloc[[2, 0, 1]])
    assert again != history
    assert again.data_hash == history.data_hash
    assert hash(again) == hash(history)
    others = [make(), make(response="count"), make(visit_covariates={"effort": DAYS.assign(v1=[0, 14, 13])})]
    assert len({history.data_hash, *(other.data_hash for other in others)}) == 4
    assert history != "a history"


def test_a_season_is_chosen_by_its_label():
    history = make(y=[[0, 1, 1, NAN], [0, 0, NAN, 1]], sites=None, seasons=["2021", "2022"])
    assert y_of(history["2022"]) == [[[1, -1]], [[-1, 1]]]
    with pytest.raises(
        DataError, match=r"there is no season or species '2202'; seasons are '2021', '2022'. Did you mean"
    ):
        history["2202"]
    with pytest.raises(DataError, match=r"there is no season '2020'"):
        history.select(season="2020")
    both = make(y={"a": [[0, 1]], "b": [[1, 0]]}, sites=None, seasons=["a"])
    with pytest.raises(DataError, match="'a' is both a season and a species"):
        both["a"]
    assert both.select(species="a").n_detections == 1


def test_long_tables():
    history = make(visit_covariates={"effort": DAYS})
    visits = history.visits
    assert visits.columns.tolist() == ["site", "season", "visit", "y", "effort"]
    assert visits["visit"].tolist() == [1, 2, 3] * 3
    assert visits.query("site == 'pass'")["effort"].tolist() == [0, 14, 9]
    assert history.to_array().dims == ("site", "season", "visit")


def test_text_and_html_say_what_a_biologist_asks():
    days = DAYS.assign(v3=[NAN, 0, 14])
    with pytest.warns(DataWarning, match="effort is missing at 1 of 7 visits made"):
        history = make(visit_covariates={"effort": days})
    assert repr(history).splitlines() == [
        "DetectionHistory, response state: 3 sites, 7 visits, 4 detections",
        "  up to 3 visits each, 78 % of them made",
        "  naive occupancy 0.67 (2 of 3 sites visited); seen with young at 2 of them (0.67)",
        "  visits by state: 0 (not seen) 3, 1 (seen) 2, 2 (seen with young) 2",
        "  effort 77 site-days, 12.8 a visit on average",
        "  covariates of sites: snow",
        "  missing: effort at 1 of 7 visits made",
        "  sites over 9 × 7 km; coordinates: metres, reference system not given",
    ]
    html = make(y={"<b>tiger": Y, "b": Y})._repr_html_()
    assert "&lt;b&gt;tiger" in html
    assert "<b>tiger" not in html
    assert html.count("<tr") == 3


def test_a_gap_between_years_is_said():
    history = make(y=[[0, 1, 1]], sites=None, seasons=["2019", "2020", "2023"])
    assert "no season 2021, 2022: for a model of change write it as a season without visits" in repr(history)


def test_from_xarray_alone():
    y = xr.DataArray(
        [[[0, 1]], [[2, NAN]]], dims=["visit", "season", "site"], coords={"season": [2021]}, attrs={"response": "count"}
    )
    history = DetectionHistory.from_dataset(y)
    assert y_of(history) == [[[0, 2]], [[1, -1]]]
    assert history.seasons == ("2021",)
    assert history.arrays().y.dtype == np.int32
    wind = xr.DataArray([[1.0], [2.0]], dims=["visit", "season"])
    wide = DetectionHistory.from_dataset(xr.Dataset({"y": y, "wind": wind, "rock": ("site", ["a", None])}))
    assert wide.dataset["wind"].values[:, 0].tolist() == [[1, 2], [1, 2]]
    assert wide.sites["rock"].tolist() == ["a", None]


def test_effort_of_arrays_is_1_where_none_is_given():
    assert make().arrays().effort[:, 0].tolist() == [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
    arrays = make(visit_covariates={"effort": DAYS}).arrays()
    assert arrays.effort[2, 0].tolist() == [0, 14, 9]
    assert arrays.xy.tolist() == [[0, 0], [9000, 500], [4000, 7000]]
    assert arrays.visit_covariates.columns.tolist() == ["site", "season", "visit", "effort", "snow"]
    assert arrays.visit_covariates["snow"].tolist() == [12, 12, 3, 3, 3, 8, 8]
    assert arrays.tally(2).tolist() == [[0], [1], [1]]
    assert make(sites=None).arrays().xy is None


class TestCompleteVisits:
    """Visits without a covariate are left out, and it is told how many and what was seen on them."""

    y = np.array([[1.0, 0, np.nan], [0, 1, 0], [0, 0, 0], [1, 1, 0]])
    wind = np.array([[0.1, np.nan, np.nan], [0.2, np.nan, 0.3], [np.nan] * 3, [0.0, 0.1, 0.2]])

    def history(self):
        with pytest.warns(DataWarning, match="wind is missing at 5 of 11 visits made"):
            return DetectionHistory.from_tables(
                self.y,
                visit_covariates={"wind": self.wind, "rain": np.ones((4, 3))},
                sites=pd.DataFrame({"h": [1, 2, 3, 4.0]}),
            )

    def test_by_name(self):
        with pytest.warns(DataWarning, match="5 visits of 11 are left out, 1 of them with a detection: 'wind' is"):
            left = self.history().complete_visits("wind")
        expected = np.where(np.isnan(self.wind), np.nan, self.y)
        np.testing.assert_array_equal(left.dataset["y"].values[:, 0], expected)
        assert left.missing_covariates.empty
        assert left.n_sites == 4
        assert left.complete_visits() == left

    def test_nothing_is_missing(self):
        history = self.history()
        assert history.complete_visits("rain", "h") == history

    def test_of_several_species_a_visit_is_one(self):
        with pytest.warns(DataWarning, match="wind is missing"):
            both = DetectionHistory.from_tables({"a": self.y, "b": self.y[::-1]}, visit_covariates={"wind": self.wind})
        with pytest.warns(DataWarning, match="are left out"):
            left = both.complete_visits()
        assert left.dataset["y"].dims == both.dataset["y"].dims
        assert np.isnan(left.dataset["y"].values[:, 2, 0]).all()

    def test_an_unknown_name(self):
        with pytest.raises(DataError, match=r"no covariate 'wnd'. Did you mean 'wind'"):
            self.history().complete_visits("wnd")
