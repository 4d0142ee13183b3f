"""Blocks: compact and of one size; blocks of one are leave-one-out; blocks of more are integrals without them."""

from __future__ import annotations

from functools import cache

import arviz as az
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import logsumexp

import leopardpop as lp
from leopardpop.checks.kfold import blocks_of
from leopardpop.data.history_subset import at_stations
from leopardpop.errors import ConvergenceWarning, DataError, ModelError
from leopardpop.models.problem import Problem
from tests.checks.test_leave_out import STATIONS, fit, grid, pieces, predictive, survey

pytestmark = pytest.mark.filterwarnings(
    *(f"ignore::leopardpop.errors.{each}Warning" for each in ("SparseData", "Prior", "Spacing", "Buffer"))
)


# -- blocks -----------------------------------------------------------------------------------------------------------
@given(arrays(float, st.tuples(st.integers(1, 40), st.just(2)), elements=st.floats(0, 1e5)), st.integers(1, 40))
def test_blocks_have_nearly_the_same_size(xy, number):
    number = min(number, len(xy))
    code = blocks_of(xy, number)
    sizes = np.bincount(code, minlength=number)
    assert len(sizes) == number
    assert sizes.min() >= 1
    assert sizes.max() - sizes.min() <= 1 + np.log2(number)


def test_blocks_are_compact():
    code = blocks_of(STATIONS[["x", "y"]].to_numpy(float), 4)
    for block in range(4):
        places = STATIONS[code == block]
        assert (places["x"].nunique(), places["y"].nunique()) == (2, 2)


def test_order_does_not_matter():
    xy = STATIONS[["x", "y"]].to_numpy(float)
    shuffled = np.random.default_rng(1).permutation(16)
    np.testing.assert_array_equal(blocks_of(xy[shuffled], 4), blocks_of(xy, 4)[shuffled])


# -- capture-recapture ------------------------------------------------------------------------------------------------
@pytest.mark.verification
def test_a_block_is_what_an_integral_without_it_says():
    history, mask = survey()
    result = fit().kfold(4)
    assert (result.kind, result.n_folds, result.elpd_i["fold"].values.tolist()) == ("loo_kfold", 4, list("1234"))
    assert result.elpd == pytest.approx(result.elpd_i.values.sum())
    code = blocks_of(STATIONS[["x", "y"]].to_numpy(float), 4)
    prior, capture, number = pieces()
    for block in (0, 3):
        problem = Problem(lp.SCR(), at_stations(history, {"1": code != block}), mask)
        found = [problem.pointwise(problem.to_theta(fit().problem.to_beta(p))) for p in np.array_split(grid(), 50)]
        rest = np.concatenate([part.capture.sum(1) + part.n_detected.sum(1) for part in found])
        exact = predictive(prior + rest, capture.sum(1) + number.sum(1) - rest)
        assert result.elpd_i.values[block] == pytest.approx(exact, abs=0.1)


def test_blocks_of_one_station_are_leave_one_out():
    history, mask = survey()
    named = lp.CaptureHistory.from_tables(
        history.detections[["individual", "station", "occasion"]],
        STATIONS.assign(camera=STATIONS["station"]),
        occasions=6,
    )
    model = lp.SCR().fit(named, mask, engine="laplace", seed=1)
    blocks, single = model.kfold(blocks="camera"), model.loo("station")
    np.testing.assert_allclose(blocks.elpd_i, single.elpd_i, atol=0.1)


# -- occupancy --------------------------------------------------------------------------------------------------------
@cache
def visits():
    rng = np.random.default_rng(5)
    sites = pd.DataFrame({"x": rng.uniform(0, 9e4, 30), "y": rng.uniform(0, 3e4, 30)})
    sites["valley"] = np.where(sites["x"] < 3e4, "west", "east")
    design = lp.DetectionHistory.from_tables(np.ones((30, 4)), sites=sites)
    return lp.Occupancy().simulate(design, parameters={"psi": 0.6, "p": 0.4}, seed=1).history


@cache
def occupied(psi="~ 1"):
    return lp.Occupancy(psi=psi).fit(visits(), engine="laplace", seed=1)


def test_blocks_of_one_site_are_leave_one_out():
    blocks, single = occupied().kfold(30), occupied().loo()
    places = visits().sites
    code = blocks_of(np.unique(places[["easting", "northing"]].to_numpy(float), axis=0), 30)
    order = np.unique(places[["easting", "northing"]].to_numpy(float), axis=0, return_inverse=True)[1].reshape(-1)
    np.testing.assert_allclose(blocks.elpd_i.values[code[order]], single.elpd_i.values, atol=0.02)


def test_a_column_of_blocks_is_what_sums_over_draws_without_it_say():
    """Two blocks: the posterior of one half foresees the other; by brute force on a grid."""
    result = occupied().kfold(blocks="valley")
    assert result.elpd_i["fold"].values.tolist() == ["east", "west"]
    problem = occupied().problem
    line = np.linspace(-6, 6, 241)
    points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    each, prior = problem.pointwise(points).y, problem.priors.log_densities(points)
    east = visits().sites["valley"].to_numpy() == "east"
    exact = logsumexp(prior + each.sum(1)) - logsumexp(prior + each[:, ~east].sum(1))
    assert result.elpd_i.values[0] == pytest.approx(exact, abs=0.05)


def test_models_are_compared_by_blocks():
    table = az.compare({"constant": occupied().kfold(3), "by x": occupied("~ easting").kfold(3)})
    assert set(table.index) == {"constant", "by x"}


# -- bad input --------------------------------------------------------------------------------------------------------
def test_what_cannot_be_left_out():
    with pytest.raises(ModelError, match="folds=1 must be"):
        fit().kfold(1)
    with pytest.raises(ModelError, match="folds=17: there are 16 stations only"):
        fit().kfold(17)
    with pytest.raises(ModelError, match=r"sites have no such column. Did you mean 'valley'"):
        occupied().kfold(blocks="valey")
    bare = lp.Occupancy().simulate(
        lp.DetectionHistory.from_tables(np.ones((20, 3))), parameters={"psi": 0.6, "p": 0.4}, seed=1
    )
    with pytest.raises(DataError, match=r"sites have no x and y.*blocks="):
        lp.Occupancy().fit(bare.history, draws=50, seed=1).kfold()


def test_a_block_that_cannot_be_drawn_without_is_told(monkeypatch):
    from leopardpop.checks import kfold as module

    monkeypatch.setattr(module, "drawn_without", lambda refit, seed: (-1.0, 0.9))
    with pytest.warns(ConvergenceWarning, match="without block '1', '2' could not be drawn"):
        assert occupied().kfold(2).warning
