"""The detection function against distance: curves are the model's, points are the data's."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.models.problem import Problem
from leopardpop.plots.detection import depends_on_class, detection_curves, spread_ties
from leopardpop.plots.detection_rates import Rates, raw_rates
from tests.results import made
from tests.results.standin import StandIn


def at(problem: Problem, beta: pd.Series) -> StandIn:
    """A fit with one draw."""
    theta = problem.to_theta(beta.loc[problem.labels].to_numpy(float))
    return StandIn(problem, np.tile(theta, (1, 4, 1)))


def simulated(detector: str, detection: lp.DetectionFunction, **parameters: float):
    stations = made.stations("1")
    design = lp.CaptureHistory.from_tables(None, stations, occasions=6, effort_unit="day", detector=detector)
    model = lp.SCR(detection=detection)
    history = model.simulate(design, made.mask(), parameters={"D": 0.6, **parameters}, seed=5).history
    return model, history


@cache
def at_the_maximum(detector: str) -> StandIn:
    model, history = simulated(detector, lp.HalfNormal(), lambda0=0.3, sigma=900.0)
    estimates = model.maximum_likelihood(history, made.mask()).coefficients["estimate"]
    return at(Problem(model, history, made.mask()), estimates)


@pytest.mark.parametrize("detector", ["count", "multi"])
def test_at_the_maximum_the_points_hold_as_many_detections_as_the_curve_expects(detector):
    """The score of log λ0 is 0 there: detections equal the hazard added up over the exposure, by EM."""
    fit = at_the_maximum(detector)
    edges = np.linspace(0.0, 30_000.0, 601)
    (rates,) = raw_rates(fit, edges, sessions=["1"], by_class=False)
    (curve,) = detection_curves(fit, ["1"], farthest=30_000.0)
    middle = (edges[1:] + edges[:-1]) / 2
    expected = rates.effort @ np.exp(np.interp(middle**2, curve.distance**2, np.log(curve.median + 1e-300)))
    assert rates.detections.sum() == pytest.approx(fit.problem.history.n_detections)
    assert expected == pytest.approx(rates.detections.sum(), rel=0.01)


def test_near_points_lie_on_the_curve():
    fit = at_the_maximum("count")
    (rates,) = raw_rates(fit, np.linspace(0.0, 2_500.0, 6), sessions=["1"], by_class=False)
    (curve,) = detection_curves(fit, ["1"], farthest=2_500.0)
    low, high = rates.interval()
    on_curve = np.interp(np.arange(250.0, 2_500.0, 500.0), curve.distance, curve.median)
    assert ((low < on_curve) & (on_curve < high)).sum() >= 4


def test_classes_share_the_detections():
    fit = made.fit("sex")
    edges = np.linspace(0.0, 40_000.0, 11)
    female, male = raw_rates(fit, edges, sessions=["1"], by_class=True)
    (both,) = raw_rates(fit, edges, sessions=["1"], by_class=False)
    assert female.detections + male.detections == pytest.approx(both.detections)
    assert both.detections.sum() == pytest.approx(fit.history.n_detections)
    assert female.effort + male.effort == pytest.approx(both.effort)


def test_removed_animals_are_exposed_for_less():
    captures = pd.DataFrame({"individual": ["F1"], "station": ["River 2-2"], "occasion": [2], "died": [1]})
    dead = lp.CaptureHistory.from_tables(captures, made.stations("1"), occasions=6, effort_unit="day")
    alive = lp.CaptureHistory.from_tables(captures.drop(columns="died"), made.stations("1"), occasions=6)
    beta = pd.Series({"D[Intercept]": -30.0, "lambda0[Intercept]": -2.0, "sigma[Intercept]": 7.0})
    edges = np.array([0.0, 1e6])
    efforts = []
    for history in (dead, alive):
        (rates,) = raw_rates(at(Problem(lp.SCR(), history, made.mask()), beta), edges, sessions=["1"], by_class=False)
        efforts.append(float(rates.effort[0]))
    assert efforts == pytest.approx([2 * 25, 6 * 25], rel=1e-6)


def test_intervals_are_exact_for_whole_numbers():
    count = Rates(np.array([0.0, 10.0]), np.array([50.0, 50.0]), np.array([50.0, 50.0]), binary=False)
    low, high = count.interval()
    assert low.tolist() == pytest.approx([0.0, 4.7954 / 50], abs=1e-5)
    assert high.tolist() == pytest.approx([3.6889 / 50, 18.3904 / 50], abs=1e-5)
    seen = Rates(np.array([0.0, 3.0]), np.array([200.0, 200.0]), np.array([20.0, 20.0]), binary=True)
    low, high = seen.interval()
    shares = np.array([[0.0, 0.0321], [0.1684, 0.3789]])  # Clopper and Pearson, of 20 trials
    assert np.stack([low, high]) == pytest.approx(-np.log1p(-shares) / 10, abs=2e-4)
    assert seen.rate.tolist() == pytest.approx([0.0, -np.log(1 - 3 / 20) / 10])


@pytest.mark.parametrize(
    ("detection", "values", "formula"),
    [
        (lp.HalfNormal(), {"lambda0": 0.3, "sigma": 900.0}, lambda d: 0.3 * np.exp(-(d**2) / (2 * 900.0**2))),
        (lp.Exponential(), {"lambda0": 0.3, "sigma": 700.0}, lambda d: 0.3 * np.exp(-d / 700.0)),
        (lp.ProbabilityHalfNormal(), {"g0": 0.2, "sigma": 900.0}, lambda d: 0.2 * np.exp(-(d**2) / (2 * 900.0**2))),
    ],
)
def test_the_curve_is_the_detection_function(detection, values, formula):
    model, history = simulated("proximity", detection, **values)
    problem = Problem(model, history, made.mask())
    first, second = values
    link = np.log(values[first]) if first == "lambda0" else np.log(values[first] / (1 - values[first]))
    beta = pd.Series({"D[Intercept]": 0.0, f"{first}[Intercept]": link, f"{second}[Intercept]": np.log(values[second])})
    (curve,) = detection_curves(at(problem, beta), ["1"])
    assert curve.median == pytest.approx(formula(curve.distance), rel=1e-9)
    assert curve.sigma == pytest.approx(values["sigma"])
    assert curve.median[-1] == pytest.approx(curve.median[0] * 0.02, rel=0.25)


def test_a_curve_is_averaged_over_stations_by_their_effort():
    stations = made.stations("1").assign(trail=[1.0] * 5 + [0.0] * 20, days=[12.0] * 5 + [1.0] * 20)
    history = lp.CaptureHistory.from_tables(None, stations, "days", effort_unit="day", occasions=1)
    model = lp.SCR(detection=lp.HalfNormal(lambda0="~ trail"))
    problem = made.quiet(lambda: Problem(model, history, made.mask()))
    labels = {"D[Intercept]": 0.0, "lambda0[Intercept]": np.log(0.1), "lambda0[trail]": np.log(3.0)}
    beta = pd.Series(labels | {"sigma[Intercept]": np.log(1000.0)})
    (curve,) = detection_curves(at(problem, beta), ["1"])
    assert curve.median[0] == pytest.approx((60 * 0.3 + 20 * 0.1) / 80)


def test_there_is_a_curve_a_class_only_where_detection_differs():
    assert depends_on_class(made.problem("sex"))
    alone = lp.SCR(classes="sex")
    assert not depends_on_class(Problem(alone, made.history("sex"), made.mask()))
    assert [c.label for c in detection_curves(made.fit("sex"), ["1"])] == ["F", "M"]


def test_probability_is_told_where_the_model_speaks_of_it():
    model, history = simulated("proximity", lp.ProbabilityExponential(), g0=0.3, sigma=700.0)
    fit = made.quiet(lambda: model.fit(history, made.mask(), seed=1, draws=100))
    ax = fit.plot.detection()
    assert ax.get_ylabel() == "Detection probability per day"
    assert "binomial" in ax.figure.caption
    assert made.fit("null").plot.detection().get_ylabel() == "Detection rate per day"


def test_the_ticks_below_are_the_spatial_recaptures():
    fit = made.fit("null")
    (ticks,) = [line for line in fit.plot.detection().lines if line.get_marker() == "|"]
    assert len(ticks.get_xdata()) == fit.history.n_spatial_recaptures
    assert f"{fit.history.n_spatial_recaptures} spatial recaptures" in fit.plot.detection().figure.caption


def test_ties_are_spread_around_where_they_were():
    values = np.array([2.0, 1.0, 1.0, 1.0])
    spread = spread_ties(values, 0.1)
    assert spread.tolist() == pytest.approx([0.9, 1.0, 1.1, 2.0])
    crowd = spread_ties(np.ones(100), 0.1)
    assert np.ptp(crowd) < 0.81
