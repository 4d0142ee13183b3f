"""Offsets of formulas: against covariates whose coefficient is held at 1, likelihoods by hand, and the graph."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.components.offset import split_offset
from leopardpop.errors import DataError, ModelError
from leopardpop.models.graph import point_of
from leopardpop.models.states.problem import OccupancyProblem

N_SITES, N_VISITS = 40, 5
HOURS = "~ snow + offset(np.log(effort))"


@pytest.fixture(scope="module")
def surveyed():
    """A history with an effort for each visit, and the arrays that it was made of."""
    rng = np.random.default_rng(5)
    effort, snow = rng.uniform(1, 14, (N_SITES, N_VISITS)), rng.normal(size=N_SITES)
    hazard = 0.06 * np.exp(0.4 * snow)[:, None] * effort
    y = (rng.random(effort.shape) < -np.expm1(-hazard)) & (rng.random((N_SITES, 1)) < 0.7)
    sites = pd.DataFrame({"site": [f"s{i}" for i in range(N_SITES)], "snow": snow, "area": rng.uniform(1, 4, N_SITES)})
    history = lp.DetectionHistory.from_tables(
        y.astype(float), sites, visit_covariates={"effort": effort}, effort_unit="day"
    )
    return history, y, effort, sites


def by_hand(theta, y, effort, snow):
    """Log-likelihood with a hazard of detection per day."""
    psi = -np.expm1(-np.exp(theta[0]))
    p = -np.expm1(-np.exp(theta[1] + theta[2] * snow[:, None]) * effort)
    seen = np.where(y, p, 1 - p).prod(1)
    return np.log(psi * seen + (1 - psi) * ~y.any(1)).sum()


def test_likelihood_by_hand(surveyed):
    history, y, effort, sites = surveyed
    model = lp.Occupancy(p=HOURS, link="cloglog")
    problem = OccupancyProblem(model, history)
    beta = np.array([0.3, -2.7, 0.4])
    expected = by_hand(beta, y, effort, sites["snow"].to_numpy())
    assert problem.log_likelihood(problem.to_theta(beta)) == pytest.approx(expected, abs=1e-9)


def test_gradient_and_graph(surveyed):
    history, *_ = surveyed
    model = lp.Occupancy(psi="~ offset(area)", p=HOURS, link="cloglog")
    problem = OccupancyProblem(model, history)
    theta = np.array([-1.2, -2.6, 0.3])
    value, gradient = problem.gradient(theta)
    steps = 1e-6 * np.eye(3)
    slopes = [(problem.value(theta + step) - problem.value(theta - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(gradient, slopes, atol=1e-5)
    graph = problem.graph()
    told = graph.compile_logp(vars=graph.potentials, sum=True)(point_of(problem, theta))
    assert float(told) == pytest.approx(problem.log_likelihood(theta), abs=1e-9)
    assert np.isfinite(value)


@pytest.mark.parametrize(
    ("make", "response"),
    [
        (lambda p: lp.Occupancy(p=p), "binary"),
        (lambda p: lp.Occupancy(psi="~ (1 | block)", p=p), "binary"),
        (lambda p: lp.MultistateOccupancy(p1=p, p2=p, parametrisation="multinomial"), "state"),
        (lambda p: lp.RoyleNichols(r=p), "binary"),
        (lambda p: lp.FalsePositiveOccupancy(p=p), "binary"),
    ],
    ids=["occupancy", "random", "multinomial", "animals", "mistakes"],
)
def test_is_a_covariate_whose_coefficient_is_one(make, response, surveyed):
    """Of every model of the family, log-likelihood and gradient."""
    _, y, effort, sites = surveyed
    sites = sites.assign(block=[f"b{i % 8}" for i in range(N_SITES)])
    history = lp.DetectionHistory.from_tables(
        y.astype(float), sites, visit_covariates={"known": 0.1 * effort}, response=response
    )
    with_offset, free = (OccupancyProblem_of(make(p), history) for p in ("~ offset(known)", "~ known"))
    beta = pd.Series(0.2, index=list(free.labels))
    beta[[label for label in free.labels if label.endswith("[known]")]] = 1.0
    theta = free.to_theta(beta.to_numpy())
    kept = with_offset.to_theta(beta[list(with_offset.labels)].to_numpy())
    expected, slopes = free.log_likelihood_gradient(theta)
    value, gradient = with_offset.log_likelihood_gradient(kept)
    assert value == pytest.approx(expected, abs=1e-9)
    # Without "known" nothing is centred, so that intercepts move with the same slope.
    same = [list(free.labels).index(label) for label in with_offset.labels]
    np.testing.assert_allclose(gradient, slopes[same], atol=1e-8)


def OccupancyProblem_of(model, history):
    return model._problem(history, None)


def test_communities(surveyed):
    _, y, effort, _ = surveyed
    tables = {"lynx": y.astype(float), "wolf": y[::-1].astype(float)}
    history = lp.DetectionHistory.from_tables(tables, visit_covariates={"known": 0.1 * effort})
    with_offset = OccupancyProblem_of(lp.CommunityOccupancy(p="~ offset(known)"), history)
    free = OccupancyProblem_of(lp.CommunityOccupancy(p="~ known + (1 | species)"), history)
    beta = pd.Series(0.3, index=list(free.labels))
    beta["p[known]"] = 1.0
    value = with_offset.log_likelihood(with_offset.to_theta(beta[list(with_offset.labels)].to_numpy()))
    assert value == pytest.approx(free.log_likelihood(free.to_theta(beta.to_numpy())), abs=1e-9)


def test_posterior_curve_and_prediction(surveyed):
    """The reference is one day; curves and predictions have the effort that they say."""
    history, *_ = surveyed
    fit = lp.Occupancy(p=HOURS, link="cloglog").fit(history, draws=500, seed=1)
    of_a_day = fit.posterior["p"].values
    rows = pd.DataFrame({"snow": history.dataset["snow"].values.mean(), "effort": [1.0, 7.0]})
    predicted = fit.predict("p", rows).values
    np.testing.assert_allclose(predicted[..., 0], of_a_day, atol=1e-12)
    np.testing.assert_allclose(predicted[..., 1], -np.expm1(7 * np.log1p(-of_a_day)), atol=1e-12)
    curve = fit.effect("p", "effort", points=5)
    assert curve["mean"].is_monotonic_increasing
    assert not curve["extrapolated"].any()
    with pytest.raises(ModelError, match="no variable 'effort'"):
        fit.predict("p", rows.drop(columns="effort"))


def test_defaults_are_those_of_a_mean_visit(surveyed):
    """Ten times the unit of effort, the same posterior of what a visit sees."""
    history, y, effort, sites = surveyed
    hours = lp.DetectionHistory.from_tables(
        y.astype(float), sites, visit_covariates={"effort": 24 * effort}, effort_unit="hour"
    )
    days, of_hours = (lp.Occupancy(p=HOURS)._problem(each, None) for each in (history, hours))
    theta = np.array([0.2, -3.0, 0.1])
    moved = theta - np.array([0.0, np.log(24), 0.0])
    assert of_hours.value(moved) == pytest.approx(days.value(theta), abs=1e-9)


@pytest.mark.parametrize(
    ("formula", "error", "message"),
    [
        ("~ snow:offset(effort)", ModelError, "an offset is a term of its own"),
        ("~ offset(effort):snow", ModelError, "an offset stands alone"),
        ("~ offset()", ModelError, "an offset stands alone"),
        ("~ offset(log(effort))", ModelError, r"unknown function 'log'. Did you mean 'np.log'"),
        ("~ offset(np.log(efort))", ModelError, r"no variable 'efort'. Did you mean 'effort'"),
        ("~ offset(np.log(effort - 100))", DataError, "not a finite number"),
        ("~ offset(place)", ModelError, "'place' is a factor"),
    ],
)
def test_refusals(formula, error, message, surveyed):
    history, *_ = surveyed
    place = ("site", [f"p{i % 2}" for i in range(N_SITES)])
    history = lp.DetectionHistory.from_dataset(history.dataset.assign_coords(place=place))
    with pytest.raises(error, match=message):
        lp.Occupancy(p=formula)._problem(history, None)


def test_rates_have_their_effort_already(surveyed):
    _, y, effort, sites = surveyed
    history = lp.DetectionHistory.from_tables(
        2.0 * y, sites, visit_covariates={"effort": effort}, effort_unit="day", response="count"
    )
    with pytest.raises(ModelError, match="count effort twice"):
        lp.CountOccupancy(rate=HOURS)._problem(history, None)


def test_capture_recapture_says_where_effort_is():
    stations = pd.DataFrame({"station": ["a", "b"], "x": [5e5, 501e3], "y": [5e6, 5e6]})
    design = lp.CaptureHistory.from_tables(None, stations, occasions=2)
    with pytest.raises(ModelError, match="takes effort from the history by itself"):
        lp.SCR(density="~ offset(x)").parameters(design, lp.Mask.around(design, buffer=3_000, spacing=1_000))


def test_several_offsets():
    assert split_offset("~ offset(a) + snow + offset(np.log(b)) + (1 | g)") == ("~ snow + (1 | g)", ("a", "np.log(b)"))
