"""What follows from an occupancy fit: the long run, declines, curves, predictions and maps in blocks."""

from __future__ import annotations

import tracemalloc
from functools import cache

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.patches import PathPatch

import leopardpop as lp
from leopardpop.errors import DataError, ModelError
from leopardpop.models.states.forward import stationary_law
from leopardpop.results import occupancy_surface
from tests.models.occupancy_cases import design

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")


@cache
def plain():
    rng = np.random.default_rng(1)
    names = [f"s{i}" for i in range(80)]
    sites = pd.DataFrame(
        {"site": names, "snow": rng.uniform(0, 30, 80), "forest": [("fir", "oak")[i % 2] for i in range(80)]}
    )
    wide = pd.DataFrame(np.ones((80, 4))).assign(site=names)
    model = lp.Occupancy(psi="~ snow + forest")
    truth = {"psi": 0.5, "psi[snow]": -0.1, "p": 0.4}
    sim = model.simulate(lp.DetectionHistory.from_tables(wide, sites), parameters=truth, seed=1)
    return model.fit(sim.history, draws=250, seed=1)


@cache
def dynamic(kind="DynamicOccupancy"):
    empty, _, _ = design(kind, n_sites=60)
    truth = {"psi": 0.6, "gamma": 0.1, "epsilon": 0.3, "p": 0.5}
    model = lp.DynamicOccupancy(gamma="~ height")
    if kind == "DynamicMultistateOccupancy":
        model = lp.DynamicMultistateOccupancy(psi_next="~ state", breeding_next="~ 1")
        truth = {"psi": 0.6, "breeding": 0.5, "psi_next": 0.2, "psi_next[state[used]]": 1.5, "breeding_next": 0.4}
        truth |= {"p1": 0.5, "p2": 0.5, "delta": 0.6}
    return model.fit(model.simulate(empty, parameters=truth, seed=2).history, engine="laplace", draws=250, seed=1)


# -- seasons ----------------------------------------------------------------------------------------------------------
def test_equilibrium_of_two_states_is_gamma_over_gamma_plus_epsilon():
    states = dynamic().occupancy()
    heights = dynamic().history.arrays().site_covariates["height"].to_numpy()
    gamma = dynamic().predict("gamma", pd.DataFrame({"height": heights}))
    epsilon = dynamic().posterior["epsilon"].values[..., None]
    assert states.equilibrium.dims == ("chain", "draw", "site")
    np.testing.assert_allclose(states.equilibrium, gamma / (gamma + epsilon), atol=1e-12)
    assert "equilibrium" in states.summary().index


def test_equilibrium_of_three_states_is_left_as_it_is():
    """Multiplying the transitions many times leads there from anywhere."""
    rng = np.random.default_rng(1)
    moves = rng.dirichlet(np.ones(3), size=(5, 3)).transpose(1, 2, 0)
    law = stationary_law(moves)
    long = np.stack([np.linalg.matrix_power(moves[..., i], 200)[0] for i in range(5)], axis=-1)
    np.testing.assert_allclose(law, long, atol=1e-10)
    states = dynamic("DynamicMultistateOccupancy").occupancy()
    assert ((states.equilibrium_breeding > 0) & (states.equilibrium_breeding < states.equilibrium)).all()


def test_transitions_of_two_states_are_gamma_and_epsilon():
    found = dynamic().occupancy().transitions
    heights = dynamic().history.arrays().site_covariates["height"].to_numpy()
    gamma = dynamic().predict("gamma", pd.DataFrame({"height": heights})).values.mean(-1)
    epsilon = dynamic().posterior["epsilon"].values
    assert found.dims == ("chain", "draw", "season", "before", "after")
    for i in range(found.sizes["season"]):
        np.testing.assert_allclose(found.isel(season=i).sel(before="absent", after="used"), gamma, atol=1e-12)
        np.testing.assert_allclose(found.isel(season=i).sel(before="used", after="absent"), epsilon, atol=1e-12)
    np.testing.assert_allclose(found.sum("after"), 1.0, atol=1e-12)
    with pytest.raises(ModelError, match="is of one season, so there is no transitions"):
        plain().occupancy().transitions  # noqa: B018


def test_the_figure_of_transitions():
    fit = dynamic("DynamicMultistateOccupancy")
    axes = fit.plot.transitions()
    found = fit.occupancy().transitions.mean("season").median(("chain", "draw"))
    told = [text.get_text() for text in axes.texts]
    assert [text.split("\n")[0] for text in told] == [f"{value:.2f}" for value in found.values.ravel()]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["absent", "used", "breeding"]
    assert "over 60 sites and 3 changes of season" in axes.figure.caption
    assert "transitions()" in repr(fit.plot)


def test_decline():
    states = dynamic().occupancy()
    first, last = (states.used_sites.isel(season=i).values for i in (0, -1))
    assert states.decline() == (last < first).mean()
    assert states.decline(0.2) == (last < 0.8 * first - 1e-9).mean()
    assert states.decline(0.0, first="2", last="3") == (states.growth.sel(season="3") < 1).mean()
    breeding = dynamic("DynamicMultistateOccupancy").occupancy()
    assert 0 <= breeding.decline(0.2, of="breeding") <= 1


def test_exactly_that_share_is_no_decline_by_more(monkeypatch):
    states = dynamic().occupancy()
    number = xr.DataArray(
        [[[5, 4], [10, 8], [10, 7], [0, 0]]], coords={"season": ["1", "2"]}, dims=["chain", "draw", "season"]
    )
    monkeypatch.setattr(type(states), "used_sites", property(lambda self: number))
    assert states.decline(0.2) == 0.25


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dynamic().occupancy().decline(20), "such as 0.2"),
        (lambda: dynamic().occupancy().decline(0.2, first="1999"), "There are 1, 2, 3, 4"),
        (lambda: dynamic().occupancy().decline(of="empty"), '"used" or "breeding"'),
        (lambda: dynamic().occupancy().equilibrium_breeding, "knows no breeding"),
        (lambda: plain().occupancy().decline(0.2), "there is no decline: use lp.DynamicOccupancy"),
        (lambda: plain().occupancy().equilibrium, "there is no equilibrium"),
        (lambda: plain().effect("psi", "snwo"), "Did you mean 'snow'"),
        (lambda: plain().effect("p", "snow"), "It is constant"),
        (lambda: plain().effect("phi", "snow"), "Did you mean 'psi'"),
        (lambda: plain().surface("psi", pd.DataFrame({"snow": [1.0], "forest": ["fir"]}), quantiles=[2]), "between 0"),
        (lambda: plain().surface("psi", pd.DataFrame({"snow": [1.0]})), "no variable 'forest'"),
        (lambda: plain().surface("psi", pd.DataFrame({"snow": [1.0], "forest": ["ash"]})), "no level 'ash'"),
        (lambda: plain().surface("p", xr.Dataset({"snow": ("x", [1.0])})), "no covariate among the layers"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ModelError, match=message):
        call()


def test_ground_of_another_kind():
    with pytest.raises(DataError, match="ground is a list"):
        plain().surface("psi", [1, 2])


# -- curves and new sites ---------------------------------------------------------------------------------------------
def test_effect_is_the_prediction_along_a_covariate():
    table = plain().effect("psi", "snow", at={"forest": "oak"}, points=7)
    rows = pd.DataFrame({"snow": table["snow"], "forest": "oak"})
    draws = plain().predict("psi", rows).values.reshape(-1, 7)
    np.testing.assert_allclose(table["mean"], draws.mean(0))
    np.testing.assert_allclose(table["eti95_ub"], np.quantile(draws, 0.975, axis=0))
    assert not table["extrapolated"].any()
    assert plain().effect("psi", "snow", span=(-5, 45), points=3)["extrapolated"].tolist() == [True, False, True]
    levels = plain().effect("psi", "forest")
    assert levels["forest"].tolist() == ["fir", "oak"]


def test_effect_given_the_state_before():
    table = dynamic("DynamicMultistateOccupancy").effect("psi_next", "state")
    posterior = dynamic("DynamicMultistateOccupancy").posterior["psi_next"].mean(("chain", "draw"))
    np.testing.assert_allclose(table["mean"], posterior)


def test_prediction_says_where_it_extrapolates():
    found = plain().predict("psi", pd.DataFrame({"snow": [10.0, 99.0], "forest": "fir"}))
    assert found["extrapolated"].values.tolist() == [False, True]


# -- maps -------------------------------------------------------------------------------------------------------------
def cells(n, seed=3):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"snow": rng.uniform(0, 40, n), "forest": rng.choice(["fir", "oak"], n)})


def test_surface_is_the_prediction_in_blocks(monkeypatch):
    monkeypatch.setattr(occupancy_surface, "ENTRIES", 3 * 1000)
    table = cells(10)
    surface = plain().surface("psi", table)
    draws = plain().predict("psi", table).values.reshape(-1, 10)
    np.testing.assert_allclose(surface["psi_mean"], draws.mean(0))
    np.testing.assert_allclose(surface["psi_sd"], draws.std(0, ddof=1))
    np.testing.assert_allclose(surface["psi_quantile"].sel(quantile=0.975), np.quantile(draws, 0.975, axis=0))
    np.testing.assert_allclose(surface["total"], draws.sum(1))
    snow = plain().history.arrays().site_covariates["snow"]
    assert surface["extrapolated"].values.tolist() == [not snow.min() <= v <= snow.max() for v in table["snow"]]


def test_layers_keep_their_shape_and_their_holes():
    snow = xr.DataArray([[5.0, np.nan, 50.0], [10.0, 11.0, 12.0]], {"y": [0, 1], "x": [0, 1, 2]}, ["y", "x"])
    layers = xr.Dataset({"snow": snow, "forest": (("y", "x"), np.full((2, 3), "oak", object))})
    surface = plain().surface("psi", layers)
    assert surface["psi_mean"].dims == ("y", "x")
    assert np.isnan(surface["psi_mean"].values).tolist() == [[False, True, False], [False] * 3]
    assert surface["extrapolated"].values.tolist() == [[False, False, True], [False] * 3]
    one = plain().predict("psi", pd.DataFrame({"snow": [11.0], "forest": ["oak"]})).mean()
    assert float(surface["psi_mean"][1, 1]) == pytest.approx(float(one))


def test_memory_is_that_of_a_block_and_of_what_is_returned():
    """60,000 cells x 1,000 draws would be 480 MB at once; of a cell six numbers are returned, 48 MB for a million."""
    table = cells(60_000)
    plain().surface("psi", table.iloc[:10])
    tracemalloc.start()
    surface = plain().surface("psi", table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    block = 8 * occupancy_surface.ENTRIES
    returned = sum(surface[name].nbytes for name in surface.data_vars)
    assert returned < 60_000 * 50
    assert peak < 6 * block + 5 * returned + table.memory_usage(deep=True).sum()
    per_cell = 5 * returned / 60_000 + table.memory_usage(deep=True).sum() / 60_000
    assert 6 * block + 1e6 * per_cell < 2e9


def test_groups_of_a_map_are_drawn_once(monkeypatch):
    """A new group has one deviation in all blocks."""
    rng = np.random.default_rng(2)
    names = [f"s{i}" for i in range(60)]
    sites = pd.DataFrame({"site": names, "block": [f"b{i % 6}" for i in range(60)]})
    history = lp.DetectionHistory.from_tables(pd.DataFrame(np.ones((60, 4))).assign(site=names), sites)
    model = lp.Occupancy(psi="~ (1 | block)")
    sim = model.simulate(history, parameters={"psi": 0.5, "p": 0.5, "psi_sd_block": 1}, seed=int(rng.integers(9)))
    fit = model.fit(sim.history, engine="laplace", draws=100, seed=1)
    monkeypatch.setattr(occupancy_surface, "ENTRIES", 400)
    mean = fit.surface("psi", pd.DataFrame({"block": ["new", "b1", "new", "new"]}))["psi_mean"].values
    assert mean[0] == mean[2] == mean[3] != mean[1]


# -- figures ----------------------------------------------------------------------------------------------------------
def mask():
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(8) * 1000.0, np.arange(5) * 1000.0))
    table = pd.DataFrame({"x": x, "y": y, "snow": x / 175, "forest": "fir"})
    return lp.Mask.from_table(table, cell_area=1.0)


def test_figures():
    curve = plain().plot.effect("psi", "snow", span=(0, 50))
    assert len(curve.get_lines()) == 2
    assert "Dashed" in curve.figure.caption
    assert plain().plot.effect("psi", "forest").get_xticks().tolist() == [0, 1]
    map_of_psi = plain().plot.surface("psi", mask())
    outside = int(plain().surface("psi", mask())["extrapolated"].sum())
    (patch,) = [each for each in map_of_psi.patches if isinstance(each, PathPatch) and each.get_hatch()]
    assert 0 < outside == len(patch.get_path().to_polygons())
    assert f"{outside} cells with covariates outside" in map_of_psi.figure.caption
    seasons = dynamic("DynamicMultistateOccupancy").plot.states()
    assert [tick.get_text() for tick in seasons.get_xticklabels()] == ["1", "2", "3", "4"]
    assert "A breeding site is not a breeding female" in seasons.figure.caption
    assert repr(plain().plot).startswith("Figures: surface(parameter, mask), states(), effect(")
    with pytest.raises(ModelError, match='"hidden" or "exact"'):
        plain().plot.surface("psi", mask(), coordinates="all")
