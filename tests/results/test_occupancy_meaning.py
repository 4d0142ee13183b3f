"""The warnings that come with an occupancy fit are said where they apply, and not elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import leopardpop as lp
from leopardpop.models.describe import theta_of
from leopardpop.models.states.problem import OccupancyProblem
from leopardpop.results.occupancy_meaning import _moran, meaning_findings, neighbour_score

pytestmark = pytest.mark.filterwarnings("ignore::leopardpop.errors.DataWarning")

SIDE = 10
XY = np.array([(i * 1000.0, j * 1000.0) for i in range(SIDE) for j in range(SIDE)])
TRUTH = {"psi": 0.5, "p": 0.4}


def history(y=None, *, starts=None, response="binary", effort_unit=None):
    names = [f"s{i}" for i in range(len(XY))]
    sites = pd.DataFrame({"site": names, "x": XY[:, 0], "y": XY[:, 1]})
    wide = pd.DataFrame(np.zeros((len(XY), 5)) if y is None else y).assign(site=names)
    made = lp.DetectionHistory.from_tables(wide, sites, response=response, effort_unit=effort_unit, crs="EPSG:32652")
    if starts is None:
        return made
    data = made.dataset.assign_coords(visit_start=(("season", "visit"), np.asarray(starts, "datetime64[ns]")[None]))
    return lp.DetectionHistory.from_dataset(data)


def found(model, data, values):
    problem = OccupancyProblem(model, data, design_only=True)
    return {each.quantity: each for each in meaning_findings(problem, theta_of(problem, values)[None])}


def weekly(n_days):
    return pd.date_range("2024-01-01", periods=5, freq=pd.Timedelta(days=n_days / 5)).to_numpy()


def test_use_is_said_of_cameras_only():
    assert "meaning of psi" not in found(lp.Occupancy(), history(), TRUTH)
    told = found(lp.Occupancy(), history(starts=weekly(60), effort_unit="day"), TRUTH)["meaning of psi"]
    assert "use, not presence" in told.advice
    assert "in the 60 days of a season" in told.advice


def test_a_long_season():
    young = {"psi": 0.5, "breeding": 0.5, "p1": 0.4, "p2": 0.4, "delta": 0.5}
    for days, plain, breeding in ((90, "ok", "ok"), (150, "ok", "note"), (300, "note", "note")):
        data = history(starts=weekly(days))
        assert found(lp.Occupancy(), data, TRUTH)["days of a season"].verdict == plain
        state = history(starts=weekly(days), response="state")
        told = found(lp.MultistateOccupancy(), state, young)["days of a season"]
        assert told.verdict == breeding
        assert ("Cubs stay hidden" in told.advice) == (breeding == "note")
    assert "days of a season" not in found(lp.Occupancy(), history(), TRUTH)


def test_score_of_independent_and_of_clustered_sites():
    """Under the model the score is about N(0, 1); of sites that follow a hidden slope it is far out."""
    model, scores = lp.Occupancy(), []
    for seed in range(30):
        problem = OccupancyProblem(model, model.simulate(history(), parameters=TRUTH, seed=seed).history)
        scores.append(neighbour_score(problem, theta_of(problem, TRUTH)))
    assert abs(np.mean(scores)) < 4 / 30**0.5
    assert 0.7 < np.std(scores) < 1.3
    rng = np.random.default_rng(1)
    used = rng.random(100) < expit((XY[:, 0] - 4500) / 700)
    clustered = history((rng.random((100, 5)) < 0.4 * used[:, None]).astype(float))
    fit = model.fit(clustered, engine="laplace", draws=50, seed=1)
    row = fit.diagnostics().set_index("quantity").loc["neighbours alike"]
    assert row["verdict"] == "note"
    assert "intervals are too narrow" in row["advice"]
    assert row["value"] > 4
    slope = lp.Occupancy(psi="~ easting").fit(clustered, engine="laplace", draws=50, seed=1)
    assert slope.diagnostics().set_index("quantity").loc["neighbours alike", "verdict"] == "ok"


def test_moran_by_hand():
    """Twelve sites in a row of which the left half is high: the formula with the sums written out."""
    xy = np.column_stack([np.arange(12.0) ** 1.01, np.zeros(12)])
    values = np.r_[np.ones(6), np.zeros(6)]
    distance = np.abs(xy[:, 0][:, None] - xy[:, 0])
    near = np.argsort(distance, axis=1)[:, 1:5]
    weight = np.zeros((12, 12))
    for i in range(12):
        weight[i, near[i]] = 1
    away = values - 0.5
    moran = 12 / 48 * sum(weight[i, j] * away[i] * away[j] for i in range(12) for j in range(12)) / 3.0
    first = 0.5 * sum((weight[i, j] + weight[j, i]) ** 2 for i in range(12) for j in range(12))
    second = sum((weight[i].sum() + weight[:, i].sum()) ** 2 for i in range(12))
    variance = (144 * first - 12 * second + 3 * 48**2) / (48**2 * 143) - 1 / 121
    assert _moran(xy, values) == pytest.approx((moran + 1 / 11) / variance**0.5)


def test_without_positions_or_with_few_sites_nothing_is_said():
    few = lp.DetectionHistory.from_tables(np.zeros((30, 3)))
    assert "neighbours alike" not in found(lp.Occupancy(), few, TRUTH)
