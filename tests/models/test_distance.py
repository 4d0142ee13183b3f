"""Distances over land that resists and around barriers."""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import replace
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytensor
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import leopardpop as lp
from leopardpop.models.describe import theta_of
from leopardpop.models.paths import UNREACHABLE, Ground
from leopardpop.models.problem import Problem
from leopardpop.results.model_json import describe_model, model_from_json, model_to_json, without_places
from tests.reference.coefficients import survey_pieces
from tests.reference.datasets import PlainSurvey, library_history, library_masks
from tests.reference.designs import Design, make_survey

type Floats = NDArray[np.float64]

STEPS = [(i, j) for i in range(-2, 3) for j in range(-2, 3) if math.gcd(i, j) == 1]


def square(n: int, spacing: float = 100.0) -> tuple[Floats, Floats]:
    """Centres of n x n cells, the first at (0, 0)."""
    x, y = np.meshgrid(np.arange(n) * spacing, np.arange(n) * spacing, indexing="ij")
    return x.ravel(), y.ravel()


def by_small_steps(resistance: Floats, start: Floats, end: Floats) -> float:
    """Integral along a line, from 20,000 points in its middle; cells as in the module, spacing 1."""
    share = (np.arange(20_000) + 0.5) / 20_000
    points = np.floor(start + share[:, None] * (end - start) + 0.5).astype(int)
    return float(np.hypot(*(end - start)) * resistance[tuple(points.T)].mean())


def brute_force(resistance: Floats, source: tuple[int, int]) -> Floats:
    """Dijkstra with a heap over the cells of a lattice (inf: closed); a step costs the line between centres."""
    n, m = resistance.shape
    best = np.full((n, m), np.inf)
    queue = [(0.0, source)]
    while queue:
        cost, (i, j) = heapq.heappop(queue)
        if cost >= best[i, j]:
            continue
        best[i, j] = cost
        for di, dj in STEPS:
            a, b = i + di, j + dj
            if 0 <= a < n and 0 <= b < m and best[a, b] == np.inf:
                heapq.heappush(queue, (cost + step_cost(resistance, i, j, di, dj), (a, b)))
    return best


def step_cost(r: Floats, i: int, j: int, di: int, dj: int) -> float:
    """A rook's step meets two cells, a bishop's two and a corner, a knight's four."""
    if abs(di) + abs(dj) == 1:
        return float((r[i, j] + r[i + di, j + dj]) / 2)
    if abs(di) == abs(dj):
        closed = np.isinf(r[i + di, j]) and np.isinf(r[i, j + dj])
        return math.inf if closed else float((r[i, j] + r[i + di, j + dj]) / 2 * math.sqrt(2))
    beside = (di // 2, 0) if abs(di) == 2 else (0, dj // 2)
    met = [r[i, j], r[i + beside[0], j + beside[1]], r[i + di - beside[0], j + dj - beside[1]], r[i + di, j + dj]]
    return float(sum(met) / 4 * math.sqrt(5))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_agrees_with_brute_force(seed: int) -> None:
    """The shortest path over the lattice, or the straight line where that costs less."""
    rng = np.random.default_rng(seed)
    n = 7
    resistance = rng.uniform(0.5, 5.0, (n, n))
    resistance[rng.random((n, n)) < 0.2] = np.inf
    open_ = np.argwhere(np.isfinite(resistance))
    ground = Ground(*(100.0 * open_.T.astype(float)), 100.0, resistance[tuple(open_.T)])
    low = open_.min(0)
    source = open_[0]
    found = ground.distances(100.0 * source[None].astype(float), 100.0 * open_.astype(float))[0] / 100.0
    paths = brute_force(resistance, (int(source[0]), int(source[1])))[tuple(open_.T)]
    assert (low >= 0).all()
    for cost, path, cell in zip(found, paths, open_, strict=True):
        straight = by_small_steps(resistance, source.astype(float), cell.astype(float))
        touches_corner = math.gcd(*(cell - source).tolist()) * (cell - source).prod() != 0
        if np.isinf(straight) or not touches_corner:
            assert cost == pytest.approx(min(path, UNREACHABLE / 100.0), rel=1e-9) or cost < path
        assert cost <= min(path, UNREACHABLE / 100.0) * (1 + 1e-9)
        assert cost >= min(path, straight, UNREACHABLE / 100.0) * (1 - 1e-3)


@pytest.mark.parametrize("resistance", [1.0, 2.5])
def test_over_even_ground_it_is_the_straight_line(resistance: float) -> None:
    x, y = square(15)
    ground = Ground(x, y, 100.0, np.full(len(x), resistance))
    sources = np.random.default_rng(1).uniform(0, 1400, (6, 2))
    straight = np.hypot(sources[:, :1] - x, sources[:, 1:] - y)
    np.testing.assert_allclose(ground.distances(sources, np.column_stack([x, y])), resistance * straight, atol=1e-9)


def test_a_straight_line_over_stripes() -> None:
    """Ground that costs 1 and 3 in stripes of one cell: across them each metre costs 2 between their middles."""
    x, y = square(9)
    ground = Ground(x, y, 100.0, np.where((x / 100) % 2 == 0, 1.0, 3.0))
    across = ground.distances(np.array([[0.0, 400.0]]), np.array([[800.0, 400.0]]))
    assert across[0, 0] == pytest.approx(8 * 200.0)
    along = ground.distances(np.array([[0.0, 0.0]]), np.array([[0.0, 800.0]]))
    assert along[0, 0] == pytest.approx(800.0)


def test_around_a_wall() -> None:
    """A wall with one end: the way goes by it, within 2.8 % of the bent line."""
    x, y = square(21)
    wall = shapely.LineString([(1050, -200), (1050, 1250)])
    ground = Ground(x, y, 100.0, np.ones(len(x)), wall)
    found = ground.distances(np.array([[600.0, 500.0]]), np.array([[1500.0, 500.0]]))[0, 0]
    bent = math.hypot(450, 750) * 2
    assert bent <= found <= 1.028 * bent + 100.0
    same_side = ground.distances(np.array([[600.0, 500.0]]), np.array([[900.0, 100.0]]))[0, 0]
    assert same_side == pytest.approx(500.0)


def test_a_wall_that_shuts() -> None:
    x, y = square(11)
    ground = Ground(x, y, 100.0, np.ones(len(x)), shapely.LineString([(550, -500), (550, 2000)]))
    sources = np.array([[200.0, 200.0], [700.0, 900.0]])
    shut = ground.distances(sources, np.column_stack([x, y])) >= UNREACHABLE
    np.testing.assert_array_equal(shut, (sources[:, :1] > 550) != (x > 550))


def test_a_diagonal_lake_has_no_holes() -> None:
    """Cells that touch at corners only shut the land."""
    x, y = square(11)
    lake = np.isclose(x, y)
    ground = Ground(x[~lake], y[~lake], 100.0, np.ones((~lake).sum()))
    found = ground.distances(np.array([[0.0, 1000.0]]), np.column_stack([x[~lake], y[~lake]]))[0]
    np.testing.assert_array_equal(found >= UNREACHABLE, x[~lake] > y[~lake])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_ways_there_and_back_are_alike(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = square(8)
    ground = Ground(x, y, 100.0, rng.uniform(0.5, 4.0, len(x)))
    points = rng.uniform(0, 700, (4, 2))
    there = ground.distances(points, points)
    np.testing.assert_allclose(there, there.T, rtol=1e-9)
    for a, b, c in itertools.permutations(range(4), 3):
        assert there[a, c] <= (there[a, b] + there[b, c]) * 1.03 + 200.0  # half a cell of the dearest land


# --- in a model ------------------------------------------------------------------------------------

FUNCTIONS = {
    "HalfNormal": {"lambda0[Intercept]": math.log(0.1), "sigma[Intercept]": math.log(1200.0)},
    "Exponential": {"lambda0[Intercept]": math.log(0.1), "sigma[Intercept]": math.log(900.0)},
    "HazardRate": {
        "lambda0[Intercept]": math.log(0.1), "sigma[Intercept]": math.log(1200.0), "z[Intercept]": math.log(4.0),
    },
    "ProbabilityHalfNormal": {"g0[Intercept]": -2.0, "sigma[Intercept]": math.log(1200.0)},
}  # fmt: skip


def with_resistance(survey: PlainSurvey) -> tuple[PlainSurvey, lp.LeastCost]:
    """A resistance on all masks, and the distances it makes for the naive likelihood."""
    sessions = []
    for session in survey.sessions:
        rough = 1.0 + 0.5 * np.sin(session.cells[:, 0] / 1500.0) ** 2
        spacing = float(np.diff(np.unique(session.cells[:, 0])).min())
        ground = Ground(*session.cells.T, spacing, rough)
        covariates = session.cell_covariates | {"rough": rough}
        table = ground.distances(np.asarray(session.xy, float), session.cells)
        sessions.append(replace(session, cell_covariates=covariates, distances=table))
    return replace(survey, sessions=sessions), lp.LeastCost(resistance="rough")


def problem_of(function: str, design: Design) -> tuple[PlainSurvey, Problem]:
    survey, distance = with_resistance(make_survey(design))
    by_sex = design.sex != "none"
    detection = getattr(lp, function)(sigma="~ sex" if by_sex else "~ 1")
    model = lp.SCR(detection=detection, classes="sex" if by_sex else None, distance=distance)
    return survey, Problem(model, library_history(survey), library_masks(survey))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("detector", ["count", "proximity", "multi"])
@pytest.mark.parametrize("layout, sex", [("one session", "some unknown"), ("two sessions", "none")])
def test_agrees_with_the_naive_likelihood(function: str, detector: str, layout: str, sex: str) -> None:
    survey, problem = problem_of(function, Design(detector=detector, layout=layout, sex=sex))
    values = {"D[Intercept]": math.log(0.3)} | FUNCTIONS[function]
    values |= {"sigma[sex[M]]": 0.3, "pmix[M]": 0.2} if sex != "none" else {}
    theta = theta_of(problem, pd.Series(values))
    naive = survey_pieces(survey, function, values, problem.model.classes)
    value, gradient = problem.log_likelihood_gradient(theta)
    assert value == pytest.approx(sum(piece.poisson() for piece in naive), rel=1e-9)
    for j in range(len(theta)):
        step = np.zeros(len(theta))
        step[j] = 1e-5
        slope = (problem.log_likelihood(theta + step) - problem.log_likelihood(theta - step)) / 2e-5
        assert gradient[j] == pytest.approx(slope, rel=1e-5, abs=1e-5), problem.labels[j]


def test_graph_agrees() -> None:
    _, problem = problem_of("HalfNormal", Design(detector="proximity", layout="two sessions"))
    model = problem.graph()
    outputs = [sum(model.potentials), *(model[f"{p.name}_beta"] for p in problem.layout.parameters)]
    graph = pytensor.function(model.value_vars, outputs, mode="FAST_COMPILE", on_unused_input="ignore")
    found, *betas = graph(**model.initial_point())
    assert found == pytest.approx(problem.log_likelihood(problem.to_theta(np.concatenate(betas))), rel=1e-9)


def test_behaviour_has_its_units() -> None:
    """Stations in two states are two units, both as far away as the station."""
    survey, distance = with_resistance(make_survey(Design(detector="proximity")))
    history, masks = library_history(survey), library_masks(survey)
    plain = lp.SCR(distance=distance)
    behaved = lp.SCR(distance=distance, detection=lp.HalfNormal(lambda0="~ bk"))
    values = {"D": 0.3, "lambda0": 0.1, "sigma": 1200.0}
    label = [name for name in Problem(behaved, history, masks).labels if "bk" in name]
    same = behaved.log_likelihood(history, masks, parameters={**values, label[0]: 0.0})
    assert same == pytest.approx(plain.log_likelihood(history, masks, parameters=values), rel=1e-10)


# --- a survey across a fence -------------------------------------------------------------------------

FENCE = shapely.LineString([(6_000, -20_000), (6_000, 30_000)])
TRUTH = {"D": 0.6, "lambda0": 0.25, "sigma": 1_500.0}


def grid_survey() -> tuple[lp.CaptureHistory, lp.Mask]:
    axis = [750 + 1_500 * k for k in range(8)]
    stations = pd.DataFrame([(f"{x}-{y}", x, y) for x in axis for y in axis], columns=["station", "x", "y"])
    design = lp.CaptureHistory.from_tables(None, stations, occasions=6)
    return design, lp.Mask.around(design, buffer=5_000, spacing=1_000)


def test_nobody_is_seen_across_a_fence() -> None:
    design, mask = grid_survey()
    model = lp.SCR(distance=lp.LeastCost(barriers=FENCE))
    sim = model.simulate(design, mask, parameters=TRUTH, seed=3)
    east = sim.history.detections.merge(sim.history.stations[["station", "x"]])
    of_animal = east.assign(east=east["x"] > 6_000).groupby("individual")["east"].nunique()
    assert len(of_animal) > 20
    assert (of_animal == 1).all()
    crossing = lp.SCR().simulate(design, mask, parameters=TRUTH, seed=3).history
    with pytest.raises(lp.errors.DataError, match=r"was detected at .* no cell of the mask has a way to all of them"):
        model.fit(crossing, mask)


@pytest.mark.filterwarnings("ignore:The mask covers only part of west")
def test_a_fit_and_what_follows(tmp_path: Any) -> None:
    """Posterior, numbers, map, file: all with the same distances; the shared file has no fence."""
    design, mask = grid_survey()
    model = lp.SCR(distance=lp.LeastCost(barriers=FENCE))
    sim = model.simulate(design, mask, parameters=TRUTH, seed=3)
    fit = model.fit(sim.history, mask, seed=1)
    low, high = np.quantile(fit.posterior["sigma"], [0.001, 0.999])
    assert low < 1_500 < high
    again = lp.load_fit(fit.save(tmp_path / "fit.nc"))
    assert again.model == model
    assert again.problem.log_likelihood(fit.theta[0, 0]) == pytest.approx(fit.problem.log_likelihood(fit.theta[0, 0]))
    shared = lp.load_fit(fit.save(tmp_path / "shared.nc", coordinates="hidden"))
    assert "LINESTRING" not in str(shared.data_tree.attrs["model_json"])
    assert "distance by LeastCost" in describe_model(str(shared.data_tree.attrs["model_json"]))
    halves = {"west": shapely.box(-9e3, -9e3, 6e3, 3e4), "east": shapely.box(6e3, -9e3, 3e4, 3e4)}
    numbers = fit.population(regions=halves).realised
    seen = sim.truth.population.query("detected").assign(east=lambda t: t["x"] > 6_000)["east"].value_counts()
    assert (numbers.sel(region="west") >= seen[False]).all()
    assert (numbers.sel(region="east") >= seen[True]).all()


@pytest.mark.verification
def test_recovers_under_a_fence() -> None:
    """40 surveys: with the fence sigma and D are right; without it sigma is too small."""
    design, mask = grid_survey()
    fenced, ignorant = lp.SCR(distance=lp.LeastCost(barriers=FENCE)), lp.SCR()
    found = []
    for seed in range(40):
        sim = fenced.simulate(design, mask, parameters=TRUTH, seed=seed)
        row = []
        for model in (fenced, ignorant):
            estimates = model.maximum_likelihood(sim.history, mask).coefficients["estimate"]
            row += [estimates["sigma[Intercept]"] - math.log(1_500.0), estimates["D[Intercept]"] - math.log(0.6)]
        found.append(row)
    mean, error = np.mean(found, 0), np.std(found, 0, ddof=1) / math.sqrt(40)
    assert (abs(mean[:2]) < 3 * error[:2]).all()
    assert mean[2] < -3 * error[2]


# --- arguments --------------------------------------------------------------------------------------


def refused(match: str, **arguments: Any) -> None:
    design, mask = grid_survey()
    with pytest.raises(lp.errors.LeopardpopError, match=match):
        lp.SCR(distance=lp.LeastCost(**arguments)).parameters(design, mask)


def test_bad_resistances_are_refused() -> None:
    design, mask = grid_survey()
    refused("no such covariate, they have none", resistance="rough")
    refused("name a covariate of the mask", resistance=2.0)
    refused("needs a resistance, barriers or a landscape")
    refused("holds no geometry", barriers=geopandas.GeoDataFrame(geometry=[]))
    for values, words in [(0.0, "above 0 and finite"), (np.nan, "Fill holes")]:
        holed = mask.with_covariates(missing="keep", rough=lambda x, y, v=values: np.where(x > 9_000, v, 1.0))
        model = lp.SCR(distance=lp.LeastCost(resistance="rough"))
        with pytest.raises(lp.errors.DataError, match=words):
            model.parameters(design, holed)
    named = lp.SCR(distance=lp.LeastCost(resistance="rouhg"))
    with pytest.raises(lp.errors.ModelError, match=r"Did you mean 'rough'"):
        named.parameters(design, mask.with_covariates(rough=lambda x, y: 1.0 + 0 * x))
    with pytest.raises(lp.errors.ModelError, match=r"give lp\.LeastCost"):
        lp.SCR(distance="rough")  # type: ignore[arg-type]


def test_a_station_that_is_walled_in_is_named() -> None:
    design, mask = grid_survey()
    ring = shapely.Point(750, 750).buffer(100).exterior
    model = lp.SCR(distance=lp.LeastCost(barriers=ring))
    with pytest.raises(lp.errors.DataError, match="No way leads from station '750-750' to any cell"):
        model.parameters(design, mask)


def test_land_behind_a_fence_without_stations_is_told() -> None:
    design, mask = grid_survey()
    fence = shapely.LineString([(13_000, -20_000), (13_000, 30_000)])
    behind = int((mask.x > 13_000).sum())
    assert behind > 10
    with pytest.warns(lp.errors.DataWarning, match=f"{behind} cells of the {mask.n_cells} .* cannot be reached"):
        lp.SCR(distance=lp.LeastCost(barriers=fence)).parameters(design, mask)


def test_a_network_is_a_landscape_of_its_cells() -> None:
    """Otters in an L-shaped river: from one end to the other around the corner, never across."""
    river = shapely.LineString([(0, 0), (0, 9_000), (9_000, 9_000)]).buffer(300, cap_style="flat", join_style="mitre")
    stations = pd.DataFrame({"station": list("ABC"), "x": [100, 100, 8_900], "y": [100, 8_900, 8_900]})
    design = lp.CaptureHistory.from_tables(None, stations, occasions=3)
    water = lp.Mask.around(design, buffer=12_000, spacing=200, habitat=river)
    found = Problem(lp.SCR(distance=lp.LeastCost(landscape=water)), design, water).distances
    assert found is not None
    end = np.hypot(water.x - 8_900, water.y - 8_900).argmin()
    bend = np.hypot(300 - 100, 8_700 - 100) + np.hypot(8_900 - 300, 8_900 - 8_700)  # by the inner bank of the corner
    assert bend * 0.98 <= found[0][0, end] <= 1.05 * bend
    straight = np.hypot(stations["x"].to_numpy()[:, None] - water.x, stations["y"].to_numpy()[:, None] - water.y)
    assert found[0][0, end] > 1.3 * straight[0, end]
    north = water.x < 300
    np.testing.assert_allclose(
        found[0][0, north & (water.y < 8_000)], straight[0, north & (water.y < 8_000)], atol=1e-6
    )


def test_a_landscape_is_more_than_the_mask() -> None:
    """A town in the middle: crossed where the landscape has it, walked around where not."""
    design, mask = grid_survey()
    town = (abs(mask.x - 6_000) < 3_000) & (abs(mask.y - 6_000) < 3_000)
    outside = lp.Mask(mask.table[~town].reset_index(drop=True), crs=mask.crs)
    lonely = design.stations.index[(abs(design.stations[["x", "y"]] - 6_000) < 3_500).all(axis=1)]
    rim = lp.CaptureHistory.from_tables(None, design.stations.drop(index=lonely)[["station", "x", "y"]], occasions=6)
    crossed = Problem(lp.SCR(distance=lp.LeastCost(landscape=mask)), rim, outside).distances
    around = Problem(lp.SCR(distance=lp.LeastCost(landscape=outside)), rim, outside).distances
    assert crossed is not None
    assert around is not None
    xy = rim.arrays(rim.sessions[0]).xy
    straight = np.hypot(xy[:, :1] - outside.x, xy[:, 1:] - outside.y)
    np.testing.assert_allclose(crossed[0], straight, atol=1e-6)
    assert (around[0] >= straight - 1e-6).all()
    assert (around[0] > 1.1 * straight).any()


def test_a_fence_in_another_projection_is_moved() -> None:
    design, mask = grid_survey()
    placed = lp.Mask(mask.table.assign(x=mask.x + 500_000, y=mask.y + 4_800_000), crs="EPSG:32652")
    fence = geopandas.GeoDataFrame(
        geometry=[shapely.transform(FENCE, lambda p: p + np.array([500_000, 4_800_000]))], crs=32652
    )
    stations = design.stations.assign(x=lambda t: t["x"] + 500_000, y=lambda t: t["y"] + 4_800_000)
    history = lp.CaptureHistory.from_tables(None, stations[["station", "x", "y"]], occasions=6, crs="EPSG:32652")
    here = Problem(lp.SCR(distance=lp.LeastCost(barriers=fence)), history, placed).distances
    with pytest.warns(lp.errors.ProjectionWarning, match="barrier"):
        there = Problem(lp.SCR(distance=lp.LeastCost(barriers=fence.to_crs(4326))), history, placed).distances
    assert here is not None
    assert there is not None
    np.testing.assert_allclose(here[0], there[0])


def test_distances_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    design, mask = grid_survey()
    model = lp.SCR(distance=lp.LeastCost(barriers=FENCE))
    first = Problem(model, design, mask).distances
    monkeypatch.setattr(Ground, "distances", None)
    again = Problem(model, design, mask).distances
    assert first is not None
    assert again is not None
    assert again[0] is first[0]


def test_text_of_a_model() -> None:
    _, mask = grid_survey()
    distance = lp.LeastCost(resistance="rough", barriers=FENCE, landscape=mask.with_covariates(rough=mask.x**2 + 1))
    model = lp.SCR(distance=distance)
    text = model_to_json(model)
    assert model_from_json(text) == model
    assert str(int(mask.x[5])) not in without_places(text)
    assert "LeastCost" in model._repr_html_()


def test_priors_follow_the_winding() -> None:
    """Where every metre costs two, sigma is expected to be twice as large, and density the same."""
    design, mask = grid_survey()
    rough = mask.with_covariates(rough=lambda x, y: 2.0 + 0 * x)
    plain = Problem(lp.SCR(), design, mask).priors
    doubled = Problem(lp.SCR(distance=lp.LeastCost(resistance="rough")), design, rough).priors
    medians = [{t.label: float(t.prior.quantile(0.5)) for t in priors.terms} for priors in (plain, doubled)]
    assert medians[1]["sigma"] == pytest.approx(2 * medians[0]["sigma"], rel=1e-6)
    assert medians[1]["D"] == pytest.approx(medians[0]["D"], rel=1e-6)
