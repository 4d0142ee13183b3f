"""Maps as files for a geographic information system, read back by other libraries."""

import sys

import geopandas as gpd
import numpy as np
import pytest
import rasterio

import leopardpop as lp
from leopardpop.errors import DataError, DataWarning, ModelError
from leopardpop.results.rim import coarse_side, within_reach
from tests.results import made

CRS = "EPSG:32652"


@pytest.fixture(scope="module")
def fit():
    history = made.history("snow")
    captures = history.detections[["individual", "station", "occasion", "count"]]
    stations = made.stations("1").drop(columns="session")
    placed = lp.CaptureHistory.from_tables(captures, stations, occasions=6, effort_unit="day", crs=CRS)
    mask = lp.Mask.around(placed, buffer=4_000, spacing=750)
    mask = mask.with_covariates(snow=lambda x, y: (x - made.WEST) / 1000)
    return made.quiet(lambda: lp.SCR(density="~ snow").fit(placed, mask, seed=1, draws=300))


def test_a_raster_has_each_cell_where_it_is(tmp_path, fit):
    path = fit.write_map(tmp_path / "density.tif", exceeds=0.5, coordinates="exact")
    surface = fit.density_surface(exceeds=0.5)
    with rasterio.open(path) as raster:
        assert raster.crs.to_string() == CRS
        bands = dict(zip(raster.descriptions, raster.indexes, strict=True))
        assert set(bands) == {
            "D_mean",
            "D_sd",
            "D_cv",
            "exceedance_0.5",
            *(f"D_quantile_{q}" for q in (0.025, 0.5, 0.975)),
            *("pdot", "realised", "undetected"),
        }
        places = list(zip(surface["x"].values, surface["y"].values, strict=True))
        for name in ("D_mean", "D_cv"):
            found = [value[0] for value in raster.sample(places, indexes=bands[name])]
            assert found == pytest.approx(surface[name].values, rel=1e-6)
        assert np.isfinite(raster.read(1)).sum() == fit.mask.n_cells


def test_a_geopackage_has_squares(tmp_path, fit):
    path = fit.write_map(tmp_path / "density.gpkg", coordinates="exact")
    cells = gpd.read_file(path, layer="cells")
    assert cells.crs.to_string() == CRS
    assert cells.geometry.area.sum() / 1e6 == pytest.approx(fit.mask.area.sum())
    assert cells.geometry.centroid.x.to_numpy() == pytest.approx(fit.mask.x)
    assert cells["D_mean"].to_numpy() == pytest.approx(fit.density_surface()["D_mean"].values)
    assert gpd.list_layers(path)["name"].tolist() == ["cells", "stations", "centres"]


def test_where_cameras_are_only_if_asked(tmp_path, fit):
    with pytest.warns(DataWarning, match=r"cells at the edge of the mask are left out, up to whole squares of 3 km"):
        written = fit.write_map(tmp_path / "a.gpkg")
    assert gpd.list_layers(written)["name"].tolist() == ["cells"]
    hidden = gpd.read_file(written, layer="cells")
    assert not {"pdot", "realised", "undetected"} & set(hidden.columns)
    path = fit.write_map(tmp_path / "b.gpkg", coordinates="exact")
    assert {"pdot", "realised", "undetected"} <= set(gpd.read_file(path, layer="cells").columns)
    stations = gpd.read_file(path, layer="stations")
    assert stations.geometry.x.to_numpy() == pytest.approx(made.stations("1")["x"].to_numpy())
    assert len(gpd.read_file(path, layer="centres")) == fit.history.n_individuals
    with pytest.raises(ModelError, match="hidden"):
        fit.write_map(tmp_path / "c.gpkg", coordinates="some")


def test_moving_a_station_moves_no_edge(tmp_path, fit):
    """Whatever is left ends at squares, which stay where they are."""
    side = coarse_side(fit.mask)
    stations = fit.history.stations[["x", "y"]].to_numpy(float)
    for move in (0.0, 100.0, -100.0):
        kept = within_reach(fit.mask, stations + move, side)
        squares = np.floor(np.column_stack([fit.mask.x, fit.mask.y]) / side)
        by_square = {tuple(square): set(kept[(squares == square).all(1)].tolist()) for square in squares}
        assert all(len(each) == 1 for each in by_square.values())
        assert 0 < kept.sum() < fit.mask.n_cells


def test_a_mask_too_small_to_hide_anything(tmp_path, fit, monkeypatch):
    monkeypatch.setattr("leopardpop.results.density_map.coarse_side", lambda mask: 1e6)
    with pytest.raises(ModelError, match=r'no square of 1e\+03 km lies within the mask.*coordinates="exact"'):
        fit.write_map(tmp_path / "a.gpkg")


def test_what_cannot_be_written_is_said(tmp_path, fit, monkeypatch):
    with pytest.raises(DataError, match="no reference system"):
        made.fit("snow").write_map(tmp_path / "a.tif")
    with pytest.raises(ModelError, match=r"a.shp: a map is written as .tif"):
        fit.write_map(tmp_path / "a.shp")
    with pytest.raises(ModelError, match="there are 2 sessions"):
        made.fit("years").write_map(tmp_path / "a.tif")
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(ModelError, match=r'pip install "leopardpop\[raster\]"'):
        fit.write_map(tmp_path / "a.tif", coordinates="exact")


def test_occupancy_over_a_mask(tmp_path, fit):
    import pandas as pd

    sites = pd.DataFrame({"site": [str(i) for i in range(40)], "snow": np.linspace(0, 3, 40)})
    looked = pd.DataFrame(np.ones((40, 4))).assign(site=sites["site"])
    model = lp.Occupancy(psi="~ snow")
    design = lp.DetectionHistory.from_tables(looked, sites)
    sim = model.simulate(design, parameters={"psi": 0.5, "psi[snow]": 0.5, "p": 0.4}, seed=1)
    used = made.quiet(lambda: model.fit(sim.history, seed=1))
    cells = gpd.read_file(used.write_map(tmp_path / "psi.gpkg", "psi", fit.mask), layer="cells")
    surface = used.surface("psi", fit.mask)
    assert cells["psi_mean"].to_numpy() == pytest.approx(surface["psi_mean"].values)
    assert (cells["extrapolated"] == surface["extrapolated"].values).all()
