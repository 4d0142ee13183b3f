"""Covariates of stations, and of visits, joined from tables and sampled from maps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leopardpop.data.survey import Survey
from leopardpop.errors import DataError, DataWarning, ProjectionWarning

STATIONS = pd.DataFrame(
    {"station": ["A", "B", "C"], "x": [500_000.0, 503_000.0, 510_000.0], "y": 4_700_000.0, "grid": ["n", "n", "s"]}
)
CAMERAS = pd.DataFrame({"station": ["A", "B", "C"], "start": "2024-02-01 12:00", "end": "2024-02-05 12:00"})
RECORDS = pd.DataFrame({"timestamp": ["2024-02-01 13:00"], "station": ["A"], "individual": ["F1"]})
NAN = float("nan")


def survey(stations=STATIONS, **changes):
    tables = {"stations": stations, "deployments": CAMERAS, "records": RECORDS, "crs": "EPSG:32652"}
    return Survey(**tables | changes)


def visits(covariates, **options):
    return survey().detection_history(occasion="2D", covariates=covariates, **options).dataset


class TestStations:
    def test_from_functions_arrays_and_a_table(self, tmp_path):
        table = tmp_path / "sites.csv"
        table.write_text("Station;snow;side\nC;3,5;far\nA;1;near\nB;2;near\n", encoding="utf-8")
        made = survey().with_covariates(table, east=lambda x, y: x / 1000, order=[1, 2, 3])
        assert made.stations["snow"].tolist() == [1.0, 2.0, 3.5]
        assert made.stations["side"].tolist() == ["near", "near", "far"]
        assert made.stations["east"].tolist() == [500.0, 503.0, 510.0]
        assert made.stations["order"].tolist() == [1, 2, 3]
        assert list(survey().stations) == ["station", "x", "y", "grid"]  # the survey itself has not changed

    def test_histories_have_them(self):
        made = survey().with_covariates(east=lambda x, y: x / 1000)
        assert made.capture_history(occasion="2D").stations["east"].tolist() == [500.0, 503.0, 510.0]
        assert made.detection_history(occasion="2D", sites="grid").dataset["east"].values.tolist() == [501.5, 510.0]
        again = made.with_covariates(east=[1, 2, 3])
        assert again.stations["east"].tolist() == [1, 2, 3]
        assert again.records.equals(made.records)

    def test_stations_of_no_system_under_a_layer_with_one(self):
        geopandas, shapely = pytest.importorskip("geopandas"), pytest.importorskip("shapely")
        layer = geopandas.GeoDataFrame(geometry=[shapely.box(499_000, 4_699_000, 504_000, 4_701_000)], crs="EPSG:32652")
        with pytest.warns(DataWarning, match=r"taken to be in that of the layer of covariate 'reserve', EPSG:32652\."):
            made = survey(crs=None).with_covariates(reserve=layer)
        assert made.stations["reserve"].tolist() == [1, 1, 0]

    def test_from_a_raster(self, tmp_path):
        rasterio = pytest.importorskip("rasterio")
        path = tmp_path / "snow.tif"
        transform = rasterio.transform.from_origin(499_000, 4_701_000, 2_000, 2_000)
        profile = {"driver": "GTiff", "width": 7, "height": 1, "count": 1, "dtype": "float32", "nodata": -1}
        with rasterio.open(path, "w", crs="EPSG:32652", transform=transform, **profile) as raster:
            raster.write(np.array([[5, 6, 7, 8, 9, 10, 11]], dtype="float32"), 1)
        assert survey().with_covariates(snow=path).stations["snow"].tolist() == [5.0, 7.0, 10.0]
        with pytest.warns(DataWarning, match=r"no coordinate .* of the raster of covariate 'snow', E"):
            assert survey(crs=None).with_covariates(snow=path).stations["snow"].tolist() == [5.0, 7.0, 10.0]
        far = survey(STATIONS.assign(x=[500_000.0, 503_000.0, 700_000.0]))
        with pytest.raises(DataError, match="Covariate 'snow' is missing at 1 of 3 stations: 'C'") as error:
            far.with_covariates(snow=path)
        assert error.value.offenders == ["C"]
        kept = far.with_covariates(snow=path, missing="keep").stations["snow"]
        assert kept[:2].tolist() == [5.0, 7.0]
        assert np.isnan(kept[2])
        with rasterio.open(path, "w", transform=transform, **profile) as raster:
            raster.write(np.array([[5, 6, 7, 8, 9, 10, 11]], dtype="float32"), 1)
        with pytest.warns(DataWarning, match=r"raster of covariate 'snow' has no coordinate .* stations, EPSG:32652"):
            assert survey().with_covariates(snow=path).stations["snow"].tolist() == [5.0, 7.0, 10.0]

    def test_from_polygons(self, tmp_path):
        import geopandas
        import shapely

        boxes = [shapely.box(499_000, 4_690_000, 504_000, 4_710_000), shapely.box(505_000, 0, 600_000, 5_000_000)]
        layer = geopandas.GeoDataFrame({"reserve": ["park", "forest"]}, geometry=boxes, crs="EPSG:32652")
        made = survey().with_covariates(reserve=layer, inside=boxes[0])
        assert made.stations["reserve"].tolist() == ["park", "park", "forest"]
        assert made.stations["inside"].tolist() == [1, 1, 0]
        layer.to_crs(4326).to_file(tmp_path / "reserves.gpkg")
        with pytest.warns(ProjectionWarning):
            projected = survey().with_covariates(reserve=tmp_path / "reserves.gpkg")
        assert projected.stations["reserve"].tolist() == ["park", "park", "forest"]

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            ({"table": pd.DataFrame({"station": ["A", "B", "D"], "s": 1})}, "row 2: unknown station 'D'"),
            ({"table": pd.DataFrame({"station": ["A", "A"], "s": 1})}, "row 1: station 'A' is there already"),
            ({"table": pd.DataFrame({"station": ["A"], "s": 1})}, "'s' is missing at 2 of 3 stations: 'B', 'C'"),
            ({"table": pd.DataFrame({"site": ["A"], "s": 1})}, "has no column 'station'"),
            ({"table": pd.DataFrame({"station": ["A"], "s": 1}), "s": [1, 2, 3]}, "'s' is in the table and among"),
            ({"snow": [1, 2]}, "there are 3 stations"),
            ({"snow": lambda x, y: x[:2]}, "one value a station"),
            ({"snow": "no.tif"}, r"the file no\.tif does not exist"),
            ({"x": [1, 2, 3]}, "cannot be called 'x'"),
            ({"missing": "ignore"}, "missing='ignore' must be"),
        ],
    )
    def test_refuses(self, call, message):
        with pytest.raises(DataError, match=message):
            survey().with_covariates(**call)


class TestVisits:
    def test_by_station_and_by_site(self):
        found = visits(pd.DataFrame({"station": ["B", "A", "C"], "trail": [3.0, 1.0, 9.0]}))
        assert found["trail"].dims == ("site",)
        assert found["trail"].values.tolist() == [1.0, 3.0, 9.0]
        pooled = visits(pd.DataFrame({"station": ["B", "A", "C"], "trail": [3.0, 1.0, 9.0]}), sites="grid")
        assert pooled["trail"].values.tolist() == [2.0, 9.0]
        named = visits(pd.DataFrame({"site": ["s", "n"], "trail": ["road", "path"]}), sites="grid")
        assert named["trail"].values.tolist() == ["path", "road"]

    def test_by_visit(self):
        found = visits(pd.DataFrame({"visit": [2, 1], "moon": [0.9, 0.1]}))["moon"]
        assert found.dims == ("site", "season", "visit")
        assert found.values[:, 0].tolist() == [[0.1, 0.9]] * 3
        rows = [(s, v) for s in "ABC" for v in (1, 2)]
        table = pd.DataFrame(rows, columns=["station", "visit"]).assign(bait=[0, 1, 0, 0, 1, 1])
        assert visits(table)["bait"].values[:, 0].tolist() == [[0, 1], [0, 0], [1, 1]]

    def test_by_date_averages_the_days_of_a_visit(self):
        days = ["2024-01-31", "2024-02-01", "2024-02-02", "2024-02-03", "2024-02-04", "2024-02-05"]
        found = visits(pd.DataFrame({"date": days, "snow": [100, 1, 3, 5, 8, 100]}))["snow"]
        assert found.values[:, 0].tolist() == [[2.0, 6.5]] * 3  # a date begins when occasions do, at noon
        times = ["2024-02-01 11:59", "2024-02-01 12:00", "2024-02-03 11:59", "2024-02-03 12:00"]
        assert visits(pd.DataFrame({"date": times, "snow": [100, 2, 4, 7]}))["snow"].values[0, 0].tolist() == [3, 7]

    def test_by_station_and_date(self):
        table = pd.DataFrame(
            {
                "station": ["A", "A", "B", "B", "C", "C"],
                "date": ["2024-02-01", "2024-02-03"] * 3,
                "snow": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
                "crust": ["no", "yes"] * 3,
            }
        )
        found = visits(table, sites="grid")
        assert found["snow"].values[:, 0].tolist() == [[2.0, 3.0], [5.0, 6.0]]
        assert found["crust"].values[:, 0].tolist() == [["no", "yes"]] * 2

    def test_by_season(self):
        seasons = {"1": ("2024-02-01", "2024-02-03"), "2": ("2024-02-03", "2024-02-05")}
        table = pd.DataFrame({"season": ["2", "1"], "winter": ["mild", "hard"]})
        found = visits(table, seasons=seasons)["winter"]
        assert found.dims == ("site", "season")
        assert found.values.tolist() == [["hard", "mild"]] * 3
        both = pd.DataFrame({"season": [1, 2], "visit": 1, "moon": [0.5, 1.0]})
        assert visits(both, seasons=seasons)["moon"].values[0].tolist() == [[0.5], [1.0]]

    def test_several_tables_and_files(self, tmp_path):
        (tmp_path / "moon.csv").write_text("visit,moon\n1,0.25\n2,0.75\n", encoding="utf-8")
        found = visits([tmp_path / "moon.csv", pd.DataFrame({"station": list("ABC"), "trail": [1, 2, 3]})])
        assert found["moon"].values[0, 0].tolist() == [0.25, 0.75]
        assert found["trail"].values.tolist() == [1, 2, 3]

    def test_what_is_missing_where_there_was_effort_is_said(self):
        with pytest.warns(DataWarning, match="covariate 'moon' is missing at 3 visits of 6 with effort") as caught:
            found = visits(pd.DataFrame({"visit": [1], "moon": [0.1]}))
        assert caught[0].filename == __file__
        np.testing.assert_array_equal(found["moon"][0, 0], [0.1, NAN])

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ({"trap": ["A"], "s": [1]}, "has none of the columns 'station', 'site', 'season', 'visit', 'date'"),
            ({"station": ["A"], "site": ["A"], "s": [1]}, "Of station and site, visit and date, give one"),
            ({"station": ["D"], "s": [1]}, "row 0: unknown station 'D'"),
            ({"season": ["2"], "s": [1]}, "row 0: unknown season '2'"),
            ({"visit": [3], "s": [1]}, "row 0: visit 3.*There are 2 visits"),
            ({"visit": [0], "s": [1]}, "visit is '?0"),
            ({"date": ["2025-02-01"], "s": [1]}, "no date lies in a visit"),
            ({"date": ["1 de febrero"], "s": [1]}, "is no date"),
            ({"date": [None], "s": [1]}, "the date is missing"),
            ({"visit": [1, 1], "s": ["a", "b"]}, "row 1: s is 'b', which another row for the same visit says not"),
            ({"visit": [1, 2], "grid": [1, 2]}, "covariate 'grid' is there twice"),
        ],
    )
    def test_refuses(self, table, message):
        with pytest.raises(DataError, match=message):
            visits(pd.DataFrame(table))
