"""A fit in a file: all of it comes back, nothing in it is run, and what is hidden is not there."""

import json
import os
import struct
from dataclasses import dataclass

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import leopardpop as lp
from leopardpop.data.history import history_from_parts
from leopardpop.data.parts import SessionParts
from leopardpop.errors import DataError, ModelError, PriorError
from leopardpop.results import storage
from leopardpop.results.model_json import describe_model, model_from_json, model_to_json
from tests.results import made

AUDIT = ["source", "line", "action", "reason"]


def there_and_back(fit: lp.Fit, tmp_path, **options) -> lp.Fit:
    return lp.load_fit(fit.save(tmp_path / "fit.nc"), **options)


# -- all of it --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["null", "sex", "snow", "years"])
def test_what_was_saved_comes_back(kind, tmp_path):
    fit = made.fit(kind)
    again = there_and_back(fit, tmp_path)
    xr.testing.assert_identical(again.data_tree, fit.data_tree)
    assert again == fit
    assert again.history == fit.history
    assert again.masks == fit.masks
    assert again.model == fit.model
    assert (again.engine, again.seed, again.trusted) == (fit.engine, fit.seed, fit.trusted)
    np.testing.assert_array_equal(again.theta, fit.theta)
    pd.testing.assert_frame_equal(again.summary(), fit.summary())
    pd.testing.assert_frame_equal(again.diagnostics(), fit.diagnostics())
    assert repr(again) == repr(fit)
    assert again.loo().elpd == pytest.approx(fit.loo().elpd)


def test_a_survey_without_captures_comes_back(tmp_path):
    fit = made.quiet(lambda: lp.SCR().fit(made.without_captures(), made.mask(), seed=1, draws=20))
    again = there_and_back(fit, tmp_path)
    xr.testing.assert_identical(again.data_tree, fit.data_tree)
    assert again.history.n_individuals == 0


def test_dates_deaths_missing_values_and_the_audit_come_back(tmp_path):
    parts = SessionParts(
        session="2024",
        individuals=["A", "B", "C"],
        stations=["P", "Q", "R"],
        xy=[[made.WEST, made.SOUTH], [made.WEST + 1500, made.SOUTH], [made.WEST, made.SOUTH + 1500]],
        effort=[[7.0, 7.0], [7.0, 0.0], [3.5, 7.0]],
        individual=[0, 0, 1, 2],
        station=[0, 2, 1, 0],
        occasion=[0, 1, 0, 1],
        exposure=[2, 1, 2],
        occasion_start=np.array(["2024-02-01T12:00", "2024-02-08T12:00"], "datetime64[ns]"),
        individual_covariates=pd.DataFrame({"sex": ["F", None, "M"], "weight": [30.5, np.nan, 41.0]}),
    )
    audit = pd.DataFrame([("records.csv", 12, "dropped", "a cub")], columns=AUDIT)
    history = history_from_parts([parts], detector="count", effort_unit="day", audit=audit)
    model = lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex")
    fit = made.quiet(lambda: model.fit(history, made.mask(), seed=1, draws=20))
    again = there_and_back(fit, tmp_path)
    xr.testing.assert_identical(again.data_tree, fit.data_tree)
    assert again.history == history
    pd.testing.assert_frame_equal(again.history.audit, audit)


def test_an_audit_longer_than_an_attribute_may_be_comes_back(tmp_path):
    tree = made.fit("null").data_tree.copy()
    tree.attrs = {**tree.attrs, "audit_json": json.dumps([{"source": "é" * 200_000, "line": 1}])}
    again = there_and_back(lp.Fit(tree), tmp_path)
    assert again.data_tree.attrs == tree.attrs
    assert again.history.audit["source"][0] == "é" * 200_000


def test_the_region_and_the_crs_of_a_mask_come_back(tmp_path):
    from shapely.geometry import Point

    region = Point(made.WEST + 3_000, made.SOUTH + 3_000).buffer(6_000.0, quad_segs=5_000)
    mask = lp.Mask.around(made.design(), buffer=4_000, spacing=800, habitat=region, crs="EPSG:32652")
    fit = made.quiet(lambda: lp.SCR().fit(made.history("null"), mask, seed=1, draws=20))
    again = there_and_back(fit, tmp_path)
    assert again.mask == mask
    assert again.mask.region.equals(region)
    assert "habitat" in repr(again)


def test_provenance_is_text_and_numbers():
    attrs = made.fit("null").data_tree.attrs
    wanted = [
        "leopardpop_version",
        "pymc_version",
        "arviz_version",
        "python",
        "created_at",
        "engine",
        "seed",
        "model_json",
        "data_hash",
        "mask_hash",
        "effort_unit",
        "crs",
        "coordinates",
        "audit_json",
        "inference_library",
        "pareto_k",
        "importance_ess",
    ]
    assert set(wanted) <= set(attrs)
    assert all(isinstance(value, str | int | float) for value in attrs.values())
    assert attrs["data_hash"] == made.history("null").data_hash
    assert attrs["mask_hash"] == made.mask().mask_hash
    assert (attrs["engine"], attrs["seed"], attrs["coordinates"]) == ("laplace", 1, "exact")


# -- files ------------------------------------------------------------------------------------------------------------
def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    path = made.fit("null").save(tmp_path / "fit.nc")
    before = path.read_bytes()

    def fails_half_way(self, name, **options):
        with open(name, "wb") as file:  # noqa: PTH123
            file.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(xr.DataTree, "to_netcdf", fails_half_way)
    with pytest.raises(OSError, match="no space"):
        made.fit("sex").save(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["fit.nc"]


def test_saving_again_replaces_the_file(tmp_path):
    path = made.fit("null").save(tmp_path / "fit.nc")
    made.fit("snow").save(path)
    assert lp.load_fit(path) == made.fit("snow")


def test_what_is_no_fit_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        lp.load_fit(tmp_path / "none.nc")
    with pytest.raises(DataError, match="there is no folder"):
        made.fit("null").save(tmp_path / "none" / "fit.nc")
    (tmp_path / "text.nc").write_text("not a fit")
    with pytest.raises(DataError, match="cannot be read as NetCDF"):
        lp.load_fit(tmp_path / "text.nc")
    xr.Dataset({"D": 1.0}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(DataError, match="does not hold a fit"):
        lp.load_fit(tmp_path / "other.nc")
    with pytest.raises(DataError, match='"exact" or "hidden"'):
        made.fit("null").save(tmp_path / "fit.nc", coordinates="none")


def test_a_long_text_is_split_and_joined():
    text = "x" * (2 * storage.LONGEST + 1)
    parts = dict(storage._split("audit_json", text))
    assert [len(part) for part in parts.values()] == [storage.LONGEST, storage.LONGEST, 1]


# -- components of one's own ------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Plateau(lp.DetectionFunction):
    lambda0: str = lp.parameter("~ 1", link="log", unit="1/effort")
    sigma: str = lp.parameter("~ 1", link="log", unit="m")

    def log_hazard(self, d2, lambda0, sigma):
        return np.log(lambda0) - (d2 / (2 * sigma**2)) ** 2


@pytest.fixture(scope="module")
def own_component(tmp_path_factory):
    fit = made.quiet(lambda: lp.SCR(detection=Plateau()).fit(made.history("null"), made.mask(), seed=1, draws=50))
    return fit, fit.save(tmp_path_factory.mktemp("own") / "fit.nc")


def test_what_was_drawn_loads_without_the_class(own_component):
    fit, path = own_component
    again = lp.load_fit(path)
    pd.testing.assert_frame_equal(again.summary(), fit.summary())
    assert repr(again) == repr(fit)
    assert again.trusted == fit.trusted
    assert again.mask == made.mask()
    with pytest.raises(ModelError, match=r"pass components=\[Plateau\]"):
        _ = again.problem
    with pytest.raises(ModelError, match=r"pass components=\[Plateau\]"):
        _ = again.model


def test_the_class_makes_it_whole(own_component):
    fit, path = own_component
    again = lp.load_fit(path, components=[Plateau])
    assert again.model == fit.model
    np.testing.assert_allclose(again.problem.value(again.theta[0, 0]), fit.problem.value(fit.theta[0, 0]))
    with pytest.raises(ModelError, match="give classes"):
        lp.load_fit(path, components=[Plateau()])


# -- models as text ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "model",
    [
        lp.SCR(),
        lp.SCR(density="~ snow", detection=lp.HazardRate(z="~ sex"), classes="sex"),
        lp.SCR(detection=lp.ProbabilityExponential(), distribution="binomial"),
        lp.SCR(priors={"sigma": lp.Prior("Gamma", alpha=4, beta=0.004)}),
        lp.SCR(priors=lp.priors.big_cats() | {"D[snow]": lp.Prior("Normal", mu=0, sigma=0.5)}),
    ],
    ids=lambda model: describe_model(model_to_json(model))[:40],
)
def test_a_model_survives_as_text(model):
    assert model_from_json(model_to_json(model)) == model


class Homemade:
    def create_variable(self, name):
        import pymc as pm

        return pm.LogNormal(name, 7.0, 0.5)

    def __repr__(self):
        return "Homemade()"


@pytest.mark.parametrize("others", [{}, lp.priors.big_cats()], ids=["alone", "with a preset"])
def test_a_prior_of_ones_own_is_remembered_by_its_name_alone(others):
    given = others | {"sigma": Homemade(), "D": lp.Prior("LogNormal", mu=0, sigma=1)}
    again = model_from_json(model_to_json(lp.SCR(priors=given)))
    assert again.priors["D"] == given["D"]
    with pytest.raises(PriorError, match=r"Homemade\(\)"):
        again.priors["sigma"].create_variable("sigma")


# -- hidden -----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    """A fit whose density follows the coordinates, with everything that could give them away."""
    from shapely.geometry import box

    region = box(made.WEST - 3_111, made.SOUTH - 3_222, made.WEST + 9_333, made.SOUTH + 9_444)
    bare = lp.Mask.around(made.design(), buffer=4_000, spacing=800, habitat=region, crs="EPSG:32652")
    mask = bare.with_covariates(snow=lambda x, y: x / 1000, unused=lambda x, y: y / 1000)
    audit = pd.DataFrame([("records.csv", 12, "dropped", "River 1-1")], columns=AUDIT)
    history = lp.CaptureHistory(made.history("null").dataset, audit)
    fit = made.quiet(lambda: lp.SCR(density="~ snow + y").fit(history, mask, seed=1, draws=50))
    return fit, fit.save(tmp_path_factory.mktemp("hidden") / "fit.nc", coordinates="hidden")


def test_no_position_is_in_a_hidden_file(hidden):
    fit, path = hidden
    content = path.read_bytes()
    stations, table = fit.history.stations, fit.mask.table
    exact = fit.save(path.parent / "exact.nc").read_bytes()
    numbers = pd.concat(
        [*(stations[name] for name in ("x", "y", "river_km")), *(table[n] for n in table if n != "area")]
    )
    for number in set(numbers):
        for kind in ("<d", ">d", "<f", ">f"):
            assert struct.pack(kind, number) not in content or abs(number) < 0.2
        assert abs(number) < 1e5 or f"{number:.0f}".encode() not in content
    assert struct.pack("<d", table["x"][0]) in exact, "the search finds what is there"
    for text in ("River 1-1", "POLYGON", "32652", "records.csv", "unused"):
        assert text.encode() not in content
        assert text.encode() in exact


def test_the_centre_of_the_map_is_not_in_its_coefficients(hidden):
    fit, path = hidden
    again = lp.load_fit(path)
    beta = again.posterior["D_beta"]
    assert np.isnan(beta.sel(D_coef="Intercept")).all()
    assert np.isfinite(beta.sel(D_coef="snow")).all()
    assert np.isnan(again.data_tree["constant_data"]["D_center"].sel(D_coef="y"))
    assert np.isfinite(fit.posterior["D_beta"]).all(), "the fit itself is as it was"


def test_areas_of_cells_stay_and_nothing_else_of_them(hidden):
    fit, path = hidden
    cells = lp.load_fit(path).data_tree["constant_data"].to_dataset()
    assert float(cells["area"].sum()) == pytest.approx(fit.mask.total_area)
    assert np.isnan(cells["x"]).all()
    assert np.isnan(cells["station_y"]).all()
    assert not {"snow", "unused"} & set(cells)
    assert "river_km" not in lp.load_fit(path).history.stations


def test_a_hidden_file_says_so_and_what_still_works(hidden):
    fit, path = hidden
    again = lp.load_fit(path)
    assert again.data_tree.attrs["coordinates"] == "hidden"
    assert "coordinates" in again.data_tree.attrs["coordinates_note"].lower()
    pd.testing.assert_frame_equal(again.summary(), fit.summary())
    pd.testing.assert_frame_equal(again.diagnostics(), fit.diagnostics())
    assert again.data_hash == fit.data_hash
    assert again.loo().elpd == pytest.approx(fit.loo().elpd)
    assert "Can it be trusted?" in repr(again)
    assert again.history.n_detections == fit.history.n_detections
    for what in ("problem", "masks", "mask", "theta"):
        with pytest.raises(ModelError, match="the positions were removed"):
            getattr(again, what)


def test_a_damaged_file_is_named(tmp_path):
    path = made.fit("null").save(tmp_path / "fit.nc")
    with h5py.File(path, "r+") as file:
        file.attrs["model_json"] = '{"family": "SC'
    with pytest.raises(DataError, match=r"fit.nc is damaged, or was changed .*: attributes differs .*Take a copy"):
        lp.load_fit(path)


def test_what_a_killed_save_left_is_removed_by_a_later_one(tmp_path):
    old, new, other = (tmp_path / name for name in (".fit.nc.a1.part", ".fit.nc.b2.part", ".other.nc.a1.part"))
    for each in (old, new, other):
        each.write_bytes(b"half")
    for each in (old, other):
        os.utime(each, (0, 0))
    made.fit("null").save(tmp_path / "fit.nc")
    assert not old.exists()
    assert new.exists()
    assert other.exists()
