"""Leave-one-out against integrals over a grid of all parameters, and what is said where it cannot be had."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

import leopardpop as lp
from leopardpop.checks import leave_out
from leopardpop.data.history_subset import at_stations
from leopardpop.errors import ConvergenceWarning, ModelError
from leopardpop.models.problem import Problem

LINE = np.arange(4) * 2_000.0
X, Y = (each.ravel() for each in np.meshgrid(LINE, LINE))
STATIONS = pd.DataFrame({"station": [f"K{i:02d}" for i in range(16)], "x": X, "y": Y})
TRUTH = {"D": 0.12, "lambda0": 0.15, "sigma": 1_500.0}

pytestmark = pytest.mark.filterwarnings(
    *(f"ignore::leopardpop.errors.{each}Warning" for each in ("SparseData", "Prior", "Spacing", "Buffer"))
)


@cache
def survey():
    """Ten animals."""
    design = lp.CaptureHistory.from_tables(None, STATIONS, occasions=6)
    mask = lp.Mask.around(design, buffer=5_000, spacing=1_000)
    seeds = (lp.SCR().simulate(design, mask, parameters=TRUTH, seed=seed).history for seed in range(1_000))
    return next(history for history in seeds if history.n_individuals == 10 and history.n_spatial_recaptures > 8), mask


@cache
def fit():
    history, mask = survey()
    return lp.SCR().fit(history, mask, engine="laplace", seed=1)


@cache
def grid():
    """Points of theta (G, 3) far into every tail, those of density ten sds of the posterior either way."""
    theta = fit().theta.reshape(-1, 3)
    reach = np.array([14.0, 6.0, 6.0])
    axes = [m + s * np.linspace(-r, r, 41) for m, s, r in zip(theta.mean(0), theta.std(0), reach, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


@cache
def pieces():
    """Log prior (G,), log-likelihood of animals (G, 10) and of the number (G, 1) on the grid."""
    problem, points = fit().problem, grid()
    found = [problem.pointwise(part) for part in np.array_split(points, 50)]
    return (
        problem.priors.log_densities(points),
        np.concatenate([part.capture for part in found]),
        np.concatenate([part.n_detected for part in found]),
    )


def predictive(log_rest, log_unit):
    """log ∫ p(unit | θ) p(θ | rest)."""
    return logsumexp(log_rest + log_unit) - logsumexp(log_rest)


@cache
def exact():
    """Of each animal, and of the number."""
    prior, capture, number = pieces()
    whole = prior + capture.sum(1) + number.sum(1)
    animals = [predictive(whole - one, one) for one in capture.T]
    return np.array(animals), float(predictive(whole - number[:, 0], number[:, 0]))


def test_animals_by_weights():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        result = fit().loo()
    good = result.pareto_k.values <= result.good_k
    assert good.sum() >= 7
    np.testing.assert_allclose(result.elpd_i.values[good], exact()[0][good], atol=0.05)


def test_animals_by_refits(monkeypatch):
    """All of them, whatever their k."""
    before = fit()._loo("capture", refit=False)
    monkeypatch.setattr(leave_out, "_high", lambda result, limit: np.arange(result.n_data_points))
    with pytest.warns(ConvergenceWarning, match="could not be drawn from either"):  # for all are called high
        result = fit().loo(refit=True)
    np.testing.assert_allclose(result.elpd_i.values, exact()[0], atol=0.03)
    assert result.elpd == pytest.approx(result.elpd_i.values.sum())
    assert result.se == pytest.approx(np.sqrt(10 * result.elpd_i.values.var()))
    assert result.elpd + result.p == pytest.approx(before.elpd + before.p)
    np.testing.assert_array_equal(result.influence_pareto_k, before.pareto_k)


def test_the_number_detected_is_foreseen_by_the_prior_alone():
    with pytest.warns(ConvergenceWarning, match=r"for 1 of 1 session: without it the posterior .* refit=True draws"):
        weighted = fit().loo("n_detected")
    assert weighted.pareto_k.item() > weighted.good_k
    result = fit().loo("n_detected", refit=True)
    assert result.pareto_k.item() < 0.3
    assert result.elpd == pytest.approx(exact()[1], abs=0.1)


def station_exact(k):
    """By the likelihood of the history without the station, on the grid."""
    history, mask = survey()
    keep = np.arange(16) != k
    problem = Problem(lp.SCR(), at_stations(history, {"1": keep}), mask)
    prior, capture, number = pieces()
    found = [problem.pointwise(problem.to_theta(fit().problem.to_beta(part))) for part in np.array_split(grid(), 50)]
    rest = np.concatenate([part.capture.sum(1) + part.n_detected.sum(1) for part in found])
    return predictive(prior + rest, capture.sum(1) + number.sum(1) - rest)


def test_stations_by_weights_and_by_refits(monkeypatch):
    result = fit().loo("station")
    assert result.elpd_i["station"].values.tolist() == STATIONS["station"].tolist()
    chosen = [0, int(result.pareto_k.values.argmax()), 15]
    known = [station_exact(k) for k in chosen]
    np.testing.assert_allclose(result.elpd_i.values[chosen], known, atol=0.06)
    high = np.array(chosen)
    monkeypatch.setattr(leave_out, "_high", lambda result, limit: high)
    with pytest.warns(ConvergenceWarning):
        again = fit().loo("station", refit=True)
    np.testing.assert_allclose(again.elpd_i.values[chosen], known, atol=0.03)
    assert again.elpd_i.values[1] == result.elpd_i.values[1]


def test_stations_that_need_a_likelihood_each(monkeypatch):
    """As where captures change an animal; here where they do not, so that tables say the same."""
    tables = fit().loo("station")
    monkeypatch.setattr(leave_out, "are_independent", lambda problem: False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of 200 draws less can be asked
        made = fit().loo("station")
    assert made.n_samples == 200
    np.testing.assert_allclose(made.elpd_i.values, tables.elpd_i.values, atol=0.3)
    whole = leave_out._added(fit().problem, 0, fit().theta[0, :5])
    monkeypatch.undo()
    np.testing.assert_allclose(leave_out._added(fit().problem, 0, fit().theta[0, :5]), whole, rtol=1e-9, atol=1e-9)


def test_what_cannot_be_left_out():
    with pytest.raises(ModelError, match=r"unit='animal' cannot be left out: it is one of 'capture', 'n_detected'"):
        fit().loo("animal")
    design = lp.CaptureHistory.from_tables(None, STATIONS.iloc[[0]], occasions=5)
    mask = lp.Mask.around(design, buffer=5_000, spacing=1_000)
    one = lp.SCR().simulate(design, mask, parameters=TRUTH | {"D": 0.5}, seed=1).history
    alone = lp.SCR(priors={"sigma": lp.Prior("LogNormal", mu=7.3, sigma=0.5)}).fit(one, mask, seed=1, draws=100)
    with pytest.raises(ModelError, match="session '1' has one station: without it there is no survey left"):
        alone.loo("station")


# -- comparison -------------------------------------------------------------------------------------------------------
@pytest.mark.verification
def test_a_density_by_session_is_told_by_the_numbers_detected():
    """Four sessions, of which half have five times the animals of the others: histories say little of it."""
    labels = [str(s + 1) for s in range(4)]
    design = lp.CaptureHistory.from_tables(None, dict.fromkeys(labels, STATIONS), occasions=6)
    mask = lp.Mask.around(design, buffer=5_000, spacing=1_000)
    truth = TRUTH | {"D": 0.06} | {f"D[session[{label}]]": np.log(5.0) for label in labels[2:]}
    truth |= {"D[session[2]]": 0.0}
    history = lp.SCR(density="~ session").simulate(design, mask, parameters=truth, seed=3).history
    models = {"constant": lp.SCR(), "by session": lp.SCR(density="~ session")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = {name: model.fit(history, mask, seed=1, draws=500) for name, model in models.items()}
        table = lp.compare(fits)
    assert table.loc["by session", "elpd_n_detected"] > table.loc["constant", "elpd_n_detected"]
    np.testing.assert_allclose(table["elpd_both"], table["elpd"] + table["elpd_n_detected"])
    assert abs(table.loc["constant", "elpd"] - table.loc["by session", "elpd"]) < 3


def test_a_shared_file_has_no_part_that_takes_a_refit(tmp_path):
    shared = lp.load_fit(fit().save(tmp_path / "shared.nc", coordinates="hidden"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        table = lp.compare({"own": fit(), "shared": shared})
    assert np.isfinite(table.loc["own", "elpd_n_detected"])
    assert np.isnan(table.loc["shared", "elpd_n_detected"])


# -- sites ------------------------------------------------------------------------------------------------------------
def test_sites_by_refits(monkeypatch):
    """Against an integral over psi and p on a grid."""
    y = pd.DataFrame(np.random.default_rng(2).binomial(1, 0.3, (12, 4)).astype(float))
    y.iloc[3:7] = 0.0
    found = lp.Occupancy().fit(lp.DetectionHistory.from_tables(y), engine="laplace", seed=1)
    problem, theta = found.problem, found.theta.reshape(-1, 2)
    axes = [m + s * np.linspace(-8, 8, 161) for m, s in zip(theta.mean(0), theta.std(0), strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    by_site = np.asarray(problem.pointwise(points).y)
    whole = problem.log_posteriors(points, problem.pointwise(points))
    known = [predictive(whole - one, one) for one in by_site.T]
    np.testing.assert_allclose(found.loo().elpd_i.values, known, atol=0.03)
    monkeypatch.setattr(leave_out, "_high", lambda result, limit: np.arange(result.n_data_points))
    with pytest.warns(ConvergenceWarning):
        result = found.loo(refit=True)
    np.testing.assert_allclose(result.elpd_i.values, known, atol=0.02)
