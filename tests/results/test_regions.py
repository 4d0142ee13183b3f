"""Regions as sets of cells: membership, coverage, projections, and what is refused."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

import leopardpop as lp
from leopardpop.errors import DataError, DataWarning, ProjectionWarning
from leopardpop.models.problem import Problem
from leopardpop.results.population import population
from leopardpop.results.regions import named_regions
from tests.results.standin import StandIn

WEST, EAST = 500_000.0, 520_000.0
SOUTH, NORTH = 4_750_000.0, 4_770_000.0
SQUARE = shapely.box(WEST, SOUTH, EAST, NORTH)


@pytest.fixture(scope="module")
def fit() -> StandIn:
    """Twenty by twenty cells of 1 km², clipped to their bounds; nine stations."""
    grid = [(f"{i}{j}", WEST + 4000 + 6000 * i, SOUTH + 4000 + 6000 * j) for i in range(3) for j in range(3)]
    stations = pd.DataFrame(grid, columns=["station", "x", "y"])
    history = lp.CaptureHistory.from_tables(None, stations, occasions=5, crs="EPSG:32652")
    mask = lp.Mask.around(history, buffer=20_000, spacing=1000, habitat=SQUARE)
    problem = Problem(lp.SCR(), history, mask)
    return StandIn(problem, np.tile(np.log([0.05, 0.05, 3000.0]), (1, 4, 1)))


def layer(crs: str | None = "EPSG:32652") -> geopandas.GeoDataFrame:
    """Three polygons, two of the same name."""
    shapes = [shapely.box(WEST, SOUTH, WEST + 5000, NORTH), shapely.box(WEST + 8000, SOUTH, EAST, SOUTH + 5000)]
    shapes.append(shapely.box(WEST + 8000, NORTH - 5000, EAST, NORTH))
    return geopandas.GeoDataFrame({"name": ["strip", "pair", "pair"]}, geometry=shapes, crs=crs)


def test_rows_of_the_same_name_are_one_region(fit: StandIn) -> None:
    regions = named_regions(fit.problem, layer(), "name")
    assert regions.names == ("strip", "pair")
    assert regions.sessions[0].area.tolist() == [100.0, 120.0]
    assert regions.sessions[0].covered.tolist() == [1.0, 1.0]


def test_without_by_all_rows_are_one_region(fit: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "reserves.gpkg"
    layer().to_file(path)
    pop = population(fit, regions=path)
    assert pop.region_name == "reserves"
    assert pop.area_km2 == 220.0
    assert pop.expected.dims == ("chain", "draw")


def test_other_projection(fit: StandIn) -> None:
    with pytest.warns(ProjectionWarning, match="was projected"):
        regions = named_regions(fit.problem, layer().to_crs("EPSG:4326"), "name")
    assert regions.sessions[0].area.tolist() == [100.0, 120.0]


@pytest.mark.parametrize("edge", [WEST + 4500, WEST + 5000, WEST + 5250])
def test_neighbours_share_no_cell_and_miss_none(fit: StandIn, edge: float) -> None:
    """Whether the border runs between centres or through them."""
    parts = {"a": shapely.box(WEST, SOUTH, edge, NORTH), "b": shapely.box(edge, SOUTH, EAST, NORTH)}
    regions = named_regions(fit.problem, parts, None)
    assert regions.sessions[0].area.sum() == 400.0
    assert regions.sessions[0].members.sum(1).tolist() == [1, 1]


def test_cells_in_the_same_regions_are_one_set(fit: StandIn) -> None:
    a, b = shapely.box(WEST, SOUTH, WEST + 12_000, NORTH), shapely.box(WEST + 8000, SOUTH, EAST, NORTH)
    part = named_regions(fit.problem, {"a": a, "b": b}, None).sessions[0]
    assert sorted(map(tuple, part.members.tolist())) == [(False, True), (True, False), (True, True)]
    assert np.bincount(part.atom).sum() == 400


def test_coverage_is_said(fit: StandIn) -> None:
    """Half of the region lies beyond the habitat, where nothing lives: that does not count; a buffer's end does."""
    half_out = shapely.box(WEST - 5000, SOUTH, WEST + 5000, NORTH)
    assert named_regions(fit.problem, half_out, None).sessions[0].covered.tolist() == [1.0]
    open_mask = lp.Mask(fit.problem.masks["1"].table, crs="EPSG:32652")
    problem = Problem(lp.SCR(), fit.problem.history, open_mask)
    with pytest.warns(DataWarning, match=r"only part of the region \(100 km², which is 50 % of it\)"):
        regions = named_regions(problem, half_out, None)
    assert regions.sessions[0].covered.tolist() == [0.5]


def test_coverage_without_a_lattice(fit: StandIn) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(WEST, EAST, 300), rng.uniform(SOUTH, NORTH, 300)
    mask = lp.Mask.from_table(pd.DataFrame({"x": x, "y": y, "area": 400 / 300}), crs="EPSG:32652")
    problem = Problem(lp.SCR(), fit.problem.history, mask)
    with pytest.warns(DataWarning, match="only part of"):
        regions = named_regions(problem, shapely.box(WEST - 10_000, SOUTH, WEST + 10_000, NORTH), None)
    assert regions.sessions[0].covered[0] == pytest.approx(0.5, abs=0.1)


def test_a_region_without_a_cell_is_refused(fit: StandIn) -> None:
    shapes = {"here": SQUARE, "there": shapely.box(0, 0, 1000, 1000)}
    with pytest.raises(DataError, match=r"centre in 'there'.*the cells of the mask span x") as caught:
        population(fit, regions=shapes)
    assert caught.value.offenders == ["there"]


def test_wrong_questions(fit: StandIn, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'Name'"):
        population(fit, regions=layer(), by="Name")
    with pytest.raises(DataError, match="which was not given"):
        population(fit, by="name")
    with pytest.raises(DataError, match="does not exist"):
        population(fit, regions=tmp_path / "none.gpkg")
    with pytest.raises(DataError, match="no layer"):
        population(fit, regions=3)


def test_the_habitat_is_the_default(fit: StandIn) -> None:
    pop = population(fit)
    assert (pop.region_name, pop.area_km2, pop.covered) == ("the habitat", 400.0, 1.0)
    assert "the habitat" in repr(pop)
