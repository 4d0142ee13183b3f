"""The directed comparisons of ``fit.check()``: scores of effects that the model leaves out."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import leopardpop as lp
from leopardpop.checks.directed import Larger, _efficient, directed_scores
from leopardpop.checks.pooled import pooled_surveys
from leopardpop.checks.responses import responses
from leopardpop.checks.surveys import survey_session
from leopardpop.models.problem import Problem
from tests.verification.check_power import TRUTH, history_of

ROWS = 120


def surveyed(model: lp.SCR, truth: dict[str, float], of_truth: lp.SCR | None = None, seed: int = 1):
    """The null model's problem and coefficients, and rows of it whose first one is a survey of another model."""
    design = history_of(None)
    mask = lp.Mask.around(design, buffer=6_000, spacing=2_000)
    history = (of_truth or model).simulate(design, mask, parameters=TRUTH | truth, seed=seed).history
    problem, rng = Problem(model, history, mask), np.random.default_rng(seed)
    theta = problem.to_theta(model.maximum_likelihood(history, mask).coefficients["estimate"].to_numpy())
    rows = survey_session(problem, theta, 0, problem.evaluate(theta)[0], ROWS, rng)
    return problem, theta, [rows], rng


def test_slopes_are_those_of_the_larger_models_likelihood():
    """Σ over the animals of the survey, less the slope of Λ, is the gradient of the log-likelihood with x and y."""
    problem, theta, rows, rng = surveyed(lp.SCR(), {})
    model = lp.SCR(density="~ x + y")
    pooled = next(pooled_surveys(problem, rows, rng))
    larger = Larger(problem, theta, pooled, model)
    assert [label for label, new in zip(larger.problem.labels, larger.is_added, strict=True) if new] == ["D[x]", "D[y]"]
    own = Problem(model, problem.history, problem.masks)
    gradient = own.log_likelihood_gradient(larger.theta)[1]
    steps = 1e-4 * np.eye(len(theta) + 2)
    lost = [
        (own.evaluate(larger.theta + step)[0].detected - own.evaluate(larger.theta - step)[0].detected) / 2e-4
        for step in steps
    ]
    assert np.allclose(larger.slopes()[pooled.row == 0].sum(0) - lost, gradient, atol=1e-3)


def test_response_is_counted_by_hand():
    """One station: two detections after the first on occasion 2 of 5, and λ0 is that of an animal at the station."""
    stations = pd.DataFrame({"station": ["A"], "x": [0.0], "y": [0.0]})
    captures = pd.DataFrame({"individual": ["a"] * 3, "station": ["A"] * 3, "occasion": [2, 3, 5]})
    history = lp.CaptureHistory.from_tables(captures, stations, occasions=5)
    mask = lp.Mask.from_table(pd.DataFrame({"x": [0.0], "y": [0.0]}), cell_area=1.0)
    problem = Problem(lp.SCR(), history, mask)
    theta = np.array(
        [np.log({"D": 1.0, "lambda0": 0.3, "sigma": 1e3}[label.split("[")[0]]) for label in problem.labels]
    )
    assert responses(problem, theta, None)["response"] == pytest.approx(2 - 3 * 0.3)


def test_what_the_model_explains_is_taken_out():
    rng = np.random.default_rng(3)
    known = np.column_stack([np.ones(50), rng.normal(size=50)])
    new = rng.normal(size=50)
    assert np.allclose(_efficient(known, (new + 7 * known[:, 1])[:, None]), _efficient(known, new[:, None]))
    assert np.isnan(_efficient(known, 2 * known[:, 1:])).all()


def test_two_scores_that_are_one_direction_count_once():
    """With hardly any animals, east and north may be the same plane."""
    known = np.ones((40, 1))
    east = np.random.default_rng(1).normal(size=40)
    alone = _efficient(known, east[:, None])
    np.testing.assert_allclose(_efficient(known, np.column_stack([east, -3 * east])), alone**2, rtol=1e-9)
    north = np.random.default_rng(2).normal(size=40)
    both = np.column_stack([east, north])
    rest = both - both.mean(0)
    expected = np.einsum("ri,ij,rj->r", rest, np.linalg.inv(np.cov(rest, rowvar=False)), rest)
    np.testing.assert_allclose(_efficient(known, both), expected, rtol=1e-9)


@pytest.mark.parametrize(
    "effect, of_truth, truth",
    [
        ("response", lp.SCR(detection=lp.HalfNormal(lambda0="~ bk")), {"lambda0[bk[caught]]": 2.0, "lambda0": 0.1}),
        (
            "sex_sigma",
            lp.SCR(detection=lp.HalfNormal(sigma="~ sex"), classes="sex"),
            {"sigma[sex[M]]": 0.7, "pmix": 0.5, "sigma": 1_500},
        ),
        ("gradient", lp.SCR(density="~ x"), {"D[x]": 0.25, "D": 0.02}),
    ],
)
def test_a_large_effect_stands_out(effect, of_truth, truth):
    problem, theta, rows, rng = surveyed(lp.SCR(), truth, of_truth)
    scores = directed_scores(problem, theta, rows, rng)
    assert abs(scores[effect][0]) > np.quantile(np.abs(scores[effect][1:]), 0.95)
    assert scores[effect].shape == (ROWS + 1,)


def test_nothing_is_asked_that_the_model_has():
    """A model with ghosts, a response and a gradient has none of these rows."""
    model = lp.SCR(density="~ x + y", detection=lp.HalfNormal(lambda0="~ bk"))
    design = history_of(None)
    mask = lp.Mask.around(design, buffer=6_000, spacing=2_000)
    history = lp.SCR().simulate(design, mask, parameters=TRUTH, seed=1).history
    problem, rng = Problem(model, history, mask), np.random.default_rng(1)
    known = {"D[Intercept]": "D", "lambda0[Intercept]": "lambda0", "sigma[Intercept]": "sigma"}
    theta = np.array([np.log(TRUTH[known[label]]) if label in known else 0.0 for label in problem.labels])
    rows = survey_session(problem, theta, 0, problem.evaluate(theta)[0], 9, rng)
    found = directed_scores(problem, theta, [rows], rng)
    assert "response" not in found
    assert "gradient" not in found
    assert "sex_sigma" not in found


def test_a_covariate_that_is_a_plane_leaves_the_other_axis():
    """snow rises to the east: what is left to ask is a slope to the north."""
    design = history_of(None)
    mask = lp.Mask.around(design, buffer=6_000, spacing=2_000)
    mask = mask.with_covariates(snow=lambda x, y: x / 1000.0, wet=lambda x, y: y / 1000.0)
    history = lp.SCR().simulate(design, mask, parameters=TRUTH, seed=1).history
    for formula, asked in (("~ snow", True), ("~ snow + wet", False)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", lp.errors.LeopardpopWarning)
            check = lp.SCR(density=formula).fit(history, mask, engine="laplace", draws=250, seed=1).check()
        assert ("gradient" in check.statistics) is asked
