from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
import xarray as xr

from leopardpop.data import projections, space
from leopardpop.data.history import CaptureHistory
from leopardpop.data.lattice import disc_lattice, lattice_spacing
from leopardpop.data.mask import Mask, check_mask, stations_outside
from leopardpop.errors import DataError, DataWarning, ModelError, ProjectionWarning

CRS = "EPSG:32652"
XY = np.array([[600_300.0, 4_700_100.0], [604_900.0, 4_701_700.0]])


def stations_at(xy, crs=CRS):
    table = pd.DataFrame({"station": [f"S{i}" for i in range(len(xy))], "x": xy[:, 0], "y": xy[:, 1]})
    return SimpleNamespace(stations=table, crs=crs)


def cells(n=3, step=2000.0, **columns):
    j, i = np.divmod(np.arange(n * n), n)
    return pd.DataFrame({"x": 500_000 + step * i, "y": 4_700_000 + step * j, **columns})


@pytest.fixture
def design():
    return stations_at(XY)


@pytest.fixture
def mask():
    return Mask.from_table(cells(), cell_area=4, crs=CRS)


class TestAround:
    def test_has_exactly_the_lattice_points_within_the_buffer(self, design):
        mask = Mask.around(design, buffer=7_000, spacing=1_000)
        x, y = np.meshgrid(np.arange(590_500, 616_000, 1_000), np.arange(4_690_500, 4_712_000, 1_000))
        lattice = np.column_stack([x.ravel(), y.ravel()])
        near = (np.hypot(*(lattice[:, None] - XY).transpose(2, 0, 1)) <= 7_000).any(axis=1)
        expected = {tuple(point) for point in lattice[near]}
        assert {tuple(point) for point in np.column_stack([mask.x, mask.y])} == expected
        assert mask.n_cells == len(expected)
        assert (mask.area == 1.0).all()
        assert mask.spacing == pytest.approx(1_000)
        assert mask.buffer == 7_000
        assert mask.crs == CRS
        assert mask.total_area == pytest.approx(len(expected))

    def test_lattice_does_not_depend_on_the_stations(self, design):
        wide = Mask.around(design, buffer=9_000, spacing=1_500)
        moved = Mask.around(stations_at(XY + 777.7), buffer=5_000, spacing=1_500)
        assert set(zip(moved.x, moved.y, strict=True)) <= set(zip(wide.x, wide.y, strict=True))

    def test_order_of_stations_changes_nothing(self, design):
        one = Mask.around(design, buffer=9_000, spacing=1_500)
        assert one == Mask.around(stations_at(XY[::-1]), buffer=9_000, spacing=1_500)

    def test_serves_every_session(self):
        stations = pd.DataFrame({"station": ["A", "B"], "session": ["1", "2"], "x": XY[:, 0] * [1, 1.1], "y": XY[:, 1]})
        history = CaptureHistory.from_tables(None, stations, occasions=2, crs=CRS)
        mask = Mask.around(history, buffer=6_000, spacing=2_000)
        assert not stations_outside(mask, stations[["x", "y"]]).any()

    def test_negative_coordinates_of_a_local_grid(self):
        mask = Mask.around(stations_at(np.array([[-10.0, -20.0]]), None), buffer=3, spacing=1)
        assert mask.x.max() < 0
        assert np.hypot(mask.x + 10, mask.y + 20).max() <= 3

    def test_habitat_keeps_cells_whose_centre_is_inside_and_does_not_cut_them(self, design):
        habitat = shapely.box(0, 0, 601_600, 1e7)
        mask = Mask.around(design, buffer=7_000, spacing=1_000, habitat=habitat)
        everywhere = Mask.around(design, buffer=7_000, spacing=1_000)
        assert mask.n_cells == (everywhere.x < 601_600).sum()
        assert (mask.area == 1.0).all()
        assert mask.region.equals(habitat)

    def test_habitat_in_degrees_is_projected_and_says_so(self, design, tmp_path):
        import geopandas

        habitat = geopandas.GeoDataFrame(geometry=[shapely.box(598_000, 4_697_000, 603_000, 4_703_000)], crs=CRS)
        plain = Mask.around(design, buffer=9_000, spacing=1_000, habitat=habitat)
        path = tmp_path / "habitat.gpkg"
        habitat.segmentize(100).to_crs(4326).to_file(path)
        with pytest.warns(ProjectionWarning, match=r"habitat was projected from EPSG:4326 to EPSG:32652") as caught:
            projected = Mask.around(design, buffer=9_000, spacing=1_000, habitat=path)
        assert caught[0].filename == __file__
        assert np.array_equal(projected.x, plain.x)
        assert np.array_equal(projected.y, plain.y)

    def test_habitat_in_the_same_system_written_otherwise_needs_no_warning(self, design):
        import geopandas

        habitat = geopandas.GeoDataFrame(geometry=[shapely.box(*XY[0] - 5_000, *XY[0] + 5_000)], crs=32652)
        assert Mask.around(design, buffer=9_000, spacing=1_000, habitat=habitat).n_cells > 50

    def test_unknown_system_and_habitat_in_degrees(self):
        import geopandas

        habitat = geopandas.GeoDataFrame(geometry=[shapely.box(130, 42, 132, 44)], crs=4326)
        with pytest.raises(DataError, match=r"in degrees \(EPSG:4326\).*Say what the stations are in: crs="):
            Mask.around(stations_at(XY, None), buffer=9_000, spacing=1_000, habitat=habitat)
        with pytest.warns(ProjectionWarning):
            mask = Mask.around(stations_at(XY, None), buffer=9_000, spacing=1_000, habitat=habitat, crs=CRS)
        assert mask.crs == CRS

    def test_unknown_system_and_projected_habitat(self):
        import geopandas

        habitat = geopandas.GeoDataFrame(geometry=[shapely.box(*XY[0] - 5_000, *XY[0] + 5_000)], crs=CRS)
        with pytest.warns(ProjectionWarning, match="taken to be that of the habitat"):
            mask = Mask.around(stations_at(XY, None), buffer=9_000, spacing=1_000, habitat=habitat)
        assert mask.crs == CRS

    @pytest.mark.parametrize(
        "kwargs, message",
        [
            ({"buffer": -1, "spacing": 1}, "buffer=-1 must be a positive number of metres"),
            ({"buffer": "25 km", "spacing": 1}, "buffer='25 km' must be a positive"),
            ({"buffer": np.nan, "spacing": 1}, "buffer=nan must be a positive"),
            ({"buffer": 25, "spacing": 2000}, "spacing=2000 m is larger than buffer=25 m.*pass buffer=25_000"),
            ({"buffer": 25_000, "spacing": 2}, "make more than 2,000,000 cells.*if 2 km was meant, spacing=2_000"),
            ({"buffer": 25, "spacing": 2}, r"buffer=25 m, but .* from each other.*pass buffer=25_000, spacing=2_000\."),
            (
                {"buffer": 5_000, "spacing": 500, "crs": "EPSG:32653"},
                "The stations are in EPSG:32652, not in EPSG:32653",
            ),
            ({"buffer": 5_000, "spacing": 500, "crs": "EPSG:nonsense"}, "not a known coordinate reference system"),
            (
                {"buffer": 5_000, "spacing": 500, "habitat": shapely.box(130, 42, 132, 44)},
                "No cell lies in the habitat",
            ),
            ({"buffer": 5_000, "spacing": 500, "habitat": shapely.Point(0, 0)}, "holds no polygon"),
            ({"buffer": 5_000, "spacing": 500, "habitat": "nowhere.gpkg"}, "nowhere.gpkg does not exist"),
            ({"buffer": 5_000, "spacing": 500, "habitat": 3}, "A int is no layer"),
        ],
    )
    def test_refuses(self, design, kwargs, message):
        with pytest.raises(DataError, match=message):
            Mask.around(design, **kwargs)

    def test_a_buffer_that_vanishes_beside_the_survey_is_doubted(self):
        """Pairs of cameras 20 m apart, 30 km between the pairs: a mouse, or kilometres."""
        pairs = np.array([[0.0, 0.0], [20.0, 0.0], [30_000.0, 0.0], [30_020.0, 0.0]])
        with pytest.warns(DataWarning, match="buffer=25 m is next to nothing beside stations over 30 km.*kilometres"):
            Mask.around(stations_at(pairs, None), buffer=25, spacing=2)

    def test_small_animals_have_small_masks(self):
        """A grid of live traps 10 m apart."""
        x, y = np.meshgrid(np.arange(10) * 10.0, np.arange(10) * 10.0)
        assert Mask.around(stations_at(np.column_stack([x.ravel(), y.ravel()]), None), buffer=25, spacing=2).n_cells

    @pytest.mark.parametrize("crs, unit", [("EPSG:4326", "degree"), ("EPSG:2263", "US survey foot")])
    def test_refuses_systems_that_are_not_in_metres(self, crs, unit):
        with pytest.raises(DataError, match=f"{crs} counts in units of '{unit}'"):
            Mask.around(stations_at(XY, None), buffer=5_000, spacing=500, crs=crs)

    def test_not_a_vector_file(self, design, tmp_path):
        path = tmp_path / "habitat.gpkg"
        path.write_text("nothing")
        with pytest.raises(DataError, match="cannot be read as a vector file"):
            Mask.around(design, buffer=5_000, spacing=500, habitat=path)


class TestFromTable:
    def test_keeps_cells_and_covariates(self):
        mask = Mask.from_table(cells(snow=np.arange(9), land=["rock", None, *["wood"] * 7]), cell_area=4)
        assert mask.n_cells == 9
        assert mask.table.columns.tolist() == ["x", "y", "area", "snow", "land"]
        assert mask.covariates["snow"].tolist() == list(range(9))
        assert mask.covariates["land"].tolist() == ["rock", None, *["wood"] * 7]
        assert mask.total_area == 36
        assert mask.buffer is None
        assert mask.region is None

    def test_areas_from_a_column_and_names_from_a_map(self):
        table = cells(area=np.linspace(1, 2, 9)).rename(columns={"x": "easting"})
        mask = Mask.from_table(table, columns={"easting": "x"})
        assert mask.area.tolist() == np.linspace(1, 2, 9).tolist()

    def test_reads_a_file(self, tmp_path):
        path = tmp_path / "mask.csv"
        path.write_bytes("\ufeffx;y;snow\r\n1000;2000;1,5\r\n3000;2000;2,5\r\n".encode())
        mask = Mask.from_table(path, cell_area=4)
        assert mask.table.to_numpy().tolist() == [[1000, 2000, 4, 1.5], [3000, 2000, 4, 2.5]]

    @pytest.mark.parametrize(
        "text, message",
        [
            ("x,y\n1000,2000\n3000,\n", r"mask.csv line 3: y is missing"),
            ("x,y\n1000,2000\nnan,2000\n", r"mask.csv line 3: x is missing"),
            ("x,y\n1000,2000\n3000,far\n", r"mask.csv line 3: y is 'far'"),
            ("x,y\n1000,2000\n3000,2000\n1000,2000\n", r"mask.csv line 4: a cell at x=1000, y=2000 is there already"),
            ("x,z\n1000,2000\n", r"mask.csv has no column 'y'"),
            ("session,x,y\na,1000,2000\nb,1000,2000\n", r"holds 2 sessions \('a', 'b'\)"),
            ("x,y\n131.0213,43.1\n131.0413,43.1\n", r"look like degrees.*EPSG:32652"),
            ("x,y\n", "no cells"),
            ("", "empty"),
        ],
    )
    def test_refuses_a_file(self, tmp_path, text, message):
        path = tmp_path / "mask.csv"
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            Mask.from_table(path, cell_area=4)

    @pytest.mark.parametrize(
        "area, message",
        [
            (None, "no column 'area'. Pass cell_area="),
            (0, "cell_area=0 must be a positive"),
            (-4, "cell_area=-4 must be a positive"),
            (np.nan, "cell_area=nan must be a positive"),
            ("4", "cell_area='4' must be a positive"),
            (400, r"The cells overlap: their centres are 2000 m apart.*1 ha = 0.01 km²"),
        ],
    )
    def test_refuses_areas(self, area, message):
        with pytest.raises(DataError, match=message):
            Mask.from_table(cells(), cell_area=area)

    def test_refuses_an_area_of_nothing_in_a_cell(self):
        with pytest.raises(DataError, match="1 cell of the mask has an area that is not positive") as error:
            Mask.from_table(cells(area=[4.0] * 8 + [0.0]))
        assert error.value.offenders == [8]

    def test_refuses_coordinates_in_kilometres(self):
        table = cells()
        table[["x", "y"]] /= 1000
        with pytest.raises(DataError, match="metres \\(not degrees or kilometres\\)"):
            Mask.from_table(table, cell_area=4)

    def test_refuses_what_a_utm_zone_does_not_have(self):
        table = cells()
        table.loc[4, "x"] = -100
        with pytest.raises(DataError, match=r"1 cell has negative coordinates.*row 5") as error:
            Mask.from_table(table, cell_area=4, crs=CRS)
        assert error.value.offenders == [4]
        assert Mask.from_table(table, cell_area=4).n_cells == 9

    def test_local_metres_are_no_degrees(self):
        table = pd.DataFrame({"x": [0.125, 1.125], "y": [0.3, 0.3]})
        with pytest.raises(DataError, match="look like degrees"):
            Mask.from_table(table, cell_area=1e-6)
        mask = Mask.from_table(table, cell_area=1e-6, crs="local")
        assert mask.crs is None
        assert mask.with_covariates(a=[1, 2]).n_cells == 2

    @pytest.mark.parametrize("name", ["cell", "chain", "a/b", "region_0"])
    def test_refuses_names_that_mean_something_else(self, name):
        with pytest.raises(DataError, match="cannot be called"):
            Mask.from_table(cells(**{name: 1.0}), cell_area=4)

    @pytest.mark.parametrize(
        "table", [pd.DataFrame({"x": [1.0], "y": [2.0]}), pd.DataFrame({"x": [], "y": [], "area": []})]
    )
    def test_constructor_refuses(self, table):
        with pytest.raises(DataError):
            Mask(table)


class TestCovariates:
    def test_function_array_series_and_number(self, mask):
        values = pd.Series(range(9), index=range(100, 109))
        more = mask.with_covariates(north=lambda x, y: y / 1000, rank=values, flat=lambda x, y: 3, word=["a"] * 9)
        assert more.table["north"].tolist() == (mask.y / 1000).tolist()
        assert more.table["rank"].tolist() == list(range(9))
        assert more.table["flat"].tolist() == [3.0] * 9
        assert more.table["word"].tolist() == ["a"] * 9
        assert mask.covariates.empty
        assert more.with_covariates(flat=np.ones(9)).table["flat"].tolist() == [1.0] * 9

    def test_a_function_in_another_system_gets_its_own_coordinates(self, mask):
        from leopardpop.data.layers import Surface

        more = mask.with_covariates(longitude=Surface(lambda x, y: x, "EPSG:4326"))
        longitude, _ = space.project(mask.x, mask.y, CRS, "EPSG:4326")
        assert more.table["longitude"].to_numpy() == pytest.approx(longitude)

    def test_missing_values(self, mask):
        def holed(x, y):
            return np.where(x > 503_000, np.nan, x)

        with pytest.raises(
            DataError, match=r"'snow' is missing on 3 of 9 cells \(first at x, y = \(504000, 4700000\)"
        ) as e:
            mask.with_covariates(snow=holed)
        assert e.value.offenders == [2, 5, 8]
        kept = mask.with_covariates(snow=holed, missing="keep")
        assert kept.covariates["snow"].isna().sum() == 3
        assert "missing on 3 cells" in repr(kept)

    def test_polygons(self, mask, tmp_path):
        import geopandas

        west = shapely.box(0, 0, 501_000, 1e7)
        blocks = geopandas.GeoDataFrame(
            {"block": ["west", "east"], "n": [1, 2]}, geometry=[west, shapely.box(501_000, 0, 9e5, 1e7)], crs=CRS
        )
        path = tmp_path / "blocks.geojson"
        blocks[["block", "geometry"]].to_file(path)
        more = mask.with_covariates(block=blocks, n=blocks, inside=west)
        assert more.table["block"].tolist() == ["west", "east", "east"] * 3
        assert more.table["n"].tolist() == [1, 2, 2] * 3
        assert more.table["inside"].tolist() == [1, 0, 0] * 3
        with pytest.raises(DataError, match=r"no column of that name. Columns: block, n"):
            mask.with_covariates(side=blocks)
        with pytest.raises(DataError, match="'block' is missing on 6 of 9 cells"):
            mask.with_covariates(block=blocks[:1])

    def test_polygons_of_a_file_in_degrees(self, mask, tmp_path):
        import geopandas

        path = tmp_path / "west.geojson"
        geopandas.GeoDataFrame({"a": ["w"]}, geometry=[shapely.box(499_000, 4.6e6, 503_000, 4.8e6)], crs=CRS).to_crs(
            4326
        ).to_file(path)
        with pytest.warns(ProjectionWarning, match="layer of covariate 'side'"):
            more = mask.with_covariates(side=path, missing="keep")
        assert more.table["side"].tolist() == ["w", "w", None] * 3

    @pytest.mark.parametrize(
        "source, message",
        [
            ([1, 2], r"shape \(2,\); there are 9 cells"),
            (lambda x, y: x[:2], r"returned an array of shape \(2,\) for 9 cells"),
            ("snow.tif", "the file snow.tif does not exist"),
            ("blocks.gpkg", "the file blocks.gpkg does not exist"),
        ],
    )
    def test_refuses(self, mask, source, message):
        with pytest.raises(DataError, match=message):
            mask.with_covariates(snow=source)

    def test_refuses_other_arguments(self, mask):
        with pytest.raises(DataError, match="missing='ignore' must be"):
            mask.with_covariates(missing="ignore", a=[1] * 9)
        with pytest.raises(DataError, match="cannot be called 'area'"):
            mask.with_covariates(area=[1] * 9)


class TestRaster:
    @pytest.fixture
    def write(self, tmp_path):
        rasterio = pytest.importorskip("rasterio")

        def write(values, left, top, pixel, crs=CRS, nodata=-9999.0):
            bands = np.asarray(values, float).reshape(-1, *np.shape(values)[-2:])
            path = tmp_path / "snow.tif"
            transform = rasterio.Affine(pixel, 0, left, 0, -pixel, top)
            shape = dict(zip(("count", "height", "width"), bands.shape, strict=True))
            form = {"driver": "GTiff", "dtype": "float64", "crs": crs, "transform": transform, "nodata": nodata}
            with rasterio.open(path, "w", **form, **shape) as file:
                file.write(bands)
            return path

        return write

    def test_takes_the_pixel_that_holds_the_centre(self, mask, write):
        values = np.arange(12.0).reshape(3, 4)  # pixels of 2 km, the first column west of the mask
        path = write(values, 497_000, 4_705_000, 2_000)
        snow = mask.with_covariates(snow=path).table["snow"].to_numpy().reshape(3, 3)
        assert snow.tolist() == values[::-1, 1:].tolist()

    def test_is_missing_outside_and_where_there_is_no_data(self, mask, write):
        path = write([[1, -9999], [3, 4]], 499_000, 4_703_000, 2_000)
        with pytest.raises(DataError, match="'snow' is missing on 6 of 9 cells"):
            mask.with_covariates(snow=str(path))
        snow = mask.with_covariates(snow=path, missing="keep").table["snow"].to_numpy()
        assert snow[[0, 1, 3]].tolist() == [3, 4, 1]
        assert np.isnan(snow[[2, 4, 5, 6, 7, 8]]).all()

    def test_in_degrees(self, mask, write):
        lon, lat = space.project([501_000], [4_702_000], CRS, "EPSG:4326")
        path = write([[1, 2], [3, 4]], lon[0] - 0.5, lat[0] + 0.25, 0.5, crs="EPSG:4326")
        with pytest.warns(ProjectionWarning, match="'snow' was projected from EPSG:32652 to EPSG:4326, the"):
            snow = mask.with_covariates(snow=path).table["snow"]
        assert snow.tolist() == [1, 2, 2] * 3
        with pytest.raises(DataError, match="raster of covariate 'snow' is in degrees"):
            Mask.from_table(cells(), cell_area=4).with_covariates(snow=path)

    def test_several_bands_or_no_raster(self, mask, write, tmp_path):
        with pytest.raises(DataError, match="has 2 bands"):
            mask.with_covariates(snow=write(np.ones((2, 3, 4)), 497_000, 4_705_000, 2_000))
        text = tmp_path / "text.tif"
        text.write_text("nothing")
        with pytest.raises(DataError, match="cannot be read as a raster"):
            mask.with_covariates(snow=text)

    def test_without_rioxarray_says_what_to_install(self, mask, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "rasterio", None)
        path = tmp_path / "snow.tif"
        path.touch()
        with pytest.raises(ModelError, match=r'pip install "leopardpop\[raster\]"'):
            mask.with_covariates(snow=path)


class TestMask:
    def test_is_immutable(self, mask):
        table = mask.table
        table["x"] = 0.0
        assert mask.table["x"].iloc[0] == 500_000
        with pytest.raises(ValueError, match="read-only"):
            mask.x[0] = 1
        with pytest.raises(AttributeError, match="immutable"):
            mask.crs = "EPSG:32653"
        with pytest.raises(AttributeError, match="immutable: 'crs' cannot be deleted"):
            del mask.crs

    def test_is_its_own_copy(self):
        table = cells(area=4.0)
        mask = Mask(table)
        table["x"] = 0.0
        assert mask.x[1] == 502_000

    def test_equality_and_hash(self, mask):
        same = Mask.from_table(cells(), cell_area=4, crs=CRS)
        assert mask == same
        assert hash(mask) == hash(same)
        others = [
            mask.with_covariates(a=[1] * 9),
            Mask.from_table(cells(), cell_area=3.9, crs=CRS),
            Mask.from_table(cells(), cell_area=4),
            Mask(mask.table, crs=CRS, region=shapely.box(0, 0, 9e5, 9e6)),
        ]
        assert len({mask.mask_hash, *(other.mask_hash for other in others)}) == 5
        assert mask != "mask"

    def test_dataset_round_trip(self, mask):
        region = shapely.Point(1 / 3, 2 / 7).buffer(1e6, quad_segs=2_000)
        full = Mask(mask.table, crs=CRS, region=region, buffer=5_000.0)
        full = full.with_covariates(snow=np.linspace(0, 1, 9) / 3, land=["rock", None, *["wood"] * 7], missing="keep")
        dataset = full.dataset
        assert dataset.sizes == {"cell": 9}
        assert {name: dataset[name].attrs["units"] for name in ("x", "y", "area")} == {
            "x": "m",
            "y": "m",
            "area": "km²",
        }
        assert max(len(str(value)) for value in dataset.attrs.values()) < 60_000
        again = Mask.from_dataset(dataset)
        assert again == full
        assert again.region.equals_exact(region, 0)
        assert (again.buffer, again.crs, again.spacing) == (5_000, CRS, full.spacing)
        pd.testing.assert_frame_equal(again.table, full.table)
        assert Mask.from_dataset(mask.dataset) == mask

    def test_dataset_survives_a_file(self, mask, tmp_path):
        pytest.importorskip("h5py")
        region = shapely.Point(5e5, 4.7e6).buffer(1e5, quad_segs=2_000)
        full = Mask(mask.with_covariates(land=["rock"] * 9).table, crs=CRS, region=region)
        full.dataset.to_netcdf(tmp_path / "mask.nc", engine="h5netcdf")
        assert Mask.from_dataset(xr.load_dataset(tmp_path / "mask.nc", engine="h5netcdf")) == full

    def test_text_says_what_is_in_it(self, mask):
        full = Mask(
            mask.with_covariates(snow=np.arange(9), land=list("abcdefghi")).table,
            crs=CRS,
            region=shapely.box(0, 0, 10_000, 10_000),
            buffer=25_000.0,
        )
        assert repr(full).splitlines() == [
            "Mask: 9 cells of 4 km² (36 km²), spacing 2,000 m, buffer 25,000 m, "
            "clipped to a polygon of 100 km², EPSG:32652",
            "  snow: 0 to 8",
            "  land: a, b, c, d, e, f, … (9 in all)",
        ]
        assert "of 1 to 4 km²" in repr(Mask(cells(area=[1.0] + [4.0] * 8)))
        html = Mask(mask.with_covariates(land=["<b>"] * 9).table)._repr_html_()
        assert "&lt;b&gt;" in html
        assert "<b>" not in html
        table = full._repr_html_()
        assert ">Spacing</th><td>2,000 m</td>" in table, "a heading is not said again in its cell"
        assert ">Buffer</th><td>25,000 m</td>" in table

    def test_large_areas_and_signs_are_written_out(self):
        wide = Mask(pd.DataFrame({"x": [0.0, 4e5], "y": 0.0, "area": [1e5, 23_456.7], "depth": [-12.5, 0.0]}))
        assert "(123,457 km²)" in repr(wide)
        assert "depth: −12.5 to 0" in repr(wide)

    def test_whole_column_missing_is_said(self, mask):
        text = repr(mask.with_covariates(snow=[np.nan] * 9, missing="keep"))
        assert "snow: missing on all 9 cells" in text


class TestSpacing:
    @pytest.mark.parametrize("noise", [0.0, 1e-3])
    def test_of_a_lattice_with_holes(self, noise):
        table = cells(8).drop(index=[0, 9, 17, 30])
        x = table["x"].to_numpy() + noise * np.random.default_rng(1).uniform(-1, 1, len(table))
        assert lattice_spacing(x, table["y"].to_numpy()) == pytest.approx(2_000, rel=1e-4)

    def test_none_without_a_lattice(self):
        points = np.random.default_rng(1).uniform(0, 1e4, (50, 2))
        assert lattice_spacing(*points.T) is None
        assert Mask(pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "area": 1e-6})).spacing is None
        turned = cells(6)[["x", "y"]].to_numpy() @ np.array([[0.8, -0.6], [0.6, 0.8]])
        assert lattice_spacing(*turned.T) is None
        assert lattice_spacing(np.array([1.0]), np.array([1.0])) is None

    def test_shipped_masks_of_the_literature(self, shared):
        for name, spacing in [("kruger_leopard", 1223.053096), ("captdata", 7.34375), ("stoatCH", 78.125)]:
            table = pd.read_csv(shared / "data" / name / "mask.csv")
            mask = Mask.from_table(table[["x", "y"]], cell_area=table["area_ha"][0] / 100)
            assert mask.spacing == pytest.approx(spacing, rel=1e-7)

    def test_disc_lattice_refuses_mistakes_of_units(self):
        with pytest.raises(DataError, match="more than 2,000,000 cells"):
            disc_lattice(np.zeros((1, 2)), 25_000.0, 10.0)


class TestStations:
    def test_outside_is_farther_than_a_spacing(self, mask):
        xy = [[500_000, 4_700_000], [498_001, 4_700_000], [497_999, 4_700_000], [700_000, 4_700_000]]
        assert stations_outside(mask, xy).tolist() == [False, False, True, True]

    def test_check_warns_with_names(self, mask, design):
        check_mask(stations_at(np.array([[500_000.0, 4_700_000.0]])), mask)
        with pytest.warns(DataWarning, match="1 station lies outside the mask: S1"):
            check_mask(stations_at(np.array([[500_000.0, 4_700_000.0], [600_000.0, 4_700_000.0]])), mask)

    def test_check_names_the_session(self, mask):
        two = np.array([[500_000.0, 4_700_000.0], [600_000.0, 4_700_000.0]])
        table = pd.DataFrame({"session": np.repeat(["2021", "2022"], 2), "station": ["A", "B"] * 2})
        table[["x", "y"]] = np.concatenate([two, two])
        history = CaptureHistory.from_tables(None, table, occasions=2)
        with pytest.warns(DataWarning, match="2 stations lie outside the mask: 2021/B, 2022/B"):
            check_mask(history, mask)
        with pytest.warns(DataWarning, match="1 station lies outside the mask: 2022/B"):
            check_mask(history["2022"], mask, "2022")

    def test_check_refuses_another_place_or_system(self, mask, design):
        with pytest.raises(DataError, match="All 2 stations lie outside the mask: the stations span x 600300") as error:
            check_mask(design, mask)
        assert error.value.offenders == ["S0", "S1"]
        with pytest.raises(DataError, match="The stations are in EPSG:32653, the mask in EPSG:32652"):
            check_mask(stations_at(XY, "EPSG:32653"), mask)


class TestSpace:
    def test_regions(self, tmp_path):
        import geopandas

        layer = geopandas.GeoDataFrame(
            {"name": ["a", "b", "a"]}, geometry=[shapely.box(i, 0, i + 1, 1) for i in range(3)], crs=CRS
        )
        path = tmp_path / "reserves.gpkg"
        layer.to_file(path)
        for source in (layer, path):
            found = space.regions(source, by="name", to_crs=CRS)
            assert {name: part.area for name, part in found.items()} == {"a": 2.0, "b": 1.0}
        assert space.regions(shapely.box(0, 0, 2, 1))["region"].area == 2
        with pytest.raises(DataError, match=r"no column 'label'. Columns: name"):
            space.regions(layer, by="label")

    def test_cells_in_a_polygon_with_a_hole(self):
        ring = shapely.box(0, 0, 9, 9) - shapely.box(3, 3, 6, 6)
        assert space.cells_in(ring, [1, 4, 10], [1, 4, 1]).tolist() == [True, False, False]

    def test_invalid_polygons_are_mended(self):
        bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
        assert space.read_polygon(bow).area == pytest.approx(2.0)

    def test_hull(self):
        assert space.hull([0, 1, 2], [0, 0, 0]).area == 0

    @pytest.mark.parametrize(
        "lon, lat, code", [(130.9, 43.1, 32652), (31.5, -24.5, 32736), (-180, 1, 32601), (180, 1, 32660)]
    )
    def test_utm_zone(self, lon, lat, code):
        assert projections.utm_crs([lon], [lat]) == f"EPSG:{code}"

    def test_no_utm_zone(self):
        with pytest.raises(DataError, match="swapped"):
            projections.utm_crs([43.1], [130.9])

    def test_unprojectable_points(self):
        with pytest.raises(DataError, match=r"1 point cannot be projected.*row 2") as error:
            projections.project([131.0, np.inf], [43.0, 43.0], "EPSG:4326", CRS)
        assert error.value.offenders == [1]

    def test_crs_without_a_code_is_kept_as_it_was_told_or_as_wkt(self):
        told = "+proj=laea +lat_0=43 +lon_0=131 +units=m"
        text = projections.crs_text(pyproj.CRS(told))
        assert text.startswith("PROJCRS")
        assert projections.crs_text(told) == told
        assert projections.crs_text(text) == text
        assert projections.same_crs(text, told)

    @pytest.mark.parametrize(
        "x, y, crs, expected",
        [
            ([131.0213, 131.1], [43.05, 43.1], None, True),
            ([131, 132], [43, 44], CRS, True),
            ([0, 10, 20], [0, 10, 20], None, False),
            ([365.5, 400.25], [365.5, 400.0], None, False),
            ([5e5, 6e5], [4.7e6, 4.7e6], CRS, False),
            ([], [], None, False),
        ],
    )
    def test_degrees(self, x, y, crs, expected):
        assert projections.looks_like_degrees(x, y, crs) is expected
